/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From what engines said to what is done. Each row says what three engines
 * answered and what recipients want; what is wanted stands in doc/score.md.
 */
#include <math.h>

#include "unit.h"

#include "../../milters/score/message.h"

enum {
    ENGINES = 3, /* rspamd, spamd, clamd */
};

/* --- a message, and engines that have answered --- */

struct bench {
    struct mfx_arena *arena;
    struct score_settings settings;
    struct score_engine_settings engine_settings[ENGINES];
    struct score_engine engines[ENGINES];
    struct mfx_scan_result results[ENGINES];
    struct score_run runs[ENGINES];
    struct score_group groups[ENGINES];
    struct score_engines list;
    struct score_policy policy;
    struct mfx_decision decision;
    struct mfx_message message;
    struct mfx_recipient recipients[3];
    struct mfx_table_set *tables;
    struct mfx_problems problems;
    struct score_message q;
};

static const struct score_thresholds no_thresholds = {
    MFX_DECIMAL_NONE, MFX_DECIMAL_NONE, MFX_DECIMAL_NONE, MFX_DECIMAL_NONE,
    MFX_DECIMAL_NONE, MFX_DECIMAL_NONE, MFX_DECIMAL_NONE};

static void
set_up_engine(struct bench *b, size_t i)
{
    static const enum score_engine_type types[ENGINES] = {
        SCORE_ENGINE_RSPAMD, SCORE_ENGINE_SPAMD, SCORE_ENGINE_CLAMD};
    struct score_engine_settings *s = &b->engine_settings[i];
    s->scale = 1000;
    s->on_class[MFX_SCAN_CLASS_VIRUS] = SCORE_ACTION_REJECT;
    s->on_class[MFX_SCAN_CLASS_PUA] = SCORE_ACTION_TAG;
    b->engines[i] = (struct score_engine){
        .name = mfx_str_of(score_engine_type_name(types[i])),
        .type = types[i],
        .settings = s,
        .takes_score = true,
        .takes_action = true,
    };
    b->results[i] = (struct mfx_scan_result){.end = MFX_SCAN_ANSWERED};
    b->runs[i] =
        (struct score_run){.engine = &b->engines[i], .result = &b->results[i]};
    b->groups[i] =
        (struct score_group){.engine = &b->engines[i], .first = i, .count = 1};
}

static void
set_up(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->arena = mfx_arena_new(0);
    b->tables = mfx_table_set_new(NULL);
    mfx_problems_init(&b->problems, b->arena);
    mfx_decision_init(&b->decision, b->arena);
    for (size_t i = 0; i < ENGINES; i++)
        set_up_engine(b, i);
    b->list = (struct score_engines){b->engines, ENGINES};
    b->policy.settings = &b->settings;
    b->policy.engines = &b->list;
    b->policy.profiles.incoming = (struct score_profile){
        MFX_STR("default"), no_thresholds, true, MFX_STR("")};
    b->policy.profiles.outgoing = b->policy.profiles.incoming;
    b->message.arena = b->arena;
    b->message.decision = &b->decision;
    b->message.policy = &b->policy;
    b->q.runs = b->runs;
    b->q.run_count = ENGINES;
    b->q.groups = b->groups;
    b->q.group_count = ENGINES;
}

static void
tear_down(struct bench *b)
{
    mfx_table_set_free(b->tables);
    mfx_arena_free(b->arena);
}

static void
add_recipients(struct bench *b, const char *const *addresses)
{
    for (size_t i = 0; i < 3 && addresses[i] != NULL; i++) {
        b->recipients[i].address = mfx_str_of(addresses[i]);
        if (i > 0)
            b->recipients[i - 1].next = &b->recipients[i];
        b->message.recipient_count++;
    }
    if (b->message.recipient_count > 0)
        b->message.recipients = b->recipients;
}

static struct mfx_table *
table(struct bench *b, const char *spec)
{
    struct mfx_table *t = NULL;
    if (mfx_table_open(b->tables, mfx_str_of(spec), MFX_TABLE_NOCASE, "test", 0,
                       &b->problems, &t) != MFX_OK)
        fail_msg("no table: %s", spec);
    return t;
}

