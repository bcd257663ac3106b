/* SPDX-License-Identifier: BSD-2-Clause */
#include "score_conf.h"

#include <jansson.h>
#include <pthread.h>

#include "../../milters/score/message.h"
#include "../../milters/score/tally.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Nobody listens at port 1, and nobody is greeted. */
#define SERVER "check_interval = \"0\"; servers = [\"127.0.0.1:1\"]; "

static const char conf[] = "engines = ("
                           " { name = \"new\"; type = \"spamd\"; " SERVER "},"
                           " { name = \"old\"; type = \"spamd\";"
                           "   mode = \"shadow\"; " SERVER "},"
                           " { type = \"clamd\"; " SERVER "} );";

struct daemon {
    struct conf_files files;
    struct score_conf conf;
    struct score_policy policy;
    const struct score_engine *new, *old, *clamd;
};

static void
daemon_begin(struct daemon *d, const char *text)
{
    struct mfx_err err = {""};
    conf_files_init(&d->files);
    score_conf_load(&d->conf, &d->files, text);
    unit_assert_str("problems", score_conf_problems(&d->conf), mfx_str_of(""));
    d->policy = (struct score_policy){.settings = &d->conf.settings,
                                      .engines = d->conf.engines,
                                      .shared = score_shared_new(NULL)};
    assert_non_null(d->policy.shared);
    score_shared_begin(d->policy.shared, &d->conf.settings);
    assert_int_equal(
        score_engines_begin(d->conf.engines, d->policy.shared, &err), MFX_OK);
    if (d->conf.engines->count == 3) {
        d->new = &d->conf.engines->items[0];
        d->old = &d->conf.engines->items[1];
        d->clamd = &d->conf.engines->items[2];
    }
}

static void
daemon_end(struct daemon *d)
{
    score_conf_end(&d->conf);
    score_shared_release(d->policy.shared);
    conf_files_fini(&d->files);
}

/* --- three messages --- */

static const struct mfx_scan_symbol symbols[] = {
    {.name = MFX_STR("BAYES"),      .has_score = true, .score = 4.5 },
    {.name = MFX_STR("DKIM_VALID"), .has_score = true, .score = -0.1},
};
static const struct mfx_scan_result spam = {
    .end = MFX_SCAN_ANSWERED, .symbols = symbols, .symbol_count = 2};
static const struct mfx_scan_result ham = {
    .end = MFX_SCAN_ANSWERED, .symbols = symbols + 1, .symbol_count = 1};
static const struct mfx_scan_result clean = {.end = MFX_SCAN_ANSWERED};
static const struct mfx_scan_result late = {.end = MFX_SCAN_TIMEOUT};
static const struct mfx_scan_result virus = {.end = MFX_SCAN_ANSWERED,
                                             .klass = MFX_SCAN_CLASS_VIRUS};

static void
note(struct daemon *d, const struct mfx_scan_result *by_new,
     const struct mfx_scan_result *by_clamd, enum score_action action,
     uint64_t greylist_s, uint64_t now_s)
{
    const struct score_run runs[] = {
        {.engine = d->new,   .result = by_new  },
        {.engine = d->old,   .result = &virus  }, /* not counted here */
        {.engine = d->clamd, .result = by_clamd},
    };
    const struct score_verdict verdict = {
        .runs = runs,
        .run_count = COUNT(runs),
        .done = {.action = action},
        .is_spam = action > SCORE_ACTION_NONE,
        .unscanned =
            by_new == &late ? mfx_str_of("new: timeout") : mfx_str_of(""),
        .greylist_s = greylist_s,
    };
    score_shared_note(d->policy.shared, &verdict, now_s);
}

static void
compare(struct daemon *d, enum score_action did, enum score_action would,
        int64_t score, int64_t total, const char *queue_id, uint64_t now_s)
{
    struct score_difference difference = {.time_s = now_s,
                                          .did = did,
                                          .would = would,
                                          .has_scores = score != 0,
                                          .score = score,
                                          .total = total};
    (void)snprintf(difference.queue_id, sizeof difference.queue_id, "%s",
                   queue_id);
    score_tally_compare(d->old->tally, &difference);
}

