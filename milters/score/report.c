/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

static void
clean(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            *text = '?';
}

static bool
take(struct score_report *report, const struct score_engine *engine,
     struct mfx_arena *arena)
{
    report->engine = engine;
    if (engine->tally != NULL)
        score_tally_look(engine->tally, &report->tally);
    if (engine->engine == NULL)
        return true;
    report->servers = mfx_arena_alloc_array(arena, MFX_SCAN_SERVERS_MAX,
                                            sizeof *report->servers);
    if (report->servers == NULL)
        return false;
    report->server_count = mfx_scan_engine_report(
        engine->engine, report->servers, MFX_SCAN_SERVERS_MAX, &report->load);
    for (size_t i = 0; i < report->server_count; i++) {
        clean(report->servers[i].server);
        clean(report->servers[i].version);
        clean(report->servers[i].trouble);
    }
    return true;
}

struct score_report *
score_report_new(const struct score_engines *engines, struct mfx_arena *arena)
{
    struct score_report *reports =
        mfx_arena_alloc_array(arena, engines->count, sizeof *reports);
    for (size_t i = 0; reports != NULL && i < engines->count; i++)
        if (!take(&reports[i], &engines->items[i], arena))
            return NULL;
    return reports;
}