static void
give_score(struct bench *b, size_t i, double score)
{
    b->results[i].has_score = true;
    b->results[i].score = score;
    b->results[i].required_score = 5;
}

static void
find(struct bench *b)
{
    assert_int_equal(score_deciding_find(&b->message, &b->q), MFX_OK);
}

/* --- totals and thresholds --- */

static void
totals(void **state)
{
    static const struct {
        const char *label;
        double rspamd, spamd;
        int64_t tag, subject, hold, redirect, discard, reject;
        enum score_action want;
        int64_t score;
    } cases[] = {
#define NONE MFX_DECIMAL_NONE
        {"below all",              1,  2,     5000,  NONE, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_NONE,                                                                             3000  },
        {"just below",             2,  2.999, 5000,  NONE, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_NONE,                                                                             4999  },
        {"tag at the score",       2,  3,     5000,  NONE, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_TAG,                                                                              5000  },
        {"subject",                4,  4,     5000,  8000, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_SUBJECT,                                                                          8000  },
        {"hold",                   5,  5,     5000,  8000, 9000, NONE, NONE,  15000, SCORE_ACTION_HOLD,
                                     10000                                                                                                },
        {"redirect",               5,  5,     5000,  8000, NONE, 9000, NONE,  15000,
                                     SCORE_ACTION_REDIRECT,                                                                         10000 },
        {"discard",                5,  5,     5000,  NONE, NONE, NONE, 10000, 15000,
                                     SCORE_ACTION_DISCARD,                                                                          10000 },
        {"reject",                 10, 5,     5000,  NONE, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_REJECT,                                                                           15000 },
        {"one takes back",         10, -7,    5000,  NONE, NONE, NONE, NONE,  15000,
                                     SCORE_ACTION_NONE,                                                                             3000  },
        {"no threshold",           99, 99,    NONE,  NONE, NONE, NONE, NONE,  NONE,
                                     SCORE_ACTION_NONE,                                                                             198000},
        {"a threshold below zero", -1, -1,    -3000, NONE, NONE, NONE, NONE,  NONE,
                                     SCORE_ACTION_TAG,                                                                              -2000 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b);
        b.policy.profiles.incoming.thresholds = (struct score_thresholds){
            .greylist = NONE,
            .tag = cases[i].tag,
            .subject = cases[i].subject,
            .hold = cases[i].hold,
            .redirect = cases[i].redirect,
            .discard = cases[i].discard,
            .reject = cases[i].reject,
        };
        give_score(&b, 0, cases[i].rspamd);
        give_score(&b, 1, cases[i].spamd);
        find(&b);
        unit_assert_int(cases[i].label, b.q.verdict.done.action, cases[i].want);
        unit_assert_int(cases[i].label, b.q.verdict.score, cases[i].score);
        unit_assert_int(cases[i].label, b.q.verdict.is_spam,
                        cases[i].want >= SCORE_ACTION_TAG);
        tear_down(&b);
    }
}

/* --- several causes --- */

