/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the store says of the counters that were found, and that as JSON.
 */
#include "operator_impl.h"

#include "reply.h"

enum {
    OVERRIDES_MAX = 4, /* changes while it is asked */
    PART = 64,         /* uses in one call */
};

bool
operator_measure_use(const struct quota_operator *op,
                     const struct operator_match *match,
                     struct mfx_store_use *use)
{
    if (!quota_tally_use(match->tally, QUOTA_ASK_RESERVE, 100, op->arena, use))
        return false;
    use->windows = match->tally->limits.windows;
    return true;
}

static enum mfx_rc
learn(const struct quota_operator *op, struct operator_match *match,
      struct mfx_str stands, struct mfx_err *err)
{
    if (mfx_str_eq(stands, match->tally->override))
        return MFX_OK;
    return quota_tally_override(match->tally, stands, op->arena, err);
}

static bool
is_in_use(const struct operator_match *match)
{
    const struct mfx_store_reading *r = &match->reading;
    for (size_t i = 0; i < match->tally->limits.window_count; i++)
        if (r->levels[i].used > 0 || r->levels[i].reserved > 0)
            return true;
    return r->override.len > 0;
}

/* Asks until what is believed of overrides is right. */
static enum mfx_rc
measure_part(const struct quota_operator *op, struct mfx_store *store,
             struct operator_match **part, size_t count, struct mfx_err *err)
{
    struct mfx_store_use uses[PART];
    struct mfx_store_answer answer = {.outcome = MFX_STORE_OVERRIDDEN};
    for (int n = 0; n < OVERRIDES_MAX; n++) {
        size_t asked = 0;
        while (asked < count &&
               operator_measure_use(op, part[asked], &uses[asked]))
            asked++;
        if (asked < count)
            return MFX_TEMPFAIL;
        enum mfx_rc rc =
            mfx_store_ask(store, MFX_STORE_CHECK, mfx_str("", 0), uses, count,
                          0, op->wait_ms, op->arena, &answer, err);
        for (size_t i = 0; rc == MFX_OK && i < count; i++) {
            part[i]->reading = answer.readings[i];
            rc = learn(op, part[i], answer.readings[i].override, err);
        }
        if (rc != MFX_OK)
            return MFX_TEMPFAIL;
        if (answer.outcome != MFX_STORE_OVERRIDDEN)
            return MFX_OK;
    }
    mfx_err_set(err, "limits are being changed all the time; ask again");
    return MFX_TEMPFAIL;
}

enum mfx_rc
operator_measure(const struct quota_operator *op, struct mfx_store *store,
                 struct operator_matches *found, struct mfx_err *err)
{
    struct operator_match *part[PART];
    size_t i = 0;
    if (store == NULL) {
        mfx_err_set(err, "there is no store");
        return MFX_TEMPFAIL;
    }
    while (i < found->count) {
        size_t n = 0, from = i;
        for (; i < found->count && n < PART; i++)
            if (found->items[i].is_asked)
                part[n++] = &found->items[i];
        enum mfx_rc rc =
            n == 0 ? MFX_OK : measure_part(op, store, part, n, err);
        if (rc != MFX_OK)
            return rc;
        for (; from < i; from++)
            found->items[from].is_used = is_in_use(&found->items[from]);
    }
    return MFX_OK;
}

/* --- JSON --- */

json_t *
operator_json_text(struct mfx_str text)
{
    bool is_utf8 = mfx_str_is_utf8(text);
    struct mfx_buf copy;
    mfx_buf_init(&copy, 4 * text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        /* U+0080 to U+009F move a terminal's cursor, too */
        bool is_c1 =
            is_utf8 && c == 0xC2 && (unsigned char)text.p[i + 1] < 0xA0;
        if (is_c1)
            c = (unsigned char)text.p[++i];
        if (c < ' ' || c == 0x7F || is_c1 || (c >= 0x80 && !is_utf8))
            mfx_buf_printf(&copy, "\\x%02x", c);
        else
            mfx_buf_add_byte(&copy, (char)c);
    }
    json_t *j = json_stringn(mfx_buf_text(&copy), copy.len);
    mfx_buf_fini(&copy);
    return j;
}

