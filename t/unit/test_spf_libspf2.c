/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libspf2 behind auth/spf.h: its runs over answers that come late, and records
 * that were made to hurt. Expected results: RFC 7208, or a permerror where
 * libspf2 cannot hold the record.
 */
#include <mfx/auth/spf.h>
#include <mfx/base/buf.h>
#include <mfx/net/resolver.h>

#include <pthread.h>
#include <stdlib.h>

#include "unit.h"

enum {
    BUDGET = 1024 * 1024,
    ZONE_MAX = 4 * 1024 * 1024,
    THREADS = 4,
    ROUNDS = 30,
};

static struct mfx_env
env_of(struct mfx_str zone)
{
    struct mfx_env env = mfx_env_system();
    struct mfx_err err = {0};
    if (mfx_resolver_static_new(zone, &env.resolver, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return env;
}

static const struct mfx_spf_outcome *
check(struct mfx_arena *arena, const struct mfx_env *env, const char *ip,
      const char *sender)
{
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = {.helo = mfx_str_of("h.example.org"),
                                      .identity = MFX_SPF_MAIL_FROM,
                                      .sender = mfx_str_of(sender),
                                      .receiver = mfx_str_of("mx.example.net")};
    config.engine = MFX_SPF_ENGINE_LIBSPF2;
    config.wants_trace = true;
    assert_int_equal(mfx_ip_parse(mfx_str_of(ip), &request.ip), MFX_OK);
    struct mfx_spf_check *c = mfx_spf_begin(arena, env, &config, &request);
    assert_non_null(c);
    assert_null(mfx_spf_pending(c)); /* the resolver answers at once */
    return mfx_spf_finish(c);
}

static const char zone[] =
    "example.com TXT \"v=spf1 a/31 mx include:i.example.com ~ptr"
    " exists:%{l}.l.example.com -all exp=e.%{d}\"\n"
    "example.com A 192.0.2.2\n"
    "example.com MX 10 mx.example.com\n"
    "example.com MX 20 mx6.example.com\n"
    "mx.example.com A 192.0.2.10\n"
    "mx6.example.com AAAA 2001:db8::25\n"
    "i.example.com TXT \"v=spf1 ip4:192.0.2.20 ip6:2001:db8::/64"
    " -all exp=never.example.com\"\n"
    "30.2.0.192.in-addr.arpa PTR p.example.com\n"
    "p.example.com A 192.0.2.30\n"
    "joe.l.example.com A 127.0.0.2\n"
    "e.example.com TXT \"%{i} is not one of %{d}, says %{r}\"\n"
    "r.example.com TXT \"v=spf1 redirect=example.com\"\n"
    "none.example.com A 192.0.2.1\n"
    "two.example.com TXT \"v=spf1 -all\"\n"
    "two.example.com TXT \"v=spf1 +all\"\n"
    "bad.example.com TXT \"v=spf1 ip4:192.0.2.300 -all\"\n"
    "fails.example.com TXT !servfail\n"
    "ifails.example.com TXT \"v=spf1 include:fails.example.com -all\"\n"
    "inone.example.com TXT \"v=spf1 include:none.example.com -all\"\n"
    "open.example.com TXT \"v=spf1 ip4:203.0.113.1\"\n"
    "loop.example.com TXT \"v=spf1 include:loop2.example.com -all\"\n"
    "loop2.example.com TXT \"v=spf1 include:loop.example.com -all\"\n"
    "utf.example.com TXT \"v=spf1 exists:%{L}.u.example.com"
    " exists:%{l}.u.example.com -all exp=eu.example.com\"\n"
    "eu.example.com TXT \"not %{l}\"\n"
    "high.example.com TXT \"v=spf1 -all exp=eh.example.com\"\n"
    "eh.example.com TXT \"gr\\195\\188n\"\n"
    "lines.example.com TXT \"v=spf1 -all exp=el.example.com\"\n"
    "el.example.com TXT \"a\\013\\010b\"\n"
    "many.example.com TXT \"v=spf1 -all exp=em.example.com\"\n"
    "em.example.com TXT \"one\"\n"
    "em.example.com TXT \"two\"\n"
    "octet.example.com TXT \"v=spf1 a:x\\255.example.com -all\"\n"
    "nul.example.com TXT \"v=spf1 a:x\\000 -all\"\n";

static void
results(void **state)
{
    static const struct {
        const char *label, *ip, *sender, *want, *explanation;
    } cases[] = {
        {"a",             "192.0.2.3",        "x@example.com",            "pass",      ""},
        {"mx",            "192.0.2.10",       "x@example.com",            "pass",      ""},
        {"mx_ipv6",       "2001:db8:0:1::25", "x@example.com",            "fail",
         "1.0.0.2.0.d.b.8"                                                               },
        {"include",       "192.0.2.20",       "x@example.com",            "pass",      ""},
        {"include_ip6",   "2001:db8::ffff",   "x@example.com",            "pass",      ""},
        {"ptr",           "192.0.2.30",       "x@example.com",            "softfail",  ""},
        {"exists",        "192.0.2.40",       "joe@example.com",          "pass",      ""},
        {"explained",     "192.0.2.40",       "x@example.com",            "fail",
         "192.0.2.40 is not one of example.com, says mx.example.net"                     },
        {"redirect",      "192.0.2.40",       "x@r.example.com",          "fail",
         "192.0.2.40 is not one of example.com, says mx.example.net"                     },
        {"mapped",        "::ffff:192.0.2.3", "x@example.com",            "pass",      ""},
        {"no_record",     "192.0.2.1",        "x@none.example.com",       "none",      ""},
        {"no_domain",     "192.0.2.1",        "x@localhost",              "none",      ""},
        {"two_records",   "192.0.2.1",        "x@two.example.com",        "permerror", ""},
        {"bad_syntax",    "192.0.2.1",        "x@bad.example.com",        "permerror", ""},
        {"dns_fails",     "192.0.2.1",        "x@fails.example.com",      "temperror", ""},
        {"include_fails", "192.0.2.1",        "x@ifails.example.com",     "temperror", ""},
        {"include_none",  "192.0.2.1",        "x@inone.example.com",      "permerror", ""},
        {"default",       "192.0.2.1",        "x@open.example.com",       "neutral",   ""},
        {"loop",          "192.0.2.1",        "x@loop.example.com",       "permerror", ""},
        {"local_utf8",    "192.0.2.1",        "\xc3\xa9@utf.example.com", "fail",      ""},
        {"exp_8_bit",     "192.0.2.1",        "x@high.example.com",       "fail",      ""},
        {"exp_line_end",  "192.0.2.1",        "x@lines.example.com",      "fail",      ""},
        {"exp_twice",     "192.0.2.1",        "x@many.example.com",       "fail",      ""},
        {"record_8_bit",  "192.0.2.1",        "x@octet.example.com",      "permerror", ""},
        {"record_nul",    "192.0.2.1",        "x@nul.example.com",        "permerror", ""},
    };
    struct mfx_arena *arena = mfx_arena_new(BUDGET);
    struct mfx_env env = env_of(mfx_str_of(zone));
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mfx_spf_outcome *o =
            check(arena, &env, cases[i].ip, cases[i].sender);
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_spf_result_name(o->result)),
                        mfx_str_of(cases[i].want));
        if (strcmp(cases[i].label, "mx_ipv6") != 0)
            unit_assert_str(cases[i].label, o->explanation,
                            mfx_str_of(cases[i].explanation));
        mfx_arena_reset(arena);
    }
    mfx_resolver_free(env.resolver);
    mfx_arena_free(arena);
}

