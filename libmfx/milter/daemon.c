/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/daemon.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <mfx/base/log.h>
#include <mfx/milter/http.h>
#include <mfx/milter/keeper.h>
#include <mfx/milter/libmilter.h>
#include <mfx/milter/signals.h>
#include <mfx/milter/verbs.h>
#include <mfx/milter/watch.h>
#include <mfx/net/listener.h>

#include "config.h"

static int
complain(const struct mfx_daemon *d, int status, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", d->filter->name, text);
    return status;
}

static int
status_of(enum mfx_rc rc)
{
    return rc == MFX_PERMFAIL ? EX_CONFIG : EX_OSERR;
}

/* --- as root: what only root may do --- */

static int
open_milter_socket(struct mfx_daemon *d, const struct mfx_common_settings *c)
{
    struct mfx_err err = {{0}};
    struct mfx_str text =
        d->line.socket == NULL ? c->socket : mfx_str_of(d->line.socket);
    d->socket_text = mfx_arena_copy(d->arena, text).p;
    enum mfx_rc rc =
        mfx_listen_address_parse(text, d->arena, &d->address, &err);
    const char *path = rc == MFX_OK ? d->address.path : NULL;
    if (path != NULL)
        rc = mfx_daemon_process_make_directory(path, &d->identity, &err);
    if (rc == MFX_OK && path != NULL)
        rc = mfx_listener_clear_stale(path, &err);
    mode_t old = umask((mode_t)(0777 & ~c->socket_mode));
    if (rc == MFX_OK)
        rc = mfx_libmilter_open(&d->engine, d->address.libmilter,
                                d->address.is_unix, &err);
    (void)umask(old);
    d->has_socket = rc == MFX_OK;
    if (rc == MFX_OK && path != NULL)
        rc = mfx_daemon_process_dress_socket(
            path, c->socket_mode, c->socket_group, &d->identity, &err);
    return rc == MFX_OK ? EX_OK : complain(d, status_of(rc), err.msg);
}

static enum mfx_rc
listen_unix(const char *path, int *fd, struct mfx_err *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof un.sun_path) {
        mfx_err_set(err, "%s: path too long for a UNIX socket", path);
        return MFX_PERMFAIL;
    }
    memcpy(un.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0777);
    bool ok =
        *fd >= 0 && bind(*fd, (const struct sockaddr *)&un, sizeof un) == 0;
    (void)umask(old);
    if (ok)
        return MFX_OK;
    mfx_err_set(err, "%s: %s", path, strerror(errno));
    return MFX_TEMPFAIL;
}

static int
open_control_socket(struct mfx_daemon *d, const struct mfx_common_settings *c)
{
    struct mfx_err err = {{0}};
    const char *path = c->control_socket;
    d->control_fd = -1;
    if (path == NULL)
        return EX_OK;
    enum mfx_rc rc =
        mfx_daemon_process_make_directory(path, &d->identity, &err);
    if (rc == MFX_OK)
        rc = mfx_listener_clear_stale(path, &err);
    if (rc == MFX_OK)
        rc = listen_unix(path, &d->control_fd, &err);
    if (rc == MFX_OK)
        rc = mfx_daemon_process_dress_socket(
            path, c->control_mode, c->control_group, &d->identity, &err);
    if (rc == MFX_OK && listen(d->control_fd, 128) != 0)
        rc = MFX_TEMPFAIL;
    if (rc != MFX_OK) {
        mfx_err_prefix(&err, "control.socket");
        return complain(d, status_of(rc), err.msg);
    }
    d->control_path = mfx_arena_copy(d->arena, mfx_str_of(path)).p;
    return EX_OK;
}

static int
write_pid_file(struct mfx_daemon *d, const struct mfx_common_settings *c)
{
    struct mfx_err err = {{0}};
    if (c->pid_file == NULL)
        return EX_OK;
    enum mfx_rc rc =
        mfx_daemon_process_make_directory(c->pid_file, &d->identity, &err);
    if (rc == MFX_OK)
        rc = mfx_daemon_process_write_pid(c->pid_file, &d->identity, &err);
    if (rc != MFX_OK)
        return complain(d, status_of(rc), err.msg);
    d->pid_file = mfx_arena_copy(d->arena, mfx_str_of(c->pid_file)).p;
    return EX_OK;
}

