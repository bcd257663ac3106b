/* SPDX-License-Identifier: BSD-2-Clause */
#include "hygiene.h"

#include <stdio.h>

#include <mfx/mail/received.h>

#include "complain.h"

enum {
    VALUE_MAX = 900, /* with the longest name within a line of 998 */
    WHY_MAX = 1024,
};

static const struct mfx_str received_name = MFX_STR("Received");

/* --- load --- */

struct build {
    const struct mfx_policy_build *build;
    size_t index;
    struct masq_header_rule *rule;
};

static void
complain(const struct build *b, const char *setting, const char *text)
{
    char where[80];
    (void)snprintf(where, sizeof where, "headers[%zu].%s", b->index, setting);
    masq_complain(b->build, MFX_PROBLEM_ERROR, where, text);
}

static bool
is_named(const struct masq_header_rule *rule, struct mfx_str name)
{
    return rule->is_prefix ? mfx_str_starts_nocase(name, rule->name)
                           : mfx_str_eq_nocase(name, rule->name);
}

static void
check_name(const struct build *b)
{
    static const char *const needed[] = {"From", "Date", "MIME-Version",
                                         "Content-Type",
                                         "Content-Transfer-Encoding"};
    const struct masq_header_rule *rule = b->rule;
    if (!mfx_header_name_is_valid(rule->name) || mfx_str_has(rule->name, '*')) {
        complain(b, "name",
                 "is to be a field's name, or the beginning of names and '*'");
        return;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (is_named(rule, mfx_str_of(needed[i]))) {
            struct mfx_str text = mfx_arena_printf(
                b->build->arena,
                "%s must stay as it is: without it mail breaks", needed[i]);
            complain(b, "name", text.p == NULL ? "" : text.p);
        }
    if (is_named(rule, received_name) && rule->settings->only_if.len == 0)
        complain(b, "name",
                 "mail that goes round is known by its Received fields: say "
                 "with only_if which of them");
}

static void
check_value(const struct build *b)
{
    struct mfx_str value = b->rule->settings->value;
    bool is_replaced = b->rule->settings->action == MASQ_HEADER_REPLACE;
    if (!is_replaced && value.len > 0)
        complain(b, "value", "is for action = \"replace\"");
    if (is_replaced && mfx_str_trim(value).len == 0)
        complain(b, "value", "the new text is missing");
    if (!mfx_str_is_line(value) || !mfx_str_is_utf8(value) ||
        value.len > VALUE_MAX)
        complain(b, "value", "is to be one line of at most 900 octets");
}

/* A reference to what matched before makes regexec(3) take time without end. */
static bool
has_reference(struct mfx_str pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i++)
        if (pattern.p[i] == '\\' &&
            mfx_ascii_is_digit((unsigned char)pattern.p[++i]))
            return true;
    return false;
}

static void
free_regex(void *regex)
{
    regfree(regex);
}

