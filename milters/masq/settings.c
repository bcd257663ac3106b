/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

static const struct mfx_option_word kind_words[] = {
    {"canonical",  MASQ_KIND_CANONICAL },
    {"masquerade", MASQ_KIND_MASQUERADE},
    {"sendmail",   MASQ_KIND_SENDMAIL  },
    {NULL,         0                   },
};

static const struct mfx_option_word whose_words[] = {
    {"ours",    MASQ_WHOSE_OURS   },
    {"foreign", MASQ_WHOSE_FOREIGN},
    {"all",     MASQ_WHOSE_ALL    },
    {NULL,      0                 },
};

static const struct mfx_option_word header_words[] = {
    {"remove",  MASQ_HEADER_REMOVE },
    {"replace", MASQ_HEADER_REPLACE},
    {NULL,      0                  },
};

static const struct mfx_option_word lookup_error_words[] = {
    {"tempfail", MASQ_LOOKUP_TEMPFAIL},
    {"accept",   MASQ_LOOKUP_ACCEPT  },
    {NULL,       0                   },
};

static const struct mfx_option_word parse_error_words[] = {
    {"keep",     MASQ_PARSE_KEEP    },
    {"reject",   MASQ_PARSE_REJECT  },
    {"tempfail", MASQ_PARSE_TEMPFAIL},
    {NULL,       0                  },
};

static const struct mfx_option_word srs_forward_words[] = {
    {"off",       MASQ_SRS_OFF      },
    {"forwarded", MASQ_SRS_FORWARDED},
    {"all",       MASQ_SRS_ALL      },
    {NULL,        0                 },
};

static const struct mfx_option_word alphabet_words[] = {
    {"-_", MASQ_SRS_URL  },
    {"+/", MASQ_SRS_PLAIN},
    {NULL, 0             },
};

static const struct mfx_option_word guard_words[] = {
    {"reject",  MASQ_GUARD_REJECT },
    {"rewrite", MASQ_GUARD_REWRITE},
    {"log",     MASQ_GUARD_LOG    },
    {NULL,      0                 },
};

static const struct mfx_option_word munge_when_words[] = {
    {"never",  MASQ_MUNGE_NEVER },
    {"dmarc",  MASQ_MUNGE_DMARC },
    {"always", MASQ_MUNGE_ALWAYS},
    {NULL,     0                },
};

static const struct mfx_option_word munge_mail_words[] = {
    {"forwarded", MASQ_MUNGE_FORWARDED},
    {"lists",     MASQ_MUNGE_LISTS    },
    {"all",       MASQ_MUNGE_ALL      },
    {NULL,        0                   },
};

static const struct mfx_option_word munge_dns_words[] = {
    {"munge",    MASQ_MUNGE_DNS_MUNGE   },
    {"tempfail", MASQ_MUNGE_DNS_TEMPFAIL},
    {NULL,       0                      },
};

const char *
masq_kind_name(int kind)
{
    for (const struct mfx_option_word *w = kind_words; w->word != NULL; w++)
        if (w->value == kind)
            return w->word;
    return "?";
}

#define R struct masq_rule_settings

