/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include "rotation/key_state.h"

static const struct mfx_option_word on_from_words[] = {
    {"refuse", DKIM_ON_FROM_REFUSE},
    {"first",  DKIM_ON_FROM_FIRST },
    {"pass",   DKIM_ON_FROM_PASS  },
    {NULL,     0                  },
};

static const struct mfx_option_word on_error_words[] = {
    {"tempfail", DKIM_ACTION_TEMPFAIL},
    {"pass",     DKIM_ACTION_ACCEPT  },
    {"reject",   DKIM_ACTION_REJECT  },
    {"hold",     DKIM_ACTION_HOLD    },
    {"discard",  DKIM_ACTION_DISCARD },
    {NULL,       0                   },
};

static const struct mfx_option_word mismatch_words[] = {
    {"pass",   DKIM_ACTION_ACCEPT},
    {"reject", DKIM_ACTION_REJECT},
    {NULL,     0                 },
};

static const struct mfx_option_word require_words[] = {
    {"replacing", DKIM_REQUIRE_REPLACING},
    {"always",    DKIM_REQUIRE_ALWAYS   },
    {"never",     DKIM_REQUIRE_NEVER    },
    {NULL,        0                     },
};

static const struct mfx_option_word login_match_words[] = {
    {"off",     DKIM_LOGIN_MATCH_OFF    },
    {"domain",  DKIM_LOGIN_MATCH_DOMAIN },
    {"address", DKIM_LOGIN_MATCH_ADDRESS},
    {NULL,      0                       },
};

static const struct mfx_option_word unprotected_words[] = {
    {"accept",  DKIM_UNPROTECTED_ACCEPT },
    {"neutral", DKIM_UNPROTECTED_NEUTRAL},
    {"fail",    DKIM_UNPROTECTED_FAIL   },
    {NULL,      0                       },
};

static const struct mfx_option_word invalid_words[] = {
    {"accept",    DKIM_INVALID_ACCEPT   },
    {"permerror", DKIM_INVALID_PERMERROR},
    {"reject",    DKIM_INVALID_REJECT   },
    {NULL,        0                     },
};

static const struct mfx_option_word no_key_words[] = {
    {"as-permerror", DKIM_ACTION_AS_PERMERROR},
    {"accept",       DKIM_ACTION_ACCEPT      },
    {"reject",       DKIM_ACTION_REJECT      },
    {"tempfail",     DKIM_ACTION_TEMPFAIL    },
    {"hold",         DKIM_ACTION_HOLD        },
    {"discard",      DKIM_ACTION_DISCARD     },
    {NULL,           0                       },
};

static const struct mfx_option_word action_words[] = {
    {"accept",   DKIM_ACTION_ACCEPT  },
    {"reject",   DKIM_ACTION_REJECT  },
    {"tempfail", DKIM_ACTION_TEMPFAIL},
    {"hold",     DKIM_ACTION_HOLD    },
    {"discard",  DKIM_ACTION_DISCARD },
    {NULL,       0                   },
};

#define S struct dkim_settings

