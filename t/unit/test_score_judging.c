/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one engine's answer is worth. Expected values follow from the settings'
 * words: score * scale + offset, in thousandths.
 */
#include <math.h>

#include "unit.h"

#include "../../milters/score/judging.h"

struct bench {
    struct score_engine_settings settings;
    struct score_engine engine;
    struct mfx_scan_result result;
    struct score_run run;
};

static void
set_up(struct bench *b, enum score_engine_type type)
{
    *b = (struct bench){
        .settings = {.scale = 1000},
        .result = {.end = MFX_SCAN_ANSWERED},
    };
    b->engine = (struct score_engine){
        .type = type,
        .settings = &b->settings,
        .takes_score = true,
        .takes_action = true,
        .takes_edits = true,
    };
    b->run = (struct score_run){.engine = &b->engine, .result = &b->result};
}

static void
scores(void **state)
{
    static const struct {
        const char *label;
        double score;
        int64_t scale, offset, want;
    } cases[] = {
        {"as it is",           7.25,   1000,    0,     7250      },
        {"rounded",            7.2496, 1000,    0,     7250      },
        {"negative",           -3.5,   1000,    0,     -3500     },
        {"scaled",             7.25,   2000,    0,     14500     },
        {"scaled down",        1,      333,     0,     333       },
        {"a half is rounded",  0.001,  500,     0,     1         },
        {"negative half",      -0.001, 500,     0,     -1        },
        {"offset",             5,      1000,    -1500, 3500      },
        {"scale, then offset", 5,      2000,    1000,  11000     },
        {"turned round",       5,      -1000,   0,     -5000     },
        {"huge",               1e300,  1000,    0,     1000000000},
        {"huge and negative",  -1e300, 1000,    5000,  -999995000},
        {"huge and scaled",    1e6,    1000000, 0,     1000000000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b, SCORE_ENGINE_RSPAMD);
        b.settings.scale = cases[i].scale;
        b.settings.offset = cases[i].offset;
        b.result.has_score = true;
        b.result.score = cases[i].score;
        score_judge(&b.run);
        assert_null(b.run.unscanned);
        unit_assert_int(cases[i].label, b.run.has_score, true);
        unit_assert_int(cases[i].label, b.run.score, cases[i].want);
    }
}

static void
no_answer(void **state)
{
    static const struct {
        const char *label;
        enum mfx_scan_end end;
        double score;
        enum mfx_scan_action action;
        int on_failure, on_too_large;
        const char *unscanned;
        enum score_action want;
        enum score_cause cause;
        bool has_score;
    } cases[] = {
        {"timeout defers",          MFX_SCAN_TIMEOUT,   0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "timeout",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_FAILURE,   false},
        {"timeout accepted",        MFX_SCAN_TIMEOUT,   0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_ACCEPT,                                                                                      SCORE_TOO_LARGE_SKIP,     "timeout",
         SCORE_ACTION_NONE,                                                                                                                                                            SCORE_CAUSE_FAILURE,   false},
        {"timeout has a score",     MFX_SCAN_TIMEOUT,   0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_SCORE,                                                                                       SCORE_TOO_LARGE_SKIP,     "timeout",
         SCORE_ACTION_NONE,                                                                                                                                                            SCORE_CAUSE_FAILURE,   true },
        {"all are out",             MFX_SCAN_NOT_ASKED, 0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "not_asked",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_FAILURE,   false},
        {"disk full",               MFX_SCAN_UNSTORED,  0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "unstored",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_FAILURE,   false},
        {"too large, skipped",      MFX_SCAN_TOO_LARGE, 0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "too_large",
         SCORE_ACTION_NONE,                                                                                                                                                            SCORE_CAUSE_TOO_LARGE, false},
        {"too large defers",        MFX_SCAN_TOO_LARGE, 0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_ACCEPT,                                                                                      SCORE_TOO_LARGE_TEMPFAIL, "too_large",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_TOO_LARGE, false},
        {"too large is no failure", MFX_SCAN_TOO_LARGE, 0,         MFX_SCAN_ACTION_NONE,
         SCORE_FAILURE_SCORE,                                                                                       SCORE_TOO_LARGE_SKIP,     "too_large",
         SCORE_ACTION_NONE,                                                                                                                                                            SCORE_CAUSE_TOO_LARGE, false},
        {"malformed_nan",           MFX_SCAN_ANSWERED,  NAN,       MFX_SCAN_ACTION_REJECT,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "broken",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_FAILURE,   false},
        {"malformed_infinite",      MFX_SCAN_ANSWERED,  -INFINITY,
         MFX_SCAN_ACTION_NONE,                                                              SCORE_FAILURE_TEMPFAIL, SCORE_TOO_LARGE_SKIP,
         "broken",                                                                                                                                              SCORE_ACTION_TEMPFAIL, SCORE_CAUSE_FAILURE,   false},
        {"malformed_action",        MFX_SCAN_ANSWERED,  1,         MFX_SCAN_ACTION_UNKNOWN,
         SCORE_FAILURE_TEMPFAIL,                                                                                    SCORE_TOO_LARGE_SKIP,     "unknown_action",
         SCORE_ACTION_TEMPFAIL,                                                                                                                                                        SCORE_CAUSE_FAILURE,   false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b, SCORE_ENGINE_RSPAMD);
        b.settings.on_failure = cases[i].on_failure;
        b.settings.on_too_large = cases[i].on_too_large;
        b.settings.failure_score = 4000;
        b.result.end = cases[i].end;
        b.result.has_score = cases[i].score != 0 || isnan(cases[i].score);
        b.result.score = cases[i].score;
        b.result.action = cases[i].action;
        score_judge(&b.run);
        struct score_wish wish = score_judge_failure(&b.run);
        unit_assert_str(cases[i].label, mfx_str_of(b.run.unscanned),
                        mfx_str_of(cases[i].unscanned));
        unit_assert_int(cases[i].label, wish.action, cases[i].want);
        unit_assert_int(cases[i].label, wish.cause, cases[i].cause);
        unit_assert_int(cases[i].label, b.run.has_score, cases[i].has_score);
        unit_assert_int(cases[i].label, b.run.score,
                        cases[i].has_score ? 4000 : 0);
        /* whatever else it said is nothing */
        unit_assert_int(cases[i].label, score_judge_proposal(&b.run),
                        SCORE_ACTION_NONE);
        unit_assert_int(cases[i].label, score_judge_find(&b.run),
                        SCORE_ACTION_NONE);
    }
}

