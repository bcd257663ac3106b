/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_loop - the one thread that runs all requests of all engines (not
 * installed)
 *
 * Who wants to hear of a descriptor or of a time fills in a watch and hands it
 * over; `ready` is called for it on the loop's thread, and changes fd, events
 * and due_ms as it likes. What other threads have to say comes as a job. libcurl
 * fits in by its socket interface: a watch for each socket, one for its time.
 *
 * Ownership: watches and jobs are their owners'. A watch is taken out before it
 * goes, a job does not go while it is queued.
 * Errors: mfx_scan_loop_watch: false when out of memory.
 * Threads: watch, unwatch: the loop's; post: any.
 */
#ifndef MFX_SCAN_SCAN_LOOP_H
#define MFX_SCAN_SCAN_LOOP_H

#include <mfx/scan/scan_engine.h>

enum {
    MFX_SCAN_LOOP_SCRATCH = 64 * 1024,
};

struct mfx_scan_watch {
    int fd;          /* -1: none */
    short events;    /* of poll(2) */
    uint64_t due_ms; /* mono; UINT64_MAX: never */
    /* revents: 0 when it is only due */
    void (*ready)(struct mfx_scan_watch *watch, short revents, uint64_t now_ms);
    /* the loop ends: the owner ends what it does, and takes the watch out */
    void (*stop)(struct mfx_scan_watch *watch);
    size_t slot; /* the loop's; 0: not watched */
};

struct mfx_scan_job {
    void (*run)(struct mfx_scan_job *job);
    struct mfx_scan_job *next;
    bool is_queued; /* the loop's lock */
};

bool mfx_scan_loop_watch(struct mfx_scan_loop *loop,
                         struct mfx_scan_watch *watch) MFX_NODISCARD;
/* One that is not watched: nothing happens. */
void mfx_scan_loop_unwatch(struct mfx_scan_loop *loop,
                           struct mfx_scan_watch *watch);
enum mfx_scan_posted {
    MFX_SCAN_POSTED,
    MFX_SCAN_POSTED_BEFORE, /* it runs once for both */
    MFX_SCAN_NO_LOOP,       /* the loop has ended, the job will not run */
};
enum mfx_scan_posted mfx_scan_loop_post(struct mfx_scan_loop *loop,
                                        struct mfx_scan_job *job);
struct mfx_scan_loop *mfx_scan_loop_hold(struct mfx_scan_loop *loop);
/* A share that was held; the thread is ended by mfx_scan_loop_free alone. */
void mfx_scan_loop_release(struct mfx_scan_loop *loop);
/* Room for whoever runs on the loop's thread, until it returns. */
char *mfx_scan_loop_scratch(struct mfx_scan_loop *loop);

#endif
