/* SPDX-License-Identifier: BSD-2-Clause */
#include "floor_request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    KEPT_MAX = 64,
    HEAD_MAX = 8192,
    ANSWER_MAX = 65536,
};

enum kind {
    UNSET,
    RSPAMD,
    SPAMD,
    CLAMD,
};

struct floor_message {
    char *p;
    size_t len, size;
};

static struct {
    enum kind kind;
    struct sockaddr_in address;
    char pad[HEAD_MAX - 512];
    pthread_mutex_t mutex;
    int kept[KEPT_MAX], kept_count;
} setup = {.mutex = PTHREAD_MUTEX_INITIALIZER};

bool
floor_request_setup(const char *kind, const char *port, const char *pad)
{
    size_t len = strtoul(pad, NULL, 10);
    setup.kind = strcmp(kind, "rspamd") == 0  ? RSPAMD
                 : strcmp(kind, "spamd") == 0 ? SPAMD
                 : strcmp(kind, "clamd") == 0 ? CLAMD
                                              : UNSET;
    setup.address.sin_family = AF_INET;
    setup.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setup.address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    if (len >= sizeof setup.pad)
        return false;
    memset(setup.pad, 'x', len);
    return setup.kind != UNSET;
}

bool
floor_request_is_set(void)
{
    return setup.kind != UNSET;
}

/* --- messages --- */

struct floor_message *
floor_message_new(void)
{
    return calloc(1, sizeof(struct floor_message));
}

void
floor_message_free(struct floor_message *m)
{
    if (m != NULL)
        free(m->p);
    free(m);
}

void
floor_message_clear(struct floor_message *m)
{
    m->len = 0;
}

void
floor_message_add(struct floor_message *m, const void *bytes, size_t len)
{
    if (m->len + len > m->size) {
        m->size = (m->len + len) * 2;
        m->p = realloc(m->p, m->size);
        if (m->p == NULL)
            abort();
    }
    memcpy(m->p + m->len, bytes, len);
    m->len += len;
}

void
floor_message_add_field(struct floor_message *m, const char *name,
                        const char *value)
{
    floor_message_add(m, name, strlen(name));
    floor_message_add(m, ":", 1);
    for (const char *end; (end = strchr(value, '\n')) != NULL;
         value = end + 1) {
        floor_message_add(m, value, (size_t)(end - value));
        floor_message_add(m, "\r\n", 2);
    }
    floor_message_add(m, value, strlen(value));
    floor_message_add(m, "\r\n", 2);
}

/* --- connections --- */

static int
open_link(void)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&setup.address, sizeof setup.address) ==
        0)
        return fd;
    close(fd);
    return -1;
}

static int
take_link(void)
{
    int fd = -1;
    (void)pthread_mutex_lock(&setup.mutex);
    if (setup.kept_count > 0)
        fd = setup.kept[--setup.kept_count];
    (void)pthread_mutex_unlock(&setup.mutex);
    return fd >= 0 ? fd : open_link();
}

static void
give_link(int fd, bool is_good)
{
    (void)pthread_mutex_lock(&setup.mutex);
    if (is_good && setup.kind == RSPAMD && setup.kept_count < KEPT_MAX) {
        setup.kept[setup.kept_count++] = fd;
        fd = -1;
    }
    (void)pthread_mutex_unlock(&setup.mutex);
    if (fd >= 0)
        close(fd);
}

/* --- a request --- */

static size_t
make_head(const struct floor_message *m, char *to, size_t size)
{
    uint32_t length = htonl((uint32_t)m->len);
    switch (setup.kind) {
    case RSPAMD:
        return (size_t)snprintf(to, size,
                                "POST /checkv2 HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Length: %zu\r\nX-Pad: %s\r\n\r\n",
                                m->len, setup.pad);
    case SPAMD:
        return (size_t)snprintf(to, size,
                                "SYMBOLS SPAMC/1.5\r\nContent-length: %zu\r\n"
                                "X-Pad: %s\r\n\r\n",
                                m->len, setup.pad);
    case CLAMD:
        memcpy(to, "zINSTREAM", sizeof "zINSTREAM");
        memcpy(to + sizeof "zINSTREAM", &length, sizeof length);
        return sizeof "zINSTREAM" + sizeof length;
    case UNSET:
        break;
    }
    return 0;
}

static bool
write_all(int fd, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t n = writev(fd, parts, count);
        if (n < 0)
            return false;
        while (count > 0 && (size_t)n >= parts->iov_len) {
            n -= (ssize_t)parts->iov_len;
            parts++;
            count--;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return true;
}

/* Of HTTP: its content is there, too. */
static bool
is_whole(char *answer, size_t len)
{
    answer[len] = '\0';
    char *end = strstr(answer, "\r\n\r\n");
    char *length = strstr(answer, "Content-Length:");
    return end != NULL && length != NULL &&
           (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10) <= len;
}

static bool
read_answer(int fd)
{
    char answer[ANSWER_MAX];
    size_t len = 0;
    while (len < sizeof answer - 1) {
        ssize_t n = recv(fd, answer + len, sizeof answer - 1 - len, 0);
        if (n <= 0)
            return len > 0 && setup.kind != RSPAMD;
        len += (size_t)n;
        if (setup.kind == RSPAMD && is_whole(answer, len))
            return true;
    }
    return false;
}

bool
floor_request_send(struct floor_message *m)
{
    char head[HEAD_MAX];
    struct iovec parts[3] = {
        {head,          make_head(m, head, sizeof head)},
        {m->p, m->len           },
        {(void *)"\0\0\0",       setup.kind == CLAMD ? 4 : 0      },
    };
    int fd = take_link();
    bool ok = fd >= 0 && write_all(fd, parts, 3) && read_answer(fd);
    if (fd >= 0)
        give_link(fd, ok);
    return ok;
}
