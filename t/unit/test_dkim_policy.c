/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What mfx-dkim does with a message, from facts alone: the rows follow
 * OpenDKIM's documented matching where mfx promises to keep it.
 */
#include "dkim_bench.h"

#include <sys/stat.h>

static const char kt[] = "a example.org:sa:^/a.key\n"
                         "b example.org:sb:^/b.key\n"
                         "any %:any:^/a.key\n"
                         "own %:own:^/%.key\n";

static void
plan_of(struct bench *b, const char *const *from, bool is_ours,
        const char *login, const char *client, bool is_bounce,
        struct mfx_decision *decision, struct dkim_plan *plan)
{
    struct mfx_headers headers = {.first = NULL};
    for (size_t i = 0; i < 2 && from[i] != NULL; i++)
        assert_non_null(mfx_headers_add(&headers, b->arena, mfx_str_of("From"),
                                        mfx_str_of(from[i])));
    struct dkim_facts facts = {
        .headers = &headers,
        .origin = {is_ours ? MFX_ORIGIN_LOGIN : MFX_ORIGIN_FOREIGN,
                   mfx_str_of(login)},
        .login = mfx_str_of(login),
        .is_null_sender = is_bounce,
    };
    if (client != NULL)
        assert_int_equal(mfx_ip_parse(mfx_str_of(client), &facts.client_ip),
                         MFX_OK);
    mfx_decision_init(decision, b->arena);
    dkim_policy_plan(b->policy, &facts, b->arena, decision, plan);
    mfx_headers_fini(&headers);
}

#define TABLES \
    "sign: { signing_table = \"refile:^/st\"; key_table = \"file:^/kt\"; "
#define FILE_TABLES \
    "sign: { signing_table = \"file:^/st\"; key_table = \"file:^/kt\"; "

