/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address.h>

#include "asking_impl.h"

enum {
    TELL_EVERY_MS = 60000,
};

/* --- what is counted --- */

static void
count_latency(struct spf_list_state *state, uint64_t ms)
{
    static const uint64_t ends_ms[] = {10, 30, 100, 300, 1000, 3000};
    size_t i = 0;
    while (i < SPF_LIST_LATENCY_COUNT - 1 && ms > ends_ms[i])
        i++;
    atomic_fetch_add(&state->latencies[i], 1);
    atomic_fetch_add(&state->latency_sum_ms, ms);
    uint_fast64_t max = atomic_load(&state->latency_max_ms);
    while (ms > max && !atomic_compare_exchange_weak(&state->latency_max_ms,
                                                     &max, (uint_fast64_t)ms))
        ;
}

static void
note_row(const struct spf_asking *asking, const struct spf_list *list,
         atomic_int_fast64_t *in_row, bool is_more)
{
    if (!is_more)
        atomic_store(in_row, 0);
    else if (atomic_fetch_add(in_row, 1) + 1 >= asking->lists->trouble)
        spf_lists_trigger(asking->lists, list);
}

static void
tell_error(const struct spf_asking *asking, const struct spf_ask *ask)
{
    struct spf_list_state *state = ask->list->state;
    uint64_t now_ms = asking->env->mono_ms(asking->env);
    uint_fast64_t told_ms = atomic_load(&state->told_ms);
    struct mfx_log_line line;
    char address[MFX_IP_TEXT];
    if ((told_ms != 0 && now_ms < told_ms + TELL_EVERY_MS) ||
        !atomic_compare_exchange_strong(&state->told_ms, &told_ms,
                                        (uint_fast64_t)now_ms))
        return;
    mfx_log_begin_daemon(&line, "dns_list_error");
    mfx_log_add(&line, "list", ask->list->name);
    mfx_log_add_format(&line, "reason", "%s: %s",
                       mfx_ip_format(&ask->reading.address, address),
                       ask->reading.why);
    mfx_log_end(&line, MFX_LOG_WARNING);
}

/* Of answers that are fresh. */
static void
count_answer(const struct spf_asking *asking, const struct spf_ask *ask,
             const struct mfx_dns_answer *answer)
{
    const struct spf_list *list = ask->list;
    struct spf_list_state *state = list->state;
    bool has_failed = ask->reading.what == MFX_DNS_LIST_FAILURE;
    bool is_timeout = answer->status == MFX_DNS_TIMEOUT;
    if (!has_failed) {
        count_latency(state, mfx_dns_question_took_ms(ask->question));
        note_row(asking, list, &state->listed_in_row,
                 ask->reading.what == MFX_DNS_LIST_LISTED);
    }
    if (!ask->is_given_up) /* else that has been counted */
        note_row(asking, list, &state->failed_in_row, has_failed);
    if (has_failed && !ask->is_given_up)
        atomic_fetch_add(is_timeout ? &state->timeouts : &state->failures, 1);
    if (ask->reading.what == MFX_DNS_LIST_ERROR) {
        atomic_fetch_add(&state->errors, 1);
        tell_error(asking, ask);
        spf_lists_trigger(asking->lists, list);
    }
}

static void
give_up(const struct spf_asking *asking, struct spf_ask *ask)
{
    ask->is_given_up = true;
    atomic_fetch_add(&ask->list->state->timeouts, 1);
    note_row(asking, ask->list, &ask->list->state->failed_in_row, true);
}

/* --- answers --- */

static void
take_hits(struct spf_asking *asking, struct spf_ask *ask,
          const struct mfx_dns_answer *answer)
{
    const struct mfx_dns_list_rules *rules = &ask->list->rules;
    ask->hits = mfx_arena_alloc_array(asking->arena, rules->site_count,
                                      sizeof *ask->hits);
    for (size_t i = 0; ask->hits != NULL && i < rules->site_count; i++) {
        const struct mfx_ip *ip =
            mfx_dns_list_site_hit(&rules->sites[i], answer);
        if (ip != NULL)
            ask->hits[i] = *ip;
    }
}

