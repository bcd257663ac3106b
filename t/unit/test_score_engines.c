/* SPDX-License-Identifier: BSD-2-Clause */
#include "score_conf.h"

#include <sys/stat.h>

#include "certs.h"
#include "scan_clamd.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* --- what is right --- */

static void
defaults(void **state)
{
    struct conf_files files;
    struct score_conf c;
    (void)state;
    conf_files_init(&files);
    score_conf_load(&c, &files,
                    "engines = ( { }, { type = \"spamd\"; mode = \"shadow\"; },"
                    "            { name = \"gone\"; mode = \"off\"; },"
                    "            { type = \"clamd\"; name = \"av-1\"; });");
    unit_assert_str("problems", score_conf_problems(&c), mfx_str_of(""));
    assert_int_equal(c.rc, MFX_OK);
    assert_int_equal(c.engines->count, 3);
    const struct score_engine *e = c.engines->items;
    unit_assert_str("rspamd", e[0].name, mfx_str_of("rspamd"));
    unit_assert_str("spamd", e[1].name, mfx_str_of("spamd"));
    unit_assert_str("clamd", e[2].name, mfx_str_of("av-1"));
    unit_assert_int("index", e[2].index, 3);
    assert_false(e[0].is_shadow);
    assert_true(e[1].is_shadow);
    for (size_t i = 0; i < 3; i++) {
        assert_true(e[i].takes_score && e[i].takes_action && e[i].takes_edits);
        assert_null(e[i].engine);
        assert_null(e[i].tally);
    }
    assert_true(score_engine_is_for_viruses(&e[2]));
    assert_false(score_engine_is_for_viruses(&e[1]));
    assert_false(score_engines_are_outdated(c.engines));
    score_conf_end(&c);
    conf_files_fini(&files);
}

static void
details(void **state)
{
    struct conf_files files;
    struct score_conf c;
    (void)state;
    conf_files_init(&files);
    score_conf_load(
        &c, &files,
        "engines = ("
        "  { name = \"in\"; mail = \"incoming\"; takes = [\"action\"]; "
        "    servers = [\"10.0.0.1:11333*3\", \"unix:/run/r.sock\"];"
        "    order = \"weight\"; },"
        "  { name = \"out\"; mail = \"outgoing\"; takes = [\"score\"]; },"
        "  { type = \"clamd\"; takes = []; "
        "    class_scores = [\"pua=3\", \" macro = -2.5 \"]; });");
    unit_assert_str("problems", score_conf_problems(&c), mfx_str_of(""));
    const struct score_engine *e = c.engines->items;
    assert_true(score_engine_wants(&e[0], false));
    assert_false(score_engine_wants(&e[0], true));
    assert_false(score_engine_wants(&e[1], false));
    assert_true(score_engine_wants(&e[1], true));
    assert_true(score_engine_wants(&e[2], false));
    assert_true(score_engine_wants(&e[2], true));
    assert_true(e[0].takes_action && !e[0].takes_score && !e[0].takes_edits);
    assert_true(e[1].takes_score && !e[1].takes_action && !e[1].takes_edits);
    assert_false(e[2].takes_score || e[2].takes_action || e[2].takes_edits);
    for (int k = 0; k < MFX_SCAN_CLASS_COUNT; k++) {
        bool has_one = k == MFX_SCAN_CLASS_PUA || k == MFX_SCAN_CLASS_MACRO;
        unit_assert_int(mfx_scan_class_name((enum mfx_scan_class)k),
                        e[2].has_class_score[k], has_one);
    }
    assert_int_equal(e[2].class_scores[MFX_SCAN_CLASS_PUA], 3000);
    assert_int_equal(e[2].class_scores[MFX_SCAN_CLASS_MACRO], -2500);
    score_conf_end(&c);
    conf_files_fini(&files);
}

/* --- what is wrong --- */

#define CLAMD "type = \"clamd\"; "
#define SPAMD "type = \"spamd\"; "

