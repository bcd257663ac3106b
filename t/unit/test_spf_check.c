/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records of our own in a zone of our own; each check is made with and without
 * looking ahead, and with answers in several orders: the outcome is the same.
 */
#include "unit.h"

#include "spf_weather.h"

static const struct weather_way {
    const char *name;
    enum weather_order order;
    bool lookahead;
} ways[] = {
    {"at once",             WEATHER_AT_ONCE, true },
    {"at once, one by one", WEATHER_AT_ONCE, false},
    {"first first",         WEATHER_FIRST,   true },
    {"last first",          WEATHER_LAST,    true },
    {"any",                 WEATHER_RANDOM,  true },
    {"one by one",          WEATHER_FIRST,   false},
};

#define L61      "a234567890b234567890c234567890d234567890e234567890f23456789-1"
#define LONGNAME "a:%{d1}.%{l}.%{l}.%{l}.%{l}.%{l}.%{l}.mx1.example"

static const char zone[] =
    /* clients */
    "mx1.example TXT \"v=spf1 a -all\"\n"
    "mx1.example A 192.0.2.1\n"
    "mx1.example AAAA 2001:db8::1\n"
    "1.2.0.192.in-addr.arpa PTR mx1.example\n"
    "1.2.0.192.in-addr.arpa PTR mx1.sub.names.example\n"
    "1.2.0.192.in-addr.arpa PTR forged.example\n"
    "mx1.sub.names.example A 192.0.2.1\n"
    "forged.example A 192.0.2.200\n"
    "9.2.0.192.in-addr.arpa PTR !servfail\n"
    /* records */
    "pass.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
    "fail.example TXT \"v=spf1 -all\"\n"
    "soft.example TXT \"v=spf1 ip4:198.51.100.1 ~all\"\n"
    "neutral.example TXT \"v=spf1 ?all\"\n"
    "empty.example TXT \"v=spf1\"\n"
    "joined.example TXT \"v=spf1 ip4:192.\" \"0.2.1 -all\"\n"
    "other.example TXT \"google-site-verification=x\"\n"
    "beside.example TXT \"x\"\n"
    "beside.example TXT \"v=spf1 +all\"\n"
    "beside.example TXT \"v=spf10 -all\"\n"
    "two.example TXT \"v=spf1 +all\"\n"
    "two.example TXT \"V=SPF1 -all\"\n"
    "broken.example TXT \"v=spf1 +all moo\"\n"
    "lame.example TXT !servfail\n"
    "late.example TXT !timeout\n"
    "garbled.example TXT !malformed\n"
    "nodata.example TXT !nodata\n"
    "xn--bcher-kva.example TXT \"v=spf1 exists:%{d}.yes.example -all\"\n"
    "xn--bcher-kva.example.yes.example A 127.0.0.2\n"
    /* a */
    "a.example TXT \"v=spf1 a:mx1.example -all\"\n"
    "a24.example TXT \"v=spf1 a:net.example/24//64 -all\"\n"
    "net.example A 192.0.2.77\n"
    "net.example AAAA 2001:db8::ffff\n"
    "a31.example TXT \"v=spf1 a:net.example/31//127 -all\"\n"
    "a0.example TXT \"v=spf1 a:net.example/0 -all\"\n"
    "alame.example TXT \"v=spf1 a:down.example +all\"\n"
    "down.example A !servfail\n"
    "down.example AAAA !timeout\n"
    "down.example MX !malformed\n"
    "down.example TXT !servfail\n"
    "behind.example TXT \"v=spf1 ip4:192.0.2.1 a:down.example -all\"\n"
    /* mx */
    "mx.example TXT \"v=spf1 mx -all\"\n"
    "mx.example MX 10 h1.example\n"
    "mx.example MX 5 mx1.example\n"
    "h1.example A 192.0.2.9\n"
    "mxlame.example TXT \"v=spf1 mx -all\"\n"
    "mxlame.example MX 10 down.example\n"
    "mxlame.example MX 20 mx1.example\n"
    "mxdown.example TXT \"v=spf1 mx:down.example -all\"\n"
    "mxnull.example TXT \"v=spf1 mx -all\"\n"
    "mxnull.example MX 0 .\n"
    "mxvoid.example TXT \"v=spf1 mx -all\"\n"
    "mxvoid.example MX 1 v1.example\n"
    "mxvoid.example MX 1 v2.example\n"
    "mxvoid.example MX 1 v3.example\n"
    "mxhalf.example TXT \"v=spf1 mx -all\"\n"
    "mxhalf.example MX 1 v1.example\n"
    "mxhalf.example MX 1 v2.example\n"
    "mxhalf.example MX 1 v3.example\n"
    "mxhalf.example MX 1 h1.example\n"
    /* ptr */
    "ptr.example TXT \"v=spf1 ptr:names.example -all\"\n"
    "ptrforged.example TXT \"v=spf1 ptr:forged.example -all\"\n"
    "ptrpart.example TXT \"v=spf1 ptr:ames.example -all\"\n"
    /* exists, macros */
    "exists.example TXT \"v=spf1 exists:%{l}.%{ir}.yes.example -all\"\n"
    "bob.1.2.0.192.yes.example A 127.0.0.2\n"
    "v6exists.example TXT \"v=spf1 exists:only6.example -all\"\n"
    "only6.example AAAA 2001:db8::1\n"
    "p.example TXT \"v=spf1 exists:%{p}.p.yes.example -all\"\n"
    "mx1.example.p.yes.example A 127.0.0.2\n"
    "psub.names.example TXT \"v=spf1 include:names.example -all\"\n"
    "names.example TXT \"v=spf1 exists:%{p}.sub.yes.example -all\"\n"
    "mx1.sub.names.example.sub.yes.example A 127.0.0.2\n"
    "pun.example TXT \"v=spf1 exists:%{p}.un.yes.example -all\"\n"
    "unknown.un.yes.example A 127.0.0.2\n"
    "longname.example TXT \"v=spf1 " LONGNAME " -all\"\n" L61 "." L61 "." L61
    ".mx1.example A 192.0.2.1\n"
    "local.example TXT \"v=spf1 -include:%{l}.x.example "
    "-exists:%{l}.yes.example ip4:192.0.2.1 -all\"\n"
    "badlabel.example TXT \"v=spf1 a:%{l}.mx1.example ?all\"\n"
    "badinclude.example TXT \"v=spf1 include:%{l}.mx1.example ?all\"\n"
    /* include */
    "inc.example TXT \"v=spf1 include:pass.example -all\"\n"
    "incfail.example TXT \"v=spf1 include:fail.example ~all\"\n"
    "incminus.example TXT \"v=spf1 -include:pass.example +all\"\n"
    "incnone.example TXT \"v=spf1 include:nowhere.example +all\"\n"
    "incother.example TXT \"v=spf1 include:other.example +all\"\n"
    "inclame.example TXT \"v=spf1 include:lame.example +all\"\n"
    "incbroken.example TXT \"v=spf1 include:broken.example +all\"\n"
    "incempty.example TXT \"v=spf1 include:empty.example -all\"\n"
    "deep.example TXT \"v=spf1 ?include:inc.example -all\"\n"
    "incloop.example TXT \"v=spf1 include:incloop.example -all\"\n"
    "incredir.example TXT \"v=spf1 include:redir.example -all\"\n"
    /* redirect */
    "redir.example TXT \"v=spf1 redirect=pass.example\"\n"
    "redirall.example TXT \"v=spf1 redirect=pass.example ~all\"\n"
    "redirnone.example TXT \"v=spf1 redirect=nowhere.example\"\n"
    "redirmatch.example TXT \"v=spf1 redirect=fail.example ip4:192.0.2.1\"\n"
    "redirloop.example TXT \"v=spf1 redirect=redirloop.example\"\n"
    "redira.example TXT \"v=spf1 redirect=mx1.example\"\n"
    /* limits */
    "ten.example TXT \"v=spf1 a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:mx1.example -all\"\n"
    "eleven.example TXT \"v=spf1 a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example a:h1.example a:h1.example a:h1.example "
    "a:h1.example include:fail.example a:mx1.example -all\"\n"
    "tenip.example TXT \"v=spf1 a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example ip4:192.0.2.1 a:h1.example -all\"\n"
    "redir11.example TXT \"v=spf1 a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example a:h1.example a:h1.example a:h1.example "
    "a:h1.example a:h1.example redirect=pass.example\"\n"
    "voids2.example TXT \"v=spf1 a:v1.example exists:v2.example ~all\"\n"
    "voids3.example TXT \"v=spf1 a:v1.example mx:v2.example exists:v3.example "
    "ip4:192.0.2.1 ~all\"\n"
    "voidsinc.example TXT \"v=spf1 include:voids2.example a:v4.example ~all\"\n"
    "voidfirst.example TXT \"v=spf1 a:v1.example a:v1.example ip4:192.0.2.1 "
    "a:v1.example -all\"\n"
    /* explanations */
    "exp.example TXT \"v=spf1 exp=why.example -all\"\n"
    "why.example TXT \"%{i} may not send for %{d}, %{s}.\"\n"
    "expjoined.example TXT \"v=spf1 -all exp=joined.why.example\"\n"
    "joined.why.example TXT \"one \" \"two\"\n"
    "exptwo.example TXT \"v=spf1 -all exp=two.why.example\"\n"
    "two.why.example TXT \"one\"\n"
    "two.why.example TXT \"two\"\n"
    "expnone.example TXT \"v=spf1 -all exp=nowhere.example\"\n"
    "explame.example TXT \"v=spf1 -all exp=lame.example\"\n"
    "exp8bit.example TXT \"v=spf1 -all exp=eight.why.example\"\n"
    "eight.why.example TXT \"na\\195\\175ve\"\n"
    "expcrlf.example TXT \"v=spf1 -all exp=crlf.why.example\"\n"
    "crlf.why.example TXT \"a\\013\\010b\"\n"
    "expnul.example TXT \"v=spf1 -all exp=nul.why.example\"\n"
    "nul.why.example TXT \"a\\000b\"\n"
    "expsyntax.example TXT \"v=spf1 -all exp=syntax.why.example\"\n"
    "syntax.why.example TXT \"100% bad\"\n"
    "expp.example TXT \"v=spf1 -all exp=p.why.example\"\n"
    "p.why.example TXT \"you are %{p}\"\n"
    "exppname.example TXT \"v=spf1 -all exp=%{p}.why.example\"\n"
    "mx1.example.why.example TXT \"by name\"\n"
    "exphelo.example TXT \"v=spf1 -all exp=h.why.example\"\n"
    "h.why.example TXT \"%{h} %{H} %{r} %{t} %{c}\"\n"
    "explong.example TXT \"v=spf1 -all exp=long.why.example\"\n"
    "long.why.example TXT \"%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}"
    "%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}\"\n"
    "expinc.example TXT \"v=spf1 -include:pass.example exp=why.example\"\n"
    "expincludes.example TXT \"v=spf1 include:exp.example -all\"\n"
    "expredir.example TXT \"v=spf1 redirect=exp.example exp=p.why.example\"\n"
    "expsoft.example TXT \"v=spf1 ~all exp=why.example\"\n";

