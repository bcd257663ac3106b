/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

static const struct mfx_option_word engine_words[] = {
    {"mfx",     MFX_SPF_ENGINE_MFX    },
    {"libspf2", MFX_SPF_ENGINE_LIBSPF2},
    {NULL,      0                     },
};

static const struct mfx_option_word action_words[] = {
    {"accept",   SPF_ACTION_ACCEPT  },
    {"tag",      SPF_ACTION_TAG     },
    {"hold",     SPF_ACTION_HOLD    },
    {"discard",  SPF_ACTION_DISCARD },
    {"tempfail", SPF_ACTION_TEMPFAIL},
    {"reject",   SPF_ACTION_REJECT  },
    {NULL,       0                  },
};

static const struct mfx_option_word mode_words[] = {
    {"enforce", SPF_RULE_ENFORCE},
    {"dry-run", SPF_RULE_DRY_RUN},
    {"off",     SPF_RULE_OFF    },
    {NULL,      0               },
};

static const struct mfx_option_word outgoing_words[] = {
    {"off",      SPF_OUTGOING_OFF     },
    {"log",      SPF_OUTGOING_LOG     },
    {"header",   SPF_OUTGOING_HEADER  },
    {"tempfail", SPF_OUTGOING_TEMPFAIL},
    {"reject",   SPF_OUTGOING_REJECT  },
    {NULL,       0                    },
};

const char *
spf_action_name(enum spf_action action)
{
    for (const struct mfx_option_word *w = action_words; w->word != NULL; w++)
        if (w->value == (int)action)
            return w->word;
    return "?";
}

#define R struct spf_rule_settings

static const struct mfx_option rule_options[] = {
    MFX_OPTION_STRING("name", R, name, "", 0,
                      "What the rule is called in logs and traces. Empty: its "
                      "number."),
    MFX_OPTION_ENUM("mode", R, mode, "enforce", mode_words, 0,
                    "enforce; dry-run: what the rule would do is logged, and "
                    "the next rules are asked; off."),
    MFX_OPTION_LIST("identities", R, identities, "helo, mail_from", 0,
                    "Which identities the rule is for: helo, mail_from."),
    MFX_OPTION_LIST("results", R, results, "fail", 0,
                    "Which results: none, neutral, pass, fail, softfail, "
                    "temperror, permerror."),
    MFX_OPTION_BOOL("no_mail", R, no_mail, "false", 0,
                    "Only where the record says that the domain sends no mail "
                    "at all: \"v=spf1 -all\"."),
    MFX_OPTION_TABLE("domains", R, domains, "", 0,
                     "Only these domains as identity (\".example.org\" for "
                     "those below). Empty: all."),
    MFX_OPTION_TABLE("clients", R, clients, "", 0,
                     "Only these clients, as a host list. Empty: all."),
    MFX_OPTION_ENUM("action", R, action, "reject", action_words, 0,
                    "What is done: accept, tag (see tag_header), hold (the "
                    "MTA's quarantine), discard, tempfail, reject."),
    MFX_OPTION_STRING("code", R, code, "", 0,
                      "Reply code and enhanced code (\"550 5.7.23\"). Empty: "
                      "that of spf.reject_code or spf.tempfail_code."),
    MFX_OPTION_STRING("text", R, text, "", 0,
                      "Text of the reply. Empty: spf.text."),
    MFX_OPTION_END,
};

#undef R
#define S struct spf_settings

