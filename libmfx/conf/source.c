/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <mfx/base/file.h>

#include "option_impl.h"

enum {
    FILE_MAX = 1024 * 1024,
    TEXT_MAX = 4 * 1024 * 1024, /* of a file with all it includes */
    FILES_MAX = 1000,
    INCLUDE_DEPTH = 10,
};

/* One file being read; a chain up to the first. */
struct reader {
    struct mfx_source *source;
    const struct reader *parent;
    const char *file;
    struct mfx_file_id id;
    unsigned depth, line;
    struct mfx_str rest;
    bool at_line_start; /* only blanks since the last line end */
};

static void read_file(struct mfx_source *source, const struct reader *parent,
                      const char *path);

static void
complain(struct reader *r, const char *what)
{
    mfx_problem_add(r->source->problems, MFX_PROBLEM_ERROR, r->file, r->line,
                    "%s", what);
}

static void
complain_broken(struct reader *r, const char *what)
{
    complain(r, what);
    r->source->is_broken = true;
}

static void
complain_stop(struct reader *r, const char *what)
{
    complain_broken(r, what);
    r->source->is_stopped = true;
}

static void
map_line(struct mfx_source *source, const char *file, unsigned line)
{
    struct mfx_place place = {.file = file, .line = line};
    mfx_buf_add(&source->map, mfx_str((const char *)&place, sizeof place));
}

/* The line of the text that is being written belongs to this line. */
static void
remap_line(struct mfx_source *source, const char *file, unsigned line)
{
    if (source->map.len >= sizeof(struct mfx_place))
        source->map.len -= sizeof(struct mfx_place);
    map_line(source, file, line);
}

/* Takes n bytes off, with or without writing them; lines are always kept. */
static void
take(struct reader *r, size_t n, bool is_wanted)
{
    for (size_t i = 0; i < n; i++) {
        char c = r->rest.p[i];
        if (is_wanted || c == '\n')
            mfx_buf_add_byte(&r->source->text, c);
        if (c == '\n')
            map_line(r->source, r->file, ++r->line);
    }
    r->rest = mfx_str_from(r->rest, n);
}

static bool
starts(const struct reader *r, const char *text)
{
    return mfx_str_starts(r->rest, mfx_str_of(text));
}

static void
take_block_comment(struct reader *r)
{
    size_t end = 2;
    while (end + 1 < r->rest.len &&
           !(r->rest.p[end] == '*' && r->rest.p[end + 1] == '/'))
        end++;
    bool is_closed = end + 1 < r->rest.len;
    if (!is_closed)
        complain_stop(r, "this comment is not closed in this file");
    take(r, is_closed ? end + 2 : r->rest.len, false);
}

/* libconfig would end a string at \x00. */
static bool
is_nul_escape(struct mfx_str s)
{
    return mfx_str_starts_nocase(s, mfx_str_of("\\x00"));
}

static void
take_string(struct reader *r)
{
    size_t end = 1;
    for (; end < r->rest.len && r->rest.p[end] != '"'; end++) {
        if (r->rest.p[end] != '\\')
            continue;
        if (is_nul_escape(mfx_str_from(r->rest, end)))
            complain_broken(r, "a NUL byte in a string");
        end++;
    }
    bool is_closed = end < r->rest.len;
    if (!is_closed)
        complain_stop(r, "this string is not closed in this file");
    else
        mfx_outline_string(r->source->now);
    take(r, is_closed ? end + 1 : r->rest.len, is_closed);
}

static bool
is_name_byte(char c)
{
    return mfx_ascii_is_alnum((unsigned char)c) || c == '-' || c == '_' ||
           c == '*';
}

static void
take_name(struct reader *r)
{
    size_t end = 1;
    while (end < r->rest.len && is_name_byte(r->rest.p[end]))
        end++;
    mfx_outline_name(r->source->now, mfx_str_head(r->rest, end));
    take(r, end, true);
}

