/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an answer of spamd's means: symbols, report, fields. */
#include <mfx/scan/spamd_reply.h>

enum {
    SYMBOLS_MAX = 2000,
    EDITS_MAX = 100,
    NAME_MAX_LEN = 200,
};

/* --- symbols --- */

static bool
is_symbol(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return name.len > 0 && name.len <= NAME_MAX_LEN;
}

/* Room for as many as there can be, filled by add_symbol. */
struct symbols {
    struct mfx_scan_symbol *items;
    size_t room;
};

static struct symbols
new_symbols(struct mfx_arena *arena, size_t room,
            struct mfx_scan_result *result)
{
    struct symbols symbols = {.room = room < SYMBOLS_MAX ? room : SYMBOLS_MAX};
    symbols.items =
        mfx_arena_alloc_array(arena, symbols.room, sizeof *symbols.items);
    if (symbols.items == NULL)
        symbols.room = 0;
    result->symbols = symbols.items;
    result->symbol_count = 0;
    return symbols;
}

static struct mfx_scan_symbol *
add_symbol(struct mfx_scan_result *result, const struct symbols *symbols,
           struct mfx_str name)
{
    if (result->symbol_count >= symbols->room || !is_symbol(name))
        return NULL;
    struct mfx_scan_symbol *s = &symbols->items[result->symbol_count++];
    s->name = name;
    s->description = mfx_str("", 0);
    return s;
}

static size_t
count_words(struct mfx_str text, const char *separators)
{
    struct mfx_str word;
    size_t count = 0;
    while (mfx_str_word(&text, separators, &word))
        count++;
    return count;
}

/* "A,B=1.2,C" */
static void
take_list(struct mfx_str list, struct mfx_arena *arena,
          struct mfx_scan_result *result)
{
    static const char separators[] = ", \t\r\n";
    struct symbols symbols =
        new_symbols(arena, count_words(list, separators), result);
    struct mfx_str name, rest = list;
    while (mfx_str_word(&rest, separators, &name)) {
        struct mfx_str score = name;
        (void)mfx_str_cut(&score, '=', &name);
        struct mfx_scan_symbol *s = add_symbol(result, &symbols, name);
        if (s != NULL && score.p != NULL)
            s->has_score = mfx_spamd_number(score, &s->score);
    }
}

/* --- a report --- */

