/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The examples of RFC 7208 9.1 and 9.2, RFC 8904 (in our order), and fields from
 * outside. Where lines are folded is not compared, but that they are. */
#include "unit.h"

#include <mfx/auth/spf_header.h>
#include <mfx/mail/header.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mfx_ip
ip_of(const char *text)
{
    struct mfx_ip ip = {0};
    if (text[0] != '\0')
        assert_int_equal(mfx_ip_parse(mfx_str_of(text), &ip), MFX_OK);
    return ip;
}

/* With one blank for each fold; no line has more than 78 columns. */
static void
assert_field(const char *label, struct mfx_str got, const char *want,
             struct mfx_arena *arena)
{
    char *flat = mfx_arena_alloc_bytes(arena, got.len);
    size_t n = 0, column = sizeof("Received-SPF:") - 1;
    assert_true(mfx_header_value_is_safe(got));
    for (size_t i = 0; i < got.len; i++) {
        column = got.p[i] == '\n' ? 0 : column + (got.p[i] == '\t' ? 8 : 1);
        if (column > 78)
            unit_assert_str(label, mfx_str_from(got, i), mfx_str_of(""));
        if (got.p[i] != '\n')
            flat[n++] = got.p[i] == '\t' ? ' ' : got.p[i];
    }
    unit_assert_str(label, mfx_str(flat, n), mfx_str_of(want));
}

struct sample {
    const char *label;
    enum mfx_spf_result result;
    enum mfx_spf_identity identity;
    const char *ip, *helo, *sender, *local, *domain, *mechanism, *problem;
    const char *received, *results;
};

