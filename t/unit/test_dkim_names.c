/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selectors from patterns, records as name servers read them, and the d= that
 * DMARC wants.
 */
#include "unit.h"

#include <mfx/net/resolver.h>

#include "../../milters/dkim/alignment.h"
#include "../../milters/dkim/record_text.h"
#include "../../milters/dkim/selector.h"

/* taken: words with blanks between. */
static bool
is_taken(struct mfx_str selector, void *arg)
{
    struct mfx_str rest = mfx_str_of(arg), word;
    while (mfx_str_word(&rest, " ", &word))
        if (mfx_str_eq_nocase(word, selector))
            return true;
    return false;
}

static bool
is_always_taken(struct mfx_str selector, void *arg)
{
    (void)selector;
    (void)arg;
    return true;
}

static void
selectors(void **state)
{
    enum {
        NOW = 1795219200, /* date -u -d @1795219200: 2026-11-21 00:00:00 */
    };
    static const struct {
        const char *label, *pattern, *taken, *want;
        enum mfx_rc rc;
        const char *error;
    } cases[] = {
        {"month",          "%Y%m",      "",               "202611",    MFX_OK,       ""             },
        {"day",            "%Y%m%d",    "",               "20261121",  MFX_OK,       ""             },
        {"short_year",     "k%y-%m-%H", "",               "k26-11-00", MFX_OK,       ""             },
        {"second",         "%Y%m",      "202611",         "202611b",   MFX_OK,       ""             },
        {"third",          "%Y%m",      "202611 202611b", "202611c",   MFX_OK,       ""             },
        {"gap",            "%Y%m",      "202611b",        "202611",    MFX_OK,       ""             },
        {"in_any_case",    "R%Y%m",     "r202611",        "R202611b",  MFX_OK,       ""             },
        {"fixed",          "mail",      "202611",         "mail",      MFX_OK,       ""             },
        {"with_dot",       "%Y.rsa",    "",               "2026.rsa",  MFX_OK,       ""             },
 /* malformed, and none left */
        {"fixed_taken",    "mail",      "mail",           NULL,        MFX_NOTFOUND, "mail is taken"},
        {"unknown_letter", "%Q",        "",               NULL,        MFX_PERMFAIL, "%Y"           },
        {"percent_at_end", "a%",        "",               NULL,        MFX_PERMFAIL, "%Y"           },
        {"empty",          "",          "",               NULL,        MFX_PERMFAIL, "no selector"  },
        {"dots",           "%Y..%m",    "",               NULL,        MFX_PERMFAIL, "no selector"  },
        {"blank",          "%Y %m",     "",               NULL,        MFX_PERMFAIL, "no selector"  },
        {"slash",          "../%Y",     "",               NULL,        MFX_PERMFAIL, "no selector"  },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str got = {NULL, 0};
        struct mfx_err err = {""};
        enum mfx_rc rc = dkim_selector_make(
            mfx_str_of(cases[i].pattern), NOW, is_taken,
            (void *)(uintptr_t)cases[i].taken, arena, &got, &err);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (strstr(err.msg, cases[i].error) == NULL)
            fail_msg("%s: error is \"%s\"", cases[i].label, err.msg);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].label, got, mfx_str_of(cases[i].want));
    }
    struct mfx_str got;
    struct mfx_err err = {""};
    unit_assert_int("all_taken",
                    dkim_selector_make(mfx_str_of("%Y"), NOW, is_always_taken,
                                       NULL, arena, &got, &err),
                    MFX_NOTFOUND);
    mfx_arena_free(arena);
}

static void
names(void **state)
{
    static const struct {
        const char *domain, *selector, *want;
    } cases[] = {
        {"example.org",           "s1",  "s1._domainkey.example.org"         },
        {"Example.ORG",           "S.a", "s.a._domainkey.example.org"        },
        {"b\xC3\xBC"
         "cher.example", "s",   "s._domainkey.xn--bcher-kva.example"},
        {"a..b",                  "s",   NULL                                },
        {"example.org",           "",    NULL                                },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str got = {NULL, 0};
        enum mfx_rc rc =
            dkim_record_name(mfx_str_of(cases[i].domain),
                             mfx_str_of(cases[i].selector), arena, &got);
        unit_assert_int(cases[i].domain, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].domain, got, mfx_str_of(cases[i].want));
    }
    mfx_arena_free(arena);
}

/* RFC 1035 3.3: strings of at most 255 octets; 5.1: quoting, parentheses. */
static void
zone_lines(void **state)
{
    char text[600];
    struct mfx_buf out;
    (void)state;
    memset(text, 'A', sizeof text);
    mfx_buf_init(&out, 4096);
    struct dkim_record_text r = {.name = mfx_str_of("s._domainkey.a.example"),
                                 .text = mfx_str_of("v=DKIM1; p=")};
    dkim_record_zone_line(&r, &out);
    unit_assert_str("short", mfx_buf_str(&out),
                    mfx_str_of("s._domainkey.a.example.\tIN\tTXT\t"
                               "\"v=DKIM1; p=\"\n"));
    mfx_buf_clear(&out);
    r.origin = mfx_str_of("a.example");
    r.ttl_s = 60;
    r.text = mfx_str_of("a\"b\\c");
    dkim_record_zone_line(&r, &out);
    unit_assert_str("relative", mfx_buf_str(&out),
                    mfx_str_of("s._domainkey\t60\tIN\tTXT\t\"a\\\"b\\\\c\"\n"));
    mfx_buf_clear(&out);
    r.origin = mfx_str_of("b.example");
    dkim_record_zone_line(&r, &out);
    assert_non_null(strstr(mfx_buf_text(&out), "s._domainkey.a.example.\t"));
    static const size_t lens[] = {255, 256, 510, 511, 600};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        r.text = mfx_str(text, lens[i]);
        mfx_buf_clear(&out);
        dkim_record_zone_line(&r, &out);
        size_t quotes = 0;
        for (size_t n = 0; n < out.len; n++)
            quotes += out.p[n] == '"';
        unit_assert_int("strings", quotes / 2, (lens[i] + 254) / 255);
        assert_true((memchr(out.p, '(', out.len) != NULL) == (lens[i] > 255));
    }
    mfx_buf_fini(&out);
}

