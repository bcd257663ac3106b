/* SPDX-License-Identifier: BSD-2-Clause
 *
 * words - what is told of a key: why it does or does not sign, what to do
 *
 * Ownership: in the arena. Errors: empty text when out of memory.
 * Threads: pure.
 */
#ifndef DKIM_ROTATION_WORDS_H
#define DKIM_ROTATION_WORDS_H

#include "watcher.h"

/* "waits: ns2.example.org (192.0.2.2): no such name". trouble: why the last
 * look came to nothing; may be NULL. */
struct mfx_str dkim_words_why(const struct dkim_key_view *view,
                              const char *trouble, struct mfx_arena *arena);
/* "publish the record of 202612._domainkey.example.org"; may be empty. */
struct mfx_str dkim_words_todo(const struct dkim_key_view *view,
                               struct mfx_arena *arena);

#endif
