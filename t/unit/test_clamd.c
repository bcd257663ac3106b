/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clamd's protocol: what it says, and how it says it. */
#include "unit.h"

#include <mfx/scan/clamd_reply.h>

#include "scan_clamd.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- replies, taken apart --- */

/* As clamd 1.4 writes them (clamd/scanner.c, session.c, server-th.c). */
static void
replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *line;
        uint64_t id;
        int kind;
        const char *name, *words;
    } cases[] = {
        {"clean",                         "stream: OK",                             0,  MFX_CLAMD_CLEAN,     "",             ""                             },
        {"clean file",                    "fd[10]: OK",                             0,  MFX_CLAMD_CLEAN,     "",             ""                             },
        {"in a session",                  "3: stream: OK",                          3,  MFX_CLAMD_CLEAN,     "",             ""                             },
        {"found",                         "stream: Win.Test.EICAR_HDB-1 FOUND",     0,  MFX_CLAMD_FOUND,
         "Win.Test.EICAR_HDB-1",                                                                                             ""                             },
        {"with a hash",
         "stream: Eicar(44d88612fea8a8f36de82e1278abb02f:68) FOUND",                0,
         MFX_CLAMD_FOUND,                                                                                    "Eicar",        ""                             },
        {"parentheses of its own",        "stream: A(b) FOUND",                     0,  MFX_CLAMD_FOUND,
         "A(b)",                                                                                                             ""                             },
        {"found in a session",            "17: fd[9]: X.UNOFFICIAL FOUND",          17,
         MFX_CLAMD_FOUND,                                                                                    "X.UNOFFICIAL", ""                             },
        {"a colon in the name",           "stream: A: B FOUND",                     0,  MFX_CLAMD_FOUND,
         "A: B",                                                                                                             ""                             },
        {"size limit",                    "INSTREAM size limit exceeded. ERROR",    0,
         MFX_CLAMD_TOO_LARGE,                                                                                "",             "INSTREAM size limit exceeded."},
        {"size limit in a session",       "1: INSTREAM size limit exceeded. ERROR", 1,
         MFX_CLAMD_TOO_LARGE,                                                                                "",             "INSTREAM size limit exceeded."},
        {"size limit without its number", "INSTREAM size limit exceeded. ERROR",
         1,                                                                             MFX_CLAMD_TOO_LARGE, "",             "INSTREAM size limit exceeded."},
        {"an error",                      "stream: Can't allocate memory ERROR",    0,  MFX_CLAMD_ERROR,
         "",                                                                                                                 "stream: Can't allocate memory"},
        {"too slow",                      "COMMAND READ TIMED OUT",                 0,  MFX_CLAMD_ERROR,     "",
         "COMMAND READ TIMED OUT"                                                                                                                           },
        {"unknown",                       "UNKNOWN COMMAND",                        0,  MFX_CLAMD_ERROR,     "",
         "UNKNOWN COMMAND"                                                                                                                                  },
        {"a line end",                    "stream: OK\n",                           0,  MFX_CLAMD_CLEAN,     "",             ""                             },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_clamd_reply r;
        unit_assert_int(
            cases[i].label,
            mfx_clamd_reply_read(mfx_str_of(cases[i].line), cases[i].id, &r),
            MFX_OK);
        unit_assert_int(cases[i].label, r.kind, cases[i].kind);
        unit_assert_str(cases[i].label, r.name, mfx_str_of(cases[i].name));
        unit_assert_str(cases[i].label, r.words, mfx_str_of(cases[i].words));
    }
}

static void
no_replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *line;
        uint64_t id;
    } cases[] = {
        {"nothing",              "",                         0},
        {"half",                 "stream: O",                0},
        {"OK alone",             "OK",                       0},
        {"no subject",           ": OK",                     0},
        {"found nothing",        "stream:  FOUND",           0},
        {"found without stream", "Eicar FOUND",              0},
        {"a control character",  "stream: E\x01icar FOUND",  0},
        {"a line within",        "stream: A\r\nB: x FOUND",  0},
        {"not ASCII",            "stream: \xe4 FOUND",       0},
        {"other number",         "2: stream: OK",            1},
        {"no number",            "stream: OK",               1},
        {"number too large",     "99999999999: stream: OK",  1},
        {"HTTP",                 "HTTP/1.1 400 Bad Request", 0},
        {"SMTP",                 "220 mx ESMTP",             0},
    };
    static char longest[600] = "stream: ";
    struct mfx_clamd_reply r;
    for (size_t i = 0; i < COUNT(cases); i++)
        unit_assert_int(
            cases[i].label,
            mfx_clamd_reply_read(mfx_str_of(cases[i].line), cases[i].id, &r),
            MFX_PERMFAIL);
    memset(longest + 8, 'x', 500);
    memcpy(longest + 508, " FOUND", 7);
    unit_assert_int("a name without end",
                    mfx_clamd_reply_read(mfx_str_of(longest), 0, &r),
                    MFX_PERMFAIL);
}

