/* SPDX-License-Identifier: BSD-2-Clause */
#include "srs_maps.h"

#include <mfx/base/file.h>
#include <mfx/base/map.h>

#include "domains.h"
#include "members.h"

/* An address still to be looked at. */
struct stop {
    struct stop *next;
    struct masq_address address;
    unsigned depth;
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

/* --- what is to be looked at --- */

static enum mfx_rc
leaves(struct walk *w, const char *why, struct mfx_str what)
{
    w->where = mfx_arena_printf(w->arena, "%s%.*s", why, MFX_STR_ARG(what));
    return w->where.p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
push(struct walk *w, const struct masq_address *address, unsigned depth)
{
    struct mfx_str key;
    enum mfx_rc rc = masq_address_key(address, w->arena, &key);
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
    stop->address = *address;
    stop->depth = depth;
    if (w->first == NULL)
        w->first = stop;
    else
        w->last->next = stop;
    w->last = stop;
    return mfx_map_put(w->seen, key, stop);
}

/* --- rows --- */

static enum mfx_rc
find(struct walk *w, const struct masq_address *address,
     struct masq_canonical_row *row)
{
    return masq_canonical_find(&w->maps->tables, address, w->arena, row,
                               w->err);
}

/* No row has it as its key. */
static enum mfx_rc
judge(struct walk *w, const struct masq_address *address)
{
    struct mfx_str key;
    if (address->domain.len == 0)
        return MFX_OK;
    enum mfx_rc rc = masq_domains_has(w->maps->our_domains, address->domain,
                                      w->arena, w->err);
    if (rc == MFX_NOTFOUND)
        rc = masq_canonical_is_local(&w->maps->tables, address->domain,
                                     w->arena, w->err);
    if (rc != MFX_NOTFOUND)
        return rc;
    rc = masq_address_key(address, w->arena, &key);
    return rc == MFX_OK ? leaves(w, "", key) : rc;
}

static bool
is_bare(struct mfx_str key)
{
    return !mfx_str_has(key, '@');
}

/* MFX_OK: what is sent on has a sender of our own. */
static enum mfx_rc
has_owner(struct walk *w, struct mfx_str key)
{
    struct masq_canonical_row row;
    struct masq_address owner = {
        mfx_arena_printf(w->arena, "owner-%.*s", MFX_STR_ARG(key)), {"", 0}
    };
    if (!is_bare(key))
        return MFX_NOTFOUND;
    return owner.local.p == NULL ? MFX_TEMPFAIL : find(w, &owner, &row);
}

static bool
is_same(const struct masq_address *a, const struct masq_address *b)
{
    return mfx_str_eq_nocase(a->local, b->local) &&
           mfx_str_eq_nocase(a->domain, b->domain);
}

static enum mfx_rc take_row(struct walk *w, const struct stop *stop,
                            const struct masq_canonical_row *row);

/* It maps to itself: for aliases(5) its bare user is a name of its own. */
static enum mfx_rc
take_itself(struct walk *w, const struct stop *stop,
            const struct masq_canonical_row *row)
{
    struct masq_canonical_row alias;
    struct masq_address user = {
        stop->address.local, {"", 0}
    };
    if (is_bare(row->key))
        return judge(w, &stop->address);
    enum mfx_rc rc = masq_canonical_is_local(
        &w->maps->tables, stop->address.domain, w->arena, w->err);
    if (rc == MFX_OK)
        rc = find(w, &user, &alias);
    if (rc == MFX_NOTFOUND)
        return judge(w, &stop->address);
    return rc == MFX_OK ? take_row(w, stop, &alias) : rc;
}

static enum mfx_rc
take_address(struct walk *w, const struct stop *stop,
             const struct masq_canonical_row *row, struct masq_address address)
{
    if (address.domain.len == 0)
        address.domain = w->maps->tables.origin_domain;
    if (is_same(&address, &stop->address))
        return take_itself(w, stop, row);
    if (row->extension.len > 0 && !is_bare(row->key))
        address.local =
            mfx_arena_printf(w->arena, "%.*s%.*s", MFX_STR_ARG(address.local),
                             MFX_STR_ARG(row->extension));
    return push(w, &address, stop->depth + 1);
}

static enum mfx_rc take_members(struct walk *w, const struct stop *stop,
                                const struct masq_canonical_row *row,
                                struct mfx_str text);

/* Addresses line by line, with '#' before comments. */
static enum mfx_rc
take_file(struct walk *w, const struct stop *stop,
          const struct masq_canonical_row *row, struct mfx_str path)
{
    struct mfx_str bytes, line;
    enum mfx_rc rc = MFX_OK;
    const char *name = mfx_arena_copy(w->arena, path).p;
    if (name == NULL)
        return MFX_TEMPFAIL;
    if (++w->files > MASQ_SRS_MAPS_FILES)
        return leaves(w, "unknown, too many files, at ", path);
    if (mfx_file_read(name, MASQ_SRS_MAPS_FILE, w->arena, &bytes, NULL, NULL) !=
        MFX_OK)
        return leaves(w, "unknown, cannot read ", path);
    while (rc == MFX_OK && w->where.len == 0 &&
           mfx_str_cut(&bytes, '\n', &line)) {
        line = mfx_str_trim(line);
        if (line.len > 0 && line.p[0] != '#')
            rc = take_members(w, stop, row, line);
    }
    return rc;
}

static enum mfx_rc
take_member(struct walk *w, const struct stop *stop,
            const struct masq_canonical_row *row,
            const struct masq_member *member)
{
    struct masq_address address = member->address;
    switch (member->kind) {
    case MASQ_MEMBER_SAME_LOCAL:
        address.local = row->user;
        return take_address(w, stop, row, address);
    case MASQ_MEMBER_ADDRESS:
        return take_address(w, stop, row, address);
    case MASQ_MEMBER_HERE:
        return MFX_OK;
    case MASQ_MEMBER_INCLUDE:
        return take_file(w, stop, row, member->text);
    case MASQ_MEMBER_UNKNOWN:
        return leaves(w, "unknown, alias ", row->key);
    }
    return MFX_TEMPFAIL;
}

static enum mfx_rc
take_members(struct walk *w, const struct stop *stop,
             const struct masq_canonical_row *row, struct mfx_str text)
{
    struct masq_member member;
    enum mfx_rc rc = MFX_OK;
    while (rc == MFX_OK && w->where.len == 0) {
        rc = masq_members_next(&text, w->arena, &member);
        if (rc == MFX_NOTFOUND)
            return MFX_OK;
        if (rc == MFX_OK)
            rc = take_member(w, stop, row, &member);
    }
    return rc;
}

static enum mfx_rc
take_row(struct walk *w, const struct stop *stop,
         const struct masq_canonical_row *row)
{
    enum mfx_rc rc = has_owner(w, row->key);
    if (rc == MFX_NOTFOUND)
        return take_members(w, stop, row, row->value);
    return rc;
}

static enum mfx_rc
go(struct walk *w, const struct masq_address *recipient)
{
    struct masq_address first = *recipient;
    if (first.domain.len == 0)
        first.domain = w->maps->tables.origin_domain;
    enum mfx_rc rc = push(w, &first, 0);
    while (rc == MFX_OK && w->where.len == 0 && w->first != NULL) {
        struct masq_canonical_row row;
        const struct stop *stop = w->first;
        w->first = stop->next;
        rc = find(w, &stop->address, &row);
        if (rc == MFX_OK)
            rc = take_row(w, stop, &row);
        else if (rc == MFX_NOTFOUND)
            rc = judge(w, &stop->address);
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
