/* SPDX-License-Identifier: BSD-2-Clause */
#include <libconfig.h>

#include "option_impl.h"

struct mfx_config {
    struct mfx_source own, common;
    const char **files;
    size_t file_count;
};

/* One option of one set, and where its value is found. */
struct item {
    const struct mfx_option *option;
    char *settings;
    config_setting_t *node;
    const struct mfx_source *source; /* of the node */
    struct mfx_place place;
};

struct load {
    struct mfx_config *config;
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_problems *problems;
    struct item *items;
    size_t count;
    const struct mfx_source *source; /* of the tree that is walked */
    bool is_common;
    struct mfx_str prefix; /* "rules[0]." within a list of groups */
};

static bool
is_deprecated(const struct mfx_option *option)
{
    return (option->flags & MFX_OPTION_DEPRECATED) != 0;
}

static bool
collect_items(struct load *load, const struct mfx_option_set *sets,
              size_t set_count)
{
    size_t count = 0;
    for (size_t s = 0; s < set_count; s++)
        for (const struct mfx_option *o = sets[s].options; o->name != NULL; o++)
            count++;
    load->items =
        mfx_arena_alloc_array(load->arena, count, sizeof *load->items);
    if (load->items == NULL)
        return false;
    for (size_t s = 0; s < set_count; s++)
        for (const struct mfx_option *o = sets[s].options; o->name != NULL; o++)
            load->items[load->count++] =
                (struct item){.option = o, .settings = sets[s].settings};
    return true;
}

static struct item *
find_item(struct load *load, struct mfx_str name)
{
    for (size_t i = 0; i < load->count; i++)
        if (mfx_str_is(name, load->items[i].option->name))
            return &load->items[i];
    return NULL;
}

/* "sign" when there is some "sign.enable". */
static bool
is_group_of(const struct mfx_option *option, struct mfx_str group)
{
    struct mfx_str name = mfx_str_of(option->name);
    return name.len > group.len && mfx_str_starts(name, group) &&
           name.p[group.len] == '.';
}

static bool
is_known_group(const struct load *load, struct mfx_str group)
{
    for (size_t i = 0; i < load->count; i++)
        if (is_group_of(load->items[i].option, group))
            return true;
    return false;
}

static struct mfx_str
last_word(struct mfx_str name)
{
    size_t dot = mfx_str_find_last(name, '.');
    return dot < name.len ? mfx_str_from(name, dot + 1) : name;
}

/* The option nearest to a wrong name, or else one of the same last word in
 * another group. */
static const char *
nearest(const struct load *load, struct mfx_str name)
{
    const char *best = NULL, *elsewhere = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < load->count; i++) {
        struct mfx_str known = mfx_str_of(load->items[i].option->name);
        size_t distance = mfx_nearest_distance(name, known);
        if (distance < least) {
            least = distance;
            best = known.p;
        }
        if (elsewhere == NULL && mfx_str_eq(last_word(known), last_word(name)))
            elsewhere = known.p;
    }
    return best != NULL && mfx_nearest_is_near(name, least) ? best : elsewhere;
}

/* "rules[0].limits" for limits in a group of a list. */
static struct mfx_str
full_name(const struct load *load, struct mfx_str name)
{
    if (load->prefix.len == 0)
        return name;
    struct mfx_str full = mfx_arena_printf(
        load->arena, "%.*s%.*s", MFX_STR_ARG(load->prefix), MFX_STR_ARG(name));
    return full.p != NULL ? full : name;
}

static struct mfx_place
place_of(const struct load *load, struct mfx_str name,
         const config_setting_t *node)
{
    const struct mfx_place *place =
        mfx_source_find(load->source, full_name(load, name));
    if (place != NULL)
        return *place;
    return mfx_source_line(load->source, config_setting_source_line(node));
}

static struct mfx_str
parent_group(struct mfx_str name)
{
    size_t dot = mfx_str_find_last(name, '.');
    return dot < name.len ? mfx_str_head(name, dot) : mfx_str(NULL, 0);
}

/* In the daemon's own file: a mistake. In the common file it may belong to
 * another daemon; only what looks like a slip within a group that this daemon
 * knows is worth a word. */
