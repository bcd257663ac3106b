/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store - counters with limits, and small values with expiry
 *
 * One interface over two places: a file of this machine (SQLite, or memory
 * alone) and a Redis that several machines share. A counter has a name and
 * counts uses in one or more windows; a use is offered (RESERVE), and later
 * counted (COMMIT) or given back (RELEASE) by its holder, a message or a
 * connection. What is reserved counts against the limit like what is used, so
 * that many holders at once cannot pass it.
 *
 *     struct mfx_store_call *call = mfx_store_begin(store, MFX_STORE_RESERVE,
 *                                                   holder, uses, 2, lease_ms);
 *     mfx_wait(message, mfx_store_call_event(call), until_ms);
 *     rc = mfx_store_call_end(call, &answer, &err);
 *
 * What is asked is all or nothing: when one use does not fit, nothing of the
 * call is reserved. A use states what its holder wants in all (3 recipients),
 * not one more, so a call may be repeated and counts once.
 *
 * Time is the store's: a clock that never jumps here, the server's in Redis.
 * SLIDING: no span of that length, wherever it begins, holds more than the
 * limit; a use may be remembered up to 1/60 of the span too long.
 * FIXED: the calendar's minute, hour, day or month, as `period` tells it.
 * BUCKET: `limit` at once, and refilled evenly within the span.
 *
 * Ownership: a store is new/close and shared by all; begin copies what it is
 * given; call_end gives the call back, answered or not. An answer's arrays
 * live in the caller's arena.
 * Errors: MFX_OK: the store has answered, see outcome. MFX_NOTFOUND (values):
 * there is none. MFX_TEMPFAIL: it could not, or not in time. MFX_PERMFAIL: what
 * was asked is wrong. A call that was given up may still be carried out: a
 * holder that gave up a RESERVE begins a RELEASE and need not wait for it.
 * Threads: any, at once. begin never waits.
 * Limits: below. Names are bytes; a longer one is PERMFAIL (make a digest), and
 * so is a counter named twice in one call, a window twice in one use, a window
 * of more than ten years. A counter that is asked as another kind than before
 * begins anew.
 */
#ifndef MFX_STORE_STORE_H
#define MFX_STORE_STORE_H

#include <mfx/base/arena.h>
#include <mfx/base/env.h>
#include <mfx/base/event.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_STORE_WINDOWS_MAX = 8,     /* of one use */
    MFX_STORE_USES_MAX = 512,      /* of one call */
    MFX_STORE_NAME_MAX = 400,      /* octets of a counter's or value's name */
    MFX_STORE_HOLDER_MAX = 100,    /* octets */
    MFX_STORE_ELEMENTS_MAX = 4096, /* of one use */
    MFX_STORE_VALUE_MAX = 64 * 1024,
    MFX_STORE_OVERRIDE_MAX = 1000,
    MFX_STORE_STEPS = 60, /* a sliding window is kept in that many parts */
};

/* The most that a use may count. */
#define MFX_STORE_AMOUNT_MAX (UINT64_C(1) << 53)
/* A limit that nothing passes: the window is counted all the same. */
#define MFX_STORE_UNLIMITED UINT64_MAX

struct mfx_store;
struct mfx_store_call;

enum mfx_store_shape {
    MFX_STORE_SLIDING,
    MFX_STORE_FIXED,
    MFX_STORE_BUCKET,
};

/* Windows of one counter are known by shape and span: a window with another
 * limit goes on with what was counted. */
struct mfx_store_window {
    enum mfx_store_shape shape;
    uint64_t span_ms; /* SLIDING, BUCKET: its length; FIXED: any number that
                         tells it from the counter's other windows */
    uint64_t limit;   /* most that fits */
    uint64_t soft;    /* COMMIT says once a window that this much is used; 0:
                         never */
    /* FIXED: the period that holds now_s (seconds since 1970): begin <= now <
     * end. Called from any thread; outlives the store's last call. */
    void (*period)(const void *arg, uint64_t now_s, uint64_t *begin_s,
                   uint64_t *end_s);
    const void *period_arg;
};

