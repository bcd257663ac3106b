/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address - an address and its class, as rules of mfx-masq see them
 *
 * A rule's kind (masquerade, canonical, sendmail) has one function that
 * rewrites an address; but for lookups in tables it is pure:
 *
 *     enum mfx_rc masq_KIND_rewrite(const struct masq_KIND *kind,
 *                                   const struct masq_address *from,
 *                                   struct mfx_arena *arena,
 *                                   struct masq_address *to,
 *                                   struct mfx_str *why, struct mfx_err *err);
 *
 * MFX_OK: *to is the new address, *why a few words for the trace ("row
 * @a.example"). MFX_NOTFOUND: it stays as it is, *to is *from. MFX_TEMPFAIL: a
 * table cannot be asked, or holds what is no address; err says which.
 * Ownership: results in the arena, or borrowed from `from` and from the tables
 * of the snapshot.
 */
#ifndef MASQ_ADDRESS_H
#define MASQ_ADDRESS_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

/* Taken apart, the local part without quotes. domain empty: a bare user.
 * Never the null sender. */
struct masq_address {
    struct mfx_str local, domain;
};

enum masq_class {
    MASQ_ENVELOPE_SENDER,
    MASQ_ENVELOPE_RECIPIENT,
    MASQ_HEADER_SENDER,
    MASQ_HEADER_RECIPIENT,
    MASQ_MESSAGE_ID,
    MASQ_CLASS_COUNT,
};

/* The key under which tables have the address, as postmap(1) makes them: the
 * local part in quotes where RFC 5322 asks for them. MFX_TEMPFAIL when the
 * arena is exhausted. */
enum mfx_rc masq_address_key(const struct masq_address *address,
                             struct mfx_arena *arena,
                             struct mfx_str *key) MFX_NODISCARD;

/* Length of the local part before its extension, as Postfix's
 * recipient_delimiter parts it; all of it when it has none. Each character of
 * delimiters is one. */
size_t masq_address_user_len(struct mfx_str delimiters, struct mfx_str local);

#endif