static void
complain_unknown(struct load *load, struct mfx_str name, struct mfx_place place)
{
    const char *hint = nearest(load, name);
    if (!load->is_common) {
        mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, place.file,
                        place.line, "there is no setting %.*s%s%s%s",
                        MFX_STR_ARG(full_name(load, name)),
                        hint != NULL ? " (did you mean " : "",
                        hint != NULL ? hint : "", hint != NULL ? "?)" : "");
        return;
    }
    struct mfx_str known = mfx_str_of(hint);
    if (hint != NULL && mfx_nearest_distance(name, known) <= 2 &&
        mfx_str_eq(parent_group(name), parent_group(known)))
        mfx_problem_add(load->problems, MFX_PROBLEM_WARNING, place.file,
                        place.line,
                        "%.*s is no setting of this daemon (did you mean %s?)",
                        MFX_STR_ARG(name), hint);
}

static void walk(struct load *load, config_setting_t *group,
                 struct mfx_str prefix);

static void
take_setting(struct load *load, struct mfx_str name, config_setting_t *node)
{
    struct mfx_place place = place_of(load, name, node);
    struct item *item = find_item(load, name);
    if (item != NULL) {
        if (item->node == NULL) {
            item->node = node;
            item->source = load->source;
            item->place = place;
        }
    } else if (!is_known_group(load, name)) {
        complain_unknown(load, name, place);
    } else if (config_setting_is_group(node)) {
        walk(load, node, name);
    } else {
        mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, place.file,
                        place.line, "%.*s is a group; write %.*s: { ... }",
                        MFX_STR_ARG(full_name(load, name)), MFX_STR_ARG(name));
    }
}

static void
walk(struct load *load, config_setting_t *group, struct mfx_str prefix)
{
    int count = config_setting_length(group);
    for (int i = 0; i < count; i++) {
        config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
        struct mfx_str name = mfx_arena_printf(
            load->arena, "%.*s%s%s", MFX_STR_ARG(prefix),
            prefix.len > 0 ? "." : "", config_setting_name(node));
        if (name.p != NULL)
            take_setting(load, name, node);
    }
}

static struct mfx_value
other(const char *words)
{
    return (struct mfx_value){.kind = MFX_VALUE_OTHER, .words = words};
}

static struct mfx_value
text_value(struct load *load, const config_setting_t *node)
{
    return (struct mfx_value){
        .kind = MFX_VALUE_TEXT,
        .text = mfx_arena_copy(load->arena,
                               mfx_str_of(config_setting_get_string(node)))};
}

static struct mfx_value
list_value(struct load *load, const config_setting_t *node)
{
    int count = config_setting_length(node);
    struct mfx_str *items =
        mfx_arena_alloc_array(load->arena, (size_t)count, sizeof *items);
    for (int i = 0; items != NULL && i < count; i++) {
        const config_setting_t *item =
            config_setting_get_elem(node, (unsigned)i);
        if (config_setting_type(item) != CONFIG_TYPE_STRING)
            return other("a list of something else than strings");
        items[i] = text_value(load, item).text;
    }
    return (struct mfx_value){
        .kind = MFX_VALUE_LIST,
        .list = {.items = items, .count = (size_t)count}
    };
}

static struct mfx_value
node_value(struct load *load, const config_setting_t *node)
{
    switch (config_setting_type(node)) {
    case CONFIG_TYPE_BOOL:
        return (struct mfx_value){.kind = MFX_VALUE_BOOL,
                                  .is_true = config_setting_get_bool(node) !=
                                             CONFIG_FALSE};
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return (struct mfx_value){.kind = MFX_VALUE_INT,
                                  .number = config_setting_get_int64(node)};
    case CONFIG_TYPE_STRING:
        return text_value(load, node);
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return list_value(load, node);
    case CONFIG_TYPE_FLOAT:
        return (struct mfx_value){.kind = MFX_VALUE_FRACTION,
                                  .fraction = config_setting_get_float(node)};
    case CONFIG_TYPE_GROUP:
        return other("a group");
    default: /* an int of libconfig's, no enum */
        return other("nothing");
    }
}

static enum mfx_rc store_all(struct load *load);

/* One group of a list is loaded as a file is, by its own table. */
static enum mfx_rc
store_group(struct load *load, const struct item *item, int i, void *settings)
{
    const struct mfx_option_set set = {item->option->group_options, settings};
    config_setting_t *node = config_setting_get_elem(item->node, (unsigned)i);
    struct mfx_str name =
        mfx_arena_printf(load->arena, "%.*s%s[%d]", MFX_STR_ARG(load->prefix),
                         item->option->name, i);
    struct load group = {.config = load->config,
                         .arena = load->arena,
                         .tables = load->tables,
                         .problems = load->problems,
                         .source = item->source};
    struct mfx_place place = place_of(&group, name, node);
    if (!config_setting_is_group(node)) {
        mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, place.file,
                        place.line, "%.*s: this is no group; write { ... }",
                        MFX_STR_ARG(name));
        return MFX_PERMFAIL;
    }
    group.prefix = mfx_arena_printf(load->arena, "%.*s.", MFX_STR_ARG(name));
    if (!collect_items(&group, &set, 1))
        return MFX_TEMPFAIL;
    walk(&group, node, mfx_str(NULL, 0));
    return store_all(&group);
}

