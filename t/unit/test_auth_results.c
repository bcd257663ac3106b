/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/mail/authres.h>
#include <mfx/policy/auth_results.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const dkim[] = {"dkim", NULL};
static const char *const spf_and_dnswl[] = {"spf", "dnswl", NULL};

struct site {
    struct mfx_arena *arena;
    struct mfx_problems problems;
    struct mfx_table_set *set;
    struct mfx_auth_results_settings settings;
    struct mfx_auth_results *results;
    enum mfx_rc rc;
};

static struct mfx_table *
open_table(struct site *s, const char *spec)
{
    struct mfx_table *table = NULL;
    if (spec[0] != '\0')
        assert_int_equal(mfx_table_open(s->set, mfx_str_of(spec),
                                        MFX_TABLE_NOCASE, "table", 0,
                                        &s->problems, &table),
                         MFX_OK);
    return table;
}

static void
open_site(struct site *s, const char *id, int remove, const char *remove_from,
          const char *trusted_from, const char *const *methods)
{
    *s = (struct site){.rc = MFX_TEMPFAIL};
    s->arena = mfx_arena_new(0);
    mfx_problems_init(&s->problems, s->arena);
    s->set = mfx_table_set_new(NULL);
    s->settings.authserv_id = mfx_str_of(id);
    s->settings.remove = remove;
    s->settings.remove_from = open_table(s, remove_from);
    s->settings.trusted_from = open_table(s, trusted_from);
    s->rc = mfx_auth_results_new(&s->settings, "verify.", methods, NULL,
                                 &s->problems, &s->results);
}

static void
close_site(struct site *s)
{
    mfx_auth_results_free(s->results);
    mfx_table_set_free(s->set);
    mfx_arena_free(s->arena);
}

static void
names(void **state)
{
    static const struct {
        const char *label, *setting, *mta_name, *queue_id;
        bool job_id;
        const char *want, *written;
    } cases[] = {
        {"setting",       "a.example", "mx.example", "4Bx", false, "a.example",
         "a.example"                                                                            },
        {"of_the_mta",    "",          "mx.example", "4Bx", false, "mx.example",
         "mx.example"                                                                           },
        {"neither",       "",          "",           "4Bx", false, "localhost",  "localhost"    },
        {"job_id",        "a.example", "mx.example", "4Bx", true,  "a.example",
         "a.example/4Bx"                                                                        },
        {"no_queue_id",   "a.example", "mx.example", "",    true,  "a.example",
         "a.example"                                                                            },
        {"job_of_no_mta", "",          "",           "4Bx", true,  "localhost",  "localhost/4Bx"},
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct mfx_auth_results_settings s = {
            .authserv_id = mfx_str_of(cases[i].setting),
            .authserv_id_job_id = cases[i].job_id,
        };
        struct mfx_str mta = mfx_str_of(cases[i].mta_name);
        unit_assert_str(cases[i].label, mfx_auth_results_id(&s, mta),
                        mfx_str_of(cases[i].want));
        unit_assert_str(cases[i].label,
                        mfx_auth_results_written_id(
                            &s, mta, mfx_str_of(cases[i].queue_id), arena),
                        mfx_str_of(cases[i].written));
    }
    mfx_arena_free(arena);
}

/* Which of the fields go, as letters: "a" is the topmost of that name. */
static void
assert_these(const char *label, struct site *s, const struct mfx_header *h,
             const char *want)
{
    char got[20];
    size_t n = 0;
    for (; h != NULL && n < sizeof got;
         h = mfx_auth_results_next(s->results, h, mfx_str_of("mx.example.org")))
        got[n++] = (char)('a' + (char)(h->instance - 1));
    unit_assert_str(label, mfx_str(got, n), mfx_str_of(want));
}

static void
assert_removed(const char *label, struct site *s,
               const struct mfx_headers *headers, const char *want)
{
    assert_these(label, s,
                 mfx_auth_results_first(s->results, headers,
                                        mfx_str_of("mx.example.org")),
                 want);
}

