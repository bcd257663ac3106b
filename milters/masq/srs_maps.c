/* SPDX-License-Identifier: BSD-2-Clause */
#include "srs_maps.h"

#include <mfx/base/file.h>
#include <mfx/base/map.h>

#include "members.h"
#include <mfx/policy/domain_list.h>

/* An address still to be looked at. */
struct stop {
    struct stop *next;
    struct masq_address address;
    unsigned depth;
    bool is_user; /* of this machine: virtual(5) is past */
};

/* A row that has an address as its key. */
struct found {
    struct masq_canonical_row row;
    bool is_alias; /* from a table of aliases(5) alone */
    /* Its members go through virtual(5) again, users of this machine, too: so
     * it is with include files. */
    bool is_sent_on;
};

struct walk {
    const struct masq_srs_maps *maps;
    struct mfx_arena *arena;
    struct mfx_err *err;
    struct mfx_map *seen; /* keys of addresses */
    size_t count, files;
    struct stop *first, *last;
    struct mfx_str where; /* not empty: it leaves */
};

enum mfx_rc
masq_srs_maps_init(struct masq_srs_maps *maps, struct mfx_table *const *tables,
                   size_t count, struct mfx_arena *arena)
{
    struct mfx_table **others =
        mfx_arena_alloc_array(arena, count, sizeof(struct mfx_table *));
    struct mfx_table **aliases =
        mfx_arena_alloc_array(arena, count, sizeof(struct mfx_table *));
    if (others == NULL || aliases == NULL)
        return MFX_TEMPFAIL;
    maps->tables.maps = others;
    maps->aliases = aliases;
    maps->tables.map_count = maps->alias_count = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(mfx_table_type(tables[i]), "alias") == 0)
            aliases[maps->alias_count++] = tables[i];
        else
            others[maps->tables.map_count++] = tables[i];
    return MFX_OK;
}

/* --- what is to be looked at --- */