static void
not_even_begun(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, SCORE_ENGINE_CLAMD);
    b.run.result = NULL;
    score_judge(&b.run);
    assert_string_equal(b.run.unscanned, "not_asked");
    assert_int_equal(score_judge_failure(&b.run).action, SCORE_ACTION_TEMPFAIL);
}

/* As rspamd's own milter does it: field.md and rspamd's manual. */
static void
proposals(void **state)
{
    static const struct {
        const char *label;
        enum mfx_scan_action action;
        enum score_action want;
    } cases[] = {
        {"none",            MFX_SCAN_ACTION_NONE,            SCORE_ACTION_NONE    },
        {"greylist",        MFX_SCAN_ACTION_GREYLIST,        SCORE_ACTION_NONE    },
        {"add header",      MFX_SCAN_ACTION_ADD_HEADER,      SCORE_ACTION_TAG     },
        {"rewrite subject", MFX_SCAN_ACTION_REWRITE_SUBJECT,
         SCORE_ACTION_SUBJECT                                                     },
        {"soft reject",     MFX_SCAN_ACTION_SOFT_REJECT,     SCORE_ACTION_TEMPFAIL},
        {"reject",          MFX_SCAN_ACTION_REJECT,          SCORE_ACTION_REJECT  },
        {"quarantine",      MFX_SCAN_ACTION_QUARANTINE,      SCORE_ACTION_HOLD    },
        {"discard",         MFX_SCAN_ACTION_DISCARD,         SCORE_ACTION_DISCARD },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b, SCORE_ENGINE_RSPAMD);
        b.result.action = cases[i].action;
        score_judge(&b.run);
        unit_assert_int(cases[i].label, score_judge_proposal(&b.run),
                        cases[i].want);
        b.result.is_skipped = true;
        unit_assert_int("an early decision", score_judge_proposal(&b.run),
                        cases[i].want);
        unit_assert_int("skipped", score_judge_is_skipped(&b.result),
                        cases[i].action == MFX_SCAN_ACTION_NONE);
        b.result.no_action = true;
        unit_assert_int("no_action", score_judge_proposal(&b.run),
                        SCORE_ACTION_NONE);
        b.result.no_action = false;
        b.engine.takes_action = false;
        unit_assert_int("takes no action", score_judge_proposal(&b.run),
                        SCORE_ACTION_NONE);
    }
}

