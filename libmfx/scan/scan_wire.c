/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_wire.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/env.h>

enum {
    IN_FIRST = 4096,
    READS_MAX = 4,        /* in a row; then the others' turn */
    WRITES_MAX = 4,       /* likewise */
    GATHERED = 16 * 1024, /* so much is said before it is sent */
    PROBE_MS = 5000,      /* for an answer, when it is connected */
    IDLE_MAX = 8,         /* connections to one server */
    OUT_MAX = 2 * MFX_SCAN_WIRE_OUT,
};

/* --- talks --- */

static struct mfx_scan_talk *
of_watch(struct mfx_scan_watch *watch)
{
    return (struct mfx_scan_talk *)watch;
}

static void
forget(struct mfx_scan_talk *talk)
{
    if (talk->wire->ops->forget != NULL)
        talk->wire->ops->forget(talk);
    memset(talk->state, 0, talk->wire->ops->state_size);
}

static void
free_talk(struct mfx_scan_talk *talk)
{
    struct mfx_scan_wire *w = talk->wire;
    mfx_scan_loop_unwatch(w->engine.loop, &talk->watch);
    if (talk->prev != NULL)
        talk->prev->next = talk->next;
    else
        w->talks = talk->next;
    if (talk->next != NULL)
        talk->next->prev = talk->prev;
    mfx_stream_close(talk->stream);
    forget(talk);
    mfx_buf_fini(&talk->out);
    mfx_buf_fini(&talk->in);
    free(talk->state);
    free(talk);
}

static void on_ready(struct mfx_scan_watch *watch, short revents,
                     uint64_t now_ms);

/* The loop ends: scans have ended by themselves, or will. */
static void
on_stop(struct mfx_scan_watch *watch)
{
    struct mfx_scan_talk *talk = of_watch(watch);
    if (talk->scan == NULL)
        free_talk(talk);
}

static struct mfx_scan_talk *
new_talk(struct mfx_scan_wire *wire, unsigned server)
{
    struct mfx_scan_talk *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->state = calloc(1, wire->ops->state_size + 1);
    if (t->state == NULL) {
        free(t);
        return NULL;
    }
    t->wire = wire;
    t->server = server;
    t->watch = (struct mfx_scan_watch){
        .fd = -1, .due_ms = UINT64_MAX, .ready = on_ready, .stop = on_stop};
    /* the protocol's own words around a piece of the message */
    mfx_buf_init(&t->out, OUT_MAX);
    mfx_buf_init(&t->in, wire->engine.settings.max_answer + 1);
    t->next = wire->talks;
    if (wire->talks != NULL)
        wire->talks->prev = t;
    wire->talks = t;
    return t;
}

/* For the next request; the connection may be new or used. */
static void
reset(struct mfx_scan_talk *talk, struct mfx_scan *scan, uint64_t now_ms)
{
    forget(talk);
    mfx_buf_clear(&talk->out);
    mfx_buf_clear(&talk->in);
    talk->out_at = 0;
    talk->scan = scan;
    talk->is_idle = talk->is_said = talk->is_over = talk->keeps = false;
    talk->is_finishing = talk->is_passing = talk->wants_again = false;
    talk->pass_fd = -1;
    talk->begun_ms = now_ms;
    talk->body_at = 0;
    talk->words.msg[0] = '\0';
}

void
mfx_scan_talk_end(struct mfx_scan_talk *talk, enum mfx_scan_end end,
                  const char *format, ...)
{
    va_list args;
    if (talk->is_over)
        return;
    talk->is_over = true;
    talk->end = end;
    va_start(args, format);
    (void)vsnprintf(talk->words.msg, sizeof talk->words.msg, format, args);
    va_end(args);
}

/* --- the end of a request --- */

static size_t
count_idle(const struct mfx_scan_wire *wire, unsigned server)
{
    size_t count = 0;
    for (const struct mfx_scan_talk *t = wire->talks; t != NULL; t = t->next)
        count += t->is_idle && t->server == server;
    return count;
}

