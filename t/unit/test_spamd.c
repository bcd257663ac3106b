/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spamd's protocol: what is said, and what is made of its answers. */
#include "unit.h"

#include <zlib.h>

#include <mfx/scan/spamd_reply.h>
#include <mfx/scan/spamd_trace.h>

#include "scan_clamd.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- replies --- */

static void
numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        double want;
    } cases[] = {
        {"0",            true,  0          },
        {"15.0",         true,  15         },
        {"-1.2",         true,  -1.2       },
        {"-0.0",         true,  0          },
        {"1000",         true,  1000       },
        {"999999999.5",  true,  999999999.5},
        {"0.001",        true,  0.001      },
        {"",             false, 0          },
        {"-",            false, 0          },
        {"+1",           false, 0          },
        {".5",           false, 0          },
        {"5.",           false, 0          },
        {"1e5",          false, 0          },
        {"inf",          false, 0          },
        {"-Inf",         false, 0          },
        {"nan",          false, 0          },
        {"0x10",         false, 0          },
        {"1,5",          false, 0          },
        {"1.2.3",        false, 0          },
        {" 1",           false, 0          },
        {"1234567890",   false, 0          },
        {"1.0123456789", false, 0          },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double got = 0;
        unit_assert_int(cases[i].text,
                        mfx_spamd_number(mfx_str_of(cases[i].text), &got),
                        cases[i].is_good);
        if (cases[i].is_good && (got > cases[i].want || got < cases[i].want))
            fail_msg("%s: %f", cases[i].text, got);
    }
}

#define HEAD "SPAMD/1.1 0 EX_OK\r\n"

