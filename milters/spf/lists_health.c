/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that tests each list at its time, all that are due at once.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <mfx/base/log.h>
#include <mfx/net/dns_list_health.h>

#include "list_impl.h"

enum {
    IDLE_MS = 60000,
    GAP_MS = 30000, /* between tests that trouble has brought about */
    SCRATCH = 4 * 1024 * 1024,
};

void
spf_lists_hold_release(struct spf_lists_hold *hold)
{
    if (hold == NULL || atomic_fetch_sub(&hold->refs, 1) > 1)
        return;
    if (hold->source.release != NULL)
        hold->source.release(hold->source.arg);
    free(hold);
}

/* --- what a test says --- */

static void
tell(bool is_up, const struct spf_list *list, const char *reason)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, is_up ? "dns_list_up" : "dns_list_down");
    mfx_log_add(&line, "list", list->name);
    mfx_log_add_text(&line, "reason", reason);
    mfx_log_end(&line, is_up ? MFX_LOG_INFO : MFX_LOG_WARNING);
}

/* Under the mutex. */
static void
change_use(const struct spf_list *list, enum spf_list_use use, uint64_t now_s)
{
    struct spf_list_state *state = list->state;
    enum spf_list_use before = spf_list_use_of(list);
    if (before == use)
        return;
    if (use == SPF_LIST_OUT) /* what it said last is not to be believed */
        atomic_fetch_add(&state->epoch, 1);
    atomic_store(&state->use, (int)use);
    state->since_s = now_s;
    if (use == SPF_LIST_OUT)
        tell(false, list, state->why);
    else if (before == SPF_LIST_OUT)
        tell(true, list, "works again");
}

/* Nine to eleven tenths, so that machines do not ask in step. */
static uint64_t
spread(const struct mfx_env *env, uint64_t ms)
{
    uint32_t random = 0;
    env->random(env, &random, sizeof random);
    return ms - ms / 10 + ms / 5 * random / UINT32_MAX;
}

/* Under the mutex. */
static void
conclude(const struct spf_lists *lists, const struct spf_list *list,
         const struct mfx_dns_list_outcome *outcome, const struct mfx_env *env)
{
    struct spf_list_state *state = list->state;
    enum mfx_dns_list_health health = outcome->health;
    bool is_good = health == MFX_DNS_LIST_HEALTHY;
    uint64_t now_s = env->wall_s(env);
    state->health = health;
    state->why[0] = '\0';
    if (!is_good)
        (void)snprintf(state->why, sizeof state->why, "%s: %.*s",
                       mfx_dns_list_health_name(health),
                       MFX_STR_ARG(outcome->why));
    state->bad_in_row = is_good ? 0 : state->bad_in_row + 1;
    state->tested_s = now_s;
    state->tested_ms = env->mono_ms(env);
    state->next_ms = state->tested_ms + spread(env, is_good ? lists->interval_ms
                                                            : lists->retry_ms);
    atomic_store(&state->failed_in_row, 0);
    atomic_store(&state->listed_in_row, 0);
    atomic_store(&state->wants_test, false);
    if (is_good)
        change_use(list, SPF_LIST_IN_USE, now_s);
    else if (health == MFX_DNS_LIST_WORLD || health == MFX_DNS_LIST_ERRORS ||
             state->bad_in_row >= lists->failures ||
             spf_list_use_of(list) == SPF_LIST_UNTESTED)
        change_use(list, SPF_LIST_OUT, now_s);
}

/* A list that is never tested: out for a while after trouble, then back.
 * Under the mutex. */
