/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The grammar of libconfig files, followed while they are read. libconfig
 * itself says no more than "syntax error", keeps memory when it does, and
 * knows neither that a name is given twice nor where a name stands once files
 * are put together; so it gets only text that it will take.
 */
#include "option_impl.h"

enum {
    DEPTH_MAX = 32,
    PREFIX_MAX = 64 * 1024,
};

/* What may come next. */
enum expect {
    EXPECT_NAME,      /* or the end of the group */
    EXPECT_NAME_ONLY, /* the same, and ';' or ',' may end the value before */
    EXPECT_EQUALS,
    EXPECT_VALUE,
    EXPECT_FIRST, /* value of a list, or its end */
    EXPECT_COMMA, /* or the end of the list */
};

struct frame {
    char close;
    size_t prefix_len; /* before it was opened */
    const char *file;  /* where it was opened */
    unsigned line;
    char element;      /* of an array: the kind of its values */
    unsigned elements; /* of a list: so many have begun */
};

struct mfx_outline {
    struct mfx_source *source;
    const char *file; /* of the token at hand */
    unsigned line;
    struct mfx_buf prefix; /* "sign." inside sign: { } */
    struct frame frames[DEPTH_MAX];
    size_t depth;
    enum expect expect;
    bool after_string; /* more strings may follow, they become one */
    struct mfx_str name;
    struct mfx_place *current; /* of the last name with a value */
};

struct mfx_outline *
mfx_outline_new(struct mfx_source *source)
{
    struct mfx_outline *outline =
        mfx_arena_alloc(source->arena, sizeof *outline);
    if (outline == NULL)
        return NULL;
    outline->source = source;
    mfx_buf_init_arena(&outline->prefix, source->arena, PREFIX_MAX);
    return outline;
}

void
mfx_outline_at(struct mfx_outline *outline, const char *file, unsigned line)
{
    outline->file = file;
    outline->line = line;
}

void
mfx_outline_spoil(struct mfx_outline *outline)
{
    if (outline->current != NULL)
        outline->current->is_bad = true;
}

static void stop(struct mfx_outline *outline, const char *format, ...)
    MFX_PRINTF(2, 3);

/* After a slip in the grammar all that follows would only look wrong. */
static void
stop(struct mfx_outline *outline, const char *format, ...)
{
    struct mfx_source *source = outline->source;
    va_list args;
    va_start(args, format);
    struct mfx_str what = mfx_arena_vprintf(source->arena, format, args);
    va_end(args);
    if (!source->is_stopped)
        mfx_problem_add(source->problems, MFX_PROBLEM_ERROR, outline->file,
                        outline->line, "%s",
                        what.p != NULL ? what.p : "out of memory");
    source->is_broken = source->is_stopped = true;
}

static void
stop_unexpected(struct mfx_outline *outline, struct mfx_str token)
{
    token = mfx_str_head(token, 40);
    switch (outline->expect) {
    case EXPECT_NAME:
    case EXPECT_NAME_ONLY:
        stop(outline, "the name of a setting is wanted here, not %.*s",
             MFX_STR_ARG(token));
        break;
    case EXPECT_EQUALS:
        stop(outline, "'=' is wanted behind %.*s, not %.*s",
             MFX_STR_ARG(outline->name), MFX_STR_ARG(token));
        break;
    case EXPECT_VALUE:
    case EXPECT_FIRST:
        stop(outline, "a value is wanted here, not %.*s", MFX_STR_ARG(token));
        break;
    case EXPECT_COMMA:
        stop(outline, "',' or '%c' is wanted here, not %.*s",
             outline->frames[outline->depth - 1].close, MFX_STR_ARG(token));
        break;
    }
}

static void
stop_at_mark(struct mfx_outline *outline, char mark)
{
    const char quoted[] = {'\'', mark, '\''};
    stop_unexpected(outline, mfx_str(quoted, sizeof quoted));
}

static bool
in_list(const struct mfx_outline *outline)
{
    return outline->depth > 0 &&
           outline->frames[outline->depth - 1].close != '}';
}

