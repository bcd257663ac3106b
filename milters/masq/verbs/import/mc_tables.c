/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Maps: where their source is, and who reads its rows.
 */
#include <unistd.h>

#include <mfx/base/file.h>

#include "mc.h"

enum {
    ROWS_MAX = 64 * 1024 * 1024,
};

struct map {
    struct mfx_str type, path, flags;
};

/* What does not change which value a key has; -k0 and -v1 are columns. */
static bool
is_harmless(struct mfx_str flag)
{
    return flag.len < 2 || strchr("oafNOmTsqD", flag.p[1]) != NULL ||
           mfx_str_is(flag, "-k0") || mfx_str_is(flag, "-v1");
}

/* "hash -o -T<TMPF> /etc/mail/access" */
static struct map
parse(struct mfx_str spec)
{
    struct map map = {.flags = mfx_str(NULL, 0)};
    struct mfx_str word;
    if (!mfx_str_word(&spec, " \t", &map.type))
        return map;
    while (mfx_str_word(&spec, " \t", &word))
        if (word.p[0] != '-')
            map.path = word;
        else if (!is_harmless(word))
            map.flags = word;
    if (mfx_str_ends_nocase(map.path, mfx_str_of(".db")))
        map.path.len -= 3;
    return map;
}

static bool
is_type(struct mfx_str type, const char *const *types)
{
    while (*types != NULL && !mfx_str_is_nocase(type, *types))
        types++;
    return *types != NULL;
}

static bool
is_made(struct mfx_str type)
{
    static const char *const made[] = {"hash", "btree", "dbm",
                                       "cdb",  "text",  NULL};
    return is_type(type, made);
}

/* Why its rows cannot be had; NULL: they can. */
static const char *
trouble(const struct map *map)
{
    if (!is_made(map->type))
        return "is no map with a source";
    if (map->flags.len > 0)
        return "has flags that change what is looked up";
    if (!mfx_str_starts(map->path, mfx_str_of("/")))
        return "has no path";
    return NULL;
}

static void
say_trouble(struct masq_mc *s, struct masq_import_item *item, const char *why)
{
    masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                    "\"%.*s\" %s: write its rows to a file",
                    MFX_STR_ARG(masq_import_arg(item, 0)), why);
}

bool
masq_mc_map_table(struct masq_mc *s, struct masq_import_item *item,
                  struct mfx_str *spec)
{
    struct mfx_str value = masq_import_arg(item, 0);
    if (value.len == 0)
        value = mfx_str_of("hash /etc/mail/genericstable");
    struct map map = parse(value);
    const char *why = trouble(&map);
    if (why != NULL) {
        say_trouble(s, item, why);
        return false;
    }
    struct mfx_str path = mfx_arena_copy(s->import->arena, map.path);
    if (path.p != NULL && access(path.p, R_OK) != 0)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "%s, the source of the map, cannot be read here",
                        path.p);
    *spec =
        mfx_arena_printf(s->import->arena, "texthash:%.*s", MFX_STR_ARG(path));
    return true;
}

/* --- rows --- */

bool
masq_mc_read_rows(struct masq_mc *s, const char *path, struct mfx_str *text)
{
    struct mfx_err err;
    return mfx_file_read(path, ROWS_MAX, s->import->arena, text, NULL, &err) ==
               MFX_OK &&
           !mfx_str_has(*text, '\0');
}

bool
masq_mc_row(struct mfx_str *text, struct mfx_str *key, struct mfx_str *value)
{
    struct mfx_str line;
    while (text->len > 0 && mfx_str_cut(text, '\n', &line)) {
        line = mfx_str_trim(line);
        if (line.len == 0 || line.p[0] == '#')
            continue;
        if (!mfx_str_word(&line, " \t", key))
            continue;
        *value = mfx_str_trim(line);
        return true;
    }
    return false;
}

void
masq_mc_leave_row(struct masq_mc_rows *rows, struct mfx_str key)
{
    if (rows->left++ == 0)
        rows->first_left = key;
}

/* --- networks --- */