static void
rest(const struct spf_lists *lists, const struct spf_list *list,
     const struct mfx_env *env)
{
    struct spf_list_state *state = list->state;
    uint64_t now_ms = env->mono_ms(env);
    bool is_in_trouble = atomic_exchange(&state->wants_test, false) &&
                         spf_list_use_of(list) == SPF_LIST_IN_USE;
    atomic_store(&state->failed_in_row, 0);
    atomic_store(&state->listed_in_row, 0);
    state->why[0] = '\0';
    if (is_in_trouble)
        (void)snprintf(state->why, sizeof state->why,
                       "an error, or too many failures or listings in a row");
    state->tested_ms = now_ms;
    state->next_ms =
        is_in_trouble ? now_ms + spread(env, lists->retry_ms) : UINT64_MAX;
    change_use(list, is_in_trouble ? SPF_LIST_OUT : SPF_LIST_IN_USE,
               env->wall_s(env));
}

/* --- testing --- */

struct test {
    const struct spf_list *list;
    struct mfx_dns_list_check *check; /* NULL: it is never tested */
};

struct testing {
    const struct spf_lists *lists;
    const struct mfx_env *env;
    struct mfx_arena *arena;
    struct test *tests;
    size_t count;
};

static bool
has_state_before(const struct spf_lists *lists, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (lists->lists[i].state == lists->lists[at].state)
            return true;
    return false;
}

static uint64_t
due_ms(const struct spf_lists *lists, const struct spf_list *list)
{
    const struct spf_list_state *state = list->state;
    uint64_t gap = lists->retry_ms < GAP_MS ? lists->retry_ms : GAP_MS;
    uint64_t soon = state->tested_ms + gap;
    bool wants_test = atomic_load(&state->wants_test);
    if (list->test != MFX_DNS_LIST_TEST_NONE)
        return wants_test && soon < state->next_ms ? soon : state->next_ms;
    if (wants_test && spf_list_use_of(list) == SPF_LIST_IN_USE)
        return 0;
    return state->next_ms == 0 ? UINT64_MAX : state->next_ms;
}

/* Under the mutex. False when there is none, or no memory. */
static bool
gather(struct testing *t, uint64_t until_ms)
{
    t->tests =
        mfx_arena_alloc_array(t->arena, t->lists->count + 1, sizeof *t->tests);
    for (size_t i = 0; t->tests != NULL && i < t->lists->count; i++) {
        const struct spf_list *list = &t->lists->lists[i];
        if (due_ms(t->lists, list) <= until_ms &&
            !has_state_before(t->lists, i))
            t->tests[t->count++].list = list;
    }
    return t->count > 0;
}

static void
begin_checks(struct testing *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct spf_list *list = t->tests[i].list;
        const struct mfx_dns_list_check_config config = {
            .zone = list->zone,
            .type = list->type,
            .test = list->test,
            .has_ipv6 = list->has_ipv6,
            .rules = list->rules,
            .label_len = list->digest == NULL
                             ? 0
                             : spf_list_label_len(list->digest, list->encoding),
        };
        if (list->test != MFX_DNS_LIST_TEST_NONE)
            t->tests[i].check =
                mfx_dns_list_check_begin(t->arena, t->env, &config);
    }
}

/* stop: may be NULL. */
static void
wait_for_checks(const struct testing *t, struct mfx_event *stop)
{
    uint64_t until_ms = mfx_mono_ms() + t->lists->timeout_ms;
    struct mfx_event *events[MFX_EVENT_ANY_MAX], *event;
    size_t count;
    do {
        count = 0;
        if (stop != NULL)
            events[count++] = stop;
        for (size_t i = 0; i < t->count && count < MFX_EVENT_ANY_MAX; i++)
            if (t->tests[i].check != NULL &&
                (event = mfx_dns_list_check_pending(t->tests[i].check)) != NULL)
                events[count++] = event;
    } while (count > (stop != NULL) &&
             mfx_event_wait_any(events, count, until_ms) &&
             (stop == NULL || !mfx_event_is_set(stop)));
}

/* Under the mutex. */
static void
conclude_all(const struct testing *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct test *test = &t->tests[i];
        if (test->check != NULL)
            conclude(t->lists, test->list,
                     mfx_dns_list_check_finish(test->check), t->env);
        else if (test->list->test == MFX_DNS_LIST_TEST_NONE)
            rest(t->lists, test->list, t->env);
    }
}

