/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_impl.h"

struct unit {
    char letter;
    uint64_t factor;
};

/* Largest first. */
static const struct unit second_units[] = {
    {'w', 604800},
    {'d', 86400 },
    {'h', 3600  },
    {'m', 60    },
    {'s', 1     },
};
static const struct unit byte_units[] = {
    {'T', UINT64_C(1) << 40},
    {'G', UINT64_C(1) << 30},
    {'M', UINT64_C(1) << 20},
    {'K', UINT64_C(1) << 10},
};

static enum mfx_rc
parse_scaled(struct mfx_str text, uint64_t factor, uint64_t *out)
{
    uint64_t number, product;
    if (mfx_str_to_u64(text, INT64_MAX, &number) != MFX_OK ||
        __builtin_mul_overflow(number, factor, &product) || product > INT64_MAX)
        return MFX_PERMFAIL;
    *out = product;
    return MFX_OK;
}

enum mfx_rc
mfx_option_parse_seconds(struct mfx_str text, uint64_t *out)
{
    if (mfx_str_is(text, "0"))
        return parse_scaled(text, 1, out);
    for (size_t i = 0; i < sizeof second_units / sizeof second_units[0]; i++)
        if (text.len > 1 && text.p[text.len - 1] == second_units[i].letter)
            return parse_scaled(mfx_str_head(text, text.len - 1),
                                second_units[i].factor, out);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_option_parse_bytes(struct mfx_str text, uint64_t *out)
{
    for (size_t i = 0; i < sizeof byte_units / sizeof byte_units[0]; i++) {
        char letter = byte_units[i].letter;
        if (text.len > 1 && (text.p[text.len - 1] == letter ||
                             text.p[text.len - 1] ==
                                 (char)mfx_ascii_lower((unsigned char)letter)))
            return parse_scaled(mfx_str_head(text, text.len - 1),
                                byte_units[i].factor, out);
    }
    return parse_scaled(text, 1, out);
}

/* A duration, or a number of milliseconds. */
enum mfx_rc
mfx_option_parse_milliseconds(struct mfx_str text, uint64_t *out)
{
    const struct mfx_str ms = MFX_STR("ms");
    uint64_t seconds;
    if (text.len > ms.len && mfx_str_ends_nocase(text, ms) &&
        text.p[text.len - 1] == 's' && text.p[text.len - 2] == 'm')
        return parse_scaled(mfx_str_head(text, text.len - ms.len), 1, out);
    if (mfx_option_parse_seconds(text, &seconds) != MFX_OK ||
        seconds > INT64_MAX / 1000)
        return MFX_PERMFAIL;
    *out = seconds * 1000;
    return MFX_OK;
}

bool
mfx_value_has_range(const struct mfx_option *option)
{
    return option->min != 0 || option->max != 0;
}

void
mfx_value_format_number(const struct mfx_option *option, uint64_t number,
                        struct mfx_buf *out)
{
    if (option->type == MFX_OPTION_TYPE_DECIMAL) {
        mfx_decimal_format((int64_t)number, out);
        return;
    }
    bool is_ms = option->type == MFX_OPTION_TYPE_MILLISECONDS;
    bool is_time = option->type == MFX_OPTION_TYPE_SECONDS || is_ms;
    if (is_ms && number % 1000 != 0) {
        mfx_buf_printf(out, "%llums", (unsigned long long)number);
        return;
    }
    if (is_ms)
        number /= 1000;
    const struct unit *units = is_time ? second_units : byte_units;
    size_t count = is_time ? sizeof second_units / sizeof second_units[0]
                           : sizeof byte_units / sizeof byte_units[0];
    for (size_t i = 0; number > 0 && i < count; i++) {
        if (number % units[i].factor != 0)
            continue;
        mfx_buf_printf(out, "%llu%c",
                       (unsigned long long)(number / units[i].factor),
                       units[i].letter);
        return;
    }
    mfx_buf_printf(out, "%llu", (unsigned long long)number);
}

static const char *
what_is(const struct mfx_value *value)
{
    switch (value->kind) {
    case MFX_VALUE_BOOL:
        return "true or false";
    case MFX_VALUE_INT:
        return "a number without quotes";
    case MFX_VALUE_FRACTION:
        return "a number with a fraction";
    case MFX_VALUE_TEXT:
        return "a string";
    case MFX_VALUE_LIST:
        return "a list";
    case MFX_VALUE_OTHER:
        return value->words;
    }
    MFX_BUG("unknown kind of value");
}

static const char *
what_is_wanted(enum mfx_option_type type)
{
    switch (type) {
    case MFX_OPTION_TYPE_BOOL:
        return "true or false, without quotes";
    case MFX_OPTION_TYPE_INT:
        return "a whole number, without quotes";
    case MFX_OPTION_TYPE_SECONDS:
        return "a duration in quotes, such as \"30s\", \"5m\", \"1h\", \"1d\", "
               "\"1w\" or \"0\"";
    case MFX_OPTION_TYPE_MILLISECONDS:
        return "a duration in quotes, such as \"500ms\", \"2s\", \"1m\" or "
               "\"0\"";
    case MFX_OPTION_TYPE_BYTES:
        return "a size in quotes, such as \"4096\", \"64K\", \"10M\" or "
               "\"1G\"";
    case MFX_OPTION_TYPE_DECIMAL:
        return "a number, such as 7, 7.5 or \"-0.25\"";
    case MFX_OPTION_TYPE_STRING:
        return "a string in quotes";
    case MFX_OPTION_TYPE_PATH:
        return "a path in quotes that starts with '/', or \"\"";
    case MFX_OPTION_TYPE_MODE:
        return "a mode in quotes, such as \"0660\"";
    case MFX_OPTION_TYPE_ENUM:
        return "a word in quotes";
    case MFX_OPTION_TYPE_LIST:
        return "a list of strings, such as [\"a\", \"b\"]";
    case MFX_OPTION_TYPE_TABLE:
        return "a table in quotes, such as \"file:/path\", or a list of "
               "strings";
    case MFX_OPTION_TYPE_TABLES:
        return "a table in quotes, such as \"file:/path\", or a list of "
               "tables";
    case MFX_OPTION_TYPE_GROUPS:
        return "a list of groups, such as ( { ... }, { ... } )";
    }
    MFX_BUG("unknown type of option");
}

static enum mfx_rc refuse(const struct mfx_value_context *context,
                          const char *format, ...) MFX_PRINTF(2, 3);

static enum mfx_rc
refuse(const struct mfx_value_context *context, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str why = mfx_arena_vprintf(context->arena, format, args);
    va_end(args);
    mfx_problem_add(context->problems, MFX_PROBLEM_ERROR, context->file,
                    context->line, "%.*s%s: %s", MFX_STR_ARG(context->prefix),
                    context->option->name,
                    why.p != NULL ? why.p : "out of memory");
    return MFX_PERMFAIL;
}

static enum mfx_rc
refuse_type(const struct mfx_value_context *context,
            const struct mfx_value *value)
{
    return refuse(context, "this is %s; wanted is %s", what_is(value),
                  what_is_wanted(context->option->type));
}

static enum mfx_rc
refuse_text(const struct mfx_value_context *context, struct mfx_str text)
{
    return refuse(context, "\"%.*s\" is not %s", MFX_STR_ARG(text),
                  what_is_wanted(context->option->type));
}

static enum mfx_rc
store_int(const struct mfx_value_context *context,
          const struct mfx_value *value, int64_t *field)
{
    const struct mfx_option *option = context->option;
    if (mfx_value_has_range(option) &&
        (value->number < option->min || value->number > option->max))
        return refuse(context, "%lld is not between %lld and %lld",
                      (long long)value->number, (long long)option->min,
                      (long long)option->max);
    *field = value->number;
    return MFX_OK;
}

static enum mfx_rc
refuse_range(const struct mfx_value_context *context, struct mfx_str text)
{
    const struct mfx_option *option = context->option;
    struct mfx_buf range;
    mfx_buf_init_arena(&range, context->arena, 200);
    mfx_value_format_number(option, (uint64_t)option->min, &range);
    mfx_buf_add_text(&range, " and ");
    mfx_value_format_number(option, (uint64_t)option->max, &range);
    return refuse(context, "\"%.*s\" is not between %s", MFX_STR_ARG(text),
                  mfx_buf_text(&range));
}

static enum mfx_rc
store_scaled(const struct mfx_value_context *context, struct mfx_str text,
             uint64_t *field)
{
    const struct mfx_option *option = context->option;
    uint64_t number = 0;
    enum mfx_rc rc = option->type == MFX_OPTION_TYPE_SECONDS
                         ? mfx_option_parse_seconds(text, &number)
                     : option->type == MFX_OPTION_TYPE_MILLISECONDS
                         ? mfx_option_parse_milliseconds(text, &number)
                         : mfx_option_parse_bytes(text, &number);
    if (rc != MFX_OK)
        return refuse_text(context, text);
    if (mfx_value_has_range(option) &&
        (number < (uint64_t)option->min || number > (uint64_t)option->max))
        return refuse_range(context, text);
    *field = number;
    return MFX_OK;
}

static enum mfx_rc
store_decimal(const struct mfx_value_context *context,
              const struct mfx_value *value, int64_t *field)
{
    const struct mfx_option *option = context->option;
    int64_t number = 0;
    if (value->kind == MFX_VALUE_TEXT && mfx_str_is(value->text, "none") &&
        (option->flags & MFX_OPTION_NONE) != 0) {
        *field = MFX_DECIMAL_NONE;
        return MFX_OK;
    }
    struct mfx_str text = value->text;
    if (value->kind == MFX_VALUE_INT)
        text =
            mfx_arena_printf(context->arena, "%lld", (long long)value->number);
    else if (value->kind == MFX_VALUE_FRACTION)
        text = mfx_arena_printf(context->arena, "%.3f", value->fraction);
    else if (value->kind != MFX_VALUE_TEXT)
        return refuse_type(context, value);
    if (mfx_decimal_parse(text, &number) != MFX_OK)
        return refuse_text(context, text);
    if (mfx_value_has_range(option) &&
        (number < option->min || number > option->max))
        return refuse_range(context, text);
    *field = number;
    return MFX_OK;
}

static enum mfx_rc
store_path(const struct mfx_value_context *context, struct mfx_str text,
           const char **field)
{
    if (text.len > 0 && text.p[0] != '/')
        return refuse_text(context, text);
    *field = text.len > 0 ? text.p : NULL;
    return MFX_OK;
}

static enum mfx_rc
store_mode(const struct mfx_value_context *context, struct mfx_str text,
           unsigned *field)
{
    unsigned mode = 0;
    if (text.len < 3 || text.len > 4 || (text.len == 4 && text.p[0] != '0'))
        return refuse_text(context, text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '7')
            return refuse_text(context, text);
        mode = mode * 8 + (unsigned)(text.p[i] - '0');
    }
    *field = mode;
    return MFX_OK;
}