enum mfx_store_kind {
    MFX_STORE_AMOUNT,   /* adds up amounts */
    MFX_STORE_DISTINCT, /* how many different elements a window has seen */
    MFX_STORE_FIRST,    /* how many elements it has seen that were not seen
                           within memory_ms before */
    MFX_STORE_OPEN,     /* what holders hold now: no window, no COMMIT; the
                           limit is windows[0].limit */
};

struct mfx_store_use {
    enum mfx_store_kind kind;
    struct mfx_str counter;
    const struct mfx_store_window *windows;
    size_t window_count;
    uint64_t amount; /* AMOUNT, OPEN: the holder's total */
    /* DISTINCT, FIRST. RESERVE: elements to be added to the holder's;
     * COMMIT, TAKE: all of them. */
    const struct mfx_str *elements;
    size_t element_count;
    uint64_t memory_ms; /* FIRST */
    /* What the caller believes to be the override of this counter (empty:
     * none). When another one stands there, nothing is done and the outcome is
     * OVERRIDDEN. COMMIT, RELEASE and RESET do not look at it: what was used is
     * counted, whatever the limit has become. */
    struct mfx_str believed_override;
};

enum mfx_store_op {
    MFX_STORE_CHECK,   /* what would RESERVE say? changes nothing */
    MFX_STORE_RESERVE, /* if all fits, hold it for lease_ms */
    MFX_STORE_TAKE,    /* if all fits, count it at once, and give back what
                          the holder had reserved of these counters */
    MFX_STORE_COMMIT,  /* count it, whether it fits or not; what the holder
                          had reserved of these counters is given back. Done
                          once for a holder, however often it is asked (within
                          10 minutes). */
    MFX_STORE_RELEASE, /* give back what the holder has reserved of these
                          counters; amounts do not matter */
    MFX_STORE_RESET,   /* forget what these counters have counted; what is
                          reserved and an override stay */
};

/* What a window says. */
struct mfx_store_level {
    uint64_t used;     /* counted and still remembered */
    uint64_t reserved; /* by others than this holder */
    uint64_t limit;    /* as asked */
    /* When what was asked would fit as far as used goes, if nobody uses more
     * (CHECK with amount 0: one more); milliseconds since 1970 by this
     * machine's clock. 0: now, or never (more than the limit). */
    uint64_t free_at_ms;
    bool fits;
    bool is_soft_due; /* COMMIT, TAKE: `soft` was reached, said once a window */
    bool is_full_due; /* RESERVE, TAKE: the first refusal in this window */
};

struct mfx_store_reading {
    struct mfx_store_level levels[MFX_STORE_WINDOWS_MAX];
    struct mfx_str override;    /* what stands there now; empty: none */
    uint64_t override_until_ms; /* since 1970; 0: without an end */
};

enum mfx_store_outcome {
    MFX_STORE_DONE,
    MFX_STORE_FULL,       /* something does not fit; nothing was done */
    MFX_STORE_OVERRIDDEN, /* a belief was wrong; nothing was done */
};

struct mfx_store_answer {
    enum mfx_store_outcome outcome;
    struct mfx_store_reading *readings; /* one for each use, as asked */
    size_t count;
    bool is_repeated; /* COMMIT: it had been done before */
};

/* holder: names who reserves ("s1/4Bx9k2"); unique among all machines that
 * share the store, and never used again after COMMIT. lease_ms: RESERVE:
 * what is held goes by itself after that time; 0 with OPEN uses: the store
 * renews it for as long as this process lives. NULL when out of memory (call_end
 * of NULL is TEMPFAIL). */
struct mfx_store_call *mfx_store_begin(struct mfx_store *store,
                                       enum mfx_store_op op,
                                       struct mfx_str holder,
                                       const struct mfx_store_use *uses,
                                       size_t count, uint64_t lease_ms);

/* Set when the answer is there (perhaps already when begin returns). */
struct mfx_event *mfx_store_call_event(struct mfx_store_call *call);

/* Takes the answer and gives the call back. Before the event is set:
 * MFX_TEMPFAIL ("no answer in time"), and the call goes on without a waiter.
 * arena, answer and err may be NULL when nobody wants to know. */
enum mfx_rc mfx_store_call_end(struct mfx_store_call *call,
                               struct mfx_arena *arena,
                               struct mfx_store_answer *answer,
                               struct mfx_err *err);