/* What one identity's results do; pass has no row. */
#define IDENTITY_OPTIONS(name, field, who, on_fail, on_temperror)              \
    MFX_OPTION_ENUM(name ".on_fail", S, field.actions[MFX_SPF_FAIL], on_fail,  \
                    action_words, 0,                                           \
                    "The domain of the " who                                   \
                    " says that this client may not use it. What is done: "    \
                    "accept, tag, hold, discard, tempfail, reject."),          \
        MFX_OPTION_ENUM(                                                       \
            name ".on_softfail", S, field.actions[MFX_SPF_SOFTFAIL], "accept", \
            action_words, 0, "It says that it probably may not (\"~all\")."),  \
        MFX_OPTION_ENUM(name ".on_neutral", S, field.actions[MFX_SPF_NEUTRAL], \
                        "accept", action_words, 0,                             \
                        "It says nothing of this client."),                    \
        MFX_OPTION_ENUM(name ".on_none", S, field.actions[MFX_SPF_NONE],       \
                        "accept", action_words, 0,                             \
                        "It has no record, or is no domain."),                 \
        MFX_OPTION_ENUM(name ".on_permerror", S,                               \
                        field.actions[MFX_SPF_PERMERROR], "accept",            \
                        action_words, 0,                                       \
                        "Its record cannot be understood, or needs too many "  \
                        "lookups."),                                           \
        MFX_OPTION_ENUM(                                                       \
            name ".on_temperror", S, field.actions[MFX_SPF_TEMPERROR],         \
            on_temperror, action_words, 0,                                     \
            "DNS gave no answer in time. A tempfail lets the client try again.")

