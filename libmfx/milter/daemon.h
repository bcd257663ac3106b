/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon - one running daemon: its options, engine, threads
 *
 * Ownership: lives in mfx_main. Errors: exit codes of sysexits.h.
 * Threads: the first takes signals; the keeper reloads; control and metrics
 * serve; libmilter has its own. reload may be called from any but the first.
 */
#ifndef MFX_MILTER_DAEMON_H
#define MFX_MILTER_DAEMON_H

#include <mfx/milter/address.h>
#include <mfx/milter/daemon_process.h>
#include <mfx/milter/session.h>

struct mfx_watch;
struct mfx_control;
struct mfx_http;
struct mfx_keeper;

struct mfx_command_line {
    const char *file;   /* -c */
    const char *socket; /* -s */
    bool check, check_dns, dump, changed_only, detach;
};

struct mfx_daemon {
    const struct mfx_filter *filter;
    struct mfx_command_line line;
    struct mfx_arena *arena; /* for as long as the process */
    const struct mfx_option *common_options;
    const char *file, *common_file;
    struct mfx_identity identity;
    struct mfx_listen_address address;
    const char *socket_text;
    struct mfx_engine engine;
    struct mfx_watch *watch;
    struct mfx_keeper *keeper;
    struct mfx_control *control;
    struct mfx_http *http;
    int control_fd;                      /* until control has it */
    const char *pid_file, *control_path; /* what is ours to remove */
    struct mfx_event gate; /* libmilter starts when signals are safe */
    bool has_socket;       /* ours, to be removed */
    pthread_mutex_t reload_mutex;
    uint64_t started_wall_s;
    atomic_bool is_reload_failed; /* the last one */
    atomic_bool is_stopping;
};

/* What to load; problems are the caller's. */
struct mfx_snapshot_load mfx_daemon_load(const struct mfx_daemon *daemon,
                                         struct mfx_problems *problems);
/* Builds a snapshot beside the current one and swaps; the old one stays when
 * that fails. Logs; says to out (may be NULL) what came of it. */
bool mfx_daemon_reload(struct mfx_daemon *daemon, const char *why,
                       struct mfx_buf *out);
/* -t, -T. */
int mfx_daemon_check(struct mfx_daemon *daemon);
int mfx_daemon_dump(struct mfx_daemon *daemon);
/* From the lock on the socket to the last message. */
int mfx_daemon_run(struct mfx_daemon *daemon);

/* "file:line: text", one a line, to stderr. */
void mfx_daemon_print_problems(const struct mfx_problems *problems,
                               struct mfx_arena *arena);

#endif
