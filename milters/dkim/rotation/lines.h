/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lines - the keys of one configuration that replace each other
 *
 * A line is the keys of one domain that replace each other, oldest first:
 * what a table or sign.selectors names, and what the cards beside it add. A
 * key that nothing replaces is a line of its own. One key of a line signs: its
 * number is atomic, written by the watcher, read by signers.
 *
 *     dkim_lines_add(lines, domain, selector, path, file, &key);   each row
 *     dkim_lines_finish(lines);
 *     ...
 *     pick = dkim_line_pick(key);                               each message
 *
 * Ownership: counted; lines hold their own texts, and their key files.
 * Errors: a card whose key cannot be used is a warning; that key is in its
 * line, without a file. Threads: add, finish, insert: the loading thread;
 * pick: any. Limits: 64 keys in a line.
 */
#ifndef DKIM_ROTATION_LINES_H
#define DKIM_ROTATION_LINES_H

#include <stdatomic.h>

#include <mfx/conf/problem.h>

#include "../keys.h"
#include "key_state.h"
#include "shelf.h"

enum {
    DKIM_LINE_KEYS_MAX = 64,
};

struct dkim_line;
struct dkim_record; /* record.h */

struct dkim_line_key {
    struct mfx_str domain, selector, path; /* path: may be empty: inline */
    struct dkim_key_file *file;            /* NULL: cannot be used */
    bool is_configured; /* a row names it; else a card, or the ledger */
    bool is_remembered; /* only the ledger: it signed before this one */
    bool has_card;
    struct mfx_str replaces; /* of the card */
    uint64_t not_before_s, retired_s;
    struct dkim_line *line;
    size_t index;
    struct dkim_record *record; /* what is known of it */
    struct dkim_line_key *next_of_domain;
};

/* A text for the trace of a message; lives as long as its line. */
struct dkim_line_text {
    struct dkim_line_text *next;
    size_t len;
    char text[];
};

struct dkim_line {
    size_t count;
    struct dkim_line_key **keys;
    atomic_size_t chosen;                       /* DKIM_KEY_STATE_NONE: none */
    _Atomic(const struct dkim_line_text *) why; /* NULL: nothing to tell */
    struct dkim_line_text *texts;               /* the writer's */
};

struct dkim_lines;

struct dkim_lines *dkim_lines_new(struct dkim_keys *keys,
                                  struct dkim_shelves *shelves,
                                  struct mfx_problems *problems);
struct dkim_lines *dkim_lines_hold(struct dkim_lines *lines);
void dkim_lines_release(struct dkim_lines *lines); /* NULL is fine */

/* A key that a row names; file NULL when it is not there. The same domain and
 * selector twice is one key. NULL: out of memory. */
struct dkim_line_key *dkim_lines_add(struct dkim_lines *lines,
                                     struct mfx_str domain,
                                     struct mfx_str selector,
                                     struct mfx_str path,
                                     struct dkim_key_file *file);
/* True when a card beside `path` replaces that key: it need not be there. */
bool dkim_lines_is_replaced(struct dkim_lines *lines, struct mfx_str domain,
                            struct mfx_str selector, struct mfx_str path);
/* Makes the lines. false: out of memory. */
bool dkim_lines_finish(struct dkim_lines *lines);
/* A key that signed before `key` did, which nothing but the ledger knows:
 * becomes the oldest of its line. */
bool dkim_lines_insert(struct dkim_lines *lines, struct dkim_line_key *key,
                       struct mfx_str selector, struct mfx_str path);

size_t dkim_lines_count(const struct dkim_lines *lines);
struct dkim_line *dkim_lines_at(const struct dkim_lines *lines, size_t i);
/* Keys that rows name, of a domain; the rest by next_of_domain. */
struct dkim_line_key *dkim_lines_of_domain(struct dkim_lines *lines,
                                           struct mfx_str domain);
struct dkim_line_key *dkim_lines_find(const struct dkim_lines *lines,
                                      struct mfx_str domain,
                                      struct mfx_str selector);

struct dkim_line_pick {
    const struct dkim_line_key *key; /* NULL: none may sign now */
    struct mfx_str why;              /* for the trace; may be empty */
};
/* Which key signs where a row names this one. */
struct dkim_line_pick dkim_line_pick(const struct dkim_line_key *key);
/* What pick says from now on. One thread at a time. */
void dkim_line_set(struct dkim_line *line, size_t chosen, struct mfx_str why);

#endif
