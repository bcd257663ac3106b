/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/clamd.h>

#include <stdlib.h>

#include <mfx/base/log.h>
#include <mfx/scan/clamd_reply.h>
#include <mfx/scan/scan_wire.h>

enum {
    LENGTH_SIZE = 4, /* before each chunk */
    CHUNK = MFX_SCAN_WIRE_OUT - LENGTH_SIZE,
};

struct clamd {
    struct mfx_scan_wire wire; /* first */
    struct mfx_clamd_settings settings;
    bool refuses_files[MFX_SCAN_SERVERS_MAX];
};

struct clamd_talk {
    enum {
        COMMAND,
        CHUNKS,
        HANDED_OVER,
    } phase;
};

static struct clamd *
clamd_of(const struct mfx_scan_talk *talk)
{
    return (struct clamd *)talk->wire;
}

/* --- what is said --- */

static void
add_command(struct mfx_scan_talk *talk, const char *command)
{
    mfx_buf_add(&talk->out, mfx_str(command, strlen(command) + 1));
}

static void
put_length(char *to, size_t len)
{
    for (int i = 0; i < LENGTH_SIZE; i++)
        to[i] = (char)(unsigned char)(len >> (24 - 8 * i) & 0xff);
}

static void
add_chunk(struct mfx_buf *out, struct mfx_str bytes)
{
    char length[LENGTH_SIZE];
    put_length(length, bytes.len);
    mfx_buf_add(out, mfx_str(length, sizeof length));
    mfx_buf_add(out, bytes);
}

/* The descriptor to be handed over; -1: it is to be streamed. */
static int
file_of(const struct mfx_scan_talk *talk)
{
    const struct mfx_scan_engine_settings *s = &talk->wire->engine.settings;
    struct mfx_scan_body *body = talk->scan->request.body;
    bool may_pass =
        clamd_of(talk)->settings.passes_files && !talk->is_again &&
        !clamd_of(talk)->refuses_files[talk->server] &&
        mfx_stream_peer_is_unix(talk->wire->peers[talk->server]) &&
        (s->max_size == 0 || mfx_scan_body_len(body) <= s->max_size);
    return may_pass ? mfx_scan_body_fd(body) : -1;
}

static enum mfx_scan_said
say_command(struct mfx_scan_talk *talk, struct clamd_talk *t)
{
    static const struct mfx_str lead = MFX_STR(MFX_SCAN_BODY_LEAD);
    if (clamd_of(talk)->settings.uses_sessions && talk->uses == 0)
        add_command(talk, "zIDSESSION");
    talk->pass_fd = file_of(talk);
    if (talk->pass_fd >= 0) {
        t->phase = HANDED_OVER;
        add_command(talk, "zFILDES");
        return MFX_SCAN_SAID_PASS;
    }
    t->phase = CHUNKS;
    add_command(talk, "zINSTREAM");
    add_chunk(&talk->out, lead);
    return MFX_SCAN_SAID_MORE;
}

static enum mfx_scan_said
say_chunk(struct mfx_scan_talk *talk)
{
    size_t len = 0;
    char *room = mfx_buf_room(&talk->out, LENGTH_SIZE + CHUNK);
    if (room == NULL)
        return MFX_SCAN_SAID_WAIT;
    switch (mfx_scan_talk_piece(talk, room + LENGTH_SIZE, CHUNK, &len)) {
    case MFX_SCAN_PIECE:
        break;
    case MFX_SCAN_PIECE_WAIT:
    case MFX_SCAN_PIECE_LOST:
    case MFX_SCAN_PIECE_TOO_LARGE:
        return MFX_SCAN_SAID_WAIT;
    case MFX_SCAN_PIECE_END:
        add_chunk(&talk->out, mfx_str("", 0));
        return MFX_SCAN_SAID_ALL;
    }
    put_length(room, len);
    talk->out.len += LENGTH_SIZE + len;
    return MFX_SCAN_SAID_MORE;
}

static enum mfx_scan_said
say(struct mfx_scan_talk *talk)
{
    struct clamd_talk *t = talk->state;
    if (talk->scan == NULL) {
        add_command(talk, "zVERSION");
        return MFX_SCAN_SAID_ALL;
    }
    switch (t->phase) {
    case COMMAND:
        return say_command(talk, t);
    case CHUNKS:
        return say_chunk(talk);
    case HANDED_OVER:
        break;
    }
    return MFX_SCAN_SAID_ALL;
}

/* --- what is heard --- */

static const char *
server_text(const struct mfx_scan_talk *talk)
{
    return mfx_stream_peer_text(talk->wire->peers[talk->server]);
}

static void
hear_version(struct mfx_scan_talk *talk, struct mfx_str line)
{
    static const struct mfx_str name = MFX_STR("ClamAV ");
    line = mfx_str_trim(line);
    if (mfx_str_starts(line, name) && mfx_str_is_line(line))
        mfx_scan_talk_end(talk, MFX_SCAN_ANSWERED, "%.*s", MFX_STR_ARG(line));
    else
        mfx_scan_talk_end(talk, MFX_SCAN_BROKEN, "%s: this is no clamd",
                          server_text(talk));
}