static const struct mfx_option rule_options[] = {
    MFX_OPTION_STRING("name", R, name, "", 0,
                      "What the rule is called in logs and traces. Empty: its "
                      "kind and number."),
    MFX_OPTION_BOOL("enable", R, enable, "true", 0,
                    "Whether the rule is in force."),
    MFX_OPTION_ENUM(
        "kind", R, kind, "canonical", kind_words, 0,
        "How addresses are rewritten. canonical: by tables, as Postfix's "
        "canonical_maps. masquerade: subdomains are cut off, as Postfix's "
        "masquerade_domains. sendmail: as Sendmail's MASQUERADE_AS and "
        "genericstable. What belongs to another kind is an error."),
    MFX_OPTION_LIST(
        "classes", R, classes, "", 0,
        "Which addresses: envelope_sender, envelope_recipient, header_sender "
        "(From, Sender, Reply-To, Errors-To, Return-Path, Mail-Followup-To, "
        "Disposition-Notification-To, Return-Receipt-To, Resent-From, "
        "Resent-Sender), header_recipient (To, Cc, Bcc, Apparently-To, "
        "Resent-To, Resent-Cc, Resent-Bcc, Resent-Reply-To), message_id (the domain of "
        "Message-ID). Empty: what the kind has by itself: canonical all but "
        "message_id; masquerade envelope_sender, header_sender, "
        "header_recipient; sendmail header_sender, and more by "
        "masquerade_envelope and allmasquerade."),
    MFX_OPTION_ENUM("whose", R, whose, "ours", whose_words, 0,
                    "Whose mail the rule is for: ours (see the origin "
                    "settings), foreign, or all."),
    MFX_OPTION_TABLE("if_logins", R, if_logins, "", 0,
                     "Only mail of these logins."),
    MFX_OPTION_TABLE("if_clients", R, if_clients, "", 0,
                     "Only mail of these clients (addresses, networks, "
                     "names)."),
    MFX_OPTION_LIST("if_daemon_names", R, if_daemon_names, "", 0,
                    "Only mail that came by these daemon names of the MTA."),
    MFX_OPTION_TABLE("if_sender_domains", R, if_sender_domains, "", 0,
                     "Only mail whose envelope sender is of these domains "
                     "(\".example.org\" for those below)."),
    MFX_OPTION_TABLE(
        "if_recipient_domains", R, if_recipient_domains, "", 0,
        "Only mail with a recipient in these domains. Envelope recipients: "
        "only those in them."),
    MFX_OPTION_TABLE("unless_recipient_domains", R, unless_recipient_domains,
                     "", 0,
                     "Not mail whose recipients are all in these domains. "
                     "Envelope recipients: only those not in them."),
    MFX_OPTION_TABLES(
        "maps", R, maps, 0,
        "For canonical: tables of addresses. Each key is asked of all tables "
        "before the next: user+ext@domain, user@domain, user+ext and user (in "
        "local_domains), @domain; what was found is looked up again, at most "
        "10 times. \"@other\" as value keeps the local part."),
    MFX_OPTION_BOOL("propagate_extension", R, propagate_extension, "true", 0,
                    "For canonical: put \"+ext\" on the new address when the "
                    "row had none."),
    MFX_OPTION_TABLE(
        "domains", R, domains, "", 0,
        "For masquerade: domains whose subdomains are cut off, the first that "
        "fits counts; \"!host.example.org\" is left as it is, and what is below "
        "it."),
    MFX_OPTION_TABLE("exceptions", R, exceptions, "", 0,
                     "For masquerade: local parts that are left as they are."),
    MFX_OPTION_STRING("masquerade_as", R, masquerade_as, "", 0,
                      "For sendmail: the domain to appear instead. As "
                      "MASQUERADE_AS."),
    MFX_OPTION_TABLES("masquerade_domain", R, masquerade_domain, 0,
                      "For sendmail: further domains to be masqueraded (class "
                      "M). As MASQUERADE_DOMAIN and MASQUERADE_DOMAIN_FILE."),
    MFX_OPTION_TABLES("own_names", R, own_names, 0,
                      "For sendmail: this machine's names (class w), which are "
                      "masqueraded unless limited_masquerade is on. The MTA's "
                      "own name is always one."),
    MFX_OPTION_BOOL("masquerade_entire_domain", R, masquerade_entire_domain,
                    "false", 0,
                    "For sendmail: what is below masquerade_domain, too."),
    MFX_OPTION_BOOL("limited_masquerade", R, limited_masquerade, "false", 0,
                    "For sendmail: masquerade_domain alone, not own_names."),
    MFX_OPTION_BOOL("masquerade_envelope", R, masquerade_envelope, "false", 0,
                    "For sendmail: the envelope sender, too."),
    MFX_OPTION_BOOL("allmasquerade", R, allmasquerade, "false", 0,
                    "For sendmail: recipients in the header, too."),
    MFX_OPTION_TABLES("exposed_user", R, exposed_user, 0,
                      "For sendmail: local parts that keep their host (class "
                      "E). As EXPOSED_USER."),
    MFX_OPTION_TABLES("masquerade_exception", R, masquerade_exception, 0,
                      "For sendmail: hosts that are not masqueraded (class N). "
                      "As MASQUERADE_EXCEPTION."),
    MFX_OPTION_TABLES("genericstable", R, genericstable, 0,
                      "For sendmail: tables of addresses, asked for the whole "
                      "address, then @domain, then the user; they win over "
                      "masquerading."),
    MFX_OPTION_TABLES("generics_domain", R, generics_domain, 0,
                      "For sendmail: domains that genericstable is asked for "
                      "(class G)."),
    MFX_OPTION_BOOL("generics_entire_domain", R, generics_entire_domain,
                    "false", 0,
                    "For sendmail: what is below generics_domain, too."),
    MFX_OPTION_END,
};

