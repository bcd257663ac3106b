/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_clamd - the server's side of clamd's protocol, and what else tests of
 * scanners share
 */
#ifndef MFX_T_SCAN_CLAMD_H
#define MFX_T_SCAN_CLAMD_H

#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/base/log.h>
#include <mfx/scan/clamd.h>

#include "scan_peer.h"

enum {
    PATIENCE_MS = 20000,
    SHORT_MS = 300,
};

/* One command, up to its NUL. */
static inline bool
clam_command(int fd, char *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!scan_peer_read(fd, to + i, 1))
            return false;
        if (to[i] == '\0')
            return true;
    }
    return false;
}

static inline void
clam_say(int fd, const char *text)
{
    scan_peer_write(fd, text, strlen(text) + 1);
}

/* One chunk's length; 0: the last one, or the end. */
static inline size_t
clam_chunk(int fd, struct mfx_buf *to)
{
    unsigned char l[4];
    char bytes[4096];
    if (!scan_peer_read(fd, l, sizeof l))
        return 0;
    size_t len = (size_t)l[0] << 24 | (size_t)l[1] << 16 | (size_t)l[2] << 8 |
                 (size_t)l[3];
    for (size_t left = len; left > 0;) {
        size_t n = left < sizeof bytes ? left : sizeof bytes;
        if (!scan_peer_read(fd, bytes, n))
            return 0;
        if (to != NULL)
            mfx_buf_add(to, mfx_str(bytes, n));
        left -= n;
    }
    return len;
}

static inline void
clam_stream(int fd, struct mfx_buf *to)
{
    while (clam_chunk(fd, to) > 0)
        continue;
}

/* Answers greetings until something else comes: its name is in `to`. */
static inline bool
clam_next(int fd, char *to, size_t size)
{
    while (clam_command(fd, to, size)) {
        if (strcmp(to, "zVERSION") != 0)
            return true;
        clam_say(fd, "ClamAV 1.4.6/27000/Sat Nov 21 10:00:00 2026");
    }
    return false;
}

/* --- the client's side --- */

static inline struct mfx_scan_loop *
test_loop(void)
{
    struct mfx_scan_loop *loop = NULL;
    struct mfx_err err = {{0}};
    if (mfx_scan_loop_new(&loop, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return loop;
}

static inline struct mfx_scan_engine_settings
test_settings(struct mfx_scan_server *servers, size_t count)
{
    struct mfx_scan_engine_settings s = mfx_scan_engine_settings_default();
    s.servers = servers;
    s.server_count = count;
    s.check_ms = 0;
    return s;
}

static inline struct mfx_scan_engine *
test_clamd(struct mfx_scan_loop *loop,
           const struct mfx_scan_engine_settings *settings,
           const struct mfx_clamd_settings *clamd)
{
    struct mfx_scan_engine *engine = NULL;
    struct mfx_err err = {{0}};
    struct mfx_clamd_settings own = mfx_clamd_settings_default();
    if (mfx_clamd_new(loop, settings, clamd != NULL ? clamd : &own, &engine,
                      &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return engine;
}

static inline struct mfx_scan_body *
test_body(const char *text)
{
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
    if (body == NULL)
        fail_msg("out of memory");
    mfx_scan_body_add(body, mfx_str_of(text));
    mfx_scan_body_end(body);
    return body;
}

static inline struct mfx_scan *
test_begin(struct mfx_arena *arena, struct mfx_scan_engine *engine,
           struct mfx_scan_body *body, uint64_t time_ms)
{
    struct mfx_scan_request request = {.body = body, .time_ms = time_ms};
    struct mfx_scan *scan = mfx_scan_begin(arena, engine, &request);
    if (scan == NULL)
        fail_msg("out of memory");
    return scan;
}

static inline const struct mfx_scan_result *
test_finish(struct mfx_scan *scan)
{
    struct mfx_event *event;
    /* a moment more: the loop's own words come first */
    while ((event = mfx_scan_pending(scan)) != NULL &&
           mfx_event_wait(event, mfx_scan_deadline_ms(scan) + 5000))
        continue;
    return mfx_scan_finish(scan);
}

static inline const struct mfx_scan_result *
test_ask(struct mfx_arena *arena, struct mfx_scan_engine *engine,
         const char *text, uint64_t time_ms)
{
    struct mfx_scan_body *body = test_body(text);
    struct mfx_scan *scan = test_begin(arena, engine, body, time_ms);
    mfx_scan_body_free(body);
    return test_finish(scan);
}

#endif