static const struct {
    const char *label, *conf, *st;
    const char *from[2];
    bool is_ours;
    const char *login, *client;
    bool is_bounce;
    enum dkim_job job;
    const char *signers;
} plans[] = {
    {"exact_row",
     TABLES "};",
     "u@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"two_algorithms_two_lines",
     TABLES "};",
     "*@example.org a\n*@example.org b\n",                                                       {" U <u@Example.ORG>", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa example.org/sb"  },
    {"multiple_off",
     TABLES "multiple = false; };",
     "*@example.org a\n*@example.org b\n",                                                       {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"same_key_once",
     TABLES "};",
     "*@example.org a\nu@example.org a\n",                                                       {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"percent_domain",
     TABLES "};",
     "*@*.example.org any\n",                                                                    {" u@x.example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "x.example.org/any"              },
    {"percent_path",
     TABLES "};",
     "*@example.org own\n",                                                                      {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/own"                },
    {"percent_path_missing_key",
     TABLES "};",
     "*@example.net own\n",                                                                      {" u@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_DEFER,  ""                               },
    {"percent_path_missing_key_pass",
     TABLES "on_error = \"pass\"; };",
     "*@example.net own\n",                                                                      {" u@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"identity",
     TABLES "};",
     "*@example.org a:list@example.org\n",                                                       {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa/list@example.org"},
    {"identity_percent",
     TABLES "};",
     "*@example.org a:@%\n",                                                                     {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa/@example.org"    },
    {"identity_outside_is_dropped",
     TABLES "};",
     "*@example.org a:@other.org\n",                                                             {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"order_is_not_file_order",
     FILE_TABLES "multiple = false; };",
     "* any\nexample.org b\nu@example.org a\n",                                                  {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"parent_row",
     FILE_TABLES "multiple = false; };",
     ".example.org b\n",                                                                         {" u@x.y.example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sb"                 },
    {"no_row",
     TABLES "};",
     "*@example.org a\n",                                                                        {" u@example.com", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"foreign_is_verified",
     TABLES "};",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     false, "",
     "192.0.2.1", false,
     DKIM_JOB_VERIFY, ""                               },
    {"foreign_verify_off",
     TABLES "}; verify: { enable = false; };",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     false, "",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"no_from",
     TABLES "};",
     "*@example.org a\n",                                                                        {NULL, NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"no_from_bounce",
     TABLES "};",
     "*@example.org a\n",                                                                        {NULL, NULL},
     true,  "",
     NULL,        true,
     DKIM_JOB_PASS,   ""                               },
    {"no_from_pass",
     TABLES "on_from = \"pass\"; };",
     "*@example.org a\n",                                                                        {NULL, NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"no_from_first",
     TABLES "on_from = \"first\"; };",
     "*@example.org a\n",                                                                        {NULL, NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"two_addresses",
     TABLES "};",
     "*@example.org a\n",                                                                        {" u@example.org, v@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"two_addresses_first",
     TABLES "on_from = \"first\"; };",
     "*@example.org a\n",                                                                        {" u@example.org, v@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"two_fields",
     TABLES "};",
     "*@example.org a\n",                                                                        {" u@example.org", " u@example.org"},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"unreadable",
     TABLES "};",
     "*@example.org a\n",                                                                        {" <<u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"address_in_name",
     TABLES "};",
     "*@example.org a\n",                                                                        {" v@example.net <u@example.org>", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"own_address_in_name",
     TABLES "};",
     "*@example.org a\n",                                                                        {" u@example.org <v@example.net>", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"name_behind",
     TABLES "};",
     "*@example.org a\n",                                                                        {" <u@example.org> v@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"dots_in_local_part",
     TABLES "};",
     "*@example.org a\n",                                                                        {" .u..v.@example.org.", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
    {"slashes_are_no_domain",
     TABLES "};",
     "* own\n",                                                                                  {" u@../../etc", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"domains",
     "sign: { domains = \"csl:example.org\"; selectors = "
     "[\"example.org\"]; key_path = \"^/%s.key\"; };",                      NULL,
     {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/example.org"        },
    {"domains_two_selectors",
     "sign: { domains = \"csl:example.org\"; "
     "selectors = [\"a\", \"b\"]; key_path = \"^/%s.key\"; };",             NULL,
     {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/a example.org/b"    },
    {"domains_subdomain_off",
     "sign: { domains = \"csl:example.org\"; "
     "selectors = [\"a\"]; key_path = \"^/%s.key\"; };",                    NULL,
     {" u@sub.example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"domains_subdomain_on",
     "sign: { domains = \"csl:example.org\"; "
     "subdomains = true; selectors = [\"a\"]; key_path = \"^/%s.key\"; };", NULL,
     {" u@sub.example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/a"                  },
    {"domains_any",
     "sign: { domains = \"csl:*\"; selectors = [\"a\"]; "
     "key_path = \"^/%s.key\"; };",                                         NULL,
     {" u@example.net", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.net/a"                  },
    {"eai_domain",
     "sign: { domains = \"csl:xn--bcher-kva.example\"; "
     "selectors = [\"a\"]; key_path = \"^/%s.key\"; };",                    NULL,
     {" u@b\xC3\xBC"
      "cher.example",
      NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_SIGN,   "xn--bcher-kva.example/a"        },
    {"exempt_client",
     TABLES "}; exempt_clients = \"csl:192.0.2.0/24\";",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "u",
     "192.0.2.9", false,
     DKIM_JOB_PASS,   ""                               },
    {"exempt_domain",
     TABLES "}; exempt_domains = \"csl:example.org\";",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "u",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"login_domain_fits",
     TABLES "login_match = \"domain\"; };",
     "*@* any\n",                                                                                {" u@x.example.org", NULL},
     true,  "v@example.org",
     NULL,        false,
     DKIM_JOB_SIGN,   "x.example.org/any"              },
    {"login_domain_differs",
     TABLES "login_match = \"domain\"; };",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "u@example.net",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"login_domain_reject",
     TABLES "login_match = \"domain\"; on_login_mismatch = \"reject\"; };",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "u@example.net",
     NULL,        false,
     DKIM_JOB_REFUSE, ""                               },
    {"login_address",
     TABLES "login_match = \"address\"; };",
     "*@example.org a\n",                                                                        {" u@example.org", NULL},
     true,  "v@example.org",
     NULL,        false,
     DKIM_JOB_PASS,   ""                               },
    {"login_table",
     TABLES "login_match = \"domain\"; login_domains = "
            "\"inline:bob=example.org\"; };",                               "*@example.org a\n",
     {" u@example.org", NULL},
     true,  "bob",
     NULL,        false,
     DKIM_JOB_SIGN,   "example.org/sa"                 },
};

static void
planning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct bench b;
        struct mfx_decision decision;
        struct dkim_plan plan;
        bench_init(&b);
        bench_write(&b, "kt", bench_text(&b, kt));
        if (plans[i].st != NULL)
            bench_write(&b, "st", plans[i].st);
        enum mfx_rc rc = bench_load(&b, plans[i].conf);
        if (rc != MFX_OK && b.problems.first != NULL)
            fail_msg("%s: %s", plans[i].label, b.problems.first->text);
        unit_assert_int(plans[i].label, rc, MFX_OK);
        plan_of(&b, plans[i].from, plans[i].is_ours, plans[i].login,
                plans[i].client, plans[i].is_bounce, &decision, &plan);
        if (plan.job != plans[i].job)
            fail_msg("%s: job %s, want %s (%.*s)", plans[i].label,
                     dkim_job_name(plan.job), dkim_job_name(plans[i].job),
                     MFX_STR_ARG(plan.reason));
        assert_true(plan.reason.len > 0);
        if (plan.job == DKIM_JOB_SIGN)
            unit_assert_str(plans[i].label,
                            mfx_str_of(bench_signers(&b, &plan)),
                            mfx_str_of(plans[i].signers));
        bench_fini(&b);
    }
}

static const struct {
    const char *label, *conf, *st, *kt, *want;
} broken[] = {
    {"missing_key_file",     TABLES "};",                                   "*@example.org x\n",
     "x example.org:s:^/missing.key\n",                                                                                        "missing.key"          },
    {"relative_path",        TABLES "};",                                   "*@example.org x\n",
     "x example.org:s:./a.key\n",                                                                                              "sign.key_directory"   },
    {"unknown_key_name",     TABLES "};",                                   "*@example.org nokey\n", "",
     "not in sign.key_table"                                                                                                                          },
    {"short_row",            TABLES "};",                                   "",                      "x example.org:s\n",      "domain:selector:key"  },
    {"bad_domain",           TABLES "};",                                   "",                      "x exa mple:s:^/a.key\n", "exa"                  },
    {"no_key_table",         "sign: { signing_table = \"refile:^/st\"; };", "",                      "",
     "needs sign.key_table"                                                                                                                           },
    {"bad_canonicalization", "sign: { canonicalization = \"relaxt\"; };",   "",
     "",                                                                                                                       "sign.canonicalization"},
    {"bad_author_action",
     "verify: { author_policy = "
     "\"inline:paypal.com=bounce\"; };",                                    "",                      "",                       "bounce"               },
    {"unsignable_header",    "sign: { headers = \"From,Received\"; };",     "",                      "",
     "Received"                                                                                                                                       },
    {"domains_missing_key",
     "sign: { domains = \"csl:example.com\"; "
     "key_path = \"^/%d/%s.pem\"; };",                                      "",                      "",                       "example.com/mfx.pem"  },
};

static void
refused_configurations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct bench b;
        bench_init(&b);
        bench_write(&b, "st", broken[i].st);
        bench_write(&b, "kt", bench_text(&b, broken[i].kt));
        enum mfx_rc rc = bench_load(&b, broken[i].conf);
        if (rc == MFX_OK)
            fail_msg("%s: was accepted", broken[i].label);
        if (!bench_has_problem(&b, broken[i].want))
            fail_msg("%s: not said; first: %s", broken[i].label,
                     b.problems.first == NULL ? "" : b.problems.first->text);
        bench_fini(&b);
    }
}

static void
readable_key_is_refused(void **state)
{
    struct bench b;
    char path[200];
    (void)state;
    for (int allow = 0; allow < 2; allow++) {
        bench_init(&b);
        bench_write(&b, "st", "*@example.org a\n");
        bench_write(&b, "kt", bench_text(&b, kt));
        (void)snprintf(path, sizeof path, "%s/a.key", b.dir);
        assert_int_equal(chmod(path, 0644), 0);
        enum mfx_rc rc = bench_load(
            &b, allow ? TABLES "allow_readable_keys = true; };" : TABLES "};");
        unit_assert_int(allow ? "allowed" : "refused", rc == MFX_OK, allow);
        bench_fini(&b);
    }
}

/* A key file that was replaced is not used under the old row. */
static void
replaced_key_is_not_used(void **state)
{
    struct bench b;
    struct mfx_err err = {""};
    struct mfx_dkim_private_key *key;
    struct dkim_key_file *file;
    char path[200], other[200];
    (void)state;
    bench_init(&b);
    (void)snprintf(path, sizeof path, "%s/a.key", b.dir);
    (void)snprintf(other, sizeof other, "%s/b.key", b.dir);
    struct dkim_keys *keys = dkim_keys_new(NULL, false, 4);
    assert_non_null(keys);
    assert_int_equal(dkim_keys_add(keys, mfx_str_of(path), &file, &err),
                     MFX_OK);
    assert_false(dkim_keys_is_outdated(keys));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(dkim_key_file_get(file, &key, &err), MFX_TEMPFAIL);
    assert_true(dkim_keys_is_outdated(keys));
    dkim_keys_free(keys);
    bench_fini(&b);
}

/* Unchanged keys are shared over a reload, parsed ones stay parsed. */
static void
keys_are_shared_over_reload(void **state)
{
    struct bench b;
    struct mfx_err err = {""};
    struct mfx_dkim_private_key *first, *second;
    struct dkim_key_file *file;
    char path[200];
    (void)state;
    bench_init(&b);
    (void)snprintf(path, sizeof path, "%s/a.key", b.dir);
    struct dkim_keys *old = dkim_keys_new(NULL, false, 4);
    assert_int_equal(dkim_keys_add(old, mfx_str_of(path), &file, &err), MFX_OK);
    assert_int_equal(dkim_key_file_get(file, &first, &err), MFX_OK);
    struct dkim_keys *new = dkim_keys_new(old, false, 4);
    assert_int_equal(dkim_keys_add(new, mfx_str_of(path), &file, &err), MFX_OK);
    dkim_keys_free(old);
    assert_int_equal(dkim_key_file_get(file, &second, &err), MFX_OK);
    assert_ptr_equal(first, second);
    dkim_keys_free(new);
    bench_fini(&b);
}

static const struct {
    const char *label, *conf;
    const char *from[2];
    struct {
        const char *domain;
        enum mfx_dkim_status status;
        bool is_testing;
    } results[3];
    size_t count;
    enum mfx_dkim_status status;
    enum dkim_action action;
    const char *enhanced;
} judgements[] = {
    {"none_accepts",
     "",                                                                {" u@a.org", NULL},
     {{"", 0, false}},
     0, MFX_DKIM_NONE,
     DKIM_ACTION_ACCEPT,   NULL    },
    {"none_rejects",
     "verify: { on_none = \"reject\"; };",                              {" u@a.org", NULL},
     {{"", 0, false}},
     0, MFX_DKIM_NONE,
     DKIM_ACTION_REJECT,   "5.7.20"},
    {"one_pass_is_enough",
     "verify: { on_fail = \"reject\"; };",                              {" u@a.org", NULL},
     {{"b.org", MFX_DKIM_FAIL, false}, {"c.org", MFX_DKIM_PASS, false}},
     2, MFX_DKIM_PASS,
     DKIM_ACTION_ACCEPT,   NULL    },
    {"fail_rejects",
     "verify: { on_fail = \"reject\"; };",                              {" u@a.org", NULL},
     {{"a.org", MFX_DKIM_FAIL, false}},
     1, MFX_DKIM_FAIL,
     DKIM_ACTION_REJECT,   "5.7.20"},
    {"test_mode_counts_as_none",
     "verify: { on_fail = \"reject\"; };",                              {" u@a.org", NULL},
     {{"a.org", MFX_DKIM_FAIL, true}},
     1, MFX_DKIM_NONE,
     DKIM_ACTION_ACCEPT,   NULL    },
    {"outage_before_refusal",
     "verify: { on_fail = \"reject\"; on_temperror = \"tempfail\"; };", {" u@a.org", NULL},
     {{"a.org", MFX_DKIM_FAIL, false}, {"a.org", MFX_DKIM_TEMPERROR, false}},
     2, MFX_DKIM_TEMPERROR,
     DKIM_ACTION_TEMPFAIL, "4.7.20"},
    {"author_rejects",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" u@paypal.com", NULL},
     {{"evil.org", MFX_DKIM_PASS, false}},
     1, MFX_DKIM_PASS,
     DKIM_ACTION_REJECT,   "5.7.22"},
    {"author_passes",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" u@paypal.com", NULL},
     {{"paypal.com", MFX_DKIM_PASS, false}},
     1, MFX_DKIM_PASS,
     DKIM_ACTION_ACCEPT,   NULL    },
    {"author_outage_tempfails",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" u@paypal.com", NULL},
     {{"paypal.com", MFX_DKIM_TEMPERROR, false}},
     1, MFX_DKIM_TEMPERROR,
     DKIM_ACTION_TEMPFAIL, "4.7.22"},
    {"author_below",
     "verify: { author_policy = \"inline:.paypal.com=reject\"; };",     {" u@x.paypal.com", NULL},
     {{"", 0, false}},
     0, MFX_DKIM_NONE,
     DKIM_ACTION_REJECT,   "5.7.22"},
    {"author_second_address",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" u@a.org, x@paypal.com", NULL},
     {{"a.org", MFX_DKIM_PASS, false}},
     1, MFX_DKIM_PASS,
     DKIM_ACTION_REJECT,   "5.7.22"},
    {"author_unreadable",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" x@a.org, \" <pay@paypal.com>", NULL},
     {{"a.org", MFX_DKIM_PASS, false}},
     1, MFX_DKIM_PASS,
     DKIM_ACTION_REJECT,   "5.7.22"},
    {"author_second_field",
     "verify: { author_policy = \"inline:paypal.com=reject\"; };",      {" u@a.org", " x@paypal.com"},
     {{"a.org", MFX_DKIM_PASS, false}},
     1, MFX_DKIM_PASS,
     DKIM_ACTION_REJECT,   "5.7.22"},
};

static void
judging(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judgements / sizeof judgements[0]; i++) {
        struct bench b;
        struct mfx_decision decision;
        struct dkim_plan plan;
        struct mfx_dkim_result results[3];
        struct dkim_judgement j;
        bench_init(&b);
        unit_assert_int(judgements[i].label, bench_load(&b, judgements[i].conf),
                        MFX_OK);
        plan_of(&b, judgements[i].from, false, "", NULL, false, &decision,
                &plan);
        memset(results, 0, sizeof results);
        for (size_t k = 0; k < judgements[i].count; k++) {
            results[k].domain = mfx_str_of(judgements[i].results[k].domain);
            results[k].status = judgements[i].results[k].status;
            results[k].is_testing = judgements[i].results[k].is_testing;
        }
        dkim_policy_judge(b.policy, &plan, results, judgements[i].count,
                          b.arena, &decision, &j);
        unit_assert_int(judgements[i].label, j.status, judgements[i].status);
        unit_assert_int(judgements[i].label, j.action, judgements[i].action);
        if (judgements[i].enhanced != NULL)
            unit_assert_str(judgements[i].label, mfx_str_of(j.enhanced),
                            mfx_str_of(judgements[i].enhanced));
        bench_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planning),
        cmocka_unit_test(refused_configurations),
        cmocka_unit_test(readable_key_is_refused),
        cmocka_unit_test(replaced_key_is_not_used),
        cmocka_unit_test(keys_are_shared_over_reload),
        cmocka_unit_test(judging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
