/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stream client against t/lib/streampeer, and against no peer at all. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include <mfx/base/env.h>
#include <mfx/net/stream.h>

#include "certs.h"
#include "child.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 20000,
    SHORT_MS = 200,
};

static struct certs certs;

/* --- scaffold --- */

struct server {
    struct child child;
    char unix_path[CERTS_PATH];
    char text[CERTS_PATH + 8];
};

static void
fill_text(struct server *server, const char *bind)
{
    unsigned port = 0;
    (void)sscanf(server->child.line, "port %5u", &port);
    if (server->unix_path[0] != '\0')
        (void)snprintf(server->text, sizeof server->text, "unix:%s",
                       server->unix_path);
    else
        (void)snprintf(server->text, sizeof server->text, "%s:%u",
                       bind[0] == ':' ? "[::1]" : bind, port);
}

/* cert NULL: no TLS; bind "unix": a socket in the folder of the certificates. */
static void
serve(struct server *server, const char *bind, const char *cert,
      const char *client_ca, const char *behaviour)
{
    const char *root = getenv("MFX_SRCDIR");
    char script[1024], cert_path[CERTS_PATH], ca_path[CERTS_PATH];
    const char *argv[10];
    size_t n = 0;
    bool is_unix = strcmp(bind, "unix") == 0;
    *server = (struct server){.child.in = -1};
    (void)snprintf(script, sizeof script, "%s/t/lib/streampeer",
                   root ? root : ".");
    argv[n++] = script;
    argv[n++] = is_unix ? "--unix" : "--bind";
    argv[n++] = bind;
    if (is_unix)
        argv[n - 1] = certs_path(&certs, "socket", server->unix_path);
    if (cert != NULL) {
        argv[n++] = "--tls";
        argv[n++] = certs_path(&certs, cert, cert_path);
    }
    if (client_ca != NULL) {
        argv[n++] = "--client-ca";
        argv[n++] = certs_path(&certs, client_ca, ca_path);
    }
    argv[n++] = behaviour;
    argv[n] = NULL;
    assert_true(child_start(&server->child, (char *const *)argv));
    fill_text(server, bind);
}

static void
stop(struct server *server)
{
    child_stop(&server->child);
    if (server->unix_path[0] != '\0')
        (void)unlink(server->unix_path);
}