/* Keeps the connection, or not. */
static void
put_away(struct mfx_scan_talk *talk, uint64_t now_ms)
{
    struct mfx_scan_wire *w = talk->wire;
    bool is_kept = talk->keeps && talk->end == MFX_SCAN_ANSWERED &&
                   w->engine.settings.idle_ms > 0 &&
                   count_idle(w, talk->server) < IDLE_MAX;
    if (!is_kept) {
        free_talk(talk);
        return;
    }
    reset(talk, NULL, now_ms);
    talk->is_idle = true;
    talk->uses++;
    talk->watch.due_ms = now_ms + w->engine.settings.idle_ms;
    struct pollfd p = {.fd = -1};
    mfx_stream_poll(talk->stream, true, false, &p);
    talk->watch.fd = p.fd;
    talk->watch.events = p.events;
}

static void
settle(struct mfx_scan_talk *talk, uint64_t now_ms)
{
    struct mfx_scan *scan = talk->scan;
    struct mfx_scan_engine *engine = &talk->wire->engine;
    enum mfx_scan_end end = talk->end;
    unsigned server = talk->server;
    struct mfx_err words = talk->words;
    if (scan != NULL)
        scan->attempt = NULL;
    if (scan == NULL)
        talk->keeps = false;
    put_away(talk, now_ms);
    if (scan != NULL)
        mfx_scan_attempt_end(scan, end, words.msg);
    else
        mfx_scan_probe_end(engine, server, end == MFX_SCAN_ANSWERED, words.msg);
}

/* A used connection may have been closed just then: that says nothing. */
static bool
is_stale(const struct mfx_scan_talk *talk)
{
    return talk->end == MFX_SCAN_UNREACHED && talk->uses > 0 &&
           talk->in.len == 0;
}

static bool
begin_anew(struct mfx_scan_talk *talk, uint64_t now_ms)
{
    struct mfx_scan_wire *w = talk->wire;
    bool wants_again = talk->wants_again && !talk->is_again;
    if (talk->scan == NULL || (!is_stale(talk) && !wants_again))
        return false;
    talk->is_again = wants_again;
    mfx_stream_close(talk->stream);
    reset(talk, talk->scan, now_ms);
    talk->uses = 0;
    talk->is_open = false;
    talk->stream = mfx_stream_open(w->peers[talk->server], w->tls,
                                   now_ms + w->engine.settings.connect_ms);
    return talk->stream != NULL;
}

/* --- reading --- */

static void
take(struct mfx_scan_talk *talk, struct mfx_str bytes)
{
    mfx_buf_add(&talk->in, bytes);
    if (!mfx_buf_ok(&talk->in) ||
        talk->in.len > talk->wire->engine.settings.max_answer)
        mfx_scan_talk_end(
            talk, MFX_SCAN_BROKEN, "%s: the answer is too long",
            mfx_stream_peer_text(talk->wire->peers[talk->server]));
    else
        talk->wire->ops->hear(talk);
}

/* What is there. False when the connection has ended. */
static bool
read_some(struct mfx_scan_talk *talk)
{
    char *scratch = mfx_scan_loop_scratch(talk->wire->engine.loop);
    for (int i = 0; i < READS_MAX && !talk->is_over; i++) {
        size_t got;
        enum mfx_stream_io io = mfx_stream_try_read(
            talk->stream, scratch, MFX_SCAN_LOOP_SCRATCH, &got);
        if (io == MFX_STREAM_AGAIN)
            return true;
        if (io != MFX_STREAM_DONE)
            return false;
        take(talk, mfx_str(scratch, got));
    }
    return true;
}

/* --- writing --- */

