/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What lists answer, what it comes to, and when nobody waits any longer.
 */
#include <poll.h>
#include <stdlib.h>

#include "spf_list_conf.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What RFC 5782 wants to be listed, for three lists of addresses and one of
 * domains. */
#define TESTS                               \
    "2.0.0.127.a.test A 127.0.0.2\n"        \
    "2.0.0.127.b.test A 127.0.0.2\n"        \
    "2.0.0.127.wl.test A 127.0.9.2\n"       \
    "2.0.0.127.key123.c.test A 127.0.0.2\n" \
    "test.dbl.test A 127.0.1.2\n"

static struct mfx_ip
ip_of(const char *text)
{
    struct mfx_ip ip;
    if (mfx_ip_parse(mfx_str_of(text), &ip) != MFX_OK)
        fail_msg("no address: %s", text);
    return ip;
}

static void
add_client(struct spf_asking *asking, const char *text)
{
    struct mfx_ip ip = ip_of(text);
    spf_asking_add(asking, SPF_LIST_CLIENT, mfx_str("", 0), &ip);
}

static void
add(struct spf_asking *asking, enum spf_list_key key, const char *name)
{
    spf_asking_add(asking, key, mfx_str_of(name), NULL);
}

/* A configuration, a resolver, lists that have been tested, one asking. */
struct fixture {
    struct mock mock;
    struct spf_list_conf conf;
    struct mfx_arena *arena;
    struct spf_asking *asking;
};

static void
begin_untested(struct fixture *f, const char *conf, const char *zone)
{
    mock_begin(&f->mock, zone);
    spf_list_conf_begin(&f->conf, conf, NULL);
    if (f->conf.rc != MFX_OK)
        fail_msg("%s: %s", conf, f->conf.problems.first->text);
    f->arena = mfx_arena_new(0);
    f->asking = spf_asking_begin(f->conf.lists, &f->mock.env, f->arena, NULL);
    assert_non_null(f->asking);
}

static void
begin(struct fixture *f, const char *conf, const char *zone)
{
    begin_untested(f, conf, zone);
    spf_lists_test(f->conf.lists, &f->mock.env);
    f->mock.asked = f->mock.asked_txt = 0;
}

static void
end(struct fixture *f)
{
    mfx_arena_free(f->arena);
    spf_list_conf_end(&f->conf);
    mock_end(&f->mock);
}

/* Another message, or connection. */
static void
renew(struct fixture *f)
{
    mfx_arena_reset(f->arena);
    f->asking = spf_asking_begin(f->conf.lists, &f->mock.env, f->arena, NULL);
}

static size_t
pending(struct spf_asking *asking)
{
    struct mfx_event *events[32];
    return spf_asking_pending(asking, events, COUNT(events));
}

/* --- what it comes to --- */

static const char scores_zone[] = TESTS
    "1.2.0.192.a.test A 127.0.0.2\n"
    "1.2.0.192.b.test A 127.0.0.4\n"
    "2.2.0.192.a.test A 127.0.0.2\n"
    "2.2.0.192.a.test A 127.0.0.4\n"
    "3.2.0.192.a.test A 127.0.0.2\n"
    "3.2.0.192.wl.test A 127.0.9.3\n"
    "4.2.0.192.a.test A 127.255.255.254\n"
    "5.2.0.192.a.test A 192.0.2.80\n"
    "6.2.0.192.a.test A 127.0.0.1\n"
    "7.2.0.192.a.test A !servfail\n"
    "8.2.0.192.a.test A 127.0.0.2\n"
    "8.2.0.192.wl.test A !servfail\n"
    "9.2.0.192.wl.test A 127.0.9.3\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.a.test A "
    "127.0.0.2\n";

