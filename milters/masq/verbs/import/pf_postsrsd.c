/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A PostSRSd beside Postfix: mfx-masq rewrites senders itself, and answers its
 * map for recipients, so that smtpd(8) knows them.
 */
#include "pf.h"

#include <unistd.h>

#include <mfx/base/file.h>

static const char debian_main[] = "/etc/postfix/main.cf";

static const char *const places[] = {
    "/etc/postsrsd/postsrsd.conf",
    "/etc/postsrsd.conf",
    "/etc/default/postsrsd",
};

bool
masq_pf_is_srs(struct mfx_str table)
{
    struct mfx_str socketmap = mfx_str_of("socketmap:");
    if (mfx_str_starts(table, mfx_str_of("tcp:")))
        return true;
    return mfx_str_starts(table, socketmap) &&
           (mfx_str_ends_nocase(table, mfx_str_of(":forward")) ||
            mfx_str_ends_nocase(table, mfx_str_of(":reverse")));
}

bool
masq_pf_has_postsrsd(const struct masq_pf *pf)
{
    static const char *const names[] = {"sender_canonical_maps",
                                        "recipient_canonical_maps"};
    for (size_t i = 0; i < 2; i++) {
        struct masq_import_item *item = masq_pf_find(pf, names[i]);
        struct mfx_str list =
            item == NULL ? mfx_str(NULL, 0) : masq_import_arg(item, 0);
        struct mfx_str table;
        while (masq_pf_word(&list, &table))
            if (masq_pf_is_srs(table))
                return true;
    }
    return false;
}

/* --- reading: NAME=value, or name = value --- */

static struct mfx_str
unquote(struct mfx_str text)
{
    text = mfx_str_trim(text);
    if (text.len >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
        text.p[text.len - 1] == text.p[0])
        return mfx_str(text.p + 1, text.len - 2);
    return text;
}

/* A list in braces may go over several lines. */
static struct mfx_str
next_setting(struct mfx_str *rest, unsigned *number, unsigned *first)
{
    struct mfx_str line, more;
    (void)mfx_str_cut(rest, '\n', &line);
    *first = ++*number;
    struct mfx_str bare = mfx_str_trim(line);
    if (bare.len == 0 || bare.p[0] == '#')
        return mfx_str(NULL, 0);
    while (mfx_str_has(line, '{') && !mfx_str_has(line, '}') && rest->len > 0 &&
           mfx_str_cut(rest, '\n', &more)) {
        ++*number;
        line.len = (size_t)(more.p + more.len - line.p);
    }
    return mfx_str_trim(line);
}

static void
read_settings(struct masq_pf *pf, const char *file, struct mfx_str rest)
{
    unsigned number = 0, first;
    while (rest.len > 0) {
        struct mfx_str line = next_setting(&rest, &number, &first);
        size_t equals = mfx_str_find(line, '=');
        struct mfx_str name = mfx_str_trim(mfx_str_head(line, equals));
        if (line.len == 0)
            continue;
        bool is_new = name.len > 0 && name.p[0] >= 'a' && name.p[0] <= 'z';
        struct masq_import_item *item =
            masq_import_add(pf->import, file, first, name,
                            equals == line.len ? MASQ_PF_JUNK
                            : is_new           ? MASQ_PF_SRS2
                                               : MASQ_PF_SRS,
                            name);
        masq_import_add_arg(item, unquote(mfx_str_from(line, equals + 1)));
    }
}

enum mfx_rc
masq_pf_read_postsrsd(struct masq_pf *pf, const char *path, struct mfx_err *err)
{
    struct mfx_str text;
    for (size_t i = 0; i < 3 && path == NULL; i++)
        if (strcmp(pf->file, debian_main) == 0 && access(places[i], R_OK) == 0)
            path = places[i];
    if (path == NULL)
        return MFX_OK;
    enum mfx_rc rc = mfx_file_read(path, MASQ_IMPORT_FILE_MAX,
                                   pf->import->arena, &text, NULL, err);
    path = mfx_arena_copy(pf->import->arena, mfx_str_of(path)).p;
    if (rc == MFX_OK && path != NULL)
        read_settings(pf, path, text);
    return rc;
}

/* --- settings --- */

