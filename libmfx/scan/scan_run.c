/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way of a scan on the loop's thread: the message, its turn, a server,
 * another server, the end. */
#include <mfx/scan/scan_impl.h>

#include <stdlib.h>

#include <mfx/base/env.h>

static void start(struct mfx_scan *scan, uint64_t now_ms);

/* --- the queue --- */

static void
enqueue(struct mfx_scan *scan)
{
    struct mfx_scan_engine *e = scan->engine;
    scan->state = MFX_SCAN_STATE_QUEUED;
    scan->next = NULL;
    scan->prev = e->last;
    if (e->last != NULL)
        e->last->next = scan;
    else
        e->first = scan;
    e->last = scan;
    atomic_fetch_add(&e->queued, 1);
}

static void
enqueue_first(struct mfx_scan *scan)
{
    struct mfx_scan_engine *e = scan->engine;
    scan->prev = NULL;
    scan->next = e->first;
    if (e->first != NULL)
        e->first->prev = scan;
    else
        e->last = scan;
    e->first = scan;
    atomic_fetch_add(&e->queued, 1);
}

static void
dequeue(struct mfx_scan *scan)
{
    struct mfx_scan_engine *e = scan->engine;
    if (scan->prev != NULL)
        scan->prev->next = scan->next;
    else
        e->first = scan->next;
    if (scan->next != NULL)
        scan->next->prev = scan->prev;
    else
        e->last = scan->prev;
    atomic_fetch_sub(&e->queued, 1);
}

static bool
has_room(const struct mfx_scan_engine *e)
{
    return e->settings.max_requests == 0 ||
           atomic_load(&e->running) < e->settings.max_requests;
}

/* Those that wait, as far as there is somebody to ask. */
static void
run_queue(struct mfx_scan_engine *e, uint64_t now_ms)
{
    size_t count = atomic_load(&e->queued);
    while (count-- > 0 && e->first != NULL && has_room(e)) {
        struct mfx_scan *scan = e->first;
        dequeue(scan);
        start(scan, now_ms);
        if (e->last == scan && scan->state == MFX_SCAN_STATE_QUEUED) {
            dequeue(scan); /* nobody has a hand free: it stays the first */
            enqueue_first(scan);
            break;
        }
    }
}

/* --- the end --- */

static struct mfx_str
keep_text(struct mfx_scan *scan, const char *text)
{
    struct mfx_str s = mfx_arena_copy(scan->arena, mfx_str_of(text));
    return s.p == NULL ? mfx_str("", 0) : s;
}

