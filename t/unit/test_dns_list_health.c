/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a list must answer to be used is RFC 5782 section 5.
 */
#include "unit.h"

#include <mfx/net/dns_list_health.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define NIBBLES_1                                                      \
    "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." \
    "list.test"
#define NIBBLES_2                                                      \
    "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." \
    "list.test"
#define GOOD "2.0.0.127.list.test A 127.0.0.2\n"

struct row {
    const char *label;
    enum mfx_dns_list_type type;
    enum mfx_dns_list_test test;
    bool has_ipv6;
    const char *zone;
    enum mfx_dns_list_health want;
    const char *why;
};

#define ADDRESS  MFX_DNS_LIST_TYPE_ADDRESS
#define DOMAIN   MFX_DNS_LIST_TYPE_DOMAIN
#define HASH     MFX_DNS_LIST_TYPE_HASH
#define BOTH     MFX_DNS_LIST_TEST_RFC5782
#define NEGATIVE MFX_DNS_LIST_TEST_NEGATIVE
#define NONE     MFX_DNS_LIST_TEST_NONE

static const struct row rows[] = {
    {"good",                ADDRESS, BOTH,     false, GOOD,                                     MFX_DNS_LIST_HEALTHY, ""                                                                    },
    {"world",               ADDRESS, BOTH,     false, GOOD "1.0.0.127.list.test A 127.0.0.2\n",
     MFX_DNS_LIST_WORLD,                                                                                              "127.0.0.1 is listed (127.0.0.2), and must not be"                    },
    {"empty",               ADDRESS, BOTH,     false, "",                                       MFX_DNS_LIST_EMPTY,
     "127.0.0.2 is not listed, and must be"                                                                                                                                                 },
    {"timeout",             ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A !timeout\n2.0.0.127.list.test A !timeout\n",                        MFX_DNS_LIST_SILENT,  "127.0.0.1: timeout"                                                  },
    {"half_timeout",        ADDRESS, BOTH,     false, "2.0.0.127.list.test A !timeout\n",
     MFX_DNS_LIST_SILENT,                                                                                             "127.0.0.2: timeout"                                                  },
    {"servfail",            ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A !servfail\n2.0.0.127.list.test A !servfail\n",                      MFX_DNS_LIST_FAILING, "127.0.0.1: server failure"                                           },
    {"malformed",           ADDRESS, BOTH,     false,
     GOOD "1.0.0.127.list.test A !malformed\n",                                                 MFX_DNS_LIST_FAILING,
     "127.0.0.1: malformed answer"                                                                                                                                                          },
    {"public_resolver",     ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A 127.255.255.254\n"
     "2.0.0.127.list.test A 127.255.255.254\n",                                                 MFX_DNS_LIST_ERRORS,
     "127.0.0.1: 127.255.255.254: the list refuses questions from a public "
     "resolver"                                                                                                                                                                             },
    {"parked",              ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A 192.0.2.1\n2.0.0.127.list.test A 192.0.2.1\n",                      MFX_DNS_LIST_ERRORS,
     "127.0.0.1: 192.0.2.1: an address outside 127.0.0.0/8: no list answers "
     "so"                                                                                                                                                                                   },
    {"says_nothing",        ADDRESS, BOTH,     false, "2.0.0.127.list.test A 127.0.0.1\n",
     MFX_DNS_LIST_ERRORS,                                                                                             "127.0.0.2: 127.0.0.1: 127.0.0.1, which says nothing"                 },
    {"world_beats_empty",   ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A 127.0.0.3\n",                                                       MFX_DNS_LIST_WORLD,
     "127.0.0.1 is listed (127.0.0.3), and must not be"                                                                                                                                     },
    {"world_beats_timeout", ADDRESS, BOTH,     false,
     "1.0.0.127.list.test A 127.0.0.3\n2.0.0.127.list.test A !timeout\n",                       MFX_DNS_LIST_WORLD,   "127.0.0.1 is listed (127.0.0.3), and must not be"                    },
    {"negative_of_empty",   ADDRESS, NEGATIVE, false, "",                                       MFX_DNS_LIST_HEALTHY,
     ""                                                                                                                                                                                     },
    {"negative_of_world",   ADDRESS, NEGATIVE, false,
     "1.0.0.127.list.test A 127.0.0.3\n",                                                       MFX_DNS_LIST_WORLD,
     "127.0.0.1 is listed (127.0.0.3), and must not be"                                                                                                                                     },
    {"none",                ADDRESS, NONE,     true,  "1.0.0.127.list.test A 127.0.0.3\n",
     MFX_DNS_LIST_HEALTHY,                                                                                            ""                                                                    },
    {"v6_absent",           ADDRESS, BOTH,     true,  GOOD,                                     MFX_DNS_LIST_HEALTHY, ""                                                                    },
    {"v6_present",          ADDRESS, BOTH,     true,  GOOD NIBBLES_2 " A 127.0.0.2\n",
     MFX_DNS_LIST_HEALTHY,                                                                                            ""                                                                    },
    {"v6_world",            ADDRESS, BOTH,     true,  GOOD NIBBLES_1 " A 127.0.0.2\n",
     MFX_DNS_LIST_WORLD,                                                                                              "::ffff:7f00:1 is listed (127.0.0.2), and must not be"                },
    {"v6_not_asked",        ADDRESS, BOTH,     false, GOOD NIBBLES_1 " A 127.0.0.2\n",
     MFX_DNS_LIST_HEALTHY,                                                                                            ""                                                                    },
    {"v6_silent",           ADDRESS, BOTH,     true,
     GOOD NIBBLES_1 " A !timeout\n" NIBBLES_2 " A !servfail\n",
     MFX_DNS_LIST_HEALTHY,                                                                                            ""                                                                    },
    {"v6_error",            ADDRESS, BOTH,     true,  GOOD NIBBLES_2 " A 127.255.255.255\n",
     MFX_DNS_LIST_ERRORS,                                                                                             "::ffff:7f00:2: 127.255.255.255: the list refuses: too many questions"},
    {"domains",             DOMAIN,  BOTH,     false, "test.list.test A 127.0.1.2\n",
     MFX_DNS_LIST_HEALTHY,                                                                                            ""                                                                    },
    {"domains_empty",       DOMAIN,  BOTH,     false, "",                                       MFX_DNS_LIST_EMPTY,
     "TEST is not listed, and must be"                                                                                                                                                      },
    {"domains_world",       DOMAIN,  BOTH,     false,
     "test.list.test A 127.0.1.2\ninvalid.list.test A 127.0.1.2\n",                             MFX_DNS_LIST_WORLD,   "INVALID is listed (127.0.1.2), and must not be"                      },
    {"domains_negative",    DOMAIN,  NEGATIVE, false, "",                                       MFX_DNS_LIST_HEALTHY, ""                                                                    },
    {"hashes",              HASH,    BOTH,     false, "",                                       MFX_DNS_LIST_HEALTHY, ""                                                                    },
};

static void
outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct mfx_env env = mfx_env_system();
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_err err = {""};
        assert_int_equal(
            mfx_resolver_static_new(mfx_str_of(r->zone), &env.resolver, &err),
            MFX_OK);
        const struct mfx_dns_list_check_config config = {
            .zone = mfx_str_of("list.test"),
            .type = r->type,
            .test = r->test,
            .has_ipv6 = r->has_ipv6,
            .label_len = 40,
        };
        struct mfx_dns_list_check *check =
            mfx_dns_list_check_begin(arena, &env, &config);
        assert_non_null(check);
        assert_null(mfx_dns_list_check_pending(check));
        const struct mfx_dns_list_outcome *outcome =
            mfx_dns_list_check_finish(check);
        unit_assert_int(r->label, outcome->health, r->want);
        unit_assert_str(r->label, outcome->why, mfx_str_of(r->why));
        assert_ptr_equal(mfx_dns_list_check_finish(check), outcome);
        mfx_arena_free(arena);
        mfx_resolver_free(env.resolver);
    }
}

