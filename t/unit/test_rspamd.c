/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd's client: requests, answers, and servers that are none. */
#include "unit.h"

#include <mfx/scan/rspamd.h>
#include <mfx/scan/rspamd_pack.h>

#include "scan_clamd.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- a small server --- */

struct play {
    const char *reply; /* head and all */
    size_t repeats;    /* of the reply's last `tail` bytes, for ever more */
    size_t tail;
    int pause_ms;   /* between its bytes */
    bool is_silent; /* hears, and says nothing */
    bool cuts;      /* the connection, behind the reply */
    bool cuts_used; /* one that was used before, as soon as it is asked */
    bool is_early;  /* answers before it has heard the message */
    struct mfx_str binary;
    pthread_mutex_t mutex;
    struct mfx_buf head, body; /* of the last request */
};

static bool
read_line(int fd, struct mfx_buf *to)
{
    char c;
    do {
        if (!scan_peer_read(fd, &c, 1))
            return false;
        mfx_buf_add_byte(to, c);
    } while (c != '\n');
    return true;
}

static bool
read_bytes(int fd, struct mfx_buf *to, size_t len)
{
    char bytes[4096];
    while (len > 0) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        if (!scan_peer_read(fd, bytes, n))
            return false;
        mfx_buf_add(to, mfx_str(bytes, n));
        len -= n;
    }
    return true;
}

/* In hexadecimal digits, then CRLF, then so many bytes. */
static bool
read_chunks(int fd, struct mfx_buf *to)
{
    struct mfx_buf line;
    size_t len = 1;
    bool is_well = true;
    mfx_buf_init(&line, 10000);
    while (is_well && len > 0) {
        mfx_buf_clear(&line);
        is_well = read_line(fd, &line);
        len = strtoul(mfx_buf_text(&line), NULL, 16);
        is_well = is_well && read_bytes(fd, to, len) && read_line(fd, &line);
    }
    mfx_buf_fini(&line);
    return is_well;
}

static bool
read_head(int fd, struct mfx_buf *head)
{
    size_t before;
    do {
        before = head->len;
        if (!read_line(fd, head))
            return false;
    } while (head->len != before + 2);
    return true;
}

static bool
read_request(int fd, struct play *play)
{
    struct mfx_buf head, body;
    mfx_buf_init(&head, 1 << 20);
    mfx_buf_init(&body, 1 << 25);
    bool is_well = read_head(fd, &head);
    const char *text = is_well ? mfx_buf_text(&head) : "";
    const char *length = strstr(text, "Content-Length: ");
    if (play->is_early || !is_well)
        ;
    else if (length != NULL)
        is_well = read_bytes(fd, &body, strtoul(length + 16, NULL, 10));
    else if (strstr(text, "Transfer-Encoding: chunked") != NULL)
        is_well = read_chunks(fd, &body);
    (void)pthread_mutex_lock(&play->mutex);
    if (is_well) {
        mfx_buf_clear(&play->head);
        mfx_buf_clear(&play->body);
        mfx_buf_add(&play->head, mfx_buf_str(&head));
        mfx_buf_add(&play->body, mfx_buf_str(&body));
    }
    (void)pthread_mutex_unlock(&play->mutex);
    mfx_buf_fini(&head);
    mfx_buf_fini(&body);
    return is_well;
}

static bool
answer(struct scan_peer *peer, int fd, const struct play *play)
{
    size_t len = strlen(play->reply);
    if (play->pause_ms == 0)
        scan_peer_write(fd, play->reply, len);
    for (size_t i = 0; play->pause_ms > 0 && i < len; i++) {
        scan_peer_write(fd, play->reply + i, 1);
        if (scan_peer_sleep(peer, play->pause_ms))
            return false;
    }
    scan_peer_write(fd, play->binary.p, play->binary.len);
    for (size_t i = 0; i < play->repeats && !scan_peer_sleep(peer, 0); i++)
        scan_peer_write(fd, play->reply + len - play->tail, play->tail);
    return true;
}

static void
serve(struct scan_peer *peer, int fd, unsigned number)
{
    struct play *play = peer->arg;
    (void)number;
    for (unsigned uses = 0; read_request(fd, play); uses++) {
        if (play->cuts_used && uses > 0)
            return;
        atomic_fetch_add(&peer->asked, 1);
        if (play->is_silent)
            (void)scan_peer_sleep(peer, PATIENCE_MS);
        if (play->is_silent || !answer(peer, fd, play) || play->cuts)
            return;
        /* what is closed with bytes unread is reset, and its answer lost */
        while (play->is_early && scan_peer_read(fd, &(char){0}, 1))
            continue;
    }
}

static void
play_init(struct play *play, const char *reply)
{
    memset(play, 0, sizeof *play);
    play->reply = reply;
    (void)pthread_mutex_init(&play->mutex, NULL);
    mfx_buf_init(&play->head, 1 << 20);
    mfx_buf_init(&play->body, 1 << 25);
}