static enum mfx_stream_io
write_rest(struct mfx_scan_talk *talk)
{
    while (talk->out_at < talk->out.len) {
        size_t put;
        enum mfx_stream_io io = mfx_stream_try_write(
            talk->stream, mfx_str_from(mfx_buf_str(&talk->out), talk->out_at),
            &put);
        if (io != MFX_STREAM_DONE)
            return io;
        talk->out_at += put;
    }
    mfx_buf_clear(&talk->out);
    talk->out_at = 0;
    if (talk->is_passing) {
        enum mfx_stream_io io =
            mfx_stream_try_pass(talk->stream, talk->pass_fd);
        if (io != MFX_STREAM_DONE)
            return io;
        talk->is_passing = false;
    }
    if (!talk->is_said || !talk->is_finishing)
        return MFX_STREAM_DONE;
    enum mfx_stream_io io = mfx_stream_try_finish(talk->stream);
    if (io == MFX_STREAM_DONE)
        talk->is_finishing = false;
    return io;
}

/* Asks the protocol for more. False: it has no more now. */
static bool
say_once(struct mfx_scan_talk *talk)
{
    enum mfx_scan_said said = talk->wire->ops->say(talk);
    if (!mfx_buf_ok(&talk->out))
        mfx_scan_talk_end(talk, MFX_SCAN_NOT_ASKED, "out of memory");
    switch (said) {
    case MFX_SCAN_SAID_MORE:
        return true;
    case MFX_SCAN_SAID_WAIT:
        return false;
    case MFX_SCAN_SAID_ALL:
        talk->is_said = true;
        break;
    case MFX_SCAN_SAID_FINISH:
        talk->is_said = talk->is_finishing = true;
        break;
    case MFX_SCAN_SAID_PASS:
        talk->is_passing = true;
        break;
    }
    return false;
}

/* What is said in small pieces goes out in one. False: there is nothing to be
 * written now. */
static bool
say_more(struct mfx_scan_talk *talk)
{
    bool has_more = true;
    if (talk->is_said || talk->is_over)
        return false;
    for (int i = 0; i < WRITES_MAX && has_more && !talk->is_over &&
                    talk->out.len < GATHERED;
         i++)
        has_more = say_once(talk);
    return has_more || talk->out.len > 0 || talk->is_said || talk->is_passing;
}

/* As far as it goes: DONE: nothing is left to write now, AGAIN: there is. */
static enum mfx_stream_io
write_some(struct mfx_scan_talk *talk)
{
    for (int i = 0; i < WRITES_MAX && !talk->is_over; i++) {
        enum mfx_stream_io io = write_rest(talk);
        if (io != MFX_STREAM_DONE)
            return io;
        if (!say_more(talk))
            return MFX_STREAM_DONE;
    }
    return MFX_STREAM_AGAIN;
}

/* --- a round --- */

static void
fail(struct mfx_scan_talk *talk)
{
    mfx_scan_talk_end(talk, MFX_SCAN_UNREACHED, "%s",
                      mfx_stream_error(talk->stream));
}

static uint64_t
attempt_until(const struct mfx_scan_talk *talk)
{
    return talk->scan != NULL ? talk->scan->attempt_until_ms
                              : talk->begun_ms + PROBE_MS +
                                    talk->wire->engine.settings.connect_ms;
}

/* What to wait for next. */
static void
arm(struct mfx_scan_talk *talk, bool writes)
{
    struct pollfd p = {.fd = -1};
    uint64_t due_ms = attempt_until(talk);
    mfx_stream_poll(talk->stream, true, writes, &p);
    talk->watch.fd = p.fd;
    talk->watch.events = p.events;
    if (!talk->is_open && mfx_stream_due_ms(talk->stream) < due_ms)
        due_ms = mfx_stream_due_ms(talk->stream);
    talk->watch.due_ms = due_ms;
}

/* True when it stands. */
static bool
open_some(struct mfx_scan_talk *talk)
{
    if (talk->is_open)
        return true;
    switch (mfx_stream_try_open(talk->stream)) {
    case MFX_STREAM_DONE:
        talk->is_open = true;
        return true;
    case MFX_STREAM_AGAIN:
        arm(talk, false);
        return false;
    case MFX_STREAM_END:
    case MFX_STREAM_FAILED:
        break;
    }
    fail(talk);
    return false;
}

