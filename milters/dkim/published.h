/* SPDX-License-Identifier: BSD-2-Clause
 *
 * published - is the public half of a key in DNS?
 *
 * Asks for selector._domainkey.domain and compares what is there with the
 * private key. Waits for the answer: for commands and checks, never for the
 * path of a message.
 *
 * Ownership: text in the arena. Errors: in status; an outage is UNKNOWN.
 * Threads: any.
 */
#ifndef DKIM_PUBLISHED_H
#define DKIM_PUBLISHED_H

#include <mfx/auth/dkim_key.h>
#include <mfx/base/env.h>

enum dkim_published_status {
    DKIM_PUBLISHED_UNKNOWN,  /* DNS did not answer */
    DKIM_PUBLISHED_MATCH,    /* the record holds this key */
    DKIM_PUBLISHED_MISSING,  /* no such name, or no TXT */
    DKIM_PUBLISHED_MISMATCH, /* another key */
    DKIM_PUBLISHED_UNUSABLE, /* revoked, malformed, for another service */
};
/* "unknown", "match", "missing", "mismatch", "unusable". */
const char *dkim_published_status_name(enum dkim_published_status status);

struct dkim_published {
    enum dkim_published_status status;
    enum mfx_dkim_record_problem problem; /* why UNUSABLE */
    struct mfx_str name;                  /* selector._domainkey.domain */
    const char *text; /* a sentence: "name: the record holds another key" */
    uint32_t ttl_s;
    bool is_testing;   /* t=y */
    bool is_authentic; /* AD, from a trusted resolver */
};

void dkim_published_check(const struct mfx_env *env,
                          const struct mfx_dkim_private_key *key,
                          struct mfx_str domain, struct mfx_str selector,
                          struct mfx_arena *arena,
                          struct dkim_published *published);

#endif
