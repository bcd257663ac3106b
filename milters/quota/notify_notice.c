/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/clock.h>
#include <mfx/base/log.h>

#include "notify_impl.h"

enum {
    HOST_MAX = 256,
};

/* With its NUL. */
static size_t
room(struct mfx_str s)
{
    return 1 + (s.len < MFX_PROGRAM_VALUE_MAX ? s.len : MFX_PROGRAM_VALUE_MAX);
}

/* To *to, which moves on. */
static struct mfx_str
copy_clean(struct mfx_str from, char **to)
{
    char *out = *to;
    size_t len = mfx_program_value(from, out);
    *to = out + len + 1;
    return mfx_str(out, len);
}

struct notice *
notice_new(const struct quota_notice *said)
{
    const struct mfx_str event = mfx_str_of(said->event);
    const struct mfx_str count = mfx_str_of(said->count);
    size_t len = room(event) + room(count) + room(said->rule) +
                 room(said->key) + room(said->window) + room(said->queue_id) +
                 room(said->sender);
    struct notice *n = malloc(sizeof *n + len);
    if (n == NULL)
        return NULL;
    char *at = (char *)(n + 1);
    atomic_init(&n->holds, 1);
    n->time_s = (uint64_t)time(NULL);
    n->said = (struct quota_notice){
        .event = copy_clean(event, &at).p,
        .rule = copy_clean(said->rule, &at),
        .key = copy_clean(said->key, &at),
        .count = copy_clean(count, &at).p,
        .used = said->used,
        .limit = said->limit,
        .window = copy_clean(said->window, &at),
        .free_at_s = said->free_at_s,
        .queue_id = copy_clean(said->queue_id, &at),
        .sender = copy_clean(said->sender, &at),
        .is_dry = said->is_dry,
    };
    return n;
}

struct notice *
notice_hold(struct notice *notice)
{
    (void)atomic_fetch_add(&notice->holds, 1);
    return notice;
}

void
notice_release(struct notice *notice)
{
    if (notice != NULL && atomic_fetch_sub(&notice->holds, 1) == 1)
        free(notice);
}

static const char *
host_name(char out[HOST_MAX])
{
    out[0] = '\0';
    (void)gethostname(out, HOST_MAX - 1);
    out[HOST_MAX - 1] = '\0';
    return out;
}

static const char *
mode_name(const struct quota_notice *n)
{
    return n->is_dry ? "dry-run" : "enforce";
}

char **
notice_environment(const struct notice *notice, struct mfx_arena *arena)
{
    enum {
        VARIABLES = 14,
    };
    const struct quota_notice *n = &notice->said;
    char free_at[MFX_CLOCK_TEXT], now[MFX_CLOCK_TEXT], host[HOST_MAX];
    char **env = mfx_arena_alloc_array(arena, VARIABLES + 1, sizeof *env);
    if (env == NULL)
        return NULL;
    const struct mfx_str lines[VARIABLES] = {
        mfx_arena_printf(arena, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                                "/usr/bin:/sbin:/bin"),
        mfx_arena_printf(arena, "MFX_EVENT=%s", n->event),
        mfx_arena_printf(arena, "MFX_RULE=%s", n->rule.p),
        mfx_arena_printf(arena, "MFX_KEY=%s", n->key.p),
        mfx_arena_printf(arena, "MFX_COUNT=%s", n->count),
        mfx_arena_printf(arena, "MFX_USED=%llu", (unsigned long long)n->used),
        mfx_arena_printf(arena, "MFX_LIMIT=%llu", (unsigned long long)n->limit),
        mfx_arena_printf(arena, "MFX_WINDOW=%s", n->window.p),
        mfx_arena_printf(arena, "MFX_FREE_AT=%s",
                         mfx_clock_text(n->free_at_s, free_at)),
        mfx_arena_printf(arena, "MFX_QUEUE_ID=%s", n->queue_id.p),
        mfx_arena_printf(arena, "MFX_SENDER=%s", n->sender.p),
        mfx_arena_printf(arena, "MFX_MODE=%s", mode_name(n)),
        mfx_arena_printf(arena, "MFX_HOST=%s", host_name(host)),
        mfx_arena_printf(arena, "MFX_TIME=%s",
                         mfx_clock_text(notice->time_s, now)),
    };
    for (size_t i = 0; i < VARIABLES; i++)
        env[i] = (char *)lines[i].p;
    return mfx_arena_ok(arena) ? env : NULL;
}

char *
notice_json(const struct notice *notice)
{
    const struct quota_notice *n = &notice->said;
    char free_at[MFX_CLOCK_TEXT], now[MFX_CLOCK_TEXT], host[HOST_MAX];
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
        "event", n->event, "rule", n->rule.p, "key", n->key.p, "count",
        n->count, "used", (json_int_t)n->used, "limit", (json_int_t)n->limit,
        "window", n->window.p, "free_at", mfx_clock_text(n->free_at_s, free_at),
        "queue_id", n->queue_id.p, "sender", n->sender.p, "mode", mode_name(n),
        "host", host_name(host), "time", mfx_clock_text(notice->time_s, now));
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

void
notice_log_failed(const struct notice *notice, const char *what,
                  const char *reason)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "notify_failed");
    mfx_log_add_text(&line, "what", what);
    mfx_log_add_text(&line, "event", notice->said.event);
    mfx_log_add(&line, "rule", notice->said.rule);
    mfx_log_add(&line, "key", notice->said.key);
    mfx_log_add_text(&line, "reason", reason);
    mfx_log_end(&line, MFX_LOG_WARNING);
}