/* The setting actions. */
static void
told(void **state)
{
    static const struct {
        const char *label, *setting;
        enum score_engine_type type;
        enum mfx_scan_action action;
        const char *word;
        bool is_spam;
        enum score_action want;
        const char *unscanned;
    } cases[] = {
        {"another action",                  "reject=hold",        SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_REJECT,     "reject",     false, SCORE_ACTION_HOLD,     NULL},
        {"milder",                          "Add Header = none",  SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_ADD_HEADER, "add header", false, SCORE_ACTION_NONE,
         NULL                                                                        },
        {"another word",                    "reject=hold",        SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_DISCARD,    "discard",    false, SCORE_ACTION_DISCARD,  NULL},
        {"reject by name, discard in fact", "reject=hold",        SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_DISCARD,    "reject",     false, SCORE_ACTION_DISCARD,  NULL},
        {"greylist",                        "greylist=tempfail",  SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_GREYLIST,   "greylist",   false, SCORE_ACTION_TEMPFAIL,
         NULL                                                                        },
        {"of one's own making",             "newsletter=subject", SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_UNKNOWN,    "newsletter", false, SCORE_ACTION_SUBJECT,
         NULL                                                                        },
        {"unknown",                         "newsletter=subject", SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_UNKNOWN,    "news",       false, SCORE_ACTION_NONE,
         "unknown_action"                                                            },
        {"spamd: spam",                     "greylist=hold",      SCORE_ENGINE_SPAMD,
         MFX_SCAN_ACTION_NONE,       "",           true,  SCORE_ACTION_TAG,      NULL},
        {"spamd: spam is told",             "spam=redirect",      SCORE_ENGINE_SPAMD,
         MFX_SCAN_ACTION_NONE,       "",           true,  SCORE_ACTION_REDIRECT, NULL},
        {"spamd: ham",                      "spam=redirect",      SCORE_ENGINE_SPAMD,
         MFX_SCAN_ACTION_NONE,       "",           false, SCORE_ACTION_NONE,     NULL},
        {"rspamd: spam is no word",         "spam=reject",        SCORE_ENGINE_RSPAMD,
         MFX_SCAN_ACTION_ADD_HEADER, "add header", true,  SCORE_ACTION_TAG,
         NULL                                                                        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b, cases[i].type);
        assert_null(score_proposals_add(&b.engine.proposals,
                                        mfx_str_of(cases[i].setting)));
        b.result.action = cases[i].action;
        b.result.action_word = mfx_str_of(cases[i].word);
        b.result.is_spam = cases[i].is_spam;
        score_judge(&b.run);
        unit_assert_int(cases[i].label, score_judge_proposal(&b.run),
                        cases[i].want);
        assert_int_equal(b.run.unscanned == NULL, cases[i].unscanned == NULL);
        b.engine.takes_action = false;
        score_judge(&b.run);
        unit_assert_int("takes no action", score_judge_proposal(&b.run),
                        SCORE_ACTION_NONE);
    }
}

static void
malformed_settings(void **state)
{
    static const struct {
        const char *label, *setting, *want;
    } cases[] = {
        {"action_missing", "reject",                                        "a word, \"=\" and an action"  },
        {"action_empty",   "reject=",                                       "none, tag, subject, hold"     },
        {"action_unknown", "reject=bounce",                                 "none, tag, subject, hold"     },
        {"word_missing",   " =tag",                                         "1 to 40 characters are wanted"},
        {"word_too_long",  "12345678901234567890123456789012345678901=tag",
         "1 to 40 characters are wanted"                                                                   },
        {"word_twice",     "a=hold",                                        "this word is there twice"     },
        {"too_many_words", "z=hold",                                        "more than 16 words"           },
    };
    struct score_proposals proposals = {.count = 0};
    char text[] = "a=tag";
    (void)state;
    for (; proposals.count < SCORE_PROPOSALS_MAX; text[0]++)
        assert_null(score_proposals_add(&proposals, mfx_str_of(text)));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why =
            score_proposals_add(&proposals, mfx_str_of(cases[i].setting));
        unit_assert_int(cases[i].label,
                        why != NULL && strncmp(why, cases[i].want,
                                               strlen(cases[i].want)) == 0,
                        true);
        unit_assert_int(cases[i].label, (long)proposals.count,
                        SCORE_PROPOSALS_MAX);
    }
}

static void
finds(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, SCORE_ENGINE_CLAMD);
    b.settings.on_class[MFX_SCAN_CLASS_VIRUS] = SCORE_ACTION_REJECT;
    b.settings.on_class[MFX_SCAN_CLASS_PUA] = SCORE_ACTION_TAG;
    b.engine.has_class_score[MFX_SCAN_CLASS_PUA] = true;
    b.engine.class_scores[MFX_SCAN_CLASS_PUA] = 2500;
    score_judge(&b.run);
    assert_int_equal(score_judge_find(&b.run), SCORE_ACTION_NONE);
    b.result.virus = mfx_str_of("Eicar");
    b.result.klass = MFX_SCAN_CLASS_VIRUS;
    score_judge(&b.run);
    assert_int_equal(score_judge_find(&b.run), SCORE_ACTION_REJECT);
    assert_false(b.run.has_score);
    b.result.klass = MFX_SCAN_CLASS_PUA;
    score_judge(&b.run);
    assert_int_equal(score_judge_find(&b.run), SCORE_ACTION_TAG);
    assert_true(b.run.has_score);
    assert_int_equal(b.run.score, 2500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),         cmocka_unit_test(no_answer),
        cmocka_unit_test(not_even_begun), cmocka_unit_test(proposals),
        cmocka_unit_test(told),           cmocka_unit_test(malformed_settings),
        cmocka_unit_test(finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
