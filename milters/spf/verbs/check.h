/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check - what check.c asks and check_show.c shows
 *
 * Ownership: everything in run->arena. Errors: exit statuses. Threads: one.
 */
#ifndef MFX_SPF_CHECK_H
#define MFX_SPF_CHECK_H

#include "verbs.h"

enum {
    RUNS_MAX = 4, /* two identities by two engines */
};

struct check_run {
    struct mfx_spf_config config;
    const struct mfx_spf_outcome *outcome;
    struct spf_ruling ruling; /* with a configuration */
    bool is_ruled;
    uint64_t took_ms;
};

struct check_work {
    const struct verb_run *run;
    const char *ip, *helo, *from, *receiver, *engine, *identity;
    const char *timeout, *client_name;
    bool wants_trace;
    struct mfx_spf_request request;
    struct mfx_spf_config config;
    struct spf_verb_site site;
    bool wants_identity[2], wants_engine[2];
    struct check_run runs[RUNS_MAX];
    size_t count;
};

/* In a result or an explanation. */
bool check_any_differs(const struct check_work *w);
void check_show(const struct check_work *w);
void check_show_json(const struct check_work *w);

#endif