static void
removal(void **state)
{
    static const char *const fields[] = {
        " mx.example.org; dkim=pass header.d=bank.example",       /* a */
        " mx.example.org; spf=pass smtp.mailfrom=bank.example",   /* b */
        " mx.example.org; dmarc=pass header.from=bank.example",   /* c */
        " other.example; dkim=pass header.d=bank.example",        /* d */
        " MX.Example.ORG/4Bx 1; dnswl=pass dns.zone=a.example",   /* e */
        " a.old.example; spf=pass; dkim=pass",                    /* f */
        " old.example; dkim=pass",                                /* g */
        " retired.example; dkim=pass",                            /* h */
        " mx.example.org; none",                                  /* i */
        " mx.example.org; dmarc=pass (; SPF/1 =pass) header.b=c", /* j */
        " mx.example.org; broken",                                /* k */
    };
    static const struct {
        const char *label;
        int remove;
        const char *from;
        const char *const *methods;
        const char *want;
    } cases[] = {
        {"all",           MFX_AUTH_RESULTS_REMOVE_ALL,  "",                    dkim,          "abceijk"},
        {"all_for_spf",   MFX_AUTH_RESULTS_REMOVE_ALL,  "",                    spf_and_dnswl,
         "abceijk"                                                                                     },
        {"own_dkim",      MFX_AUTH_RESULTS_REMOVE_OWN,  "",                    dkim,          "ak"     },
        {"own_spf",       MFX_AUTH_RESULTS_REMOVE_OWN,  "",                    spf_and_dnswl, "bejk"   },
        {"none",          MFX_AUTH_RESULTS_REMOVE_NONE, "csl:other.example",   dkim,          ""       },
        {"further",       MFX_AUTH_RESULTS_REMOVE_ALL,  "csl:retired.example", dkim,
         "abcehijk"                                                                                    },
        {"further_below", MFX_AUTH_RESULTS_REMOVE_ALL,  "csl:.old.example",    dkim,
         "abcefijk"                                                                                    },
        {"further_star",  MFX_AUTH_RESULTS_REMOVE_OWN,
         "csl:*.old.example,old.example",                                      spf_and_dnswl, "befjk"  },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_headers headers = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_non_null(
            mfx_headers_add(&headers, arena,
                            mfx_str_of(i % 2 ? "authentication-results"
                                             : "Authentication-Results"),
                            mfx_str_of(fields[i])));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct site s;
        open_site(&s, "", cases[i].remove, cases[i].from, "", cases[i].methods);
        unit_assert_int(cases[i].label, s.rc, MFX_OK);
        assert_removed(cases[i].label, &s, &headers, cases[i].want);
        close_site(&s);
    }
    mfx_headers_fini(&headers);
    mfx_arena_free(arena);
}

static void
removal_of_received_spf(void **state)
{
    static const struct {
        const char *name, *value;
    } fields[] = {
        {"Received-SPF", " pass receiver=mx.example.org; helo=a"}, /* a */
        {"received-spf", " pass receiver=other.example"         }, /* b */
        {"Received-SPF", " pass (a.old.example: x) helo=a"      }, /* c */
        {"Received-SPF", " pass helo=a"                         }, /* d */
    };
    static const struct {
        const char *label;
        int remove;
        const char *want;
    } cases[] = {
        {"all",  MFX_AUTH_RESULTS_REMOVE_ALL,  "acd"},
        {"own",  MFX_AUTH_RESULTS_REMOVE_OWN,  "acd"},
        {"none", MFX_AUTH_RESULTS_REMOVE_NONE, ""   },
    };
    struct mfx_headers headers = {0};
    struct site s;
    (void)state;
    open_site(&s, "", MFX_AUTH_RESULTS_REMOVE_ALL, "csl:.old.example", "",
              spf_and_dnswl);
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_non_null(mfx_headers_add(&headers, s.arena,
                                        mfx_str_of(fields[i].name),
                                        mfx_str_of(fields[i].value)));
    for (size_t i = 0; i < COUNT(cases); i++) {
        s.settings.remove = cases[i].remove;
        assert_these(cases[i].label, &s,
                     mfx_auth_results_first_spf(s.results, &headers,
                                                mfx_str_of("mx.example.org")),
                     cases[i].want);
    }
    mfx_headers_fini(&headers);
    close_site(&s);
}

