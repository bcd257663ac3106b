/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mfx/base/log.h>
#include <mfx/net/listener.h>

#include "complain.h"
#include "map_server_impl.h"

enum {
    OPEN_AGAIN_MS = 2000,
    NO_ACCEPT_MS = 200,
    LONGEST_MS = 60 * 1000,
};

/* --- settings --- */

bool
masq_map_server_is_wanted(const struct masq_map_server_settings *s)
{
    return s->socketmap.count + s->tcp_forward.len + s->tcp_reverse.len > 0;
}

static void
check_text(struct mfx_str text, const char *setting,
           const struct mfx_policy_build *build)
{
    struct mfx_err err = {""};
    bool is_local = true;
    if (text.len == 0)
        return;
    if (mfx_listener_check(text, &is_local, &err) != MFX_OK)
        masq_complain(build, MFX_PROBLEM_ERROR, setting, err.msg);
    else if (!is_local)
        masq_complain(
            build, MFX_PROBLEM_WARNING, setting,
            "whoever reaches this address can make SRS addresses of ours");
}

void
masq_map_server_check(const struct masq_settings *settings,
                      const struct mfx_policy_build *build)
{
    const struct masq_map_server_settings *s = &settings->map_server;
    if (masq_map_server_is_wanted(s) && settings->srs.domain.len == 0)
        masq_complain(build, MFX_PROBLEM_ERROR, "map_server",
                      "it needs srs.domain");
    for (size_t i = 0; i < s->socketmap.count; i++)
        check_text(s->socketmap.items[i], "map_server.socketmap", build);
    check_text(s->tcp_forward, "map_server.tcp_forward", build);
    check_text(s->tcp_reverse, "map_server.tcp_reverse", build);
}

static bool
copy_settings(struct masq_map_server *server,
              const struct masq_map_server_settings *s)
{
    size_t count = s->socketmap.count;
    struct mfx_str *items =
        mfx_arena_alloc_array(server->arena, count, sizeof *items);
    for (size_t i = 0; items != NULL && i < count; i++)
        items[i] = mfx_arena_copy(server->arena, s->socketmap.items[i]);
    server->settings = (struct masq_map_server_settings){
        .socketmap = {items, count},
        .tcp_forward = mfx_arena_copy(server->arena, s->tcp_forward),
        .tcp_reverse = mfx_arena_copy(server->arena, s->tcp_reverse),
        .mode = s->mode,
    };
    return mfx_arena_ok(server->arena);
}

bool
masq_map_server_has(const struct masq_map_server *server,
                    const struct masq_map_server_settings *s)
{
    const struct masq_map_server_settings *ours = &server->settings;
    if (ours->mode != s->mode || ours->socketmap.count != s->socketmap.count ||
        !mfx_str_eq(ours->tcp_forward, s->tcp_forward) ||
        !mfx_str_eq(ours->tcp_reverse, s->tcp_reverse))
        return false;
    for (size_t i = 0; i < s->socketmap.count; i++)
        if (!mfx_str_eq(ours->socketmap.items[i], s->socketmap.items[i]))
            return false;
    return true;
}

/* --- loans --- */

struct masq_map_loan *
masq_map_loan_take(struct masq_map_server *server)
{
    (void)pthread_mutex_lock(&server->mutex);
    struct masq_map_loan *loan = server->current;
    if (loan != NULL)
        loan->queries++;
    (void)pthread_mutex_unlock(&server->mutex);
    return loan;
}

void
masq_map_loan_give(struct masq_map_server *server, struct masq_map_loan *loan)
{
    (void)pthread_mutex_lock(&server->mutex);
    if (--loan->queries == 0)
        (void)pthread_cond_broadcast(&server->given_back);
    (void)pthread_mutex_unlock(&server->mutex);
}

void
masq_map_server_leave(struct masq_map_server *server,
                      const struct masq_srs *srs)
{
    (void)pthread_mutex_lock(&server->mutex);
    struct masq_map_loan **at = &server->loans, *loan;
    while (*at != NULL && (*at)->owner != srs)
        at = &(*at)->next;
    loan = *at;
    if (loan != NULL) {
        *at = loan->next;
        if (server->current == loan)
            server->current = NULL;
        while (loan->queries > 0)
            (void)pthread_cond_wait(&server->given_back, &server->mutex);
    }
    (void)pthread_mutex_unlock(&server->mutex);
    free(loan);
}

/* --- sockets --- */

