/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/spamd.h>

#include <stdlib.h>
#include <zlib.h>

#include <mfx/base/spill.h>
#include <mfx/scan/scan_wire.h>
#include <mfx/scan/spamd_reply.h>
#include <mfx/scan/spamd_trace.h>

enum {
    HEAD_MAX = 8 * 1024, /* ours: request and trace */
    PIECE = 32 * 1024,
    PACKED_MEMORY = 256 * 1024,
};

struct spamd {
    struct mfx_scan_wire wire; /* first */
    struct mfx_spamd_settings settings;
    char user[MFX_SPAMD_USER_MAX + 1];
};

struct spamd_talk {
    enum {
        REQUEST,
        PACKING, /* its length must be known before it is sent */
        MESSAGE,
        PACKED,
    } phase;
    struct mfx_buf trace;
    z_stream *packer;
    struct mfx_spill packed;
    size_t sent; /* of packed */
};

static struct spamd *
spamd_of(const struct mfx_scan_talk *talk)
{
    return (struct spamd *)talk->wire;
}

static const char *
server_text(const struct mfx_scan_talk *talk)
{
    return mfx_stream_peer_text(talk->wire->peers[talk->server]);
}

/* --- the request --- */

static const char *
command_of(const struct mfx_scan_talk *talk)
{
    static const char *const names[] = {"CHECK", "SYMBOLS", "REPORT",
                                        "HEADERS"};
    return talk->scan->request.purpose == MFX_SCAN_CHECK
               ? names[spamd_of(talk)->settings.command]
               : "TELL";
}

static bool
is_user(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= MFX_SPAMD_USER_MAX;
}

static void
add_user(struct mfx_scan_talk *talk)
{
    struct mfx_str user = talk->scan->request.user;
    if (user.len == 0)
        user = mfx_str_of(spamd_of(talk)->user);
    if (!is_user(user))
        return;
    mfx_buf_add_text(&talk->out, "User: ");
    mfx_buf_add(&talk->out, user);
    mfx_buf_add_text(&talk->out, "\r\n");
}

static void
add_lesson(struct mfx_scan_talk *talk)
{
    switch (talk->scan->request.purpose) {
    case MFX_SCAN_CHECK:
        break;
    case MFX_SCAN_LEARN_SPAM:
        mfx_buf_add_text(&talk->out, "Message-class: spam\r\nSet: local\r\n");
        break;
    case MFX_SCAN_LEARN_HAM:
        mfx_buf_add_text(&talk->out, "Message-class: ham\r\nSet: local\r\n");
        break;
    case MFX_SCAN_FORGET:
        mfx_buf_add_text(&talk->out, "Remove: local\r\n");
        break;
    }
}

static void
add_head(struct mfx_scan_talk *talk, size_t length)
{
    mfx_buf_printf(&talk->out, "%s SPAMC/1.5\r\n", command_of(talk));
    add_user(talk);
    add_lesson(talk);
    if (spamd_of(talk)->settings.compresses)
        mfx_buf_add_text(&talk->out, "Compress: zlib\r\n");
    mfx_buf_printf(&talk->out, "Content-length: %zu\r\n\r\n", length);
}

/* What is learned has its trace already. */
static void
write_trace(struct mfx_scan_talk *talk, struct spamd_talk *t)
{
    mfx_buf_init(&t->trace, HEAD_MAX);
    if (!spamd_of(talk)->settings.without_trace &&
        talk->scan->request.purpose == MFX_SCAN_CHECK)
        mfx_spamd_trace_write(&t->trace, talk->scan->request.envelope);
    if (!mfx_buf_ok(&t->trace))
        mfx_scan_talk_end(talk, MFX_SCAN_NOT_ASKED, "out of memory");
}

/* Of the message, as far as it is asked about. */
static size_t
message_len(const struct mfx_scan_talk *talk)
{
    size_t max = talk->wire->engine.settings.max_size;
    size_t len = mfx_scan_body_len(talk->scan->request.body);
    return max > 0 && len > max ? max : len;
}

/* spamd waits for the end of the last line. Telling it that no more comes
 * would do, too, but over TLS those bytes, unread, make it reset the connection
 * and lose its own answer. */
static struct mfx_str
missing_line_end(const struct mfx_scan_talk *talk)
{
    size_t len = message_len(talk);
    char last = '\0';
    bool is_ended =
        len > 0 &&
        mfx_scan_body_read(talk->scan->request.body, len - 1, &last, 1) == 1 &&
        last == '\n';
    return is_ended ? mfx_str("", 0) : mfx_str("\r\n", 2);
}

/* --- compression --- */

static void
pack_failed(struct mfx_scan_talk *talk, const char *why)
{
    mfx_scan_talk_end(talk, MFX_SCAN_UNSTORED, "compression: %s", why);
}