struct row {
    const char *label, *ip, *helo, *sender;
    enum mfx_spf_result result;
    unsigned lookups, voids;
    const char *mechanism, *explanation;
};

/* Each question has one step. */
static size_t
questions_of(const struct mfx_spf_outcome *outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome->step_count; i++) {
        assert_in_range(outcome->steps[i].took_ms, 0, 1000);
        count += outcome->steps[i].type != 0 ? 1 : 0;
    }
    return count;
}

static void
check_way(const struct row *row, const struct weather_way *way)
{
    static struct weather w;
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = {
        .helo = mfx_str_of(row->helo),
        .identity = row->sender == NULL ? MFX_SPF_HELO : MFX_SPF_MAIL_FROM,
        .sender = mfx_str_of(row->sender),
        .receiver = mfx_str_of("we.example")};
    struct mfx_arena *arena = mfx_arena_new(0);
    char label[200];
    (void)snprintf(label, sizeof label, "%s (%s)", row->label, way->name);
    assert_int_equal(mfx_ip_parse(mfx_str_of(row->ip), &request.ip), MFX_OK);
    weather_init(&w, mfx_str_of(zone));
    w.order = way->order;
    config.lookahead = way->lookahead;
    config.wants_trace = way->order != WEATHER_FIRST;
    const struct mfx_spf_outcome *got =
        weather_run(&w, arena, &config, &request);
    unit_assert_str(label, mfx_str_of(mfx_spf_result_name(got->result)),
                    mfx_str_of(mfx_spf_result_name(row->result)));
    unit_assert_int(label, got->lookups, row->lookups);
    unit_assert_int(label, got->voids, row->voids);
    unit_assert_str(label, got->mechanism, mfx_str_of(row->mechanism));
    unit_assert_str(label, got->explanation, mfx_str_of(row->explanation));
    unit_assert_int(label, got->queries, w.asked);
    unit_assert_int(label, questions_of(got),
                    config.wants_trace ? got->queries : 0);
    bool is_error = got->mechanism.len == 0;
    unit_assert_int(label, got->problem.len > 0, is_error);
    weather_fini(&w);
    mfx_arena_free(arena);
}