static void
play_fini(struct play *play)
{
    mfx_buf_fini(&play->head);
    mfx_buf_fini(&play->body);
    (void)pthread_mutex_destroy(&play->mutex);
}

#define JSON      "{\"action\":\"no action\",\"score\":1.5,\"required_score\":15}"
#define JSON_LEN  "54"
#define OK_HEAD   "HTTP/1.1 200 OK\r\nServer: rspamd/3.4\r\n"
#define OK_LENGTH OK_HEAD "Content-Length: " JSON_LEN "\r\n\r\n"
#define OK        OK_LENGTH JSON

/* --- the client --- */

struct stage {
    struct scan_peer peer;
    struct play play;
    struct mfx_scan_loop *loop;
    struct mfx_scan_engine_settings settings;
    struct mfx_rspamd_settings rspamd;
    struct mfx_scan_server server;
    struct mfx_scan_engine *engine;
    struct mfx_arena *arena;
};

static void
stage_open(struct stage *s, const char *reply, const char *path)
{
    assert_int_equal(strlen(JSON), strtoul(JSON_LEN, NULL, 10));
    memset(s, 0, sizeof *s);
    play_init(&s->play, reply);
    scan_peer_start(&s->peer, serve, &s->play, path);
    s->loop = test_loop();
    s->server.address = mfx_str_of(s->peer.text);
    s->settings = test_settings(&s->server, 1);
    s->rspamd = mfx_rspamd_settings_default();
    s->arena = mfx_arena_new(0);
}

static void
stage_start(struct stage *s)
{
    struct mfx_err err = {{0}};
    if (mfx_rspamd_new(s->loop, &s->settings, &s->rspamd, &s->engine, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
}

static void
stage_close(struct stage *s)
{
    mfx_arena_free(s->arena);
    mfx_scan_engine_free(s->engine);
    mfx_scan_loop_free(s->loop);
    scan_peer_stop(&s->peer);
    play_fini(&s->play);
}

static const struct mfx_scan_result *
ask_about(struct stage *s, const char *text)
{
    return test_ask(s->arena, s->engine, text, PATIENCE_MS);
}

/* --- requests --- */

static void
a_request(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    s.rspamd.password = mfx_str_of("secret");
    s.rspamd.user_agent = mfx_str_of("test/1");
    stage_start(&s);
    const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n\r\nc\r\n");
    assert_int_equal(r->end, MFX_SCAN_ANSWERED);
    assert_int_equal((int)(r->score * 10), 15);
    unit_assert_str("server", r->server, mfx_str_of(s.peer.text));
    unit_assert_str("raw", r->raw, mfx_str_of(JSON));
    char want[500];
    (void)snprintf(want, sizeof want,
                   "POST /checkv2 HTTP/1.1\r\nHost: %s\r\n"
                   "User-Agent: test/1\r\nFrom: <>\r\n"
                   "Flags: milter,body_block,groups\r\nPassword: secret\r\n"
                   "Content-Length: 11\r\n\r\n",
                   s.peer.text);
    unit_assert_str("head", mfx_buf_str(&s.play.head), mfx_str_of(want));
    unit_assert_str("body", mfx_buf_str(&s.play.body),
                    mfx_str_of("A: b\r\n\r\nc\r\n"));
    stage_close(&s);
}

static void
over_a_unix_socket(void **state)
{
    (void)state;
    static struct stage s;
    char path[60];
    (void)snprintf(path, sizeof path, "/tmp/mfx-rspamd.%ld", (long)getpid());
    stage_open(&s, OK, path);
    stage_start(&s);
    const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
    assert_int_equal(r->end, MFX_SCAN_ANSWERED);
    unit_assert_str("server", r->server, mfx_str_of(s.peer.text));
    stage_close(&s);
    (void)unlink(path);
}

static void
connections_are_kept(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    stage_start(&s);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_about(&s, "A: b\r\n")->end, MFX_SCAN_ANSWERED);
    assert_int_equal(atomic_load(&s.peer.count), 1);
    assert_int_equal(atomic_load(&s.peer.asked), 20);
    stage_close(&s);
}

static void
connections_are_not_kept(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    s.settings.idle_ms = 0;
    stage_start(&s);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_about(&s, "A: b\r\n")->end, MFX_SCAN_ANSWERED);
    assert_int_equal(atomic_load(&s.peer.count), 5);
    stage_close(&s);
}

/* --- messages --- */

static void
fill(struct mfx_buf *text, size_t size)
{
    uint32_t noise = 1;
    mfx_buf_init(text, size + 1);
    while (text->len < size) {
        noise = noise * 1664525 + 1013904223;
        mfx_buf_add_byte(text, (char)('a' + (noise >> 24) % 20));
    }
}