static struct mfx_stream_peer *
peer_of(const char *text)
{
    struct mfx_stream_peer *peer = NULL;
    struct mfx_err err = {{0}};
    if (mfx_stream_peer_new(mfx_str_of(text), 0, &peer, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return peer;
}

static struct mfx_stream_tls *
tls_of(const char *ca, const char *cert, const char *name)
{
    char ca_path[CERTS_PATH], cert_path[CERTS_PATH];
    struct mfx_stream_tls_settings settings = {
        .ca_file = certs_path(&certs, ca, ca_path),
        .cert_file = cert == NULL ? NULL : certs_path(&certs, cert, cert_path),
        .name = mfx_str_of(name),
    };
    struct mfx_stream_tls *tls = NULL;
    struct mfx_err err = {{0}};
    if (mfx_stream_tls_new(&settings, &tls, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return tls;
}

static struct mfx_stream *
open_to(const char *text, struct mfx_stream_tls *tls, uint64_t wait_ms)
{
    struct mfx_stream_peer *peer = peer_of(text);
    struct mfx_stream *s = mfx_stream_open(peer, tls, mfx_mono_ms() + wait_ms);
    assert_non_null(s);
    mfx_stream_peer_free(peer);
    return s;
}

static uint64_t
soon(void)
{
    return mfx_mono_ms() + PATIENCE_MS;
}

static void
check_error(const char *label, const struct mfx_err *err, const char *part)
{
    if (strstr(err->msg, part) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", label, err->msg, part);
}

/* --- tests --- */

static void
peers(void **state)
{
    static const struct {
        const char *label, *text;
        unsigned port;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"host",              "scan.example:783",      0,    "scan.example:783"  },
        {"address",           "192.0.2.1:6379",        0,    "192.0.2.1:6379"    },
        {"v6",                "[2001:db8::1]:6379",    0,    "[2001:db8::1]:6379"},
        {"default_port",      "db.example",            6379, "db.example:6379"   },
        {"v6_bare",           "2001:db8::1",           6379, "[2001:db8::1]:6379"},
        {"v6_brackets",       "[2001:db8::1]",         6379, "[2001:db8::1]:6379"},
        {"mapped",            "[::ffff:192.0.2.1]:25", 0,    "192.0.2.1:25"      },
        {"unix",              "unix:/run/x.sock",      0,    "unix:/run/x.sock"  },
        {"bad_no_port",       "scan.example",          0,    NULL                },
        {"bad_port_zero",     "a.example:0",           1,    NULL                },
        {"bad_port_large",    "a.example:65536",       1,    NULL                },
        {"bad_port_empty",    "a.example:",            1,    NULL                },
        {"bad_port_word",     "a.example:http",        1,    NULL                },
        {"bad_empty",         "",                      1,    NULL                },
        {"bad_only_port",     ":25",                   1,    NULL                },
        {"bad_space",         "a b:25",                1,    NULL                },
        {"bad_option",        "-x:25",                 1,    NULL                },
        {"bad_newline",       "a\nb:25",               1,    NULL                },
        {"bad_path_relative", "unix:run/x",            1,    NULL                },
        {"bad_path_empty",    "unix:",                 1,    NULL                },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_stream_peer *peer = NULL;
        struct mfx_err err = {{0}};
        enum mfx_rc rc = mfx_stream_peer_new(mfx_str_of(cases[i].text),
                                             cases[i].port, &peer, &err);
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].label,
                            mfx_str_of(mfx_stream_peer_text(peer)),
                            mfx_str_of(cases[i].want));
        else
            unit_assert_int(cases[i].label, err.msg[0] == '\0', 0);
        mfx_stream_peer_free(peer);
    }
    char path[200] = "unix:/";
    memset(path + 6, 'x', 150);
    struct mfx_stream_peer *peer = NULL;
    assert_int_equal(mfx_stream_peer_new(mfx_str_of(path), 0, &peer, NULL),
                     MFX_PERMFAIL);
}

/* A text goes there and comes back; then the end. */
static void
check_echo(const char *label, struct mfx_stream *s)
{
    struct mfx_err err = {{0}};
    struct mfx_buf out;
    char sent[200000];
    size_t half = sizeof sent / 2, got = 0, n;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 7 % 251);
    if (mfx_stream_wait_open(s, &err) != MFX_OK)
        fail_msg("%s: %s", label, err.msg);
    mfx_buf_init(&out, sizeof sent);
    unit_assert_int(
        label, mfx_stream_write(s, mfx_str(sent, half), soon(), &err), MFX_OK);
    while (got < half) {
        char back[10000];
        unit_assert_int(label,
                        mfx_stream_read(s, back, sizeof back, &n, soon(), &err),
                        MFX_OK);
        mfx_buf_add(&out, mfx_str(back, n));
        got += n;
    }
    unit_assert_int(
        label, mfx_stream_write(s, mfx_str(sent + half, half), soon(), &err),
        MFX_OK);
    unit_assert_int(label, mfx_stream_finish(s, soon(), &err), MFX_OK);
    unit_assert_int(label, mfx_stream_read_all(s, &out, soon(), &err), MFX_OK);
    unit_assert_int(label, out.len, sizeof sent);
    unit_assert_int(label, memcmp(out.p, sent, sizeof sent), 0);
    mfx_buf_fini(&out);
}

static void
echoes(void **state)
{
    static const struct {
        const char *label, *bind, *cert, *client_ca, *client, *name;
    } cases[] = {
        {"tcp",                "127.0.0.1", NULL,        NULL,     NULL,         ""         },
        {"tcp_v6",             "::1",       NULL,        NULL,     NULL,         ""         },
        {"unix",               "unix",      NULL,        NULL,     NULL,         ""         },
        {"tls_address",        "127.0.0.1", "good.pem",  NULL,     NULL,         ""         },
        {"tls_address_v6",     "::1",       "good.pem",  NULL,     NULL,         ""         },
        {"tls_name",           "127.0.0.1", "good.pem",  NULL,     NULL,         "peer.test"},
        {"tls_address_asked",  "127.0.0.1", "good.pem",  NULL,     NULL,         "::1"      },
        {"tls_unix",           "unix",      "good.pem",  NULL,     NULL,         "peer.test"},
        {"tls_client_cert",    "127.0.0.1", "good.pem",  "ca.pem", "client.pem",
         ""                                                                                 },
        {"tls_trusted_single", "127.0.0.1", "alone.pem", NULL,     NULL,         ""         },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server;
        bool is_alone = strcmp(cases[i].label, "tls_trusted_single") == 0;
        serve(&server, cases[i].bind, cases[i].cert, cases[i].client_ca,
              "echo");
        struct mfx_stream_tls *tls =
            cases[i].cert == NULL ? NULL
                                  : tls_of(is_alone ? "alone.pem" : "ca.pem",
                                           cases[i].client, cases[i].name);
        struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
        check_echo(cases[i].label, s);
        mfx_stream_close(s);
        mfx_stream_tls_free(tls);
        stop(&server);
    }
}

static void
refuses_certificates(void **state)
{
    static const struct {
        const char *label, *cert, *name, *error;
    } cases[] = {
        {"wrong_name",    "other.pem",   "peer.test",  "hostname mismatch"  },
        {"wrong_host",    "other.pem",   "",           "IP address mismatch"},
        {"wrong_asked",   "good.pem",    "wrong.test", "hostname mismatch"  },
        {"wrong_address", "good.pem",    "192.0.2.1",  "IP address mismatch"},
        {"part_of_name",  "good.pem",    "peer.tes",   "hostname mismatch"  },
        {"expired",       "expired.pem", "",           "expired"            },
        {"early",         "early.pem",   "",           "not yet valid"      },
        {"self_signed",   "alone.pem",   "",           "self-signed"        },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server;
        struct mfx_err err = {{0}};
        serve(&server, "127.0.0.1", cases[i].cert, NULL, "echo");
        struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, cases[i].name);
        struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
        unit_assert_int(cases[i].label, mfx_stream_wait_open(s, &err),
                        MFX_TEMPFAIL);
        check_error(cases[i].label, &err, cases[i].error);
        check_error(cases[i].label, &err, server.text);
        mfx_stream_close(s);
        mfx_stream_tls_free(tls);
        stop(&server);
    }
}

