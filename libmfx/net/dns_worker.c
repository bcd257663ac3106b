/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_worker.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TICK_MS = 20, /* how exactly time-outs are kept while jobs are open */
    MISSES_UNTIL_DOWN = 3,
    PROBE_MS = 10000,
    SCRATCH_BYTES = 2 << 20,
    RCODE_FORMERR = 1,
    RCODE_NOTIMP = 4,
    RCODE_BADVERS = 16,
};

/* --- an attempt --- */

static enum mfx_dns_verdict
judge_failure(const struct mfx_dns_job *job, unsigned rcode)
{
    bool may_be_edns = rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP ||
                       rcode == RCODE_BADVERS;
    return may_be_edns && !job->is_without_edns ? MFX_DNS_VERDICT_NO_EDNS
                                                : MFX_DNS_VERDICT_REFUSED;
}

static enum mfx_dns_verdict
judge_packet(struct mfx_dns_job *job, struct mfx_str bytes)
{
    struct mfx_dns_worker *w = job->worker;
    struct mfx_dns_packet packet;
    enum mfx_rc rc =
        mfx_dns_packet_read(bytes, &job->asked, w->scratch, &packet);
    if (rc == MFX_PERMFAIL)
        return MFX_DNS_VERDICT_MALFORMED;
    if (rc != MFX_OK)
        return MFX_DNS_VERDICT_UNREACHABLE;
    if (packet.is_truncated)
        return MFX_DNS_VERDICT_TRUNCATED;
    if (packet.answer.status == MFX_DNS_FAILED)
        return judge_failure(job, packet.answer.rcode);
    packet.answer.is_authentic =
        packet.answer.is_authentic && w->config.trust_ad;
    job->reply = mfx_dns_reply_new(&packet.answer);
    return job->reply == NULL ? MFX_DNS_VERDICT_UNREACHABLE
                              : MFX_DNS_VERDICT_ANSWERED;
}

/* Called by c-ares, in the middle of sending or reading: only notes. */
static void
on_landed(struct mfx_dns_flight *flight, enum mfx_dns_landing how,
          struct mfx_str bytes)
{
    struct mfx_dns_job *job = (struct mfx_dns_job *)flight;
    struct mfx_dns_worker *w = job->worker;
    switch (how) {
    case MFX_DNS_LANDED_PACKET:
        job->verdict = judge_packet(job, bytes);
        mfx_arena_reset(w->scratch);
        break;
    case MFX_DNS_LANDED_TIMEOUT:
        job->verdict = MFX_DNS_VERDICT_SILENT;
        break;
    case MFX_DNS_LANDED_NOWHERE:
        job->verdict = MFX_DNS_VERDICT_UNREACHABLE;
        break;
    }
    job->next_landed = NULL;
    *w->landed_end = job;
    w->landed_end = &job->next_landed;
}

static void
send_again(struct mfx_dns_job *job, uint64_t now_ms)
{
    struct mfx_dns_worker *w = job->worker;
    struct mfx_dns_peer *peer = &w->peers[job->server];
    unsigned char packet[MFX_DNS_QUERY_MAX];
    unsigned flags = job->is_without_edns ? 0 : MFX_DNS_WRITE_EDNS;
    if (w->config.trust_ad)
        flags |= MFX_DNS_WRITE_AD;
    w->config.env->random(w->config.env, &job->asked.id, sizeof job->asked.id);
    size_t len = mfx_dns_packet_write(packet, &job->asked, flags);
    job->flight.landed = on_landed;
    mfx_dns_carrier_send(job->is_tcp ? &peer->tcp : &peer->udp, &job->flight,
                         mfx_str((char *)packet, len), now_ms);
}

/* The next server in turn that is up; one that is down when there is no
 * other, or when it is time to see whether it came back. */
static bool
pick_server(struct mfx_dns_job *job, uint64_t now_ms)
{
    struct mfx_dns_worker *w = job->worker;
    unsigned count = (unsigned)w->config.server_count;
    bool has_any = false;
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (job->attempts + i) % count;
        struct mfx_dns_peer *peer = &w->peers[at];
        if ((job->excluded & 1u << at) != 0)
            continue;
        if (!peer->is_down || now_ms >= peer->probe_ms) {
            peer->probe_ms = now_ms + PROBE_MS;
            job->server = at;
            return true;
        }
        if (!has_any)
            job->server = at;
        has_any = true;
    }
    return has_any;
}

static void
note_health(struct mfx_dns_peer *peer, enum mfx_dns_verdict verdict,
            uint64_t now_ms)
{
    if (verdict != MFX_DNS_VERDICT_SILENT &&
        verdict != MFX_DNS_VERDICT_UNREACHABLE) {
        peer->misses = 0;
        peer->is_down = false;
        return;
    }
    peer->misses++;
    if (peer->misses == MISSES_UNTIL_DOWN) {
        peer->is_down = true;
        peer->probe_ms = now_ms + PROBE_MS;
    }
}

/* --- a job --- */

static void
link_job(struct mfx_dns_worker *w, struct mfx_dns_job *job)
{
    job->next = NULL;
    job->prev = w->last;
    *(w->last != NULL ? &w->last->next : &w->first) = job;
    w->last = job;
    w->jobs++;
}

