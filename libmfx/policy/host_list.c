/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/host_list.h>

#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/map.h>

/* One name or network: as written without and with "!"; p is NULL where it
 * is not in the list. */
struct rule {
    struct mfx_str yes, no;
};

struct mfx_host_list {
    struct mfx_arena *arena;
    struct mfx_map *names;       /* "host" or ".domain" -> rule */
    struct mfx_ip_set *yes, *no; /* value: index of `written` */
    struct mfx_str *written;
    size_t written_count, written_room;
    size_t count;
};

/* --- loading --- */

/* Where a list comes from, and what was found wrong in it. */
struct loading {
    struct mfx_host_list *list;
    const char *where; /* the setting */
    const char *file;  /* "" when the entries stand in the setting */
    bool has_patterns; /* refile: '*' would have matched */
    struct mfx_problems *problems;
    enum mfx_rc rc;
};

static void
complain(struct loading *l, enum mfx_problem_kind kind,
         const struct mfx_table_row *row, const char *what)
{
    if (kind == MFX_PROBLEM_ERROR)
        l->rc = MFX_PERMFAIL;
    mfx_problem_add(l->problems, kind, l->file, row->line, "%s: \"%.*s\" %s",
                    l->where, MFX_STR_ARG(row->key), what);
}

static bool
has_room(struct mfx_host_list *list)
{
    if (list->written_count < list->written_room)
        return true;
    size_t room = list->written_room == 0 ? 16 : list->written_room * 2;
    struct mfx_str *written = realloc(list->written, room * sizeof *written);
    if (written == NULL)
        return false;
    list->written = written;
    list->written_room = room;
    return true;
}

static enum mfx_rc
add_net(struct mfx_host_list *list, const struct mfx_net *net, bool is_not,
        struct mfx_str written)
{
    if (!has_room(list))
        return MFX_TEMPFAIL;
    list->written[list->written_count] = written;
    return mfx_ip_set_add(is_not ? list->no : list->yes, net,
                          (int)list->written_count++);
}

static enum mfx_rc
add_name(struct mfx_host_list *list, struct mfx_str name, bool is_not,
         struct mfx_str written)
{
    struct rule *rule = mfx_map_get(list->names, name);
    if (rule == NULL) {
        rule = mfx_arena_alloc(list->arena, sizeof *rule);
        name = mfx_arena_copy(list->arena, name);
        if (rule == NULL || name.p == NULL ||
            mfx_map_put(list->names, name, rule) != MFX_OK)
            return MFX_TEMPFAIL;
    }
    struct mfx_str *side = is_not ? &rule->no : &rule->yes;
    if (side->p == NULL)
        *side = written;
    return MFX_OK;
}

/* Letters, digits, '-', '_' and '.', not all of an address's kind. */
static bool
can_be_name(struct mfx_str name)
{
    bool has_letter = false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '-' && c != '_' && c != '.' &&
            c < 0x80)
            return false;
        has_letter = has_letter || !(mfx_ascii_is_digit(c) || c == '.');
    }
    return has_letter;
}

static enum mfx_rc
load_name(struct loading *l, const struct mfx_table_row *row,
          struct mfx_str name, bool is_not, struct mfx_str written)
{
    if (name.len > 2 && name.p[0] == '*' && name.p[1] == '.' &&
        can_be_name(mfx_str_from(name, 2))) {
        complain(l, MFX_PROBLEM_WARNING, row,
                 "is read as \".domain\": every host below the domain");
        name = mfx_str_from(name, 1);
    }
    if (mfx_str_has(name, '*') && l->has_patterns) {
        complain(l, MFX_PROBLEM_ERROR, row,
                 "is a pattern; write a network (10.0.0.0/8) or a domain "
                 "(.example.org)");
        return MFX_OK;
    }
    if (!can_be_name(name)) {
        complain(l, MFX_PROBLEM_WARNING, row,
                 "is no address, network, host name or .domain: no client "
                 "matches it");
        return MFX_OK;
    }
    if (name.len > 1 && name.p[name.len - 1] == '.')
        name.len--;
    l->list->count++;
    return add_name(l->list, name, is_not, written);
}