/* --- answers that come late --- */

/* Gives the static resolver's answers when it is told to. */
struct late {
    struct mfx_resolver base;
    struct mfx_resolver *behind;
    struct mfx_dns_question *open, *answered;
    unsigned asked;
};

static struct mfx_dns_question *
late_ask(struct mfx_resolver *resolver, struct mfx_str name,
         enum mfx_dns_type type)
{
    struct late *l = (struct late *)resolver;
    assert_null(l->open); /* one after the other */
    l->open = mfx_dns_question_new();
    l->answered = mfx_dns_ask(l->behind, name, type);
    l->asked++;
    return l->open;
}

static void
release(void *question)
{
    mfx_dns_question_release(question);
}

static void
late_answer(struct late *l)
{
    struct mfx_dns_question *open = l->open;
    l->open = NULL;
    mfx_dns_question_set(open, mfx_dns_question_answer(l->answered), release,
                         l->answered);
}

static void
replays(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(BUDGET);
    struct mfx_env env = env_of(mfx_str_of(zone));
    struct late late = {.base = {.ask = late_ask}, .behind = env.resolver};
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = {.helo = mfx_str_of("h.example.org"),
                                      .identity = MFX_SPF_MAIL_FROM,
                                      .sender = mfx_str_of("joe@example.com")};
    (void)state;
    env.resolver = &late.base;
    config.engine = MFX_SPF_ENGINE_LIBSPF2;
    /* example.com TXT, A, MX; mx, mx6 A; i TXT; PTR; joe.l A; and at the end
     * the explanation for another */
    static const struct {
        const char *label, *ip, *want;
        unsigned answers, questions;
    } cases[] = {
        {"at_once",          "192.0.2.3",  "pass",      2, 2},
        {"to_its_end",       "192.0.2.40", "pass",      8, 8},
        {"no_answer",        "192.0.2.3",  "temperror", 0, 1},
        {"last_one_missing", "192.0.2.40", "temperror", 7, 8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned answers = 0;
        late.asked = 0;
        assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &request.ip),
                         MFX_OK);
        struct mfx_spf_check *c = mfx_spf_begin(arena, &env, &config, &request);
        while (mfx_spf_pending(c) != NULL && answers < cases[i].answers) {
            assert_ptr_equal(mfx_spf_pending(c),
                             mfx_dns_question_event(late.open));
            late_answer(&late);
            answers++;
        }
        const struct mfx_spf_outcome *o = mfx_spf_finish(c);
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_spf_result_name(o->result)),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, late.asked, cases[i].questions);
        unit_assert_int(cases[i].label, o->queries, cases[i].questions);
        assert_ptr_equal(mfx_spf_finish(c), o);
        if (late.open != NULL)
            late_answer(&late);
        mfx_arena_reset(arena);
    }
    mfx_resolver_free(late.behind);
    mfx_arena_free(arena);
}

