/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_impl.h"

enum {
    WIDTH = 78,
    LINE_MAX_BYTES = 1024 * 1024,
};

/* Writes one option at an indent of so many groups. */
struct printer {
    const struct mfx_option_set *sets;
    size_t set_count;
    struct mfx_buf *out;
    bool changed_only;
    void (*print)(const struct printer *p, const struct mfx_option *option,
                  const void *settings, struct mfx_str name, size_t depth);
};

static void
indent(struct mfx_buf *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        mfx_buf_add_text(out, "    ");
}

/* The name behind "prefix.", or false when it stands elsewhere. */
static bool
within(const struct mfx_option *option, struct mfx_str prefix,
       struct mfx_str *rest)
{
    struct mfx_str name = mfx_str_of(option->name);
    if (!mfx_str_starts(name, prefix))
        return false;
    *rest = mfx_str_from(name, prefix.len);
    return true;
}

/* True when an option before this one is in the same group. */
static bool
is_opened_before(const struct printer *p, const struct mfx_option *option,
                 struct mfx_str prefix)
{
    struct mfx_str rest;
    for (size_t s = 0; s < p->set_count; s++)
        for (const struct mfx_option *o = p->sets[s].options; o->name != NULL;
             o++) {
            if (o == option)
                return false;
            if ((o->flags & MFX_OPTION_DEPRECATED) == 0 &&
                within(o, prefix, &rest))
                return true;
        }
    return false;
}

static void print_level(const struct printer *p, struct mfx_str prefix,
                        size_t depth);

static void
print_group(const struct printer *p, struct mfx_str prefix, struct mfx_str name,
            size_t depth)
{
    size_t before = p->out->len;
    mfx_buf_add_text(p->out, depth == 0 && before > 0 ? "\n" : "");
    indent(p->out, depth);
    mfx_buf_printf(p->out, "%.*s: {\n", MFX_STR_ARG(name));
    size_t inside = p->out->len;
    print_level(p, prefix, depth + 1);
    if (p->out->len == inside) {
        p->out->len = before; /* nothing to show in it */
        return;
    }
    indent(p->out, depth);
    mfx_buf_add_text(p->out, "};\n");
}

static void
print_one(const struct printer *p, const struct mfx_option *option,
          const void *settings, struct mfx_str prefix, size_t depth)
{
    struct mfx_str name;
    if ((option->flags & MFX_OPTION_DEPRECATED) != 0 ||
        !within(option, prefix, &name))
        return;
    size_t dot = mfx_str_find(name, '.');
    if (dot == name.len) {
        p->print(p, option, settings, name, depth);
        return;
    }
    struct mfx_str deeper =
        mfx_str_head(mfx_str_of(option->name), prefix.len + dot + 1);
    if (!is_opened_before(p, option, deeper))
        print_group(p, deeper, mfx_str_head(name, dot), depth);
}

/* First the plain settings of a level, then its groups. */
static void
print_level(const struct printer *p, struct mfx_str prefix, size_t depth)
{
    struct mfx_str rest;
    for (int groups = 0; groups < 2; groups++)
        for (size_t s = 0; s < p->set_count; s++)
            for (const struct mfx_option *o = p->sets[s].options;
                 o->name != NULL; o++)
                if (within(o, prefix, &rest) &&
                    mfx_str_has(rest, '.') == (groups == 1))
                    print_one(p, o, p->sets[s].settings, prefix, depth);
}

/* Each group of a list, as its own table says. */
static void
print_groups(const struct printer *p, const struct mfx_option *option,
             const struct mfx_option_groups *groups, size_t depth)
{
    mfx_buf_add_text(p->out, "(\n");
    for (size_t i = 0; i < groups->count; i++) {
        const struct mfx_option_set set = {option->group_options,
                                           (char *)groups->items +
                                               i * option->group_size};
        struct printer group = *p;
        group.sets = &set;
        group.set_count = 1;
        indent(p->out, depth + 1);
        mfx_buf_add_text(p->out, "{\n");
        print_level(&group, mfx_str("", 0), depth + 2);
        indent(p->out, depth + 1);
        mfx_buf_add_text(p->out, i + 1 < groups->count ? "},\n" : "}\n");
    }
    indent(p->out, depth);
    mfx_buf_add_byte(p->out, ')');
}