static void
scores(void **state)
{
    static const struct {
        const char *label, *conf, *client;
        int score;
        enum spf_list_action action;
        const char *names;
    } cases[] = {
        {"not_listed",                "lists = { sites = \"a.test\"; };",                       "192.0.2.99",       0,
         SPF_LISTS_NONE,                                                                                                                    ""                   },
        {"one",                       "lists = { sites = \"a.test\"; };",                       "192.0.2.1",        1,
         SPF_LISTS_REJECT,                                                                                                                  "a.test=1"           },
        {"postconf_both_agree",
         "lists = { sites = \"a.test, b.test\"; reject_at = 2; };",                             "192.0.2.1",
         2,                                                                                                             SPF_LISTS_REJECT,   "a.test=1,b.test=1"  },
        {"postconf_one_of_two",
         "lists = { sites = \"a.test, b.test\"; reject_at = 2; };",                             "192.0.2.2",
         1,                                                                                                             SPF_LISTS_NONE,     "a.test=1"           },
        {"postconf_high_confidence",
         "lists = { sites = \"a.test*2 b.test\"; reject_at = 2; };",                            "192.0.2.2",        2,  SPF_LISTS_REJECT,   "a.test=2"           },
        {"largest_first",             "lists = { sites = [\"b.test\", \"a.test*3\"]; };",
         "192.0.2.1",                                                                                               4,  SPF_LISTS_REJECT,   "a.test=3,b.test=1"  },
        {"filter_hits",               "lists = { sites = \"b.test=127.0.0.4*2\"; };",
         "192.0.2.1",                                                                                               2,  SPF_LISTS_REJECT,   "b.test=2"           },
        {"filter_misses",             "lists = { sites = \"a.test=127.0.0.4*2\"; };",
         "192.0.2.1",                                                                                               0,  SPF_LISTS_NONE,     ""                   },
        {"weight_once",               "lists = { sites = \"a.test=127.0.0.[2..4]*2\"; };",
         "192.0.2.2",                                                                                               2,  SPF_LISTS_REJECT,   "a.test=2"           },
        {"two_filters",
         "lists = { sites = \"a.test=127.0.0.2*2, a.test=127.0.0.4*3\"; };",                    "192.0.2.2",        5,  SPF_LISTS_REJECT,   "a.test=5"           },
        {"allow_list",
         "lists = { sites = \"a.test*2, wl.test*-2\"; allow_at = -2; };",                       "192.0.2.3",        0,  SPF_LISTS_NONE,     "a.test=2,wl.test=-2"},
        {"allowed",
         "lists = { sites = \"a.test*2, wl.test*-2\"; allow_at = -2; };",                       "192.0.2.9",        -2, SPF_LISTS_ALLOW,    "wl.test=-2"         },
        {"refused_question",          "lists = { sites = \"a.test\"; };",                       "192.0.2.4",        0,
         SPF_LISTS_NONE,                                                                                                                    ""                   },
        {"parked",                    "lists = { sites = \"a.test\"; };",                       "192.0.2.5",        0,
         SPF_LISTS_NONE,                                                                                                                    ""                   },
        {"127.0.0.1",                 "lists = { sites = \"a.test\"; };",                       "192.0.2.6",        0,
         SPF_LISTS_NONE,                                                                                                                    ""                   },
        {"127.0.0.1_named",           "lists = { sites = \"a.test=127.0.0.[1..2]\"; };",
         "192.0.2.6",                                                                                               1,  SPF_LISTS_REJECT,   "a.test=1"           },
        {"servfail",                  "lists = { sites = \"a.test\"; };",                       "192.0.2.7",        0,
         SPF_LISTS_NONE,                                                                                                                    ""                   },
        {"allow_list_failed",
         "lists = { sites = \"a.test*2, wl.test*-2\"; reject_at = 1; };",                       "192.0.2.8",        2,  SPF_LISTS_TEMPFAIL, "a.test=2"           },
        {"allow_list_failed_in_vain",
         "lists = { sites = \"a.test*4, wl.test*-2\"; reject_at = 2; };",                       "192.0.2.8",        4,  SPF_LISTS_REJECT,   "a.test=4"           },
        {"tag",
         "lists = { sites = \"a.test*2\"; tag_at = 1; tempfail_at = 3; "
         "reject_at = 4; };",                                                                   "192.0.2.1",        2,  SPF_LISTS_TAG,      "a.test=2"           },
        {"tempfail",
         "lists = { sites = \"a.test*3\"; tag_at = 1; tempfail_at = 3; "
         "reject_at = 4; };",                                                                   "192.0.2.1",        3,  SPF_LISTS_TEMPFAIL, "a.test=3"           },
        {"never",                     "lists = { sites = \"a.test*3\"; reject_at = 0; };",
         "192.0.2.1",                                                                                               3,  SPF_LISTS_NONE,     "a.test=3"           },
        {"v6",                        "lists = { sites = \"a.test\"; };",                       "2001:db8::1",      1,
         SPF_LISTS_REJECT,                                                                                                                  "a.test=1"           },
        {"v6_off",                    "dns_lists = ( { sites = \"a.test\"; ipv6 = false; } );",
         "2001:db8::1",                                                                                             0,  SPF_LISTS_NONE,     ""                   },
        {"mapped",                    "lists = { sites = \"a.test\"; };",                       "::ffff:192.0.2.1", 1,
         SPF_LISTS_REJECT,                                                                                                                  "a.test=1"           },
        {"error_codes",
         "dns_lists = ( { sites = \"a.test\"; error_codes = "
         "\"127.0.0.[4..5]\"; } );",                                                            "192.0.2.2",        0,  SPF_LISTS_NONE,     ""                   },
        {"shadow",
         "dns_lists = ( { sites = \"a.test\"; mode = \"shadow\"; } );",                         "192.0.2.1",        0,  SPF_LISTS_NONE,     ""                   },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        begin(&f, cases[i].conf, scores_zone);
        add_client(f.asking, cases[i].client);
        unit_assert_int(cases[i].label, pending(f.asking), 0);
        const struct spf_score *score = spf_asking_finish(f.asking);
        unit_assert_int(cases[i].label, score->score, cases[i].score);
        unit_assert_int(cases[i].label, score->action, cases[i].action);
        unit_assert_int(cases[i].label, score->reason[0] != '\0',
                        score->action != SPF_LISTS_NONE);
        unit_assert_str(cases[i].label, spf_score_names(score, false, f.arena),
                        mfx_str_of(cases[i].names));
        end(&f);
    }
}

