/* SPDX-License-Identifier: BSD-2-Clause
 *
 * command - a login of ours sends spam: one log line, and a program is run
 *
 *     command = score_command_new();
 *     score_command_set(command, path, timeout_s, interval_s);   a reload
 *     score_command_tell(command, &culprit);
 *     score_command_free(command);
 *
 * Mail never waits for it. A flood of one login is told of once in interval_s;
 * the next line says how many there were besides. The program is run without a
 * shell (base/program.h); its environment is PATH and
 *     MFX_LOGIN MFX_CLIENT MFX_CLIENT_NAME MFX_SENDER MFX_RECIPIENTS (how many)
 *     MFX_SCORE MFX_ACTION MFX_REASON MFX_QUEUE_ID MFX_HOST MFX_TIME
 * It may run "mfxctl quota block" for the login.
 *
 * Ownership: new/free; a culprit's texts are copied. Errors: what fails is
 * counted and logged. Threads: tell, set and counts from any; free when nobody
 * tells any more. Limits: 4 programs at once, 100 wait; 10,000 logins in one
 * interval; values of 1000 bytes; free waits for at most 2 s, then kills.
 */
#ifndef SCORE_COMMAND_H
#define SCORE_COMMAND_H

#include <mfx/base/str.h>

#include "settings.h"

struct score_culprit {
    struct mfx_str login; /* empty: a client of ours without one */
    struct mfx_str client, client_name, sender; /* texts; may be empty */
    size_t recipient_count;
    bool has_score;
    int64_t score; /* in thousandths */
    enum score_action action;
    struct mfx_str reason, queue_id;
};

struct score_command;

/* NULL when out of memory. */
struct score_command *score_command_new(void);
/* NULL is allowed. */
void score_command_free(struct score_command *command);
/* path NULL: no program, the log line alone. */
void score_command_set(struct score_command *command, const char *path,
                       uint64_t timeout_s, uint64_t interval_s);
void score_command_tell(struct score_command *command,
                        const struct score_culprit *culprit);

/* done, failed: programs; dropped: too many were waiting; repeated: the same
 * login within the interval. */
struct score_command_counts {
    uint64_t done, failed, dropped, repeated, waiting, running;
};

struct score_command_counts score_command_counts(struct score_command *command);

#endif
