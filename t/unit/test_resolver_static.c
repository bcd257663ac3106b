/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/net/resolver.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char zone[] =
    "# a comment\n"
    "\n"
    "one.example.org TXT \"v=DKIM1; \" \"p=abc\"\r\n"
    "bare.example.org TXT v=DKIM1; p=a\"b # not a comment\n"
    "escaped.example.org TXT \"a\\\"b\\\\c\\255\"\n"
    "paste.example.org. 300 IN TXT ( \"k=rsa; \" \"p=xyz\" )\n"
    "mail._domainkey.example.org v=DKIM1; p=old\n"
    "quoted._domainkey.example.org \"v=DKIM1; p=q\"\n"
    "empty.example.org TXT \"\"\n"
    "a.example.org A 192.0.2.1\n"
    "a.example.org A 192.0.2.2\n"
    "a.example.org AAAA 2001:db8::1\n"
    "example.org MX 10 a.example.org.\n"
    "example.org SPF \"v=spf1 \" \"-all\"\n"
    "example.org NS ns.example.org\n"
    "1.2.0.192.in-addr.arpa PTR a.example.org\n"
    "alias.example.org 60 CNAME One.Example.ORG.\n"
    "twice.example.org CNAME alias.example.org\n"
    "astray.example.org CNAME nowhere.example.org\n"
    "toa.example.org CNAME a.example.org\n"
    "loop.example.org CNAME pool.example.org\n"
    "pool.example.org CNAME loop.example.org\n"
    "fail.example.org TXT !servfail\n"
    "slow.example.org TXT !timeout\n"
    "void.example.org TXT !nodata\n"
    "junk.example.org TXT !malformed\n"
    "tofail.example.org CNAME fail.example.org\n"
    "www.example.org A 192.0.2.80";

