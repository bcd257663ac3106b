/* SPDX-License-Identifier: BSD-2-Clause
 *
 * selector - a name for the next key, from a pattern
 *
 * In a pattern %Y, %y, %m, %d and %H are the year (four and two digits),
 * month, day and hour, in UTC. When the name is taken, a letter is appended:
 * 202611, 202611b, 202611c ... A text without "%" is a name as it stands, and
 * then nothing is appended.
 *
 * Ownership: the selector in the arena. Errors: MFX_PERMFAIL for a pattern
 * that makes no selector, MFX_NOTFOUND when all names are taken.
 * Threads: pure.
 */
#ifndef DKIM_SELECTOR_H
#define DKIM_SELECTOR_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

/* is_taken(selector, arg) says whether a name is used already. */
enum mfx_rc
dkim_selector_make(struct mfx_str pattern, uint64_t wall_s,
                   bool (*is_taken)(struct mfx_str selector, void *arg),
                   void *arg, struct mfx_arena *arena, struct mfx_str *selector,
                   struct mfx_err *err) MFX_NODISCARD;

#endif
