/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A session of the harness without an MTA: what it would be told is told from
 * the command line and a file, what it wants done is not done.
 */
#include <netinet/in.h>

#include <libmilter/mfapi.h>

#include <mfx/milter/flight.h>
#include <mfx/milter/offline_impl.h>

enum {
    PIECE = 65535, /* libmilter's are as long */
};

struct play {
    const struct mfx_offline_mail *mail;
    const struct mfx_filter *real;
    struct mfx_arena *arena;
    struct mfx_session *session;
    bool has_looked;
};

/* --- the other end of the link --- */

static const char *
get_macro(void *ctx, const char *name)
{
    const struct play *p = ctx;
    const char *const *m = p->mail->macros;
    for (; m != NULL && *m != NULL; m += 2)
        if (strcmp(*m, name) == 0)
            return m[1];
    return NULL;
}

static bool
take_reply(void *ctx, const char *code, const char *enhanced, const char *text)
{
    (void)ctx;
    (void)code;
    (void)enhanced;
    (void)text;
    return true;
}

static bool
take_body(void *ctx, struct mfx_str body)
{
    (void)ctx;
    (void)body;
    return true;
}

static bool
take_change(void *ctx, const char *name, size_t index, const char *value)
{
    (void)ctx;
    (void)name;
    (void)index;
    (void)value;
    return true;
}

static bool
take_insertion(void *ctx, int at, const char *name, const char *value)
{
    (void)ctx;
    (void)at;
    (void)name;
    (void)value;
    return true;
}

static bool
take_two(void *ctx, const char *one, const char *other)
{
    (void)ctx;
    (void)one;
    (void)other;
    return true;
}

static bool
take_one(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return true;
}

static bool
take_progress(void *ctx)
{
    (void)ctx;
    return true;
}

static const struct mfx_link_ops ops = {
    .macro = get_macro,
    .reply = take_reply,
    .body = take_body,
    .change = take_change,
    .insert = take_insertion,
    .append = take_two,
    .sender = take_two,
    .add_recipient = take_two,
    .delete_recipient = take_one,
    .quarantine = take_one,
    .progress = take_progress,
};

/* In the place of the filter's end hook. */
static void
on_end(struct mfx_message *m)
{
    struct play *p = mfx_flight_of(m)->session->link.ctx;
    p->has_looked = true;
    if (p->mail->look != NULL)
        p->mail->look(p->mail->look_arg, m);
    if (p->real->hooks.end != NULL)
        p->real->hooks.end(m);
}

/* --- the message --- */

static bool
goes_on(enum mfx_answer answer)
{
    return answer == MFX_ANSWER_CONTINUE || answer == MFX_ANSWER_SKIP;
}

static void
say_client(struct play *p)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = AF_UNSPEC};
    const struct mfx_offline_mail *mail = p->mail;
    if (mail->client_ip.family == MFX_IP_V4) {
        address.v4.sin_family = AF_INET;
        memcpy(&address.v4.sin_addr, mail->client_ip.bytes, 4);
    } else if (mail->client_ip.family == MFX_IP_V6) {
        address.v6.sin6_family = AF_INET6;
        memcpy(&address.v6.sin6_addr, mail->client_ip.bytes, 16);
    }
    (void)mfx_session_connect(
        p->session, mail->client_name == NULL ? "unknown" : mail->client_name,
        address.any.sa_family == AF_UNSPEC ? NULL : &address.any);
    if (mail->helo != NULL)
        (void)mfx_session_helo(p->session, mail->helo);
}

static const char *
in_brackets(struct play *p, const char *address)
{
    return mfx_arena_printf(p->arena, "<%s>", address == NULL ? "" : address).p;
}