static void
classes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"",                                        "none"     },
        {"Win.Test.EICAR_HDB-1",                    "virus"    },
        {"Eicar-Test.UNOFFICIAL",                   "virus"    },
        {"Heuristics.Limits.Exceeded.MaxFileSize",  "limit"    },
        {"Heuristics.Encrypted.Zip",                "encrypted"},
        {"Heuristics.Encrypted.PDF",                "encrypted"},
        {"Heuristics.OLE2.ContainsMacros.VBA",      "macro"    },
        {"Heuristics.Phishing.Email.SpoofedDomain", "phishing" },
        {"Heuristics.Structured.CreditCardNumber",  "data_loss"},
        {"Heuristics.Broken.Executable",            "broken"   },
        {"Heuristics.Safebrowsing.Suspected",       "heuristic"},
        {"heuristics.W32.Parite.B",                 "heuristic"},
        {"PUA.Win.Packer.Upx-1",                    "pua"      },
        {"PUA.Phishing.X",                          "pua"      },
        {"Html.Phishing.Bank-1",                    "phishing" },
        {"Email.Phishing.VOF1-6296950-0",           "phishing" },
        {"Sanesecurity.Phish.Auction.3.UNOFFICIAL", "phishing" },
        {"Sanesecurity.Spam.9.UNOFFICIAL",          "spam"     },
        {"Spammer.Tool",                            "virus"    },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        unit_assert_str(cases[i].name,
                        mfx_str_of(mfx_scan_class_name(
                            mfx_clamd_class(mfx_str_of(cases[i].name)))),
                        mfx_str_of(cases[i].want));
}

/* --- servers that do not behave --- */

struct play {
    const char *text;
    size_t chunks; /* read before it speaks; 0: all */
    bool has_no_end;
    size_t repeats; /* of the text */
    int pause_ms;   /* between two bytes */
};

static void
serve_play(struct scan_peer *peer, int fd, unsigned number)
{
    const struct play *play = peer->arg;
    char command[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    if (play->chunks == 0)
        clam_stream(fd, NULL);
    for (size_t i = 0; i < play->chunks; i++)
        (void)clam_chunk(fd, NULL);
    size_t len = strlen(play->text) + (play->has_no_end ? 0 : 1);
    for (size_t i = 0; i < play->repeats && !scan_peer_sleep(peer, 0); i++)
        scan_peer_write(fd, play->text, len);
    for (size_t i = 0; i < len && play->pause_ms > 0; i++) {
        scan_peer_write(fd, play->text + i, 1);
        if (scan_peer_sleep(peer, play->pause_ms))
            return;
    }
    if (play->pause_ms == 0 && play->repeats == 0)
        scan_peer_write(fd, play->text, len);
}

static void
one_play(struct mfx_scan_loop *loop, const char *label, struct play *play,
         const char *path, enum mfx_scan_end want, const char *words)
{
    static char text[4000000];
    struct scan_peer peer;
    memset(text, 'x', sizeof text - 1);
    scan_peer_start(&peer, serve_play, play, path);
    struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer.text)}};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_clamd_settings clamd = {.passes_files = false};
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, &clamd);
    struct mfx_arena *arena = mfx_arena_new(0);
    uint64_t time_ms = want == MFX_SCAN_TIMEOUT ? SHORT_MS : PATIENCE_MS;
    const struct mfx_scan_result *r = test_ask(arena, engine, text, time_ms);
    unit_assert_int(label, r->end, want);
    char said[400];
    (void)snprintf(said, sizeof said, "%.*s", MFX_STR_ARG(r->words));
    if (strstr(said, words) == NULL)
        fail_msg("%s: %s", label, said);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    scan_peer_stop(&peer);
}