static void
nsupdate_lines(void **state)
{
    struct mfx_buf out;
    (void)state;
    mfx_buf_init(&out, 4096);
    const struct dkim_record_text r = {.name =
                                           mfx_str_of("s._domainkey.a.example"),
                                       .text = dkim_record_withdrawn(true),
                                       .ttl_s = 300};
    dkim_record_nsupdate(&r, &out);
    unit_assert_str("withdrawn", mfx_buf_str(&out),
                    mfx_str_of("update delete s._domainkey.a.example. TXT\n"
                               "update add s._domainkey.a.example. 300 IN TXT "
                               "\"v=DKIM1; k=ed25519; p=\"\n"));
    mfx_buf_fini(&out);
}

/* RFC 7489 6.6.3: the From domain's own record, else that of its
 * organizational domain. */
static void
alignment(void **state)
{
    static const char zone[] =
        "_dmarc.relaxed.example TXT \"v=DMARC1; p=reject; sp=quarantine\"\n"
        "_dmarc.strict.example TXT \"v=DMARC1; p=none; adkim=s\"\n"
        "_dmarc.own.strict.example TXT \"v=DMARC1; p=none; adkim=r\"\n"
        "_dmarc.two.example TXT \"v=DMARC1; p=none\"\n"
        "_dmarc.two.example TXT \"v=DMARC1; p=reject\"\n"
        "_dmarc.other.example TXT \"v=spf1 -all\"\n"
        "_dmarc.broken.example TXT \"v=DMARC1; p=x\"\n"
        "_dmarc.down.example TXT !servfail\n";
    static const struct {
        const char *from, *d, *second;
        enum dkim_alignment_status want;
        const char *says;
    } cases[] = {
        {"relaxed.example",    "relaxed.example", NULL,              DKIM_ALIGNMENT_GOOD,      ""                                },
        {"a.relaxed.example",  "relaxed.example", NULL,              DKIM_ALIGNMENT_GOOD,      ""                                },
        {"relaxed.example",    "esp.example",     NULL,              DKIM_ALIGNMENT_BAD,
         "d=esp.example: _dmarc.relaxed.example says "
         "p=reject and wants the same "
         "organizational domain"                                                                                                 },
        {"a.relaxed.example",  "esp.example",     NULL,              DKIM_ALIGNMENT_BAD,
         "says sp=quarantine"                                                                                                    },
        {"relaxed.example",    "esp.example",     "relaxed.example",
         DKIM_ALIGNMENT_GOOD,                                                                  ""                                },
        {"a.strict.example",   "strict.example",  NULL,              DKIM_ALIGNMENT_BAD,
         "adkim=s"                                                                                                               },
        {"a.strict.example",   "strict.example",  "esp.example",
         DKIM_ALIGNMENT_BAD,                                                                   "d=strict.example, d=esp.example:"},
        {"own.strict.example", "strict.example",  NULL,              DKIM_ALIGNMENT_GOOD,      ""                                },
        {"none.example",       "esp.example",     NULL,              DKIM_ALIGNMENT_NO_RECORD, ""                                },
        {"two.example",        "esp.example",     NULL,              DKIM_ALIGNMENT_NO_RECORD, ""                                },
        {"other.example",      "esp.example",     NULL,              DKIM_ALIGNMENT_NO_RECORD, ""                                },
        {"broken.example",     "esp.example",     NULL,              DKIM_ALIGNMENT_NO_RECORD, ""                                },
        {"down.example",       "esp.example",     NULL,              DKIM_ALIGNMENT_UNKNOWN,   ""                                },
        {"down.example",       "down.example",    NULL,              DKIM_ALIGNMENT_GOOD,      ""                                },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_env env = mfx_env_system();
    struct mfx_err err = {""};
    (void)state;
    unit_assert_int(
        "zone", mfx_resolver_static_new(mfx_str_of(zone), &env.resolver, &err),
        MFX_OK);
    struct dkim_alignment_check *check = dkim_alignment_new(&env);
    assert_non_null(check);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dkim_signer second = {.domain = mfx_str_of(cases[i].second)};
        struct dkim_signer first = {.domain = mfx_str_of(cases[i].d),
                                    .next = cases[i].second == NULL ? NULL
                                                                    : &second};
        struct dkim_alignment found;
        dkim_alignment_of(check, mfx_str_of(cases[i].from), mfx_str(NULL, 0),
                          &first, arena, &found);
        unit_assert_int(cases[i].from, found.status, cases[i].want);
        if (strstr(found.text, cases[i].says) == NULL)
            fail_msg("%s: text is \"%s\"", cases[i].from, found.text);
    }
    dkim_alignment_free(check);
    mfx_resolver_free(env.resolver);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors),  cmocka_unit_test(names),
        cmocka_unit_test(zone_lines), cmocka_unit_test(nsupdate_lines),
        cmocka_unit_test(alignment),
    };
    return cmocka_run_group_tests_name("dkim_names", tests, NULL, NULL);
}
