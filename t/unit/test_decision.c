/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <limits.h>

#include <mfx/milter/apply.h>

static struct mfx_arena *arena;

/* A later verdict replaces a milder one only (decision.h). */
static void
verdicts(void **state)
{
    static const struct {
        const char *label, *calls, *reason;
        enum mfx_verdict want;
    } cases[] = {
        {"nothing",               "",      "",  MFX_VERDICT_CONTINUE},
        {"accept",                "a",     "a", MFX_VERDICT_ACCEPT  },
        {"reject after accept",   "ar",    "r", MFX_VERDICT_REJECT  },
        {"accept after reject",   "ra",    "r", MFX_VERDICT_REJECT  },
        {"tempfail after reject", "rt",    "r", MFX_VERDICT_REJECT  },
        {"reject after tempfail", "tr",    "r", MFX_VERDICT_REJECT  },
        {"hold and discard",      "hd",    "d", MFX_VERDICT_DISCARD },
        {"hold and accept",       "ha",    "h", MFX_VERDICT_HOLD    },
        {"discard, then hold",    "dh",    "d", MFX_VERDICT_DISCARD },
        {"all of them",           "ahdtr", "r", MFX_VERDICT_REJECT  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_decision d;
        mfx_decision_init(&d, arena);
        for (const char *c = cases[i].calls; *c != '\0'; c++) {
            if (*c == 'a')
                mfx_decide_accept(&d, "a");
            if (*c == 'h')
                mfx_decide_hold(&d, "h");
            if (*c == 'd')
                mfx_decide_discard(&d, "d");
            if (*c == 't')
                mfx_decide_tempfail(&d, 451, "4.7.1", mfx_str_of("x"), "t");
            if (*c == 'r')
                mfx_decide_reject(&d, 550, "5.7.1", mfx_str_of("x"), "r");
        }
        unit_assert_int(cases[i].label, d.verdict, cases[i].want);
        unit_assert_str(cases[i].label, d.reason, mfx_str_of(cases[i].reason));
    }
}

static void
reasons(void **state)
{
    struct mfx_decision d;
    (void)state;
    mfx_decision_init(&d, arena);
    mfx_decision_event(&d, "passed", mfx_str_of("no key"));
    mfx_decide_accept(&d, NULL);
    unit_assert_str("accept without a reason", d.reason, mfx_str_of("no key"));
    mfx_decision_event(&d, "signed", mfx_str_of("main"));
    unit_assert_str("the last word", d.reason, mfx_str_of("main"));
}

static void
unsafe_edits(void **state)
{
    static const struct {
        const char *label, *name, *value;
    } cases[] = {
        {"name_with_blank", "X Y", " v"             },
        {"name_with_colon", "X:",  " v"             },
        {"empty_name",      "",    " v"             },
        {"bare_line_end",   "X",   " v\nY: injected"},
        {"carriage_return", "X",   " v\r\n w"       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_decision d;
        mfx_decision_init(&d, arena);
        mfx_edit_insert_header(&d, MFX_EDIT_TOP, mfx_str_of(cases[i].name),
                               mfx_str_of(cases[i].value));
        unit_assert_int(cases[i].label, d.verdict, MFX_VERDICT_TEMPFAIL);
        assert_null(d.edits);
        mfx_decision_init(&d, arena);
        mfx_edit_insert_header_at(&d, 1, mfx_str_of(cases[i].name),
                                  mfx_str_of(cases[i].value));
        unit_assert_int(cases[i].label, d.verdict, MFX_VERDICT_TEMPFAIL);
        assert_null(d.edits);
    }
    struct mfx_decision d;
    mfx_decision_init(&d, arena);
    mfx_edit_sender(&d, mfx_str_of("a@b>\r\nRCPT"), mfx_str("", 0));
    unit_assert_int("address", d.verdict, MFX_VERDICT_TEMPFAIL);
}

static void
exhausted(void **state)
{
    struct mfx_arena *small = mfx_arena_new(1024);
    struct mfx_decision d;
    (void)state;
    mfx_decision_init(&d, small);
    for (int i = 0; i < 1000; i++) {
        mfx_fact(&d, "key", mfx_str_of("value"));
        mfx_trace(&d, "rule", "number %d", i);
        mfx_edit_insert_header(&d, MFX_EDIT_TOP, mfx_str_of("X"),
                               mfx_str_of(" v"));
    }
    assert_false(mfx_arena_ok(small));
    mfx_arena_free(small);
}

/* --- apply: what the MTA is told, in order --- */

static struct mfx_buf told;
static int takes; /* how many edits the MTA takes; negative: all */

static bool
tell(const char *kind, size_t index, const char *name, const char *value)
{
    mfx_buf_printf(&told, "%s %zu %s:%s|", kind, index, name,
                   value == NULL ? "-" : value);
    return takes < 0 || takes-- > 0;
}

static bool
on_body(void *ctx, struct mfx_str body)
{
    (void)ctx;
    return tell("body", body.len, "", "");
}

static bool
on_change(void *ctx, const char *name, size_t index, const char *value)
{
    (void)ctx;
    return tell("change", index, name, value);
}

static bool
on_insert(void *ctx, int at, const char *name, const char *value)
{
    (void)ctx;
    return tell("insert", (size_t)at, name, value);
}

static bool
on_append(void *ctx, const char *name, const char *value)
{
    (void)ctx;
    return tell("append", 0, name, value);
}

static bool
on_sender(void *ctx, const char *address, const char *parameters)
{
    (void)ctx;
    return tell("sender", 0, parameters == NULL ? "" : parameters, address);
}

static bool
on_add(void *ctx, const char *address, const char *parameters)
{
    (void)ctx;
    return tell("add", 0, parameters == NULL ? "" : parameters, address);
}

static bool
on_delete(void *ctx, const char *address)
{
    (void)ctx;
    return tell("delete", 0, "", address);
}

static bool
on_quarantine(void *ctx, const char *reason)
{
    (void)ctx;
    return tell("quarantine", 0, "", reason);
}

static const struct mfx_link_ops ops = {
    .body = on_body,
    .change = on_change,
    .insert = on_insert,
    .append = on_append,
    .sender = on_sender,
    .add_recipient = on_add,
    .delete_recipient = on_delete,
    .quarantine = on_quarantine,
};

static const struct mfx_apply_facts exact_facts = {true, 4};
static const struct mfx_apply_facts plain_facts = {false, 4};

static void
decide(struct mfx_decision *d)
{
    static const char *const names[] = {"A", "a", "B", "A"};
    struct mfx_headers headers = {0};
    struct mfx_header *h[4];
    for (size_t i = 0; i < 4; i++)
        h[i] = mfx_headers_add(&headers, arena, mfx_str_of(names[i]),
                               mfx_str_of(" v"));
    mfx_decision_init(d, arena);
    mfx_edit_insert_header(d, MFX_EDIT_TOP, mfx_str_of("T"), mfx_str_of(" 1"));
    mfx_edit_delete_header(d, h[0]);
    mfx_edit_add_recipient(d, mfx_str_of("new@x"), mfx_str_of("NOTIFY=NEVER"));
    mfx_edit_insert_header(d, MFX_EDIT_BELOW_TRACE, mfx_str_of("U"),
                           mfx_str_of("\t2"));
    mfx_edit_change_header(d, h[1], mfx_str_of(" two"));
    mfx_edit_delete_recipient(d, mfx_str_of("<old@x>"));
    mfx_edit_delete_header(d, h[3]);
    mfx_edit_change_header(d, h[2], mfx_str_of(" early"));
    mfx_edit_change_header(d, h[2], mfx_str_of(" late"));
    mfx_edit_sender(d, mfx_str_of(""), mfx_str_of("RET=HDRS"));
    mfx_edit_insert_header(d, MFX_EDIT_TOP, mfx_str_of("T"), mfx_str_of(" 2"));
    mfx_edit_insert_header_at(d, 2, mfx_str_of("V"), mfx_str_of(" 3"));
    mfx_edit_insert_header_at(d, -1, mfx_str_of("W"), mfx_str_of(" 4"));
    mfx_edit_body(d, mfx_str_of("text"));
    mfx_decide_hold(d, "look");
}

static const char exact[] =
    "body 4 :|change 3 A:-|change 2 a: two|change 1 A:-|change 1 B: late|"
    "insert 2 V: 3|append 0 W: 4|insert 1 U:\t2|insert 0 T: 2|insert 0 T: 1|sender 0 RET=HDRS:<>|"
    "delete 0 :<old@x>|add 0 NOTIFY=NEVER:<new@x>|quarantine 0 :look|";
static const char without_space[] =
    "body 4 :|change 3 A:-|change 2 a:two|change 1 A:-|change 1 B:late|"
    "insert 2 V:3|append 0 W:4|insert 1 U:\t2|insert 0 T:2|insert 0 T:1|sender 0 RET=HDRS:<>|"
    "delete 0 :<old@x>|add 0 NOTIFY=NEVER:<new@x>|quarantine 0 :look|";

/* Fields of one index may come in either order: they do not touch. */
static void
normalize(struct mfx_buf *buf)
{
    static const char a[] = "change 1 B: late|change 1 A:-|";
    static const char b[] = "change 1 A:-|change 1 B: late|";
    char *at = memmem(buf->p, buf->len, a, sizeof a - 1);
    if (at != NULL)
        memcpy(at, b, sizeof b - 1);
    static const char c[] = "change 1 B:late|change 1 A:-|";
    static const char e[] = "change 1 A:-|change 1 B:late|";
    at = memmem(buf->p, buf->len, c, sizeof c - 1);
    if (at != NULL)
        memcpy(at, e, sizeof e - 1);
}

static void
order(void **state)
{
    const struct mfx_link link = {&ops, NULL};
    struct mfx_decision d;
    struct mfx_err err = {{0}};
    (void)state;
    decide(&d);
    takes = -1;
    assert_int_equal(mfx_apply(&d, &link, &exact_facts, &err), MFX_OK);
    normalize(&told);
    unit_assert_str("exact values", mfx_buf_str(&told), mfx_str_of(exact));
    mfx_buf_clear(&told);
    assert_int_equal(mfx_apply(&d, &link, &plain_facts, &err), MFX_OK);
    normalize(&told);
    unit_assert_str("the MTA writes the space", mfx_buf_str(&told),
                    mfx_str_of(without_space));
    mfx_buf_clear(&told);
}

/* Whichever edit is not taken, the message is deferred, and nothing more is
 * told. */
static void
refused(void **state)
{
    const struct mfx_link link = {&ops, NULL};
    (void)state;
    for (int n = 0; n < 14; n++) {
        struct mfx_decision d;
        struct mfx_err err = {{0}};
        size_t count = 0;
        decide(&d);
        takes = n;
        assert_int_equal(mfx_apply(&d, &link, &exact_facts, &err),
                         MFX_TEMPFAIL);
        assert_int_not_equal(err.msg[0], '\0');
        for (size_t i = 0; i < told.len; i++)
            count += told.p[i] == '|';
        unit_assert_int("told", count, n + 1);
        mfx_buf_clear(&told);
    }
}

/* What the MTA is told for an index. */
static void
indexes(void **state)
{
    static const struct {
        const char *label;
        int at;
        size_t header_count;
        const char *want;
    } cases[] = {
        {"top",                 0,           3,           "insert 0 X: v|"         },
        {"first",               1,           3,           "insert 1 X: v|"         },
        {"last",                4,           3,           "insert 4 X: v|"         },
        {"beyond_the_end",      INT_MAX,     3,           "insert 2147483647 X: v|"},
        {"end",                 -1,          3,           "append 0 X: v|"         },
        {"end_of_none",         -1,          0,           "append 0 X: v|"         },
        {"above_the_last",      -2,          3,           "insert 3 X: v|"         },
        {"above_all_but_one",   -3,          3,           "insert 2 X: v|"         },
        {"more_than_there_are", -4,          3,           "insert 0 X: v|"         },
        {"more_than_one",       -2,          1,           "insert 0 X: v|"         },
        {"more_than_none",      -2,          0,           "insert 0 X: v|"         },
        {"least",               INT_MIN,     3,           "insert 0 X: v|"         },
        {"least_of_too_many",   INT_MIN,     SIZE_MAX,    "insert 0 X: v|"         },
        {"least_of_most",       INT_MIN + 2, INT_MAX - 1, "insert 2 X: v|"         },
    };
    const struct mfx_link link = {&ops, NULL};
    (void)state;
    takes = -1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mfx_apply_facts facts = {true, cases[i].header_count};
        struct mfx_decision d;
        struct mfx_err err = {{0}};
        mfx_decision_init(&d, arena);
        mfx_edit_insert_header_at(&d, cases[i].at, mfx_str_of("X"),
                                  mfx_str_of(" v"));
        unit_assert_int(cases[i].label, mfx_apply(&d, &link, &facts, &err),
                        MFX_OK);
        unit_assert_str(cases[i].label, mfx_buf_str(&told),
                        mfx_str_of(cases[i].want));
        mfx_buf_clear(&told);
    }
}

/* An index is told in the order given, before the two fixed places. */
static void
indexes_in_order(void **state)
{
    const struct mfx_link link = {&ops, NULL};
    struct mfx_decision d;
    struct mfx_err err = {{0}};
    (void)state;
    mfx_decision_init(&d, arena);
    takes = -1;
    mfx_edit_insert_header(&d, MFX_EDIT_TOP, mfx_str_of("T"), mfx_str_of(" 1"));
    mfx_edit_insert_header_at(&d, 1, mfx_str_of("A"), mfx_str_of(" 1"));
    mfx_edit_insert_header_at(&d, -1, mfx_str_of("B"), mfx_str_of(" 2"));
    mfx_edit_insert_header_at(&d, 1, mfx_str_of("C"), mfx_str_of(" 3"));
    mfx_edit_insert_header_at(&d, 0, mfx_str_of("D"), mfx_str_of(" 4"));
    mfx_edit_insert_header_at(&d, 1, mfx_str_of("E"), mfx_str_of(" 5"));
    mfx_edit_insert_header_at(&d, 3, mfx_str_of("F"), mfx_str_of(" 6"));
    mfx_edit_insert_header(&d, MFX_EDIT_BELOW_TRACE, mfx_str_of("U"),
                           mfx_str_of(" 7"));
    assert_int_equal(mfx_apply(&d, &link, &exact_facts, &err), MFX_OK);
    unit_assert_str("order", mfx_buf_str(&told),
                    mfx_str_of("insert 1 A: 1|append 0 B: 2|insert 1 C: 3|"
                               "insert 0 D: 4|insert 1 E: 5|insert 3 F: 6|"
                               "insert 3 U: 7|insert 0 T: 1|"));
    mfx_buf_clear(&told);
}

/* What is gone and what was inserted before counts, as rspamd 3.4 has it. */
static void
indexes_count_edits(void **state)
{
    const struct mfx_link link = {&ops, NULL};
    struct mfx_headers headers = {0};
    struct mfx_header *h[4];
    struct mfx_decision d;
    struct mfx_err err = {{0}};
    (void)state;
    mfx_decision_init(&d, arena);
    takes = -1;
    for (size_t i = 0; i < 4; i++)
        h[i] =
            mfx_headers_add(&headers, arena, mfx_str_of("A"), mfx_str_of(" v"));
    mfx_edit_delete_header(&d, h[1]);
    mfx_edit_delete_header(&d, h[1]);
    mfx_edit_change_header(&d, h[2], mfx_str_of(" w"));
    mfx_edit_insert_header_at(&d, -2, mfx_str_of("B"), mfx_str_of(" 1"));
    mfx_edit_insert_header_at(&d, -2, mfx_str_of("C"), mfx_str_of(" 2"));
    mfx_edit_insert_header_at(&d, -1, mfx_str_of("D"), mfx_str_of(" 3"));
    mfx_edit_insert_header_at(&d, -2, mfx_str_of("E"), mfx_str_of(" 4"));
    assert_int_equal(mfx_apply(&d, &link, &exact_facts, &err), MFX_OK);
    unit_assert_str("count", mfx_buf_str(&told),
                    mfx_str_of("change 3 A: w|change 2 A:-|insert 3 B: 1|"
                               "insert 4 C: 2|append 0 D: 3|insert 6 E: 4|"));
    mfx_buf_clear(&told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(reasons),
        cmocka_unit_test(unsafe_edits),
        cmocka_unit_test(exhausted),
        cmocka_unit_test(order),
        cmocka_unit_test(refused),
        cmocka_unit_test(indexes),
        cmocka_unit_test(indexes_in_order),
        cmocka_unit_test(indexes_count_edits),
    };
    arena = mfx_arena_new(0);
    mfx_buf_init(&told, 65536);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_buf_fini(&told);
    mfx_arena_free(arena);
    return failed;
}
