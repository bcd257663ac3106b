/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies as the protocol's descriptions write them (RESP2, RESP3). */
#include "unit.h"

#include <stdlib.h>

#include <mfx/base/buf.h>
#include <mfx/store/redis_reply.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* (s:text) string, (o:text) status, (e:text) error, 1, nil, [..] */
static void
print(struct mfx_buf *out, const struct mfx_redis_reply *reply)
{
    switch (reply->type) {
    case MFX_REDIS_NIL:
        mfx_buf_add_text(out, "nil");
        break;
    case MFX_REDIS_STRING:
    case MFX_REDIS_STATUS:
    case MFX_REDIS_ERROR:
        mfx_buf_printf(out, "(%s:",
                       reply->type == MFX_REDIS_STRING   ? "s"
                       : reply->type == MFX_REDIS_STATUS ? "o"
                                                         : "e");
        mfx_buf_add(out, reply->text);
        mfx_buf_add_text(out, ")");
        break;
    case MFX_REDIS_INTEGER:
        mfx_buf_printf(out, "%lld", (long long)reply->number);
        break;
    case MFX_REDIS_ARRAY:
        mfx_buf_add_text(out, "[");
        for (size_t i = 0; i < reply->count; i++) {
            mfx_buf_add_text(out, i == 0 ? "" : " ");
            print(out, mfx_redis_reply_item(reply, i));
        }
        mfx_buf_add_text(out, "]");
        break;
    }
}

/* All replies, one after the other, then how it ended. */
static enum mfx_rc
read_all(struct mfx_str bytes, size_t pace, struct mfx_buf *out)
{
    struct mfx_redis_reader *reader = mfx_redis_reader_new();
    const struct mfx_redis_reply *reply;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = MFX_NOTFOUND;
    assert_non_null(reader);
    while (bytes.len > 0 && rc == MFX_NOTFOUND) {
        rc = mfx_redis_reader_feed(reader, mfx_str_head(bytes, pace), &err);
        bytes = mfx_str_from(bytes, pace);
        if (rc != MFX_OK)
            break;
        while ((rc = mfx_redis_reader_next(reader, &reply, &err)) == MFX_OK) {
            print(out, reply);
            mfx_buf_add_text(out, "\n");
        }
    }
    assert_int_equal(rc == MFX_NOTFOUND, err.msg[0] == '\0');
    mfx_redis_reader_free(reader);
    return rc;
}

