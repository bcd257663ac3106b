/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_server - a private Redis for a test
 *
 *     struct redis_server server;
 *     if (!redis_server_start(&server, options)) skip();
 *     ... server.text is "127.0.0.1:PORT", server.unix_text "unix:/..." ...
 *     redis_server_say(&server, "CONFIG SET maxmemory 1", answer, sizeof answer);
 *     redis_server_signal(&server, SIGSTOP);
 *     redis_server_stop(&server);
 *
 * It listens on a free port of 127.0.0.1 and on a socket in a folder of its
 * own, and ends with the test. Options are arguments of redis-server.
 */
#ifndef MFX_T_REDIS_SERVER_H
#define MFX_T_REDIS_SERVER_H

#include <arpa/inet.h>
#include <sys/stat.h>
#include <time.h>

#include <mfx/base/env.h>
#include <mfx/net/stream.h>
#include <mfx/store/redis_reply.h>

#include "child.h"

enum {
    REDIS_OPTIONS_MAX = 40,
    REDIS_START_MS = 20000,
};

struct redis_server {
    struct child child;
    pid_t pid; /* the server's own */
    unsigned port;
    char dir[64], text[32], unix_text[110], path[100];
    const char *password; /* for redis_server_say */
    const char *options[REDIS_OPTIONS_MAX];
    const char *mode; /* "--sentinel", or NULL */
    bool is_tls;
};

static inline bool
redis_server_is_there(void)
{
    return access("/usr/bin/redis-server", X_OK) == 0 ||
           access("/usr/local/bin/redis-server", X_OK) == 0;
}

static inline unsigned
redis_free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&in, sizeof in) != 0 ||
        getsockname(fd, (struct sockaddr *)&in, &len) != 0)
        in.sin_port = 0;
    (void)close(fd);
    return ntohs(in.sin_port);
}

static inline void
redis_sleep_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000,
                             .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* One command, its words divided by spaces; the answer's text, or its number
 * ("" when there is no answer). */
static inline const char *
redis_server_say(struct redis_server *server, const char *command, char *answer,
                 size_t size)
{
    struct mfx_stream_peer *peer = NULL;
    const struct mfx_redis_reply *reply = NULL;
    struct mfx_redis_reader *reader = mfx_redis_reader_new();
    uint64_t until_ms = mfx_mono_ms() + 5000;
    char bytes[4096];
    size_t got, replies = server->password == NULL ? 1 : 2;
    answer[0] = '\0';
    if (mfx_stream_peer_new(mfx_str_of(server->unix_text), 0, &peer, NULL) !=
        MFX_OK)
        return answer;
    struct mfx_stream *s = mfx_stream_open(peer, NULL, until_ms);
    int len = server->password == NULL
                  ? snprintf(bytes, sizeof bytes, "%s\r\n", command)
                  : snprintf(bytes, sizeof bytes, "AUTH %s\r\n%s\r\n",
                             server->password, command);
    if (mfx_stream_wait_open(s, NULL) == MFX_OK &&
        mfx_stream_write(s, mfx_str(bytes, (size_t)len), until_ms, NULL) ==
            MFX_OK) {
        while (replies > 0 &&
               mfx_stream_read(s, bytes, sizeof bytes, &got, until_ms, NULL) ==
                   MFX_OK &&
               mfx_redis_reader_feed(reader, mfx_str(bytes, got), NULL) ==
                   MFX_OK)
            while (replies > 0 &&
                   mfx_redis_reader_next(reader, &reply, NULL) == MFX_OK)
                replies--;
    }
    if (replies == 0 && reply->type == MFX_REDIS_INTEGER)
        (void)snprintf(answer, size, "%lld", (long long)reply->number);
    else if (replies == 0 && reply->type == MFX_REDIS_ARRAY)
        (void)snprintf(answer, size, "%.*s",
                       MFX_STR_ARG(mfx_redis_reply_item(reply, 0)->text));
    else if (replies == 0)
        (void)snprintf(answer, size, "%.*s", MFX_STR_ARG(reply->text));
    mfx_stream_close(s);
    mfx_stream_peer_free(peer);
    mfx_redis_reader_free(reader);
    return answer;
}

/* Until the command's answer begins with that. */
static inline bool
redis_server_wait(struct redis_server *server, const char *command,
                  const char *want)
{
    char answer[4096];
    uint64_t until_ms = mfx_mono_ms() + REDIS_START_MS;
    while (mfx_mono_ms() < until_ms) {
        (void)redis_server_say(server, command, answer, sizeof answer);
        if (strncmp(answer, want, strlen(want)) == 0)
            return true;
        redis_sleep_ms(20);
    }
    return false;
}