static void
bad_servers(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct play play;
        enum mfx_scan_end want;
        const char *words;
    } cases[] = {
        {"clean",                     {.text = "stream: OK"},                MFX_SCAN_ANSWERED, ""                                 },
        {"by single bytes",
         {.text = "stream: OK", .pause_ms = 1},
         MFX_SCAN_ANSWERED,                                                                     ""                                 },
        {"closes without a word",
         {.text = "", .has_no_end = true},
         MFX_SCAN_UNREACHED,                                                                    "closed without an answer"         },
        {"closes in the middle",
         {.text = "stream: O", .has_no_end = true},
         MFX_SCAN_UNREACHED,                                                                    "closed in the middle of an answer"},
        {"no end",
         {.text = "stream: OK", .has_no_end = true},
         MFX_SCAN_UNREACHED,                                                                    "closed in the middle of an answer"},
        {"nonsense",                  {.text = "hello"},                     MFX_SCAN_BROKEN,   "not an answer"                    },
        {"nothing but an end",        {.text = ""},                          MFX_SCAN_BROKEN,   "not an answer"                    },
        {"too large, while we write",
         {.text = "INSTREAM size limit exceeded. ERROR", .chunks = 2},
         MFX_SCAN_TOO_LARGE,                                                                    "size limit exceeded"              },
        {"an error, while we write",
         {.text = "stream: Can't create temporary file ERROR", .chunks = 1},
         MFX_SCAN_REFUSED,                                                                      "Can't create temporary file"      },
        {"closes while we write",
         {.text = "", .chunks = 1, .has_no_end = true},
         MFX_SCAN_UNREACHED,                                                                    ""                                 },
        {"a byte a second",
         {.text = "stream: OK", .pause_ms = 1000},
         MFX_SCAN_TIMEOUT,                                                                      "no answer in time"                },
        {"a hundred megabytes",
         {.text = "stream: xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
          .repeats = 3000000,
          .has_no_end = true},
         MFX_SCAN_BROKEN,                                                                       "too long"                         },
    };
    char folder[] = "/tmp/mfx-clamd-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct play play = cases[i].play;
        one_play(loop, cases[i].label, &play, NULL, cases[i].want,
                 cases[i].words);
        one_play(loop, cases[i].label, &play, path, cases[i].want,
                 cases[i].words);
    }
    mfx_scan_loop_free(loop);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* --- what is found --- */

static void
a_find(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    struct play play = {.text =
                            "stream: PUA.Win.Tool-1.UNOFFICIAL(0a:68) FOUND"};
    scan_peer_start(&peer, serve_play, &play, NULL);
    struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer.text)}};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct mfx_scan_result *r = test_ask(arena, engine, "x", PATIENCE_MS);
    assert_int_equal(r->end, MFX_SCAN_ANSWERED);
    unit_assert_str("virus", r->virus, mfx_str_of("PUA.Win.Tool-1.UNOFFICIAL"));
    unit_assert_str("raw", r->raw, mfx_str_of(play.text));
    assert_int_equal(r->klass, MFX_SCAN_CLASS_PUA);
    assert_true(r->is_unofficial);
    assert_false(r->has_score);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

/* --- files handed over --- */

static int
take_descriptor(int fd)
{
    char nul = 'x';
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {&nul, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int got = -1;
    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1 || nul != '\0')
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(&got, CMSG_DATA(header), sizeof got);
    return got;
}

static void
serve_files(struct scan_peer *peer, int fd, unsigned number)
{
    char command[40], bytes[4096];
    ssize_t n;
    off_t at = 0;
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    if (strcmp(command, "zFILDES") != 0) {
        clam_stream(fd, NULL);
        clam_say(fd, "stream: OK");
        return;
    }
    int file = take_descriptor(fd);
    atomic_fetch_add(&peer->asked, 1);
    while ((n = pread(file, bytes, sizeof bytes, at)) > 0) {
        mfx_buf_add(peer->arg, mfx_str(bytes, (size_t)n));
        at += n;
    }
    (void)close(file);
    clam_say(fd, "fd[10]: OK");
}

static void
files(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t memory, max_size;
        bool is_handed_over;
    } cases[] = {
        {"in a file",             1000,    0,    true },
        {"in memory",             1 << 20, 0,    false},
        {"only a part of a file", 1000,    5000, false},
    };
    static char text[50001];
    char folder[] = "/tmp/mfx-clamd-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    memset(text, 'y', sizeof text - 1);
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_buf seen;
        struct scan_peer peer;
        mfx_buf_init(&seen, 1 << 20);
        scan_peer_start(&peer, serve_files, &seen, path);
        struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer.text)}};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        settings.max_size = cases[i].max_size;
        settings.scans_part = true;
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = mfx_scan_body_new(cases[i].memory, NULL);
        struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
        mfx_scan_body_add(body, mfx_str_of(text));
        mfx_scan_body_end(body);
        unit_assert_int(cases[i].label, test_finish(scan)->end,
                        MFX_SCAN_ANSWERED);
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        unit_assert_int(cases[i].label, atomic_load(&peer.asked),
                        cases[i].is_handed_over);
        unit_assert_int(cases[i].label, seen.len,
                        cases[i].is_handed_over ? sizeof text - 1 + 9 : 0);
        mfx_buf_fini(&seen);
    }
    mfx_scan_loop_free(loop);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* Has no leave to read what it is given. */