static bool
is_hex_digit(char c)
{
    unsigned char lower = mfx_ascii_lower((unsigned char)c);
    return mfx_ascii_is_digit(lower) || (lower >= 'a' && lower <= 'f');
}

/* A whole decimal number, without sign. */
static void
check_decimal(struct reader *r, struct mfx_str digits, bool is_negative)
{
    uint64_t value;
    uint64_t max = (uint64_t)INT32_MAX + (is_negative ? 1 : 0);
    if (digits.len > 1 && digits.p[0] == '0') {
        mfx_problem_add(r->source->problems, MFX_PROBLEM_ERROR, r->file,
                        r->line,
                        "%.*s: a number with a leading zero is not octal "
                        "here; write a mode as a string (\"0660\"), another "
                        "number without the zero",
                        MFX_STR_ARG(digits));
        mfx_outline_spoil(r->source->now);
    } else if (mfx_str_to_u64(digits, max, &value) != MFX_OK) {
        mfx_problem_add(r->source->problems, MFX_PROBLEM_ERROR, r->file,
                        r->line,
                        "%.*s: a number beyond 32 bits; write a size as a "
                        "string (\"8G\")",
                        MFX_STR_ARG(mfx_str_head(digits, 40)));
        mfx_outline_spoil(r->source->now);
    }
}

static void
check_hex(struct reader *r, struct mfx_str digits)
{
    while (digits.len > 0 && digits.p[0] == '0')
        digits = mfx_str_from(digits, 1);
    if (digits.len < 8 || (digits.len == 8 && digits.p[0] < '8'))
        return;
    complain(r, "a number beyond 32 bits");
    mfx_outline_spoil(r->source->now);
}

static bool
has_digit(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (mfx_ascii_is_digit((unsigned char)s.p[i]))
            return true;
    return false;
}

static size_t
digits_end(struct mfx_str s, size_t at, bool is_hex)
{
    while (at < s.len && (is_hex ? is_hex_digit(s.p[at])
                                 : mfx_ascii_is_digit((unsigned char)s.p[at])))
        at++;
    return at;
}

/* [sign] digits [. digits] [e [sign] digits] */
static bool
is_fraction(struct mfx_str s)
{
    size_t at = digits_end(s, s.p[0] == '-' || s.p[0] == '+', false);
    if (at < s.len && s.p[at] == '.')
        at = digits_end(s, at + 1, false);
    if (at < s.len && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.len && (s.p[at] == '-' || s.p[at] == '+'))
            at++;
        if (digits_end(s, at, false) == at)
            return false;
        at = digits_end(s, at, false);
    }
    return at == s.len && digits_end(s, 0, false) < s.len;
}

/* Whole numbers are checked here, since libconfig has lost what was written
 * by the time we could ask. */
static char
check_number(struct reader *r, struct mfx_str text)
{
    bool is_hex = mfx_str_starts_nocase(text, mfx_str_of("0x"));
    size_t start = is_hex ? 2 : text.p[0] == '-' || text.p[0] == '+';
    size_t end = digits_end(text, start, is_hex);
    struct mfx_str digits = mfx_str(text.p + start, end - start);
    struct mfx_str rest = mfx_str_from(text, end);
    if (digits.len == 0 ||
        !(rest.len == 0 || mfx_str_is(rest, "L") || mfx_str_is(rest, "LL")))
        return !is_hex && has_digit(text) && is_fraction(text) ? 'f' : '\0';
    if (is_hex)
        check_hex(r, digits);
    else
        check_decimal(r, digits, text.p[0] == '-');
    return 'n';
}

/* Everything up to what cannot belong to a number. */
static void
take_number(struct reader *r)
{
    size_t end = 1;
    while (end < r->rest.len) {
        char c = r->rest.p[end], before = r->rest.p[end - 1];
        bool is_sign =
            (c == '-' || c == '+') && (before == 'e' || before == 'E');
        if (!is_sign && !mfx_ascii_is_alnum((unsigned char)c) && c != '.' &&
            c != '_')
            break;
        end++;
    }
    struct mfx_str text = mfx_str_head(r->rest, end);
    mfx_outline_number(r->source->now, text, check_number(r, text));
    take(r, end, true);
}