const struct mfx_option spf_options[] = {
    MFX_AUTHSERV_OPTIONS(S, auth_results),
    MFX_OPTION_LIST(
        "results", S, results, "authentication_results, received_spf", 0,
        "Which fields say what was found: authentication_results (RFC 8601), "
        "received_spf (RFC 7208 9.1), none."),
    MFX_AUTH_RESULTS_OPTIONS(S, auth_results, "", "spf or dnswl"),
    MFX_OPTION_ENUM("engine", S, engine, "mfx", engine_words, 0,
                    "Who evaluates SPF records: mfx, or libspf2, whose "
                    "deviations from RFC 7208 doc/spf.md lists."),
    MFX_OPTION_BOOL("spf.enable", S, spf.enable, "true", 0, "Check SPF."),
    MFX_OPTION_BOOL("spf.check_helo", S, spf.check_helo, "true", 0,
                    "Check the HELO identity too. With the null sender, MAIL "
                    "FROM is postmaster@HELO in any case."),
    MFX_OPTION_SECONDS(
        "spf.time_limit", S, spf.time_limit_s, "8s", 1, 300, 0,
        "Longest time for one check; then it is a temperror. RFC 7208 wants "
        "at least 20s where the MTA waits that long: Sendmail waits 10s at "
        "MAIL unless told otherwise (raise command_wait too)."),
    MFX_OPTION_INT("spf.void_limit", S, spf.void_limit, "2", 0, 100, 0,
                   "Lookups without an answer that a record may need (RFC 7208 "
                   "4.6.4); more is a permerror."),
    MFX_OPTION_BOOL("spf.lookahead", S, spf.lookahead, "true", 0,
                    "Ask DNS for what later terms of a record need before it "
                    "is known that they matter. Faster, some more questions."),
    MFX_OPTION_BYTES("spf.explanation", S, spf.explanation, "300", 0, 400, 0,
                     "Longest explanation of a domain (exp=) that is passed "
                     "on; 0: none is asked for."),
    MFX_OPTION_STRING("spf.receiver", S, spf.receiver, "", 0,
                      "Our name in Received-SPF and for the macro r. Empty: "
                      "the MTA's host name (macro {j})."),
    MFX_OPTION_STRING(
        "spf.reject_code", S, spf.reject_code, "", 0,
        "Reply code and enhanced code of a refusal. Empty: 550 5.7.23, for "
        "errors 550 5.7.24 (RFC 7372)."),
    MFX_OPTION_STRING("spf.tempfail_code", S, spf.tempfail_code, "", 0,
                      "Of a temporary one. Empty: 451 4.7.23, for errors 451 "
                      "4.7.24."),
    MFX_OPTION_STRING(
        "spf.text", S, spf.text, "", 0,
        "Text of these replies. $identity (helo, mailfrom), $domain, $result, "
        "$client, $client_name, $helo, $sender, $receiver, $problem, and "
        "$explanation, which the domain gives, with \": \" in front. Empty: "
        "\"SPF $result: $client may not send as $domain$explanation\", and "
        "for errors \"SPF $result: $problem\"."),
    IDENTITY_OPTIONS("mail_from", mail_from, "sender", "reject", "tempfail"),
    IDENTITY_OPTIONS("helo", helo, "HELO name", "reject", "accept"),
    MFX_OPTION_GROUPS("rules", S, rules, rule_options,
                      sizeof(struct spf_rule_settings), 0, 1000, 0,
                      "Exceptions from mail_from.on_... and helo.on_...: the "
                      "first rule that matches decides."),
    MFX_OPTION_TABLE(
        "unprotected_recipients", S, unprotected_recipients,
        "csl:postmaster,abuse", 0,
        "Recipients that get their mail whatever was found: addresses, local "
        "parts, domains (\"@example.org\"). While there are any, refusals are "
        "given to recipients (RCPT) and not to the sender (MAIL)."),
    MFX_OPTION_STRING("tag_header", S, tag_header, "X-Sender-Check", 0,
                      "Header field that tags mail, with what was found. Such "
                      "fields that come from outside are removed."),
    SPF_LIST_OPTIONS(S, lists),
    MFX_OPTION_TABLE("skip.clients", S, skip.clients, "", 0,
                     "Clients whose mail is not checked at all, as a host "
                     "list."),
    MFX_OPTION_TABLE(
        "forwarders.hosts", S, forwarders.hosts, "", 0,
        "Known forwarders, as a host list (addresses and names): what SPF says "
        "of their mail is recorded and refuses nothing."),
    MFX_OPTION_TABLE("forwarders.helo_names", S, forwarders.helo_names, "", 0,
                     "The same by HELO name, when that name's SPF passes for "
                     "the client or it is the client's verified name."),
    MFX_OPTION_LIST("forwarders.domains", S, forwarders.domains, "", 0,
                    "The same by their own SPF: clients that may send for one "
                    "of these domains. Asked only of mail that would be "
                    "refused or tagged; at most 20."),
    MFX_OPTION_TABLE(
        "relays.hosts", S, relays.hosts, "", 0,
        "Our secondary MXs and relays, as a host list: the client that is "
        "checked is the one that their Received field names. Where it "
        "cannot be told, the mail is tagged."),
    MFX_OPTION_INT("relays.hops", S, relays.hops, "3", 1, 20, 0,
                   "How many Received fields of such relays are gone through."),
    MFX_OPTION_BOOL(
        "relays.enforce", S, relays.enforce, "false", 0,
        "Refuse such mail too, at the end of the message; the relay then sends "
        "a bounce. Otherwise it is tagged."),
    MFX_OPTION_ENUM(
        "outgoing.check", S, outgoing.check, "off", outgoing_words, 0,
        "Mail of ours: look whether it would fail SPF at others. off; log it; "
        "add a header field too; tempfail or reject it."),
    MFX_OPTION_LIST("outgoing.addresses", S, outgoing.addresses, "", 0,
                    "The addresses that our mail leaves from."),
    MFX_OPTION_LIST("outgoing.results", S, outgoing.results,
                    "fail, softfail, permerror", 0,
                    "Results that are too bad."),
    MFX_OPTION_TABLE("outgoing.domains", S, outgoing.domains, "", 0,
                     "Only senders of these domains (\".example.org\" for "
                     "those below). Empty: all."),
    MFX_OPTION_STRING("outgoing.header", S, outgoing.header, "X-SPF-Warning", 0,
                      "Name of the header field."),
    MFX_OPTION_STRING("outgoing.text", S, outgoing.text, "", 0,
                      "Text of the refusal, with the variables of spf.text. "
                      "Empty: \"SPF of $domain does not allow our address "
                      "$client ($result)\"."),
    MFX_OPTION_END,
};