static void
unlink_job(struct mfx_dns_worker *w, struct mfx_dns_job *job)
{
    *(job->prev != NULL ? &job->prev->next : &w->first) = job->next;
    *(job->next != NULL ? &job->next->prev : &w->last) = job->prev;
}

/* Tells the answer; the job itself goes when nothing of it is in the air. */
static void
decide(struct mfx_dns_job *job, struct mfx_dns_reply *reply,
       enum mfx_dns_status status)
{
    struct mfx_dns_worker *w = job->worker;
    unlink_job(w, job);
    job->is_decided = true;
    w->config.answered(w->config.arg, job, reply, status);
}

static void
free_job(struct mfx_dns_job *job)
{
    job->worker->jobs--;
    mfx_dns_reply_release(job->reply);
    free(job);
}

static void
try_next(struct mfx_dns_job *job, uint64_t now_ms)
{
    const struct mfx_dns_worker_config *config = &job->worker->config;
    if (job->attempts >= config->tries * config->server_count ||
        now_ms >= job->deadline_ms || !pick_server(job, now_ms)) {
        decide(job, NULL, job->status);
        free_job(job);
        return;
    }
    job->attempts++;
    job->is_tcp = config->use_tcp;
    job->is_without_edns = false;
    send_again(job, now_ms);
}

static void
exclude(struct mfx_dns_job *job, enum mfx_dns_status status, uint64_t now_ms)
{
    job->excluded |= 1u << job->server;
    job->status = status;
    try_next(job, now_ms);
}

static void
send_by_tcp(struct mfx_dns_job *job, uint64_t now_ms)
{
    if (job->is_tcp) {
        exclude(job, MFX_DNS_MALFORMED, now_ms);
        return;
    }
    job->is_tcp = true;
    send_again(job, now_ms);
}

static void
go_on(struct mfx_dns_job *job, uint64_t now_ms)
{
    switch (job->verdict) {
    case MFX_DNS_VERDICT_ANSWERED:
        decide(job, job->reply, job->reply->answer.status);
        free_job(job);
        break;
    case MFX_DNS_VERDICT_TRUNCATED:
    case MFX_DNS_VERDICT_MALFORMED: /* c-ares may have cut it at 512 bytes */
        send_by_tcp(job, now_ms);
        break;
    case MFX_DNS_VERDICT_NO_EDNS:
        job->is_without_edns = true;
        send_again(job, now_ms);
        break;
    case MFX_DNS_VERDICT_REFUSED:
        exclude(job, MFX_DNS_FAILED, now_ms);
        break;
    case MFX_DNS_VERDICT_SILENT:
        job->status = MFX_DNS_TIMEOUT;
        try_next(job, now_ms);
        break;
    case MFX_DNS_VERDICT_UNREACHABLE:
        job->status = MFX_DNS_FAILED;
        try_next(job, now_ms);
        break;
    }
}

/* A job that was given up at its deadline, and its answer after all. */
static void
end_late(struct mfx_dns_job *job)
{
    const struct mfx_dns_worker_config *config = &job->worker->config;
    if (job->verdict == MFX_DNS_VERDICT_ANSWERED)
        config->answered(config->arg, job, job->reply,
                         job->reply->answer.status);
    free_job(job);
}

static void
settle(struct mfx_dns_worker *w, uint64_t now_ms)
{
    while (w->landed != NULL) {
        struct mfx_dns_job *job = w->landed;
        w->landed = job->next_landed;
        if (w->landed == NULL)
            w->landed_end = &w->landed;
        note_health(&w->peers[job->server], job->verdict, now_ms);
        if (job->is_decided)
            end_late(job);
        else
            go_on(job, now_ms);
    }
}

static void
give_up_overdue(struct mfx_dns_worker *w, uint64_t now_ms)
{
    while (w->first != NULL && now_ms >= w->first->deadline_ms)
        decide(w->first, NULL, MFX_DNS_TIMEOUT);
}

/* --- the thread --- */

static struct mfx_dns_job *
take_inbox(struct mfx_dns_worker *w, bool *is_stopping)
{
    (void)pthread_mutex_lock(&w->mutex);
    struct mfx_dns_job *jobs = w->inbox;
    w->inbox = NULL;
    w->inbox_end = &w->inbox;
    *is_stopping = w->is_stopping;
    (void)pthread_mutex_unlock(&w->mutex);
    return jobs;
}

static void
start_jobs(struct mfx_dns_worker *w, struct mfx_dns_job *jobs, uint64_t now_ms)
{
    while (jobs != NULL) {
        struct mfx_dns_job *job = jobs;
        jobs = job->next;
        job->worker = w;
        job->status = MFX_DNS_TIMEOUT;
        link_job(w, job);
        try_next(job, now_ms);
    }
}

