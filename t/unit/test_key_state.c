/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/dkim/rotation/key_state.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NONE         DKIM_KEY_STATE_NONE

enum {
    NOW = 1000000,
    HOUR = 3600,
    DAY = 86400,
    LIFE = 7 * DAY,
    KEYS_MAX = 3,
};

/* What is known of a key, in short. */
#define FIRST       .is_usable = true
#define NEXT        .is_usable = true, .is_replacing = true, .has_card = true
#define UNKNOWN     .in_dns = DKIM_IN_DNS_UNKNOWN
#define THERE       .in_dns = DKIM_IN_DNS_ALL, .looked_s = NOW
#define SILENT      .in_dns = DKIM_IN_DNS_SOME, .looked_s = NOW
#define LAGS        .in_dns = DKIM_IN_DNS_SOME, .is_lacking = true, .looked_s = NOW
#define GONE        .in_dns = DKIM_IN_DNS_NONE, .looked_s = NOW
#define OTHER       .in_dns = DKIM_IN_DNS_OTHER, .looked_s = NOW
#define REVOKED     .in_dns = DKIM_IN_DNS_REVOKED, .looked_s = NOW
#define ACTIVE      .active_since_s = NOW - DAY
#define RETIRED     .retired_since_s = NOW - DAY
#define SINCE(s, w) .published_since_s = NOW - (s), .wait_s = (w)