static enum mfx_rc
leaves(struct walk *w, const char *why, struct mfx_str what)
{
    w->where = mfx_arena_printf(w->arena, "%s%.*s", why, MFX_STR_ARG(what));
    return w->where.p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

/* Under what it is remembered; users are no addresses. */
static enum mfx_rc
key_of(struct walk *w, const struct masq_address *address, bool is_user,
       struct mfx_str *key)
{
    enum mfx_rc rc = masq_address_key(address, w->arena, key);
    if (rc == MFX_OK && is_user)
        *key = mfx_arena_printf(w->arena, "user %.*s", MFX_STR_ARG(*key));
    return rc == MFX_OK && key->p == NULL ? MFX_TEMPFAIL : rc;
}

static enum mfx_rc
push(struct walk *w, const struct masq_address *address, bool is_user,
     unsigned depth)
{
    struct mfx_str key;
    enum mfx_rc rc = key_of(w, address, is_user, &key);
    if (rc != MFX_OK)
        return rc;
    if (mfx_map_get(w->seen, key) != NULL)
        return MFX_OK;
    if (depth > MASQ_SRS_MAPS_DEPTH)
        return leaves(w, "unknown, too many aliases in a row, at ", key);
    if (++w->count > MASQ_SRS_MAPS_MEMBERS)
        return leaves(w, "unknown, too many members, at ", key);
    struct stop *stop = mfx_arena_alloc(w->arena, sizeof *stop);
    if (stop == NULL)
        return MFX_TEMPFAIL;
    *stop = (struct stop){NULL, *address, depth, is_user};
    if (w->first == NULL)
        w->first = stop;
    else
        w->last->next = stop;
    w->last = stop;
    return mfx_map_put(w->seen, key, stop);
}

/* --- rows --- */

static bool
is_bare(struct mfx_str key)
{
    return !mfx_str_has(key, '@');
}

/* By virtual(5)'s keys, in all tables that may be of it. */
static enum mfx_rc
find(struct walk *w, const struct masq_address *address, struct found *found)
{
    *found = (struct found){.is_alias = false};
    return masq_canonical_find(&w->maps->tables, address, w->arena, &found->row,
                               w->err);
}

/* By the bare user, in the tables that may be of aliases(5). */
static enum mfx_rc
find_alias(struct walk *w, struct mfx_str user, struct found *found)
{
    const struct masq_address address = {.local = user};
    struct masq_canonical aliases = w->maps->tables;
    if (w->maps->alias_count == 0)
        return find(w, &address, found);
    aliases.maps = w->maps->aliases;
    aliases.map_count = w->maps->alias_count;
    *found = (struct found){.is_alias = true};
    return masq_canonical_find(&aliases, &address, w->arena, &found->row,
                               w->err);
}

/* By "@domain" alone. */
static enum mfx_rc
find_domain(struct walk *w, const struct masq_address *address,
            struct found *found)
{
    const struct masq_canonical *t = &w->maps->tables;
    struct masq_canonical_row *row = &found->row;
    enum mfx_rc rc = MFX_NOTFOUND;
    *found = (struct found){.row.user = address->local};
    row->key =
        mfx_arena_printf(w->arena, "@%.*s", MFX_STR_ARG(address->domain));
    if (row->key.p == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < t->map_count && rc == MFX_NOTFOUND; i++)
        if (!mfx_table_has_patterns(t->maps[i]))
            rc = mfx_table_get(t->maps[i], row->key, w->arena, &row->value,
                               w->err);
    return rc;
}

/* No row has it as its key. */
static enum mfx_rc
judge(struct walk *w, const struct masq_address *address)
{
    struct mfx_str key;
    if (address->domain.len == 0)
        return MFX_OK;
    enum mfx_rc rc = mfx_domain_list_has(w->maps->our_domains, address->domain,
                                         w->arena, w->err);
    if (rc == MFX_NOTFOUND)
        rc = masq_canonical_is_local(&w->maps->tables, address->domain,
                                     w->arena, w->err);
    if (rc != MFX_NOTFOUND)
        return rc;
    rc = masq_address_key(address, w->arena, &key);
    return rc == MFX_OK ? leaves(w, "", key) : rc;
}

/* MFX_OK: an alias whose members get a sender of our own. */
static enum mfx_rc
has_owner(struct walk *w, const struct found *alias)
{
    struct found found;
    bool may_be_alias = alias->is_alias || w->maps->alias_count == 0;
    if (!may_be_alias || !is_bare(alias->row.key))
        return MFX_NOTFOUND;
    struct mfx_str owner =
        mfx_arena_printf(w->arena, "owner-%.*s", MFX_STR_ARG(alias->row.key));
    if (owner.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = find_alias(w, owner, &found);
    /* that one's "+extension" must not be cut off */
    return rc == MFX_OK && found.row.extension.len > 0 ? MFX_NOTFOUND : rc;
}

static bool
is_same(const struct masq_address *a, const struct masq_address *b)
{
    return mfx_str_eq_nocase(a->local, b->local) &&
           mfx_str_eq_nocase(a->domain, b->domain);
}

static enum mfx_rc take_row(struct walk *w, const struct stop *stop,
                            const struct found *found);

/* No row of virtual(5) has it, or one that maps it to itself. */
static enum mfx_rc
take_alias(struct walk *w, const struct stop *stop)
{
    struct found found;
    const struct masq_address *a = &stop->address;
    enum mfx_rc rc = MFX_OK;
    if (a->domain.len > 0)
        rc = masq_canonical_is_local(&w->maps->tables, a->domain, w->arena,
                                     w->err);
    if (rc == MFX_OK)
        rc = find_alias(w, a->local, &found);
    if (rc == MFX_NOTFOUND)
        return judge(w, a);
    return rc == MFX_OK ? take_row(w, stop, &found) : rc;
}

static enum mfx_rc
take_address(struct walk *w, const struct stop *stop, const struct found *found,
             struct masq_address address)
{
    const struct masq_canonical_row *row = &found->row;
    if (address.domain.len == 0 && found->is_alias && !found->is_sent_on)
        return push(w, &address, true, stop->depth + 1);
    if (address.domain.len == 0)
        address.domain = w->maps->tables.origin_domain;
    if (row->extension.len > 0 && !found->is_alias)
        address.local =
            mfx_arena_printf(w->arena, "%.*s%.*s", MFX_STR_ARG(address.local),
                             MFX_STR_ARG(row->extension));
    if (is_same(&address, &stop->address))
        return found->is_alias ? judge(w, &address) : take_alias(w, stop);
    return push(w, &address, false, stop->depth + 1);
}

static enum mfx_rc take_members(struct walk *w, const struct stop *stop,
                                const struct found *found, struct mfx_str text);

/* Addresses line by line, with '#' before comments. */
static enum mfx_rc
take_file(struct walk *w, const struct stop *stop, const struct found *found,
          struct mfx_str path)
{
    struct mfx_str bytes, line;
    struct found included = *found;
    enum mfx_rc rc = MFX_OK;
    const char *name = mfx_arena_copy(w->arena, path).p;
    if (name == NULL)
        return MFX_TEMPFAIL;
    if (++w->files > MASQ_SRS_MAPS_FILES)
        return leaves(w, "unknown, too many files, at ", path);
    if (mfx_file_read(name, MASQ_SRS_MAPS_FILE, w->arena, &bytes, NULL, NULL) !=
        MFX_OK)
        return leaves(w, "unknown, cannot read ", path);
    included.is_sent_on = true;
    while (rc == MFX_OK && w->where.len == 0 &&
           mfx_str_cut(&bytes, '\n', &line)) {
        line = mfx_str_trim(line);
        if (line.len > 0 && line.p[0] != '#')
            rc = take_members(w, stop, &included, line);
    }
    return rc;
}

static enum mfx_rc
take_member(struct walk *w, const struct stop *stop, const struct found *found,
            const struct masq_member *member)
{
    struct masq_address address = member->address;
    switch (member->kind) {
    case MASQ_MEMBER_SAME_LOCAL:
        address.local = found->row.user;
        return take_address(w, stop, found, address);
    case MASQ_MEMBER_ADDRESS:
        return take_address(w, stop, found, address);
    case MASQ_MEMBER_HERE:
        return MFX_OK;
    case MASQ_MEMBER_INCLUDE:
        return take_file(w, stop, found, member->text);
    case MASQ_MEMBER_UNKNOWN:
        return leaves(w, "unknown, alias ", found->row.key);
    }
    return MFX_TEMPFAIL;
}

static enum mfx_rc
take_members(struct walk *w, const struct stop *stop, const struct found *found,
             struct mfx_str text)
{
    struct masq_member member;
    enum mfx_rc rc = MFX_OK;
    while (rc == MFX_OK && w->where.len == 0) {
        rc = masq_members_next(&text, w->arena, &member);
        if (rc == MFX_NOTFOUND)
            return MFX_OK;
        if (rc == MFX_OK)
            rc = take_member(w, stop, found, &member);
    }
    return rc;
}

static enum mfx_rc
take_row(struct walk *w, const struct stop *stop, const struct found *found)
{
    enum mfx_rc rc = has_owner(w, found);
    if (rc == MFX_NOTFOUND)
        return take_members(w, stop, found, found->row.value);
    return rc;
}

/* A bare user's row may be one of aliases(5), which the MTA looks at only after
 * it has taken what the whole domain maps to. */
static enum mfx_rc
take_bare(struct walk *w, const struct stop *stop, const struct found *user)
{
    struct found domain;
    enum mfx_rc rc = take_row(w, stop, user);
    if (rc != MFX_OK || w->maps->alias_count > 0 ||
        stop->address.domain.len == 0)
        return rc;
    rc = find_domain(w, &stop->address, &domain);
    if (rc == MFX_OK)
        return take_row(w, stop, &domain);
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static enum mfx_rc
take_stop(struct walk *w, const struct stop *stop)
{
    struct found found;
    if (stop->is_user)
        return take_alias(w, stop);
    enum mfx_rc rc = find(w, &stop->address, &found);
    if (rc == MFX_NOTFOUND)
        return take_alias(w, stop);
    if (rc != MFX_OK)
        return rc;
    return is_bare(found.row.key) ? take_bare(w, stop, &found)
                                  : take_row(w, stop, &found);
}

static enum mfx_rc
go(struct walk *w, const struct masq_address *recipient)
{
    struct masq_address first = *recipient;
    if (first.domain.len == 0)
        first.domain = w->maps->tables.origin_domain;
    enum mfx_rc rc = push(w, &first, false, 0);
    while (rc == MFX_OK && w->where.len == 0 && w->first != NULL) {
        const struct stop *stop = w->first;
        w->first = stop->next;
        rc = take_stop(w, stop);
    }
    return rc;
}

enum mfx_rc
masq_srs_maps_leave(const struct masq_srs_maps *maps,
                    const struct masq_address *recipient,
                    struct mfx_arena *arena, struct mfx_str *where,
                    struct mfx_err *err)
{
    struct walk w = {.maps = maps, .arena = arena, .err = err};
    *where = mfx_str(NULL, 0);
    w.seen = mfx_map_new(MFX_MAP_NOCASE, 8);
    if (w.seen == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = go(&w, recipient);
    mfx_map_free(w.seen);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    *where = w.where;
    return w.where.len > 0 ? MFX_OK : MFX_NOTFOUND;
}
