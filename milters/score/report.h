/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report - how the engines are, for metrics and commands
 *
 * Texts of servers are made safe: printable ASCII without '"' and '\'.
 *
 * Ownership: the arena's. Errors: NULL when out of memory. Threads: any.
 */
#ifndef SCORE_REPORT_H
#define SCORE_REPORT_H

#include "engines.h"
#include "tally.h"

struct score_report {
    const struct score_engine *engine;
    struct score_tally_view tally;
    struct mfx_scan_load load;
    struct mfx_scan_server_report *servers;
    size_t server_count; /* 0: not begun */
};

/* One for each of engines->items. */
struct score_report *score_report_new(const struct score_engines *engines,
                                      struct mfx_arena *arena);

#endif
