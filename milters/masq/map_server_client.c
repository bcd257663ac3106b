/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mfx/base/log.h>
#include <mfx/mail/address.h>
#include <mfx/mail/address_rewrite.h>

#include "map_server_impl.h"

enum {
    IN_MAX = MASQ_MAP_REQUEST_MAX + 64,
    OUT_MAX = 16 * 1024,
    ARENA_MAX = 4 * 1024 * 1024,
    IDLE_MS = 5 * 60 * 1000,
    BUSY_MS = 30 * 1000,
    LOOK_MS = 5, /* an event of the store cannot be polled for */
};

struct masq_map_client {
    int fd;
    enum masq_map_form form;
    enum masq_map_name name; /* of the socket */
    char in[IN_MAX];
    size_t in_len;
    struct mfx_buf out;
    size_t sent;
    bool has_ended;  /* the peer sends no more */
    bool is_closing; /* nor do we take more */
    uint64_t until_ms, idle_since_ms;
    struct mfx_arena *arena; /* of one request */
    /* The request under way; loan NULL: none. */
    struct masq_map_request request;
    struct masq_map_loan *loan;
    struct masq_srs_call call;
    uint64_t answer_until_ms;
    bool is_refused; /* forged or too old: worth a line */
};

struct masq_map_client *
masq_map_client_new(int fd, const struct masq_map_socket *socket)
{
    struct masq_map_client *c = calloc(1, sizeof *c);
    struct mfx_arena *arena = mfx_arena_new(ARENA_MAX);
    if (c == NULL || arena == NULL) {
        mfx_arena_free(arena);
        free(c);
        (void)close(fd);
        return NULL;
    }
    c->fd = fd;
    c->form = socket->form;
    c->name = socket->name;
    c->arena = arena;
    c->idle_since_ms = mfx_mono_ms();
    c->until_ms = c->idle_since_ms + IDLE_MS;
    mfx_buf_init(&c->out, OUT_MAX);
    return c;
}

void
masq_map_client_free(struct masq_map_server *server, struct masq_map_client *c)
{
    struct masq_srs_answer unused;
    if (c->loan != NULL) {
        (void)!masq_srs_end(&c->call, &unused, NULL);
        masq_map_loan_give(server, c->loan);
    }
    (void)close(c->fd);
    mfx_buf_fini(&c->out);
    mfx_arena_free(c->arena);
    free(c);
}

/* --- replies --- */

static const char *
map_name(const struct masq_map_client *c)
{
    return c->request.name == MASQ_MAP_REVERSE ? "reverse" : "forward";
}

static void
log_answer(const struct masq_map_client *c, enum mfx_rc rc, struct mfx_str text)
{
    enum mfx_log_level level = rc == MFX_OK || c->is_refused ? MFX_LOG_INFO
                               : rc == MFX_NOTFOUND          ? MFX_LOG_DEBUG
                                                             : MFX_LOG_WARNING;
    struct mfx_log_line line;
    if (!mfx_log_wants(level))
        return;
    mfx_log_begin_daemon(&line, "map");
    mfx_log_add_text(&line, "name", map_name(c));
    mfx_log_add(&line, "key", c->request.key);
    mfx_log_add_text(&line, "answer", mfx_rc_name(rc));
    mfx_log_add(&line, rc == MFX_OK ? "value" : "reason", text);
    mfx_log_end(&line, level);
}

static void
reply(struct masq_map_server *server, struct masq_map_client *c, enum mfx_rc rc,
      struct mfx_str text)
{
    log_answer(c, rc, text);
    if (c->request.name != MASQ_MAP_UNKNOWN)
        atomic_fetch_add_explicit(
            &server->tally.answers[c->request.name == MASQ_MAP_REVERSE][rc], 1,
            memory_order_relaxed);
    masq_map_reply_write(c->form, rc, text, &c->out);
    c->is_closing |= !mfx_buf_ok(&c->out);
    c->in_len -= c->request.len;
    memmove(c->in, c->in + c->request.len, c->in_len);
    mfx_arena_reset(c->arena);
    c->is_refused = false;
}

