/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/stream_impl.h>

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <mfx/base/file.h>
#include <mfx/net/ip.h>

enum {
    PEM_MAX = 8 * 1024 * 1024,
};

struct mfx_stream_tls {
    atomic_uint holders;
    SSL_CTX *context;
    BIO_METHOD *socket; /* sends without SIGPIPE */
    char name[MFX_STREAM_HOST_MAX];
    struct mfx_arena *arena;
    struct mfx_stream_tls_parts parts;
};

/* --- the socket as OpenSSL sees it --- */

static int
socket_write(BIO *bio, const char *bytes, int len)
{
    struct mfx_stream *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n = send(s->fd, bytes, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int
socket_read(BIO *bio, char *to, int max)
{
    struct mfx_stream *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n = recv(s->fd, to, (size_t)max, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    s->has_ended = n == 0;
    return (int)n;
}

static long
socket_control(BIO *bio, int command, long number, void *arg)
{
    const struct mfx_stream *s = BIO_get_data(bio);
    (void)number;
    (void)arg;
    if (command == BIO_CTRL_EOF)
        return s->has_ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
new_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
    if (method == NULL)
        return NULL;
    if (BIO_meth_set_write(method, socket_write) == 1 &&
        BIO_meth_set_read(method, socket_read) == 1 &&
        BIO_meth_set_ctrl(method, socket_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* --- settings --- */

static const char *
openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason == NULL ? "unknown error" : reason;
}

static enum mfx_rc
wrong_file(struct mfx_err *err, const char *path)
{
    mfx_err_set(err, "%s: %s", path, openssl_reason());
    return MFX_PERMFAIL;
}

/* A key with a passphrase is refused: nobody is there to type it. */
static int
no_passphrase(char *to, int max, int writes, void *arg)
{
    (void)to;
    (void)max;
    (void)writes;
    (void)arg;
    return 0;
}

static enum mfx_rc
load_files(SSL_CTX *context, const struct mfx_stream_tls_settings *settings,
           struct mfx_err *err)
{
    const char *key = settings->key_file;
    ERR_clear_error();
    if (settings->ca_file == NULL) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return wrong_file(err, "the system's certificates");
    } else if (SSL_CTX_load_verify_file(context, settings->ca_file) != 1) {
        return wrong_file(err, settings->ca_file);
    }
    if (settings->cert_file == NULL)
        return MFX_OK;
    if (SSL_CTX_use_certificate_chain_file(context, settings->cert_file) != 1)
        return wrong_file(err, settings->cert_file);
    if (key == NULL)
        key = settings->cert_file;
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return wrong_file(err, key);
    return MFX_OK;
}

static enum mfx_rc
keep_file(struct mfx_stream_tls *tls, const char *path, struct mfx_str *bytes,
          struct mfx_err *err)
{
    return path == NULL
               ? MFX_OK
               : mfx_file_read(path, PEM_MAX, tls->arena, bytes, NULL, err);
}

/* As they are now: later they may not be readable any more. */
static enum mfx_rc
keep_parts(struct mfx_stream_tls *tls,
           const struct mfx_stream_tls_settings *settings, struct mfx_err *err)
{
    struct mfx_stream_tls_parts *p = &tls->parts;
    const char *key =
        settings->key_file != NULL ? settings->key_file : settings->cert_file;
    tls->arena = mfx_arena_new(0);
    if (tls->arena == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    p->name = mfx_str_of(tls->name);
    enum mfx_rc rc = keep_file(tls, settings->ca_file, &p->ca, err);
    if (rc == MFX_OK)
        rc = keep_file(tls, settings->cert_file, &p->cert, err);
    if (rc == MFX_OK && settings->cert_file != NULL)
        rc = keep_file(tls, key, &p->key, err);
    return rc == MFX_NOTFOUND ? MFX_PERMFAIL : rc;
}

struct mfx_stream_tls_parts
mfx_stream_tls_look(const struct mfx_stream_tls *tls)
{
    return tls->parts;
}

static void
set_modes(SSL_CTX *context)
{
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
}

enum mfx_rc
mfx_stream_tls_new(const struct mfx_stream_tls_settings *settings,
                   struct mfx_stream_tls **tls, struct mfx_err *err)
{
    if (settings->name.len >= MFX_STREAM_HOST_MAX ||
        mfx_str_has(settings->name, '\0')) {
        mfx_err_set(err, "not a name for a certificate");
        return MFX_PERMFAIL;
    }
    struct mfx_stream_tls *t = calloc(1, sizeof *t);
    if (t == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    atomic_init(&t->holders, 1);
    if (settings->name.len > 0)
        memcpy(t->name, settings->name.p, settings->name.len);
    t->context = SSL_CTX_new(TLS_client_method());
    t->socket = new_socket_method();
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (t->context == NULL || t->socket == NULL) {
        mfx_err_set(err, "TLS: %s", openssl_reason());
    } else {
        set_modes(t->context);
        rc = load_files(t->context, settings, err);
        if (rc == MFX_OK)
            rc = keep_parts(t, settings, err);
    }
    if (rc == MFX_OK)
        *tls = t;
    else
        mfx_stream_tls_free(t);
    return rc;
}

struct mfx_stream_tls *
mfx_stream_tls_hold(struct mfx_stream_tls *tls)
{
    atomic_fetch_add(&tls->holders, 1);
    return tls;
}

void
mfx_stream_tls_free(struct mfx_stream_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->holders, 1) != 1)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->socket);
    mfx_arena_free(tls->arena);
    free(tls);
}

/* --- a connection --- */

/* A name is asked for (SNI) and must be in the certificate; an address must be
 * there as an address. */
static bool
set_name(SSL *ssl, const char *name)
{
    struct mfx_ip ip;
    if (mfx_ip_parse(mfx_str_of(name), &ip) == MFX_OK) {
        char text[MFX_IP_TEXT];
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
                                             mfx_ip_format(&ip, text)) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

bool
mfx_stream_tls_begin(struct mfx_stream *stream)
{
    const char *name = stream->tls->name[0] != '\0'
                           ? stream->tls->name
                           : mfx_stream_peer_host(stream->peer);
    if (name[0] == '\0') {
        (void)mfx_stream_note(stream, "TLS over a UNIX socket needs a name");
        return false;
    }
    ERR_clear_error();
    BIO *bio = BIO_new(stream->tls->socket);
    stream->ssl = SSL_new(stream->tls->context);
    if (bio == NULL || stream->ssl == NULL) {
        BIO_free(bio);
        (void)mfx_stream_note(stream, "TLS: %s", openssl_reason());
        return false;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    SSL_set_connect_state(stream->ssl);
    if (set_name(stream->ssl, name))
        return true;
    (void)mfx_stream_note(stream, "TLS: %s", openssl_reason());
    return false;
}

static enum mfx_stream_io
note_failure(struct mfx_stream *s, int saved_errno)
{
    long verified = SSL_get_verify_result(s->ssl);
    unsigned long code = ERR_peek_last_error();
    if (verified != X509_V_OK)
        (void)mfx_stream_note(s, "certificate: %s",
                              X509_verify_cert_error_string(verified));
    else if (s->has_ended)
        (void)mfx_stream_note(s, "TLS: the connection was cut");
    else if (code != 0)
        (void)mfx_stream_note(s, "TLS: %s", openssl_reason());
    else
        (void)mfx_stream_note(s, "TLS: %s", strerrordesc_np(saved_errno));
    ERR_clear_error();
    return MFX_STREAM_FAILED;
}

/* What a call that did not succeed waits for, or why it failed. */
static enum mfx_stream_io
judge(struct mfx_stream *s, int result, short *events)
{
    int saved_errno = errno;
    int why = SSL_get_error(s->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        *events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        return MFX_STREAM_AGAIN;
    }
    if (why == SSL_ERROR_ZERO_RETURN)
        return MFX_STREAM_END;
    return note_failure(s, saved_errno);
}

enum mfx_stream_io
mfx_stream_tls_shake(struct mfx_stream *stream)
{
    ERR_clear_error();
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1)
        return MFX_STREAM_DONE;
    enum mfx_stream_io io = judge(stream, result, &stream->open_events);
    if (io == MFX_STREAM_END)
        io = mfx_stream_note(stream, "TLS: closed within the handshake");
    return io;
}

enum mfx_stream_io
mfx_stream_tls_read(struct mfx_stream *stream, void *to, size_t max,
                    size_t *got)
{
    ERR_clear_error();
    int result = SSL_read_ex(stream->ssl, to, max, got);
    stream->read_events = POLLIN;
    if (result == 1)
        return MFX_STREAM_DONE;
    return judge(stream, result, &stream->read_events);
}

enum mfx_stream_io
mfx_stream_tls_write(struct mfx_stream *stream, struct mfx_str bytes,
                     size_t *put)
{
    ERR_clear_error();
    int result = SSL_write_ex(stream->ssl, bytes.p, bytes.len, put);
    stream->write_events = POLLOUT;
    if (result == 1)
        return MFX_STREAM_DONE;
    enum mfx_stream_io io = judge(stream, result, &stream->write_events);
    if (io == MFX_STREAM_END)
        io = mfx_stream_note(stream, "TLS: the peer has closed");
    return io;
}

enum mfx_stream_io
mfx_stream_tls_finish(struct mfx_stream *stream)
{
    ERR_clear_error();
    int result = SSL_shutdown(stream->ssl);
    if (result >= 0)
        return MFX_STREAM_DONE;
    enum mfx_stream_io io = judge(stream, result, &stream->write_events);
    return io == MFX_STREAM_END ? MFX_STREAM_DONE : io;
}
