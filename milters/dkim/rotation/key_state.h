/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key_state - which of the keys that replace each other signs, and what is
 * due next
 *
 * Keys that replace each other are a line, oldest first; exactly one of them
 * signs (or none, with require_published = always, before the first is
 * published). From what is known of each key, the policy and the time, decide
 * says each key's state, why, and the next step. Pure: no clock, no DNS.
 *
 *     dkim_key_state_look(&facts[i], &look, now_s);        what DNS showed
 *     chosen = dkim_key_state_decide(&policy, facts, count, now_s, verdicts);
 *     dkim_key_state_apply(facts, count, chosen, now_s);   so it is now
 *
 * The rules:
 * - No key signs before its not_before.
 * - A key that replaces another becomes active when a look showed it at all
 *   authoritative servers, and another look does so again after the longest
 *   of its TTL and the zone's negative TTL. Until then the older key signs.
 *   If the older key is known to be gone from DNS, the new one need not wait
 *   out the TTL.
 * - A key that was active stays so until a look shows that its record is gone
 *   or another one. Then the newest other key that all servers have signs;
 *   when there is none it keeps signing: unsigned mail would be worse.
 * - Servers that do not answer show nothing: neither that a record is there
 *   nor that it is gone.
 *
 * Ownership: values. Errors: none. Threads: pure.
 */
#ifndef DKIM_ROTATION_KEY_STATE_H
#define DKIM_ROTATION_KEY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dkim_key_state {
    DKIM_KEY_NEW,       /* not all servers have it (or nobody looked yet) */
    DKIM_KEY_PUBLISHED, /* all have it; waits for a TTL, or not_before */
    DKIM_KEY_ACTIVE,    /* signs, or may */
    DKIM_KEY_RETIRED,   /* replaced; its record must still stand */
    DKIM_KEY_WITHDRAWN, /* retired, and its record is gone or revoked */
};
/* "new", "published", "active", "retired", "withdrawn". */
const char *dkim_key_state_name(enum dkim_key_state state);

/* sign.require_published */
enum dkim_require_published {
    DKIM_REQUIRE_REPLACING,
    DKIM_REQUIRE_ALWAYS, /* also a domain's first key, when it has a card */
    DKIM_REQUIRE_NEVER,
};

/* What the last look that got answers showed. */
enum dkim_in_dns {
    DKIM_IN_DNS_UNKNOWN, /* nobody looked, or nobody ever answered */
    DKIM_IN_DNS_ALL,     /* every server has this key */
    DKIM_IN_DNS_SOME,    /* some have it, others have not or do not answer */
    DKIM_IN_DNS_NONE,    /* no server that answered has a record */
    DKIM_IN_DNS_REVOKED, /* p= is empty */
    DKIM_IN_DNS_OTHER,   /* another key, or a record that cannot be used */
};
/* "unknown", "all", "some", "none", "revoked", "other". */
const char *dkim_in_dns_name(enum dkim_in_dns in_dns);

struct dkim_key_facts {
    bool is_replacing; /* its card says so, or an older key was seen here */
    bool has_card;
    bool is_usable; /* its file is there and holds a key */
    uint64_t not_before_s, card_retired_s; /* 0: not said */
    enum dkim_in_dns in_dns;
    /* SOME: a server answered and has not this key (not merely silence) */
    bool is_lacking;
    uint64_t looked_s;          /* that look; 0: never */
    uint64_t published_since_s; /* first look of an unbroken row of ALL; 0 */
    uint32_t wait_s;          /* longest of TTL and negative TTL in that row */
    uint64_t active_since_s;  /* 0: it never was, or fell back since */
    uint64_t retired_since_s; /* a newer one is active since; 0 */
    uint64_t lost_since_s;    /* it was active and lost its record; 0 */
};

struct dkim_key_policy {
    enum dkim_require_published require;
    uint64_t queue_life_s; /* longest time a signed message is on its way */
};

enum dkim_key_reason {
    DKIM_KEY_IS_ESTABLISHED, /* no card, replaces nothing: signs at once */
    DKIM_KEY_IS_PUBLISHED,   /* active: all servers have it */
    DKIM_KEY_NOT_REQUIRED,   /* active: publication need not be checked */
    DKIM_KEY_ONLY_ONE,       /* active for want of a better one */
    DKIM_KEY_FALLBACK,       /* active again: the newer one's record is gone */
    DKIM_KEY_OLDER_SIGNS_ON, /* active until the newer one is ready */
    DKIM_KEY_NOT_BEFORE,     /* waits for its not_before */
    DKIM_KEY_NOT_LOOKED,     /* waits for a first answer from DNS */
    DKIM_KEY_NOT_EVERYWHERE, /* waits for some server */
    DKIM_KEY_NOT_THERE,      /* waits for the record */
    DKIM_KEY_RECORD_DIFFERS, /* waits: DNS holds another key, or p= */
    DKIM_KEY_WAITS_TTL,      /* waits until nobody remembers its absence */
    DKIM_KEY_WAS_REPLACED,   /* retired by a newer key */
    DKIM_KEY_CARD_RETIRED,   /* retired by its card */
    DKIM_KEY_LOST_RECORD,    /* was active, its record is gone or another */
    DKIM_KEY_UNUSABLE,       /* the file is missing or no key */
};
/* "established", "published", ... one word for logs and JSON. */
const char *dkim_key_reason_name(enum dkim_key_reason reason);

enum dkim_key_next {
    DKIM_KEY_NEXT_NOTHING,
    DKIM_KEY_NEXT_PUBLISH,  /* the operator: put the record into DNS */
    DKIM_KEY_NEXT_CORRECT,  /* the operator: mend the record */
    DKIM_KEY_NEXT_WAIT,     /* until when_s (0: for servers), then it signs */
    DKIM_KEY_NEXT_KEEP,     /* leave the record until when_s */
    DKIM_KEY_NEXT_WITHDRAW, /* the operator: publish p= now */
    DKIM_KEY_NEXT_REMOVE,   /* record and key file may go */
    DKIM_KEY_NEXT_MEND_FILE,
};
/* "nothing", "publish", "correct", "wait", "keep", "withdraw", "remove",
 * "mend-file". */
const char *dkim_key_next_name(enum dkim_key_next next);

struct dkim_key_verdict {
    enum dkim_key_state state;
    enum dkim_key_reason reason;
    enum dkim_key_next next;
    uint64_t when_s; /* of next; 0: not known, or now */
    bool is_alarm;   /* the operator must act: what signs is not in DNS */
};

#define DKIM_KEY_STATE_NONE ((size_t)-1)

/* Result of asking all servers once. */
struct dkim_key_look {
    enum dkim_in_dns in_dns; /* UNKNOWN: an outage; changes nothing */
    bool is_lacking;
    uint32_t wait_s; /* longest TTL, negative ones too */
};
void dkim_key_state_look(struct dkim_key_facts *facts,
                         const struct dkim_key_look *look, uint64_t now_s);

/* Returns the index of the key that signs; DKIM_KEY_STATE_NONE when none may.
 * verdicts: one for each key. */
size_t dkim_key_state_decide(const struct dkim_key_policy *policy,
                             const struct dkim_key_facts *keys, size_t count,
                             uint64_t now_s, struct dkim_key_verdict *verdicts);
/* Notes who signs now: active, retired and lost since. */
void dkim_key_state_apply(struct dkim_key_facts *keys, size_t count,
                          size_t chosen, uint64_t now_s);

#endif
