/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table: the first byte says of which type (f file, r refile, t texthash,
 * a alias, c csl, i inline, d dsn), the rest is its text. What is loaded is
 * found again: the first row of each key, and for patterns the same rows as by
 * trying all of them in order. A dsn is only opened.
 */
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mfx/base/buf.h>
#include <mfx/conf/table.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ROWS_TRIED = 12,
    KEY_TRIED = 100,
};

struct run {
    struct mfx_arena *arena;
    struct mfx_table *table;
    struct mfx_str key;
    struct mfx_buf want, got;
    size_t rows;
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
matches(const struct mfx_table_row *row, struct mfx_str key,
        struct mfx_arena *arena)
{
    struct mfx_buf text;
    regex_t regex;
    mfx_buf_init_arena(&text, arena, SIZE_MAX / 2);
    mfx_buf_add_byte(&text, '^');
    for (size_t i = 0; i < row->key.len; i++) {
        if (row->key.p[i] == '*')
            mfx_buf_add_byte(&text, '.');
        if (row->key.p[i] == '.' || row->key.p[i] == '+')
            mfx_buf_add_byte(&text, '\\');
        mfx_buf_add_byte(&text, row->key.p[i]);
    }
    mfx_buf_add_byte(&text, '$');
    check(regcomp(&regex, mfx_buf_text(&text),
                  REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0);
    int rc = regexec(&regex, mfx_arena_copy(arena, key).p, 0, NULL, 0);
    regfree(&regex);
    return rc == 0;
}

static bool
note_match(const struct mfx_table_row *row, void *arg)
{
    struct run *run = arg;
    if (matches(row, run->key, run->arena))
        mfx_buf_printf(&run->want, "%u ", row->line);
    return true;
}

static bool
note_got(const struct mfx_table_row *row, void *arg)
{
    struct run *run = arg;
    mfx_buf_printf(&run->got, "%u ", row->line);
    return true;
}

static bool
try_pattern(const struct mfx_table_row *row, void *arg)
{
    struct run *run = arg;
    run->key = mfx_str_head(row->key, KEY_TRIED);
    mfx_buf_clear(&run->want);
    mfx_buf_clear(&run->got);
    check(mfx_table_walk(run->table, run->arena, note_match, run, NULL) ==
          MFX_OK);
    enum mfx_rc rc =
        mfx_table_each(run->table, run->key, run->arena, note_got, run, NULL);
    check(rc == (run->want.len > 0 ? MFX_OK : MFX_NOTFOUND));
    check(mfx_str_eq(mfx_buf_str(&run->got), mfx_buf_str(&run->want)));
    return ++run->rows < ROWS_TRIED;
}

/* Keys that are equal have the value of the first. */
static bool
try_key(const struct mfx_table_row *row, void *arg)
{
    struct run *run = arg;
    struct mfx_str value;
    check(mfx_table_get(run->table, row->key, run->arena, &value, NULL) ==
          MFX_OK);
    check(value.p != NULL);
    if (run->rows == 0)
        check(mfx_str_eq(value, row->value));
    run->rows++;
    return true;
}

static bool
visit_any(const struct mfx_table_row *row, void *arg)
{
    (void)arg;
    check(row->key.p != NULL && row->value.p != NULL);
    return true;
}

/* Counts in braces make regcomp(3) take memory without end, and references
 * make regexec(3) take time without end. */
static bool
is_too_dear(struct mfx_str text)
{
    return mfx_str_has(text, '{') || mfx_str_has(text, '\\');
}

static void
try_table(struct run *run, bool has_patterns)
{
    check(mfx_table_walk(run->table, run->arena, visit_any, NULL, NULL) ==
          MFX_OK);
    check(mfx_table_walk(run->table, run->arena,
                         has_patterns ? try_pattern : try_key, run,
                         NULL) == MFX_OK);
    enum mfx_rc rc = mfx_table_each_address(run->table, mfx_str_of("user"),
                                            mfx_str_of("a.example.org"),
                                            run->arena, visit_any, NULL, NULL);
    check(rc == MFX_OK || rc == MFX_NOTFOUND);
}

static void
open_and_try(struct mfx_str spec, bool has_patterns, struct mfx_arena *arena)
{
    struct run run = {.arena = arena};
    struct mfx_problems problems;
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    check(set != NULL);
    mfx_buf_init_arena(&run.want, arena, SIZE_MAX / 2);
    mfx_buf_init_arena(&run.got, arena, SIZE_MAX / 2);
    mfx_problems_init(&problems, arena);
    enum mfx_rc rc = mfx_table_open(set, spec, MFX_TABLE_NOCASE, "conf", 1,
                                    &problems, &run.table);
    check((rc == MFX_OK) == (problems.errors == 0));
    if (rc == MFX_OK && strcmp(mfx_table_type(run.table), "dsn") != 0)
        try_table(&run, has_patterns);
    mfx_table_set_free(set);
}

static const char *
type_of(uint8_t c)
{
    static const char *const types[] = {"file", "refile", "texthash", "alias",
                                        "csl",  "inline", "dsn"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (c == (uint8_t)types[i][0])
            return types[i];
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *type = size > 0 ? type_of(data[0]) : NULL;
    struct mfx_str text = mfx_str((const char *)data + 1, size - (size > 0));
    if (type == NULL || size > 4096 || (data[0] == 'r' && is_too_dear(text)))
        return 0;
    struct mfx_arena *arena = mfx_arena_new(0);
    int fd = memfd_create("table", MFD_CLOEXEC);
    check(fd >= 0);
    check(text.len == 0 || write(fd, text.p, text.len) == (ssize_t)text.len);
    if (data[0] == 'c' || data[0] == 'i' || data[0] == 'd')
        open_and_try(
            mfx_arena_printf(arena, "%s:%.*s", type, MFX_STR_ARG(text)), false,
            arena);
    else
        open_and_try(mfx_arena_printf(arena, "%s:/proc/self/fd/%d", type, fd),
                     data[0] == 'r', arena);
    (void)close(fd);
    mfx_arena_free(arena);
    return 0;
}