static enum mfx_rc
refuse_count(struct load *load, const struct item *item, int count)
{
    const struct mfx_option *option = item->option;
    mfx_problem_add(
        load->problems, MFX_PROBLEM_ERROR, item->place.file, item->place.line,
        "%.*s%s: %d groups; wanted are %lld to %lld", MFX_STR_ARG(load->prefix),
        option->name, count, (long long)option->min, (long long)option->max);
    return MFX_PERMFAIL;
}

static enum mfx_rc
store_groups(struct load *load, const struct item *item)
{
    const struct mfx_option *option = item->option;
    int count = config_setting_length(item->node);
    if (count > option->max || (count > 0 && count < option->min))
        return refuse_count(load, item, count);
    char *items =
        mfx_arena_alloc_array(load->arena, (size_t)count, option->group_size);
    if (items == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = MFX_OK;
    for (int i = 0; i < count; i++)
        rc = mfx_rc_worst(
            rc,
            store_group(load, item, i, items + (size_t)i * option->group_size));
    void *field = item->settings + option->offset;
    *(struct mfx_option_groups *)field =
        (struct mfx_option_groups){.items = items, .count = (size_t)count};
    return rc;
}

static enum mfx_rc
store_item(struct load *load, const struct item *item)
{
    const struct mfx_option *option = item->option;
    struct mfx_value_context context = {.option = option,
                                        .prefix = load->prefix,
                                        .file = "",
                                        .arena = load->arena,
                                        .tables = load->tables,
                                        .problems = load->problems};
    struct mfx_value value;
    if (item->node == NULL) {
        if (mfx_value_preset(option, load->arena, &value))
            return mfx_value_store(&context, &value,
                                   item->settings + option->offset);
        if (!mfx_arena_ok(load->arena))
            return MFX_TEMPFAIL;
        mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, "", 0,
                        "%.*s%s: its default \"%s\" is not of its type",
                        MFX_STR_ARG(load->prefix), option->name,
                        option->preset);
        return MFX_PERMFAIL;
    }
    if (item->place.is_bad)
        return MFX_PERMFAIL;
    if (option->type == MFX_OPTION_TYPE_GROUPS &&
        (config_setting_is_list(item->node) ||
         config_setting_is_array(item->node)))
        return store_groups(load, item);
    context.file = item->place.file;
    context.line = item->place.line;
    value = node_value(load, item->node);
    if (!mfx_arena_ok(load->arena))
        return MFX_TEMPFAIL;
    return mfx_value_store(&context, &value, item->settings + option->offset);
}

/* The name behind "-> ". */
static struct mfx_str
new_name(const struct mfx_option *option)
{
    struct mfx_str help = mfx_str_of(option->help), word = {"", 0};
    (void)mfx_str_word(&help, " ", &word);
    (void)mfx_str_word(&help, " ", &word);
    if (word.len > 0 && word.p[word.len - 1] == '.')
        word.len--;
    return word;
}

/* After all others, since an old name fills the field of the new one. */
static enum mfx_rc
store_deprecated(struct load *load, const struct item *old)
{
    struct mfx_str name = new_name(old->option);
    const struct item *new = find_item(load, name);
    if (new != NULL &&new->node != NULL) {
        mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, old->place.file,
                        old->place.line,
                        "%.*s%s is the old name of %.*s, which is set too "
                        "(%s:%u)",
                        MFX_STR_ARG(load->prefix), old->option->name,
                        MFX_STR_ARG(name), new->place.file, new->place.line);
        return MFX_PERMFAIL;
    }
    mfx_problem_add(load->problems, MFX_PROBLEM_WARNING, old->place.file,
                    old->place.line, "%.*s%s is now called %.*s",
                    MFX_STR_ARG(load->prefix), old->option->name,
                    MFX_STR_ARG(name));
    return store_item(load, old);
}

static enum mfx_rc
store_all(struct load *load)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < load->count; i++)
        if (!is_deprecated(load->items[i].option))
            rc = mfx_rc_worst(rc, store_item(load, &load->items[i]));
    for (size_t i = 0; i < load->count; i++)
        if (is_deprecated(load->items[i].option) && load->items[i].node != NULL)
            rc = mfx_rc_worst(rc, store_deprecated(load, &load->items[i]));
    return mfx_arena_ok(load->arena) ? rc : MFX_TEMPFAIL;
}

