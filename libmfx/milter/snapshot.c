/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/snapshot.h>

#include <stdlib.h>

#include <mfx/milter/resolver_share.h>

void
mfx_snapshot_option_sets(const struct mfx_snapshot *s,
                         const struct mfx_option *common_options,
                         struct mfx_option_set sets[2])
{
    sets[0].options = common_options;
    sets[0].settings = (void *)(uintptr_t)&s->common;
    sets[1].options = s->filter->options;
    sets[1].settings = s->settings;
}

/* Where an option stands, for problems found in its value. */
static void
blame(const struct mfx_snapshot *s, struct mfx_problems *problems,
      const char *name, const char *text)
{
    unsigned line = 0;
    const char *file = mfx_config_where(s->config, name, &line);
    mfx_problem_add(problems, MFX_PROBLEM_ERROR, file == NULL ? "" : file, line,
                    "%s: %s", name, text);
}

static enum mfx_rc
read_settings(struct mfx_snapshot *s, const struct mfx_snapshot_load *load)
{
    struct mfx_option_set sets[2];
    s->settings = mfx_arena_alloc(s->arena, s->filter->settings_size);
    s->tables = mfx_table_set_new(
        load->previous == NULL ? NULL : load->previous->tables);
    if (s->settings == NULL || s->tables == NULL)
        return MFX_TEMPFAIL;
    mfx_snapshot_option_sets(s, load->common_options, sets);
    return mfx_config_load(load->file, load->common_file, sets,
                           s->filter->options == NULL ? 1 : 2, s->arena,
                           s->tables, load->problems, &s->config);
}

static void
identify(const char *path, struct mfx_file_id *id)
{
    if (path == NULL || mfx_file_identify(path, id, NULL) != MFX_OK)
        memset(id, 0, sizeof *id);
}

/* Taken right after reading. A file replaced in between is another one than
 * its text says only until the next change; the window is microseconds. */
static enum mfx_rc
identify_files(struct mfx_snapshot *s)
{
    size_t count = 0;
    const char *const *files = mfx_config_files(s->config, &count);
    s->file_ids = mfx_arena_alloc_array(s->arena, count, sizeof *s->file_ids);
    if (s->file_ids == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++)
        identify(files[i], &s->file_ids[i]);
    identify(s->common_file, &s->common_id);
    return MFX_OK;
}

static enum mfx_rc
make_origin(struct mfx_snapshot *s, struct mfx_problems *problems)
{
    enum mfx_rc rc = mfx_host_list_new(s->common.origin_internal_hosts,
                                       "origin.internal_hosts", problems,
                                       &s->internal_hosts);
    s->origin = (struct mfx_origin_rules){
        .login = s->common.origin_login,
        .daemon_names = s->common.origin_daemon_names,
        .macros = s->common.origin_macros,
        .hosts = s->internal_hosts,
    };
    return rc;
}

static enum mfx_rc
make_resolver(struct mfx_snapshot *s, const struct mfx_snapshot_load *load)
{
    struct mfx_err err = {0};
    enum mfx_rc rc = mfx_resolver_share_get(
        &s->common.dns,
        load->previous == NULL ? NULL : load->previous->resolver, &s->resolver,
        &err);
    if (rc == MFX_OK)
        s->env = mfx_resolver_share_env(s->resolver);
    else
        blame(s, load->problems, "dns", err.msg);
    return rc;
}

static enum mfx_rc
make_policy(struct mfx_snapshot *s, const struct mfx_snapshot_load *load)
{
    const struct mfx_policy_build build = {
        .settings = s->settings,
        .config = s->config,
        .arena = s->arena,
        .env = s->env,
        .previous = load->previous == NULL ? NULL : load->previous->policy,
        .problems = load->problems,
        .check_all = load->check_all,
        .check_dns = load->check_dns,
        .dns_is_trusted = s->common.dns.trust_ad,
        .is_shadow = s->common.mode == MFX_MODE_SHADOW,
        .is_dry_run = s->common.mode == MFX_MODE_DRY_RUN,
        .end_wait_s = s->common.end_wait_s,
    };
    if (build.is_shadow && !s->filter->has_shadow) {
        blame(s, load->problems, "mode", "this daemon has no shadow");
        return MFX_PERMFAIL;
    }
    if (s->filter->policy_new == NULL)
        return MFX_OK;
    return s->filter->policy_new(&build, &s->policy);
}

static enum mfx_rc
make_demand(struct mfx_snapshot *s, struct mfx_problems *problems)
{
    if (s->filter->wants != NULL)
        s->filter->wants(s->policy, &s->wants);
    if (mfx_demand_make(s->filter, &s->wants, &s->common.origin_macros,
                        s->arena, &s->demand))
        return MFX_OK;
    blame(s, problems, "origin.macros", "more macros than an MTA takes (50)");
    return MFX_PERMFAIL;
}

