/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_stub - an engine that takes the same time for each message
 *
 *     scan_stub [-p rspamd|spamd|clamd] [-d MICROSECONDS] [-a FILE] [-u PATH]
 *
 * Prints "port N" (a UNIX socket: "port 0") and serves until its standard
 * input ends; a line there is answered with "MESSAGES BYTES": how much it was
 * asked so far, and all the bytes of that. An answer goes out so long after a message's last byte; -a: its
 * content (rspamd's JSON, spamd's body). Connections are kept where the
 * protocol allows it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    LINKS = 4096, /* by descriptor */
    HEAD_MAX = 16384,
    READ_SIZE = 262144,
    ANSWER_MAX = 65536,
    SESSION_ID_MAX = 24,
};

enum protocol {
    RSPAMD,
    SPAMD,
    CLAMD,
};

struct link {
    int fd;
    bool is_open, is_chunked, is_session, is_check;
    enum {
        HEAD,
        BODY,       /* `left` bytes of it are to come */
        CHUNK_SIZE, /* a line, or four bytes */
        CHUNK_END,  /* CR LF */
    } phase;
    size_t head_len;
    uint64_t left, due_ns;
    unsigned long session; /* number of the request */
    struct link *next;     /* that waits */
    char head[HEAD_MAX];
};

static struct {
    enum protocol protocol;
    uint64_t delay_ns;
    int epoll, listener, timer;
    struct link *links[LINKS];
    struct link *first, **last; /* waiting, the first due first */
    char answer[ANSWER_MAX];
    size_t answer_len;
    char check_answer[128];
    unsigned long long messages, bytes;
    char buffer[READ_SIZE];
} stub;

