/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Postfix's rewriting as rules, in its order: sender_canonical and
 * recipient_canonical, canonical, masquerade; generic last, as the SMTP client
 * does it.
 */
#include "pf.h"

enum class {
    ENVELOPE_SENDER = 1,
    ENVELOPE_RECIPIENT = 2,
    HEADER_SENDER = 4,
    HEADER_RECIPIENT = 8,
    ENVELOPE = 3,
    HEADER = 12,
};

static const char *const class_names[] = {"envelope_sender",
                                          "envelope_recipient", "header_sender",
                                          "header_recipient"};

static void
say(struct masq_pf *pf, const char *name, enum masq_import_fate fate,
    const char *text)
{
    struct masq_import_item *item = masq_pf_find(pf, name);
    if (item != NULL)
        masq_import_say(pf->import, item, fate, "%s", text);
}

/* --- classes --- */

static unsigned
classes_of(struct masq_pf *pf, const char *name, const char *preset)
{
    struct mfx_str value, word;
    unsigned classes = 0;
    if (!masq_pf_value(pf, name, preset, &value))
        return 0;
    while (masq_pf_word(&value, &word)) {
        size_t i = 0;
        while (i < 4 && !mfx_str_is(word, class_names[i]))
            i++;
        if (i < 4)
            classes |= 1u << i;
        else if (masq_pf_find(pf, name) != NULL)
            masq_import_say(pf->import, masq_pf_find(pf, name),
                            MASQ_IMPORT_BY_HAND, "%.*s is no class",
                            MFX_STR_ARG(word));
    }
    return classes;
}

static void
set_classes(struct masq_pf *pf, struct masq_import_rule *rule, unsigned classes)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, pf->import->arena, 256);
    mfx_buf_add_byte(&out, '[');
    for (size_t i = 0; i < 4; i++)
        if (classes & 1u << i)
            masq_import_add_quoted(&out, mfx_str_of(class_names[i]));
    mfx_buf_add_byte(&out, ']');
    masq_import_set(pf->import, &rule->settings, "classes", mfx_buf_str(&out),
                    NULL);
}

/* Header addresses of other clients are rewritten only with a domain for
 * them. */
static bool
rewrites_all_headers(struct masq_pf *pf)
{
    struct mfx_str value;
    return masq_pf_value(pf, "remote_header_rewrite_domain", "", &value) &&
           value.len > 0;
}

/* --- rules --- */

struct plan {
    const char *parameter, *kind, *name, *setting;
    struct mfx_str value; /* libconfig text */
    const char *classes_parameter, *classes_preset;
    /* what else the rule has */
    const char *more, *more_parameter;
    struct mfx_str more_value;
};

static void
add_rule(struct masq_pf *pf, const struct plan *plan, unsigned classes,
         const char *whose, const char *suffix, const char *remark)
{
    const char *name =
        mfx_arena_printf(pf->import->arena, "%s%s", plan->name, suffix).p;
    struct masq_import_rule *rule =
        name == NULL || classes == 0
            ? NULL
            : masq_import_rule_new(pf->import, plan->kind, name, remark);
    if (rule == NULL)
        return;
    masq_import_set_text(pf->import, &rule->settings, "whose",
                         mfx_str_of(whose), NULL);
    set_classes(pf, rule, classes);
    masq_import_set(pf->import, &rule->settings, plan->setting, plan->value,
                    NULL);
    if (plan->more_value.len > 0)
        masq_import_set(pf->import, &rule->settings, plan->more,
                        plan->more_value, NULL);
    masq_import_say_rule(pf->import, masq_pf_find(pf, plan->parameter), rule,
                         plan->setting);
    struct masq_import_item *c =
        plan->classes_parameter == NULL
            ? NULL
            : masq_pf_find(pf, plan->classes_parameter);
    if (c != NULL)
        masq_import_say_rule(pf->import, c, rule, "classes");
    c = plan->more_parameter == NULL ? NULL
                                     : masq_pf_find(pf, plan->more_parameter);
    if (c != NULL && plan->more_value.len > 0)
        masq_import_say_rule(pf->import, c, rule, plan->more);
}

