/* SPDX-License-Identifier: BSD-2-Clause
 *
 * map_server_impl - what the files of map_server share
 *
 * map_server.c has the thread, its sockets and what policies lend it;
 * map_server_client.c serves one connection, map_server_protocol.c knows the
 * bytes. Clients belong to the thread alone.
 */
#ifndef MASQ_MAP_SERVER_IMPL_H
#define MASQ_MAP_SERVER_IMPL_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "map_server.h"
#include "map_server_protocol.h"

/* What a policy lends. */
struct masq_map_loan {
    struct masq_map_loan *next;
    const struct masq_srs *owner; /* as it was given */
    struct masq_srs srs;          /* the same, for whoever asks */
    struct mfx_store *store;
    uint64_t timeout_ms;
    size_t queries; /* under way with it */
};

struct masq_map_socket {
    struct mfx_str text;
    enum masq_map_form form;
    enum masq_map_name name; /* tcp_table */
    int fd;                  /* -1: not open */
    bool has_failed;         /* and it was said */
};

struct masq_map_tally {
    atomic_ullong connections, answers[2][4], broken;
};

struct masq_map_client;

struct masq_map_server {
    atomic_size_t holds;
    struct mfx_arena *arena;
    struct mfx_env env;
    struct masq_map_server_settings settings; /* texts in arena */
    struct masq_map_socket *sockets;
    size_t socket_count;
    pthread_mutex_t mutex; /* loans, has_thread */
    pthread_cond_t given_back;
    struct masq_map_loan *loans, *current;
    bool has_thread;
    pthread_t thread;
    atomic_bool is_ending;
    int wake;
    /* of the thread */
    uint64_t open_again_ms;
    uint64_t no_accept_until_ms; /* what it needs is used up */
    struct masq_map_client *clients[MASQ_MAP_CLIENTS];
    size_t client_count;
    struct pollfd *polls;
    struct masq_map_tally tally;
};

/* The loan in force, or NULL; to be given back. */
struct masq_map_loan *masq_map_loan_take(struct masq_map_server *server);
void masq_map_loan_give(struct masq_map_server *server,
                        struct masq_map_loan *loan);

/* Takes over fd. NULL when out of memory; fd is closed then. */
struct masq_map_client *
masq_map_client_new(int fd, const struct masq_map_socket *socket);
void masq_map_client_free(struct masq_map_server *server,
                          struct masq_map_client *client);
/* Does what can be done; false when the connection has ended. */
bool masq_map_client_serve(struct masq_map_server *server,
                           struct masq_map_client *client, short events,
                           uint64_t now_ms);
void masq_map_client_poll(const struct masq_map_client *client,
                          struct pollfd *poll);
/* When to look again, even without an event. */
uint64_t masq_map_client_due_ms(const struct masq_map_client *client,
                                uint64_t now_ms);
/* Since when it has asked nothing; UINT64_MAX: it has. */
uint64_t masq_map_client_idle_ms(const struct masq_map_client *client);

#endif