/* --- a resolver that has not answered yet --- */

struct slow {
    struct mfx_resolver resolver;
    struct mfx_dns_question *questions[8];
    size_t count;
};

static struct mfx_dns_question *
ask_slow(struct mfx_resolver *resolver, struct mfx_str name,
         enum mfx_dns_type type)
{
    struct slow *slow = (struct slow *)resolver;
    (void)name;
    assert_int_equal(type, MFX_DNS_A);
    return slow->questions[slow->count++] = mfx_dns_question_new();
}

static void
pending(void **state)
{
    static const struct mfx_dns_answer no_name = {.status = MFX_DNS_NO_NAME};
    struct slow slow = {.resolver = {.ask = ask_slow}};
    struct mfx_env env = mfx_env_system();
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct mfx_dns_list_check_config config = {
        .zone = mfx_str_of("list.test")};
    (void)state;
    env.resolver = &slow.resolver;
    struct mfx_dns_list_check *check =
        mfx_dns_list_check_begin(arena, &env, &config);
    assert_int_equal(slow.count, 3);
    assert_ptr_equal(mfx_dns_list_check_pending(check),
                     mfx_dns_question_event(slow.questions[0]));
    mfx_dns_question_set(slow.questions[0], &no_name, NULL, NULL);
    assert_ptr_equal(mfx_dns_list_check_pending(check),
                     mfx_dns_question_event(slow.questions[1]));
    unit_assert_int("given up", mfx_dns_list_check_finish(check)->health,
                    MFX_DNS_LIST_SILENT);
    mfx_dns_question_set(slow.questions[1], &no_name, NULL, NULL);
    mfx_dns_question_set(slow.questions[2], &no_name, NULL, NULL);
    assert_null(mfx_dns_list_check_pending(check));
    unit_assert_int("the same", mfx_dns_list_check_finish(check)->health,
                    MFX_DNS_LIST_SILENT);
    mfx_arena_free(arena);
}

