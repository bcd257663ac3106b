/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_record - what the record cache shares with the parser (private to auth)
 */
#ifndef MFX_AUTH_DKIM_RECORD_H
#define MFX_AUTH_DKIM_RECORD_H

#include <mfx/auth/dkim_key.h>

/* A record of one's own from one parsed with the smallest min_bits; counts
 * the key. */
void mfx_dkim_record_copy(const struct mfx_dkim_record *from, unsigned min_bits,
                          struct mfx_dkim_record *record);

#endif
