/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <mfx/base/env.h>

#include "notify_impl.h"

enum {
    AGAIN_MS = 1000,
    CONNECT_MS = 10000,
};

static struct post *
free_slot(struct posts *p)
{
    for (size_t i = 0; i < p->max; i++)
        if (p->slots[i].notice == NULL)
            return &p->slots[i];
    MFX_BUG("no free slot");
}

/* What the server says is of no interest. */
static size_t
drop(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

static bool
prepare(const struct posts *p, struct post *post)
{
    CURL *e = post->easy;
    long all_ms = (long)p->timeout_ms;
    return e != NULL && post->body != NULL &&
           curl_easy_setopt(e, CURLOPT_URL, p->url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, p->headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POSTFIELDS, post->body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, all_ms) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                            all_ms < CONNECT_MS ? all_ms : CONNECT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, post->error) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PRIVATE, post) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* no name server that is away may hold up the end */
           curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
}

static void
finish(struct posts *p, struct post *post, const char *why)
{
    if (why == NULL) {
        p->outcome.done++;
    } else {
        notice_log_failed(post->notice, "url", why);
        p->outcome.failed++;
    }
    curl_easy_cleanup(post->easy);
    free(post->body);
    notice_release(post->notice);
    *post = (struct post){.notice = NULL};
    p->running--;
}

static void
begin(struct posts *p, struct post *post)
{
    post->is_waiting = false;
    post->error[0] = '\0';
    if (curl_multi_add_handle(p->multi, post->easy) != CURLM_OK)
        finish(p, post, "the request could not be begun");
}

void
posts_start(struct posts *p, struct notice *notice)
{
    struct post *post = free_slot(p);
    *post = (struct post){.notice = notice,
                          .easy = curl_easy_init(),
                          .body = notice_json(notice)};
    p->running++;
    if (prepare(p, post))
        begin(p, post);
    else
        finish(p, post, "out of memory");
}

/* Not after a timeout: the time is up. */
static bool
is_worth_another(CURLcode rc, long status)
{
    if (rc != CURLE_OK)
        return rc != CURLE_OPERATION_TIMEDOUT;
    return status == 429 || status >= 500;
}

static void
judge(struct posts *p, struct post *post, CURLcode rc, uint64_t now_ms)
{
    struct mfx_err why;
    long status = 0;
    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK && status >= 200 && status <= 299) {
        finish(p, post, NULL);
        return;
    }
    if (!post->is_second && is_worth_another(rc, status)) {
        post->is_second = post->is_waiting = true;
        post->again_ms = now_ms + AGAIN_MS;
        return;
    }
    if (rc == CURLE_OK)
        mfx_err_set(&why, "answered with status %ld", status);
    else
        mfx_err_set(&why, "%s",
                    post->error[0] != '\0' ? post->error
                                           : curl_easy_strerror(rc));
    finish(p, post, why.msg);
}

static void
begin_again(struct posts *p, uint64_t now_ms)
{
    for (size_t i = 0; i < p->max; i++)
        if (p->slots[i].is_waiting && now_ms >= p->slots[i].again_ms)
            begin(p, &p->slots[i]);
}

void
posts_look(struct posts *p, uint64_t now_ms)
{
    int busy = 0, left = 0;
    begin_again(p, now_ms);
    (void)curl_multi_perform(p->multi, &busy);
    for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left)) != NULL;) {
        char *arg = NULL;
        CURLcode rc = m->data.result;
        CURL *easy = m->easy_handle;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &arg);
        (void)curl_multi_remove_handle(p->multi, easy);
        judge(p, (struct post *)(void *)arg, rc, now_ms);
    }
}

void
posts_abort(struct posts *p)
{
    for (size_t i = 0; p->running > 0 && i < p->max; i++) {
        struct post *post = &p->slots[i];
        if (post->notice == NULL)
            continue;
        if (!post->is_waiting)
            (void)curl_multi_remove_handle(p->multi, post->easy);
        finish(p, post, "given up, since the daemon ends");
    }
}

/* curl's own timers are curl_multi_poll's to know. */
uint64_t
posts_next_ms(const struct posts *p, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < p->max; i++)
        if (p->slots[i].is_waiting && p->slots[i].again_ms < next_ms)
            next_ms = p->slots[i].again_ms;
    return next_ms > now_ms ? next_ms : now_ms;
}