static bool
is_hit_by(const struct mfx_dns_list_rules *rules,
          const struct mfx_dns_answer *answer)
{
    for (size_t i = 0; i < rules->site_count; i++)
        if (mfx_dns_list_site_hit(&rules->sites[i], answer) != NULL)
            return true;
    return false;
}

static void
read_answer(struct spf_ask *ask, const struct mfx_dns_answer *answer)
{
    const struct spf_list *list = ask->list;
    struct spf_list_state *state = list->state;
    ask->is_done = true;
    ask->is_authentic = answer->is_authentic;
    mfx_dns_list_read(&list->rules, answer, &ask->reading);
    ask->is_hit = ask->reading.what == MFX_DNS_LIST_LISTED &&
                  is_hit_by(&list->rules, answer);
    if (ask->is_hit)
        atomic_fetch_add(
            spf_list_counts(list) ? &state->hits : &state->shadow_hits, 1);
}

/* A refusal may have to say what this list says, or a field. */
static bool
needs_txt(const struct spf_ask *ask)
{
    const struct mfx_dns_list_rules *rules = &ask->list->rules;
    if (!ask->list->wants_txt || ask->list->is_dnswl)
        return ask->list->wants_txt;
    for (size_t i = 0; ask->hits != NULL && i < rules->site_count; i++)
        if (ask->hits[i].family != MFX_IP_NONE && rules->sites[i].weight > 0)
            return spf_list_counts(ask->list);
    return false;
}

static void
take_answer(struct spf_asking *asking, struct spf_ask *ask,
            const struct mfx_dns_answer *answer)
{
    read_answer(ask, answer);
    if (!ask->is_hit)
        return;
    take_hits(asking, ask, answer);
    if (needs_txt(ask))
        ask->txt_question =
            mfx_dns_ask(asking->env->resolver,
                        mfx_dns_list_name_str(&ask->name), MFX_DNS_TXT);
}

/* Of a fresh answer, what is for others. */
static void
pass_on(struct spf_asking *asking, struct spf_ask *ask,
        const struct mfx_dns_answer *answer)
{
    count_answer(asking, ask, answer);
    if (ask->reading.what == MFX_DNS_LIST_LISTED ||
        ask->reading.what == MFX_DNS_LIST_NOT_LISTED)
        mfx_dns_list_cache_put(asking->lists->cache, &ask->name, ask->epoch,
                               answer, asking->env->mono_ms(asking->env));
}

static void
take_fresh(struct spf_asking *asking, struct spf_ask *ask)
{
    const struct mfx_dns_answer *answer =
        mfx_dns_question_answer(ask->question);
    take_answer(asking, ask, answer);
    pass_on(asking, ask, answer);
}

static void
take_txt(const struct spf_asking *asking, struct spf_ask *ask)
{
    const struct mfx_dns_answer *answer =
        mfx_dns_question_answer(ask->txt_question);
    ask->is_txt_done = true;
    for (size_t i = 0; i < answer->count && ask->txt.len == 0; i++)
        ask->txt =
            spf_list_clean(ask->list, answer->records[i].text, asking->arena);
}

static bool
is_answered(struct mfx_dns_question *question)
{
    return question != NULL &&
           mfx_event_is_set(mfx_dns_question_event(question));
}

static void
harvest_ask(struct spf_asking *asking, struct spf_ask *ask, uint64_t now_ms)
{
    if (!ask->is_done && is_answered(ask->question))
        take_fresh(asking, ask);
    if (spf_ask_is_out(ask) &&
        now_ms >= ask->asked_ms + asking->lists->timeout_ms)
        give_up(asking, ask);
    if (!ask->is_txt_done && is_answered(ask->txt_question))
        take_txt(asking, ask);
}