/* smtpd(8) looks into these tables to see whether it knows a recipient, so
 * that envelope recipients stay with Postfix; the rest goes out of main.cf. */
static unsigned
take_out(struct masq_pf *pf, const struct plan *plan, unsigned classes)
{
    if ((classes & ENVELOPE_RECIPIENT) == 0) {
        masq_import_set(pf->import, &pf->import->main_cf, plan->parameter,
                        mfx_str(NULL, 0), "mfx-masq does it now");
        return classes;
    }
    masq_import_set(pf->import, &pf->import->main_cf, plan->classes_parameter,
                    mfx_str_of("envelope_recipient"),
                    "smtpd asks for recipients; mfx-masq does the rest");
    masq_import_say(pf->import, masq_pf_find(pf, plan->parameter),
                    MASQ_IMPORT_DONE,
                    "main.cf %s = envelope_recipient: these stay with Postfix",
                    plan->classes_parameter);
    return classes & ~(unsigned)ENVELOPE_RECIPIENT;
}

/* One rule, or two where envelope and header are of different mail. */
static void
add_rules(struct masq_pf *pf, const struct plan *plan)
{
    unsigned classes =
        take_out(pf, plan,
                 classes_of(pf, plan->classes_parameter, plan->classes_preset));
    if (rewrites_all_headers(pf)) {
        add_rule(pf, plan, classes, "all", "", NULL);
        return;
    }
    pf->has_headers = pf->has_headers || (classes & HEADER) != 0;
    if ((classes & HEADER) == 0 || (classes & ENVELOPE) == 0) {
        add_rule(pf, plan, classes, classes & HEADER ? "ours" : "all", "",
                 NULL);
        return;
    }
    add_rule(pf, plan, classes & ENVELOPE, "all", "",
             "Postfix rewrites envelopes of all mail,");
    add_rule(pf, plan, classes & HEADER, "ours", " header",
             "but headers of local_header_rewrite_clients alone (origin).");
}

/* All tables of it, but PostSRSd's; false: none, or one of them cannot be ours,
 * and so they stay together. */
static bool
take_tables(struct masq_pf *pf, const char *name, struct mfx_str *value)
{
    struct masq_import_item *item = masq_pf_find(pf, name);
    struct mfx_str list, table, spec;
    struct mfx_buf ours;
    bool is_good = true;
    if (item == NULL || !masq_pf_value(pf, name, "", &list))
        return false;
    if (list.len == 0)
        masq_import_say(pf->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "it is empty");
    mfx_buf_init_arena(&ours, pf->import->arena, 16 * list.len + 4096);
    while (masq_pf_word(&list, &table)) {
        if (masq_pf_is_srs(table))
            masq_pf_take_srs_table(pf, item, table);
        else if (masq_pf_table(pf, item, table, &spec))
            masq_import_add_quoted(&ours, spec);
        else
            is_good = false;
    }
    *value = mfx_arena_printf(pf->import->arena, "[%.*s]", (int)ours.len,
                              ours.len == 0 ? "" : ours.p);
    return is_good && ours.len > 0;
}

static bool
propagates(struct masq_pf *pf, const char *what)
{
    struct mfx_str value, word;
    if (!masq_pf_value(pf, "propagate_unmatched_extensions",
                       "canonical, virtual", &value))
        return false;
    while (masq_pf_word(&value, &word))
        if (mfx_str_is(word, what))
            return true;
    return false;
}

static void
add_canonical(struct masq_pf *pf, const char *parameter, const char *name,
              const char *classes_parameter, const char *classes_preset)
{
    struct plan plan = {.parameter = parameter,
                        .kind = "canonical",
                        .name = name,
                        .setting = "maps",
                        .classes_parameter = classes_parameter,
                        .classes_preset = classes_preset,
                        .more = "propagate_extension",
                        .more_parameter = "propagate_unmatched_extensions"};
    if (!propagates(pf, "canonical"))
        plan.more_value = mfx_str_of("false");
    if (take_tables(pf, parameter, &plan.value))
        add_rules(pf, &plan);
}

