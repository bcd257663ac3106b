/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <inttypes.h>

#include <mfx/base/clock.h>
#include <mfx/policy/reply_text.h>

static const char *const default_texts[] = {
    [QUOTA_FULL] = "$used of $limit $count used in $window; try again in "
                   "$free_in",
    [QUOTA_BLOCKED] = "sending is blocked$reason",
    [QUOTA_TOO_MANY_RECIPIENTS] = "too many recipients, at most $limit in one "
                                  "message",
    [QUOTA_TOO_LARGE] = "message is larger than $limit bytes",
    [QUOTA_STORE_FAILED] = "quota cannot be checked now",
    [QUOTA_FITS] = "",
};

void
quota_reply_format_duration(uint64_t s, struct mfx_buf *out)
{
    if (s >= 86400)
        mfx_buf_printf(out, "%" PRIu64 "d %" PRIu64 "h", s / 86400,
                       s % 86400 / 3600);
    else if (s >= 3600)
        mfx_buf_printf(out, "%" PRIu64 "h %" PRIu64 "m", s / 3600,
                       s % 3600 / 60);
    else if (s >= 60)
        mfx_buf_printf(out, "%" PRIu64 "m", (s + 59) / 60);
    else
        mfx_buf_printf(out, "%" PRIu64 "s", s);
}

void
quota_reply_format_time(uint64_t s, struct mfx_buf *out)
{
    char text[MFX_CLOCK_TEXT];
    mfx_buf_add_text(out, mfx_clock_text(s, text));
}

struct variables {
    const struct mfx_message *m;
    const struct quota_refusal *r;
    uint64_t now_s;
};

static bool
is_full(const struct variables *v)
{
    return v->r->kind == QUOTA_FULL;
}

/* By all, this message's other recipients included. */
static uint64_t
used_of(const struct quota_refusal *r)
{
    const struct quota_want *held = &r->tally->held;
    return r->level.used + r->level.reserved +
           (r->tally->elements == NULL ? held->amount : held->elements);
}

static void
put_used(const struct variables *v, struct mfx_buf *out)
{
    mfx_buf_printf(out, "%" PRIu64, is_full(v) ? used_of(v->r) : v->r->used);
}

static void
put_limit(const struct variables *v, struct mfx_buf *out)
{
    mfx_buf_printf(out, "%" PRIu64,
                   is_full(v) ? v->r->window->limit : v->r->limit);
}

static void
put_window(const struct variables *v, struct mfx_buf *out)
{
    if (is_full(v))
        quota_limits_format_span(v->r->window, out);
    else
        mfx_buf_add_text(out, "message");
}

/* Rounded up: who comes back then gets through. */
static uint64_t
free_at_s(const struct variables *v)
{
    uint64_t at_s = is_full(v) ? (v->r->level.free_at_ms + 999) / 1000 : 0;
    return at_s < v->now_s ? v->now_s : at_s;
}

static void
put_free_in(const struct variables *v, struct mfx_buf *out)
{
    quota_reply_format_duration(free_at_s(v) - v->now_s, out);
}

static void
put_free_at(const struct variables *v, struct mfx_buf *out)
{
    quota_reply_format_time(free_at_s(v), out);
}

static void
put_rule(const struct variables *v, struct mfx_buf *out)
{
    if (v->r->tally != NULL)
        mfx_buf_add(out, v->r->tally->rule->settings->name);
}

static void
put_key(const struct variables *v, struct mfx_buf *out)
{
    if (v->r->tally != NULL)
        mfx_buf_add(out, v->r->tally->key.joined);
}

static void
put_count(const struct variables *v, struct mfx_buf *out)
{
    struct mfx_str word =
        mfx_str_of(v->r->tally == NULL
                       ? ""
                       : quota_count_name(v->r->tally->rule->settings->count));
    for (size_t i = 0; i < word.len; i++)
        mfx_buf_add_byte(out, word.p[i] == '_' ? ' ' : word.p[i]);
}

static void
put_queue_id(const struct variables *v, struct mfx_buf *out)
{
    mfx_buf_add(out, v->m->queue_id);
}

static void
put_reason(const struct variables *v, struct mfx_buf *out)
{
    struct mfx_str reason =
        v->r->tally == NULL ? mfx_str("", 0) : v->r->tally->limits.reason;
    if (reason.len > 0) {
        mfx_buf_add_text(out, ": ");
        mfx_buf_add(out, reason);
    }
}