static void
take_mail(struct daemon *d)
{
    note(d, &spam, &virus, SCORE_ACTION_REJECT, 0, 1795231800);
    note(d, &ham, NULL, SCORE_ACTION_NONE, 300, 1795231801);
    note(d, &late, &clean, SCORE_ACTION_NONE, 0, 1795231802);
    score_shared_note_skipped(d->policy.shared);
    score_shared_note_removed_fields(d->policy.shared, 7);
    compare(d, SCORE_ACTION_REJECT, SCORE_ACTION_REJECT, 8000, 17500, "a1", 1);
    compare(d, SCORE_ACTION_REJECT, SCORE_ACTION_TAG, 5500, 16500, "b2",
            1795231802);
    compare(d, SCORE_ACTION_NONE, SCORE_ACTION_TAG, 0, 0, "c\"3\n", 1795231803);
    score_tally_unanswered(d->old->tally);
    score_tally_alone(d->old->tally);
    score_tally_alone(d->old->tally);
}

/* --- metrics --- */

static const char *const metrics[] = {
    "mfx_score_messages_total{action=\"none\"} 2\n",
    "mfx_score_messages_total{action=\"tag\"} 0\n",
    "mfx_score_messages_total{action=\"reject\"} 1\n",
    "mfx_score_greylisted_total 1\n",
    "mfx_score_unscanned_total 1\n",
    "mfx_score_skipped_total 1\n",
    "mfx_score_removed_fields_total 7\n",
    "mfx_score_outgoing_command_total{result=\"done\"} 0\n",
    "mfx_score_scans_total{engine=\"new\",end=\"answered\"} 2\n",
    "mfx_score_scans_total{engine=\"new\",end=\"timeout\"} 1\n",
    "mfx_score_scans_total{engine=\"old\",end=\"answered\"} 0\n",
    "mfx_score_scans_total{engine=\"clamd\",end=\"not_asked\"} 1\n",
    "mfx_score_finds_total{engine=\"clamd\",class=\"virus\"} 1\n",
    "mfx_score_finds_total{engine=\"clamd\",class=\"pua\"} 0\n",
    "mfx_score_shadow_total{engine=\"old\",result=\"agreed\"} 1\n",
    "mfx_score_shadow_total{engine=\"old\",result=\"harsher\"} 1\n",
    "mfx_score_shadow_total{engine=\"old\",result=\"milder\"} 1\n",
    "mfx_score_shadow_total{engine=\"old\",result=\"unanswered\"} 1\n",
    "mfx_score_shadow_total{engine=\"old\",result=\"alone\"} 2\n",
    "mfx_score_engine_running{engine=\"new\"} 0\n",
    "mfx_score_engine_turned_away_total{engine=\"clamd\"} 0\n",
    "mfx_score_server_up{engine=\"new\",server=\"127.0.0.1:1\"} 1\n",
    "mfx_score_server_asked_total{engine=\"new\",server=\"127.0.0.1:1\"} 0\n",
    "mfx_score_server_seconds{engine=\"clamd\",server=\"127.0.0.1:1\","
    "quantile=\"0.99\"} 0.000\n",
    "mfx_score_server_seconds_count{engine=\"clamd\","
    "server=\"127.0.0.1:1\"} 0\n",
};

static bool
holds(struct mfx_str text, const char *part)
{
    return memmem(text.p, text.len, part, strlen(part)) != NULL;
}

/* Each family once, with its head before its values. */
static void
check_form(struct mfx_str text)
{
    struct mfx_str line, family = mfx_str_of("");
    char head[200];
    while (mfx_str_cut(&text, '\n', &line)) {
        if (mfx_str_starts(line, mfx_str_of("# TYPE "))) {
            struct mfx_str rest = mfx_str_from(line, strlen("# TYPE "));
            (void)mfx_str_cut(&rest, ' ', &family);
            (void)snprintf(head, sizeof head, "\n# TYPE %.*s ",
                           MFX_STR_ARG(family));
            if (holds(text, head))
                fail_msg("%s twice", head);
        } else if (line.len > 0 && line.p[0] != '#') {
            if (!mfx_str_starts(line, family))
                fail_msg("%.*s below %.*s", MFX_STR_ARG(line),
                         MFX_STR_ARG(family));
        }
    }
}

