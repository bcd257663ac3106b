/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Engines in force: made of plans, or taken over from before a reload.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "engines_impl.h"
#include "tally.h"

struct score_live {
    atomic_uint holds;
    struct mfx_scan_engine *engine;
    bool learns;
    size_t len;
    char fingerprint[];
};

void
score_live_release(struct score_live *live)
{
    if (live == NULL || atomic_fetch_sub(&live->holds, 1) > 1)
        return;
    mfx_scan_engine_free(live->engine);
    free(live);
}

static struct score_live *
hold(struct score_live *live)
{
    if (live != NULL)
        atomic_fetch_add(&live->holds, 1);
    return live;
}

static bool
is_same(const struct score_live *live, struct mfx_str fingerprint, bool learns)
{
    return live != NULL && live->learns == learns &&
           mfx_str_eq(mfx_str(live->fingerprint, live->len), fingerprint);
}

/* --- making one --- */

static struct mfx_scan_engine_settings
common_settings(const struct score_plan *plan,
                const struct score_servers *servers)
{
    const struct score_engine_settings *s = plan->engine->settings;
    return (struct mfx_scan_engine_settings){
        .servers = servers->items,
        .server_count = servers->count,
        .order = (enum mfx_scan_order)s->order,
        .tls = plan->tls,
        .max_requests = (unsigned)s->max_requests,
        .max_connections = (unsigned)s->max_connections,
        .max_queue = (unsigned)s->max_queue,
        .max_size = (size_t)s->max_size,
        .scans_part = s->on_too_large == SCORE_TOO_LARGE_PART,
        .max_answer = (size_t)s->max_answer,
        .connect_ms = s->connect_timeout_ms,
        .attempt_ms = s->attempt_timeout_ms,
        .idle_ms = s->idle_timeout_ms,
        .max_failures = (unsigned)s->max_failures,
        .retry_ms = s->retry_ms,
        .retry_max_ms = s->retry_max_ms,
        .check_ms = s->check_interval_ms,
    };
}

static enum mfx_rc
make_rspamd(const struct score_plan *plan, struct mfx_scan_loop *loop,
            bool learns, struct mfx_scan_engine **engine, struct mfx_err *err)
{
    const struct score_engine_settings *s = plan->engine->settings;
    const struct mfx_scan_engine_settings common =
        common_settings(plan, learns ? &plan->controllers : &plan->servers);
    struct mfx_rspamd_settings rspamd = mfx_rspamd_settings_default();
    rspamd.are_controllers = learns;
    rspamd.compresses = s->compress;
    rspamd.wants_all_symbols = s->all_symbols;
    rspamd.password = learns ? plan->controller_password : plan->password;
    rspamd.settings = s->settings;
    return mfx_rspamd_new(loop, &common, &rspamd, engine, err);
}

static enum mfx_rc
make_spamd(const struct score_plan *plan, struct mfx_scan_loop *loop,
           struct mfx_scan_engine **engine, struct mfx_err *err)
{
    const struct score_engine_settings *s = plan->engine->settings;
    const struct mfx_scan_engine_settings common =
        common_settings(plan, &plan->servers);
    struct mfx_spamd_settings spamd = mfx_spamd_settings_default();
    spamd.command = (enum mfx_spamd_command)s->command;
    spamd.compresses = s->compress;
    spamd.without_trace = !s->trace;
    spamd.user = s->user;
    return mfx_spamd_new(loop, &common, &spamd, engine, err);
}

static enum mfx_rc
make_clamd(const struct score_plan *plan, struct mfx_scan_loop *loop,
           struct mfx_scan_engine **engine, struct mfx_err *err)
{
    const struct score_engine_settings *s = plan->engine->settings;
    const struct mfx_scan_engine_settings common =
        common_settings(plan, &plan->servers);
    struct mfx_clamd_settings clamd = mfx_clamd_settings_default();
    clamd.uses_sessions = s->sessions;
    clamd.passes_files = s->pass_files;
    return mfx_clamd_new(loop, &common, &clamd, engine, err);
}

static enum mfx_rc
make_engine(const struct score_plan *plan, struct mfx_scan_loop *loop,
            bool learns, struct mfx_scan_engine **engine, struct mfx_err *err)
{
    switch (plan->engine->type) {
    case SCORE_ENGINE_RSPAMD:
        return make_rspamd(plan, loop, learns, engine, err);
    case SCORE_ENGINE_SPAMD:
        return make_spamd(plan, loop, engine, err);
    case SCORE_ENGINE_CLAMD:
        return make_clamd(plan, loop, engine, err);
    }
    return MFX_PERMFAIL;
}