static void
add_masquerade(struct masq_pf *pf)
{
    struct plan plan = {.parameter = "masquerade_domains",
                        .kind = "masquerade",
                        .name = "masquerade",
                        .setting = "domains",
                        .classes_parameter = "masquerade_classes",
                        .classes_preset = "envelope_sender, header_sender, "
                                          "header_recipient",
                        .more = "exceptions",
                        .more_parameter = "masquerade_exceptions"};
    struct mfx_str value;
    struct masq_import_item *exceptions =
        masq_pf_find(pf, "masquerade_exceptions");
    if (masq_pf_find(pf, "masquerade_domains") == NULL ||
        !masq_pf_value(pf, "masquerade_domains", "", &value) || value.len == 0)
        return;
    if (masq_import_long_list(pf->import, value, "masquerade-domains",
                              &plan.value))
        plan.value = masq_import_quoted(pf->import, plan.value);
    else
        plan.value = masq_import_list(pf->import, value);
    if (exceptions != NULL &&
        masq_pf_value(pf, "masquerade_exceptions", "", &value) && value.len > 0)
        (void)masq_pf_list(pf, exceptions, value, "masquerade-exceptions",
                           &plan.more_value);
    add_rules(pf, &plan);
}

/* The SMTP client rewrites what leaves, whoever it is from. */
static void
add_generic(struct masq_pf *pf, struct mfx_str ours)
{
    struct plan plan = {.parameter = "smtp_generic_maps",
                        .kind = "canonical",
                        .name = "generic",
                        .setting = "maps",
                        .more = "propagate_extension",
                        .more_parameter = "propagate_unmatched_extensions"};
    if (!take_tables(pf, "smtp_generic_maps", &plan.value))
        return;
    plan.more_value = mfx_str_of(propagates(pf, "generic") ? "true" : "false");
    masq_import_set(pf->import, &pf->import->main_cf, plan.parameter,
                    mfx_str(NULL, 0), "mfx-masq does it now");
    add_rule(pf, &plan, ENVELOPE_SENDER | HEADER, "all", "",
             "smtp_generic_maps: on the way out, all mail. Envelope "
             "recipients are not among\nthe classes: a filter would change "
             "where the mail goes.");
    if (ours.len > 0 && pf->import->last_rule != NULL)
        masq_import_set(pf->import, &pf->import->last_rule->settings,
                        "unless_recipient_domains", ours, NULL);
    masq_import_say(pf->import, masq_pf_find(pf, "smtp_generic_maps"),
                    MASQ_IMPORT_DONE,
                    "envelope recipients stay, and a new address is looked up "
                    "again, which Postfix does not");
}

/* --- what the rules need --- */

/* "[::1]/128" without brackets. */
static void
add_networks(struct masq_pf *pf, struct masq_import_item *item,
             struct mfx_buf *hosts)
{
    struct mfx_str value, word;
    if (!masq_pf_value(pf, "mynetworks", "127.0.0.0/8 [::1]/128", &value))
        return;
    while (masq_pf_word(&value, &word)) {
        if (word.p[0] == '/' ||
            (mfx_str_has(word, ':') && word.p[0] != '[' && word.p[0] != '!')) {
            masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                            "%.*s of mynetworks goes into "
                            "origin.internal_hosts",
                            MFX_STR_ARG(word));
            continue;
        }
        mfx_buf_add_byte(hosts, ' ');
        for (size_t i = 0; i < word.len; i++)
            if (word.p[i] != '[' && word.p[i] != ']')
                mfx_buf_add_byte(hosts, word.p[i]);
    }
}