static struct masq_import_item *
find(const struct masq_pf *pf, const char *old, const char *new)
{
    struct masq_import_item *found = NULL;
    for (struct masq_import_item *i = pf->import->items; i != NULL; i = i->next)
        if ((i->kind == MASQ_PF_SRS && old != NULL &&
             mfx_str_is(i->name, old)) ||
            (i->kind == MASQ_PF_SRS2 && new != NULL &&mfx_str_is(i->name, new)))
            found = i;
    return found;
}

/* "{ "a", "b" }" and "a,b" as words. */
static struct mfx_str
words_of(struct masq_pf *pf, struct mfx_str text)
{
    char *p = mfx_arena_alloc_bytes(pf->import->arena, text.len);
    if (p == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < text.len; i++)
        p[i] = strchr("{}\"',", text.p[i]) != NULL ? ' ' : text.p[i];
    return mfx_str_trim(mfx_str(p, text.len));
}

static void
set_number(struct masq_pf *pf, const char *old, const char *new,
           const char *name)
{
    struct masq_import_item *item = find(pf, old, new);
    uint64_t n;
    if (item == NULL || item->fate != MASQ_IMPORT_OPEN)
        return;
    if (mfx_str_to_u64(masq_import_arg(item, 0), 20, &n) != MFX_OK || n < 2) {
        masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                        "%s is a number from 2 to 20", name);
        return;
    }
    masq_import_set(pf->import, &pf->import->settings, name,
                    masq_import_arg(item, 0), NULL);
    masq_import_say(pf->import, item, MASQ_IMPORT_DONE, "masq.conf %s", name);
}

static void
set_text(struct masq_pf *pf, const char *old, const char *new, const char *name)
{
    struct masq_import_item *item = find(pf, old, new);
    struct mfx_str value =
        item == NULL ? mfx_str(NULL, 0) : masq_import_arg(item, 0);
    if (value.len == 0)
        return;
    masq_import_set_text(pf->import, &pf->import->settings, name, value, NULL);
    masq_import_say(pf->import, item, MASQ_IMPORT_DONE, "masq.conf %s", name);
}

/* Whose senders stay: PostSRSd's list, and what is ours to Postfix. */
static void
set_our_domains(struct masq_pf *pf, struct mfx_str domain)
{
    struct masq_import_item *item = find(pf, "SRS_EXCLUDE_DOMAINS", "domains");
    struct masq_import_item *file = find(pf, NULL, "domains-file");
    struct mfx_str list = item == NULL ? mfx_str(NULL, 0)
                                       : words_of(pf, masq_import_arg(item, 0));
    struct mfx_str all =
        mfx_arena_printf(pf->import->arena, "%.*s %.*s %.*s",
                         MFX_STR_ARG(domain), MFX_STR_ARG(list),
                         MFX_STR_ARG(file == NULL ? mfx_str(NULL, 0)
                                                  : masq_import_arg(file, 0)));
    struct mfx_str setting;
    struct masq_import_item *said = file != NULL ? file : item;
    if (said == NULL) {
        masq_import_set(pf->import, &pf->import->settings, "our_domains",
                        masq_import_list(pf->import, domain),
                        "PostSRSd names no other: put the domains of this "
                        "site here");
        return;
    }
    if (!masq_pf_list(pf, said, all, "our-domains", &setting))
        return;
    masq_import_set(pf->import, &pf->import->settings, "our_domains", setting,
                    "whose senders PostSRSd leaves as they are; put the other "
                    "domains of this site here");
    if (item != NULL)
        masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                        "masq.conf our_domains");
    if (file != NULL)
        masq_import_say(pf->import, file, MASQ_IMPORT_DONE,
                        "masq.conf our_domains");
}