static struct mfx_resolver *
resolver_of(const char *text)
{
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {{0}};
    if (mfx_resolver_static_new(mfx_str_of(text), &resolver, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return resolver;
}

static void
texts(void **state)
{
    static const struct {
        const char *name;
        enum mfx_dns_status status;
        enum mfx_rc rc;
        const char *want;
        uint32_t ttl_s;
    } cases[] = {
        {"one.example.org",                                                     MFX_DNS_ANSWER,    MFX_OK,       "v=DKIM1; p=abc", 3600},
        {"ONE.Example.Org",                                                     MFX_DNS_ANSWER,    MFX_OK,       "v=DKIM1; p=abc", 3600},
        {"one.example.org.",                                                    MFX_DNS_ANSWER,    MFX_OK,       "v=DKIM1; p=abc", 3600},
        {"bare.example.org",                                                    MFX_DNS_ANSWER,    MFX_OK,
         "v=DKIM1; p=a\"b # not a comment",                                                                                        3600},
        {"escaped.example.org",                                                 MFX_DNS_ANSWER,    MFX_OK,       "a\"b\\c\xFF",    3600},
        {"paste.example.org",                                                   MFX_DNS_ANSWER,    MFX_OK,       "k=rsa; p=xyz",   300 },
        {"mail._domainkey.example.org",                                         MFX_DNS_ANSWER,    MFX_OK,
         "v=DKIM1; p=old",                                                                                                         3600},
        {"quoted._domainkey.example.org",                                       MFX_DNS_ANSWER,    MFX_OK,
         "v=DKIM1; p=q",                                                                                                           3600},
        {"empty.example.org",                                                   MFX_DNS_ANSWER,    MFX_OK,       "",               3600},
        {"alias.example.org",                                                   MFX_DNS_ANSWER,    MFX_OK,       "v=DKIM1; p=abc", 60  },
        {"twice.example.org",                                                   MFX_DNS_ANSWER,    MFX_OK,       "v=DKIM1; p=abc", 60  },
        {"astray.example.org",                                                  MFX_DNS_NO_NAME,   MFX_NOTFOUND, NULL,             0   },
        {"toa.example.org",                                                     MFX_DNS_NO_DATA,   MFX_NOTFOUND, NULL,             0   },
        {"a.example.org",                                                       MFX_DNS_NO_DATA,   MFX_NOTFOUND, NULL,             0   },
        {"nowhere.example.org",                                                 MFX_DNS_NO_NAME,   MFX_NOTFOUND, NULL,             0   },
        {"loop.example.org",                                                    MFX_DNS_MALFORMED, MFX_TEMPFAIL, NULL,             0   },
        {"fail.example.org",                                                    MFX_DNS_FAILED,    MFX_TEMPFAIL, NULL,             0   },
        {"slow.example.org",                                                    MFX_DNS_TIMEOUT,   MFX_TEMPFAIL, NULL,             0   },
        {"void.example.org",                                                    MFX_DNS_NO_DATA,   MFX_NOTFOUND, NULL,             0   },
        {"junk.example.org",                                                    MFX_DNS_MALFORMED, MFX_TEMPFAIL, NULL,             0   },
        {"tofail.example.org",                                                  MFX_DNS_FAILED,    MFX_TEMPFAIL, NULL,             0   },
        {"",                                                                    MFX_DNS_NO_NAME,   MFX_NOTFOUND, NULL,             0   },
        {".",                                                                   MFX_DNS_NO_NAME,   MFX_NOTFOUND, NULL,             0   },
        {"empty..label",                                                        MFX_DNS_NO_NAME,   MFX_NOTFOUND, NULL,             0   },
        {"label64-0123456789012345678901234567890123456789012345678901234.org",
         MFX_DNS_NO_NAME,                                                                          MFX_NOTFOUND, NULL,             0   },
    };
    (void)state;
    struct mfx_resolver *resolver = resolver_of(zone);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_question *q =
            mfx_dns_ask(resolver, mfx_str_of(cases[i].name), MFX_DNS_TXT);
        assert_true(mfx_event_is_set(mfx_dns_question_event(q)));
        const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
        unit_assert_int(cases[i].name, a->status, cases[i].status);
        unit_assert_int(cases[i].name, mfx_dns_rc(a), cases[i].rc);
        unit_assert_int(cases[i].name, a->ttl_s, cases[i].ttl_s);
        unit_assert_int(cases[i].name, a->count, cases[i].want != NULL);
        if (cases[i].want != NULL)
            unit_assert_str(cases[i].name, a->records[0].text,
                            mfx_str_of(cases[i].want));
        mfx_dns_question_release(q);
    }
    mfx_resolver_free(resolver);
}

static void
other_types(void **state)
{
    char text[MFX_IP_TEXT];
    (void)state;
    struct mfx_resolver *resolver = resolver_of(zone);
    struct mfx_dns_question *q =
        mfx_dns_ask(resolver, mfx_str_of("toa.example.org"), MFX_DNS_A);
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    assert_int_equal(a->count, 2);
    assert_string_equal(mfx_ip_format(&a->records[1].ip, text), "192.0.2.2");
    mfx_dns_question_release(q);
    q = mfx_dns_ask(resolver, mfx_str_of("a.example.org"), MFX_DNS_AAAA);
    a = mfx_dns_question_answer(q);
    assert_int_equal(a->count, 1);
    assert_string_equal(mfx_ip_format(&a->records[0].ip, text), "2001:db8::1");
    mfx_dns_question_release(q);
    q = mfx_dns_ask(resolver, mfx_str_of("example.org"), MFX_DNS_MX);
    a = mfx_dns_question_answer(q);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->records[0].preference, 10);
    unit_assert_str("mx", a->records[0].text, mfx_str_of("a.example.org"));
    mfx_dns_question_release(q);
    q = mfx_dns_ask(resolver, mfx_str_of("example.org"), MFX_DNS_SPF);
    a = mfx_dns_question_answer(q);
    assert_int_equal(a->count, 1);
    unit_assert_str("spf", a->records[0].text, mfx_str_of("v=spf1 -all"));
    mfx_dns_question_release(q);
    q = mfx_dns_ask(resolver, mfx_str_of("1.2.0.192.in-addr.arpa"),
                    MFX_DNS_PTR);
    a = mfx_dns_question_answer(q);
    unit_assert_str("ptr", a->records[0].text, mfx_str_of("a.example.org"));
    mfx_dns_question_release(q);
    q = mfx_dns_ask(resolver, mfx_str_of("alias.example.org"), MFX_DNS_CNAME);
    a = mfx_dns_question_answer(q);
    unit_assert_str("cname", a->records[0].text, mfx_str_of("One.Example.ORG"));
    mfx_dns_question_release(q);
    mfx_resolver_free(resolver);
}

