/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is nearest to a limit: the store is walked in chunks, a page takes a quarter
 * of a second and says where the next one begins.
 */
#include "operator_best.h"
#include "operator_impl.h"

enum {
    PAGE_MS = 250,
    /* A store does nothing else while it lists: mail is not to wait for it. */
    CHUNK_MIN = 10,
    CHUNK_FIRST = 40,
    CHUNK_MAX = 500,
    SHORT_MS = 3,
    LONG_MS = 10,
};

struct walk {
    const struct quota_operator *op;
    struct quota_operator_best *best;
    struct mfx_arena *arena; /* emptied after each chunk */
    const struct quota_rule *latest;
    uint64_t scanned;
    size_t chunk;
};

/* Counters come rule by rule, more or less. */
static const struct quota_rule *
rule_of(struct walk *w, struct mfx_str name)
{
    const struct quota_policy *p = w->op->policy;
    if (w->latest != NULL && mfx_str_eq(w->latest->settings->name, name))
        return w->latest;
    for (size_t i = 0; i < p->rule_count; i++)
        if (mfx_str_eq(p->rules[i].settings->name, name)) {
            w->latest = &p->rules[i];
            return w->latest;
        }
    return NULL;
}

/* False for a key that is of none of the rule's kinds, or a digest. */
static bool
remake_key(const struct quota_rule *rule, struct mfx_str text,
           struct mfx_arena *arena, struct quota_made_key *made)
{
    for (size_t i = 0; i < rule->key.count; i++)
        if (quota_key_of_words(&rule->key.choices[i], text,
                               (unsigned)rule->settings->ipv4_prefix,
                               (unsigned)rule->settings->ipv6_prefix, arena,
                               made) &&
            mfx_str_eq(made->text, text))
            return true;
    return false;
}

/* Most rows need no look-up. */
static enum mfx_rc
limits_of(const struct walk *w, const struct quota_rule *rule,
          struct mfx_str key, struct mfx_str override,
          struct quota_limits *limits, struct mfx_err *err)
{
    struct quota_made_key made;
    enum quota_limits_source source;
    *limits = rule->limits;
    if (override.len == 0 && rule->settings->limits_table == NULL)
        return MFX_OK;
    if (remake_key(rule, key, w->arena, &made))
        return quota_rule_limits(rule, &made, override, w->arena, limits,
                                 &source, err);
    if (override.len > 0 &&
        quota_limits_parse(override, rule->settings->count, rule->zone, limits,
                           NULL) != MFX_OK)
        *limits = rule->limits;
    return MFX_OK;
}

static uint64_t
used_in(const struct mfx_store_row *row, const struct mfx_store_window *window)
{
    for (size_t i = 0; i < row->window_count; i++)
        if (row->windows[i].shape == window->shape &&
            row->windows[i].span_ms == window->span_ms)
            return row->windows[i].used;
    return 0;
}

/* The window of which the largest share is used; NULL: none is limited. */
static const struct mfx_store_window *
fullest(const struct mfx_store_row *row, const struct quota_limits *limits,
        double *share, uint64_t *used)
{
    const struct mfx_store_window *found = NULL;
    for (size_t i = 0; i < limits->window_count; i++) {
        const struct mfx_store_window *window = &limits->windows[i];
        uint64_t n = used_in(row, window) + row->reserved;
        double part = window->limit == 0 ? (n > 0 ? 1 : 0)
                                         : (double)n / (double)window->limit;
        if (window->limit == MFX_STORE_UNLIMITED ||
            (found != NULL && part <= *share))
            continue;
        found = window;
        *share = part;
        *used = n;
    }
    return found;
}

static json_t *
row_json(const struct quota_rule *rule, struct mfx_str key,
         const struct mfx_store_row *row, const struct quota_limits *limits,
         const struct mfx_store_window *window, double share, uint64_t used)
{
    json_t *o = json_object();
    struct mfx_buf span;
    mfx_buf_init(&span, 100);
    quota_limits_format_span(window, &span);
    (void)json_object_set_new(o, "rule",
                              operator_json_text(rule->settings->name));
    (void)json_object_set_new(o, "key", operator_json_text(key));
    (void)json_object_set_new(
        o, "count", json_string(quota_count_name(rule->settings->count)));
    (void)json_object_set_new(o, "window", json_string(mfx_buf_text(&span)));
    (void)json_object_set_new(o, "used",
                              operator_json_u64(used - row->reserved));
    (void)json_object_set_new(o, "reserved", operator_json_u64(row->reserved));
    (void)json_object_set_new(o, "limit", operator_json_u64(window->limit));
    (void)json_object_set_new(o, "share", json_real(share));
    (void)json_object_set_new(o, "blocked", json_boolean(limits->is_blocked));
    if (row->override.len > 0)
        (void)json_object_set_new(o, "override",
                                  operator_json_text(row->override));
    mfx_buf_fini(&span);
    return o;
}