static void
replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *bytes;
        enum mfx_spamd_kind kind;
        unsigned code;
        bool is_spam;
        double score;
        const char *body;
    } cases[] = {
        {"spam",                 HEAD "Spam: True ; 15.0 / 5.0\r\n\r\n",          MFX_SPAMD_KIND_CHECK,
         0,                                                                                                 true,  15,   ""   },
        {"ham",                  HEAD "Spam: False ; -2.5 / 5.0\r\n\r\n",         MFX_SPAMD_KIND_CHECK,
         0,                                                                                                 false, -2.5, ""   },
        {"by Yes and No",        HEAD "Spam: Yes ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK,                                                                          0,  true,  1,    ""   },
        {"symbols",
         HEAD "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA,B",
         MFX_SPAMD_KIND_BODY,                                                                           0,  true,  15,   "A,B"},
        {"no symbols",
         HEAD "Content-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_BODY,                                                                           0,  false, 0,    ""   },
        {"other fields",
         HEAD "X: y\r\nspam: true ; 1 / 2\r\ncontent-LENGTH: 1\r\n\r\nx",
         MFX_SPAMD_KIND_BODY,                                                                           0,  true,  1,    "x"  },
        {"bare LF",              "SPAMD/1.1 0 EX_OK\nSpam: True ; 1.0 / 5.0\n\n",
         MFX_SPAMD_KIND_CHECK,                                                                          0,  true,  1,    ""   },
        {"an error",             "SPAMD/1.0 76 Bad header line: (x)\r\n",
         MFX_SPAMD_KIND_BODY,                                                                           76, false, 0,    ""   },
        {"an error and no more", "SPAMD/1.0 79 Timeout: (5 second)\r\nrest",
         MFX_SPAMD_KIND_CHECK,                                                                          79, false, 0,    ""   },
        {"a pong",               "SPAMD/1.5 0 PONG\r\n",                          MFX_SPAMD_KIND_PING,  0,  false, 0,
         ""                                                                                                                   },
        {"it learned",           HEAD "DidSet: local\r\n\r\n\r\n",                MFX_SPAMD_KIND_TELL,  0,
         false,                                                                                                    0,    ""   },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_spamd_reply r;
        struct mfx_str bytes = mfx_str_of(cases[i].bytes);
        unit_assert_int(
            cases[i].label,
            mfx_spamd_reply_read(bytes, false, cases[i].kind, &r, NULL),
            MFX_OK);
        unit_assert_int(cases[i].label, r.code, cases[i].code);
        unit_assert_int(cases[i].label, r.is_spam, cases[i].is_spam);
        unit_assert_int(cases[i].label, (int)(r.score * 10),
                        (int)(cases[i].score * 10));
        unit_assert_str(cases[i].label, r.body, mfx_str_of(cases[i].body));
        unit_assert_int(cases[i].label, r.did_set,
                        cases[i].kind == MFX_SPAMD_KIND_TELL);
    }
}

/* Whatever is cut off is asked for, and missed when there is no more. */
static void
parts_of_replies(void **state)
{
    (void)state;
    struct mfx_str whole =
        MFX_STR(HEAD "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA,B");
    struct mfx_spamd_reply r;
    for (size_t len = 1; len < whole.len; len++) {
        assert_int_equal(mfx_spamd_reply_read(mfx_str_head(whole, len), false,
                                              MFX_SPAMD_KIND_BODY, &r, NULL),
                         MFX_TEMPFAIL);
        assert_int_equal(mfx_spamd_reply_read(mfx_str_head(whole, len), true,
                                              MFX_SPAMD_KIND_BODY, &r, NULL),
                         MFX_PERMFAIL);
    }
}

static void
no_replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *bytes;
        enum mfx_spamd_kind kind;
    } cases[] = {
        {"HTTP",                   "HTTP/1.1 400 Bad",                         MFX_SPAMD_KIND_CHECK},
        {"one letter",             "x",                                        MFX_SPAMD_KIND_CHECK},
        {"no code",                "SPAMD/1.1\r\n",                            MFX_SPAMD_KIND_CHECK},
        {"no version",             "SPAMD/ 0 EX_OK\r\n",                       MFX_SPAMD_KIND_CHECK},
        {"a word for a code",      "SPAMD/1.1 OK EX_OK\r\n",                   MFX_SPAMD_KIND_CHECK},
        {"a negative code",        "SPAMD/1.1 -1 X\r\n",                       MFX_SPAMD_KIND_CHECK},
        {"no verdict",             HEAD "\r\n",                                MFX_SPAMD_KIND_CHECK},
        {"no length",              HEAD "Spam: True ; 1.0 / 5.0\r\n\r\nA",
         MFX_SPAMD_KIND_BODY                                                                       },
        {"two verdicts",
         HEAD "Spam: True ; 1.0 / 5.0\r\nSpam: False ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK                                                                      },
        {"two lengths",
         HEAD "Content-length: 1\r\nContent-length: 1\r\n"
              "Spam: True ; 1.0 / 5.0\r\n\r\nA",                               MFX_SPAMD_KIND_BODY },
        {"negative length",
         HEAD "Content-length: -1\r\nSpam: True ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_BODY                                                                       },
        {"a huge length",
         HEAD "Content-length: 99999999999\r\nSpam: True ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_BODY                                                                       },
        {"longer than it says",
         HEAD "Content-length: 1\r\nSpam: True ; 1.0 / 5.0\r\n\r\nAB",
         MFX_SPAMD_KIND_BODY                                                                       },
        {"more behind a verdict",  HEAD "Spam: True ; 1.0 / 5.0\r\n\r\nAB",
         MFX_SPAMD_KIND_CHECK                                                                      },
        {"infinite",               HEAD "Spam: True ; inf / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK                                                                      },
        {"no number",              HEAD "Spam: True ; nan / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK                                                                      },
        {"no threshold",           HEAD "Spam: True ; 5.0\r\n\r\n",            MFX_SPAMD_KIND_CHECK},
        {"no score",               HEAD "Spam: True\r\n\r\n",                  MFX_SPAMD_KIND_CHECK},
        {"neither true nor false", HEAD "Spam: Maybe ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK                                                                      },
        {"a line without colon",   HEAD "Spam\r\n\r\n",                        MFX_SPAMD_KIND_CHECK},
        {"CR within",              HEAD "Spam: True\r ; 1.0 / 5.0\r\n\r\n",
         MFX_SPAMD_KIND_CHECK                                                                      },
    };
    struct mfx_spamd_reply r;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_err err = {{0}};
        unit_assert_int(cases[i].label,
                        mfx_spamd_reply_read(mfx_str_of(cases[i].bytes), false,
                                             cases[i].kind, &r, &err),
                        MFX_PERMFAIL);
        assert_true(err.msg[0] != '\0');
    }
    static char flood[40000] = HEAD;
    memset(flood + sizeof HEAD - 1, 'x', sizeof flood - sizeof HEAD);
    assert_int_equal(mfx_spamd_reply_read(mfx_str_of(flood), false,
                                          MFX_SPAMD_KIND_CHECK, &r, NULL),
                     MFX_PERMFAIL);
    assert_int_equal(mfx_spamd_reply_read(mfx_str(flood, 17), false,
                                          MFX_SPAMD_KIND_CHECK, &r, NULL),
                     MFX_TEMPFAIL);
    for (size_t i = sizeof HEAD - 1; i + 6 < sizeof flood; i += 6)
        memcpy(flood + i, "A: b\r\n", 6);
    assert_int_equal(mfx_spamd_reply_read(mfx_str_of(flood), false,
                                          MFX_SPAMD_KIND_CHECK, &r, NULL),
                     MFX_PERMFAIL);
}

/* --- what they mean --- */

/* "NAME=SCORE,NAME" */
static struct mfx_str
list_symbols(const struct mfx_scan_result *r, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 10000);
    for (size_t i = 0; i < r->symbol_count; i++) {
        if (i > 0)
            mfx_buf_add_byte(&out, ',');
        mfx_buf_add(&out, r->symbols[i].name);
        if (r->symbols[i].has_score)
            mfx_buf_printf(&out, "=%.1f", r->symbols[i].score);
    }
    return mfx_buf_str(&out);
}

static struct mfx_str
list_edits(const struct mfx_scan_result *r, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 10000);
    for (size_t i = 0; i < r->edits.count; i++) {
        mfx_buf_add(&out, r->edits.items[i].name);
        mfx_buf_add_byte(&out, ':');
        mfx_buf_add(&out, r->edits.items[i].value);
        mfx_buf_add_byte(&out, '|');
    }
    return mfx_buf_str(&out);
}

#define REPORT                                                              \
    "Spam detection software has ...\n\nContent preview:  hello\n"          \
    " 9.9 FORGED  by the sender\n---- ---- ----\n"                          \
    "Content analysis details:   (1000.0 points, 5.0 required)\n\n"         \
    " pts rule name              description\n"                             \
    "---- ---------------------- ------------------------------\n"          \
    "-0.0 NO_RELAYS              Informational: not relayed\n"              \
    "1000 GTUBE                  BODY: Generic Test for Unsolicited Bulk\n" \
    "                            Email\n 0.1 A_B  \n\n"

static void
meanings(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum mfx_spamd_command command;
        const char *body, *symbols, *edits, *subject;
    } cases[] = {
        {"nothing",              MFX_SPAMD_CHECK,   "",                              "",                                                          "",            ""                         },
        {"symbols",              MFX_SPAMD_SYMBOLS, "GTUBE,NO_RELAYS",               "GTUBE,NO_RELAYS",                                           "",
         ""                                                                                                                                                                                 },
        {"no symbols",           MFX_SPAMD_SYMBOLS, "",                              "",                                                          "",            ""                         },
        {"what is no name",      MFX_SPAMD_SYMBOLS, "A,,b c,<x>,D\r\n",              "A,b,c,D",
         "",                                                                                                                                                     ""                         },
        {"a report",             MFX_SPAMD_REPORT,  REPORT,
         "NO_RELAYS=-0.0,GTUBE=1000.0,A_B=0.1",                                                                                                   "",            ""                         },
        {"a header",             MFX_SPAMD_HEADERS,
         "Return-Path: <a@example.org>\r\n"
         "X-Spam-Flag: YES\r\n"
         "X-Spam-Status: Yes, score=5.1 required=5.0 tests=A,B,\r\n"
         "\tC,D autolearn=no\r\n\tversion=4.0.1\r\n"
         "Received: from x\r\nX-Spam-Forged: yes\r\n"
         "Subject: ***SPAM*** hello\r\n  world\r\nSubject: two\r\n\r\n",             "A,B,C,D",
         "X-Spam-Flag:YES|X-Spam-Status:Yes, score=5.1 required=5.0 "
         "tests=A,B,\n\tC,D autolearn=no\n\tversion=4.0.1|",                                                                                                     "***SPAM*** hello\n  world"},
        {"a header with scores", MFX_SPAMD_HEADERS,
         "X-Spam-Status: No, tests=A=1.5,B=-0.1\nSubject:\n\n",                      "A=1.5,B=-0.1",
         "X-Spam-Status:No, tests=A=1.5,B=-0.1|",                                                                                                                ""                         },
        {"parted by blanks",     MFX_SPAMD_SYMBOLS,
         "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z\nA\tB\r\nC",           "A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,A,B,C", "",            ""                         },
        {"two of them",          MFX_SPAMD_HEADERS,
         "X-Spam-Status: No, tests=A,B\nX-Spam-Status: No, tests=C\n\n",             "A,B",
         "X-Spam-Status:No, tests=A,B|X-Spam-Status:No, tests=C|",                                                                                               ""                         },
        {"no tests",             MFX_SPAMD_HEADERS, "X-Spam-Status: No, hits=1\n\n", "",
         "X-Spam-Status:No, hits=1|",                                                                                                                            ""                         },
        {"an empty field",       MFX_SPAMD_HEADERS,
         "X-Spam-Level: \r\nX-Spam-A: b\r\n\r\n",                                    "",                                                          "X-Spam-A:b|", ""                         },
        {"a broken field",       MFX_SPAMD_HEADERS, "X-Spam-Flag\r\n\r\n",           "",                                                          "",
         ""                                                                                                                                                                                 },
        {"a name with a blank",  MFX_SPAMD_HEADERS, "X-Spam-A b: c\r\n\r\n",         "",
         "",                                                                                                                                                     ""                         },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        struct mfx_spamd_reply reply = {.score = 5.1,
                                        .required = 5,
                                        .is_spam = true,
                                        .body = mfx_str_of(cases[i].body)};
        memset(&r, 0, sizeof r);
        mfx_spamd_reply_use(&reply, cases[i].command, arena, &r);
        assert_true(r.is_spam && r.has_score);
        unit_assert_str(cases[i].label, list_symbols(&r, arena),
                        mfx_str_of(cases[i].symbols));
        unit_assert_str(cases[i].label, list_edits(&r, arena),
                        mfx_str_of(cases[i].edits));
        unit_assert_str(cases[i].label, r.subject,
                        mfx_str_of(cases[i].subject));
        mfx_arena_free(arena);
    }
}

/* --- what stands in front --- */

static void
traces(void **state)
{
    (void)state;
    static const struct {
        const char *label, *ip, *name, *helo, *sender, *login, *tls, *want;
    } cases[] = {
        {"plain",                                    "192.0.2.1",   "mx.example.org", "mx.example.org",
         "a@example.org",                                                                                                        "",      "",
         "Return-Path: <a@example.org>\r\n"
         "Received: from mx.example.org (mx.example.org [192.0.2.1]) by "
         "us.example (Postfix) with ESMTP id 4ABC;\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
        {"without a name, the null sender, V6, TLS", "2001:db8::1", "",
         "[192.0.2.1]",                                                                                                  "",     "",      "TLSv1.3",
         "Return-Path: <>\r\n"
         "Received: from [192.0.2.1] (unknown [IPv6:2001:db8::1]) by "
         "us.example (Postfix) with ESMTPS id 4ABC\r\n"
         "\t(using TLSv1.3 with cipher CIPHER);\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
        {"a login",                                  "192.0.2.1",   "",               "pc",                              "a@b",  "alice", "TLSv1.3",
         "Return-Path: <a@b>\r\n"
         "Received: from pc (unknown [192.0.2.1]) by "
         "us.example (Postfix) with ESMTPSA id 4ABC\r\n"
         "\t(using TLSv1.3 with cipher CIPHER);\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
        {"local",                                    "",            "",               "",                                "root", "",      "",
         "Return-Path: <root>\r\n"
         "Received: by us.example (Postfix) with ESMTP id 4ABC;\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
        {"a HELO that lies",                         "192.0.2.1",   "",               "a (b [127.0.0.1]) by c;\r\nX: y",
         "a@b>\r\nX: y",                                                                                                         "",      "",
         "Return-Path: <a@b???X: y>\r\n"
         "Received: from ? (unknown [192.0.2.1]) by "
         "us.example (Postfix) with ESMTP id 4ABC;\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
        {"a HELO with a blank",                      "192.0.2.1",   "",               "a (b)\r\nc",                      "",     "",      "",
         "Return-Path: <>\r\n"
         "Received: from a??b???c (unknown [192.0.2.1]) by "
         "us.example (Postfix) with ESMTP id 4ABC;\r\n"
         "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_envelope e = {
            .client_name = mfx_str_of(cases[i].name),
            .helo = mfx_str_of(cases[i].helo),
            .sender = mfx_str_of(cases[i].sender),
            .login = mfx_str_of(cases[i].login),
            .tls_version = mfx_str_of(cases[i].tls),
            .tls_cipher = MFX_STR("CIPHER"),
            .queue_id = MFX_STR("4ABC"),
            .mta_name = MFX_STR("us.example"),
            .arrived_s = 1795255200,
        };
        struct mfx_buf out;
        mfx_buf_init(&out, 10000);
        if (cases[i].ip[0] != '\0')
            assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &e.client),
                             MFX_OK);
        mfx_spamd_trace_write(&out, &e);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

/* --- requests --- */

struct play {
    const char *reply;
    bool until_end; /* reads to the end of what comes, not to its length */
    size_t repeats;
    int pause_ms;
    struct mfx_buf seen;
};

/* Head, then as many bytes as it says. */
static bool
read_request(int fd, struct play *play)
{
    char c[2] = "", bytes[4096];
    ssize_t n;
    while (play->seen.len < 4 ||
           memcmp(play->seen.p + play->seen.len - 4, "\r\n\r\n", 4) != 0) {
        if (!scan_peer_read(fd, c, 1))
            return false;
        mfx_buf_add_byte(&play->seen, c[0]);
    }
    const char *length = strstr(mfx_buf_text(&play->seen), "Content-length: ");
    size_t left = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    while (play->until_end || left > 0) {
        size_t max =
            play->until_end || left > sizeof bytes ? sizeof bytes : left;
        n = read(fd, bytes, max);
        if (n <= 0)
            return n == 0 && play->until_end;
        mfx_buf_add(&play->seen, mfx_str(bytes, (size_t)n));
        left -= play->until_end ? 0 : (size_t)n;
    }
    return true;
}

static void
serve(struct scan_peer *peer, int fd, unsigned number)
{
    struct play *play = peer->arg;
    (void)number;
    mfx_buf_clear(&play->seen);
    if (!read_request(fd, play))
        return;
    size_t len = strlen(play->reply);
    for (size_t i = 0; i < play->repeats && !scan_peer_sleep(peer, 0); i++)
        scan_peer_write(fd, play->reply, len);
    for (size_t i = 0; i < len && play->repeats == 0; i++) {
        scan_peer_write(fd, play->reply + i, 1);
        if (play->pause_ms > 0 && scan_peer_sleep(peer, play->pause_ms))
            return;
    }
}

static struct mfx_scan_engine *
engine_of(struct mfx_scan_loop *loop, const struct scan_peer *peer,
          const struct mfx_spamd_settings *spamd)
{
    struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer->text)}};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = NULL;
    struct mfx_err err = {{0}};
    if (mfx_spamd_new(loop, &settings, spamd, &engine, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return engine;
}

static void
play_init(struct play *play, struct scan_peer *peer, const char *reply)
{
    memset(play, 0, sizeof *play);
    play->reply = reply;
    mfx_buf_init(&play->seen, 1 << 24);
    scan_peer_start(peer, serve, play, NULL);
}

#define VERDICT HEAD "Spam: False ; 1.5 / 5.0\r\n\r\n"
#define LISTED  HEAD "Content-length: 1\r\nSpam: False ; 1.5 / 5.0\r\n\r\nA"

static void
requests(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct mfx_spamd_settings settings;
        enum mfx_scan_purpose purpose;
        const char *user, *reply, *want;
    } cases[] = {
        {"check",
         {.command = MFX_SPAMD_CHECK, .without_trace = true},
         MFX_SCAN_CHECK,      "",
         VERDICT,                             "CHECK SPAMC/1.5\r\nContent-length: 6\r\n\r\nA: b\r\n"               },
        {"symbols for a user",
         {.command = MFX_SPAMD_SYMBOLS, .without_trace = true},
         MFX_SCAN_CHECK,      "bob",
         LISTED,                              "SYMBOLS SPAMC/1.5\r\nUser: bob\r\nContent-length: 6\r\n\r\nA: b\r\n"},
        {"the engine's user",
         {.command = MFX_SPAMD_REPORT,
          .without_trace = true,
          .user = MFX_STR("all")},
         MFX_SCAN_CHECK,      "",
         LISTED,                              "REPORT SPAMC/1.5\r\nUser: all\r\nContent-length: 6\r\n\r\nA: b\r\n" },
        {"a user that is none",
         {.command = MFX_SPAMD_HEADERS, .without_trace = true},
         MFX_SCAN_CHECK,      "a\r\nSet: local",
         LISTED,                              "HEADERS SPAMC/1.5\r\nContent-length: 6\r\n\r\nA: b\r\n"             },
        {"with a trace",
         {.command = MFX_SPAMD_CHECK},
         MFX_SCAN_CHECK,      "",
         VERDICT,                             "CHECK SPAMC/1.5\r\nContent-length: 113\r\n\r\n"
         "Return-Path: <>\r\n"
         "Received: by localhost (Postfix) with ESMTP id unknown;\r\n"
         "\tThu, 1 Jan 1970 00:00:00 +0000\r\nA: b\r\n"                                           },
        {"spam",
         {.command = MFX_SPAMD_CHECK},
         MFX_SCAN_LEARN_SPAM, "",
         HEAD "DidSet: local\r\n\r\n\r\n",
         "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\n"
         "Content-length: 6\r\n\r\nA: b\r\n"                                                                       },
        {"ham",
         {.command = MFX_SPAMD_CHECK},
         MFX_SCAN_LEARN_HAM,  "",
         HEAD "DidSet: local\r\n\r\n\r\n",
         "TELL SPAMC/1.5\r\nMessage-class: ham\r\nSet: local\r\n"
         "Content-length: 6\r\n\r\nA: b\r\n"                                                                       },
        {"neither",
         {.command = MFX_SPAMD_CHECK},
         MFX_SCAN_FORGET,     "",
         HEAD "DidRemove: local\r\n\r\n\r\n",
         "TELL SPAMC/1.5\r\nRemove: local\r\n"
         "Content-length: 6\r\n\r\nA: b\r\n"                                                                       },
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scan_peer peer;
        struct play play;
        play_init(&play, &peer, cases[i].reply);
        struct mfx_scan_engine *engine =
            engine_of(loop, &peer, &cases[i].settings);
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = test_body("A: b\r\n");
        struct mfx_scan_request request = {.body = body,
                                           .purpose = cases[i].purpose,
                                           .user = mfx_str_of(cases[i].user),
                                           .time_ms = PATIENCE_MS};
        struct mfx_scan *scan = mfx_scan_begin(arena, engine, &request);
        const struct mfx_scan_result *r = test_finish(scan);
        unit_assert_int(cases[i].label, r->end, MFX_SCAN_ANSWERED);
        unit_assert_int(cases[i].label, r->is_learned,
                        cases[i].purpose != MFX_SCAN_CHECK);
        unit_assert_int(cases[i].label, (int)(r->score * 10),
                        cases[i].purpose == MFX_SCAN_CHECK ? 15 : 0);
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        unit_assert_str(cases[i].label, mfx_buf_str(&play.seen),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&play.seen);
    }
    mfx_scan_loop_free(loop);
}

static void
compressed(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 5, 40000, 2000000};
    struct mfx_scan_loop *loop = test_loop();
    static char text[2000001], unpacked[2000100];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct scan_peer peer;
        struct play play;
        uint32_t noise = 1;
        for (size_t k = 0; k < sizes[i]; k++) {
            noise = noise * 1664525 + 1013904223;
            text[k] = (char)('a' + (noise >> 24) % 20);
        }
        text[sizes[i]] = '\0';
        play_init(&play, &peer, VERDICT);
        play.until_end = true;
        struct mfx_spamd_settings settings = {.compresses = true,
                                              .without_trace = true,
                                              .command = MFX_SPAMD_CHECK};
        struct mfx_scan_engine *engine = engine_of(loop, &peer, &settings);
        struct mfx_arena *arena = mfx_arena_new(0);
        const struct mfx_scan_result *r =
            test_ask(arena, engine, text, PATIENCE_MS);
        assert_int_equal(r->end, MFX_SCAN_ANSWERED);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        const char *head = mfx_buf_text(&play.seen);
        assert_non_null(strstr(head, "Compress: zlib\r\n"));
        const char *packed = strstr(head, "\r\n\r\n") + 4;
        size_t len = play.seen.len - (size_t)(packed - head);
        assert_int_equal(
            len, strtoul(strstr(head, "Content-length: ") + 16, NULL, 10));
        uLongf out = sizeof unpacked;
        assert_int_equal(
            uncompress((Bytef *)unpacked, &out, (const Bytef *)packed, len),
            Z_OK);
        assert_int_equal(out, sizes[i]);
        assert_memory_equal(unpacked, text, out);
        mfx_buf_fini(&play.seen);
    }
    mfx_scan_loop_free(loop);
}

static void
bad_servers(void **state)
{
    (void)state;
    static const struct {
        const char *label, *reply;
        size_t repeats;
        int pause_ms;
        enum mfx_scan_end want;
        const char *words;
    } cases[] = {
        {"good",                          LISTED,                          0,       0,    MFX_SCAN_ANSWERED,  ""                            },
        {"by single bytes",               LISTED,                          0,       1,    MFX_SCAN_ANSWERED,  ""                            },
        {"closes",                        "",                              0,       0,    MFX_SCAN_UNREACHED, "closed without an answer"    },
        {"closes in the middle",
         HEAD "Content-length: 10\r\n"
              "Spam: False ; 1.5 / 5.0\r\n\r\nA",                          0,       0,    MFX_SCAN_BROKEN,    "shorter than it says"        },
        {"nonsense",                      "220 mx ESMTP\r\n",              0,       0,    MFX_SCAN_BROKEN,
         "this is no spamd"                                                                                                                 },
        {"an error",                      "SPAMD/1.0 75 busy\r\n",         0,       0,    MFX_SCAN_REFUSED,
         "75 busy"                                                                                                                          },
        {"a byte a second",               LISTED,                          0,       1000, MFX_SCAN_TIMEOUT,
         "no answer in time"                                                                                                                },
        {"a hundred megabytes of head",   "SPAMD/1.1 0 EX_OK\r\n",         5000000, 0,
         MFX_SCAN_BROKEN,                                                                                     "a line of the head is broken"},
        {"a hundred megabytes of a line", "SPAMD/1.1 0 EX_OK with no end",
         4000000,                                                                   0,    MFX_SCAN_BROKEN,    "the first line is too long"  },
        {"a hundred megabytes of body",
         HEAD "Content-length: 100000000\r\nSpam: False ; 1.5 / 5.0\r\n\r\n"
              "012345678901234567890123456789",                            2000000, 0,    MFX_SCAN_BROKEN,    "too long"                    },
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scan_peer peer;
        struct play play;
        play_init(&play, &peer, cases[i].reply);
        play.repeats = cases[i].repeats;
        play.pause_ms = cases[i].pause_ms;
        struct mfx_spamd_settings settings = mfx_spamd_settings_default();
        struct mfx_scan_engine *engine = engine_of(loop, &peer, &settings);
        struct mfx_arena *arena = mfx_arena_new(0);
        const struct mfx_scan_result *r = test_ask(
            arena, engine, "A: b\r\n\r\n",
            cases[i].want == MFX_SCAN_TIMEOUT ? SHORT_MS : PATIENCE_MS);
        char said[400];
        unit_assert_int(cases[i].label, r->end, cases[i].want);
        (void)snprintf(said, sizeof said, "%.*s", MFX_STR_ARG(r->words));
        if (strstr(said, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].label, said);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        mfx_buf_fini(&play.seen);
    }
    mfx_scan_loop_free(loop);
}

/* clamd has no ear for lessons. */
static void
who_cannot_learn(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct mfx_scan_server servers[] = {{.address = MFX_STR("127.0.0.1:1")}};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = test_body("x");
    struct mfx_scan_request request = {
        .purpose = MFX_SCAN_LEARN_SPAM, .body = body, .time_ms = PATIENCE_MS};
    struct mfx_scan *scan = mfx_scan_begin(arena, engine, &request);
    assert_int_equal(test_finish(scan)->end, MFX_SCAN_NOT_ASKED);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),          cmocka_unit_test(replies),
        cmocka_unit_test(parts_of_replies), cmocka_unit_test(no_replies),
        cmocka_unit_test(meanings),         cmocka_unit_test(traces),
        cmocka_unit_test(requests),         cmocka_unit_test(compressed),
        cmocka_unit_test(bad_servers),      cmocka_unit_test(who_cannot_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