static void
print_setting(const struct printer *p, const struct mfx_option *option,
              const void *settings, struct mfx_str name, size_t depth)
{
    struct mfx_buf value, preset;
    mfx_buf_init(&value, SIZE_MAX / 2);
    mfx_buf_init(&preset, SIZE_MAX / 2);
    const void *field = (const char *)settings + option->offset;
    mfx_value_format(option, field, &value);
    mfx_value_format_preset(option, &preset);
    bool is_default = mfx_str_eq(mfx_buf_str(&value), mfx_buf_str(&preset));
    if (!is_default || !p->changed_only) {
        indent(p->out, depth);
        mfx_buf_printf(p->out, "%.*s = ", MFX_STR_ARG(name));
        if ((option->flags & MFX_OPTION_SECRET) != 0 && !is_default)
            mfx_buf_add_text(p->out, "\"********\"");
        else if (option->type == MFX_OPTION_TYPE_GROUPS && !is_default)
            print_groups(p, option, field, depth);
        else
            mfx_buf_add(p->out, mfx_buf_str(&value));
        mfx_buf_add_text(p->out, is_default ? ";  # default\n" : ";\n");
    }
    if (!mfx_buf_ok(&value) || !mfx_buf_ok(&preset))
        p->out->failed = true;
    mfx_buf_fini(&value);
    mfx_buf_fini(&preset);
}

void
mfx_config_dump(const struct mfx_config *config,
                const struct mfx_option_set *sets, size_t set_count,
                bool changed_only, struct mfx_buf *out)
{
    (void)config;
    const struct printer printer = {.sets = sets,
                                    .set_count = set_count,
                                    .out = out,
                                    .changed_only = changed_only,
                                    .print = print_setting};
    print_level(&printer, mfx_str("", 0), 0);
}

/* "1s to 5m", or the words; nothing when there is no bound. */
static void
add_bounds(const struct mfx_option *option, struct mfx_buf *out)
{
    if (option->type == MFX_OPTION_TYPE_ENUM) {
        mfx_buf_add_text(out, "One of");
        for (const struct mfx_option_word *w = option->words; w->word != NULL;
             w++)
            mfx_buf_printf(out, "%s \"%s\"", w == option->words ? "" : ",",
                           w->word);
        mfx_buf_add_byte(out, '.');
    } else if (option->type == MFX_OPTION_TYPE_GROUPS) {
        mfx_buf_printf(out, "At most %lld groups.", (long long)option->max);
    } else if (!mfx_value_has_range(option)) {
        return;
    } else if (option->type == MFX_OPTION_TYPE_INT) {
        mfx_buf_printf(out, "From %lld to %lld.", (long long)option->min,
                       (long long)option->max);
    } else {
        mfx_buf_add_text(out, "From \"");
        mfx_value_format_number(option, (uint64_t)option->min, out);
        mfx_buf_add_text(out, "\" to \"");
        mfx_value_format_number(option, (uint64_t)option->max, out);
        mfx_buf_add_text(out, "\".");
    }
}

/* Help, bounds and what a change needs, as whole sentences. */
static void
add_description(const struct mfx_option *option, struct mfx_buf *out)
{
    mfx_buf_add_text(out, option->help);
    size_t before = out->len;
    mfx_buf_add_byte(out, ' ');
    add_bounds(option, out);
    if (out->len == before + 1)
        out->len = before;
    if ((option->flags & MFX_OPTION_RESTART) != 0)
        mfx_buf_add_text(out, " A change needs a restart.");
}