/* A value is complete. */
static void
end_value(struct mfx_outline *outline)
{
    outline->expect = in_list(outline) ? EXPECT_COMMA : EXPECT_NAME_ONLY;
    outline->after_string = false;
}

static bool
wants_value(const struct mfx_outline *outline)
{
    return outline->expect == EXPECT_VALUE || outline->expect == EXPECT_FIRST;
}

/* kind: s string, n number, f fraction, b boolean; those of an array are all
 * alike. */
static void
take_scalar(struct mfx_outline *outline, struct mfx_str token, char kind)
{
    if (!wants_value(outline)) {
        stop_unexpected(outline, token);
        return;
    }
    if (in_list(outline)) {
        struct frame *frame = &outline->frames[outline->depth - 1];
        if (frame->close == ']' && frame->element != '\0' &&
            frame->element != kind) {
            stop(outline, "the values between [ and ] are not of one type");
            return;
        }
        frame->element = kind;
        frame->elements++;
    }
    end_value(outline);
}

void
mfx_outline_string(struct mfx_outline *outline)
{
    if (outline->after_string)
        return;
    take_scalar(outline, mfx_str_of("a string"), 's');
    outline->after_string = true;
}

void
mfx_outline_number(struct mfx_outline *outline, struct mfx_str text, char kind)
{
    outline->after_string = false;
    if (kind == '\0' && wants_value(outline))
        stop(outline,
             "%.*s is no number; strings, sizes, durations and modes stand in "
             "quotes",
             MFX_STR_ARG(mfx_str_head(text, 40)));
    else
        take_scalar(outline, text, kind);
}

static void
complain_twice(struct mfx_outline *outline, struct mfx_str full,
               const struct mfx_place *first)
{
    outline->source->is_broken = true;
    mfx_problem_add(outline->source->problems, MFX_PROBLEM_ERROR, outline->file,
                    outline->line,
                    "%.*s is given twice; it stands in %s:%u already",
                    MFX_STR_ARG(full), first->file, first->line);
}

static void
take_setting_name(struct mfx_outline *outline, struct mfx_str name)
{
    struct mfx_source *source = outline->source;
    struct mfx_str full = mfx_arena_printf(
        source->arena, "%.*s%.*s", MFX_STR_ARG(mfx_buf_str(&outline->prefix)),
        MFX_STR_ARG(name));
    struct mfx_place *place = mfx_arena_alloc(source->arena, sizeof *place);
    if (full.p == NULL || place == NULL)
        return;
    *place = (struct mfx_place){.file = outline->file, .line = outline->line};
    const struct mfx_place *first = mfx_map_get(source->places, full);
    if (first != NULL)
        complain_twice(outline, full, first);
    else if (mfx_map_put(source->places, full, place) != MFX_OK)
        source->is_broken = true;
    outline->name = name;
    outline->current = place;
    outline->expect = EXPECT_EQUALS;
}

void
mfx_outline_name(struct mfx_outline *outline, struct mfx_str name)
{
    bool is_bool =
        mfx_str_is_nocase(name, "true") || mfx_str_is_nocase(name, "false");
    outline->after_string = false;
    if (is_bool)
        take_scalar(outline, name, 'b');
    else if (outline->expect == EXPECT_NAME ||
             outline->expect == EXPECT_NAME_ONLY)
        take_setting_name(outline, name);
    else if (wants_value(outline))
        stop(outline, "%.*s: a string must stand in quotes",
             MFX_STR_ARG(mfx_str_head(name, 40)));
    else
        stop_unexpected(outline, name);
}

/* A group of a list has a name, too: rules[0]. */
static void
note_element(struct mfx_outline *outline)
{
    struct mfx_source *source = outline->source;
    struct mfx_str name =
        mfx_arena_copy(source->arena, mfx_buf_str(&outline->prefix));
    struct mfx_place *place = mfx_arena_alloc(source->arena, sizeof *place);
    if (name.p == NULL || place == NULL)
        return;
    *place = (struct mfx_place){.file = outline->file, .line = outline->line};
    if (mfx_map_put(source->places, name, place) != MFX_OK)
        source->is_broken = true;
}