static enum mfx_rc
fill(struct mfx_snapshot *s, const struct mfx_snapshot_load *load)
{
    enum mfx_rc rc = read_settings(s, load);
    if (rc == MFX_OK)
        rc = identify_files(s);
    if (rc != MFX_OK || load->settings_only)
        return rc;
    rc = mfx_rc_worst(make_origin(s, load->problems), make_resolver(s, load));
    if (rc == MFX_OK)
        rc = make_policy(s, load);
    if (rc == MFX_OK)
        rc = make_demand(s, load->problems);
    if (rc == MFX_OK && load->problems->errors > 0)
        rc = MFX_PERMFAIL;
    return rc;
}

enum mfx_rc
mfx_snapshot_new(const struct mfx_snapshot_load *load,
                 struct mfx_snapshot **snapshot)
{
    struct mfx_snapshot *s = calloc(1, sizeof *s);
    if (s == NULL)
        return MFX_TEMPFAIL;
    atomic_init(&s->holds, 1);
    s->filter = load->filter;
    s->common_file = load->common_file; /* the daemon's, lives as long */
    s->number = load->previous == NULL ? 1 : load->previous->number + 1;
    s->arena = mfx_arena_new(0);
    enum mfx_rc rc = s->arena == NULL ? MFX_TEMPFAIL : fill(s, load);
    if (rc == MFX_OK && !mfx_arena_ok(s->arena))
        rc = MFX_TEMPFAIL;
    if (rc != MFX_OK) {
        if (load->problems->errors == 0)
            mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, "", 0,
                            "configuration: %s", mfx_rc_name(rc));
        mfx_snapshot_release(s);
        return rc;
    }
    const struct mfx_env clock = mfx_env_system();
    s->loaded_wall_s = clock.wall_s(&clock);
    *snapshot = s;
    return MFX_OK;
}

void
mfx_snapshot_begin(const struct mfx_snapshot *s)
{
    if (s->filter->policy_begin != NULL)
        s->filter->policy_begin(s->policy, s->resolver);
}

struct mfx_snapshot *
mfx_snapshot_hold(struct mfx_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->holds, 1, memory_order_relaxed);
    return snapshot;
}

void
mfx_snapshot_release(struct mfx_snapshot *s)
{
    if (s == NULL ||
        atomic_fetch_sub_explicit(&s->holds, 1, memory_order_acq_rel) != 1)
        return;
    if (s->policy != NULL && s->filter->policy_free != NULL)
        s->filter->policy_free(s->policy);
    mfx_host_list_free(s->internal_hosts);
    mfx_resolver_share_release(s->resolver);
    mfx_table_set_free(s->tables);
    mfx_arena_free(s->arena);
    free(s);
}

static bool
are_files_outdated(const struct mfx_snapshot *s)
{
    size_t count = 0;
    struct mfx_file_id now;
    const char *const *files = mfx_config_files(s->config, &count);
    for (size_t i = 0; i < count; i++) {
        identify(files[i], &now);
        if (!mfx_file_id_eq(&now, &s->file_ids[i]))
            return true;
    }
    identify(s->common_file, &now);
    return !mfx_file_id_eq(&now, &s->common_id);
}

bool
mfx_snapshot_is_outdated(const struct mfx_snapshot *s)
{
    return are_files_outdated(s) || mfx_table_set_is_outdated(s->tables) ||
           (s->filter->policy_is_outdated != NULL &&
            s->filter->policy_is_outdated(s->policy));
}

void
mfx_snapshot_compare_restart(const struct mfx_snapshot *a,
                             const struct mfx_snapshot *b,
                             const struct mfx_option *common_options,
                             void (*differs)(const char *name, void *arg),
                             void *arg)
{
    struct mfx_option_set x[2], y[2];
    mfx_snapshot_option_sets(a, common_options, x);
    mfx_snapshot_option_sets(b, common_options, y);
    for (size_t i = 0; i < 2; i++) {
        const struct mfx_option *o = x[i].options;
        for (; o != NULL && o->name != NULL; o++)
            if ((o->flags & MFX_OPTION_RESTART) != 0 &&
                !mfx_option_is_same(o, x[i].settings, y[i].settings))
                differs(o->name, arg);
    }
}

void
mfx_snapshot_slot_init(struct mfx_snapshot_slot *slot)
{
    (void)pthread_mutex_init(&slot->mutex, NULL);
    slot->current = NULL;
}

void
mfx_snapshot_slot_fini(struct mfx_snapshot_slot *slot)
{
    mfx_snapshot_release(slot->current);
    (void)pthread_mutex_destroy(&slot->mutex);
}

struct mfx_snapshot *
mfx_snapshot_slot_get(struct mfx_snapshot_slot *slot)
{
    (void)pthread_mutex_lock(&slot->mutex);
    struct mfx_snapshot *s = mfx_snapshot_hold(slot->current);
    (void)pthread_mutex_unlock(&slot->mutex);
    return s;
}

void
mfx_snapshot_slot_set(struct mfx_snapshot_slot *slot,
                      struct mfx_snapshot *snapshot)
{
    (void)pthread_mutex_lock(&slot->mutex);
    struct mfx_snapshot *old = slot->current;
    slot->current = snapshot;
    (void)pthread_mutex_unlock(&slot->mutex);
    mfx_snapshot_release(old);
}
