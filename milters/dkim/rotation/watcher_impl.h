/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watcher_impl - what the parts of the watcher share
 *
 * watcher.c is its life and its view, watcher_judge.c decides about lines,
 * tells what changed and plans the next looks, watcher_thread.c looks.
 *
 * Ownership: the watcher's. Errors: none. Threads: everything under mutex, but
 * what is marked as the thread's.
 */
#ifndef DKIM_ROTATION_WATCHER_IMPL_H
#define DKIM_ROTATION_WATCHER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "book.h"
#include "lines.h"
#include "queue.h"
#include "watcher.h"

struct dkim_watch_hold {
    atomic_size_t refs;
    struct dkim_watch_env env;
};

struct dkim_watcher {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    char *state_dir;
    struct dkim_book *book;
    struct dkim_lines *lines; /* in force */
    struct mfx_arena *arena;  /* of the settings */
    struct dkim_watch_settings settings;
    struct dkim_watch_hold *hold; /* NULL: no resolver */
    struct dkim_queue urgent, routine;
    uint64_t generation; /* of settings and hold */
    bool is_running;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint_fast64_t looks, failed_looks, questions;

    /* the thread's */
    struct mfx_authority *authority;
    uint64_t authority_generation;
    struct dkim_watch_hold *authority_hold;
    unsigned pace_ms;
    uint64_t asked_ms, written_ms, write_again_ms;
    bool has_write_failed;
};

/* --- watcher_judge.c --- */

enum dkim_watch_how {
    DKIM_WATCH_LOOK_ON, /* say who signs, change nothing that is known */
    DKIM_WATCH_QUIETLY, /* no log line, nothing for the ledger */
    DKIM_WATCH_TELL,
};
void dkim_watcher_judge(struct dkim_watcher *watcher, struct dkim_line *line,
                        const struct dkim_key_policy *policy, uint64_t now_s,
                        enum dkim_watch_how how);
/* When to look next; is_first: the daemon or this configuration begins. */
void dkim_watcher_plan(struct dkim_watcher *watcher, struct dkim_record *record,
                       uint64_t now_s, bool is_first);
/* The record as a view, texts in the arena. */
void dkim_watcher_view(const struct dkim_line_key *key, struct mfx_arena *arena,
                       struct dkim_key_view *view);

/* --- watcher_thread.c --- */

bool dkim_watcher_start(struct dkim_watcher *watcher);
void dkim_watcher_stop(struct dkim_watcher *watcher);
void dkim_watch_hold_release(struct dkim_watch_hold *hold);

#endif