static struct mfx_str
seen_body(struct stage *s, struct mfx_buf *plain)
{
    struct mfx_err err = {{0}};
    if (!s->rspamd.compresses)
        return mfx_buf_str(&s->play.body);
    mfx_buf_init(plain, 1 << 25);
    if (mfx_rspamd_unpack(mfx_buf_str(&s->play.body), plain, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return mfx_buf_str(plain);
}

/* In pieces, with pauses if need be; it is asked about at once. */
static void
send_message(struct stage *s, size_t size, size_t memory, size_t pieces,
             bool waits)
{
    struct mfx_buf text, plain = {0};
    struct mfx_scan_body *body = mfx_scan_body_new(memory, NULL);
    fill(&text, size);
    struct mfx_scan *scan = test_begin(s->arena, s->engine, body, PATIENCE_MS);
    for (size_t i = 0; i < pieces; i++) {
        size_t from = size * i / pieces, to = size * (i + 1) / pieces;
        if (to > from)
            mfx_scan_body_add(body, mfx_str(text.p + from, to - from));
        if (waits)
            (void)usleep(5000);
    }
    mfx_scan_body_end(body);
    const struct mfx_scan_result *r = test_finish(scan);
    if (r->end != MFX_SCAN_ANSWERED)
        fail_msg("%zu bytes: %.*s", size, MFX_STR_ARG(r->words));
    unit_assert_str("the message", seen_body(s, &plain), mfx_buf_str(&text));
    mfx_scan_body_free(body);
    mfx_buf_fini(&text);
    mfx_buf_fini(&plain);
}

static void
messages_of_all_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,     1,     4096,   65535,
                                   65536, 65537, 200000, 3000000};
    for (int compresses = 0; compresses < 2; compresses++) {
        static struct stage s;
        stage_open(&s, OK, NULL);
        s.rspamd.compresses = compresses != 0;
        stage_start(&s);
        for (size_t i = 0; i < COUNT(sizes); i++) {
            send_message(&s, sizes[i], 1 << 25, 1, false);
            send_message(&s, sizes[i], 1000, 1, false); /* from a file */
            send_message(&s, sizes[i], 1 << 25, 20, true);
        }
        stage_close(&s);
    }
}

/* It is on its way before it is whole. */
static void
while_it_arrives(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    stage_start(&s);
    struct mfx_buf text;
    fill(&text, 300000);
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
    struct mfx_scan *scan = test_begin(s.arena, s.engine, body, PATIENCE_MS);
    mfx_scan_body_add(body, mfx_str(text.p, 100000));
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (atomic_load(&s.peer.count) == 0 && mfx_mono_ms() < until_ms)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&s.peer.count), 1);
    mfx_scan_body_add(body, mfx_str(text.p + 100000, 200000));
    mfx_scan_body_end(body);
    assert_int_equal(test_finish(scan)->end, MFX_SCAN_ANSWERED);
    unit_assert_str("all of it", mfx_buf_str(&s.play.body), mfx_buf_str(&text));
    assert_non_null(
        strstr(mfx_buf_text(&s.play.head), "Transfer-Encoding: chunked"));
    mfx_scan_body_free(body);
    mfx_buf_fini(&text);
    stage_close(&s);
}