static void
extend_by_element(struct mfx_outline *outline)
{
    struct frame *list = &outline->frames[outline->depth - 1];
    mfx_buf_printf(&outline->prefix, "[%u]", list->elements++);
    note_element(outline);
    mfx_buf_add_byte(&outline->prefix, '.');
}

/* What stands in a group of a list is told apart by its number. */
static void
extend_prefix(struct mfx_outline *outline, char open)
{
    if (in_list(outline))
        extend_by_element(outline);
    else if (open == '{')
        mfx_buf_printf(&outline->prefix, "%.*s.", MFX_STR_ARG(outline->name));
    else
        mfx_buf_printf(&outline->prefix, "%.*s", MFX_STR_ARG(outline->name));
}

static void
open_frame(struct mfx_outline *outline, char open, char close)
{
    if (!wants_value(outline) ||
        (in_list(outline) &&
         outline->frames[outline->depth - 1].close == ']')) {
        stop_at_mark(outline, open);
        return;
    }
    if (outline->depth == DEPTH_MAX) {
        stop(outline, "groups and lists stand more than %d deep in each other",
             DEPTH_MAX);
        return;
    }
    size_t prefix_len = outline->prefix.len;
    extend_prefix(outline, open);
    outline->frames[outline->depth++] = (struct frame){.close = close,
                                                       .prefix_len = prefix_len,
                                                       .file = outline->file,
                                                       .line = outline->line};
    outline->expect = open == '{' ? EXPECT_NAME : EXPECT_FIRST;
}

static void
close_frame(struct mfx_outline *outline, char close)
{
    if (outline->depth == 0) {
        stop(outline, "'%c' closes nothing", close);
        return;
    }
    const struct frame *frame = &outline->frames[outline->depth - 1];
    if (outline->expect == EXPECT_EQUALS || outline->expect == EXPECT_VALUE) {
        stop_at_mark(outline, close);
        return;
    }
    if (frame->close != close) {
        stop(outline, "'%c' is wanted for what %s:%u opens, not '%c'",
             frame->close, frame->file, frame->line, close);
        return;
    }
    outline->prefix.len = frame->prefix_len;
    outline->depth--;
    end_value(outline);
}

static void
separate(struct mfx_outline *outline, char mark)
{
    if (outline->expect == EXPECT_NAME_ONLY)
        outline->expect = EXPECT_NAME;
    else if (outline->expect == EXPECT_COMMA && mark == ',')
        outline->expect = EXPECT_VALUE;
    else
        stop_at_mark(outline, mark);
}

void
mfx_outline_mark(struct mfx_outline *outline, char mark)
{
    outline->after_string = false;
    switch (mark) {
    case '=':
    case ':':
        if (outline->expect == EXPECT_EQUALS)
            outline->expect = EXPECT_VALUE;
        else
            stop_at_mark(outline, mark);
        break;
    case ';':
    case ',':
        separate(outline, mark);
        break;
    case '{':
        open_frame(outline, mark, '}');
        break;
    case '[':
        open_frame(outline, mark, ']');
        break;
    case '(':
        open_frame(outline, mark, ')');
        break;
    case '}':
    case ']':
    case ')':
        close_frame(outline, mark);
        break;
    default:
        if (mark > ' ' && mark < 0x7F)
            stop(outline, "'%c' does not belong here", mark);
        else
            stop(outline, "byte 0x%02X does not belong here",
                 (unsigned)(unsigned char)mark);
    }
}

void
mfx_outline_end(struct mfx_outline *outline)
{
    if (outline->expect == EXPECT_EQUALS || outline->expect == EXPECT_VALUE) {
        stop_unexpected(outline, mfx_str_of("the end of the file"));
    } else if (outline->depth > 0) {
        const struct frame *frame = &outline->frames[outline->depth - 1];
        mfx_outline_at(outline, frame->file, frame->line);
        stop(outline, "what opens here is not closed with '%c'", frame->close);
    }
}
