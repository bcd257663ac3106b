/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/buf.h>
#include <mfx/base/clock.h>
#include <mfx/base/env.h>
#include <mfx/base/log.h>
#include <mfx/base/map.h>
#include <mfx/base/program.h>

enum {
    RUNNING_MAX = 4,
    WAITING_MAX = 100,
    LOGINS_MAX = 10000,
    END_MS = 2000,
    IDLE_MS = 60000,
    HOST_MAX = 256,
    VARIABLES = 12,
    WHOSE_MAX = 255, /* longer ones that begin alike are one */
};

/* One run to be. */
struct job {
    struct mfx_arena *arena; /* of all this */
    struct job *next;
    char *path;
    char **environment;
    struct mfx_str login;
    uint64_t timeout_ms;
};

/* When a login was told of. */
struct lately {
    uint64_t told_ms;
    uint64_t repeated; /* since then */
    size_t len;
    char login[];
};

struct score_command {
    pthread_mutex_t mutex; /* all up to `programs` */
    char *path;            /* NULL: none */
    uint64_t timeout_ms, interval_ms;
    struct mfx_map *logins; /* -> struct lately */
    struct job *first, *last;
    struct score_command_counts counts;
    bool has_thread, is_ending;
    uint64_t end_ms;
    /* the thread's */
    struct mfx_programs *programs;
    int wake;
    pthread_t thread;
};

static struct mfx_str
whose(const struct score_culprit *who)
{
    struct mfx_str name = who->login.len > 0 ? who->login : who->client;
    return mfx_str_head(name, WHOSE_MAX);
}

static void
job_free(struct job *job)
{
    if (job != NULL)
        mfx_arena_free(job->arena);
}

static void
log_failed(const struct job *job, const char *reason)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "outgoing_command_failed");
    mfx_log_add(&line, "login", job->login);
    mfx_log_add_text(&line, "reason", reason);
    mfx_log_end(&line, MFX_LOG_WARNING);
}

/* --- the thread --- */

static void
ended(void *context, void *arg, const char *why)
{
    struct score_command *c = context;
    struct job *job = arg;
    if (why != NULL)
        log_failed(job, why);
    (void)pthread_mutex_lock(&c->mutex);
    c->counts.done += why == NULL;
    c->counts.failed += why != NULL;
    c->counts.running--;
    (void)pthread_mutex_unlock(&c->mutex);
    job_free(job);
}