static void
parts_of_messages(void **state)
{
    (void)state;
    static const struct {
        size_t size, max;
        bool scans_part, is_streamed;
        enum mfx_scan_end end;
    } cases[] = {
        {1000,   1000,   true,  false, MFX_SCAN_ANSWERED },
        {1001,   1000,   true,  false, MFX_SCAN_ANSWERED },
        {200000, 1000,   true,  true,  MFX_SCAN_ANSWERED },
        {200000, 100000, true,  true,  MFX_SCAN_ANSWERED },
        {1001,   1000,   false, false, MFX_SCAN_TOO_LARGE},
        {200000, 100000, false, true,  MFX_SCAN_TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        struct mfx_buf text;
        char label[40];
        (void)snprintf(label, sizeof label, "row %zu", i);
        stage_open(&s, OK, NULL);
        s.settings.max_size = cases[i].max;
        s.settings.scans_part = cases[i].scans_part;
        stage_start(&s);
        fill(&text, cases[i].size);
        struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
        struct mfx_scan *scan =
            test_begin(s.arena, s.engine, body, PATIENCE_MS);
        mfx_scan_body_add(body, mfx_str_head(mfx_buf_str(&text), 90000));
        if (cases[i].is_streamed)
            (void)usleep(20000);
        mfx_scan_body_add(body, mfx_str_from(mfx_buf_str(&text), 90000));
        mfx_scan_body_end(body);
        const struct mfx_scan_result *r = test_finish(scan);
        unit_assert_int(label, r->end, cases[i].end);
        if (r->end == MFX_SCAN_ANSWERED) {
            unit_assert_int(label, r->is_partial, cases[i].size > cases[i].max);
            unit_assert_str(label, mfx_buf_str(&s.play.body),
                            mfx_str_head(mfx_buf_str(&text), cases[i].max));
        }
        mfx_scan_body_free(body);
        mfx_buf_fini(&text);
        stage_close(&s);
    }
}

/* A used connection that is closed just then: the message is sent once more,
 * from the start. */
static void
stale_connections(void **state)
{
    (void)state;
    for (int compresses = 0; compresses < 2; compresses++) {
        static struct stage s;
        stage_open(&s, OK, NULL);
        s.play.cuts_used = true;
        s.rspamd.compresses = compresses != 0;
        stage_start(&s);
        for (int i = 0; i < 3; i++) {
            send_message(&s, 1000, 1 << 20, 1, false);
            send_message(&s, 200000, 1 << 20, 1, false);
        }
        assert_true(atomic_load(&s.peer.count) > 3);
        stage_close(&s);
    }
}

/* --- replies --- */

static void
forms_of_replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *reply;
        bool cuts;
    } cases[] = {
        {"with its length",  OK,                                  false},
        {"in chunks",
         OK_HEAD
         "Transfer-Encoding: chunked\r\n\r\n"
         "4\r\n{\"ac\r\n32\r\ntion\":\"no action\",\"score\":1.5,\"required_score\":15}"
         "\r\n0\r\n\r\n",                                         false},
        {"to the end",       OK_HEAD "\r\n" JSON,                 true },
        {"closed behind it",
         OK_HEAD "Connection: close\r\nContent-Length: " JSON_LEN
                 "\r\n\r\n" JSON,
         true                                                          },
        {"old",              "HTTP/1.0 200 OK\r\n\r\n" JSON,      true },
        {"wait, and go on",
         "HTTP/1.1 100 Continue\r\nMessage-Offset: 1\r\n\r\n" OK, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        stage_open(&s, cases[i].reply, NULL);
        s.play.cuts = cases[i].cuts;
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
        if (r->end != MFX_SCAN_ANSWERED)
            fail_msg("%s: %.*s", cases[i].label, MFX_STR_ARG(r->words));
        unit_assert_str(cases[i].label, r->raw, mfx_str_of(JSON));
        assert_false(r->has_body);
        stage_close(&s);
    }
}

static void
new_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *reply, *body;
    } cases[] = {
        {"a body",
         OK_HEAD "Content-Length: 59\r\nMessage-Offset: " JSON_LEN
                 "\r\n\r\n" JSON "new\r\n",
         "new\r\n"                                                            },
        {"an empty one",
         OK_HEAD "Content-Length: 54\r\nmessage-offset:54\r\n\r\n" JSON,  ""  },
        {"behind the end",
         OK_HEAD "Content-Length: 54\r\nMessage-Offset: 55\r\n\r\n" JSON, NULL},
        {"in the middle",
         OK_HEAD "Content-Length: 54\r\nMessage-Offset: 53\r\n\r\n" JSON, NULL},
        {"nowhere",
         OK_HEAD "Content-Length: 54\r\nMessage-Offset: x\r\n\r\n" JSON,  NULL},
        {"before the start",
         OK_HEAD "Content-Length: 54\r\nMessage-Offset: -1\r\n\r\n" JSON, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        stage_open(&s, cases[i].reply, NULL);
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
        unit_assert_int(cases[i].label, r->end,
                        cases[i].body != NULL ? MFX_SCAN_ANSWERED
                                              : MFX_SCAN_BROKEN);
        unit_assert_int(cases[i].label, r->has_body, cases[i].body != NULL);
        unit_assert_str(cases[i].label, r->body, mfx_str_of(cases[i].body));
        stage_close(&s);
    }
}

/* More than max_answer, but no more than it could have become. */
static void
large_bodies(void **state)
{
    (void)state;
    enum {
        SIZE = 2000000
    };
    static char reply[SIZE + 500], message[SIZE];
    static const size_t sizes[] = {3000, SIZE};
    memset(message, 'm', sizeof message - 1);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        static struct stage s;
        int n = snprintf(reply, sizeof reply,
                         OK_HEAD "Content-Length: %zu\r\n"
                                 "Message-Offset: 54\r\n\r\n" JSON,
                         54 + sizes[i]);
        memset(reply + n, 'x', sizes[i]);
        reply[(size_t)n + sizes[i]] = '\0';
        stage_open(&s, reply, NULL);
        s.settings.max_answer = 1000;
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, message);
        if (r->end != MFX_SCAN_ANSWERED)
            fail_msg("%.*s", MFX_STR_ARG(r->words));
        assert_int_equal(r->body.len, sizes[i]);
        if (sizes[i] == SIZE) /* for a short message it is too much */
            assert_int_equal(ask_about(&s, "A: b\r\n")->end, MFX_SCAN_BROKEN);
        stage_close(&s);
    }
}

static size_t
pack(struct mfx_str text, char *to, size_t max)
{
    struct mfx_rspamd_packer *packer = mfx_rspamd_packer_new();
    bool is_done = false;
    size_t len = 0;
    while (!is_done)
        len +=
            mfx_rspamd_pack(packer, &text, true, to + len, max - len, &is_done);
    mfx_rspamd_packer_free(packer);
    return len;
}

