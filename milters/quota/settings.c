/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

static const struct mfx_option_word count_words[] = {
    {"messages",            QUOTA_COUNT_MESSAGES           },
    {"recipients",          QUOTA_COUNT_RECIPIENTS         },
    {"bytes",               QUOTA_COUNT_BYTES              },
    {"connections",         QUOTA_COUNT_CONNECTIONS        },
    {"open_connections",    QUOTA_COUNT_OPEN_CONNECTIONS   },
    {"client_addresses",    QUOTA_COUNT_CLIENT_ADDRESSES   },
    {"distinct_recipients", QUOTA_COUNT_DISTINCT_RECIPIENTS},
    {"new_recipients",      QUOTA_COUNT_NEW_RECIPIENTS     },
    {"refused_recipients",  QUOTA_COUNT_REFUSED_RECIPIENTS },
    {NULL,                  0                              },
};

static const struct mfx_option_word action_words[] = {
    {"tempfail", QUOTA_ACTION_TEMPFAIL},
    {"reject",   QUOTA_ACTION_REJECT  },
    {"hold",     QUOTA_ACTION_HOLD    },
    {"discard",  QUOTA_ACTION_DISCARD },
    {NULL,       0                    },
};

static const struct mfx_option_word whose_words[] = {
    {"all",     QUOTA_WHOSE_ALL    },
    {"ours",    QUOTA_WHOSE_OURS   },
    {"foreign", QUOTA_WHOSE_FOREIGN},
    {NULL,      0                  },
};

static const struct mfx_option_word mode_words[] = {
    {"enforce", QUOTA_RULE_ENFORCE},
    {"dry-run", QUOTA_RULE_DRY_RUN},
    {"off",     QUOTA_RULE_OFF    },
    {NULL,      0                 },
};

static const struct mfx_option_word store_error_words[] = {
    {"local",    QUOTA_STORE_ERROR_LOCAL   },
    {"accept",   QUOTA_STORE_ERROR_ACCEPT  },
    {"tempfail", QUOTA_STORE_ERROR_TEMPFAIL},
    {NULL,       0                         },
};

static const struct mfx_option_word notify_words[] = {
    {"soft", QUOTA_NOTIFY_SOFT},
    {"full", QUOTA_NOTIFY_FULL},
    {"both", QUOTA_NOTIFY_BOTH},
    {NULL,   0                },
};

static const char *
word_of(const struct mfx_option_word *words, int value)
{
    while (words->word != NULL && words->value != value)
        words++;
    return words->word == NULL ? "?" : words->word;
}

const char *
quota_count_name(int count)
{
    return word_of(count_words, count);
}

const char *
quota_action_name(int action)
{
    return word_of(action_words, action);
}

#define R struct quota_rule_settings

