/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lookup - what a table says of a mail address
 *
 * Ownership: the value in the arena. Errors: MFX_NOTFOUND; MFX_TEMPFAIL: the
 * table cannot be asked. Threads: any number at once.
 */
#ifndef SCORE_LOOKUP_H
#define SCORE_LOOKUP_H

#include <mfx/conf/table.h>

/* The first row in the order of mfx_table_each_address: the address, its
 * domain, parents. table NULL: MFX_NOTFOUND. */
enum mfx_rc score_lookup_address(struct mfx_table *table,
                                 struct mfx_str address,
                                 struct mfx_arena *arena, struct mfx_str *value,
                                 struct mfx_err *err);

#endif