void
spf_asking_harvest(struct spf_asking *asking)
{
    uint64_t now_ms = asking->env->mono_ms(asking->env);
    if (asking->connection != NULL)
        spf_asking_harvest(asking->connection);
    for (size_t i = 0; i < asking->lists->count; i++)
        for (struct spf_ask *a = asking->asks[i]; a != NULL; a = a->next)
            harvest_ask(asking, a, now_ms);
}

/* --- which asks count --- */

/* What a message adds for a key takes the place of what its connection has. */
static struct spf_ask *
skip_superseded(const struct spf_asking *asking, struct spf_ask *ask,
                bool is_connections)
{
    while (ask != NULL &&
           (ask->is_superseded ||
            (is_connections && asking->subjects[ask->key].is_set)))
        ask = ask->next;
    return ask;
}

struct spf_ask *
spf_asking_first(const struct spf_asking *asking, size_t list)
{
    struct spf_ask *ask = NULL;
    if (asking->connection != NULL)
        ask = skip_superseded(asking, asking->connection->asks[list], true);
    return ask != NULL ? ask
                       : skip_superseded(asking, asking->asks[list], false);
}

static bool
is_own(const struct spf_asking *asking, size_t list, const struct spf_ask *ask)
{
    const struct spf_ask *a = asking->asks[list];
    while (a != NULL && a != ask)
        a = a->next;
    return a != NULL;
}

struct spf_ask *
spf_asking_next(const struct spf_asking *asking, size_t list,
                struct spf_ask *ask)
{
    if (asking->connection == NULL || is_own(asking, list, ask))
        return skip_superseded(asking, ask->next, false);
    struct spf_ask *next = skip_superseded(asking, ask->next, true);
    return next != NULL ? next
                        : skip_superseded(asking, asking->asks[list], false);
}

/* --- asking --- */

static bool
make_hash_name(const struct spf_list *list, enum spf_list_key key,
               struct mfx_str text, struct mfx_dns_list_name *name)
{
    char label[SPF_LIST_LABEL_MAX];
    bool is_address = key == SPF_LIST_SENDER || key == SPF_LIST_FROM;
    size_t at = mfx_str_find_last(text, '@');
    if (text.len == 0 || (is_address && (at == 0 || at + 1 >= text.len)))
        return false;
    if (!is_address && text.p[text.len - 1] == '.')
        text.len--;
    return mfx_dns_list_name_make(
        spf_list_label(list->digest, list->encoding, text, label), list->zone,
        name);
}

static bool
make_name(const struct spf_list *list, enum spf_list_key key,
          const struct spf_subject *subject, struct mfx_dns_list_name *name)
{
    switch (list->type) {
    case MFX_DNS_LIST_TYPE_ADDRESS:
        return (subject->ip.family != MFX_IP_V6 || list->has_ipv6) &&
               mfx_dns_list_address_name(&subject->ip, list->zone, name);
    case MFX_DNS_LIST_TYPE_DOMAIN:
        return mfx_dns_list_domain_name(subject->name, list->zone, name);
    case MFX_DNS_LIST_TYPE_HASH:
        return make_hash_name(list, key, subject->name, name);
    }
    return false;
}

static void
start(struct spf_asking *asking, struct spf_ask *ask)
{
    struct mfx_dns_list_kept *kept = mfx_dns_list_cache_get(
        asking->lists->cache, &ask->name, ask->epoch, ask->asked_ms);
    if (kept != NULL) {
        atomic_fetch_add(&ask->list->state->cached, 1);
        take_answer(asking, ask, mfx_dns_list_kept_answer(kept));
        mfx_dns_list_kept_release(kept);
        return;
    }
    atomic_fetch_add(&ask->list->state->asked, 1);
    ask->question = mfx_dns_ask(asking->env->resolver,
                                mfx_dns_list_name_str(&ask->name), MFX_DNS_A);
    if (ask->question == NULL)
        take_fresh(asking, ask);
}

