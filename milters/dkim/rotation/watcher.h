/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watcher - looks after the records of all keys, in the background
 *
 * One thread of low priority asks the authoritative servers of each key's
 * zone, a bounded number of questions a second, writes what it saw into the
 * ledger, and decides which key of a line signs (key_state). It lives through
 * reloads and is never in the path of a message: a signer reads one atomic
 * number.
 *
 *     dkim_watcher_prepare(watcher, lines, &settings);        at each load
 *     dkim_watcher_begin(watcher, lines, &settings, &env);    once in force
 *
 * In a command (no daemon) nothing begins and there is no thread: the ledger
 * is read, and the same decisions are made from it. Both show their keys the
 * same way:
 *
 *     dkim_watcher_each(policy->shared->watcher, visit, arg);
 *
 * Ownership: new/free; what visit sees lives during the visit.
 * Errors: without a ledger it goes on in memory and says so; keys that
 * replace others are then looked at anew after each start.
 * Threads: each and counts: any; the rest: one at a time.
 * Limits: one look at a time, queries_per_second questions; a key that waits
 * goes before those that are looked at as a matter of routine.
 */
#ifndef DKIM_ROTATION_WATCHER_H
#define DKIM_ROTATION_WATCHER_H

#include <mfx/auth/dkim_key.h>
#include <mfx/net/authority.h>

#include "../keys.h"
#include "key_state.h"

struct dkim_watcher;
struct dkim_lines; /* lines.h */

struct dkim_watch_settings {
    struct dkim_key_policy policy;
    uint64_t check_interval_s; /* routine */
    uint64_t wait_interval_s;  /* keys that wait, or lost their record */
    unsigned queries_per_second;
    unsigned timeout_ms;           /* one try of one question */
    const struct mfx_str *servers; /* in place of a zone's own */
    size_t server_count;
};

/* A resolver that outlives a configuration. */
struct dkim_watch_env {
    const struct mfx_env *env;
    void (*release)(void *arg); /* may be NULL */
    void *arg;
};

/* Reads the ledger that is there; state_dir may be NULL. */
struct dkim_watcher *dkim_watcher_new(const char *state_dir);
void dkim_watcher_free(struct dkim_watcher *watcher);

/* Adds the keys that signed here before and that no row names any more, and
 * says which key of each line signs, by all that is known. false: out of
 * memory. */
bool dkim_watcher_prepare(struct dkim_watcher *watcher,
                          struct dkim_lines *lines,
                          const struct dkim_watch_settings *settings);
/* These lines are in force now. Starts the thread the first time, and opens
 * the ledger for writing; takes over env. */
void dkim_watcher_begin(struct dkim_watcher *watcher, struct dkim_lines *lines,
                        const struct dkim_watch_settings *settings,
                        const struct dkim_watch_env *env);
/* Why there is no ledger; "" when there is one. */
const char *dkim_watcher_trouble(const struct dkim_watcher *watcher);

struct dkim_watcher_counts {
    size_t keys[DKIM_KEY_WITHDRAWN + 1]; /* by state */
    size_t alarms, overdue;
    uint64_t looks, failed_looks, questions;
    bool has_ledger;
};
struct dkim_watcher_counts dkim_watcher_counts(struct dkim_watcher *watcher);

/* What one server said of one key at the last look. */
struct dkim_key_server {
    struct mfx_str name;    /* "ns1.example.net" */
    struct mfx_str address; /* "192.0.2.1" */
    struct mfx_str answer;  /* "match", "no such name", "another key", ... */
    bool has_key;
    bool is_silent;  /* no answer, or none with authority */
    bool is_alias;   /* leads to the servers that follow */
    bool counts_not; /* silent, but another address of that name answers */
    uint32_t ttl_s;
};

/* One key as `mfxctl dkim keys` shows it. */
struct dkim_key_view {
    struct mfx_str domain, selector;
    struct mfx_str path;        /* of the key file, or "inline" */
    struct dkim_key_file *file; /* NULL: not there any more */
    const char *algorithm;      /* "" while the key is not parsed */
    unsigned bits;              /* 0: not parsed */
    bool is_signing;            /* of its line, this one signs now */
    bool has_card;
    struct mfx_str replaces; /* selector, from the card; or empty */
    struct dkim_key_verdict verdict;
    enum dkim_in_dns in_dns;
    const char *why;  /* a sentence: "waits: ns2.example.org has no record" */
    const char *todo; /* a sentence for the operator; or "" */
    uint64_t since_s; /* of the state; 0: not known */
    uint64_t looked_s, next_look_s; /* wall clock; 0: never, none planned */
    size_t server_count;
    const struct dkim_key_server *servers;
};

/* Every key of the configuration in force and those that replace them, domain
 * by domain, oldest first; visit returns false to stop. */
void dkim_watcher_each(struct dkim_watcher *watcher,
                       bool (*visit)(const struct dkim_key_view *view,
                                     void *arg),
                       void *arg);

/* What a new key's record will have to wait for, for commands: asks now and
 * blocks. in_dns and servers are filled, in the arena. */
enum mfx_rc dkim_watcher_look(struct mfx_authority *authority,
                              const struct mfx_dkim_private_key *key,
                              struct mfx_str domain, struct mfx_str selector,
                              struct mfx_arena *arena,
                              struct dkim_key_view *view, uint32_t *wait_s,
                              struct mfx_err *err) MFX_NODISCARD;

#endif
