/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_impl - a scan and an engine from inside (not installed)
 *
 * An engine is a struct that begins with struct mfx_scan_engine, and functions
 * that run on the loop's thread and never wait. For each scan the common part
 * (scan_run.c) waits for the message where need be, for a server and for its
 * turn, and calls `ask`; what comes of it the engine tells by
 * mfx_scan_attempt_end, at any time but not from within `ask` or `drop`. Then
 * another server is asked, or the scan ends. Greetings (`probe`) likewise, by
 * mfx_scan_probe_end.
 *
 * Ownership: an engine is counted; `free` is called on the loop's thread when
 * no share is left, or after the loop's end. A scan has two shares: the
 * caller's and the loop's. result's texts live in the scan's arena, which is
 * the loop's until `done` is set.
 * Threads: all that is not marked is the loop's.
 */
#ifndef MFX_SCAN_SCAN_IMPL_H
#define MFX_SCAN_SCAN_IMPL_H

#include <stdatomic.h>

#include <mfx/scan/scan_body_impl.h>
#include <mfx/scan/scan_loop.h>
#include <mfx/scan/scan_pool.h>

struct mfx_scan_engine_ops {
    const char *name;
    void (*ask)(struct mfx_scan *scan, uint64_t now_ms);
    /* there may be more of the message */
    void (*grown)(struct mfx_scan *scan, uint64_t now_ms);
    /* nobody wants to know any more: no attempt_end */
    void (*drop)(struct mfx_scan *scan);
    void (*probe)(struct mfx_scan_engine *engine, unsigned server,
                  uint64_t now_ms);
    /* the loop ends, or the engine: probes, idle connections */
    void (*close)(struct mfx_scan_engine *engine);
    void (*free)(struct mfx_scan_engine *engine);
};

struct mfx_scan_engine {
    const struct mfx_scan_engine_ops *ops;
    bool wants_whole;    /* it is asked only when the message is whole */
    bool can_learn;      /* other purposes than to check */
    bool can_forget;     /* this one, too */
    size_t streams_from; /* bytes; what is shorter is asked when it is whole */
    struct mfx_scan_engine_settings settings;
    struct mfx_scan_loop *loop;
    struct mfx_scan_pool *pool;
    atomic_uint holders, running, queued; /* any thread reads */
    atomic_ullong turned_away;
    struct mfx_scan_job begin, end;
    struct mfx_scan_watch timer;   /* of greetings */
    struct mfx_scan *first, *last; /* those that wait for a server */
};

enum mfx_scan_state {
    MFX_SCAN_STATE_NEW,
    MFX_SCAN_STATE_UNWHOLE, /* waits for the message */
    MFX_SCAN_STATE_QUEUED,
    MFX_SCAN_STATE_ASKING,
    MFX_SCAN_STATE_OVER,
};

/* In whose hands it is. */
enum mfx_scan_hands {
    MFX_SCAN_BODYS, /* nothing is to be done before the message has grown */
    MFX_SCAN_LOOPS,
    MFX_SCAN_NOBODYS, /* the loop has ended before it saw it */
};

enum mfx_scan_quit {
    MFX_SCAN_STAYS,
    MFX_SCAN_QUIT_LATE,
    MFX_SCAN_QUIT_CANCELLED,
};

struct mfx_scan {
    atomic_uint holders;
    struct mfx_event done;
    struct mfx_scan_engine *engine;
    struct mfx_arena *arena;
    struct mfx_scan_request request;
    struct mfx_scan_envelope envelope;
    struct mfx_scan_job job; /* has a share of its own while it is queued */
    atomic_int quits;        /* enum mfx_scan_quit */
    atomic_int hands;        /* enum mfx_scan_hands */

    /* the caller's */
    struct mfx_scan_result own; /* when it did not wait */
    const struct mfx_scan_result *given;

    struct mfx_scan_result result;
    enum mfx_scan_state state;
    struct mfx_scan_body_watcher watcher;
    struct mfx_scan_watch timer;  /* of the deadline */
    struct mfx_scan *next, *prev; /* in the queue */
    bool is_whole;
    uint64_t whole_ms;
    uint64_t begun_ms, asked_ms;
    uint64_t attempt_until_ms; /* then it is a timeout; engines keep it */
    uint32_t tried;            /* a bit for each server */
    bool is_late; /* asked in vain before it was whole: once more then */
    unsigned server;
    void *attempt; /* the engine's */
};

/* --- for engines --- */

/* Sets up what is common, and begins to greet. On failure nothing is left. */
enum mfx_rc mfx_scan_engine_init(
    struct mfx_scan_engine *engine, const struct mfx_scan_engine_ops *ops,
    struct mfx_scan_loop *loop, const struct mfx_scan_engine_settings *settings,
    struct mfx_err *err) MFX_NODISCARD;
/* Called by `free`, last. */
void mfx_scan_engine_fini(struct mfx_scan_engine *engine);

/* An attempt has ended; words: why it was no answer. ANSWERED: the result is
 * filled in. UNREACHED, TIMEOUT, BROKEN, REFUSED: another may be asked. */
void mfx_scan_attempt_end(struct mfx_scan *scan, enum mfx_scan_end end,
                          const char *words);
/* text: the version, or what was wrong. */
void mfx_scan_probe_end(struct mfx_scan_engine *engine, unsigned server,
                        bool is_alive, const char *text);

/* A new attempt: what the last one left in the result is gone. */
void mfx_scan_result_clear(struct mfx_scan_result *result);
struct mfx_scan_texts mfx_scan_texts_one(struct mfx_arena *arena,
                                         struct mfx_str text);

enum mfx_scan_piece {
    MFX_SCAN_PIECE,      /* *len bytes, at `to` */
    MFX_SCAN_PIECE_WAIT, /* none yet; `grown` is called when there are */
    MFX_SCAN_PIECE_END,  /* there are no more */
    MFX_SCAN_PIECE_LOST, /* it cannot be read again */
    MFX_SCAN_PIECE_TOO_LARGE,
};
/* The next bytes of the message as far as it may be asked about, at most max;
 * *at is moved on. */
enum mfx_scan_piece mfx_scan_piece(struct mfx_scan *scan, size_t *at, char *to,
                                   size_t max, size_t *len);

/* --- between scan.c and scan_run.c --- */

void mfx_scan_run(struct mfx_scan_job *job);
/* Has it looked at on the loop's thread when the engine can do something with
 * what there is of the message. */
void mfx_scan_await(struct mfx_scan *scan);
/* Has it looked at at once. If the loop is no more and has not seen it, it
 * ends. */
void mfx_scan_post(struct mfx_scan *scan);
void mfx_scan_release(struct mfx_scan *scan);
struct mfx_scan_engine *mfx_scan_engine_hold(struct mfx_scan_engine *engine);

#endif
