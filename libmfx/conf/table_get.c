/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_impl.h"

#include <time.h>

enum {
    KEY_MAX = 1024,      /* of a live table: no longer key is asked for */
    LIVE_WAIT_MS = 2000, /* for postmap or another writer */
};

uint64_t
mfx_table_live_until(void)
{
    return mfx_mono_ms() + LIVE_WAIT_MS;
}

bool
mfx_table_live_lock(pthread_mutex_t *mutex, uint64_t until_ms)
{
    uint64_t now_ms = mfx_mono_ms();
    uint64_t left_ms = now_ms < until_ms ? until_ms - now_ms : 0;
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + left_ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return pthread_mutex_timedlock(mutex, &until) == 0;
}

enum mfx_rc
mfx_table_each(struct mfx_table *table, struct mfx_str key,
               struct mfx_arena *arena, mfx_table_visit *visit, void *arg,
               struct mfx_err *err)
{
    return table->kind->each(table, key, arena, visit, arg, err);
}

static bool
take_value(const struct mfx_table_row *row, void *arg)
{
    struct mfx_str *value = arg;
    *value = row->value;
    return false;
}

enum mfx_rc
mfx_table_get(struct mfx_table *table, struct mfx_str key,
              struct mfx_arena *arena, struct mfx_str *value,
              struct mfx_err *err)
{
    struct mfx_str got = {"", 0};
    enum mfx_rc rc = mfx_table_each(table, key, arena, take_value, &got, err);
    if (rc == MFX_OK)
        *value = got;
    return rc;
}

/* One lookup after the other, until the visitor has enough. */
struct walk {
    struct mfx_table *table;
    struct mfx_arena *arena;
    mfx_table_visit *visit;
    void *arg;
    struct mfx_err *err;
    enum mfx_rc found;
    bool is_done;
};

static bool
pass_on(const struct mfx_table_row *row, void *arg)
{
    struct walk *walk = arg;
    if (!walk->visit(row, walk->arg))
        walk->is_done = true;
    return !walk->is_done;
}

static void
ask(struct walk *walk, struct mfx_str key)
{
    if (walk->is_done || (walk->table->live != NULL && key.len > KEY_MAX))
        return;
    enum mfx_rc rc =
        mfx_table_each(walk->table, key, walk->arena, pass_on, walk, walk->err);
    if (rc == MFX_OK) {
        walk->found = MFX_OK;
    } else if (rc != MFX_NOTFOUND) {
        walk->found = rc;
        walk->is_done = true;
    }
}

/* local@ with room for any tail of the domain behind it. */
struct address {
    char *p;
    size_t at; /* behind '@' */
    struct mfx_str domain;
};

static struct mfx_str
with_tail(struct address *address, struct mfx_str tail)
{
    if (tail.len > 0)
        memcpy(address->p + address->at, tail.p, tail.len);
    return mfx_str(address->p, address->at + tail.len);
}

static void
ask_all(struct walk *walk, struct address *address)
{
    struct mfx_str domain = address->domain;
    ask(walk, with_tail(address, domain));
    if (mfx_table_has_patterns(walk->table))
        return;
    ask(walk, domain);
    for (size_t i = 0; i < domain.len && !walk->is_done; i++) {
        if (domain.p[i] != '.')
            continue;
        struct mfx_str parent = mfx_str_from(domain, i);
        ask(walk, with_tail(address, parent));
        ask(walk, parent);
    }
    ask(walk, with_tail(address, mfx_str_of("*")));
    ask(walk, mfx_str_of("*"));
}

enum mfx_rc
mfx_table_each_address(struct mfx_table *table, struct mfx_str local,
                       struct mfx_str domain, struct mfx_arena *arena,
                       mfx_table_visit *visit, void *arg, struct mfx_err *err)
{
    struct address address = {
        .p = mfx_arena_alloc_bytes(arena, local.len + domain.len + 2),
        .at = local.len + 1,
        .domain = domain,
    };
    if (address.p == NULL) {
        mfx_err_set(err, "%s: out of memory", table->spec.p);
        return MFX_TEMPFAIL;
    }
    if (local.len > 0)
        memcpy(address.p, local.p, local.len);
    address.p[local.len] = '@';
    struct walk walk = {.table = table,
                        .arena = arena,
                        .visit = visit,
                        .arg = arg,
                        .err = err,
                        .found = MFX_NOTFOUND};
    ask_all(&walk, &address);
    return walk.found;
}

enum mfx_rc
mfx_table_walk(struct mfx_table *table, struct mfx_arena *arena,
               mfx_table_visit *visit, void *arg, struct mfx_err *err)
{
    (void)arena;
    if (table->live != NULL) {
        mfx_err_set(err, "%s: a live table cannot be read row by row",
                    table->spec.p);
        return MFX_PERMFAIL;
    }
    for (size_t i = 0; i < table->row_count; i++)
        if (!visit(&table->rows[i], arg))
            break;
    return MFX_OK;
}
