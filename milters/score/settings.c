/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

static const struct mfx_option_word action_words[] = {
    {"none",     SCORE_ACTION_NONE    },
    {"tag",      SCORE_ACTION_TAG     },
    {"subject",  SCORE_ACTION_SUBJECT },
    {"hold",     SCORE_ACTION_HOLD    },
    {"redirect", SCORE_ACTION_REDIRECT},
    {"discard",  SCORE_ACTION_DISCARD },
    {"tempfail", SCORE_ACTION_TEMPFAIL},
    {"reject",   SCORE_ACTION_REJECT  },
    {NULL,       0                    },
};

static const struct mfx_option_word type_words[] = {
    {"rspamd", SCORE_ENGINE_RSPAMD},
    {"spamd",  SCORE_ENGINE_SPAMD },
    {"clamd",  SCORE_ENGINE_CLAMD },
    {NULL,     0                  },
};

static const struct mfx_option_word mode_words[] = {
    {"enforce", SCORE_ENGINE_ENFORCE},
    {"shadow",  SCORE_ENGINE_SHADOW },
    {"off",     SCORE_ENGINE_OFF    },
    {NULL,      0                   },
};

static const struct mfx_option_word mail_words[] = {
    {"all",      SCORE_MAIL_ALL     },
    {"incoming", SCORE_MAIL_INCOMING},
    {"outgoing", SCORE_MAIL_OUTGOING},
    {NULL,       0                  },
};

static const struct mfx_option_word order_words[] = {
    {"failover",    MFX_SCAN_FAILOVER   },
    {"round_robin", MFX_SCAN_ROUND_ROBIN},
    {"weight",      MFX_SCAN_WEIGHT     },
    {NULL,          0                   },
};

static const struct mfx_option_word too_large_words[] = {
    {"skip",     SCORE_TOO_LARGE_SKIP    },
    {"part",     SCORE_TOO_LARGE_PART    },
    {"tempfail", SCORE_TOO_LARGE_TEMPFAIL},
    {NULL,       0                       },
};

static const struct mfx_option_word failure_words[] = {
    {"tempfail", SCORE_FAILURE_TEMPFAIL},
    {"accept",   SCORE_FAILURE_ACCEPT  },
    {"score",    SCORE_FAILURE_SCORE   },
    {NULL,       0                     },
};

static const struct mfx_option_word command_words[] = {
    {"check",   MFX_SPAMD_CHECK  },
    {"symbols", MFX_SPAMD_SYMBOLS},
    {"report",  MFX_SPAMD_REPORT },
    {"headers", MFX_SPAMD_HEADERS},
    {NULL,      0                },
};

static const struct mfx_option_word per_user_words[] = {
    {"shared", SCORE_USER_SHARED},
    {"first",  SCORE_USER_FIRST },
    {"each",   SCORE_USER_EACH  },
    {NULL,     0                },
};

static const struct mfx_option_word differ_words[] = {
    {"headers", SCORE_DIFFER_HEADERS},
    {"remove",  SCORE_DIFFER_REMOVE },
    {NULL,      0                   },
};

static const struct mfx_option_word when_words[] = {
    {"always", SCORE_WHEN_ALWAYS},
    {"spam",   SCORE_WHEN_SPAM  },
    {"never",  SCORE_WHEN_NEVER },
    {NULL,     0                },
};

static const struct mfx_option_word seal_words[] = {
    {"no",      SCORE_SEAL_NO     },
    {"add",     SCORE_SEAL_ADD    },
    {"instead", SCORE_SEAL_INSTEAD},
    {NULL,      0                 },
};

static const struct mfx_option_word store_error_words[] = {
    {"accept",   SCORE_STORE_ERROR_ACCEPT  },
    {"tempfail", SCORE_STORE_ERROR_TEMPFAIL},
    {NULL,       0                         },
};

static const char *
word_of(const struct mfx_option_word *words, int value)
{
    for (; words->word != NULL; words++)
        if (words->value == value)
            return words->word;
    return "?";
}

const char *
score_action_name(enum score_action action)
{
    return word_of(action_words, (int)action);
}

bool
score_action_parse(struct mfx_str name, enum score_action *action)
{
    for (const struct mfx_option_word *w = action_words; w->word != NULL; w++)
        if (mfx_str_is_nocase(name, w->word)) {
            *action = (enum score_action)w->value;
            return true;
        }
    return false;
}