static void
check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++)
            check_way(&rows[i], &ways[k]);
}

#define ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])
#define H          "mail.example.net"
#define C          "192.0.2.1"
#define D          "192.0.2.5"

static void
records(void **state)
{
    static const struct row rows[] = {
        {"pass",          C, H, "a@pass.example",    MFX_SPF_PASS,      0, 0, "ip4:192.0.2.0/24",
         ""                                                                                         },
        {"fail",          C, H, "a@fail.example",    MFX_SPF_FAIL,      0, 0, "-all",             ""},
        {"softfail",      C, H, "a@soft.example",    MFX_SPF_SOFTFAIL,  0, 0, "~all",
         ""                                                                                         },
        {"neutral",       C, H, "a@neutral.example", MFX_SPF_NEUTRAL,   0, 0, "?all",
         ""                                                                                         },
        {"default",       C, H, "a@empty.example",   MFX_SPF_NEUTRAL,   0, 0, "default",
         ""                                                                                         },
        {"joined",        C, H, "a@joined.example",  MFX_SPF_PASS,      0, 0,
         "ip4:192.0.2.1",                                                                         ""},
        {"other_txt",     C, H, "a@other.example",   MFX_SPF_NONE,      0, 0, "",                 ""},
        {"beside_others", C, H, "a@beside.example",  MFX_SPF_PASS,      0, 0, "+all",
         ""                                                                                         },
        {"two",           C, H, "a@two.example",     MFX_SPF_PERMERROR, 0, 0, "",                 ""},
        {"broken",        C, H, "a@broken.example",  MFX_SPF_PERMERROR, 0, 0, "",                 ""},
        {"nxdomain",      C, H, "a@nowhere.example", MFX_SPF_NONE,      0, 0, "",                 ""},
        {"nodata",        C, H, "a@nodata.example",  MFX_SPF_NONE,      0, 0, "",                 ""},
        {"servfail",      C, H, "a@lame.example",    MFX_SPF_TEMPERROR, 0, 0, "",                 ""},
        {"timeout",       C, H, "a@late.example",    MFX_SPF_TEMPERROR, 0, 0, "",                 ""},
        {"garbled",       C, H, "a@garbled.example", MFX_SPF_TEMPERROR, 0, 0, "",                 ""},
    };
    (void)state;
    ROWS(rows);
}

