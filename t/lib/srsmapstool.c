/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srsmapstool - where mail goes by forward_maps, for interoperability tests
 *
 *     srsmapstool [map=TABLE]... [local=TABLE] [our=TABLE] [origin=DOMAIN]
 *                 [delimiters=BYTES] < ADDRESSES
 *
 * For each line "stays", "leaves WHERE" or "error REASON".
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../milters/masq/srs_maps.h"

enum {
    MAPS = 8,
    LINE = 4096,
    USAGE = 64,
};

struct tool {
    struct mfx_arena *arena;
    struct mfx_table_set *set;
    struct mfx_problems problems;
    struct mfx_table *tables[MAPS];
    size_t count;
    struct masq_srs_maps maps;
};

static void
die(const char *what, const char *why)
{
    (void)fprintf(stderr, "srsmapstool: %s: %s\n", what, why);
    exit(USAGE);
}

static struct mfx_table *
open_table(struct tool *t, struct mfx_str spec)
{
    struct mfx_table *table = NULL;
    if (mfx_table_open(t->set, spec, MFX_TABLE_NOCASE, "srsmapstool", 1,
                       &t->problems, &table) != MFX_OK)
        die(spec.p, t->problems.first == NULL ? "cannot be opened"
                                              : t->problems.first->text);
    return table;
}

static void
take_option(struct tool *t, struct mfx_str text)
{
    struct masq_canonical *tables = &t->maps.tables;
    struct mfx_str name;
    (void)mfx_str_cut(&text, '=', &name);
    if (text.p == NULL)
        die("an option", "no value");
    if (mfx_str_is(name, "map") && t->count < MAPS)
        t->tables[t->count++] = open_table(t, text);
    else if (mfx_str_is(name, "local"))
        tables->local_domains = open_table(t, text);
    else if (mfx_str_is(name, "our"))
        t->maps.our_domains = open_table(t, text);
    else if (mfx_str_is(name, "origin"))
        tables->origin_domain = text;
    else if (mfx_str_is(name, "delimiters"))
        tables->delimiters = text;
    else
        die("an option", "not known");
}

static void
answer(const struct tool *t, struct mfx_str line, struct mfx_arena *arena)
{
    size_t at = mfx_str_find_last(line, '@');
    const struct masq_address recipient = {mfx_str_head(line, at),
                                           mfx_str_from(line, at + 1)};
    struct mfx_str where;
    struct mfx_err err = {""};
    enum mfx_rc rc =
        masq_srs_maps_leave(&t->maps, &recipient, arena, &where, &err);
    if (rc == MFX_NOTFOUND)
        printf("stays\n");
    else if (rc == MFX_OK)
        printf("leaves %.*s\n", MFX_STR_ARG(where));
    else
        printf("error %s\n", err.msg);
}

int
main(int argc, char **argv)
{
    static struct tool t;
    static char line[LINE];
    t.arena = mfx_arena_new(0);
    t.set = mfx_table_set_new(NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    if (t.arena == NULL || t.set == NULL || arena == NULL)
        die("start", "out of memory");
    mfx_problems_init(&t.problems, t.arena);
    for (int i = 1; i < argc; i++)
        take_option(&t, mfx_str_of(argv[i]));
    if (masq_srs_maps_init(&t.maps, t.tables, t.count, t.arena) != MFX_OK)
        die("start", "out of memory");
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(&t, mfx_str_trim(mfx_str_of(line)), arena);
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
    mfx_table_set_free(t.set);
    mfx_arena_free(t.arena);
    return 0;
}