static uint64_t
since(uint64_t then_ms, uint64_t now_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

static void
end_scan(struct mfx_scan *scan, enum mfx_scan_end end, const char *words,
         uint64_t now_ms)
{
    struct mfx_scan_result *r = &scan->result;
    unsigned tries = r->tries;
    if (scan->state == MFX_SCAN_STATE_QUEUED)
        dequeue(scan);
    scan->state = MFX_SCAN_STATE_OVER;
    mfx_scan_body_unwatch(scan->request.body, &scan->watcher);
    mfx_scan_loop_unwatch(scan->engine->loop, &scan->timer);
    if (end != MFX_SCAN_ANSWERED) {
        mfx_scan_result_clear(r);
        r->words = keep_text(scan, words);
    }
    r->end = end;
    r->tries = tries;
    if (tries > 0)
        r->server = keep_text(
            scan, mfx_scan_pool_name(scan->engine->pool, scan->server));
    r->took_ms =
        since(scan->is_whole ? scan->whole_ms : scan->begun_ms, now_ms);
    mfx_event_set(&scan->done);
    mfx_scan_release(scan);
}

/* --- attempts --- */

static void
give_back(struct mfx_scan *scan, enum mfx_scan_end end, const char *words,
          uint64_t now_ms)
{
    struct mfx_scan_engine *e = scan->engine;
    uint64_t from_ms = scan->asked_ms;
    if (scan->is_whole && scan->whole_ms > from_ms)
        from_ms = scan->whole_ms; /* the rest was the sender's time */
    scan->attempt = NULL;
    atomic_fetch_sub(&e->running, 1);
    mfx_scan_pool_give(e->pool, scan->server, end, words,
                       since(from_ms, now_ms), now_ms);
    uint64_t due_ms = mfx_scan_pool_due_ms(e->pool);
    if (due_ms < e->timer.due_ms)
        e->timer.due_ms = due_ms;
}

/* Nobody (else) can be asked now. */
static void
no_server(struct mfx_scan *scan, uint64_t now_ms)
{
    if (!scan->is_whole) {
        scan->is_late = true;
        scan->tried = 0;
        scan->state = MFX_SCAN_STATE_UNWHOLE;
    } else if (scan->result.tries == 0) {
        atomic_fetch_add(&scan->engine->turned_away, 1);
        end_scan(scan, MFX_SCAN_NOT_ASKED, "all servers are out", now_ms);
    } else {
        struct mfx_str words = scan->result.words;
        char text[sizeof(struct mfx_err)];
        size_t len = words.len < sizeof text ? words.len : sizeof text - 1;
        memcpy(text, words.len > 0 ? words.p : "", len);
        text[len] = '\0';
        end_scan(scan, scan->result.end, text, now_ms);
    }
}

static void
wait_turn(struct mfx_scan *scan, uint64_t now_ms)
{
    struct mfx_scan_engine *e = scan->engine;
    if (atomic_load(&e->queued) < e->settings.max_queue) {
        enqueue(scan);
        return;
    }
    atomic_fetch_add(&e->turned_away, 1);
    end_scan(scan, MFX_SCAN_NOT_ASKED, "too many are waiting", now_ms);
}

static bool
is_too_large(const struct mfx_scan *scan)
{
    const struct mfx_scan_engine_settings *s = &scan->engine->settings;
    return s->max_size > 0 && !s->scans_part &&
           mfx_scan_body_len(scan->request.body) > s->max_size;
}

/* While others could be asked, one that is silent does not get all the time. */
static void
limit_attempt(struct mfx_scan *scan)
{
    struct mfx_scan_engine *e = scan->engine;
    uint64_t limit_ms = e->settings.attempt_ms, from_ms = scan->asked_ms;
    scan->attempt_until_ms = UINT64_MAX;
    if (!scan->is_whole)
        return;
    if (scan->whole_ms > from_ms)
        from_ms = scan->whole_ms;
    uint32_t tried = scan->tried | UINT32_C(1) << scan->server;
    unsigned others = mfx_scan_pool_usable(e->pool, tried);
    if (limit_ms == 0 && others > 0 && scan->timer.due_ms > from_ms)
        limit_ms = (scan->timer.due_ms - from_ms) / (others + 1);
    if (limit_ms > 0)
        scan->attempt_until_ms = from_ms + limit_ms;
}

static bool
can_do(const struct mfx_scan *scan)
{
    const struct mfx_scan_engine *e = scan->engine;
    return scan->request.purpose == MFX_SCAN_CHECK ||
           (scan->request.purpose == MFX_SCAN_FORGET ? e->can_forget
                                                     : e->can_learn);
}

/* A short message is there at once or soon: it is sent in one go. */
static bool
is_short(struct mfx_scan *scan)
{
    size_t from = scan->engine->streams_from;
    if (mfx_scan_body_len(scan->request.body) >= from)
        return false;
    struct mfx_scan_body_state state =
        mfx_scan_body_await(scan->request.body, &scan->watcher, from);
    if (state.len < from && !state.is_whole)
        return true;
    mfx_scan_post(scan); /* it has grown since */
    return true;
}

/* Asks a server, or sees what it has to wait for. */
static void
start(struct mfx_scan *scan, uint64_t now_ms)
{
    struct mfx_scan_engine *e = scan->engine;
    scan->state = MFX_SCAN_STATE_UNWHOLE;
    if (!scan->is_whole && (e->wants_whole || scan->is_late || is_short(scan)))
        return;
    if (!can_do(scan)) {
        end_scan(scan, MFX_SCAN_NOT_ASKED, "it cannot learn", now_ms);
        return;
    }
    if (is_too_large(scan)) {
        end_scan(scan, MFX_SCAN_TOO_LARGE, "larger than max_size", now_ms);
        return;
    }
    enum mfx_scan_pick pick =
        has_room(e) ? mfx_scan_pool_pick(e->pool, scan->tried, &scan->server)
                    : MFX_SCAN_BUSY;
    switch (pick) {
    case MFX_SCAN_PICKED:
        atomic_fetch_add(&e->running, 1);
        scan->state = MFX_SCAN_STATE_ASKING;
        scan->asked_ms = now_ms;
        scan->result.tries++;
        limit_attempt(scan);
        e->ops->ask(scan, now_ms);
        break;
    case MFX_SCAN_BUSY:
        wait_turn(scan, now_ms);
        break;
    case MFX_SCAN_NONE:
        no_server(scan, now_ms);
        break;
    }
}

static bool
is_for_another(enum mfx_scan_end end)
{
    return end == MFX_SCAN_TIMEOUT || end == MFX_SCAN_UNREACHED ||
           end == MFX_SCAN_REFUSED || end == MFX_SCAN_BROKEN;
}

void
mfx_scan_attempt_end(struct mfx_scan *scan, enum mfx_scan_end end,
                     const char *words)
{
    struct mfx_scan_engine *e = scan->engine;
    uint64_t now_ms = mfx_mono_ms();
    /* an answer that did not fit was not understood */
    if (end == MFX_SCAN_ANSWERED && !mfx_arena_ok(scan->arena)) {
        end = MFX_SCAN_BROKEN;
        words = "the answer takes too much memory";
    }
    give_back(scan, end, words, now_ms);
    (void)mfx_scan_engine_hold(e); /* the scan may have the last share */
    if (!is_for_another(end)) {
        end_scan(scan, end, words, now_ms);
    } else {
        unsigned tries = scan->result.tries;
        mfx_scan_result_clear(&scan->result);
        scan->result.end = end;
        scan->result.words = keep_text(scan, words);
        scan->result.tries = tries;
        scan->tried |= UINT32_C(1) << scan->server;
        start(scan, now_ms);
    }
    run_queue(e, now_ms);
    mfx_scan_engine_free(e);
}

/* Ends a scan that may be asking. */
static void
abandon(struct mfx_scan *scan, enum mfx_scan_end end, const char *words,
        uint64_t now_ms)
{
    struct mfx_scan_engine *e = mfx_scan_engine_hold(scan->engine);
    if (scan->state == MFX_SCAN_STATE_ASKING) {
        e->ops->drop(scan);
        give_back(scan, end, words, now_ms);
    }
    end_scan(scan, end, words, now_ms);
    run_queue(e, now_ms);
    mfx_scan_engine_free(e);
}

/* --- the message --- */

/* How much may still be taken; *is_cut: the message goes on behind it. */
static size_t
allowed(const struct mfx_scan *scan, size_t len, size_t at, bool *is_cut)
{
    size_t max = scan->engine->settings.max_size;
    *is_cut = max > 0 && len > max;
    if (*is_cut)
        len = max;
    return len > at ? len - at : 0;
}

enum mfx_scan_piece
mfx_scan_piece(struct mfx_scan *scan, size_t *at, char *to, size_t max,
               size_t *len)
{
    struct mfx_scan_body *body = scan->request.body;
    bool is_cut = false;
    struct mfx_scan_body_state state =
        mfx_scan_body_await(body, &scan->watcher, 0);
    size_t left = allowed(scan, state.len, *at, &is_cut);
    *len = 0;
    if (is_cut && !scan->engine->settings.scans_part)
        return MFX_SCAN_PIECE_TOO_LARGE;
    if (left > 0) {
        *len = mfx_scan_body_read(body, *at, to, left < max ? left : max);
        *at += *len;
        return *len > 0 ? MFX_SCAN_PIECE : MFX_SCAN_PIECE_LOST;
    }
    if (is_cut)
        scan->result.is_partial = true;
    else if (state.has_failed) /* what there is is not all of it */
        return MFX_SCAN_PIECE_LOST;
    if (is_cut || state.is_whole)
        return MFX_SCAN_PIECE_END;
    /* it may have grown since we looked */
    state = mfx_scan_body_await(body, &scan->watcher, *at + 1);
    if (state.len > *at || state.is_whole)
        mfx_scan_post(scan);
    return MFX_SCAN_PIECE_WAIT;
}

/* --- what wakes a scan --- */

static struct mfx_scan *
of_timer(struct mfx_scan_watch *timer)
{
    return (struct mfx_scan *)(void *)((char *)timer -
                                       offsetof(struct mfx_scan, timer));
}

static void
on_deadline(struct mfx_scan_watch *timer, short revents, uint64_t now_ms)
{
    struct mfx_scan *scan = of_timer(timer);
    (void)revents;
    abandon(scan, MFX_SCAN_TIMEOUT,
            scan->state == MFX_SCAN_STATE_QUEUED
                ? "no server had a hand free in time"
                : "no answer in time",
            now_ms);
}

static void
on_stop(struct mfx_scan_watch *timer)
{
    abandon(of_timer(timer), MFX_SCAN_CANCELLED, "the daemon stops",
            mfx_mono_ms());
}

static void
on_grown(struct mfx_scan_body_watcher *watcher)
{
    struct mfx_scan *scan =
        (struct mfx_scan *)(void *)((char *)watcher -
                                    offsetof(struct mfx_scan, watcher));
    mfx_scan_post(scan);
}

/* How much of a message an engine waits for; SIZE_MAX: all of it. */
static size_t
first_want(const struct mfx_scan_engine *engine)
{
    return engine->wants_whole ? SIZE_MAX : engine->streams_from;
}

void
mfx_scan_await(struct mfx_scan *scan)
{
    struct mfx_scan_body *body = scan->request.body;
    size_t wanted = first_want(scan->engine);
    scan->watcher.grown = on_grown;
    mfx_scan_body_watch(body, &scan->watcher);
    struct mfx_scan_body_state state =
        mfx_scan_body_await(body, &scan->watcher, wanted);
    if (state.is_whole || state.len >= wanted)
        mfx_scan_post(scan);
}

/* False: it could not begin. */
static bool
begin(struct mfx_scan *scan, uint64_t now_ms)
{
    mfx_scan_result_clear(&scan->result);
    scan->begun_ms = now_ms;
    scan->timer = (struct mfx_scan_watch){
        .fd = -1, .due_ms = UINT64_MAX, .ready = on_deadline, .stop = on_stop};
    return mfx_scan_loop_watch(scan->engine->loop, &scan->timer);
}

/* The message: false when it cannot be scanned any more. */
static bool
look_at_body(struct mfx_scan *scan, uint64_t now_ms)
{
    struct mfx_scan_body_state state =
        mfx_scan_body_await(scan->request.body, &scan->watcher, 0);
    struct mfx_err err = {{0}};
    if (mfx_scan_body_check(scan->request.body, &err) != MFX_OK) {
        abandon(scan, MFX_SCAN_UNSTORED, err.msg, now_ms);
        return false;
    }
    if (state.is_whole && !scan->is_whole) {
        scan->is_whole = true;
        scan->whole_ms = state.whole_ms;
        scan->timer.due_ms = state.whole_ms + scan->request.time_ms;
        if (scan->state == MFX_SCAN_STATE_ASKING)
            limit_attempt(scan);
    }
    return true;
}

static bool
has_quit(struct mfx_scan *scan, uint64_t now_ms)
{
    enum mfx_scan_quit quits = (enum mfx_scan_quit)atomic_load(&scan->quits);
    if (quits == MFX_SCAN_STAYS)
        return false;
    /* the caller's clock and ours may differ by a moment */
    bool is_late =
        quits == MFX_SCAN_QUIT_LATE && now_ms + 50 >= scan->timer.due_ms;
    abandon(scan, is_late ? MFX_SCAN_TIMEOUT : MFX_SCAN_CANCELLED,
            is_late ? "no answer in time" : "nobody waits for it", now_ms);
    return true;
}

static bool
take_over(struct mfx_scan *scan)
{
    int bodys = MFX_SCAN_BODYS;
    return atomic_compare_exchange_strong(&scan->hands, &bodys,
                                          MFX_SCAN_LOOPS) ||
           bodys == MFX_SCAN_LOOPS;
}

static void
look(struct mfx_scan *scan, uint64_t now_ms)
{
    if (!take_over(scan) || scan->state == MFX_SCAN_STATE_OVER)
        return;
    if (scan->state == MFX_SCAN_STATE_NEW && !begin(scan, now_ms)) {
        end_scan(scan, MFX_SCAN_NOT_ASKED, "out of memory", now_ms);
        return;
    }
    if (has_quit(scan, now_ms) || !look_at_body(scan, now_ms))
        return;
    switch (scan->state) {
    case MFX_SCAN_STATE_NEW:
    case MFX_SCAN_STATE_UNWHOLE:
        start(scan, now_ms);
        break;
    case MFX_SCAN_STATE_ASKING:
        scan->engine->ops->grown(scan, now_ms);
        break;
    case MFX_SCAN_STATE_QUEUED:
    case MFX_SCAN_STATE_OVER:
        break;
    }
}

void
mfx_scan_run(struct mfx_scan_job *job)
{
    struct mfx_scan *scan =
        (struct mfx_scan *)(void *)((char *)job -
                                    offsetof(struct mfx_scan, job));
    look(scan, mfx_mono_ms());
    mfx_scan_release(scan); /* the job's share */
}
