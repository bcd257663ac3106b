/* SPDX-License-Identifier: BSD-2-Clause
 *
 * option_check - what must hold for every table of settings
 *
 *     static const struct option_check_table tables[] = {
 *         {mfx_common_options, sizeof(struct mfx_common)},
 *         {dkim_options, sizeof(struct dkim_settings)},
 *     };
 *     option_check(tables, 2);
 *
 * Fails the cmocka test that calls it, naming the option, when a name is
 * there twice, is not lower_case or stands for a setting and a group; when
 * two tables share a group; when a default does not parse or is out of range;
 * when help does not end with a full stop; when an old name has no new one;
 * when a dump, loaded again, dumps to other bytes; when the example does not
 * load or says something else than the defaults. Of a list of groups the
 * table of its groups is checked, too, and two empty groups are loaded.
 */
#ifndef MFX_T_OPTION_CHECK_H
#define MFX_T_OPTION_CHECK_H

#include <mfx/conf/option.h>

struct option_check_table {
    const struct mfx_option *options;
    size_t size; /* of the settings struct */
};

void option_check(const struct option_check_table *tables, size_t count);

#endif