/* Who local_header_rewrite_clients are. */
static void
set_origin(struct masq_pf *pf)
{
    struct masq_import_item *item =
        masq_pf_find(pf, "local_header_rewrite_clients");
    struct mfx_str value, word;
    struct mfx_buf hosts;
    bool has_logins = false;
    if (!masq_pf_value(pf, "local_header_rewrite_clients",
                       "permit_inet_interfaces", &value))
        return;
    mfx_buf_init_arena(&hosts, pf->import->arena, 1024 * 1024);
    mfx_buf_add_text(&hosts, "127.0.0.0/8 ::1");
    while (masq_pf_word(&value, &word)) {
        if (mfx_str_is(word, "permit_mynetworks"))
            add_networks(pf, item, &hosts);
        else if (mfx_str_is(word, "permit_sasl_authenticated"))
            has_logins = true;
        else if (!mfx_str_is(word, "permit_inet_interfaces") && item != NULL)
            masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                            "%.*s: origin.internal_hosts or origin.macros",
                            MFX_STR_ARG(word));
    }
    masq_import_set_bool(pf->import, &pf->import->settings, "origin.login",
                         has_logins, NULL);
    masq_import_set(pf->import, &pf->import->settings, "origin.daemon_names",
                    mfx_str_of("[]"), NULL);
    masq_import_set(pf->import, &pf->import->settings, "origin.internal_hosts",
                    masq_import_list(pf->import, mfx_buf_str(&hosts)),
                    "local_header_rewrite_clients; this machine's own "
                    "addresses belong here, too");
    if (item != NULL)
        masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                        "masq.conf origin.login, origin.internal_hosts");
}

static bool
has_kind(const struct masq_pf *pf, const char *kind)
{
    for (const struct masq_import_rule *r = pf->import->rules; r != NULL;
         r = r->next) {
        struct masq_import_setting *s = masq_import_find(&r->settings, "kind");
        if (s != NULL &&
            mfx_str_is(mfx_str(s->value.p + 1, s->value.len - 2), kind))
            return true;
    }
    return false;
}

static void
set_common(struct masq_pf *pf)
{
    struct masq_import_settings *settings = &pf->import->settings;
    struct masq_import_item *item = masq_pf_find(pf, "mydestination");
    struct mfx_str value, list;
    if (masq_pf_value(pf, "myorigin", "$myhostname", &value) && value.len > 0 &&
        value.p[0] != '/') {
        masq_import_set_text(pf->import, settings, "origin_domain", value,
                             "myorigin");
        say(pf, "myorigin", MASQ_IMPORT_DONE, "masq.conf origin_domain");
    } else if (value.len > 0 && value.p[0] == '/') {
        say(pf, "myorigin", MASQ_IMPORT_BY_HAND,
            "origin_domain = what its file says");
    }
    if (masq_pf_value(pf, "recipient_delimiter", "", &value) && value.len > 0) {
        masq_import_set_text(pf->import, settings, "recipient_delimiter", value,
                             NULL);
        say(pf, "recipient_delimiter", MASQ_IMPORT_DONE,
            "masq.conf recipient_delimiter, and it stays in main.cf");
    }
    if (!has_kind(pf, "canonical") ||
        !masq_pf_value(pf, "mydestination",
                       "$myhostname, localhost.$mydomain, localhost", &value))
        return;
    if (item == NULL)
        masq_import_set(pf->import, settings, "local_domains",
                        masq_import_list(pf->import, value), "mydestination");
    else if (masq_pf_list(pf, item, value, "local-domains", &list)) {
        masq_import_set(pf->import, settings, "local_domains", list,
                        "mydestination");
        masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                        "masq.conf local_domains, and it stays in main.cf");
    }
}

/* --- filters --- */

static void
add_filter(struct masq_pf *pf, const char *name)
{
    struct masq_import_item *item = masq_pf_find(pf, name);
    struct mfx_str value =
        item == NULL ? mfx_str(NULL, 0) : masq_import_arg(item, 0);
    if (mfx_str_has(value, '$') && mfx_str_is(value, "$smtpd_milters"))
        value = mfx_str(NULL, 0);
    else if (value.len == 0 && strcmp(name, "smtpd_milters") != 0)
        value = mfx_str_of("");
    if (strcmp(name, "non_smtpd_milters") == 0 && value.len == 0)
        masq_import_main(pf->import, name,
                         item == NULL || masq_import_arg(item, 0).len == 0
                             ? mfx_str_of("unix:mfx/masq.sock")
                             : mfx_str_of("$smtpd_milters"),
                         NULL);
    else
        masq_import_main_printf(pf->import, name,
                                "mfx-masq stands before the filter that signs",
                                "unix:mfx/masq.sock%s%.*s",
                                value.len == 0 ? "" : ", ", MFX_STR_ARG(value));
    if (item != NULL)
        masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                        "main.cf %s, mfx-masq first", name);
}