/* Two daemons in one chain: the first one's fresh field, with what a sender
 * may put into it, stays if the second removes its own only. */
static void
chain(void **state)
{
    static const char *const senders[] = {
        "joe@example.net",
        "\"; dkim=pass\"@example.net",
        "\"x\\\"; dkim=pass; \"@example.net",
        "(; dkim=pass)@example.net",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(senders); i++) {
        struct site s;
        struct mfx_headers headers = {0};
        struct mfx_authres_writer w;
        struct mfx_buf out;
        open_site(&s, "", MFX_AUTH_RESULTS_REMOVE_OWN, "", "", dkim);
        mfx_buf_init_arena(&out, s.arena, 1000);
        mfx_authres_begin(&w, &out, mfx_str_of("mx.example.org"), true);
        mfx_authres_result(&w, "spf", "fail", mfx_str_of(senders[i]),
                           mfx_str_of(senders[i]));
        mfx_authres_property(&w, "smtp", "mailfrom", mfx_str_of(senders[i]));
        mfx_authres_end(&w);
        assert_non_null(mfx_headers_add(&headers, s.arena,
                                        mfx_str_of("Authentication-Results"),
                                        mfx_buf_str(&out)));
        assert_removed(senders[i], &s, &headers, "");
        s.settings.remove = MFX_AUTH_RESULTS_REMOVE_ALL;
        assert_removed(senders[i], &s, &headers, "a");
        mfx_headers_fini(&headers);
        close_site(&s);
    }
}

static void
trusted(void **state)
{
    static const struct {
        const char *label, *name, *ip;
        bool want;
        const char *entry;
    } cases[] = {
        {"address",  "",                "192.0.2.10",  true,  "192.0.2.10"  },
        {"name",     "mx2.example.org", "203.0.113.1", true,  ".example.org"},
        {"stranger", "mx2.example.net", "192.0.2.11",  false, ""            },
        {"nobody",   "",                "",            false, ""            },
    };
    struct site s;
    (void)state;
    open_site(&s, "", MFX_AUTH_RESULTS_REMOVE_ALL, "",
              "csl:192.0.2.10,.example.org", dkim);
    assert_int_equal(s.rc, MFX_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_ip ip = {0};
        struct mfx_str entry = {0};
        if (cases[i].ip[0] != '\0')
            assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &ip),
                             MFX_OK);
        unit_assert_int(cases[i].label,
                        mfx_auth_results_trusts(
                            s.results, mfx_str_of(cases[i].name), &ip, &entry),
                        cases[i].want);
        unit_assert_str(cases[i].label, entry, mfx_str_of(cases[i].entry));
    }
    close_site(&s);
}

/* A mistake in a list names its setting. */
static void
problems(void **state)
{
    struct site s;
    (void)state;
    open_site(&s, "", MFX_AUTH_RESULTS_REMOVE_ALL, "", "csl:192.0.2.0/99",
              dkim);
    assert_int_equal(s.rc, MFX_PERMFAIL);
    assert_null(s.results);
    assert_int_equal(s.problems.errors, 1);
    assert_non_null(
        strstr(s.problems.first->text, "verify.trusted_results_from"));
    close_site(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),    cmocka_unit_test(removal),
        cmocka_unit_test(chain),    cmocka_unit_test(trusted),
        cmocka_unit_test(problems), cmocka_unit_test(removal_of_received_spf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