static enum mfx_rc
load_net(struct loading *l, const struct mfx_table_row *row,
         const struct mfx_net *net, bool has_host_bits, bool is_not,
         struct mfx_str written)
{
    char text[MFX_IP_TEXT], what[120];
    (void)mfx_ip_format(&net->ip, text);
    if (has_host_bits) {
        (void)snprintf(what, sizeof what,
                       "has bits behind its prefix, read as %s/%u", text,
                       net->prefix);
        complain(l, MFX_PROBLEM_WARNING, row, what);
    } else if (net->ip.family == MFX_IP_V4 && mfx_str_has(row->key, ':')) {
        (void)snprintf(what, sizeof what,
                       "is an IPv4-mapped address, read as %s/%u", text,
                       net->prefix);
        complain(l, MFX_PROBLEM_WARNING, row, what);
    }
    l->list->count++;
    return add_net(l->list, net, is_not, written);
}

static bool
load_row(const struct mfx_table_row *row, void *arg)
{
    struct loading *l = arg;
    struct mfx_str entry = row->key;
    struct mfx_net net;
    bool has_host_bits;
    enum mfx_rc rc = MFX_OK;
    bool is_not = entry.len > 0 && entry.p[0] == '!';
    struct mfx_str written = mfx_arena_copy(l->list->arena, entry);
    if (is_not)
        entry = mfx_str_from(entry, 1);
    if (written.p == NULL)
        rc = MFX_TEMPFAIL;
    else if (mfx_net_parse(entry, &net, &has_host_bits) == MFX_OK)
        rc = load_net(l, row, &net, has_host_bits, is_not, written);
    else if (mfx_str_has(entry, '/'))
        complain(l, MFX_PROBLEM_ERROR, row, "is no network");
    else
        rc = load_name(l, row, entry, is_not, written);
    if (rc == MFX_OK)
        return true;
    mfx_problem_add(l->problems, MFX_PROBLEM_ERROR, l->file, row->line,
                    "%s: out of memory", l->where);
    l->rc = rc;
    return false;
}

/* The path of a table whose lines are counted; "" for others. */
static const char *
file_of(const struct mfx_table *table, struct mfx_arena *arena)
{
    static const char *const files[] = {"file", "refile", "texthash", "alias"};
    struct mfx_str spec = mfx_table_spec(table);
    const char *type = mfx_table_type(table);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(type, files[i]) != 0)
            continue;
        if (mfx_str_starts(spec, mfx_str_of(type)))
            spec = mfx_str_from(spec, mfx_str_find(spec, ':') + 1);
        const char *path = mfx_arena_copy(arena, spec).p;
        return path == NULL ? "" : path;
    }
    return "";
}

static struct mfx_host_list *
new_list(void)
{
    struct mfx_host_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return NULL;
    list->arena = mfx_arena_new(0);
    list->names = mfx_map_new(MFX_MAP_NOCASE, 0);
    list->yes = mfx_ip_set_new();
    list->no = mfx_ip_set_new();
    if (list->arena != NULL && list->names != NULL && list->yes != NULL &&
        list->no != NULL)
        return list;
    mfx_host_list_free(list);
    return NULL;
}

static enum mfx_rc
load_table(struct loading *l, struct mfx_table *table)
{
    struct mfx_err err = {{0}};
    l->file = file_of(table, l->list->arena);
    l->has_patterns = strcmp(mfx_table_type(table), "refile") == 0;
    l->rc = MFX_OK;
    enum mfx_rc rc = mfx_table_walk(table, l->list->arena, load_row, l, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        mfx_problem_add(l->problems, MFX_PROBLEM_ERROR, "", 0, "%s: %s",
                        l->where, err.msg);
    return rc == MFX_OK || rc == MFX_NOTFOUND ? l->rc : rc;
}

enum mfx_rc
mfx_host_list_new(struct mfx_table *table, const char *where,
                  struct mfx_problems *problems, struct mfx_host_list **list)
{
    struct loading loading = {
        .list = new_list(), .where = where, .problems = problems};
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (loading.list == NULL)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, "", 0, "%s: out of memory",
                        where);
    else
        rc = table == NULL ? MFX_OK : load_table(&loading, table);
    if (rc != MFX_OK) {
        mfx_host_list_free(loading.list);
        return rc;
    }
    *list = loading.list;
    return MFX_OK;
}