static const struct {
    const char *label, *group;
    const char *want; /* of the first problem, its place left out */
    enum mfx_rc rc;
} groups[] = {
    {"name_with_space",           "name = \"a b\";",
     "engines[0].name: at most 40 letters, digits, \"-\" and \"_\": a b",                                                                           MFX_PERMFAIL},
    {"name_too_long",             "name = \"12345678901234567890123456789012345678901\";",
     "engines[0].name: at most 40 letters, digits, \"-\" and \"_\": "
     "12345678901234567890123456789012345678901",                                                                                                   MFX_PERMFAIL},
    {"name_twice",                "name = \"A\"; }, { name = \"a\";",
     "engines[1].name: another engine has this name: a",                                                                                            MFX_PERMFAIL},
    {"default_name_twice",        "}, {",
     "engines[1].name: another engine has this name: rspamd",                                                                                       MFX_PERMFAIL},
    {"port_missing",              "servers = [\"unix:\"];",
     "engines[0].servers: \"unix:\": an absolute",                                                                                                  MFX_PERMFAIL},
    {"port_too_large",            "servers = [\"h:65536\"];",
     "engines[0].servers: \"h:65536\"",                                                                                                             MFX_PERMFAIL},
    {"server_twice",              "servers = [\"h:1\", \"H:1\"];",
     "engines[0].servers: this server is there twice: H:1",                                                                                         MFX_PERMFAIL},
    {"weight_zero",               "order = \"weight\"; servers = [\"h:1*0\"];",
     "engines[0].servers: no weight from 1 to 1000 behind \"*\": h:1*0",                                                                            MFX_PERMFAIL},
    {"weight_negative",           "order = \"weight\"; servers = [\"h:1*-1\"];",
     "engines[0].servers: no weight from 1 to 1000 behind \"*\": h:1*-1",                                                                           MFX_PERMFAIL},
    {"weight_huge",               "order = \"weight\"; servers = [\"h:1*1001\"];",
     "engines[0].servers: no weight from 1 to 1000 behind \"*\": h:1*1001",                                                                         MFX_PERMFAIL},
    {"weight_empty",              "order = \"weight\"; servers = [\"h:1*\"];",
     "engines[0].servers: no weight from 1 to 1000 behind \"*\": h:1*",                                                                             MFX_PERMFAIL},
    {"weight_without_order",      "servers = [\"h:1*3\"];",
     "warning: engines[0].servers: a weight counts with order = \"weight\" "
     "alone: h:1*3",                                                                                                                                MFX_OK      },
    {"servers_too_many",
     "servers = \"a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9,a:10,a:11,a:12,a:13,"
     "a:14,a:15,a:16,a:17,a:18,a:19,a:20,a:21,a:22,a:23,a:24,a:25,a:26,a:27,"
     "a:28,a:29,a:30,a:31,a:32,a:33\";",                                                   "engines[0].servers: more than 32 servers",              MFX_PERMFAIL},
    {"takes_unknown",             "takes = [\"score\", \"edit\"];",
     "engines[0].takes: score, action or edits is wanted: edit",                                                                                    MFX_PERMFAIL},
    {"actions_twice",             "actions = [\"reject=hold\", \"Reject=tag\"];",
     "engines[0].actions: this word is there twice: Reject=tag",                                                                                    MFX_PERMFAIL},
    {"actions_not_taken",         "takes = []; actions = [\"reject=hold\"];",
     "warning: engines[0].actions: it counts with \"action\" in takes alone",                                                                       MFX_OK      },
    {"actions_of_spamd",          SPAMD "actions = [\"reject=hold\"];",
     "warning: engines[0].actions: spamd proposes nothing but \"spam\"",                                                                            MFX_OK      },
    {"retry_backwards",           "retry = \"2m\";",
     "engines[0].retry_max: it is shorter than retry",                                                                                              MFX_PERMFAIL},
    {"part_of_nothing",           "on_too_large = \"part\";",
     "warning: engines[0].on_too_large: \"part\" is a part of max_size bytes, "
     "which is not set",                                                                                                                            MFX_OK      },
    {"failure_score_idle",        "failure_score = 5;",
     "warning: engines[0].failure_score: it counts with on_failure = \"score\" "
     "alone",                                                                                                                                       MFX_OK      },
    {"tls_not_on",                "tls_name = \"scan.example\";",
     "engines[0].tls: it is not on, but there are settings for it",                                                                                 MFX_PERMFAIL},
    {"tls_of_clamd",              CLAMD "tls = true;",
     "warning: engines[0].tls: means nothing for an engine of this type: "
     "clamd",                                                                                                                                       MFX_PERMFAIL},
    {"tls_unix_without_name",     "tls = true; servers = [\"unix:/run/r\"];",
     "engines[0].tls_name: it is needed for TLS over a UNIX socket: "
     "unix:/run/r",                                                                                                                                 MFX_PERMFAIL},
    {"tls_file_missing",          "tls = true; tls_ca_file = \"/nowhere/ca.pem\";",
     "engines[0].tls: /nowhere/ca.pem: ",                                                                                                           MFX_PERMFAIL},
    {"password_twice",
     "password = \"hidden\"; password_file = \"/nowhere/password\";",                      "engines[0].password_file: there is a password already", MFX_PERMFAIL},
    {"password_with_line_end",    "password = \"hid\\r\\nden\";",
     "engines[0].password: a password is one line of text",                                                                                         MFX_PERMFAIL},
    {"password_file_missing",     "password_file = \"/nowhere/password\";",
     "/nowhere/password: ",                                                                                                                         MFX_PERMFAIL},
    {"password_of_spamd",         SPAMD "password = \"hidden\";",
     "warning: engines[0].password: means nothing for an engine of this type: "
     "spamd",                                                                                                                                       MFX_OK      },
    {"settings_no_json",          "settings = \"{\";",
     "engines[0].settings: no JSON object: ",                                                                                                       MFX_PERMFAIL},
    {"settings_no_object",        "settings = \"[]\";",
     "engines[0].settings: no JSON object",                                                                                                         MFX_PERMFAIL},
    {"settings_id_with_line_end", "settings_id = \"a\\nb\";",
     "engines[0].settings_id: it holds control characters",                                                                                         MFX_PERMFAIL},
    {"outgoing_id_with_line_end", "outgoing_settings_id = \"a\\rb\";",
     "engines[0].outgoing_settings_id: it holds control characters",                                                                                MFX_PERMFAIL},
    {"controller_broken",         "controller = [\"[::1\"];",
     "engines[0].controller: ",                                                                                                                     MFX_PERMFAIL},
    {"user_with_line_end",        SPAMD "user = \"a\\nTell: x\";",
     "engines[0].user: no user name that spamd takes",                                                                                              MFX_PERMFAIL},
    {"each_without_users",        SPAMD "per_user = \"each\";",
     "warning: engines[0].per_user: without users all recipients are alike",                                                                        MFX_OK      },
    {"class_unknown",             CLAMD "class_scores = [\"worm=3\"];",
     "engines[0].class_scores: virus, pua, heuristic, encrypted, macro, limit, "
     "phishing, spam, data_loss or broken is wanted before \"=\": worm=3",                                                                          MFX_PERMFAIL},
    {"class_none",                CLAMD "class_scores = [\"none=3\"];",
     "engines[0].class_scores: virus, pua, ",                                                                                                       MFX_PERMFAIL},
    {"class_without_score",       CLAMD "class_scores = [\"pua\"];",
     "engines[0].class_scores: a number is wanted behind \"=\": pua",                                                                               MFX_PERMFAIL},
    {"class_score_no_number",     CLAMD "class_scores = [\"pua=x\"];",
     "engines[0].class_scores: a number is wanted behind \"=\": pua=x",                                                                             MFX_PERMFAIL},
    {"class_twice",               CLAMD "class_scores = [\"pua=1\", \"pua=2\"];",
     "engines[0].class_scores: this class is there twice: pua=2",                                                                                   MFX_PERMFAIL},
    {"class_of_rspamd",           "class_scores = [\"pua=1\"];",
     "warning: engines[0].class_scores: means nothing for an engine of this "
     "type: rspamd",                                                                                                                                MFX_OK      },
    {"wrong_but_off",             "mode = \"off\"; takes = [\"x\"];",
     "engines[0].takes: score, action or edits is wanted: x",                                                                                       MFX_PERMFAIL},
};