static enum mfx_rc
parse(const struct mfx_source *source, config_t *tree,
      struct mfx_problems *problems)
{
    if (config_read_string(tree, source->text.p) == CONFIG_TRUE)
        return MFX_OK;
    int line = config_error_line(tree);
    struct mfx_place place =
        mfx_source_line(source, line > 0 ? (unsigned)line : 1);
    const char *why = config_error_text(tree);
    mfx_problem_add(problems, MFX_PROBLEM_ERROR, place.file, place.line, "%s",
                    why != NULL ? why : "syntax error");
    return MFX_PERMFAIL;
}

static enum mfx_rc
read_tree(struct load *load, struct mfx_source *source, const char *file,
          bool is_common, config_t *tree)
{
    enum mfx_rc rc =
        mfx_source_read(source, file, is_common, load->arena, load->problems);
    if (rc == MFX_NOTFOUND)
        return MFX_OK;
    if (rc == MFX_OK)
        rc = parse(source, tree, load->problems);
    if (rc != MFX_OK)
        return rc;
    load->source = source;
    load->is_common = is_common;
    walk(load, config_root_setting(tree), mfx_str(NULL, 0));
    return MFX_OK;
}

static bool
note_files(struct mfx_config *config, struct mfx_arena *arena)
{
    struct mfx_buf all;
    mfx_buf_init_arena(&all, arena, SIZE_MAX / 2);
    mfx_buf_add(&all, mfx_buf_str(&config->own.files));
    mfx_buf_add(&all, mfx_buf_str(&config->common.files));
    config->file_count = all.len / sizeof *config->files;
    config->files =
        mfx_arena_alloc_array(arena, config->file_count, sizeof *config->files);
    if (config->files == NULL || !mfx_buf_ok(&all))
        return false;
    if (all.len > 0)
        memcpy(config->files, all.p, all.len);
    return true;
}

static enum mfx_rc
load_trees(struct load *load, const char *file, const char *common,
           config_t trees[2])
{
    struct mfx_config *config = load->config;
    enum mfx_rc rc = MFX_OK;
    if (file != NULL)
        rc = read_tree(load, &config->own, file, false, &trees[0]);
    if (file != NULL && common != NULL)
        rc = mfx_rc_worst(
            rc, read_tree(load, &config->common, common, true, &trees[1]));
    if (!note_files(config, load->arena))
        return MFX_TEMPFAIL;
    /* what could not be parsed would only look like defaults */
    return rc == MFX_OK ? store_all(load) : rc;
}

static enum mfx_rc
load_with_trees(struct load *load, const char *file, const char *common,
                const struct mfx_option_set *sets, size_t set_count)
{
    if (load->config == NULL || !collect_items(load, sets, set_count))
        return MFX_TEMPFAIL;
    config_t trees[2];
    config_init(&trees[0]);
    config_init(&trees[1]);
    enum mfx_rc rc = load_trees(load, file, common, trees);
    config_destroy(&trees[0]);
    config_destroy(&trees[1]);
    return rc;
}

enum mfx_rc
mfx_config_load(const char *file, const char *common,
                const struct mfx_option_set *sets, size_t set_count,
                struct mfx_arena *arena, struct mfx_table_set *tables,
                struct mfx_problems *problems, struct mfx_config **config)
{
    struct load load = {.arena = arena, .tables = tables, .problems = problems};
    size_t errors = problems->errors;
    *config = load.config = mfx_arena_alloc(arena, sizeof *load.config);
    enum mfx_rc rc = load_with_trees(&load, file, common, sets, set_count);
    if (rc == MFX_OK && problems->errors > errors)
        rc = MFX_PERMFAIL;
    if (rc != MFX_OK && problems->errors == errors)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, file != NULL ? file : "",
                        0, "out of memory");
    return rc;
}

const char *const *
mfx_config_files(const struct mfx_config *config, size_t *count)
{
    *count = config->file_count;
    return config->files;
}

const char *
mfx_config_where(const struct mfx_config *config, const char *name,
                 unsigned *line)
{
    struct mfx_str full = mfx_str_of(name);
    /* a list of groups comes whole from one of the files */
    struct mfx_str list = mfx_str_head(full, mfx_str_find(full, '['));
    bool is_own = mfx_source_find(&config->own, list) != NULL;
    const struct mfx_place *place =
        mfx_source_find(is_own ? &config->own : &config->common, full);
    if (place == NULL)
        return NULL;
    *line = place->line;
    return place->file;
}
