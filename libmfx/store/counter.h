/* SPDX-License-Identifier: BSD-2-Clause
 *
 * counter - what one counter has counted (not installed)
 *
 * Pure: times come in, numbers come out; no file, no threads. Windows are
 * known by shape and span; what is counted stays when a limit changes.
 *
 *     mfx_counter_become(counter, use->kind, now);
 *     mfx_counter_measure(counter, window, &now, &ask, &level);
 *     if (mfx_counter_prepare(counter, use->windows, use->window_count, &now))
 *         mfx_counter_add(counter, window, &now, amount);
 *
 * SLIDING: the span's last 61 parts, part = floor(time * 60 / span); a part is
 * forgotten as a whole when all of it is a span ago. FIXED: the last periods,
 * so that a clock stepped back and forth counts each of them rightly. BUCKET:
 * a level in exact fractions, drained at the rate of the limit asked with.
 *
 * Elements (DISTINCT, FIRST) are kept by the caller, each with the time it was
 * last seen; the counter says whether a window counts one already.
 *
 * Ownership: the caller's storage, init/fini; the parts are heap memory.
 * Errors: prepare and decode may fail (out of memory, damaged); what was
 * prepared can be added without failing. Threads: one at a time.
 * Limits: MFX_COUNTER_WINDOWS_MAX windows, the one used longest ago goes first.
 */
#ifndef MFX_STORE_COUNTER_H
#define MFX_STORE_COUNTER_H

#include <mfx/base/buf.h>
#include <mfx/store/store.h>

enum {
    MFX_COUNTER_WINDOWS_MAX = 2 * MFX_STORE_WINDOWS_MAX,
    MFX_COUNTER_PERIODS_MAX = 6,
    MFX_COUNTER_PARTS_MAX = 2 * MFX_STORE_STEPS + 1, /* a span ahead, too */
    MFX_COUNTER_CODE_MAX = 64 * 1024,
};

/* Times a counter can hold, in milliseconds: far beyond the year 9999. */
#define MFX_COUNTER_TIME_MAX (UINT64_C(1) << 53)

struct mfx_counter_clock {
    uint64_t store_ms; /* never goes back, whatever the wall clock does */
    uint64_t wall_s;   /* since 1970: for calendars, and for answers */
};

struct mfx_counter_part {
    uint64_t index, amount;
};

struct mfx_counter_period {
    uint64_t begin_s, end_s, amount;
    uint64_t since_ms; /* elements seen since then are in amount */
};

struct mfx_counter_window {
    enum mfx_store_shape shape;
    uint64_t span_ms;
    uint64_t last_ms;    /* the last use; 0: none */
    uint64_t expires_ms; /* it remembers nothing from then on */
    uint64_t since_ms;   /* elements seen since then are counted */
    /* When `soft` and a refusal were told: time (FIXED: the period's begin)
     * and 1; 0: never. */
    uint64_t soft_mark, full_mark;
    struct mfx_counter_part *parts;     /* SLIDING: ascending by index */
    struct mfx_counter_period *periods; /* FIXED: the current one first */
    size_t count, room;                 /* of parts or periods */
    /* BUCKET: level + fraction / span_ms at at_ms, and the limit then */
    uint64_t level, fraction, at_ms, limit;
};

struct mfx_counter {
    enum mfx_store_kind kind;
    struct mfx_counter_window *windows;
    size_t window_count;
    uint64_t begun_ms;  /* elements seen until then are forgotten */
    uint64_t memory_ms; /* elements are kept that long, at least */
    char *override;
    size_t override_len;
    uint64_t override_until_ms; /* store_ms; 0: without an end */
};

void mfx_counter_init(struct mfx_counter *counter, enum mfx_store_kind kind);
void mfx_counter_fini(struct mfx_counter *counter);
/* Heap memory behind it, about. */
size_t mfx_counter_bytes(const struct mfx_counter *counter);

/* True when it has counted as another kind; that is forgotten. */
bool mfx_counter_become(struct mfx_counter *counter, enum mfx_store_kind kind,
                        const struct mfx_counter_clock *now);
/* Forgets what is counted; the override stays. */
void mfx_counter_reset(struct mfx_counter *counter,
                       const struct mfx_counter_clock *now);

/* What is asked of one window. */
struct mfx_counter_ask {
    uint64_t amount;      /* that is not counted yet */
    uint64_t free_amount; /* what free_at_ms is about */
    uint64_t reserved;    /* by others */
    /* DISTINCT: when those asked elements were last seen that the window counts
     * already: asked again, they do not leave it. */
    const uint64_t *seen_ms;
    size_t seen_count;
};

/* Everything of the level but what is due. */
void mfx_counter_measure(const struct mfx_counter *counter,
                         const struct mfx_store_window *window,
                         const struct mfx_counter_clock *now,
                         const struct mfx_counter_ask *ask,
                         struct mfx_store_level *level);

/* True when the window counts an element already that was last seen at seen_ms
 * (0: never): it adds nothing. memory_ms: FIRST. */
bool mfx_counter_has_element(const struct mfx_counter *counter,
                             const struct mfx_store_window *window,
                             uint64_t memory_ms,
                             const struct mfx_counter_clock *now,
                             uint64_t seen_ms);
