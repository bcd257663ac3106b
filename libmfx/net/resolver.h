/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resolver - DNS questions that are asked early and waited for late
 *
 *     struct mfx_dns_question *q = mfx_dns_ask(resolver, name, MFX_DNS_TXT);
 *     ... work ...
 *     mfx_wait(message, mfx_dns_question_event(q), until_ms);
 *     const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
 *     switch (mfx_dns_rc(a)) ...
 *     mfx_dns_question_release(q);
 *
 * The interface stands in front of several makers of answers: the real one
 * (c-ares transport, own cache: mfx_resolver_dns_new), one that reads a zone
 * text (mfx_resolver_static_new: tests and dns.test_data), a caller's own.
 *
 * Ownership: a question is released exactly once, answered or not (a release
 * abandons the waiter only; the answer still goes into the cache). The answer
 * lives as long as the question. A resolver is freed after its questions.
 * Errors: the answer's status; an outage is never MFX_NOTFOUND.
 * Threads: any thread asks, waits and releases.
 * Limits: questions outstanding, cache entries and bytes: settings.
 */
#ifndef MFX_NET_RESOLVER_H
#define MFX_NET_RESOLVER_H

#include <mfx/base/env.h>
#include <mfx/base/event.h>
#include <mfx/base/str.h>
#include <mfx/net/ip.h>

MFX_API_BEGIN

/* RFC 1035 3.2.2 and RFC 3596: numbers as on the wire. */
enum mfx_dns_type {
    MFX_DNS_A = 1,
    MFX_DNS_NS = 2,
    MFX_DNS_CNAME = 5,
    MFX_DNS_SOA = 6,
    MFX_DNS_PTR = 12,
    MFX_DNS_MX = 15,
    MFX_DNS_TXT = 16,
    MFX_DNS_AAAA = 28,
    MFX_DNS_SPF = 99, /* obsolete (RFC 7208 3.1); read as TXT */
};

enum mfx_dns_status {
    MFX_DNS_ANSWER,    /* at least one record of the type */
    MFX_DNS_NO_NAME,   /* NXDOMAIN */
    MFX_DNS_NO_DATA,   /* the name is there, the type is not */
    MFX_DNS_FAILED,    /* SERVFAIL, REFUSED and the like, from every server */
    MFX_DNS_TIMEOUT,   /* no answer in time, or too many questions open */
    MFX_DNS_MALFORMED, /* an answer that cannot be read or is not ours */
};

struct mfx_dns_record {
    enum mfx_dns_type type;
    uint32_t ttl_s;
    struct mfx_ip ip;    /* A, AAAA */
    struct mfx_str text; /* TXT, SPF: the strings joined; else a name */
    unsigned preference; /* MX */
};

/* Immutable. CNAMEs have been followed; records are those of the type asked
 * for, in the order of the answer. */
struct mfx_dns_answer {
    enum mfx_dns_status status;
    unsigned rcode;
    bool is_authentic; /* AD bit of a resolver that dns.trust_ad names */
    uint32_t ttl_s;    /* smallest of the chain; negative TTL from the SOA */
    size_t count;
    const struct mfx_dns_record *records;
    /* NO_NAME, NO_DATA: the owner of the SOA that came with it, which is the
     * zone the name (or the end of its CNAMEs) belongs to; may be empty */
    struct mfx_str zone;
};

struct mfx_dns_question;

/* name: with or without a final dot, ASCII (A-labels), labels of 1 to 63
 * octets, 253 in all; any other byte is sent as it is. A name that cannot be
 * asked is answered MFX_DNS_NO_NAME at once. NULL only when out of memory. */
struct mfx_dns_question *mfx_dns_ask(struct mfx_resolver *resolver,
                                     struct mfx_str name,
                                     enum mfx_dns_type type) MFX_NODISCARD;
struct mfx_event *mfx_dns_question_event(struct mfx_dns_question *question);
/* Before the event is set: a MFX_DNS_TIMEOUT answer. A NULL question: the
 * same. Never NULL. */
const struct mfx_dns_answer *
mfx_dns_question_answer(struct mfx_dns_question *question);
/* From asking to the answer, whenever that is looked at; 0 before it came. */
uint64_t mfx_dns_question_took_ms(struct mfx_dns_question *question);
void mfx_dns_question_release(struct mfx_dns_question *question);

/* ANSWER: OK. NO_NAME, NO_DATA: NOTFOUND. The rest: TEMPFAIL. */
enum mfx_rc mfx_dns_rc(const struct mfx_dns_answer *answer);
/* "answer", "no such name", "no data", "server failure", "timeout",
 * "malformed answer". */
const char *mfx_dns_status_name(enum mfx_dns_status status);

/* --- makers of answers --- */

/* What a maker implements. It fills the question through
 * mfx_dns_question_set; `ask` may do that before it returns. */
struct mfx_resolver {
    struct mfx_dns_question *(*ask)(struct mfx_resolver *resolver,
                                    struct mfx_str name,
                                    enum mfx_dns_type type);
    void (*free)(struct mfx_resolver *resolver);
};

/* A question not answered yet, held twice: by the asker and the maker. */
struct mfx_dns_question *mfx_dns_question_new(void);
/* Answers it (once) and lets go of the maker's hold. release_answer(arg) runs
 * when the answer is no longer used; may be NULL. */
void mfx_dns_question_set(struct mfx_dns_question *question,
                          const struct mfx_dns_answer *answer,
                          void (*release_answer)(void *), void *arg);

void mfx_resolver_free(struct mfx_resolver *resolver);

struct mfx_resolver_dns_config {
    /* "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; none: those of
     * /etc/resolv.conf */
    const struct mfx_str *servers;
    size_t server_count;
    unsigned timeout_ms;      /* one question over all tries; 5000 */
    unsigned tries;           /* per server; 2 */
    size_t max_outstanding;   /* 2000 */
    size_t cache_entries;     /* 100000; 0: no cache */
    size_t cache_bytes;       /* 64 MiB */
    uint32_t cache_max_ttl_s; /* 86400 */
    bool trust_ad;            /* believe the AD bit */
    bool use_tcp;             /* TCP from the start */
};

/* Starts the resolver's thread. env gives clock and randomness. */
enum mfx_rc mfx_resolver_dns_new(const struct mfx_resolver_dns_config *config,
                                 const struct mfx_env *env,
                                 struct mfx_resolver **resolver,
                                 struct mfx_err *err) MFX_NODISCARD;

struct mfx_resolver_dns_stats {
    uint64_t questions, cache_hits, joined, answers, timeouts, failures;
    uint64_t malformed, refused_over_limit;
    uint64_t outstanding, cache_entries, cache_bytes; /* now */
};
void mfx_resolver_dns_stats(struct mfx_resolver *resolver,
                            struct mfx_resolver_dns_stats *stats);

/* From lines "name [ttl] [IN] TYPE data" ('#' comments; \DDD in a name is that
 * octet; TXT data: one quoted string or several, in parentheses or not, or the
 * rest of the line);
 * "name TYPE !servfail", "!timeout", "!nodata", "!nxdomain", "!malformed"
 * give that status. OpenDKIM's TestPublicKeys form
 * "selector._domainkey.domain text" is a TXT line too. Unknown names are
 * MFX_DNS_NO_NAME. Timeout answers come at once. */
enum mfx_rc mfx_resolver_static_new(struct mfx_str zone,
                                    struct mfx_resolver **resolver,
                                    struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
