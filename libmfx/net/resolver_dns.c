/* SPDX-License-Identifier: BSD-2-Clause */
#include <ares.h>
#include <stdlib.h>

#include <mfx/base/map.h>
#include <mfx/net/dns_question.h>
#include <mfx/net/dns_worker.h>

enum {
    DEFAULT_TIMEOUT_MS = 5000,
    DEFAULT_TRIES = 2,
    DEFAULT_OUTSTANDING = 2000,
    DEFAULT_MAX_TTL = 86400,
    WAITERS_EACH = 16, /* waiters at once: this often max_outstanding */
};

/* The mutex guards what is above it; it is held for a look-up or two, never
 * while waiting. */
struct dns_resolver {
    struct mfx_resolver resolver; /* first: the interface */
    struct mfx_dns_cache *cache;
    struct mfx_map *open; /* key -> job on its way */
    size_t waiters;
    struct mfx_resolver_dns_stats stats;
    pthread_mutex_t mutex;

    const struct mfx_env *env;
    unsigned timeout_ms;
    size_t max_outstanding;
    struct mfx_dns_worker worker;
};

static struct mfx_str
key_str(const struct mfx_dns_key *key)
{
    return mfx_str(key->bytes, key->len);
}

/* --- asking --- */

enum asked {
    ASKED_CACHED,
    ASKED_JOINED, /* somebody asked already, or the job is new */
    ASKED_REFUSED,
};

static struct mfx_dns_job *
new_job(struct dns_resolver *r, const struct mfx_dns_asked *asked,
        const struct mfx_dns_key *key, uint64_t now_ms)
{
    struct mfx_dns_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->asked = *asked;
    job->key = *key;
    job->deadline_ms = now_ms + r->timeout_ms;
    if (mfx_map_put(r->open, key_str(&job->key), job) != MFX_OK) {
        free(job);
        return NULL;
    }
    mfx_dns_worker_submit(&r->worker, job);
    return job;
}

/* Under the mutex. *reply is held, and *ttl_s set, when it was in the cache. */
static enum asked
ask_locked(struct dns_resolver *r, const struct mfx_dns_asked *asked,
           struct mfx_dns_question *question, struct mfx_dns_reply **reply,
           uint32_t *ttl_s)
{
    struct mfx_dns_key key = mfx_dns_key_of(&asked->name, asked->type);
    uint64_t now_ms = r->env->mono_ms(r->env);
    r->stats.questions++;
    *reply = mfx_dns_cache_get(r->cache, &key, now_ms, ttl_s);
    if (*reply != NULL) {
        r->stats.cache_hits++;
        return ASKED_CACHED;
    }
    struct mfx_dns_job *job = mfx_map_get(r->open, key_str(&key));
    bool is_new = job == NULL;
    if (r->waiters < r->max_outstanding * WAITERS_EACH && is_new &&
        mfx_map_count(r->open) < r->max_outstanding)
        job = new_job(r, asked, &key, now_ms);
    if (job == NULL || r->waiters >= r->max_outstanding * WAITERS_EACH) {
        r->stats.refused_over_limit++;
        return ASKED_REFUSED;
    }
    if (!is_new)
        r->stats.joined++;
    question->next = job->waiters;
    job->waiters = question;
    r->waiters++;
    return ASKED_JOINED;
}

static struct mfx_dns_question *
dns_ask(struct mfx_resolver *resolver, struct mfx_str name,
        enum mfx_dns_type type)
{
    static const struct mfx_dns_answer refused = {.status = MFX_DNS_TIMEOUT};
    static const struct mfx_dns_answer no_name = {.status = MFX_DNS_NO_NAME,
                                                  .rcode = 3};
    struct dns_resolver *r = (struct dns_resolver *)resolver;
    struct mfx_dns_question *question = mfx_dns_question_new();
    struct mfx_dns_asked asked = {.type = type};
    struct mfx_dns_reply *reply = NULL;
    uint32_t ttl_s = 0;
    if (question == NULL)
        return NULL;
    if (mfx_dns_name_parse(name, &asked.name) != MFX_OK) {
        mfx_dns_question_set(question, &no_name, NULL, NULL);
        return question;
    }
    (void)pthread_mutex_lock(&r->mutex);
    enum asked how = ask_locked(r, &asked, question, &reply, &ttl_s);
    (void)pthread_mutex_unlock(&r->mutex);
    if (how == ASKED_REFUSED)
        mfx_dns_question_set(question, &refused, NULL, NULL);
    if (how == ASKED_CACHED) {
        struct mfx_dns_answer answer = reply->answer;
        answer.ttl_s = ttl_s;
        mfx_dns_question_set(question, &answer, mfx_dns_reply_release, reply);
    }
    return question;
}

/* --- answering, on the worker's thread --- */

static void
count_end(struct mfx_resolver_dns_stats *stats, enum mfx_dns_status status)
{
    switch (status) {
    case MFX_DNS_ANSWER:
    case MFX_DNS_NO_NAME:
    case MFX_DNS_NO_DATA:
        stats->answers++;
        break;
    case MFX_DNS_FAILED:
        stats->failures++;
        break;
    case MFX_DNS_TIMEOUT:
        stats->timeouts++;
        break;
    case MFX_DNS_MALFORMED:
        stats->malformed++;
        break;
    }
}