static const struct sample samples[] = {
    {"rfc7208_9.1_pass",      MFX_SPF_PASS,      MFX_SPF_MAIL_FROM, "192.0.2.1",
     "foo.example.com",                                                                               "myname@example.com",        "myname",     "example.com",
     "ip4:192.0.2.1",                                                                                                                                                          "",
     " pass (mybox.example.org: domain of myname@example.com "
     "designates 192.0.2.1 as permitted sender) "
     "receiver=mybox.example.org; identity=mailfrom; "
     "client-ip=192.0.2.1; envelope-from=\"myname@example.com\"; "
     "helo=foo.example.com; mechanism=\"ip4:192.0.2.1\"",                                      " mybox.example.org; spf=pass smtp.mailfrom=myname@example.com"       },
    {"rfc7208_9.1_fail",      MFX_SPF_FAIL,      MFX_SPF_MAIL_FROM, "192.0.2.1",   "",
     "myname@example.com",                                                                                                         "myname",     "example.com",     "-all",    "",
     " fail (mybox.example.org: domain of myname@example.com does "
     "not designate 192.0.2.1 as permitted sender) "
     "receiver=mybox.example.org; identity=mailfrom; "
     "client-ip=192.0.2.1; envelope-from=\"myname@example.com\"; "
     "mechanism=-all",                                                                         " mybox.example.org; spf=fail smtp.mailfrom=myname@example.com"       },
    {"rfc7208_9.1_permerror", MFX_SPF_PERMERROR, MFX_SPF_MAIL_FROM, "192.0.2.1",
     "h.example",                                                                                     "myname@example.com",        "myname",     "example.com",     "",
     "2.3 mechanism",                                                                                                                                                                           " permerror (mybox.example.org: permanent error in processing "
     "domain of myname@example.com) receiver=mybox.example.org; "
     "identity=mailfrom; client-ip=192.0.2.1; "
     "envelope-from=\"myname@example.com\"; helo=h.example; "
     "problem=\"2.3 mechanism\"",                                         " mybox.example.org; spf=permerror reason=\"2.3 mechanism\" "
     "smtp.mailfrom=myname@example.com"                                                                        },
    {"helo",                  MFX_SPF_SOFTFAIL,  MFX_SPF_HELO,      "2001:db8::1", "foo.example.com",
     "myname@example.com",                                                                                                         "postmaster", "foo.example.com", "~all",    "",
     " softfail (mybox.example.org: transitioning domain of "
     "foo.example.com does not designate 2001:db8::1 as permitted "
     "sender) receiver=mybox.example.org; identity=helo; "
     "client-ip=\"2001:db8::1\"; helo=foo.example.com; mechanism=~all",                        " mybox.example.org; spf=softfail smtp.helo=foo.example.com"          },
    {"null_sender",           MFX_SPF_NEUTRAL,   MFX_SPF_MAIL_FROM, "192.0.2.1",
     "foo.example.com",                                                                               "",                          "postmaster", "foo.example.com", "default", "",
     " neutral (mybox.example.org: 192.0.2.1 is neither permitted "
     "nor denied by domain of postmaster@foo.example.com) "
     "receiver=mybox.example.org; identity=mailfrom; "
     "client-ip=192.0.2.1; envelope-from=\"<>\"; helo=foo.example.com; "
     "mechanism=default",                                                                      " mybox.example.org; spf=neutral "
     "smtp.mailfrom=postmaster@foo.example.com"                                                                                             },
    {"none",                  MFX_SPF_NONE,      MFX_SPF_MAIL_FROM, "192.0.2.1",   "h",               "a@b.example",
     "a",                                                                                                                                        "b.example",       "",        "no SPF record",
     " none (mybox.example.org: domain of a@b.example does not "
     "designate permitted sender hosts) receiver=mybox.example.org; "
     "identity=mailfrom; client-ip=192.0.2.1; "
     "envelope-from=\"a@b.example\"; helo=h",                                                  " mybox.example.org; spf=none reason=\"no SPF record\" "
     "smtp.mailfrom=a@b.example"                                                                                        },
    {"temperror",             MFX_SPF_TEMPERROR, MFX_SPF_HELO,      "192.0.2.1",   "h.example",       "",
     "postmaster",                                                                                                                               "h.example",       "",        "timeout",
     " temperror (mybox.example.org: temporary error in processing "
     "domain of h.example) receiver=mybox.example.org; identity=helo; "
     "client-ip=192.0.2.1; helo=h.example; problem=timeout",                                   " mybox.example.org; spf=temperror reason=\"timeout\" "
     "smtp.helo=h.example"                                                                               },
 /* from strangers */
    {"comment_cannot_end",    MFX_SPF_PASS,      MFX_SPF_MAIL_FROM, "192.0.2.1",   "h",
     "\") x\"@b.example",                                                                                                          "\") x\"",    "b.example",       "all",     "",
     " pass (mybox.example.org: domain of ???x?@b.example designates "
     "192.0.2.1 as permitted sender) receiver=mybox.example.org; "
     "identity=mailfrom; client-ip=192.0.2.1; "
     "envelope-from=\"\\\") x\\\"@b.example\"; helo=h; mechanism=all",                         " mybox.example.org; spf=pass smtp.mailfrom=b.example"                },
    {"no_second_result",      MFX_SPF_FAIL,      MFX_SPF_MAIL_FROM, "192.0.2.1",
     "; receiver=x",                                                                                  "\"; dkim=pass\"@b.example", "x",          "b.example",       "-all",    "",
     " fail (mybox.example.org: domain of x@b.example does not "
     "designate 192.0.2.1 as permitted sender) "
     "receiver=mybox.example.org; identity=mailfrom; "
     "client-ip=192.0.2.1; "
     "envelope-from=\"\\\"? dkim=pass\\\"@b.example\"; "
     "helo=\"? receiver=x\"; mechanism=-all",                                                  " mybox.example.org; spf=fail smtp.mailfrom=b.example"                },
    {"line_ends",             MFX_SPF_FAIL,      MFX_SPF_HELO,      "192.0.2.1",   "a\r\nX: y",       "",                          "",
     "",                                                                                                                                                            "-all",    "",
     " fail (mybox.example.org: domain of a??X:?y does not designate "
     "192.0.2.1 as permitted sender) receiver=mybox.example.org; "
     "identity=helo; client-ip=192.0.2.1; helo=\"a??X: y\"; mechanism=-all",                   " mybox.example.org; spf=fail smtp.helo=\"a??X: y\""                  },
    {"not_ascii",             MFX_SPF_PASS,      MFX_SPF_MAIL_FROM, "192.0.2.1",   "h",
     "j\xc3\xb6@b.example",                                                                                                        "j\xc3\xb6",  "b.example",       "all",     "",
     " pass (mybox.example.org: domain of j??@b.example designates "
     "192.0.2.1 as permitted sender) receiver=mybox.example.org; "
     "identity=mailfrom; client-ip=192.0.2.1; "
     "envelope-from=\"j??@b.example\"; helo=h; mechanism=all",                                 " mybox.example.org; spf=pass smtp.mailfrom=b.example"                },
    {"no_address",            MFX_SPF_NONE,      MFX_SPF_MAIL_FROM, "",            "",                "x",                         "",           "",                "",
     "the client has no IP address",                                                                                                                                                            " none (mybox.example.org: domain of x does not designate "
     "permitted sender hosts) receiver=mybox.example.org; "
     "identity=mailfrom; client-ip=none; envelope-from=x", " mybox.example.org; "
     "spf=none reason=\"the client has no IP address\" smtp.mailfrom=x"},
};

