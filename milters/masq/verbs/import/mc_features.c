/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every FEATURE and macro of Sendmail 8.17's m4 files, and the other lines of
 * a sendmail.cf, and what becomes of them.
 */
#include "mc.h"

enum how {
    RULE,     /* target: a switch of rules[0] */
    MAP,      /* target: name of the map, which is an item of its own */
    NEEDLESS, /* why */
    HAND,     /* why */
    MAIN,     /* target: "NAME VALUE" for main.cf */
    DNSBL,
    ENHDNSBL,
    RHSBL,
    PAUSE,
    PROCMAIL,
    HUB,
};

struct row {
    const char *name;
    enum how how;
    const char *target, *why;
};

static const struct row features[] = {
    {"allmasquerade",               RULE,     "allmasquerade",                          NULL                                                },
    {"generics_entire_domain",      RULE,     "generics_entire_domain",                 NULL                                                },
    {"limited_masquerade",          RULE,     "limited_masquerade",                     NULL                                                },
    {"masquerade_entire_domain",    RULE,     "masquerade_entire_domain",               NULL                                                },
    {"masquerade_envelope",         RULE,     "masquerade_envelope",                    NULL                                                },
    {"local_no_masquerade",         RULE,     "unless_recipient_domains",               NULL                                                },
    {"accept_unqualified_senders",  NEEDLESS, NULL,
     "reject_non_fqdn_sender is left out of main.cf"                                                                                        },
    {"accept_unresolvable_domains", NEEDLESS, NULL,
     "reject_unknown_sender_domain is left out of main.cf"                                                                                  },
    {"access_db",                   MAP,      "access",                                 NULL                                                },
    {"always_add_domain",           NEEDLESS, NULL,
     "Postfix adds its domain (append_at_myorigin)"                                                                                         },
    {"authinfo",                    HAND,     NULL,
     "passwords: smtp_sasl_auth_enable = yes, smtp_sasl_password_maps"                                                                      },
    {"badmx",                       HAND,     NULL,                                     "check_sender_mx_access refuses senders by their MX"},
    {"bcc",                         HAND,     NULL,                                     "recipient_bcc_maps"                                },
    {"bestmx_is_local",             HAND,     NULL,
     "mydestination must name each domain that is local"                                                                                    },
    {"bitdomain",                   HAND,     NULL,                                     "BITNET is gone; say it with canonical_maps"        },
    {"blacklist_recipients",        NEEDLESS, NULL,
     "untagged rows of access go to check_recipient_access, too"                                                                            },
    {"block_bad_helo",              MAIN,
     "smtpd_helo_restrictions reject_invalid_helo_hostname",                            NULL                                                },
    {"blocklist_recipients",        NEEDLESS, NULL,
     "untagged rows of access go to check_recipient_access, too"                                                                            },
    {"check_cert_altnames",         NEEDLESS, NULL,                                     "Postfix looks at them"                             },
    {"check_other",                 HAND,     NULL,                                     "smtpd_hard_error_limit bounds junk"                },
    {"compat_check",                HAND,     NULL,
     "pairs of sender and recipient: smtpd_restriction_classes"                                                                             },
    {"conncontrol",                 MAIN,     "smtpd_client_connection_count_limit 50",
     "rows ClientConn: of access have the numbers"                                                                                          },
    {"delay_checks",                NEEDLESS, NULL,
     "Postfix waits for the recipient (smtpd_delay_reject)"                                                                                 },
    {"dnsbl",                       DNSBL,    NULL,                                     NULL                                                },
    {"domainmap",                   HAND,     NULL,
     "say it with rows \"@old @new\" in a canonical rule"                                                                                   },
    {"domaintable",                 MAP,      "domaintable",                            NULL                                                },
    {"drac",                        HAND,     NULL,                                     "POP before SMTP is gone: use logins"               },
    {"enhdnsbl",                    ENHDNSBL, NULL,                                     NULL                                                },
    {"genericstable",               MAP,      "generics",                               NULL                                                },
    {"greet_pause",                 PAUSE,    "postscreen_greet_wait",                  NULL                                                },
    {"ldap_routing",                HAND,     NULL,
     "virtual_alias_maps and transport_maps with ldap_table(5)"                                                                             },
    {"local_lmtp",                  HAND,     NULL,                                     "mailbox_transport = lmtp:unix:PATH"                },
    {"local_procmail",              PROCMAIL, "mailbox_command",                        NULL                                                },
    {"lookupdotdomain",             NEEDLESS, NULL,
     "parent domains are asked for in access tables"                                                                                        },
    {"loose_relay_check",           NEEDLESS, NULL,
     "user%domain@here is user%domain here"                                                                                                 },
    {"mailertable",                 MAP,      "mailertable",                            NULL                                                },
    {"msp",                         NEEDLESS, NULL,                                     "postdrop(1) submits"                               },
    {"mtamark",                     HAND,     NULL,                                     "an experiment that is over"                        },
    {"no_default_msa",              NEEDLESS, NULL,
     "the submission service of master.cf is off by itself"                                                                                 },
    {"nocanonify",                  NEEDLESS, NULL,                                     "Postfix asks no DNS to rewrite"                    },
    {"nopercenthack",               MAIN,     "allow_percent_hack no",                  NULL                                                },
    {"notsticky",                   NEEDLESS, NULL,                                     "Postfix has it so"                                 },
    {"nouucp",                      MAIN,     "swap_bangpath no",                       NULL                                                },
    {"nullclient",                  HUB,      "relayhost",                              NULL                                                },
    {"prefixmod",                   HAND,     NULL,                                     "no such thing in Postfix"                          },
    {"preserve_local_plus_detail",  NEEDLESS, NULL,
     "Postfix keeps it unless recipient_delimiter cuts it"                                                                                  },
    {"preserve_luser_host",         HAND,     NULL,                                     "luser_relay = $user@host"                          },
    {"promiscuous_relay",           HAND,     NULL,
     "an open relay, which nobody wants: mynetworks says who may"                                                                           },
    {"queuegroup",                  HAND,     NULL,                                     "transports of master.cf part mail"                 },
    {"ratecontrol",                 MAIN,     "smtpd_client_connection_rate_limit 0",
     "rows ClientRate: of access have the numbers"                                                                                          },
    {"redirect",                    HAND,     NULL,                                     "relocated_maps tells who has moved"                },
    {"relay_based_on_MX",           HAND,     NULL,
     "permit_mx_backup with permit_mx_backup_networks, which others can use "
     "for their domains: better name them in relay_domains"                                                                                 },
    {"relay_entire_domain",         MAIN,     "relay_domains $mydomain",
     "clients of the domain relay, too: mynetworks must have their networks"                                                                },
    {"relay_hosts_only",            MAIN,     "parent_domain_matches_subdomains ",
     "relay_domains and access then match whole names only; .domain those "
     "below"                                                                                                                                },
    {"relay_local_from",            HAND,     NULL,
     "senders are forged: an open relay; use logins or mynetworks"                                                                          },
    {"relay_mail_from",             HAND,     NULL,
     "senders are forged: an open relay; use logins or mynetworks"                                                                          },
    {"require_rdns",                MAIN,
     "smtpd_client_restrictions reject_unknown_reverse_client_hostname",                NULL                                                },
    {"rhsbl",                       RHSBL,    NULL,                                     NULL                                                },
    {"smrsh",                       HAND,     NULL,
     "Postfix runs commands of aliases as their owner; "
     "allow_mail_to_commands and local_command_shell bound them"                                                                            },
    {"stickyhost",                  HAND,     NULL,                                     "fallback_transport for names not known here"       },
    {"sts",                         HAND,     NULL,                                     "smtp_tls_policy_maps with a resolver for MTA-STS"  },
    {"tls_failures",                HAND,     NULL,                                     "smtp_tls_policy_maps for such hosts"               },
    {"tls_session_features",        HAND,     NULL,                                     "smtp_tls_policy_maps"                              },
    {"use_client_ptr",              NEEDLESS, NULL,                                     "access is asked for verified names"                },
    {"use_ct_file",                 NEEDLESS, NULL,                                     "Postfix trusts no users"                           },
    {"use_cw_file",                 NEEDLESS, NULL,                                     "see class w"                                       },
    {"uucpdomain",                  HAND,     NULL,                                     "UUCP is gone"                                      },
    {"virtuser_entire_domain",      HAND,     NULL,
     "virtual_alias_domains must name each domain"                                                                                          },
    {"virtusertable",               MAP,      "virtuser",                               NULL                                                },
    {"vnet",                        NEEDLESS, NULL,                                     "UUCP is gone"                                      },
};

