/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_check.h"

#include "conf_files.h"
#include "unit.h"

enum {
    TABLES_MAX = 8,
    TEXT_MAX = 4 * 1024 * 1024,
};

static void
check_name(const char *name)
{
    bool starts = true;
    for (const char *p = name; *p != '\0'; p++) {
        bool is_letter = *p >= 'a' && *p <= 'z';
        bool is_other = (*p >= '0' && *p <= '9') || *p == '_' || *p == '.';
        if (!is_letter && (starts || !is_other))
            fail_msg("%s: the name is not lower_case", name);
        starts = *p == '.';
    }
    if (starts)
        fail_msg("%s: the name is not lower_case", name);
}

/* True when b lies in a group that is called as a. */
static bool
is_group(const char *a, const char *b)
{
    size_t len = strlen(a);
    return strncmp(a, b, len) == 0 && b[len] == '.';
}

static void
check_pair(const struct mfx_option *a, const struct mfx_option *b)
{
    if (strcmp(a->name, b->name) == 0)
        fail_msg("%s: is there twice", a->name);
    if (is_group(a->name, b->name) || is_group(b->name, a->name))
        fail_msg("%s, %s: a setting and a group", a->name, b->name);
}

static void
check_groups_apart(const struct mfx_option *a, const struct mfx_option *b)
{
    size_t len = mfx_str_find(mfx_str_of(a->name), '.');
    if (a->name[len] == '.' && strncmp(a->name, b->name, len + 1) == 0)
        fail_msg("%s, %s: one group in two tables", a->name, b->name);
}

static void
check_names(const struct option_check_table *tables, size_t count)
{
    for (size_t t = 0; t < count; t++)
        for (const struct mfx_option *a = tables[t].options; a->name != NULL;
             a++) {
            check_name(a->name);
            for (const struct mfx_option *b = a + 1; b->name != NULL; b++)
                check_pair(a, b);
            for (size_t u = t + 1; u < count; u++)
                for (const struct mfx_option *b = tables[u].options;
                     b->name != NULL; b++) {
                    check_pair(a, b);
                    check_groups_apart(a, b);
                }
        }
}

static void
check_old_name(const struct mfx_option *old, const struct mfx_option *options)
{
    struct mfx_str help = mfx_str_of(old->help);
    if (!mfx_str_starts(help, mfx_str_of("-> ")))
        fail_msg("%s: help of an old name is \"-> new.name\"", old->name);
    for (; options->name != NULL; options++)
        if (mfx_str_is(mfx_str_from(help, 3), options->name)) {
            unit_assert_int(old->name, old->type, options->type);
            unit_assert_int(old->name, old->offset, options->offset);
            return;
        }
    fail_msg("%s: there is no %s", old->name, old->help);
}

static void
check_row(const struct mfx_option *o)
{
    struct mfx_str help = mfx_str_of(o->help);
    if (help.len < 2 || help.p[help.len - 1] != '.')
        fail_msg("%s: help does not end with a full stop", o->name);
    if (help.p[0] >= 'a' && help.p[0] <= 'z')
        fail_msg("%s: help does not start as a sentence", o->name);
    if (o->min > o->max)
        fail_msg("%s: an empty range", o->name);
    if (o->type == MFX_OPTION_TYPE_INT &&
        (o->max > INT32_MAX || o->min < INT32_MIN))
        fail_msg("%s: libconfig reads 32 bits only", o->name);
    if (o->type == MFX_OPTION_TYPE_ENUM && o->words == NULL)
        fail_msg("%s: no words", o->name);
    if (o->preset == NULL)
        fail_msg("%s: no default", o->name);
}

/* The settings of a group of a list: their names are their own. */
static void
check_group_rows(const struct mfx_option *list)
{
    if ((list->flags & MFX_OPTION_SECRET) != 0 || list->min < 0 ||
        list->max < 2)
        fail_msg("%s: not what a list of groups can be", list->name);
    for (const struct mfx_option *o = list->group_options; o->name != NULL;
         o++) {
        check_name(o->name);
        for (const struct mfx_option *b = o + 1; b->name != NULL; b++)
            check_pair(o, b);
        if (strchr(o->name, '.') != NULL || o->type == MFX_OPTION_TYPE_GROUPS ||
            (o->flags & MFX_OPTION_RESTART) != 0)
            fail_msg("%s, %s: not within a group", list->name, o->name);
        if ((o->flags & MFX_OPTION_DEPRECATED) != 0)
            check_old_name(o, list->group_options);
        else
            check_row(o);
    }
}

static void
check_rows(const struct option_check_table *tables, size_t count)
{
    for (size_t t = 0; t < count; t++)
        for (const struct mfx_option *o = tables[t].options; o->name != NULL;
             o++) {
            if ((o->flags & MFX_OPTION_DEPRECATED) != 0)
                check_old_name(o, tables[t].options);
            else
                check_row(o);
            if (o->type == MFX_OPTION_TYPE_GROUPS)
                check_group_rows(o);
        }
}