static void
pack(struct mfx_scan_talk *talk, struct spamd_talk *t, struct mfx_str bytes,
     bool is_last)
{
    char out[PIECE];
    z_stream *z = t->packer;
    int rc;
    z->next_in = (Bytef *)(uintptr_t)bytes.p;
    z->avail_in = (uInt)bytes.len;
    do {
        z->next_out = (Bytef *)out;
        z->avail_out = sizeof out;
        rc = deflate(z, is_last ? Z_FINISH : Z_NO_FLUSH);
        mfx_spill_add(&t->packed, mfx_str(out, sizeof out - z->avail_out));
    } while (rc == Z_OK && z->avail_out == 0);
    if (t->packed.failed)
        pack_failed(talk, "its temporary file cannot be written");
    else if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        pack_failed(talk, "zlib");
}

static void
begin_packing(struct mfx_scan_talk *talk, struct spamd_talk *t)
{
    mfx_spill_init(&t->packed, PACKED_MEMORY, NULL);
    t->phase = PACKING;
    t->packer = calloc(1, sizeof *t->packer);
    if (t->packer == NULL ||
        deflateInit(t->packer, Z_DEFAULT_COMPRESSION) != Z_OK) {
        free(t->packer);
        t->packer = NULL;
        pack_failed(talk, "out of memory");
        return;
    }
    pack(talk, t, mfx_buf_str(&t->trace), false);
}

static void
stop_packing(struct spamd_talk *t)
{
    if (t->packer == NULL)
        return;
    (void)deflateEnd(t->packer);
    free(t->packer);
    t->packer = NULL;
}

/* A piece at a time: others wait for the loop, too. */
static enum mfx_scan_said
say_packing(struct mfx_scan_talk *talk, struct spamd_talk *t)
{
    char piece[PIECE];
    size_t len;
    switch (mfx_scan_talk_piece(talk, piece, sizeof piece, &len)) {
    case MFX_SCAN_PIECE:
        pack(talk, t, mfx_str(piece, len), false);
        return MFX_SCAN_SAID_MORE;
    case MFX_SCAN_PIECE_WAIT:
    case MFX_SCAN_PIECE_LOST:
    case MFX_SCAN_PIECE_TOO_LARGE:
        return MFX_SCAN_SAID_WAIT;
    case MFX_SCAN_PIECE_END:
        break;
    }
    pack(talk, t, mfx_str("", 0), true);
    stop_packing(t);
    t->phase = PACKED;
    add_head(talk, t->packed.len);
    return MFX_SCAN_SAID_MORE;
}

/* spamd reads to the end of what is compressed. */
static enum mfx_scan_said
say_packed(struct mfx_scan_talk *talk, struct spamd_talk *t)
{
    char *room = mfx_buf_room(&talk->out, PIECE);
    if (room == NULL)
        return MFX_SCAN_SAID_WAIT;
    size_t got = mfx_spill_read(&t->packed, t->sent, room, PIECE);
    if (got == 0 && t->sent < t->packed.len)
        pack_failed(talk, "its temporary file cannot be read");
    talk->out.len += got;
    t->sent += got;
    return t->sent < t->packed.len ? MFX_SCAN_SAID_MORE : MFX_SCAN_SAID_FINISH;
}

/* --- what is said --- */

static enum mfx_scan_said
say_request(struct mfx_scan_talk *talk, struct spamd_talk *t)
{
    write_trace(talk, t);
    if (spamd_of(talk)->settings.compresses) {
        begin_packing(talk, t);
        return MFX_SCAN_SAID_MORE;
    }
    t->phase = MESSAGE;
    add_head(talk,
             t->trace.len + message_len(talk) + missing_line_end(talk).len);
    mfx_buf_add(&talk->out, mfx_buf_str(&t->trace));
    return MFX_SCAN_SAID_MORE;
}

static enum mfx_scan_said
say_message(struct mfx_scan_talk *talk)
{
    size_t len = 0;
    char *room = mfx_buf_room(&talk->out, PIECE);
    if (room == NULL)
        return MFX_SCAN_SAID_WAIT;
    switch (mfx_scan_talk_piece(talk, room, PIECE, &len)) {
    case MFX_SCAN_PIECE:
        break;
    case MFX_SCAN_PIECE_WAIT:
    case MFX_SCAN_PIECE_LOST:
    case MFX_SCAN_PIECE_TOO_LARGE:
        return MFX_SCAN_SAID_WAIT;
    case MFX_SCAN_PIECE_END:
        mfx_buf_add(&talk->out, missing_line_end(talk));
        return MFX_SCAN_SAID_ALL;
    }
    talk->out.len += len;
    return MFX_SCAN_SAID_MORE;
}

static enum mfx_scan_said
say(struct mfx_scan_talk *talk)
{
    struct spamd_talk *t = talk->state;
    if (talk->scan == NULL) {
        mfx_buf_add_text(&talk->out, "PING SPAMC/1.5\r\n\r\n");
        return MFX_SCAN_SAID_ALL;
    }
    switch (t->phase) {
    case REQUEST:
        return say_request(talk, t);
    case PACKING:
        return say_packing(talk, t);
    case MESSAGE:
        return say_message(talk);
    case PACKED:
        return say_packed(talk, t);
    }
    return MFX_SCAN_SAID_ALL;
}