static void
reads(void **state)
{
    static const struct {
        const char *label, *in, *want;
        enum mfx_rc rc;
    } cases[] = {
        {"status",              "+OK\r\n",                                          "(o:OK)\n",            MFX_NOTFOUND},
        {"error",               "-ERR unknown\r\n",                                 "(e:ERR unknown)\n",   MFX_NOTFOUND},
        {"integer",             ":1000\r\n:-3\r\n:0\r\n",                           "1000\n-3\n0\n",       MFX_NOTFOUND},
        {"bulk",                "$6\r\nfoobar\r\n$0\r\n\r\n",                       "(s:foobar)\n(s:)\n",
         MFX_NOTFOUND                                                                                                  },
        {"bulk_with_crlf",      "$4\r\na\r\nb\r\n",                                 "(s:a\r\nb)\n",        MFX_NOTFOUND},
        {"nil_bulk",            "$-1\r\n",                                          "nil\n",               MFX_NOTFOUND},
        {"nil_array",           "*-1\r\n",                                          "nil\n",               MFX_NOTFOUND},
        {"array",               "*3\r\n:1\r\n$-1\r\n$2\r\nhi\r\n",                  "[1 nil (s:hi)]\n",
         MFX_NOTFOUND                                                                                                  },
        {"nested",              "*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n",                   "[[1 2] []]\n",
         MFX_NOTFOUND                                                                                                  },
        {"pipelined",           "+OK\r\n:1\r\n*1\r\n:2\r\n",                        "(o:OK)\n1\n[2]\n",
         MFX_NOTFOUND                                                                                                  },
        {"map",                 "%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n",
         "[(o:first) 1 (o:second) 2]\n",                                                                   MFX_NOTFOUND},
        {"map_nested",          "*2\r\n%1\r\n+a\r\n%0\r\n:7\r\n",                   "[[(o:a) []] 7]\n",
         MFX_NOTFOUND                                                                                                  },
        {"null",                "_\r\n",                                            "nil\n",               MFX_NOTFOUND},
        {"boolean",             "#t\r\n#f\r\n",                                     "1\n0\n",              MFX_NOTFOUND},
        {"double",              ",1.23\r\n,inf\r\n",                                "(o:1.23)\n(o:inf)\n", MFX_NOTFOUND},
        {"big_number",          "(3492890328409238509324850943850943825024385\r\n",
         "(o:3492890328409238509324850943850943825024385)\n",                                              MFX_NOTFOUND},
        {"set",                 "~2\r\n+a\r\n+b\r\n",                               "[(o:a) (o:b)]\n",     MFX_NOTFOUND},
        {"verbatim",            "=15\r\ntxt:Some string\r\n=4\r\ntxt:\r\n",
         "(s:Some string)\n(s:)\n",                                                                        MFX_NOTFOUND},
        {"bulk_error",          "!21\r\nSYNTAX invalid syntax\r\n",
         "(e:SYNTAX invalid syntax)\n",                                                                    MFX_NOTFOUND},
        {"bulk_error_lines",    "!6\r\nE a\r\nb\r\n",                               "(e:E a  b)\n",
         MFX_NOTFOUND                                                                                                  },
        {"push_left_out",
         ">2\r\n+pubsub\r\n*2\r\n:1\r\n%1\r\n+a\r\n+b\r\n+OK\r\n>0\r\n:1\r\n",      "(o:OK)\n1\n",         MFX_NOTFOUND},
        {"attribute_left_out",
         "|1\r\n+ttl\r\n:3600\r\n*2\r\n|1\r\n+k\r\n~1\r\n:1\r\n:5\r\n:6\r\n",       "[5 6]\n",             MFX_NOTFOUND},
        {"not_whole",           "*2\r\n:1\r\n",                                     "",                    MFX_NOTFOUND},
        {"nothing",             "",                                                 "",                    MFX_NOTFOUND},
        {"bad_http",            "HTTP/1.1 400 Bad Request\r\n\r\n",                 "",                    MFX_PERMFAIL},
        {"bad_smtp",            "220 mail.test ESMTP\r\n",                          "",                    MFX_PERMFAIL},
        {"bad_after_good",      "+OK\r\nx",                                         NULL,                  MFX_PERMFAIL},
        {"bad_line_end",        "+OK\n",                                            "",                    MFX_PERMFAIL},
        {"bad_integer",         ":12x\r\n",                                         "",                    MFX_PERMFAIL},
        {"bad_integer_huge",    ":99999999999999999999\r\n",                        "",                    MFX_PERMFAIL},
        {"bad_integer_empty",   ":\r\n",                                            "",                    MFX_PERMFAIL},
        {"bad_count",           "*x\r\n",                                           "",                    MFX_PERMFAIL},
        {"bad_count_negative",  "*-2\r\n",                                          "",                    MFX_PERMFAIL},
        {"bad_count_large",     "*65537\r\n",                                       "",                    MFX_PERMFAIL},
        {"bad_length_large",    "$524289\r\n",                                      "",                    MFX_PERMFAIL},
        {"bad_length_huge",     "$18446744073709551616\r\n",                        "",                    MFX_PERMFAIL},
        {"bad_length_negative", "$-2\r\n",                                          "",                    MFX_PERMFAIL},
        {"bad_bulk_longer",     "$2\r\nabc\r\n",                                    "",                    MFX_PERMFAIL},
        {"bad_verbatim_short",  "=3\r\ntxt\r\n",                                    "",                    MFX_PERMFAIL},
        {"bad_boolean",         "#x\r\n",                                           "",                    MFX_PERMFAIL},
        {"bad_push_within",     "*2\r\n:1\r\n>1\r\n:1\r\n",                         "",                    MFX_PERMFAIL},
        {"bad_depth",
         "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",      "",                    MFX_PERMFAIL},
        {"bad_null_map",        "%-1\r\n",                                          "",                    MFX_PERMFAIL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t pace = 1; pace < 200; pace += 66) {
            struct mfx_buf out;
            mfx_buf_init(&out, 10000);
            unit_assert_int(cases[i].label,
                            read_all(mfx_str_of(cases[i].in), pace, &out),
                            cases[i].rc);
            if (cases[i].want != NULL)
                unit_assert_str(cases[i].label, mfx_buf_str(&out),
                                mfx_str_of(cases[i].want));
            mfx_buf_fini(&out);
        }
    }
}