static enum mfx_rc
make_live(const struct score_plan *plan, struct mfx_scan_loop *loop,
          bool learns, struct score_live **out, struct mfx_err *err)
{
    struct mfx_str fingerprint = plan->fingerprint;
    struct score_live *live = malloc(sizeof *live + fingerprint.len);
    if (live == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = make_engine(plan, loop, learns, &live->engine, err);
    if (rc != MFX_OK) {
        free(live);
        return rc;
    }
    atomic_init(&live->holds, 1);
    live->learns = learns;
    live->len = fingerprint.len;
    memcpy(live->fingerprint, fingerprint.p, fingerprint.len);
    *out = live;
    return MFX_OK;
}

/* --- in force --- */

/* Under the lock. */
static enum mfx_rc
begin_one(struct score_plan *plan, struct score_shared *shared, bool learns,
          struct mfx_err *err)
{
    struct score_slot *slot = score_shared_need(shared, plan->engine->name);
    struct mfx_scan_loop *loop = NULL;
    struct score_live *live = NULL;
    if (slot == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    slot->is_wanted = true;
    plan->engine->tally = score_tally_hold(slot->tally);
    if (!is_same(slot->live, plan->fingerprint, learns)) {
        enum mfx_rc rc = score_shared_loop(shared, &loop, err);
        if (rc == MFX_OK)
            rc = make_live(plan, loop, learns, &live, err);
        if (rc != MFX_OK)
            return rc;
        score_live_release(slot->live);
        slot->live = live;
    }
    plan->live = hold(slot->live);
    plan->engine->engine = plan->live->engine;
    return MFX_OK;
}

static enum mfx_rc
begin(struct score_engines *engines, struct score_shared *shared, bool learns,
      struct mfx_err *err)
{
    struct score_engines_all *all = (struct score_engines_all *)engines;
    enum mfx_rc rc = MFX_OK;
    score_shared_lock(shared);
    for (size_t i = 0; i < engines->count; i++) {
        struct mfx_err why = {""};
        if (learns && engines->items[i].type == SCORE_ENGINE_CLAMD)
            continue;
        if (begin_one(&all->plans[i], shared, learns, &why) == MFX_OK)
            continue;
        if (rc == MFX_OK)
            mfx_err_set(err, "%.*s: %s", MFX_STR_ARG(engines->items[i].name),
                        why.msg);
        rc = MFX_TEMPFAIL;
    }
    score_shared_forget(shared);
    score_shared_unlock(shared);
    return rc;
}

enum mfx_rc
score_engines_begin(struct score_engines *engines, struct score_shared *shared,
                    struct mfx_err *err)
{
    return begin(engines, shared, false, err);
}

enum mfx_rc
score_engines_begin_learning(struct score_engines *engines,
                             struct score_shared *shared, struct mfx_err *err)
{
    return begin(engines, shared, true, err);
}

/* --- life --- */

enum mfx_rc
score_engines_new(const struct score_settings *settings,
                  const struct mfx_policy_build *build,
                  struct score_engines **engines)
{
    struct score_engines_all *all = mfx_arena_alloc(build->arena, sizeof *all);
    if (all == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = score_engines_build(settings, build, all);
    if (rc == MFX_OK)
        *engines = &all->list;
    else
        score_engines_free(&all->list);
    return rc;
}

void
score_engines_free(struct score_engines *engines)
{
    struct score_engines_all *all = (struct score_engines_all *)engines;
    for (size_t i = 0; engines != NULL && i < engines->count; i++) {
        score_live_release(all->plans[i].live);
        score_tally_release(engines->items[i].tally);
        mfx_stream_tls_free(all->plans[i].tls);
    }
}

bool
score_engines_are_outdated(const struct score_engines *engines)
{
    const struct score_engines_all *all =
        (const struct score_engines_all *)engines;
    for (size_t i = 0; i < engines->count; i++)
        for (size_t k = 0; k < all->plans[i].file_count; k++) {
            struct mfx_file_id id;
            if (mfx_file_identify(all->plans[i].files[k].path, &id, NULL) ==
                    MFX_OK &&
                !mfx_file_id_eq(&id, &all->plans[i].files[k].id))
                return true;
        }
    return false;
}

bool
score_engine_wants(const struct score_engine *engine, bool is_outgoing)
{
    if (engine->is_left_out)
        return false;
    switch ((enum score_mail)engine->settings->mail) {
    case SCORE_MAIL_ALL:
        return true;
    case SCORE_MAIL_INCOMING:
        return !is_outgoing;
    case SCORE_MAIL_OUTGOING:
        return is_outgoing;
    }
    return false;
}
