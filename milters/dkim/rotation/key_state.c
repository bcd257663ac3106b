/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_state.h"

const char *
dkim_key_state_name(enum dkim_key_state state)
{
    static const char *const names[] = {
        [DKIM_KEY_NEW] = "new",
        [DKIM_KEY_PUBLISHED] = "published",
        [DKIM_KEY_ACTIVE] = "active",
        [DKIM_KEY_RETIRED] = "retired",
        [DKIM_KEY_WITHDRAWN] = "withdrawn",
    };
    return names[state];
}

const char *
dkim_in_dns_name(enum dkim_in_dns in_dns)
{
    static const char *const names[] = {
        [DKIM_IN_DNS_UNKNOWN] = "unknown", [DKIM_IN_DNS_ALL] = "all",
        [DKIM_IN_DNS_SOME] = "some",       [DKIM_IN_DNS_NONE] = "none",
        [DKIM_IN_DNS_REVOKED] = "revoked", [DKIM_IN_DNS_OTHER] = "other",
    };
    return names[in_dns];
}

const char *
dkim_key_reason_name(enum dkim_key_reason reason)
{
    static const char *const names[] = {
        [DKIM_KEY_IS_ESTABLISHED] = "established",
        [DKIM_KEY_IS_PUBLISHED] = "published",
        [DKIM_KEY_NOT_REQUIRED] = "not-required",
        [DKIM_KEY_ONLY_ONE] = "only-one",
        [DKIM_KEY_FALLBACK] = "fallback",
        [DKIM_KEY_OLDER_SIGNS_ON] = "older-signs-on",
        [DKIM_KEY_NOT_BEFORE] = "not-before",
        [DKIM_KEY_NOT_LOOKED] = "not-looked",
        [DKIM_KEY_NOT_EVERYWHERE] = "not-everywhere",
        [DKIM_KEY_NOT_THERE] = "not-there",
        [DKIM_KEY_RECORD_DIFFERS] = "record-differs",
        [DKIM_KEY_WAITS_TTL] = "waits-ttl",
        [DKIM_KEY_WAS_REPLACED] = "replaced",
        [DKIM_KEY_CARD_RETIRED] = "card-retired",
        [DKIM_KEY_LOST_RECORD] = "lost-record",
        [DKIM_KEY_UNUSABLE] = "unusable",
    };
    return names[reason];
}

const char *
dkim_key_next_name(enum dkim_key_next next)
{
    static const char *const names[] = {
        [DKIM_KEY_NEXT_NOTHING] = "nothing",
        [DKIM_KEY_NEXT_PUBLISH] = "publish",
        [DKIM_KEY_NEXT_CORRECT] = "correct",
        [DKIM_KEY_NEXT_WAIT] = "wait",
        [DKIM_KEY_NEXT_KEEP] = "keep",
        [DKIM_KEY_NEXT_WITHDRAW] = "withdraw",
        [DKIM_KEY_NEXT_REMOVE] = "remove",
        [DKIM_KEY_NEXT_MEND_FILE] = "mend-file",
    };
    return names[next];
}

/* --- a line of keys, while it is decided about --- */

struct line {
    const struct dkim_key_policy *policy;
    const struct dkim_key_facts *keys;
    size_t count;
    uint64_t now_s;
};

/* How bad it is to sign with this key, for all that DNS has shown. */
enum harm {
    HARM_NONE,
    HARM_NOT_KNOWN, /* nobody looked, or a server was silent */
    HARM_SOMEWHERE, /* a server lacks it */
    HARM_SURE,      /* no server has it */
};

static enum harm
harm_of(const struct line *line, const struct dkim_key_facts *k)
{
    if (line->policy->require == DKIM_REQUIRE_NEVER)
        return HARM_NONE;
    switch (k->in_dns) {
    case DKIM_IN_DNS_ALL:
        return HARM_NONE;
    case DKIM_IN_DNS_UNKNOWN:
        return HARM_NOT_KNOWN;
    case DKIM_IN_DNS_SOME:
        return k->is_lacking ? HARM_SOMEWHERE : HARM_NOT_KNOWN;
    case DKIM_IN_DNS_NONE:
    case DKIM_IN_DNS_REVOKED:
    case DKIM_IN_DNS_OTHER:
        return HARM_SURE;
    }
    return HARM_NOT_KNOWN;
}