static void
serve_no_files(struct scan_peer *peer, int fd, unsigned number)
{
    char command[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    if (strcmp(command, "zFILDES") == 0) {
        atomic_fetch_add(&peer->asked, 1);
        (void)close(take_descriptor(fd));
        clam_say(fd, "No file descriptor received. ERROR");
        return;
    }
    clam_stream(fd, peer->arg);
    clam_say(fd, "stream: OK");
}

static void
no_files(void **state)
{
    (void)state;
    static char text[5001];
    char folder[] = "/tmp/mfx-clamd-XXXXXX", path[64];
    struct scan_peer peer;
    struct mfx_buf seen;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    memset(text, 'y', sizeof text - 1);
    mfx_buf_init(&seen, 1 << 20);
    scan_peer_start(&peer, serve_no_files, &seen, path);
    struct mfx_scan_loop *loop = test_loop();
    struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer.text)}};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    for (int i = 0; i < 3; i++) {
        struct mfx_scan_body *body = mfx_scan_body_new(100, NULL);
        struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
        mfx_scan_body_add(body, mfx_str_of(text));
        mfx_scan_body_end(body);
        const struct mfx_scan_result *r = test_finish(scan);
        assert_int_equal(r->end, MFX_SCAN_ANSWERED);
        assert_int_equal(r->tries, 1);
        mfx_scan_body_free(body);
    }
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
    assert_int_equal(atomic_load(&peer.asked), 1);
    assert_int_equal(seen.len, 3 * (5000 + 9));
    mfx_buf_fini(&seen);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* --- sessions --- */

/* *arg: how many requests it takes on one connection. */
static void
serve_session(struct scan_peer *peer, int fd, unsigned number)
{
    const unsigned *lasts = peer->arg;
    char command[40], reply[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command) ||
        strcmp(command, "zIDSESSION") != 0)
        return;
    for (unsigned id = 1; id <= *lasts; id++) {
        if (!clam_next(fd, command, sizeof command))
            return;
        clam_stream(fd, NULL);
        atomic_fetch_add(&peer->asked, 1);
        (void)snprintf(reply, sizeof reply, "%u: stream: OK", id);
        clam_say(fd, reply);
    }
}

static void
sessions(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned lasts, idle_ms, connections;
    } cases[] = {
        {"one for all",     1000, 20000, 1},
        {"closed by clamd", 2,    20000, 3},
        {"not kept",        1000, 0,     6},
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned lasts = cases[i].lasts;
        struct scan_peer peer;
        scan_peer_start(&peer, serve_session, &lasts, NULL);
        struct mfx_scan_server servers[] = {{.address = mfx_str_of(peer.text)}};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        settings.idle_ms = cases[i].idle_ms;
        settings.max_failures = 1;
        struct mfx_clamd_settings clamd = {.uses_sessions = true};
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, &clamd);
        struct mfx_arena *arena = mfx_arena_new(0);
        for (int k = 0; k < 6; k++)
            unit_assert_int(cases[i].label,
                            test_ask(arena, engine, "x", PATIENCE_MS)->end,
                            MFX_SCAN_ANSWERED);
        unit_assert_int(cases[i].label, atomic_load(&peer.asked), 6);
        unit_assert_int(cases[i].label, atomic_load(&peer.count),
                        cases[i].connections);
        struct mfx_scan_server_report report;
        (void)mfx_scan_engine_report(engine, &report, 1, NULL);
        unit_assert_int(cases[i].label, report.answered, 6);
        unit_assert_int(cases[i].label, report.unreached, 0);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
    }
    mfx_scan_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),  cmocka_unit_test(no_replies),
        cmocka_unit_test(classes),  cmocka_unit_test(bad_servers),
        cmocka_unit_test(a_find),   cmocka_unit_test(files),
        cmocka_unit_test(no_files), cmocka_unit_test(sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