static const struct decision {
    const char *label;
    enum dkim_require_published require;
    size_t count;
    struct dkim_key_facts keys[KEYS_MAX];
    size_t chosen;
    struct {
        enum dkim_key_state state;
        enum dkim_key_reason reason;
        enum dkim_key_next next;
        uint64_t when_s;
        bool is_alarm;
    } want[KEYS_MAX];
} decisions[] = {
    {"an established key signs though nobody looked",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_ESTABLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}},
    {"an established key signs with always as well",
     DKIM_REQUIRE_ALWAYS,    1,
     {{FIRST}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_ESTABLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}},
    {"an established key that is published",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST, THERE}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}  },
    {"a domain's only key signs on without its record, loudly",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST, GONE, ACTIVE}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_PUBLISH, 0, 1}}   },
    {"a domain's only key signs on when DNS holds another, loudly",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST, OTHER}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_CORRECT, 0, 1}}   },
    {"silence is no loss",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST, SILENT, ACTIVE}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_ESTABLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}},
    {"a first key with a card signs at once by default",
     DKIM_REQUIRE_REPLACING, 1,
     {{FIRST, .has_card = true}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_ESTABLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}},
    {"always: a first key with a card waits, unsigned",
     DKIM_REQUIRE_ALWAYS,    1,
     {{FIRST, .has_card = true}},
     NONE, {{DKIM_KEY_NEW, DKIM_KEY_NOT_LOOKED, DKIM_KEY_NEXT_WAIT, 0, 0}}          },
    {"always: at once when it is seen, since nothing older can sign",
     DKIM_REQUIRE_ALWAYS,    1,
     {{FIRST, .has_card = true, THERE, SINCE(0, HOUR)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}}  },
    {"no key signs before its not_before, even alone",
     DKIM_REQUIRE_NEVER,     1,
     {{FIRST, .not_before_s = NOW + HOUR}},
     NONE, {{DKIM_KEY_NEW, DKIM_KEY_NOT_BEFORE, DKIM_KEY_NEXT_WAIT, NOW + HOUR, 0}} },

    {"new: nobody looked yet, the older signs",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_LOOKED, DKIM_KEY_NEXT_WAIT, 0, 0}}         },
    {"new: not published, the older signs",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, GONE}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_THERE, DKIM_KEY_NEXT_PUBLISH, 0, 0}}       },
    {"new: a secondary lags, the older signs",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, LAGS, SINCE(0, 0)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_EVERYWHERE, DKIM_KEY_NEXT_WAIT, 0, 0}}     },
    {"new: a server is silent, the older signs",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, SILENT, SINCE(DAY, HOUR)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_EVERYWHERE, DKIM_KEY_NEXT_WAIT, 0, 0}}     },
    {"new: DNS holds another key there",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, OTHER}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_RECORD_DIFFERS, DKIM_KEY_NEXT_CORRECT, 0, 0}}  },
    {"published: a second before the TTL is over",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, THERE, SINCE(HOUR - 1, HOUR)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_PUBLISHED, DKIM_KEY_WAITS_TTL, DKIM_KEY_NEXT_WAIT, NOW + 1,
       0}}                                                                   },
    {"active: seen again when the TTL is over",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {NEXT, THERE, SINCE(HOUR, HOUR)}},
     1,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_KEEP, NOW + LIFE,
       0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"published: the TTL is over but no look since then",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE},
      {NEXT, .in_dns = DKIM_IN_DNS_ALL, .looked_s = NOW - 2 * HOUR,
       SINCE(2 * HOUR, HOUR)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_PUBLISHED, DKIM_KEY_WAITS_TTL, DKIM_KEY_NEXT_WAIT, NOW - HOUR,
       0}}                                                                   },
    {"published: ripe, but its not_before is to come",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE},
      {NEXT, THERE, SINCE(DAY, HOUR), .not_before_s = NOW + 5}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_PUBLISHED, DKIM_KEY_NOT_BEFORE, DKIM_KEY_NEXT_WAIT, NOW + 5,
       0}}                                                                   },
    {"no waiting for a TTL when the older is gone from DNS",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, GONE, ACTIVE}, {NEXT, THERE, SINCE(0, HOUR)}},
     1,    {{DKIM_KEY_WITHDRAWN, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"an outage does not hurry: the older is silent, not gone",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, SILENT, ACTIVE}, {NEXT, THERE, SINCE(0, HOUR)}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_PUBLISHED, DKIM_KEY_WAITS_TTL, DKIM_KEY_NEXT_WAIT, NOW + HOUR,
       0}}                                                                   },
    {"never: the newest signs at once",
     DKIM_REQUIRE_NEVER,     2,
     {{FIRST, THERE, ACTIVE}, {NEXT}},
     1,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_KEEP, NOW + LIFE,
       0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_NOT_REQUIRED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"the older key's file is gone: better the new one than unsigned mail",
     DKIM_REQUIRE_REPLACING, 2,
     {{.is_usable = false}, {NEXT}},
     1,    {{DKIM_KEY_NEW, DKIM_KEY_UNUSABLE, DKIM_KEY_NEXT_MEND_FILE, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_ONLY_ONE, DKIM_KEY_NEXT_NOTHING, 0, 1}}     },
    {"always: not even then",
     DKIM_REQUIRE_ALWAYS,    2,
     {{.is_usable = false}, {NEXT}},
     NONE, {{DKIM_KEY_NEW, DKIM_KEY_UNUSABLE, DKIM_KEY_NEXT_MEND_FILE, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_LOOKED, DKIM_KEY_NEXT_WAIT, 0, 0}}      },
    {"a new key that is no key does not disturb",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE}, {.is_replacing = true}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_UNUSABLE, DKIM_KEY_NEXT_MEND_FILE, 0, 0}}      },

    {"fallback: the active key's record is gone",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, RETIRED}, {NEXT, GONE, .lost_since_s = NOW}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_FALLBACK, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_PUBLISH, 0, 1}}     },
    {"fallback: another key stands in the active one's record",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, RETIRED}, {NEXT, OTHER, .lost_since_s = NOW}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_FALLBACK, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_CORRECT, 0, 1}}     },
    {"fallback: one server has lost the record",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, RETIRED}, {NEXT, LAGS, ACTIVE}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_EVERYWHERE, DKIM_KEY_NEXT_WAIT, 0, 0}}     },
    {"no fallback in an outage",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, SILENT, RETIRED}, {NEXT, SILENT, ACTIVE, SINCE(DAY, HOUR)}},
     1,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_KEEP,
       NOW - DAY + LIFE, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"no fallback to a key that is gone itself",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, GONE, RETIRED}, {NEXT, GONE, ACTIVE}},
     1,    {{DKIM_KEY_WITHDRAWN, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_PUBLISH, 0, 1}}  },
    {"fallback to a key that its card retires, for want of another",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, RETIRED, .card_retired_s = NOW - 1},
      {NEXT, GONE, .lost_since_s = NOW}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_FALLBACK, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_LOST_RECORD, DKIM_KEY_NEXT_PUBLISH, 0, 1}}     },
    {"back again: the lost record has returned, and waits anew",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, ACTIVE},
      {NEXT, THERE, SINCE(0, HOUR), .lost_since_s = NOW - 60}},
     0,    {{DKIM_KEY_ACTIVE, DKIM_KEY_FALLBACK, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_PUBLISHED, DKIM_KEY_WAITS_TTL, DKIM_KEY_NEXT_WAIT, NOW + HOUR,
       0}}                                                                   },

    {"three: the middle one signs, the newest waits",
     DKIM_REQUIRE_REPLACING, 3,
     {{FIRST, THERE, RETIRED}, {NEXT, THERE, ACTIVE}, {NEXT, GONE}},
     1,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_KEEP,
       NOW - DAY + LIFE, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_OLDER_SIGNS_ON, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_NEW, DKIM_KEY_NOT_THERE, DKIM_KEY_NEXT_PUBLISH, 0, 0}}       },
    {"three: the newest overtakes one that never was published",
     DKIM_REQUIRE_REPLACING, 3,
     {{FIRST, THERE, ACTIVE}, {NEXT, GONE}, {NEXT, THERE, SINCE(HOUR, HOUR)}},
     2,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_KEEP, NOW + LIFE,
       0},
      {DKIM_KEY_WITHDRAWN, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_NOTHING, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"retired: the queue life is over, the record may be withdrawn",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, THERE, .retired_since_s = NOW - LIFE}, {NEXT, THERE, ACTIVE}},
     1,    {{DKIM_KEY_RETIRED, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_WITHDRAW, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
    {"withdrawn: revoked and the queue life over",
     DKIM_REQUIRE_REPLACING, 2,
     {{FIRST, REVOKED, .retired_since_s = NOW - LIFE}, {NEXT, THERE, ACTIVE}},
     1,    {{DKIM_KEY_WITHDRAWN, DKIM_KEY_WAS_REPLACED, DKIM_KEY_NEXT_REMOVE, 0, 0},
      {DKIM_KEY_ACTIVE, DKIM_KEY_IS_PUBLISHED, DKIM_KEY_NEXT_NOTHING, 0, 0}} },
};

static void
test_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(decisions); i++) {
        const struct decision *d = &decisions[i];
        const struct dkim_key_policy policy = {d->require, LIFE};
        struct dkim_key_verdict got[KEYS_MAX];
        size_t chosen =
            dkim_key_state_decide(&policy, d->keys, d->count, NOW, got);
        unit_assert_int(d->label, chosen, d->chosen);
        for (size_t k = 0; k < d->count; k++) {
            unit_assert_str(d->label,
                            mfx_str_of(dkim_key_state_name(got[k].state)),
                            mfx_str_of(dkim_key_state_name(d->want[k].state)));
            unit_assert_str(
                d->label, mfx_str_of(dkim_key_reason_name(got[k].reason)),
                mfx_str_of(dkim_key_reason_name(d->want[k].reason)));
            unit_assert_str(d->label,
                            mfx_str_of(dkim_key_next_name(got[k].next)),
                            mfx_str_of(dkim_key_next_name(d->want[k].next)));
            unit_assert_int(d->label, got[k].when_s, d->want[k].when_s);
            unit_assert_int(d->label, got[k].is_alarm, d->want[k].is_alarm);
        }
    }
}

