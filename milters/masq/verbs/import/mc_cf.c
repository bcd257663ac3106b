/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sendmail.cf, line by line.
 */
#include <mfx/base/file.h>

#include "mc.h"

/* "M..." or "{Name}...": the name, and what is behind it. */
static struct mfx_str
cut_name(struct mfx_str *rest)
{
    struct mfx_str name;
    if (rest->len > 0 && rest->p[0] == '{') {
        size_t end = mfx_str_find(*rest, '}');
        name = mfx_str_from(mfx_str_head(*rest, end), 1);
        *rest = mfx_str_from(*rest, end + 1);
    } else {
        name = mfx_str_head(*rest, 1);
        *rest = mfx_str_from(*rest, 1);
    }
    return name;
}

static struct masq_import_item *
add(struct masq_mc *s, const char *file, unsigned line, enum masq_mc_kind kind,
    char letter, struct mfx_str name, struct mfx_str value)
{
    struct mfx_str feature =
        name.len == 1 ? mfx_arena_printf(s->import->arena, "%c%.*s", letter,
                                         MFX_STR_ARG(name))
                      : mfx_arena_printf(s->import->arena, "%c{%.*s}", letter,
                                         MFX_STR_ARG(name));
    struct masq_import_item *item =
        masq_import_add(s->import, file, line, feature, (int)kind, name);
    masq_import_add_arg(item, value);
    return item;
}

/* "O Name=value", or "Oxvalue" of before 8.7. */
static void
take_option(struct masq_mc *s, const char *file, unsigned line,
            struct mfx_str rest)
{
    if (rest.len == 0 || rest.p[0] != ' ') {
        (void)masq_import_add(s->import, file, line, mfx_str_of("O"),
                              MASQ_MC_LINE, rest);
        return;
    }
    rest = mfx_str_trim(rest);
    size_t end = mfx_str_find(rest, '=');
    struct mfx_str name = mfx_str_trim(mfx_str_head(rest, end));
    struct masq_import_item *item = masq_import_add(
        s->import, file, line,
        mfx_arena_printf(s->import->arena, "O %.*s", MFX_STR_ARG(name)),
        MASQ_MC_OPTION, name);
    masq_import_add_arg(item, mfx_str_trim(mfx_str_from(rest, end + 1)));
}

/* "Kname type flags path" */
static void
take_map(struct masq_mc *s, const char *file, unsigned line,
         struct mfx_str rest)
{
    struct mfx_str name;
    if (!mfx_str_word(&rest, " \t", &name))
        return;
    struct masq_import_item *item = masq_import_add(
        s->import, file, line,
        mfx_arena_printf(s->import->arena, "K%.*s", MFX_STR_ARG(name)),
        MASQ_MC_MAP, name);
    masq_import_add_arg(item, mfx_str_trim(rest));
}

/* "Xname, S=..., F=T" */
static void
take_filter(struct masq_mc *s, const char *file, unsigned line,
            struct mfx_str rest)
{
    size_t end = mfx_str_find(rest, ',');
    struct mfx_str name = mfx_str_trim(mfx_str_head(rest, end));
    struct masq_import_item *item = masq_import_add(
        s->import, file, line,
        mfx_arena_printf(s->import->arena, "X%.*s", MFX_STR_ARG(name)),
        MASQ_MC_FILTER, name);
    masq_import_add_arg(item, mfx_str_trim(mfx_str_from(rest, end + 1)));
}

/* --- rulesets --- */

/* Where a site's own rules are empty unless it has some. */
static bool
is_own(struct mfx_str ruleset)
{
    static const char *const names[] = {
        "Local_check_mail", "Local_check_rcpt",   "Local_check_relay",
        "Local_Relay_Auth", "Local_trust_auth",   "Local_greet_pause",
        "Local_tls_client", "Local_tls_server",   "Local_localaddr",
        "LocalTLSClient",   "Local_check_data",   "Local_check_header",
        "Local_tls_rcpt",   "Local_clt_features", "Local_srv_features",
        "Local_try_tls",    "check_compat",       "check_eom",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mfx_str_is(ruleset, names[i]))
            return true;
    return false;
}

static void
take_ruleset(struct masq_mc *s, const char *file, unsigned line,
             struct mfx_str rest)
{
    size_t end = mfx_str_find(rest, '=');
    s->ruleset = mfx_str_trim(mfx_str_head(rest, end));
    s->own_rules = NULL;
    if (s->rulesets == NULL && s->is_cf)
        s->rulesets =
            masq_import_add(s->import, file, line, mfx_str_of("rulesets"),
                            MASQ_MC_LINE, mfx_str_of("S"));
}

/* What the rule of a feature has as its argument. */
static void
take_argument(struct masq_mc *s, struct mfx_str rule)
{
    struct mfx_str dnsbl = mfx_str_of("$(dnsbl $4.$3.$2.$1.");
    for (size_t i = 0; i + dnsbl.len < rule.len; i++) {
        if (!mfx_str_starts(mfx_str_from(rule, i), dnsbl))
            continue;
        struct mfx_str zone = mfx_str_from(rule, i + dnsbl.len);
        zone = mfx_str_head(zone, mfx_str_find(zone, ' '));
        if (zone.len > 1 && zone.p[zone.len - 1] == '.')
            zone.len--;
        struct masq_import_item *item =
            masq_mc_find(s, MASQ_MC_FEATURE, "dnsbl");
        if (item != NULL && item->arg_count < MASQ_IMPORT_ARGS)
            masq_import_add_arg(item, zone);
        return;
    }
    if (!mfx_str_is(s->ruleset, "greet_pause"))
        return;
    size_t at = mfx_str_find(rule, '#');
    struct masq_import_item *pause =
        masq_mc_find(s, MASQ_MC_FEATURE, "greet_pause");
    if (pause != NULL && pause->arg_count == 0 && at > 0 && at < rule.len &&
        mfx_ascii_is_digit(
            (unsigned char)mfx_str_trim(mfx_str_from(rule, at + 1)).p[0]))
        masq_import_add_arg(pause, mfx_str_trim(mfx_str_from(rule, at + 1)));
}