/* Macros of an .mc that say no more than this. */
static const struct row calls[] = {
    {"OSTYPE",              NEEDLESS, NULL, "where this system has its files"                 },
    {"MAILER",              NEEDLESS, NULL, "master.cf has Postfix's transports"              },
    {"VERSIONID",           NEEDLESS, NULL, "a name"                                          },
    {"HA"
     "CK",             HAND,     NULL, "its file is not read"                            },
    {"SITE",                HAND,     NULL, "UUCP is gone"                                    },
    {"SITECONFIG",          HAND,     NULL, "UUCP is gone"                                    },
    {"UUCPSMTP",            HAND,     NULL, "UUCP is gone"                                    },
    {"QUEUE_GROUP",         HAND,     NULL, "transports of master.cf part mail"               },
    {"MODIFY_MAILER_FLAGS", HAND,     NULL, "flags of a transport, in master.cf"              },
    {"MAILER_DEFINITIONS",  NEEDLESS, NULL, "its lines follow"                                },
    {"LOCAL_CONFIG",        NEEDLESS, NULL, "its lines follow"                                },
    {"LOCAL_RULESETS",      NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_RULE_0",        NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_RULE_1",        NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_RULE_2",        NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_RULE_3",        NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_NET_CONFIG",    NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_UUCP",          NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_DNSBL",         NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_SRV_FEATURES",  NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_CLT_FEATURES",  NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_TRY_TLS",       NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_TLS_RCPT",      NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_TLS_CLIENT",    NEEDLESS, NULL, "its rules follow"                                },
    {"LOCAL_TLS_SERVER",    NEEDLESS, NULL, "its rules follow"                                },
    {"LDAPROUTE_DOMAIN",    HAND,     NULL, "ldap_table(5)"                                   },
    {"syscmd",              HAND,     NULL, "commands are not run"                            },
    {"esyscmd",             HAND,     NULL, "commands are not run"                            },
    {"eval",                HAND,     NULL, "arithmetic is not done: what it makes is missing"},
    {"substr",              HAND,     NULL, "not done here: what it makes is missing"         },
    {"translit",            HAND,     NULL, "not done here: what it makes is missing"         },
    {"format",              HAND,     NULL, "not done here: what it makes is missing"         },
    {"maketemp",            HAND,     NULL, "not done here"                                   },
    {"m4exit",              HAND,     NULL, "what follows is read all the same"               },
    {"m4wrap",              HAND,     NULL, "not done here: what it says is missing"          },
};