static bool
is_lost(const struct line *line, const struct dkim_key_facts *k)
{
    return harm_of(line, k) > HARM_NOT_KNOWN;
}

/* May it sign at all, published or not? */
static bool
is_allowed(const struct line *line, const struct dkim_key_facts *k)
{
    return k->is_usable && k->not_before_s <= line->now_s;
}

static bool
is_card_retired(const struct line *line, const struct dkim_key_facts *k)
{
    return k->card_retired_s != 0 && k->card_retired_s <= line->now_s;
}

/* Must it be published first? */
static bool
is_gated(const struct line *line, const struct dkim_key_facts *k)
{
    switch (line->policy->require) {
    case DKIM_REQUIRE_NEVER:
        return false;
    case DKIM_REQUIRE_ALWAYS:
        return k->is_replacing || k->has_card;
    case DKIM_REQUIRE_REPLACING:
        return k->is_replacing;
    }
    return true;
}

static uint64_t
ripe_at(const struct dkim_key_facts *k)
{
    return k->published_since_s + k->wait_s;
}

/* All servers have it, and nobody can remember a time when they had not. */
static bool
is_ripe(const struct dkim_key_facts *k)
{
    return k->in_dns == DKIM_IN_DNS_ALL && k->published_since_s != 0 &&
           k->looked_s >= ripe_at(k);
}

/* No older key can sign without harm: nothing is gained by waiting. */
static bool
has_no_older(const struct line *line, size_t i)
{
    while (i-- > 0) {
        const struct dkim_key_facts *k = &line->keys[i];
        if (is_allowed(line, k) && harm_of(line, k) != HARM_SURE)
            return false;
    }
    return true;
}

static bool
is_proven(const struct line *line, size_t i)
{
    const struct dkim_key_facts *k = &line->keys[i];
    return !is_gated(line, k) || k->active_since_s != 0 ||
           k->retired_since_s != 0 || is_ripe(k) ||
           (k->in_dns == DKIM_IN_DNS_ALL && has_no_older(line, i));
}

/* What a key would be chosen for, the best first. */
enum grade {
    GRADE_GOOD,         /* the newest of these signs */
    GRADE_CARD_RETIRED, /* published, though its card retires it */
    GRADE_LOST_PARTLY,  /* was active; some servers have it */
    GRADE_LOST,         /* was active; none has it */
    GRADE_UNPROVEN,     /* never was active: better than unsigned mail */
    GRADE_UNPROVEN_RETIRED,
    GRADE_NEVER,
};

static enum grade
grade_of(const struct line *line, size_t i)
{
    const struct dkim_key_facts *k = &line->keys[i];
    enum harm harm = harm_of(line, k);
    if (!is_allowed(line, k))
        return GRADE_NEVER;
    if (is_card_retired(line, k))
        return harm == HARM_NONE ? GRADE_CARD_RETIRED : GRADE_UNPROVEN_RETIRED;
    if (!is_proven(line, i))
        return line->policy->require == DKIM_REQUIRE_ALWAYS ? GRADE_NEVER
                                                            : GRADE_UNPROVEN;
    if (harm == HARM_SURE)
        return GRADE_LOST;
    return harm == HARM_SOMEWHERE ? GRADE_LOST_PARTLY : GRADE_GOOD;
}

static size_t
choose(const struct line *line, enum grade *grade)
{
    size_t chosen = DKIM_KEY_STATE_NONE;
    *grade = GRADE_NEVER;
    for (size_t i = line->count; i-- > 0;) {
        enum grade g = grade_of(line, i);
        if (g < *grade) {
            *grade = g;
            chosen = i;
        }
    }
    return chosen;
}

/* --- what to say of each --- */

static bool
has_newer(const struct line *line, size_t i, bool lost)
{
    for (size_t j = i + 1; j < line->count; j++)
        if (lost ? line->keys[j].lost_since_s != 0
                 : !is_card_retired(line, &line->keys[j]))
            return true;
    return false;
}