/* --- records that were made to hurt --- */

/* '#' stands for the number. */
static void
add_times(struct mfx_buf *out, const char *unit, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (const char *p = unit; *p != '\0'; p++)
            if (*p == '#')
                mfx_buf_printf(out, "%u", i);
            else
                mfx_buf_add_byte(out, *p);
}

/* In parts: a TXT string holds 255 octets. */
static void
add_record(struct mfx_buf *out, const char *name, struct mfx_str text)
{
    mfx_buf_printf(out, "%s TXT", name);
    for (; text.len > 0; text = mfx_str_from(text, 200)) {
        mfx_buf_add_text(out, " \"");
        mfx_buf_add(out, mfx_str_head(text, 200));
        mfx_buf_add_byte(out, '"');
    }
    mfx_buf_add_byte(out, '\n');
}

static void
hostile(void **state)
{
    static const struct {
        const char *label, *start, *unit;
        unsigned count;
        const char *end, *more, *want, *problem;
    } cases[] = {
        {"64_KB",            "v=spf1 ",                        "a:x.example.com ",        4000,  "-all",      "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"64_KB_blanks",     "v=spf1 ",                        " ",                       60000, "-all",      "",                         "fail",      ""                                            },
        {"includes",         "v=spf1 ",                        "include:i#.com ",         1000,  "-all",      "",
         "permerror",                                                                                                                                  "example.com: libspf2 cannot hold this record"},
        {"511_full",         "v=spf1 ",                        "ip4:1.2.3.4 ",            63,    "-all",      "",                         "fail",      ""                                            },
        {"511_over",         "v=spf1 ",                        "ip4:1.2.3.4 ",            64,    "-all",      "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"mechanisms_127",   "v=spf1 ",                        "?all ",                   126,   "-all",      "",                         "neutral",   ""                                            },
        {"modifiers",        "v=spf1 ",                        "m#=x ",                   300,   "-all",      "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"long_modifier",    "v=spf1 ",                        "m",                       600,   "=x -all",   "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"literal_255",      "v=spf1 exists:",                 "a.",                      126,   "com -all",  "",                         "fail",
         ""                                                                                                                                                                                          },
        {"literal_over",     "v=spf1 exists:",                 "a.",                      127,   "com -all",  "",
         "permerror",                                                                                                                                  "example.com: libspf2 cannot hold this record"},
        {"macros",           "v=spf1 exists:",                 "%{d}.",                   40,    "com -all",  "",                         "fail",      ""                                            },
        {"macros_literal",   "v=spf1 exists:%{d}%{d}%{d}%{d}", "a",                       5000,
         ".com -all",                                                                                         "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"macros_over",      "v=spf1 exists:",                 "%{d}",                    128,   ".com -all", "",
         "permerror",                                                                                                                                  "example.com: libspf2 cannot hold this record"},
        {"escapes",          "v=spf1 exists:",                 "%-",                      90,    ".com -all", "",                         "permerror",
         "example.com: libspf2 cannot hold this record"                                                                                                                                              },
        {"itself",           "v=spf1 include:example.com -al", "l",                       1,     "",          "",
         "permerror",                                                                                                                                  NULL                                          },
        {"mx_500",           "v=spf1 mx -al",                  "l",                       1,     "",
         "example.com MX 1 m#.example.com\nm#.example.com A 10.0.0.1\n",                                                                  "permerror", NULL                                          },
        {"ptr_500",          "v=spf1 ptr -al",                 "l",                       1,     "",
         "9.2.0.192.in-addr.arpa PTR m#.example.com\nm#.example.com A 10.0.0.1\n",
         "permerror",                                                                                                                                  NULL                                          },
        {"a_500",            "v=spf1 a -al",                   "l",                       1,     "",          "example.com A 10.0.0.1\n",
         "fail",                                                                                                                                       ""                                            },
        {"tree",             "v=spf1 ",                        "include:t#.example.com ", 10,    "-all",
         "t#.example.com TXT \"v=spf1 include:s1.example.com include:s2.example.com include:s3.example.com ?all\"\n"
         "s#.example.com TXT \"v=spf1 a:a.com a:b.com a:c.com ?all\"\n",                                                                  "permerror", "too many DNS questions"                      },
        {"p_of_500",         "v=spf1 exists:%{p}.e.com -al",   "l",                       1,     "",
         "9.2.0.192.in-addr.arpa PTR m#.example.com\n",                                                                                   "fail",      ""                                            },
        {"capital_reversed", "v=spf1 exists:%{Dr}.com -al",    "l",                       1,     "",          "",
         "permerror",                                                                                                                                  "example.com: libspf2 cannot hold this record"},
        {"explanation_long", "v=spf1 exp=e.example.com -al",   "l",                       1,     "",          "",
         "fail",                                                                                                                                       ""                                            },
    };
    struct mfx_arena *arena = mfx_arena_new(BUDGET);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mfx_buf text, lines;
        mfx_buf_init(&text, ZONE_MAX);
        mfx_buf_init(&lines, ZONE_MAX);
        mfx_buf_add_text(&text, cases[i].start);
        add_times(&text, cases[i].unit, cases[i].count);
        mfx_buf_add_text(&text, cases[i].end);
        add_record(&lines, "example.com", mfx_buf_str(&text));
        add_times(&lines, cases[i].more, 500);
        mfx_buf_clear(&text);
        add_times(&text, "%{i} ", 2000);
        add_record(&lines, "e.example.com", mfx_buf_str(&text));
        struct mfx_env env = env_of(mfx_buf_str(&lines));
        const struct mfx_spf_outcome *o =
            check(arena, &env, "192.0.2.9", "x@example.com");
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_spf_result_name(o->result)),
                        mfx_str_of(cases[i].want));
        if (cases[i].problem != NULL)
            unit_assert_str(cases[i].label, o->problem,
                            mfx_str_of(cases[i].problem));
        if (o->queries > MFX_SPF_QUERIES_MAX)
            fail_msg("%s: %u questions", cases[i].label, o->queries);
        mfx_arena_reset(arena);
        mfx_resolver_free(env.resolver);
        mfx_buf_fini(&text);
        mfx_buf_fini(&lines);
    }
    mfx_arena_free(arena);
}

