/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The m4 source of a sendmail.cf, macro by macro.
 */
#include "m4.h"
#include "mc.h"

#define FILES(name, class)                      \
    {name, MASQ_MC_CLASS, class},               \
    {                                           \
        name "_FILE", MASQ_MC_CLASS_FILE, class \
    }

/* Macros that are one item. name NULL: the first argument is the name. */
static const struct {
    const char *macro;
    enum masq_mc_kind kind;
    const char *name;
} calls[] = {
    {"MASQUERADE_AS",     MASQ_MC_MACRO,   "M"                },
    FILES("MASQUERADE_DOMAIN", "M"),
    FILES("MASQUERADE_EXCEPTION", "N"),
    FILES("EXPOSED_USER", "E"),
    FILES("GENERICS_DOMAIN", "G"),
    FILES("VIRTUSER_DOMAIN", "VirtHost"),
    FILES("RELAY_DOMAIN", "R"),
    FILES("LOCAL_USER", "L"),
    FILES("CANONIFY_DOMAIN", "Canonify"),
    FILES("LDAPROUTE_DOMAIN", "LDAPRoute"),
    FILES("LDAPROUTE_EQUIVALENT", "LDAPRouteEquiv"),
    {"LOCAL_DOMAIN",      MASQ_MC_CLASS,   "w"                },
    {"TRUST_AUTH_MECH",   MASQ_MC_CLASS,   "TrustAuthMech"    },
    {"DAEMON_OPTIONS",    MASQ_MC_OPTION,  "DaemonPortOptions"},
    {"CLIENT_OPTIONS",    MASQ_MC_OPTION,  "ClientPortOptions"},
    {"FEATURE",           MASQ_MC_FEATURE, NULL               },
    {"INPUT_MAIL_FILTER", MASQ_MC_FILTER,  NULL               },
    {"MAIL_FILTER",       MASQ_MC_FILTER,  NULL               },
};

/* define() of what is a macro of the .cf. */
static const char *const macros[][2] = {
    {"SMART_HOST",      "S"},
    {"MAIL_HUB",        "H"},
    {"LOCAL_RELAY",     "R"},
    {"LUSER_RELAY",     "L"},
    {"UUCP_RELAY",      "Y"},
    {"BITNET_RELAY",    "B"},
    {"DECNET_RELAY",    "C"},
    {"FAX_RELAY",       "F"},
    {"confDOMAIN_NAME", "j"},
    {"confMAILER_NAME", "n"},
};

/* define() of files and programs, which Postfix has elsewhere. */
static bool
is_place(struct mfx_str name)
{
    static const char *const ends[] = {
        "_MAILER_PATH", "_MAILER_ARGS",    "_MAILER_FLAGS",
        "_MAILER_MAX",  "_MAILER_CHARSET", "_MAILER_EOL",
        "_MAILER_QGRP", "_FILE",           "_DIR"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (mfx_str_ends_nocase(name, mfx_str_of(ends[i])))
            return true;
    return false;
}

static struct masq_import_item *
add(struct masq_mc *s, const struct masq_m4_call *call, struct mfx_str feature,
    enum masq_mc_kind kind, struct mfx_str name, size_t first)
{
    struct masq_import_item *item = masq_import_add(
        s->import, call->file, call->line, feature, (int)kind, name);
    for (size_t i = first; i < call->count; i++)
        masq_import_add_arg(item, call->args[i]);
    return item;
}

static void
take_define(struct masq_mc *s, const struct masq_m4_call *call)
{
    struct mfx_str name = call->args[0];
    const char *option = masq_mc_option_name(name);
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        if (!mfx_str_is(name, macros[i][0]))
            continue;
        masq_import_replace(s->import, add(s, call, name, MASQ_MC_MACRO,
                                           mfx_str_of(macros[i][1]), 1));
        return;
    }
    if (option != NULL) {
        masq_import_replace(s->import, add(s, call, name, MASQ_MC_OPTION,
                                           mfx_str_of(option), 1));
        return;
    }
    struct masq_import_item *item = add(s, call, name, MASQ_MC_CALL, name, 1);
    if (item == NULL || mfx_str_starts(name, mfx_str_of("conf")))
        return;
    masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "%s",
                    is_place(name) ? "Postfix has its files and programs in "
                                     "places of its own"
                                   : "a macro of this file alone");
}