static void
metrics_say(void **state)
{
    struct daemon d;
    struct mfx_buf out;
    (void)state;
    daemon_begin(&d, conf);
    take_mail(&d);
    mfx_buf_init(&out, 1 << 20);
    score_shared_metrics(d.policy.shared, d.policy.engines, &out);
    for (size_t i = 0; i < COUNT(metrics); i++)
        if (!holds(mfx_buf_str(&out), metrics[i]))
            fail_msg("no %s in %s", metrics[i], mfx_buf_text(&out));
    assert_false(holds(mfx_buf_str(&out), "finds_total{engine=\"new\""));
    assert_false(holds(mfx_buf_str(&out), "shadow_total{engine=\"new\""));
    check_form(mfx_buf_str(&out));
    mfx_buf_fini(&out);
    daemon_end(&d);
}

/* --- verbs --- */

static enum mfx_rc
call(struct daemon *d, const char *words, bool as_json, struct mfx_buf *out,
     struct mfx_err *err)
{
    struct mfx_str args[8], rest = mfx_str_of(words), name;
    size_t count = 0;
    const struct mfx_control_verb *verb = score_control_verbs;
    (void)mfx_str_word(&rest, " ", &name);
    while (count < COUNT(args) && mfx_str_word(&rest, " ", &args[count]))
        count++;
    while (!mfx_str_is(name, verb->name))
        verb++;
    return verb->run(&d->policy, args, count, as_json, out, err);
}

static const struct {
    const char *label, *words;
    enum mfx_rc rc;
    const char *wanted[8], *unwanted; /* in the output, or the error */
} shown[] = {
    {"engines",
     "engines",                                   MFX_OK,
     {"new (spamd, enforce): 0 running, 0 waiting\n",
      "  127.0.0.1:1                  up ", "old (spamd, shadow): ",
      "  scans: answered 2, timeout 1\n", "  found: virus 1\n",
      "  in the shadow: agreed 1 of 3 (33.3 %), harsher 1, milder 1, no "
      "answer 1, nothing to compare with 2\n",
      "  mean score 6.75, of the others 17\n"},
     NULL                                                                                        },
    {"differences",
     "engines OLD",                               MFX_OK,
     {"    2026-11-21T03:30:03Z c\"3?: none, would have been tag\n"
      "    2026-11-21T03:30:02Z b2: reject, would have been tag (5.5, others "
      "16.5)\n"},
     "clamd"                                                                                     },
    {"engine_unknown",
     "engines new none",                          MFX_NOTFOUND,
     {"no engine of that name is configured"},
     NULL                                                                                        },
    {"symbols",
     "symbols",                                   MFX_OK,
     {"new          DKIM_VALID                                 2         1     "
      "    1    50.0      -0.1  2026-11-21T03:30:01Z\n"
      "new          BAYES                                      1         1     "
      "    0   100.0       4.5  2026-11-21T03:30:00Z\n"},
     NULL                                                                                        },
    {"top",                    "symbols --top 1", MFX_OK,       {"DKIM_VALID "},          "BAYES"},
    {"top joined",
     "symbols --top=1 --engine=new",              MFX_OK,
     {"DKIM_VALID "},
     "BAYES"                                                                                     },
    {"top all",                "symbols --top 0", MFX_OK,       {"DKIM_VALID ", "BAYES"}, NULL   },
    {"no symbols",
     "symbols --engine clamd",                    MFX_OK,
     {"no symbol has been seen\n"},
     "BAYES"                                                                                     },
    {"symbols_engine_unknown",
     "symbols --engine x",                        MFX_NOTFOUND,
     {"no engine of that name is configured"},
     NULL                                                                                        },
    {"top_without_number",
     "symbols --top",                             MFX_PERMFAIL,
     {"usage: symbols "},
     NULL                                                                                        },
    {"top_no_number",
     "symbols --top -1",                          MFX_PERMFAIL,
     {"usage: symbols "},
     NULL                                                                                        },
    {"option_unknown",
     "symbols --tip 1",                           MFX_PERMFAIL,
     {"usage: symbols "},
     NULL                                                                                        },
};

