/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every setting of OpenDKIM 2.10 and 2.11, and what becomes of it.
 */
#include "opendkim.h"

#include <unistd.h>

#include <mfx/base/file.h>

enum {
    TABLE_MAX = 64 * 1024 * 1024,
};

struct row;
typedef void take(struct dkim_import *import, const struct row *row,
                  const struct dkim_import_given *given);

struct row {
    const char *name;
    enum dkim_import_fate fate;
    take *take;         /* NULL: nothing is written */
    const char *target; /* setting of ours */
    const char *why;    /* in words, where nothing is written */
};

/* --- values that go over as they are --- */

static void
take_bool(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    dkim_import_set_bool(import, row->target, dkim_import_is_yes(given), NULL);
}

static void
take_not(struct dkim_import *import, const struct row *row,
         const struct dkim_import_given *given)
{
    dkim_import_set_bool(import, row->target, !dkim_import_is_yes(given), NULL);
}

static void
take_text(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    dkim_import_set_text(import, row->target, given->value, NULL);
}

static void
take_path(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    dkim_import_set_text(import, row->target,
                         dkim_import_path(import, given->value), NULL);
}

/* The names of a csl; OpenDKIM takes files of names, too. */
static void
take_words(struct dkim_import *import, const struct row *row,
           const struct dkim_import_given *given)
{
    struct mfx_str value = given->value;
    if (mfx_str_has(value, '/')) {
        dkim_import_say(import, given, DKIM_IMPORT_LOST,
                        "write the names of that data set into %s, separated "
                        "by commas",
                        row->target);
        return;
    }
    if (mfx_str_starts_nocase(value, mfx_str_of("csl:")))
        value = mfx_str_from(value, 4);
    dkim_import_set_text(import, row->target, value, NULL);
}

static void
take_list(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    if (mfx_str_has(given->value, '/')) {
        dkim_import_say(import, given, DKIM_IMPORT_LOST,
                        "write the names of that data set into the list %s",
                        row->target);
        return;
    }
    dkim_import_set(import, row->target, dkim_import_list(import, given->value),
                    NULL);
}

static void
take_table(struct dkim_import *import, const struct row *row,
           const struct dkim_import_given *given)
{
    struct mfx_str spec;
    if (dkim_import_dataset(import, given, &spec))
        dkim_import_set_text(import, row->target, spec, NULL);
}

static void
bad_number(struct dkim_import *import, const struct dkim_import_given *given)
{
    dkim_import_say(import, given, DKIM_IMPORT_LOST, "\"%.*s\" is no number",
                    MFX_STR_ARG(given->value));
}

static void
set_number(struct dkim_import *import, const char *target, uint64_t number)
{
    dkim_import_set(
        import, target,
        mfx_arena_printf(import->arena, "%llu", (unsigned long long)number),
        NULL);
}

static void
take_seconds(struct dkim_import *import, const struct row *row,
             const struct dkim_import_given *given)
{
    uint64_t s;
    if (mfx_str_to_u64(given->value, 31536000, &s) != MFX_OK) {
        bad_number(import, given);
        return;
    }
    if (s == 0 && mfx_str_is(mfx_str_of(row->target), "dns.timeout")) {
        s = 300;
        dkim_import_warn(import, given,
                         "0 waits for ever; it is 300 seconds now");
    }
    dkim_import_set_text(
        import, row->target,
        mfx_arena_printf(import->arena, "%llus", (unsigned long long)s), NULL);
}

/* --- signing --- */

static void
take_canonicalization(struct dkim_import *import, const struct row *row,
                      const struct dkim_import_given *given)
{
    struct mfx_str value = given->value;
    if (!mfx_str_has(value, '/'))
        value =
            mfx_arena_printf(import->arena, "%.*s/simple", MFX_STR_ARG(value));
    dkim_import_set_text(import, row->target, value, NULL);
}

static void
take_domain(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    if (dkim_import_find(import, "KeyTable") != NULL) {
        dkim_import_warn(import, given,
                         "OpenDKIM looks at it no more when "
                         "there is a KeyTable: left out");
        return;
    }
    take_table(import, row, given);
}

static void
take_key_file(struct dkim_import *import, const struct row *row,
              const struct dkim_import_given *given)
{
    if (dkim_import_find(import, "KeyTable") == NULL)
        take_path(import, row, given);
    else
        dkim_import_warn(import, given,
                         "OpenDKIM looks at it no more when "
                         "there is a KeyTable: left out");
}

static void
take_selector(struct dkim_import *import, const struct row *row,
              const struct dkim_import_given *given)
{
    if (dkim_import_find(import, "KeyTable") == NULL)
        dkim_import_set(import, row->target,
                        dkim_import_list(import, given->value), NULL);
    else
        dkim_import_warn(import, given,
                         "OpenDKIM looks at it no more when "
                         "there is a KeyTable: left out");
}

