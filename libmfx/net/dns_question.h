/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_question - what a question is made of; for the makers in this room
 *
 * A question has two holders, the asker and the maker, and goes when both
 * have let go. `next` is the maker's, while the question is unanswered.
 *
 * Ownership, errors, threads: see resolver.h.
 */
#ifndef MFX_NET_DNS_QUESTION_H
#define MFX_NET_DNS_QUESTION_H

#include <stdatomic.h>

#include <mfx/net/resolver.h>

struct mfx_dns_question {
    atomic_uint holds;
    struct mfx_event event;
    struct mfx_dns_answer answer;
    void (*release_answer)(void *arg);
    void *release_arg;
    struct mfx_dns_question *next;
    uint64_t asked_ms, answered_ms;
};

/* "A" to "AAAA"; false for a name that is no type known here. */
bool mfx_dns_type_parse(struct mfx_str name, enum mfx_dns_type *type);

#endif