json_t *
operator_json_u64(uint64_t n)
{
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *
operator_json_time(uint64_t time_s)
{
    struct mfx_buf text;
    mfx_buf_init(&text, 64);
    quota_reply_format_time(time_s, &text);
    json_t *j = json_string(mfx_buf_text(&text));
    mfx_buf_fini(&text);
    return j;
}

json_t *
operator_json_limits(const struct quota_limits *limits)
{
    struct mfx_buf text;
    mfx_buf_init(&text, 1000);
    for (size_t i = 0; i < limits->window_count; i++) {
        if (limits->windows[i].limit == MFX_STORE_UNLIMITED)
            continue;
        mfx_buf_add_text(&text, text.len == 0 ? "" : " ");
        quota_limits_format(&limits->windows[i], &text);
    }
    if (limits->per_message != MFX_STORE_UNLIMITED)
        mfx_buf_printf(&text, "%s%llu/message", text.len == 0 ? "" : " ",
                       (unsigned long long)limits->per_message);
    if (limits->is_blocked) {
        mfx_buf_clear(&text);
        mfx_buf_add_text(&text, "blocked");
    }
    json_t *j = json_string(text.len == 0 ? "unlimited" : mfx_buf_text(&text));
    mfx_buf_fini(&text);
    return j;
}

static json_t *
span_json(const struct mfx_store_window *window)
{
    struct mfx_buf text;
    mfx_buf_init(&text, 100);
    quota_limits_format_span(window, &text);
    json_t *j = json_string(mfx_buf_text(&text));
    mfx_buf_fini(&text);
    return j;
}

static uint64_t
sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void
set_limit(json_t *o, const struct mfx_store_level *level, uint64_t limit,
          uint64_t now_s)
{
    uint64_t all = sum(level->used, level->reserved);
    uint64_t free_s = (level->free_at_ms + 999) / 1000;
    (void)json_object_set_new(o, "limit", operator_json_u64(limit));
    (void)json_object_set_new(o, "full", json_boolean(all >= limit));
    if (limit > 0)
        (void)json_object_set_new(
            o, "percent",
            operator_json_u64((uint64_t)((double)all * 100 / (double)limit)));
    if (all < limit || level->free_at_ms == 0)
        return;
    (void)json_object_set_new(o, "free_at", operator_json_time(free_s));
    (void)json_object_set_new(
        o, "free_in_s", operator_json_u64(free_s > now_s ? free_s - now_s : 0));
}

static json_t *
window_json(const struct mfx_store_window *window,
            const struct mfx_store_level *level, uint64_t now_s)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, "window", span_json(window));
    (void)json_object_set_new(o, "used", operator_json_u64(level->used));
    (void)json_object_set_new(o, "reserved",
                              operator_json_u64(level->reserved));
    if (window->limit == MFX_STORE_UNLIMITED)
        (void)json_object_set_new(o, "limit", json_null());
    else
        set_limit(o, level, window->limit, now_s);
    return o;
}

static void
set_override(json_t *o, const struct operator_match *m)
{
    const struct mfx_store_reading *r = &m->reading;
    if (r->override.len == 0)
        return;
    json_t *override = json_object();
    (void)json_object_set_new(override, "text",
                              operator_json_text(r->override));
    if (r->override_until_ms > 0)
        (void)json_object_set_new(
            override, "until", operator_json_time(r->override_until_ms / 1000));
    if (m->tally->source != QUOTA_LIMITS_OVERRIDE)
        (void)json_object_set_new(override, "ignored", json_true());
    (void)json_object_set_new(o, "override", override);
}

/* --- exemptions --- */

static enum mfx_rc
lists_login(struct mfx_table *table, struct mfx_str login,
            struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    return table == NULL ? MFX_NOTFOUND
                         : mfx_table_get(table, login, arena, &value, err);
}

static enum mfx_rc
lists_client(const struct mfx_host_list *list, struct mfx_str address)
{
    struct mfx_ip ip;
    return mfx_ip_parse(address, &ip) == MFX_OK &&
                   mfx_host_list_has(list, mfx_str("", 0), &ip, NULL)
               ? MFX_OK
               : MFX_NOTFOUND;
}

/* Of one part of a key: MFX_OK, it is exempt from everything, or from the
 * rule. */
