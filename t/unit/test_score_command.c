/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../milters/score/command.h"
#include "log_lines.h"
#include <mfx/base/env.h>
#include <mfx/base/file.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum {
    PATIENCE_MS = 30000,
};

/* A folder with the program, and the lines of the log. */
struct lab {
    char folder[64], program[80], said[80];
    struct log_lines log;
};

static size_t
lines_with(struct lab *lab, const char *words)
{
    return log_lines_count(&lab->log, "", words);
}

static void
lab_init(struct lab *lab, const char *script)
{
    *lab = (struct lab){.folder = "/tmp/mfx-command-XXXXXX"};
    assert_non_null(mkdtemp(lab->folder));
    (void)snprintf(lab->program, sizeof lab->program, "%s/program",
                   lab->folder);
    (void)snprintf(lab->said, sizeof lab->said, "%s/said", lab->folder);
    FILE *file = fopen(lab->program, "w");
    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\ncd %s || exit 9\n%s\n", lab->folder,
                  script);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(lab->program, 0700), 0);
    (void)pthread_mutex_init(&lab->log.mutex, NULL);
    mfx_log_redirect(log_lines_take, &lab->log);
}

static void
lab_fini(struct lab *lab)
{
    mfx_log_redirect(NULL, NULL);
    (void)pthread_mutex_destroy(&lab->log.mutex);
    (void)unlink(lab->program);
    (void)unlink(lab->said);
    (void)rmdir(lab->folder);
}

/* Until so many programs have ended. */
static struct score_command_counts
wait_for(struct score_command *c, uint64_t ended)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    struct score_command_counts counts = score_command_counts(c);
    while (counts.done + counts.failed < ended && mfx_mono_ms() < until_ms) {
        (void)usleep(2000);
        counts = score_command_counts(c);
    }
    assert_int_equal(counts.done + counts.failed, ended);
    return counts;
}

static const struct score_culprit alice = {
    .login = MFX_STR("alice"),
    .client = MFX_STR("192.0.2.1"),
    .client_name = MFX_STR("laptop.example.org"),
    .sender = MFX_STR("alice@example.org"),
    .recipient_count = 3,
    .has_score = true,
    .score = 17250,
    .action = SCORE_ACTION_HOLD,
    .reason = MFX_STR("total 17.25 >= 15"),
    .queue_id = MFX_STR("4BxQ1"),
};

static struct score_culprit
other(const char *login)
{
    struct score_culprit who = alice;
    who.login = mfx_str_of(login);
    return who;
}

/* --- what it hears --- */

static const struct {
    const char *label;
    struct mfx_str login, sender;
    bool has_score;
    const char *want;
} heard[] = {
    {"all of it",   MFX_STR("alice"),             MFX_STR("alice@example.org"), true,
     "alice|192.0.2.1|laptop.example.org|alice@example.org|3|17.25|hold|"
     "total 17.25 >= 15|4BxQ1\n"                                          },
    {"no score",    MFX_STR("bob"),               MFX_STR(""),                  false,
     "bob|192.0.2.1|laptop.example.org||3||hold|total 17.25 >= 15|4BxQ1\n"},
    {"shell_words", MFX_STR("$(touch x); `id`"),  MFX_STR("'\"|&"),             false,
     "$(touch x); `id`|192.0.2.1|laptop.example.org|'\"|&|3||hold|"
     "total 17.25 >= 15|4BxQ1\n"                                          },
    {"line_end",    MFX_STR("a\r\nMFX_CLIENT=x"), MFX_STR("\x80\xff"),          false,
     "a??MFX_CLIENT=x|192.0.2.1|laptop.example.org|\?\?|3||hold|"
     "total 17.25 >= 15|4BxQ1\n"                                          },
};

static void
environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(heard); i++) {
        struct lab lab;
        struct mfx_str said;
        struct mfx_err err = {""};
        struct score_culprit who = alice;
        lab_init(&lab,
                 "echo \"$MFX_LOGIN|$MFX_CLIENT|$MFX_CLIENT_NAME|$MFX_SENDER|"
                 "$MFX_RECIPIENTS|$MFX_SCORE|$MFX_ACTION|$MFX_REASON|"
                 "$MFX_QUEUE_ID\" > said\n"
                 "test -n \"$MFX_HOST\" -a \"${#MFX_TIME}\" = 20 -a $# = 0");
        struct score_command *c = score_command_new();
        score_command_set(c, lab.program, 30, 300);
        who.login = heard[i].login;
        who.sender = heard[i].sender;
        who.has_score = heard[i].has_score;
        score_command_tell(c, &who);
        unit_assert_int(heard[i].label, wait_for(c, 1).done, 1);
        struct mfx_arena *arena = mfx_arena_new(0);
        assert_int_equal(
            mfx_file_read(lab.said, 4096, arena, &said, NULL, &err), MFX_OK);
        unit_assert_str(heard[i].label, said, mfx_str_of(heard[i].want));
        mfx_arena_free(arena);
        score_command_free(c);
        lab_fini(&lab);
    }
}

/* --- how often --- */