void
spf_lists_test(const struct spf_lists *lists, const struct mfx_env *env)
{
    struct testing t = {.lists = lists, .env = env};
    if (lists == NULL)
        return;
    t.arena = mfx_arena_new(SCRATCH);
    if (t.arena == NULL)
        return;
    (void)pthread_mutex_lock(&lists->shared->mutex);
    bool has_any = gather(&t, UINT64_MAX);
    (void)pthread_mutex_unlock(&lists->shared->mutex);
    if (has_any) {
        begin_checks(&t);
        wait_for_checks(&t, NULL);
        (void)pthread_mutex_lock(&lists->shared->mutex);
        conclude_all(&t);
        (void)pthread_mutex_unlock(&lists->shared->mutex);
    }
    mfx_arena_free(t.arena);
}

/* --- the thread --- */

/* The mutex is held, but not while waiting. */
static void
serve(struct spf_lists_shared *shared, struct testing *t)
{
    struct spf_lists_hold *hold = shared->hold;
    struct spf_lists *lists = spf_lists_hold(t->lists);
    atomic_fetch_add(&hold->refs, 1);
    t->env = hold->source.env;
    (void)pthread_mutex_unlock(&shared->mutex);
    begin_checks(t);
    wait_for_checks(t, &shared->stop);
    (void)pthread_mutex_lock(&shared->mutex);
    if (!shared->is_stopping) /* an answer cut short says nothing */
        conclude_all(t);
    (void)pthread_mutex_unlock(&shared->mutex);
    mfx_arena_reset(t->arena); /* questions go before their resolver */
    spf_lists_hold_release(hold);
    spf_lists_release(lists);
    (void)pthread_mutex_lock(&shared->mutex);
}

/* Under the mutex. */
static void
wait_for_next(struct spf_lists_shared *shared, uint64_t now_ms)
{
    uint64_t at_ms = now_ms + IDLE_MS;
    for (size_t i = 0; i < shared->current->count; i++) {
        uint64_t due = due_ms(shared->current, &shared->current->lists[i]);
        if (!has_state_before(shared->current, i)) /* else never gathered */
            at_ms = due < at_ms ? due : at_ms;
    }
    const struct timespec at = {(time_t)(at_ms / 1000),
                                (long)(at_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(&shared->wake, &shared->mutex, &at);
}

static void *
run(void *arg)
{
    struct spf_lists_shared *shared = arg;
    struct mfx_arena *arena = mfx_arena_new(SCRATCH);
    (void)pthread_mutex_lock(&shared->mutex);
    while (!shared->is_stopping) {
        uint64_t now_ms = mfx_mono_ms();
        struct testing t = {.lists = shared->current, .arena = arena};
        if (arena != NULL && gather(&t, now_ms))
            serve(shared, &t);
        else
            wait_for_next(shared, now_ms);
        if (arena != NULL)
            mfx_arena_reset(arena);
    }
    (void)pthread_mutex_unlock(&shared->mutex);
    mfx_arena_free(arena);
    return NULL;
}

/* Signals belong to the daemon's first thread. */
bool
spf_lists_start(struct spf_lists_shared *shared)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_running = pthread_create(&shared->thread, NULL, run, shared) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_running)
        mfx_log_say(MFX_LOG_ERROR, "dns_list_error", "reason",
                    "no thread to test the lists: they stay out of use");
    return is_running;
}

void
spf_lists_stop(struct spf_lists_shared *shared)
{
    (void)pthread_mutex_lock(&shared->mutex);
    bool is_running = shared->is_running;
    shared->is_stopping = true;
    mfx_event_set(&shared->stop);
    (void)pthread_cond_signal(&shared->wake);
    (void)pthread_mutex_unlock(&shared->mutex);
    if (is_running)
        (void)pthread_join(shared->thread, NULL);
    spf_lists_hold_release(shared->hold);
    shared->hold = NULL;
    struct spf_lists *current = shared->current;
    shared->current = NULL;
    spf_lists_release(current);
}