static bool
is_asked(const struct spf_asking *asking, size_t list,
         const struct mfx_dns_list_name *name)
{
    struct spf_ask *a = spf_asking_first(asking, list);
    for (; a != NULL; a = spf_asking_next(asking, list, a))
        if (mfx_str_eq(mfx_dns_list_name_str(&a->name),
                       mfx_dns_list_name_str(name)))
            return true;
    return false;
}

static void
ask_list(struct spf_asking *asking, size_t at, enum spf_list_key key)
{
    const struct spf_list *list = &asking->lists->lists[at];
    const struct spf_subject *subject = &asking->subjects[key];
    struct mfx_dns_list_name name;
    if (!list->keys[key] || spf_list_use_of(list) == SPF_LIST_OUT ||
        !make_name(list, key, subject, &name) || is_asked(asking, at, &name))
        return;
    struct spf_ask *ask = mfx_arena_alloc(asking->arena, sizeof *ask);
    struct spf_ask **last = &asking->asks[at];
    if (ask == NULL)
        return;
    while (*last != NULL)
        last = &(*last)->next;
    ask->list = list;
    ask->key = key;
    ask->what = subject->name;
    ask->name = name;
    ask->asked_ms = asking->env->mono_ms(asking->env);
    ask->epoch = atomic_load(&list->state->epoch);
    *last = ask;
    start(asking, ask);
}

static bool
is_same(const struct spf_subject *subject, struct mfx_str name,
        const struct mfx_ip *ip)
{
    return subject->is_set && mfx_str_eq(subject->name, name) &&
           mfx_ip_eq(&subject->ip, ip);
}

static void
supersede(struct spf_asking *asking, enum spf_list_key key)
{
    for (size_t i = 0; i < asking->lists->count; i++)
        for (struct spf_ask *a = asking->asks[i]; a != NULL; a = a->next)
            if (a->key == key)
                a->is_superseded = true;
}

/* A domain with U-labels as DNS has it; what has no such form is not asked. */
static struct mfx_str
askable(const struct spf_asking *asking, enum spf_list_key key,
        struct mfx_str name)
{
    struct mfx_str ascii = name;
    bool is_domain = key != SPF_LIST_SENDER && key != SPF_LIST_FROM;
    if (is_domain && !mfx_str_is_ascii(name) &&
        mfx_domain_to_ascii(name, asking->arena, &ascii) != MFX_OK)
        return name;
    return ascii;
}

void
spf_asking_add(struct spf_asking *asking, enum spf_list_key key,
               struct mfx_str name, const struct mfx_ip *ip)
{
    static const struct mfx_ip none = {.family = MFX_IP_NONE};
    struct spf_subject *subject = &asking->subjects[key];
    char text[MFX_IP_TEXT];
    bool is_client = key == SPF_LIST_CLIENT;
    const struct mfx_ip *address = is_client && ip != NULL ? ip : &none;
    if (is_client)
        name = mfx_str_of(mfx_ip_format(address, text));
    if (!asking->lists->wants[key])
        return;
    name = askable(asking, key, name);
    if (is_same(subject, name, address))
        return;
    if (subject->is_set)
        supersede(asking, key);
    subject->is_set = true;
    subject->ip = *address;
    subject->name = mfx_arena_copy(asking->arena, name);
    for (size_t i = 0; subject->name.p != NULL && i < asking->lists->count; i++)
        ask_list(asking, i, key);
}

/* --- begin and end --- */

/* Answers that nobody waited for are counted, too. */
static void
end_ask(struct spf_asking *asking, struct spf_ask *ask)
{
    if (!ask->is_done && is_answered(ask->question)) {
        const struct mfx_dns_answer *answer =
            mfx_dns_question_answer(ask->question);
        read_answer(ask, answer);
        pass_on(asking, ask, answer);
    }
    mfx_dns_question_release(ask->question);
    mfx_dns_question_release(ask->txt_question);
}