static void
troubles(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test, b.test\"; };", scores_zone);
    add_client(f.asking, "192.0.2.4");
    const struct spf_score *score = spf_asking_finish(f.asking);
    assert_int_equal(score->trouble_count, 1);
    unit_assert_str("list", score->troubles[0].list, mfx_str_of("a.test"));
    assert_true(score->troubles[0].is_error);
    assert_string_equal(score->troubles[0].why,
                        "the list refuses questions from a public resolver");
    renew(&f);
    add_client(f.asking, "192.0.2.7");
    score = spf_asking_finish(f.asking);
    assert_int_equal(score->trouble_count, 1);
    assert_false(score->troubles[0].is_error);
    assert_string_equal(score->troubles[0].why, "server failure");
    end(&f);
}

/* --- keys --- */

static const char keys_zone[] = TESTS
    "bad.example.dbl.test A 127.0.1.2\n"
    "xn--bcher-kva.example.dbl.test A 127.0.1.2\n"
    "mail.bad.example.dbl.test A 127.0.1.2\n"
    "63a710569261a24b3766275b7000ce8d7b32e2f7.h.test A 127.0.0.2\n"
    "b58996c504c5638798eb6b511e6f49af.m.test A 127.0.0.2\n"
    "wte2fcjshmq2ahb6sqhrkdvzxdcuewd7dk75r4hbzqp7yxshkuka.s.test A 127.0.0.2\n"
    "dppxfycnnnimqksiy7sn2ogmne.d.test A 127.0.0.2\n";

#define DOMAINS                                                        \
    "dns_lists = ( { sites = \"dbl.test\"; type = \"domain\"; keys = " \
    "[\"helo\", \"client_name\", \"sender_domain\", \"from_domain\"]; } );"
#define HASHES(zone, hash, encoding, key)                                   \
    "dns_lists = ( { sites = \"" zone "\"; type = \"hash\"; hash = \"" hash \
    "\"; encoding = \"" encoding "\"; keys = \"" key "\"; } );"

#define SHA1_SENDER   HASHES("h.test", "sha1", "hex", "sender")
#define MD5_FROM      HASHES("m.test", "md5", "hex", "from")
#define SHA256_SENDER HASHES("s.test", "sha256", "base32", "sender")
#define MD5_DOMAIN    HASHES("d.test", "md5", "base32", "sender_domain")

/* The hashes were made by sha1sum, md5sum and Python. */
static void
keys(void **state)
{
    static const struct {
        const char *label, *conf;
        enum spf_list_key key;
        const char *name;
        int score;
    } cases[] = {
        {"helo",            DOMAINS,       SPF_LIST_HELO,          "Mail.BAD.example", 1},
        {"u_labels",        DOMAINS,       SPF_LIST_SENDER_DOMAIN,
         "b\xC3\xBC"
         "cher.example",                                                               1},
        {"no_labels",       DOMAINS,       SPF_LIST_SENDER_DOMAIN, "b\xFF.example",    0},
        {"helo_good",       DOMAINS,       SPF_LIST_HELO,          "mail.example.org", 0},
        {"helo_test_entry", DOMAINS,       SPF_LIST_HELO,          "TEST",             0},
        {"helo_literal",    DOMAINS,       SPF_LIST_HELO,          "[192.0.2.1]",      0},
        {"helo_empty",      DOMAINS,       SPF_LIST_HELO,          "",                 0},
        {"client_name",     DOMAINS,       SPF_LIST_CLIENT_NAME,   "bad.example",      1},
        {"sender_domain",   DOMAINS,       SPF_LIST_SENDER_DOMAIN, "bad.example.",     1},
        {"from_domain",     DOMAINS,       SPF_LIST_FROM_DOMAIN,   "bad.example",      1},
        {"not_a_key",       DOMAINS,       SPF_LIST_SENDER,        "x@bad.example",    0},
        {"sha1",            SHA1_SENDER,   SPF_LIST_SENDER,        "User@Example.com", 1},
        {"sha1_other",      SHA1_SENDER,   SPF_LIST_SENDER,        "user@example.net", 0},
        {"null_sender",     SHA1_SENDER,   SPF_LIST_SENDER,        "",                 0},
        {"md5",             MD5_FROM,      SPF_LIST_FROM,          "user@example.com", 1},
        {"sha256",          SHA256_SENDER, SPF_LIST_SENDER,        "user@example.com", 1},
        {"md5_domain",      MD5_DOMAIN,    SPF_LIST_SENDER_DOMAIN, "EXAMPLE.org.",     1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        begin(&f, cases[i].conf, keys_zone);
        add(f.asking, cases[i].key, cases[i].name);
        unit_assert_int(cases[i].label, spf_asking_finish(f.asking)->score,
                        cases[i].score);
        end(&f);
    }
}

/* Whatever number of names of a message a zone lists. */
static void
once_for_all_keys(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, DOMAINS, keys_zone);
    add(f.asking, SPF_LIST_HELO, "bad.example");
    add(f.asking, SPF_LIST_SENDER_DOMAIN, "BAD.example");
    add(f.asking, SPF_LIST_FROM_DOMAIN, "mail.bad.example");
    unit_assert_int("asked", f.mock.asked, 2);
    unit_assert_int("score", spf_asking_finish(f.asking)->score, 1);
    end(&f);
}

/* HELO after STARTTLS takes the place of the one before; each message has its
 * own sender, and the connection's client. */
