/* SPDX-License-Identifier: BSD-2-Clause
 *
 * book - what is known of every key, in memory, in front of the ledger
 *
 * A record for each domain and selector that was ever in force; it stays when
 * its key leaves the configuration, so that a key that comes back, or one that
 * was replaced by an edited table, is known again.
 *
 * Ownership: records live as long as the book. Errors: without a ledger (see
 * dkim_book_trouble) all is in memory only. Threads: one at a time.
 */
#ifndef DKIM_ROTATION_BOOK_H
#define DKIM_ROTATION_BOOK_H

#include "ledger.h"
#include "lines.h"

enum {
    DKIM_FINGERPRINT = 33, /* hex, with the NUL */
};

struct dkim_record {
    struct mfx_str domain, selector;
    char fingerprint[DKIM_FINGERPRINT]; /* "" while the key is not parsed */
    char algorithm[16];                 /* "rsa-sha256"; or "" */
    unsigned bits;
    bool is_broken; /* its file holds no key */
    struct dkim_key_facts facts;
    struct dkim_key_verdict verdict;
    bool is_judged;  /* verdict is of this run */
    bool is_signing; /* chosen of its line */
    uint64_t since_s, seen_s;
    char *servers; /* the last look, see look.h; may be NULL */
    char *trouble; /* why the last look came to nothing; may be NULL */
    char *path;    /* where its file was last */

    struct dkim_line_key *key; /* in the lines in force; or NULL */
    uint64_t due_ms;           /* of the next look */
    size_t place;              /* in its queue, from 1; 0: in none */
    bool is_urgent;            /* which queue */
    bool is_unsaved;           /* changed before there was a ledger to write */
    bool is_dirty;
    struct dkim_record *next_dirty;
};

struct dkim_book;

/* Reads what is there. state_dir may be NULL: memory only. */
struct dkim_book *dkim_book_new(const char *state_dir);
void dkim_book_free(struct dkim_book *book);
/* Until now for reading, from now on for writing. */
void dkim_book_begin(struct dkim_book *book, const char *state_dir);
/* Why there is no ledger; "" when there is one. */
const char *dkim_book_trouble(const struct dkim_book *book);

/* Made when it is not there; NULL: out of memory. */
struct dkim_record *dkim_book_need(struct dkim_book *book,
                                   struct mfx_str domain,
                                   struct mfx_str selector, uint64_t now_s);
size_t dkim_book_count(const struct dkim_book *book);
struct dkim_record *dkim_book_at(const struct dkim_book *book, size_t i);

/* Replaces *text by a copy. */
void dkim_record_text(char **text, struct mfx_str value);
/* Nothing that was known holds: it is another key. */
void dkim_record_forget(struct dkim_record *record);

/* To be written to the ledger. */
void dkim_book_mark(struct dkim_book *book, struct dkim_record *record);
bool dkim_book_is_dirty(const struct dkim_book *book);
/* Two steps, so that the second, which waits for the disk, needs no lock: take
 * copies some rows that are due, write puts them down. */
struct dkim_book_batch {
    struct mfx_arena *arena;
    struct dkim_ledger_row *rows;
    struct dkim_record **records;
    size_t count;
};
bool dkim_book_take(struct dkim_book *book, size_t max,
                    struct dkim_book_batch *batch);
enum mfx_rc dkim_book_write(struct dkim_book *book,
                            const struct dkim_book_batch *batch,
                            struct mfx_err *err) MFX_NODISCARD;
/* What was not written is due again. */
void dkim_book_done(struct dkim_book *book, struct dkim_book_batch *batch,
                    bool is_written);

#endif
