/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify_impl.h"

static void
take_failure(struct commands *c, const struct notice *notice,
             const char *reason)
{
    notice_log_failed(notice, "command", reason);
    c->outcome.failed++;
}

static void
ended(void *context, void *arg, const char *why)
{
    struct commands *c = context;
    struct notice *notice = arg;
    if (why == NULL)
        c->outcome.done++;
    else
        take_failure(c, notice, why);
    notice_release(notice);
}

bool
commands_init(struct commands *c, size_t max, uint64_t timeout_ms)
{
    c->timeout_ms = timeout_ms;
    c->programs = mfx_programs_new(max, ended, c);
    return c->programs != NULL;
}

void
commands_start(struct commands *c, struct notice *notice, uint64_t now_ms)
{
    struct mfx_err err = {"out of memory"};
    struct mfx_arena *arena = mfx_arena_new(0);
    char **environment =
        arena != NULL ? notice_environment(notice, arena) : NULL;
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (environment != NULL)
        rc = mfx_programs_start(c->programs, c->argv, environment, notice,
                                now_ms + c->timeout_ms, &err);
    mfx_arena_free(arena);
    if (rc == MFX_OK)
        return;
    take_failure(c, notice, err.msg);
    notice_release(notice);
}