static void
connections(void **state)
{
    struct fixture f;
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    begin(&f, "lists = { sites = \"a.test\"; };" DOMAINS,
          TESTS "bad.example.dbl.test A 127.0.1.2\n"
                "1.2.0.192.a.test A 127.0.0.2\n");
    add_client(f.asking, "192.0.2.1");
    add(f.asking, SPF_LIST_HELO, "bad.example");
    unit_assert_int("first HELO", spf_asking_finish(f.asking)->score, 2);
    add(f.asking, SPF_LIST_HELO, "good.example");
    unit_assert_int("second HELO", spf_asking_finish(f.asking)->score, 1);
    struct spf_asking *m =
        spf_asking_begin(f.conf.lists, &f.mock.env, arena, f.asking);
    unit_assert_int("client", spf_asking_finish(m)->score, 1);
    add(m, SPF_LIST_SENDER_DOMAIN, "bad.example");
    unit_assert_int("first message", spf_asking_finish(m)->score, 2);
    mfx_arena_reset(arena);
    m = spf_asking_begin(f.conf.lists, &f.mock.env, arena, f.asking);
    add(m, SPF_LIST_SENDER_DOMAIN, "good.example");
    unit_assert_int("second message", spf_asking_finish(m)->score, 1);
    struct mfx_ip other = ip_of("192.0.2.77");
    spf_asking_add(m, SPF_LIST_CLIENT, mfx_str("", 0), &other);
    unit_assert_int("another client", spf_asking_finish(m)->score, 0);
    mfx_arena_free(arena);
    end(&f);
}

/* A reload between connection and message. */
static void
reloaded(void **state)
{
    struct fixture f;
    struct spf_list_conf newer;
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    begin(&f, "lists = { sites = \"a.test\"; };", scores_zone);
    add_client(f.asking, "192.0.2.1");
    spf_list_conf_begin(&newer, "lists = { sites = \"a.test*5\"; };",
                        f.conf.lists);
    struct spf_asking *m =
        spf_asking_begin(newer.lists, &f.mock.env, arena, f.asking);
    unit_assert_int("in use still", spf_asking_finish(m)->score, 5);
    unit_assert_int("old one", spf_asking_finish(f.asking)->score, 1);
    mfx_arena_free(arena);
    spf_list_conf_end(&newer);
    end(&f);
}

/* --- when the wait ends --- */

struct wait_case {
    const char *label, *conf, *hold, *client;
    size_t pending; /* while that is held */
    enum spf_list_action action;
};

static const struct wait_case waits[] = {
    {"needed",               "lists = { sites = \"a.test, b.test\"; reject_at = 2; };",
     ".b.test",                                                                                         "192.0.2.1", 1, SPF_LISTS_NONE    },
    {"enough",               "lists = { sites = \"a.test*2, b.test\"; reject_at = 2; };",
     ".b.test",                                                                                         "192.0.2.1", 0, SPF_LISTS_REJECT  },
    {"too_little_left",
     "lists = { sites = \"a.test, b.test\"; reject_at = 3; };",                             ".b.test",
     "192.0.2.1",                                                                                                    0, SPF_LISTS_NONE    },
    {"may_be_taken_back",
     "lists = { sites = \"a.test*2, wl.test*-1\"; reject_at = 2; };",                       ".wl.test", "192.0.2.1", 1, SPF_LISTS_TEMPFAIL},
    {"cannot_be_taken_back",
     "lists = { sites = \"a.test*3, wl.test*-1\"; reject_at = 2; };",                       ".wl.test", "192.0.2.1", 0, SPF_LISTS_REJECT  },
    {"may_be_allowed",       "lists = { sites = \"wl.test*-1\"; allow_at = -1; };",
     ".wl.test",                                                                                        "192.0.2.1", 1, SPF_LISTS_NONE    },
    {"nothing_to_allow",     "lists = { sites = \"wl.test*-1\"; };",                        ".wl.test",
     "192.0.2.1",                                                                                                    0, SPF_LISTS_NONE    },
    {"tag_or_reject",
     "lists = { sites = \"a.test, b.test\"; tag_at = 1; reject_at = 2; };",                 ".b.test",  "192.0.2.1", 1, SPF_LISTS_TAG     },
    {"weightless",           "lists = { sites = \"b.test*0\"; };",                          ".b.test",  "192.0.2.1",
     0,                                                                                                                 SPF_LISTS_NONE    },
    {"shadow",               "dns_lists = ( { sites = \"b.test\"; mode = \"shadow\"; } );",
     ".b.test",                                                                                         "192.0.2.1", 0, SPF_LISTS_NONE    },
    {"dnswl",                "dns_lists = ( { sites = \"wl.test*0\"; dnswl = true; } );",
     ".wl.test",                                                                                        "192.0.2.1", 0, SPF_LISTS_NONE    },
};

static void
early_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct fixture f;
        begin(&f, waits[i].conf, scores_zone);
        f.mock.hold = waits[i].hold;
        add_client(f.asking, waits[i].client);
        unit_assert_int(waits[i].label, f.mock.held_count, 1);
        unit_assert_int(waits[i].label, pending(f.asking), waits[i].pending);
        unit_assert_int(waits[i].label, spf_asking_finish(f.asking)->action,
                        waits[i].action);
        mock_let_go(&f.mock, "");
        unit_assert_int(waits[i].label, pending(f.asking), 0);
        end(&f);
    }
}