/* Bounds hold for replies that go on and on, without keeping them. */
static void
bounds(void **state)
{
    static const struct {
        const char *label, *head, *again;
        size_t max;
    } cases[] = {
        {"line",    "+",          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", MFX_REDIS_LINE_MAX },
        {"items",   "*65536\r\n", "*65536\r\n",                       MFX_REDIS_REPLY_MAX},
        {"strings", "*65536\r\n", "$20\r\n01234567890123456789\r\n",  0                  },
        {"push",    ">65536\r\n", "%60000\r\n",                       MFX_REDIS_REPLY_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_redis_reader *reader = mfx_redis_reader_new();
        struct mfx_err err = {{0}};
        const struct mfx_redis_reply *reply;
        size_t fed = 0, whole = 0;
        enum mfx_rc rc =
            mfx_redis_reader_feed(reader, mfx_str_of(cases[i].head), &err);
        while (rc == MFX_OK && fed <= 4u * MFX_REDIS_REPLY_MAX && whole == 0) {
            rc =
                mfx_redis_reader_feed(reader, mfx_str_of(cases[i].again), &err);
            fed += strlen(cases[i].again);
            if (rc == MFX_OK &&
                mfx_redis_reader_next(reader, &reply, &err) == MFX_OK)
                whole++;
        }
        if (cases[i].max == 0) {
            unit_assert_int(cases[i].label, whole, 1);
        } else {
            unit_assert_int(cases[i].label, rc == MFX_OK, 0);
            unit_assert_int(cases[i].label, fed <= cases[i].max + 100, 1);
        }
        mfx_redis_reader_free(reader);
    }
}

static void
looks(void **state)
{
    static const struct mfx_redis_reply items[] = {
        {.type = MFX_REDIS_INTEGER, .number = 12},
        {.type = MFX_REDIS_INTEGER,                         .number = -1},
        {.type = MFX_REDIS_STRING,.text = MFX_STR("9007199254740992")},
        {.type = MFX_REDIS_STRING,  .text = MFX_STR("x")},
        {.type = MFX_REDIS_ERROR,                         .text = MFX_STR("NOSCRIPT No matching")},
        {.type = MFX_REDIS_NIL   },
    };
    static const uint64_t want[] = {12, 0, UINT64_C(9007199254740992), 0, 0, 0};
    union {
        const struct mfx_redis_reply *in;
        struct mfx_redis_reply *out;
    } shed = {.in = items};
    struct mfx_redis_reply array = {
        .type = MFX_REDIS_ARRAY, .items = shed.out, .count = COUNT(items)};
    (void)state;
    for (size_t i = 0; i < COUNT(items); i++)
        assert_true(mfx_redis_reply_u64(mfx_redis_reply_item(&array, i)) ==
                    want[i]);
    assert_int_equal(mfx_redis_reply_item(&array, 99)->type, MFX_REDIS_NIL);
    assert_int_equal(mfx_redis_reply_item(&items[0], 0)->type, MFX_REDIS_NIL);
    assert_true(mfx_redis_reply_is_error(&items[4], "NOSCRIPT"));
    assert_false(mfx_redis_reply_is_error(&items[4], "NOSCRIP"));
    assert_false(mfx_redis_reply_is_error(&items[3], "x"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(bounds),
        cmocka_unit_test(looks),
    };
    return cmocka_run_group_tests_name("redis_reply", tests, NULL, NULL);
}