/* begin, wait at most wait_ms, end: for commands and threads that may wait. */
enum mfx_rc mfx_store_ask(struct mfx_store *store, enum mfx_store_op op,
                          struct mfx_str holder,
                          const struct mfx_store_use *uses, size_t count,
                          uint64_t lease_ms, uint64_t wait_ms,
                          struct mfx_arena *arena,
                          struct mfx_store_answer *answer,
                          struct mfx_err *err) MFX_NODISCARD;

/* Counts uses of an earlier time (since 1970): what a machine counted by
 * itself while the store was away. As COMMIT, but in the window part of at_ms;
 * what no window remembers any more is left out. */
struct mfx_store_call *mfx_store_begin_merge(struct mfx_store *store,
                                             struct mfx_str holder,
                                             const struct mfx_store_use *uses,
                                             size_t count, uint64_t at_ms);

/* Sets the override of a counter: a text of the caller's ("1000/1d",
 * "blocked ..."), kept beside the counter and compared with what the caller of
 * a use believes. Empty: removes it. lifetime_ms 0: without an end. */
enum mfx_rc mfx_store_set_override(struct mfx_store *store,
                                   struct mfx_str counter, struct mfx_str text,
                                   uint64_t lifetime_ms, uint64_t wait_ms,
                                   struct mfx_err *err) MFX_NODISCARD;

/* --- walking --- */

/* What is remembered of one counter, whoever counted it. */
struct mfx_store_row {
    struct mfx_str counter;
    struct {
        enum mfx_store_shape shape;
        uint64_t span_ms, used, last_ms; /* last use, since 1970; 0: unknown */
    } windows[MFX_STORE_WINDOWS_MAX];
    size_t window_count;
    uint64_t reserved; /* amount, or elements, held now */
    struct mfx_str override;
    uint64_t override_until_ms;
};

/* The next counters whose name begins with prefix. *cursor: empty at first,
 * then what came back; empty again when there are no more. At most `max` a
 * call, perhaps fewer (none, even: the cursor decides); a counter that changes
 * meanwhile may come twice or not at all. In the arena. */
enum mfx_rc mfx_store_list(struct mfx_store *store, struct mfx_str prefix,
                           size_t max, struct mfx_str *cursor, uint64_t wait_ms,
                           struct mfx_arena *arena, struct mfx_store_row **rows,
                           size_t *count, struct mfx_err *err) MFX_NODISCARD;

/* --- small values --- */

enum mfx_store_value_op {
    MFX_STORE_VALUE_GET,
    MFX_STORE_VALUE_PUT,
    MFX_STORE_VALUE_ADD, /* put if there is none; the answer is what stands
                            there now, and whether it is new */
    MFX_STORE_VALUE_DELETE,
};

struct mfx_store_value {
    struct mfx_str bytes;
    uint64_t until_ms; /* since 1970; 0: without an end */
    bool is_new;       /* ADD: ours was put */
};

/* Values have names of their own: a counter "a" and a value "a" are two. */
struct mfx_store_call *mfx_store_begin_value(struct mfx_store *store,
                                             enum mfx_store_value_op op,
                                             struct mfx_str name,
                                             struct mfx_str bytes,
                                             uint64_t lifetime_ms);
/* MFX_NOTFOUND: GET or DELETE of what is not there. */
enum mfx_rc mfx_store_call_end_value(struct mfx_store_call *call,
                                     struct mfx_arena *arena,
                                     struct mfx_store_value *value,
                                     struct mfx_err *err);

/* --- life --- */

struct mfx_store_health {
    const char *kind; /* "memory", "sqlite", "redis" */
    bool is_up;
    uint64_t since_ms; /* of is_up, since 1970 */
    char where[200];   /* file, or the server in use */
    char error[300];   /* the last one; empty: none yet */
    uint64_t calls, failures, outstanding;
    uint64_t reconnects, failovers; /* redis */
    uint64_t counters;              /* in memory now */
    uint64_t memory_bytes, file_bytes;
};

void mfx_store_health(struct mfx_store *store, struct mfx_store_health *health);

/* Carries out what was begun (for at most wait_ms), then frees. */
void mfx_store_close(struct mfx_store *store, uint64_t wait_ms);

MFX_API_END

#endif