const struct mfx_option quota_rule_options[] = {
    MFX_OPTION_STRING(
        "name", R, name, "", 0,
        "What the rule is called in logs, replies, metrics and by mfxctl "
        "quota: lower-case letters, digits, '-' and '_', at most 40. What was "
        "counted belongs to the name: a rule with a new name begins at 0."),
    MFX_OPTION_ENUM(
        "mode", R, mode, "enforce", mode_words, 0,
        "Whether the rule holds. dry-run: count, and log what would have been done, but do not do it. "
        "off: as if the rule were not there."),
    MFX_OPTION_STRING(
        "key", R, key, "login", 0,
        "Whom the rule counts. Words: login, certificate (subject of a "
        "verified TLS client certificate), sender, sender_domain, from_domain "
        "(of the header field From), client (address), network, recipient, "
        "recipient_domain, daemon (the MTA's daemon name), site (everybody "
        "together). "
        "\"login + network\" counts each pair by itself; \"login | "
        "sender_domain | network\" takes the first that the mail has. sender, "
        "sender_domain and from_domain count only mail whose client has "
        "logged in, showed a verified certificate, or is in "
        "sender_trusted_from: nobody else may use up another's quota."),
    MFX_OPTION_ENUM(
        "count", R, count, "recipients", count_words, 0,
        "What is counted. recipients: each recipient of each message. bytes: "
        "the size of messages. connections: how many were begun; "
        "open_connections: how many are open now. client_addresses: how many "
        "different addresses a login came from. distinct_recipients: how many "
        "different recipients were written to; new_recipients: how many that "
        "had not been written to within memory. refused_recipients: how many "
        "recipients the MTA refused; past the limit, no further one is taken."),
    MFX_OPTION_STRING(
        "limits", R, limits, "", 0,
        "How much fits, several together: \"30/1m 200/1h 500/1d\". N/SPAN "
        "slides: no span of that length holds more than N. N/minute, N/hour, "
        "N/day, N/week, N/month go by the calendar. \"100/1h burst=20\" is a "
        "bucket of 20 that is refilled evenly. N/message limits recipients or "
        "bytes of one message. N alone: open_connections. \"unlimited\" and "
        "\"blocked\" are limits, too. Numbers may end in K, M, G for bytes. "
        "Spans: s, m, h, d, w. Empty: only who is in limits_table has one."),
    MFX_OPTION_TABLE(
        "limits_table", R, limits_table, "", 0,
        "Limits of their own, in the same words, or the name of a plan. Asked "
        "for the key; for an address, then for the domain, then for \"*\"; "
        "the first that is there holds instead of limits. With a key of "
        "several parts: parts joined by '+', then each part alone."),
    MFX_OPTION_TABLE("plans", R, plans, "", 0,
                     "Limits by the name of a plan, which limits_table may "
                     "give instead of limits."),
    MFX_OPTION_ENUM(
        "whose", R, whose, "all", whose_words, 0,
        "Whose mail the rule is for: ours (see the origin settings), foreign, "
        "or all."),
    MFX_OPTION_ENUM(
        "action", R, action, "tempfail", action_words, 0,
        "What becomes of mail above the limit. tempfail and reject refuse the "
        "recipient (451 4.7.1, 550 5.7.1) where the MTA asks for it; hold and "
        "discard concern the whole message and are decided at its end. Above "
        "the limit of one message: 452 4.5.3 for recipients, 552 5.3.4 for "
        "bytes, whatever the action. Connections: 421 4.7.0 at MAIL."),
    MFX_OPTION_STRING("code", R, code, "", 0,
                      "Another reply code: \"450 4.2.1\". Its class decides "
                      "whether mail is refused for good."),
    MFX_OPTION_STRING(
        "text", R, text, "", 0,
        "Another reply text. Variables: $rule, $key, $count (what is counted), "
        "$used, $limit, $window (\"1d\"), $free_in (\"3h 12m\"), $free_at "
        "(UTC), $queue_id."),
    MFX_OPTION_INT(
        "warn_at", R, warn_at, "80", 0, 100, 0,
        "Percentage of a limit at which a warning is logged and, with notify, "
        "the notify settings are carried out, once a window; 0: never."),
    MFX_OPTION_BOOL("notify", R, notify, "true", 0,
                    "Whether the notify settings are for this rule."),
    MFX_OPTION_TABLE("exempt_clients", R, exempt_clients, "", 0,
                     "Clients (addresses, networks, names) that the rule does "
                     "not count."),
    MFX_OPTION_TABLE("exempt_logins", R, exempt_logins, "", 0,
                     "Logins that the rule does not count."),
    MFX_OPTION_TABLE(
        "exempt_recipients", R, exempt_recipients, "", 0,
        "Recipients (user@domain, domain) that the rule does not count. "
        "The message's other recipients are counted all the same."),
    MFX_OPTION_INT("ipv4_prefix", R, ipv4_prefix, "24", 0, 32, 0,
                   "Length of the key network for IPv4."),
    MFX_OPTION_INT("ipv6_prefix", R, ipv6_prefix, "64", 0, 128, 0,
                   "Length of the key network for IPv6."),
    MFX_OPTION_SECONDS(
        "memory", R, memory_s, "90d", 60, 400 * 86400, 0,
        "For new_recipients: how long one that was written to stays known."),
    MFX_OPTION_STRING(
        "time_zone", R, time_zone, "", 0,
        "Whose midnight calendar limits go by: \"Europe/Zurich\", \"UTC\". "
        "Empty: that of the machine."),
    MFX_OPTION_END,
};