static void
take_rule(struct masq_mc *s, const char *file, unsigned line,
          struct mfx_str rule)
{
    if (s->is_cf && !is_own(s->ruleset)) {
        take_argument(s, rule);
        return;
    }
    if (s->own_rules != NULL)
        return;
    s->own_rules = masq_import_add(
        s->import, file, line,
        s->ruleset.len == 0 ? mfx_str_of("rules")
                            : mfx_arena_printf(s->import->arena, "ruleset %.*s",
                                               MFX_STR_ARG(s->ruleset)),
        MASQ_MC_LINE, mfx_str_of("R"));
}

void
masq_mc_line(struct masq_mc *s, const char *file, unsigned line,
             struct mfx_str text)
{
    struct mfx_str rest = mfx_str_from(text, 1), name = rest;
    if (text.len == 0 || text.p[0] == '#' ||
        mfx_ascii_is_fws((unsigned char)text.p[0]))
        return;
    switch (text.p[0]) {
    case 'C':
        name = cut_name(&rest);
        (void)add(s, file, line, MASQ_MC_CLASS, 'C', name, rest);
        return;
    case 'F':
        name = cut_name(&rest);
        (void)add(s, file, line, MASQ_MC_CLASS_FILE, 'F', name, rest);
        return;
    case 'D':
        name = cut_name(&rest);
        (void)add(s, file, line, MASQ_MC_MACRO, 'D', name, rest);
        return;
    case 'O':
        take_option(s, file, line, rest);
        return;
    case 'K':
        take_map(s, file, line, rest);
        return;
    case 'X':
        take_filter(s, file, line, rest);
        return;
    case 'S':
        take_ruleset(s, file, line, rest);
        return;
    case 'R':
        take_rule(s, file, line, rest);
        return;
    }
    (void)mfx_str_word(&rest, " \t,", &name);
    (void)masq_import_add(
        s->import, file, line,
        mfx_str_head(text, (size_t)(name.p + name.len - text.p)), MASQ_MC_LINE,
        text);
}

/* "#####  $Id: genericstable.m4,v 8.24 ... #####": FEATURE left that. */
static void
take_version(struct masq_mc *s, const char *file, unsigned line,
             struct mfx_str text)
{
    struct mfx_str word;
    while (mfx_str_word(&text, " \t", &word)) {
        if (!mfx_str_ends_nocase(word, mfx_str_of(".m4,v")))
            continue;
        struct mfx_str name = mfx_str_head(word, word.len - strlen(".m4,v"));
        if (!masq_mc_knows_feature(name) ||
            masq_mc_find(s, MASQ_MC_FEATURE,
                         mfx_arena_copy(s->import->arena, name).p) != NULL)
            return;
        (void)masq_import_add(s->import, file, line,
                              mfx_arena_printf(s->import->arena,
                                               "FEATURE(%.*s)",
                                               MFX_STR_ARG(name)),
                              MASQ_MC_FEATURE, name);
        return;
    }
}

/* A line that starts with a blank goes on with the one before. */
static struct mfx_str
next_line(struct masq_mc *s, struct mfx_str *rest, unsigned *number,
          unsigned *first)
{
    struct mfx_str line;
    (void)mfx_str_cut(rest, '\n', &line);
    *first = ++*number;
    while (line.len > 0 && line.p[0] != '#' && rest->len > 0 &&
           mfx_ascii_is_wsp((unsigned char)rest->p[0])) {
        struct mfx_str more;
        (void)mfx_str_cut(rest, '\n', &more);
        ++*number;
        /* the lines lie one behind the other */
        line.len = (size_t)(more.p + more.len - line.p);
    }
    (void)s;
    return line;
}

enum mfx_rc
masq_mc_read_cf(struct masq_mc *s, const char *path, struct mfx_err *err)
{
    struct mfx_str rest;
    unsigned number = 0, first;
    enum mfx_rc rc = mfx_file_read(path, MASQ_IMPORT_FILE_MAX, s->import->arena,
                                   &rest, NULL, err);
    const char *file = mfx_arena_copy(s->import->arena, mfx_str_of(path)).p;
    if (rc == MFX_OK && mfx_str_has(rest, '\0')) {
        mfx_err_set(err, "%s: holds NUL bytes: no configuration", path);
        rc = MFX_PERMFAIL;
    }
    s->is_cf = true;
    while (rc == MFX_OK && rest.len > 0) {
        struct mfx_str line = next_line(s, &rest, &number, &first);
        if (line.len > 0 && line.p[line.len - 1] == '\r')
            line.len--;
        if (line.len > 0 && line.p[0] == '#')
            take_version(s, file, first, line);
        else
            masq_mc_line(s, file, first, line);
    }
    return rc;
}