/* Words in comment lines of at most WIDTH columns, each behind lead. */
static void
add_comment(struct mfx_str text, size_t depth, const char *lead,
            struct mfx_buf *out)
{
    struct mfx_str word;
    size_t column = 0;
    while (mfx_str_word(&text, " \n", &word)) {
        if (column > 0 && column + 1 + word.len > WIDTH) {
            mfx_buf_add_byte(out, '\n');
            column = 0;
        }
        if (column == 0) {
            indent(out, depth);
            mfx_buf_add_text(out, lead);
            column = depth * 4 + strlen(lead);
        }
        mfx_buf_add_byte(out, ' ');
        mfx_buf_add(out, word);
        column += 1 + word.len;
    }
    mfx_buf_add_byte(out, '\n');
}

static void
add_example_help(const struct mfx_option *option, size_t depth,
                 const char *lead, struct mfx_buf *out)
{
    struct mfx_buf text;
    mfx_buf_init(&text, LINE_MAX_BYTES);
    add_description(option, &text);
    add_comment(mfx_buf_str(&text), depth, lead, out);
    if (!mfx_buf_ok(&text))
        out->failed = true;
    mfx_buf_fini(&text);
}

/* What a group may say, in comments that are no setting to be uncommented. */
static void
add_example_group(const struct mfx_option *option, struct mfx_str name,
                  size_t depth, struct mfx_buf *out)
{
    indent(out, depth);
    mfx_buf_printf(out, "#\n");
    indent(out, depth);
    mfx_buf_printf(out, "# %.*s = ( {\n", MFX_STR_ARG(name));
    for (const struct mfx_option *o = option->group_options; o->name != NULL;
         o++) {
        if ((o->flags & MFX_OPTION_DEPRECATED) != 0)
            continue;
        add_example_help(o, depth, "#     #", out);
        indent(out, depth);
        mfx_buf_printf(out, "#     %s = ", o->name);
        mfx_value_format_preset(o, out);
        mfx_buf_add_text(out, ";\n");
    }
    indent(out, depth);
    mfx_buf_add_text(out, "# } );\n");
}

static void
print_example(const struct printer *p, const struct mfx_option *option,
              const void *settings, struct mfx_str name, size_t depth)
{
    (void)settings;
    size_t len = p->out->len;
    bool is_first =
        len == 0 || mfx_str_ends_nocase(mfx_buf_str(p->out), mfx_str_of("{\n"));
    mfx_buf_add_text(p->out, is_first ? "" : "\n");
    add_example_help(option, depth, "#", p->out);
    if (option->type == MFX_OPTION_TYPE_GROUPS)
        add_example_group(option, name, depth, p->out);
    indent(p->out, depth);
    mfx_buf_printf(p->out, "#%.*s = ", MFX_STR_ARG(name));
    mfx_value_format_preset(option, p->out);
    mfx_buf_add_text(p->out, ";\n");
}

void
mfx_option_example(const struct mfx_option *options, struct mfx_buf *out)
{
    const struct mfx_option_set set = {.options = options};
    const struct printer printer = {
        .sets = &set, .set_count = 1, .out = out, .print = print_example};
    print_level(&printer, mfx_str("", 0), 0);
}

/* roff takes '\' anywhere, and '.' or ''' at the start of a line, for an
 * instruction. */
static void
add_roff(struct mfx_str text, struct mfx_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool at_start = out->len == 0 || out->p[out->len - 1] == '\n';
        if (at_start && (c == '.' || c == '\''))
            mfx_buf_add_text(out, "\\&");
        if (c == '\\')
            mfx_buf_add_text(out, "\\e");
        else
            mfx_buf_add_byte(out, c);
    }
}

/* mdoc wants each sentence to start a line, and no line long. */
static void
add_sentences(struct mfx_str text, struct mfx_buf *out)
{
    struct mfx_str word;
    size_t start = out->len;
    while (mfx_str_word(&text, " \n", &word)) {
        bool is_full = out->len - start + 1 + word.len > WIDTH;
        if (out->len > start) {
            mfx_buf_add_byte(out, is_full ? '\n' : ' ');
            start = is_full ? out->len : start;
        }
        add_roff(word, out);
        if (word.p[word.len - 1] == '.') {
            mfx_buf_add_byte(out, '\n');
            start = out->len;
        }
    }
    if (out->len > start)
        mfx_buf_add_byte(out, '\n');
}