/* When an element that is counted now is seen: just behind a reset, too. Add
 * and move are told that time, so that the window has it where it is looked
 * for when it is seen again. */
uint64_t mfx_counter_seen_ms(const struct mfx_counter *counter,
                             const struct mfx_counter_clock *now);
/* DISTINCT: elements seen at the time at were counted in the use's windows: one
 * that began later knows them from now on. */
void mfx_counter_reach_back(struct mfx_counter *counter,
                            const struct mfx_store_use *use,
                            const struct mfx_counter_clock *at);
/* Until when an element seen now matters (store_ms); a reset is remembered as
 * long. */
uint64_t mfx_counter_keep_elements(struct mfx_counter *counter,
                                   const struct mfx_store_use *use,
                                   const struct mfx_counter_clock *now);

/* Makes room for one use in each window; false when out of memory. */
bool mfx_counter_prepare(struct mfx_counter *counter,
                         const struct mfx_store_window *windows, size_t count,
                         const struct mfx_counter_clock *now) MFX_NODISCARD;

/* Counts amount at the time at (now, or earlier: what the window does not
 * remember any more is left out). */
void mfx_counter_add(struct mfx_counter *counter,
                     const struct mfx_store_window *window,
                     const struct mfx_counter_clock *now,
                     const struct mfx_counter_clock *at, uint64_t amount);
/* DISTINCT: an element that the window counts is seen again. */
void mfx_counter_move(struct mfx_counter *counter,
                      const struct mfx_store_window *window,
                      const struct mfx_counter_clock *at, uint64_t seen_ms);

/* True the first time in a window; the window must be prepared. */
bool mfx_counter_mark_soft(struct mfx_counter *counter,
                           const struct mfx_store_window *window,
                           const struct mfx_counter_clock *now);
bool mfx_counter_mark_full(struct mfx_counter *counter,
                           const struct mfx_store_window *window,
                           const struct mfx_counter_clock *now);

/* lifetime_ms 0: without an end; empty text: none. False: out of memory. */
bool
mfx_counter_set_override(struct mfx_counter *counter, struct mfx_str text,
                         uint64_t lifetime_ms,
                         const struct mfx_counter_clock *now) MFX_NODISCARD;
/* What stands there now; *until_ms: since 1970, 0: without an end. */
struct mfx_str mfx_counter_override(const struct mfx_counter *counter,
                                    const struct mfx_counter_clock *now,
                                    uint64_t *until_ms);

/* Fills in windows (at most MFX_STORE_WINDOWS_MAX), override. */
void mfx_counter_row(const struct mfx_counter *counter,
                     const struct mfx_counter_clock *now,
                     struct mfx_store_row *row);

/* When nothing is remembered any more (store_ms); 0: nothing now,
 * MFX_COUNTER_TIME_MAX: always. */
uint64_t mfx_counter_expires(const struct mfx_counter *counter,
                             const struct mfx_counter_clock *now);

/* --- as bytes (counter_code.c) --- */

void mfx_counter_encode(const struct mfx_counter *counter, struct mfx_buf *out);
/* Into a counter that was init; PERMFAIL: damaged, TEMPFAIL: out of memory; it
 * is empty then. Decoded and encoded again the bytes are the same. */
enum mfx_rc mfx_counter_decode(struct mfx_str bytes,
                               struct mfx_counter *counter) MFX_NODISCARD;

/* --- one window (counter_window.c) --- */

struct mfx_counter_window *
mfx_counter_window_find(const struct mfx_counter *counter,
                        enum mfx_store_shape shape, uint64_t span_ms);
/* The number of the part that holds the time. */
uint64_t mfx_counter_part(uint64_t span_ms, uint64_t store_ms);
/* The first millisecond at which no span holds anything of the part. */
uint64_t mfx_counter_part_leaves_ms(uint64_t span_ms, uint64_t index);
/* window may be NULL: nothing counted. */
uint64_t mfx_counter_window_used(const struct mfx_counter_window *window,
                                 const struct mfx_store_window *asked,
                                 const struct mfx_counter_clock *now);
uint64_t mfx_counter_window_free_at(const struct mfx_counter_window *window,
                                    const struct mfx_store_window *asked,
                                    const struct mfx_counter_clock *now,
                                    const struct mfx_counter_ask *ask);
void mfx_counter_window_add(struct mfx_counter_window *window,
                            const struct mfx_store_window *asked,
                            const struct mfx_counter_clock *now,
                            const struct mfx_counter_clock *at,
                            uint64_t amount);
/* Without a limit and a calendar, for lists. */
uint64_t mfx_counter_window_shown(const struct mfx_counter_window *window,
                                  const struct mfx_counter_clock *now);
bool mfx_counter_window_mark(struct mfx_counter_window *window,
                             const struct mfx_store_window *asked,
                             const struct mfx_counter_clock *now,
                             uint64_t *mark);
/* Room for one more part or period. */
bool mfx_counter_window_prepare(struct mfx_counter_window *window,
                                const struct mfx_counter_clock *now);
/* SLIDING: takes 1 from the part. */
void mfx_counter_window_take_one(struct mfx_counter_window *window,
                                 uint64_t index);

static inline uint64_t
mfx_counter_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
