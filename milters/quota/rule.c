/* SPDX-License-Identifier: BSD-2-Clause */
#include "rule.h"

#include <stdio.h>

#include <mfx/policy/domain_list.h>
#include <mfx/policy/reply_text.h>

enum {
    NAME_MAX_LEN = 40,
};

static void complain(const struct quota_rule *rule,
                     const struct mfx_policy_build *build, const char *setting,
                     const char *format, ...) MFX_PRINTF(4, 5);

static const char *
place_of(const struct quota_rule *rule, const struct mfx_policy_build *build,
         const char *setting, unsigned *line)
{
    char where[80];
    (void)snprintf(where, sizeof where, "rules[%zu].%s", rule->index, setting);
    const char *file = mfx_config_where(build->config, where, line);
    if (file != NULL)
        return file;
    (void)snprintf(where, sizeof where, "rules[%zu]", rule->index);
    file = mfx_config_where(build->config, where, line);
    return file == NULL ? "" : file;
}

static void
complain(const struct quota_rule *rule, const struct mfx_policy_build *build,
         const char *setting, const char *format, ...)
{
    unsigned line = 0;
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(build->arena, format, args);
    va_end(args);
    const char *file = place_of(rule, build, setting, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, file, line, "%s: %s",
                    setting, text.p == NULL ? "out of memory" : text.p);
}

static void
check_name(const struct quota_rule *rule, const struct mfx_policy_build *build)
{
    struct mfx_str name = rule->settings->name;
    bool is_good = name.len > 0 && name.len <= NAME_MAX_LEN;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        is_good = is_good && (mfx_ascii_is_digit(c) || c == '-' || c == '_' ||
                              (c >= 'a' && c <= 'z'));
    }
    if (!is_good)
        complain(rule, build, "name",
                 "\"%.*s\" is to be 1 to %d lower-case letters, digits, '-' "
                 "and '_'",
                 MFX_STR_ARG(name), NAME_MAX_LEN);
}

static enum quota_when
when_of(const struct quota_rule *rule)
{
    const struct quota_rule_settings *s = rule->settings;
    if (s->count == QUOTA_COUNT_CONNECTIONS ||
        s->count == QUOTA_COUNT_OPEN_CONNECTIONS)
        return quota_key_is_of_connection(&rule->key) &&
                       s->whose == QUOTA_WHOSE_ALL
                   ? QUOTA_AT_CONNECT
                   : QUOTA_AT_MAIL;
    if (quota_key_has(&rule->key, QUOTA_PART_FROM_DOMAIN) ||
        s->action == QUOTA_ACTION_HOLD || s->action == QUOTA_ACTION_DISCARD)
        return QUOTA_AT_END;
    return QUOTA_AT_RCPT;
}

static void
check_key(struct quota_rule *rule, const struct mfx_policy_build *build)
{
    struct mfx_err err = {""};
    const struct quota_rule_settings *s = rule->settings;
    if (quota_key_parse(s->key, &rule->key, &err) != MFX_OK) {
        complain(rule, build, "key", "%s", err.msg);
        return;
    }
    rule->when = when_of(rule);
    bool is_of_connections = rule->when <= QUOTA_AT_MAIL;
    if (is_of_connections &&
        (quota_key_has(&rule->key, QUOTA_PART_FROM_DOMAIN) ||
         quota_key_has(&rule->key, QUOTA_PART_RECIPIENT) ||
         quota_key_has(&rule->key, QUOTA_PART_RECIPIENT_DOMAIN)))
        complain(rule, build, "key",
                 "connections have no recipient and no From");
    if (is_of_connections &&
        (s->action == QUOTA_ACTION_HOLD || s->action == QUOTA_ACTION_DISCARD))
        complain(rule, build, "action",
                 "connections can be refused, not held or discarded");
    if (s->count == QUOTA_COUNT_REFUSED_RECIPIENTS &&
        (rule->when == QUOTA_AT_END ||
         quota_key_has(&rule->key, QUOTA_PART_RECIPIENT)))
        complain(rule, build, "count",
                 "refused_recipients can only tempfail or reject, for a key "
                 "that is known at MAIL");
}

struct walk {
    struct quota_rule *rule;
    const struct mfx_policy_build *build;
    struct mfx_table *table;
    const char *setting;
    bool is_plans;
};

/* "sqlite:..." and the like cannot be walked, nor can their rows be checked
 * before they are asked for. */
static bool
is_live(struct mfx_table *table)
{
    struct mfx_str type = mfx_str_of(mfx_table_type(table));
    return mfx_str_is(type, "lmdb") || mfx_str_is(type, "mdb") ||
           mfx_str_is(type, "sqlite") || mfx_str_is(type, "dsn");
}

static enum mfx_rc
find_plan(const struct quota_rule *rule, struct mfx_str name,
          struct mfx_arena *arena, struct mfx_str *text, struct mfx_err *err)
{
    struct mfx_table *plans = rule->settings->plans;
    if (plans == NULL)
        return MFX_NOTFOUND;
    return mfx_table_get(plans, name, arena, text, err);
}

