/* SPDX-License-Identifier: BSD-2-Clause */
#include "clients.h"

#include <pthread.h>
#include <stdlib.h>

#include <mfx/base/log.h>

enum {
    SAY_AGAIN_S = 86400,
};

struct quota_clients {
    pthread_mutex_t mutex;
    struct mfx_ip last;
    uint64_t run; /* how many in a row were `last` */
    uint64_t said_s;
};

struct quota_clients *
quota_clients_new(void)
{
    struct quota_clients *c = calloc(1, sizeof *c);
    if (c != NULL)
        (void)pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void
quota_clients_free(struct quota_clients *c)
{
    if (c == NULL)
        return;
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

static void
say(const struct mfx_ip *ip)
{
    struct mfx_log_line line;
    char text[MFX_IP_TEXT];
    mfx_log_begin_daemon(&line, "one_client_address");
    mfx_log_add_text(&line, "client", mfx_ip_format(ip, text));
    mfx_log_add_u64(&line, "connections", QUOTA_CLIENTS_RUN);
    mfx_log_add_text(&line, "reason",
                     "all recent clients have this address (a balancer "
                     "without the PROXY protocol?): limits by client or "
                     "network count them as one");
    mfx_log_end(&line, MFX_LOG_WARNING);
}

void
quota_clients_add(struct quota_clients *c, const struct mfx_ip *ip,
                  uint64_t now_s)
{
    bool is_due = false;
    if (ip->family == MFX_IP_NONE || mfx_ip_is_loopback(ip))
        return;
    (void)pthread_mutex_lock(&c->mutex);
    c->run = mfx_ip_eq(ip, &c->last) ? c->run + 1 : 1;
    c->last = *ip;
    if (c->run >= QUOTA_CLIENTS_RUN &&
        (c->said_s == 0 || now_s >= c->said_s + SAY_AGAIN_S)) {
        c->said_s = now_s;
        is_due = true;
    }
    (void)pthread_mutex_unlock(&c->mutex);
    if (is_due)
        say(ip);
}

bool
quota_clients_shared_address(struct quota_clients *c, struct mfx_ip *ip)
{
    (void)pthread_mutex_lock(&c->mutex);
    bool is_shared = c->run >= QUOTA_CLIENTS_RUN;
    *ip = c->last;
    (void)pthread_mutex_unlock(&c->mutex);
    return is_shared;
}