static void
open_socket(struct masq_map_server *server, struct masq_map_socket *s)
{
    struct mfx_err err = {""};
    if (mfx_listener_open(s->text, (mode_t)server->settings.mode, &s->fd,
                          &err) == MFX_OK) {
        if (s->has_failed)
            mfx_log_say(MFX_LOG_INFO, "map_server_open", "socket", s->text.p);
        s->has_failed = false;
        return;
    }
    s->fd = -1;
    if (!s->has_failed)
        mfx_log_say(MFX_LOG_ERROR, "map_server_failed", "reason", err.msg);
    s->has_failed = true;
}

/* Those that are not open, now and then. */
static void
open_sockets(struct masq_map_server *server, uint64_t now_ms)
{
    bool is_missing = false;
    if (now_ms < server->open_again_ms)
        return;
    for (size_t i = 0; i < server->socket_count; i++) {
        if (server->sockets[i].fd < 0)
            open_socket(server, &server->sockets[i]);
        is_missing |= server->sockets[i].fd < 0;
    }
    server->open_again_ms = is_missing ? now_ms + OPEN_AGAIN_MS : UINT64_MAX;
}

static void
add_socket(struct masq_map_server *server, struct mfx_str text,
           enum masq_map_form form, enum masq_map_name name)
{
    if (text.len > 0)
        server->sockets[server->socket_count++] =
            (struct masq_map_socket){text, form, name, -1, false};
}

static bool
make_sockets(struct masq_map_server *server)
{
    const struct masq_map_server_settings *s = &server->settings;
    size_t max = s->socketmap.count + 2;
    server->sockets =
        mfx_arena_alloc_array(server->arena, max, sizeof *server->sockets);
    server->polls = mfx_arena_alloc_array(
        server->arena, 1 + max + MASQ_MAP_CLIENTS, sizeof *server->polls);
    if (server->sockets == NULL || server->polls == NULL)
        return false;
    for (size_t i = 0; i < s->socketmap.count; i++)
        add_socket(server, s->socketmap.items[i], MASQ_MAP_SOCKETMAP,
                   MASQ_MAP_UNKNOWN);
    add_socket(server, s->tcp_forward, MASQ_MAP_TCP, MASQ_MAP_FORWARD);
    add_socket(server, s->tcp_reverse, MASQ_MAP_TCP, MASQ_MAP_REVERSE);
    return true;
}

/* --- the thread --- */

static void
drop(struct masq_map_server *server, size_t i)
{
    masq_map_client_free(server, server->clients[i]);
    server->clients[i] = server->clients[--server->client_count];
}

/* The one that has asked nothing for longest; client_count: all are busy. */
static size_t
find_idle(const struct masq_map_server *server)
{
    size_t oldest = server->client_count;
    uint64_t since = UINT64_MAX;
    for (size_t i = 0; i < server->client_count; i++) {
        uint64_t one = masq_map_client_idle_ms(server->clients[i]);
        if (one < since) {
            since = one;
            oldest = i;
        }
    }
    return oldest;
}

static bool
has_place(const struct masq_map_server *server)
{
    return server->client_count < MASQ_MAP_CLIENTS ||
           find_idle(server) < server->client_count;
}

/* Out of memory or descriptors: they wait in the kernel's queue. */
static void
pause_accepting(struct masq_map_server *server)
{
    server->no_accept_until_ms = mfx_mono_ms() + NO_ACCEPT_MS;
}

static void
welcome(struct masq_map_server *server, const struct masq_map_socket *s)
{
    while (has_place(server)) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                       errno == ENOBUFS))
            pause_accepting(server);
        if (fd < 0)
            return;
        struct masq_map_client *c = masq_map_client_new(fd, s);
        if (c == NULL) {
            pause_accepting(server);
            return;
        }
        if (server->client_count == MASQ_MAP_CLIENTS)
            drop(server, find_idle(server));
        server->clients[server->client_count++] = c;
        atomic_fetch_add_explicit(&server->tally.connections, 1,
                                  memory_order_relaxed);
    }
    /* all are busy */
    pause_accepting(server);
}

static int
wait_ms(const struct masq_map_server *server, uint64_t now_ms)
{
    uint64_t due = now_ms + LONGEST_MS;
    if (server->open_again_ms < due)
        due = server->open_again_ms;
    if (now_ms < server->no_accept_until_ms && server->no_accept_until_ms < due)
        due = server->no_accept_until_ms;
    for (size_t i = 0; i < server->client_count; i++) {
        uint64_t one = masq_map_client_due_ms(server->clients[i], now_ms);
        due = one < due ? one : due;
    }
    return due <= now_ms ? 0 : (int)(due - now_ms);
}

