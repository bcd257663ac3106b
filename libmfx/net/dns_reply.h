/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_reply - an answer in one block, shared by cache and questions
 *
 * Ownership: counted; new gives one hold. Errors: NULL when out of memory.
 * Threads: any thread holds and releases.
 */
#ifndef MFX_NET_DNS_REPLY_H
#define MFX_NET_DNS_REPLY_H

#include <stdatomic.h>

#include <mfx/net/resolver.h>

struct mfx_dns_reply {
    atomic_uint holds;
    size_t size; /* of the block */
    struct mfx_dns_answer answer;
    struct mfx_dns_record records[]; /* then the texts */
};

/* Copies the answer with all it points to. */
struct mfx_dns_reply *mfx_dns_reply_new(const struct mfx_dns_answer *answer);
struct mfx_dns_reply *mfx_dns_reply_hold(struct mfx_dns_reply *reply);
/* void *: fits mfx_dns_question_set. NULL is allowed. */
void mfx_dns_reply_release(void *reply);

#endif