static const char *
nearest_word(const struct mfx_option *option, struct mfx_str text)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (const struct mfx_option_word *w = option->words; w->word != NULL;
         w++) {
        size_t distance = mfx_nearest_distance(text, mfx_str_of(w->word));
        if (distance < least) {
            least = distance;
            best = w->word;
        }
    }
    return mfx_nearest_is_near(text, least) ? best : NULL;
}

static enum mfx_rc
refuse_word(const struct mfx_value_context *context, struct mfx_str text)
{
    struct mfx_buf words;
    mfx_buf_init_arena(&words, context->arena, 2000);
    for (const struct mfx_option_word *w = context->option->words;
         w->word != NULL; w++)
        mfx_buf_printf(&words, "%s\"%s\"", words.len > 0 ? ", " : "", w->word);
    const char *hint = nearest_word(context->option, text);
    if (hint != NULL)
        mfx_buf_printf(&words, " (did you mean \"%s\"?)", hint);
    return refuse(context, "\"%.*s\" is none of %s", MFX_STR_ARG(text),
                  mfx_buf_text(&words));
}

static enum mfx_rc
store_enum(const struct mfx_value_context *context, struct mfx_str text,
           int *field)
{
    for (const struct mfx_option_word *w = context->option->words;
         w->word != NULL; w++) {
        if (!mfx_str_is(text, w->word))
            continue;
        *field = w->value;
        return MFX_OK;
    }
    return refuse_word(context, text);
}

