/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_body_impl - how engines read a message while it arrives (not installed)
 *
 * Ownership: a watcher is its owner's, and taken out before it goes.
 * Threads: any. A watcher is called under the body's lock, by the one who adds:
 * it may post a job, and nothing else.
 */
#ifndef MFX_SCAN_SCAN_BODY_IMPL_H
#define MFX_SCAN_SCAN_BODY_IMPL_H

#include <mfx/scan/scan_body.h>

struct mfx_scan_body_watcher {
    void (*grown)(struct mfx_scan_body_watcher *watcher);
    struct mfx_scan_body_watcher *next;
    enum {
        MFX_SCAN_BODY_WANTS_NOTHING,
        MFX_SCAN_BODY_WANTS_END,
        MFX_SCAN_BODY_WANTS_MORE, /* or the end */
    } wants;                      /* once */
    size_t wanted;                /* more: so many bytes */
};

struct mfx_scan_body_state {
    size_t len;
    bool is_whole;
    bool has_failed;
    uint64_t whole_ms; /* when it became whole (or failed) */
};

struct mfx_scan_body *mfx_scan_body_hold(struct mfx_scan_body *body);
/* Looks only. */
struct mfx_scan_body_state mfx_scan_body_look(struct mfx_scan_body *body);
/* Looks, and is called once when it has become whole (or failed), or has
 * `wanted` bytes (0: never mind). */
struct mfx_scan_body_state
mfx_scan_body_await(struct mfx_scan_body *body,
                    struct mfx_scan_body_watcher *watcher, size_t wanted);
void mfx_scan_body_watch(struct mfx_scan_body *body,
                         struct mfx_scan_body_watcher *watcher);
void mfx_scan_body_unwatch(struct mfx_scan_body *body,
                           struct mfx_scan_body_watcher *watcher);
/* At most max bytes from `at` on; 0: none (yet). */
size_t mfx_scan_body_read(struct mfx_scan_body *body, size_t at, char *to,
                          size_t max);
/* The file of a whole message, with a line "From mfx" before it, so that it
 * is known for mail. -1: it is in memory. The body's. */
int mfx_scan_body_fd(struct mfx_scan_body *body);

/* The line that stands before the message in the file. */
#define MFX_SCAN_BODY_LEAD "From mfx\n"

#endif