static void
packed_replies(void **state)
{
    (void)state;
    static const struct {
        const char *field, *more, *body;
        size_t cut;
        enum mfx_scan_end end;
    } cases[] = {
        {"Compression: zstd",                           "",    NULL,  0, MFX_SCAN_ANSWERED},
        {"Content-Encoding: ZSTD\r\nCompression: zstd", "",    NULL,  0,
         MFX_SCAN_ANSWERED                                                                },
        {"Compression: zstd\r\nMessage-Offset: 54",     "new", "new", 0,
         MFX_SCAN_ANSWERED                                                                },
        {"X: y",                                        "",    NULL,  0, MFX_SCAN_BROKEN  },
        {"Compression: zstd",                           "",    NULL,  3, MFX_SCAN_BROKEN  },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        char packed[500], head[500];
        struct mfx_buf plain;
        mfx_buf_init(&plain, 1000);
        mfx_buf_printf(&plain, "%s%s", JSON, cases[i].more);
        size_t len =
            pack(mfx_buf_str(&plain), packed, sizeof packed) - cases[i].cut;
        (void)snprintf(head, sizeof head,
                       OK_HEAD "%s\r\nContent-Length: %zu\r\n\r\n",
                       cases[i].field, len);
        stage_open(&s, head, NULL);
        s.play.binary = mfx_str(packed, len);
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
        unit_assert_int(cases[i].field, r->end, cases[i].end);
        unit_assert_str(cases[i].field, r->body, mfx_str_of(cases[i].body));
        mfx_buf_fini(&plain);
        stage_close(&s);
    }
}

/* A few bytes that become many. */
static void
bombs(void **state)
{
    (void)state;
    static struct stage s;
    static char zeros[20000000], packed[10000];
    char head[500];
    memset(zeros, ' ', sizeof zeros);
    size_t len = pack(mfx_str(zeros, sizeof zeros), packed, sizeof packed);
    (void)snprintf(head, sizeof head,
                   OK_HEAD "Compression: zstd\r\nContent-Length: %zu\r\n\r\n",
                   len);
    stage_open(&s, head, NULL);
    s.play.binary = mfx_str(packed, len);
    stage_start(&s);
    const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
    assert_int_equal(r->end, MFX_SCAN_BROKEN);
    assert_non_null(strstr(r->words.p, "too long"));
    stage_close(&s);
}

static void
no_replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *reply;
        enum mfx_scan_end end;
        const char *words;
    } cases[] = {
        {"no HTTP",               "SPAMD/1.1 0 EX_OK\r\n\r\n",                               MFX_SCAN_BROKEN,    ""                     },
        {"nothing",               "",                                                        MFX_SCAN_UNREACHED, ""                     },
        {"cut off in the head",   "HTTP/1.1 200 OK\r\nContent-Le",
         MFX_SCAN_BROKEN,                                                                                        ""                     },
        {"shorter than it says",  OK_HEAD "Content-Length: 60\r\n\r\n" JSON,
         MFX_SCAN_BROKEN,                                                                                        ""                     },
        {"longer than it says",   OK_HEAD "Content-Length: 50\r\n\r\n" JSON,
         MFX_SCAN_BROKEN,                                                                                        "no JSON"              },
        {"a negative length",     OK_HEAD "Content-Length: -1\r\n\r\n" JSON,
         MFX_SCAN_BROKEN,                                                                                        ""                     },
        {"a length of letters",   OK_HEAD "Content-Length: x\r\n\r\n" JSON,
         MFX_SCAN_BROKEN,                                                                                        ""                     },
        {"broken chunks",
         OK_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n" JSON,
         MFX_SCAN_BROKEN,                                                                                        ""                     },
        {"no JSON",               OK_HEAD "Content-Length: 2\r\n\r\nno",                     MFX_SCAN_BROKEN,
         "no JSON"                                                                                                                      },
        {"no body",               OK_HEAD "Content-Length: 0\r\n\r\n",                       MFX_SCAN_BROKEN,
         "no JSON"                                                                                                                      },
        {"too large",             "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
         MFX_SCAN_TOO_LARGE,                                                                                     "HTTP 413"             },
        {"forbidden",
         "HTTP/1.1 403 Forbidden\r\nContent-Length: 24\r\n\r\n"
         "{\"error\":\"Unauthorized\"}",                                                     MFX_SCAN_REFUSED,   "HTTP 403 Unauthorized"},
        {"busy",                  "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n<htm>",
         MFX_SCAN_REFUSED,                                                                                       "HTTP 503"             },
        {"an error, all is well",
         OK_HEAD "Content-Length: 19\r\n\r\n{\"error\":\"timeout\"}",
         MFX_SCAN_REFUSED,                                                                                       "timeout"              },
        {"elsewhere",
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         MFX_SCAN_BROKEN,                                                                                        "HTTP 302"             },
        {"no content",            "HTTP/1.1 204 None\r\n\r\n",                               MFX_SCAN_BROKEN,
         "HTTP 204"                                                                                                                     },
        {"infinite",
         OK_HEAD
         "Content-Length: 33\r\n\r\n{\"action\":\"reject\",\"score\":1e999}",                MFX_SCAN_BROKEN,    "no JSON"              },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        stage_open(&s, cases[i].reply, NULL);
        s.play.cuts = true;
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
        if (r->end != cases[i].end)
            fail_msg("%s: %s: %.*s", cases[i].label, mfx_scan_end_name(r->end),
                     MFX_STR_ARG(r->words));
        char want[300];
        (void)snprintf(want, sizeof want, "%s: %s", s.peer.text,
                       cases[i].words);
        if (strncmp(r->words.p, want, strlen(want)) != 0)
            fail_msg("%s: %.*s", cases[i].label, MFX_STR_ARG(r->words));
        stage_close(&s);
    }
}