/* An argument of a macro: quoted, so that no word of it is a macro. */
static void
add_argument(struct mfx_str text, struct mfx_buf *out)
{
    mfx_buf_add_text(out, "\"\\&");
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"')
            mfx_buf_add_text(out, "\\(dq");
        else if (text.p[i] == '\\')
            mfx_buf_add_text(out, "\\e");
        else
            mfx_buf_add_byte(out, text.p[i]);
    }
    mfx_buf_add_byte(out, '"');
}

static const char *
type_name(enum mfx_option_type type)
{
    switch (type) {
    case MFX_OPTION_TYPE_BOOL:
        return "boolean";
    case MFX_OPTION_TYPE_INT:
        return "number";
    case MFX_OPTION_TYPE_DECIMAL:
        return "decimal";
    case MFX_OPTION_TYPE_SECONDS:
    case MFX_OPTION_TYPE_MILLISECONDS:
        return "duration";
    case MFX_OPTION_TYPE_BYTES:
        return "size";
    case MFX_OPTION_TYPE_STRING:
        return "string";
    case MFX_OPTION_TYPE_PATH:
        return "path";
    case MFX_OPTION_TYPE_MODE:
        return "mode";
    case MFX_OPTION_TYPE_ENUM:
        return "word";
    case MFX_OPTION_TYPE_LIST:
        return "list";
    case MFX_OPTION_TYPE_TABLE:
        return "table";
    case MFX_OPTION_TYPE_TABLES:
        return "list of tables";
    case MFX_OPTION_TYPE_GROUPS:
        return "list of groups";
    }
    MFX_BUG("unknown type of option");
}

/* list: "rules[]." before the settings of the groups of a list. */
static void
man_old_name(const struct mfx_option *option, const char *list,
             struct mfx_buf *out)
{
    /* help is "-> new.name" */
    mfx_buf_printf(out, ".It Ic %s%s\nOld name of\n.Ic %s%s .\n", list,
                   option->name, list, option->help + strlen("-> "));
}

static void
man_entry(const struct mfx_option *option, const char *list,
          struct mfx_buf *out)
{
    struct mfx_buf text;
    mfx_buf_init(&text, LINE_MAX_BYTES);
    mfx_buf_printf(out, ".It Ic %s%s Pq %s, default Li ", list, option->name,
                   type_name(option->type));
    mfx_value_format_preset(option, &text);
    add_argument(mfx_buf_str(&text), out);
    mfx_buf_add_byte(out, '\n');
    mfx_buf_clear(&text);
    add_description(option, &text);
    add_sentences(mfx_buf_str(&text), out);
    if (!mfx_buf_ok(&text))
        out->failed = true;
    mfx_buf_fini(&text);
}

static void man_entries(const struct mfx_option *options, const char *list,
                        struct mfx_buf *out);

static void
man_groups(const struct mfx_option *option, struct mfx_buf *out)
{
    struct mfx_buf list;
    mfx_buf_init(&list, LINE_MAX_BYTES);
    mfx_buf_printf(&list, "%s[].", option->name);
    if (mfx_buf_ok(&list))
        man_entries(option->group_options, mfx_buf_text(&list), out);
    else
        out->failed = true;
    mfx_buf_fini(&list);
}

static void
man_entries(const struct mfx_option *options, const char *list,
            struct mfx_buf *out)
{
    for (; options->name != NULL; options++) {
        if ((options->flags & MFX_OPTION_DEPRECATED) != 0)
            man_old_name(options, list, out);
        else
            man_entry(options, list, out);
        if (options->type == MFX_OPTION_TYPE_GROUPS)
            man_groups(options, out);
    }
}

void
mfx_option_man(const struct mfx_option *options, struct mfx_buf *out)
{
    man_entries(options, "", out);
}
