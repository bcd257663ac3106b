/* SPDX-License-Identifier: BSD-2-Clause
 *
 * domains - a list of domains: "example.org" itself, ".example.org" all below
 *
 * Any lookup table can be one; values mean nothing. A table of patterns is
 * asked for the domain alone.
 * Threads: any number at once.
 */
#ifndef MASQ_DOMAINS_H
#define MASQ_DOMAINS_H

#include <mfx/conf/table.h>

/* MFX_OK: the domain is in the list. MFX_NOTFOUND: it is not, or there is no
 * list (NULL), or no domain. */
enum mfx_rc masq_domains_has(struct mfx_table *list, struct mfx_str domain,
                             struct mfx_arena *arena,
                             struct mfx_err *err) MFX_NODISCARD;

#endif