/* "*example.com": the one who wrote it thought of subdomains. */
static bool
is_careless(struct mfx_str key)
{
    return key.len > 1 && key.p[0] == '*' && key.p[1] != '@' &&
           key.p[1] != '.' && !mfx_str_has(key, '@');
}

static void
warn_rows(struct dkim_import *import, const struct dkim_import_given *given,
          struct mfx_str path)
{
    struct mfx_str text, line, key;
    unsigned number = 0;
    const char *name = mfx_arena_copy(import->arena, path).p;
    if (name == NULL || mfx_file_read(name, TABLE_MAX, import->arena, &text,
                                      NULL, NULL) != MFX_OK)
        return; /* the check of the whole says so */
    while (mfx_str_cut(&text, '\n', &line)) {
        number++;
        line = mfx_str_head(line, mfx_str_find(line, '#'));
        if (mfx_str_word(&line, " \t", &key) && is_careless(key))
            dkim_import_warn(
                import, given,
                "%s:%u: %.*s also takes addresses like user@not%.*s: "
                "*@%.*s and *@*.%.*s are meant",
                name, number, MFX_STR_ARG(key),
                MFX_STR_ARG(mfx_str_from(key, 1)),
                MFX_STR_ARG(mfx_str_from(key, 1)),
                MFX_STR_ARG(mfx_str_from(key, 1)));
    }
}

static void
take_signing_table(struct dkim_import *import, const struct row *row,
                   const struct dkim_import_given *given)
{
    struct mfx_str spec;
    if (!dkim_import_dataset(import, given, &spec))
        return;
    dkim_import_set_text(import, row->target, spec, NULL);
    if (mfx_str_starts(spec, mfx_str_of("refile:")))
        warn_rows(import, given, mfx_str_from(spec, 7));
}

static void
take_multiple(struct dkim_import *import, const struct row *row,
              const struct dkim_import_given *given)
{
    take_bool(import, row, given);
    if (dkim_import_is_yes(given))
        dkim_import_warn(
            import, given,
            "of three and more matching rows OpenDKIM makes only "
            "the first and the last signature; mfx-dkim makes all");
}

static void
take_macros(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    struct mfx_str rest = given->value, item;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, import->arena, 8 * rest.len + 16);
    if (mfx_str_has(rest, '/')) {
        take_list(import, row, given);
        return;
    }
    if (mfx_str_starts_nocase(rest, mfx_str_of("csl:")))
        rest = mfx_str_from(rest, 4);
    while (mfx_str_word(&rest, ", \t", &item)) {
        size_t equal = mfx_str_find(item, '=');
        mfx_buf_printf(&out, out.len > 0 ? ",{%.*s}%.*s" : "{%.*s}%.*s",
                       MFX_STR_ARG(mfx_str_head(item, equal)),
                       MFX_STR_ARG(mfx_str_from(item, equal)));
    }
    dkim_import_set(import, row->target,
                    dkim_import_list(import, mfx_buf_str(&out)), NULL);
    if (dkim_import_find(import, "MTA") != NULL)
        dkim_import_warn(import, given,
                         "OpenDKIM lets MacroList take back what MTA says; "
                         "here each of them makes mail ours");
}

static void
take_mode(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    (void)row;
    dkim_import_set_bool(import, "sign.enable", mfx_str_has(given->value, 's'),
                         NULL);
    dkim_import_set_bool(import, "verify.enable",
                         mfx_str_has(given->value, 'v'), NULL);
}

/* --- verifying --- */

static void
take_authserv_id(struct dkim_import *import, const struct row *row,
                 const struct dkim_import_given *given)
{
    char host[256] = "";
    struct mfx_str id = given->value;
    if (mfx_str_is(id, "HOSTNAME")) {
        (void)gethostname(host, sizeof host - 1);
        id = mfx_arena_copy(import->arena, mfx_str_of(host));
    }
    dkim_import_set_text(import, row->target, id, NULL);
}

static void
take_keep_results(struct dkim_import *import, const struct row *row,
                  const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("none"), NULL);
}

static void
take_remove_all(struct dkim_import *import, const struct row *row,
                const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("all"), NULL);
}

static void
take_header_bytes(struct dkim_import *import, const struct row *row,
                  const struct dkim_import_given *given)
{
    uint64_t n;
    if (mfx_str_to_u64(given->value, UINT32_MAX, &n) != MFX_OK) {
        bad_number(import, given);
        return;
    }
    n = n == 0 || n > 1 << 30 ? 1 << 30 : n < 4096 ? 4096 : n;
    dkim_import_set_text(
        import, row->target,
        mfx_arena_printf(import->arena, "%llu", (unsigned long long)n), NULL);
}

