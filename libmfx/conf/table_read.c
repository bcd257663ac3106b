/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_impl.h"

#include <mfx/base/buf.h>

static const char blanks[] = " \t\r\v\f";

static bool
is_blank(char c)
{
    return c != '\0' && strchr(blanks, c) != NULL;
}

static struct mfx_str
trim(struct mfx_str s)
{
    while (s.len > 0 && is_blank(s.p[0]))
        s = mfx_str_from(s, 1);
    while (s.len > 0 && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Doubles the room; the old rows stay in the arena until the table goes. */
static bool
make_room(struct mfx_table *table)
{
    if (table->row_count < table->row_room)
        return true;
    size_t room = table->row_room == 0 ? 64 : table->row_room * 2;
    struct mfx_table_row *rows =
        mfx_arena_alloc_array(table->arena, room, sizeof *rows);
    if (rows == NULL)
        return false;
    if (table->row_count > 0)
        memcpy(rows, table->rows, table->row_count * sizeof *rows);
    table->rows = rows;
    table->row_room = room;
    return true;
}

static void
add_row(struct mfx_table *table, struct mfx_str key, struct mfx_str value,
        unsigned line)
{
    if (!make_room(table))
        return;
    if (value.len == 0)
        value = mfx_str("", 0);
    table->rows[table->row_count++] =
        (struct mfx_table_row){.key = key, .value = value, .line = line};
    if (key.len > table->longest_key)
        table->longest_key = key.len;
}

/* One physical line after the other, counted. */
struct lines {
    struct mfx_str rest;
    unsigned number;
};

static struct lines
lines_of(struct mfx_str bytes)
{
    /* a byte order mark is no part of the first key */
    if (mfx_str_starts(bytes, mfx_str_of("\xEF\xBB\xBF")))
        bytes = mfx_str_from(bytes, 3);
    return (struct lines){.rest = bytes};
}

static bool
next_line(struct lines *lines, struct mfx_str *line)
{
    if (lines->rest.len == 0)
        return false;
    size_t end = mfx_str_find(lines->rest, '\n');
    *line = mfx_str_head(lines->rest, end);
    lines->rest = mfx_str_from(lines->rest, end + 1);
    lines->number++;
    return true;
}

static bool
is_text(struct mfx_table *table, struct mfx_str line, unsigned number,
        struct mfx_problems *problems)
{
    if (!mfx_str_has(line, '\0'))
        return true;
    mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, number,
                    "a NUL byte stands in this line");
    return false;
}

static size_t
first_blank(struct mfx_str s)
{
    size_t at = 0;
    while (at < s.len && !is_blank(s.p[at]))
        at++;
    return at;
}

void
mfx_table_read_file(struct mfx_table *table, struct mfx_str bytes,
                    struct mfx_problems *problems)
{
    struct lines lines = lines_of(bytes);
    struct mfx_str line;
    while (next_line(&lines, &line)) {
        if (!is_text(table, line, lines.number, problems))
            continue;
        line = trim(mfx_str_head(line, mfx_str_find(line, '#')));
        if (line.len == 0)
            continue;
        size_t end = first_blank(line);
        add_row(table, mfx_str_head(line, end), trim(mfx_str_from(line, end)),
                lines.number);
    }
}

/* Postfix's logical lines: one that starts with a blank continues the one
 * before; empty lines and comments may stand between the two. */
static bool
is_comment(struct mfx_str line)
{
    line = trim(line);
    return line.len == 0 || line.p[0] == '#';
}

static bool
starts_blank(struct mfx_str line)
{
    return line.len > 0 && is_blank(line.p[0]);
}

/* Adds the lines that continue *line. */
static void
join_rest(struct mfx_table *table, struct lines *lines, struct mfx_str *line,
          struct mfx_problems *problems)
{
    struct mfx_buf whole;
    mfx_buf_init_arena(&whole, table->arena, SIZE_MAX / 2);
    struct lines ahead = *lines;
    struct mfx_str more;
    while (next_line(&ahead, &more)) {
        if (is_comment(more))
            continue;
        if (!starts_blank(more))
            break;
        *lines = ahead;
        if (!is_text(table, more, ahead.number, problems))
            continue;
        if (whole.len == 0)
            mfx_buf_add(&whole, *line);
        mfx_buf_add(&whole, more);
    }
    if (whole.len > 0)
        *line = mfx_buf_str(&whole);
}

/* The number is that of the first physical line. */
static bool
next_logical(struct mfx_table *table, struct lines *lines, struct mfx_str *line,
             unsigned *number, struct mfx_problems *problems)
{
    while (next_line(lines, line)) {
        *number = lines->number;
        if (!is_text(table, *line, *number, problems) || is_comment(*line))
            continue;
        if (!starts_blank(*line)) {
            join_rest(table, lines, line, problems);
            return true;
        }
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, *number,
                        "this line goes on with the one before, as it starts "
                        "with a blank, but there is none before it");
    }
    return false;
}

/* The key ends at the first blank outside quotes; it stays in quoted form, as
 * postmap(1) leaves it. s.len when a quote is not closed: *is_open. */
static size_t
quoted_key_end(struct mfx_str s, char end, bool *is_open)
{
    bool in_quotes = false;
    size_t at = 0;
    for (; at < s.len; at++) {
        if (s.p[at] == '\\' && at + 1 < s.len)
            at++;
        else if (s.p[at] == '"')
            in_quotes = !in_quotes;
        else if (!in_quotes &&
                 (end == ' ' ? is_blank(s.p[at]) : s.p[at] == end))
            break;
    }
    *is_open = in_quotes;
    return at;
}