static bool
next_line(struct mfx_str *rest, struct mfx_str *line)
{
    if (!mfx_str_cut(rest, '\n', line))
        return false;
    if (line->len > 0 && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* "---- ---------------------- -------------------" */
static bool
is_ruler(struct mfx_str line)
{
    size_t dashes = 0;
    line = mfx_str_trim(line);
    for (size_t i = 0; i < line.len; i++) {
        if (line.p[i] != '-' && line.p[i] != ' ')
            return false;
        dashes += line.p[i] == '-';
    }
    return dashes > 20 && mfx_str_has(line, ' ');
}

/* What stands below the last ruler: above it is text of the message's own. */
static struct mfx_str
table_of(struct mfx_str report)
{
    struct mfx_str rest = report, line, table = mfx_str("", 0);
    while (next_line(&rest, &line))
        if (is_ruler(line))
            table = rest;
    return table;
}

/* "-0.0 NO_RELAYS              Informational: message was not ..." */
static void
take_row(struct mfx_str line, struct mfx_scan_result *result,
         const struct symbols *symbols)
{
    struct mfx_str rest = line, number, name;
    double score;
    if (!mfx_str_word(&rest, " ", &number) ||
        !mfx_spamd_number(number, &score) || !mfx_str_word(&rest, " ", &name))
        return;
    struct mfx_scan_symbol *s = add_symbol(result, symbols, name);
    if (s == NULL)
        return;
    s->has_score = true;
    s->score = score;
    s->description = mfx_str_trim(rest);
}

static void
take_report(struct mfx_str report, struct mfx_arena *arena,
            struct mfx_scan_result *result)
{
    struct mfx_str rest = table_of(report), line;
    struct symbols symbols =
        new_symbols(arena, count_words(rest, "\n"), result);
    result->report = report;
    while (rest.p != NULL && next_line(&rest, &line))
        take_row(line, result, &symbols);
}

/* --- a header --- */

/* Takes a field with its continuations; value without its last line end. */
static bool
next_field(struct mfx_str *rest, struct mfx_str *name, struct mfx_str *value)
{
    struct mfx_str line, from = *rest;
    if (!next_line(rest, &line) || line.len == 0)
        return false;
    while (rest->len > 0 && mfx_ascii_is_wsp((unsigned char)rest->p[0]))
        (void)next_line(rest, &line);
    *value = mfx_str(from.p, (size_t)(line.p + line.len - from.p));
    return mfx_str_cut(value, ':', name) && value->p != NULL;
}

/* Without white space around it and CR. */
static struct mfx_str
clean_value(struct mfx_str value, struct mfx_arena *arena)
{
    value = mfx_str_trim(value);
    char *to = mfx_arena_alloc_bytes(arena, value.len + 1);
    size_t len = 0;
    if (to == NULL)
        return mfx_str("", 0);
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != '\r' && value.p[i] != '\0')
            to[len++] = value.p[i];
    return mfx_str(to, len);
}

/* What follows "tests=": names and commas, folded behind a comma. */
static struct mfx_str
tests_of(struct mfx_str status)
{
    static const struct mfx_str key = MFX_STR("tests=");
    for (size_t i = 1; i + key.len <= status.len; i++) {
        if (memcmp(status.p + i, key.p, key.len) != 0 ||
            !mfx_ascii_is_fws((unsigned char)status.p[i - 1]))
            continue;
        struct mfx_str list = mfx_str_from(status, i + key.len);
        size_t end = 0;
        bool may_fold = false;
        while (end < list.len &&
               (may_fold || !mfx_ascii_is_fws((unsigned char)list.p[end]))) {
            bool is_fws = mfx_ascii_is_fws((unsigned char)list.p[end]);
            may_fold = list.p[end] == ',' || (is_fws && may_fold);
            end++;
        }
        return mfx_str_head(list, end);
    }
    return mfx_str("", 0);
}

static void
add_edit(struct mfx_scan_result *result, struct mfx_scan_edit *edits,
         struct mfx_str name, struct mfx_str value)
{
    if (edits == NULL || result->edits.count == EDITS_MAX)
        return;
    edits[result->edits.count++] = (struct mfx_scan_edit){
        .kind = MFX_SCAN_EDIT_ADD, .name = name, .value = value, .at = -1};
}

static bool
is_ours(struct mfx_str name)
{
    static const struct mfx_str prefix = MFX_STR("X-Spam-");
    if (!mfx_str_starts_nocase(name, prefix) || name.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~')
            return false;
    return true;
}

/* spamd puts its fields at the top, below the Return-Path: those that stand
 * further below are the message's. */
static void
take_header(struct mfx_str header, struct mfx_arena *arena,
            struct mfx_scan_result *result)
{
    struct mfx_scan_edit *edits =
        mfx_arena_alloc_array(arena, EDITS_MAX, sizeof *edits);
    struct mfx_str rest = header, name, value;
    bool is_at_top = true;
    result->report = header;
    result->edits.items = edits;
    while (rest.p != NULL && next_field(&rest, &name, &value)) {
        if (mfx_str_is_nocase(name, "Subject") && !result->has_subject) {
            result->has_subject = true;
            result->subject = clean_value(value, arena);
        }
        if (mfx_str_is_nocase(name, "Return-Path"))
            continue;
        is_at_top = is_at_top && is_ours(name);
        if (!is_at_top)
            continue;
        value = clean_value(value, arena);
        /* X-Spam-Level of ham has no stars */
        if (value.len > 0)
            add_edit(result, edits, name, value);
        if (mfx_str_is_nocase(name, "X-Spam-Status") && result->symbols == NULL)
            take_list(tests_of(value), arena, result);
    }
}

void
mfx_spamd_reply_use(const struct mfx_spamd_reply *reply,
                    enum mfx_spamd_command command, struct mfx_arena *arena,
                    struct mfx_scan_result *result)
{
    struct mfx_str body = reply->body.len == 0
                              ? mfx_str("", 0)
                              : mfx_arena_copy(arena, reply->body);
    result->has_score = true;
    result->score = reply->score;
    result->required_score = reply->required;
    result->is_spam = reply->is_spam;
    if (body.p == NULL)
        return;
    result->raw = body;
    switch (command) {
    case MFX_SPAMD_CHECK:
        break;
    case MFX_SPAMD_SYMBOLS:
        take_list(body, arena, result);
        break;
    case MFX_SPAMD_REPORT:
        take_report(body, arena, result);
        break;
    case MFX_SPAMD_HEADERS:
        take_header(body, arena, result);
        break;
    }
}