static void
subjects(void **state)
{
    static const struct row rows[] = {
        {"null_sender",    C,                  "fail.example",       "",                 MFX_SPF_FAIL, 0, 0, "-all",                    ""},
        {"helo",           C,                  "fail.example",       NULL,               MFX_SPF_FAIL, 0, 0, "-all",                    ""},
        {"case",           C,                  H,                    "a@FAIL.Example",   MFX_SPF_FAIL, 0, 0, "-all",                    ""},
        {"final_dot",      C,                  H,                    "a@fail.example.",  MFX_SPF_FAIL, 0, 0, "-all",                    ""},
        {"two_ats",        C,                  H,                    "a@b@fail.example", MFX_SPF_FAIL, 0, 0, "-all",                    ""},
        {"no_at",          C,                  H,                    "exp.example",      MFX_SPF_FAIL, 0, 0, "-all",
         "192.0.2.1 may not send for exp.example, postmaster@exp.example."                                                                },
        {"empty_local",    C,                  H,                    "@exp.example",     MFX_SPF_FAIL, 0, 0, "-all",
         "192.0.2.1 may not send for exp.example, postmaster@exp.example."                                                                },
        {"mapped",         "::ffff:192.0.2.1", H,                    "a@joined.example", MFX_SPF_PASS, 0,
         0,                                                                                                  "ip4:192.0.2.1",           ""},
        {"u_label",        C,                  H,
         "a@b\xC3\xBC"
         "cher.example",                                                                 MFX_SPF_PASS, 1, 0, "exists:%{d}.yes.example", ""},
        {"u_label_helo",   C,
         "B\xC3\x9C"
         "CHER.example",                                             NULL,               MFX_SPF_PASS, 1, 0, "exists:%{d}.yes.example", ""},
        {"not_utf8",       C,                  H,
         "a@b\xFC"
         "cher.example",                                                                 MFX_SPF_NONE, 0, 0, "",                        ""},
        {"one_label",      C,                  H,                    "a@localhost",      MFX_SPF_NONE, 0, 0, "",                        ""},
        {"one_label_dot",  C,                  H,                    "a@localhost.",     MFX_SPF_NONE, 0, 0, "",                        ""},
        {"literal",        C,                  H,                    "a@[192.0.2.1]",    MFX_SPF_NONE, 0, 0, "",                        ""},
        {"literal_v6",     C,                  "[IPv6:2001:db8::1]", "",                 MFX_SPF_NONE, 0, 0, "",                        ""},
        {"bare_ip",        C,                  "192.0.2.1",          NULL,               MFX_SPF_NONE, 0, 0, "",                        ""},
        {"empty_label",    C,                  H,                    "a@fail..example",  MFX_SPF_NONE, 0, 0, "",                        ""},
        {"empty_first",    C,                  H,                    "a@.fail.example",  MFX_SPF_NONE, 0, 0, "",                        ""},
        {"two_final_dots", C,                  H,                    "a@fail.example..", MFX_SPF_NONE, 0, 0, "",
         ""                                                                                                                               },
        {"blank",          C,                  H,                    "a@fail .example",  MFX_SPF_NONE, 0, 0, "",                        ""},
        {"no_helo",        C,                  "",                   "",                 MFX_SPF_NONE, 0, 0, "",                        ""},
        {"empty_domain",   C,                  H,                    "a@",               MFX_SPF_NONE, 0, 0, "",                        ""},
        {"long_label",     C,                  H,
         "a@a1234567890123456789012345678901234567890123456789012345678901234."
         "example",                                                                      MFX_SPF_NONE, 0, 0, "",                        ""},
        {"eai_local",      C,                  H,
         "b\xC3\xBC"
         "b@local.example",                                                              MFX_SPF_PASS, 2, 0, "ip4:192.0.2.1",           ""},
        {"eai_explained",  C,                  H,
         "b\xC3\xBC"
         "b@exp.example",                                                                MFX_SPF_FAIL, 0, 0, "-all",                    ""},
    };
    (void)state;
    ROWS(rows);
}

static void
hosts(void **state)
{
    static const struct row rows[] = {
        {"a",                     C,                 H, "a@a.example",           MFX_SPF_PASS,      1, 0, "a:mx1.example",     ""},
        {"a_v6",                  "2001:db8::1",     H, "a@a.example",           MFX_SPF_PASS,      1, 0,
         "a:mx1.example",                                                                                                      ""},
        {"a_not",                 D,                 H, "a@a.example",           MFX_SPF_FAIL,      1, 0, "-all",              ""},
        {"a_24",                  D,                 H, "a@a24.example",         MFX_SPF_PASS,      1, 0,
         "a:net.example/24//64",                                                                                               ""},
        {"a_64",                  "2001:db8::2:1",   H, "a@a24.example",         MFX_SPF_PASS,      1, 0,
         "a:net.example/24//64",                                                                                               ""},
        {"a_64_not",              "2001:db8:0:1::1", H, "a@a24.example",         MFX_SPF_FAIL,      1, 0,
         "-all",                                                                                                               ""},
        {"a_31",                  "192.0.2.76",      H, "a@a31.example",         MFX_SPF_PASS,      1, 0,
         "a:net.example/31//127",                                                                                              ""},
        {"a_31_not",              "192.0.2.78",      H, "a@a31.example",         MFX_SPF_FAIL,      1, 0,
         "-all",                                                                                                               ""},
        {"a_127",                 "2001:db8::fffe",  H, "a@a31.example",         MFX_SPF_PASS,      1, 0,
         "a:net.example/31//127",                                                                                              ""},
        {"a_0",                   "203.0.113.1",     H, "a@a0.example",          MFX_SPF_PASS,      1, 0,
         "a:net.example/0",                                                                                                    ""},
        {"a_0_v6",                "2001:db8::1",     H, "a@a0.example",          MFX_SPF_FAIL,      1, 0, "-all",
         ""                                                                                                                      },
        {"a_servfail",            C,                 H, "a@alame.example",       MFX_SPF_TEMPERROR, 1, 0, "",
         ""                                                                                                                      },
        {"a_timeout",             "2001:db8::1",     H, "a@alame.example",       MFX_SPF_TEMPERROR, 1,
         0,                                                                                               "",                  ""},
        {"error_behind_match",    C,                 H, "a@behind.example",      MFX_SPF_PASS,      0, 0,
         "ip4:192.0.2.1",                                                                                                      ""},
        {"mx",                    C,                 H, "a@mx.example",          MFX_SPF_PASS,      1, 0, "mx",                ""},
        {"mx_not",                D,                 H, "a@mx.example",          MFX_SPF_FAIL,      1, 0, "-all",              ""},
        {"mx_v6",                 "2001:db8::1",     H, "a@mx.example",          MFX_SPF_PASS,      1, 0, "mx",
         ""                                                                                                                      },
        {"mx_no_a",               D,                 H, "a@mxnull.example",      MFX_SPF_FAIL,      1, 0, "-all",              ""},
        {"mx_error_beside_match", C,                 H, "a@mxlame.example",      MFX_SPF_PASS,      1, 0,
         "mx",                                                                                                                 ""},
        {"mx_error",              D,                 H, "a@mxlame.example",      MFX_SPF_TEMPERROR, 1, 0, "",                  ""},
        {"mx_malformed",          C,                 H, "a@mxdown.example",      MFX_SPF_TEMPERROR, 1, 0, "",
         ""                                                                                                                      },
        {"mx_all_void",           C,                 H, "a@mxvoid.example",      MFX_SPF_FAIL,      1, 1, "-all",
         ""                                                                                                                      },
        {"mx_some_void",          C,                 H, "a@mxhalf.example",      MFX_SPF_FAIL,      1, 0, "-all",
         ""                                                                                                                      },
        {"ptr",                   C,                 H, "a@ptr.example",         MFX_SPF_PASS,      1, 0, "ptr:names.example",
         ""                                                                                                                      },
        {"ptr_forged",            C,                 H, "a@ptrforged.example",   MFX_SPF_FAIL,      1, 0, "-all",
         ""                                                                                                                      },
        {"ptr_no_label",          C,                 H, "a@ptrpart.example",     MFX_SPF_FAIL,      1, 0, "-all",
         ""                                                                                                                      },
        {"ptr_void",              D,                 H, "a@ptr.example",         MFX_SPF_FAIL,      1, 1, "-all",              ""},
        {"ptr_servfail",          "192.0.2.9",       H, "a@ptr.example",         MFX_SPF_FAIL,      1, 0,
         "-all",                                                                                                               ""},
        {"exists",                C,                 H, "bob@exists.example",    MFX_SPF_PASS,      1, 0,
         "exists:%{l}.%{ir}.yes.example",                                                                                      ""},
        {"exists_not",            C,                 H, "eve@exists.example",    MFX_SPF_FAIL,      1, 1, "-all",
         ""                                                                                                                      },
        {"exists_only_a",         "2001:db8::1",     H, "a@v6exists.example",    MFX_SPF_FAIL,
         1,                                                                                            1, "-all",              ""},
        {"p",                     C,                 H, "a@p.example",           MFX_SPF_PASS,      1, 0,
         "exists:%{p}.p.yes.example",                                                                                          ""},
        {"p_of_the_domain",       C,                 H, "a@psub.names.example",  MFX_SPF_PASS,      2, 0,
         "include:names.example",                                                                                              ""},
        {"p_unknown",             D,                 H, "a@pun.example",         MFX_SPF_PASS,      1, 0,
         "exists:%{p}.un.yes.example",                                                                                         ""},
        {"p_servfail",            "192.0.2.9",       H, "a@pun.example",         MFX_SPF_PASS,      1, 0,
         "exists:%{p}.un.yes.example",                                                                                         ""},
        {"name_cut_on_the_left",  C,                 H, L61 "@longname.example", MFX_SPF_PASS,      1,
         0,                                                                                               LONGNAME,            ""},
        {"unfit_label",           C,                 H,
         "a12345678901234567890123456789012345678901234567890123456789012345"
         "@badlabel.example",                                                    MFX_SPF_NEUTRAL,   1, 0, "?all",              ""},
        {"unfit_include",         C,                 H,
         "a12345678901234567890123456789012345678901234567890123456789012345"
         "@badinclude.example",                                                  MFX_SPF_PERMERROR, 1, 0, "",                  ""},
    };
    (void)state;
    ROWS(rows);
}

