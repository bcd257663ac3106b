/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/offline.h>

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <mfx/milter/offline_impl.h>

/* As the daemon finds its files: a relative name from where we stand, and
 * common.conf beside it. */
static enum mfx_rc
find_files(struct mfx_arena *arena, const char *given, const char *name,
           struct mfx_snapshot_load *what)
{
    char folder[PATH_MAX] = "";
    what->file = given;
    if (given == NULL)
        what->file =
            mfx_arena_printf(arena, "%s/%s.conf", MFX_SYSCONFDIR, name).p;
    else if (given[0] != '/' && getcwd(folder, sizeof folder) != NULL)
        what->file = mfx_arena_printf(arena, "%s/%s", folder, given).p;
    if (what->file == NULL || what->file[0] != '/')
        return MFX_TEMPFAIL;
    int len = (int)mfx_str_find_last(mfx_str_of(what->file), '/');
    what->common_file =
        mfx_arena_printf(arena, "%.*s/common.conf", len, what->file).p;
    return mfx_arena_ok(arena) ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
load(struct mfx_offline_whole *whole, const struct mfx_filter *filter,
     const char *file, struct mfx_problems *problems)
{
    whole->arena = mfx_arena_new(0);
    if (whole->arena == NULL)
        return MFX_TEMPFAIL;
    struct mfx_snapshot_load what = {
        .filter = filter,
        .common_options = mfx_common_options(filter->name, whole->arena),
        .problems = problems,
    };
    enum mfx_rc rc =
        find_files(whole->arena, file, mfx_short_name(filter->name), &what);
    return rc == MFX_OK ? mfx_snapshot_new(&what, &whole->snapshot) : rc;
}

enum mfx_rc
mfx_offline_load(const struct mfx_filter *filter, const char *file,
                 struct mfx_problems *problems, struct mfx_offline **loaded)
{
    struct mfx_offline_whole *whole = calloc(1, sizeof *whole);
    if (whole == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = load(whole, filter, file, problems);
    if (rc != MFX_OK) {
        mfx_offline_free(&whole->public);
        return rc;
    }
    const struct mfx_snapshot *s = whole->snapshot;
    whole->public = (struct mfx_offline){
        .settings = s->settings,
        .policy = s->policy,
        .config = s->config,
        .origin = &s->origin,
        .env = s->env,
    };
    *loaded = &whole->public;
    return MFX_OK;
}

void
mfx_offline_free(struct mfx_offline *loaded)
{
    struct mfx_offline_whole *whole =
        (struct mfx_offline_whole *)loaded; /* its first member */
    if (whole == NULL)
        return;
    mfx_snapshot_release(whole->snapshot);
    mfx_arena_free(whole->arena);
    free(whole);
}