/* Limits, or the name of a plan. */
static enum mfx_rc
parse_row(const struct quota_rule *rule, struct mfx_str value,
          struct mfx_arena *arena, struct quota_limits *limits,
          struct mfx_err *err)
{
    struct mfx_str plan;
    enum mfx_rc rc = find_plan(rule, mfx_str_trim(value), arena, &plan, err);
    if (rc == MFX_TEMPFAIL)
        return rc;
    rc = quota_limits_parse(rc == MFX_OK ? plan : value, rule->settings->count,
                            rule->zone, limits, err);
    return rc;
}

static const char *
file_of(struct mfx_table *table)
{
    struct mfx_str spec = mfx_table_spec(table);
    size_t colon = mfx_str_find(spec, ':');
    return colon < spec.len ? spec.p + colon + 1 : spec.p;
}

static bool
check_row(const struct mfx_table_row *row, void *arg)
{
    const struct walk *w = arg;
    struct quota_limits limits;
    struct mfx_err err = {""};
    enum mfx_rc rc =
        w->is_plans
            ? quota_limits_parse(row->value, w->rule->settings->count,
                                 w->rule->zone, &limits, &err)
            : parse_row(w->rule, row->value, w->build->arena, &limits, &err);
    if (rc != MFX_PERMFAIL)
        return true;
    if (row->line > 0)
        mfx_problem_add(w->build->problems, MFX_PROBLEM_ERROR,
                        file_of(w->table), row->line, "%.*s: %s",
                        MFX_STR_ARG(mfx_str_head(row->key, 80)), err.msg);
    else
        complain(w->rule, w->build, w->setting, "%.*s: %s",
                 MFX_STR_ARG(mfx_str_head(row->key, 80)), err.msg);
    return true;
}

static void
check_table(struct quota_rule *rule, const struct mfx_policy_build *build,
            struct mfx_table *table, const char *setting, bool is_plans)
{
    struct walk w = {rule, build, table, setting, is_plans};
    struct mfx_err err = {""};
    if (table == NULL || is_live(table))
        return;
    enum mfx_rc rc = mfx_table_walk(table, build->arena, check_row, &w, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        complain(rule, build, setting, "%s", err.msg);
}

static void
check_limits(struct quota_rule *rule, const struct mfx_policy_build *build)
{
    const struct quota_rule_settings *s = rule->settings;
    struct mfx_err err = {""};
    rule->has_limits = s->limits.len > 0;
    if (rule->has_limits) {
        if (quota_limits_parse(s->limits, s->count, rule->zone, &rule->limits,
                               &err) != MFX_OK)
            complain(rule, build, "limits", "%s", err.msg);
    } else if (s->limits_table == NULL) {
        complain(rule, build, "limits", "neither limits nor limits_table");
    }
    check_table(rule, build, s->plans, "plans", true);
    check_table(rule, build, s->limits_table, "limits_table", false);
}

/* "450 4.2.1" */
static void
check_code(struct quota_rule *rule, const struct mfx_policy_build *build)
{
    struct mfx_str code = rule->settings->code;
    if (code.len > 0 &&
        !mfx_reply_code_parse(code, &rule->code, &rule->enhanced))
        complain(rule, build, "code",
                 "\"%.*s\" is to be like \"450 4.2.1\" or \"550 5.7.1\"",
                 MFX_STR_ARG(code));
}

static void
check_zone(struct quota_rule *rule, const struct mfx_policy_build *build,
           struct quota_zones *zones)
{
    struct mfx_err err = {""};
    if (quota_zones_get(zones, rule->settings->time_zone, &rule->zone, &err) ==
        MFX_OK)
        return;
    complain(rule, build, "time_zone", "%s", err.msg);
    if (quota_zones_get(zones, mfx_str_of("UTC"), &rule->zone, NULL) != MFX_OK)
        rule->zone = NULL;
}

enum mfx_rc
quota_rule_build(struct quota_rule *rule,
                 const struct quota_rule_settings *settings, size_t index,
                 const struct mfx_policy_build *build,
                 struct quota_zones *zones)
{
    char where[64];
    size_t errors = build->problems->errors;
    rule->settings = settings;
    rule->index = index;
    rule->is_dry = settings->mode == QUOTA_RULE_DRY_RUN || build->is_dry_run;
    check_name(rule, build);
    check_zone(rule, build, zones);
    check_key(rule, build);
    if (rule->zone != NULL)
        check_limits(rule, build);
    check_code(rule, build);
    (void)snprintf(where, sizeof where, "rules[%zu].exempt_clients", index);
    enum mfx_rc rc = mfx_host_list_new(settings->exempt_clients, where,
                                       build->problems, &rule->exempt_clients);
    return build->problems->errors > errors ? MFX_PERMFAIL : rc;
}

void
quota_rule_fini(struct quota_rule *rule)
{
    mfx_host_list_free(rule->exempt_clients);
}

/* --- limits of one key --- */

const char *
quota_limits_source_name(enum quota_limits_source source)
{
    static const char *const words[] = {
        [QUOTA_LIMITS_NONE] = "none",
        [QUOTA_LIMITS_RULE] = "limits",
        [QUOTA_LIMITS_TABLE] = "limits_table",
        [QUOTA_LIMITS_OVERRIDE] = "override",
        [QUOTA_LIMITS_FALLBACK] = "limits (bad row in limits_table)",
    };
    return words[source];
}

static enum mfx_rc
ask_table(const struct quota_rule *rule, const struct quota_made_key *key,
          struct mfx_arena *arena, struct mfx_str *value, struct mfx_err *err)
{
    struct mfx_table *table = rule->settings->limits_table;
    enum mfx_rc rc = mfx_table_get(table, key->joined, arena, value, err);
    for (size_t i = 0; rc == MFX_NOTFOUND && i < key->choice->count; i++)
        if (key->choice->count > 1)
            rc = mfx_table_get(table, key->values[i], arena, value, err);
    for (size_t i = 0; rc == MFX_NOTFOUND && i < key->choice->count; i++) {
        size_t at = mfx_str_find_last(key->values[i], '@');
        if (at < key->values[i].len)
            rc = mfx_table_get(table, mfx_str_from(key->values[i], at + 1),
                               arena, value, err);
    }
    if (rc == MFX_NOTFOUND)
        rc = mfx_table_get(table, mfx_str_of("*"), arena, value, err);
    return rc;
}

/* What is counted goes on being counted, so that the end of an override finds
 * the windows as full as they are. */
static void
add_windows(const struct quota_limits *from, struct quota_limits *to)
{
    for (size_t i = 0; i < from->window_count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < to->window_count; j++)
            is_there = is_there ||
                       (to->windows[j].shape == from->windows[i].shape &&
                        to->windows[j].span_ms == from->windows[i].span_ms);
        if (is_there || to->window_count == MFX_STORE_WINDOWS_MAX)
            continue;
        to->windows[to->window_count] = from->windows[i];
        to->windows[to->window_count++].limit = MFX_STORE_UNLIMITED;
    }
}

