/* SPDX-License-Identifier: BSD-2-Clause */
#include "asking_impl.h"

#include <stdlib.h>

const char *
spf_list_action_name(enum spf_list_action action)
{
    static const char *const names[] = {
        [SPF_LISTS_ALLOW] = "allow",   [SPF_LISTS_NONE] = "none",
        [SPF_LISTS_TAG] = "tag",       [SPF_LISTS_TEMPFAIL] = "tempfail",
        [SPF_LISTS_REJECT] = "reject",
    };
    return names[action];
}

const char *
spf_dnswl_result_name(enum spf_dnswl_result result)
{
    static const char *const names[] = {
        [SPF_DNSWL_NONE] = "none",
        [SPF_DNSWL_PASS] = "pass",
        [SPF_DNSWL_TEMPERROR] = "temperror",
        [SPF_DNSWL_PERMERROR] = "permerror",
    };
    return names[result];
}

/* --- sums --- */

const struct spf_ask *
spf_asking_hit(const struct spf_asking *asking, size_t list, size_t site)
{
    struct spf_ask *a = spf_asking_first(asking, list);
    for (; a != NULL; a = spf_asking_next(asking, list, a))
        if (a->hits != NULL && a->hits[site].family != MFX_IP_NONE)
            return a;
    return NULL;
}

static bool
has_failed(const struct spf_ask *ask)
{
    return ask->is_done ? ask->reading.what == MFX_DNS_LIST_FAILURE ||
                              ask->reading.what == MFX_DNS_LIST_ERROR
                        : ask->is_given_up;
}

static void
add_list(const struct spf_asking *asking, size_t at, struct spf_sums *sums)
{
    const struct mfx_dns_list_rules *rules = &asking->lists->lists[at].rules;
    bool is_out = false, is_missing = false;
    struct spf_ask *a = spf_asking_first(asking, at);
    for (; a != NULL; a = spf_asking_next(asking, at, a)) {
        is_out |= spf_ask_is_out(a);
        is_missing |= has_failed(a);
    }
    for (size_t i = 0; i < rules->site_count; i++) {
        int weight = rules->sites[i].weight;
        if (spf_asking_hit(asking, at, i) != NULL)
            sums->score += weight;
        else if (is_out && weight > 0)
            sums->most += weight;
        else if (is_out)
            sums->least += weight;
        else if (is_missing && weight < 0)
            sums->failed += weight;
    }
}

struct spf_sums
spf_asking_sums(const struct spf_asking *asking)
{
    struct spf_sums sums = {0};
    for (size_t i = 0; i < asking->lists->count; i++)
        if (spf_list_counts(&asking->lists->lists[i]))
            add_list(asking, i, &sums);
    return sums;
}

enum spf_list_action
spf_lists_action(const struct spf_lists *l, int64_t score)
{
    if (l->reject_at > 0 && score >= l->reject_at)
        return SPF_LISTS_REJECT;
    if (l->tempfail_at > 0 && score >= l->tempfail_at)
        return SPF_LISTS_TEMPFAIL;
    if (l->tag_at > 0 && score >= l->tag_at)
        return SPF_LISTS_TAG;
    return l->allow_at < 0 && score <= l->allow_at ? SPF_LISTS_ALLOW
                                                   : SPF_LISTS_NONE;
}

/* An allow list that did not answer might have prevented it. */
static bool
is_rash(const struct spf_lists *lists, const struct spf_sums *sums)
{
    return spf_lists_action(lists, sums->score) == SPF_LISTS_REJECT &&
           spf_lists_action(lists, sums->score + sums->failed + sums->least) <
               SPF_LISTS_REJECT;
}

enum spf_list_action
spf_sums_action(const struct spf_lists *lists, const struct spf_sums *sums)
{
    return is_rash(lists, sums) ? SPF_LISTS_TEMPFAIL
                                : spf_lists_action(lists, sums->score);
}