static bool
say_envelope(struct play *p)
{
    const struct mfx_offline_mail *mail = p->mail;
    const char *words[2] = {in_brackets(p, mail->sender), NULL};
    bool ok = goes_on(mfx_session_mail(p->session, words));
    for (size_t i = 0; i < mail->recipient_count && ok; i++) {
        words[0] = in_brackets(p, mail->recipients[i]);
        /* a refusal is this recipient's */
        (void)mfx_session_rcpt(p->session, words);
    }
    return ok && goes_on(mfx_session_data(p->session));
}

static bool
say_header(struct play *p, const struct mfx_headers *headers)
{
    for (const struct mfx_header *h = headers->first; h != NULL; h = h->next)
        if (!goes_on(mfx_session_header(p->session,
                                        mfx_arena_copy(p->arena, h->name).p,
                                        mfx_arena_copy(p->arena, h->value).p)))
            return false;
    return goes_on(mfx_session_eoh(p->session));
}

static bool
flush(struct play *p, struct mfx_buf *out)
{
    bool ok = goes_on(mfx_session_body(p->session, mfx_buf_str(out)));
    mfx_buf_clear(out);
    return ok;
}

/* Lines ended by CRLF, in pieces. */
static bool
say_body(struct play *p, struct mfx_str body)
{
    struct mfx_buf out;
    bool ok = true;
    mfx_buf_init(&out, PIECE + 1);
    for (size_t i = 0; i < body.len && ok; i++) {
        if (body.p[i] == '\n' && (i == 0 || body.p[i - 1] != '\r'))
            mfx_buf_add_byte(&out, '\r');
        mfx_buf_add_byte(&out, body.p[i]);
        if (out.len >= PIECE)
            ok = flush(p, &out);
    }
    if (ok && out.len > 0)
        ok = flush(p, &out);
    mfx_buf_fini(&out);
    return ok;
}

static void
play_message(struct play *p, const struct mfx_headers *headers,
             struct mfx_str body)
{
    say_client(p);
    if (say_envelope(p) && say_header(p, headers) && say_body(p, body))
        (void)mfx_session_eom(p->session);
}

static enum mfx_rc
play_session(struct play *p, struct mfx_engine *engine,
             const struct mfx_headers *headers, struct mfx_str body)
{
    const struct mfx_link link = {&ops, p};
    const struct mfx_offer offer = {
        .actions = SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT |
                   SMFIF_DELRCPT | SMFIF_CHGHDRS | SMFIF_QUARANTINE |
                   SMFIF_CHGFROM | SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST,
        .steps = SMFI_CURR_PROT,
        .is_unix = true,
    };
    const struct mfx_plan *plan;
    p->session = mfx_session_new(engine, &link, &offer, &plan);
    if (p->session == NULL)
        return MFX_TEMPFAIL;
    play_message(p, headers, body);
    mfx_session_close(p->session);
    return p->has_looked && mfx_arena_ok(p->arena) ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
play_filter(struct play *p, struct mfx_snapshot *snapshot)
{
    struct mfx_filter filter = *snapshot->filter;
    struct mfx_engine engine;
    struct mfx_headers headers = {0};
    struct mfx_str body;
    filter.hooks.end = on_end;
    enum mfx_rc rc = mfx_engine_init(&engine, &filter, 1);
    if (rc == MFX_OK)
        rc = mfx_message_split(p->mail->bytes, p->arena, &headers, &body);
    if (rc == MFX_OK) {
        mfx_snapshot_slot_set(&engine.snapshots, mfx_snapshot_hold(snapshot));
        rc = play_session(p, &engine, &headers, body);
    }
    mfx_headers_fini(&headers);
    mfx_engine_fini(&engine);
    return rc;
}

enum mfx_rc
mfx_offline_decide(struct mfx_offline *loaded,
                   const struct mfx_offline_mail *mail)
{
    struct mfx_snapshot *s = ((struct mfx_offline_whole *)loaded)->snapshot;
    struct play p = {.mail = mail, .real = s->filter};
    p.arena = mfx_arena_new(0);
    if (p.arena == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = play_filter(&p, s);
    mfx_arena_free(p.arena);
    return rc;
}
