/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_impl.h"

/* As libconfig reads it back; UTF-8 stays as it is. */
static void
add_quoted(struct mfx_str text, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            mfx_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            mfx_buf_add_text(out, "\\n");
        else if (c == '\t')
            mfx_buf_add_text(out, "\\t");
        else if (c < ' ' || c == 0x7F)
            mfx_buf_printf(out, "\\x%02X", c);
        else
            mfx_buf_add_byte(out, (char)c);
    }
    mfx_buf_add_byte(out, '"');
}

static void
add_word(const struct mfx_option *option, int value, struct mfx_buf *out)
{
    for (const struct mfx_option_word *w = option->words; w->word != NULL; w++)
        if (w->value == value) {
            add_quoted(mfx_str_of(w->word), out);
            return;
        }
    mfx_buf_add_text(out, "\"\"");
}

static void
add_list(const struct mfx_option_list *list, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        mfx_buf_add_text(out, i > 0 ? ", " : "");
        add_quoted(list->items[i], out);
    }
    mfx_buf_add_byte(out, ']');
}

static void
add_number(const struct mfx_option *option, uint64_t number,
           struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '"');
    mfx_value_format_number(option, number, out);
    mfx_buf_add_byte(out, '"');
}

static void
add_table(const struct mfx_table *table, struct mfx_buf *out)
{
    add_quoted(table != NULL ? mfx_table_spec(table) : mfx_str("", 0), out);
}

static void
add_tables(const struct mfx_option_tables *tables, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '[');
    for (size_t i = 0; i < tables->count; i++) {
        mfx_buf_add_text(out, i > 0 ? ", " : "");
        add_table(tables->items[i], out);
    }
    mfx_buf_add_byte(out, ']');
}

/* On one line, for comparing; the dump gives each setting its own. */
static void
add_groups(const struct mfx_option *option,
           const struct mfx_option_groups *groups, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '(');
    for (size_t i = 0; i < groups->count; i++) {
        const char *item = (const char *)groups->items + i * option->group_size;
        mfx_buf_add_text(out, i > 0 ? ", {" : "{");
        for (const struct mfx_option *o = option->group_options;
             o->name != NULL; o++) {
            mfx_buf_printf(out, " %s = ", o->name);
            mfx_value_format(o, item + o->offset, out);
            mfx_buf_add_byte(out, ';');
        }
        mfx_buf_add_text(out, " }");
    }
    mfx_buf_add_byte(out, ')');
}

static void
add_decimal(int64_t thousandths, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '"');
    if (thousandths == MFX_DECIMAL_NONE)
        mfx_buf_add_text(out, "none");
    else
        mfx_decimal_format(thousandths, out);
    mfx_buf_add_byte(out, '"');
}

void
mfx_value_format(const struct mfx_option *option, const void *field,
                 struct mfx_buf *out)
{
    switch (option->type) {
    case MFX_OPTION_TYPE_BOOL:
        mfx_buf_add_text(out, *(const bool *)field ? "true" : "false");
        break;
    case MFX_OPTION_TYPE_INT:
        mfx_buf_printf(out, "%lld", (long long)*(const int64_t *)field);
        break;
    case MFX_OPTION_TYPE_DECIMAL:
        add_decimal(*(const int64_t *)field, out);
        break;
    case MFX_OPTION_TYPE_SECONDS:
    case MFX_OPTION_TYPE_MILLISECONDS:
    case MFX_OPTION_TYPE_BYTES:
        add_number(option, *(const uint64_t *)field, out);
        break;
    case MFX_OPTION_TYPE_STRING:
        add_quoted(*(const struct mfx_str *)field, out);
        break;
    case MFX_OPTION_TYPE_PATH:
        add_quoted(mfx_str_of(*(const char *const *)field), out);
        break;
    case MFX_OPTION_TYPE_MODE:
        mfx_buf_printf(out, "\"%04o\"", *(const unsigned *)field);
        break;
    case MFX_OPTION_TYPE_ENUM:
        add_word(option, *(const int *)field, out);
        break;
    case MFX_OPTION_TYPE_LIST:
        add_list(field, out);
        break;
    case MFX_OPTION_TYPE_TABLE:
        add_table(*(struct mfx_table *const *)field, out);
        break;
    case MFX_OPTION_TYPE_TABLES:
        add_tables(field, out);
        break;
    case MFX_OPTION_TYPE_GROUPS:
        add_groups(option, field, out);
        break;
    }
}

union field {
    bool yes;
    int64_t number;
    uint64_t scaled;
    struct mfx_str text;
    const char *path;
    unsigned mode;
    int word;
    struct mfx_option_list list;
    struct mfx_option_tables tables;
    struct mfx_option_groups groups;
};

void
mfx_value_format_preset(const struct mfx_option *option, struct mfx_buf *out)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_value value;
    union field field = {
        .text = {NULL, 0}
    };
    struct mfx_problems problems;
    if (arena == NULL) {
        out->failed = true;
        return;
    }
    mfx_problems_init(&problems, arena);
    struct mfx_value_context context = {
        .option = option, .file = "", .arena = arena, .problems = &problems};
    if (option->type == MFX_OPTION_TYPE_TABLE)
        add_quoted(mfx_str_trim(mfx_str_of(option->preset)), out);
    else if (mfx_value_preset(option, arena, &value) &&
             mfx_value_store(&context, &value, &field) == MFX_OK)
        mfx_value_format(option, &field, out);
    else
        out->failed = true;
    mfx_arena_free(arena);
}

static const void *
field_of(const struct mfx_option *option, const void *settings)
{
    return (const char *)settings + option->offset;
}

bool
mfx_option_is_same(const struct mfx_option *option, const void *settings,
                   const void *other)
{
    struct mfx_buf a, b;
    mfx_buf_init(&a, SIZE_MAX / 2);
    mfx_buf_init(&b, SIZE_MAX / 2);
    mfx_value_format(option, field_of(option, settings), &a);
    mfx_value_format(option, field_of(option, other), &b);
    bool same = mfx_buf_ok(&a) && mfx_buf_ok(&b) &&
                mfx_str_eq(mfx_buf_str(&a), mfx_buf_str(&b));
    mfx_buf_fini(&a);
    mfx_buf_fini(&b);
    return same;
}

bool
mfx_option_is_default(const struct mfx_option *option, const void *settings)
{
    struct mfx_buf value, preset;
    mfx_buf_init(&value, SIZE_MAX / 2);
    mfx_buf_init(&preset, SIZE_MAX / 2);
    mfx_value_format(option, field_of(option, settings), &value);
    mfx_value_format_preset(option, &preset);
    bool same = mfx_buf_ok(&value) && mfx_buf_ok(&preset) &&
                mfx_str_eq(mfx_buf_str(&value), mfx_buf_str(&preset));
    mfx_buf_fini(&value);
    mfx_buf_fini(&preset);
    return same;
}
