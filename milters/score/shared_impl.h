/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shared_impl - what shared.c, metrics.c and control.c see of what is shared
 */
#ifndef SCORE_SHARED_IMPL_H
#define SCORE_SHARED_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "shared.h"

enum {
    SCORE_SHARED_SYMBOLS = 5000, /* until settings say so */
};

struct score_shared {
    atomic_uint holds;
    pthread_mutex_t mutex; /* the next four */
    struct mfx_scan_loop *loop;
    struct mfx_map *slots; /* name -> struct slot */
    size_t max_symbols;
    struct score_command *command; /* itself never changes */
    struct score_shadows *shadows;
    struct mfx_scan_memory *memory; /* itself never changes */
    atomic_ullong actions[SCORE_ACTION_COUNT];
    atomic_ullong greylisted, unscanned, skipped, removed_fields;
};

#endif
