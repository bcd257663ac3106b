/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_tag - tag lists of signatures and key records (RFC 6376 3.2; private)
 *
 *     struct mfx_dkim_tags tags;
 *     if (mfx_dkim_tags_parse(text, &tags))
 *         p = mfx_dkim_tags_find(&tags, "p");
 *
 * A list is right as a whole or not at all: a tag given twice, a name that is
 * none, an empty tag, a control character or a byte that is not UTF-8 (RFC
 * 8616 allows UTF-8) makes the whole list invalid. White space, CR and LF are
 * folding white space wherever they stand.
 *
 * Ownership: names and values borrow from the text. Errors: false.
 * Threads: values. Limits: MFX_DKIM_TAGS_MAX tags.
 */
#ifndef MFX_AUTH_DKIM_TAG_H
#define MFX_AUTH_DKIM_TAG_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

enum {
    MFX_DKIM_TAGS_MAX = 64,
};

struct mfx_dkim_tag {
    struct mfx_str name;
    struct mfx_str value; /* without white space at its ends */
    struct mfx_str raw;   /* all between "=" and ";" */
};

struct mfx_dkim_tags {
    size_t count;
    struct mfx_dkim_tag tag[MFX_DKIM_TAGS_MAX];
};

bool mfx_dkim_tags_parse(struct mfx_str text, struct mfx_dkim_tags *tags);
/* Names are case-sensitive (RFC 6376 3.2). NULL when it is not there. */
const struct mfx_dkim_tag *mfx_dkim_tags_find(const struct mfx_dkim_tags *tags,
                                              const char *name);
/* True when the colon list has the word in any case. */
bool mfx_dkim_tags_list_has(struct mfx_str list, const char *word);
/* The value without white space inside; borrows when there is none. p is NULL
 * when the arena is exhausted. */
struct mfx_str mfx_dkim_tags_squeeze(struct mfx_str value,
                                     struct mfx_arena *arena);

#endif