bool
score_is_name(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)text.p[i]) && text.p[i] != '-' &&
            text.p[i] != '_')
            return false;
    return text.len > 0;
}

const char *
score_engine_type_name(enum score_engine_type type)
{
    return word_of(type_words, (int)type);
}

enum {
    DAY_MS = 86400000,
    /* no score of any engine comes near */
    SCORE_MAX = 1000000 * 1000,
};

#define E struct score_engine_settings

/* What a find of one class does. */
#define CLASS_OPTION(name, klass, preset, help)                              \
    MFX_OPTION_ENUM("on_" name, E, on_class[klass], preset, action_words, 0, \
                    help)

const struct mfx_option score_engine_options[] = {
    MFX_OPTION_STRING("name", E, name, "", 0,
                      "What the engine is called in logs, headers and "
                      "commands: letters, digits, \"-\" and \"_\". Empty: its "
                      "type."),
    MFX_OPTION_ENUM(
        "type", E, type, "rspamd", type_words, 0,
        "What it is: rspamd (HTTP), spamd (SpamAssassin) or clamd (ClamAV)."),
    MFX_OPTION_ENUM(
        "mode", E, mode, "enforce", mode_words, 0,
        "What it does: enforce; shadow: asked, logged and compared, and nothing "
        "is done; off."),
    MFX_OPTION_ENUM("mail", E, mail, "all", mail_words, 0,
                    "Which mail it is asked about: all, incoming, outgoing "
                    "(mail of ours)."),
    MFX_OPTION_LIST("servers", E, servers, "", 0,
                    "Where it is: \"HOST:PORT\", \"[V6]:PORT\" or "
                    "\"unix:/PATH\", several in the order in which they are "
                    "asked; \"*3\" behind one is its weight. Empty: "
                    "127.0.0.1 with the port of its type (11333, 783, 3310)."),
    MFX_OPTION_ENUM("order", E, order, "failover", order_words, 0,
                    "Which server is asked: failover (the first that is up), "
                    "round_robin, weight (in turn, by weight)."),
    MFX_OPTION_BOOL("tls", E, tls, "false", 0,
                    "Speak TLS, and verify the server's certificate. clamd "
                    "knows none."),
    MFX_OPTION_PATH("tls_ca_file", E, tls_ca_file, "", 0,
                    "Certificates to trust; empty: the system's."),
    MFX_OPTION_PATH("tls_cert_file", E, tls_cert_file, "", 0,
                    "Our own certificate."),
    MFX_OPTION_PATH("tls_key_file", E, tls_key_file, "", 0, "Its private key."),
    MFX_OPTION_STRING("tls_name", E, tls_name, "", 0,
                      "Name to be in the server's certificate; empty: its "
                      "host name or address."),
    MFX_OPTION_MILLISECONDS("timeout", E, timeout_ms, "0", 0, DAY_MS, 0,
                            "Longest time for its answer, from the end of the "
                            "message. 0, or more than it: scan_timeout."),
    MFX_OPTION_MILLISECONDS("connect_timeout", E, connect_timeout_ms, "3s", 1,
                            DAY_MS, 0, "Longest time to connect."),
    MFX_OPTION_MILLISECONDS("attempt_timeout", E, attempt_timeout_ms, "0", 0,
                            DAY_MS, 0,
                            "Longest time for one server; then the next one "
                            "is asked. 0: a fair share of the time."),
    MFX_OPTION_MILLISECONDS("idle_timeout", E, idle_timeout_ms, "20s", 0,
                            DAY_MS, 0,
                            "How long a connection is kept for the next "
                            "message."),
    MFX_OPTION_INT("max_requests", E, max_requests, "100", 0, 100000, 0,
                   "Messages that it has at once; others wait. 0: no limit."),
    MFX_OPTION_INT("max_connections", E, max_connections, "20", 0, 100000, 0,
                   "The same for each server. 0: no limit."),
    MFX_OPTION_INT("max_queue", E, max_queue, "1000", 0, 1000000, 0,
                   "Messages that may wait; more of them count as a failure."),
    MFX_OPTION_BYTES("max_size", E, max_size, "0", 0, INT64_C(1) << 40, 0,
                     "Largest message that it is asked about. 0: no limit."),
    MFX_OPTION_ENUM("on_too_large", E, on_too_large, "skip", too_large_words, 0,
                    "Larger ones, and those too large for the engine: skip "
                    "(the mail passes and is marked), part (the first "
                    "max_size bytes are looked at), tempfail."),
    MFX_OPTION_BYTES("max_answer", E, max_answer, "1M", 1024, INT64_C(1) << 31,
                     0, "Longest answer; more is a failure."),
    MFX_OPTION_INT("max_failures", E, max_failures, "3", 1, 1000, 0,
                   "Failures one after the other until a server is not asked "
                   "any more."),
    MFX_OPTION_MILLISECONDS("retry", E, retry_ms, "1s", 10, DAY_MS, 0,
                            "When such a server is greeted again; then after "
                            "twice as long, and so on."),
    MFX_OPTION_MILLISECONDS("retry_max", E, retry_max_ms, "1m", 10, DAY_MS, 0,
                            "Longest pause between two greetings."),
    MFX_OPTION_MILLISECONDS("check_interval", E, check_interval_ms, "10s", 0,
                            DAY_MS, 0,
                            "An idle server is greeted this often. 0: only "
                            "those that have failed."),
    MFX_OPTION_LIST("takes", E, takes, "score, action, edits", 0,
                    "What its answer may do. score: it is part of the total. "
                    "action: what the engine proposes (reject, tag ...) is "
                    "done at least. edits: header fields and other changes "
                    "that it wants."),
    MFX_OPTION_LIST("actions", E, actions, "", 0,
                    "What is done for what it proposes, where that is to be "
                    "something else: \"reject=hold\", \"spam=redirect\" "
                    "(spamd has this one word). rspamd's actions of one's own "
                    "making are named here, or the answer is none."),
    MFX_OPTION_DECIMAL("scale", E, scale, "1", -1000000, 1000000, 0,
                       "Its score is multiplied by this ..."),
    MFX_OPTION_DECIMAL("offset", E, offset, "0", -SCORE_MAX, SCORE_MAX, 0,
                       "... and this is added, before it is part of the "
                       "total."),
    MFX_OPTION_ENUM("on_failure", E, on_failure, "tempfail", failure_words, 0,
                    "When it does not answer: tempfail; accept (without it, "
                    "and the mail is marked); score (failure_score is its "
                    "score, and the mail is marked)."),
    MFX_OPTION_DECIMAL("failure_score", E, failure_score, "0", -SCORE_MAX,
                       SCORE_MAX, 0, "See on_failure."),
    MFX_OPTION_BOOL("compress", E, compress, "false", 0,
                    "Compress what is sent (rspamd: zstd, spamd: zlib), for "
                    "servers that are far away."),
    MFX_OPTION_STRING("password", E, password, "", MFX_OPTION_SECRET,
                      "For rspamd: password of its worker."),
    MFX_OPTION_PATH("password_file", E, password_file, "", 0,
                    "For rspamd: file whose first line is the password."),
    MFX_OPTION_STRING("settings_id", E, settings_id, "", 0,
                      "For rspamd: Settings-ID of incoming mail."),
    MFX_OPTION_STRING("outgoing_settings_id", E, outgoing_settings_id, "", 0,
                      "For rspamd: Settings-ID of mail of ours."),
    MFX_OPTION_STRING("settings", E, settings, "", 0,
                      "For rspamd: Settings, as JSON."),
    MFX_OPTION_BOOL("all_symbols", E, all_symbols, "false", 0,
                    "For rspamd: go on looking when the mail is bad enough "
                    "(Pass: all)."),
    MFX_OPTION_LIST("controller", E, controller, "", 0,
                    "For rspamd: servers of its controller, for \"mfxctl score "
                    "learn\". Empty: 127.0.0.1:11334."),
    MFX_OPTION_STRING("controller_password", E, controller_password, "",
                      MFX_OPTION_SECRET,
                      "For rspamd: the controller's password."),
    MFX_OPTION_PATH("controller_password_file", E, controller_password_file, "",
                    0, "For rspamd: file whose first line is that password."),
    MFX_OPTION_ENUM("command", E, command, "symbols", command_words, 0,
                    "For spamd: check (the score alone), symbols, report (with "
                    "scores), headers (the fields that SpamAssassin would "
                    "write; its report_safe must be 0)."),
    MFX_OPTION_STRING(
        "user", E, user, "", 0,
        "For spamd: whose preferences count where users has none. "
        "Empty: spamd's own."),
    MFX_OPTION_TABLE(
        "users", E, users, "", 0,
        "For spamd: recipients and the users whose preferences count "
        "for them. The value \"$recipient\" is the address, "
        "\"$local\" what stands before the @."),
    MFX_OPTION_ENUM("per_user", E, per_user, "shared", per_user_words, 0,
                    "For spamd: mail for several recipients. shared: the user "
                    "that they have in common, else the setting user; first: "
                    "the first one's; each: one scan for each user."),
    MFX_OPTION_INT(
        "max_users", E, max_users, "10", 1, 100, 0,
        "For spamd: scans of one message with per_user \"each\"; other "
        "recipients count as the setting user."),
    MFX_OPTION_BOOL("trace", E, trace, "true", 0,
                    "For spamd: put the Return-Path and Received in front that "
                    "the MTA will write; SpamAssassin misjudges mail without."),
    MFX_OPTION_BOOL("sessions", E, sessions, "false", 0,
                    "For clamd: one connection for many messages. Over a UNIX "
                    "socket it gains nothing."),
    MFX_OPTION_BOOL(
        "pass_files", E, pass_files, "true", 0,
        "For clamd: over a UNIX socket, hand over large messages as a "
        "file instead of sending them."),
    CLASS_OPTION(
        "virus", MFX_SCAN_CLASS_VIRUS, "reject",
        "For clamd: what is done with a virus: none, tag, subject, hold, "
        "redirect, discard, tempfail, reject."),
    CLASS_OPTION("pua", MFX_SCAN_CLASS_PUA, "tag",
                 "For clamd: something unwanted, not harmful (PUA.)."),
    CLASS_OPTION("heuristic", MFX_SCAN_CLASS_HEURISTIC, "reject",
                 "For clamd: found by heuristics (Heuristics.)."),
    CLASS_OPTION("encrypted", MFX_SCAN_CLASS_ENCRYPTED, "tag",
                 "For clamd: an encrypted archive or document."),
    CLASS_OPTION("macro", MFX_SCAN_CLASS_MACRO, "tag",
                 "For clamd: a document with macros."),
    CLASS_OPTION("limit", MFX_SCAN_CLASS_LIMIT, "tag",
                 "For clamd: too large or too deep to be looked through."),
    CLASS_OPTION("phishing", MFX_SCAN_CLASS_PHISHING, "reject",
                 "For clamd: phishing."),
    CLASS_OPTION("spam", MFX_SCAN_CLASS_SPAM, "tag",
                 "For clamd: a signature of spam."),
    CLASS_OPTION("data_loss", MFX_SCAN_CLASS_DATA_LOSS, "tag",
                 "For clamd: numbers of cards and the like."),
    CLASS_OPTION("broken", MFX_SCAN_CLASS_BROKEN, "tag",
                 "For clamd: a damaged executable or image."),
    MFX_OPTION_LIST("class_scores", E, class_scores, "", 0,
                    "For clamd: what finds add to the total: \"pua=3\", "
                    "\"macro=2.5\"."),
    MFX_OPTION_END,
};