static void
take_undefine(struct masq_mc *s, const struct masq_m4_call *call)
{
    const char *option = masq_mc_option_name(call->args[0]);
    struct masq_import_item *item =
        option == NULL
            ? NULL
            : masq_import_latest(s->import, MASQ_MC_OPTION, mfx_str_of(option));
    if (item != NULL && item->fate == MASQ_IMPORT_OPEN)
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "line %u undefines it", call->line);
}

static void
take_named(struct masq_mc *s, const struct masq_m4_call *call,
           enum masq_mc_kind kind)
{
    struct mfx_str name = mfx_str_trim(call->args[0]);
    struct mfx_str feature =
        mfx_arena_printf(s->import->arena, "%.*s(%.*s)",
                         MFX_STR_ARG(call->name), MFX_STR_ARG(name));
    (void)add(s, call, feature, kind, name, 1);
}

/* An INPUT_MAIL_FILTER is in use, a MAIL_FILTER is only named. */
static void
take_filter(struct masq_mc *s, const struct masq_m4_call *call)
{
    take_named(s, call, MASQ_MC_FILTER);
    if (s->import->last_item != NULL &&
        mfx_str_is(call->name, "INPUT_MAIL_FILTER"))
        masq_import_add_arg(s->import->last_item, mfx_str_of("in use"));
}

static void
take_call(void *arg, const struct masq_m4_call *call)
{
    struct masq_mc *s = arg;
    if (mfx_str_is(call->name, "define")) {
        take_define(s, call);
        return;
    }
    if (mfx_str_is(call->name, "undefine")) {
        take_undefine(s, call);
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!mfx_str_is(call->name, calls[i].macro))
            continue;
        if (calls[i].kind == MASQ_MC_FILTER)
            take_filter(s, call);
        else if (calls[i].name == NULL)
            take_named(s, call, calls[i].kind);
        else
            (void)add(s, call, call->name, calls[i].kind,
                      mfx_str_of(calls[i].name), 0);
        return;
    }
    /* prose in front of the first divert(0) may look like a call */
    if (!call->is_diverted || masq_mc_knows_call(call->name))
        (void)add(s, call, call->name, MASQ_MC_CALL, call->name, 0);
}

static void
take_text(void *arg, const char *file, unsigned line, struct mfx_str text)
{
    masq_mc_line(arg, file, line, text);
}

static bool
is_word(struct mfx_str name)
{
    static const char *const words[] = {
        "LOCAL_CONFIG",       "LOCAL_RULESETS",     "LOCAL_RULE_0",
        "LOCAL_RULE_1",       "LOCAL_RULE_2",       "LOCAL_RULE_3",
        "LOCAL_NET_CONFIG",   "LOCAL_UUCP",         "LOCAL_DNSBL",
        "LOCAL_SRV_FEATURES", "LOCAL_CLT_FEATURES", "LOCAL_TRY_TLS",
        "LOCAL_TLS_RCPT",     "LOCAL_TLS_CLIENT",   "LOCAL_TLS_SERVER",
        "MAILER_DEFINITIONS",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_is(name, words[i]))
            return true;
    return false;
}

enum mfx_rc
masq_mc_read_source(struct masq_mc *s, const char *path, struct mfx_err *err)
{
    static const char *known[][2] = {
        {"DOMAIN",            "include(`domain/$1.m4')"},
        {"MAIL_SETTINGS_DIR", "/etc/mail/"             },
        {NULL,                NULL                     },
    };
    struct masq_m4_sink sink = {.call = take_call,
                                .text = take_text,
                                .is_word = is_word,
                                .arg = s,
                                .cf_dir = s->cf_dir,
                                .known = known};
    return masq_m4_read(path, &sink, s->import->arena, err);
}