static void
wait_and_read(struct mfx_dns_worker *w)
{
    struct pollfd fds[1 + 2 * MFX_DNS_SERVERS_MAX * MFX_DNS_CARRIER_CHANNELS] =
        {
            {.fd = w->wake_fd, .events = POLLIN}
    };
    size_t udp[MFX_DNS_SERVERS_MAX], tcp[MFX_DNS_SERVERS_MAX], at = 1;
    for (size_t i = 0; i < w->config.server_count; i++) {
        at += udp[i] = mfx_dns_carrier_poll(&w->peers[i].udp, fds + at);
        at += tcp[i] = mfx_dns_carrier_poll(&w->peers[i].tcp, fds + at);
    }
    if (poll(fds, at, w->jobs > 0 ? TICK_MS : -1) < 0)
        for (size_t i = 0; i < at; i++)
            fds[i].revents = 0;
    if (fds[0].revents != 0) {
        uint64_t count;
        (void)!read(w->wake_fd, &count, sizeof count);
    }
    at = 1;
    for (size_t i = 0; i < w->config.server_count; i++) {
        mfx_dns_carrier_process(&w->peers[i].udp, fds + at, udp[i]);
        at += udp[i];
        mfx_dns_carrier_process(&w->peers[i].tcp, fds + at, tcp[i]);
        at += tcp[i];
    }
}

static void
end_all(struct mfx_dns_worker *w, struct mfx_dns_job *unstarted)
{
    while (w->first != NULL)
        decide(w->first, NULL, MFX_DNS_TIMEOUT);
    for (size_t i = 0; i < w->config.server_count; i++) {
        mfx_dns_carrier_fini(&w->peers[i].udp);
        mfx_dns_carrier_fini(&w->peers[i].tcp);
    }
    settle(w, 0);
    while (unstarted != NULL) {
        struct mfx_dns_job *job = unstarted;
        unstarted = job->next;
        w->config.answered(w->config.arg, job, NULL, MFX_DNS_TIMEOUT);
        free(job);
    }
}

static void *
run(void *arg)
{
    struct mfx_dns_worker *w = arg;
    const struct mfx_env *env = w->config.env;
    for (;;) {
        bool is_stopping;
        struct mfx_dns_job *jobs = take_inbox(w, &is_stopping);
        if (is_stopping) {
            end_all(w, jobs);
            return NULL;
        }
        uint64_t now_ms = env->mono_ms(env);
        start_jobs(w, jobs, now_ms);
        settle(w, now_ms);
        give_up_overdue(w, now_ms);
        wait_and_read(w);
        settle(w, env->mono_ms(env));
    }
}

/* The thread takes no signals: they belong to the daemon's first thread. */
static int
start_thread(struct mfx_dns_worker *w)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        (void)pthread_setname_np(w->thread, "mfx-dns");
    return failed;
}

enum mfx_rc
mfx_dns_worker_start(struct mfx_dns_worker *w,
                     const struct mfx_dns_worker_config *config,
                     struct mfx_err *err)
{
    unsigned attempts = config->tries * (unsigned)config->server_count;
    unsigned attempt_ms = config->timeout_ms / attempts;
    if (attempt_ms == 0)
        attempt_ms = 1;
    *w = (struct mfx_dns_worker){.config = *config};
    w->inbox_end = &w->inbox;
    w->landed_end = &w->landed;
    for (size_t i = 0; i < config->server_count; i++) {
        struct mfx_dns_peer *peer = &w->peers[i];
        mfx_dns_carrier_init(&peer->udp, &config->servers[i], false,
                             attempt_ms);
        mfx_dns_carrier_init(&peer->tcp, &config->servers[i], true, attempt_ms);
    }
    (void)pthread_mutex_init(&w->mutex, NULL);
    w->scratch = mfx_arena_new(SCRATCH_BYTES);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = w->scratch == NULL ? ENOMEM : 0;
    if (failed == 0 && w->wake_fd < 0)
        failed = errno;
    if (failed == 0)
        failed = start_thread(w);
    if (failed == 0)
        return MFX_OK;
    mfx_err_set(err, "resolver thread: %s", strerror(failed));
    if (w->wake_fd >= 0)
        (void)close(w->wake_fd);
    mfx_arena_free(w->scratch);
    (void)pthread_mutex_destroy(&w->mutex);
    return MFX_TEMPFAIL;
}

static void
wake(struct mfx_dns_worker *w)
{
    uint64_t one = 1;
    (void)!write(w->wake_fd, &one, sizeof one);
}

void
mfx_dns_worker_submit(struct mfx_dns_worker *w, struct mfx_dns_job *job)
{
    (void)pthread_mutex_lock(&w->mutex);
    bool was_empty = w->inbox == NULL;
    job->next = NULL;
    *w->inbox_end = job;
    w->inbox_end = &job->next;
    (void)pthread_mutex_unlock(&w->mutex);
    if (was_empty)
        wake(w);
}

void
mfx_dns_worker_stop(struct mfx_dns_worker *w)
{
    (void)pthread_mutex_lock(&w->mutex);
    w->is_stopping = true;
    (void)pthread_mutex_unlock(&w->mutex);
    wake(w);
    (void)pthread_join(w->thread, NULL);
    (void)close(w->wake_fd);
    mfx_arena_free(w->scratch);
    (void)pthread_mutex_destroy(&w->mutex);
}