static uint64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(stub.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

/* --- answers --- */

static void
close_link(struct link *l)
{
    for (struct link **at = &stub.first; *at != NULL; at = &(*at)->next) {
        if (*at != l)
            continue;
        *at = l->next;
        if (*at == NULL)
            stub.last = at;
        break;
    }
    stub.links[l->fd] = NULL;
    close(l->fd);
    free(l);
}

static void
say(struct link *l, const char *bytes, size_t len)
{
    if (send(l->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        perror("send");
}

/* False: the connection is closed. */
static bool
answer(struct link *l)
{
    char text[SESSION_ID_MAX + 32];
    switch (stub.protocol) {
    case RSPAMD:
        say(l, stub.answer, stub.answer_len);
        return true;
    case SPAMD:
        if (l->is_check)
            say(l, stub.check_answer, strlen(stub.check_answer));
        else
            say(l, stub.answer, stub.answer_len);
        break;
    case CLAMD:
        if (!l->is_session) {
            say(l, "stream: OK", sizeof "stream: OK");
            break;
        }
        say(l, text,
            (size_t)snprintf(text, sizeof text, "%lu: stream: OK",
                             ++l->session) +
                1);
        return true;
    }
    close_link(l);
    return false;
}

static void
set_timer(void)
{
    struct itimerspec when = {
        {0, 0},
        {0, 0}
    };
    if (stub.first != NULL) {
        when.it_value.tv_sec = (time_t)(stub.first->due_ns / 1000000000U);
        when.it_value.tv_nsec = (long)(stub.first->due_ns % 1000000000U);
    }
    timerfd_settime(stub.timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
answer_due(void)
{
    uint64_t now = now_ns();
    while (stub.first != NULL && stub.first->due_ns <= now) {
        struct link *l = stub.first;
        stub.first = l->next;
        if (stub.first == NULL)
            stub.last = &stub.first;
        l->next = NULL;
        answer(l);
    }
    set_timer();
}

/* The message is whole. False: the connection is closed. */
static bool
asked(struct link *l)
{
    stub.messages++;
    l->phase = HEAD;
    l->head_len = 0;
    if (stub.delay_ns == 0)
        return answer(l);
    l->due_ns = now_ns() + stub.delay_ns;
    l->next = NULL;
    *stub.last = l;
    stub.last = &l->next;
    if (stub.first == l)
        set_timer();
    return true;
}

/* --- requests --- */

static void
make_lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text + ('a' - 'A'));
}

/* The head is in small letters. */
static const char *
field(const struct link *l, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = strstr(l->head, "\r\n"); p != NULL;
         p = strstr(p + 2, "\r\n"))
        if (strncmp(p + 2, name, len) == 0 && p[2 + len] == ':')
            return p + 3 + len;
    return NULL;
}

/* False: the connection is closed. */
static bool
after_text_head(struct link *l)
{
    if (strncmp(l->head, "GET /ping", 9) == 0) {
        static const char pong[] =
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npong\r\n";
        l->head_len = 0;
        say(l, pong, sizeof pong - 1);
        return true;
    }
    if (strncmp(l->head, "PING ", 5) == 0) {
        say(l, "SPAMD/1.5 0 PONG\r\n", 18);
        close_link(l);
        return false;
    }
    make_lower(l->head);
    const char *length = field(l, "content-length");
    const char *coding = field(l, "transfer-encoding");
    l->is_check = strncmp(l->head, "check ", 6) == 0;
    l->is_chunked = coding != NULL && strstr(coding, "chunked") != NULL;
    l->left = length ? strtoull(length, NULL, 10) : 0;
    l->phase = l->is_chunked ? CHUNK_SIZE : BODY;
    l->head_len = 0;
    return l->phase != BODY || l->left != 0 || asked(l);
}

static bool
after_command(struct link *l)
{
    static const char version[] = "ClamAV 1.0.7/27000/Mon Nov  2 10:00:00 2026";
    l->head_len = 0;
    if (strcmp(l->head, "zIDSESSION") == 0) {
        l->is_session = true;
    } else if (strcmp(l->head, "zINSTREAM") == 0) {
        l->phase = CHUNK_SIZE;
    } else if (strcmp(l->head, "zFILDES") != 0) {
        if (strcmp(l->head, "zVERSION") == 0)
            say(l, version, sizeof version);
        close_link(l);
        return false;
    }
    return true;
}

static bool
is_head_whole(const struct link *l)
{
    if (stub.protocol == CLAMD)
        return l->head_len > 0 && l->head[l->head_len - 1] == '\0';
    if (l->head_len < 4)
        return false;
    return memcmp(l->head + l->head_len - 4, "\r\n\r\n", 4) == 0 ||
           (memcmp(l->head, "PING", 4) == 0 &&
            l->head[l->head_len - 1] == '\n');
}

/* A chunk's length is there: the head has all of it. */
static bool
is_size_whole(struct link *l)
{
    unsigned char *p = (unsigned char *)l->head;
    if (stub.protocol == CLAMD) {
        if (l->head_len < 4)
            return false;
        l->left = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 |
                  (uint64_t)p[2] << 8 | p[3];
        return true;
    }
    if (l->head[l->head_len - 1] != '\n')
        return false;
    l->left = strtoull(l->head, NULL, 16);
    return true;
}

/* False: the connection is closed. */
static bool
take_byte(struct link *l, char c)
{
    if (l->head_len == HEAD_MAX - 1) {
        close_link(l);
        return false;
    }
    l->head[l->head_len++] = c;
    l->head[l->head_len] = '\0';
    if (l->phase == HEAD && is_head_whole(l))
        return stub.protocol == CLAMD ? after_command(l) : after_text_head(l);
    if (l->phase == CHUNK_SIZE && is_size_whole(l)) {
        l->head_len = 0;
        l->phase = BODY;
        if (l->left != 0)
            return true;
        if (stub.protocol == CLAMD)
            return asked(l);
        l->phase = CHUNK_END; /* with nothing left: the last */
    } else if (l->phase == CHUNK_END && c == '\n') {
        bool is_last = l->left == 0;
        l->head_len = 0;
        l->phase = CHUNK_SIZE;
        return !is_last || asked(l);
    }
    return true;
}

static void
take(struct link *l, const char *p, size_t len)
{
    while (len > 0) {
        if (l->phase != BODY) {
            if (!take_byte(l, *p))
                return;
            p++;
            len--;
            continue;
        }
        size_t n = len < l->left ? len : (size_t)l->left;
        p += n;
        len -= n;
        l->left -= n;
        if (l->left != 0)
            continue;
        if (stub.protocol == CLAMD)
            l->phase = CHUNK_SIZE;
        else if (l->is_chunked) {
            l->phase = CHUNK_END;
            l->left = 1; /* not the last */
        } else if (!asked(l))
            return;
    }
}

/* --- connections --- */

static void
accept_link(void)
{
    int fd = accept4(stub.listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct link *l = fd < LINKS ? calloc(1, sizeof *l) : NULL;
    if (l == NULL) {
        close(fd);
        return;
    }
    l->fd = fd;
    stub.links[fd] = l;
    watch(fd);
}

/* A descriptor that is handed over is the message. */
static bool
take_descriptor(struct link *l, struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct stat status;
    int fd = -1;
    if (c == NULL || c->cmsg_type != SCM_RIGHTS)
        return false;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    if (fstat(fd, &status) == 0)
        stub.bytes += (unsigned long long)status.st_size;
    close(fd);
    asked(l);
    return true;
}

static void
read_link(struct link *l)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec into = {stub.buffer, sizeof stub.buffer};
    struct msghdr m = {.msg_iov = &into,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close_link(l);
    } else if (m.msg_controllen == 0 || !take_descriptor(l, &m)) {
        stub.bytes += (unsigned long long)n;
        take(l, stub.buffer, (size_t)n);
    }
}

static void
tell_counts(void)
{
    if (read(STDIN_FILENO, stub.buffer, sizeof stub.buffer) <= 0)
        exit(0);
    printf("%llu %llu\n", stub.messages, stub.bytes);
    fflush(stdout);
}

static void
serve(void)
{
    struct epoll_event events[64];
    uint64_t ticks;
    for (;;) {
        bool is_due = false;
        int n = epoll_wait(stub.epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == stub.listener)
                accept_link();
            else if (fd == STDIN_FILENO)
                tell_counts();
            else if (fd == stub.timer)
                is_due = read(fd, &ticks, sizeof ticks) > 0;
            else if (stub.links[fd] != NULL)
                read_link(stub.links[fd]);
        }
        if (is_due)
            answer_due();
    }
}

/* --- the beginning --- */

static unsigned
listen_at(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    struct sockaddr *address = (struct sockaddr *)&in;
    if (path != NULL) {
        snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        unlink(path);
        address = (struct sockaddr *)&un;
        len = sizeof un;
    }
    stub.listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(stub.listener, address, len) != 0 ||
        listen(stub.listener, 500) != 0)
        die("listen");
    if (path != NULL)
        return 0;
    len = sizeof in;
    getsockname(stub.listener, (struct sockaddr *)&in, &len);
    return ntohs(in.sin_port);
}