static const struct row *
find(const struct row *rows, size_t count, struct mfx_str name)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_str_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

bool
masq_mc_knows_feature(struct mfx_str name)
{
    return find(features, sizeof features / sizeof features[0], name) != NULL;
}

/* --- what needs more than a row --- */

static void
reject_by(struct masq_mc *s, struct masq_import_item *item,
          const char *restrictions, struct mfx_str value)
{
    masq_import_main(s->import, restrictions, value, NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf %s (%.*s)",
                    restrictions, MFX_STR_ARG(value));
}

static bool
is_zone(struct mfx_str zone)
{
    for (size_t i = 0; i < zone.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)zone.p[i]) &&
            strchr(".-_", zone.p[i]) == NULL)
            return false;
    return mfx_str_has(zone, '.');
}

/* In an .mc: zone, message; of a .cf: each zone. */
static void
take_dnsbl(struct masq_mc *s, struct masq_import_item *item,
           const char *restrictions, const char *how)
{
    size_t count = s->is_cf ? item->arg_count : 1;
    for (size_t i = 0; i < count; i++) {
        struct mfx_str zone = masq_import_arg(item, i);
        if (is_zone(zone))
            reject_by(s, item, restrictions,
                      mfx_arena_printf(s->import->arena, "%s %.*s", how,
                                       MFX_STR_ARG(zone)));
        else
            count = 0;
    }
    if (count == 0)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "which zone it is, cannot be seen here: %s ZONE in %s",
                        how, restrictions);
}