/* Relative to the folder of the file that says it. */
static const char *
include_path(struct reader *r, struct mfx_str name)
{
    struct mfx_str file = mfx_str_of(r->file);
    struct mfx_str folder =
        mfx_str_head(file, file.len - strlen(strrchr(r->file, '/') == NULL
                                                 ? r->file
                                                 : strrchr(r->file, '/') + 1));
    if (name.p[0] == '/')
        folder.len = 0;
    return mfx_arena_printf(r->source->arena, "%.*s%.*s", MFX_STR_ARG(folder),
                            MFX_STR_ARG(name))
        .p;
}

static bool
includes_itself(struct reader *r, const char *path)
{
    struct mfx_file_id id;
    if (mfx_file_identify(path, &id, NULL) != MFX_OK)
        return false;
    for (const struct reader *up = r; up != NULL; up = up->parent)
        if (up->id.device == id.device && up->id.inode == id.inode)
            return true;
    return false;
}

static void
include(struct reader *r, struct mfx_str name)
{
    const char *path = name.len > 0 ? include_path(r, name) : NULL;
    if (path == NULL)
        complain_broken(r, "@include without a file name");
    else if (r->depth + 1 > INCLUDE_DEPTH)
        complain_broken(r, "@include more than 10 files deep");
    else if (includes_itself(r, path))
        complain_broken(r, "@include of a file that is being read");
    else
        read_file(r->source, r, path);
    remap_line(r->source, r->file, r->line);
}

/* @include "name" at the start of a line, as libconfig has it. Any other '@'
 * is never passed on, so that libconfig opens no file. */
static void
take_at(struct reader *r)
{
    struct mfx_str rest = mfx_str_from(r->rest, strlen("@include"));
    size_t blanks = 0;
    while (blanks < rest.len && mfx_ascii_is_wsp((unsigned char)rest.p[blanks]))
        blanks++;
    struct mfx_str name = mfx_str_from(rest, blanks + 1);
    size_t end = mfx_str_find(name, '"');
    if (!r->at_line_start || !starts(r, "@include") || blanks == 0 ||
        blanks == rest.len || rest.p[blanks] != '"') {
        complain_stop(r, "'@' is only known in @include \"file\" at the "
                         "start of a line");
        take(r, 1, false);
    } else if (end == name.len || mfx_str_has(mfx_str_head(name, end), '\n')) {
        complain_stop(r, "the name behind @include is not closed");
        take(r, strlen("@include"), false);
    } else {
        take(r, strlen("@include") + blanks + 1 + end + 1, false);
        include(r, mfx_str_head(name, end));
    }
}

static void
take_token(struct reader *r)
{
    char c = r->rest.p[0];
    mfx_outline_at(r->source->now, r->file, r->line);
    if (c == '#' || starts(r, "//")) {
        take(r, mfx_str_find(r->rest, '\n'), false);
    } else if (starts(r, "/*")) {
        take_block_comment(r);
    } else if (c == '"') {
        take_string(r);
    } else if (c == '@') {
        take_at(r);
    } else if (mfx_ascii_is_alpha((unsigned char)c) || c == '*') {
        take_name(r);
    } else if (mfx_ascii_is_digit((unsigned char)c) || c == '-' || c == '+' ||
               c == '.') {
        take_number(r);
    } else if (c == '\r' || c == '\f') {
        take(r, 1, false);
    } else {
        mfx_outline_mark(r->source->now, c);
        take(r, 1, true);
    }
}

static void
read_tokens(struct reader *r)
{
    r->at_line_start = true;
    while (r->rest.len > 0 && !r->source->is_stopped) {
        char c = r->rest.p[0];
        if (c == '\n') {
            take(r, 1, true);
            r->at_line_start = true;
        } else if (mfx_ascii_is_wsp((unsigned char)c)) {
            take(r, 1, true);
        } else {
            take_token(r);
            r->at_line_start = false;
        }
    }
}