#undef R
#define S struct quota_settings

const struct mfx_option quota_options[] = {
    MFX_OPTION_GROUPS(
        "rules", S, rules, quota_rule_options,
        sizeof(struct quota_rule_settings), 0, 200, 0,
        "What is limited: each rule says whom and what it counts, how much "
        "fits, and what then. A recipient must fit all of them; the reply is "
        "that of the first rule it does not fit."),
    MFX_OPTION_TABLE("exempt_clients", S, exempt_clients, "", 0,
                     "Clients (addresses, networks, names) that no rule "
                     "counts."),
    MFX_OPTION_TABLE("exempt_logins", S, exempt_logins, "", 0,
                     "Logins that no rule counts."),
    MFX_OPTION_TABLE("exempt_recipients", S, exempt_recipients, "", 0,
                     "Recipients (user@domain, domain) that no rule counts."),
    MFX_OPTION_TABLE(
        "our_domains", S, our_domains, "", 0,
        "Domains of ours (\".example.org\" for those below). With it, the keys "
        "sender, sender_domain and from_domain take no other domain. Empty: "
        "any."),
    MFX_OPTION_TABLE(
        "sender_trusted_from", S, sender_trusted_from, "", 0,
        "Clients whose envelope sender and From are believed without a login: "
        "a submission proxy on this machine, a webmail server. Never a "
        "network that users are in."),
    MFX_OPTION_BOOL("fold_login", S, fold_login, "true", 0,
                    "Count login names without regard to letter case."),
    MFX_OPTION_ENUM(
        "store_error", S, store_error, "local", store_error_words, 0,
        "While the store does not answer. local: this machine counts by "
        "itself, up to local_share of each limit, and adds what it counted to "
        "the store when that is back. accept: nothing is limited; what passes "
        "is added later, too. tempfail: mail that a rule would count is "
        "deferred."),
    MFX_OPTION_INT("local_share", S, local_share, "34", 1, 100, 0,
                   "Percentage of a limit that this machine gives out by "
                   "itself while the store is away: with three relays, 34."),
    MFX_OPTION_SECONDS(
        "lease", S, lease_s, "15m", 60, 86400, 0,
        "What a message has reserved goes by itself after that time, should "
        "this daemon not live to give it back."),
    MFX_STORE_OPTIONS(S, store, "/var/lib/mfx/quota.db", "mfx-quota:"),
    MFX_OPTION_LIST("notify.command", S, notify.command, "", 0,
                    "Program and arguments to run for a warning; no shell. "
                    "The environment tells it MFX_EVENT, MFX_RULE, MFX_KEY, "
                    "MFX_USED, MFX_LIMIT, MFX_WINDOW and more."),
    MFX_OPTION_STRING("notify.url", S, notify.url, "", 0,
                      "Address (http:// or https://) that a warning is posted "
                      "to, as JSON."),
    MFX_OPTION_LIST("notify.http_headers", S, notify.http_headers, "",
                    MFX_OPTION_SECRET,
                    "Header fields to be sent along (\"Authorization: Bearer "
                    "...\")."),
    MFX_OPTION_ENUM(
        "notify.on", S, notify.on, "both", notify_words, 0,
        "What is told. soft: when warn_at is reached; full: when mail is refused "
        "for the first time in a window; both."),
    MFX_OPTION_SECONDS("notify.timeout", S, notify.timeout_s, "30s", 1, 600, 0,
                       "When the program is killed, and the request given "
                       "up."),
    MFX_OPTION_INT("notify.max_running", S, notify.max_running, "4", 1, 100, 0,
                   "Programs running at once."),
    MFX_OPTION_INT("notify.queue", S, notify.queue, "1000", 1, 100000, 0,
                   "Warnings waiting for their turn; more are dropped, and "
                   "that is logged."),
    MFX_OPTION_END,
};
