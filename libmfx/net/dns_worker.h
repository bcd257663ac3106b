/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_worker - the resolver's thread: takes questions to the servers
 *
 * A job is one question on its way. Servers are asked in turn, `tries` times
 * each; one that fails to answer (SERVFAIL, REFUSED, nonsense) is not asked
 * again for this job; one that was silent three times running is asked last,
 * but for a probe every ten seconds. What does not fit into UDP, or cannot
 * be read there, is asked again by TCP.
 *
 * Ownership: submit gives the job to the worker; `answered` is called on the
 * worker's thread when the job is decided, and once more when the answer came
 * after all (for the cache). The worker frees the job.
 * Errors: each job ends: by answer, by its deadline, or when the worker
 * stops (MFX_DNS_TIMEOUT). Threads: submit from any.
 * Limits: sockets: see dns_carrier.h, for each server twice; one thread.
 */
#ifndef MFX_NET_DNS_WORKER_H
#define MFX_NET_DNS_WORKER_H

#include <pthread.h>

#include <mfx/net/dns_cache.h>
#include <mfx/net/dns_carrier.h>
#include <mfx/net/dns_packet.h>

enum mfx_dns_verdict {
    MFX_DNS_VERDICT_ANSWERED,
    MFX_DNS_VERDICT_TRUNCATED,
    MFX_DNS_VERDICT_NO_EDNS, /* the server does not know EDNS */
    MFX_DNS_VERDICT_REFUSED, /* SERVFAIL, REFUSED and the like */
    MFX_DNS_VERDICT_MALFORMED,
    MFX_DNS_VERDICT_SILENT,
    MFX_DNS_VERDICT_UNREACHABLE,
};

struct mfx_dns_worker;

struct mfx_dns_job {
    struct mfx_dns_flight flight; /* first: found again when it lands */
    struct mfx_dns_asked asked;
    struct mfx_dns_key key;
    uint64_t deadline_ms;
    struct mfx_dns_question *waiters; /* the submitter's */

    /* the worker's own */
    struct mfx_dns_worker *worker;
    struct mfx_dns_job *next, *prev; /* inbox, then open jobs by deadline */
    struct mfx_dns_job *next_landed;
    bool is_decided, is_tcp, is_without_edns;
    unsigned attempts, server;
    unsigned excluded; /* a bit for each server */
    enum mfx_dns_status status;
    enum mfx_dns_verdict verdict;
    struct mfx_dns_reply *reply;
};

/* reply NULL: `status` alone is the answer. */
typedef void mfx_dns_answered(void *arg, struct mfx_dns_job *job,
                              struct mfx_dns_reply *reply,
                              enum mfx_dns_status status);

struct mfx_dns_worker_config {
    struct mfx_dns_server servers[MFX_DNS_SERVERS_MAX];
    size_t server_count;
    unsigned timeout_ms, tries;
    bool use_tcp, trust_ad;
    const struct mfx_env *env;
    mfx_dns_answered *answered;
    void *arg;
};

struct mfx_dns_peer {
    struct mfx_dns_carrier udp, tcp;
    unsigned misses;
    bool is_down;
    uint64_t probe_ms;
};

struct mfx_dns_worker {
    struct mfx_dns_worker_config config;
    pthread_t thread;
    int wake_fd;
    pthread_mutex_t mutex; /* inbox and is_stopping */
    struct mfx_dns_job *inbox, **inbox_end;
    bool is_stopping;

    /* the thread's own */
    struct mfx_dns_peer peers[MFX_DNS_SERVERS_MAX];
    struct mfx_dns_job *first, *last; /* undecided, by deadline */
    struct mfx_dns_job *landed, **landed_end;
    size_t jobs; /* undecided, or in the air */
    struct mfx_arena *scratch;
};

enum mfx_rc mfx_dns_worker_start(struct mfx_dns_worker *worker,
                                 const struct mfx_dns_worker_config *config,
                                 struct mfx_err *err) MFX_NODISCARD;
/* Ends every open job and joins the thread. */
void mfx_dns_worker_stop(struct mfx_dns_worker *worker);
void mfx_dns_worker_submit(struct mfx_dns_worker *worker,
                           struct mfx_dns_job *job);

#endif