bool
spf_sums_are_decided(const struct spf_lists *lists, const struct spf_sums *sums)
{
    enum spf_list_action worst =
        spf_lists_action(lists, sums->score + sums->most);
    int64_t best = sums->score + sums->least;
    if (sums->most == 0 && sums->least == 0)
        return true;
    if (worst == SPF_LISTS_REJECT)
        best += sums->failed;
    return spf_lists_action(lists, best) == worst;
}

/* --- what it is said to be --- */

static int
weight_of(const struct spf_asking *asking, size_t list)
{
    const struct mfx_dns_list_rules *rules = &asking->lists->lists[list].rules;
    int weight = 0;
    for (size_t i = 0; i < rules->site_count; i++)
        if (spf_asking_hit(asking, list, i) != NULL)
            weight += rules->sites[i].weight;
    return weight;
}

/* The site that weighs most of those that hit. SIZE_MAX: none does. */
static size_t
heaviest_site(const struct spf_asking *asking, size_t list)
{
    const struct mfx_dns_list_rules *rules = &asking->lists->lists[list].rules;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < rules->site_count; i++)
        if (spf_asking_hit(asking, list, i) != NULL &&
            (best == SIZE_MAX ||
             abs(rules->sites[i].weight) > abs(rules->sites[best].weight)))
            best = i;
    return best;
}

struct spf_ask *
spf_asking_leader(const struct spf_asking *asking)
{
    const struct spf_ask *leader = NULL;
    int most = 0;
    for (size_t i = 0; i < asking->lists->count; i++) {
        size_t site = heaviest_site(asking, i);
        if (site == SIZE_MAX || !spf_list_counts(&asking->lists->lists[i]))
            continue;
        int weight = weight_of(asking, i);
        if (leader == NULL || weight > most) {
            leader = spf_asking_hit(asking, i, site);
            most = weight;
        }
    }
    return (struct spf_ask *)leader;
}

static void
put_hit(const struct spf_asking *asking, size_t at, struct spf_list_hit *hits,
        size_t *count)
{
    const struct spf_list *list = &asking->lists->lists[at];
    size_t site = heaviest_site(asking, at), to = *count;
    if (site == SIZE_MAX)
        return;
    const struct spf_ask *ask = spf_asking_hit(asking, at, site);
    const struct spf_list_hit hit = {
        .list = list->name,
        .key = ask->key,
        .what = ask->what,
        .address = ask->hits[site],
        .filter = list->rules.sites[site].filter_text,
        .weight = weight_of(asking, at),
        .is_shadow = !spf_list_counts(list),
        .txt = ask->txt,
        .text = list->text,
    };
    for (; to > 0 && (hits[to - 1].is_shadow > hit.is_shadow ||
                      (hits[to - 1].is_shadow == hit.is_shadow &&
                       hits[to - 1].weight < hit.weight));
         to--)
        hits[to] = hits[to - 1];
    hits[to] = hit;
    (*count)++;
}

static void
put_troubles(const struct spf_asking *asking, size_t at,
             struct spf_list_trouble *troubles, struct spf_score *score)
{
    struct spf_ask *a = spf_asking_first(asking, at);
    for (; a != NULL; a = spf_asking_next(asking, at, a)) {
        if (spf_ask_is_out(a))
            score->unanswered++;
        if (!has_failed(a))
            continue;
        troubles[score->trouble_count++] = (struct spf_list_trouble){
            .list = a->list->name,
            .key = a->key,
            .is_error = a->is_done && a->reading.what == MFX_DNS_LIST_ERROR,
            .why = a->is_done ? a->reading.why : "no answer in time",
        };
    }
}

