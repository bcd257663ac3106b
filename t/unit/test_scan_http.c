/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl on the scanners' loop. */
#include "unit.h"

#include <mfx/scan/scan_http.h>

#include "scan_clamd.h"

/* --- a small server: each request gets its body back --- */

static bool
read_head(int fd, char *head, size_t size)
{
    size_t len = 0;
    while (len + 1 < size && scan_peer_read(fd, head + len, 1)) {
        head[++len] = '\0';
        if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static void
serve_echo(struct scan_peer *peer, int fd, unsigned number)
{
    char head[2000], answer[100], body[70000];
    (void)number;
    while (read_head(fd, head, sizeof head)) {
        const char *length = strstr(head, "Content-Length: ");
        size_t len = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        assert_true(len <= sizeof body);
        if (!scan_peer_read(fd, body, len))
            return;
        atomic_fetch_add(&peer->asked, 1);
        int n = snprintf(answer, sizeof answer,
                         "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
        scan_peer_write(fd, answer, (size_t)n);
        scan_peer_write(fd, body, len);
    }
}

static void
serve_silence(struct scan_peer *peer, int fd, unsigned number)
{
    (void)fd;
    (void)number;
    atomic_fetch_add(&peer->asked, 1);
    (void)scan_peer_sleep(peer, PATIENCE_MS);
}

/* --- transfers --- */

struct bench {
    struct mfx_scan_loop *loop;
    struct mfx_scan_http *http;
    struct scan_peer peer;
};

struct one {
    struct mfx_scan_transfer transfer; /* first */
    struct mfx_scan_job begin, go_on, drop;
    struct bench *bench;
    struct mfx_event done, dropped;
    CURLcode code;
    size_t size, sent, got;
    atomic_size_t available; /* what may be sent by now */
    bool is_wrong;
};

static char
byte_at(size_t at)
{
    return (char)('a' + at % 23);
}

static size_t
give(char *to, size_t size, size_t count, void *arg)
{
    struct one *one = arg;
    size_t available = atomic_load(&one->available);
    size_t n = size * count;
    if (one->sent == available && available < one->size)
        return CURL_READFUNC_PAUSE;
    if (n > available - one->sent)
        n = available - one->sent;
    for (size_t i = 0; i < n; i++)
        to[i] = byte_at(one->sent + i);
    one->sent += n;
    return n;
}

static size_t
take(char *bytes, size_t size, size_t count, void *arg)
{
    struct one *one = arg;
    for (size_t i = 0; i < size * count; i++)
        one->is_wrong = one->is_wrong || bytes[i] != byte_at(one->got + i);
    one->got += size * count;
    return size * count;
}

static void
on_done(struct mfx_scan_transfer *transfer, CURLcode code)
{
    struct one *one = (struct one *)transfer;
    one->code = code;
    mfx_event_set(&one->done);
}

static struct one *
of_job(struct mfx_scan_job *job, size_t offset)
{
    return (struct one *)(void *)((char *)job - offset);
}

static void
run_begin(struct mfx_scan_job *job)
{
    struct one *one = of_job(job, offsetof(struct one, begin));
    if (!mfx_scan_http_begin(one->bench->http, &one->transfer))
        on_done(&one->transfer, CURLE_OUT_OF_MEMORY);
}

static void
run_go_on(struct mfx_scan_job *job)
{
    struct one *one = of_job(job, offsetof(struct one, go_on));
    mfx_scan_http_resume(one->bench->http, &one->transfer);
}

static void
run_drop(struct mfx_scan_job *job)
{
    struct one *one = of_job(job, offsetof(struct one, drop));
    mfx_scan_http_drop(one->bench->http, &one->transfer);
    mfx_event_set(&one->dropped);
}

static void
one_begin(struct one *one, struct bench *bench, size_t size, size_t available)
{
    char url[200];
    memset(one, 0, sizeof *one);
    one->bench = bench;
    one->size = size;
    one->begin.run = run_begin;
    one->go_on.run = run_go_on;
    one->drop.run = run_drop;
    atomic_store(&one->available, available);
    mfx_event_init(&one->done);
    mfx_event_init(&one->dropped);
    (void)snprintf(url, sizeof url, "http://%s/x", bench->peer.text);
    CURL *easy = one->transfer.easy = curl_easy_init();
    one->transfer.done = on_done;
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, one);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, one);
    assert_int_equal(mfx_scan_loop_post(bench->loop, &one->begin),
                     MFX_SCAN_POSTED);
}

static void
one_end(struct one *one)
{
    assert_true(mfx_event_wait(&one->done, mfx_mono_ms() + PATIENCE_MS));
    assert_int_equal(one->code, CURLE_OK);
    assert_int_equal(one->got, one->size);
    assert_false(one->is_wrong);
    curl_easy_cleanup(one->transfer.easy);
}

static void
bench_open(struct bench *bench,
           void (*serve)(struct scan_peer *, int, unsigned))
{
    bench->loop = test_loop();
    bench->http = mfx_scan_http_new(bench->loop);
    assert_non_null(bench->http);
    scan_peer_start(&bench->peer, serve, NULL, NULL);
}

static void
bench_close(struct bench *bench)
{
    mfx_scan_loop_free(bench->loop);
    mfx_scan_http_free(bench->http);
    scan_peer_stop(&bench->peer);
}

/* --- tests --- */

static void
one_after_another(void **state)
{
    static struct bench bench;
    (void)state;
    bench_open(&bench, serve_echo);
    for (size_t i = 0; i < 20; i++) {
        struct one one;
        one_begin(&one, &bench, i * 3000, i * 3000);
        one_end(&one);
    }
    /* on one connection */
    assert_int_equal(atomic_load(&bench.peer.count), 1);
    bench_close(&bench);
}

static void
all_at_once(void **state)
{
    static struct bench bench;
    static struct one all[50];
    (void)state;
    bench_open(&bench, serve_echo);
    for (size_t i = 0; i < 50; i++)
        one_begin(&all[i], &bench, 1000 * i, 1000 * i);
    for (size_t i = 0; i < 50; i++)
        one_end(&all[i]);
    assert_int_equal(atomic_load(&bench.peer.asked), 50);
    bench_close(&bench);
}

static void
while_it_arrives(void **state)
{
    static struct bench bench;
    struct one one;
    (void)state;
    bench_open(&bench, serve_echo);
    one_begin(&one, &bench, 50000, 0);
    for (size_t at = 10000; at <= 50000; at += 10000) {
        (void)usleep(10000);
        assert_false(mfx_event_is_set(&one.done));
        atomic_store(&one.available, at);
        (void)mfx_scan_loop_post(bench.loop, &one.go_on);
    }
    one_end(&one);
    bench_close(&bench);
}

static void
dropped(void **state)
{
    static struct bench bench;
    struct one one;
    (void)state;
    bench_open(&bench, serve_silence);
    one_begin(&one, &bench, 10, 10);
    while (atomic_load(&bench.peer.asked) == 0)
        (void)usleep(1000);
    (void)mfx_scan_loop_post(bench.loop, &one.drop);
    assert_true(mfx_event_wait(&one.dropped, mfx_mono_ms() + PATIENCE_MS));
    assert_false(mfx_event_is_set(&one.done));
    curl_easy_cleanup(one.transfer.easy);
    /* one that nobody drops before the loop's end */
    one_begin(&one, &bench, 10, 10);
    while (atomic_load(&bench.peer.asked) == 1)
        (void)usleep(1000);
    mfx_scan_loop_free(bench.loop);
    mfx_scan_http_drop(bench.http, &one.transfer);
    curl_easy_cleanup(one.transfer.easy);
    mfx_scan_http_free(bench.http);
    scan_peer_stop(&bench.peer);
}

static void
nobody_there(void **state)
{
    static struct bench bench;
    struct one one;
    (void)state;
    bench_open(&bench, serve_echo);
    (void)snprintf(bench.peer.text, sizeof bench.peer.text, "127.0.0.1:1");
    one_begin(&one, &bench, 10, 10);
    assert_true(mfx_event_wait(&one.done, mfx_mono_ms() + PATIENCE_MS));
    assert_int_equal(one.code, CURLE_COULDNT_CONNECT);
    curl_easy_cleanup(one.transfer.easy);
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_another), cmocka_unit_test(all_at_once),
        cmocka_unit_test(while_it_arrives),  cmocka_unit_test(dropped),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
