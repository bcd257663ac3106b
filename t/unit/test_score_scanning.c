/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which engines are asked, and for whom: the runs that a message needs. No
 * engine has been begun here, so nobody is asked.
 */
#include "unit.h"

#include <mfx/scan/scan_body_impl.h>

#include "../../milters/score/message.h"

enum {
    USERS = 3,
};

struct bench {
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_problems problems;
    struct score_settings settings;
    struct score_engine_settings engine_settings[2];
    struct score_engine engines[2];
    struct score_engines list;
    struct score_policy policy;
    struct mfx_decision decision;
    struct mfx_message message;
    struct mfx_recipient recipients[4];
    struct score_message q;
};

static void
set_up(struct bench *b, const char *users)
{
    static const char *const names[] = {"spamd", "clamd"};
    static const enum score_engine_type types[] = {SCORE_ENGINE_SPAMD,
                                                   SCORE_ENGINE_CLAMD};
    memset(b, 0, sizeof *b);
    b->arena = mfx_arena_new(0);
    b->tables = mfx_table_set_new(NULL);
    mfx_problems_init(&b->problems, b->arena);
    mfx_decision_init(&b->decision, b->arena);
    b->settings.memory_limit = 65536;
    for (size_t i = 0; i < 2; i++) {
        b->engine_settings[i].user = mfx_str_of("nobody");
        b->engine_settings[i].max_users = USERS;
        b->engines[i] = (struct score_engine){
            .name = mfx_str_of(names[i]),
            .type = types[i],
            .settings = &b->engine_settings[i],
        };
    }
    if (mfx_table_open(b->tables, mfx_str_of(users), MFX_TABLE_NOCASE, "test",
                       0, &b->problems, &b->engine_settings[0].users) != MFX_OK)
        fail_msg("no table: %s", users);
    b->list = (struct score_engines){b->engines, 2};
    b->policy.settings = &b->settings;
    b->policy.engines = &b->list;
    b->message.arena = b->arena;
    b->message.decision = &b->decision;
    b->message.policy = &b->policy;
}

static void
tear_down(struct bench *b)
{
    score_scanning_cancel(&b->q);
    mfx_table_set_free(b->tables);
    mfx_arena_free(b->arena);
}

static void
add_recipients(struct bench *b, const char *const *addresses)
{
    for (size_t i = 0; i < 4 && addresses[i] != NULL; i++) {
        b->recipients[i].address = mfx_str_of(addresses[i]);
        if (i > 0)
            b->recipients[i - 1].next = &b->recipients[i];
        b->message.recipient_count++;
    }
    if (b->message.recipient_count > 0)
        b->message.recipients = b->recipients;
}

static void
begin(struct bench *b)
{
    const struct mfx_scan_envelope envelope = {.helo = MFX_STR("")};
    assert_int_equal(score_scanning_begin(&b->message, &b->q, &envelope),
                     MFX_OK);
}

