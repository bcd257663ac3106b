/* SPDX-License-Identifier: BSD-2-Clause
 *
 * masq_tables - tables and addresses from texts, for the tests of mfx-masq
 */
#ifndef MFX_T_MASQ_TABLES_H
#define MFX_T_MASQ_TABLES_H

#include <mfx/conf/table.h>

#include "../../milters/masq/address.h"
#include "conf_files.h"
#include "unit.h"

struct masq_tables {
    struct conf_files files;
    struct mfx_problems problems;
    struct mfx_table_set *set;
    struct mfx_arena *arena;
};

static inline void
masq_tables_begin(struct masq_tables *t)
{
    conf_files_init(&t->files);
    t->arena = t->files.arena;
    mfx_problems_init(&t->problems, t->arena);
    t->set = mfx_table_set_new(NULL);
    assert_non_null(t->set);
}

static inline void
masq_tables_end(struct masq_tables *t)
{
    mfx_table_set_free(t->set);
    conf_files_fini(&t->files);
}

static inline struct mfx_table *
masq_tables_open(struct masq_tables *t, const char *spec)
{
    struct mfx_table *table = NULL;
    enum mfx_rc rc = mfx_table_open(t->set, mfx_str_of(spec), MFX_TABLE_NOCASE,
                                    "test", 1, &t->problems, &table);
    if (rc != MFX_OK)
        fail_msg("%s: %s", spec,
                 t->problems.first == NULL ? "" : t->problems.first->text);
    return table;
}

/* Parted at the last "@": the local part as it stands. */
static inline struct masq_address
masq_tables_address(const char *text)
{
    struct mfx_str s = mfx_str_of(text);
    size_t at = mfx_str_find_last(s, '@');
    return (struct masq_address){mfx_str_head(s, at), mfx_str_from(s, at + 1)};
}

static inline struct mfx_str
masq_tables_text(struct masq_tables *t, const struct masq_address *a)
{
    return mfx_arena_printf(t->arena, "%.*s%s%.*s", MFX_STR_ARG(a->local),
                            a->domain.len > 0 ? "@" : "",
                            MFX_STR_ARG(a->domain));
}

#endif
