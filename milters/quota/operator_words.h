/* SPDX-License-Identifier: BSD-2-Clause
 *
 * operator_words - how a question is put into one line, and read again
 *
 * Words are parted by one blank. Letters, digits and "-._~@=,:/+" stand for
 * themselves, every other byte is %XX. What a verb needs comes first
 * (KEY, LIMITS), then options as NAME=TEXT.
 *
 * Ownership: decoded texts in the arena. Errors: MFX_PERMFAIL with what is
 * wrong. Threads: pure.
 */
#ifndef MFX_QUOTA_OPERATOR_WORDS_H
#define MFX_QUOTA_OPERATOR_WORDS_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>

void quota_operator_words_encode(struct mfx_str text, struct mfx_buf *out);
/* False for a '%' without two hexadecimal digits. */
bool quota_operator_words_decode(struct mfx_str word, struct mfx_arena *arena,
                                 struct mfx_str *text);

struct quota_operator_words {
    struct mfx_str key, limits;
    struct mfx_str rule, reason, by, after; /* empty: not given */
    uint64_t for_s;                         /* 0: without an end */
    uint64_t count;
};

/* What a verb takes. */
enum quota_operator_takes {
    QUOTA_OPERATOR_KEY = 1,
    QUOTA_OPERATOR_LIMITS = 2,
    QUOTA_OPERATOR_RULE = 4,
    QUOTA_OPERATOR_FOR = 8,
    QUOTA_OPERATOR_REASON = 16,
    QUOTA_OPERATOR_BY = 32,
    QUOTA_OPERATOR_COUNT = 64,
    QUOTA_OPERATOR_AFTER = 128,
};

enum mfx_rc quota_operator_words_read(unsigned takes,
                                      const struct mfx_str *words, size_t count,
                                      struct mfx_arena *arena,
                                      struct quota_operator_words *out,
                                      struct mfx_err *err) MFX_NODISCARD;

#endif