/* --- weather --- */

static void
silent_servers(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    s.play.is_silent = true;
    stage_start(&s);
    uint64_t begun_ms = mfx_mono_ms();
    const struct mfx_scan_result *r =
        test_ask(s.arena, s.engine, "A: b\r\n", SHORT_MS);
    assert_int_equal(r->end, MFX_SCAN_TIMEOUT);
    assert_true(mfx_mono_ms() - begun_ms < SHORT_MS + 4000);
    stage_close(&s);
}

static void
a_byte_at_a_time(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    s.play.pause_ms = 100;
    stage_start(&s);
    assert_int_equal(test_ask(s.arena, s.engine, "A: b\r\n", SHORT_MS)->end,
                     MFX_SCAN_TIMEOUT);
    stage_close(&s);
    stage_open(&s, OK, NULL);
    s.play.pause_ms = 1;
    stage_start(&s);
    assert_int_equal(ask_about(&s, "A: b\r\n")->end, MFX_SCAN_ANSWERED);
    stage_close(&s);
}

static void
endless_answers(void **state)
{
    (void)state;
    static const char *const heads[] = {
        OK_HEAD "Content-Length: 100000000\r\n\r\n",
        OK_HEAD "\r\n",
        OK_HEAD "Compression: zstd\r\n\r\n",
        OK_HEAD "Message-Offset: 10\r\n\r\n",
        "HTTP/1.1 500 no\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
    };
    static char reply[20000];
    for (size_t i = 0; i < COUNT(heads); i++) {
        static struct stage s;
        int n = snprintf(reply, sizeof reply, "%s", heads[i]);
        bool is_head = strstr(reply, "\r\n\r\n") == NULL;
        for (size_t k = 0; k < 1000; k++)
            memcpy(reply + (size_t)n + 10 * k, "X: 456789\n", 11);
        stage_open(&s, reply, NULL);
        s.play.tail = 10000;
        s.play.repeats = 10000;
        stage_start(&s);
        const struct mfx_scan_result *r = ask_about(&s, "A: b\r\n");
        if (r->end != MFX_SCAN_BROKEN ||
            (!is_head && strstr(r->words.p, "too long") == NULL))
            fail_msg("%s: %s: %.*s", heads[i], mfx_scan_end_name(r->end),
                     MFX_STR_ARG(r->words));
        stage_close(&s);
    }
}

/* It says no while the message still comes. */
static void
early_answers(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s,
               "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n"
               "Connection: close\r\n\r\n",
               NULL);
    s.play.is_early = true;
    stage_start(&s);
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
    struct mfx_scan *scan = test_begin(s.arena, s.engine, body, PATIENCE_MS);
    static char text[200000];
    memset(text, 'x', sizeof text);
    mfx_scan_body_add(body, mfx_str(text, sizeof text));
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (mfx_scan_pending(scan) != NULL && mfx_mono_ms() < until_ms)
        (void)usleep(1000);
    assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_TOO_LARGE);
    mfx_scan_body_end(body);
    mfx_scan_body_free(body);
    stage_close(&s);
}

static void
another_is_asked(void **state)
{
    (void)state;
    static struct stage good, bad;
    stage_open(&good, OK, NULL);
    stage_open(&bad, "HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n", NULL);
    struct mfx_scan_server servers[] = {
        {.address = MFX_STR("127.0.0.1:1")},
        {.address = mfx_str_of(bad.peer.text)},
        {.address = mfx_str_of(good.peer.text)},
    };
    good.settings = test_settings(servers, 3);
    stage_start(&good);
    const struct mfx_scan_result *r = ask_about(&good, "A: b\r\n");
    assert_int_equal(r->end, MFX_SCAN_ANSWERED);
    assert_int_equal(r->tries, 3);
    unit_assert_str("the one that answered", r->server,
                    mfx_str_of(good.peer.text));
    stage_close(&good);
    stage_close(&bad);
}

