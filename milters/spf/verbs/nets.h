/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nets - the addresses for which a term of an SPF record matches
 *
 *     nets_add(arena, &nets, &net); ...
 *     nets_merge(&nets);
 *     if (nets_hold_all(&nets, &others)) ...
 *
 * After nets_merge no network holds another, and two halves of one are that
 * one; so what the networks hold together, one of them holds.
 *
 * Ownership: in the arena. Errors: what does not fit into memory is left out,
 * and the set is no longer exact. Threads: one at a time.
 */
#ifndef MFX_SPF_NETS_H
#define MFX_SPF_NETS_H

#include <mfx/base/buf.h>
#include <mfx/net/ip.h>

struct nets {
    struct mfx_net *items;
    size_t count, room;
    bool is_all;   /* every address there is */
    bool is_vague; /* and others that are not known */
};

void nets_add(struct mfx_arena *arena, struct nets *nets,
              const struct mfx_net *net);
void nets_add_all(struct mfx_arena *arena, struct nets *nets,
                  const struct nets *more);
void nets_merge(struct nets *nets);
bool nets_hold(const struct nets *nets, const struct mfx_net *net);
bool nets_hold_all(const struct nets *nets, const struct nets *others);
/* Known, and at least one. */
static inline bool
nets_are_known(const struct nets *nets)
{
    return !nets->is_vague && (nets->is_all || nets->count > 0);
}

/* The network of so many bits in which the address is. */
struct mfx_net nets_around(const struct mfx_ip *ip, unsigned prefix);
/* "192.0.2.0/24", "2001:db8::1"; the length is left out where it is full. */
void nets_write(struct mfx_buf *out, const struct mfx_net *net);
/* The first ones, as terms of a record ("ip4:192.0.2.1 ip6:...") or in a row,
 * and how many more there are. */
struct mfx_str nets_text(struct mfx_arena *arena, const struct nets *nets,
                         size_t most, bool as_terms);

#endif