static void
other_records(void **state)
{
    static const struct row rows[] = {
        {"include",                 C, H, "a@inc.example",        MFX_SPF_PASS,      1,  0,
         "include:pass.example",                                                                             ""},
        {"include_fail",            C, H, "a@incfail.example",    MFX_SPF_SOFTFAIL,  1,  0,
         "~all",                                                                                             ""},
        {"include_minus",           C, H, "a@incminus.example",   MFX_SPF_FAIL,      1,  0,
         "-include:pass.example",                                                                            ""},
        {"include_none",            C, H, "a@incnone.example",    MFX_SPF_PERMERROR, 1,  0, "",
         ""                                                                                                    },
        {"include_other",           C, H, "a@incother.example",   MFX_SPF_PERMERROR, 1,  0,
         "",                                                                                                 ""},
        {"include_lame",            C, H, "a@inclame.example",    MFX_SPF_TEMPERROR, 1,  0, "",
         ""                                                                                                    },
        {"include_broken",          C, H, "a@incbroken.example",  MFX_SPF_PERMERROR, 1,  0,
         "",                                                                                                 ""},
        {"include_empty",           C, H, "a@incempty.example",   MFX_SPF_FAIL,      1,  0,
         "-all",                                                                                             ""},
        {"include_twice",           C, H, "a@deep.example",       MFX_SPF_NEUTRAL,   2,  0,
         "?include:inc.example",                                                                             ""},
        {"include_loop",            C, H, "a@incloop.example",    MFX_SPF_PERMERROR, 10, 0,
         "",                                                                                                 ""},
        {"include_redirect",        C, H, "a@incredir.example",   MFX_SPF_PASS,      2,  0,
         "include:redir.example",                                                                            ""},
        {"redirect",                C, H, "a@redir.example",      MFX_SPF_PASS,      1,  0,
         "ip4:192.0.2.0/24",                                                                                 ""},
        {"redirect_and_all",        C, H, "a@redirall.example",   MFX_SPF_SOFTFAIL,  0,  0,
         "~all",                                                                                             ""},
        {"redirect_none",           C, H, "a@redirnone.example",  MFX_SPF_PERMERROR, 1,  0,
         "",                                                                                                 ""},
        {"redirect_not_needed",     C, H, "a@redirmatch.example", MFX_SPF_PASS,      0,
         0,                                                                                 "ip4:192.0.2.1", ""},
        {"redirect_loop",           C, H, "a@redirloop.example",  MFX_SPF_PERMERROR, 10, 0,
         "",                                                                                                 ""},
        {"redirect_changes_domain", C, H, "a@redira.example",     MFX_SPF_PASS,      2,
         0,                                                                                 "a",             ""},
    };
    (void)state;
    ROWS(rows);
}

