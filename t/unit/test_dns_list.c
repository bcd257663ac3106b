/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters, sites and names: postconf(5) and the reference output of Postfix's
 * own test of filters are where the expectations come from; names are those
 * of RFC 5782.
 */
#include "unit.h"

#include <mfx/net/dns_list_cache.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mfx_ip
ip_of(const char *text)
{
    struct mfx_ip ip;
    if (mfx_ip_parse(mfx_str_of(text), &ip) != MFX_OK)
        fail_msg("no address: %s", text);
    return ip;
}

/* --- filters --- */

static void
filters(void **state)
{
    static const struct {
        const char *filter, *address;
        bool has;
    } cases[] = {
        {"127.0.0.4",                           "127.0.0.4",    true },
        {"127.0.0.4",                           "127.0.0.2",    false},
        {"1.2.[3].4",                           "1.2.3.4",      true },
        {"1.2.3.[4]",                           "1.2.3.4",      true },
        {"1.2.3.[4]",                           "1.2.3.5",      false},
        {"1.2.[3..11].5",                       "1.2.3.5",      true },
        {"1.2.[3..11].5",                       "1.2.2.5",      false},
        {"1.2.[3..11].5",                       "1.2.11.5",     true },
        {"1.2.[3..11].5",                       "1.2.12.5",     false},
        {"1.2.[3..11].5",                       "1.2.11.6",     false},
        {"1.2.[3;5;7;9;11].5",                  "1.2.3.5",      true },
        {"1.2.[3;5;7;9;11].5",                  "1.2.2.5",      false},
        {"1.2.[3;5;7;9;11].5",                  "1.2.4.5",      false},
        {"1.2.[3;5;7;9;11].5",                  "1.2.11.5",     true },
        {"1.2.[3;5;7;9;11].5",                  "1.2.12.5",     false},
        {"1.2.[3;5;7;9;11].5",                  "1.2.11.6",     false},
        {"127.0.0.[2..11;13]",                  "127.0.0.11",   true },
        {"127.0.0.[2..11;13]",                  "127.0.0.12",   false},
        {"127.0.0.[2..11;13]",                  "127.0.0.13",   true },
        {"1.2.[1..127;128..255].5",             "1.2.255.5",    true },
        {"1.2.[1..127;128..255].5",             "1.2.0.5",      false},
        {"[0..255].[0..255].[0..255].[0..255]", "255.0.64.191", true },
        {"127.0.0.[63..64]",                    "127.0.0.63",   true },
        {"127.0.0.[63..64]",                    "127.0.0.64",   true },
        {"127.0.0.[63..64]",                    "127.0.0.65",   false},
        {"127.0.0.2",                           "::1",          false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_filter filter;
        struct mfx_ip ip = ip_of(cases[i].address);
        unit_assert_int(cases[i].filter,
                        mfx_dns_list_filter_parse(mfx_str_of(cases[i].filter),
                                                  &filter, NULL),
                        MFX_OK);
        unit_assert_int(cases[i].address, mfx_dns_list_filter_has(&filter, &ip),
                        cases[i].has);
    }
}

/* The places are those that Postfix marks. */
static void
broken_filters(void **state)
{
    static const struct {
        const char *filter;
        size_t at;
    } cases[] = {
        {"1.2.300.4",               4 },
        {"1.2.3.",                  6 },
        {"1.2.3",                   5 },
        {"a",                       0 },
        {"1.2.3,4",                 5 },
        {"1.2.[].4",                5 },
        {"1.2.[.4",                 5 },
        {"1.2.].4",                 4 },
        {"1.2.[1-255].5",           6 },
        {"1.2.[1,2].5",             6 },
        {"1.2.3.[x]",               7 },
        {"1.2.3.4x",                7 },
        {"1.2.3.4.5",               7 },
        {"1.2.3.[4..1]",            8 },
        {"1.2.3.[4.1]",             8 },
        {"1.2.3.[4.x]",             8 },
        {"1.2.3.[4..x]",            10},
        {"1.2.[1..127.128..255].5", 11},
        {"1.2.3.[4",                6 },
        {"1.2.3.[4;",               9 },
        {"1.2.3.[4;]",              9 },
        {"1.2.3.4[5]",              7 },
        {"[1.2].3.4.5",             2 },
        {"1.2.3.-4",                6 },
        {"1.2.3.99999999999999999", 6 },
        {"",                        0 },
        {"127.0.0.*",               8 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_filter filter;
        struct mfx_dns_list_mistake mistake = {999, NULL};
        unit_assert_int(cases[i].filter,
                        mfx_dns_list_filter_parse(mfx_str_of(cases[i].filter),
                                                  &filter, &mistake),
                        MFX_PERMFAIL);
        unit_assert_int(cases[i].filter, mistake.at, cases[i].at);
        assert_non_null(mistake.what);
    }
}

/* --- sites --- */

static void
sites(void **state)
{
    static const struct {
        const char *entry, *zone, *filter;
        int weight;
    } cases[] = {
        {"example.com*2",                           "example.com",         "",          2 },
        {"example.net",                             "example.net",         "",          1 },
        {"example.com=127.0.0.4",                   "example.com",         "127.0.0.4", 1 },
        {"zen.spamhaus.org=127.0.0.[2..11;13]*3",   "zen.spamhaus.org",
         "127.0.0.[2..11;13]",                                                          3 },
        {"list.dnswl.org=127.0.[0..255].[1..3]*-2", "list.dnswl.org",
         "127.0.[0..255].[1..3]",                                                       -2},
        {"example.com*+2",                          "example.com",         "",          2 },
        {"example.com*0",                           "example.com",         "",          0 },
        {"example.com.=127.0.0.2*-1000000",         "example.com",         "127.0.0.2",
         -1000000                                                                         },
        {"key_1-x.zen.example",                     "key_1-x.zen.example", "",          1 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_site site;
        unit_assert_int(
            cases[i].entry,
            mfx_dns_list_site_parse(mfx_str_of(cases[i].entry), &site, NULL),
            MFX_OK);
        unit_assert_str(cases[i].entry, site.zone, mfx_str_of(cases[i].zone));
        unit_assert_str(cases[i].entry, site.filter_text,
                        mfx_str_of(cases[i].filter));
        unit_assert_int(cases[i].entry, site.has_filter,
                        cases[i].filter[0] != '\0');
        unit_assert_int(cases[i].entry, site.weight, cases[i].weight);
    }
}

static void
broken_sites(void **state)
{
    static const struct {
        const char *entry;
        size_t at;
    } cases[] = {
        {"",                           0 },
        {"*2",                         0 },
        {"=127.0.0.2",                 0 },
        {"exam ple.com",               0 },
        {"example..com",               0 },
        {".example.com",               0 },
        {"ex\xC3\xA4mple.com",         0 },
        {"example.com*",               12},
        {"example.com*two",            12},
        {"example.com*2.5",            12},
        {"example.com*--2",            12},
        {"example.com*1000001",        12},
        {"example.com*2=127.0.0.2",    12},
        {"example.com=",               12},
        {"example.com=127.0.0.300",    20},
        {"example.com=127.0.0.[2..11", 20},
        {"example.com=127.0.0.2=1*2",  21},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_site site;
        struct mfx_dns_list_mistake mistake = {999, NULL};
        unit_assert_int(cases[i].entry,
                        mfx_dns_list_site_parse(mfx_str_of(cases[i].entry),
                                                &site, &mistake),
                        MFX_PERMFAIL);
        unit_assert_int(cases[i].entry, mistake.at, cases[i].at);
        assert_non_null(mistake.what);
    }
}

/* As the value of postscreen_dnsbl_sites may be written in main.cf. */
static void
site_lists(void **state)
{
    struct mfx_str rest =
        mfx_str_of("  example.com*2, example.net\n\texample.org=127.0.0.4,,");
    static const char *const want[] = {"example.com*2", "example.net",
                                       "example.org=127.0.0.4"};
    struct mfx_str entry;
    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(mfx_dns_list_site_next(&rest, &entry));
        unit_assert_str("site", entry, mfx_str_of(want[i]));
    }
    assert_false(mfx_dns_list_site_next(&rest, &entry));
}

/* --- names --- */

static void
address_names(void **state)
{
    static const struct {
        const char *address, *zone, *want;
    } cases[] = {
        {"192.0.2.99",                "bad.example.com",  "99.2.0.192.bad.example.com"},
        {"127.0.0.2",                 "Example.COM.",     "2.0.0.127.example.com"     },
        {"255.10.0.1",                "a",                "1.0.10.255.a"              },
        {"2001:db8:1:2:3:4:567:89ab", "ugly.example.com",
         "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2."
         "ugly.example.com"                                                           },
        {"::ffff:192.0.2.99",         "bad.example.com",  "99.2.0.192.bad.example.com"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_name name;
        struct mfx_ip ip = ip_of(cases[i].address);
        assert_true(
            mfx_dns_list_address_name(&ip, mfx_str_of(cases[i].zone), &name));
        unit_assert_str(cases[i].address, mfx_dns_list_name_str(&name),
                        mfx_str_of(cases[i].want));
    }
    struct mfx_dns_list_name name;
    struct mfx_ip none = {.family = MFX_IP_NONE};
    assert_false(mfx_dns_list_address_name(&none, mfx_str_of("a.b"), &name));
    unit_assert_int("no name", name.len, 0);
}

/* RFC 5782 2.4: what an IPv6 list is tested with is asked as IPv6. */
static void
mapped_name(void **state)
{
    struct mfx_ip ip = {
        .family = MFX_IP_V6,
        .bytes = {[10] = 0xFF, [11] = 0xFF, 0x7F, 0, 0, 2}
    };
    struct mfx_dns_list_name name;
    (void)state;
    assert_true(mfx_dns_list_address_name(&ip, mfx_str_of("v6.test"), &name));
    unit_assert_str("mapped", mfx_dns_list_name_str(&name),
                    mfx_str_of("2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0."
                               "0.0.0.0.0.0.0.0.0.v6.test"));
}

#define TEN       "abcdefghij"
#define SIXTY     TEN TEN TEN TEN TEN TEN
#define LABEL_63  SIXTY "abc"
#define LONG_NAME LABEL_63 "." LABEL_63 "." LABEL_63

static void
domain_names(void **state)
{
    static const struct {
        const char *label, *domain, *zone, *want;
    } cases[] = {
        {"plain",         "Example.ORG",           "dbl.test", "example.org.dbl.test"  },
        {"final dot",     "example.org.",          "dbl.test", "example.org.dbl.test"  },
        {"underscore",    "_a.b-c.org",            "dbl.test", "_a.b-c.org.dbl.test"   },
        {"63",            LABEL_63 ".org",         "dbl.test", LABEL_63 ".org.dbl.test"},
        {"253",           LONG_NAME "." SIXTY "a", "",         NULL                    },
        {"longest",       LONG_NAME,               SIXTY "a",  LONG_NAME "." SIXTY "a" },
        {"too long",      LONG_NAME,               SIXTY "ab", NULL                    },
        {"long label",    SIXTY "abcd.org",        "dbl.test", NULL                    },
        {"empty",         "",                      "dbl.test", NULL                    },
        {"dot",           ".",                     "dbl.test", NULL                    },
        {"one_label",     "test",                  "dbl.test", NULL                    },
        {"one_label_dot", "test.",                 "dbl.test", NULL                    },
        {"literal",       "[192.0.2.1]",           "dbl.test", NULL                    },
        {"address",       "2.0.0.127",             "dbl.test", NULL                    },
        {"empty_label",   "a..org",                "dbl.test", NULL                    },
        {"two_dots",      "a.org..",               "dbl.test", NULL                    },
        {"blank",         "a b.org",               "dbl.test", NULL                    },
        {"eight_bit",     "\xC3\xA4.org",          "dbl.test", NULL                    },
        {"wildcard",      "*.org",                 "dbl.test", NULL                    },
        {"escape",        "a\\.b.org",             "dbl.test", NULL                    },
        {"address_like",  "127.0.0.2x",            "dbl.test", "127.0.0.2x.dbl.test"   },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_name name;
        bool is_made = mfx_dns_list_domain_name(
            mfx_str_of(cases[i].domain), mfx_str_of(cases[i].zone), &name);
        unit_assert_int(cases[i].label, is_made, cases[i].want != NULL);
        unit_assert_str(cases[i].label, mfx_dns_list_name_str(&name),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, name.text[name.len], '\0');
    }
}

/* --- answers --- */

static struct mfx_resolver *
resolver_of(const char *zone)
{
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {""};
    if (mfx_resolver_static_new(mfx_str_of(zone), &resolver, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return resolver;
}

static const char answers_zone[] = "two.test A 127.0.0.2\n"
                                   "one.test A 127.0.0.1\n"
                                   "refused.test A 127.255.255.254\n"
                                   "wrong.test A 127.255.255.252\n"
                                   "excess.test A 127.255.255.255\n"
                                   "low.test A 127.255.255.0\n"
                                   "near.test A 127.255.254.255\n"
                                   "parked.test A 192.0.2.80\n"
                                   "own.test A 127.0.0.255\n"
                                   "mixed.test A 127.0.0.2\n"
                                   "mixed.test A 127.0.0.10\n"
                                   "half.test A 127.0.0.2\n"
                                   "half.test A 127.255.255.255\n"
                                   "text.test TXT only text\n"
                                   "fail.test A !servfail\n"
                                   "slow.test A !timeout\n"
                                   "junk.test A !malformed\n";

static void
answers(void **state)
{
    static const struct {
        const char *name, *site, *error_codes;
        enum mfx_dns_list_answer what;
        bool hits;
    } cases[] = {
        {"two.test",     "z",                                NULL,          MFX_DNS_LIST_LISTED,     true },
        {"two.test",     "z=127.0.0.4",                      NULL,          MFX_DNS_LIST_LISTED,     false},
        {"one.test",     "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"one.test",     "z=127.0.0.2",                      NULL,          MFX_DNS_LIST_ERROR,      false},
        {"one.test",     "z=127.0.0.[1..3]",                 NULL,          MFX_DNS_LIST_LISTED,     true },
        {"refused.test", "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"refused.test", "z=127.[0..255].[0..255].[0..255]", NULL,
         MFX_DNS_LIST_ERROR,                                                                         false},
        {"wrong.test",   "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"excess.test",  "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"low.test",     "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"near.test",    "z",                                NULL,          MFX_DNS_LIST_LISTED,     true },
        {"parked.test",  "z",                                NULL,          MFX_DNS_LIST_ERROR,      false},
        {"parked.test",  "z=192.0.2.80",                     NULL,          MFX_DNS_LIST_ERROR,      false},
        {"own.test",     "z",                                NULL,          MFX_DNS_LIST_LISTED,     true },
        {"own.test",     "z",                                "127.0.0.255", MFX_DNS_LIST_ERROR,      false},
        {"own.test",     "z=127.0.0.255",                    "127.0.0.255", MFX_DNS_LIST_ERROR,      false},
        {"mixed.test",   "z=127.0.0.10",                     NULL,          MFX_DNS_LIST_LISTED,     true },
        {"half.test",    "z=127.0.0.2",                      NULL,          MFX_DNS_LIST_ERROR,      false},
        {"text.test",    "z",                                NULL,          MFX_DNS_LIST_NOT_LISTED, false},
        {"nothing.test", "z",                                NULL,          MFX_DNS_LIST_NOT_LISTED, false},
        {"fail.test",    "z",                                NULL,          MFX_DNS_LIST_FAILURE,    false},
        {"slow.test",    "z",                                NULL,          MFX_DNS_LIST_FAILURE,    false},
        {"junk.test",    "z",                                NULL,          MFX_DNS_LIST_FAILURE,    false},
    };
    struct mfx_resolver *resolver = resolver_of(answers_zone);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_list_site site;
        struct mfx_dns_list_filter code;
        struct mfx_dns_list_reading reading;
        assert_int_equal(
            mfx_dns_list_site_parse(mfx_str_of(cases[i].site), &site, NULL),
            MFX_OK);
        bool has_code = cases[i].error_codes != NULL;
        if (has_code)
            assert_int_equal(mfx_dns_list_filter_parse(
                                 mfx_str_of(cases[i].error_codes), &code, NULL),
                             MFX_OK);
        const struct mfx_dns_list_rules rules = {&site, 1, &code, has_code};
        struct mfx_dns_question *q =
            mfx_dns_ask(resolver, mfx_str_of(cases[i].name), MFX_DNS_A);
        const struct mfx_dns_answer *answer = mfx_dns_question_answer(q);
        mfx_dns_list_read(&rules, answer, &reading);
        unit_assert_int(cases[i].name, reading.what, cases[i].what);
        bool must_say = reading.what == MFX_DNS_LIST_ERROR ||
                        reading.what == MFX_DNS_LIST_FAILURE;
        unit_assert_int(cases[i].name, reading.why[0] != '\0', must_say);
        bool hits = reading.what == MFX_DNS_LIST_LISTED &&
                    mfx_dns_list_site_hit(&site, answer) != NULL;
        unit_assert_int(cases[i].name, hits, cases[i].hits);
        mfx_dns_question_release(q);
    }
    mfx_resolver_free(resolver);
}

/* --- answers that are kept --- */

static bool
is_kept(struct mfx_dns_list_cache *cache, const char *domain, unsigned epoch,
        uint64_t now_s)
{
    struct mfx_dns_list_name name;
    assert_true(mfx_dns_list_domain_name(mfx_str_of(domain),
                                         mfx_str_of("l.test"), &name));
    struct mfx_dns_list_kept *kept =
        mfx_dns_list_cache_get(cache, &name, epoch, now_s * 1000);
    if (kept != NULL && mfx_str_starts(mfx_str_of(domain), mfx_str_of("hit")))
        assert_int_equal(mfx_dns_list_kept_answer(kept)->records[0].ip.bytes[3],
                         9);
    mfx_dns_list_kept_release(kept);
    return kept != NULL;
}

static void
keep(struct mfx_dns_list_cache *cache, const char *domain,
     enum mfx_dns_status status, uint32_t ttl_s)
{
    static const struct mfx_dns_record record = {
        .type = MFX_DNS_A, .ip = {MFX_IP_V4, {127, 0, 0, 9}}
    };
    const struct mfx_dns_answer answer = {.status = status,
                                          .ttl_s = ttl_s,
                                          .count = status == MFX_DNS_ANSWER,
                                          .records = &record};
    struct mfx_dns_list_name name;
    assert_true(mfx_dns_list_domain_name(mfx_str_of(domain),
                                         mfx_str_of("l.test"), &name));
    mfx_dns_list_cache_put(cache, &name, 7, &answer, 0);
}

static void
keeping(void **state)
{
    static const struct {
        const char *name;
        enum mfx_dns_status status;
        uint32_t ttl_s;
        uint64_t until_s; /* 0: not kept */
    } cases[] = {
        {"hit.within.org",  MFX_DNS_ANSWER,    300,    300 },
        {"hit.short.org",   MFX_DNS_ANSWER,    5,      60  },
        {"hit.zero.org",    MFX_DNS_ANSWER,    0,      60  },
        {"hit.long.org",    MFX_DNS_ANSWER,    604800, 3600},
        {"miss.within.org", MFX_DNS_NO_NAME,   300,    300 },
        {"miss.no-soa.org", MFX_DNS_NO_NAME,   0,      60  },
        {"miss.nodata.org", MFX_DNS_NO_DATA,   90000,  3600},
        {"fail.org",        MFX_DNS_FAILED,    300,    0   },
        {"late.org",        MFX_DNS_TIMEOUT,   300,    0   },
        {"junk.org",        MFX_DNS_MALFORMED, 300,    0   },
    };
    const struct mfx_dns_list_cache_limits limits = {100, 60, 3600};
    const struct mfx_dns_list_cache_limits others = {100, 60, 3601};
    struct mfx_dns_list_cache *cache = mfx_dns_list_cache_new(&limits);
    (void)state;
    assert_true(mfx_dns_list_cache_has(cache, &limits));
    assert_false(mfx_dns_list_cache_has(cache, &others));
    for (size_t i = 0; i < COUNT(cases); i++) {
        keep(cache, cases[i].name, cases[i].status, cases[i].ttl_s);
        bool is_wanted = cases[i].until_s > 0;
        unit_assert_int(cases[i].name, is_kept(cache, cases[i].name, 8, 1),
                        false);
        unit_assert_int(cases[i].name,
                        is_kept(cache, cases[i].name, 7, cases[i].until_s - 1),
                        is_wanted);
        unit_assert_int(cases[i].name,
                        is_kept(cache, cases[i].name, 7, cases[i].until_s),
                        false);
    }
    mfx_dns_list_cache_release(cache);
}

static void
keeping_bounded(void **state)
{
    const struct mfx_dns_list_cache_limits limits = {100, 60, 3600};
    const struct mfx_dns_list_cache_limits none = {0, 60, 3600};
    struct mfx_dns_list_cache *cache = mfx_dns_list_cache_new(&limits);
    char name[40];
    (void)state;
    keep(cache, "hit.used.org", MFX_DNS_ANSWER, 300);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "flood%u.org", i);
        keep(cache, name, MFX_DNS_NO_NAME, 300);
        assert_true(is_kept(cache, "hit.used.org", 7, 1));
    }
    unit_assert_int("bound", mfx_dns_list_cache_count(cache), 100);
    struct mfx_dns_list_cache *held = mfx_dns_list_cache_hold(cache);
    mfx_dns_list_cache_release(cache);
    assert_true(is_kept(held, "hit.used.org", 7, 1));
    mfx_dns_list_cache_release(held);
    cache = mfx_dns_list_cache_new(&none);
    keep(cache, "hit.used.org", MFX_DNS_ANSWER, 300);
    assert_false(is_kept(cache, "hit.used.org", 7, 1));
    mfx_dns_list_cache_release(cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),         cmocka_unit_test(broken_filters),
        cmocka_unit_test(sites),           cmocka_unit_test(broken_sites),
        cmocka_unit_test(site_lists),      cmocka_unit_test(address_names),
        cmocka_unit_test(mapped_name),     cmocka_unit_test(domain_names),
        cmocka_unit_test(answers),         cmocka_unit_test(keeping),
        cmocka_unit_test(keeping_bounded),
    };
    return cmocka_run_group_tests_name("dns_list", tests, NULL, NULL);
}