static void
complain_file(struct mfx_source *source, const struct reader *parent,
              const char *why)
{
    mfx_problem_add(source->problems, MFX_PROBLEM_ERROR,
                    parent != NULL ? parent->file : "",
                    parent != NULL ? parent->line : 0, "%s", why);
    source->is_broken = true;
}

static size_t
file_count(const struct mfx_source *source)
{
    return source->files.len / sizeof(const char *);
}

/* Appends the file to the text; whatever it is, it ends with a line end. */
static void
read_file(struct mfx_source *source, const struct reader *parent,
          const char *path)
{
    struct mfx_err err = {""};
    struct reader r = {.source = source,
                       .parent = parent,
                       .file = path,
                       .depth = parent != NULL ? parent->depth + 1 : 0,
                       .line = 1};
    if (file_count(source) >= FILES_MAX) {
        complain_file(source, parent, "more than 1000 files are included");
        source->is_stopped = true;
        return;
    }
    mfx_buf_add(&source->files, mfx_str((const char *)&path, sizeof path));
    if (mfx_file_read(path, FILE_MAX, source->arena, &r.rest, &r.id, &err) !=
        MFX_OK) {
        complain_file(source, parent, err.msg);
        return;
    }
    remap_line(source, path, 1);
    if (mfx_str_has(r.rest, '\0')) {
        complain_broken(&r, "a NUL byte in this file");
        return;
    }
    read_tokens(&r);
    if (!mfx_buf_ok(&source->text) && !source->is_stopped) {
        complain_stop(&r, "too large, with all it includes (4 MB)");
    }
    mfx_buf_add_byte(&source->text, '\n');
    map_line(source, path, r.line);
}

static void
free_map(void *map)
{
    mfx_map_free(map);
}

static bool
init(struct mfx_source *source, struct mfx_arena *arena,
     struct mfx_problems *problems)
{
    *source = (struct mfx_source){.arena = arena, .problems = problems};
    mfx_buf_init_arena(&source->text, arena, TEXT_MAX);
    mfx_buf_init_arena(&source->map, arena, SIZE_MAX / 2);
    mfx_buf_init_arena(&source->files, arena, FILES_MAX * sizeof(const char *));
    source->now = mfx_outline_new(source);
    if (source->now == NULL)
        return false;
    struct mfx_map *places = mfx_map_new(MFX_MAP_CASE, 0);
    if (places == NULL || !mfx_arena_defer(arena, free_map, places))
        return false;
    source->places = places;
    return true;
}

enum mfx_rc
mfx_source_read(struct mfx_source *source, const char *path,
                bool not_there_is_fine, struct mfx_arena *arena,
                struct mfx_problems *problems)
{
    struct mfx_file_id id;
    if (!init(source, arena, problems))
        return MFX_TEMPFAIL;
    if (not_there_is_fine && mfx_file_identify(path, &id, NULL) == MFX_NOTFOUND)
        return MFX_NOTFOUND;
    const char *name = mfx_arena_copy(arena, mfx_str_of(path)).p;
    if (name == NULL)
        return MFX_TEMPFAIL;
    map_line(source, name, 1);
    read_file(source, NULL, name);
    if (!source->is_broken)
        mfx_outline_end(source->now);
    (void)mfx_buf_text(&source->text);
    if (!mfx_arena_ok(arena))
        return MFX_TEMPFAIL;
    return source->is_broken ? MFX_PERMFAIL : MFX_OK;
}

struct mfx_place
mfx_source_line(const struct mfx_source *source, unsigned line)
{
    struct mfx_place place = {.file = ""};
    size_t count = source->map.len / sizeof place;
    if (line >= 1 && count > 0) {
        size_t at = line <= count ? line - 1 : count - 1;
        memcpy(&place, source->map.p + at * sizeof place, sizeof place);
    }
    return place;
}

struct mfx_place *
mfx_source_find(const struct mfx_source *source, struct mfx_str name)
{
    return source->places != NULL ? mfx_map_get(source->places, name) : NULL;
}
