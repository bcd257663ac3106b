/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authority - what each authoritative server of a zone says, asked directly
 *
 * A recursive resolver answers what it remembers: its TTL is a remainder, and
 * it shows one server of several. Here the zone of a name and its servers are
 * found through the resolver, and then every address of every server is asked
 * itself (without RD; UDP, then TCP for what does not fit).
 *
 *     rc = mfx_authority_ask(authority, name, MFX_DNS_TXT, arena, &reply,
 *                            &err);
 *     for (size_t i = 0; i < reply.count; i++)
 *         switch (reply.servers[i].status) ...
 *
 * A name that is an alias (CNAME) into another zone: the servers of the first
 * zone are listed with MFX_AUTHORITY_ALIAS, then those of the zone it leads
 * to, and so on.
 *
 * It blocks, for seconds when servers are silent: for commands and background
 * threads, never for the path of a message.
 *
 * Ownership: replies live in the arena; the authority is new/free and needs
 * its env until then. Errors: MFX_OK when there are servers that were asked,
 * whatever they said; MFX_TEMPFAIL when the zone or its servers could not be
 * found out (an outage says nothing about the record); MFX_PERMFAIL for a
 * name that cannot be asked. Threads: one at a time.
 * Limits: 64 server addresses in all zones of a reply, aliases followed 8;
 * at most 16 questions open at once.
 */
#ifndef MFX_NET_AUTHORITY_H
#define MFX_NET_AUTHORITY_H

#include <mfx/base/env.h>
#include <mfx/net/resolver.h>

MFX_API_BEGIN

struct mfx_authority;

struct mfx_authority_config {
    const struct mfx_env *env;
    /* Ask these in place of the zone's own: "192.0.2.1", "[2001:db8::1]:53".
     * For hosts behind split DNS, and tests. */
    const struct mfx_str *servers;
    size_t server_count;
    unsigned port;       /* of the zone's own servers; 0: 53 */
    unsigned timeout_ms; /* one try; 0: 2000 */
    unsigned tries;      /* 0: 2 */
    /* Called before each question, by the resolver or directly; may sleep.
     * False: stop, the rest counts as not asked. May be NULL. */
    bool (*pace)(void *arg);
    void *arg;
    bool (*is_stopping)(void *arg); /* true: end soon; may be NULL */
};

enum mfx_authority_status {
    MFX_AUTHORITY_ANSWER,  /* records of the type */
    MFX_AUTHORITY_ALIAS,   /* a CNAME to a name of another zone */
    MFX_AUTHORITY_NO_NAME, /* NXDOMAIN, with authority */
    MFX_AUTHORITY_NO_DATA, /* the name is there, the type is not */
    MFX_AUTHORITY_FAILED,  /* SERVFAIL and the like */
    MFX_AUTHORITY_REFUSED,
    MFX_AUTHORITY_LAME,        /* answers, but not with authority */
    MFX_AUTHORITY_TIMEOUT,     /* silent */
    MFX_AUTHORITY_UNREACHABLE, /* no route from here, refused, not asked */
    MFX_AUTHORITY_MALFORMED,
};
/* "answer", "alias", "no such name", "no data", "server failure", "refused",
 * "lame", "timeout", "unreachable", "malformed answer". */
const char *mfx_authority_status_name(enum mfx_authority_status status);
/* True for the four that say what the zone holds. */
bool mfx_authority_is_answer(enum mfx_authority_status status);

struct mfx_authority_server {
    struct mfx_str zone, name; /* name: the address where it was given */
    struct mfx_ip ip;          /* MFX_IP_NONE: its name has no address */
    unsigned port;
    enum mfx_authority_status status;
    unsigned rcode;
    /* ANSWER, ALIAS: the longest of the records; NO_NAME, NO_DATA: how long
     * the absence is remembered. */
    uint32_t ttl_s;
    struct mfx_str alias; /* ALIAS: where it leads */
    size_t count;         /* ANSWER */
    const struct mfx_dns_record *records;
};

struct mfx_authority_reply {
    struct mfx_str zone; /* of the name that was asked */
    /* How long resolvers may remember that something is not there (SOA,
     * RFC 2308 5): the longest of the zones on the way. */
    uint32_t negative_ttl_s;
    bool has_negative_ttl; /* false: no server gave a SOA */
    size_t count;
    const struct mfx_authority_server *servers;
};

enum mfx_rc mfx_authority_new(const struct mfx_authority_config *config,
                              struct mfx_authority **authority,
                              struct mfx_err *err) MFX_NODISCARD;
void mfx_authority_free(struct mfx_authority *authority);

enum mfx_rc mfx_authority_ask(struct mfx_authority *authority,
                              struct mfx_str name, enum mfx_dns_type type,
                              struct mfx_arena *arena,
                              struct mfx_authority_reply *reply,
                              struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