static void
hear_the_end(struct mfx_scan_talk *talk)
{
    if (!talk->is_over)
        talk->wire->ops->cut(talk);
    fail(talk);
}

/* What it said before it stopped to listen. */
static void
hear_the_rest(struct mfx_scan_talk *talk)
{
    for (int i = 0; i < 100 && !talk->is_over; i++) {
        char *scratch = mfx_scan_loop_scratch(talk->wire->engine.loop);
        size_t got;
        if (mfx_stream_try_read(talk->stream, scratch, MFX_SCAN_LOOP_SCRATCH,
                                &got) != MFX_STREAM_DONE)
            break;
        take(talk, mfx_str(scratch, got));
    }
    hear_the_end(talk);
}

static void
converse(struct mfx_scan_talk *talk, short revents)
{
    bool may_read = revents != 0 || talk->wire->tls != NULL;
    if (may_read && !read_some(talk)) {
        hear_the_end(talk);
        return;
    }
    enum mfx_stream_io io = write_some(talk);
    if (talk->is_over)
        return;
    if (talk->is_said && talk->out.len == 0) {
        mfx_buf_fini(&talk->out); /* an answer may take long */
        mfx_buf_init(&talk->out, OUT_MAX);
    }
    if (io == MFX_STREAM_FAILED || io == MFX_STREAM_END)
        hear_the_rest(talk);
    else
        arm(talk, io == MFX_STREAM_AGAIN);
}

static void
go_on(struct mfx_scan_talk *talk, short revents, uint64_t now_ms)
{
    do {
        if (!talk->is_over && now_ms >= attempt_until(talk))
            mfx_scan_talk_end(
                talk, MFX_SCAN_TIMEOUT, "%s: no answer in time",
                mfx_stream_peer_text(talk->wire->peers[talk->server]));
        bool was_open = talk->is_open;
        if (!talk->is_over && open_some(talk))
            converse(talk, was_open ? revents : (short)0);
        if (!talk->is_over)
            return;
        revents = 0;
    } while (begin_anew(talk, now_ms));
    settle(talk, now_ms);
}

static void
on_ready(struct mfx_scan_watch *watch, short revents, uint64_t now_ms)
{
    struct mfx_scan_talk *talk = of_watch(watch);
    if (talk->is_idle) /* closed, or old, or it says something unasked */
        free_talk(talk);
    else
        go_on(talk, revents, now_ms);
}

/* --- what the engine is asked to do --- */

static struct mfx_scan_wire *
wire_of(struct mfx_scan_engine *engine)
{
    return (struct mfx_scan_wire *)engine;
}

static struct mfx_scan_talk *
find_idle(const struct mfx_scan_wire *wire, unsigned server)
{
    struct mfx_scan_talk *t = wire->talks;
    while (t != NULL && !(t->is_idle && t->server == server))
        t = t->next;
    return t;
}

static struct mfx_scan_talk *
open_talk(struct mfx_scan_wire *wire, unsigned server, uint64_t now_ms)
{
    struct mfx_scan_talk *talk = new_talk(wire, server);
    if (talk == NULL)
        return NULL;
    talk->stream = mfx_stream_open(wire->peers[server], wire->tls,
                                   now_ms + wire->engine.settings.connect_ms);
    if (talk->stream == NULL ||
        !mfx_scan_loop_watch(wire->engine.loop, &talk->watch)) {
        free_talk(talk);
        return NULL;
    }
    return talk;
}

void
mfx_scan_wire_ask(struct mfx_scan *scan, uint64_t now_ms)
{
    struct mfx_scan_wire *w = wire_of(scan->engine);
    struct mfx_scan_talk *talk = find_idle(w, scan->server);
    if (talk == NULL)
        talk = open_talk(w, scan->server, now_ms);
    scan->attempt = talk;
    if (talk != NULL)
        talk->is_again = false;
    if (talk == NULL) {
        scan->timer.due_ms = now_ms; /* it cannot even be tried */
        return;
    }
    reset(talk, scan, now_ms);
    /* the loop goes on with it at once; ending it here is not allowed */
    talk->watch.fd = -1;
    talk->watch.due_ms = now_ms;
}