/* Alias tables by which one sees who leaves. */
static void
set_forward_maps(struct masq_pf *pf)
{
    static const char *const names[] = {"virtual_alias_maps", "alias_maps"};
    struct mfx_buf out;
    mfx_buf_init_arena(&out, pf->import->arena, 65536);
    for (size_t i = 0; i < 2; i++) {
        struct masq_import_item *item = masq_pf_find(pf, names[i]);
        struct mfx_str list, table;
        if (item == NULL || !masq_pf_value(pf, names[i], "", &list))
            continue;
        while (masq_pf_word(&list, &table)) {
            size_t colon = mfx_str_find(table, ':');
            struct mfx_str path = mfx_str_from(table, colon + 1);
            if (!mfx_str_starts(path, mfx_str_of("/")))
                continue;
            masq_import_add_quoted(
                &out, mfx_arena_printf(pf->import->arena, "%s:%.*s",
                                       i == 1 ? "alias" : "texthash",
                                       MFX_STR_ARG(path)));
        }
    }
    masq_import_set_text(
        pf->import, &pf->import->settings, "srs.forward", mfx_str_of("all"),
        out.len == 0
            ? "as PostSRSd; \"forwarded\" rewrites only what leaves this site, "
              "which forward_maps tells"
            : mfx_arena_printf(pf->import->arena,
                               "as PostSRSd. Better, unless users have "
                               ".forward files: forward = \"forwarded\";\n"
                               "forward_maps = [%.*s];",
                               (int)out.len, out.p)
                  .p);
}

static void
say_others(struct masq_pf *pf)
{
    static const struct {
        const char *name;
        enum masq_import_fate fate;
        const char *why;
    } rows[] = {
        {"SRS_FORWARD_PORT",  MASQ_IMPORT_NOT_NEEDED,
         "mfx-masq rewrites senders itself"                                         },
        {"SRS_REVERSE_PORT",  MASQ_IMPORT_NOT_NEEDED,
         "see recipient_canonical_maps"                                             },
        {"SRS_LISTEN_ADDR",   MASQ_IMPORT_NOT_NEEDED,
         "see recipient_canonical_maps"                                             },
        {"RUN_AS",            MASQ_IMPORT_NOT_NEEDED, "user says it"                },
        {"CHROOT",            MASQ_IMPORT_NOT_NEEDED,
         "RootDirectory= of the service manager"                                    },
        {"SRS_EXTRA_OPTIONS", MASQ_IMPORT_BY_HAND,
         "-A rewrites senders of srs.domain, too: take it out of "
         "our_domains"                                                              },
        {"socketmap",         MASQ_IMPORT_NOT_NEEDED, "see recipient_canonical_maps"},
        {"milter",            MASQ_IMPORT_NOT_NEEDED,
         "mfx-masq takes its place in smtpd_milters"                                },
        {"keep-alive",        MASQ_IMPORT_NOT_NEEDED, "idle clients are let go"     },
        {"unprivileged-user", MASQ_IMPORT_NOT_NEEDED, "user says it"                },
        {"chroot-dir",        MASQ_IMPORT_NOT_NEEDED,
         "RootDirectory= of the service manager"                                    },
        {"syslog",            MASQ_IMPORT_NOT_NEEDED, "log.target says it"          },
        {"debug",             MASQ_IMPORT_NOT_NEEDED, "log.level says it"           },
        {"envelope-database", MASQ_IMPORT_BY_HAND,
         "senders kept there are not carried: let PostSRSd answer for 21 "
         "more days, or mail back to them bounces"                                  },
    };
    struct masq_import_item *item = find(pf, NULL, "original-envelope");
    if (item != NULL)
        masq_import_say(
            pf->import, item, MASQ_IMPORT_NOT_NEEDED,
            "senders are kept in the store only where they are too long");
    item = find(pf, NULL, "always-rewrite");
    if (item != NULL)
        masq_import_say(pf->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "srs.forward = \"all\"");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        item = find(pf, rows[i].name, rows[i].name);
        if (item != NULL && item->fate == MASQ_IMPORT_OPEN)
            masq_import_say(pf->import, item,
                            masq_import_arg(item, 0).len == 0
                                ? MASQ_IMPORT_NOT_NEEDED
                                : rows[i].fate,
                            "%s", rows[i].why);
    }
}

