/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/base/log.h>
#include <mfx/base/map.h>

#include "notify_impl.h"

enum {
    ALIKE_MS = 1000,
    ALIKE_MAX = 10000,
    SAY_EVERY_MS = 60000,
    END_MS = 2000,
    IDLE_MS = 60000,
};

/* What waits for one of the two ways. */
struct ring {
    struct notice **items;
    size_t room, first, count;
};

/* What was told lately: the second that runs, and the one before. */
struct lately {
    struct mfx_arena *arena;
    struct mfx_map *map; /* event, rule, key -> when (uint64_t, ms) */
    uint64_t begun_ms;
};

struct quota_notify {
    struct mfx_arena *arena; /* of settings, rings, slots */
    pthread_mutex_t mutex;   /* all up to `commands` */
    struct ring for_command, for_url;
    struct lately lately[2];
    struct quota_notify_counts counts;
    uint64_t unsaid;  /* dropped, but not yet in the log */
    uint64_t said_ms; /* when it last was; 0: never */
    bool is_ending;
    uint64_t end_ms;
    /* the thread's */
    struct commands commands;
    struct posts posts;
    struct curl_waitfd *fds;
    pthread_t thread;
    bool has_thread;
};

static bool
push(struct ring *ring, struct notice *notice)
{
    if (ring->count == ring->room)
        return false;
    ring->items[(ring->first + ring->count++) % ring->room] =
        notice_hold(notice);
    return true;
}

/* NULL when there is none. */
static struct notice *
pop(struct ring *ring)
{
    if (ring->count == 0)
        return NULL;
    struct notice *notice = ring->items[ring->first];
    ring->first = (ring->first + 1) % ring->room;
    ring->count--;
    return notice;
}

static void
forget(struct lately *l)
{
    mfx_map_free(l->map);
    mfx_arena_free(l->arena);
    *l = (struct lately){.map = NULL};
}

static bool
is_known(const struct lately *l, struct mfx_str key, uint64_t now_ms)
{
    const uint64_t *at_ms = l->map != NULL ? mfx_map_get(l->map, key) : NULL;
    return at_ms != NULL && now_ms - *at_ms < ALIKE_MS;
}

/* Without memory nothing is remembered, and more is told. */
static void
remember(struct lately *l, struct mfx_str key, uint64_t now_ms)
{
    if (l->map == NULL) {
        l->map = mfx_map_new(MFX_MAP_CASE, 0);
        l->arena = mfx_arena_new(0);
        l->begun_ms = now_ms;
    }
    if (l->map == NULL || l->arena == NULL || mfx_map_count(l->map) > ALIKE_MAX)
        return;
    uint64_t *at_ms = mfx_arena_alloc(l->arena, sizeof *at_ms);
    struct mfx_str copy = mfx_arena_copy(l->arena, key);
    if (at_ms == NULL || copy.p == NULL)
        return;
    *at_ms = now_ms;
    (void)!mfx_map_put(l->map, copy, at_ms);
}

/* True when the same was told within the last second. */
static bool
was_told(struct quota_notify *n, const struct notice *notice, uint64_t now_ms)
{
    const struct quota_notice *s = &notice->said;
    struct mfx_buf key;
    mfx_buf_init(&key, 4096);
    mfx_buf_add(&key, mfx_str(s->event, strlen(s->event) + 1));
    mfx_buf_add(&key, mfx_str(s->rule.p, s->rule.len + 1));
    mfx_buf_add(&key, s->key);
    struct mfx_str text = mfx_buf_str(&key);
    if (n->lately[0].map != NULL &&
        now_ms - n->lately[0].begun_ms >= ALIKE_MS) {
        forget(&n->lately[1]);
        n->lately[1] = n->lately[0];
        n->lately[0] = (struct lately){.map = NULL};
    }
    bool is_told = is_known(&n->lately[0], text, now_ms) ||
                   is_known(&n->lately[1], text, now_ms);
    if (!is_told)
        remember(&n->lately[0], text, now_ms);
    mfx_buf_fini(&key);
    return is_told;
}

/* Into both queues, as far as there are both. */
static void
enqueue(struct quota_notify *n, struct notice *notice, uint64_t now_ms)
{
    uint64_t dropped = 0;
    if (was_told(n, notice, now_ms)) {
        n->counts.coalesced++;
        return;
    }
    if (n->commands.argv != NULL && !push(&n->for_command, notice))
        dropped++;
    if (n->posts.url != NULL && !push(&n->for_url, notice))
        dropped++;
    n->counts.dropped += dropped;
    n->unsaid += dropped;
}

