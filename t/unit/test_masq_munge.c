/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses were computed with Python's hmac and base64 modules. */
#include <mfx/net/resolver.h>
#include <mfx/store/store_local.h>

#include "../../milters/masq/munge.h"
#include "masq_conf.h"
#include "masq_header.h"

static const struct mfx_str secret_items[] = {MFX_STR("tops3cr3t"),
                                              MFX_STR("old")};
static const struct mfx_secrets secrets = {.items = secret_items, .count = 2};

#define L10 "llllllllll"

/* --- addresses --- */

static void
making(void **state)
{
    static const struct {
        const char *label, *author, *local; /* local NULL: there is none */
        const char *name;
    } cases[] = {
        {"plain",                "joe@example.org",                      "a2lepk57=joe=example.org",    ""                                },
        {"case_stays",           "Joe@Example.org",                      "a2lepk57=Joe=Example.org",    ""                                },
        {"equals",               "a=b@x.example",                        "ynmgfr7d=a=b=x.example",      ""                                },
        {"blank",                "john doe@x.example",                   "hs4gunrg=john doe=x.example", ""                                },
        {"at",                   "a@b@x.example",                        "45tlckkg=a@b=x.example",      ""                                },
        {"extension",            "joe+ext@xn--bcher-kva.example",
         "owfxzxe6=joe+ext=xn--bcher-kva.example",                                                      ""                                },
        {"one_label",            "j@a",                                  "2cxehy7l=j=a",                ""                                },
        {"longest",              L10 L10 L10 L10 "@author.example",
         "wuv7zm5y=" L10 L10 L10 L10 "=author.example",                                                 ""                                },
        {"too_long",             L10 L10 L10 L10 "l@author.example",
         "qev775rr=6o5uez67nd2rczyvxgb3r432gb2ycccw",                                                   "6o5uez67nd2rczyvxgb3r432gb2ycccw"},
        {"too_long_with_quotes", L10 L10 L10 "llllllll @author.example",
         "hxc5pnee=ejjq3ox7mpidfej4vj3ra562c4amskmt",                                                   "ejjq3ox7mpidfej4vj3ra562c4amskmt"},
 /* malformed */
        {"no_domain",            "joe@",                                 NULL,                          NULL                              },
        {"no_local",             "@x.example",                           NULL,                          NULL                              },
        {"literal",              "joe@[192.0.2.1]",                      NULL,                          NULL                              },
        {"u_label",
         "joe@b\xC3\xBC"
         "cher.example",                                                 NULL,                          NULL                              },
        {"control",              "a\nb@x.example",                       NULL,                          NULL                              },
        {"latin1",               "\xFC@x.example",                       NULL,                          NULL                              },
    };
    static const struct mfx_str domain = MFX_STR("m.example");
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_address from = masq_tables_address(cases[i].author), to;
        struct mfx_str name;
        enum mfx_rc rc =
            masq_munge_address_make(&secrets, domain, &from, arena, &to, &name);
        unit_assert_int(cases[i].label, rc,
                        cases[i].local == NULL ? MFX_PERMFAIL : MFX_OK);
        if (rc != MFX_OK)
            continue;
        unit_assert_str(cases[i].label, to.local, mfx_str_of(cases[i].local));
        unit_assert_str(cases[i].label, to.domain, domain);
        unit_assert_str(cases[i].label, name, mfx_str_of(cases[i].name));
    }
    mfx_arena_free(arena);
}

