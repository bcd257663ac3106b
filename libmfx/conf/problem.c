/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/conf/problem.h>

#include <stdarg.h>

enum {
    KEPT_MAX = 1000, /* nobody reads more, and files can be all mistakes */
};

void
mfx_problems_init(struct mfx_problems *problems, struct mfx_arena *arena)
{
    *problems = (struct mfx_problems){.arena = arena};
}

static void
count(struct mfx_problems *problems, enum mfx_problem_kind kind)
{
    switch (kind) {
    case MFX_PROBLEM_ERROR:
        problems->errors++;
        break;
    case MFX_PROBLEM_WARNING:
        problems->warnings++;
        break;
    }
}

void
mfx_problem_add(struct mfx_problems *problems, enum mfx_problem_kind kind,
                const char *file, unsigned line, const char *format, ...)
{
    count(problems, kind);
    if (problems->errors + problems->warnings > KEPT_MAX)
        return;
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(problems->arena, format, args);
    va_end(args);
    struct mfx_str name = mfx_arena_copy(problems->arena, mfx_str_of(file));
    struct mfx_problem *problem =
        mfx_arena_alloc(problems->arena, sizeof *problem);
    if (text.p == NULL || name.p == NULL || problem == NULL)
        return;
    *problem = (struct mfx_problem){
        .kind = kind, .file = name.p, .line = line, .text = text.p};
    if (problems->last != NULL)
        problems->last->next = problem;
    else
        problems->first = problem;
    problems->last = problem;
}

struct mfx_str
mfx_problem_format(const struct mfx_problem *problem, struct mfx_arena *arena)
{
    const char *mark = problem->kind == MFX_PROBLEM_WARNING ? "warning: " : "";
    if (problem->file[0] == '\0')
        return mfx_arena_printf(arena, "%s%s", mark, problem->text);
    if (problem->line == 0)
        return mfx_arena_printf(arena, "%s: %s%s", problem->file, mark,
                                problem->text);
    return mfx_arena_printf(arena, "%s:%u: %s%s", problem->file, problem->line,
                            mark, problem->text);
}
