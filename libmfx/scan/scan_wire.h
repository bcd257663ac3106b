/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_wire - engines that are spoken to over a stream of bytes (not installed)
 *
 * A protocol says what is to be sent and reads what comes; this part connects,
 * sends, reads, keeps time and keeps connections. An engine begins with a
 * struct mfx_scan_wire.
 *
 *     say    adds the next bytes to talk->out, and says how it goes on; called
 *            until it says that all is said
 *     hear   looks at talk->in, all that came so far
 *     cut    the server has closed; what came is in talk->in
 *
 * Both may end the talk: mfx_scan_talk_end(talk, end, words). For a greeting
 * (talk->scan NULL) ANSWERED means alive, its words are the version.
 *
 * Ownership: a talk is the wire's, its scan its own. Threads: the loop's.
 * Limits: settings.max_answer bytes of answer; MFX_SCAN_WIRE_OUT at once.
 */
#ifndef MFX_SCAN_SCAN_WIRE_H
#define MFX_SCAN_SCAN_WIRE_H

#include <mfx/base/buf.h>
#include <mfx/net/stream.h>
#include <mfx/scan/scan_impl.h>

enum {
    MFX_SCAN_WIRE_OUT = 64 * 1024,
};

struct mfx_scan_talk;

enum mfx_scan_said {
    MFX_SCAN_SAID_MORE, /* there is something, or ask once more */
    MFX_SCAN_SAID_WAIT, /* the message must grow first */
    MFX_SCAN_SAID_ALL,
    MFX_SCAN_SAID_FINISH, /* all, and tell the server that this was all */
    MFX_SCAN_SAID_PASS,   /* what is in out, then talk->pass_fd; ask again */
};

struct mfx_scan_wire_ops {
    enum mfx_scan_said (*say)(struct mfx_scan_talk *talk);
    void (*hear)(struct mfx_scan_talk *talk);
    void (*cut)(struct mfx_scan_talk *talk);
    /* may be NULL: gives back what the protocol holds for a talk */
    void (*forget)(struct mfx_scan_talk *talk);
    size_t state_size; /* of talk->state, zeroed for each request */
};

struct mfx_scan_wire {
    struct mfx_scan_engine engine; /* first */
    const struct mfx_scan_wire_ops *ops;
    struct mfx_stream_peer *peers[MFX_SCAN_SERVERS_MAX];
    struct mfx_stream_tls *tls;
    struct mfx_scan_talk *talks; /* all of them */
};

struct mfx_scan_talk {
    struct mfx_scan_watch watch; /* first */
    struct mfx_scan_wire *wire;
    struct mfx_scan_talk *next, *prev;
    struct mfx_scan *scan; /* NULL: a greeting, or idle */
    unsigned server;
    struct mfx_stream *stream;
    struct mfx_buf out, in;
    size_t out_at;
    int pass_fd;
    bool is_open, is_said, is_finishing, is_passing, is_idle;
    bool keeps;        /* the protocol's: it can be used again */
    bool wants_again;  /* the protocol's, at its end: once more, from the start,
                          on a new connection */
    bool is_again;     /* this is once more */
    unsigned uses;     /* requests before this one */
    uint64_t begun_ms; /* this request */
    size_t body_at;    /* bytes of the message taken */
    bool is_over;      /* the protocol has ended it */
    enum mfx_scan_end end;
    struct mfx_err words;
    void *state; /* the protocol's */
};

/* Sets up the engine that begins with the wire. The engine's own fields must
 * be ready; on failure nothing is left. */
enum mfx_rc mfx_scan_wire_init(struct mfx_scan_wire *wire,
                               const struct mfx_scan_engine_ops *engine_ops,
                               const struct mfx_scan_wire_ops *ops,
                               struct mfx_scan_loop *loop,
                               const struct mfx_scan_engine_settings *settings,
                               unsigned default_port,
                               struct mfx_err *err) MFX_NODISCARD;
void mfx_scan_wire_fini(struct mfx_scan_wire *wire);

/* For the engine's table of functions. */
void mfx_scan_wire_ask(struct mfx_scan *scan, uint64_t now_ms);
void mfx_scan_wire_grown(struct mfx_scan *scan, uint64_t now_ms);
void mfx_scan_wire_drop(struct mfx_scan *scan);
void mfx_scan_wire_probe(struct mfx_scan_engine *engine, unsigned server,
                         uint64_t now_ms);
void mfx_scan_wire_close(struct mfx_scan_engine *engine);

/* For protocols. */
void mfx_scan_talk_end(struct mfx_scan_talk *talk, enum mfx_scan_end end,
                       const char *format, ...) MFX_PRINTF(3, 4);

/* mfx_scan_piece for the talk; LOST and TOO_LARGE have ended it. */
enum mfx_scan_piece mfx_scan_talk_piece(struct mfx_scan_talk *talk, char *to,
                                        size_t max, size_t *len);

#endif