static enum mfx_rc
compile(const struct build *b)
{
    struct mfx_str pattern = b->rule->settings->only_if;
    regex_t *regex = mfx_arena_alloc(b->build->arena, sizeof *regex);
    pattern = mfx_arena_copy(b->build->arena, pattern);
    if (regex == NULL || pattern.p == NULL)
        return MFX_TEMPFAIL;
    if (has_reference(pattern)) {
        complain(b, "only_if", "\\1 and the like are not allowed");
        return MFX_OK;
    }
    int error = regcomp(regex, pattern.p, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (error != 0) {
        char why[100];
        (void)regerror(error, regex, why, sizeof why);
        complain(b, "only_if", why);
        return MFX_OK;
    }
    b->rule->only_if = regex;
    return mfx_arena_defer(b->build->arena, free_regex, regex) ? MFX_OK
                                                               : MFX_TEMPFAIL;
}

static enum mfx_rc
build_rule(const struct build *b)
{
    struct masq_header_rule *rule = b->rule;
    struct mfx_str name = rule->settings->name;
    rule->is_prefix = name.len > 0 && name.p[name.len - 1] == '*';
    rule->name = mfx_str_head(name, name.len - rule->is_prefix);
    rule->value = mfx_arena_printf(b->build->arena, " %.*s",
                                   MFX_STR_ARG(rule->settings->value));
    if (rule->value.p == NULL)
        return MFX_TEMPFAIL;
    check_name(b);
    check_value(b);
    return rule->settings->only_if.len == 0 ? MFX_OK : compile(b);
}

enum mfx_rc
masq_hygiene_build(struct masq_hygiene *hygiene,
                   const struct masq_settings *settings,
                   const struct mfx_policy_build *build)
{
    const struct masq_header_settings *groups = settings->headers.items;
    size_t errors = build->problems->errors, count = settings->headers.count;
    struct masq_header_rule *rules =
        mfx_arena_alloc_array(build->arena, count, sizeof *rules);
    *hygiene = (struct masq_hygiene){rules, count, settings->hide_client};
    if (rules == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++) {
        const struct build b = {build, i, &rules[i]};
        rules[i].settings = &groups[i];
        if (build_rule(&b) != MFX_OK)
            return MFX_TEMPFAIL;
    }
    return build->problems->errors > errors ? MFX_PERMFAIL : MFX_OK;
}

/* --- fields --- */

struct walk {
    struct masq_fields *fields;
    struct mfx_buf why;
    struct mfx_err *err;
};

static void
note(struct walk *w, const char *what, struct mfx_str name)
{
    mfx_buf_printf(&w->why, "%s%s %.*s", w->why.len > 0 ? ", " : "", what,
                   MFX_STR_ARG(name));
}

static enum mfx_rc
matches(const struct walk *w, const struct masq_header_rule *rule,
        const struct masq_field *field)
{
    if (rule->only_if == NULL)
        return MFX_OK;
    struct mfx_arena *arena = w->fields->arena;
    struct mfx_str text = mfx_header_unfold(field->value, arena);
    text = mfx_arena_copy(arena, mfx_str_trim(text));
    if (text.p == NULL || !mfx_arena_ok(arena))
        return MFX_TEMPFAIL;
    int found = regexec(rule->only_if, text.p, 0, NULL, 0);
    return found == 0             ? MFX_OK
           : found == REG_NOMATCH ? MFX_NOTFOUND
                                  : MFX_TEMPFAIL;
}

static enum mfx_rc
change(struct walk *w, const struct masq_header_rule *rule,
       struct masq_field *field)
{
    enum mfx_rc rc = MFX_PERMFAIL;
    if (rule->settings->action == MASQ_HEADER_REPLACE) {
        if (mfx_str_eq(field->value, rule->value))
            return MFX_OK;
        rc = masq_fields_set(w->fields, field, rule->value, w->err);
    }
    if (rc == MFX_OK)
        note(w, "replaced", field->name);
    if (rc != MFX_PERMFAIL)
        return rc;
    /* so is one that has no room for the new text behind its name */
    masq_fields_remove(field);
    note(w, "removed", field->name);
    return MFX_OK;
}

static enum mfx_rc
apply_rule(struct walk *w, const struct masq_header_rule *rule)
{
    for (struct masq_field *f = w->fields->first; f != NULL; f = f->next) {
        if (f->is_removed || !is_named(rule, f->name))
            continue;
        enum mfx_rc rc = matches(w, rule, f);
        if (rc == MFX_OK)
            rc = change(w, rule, f);
        if (rc != MFX_OK && rc != MFX_NOTFOUND)
            return rc;
    }
    return MFX_OK;
}

static bool
is_for(const struct masq_header_rule *rule, bool is_ours)
{
    switch ((enum masq_whose)rule->settings->whose) {
    case MASQ_WHOSE_OURS:
        return is_ours;
    case MASQ_WHOSE_FOREIGN:
        return !is_ours;
    case MASQ_WHOSE_ALL:
        return true;
    }
    return false;
}

static enum mfx_rc
hide_client(struct walk *w)
{
    struct mfx_received received;
    struct masq_field *field = masq_fields_first(w->fields, received_name);
    if (field == NULL ||
        mfx_received_parse(field->value, &received) != MFX_OK ||
        received.from.len == 0)
        return MFX_OK;
    size_t by = (size_t)(received.by.p - field->value.p);
    struct mfx_str value = mfx_arena_printf(
        w->fields->arena, " %.*s", MFX_STR_ARG(mfx_str_from(field->value, by)));
    if (value.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = masq_fields_set(w->fields, field, value, w->err);
    if (rc == MFX_OK)
        note(w, "hid the client in", field->name);
    return rc == MFX_PERMFAIL ? MFX_OK : rc;
}

enum mfx_rc
masq_hygiene_apply(const struct masq_hygiene *hygiene,
                   struct masq_fields *fields, bool is_ours,
                   struct mfx_str *why, struct mfx_err *err)
{
    struct walk w = {.fields = fields, .err = err};
    enum mfx_rc rc = fields->is_incomplete ? MFX_TEMPFAIL : MFX_OK;
    mfx_buf_init_arena(&w.why, fields->arena, WHY_MAX);
    for (size_t i = 0; i < hygiene->count && rc == MFX_OK; i++)
        if (is_for(&hygiene->rules[i], is_ours))
            rc = apply_rule(&w, &hygiene->rules[i]);
    if (rc == MFX_OK && hygiene->hides_client && is_ours)
        rc = hide_client(&w);
    if (rc != MFX_OK || !mfx_arena_ok(fields->arena))
        return MFX_TEMPFAIL;
    *why = mfx_buf_str(&w.why);
    return why->len > 0 ? MFX_OK : MFX_NOTFOUND;
}
