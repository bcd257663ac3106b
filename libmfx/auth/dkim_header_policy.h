/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_header_policy - what the signer asks of a header policy (private to
 * auth; the policy itself is in dkim_sign.h)
 */
#ifndef MFX_AUTH_DKIM_HEADER_POLICY_H
#define MFX_AUTH_DKIM_HEADER_POLICY_H

#include <mfx/auth/dkim_sign.h>

struct mfx_dkim_oversign {
    struct mfx_str name;
    bool only_present;
    struct mfx_dkim_oversign *next;
};

bool mfx_dkim_header_policy_signs(const struct mfx_dkim_header_policy *policy,
                                  struct mfx_str name);
/* In the order of the list. */
const struct mfx_dkim_oversign *
mfx_dkim_header_policy_oversigned(const struct mfx_dkim_header_policy *policy);

#endif
