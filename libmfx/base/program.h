/* SPDX-License-Identifier: BSD-2-Clause
 *
 * program - other programs, run beside this one: started, watched, ended when
 * they are late
 *
 *     struct mfx_programs *programs = mfx_programs_new(max, ended, context);
 *     if (!mfx_programs_is_full(programs))
 *         rc = mfx_programs_start(programs, argv, environment, arg,
 *                                 until_ms, &err);
 *     for (;;) {
 *         for (i = 0; i < mfx_programs_running(programs); i++)
 *             ... mfx_programs_fd(programs, i) ...
 *         poll(... until mfx_programs_next_ms(programs, now_ms));
 *         mfx_programs_look(programs, now_ms);
 *     }
 *     mfx_programs_free(programs);
 *
 * A program is run without a shell, with nothing open but /dev/null, no signal
 * blocked or ignored, in a process group of its own, which is killed when it
 * has not ended at until_ms. Nothing here waits, but free, for as long as
 * it takes to end what was killed.
 *
 * Ownership: new/free; context and arg are the caller's, given to `ended`,
 * which is called from look and free, once for each that was started.
 * Errors: MFX_TEMPFAIL: it could not be started; err says why.
 * Threads: one. Limits: max at once.
 */
#ifndef MFX_BASE_PROGRAM_H
#define MFX_BASE_PROGRAM_H

#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_PROGRAM_VALUE_MAX = 1000,
};

struct mfx_programs;

/* NULL when out of memory. why: "exit status 1", "killed, since it had not
 * ended in time"; NULL: it has ended well. */
struct mfx_programs *mfx_programs_new(size_t max,
                                      void (*ended)(void *context, void *arg,
                                                    const char *why),
                                      void *context);
/* Kills those that run. NULL is allowed. */
void mfx_programs_free(struct mfx_programs *programs);

size_t mfx_programs_running(const struct mfx_programs *programs);
bool mfx_programs_is_full(const struct mfx_programs *programs);
/* argv[0] is a path. environment: "NAME=value", NULL at its end. MFX_TEMPFAIL
 * also when max run already. */
enum mfx_rc mfx_programs_start(struct mfx_programs *programs, char *const *argv,
                               char *const *environment, void *arg,
                               uint64_t until_ms,
                               struct mfx_err *err) MFX_NODISCARD;
/* Takes note of those that have ended, kills those that are late. */
void mfx_programs_look(struct mfx_programs *programs, uint64_t now_ms);
/* Of the i-th that runs: readable when it has ended; -1: look now and then. */
int mfx_programs_fd(const struct mfx_programs *programs, size_t i);
/* When to look again at the latest; UINT64_MAX: none runs. */
uint64_t mfx_programs_next_ms(const struct mfx_programs *programs,
                              uint64_t now_ms);

/* What may stand in an environment: value cut at MFX_PROGRAM_VALUE_MAX bytes
 * (no character in two), with '?' for control bytes and for the bytes of what
 * is not UTF-8. Writes no more than value has, and a NUL; how many before it. */
size_t mfx_program_value(struct mfx_str value, char *out);

MFX_API_END

#endif