static void
causes(void **state)
{
    static const struct {
        const char *label;
        enum mfx_scan_action rspamd;
        const char *virus;
        enum mfx_scan_class klass;
        enum mfx_scan_end spamd_end;
        int on_failure;
        enum score_action want;
        enum score_cause cause;
        bool is_spam;
        const char *unscanned;
    } cases[] = {
        {"nothing",                         MFX_SCAN_ACTION_NONE,       "",         MFX_SCAN_CLASS_NONE,
         MFX_SCAN_ANSWERED,                                                                                                 SCORE_FAILURE_TEMPFAIL, SCORE_ACTION_NONE,
         SCORE_CAUSE_NONE,                                                                                                                                                                  false, ""                },
        {"an engine tags",                  MFX_SCAN_ACTION_ADD_HEADER, "",         MFX_SCAN_CLASS_NONE,
         MFX_SCAN_ANSWERED,                                                                                                 SCORE_FAILURE_TEMPFAIL, SCORE_ACTION_TAG,
         SCORE_CAUSE_ENGINE,                                                                                                                                                                true,  ""                },
        {"a virus refuses spam",            MFX_SCAN_ACTION_ADD_HEADER, "Eicar",
         MFX_SCAN_CLASS_VIRUS,                                                                           MFX_SCAN_ANSWERED, SCORE_FAILURE_TEMPFAIL,
         SCORE_ACTION_REJECT,                                                                                                                                          SCORE_CAUSE_VIRUS,   true,  ""                },
        {"a virus is no spam",              MFX_SCAN_ACTION_NONE,       "PUA.Tool",
         MFX_SCAN_CLASS_PUA,                                                                             MFX_SCAN_ANSWERED, SCORE_FAILURE_TEMPFAIL,
         SCORE_ACTION_TAG,                                                                                                                                             SCORE_CAUSE_VIRUS,   false, ""                },
        {"a failure defers",                MFX_SCAN_ACTION_ADD_HEADER, "",
         MFX_SCAN_CLASS_NONE,                                                                            MFX_SCAN_TIMEOUT,  SCORE_FAILURE_TEMPFAIL,
         SCORE_ACTION_TEMPFAIL,                                                                                                                                        SCORE_CAUSE_FAILURE, true,  "spamd: timeout"  },
        {"a refusal stands, whoever fails", MFX_SCAN_ACTION_REJECT,     "",
         MFX_SCAN_CLASS_NONE,                                                                            MFX_SCAN_TIMEOUT,  SCORE_FAILURE_TEMPFAIL,
         SCORE_ACTION_REJECT,                                                                                                                                          SCORE_CAUSE_ENGINE,  true,  "spamd: timeout"  },
        {"a failure is accepted",           MFX_SCAN_ACTION_NONE,       "",         MFX_SCAN_CLASS_NONE,
         MFX_SCAN_UNREACHED,                                                                                                SCORE_FAILURE_ACCEPT,   SCORE_ACTION_NONE,
         SCORE_CAUSE_NONE,                                                                                                                                                                  false, "spamd: unreached"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b);
        b.results[0].action = cases[i].rspamd;
        b.results[1].end = cases[i].spamd_end;
        b.engine_settings[1].on_failure = cases[i].on_failure;
        b.results[2].virus = mfx_str_of(cases[i].virus);
        b.results[2].klass = cases[i].klass;
        find(&b);
        const struct score_verdict *v = &b.q.verdict;
        unit_assert_int(cases[i].label, v->done.action, cases[i].want);
        unit_assert_int(cases[i].label, v->done.cause, cases[i].cause);
        unit_assert_int(cases[i].label, v->is_spam, cases[i].is_spam);
        unit_assert_str(cases[i].label, v->unscanned,
                        mfx_str_of(cases[i].unscanned));
        unit_assert_int(cases[i].label, v->virus != NULL,
                        cases[i].virus[0] != '\0');
        tear_down(&b);
    }
}

/* An engine in the shadow does nothing at all. */
static void
shadows(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    b.policy.profiles.incoming.thresholds.reject = 1000;
    b.engines[0].is_shadow = true;
    give_score(&b, 0, 50);
    b.results[0].action = MFX_SCAN_ACTION_REJECT;
    b.engines[2].is_shadow = true;
    b.results[2].end = MFX_SCAN_TIMEOUT;
    find(&b);
    assert_int_equal(b.q.verdict.done.action, SCORE_ACTION_NONE);
    assert_false(b.q.verdict.has_score);
    assert_int_equal(b.q.verdict.unscanned.len, 0);
    tear_down(&b);
}

/* --- recipients --- */