#undef R
#define H struct masq_header_settings

static const struct mfx_option header_options[] = {
    MFX_OPTION_STRING("name", H, name, "", 0,
                      "Name of the field: \"X-Originating-IP\". \"X-Foo-*\" is "
                      "all that begin so."),
    MFX_OPTION_ENUM("action", H, action, "remove", header_words, 0,
                    "What becomes of it. replace: value takes its place."),
    MFX_OPTION_STRING("value", H, value, "", 0,
                      "The new text, one line; with action replace."),
    MFX_OPTION_STRING(
        "only_if", H, only_if, "", 0,
        "Only fields whose text, unfolded, has a match of this "
        "extended regular expression (letter case is alike): "
        "\"from .*\\\\.internal\\\\b\" for Received. Empty: all."),
    MFX_OPTION_ENUM("whose", H, whose, "ours", whose_words, 0,
                    "Whose mail it is for: ours, foreign, or all."),
    MFX_OPTION_END,
};

#undef H
#define S struct masq_settings

const struct mfx_option masq_options[] = {
    MFX_OPTION_TABLE(
        "our_domains", S, our_domains, "", 0,
        "Domains of ours (\".example.org\" for those below): their "
        "senders need no SRS, mail to them does not leave the "
        "site."),
    MFX_OPTION_TABLE("local_domains", S, local_domains, "", 0,
                     "Domains whose users are users of this site, so that "
                     "canonical tables are asked for the bare user, too."),
    MFX_OPTION_STRING("origin_domain", S, origin_domain, "", 0,
                      "Domain that addresses without one are taken to be of. "
                      "Empty: none; they stay as they are."),
    MFX_OPTION_STRING("recipient_delimiter", S, recipient_delimiter, "", 0,
                      "What parts a user from an extension: \"+\". Each "
                      "character is one."),
    MFX_OPTION_ENUM("lookup_error", S, lookup_error, "tempfail",
                    lookup_error_words, 0,
                    "When a table cannot be asked. tempfail: defer the mail. "
                    "accept: let it pass with the addresses as they are; SRS "
                    "and the From guard defer it all the same."),
    MFX_OPTION_ENUM("parse_error", S, parse_error, "keep", parse_error_words, 0,
                    "What becomes of mail that is to be rewritten and has an "
                    "address field that cannot be understood. keep: the field "
                    "stays as it is and the log says so."),
    MFX_OPTION_INT("max_addresses", S, max_addresses, "10000", 1, 1000000, 0,
                   "Most addresses of one field; a field with more cannot be "
                   "understood."),
    MFX_OPTION_GROUPS("rules", S, rules, rule_options,
                      sizeof(struct masq_rule_settings), 0, 1000, 0,
                      "How addresses are rewritten, one rule after the other: "
                      "each sees what the one before it made."),
    MFX_OPTION_GROUPS("headers", S, headers, header_options,
                      sizeof(struct masq_header_settings), 0, 1000, 0,
                      "Header fields that are removed or replaced, so that "
                      "mail tells less about this site."),
    MFX_OPTION_BOOL(
        "hide_client", S, hide_client, "false", 0,
        "Take the submitting client's name and address out of the topmost "
        "Received field of mail that is ours, where the MTA lets a filter "
        "change it."),
    MFX_OPTION_STRING("srs.domain", S, srs.domain, "", 0,
                      "Domain of SRS addresses; its mail must come here. "
                      "Empty: no SRS."),
    MFX_OPTION_TABLE("srs.also_domains", S, srs.also_domains, "", 0,
                     "Further domains whose SRS addresses are ours, from "
                     "before."),
    MFX_OPTION_PATH("srs.secrets_file", S, srs.secrets_file, "", 0,
                    "Secrets, one a line, as PostSRSd has them: the first "
                    "signs, any verifies."),
    MFX_OPTION_ENUM(
        "srs.forward", S, srs.forward, "forwarded", srs_forward_words, 0,
        "Whether envelope senders become SRS addresses. forwarded: when "
        "forward_maps or the recipient itself show that foreign mail leaves "
        "the site. all: whenever the sender is not of our_domains, for an MTA "
        "that sends nothing but outgoing mail. off: never."),
    MFX_OPTION_BOOL("srs.reverse", S, srs.reverse, "true", 0,
                    "Give mail for SRS addresses of ours the recipient that is "
                    "in them, and refuse those that are forged or too old."),
    MFX_OPTION_TABLES("srs.forward_maps", S, srs.forward_maps, 0,
                      "The MTA's alias tables (aliases, virtual aliases), by "
                      "which a recipient may leave the site. Tables of type "
                      "alias are those of aliases(5), and all others then "
                      "those of virtual(5)."),
    MFX_OPTION_STRING("srs.separator", S, srs.separator, "=", 0,
                      "Character behind SRS0: '=', '+' or '-'. All are "
                      "understood."),
    MFX_OPTION_INT("srs.hash_length", S, srs.hash_length, "4", 2, 20, 0,
                   "Characters of the hash in new addresses."),
    MFX_OPTION_INT("srs.hash_minimum", S, srs.hash_minimum, "4", 2, 20, 0,
                   "Characters of the hash that suffice in addresses that "
                   "come back."),
    MFX_OPTION_INT("srs.max_age", S, srs.max_age, "21", 1, 365, 0,
                   "Days that an SRS address holds good."),
    MFX_OPTION_ENUM("srs.alphabet", S, srs.alphabet, "-_", alphabet_words, 0,
                    "Last two characters of the hash's alphabet in new "
                    "addresses; \"+/\" as PostSRSd before 2.0. Both are "
                    "understood."),
    MFX_OPTION_BOOL(
        "srs.short_forms", S, srs.short_forms, "true", 0,
        "Keep senders in the store whose SRS addresses would be too "
        "long. false: then they are longer than the 64 octets "
        "before \"@\" that RFC 5321 allows, as PostSRSd's are."),
    MFX_OPTION_LIST("map_server.socketmap", S, map_server.socketmap, "", 0,
                    "Sockets (unix:/path, inet:127.0.0.1:port) where Postfix "
                    "can ask socketmap tables named srs_forward and "
                    "srs_reverse."),
    MFX_OPTION_STRING("map_server.tcp_forward", S, map_server.tcp_forward, "",
                      0,
                      "Where a tcp_table server rewrites senders, as "
                      "PostSRSd's: \"127.0.0.1:10001\"."),
    MFX_OPTION_STRING("map_server.tcp_reverse", S, map_server.tcp_reverse, "",
                      0, "The same for recipients: \"127.0.0.1:10002\"."),
    MFX_OPTION_MODE("map_server.mode", S, map_server.mode, "0666", 0,
                    "Mode of UNIX sockets of map_server.socketmap."),
    MFX_OPTION_BOOL("from_guard.enable", S, from_guard.enable, "false", 0,
                    "Let logins use their own addresses only in From."),
    MFX_OPTION_TABLES(
        "from_guard.addresses", S, from_guard.addresses, 0,
        "What a login (the key) may use: addresses, \"*@domain\", "
        "\"*@.domain\" for those below, \"*\" for all, separated by commas or "
        "blanks. All tables are asked."),
    MFX_OPTION_BOOL("from_guard.login_is_address", S,
                    from_guard.login_is_address, "true", 0,
                    "A login that is an address may use that address."),
    MFX_OPTION_BOOL("from_guard.subaddresses", S, from_guard.subaddresses,
                    "true", 0,
                    "Who may use user@domain may use user+ext@domain (see "
                    "recipient_delimiter)."),
    MFX_OPTION_BOOL("from_guard.sender", S, from_guard.sender, "true", 0,
                    "A Sender field is to hold an address of the login, too: "
                    "many programs show it."),
    MFX_OPTION_ENUM(
        "from_guard.action", S, from_guard.action, "reject", guard_words, 0,
        "What becomes of mail with another From, without one, or with one "
        "that cannot be understood. rewrite: From gets the envelope sender, "
        "if the login may use that; else reject. log: nothing, but it is "
        "logged."),
    MFX_OPTION_LIST("from_guard.keep_old", S, from_guard.keep_old,
                    "reply_to, x_original_from", 0,
                    "Where the old From is kept when it is rewritten: "
                    "reply_to (unless there is one), x_original_from."),
    MFX_OPTION_TABLE("from_guard.exempt_logins", S, from_guard.exempt_logins,
                     "", 0, "Logins that may use any From."),
    MFX_OPTION_STRING("from_guard.code", S, from_guard.code, "550 5.7.1", 0,
                      "Reply code of a refusal."),
    MFX_OPTION_STRING("from_guard.text", S, from_guard.text,
                      "$login may not use $from in $field", 0,
                      "Reply text of a refusal; $login, $from and $field stand "
                      "for the login, the address and the field's name."),
    MFX_OPTION_ENUM(
        "munge.when", S, munge.when, "never", munge_when_words, 0,
        "When an author's address in From is replaced by one of munge.domain "
        "that leads back to him. dmarc: when his domain publishes DMARC "
        "p=reject or p=quarantine."),
    MFX_OPTION_ENUM(
        "munge.mail", S, munge.mail, "lists", munge_mail_words, 0,
        "Of which mail. forwarded: foreign mail that leaves the site (see "
        "srs.forward_maps). lists: mail with List-Id or List-Post. all: all "
        "whose From is not of our_domains."),
    MFX_OPTION_STRING("munge.domain", S, munge.domain, "", 0,
                      "Domain of such addresses, best one of its own; its mail "
                      "must come here. Without munge.when it is only read "
                      "back."),
    MFX_OPTION_PATH("munge.secrets_file", S, munge.secrets_file, "", 0,
                    "Secrets, one a line, by which nobody else can make such "
                    "addresses."),
    MFX_OPTION_STRING(
        "munge.phrase_suffix", S, munge.phrase_suffix, "", 0,
        "Text behind the author's display name, parted from it by "
        "a blank: \"via lists.example.org\"."),
    MFX_OPTION_BOOL("munge.reply_to", S, munge.reply_to, "false", 0,
                    "Put the author's own address into Reply-To, too, if there "
                    "is none."),
    MFX_OPTION_ENUM(
        "munge.dns_error", S, munge.dns_error, "munge", munge_dns_words, 0,
        "When DNS does not say what an author's domain publishes. munge: as "
        "if it were p=reject. tempfail: defer the mail."),
    MFX_OPTION_INT("munge.keep_days", S, munge.keep_days, "400", 1, 3650, 0,
                   "Days that the store keeps an author whose address is too "
                   "long to stand in one of ours, from its last use on."),
    MFX_STORE_OPTIONS(S, store, "/var/lib/mfx/masq.db", "mfx-masq:"),
    MFX_OPTION_END,
};