static enum mfx_rc
exempts_part(const struct quota_operator *op, const struct quota_tally *t,
             size_t at, bool of_rule, struct mfx_err *err)
{
    const struct quota_policy *p = op->policy;
    const struct quota_rule_settings *s = t->rule->settings;
    struct mfx_str value = t->key.values[at];
    switch (t->key.choice->parts[at]) {
    case QUOTA_PART_LOGIN:
        return lists_login(of_rule ? s->exempt_logins
                                   : p->settings->exempt_logins,
                           value, op->arena, err);
    case QUOTA_PART_CLIENT:
        return lists_client(
            of_rule ? t->rule->exempt_clients : p->exempt_clients, value);
    case QUOTA_PART_RECIPIENT:
        return quota_rule_lists_address(
            of_rule ? s->exempt_recipients : p->settings->exempt_recipients,
            value, op->arena, err);
    case QUOTA_PART_CERTIFICATE:
    case QUOTA_PART_SENDER:
    case QUOTA_PART_SENDER_DOMAIN:
    case QUOTA_PART_FROM_DOMAIN:
    case QUOTA_PART_NETWORK:
    case QUOTA_PART_RECIPIENT_DOMAIN:
    case QUOTA_PART_DAEMON:
    case QUOTA_PART_SITE:
        return MFX_NOTFOUND;
    }
    return MFX_NOTFOUND;
}

static enum mfx_rc
set_exempt(const struct quota_operator *op, const struct operator_match *m,
           json_t *row, struct mfx_err *err)
{
    const struct quota_tally *t = m->tally;
    for (size_t i = 0; i < 2 * t->key.choice->count; i++) {
        enum mfx_rc rc = exempts_part(op, t, i / 2, i % 2 == 1, err);
        if (rc == MFX_OK)
            (void)json_object_set_new(
                row, "exempt",
                json_string(quota_part_name(t->key.choice->parts[i / 2])));
        if (rc != MFX_NOTFOUND)
            return rc;
    }
    return MFX_OK;
}

/* --- rows --- */

static json_t *
row_json(const struct operator_match *m, uint64_t now_s)
{
    const struct quota_tally *t = m->tally;
    json_t *row = json_object(), *windows = json_array();
    (void)json_object_set_new(row, "rule",
                              operator_json_text(t->rule->settings->name));
    (void)json_object_set_new(row, "key", operator_json_text(t->key.text));
    (void)json_object_set_new(
        row, "count", json_string(quota_count_name(t->rule->settings->count)));
    (void)json_object_set_new(
        row, "mode", json_string(t->rule->is_dry ? "dry-run" : "enforce"));
    (void)json_object_set_new(row, "limits", operator_json_limits(&t->limits));
    (void)json_object_set_new(row, "limits_from",
                              json_string(quota_limits_source_name(t->source)));
    (void)json_object_set_new(row, "blocked",
                              json_boolean(t->limits.is_blocked));
    if (t->limits.is_blocked)
        (void)json_object_set_new(row, "reason",
                                  operator_json_text(t->limits.reason));
    set_override(row, m);
    if (m->is_changed)
        (void)json_object_set_new(row, "changed", json_true());
    if (m->is_changed && m->before.len > 0)
        (void)json_object_set_new(row, "before", operator_json_text(m->before));
    for (size_t i = 0; m->is_asked && i < t->limits.window_count; i++)
        (void)json_array_append_new(
            windows,
            window_json(&t->limits.windows[i], &m->reading.levels[i], now_s));
    (void)json_object_set_new(row, "windows", windows);
    return row;
}

enum mfx_rc
operator_measure_rows(const struct quota_operator *op,
                      const struct operator_matches *found, json_t **rows,
                      struct mfx_err *err)
{
    const struct mfx_env *env = &op->policy->shared->env;
    uint64_t now_s = env->wall_s(env);
    enum mfx_rc rc = MFX_OK;
    *rows = json_array();
    for (size_t i = 0; rc == MFX_OK && i < found->count; i++) {
        json_t *row = row_json(&found->items[i], now_s);
        rc = set_exempt(op, &found->items[i], row, err);
        (void)json_array_append_new(*rows, row);
    }
    return rc;
}
