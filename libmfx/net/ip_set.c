/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <mfx/base/map.h>
#include <mfx/net/ip.h>

enum {
    LENGTHS = 129, /* prefix lengths 0 to 128 */
    KEY_LEN = 18,  /* family, prefix, address */
};

/* One hash map for all networks, and which prefix lengths are in it, so that
 * a look-up probes only those. */
struct mfx_ip_set {
    struct mfx_arena *arena;
    struct mfx_map *map;
    bool has_v4[LENGTHS], has_v6[LENGTHS];
};

struct entry {
    char key[KEY_LEN];
    int value;
    struct mfx_net net;
};

struct mfx_ip_set *
mfx_ip_set_new(void)
{
    struct mfx_ip_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->arena = mfx_arena_new(0);
    set->map = mfx_map_new(MFX_MAP_CASE, 0);
    if (set->arena == NULL || set->map == NULL) {
        mfx_ip_set_free(set);
        return NULL;
    }
    return set;
}

void
mfx_ip_set_free(struct mfx_ip_set *set)
{
    if (set == NULL)
        return;
    mfx_map_free(set->map);
    if (set->arena != NULL)
        mfx_arena_free(set->arena);
    free(set);
}

static void
make_key(const struct mfx_ip *ip, unsigned prefix, char key[KEY_LEN])
{
    unsigned bytes = ip->family == MFX_IP_V4 ? 4 : 16;
    memset(key, 0, KEY_LEN);
    key[0] = (char)ip->family;
    key[1] = (char)prefix;
    for (unsigned i = 0; i < bytes && i * 8 < prefix; i++) {
        unsigned kept = prefix - i * 8;
        unsigned mask = kept >= 8 ? 0xFF : 0xFFu << (8 - kept) & 0xFF;
        key[2 + i] = (char)(ip->bytes[i] & mask);
    }
}

enum mfx_rc
mfx_ip_set_add(struct mfx_ip_set *set, const struct mfx_net *net, int value)
{
    char key[KEY_LEN];
    if (net->ip.family == MFX_IP_NONE)
        return MFX_PERMFAIL;
    make_key(&net->ip, net->prefix, key);
    if (mfx_map_get(set->map, mfx_str(key, KEY_LEN)) != NULL)
        return MFX_OK;
    struct entry *entry = mfx_arena_alloc(set->arena, sizeof *entry);
    if (entry == NULL)
        return MFX_TEMPFAIL;
    memcpy(entry->key, key, KEY_LEN);
    entry->net = *net;
    entry->value = value;
    enum mfx_rc rc = mfx_map_put(set->map, mfx_str(entry->key, KEY_LEN), entry);
    if (rc == MFX_OK && net->ip.family == MFX_IP_V4)
        set->has_v4[net->prefix] = true;
    else if (rc == MFX_OK)
        set->has_v6[net->prefix] = true;
    return rc;
}

bool
mfx_ip_set_get(const struct mfx_ip_set *set, const struct mfx_ip *ip,
               struct mfx_net *net, int *value)
{
    if (ip->family == MFX_IP_NONE)
        return false;
    const bool *has = ip->family == MFX_IP_V4 ? set->has_v4 : set->has_v6;
    for (unsigned left = LENGTHS; left > 0; left--) {
        char key[KEY_LEN];
        if (!has[left - 1])
            continue;
        make_key(ip, left - 1, key);
        const struct entry *entry =
            mfx_map_get(set->map, mfx_str(key, KEY_LEN));
        if (entry == NULL)
            continue;
        if (net != NULL)
            *net = entry->net;
        if (value != NULL)
            *value = entry->value;
        return true;
    }
    return false;
}

size_t
mfx_ip_set_count(const struct mfx_ip_set *set)
{
    return mfx_map_count(set->map);
}