/* All are waited for at once: whichever comes first may end it. */
static void
any_of_them(void **state)
{
    struct fixture f;
    struct mfx_event *events[8];
    (void)state;
    begin(&f,
          "lists = { sites = \"b.test, a.test*2\"; reject_at = 2; "
          "text = \"no\"; };",
          scores_zone);
    f.mock.hold = ".test";
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("two", spf_asking_pending(f.asking, events, 8), 2);
    unit_assert_int("room for one", spf_asking_pending(f.asking, events, 1), 1);
    assert_false(mfx_event_wait_any(events, 2, mfx_mono_ms()));
    uint64_t until_ms = spf_asking_deadline_ms(f.asking);
    assert_in_range(until_ms, mfx_mono_ms(), mfx_mono_ms() + 3000);
    mock_let_go(&f.mock, "1.2.0.192.a");
    assert_true(mfx_event_wait_any(events, 2, until_ms));
    unit_assert_int("enough", pending(f.asking), 0);
    unit_assert_int("score", spf_asking_finish(f.asking)->score, 2);
    end(&f);
}

static void
deadline(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test\"; timeout = \"50ms\"; };",
          scores_zone);
    f.mock.hold = ".test";
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("waits", pending(f.asking), 1);
    while (mfx_mono_ms() < spf_asking_deadline_ms(f.asking) &&
           spf_asking_deadline_ms(f.asking) != UINT64_MAX)
        (void)poll(NULL, 0, 5);
    unit_assert_int("given up", pending(f.asking), 0);
    const struct spf_score *score = spf_asking_finish(f.asking);
    unit_assert_int("score", score->score, 0);
    unit_assert_int("trouble", score->trouble_count, 1);
    assert_string_equal(score->troubles[0].why, "no answer in time");
    mock_let_go(&f.mock, "");
    unit_assert_int("late is better than never",
                    spf_asking_finish(f.asking)->score, 1);
    end(&f);
}

/* --- tests of lists --- */

static void
untested(void **state)
{
    struct fixture f;
    (void)state;
    begin_untested(&f, "lists = { sites = \"a.test, b.test\"; };", scores_zone);
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("not waited for", pending(f.asking), 0);
    const struct spf_score *score = spf_asking_finish(f.asking);
    unit_assert_int("not scored", score->score, 0);
    unit_assert_int("seen", score->hit_count, 2);
    assert_true(score->hits[0].is_shadow);
    spf_lists_test(f.conf.lists, &f.mock.env);
    unit_assert_int("tested", spf_asking_finish(f.asking)->score, 2);
    end(&f);
}

