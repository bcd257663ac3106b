/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes: forget what is counted, block, set limits of somebody's own, and
 * take that back. Each is logged with who did it; the answer says how things
 * stand afterwards.
 */
#include "operator_impl.h"

#include <mfx/base/log.h>

#include "reply.h"

enum change_kind {
    CHANGE_RESET,
    CHANGE_BLOCK,
    CHANGE_UNBLOCK,
    CHANGE_SET,
    CHANGE_UNSET,
};

struct change {
    const struct quota_operator *op;
    const struct quota_operator_words *words;
    enum change_kind kind;
    struct mfx_str text; /* the override; empty: none */
    struct operator_matches found;
    size_t done;
};

static void
begin_line(struct mfx_log_line *line, enum change_kind kind)
{
    switch (kind) {
    case CHANGE_RESET:
        mfx_log_begin_daemon(line, "quota_reset");
        return;
    case CHANGE_BLOCK:
        mfx_log_begin_daemon(line, "quota_blocked");
        return;
    case CHANGE_UNBLOCK:
        mfx_log_begin_daemon(line, "quota_unblocked");
        return;
    case CHANGE_SET:
        mfx_log_begin_daemon(line, "quota_limits_set");
        return;
    case CHANGE_UNSET:
        mfx_log_begin_daemon(line, "quota_limits_unset");
        return;
    }
}

static void
log_change(const struct change *c, const struct operator_match *m)
{
    const struct quota_operator_words *w = c->words;
    struct mfx_log_line line;
    begin_line(&line, c->kind);
    mfx_log_add(&line, "rule", m->tally->rule->settings->name);
    mfx_log_add(&line, "key", m->tally->key.text);
    if (w->by.len > 0)
        mfx_log_add(&line, "by", w->by);
    if (c->kind == CHANGE_SET)
        mfx_log_add(&line, "limits", c->text);
    if (w->reason.len > 0)
        mfx_log_add(&line, "reason", w->reason);
    if (w->for_s > 0)
        mfx_log_add_u64(&line, "seconds", w->for_s);
    if (m->before.len > 0)
        mfx_log_add(&line, "before", m->before);
    mfx_log_end(&line, MFX_LOG_INFO);
}

/* --- what is concerned --- */

static bool
is_block(struct mfx_str override)
{
    const struct mfx_str word = MFX_STR("blocked");
    return mfx_str_starts_nocase(override, word) &&
           (override.len == word.len ||
            mfx_ascii_is_wsp((unsigned char) override.p[word.len]));
}

static bool
concerns(const struct change *c, const struct operator_match *m)
{
    switch (c->kind) {
    case CHANGE_RESET:
        return m->is_used;
    case CHANGE_BLOCK:
    case CHANGE_SET:
        return m->is_asked;
    case CHANGE_UNBLOCK:
        return is_block(m->reading.override);
    case CHANGE_UNSET:
        return m->reading.override.len > 0 && !is_block(m->reading.override);
    }
    return false;
}

static const char *
why_none(enum change_kind kind)
{
    switch (kind) {
    case CHANGE_RESET:
        return "nothing is counted under this key";
    case CHANGE_BLOCK:
    case CHANGE_SET:
        return "no rule has limits for this key that could be changed: give "
               "it limits in the configuration first";
    case CHANGE_UNBLOCK:
        return "nobody has blocked this key by mfxctl quota";
    case CHANGE_UNSET:
        return "nobody has set limits for this key by mfxctl quota";
    }
    return "";
}

/* Finds what is meant, and keeps what the change concerns. */
static enum mfx_rc
find_concerned(struct change *c, struct mfx_err *err)
{
    size_t n = 0;
    enum mfx_rc rc =
        operator_find(c->op, c->words, OPERATOR_TO_CHANGE, &c->found, err);
    if (rc == MFX_OK)
        rc = operator_measure(c->op, c->op->store, &c->found, err);
    if (rc != MFX_OK)
        return rc;
    operator_find_sift(&c->found);
    for (size_t i = 0; i < c->found.count; i++)
        if (concerns(c, &c->found.items[i]))
            c->found.items[n++] = c->found.items[i];
    c->found.count = n;
    if (n > 0)
        return MFX_OK;
    mfx_err_set(err, "%s", why_none(c->kind));
    return MFX_NOTFOUND;
}

/* Each rule must be able to read it; numbers that mean messages for one rule
 * and bytes for another are asked back. */
static enum mfx_rc
check_limits(const struct change *c, struct mfx_err *err)
{
    struct quota_limits limits;
    const struct quota_rule_settings *first = NULL;
    for (size_t i = 0; i < c->found.count; i++) {
        const struct quota_rule *rule = c->found.items[i].tally->rule;
        const struct quota_rule_settings *s = rule->settings;
        if (quota_limits_parse(c->text, s->count, rule->zone, &limits, err) !=
            MFX_OK) {
            mfx_err_prefix(err, "rule %.*s", MFX_STR_ARG(s->name));
            return MFX_PERMFAIL;
        }
        bool has_numbers = limits.window_count > 0 ||
                           limits.per_message != MFX_STORE_UNLIMITED;
        first = first == NULL ? s : first;
        if (has_numbers && s->count != first->count) {
            mfx_err_set(err,
                        "rule %.*s counts %s, rule %.*s counts %s: say which "
                        "rule",
                        MFX_STR_ARG(first->name),
                        quota_count_name(first->count), MFX_STR_ARG(s->name),
                        quota_count_name(s->count));
            return MFX_PERMFAIL;
        }
    }
    return MFX_OK;
}