static void
asks_for_a_name(void **state)
{
    static const struct {
        const char *label, *name, *want;
    } cases[] = {
        {"name",    "peer.test", "peer.test"},
        {"address", "",          "none"     },
    };
    (void)state;
    struct server server;
    serve(&server, "127.0.0.1", "good.pem", NULL, "name");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_err err = {{0}};
        struct mfx_buf out;
        mfx_buf_init(&out, 100);
        struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, cases[i].name);
        struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
        unit_assert_int(cases[i].label, mfx_stream_wait_open(s, &err), MFX_OK);
        unit_assert_int(cases[i].label,
                        mfx_stream_read_all(s, &out, soon(), &err), MFX_OK);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
        mfx_stream_close(s);
        mfx_stream_tls_free(tls);
    }
    stop(&server);
}

/* A server that wants a certificate of ours, and gets none or a wrong one: in
 * TLS 1.3 that comes after the handshake, at the first read. */
static void
without_client_certificate(void **state)
{
    (void)state;
    struct server server;
    struct mfx_err err = {{0}};
    char bytes[10];
    size_t got;
    serve(&server, "127.0.0.1", "good.pem", "ca.pem", "name");
    struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, "");
    struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
    enum mfx_rc rc = mfx_stream_wait_open(s, &err);
    if (rc == MFX_OK)
        rc = mfx_stream_read(s, bytes, sizeof bytes, &got, soon(), &err);
    assert_int_equal(rc, MFX_TEMPFAIL);
    check_error("client", &err, "certificate");
    mfx_stream_close(s);
    mfx_stream_tls_free(tls);
    stop(&server);
}

static void
refuses_tls_files(void **state)
{
    static const struct {
        const char *label, *ca, *cert, *key;
    } cases[] = {
        {"no_ca",        "none.pem", NULL,       NULL       },
        {"empty_ca",     "empty",    NULL,       NULL       },
        {"no_cert",      "ca.pem",   "none.pem", NULL       },
        {"no_key",       "ca.pem",   "good.pem", "none.pem" },
        {"other_key",    "ca.pem",   "good.pem", "other.pem"},
        {"cert_garbage", "ca.pem",   "empty",    NULL       },
    };
    (void)state;
    char path[3][CERTS_PATH];
    (void)fclose(fopen(certs_path(&certs, "empty", path[0]), "w"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_stream_tls *tls = NULL;
        struct mfx_err err = {{0}};
        struct mfx_stream_tls_settings settings = {
            .ca_file = certs_path(&certs, cases[i].ca, path[0]),
        };
        if (cases[i].cert != NULL)
            settings.cert_file = certs_path(&certs, cases[i].cert, path[1]);
        if (cases[i].key != NULL)
            settings.key_file = certs_path(&certs, cases[i].key, path[2]);
        unit_assert_int(cases[i].label,
                        mfx_stream_tls_new(&settings, &tls, &err),
                        MFX_PERMFAIL);
        check_error(cases[i].label, &err, certs.dir);
    }
}

/* Nobody listens there: bound, but no listen. */
static int
closed_port(char text[32])
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    (void)snprintf(text, 32, "127.0.0.1:%u", ntohs(in.sin_port));
    return fd;
}