/* NULL: none waits. */
static struct job *
take(struct score_command *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    struct job *job = c->first;
    if (job != NULL) {
        c->first = job->next;
        c->counts.waiting--;
        c->counts.running++;
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return job;
}

static void
start_some(struct score_command *c, uint64_t now_ms)
{
    struct job *job;
    while (!mfx_programs_is_full(c->programs) && (job = take(c)) != NULL) {
        char *argv[] = {job->path, NULL};
        struct mfx_err err = {""};
        if (mfx_programs_start(c->programs, argv, job->environment, job,
                               now_ms + job->timeout_ms, &err) != MFX_OK)
            ended(c, job, err.msg);
    }
}

/* Until when to wait; 0: it is over. */
static uint64_t
wait_until(struct score_command *c, uint64_t now_ms)
{
    uint64_t until_ms = mfx_programs_next_ms(c->programs, now_ms);
    if (until_ms > now_ms + IDLE_MS)
        until_ms = now_ms + IDLE_MS;
    (void)pthread_mutex_lock(&c->mutex);
    bool is_idle = c->first == NULL && c->counts.running == 0;
    if (c->is_ending && (is_idle || now_ms >= c->end_ms))
        until_ms = 0;
    else if (c->is_ending && c->end_ms < until_ms)
        until_ms = c->end_ms;
    (void)pthread_mutex_unlock(&c->mutex);
    return until_ms;
}

static void
wait_for_something(struct score_command *c, uint64_t now_ms, uint64_t until_ms)
{
    struct pollfd fds[RUNNING_MAX + 1] = {
        {.fd = c->wake, .events = POLLIN}
    };
    nfds_t count = 1;
    uint64_t value;
    for (size_t i = 0; i < mfx_programs_running(c->programs); i++)
        fds[count++] = (struct pollfd){.fd = mfx_programs_fd(c->programs, i),
                                       .events = POLLIN};
    (void)poll(fds, count, until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
    if (fds[0].revents != 0)
        (void)!read(c->wake, &value, sizeof value);
}

static void *
run(void *arg)
{
    struct score_command *c = arg;
    for (;;) {
        uint64_t now_ms = mfx_mono_ms();
        mfx_programs_look(c->programs, now_ms);
        start_some(c, now_ms);
        uint64_t until_ms = wait_until(c, now_ms);
        if (until_ms == 0)
            return NULL;
        wait_for_something(c, now_ms, until_ms);
    }
}

/* Under the mutex. Signals belong to the daemon's first thread. */
static bool
has_thread(struct score_command *c)
{
    sigset_t all, before;
    if (c->has_thread)
        return true;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    c->has_thread = pthread_create(&c->thread, NULL, run, c) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (c->has_thread)
        (void)pthread_setname_np(c->thread, "mfx-command");
    return c->has_thread;
}

static void
wake(struct score_command *c)
{
    const uint64_t one = 1;
    (void)!write(c->wake, &one, sizeof one);
}

/* --- who was told of --- */

/* Under the mutex: those whose interval is over. */
static void
forget_old(struct score_command *c, uint64_t now_ms)
{
    struct mfx_map *kept = mfx_map_new(MFX_MAP_CASE, 16);
    size_t cursor = 0;
    struct mfx_str login;
    void *value;
    if (kept == NULL)
        return;
    while (mfx_map_next(c->logins, &cursor, &login, &value)) {
        const struct lately *l = value;
        if (now_ms - l->told_ms >= c->interval_ms ||
            mfx_map_put(kept, login, value) != MFX_OK)
            free(value);
    }
    mfx_map_free(c->logins);
    c->logins = kept;
}

/* NULL: out of memory, or too many. */
static struct lately *
new_lately(struct score_command *c, struct mfx_str login, uint64_t now_ms)
{
    if (mfx_map_count(c->logins) >= LOGINS_MAX)
        forget_old(c, now_ms);
    struct lately *l = mfx_map_count(c->logins) >= LOGINS_MAX
                           ? NULL
                           : calloc(1, sizeof *l + login.len);
    if (l == NULL)
        return NULL;
    memcpy(l->login, login.p, login.len);
    l->len = login.len;
    if (mfx_map_put(c->logins, mfx_str(l->login, l->len), l) == MFX_OK)
        return l;
    free(l);
    return NULL;
}

/* Under the mutex. True: it is to be told of, with so many unsaid ones. */
static bool
is_news(struct score_command *c, struct mfx_str login, uint64_t now_ms,
        uint64_t *repeated)
{
    struct lately *l = mfx_map_get(c->logins, login);
    *repeated = 0;
    if (l == NULL) {
        l = new_lately(c, login, now_ms);
        if (l == NULL) {
            c->counts.dropped++;
            return false;
        }
    } else if (now_ms - l->told_ms < c->interval_ms) {
        l->repeated++;
        c->counts.repeated++;
        return false;
    }
    *repeated = l->repeated;
    l->told_ms = now_ms;
    l->repeated = 0;
    return true;
}

/* --- telling --- */

static char *
variable(struct mfx_arena *arena, const char *name, struct mfx_str value)
{
    char clean[MFX_PROGRAM_VALUE_MAX + 1];
    (void)mfx_program_value(value, clean);
    return (char *)mfx_arena_printf(arena, "%s=%s", name, clean).p;
}

static struct mfx_str
score_text(const struct score_culprit *who, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 64);
    if (who->has_score)
        mfx_decimal_format(who->score, &out);
    return mfx_buf_str(&out);
}

static char **
make_environment(const struct score_culprit *who, struct mfx_arena *arena)
{
    char host[HOST_MAX] = "", now[MFX_CLOCK_TEXT];
    char **env = mfx_arena_alloc_array(arena, VARIABLES + 1, sizeof *env);
    size_t n = 0;
    if (env == NULL)
        return NULL;
    (void)gethostname(host, sizeof host - 1);
    env[n++] = variable(arena, "PATH",
                        mfx_str_of("/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                                   "/usr/bin:/sbin:/bin"));
    env[n++] = variable(arena, "MFX_LOGIN", who->login);
    env[n++] = variable(arena, "MFX_CLIENT", who->client);
    env[n++] = variable(arena, "MFX_CLIENT_NAME", who->client_name);
    env[n++] = variable(arena, "MFX_SENDER", who->sender);
    env[n++] = variable(arena, "MFX_RECIPIENTS",
                        mfx_arena_printf(arena, "%zu", who->recipient_count));
    env[n++] = variable(arena, "MFX_SCORE", score_text(who, arena));
    env[n++] = variable(arena, "MFX_ACTION",
                        mfx_str_of(score_action_name(who->action)));
    env[n++] = variable(arena, "MFX_REASON", who->reason);
    env[n++] = variable(arena, "MFX_QUEUE_ID", who->queue_id);
    env[n++] = variable(arena, "MFX_HOST", mfx_str_of(host));
    env[n++] = variable(arena, "MFX_TIME",
                        mfx_str_of(mfx_clock_text((uint64_t)time(NULL), now)));
    return env;
}

static struct job *
job_new(const struct score_command *c, const struct score_culprit *who)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct job *job =
        arena == NULL ? NULL : mfx_arena_alloc(arena, sizeof *job);
    if (job != NULL) {
        job->arena = arena;
        job->path = (char *)mfx_arena_copy(arena, mfx_str_of(c->path)).p;
        job->environment = make_environment(who, arena);
        job->login = mfx_arena_copy(arena, whose(who));
        job->timeout_ms = c->timeout_ms;
        if (mfx_arena_ok(arena))
            return job;
    }
    mfx_arena_free(arena);
    return NULL;
}

/* Under the mutex. What becomes of it, for the log. */
static const char *
enqueue(struct score_command *c, const struct score_culprit *who)
{
    struct job *job = NULL;
    if (c->path == NULL)
        return "none";
    if (c->counts.waiting >= WAITING_MAX) {
        c->counts.dropped++;
        return "too many wait";
    }
    if (has_thread(c))
        job = job_new(c, who);
    if (job == NULL) {
        c->counts.dropped++;
        return "out of memory";
    }
    if (c->first == NULL)
        c->first = job;
    else
        c->last->next = job;
    c->last = job;
    c->counts.waiting++;
    return "run";
}

static void
log_culprit(const struct score_culprit *who, uint64_t repeated,
            const char *what)
{
    struct mfx_log_line line;
    mfx_log_begin(&line, who->queue_id, "outgoing_spam");
    mfx_log_add(&line, "login", who->login);
    mfx_log_add(&line, "client", who->client);
    mfx_log_add(&line, "sender", who->sender);
    mfx_log_add_u64(&line, "recipients", who->recipient_count);
    if (who->has_score) {
        struct mfx_buf score;
        mfx_buf_init(&score, 64);
        mfx_decimal_format(who->score, &score);
        mfx_log_add(&line, "score", mfx_buf_str(&score));
        mfx_buf_fini(&score);
    }
    mfx_log_add_text(&line, "action", score_action_name(who->action));
    mfx_log_add(&line, "reason", who->reason);
    if (repeated > 0)
        mfx_log_add_u64(&line, "more_since_last", repeated);
    mfx_log_add_text(&line, "command", what);
    mfx_log_end(&line, MFX_LOG_WARNING);
}

void
score_command_tell(struct score_command *command,
                   const struct score_culprit *culprit)
{
    const char *what = NULL;
    uint64_t repeated;
    (void)pthread_mutex_lock(&command->mutex);
    if (is_news(command, whose(culprit), mfx_mono_ms(), &repeated))
        what = enqueue(command, culprit);
    (void)pthread_mutex_unlock(&command->mutex);
    if (what == NULL)
        return;
    wake(command);
    log_culprit(culprit, repeated, what);
}

/* --- life --- */

struct score_command *
score_command_new(void)
{
    struct score_command *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    (void)pthread_mutex_init(&c->mutex, NULL);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->logins = mfx_map_new(MFX_MAP_CASE, 16);
    c->programs = mfx_programs_new(RUNNING_MAX, ended, c);
    if (c->wake >= 0 && c->logins != NULL && c->programs != NULL)
        return c;
    score_command_free(c);
    return NULL;
}

void
score_command_set(struct score_command *command, const char *path,
                  uint64_t timeout_s, uint64_t interval_s)
{
    char *copy = path == NULL ? NULL : strdup(path);
    (void)pthread_mutex_lock(&command->mutex);
    char *before = command->path;
    command->path = copy;
    command->timeout_ms = timeout_s * 1000;
    command->interval_ms = interval_s * 1000;
    (void)pthread_mutex_unlock(&command->mutex);
    free(before);
}

static void
end_thread(struct score_command *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->is_ending = true;
    c->end_ms = mfx_mono_ms() + END_MS;
    bool has_one = c->has_thread;
    (void)pthread_mutex_unlock(&c->mutex);
    if (!has_one)
        return;
    wake(c);
    (void)pthread_join(c->thread, NULL);
}

void
score_command_free(struct score_command *command)
{
    struct score_command *c = command;
    size_t cursor = 0;
    struct mfx_str login;
    void *lately;
    if (c == NULL)
        return;
    end_thread(c);
    mfx_programs_free(c->programs);
    for (struct job *job = c->first, *next; job != NULL; job = next) {
        next = job->next;
        log_failed(job, "the daemon ends");
        job_free(job);
    }
    while (c->logins != NULL &&
           mfx_map_next(c->logins, &cursor, &login, &lately))
        free(lately);
    mfx_map_free(c->logins);
    if (c->wake >= 0)
        (void)close(c->wake);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c->path);
    free(c);
}

struct score_command_counts
score_command_counts(struct score_command *command)
{
    (void)pthread_mutex_lock(&command->mutex);
    struct score_command_counts counts = command->counts;
    (void)pthread_mutex_unlock(&command->mutex);
    return counts;
}