/* Limits would end a block that somebody has set for a reason. */
static enum mfx_rc
check_blocks(const struct change *c, struct mfx_err *err)
{
    for (size_t i = 0; i < c->found.count; i++)
        if (is_block(c->found.items[i].reading.override)) {
            const struct quota_tally *t = c->found.items[i].tally;
            mfx_err_set(err, "rule %.*s: it is blocked; unblock it first",
                        MFX_STR_ARG(t->rule->settings->name));
            return MFX_PERMFAIL;
        }
    return MFX_OK;
}

/* --- carrying it out --- */

/* Another one may set an override at the same time: then it is measured
 * again. */
static enum mfx_rc
reset_one(const struct change *c, struct operator_match *m, struct mfx_err *err)
{
    struct mfx_store_use use;
    struct mfx_store_answer answer = {.outcome = MFX_STORE_OVERRIDDEN};
    struct operator_matches one = {m, 1};
    for (int i = 0; i < 3; i++) {
        enum mfx_rc rc = MFX_TEMPFAIL;
        if (operator_measure_use(c->op, m, &use))
            rc = mfx_store_ask(c->op->store, MFX_STORE_RESET, mfx_str("", 0),
                               &use, 1, 0, c->op->wait_ms, c->op->arena,
                               &answer, err);
        if (rc != MFX_OK || answer.outcome != MFX_STORE_OVERRIDDEN)
            return rc;
        rc = operator_measure(c->op, c->op->store, &one, err);
        if (rc != MFX_OK)
            return rc;
    }
    mfx_err_set(err, "limits are being changed all the time; ask again");
    return MFX_TEMPFAIL;
}

static enum mfx_rc
carry_out(struct change *c, struct mfx_err *err)
{
    for (size_t i = 0; i < c->found.count; i++) {
        struct operator_match *m = &c->found.items[i];
        enum mfx_rc rc = MFX_TEMPFAIL;
        if (c->kind != CHANGE_RESET)
            m->before = m->reading.override;
        if (c->kind == CHANGE_RESET)
            rc = reset_one(c, m, err);
        else
            rc = mfx_store_set_override(c->op->store, m->tally->counter,
                                        c->text, c->words->for_s * 1000,
                                        c->op->wait_ms, err);
        if (rc != MFX_OK) {
            mfx_err_prefix(err, "rule %.*s (%zu of %zu rules done)",
                           MFX_STR_ARG(m->tally->rule->settings->name), i,
                           c->found.count);
            return rc;
        }
        m->is_changed = true;
        log_change(c, m);
    }
    return MFX_OK;
}

static enum mfx_rc
run(struct change *c, json_t *answer, struct mfx_err *err)
{
    json_t *rows = NULL;
    enum mfx_rc rc = find_concerned(c, err);
    if (rc == MFX_OK && (c->kind == CHANGE_SET || c->kind == CHANGE_BLOCK))
        rc = check_limits(c, err);
    if (rc == MFX_OK && c->kind == CHANGE_SET)
        rc = check_blocks(c, err);
    if (rc == MFX_OK)
        rc = carry_out(c, err);
    if (rc == MFX_OK)
        rc = operator_measure(c->op, c->op->store, &c->found, err);
    if (rc == MFX_OK)
        rc = operator_measure_rows(c->op, &c->found, &rows, err);
    if (rows != NULL)
        (void)json_object_set_new(answer, "rules", rows);
    return rc;
}

/* --- verbs --- */

enum mfx_rc
operator_reset(const struct quota_operator *op,
               const struct quota_operator_words *words, json_t *answer,
               struct mfx_err *err)
{
    struct change c = {.op = op, .words = words, .kind = CHANGE_RESET};
    return run(&c, answer, err);
}

enum mfx_rc
operator_block(const struct quota_operator *op,
               const struct quota_operator_words *words, json_t *answer,
               struct mfx_err *err)
{
    struct change c = {.op = op, .words = words, .kind = CHANGE_BLOCK};
    c.text = mfx_arena_printf(op->arena, "blocked%s%.*s",
                              words->reason.len > 0 ? " " : "",
                              MFX_STR_ARG(words->reason));
    return run(&c, answer, err);
}

enum mfx_rc
operator_unblock(const struct quota_operator *op,
                 const struct quota_operator_words *words, json_t *answer,
                 struct mfx_err *err)
{
    struct change c = {.op = op, .words = words, .kind = CHANGE_UNBLOCK};
    return run(&c, answer, err);
}

enum mfx_rc
operator_set(const struct quota_operator *op,
             const struct quota_operator_words *words, json_t *answer,
             struct mfx_err *err)
{
    struct change c = {
        .op = op,
        .words = words,
        .kind = CHANGE_SET,
        .text = mfx_str_trim(words->limits),
    };
    if (is_block(c.text)) {
        mfx_err_set(err, "block is a verb of its own, with a reason");
        return MFX_PERMFAIL;
    }
    return run(&c, answer, err);
}

enum mfx_rc
operator_unset(const struct quota_operator *op,
               const struct quota_operator_words *words, json_t *answer,
               struct mfx_err *err)
{
    struct change c = {.op = op, .words = words, .kind = CHANGE_UNSET};
    return run(&c, answer, err);
}