static void
problems(void **state)
{
    struct conf_files files;
    (void)state;
    conf_files_init(&files);
    for (size_t i = 0; i < COUNT(groups); i++) {
        struct score_conf c;
        char text[600];
        (void)snprintf(text, sizeof text, "engines = ( { %s } );\n",
                       groups[i].group);
        score_conf_load(&c, &files, text);
        struct mfx_str got = score_conf_problems(&c);
        size_t colon = mfx_str_find(got, ':');
        got = mfx_str_from(got, colon + strlen(":1: "));
        unit_assert_str(groups[i].label,
                        mfx_str_head(got, strlen(groups[i].want)),
                        mfx_str_of(groups[i].want));
        unit_assert_int(groups[i].label, c.rc, groups[i].rc);
        if (got.len > 0 && memmem(got.p, got.len, "hidden", 6) != NULL)
            fail_msg("%s: a password is told", groups[i].label);
        score_conf_end(&c);
    }
    conf_files_fini(&files);
}

/* --- reloads --- */

struct life {
    struct conf_files files;
    struct score_shared *shared;
    struct score_conf now, before;
    bool has_before;
};

static void
life_begin(struct life *l)
{
    *l = (struct life){.shared = score_shared_new(NULL)};
    assert_non_null(l->shared);
    conf_files_init(&l->files);
}