static void
reply_text(struct masq_map_server *server, struct masq_map_client *c,
           enum mfx_rc rc, const char *text)
{
    reply(server, c, rc, mfx_str_of(text));
}

/* --- answers --- */

static void
reply_address(struct masq_map_server *server, struct masq_map_client *c,
              const struct masq_address *to)
{
    struct mfx_str spec;
    switch (mfx_address_spec_write(to->local, to->domain, c->arena, &spec)) {
    case MFX_OK:
        reply(server, c, MFX_OK, spec);
        return;
    case MFX_PERMFAIL:
        reply_text(server, c, MFX_NOTFOUND, "cannot be written");
        return;
    case MFX_NOTFOUND:
    case MFX_TEMPFAIL:
        reply_text(server, c, MFX_TEMPFAIL, "out of memory");
        return;
    }
}

static void
finish(struct masq_map_server *server, struct masq_map_client *c)
{
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    struct masq_map_loan *loan = c->loan;
    enum mfx_rc rc = masq_srs_end(&c->call, &answer, &err);
    c->loan = NULL;
    switch (rc) {
    case MFX_OK:
        reply_address(server, c, &answer.to);
        break;
    case MFX_NOTFOUND:
        reply_text(server, c, MFX_NOTFOUND, answer.text);
        break;
    case MFX_TEMPFAIL:
        reply_text(server, c, MFX_TEMPFAIL, err.msg);
        break;
    case MFX_PERMFAIL: /* the MTA is to know no such user */
        c->is_refused = true;
        reply(server, c, MFX_NOTFOUND,
              mfx_arena_printf(c->arena, "%s %s", answer.code, answer.text));
        break;
    }
    masq_map_loan_give(server, loan);
}

/* All of the key is one address with a domain. */
static enum mfx_rc
read_key(struct masq_map_client *c, struct masq_address *address)
{
    struct mfx_address_list list;
    struct mfx_str key = c->request.key;
    enum mfx_rc rc = mfx_address_list_parse(key, c->arena, 1, &list);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc != MFX_OK || list.mailboxes[0].raw.len != key.len ||
        list.mailboxes[0].domain.len == 0)
        return MFX_NOTFOUND;
    *address = (struct masq_address){list.mailboxes[0].local,
                                     list.mailboxes[0].domain};
    return MFX_OK;
}

/* MFX_OK: the call has begun. */
static enum mfx_rc
begin(struct masq_map_server *server, struct masq_map_client *c,
      const struct masq_map_loan *loan, struct mfx_str *why,
      struct mfx_err *err)
{
    struct masq_address address;
    uint64_t now = server->env.wall_s(&server->env);
    enum mfx_rc rc = read_key(c, &address);
    *why = mfx_str_of("not an address with a domain");
    if (rc != MFX_OK)
        return rc;
    if (c->request.name == MASQ_MAP_REVERSE) {
        masq_srs_begin_reverse(&loan->srs, loan->store, &address, now, c->arena,
                               &c->call);
        return MFX_OK;
    }
    rc = masq_srs_may_forward(&loan->srs, &address, c->arena, why, err);
    if (rc == MFX_OK)
        masq_srs_begin_forward(&loan->srs, loan->store, &address, now, c->arena,
                               &c->call);
    return rc;
}

static void
answer(struct masq_map_server *server, struct masq_map_client *c,
       uint64_t now_ms)
{
    struct mfx_str why;
    struct mfx_err err = {""};
    struct masq_map_loan *loan = masq_map_loan_take(server);
    if (loan == NULL) {
        reply_text(server, c, MFX_TEMPFAIL, "no SRS settings are in force");
        return;
    }
    enum mfx_rc rc = begin(server, c, loan, &why, &err);
    if (rc == MFX_OK) {
        c->loan = loan;
        c->answer_until_ms = now_ms + loan->timeout_ms;
        if (masq_srs_event(&c->call) == NULL)
            finish(server, c);
        return;
    }
    if (rc == MFX_NOTFOUND)
        reply(server, c, MFX_NOTFOUND, why);
    else
        reply_text(server, c, MFX_TEMPFAIL,
                   err.msg[0] == '\0' ? "out of memory" : err.msg);
    masq_map_loan_give(server, loan);
}