/* How many dropped ones the log is to be told of now. */
static uint64_t
take_unsaid(struct quota_notify *n, uint64_t now_ms)
{
    uint64_t count = n->unsaid;
    if (count == 0 || (n->said_ms > 0 && now_ms - n->said_ms < SAY_EVERY_MS))
        return 0;
    n->said_ms = now_ms;
    n->unsaid = 0;
    return count;
}

static void
say_dropped(uint64_t count)
{
    if (count == 0)
        return;
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "notify_dropped");
    mfx_log_add_u64(&line, "count", count);
    mfx_log_add_text(&line, "reason", "notify.queue is full");
    mfx_log_end(&line, MFX_LOG_WARNING);
}

void
quota_notify_tell(struct quota_notify *notify,
                  const struct quota_notice *notice)
{
    struct notice *copy = notify != NULL ? notice_new(notice) : NULL;
    if (copy == NULL)
        return;
    uint64_t now_ms = mfx_mono_ms();
    (void)pthread_mutex_lock(&notify->mutex);
    enqueue(notify, copy, now_ms);
    uint64_t unsaid = take_unsaid(notify, now_ms);
    (void)pthread_mutex_unlock(&notify->mutex);
    notice_release(copy);
    (void)curl_multi_wakeup(notify->posts.multi);
    say_dropped(unsaid);
}

struct quota_notify_counts
quota_notify_counts(struct quota_notify *notify)
{
    (void)pthread_mutex_lock(&notify->mutex);
    struct quota_notify_counts counts = notify->counts;
    counts.waiting = notify->for_command.count + notify->for_url.count;
    (void)pthread_mutex_unlock(&notify->mutex);
    return counts;
}

static struct notice *
take(struct quota_notify *n, struct ring *ring)
{
    (void)pthread_mutex_lock(&n->mutex);
    struct notice *notice = pop(ring);
    (void)pthread_mutex_unlock(&n->mutex);
    return notice;
}

static void
start_some(struct quota_notify *n, uint64_t now_ms)
{
    struct notice *notice;
    while (!mfx_programs_is_full(n->commands.programs) &&
           (notice = take(n, &n->for_command)) != NULL)
        commands_start(&n->commands, notice, now_ms);
    while (n->posts.running < n->posts.max &&
           (notice = take(n, &n->for_url)) != NULL)
        posts_start(&n->posts, notice);
}

/* True when the thread may end. */
static bool
publish(struct quota_notify *n, uint64_t now_ms)
{
    size_t running =
        mfx_programs_running(n->commands.programs) + n->posts.running;
    (void)pthread_mutex_lock(&n->mutex);
    n->counts.told = n->commands.outcome.done + n->posts.outcome.done;
    n->counts.failed = n->commands.outcome.failed + n->posts.outcome.failed;
    n->counts.running = running;
    bool is_idle =
        running == 0 && n->for_command.count == 0 && n->for_url.count == 0;
    bool is_over = n->is_ending && (is_idle || now_ms >= n->end_ms);
    (void)pthread_mutex_unlock(&n->mutex);
    return is_over;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until something happens: to a process, to a request, or in tell. */
static void
wait_for_something(struct quota_notify *n, uint64_t now_ms)
{
    const struct mfx_programs *programs = n->commands.programs;
    unsigned count = 0;
    for (size_t i = 0; i < mfx_programs_running(programs); i++)
        if (mfx_programs_fd(programs, i) >= 0)
            n->fds[count++] = (struct curl_waitfd){
                .fd = mfx_programs_fd(programs, i), .events = CURL_WAIT_POLLIN};
    uint64_t until_ms = earlier(mfx_programs_next_ms(programs, now_ms),
                                posts_next_ms(&n->posts, now_ms));
    until_ms = earlier(until_ms, now_ms + IDLE_MS);
    (void)pthread_mutex_lock(&n->mutex);
    if (n->is_ending)
        until_ms = earlier(until_ms, n->end_ms);
    (void)pthread_mutex_unlock(&n->mutex);
    int wait_ms = until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
    (void)curl_multi_poll(n->posts.multi, n->fds, count, wait_ms, NULL);
}

static void *
run(void *arg)
{
    struct quota_notify *n = arg;
    uint64_t now_ms = mfx_mono_ms();
    for (;;) {
        mfx_programs_look(n->commands.programs, now_ms);
        posts_look(&n->posts, now_ms);
        start_some(n, now_ms);
        if (publish(n, now_ms))
            break;
        wait_for_something(n, now_ms);
        now_ms = mfx_mono_ms();
    }
    mfx_programs_free(n->commands.programs);
    n->commands.programs = NULL;
    posts_abort(&n->posts);
    return NULL;
}

/* Signals belong to the daemon's first thread. */
static bool
start_thread(struct quota_notify *n)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    n->has_thread = pthread_create(&n->thread, NULL, run, n) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (n->has_thread)
        (void)pthread_setname_np(n->thread, "mfx-notify");
    return n->has_thread;
}

