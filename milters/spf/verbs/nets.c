/* SPDX-License-Identifier: BSD-2-Clause */
#include "nets.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 8,
    TEXT_MAX = 64 * 1024,
};

void
nets_add(struct mfx_arena *arena, struct nets *nets, const struct mfx_net *net)
{
    if (nets->count == nets->room) {
        size_t room = nets->room == 0 ? FIRST_ROOM : 2 * nets->room;
        struct mfx_net *items =
            mfx_arena_alloc_array(arena, room, sizeof *items);
        if (items == NULL) {
            nets->is_vague = true;
            return;
        }
        if (nets->count > 0)
            memcpy(items, nets->items, nets->count * sizeof *items);
        nets->items = items;
        nets->room = room;
    }
    nets->items[nets->count++] = *net;
}

void
nets_add_all(struct mfx_arena *arena, struct nets *nets,
             const struct nets *more)
{
    for (size_t i = 0; i < more->count; i++)
        nets_add(arena, nets, &more->items[i]);
    nets->is_all = nets->is_all || more->is_all;
    nets->is_vague = nets->is_vague || more->is_vague;
}

struct mfx_net
nets_around(const struct mfx_ip *ip, unsigned prefix)
{
    struct mfx_net net = {.ip = *ip, .prefix = prefix};
    for (unsigned i = 0; i < sizeof net.ip.bytes; i++) {
        unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
        if (kept < 8)
            net.ip.bytes[i] =
                (unsigned char)(net.ip.bytes[i] & (0xFFu << (8 - kept)));
    }
    return net;
}

/* Of a network before those in it. */
static int
compare(const void *a, const void *b)
{
    const struct mfx_net *x = a, *y = b;
    if (x->ip.family != y->ip.family)
        return x->ip.family < y->ip.family ? -1 : 1;
    int order = memcmp(x->ip.bytes, y->ip.bytes, sizeof x->ip.bytes);
    if (order != 0)
        return order;
    return x->prefix < y->prefix ? -1 : x->prefix > y->prefix;
}

static bool
net_holds(const struct mfx_net *net, const struct mfx_net *other)
{
    return net->ip.family == other->ip.family && net->prefix <= other->prefix &&
           mfx_net_has(net, &other->ip);
}

/* Two halves become one. */
static bool
join(struct mfx_net *low, const struct mfx_net *high)
{
    if (low->prefix != high->prefix || low->prefix == 0)
        return false;
    struct mfx_net both = nets_around(&low->ip, low->prefix - 1);
    if (!net_holds(&both, high) ||
        memcmp(low->ip.bytes, both.ip.bytes, sizeof both.ip.bytes) != 0)
        return false;
    *low = both;
    return true;
}

void
nets_merge(struct nets *nets)
{
    size_t kept = 0;
    if (nets->count < 2)
        return;
    qsort(nets->items, nets->count, sizeof *nets->items, compare);
    for (size_t i = 0; i < nets->count; i++) {
        if (kept > 0 && net_holds(&nets->items[kept - 1], &nets->items[i]))
            continue;
        nets->items[kept++] = nets->items[i];
        while (kept > 1 && join(&nets->items[kept - 2], &nets->items[kept - 1]))
            kept--;
    }
    nets->count = kept;
}

bool
nets_hold(const struct nets *nets, const struct mfx_net *net)
{
    for (size_t i = 0; i < nets->count; i++)
        if (net_holds(&nets->items[i], net))
            return true;
    return nets->is_all;
}

bool
nets_hold_all(const struct nets *nets, const struct nets *others)
{
    if (others->is_all)
        return nets->is_all;
    for (size_t i = 0; i < others->count; i++)
        if (!nets_hold(nets, &others->items[i]))
            return false;
    return true;
}

void
nets_write(struct mfx_buf *out, const struct mfx_net *net)
{
    char text[MFX_IP_TEXT];
    unsigned full = net->ip.family == MFX_IP_V4 ? 32 : 128;
    mfx_buf_add_text(out, mfx_ip_format(&net->ip, text));
    if (net->prefix < full)
        mfx_buf_printf(out, "/%u", net->prefix);
}

struct mfx_str
nets_text(struct mfx_arena *arena, const struct nets *nets, size_t most,
          bool as_terms)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, TEXT_MAX);
    if (nets->is_all)
        mfx_buf_add_text(&out, "all addresses");
    for (size_t i = 0; i < nets->count && i < most && !nets->is_all; i++) {
        const struct mfx_net *net = &nets->items[i];
        mfx_buf_add_text(&out, i == 0 ? "" : as_terms ? " " : ", ");
        if (as_terms)
            mfx_buf_add_text(&out,
                             net->ip.family == MFX_IP_V4 ? "ip4:" : "ip6:");
        nets_write(&out, net);
    }
    if (nets->count > most && !nets->is_all)
        mfx_buf_printf(&out, " and %zu more", nets->count - most);
    return mfx_buf_str(&out);
}