static enum mfx_rc
look_at(struct walk *w, const struct mfx_store_row *row, struct mfx_err *err)
{
    struct quota_limits limits;
    double share = 0;
    uint64_t used = 0;
    size_t slash = mfx_str_find(row->counter, '/');
    struct mfx_str key = mfx_str_from(row->counter, slash + 1);
    const struct quota_rule *rule =
        rule_of(w, mfx_str_head(row->counter, slash));
    w->scanned++;
    if (rule == NULL || key.len == 0)
        return MFX_OK;
    enum mfx_rc rc = limits_of(w, rule, key, row->override, &limits, err);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    const struct mfx_store_window *window =
        fullest(row, &limits, &share, &used);
    if (window == NULL || used == 0 ||
        !quota_operator_best_wants(w->best, share, used))
        return MFX_OK;
    json_t *o = row_json(rule, key, row, &limits, window, share, used);
    if (o != NULL)
        quota_operator_best_add(w->best, share, used, o);
    return MFX_OK;
}

static void
fit_chunk(struct walk *w, uint64_t took_ms)
{
    if (took_ms > LONG_MS && w->chunk > CHUNK_MIN)
        w->chunk /= 2;
    else if (took_ms < SHORT_MS && w->chunk < CHUNK_MAX)
        w->chunk *= 2;
}

/* The cursor is kept in a buffer of its own: the arena is emptied. */
static enum mfx_rc
take_chunk(struct walk *w, struct mfx_str prefix, struct mfx_buf *cursor,
           struct mfx_err *err)
{
    struct mfx_store_row *rows;
    size_t count;
    struct mfx_str at = mfx_buf_str(cursor);
    uint64_t began_ms = mfx_mono_ms();
    enum mfx_rc rc =
        mfx_store_list(w->op->store, prefix, w->chunk, &at, w->op->wait_ms,
                       w->arena, &rows, &count, err);
    fit_chunk(w, mfx_mono_ms() - began_ms);
    for (size_t i = 0; rc == MFX_OK && i < count; i++)
        rc = look_at(w, &rows[i], err);
    mfx_buf_clear(cursor);
    mfx_buf_add(cursor, at);
    mfx_arena_reset(w->arena);
    return rc == MFX_OK && !mfx_buf_ok(cursor) ? MFX_TEMPFAIL : rc;
}

static enum mfx_rc
walk_page(struct walk *w, struct mfx_str prefix, struct mfx_buf *cursor,
          struct mfx_err *err)
{
    uint64_t until_ms = mfx_mono_ms() + PAGE_MS;
    enum mfx_rc rc = MFX_TEMPFAIL;
    do
        rc = take_chunk(w, prefix, cursor, err);
    while (rc == MFX_OK && cursor->len > 0 && mfx_mono_ms() < until_ms);
    return rc;
}

static void
answer_page(const struct walk *w, const struct mfx_buf *cursor, json_t *answer)
{
    struct mfx_buf after;
    (void)json_object_set_new(answer, "keys",
                              quota_operator_best_take(w->best));
    (void)json_object_set_new(answer, "scanned", operator_json_u64(w->scanned));
    if (cursor->len == 0)
        return;
    mfx_buf_init(&after, 3 * cursor->len);
    quota_operator_words_encode(mfx_buf_str(cursor), &after);
    (void)json_object_set_new(answer, "after",
                              json_string(mfx_buf_text(&after)));
    mfx_buf_fini(&after);
}

static enum mfx_rc
walk_store(struct walk *w, const struct quota_operator_words *words,
           json_t *answer, struct mfx_err *err)
{
    struct mfx_buf cursor;
    struct mfx_str prefix = words->rule;
    if (prefix.len > 0 && rule_of(w, prefix) == NULL) {
        mfx_err_set(err, "there is no rule %.*s",
                    MFX_STR_ARG(mfx_str_head(prefix, 60)));
        return MFX_NOTFOUND;
    }
    if (prefix.len > 0)
        prefix = mfx_arena_printf(w->op->arena, "%.*s/", MFX_STR_ARG(prefix));
    mfx_buf_init(&cursor, 4096);
    mfx_buf_add(&cursor, words->after);
    enum mfx_rc rc = walk_page(w, prefix, &cursor, err);
    if (rc == MFX_OK)
        answer_page(w, &cursor, answer);
    mfx_buf_fini(&cursor);
    return rc;
}

enum mfx_rc
operator_top(const struct quota_operator *op,
             const struct quota_operator_words *words, json_t *answer,
             struct mfx_err *err)
{
    struct walk w = {
        .op = op,
        .best = quota_operator_best_new((size_t)words->count),
        .arena = mfx_arena_new(0),
        .chunk = CHUNK_FIRST,
    };
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (op->store == NULL)
        mfx_err_set(err, "there is no store");
    else if (w.best == NULL || w.arena == NULL)
        mfx_err_set(err, "out of memory");
    else
        rc = walk_store(&w, words, answer, err);
    quota_operator_best_free(w.best);
    mfx_arena_free(w.arena);
    return rc;
}