static void
verbs_say(void **state)
{
    struct daemon d;
    (void)state;
    daemon_begin(&d, conf);
    take_mail(&d);
    for (size_t i = 0; i < COUNT(shown); i++) {
        struct mfx_err err = {""};
        struct mfx_buf out;
        mfx_buf_init(&out, 1 << 20);
        unit_assert_int(shown[i].label,
                        call(&d, shown[i].words, false, &out, &err),
                        shown[i].rc);
        struct mfx_str got =
            shown[i].rc == MFX_OK ? mfx_buf_str(&out) : mfx_str_of(err.msg);
        for (size_t k = 0; shown[i].wanted[k] != NULL; k++)
            if (!holds(got, shown[i].wanted[k]))
                fail_msg("%s: no \"%s\" in \"%.*s\"", shown[i].label,
                         shown[i].wanted[k], MFX_STR_ARG(got));
        if (shown[i].unwanted != NULL && holds(got, shown[i].unwanted))
            fail_msg("%s: \"%s\"", shown[i].label, shown[i].unwanted);
        mfx_buf_fini(&out);
    }
    daemon_end(&d);
}

static json_t *
call_json(struct daemon *d, const char *words)
{
    struct mfx_err err = {""};
    struct mfx_buf out;
    mfx_buf_init(&out, 1 << 20);
    assert_int_equal(call(d, words, true, &out, &err), MFX_OK);
    json_t *value = json_loads(mfx_buf_text(&out), 0, NULL);
    if (value == NULL)
        fail_msg("%s: no JSON: %s", words, mfx_buf_text(&out));
    mfx_buf_fini(&out);
    return value;
}

/* "1.shadow.agreed" */
static json_t *
at(json_t *value, const char *path)
{
    struct mfx_str rest = mfx_str_of(path), word;
    while (value != NULL && mfx_str_cut(&rest, '.', &word)) {
        char name[40];
        uint64_t n;
        (void)snprintf(name, sizeof name, "%.*s", MFX_STR_ARG(word));
        value = json_is_array(value) && mfx_str_to_u64(word, 1000, &n) == MFX_OK
                    ? json_array_get(value, (size_t)n)
                    : json_object_get(value, name);
    }
    return value;
}

static const struct {
    const char *words, *path, *want; /* as JSON */
} fields[] = {
    {"engines",                "0.engine",                   "\"new\""                 },
    {"engines",                "0.type",                     "\"spamd\""               },
    {"engines",                "0.mode",                     "\"enforce\""             },
    {"engines",                "0.scans.timeout",            "1"                       },
    {"engines",                "0.servers.0.server",         "\"127.0.0.1:1\""         },
    {"engines",                "0.servers.0.health",         "\"up\""                  },
    {"engines",                "0.servers.0.asked",          "0"                       },
    {"engines",                "0.turned_away",              "0"                       },
    {"engines",                "0.shadow",                   NULL                      },
    {"engines",                "1.shadow.agreed",            "1"                       },
    {"engines",                "1.shadow.unanswered",        "1"                       },
    {"engines",                "1.shadow.alone",             "2"                       },
    {"engines",                "1.shadow.mean_score",        "6.75"                    },
    {"engines",                "1.shadow.others_mean_score", "17.0"                    },
    {"engines",                "1.shadow.seen.0",
     "{\"did\":\"none\",\"would\":\"tag\",\"count\":1}"                                },
    {"engines",                "1.shadow.last.0.queue_id",   "\"c\\\"3?\""             },
    {"engines",                "1.shadow.last.0.score",      NULL                      },
    {"engines",                "1.shadow.last.1.score",      "5.5"                     },
    {"engines",                "1.shadow.last.1.time",       "\"2026-11-21T03:30:02Z\""},
    {"engines",                "1.shadow.last.2",            NULL                      },
    {"engines",                "2.finds.virus",              "1"                       },
    {"engines clamd",          "0.engine",                   "\"clamd\""               },
    {"engines clamd",          "1",                          NULL                      },
    {"symbols",                "0.symbol",                   "\"DKIM_VALID\""          },
    {"symbols",                "0.ham",                      "1"                       },
    {"symbols",                "0.spam",                     "1"                       },
    {"symbols",                "1.hits",                     "1"                       },
    {"symbols",                "1.mean_score",               "4.5"                     },
    {"symbols",                "1.last",                     "\"2026-11-21T03:30:00Z\""},
    {"symbols --engine clamd", "0",                          NULL                      },
};