/* \DDD in names is an octet, in no other form. */
static void
escaped_names(void **state)
{
    static const struct {
        const char *label, *name;
        enum mfx_dns_status status;
    } cases[] = {
        {"blank",      "a b.example",     MFX_DNS_ANSWER },
        {"case",       "A B.example",     MFX_DNS_ANSWER },
        {"as_written", "a\\032b.example", MFX_DNS_NO_NAME},
        {"no_escape",  "c\\d.example",    MFX_DNS_ANSWER },
        {"too_large",  "e\\999.example",  MFX_DNS_ANSWER },
    };
    (void)state;
    struct mfx_resolver *resolver =
        resolver_of("a\\032b.example A 192.0.2.1\n"
                    "c\\d.example A 192.0.2.1\n"
                    "e\\999.example A 192.0.2.1\n"
                    "mx.example MX 1 a\\032b.example.\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_question *q =
            mfx_dns_ask(resolver, mfx_str_of(cases[i].name), MFX_DNS_A);
        unit_assert_int(cases[i].label, mfx_dns_question_answer(q)->status,
                        cases[i].status);
        mfx_dns_question_release(q);
    }
    struct mfx_dns_question *q =
        mfx_dns_ask(resolver, mfx_str_of("mx.example"), MFX_DNS_MX);
    unit_assert_str("mx", mfx_dns_question_answer(q)->records[0].text,
                    mfx_str_of("a b.example"));
    mfx_dns_question_release(q);
    mfx_resolver_free(resolver);
}

static void
malformed_zones(void **state)
{
    static const struct {
        const char *label, *zone, *message;
    } cases[] = {
        {"address",         "a A 192.0.2.1\nb A 192.0.2", "line 2"},
        {"v6_in_a",         "a A 2001:db8::1",            "line 1"},
        {"v4_in_aaaa",      "a AAAA 192.0.2.1",           "line 1"},
        {"no_data",         "a A",                        "line 1"},
        {"mx_without_pref", "a MX b.example.org",         "line 1"},
        {"mx_without_name", "a MX 10",                    "line 1"},
        {"open_quote",      "a TXT \"abc",                "line 1"},
        {"after_quote",     "a TXT \"abc\" def",          "line 1"},
        {"unknown_word",    "a TXT !nonsense",            "line 1"},
        {"two_names",       "a CNAME b c",                "line 1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_resolver *resolver = NULL;
        struct mfx_err err = {{0}};
        enum mfx_rc rc =
            mfx_resolver_static_new(mfx_str_of(cases[i].zone), &resolver, &err);
        unit_assert_int(cases[i].label, rc, MFX_PERMFAIL);
        if (strstr(err.msg, cases[i].message) == NULL)
            fail_msg("%s: \"%s\"", cases[i].label, err.msg);
    }
}

static void
note_release(void *arg)
{
    ++*(int *)arg;
}

/* A question lives until both holders have let go, in either order. */
static void
holders(void **state)
{
    static const struct mfx_dns_answer answer = {.status = MFX_DNS_NO_DATA};
    int released = 0;
    (void)state;
    struct mfx_dns_question *q = mfx_dns_question_new();
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_TIMEOUT);
    assert_false(mfx_event_is_set(mfx_dns_question_event(q)));
    mfx_dns_question_set(q, &answer, note_release, &released);
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_NO_DATA);
    assert_int_equal(released, 0);
    mfx_dns_question_release(q);
    assert_int_equal(released, 1);

    q = mfx_dns_question_new();
    mfx_dns_question_release(q);
    assert_int_equal(released, 1);
    mfx_dns_question_set(q, &answer, note_release, &released);
    assert_int_equal(released, 2);

    assert_int_equal(mfx_dns_question_answer(NULL)->status, MFX_DNS_TIMEOUT);
    mfx_dns_question_release(NULL);
    q = mfx_dns_ask(NULL, mfx_str_of("example.org"), MFX_DNS_A);
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_FAILED);
    mfx_dns_question_release(q);
    mfx_resolver_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),         cmocka_unit_test(other_types),
        cmocka_unit_test(escaped_names), cmocka_unit_test(malformed_zones),
        cmocka_unit_test(holders),
    };
    return cmocka_run_group_tests_name("resolver_static", tests, NULL, NULL);
}