static inline void
redis_server_signal(struct redis_server *server, int number)
{
    if (server->pid > 0)
        (void)kill(server->pid, number);
}

/* Gone, as with kill -9, but what it has on disk stays. */
static inline void
redis_server_kill(struct redis_server *server)
{
    redis_server_signal(server, SIGKILL);
    server->pid = 0;
    /* its shell ends when it has waited for it */
    if (server->child.in >= 0)
        (void)close(server->child.in);
    server->child.in = -1;
    if (server->child.pid > 0)
        (void)waitpid(server->child.pid, NULL, 0);
    server->child.pid = 0;
}

/* The same port and folder as before, if there were. */
static inline bool
redis_server_run(struct redis_server *server)
{
    static const char script[] =
        "exec 2>/dev/null; \"$@\" >/dev/null 2>&1 & echo $!; cat >/dev/null; "
        "kill -KILL $! 2>/dev/null; wait $!";
    char port[8], log[100], pid[16];
    const char *argv[REDIS_OPTIONS_MAX + 24];
    size_t n = 0;
    const char *const first[] = {"sh", "-c", script, "sh", "redis-server"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        argv[n++] = first[i];
    (void)snprintf(port, sizeof port, "%u", server->port % 65536);
    (void)snprintf(log, sizeof log, "%s/log", server->dir);
    char config[100];
    (void)snprintf(config, sizeof config, "%s/sentinel.conf", server->dir);
    if (server->mode != NULL)
        argv[n++] = config;
    const char *const fixed[] = {
        "--bind", "127.0.0.1",    server->is_tls ? "--tls-port" : "--port",
        port,     "--unixsocket", server->path,
        "--dir",  server->dir,    "--logfile",
        log,      "--save",       ""};
    /* a sentinel saves nothing, and says so */
    size_t fixed_count =
        sizeof fixed / sizeof fixed[0] - (server->mode != NULL ? 2 : 0);
    for (size_t i = 0; i < fixed_count; i++)
        argv[n++] = fixed[i];
    if (server->is_tls) {
        argv[n++] = "--port";
        argv[n++] = "0";
    }
    for (size_t i = 0; i < REDIS_OPTIONS_MAX && server->options[i] != NULL; i++)
        argv[n++] = server->options[i];
    if (server->mode != NULL)
        argv[n++] = server->mode;
    argv[n] = NULL;
    if (!child_start(&server->child, (char *const *)argv))
        return false;
    (void)snprintf(pid, sizeof pid, "%.15s", server->child.line);
    server->pid = (pid_t)strtol(pid, NULL, 10);
    return redis_server_wait(server, "PING", "PONG");
}

static inline void
redis_server_stop(struct redis_server *server)
{
    static const char *const files[] = {"log", "redis.sock", "sentinel.conf",
                                        "dump.rdb", NULL};
    char path[100];
    if (server->dir[0] == '\0')
        return;
    redis_server_kill(server);
    for (size_t i = 0; files[i] != NULL; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", server->dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(server->dir);
    server->dir[0] = '\0';
}

static inline bool
redis_server_prepare(struct redis_server *server)
{
    (void)snprintf(server->dir, sizeof server->dir, "/tmp/mfx-redis-XXXXXX");
    if (mkdtemp(server->dir) == NULL)
        return false;
    server->port = redis_free_port();
    server->child.in = -1;
    (void)snprintf(server->text, sizeof server->text, "127.0.0.1:%u",
                   server->port);
    (void)snprintf(server->path, sizeof server->path, "%s/redis.sock",
                   server->dir);
    (void)snprintf(server->unix_text, sizeof server->unix_text, "unix:%s",
                   server->path);
    return true;
}

/* options: up to a NULL, or NULL. A free port may be taken meanwhile: tries
 * again. */
static inline bool
redis_server_start(struct redis_server *server, const char *const *options)
{
    bool is_tls = server->is_tls;
    const char *password = server->password;
    for (int i = 0; i < 3; i++) {
        *server = (struct redis_server){.is_tls = is_tls, .password = password};
        for (size_t n = 0; options != NULL && options[n] != NULL; n++)
            server->options[n] = options[n];
        if (!redis_server_prepare(server))
            return false;
        if (redis_server_run(server))
            return true;
        redis_server_stop(server);
    }
    return false;
}

#endif