const struct mfx_option dkim_options[] = {
    MFX_AUTHSERV_OPTIONS(S, results),
    MFX_OPTION_BOOL("software_header", S, software_header, "false", 0,
                    "Add a DKIM-Filter field that names this program, its "
                    "version, the host and the queue id to mail that was "
                    "signed or verified."),
    MFX_OPTION_TABLE(
        "exempt_domains", S, exempt_domains, "", 0,
        "From domains whose mail is neither signed nor verified. Exact, "
        "without subdomains."),
    MFX_OPTION_TABLE("exempt_clients", S, exempt_clients, "", 0,
                     "Clients whose mail passes untouched, as a host list."),
    MFX_OPTION_PATH(
        "state_dir", S, state_dir, "/var/lib/mfx/dkim", MFX_OPTION_RESTART,
        "Where this host writes down what it has seen of its keys in DNS, for "
        "after a restart. Never shared between hosts. Without it a new key is "
        "looked at anew after each start."),

    MFX_OPTION_BOOL(
        "sign.enable", S, sign.enable, "true", 0,
        "Sign mail that is ours. What is ours is said by the origin settings."),
    MFX_OPTION_TABLE(
        "sign.signing_table", S, sign.signing_table, "", 0,
        "Which keys sign for which From address, in OpenDKIM's format: a key "
        "name, or keyname:identity, for each address or pattern."),
    MFX_OPTION_TABLE("sign.key_table", S, sign.key_table, "", MFX_OPTION_CASE,
                     "Key names of the signing table, in OpenDKIM's format: "
                     "domain:selector:path for each name, or "
                     "domain:selector:path:algorithm. \"%\" as the domain is "
                     "the From domain; \"%\" in a path that begins with \"/\" "
                     "is the row's domain."),
    MFX_OPTION_PATH("sign.key_directory", S, sign.key_directory, "", 0,
                    "Where paths of the key table begin that start with "
                    "\"./\" or \"../\". Empty: such paths are an error."),
    MFX_OPTION_TABLE(
        "sign.sign_only", S, sign.sign_only, "", 0,
        "While domains move here from OpenDKIM, which stands before mfx-dkim: "
        "only mail from these domains is signed (.example.org: all below it). "
        "A signature that OpenDKIM has just made with the same keys is "
        "removed, and ours takes its place. Not set: all domains, and what is "
        "signed already with the same keys is not signed again."),
    MFX_OPTION_TABLE(
        "sign.domains", S, sign.domains, "", 0,
        "From domains to sign for without tables. A row's value may name the "
        "selectors of that domain (not in dsn: and mdb: tables); else "
        "sign.selectors holds. \"*\" is every "
        "domain without a row, and a refile: table holds patterns; d= is the "
        "From domain then."),
    MFX_OPTION_LIST(
        "sign.selectors", S, sign.selectors, "mfx", 0,
        "Selectors for sign.domains. Every one of them signs, so an RSA and "
        "an Ed25519 key are two selectors."),
    MFX_OPTION_STRING(
        "sign.key_path", S, sign.key_path, "/etc/mfx/keys/%d/%s.pem", 0,
        "Where the keys of sign.domains lie; %d is the domain, %s the "
        "selector. Without %d all domains share one key."),
    MFX_OPTION_BOOL(
        "sign.subdomains", S, sign.subdomains, "false", 0,
        "A domain of sign.domains also signs for all domains below it, with "
        "the parent in d=."),
    MFX_OPTION_BOOL(
        "sign.multiple", S, sign.multiple, "true", 0,
        "Every matching row of the signing table signs. If false, only the "
        "first."),
    MFX_OPTION_STRING(
        "sign.canonicalization", S, sign.canonicalization, "relaxed/relaxed", 0,
        "Canonicalization of header and body: simple or relaxed. With "
        "Sendmail, simple holds only for fields that Sendmail does not "
        "rewrite."),
    MFX_OPTION_STRING(
        "sign.headers", S, sign.headers, "", 0,
        "Header fields to sign. Empty: the default list. A plain list "
        "replaces the default; \"*,+X-Foo,-Date\" changes it."),
    MFX_OPTION_STRING("sign.omit_headers", S, sign.omit_headers, "", 0,
                      "Header fields never to sign."),
    MFX_OPTION_STRING(
        "sign.oversign_headers", S, sign.oversign_headers, "", 0,
        "Header fields that are listed once more than they are present, so "
        "that nobody can add one. Empty: the default list."),
    MFX_OPTION_SECONDS("sign.expire", S, sign.expire_s, "0", 0, 315360000, 0,
                       "Signatures expire (x=) after this time. 0: never."),
    MFX_OPTION_BOOL(
        "sign.body_length", S, sign.body_length, "false", 0,
        "Write the body length (l=). Anybody may then add to the body: leave "
        "it off."),
    MFX_OPTION_BOOL(
        "sign.allow_readable_keys", S, sign.allow_readable_keys, "false", 0,
        "Use private keys that other users can read or replace. If false, "
        "such a key is refused."),
    MFX_OPTION_INT("sign.min_rsa_bits", S, sign.min_rsa_bits, "1024", 1024,
                   8192, 0,
                   "RSA keys shorter than this do not sign: an error of "
                   "mfx-dkim -t, and sign.on_error at a message."),
    MFX_OPTION_LIST(
        "sign.sender_headers", S, sign.sender_headers, "From", 0,
        "Header fields that may say who mail is signed for. The first of them "
        "that is present does, with its first address; From is always the "
        "last of the list. sign.signing_table, sign.domains, "
        "sign.login_match and exempt_domains look at that address."),
    MFX_OPTION_STRING(
        "sign.sender_macro", S, sign.sender_macro, "", 0,
        "Macro of the MTA whose value is the address mail is signed for, such "
        "as {auth_authen}. Empty, or when the MTA does not send it: "
        "sign.sender_headers says who."),
    MFX_OPTION_ENUM(
        "sign.on_from", S, sign.on_from, "refuse", on_from_words, 0,
        "Mail of ours with no From, several From fields, several addresses in "
        "From, or one that cannot be read: refuse it; sign by the first "
        "address, and pass it unsigned with a log line if there is none; or "
        "pass all of it unsigned. Bounces are never refused. When "
        "sign.sender_headers or sign.sender_macro gives the signing address, "
        "several addresses in one From field are no fault, and a field that "
        "gives none is one."),
    MFX_OPTION_ENUM(
        "sign.on_error", S, sign.on_error, "tempfail", on_error_words, 0,
        "Mail that should be signed and cannot be, because a key, a table or "
        "DNS fails: tempfail, pass unsigned, reject, hold (unsigned, in "
        "quarantine), or discard."),
    MFX_OPTION_ENUM(
        "sign.login_match", S, sign.login_match, "off", login_match_words, 0,
        "Require that the login fits the From address, or the address that "
        "sign.sender_headers or sign.sender_macro names instead: its domain "
        "is that domain or a parent of it, or it is that address itself."),
    MFX_OPTION_TABLE(
        "sign.login_domains", S, sign.login_domains, "", 0,
        "Further domains a login may write from, separated by commas, for "
        "sign.login_match."),
    MFX_OPTION_ENUM("sign.on_login_mismatch", S, sign.on_login_mismatch, "pass",
                    mismatch_words, 0,
                    "When the login does not fit: pass unsigned, or reject."),
    MFX_OPTION_TABLE(
        "sign.except_recipients", S, sign.except_recipients, "", 0,
        "Mail of ours with any of these recipients passes unsigned. Whole "
        "addresses, or patterns of a refile: table."),
    MFX_OPTION_BOOL(
        "sign.remove_signatures", S, sign.remove_signatures, "false", 0,
        "Remove the DKIM-Signature fields that are there before signing."),
    MFX_OPTION_BOOL(
        "sign.normalize_addresses", S, sign.normalize_addresses, "true", 0,
        "Behind Sendmail, bring address fields into the form that Sendmail "
        "gives them after the filters, so that the signature survives."),
    MFX_OPTION_ENUM(
        "sign.require_published", S, sign.require_published, "replacing",
        require_words, 0,
        "Which keys must be seen at all authoritative name servers of their "
        "domain, and then for as long as a resolver may remember their "
        "absence, before they sign: those that replace another, which signs "
        "until then; also the first key of a domain when it has a card "
        "(unsigned until then); or none, and nothing is asked. If the record "
        "of a key that signs is lost, another key that is published signs; "
        "when there is none it signs on."),

    MFX_OPTION_SECONDS(
        "rotation.check_interval", S, rotation.check_interval_s, "1h", 1,
        604800, 0,
        "How often the record of each key is looked at, spread over that time. "
        "With many keys rotation.queries_per_second makes it longer."),
    MFX_OPTION_SECONDS(
        "rotation.wait_interval", S, rotation.wait_interval_s, "1m", 1, 86400,
        0,
        "How often a key is looked at that waits to be published, or lost its "
        "record; less often the longer it lasts."),
    MFX_OPTION_INT("rotation.queries_per_second", S,
                   rotation.queries_per_second, "50", 1, 1000, 0,
                   "Most DNS questions a second for looking after keys."),
    MFX_OPTION_SECONDS(
        "rotation.timeout", S, rotation.timeout_s, "2s", 1, 30, 0,
        "Longest wait for one answer of an authoritative name server; it is "
        "asked twice."),
    MFX_OPTION_LIST(
        "rotation.servers", S, rotation.servers, "", 0,
        "Name servers (address or address:port) to ask in place of those that "
        "a zone names: for hosts that see another zone than the world does. "
        "They must have authority for all signing domains."),
    MFX_OPTION_SECONDS(
        "rotation.queue_life", S, rotation.queue_life_s, "7d", 0, 31536000, 0,
        "How long a signed message may be on its way: the record of a key that "
        "was replaced must stand so long. Longer than the MTA's queue keeps "
        "mail (Postfix: maximal_queue_lifetime, 5d)."),

    MFX_OPTION_STRING(
        "rotation.selector", S, rotation.selector, "%Y%m", 0,
        "Selector of the next key that `mfxctl dkim rotate` makes; %Y, %y, %m, "
        "%d and %H are year, month, day and hour (UTC). A letter is appended "
        "when the name is taken."),

    MFX_OPTION_BOOL(
        "verify.enable", S, verify.enable, "true", 0,
        "Verify mail that is not ours and report in Authentication-Results."),
    MFX_OPTION_BOOL("verify.ours", S, verify.ours, "false", 0,
                    "Also verify mail that is ours and was not signed here."),
    MFX_OPTION_INT(
        "verify.max_signatures", S, verify.max_signatures, "10", 1, 100, 0,
        "Signatures to check in one message; those of the From domain come "
        "first."),
    MFX_OPTION_INT("verify.min_rsa_bits", S, verify.min_rsa_bits, "1024", 1024,
                   8192, 0, "RSA keys shorter than this do not pass."),
    MFX_OPTION_SECONDS("verify.clock_skew", S, verify.clock_skew_s, "5m", 0,
                       86400, 0,
                       "How far the signer's clock may differ from ours."),
    MFX_OPTION_BOOL(
        "verify.accept_partial_body", S, verify.accept_partial_body, "false", 0,
        "A signature with l= passes even if unsigned text follows."),
    MFX_OPTION_STRING(
        "verify.required_headers", S, verify.required_headers, "", 0,
        "Header fields a signature must cover to pass, besides From, when the "
        "message has them."),
    MFX_OPTION_ENUM(
        "verify.invalid_headers", S, verify.invalid_headers, "accept",
        invalid_words, 0,
        "Mail that breaks RFC 5322 3.6: without From or Date, or with two of "
        "a field that stands once at most. accept: verified all the same; "
        "permerror: no signature of it passes; reject: refused, whether it "
        "would be verified or signed."),
    MFX_OPTION_ENUM(
        "verify.unprotected_key", S, verify.unprotected_key, "accept",
        unprotected_words, 0,
        "What a signature becomes that is right but whose key record was not "
        "protected by DNSSEC: accept leaves it a pass, neutral makes it "
        "neutral, fail makes it a result of policy. Needs dns.trust_ad."),
    MFX_OPTION_TABLE(
        "verify.trusted_signers", S, verify.trusted_signers, "", 0,
        "Signers whose signatures count although they are not of the From "
        "domain: d= of the signature, or .example.org for all below. Others "
        "are reported and count as none. Empty: all count; \"csl:\": "
        "nobody's."),
    MFX_OPTION_BOOL("verify.report_none", S, verify.report_none, "true", 0,
                    "Write dkim=none for mail without a signature."),
    MFX_AUTH_RESULTS_OPTIONS(S, results, "verify.", "dkim"),
    MFX_OPTION_TABLE("verify.skip_hosts", S, verify.skip_hosts, "", 0,
                     "Clients whose mail is not verified, as a host list."),
    MFX_OPTION_ENUM("verify.on_none", S, verify.on_none, "accept", action_words,
                    0, "Mail without a signature."),
    MFX_OPTION_ENUM("verify.on_fail", S, verify.on_fail, "accept", action_words,
                    0, "Mail whose best signature is wrong."),
    MFX_OPTION_ENUM("verify.on_policy", S, verify.on_policy, "accept",
                    action_words, 0,
                    "Mail whose best signature is right but not acceptable."),
    MFX_OPTION_ENUM(
        "verify.on_permerror", S, verify.on_permerror, "accept", action_words,
        0, "Mail whose best signature cannot be checked: broken field or key."),
    MFX_OPTION_ENUM("verify.on_no_key", S, verify.on_no_key, "as-permerror",
                    no_key_words, 0,
                    "Mail whose best signature names a key that is not in DNS. "
                    "as-permerror: as verify.on_permerror says."),
    MFX_OPTION_ENUM(
        "verify.on_temperror", S, verify.on_temperror, "accept", action_words,
        0, "Mail whose best signature could not be checked now: DNS failed."),
    MFX_OPTION_TABLE(
        "verify.author_policy", S, verify.author_policy, "", 0,
        "What to do with mail from these From domains without a passing "
        "signature of that domain: accept, reject, tempfail, hold or discard; "
        "an entry .example.org holds for all below."),
    MFX_OPTION_END,
};

const char *
dkim_action_name(enum dkim_action action)
{
    const struct mfx_option_word *w = action_words;
    while (w->word != NULL && w->value != (int)action)
        w++;
    return w->word;
}

enum mfx_rc
dkim_action_parse(struct mfx_str word, enum dkim_action *action)
{
    for (const struct mfx_option_word *w = action_words; w->word != NULL; w++) {
        if (mfx_str_is_nocase(word, w->word)) {
            *action = (enum dkim_action)w->value;
            return MFX_OK;
        }
    }
    return MFX_NOTFOUND;
}

bool
dkim_table_is_live(const struct mfx_table *table)
{
    struct mfx_str type = mfx_str_of(mfx_table_type(table));
    static const char *const live[] = {"lmdb", "mdb", "sqlite", "dsn"};
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
        if (mfx_str_is(type, live[i]))
            return true;
    return false;
}
