/* SPDX-License-Identifier: BSD-2-Clause
 *
 * masquerade - Postfix's masquerade_domains and masquerade_exceptions
 *
 * The list is gone through from the first row to the last, and ends at the
 * first that fits the address: its domain itself, which stays; a parent
 * domain, which takes its place in lower case; "!domain", by which it and what
 * is below it stay ("!!" is nothing, as in Postfix). A local part among the exceptions
 * stays whatever its domain.
 *
 * A table that is loaded is indexed by domain: an address costs one lookup for
 * each of its labels, however long the list. A live table (lmdb, sqlite) has no
 * order: the domain is asked for and then each parent, "!name" before "name",
 * and the first hit ends it.
 *
 *     rc = masq_masquerade_new(domains, exceptions, arena, &m, &err);
 *     rc = masq_masquerade_rewrite(m, &from, arena, &to, &why, &err);
 *
 * Ownership: in the arena given (of the configuration), which must not outlive
 * the tables. Errors: of new, MFX_PERMFAIL for a table of patterns;
 * of rewrite, see address.h. Threads: any number at once.
 */
#ifndef MASQ_MASQUERADE_H
#define MASQ_MASQUERADE_H

#include <mfx/conf/table.h>

#include "address.h"

struct masq_masquerade;

/* exceptions: local parts, quoted as masq_address_key() does; may be NULL.
 * Values of both tables mean nothing. */
enum mfx_rc masq_masquerade_new(struct mfx_table *domains,
                                struct mfx_table *exceptions,
                                struct mfx_arena *arena,
                                struct masq_masquerade **masquerade,
                                struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc masq_masquerade_rewrite(const struct masq_masquerade *masquerade,
                                    const struct masq_address *from,
                                    struct mfx_arena *arena,
                                    struct masq_address *to,
                                    struct mfx_str *why,
                                    struct mfx_err *err) MFX_NODISCARD;

#endif