/* A reload: the policy before it lives on for the messages under way. */
static const struct score_engine *
life_load(struct life *l, const char *text)
{
    struct mfx_err err = {""};
    if (l->has_before)
        score_conf_end(&l->before);
    l->before = l->now;
    l->has_before = l->now.arena != NULL;
    score_conf_load(&l->now, &l->files, text);
    unit_assert_str(text, score_conf_problems(&l->now), mfx_str_of(""));
    score_shared_begin(l->shared, &l->now.settings);
    assert_int_equal(score_engines_begin(l->now.engines, l->shared, &err),
                     MFX_OK);
    for (size_t i = 0; i < l->now.engines->count; i++) {
        assert_non_null(l->now.engines->items[i].engine);
        assert_non_null(l->now.engines->items[i].tally);
    }
    return l->now.engines->items;
}

static void
life_end(struct life *l)
{
    if (l->has_before)
        score_conf_end(&l->before);
    score_conf_end(&l->now);
    score_shared_release(l->shared);
    conf_files_fini(&l->files);
}

#define IDLE "check_interval = \"0\"; "

static const struct {
    const char *label, *first, *second;
    bool is_kept;
} changes[] = {
    {"nothing",      CLAMD,                     CLAMD,                         true },
    {"what is done", CLAMD "on_pua = \"tag\";", CLAMD "on_pua = \"hold\";",
     true                                                                           },
    {"scale",        SPAMD,                     SPAMD "scale = 2;",            true },
    {"takes",        SPAMD,                     SPAMD "takes = [];",           true },
    {"shadow",       SPAMD,                     SPAMD "mode = \"shadow\";",    true },
    {"timeout",      SPAMD,                     SPAMD "timeout = \"5s\";",     true },
    {"name",         CLAMD,                     CLAMD "name = \"av\";",        false},
    {"type",         CLAMD "name = \"x\";",     SPAMD "name = \"x\";",         false},
    {"server",       CLAMD,                     CLAMD "servers = \"h:1\";",    false},
    {"sessions",     CLAMD,                     CLAMD "sessions = true;",      false},
    {"user",         SPAMD,                     SPAMD "user = \"u\";",         false},
    {"command",      SPAMD,                     SPAMD "command = \"report\";", false},
    {"max_size",     CLAMD,                     CLAMD "max_size = \"1M\";",    false},
    {"connections",  CLAMD,                     CLAMD "max_connections = 3;",  false},
    {"password",     "password = \"a\";",       "password = \"b\";",           false},
};