/* --- a cache on the way, which knows the names of every test --- */

struct caching {
    struct mfx_resolver resolver;
    const char *known[2];
    const struct mfx_dns_answer *others;
    char fresh[2][256];
    size_t count;
};

static struct mfx_dns_question *
ask_caching(struct mfx_resolver *resolver, struct mfx_str name,
            enum mfx_dns_type type)
{
    static const struct mfx_dns_record record = {
        .type = MFX_DNS_A, .ip = {MFX_IP_V4, {127, 0, 0, 2}}
    };
    static const struct mfx_dns_answer listed = {
        .status = MFX_DNS_ANSWER, .count = 1, .records = &record};
    static const struct mfx_dns_answer no_name = {.status = MFX_DNS_NO_NAME};
    struct caching *c = (struct caching *)resolver;
    struct mfx_dns_question *question = mfx_dns_question_new();
    const struct mfx_dns_answer *answer =
        c->others != NULL ? c->others : &listed;
    (void)type;
    if (mfx_str_is(name, c->known[0]))
        answer = &listed;
    else if (mfx_str_is(name, c->known[1]))
        answer = &no_name;
    else
        (void)snprintf(c->fresh[c->count++ % 2], sizeof c->fresh[0], "%.*s",
                       MFX_STR_ARG(name));
    mfx_dns_question_set(question, answer, NULL, NULL);
    return question;
}

static void
caches_do_not_help(void **state)
{
    static const struct mfx_dns_answer timeout = {.status = MFX_DNS_TIMEOUT};
    static const struct {
        enum mfx_dns_list_type type;
        const char *listed, *not_listed, *end;
    } types[] = {
        {ADDRESS, "2.0.0.127.list.test", "1.0.0.127.list.test",
         ".127.list.test"                                                           },
        {DOMAIN,  "test.list.test",      "invalid.list.test",   ".invalid.list.test"},
        {HASH,    "-",                   "-",                   ".list.test"        },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(types) * 2; i++) {
        bool is_dead = i % 2 == 1;
        struct caching c = {
            .resolver = {.ask = ask_caching      },
            .known = { types[i / 2].listed, types[i / 2].not_listed},
            .others = is_dead ? &timeout : NULL,
        };
        struct mfx_env env = mfx_env_system();
        struct mfx_arena *arena = mfx_arena_new(0);
        const struct mfx_dns_list_check_config config = {
            .zone = mfx_str_of("list.test"),
            .type = types[i / 2].type,
            .label_len = 32};
        env.resolver = &c.resolver;
        for (size_t k = 0; k < 2; k++) {
            struct mfx_dns_list_check *check =
                mfx_dns_list_check_begin(arena, &env, &config);
            unit_assert_int(types[i / 2].end,
                            mfx_dns_list_check_finish(check)->health,
                            is_dead ? MFX_DNS_LIST_SILENT : MFX_DNS_LIST_WORLD);
        }
        assert_int_equal(c.count, 2);
        assert_string_not_equal(c.fresh[0], c.fresh[1]);
        assert_true(mfx_str_ends_nocase(mfx_str_of(c.fresh[0]),
                                        mfx_str_of(types[i / 2].end)));
        mfx_arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(pending),
        cmocka_unit_test(caches_do_not_help),
    };
    return cmocka_run_group_tests_name("dns_list_health", tests, NULL, NULL);
}