void
masq_pf_convert_srs(struct masq_pf *pf)
{
    struct masq_import_item *domain = find(pf, "SRS_DOMAIN", "srs-domain");
    struct masq_import_item *separator = find(pf, "SRS_SEPARATOR", "separator");
    struct mfx_str name =
        domain == NULL ? mfx_str(NULL, 0) : masq_import_arg(domain, 0);
    if (!masq_pf_has_postsrsd(pf))
        return;
    if (name.len == 0 || mfx_str_has(name, '$')) {
        if (domain != NULL)
            masq_import_say(pf->import, domain, MASQ_IMPORT_BY_HAND,
                            "srs.domain wants a name");
        return;
    }
    masq_import_set_text(pf->import, &pf->import->settings, "srs.domain", name,
                         NULL);
    masq_import_say(pf->import, domain, MASQ_IMPORT_DONE,
                    "masq.conf srs.domain");
    set_text(pf, "SRS_SECRET", "secrets-file", "srs.secrets_file");
    if (separator != NULL)
        set_text(pf, "SRS_SEPARATOR", "separator", "srs.separator");
    set_number(pf, "SRS_HASHLENGTH", "hash-length", "srs.hash_length");
    set_number(pf, "SRS_HASHMIN", "hash-minimum", "srs.hash_minimum");
    if (domain->kind == MASQ_PF_SRS)
        masq_import_set_text(pf->import, &pf->import->settings, "srs.alphabet",
                             mfx_str_of("+/"), "as PostSRSd before 2.0");
    set_our_domains(pf, name);
    set_forward_maps(pf);
    say_others(pf);
}

/* --- its tables --- */

/* "localhost:10002" with an address. */
static struct mfx_str
address_of(struct masq_pf *pf, struct mfx_str where)
{
    struct mfx_str name = mfx_str_of("localhost:");
    return mfx_str_starts(where, name)
               ? mfx_arena_printf(pf->import->arena, "127.0.0.1:%.*s",
                                  MFX_STR_ARG(mfx_str_from(where, name.len)))
               : where;
}

static void
take_reverse(struct masq_pf *pf, struct masq_import_item *item,
             struct mfx_str table)
{
    struct mfx_str tcp = mfx_str_of("tcp:"),
                   inet = mfx_str_of("socketmap:inet:");
    if (mfx_str_starts(table, tcp)) {
        masq_import_set_text(pf->import, &pf->import->settings,
                             "map_server.tcp_reverse",
                             address_of(pf, mfx_str_from(table, tcp.len)),
                             "PostSRSd listens there: stop it first");
        masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                        "masq.conf map_server.tcp_reverse; it stays in "
                        "main.cf, so that smtpd knows such recipients");
        return;
    }
    struct mfx_str where = mfx_str_of("unix:/var/spool/postfix/mfx/srs");
    struct mfx_str mine = mfx_str_of("unix:mfx/srs");
    if (mfx_str_starts(table, inet)) {
        where = mfx_str_from(table, inet.len);
        where = mfx_str_head(where, mfx_str_find_last(where, ':'));
        where = mfx_arena_printf(pf->import->arena, "inet:%.*s",
                                 MFX_STR_ARG(address_of(pf, where)));
        mine = where;
    }
    masq_import_set_text(pf->import, &pf->import->settings,
                         "map_server.socketmap", where, NULL);
    masq_import_main_printf(pf->import, "recipient_canonical_maps",
                            "mfx-masq answers, so that smtpd knows such "
                            "recipients",
                            "socketmap:%.*s:srs_reverse", MFX_STR_ARG(mine));
    masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                    "masq.conf map_server.socketmap, main.cf "
                    "recipient_canonical_maps");
}

void
masq_pf_take_srs_table(struct masq_pf *pf, struct masq_import_item *item,
                       struct mfx_str table)
{
    struct masq_import_item *domain = find(pf, "SRS_DOMAIN", "srs-domain");
    if (domain == NULL || masq_import_arg(domain, 0).len == 0) {
        masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                        "srs.domain and srs.secrets_file: give --postsrsd "
                        "FILE with PostSRSd's settings");
        return;
    }
    if (mfx_str_is(item->name, "recipient_canonical_maps")) {
        take_reverse(pf, item, table);
        return;
    }
    masq_import_set(pf->import, &pf->import->main_cf, "sender_canonical_maps",
                    mfx_str(NULL, 0), "mfx-masq does it now");
    masq_import_say(pf->import, item, MASQ_IMPORT_DONE,
                    "masq.conf srs.forward, and it goes out of main.cf");
}