static void
broken_lists(void **state)
{
    static const struct {
        const char *label, *conf, *zone;
        int score;
        bool is_asked;
    } cases[] = {
        {"world",              "lists = { sites = \"a.test\"; };",
         "2.0.0.127.a.test A 127.0.0.2\n1.0.0.127.a.test A 127.0.0.2\n"
         "1.2.0.192.a.test A 127.0.0.2\n",                                                                                                  0, false},
        {"empty",              "lists = { sites = \"a.test\"; };",
         "1.2.0.192.a.test A 127.0.0.2\n",                                                                                                  0, false},
        {"empty_but_negative",
         "dns_lists = ( { sites = \"a.test\"; health = \"negative\"; } );", "1.2.0.192.a.test A 127.0.0.2\n",                               1, true },
        {"world_untested",
         "dns_lists = ( { sites = \"a.test\"; health = \"none\"; } );",     "1.0.0.127.a.test A 127.0.0.2\n1.2.0.192.a.test A 127.0.0.2\n", 1,
         true                                                                                                                                       },
        {"refuses",            "lists = { sites = \"a.test\"; };",
         "2.0.0.127.a.test A 127.255.255.254\n"
         "1.2.0.192.a.test A 127.0.0.2\n",                                                                                                  0, false},
        {"silent",             "lists = { sites = \"a.test\"; };",
         "2.0.0.127.a.test A !timeout\n1.0.0.127.a.test A !timeout\n"
         "1.2.0.192.a.test A 127.0.0.2\n",                                                                                                  0, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        begin(&f, cases[i].conf, cases[i].zone);
        add_client(f.asking, "192.0.2.1");
        unit_assert_int(cases[i].label, spf_asking_finish(f.asking)->score,
                        cases[i].score);
        unit_assert_int(cases[i].label, f.mock.asked > 0, cases[i].is_asked);
        end(&f);
    }
}

/* --- TXT --- */

static const char txt_zone[] =
    TESTS "1.2.0.192.a.test A 127.0.0.2\n"
          "1.2.0.192.a.test TXT \"see \\195\\164 \\013\\010X: y\"\n"
          "1.2.0.192.key123.c.test A 127.0.0.2\n"
          "1.2.0.192.key123.c.test TXT https://KEY123.c.test/192.0.2.1\n"
          "1.2.0.192.wl.test A 127.0.9.3\n"
          "1.2.0.192.wl.test TXT mail.example.org\n";

static void
texts(void **state)
{
    static const struct {
        const char *label, *conf, *want;
        size_t asked_txt;
    } cases[] = {
        {"preset",      "lists = { sites = \"a.test\"; };",
         "192.0.2.1 is listed by a.test: see ?? ??X: y",                                                                                        1},
        {"without",     "lists = { sites = \"a.test\"; text = \"$what $score\"; };",
         "192.0.2.1 1",                                                                                                                         0},
        {"own",
         "dns_lists = ( { sites = \"a.test\"; text = \"$address$txt\"; } );",        "127.0.0.2: see ?? ??X: y",                                1},
        {"own_without",
         "dns_lists = ( { sites = \"a.test\"; text = \"no\"; } );",                  "no",                                                      0},
        {"allow_list",  "lists = { sites = \"wl.test*-1\"; };",
         "192.0.2.1 is listed by wl.test",                                                                                                      0},
        {"not_listed",  "lists = { sites = \"b.test\"; };",                          "",                                                        0},
        {"no_txt",      "lists = { sites = \"a.test*2\"; };",
         "192.0.2.1 is listed by a.test: see ?? ??X: y",                                                                                        1},
        {"hidden",
         "lists = { sites = \"key123.c.test\"; reply_map = "
         "\"inline:key123.c.test=c.test\"; };",                                      "192.0.2.1 is listed by c.test: https://c.test/192.0.2.1", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        begin(&f, cases[i].conf, txt_zone);
        add_client(f.asking, "192.0.2.1");
        const struct spf_score *score = spf_asking_finish(f.asking);
        unit_assert_str(cases[i].label,
                        spf_score_text(score, f.conf.lists, f.arena),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, f.mock.asked_txt, cases[i].asked_txt);
        end(&f);
    }
}

/* Waited for only where it is to be said. */
static void
txt_waits(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test*2, b.test\"; reject_at = 2; };",
          scores_zone);
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("no TXT", pending(f.asking), 0);
    end(&f);
    begin(&f, "lists = { sites = \"a.test\"; };", txt_zone);
    add_client(f.asking, "192.0.2.1"); /* into the cache */
    renew(&f);
    f.mock.hold = ".a.test";
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("reject", pending(f.asking), 1);
    mock_let_go(&f.mock, "");
    unit_assert_int("there", pending(f.asking), 0);
    end(&f);
    begin(&f, "lists = { sites = \"a.test\"; reject_at = 2; tag_at = 1; };",
          txt_zone);
    add_client(f.asking, "192.0.2.1");
    renew(&f);
    f.mock.hold = ".a.test";
    add_client(f.asking, "192.0.2.1");
    unit_assert_int("tag", pending(f.asking), 0);
    end(&f);
}

/* --- the cache --- */

static void
caching(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test*2, b.test\"; text = \"no\"; };",
          scores_zone);
    add_client(f.asking, "192.0.2.2");
    unit_assert_int("asked", f.mock.asked, 2);
    unit_assert_int("score", spf_asking_finish(f.asking)->score, 2);
    renew(&f);
    add_client(f.asking, "192.0.2.2");
    unit_assert_int("asked once", f.mock.asked, 2);
    unit_assert_int("score kept", spf_asking_finish(f.asking)->score, 2);
    add_client(f.asking, "192.0.2.7");
    (void)spf_asking_finish(f.asking);
    add_client(f.asking, "192.0.2.4");
    (void)spf_asking_finish(f.asking);
    size_t before = f.mock.asked;
    renew(&f);
    add_client(f.asking, "192.0.2.7");
    unit_assert_int("failures are not kept", f.mock.asked, before + 1);
    add_client(f.asking, "192.0.2.4");
    unit_assert_int("refusals are not kept", f.mock.asked, before + 2);
    end(&f);
}

static size_t
metric(const struct spf_lists *lists, const char *name)
{
    struct mfx_buf out;
    mfx_buf_init(&out, 1 << 20);
    spf_lists_metrics(lists, &out);
    const char *at = strstr(mfx_buf_text(&out), name);
    size_t value = at == NULL ? SIZE_MAX : strtoul(at + strlen(name), NULL, 10);
    mfx_buf_fini(&out);
    return value;
}

static void
flood(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test\"; cache_size = 50; };", scores_zone);
    add_client(f.asking, "192.0.2.1");
    for (unsigned i = 0; i < 2000; i++) {
        char address[32];
        renew(&f);
        add_client(f.asking, "192.0.2.1"); /* used again and again */
        (void)snprintf(address, sizeof address, "10.1.%u.%u", i / 256, i % 256);
        renew(&f);
        add_client(f.asking, address);
        (void)spf_asking_finish(f.asking);
    }
    unit_assert_int("bounded",
                    metric(f.conf.lists, "\nmfx_spf_list_cache_entries "), 50);
    unit_assert_int(
        "one question each",
        metric(f.conf.lists, "asked_total{list=\"a.test\",type=\"address\"} "),
        2001);
    end(&f);
}

/* --- dnswl= --- */