static void
take_max_signatures(struct dkim_import *import, const struct row *row,
                    const struct dkim_import_given *given)
{
    uint64_t n;
    if (mfx_str_to_u64(given->value, 100000, &n) != MFX_OK) {
        bad_number(import, given);
        return;
    }
    if (n == 0)
        dkim_import_warn(import, given,
                         "0 means those of the author's domain alone; here "
                         "they come first, and one is checked");
    set_number(import, row->target, n == 0 ? 1 : n > 100 ? 100 : n);
}

static void
take_key_bits(struct dkim_import *import, const struct row *row,
              const struct dkim_import_given *given)
{
    uint64_t n;
    if (mfx_str_to_u64(given->value, 8192, &n) != MFX_OK) {
        bad_number(import, given);
        return;
    }
    if (n < 1024)
        dkim_import_warn(import, given,
                         "below 1024 bits nothing passes (RFC 8301)");
    set_number(import, row->target, n < 1024 ? 1024 : n);
    set_number(import, "sign.min_rsa_bits", n < 1024 ? 1024 : n);
}

static void
take_required(struct dkim_import *import, const struct row *row,
              const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("reject"), NULL);
}

static void
take_strict(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    const struct dkim_import_given *required =
        dkim_import_find(import, "RequiredHeaders");
    if (dkim_import_is_yes(given) && !dkim_import_is_yes(required))
        dkim_import_set_text(import, row->target, mfx_str_of("permerror"),
                             NULL);
}

static void
take_unprotected(struct dkim_import *import, const struct row *row,
                 const struct dkim_import_given *given)
{
    bool is_none = mfx_str_is_nocase(given->value, "none");
    if (!is_none)
        dkim_import_warn(import, given,
                         "needs a validating resolver in dns.servers, and "
                         "dns.trust_ad = true");
    dkim_import_set_text(import, row->target,
                         is_none ? mfx_str_of("accept") : given->value, NULL);
}

/* --- actions --- */

/* OpenDKIM takes any word in silence, and then accepts. */
static struct mfx_str
action_of(struct dkim_import *import, const struct dkim_import_given *given)
{
    static const char *const words[][2] = {
        {"accept",     "accept"  },
        {"discard",    "discard" },
        {"quarantine", "hold"    },
        {"reject",     "reject"  },
        {"tempfail",   "tempfail"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_is_nocase(given->value, words[i][0]))
            return mfx_str_of(words[i][1]);
    dkim_import_warn(import, given,
                     "\"%.*s\" is no action; OpenDKIM says nothing and "
                     "accepts, so accept it is",
                     MFX_STR_ARG(given->value));
    return mfx_str_of("accept");
}

static void
take_action(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    struct mfx_str action = action_of(import, given);
    if (mfx_str_is(mfx_str_of(row->target), "sign.on_error") &&
        mfx_str_is(action, "accept"))
        action = mfx_str_of("pass");
    dkim_import_set_text(import, row->target, action, NULL);
    if (!mfx_str_is(mfx_str_of(row->target), "verify.on_fail"))
        return;
    /* to OpenDKIM these are bad signatures, too */
    dkim_import_set_text(import, "verify.on_policy", action, NULL);
    dkim_import_set_text(import, "verify.on_permerror", action, NULL);
}

/* On-Default comes first, wherever it stands. */
static void
take_on_default(struct dkim_import *import, const struct row *row,
                const struct dkim_import_given *given)
{
    static const char *const others[][2] = {
        {"On-BadSignature",  "verify.on_fail"     },
        {"On-BadSignature",  "verify.on_policy"   },
        {"On-BadSignature",  "verify.on_permerror"},
        {"On-DNSError",      "verify.on_temperror"},
        {"On-InternalError", "on_internal_error"  },
        {"On-KeyNotFound",   "verify.on_no_key"   },
        {"On-NoSignature",   "verify.on_none"     },
        {"On-Security",      "on_limit"           },
    };
    (void)row;
    struct mfx_str action = action_of(import, given);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (dkim_import_find(import, others[i][0]) == NULL)
            dkim_import_set_text(import, others[i][1], action, "On-Default");
}

static void
take_on_none(struct dkim_import *import, const struct row *row,
             const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(dkim_import_find(import, "AlwaysAddARHeader"))) {
        dkim_import_warn(import, given,
                         "OpenDKIM does not apply it with AlwaysAddARHeader: "
                         "left at accept");
        dkim_import_set_text(import, row->target, mfx_str_of("accept"), NULL);
        return;
    }
    take_action(import, row, given);
}

/* --- the process --- */

