/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs - the Sender Rewriting Scheme: sender addresses that come back
 *
 * A forwarder that leaves the envelope sender as it is fails SPF. SRS puts the
 * sender into an address of the forwarder's domain, with a time stamp and a
 * hash, so that bounces come back to the forwarder and from there to the
 * sender, and nobody else can make such addresses:
 *     SRS0=HASH=STAMP=sender.domain=sender@our.domain
 *     SRS1=HASH=first.forwarder==HASH=STAMP=sender.domain=sender@our.domain
 * The second is what an SRS address of another forwarder becomes; its bounce
 * goes to that first forwarder. Addresses are those of Mail::SRS, libsrs2 and
 * PostSRSd with the same secrets, in both directions.
 *
 *     if (mfx_srs_settings_check(&settings, &err) != MFX_OK) ...  once
 *     switch (mfx_srs_forward(&settings, &sender, now, arena, &to)) ...
 *     switch (mfx_srs_reverse(&settings, local_part, now, arena, &to)) ...
 *
 * What does not fit into 64 octets can have a short form: an SRS0 address that
 * holds a name, under which the caller keeps the sender
 * (SRS0=HASH=STAMP=1=NAME, as PostSRSd 2.x writes it; there the name is a bare
 * SHA-1 of the sender, here it needs a secret to be known).
 *
 * Ownership: results in the arena, or borrowed from arguments and settings.
 * Errors: an enum mfx_srs_result; without MFX_SRS_FOUND (or SHORT, TOO_LONG)
 * the output is untouched. Threads: pure functions, settings are read only.
 * Limits: input addresses of MFX_SRS_INPUT_MAX octets; time stamps repeat
 * after 1024 days. A day of clock skew is tolerated either way.
 * Hashes ignore case, as case may be lost on the way. What cannot be written as
 * an address (RFC 5322 3.4.1, RFC 6532), or has "@" in its local part, becomes
 * no SRS address and comes out of none.
 */
#ifndef MFX_AUTH_SRS_H
#define MFX_AUTH_SRS_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_SRS_HASH_MAX = 20, /* digits in new addresses */
    MFX_SRS_MAX_AGE = 365,
    MFX_SRS_NAME = 32, /* octets of a short form's name */
    MFX_SRS_INPUT_MAX = 1024,
};

struct mfx_srs_settings {
    const struct mfx_str *secrets; /* the first signs, any verifies */
    size_t secret_count;
    char separator;         /* behind the tag of new addresses: '=', '+', '-' */
    unsigned hash_length;   /* base64 digits in new addresses */
    unsigned hash_minimum;  /* in those that come back */
    unsigned max_age;       /* days */
    bool is_plain_alphabet; /* new hashes have "+/", else "-_" */
    struct mfx_str domain;  /* ours, of new addresses */
};

/* local: without quotes. */
struct mfx_srs_address {
    struct mfx_str local, domain;
};

enum mfx_srs_result {
    MFX_SRS_FOUND,       /* the new address */
    MFX_SRS_SHORT,       /* reverse: to->local is a name to be looked up */
    MFX_SRS_NOT_SRS,     /* reverse: an address of another kind */
    MFX_SRS_BAD_HASH,    /* reverse: not made with one of the secrets */
    MFX_SRS_TOO_OLD,     /* reverse: once made by us */
    MFX_SRS_MALFORMED,   /* cannot be an SRS address, or become one */
    MFX_SRS_TOO_LONG,    /* forward: the address, longer than RFC 5321 allows */
    MFX_SRS_UNAVAILABLE, /* no memory, or no HMAC-SHA1: ask again later */
};
/* Words for a reply or a log line: "SRS address is too old". */
const char *mfx_srs_result_text(enum mfx_srs_result result);

/* MFX_PERMFAIL with the reason. */
enum mfx_rc mfx_srs_settings_check(const struct mfx_srs_settings *settings,
                                   struct mfx_err *err) MFX_NODISCARD;

/* True when it begins as an SRS0 or SRS1 address does, valid or not. */
bool mfx_srs_is_tagged(struct mfx_str local);

/* from: any address with a domain. Whether it should be rewritten at all (the
 * null sender, our own senders) is the caller's to know. The new address may
 * need quotes when it is written (mfx_address_spec_write). */
enum mfx_srs_result mfx_srs_forward(const struct mfx_srs_settings *settings,
                                    const struct mfx_srs_address *from,
                                    uint64_t now, struct mfx_arena *arena,
                                    struct mfx_srs_address *to) MFX_NODISCARD;

/* local: of an address in one of our SRS domains. An SRS1 gives the SRS0 at
 * its first forwarder. */
enum mfx_srs_result mfx_srs_reverse(const struct mfx_srs_settings *settings,
                                    struct mfx_str local, uint64_t now,
                                    struct mfx_arena *arena,
                                    struct mfx_srs_address *to) MFX_NODISCARD;

/* The short form of `from`, and the name in it; the caller keeps the address
 * under that name before it uses the form. The name is the same each time, as
 * long as the first secret is. */
enum mfx_srs_result
mfx_srs_forward_short(const struct mfx_srs_settings *settings,
                      const struct mfx_srs_address *from, uint64_t now,
                      struct mfx_arena *arena, struct mfx_srs_address *to,
                      struct mfx_str *name) MFX_NODISCARD;

MFX_API_END

#endif
