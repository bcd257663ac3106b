/* SPDX-License-Identifier: BSD-2-Clause
 *
 * engines_impl - what the files of engines share
 *
 * engines_build.c reads settings into plans, engines.c makes engines of them.
 */
#ifndef SCORE_ENGINES_IMPL_H
#define SCORE_ENGINES_IMPL_H

#include <mfx/policy/secrets.h>
#include <mfx/scan/clamd.h>
#include <mfx/scan/rspamd.h>
#include <mfx/scan/spamd.h>

#include "engines.h"

enum {
    SCORE_PLAN_FILES_MAX = 5,
};

struct score_servers {
    struct mfx_scan_server *items;
    size_t count;
};

/* All that is needed to make an engine; nothing is left to be found wrong. */
struct score_plan {
    struct score_engine *engine; /* of the list */
    struct score_servers servers, controllers;
    struct mfx_stream_tls *tls; /* NULL: none */
    struct mfx_str password, controller_password;
    struct {
        const char *path;
        struct mfx_file_id id;
    } files[SCORE_PLAN_FILES_MAX];
    size_t file_count;
    struct mfx_str fingerprint; /* of all this; holds passwords */
    struct score_live *live;    /* NULL: not begun */
};

struct score_engines_all {
    struct score_engines list; /* first */
    struct score_plan *plans;  /* one for each of the list */
};

/* Fills all->list and all->plans; tls is left to be freed. */
enum mfx_rc score_engines_build(const struct score_settings *settings,
                                const struct mfx_policy_build *build,
                                struct score_engines_all *all) MFX_NODISCARD;

#endif