void
mfx_host_list_free(struct mfx_host_list *list)
{
    if (list == NULL)
        return;
    mfx_ip_set_free(list->yes);
    mfx_ip_set_free(list->no);
    mfx_map_free(list->names);
    mfx_arena_free(list->arena);
    free(list->written);
    free(list);
}

size_t
mfx_host_list_count(const struct mfx_host_list *list)
{
    return list->count;
}

void
mfx_host_list_check_loopback(const struct mfx_host_list *list,
                             const char *where, struct mfx_problems *problems)
{
    static const struct mfx_str own[] = {MFX_STR("127.0.0.1"), MFX_STR("::1")};
    if (list->count == 0)
        return;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        struct mfx_ip ip;
        if (mfx_ip_parse(own[i], &ip) == MFX_OK &&
            !mfx_host_list_has(list, mfx_str(NULL, 0), &ip, NULL))
            mfx_problem_add(problems, MFX_PROBLEM_WARNING, "", 0,
                            "%s: %s is not in the list: mail from this machine "
                            "itself counts as foreign",
                            where, own[i].p);
    }
}

/* --- asking --- */

enum verdict {
    SILENT,
    YES,
    NO,
};

static enum verdict
ask_rule(const struct rule *rule, struct mfx_str *entry)
{
    if (rule == NULL)
        return SILENT;
    bool is_not = rule->no.p != NULL;
    *entry = is_not ? rule->no : rule->yes;
    return is_not ? NO : YES;
}

/* The host itself, then ".parent" for each of its parents. */
static enum verdict
ask_name(const struct mfx_host_list *list, struct mfx_str name,
         struct mfx_str *entry)
{
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.p[0] == '[' || mfx_str_is_nocase(name, "unknown"))
        return SILENT;
    enum verdict verdict = ask_rule(mfx_map_get(list->names, name), entry);
    size_t dot = mfx_str_find(name, '.');
    while (verdict == SILENT && dot < name.len) {
        name = mfx_str_from(name, dot);
        verdict = ask_rule(mfx_map_get(list->names, name), entry);
        dot = 1 + mfx_str_find(mfx_str_from(name, 1), '.');
    }
    return verdict;
}

/* The longest prefix; of two alike, the one with "!". */
static enum verdict
ask_ip(const struct mfx_host_list *list, const struct mfx_ip *ip,
       struct mfx_str *entry)
{
    struct mfx_net yes_net = {.prefix = 0}, no_net = {.prefix = 0};
    int yes = 0, no = 0;
    bool has_yes = mfx_ip_set_get(list->yes, ip, &yes_net, &yes);
    bool has_no = mfx_ip_set_get(list->no, ip, &no_net, &no);
    if (!has_yes && !has_no)
        return SILENT;
    bool is_not = has_no && (!has_yes || no_net.prefix >= yes_net.prefix);
    *entry = list->written[is_not ? no : yes];
    return is_not ? NO : YES;
}

bool
mfx_host_list_has(const struct mfx_host_list *list, struct mfx_str name,
                  const struct mfx_ip *ip, struct mfx_str *entry)
{
    struct mfx_str by_name = {0}, by_ip = {0};
    enum verdict name_says = SILENT, ip_says = SILENT;
    if (list != NULL) {
        name_says = ask_name(list, name, &by_name);
        if (name_says != YES && ip != NULL)
            ip_says = ask_ip(list, ip, &by_ip);
    }
    if (entry != NULL)
        *entry = name_says == YES || ip_says == SILENT ? by_name : by_ip;
    return name_says == YES || ip_says == YES;
}
