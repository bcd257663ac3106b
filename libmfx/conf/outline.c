/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libconfig says neither that a name is given twice across files nor where a
 * name stands once files are put together; so we follow the groups ourselves.
 */
#include "option_impl.h"

enum {
    DEPTH_MAX = 32,
    PATH_MAX_LEN = 4096,
};

struct mfx_outline {
    struct mfx_source *source;
    struct mfx_buf prefix; /* "sign." inside sign: { } */
    struct {
        char open;
        size_t prefix_len; /* before it was opened */
    } frames[DEPTH_MAX];
    size_t depth, lists; /* how many frames are ( or [ */
    struct mfx_str name; /* the last name token; empty when used */
    const char *file;
    unsigned line;
    struct mfx_str assigned;   /* the name whose value comes next */
    struct mfx_place *current; /* its place */
};

struct mfx_outline *
mfx_outline_new(struct mfx_source *source)
{
    struct mfx_outline *outline =
        mfx_arena_alloc(source->arena, sizeof *outline);
    if (outline == NULL)
        return NULL;
    outline->source = source;
    mfx_buf_init_arena(&outline->prefix, source->arena, PATH_MAX_LEN);
    return outline;
}

void
mfx_outline_name(struct mfx_outline *outline, struct mfx_str name,
                 const char *file, unsigned line)
{
    outline->name = name;
    outline->file = file;
    outline->line = line;
}

void
mfx_outline_spoil(struct mfx_outline *outline)
{
    if (outline->current != NULL)
        outline->current->is_bad = true;
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
assign(struct mfx_outline *outline)
{
    struct mfx_source *source = outline->source;
    struct mfx_str name = outline->name;
    outline->name = mfx_str(NULL, 0);
    if (name.len == 0 || outline->lists > 0)
        return;
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
    outline->assigned = name;
    outline->current = place;
}

static void
open_frame(struct mfx_outline *outline, char mark)
{
    if (outline->depth == DEPTH_MAX) {
        mfx_problem_add(outline->source->problems, MFX_PROBLEM_ERROR,
                        outline->file, outline->line,
                        "groups and lists stand more than %d deep in each "
                        "other",
                        DEPTH_MAX);
        outline->source->is_broken = outline->source->is_stopped = true;
        return;
    }
    outline->frames[outline->depth].open = mark;
    outline->frames[outline->depth++].prefix_len = outline->prefix.len;
    if (mark != '{')
        outline->lists++;
    else if (outline->lists == 0)
        mfx_buf_printf(&outline->prefix, "%.*s.",
                       MFX_STR_ARG(outline->assigned));
    outline->assigned = mfx_str(NULL, 0);
}

static void
close_frame(struct mfx_outline *outline, char open)
{
    /* what does not pair is libconfig's to say */
    if (outline->depth == 0 || outline->frames[outline->depth - 1].open != open)
        return;
    outline->depth--;
    if (open != '{')
        outline->lists--;
    outline->prefix.len = outline->frames[outline->depth].prefix_len;
}

void
mfx_outline_mark(struct mfx_outline *outline, char mark)
{
    switch (mark) {
    case '=':
    case ':':
        assign(outline);
        break;
    case '{':
    case '[':
    case '(':
        open_frame(outline, mark);
        break;
    case '}':
        close_frame(outline, '{');
        break;
    case ']':
        close_frame(outline, '[');
        break;
    case ')':
        close_frame(outline, '(');
        break;
    }
}
