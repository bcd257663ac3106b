/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rotate - what the parts of `mfxctl dkim rotate` share
 *
 * Keys that replace each other are a line (rotation/key_state.h); a domain
 * has a line for each algorithm it signs with. Each line gets its next key,
 * unless one waits already: that one is shown again.
 *
 *     status = rotate_find(work);       the domain's keys
 *     status = rotate_all(work);        work->next: made, or waiting
 *
 * Ownership: all in run->arena. Errors: EXIT_OK, or what verb_fail returned.
 * Threads: one.
 */
#ifndef DKIM_ROTATE_H
#define DKIM_ROTATE_H

#include "../policy.h"
#include "key_make.h"
#include "verb.h"

enum {
    ROTATE_KEYS_MAX = 256, /* of one domain */
};

struct rotate_request {
    const char *config, *selector, *algorithm, *bits, *out, *owner;
    const char *replaces, *not_before;
    bool is_forced, is_shared;
    struct mfx_str domain;
    uint64_t not_before_s;
};

/* A key of the domain, as the watcher shows it. */
struct rotate_known {
    struct mfx_str selector, path, replaces;
    enum mfx_dkim_algorithm algorithm;
    unsigned bits;
    bool is_signing, is_waiting, is_replaced;
    const char *why;
    const char *bad; /* why its file is of no use; or NULL */
};

/* What was made, or waits, for one line. */
struct rotate_next {
    const struct rotate_known *old;
    struct mfx_str selector, path, record, name;
    enum mfx_dkim_algorithm algorithm;
    unsigned bits;
    bool is_made;
    const char *why; /* of one that waits */
    uint64_t not_before_s;
};

struct rotate_work {
    const struct verb_run *run;
    const struct rotate_request *request;
    const struct mfx_offline *loaded;
    struct rotate_known keys[ROTATE_KEYS_MAX];
    size_t count;
    struct rotate_next next[ROTATE_KEYS_MAX];
    size_t next_count;
};

int rotate_find(struct rotate_work *w);
int rotate_all(struct rotate_work *w);

/* For each line: which keys its next one may be made for. */
bool rotate_is_wanted(const struct rotate_work *w,
                      const struct rotate_known *key);
/* Of one algorithm there should be one line, and one key of a fixed name. */
int rotate_check(const struct rotate_work *w);
int rotate_make(struct rotate_work *w, const struct rotate_known *old);
int rotate_show(struct rotate_work *w, const struct rotate_known *waiting);

#endif
