/* SPDX-License-Identifier: BSD-2-Clause
 *
 * card - what belongs to a key, in a small file beside it
 *
 * KEY.pem.card beside KEY.pem says whose key it is and which one it replaces.
 * A card may be pushed together with its key to hosts that only read it; what
 * a host has seen of the key stands in its own ledger. A key without a card is
 * an established one.
 *
 *     domain = "example.org";
 *     selector = "202612";
 *     algorithm = "rsa-sha256";
 *     created = "2026-11-21T03:30:00Z";
 *     not_before = "2026-11-22T00:00:00Z";
 *     replaces = "202606";
 *
 * The daemon finds keys by their cards: in the directory of every key that is
 * configured, it takes each *.card whose `replaces` names that key's selector
 * (for the same domain), then those that replace the new one, and so on. So a
 * KeyTable or sign.selectors keeps naming the first key. The name of a new key
 * file is free; its card says what it is.
 *
 * domain "*": the key is for every domain that signs with the key it
 * replaces (one key file for many domains); replaces_key then names that
 * file, in the same directory.
 *
 * The text is flat libconfig: name = "string"; comments; no groups. Times are
 * UTC, "2026-11-21T03:30:00Z" or "2026-11-21".
 *
 * Ownership: texts of a card live in the arena (or are the caller's).
 * Errors: MFX_PERMFAIL names file and line; MFX_NOTFOUND: no card.
 * Threads: pure functions. Limits: a card holds at most 16 KiB.
 */
#ifndef DKIM_ROTATION_CARD_H
#define DKIM_ROTATION_CARD_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>

#define DKIM_CARD_ENDING ".card"

struct dkim_card {
    struct mfx_str domain;       /* lower-case A-labels, or "*" */
    struct mfx_str selector;     /* s= */
    struct mfx_str algorithm;    /* as in a=; may be empty */
    struct mfx_str replaces;     /* a selector; empty: it is a domain's first */
    struct mfx_str replaces_key; /* a file name without directory; or empty */
    uint64_t created_s;          /* 0: not said */
    uint64_t not_before_s;       /* no host signs before */
    uint64_t retired_s; /* from then on it signs only when no other key can */
    struct mfx_str comment;
};

/* "KEY.pem.card" for "KEY.pem"; p NULL when out of memory. */
struct mfx_str dkim_card_path(struct mfx_str key_path, struct mfx_arena *arena);

/* name: for messages. An unknown setting is an error: a card that is not
 * understood is not used. */
enum mfx_rc dkim_card_parse(struct mfx_str text, const char *name,
                            struct mfx_arena *arena, struct dkim_card *card,
                            struct mfx_err *err) MFX_NODISCARD;
void dkim_card_format(const struct dkim_card *card, struct mfx_buf *out);

/* path: of the card itself. */
enum mfx_rc dkim_card_read(const char *path, struct mfx_arena *arena,
                           struct dkim_card *card,
                           struct mfx_err *err) MFX_NODISCARD;
/* Whole or not at all (a new file, synced, renamed), mode 0644; replaces the
 * card that is there. Write the key file first, then its card: a key without
 * its card is an established one where a table names it, and unknown where
 * none does. */
enum mfx_rc dkim_card_write(const char *path, const struct dkim_card *card,
                            struct mfx_err *err) MFX_NODISCARD;

/* "2026-11-21T03:30:00Z" or "2026-11-21". */
enum mfx_rc dkim_card_time_parse(struct mfx_str text,
                                 uint64_t *time_s) MFX_NODISCARD;

#endif