#undef E

#define THRESHOLD(name, S, field, preset, help)                       \
    MFX_OPTION_DECIMAL(name, S, field, preset, -SCORE_MAX, SCORE_MAX, \
                       MFX_OPTION_NONE, help)

#define THRESHOLDS(prefix, S, f)                                             \
    THRESHOLD(prefix "greylist", S, f.greylist, "none",                      \
              "Total from which on mail is greylisted: deferred when it is " \
              "first seen. \"none\": never."),                               \
        THRESHOLD(prefix "tag", S, f.tag, "none",                            \
                  "Total from which on mail is marked as spam in header "    \
                  "fields."),                                                \
        THRESHOLD(prefix "subject", S, f.subject, "none",                    \
                  "Total from which on the subject is tagged too."),         \
        THRESHOLD(prefix "hold", S, f.hold, "none",                          \
                  "Total from which on mail is held in the MTA's "           \
                  "quarantine."),                                            \
        THRESHOLD(prefix "redirect", S, f.redirect, "none",                  \
                  "Total from which on mail goes to redirect.to instead."),  \
        THRESHOLD(prefix "discard", S, f.discard, "none",                    \
                  "Total from which on mail is thrown away."),               \
        THRESHOLD(prefix "reject", S, f.reject, "none",                      \
                  "Total from which on mail is refused.")