/* Loads the file (NULL: defaults) and dumps; fails on any problem. */
static struct mfx_str
dump_of(struct conf_files *files, const struct option_check_table *tables,
        size_t count, const char *path, bool changed_only)
{
    struct mfx_option_set sets[TABLES_MAX];
    struct mfx_problems problems;
    struct mfx_config *config = NULL;
    struct mfx_buf out;
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    assert_non_null(set);
    mfx_problems_init(&problems, files->arena);
    mfx_buf_init_arena(&out, files->arena, TEXT_MAX);
    for (size_t t = 0; t < count; t++)
        sets[t] = (struct mfx_option_set){
            tables[t].options, mfx_arena_alloc(files->arena, tables[t].size)};
    enum mfx_rc rc = mfx_config_load(path, NULL, sets, count, files->arena, set,
                                     &problems, &config);
    unit_assert_str(path != NULL ? path : "defaults",
                    conf_files_problems(files, &problems), mfx_str_of(""));
    assert_int_equal(rc, MFX_OK);
    mfx_config_dump(config, sets, count, changed_only, &out);
    assert_true(mfx_buf_ok(&out));
    mfx_table_set_free(set);
    return mfx_buf_str(&out);
}

/* Takes the '#' off each line that is a setting and not a sentence. */
static struct mfx_str
uncomment(struct conf_files *files, struct mfx_str example)
{
    struct mfx_buf out;
    struct mfx_str line;
    mfx_buf_init_arena(&out, files->arena, TEXT_MAX);
    while (mfx_str_cut(&example, '\n', &line)) {
        size_t at = mfx_str_find(line, '#');
        bool is_setting = at + 1 < line.len && line.p[at + 1] != ' ';
        mfx_buf_add(&out, mfx_str_head(line, at));
        mfx_buf_add(&out, mfx_str_from(line, is_setting ? at + 1 : at));
        mfx_buf_add_byte(&out, '\n');
    }
    return mfx_buf_str(&out);
}

static struct mfx_str
example_of(struct conf_files *files, const struct option_check_table *tables,
           size_t count)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, files->arena, TEXT_MAX);
    for (size_t t = 0; t < count; t++)
        mfx_option_example(tables[t].options, &out);
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

/* "a: { rules = ( { }, { } ); };" for a.rules. */
static struct mfx_str
two_groups(struct conf_files *files, const char *name)
{
    struct mfx_buf out;
    struct mfx_str rest = mfx_str_of(name), part;
    size_t depth = 0;
    mfx_buf_init_arena(&out, files->arena, TEXT_MAX);
    for (; mfx_str_has(rest, '.'); depth++) {
        assert_true(mfx_str_cut(&rest, '.', &part));
        mfx_buf_printf(&out, "%.*s: { ", MFX_STR_ARG(part));
    }
    mfx_buf_printf(&out, "%.*s = ( { }, { } );", MFX_STR_ARG(rest));
    for (; depth > 0; depth--)
        mfx_buf_add_text(&out, " };");
    return mfx_buf_str(&out);
}

/* Groups of a list take the defaults of their table, and so does the dump. */
static void
check_groups(const struct option_check_table *tables, size_t count,
             struct conf_files *files)
{
    for (size_t t = 0; t < count; t++)
        for (const struct mfx_option *o = tables[t].options; o->name != NULL;
             o++) {
            if (o->type != MFX_OPTION_TYPE_GROUPS)
                continue;
            const char *path = conf_files_write(files, "groups.conf",
                                                two_groups(files, o->name));
            struct mfx_str first = dump_of(files, tables, count, path, false);
            path = conf_files_write(files, "groups_again.conf", first);
            unit_assert_str(o->name, dump_of(files, tables, count, path, false),
                            first);
        }
}

static void
check_man_item(struct conf_files *files, const char *man, const char *list,
               const char *name)
{
    const char *item =
        mfx_arena_printf(files->arena, ".It Ic %s%s", list, name).p;
    if (strstr(man, item) == NULL)
        fail_msg("%s%s: not in the manual", list, name);
}

static void
check_man(const struct option_check_table *tables, size_t count,
          struct conf_files *files)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, files->arena, TEXT_MAX);
    for (size_t t = 0; t < count; t++)
        mfx_option_man(tables[t].options, &out);
    assert_true(mfx_buf_ok(&out));
    const char *man = mfx_buf_text(&out);
    for (size_t t = 0; t < count; t++)
        for (const struct mfx_option *o = tables[t].options; o->name != NULL;
             o++) {
            check_man_item(files, man, "", o->name);
            const char *list =
                mfx_arena_printf(files->arena, "%s[].", o->name).p;
            if (o->type == MFX_OPTION_TYPE_GROUPS)
                for (const struct mfx_option *g = o->group_options;
                     g->name != NULL; g++)
                    check_man_item(files, man, list, g->name);
        }
}

void
option_check(const struct option_check_table *tables, size_t count)
{
    struct conf_files files;
    assert_in_range(count, 1, TABLES_MAX);
    check_names(tables, count);
    check_rows(tables, count);
    conf_files_init(&files);
    check_man(tables, count, &files);
    struct mfx_str defaults = dump_of(&files, tables, count, NULL, false);
    unit_assert_str("changes of the defaults",
                    dump_of(&files, tables, count, NULL, true), mfx_str_of(""));
    const char *path = conf_files_write(&files, "dump.conf", defaults);
    unit_assert_str("dump, loaded again",
                    dump_of(&files, tables, count, path, false), defaults);
    struct mfx_str example = example_of(&files, tables, count);
    path = conf_files_write(&files, "example.conf", example);
    unit_assert_str("example", dump_of(&files, tables, count, path, false),
                    defaults);
    path = conf_files_write(&files, "uncommented.conf",
                            uncomment(&files, example));
    unit_assert_str("example, uncommented",
                    dump_of(&files, tables, count, path, false), defaults);
    check_groups(tables, count, &files);
    conf_files_fini(&files);
}