static void
recipients(void **state)
{
    static const struct {
        const char *label;
        double score;
        const char *to[4];
        int differ;
        enum score_action done, harshest;
        size_t removed;
    } cases[] = {
        {"one, the default",
         6,  {"a@example.org"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_TAG,
         SCORE_ACTION_TAG,     0},
        {"one, off",
         60, {"off@example.org"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_NONE,
         SCORE_ACTION_NONE,    0},
        {"one, strict",
         6,  {"strict@example.org"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_REJECT,
         SCORE_ACTION_REJECT,  0},
        {"a domain",
         6,  {"x@own.example"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_SUBJECT,
         SCORE_ACTION_SUBJECT, 0},
        {"they share a tag",
         6,  {"a@example.org", "strict@example.org"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_TAG,
         SCORE_ACTION_REJECT,  0},
        {"they share nothing",
         6,  {"off@example.org", "strict@example.org"},
         SCORE_DIFFER_HEADERS, SCORE_ACTION_NONE,
         SCORE_ACTION_REJECT,  0},
        {"one is removed",
         6,  {"off@example.org", "strict@example.org"},
         SCORE_DIFFER_REMOVE,  SCORE_ACTION_NONE,
         SCORE_ACTION_REJECT,  1},
        {"the rest is tagged",
         6,  {"a@example.org", "strict@example.org", "x@own.example"},
         SCORE_DIFFER_REMOVE,  SCORE_ACTION_TAG,
         SCORE_ACTION_REJECT,  1},
        {"all refuse",
         20, {"a@example.org", "strict@example.org"},
         SCORE_DIFFER_REMOVE,  SCORE_ACTION_REJECT,
         SCORE_ACTION_REJECT,  0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        struct score_profile strict = {MFX_STR("strict"), no_thresholds, true,
                                       MFX_STR("")};
        set_up(&b);
        b.policy.profiles.incoming.thresholds.tag = 5000;
        b.policy.profiles.incoming.thresholds.reject = 15000;
        strict.thresholds.reject = 4000;
        b.policy.profiles.groups = &strict;
        b.policy.profiles.group_count = 1;
        b.policy.profiles.recipients =
            table(&b, "inline:{off@example.org = off, strict@example.org = "
                      "strict, {own.example = subject=5.5 reject=none}}");
        b.settings.recipients.differ = cases[i].differ;
        add_recipients(&b, cases[i].to);
        give_score(&b, 0, cases[i].score);
        find(&b);
        const struct score_verdict *v = &b.q.verdict;
        unit_assert_int(cases[i].label, v->done.action, cases[i].done);
        unit_assert_int(cases[i].label, v->harshest.action, cases[i].harshest);
        unit_assert_int(cases[i].label, v->removed, cases[i].removed);
        tear_down(&b);
    }
}

/* A virus, and a failure, are for all, also for those who want no spam
 * actions. */
static void
for_all(void **state)
{
    static const char *const to[] = {"off@example.org", NULL};
    struct bench b;
    (void)state;
    set_up(&b);
    b.policy.profiles.recipients = table(&b, "inline:off@example.org=off");
    add_recipients(&b, to);
    b.results[2].virus = mfx_str_of("Eicar");
    b.results[2].klass = MFX_SCAN_CLASS_VIRUS;
    find(&b);
    assert_int_equal(b.q.verdict.done.action, SCORE_ACTION_REJECT);
    tear_down(&b);
}

/* per_user "each": everyone has the score of his own scan. */
static void
users(void **state)
{
    static const char *const to[] = {"a@example.org", "b@example.org", NULL};
    uint16_t of_recipient[2] = {0, 1};
    struct bench b;
    (void)state;
    set_up(&b);
    b.policy.profiles.incoming.thresholds.reject = 10000;
    b.settings.recipients.differ = SCORE_DIFFER_REMOVE;
    add_recipients(&b, to);
    /* two runs of one engine */
    b.runs[1].engine = &b.engines[0];
    b.groups[0].count = 2;
    b.groups[0].of_recipient = of_recipient;
    b.groups[1] = b.groups[2];
    b.q.group_count = 2;
    give_score(&b, 0, 12);
    give_score(&b, 1, 2);
    find(&b);
    const struct score_verdict *v = &b.q.verdict;
    assert_int_equal(v->recipients[0].score, 12000);
    assert_int_equal(v->recipients[1].score, 2000);
    assert_true(v->recipients[0].is_removed);
    assert_false(v->recipients[1].is_removed);
    assert_int_equal(v->score, 2000);
    assert_int_equal(v->done.action, SCORE_ACTION_NONE);
    tear_down(&b);
}

static void
malformed_profiles(void **state)
{
    static const struct {
        const char *label, *row;
    } cases[] = {
        {"malformed_name",      "inline:a@example.org=nobody"            },
        {"malformed_change",    "inline:{{a@example.org = tag=x}}"       },
        {"malformed_threshold", "inline:{{a@example.org = quarantine=5}}"},
        {"malformed_two_names", "inline:{{a@example.org = off strict}}"  },
        {"malformed_second",    "inline:{{a@example.org = tag=5 off}}"   },
    };
    static const char *const to[] = {"a@example.org", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b);
        b.policy.profiles.recipients = table(&b, cases[i].row);
        add_recipients(&b, to);
        unit_assert_int(cases[i].label, score_deciding_find(&b.message, &b.q),
                        MFX_TEMPFAIL);
        tear_down(&b);
    }
}

/* --- greylisting, the seal, what is required --- */

static void
greylisting(void **state)
{
    static const struct {
        const char *label;
        double score;
        int64_t greylist, discard;
        bool want;
    } cases[] = {
        {"below",                   3.9, 4000, NONE, false},
        {"from it on",              4,   4000, NONE, true },
        {"never",                   4,   NONE, NONE, false},
        {"not what is thrown away", 9,   4000, 8000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b);
        b.policy.profiles.incoming.thresholds.greylist = cases[i].greylist;
        b.policy.profiles.incoming.thresholds.discard = cases[i].discard;
        give_score(&b, 0, cases[i].score);
        find(&b);
        unit_assert_int(cases[i].label, b.q.verdict.wants_greylist,
                        cases[i].want);
        tear_down(&b);
    }
}

static void
sealed(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    b.policy.profiles.incoming.thresholds.tag = 5000;
    b.q.has_seal = b.q.seal_has_score = true;
    b.q.seal_score = 4000;
    give_score(&b, 1, 1.5);
    find(&b);
    assert_int_equal(b.q.verdict.score, 5500);
    assert_int_equal(b.q.verdict.done.action, SCORE_ACTION_TAG);
    assert_true(b.q.verdict.is_sealed);
    tear_down(&b);
}

static void
required(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    give_score(&b, 1, 3);
    find(&b);
    assert_int_equal(b.q.verdict.required, 5000); /* spamd's own */
    tear_down(&b);
    set_up(&b);
    b.policy.profiles.incoming.thresholds.tag = 6000;
    give_score(&b, 1, 3);
    find(&b);
    assert_int_equal(b.q.verdict.required, 6000);
    tear_down(&b);
    /* rspamd's 15 is where it refuses, not where spam begins */
    static const struct mfx_scan_number thresholds[] = {
        {MFX_STR("reject"),     15 },
        {MFX_STR("add header"), 6.5},
    };
    set_up(&b);
    give_score(&b, 0, 3);
    b.results[0].required_score = 15;
    b.results[0].thresholds = thresholds;
    b.results[0].threshold_count = 2;
    find(&b);
    assert_int_equal(b.q.verdict.required, 6500);
    tear_down(&b);
    set_up(&b);
    give_score(&b, 1, 3);
    b.results[1].required_score = NAN;
    find(&b);
    assert_int_equal(b.q.verdict.required, 0);
    tear_down(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals),
        cmocka_unit_test(causes),
        cmocka_unit_test(shadows),
        cmocka_unit_test(recipients),
        cmocka_unit_test(for_all),
        cmocka_unit_test(users),
        cmocka_unit_test(malformed_profiles),
        cmocka_unit_test(greylisting),
        cmocka_unit_test(sealed),
        cmocka_unit_test(required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
