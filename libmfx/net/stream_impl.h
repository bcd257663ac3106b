/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stream_impl - what the files of a stream share (not installed)
 *
 * Ownership, threads: see stream.h. A lookup is counted: the peer's share
 * while it runs, its thread's, and one for each stream that waits for it.
 */
#ifndef MFX_NET_STREAM_IMPL_H
#define MFX_NET_STREAM_IMPL_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <mfx/net/stream.h>

enum {
    MFX_STREAM_ADDRESSES_MAX = 8,
    MFX_STREAM_HOST_MAX = 256,
};

struct mfx_stream_address {
    struct sockaddr_storage where;
    socklen_t len;
};

/* A question to the system's resolver. */
struct mfx_stream_lookup {
    atomic_uint holders;
    atomic_bool is_done;
    int fd; /* readable when it is done */
    char host[MFX_STREAM_HOST_MAX], port[8];
    struct mfx_stream_address addresses[MFX_STREAM_ADDRESSES_MAX];
    size_t count;
    int failure; /* EAI_ */
};

/* Those that are known without a question; 0: ask. */
size_t mfx_stream_peer_addresses(
    const struct mfx_stream_peer *peer,
    struct mfx_stream_address addresses[MFX_STREAM_ADDRESSES_MAX]);
/* Asks, or joins a question that runs. NULL: it could not be asked. */
struct mfx_stream_lookup *mfx_stream_peer_ask(struct mfx_stream_peer *peer);
void mfx_stream_lookup_release(struct mfx_stream_lookup *lookup);
struct mfx_stream_peer *mfx_stream_peer_hold(struct mfx_stream_peer *peer);
/* The host as it was given; empty for a UNIX socket. */
const char *mfx_stream_peer_host(const struct mfx_stream_peer *peer);

enum mfx_stream_state {
    MFX_STREAM_LOOKING, /* for addresses */
    MFX_STREAM_NEXT,    /* the next address is to be tried */
    MFX_STREAM_CONNECTING,
    MFX_STREAM_SHAKING, /* hands */
    MFX_STREAM_OPEN,
    MFX_STREAM_BROKEN,
};

struct mfx_stream {
    struct mfx_stream_peer *peer;
    struct mfx_stream_tls *tls;
    struct mfx_stream_lookup *lookup;
    enum mfx_stream_state state;
    uint64_t until_ms;   /* of opening */
    uint64_t attempt_ms; /* of the address being tried */
    uint64_t retry_ms;   /* not before; a UNIX socket that was too busy */
    struct mfx_stream_address addresses[MFX_STREAM_ADDRESSES_MAX];
    size_t count, at;
    int fd;
    SSL *ssl;
    bool has_ended; /* the socket has no more to read */
    bool is_mute;   /* writing failed; there may be something to read */
    /* what the step that could not be done waits for */
    short open_events, read_events, write_events;
    struct mfx_err error;
};

/* Notes a failure: "peer: text; text". Always MFX_STREAM_FAILED. */
enum mfx_stream_io mfx_stream_note(struct mfx_stream *stream,
                                   const char *format, ...) MFX_PRINTF(2, 3);

/* Lays TLS over the connected socket. False: noted why. */
bool mfx_stream_tls_begin(struct mfx_stream *stream);
enum mfx_stream_io mfx_stream_tls_shake(struct mfx_stream *stream);
enum mfx_stream_io mfx_stream_tls_read(struct mfx_stream *stream, void *to,
                                       size_t max, size_t *got);
enum mfx_stream_io mfx_stream_tls_write(struct mfx_stream *stream,
                                        struct mfx_str bytes, size_t *put);
enum mfx_stream_io mfx_stream_tls_finish(struct mfx_stream *stream);

#endif