static void
release(void *arg)
{
    struct spf_asking *asking = arg;
    struct spf_lists *lists = (struct spf_lists *)asking->lists;
    for (size_t i = 0; i < lists->count; i++) {
        for (struct spf_ask *a = asking->asks[i]; a != NULL; a = a->next)
            end_ask(asking, a);
        if (asking->is_scored && asking->decided[i])
            atomic_fetch_add(&lists->lists[i].state->decided, 1);
        if (asking->is_scored && asking->alone[i])
            atomic_fetch_add(&lists->lists[i].state->alone, 1);
    }
    spf_lists_release(lists);
}

struct spf_asking *
spf_asking_begin(const struct spf_lists *lists, const struct mfx_env *env,
                 struct mfx_arena *arena, struct spf_asking *connection)
{
    struct spf_asking *asking = mfx_arena_alloc(arena, sizeof *asking);
    if (asking == NULL)
        return NULL;
    asking->lists = spf_lists_hold(lists);
    asking->env = env;
    asking->arena = arena;
    asking->asks =
        mfx_arena_alloc_array(arena, lists->count, sizeof(struct spf_ask *));
    asking->decided = mfx_arena_alloc_array(arena, lists->count, sizeof(bool));
    asking->alone = mfx_arena_alloc_array(arena, lists->count, sizeof(bool));
    if (!mfx_arena_ok(arena)) {
        spf_lists_release((struct spf_lists *)lists);
        return NULL;
    }
    if (!mfx_arena_defer(arena, release, asking))
        return NULL;
    if (connection != NULL && connection->lists == lists)
        asking->connection = connection;
    for (int k = 0; connection != NULL && asking->connection == NULL &&
                    k < SPF_LIST_KEY_COUNT;
         k++)
        if (connection->subjects[k].is_set)
            spf_asking_add(asking, (enum spf_list_key)k,
                           connection->subjects[k].name,
                           &connection->subjects[k].ip);
    return asking;
}

/* --- waiting --- */

static size_t
add_event(struct mfx_event **events, size_t count, size_t max,
          struct mfx_dns_question *question)
{
    if (count < max && question != NULL)
        events[count++] = mfx_dns_question_event(question);
    return count;
}

static bool
is_txt_out(const struct spf_asking *asking, const struct spf_ask *ask)
{
    return ask != NULL && ask->txt_question != NULL && !ask->is_txt_done &&
           asking->env->mono_ms(asking->env) <
               ask->asked_ms + asking->lists->timeout_ms;
}

/* Of the lists that are waited for. */
static size_t
add_events(const struct spf_asking *asking, struct mfx_event **events,
           size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < asking->lists->count; i++) {
        struct spf_ask *a = spf_asking_first(asking, i);
        if (!spf_list_counts(&asking->lists->lists[i]))
            continue;
        for (; a != NULL; a = spf_asking_next(asking, i, a))
            if (spf_ask_is_out(a))
                count = add_event(events, count, max, a->question);
    }
    return count;
}

size_t
spf_asking_pending(struct spf_asking *asking, struct mfx_event **events,
                   size_t max)
{
    spf_asking_harvest(asking);
    struct spf_sums sums = spf_asking_sums(asking);
    if (!spf_sums_are_decided(asking->lists, &sums))
        return add_events(asking, events, max);
    if (spf_sums_action(asking->lists, &sums) < SPF_LISTS_TEMPFAIL)
        return 0;
    struct spf_ask *leader = spf_asking_leader(asking);
    return is_txt_out(asking, leader)
               ? add_event(events, 0, max, leader->txt_question)
               : 0;
}

uint64_t
spf_asking_deadline_ms(const struct spf_asking *asking)
{
    uint64_t first_ms = UINT64_MAX - asking->lists->timeout_ms;
    for (size_t i = 0; i < asking->lists->count; i++) {
        struct spf_ask *a = spf_asking_first(asking, i);
        for (; a != NULL; a = spf_asking_next(asking, i, a))
            if ((spf_ask_is_out(a) || is_txt_out(asking, a)) &&
                a->asked_ms < first_ms)
                first_ms = a->asked_ms;
    }
    return first_ms + asking->lists->timeout_ms;
}
