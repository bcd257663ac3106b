/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/log.h>

#include "notify_impl.h"

enum {
    VALUE_MAX = 1000,
    TIME_MAX = 32,
    HOST_MAX = 256,
};

/* At most VALUE_MAX bytes, no character cut in two. */
static struct mfx_str
cut(struct mfx_str s)
{
    if (s.len <= VALUE_MAX)
        return s;
    size_t len = VALUE_MAX;
    while (len > VALUE_MAX - 4 && ((unsigned char)s.p[len] & 0xC0) == 0x80)
        len--;
    return mfx_str_head(s, len);
}

/* Copies to *to, which moves on; a NUL behind it. */
static struct mfx_str
copy_clean(struct mfx_str from, char **to)
{
    struct mfx_str s = cut(from);
    bool is_utf8 = mfx_str_is_utf8(s);
    char *out = *to;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_bad = c < ' ' || c == 0x7F || (c >= 0x80 && !is_utf8);
        out[i] = is_bad ? '?' : s.p[i];
    }
    out[s.len] = '\0';
    *to = out + s.len + 1;
    return mfx_str(out, s.len);
}

struct notice *
notice_new(const struct quota_notice *said)
{
    const struct mfx_str event = mfx_str_of(said->event);
    const struct mfx_str count = mfx_str_of(said->count);
    size_t len = cut(event).len + cut(count).len + cut(said->rule).len +
                 cut(said->key).len + cut(said->window).len +
                 cut(said->queue_id).len + cut(said->sender).len + 7;
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

/* "" for a time that is not known. */
static const char *
format_time(uint64_t at_s, char out[TIME_MAX])
{
    time_t at = (time_t)at_s;
    struct tm utc;
    if (at_s == 0 || gmtime_r(&at, &utc) == NULL ||
        strftime(out, TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        out[0] = '\0';
    return out;
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
    char free_at[TIME_MAX], now[TIME_MAX], host[HOST_MAX];
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
                         format_time(n->free_at_s, free_at)),
        mfx_arena_printf(arena, "MFX_QUEUE_ID=%s", n->queue_id.p),
        mfx_arena_printf(arena, "MFX_SENDER=%s", n->sender.p),
        mfx_arena_printf(arena, "MFX_MODE=%s", mode_name(n)),
        mfx_arena_printf(arena, "MFX_HOST=%s", host_name(host)),
        mfx_arena_printf(arena, "MFX_TIME=%s",
                         format_time(notice->time_s, now)),
    };
    for (size_t i = 0; i < VARIABLES; i++)
        env[i] = (char *)lines[i].p;
    return mfx_arena_ok(arena) ? env : NULL;
}

char *
notice_json(const struct notice *notice)
{
    const struct quota_notice *n = &notice->said;
    char free_at[TIME_MAX], now[TIME_MAX], host[HOST_MAX];
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
        "event", n->event, "rule", n->rule.p, "key", n->key.p, "count",
        n->count, "used", (json_int_t)n->used, "limit", (json_int_t)n->limit,
        "window", n->window.p, "free_at", format_time(n->free_at_s, free_at),
        "queue_id", n->queue_id.p, "sender", n->sender.p, "mode", mode_name(n),
        "host", host_name(host), "time", format_time(notice->time_s, now));
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