/* FEATURE(enhdnsbl, zone, message, t, answer, ...) */
static void
take_enhdnsbl(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str zone = masq_import_arg(item, 0);
    if (!is_zone(zone)) {
        take_dnsbl(s, item, "smtpd_client_restrictions", "reject_rbl_client");
        return;
    }
    if (item->arg_count <= 3)
        reject_by(s, item, "smtpd_client_restrictions",
                  mfx_arena_printf(s->import->arena, "reject_rbl_client %.*s",
                                   MFX_STR_ARG(zone)));
    for (size_t i = 3; i < item->arg_count; i++) {
        struct mfx_str answer = masq_import_arg(item, i);
        if (answer.len == 0)
            continue;
        if (answer.p[answer.len - 1] == '.')
            answer.len--;
        reject_by(s, item, "smtpd_client_restrictions",
                  mfx_arena_printf(s->import->arena,
                                   "reject_rbl_client %.*s=%.*s",
                                   MFX_STR_ARG(zone), MFX_STR_ARG(answer)));
    }
}

/* Milliseconds; Postfix waits whole seconds. */
static void
take_pause(struct masq_mc *s, struct masq_import_item *item)
{
    uint64_t ms;
    if (mfx_str_to_u64(masq_import_arg(item, 0), 600000, &ms) != MFX_OK) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "postscreen_greet_wait; its time is no number here");
        return;
    }
    masq_import_main_printf(s->import, "postscreen_greet_wait",
                            "greet_pause; needs postscreen in master.cf",
                            "%llus", (unsigned long long)((ms + 999) / 1000));
    masq_import_main(s->import, "postscreen_greet_action",
                     mfx_str_of("enforce"), NULL);
    masq_import_set(
        s->import, &s->import->hints, "postscreen",
        mfx_str_of("smtp      inet  n       -       y       -       1       "
                   "postscreen\n"
                   "smtpd     pass  -       -       y       -       -       "
                   "smtpd\n"
                   "(greet_pause: postscreen(8) in front of smtpd)"),
        NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "main.cf postscreen_greet_wait, master.cf postscreen");
}

static void
take_procmail(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str path = masq_import_arg(item, 0);
    if (s->is_cf || path.len == 0)
        path = mfx_str_of("/usr/bin/procmail");
    masq_import_main_printf(s->import, "mailbox_command", "local_procmail",
                            "%.*s -a \"$EXTENSION\"", MFX_STR_ARG(path));
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "main.cf mailbox_command");
}

static void
take_hub(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str hub = masq_import_arg(item, 0);
    masq_import_main(s->import, "mydestination", mfx_str(NULL, 0),
                     "nullclient: nothing is local");
    if (hub.len == 0 || mfx_str_has(hub, '$')) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "relayhost = the hub, which cannot be seen here");
        return;
    }
    masq_import_main(s->import, "relayhost", hub, "nullclient");
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "main.cf relayhost, mydestination");
}

/* --- all of them --- */

static void
take_main(struct masq_mc *s, const struct row *row,
          struct masq_import_item *item)
{
    struct mfx_str rest = mfx_str_of(row->target), name;
    (void)mfx_str_word(&rest, " ", &name);
    const char *copy = mfx_arena_copy(s->import->arena, name).p;
    if (copy == NULL)
        return;
    masq_import_main(s->import, copy, mfx_str_trim(rest), row->why);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf %s%s%s", copy,
                    row->why == NULL ? "" : ": ",
                    row->why == NULL ? "" : row->why);
}

