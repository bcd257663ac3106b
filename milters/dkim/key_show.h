/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key_show - the keys of the running daemon, for `mfxctl dkim keys`
 *
 * The control verb answers a page at a time, so that neither side holds
 * 100,000 keys at once. Words: domains wanted; state=STATE; todo (only keys
 * that want something of the operator); after=N and last=DOMAIN/SELECTOR to go
 * on behind the N-th key, which must be that one still.
 *
 *     {"keys": [...], "next": 8000, "last": "example.org/s1"}
 *
 * next and last are missing on the last page.
 *
 * Ownership: JSON values are the caller's. Errors: MFX_PERMFAIL for a wrong
 * word, MFX_TEMPFAIL when the keys have changed between two pages.
 * Threads: any.
 */
#ifndef DKIM_KEY_SHOW_H
#define DKIM_KEY_SHOW_H

#include <jansson.h>

#include <mfx/base/buf.h>
#include <mfx/milter/filter.h>

#include "rotation/watcher.h"

/* As mfx_control_verb wants. */
enum mfx_rc dkim_key_show_verb(const void *policy, const struct mfx_str *args,
                               size_t arg_count, bool as_json,
                               struct mfx_buf *out, struct mfx_err *err);

/* One key as an object; NULL when out of memory. */
json_t *dkim_key_show_json(const struct dkim_key_view *view);
/* That object in words: one line, and more below it where there is something
 * to say. */
void dkim_key_show_text(const json_t *key, struct mfx_buf *out);

/* What to show. */
struct dkim_key_filter {
    const struct mfx_str *domains;
    size_t domain_count; /* 0: all */
    const char *state;   /* or NULL */
    bool todo;
};
bool dkim_key_filter_takes(const struct dkim_key_filter *filter,
                           const struct dkim_key_view *view);
/* The state's name as the table has it; NULL for a word that is none. */
const char *dkim_key_filter_state(struct mfx_str word);

#endif
