/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stream - a connection to a server, with deadlines: TCP, UNIX socket, TLS
 *
 * For one who may wait:
 *
 *     mfx_stream_peer_new(mfx_str_of("scan.example:783"), 0, &peer, &err);
 *     struct mfx_stream *s = mfx_stream_open(peer, tls, until_ms);
 *     if (mfx_stream_wait_open(s, &err) == MFX_OK &&
 *         mfx_stream_write(s, question, until_ms, &err) == MFX_OK &&
 *         mfx_stream_finish(s, until_ms, &err) == MFX_OK)
 *         rc = mfx_stream_read_all(s, &answer, until_ms, &err);
 *     mfx_stream_close(s);
 *
 * In a loop of poll(2): call mfx_stream_try_open until it is DONE, then
 * mfx_stream_try_read and _write, each until AGAIN; mfx_stream_poll says what
 * to poll for, and mfx_stream_due_ms when to come back though nothing came.
 *
 * A host with several addresses is tried address by address, each for its share
 * of the time. A name is looked up by a thread, one for a peer at most, so that
 * name servers that are silent hold nobody up.
 * TLS is verified always: the chain, and the name or address asked for.
 *
 * Ownership: peer and tls are counted: free gives one's own share back, and a
 * stream has its own. A stream is open/close.
 * Errors: MFX_TEMPFAIL: not reached, broken off, or not in time; after
 * that only close helps. MFX_NOTFOUND: read: the end. MFX_PERMFAIL: a setting
 * is wrong. No function here raises SIGPIPE.
 * Threads: peer and tls any; a stream one at a time.
 */
#ifndef MFX_NET_STREAM_H
#define MFX_NET_STREAM_H

#include <poll.h>

#include <mfx/base/buf.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

/* --- where to --- */

struct mfx_stream_peer;

/* "HOST:PORT", "ADDRESS:PORT", "[V6]:PORT", "unix:/PATH"; without ":PORT" the
 * default_port (0: a port must be there). MFX_PERMFAIL, and why. */
enum mfx_rc mfx_stream_peer_new(struct mfx_str text, unsigned default_port,
                                struct mfx_stream_peer **peer,
                                struct mfx_err *err) MFX_NODISCARD;
void mfx_stream_peer_free(struct mfx_stream_peer *peer);
/* As it was given, with its port. */
const char *mfx_stream_peer_text(const struct mfx_stream_peer *peer);
bool mfx_stream_peer_is_unix(const struct mfx_stream_peer *peer);

/* --- TLS --- */

struct mfx_stream_tls;

struct mfx_stream_tls_settings {
    const char *ca_file;   /* PEM; NULL: the system's */
    const char *cert_file; /* PEM, with its chain; NULL: none */
    const char *key_file;  /* PEM, no passphrase; NULL: in cert_file */
    struct mfx_str name;   /* to be in the certificate; empty: the host */
};

/* TLS 1.2 or newer. MFX_PERMFAIL: a file cannot be used. */
enum mfx_rc mfx_stream_tls_new(const struct mfx_stream_tls_settings *settings,
                               struct mfx_stream_tls **tls,
                               struct mfx_err *err) MFX_NODISCARD;
/* One more share. */
struct mfx_stream_tls *mfx_stream_tls_hold(struct mfx_stream_tls *tls);
void mfx_stream_tls_free(struct mfx_stream_tls *tls);

/* What it was made of, for a library that has a TLS of its own. */
struct mfx_stream_tls_parts {
    struct mfx_str ca, cert, key; /* PEM; ca empty: the system's; cert, key
                                     empty: none */
    struct mfx_str name;          /* empty: the host */
};
/* The texts are tls's. */
struct mfx_stream_tls_parts
mfx_stream_tls_look(const struct mfx_stream_tls *tls);

/* --- a stream --- */

struct mfx_stream;

/* Begins to connect; tls NULL: without. The connection must stand, with its
 * handshake, at until_ms (mfx_mono_ms). NULL: out of memory. */
struct mfx_stream *mfx_stream_open(struct mfx_stream_peer *peer,
                                   struct mfx_stream_tls *tls,
                                   uint64_t until_ms);
/* NULL is allowed. Does not wait. */
void mfx_stream_close(struct mfx_stream *stream);

/* For those who may wait. stream NULL: MFX_TEMPFAIL. */
enum mfx_rc mfx_stream_wait_open(struct mfx_stream *stream,
                                 struct mfx_err *err) MFX_NODISCARD;
/* All of it. */
enum mfx_rc mfx_stream_write(struct mfx_stream *stream, struct mfx_str bytes,
                             uint64_t until_ms,
                             struct mfx_err *err) MFX_NODISCARD;
/* What is there, at least one byte. */
enum mfx_rc mfx_stream_read(struct mfx_stream *stream, void *to, size_t max,
                            size_t *got, uint64_t until_ms,
                            struct mfx_err *err) MFX_NODISCARD;
/* Up to the end. MFX_PERMFAIL: more than the buffer's max. */
enum mfx_rc mfx_stream_read_all(struct mfx_stream *stream, struct mfx_buf *to,
                                uint64_t until_ms,
                                struct mfx_err *err) MFX_NODISCARD;
/* Tells the peer that no more will be written; reading goes on. */
enum mfx_rc mfx_stream_finish(struct mfx_stream *stream, uint64_t until_ms,
                              struct mfx_err *err) MFX_NODISCARD;

/* For a loop of poll(2). */
enum mfx_stream_io {
    MFX_STREAM_DONE,   /* the step is done; read, write: at least one byte */
    MFX_STREAM_AGAIN,  /* nothing can be done now */
    MFX_STREAM_END,    /* read: the peer sends no more */
    MFX_STREAM_FAILED, /* mfx_stream_error says why */
};
enum mfx_stream_io mfx_stream_try_open(struct mfx_stream *stream);
enum mfx_stream_io mfx_stream_try_read(struct mfx_stream *stream, void *to,
                                       size_t max, size_t *got);
/* After AGAIN the same bytes must come again (more may follow them). Without
 * TLS, what the peer said before writing FAILED can still be read. */
enum mfx_stream_io mfx_stream_try_write(struct mfx_stream *stream,
                                        struct mfx_str bytes, size_t *put);
/* Sends one NUL and, with it, a descriptor: over a UNIX socket without TLS,
 * else it FAILED. The descriptor stays the caller's. */
enum mfx_stream_io mfx_stream_try_pass(struct mfx_stream *stream, int fd);
enum mfx_stream_io mfx_stream_try_finish(struct mfx_stream *stream);

/* What to poll for, after AGAIN: fd and events. While it opens: whatever it
 * needs; then what reading and writing need, as far as they are wanted. */
void mfx_stream_poll(const struct mfx_stream *stream, bool reads, bool writes,
                     struct pollfd *poll);
/* Opening goes on then, even without an event; UINT64_MAX: no need. */
uint64_t mfx_stream_due_ms(const struct mfx_stream *stream);
/* "scan.example:783: connection refused"; "" when nothing failed. */
const char *mfx_stream_error(const struct mfx_stream *stream);

MFX_API_END

#endif