static enum mfx_rc
own_limits(const struct quota_rule *rule, const struct quota_made_key *key,
           struct mfx_arena *arena, struct quota_limits *limits,
           enum quota_limits_source *source, struct mfx_err *err)
{
    struct mfx_str value;
    enum mfx_rc rc = MFX_NOTFOUND;
    *source = rule->has_limits ? QUOTA_LIMITS_RULE : QUOTA_LIMITS_NONE;
    *limits = rule->limits;
    if (rule->settings->limits_table == NULL)
        return MFX_OK;
    rc = ask_table(rule, key, arena, &value, err);
    if (rc == MFX_NOTFOUND)
        return MFX_OK;
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    *source = QUOTA_LIMITS_TABLE;
    rc = parse_row(rule, value, arena, limits, err);
    if (rc == MFX_OK && limits->window_count == 0)
        add_windows(&rule->limits, limits);
    if (rc == MFX_PERMFAIL) {
        *limits = rule->limits;
        *source = rule->has_limits ? QUOTA_LIMITS_FALLBACK : QUOTA_LIMITS_NONE;
        return rule->has_limits ? MFX_OK : MFX_TEMPFAIL;
    }
    return rc;
}

enum mfx_rc
quota_rule_limits(const struct quota_rule *rule,
                  const struct quota_made_key *key, struct mfx_str override,
                  struct mfx_arena *arena, struct quota_limits *limits,
                  enum quota_limits_source *source, struct mfx_err *err)
{
    struct quota_limits own;
    enum mfx_rc rc = own_limits(rule, key, arena, &own, source, err);
    if (rc != MFX_OK || override.len == 0) {
        *limits = own;
        limits->reason = mfx_arena_copy(arena, own.reason);
        return rc;
    }
    rc = quota_limits_parse(override, rule->settings->count, rule->zone, limits,
                            err);
    if (rc != MFX_OK) { /* of a rule that counted something else */
        *limits = own;
        return MFX_OK;
    }
    *source = QUOTA_LIMITS_OVERRIDE;
    add_windows(&own, limits);
    return MFX_OK;
}

struct mfx_str
quota_rule_counter(const struct quota_rule *rule,
                   const struct quota_made_key *key, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 64 * 1024);
    mfx_buf_add(&out, rule->settings->name);
    mfx_buf_add_byte(&out, '/');
    mfx_buf_add(&out, key->text);
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str(NULL, 0);
}

enum mfx_rc
quota_rule_lists_address(struct mfx_table *table, struct mfx_str address,
                         struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    if (table == NULL)
        return MFX_NOTFOUND;
    enum mfx_rc rc = mfx_table_get(table, address, arena, &value, err);
    size_t at = mfx_str_find_last(address, '@');
    if (rc == MFX_NOTFOUND && at < address.len)
        rc = mfx_domain_list_has(table, mfx_str_from(address, at + 1), arena,
                                 err);
    return rc;
}