/* Where the clients begin among the polls. */
static size_t
fill_polls(struct masq_map_server *server, uint64_t now_ms)
{
    struct pollfd *p = server->polls;
    bool accepts = now_ms >= server->no_accept_until_ms;
    *p++ = (struct pollfd){.fd = server->wake, .events = POLLIN};
    for (size_t i = 0; i < server->socket_count; i++)
        *p++ = (struct pollfd){.fd = accepts ? server->sockets[i].fd : -1,
                               .events = POLLIN};
    for (size_t i = 0; i < server->client_count; i++)
        masq_map_client_poll(server->clients[i], p++);
    return 1 + server->socket_count;
}

static void
turn(struct masq_map_server *server)
{
    uint64_t now = mfx_mono_ms();
    open_sockets(server, now);
    size_t first = fill_polls(server, now), count = server->client_count;
    (void)poll(server->polls, first + count, wait_ms(server, now));
    now = mfx_mono_ms();
    /* from the last: dropping moves the last into its place */
    for (size_t i = count; i-- > 0;)
        if (!masq_map_client_serve(server, server->clients[i],
                                   server->polls[first + i].revents, now))
            drop(server, i);
    for (size_t i = 0; i < server->socket_count; i++)
        if (server->polls[1 + i].revents != 0)
            welcome(server, &server->sockets[i]);
}

static void *
run(void *arg)
{
    struct masq_map_server *server = arg;
    while (!atomic_load(&server->is_ending))
        turn(server);
    while (server->client_count > 0)
        drop(server, server->client_count - 1);
    for (size_t i = 0; i < server->socket_count; i++)
        if (server->sockets[i].fd >= 0)
            mfx_listener_close(server->sockets[i].text, server->sockets[i].fd);
    return NULL;
}

/* --- life --- */

struct masq_map_server *
masq_map_server_new(const struct masq_map_server_settings *s,
                    const struct mfx_env *env)
{
    struct masq_map_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    atomic_init(&server->holds, 1);
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->given_back, NULL);
    server->env = *env;
    server->env.resolver = NULL;
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->arena = mfx_arena_new(0);
    if (server->wake >= 0 && server->arena != NULL &&
        copy_settings(server, s) && make_sockets(server))
        return server;
    masq_map_server_release(server);
    return NULL;
}

struct masq_map_server *
masq_map_server_hold(struct masq_map_server *server)
{
    atomic_fetch_add(&server->holds, 1);
    return server;
}

void
masq_map_server_release(struct masq_map_server *server)
{
    const uint64_t one = 1;
    if (server == NULL || atomic_fetch_sub(&server->holds, 1) > 1)
        return;
    atomic_store(&server->is_ending, true);
    if (server->has_thread &&
        write(server->wake, &one, sizeof one) == sizeof one)
        (void)pthread_join(server->thread, NULL);
    if (server->wake >= 0)
        (void)close(server->wake);
    for (struct masq_map_loan *l = server->loans, *next; l != NULL; l = next) {
        next = l->next;
        free(l);
    }
    (void)pthread_cond_destroy(&server->given_back);
    (void)pthread_mutex_destroy(&server->mutex);
    mfx_arena_free(server->arena);
    free(server);
}

static bool
start(struct masq_map_server *server)
{
    if (!server->has_thread)
        server->has_thread =
            pthread_create(&server->thread, NULL, run, server) == 0;
    return server->has_thread;
}

void
masq_map_server_begin(struct masq_map_server *server,
                      const struct masq_srs *srs, struct mfx_store *store,
                      uint64_t timeout_ms)
{
    struct masq_map_loan *loan = calloc(1, sizeof *loan);
    (void)pthread_mutex_lock(&server->mutex);
    bool is_good = loan != NULL && start(server);
    if (is_good) {
        loan->owner = srs;
        loan->srs = *srs;
        /* those settings are the filter's */
        loan->srs.forward = MASQ_SRS_ALL;
        loan->srs.reverses = true;
        loan->store = store;
        loan->timeout_ms = timeout_ms;
        loan->next = server->loans;
        server->loans = server->current = loan;
    }
    (void)pthread_mutex_unlock(&server->mutex);
    if (is_good)
        return;
    free(loan);
    mfx_log_say(MFX_LOG_ERROR, "map_server_failed", "reason",
                "no memory or no thread");
}

struct masq_map_counts
masq_map_server_counts(struct masq_map_server *server)
{
    struct masq_map_tally *t = &server->tally;
    struct masq_map_counts counts = {.connections =
                                         atomic_load(&t->connections),
                                     .broken = atomic_load(&t->broken)};
    for (size_t i = 0; i < 2; i++)
        for (size_t rc = 0; rc < 4; rc++)
            counts.answers[i][rc] = atomic_load(&t->answers[i][rc]);
    return counts;
}
