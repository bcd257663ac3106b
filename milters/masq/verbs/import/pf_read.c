/* SPDX-License-Identifier: BSD-2-Clause */
#include "pf.h"

#include <mfx/base/file.h>

enum {
    EXPANSIONS_MAX = 50, /* in each other */
    VALUE_MAX = 16 * 1024 * 1024,
};

/* --- lines --- */

static bool
is_name(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)name.p[i]) &&
            strchr("_-.", name.p[i]) == NULL)
            return false;
    return name.len > 0;
}

static void
take_line(struct masq_pf *pf, unsigned number, struct mfx_str line)
{
    size_t equals = mfx_str_find(line, '=');
    struct mfx_str name = mfx_str_trim(mfx_str_head(line, equals));
    if (equals == line.len || !is_name(name)) {
        (void)masq_import_add(pf->import, pf->file, number,
                              mfx_str_head(mfx_str_trim(line), 40),
                              MASQ_PF_JUNK, mfx_str_trim(line));
        return;
    }
    struct masq_import_item *item = masq_import_add(
        pf->import, pf->file, number, name, MASQ_PF_PARAMETER, name);
    masq_import_add_arg(item, mfx_str_trim(mfx_str_from(line, equals + 1)));
    masq_import_replace(pf->import, item);
}

static bool
is_comment(struct mfx_str line)
{
    line = mfx_str_trim(line);
    return line.len == 0 || line.p[0] == '#';
}

/* A line that starts with a blank goes on with the one before; comments may
 * stand between. */
static void
read_lines(struct masq_pf *pf, struct mfx_str rest)
{
    struct mfx_str line;
    struct mfx_buf whole;
    unsigned number = 0, first = 0;
    mfx_buf_init(&whole, VALUE_MAX);
    while (rest.len > 0 && mfx_str_cut(&rest, '\n', &line)) {
        number++;
        if (is_comment(line))
            continue;
        if (whole.len > 0 && !mfx_ascii_is_wsp((unsigned char)line.p[0])) {
            take_line(pf, first,
                      mfx_arena_copy(pf->import->arena, mfx_buf_str(&whole)));
            mfx_buf_clear(&whole);
        }
        if (whole.len == 0)
            first = number;
        else
            mfx_buf_add_byte(&whole, ' ');
        mfx_buf_add(&whole, mfx_str_trim(line));
    }
    if (whole.len > 0)
        take_line(pf, first,
                  mfx_arena_copy(pf->import->arena, mfx_buf_str(&whole)));
    mfx_buf_fini(&whole);
}

enum mfx_rc
masq_pf_read(struct masq_pf *pf, const char *path, struct mfx_err *err)
{
    struct mfx_str text;
    enum mfx_rc rc = mfx_file_read(path, MASQ_IMPORT_FILE_MAX,
                                   pf->import->arena, &text, NULL, err);
    pf->file = mfx_arena_copy(pf->import->arena, mfx_str_of(path)).p;
    if (rc == MFX_OK && mfx_str_has(text, '\0')) {
        mfx_err_set(err, "%s: holds NUL bytes: no configuration", path);
        rc = MFX_PERMFAIL;
    }
    if (rc == MFX_OK)
        read_lines(pf, text);
    return rc;
}

struct masq_import_item *
masq_pf_find(const struct masq_pf *pf, const char *name)
{
    return masq_import_latest(pf->import, MASQ_PF_PARAMETER, mfx_str_of(name));
}

/* --- $names --- */

struct expansion {
    struct masq_pf *pf;
    struct mfx_buf out;
    struct mfx_str unknown; /* a name that has no value here */
    unsigned depth;
};

static void expand(struct expansion *e, struct mfx_str text);