static void
reloads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct life l;
        char text[200];
        life_begin(&l);
        (void)snprintf(text, sizeof text, "engines = ( { " IDLE "%s } );",
                       changes[i].first);
        const struct score_engine *first = life_load(&l, text);
        (void)snprintf(text, sizeof text, "engines = ( { " IDLE "%s } );",
                       changes[i].second);
        const struct score_engine *second = life_load(&l, text);
        unit_assert_int(changes[i].label, second->engine == first->engine,
                        changes[i].is_kept);
        unit_assert_int(changes[i].label, second->tally == first->tally,
                        mfx_str_eq(first->name, second->name));
        life_end(&l);
    }
}

/* Gone, and there again: it begins anew. */
static void
removed(void **state)
{
    static const char both[] =
        "engines = ( { " IDLE CLAMD "}, { " IDLE SPAMD "} );";
    struct life l;
    (void)state;
    life_begin(&l);
    (void)life_load(&l, both);
    (void)life_load(&l, "engines = ( { " IDLE CLAMD "} );");
    assert_ptr_equal(l.now.engines->items[0].engine,
                     l.before.engines->items[0].engine);
    const struct score_engine *after = life_load(&l, both);
    assert_int_equal(l.now.engines->count, 2);
    assert_ptr_equal(after[0].engine, l.before.engines->items[0].engine);
    (void)life_load(&l, "");
    assert_int_equal(l.now.engines->count, 0);
    life_end(&l);
}

/* --- files --- */