static void
users(void **state)
{
    static const char table[] =
        "inline:{a@example.org = $recipient, b@example.org = $local, "
        "c@example.org = shared, d@example.org = shared, own.example = "
        "$recipient}";
    static const struct {
        const char *label;
        int per_user;
        const char *to[5];
        const char *users[USERS + 1]; /* of spamd's runs */
        int of_recipient[4];
    } cases[] = {
        {"none",            SCORE_USER_SHARED, {NULL},                                                               {"nobody"},        {0}},
        {"one",             SCORE_USER_SHARED, {"a@example.org"},                                                    {"a@example.org"}, {0}},
        {"by local part",   SCORE_USER_SHARED, {"b@example.org"},                                                    {"b"},             {0}},
        {"by domain",
         SCORE_USER_SHARED,                    {"x@own.example"},
         {"x@own.example"},
         {0}                                                                                                                               },
        {"no row",          SCORE_USER_SHARED, {"x@example.com"},                                                    {"nobody"},        {0}},
        {"two share one",
         SCORE_USER_SHARED,                    {"c@example.org", "d@example.org"},
         {"shared"},
         {0}                                                                                                                               },
        {"two differ",
         SCORE_USER_SHARED,                    {"a@example.org", "b@example.org"},
         {"nobody"},
         {0}                                                                                                                               },
        {"the first one's",
         SCORE_USER_FIRST,                     {"b@example.org", "a@example.org"},
         {"b"},
         {0}                                                                                                                               },
        {"each",
         SCORE_USER_EACH,                      {"a@example.org", "c@example.org", "d@example.org", "a@example.org"},
         {"a@example.org", "shared"},
         {0, 1, 1, 0}                                                                                                                      },
        {"each, too many",
         SCORE_USER_EACH,                      {"a@example.org", "b@example.org", "c@example.org", "x@own.example"},
         {"a@example.org", "b", "nobody"},
         {0, 1, 2, 2}                                                                                                                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        size_t n = 0;
        set_up(&b, table);
        b.engine_settings[0].per_user = cases[i].per_user;
        add_recipients(&b, cases[i].to);
        begin(&b);
        assert_int_equal(b.q.group_count, 2);
        while (n < USERS && cases[i].users[n] != NULL) {
            unit_assert_str(cases[i].label, b.q.runs[n].user,
                            mfx_str_of(cases[i].users[n]));
            n++;
        }
        unit_assert_int(cases[i].label, b.q.groups[0].count, n);
        /* clamd knows no users */
        unit_assert_int(cases[i].label, b.q.run_count, n + 1);
        for (size_t r = 0; r < b.message.recipient_count &&
                           b.q.groups[0].of_recipient != NULL;
             r++)
            unit_assert_int(cases[i].label, b.q.groups[0].of_recipient[r],
                            cases[i].of_recipient[r]);
        unit_assert_int(cases[i].label, b.q.groups[0].of_recipient != NULL,
                        cases[i].per_user == SCORE_USER_EACH);
        tear_down(&b);
    }
}

static void
which_mail(void **state)
{
    static const struct {
        const char *label;
        int spamd, clamd;
        bool is_outgoing;
        size_t want;
    } cases[] = {
        {"all",         SCORE_MAIL_ALL,      SCORE_MAIL_ALL,      false, 2},
        {"incoming is", SCORE_MAIL_INCOMING, SCORE_MAIL_OUTGOING, false, 1},
        {"outgoing is", SCORE_MAIL_INCOMING, SCORE_MAIL_ALL,      true,  1},
        {"none",        SCORE_MAIL_INCOMING, SCORE_MAIL_INCOMING, true,  0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        set_up(&b, "inline:a=b");
        b.engine_settings[0].mail = cases[i].spamd;
        b.engine_settings[1].mail = cases[i].clamd;
        b.q.is_outgoing = cases[i].is_outgoing;
        begin(&b);
        unit_assert_int(cases[i].label, b.q.run_count, cases[i].want);
        unit_assert_int(cases[i].label, b.q.body != NULL, cases[i].want > 0);
        tear_down(&b);
    }
}

/* Folded lines come as LF from the MTA, and go to engines as CRLF. */
static void
header_as_bytes(void **state)
{
    static const char want[] =
        "Subject: two\r\n lines\r\nX-Empty:\r\n\r\nbody\r\n";
    char got[200];
    struct bench b;
    (void)state;
    set_up(&b, "inline:a=b");
    (void)mfx_headers_add(&b.message.headers, b.arena, mfx_str_of("Subject"),
                          mfx_str_of(" two\n lines"));
    (void)mfx_headers_add(&b.message.headers, b.arena, mfx_str_of("X-Empty"),
                          mfx_str_of(""));
    begin(&b);
    score_scanning_add(&b.q, mfx_str_of("body\r\n"));
    size_t len = mfx_scan_body_read(b.q.body, 0, got, sizeof got);
    unit_assert_str("bytes", mfx_str(got, len), mfx_str_of(want));
    mfx_headers_fini(&b.message.headers);
    tear_down(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users),
        cmocka_unit_test(which_mail),
        cmocka_unit_test(header_as_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