static void
forget(struct mfx_scan_talk *talk)
{
    struct spamd_talk *t = talk->state;
    bool has_packed = t->phase == PACKING || t->phase == PACKED;
    stop_packing(t);
    if (has_packed)
        mfx_spill_reset(&t->packed);
    if (t->phase != REQUEST)
        mfx_buf_fini(&t->trace);
}

/* --- what is heard --- */

static enum mfx_spamd_kind
kind_of(const struct mfx_scan_talk *talk)
{
    if (talk->scan == NULL)
        return MFX_SPAMD_KIND_PING;
    if (talk->scan->request.purpose != MFX_SCAN_CHECK)
        return MFX_SPAMD_KIND_TELL;
    return spamd_of(talk)->settings.command == MFX_SPAMD_CHECK
               ? MFX_SPAMD_KIND_CHECK
               : MFX_SPAMD_KIND_BODY;
}

static void
take_reply(struct mfx_scan_talk *talk, const struct mfx_spamd_reply *reply)
{
    struct mfx_scan *scan = talk->scan;
    if (reply->code != 0) {
        mfx_scan_talk_end(talk, MFX_SCAN_REFUSED, "%s: %u %.*s",
                          server_text(talk), reply->code,
                          MFX_STR_ARG(reply->text));
        return;
    }
    if (scan == NULL) {
        mfx_scan_talk_end(talk, MFX_SCAN_ANSWERED, "spamd");
        return;
    }
    if (scan->request.purpose != MFX_SCAN_CHECK)
        scan->result.is_learned = reply->did_set || reply->did_remove;
    else
        mfx_spamd_reply_use(reply, spamd_of(talk)->settings.command,
                            scan->arena, &scan->result);
    mfx_scan_talk_end(talk, MFX_SCAN_ANSWERED, "%s", "");
}

static void
look(struct mfx_scan_talk *talk, bool is_closed)
{
    struct mfx_spamd_reply reply;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = mfx_spamd_reply_read(mfx_buf_str(&talk->in), is_closed,
                                          kind_of(talk), &reply, &err);
    if (rc == MFX_OK)
        take_reply(talk, &reply);
    else if (rc == MFX_PERMFAIL)
        mfx_scan_talk_end(talk, MFX_SCAN_BROKEN, "%s: %s", server_text(talk),
                          err.msg);
}

static void
hear(struct mfx_scan_talk *talk)
{
    look(talk, false);
}

static void
cut(struct mfx_scan_talk *talk)
{
    if (talk->in.len == 0)
        mfx_scan_talk_end(talk, MFX_SCAN_UNREACHED,
                          "%s: closed without an answer", server_text(talk));
    else
        look(talk, true);
}

/* --- life --- */

static void
free_spamd(struct mfx_scan_engine *engine)
{
    struct spamd *spamd = (struct spamd *)(void *)engine;
    mfx_scan_wire_fini(&spamd->wire);
    free(spamd);
}

struct mfx_spamd_settings
mfx_spamd_settings_default(void)
{
    return (struct mfx_spamd_settings){.command = MFX_SPAMD_SYMBOLS};
}

static enum mfx_rc
take_settings(struct spamd *spamd, const struct mfx_spamd_settings *settings,
              struct mfx_err *err)
{
    spamd->settings = *settings;
    spamd->settings.user = mfx_str("", 0);
    if (settings->user.len == 0)
        return MFX_OK;
    if (!is_user(settings->user)) {
        mfx_err_set(err, "not a user for spamd");
        return MFX_PERMFAIL;
    }
    memcpy(spamd->user, settings->user.p, settings->user.len);
    return MFX_OK;
}

enum mfx_rc
mfx_spamd_new(struct mfx_scan_loop *loop,
              const struct mfx_scan_engine_settings *settings,
              const struct mfx_spamd_settings *spamd,
              struct mfx_scan_engine **engine, struct mfx_err *err)
{
    static const struct mfx_scan_engine_ops engine_ops = {
        .name = "spamd",
        .ask = mfx_scan_wire_ask,
        .grown = mfx_scan_wire_grown,
        .drop = mfx_scan_wire_drop,
        .probe = mfx_scan_wire_probe,
        .close = mfx_scan_wire_close,
        .free = free_spamd,
    };
    static const struct mfx_scan_wire_ops ops = {
        .say = say,
        .hear = hear,
        .cut = cut,
        .forget = forget,
        .state_size = sizeof(struct spamd_talk),
    };
    struct spamd *s = calloc(1, sizeof *s);
    if (s == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    s->wire.engine.wants_whole = true;
    s->wire.engine.can_learn = s->wire.engine.can_forget = true;
    enum mfx_rc rc = take_settings(s, spamd, err);
    if (rc == MFX_OK)
        rc = mfx_scan_wire_init(&s->wire, &engine_ops, &ops, loop, settings,
                                MFX_SPAMD_PORT, err);
    if (rc != MFX_OK) {
        free(s);
        return rc;
    }
    *engine = &s->wire.engine;
    return MFX_OK;
}
