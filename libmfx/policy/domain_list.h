/* SPDX-License-Identifier: BSD-2-Clause
 *
 * domain_list - a list of domains: "example.org" itself, ".example.org" all
 * below; or of addresses
 *
 * Any lookup table can be one; values mean nothing. A table of patterns is
 * asked for the domain alone.
 *
 * Ownership: the table is the caller's. Errors: MFX_TEMPFAIL when the table
 * cannot be asked (err). Threads: any number at once.
 */
#ifndef MFX_POLICY_DOMAIN_LIST_H
#define MFX_POLICY_DOMAIN_LIST_H

#include <mfx/conf/table.h>

MFX_API_BEGIN

/* MFX_OK: the domain is in the list. MFX_NOTFOUND: it is not, or there is no
 * list (NULL), or no domain. */
enum mfx_rc mfx_domain_list_has(struct mfx_table *list, struct mfx_str domain,
                                struct mfx_arena *arena,
                                struct mfx_err *err) MFX_NODISCARD;
/* The address itself, its local part alone, "@domain", or its domain as
 * above. */
enum mfx_rc mfx_address_list_has(struct mfx_table *list, struct mfx_str address,
                                 struct mfx_arena *arena,
                                 struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