static void
files_are_watched(void **state)
{
    struct life l;
    struct certs certs;
    char text[500], ca[CERTS_PATH];
    (void)state;
    life_begin(&l);
    assert_true(certs_make(&certs));
    const char *path =
        conf_files_write(&l.files, "password", mfx_str_of("one\nmore\n"));
    assert_int_equal(chmod(path, 0600), 0);
    (void)snprintf(text, sizeof text,
                   "engines = ( { password_file = \"%s\"; tls = true; " IDLE
                   "tls_ca_file = \"%s\"; } );",
                   path, certs_path(&certs, "ca.pem", ca));
    struct mfx_scan_engine *first = life_load(&l, text)->engine;
    assert_false(score_engines_are_outdated(l.now.engines));
    assert_ptr_equal(life_load(&l, text)->engine, first);
    (void)conf_files_write(&l.files, "password", mfx_str_of("two\n"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(score_engines_are_outdated(l.now.engines));
    struct mfx_scan_engine *second = life_load(&l, text)->engine;
    assert_ptr_not_equal(second, first);
    assert_false(score_engines_are_outdated(l.now.engines));
    FILE *file = fopen(ca, "a");
    assert_non_null(file);
    (void)fputs("\n", file);
    assert_int_equal(fclose(file), 0);
    assert_true(score_engines_are_outdated(l.now.engines));
    assert_ptr_not_equal(life_load(&l, text)->engine, second);
    assert_int_equal(unlink(ca), 0);
    /* on its way to be replaced: what was read still holds */
    assert_false(score_engines_are_outdated(l.now.engines));
    life_end(&l);
    certs_remove(&certs);
}

/* --- asking --- */

static void
serve(struct scan_peer *peer, int fd, unsigned number)
{
    char command[64];
    (void)number;
    while (clam_next(fd, command, sizeof command)) {
        if (strcmp(command, "zIDSESSION") == 0)
            continue;
        if (strcmp(command, "zINSTREAM") != 0)
            return;
        clam_stream(fd, NULL);
        unsigned id = atomic_fetch_add(&peer->asked, 1) + 1;
        char answer[64];
        (void)snprintf(answer, sizeof answer, "%u: stream: OK", id);
        clam_say(fd, answer);
    }
}

static enum mfx_scan_end
ask(const struct score_engine *engine)
{
    const struct mfx_scan_envelope envelope = {.queue_id = MFX_STR("1")};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 16, NULL);
    const struct mfx_scan_request request = {
        .envelope = &envelope, .body = body, .time_ms = PATIENCE_MS};
    struct mfx_scan *scan = mfx_scan_begin(arena, engine->engine, &request);
    mfx_scan_body_add(body, mfx_str_of("Subject: x\r\n\r\nx\r\n"));
    mfx_scan_body_end(body);
    for (struct mfx_event *e; (e = mfx_scan_pending(scan)) != NULL;)
        (void)mfx_event_wait(e, mfx_scan_deadline_ms(scan));
    enum mfx_scan_end end = mfx_scan_finish(scan)->end;
    mfx_arena_free(arena);
    mfx_scan_body_free(body);
    return end;
}

static uint64_t
answered(const struct score_engine *engine)
{
    struct mfx_scan_server_report report;
    assert_int_equal(mfx_scan_engine_report(engine->engine, &report, 1, NULL),
                     1);
    assert_true(report.median_ms <= report.p99_ms);
    assert_true(report.p99_ms <= report.max_ms);
    return report.answered;
}

/* Kept: what is known of the server, and the connection to it. Replaced: the
 * one before still answers for messages under way. */
static void
asked_over_reloads(void **state)
{
    struct scan_peer peer;
    struct life l;
    char text[300];
    (void)state;
    life_begin(&l);
    scan_peer_start(&peer, serve, NULL, NULL);
    (void)snprintf(text, sizeof text,
                   "engines = ( { type = \"clamd\"; " IDLE
                   "sessions = true; servers = [\"%s\"]; } );",
                   peer.text);
    assert_int_equal(ask(life_load(&l, text)), MFX_SCAN_ANSWERED);
    assert_int_equal(ask(life_load(&l, text)), MFX_SCAN_ANSWERED);
    assert_int_equal(answered(l.now.engines->items), 2);
    assert_int_equal(atomic_load(&peer.count), 1);
    (void)snprintf(text, sizeof text,
                   "engines = ( { type = \"clamd\"; " IDLE
                   "sessions = false; servers = [\"%s\"]; } );",
                   peer.text);
    (void)life_load(&l, text);
    assert_int_equal(answered(l.now.engines->items), 0);
    assert_int_equal(ask(l.before.engines->items), MFX_SCAN_ANSWERED);
    assert_int_equal(answered(l.before.engines->items), 3);
    life_end(&l);
    scan_peer_stop(&peer);
}

static void
teachers(void **state)
{
    struct conf_files files;
    struct score_conf c;
    struct mfx_err err = {""};
    struct mfx_scan_server_report report;
    (void)state;
    conf_files_init(&files);
    struct score_shared *shared = score_shared_new(NULL);
    score_conf_load(&c, &files,
                    "engines = ( { " IDLE "controller = \"h:5\"; }, "
                    "{ " IDLE SPAMD "}, { " IDLE CLAMD "} );");
    assert_int_equal(c.rc, MFX_OK);
    assert_int_equal(score_engines_begin_learning(c.engines, shared, &err),
                     MFX_OK);
    assert_non_null(c.engines->items[0].engine);
    assert_int_equal(
        mfx_scan_engine_report(c.engines->items[0].engine, &report, 1, NULL),
        1);
    assert_string_equal(report.server, "h:5");
    assert_non_null(c.engines->items[1].engine);
    assert_null(c.engines->items[2].engine);
    /* one that learns is no one that checks */
    struct score_conf checks;
    score_conf_load(&checks, &files, "engines = ( { " IDLE SPAMD "} );");
    assert_int_equal(score_engines_begin(checks.engines, shared, &err), MFX_OK);
    assert_ptr_not_equal(checks.engines->items[0].engine,
                         c.engines->items[1].engine);
    score_conf_end(&checks);
    score_conf_end(&c);
    score_shared_release(shared);
    conf_files_fini(&files);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(details),
        cmocka_unit_test(problems),
        cmocka_unit_test(reloads),
        cmocka_unit_test(removed),
        cmocka_unit_test(files_are_watched),
        cmocka_unit_test(asked_over_reloads),
        cmocka_unit_test(teachers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