static bool
make_ring(struct ring *ring, struct mfx_arena *arena, int64_t room)
{
    ring->room = (size_t)room;
    ring->items = mfx_arena_alloc_array(arena, ring->room, sizeof *ring->items);
    return ring->items != NULL;
}

static bool
take_command(struct quota_notify *n, const struct quota_notify_settings *s)
{
    struct commands *c = &n->commands;
    size_t count = s->command.count;
    size_t max = (size_t)s->max_running;
    if (!commands_init(c, max, s->timeout_s * 1000))
        return false;
    if (count == 0)
        return true;
    c->argv = mfx_arena_alloc_array(n->arena, count + 1, sizeof *c->argv);
    for (size_t i = 0; c->argv != NULL && i < count; i++)
        c->argv[i] = (char *)mfx_arena_copy(n->arena, s->command.items[i]).p;
    n->fds = mfx_arena_alloc_array(n->arena, max, sizeof *n->fds);
    return make_ring(&n->for_command, n->arena, s->queue);
}

static bool
add_header(struct posts *p, const char *line)
{
    struct curl_slist *more =
        line != NULL ? curl_slist_append(p->headers, line) : NULL;
    if (more != NULL)
        p->headers = more;
    return more != NULL;
}

static bool
take_url(struct quota_notify *n, const struct quota_notify_settings *s)
{
    struct posts *p = &n->posts;
    if (s->url.len == 0)
        return true;
    p->url = mfx_arena_copy(n->arena, s->url).p;
    p->timeout_ms = s->timeout_s * 1000;
    p->max = (size_t)s->max_running;
    p->slots = mfx_arena_alloc_array(n->arena, p->max, sizeof *p->slots);
    bool is_good = add_header(p, "Content-Type: application/json") &&
                   add_header(p, "User-Agent: mfx-quota");
    for (size_t i = 0; i < s->http_headers.count; i++)
        is_good =
            is_good &&
            add_header(p, mfx_arena_copy(n->arena, s->http_headers.items[i]).p);
    return is_good && make_ring(&n->for_url, n->arena, s->queue);
}

static void
release(struct quota_notify *n)
{
    mfx_programs_free(n->commands.programs);
    curl_slist_free_all(n->posts.headers);
    (void)curl_multi_cleanup(n->posts.multi);
    forget(&n->lately[0]);
    forget(&n->lately[1]);
    (void)pthread_mutex_destroy(&n->mutex);
    mfx_arena_free(n->arena);
    free(n);
    curl_global_cleanup();
}

struct quota_notify *
quota_notify_new(const struct quota_notify_settings *s)
{
    struct quota_notify *n = calloc(1, sizeof *n);
    if (n == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(n);
        return NULL;
    }
    (void)pthread_mutex_init(&n->mutex, NULL);
    n->arena = mfx_arena_new(0);
    n->posts.multi = curl_multi_init();
    if (n->arena != NULL && n->posts.multi != NULL && take_command(n, s) &&
        take_url(n, s) && mfx_arena_ok(n->arena) && start_thread(n))
        return n;
    release(n);
    return NULL;
}

static void
say_rest(struct quota_notify *n)
{
    uint64_t left = n->for_command.count + n->for_url.count;
    say_dropped(n->unsaid);
    if (left > 0) {
        struct mfx_log_line line;
        mfx_log_begin_daemon(&line, "notify_dropped");
        mfx_log_add_u64(&line, "count", left);
        mfx_log_add_text(&line, "reason", "the daemon ends");
        mfx_log_end(&line, MFX_LOG_WARNING);
    }
    for (struct notice *notice; (notice = pop(&n->for_command)) != NULL;)
        notice_release(notice);
    for (struct notice *notice; (notice = pop(&n->for_url)) != NULL;)
        notice_release(notice);
}

void
quota_notify_free(struct quota_notify *notify)
{
    if (notify == NULL)
        return;
    (void)pthread_mutex_lock(&notify->mutex);
    notify->is_ending = true;
    notify->end_ms = mfx_mono_ms() + END_MS;
    (void)pthread_mutex_unlock(&notify->mutex);
    (void)curl_multi_wakeup(notify->posts.multi);
    (void)pthread_join(notify->thread, NULL);
    say_rest(notify);
    release(notify);
}
