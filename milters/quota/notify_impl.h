/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify_impl - what the files of notify share
 *
 * notify.c has the queue and the thread; notify_notice.c makes the copies and
 * writes them as environment and JSON; notify_command.c runs programs,
 * notify_post.c posts. The last two belong to the thread alone.
 */
#ifndef MFX_QUOTA_NOTIFY_IMPL_H
#define MFX_QUOTA_NOTIFY_IMPL_H

#include <curl/curl.h>
#include <stdatomic.h>

#include <mfx/base/program.h>

#include "notify.h"

/* A copy, all texts behind it; counted, since two may be at it. */
struct notice {
    atomic_uint holds;
    struct quota_notice said;
    uint64_t time_s;
};

/* NULL when out of memory. */
struct notice *notice_new(const struct quota_notice *said);
struct notice *notice_hold(struct notice *notice);
void notice_release(struct notice *notice);

/* "NAME=value" for each, NULL at the end; NULL when the arena failed. */
char **notice_environment(const struct notice *notice, struct mfx_arena *arena);
/* free(3) it; NULL when out of memory. */
char *notice_json(const struct notice *notice);

/* One line for what went wrong; what is "command" or "url". */
void notice_log_failed(const struct notice *notice, const char *what,
                       const char *reason);

struct outcome {
    uint64_t done, failed;
};

struct commands {
    char **argv; /* NULL: no command */
    struct mfx_programs *programs;
    uint64_t timeout_ms;
    struct outcome outcome;
};

/* False: out of memory. */
bool commands_init(struct commands *c, size_t max, uint64_t timeout_ms);
/* Takes over the hold. Not all are running. */
void commands_start(struct commands *c, struct notice *notice, uint64_t now_ms);

struct post {
    struct notice *notice;
    CURL *easy;
    char *body;
    bool is_second;
    bool is_waiting; /* for its second try */
    uint64_t again_ms;
    char error[CURL_ERROR_SIZE];
};

struct posts {
    const char *url; /* NULL: none */
    struct curl_slist *headers;
    CURLM *multi;
    uint64_t timeout_ms;
    size_t max, running;
    struct post *slots; /* in use where notice is not NULL */
    struct outcome outcome;
};

void posts_start(struct posts *p, struct notice *notice);
void posts_look(struct posts *p, uint64_t now_ms);
void posts_abort(struct posts *p);
uint64_t posts_next_ms(const struct posts *p, uint64_t now_ms);

#endif