/* "a, b" -> two items; empty ones are dropped. */
static bool
split(struct mfx_str text, struct mfx_arena *arena,
      struct mfx_option_list *list)
{
    size_t room = 1;
    for (size_t i = 0; i < text.len; i++)
        room += text.p[i] == ',';
    struct mfx_str *items = mfx_arena_alloc_array(arena, room, sizeof *items);
    size_t count = 0;
    struct mfx_str rest = text, item;
    while (items != NULL && mfx_str_word(&rest, ",", &item)) {
        item = mfx_str_trim(item);
        if (item.len > 0)
            items[count++] = mfx_arena_copy(arena, item);
    }
    list->items = items;
    list->count = count;
    return mfx_arena_ok(arena);
}

static enum mfx_rc
store_list(const struct mfx_value_context *context,
           const struct mfx_value *value, struct mfx_option_list *field)
{
    if (value->kind == MFX_VALUE_TEXT)
        return split(value->text, context->arena, field) ? MFX_OK
                                                         : MFX_TEMPFAIL;
    if (value->kind != MFX_VALUE_LIST)
        return refuse_type(context, value);
    for (size_t i = 0; i < value->list.count; i++)
        if (value->list.items[i].len == 0)
            return refuse(context, "an item of the list is empty");
    *field = value->list;
    return MFX_OK;
}