static void
add_texthash(struct mfx_table *table, struct mfx_str line, unsigned number,
             struct mfx_problems *problems)
{
    bool is_open;
    size_t end = quoted_key_end(line, ' ', &is_open);
    struct mfx_str key = mfx_str_head(line, end);
    struct mfx_str value = trim(mfx_str_from(line, end));
    if (is_open)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, number,
                        "a quote is not closed");
    else if (value.len == 0)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, number,
                        "a key without a value; \"key value\" is wanted");
    else
        add_row(table, key, value, number);
}

void
mfx_table_read_texthash(struct mfx_table *table, struct mfx_str bytes,
                        struct mfx_problems *problems)
{
    struct lines lines = lines_of(bytes);
    struct mfx_str line;
    unsigned number;
    while (next_logical(table, &lines, &line, &number, problems))
        add_texthash(table, line, number, problems);
}

/* "John \"x\" Smith" -> John "x" Smith */
static struct mfx_str
unquote(struct mfx_arena *arena, struct mfx_str s)
{
    if (!mfx_str_has(s, '"') && !mfx_str_has(s, '\\'))
        return s;
    char *p = mfx_arena_alloc_bytes(arena, s.len);
    size_t len = 0;
    if (p == NULL)
        return s;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\' && i + 1 < s.len)
            p[len++] = s.p[++i];
        else if (s.p[i] != '"')
            p[len++] = s.p[i];
    }
    return mfx_str(p, len);
}

static void
add_alias(struct mfx_table *table, struct mfx_str line, unsigned number,
          struct mfx_problems *problems)
{
    bool is_open;
    size_t end = quoted_key_end(line, ':', &is_open);
    struct mfx_str name = unquote(table->arena, trim(mfx_str_head(line, end)));
    struct mfx_str value = trim(mfx_str_from(line, end + 1));
    const char *wrong = NULL;
    if (is_open)
        wrong = "a quote is not closed";
    else if (end == line.len)
        wrong = "no ':' in this line; \"name: value\" is wanted";
    else if (name.len == 0)
        wrong = "no name before ':'";
    else if (value.len == 0)
        wrong = "no value behind ':'";
    if (wrong != NULL)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, number,
                        "%s", wrong);
    else
        add_row(table, name, value, number);
}

void
mfx_table_read_alias(struct mfx_table *table, struct mfx_str bytes,
                     struct mfx_problems *problems)
{
    struct lines lines = lines_of(bytes);
    struct mfx_str line;
    unsigned number;
    while (next_logical(table, &lines, &line, &number, problems))
        add_alias(table, line, number, problems);
}

void
mfx_table_read_csl(struct mfx_table *table,
                   const struct mfx_table_report *report)
{
    struct mfx_str rest = table->what, item;
    while (mfx_str_cut(&rest, ',', &item)) {
        item = mfx_str_trim(item);
        if (item.len == 0)
            continue;
        size_t eq = mfx_str_find(item, '=');
        struct mfx_str key = mfx_str_trim(mfx_str_head(item, eq));
        if (key.len == 0)
            mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                            report->line, "csl: no key before '='");
        else
            add_row(table, key, mfx_str_trim(mfx_str_from(item, eq + 1)), 0);
    }
}

/* "{a = 1, {b = x, y}}" -> what is inside, when the first brace closes at the
 * very end. */
static struct mfx_str
without_braces(struct mfx_str s)
{
    s = mfx_str_trim(s);
    if (s.len < 2 || s.p[0] != '{' || s.p[s.len - 1] != '}')
        return s;
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        depth += s.p[i] == '{';
        depth -= s.p[i] == '}';
        if (depth == 0 && i + 1 < s.len)
            return s;
    }
    return depth == 0 ? mfx_str_trim(mfx_str(s.p + 1, s.len - 2)) : s;
}

/* The item before the next comma outside braces; false when braces do not
 * pair. */
static bool
cut_item(struct mfx_str *rest, struct mfx_str *item)
{
    size_t depth = 0, at = 0;
    for (; at < rest->len; at++) {
        if (rest->p[at] == '{')
            depth++;
        else if (rest->p[at] == '}' && depth-- == 0)
            return false;
        else if (rest->p[at] == ',' && depth == 0)
            break;
    }
    *item = without_braces(mfx_str_head(*rest, at));
    *rest = mfx_str_from(*rest, at + 1);
    return depth == 0;
}

void
mfx_table_read_inline(struct mfx_table *table,
                      const struct mfx_table_report *report)
{
    struct mfx_str rest = without_braces(table->what), item;
    while (rest.len > 0) {
        if (!cut_item(&rest, &item)) {
            mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                            report->line, "inline: braces do not pair");
            return;
        }
        if (item.len == 0)
            continue;
        size_t eq = mfx_str_find(item, '=');
        struct mfx_str key = mfx_str_trim(mfx_str_head(item, eq));
        if (eq == item.len || key.len == 0)
            mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                            report->line, "inline: \"%.*s\" is not key=value",
                            MFX_STR_ARG(item));
        else
            add_row(table, key, mfx_str_trim(mfx_str_from(item, eq + 1)), 0);
    }
}