static void
limits(void **state)
{
    static const struct row rows[] = {
        {"ten",                     C, H, "a@ten.example",       MFX_SPF_PASS,      10, 0, "a:mx1.example",
         ""                                                                                                   },
        {"eleven",                  C, H, "a@eleven.example",    MFX_SPF_PERMERROR, 10, 0, "",              ""},
        {"match_before_eleven",     C, H, "a@tenip.example",     MFX_SPF_PASS,      10, 0,
         "ip4:192.0.2.1",                                                                                   ""},
        {"redirect_is_eleventh",    C, H, "a@redir11.example",   MFX_SPF_PERMERROR,
         10,                                                                            0, "",              ""},
        {"two_voids",               C, H, "a@voids2.example",    MFX_SPF_SOFTFAIL,  2,  2, "~all",
         ""                                                                                                   },
        {"three_voids",             C, H, "a@voids3.example",    MFX_SPF_PERMERROR, 3,  3, "",
         ""                                                                                                   },
        {"voids_of_includes",       C, H, "a@voidsinc.example",  MFX_SPF_PERMERROR, 4,
         3,                                                                                "",              ""},
        {"match_before_third_void", C, H, "a@voidfirst.example", MFX_SPF_PASS,
         2,                                                                             2, "ip4:192.0.2.1", ""},
    };
    (void)state;
    ROWS(rows);
}

static void
explanations(void **state)
{
#define L50  "a234567890b234567890c234567890d234567890e234567890"
#define LONG L50 "@explong.example"
    static const struct row rows[] = {
        {"macros",             C,             H,        "bob@exp.example",       MFX_SPF_FAIL,     0, 0, "-all",
         "192.0.2.1 may not send for exp.example, bob@exp.example."                                                                                                            },
        {"joined",             C,             H,        "a@expjoined.example",   MFX_SPF_FAIL,     0, 0, "-all",
         "one two"                                                                                                                                                             },
        {"two",                C,             H,        "a@exptwo.example",      MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"none",               C,             H,        "a@expnone.example",     MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"servfail",           C,             H,        "a@explame.example",     MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"eight_bit",          C,             H,        "a@exp8bit.example",     MFX_SPF_FAIL,     0, 0, "-all",
         ""                                                                                                                                                                    },
        {"line_end",           C,             H,        "a@expcrlf.example",     MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"nul",                C,             H,        "a@expnul.example",      MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"syntax",             C,             H,        "a@expsyntax.example",   MFX_SPF_FAIL,     0, 0, "-all", ""                                                            },
        {"p",                  C,             H,        "a@expp.example",        MFX_SPF_FAIL,     0, 0, "-all",
         "you are mx1.example"                                                                                                                                                 },
        {"p_in_name",          C,             H,        "a@exppname.example",    MFX_SPF_FAIL,     0, 0, "-all",
         "by name"                                                                                                                                                             },
        {"of_text_only",       "2001:db8::1", "a/b",    "a@exphelo.example",
         MFX_SPF_FAIL,                                                                             0, 0, "-all",
         "a/b a%2Fb we.example 1700000000 2001:db8::1"                                                                                                                         },
        {"helo_with_line_end", C,             "a\r\nb", "a@exphelo.example",     MFX_SPF_FAIL,
         0,                                                                                           0, "-all", ""                                                            },
        {"cut",                C,             H,        LONG,                    MFX_SPF_FAIL,     0, 0, "-all",
         LONG LONG LONG LONG "a234567890b234567890c234567890d23456"                                                                                                            },
        {"include_that_fails", C,             H,        "a@expinc.example",      MFX_SPF_FAIL,     1, 0,
         "-include:pass.example",                                                                                "192.0.2.1 may not send for expinc.example, a@expinc.example."},
        {"not_of_an_include",  C,             H,        "a@expincludes.example", MFX_SPF_FAIL,     1, 0,
         "-all",                                                                                                 ""                                                            },
        {"of_the_redirect",    C,             H,        "a@expredir.example",    MFX_SPF_FAIL,     1, 0,
         "-all",                                                                                                 "192.0.2.1 may not send for exp.example, a@expredir.example." },
        {"not_for_softfail",   C,             H,        "a@expsoft.example",     MFX_SPF_SOFTFAIL, 0, 0,
         "~all",                                                                                                 ""                                                            },
    };
    (void)state;
    ROWS(rows);
}

/* --- what the outcome says beside the result --- */

static struct mfx_spf_request
request_of(const char *ip, const char *sender)
{
    struct mfx_spf_request request = {.helo = mfx_str_of(H),
                                      .identity = MFX_SPF_MAIL_FROM,
                                      .sender = mfx_str_of(sender)};
    assert_int_equal(mfx_ip_parse(mfx_str_of(ip), &request.ip), MFX_OK);
    return request;
}

