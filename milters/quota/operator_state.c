/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the rules and the store stand.
 */
#include "operator_impl.h"

/* --- rules --- */

static void
set_text(json_t *o, const char *name, struct mfx_str text)
{
    if (text.len > 0)
        (void)json_object_set_new(o, name, operator_json_text(text));
}

static json_t *
counts_json(struct quota_rule_counts *c)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, "fits",
                              operator_json_u64(atomic_load(&c->fitted)));
    (void)json_object_set_new(o, "refused",
                              operator_json_u64(atomic_load(&c->refused)));
    (void)json_object_set_new(o, "would_refuse",
                              operator_json_u64(atomic_load(&c->dry_refused)));
    (void)json_object_set_new(o, "warned",
                              operator_json_u64(atomic_load(&c->warned)));
    return o;
}

static const char *
whose_name(int whose)
{
    static const char *const names[] = {
        [QUOTA_WHOSE_ALL] = "all",
        [QUOTA_WHOSE_OURS] = "ours",
        [QUOTA_WHOSE_FOREIGN] = "foreign",
    };
    return names[whose];
}

static json_t *
rule_json(const struct quota_operator *op, const struct quota_rule *rule)
{
    const struct quota_rule_settings *s = rule->settings;
    json_t *o = json_object();
    set_text(o, "rule", s->name);
    set_text(o, "key", s->key);
    (void)json_object_set_new(o, "count",
                              json_string(quota_count_name(s->count)));
    if (rule->has_limits)
        (void)json_object_set_new(o, "limits",
                                  operator_json_limits(&rule->limits));
    if (s->limits_table != NULL)
        set_text(o, "limits_table", mfx_table_spec(s->limits_table));
    if (s->plans != NULL)
        set_text(o, "plans", mfx_table_spec(s->plans));
    (void)json_object_set_new(o, "whose", json_string(whose_name(s->whose)));
    (void)json_object_set_new(o, "action",
                              json_string(quota_action_name(s->action)));
    (void)json_object_set_new(
        o, "mode", json_string(rule->is_dry ? "dry-run" : "enforce"));
    if (s->warn_at > 0)
        (void)json_object_set_new(o, "warn_at", json_integer(s->warn_at));
    if (op->is_daemon)
        (void)json_object_set_new(o, "counts", counts_json(rule->counts));
    return o;
}

enum mfx_rc
operator_rules(const struct quota_operator *op,
               const struct quota_operator_words *words, json_t *answer,
               struct mfx_err *err)
{
    json_t *rules = json_array();
    size_t n = 0;
    for (size_t i = 0; i < op->policy->rule_count; i++) {
        const struct quota_rule *rule = &op->policy->rules[i];
        if (words->rule.len > 0 &&
            !mfx_str_eq(rule->settings->name, words->rule))
            continue;
        (void)json_array_append_new(rules, rule_json(op, rule));
        n++;
    }
    (void)json_object_set_new(answer, "rules", rules);
    if (n > 0 || words->rule.len == 0)
        return MFX_OK;
    mfx_err_set(err, "there is no rule %.*s",
                MFX_STR_ARG(mfx_str_head(words->rule, 60)));
    return MFX_NOTFOUND;
}

/* --- the store --- */

static const char *
store_error_name(int store_error)
{
    static const char *const names[] = {
        [QUOTA_STORE_ERROR_LOCAL] = "local",
        [QUOTA_STORE_ERROR_ACCEPT] = "accept",
        [QUOTA_STORE_ERROR_TEMPFAIL] = "tempfail",
    };
    return names[store_error];
}

static void
set_health(json_t *o, struct mfx_store *store)
{
    struct mfx_store_health h;
    mfx_store_health(store, &h);
    (void)json_object_set_new(o, "type", json_string(h.kind));
    (void)json_object_set_new(o, "up", json_boolean(h.is_up));
    if (h.since_ms > 0)
        (void)json_object_set_new(o, "since",
                                  operator_json_time(h.since_ms / 1000));
    set_text(o, "where", mfx_str_of(h.where));
    set_text(o, "error", mfx_str_of(h.error));
    (void)json_object_set_new(o, "calls", operator_json_u64(h.calls));
    (void)json_object_set_new(o, "failures", operator_json_u64(h.failures));
    (void)json_object_set_new(o, "outstanding",
                              operator_json_u64(h.outstanding));
    (void)json_object_set_new(o, "reconnects", operator_json_u64(h.reconnects));
    (void)json_object_set_new(o, "failovers", operator_json_u64(h.failovers));
    (void)json_object_set_new(o, "counters", operator_json_u64(h.counters));
    (void)json_object_set_new(o, "memory_bytes",
                              operator_json_u64(h.memory_bytes));
    (void)json_object_set_new(o, "file_bytes", operator_json_u64(h.file_bytes));
}

static json_t *
merge_json(struct quota_merge *merge)
{
    struct quota_merge_counts c = quota_merge_counts(merge);
    json_t *o = json_object();
    (void)json_object_set_new(o, "waiting", operator_json_u64(c.waiting));
    (void)json_object_set_new(o, "merged", operator_json_u64(c.merged));
    (void)json_object_set_new(o, "dropped", operator_json_u64(c.dropped));
    return o;
}

static json_t *
notify_json(struct quota_notify *notify)
{
    struct quota_notify_counts c = quota_notify_counts(notify);
    json_t *o = json_object();
    (void)json_object_set_new(o, "told", operator_json_u64(c.told));
    (void)json_object_set_new(o, "failed", operator_json_u64(c.failed));
    (void)json_object_set_new(o, "dropped", operator_json_u64(c.dropped));
    (void)json_object_set_new(o, "coalesced", operator_json_u64(c.coalesced));
    (void)json_object_set_new(o, "waiting", operator_json_u64(c.waiting));
    return o;
}

static void
set_daemon_state(json_t *answer, struct quota_shared *s)
{
    json_t *away = json_object();
    (void)json_object_set_new(away, "local",
                              operator_json_u64(atomic_load(&s->local)));
    (void)json_object_set_new(away, "unlimited",
                              operator_json_u64(atomic_load(&s->uncounted)));
    (void)json_object_set_new(
        away, "timeouts", operator_json_u64(atomic_load(&s->store_timeouts)));
    (void)json_object_set_new(answer, "away", away);
    if (s->merge != NULL)
        (void)json_object_set_new(answer, "merge", merge_json(s->merge));
    if (s->notify != NULL)
        (void)json_object_set_new(answer, "notify", notify_json(s->notify));
}

enum mfx_rc
operator_store(const struct quota_operator *op,
               const struct quota_operator_words *words, json_t *answer,
               struct mfx_err *err)
{
    json_t *store = json_object();
    (void)words;
    (void)err;
    if (op->store != NULL)
        set_health(store, op->store);
    else
        (void)json_object_set_new(store, "up", json_false());
    (void)json_object_set_new(answer, "store", store);
    (void)json_object_set_new(
        answer, "store_error",
        json_string(store_error_name(op->policy->settings->store_error)));
    if (op->is_daemon)
        set_daemon_state(answer, op->policy->shared);
    return MFX_OK;
}