static int
prepare_as_root(struct mfx_daemon *d, const struct mfx_common_settings *c)
{
    struct mfx_err err = {{0}};
    enum mfx_rc rc = mfx_identity_find(c->user, c->group, &d->identity, &err);
    if (rc != MFX_OK)
        return complain(d, status_of(rc), err.msg);
    if (mfx_engine_init(&d->engine, d->filter, (size_t)c->recent_messages) !=
        MFX_OK)
        return complain(d, EX_OSERR, "out of memory");
    int status = open_milter_socket(d, c);
    if (status == EX_OK)
        status = open_control_socket(d, c);
    if (status == EX_OK)
        status = write_pid_file(d, c);
    if (status != EX_OK)
        return status;
    rc = mfx_identity_assume(&d->identity, &err);
    return rc == MFX_OK ? EX_OK : complain(d, EX_OSERR, err.msg);
}

/* For as long as the process: the snapshot goes. */
static const char *
log_name(const struct mfx_daemon *d, const struct mfx_common_settings *common)
{
    if (common->log_name.len == 0)
        return d->filter->name;
    const char *name = mfx_arena_copy(d->arena, common->log_name).p;
    return name == NULL ? d->filter->name : name;
}

static int
prepare(struct mfx_daemon *d)
{
    struct mfx_problems problems;
    struct mfx_snapshot *s = NULL;
    mfx_problems_init(&problems, d->arena);
    struct mfx_snapshot_load load = mfx_daemon_load(d, &problems);
    load.settings_only = true;
    if (mfx_snapshot_new(&load, &s) != MFX_OK) {
        mfx_daemon_print_problems(&problems, d->arena);
        return EX_CONFIG;
    }
    mfx_log_set_level((enum mfx_log_level)s->common.log_level);
    int status = prepare_as_root(d, &s->common);
    /* before the policy starts threads that log */
    if (status == EX_OK)
        mfx_log_open((enum mfx_log_target)s->common.log_target,
                     log_name(d, &s->common), s->common.log_facility);
    mfx_snapshot_release(s);
    return status;
}

/* --- as the user --- */

static int
load_first(struct mfx_daemon *d)
{
    struct mfx_problems problems;
    struct mfx_snapshot *s = NULL;
    mfx_problems_init(&problems, d->arena);
    const struct mfx_snapshot_load load = mfx_daemon_load(d, &problems);
    enum mfx_rc rc = mfx_snapshot_new(&load, &s);
    mfx_daemon_print_problems(&problems, d->arena);
    if (rc != MFX_OK)
        return EX_CONFIG;
    mfx_snapshot_begin(s);
    mfx_snapshot_slot_set(&d->engine.snapshots, s);
    return EX_OK;
}

static void *
run_libmilter(void *arg)
{
    struct mfx_daemon *d = arg;
    (void)mfx_event_wait(&d->gate, UINT64_MAX / 2);
    if (!mfx_libmilter_run() && !atomic_load(&d->is_stopping))
        mfx_log_say(MFX_LOG_ERROR, "libmilter_failed", "reason",
                    "it could not start or gave up");
    mfx_signals_wake(MFX_SIGNAL_ENDED);
    return NULL;
}

/* All made while the signals are blocked. */
static int
start_threads(struct mfx_daemon *d)
{
    pthread_t thread;
    struct mfx_err err = {{0}};
    const struct mfx_env clock = mfx_env_system();
    const struct mfx_snapshot *s = d->engine.snapshots.current;
    d->started_wall_s = clock.wall_s(&clock); /* status tells it */
    d->watch = mfx_watch_new();
    if (d->watch != NULL)
        mfx_watch_set(d->watch, s);
    if (s->common.metrics_listen.len > 0) {
        d->http = mfx_http_start(d, s->common.metrics_listen, &err);
        if (d->http == NULL)
            return complain(d, EX_OSERR, err.msg);
    }
    if (d->control_fd >= 0) {
        d->control = mfx_control_start(d->control_fd, mfx_verbs_handle, d);
        d->control_fd = -1;
        if (d->control == NULL)
            return complain(d, EX_OSERR, "control.socket: no thread");
    }
    d->keeper = mfx_keeper_start(d);
    mfx_event_init(&d->gate);
    if (d->keeper == NULL ||
        pthread_create(&thread, NULL, run_libmilter, d) != 0)
        return complain(d, EX_OSERR, "no thread");
    (void)pthread_detach(thread);
    return EX_OK;
}