static void
dnswl(void **state)
{
    static const struct {
        const char *label, *client;
        enum spf_dnswl_result result;
        const char *address, *txt;
    } cases[] = {
        {"pass",      "192.0.2.1", SPF_DNSWL_PASS,      "127.0.9.3", "mail.example.org"},
        {"none",      "192.0.2.2", SPF_DNSWL_NONE,      "none",      ""                },
        {"filtered",  "192.0.2.3", SPF_DNSWL_NONE,      "none",      ""                },
        {"temperror", "192.0.2.4", SPF_DNSWL_TEMPERROR, "none",      ""                },
        {"permerror", "192.0.2.5", SPF_DNSWL_PERMERROR, "none",      ""                },
    };
    static const char zone[] = TESTS "1.2.0.192.wl.test A 127.0.9.3\n"
                                     "1.2.0.192.wl.test TXT mail.example.org\n"
                                     "3.2.0.192.wl.test A 127.0.10.0\n"
                                     "4.2.0.192.wl.test A !servfail\n"
                                     "5.2.0.192.wl.test A 127.0.0.255\n";
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        char address[MFX_IP_TEXT];
        begin(&f,
              "dns_lists = ( { sites = \"wl.test=127.0.9.[0..3]*-1\"; "
              "dnswl = true; error_codes = \"127.0.0.255\"; } );",
              zone);
        add_client(f.asking, cases[i].client);
        const struct spf_score *score = spf_asking_finish(f.asking);
        unit_assert_int(cases[i].label, score->dnswl_count, 1);
        const struct spf_dnswl *d = &score->dnswl[0];
        unit_assert_int(cases[i].label, d->result, cases[i].result);
        unit_assert_str(cases[i].label, d->zone, mfx_str_of("wl.test"));
        unit_assert_str(cases[i].label, d->txt, mfx_str_of(cases[i].txt));
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_ip_format(&d->address, address)),
                        mfx_str_of(cases[i].address));
        unit_assert_str(cases[i].label, mfx_str_of(d->sec), mfx_str_of("no"));
        end(&f);
    }
}

/* --- counters --- */

static void
counters(void **state)
{
    struct fixture f;
    const char *a = "{list=\"a.test\",type=\"address\"} ";
    char name[100];
    static const struct {
        const char *name;
        size_t want;
    } rows[] = {
        {"asked",       5},
        {"cached",      1},
        {"hits",        3},
        {"decided",     1},
        {"alone",       1},
        {"errors",      1},
        {"failures",    1},
        {"timeouts",    0},
        {"shadow_hits", 0},
    };
    (void)state;
    begin(&f,
          "lists = { sites = \"a.test*2, b.test*3\"; reject_at = 2; "
          "text = \"no\"; };",
          scores_zone);
    /* both lists; a.test alone; refused; failed; none; both, as is known */
    static const char *const clients[] = {"192.0.2.1",  "192.0.2.2",
                                          "192.0.2.4",  "192.0.2.7",
                                          "192.0.2.99", "192.0.2.1"};
    for (size_t i = 0; i < COUNT(clients); i++) {
        renew(&f);
        add_client(f.asking, clients[i]);
        (void)spf_asking_finish(f.asking);
    }
    renew(&f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(name, sizeof name, "%s_total%s", rows[i].name, a);
        unit_assert_int(rows[i].name, metric(f.conf.lists, name), rows[i].want);
    }
    unit_assert_int("in use",
                    metric(f.conf.lists, "in_use{list=\"a.test\","
                                         "type=\"address\"} "),
                    1);
    end(&f);
}

/* --- what is never said --- */

static void
hidden_keys(void **state)
{
    struct fixture f;
    struct mfx_buf out;
    struct mfx_err err = {""};
    struct mfx_str name = mfx_str_of("c.test");
    (void)state;
    begin(&f,
          "lists = { sites = \"key123.c.test*2\"; reply_map = "
          "\"inline:key123.c.test=c.test\"; };",
          txt_zone);
    add_client(f.asking, "192.0.2.1");
    const struct spf_score *score = spf_asking_finish(f.asking);
    unit_assert_int("score", score->score, 2);
    unit_assert_str("list", score->hits[0].list, name);
    mfx_buf_init(&out, 1 << 20);
    spf_lists_metrics(f.conf.lists, &out);
    assert_int_equal(spf_lists_verb(f.conf.lists, NULL, 0, false, &out, &err),
                     MFX_OK);
    assert_int_equal(spf_lists_verb(f.conf.lists, &name, 1, true, &out, &err),
                     MFX_OK);
    assert_true(mfx_buf_ok(&out));
    assert_non_null(strstr(mfx_buf_text(&out), "\"list\":\"c.test\""));
    assert_non_null(strstr(mfx_buf_text(&out), "c.test (address): in use"));
    assert_null(strstr(mfx_buf_text(&out), "key123"));
    assert_null(strstr(mfx_buf_text(&out), "KEY123"));
    name = mfx_str_of("key123.c.test");
    assert_int_equal(spf_lists_verb(f.conf.lists, &name, 1, true, &out, &err),
                     MFX_NOTFOUND);
    mfx_buf_fini(&out);
    end(&f);
}

/* --- memory --- */

/* A message whose arena is exhausted: whatever is missing, nothing is made up,
 * and what was asked is given back. */
