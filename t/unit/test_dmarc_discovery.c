/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps of RFC 7489 6.6.3. co.uk and uk are public suffixes. */
#include <mfx/auth/dmarc_discovery.h>

#include "unit.h"

static const char zone[] =
    "_dmarc.a.example TXT \"v=DMARC1; p=reject; sp=none\"\n"
    "_dmarc.own.a.example TXT \"v=DMARC1; p=quarantine; sp=reject\"\n"
    "_dmarc.other.a.example TXT \"v=spf1 -all\"\n"
    "_dmarc.two.a.example TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.two.a.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.one.a.example TXT \"v=spf1 -all\"\n"
    "_dmarc.one.a.example TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.broken.a.example TXT \"v=DMARC1; p=x\"\n"
    "_dmarc.report.a.example TXT \"v=DMARC1; rua=mailto:a@b.example\"\n"
    "_dmarc.nodata.a.example TXT !nodata\n"
    "_dmarc.servfail.a.example TXT !servfail\n"
    "_dmarc.timeout.a.example TXT !timeout\n"
    "_dmarc.malformed.a.example TXT !malformed\n"
    "_dmarc.sp.co.uk TXT \"v=DMARC1; p=none; sp=reject\"\n"
    "_dmarc.co.uk TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.lame.co.uk TXT !servfail\n"
    "_dmarc.own.lame.co.uk TXT \"v=DMARC1; p=reject\"\n";