static void
cancelled(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, OK, NULL);
    s.play.is_silent = true;
    stage_start(&s);
    struct mfx_scan_body *body = test_body("A: b\r\n");
    struct mfx_scan *scan = test_begin(s.arena, s.engine, body, PATIENCE_MS);
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (atomic_load(&s.peer.asked) == 0 && mfx_mono_ms() < until_ms)
        (void)usleep(1000);
    assert_int_equal(mfx_scan_cancel(scan)->end, MFX_SCAN_CANCELLED);
    /* and one that is under way when the loop ends */
    (void)test_begin(s.arena, s.engine, body, PATIENCE_MS);
    while (atomic_load(&s.peer.asked) == 1 && mfx_mono_ms() < until_ms)
        (void)usleep(1000);
    mfx_scan_body_free(body);
    stage_close(&s);
}

static void
many_at_once(void **state)
{
    (void)state;
    enum {
        MANY = 200
    };
    static struct stage s;
    static struct mfx_scan *scans[MANY];
    stage_open(&s, OK, NULL);
    s.settings.max_requests = s.settings.max_queue = MANY;
    stage_start(&s);
    struct mfx_scan_body *body = test_body("A: b\r\n");
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++)
            scans[i] = test_begin(s.arena, s.engine, body, PATIENCE_MS);
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(test_finish(scans[i])->end, MFX_SCAN_ANSWERED);
    }
    assert_true(atomic_load(&s.peer.count) <= s.settings.max_connections);
    mfx_scan_body_free(body);
    stage_close(&s);
}

/* --- greetings and lessons --- */

static void
wait_for_version(struct stage *s, struct mfx_scan_server_report *report)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    do {
        (void)usleep(1000);
        (void)mfx_scan_engine_report(s->engine, report, 1, NULL);
    } while (report->version[0] == '\0' && report->trouble[0] == '\0' &&
             mfx_mono_ms() < until_ms);
}

static void
greetings(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *version, *trouble;
    } cases[] = {
        {OK_HEAD "Content-Length: 6\r\n\r\npong\r\n",                     "rspamd/3.4", ""  },
        {"HTTP/1.1 404 No\r\nServer: front\r\nContent-Length: 0\r\n\r\n",
         "front",                                                                       ""  },
        {"HTTP/1.1 502 No\r\nServer: front\r\nContent-Length: 0\r\n\r\n", "",
         "HTTP 502"                                                                         },
        {"no HTTP\r\n",                                                   "",           ": "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        struct mfx_scan_server_report report = {.version = ""};
        stage_open(&s, cases[i].reply, NULL);
        s.settings.check_ms = 1000;
        s.play.cuts = true;
        stage_start(&s);
        wait_for_version(&s, &report);
        unit_assert_str(cases[i].reply, mfx_str_of(report.version),
                        mfx_str_of(cases[i].version));
        if (strstr(report.trouble, cases[i].trouble) == NULL)
            fail_msg("%s: %s", cases[i].reply, report.trouble);
        (void)pthread_mutex_lock(&s.play.mutex);
        static const char get[] = "GET /ping HTTP/1.1\r\n";
        assert_memory_equal(mfx_buf_text(&s.play.head), get, sizeof get - 1);
        (void)pthread_mutex_unlock(&s.play.mutex);
        stage_close(&s);
    }
}

static void
lessons(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum mfx_scan_purpose purpose;
        bool are_controllers;
        const char *reply, *line;
        enum mfx_scan_end end;
        bool is_learned;
    } cases[] = {
        {"spam",          MFX_SCAN_LEARN_SPAM, true,
         OK_HEAD "Content-Length: 16\r\n\r\n{\"success\":true}",
         "POST /learnspam ",                                                                        MFX_SCAN_ANSWERED,  true },
        {"ham",           MFX_SCAN_LEARN_HAM,  true,
         OK_HEAD "Content-Length: 16\r\n\r\n{\"success\":true}",
         "POST /learnham ",                                                                         MFX_SCAN_ANSWERED,  true },
        {"known already", MFX_SCAN_LEARN_SPAM, true,
         "HTTP/1.1 208 known\r\nContent-Length: 13\r\n\r\n{\"error\":\"k\"}",   "POST /learnspam ", MFX_SCAN_ANSWERED,  false},
        {"too short",     MFX_SCAN_LEARN_SPAM, true,  "HTTP/1.1 204 x\r\n\r\n",
         "POST /learnspam ",                                                                        MFX_SCAN_ANSWERED,  false},
        {"forbidden",     MFX_SCAN_LEARN_SPAM, true,
         "HTTP/1.1 401 no\r\nContent-Length: 0\r\n\r\n",                        "POST /learnspam ",
         MFX_SCAN_REFUSED,                                                                                              false},
        {"no controller", MFX_SCAN_LEARN_SPAM, false, OK,                       "",
         MFX_SCAN_NOT_ASKED,                                                                                            false},
        {"forget",        MFX_SCAN_FORGET,     true,  OK,                       "",                 MFX_SCAN_NOT_ASKED, false},
        {"check",         MFX_SCAN_CHECK,      true,  OK,                       "POST /checkv2 ",   MFX_SCAN_ANSWERED,
         false                                                                                                               },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct stage s;
        stage_open(&s, cases[i].reply, NULL);
        s.rspamd.are_controllers = cases[i].are_controllers;
        stage_start(&s);
        struct mfx_scan_body *body = test_body("A: b\r\n");
        struct mfx_scan_request request = {
            .purpose = cases[i].purpose, .body = body, .time_ms = PATIENCE_MS};
        struct mfx_scan *scan = mfx_scan_begin(s.arena, s.engine, &request);
        const struct mfx_scan_result *r = test_finish(scan);
        unit_assert_int(cases[i].label, r->end, cases[i].end);
        unit_assert_int(cases[i].label, r->is_learned, cases[i].is_learned);
        unit_assert_str(
            cases[i].label,
            mfx_str_head(mfx_buf_str(&s.play.head), strlen(cases[i].line)),
            mfx_str_of(cases[i].line));
        mfx_scan_body_free(body);
        stage_close(&s);
    }
}