static void
take_socket(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    struct mfx_str value = given->value;
    bool is_name = !mfx_str_has(value, ':');
    if (is_name || mfx_str_starts_nocase(value, mfx_str_of("local:")) ||
        mfx_str_starts_nocase(value, mfx_str_of("unix:"))) {
        struct mfx_str path =
            is_name ? value : mfx_str_from(value, mfx_str_find(value, ':') + 1);
        value = mfx_arena_printf(import->arena, "unix:%.*s",
                                 MFX_STR_ARG(dkim_import_path(import, path)));
    } else if (mfx_str_starts_nocase(value, mfx_str_of("inet")) &&
               !mfx_str_has(value, '@')) {
        value = mfx_arena_printf(
            import->arena, "%.*s@%s", MFX_STR_ARG(value),
            mfx_str_starts_nocase(value, mfx_str_of("inet6:")) ? "::"
                                                               : "0.0.0.0");
    }
    dkim_import_set_text(import, row->target, value,
                         "OpenDKIM listens there: while both run, give one of "
                         "them another place");
}

static void
take_umask(struct dkim_import *import, const struct row *row,
           const struct dkim_import_given *given)
{
    unsigned mask = 0;
    for (size_t i = 0; i < given->value.len; i++) {
        if (given->value.p[i] < '0' || given->value.p[i] > '7') {
            bad_number(import, given);
            return;
        }
        mask = mask * 8 + (unsigned)(given->value.p[i] - '0');
    }
    dkim_import_set_text(
        import, row->target,
        mfx_arena_printf(import->arena, "0%03o", 0777 & ~mask & 0666), NULL);
}

static void
take_user(struct dkim_import *import, const struct row *row,
          const struct dkim_import_given *given)
{
    size_t colon = mfx_str_find(given->value, ':');
    dkim_import_set_text(import, row->target, mfx_str_head(given->value, colon),
                         NULL);
    if (colon < given->value.len)
        dkim_import_set_text(import, "group",
                             mfx_str_from(given->value, colon + 1), NULL);
}

static void
take_syslog(struct dkim_import *import, const struct row *row,
            const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("syslog"), NULL);
    else
        dkim_import_warn(import, given,
                         "OpenDKIM logs nothing then; mfx-dkim always logs a "
                         "line a message");
}

/* --- all of them --- */