/* Up to four numbers with dots. */
static bool
network_4(struct masq_mc *s, struct mfx_str word, struct mfx_str *network)
{
    static const char *const zeros[] = {"", ".0.0.0", ".0.0", ".0", ""};
    struct mfx_str rest = word, one;
    unsigned count = 0;
    uint64_t n;
    while (mfx_str_cut(&rest, '.', &one)) {
        if (mfx_str_to_u64(one, 255, &n) != MFX_OK || ++count > 4)
            return false;
    }
    if (count == 0)
        return false;
    *network = count == 4 ? word
                          : mfx_arena_printf(s->import->arena, "%.*s%s/%u",
                                             MFX_STR_ARG(word), zeros[count],
                                             count * 8);
    return true;
}

/* Groups of 16 bits, fewer than eight for a network. */
static bool
network_6(struct masq_mc *s, struct mfx_str word, struct mfx_str *network)
{
    struct mfx_str rest = word, one;
    unsigned count = 0;
    bool is_whole = false;
    for (size_t i = 0; i < word.len; i++)
        is_whole =
            is_whole || (i > 0 && word.p[i] == ':' && word.p[i - 1] == ':');
    while (mfx_str_cut(&rest, ':', &one))
        count++;
    for (size_t i = 0; i < word.len; i++)
        if (strchr("0123456789abcdefABCDEF:", word.p[i]) == NULL)
            return false;
    is_whole = is_whole || count == 8;
    *network = is_whole ? mfx_arena_printf(s->import->arena, "[%.*s]",
                                           MFX_STR_ARG(word))
                        : mfx_arena_printf(s->import->arena, "[%.*s::]/%u",
                                           MFX_STR_ARG(word), count * 16);
    return word.len > 0;
}

bool
masq_mc_network(struct masq_mc *s, struct mfx_str word, struct mfx_str *network)
{
    struct mfx_str six = mfx_str_of("IPv6:");
    if (word.len > 2 && word.p[0] == '[' && word.p[word.len - 1] == ']')
        word = mfx_str(word.p + 1, word.len - 2);
    if (mfx_str_starts_nocase(word, six))
        return network_6(s, mfx_str_from(word, six.len), network);
    if (word.len > 0 && word.p[word.len - 1] == '.')
        word.len--;
    return network_4(s, word, network);
}

/* --- each map --- */

static void
take_rows(struct masq_mc *s, struct masq_import_item *item,
          void (*take)(struct masq_mc_rows *rows), const char *what)
{
    struct map map = parse(masq_import_arg(item, 0));
    const char *why = trouble(&map);
    const char *path = mfx_arena_copy(s->import->arena, map.path).p;
    struct masq_mc_rows rows = {.s = s, .item = item};
    if (why != NULL) {
        say_trouble(s, item, why);
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND, "%s", what);
        return;
    }
    if (path == NULL || s->import->out == NULL ||
        !masq_mc_read_rows(s, path, &rows.text)) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "%s; %s has the rows: give --output DIR where it can "
                        "be read",
                        what, path);
        return;
    }
    take(&rows);
    if (rows.left > 0)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "%zu rows of %s have no counterpart, the first is "
                        "%.*s (see by-hand)",
                        rows.left, path, MFX_STR_ARG(rows.first_left));
}

void
masq_mc_take_map(struct masq_mc *s, struct masq_import_item *item)
{
    static const char *const own[] = {
        "resolve", "arith",  "macro",        "dequote", "dnsbl",
        "user",    "canon",  "bestmx",       "host",    "dns",
        "edns",    "ednsbl", "tls_failures", "storage", NULL};
    if (item->fate != MASQ_IMPORT_OPEN)
        return;
    if (mfx_str_is(item->name, "mailertable"))
        take_rows(s, item, masq_mc_mailertable, "main.cf transport_maps");
    else if (mfx_str_is(item->name, "virtuser"))
        take_rows(s, item, masq_mc_virtusertable, "main.cf virtual_alias_maps");
    else if (mfx_str_is(item->name, "domaintable"))
        take_rows(s, item, masq_mc_domaintable,
                  "a canonical rule with rows \"@old @new\"");
    else if (mfx_str_is(item->name, "access"))
        take_rows(s, item, masq_mc_access,
                  "main.cf check_client_access, check_sender_access, "
                  "check_recipient_access, mynetworks, relay_domains");
    else if (is_type(item->name, own))
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "a map that Sendmail's rules need");
    else
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "a map of your own rules");
}