/* --- what has no rule --- */

static void
say_rest(struct masq_pf *pf)
{
    static const struct {
        const char *name;
        enum masq_import_fate fate;
        const char *why;
    } rows[] = {
        {"canonical_classes",            MASQ_IMPORT_NOT_NEEDED,
         "no table of masq.conf goes with it"                                 },
        {"sender_canonical_classes",     MASQ_IMPORT_NOT_NEEDED,
         "no table of masq.conf goes with it"                                 },
        {"recipient_canonical_classes",  MASQ_IMPORT_NOT_NEEDED,
         "no table of masq.conf goes with it"                                 },
        {"masquerade_domains",           MASQ_IMPORT_NOT_NEEDED, "it is empty"},
        {"masquerade_classes",           MASQ_IMPORT_NOT_NEEDED,
         "nothing is masqueraded"                                             },
        {"masquerade_exceptions",        MASQ_IMPORT_NOT_NEEDED,
         "nothing is masqueraded"                                             },
        {"local_header_rewrite_clients", MASQ_IMPORT_NOT_NEEDED,
         "stays in main.cf; no rule needs it"                                 },
        {"remote_header_rewrite_domain", MASQ_IMPORT_NOT_NEEDED,
         "stays in main.cf; rules have whose = \"all\""                       },
        {"lmtp_generic_maps",            MASQ_IMPORT_BY_HAND,
         "stays in main.cf; it changes mail behind its signature"             },
        {"receive_override_options",     MASQ_IMPORT_BY_HAND,
         "where no_address_mappings stands, leave mfx-masq out of "
         "smtpd_milters, too"                                                 },
        {"smtpd_sender_login_maps",      MASQ_IMPORT_NOT_NEEDED,
         "stays in main.cf; from_guard.addresses can ask the same tables"     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct masq_import_item *item = masq_pf_find(pf, rows[i].name);
        if (item != NULL && item->fate == MASQ_IMPORT_OPEN)
            masq_import_say(pf->import, item, rows[i].fate, "%s", rows[i].why);
    }
    for (struct masq_import_item *i = pf->import->items; i != NULL; i = i->next)
        if (i->kind == MASQ_PF_PARAMETER && i->fate == MASQ_IMPORT_OPEN)
            masq_import_say(pf->import, i, MASQ_IMPORT_NOT_NEEDED,
                            "stays in main.cf");
}

/* What this Postfix delivers itself, for mail that does not leave. */
static struct mfx_str
local_recipients(struct masq_pf *pf)
{
    struct mfx_str value, list = mfx_str(NULL, 0);
    struct masq_import_item *item = masq_pf_find(pf, "mydestination");
    if (masq_pf_value(pf, "mydestination",
                      "$myhostname, localhost.$mydomain, localhost", &value)) {
        if (item == NULL)
            list = masq_import_list(pf->import, value);
        else
            (void)masq_pf_list(pf, item, value, "local-domains", &list);
    }
    return list;
}

void
masq_pf_convert(struct masq_pf *pf)
{
    add_canonical(pf, "sender_canonical_maps", "sender_canonical",
                  "sender_canonical_classes", "envelope_sender, header_sender");
    add_canonical(pf, "recipient_canonical_maps", "recipient_canonical",
                  "recipient_canonical_classes",
                  "envelope_recipient, header_recipient");
    add_canonical(pf, "canonical_maps", "canonical", "canonical_classes",
                  "envelope_sender, envelope_recipient, header_sender, "
                  "header_recipient");
    add_masquerade(pf);
    if (masq_pf_find(pf, "smtp_generic_maps") != NULL)
        add_generic(pf, local_recipients(pf));
    if (pf->import->rules != NULL)
        set_common(pf);
    if (pf->has_headers)
        set_origin(pf);
    masq_pf_convert_srs(pf);
    if (pf->import->rules != NULL || pf->import->settings.first != NULL) {
        add_filter(pf, "smtpd_milters");
        add_filter(pf, "non_smtpd_milters");
    }
    say_rest(pf);
}