void
mfx_scan_wire_grown(struct mfx_scan *scan, uint64_t now_ms)
{
    struct mfx_scan_talk *talk = scan->attempt;
    if (talk != NULL)
        go_on(talk, 0, now_ms);
}

void
mfx_scan_wire_drop(struct mfx_scan *scan)
{
    struct mfx_scan_talk *talk = scan->attempt;
    scan->attempt = NULL;
    if (talk != NULL)
        free_talk(talk);
}

void
mfx_scan_wire_probe(struct mfx_scan_engine *engine, unsigned server,
                    uint64_t now_ms)
{
    struct mfx_scan_talk *talk = open_talk(wire_of(engine), server, now_ms);
    if (talk == NULL) {
        mfx_scan_probe_end(engine, server, false, "out of memory");
        return;
    }
    reset(talk, NULL, now_ms);
    talk->watch.due_ms = now_ms;
}

void
mfx_scan_wire_close(struct mfx_scan_engine *engine)
{
    struct mfx_scan_talk *talk = wire_of(engine)->talks;
    while (talk != NULL) {
        struct mfx_scan_talk *next = talk->next;
        if (talk->scan == NULL)
            free_talk(talk);
        talk = next;
    }
}

/* --- life --- */

static enum mfx_rc
make_peers(struct mfx_scan_wire *wire,
           const struct mfx_scan_engine_settings *settings,
           unsigned default_port, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < settings->server_count && rc == MFX_OK; i++) {
        if (i == MFX_SCAN_SERVERS_MAX)
            break; /* refused later, with all other settings */
        rc = mfx_stream_peer_new(settings->servers[i].address, default_port,
                                 &wire->peers[i], err);
    }
    return rc;
}

static void
drop_peers(struct mfx_scan_wire *wire)
{
    for (size_t i = 0; i < MFX_SCAN_SERVERS_MAX; i++)
        mfx_stream_peer_free(wire->peers[i]);
    mfx_stream_tls_free(wire->tls);
}

enum mfx_rc
mfx_scan_wire_init(struct mfx_scan_wire *wire,
                   const struct mfx_scan_engine_ops *engine_ops,
                   const struct mfx_scan_wire_ops *ops,
                   struct mfx_scan_loop *loop,
                   const struct mfx_scan_engine_settings *settings,
                   unsigned default_port, struct mfx_err *err)
{
    wire->ops = ops;
    wire->tls =
        settings->tls == NULL ? NULL : mfx_stream_tls_hold(settings->tls);
    enum mfx_rc rc = make_peers(wire, settings, default_port, err);
    if (rc == MFX_OK) /* last: it may be asked at once */
        rc = mfx_scan_engine_init(&wire->engine, engine_ops, loop, settings,
                                  err);
    if (rc != MFX_OK)
        drop_peers(wire);
    return rc;
}

void
mfx_scan_wire_fini(struct mfx_scan_wire *wire)
{
    drop_peers(wire);
    mfx_scan_engine_fini(&wire->engine);
}

/* --- the message --- */

enum mfx_scan_piece
mfx_scan_talk_piece(struct mfx_scan_talk *talk, char *to, size_t max,
                    size_t *len)
{
    enum mfx_scan_piece piece =
        mfx_scan_piece(talk->scan, &talk->body_at, to, max, len);
    if (piece == MFX_SCAN_PIECE_LOST)
        mfx_scan_talk_end(talk, MFX_SCAN_UNSTORED, "it cannot be read again");
    else if (piece == MFX_SCAN_PIECE_TOO_LARGE)
        mfx_scan_talk_end(talk, MFX_SCAN_TOO_LARGE, "larger than max_size");
    return piece;
}