static enum dkim_key_next
next_for_lost(const struct dkim_key_facts *k)
{
    return k->in_dns == DKIM_IN_DNS_NONE || k->in_dns == DKIM_IN_DNS_SOME
               ? DKIM_KEY_NEXT_PUBLISH
               : DKIM_KEY_NEXT_CORRECT;
}

static void
judge_active(const struct line *line, size_t i, enum grade grade,
             struct dkim_key_verdict *v)
{
    const struct dkim_key_facts *k = &line->keys[i];
    v->state = DKIM_KEY_ACTIVE;
    v->next = DKIM_KEY_NEXT_NOTHING;
    if (is_lost(line, k)) {
        v->reason = DKIM_KEY_LOST_RECORD;
        v->next = next_for_lost(k);
        v->is_alarm = true;
    } else if (grade >= GRADE_UNPROVEN) {
        v->reason = DKIM_KEY_ONLY_ONE;
        v->is_alarm = k->in_dns != DKIM_IN_DNS_ALL;
    } else if (has_newer(line, i, true)) {
        v->reason = DKIM_KEY_FALLBACK;
    } else if (has_newer(line, i, false)) {
        v->reason = DKIM_KEY_OLDER_SIGNS_ON;
    } else if (line->policy->require == DKIM_REQUIRE_NEVER) {
        v->reason = DKIM_KEY_NOT_REQUIRED;
    } else if (k->in_dns == DKIM_IN_DNS_ALL || is_gated(line, k)) {
        v->reason = DKIM_KEY_IS_PUBLISHED;
    } else {
        v->reason = DKIM_KEY_IS_ESTABLISHED;
    }
}

static void
judge_retired(const struct line *line, size_t i, struct dkim_key_verdict *v)
{
    const struct dkim_key_facts *k = &line->keys[i];
    uint64_t until_s =
        k->retired_since_s == 0 ? line->now_s : k->retired_since_s;
    until_s += line->policy->queue_life_s;
    bool is_over = until_s <= line->now_s;
    bool is_gone =
        k->in_dns == DKIM_IN_DNS_NONE || k->in_dns == DKIM_IN_DNS_REVOKED;
    v->state = is_gone ? DKIM_KEY_WITHDRAWN : DKIM_KEY_RETIRED;
    v->reason = is_card_retired(line, k) ? DKIM_KEY_CARD_RETIRED
                                         : DKIM_KEY_WAS_REPLACED;
    if (is_gone)
        v->next = is_over ? DKIM_KEY_NEXT_REMOVE : DKIM_KEY_NEXT_NOTHING;
    else
        v->next = is_over ? DKIM_KEY_NEXT_WITHDRAW : DKIM_KEY_NEXT_KEEP;
    if (v->next == DKIM_KEY_NEXT_KEEP)
        v->when_s = until_s;
}

/* All servers have it, or need not. */
static void
judge_published(const struct line *line, const struct dkim_key_facts *k,
                struct dkim_key_verdict *v)
{
    bool is_looked_at = k->in_dns == DKIM_IN_DNS_ALL;
    uint64_t ripe_s = is_looked_at ? ripe_at(k) : 0;
    bool is_early = k->not_before_s > line->now_s;
    v->state = is_looked_at ? DKIM_KEY_PUBLISHED : DKIM_KEY_NEW;
    v->next = DKIM_KEY_NEXT_WAIT;
    v->reason = is_early && k->not_before_s >= ripe_s ? DKIM_KEY_NOT_BEFORE
                                                      : DKIM_KEY_WAITS_TTL;
    v->when_s = k->not_before_s > ripe_s ? k->not_before_s : ripe_s;
}

