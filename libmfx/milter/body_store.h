/* SPDX-License-Identifier: BSD-2-Clause
 *
 * body_store - a message's body, whole: in memory up to a limit, then in one
 * unlinked file
 *
 *     mfx_body_store_add(&store, piece);
 *     mfx_body_store_get(&store, &body);
 *     mfx_body_store_reset(&store);
 *
 * Ownership: what get gives lives until reset. Errors: a failed addition
 * (disk full) stays failed until reset. Threads: one at a time.
 * Limits: MFX_BODY_MEMORY bytes in memory; the file goes to $TMPDIR or
 * /var/tmp and has no name.
 */
#ifndef MFX_MILTER_BODY_STORE_H
#define MFX_MILTER_BODY_STORE_H

#include <mfx/base/str.h>

enum {
    MFX_BODY_MEMORY = 256 * 1024,
};

struct mfx_body_store {
    char *memory;
    size_t len, cap;
    int fd; /* -1: in memory */
    char *map;
    bool failed;
};

void mfx_body_store_init(struct mfx_body_store *store);
void mfx_body_store_reset(struct mfx_body_store *store);
void mfx_body_store_add(struct mfx_body_store *store, struct mfx_str piece);
enum mfx_rc mfx_body_store_get(struct mfx_body_store *store,
                               struct mfx_str *body) MFX_NODISCARD;

#endif