static void
little_memory(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, "lists = { sites = \"a.test*2, b.test, wl.test*-1\"; };" DOMAINS,
          scores_zone);
    for (size_t budget = 1; budget < 80 * 1024; budget += 509) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        struct spf_asking *m =
            spf_asking_begin(f.conf.lists, &f.mock.env, arena, f.asking);
        if (m != NULL) {
            add_client(m, "192.0.2.1");
            add(m, SPF_LIST_HELO,
                "b\xC3\xBC"
                "cher.example");
            (void)pending(m);
            assert_in_range(spf_asking_finish(m)->score + 1, 0, 4);
        }
        if (mfx_arena_ok(arena))
            unit_assert_int("score", spf_asking_finish(m)->score, 3);
        mfx_arena_free(arena);
    }
    end(&f);
}

/* --- mistakes --- */

static void
mistakes(void **state)
{
    static const struct {
        const char *label, *conf, *want;
    } cases[] = {
        {"filter",        "lists = { sites = \"a.test, key1.b.test=127.0.0.300\"; };",
         "lists.sites: entry 2, character 21: a number above 255"                                                                                        },
        {"weight",        "dns_lists = ( { sites = [\"a.test*x\"]; } );",
         "dns_lists[0].sites: entry 1, character 8: a weight is a whole "
         "number"                                                                                                                                        },
        {"key",
         "dns_lists = ( { sites = \"a.test\"; keys = \"recipient\"; } );",             "dns_lists[0].keys: client, client_name, helo, sender_domain, "
         "sender, from_domain or from"                                         },
        {"key_of_type",
         "dns_lists = ( { sites = \"a.test\"; keys = \"helo\"; "
         "} );",                                                                       "dns_lists[0].keys: a list of addresses is asked for client, one of "
         "domains for names, one of hashes for names or mail addresses"                                                                  },
        {"sha256_hex",
         "dns_lists = ( { sites = \"a.test\"; type = \"hash\"; hash = "
         "\"sha256\"; } );",                                                           "dns_lists[0].encoding: sha256 in hex has 64 octets, a label of a "
         "name 63 at most: base32 is wanted"                                                                                 },
        {"error_codes",
         "dns_lists = ( { sites = \"a.test\"; error_codes = [\"127.0.0\"]; } "
         ");",                                                                         "dns_lists[0].error_codes: entry 1, character 8: \".\" is missing"},
        {"dnswl",
         "dns_lists = ( { sites = \"a.test\"; type = \"domain\"; dnswl = true; "
         "} );",                                                                       "dns_lists[0].dnswl: for lists of addresses only (RFC 8904)"      },
        {"code",          "lists = { sites = \"a.test\"; code = \"250 2.0.0\"; };",
         "lists.code: a code as \"550 5.7.1\" is wanted"                                                                                                 },
        {"tempfail_code",
         "lists = { sites = \"a.test\"; tempfail_code = \"550 5.7.1\"; };",            "lists.tempfail_code: a code as \"451 4.7.1\" is wanted"          },
        {"cache",         "lists = { sites = \"a.test\"; cache_min = \"2h\"; };",
         "lists.cache_min: more than lists.cache_max"                                                                                                    },
        {"public_name",
         "lists = { sites = \"key1.a.test\"; reply_map = "
         "\"inline:{ {key1.a.test = a b} }\"; };",                                     "lists.reply_map: a public name is printable ASCII without blanks "
         "and quotes"                                                                                  },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spf_list_conf c;
        spf_list_conf_begin(&c, cases[i].conf, NULL);
        unit_assert_int(cases[i].label, c.rc, MFX_PERMFAIL);
        assert_null(c.lists);
        unit_assert_str(cases[i].label, mfx_str_of(c.problems.first->text),
                        mfx_str_of(cases[i].want));
        spf_list_conf_end(&c);
    }
}

static void
warnings(void **state)
{
    struct spf_list_conf c;
    (void)state;
    spf_list_conf_begin(&c,
                        "lists = { sites = \"a.test, a.test\"; };"
                        "dns_lists = ( { sites = \"d.test*-1\"; type = "
                        "\"domain\"; }, { } );",
                        NULL);
    unit_assert_int("rc", c.rc, MFX_OK);
    unit_assert_int("warnings", c.problems.warnings, 3);
    spf_list_conf_end(&c);
    spf_list_conf_begin(&c, "", NULL);
    unit_assert_int("no list", c.rc, MFX_OK);
    assert_null(c.lists);
    assert_false(spf_lists_want(c.lists, SPF_LIST_CLIENT));
    spf_list_conf_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),        cmocka_unit_test(troubles),
        cmocka_unit_test(keys),          cmocka_unit_test(once_for_all_keys),
        cmocka_unit_test(connections),   cmocka_unit_test(reloaded),
        cmocka_unit_test(early_end),     cmocka_unit_test(any_of_them),
        cmocka_unit_test(deadline),      cmocka_unit_test(untested),
        cmocka_unit_test(broken_lists),  cmocka_unit_test(texts),
        cmocka_unit_test(txt_waits),     cmocka_unit_test(caching),
        cmocka_unit_test(flood),         cmocka_unit_test(dnswl),
        cmocka_unit_test(counters),      cmocka_unit_test(hidden_keys),
        cmocka_unit_test(little_memory), cmocka_unit_test(mistakes),
        cmocka_unit_test(warnings),
    };
    return cmocka_run_group_tests_name("spf_lists", tests, NULL, NULL);
}