/* --- settings --- */

static void
wrong_settings(void **state)
{
    (void)state;
    static const struct {
        const char *label, *server;
        struct mfx_rspamd_settings settings;
    } cases[] = {
        {"no address",              "x y",         {.password = MFX_STR("")}           },
        {"no port",                 "127.0.0.1:x", {.password = MFX_STR("")}           },
        {"a password of two lines", "127.0.0.1",   {.password = MFX_STR("a\nb")}       },
        {"settings_id with NUL",    "127.0.0.1",   {.settings_id = MFX_STR("a\0b")}    },
        {"no JSON",                 "127.0.0.1",   {.settings = MFX_STR("{a}")}        },
        {"no object",               "127.0.0.1",   {.settings = MFX_STR("[1]")}        },
        {"JSON of two lines",
         "127.0.0.1",                              {.settings = MFX_STR("{\"a\":\n1}")}},
        {"user_agent of two lines",
         "127.0.0.1",                              {.user_agent = MFX_STR("a\r\nX: y")}},
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_server server = {.address =
                                             mfx_str_of(cases[i].server)};
        struct mfx_scan_engine_settings settings = test_settings(&server, 1);
        struct mfx_scan_engine *engine = NULL;
        struct mfx_err err = {{0}};
        unit_assert_int(
            cases[i].label,
            mfx_rspamd_new(loop, &settings, &cases[i].settings, &engine, &err),
            MFX_PERMFAIL);
        assert_true(err.msg[0] != '\0');
        assert_null(engine);
    }
    struct mfx_rspamd_settings fine = mfx_rspamd_settings_default();
    struct mfx_scan_engine_settings none = test_settings(NULL, 0);
    struct mfx_scan_engine *engine = NULL;
    assert_int_equal(mfx_rspamd_new(loop, &none, &fine, &engine, NULL),
                     MFX_PERMFAIL);
    mfx_scan_loop_free(loop);
}

static void
default_ports(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    static const char *const want[] = {"127.0.0.1:11333", "127.0.0.1:11334"};
    for (int i = 0; i < 2; i++) {
        struct mfx_scan_server server = {.address = MFX_STR("127.0.0.1")};
        struct mfx_scan_engine_settings settings = test_settings(&server, 1);
        struct mfx_rspamd_settings rspamd = mfx_rspamd_settings_default();
        struct mfx_scan_engine *engine = NULL;
        struct mfx_scan_server_report report;
        settings.check_ms = 0;
        rspamd.are_controllers = i == 1;
        assert_int_equal(
            mfx_rspamd_new(loop, &settings, &rspamd, &engine, NULL), MFX_OK);
        assert_string_equal(mfx_scan_engine_name(engine), "rspamd");
        (void)mfx_scan_engine_report(engine, &report, 1, NULL);
        unit_assert_str("a port", mfx_str_head(mfx_str_of(want[i]), 9),
                        mfx_str_of(report.server));
        mfx_scan_engine_free(engine);
    }
    mfx_scan_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(over_a_unix_socket),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(connections_are_not_kept),
        cmocka_unit_test(messages_of_all_sizes),
        cmocka_unit_test(while_it_arrives),
        cmocka_unit_test(parts_of_messages),
        cmocka_unit_test(stale_connections),
        cmocka_unit_test(forms_of_replies),
        cmocka_unit_test(new_bodies),
        cmocka_unit_test(large_bodies),
        cmocka_unit_test(packed_replies),
        cmocka_unit_test(bombs),
        cmocka_unit_test(no_replies),
        cmocka_unit_test(silent_servers),
        cmocka_unit_test(a_byte_at_a_time),
        cmocka_unit_test(endless_answers),
        cmocka_unit_test(early_answers),
        cmocka_unit_test(another_is_asked),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(greetings),
        cmocka_unit_test(lessons),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(default_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
