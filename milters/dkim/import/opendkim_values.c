/* SPDX-License-Identifier: BSD-2-Clause */
#include "opendkim_take.h"

#include <unistd.h>

#include <mfx/base/file.h>

enum {
    TABLE_MAX = 64 * 1024 * 1024,
};

/* --- values that go over as they are --- */

void
dkim_import_take_bool(struct dkim_import *import,
                      const struct dkim_import_row *row,
                      const struct dkim_import_given *given)
{
    dkim_import_set_bool(import, row->target, dkim_import_is_yes(given), NULL);
}

void
dkim_import_take_not(struct dkim_import *import,
                     const struct dkim_import_row *row,
                     const struct dkim_import_given *given)
{
    dkim_import_set_bool(import, row->target, !dkim_import_is_yes(given), NULL);
}

void
dkim_import_take_text(struct dkim_import *import,
                      const struct dkim_import_row *row,
                      const struct dkim_import_given *given)
{
    dkim_import_set_text(import, row->target, given->value, NULL);
}

void
dkim_import_take_path(struct dkim_import *import,
                      const struct dkim_import_row *row,
                      const struct dkim_import_given *given)
{
    dkim_import_set_text(import, row->target,
                         dkim_import_path(import, given->value), NULL);
}

/* The names of a csl; OpenDKIM takes files of names, too. */
void
dkim_import_take_words(struct dkim_import *import,
                       const struct dkim_import_row *row,
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

void
dkim_import_take_list(struct dkim_import *import,
                      const struct dkim_import_row *row,
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

void
dkim_import_take_table(struct dkim_import *import,
                       const struct dkim_import_row *row,
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

void
dkim_import_take_seconds(struct dkim_import *import,
                         const struct dkim_import_row *row,
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

void
dkim_import_take_canonicalization(struct dkim_import *import,
                                  const struct dkim_import_row *row,
                                  const struct dkim_import_given *given)
{
    struct mfx_str value = given->value;
    if (!mfx_str_has(value, '/'))
        value =
            mfx_arena_printf(import->arena, "%.*s/simple", MFX_STR_ARG(value));
    dkim_import_set_text(import, row->target, value, NULL);
}

void
dkim_import_take_domain(struct dkim_import *import,
                        const struct dkim_import_row *row,
                        const struct dkim_import_given *given)
{
    if (dkim_import_find(import, "KeyTable") != NULL) {
        dkim_import_warn(import, given,
                         "OpenDKIM looks at it no more when "
                         "there is a KeyTable: left out");
        return;
    }
    dkim_import_take_table(import, row, given);
}

void
dkim_import_take_key_file(struct dkim_import *import,
                          const struct dkim_import_row *row,
                          const struct dkim_import_given *given)
{
    if (dkim_import_find(import, "KeyTable") == NULL)
        dkim_import_take_path(import, row, given);
    else
        dkim_import_warn(import, given,
                         "OpenDKIM looks at it no more when "
                         "there is a KeyTable: left out");
}

void
dkim_import_take_selector(struct dkim_import *import,
                          const struct dkim_import_row *row,
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

void
dkim_import_take_signing_table(struct dkim_import *import,
                               const struct dkim_import_row *row,
                               const struct dkim_import_given *given)
{
    struct mfx_str spec;
    if (!dkim_import_dataset(import, given, &spec))
        return;
    dkim_import_set_text(import, row->target, spec, NULL);
    if (mfx_str_starts(spec, mfx_str_of("refile:")))
        warn_rows(import, given, mfx_str_from(spec, 7));
}

void
dkim_import_take_multiple(struct dkim_import *import,
                          const struct dkim_import_row *row,
                          const struct dkim_import_given *given)
{
    dkim_import_take_bool(import, row, given);
    if (dkim_import_is_yes(given))
        dkim_import_warn(
            import, given,
            "of three and more matching rows OpenDKIM makes only "
            "the first and the last signature; mfx-dkim makes all");
}

void
dkim_import_take_macros(struct dkim_import *import,
                        const struct dkim_import_row *row,
                        const struct dkim_import_given *given)
{
    struct mfx_str rest = given->value, item;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, import->arena, 8 * rest.len + 16);
    if (mfx_str_has(rest, '/')) {
        dkim_import_take_list(import, row, given);
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

void
dkim_import_take_mode(struct dkim_import *import,
                      const struct dkim_import_row *row,
                      const struct dkim_import_given *given)
{
    (void)row;
    dkim_import_set_bool(import, "sign.enable", mfx_str_has(given->value, 's'),
                         NULL);
    dkim_import_set_bool(import, "verify.enable",
                         mfx_str_has(given->value, 'v'), NULL);
}

/* --- verifying --- */

void
dkim_import_take_authserv_id(struct dkim_import *import,
                             const struct dkim_import_row *row,
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

void
dkim_import_take_keep_results(struct dkim_import *import,
                              const struct dkim_import_row *row,
                              const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("none"), NULL);
}

void
dkim_import_take_remove_all(struct dkim_import *import,
                            const struct dkim_import_row *row,
                            const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("all"), NULL);
}

void
dkim_import_take_header_bytes(struct dkim_import *import,
                              const struct dkim_import_row *row,
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

void
dkim_import_take_max_signatures(struct dkim_import *import,
                                const struct dkim_import_row *row,
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

void
dkim_import_take_key_bits(struct dkim_import *import,
                          const struct dkim_import_row *row,
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

void
dkim_import_take_required(struct dkim_import *import,
                          const struct dkim_import_row *row,
                          const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("reject"), NULL);
}

void
dkim_import_take_strict(struct dkim_import *import,
                        const struct dkim_import_row *row,
                        const struct dkim_import_given *given)
{
    const struct dkim_import_given *required =
        dkim_import_find(import, "RequiredHeaders");
    if (dkim_import_is_yes(given) && !dkim_import_is_yes(required))
        dkim_import_set_text(import, row->target, mfx_str_of("permerror"),
                             NULL);
}

void
dkim_import_take_unprotected(struct dkim_import *import,
                             const struct dkim_import_row *row,
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

void
dkim_import_take_action(struct dkim_import *import,
                        const struct dkim_import_row *row,
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
void
dkim_import_take_on_default(struct dkim_import *import,
                            const struct dkim_import_row *row,
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

void
dkim_import_take_on_none(struct dkim_import *import,
                         const struct dkim_import_row *row,
                         const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(dkim_import_find(import, "AlwaysAddARHeader"))) {
        dkim_import_warn(import, given,
                         "OpenDKIM does not apply it with AlwaysAddARHeader: "
                         "left at accept");
        dkim_import_set_text(import, row->target, mfx_str_of("accept"), NULL);
        return;
    }
    dkim_import_take_action(import, row, given);
}

/* --- the process --- */

void
dkim_import_take_socket(struct dkim_import *import,
                        const struct dkim_import_row *row,
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

void
dkim_import_take_umask(struct dkim_import *import,
                       const struct dkim_import_row *row,
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

void
dkim_import_take_user(struct dkim_import *import,
                      const struct dkim_import_row *row,
                      const struct dkim_import_given *given)
{
    size_t colon = mfx_str_find(given->value, ':');
    dkim_import_set_text(import, row->target, mfx_str_head(given->value, colon),
                         NULL);
    if (colon < given->value.len)
        dkim_import_set_text(import, "group",
                             mfx_str_from(given->value, colon + 1), NULL);
}

void
dkim_import_take_syslog(struct dkim_import *import,
                        const struct dkim_import_row *row,
                        const struct dkim_import_given *given)
{
    if (dkim_import_is_yes(given))
        dkim_import_set_text(import, row->target, mfx_str_of("syslog"), NULL);
    else
        dkim_import_warn(import, given,
                         "OpenDKIM logs nothing then; mfx-dkim always logs a "
                         "line a message");
}