static void
verbs_say_json(void **state)
{
    struct daemon d;
    (void)state;
    daemon_begin(&d, conf);
    take_mail(&d);
    for (size_t i = 0; i < COUNT(fields); i++) {
        json_t *value = call_json(&d, fields[i].words);
        json_t *field = at(value, fields[i].path);
        char *got = field == NULL
                        ? NULL
                        : json_dumps(field, JSON_ENCODE_ANY | JSON_COMPACT |
                                                JSON_REAL_PRECISION(12));
        unit_assert_str(fields[i].path, mfx_str_of(got),
                        mfx_str_of(fields[i].want));
        free(got);
        json_decref(value);
    }
    daemon_end(&d);
}

static void
without_engines(void **state)
{
    struct daemon d;
    struct mfx_buf out;
    struct mfx_err err = {""};
    (void)state;
    daemon_begin(&d, "");
    mfx_buf_init(&out, 1 << 20);
    assert_int_equal(call(&d, "engines", false, &out, &err), MFX_OK);
    assert_string_equal(mfx_buf_text(&out), "no engine is configured\n");
    mfx_buf_clear(&out);
    assert_int_equal(call(&d, "engines", true, &out, &err), MFX_OK);
    assert_string_equal(mfx_buf_text(&out), "[]\n");
    mfx_buf_clear(&out);
    score_shared_metrics(d.policy.shared, d.policy.engines, &out);
    assert_true(holds(mfx_buf_str(&out), "mfx_score_skipped_total 0\n"));
    assert_false(holds(mfx_buf_str(&out), "mfx_score_scans_total"));
    mfx_buf_fini(&out);
    daemon_end(&d);
}

/* --- the ring --- */

static void
the_last_differences_are_kept(void **state)
{
    struct daemon d;
    struct score_tally_view view;
    (void)state;
    daemon_begin(&d, conf);
    for (int i = 0; i < 100; i++) {
        char queue_id[32];
        (void)snprintf(queue_id, sizeof queue_id, "q%d", i);
        compare(&d, SCORE_ACTION_TAG,
                i % 2 == 0 ? SCORE_ACTION_TAG : SCORE_ACTION_HOLD, 0, 0,
                queue_id, (uint64_t)i);
    }
    score_tally_look(d.old->tally, &view);
    unit_assert_int("agreed", view.agreed, 50);
    unit_assert_int("harsher", view.harsher, 50);
    unit_assert_int("seen", view.seen[SCORE_ACTION_TAG][SCORE_ACTION_HOLD], 50);
    unit_assert_int("kept", view.last_count, SCORE_TALLY_LAST);
    assert_string_equal(view.last[0].queue_id, "q99");
    assert_string_equal(view.last[SCORE_TALLY_LAST - 1].queue_id, "q61");
    daemon_end(&d);
}

/* --- threads --- */

static void *
work(void *arg)
{
    struct daemon *d = arg;
    for (int i = 0; i < 300; i++) {
        struct mfx_err err = {""};
        struct mfx_buf out;
        take_mail(d);
        if (i % 50 != 0)
            continue;
        mfx_buf_init(&out, 1 << 20);
        score_shared_metrics(d->policy.shared, d->policy.engines, &out);
        (void)!call(d, "engines", i % 100 == 0, &out, &err);
        (void)!call(d, "symbols", i % 100 == 0, &out, &err);
        mfx_buf_fini(&out);
    }
    return NULL;
}

static void
from_any_thread(void **state)
{
    pthread_t threads[4];
    struct daemon d;
    struct score_tally_view view;
    struct mfx_err err = {""};
    (void)state;
    daemon_begin(&d, conf);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &d), 0);
    for (int i = 0; i < 20; i++) { /* and reloads beside them */
        struct conf_files files;
        struct score_conf other;
        conf_files_init(&files);
        score_conf_load(&other, &files, conf);
        score_shared_begin(d.policy.shared, &other.settings);
        assert_int_equal(
            score_engines_begin(other.engines, d.policy.shared, &err), MFX_OK);
        score_conf_end(&other);
        conf_files_fini(&files);
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
    score_tally_look(d.new->tally, &view);
    unit_assert_int("answered", view.ends[MFX_SCAN_ANSWERED], 4 * 300 * 2);
    score_tally_look(d.old->tally, &view);
    unit_assert_int("harsher", view.harsher, 4 * 300);
    daemon_end(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_say),
        cmocka_unit_test(verbs_say),
        cmocka_unit_test(verbs_say_json),
        cmocka_unit_test(without_engines),
        cmocka_unit_test(the_last_differences_are_kept),
        cmocka_unit_test(from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