static void
reading(void **state)
{
    static const struct {
        const char *label, *local;
        enum mfx_rc want;
        const char *author, *name;
    } cases[] = {
        {"plain",           "a2lepk57=joe=example.org",                  MFX_OK,       "joe@example.org", ""                                },
        {"upper",           "A2LEPK57=JOE=EXAMPLE.ORG",                  MFX_OK,       "JOE@EXAMPLE.ORG", ""                                },
        {"old_secret",      "lyf22wds=joe=example.org",                  MFX_OK,       "joe@example.org",
         ""                                                                                                                                 },
        {"equals",          "ynmgfr7d=a=b=x.example",                    MFX_OK,       "a=b@x.example",   ""                                },
        {"at",              "45tlckkg=a@b=x.example",                    MFX_OK,       "a@b@x.example",   ""                                },
        {"short",           "qev775rr=6o5uez67nd2rczyvxgb3r432gb2ycccw", MFX_OK,       NULL,
         "6o5uez67nd2rczyvxgb3r432gb2ycccw"                                                                                                 },
        {"short_upper",     "QEV775RR=6O5UEZ67ND2RCZYVXGB3R432GB2YCCCW", MFX_OK,
         NULL,                                                                                            "6o5uez67nd2rczyvxgb3r432gb2ycccw"},
        {"short_old",       "6k2xqlj6=2ujuf2u2cwwdj7hhwi4uqqax56lhc5k3", MFX_OK,       NULL,
         "2ujuf2u2cwwdj7hhwi4uqqax56lhc5k3"                                                                                                 },
 /* forged */
        {"other_author",    "a2lepk57=jo=example.org",                   MFX_PERMFAIL, NULL,              NULL                              },
        {"other_domain",    "a2lepk57=joe=example.com",                  MFX_PERMFAIL, NULL,              NULL                              },
        {"other_hash",      "b2lepk57=joe=example.org",                  MFX_PERMFAIL, NULL,              NULL                              },
        {"moved_equals",    "ynmgfr7d=a=b.x=example",                    MFX_PERMFAIL, NULL,              NULL                              },
        {"other_name",      "dg2sx3mf=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         MFX_PERMFAIL,                                                                 NULL,              NULL                              },
 /* of another form */
        {"empty",           "",                                          MFX_NOTFOUND, NULL,              NULL                              },
        {"word",            "postmaster",                                MFX_NOTFOUND, NULL,              NULL                              },
        {"hash_alone",      "a2lepk57",                                  MFX_NOTFOUND, NULL,              NULL                              },
        {"nothing_behind",  "a2lepk57=",                                 MFX_NOTFOUND, NULL,              NULL                              },
        {"one_part",        "a2lepk57=joe",                              MFX_NOTFOUND, NULL,              NULL                              },
        {"no_author",       "a2lepk57==example.org",                     MFX_NOTFOUND, NULL,              NULL                              },
        {"no_domain",       "a2lepk57=joe=",                             MFX_NOTFOUND, NULL,              NULL                              },
        {"short_hash",      "a2lepk5=joe=example.org",                   MFX_NOTFOUND, NULL,              NULL                              },
        {"no_base32",       "a2lepk51=joe=example.org",                  MFX_NOTFOUND, NULL,              NULL                              },
        {"srs",             "SRS0=HHHH=TT=example.org=joe",              MFX_NOTFOUND, NULL,              NULL                              },
        {"other_separator", "a2lepk57+joe=example.org",                  MFX_NOTFOUND, NULL,
         NULL                                                                                                                               },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_address author = {0};
        struct mfx_str name = {"", 0};
        unit_assert_int(cases[i].label,
                        masq_munge_address_read(&secrets,
                                                mfx_str_of(cases[i].local),
                                                arena, &author, &name),
                        cases[i].want);
        if (cases[i].want != MFX_OK)
            continue;
        unit_assert_str(cases[i].label, name, mfx_str_of(cases[i].name));
        if (cases[i].author == NULL)
            continue;
        struct masq_address want = masq_tables_address(cases[i].author);
        unit_assert_str(cases[i].label, author.local, want.local);
        unit_assert_str(cases[i].label, author.domain, want.domain);
    }
    mfx_arena_free(arena);
}

/* --- From --- */

static const char zone[] =
    "_dmarc.reject.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.quarantine.example TXT \"v=DMARC1; p=quarantine; pct=0\"\n"
    "_dmarc.none.example TXT \"v=DMARC1; p=none; sp=reject\"\n"
    "_dmarc.xn--bcher-kva.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.author.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.broken.example TXT !servfail\n"
    "_dmarc.slow.example TXT !timeout\n"
    "_dmarc.us.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.m.example TXT \"v=DMARC1; p=reject\"\n";

#define CONF                                                        \
    "our_domains = \"us.example, .us.example\"; munge: { domain = " \
    "\"M.example\"; secrets_file = \"%s\"; %s %s %s };"

struct site {
    struct masq_conf c;
    const struct masq_munge *munge;
    struct mfx_store *store;
};

static void
site_begin(struct site *s, const char *more)
{
    static const struct mfx_store_local_settings memory = {.memory_bytes =
                                                               1024 * 1024};
    struct mfx_err err = {""};
    struct conf_files files;
    conf_files_init(&files);
    const char *path =
        conf_files_write(&files, "secrets", mfx_str_of("tops3cr3t\nold\n"));
    masq_conf_begin(
        &s->c,
        mfx_arena_printf(files.arena, CONF, path,
                         strstr(more, "when =") ? "" : "when = \"dmarc\";",
                         strstr(more, "mail =") ? "" : "mail = \"all\";", more)
            .p);
    if (masq_munge_new(&s->c.settings, &s->c.build, &s->munge) != MFX_OK)
        fail_msg("%s: %s", more, s->c.t.problems.first->text);
    assert_non_null(s->munge);
    if (mfx_resolver_static_new(mfx_str_of(zone), &s->c.env.resolver, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
    s->store = mfx_store_local_open(&memory, &s->c.env);
    assert_non_null(s->store);
    conf_files_fini(&files);
}

static void
site_end(struct site *s)
{
    mfx_store_close(s->store, 1000);
    mfx_resolver_free(s->c.env.resolver);
    masq_conf_end(&s->c);
}

static bool
wait_for(void *arg, struct mfx_event *event, uint64_t until_ms)
{
    (void)arg;
    return mfx_event_wait(event, until_ms);
}

static const struct masq_munge_waiter waiter = {wait_for, NULL};

static enum mfx_rc
munge(struct site *s, const char *header, struct masq_fields *fields,
      struct masq_munge_answer *answer, struct mfx_err *err)
{
    struct mfx_headers headers;
    struct masq_munge_job job;
    *answer = (struct masq_munge_answer){0};
    masq_header_read(fields, &headers, s->c.t.arena, header);
    masq_munge_begin(&job, s->munge, &s->c.env, &headers, s->c.t.arena);
    enum mfx_rc rc =
        masq_munge_finish(&job, s->store, fields, &waiter, answer, err);
    mfx_headers_fini(&headers);
    return rc;
}

static void
authors(void **state)
{
    static const struct {
        const char *label, *more, *header, *want; /* want NULL: it stays */
        const char *why;
        bool is_strange;
    } cases[] = {
        {"reject",              "",                                    "From: Joe <joe@reject.example>\nTo: t@t.example\n",
         "From: Joe <ew2oambd=joe=reject.example@m.example>\nTo: t@t.example\n",                                                                                                                     "joe@reject.example: DMARC reject",                               false},
        {"quarantine",          "",                                    "From: joe@quarantine.example\n",
         "From: ojuhxyyo=joe=quarantine.example@m.example\n",                                                                                                                                        "joe@quarantine.example: DMARC quarantine",                       false},
        {"parent",              "",                                    "From: joe@x.none.example\n",
         "From: w6m6tl2k=joe=x.none.example@m.example\n",                                                                                                                                            "joe@x.none.example: DMARC reject",                               false},
        {"none",                "",                                    "From: joe@none.example\n",                          NULL,                                                                    "",                                                               false},
        {"no_record",           "",                                    "From: joe@nowhere.example\n",                       NULL,                                                                    "",                                                               false},
        {"ours",                "",                                    "From: joe@us.example\n",                            NULL,                                                                    "",                                                               false},
        {"ours_below",          "",                                    "From: joe@Host.us.example\n",                       NULL,                                                                    "",                                                               false},
        {"munged_already",      "",                                    "From: a=b=c@m.example\n",                           NULL,                                                                    "",                                                               false},
        {"bare",                "",                                    "From: joe\n",                                       NULL,                                                                    "",                                                               false},
        {"literal",             "",                                    "From: joe@[192.0.2.1]\n",                           NULL,                                                                    "",                                                               false},
        {"no_from",             "",                                    "To: joe@reject.example\n",                          NULL,                                                                    "",                                                               false},
        {"empty",               "",                                    "From: \n",                                          NULL,                                                                    "",                                                               false},
        {"u_label",             "",
         "From: joe@b\xC3\xBC"
         "cher.example\n",                                                                                                  "From: syt2mqsz=joe=xn--bcher-kva.example@m.example\n",
         "joe@xn--bcher-kva.example: DMARC reject",                                                                                                                                                                                                                    false},
        {"quotes",              "",                                    "From: \"J\" <\"j d\"@reject.example>\n",
         "From: \"J\" <\"iosh5skl=j d=reject.example\"@m.example>\n",                                                                                                                                "j d@reject.example: DMARC reject",                               false},
        {"several",             "",
         "From: a@none.example, B <b@reject.example>,\n c@quarantine.example\n",                                            "From: a@none.example, B <xzj4qkff=b=reject.example@m.example>,\n "
         "y4r7g6l2=c=quarantine.example@m.example\n",                                                                "b@reject.example: DMARC reject, c@quarantine.example: DMARC "
         "quarantine",                                                                                                            false},
        {"two_fields",          "",                                    "From: a@reject.example\nFrom: b@reject.example\n",
         "From: fvkwibel=a=reject.example@m.example\n"
         "From: xzj4qkff=b=reject.example@m.example\n",                                                                                                                                              "a@reject.example: DMARC reject, b@reject.example: DMARC reject",
         false                                                                                                                                                                                                                                                              },
        {"always",              "when = \"always\";",                  "From: joe@nowhere.example\n",
         "From: ztecoc7s=joe=nowhere.example@m.example\n",                                                                                                                                           "joe@nowhere.example: munge.when is always",                      false},
        {"always_not_ours",     "when = \"always\";",                  "From: joe@us.example\n",
         NULL,                                                                                                                                                                                       "",                                                               false},
        {"suffix",              "phrase_suffix = \" via l.example\";",
         "From: Joe <joe@reject.example>, a@none.example\n",                                                                "From: \"Joe via l.example\" <ew2oambd=joe=reject.example@m.example>, "
         "a@none.example\n",                                                                                                             "joe@reject.example: DMARC reject",                               false},
        {"suffix_without_name", "phrase_suffix = \"via list\";",
         "From: joe@reject.example (Joe)\n",                                                                                "From: joe via list <ew2oambd=joe=reject.example@m.example> (Joe)\n",
         "joe@reject.example: DMARC reject",                                                                                                                                                                                                                           false},
        {"reply_to",            "reply_to = true;",                    "From: Joe\n <joe@reject.example>\n",
         "From: Joe\n <ew2oambd=joe=reject.example@m.example>\n"
         "Reply-To: Joe\n <joe@reject.example>\n",                                                                                                                                                   "joe@reject.example: DMARC reject",                               false},
        {"reply_to_stays",      "reply_to = true;",
         "Reply-To: l@us.example\nFrom: joe@reject.example\n",                                                              "Reply-To: l@us.example\nFrom: ew2oambd=joe=reject.example@m.example\n",
         "joe@reject.example: DMARC reject",                                                                                                                                                                                                                           false},
        {"reply_to_of_others",  "reply_to = true;",                    "From: joe@none.example\n",
         NULL,                                                                                                                                                                                       "",                                                               false},
 /* an outage is never "no policy" */
        {"servfail",            "",                                    "From: joe@broken.example\n",
         "From: j6mzft65=joe=broken.example@m.example\n",                                                                                                                                            "joe@broken.example: DMARC policy not known",                     false},
        {"timeout",             "",                                    "From: joe@x.slow.example\n",
         "From: m3c474gi=joe=x.slow.example@m.example\n",                                                                                                                                            "joe@x.slow.example: DMARC policy not known",                     false},
 /* malformed */
        {"unparsable",          "",                                    "From: <a@reject.example> b@reject.example\n",       NULL,
         "",                                                                                                                                                                                                                                                           true },
        {"unparsable_and_good", "",                                    "From: ,;\nFrom: joe@reject.example\n",
         "From: ,;\nFrom: ew2oambd=joe=reject.example@m.example\n",                                                                                                                                  "joe@reject.example: DMARC reject",                               true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site s;
        struct masq_fields fields;
        struct masq_munge_answer answer;
        struct mfx_err err = {""};
        const char *more = cases[i].more;
        site_begin(&s, more);
        enum mfx_rc rc = munge(&s, cases[i].header, &fields, &answer, &err);
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_NOTFOUND : MFX_OK);
        unit_assert_str(cases[i].label, masq_header_text(&fields),
                        mfx_str_of(cases[i].want == NULL ? cases[i].header
                                                         : cases[i].want));
        unit_assert_str(cases[i].label, answer.why, mfx_str_of(cases[i].why));
        unit_assert_int(cases[i].label, answer.is_strange, cases[i].is_strange);
        site_end(&s);
    }
}

static void
dns_tempfail(void **state)
{
    struct site s;
    struct masq_fields fields;
    struct masq_munge_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s, "dns_error = \"tempfail\";");
    assert_int_equal(
        munge(&s, "From: joe@broken.example\n", &fields, &answer, &err),
        MFX_TEMPFAIL);
    assert_string_equal(err.msg, "DMARC policy of broken.example is not known");
    assert_int_equal(
        munge(&s, "From: joe@nowhere.example\n", &fields, &answer, &err),
        MFX_NOTFOUND);
    site_end(&s);
}

/* Answers come after the header, or never. */
struct late {
    struct mfx_resolver resolver;
    struct mfx_dns_question *last;
    size_t count;
    bool answers; /* when it is waited for */
};

static struct mfx_dns_question *
ask_late(struct mfx_resolver *resolver, struct mfx_str name,
         enum mfx_dns_type type)
{
    struct late *late = (struct late *)(void *)resolver;
    (void)name;
    (void)type;
    late->count++;
    late->last = mfx_dns_question_new();
    return late->last;
}

static void
set_answer(struct late *late, enum mfx_dns_status status)
{
    mfx_dns_question_set(late->last, &(struct mfx_dns_answer){.status = status},
                         NULL, NULL);
}

static bool
wait_late(void *arg, struct mfx_event *event, uint64_t until_ms)
{
    struct late *late = arg;
    (void)until_ms;
    if (late->answers)
        set_answer(late, MFX_DNS_NO_NAME);
    return mfx_event_is_set(event);
}

static void
asked_early(void **state)
{
    static const struct {
        const char *label;
        bool answers;
        enum mfx_rc want;
    } cases[] = {
        {"in_time", true,  MFX_NOTFOUND},
        {"never",   false, MFX_OK      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site s;
        struct mfx_headers headers;
        struct masq_fields fields;
        struct masq_munge_job job;
        struct masq_munge_answer answer;
        struct mfx_err err = {""};
        struct late late = {.resolver = {.ask = ask_late},
                            .answers = cases[i].answers};
        const struct masq_munge_waiter late_waiter = {wait_late, &late};
        site_begin(&s, "");
        struct mfx_env env = s.c.env;
        env.resolver = &late.resolver;
        struct mfx_arena *arena = mfx_arena_new(0);
        assert_non_null(arena);
        masq_header_read(&fields, &headers, arena,
                         "From: a@late.example, b@Late.example\n");
        masq_munge_begin(&job, s.munge, &env, &headers, arena);
        unit_assert_int(cases[i].label, late.count, 1);
        unit_assert_int(cases[i].label,
                        masq_munge_finish(&job, s.store, &fields, &late_waiter,
                                          &answer, &err),
                        cases[i].want);
        unit_assert_int(cases[i].label, late.count, 1);
        mfx_headers_fini(&headers);
        mfx_arena_free(arena);
        if (!cases[i].answers)
            set_answer(&late, MFX_DNS_FAILED);
        site_end(&s);
    }
}

/* One mail must not ask for a thousand domains. */
static void
many_domains(void **state)
{
    struct site s;
    struct masq_fields fields;
    struct masq_munge_answer answer;
    struct mfx_err err = {""};
    struct mfx_buf header;
    (void)state;
    site_begin(&s, "");
    mfx_buf_init_arena(&header, s.c.t.arena, 10000);
    mfx_buf_add_text(&header, "From: x");
    for (unsigned i = 0; i <= MASQ_MUNGE_DOMAINS; i++)
        mfx_buf_printf(&header, ", a@d%u.example", i);
    mfx_buf_add_text(&header, "\n");
    assert_int_equal(munge(&s, mfx_buf_text(&header), &fields, &answer, &err),
                     MFX_OK);
    assert_int_equal(answer.count, 1);
    unit_assert_str("why", answer.why,
                    mfx_str_of("a@d20.example: DMARC policy not known"));
    site_end(&s);
}

/* --- replies --- */

static enum mfx_rc
reverse(struct site *s, struct mfx_store *store, const char *recipient,
        struct masq_munge_reply *reply, struct mfx_err *err)
{
    struct masq_munge_call call;
    struct masq_address to = masq_tables_address(recipient);
    masq_munge_begin_reverse(s->munge, store, &to, s->c.t.arena, &call);
    struct mfx_event *event = masq_munge_event(&call);
    if (event != NULL)
        assert_true(mfx_event_wait(event, mfx_mono_ms() + 20000));
    return masq_munge_end(&call, reply, err);
}

static void
replies(void **state)
{
    static const struct {
        const char *label, *recipient;
        enum mfx_rc want;
        const char *to; /* PERMFAIL: the code */
    } cases[] = {
        {"author",         "a2lepk57=joe=example.org@m.example",                  MFX_OK,
         "joe@example.org"                                                                             },
        {"case_of_domain", "a2lepk57=joe=example.org@M.Example",                  MFX_OK,
         "joe@example.org"                                                                             },
        {"forged",         "b2lepk57=joe=example.org@m.example",                  MFX_PERMFAIL, "5.7.1"},
        {"other_domain",   "b2lepk57=joe=example.org@x.example",                  MFX_NOTFOUND,
         NULL                                                                                          },
        {"below",          "a2lepk57=joe=example.org@x.m.example",                MFX_NOTFOUND, NULL   },
        {"postmaster",     "postmaster@m.example",                                MFX_NOTFOUND, NULL   },
        {"bare",           "a2lepk57=joe=example.org",                            MFX_NOTFOUND, NULL   },
        {"not_kept",       "6k2xqlj6=2ujuf2u2cwwdj7hhwi4uqqax56lhc5k3@m.example",
         MFX_PERMFAIL,                                                                          "5.1.1"},
    };
    struct site s;
    (void)state;
    site_begin(&s, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_munge_reply reply;
        struct mfx_err err = {""};
        unit_assert_int(cases[i].label,
                        reverse(&s, s.store, cases[i].recipient, &reply, &err),
                        cases[i].want);
        if (cases[i].want == MFX_PERMFAIL)
            unit_assert_str(cases[i].label, mfx_str_of(reply.code),
                            mfx_str_of(cases[i].to));
        if (cases[i].want == MFX_OK)
            unit_assert_str(cases[i].label, masq_tables_text(&s.c.t, &reply.to),
                            mfx_str_of(cases[i].to));
    }
    site_end(&s);
}

static void
there_and_back(void **state)
{
    static const char author[] = "From: " L10 L10 L10 L10 "l@author.example\n";
    struct site s;
    struct masq_fields fields;
    struct masq_munge_answer answer;
    struct masq_munge_reply reply;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s, "");
    assert_int_equal(munge(&s, author, &fields, &answer, &err), MFX_OK);
    unit_assert_str(
        "kept", masq_header_text(&fields),
        mfx_str_of(
            "From: qev775rr=6o5uez67nd2rczyvxgb3r432gb2ycccw@m.example\n"));
    assert_int_equal(
        reverse(&s, s.store,
                "QEV775RR=6O5UEZ67ND2RCZYVXGB3R432GB2YCCCW@m.example", &reply,
                &err),
        MFX_OK);
    unit_assert_str("author", masq_tables_text(&s.c.t, &reply.to),
                    mfx_str_of(L10 L10 L10 L10 "l@author.example"));
    /* without a store mail waits, in both directions */
    assert_int_equal(
        reverse(&s, NULL, "qev775rr=6o5uez67nd2rczyvxgb3r432gb2ycccw@m.example",
                &reply, &err),
        MFX_TEMPFAIL);
    struct mfx_store *store = s.store;
    s.store = NULL;
    assert_int_equal(munge(&s, author, &fields, &answer, &err), MFX_TEMPFAIL);
    assert_string_equal(err.msg, "no store for short addresses");
    s.store = store;
    site_end(&s);
}

/* --- settings --- */

static void
which_mail(void **state)
{
    static const struct {
        const char *label, *more, *header;
        bool is_forwarded, needs_recipients, want;
    } cases[] = {
        {"all",             "mail = \"all\";",                   "To: a\n",         false, false, true },
        {"lists_none",      "mail = \"lists\";",                 "To: a\n",         true,  false, false},
        {"list_id",         "mail = \"lists\";",                 "list-id: <a>\n",  false, false, true },
        {"list_post",       "mail = \"lists\";",                 "List-Post: NO\n", false, false,
         true                                                                                          },
        {"forwarded",       "mail = \"forwarded\";",             "List-Id: <a>\n",  false, true,
         false                                                                                         },
        {"forwarded_it_is", "mail = \"forwarded\";",             "To: a\n",         true,  true,
         true                                                                                          },
        {"never",           "mail = \"all\"; when = \"never\";", "To: a\n",         true,  false,
         false                                                                                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site s;
        struct mfx_headers headers;
        struct masq_fields fields;
        site_begin(&s, cases[i].more);
        masq_header_read(&fields, &headers, s.c.t.arena, cases[i].header);
        unit_assert_int(cases[i].label, masq_munge_needs_recipients(s.munge),
                        cases[i].needs_recipients);
        unit_assert_int(
            cases[i].label,
            masq_munge_concerns(s.munge, &fields, cases[i].is_forwarded),
            cases[i].want);
        mfx_headers_fini(&headers);
        site_end(&s);
    }
}

static void
bad_settings(void **state)
{
    static const struct {
        const char *label, *text, *want;
        bool warns;
    } cases[] = {
        {"off",          "",                                                  "",                                         false},
        {"no_domain",    "munge: { when = \"always\"; };",
         "masq.conf:1: munge.when: needs munge.domain",                                                                   false},
        {"no_secrets",   "munge: { domain = \"m.example\"; };",
         "munge.secrets_file: is needed with munge.domain",                                                               false},
        {"missing_file",
         "munge: { domain = \"m.example\";\nsecrets_file = \"/no/such\"; };", "masq.conf:2: /no/such",                    false},
        {"bad_domain",
         "munge: { domain = \"m..example\"; secrets_file = \"/no/such\"; };", "munge.domain: no valid domain",            false},
        {"bad_suffix",
         "munge: { domain = \"m.example\"; secrets_file = \"/no/such\"; "
         "phrase_suffix = \"a\\nb\"; };",                                     "munge.phrase_suffix: control bytes in it", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_conf c;
        const struct masq_munge *munge = NULL;
        masq_conf_begin(&c, cases[i].text);
        bool is_good = cases[i].want[0] == '\0';
        unit_assert_int(cases[i].label,
                        masq_munge_new(&c.settings, &c.build, &munge),
                        is_good ? MFX_OK : MFX_PERMFAIL);
        assert_null(munge);
        struct mfx_str said = conf_files_problems(&c.t.files, &c.t.problems);
        if (!is_good && strstr(said.p, cases[i].want) == NULL)
            fail_msg("%s: %.*s", cases[i].label, MFX_STR_ARG(said));
        masq_conf_end(&c);
    }
}

/* Without memory no mail passes that should have been munged. */
static void
no_memory(void **state)
{
    struct site s;
    struct mfx_headers headers;
    struct masq_fields all;
    size_t passed = 0;
    (void)state;
    site_begin(&s, "phrase_suffix = \"via x\"; reply_to = true;");
    masq_header_read(&all, &headers, s.c.t.arena,
                     "From: Joe <joe@reject.example>\n");
    for (size_t budget = 1; budget < 60000; budget += 101) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        struct masq_fields fields;
        struct masq_munge_job job;
        struct masq_munge_answer answer;
        assert_non_null(arena);
        masq_fields_init(&fields, &headers, arena);
        masq_munge_begin(&job, s.munge, &s.c.env, &headers, arena);
        enum mfx_rc rc =
            masq_munge_finish(&job, s.store, &fields, &waiter, &answer, NULL);
        passed += rc == MFX_OK;
        if (rc == MFX_OK)
            assert_int_equal(answer.count, 1);
        else
            assert_int_equal(rc, MFX_TEMPFAIL);
        mfx_arena_free(arena);
    }
    assert_true(passed > 0);
    mfx_headers_fini(&headers);
    site_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making),      cmocka_unit_test(reading),
        cmocka_unit_test(authors),     cmocka_unit_test(dns_tempfail),
        cmocka_unit_test(asked_early), cmocka_unit_test(many_domains),
        cmocka_unit_test(replies),     cmocka_unit_test(there_and_back),
        cmocka_unit_test(which_mail),  cmocka_unit_test(bad_settings),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