static void
refused(void **state)
{
    (void)state;
    struct mfx_err err = {{0}};
    char text[32];
    int fd = closed_port(text);
    struct mfx_stream *s = open_to(text, NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("tcp", &err, "Connection refused");
    mfx_stream_close(s);
    s = open_to("unix:/nonexistent/socket", NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("unix", &err, "No such file");
    mfx_stream_close(s);
    (void)close(fd);
}

/* A queue that is full swallows what comes next. */
static void
black_hole(void **state)
{
    (void)state;
    struct mfx_err err = {{0}};
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    char text[32];
    int fd = closed_port(text), fill[4];
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    assert_int_equal(listen(fd, 0), 0);
    for (size_t i = 0; i < COUNT(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fill[i], (struct sockaddr *)&in, sizeof in);
    }
    uint64_t begin_ms = mfx_mono_ms();
    struct mfx_stream *s = open_to(text, NULL, SHORT_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("hole", &err, "no connection in time");
    assert_in_range(mfx_mono_ms() - begin_ms, SHORT_MS, PATIENCE_MS);
    mfx_stream_close(s);
    for (size_t i = 0; i < COUNT(fill); i++)
        (void)close(fill[i]);
    (void)close(fd);
}

/* The same with a UNIX socket: EAGAIN, not "in progress". */
static void
busy_unix_socket(void **state)
{
    (void)state;
    struct sockaddr_un {
        sa_family_t family;
        char path[108];
    } un = {.family = AF_UNIX};
    char path[CERTS_PATH], text[CERTS_PATH + 8];
    struct mfx_err err = {{0}};
    memcpy(un.path, certs_path(&certs, "busy", path), sizeof path);
    (void)snprintf(text, sizeof text, "unix:%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(fd, 0), 0);
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(first, (struct sockaddr *)&un, sizeof un), 0);
    struct mfx_stream *s = open_to(text, NULL, SHORT_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("busy", &err, "no connection in time");
    mfx_stream_close(s);
    s = open_to(text, NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_try_open(s), MFX_STREAM_AGAIN);
    int taken = accept(fd, NULL, NULL); /* now there is room */
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_OK);
    mfx_stream_close(s);
    (void)close(taken);
    (void)close(first);
    (void)close(fd);
}

static void
names(void **state)
{
    (void)state;
    struct mfx_err err = {{0}};
    struct server server;
    char text[100], label[71];
    serve(&server, "127.0.0.1", "good.pem", NULL, "echo");
    const char *port = strrchr(server.text, ':') + 1;
    (void)snprintf(text, sizeof text, "localhost:%s", port);
    struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, "");
    struct mfx_stream *s = open_to(text, tls, PATIENCE_MS);
    check_echo("localhost", s);
    mfx_stream_close(s);
    mfx_stream_tls_free(tls);
    stop(&server);
    /* no label is that long: the answer needs no name server */
    memset(label, 'a', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    (void)snprintf(text, sizeof text, "%s.test:25", label);
    s = open_to(text, NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("no name", &err, text);
    mfx_stream_close(s);
}

/* Streams that leave while the name is still being looked up. */
static void
leaves_a_lookup(void **state)
{
    (void)state;
    struct mfx_stream_peer *peer = peer_of("localhost:9");
    for (int i = 0; i < 50; i++) {
        struct mfx_stream *a = mfx_stream_open(peer, NULL, soon());
        struct mfx_stream *b = mfx_stream_open(peer, NULL, soon());
        assert_non_null(a);
        mfx_stream_close(a);
        mfx_stream_close(b);
    }
    mfx_stream_peer_free(peer);
}

static void
waits_no_longer(void **state)
{
    static const struct {
        const char *label, *cert, *behaviour, *error;
        bool opens;
    } cases[] = {
        {"no_answer",    NULL,       "deaf",    "no answer in time",        true },
        {"no_handshake", "good.pem", "deaf",    "no TLS handshake in time", false},
        {"no_reader",    NULL,       "thirsty", "could not write in time",  true },
        {"tls_thirsty",  "good.pem", "thirsty", "could not write in time",  true },
    };
    (void)state;
    char *bulk = calloc(1, 32 << 20);
    assert_non_null(bulk);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server;
        struct mfx_err err = {{0}};
        char bytes[100];
        size_t got;
        serve(&server, "127.0.0.1", cases[i].cert, NULL, cases[i].behaviour);
        struct mfx_stream_tls *tls =
            cases[i].cert == NULL ? NULL : tls_of("ca.pem", NULL, "");
        struct mfx_stream *s =
            open_to(server.text, tls, cases[i].opens ? PATIENCE_MS : SHORT_MS);
        enum mfx_rc rc = mfx_stream_wait_open(s, &err);
        unit_assert_int(cases[i].label, rc,
                        cases[i].opens ? MFX_OK : MFX_TEMPFAIL);
        uint64_t until_ms = mfx_mono_ms() + SHORT_MS;
        if (rc == MFX_OK && strstr(cases[i].error, "write") != NULL)
            rc = mfx_stream_write(s, mfx_str(bulk, 32 << 20), until_ms, &err);
        else if (rc == MFX_OK)
            rc = mfx_stream_read(s, bytes, sizeof bytes, &got, until_ms, &err);
        unit_assert_int(cases[i].label, rc, MFX_TEMPFAIL);
        check_error(cases[i].label, &err, cases[i].error);
        /* what failed stays failed */
        unit_assert_int(cases[i].label,
                        mfx_stream_read(s, bytes, 1, &got, soon(), NULL),
                        MFX_TEMPFAIL);
        mfx_stream_close(s);
        mfx_stream_tls_free(tls);
        stop(&server);
    }
    free(bulk);
}

static void
slow_peer(void **state)
{
    (void)state;
    struct server server;
    struct mfx_err err = {{0}};
    struct mfx_buf out;
    mfx_buf_init(&out, 1000);
    serve(&server, "127.0.0.1", NULL, NULL, "slow");
    struct mfx_stream *s = open_to(server.text, NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_OK);
    /* bytes come, but never the end: the deadline is of the whole */
    assert_int_equal(
        mfx_stream_read_all(s, &out, mfx_mono_ms() + SHORT_MS, &err),
        MFX_TEMPFAIL);
    assert_true(out.len > 0);
    mfx_stream_close(s);
    s = open_to(server.text, NULL, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_OK);
    mfx_buf_fini(&out);
    mfx_buf_init(&out, 3);
    assert_int_equal(mfx_stream_read_all(s, &out, soon(), &err), MFX_PERMFAIL);
    check_error("long", &err, "too long");
    mfx_stream_close(s);
    mfx_buf_fini(&out);
    stop(&server);
}

/* Half closed: the peer answers when we have said all, and is told how it
 * ended. A TLS stream that ends without a goodbye was cut. */
static void
half_close(void **state)
{
    static const struct {
        const char *label, *cert, *behaviour, *want;
        enum mfx_rc rc;
    } cases[] = {
        {"tcp",     NULL,       "answer", "got 5\n", MFX_OK      },
        {"tls_cut", "good.pem", "cut",    "half",    MFX_TEMPFAIL},
        {"tcp_cut", NULL,       "cut",    "half",    MFX_OK      },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server;
        struct mfx_err err = {{0}};
        struct mfx_buf out;
        mfx_buf_init(&out, 1000);
        serve(&server, "127.0.0.1", cases[i].cert, NULL, cases[i].behaviour);
        struct mfx_stream_tls *tls =
            cases[i].cert == NULL ? NULL : tls_of("ca.pem", NULL, "");
        struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
        unit_assert_int(cases[i].label, mfx_stream_wait_open(s, &err), MFX_OK);
        if (strcmp(cases[i].behaviour, "answer") == 0) {
            struct mfx_str hello = MFX_STR("hello");
            unit_assert_int(cases[i].label,
                            mfx_stream_write(s, hello, soon(), &err), MFX_OK);
            unit_assert_int(cases[i].label, mfx_stream_finish(s, soon(), &err),
                            MFX_OK);
        }
        unit_assert_int(cases[i].label,
                        mfx_stream_read_all(s, &out, soon(), &err),
                        cases[i].rc);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        if (cases[i].rc != MFX_OK)
            check_error(cases[i].label, &err, "the connection was cut");
        mfx_buf_fini(&out);
        mfx_stream_close(s);
        mfx_stream_tls_free(tls);
        stop(&server);
    }
}

/* What does not speak TLS where TLS is asked for. */
static void
no_tls_there(void **state)
{
    (void)state;
    struct server server;
    struct mfx_err err = {{0}};
    serve(&server, "127.0.0.1", NULL, NULL, "garbage");
    struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, "");
    struct mfx_stream *s = open_to(server.text, tls, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("garbage", &err, "TLS: ");
    mfx_stream_close(s);
    stop(&server);
    serve(&server, "unix", "good.pem", NULL, "echo");
    s = open_to(server.text, tls, PATIENCE_MS);
    assert_int_equal(mfx_stream_wait_open(s, &err), MFX_TEMPFAIL);
    check_error("no name", &err, "needs a name");
    mfx_stream_close(s);
    mfx_stream_tls_free(tls);
    stop(&server);
}

/* One thread, twenty connections, poll(2). */
static void
poll_loop(void **state)
{
    enum {
        STREAMS = 20,
    };
    (void)state;
    struct server server;
    struct mfx_stream *streams[STREAMS];
    struct pollfd polls[STREAMS];
    size_t sent[STREAMS] = {0}, got[STREAMS] = {0};
    static const char text[] = "forty characters that come back to us...";
    serve(&server, "127.0.0.1", "good.pem", NULL, "echo");
    struct mfx_stream_tls *tls = tls_of("ca.pem", NULL, "");
    for (size_t i = 0; i < STREAMS; i++)
        streams[i] = open_to(server.text, tls, PATIENCE_MS);
    size_t finished = 0;
    uint64_t until_ms = soon();
    while (finished < STREAMS && mfx_mono_ms() < until_ms) {
        finished = 0;
        for (size_t i = 0; i < STREAMS; i++) {
            struct mfx_stream *s = streams[i];
            enum mfx_stream_io io = mfx_stream_try_open(s);
            char back[100];
            size_t n;
            if (io == MFX_STREAM_FAILED)
                fail_msg("%s", mfx_stream_error(s));
            while (io == MFX_STREAM_DONE && sent[i] < sizeof text) {
                io = mfx_stream_try_write(
                    s, mfx_str_from(mfx_str(text, sizeof text), sent[i]), &n);
                sent[i] += n;
            }
            while (io == MFX_STREAM_DONE &&
                   (io = mfx_stream_try_read(s, back, sizeof back, &n)) ==
                       MFX_STREAM_DONE)
                got[i] += n;
            assert_int_not_equal(io, MFX_STREAM_FAILED);
            finished += got[i] == sizeof text;
            mfx_stream_poll(s, true, sent[i] < sizeof text, &polls[i]);
        }
        if (finished < STREAMS)
            (void)poll(polls, STREAMS, 1000);
    }
    assert_int_equal(finished, STREAMS);
    for (size_t i = 0; i < STREAMS; i++)
        mfx_stream_close(streams[i]);
    mfx_stream_tls_free(tls);
    stop(&server);
}

static int
setup(void **state)
{
    (void)state;
    return certs_make(&certs) ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    certs_remove(&certs);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers),
        cmocka_unit_test(echoes),
        cmocka_unit_test(refuses_certificates),
        cmocka_unit_test(asks_for_a_name),
        cmocka_unit_test(without_client_certificate),
        cmocka_unit_test(refuses_tls_files),
        cmocka_unit_test(refused),
        cmocka_unit_test(black_hole),
        cmocka_unit_test(busy_unix_socket),
        cmocka_unit_test(names),
        cmocka_unit_test(leaves_a_lookup),
        cmocka_unit_test(waits_no_longer),
        cmocka_unit_test(slow_peer),
        cmocka_unit_test(half_close),
        cmocka_unit_test(no_tls_there),
        cmocka_unit_test(poll_loop),
    };
    return cmocka_run_group_tests_name("stream", tests, setup, teardown);
}