/* Senders and HELO names fill %{l}, %{s}, %{h}. */
static void
hostile_senders(void **state)
{
    static const char *const locals[] = {
        "",        ".",     "....", "-", "a..b", "\xc3\xa9\xff\x80",
        "\"a b\"", "%%%{}", "a@b",
    };
    static const char text[] =
        "example.com TXT \"v=spf1 exists:%{l1r-}.%{sr}.%{L}.%{S2}.com"
        " exists:%{l}.com exists:%{l3r.}.com exists:%{L1}.%{l1r}.%{d2}.com"
        " exists:%{h}.%{hr+=}.%{h1}.com -all exp=%{l128r+-}.%{d}\"\n"
        "x.example.com TXT \"%{L} %{S} %{l2r-_} %{h} %{c} %{r} %{p}\"\n";
    struct mfx_arena *arena = mfx_arena_new(BUDGET);
    struct mfx_env env = env_of(mfx_str_of(text));
    char sender[4096 + 16];
    (void)state;
    for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
        (void)snprintf(sender, sizeof(sender), "%s@example.com", locals[i]);
        unit_assert_int(locals[i],
                        check(arena, &env, "2001:db8::1", sender)->result,
                        MFX_SPF_FAIL);
        mfx_arena_reset(arena);
    }
    memset(sender, 'x', 4096);
    (void)snprintf(sender + 4000, 16, "@example.com");
    assert_int_equal(check(arena, &env, "192.0.2.1", sender)->result,
                     MFX_SPF_FAIL);
    mfx_resolver_free(env.resolver);
    mfx_arena_free(arena);
}

/* --- threads --- */

static void *
many_checks(void *arg)
{
    const struct mfx_env *env = arg;
    struct mfx_arena *arena = mfx_arena_new(BUDGET);
    for (int i = 0; i < ROUNDS; i++) {
        if (check(arena, env, "192.0.2.40", "x@example.com")->result !=
            MFX_SPF_FAIL)
            abort();
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
    return NULL;
}

static void
threads(void **state)
{
    struct mfx_env env = env_of(mfx_str_of(zone));
    pthread_t thread[THREADS];
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, many_checks, &env),
                         0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    mfx_resolver_free(env.resolver);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results), cmocka_unit_test(replays),
        cmocka_unit_test(hostile), cmocka_unit_test(hostile_senders),
        cmocka_unit_test(threads),
    };
    if (!mfx_spf_engine_is_built(MFX_SPF_ENGINE_LIBSPF2)) {
        (void)printf("1..0 # SKIP this build is without libspf2\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