static void
outcome_texts(void **state)
{
    static const struct {
        const char *label, *sender, *domain, *local, *of, *problem;
    } cases[] = {
        {"plain",      "bob@pass.example",      "pass.example",          "bob",        "pass.example",
         ""                                                                                                                        },
        {"null",       "",                      H,                       "postmaster", "",                      H ": no SPF record"},
        {"redirected", "bob@redir.example",     "redir.example",         "bob",
         "pass.example",                                                                                        ""                 },
        {"u_label",
         "bob@b\xC3\xBC"
         "cher.example",                        "xn--bcher-kva.example", "bob",        "xn--bcher-kva.example", ""                 },
        {"broken",     "bob@incbroken.example", "incbroken.example",     "bob",        "",
         "broken.example: no such mechanism: moo"                                                                                  },
        {"two",        "bob@two.example",       "two.example",           "bob",        "",
         "two.example: more than one SPF record"                                                                                   },
        {"missing",    "bob@incnone.example",   "incnone.example",       "bob",        "",
         "nowhere.example: no SPF record: include:nowhere.example"                                                                 },
        {"lame",       "bob@alame.example",     "alame.example",         "bob",        "",
         "alame.example: server failure: a:down.example"                                                                           },
        {"limit",      "bob@incloop.example",   "incloop.example",       "bob",        "",
         "incloop.example: too many terms that ask the DNS: "
         "include:incloop.example"                                                                                                 },
        {"voids",      "bob@voids3.example",    "voids3.example",        "bob",        "",
         "voids3.example: too many void lookups: exists:v3.example"                                                                },
        {"no_domain",  "bob@localhost",         "localhost",             "bob",        "",
         "no domain name to look up"                                                                                               },
    };
    static struct weather w;
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    weather_init(&w, mfx_str_of(zone));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_request request = request_of(C, cases[i].sender);
        const struct mfx_spf_outcome *got =
            weather_run(&w, arena, &config, &request);
        unit_assert_str(cases[i].label, got->domain,
                        mfx_str_of(cases[i].domain));
        unit_assert_str(cases[i].label, got->local, mfx_str_of(cases[i].local));
        unit_assert_str(cases[i].label, got->mechanism_of,
                        mfx_str_of(cases[i].of));
        unit_assert_str(cases[i].label, got->problem,
                        mfx_str_of(cases[i].problem));
        unit_assert_int(cases[i].label, got->step_count, 0);
        mfx_arena_reset(arena);
    }
    weather_fini(&w);
    mfx_arena_free(arena);
}

static void
no_address(void **state)
{
    static struct weather w;
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = {.sender = mfx_str_of("a@pass.example"),
                                      .identity = MFX_SPF_MAIL_FROM};
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    weather_init(&w, mfx_str_of(zone));
    const struct mfx_spf_outcome *got =
        weather_run(&w, arena, &config, &request);
    assert_int_equal(got->result, MFX_SPF_NONE);
    assert_int_equal(w.asked, 0);
    weather_fini(&w);
    mfx_arena_free(arena);
}

static void
config_is_heeded(void **state)
{
    static const struct {
        const char *label, *sender;
        unsigned lookups, voids;
        size_t explanation;
        enum mfx_spf_result result;
        const char *text;
    } cases[] = {
        {"two_terms",           "a@deep.example",   2,  2, 9, MFX_SPF_NEUTRAL,   ""         },
        {"one_term",            "a@deep.example",   1,  2, 9, MFX_SPF_PERMERROR, ""         },
        {"no_term",             "a@a.example",      0,  2, 9, MFX_SPF_PERMERROR, ""         },
        {"never_more_than_ten", "a@eleven.example", 20, 2, 9, MFX_SPF_PERMERROR,
         ""                                                                                 },
        {"three_voids",         "a@voids3.example", 10, 3, 9, MFX_SPF_PASS,      ""         },
        {"no_voids",            "a@voids2.example", 10, 0, 9, MFX_SPF_PERMERROR, ""         },
        {"short_text",          "a@exp.example",    10, 2, 9, MFX_SPF_FAIL,      "192.0.2.1"},
        {"no_text",             "a@exp.example",    10, 2, 0, MFX_SPF_FAIL,      ""         },
    };
    static struct weather w;
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    weather_init(&w, mfx_str_of(zone));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_request request = request_of(C, cases[i].sender);
        struct mfx_spf_config config = mfx_spf_config_default();
        config.max_lookups = cases[i].lookups;
        config.max_voids = cases[i].voids;
        config.max_explanation = cases[i].explanation;
        const struct mfx_spf_outcome *got =
            weather_run(&w, arena, &config, &request);
        unit_assert_int(cases[i].label, got->result, cases[i].result);
        unit_assert_str(cases[i].label, got->explanation,
                        mfx_str_of(cases[i].text));
        mfx_arena_reset(arena);
    }
    weather_fini(&w);
    mfx_arena_free(arena);
}

static void
trace(void **state)
{
    static const struct {
        const char *domain, *term, *question, *answer, *note;
        enum mfx_dns_type type;
        unsigned depth, lookups, voids;
    } want[] = {
        {"deep.example", "",                     "deep.example", "v=spf1 ?include:inc.example -all",
         "",                                                                                                    MFX_DNS_TXT, 0, 0, 0},
        {"deep.example", "?include:inc.example", "inc.example",
         "v=spf1 include:pass.example -all",                                                         "",        MFX_DNS_TXT, 0, 1, 0},
        {"inc.example",  "include:pass.example", "pass.example",
         "v=spf1 ip4:192.0.2.0/24 -all",                                                             "",        MFX_DNS_TXT, 1, 2, 0},
        {"pass.example", "ip4:192.0.2.0/24",     "",             "",                                 "matches", 0,           2, 2, 0},
        {"inc.example",  "include:pass.example", "",             "",                                 "matches", 0,           1, 2, 0},
        {"deep.example", "?include:inc.example", "",             "",                                 "matches", 0,           0, 2, 0},
    };
    static struct weather w;
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = request_of(C, "a@deep.example");
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    config.wants_trace = true;
    weather_init(&w, mfx_str_of(zone));
    const struct mfx_spf_outcome *got =
        weather_run(&w, arena, &config, &request);
    assert_int_equal(got->step_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < got->step_count; i++) {
        const struct mfx_spf_step *s = &got->steps[i];
        unit_assert_str("domain", s->domain, mfx_str_of(want[i].domain));
        unit_assert_str("term", s->term, mfx_str_of(want[i].term));
        unit_assert_str("question", s->question, mfx_str_of(want[i].question));
        unit_assert_str("answer", s->answer, mfx_str_of(want[i].answer));
        unit_assert_str("note", s->note, mfx_str_of(want[i].note));
        unit_assert_int("type", s->type, want[i].type);
        unit_assert_int("depth", s->depth, want[i].depth);
        unit_assert_int("lookups", s->lookups_after, want[i].lookups);
        unit_assert_int("voids", s->voids_after, want[i].voids);
    }
    weather_fini(&w);
    mfx_arena_free(arena);
}