/* ["a", "b"] is the list csl:a,b. */
static enum mfx_rc
list_spec(const struct mfx_value_context *context,
          const struct mfx_option_list *list, struct mfx_str *spec)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, context->arena, SIZE_MAX / 2);
    mfx_buf_add_text(&out, "csl:");
    for (size_t i = 0; i < list->count; i++) {
        if (mfx_str_has(list->items[i], ','))
            return refuse(context, "\"%.*s\": no ',' within an item",
                          MFX_STR_ARG(list->items[i]));
        mfx_buf_printf(&out, "%s", i > 0 ? "," : "");
        mfx_buf_add(&out, list->items[i]);
    }
    *spec = mfx_buf_str(&out);
    return mfx_buf_ok(&out) ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
open_table(const struct mfx_value_context *context, struct mfx_str spec,
           struct mfx_table **table)
{
    enum mfx_table_fold fold = (context->option->flags & MFX_OPTION_CASE) != 0
                                   ? MFX_TABLE_CASE
                                   : MFX_TABLE_NOCASE;
    return mfx_table_open(context->tables, spec, fold, context->file,
                          context->line, context->problems, table);
}

static enum mfx_rc
store_table(const struct mfx_value_context *context,
            const struct mfx_value *value, struct mfx_table **field)
{
    struct mfx_str spec = value->text;
    if (value->kind == MFX_VALUE_LIST) {
        enum mfx_rc rc = list_spec(context, &value->list, &spec);
        if (rc != MFX_OK)
            return rc;
    } else if (value->kind != MFX_VALUE_TEXT) {
        return refuse_type(context, value);
    }
    if (mfx_str_trim(spec).len == 0) {
        *field = NULL;
        return MFX_OK;
    }
    return open_table(context, spec, field);
}

static enum mfx_rc
store_tables(const struct mfx_value_context *context,
             const struct mfx_value *value, struct mfx_option_tables *field)
{
    bool is_one = value->kind == MFX_VALUE_TEXT;
    struct mfx_option_list specs = {&value->text, 1};
    if (value->kind != MFX_VALUE_TEXT && value->kind != MFX_VALUE_LIST)
        return refuse_type(context, value);
    if (!is_one)
        specs = value->list;
    else if (mfx_str_trim(value->text).len == 0)
        specs.count = 0;
    *field = (struct mfx_option_tables){
        .items = mfx_arena_alloc_array(context->arena, specs.count,
                                       sizeof(struct mfx_table *))};
    enum mfx_rc rc = mfx_arena_ok(context->arena) ? MFX_OK : MFX_TEMPFAIL;
    for (size_t i = 0; i < specs.count && mfx_arena_ok(context->arena); i++) {
        enum mfx_rc one = mfx_str_trim(specs.items[i]).len == 0
                              ? refuse(context, "an item of the list is empty")
                              : open_table(context, specs.items[i],
                                           &field->items[field->count]);
        field->count += one == MFX_OK;
        rc = mfx_rc_worst(rc, one);
    }
    return rc;
}