static void
fill_result(struct mfx_scan *scan, struct mfx_str line,
            const struct mfx_clamd_reply *reply)
{
    static const struct mfx_str unofficial = MFX_STR(".UNOFFICIAL");
    struct mfx_scan_result *r = &scan->result;
    r->raw = mfx_arena_copy(scan->arena, line);
    if (reply->kind != MFX_CLAMD_FOUND)
        return;
    r->virus = mfx_arena_copy(scan->arena, reply->name);
    r->klass = mfx_clamd_class(reply->name);
    r->is_unofficial = mfx_str_ends_nocase(reply->name, unofficial);
}

/* What it could not read as a file it could read as a stream. */
static void
note_refusal(struct mfx_scan_talk *talk)
{
    struct mfx_log_line line;
    clamd_of(talk)->refuses_files[talk->server] = true;
    mfx_log_begin_daemon(&line, "scanner_takes_no_files");
    mfx_log_add_text(&line, "server", server_text(talk));
    mfx_log_end(&line, MFX_LOG_INFO);
}

static void
hear_reply(struct mfx_scan_talk *talk, struct mfx_str line)
{
    struct clamd *clamd = clamd_of(talk);
    struct mfx_clamd_reply reply;
    uint64_t id = clamd->settings.uses_sessions ? talk->uses + 1 : 0;
    if (mfx_clamd_reply_read(line, id, &reply) != MFX_OK) {
        mfx_scan_talk_end(talk, MFX_SCAN_BROKEN, "%s: not an answer of clamd",
                          server_text(talk));
        return;
    }
    struct clamd_talk *t = talk->state;
    switch (reply.kind) {
    case MFX_CLAMD_CLEAN:
    case MFX_CLAMD_FOUND:
        if (talk->is_again)
            note_refusal(talk);
        fill_result(talk->scan, line, &reply);
        /* one that came too early has left us in the middle of a stream */
        talk->keeps = clamd->settings.uses_sessions && talk->is_said;
        mfx_scan_talk_end(talk, MFX_SCAN_ANSWERED, "%s", "");
        break;
    case MFX_CLAMD_TOO_LARGE:
        mfx_scan_talk_end(talk, MFX_SCAN_TOO_LARGE, "%s: %.*s",
                          server_text(talk), MFX_STR_ARG(reply.words));
        break;
    case MFX_CLAMD_ERROR:
        talk->wants_again = t->phase == HANDED_OVER;
        mfx_scan_talk_end(talk, MFX_SCAN_REFUSED, "%s: %.*s", server_text(talk),
                          MFX_STR_ARG(reply.words));
        break;
    }
}

static void
hear(struct mfx_scan_talk *talk)
{
    struct mfx_str in = mfx_buf_str(&talk->in);
    size_t nul = mfx_str_find(in, '\0');
    if (nul == in.len)
        return;
    if (talk->scan == NULL)
        hear_version(talk, mfx_str_head(in, nul));
    else
        hear_reply(talk, mfx_str_head(in, nul));
    if (nul + 1 < in.len)
        talk->keeps = false;
}

static void
cut(struct mfx_scan_talk *talk)
{
    mfx_scan_talk_end(talk, MFX_SCAN_UNREACHED, "%s: closed %s an answer",
                      server_text(talk),
                      talk->in.len > 0 ? "in the middle of" : "without");
}

/* --- life --- */

static void
free_clamd(struct mfx_scan_engine *engine)
{
    struct clamd *clamd = (struct clamd *)(void *)engine;
    mfx_scan_wire_fini(&clamd->wire);
    free(clamd);
}

struct mfx_clamd_settings
mfx_clamd_settings_default(void)
{
    return (struct mfx_clamd_settings){.passes_files = true};
}

/* A file can be handed over only when it is whole. */
static bool
may_pass_files(const struct mfx_scan_engine_settings *settings,
               const struct mfx_clamd_settings *clamd)
{
    static const struct mfx_str tag = MFX_STR("unix:");
    for (size_t i = 0; clamd->passes_files && i < settings->server_count; i++)
        if (mfx_str_starts(settings->servers[i].address, tag))
            return true;
    return false;
}

enum mfx_rc
mfx_clamd_new(struct mfx_scan_loop *loop,
              const struct mfx_scan_engine_settings *settings,
              const struct mfx_clamd_settings *clamd,
              struct mfx_scan_engine **engine, struct mfx_err *err)
{
    static const struct mfx_scan_engine_ops engine_ops = {
        .name = "clamd",
        .ask = mfx_scan_wire_ask,
        .grown = mfx_scan_wire_grown,
        .drop = mfx_scan_wire_drop,
        .probe = mfx_scan_wire_probe,
        .close = mfx_scan_wire_close,
        .free = free_clamd,
    };
    static const struct mfx_scan_wire_ops ops = {
        .say = say,
        .hear = hear,
        .cut = cut,
        .state_size = sizeof(struct clamd_talk),
    };
    struct clamd *c = calloc(1, sizeof *c);
    if (c == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    c->settings = *clamd;
    c->wire.engine.wants_whole = may_pass_files(settings, clamd);
    c->wire.engine.streams_from = MFX_SCAN_WIRE_OUT;
    enum mfx_rc rc = mfx_scan_wire_init(&c->wire, &engine_ops, &ops, loop,
                                        settings, MFX_CLAMD_PORT, err);
    if (rc != MFX_OK) {
        free(c);
        return rc;
    }
    *engine = &c->wire.engine;
    return MFX_OK;
}