static void
on_answered(void *arg, struct mfx_dns_job *job, struct mfx_dns_reply *reply,
            enum mfx_dns_status status)
{
    struct dns_resolver *r = arg;
    struct mfx_dns_answer bare = {.status = status};
    (void)pthread_mutex_lock(&r->mutex);
    if (mfx_map_get(r->open, key_str(&job->key)) == job) {
        (void)mfx_map_remove(r->open, key_str(&job->key));
        count_end(&r->stats, status);
    }
    if (reply != NULL)
        mfx_dns_cache_put(r->cache, &job->key, reply, r->env->mono_ms(r->env));
    struct mfx_dns_question *waiter = job->waiters;
    job->waiters = NULL;
    for (struct mfx_dns_question *w = waiter; w != NULL; w = w->next)
        r->waiters--;
    (void)pthread_mutex_unlock(&r->mutex);
    while (waiter != NULL) {
        struct mfx_dns_question *next = waiter->next;
        if (reply != NULL)
            mfx_dns_question_set(waiter, &reply->answer, mfx_dns_reply_release,
                                 mfx_dns_reply_hold(reply));
        else
            mfx_dns_question_set(waiter, &bare, NULL, NULL);
        waiter = next;
    }
}

/* --- life --- */

static void
free_resolver(struct dns_resolver *r)
{
    mfx_dns_cache_free(r->cache);
    mfx_map_free(r->open);
    (void)pthread_mutex_destroy(&r->mutex);
    free(r);
    ares_library_cleanup();
}

static void
dns_free(struct mfx_resolver *resolver)
{
    struct dns_resolver *r = (struct dns_resolver *)resolver;
    mfx_dns_worker_stop(&r->worker);
    free_resolver(r);
}

static enum mfx_rc
read_servers(const struct mfx_resolver_dns_config *config,
             struct mfx_dns_worker_config *out, struct mfx_err *err)
{
    if (config->server_count == 0)
        return mfx_dns_server_system(out->servers, &out->server_count, err);
    if (config->server_count > MFX_DNS_SERVERS_MAX) {
        mfx_err_set(err, "more than %d name servers", MFX_DNS_SERVERS_MAX);
        return MFX_PERMFAIL;
    }
    for (size_t i = 0; i < config->server_count; i++)
        if (mfx_dns_server_parse(config->servers[i], &out->servers[i]) !=
            MFX_OK) {
            mfx_err_set(err, "name server \"%.*s\": not an address",
                        MFX_STR_ARG(config->servers[i]));
            return MFX_PERMFAIL;
        }
    out->server_count = config->server_count;
    return MFX_OK;
}

static struct dns_resolver *
new_resolver(const struct mfx_resolver_dns_config *config,
             const struct mfx_env *env)
{
    uint32_t max_ttl_s = config->cache_max_ttl_s;
    struct dns_resolver *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->resolver = (struct mfx_resolver){.ask = dns_ask, .free = dns_free};
    r->env = env;
    r->timeout_ms =
        config->timeout_ms > 0 ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
    r->max_outstanding = config->max_outstanding > 0 ? config->max_outstanding
                                                     : DEFAULT_OUTSTANDING;
    (void)pthread_mutex_init(&r->mutex, NULL);
    r->open = mfx_map_new(MFX_MAP_CASE, 0);
    r->cache = mfx_dns_cache_new(config->cache_entries, config->cache_bytes,
                                 max_ttl_s > 0 ? max_ttl_s : DEFAULT_MAX_TTL);
    if (r->open != NULL && r->cache != NULL &&
        ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS)
        return r;
    mfx_dns_cache_free(r->cache);
    mfx_map_free(r->open);
    free(r);
    return NULL;
}

enum mfx_rc
mfx_resolver_dns_new(const struct mfx_resolver_dns_config *config,
                     const struct mfx_env *env, struct mfx_resolver **resolver,
                     struct mfx_err *err)
{
    struct dns_resolver *r = new_resolver(config, env);
    if (r == NULL) {
        mfx_err_set(err, "resolver: out of memory");
        return MFX_TEMPFAIL;
    }
    struct mfx_dns_worker_config worker = {
        .timeout_ms = r->timeout_ms,
        .tries = config->tries > 0 ? config->tries : DEFAULT_TRIES,
        .use_tcp = config->use_tcp,
        .trust_ad = config->trust_ad,
        .env = env,
        .answered = on_answered,
        .arg = r,
    };
    enum mfx_rc rc = read_servers(config, &worker, err);
    if (rc == MFX_OK)
        rc = mfx_dns_worker_start(&r->worker, &worker, err);
    if (rc != MFX_OK) {
        free_resolver(r);
        return rc;
    }
    *resolver = &r->resolver;
    return MFX_OK;
}

void
mfx_resolver_dns_stats(struct mfx_resolver *resolver,
                       struct mfx_resolver_dns_stats *stats)
{
    struct dns_resolver *r = (struct dns_resolver *)resolver;
    (void)pthread_mutex_lock(&r->mutex);
    *stats = r->stats;
    stats->outstanding = mfx_map_count(r->open);
    stats->cache_entries = mfx_dns_cache_entries(r->cache);
    stats->cache_bytes = mfx_dns_cache_bytes(r->cache);
    (void)pthread_mutex_unlock(&r->mutex);
}