static void
log_started(const struct mfx_daemon *d)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "started");
    mfx_log_add_text(&line, "version", PACKAGE_VERSION);
    mfx_log_add_text(&line, "socket", d->socket_text);
    mfx_log_add_text(&line, "config", d->file);
    mfx_log_end(&line, MFX_LOG_INFO);
}

/* --- the end --- */

static void
remove_ours(const struct mfx_daemon *d)
{
    if (d->has_socket && d->address.path != NULL)
        (void)unlink(d->address.path);
    if (d->control_path != NULL)
        (void)unlink(d->control_path);
    if (d->pid_file != NULL)
        (void)unlink(d->pid_file);
}

static void
stop_threads(struct mfx_daemon *d)
{
    mfx_http_stop(d->http);
    mfx_control_stop(d->control);
    mfx_keeper_stop(d->keeper);
    mfx_watch_free(d->watch);
}

/* Nobody new comes; who is in the middle of a message may end it. A second
 * stop signal ends the patience. */
static size_t
drain(struct mfx_daemon *d)
{
    struct mfx_snapshot *s = mfx_snapshot_slot_get(&d->engine.snapshots);
    uint64_t until_ms = mfx_mono_ms() + s->common.drain_timeout_s * 1000;
    mfx_snapshot_release(s);
    while (atomic_load(&d->engine.in_flight) > 0 && mfx_mono_ms() < until_ms)
        if ((mfx_signals_wait(20) & MFX_SIGNAL_STOP) != 0)
            break;
    return atomic_load(&d->engine.in_flight);
}

static void
stop(struct mfx_daemon *d, bool has_ended)
{
    struct mfx_log_line line;
    atomic_store(&d->is_stopping, true);
    mfx_daemon_process_notify("STOPPING=1");
    mfx_log_say(has_ended ? MFX_LOG_ERROR : MFX_LOG_INFO, "stopping", "reason",
                has_ended ? "libmilter has ended" : "signal");
    if (d->has_socket && d->address.path != NULL)
        (void)unlink(d->address.path);
    d->has_socket = false; /* by the end, another one may listen there */
    size_t left = drain(d);
    stop_threads(d);
    remove_ours(d);
    mfx_log_begin_daemon(&line, "stopped");
    mfx_log_add_u64(&line, "cut_off", left);
    mfx_log_end(&line, MFX_LOG_INFO);
}

/* After a start that failed: libmilter has not run. */
static void
undo(struct mfx_daemon *d)
{
    stop_threads(d);
    if (d->control_fd >= 0)
        (void)close(d->control_fd);
    remove_ours(d);
    if (d->engine.filter != NULL)
        mfx_engine_fini(&d->engine);
}

static _Noreturn void
serve(struct mfx_daemon *d, int token)
{
    mfx_signals_listen();
    mfx_event_set(&d->gate);
    if (mfx_signals_park_rival(2000) != MFX_OK)
        mfx_log_say(MFX_LOG_WARNING, "signals_shared", "reason",
                    "libmilter's signal thread was not found: a signal may "
                    "stop the daemon at once");
    log_started(d);
    mfx_daemon_process_notify("READY=1");
    if (d->line.detach)
        mfx_daemon_process_detached(token, EX_OK);
    unsigned what = 0;
    while ((what & (MFX_SIGNAL_STOP | MFX_SIGNAL_ENDED)) == 0) {
        what = mfx_signals_wait(-1);
        if ((what & MFX_SIGNAL_RELOAD) != 0)
            mfx_keeper_tell(d->keeper, "HUP");
    }
    stop(d, (what & MFX_SIGNAL_ENDED) != 0);
    mfx_daemon_process_end(EX_OK);
}

int
mfx_daemon_run(struct mfx_daemon *d)
{
    int token = -1;
    d->control_fd = -1;
    (void)pthread_mutex_init(&d->reload_mutex, NULL);
    if (d->line.detach && mfx_daemon_process_detach(&token) != MFX_OK)
        return complain(d, EX_OSERR, "cannot fork");
    if (mfx_signals_block() != MFX_OK)
        return complain(d, EX_OSERR, "no eventfd");
    int status = prepare(d);
    if (status == EX_OK)
        status = load_first(d);
    if (status == EX_OK)
        status = start_threads(d);
    if (status == EX_OK)
        serve(d, token);
    undo(d);
    if (d->line.detach)
        mfx_daemon_process_detached(token, status);
    return status;
}