/* The map is an item of its own; in an .mc the feature is it. */
static void
take_feature_map(struct masq_mc *s, const struct row *row,
                 struct masq_import_item *item)
{
    static const char *const defaults[][2] = {
        {"access",      "hash -T<TMPF> /etc/mail/access"},
        {"domaintable", "hash /etc/mail/domaintable"    },
        {"generics",    "hash /etc/mail/genericstable"  },
        {"mailertable", "hash /etc/mail/mailertable"    },
        {"virtuser",    "hash /etc/mail/virtusertable"  },
    };
    if (s->is_cf) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "see its map, K%s", row->target);
        return;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (strcmp(defaults[i][0], row->target) == 0 &&
            masq_import_arg(item, 0).len == 0) {
            item->arg_count = 0;
            masq_import_add_arg(item, mfx_str_of(defaults[i][1]));
        }
    item->name = mfx_str_of(row->target);
    masq_mc_take_map(s, item);
}

void
masq_mc_take_feature(struct masq_mc *s, struct masq_import_item *item)
{
    const struct row *row =
        find(features, sizeof features / sizeof features[0], item->name);
    if (row == NULL)
        return;
    switch (row->how) {
    case RULE:
        return; /* rules are made before, and say it */
    case MAP:
        take_feature_map(s, row, item);
        return;
    case NEEDLESS:
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "%s",
                        row->why);
        return;
    case HAND:
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND, "%s", row->why);
        return;
    case MAIN:
        take_main(s, row, item);
        return;
    case DNSBL:
        take_dnsbl(s, item, "smtpd_client_restrictions", "reject_rbl_client");
        return;
    case ENHDNSBL:
        take_enhdnsbl(s, item);
        return;
    case RHSBL:
        take_dnsbl(s, item, "smtpd_sender_restrictions", "reject_rhsbl_sender");
        return;
    case PAUSE:
        take_pause(s, item);
        return;
    case PROCMAIL:
        take_procmail(s, item);
        return;
    case HUB:
        take_hub(s, item);
        return;
    }
}

const char *
masq_mc_feature_switch(struct mfx_str name)
{
    const struct row *row =
        find(features, sizeof features / sizeof features[0], name);
    return row != NULL && row->how == RULE ? row->target : NULL;
}

bool
masq_mc_knows_call(struct mfx_str name)
{
    return find(calls, sizeof calls / sizeof calls[0], name) != NULL ||
           mfx_str_is(name, "include") || mfx_str_is(name, "sinclude");
}

void
masq_mc_take_call(struct masq_mc *s, struct masq_import_item *item)
{
    const struct row *row =
        find(calls, sizeof calls / sizeof calls[0], item->name);
    if (row != NULL) {
        masq_import_say(s->import, item,
                        row->how == HAND ? MASQ_IMPORT_BY_HAND
                                         : MASQ_IMPORT_NOT_NEEDED,
                        "%s", row->why);
    } else if (mfx_str_is(item->name, "include") ||
               mfx_str_is(item->name, "sinclude")) {
        struct mfx_str file = masq_import_arg(item, 0);
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "%.*s cannot be read here: give --cf-dir, or import "
                        "the sendmail.cf made of this",
                        MFX_STR_ARG(file));
    }
}

/* Lines of a .cf by their first letter. */
void
masq_mc_take_line(struct masq_mc *s, struct masq_import_item *item)
{
    static const struct {
        char letter, has; /* what else is in such a line */
        const char *why;
    } letters[] = {
        {'V', '/', "a version"                                },
        {'P', '=', "Postfix has no priorities"                },
        {'T', 'T', "Postfix trusts no users"                  },
        {'E', '=', "import_environment and export_environment"},
        {'H', ':', "Postfix adds the fields that are missing" },
        {'M', '=', "master.cf has Postfix's transports"       },
    };
    char c = item->name.len > 0 ? item->name.p[0] : '\0';
    if (item == s->rulesets) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "those that the features make; what LOCAL_RULE_n put "
                        "among them is seen in the .mc alone");
        return;
    }
    if (c == 'R') {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "rules of your own; rules cannot be carried");
        return;
    }
    if (c == 'Q') {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "transports of master.cf part mail");
        return;
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (c == letters[i].letter && mfx_str_has(item->name, letters[i].has) &&
            (c != 'T' || !mfx_str_has(item->name, ' ')))
            masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "%s",
                            letters[i].why);
}
