/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/resolver_share.h>

#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/base/file.h>

enum {
    ZONE_MAX = 64 * 1024 * 1024,
    TTL_MAX = 86400,
};

struct mfx_resolver_share {
    atomic_size_t holds;
    struct mfx_dns_settings settings; /* texts in the arena */
    struct mfx_arena *arena;
    struct mfx_env base, env;
    bool is_static;
};

static bool
is_same_list(const struct mfx_option_list *a, const struct mfx_option_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!mfx_str_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

/* Test data is read anew at each reload, and its resolver costs nothing. */
static bool
is_same(const struct mfx_dns_settings *a, const struct mfx_dns_settings *b)
{
    return a->test_data == NULL && b->test_data == NULL &&
           is_same_list(&a->servers, &b->servers) &&
           a->timeout_s == b->timeout_s && a->tries == b->tries &&
           a->max_outstanding == b->max_outstanding &&
           a->cache_entries == b->cache_entries &&
           a->cache_bytes == b->cache_bytes && a->trust_ad == b->trust_ad &&
           a->use_tcp == b->use_tcp;
}

static bool
copy_settings(struct mfx_resolver_share *share,
              const struct mfx_dns_settings *from)
{
    struct mfx_str *items =
        mfx_arena_alloc_array(share->arena, from->servers.count, sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < from->servers.count; i++)
        items[i] = mfx_arena_copy(share->arena, from->servers.items[i]);
    share->settings = *from;
    share->settings.servers.items = items;
    share->is_static = from->test_data != NULL;
    if (share->is_static)
        share->settings.test_data =
            mfx_arena_copy(share->arena, mfx_str_of(from->test_data)).p;
    return mfx_arena_ok(share->arena);
}

static enum mfx_rc
start_static(struct mfx_resolver_share *share, struct mfx_err *err)
{
    struct mfx_str zone;
    enum mfx_rc rc = mfx_file_read(share->settings.test_data, ZONE_MAX,
                                   share->arena, &zone, NULL, err);
    if (rc == MFX_OK)
        rc = mfx_resolver_static_new(zone, &share->env.resolver, err);
    if (rc != MFX_OK)
        mfx_err_prefix(err, "dns.test_data");
    return rc;
}

static enum mfx_rc
start_dns(struct mfx_resolver_share *share, struct mfx_err *err)
{
    const struct mfx_dns_settings *s = &share->settings;
    struct mfx_resolver_dns_config config = {
        .servers = s->servers.items,
        .server_count = s->servers.count,
        .timeout_ms = (unsigned)(s->timeout_s * 1000),
        .tries = (unsigned)s->tries,
        .max_outstanding = (size_t)s->max_outstanding,
        .cache_entries = (size_t)s->cache_entries,
        .cache_bytes = (size_t)s->cache_bytes,
        .cache_max_ttl_s = TTL_MAX,
        .trust_ad = s->trust_ad,
        .use_tcp = s->use_tcp,
    };
    enum mfx_rc rc =
        mfx_resolver_dns_new(&config, &share->base, &share->env.resolver, err);
    if (rc != MFX_OK)
        mfx_err_prefix(err, "dns");
    return rc;
}

enum mfx_rc
mfx_resolver_share_get(const struct mfx_dns_settings *settings,
                       struct mfx_resolver_share *previous,
                       struct mfx_resolver_share **out, struct mfx_err *err)
{
    if (previous != NULL && is_same(&previous->settings, settings)) {
        atomic_fetch_add(&previous->holds, 1);
        *out = previous;
        return MFX_OK;
    }
    struct mfx_resolver_share *share = calloc(1, sizeof *share);
    if (share == NULL)
        return MFX_TEMPFAIL;
    atomic_init(&share->holds, 1);
    share->base = share->env = mfx_env_system();
    share->arena = mfx_arena_new(0);
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (share->arena != NULL && copy_settings(share, settings))
        rc =
            share->is_static ? start_static(share, err) : start_dns(share, err);
    if (rc != MFX_OK) {
        mfx_resolver_share_release(share);
        return rc;
    }
    *out = share;
    return MFX_OK;
}

struct mfx_resolver_share *
mfx_resolver_share_hold(struct mfx_resolver_share *share)
{
    atomic_fetch_add(&share->holds, 1);
    return share;
}

void
mfx_resolver_share_release(struct mfx_resolver_share *share)
{
    if (share == NULL || atomic_fetch_sub(&share->holds, 1) != 1)
        return;
    if (share->env.resolver != NULL)
        mfx_resolver_free(share->env.resolver);
    mfx_arena_free(share->arena);
    free(share);
}

const struct mfx_env *
mfx_resolver_share_env(struct mfx_resolver_share *share)
{
    return &share->env;
}

bool
mfx_resolver_share_stats(struct mfx_resolver_share *share,
                         struct mfx_resolver_dns_stats *stats)
{
    if (share->is_static)
        return false;
    mfx_resolver_dns_stats(share->env.resolver, stats);
    return true;
}
