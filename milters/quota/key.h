/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key - whom a rule counts: "login + network", "login | network"
 *
 *     rc = quota_key_parse(text, &key, &err);
 *     if (quota_key_make(&key, &facts, arena, &made)) ... made.text
 *
 * A made key says what it is made of: "login=me@example.org",
 * "login=me,network=192.0.2.0/24", so that a login called like a network is
 * none. Values longer than 200 octets are replaced by their SHA-256.
 *
 * Ownership: a parsed key is a value; texts in the arena. Errors: PERMFAIL
 * with what is wrong. Threads: pure. Limits: 4 alternatives of 4 parts.
 */
#ifndef MFX_QUOTA_KEY_H
#define MFX_QUOTA_KEY_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/net/ip.h>

enum {
    QUOTA_KEY_CHOICES_MAX = 4,
    QUOTA_KEY_PARTS_MAX = 4,
};

enum quota_part {
    QUOTA_PART_LOGIN,
    QUOTA_PART_CERTIFICATE,
    QUOTA_PART_SENDER,
    QUOTA_PART_SENDER_DOMAIN,
    QUOTA_PART_FROM_DOMAIN,
    QUOTA_PART_CLIENT,
    QUOTA_PART_NETWORK,
    QUOTA_PART_RECIPIENT,
    QUOTA_PART_RECIPIENT_DOMAIN,
    QUOTA_PART_DAEMON,
    QUOTA_PART_SITE,
};
const char *quota_part_name(enum quota_part part);

struct quota_key_choice {
    enum quota_part parts[QUOTA_KEY_PARTS_MAX];
    size_t count;
};

struct quota_key {
    struct quota_key_choice choices[QUOTA_KEY_CHOICES_MAX];
    size_t count;
};

/* What is known of a message; empty: not there. The sender's and From's parts
 * are filled in only if they may be believed. Lower case where case does not
 * matter. */
struct quota_facts {
    struct mfx_str login, certificate;
    struct mfx_str sender, sender_domain, from_domain;
    struct mfx_str recipient, recipient_domain;
    struct mfx_str daemon_name;
    struct mfx_ip client_ip;
};

struct quota_made_key {
    struct mfx_str text; /* "login=me,network=192.0.2.0/24" */
    /* the parts' values, for tables: the first, and all joined by '+' */
    struct mfx_str values[QUOTA_KEY_PARTS_MAX], joined;
    const struct quota_key_choice *choice;
};

enum mfx_rc quota_key_parse(struct mfx_str text, struct quota_key *key,
                            struct mfx_err *err) MFX_NODISCARD;
bool quota_key_has(const struct quota_key *key, enum quota_part part);
/* True when only what is known at connect is needed. */
bool quota_key_is_of_connection(const struct quota_key *key);

/* The first choice of which all parts are there; false when there is none. */
bool quota_key_make(const struct quota_key *key,
                    const struct quota_facts *facts, unsigned ipv4_prefix,
                    unsigned ipv6_prefix, struct mfx_arena *arena,
                    struct quota_made_key *made);
/* What an operator calls a key: "me@example.org" for the choice's only part,
 * or "login=me,network=192.0.2.0/24" whole. False when it does not fit the
 * choice. */
bool quota_key_of_words(const struct quota_key_choice *choice,
                        struct mfx_str words, unsigned ipv4_prefix,
                        unsigned ipv6_prefix, struct mfx_arena *arena,
                        struct quota_made_key *made);

#endif