static void
put_dnswl(const struct spf_asking *asking, size_t at, struct spf_dnswl *facts,
          struct spf_score *score)
{
    const struct spf_list *list = &asking->lists->lists[at];
    struct spf_ask *ask = spf_asking_first(asking, at);
    size_t site = heaviest_site(asking, at);
    if (!list->is_dnswl || ask == NULL)
        return;
    struct spf_dnswl *fact = &facts[score->dnswl_count++];
    *fact = (struct spf_dnswl){
        .result = SPF_DNSWL_TEMPERROR, .zone = list->name, .sec = "na"};
    if (!ask->is_done || spf_list_use_of(list) != SPF_LIST_IN_USE)
        return;
    if (asking->lists->ad_is_trusted)
        fact->sec = ask->is_authentic ? "yes" : "no";
    if (site != SIZE_MAX) {
        fact->result = SPF_DNSWL_PASS;
        fact->address = ask->hits[site];
        fact->txt = ask->txt;
    } else if (ask->reading.what == MFX_DNS_LIST_ERROR) {
        fact->result = SPF_DNSWL_PERMERROR;
    } else if (ask->reading.what != MFX_DNS_LIST_FAILURE) {
        fact->result = SPF_DNSWL_NONE;
    }
}

/* For the counters: which lists made the difference, which stood alone. */
static void
judge_lists(struct spf_asking *asking, const struct spf_score *score)
{
    const struct spf_lists *lists = asking->lists;
    size_t listing = 0, last = 0;
    for (size_t i = 0; i < lists->count; i++) {
        bool counts = spf_list_counts(&lists->lists[i]);
        int weight = counts ? weight_of(asking, i) : 0;
        asking->alone[i] = false;
        asking->decided[i] =
            weight != 0 && spf_lists_action(lists, score->score - weight) !=
                               spf_lists_action(lists, score->score);
        if (weight > 0) {
            listing++;
            last = i;
        }
    }
    if (listing == 1)
        asking->alone[last] = true;
}

static size_t
count_asks(const struct spf_asking *asking)
{
    size_t count = 0;
    for (size_t i = 0; i < asking->lists->count; i++) {
        struct spf_ask *a = spf_asking_first(asking, i);
        for (; a != NULL; a = spf_asking_next(asking, i, a))
            count++;
    }
    return count;
}

static const char *
reason_of(const struct spf_asking *asking, const struct spf_sums *sums,
          enum spf_list_action action)
{
    switch (action) {
    case SPF_LISTS_ALLOW:
        return "in allow lists";
    case SPF_LISTS_NONE:
        break;
    case SPF_LISTS_TAG:
    case SPF_LISTS_REJECT:
        return "in DNS lists";
    case SPF_LISTS_TEMPFAIL:
        return is_rash(asking->lists, sums)
                   ? "in DNS lists, and an allow list did not answer"
                   : "in DNS lists";
    }
    return "";
}

const struct spf_score *
spf_asking_finish(struct spf_asking *asking)
{
    struct spf_score *score = &asking->score;
    spf_asking_harvest(asking);
    size_t asks = count_asks(asking) + 1;
    struct spf_list_hit *hits =
        mfx_arena_alloc_array(asking->arena, asks, sizeof *hits);
    struct spf_list_trouble *troubles =
        mfx_arena_alloc_array(asking->arena, asks, sizeof *troubles);
    struct spf_dnswl *facts =
        mfx_arena_alloc_array(asking->arena, asks, sizeof *facts);
    const struct spf_sums sums = spf_asking_sums(asking);
    *score = (struct spf_score){.score = sums.score,
                                .action = spf_sums_action(asking->lists, &sums),
                                .hits = hits,
                                .troubles = troubles,
                                .dnswl = facts};
    score->reason = reason_of(asking, &sums, score->action);
    for (size_t i = 0; facts != NULL && hits != NULL && troubles != NULL &&
                       i < asking->lists->count;
         i++) {
        put_hit(asking, i, hits, &score->hit_count);
        put_troubles(asking, i, troubles, score);
        put_dnswl(asking, i, facts, score);
    }
    judge_lists(asking, score);
    asking->is_scored = true;
    return score;
}
