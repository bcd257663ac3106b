/* SPDX-License-Identifier: BSD-2-Clause
 *
 * problem - what is wrong with a configuration, all of it at once
 *
 * Loading goes on after the first mistake, so that `-t` shows every one, each
 * with file and line.
 *
 *     mfx_problem_add(problems, MFX_PROBLEM_ERROR, file, line, "no such ...");
 *
 * Ownership: texts live in the arena given to init. Errors: what does not
 * fit is counted, the count of errors is always right. Threads: one.
 * Limits: the first 1000 are kept.
 */
#ifndef MFX_CONF_PROBLEM_H
#define MFX_CONF_PROBLEM_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum mfx_problem_kind {
    MFX_PROBLEM_ERROR,   /* this configuration will not be used */
    MFX_PROBLEM_WARNING, /* used, but probably not what was meant */
};

struct mfx_problem {
    enum mfx_problem_kind kind;
    const char *file; /* "" when it concerns no file */
    unsigned line;    /* 0: the file as a whole */
    const char *text;
    struct mfx_problem *next;
};

struct mfx_problems {
    struct mfx_arena *arena;
    struct mfx_problem *first, *last;
    size_t errors, warnings;
};

void mfx_problems_init(struct mfx_problems *problems, struct mfx_arena *arena);
void mfx_problem_add(struct mfx_problems *problems, enum mfx_problem_kind kind,
                     const char *file, unsigned line, const char *format, ...)
    MFX_PRINTF(5, 6);
/* "file:line: text" (for a warning "file:line: warning: text"). */
struct mfx_str mfx_problem_format(const struct mfx_problem *problem,
                                  struct mfx_arena *arena);

MFX_API_END

#endif
