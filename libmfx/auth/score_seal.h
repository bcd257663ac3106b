/* SPDX-License-Identifier: BSD-2-Clause
 *
 * score_seal - a field by which a score travels to a second stage
 *
 * What a first machine found out about a message is written into one header
 * field, and signed, so that a machine behind it, or a filter at delivery,
 * can take the score over instead of asking again, and trust it:
 *
 *     v=1; k=TpkUr0Nw; t=1732204800; i=4Bx9k2; s=7.25; a=tag;
 *         e="rspamd=7.25 clamd=0"; m=OQZ3...; b=...
 *
 * k names the secret, t is the time, i the queue id, s the score, a what was
 * done, e what each engine said, m a digest of the Message-ID, b an
 * HMAC-SHA-256 of all of them. It says nothing about the body, and whoever has
 * seen one can put it into another message with the same Message-ID: where
 * mail comes in from outside, fields of that name are removed, and a seal is
 * believed for a short time only.
 *
 *     rc = mfx_score_seal_write(secret, &seal, message_id, name_len, arena,
 *                               &value);
 *
 *     switch (mfx_score_seal_read(&rules, name, &headers, now_s, arena,
 *                                 &seal)) ...
 *
 * Folding, unfolding and other white space that an MTA puts between tags and
 * words does not matter, neither does the order of the tags. The same tag
 * twice, a tag that is none of these, and two such fields do.
 *
 * A message without a Message-ID has an empty m. It is the same message as long
 * as it has none, or one that holds the queue id between "." and "@", which is
 * what Sendmail gives such a message behind its filters.
 *
 * Ownership: what is written or read lives in the arena. Errors: write:
 * MFX_TEMPFAIL without memory, MFX_PERMFAIL for an empty secret; read: the
 * result; *seal is filled for GOOD, OLD, FUTURE and OTHER_MESSAGE alone.
 * Threads: pure. Limits: below; longer texts are cut when written, more engines
 * left out, and of a score what is beyond nine digits.
 */
#ifndef MFX_AUTH_SCORE_SEAL_H
#define MFX_AUTH_SCORE_SEAL_H

#include <mfx/base/decimal.h>
#include <mfx/mail/header.h>

MFX_API_BEGIN

enum {
    MFX_SCORE_SEAL_ID_MAX = 64,
    MFX_SCORE_SEAL_ACTION_MAX = 32,
    MFX_SCORE_SEAL_ENGINES_MAX = 16,
    MFX_SCORE_SEAL_NAME_MAX = 48,
    MFX_SCORE_SEAL_SKEW_S = 300, /* clocks that differ so much are right */
};

struct mfx_score_seal_engine {
    struct mfx_str name; /* letters, digits, "-", "_", "." */
    int64_t score;       /* as below */
};

struct mfx_score_seal {
    uint64_t time_s;
    struct mfx_str queue_id;
    int64_t score;         /* thousandths; MFX_DECIMAL_NONE: none */
    struct mfx_str action; /* one word */
    const struct mfx_score_seal_engine *engines;
    size_t engine_count;
};

struct mfx_score_seal_rules {
    const struct mfx_str *secrets;
    size_t secret_count;
    uint64_t max_age_s; /* 0: any age */
};

enum mfx_score_seal_result {
    MFX_SCORE_SEAL_GOOD,
    MFX_SCORE_SEAL_NONE,    /* no such field */
    MFX_SCORE_SEAL_SEVERAL, /* of them: none is believed */
    MFX_SCORE_SEAL_MALFORMED,
    MFX_SCORE_SEAL_UNKNOWN_KEY,   /* made with none of the secrets */
    MFX_SCORE_SEAL_FORGED,        /* or changed */
    MFX_SCORE_SEAL_OLD,           /* ours, and of this message, but old */
    MFX_SCORE_SEAL_FUTURE,        /* ours, of this message, made later */
    MFX_SCORE_SEAL_OTHER_MESSAGE, /* ours, of another Message-ID */
    MFX_SCORE_SEAL_UNAVAILABLE,   /* no memory: ask again later */
};
/* "good", "no such field", "made for another message". */
const char *mfx_score_seal_result_text(enum mfx_score_seal_result result);

/* message_id: the value of the topmost Message-ID, or empty. name_len: of the
 * field, for the folding. */
enum mfx_rc mfx_score_seal_write(struct mfx_str secret,
                                 const struct mfx_score_seal *seal,
                                 struct mfx_str message_id, size_t name_len,
                                 struct mfx_arena *arena,
                                 struct mfx_str *value) MFX_NODISCARD;

enum mfx_score_seal_result
mfx_score_seal_read(const struct mfx_score_seal_rules *rules,
                    struct mfx_str name, const struct mfx_headers *headers,
                    uint64_t now_s, struct mfx_arena *arena,
                    struct mfx_score_seal *seal) MFX_NODISCARD;

MFX_API_END

#endif