#define P struct score_profile_settings

static const struct mfx_option profile_options[] = {
    MFX_OPTION_STRING("name", P, name, "", 0,
                      "What recipient_profiles and login_profiles call it."),
    THRESHOLDS("", P, thresholds),
    MFX_OPTION_BOOL("follow_engines", P, follow_engines, "true", 0,
                    "What engines propose is done at least (see takes)."),
    MFX_OPTION_STRING("redirect_to", P, redirect_to, "", 0,
                      "Address for redirect. Empty: redirect.to."),
    MFX_OPTION_END,
};

#undef P
#define S struct score_settings

const struct mfx_option score_options[] = {
    MFX_OPTION_GROUPS("engines", S, engines, score_engine_options,
                      sizeof(struct score_engine_settings), 0, 20, 0,
                      "The engines; they are asked side by side."),
    MFX_OPTION_MILLISECONDS("scan_timeout", S, scan_timeout_ms, "50s", 100,
                            DAY_MS, 0,
                            "Longest time for all engines, from the end of "
                            "the message. It must end before the MTA's own "
                            "(Postfix: 300s, Sendmail: 5m)."),
    MFX_OPTION_BYTES("memory_limit", S, memory_limit, "256K", 1024,
                     INT64_C(1) << 31, 0,
                     "Larger messages take a part of memory_total, or lie in "
                     "a temporary file without a name, one for all engines."),
    MFX_OPTION_BYTES("memory_total", S, memory_total, "64M", 0,
                     INT64_C(1) << 40, 0,
                     "Memory that larger messages share, up to a quarter of "
                     "it each. 0: none."),
    MFX_OPTION_PATH("temp_folder", S, temp_folder, "", 0,
                    "Folder of these files. Empty: $TMPDIR, or /var/tmp."),
    THRESHOLDS("thresholds.", S, thresholds),
    MFX_OPTION_BOOL("follow_engines", S, follow_engines, "true", 0,
                    "What engines propose (rspamd: its action; spamd: tag, if "
                    "it says spam) is done at least, as far as their setting "
                    "takes has \"action\"."),
    MFX_OPTION_GROUPS("profiles", S, profiles, profile_options,
                      sizeof(struct score_profile_settings), 0, 1000, 0,
                      "Thresholds for some recipients or logins."),
    MFX_OPTION_TABLE("recipient_profiles", S, recipient_profiles, "", 0,
                     "Recipients (addresses, domains) and their profiles: a "
                     "name; \"off\": no spam actions; or changes of the "
                     "default, such as \"tag=4 reject=10\"."),
    MFX_OPTION_TABLE("login_profiles", S, login_profiles, "", 0,
                     "The same for mail of ours, by login."),
    MFX_OPTION_BOOL("outgoing.enable", S, outgoing.enable, "true", 0,
                    "Ask engines about mail of ours too."),
    THRESHOLDS("outgoing.thresholds.", S, outgoing.thresholds),
    MFX_OPTION_BOOL("outgoing.follow_engines", S, outgoing.follow_engines,
                    "true", 0, "As follow_engines, for mail of ours."),
    MFX_OPTION_PATH("outgoing.command", S, outgoing.command, "", 0,
                    "Program that is run when mail of a login is at least "
                    "held: it may block the login (\"mfxctl quota block\"). "
                    "MFX_LOGIN, MFX_CLIENT, MFX_CLIENT_NAME, MFX_SENDER, "
                    "MFX_RECIPIENTS (how many), MFX_SCORE, MFX_ACTION, "
                    "MFX_REASON, MFX_QUEUE_ID, MFX_HOST and MFX_TIME are in "
                    "its environment."),
    MFX_OPTION_SECONDS("outgoing.command_timeout", S,
                       outgoing.command_timeout_s, "30s", 1, 3600, 0,
                       "Longest time that it may take."),
    MFX_OPTION_SECONDS("outgoing.command_interval", S,
                       outgoing.command_interval_s, "5m", 0, 86400, 0,
                       "It is run once for a login in this time."),
    MFX_OPTION_TABLE("skip.clients", S, skip.clients, "", 0,
                     "Clients whose mail is not looked at, as a host list."),
    MFX_OPTION_TABLE("skip.logins", S, skip.logins, "", 0,
                     "Logins whose mail is not looked at."),
    MFX_OPTION_TABLE("skip.senders", S, skip.senders, "", 0,
                     "Envelope senders whose mail is not looked at: "
                     "addresses, local parts, domains. Anyone can name one."),
    MFX_OPTION_ENUM("recipients.differ", S, recipients.differ, "headers",
                    differ_words, 0,
                    "When recipients want different things, what all of them "
                    "want is done. headers: the rest is said in header "
                    "fields; remove: those who want it held, redirected, "
                    "thrown away or refused do not get it."),
    MFX_OPTION_STRING("recipients.quarantine", S, recipients.quarantine, "", 0,
                      "Address that gets the mail in the place of those that "
                      "were removed."),
    MFX_OPTION_STRING("redirect.to", S, redirect.to, "", 0,
                      "Address for the action redirect."),
    MFX_OPTION_BOOL("redirect.keep_recipients", S, redirect.keep_recipients,
                    "false", 0, "The recipients get the mail too."),
    MFX_OPTION_STRING("subject_tag", S, subject_tag, "[SPAM]", 0,
                      "What stands before the subject of spam. $score, "
                      "$required."),
    MFX_OPTION_ENUM("headers.when", S, headers.when, "always", when_words, 0,
                    "Header fields are written always, to spam, never. Mail "
                    "that could not be looked at is always marked."),
    MFX_OPTION_ENUM("headers.outgoing_when", S, headers.outgoing_when, "never",
                    when_words, 0, "The same for mail of ours."),
    MFX_OPTION_STRING("headers.flag", S, headers.flag, "X-Spam-Flag", 0,
                      "Name of the field that says YES for spam. Empty: it is "
                      "not written; so for all of these."),
    MFX_OPTION_STRING("headers.score", S, headers.score, "X-Spam-Score", 0,
                      "Name of the field with the total."),
    MFX_OPTION_STRING("headers.level", S, headers.level, "X-Spam-Level", 0,
                      "Name of the field with one character for each point."),
    MFX_OPTION_STRING("headers.level_character", S, headers.level_character,
                      "*", 0, "That character."),
    MFX_OPTION_STRING("headers.status", S, headers.status, "X-Spam-Status", 0,
                      "Name of the field that says all in one line, as "
                      "SpamAssassin does."),
    MFX_OPTION_STRING("headers.symbols", S, headers.symbols, "", 0,
                      "Name of the field with the symbols and their scores."),
    MFX_OPTION_STRING("headers.action", S, headers.action, "X-Spam-Action", 0,
                      "Name of the field with the harshest action that any "
                      "recipient wants, where they differ."),
    MFX_OPTION_STRING("headers.virus_scanned", S, headers.virus_scanned,
                      "X-Virus-Scanned", 0,
                      "Name of the field that says who looked for viruses."),
    MFX_OPTION_STRING("headers.virus_status", S, headers.virus_status,
                      "X-Virus-Status", 0,
                      "Name of the field that says what was found."),
    MFX_OPTION_STRING("headers.original_to", S, headers.original_to,
                      "X-Spam-Orig-To", 0,
                      "Name of the field with the recipients of redirected "
                      "mail."),
    MFX_OPTION_LIST("headers.remove", S, headers.remove,
                    "X-Spam, X-Spam-*, X-Virus-*, X-Rspamd-*", 0,
                    "Fields that are removed from mail that is not ours, "
                    "besides those that are written."),
    MFX_OPTION_STRING("seal.header", S, seal.header, "", 0,
                      "Name of a signed field that takes the score on to a "
                      "second stage, such as X-Mfx-Score. Empty: none."),
    MFX_OPTION_PATH("seal.secrets_file", S, seal.secrets_file, "", 0,
                    "File of secrets for it, one a line: the first signs, all "
                    "are accepted."),
    MFX_OPTION_ENUM("seal.accept", S, seal.accept, "no", seal_words, 0,
                    "A valid one that came with the mail: no: it means "
                    "nothing; add: its score is added; instead: no engine is "
                    "asked."),
    MFX_OPTION_SECONDS("seal.max_age", S, seal.max_age_s, "1d", 1, 31536000, 0,
                       "Oldest one that is accepted."),
    MFX_OPTION_STRING("reply.spam_code", S, reply.spam_code, "554 5.7.1", 0,
                      "Reply code and enhanced code for spam."),
    MFX_OPTION_STRING("reply.spam_text", S, reply.spam_text, "", 0,
                      "Text of that reply. $score, $required, $engine, $text, "
                      "$virus, $queue_id, $action, $recipient_count. Empty: "
                      "what the engine says, or \"Spam message rejected\", "
                      "and the queue id."),
    MFX_OPTION_STRING("reply.virus_code", S, reply.virus_code, "554 5.7.1", 0,
                      "Reply code and enhanced code for viruses."),
    MFX_OPTION_STRING("reply.virus_text", S, reply.virus_text, "", 0,
                      "Text of that reply. Empty: \"Infected ($virus)\" and "
                      "the queue id."),
    MFX_OPTION_STRING("reply.tempfail_code", S, reply.tempfail_code,
                      "451 4.7.1", 0,
                      "Reply code and enhanced code when an engine wants mail "
                      "deferred."),
    MFX_OPTION_STRING("reply.tempfail_text", S, reply.tempfail_text, "", 0,
                      "Text of that reply. Empty: what the engine says, or "
                      "\"Try again later\"."),
    MFX_OPTION_STRING("reply.greylist_code", S, reply.greylist_code,
                      "451 4.7.1", 0,
                      "Reply code and enhanced code of greylisting."),
    MFX_OPTION_STRING("reply.greylist_text", S, reply.greylist_text, "", 0,
                      "Text of that reply; $seconds too. Empty: \"Greylisted, "
                      "please try again in $seconds seconds\"."),
    MFX_OPTION_STRING("reply.failure_code", S, reply.failure_code, "451 4.7.1",
                      0, "Reply code and enhanced code when an engine fails."),
    MFX_OPTION_STRING("reply.failure_text", S, reply.failure_text, "", 0,
                      "Text of that reply. Empty: \"Content check "
                      "unavailable\"."),
    MFX_OPTION_BOOL("reply.engine_text", S, reply.engine_text, "true", 0,
                    "Pass on what engines say to the client, where it is one "
                    "line of plain text."),
    MFX_OPTION_SECONDS("greylist.delay", S, greylist.delay_s, "5m", 1, 86400, 0,
                       "How long mail is deferred."),
    MFX_OPTION_SECONDS("greylist.retry_window", S, greylist.retry_window_s,
                       "2d", 60, 2592000, 0,
                       "A retry later than this is a first sight."),
    MFX_OPTION_SECONDS("greylist.remember", S, greylist.remember_s, "36d", 60,
                       31536000, 0,
                       "How long a sender that came back is known."),
    MFX_OPTION_INT("greylist.ipv4_prefix", S, greylist.ipv4_prefix, "24", 8, 32,
                   0, "Clients of one network of this size are alike."),
    MFX_OPTION_INT("greylist.ipv6_prefix", S, greylist.ipv6_prefix, "64", 16,
                   128, 0, "The same for IPv6."),
    MFX_OPTION_TABLE("greylist.skip_clients", S, greylist.skip_clients, "", 0,
                     "Clients that are not greylisted, as a host list."),
    MFX_OPTION_ENUM("greylist.on_store_error", S, greylist.on_store_error,
                    "accept", store_error_words, 0,
                    "When the store does not answer: accept (without "
                    "greylisting), tempfail."),
    MFX_OPTION_INT("max_symbols", S, max_symbols, "5000", 100, 1000000, 0,
                   "Symbols of each engine that are counted for \"mfxctl "
                   "score symbols\"; those with the fewest hits give way."),
    MFX_STORE_OPTIONS(S, store, "/var/lib/mfx/score.db", "mfx-score:"),
    MFX_OPTION_END,
};