static struct mfx_str
authres_of(const struct mfx_spf_header *h, struct mfx_arena *arena)
{
    struct mfx_authres_writer w;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 10000);
    mfx_authres_begin(&w, &out, h->receiver, h->eai);
    mfx_spf_header_result(&w, h);
    mfx_authres_end(&w);
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

static void
written(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        const struct mfx_spf_outcome outcome = {
            .result = s->result,
            .identity = s->identity,
            .domain = mfx_str_of(s->domain),
            .local = mfx_str_of(s->local),
            .mechanism = mfx_str_of(s->mechanism),
            .problem = mfx_str_of(s->problem),
        };
        const struct mfx_spf_header h = {
            .outcome = &outcome,
            .client_ip = ip_of(s->ip),
            .helo = mfx_str_of(s->helo),
            .sender = mfx_str_of(s->sender),
            .receiver = mfx_str_of("mybox.example.org"),
        };
        struct mfx_str value = {0};
        unit_assert_int(s->label, mfx_spf_header_received(&h, arena, &value),
                        MFX_OK);
        assert_field(s->label, value, s->received, arena);
        assert_field(s->label, authres_of(&h, arena), s->results, arena);
    }
    mfx_arena_free(arena);
}

static void
eai(void **state)
{
    static const struct mfx_spf_outcome outcome = {
        .result = MFX_SPF_PASS,
        .identity = MFX_SPF_MAIL_FROM,
        .domain = MFX_STR("xn--bcher-kva.example"),
        .local = MFX_STR("j\xc3\xb6"),
        .mechanism = MFX_STR("all"),
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct mfx_spf_header h = {
        .outcome = &outcome,
        .client_ip = ip_of("192.0.2.1"),
        .helo = mfx_str_of("h\xff"),
        .sender = mfx_str_of("j\xc3\xb6@b\xc3\xbc"
                             "cher.example"),
        .receiver = mfx_str_of("m"),
        .eai = true,
    };
    struct mfx_str value = {0};
    (void)state;
    assert_int_equal(mfx_spf_header_received(&h, arena, &value), MFX_OK);
    assert_field("received", value,
                 " pass (m: domain of j\xc3\xb6@xn--bcher-"
                 "kva.example designates "
                 "192.0.2.1 as permitted sender) receiver=m; "
                 "identity=mailfrom; "
                 "client-ip=192.0.2.1; envelope-from=\"j\xc3"
                 "\xb6@b\xc3\xbc"
                 "cher.example\"; "
                 "helo=\"h?\"; mechanism=all",
                 arena);
    assert_field("results", authres_of(&h, arena),
                 " m; spf=pass smtp.mailfrom=j\xc3\xb6@b"
                 "\xc3\xbc"
                 "cher.example",
                 arena);
    mfx_arena_free(arena);
}

/* Nothing longer than a line may be, and no memory is enough. */
static void
limits(void **state)
{
    static char long_text[20000];
    struct mfx_arena *arena = mfx_arena_new(0), *small = mfx_arena_new(1000);
    struct mfx_str text = mfx_str(long_text, sizeof long_text), value, line;
    memset(long_text, '"', sizeof long_text);
    const struct mfx_spf_outcome outcome = {
        .result = MFX_SPF_FAIL,
        .identity = MFX_SPF_MAIL_FROM,
        .domain = text,
        .local = text,
        .mechanism = text,
        .problem = text,
    };
    const struct mfx_spf_header h = {
        .outcome = &outcome,
        .helo = text,
        .sender = text,
        .receiver = text,
    };
    (void)state;
    assert_int_equal(mfx_spf_header_received(&h, arena, &value), MFX_OK);
    assert_true(mfx_header_value_is_safe(value));
    while (mfx_str_cut(&value, '\n', &line))
        assert_in_range(line.len, 1, 998);
    assert_int_equal(mfx_spf_header_received(&h, small, &value), MFX_TEMPFAIL);
    mfx_arena_free(arena);
    mfx_arena_free(small);
}

/* RFC 8904 2: mta.example.org, list.dnswl.example. */
static void
dnswl(void **state)
{
    const struct mfx_ip ips[] = {ip_of("127.0.10.1"), ip_of("127.0.10.2")};
    static const struct mfx_str txt =
        MFX_STR("fwd.example https://dnswl.example/?d=fwd.example");
    const struct {
        const char *label;
        struct mfx_dnswl dnswl;
        const char *want;
    } cases[] = {
        {"rfc8904_example",
         {.result = MFX_DNSWL_PASS,
          .sec = MFX_DNSWL_SEC_NA,
          .zone = MFX_STR("list.dnswl.example"),
          .ips = ips,
          .ip_count = 1,
          .txt = txt},
         " m; dnswl=pass dns.zone=list.dnswl.example dns.sec=na "
         "policy.ip=127.0.10.1 "
         "policy.txt=\"fwd.example https://dnswl.example/?d=fwd.example\""},
        {"two_addresses",
         {.result = MFX_DNSWL_PASS,
          .sec = MFX_DNSWL_SEC_YES,
          .zone = MFX_STR("l.example"),
          .ips = ips,
          .ip_count = 2,
          .txt = MFX_STR("a; spf=pass")},
         " m; dnswl=pass dns.zone=l.example dns.sec=yes "
         "policy.ip=\"127.0.10.1,127.0.10.2\" policy.txt=\"a? spf=pass\"" },
        {"none",
         {.result = MFX_DNSWL_NONE,
          .sec = MFX_DNSWL_SEC_NO,
          .zone = MFX_STR("l.example"),
          .ips = ips,
          .ip_count = 1},
         " m; dnswl=none dns.zone=l.example dns.sec=no"                   },
        {"temperror",
         {.result = MFX_DNSWL_TEMPERROR,
          .sec = MFX_DNSWL_SEC_NA,
          .zone = MFX_STR("l.example")},
         " m; dnswl=temperror dns.zone=l.example dns.sec=na"              },
        {"permerror",
         {.result = MFX_DNSWL_PERMERROR,
          .sec = MFX_DNSWL_SEC_NA,
          .zone = MFX_STR("l.example")},
         " m; dnswl=permerror dns.zone=l.example dns.sec=na"              },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_authres_writer w;
        struct mfx_buf out;
        mfx_buf_init_arena(&out, arena, 10000);
        mfx_authres_begin(&w, &out, mfx_str_of("m"), false);
        mfx_spf_header_dnswl(&w, &cases[i].dnswl);
        mfx_authres_end(&w);
        assert_field(cases[i].label, mfx_buf_str(&out), cases[i].want, arena);
    }
    mfx_arena_free(arena);
}

static bool
is_mx(struct mfx_str name, void *arg)
{
    (void)arg;
    return mfx_authres_claims_id(name, mfx_str_of("mx.example.org"));
}

static void
claims(void **state)
{
    static const struct {
        const char *label, *value;
        bool want;
    } cases[] = {
        {"receiver",        " pass (x) receiver=mx.example.org; helo=a",                true },
        {"receiver_last",
         " pass client-ip=192.0.2.1; receiver=MX.example.org.;",                        true },
        {"quoted",          " pass receiver=\"mx.ex\\ample.org\"",                      true },
        {"comments_around", " pass RECEIVER (a) = (b) mx.example.org (c)",
         true                                                                                },
        {"second_receiver", " pass receiver=a.example; receiver=mx.example.org",
         true                                                                                },
        {"inside_quotes",
         " pass receiver=a.example; helo=\"; receiver=mx.example.org\"",                true },
        {"in_the_comment",
         " pass (; receiver=mx.example.org) receiver=a.example",                        true },
        {"comment_says_us",
         " pass (mx.example.org: domain of a@b) client-ip=192.0.2.1",                   true },
        {"both",            " pass (mx.example.org: domain of a@b) receiver=a.example",
         true                                                                                },
        {"nobody",          " pass (domain of a@b) client-ip=192.0.2.1",                true },
        {"nobody_at_all",   " pass",                                                    true },
        {"empty",           "",                                                         true },
        {"empty_receiver",  " pass receiver=; helo=mx.example.org",                     true },
        {"encoded",         " pass receiver==?utf-8?q?mx=2Eexample.org?=",              true },
        {"other",           " pass (x) receiver=a.example; helo=mx.example.org",        false},
        {"other_like_us",   " pass receiver=xmx.example.org",                           false},
        {"below_us",        " pass receiver=a.mx.example.org.example",                  false},
        {"google",
         " pass (google.com: domain of a@mx.example.org designates 192.0.2.1 as "
         "permitted sender) client-ip=192.0.2.1;",                                      false},
        {"sent_to_us",
         " pass (a.example: domain of b@mx.example.org designates 192.0.2.1) "
         "receiver=a.example; envelope-from=\"b@mx.example.org\"",                      false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        unit_assert_int(
            cases[i].label,
            mfx_spf_header_claims(mfx_str_of(cases[i].value), is_mx, NULL),
            cases[i].want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written), cmocka_unit_test(eai),
        cmocka_unit_test(limits),  cmocka_unit_test(dnswl),
        cmocka_unit_test(claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
