/* SPDX-License-Identifier: BSD-2-Clause
 *
 * canonical - address tables in the manner of Postfix's canonical(5)
 *
 * Each key is asked of all tables before the next key is tried:
 *
 *     user+ext@domain
 *     user@domain
 *     user+ext            where the domain is ours (local_domains, or
 *     user                origin_domain)
 *     @domain
 *
 * Tables of patterns (refile) are asked for the first only, the whole address.
 * "postmaster" and "mailer-daemon" have no extension, nor with "-" among the
 * delimiters have "owner-x" and "x-request".
 * A row's value is an address; "@other" keeps the local part, "user" gets the
 * origin domain. What was cut off to find a row ("+ext") is put on the new
 * local part again. The new address is looked up in turn, until nothing is
 * found or it stays the same (but for letter case), at most 10 times: then the
 * last one counts, and `why` says that there was no end.
 *
 *     rc = masq_canonical_rewrite(&canonical, &from, arena, &to, &why, &err);
 *
 * A bare user is looked up as one of the origin domain.
 * Ownership: the caller's struct; tables are borrowed. Errors: see address.h;
 * a value that is no address is MFX_TEMPFAIL, as it is in Postfix. Threads: any
 * number at once. Limits: letters of keys are alike in ASCII only.
 */
#ifndef MASQ_CANONICAL_H
#define MASQ_CANONICAL_H

#include <mfx/conf/table.h>

#include "address.h"

enum {
    MASQ_CANONICAL_REPEATS = 10,
};

struct masq_canonical {
    struct mfx_table *const *maps;
    size_t map_count;
    struct mfx_table *local_domains; /* NULL: none but the origin domain */
    struct mfx_str origin_domain;    /* empty: a bare user stays one */
    struct mfx_str delimiters;       /* each byte is one; empty: none */
    bool propagates_extension;
};

/* A row that has the address as its key, by the order above, for those who
 * read values in another way. A bare user is looked up as it stands. */
struct masq_canonical_row {
    struct mfx_str key, value;
    struct mfx_str user, extension; /* of the address; the latter empty when
                                       the key has it, too */
};

enum mfx_rc masq_canonical_find(const struct masq_canonical *canonical,
                                const struct masq_address *address,
                                struct mfx_arena *arena,
                                struct masq_canonical_row *row,
                                struct mfx_err *err) MFX_NODISCARD;

/* MFX_OK: a bare user of this domain is a key. */
enum mfx_rc masq_canonical_is_local(const struct masq_canonical *canonical,
                                    struct mfx_str domain,
                                    struct mfx_arena *arena,
                                    struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc masq_canonical_rewrite(const struct masq_canonical *canonical,
                                   const struct masq_address *from,
                                   struct mfx_arena *arena,
                                   struct masq_address *to, struct mfx_str *why,
                                   struct mfx_err *err) MFX_NODISCARD;
/* From `why`, which tells of rows without an end that led back to the address
 * itself, too. */
bool masq_canonical_has_end(struct mfx_str why);

#endif