/* A rotation from its first day to its last, look by look, and what goes
 * wrong on the way. */
static const struct act {
    const char *label;
    uint64_t at_s;
    struct {
        enum dkim_in_dns in_dns; /* UNKNOWN: no look, or an outage */
        bool is_lacking;
        uint32_t wait_s;
    } look[2];
    size_t chosen;
    enum dkim_key_state state[2];
} story[] = {
    {"the new key lies there, not looked at",
     0,              {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_UNKNOWN, false, 0}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"not in DNS",
     10,             {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_NONE, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"on the primary",
     20,             {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_SOME, true, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"everywhere",
     30,             {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_ALL, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_PUBLISHED}},
    {"a secondary silent: waits on, no new beginning",
     300,            {{DKIM_IN_DNS_UNKNOWN, false, 0}, {DKIM_IN_DNS_SOME, false, 300}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"a secondary fell back to its old zone: begins anew",
     400,            {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_SOME, true, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"everywhere again",
     500,            {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_ALL, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_PUBLISHED}},
    {"not ripe by the first sight",
     935,            {{DKIM_IN_DNS_UNKNOWN, false, 0}, {DKIM_IN_DNS_ALL, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_PUBLISHED}},
    {"ripe, but an outage",
     1400,           {{DKIM_IN_DNS_UNKNOWN, false, 0}, {DKIM_IN_DNS_UNKNOWN, false, 0}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_PUBLISHED}},
    {"ripe and seen",
     1500,           {{DKIM_IN_DNS_UNKNOWN, false, 0}, {DKIM_IN_DNS_ALL, false, 900}},
     1, {DKIM_KEY_RETIRED, DKIM_KEY_ACTIVE}  },
    {"an outage for a day",
     1500 + DAY,
     {{DKIM_IN_DNS_UNKNOWN, false, 0}, {DKIM_IN_DNS_UNKNOWN, false, 0}},
     1, {DKIM_KEY_RETIRED, DKIM_KEY_ACTIVE}  },
    {"its record is gone: the older signs again",
     1600 + DAY,
     {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_NONE, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_NEW}      },
    {"it is back: waits its TTL again",
     1700 + DAY,
     {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_ALL, false, 900}},
     0, {DKIM_KEY_ACTIVE, DKIM_KEY_PUBLISHED}},
    {"active again",
     2600 + DAY,
     {{DKIM_IN_DNS_ALL, false, 60}, {DKIM_IN_DNS_ALL, false, 900}},
     1, {DKIM_KEY_RETIRED, DKIM_KEY_ACTIVE}  },
    {"the older is withdrawn",
     2600 + 9 * DAY,
     {{DKIM_IN_DNS_REVOKED, false, 60}, {DKIM_IN_DNS_ALL, false, 900}},
     1, {DKIM_KEY_WITHDRAWN, DKIM_KEY_ACTIVE}},
};

static void
test_story(void **state)
{
    (void)state;
    const struct dkim_key_policy policy = {DKIM_REQUIRE_REPLACING, LIFE};
    struct dkim_key_facts keys[2] = {{FIRST}, {NEXT}};
    for (size_t i = 0; i < COUNT(story); i++) {
        const struct act *act = &story[i];
        uint64_t now = NOW + act->at_s;
        struct dkim_key_verdict got[2];
        for (size_t k = 0; k < 2; k++) {
            const struct dkim_key_look look = {act->look[k].in_dns,
                                               act->look[k].is_lacking,
                                               act->look[k].wait_s};
            dkim_key_state_look(&keys[k], &look, now);
        }
        size_t chosen = dkim_key_state_decide(&policy, keys, 2, now, got);
        dkim_key_state_apply(keys, 2, chosen, now);
        unit_assert_int(act->label, chosen, act->chosen);
        for (size_t k = 0; k < 2; k++)
            unit_assert_str(act->label,
                            mfx_str_of(dkim_key_state_name(got[k].state)),
                            mfx_str_of(dkim_key_state_name(act->state[k])));
    }
}

static void
test_clock_set_back(void **state)
{
    (void)state;
    const struct dkim_key_look look = {DKIM_IN_DNS_ALL, false, HOUR};
    struct dkim_key_facts key = {NEXT};
    dkim_key_state_look(&key, &look, NOW + DAY);
    dkim_key_state_look(&key, &look, NOW);
    unit_assert_int("begins anew", key.published_since_s, NOW);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide),
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_clock_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