static size_t
read_answer(const char *path, char *to, size_t size)
{
    static const char usual[] =
        "{\"is_skipped\":false,\"score\":1.5,\"required_score\":15,"
        "\"action\":\"no action\",\"symbols\":{}}";
    FILE *f = path != NULL ? fopen(path, "r") : NULL;
    if (f == NULL && path != NULL)
        die(path);
    if (f == NULL)
        return (size_t)snprintf(to, size, "%s",
                                stub.protocol == RSPAMD ? usual : "ONE,TWO");
    size_t len = fread(to, 1, size, f);
    fclose(f);
    return len;
}

static void
make_answer(const char *path)
{
    static char body[ANSWER_MAX - 512];
    size_t len = read_answer(path, body, sizeof body);
    int head = stub.protocol == RSPAMD
                   ? snprintf(stub.answer, sizeof stub.answer,
                              "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
                              "Server: rspamd/3.4\r\nContent-Length: %zu\r\n"
                              "Content-Type: application/json\r\n\r\n",
                              len)
                   : snprintf(stub.answer, sizeof stub.answer,
                              "SPAMD/1.1 0 EX_OK\r\nContent-length: %zu\r\n"
                              "Spam: False ; 1.5 / 5.0\r\n\r\n",
                              len);
    memcpy(stub.answer + head, body, len);
    stub.answer_len = (size_t)head + len;
    snprintf(stub.check_answer, sizeof stub.check_answer,
             "SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.5 / 5.0\r\n\r\n");
}

static bool
take_protocol(const char *name)
{
    static const char *const names[] = {"rspamd", "spamd", "clamd"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            stub.protocol = (enum protocol)i;
            return true;
        }
    return false;
}

int
main(int argc, char **argv)
{
    const char *path = NULL, *content = NULL;
    int option;
    while ((option = getopt(argc, argv, "p:d:a:u:")) != -1) {
        if (option == 'd')
            stub.delay_ns = strtoull(optarg, NULL, 10) * 1000;
        else if (option == 'a')
            content = optarg;
        else if (option == 'u')
            path = optarg;
        else if (option != 'p' || !take_protocol(optarg))
            return 64;
    }
    make_answer(content);
    stub.last = &stub.first;
    stub.epoll = epoll_create1(EPOLL_CLOEXEC);
    stub.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    printf("port %u\n", listen_at(path));
    fflush(stdout);
    watch(stub.listener);
    watch(stub.timer);
    watch(STDIN_FILENO);
    serve();
}