/* What was asked ahead for nothing stands at the end, with its term. */
static void
trace_of_waste(void **state)
{
    static struct weather w;
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = request_of(C, "a@waste.example");
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    config.wants_trace = true;
    weather_init(&w, mfx_str_of("waste.example TXT v=spf1 a include:b.example\n"
                                "waste.example A 192.0.2.1\n"
                                "b.example TXT v=spf1 -all\n"));
    w.order = WEATHER_LAST;
    const struct mfx_spf_outcome *got =
        weather_run(&w, arena, &config, &request);
    assert_int_equal(got->result, MFX_SPF_PASS);
    assert_int_equal(got->step_count, 3);
    unit_assert_str("a", got->steps[1].note, mfx_str_of("matches"));
    unit_assert_str("include", got->steps[2].note, mfx_str_of("not needed"));
    unit_assert_str("include", got->steps[2].term,
                    mfx_str_of("include:b.example"));
    unit_assert_str("include", got->steps[2].domain,
                    mfx_str_of("waste.example"));
    assert_int_equal(got->steps[2].lookups_after, 1);
    mfx_arena_reset(arena);
    weather_fini(&w);
    mfx_arena_free(arena);
}

/* A check takes as many round trips as its longest chain has, and no more. */
static void
round_trips(void **state)
{
    static const struct {
        const char *label, *record;
        size_t ahead, one_by_one;
    } cases[] = {
        {"ip4",            "ip4:192.0.2.9 -all",                                       1, 1},
        {"four_a",         "a:h1.example a:h2.example a:h3.example a:h4.example -all",
         2,                                                                               5},
        {"two_mx",         "mx:m1.example mx:m2.example -all",                         3, 5},
        {"includes",       "include:i1.example include:i2.example -all",               2, 3},
        {"nested",         "a:h1.example include:i3.example include:i4.example -all",  4,
         8                                                                                 },
        {"mx_in_nested",
         "include:i3.example include:i5.example mx:m2.example "
         "-all",                                                                       5, 9},
        {"redirect",       "a:h1.example a:h2.example redirect=i1.example",            2, 4},
        {"names",          "a:h1.example exists:%{p}.example ptr:x.example -all",      4, 5},
        {"beyond_a_match", "a:mx1.example include:i3.example -all",                    2, 2},
    };
    static const char hosts_of_it[] =
        "h1.example A 198.51.100.1\nh2.example A 198.51.100.1\n"
        "h3.example A 198.51.100.1\nh4.example A 198.51.100.1\n"
        "mx1.example A 192.0.2.1\n"
        "m1.example MX 1 h1.example\nm1.example MX 2 h2.example\n"
        "m2.example MX 1 h3.example\nm2.example MX 2 h4.example\n"
        "i1.example TXT v=spf1 ip4:198.51.100.1 -all\n"
        "i2.example TXT v=spf1 ip4:198.51.100.2 -all\n"
        "i3.example TXT v=spf1 include:i1.example ~all\n"
        "i4.example TXT v=spf1 include:i6.example ~all\n"
        "i5.example TXT v=spf1 include:i7.example ~all\n"
        "i6.example TXT v=spf1 a:h4.example include:i2.example ~all\n"
        "i7.example TXT v=spf1 mx:m1.example ~all\n"
        "1.2.0.192.in-addr.arpa PTR h1.example\n";
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; k < 2; k++) {
            static struct weather w;
            struct mfx_spf_config config = mfx_spf_config_default();
            struct mfx_spf_request request = request_of(C, "a@rt.example");
            struct mfx_arena *arena = mfx_arena_new(0);
            struct mfx_str text =
                mfx_arena_printf(arena, "rt.example TXT v=spf1 %s\n%s",
                                 cases[i].record, hosts_of_it);
            weather_init(&w, text);
            w.order = WEATHER_ROUNDS;
            config.lookahead = k == 0;
            (void)weather_run(&w, arena, &config, &request);
            unit_assert_int(cases[i].label, w.rounds,
                            k == 0 ? cases[i].ahead : cases[i].one_by_one);
            mfx_arena_reset(arena);
            weather_fini(&w);
            mfx_arena_free(arena);
        }
}

static void
names(void **state)
{
    static const char *const words[] = {"none",     "neutral",  "pass",
                                        "fail",     "softfail", "temperror",
                                        "permerror"};
    enum mfx_spf_result result;
    (void)state;
    for (size_t i = 0; i < MFX_SPF_RESULT_COUNT; i++) {
        assert_int_equal(mfx_spf_result_parse(mfx_str_of(words[i]), &result),
                         MFX_OK);
        assert_int_equal(result, i);
        assert_string_equal(mfx_spf_result_name(result), words[i]);
    }
    assert_int_equal(mfx_spf_result_parse(mfx_str_of("hardfail"), &result),
                     MFX_PERMFAIL);
    assert_string_equal(mfx_spf_identity_name(MFX_SPF_HELO), "helo");
    assert_string_equal(mfx_spf_identity_name(MFX_SPF_MAIL_FROM), "mailfrom");
    assert_string_equal(mfx_spf_engine_name(MFX_SPF_ENGINE_MFX), "mfx");
    assert_true(mfx_spf_engine_is_built(MFX_SPF_ENGINE_MFX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(subjects),
        cmocka_unit_test(hosts),
        cmocka_unit_test(other_records),
        cmocka_unit_test(limits),
        cmocka_unit_test(explanations),
        cmocka_unit_test(outcome_texts),
        cmocka_unit_test(no_address),
        cmocka_unit_test(config_is_heeded),
        cmocka_unit_test(trace),
        cmocka_unit_test(trace_of_waste),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