static enum mfx_rc
store_text(const struct mfx_value_context *context, struct mfx_str text,
           void *field)
{
    switch (context->option->type) {
    case MFX_OPTION_TYPE_SECONDS:
    case MFX_OPTION_TYPE_MILLISECONDS:
    case MFX_OPTION_TYPE_BYTES:
        return store_scaled(context, text, field);
    case MFX_OPTION_TYPE_STRING:
        *(struct mfx_str *)field = text;
        return MFX_OK;
    case MFX_OPTION_TYPE_PATH:
        return store_path(context, text, field);
    case MFX_OPTION_TYPE_MODE:
        return store_mode(context, text, field);
    case MFX_OPTION_TYPE_ENUM:
        return store_enum(context, text, field);
    case MFX_OPTION_TYPE_BOOL:
    case MFX_OPTION_TYPE_INT:
    case MFX_OPTION_TYPE_DECIMAL:
    case MFX_OPTION_TYPE_LIST:
    case MFX_OPTION_TYPE_TABLE:
    case MFX_OPTION_TYPE_TABLES:
    case MFX_OPTION_TYPE_GROUPS:
        break;
    }
    MFX_BUG("not a type that is written as a string");
}

enum mfx_rc
mfx_value_store(const struct mfx_value_context *context,
                const struct mfx_value *value, void *field)
{
    switch (context->option->type) {
    case MFX_OPTION_TYPE_BOOL:
        if (value->kind != MFX_VALUE_BOOL)
            return refuse_type(context, value);
        *(bool *)field = value->is_true;
        return MFX_OK;
    case MFX_OPTION_TYPE_INT:
        if (value->kind != MFX_VALUE_INT)
            return refuse_type(context, value);
        return store_int(context, value, field);
    case MFX_OPTION_TYPE_DECIMAL:
        return store_decimal(context, value, field);
    case MFX_OPTION_TYPE_LIST:
        return store_list(context, value, field);
    case MFX_OPTION_TYPE_TABLE:
        return store_table(context, value, field);
    case MFX_OPTION_TYPE_TABLES:
        return store_tables(context, value, field);
    case MFX_OPTION_TYPE_GROUPS:
        if (value->kind != MFX_VALUE_LIST || value->list.count > 0)
            return refuse_type(context, value);
        *(struct mfx_option_groups *)field =
            (struct mfx_option_groups){.items = NULL};
        return MFX_OK;
    case MFX_OPTION_TYPE_SECONDS:
    case MFX_OPTION_TYPE_MILLISECONDS:
    case MFX_OPTION_TYPE_BYTES:
    case MFX_OPTION_TYPE_STRING:
    case MFX_OPTION_TYPE_PATH:
    case MFX_OPTION_TYPE_MODE:
    case MFX_OPTION_TYPE_ENUM:
        if (value->kind != MFX_VALUE_TEXT)
            return refuse_type(context, value);
        return store_text(context, value->text, field);
    }
    MFX_BUG("unknown type of option");
}

bool
mfx_value_preset(const struct mfx_option *option, struct mfx_arena *arena,
                 struct mfx_value *value)
{
    struct mfx_str text = mfx_arena_copy(arena, mfx_str_of(option->preset));
    *value = (struct mfx_value){.kind = MFX_VALUE_TEXT, .text = text};
    if (text.p == NULL)
        return false;
    if (option->type == MFX_OPTION_TYPE_BOOL) {
        value->kind = MFX_VALUE_BOOL;
        value->is_true = mfx_str_is(text, "true");
        return value->is_true || mfx_str_is(text, "false");
    }
    if (option->type == MFX_OPTION_TYPE_INT) {
        bool is_negative = text.len > 0 && text.p[0] == '-';
        uint64_t number = 0;
        value->kind = MFX_VALUE_INT;
        enum mfx_rc rc =
            mfx_str_to_u64(mfx_str_from(text, is_negative), INT32_MAX, &number);
        value->number = is_negative ? -(int64_t)number : (int64_t)number;
        return rc == MFX_OK;
    }
    if (option->type == MFX_OPTION_TYPE_GROUPS) {
        value->kind = MFX_VALUE_LIST;
        return text.len == 0;
    }
    return true;
}