static bool
raw_value(const struct masq_pf *pf, struct mfx_str name, struct mfx_str *value)
{
    static const char *const defaults[][2] = {
        {"myorigin",                 "$myhostname"                                },
        {"mydestination",            "$myhostname, localhost.$mydomain, localhost"},
        {"virtual_alias_domains",    "$virtual_alias_maps"                        },
        {"virtual_maps",             ""                                           },
        {"virtual_alias_maps",       "$virtual_maps"                              },
        {"virtual_mailbox_domains",  "$virtual_mailbox_maps"                      },
        {"virtual_mailbox_maps",     ""                                           },
        {"relay_domains",            ""                                           },
        {"recipient_delimiter",      ""                                           },
        {"config_directory",         "/etc/postfix"                               },
        {"queue_directory",          "/var/spool/postfix"                         },
        {"data_directory",           "/var/lib/postfix"                           },
        {"default_database_type",    "hash"                                       },
        {"canonical_maps",           ""                                           },
        {"sender_canonical_maps",    ""                                           },
        {"recipient_canonical_maps", ""                                           },
        {"alias_maps",               "hash:/etc/aliases"                          },
        {"mynetworks",               "127.0.0.0/8 [::1]/128"                      },
        {"inet_interfaces",          "all"                                        },
    };
    struct masq_import_item *item =
        masq_import_latest(pf->import, MASQ_PF_PARAMETER, name);
    if (item != NULL) {
        *value = masq_import_arg(item, 0);
        return true;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (mfx_str_is(name, defaults[i][0])) {
            *value = mfx_str_of(defaults[i][1]);
            return true;
        }
    return false;
}

/* mydomain is myhostname without its first label. */
static bool
by_hostname(struct expansion *e, struct mfx_str name)
{
    struct mfx_str host;
    if (!mfx_str_is(name, "mydomain") ||
        !raw_value(e->pf, mfx_str_of("myhostname"), &host))
        return false;
    size_t dot = mfx_str_find(host, '.');
    expand(e, dot < host.len ? mfx_str_from(host, dot + 1) : host);
    return true;
}

/* "name", "name?text", "name:text", "name?{text}:{text}" */
static void
expand_name(struct expansion *e, struct mfx_str inside)
{
    size_t end = 0;
    while (end < inside.len && strchr("?:", inside.p[end]) == NULL)
        end++;
    struct mfx_str name = mfx_str_trim(mfx_str_head(inside, end));
    struct mfx_str rest = mfx_str_from(inside, end + 1), value;
    char how = end < inside.len ? inside.p[end] : '\0';
    bool is_known = raw_value(e->pf, name, &value);
    if (how == '\0') {
        if (is_known)
            expand(e, value);
        else if (!by_hostname(e, name) && e->unknown.len == 0)
            e->unknown = name;
        return;
    }
    if (rest.len > 0 && rest.p[0] == '{') {
        e->unknown = inside; /* two-armed forms are rare where this matters */
        return;
    }
    if ((how == '?') == (is_known && value.len > 0))
        expand(e, rest);
}

static void
expand(struct expansion *e, struct mfx_str text)
{
    if (++e->depth > EXPANSIONS_MAX) {
        e->unknown = mfx_str_of("a name in itself");
        e->depth--;
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        struct mfx_str rest = mfx_str_from(text, i + 1);
        size_t end = 0;
        if (text.p[i] != '$' || rest.len == 0) {
            mfx_buf_add_byte(&e->out, text.p[i]);
        } else if (rest.p[0] == '$') {
            mfx_buf_add_byte(&e->out, '$');
            i++;
        } else if (rest.p[0] == '{' || rest.p[0] == '(') {
            end = mfx_str_find(rest, rest.p[0] == '{' ? '}' : ')');
            expand_name(e, mfx_str_from(mfx_str_head(rest, end), 1));
            i += end + 1;
        } else {
            while (end < rest.len &&
                   (mfx_ascii_is_alnum((unsigned char)rest.p[end]) ||
                    rest.p[end] == '_'))
                end++;
            expand_name(e, mfx_str_head(rest, end));
            i += end;
        }
    }
    e->depth--;
}

bool
masq_pf_value(struct masq_pf *pf, const char *name, const char *preset,
              struct mfx_str *value)
{
    struct expansion e = {.pf = pf};
    struct masq_import_item *item = masq_pf_find(pf, name);
    mfx_buf_init_arena(&e.out, pf->import->arena, VALUE_MAX);
    if (item != NULL)
        expand(&e, masq_import_arg(item, 0));
    else if (preset != NULL)
        expand(&e, mfx_str_of(preset));
    *value = mfx_str_trim(mfx_buf_str(&e.out));
    if (e.unknown.len == 0 && mfx_buf_ok(&e.out))
        return true;
    if (item == NULL)
        item = masq_import_add(pf->import, pf->file, 0, mfx_str_of(name),
                               MASQ_PF_JUNK, mfx_str_of(name));
    if (item != NULL)
        masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                        "$%.*s has no value here", MFX_STR_ARG(e.unknown));
    return false;
}

bool
masq_pf_word(struct mfx_str *rest, struct mfx_str *word)
{
    size_t start = 0, depth = 0, end;
    while (start < rest->len && strchr(", \t\r\n", rest->p[start]) != NULL)
        start++;
    for (end = start; end < rest->len; end++) {
        depth += rest->p[end] == '{';
        depth -= rest->p[end] == '}' && depth > 0;
        if (depth == 0 && strchr(", \t\r\n", rest->p[end]) != NULL)
            break;
    }
    *word = mfx_str_head(mfx_str_from(*rest, start), end - start);
    *rest = mfx_str_from(*rest, end);
    return word->len > 0;
}