static void
a_flood_is_told_of_once(void **state)
{
    struct lab lab;
    (void)state;
    lab_init(&lab, "exit 0");
    struct score_command *c = score_command_new();
    score_command_set(c, lab.program, 30, 1000);
    for (int i = 0; i < 500; i++)
        score_command_tell(c, &alice);
    const struct score_culprit bob = other("bob");
    score_command_tell(c, &bob);
    struct score_command_counts counts = wait_for(c, 2);
    assert_int_equal(counts.repeated, 499);
    assert_int_equal(counts.dropped, 0);
    assert_int_equal(lines_with(&lab, "outgoing_spam"), 2);
    /* a shorter interval: over at once */
    score_command_set(c, lab.program, 30, 0);
    score_command_tell(c, &alice);
    counts = wait_for(c, 3);
    assert_int_equal(counts.repeated, 499);
    assert_int_equal(lines_with(&lab, "login=alice"), 2);
    assert_int_equal(
        lines_with(
            &lab,
            "4BxQ1: outgoing_spam login=alice client=192.0.2.1 "
            "sender=alice@example.org recipients=3 score=17.25 action=hold "
            "reason=\"total 17.25 >= 15\" more_since_last=499 command=run"),
        1);
    score_command_free(c);
    lab_fini(&lab);
}

/* A client without a login is known by its address. */
static void
without_a_login(void **state)
{
    struct lab lab;
    (void)state;
    lab_init(&lab, "exit 0");
    struct score_command *c = score_command_new();
    struct score_culprit who = other("");
    score_command_set(c, NULL, 30, 1000);
    score_command_tell(c, &who);
    score_command_tell(c, &who);
    who.client = mfx_str_of("192.0.2.2");
    score_command_tell(c, &who);
    assert_int_equal(lines_with(&lab, "outgoing_spam"), 2);
    assert_int_equal(lines_with(&lab, "command=none"), 2);
    assert_int_equal(score_command_counts(c).done, 0);
    score_command_free(c);
    lab_fini(&lab);
}

/* --- what goes wrong --- */

static const struct {
    const char *label, *script, *reason;
    bool is_missing;
} failing[] = {
    {"exit_status", "exit 4",     "exit status 4",                          false},
    {"signal",      "kill -9 $$", "ended by signal 9",                      false},
    {"late",        "sleep 1000", "killed, since it had not ended in time", false},
    {"missing",     "",           "No such file or directory",              true },
};

static void
failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failing); i++) {
        struct lab lab;
        lab_init(&lab, failing[i].script);
        struct score_command *c = score_command_new();
        score_command_set(c, failing[i].is_missing ? lab.said : lab.program, 1,
                          300);
        score_command_tell(c, &alice);
        struct score_command_counts counts = wait_for(c, 1);
        unit_assert_int(failing[i].label, counts.failed, 1);
        unit_assert_int(failing[i].label, counts.running, 0);
        unit_assert_int(failing[i].label,
                        lines_with(&lab, "outgoing_command_failed login=alice"),
                        1);
        unit_assert_int(failing[i].label, lines_with(&lab, failing[i].reason),
                        1);
        score_command_free(c);
        lab_fini(&lab);
    }
}

/* Four run, a hundred wait, the rest is dropped; the end waits for none of
 * them for long. */
static void
too_many(void **state)
{
    struct lab lab;
    (void)state;
    lab_init(&lab, "sleep 1000");
    struct score_command *c = score_command_new();
    score_command_set(c, lab.program, 600, 300);
    for (int i = 0; i < 120; i++) {
        char login[32];
        (void)snprintf(login, sizeof login, "user%d", i);
        const struct score_culprit who = other(login);
        score_command_tell(c, &who);
    }
    struct score_command_counts counts = score_command_counts(c);
    for (int i = 0; i < 1000 && counts.running < 4; i++) {
        (void)usleep(10000);
        counts = score_command_counts(c);
    }
    assert_int_equal(counts.running, 4);
    assert_in_range(counts.dropped, 16, 20);
    assert_int_equal(counts.running + counts.waiting + counts.dropped, 120);
    assert_int_equal(lines_with(&lab, "command=\"too many wait\""),
                     counts.dropped);
    uint64_t before_ms = mfx_mono_ms();
    score_command_free(c);
    assert_true(mfx_mono_ms() - before_ms < PATIENCE_MS);
    assert_int_equal(lines_with(&lab, "the daemon ends"),
                     counts.running + counts.waiting);
    lab_fini(&lab);
}

static void *
tell_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        score_command_tell(arg, &alice);
    return NULL;
}

static void
from_any_thread(void **state)
{
    pthread_t threads[4];
    struct lab lab;
    (void)state;
    lab_init(&lab, "exit 0");
    struct score_command *c = score_command_new();
    score_command_set(c, lab.program, 30, 1000);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell_many, c), 0);
    for (int i = 0; i < 100; i++)
        score_command_set(c, lab.program, 30, 1000);
    for (size_t i = 0; i < COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(wait_for(c, 1).repeated, 3999);
    score_command_free(c);
    score_command_free(NULL);
    lab_fini(&lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment),
        cmocka_unit_test(a_flood_is_told_of_once),
        cmocka_unit_test(without_a_login),
        cmocka_unit_test(failures),
        cmocka_unit_test(too_many),
        cmocka_unit_test(from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
