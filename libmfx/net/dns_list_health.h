/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_list_health - does a DNS list work? (RFC 5782 5)
 *
 *     check = mfx_dns_list_check_begin(arena, env, &config);
 *     while ((event = mfx_dns_list_check_pending(check)) != NULL &&
 *            mfx_event_wait(event, until_ms))
 *         ;
 *     outcome = mfx_dns_list_check_finish(check);
 *
 * What a list must list is asked together with what it must not: 127.0.0.2
 * and 127.0.0.1, for a list of domains TEST and INVALID. A list of IPv6
 * addresses is asked for ::ffff:7f00:2 and ::ffff:7f00:1 too; as many have no
 * entry for the first, only the second says something. And each test asks for
 * one more thing that no list has, and that nobody has asked before: another
 * address of 127.64.0.0/10 or 127.128.0.0/10, another name below INVALID,
 * another hash. So no cache on the way can answer in place of a list that is
 * dead, or has begun to list the world.
 *
 * A check never waits; what is not answered at finish is a timeout.
 *
 * Ownership: all in the arena (questions are given back at its reset). Errors:
 * in the outcome; NULL from begin when the arena is exhausted. Threads: one at
 * a time. Limits: five questions.
 */
#ifndef MFX_NET_DNS_LIST_HEALTH_H
#define MFX_NET_DNS_LIST_HEALTH_H

#include <mfx/net/dns_list.h>

MFX_API_BEGIN

/* What names of a list are made of. */
enum mfx_dns_list_type {
    MFX_DNS_LIST_TYPE_ADDRESS,
    MFX_DNS_LIST_TYPE_DOMAIN,
    MFX_DNS_LIST_TYPE_HASH,
};

enum mfx_dns_list_test {
    MFX_DNS_LIST_TEST_RFC5782,  /* both halves; a list of hashes has no test
                                   entries: as NEGATIVE */
    MFX_DNS_LIST_TEST_NEGATIVE, /* only that what must not be listed is not */
    MFX_DNS_LIST_TEST_NONE,     /* nothing is asked */
};

struct mfx_dns_list_check_config {
    struct mfx_str zone;
    enum mfx_dns_list_type type;
    enum mfx_dns_list_test test;
    bool has_ipv6;                   /* a list of IPv6 addresses, too */
    struct mfx_dns_list_rules rules; /* what is an error */
    size_t label_len; /* a list of hashes: octets of a label, in hex digits */
};

enum mfx_dns_list_health {
    MFX_DNS_LIST_HEALTHY,
    MFX_DNS_LIST_WORLD,   /* lists what must not be listed */
    MFX_DNS_LIST_ERRORS,  /* answers by an error */
    MFX_DNS_LIST_EMPTY,   /* does not list what must be listed */
    MFX_DNS_LIST_SILENT,  /* does not answer in time */
    MFX_DNS_LIST_FAILING, /* server failures, answers that cannot be read */
};
/* "healthy", "lists the world", "answers errors", "lists nothing",
 * "does not answer", "fails". */
const char *mfx_dns_list_health_name(enum mfx_dns_list_health health);

struct mfx_dns_list_outcome {
    enum mfx_dns_list_health health;
    struct mfx_str why; /* a sentence without the zone; "" when healthy */
};

struct mfx_dns_list_check;

struct mfx_dns_list_check *mfx_dns_list_check_begin(
    struct mfx_arena *arena, const struct mfx_env *env,
    const struct mfx_dns_list_check_config *config) MFX_NODISCARD;
/* What to wait for; NULL: all is answered. */
struct mfx_event *mfx_dns_list_check_pending(struct mfx_dns_list_check *check);
/* Ends it; the same outcome each time. */
const struct mfx_dns_list_outcome *
mfx_dns_list_check_finish(struct mfx_dns_list_check *check);

MFX_API_END

#endif