static const struct row rows[] = {
    {"AllowSHA1Only",                DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "SHA-256 is always there; SHA-1 is never signed and never passes (RFC 8301)"                                                         },
    {"AlwaysAddARHeader",            DKIM_IMPORT_KEPT,        take_bool,             "verify.report_none",
     NULL                                                                                                                                 },
    {"ATPSDomains",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "authorized third-party signatures (RFC 6541) are asked for by nobody"                                                               },
    {"ATPSHashAlgorithm",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ATPSDomains"                                                                                                              },
    {"AuthservID",                   DKIM_IMPORT_KEPT,        take_authserv_id,      "authserv_id",                NULL                   },
    {"AuthservIDWithJobID",          DKIM_IMPORT_KEPT,        take_bool,             "authserv_id_job_id",
     NULL                                                                                                                                 },
    {"AutoRestart",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the service manager starts it again (Restart=on-failure)"                                                                           },
    {"AutoRestartCount",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the service manager has StartLimitBurst="                                                                                           },
    {"AutoRestartRate",              DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the service manager has StartLimitIntervalSec="                                                                                     },
    {"Background",                   DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "mfx-dkim stays in the foreground for the service manager; -D detaches it"                                                           },
    {"BaseDirectory",                DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "relative paths are written out in full"                                                                                             },
    {"BodyLengthDB",                 DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "l= lets anybody add to the body; the whole body is signed"                                                                          },
    {"BogusKey",                     DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "a validating resolver gives no answer for a bogus record: the result is temperror, and verify.on_temperror says what then"          },
    {"Canonicalization",             DKIM_IMPORT_KEPT,        take_canonicalization,
     "sign.canonicalization",                                                                                      NULL                   },
    {"CaptureUnknownErrors",         DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "on_internal_error = \"hold\" does it"                                                                                               },
    {"ChangeRootDirectory",          DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "paths are written as they are outside; RootDirectory= of the service manager shuts the daemon in"                                   },
    {"ClockDrift",                   DKIM_IMPORT_KEPT,        take_seconds,          "verify.clock_skew",          NULL                   },
    {"ConditionalSignatures",        DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "a draft that expired; nobody verifies such signatures"                                                                              },
    {"DefaultSender",                DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "it never worked in OpenDKIM; sign.on_from says what becomes of mail without a sender"                                               },
    {"DiagnosticDirectory",          DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with Diagnostics"                                                                                                              },
    {"Diagnostics",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "z= repeats header fields to everybody; mfxctl dkim verify tells what broke a signature"                                             },
    {"DisableCryptoInit",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "OpenSSL initialises itself"                                                                                                         },
    {"DNSConnect",                   DKIM_IMPORT_KEPT,        take_bool,             "dns.use_tcp",                NULL                   },
    {"DNSTimeout",                   DKIM_IMPORT_KEPT,        take_seconds,          "dns.timeout",                NULL                   },
    {"Domain",                       DKIM_IMPORT_KEPT,        take_domain,           "sign.domains",               NULL                   },
    {"DomainKeysCompat",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "DomainKeys (RFC 4870) is obsolete"                                                                                                  },
    {"DontSignMailTo",               DKIM_IMPORT_KEPT,        take_table,            "sign.except_recipients",
     NULL                                                                                                                                 },
    {"EnableCoredumps",              DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "LimitCORE= of the service manager"                                                                                                  },
    {"ExemptDomains",                DKIM_IMPORT_KEPT,        take_table,            "exempt_domains",             NULL                   },
    {"ExternalIgnoreList",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "it only silences a log line of OpenDKIM and never made mail ours"                                                                   },
    {"FinalPolicyScript",            DKIM_IMPORT_LOST,        NULL,                  NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                           },
    {"FixCRLF",                      DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "line ends are made CRLF before they are hashed, always"                                                                             },
    {"FlowData",                     DKIM_IMPORT_DROPPED,     NULL,                  NULL,                         "goes with RateLimits" },
    {"FlowDataFactor",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,                         "goes with RateLimits" },
    {"FlowDataTTL",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,                         "goes with RateLimits" },
    {"IdentityHeader",               DKIM_IMPORT_LOST,        NULL,                  NULL,
     "i= comes from the signing table (keyname:identity)"                                                                                 },
    {"IdentityHeaderRemove",         DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with IdentityHeader"                                                                                                           },
    {"IgnoreMalformedMail",          DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "a message that cannot be read gets no result field unless verify.invalid_headers says so"                                           },
    {"Include",                      DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "what it names is read in its place"                                                                                                 },
    {"InternalHosts",                DKIM_IMPORT_KEPT,        take_table,            "origin.internal_hosts",
     NULL                                                                                                                                 },
    {"KeepAuthResults",              DKIM_IMPORT_KEPT,        take_keep_results,
     "verify.remove_results",                                                                                      NULL                   },
    {"KeepTemporaryFiles",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "nothing is written to temporary files; mfxctl dkim verify tells what broke a signature"                                             },
    {"KeyFile",                      DKIM_IMPORT_KEPT,        take_key_file,         "sign.key_path",              NULL                   },
    {"KeyTable",                     DKIM_IMPORT_KEPT,        take_table,            "sign.key_table",             NULL                   },
    {"LDAPAuthMechanism",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPAuthName",                 DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPAuthRealm",                DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPAuthUser",                 DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPBindPassword",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPBindUser",                 DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPDisableCache",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPKeepaliveIdle",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPKeepaliveInterval",        DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPKeepaliveProbes",          DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPTimeout",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LDAPUseTLS",                   DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                         },
    {"LogResults",                   DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "every message has one log line with its signatures and results"                                                                     },
    {"LogWhy",                       DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "the log line has the reason, and mfxctl explain QUEUEID the whole chain of decisions"                                               },
    {"LuaOnlySigning",               DKIM_IMPORT_LOST,        NULL,                  NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                           },
    {"MacroList",                    DKIM_IMPORT_KEPT,        take_macros,           "origin.macros",              NULL                   },
    {"MaximumHeaders",               DKIM_IMPORT_KEPT,        take_header_bytes,     "header_bytes",
     NULL                                                                                                                                 },
    {"MaximumSignaturesToVerify",    DKIM_IMPORT_KEPT,        take_max_signatures,
     "verify.max_signatures",                                                                                      NULL                   },
    {"MaximumSignedBytes",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "l= lets anybody add to the body; the whole body is signed"                                                                          },
    {"MilterDebug",                  DKIM_IMPORT_DROPPED,     NULL,                  NULL,                         "log.level = \"debug\""},
    {"Minimum",                      DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "a signature whose l= leaves text unsigned is reported as policy (verify.accept_partial_body)"                                       },
    {"MinimumKeyBits",               DKIM_IMPORT_KEPT,        take_key_bits,         "verify.min_rsa_bits",
     NULL                                                                                                                                 },
    {"Mode",                         DKIM_IMPORT_KEPT,        take_mode,             "sign.enable",                NULL                   },
    {"MTA",                          DKIM_IMPORT_KEPT,        take_list,             "origin.daemon_names",        NULL                   },
    {"MTACommand",                   DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with reports, which are not sent"                                                                                              },
    {"MultipleSignatures",           DKIM_IMPORT_KEPT,        take_multiple,         "sign.multiple",
     NULL                                                                                                                                 },
    {"MustBeSigned",                 DKIM_IMPORT_KEPT,        take_words,            "verify.required_headers",
     NULL                                                                                                                                 },
    {"Nameservers",                  DKIM_IMPORT_KEPT,        take_list,             "dns.servers",                NULL                   },
    {"NoHeaderB",                    DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "header.b is short and tells signatures apart (RFC 6008)"                                                                            },
    {"OmitHeaders",                  DKIM_IMPORT_KEPT,        take_words,            "sign.omit_headers",          NULL                   },
    {"On-BadSignature",              DKIM_IMPORT_KEPT,        take_action,           "verify.on_fail",             NULL                   },
    {"On-Default",                   DKIM_IMPORT_KEPT,        take_on_default,       "verify.on_fail",             NULL                   },
    {"On-DNSError",                  DKIM_IMPORT_KEPT,        take_action,           "verify.on_temperror",        NULL                   },
    {"On-InternalError",             DKIM_IMPORT_KEPT,        take_action,           "on_internal_error",
     NULL                                                                                                                                 },
    {"On-KeyNotFound",               DKIM_IMPORT_KEPT,        take_action,           "verify.on_no_key",           NULL                   },
    {"On-NoSignature",               DKIM_IMPORT_KEPT,        take_on_none,          "verify.on_none",             NULL                   },
    {"On-ReputationError",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the reputation code is experimental, and this setting never worked"                                                                 },
    {"On-Security",                  DKIM_IMPORT_KEPT,        take_action,           "on_limit",                   NULL                   },
    {"On-SignatureError",            DKIM_IMPORT_KEPT,        take_action,           "sign.on_error",              NULL                   },
    {"OverSignHeaders",              DKIM_IMPORT_KEPT,        take_words,            "sign.oversign_headers",
     NULL                                                                                                                                 },
    {"PeerList",                     DKIM_IMPORT_KEPT,        take_table,            "exempt_clients",             NULL                   },
    {"PidFile",                      DKIM_IMPORT_KEPT,        take_path,             "pid_file",                   NULL                   },
    {"POPDBFile",                    DKIM_IMPORT_LOST,        NULL,                  NULL,
     "POP before SMTP makes no mail ours: use logins, or origin.internal_hosts"                                                           },
    {"Quarantine",                   DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "OpenDKIM itself does nothing with it; an On- setting with quarantine becomes hold"                                                  },
    {"QueryCache",                   DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "answers are cached for as long as DNS allows"                                                                                       },
    {"RateLimits",                   DKIM_IMPORT_LOST,        NULL,                  NULL,
     "limits are the work of mfx-quota or the MTA"                                                                                        },
    {"RedirectFailuresTo",           DKIM_IMPORT_LOST,        NULL,                  NULL,
     "mail is not sent elsewhere: use hold in verify.on_fail"                                                                             },
    {"RemoveARAll",                  DKIM_IMPORT_KEPT,        take_remove_all,       "verify.remove_results",
     NULL                                                                                                                                 },
    {"RemoveARFrom",                 DKIM_IMPORT_KEPT,        take_table,            "verify.remove_results_from",
     NULL                                                                                                                                 },
    {"RemoveOldSignatures",          DKIM_IMPORT_KEPT,        take_bool,
     "sign.remove_signatures",                                                                                     NULL                   },
    {"ReplaceHeaders",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReplaceRules"                                                                                                             },
    {"ReplaceRules",                 DKIM_IMPORT_LOST,        NULL,                  NULL,
     "fields are not rewritten for signing: rewrite them before (mfx-masq, or the MTA) and sign what leaves"                              },
    {"ReportAddress",                DKIM_IMPORT_NOT_CARRIED, NULL,                  NULL,
     "reports (RFC 6651) are not sent"                                                                                                    },
    {"ReportBccAddress",             DKIM_IMPORT_NOT_CARRIED, NULL,                  NULL,
     "reports (RFC 6651) are not sent"                                                                                                    },
    {"ReputationCache",              DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationCacheTTL",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationDuplicates",         DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationLimitModifiers",     DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationLimits",             DKIM_IMPORT_LOST,        NULL,                  NULL,
     "reputation is not judged here: use a scanner for it"                                                                                },
    {"ReputationLowTime",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationMinimum",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationRatios",             DKIM_IMPORT_LOST,        NULL,                  NULL,
     "reputation is not judged here: use a scanner for it"                                                                                },
    {"ReputationRRDHashDepth",       DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationRRDRoot",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationSpamCheck",          DKIM_IMPORT_LOST,        NULL,                  NULL,
     "reputation is not judged here: use a scanner for it"                                                                                },
    {"ReputationTest",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationTimeFactor",         DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationTimeout",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"ReputationVerbose",            DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                    },
    {"RequestReports",               DKIM_IMPORT_NOT_CARRIED, NULL,                  NULL,
     "reports (RFC 6651) are not asked for"                                                                                               },
    {"RequiredHeaders",              DKIM_IMPORT_KEPT,        take_required,
     "verify.invalid_headers",                                                                                     NULL                   },
    {"RequireSafeKeys",              DKIM_IMPORT_KEPT,        take_not,              "sign.allow_readable_keys",
     NULL                                                                                                                                 },
    {"ResignAll",                    DKIM_IMPORT_LOST,        NULL,                  NULL,
     "mail that is passed on is not signed again"                                                                                         },
    {"ResignMailTo",                 DKIM_IMPORT_LOST,        NULL,                  NULL,
     "mail that is passed on is not signed again"                                                                                         },
    {"ResolverConfiguration",        DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the resolver is one of its own: see dns.servers"                                                                                    },
    {"ResolverTracing",              DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "the resolver is one of its own: see dns.servers"                                                                                    },
    {"ScreenPolicyScript",           DKIM_IMPORT_LOST,        NULL,                  NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                           },
    {"SelectCanonicalizationHeader", DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "senders would choose how they are signed"                                                                                           },
    {"Selector",                     DKIM_IMPORT_KEPT,        take_selector,         "sign.selectors",             NULL                   },
    {"SenderHeaders",                DKIM_IMPORT_KEPT,        take_list,             "sign.sender_headers",        NULL                   },
    {"SenderMacro",                  DKIM_IMPORT_KEPT,        take_text,             "sign.sender_macro",          NULL                   },
    {"SendReports",                  DKIM_IMPORT_NOT_CARRIED, NULL,                  NULL,
     "reports (RFC 6651) are not sent"                                                                                                    },
    {"SetupPolicyScript",            DKIM_IMPORT_LOST,        NULL,                  NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                           },
    {"SignatureAlgorithm",           DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "the algorithm comes from each key; RSA and Ed25519 keys may sign the same message"                                                  },
    {"SignatureTTL",                 DKIM_IMPORT_KEPT,        take_seconds,          "sign.expire",                NULL                   },
    {"SignHeaders",                  DKIM_IMPORT_KEPT,        take_words,            "sign.headers",               NULL                   },
    {"SigningTable",                 DKIM_IMPORT_KEPT,        take_signing_table,    "sign.signing_table",
     NULL                                                                                                                                 },
    {"SMTPURI",                      DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with reports, which are not sent"                                                                                              },
    {"Socket",                       DKIM_IMPORT_KEPT,        take_socket,           "socket",                     NULL                   },
    {"SoftStart",                    DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "tables in databases are asked for each message; one that is away defers mail, and is asked again"                                   },
    {"SoftwareHeader",               DKIM_IMPORT_KEPT,        take_bool,             "software_header",            NULL                   },
    {"Statistics",                   DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "metrics count signatures and results; every message has a log line"                                                                 },
    {"StatisticsName",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,                         "goes with Statistics" },
    {"StatisticsPolicyScript",       DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with Statistics"                                                                                                               },
    {"StatisticsPrefix",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "goes with Statistics"                                                                                                               },
    {"StrictHeaders",                DKIM_IMPORT_KEPT,        take_strict,           "verify.invalid_headers",
     NULL                                                                                                                                 },
    {"StrictTestMode",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "of OpenDKIM's test mode; see mfxctl dkim verify"                                                                                    },
    {"SubDomains",                   DKIM_IMPORT_KEPT,        take_bool,             "sign.subdomains",            NULL                   },
    {"Syslog",                       DKIM_IMPORT_KEPT,        take_syslog,           "log.target",                 NULL                   },
    {"SyslogFacility",               DKIM_IMPORT_KEPT,        take_text,             "log.facility",               NULL                   },
    {"SyslogName",                   DKIM_IMPORT_KEPT,        take_text,             "log.name",                   NULL                   },
    {"SyslogSuccess",                DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "log.level = \"info\" has a line a message"                                                                                          },
    {"TemporaryDirectory",           DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "nothing is written to temporary files"                                                                                              },
    {"TestDNSData",                  DKIM_IMPORT_LOST,        NULL,                  NULL,
     "write its rows as \"name TXT text\" into a file and name it in dns.test_data; without it DNS is asked"                              },
    {"TestPublicKeys",               DKIM_IMPORT_LOST,        NULL,                  NULL,
     "write its rows as \"name TXT text\" into a file and name it in dns.test_data; without it DNS is asked"                              },
    {"TrustAnchorFile",              DKIM_IMPORT_AUTOMATIC,   NULL,                  NULL,
     "DNSSEC is the work of a validating resolver on this machine: name it in dns.servers and set dns.trust_ad"                           },
    {"TrustSignaturesFrom",          DKIM_IMPORT_KEPT,        take_table,
     "verify.trusted_signers",                                                                                     NULL                   },
    {"UMask",                        DKIM_IMPORT_KEPT,        take_umask,            "socket_mode",                NULL                   },
    {"UnprotectedKey",               DKIM_IMPORT_KEPT,        take_unprotected,
     "verify.unprotected_key",                                                                                     NULL                   },
    {"UserID",                       DKIM_IMPORT_KEPT,        take_user,             "user",                       NULL                   },
    {"VBR-Certifiers",               DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                   },
    {"VBR-PurgeFields",              DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                   },
    {"VBR-TrustedCertifiers",        DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                   },
    {"VBR-TrustedCertifiersOnly",    DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                   },
    {"VBR-Type",                     DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                   },
    {"WeakSyntaxChecks",             DKIM_IMPORT_DROPPED,     NULL,                  NULL,
     "results say neutral for what cannot be read, and mail passes"                                                                       },
    {"X-Header",                     DKIM_IMPORT_KEPT,        take_bool,             "software_header",            NULL                   },
};

const char *
dkim_import_known_name(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? rows[index].name : NULL;
}

static const struct row *
find_row(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mfx_str_is_nocase(name, rows[i].name))
            return &rows[i];
    return NULL;
}

static void
answer(struct dkim_import *import, const struct dkim_import_given *given)
{
    const struct row *row = find_row(given->name);
    if (row == NULL) {
        dkim_import_say(import, given, DKIM_IMPORT_UNKNOWN,
                        "no setting of OpenDKIM 2.10 to 2.11");
        return;
    }
    if (row->take == NULL) {
        dkim_import_say(import, given, row->fate, "%s", row->why);
        return;
    }
    bool had_losses = import->has_losses;
    import->has_losses = false;
    row->take(import, row, given);
    if (!import->has_losses)
        dkim_import_say(import, given, row->fate, "%s", row->target);
    import->has_losses = import->has_losses || had_losses;
}

/* --- what OpenDKIM does when nothing is said --- */

static const struct {
    const char *name, *value, *remark;
} defaults[] = {
    {"sign.canonicalization", "\"simple/simple\"",
     "OpenDKIM's default; relaxed/relaxed survives more on the way"               },
    {"sign.multiple",         "false",
     "OpenDKIM's default; true lets every matching row sign"                      },
    {"sign.on_from",          "\"first\"",
     "as OpenDKIM: by the first address; \"refuse\" is safer"                     },
    {"origin.internal_hosts", "\"csl:127.0.0.1,::1\"", "OpenDKIM's default"       },
    {"origin.daemon_names",   "[]",                    "OpenDKIM's default: none" },
    {"verify.ours",           "true",
     "as OpenDKIM: mail of ours that no row signs is verified"                    },
    {"verify.report_none",    "false",
     "OpenDKIM's default; true reports mail without a signature as well"          },
    {"verify.max_signatures", "3",                     "OpenDKIM's default"       },
    {"verify.remove_results", "\"own\"",
     "as OpenDKIM: those with results of dkim; \"all\" is safer when nobody "
     "before us\nin this MTA writes Authentication-Results"                       },
    {"verify.on_temperror",   "\"tempfail\"",          "OpenDKIM's On-DNSError"   },
    {"header_bytes",          "\"64K\"",               "OpenDKIM's MaximumHeaders"},
};

/* Names of ours that no row and no default has. */
static const char *const more_targets[] = {
    "verify.enable",       "group",
    "sign.min_rsa_bits",   "verify.on_policy",
    "verify.on_permerror", "sign.key_directory"};

const char *
dkim_import_target_name(size_t index)
{
    size_t n = sizeof rows / sizeof rows[0];
    if (index < n)
        return rows[index].target == NULL ? "mode" : rows[index].target;
    index -= n;
    n = sizeof defaults / sizeof defaults[0];
    if (index < n)
        return defaults[index].name;
    index -= n;
    return index < sizeof more_targets / sizeof more_targets[0]
               ? more_targets[index]
               : NULL;
}

static void
take_places(struct dkim_import *import)
{
    const struct dkim_import_given *root =
        dkim_import_find(import, "ChangeRootDirectory");
    const struct dkim_import_given *base =
        dkim_import_find(import, "BaseDirectory");
    if (root != NULL)
        import->root = root->value;
    if (base != NULL)
        import->base = base->value;
    if (import->root.len > 0 || import->base.len > 0) /* "./" in a KeyTable */
        dkim_import_set_text(import, "sign.key_directory",
                             mfx_arena_printf(import->arena, "%.*s%.*s",
                                              MFX_STR_ARG(import->root),
                                              MFX_STR_ARG(import->base)),
                             NULL);
}

/* The last of each name is in force; the others are said to be overridden. */
static bool
is_overridden(struct dkim_import *import, const struct dkim_import_given *given)
{
    const struct row *row = find_row(given->name);
    const struct dkim_import_given *last =
        row == NULL ? given : dkim_import_find(import, row->name);
    if (last == given)
        return false;
    dkim_import_say(import, given, DKIM_IMPORT_DROPPED,
                    "a later line (%s:%u) overrides it", last->file,
                    last->line);
    return true;
}

void
dkim_import_convert(struct dkim_import *import)
{
    take_places(import);
    for (struct dkim_import_given *g = import->given; g != NULL; g = g->next)
        if (!is_overridden(import, g))
            answer(import, g);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        dkim_import_set(import, defaults[i].name, mfx_str_of(defaults[i].value),
                        defaults[i].remark);
}
