/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_domain - domain names of signatures, A-labels and U-labels alike (RFC
 * 8616; private to auth)
 */
#ifndef MFX_AUTH_DKIM_DOMAIN_H
#define MFX_AUTH_DKIM_DOMAIN_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

/* True when `domain` is `parent` or below it, in whatever labels. */
bool mfx_dkim_domain_is_within(struct mfx_str domain, struct mfx_str parent,
                               struct mfx_arena *arena);

#endif