static void
judge_waiting(const struct line *line, const struct dkim_key_facts *k,
              struct dkim_key_verdict *v)
{
    bool need_not = line->policy->require == DKIM_REQUIRE_NEVER;
    v->state = DKIM_KEY_NEW;
    v->next = DKIM_KEY_NEXT_WAIT;
    if (need_not || k->in_dns == DKIM_IN_DNS_ALL) {
        judge_published(line, k, v);
    } else if (k->in_dns == DKIM_IN_DNS_UNKNOWN) {
        v->reason = DKIM_KEY_NOT_LOOKED;
    } else if (k->in_dns == DKIM_IN_DNS_SOME) {
        v->reason = DKIM_KEY_NOT_EVERYWHERE;
    } else if (k->in_dns == DKIM_IN_DNS_NONE) {
        v->reason = DKIM_KEY_NOT_THERE;
        v->next = DKIM_KEY_NEXT_PUBLISH;
    } else {
        v->reason = DKIM_KEY_RECORD_DIFFERS;
        v->next = DKIM_KEY_NEXT_CORRECT;
    }
    if (k->lost_since_s != 0 && is_lost(line, k)) {
        v->reason = DKIM_KEY_LOST_RECORD;
        v->next = next_for_lost(k);
        v->is_alarm = true;
    }
}

size_t
dkim_key_state_decide(const struct dkim_key_policy *policy,
                      const struct dkim_key_facts *keys, size_t count,
                      uint64_t now_s, struct dkim_key_verdict *verdicts)
{
    struct line line = {policy, keys, count, now_s};
    enum grade grade;
    size_t chosen = choose(&line, &grade);
    for (size_t i = 0; i < count; i++) {
        struct dkim_key_verdict *v = &verdicts[i];
        *v = (struct dkim_key_verdict){.state = DKIM_KEY_NEW};
        if (i == chosen) {
            judge_active(&line, i, grade, v);
        } else if (!keys[i].is_usable) {
            v->reason = DKIM_KEY_UNUSABLE;
            v->next = DKIM_KEY_NEXT_MEND_FILE;
        } else if (chosen != DKIM_KEY_STATE_NONE && i < chosen) {
            judge_retired(&line, i, v);
        } else if (is_card_retired(&line, &keys[i])) {
            judge_retired(&line, i, v);
        } else {
            judge_waiting(&line, &keys[i], v);
        }
    }
    return chosen;
}

/* --- what changes --- */

void
dkim_key_state_look(struct dkim_key_facts *facts,
                    const struct dkim_key_look *look, uint64_t now_s)
{
    if (look->in_dns == DKIM_IN_DNS_UNKNOWN)
        return;
    bool is_silence = look->in_dns == DKIM_IN_DNS_SOME && !look->is_lacking;
    facts->in_dns = look->in_dns;
    facts->is_lacking = look->is_lacking;
    facts->looked_s = now_s;
    if (is_silence)
        return; /* says nothing against the looks before */
    if (look->in_dns != DKIM_IN_DNS_ALL) {
        facts->published_since_s = 0;
        facts->wait_s = 0;
        return;
    }
    /* a clock that was set back begins anew */
    if (facts->published_since_s == 0 || facts->published_since_s > now_s) {
        facts->published_since_s = now_s;
        facts->wait_s = 0;
    }
    if (facts->wait_s < look->wait_s)
        facts->wait_s = look->wait_s;
}

static void
leave(struct dkim_key_facts *k, bool is_older, uint64_t now_s)
{
    bool is_bad = k->in_dns != DKIM_IN_DNS_ALL &&
                  k->in_dns != DKIM_IN_DNS_UNKNOWN &&
                  (k->in_dns != DKIM_IN_DNS_SOME || k->is_lacking);
    if (is_older) {
        if (k->retired_since_s == 0)
            k->retired_since_s = now_s;
        k->active_since_s = 0;
        return;
    }
    if (k->active_since_s == 0)
        return;
    k->active_since_s = 0;
    k->retired_since_s = 0;
    if (is_bad)
        k->lost_since_s = now_s;
}

void
dkim_key_state_apply(struct dkim_key_facts *keys, size_t count, size_t chosen,
                     uint64_t now_s)
{
    for (size_t i = 0; chosen != DKIM_KEY_STATE_NONE && i < count; i++) {
        if (i != chosen) {
            leave(&keys[i], i < chosen, now_s);
            continue;
        }
        if (keys[i].active_since_s == 0)
            keys[i].active_since_s = now_s;
        keys[i].retired_since_s = 0;
        keys[i].lost_since_s = 0;
    }
}