static const struct {
    const char *name;
    void (*put)(const struct variables *v, struct mfx_buf *out);
} names[] = {
    {"used",     put_used    },
    {"limit",    put_limit   },
    {"window",   put_window  },
    {"free_in",  put_free_in },
    {"free_at",  put_free_at },
    {"rule",     put_rule    },
    {"key",      put_key     },
    {"count",    put_count   },
    {"queue_id", put_queue_id},
    {"reason",   put_reason  },
};

static bool
put_variable(const void *arg, struct mfx_str name, struct mfx_buf *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mfx_str_is(name, names[i].name)) {
            names[i].put(arg, out);
            return true;
        }
    return false;
}

struct mfx_str
quota_reply_expand(struct mfx_str text, const struct mfx_message *m,
                   const struct quota_refusal *r, uint64_t now_s)
{
    const struct variables v = {m, r, now_s};
    return mfx_reply_text_expand(text, put_variable, &v, m->arena);
}

static struct mfx_str
reply_text(const struct mfx_message *m, const struct quota_refusal *r,
           uint64_t now_s)
{
    struct mfx_str own =
        r->tally == NULL ? mfx_str("", 0) : r->tally->rule->settings->text;
    bool is_own =
        own.len > 0 && (r->kind == QUOTA_FULL || r->kind == QUOTA_BLOCKED);
    return quota_reply_expand(is_own ? own : mfx_str_of(default_texts[r->kind]),
                              m, r, now_s);
}

struct code {
    unsigned code;
    const char *enhanced;
};

static struct code
code_of(const struct quota_refusal *r)
{
    const struct quota_rule *rule = r->tally == NULL ? NULL : r->tally->rule;
    if (r->kind == QUOTA_STORE_FAILED || rule == NULL)
        return (struct code){451, "4.3.0"};
    if (r->kind == QUOTA_TOO_MANY_RECIPIENTS)
        return (struct code){452, "4.5.3"};
    if (r->kind == QUOTA_TOO_LARGE)
        return (struct code){552, "5.3.4"};
    if (rule->code != 0)
        return (struct code){rule->code, rule->enhanced.p};
    if (rule->when <= QUOTA_AT_MAIL)
        return (struct code){421, "4.7.0"};
    if (rule->settings->action == QUOTA_ACTION_REJECT)
        return (struct code){550, "5.7.1"};
    return (struct code){451, "4.7.1"};
}

/* "over_quota: daily login=me: 500 of 500 in 1d". */
static const char *
reason_of(const struct mfx_message *m, const struct quota_refusal *r,
          uint64_t now_s)
{
    static const char *const words[] = {
        [QUOTA_FITS] = "",
        [QUOTA_FULL] = "over quota: $rule: $used of $limit $count in $window",
        [QUOTA_BLOCKED] = "blocked: $rule$reason",
        [QUOTA_TOO_MANY_RECIPIENTS] =
            ("$rule: above $limit recipients in one message"),
        [QUOTA_TOO_LARGE] = "$rule: $used bytes, above $limit in one message",
        [QUOTA_STORE_FAILED] = "the store does not answer",
    };
    struct mfx_str text =
        quota_reply_expand(mfx_str_of(words[r->kind]), m, r, now_s);
    const char *copy = mfx_arena_copy(m->arena, text).p;
    return copy == NULL ? words[r->kind] : copy;
}

void
quota_reply_refuse(struct mfx_message *m, const struct quota_refusal *r,
                   uint64_t now_s)
{
    const char *reason = reason_of(m, r, now_s);
    struct mfx_str text = reply_text(m, r, now_s);
    struct code c = code_of(r);
    int action = r->tally == NULL ? QUOTA_ACTION_TEMPFAIL
                                  : r->tally->rule->settings->action;
    if (r->tally != NULL) {
        mfx_fact(m->decision, "rule", r->tally->rule->settings->name);
        mfx_fact(m->decision, "key", r->tally->key.text);
    }
    if (r->kind != QUOTA_STORE_FAILED && action == QUOTA_ACTION_HOLD)
        mfx_decide_hold(m->decision, reason);
    else if (r->kind != QUOTA_STORE_FAILED && action == QUOTA_ACTION_DISCARD)
        mfx_decide_discard(m->decision, reason);
    else if (c.code >= 500)
        mfx_decide_reject(m->decision, c.code, c.enhanced, text, reason);
    else
        mfx_decide_tempfail(m->decision, c.code, c.enhanced, text, reason);
}
