/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_engine - an engine's servers: which is asked, and how they are doing
 *
 *     rc = mfx_scan_loop_new(&loop, &err);              one for a process
 *     settings = mfx_scan_engine_settings_default();
 *     settings.servers = servers; settings.server_count = n;
 *     rc = mfx_clamd_new(loop, &settings, &clamd, &engine, &err);  clamd.h
 *     ... scan.h ...
 *     count = mfx_scan_engine_report(engine, reports, max, &load);
 *     mfx_scan_engine_free(engine);
 *     mfx_scan_loop_free(loop);
 *
 * A server that fails max_failures times running (not reached, cut, silent,
 * nonsense) is out: mail no longer waits for it, another is asked, or none. It
 * is greeted now and then by its protocol's PING (after retry_ms, then twice as
 * long, up to retry_max_ms); when it answers it gets one request at a time, and
 * twice as many with each answer. One that is idle is greeted each check_ms.
 *
 * Ownership: an engine is counted: scans have shares, free gives one's own
 * back. Settings and their texts are copied. The loop goes last.
 * Errors: MFX_PERMFAIL: a setting is wrong; MFX_TEMPFAIL: no resources.
 * Threads: any. Limits: MFX_SCAN_SERVERS_MAX servers; one thread for all.
 */
#ifndef MFX_SCAN_SCAN_ENGINE_H
#define MFX_SCAN_SCAN_ENGINE_H

#include <mfx/net/stream.h>
#include <mfx/scan/scan.h>

MFX_API_BEGIN

/* --- the loop --- */

struct mfx_scan_loop;

enum mfx_rc mfx_scan_loop_new(struct mfx_scan_loop **loop,
                              struct mfx_err *err) MFX_NODISCARD;
/* Ends all scans (MFX_SCAN_CANCELLED) and the thread. NULL is allowed. */
void mfx_scan_loop_free(struct mfx_scan_loop *loop);

/* --- an engine --- */

enum {
    MFX_SCAN_SERVERS_MAX = 32,
};

enum mfx_scan_order {
    MFX_SCAN_FAILOVER, /* the first that is not out */
    MFX_SCAN_ROUND_ROBIN,
    MFX_SCAN_WEIGHT, /* in turn, by weight */
};

struct mfx_scan_server {
    struct mfx_str address; /* see mfx_stream_peer_new */
    unsigned weight;        /* 0: 1 */
};

struct mfx_scan_engine_settings {
    const struct mfx_scan_server *servers;
    size_t server_count;
    enum mfx_scan_order order;
    struct mfx_stream_tls *tls; /* NULL: none */

    unsigned max_requests;    /* 100 at once; 0: no limit */
    unsigned max_connections; /* to a server, 20; 0: no limit */
    unsigned max_queue;       /* 100 that wait for one of these */
    size_t max_size;          /* of a message; 0: no limit */
    bool scans_part;          /* a larger one: its first max_size bytes */
    size_t max_answer;        /* 1 MiB */

    uint64_t connect_ms; /* 3000 */
    uint64_t attempt_ms; /* 0: a fair share of the scan's time, if there are
                            others to be asked; else all of it */
    uint64_t idle_ms;    /* 20000: a connection that could be used again */

    unsigned max_failures; /* 3 */
    uint64_t retry_ms;     /* 1000 */
    uint64_t retry_max_ms; /* 60000 */
    uint64_t check_ms;     /* 10000; 0: only those that are out */
};
struct mfx_scan_engine_settings mfx_scan_engine_settings_default(void);

/* NULL is allowed. */
void mfx_scan_engine_free(struct mfx_scan_engine *engine);
/* "clamd", "spamd", "rspamd". */
const char *mfx_scan_engine_name(const struct mfx_scan_engine *engine);

/* --- how it is doing --- */

enum mfx_scan_health {
    MFX_SCAN_UP,
    MFX_SCAN_OUT,       /* not asked */
    MFX_SCAN_RETURNING, /* asked carefully */
};
/* "up", "out", "returning". */
const char *mfx_scan_health_name(enum mfx_scan_health health);

struct mfx_scan_server_report {
    char server[280];
    char version[120]; /* as it says itself; "": unknown */
    char trouble[200]; /* the last; "" */
    enum mfx_scan_health health;
    unsigned in_use;      /* requests under way */
    unsigned allowed;     /* at once, now; 0: no limit */
    uint64_t retry_in_ms; /* when it is out */
    /* since the start */
    uint64_t asked, answered, timeouts, unreached, broken, refused;
    uint64_t outages;
    /* of answers, and of their time */
    uint64_t total_ms, max_ms, median_ms, p99_ms; /* the last two: rough */
};

struct mfx_scan_load {
    unsigned running, queued;
    uint64_t turned_away; /* because too many waited, or all were out */
};

/* How many servers there are; at most max are written. load may be NULL. */
size_t mfx_scan_engine_report(struct mfx_scan_engine *engine,
                              struct mfx_scan_server_report *reports,
                              size_t max, struct mfx_scan_load *load);

MFX_API_END

#endif