/* --- the connection --- */

static void
refuse(struct masq_map_server *server, struct masq_map_client *c)
{
    static const struct mfx_str what = MFX_STR("request not understood");
    atomic_fetch_add_explicit(&server->tally.broken, 1, memory_order_relaxed);
    masq_map_reply_write(c->form, MFX_PERMFAIL, what, &c->out);
    c->in_len = 0;
    c->is_closing = true;
}

/* False when there is no whole request. */
static bool
take_request(struct masq_map_server *server, struct masq_map_client *c,
             uint64_t now_ms)
{
    switch (masq_map_request_parse(c->form, mfx_str(c->in, c->in_len), c->arena,
                                   &c->request)) {
    case MASQ_MAP_REQUEST:
        if (c->request.name == MASQ_MAP_OF_SOCKET)
            c->request.name = c->name;
        if (c->request.name == MASQ_MAP_UNKNOWN)
            reply_text(server, c, MFX_PERMFAIL, "no such map");
        else
            answer(server, c, now_ms);
        return true;
    case MASQ_MAP_MORE:
        if (c->in_len < sizeof c->in)
            return false;
        refuse(server, c);
        return true;
    case MASQ_MAP_NO_MEMORY:
    case MASQ_MAP_BROKEN:
        refuse(server, c);
        return true;
    }
    return false;
}

/* False when the peer is gone. */
static bool
hear(struct masq_map_client *c, uint64_t now_ms)
{
    ssize_t n =
        recv(c->fd, c->in + c->in_len, sizeof c->in - c->in_len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->has_ended |= n == 0;
    if (n > 0 && c->in_len == 0)
        c->until_ms = now_ms + BUSY_MS;
    c->in_len += (size_t)n;
    return true;
}

static bool
say(struct masq_map_client *c, uint64_t now_ms)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        c->sent += (size_t)n;
        c->until_ms = now_ms + BUSY_MS;
    }
    mfx_buf_clear(&c->out);
    c->sent = 0;
    return true;
}

/* One request after the other, as long as replies are taken. */
static bool
work(struct masq_map_server *server, struct masq_map_client *c, uint64_t now_ms)
{
    for (;;) {
        if (!say(c, now_ms))
            return false;
        if (c->out.len > 0 || c->loan != NULL)
            return true;
        if (c->is_closing || !take_request(server, c, now_ms))
            break;
        c->idle_since_ms = now_ms;
        c->until_ms = now_ms + BUSY_MS;
    }
    if (c->in_len == 0)
        c->until_ms = c->idle_since_ms + IDLE_MS;
    return !c->is_closing && !c->has_ended;
}

static bool
wants_to_hear(const struct masq_map_client *c)
{
    return c->loan == NULL && c->out.len == 0 && !c->has_ended &&
           c->in_len < sizeof c->in;
}

bool
masq_map_client_serve(struct masq_map_server *server, struct masq_map_client *c,
                      short events, uint64_t now_ms)
{
    if (c->loan != NULL) {
        if (!mfx_event_is_set(masq_srs_event(&c->call)) &&
            now_ms < c->answer_until_ms)
            return true;
        finish(server, c);
    } else if (events != 0 && wants_to_hear(c) && !hear(c, now_ms)) {
        return false;
    }
    return work(server, c, now_ms) && (c->loan != NULL || now_ms < c->until_ms);
}

void
masq_map_client_poll(const struct masq_map_client *c, struct pollfd *poll)
{
    bool writes = c->out.len > 0, reads = wants_to_hear(c);
    *poll = (struct pollfd){.fd = writes || reads ? c->fd : -1};
    poll->events = (short)((writes ? POLLOUT : 0) | (reads ? POLLIN : 0));
}

uint64_t
masq_map_client_due_ms(const struct masq_map_client *c, uint64_t now_ms)
{
    return c->loan != NULL ? now_ms + LOOK_MS : c->until_ms;
}

uint64_t
masq_map_client_idle_ms(const struct masq_map_client *c)
{
    bool is_idle = c->loan == NULL && c->out.len == 0 && c->in_len == 0;
    return is_idle ? c->idle_since_ms : UINT64_MAX;
}
