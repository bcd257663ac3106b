/* SPDX-License-Identifier: BSD-2-Clause */
#include "masquerade.h"

#include <mfx/base/map.h>

/* A row of the list, or of a live table. */
struct row {
    struct mfx_str key, domain; /* "!a.example", "a.example" */
    size_t place;
    bool keeps; /* "!" */
};

struct masq_masquerade {
    struct mfx_table *domains, *exceptions;
    struct mfx_map *rows; /* by domain; NULL: the table is live */
    struct mfx_arena *arena;
    size_t count;
    bool is_failed;
};

/* --- the list --- */

static struct row
read_row(struct mfx_str key)
{
    struct row row = {.key = key, .domain = key};
    while (row.domain.len > 0 && row.domain.p[0] == '!') {
        row.keeps = !row.keeps;
        row.domain = mfx_str_from(row.domain, 1);
    }
    return row;
}

static bool
add_row(const struct mfx_table_row *table_row, void *arg)
{
    struct masq_masquerade *m = arg;
    struct row *row = mfx_arena_alloc(m->arena, sizeof *row);
    if (row == NULL) {
        m->is_failed = true;
        return false;
    }
    *row = read_row(table_row->key);
    row->place = m->count++;
    /* of two rows for one domain the first always ends it */
    if (row->domain.len > 0 && mfx_map_get(m->rows, row->domain) == NULL &&
        mfx_map_put(m->rows, row->domain, row) != MFX_OK)
        m->is_failed = true;
    return !m->is_failed;
}

static void
free_rows(void *arg)
{
    mfx_map_free(arg);
}

static bool
load(struct masq_masquerade *m)
{
    m->rows = mfx_map_new(MFX_MAP_NOCASE, mfx_table_counts(m->domains).rows);
    if (m->rows == NULL || !mfx_arena_defer(m->arena, free_rows, m->rows))
        return false;
    return mfx_table_walk(m->domains, m->arena, add_row, m, NULL) == MFX_OK &&
           !m->is_failed;
}

static bool
never_again(const struct mfx_table_row *row, void *arg)
{
    (void)row;
    (void)arg;
    return false;
}

enum mfx_rc
masq_masquerade_new(struct mfx_table *domains, struct mfx_table *exceptions,
                    struct mfx_arena *arena,
                    struct masq_masquerade **masquerade, struct mfx_err *err)
{
    struct masq_masquerade *m = mfx_arena_alloc(arena, sizeof *m);
    *masquerade = m;
    if (mfx_table_has_patterns(domains)) {
        mfx_err_set(err, "a list of domains cannot be a table of patterns");
        return MFX_PERMFAIL;
    }
    if (m == NULL)
        return MFX_TEMPFAIL;
    m->domains = domains;
    m->exceptions = exceptions;
    m->arena = arena;
    bool is_live =
        mfx_table_walk(domains, arena, never_again, NULL, NULL) == MFX_PERMFAIL;
    return is_live || load(m) ? MFX_OK : MFX_TEMPFAIL;
}

/* --- an address --- */

/* The next parent; empty behind the last label. */
static struct mfx_str
parent_of(struct mfx_str domain)
{
    return mfx_str_from(domain, mfx_str_find(domain, '.') + 1);
}

/* The first row of the list that fits. */
static const struct row *
find_loaded(const struct masq_masquerade *m, struct mfx_str domain)
{
    const struct row *found = NULL;
    for (; domain.len > 0; domain = parent_of(domain)) {
        const struct row *row = mfx_map_get(m->rows, domain);
        if (row != NULL && (found == NULL || row->place < found->place))
            found = row;
    }
    return found;
}

static enum mfx_rc
find_live(const struct masq_masquerade *m, struct mfx_str domain,
          struct mfx_arena *arena, struct row *row, struct mfx_err *err)
{
    struct mfx_str value, marked;
    enum mfx_rc rc = MFX_NOTFOUND;
    char *bytes = mfx_arena_alloc_bytes(arena, domain.len + 1);
    if (bytes == NULL)
        return MFX_TEMPFAIL;
    for (; domain.len > 0 && rc == MFX_NOTFOUND; domain = parent_of(domain)) {
        bytes[0] = '!';
        memcpy(bytes + 1, domain.p, domain.len);
        marked = mfx_str(bytes, domain.len + 1);
        *row = read_row(marked);
        rc = mfx_table_get(m->domains, marked, arena, &value, err);
        if (rc != MFX_NOTFOUND)
            break;
        *row = read_row(domain);
        rc = mfx_table_get(m->domains, domain, arena, &value, err);
    }
    return rc;
}

static enum mfx_rc
find_row(const struct masq_masquerade *m, struct mfx_str domain,
         struct mfx_arena *arena, struct row *row, struct mfx_err *err)
{
    if (m->rows == NULL)
        return find_live(m, domain, arena, row, err);
    const struct row *found = find_loaded(m, domain);
    if (found == NULL)
        return MFX_NOTFOUND;
    *row = *found;
    return MFX_OK;
}

/* MFX_OK: it is an exception. */
static enum mfx_rc
find_exception(const struct masq_masquerade *m, struct mfx_str local,
               struct mfx_arena *arena, struct mfx_err *err)
{
    struct masq_address name = {.local = local};
    struct mfx_str key, value;
    if (m->exceptions == NULL)
        return MFX_NOTFOUND;
    enum mfx_rc rc = masq_address_key(&name, arena, &key);
    if (rc != MFX_OK)
        return rc;
    return mfx_table_get(m->exceptions, key, arena, &value, err);
}

enum mfx_rc
masq_masquerade_rewrite(const struct masq_masquerade *m,
                        const struct masq_address *from,
                        struct mfx_arena *arena, struct masq_address *to,
                        struct mfx_str *why, struct mfx_err *err)
{
    struct row row;
    *to = *from;
    *why = mfx_str(NULL, 0);
    if (from->domain.len == 0)
        return MFX_NOTFOUND;
    enum mfx_rc rc = find_exception(m, from->local, arena, err);
    if (rc != MFX_NOTFOUND)
        return rc == MFX_OK ? MFX_NOTFOUND : MFX_TEMPFAIL;
    rc = find_row(m, from->domain, arena, &row, err);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_NOTFOUND : MFX_TEMPFAIL;
    if (row.keeps || row.domain.len == from->domain.len)
        return MFX_NOTFOUND;
    /* in lower case, as Postfix has its list */
    to->domain = mfx_arena_copy_lower(arena, row.domain);
    *why = mfx_arena_printf(arena, "row %.*s", MFX_STR_ARG(row.key));
    return why->p == NULL || to->domain.p == NULL ? MFX_TEMPFAIL : MFX_OK;
}