static void
steps(void **state)
{
    static const struct {
        const char *label, *domain, *at; /* at NULL: no record */
        enum mfx_rc rc;
        enum mfx_dmarc_policy policy;
    } cases[] = {
        {"own",                  "a.example",           "a.example",        MFX_OK,       MFX_DMARC_REJECT},
        {"own_below",            "own.a.example",       "own.a.example",    MFX_OK,
         MFX_DMARC_QUARANTINE                                                                             },
        {"parent",               "x.a.example",         "a.example",        MFX_OK,       MFX_DMARC_NONE  },
        {"parent_far_above",     "x.y.z.a.example",     "a.example",        MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"not_the_one_between",  "x.own.a.example",     "a.example",        MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"case",                 "X.A.Example",         "A.Example",        MFX_OK,       MFX_DMARC_NONE  },
        {"no_data",              "nodata.a.example",    "a.example",        MFX_OK,       MFX_DMARC_NONE  },
        {"other_record",         "other.a.example",     "a.example",        MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"other_record_beside",  "one.a.example",       "one.a.example",    MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"sp",                   "x.sp.co.uk",          "sp.co.uk",         MFX_OK,       MFX_DMARC_REJECT},
        {"sp_is_not_for_itself", "sp.co.uk",            "sp.co.uk",         MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"suffix_is_no_parent",  "new.co.uk",           NULL,               MFX_NOTFOUND,
         MFX_DMARC_NONE                                                                                   },
        {"two_records",          "two.a.example",       NULL,               MFX_NOTFOUND, MFX_DMARC_NONE  },
        {"broken_record",        "broken.a.example",    NULL,               MFX_NOTFOUND,
         MFX_DMARC_NONE                                                                                   },
        {"only_reports",         "report.a.example",    "report.a.example", MFX_OK,
         MFX_DMARC_NONE                                                                                   },
        {"none_at_all",          "x.none.example",      NULL,               MFX_NOTFOUND, MFX_DMARC_NONE  },
        {"own_of_lame_parent",   "own.lame.co.uk",      "own.lame.co.uk",   MFX_OK,
         MFX_DMARC_REJECT                                                                                 },
 /* outages */
        {"servfail",             "servfail.a.example",  NULL,               MFX_TEMPFAIL, MFX_DMARC_NONE  },
        {"timeout",              "timeout.a.example",   NULL,               MFX_TEMPFAIL, MFX_DMARC_NONE  },
        {"malformed",            "malformed.a.example", NULL,               MFX_TEMPFAIL,
         MFX_DMARC_NONE                                                                                   },
        {"parent_servfail",      "x.lame.co.uk",        NULL,               MFX_TEMPFAIL, MFX_DMARC_NONE  },
    };
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {""};
    (void)state;
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    struct mfx_arena *arena = mfx_arena_new(0);
    assert_true(suffixes != NULL && arena != NULL);
    if (mfx_resolver_static_new(mfx_str_of(zone), &resolver, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_dmarc_discovery d;
        struct mfx_dmarc_found found;
        mfx_dmarc_discovery_begin(&d, resolver, suffixes,
                                  mfx_str_of(cases[i].domain), arena);
        assert_null(mfx_dmarc_discovery_event(&d));
        unit_assert_int(cases[i].label, mfx_dmarc_discovery_end(&d, &found),
                        cases[i].rc);
        if (cases[i].at == NULL)
            continue;
        unit_assert_str(cases[i].label, found.at, mfx_str_of(cases[i].at));
        unit_assert_int(cases[i].label, found.policy, cases[i].policy);
    }
    mfx_arena_free(arena);
    mfx_resolver_free(resolver);
    mfx_dmarc_suffixes_free(suffixes);
}

/* --- answers that come late, in any order --- */

enum {
    ASKED_MAX = 2,
};

struct late {
    struct mfx_resolver resolver;
    struct mfx_dns_question *asked[ASKED_MAX];
    char names[ASKED_MAX][64];
    size_t count;
};

static struct mfx_dns_question *
ask_late(struct mfx_resolver *resolver, struct mfx_str name,
         enum mfx_dns_type type)
{
    struct late *late = (struct late *)(void *)resolver;
    assert_true(late->count < ASKED_MAX && type == MFX_DNS_TXT);
    (void)snprintf(late->names[late->count], sizeof late->names[0], "%.*s",
                   MFX_STR_ARG(name));
    return late->asked[late->count++] = mfx_dns_question_new();
}

static void
answer(struct late *late, size_t i, enum mfx_dns_status status,
       const char *text)
{
    static struct mfx_dns_record record;
    record =
        (struct mfx_dns_record){.type = MFX_DNS_TXT, .text = mfx_str_of(text)};
    const struct mfx_dns_answer a = {
        .status = status, .count = text != NULL, .records = &record};
    mfx_dns_question_set(late->asked[i], &a, NULL, NULL);
}

static void
begin(struct late *late, struct mfx_dmarc_discovery *d,
      const struct mfx_dmarc_suffixes *suffixes, struct mfx_arena *arena)
{
    *late = (struct late){.resolver = {.ask = ask_late}};
    mfx_dmarc_discovery_begin(d, &late->resolver, suffixes,
                              mfx_str_of("x.a.example"), arena);
    assert_int_equal(late->count, 2);
    assert_string_equal(late->names[0], "_dmarc.x.a.example");
    assert_string_equal(late->names[1], "_dmarc.a.example");
}

static void
late_answers(void **state)
{
    struct late late;
    struct mfx_dmarc_discovery d;
    struct mfx_dmarc_found found;
    (void)state;
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    struct mfx_arena *arena = mfx_arena_new(0);
    assert_true(suffixes != NULL && arena != NULL);

    begin(&late, &d, suffixes, arena);
    assert_ptr_equal(mfx_dmarc_discovery_event(&d),
                     mfx_dns_question_event(late.asked[0]));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_TEMPFAIL);
    answer(&late, 0, MFX_DNS_NO_NAME, NULL);
    assert_ptr_equal(mfx_dmarc_discovery_event(&d),
                     mfx_dns_question_event(late.asked[1]));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_TEMPFAIL);
    answer(&late, 1, MFX_DNS_ANSWER, "v=DMARC1; p=reject");
    assert_null(mfx_dmarc_discovery_event(&d));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_OK);
    assert_int_equal(found.policy, MFX_DMARC_REJECT);

    /* with a record of its own the parent's is not waited for */
    begin(&late, &d, suffixes, arena);
    answer(&late, 0, MFX_DNS_ANSWER, "v=DMARC1; p=quarantine");
    assert_null(mfx_dmarc_discovery_event(&d));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_OK);
    assert_int_equal(found.policy, MFX_DMARC_QUARANTINE);
    /* the message goes; the answer comes after it */
    mfx_arena_reset(arena);
    mfx_dns_question_set(late.asked[1],
                         &(struct mfx_dns_answer){.status = MFX_DNS_FAILED},
                         NULL, NULL);
    mfx_arena_free(arena);
    mfx_dmarc_suffixes_free(suffixes);
}

static void
cannot_be_asked(void **state)
{
    struct late late = {.resolver = {.ask = ask_late}};
    struct mfx_dmarc_discovery d;
    struct mfx_dmarc_found found;
    (void)state;
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    struct mfx_arena *arena = mfx_arena_new(1);
    assert_true(suffixes != NULL && arena != NULL);
    mfx_dmarc_discovery_begin(&d, NULL, suffixes, mfx_str_of("a.example"),
                              arena);
    assert_null(mfx_dmarc_discovery_event(&d));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_TEMPFAIL);
    mfx_dmarc_discovery_begin(&d, &late.resolver, suffixes,
                              mfx_str_of("a.example"), arena);
    assert_int_equal(late.count, 0);
    assert_null(mfx_dmarc_discovery_event(&d));
    assert_int_equal(mfx_dmarc_discovery_end(&d, &found), MFX_TEMPFAIL);
    mfx_arena_free(arena);
    mfx_dmarc_suffixes_free(suffixes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(late_answers),
        cmocka_unit_test(cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
