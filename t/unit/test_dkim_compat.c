/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What OpenDKIM's settings and tables ask for beyond the simple cases.
 * Expected: opendkim.conf(5), and what opendkim 2.11 does where that is
 * silent.
 */
#include "dkim_bench.h"

#define TABLES \
    "sign: { signing_table = \"refile:^/st\"; key_table = \"file:^/kt\"; "
#define DOMAINS(d) "sign: { domains = \"" d "\"; key_path = \"^/%d.key\"; "

static const char kt[] = "a example.org:sa:^/a.key\n"
                         "net example.net:sn:^/b.key\n"
                         "any %:any:^/a.key\n"
                         "own %:own:^/%.key\n"
                         "here example.org:here:^/%.key\n";

static const struct {
    const char *label, *conf, *st, *header;
    bool is_foreign;
    const char *login, *macro, *recipient;
    enum dkim_job job;
    const char *says; /* signers of a job to sign, else the reason */
} plans[] = {
    {"percent_path_is_row_domain",                                       TABLES "};",                                   "*@sub.example.org here\n",
     "From: u@sub.example.org\n",                                                                                                                                                                                                                               .job = DKIM_JOB_SIGN,
     .says = "example.org/here"},
    {"percent_path_is_author_domain",                                                                  TABLES "};",                                                                                 "*@example.org own\n",
     "From: u@example.org\n",                                    .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                                                                                                                                                    .says = "example.org/own"},
    {"percent_identity",                                         TABLES "};",                                                                                      "*@example.org any:agent@%\n",
     "From: u@example.org\n",                                                                                                                                                      .job = DKIM_JOB_SIGN,
     .says = "example.org/any/agent@example.org"},
    {"identity_outside",                                              TABLES "};",                                                                       "*@example.org a:u@example.com\n",
     "From: u@example.org\n",                                                                                                                                                                                          .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                                                 .says = "example.org/sa"},
 /* sign.sender_headers, sign.sender_macro */
    {"sender_before_from",                                            TABLES "sender_headers = \"Sender,From\"; };",
     "*@example.org a\n*@example.net net\n",                                                                             "From: u@example.org\nSender: v@example.net\n",.job = DKIM_JOB_SIGN,
     .says = "example.net/sn"},
    {"sender_absent",                             TABLES "sender_headers = \"Sender,From\"; };",
     "*@example.org a\n*@example.net net\n","From: u@example.org\n",
     .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                                                                                                                                                 .says = "example.org/sa"},
    {"from_before_sender",TABLES "sender_headers = \"From,Sender\"; };",
     "*@example.org a\n*@example.net net\n",                                                                                                                          "From: u@example.org\nSender: v@example.net\n",                                                                                                                                                                                                                                      .job = DKIM_JOB_SIGN,
     .says = "example.org/sa"},
    {"from_is_the_last",                                               TABLES "sender_headers = \"Resent-From\"; };",
     "*@example.org a\n",                                                                                                              "From: u@example.org\n",                                           .job = DKIM_JOB_SIGN,
     .says = "example.org/sa"},
    {"topmost_field_first_address",                                                                  TABLES "sender_headers = \"Reply-To\"; };",
     "*@example.org a\n*@example.net net\n",                                   "From: u@example.org\nReply-To: a@example.net, b@example.org\n"
     "Reply-To: c@example.org\n",                                                                                                                                                                                                                                       .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                  .says = "example.net/sn"},
    {"several_authors_one_sender",                                           TABLES "sender_headers = \"Sender\"; };",
     "*@example.net net\n",                                                                                            "From: a@example.org, b@example.com\nSender: v@example.net\n",
     .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                                                                                                                                     .says = "example.net/sn"},
    {"several_authors_no_sender",                                              TABLES "sender_headers = \"Sender\"; };",
     "*@example.org a\n",                                                                                                   "From: a@example.org, b@example.org\n",
     .job = DKIM_JOB_REFUSE,.says = "several addresses in From"},
    {"several_from_fields",     TABLES "sender_headers = \"Sender\"; };",
     "*@example.net net\n",                                                                                                      "From: a@example.org\nFrom: b@example.org\nSender: v@example.net\n",
     .job = DKIM_JOB_REFUSE,.says = "several From fields"},
    {"sender_without_address",                                                TABLES "sender_headers = \"Sender\"; };",
     "*@example.org a\n",                                                                                                                              "From: a@example.org\nSender: nobody at all\n",
     .job = DKIM_JOB_REFUSE,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             .says = "no address in Sender"},
    {"sender_without_address_pass",
     TABLES "sender_headers = \"Sender\"; on_from = \"pass\"; };",
     "*@example.org a\n","From: a@example.org\nSender:\n",
     .job = DKIM_JOB_PASS,                                                                                                                                                                                                                                                                                                                                                                                                                                                            .says = "no address in Sender"},
    {"macro",                                           TABLES "sender_macro = \"auth_author\"; };",
     "*@example.net net\n",                                                                                                                                 "From: u@example.org\n",                                                          .macro = "<v@example.net>",
     .job = DKIM_JOB_SIGN, .says = "example.net/sn"},
    {"macro_not_sent",                                                                  TABLES "sender_macro = \"{auth_author}\"; };",
     "*@example.org a\n",                                                                                        "From: u@example.org\n",                                                                                                                                                                                                                                       .job = DKIM_JOB_SIGN,
     .says = "example.org/sa"},
    {"login_must_fit_the_sender",
     TABLES "sender_headers = \"Sender\"; login_match = \"domain\"; };",
     "*@example.net net\n",                                                                                                           "From: u@example.org\nSender: v@example.net\n",
     .login = "u@example.org",                                                                                                                                                                                                                                                                                                                                                                                                                                                      .job = DKIM_JOB_PASS,
     .says = "login does not match From"},
    {"login_fits_the_sender",
     TABLES "sender_headers = \"Sender\"; login_match = \"address\"; };",
     "*@example.net net\n",                                                                                                      "From: u@example.org\nSender: v@example.net\n",
     .login = "v@example.net",                                                                                                                                                                                                                                                                                                                                                                                                          .job = DKIM_JOB_SIGN, .says = "example.net/sn"},
    {"exempt_domain_of_sender",
     TABLES "sender_headers = \"Sender\"; }; exempt_domains = "
            "\"csl:example.net\";",                                                                      "*@example.net net\n","From: u@example.org\nSender: v@example.net\n",
     .job = DKIM_JOB_PASS,                                                                                                                                                                                                                                                                                                                                                                                                                                                 .says = "exempt domain"},
 /* sign.domains as OpenDKIM's Domain */
    {"every_domain", DOMAINS("*") "};",                                                                                             NULL,"From: u@example.org\n",
     .job = DKIM_JOB_SIGN,.says = "example.org/mfx"},
    {"every_domain_one_key",
     "sign: { domains = \"*\"; key_path = \"^/a.key\"; "
     "selectors = \"s\"; };",                                                                                         NULL,                                                                                 "From: u@anything.example\n",                                                                                                                                                                                                                                     .job = DKIM_JOB_SIGN,
     .says = "anything.example/s"},
    {"every_domain_own_selector",
     "sign: { domains = \"*=x\"; key_path = \"^/a.key\"; };",                                                                   NULL,
     "From: u@anything.example\n",                                                                                                                                                                               .job = DKIM_JOB_SIGN,
     .says = "anything.example/x"},
    {"pattern",                    "sign: { domains = \"refile:^/st\"; key_path = \"^/a.key\"; };",
     "*.example.com\nexample.org y\n",                                                                                                       "From: u@a.example.com\n",
     .job = DKIM_JOB_SIGN,.says = "a.example.com/mfx"},
    {"pattern_exact_row",
     "sign: { domains = \"refile:^/st\"; key_path = \"^/a.key\"; };","*.example.com\nexample.org y\n",                                                                                                                                "From: u@example.org\n",
     .job = DKIM_JOB_SIGN,                                                                                                                                                                                                                                                                                                                                                                                                                                                   .says = "example.org/y"},
    {"pattern_none",
     "sign: { domains = \"refile:^/st\"; key_path = \"^/a.key\"; };","*.example.com\nexample.org y\n","From: u@example.com\n",
     .job = DKIM_JOB_PASS,                                                                                                                                                                                                                                                                                                                                                                                                                                               .says = "no key for example.com"},
    {"subdomain_signs_as_parent",
     DOMAINS("example.org") "subdomains = true; };",                                                           NULL,
     "From: u@a.b.example.org\n",                                                                                                                                                                                                                              .job = DKIM_JOB_SIGN,
     .says = "example.org/mfx"},
 /* recipients */
    {"except_recipient",                                                                  TABLES "except_recipients = \"csl:r@example.com\"; };",
     "*@example.org a\n",                                                     "From: u@example.org\n",                                                                                                                                                                                                                          .recipient = "r@example.com",
     .job = DKIM_JOB_PASS, .says = "excepted recipient"},
    {"except_recipient_is_verified",
     TABLES "except_recipients = \"csl:r@example.com\"; };",
     "*@example.org a\n",                                                                                                  "From: u@example.org\n",                                                                                                                                                                                           .is_foreign = true,
     .recipient = "r@example.com", .job = DKIM_JOB_VERIFY, .says = "not ours"},
 /* verify.invalid_headers */
    {"invalid_accepted",                                               TABLES "};",                                                                     "*@example.org a\n",
     "From: u@example.org\nSubject: a\nSubject: b\n",                                                                                                                                                                                            .job = DKIM_JOB_SIGN,
     .says = "example.org/sa"},
    {"invalid_rejected_foreign",
     TABLES "}; verify: { invalid_headers = \"reject\"; };",
     "*@example.org a\n",                                                                                              "From: u@example.org\nDate: x\nSubject: a\nSubject: b\n",
     .is_foreign = true,.job = DKIM_JOB_REFUSE,
     .says = "several Subject fields"},
    {"invalid_rejected_ours",
     TABLES "}; verify: { invalid_headers = \"reject\"; };",
     "*@example.org a\n",                                                                                                   "From: u@example.org\n",                                                                                                                                                                                                                                 .job = DKIM_JOB_REFUSE,
     .says = "no Date field"},
    {"invalid_permerror_signs",
     TABLES "}; verify: { invalid_headers = \"permerror\"; };",
     "*@example.org a\n",                                                    "From: u@example.org\n",.job = DKIM_JOB_SIGN,
     .says = "example.org/sa"},
 /* sign.on_error: a key that should be there and is not */
    {"on_error_hold",                                                                  TABLES "on_error = \"hold\"; };",                                                                                  "*@* own\n",
     "From: u@lost.example\n",                                                                                                                                                                                                                                       .job = DKIM_JOB_HOLD                                                                                                                                                                                                                                                                                                                             },
    {"on_error_discard",                                       TABLES "on_error = \"discard\"; };",                                                              "*@* own\n",
     "From: u@lost.example\n",                                                                                                                                                                                .job = DKIM_JOB_DISCARD                                                                                                                                                                                                                                                                                                                                                                             },
};

static void
plan_of(struct bench *b, size_t i, struct mfx_decision *decision,
        struct dkim_plan *plan)
{
    struct mfx_headers headers = {.first = NULL};
    struct mfx_str body;
    struct mfx_err err = {""};
    assert_int_equal(mfx_message_split(mfx_str_of(plans[i].header), b->arena,
                                       &headers, &body),
                     MFX_OK);
    struct dkim_facts facts = {
        .headers = &headers,
        .origin = {plans[i].is_foreign ? MFX_ORIGIN_FOREIGN : MFX_ORIGIN_LOGIN,
                   mfx_str_of("x")},
        .login = mfx_str_of(plans[i].login),
        .sender_macro = mfx_str_of(plans[i].macro),
    };
    struct mfx_str recipient = mfx_str_of(plans[i].recipient);
    facts.is_to_excepted = dkim_policy_excepts_recipient(
                               b->policy, recipient, b->arena, &err) == MFX_OK;
    mfx_decision_init(decision, b->arena);
    dkim_policy_plan(b->policy, &facts, b->arena, decision, plan);
    mfx_headers_fini(&headers);
}

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
        if (rc != MFX_OK)
            fail_msg("%s: %s", plans[i].label, b.problems.first->text);
        plan_of(&b, i, &decision, &plan);
        if (plan.job != plans[i].job)
            fail_msg("%s: job %s (%.*s)", plans[i].label,
                     dkim_job_name(plan.job), MFX_STR_ARG(plan.reason));
        struct mfx_str says = plan.job == DKIM_JOB_SIGN
                                  ? mfx_str_of(bench_signers(&b, &plan))
                                  : plan.reason;
        if (plans[i].says != NULL)
            unit_assert_str(plans[i].label, says, mfx_str_of(plans[i].says));
        bench_fini(&b);
    }
}

/* What is wrong, or worth a warning, is said at load with the row's name. */
static const struct {
    const char *label, *conf, *st, *kt;
    bool is_loaded;
    const char *words; /* NULL: nothing is said */
} loads[] = {
    {"algorithm_fits",                 TABLES "};",                               "*@example.org x\n",
     "x example.org:s:^/a.key:ed25519-sha256\n",                                                                             true,  NULL                 },
    {"algorithm_does_not_fit",         TABLES "};",                               "*@example.org x\n",
     "x example.org:s:^/a.key:rsa-sha256\n",                                                                                 false,
     "x: the row says rsa-sha256, the key is for ed25519-sha256"                                                                                         },
    {"relative_key",                   TABLES "key_directory = \"^\"; };",        "*@example.org x\n",
     "x example.org:s:./a.key\n",                                                                                            true,  NULL                 },
    {"relative_key_without_directory", TABLES "};",                               "*@example.org x\n",
     "x example.org:s:./a.key\n",                                                                                            false, "sign.key_directory" },
    {"identity_outside",               TABLES "};",                               "*@example.org x:u@example.com\n",
     "x example.org:s:^/a.key\n",                                                                                            true,
     "*@example.org: i=u@example.com is not within d=example.org"                                                                                        },
    {"identity_inside",                TABLES "};",                               "*@example.org x:u@sub.example.org\n",
     "x example.org:s:^/a.key\n",                                                                                            true,  NULL                 },
    {"one_key_for_all_is_missing",
     "sign: { domains = \"*\"; key_path = \"^/none.key\"; };",                    "",                                    "", false,
     "none.key"                                                                                                                                          },
    {"sender_header_name",             TABLES "sender_headers = \"Sen der\"; };", "",                                    "",
     false,                                                                                                                         "sign.sender_headers"},
    {"unprotected_key_without_dnssec",
     "sign: { domains = \"*\"; key_path = \"^/a.key\"; }; "
     "verify: { unprotected_key = \"neutral\"; };",                               "",                                    "", false, "needs dns.trust_ad" },
};

static void
loading(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        struct bench b;
        bench_init(&b);
        bench_write(&b, "st", loads[i].st);
        bench_write(&b, "kt", bench_text(&b, loads[i].kt));
        enum mfx_rc rc = bench_load(&b, loads[i].conf);
        unit_assert_int(loads[i].label, rc == MFX_OK, loads[i].is_loaded);
        if (loads[i].words == NULL && b.problems.first != NULL)
            fail_msg("%s: %s", loads[i].label, b.problems.first->text);
        if (loads[i].words != NULL && !bench_has_problem(&b, loads[i].words))
            fail_msg("%s: not said; first: %s", loads[i].label,
                     b.problems.first == NULL ? "" : b.problems.first->text);
        bench_fini(&b);
    }
}

/* MinimumKeyBits is for signing too. */
static void
short_keys(void **state)
{
    static const struct {
        const char *label, *conf;
        bool is_loaded;
    } cases[] = {
        {"long_enough", TABLES "};",                      true },
        {"too_short",   TABLES "min_rsa_bits = 2048; };", false},
    };
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {""};
    struct mfx_str pem;
    (void)state;
    assert_int_equal(
        mfx_dkim_private_key_generate(MFX_DKIM_RSA_SHA256, 1024, &key, &err),
        MFX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        bench_init(&b);
        assert_int_equal(mfx_dkim_private_key_format(key, b.arena, &pem, &err),
                         MFX_OK);
        bench_write(&b, "a.key", mfx_arena_copy(b.arena, pem).p);
        bench_write(&b, "st", "*@example.org x\n");
        bench_write(&b, "kt", bench_text(&b, "x example.org:s:^/a.key\n"));
        (void)bench_load(&b, cases[i].conf);
        unit_assert_int(cases[i].label, b.problems.errors == 0,
                        cases[i].is_loaded);
        if (!cases[i].is_loaded)
            assert_true(bench_has_problem(
                &b, "RSA key of 1024 bits: sign.min_rsa_bits is 2048"));
        bench_fini(&b);
    }
    mfx_dkim_private_key_unref(key);
}

struct given {
    const char *domain;
    enum mfx_dkim_status status;
    enum mfx_dkim_fault fault;
};

static const struct {
    const char *label, *conf, *header;
    struct given results[3];
    size_t count;
    const char *statuses; /* as they are reported */
    enum mfx_dkim_status status;
    enum dkim_action action;
} judgements[] = {
    {"no_key_follows_permerror",
     "verify: { on_permerror = \"reject\"; };",                         "From: u@a.org\n",
     {{"a.org", MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY_MISSING}},
     1, "permerror",
     MFX_DKIM_PERMERROR, DKIM_ACTION_REJECT},
    {"no_key_apart",
     "verify: { on_permerror = \"reject\"; on_no_key = \"hold\"; };",   "From: u@a.org\n",
     {{"a.org", MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY_MISSING}},
     1, "permerror",
     MFX_DKIM_PERMERROR, DKIM_ACTION_HOLD  },
    {"another_permerror",
     "verify: { on_permerror = \"reject\"; on_no_key = \"accept\"; };", "From: u@a.org\n",
     {{"a.org", MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY}},
     1, "permerror",
     MFX_DKIM_PERMERROR, DKIM_ACTION_REJECT},
    {"a_pass_beats_a_missing_key",
     "verify: { on_no_key = \"reject\"; };",                            "From: u@a.org\n",
     {{"a.org", MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY_MISSING},
      {"a.org", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     2, "permerror pass",
     MFX_DKIM_PASS,      DKIM_ACTION_ACCEPT},
    {"untrusted_signer",
     "verify: { trusted_signers = \"csl:list.example\"; "
     "on_none = \"reject\"; };",                                        "From: u@a.org\n",
     {{"b.org", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "policy",
     MFX_DKIM_NONE,      DKIM_ACTION_REJECT},
    {"trusted_signer",
     "verify: { trusted_signers = \"csl:list.example\"; "
     "on_none = \"reject\"; };",                                        "From: u@a.org\n",
     {{"list.example", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "pass",
     MFX_DKIM_PASS,      DKIM_ACTION_ACCEPT},
    {"trusted_signer_below",
     "verify: { trusted_signers = \"csl:.list.example\"; "
     "on_none = \"reject\"; };",                                        "From: u@a.org\n",
     {{"x.list.example", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "pass",
     MFX_DKIM_PASS,      DKIM_ACTION_ACCEPT},
    {"author_is_always_trusted",
     "verify: { trusted_signers = \"csl:\"; on_none = \"reject\"; };",  "From: u@sub.a.org\n",
     {{"a.org", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "pass",
     MFX_DKIM_PASS,      DKIM_ACTION_ACCEPT},
    {"invalid_header_never_passes",
     "verify: { invalid_headers = \"permerror\"; "
     "on_permerror = \"reject\"; };",                                   "From: u@a.org\nDate: x\nSubject: a\nSubject: b\n",
     {{"a.org", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "permerror",
     MFX_DKIM_PERMERROR, DKIM_ACTION_REJECT},
    {"valid_header",
     "verify: { invalid_headers = \"permerror\"; "
     "on_permerror = \"reject\"; };",                                   "From: u@a.org\nDate: x\nSubject: a\n",
     {{"a.org", MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE}},
     1, "pass",
     MFX_DKIM_PASS,      DKIM_ACTION_ACCEPT},
};

static void
judge(struct bench *b, size_t i)
{
    struct mfx_headers headers = {.first = NULL};
    struct mfx_str body;
    struct mfx_decision decision;
    struct dkim_plan plan;
    struct mfx_dkim_result results[3];
    struct dkim_judgement j;
    struct mfx_buf seen;
    assert_int_equal(mfx_message_split(mfx_str_of(judgements[i].header),
                                       b->arena, &headers, &body),
                     MFX_OK);
    const struct dkim_facts facts = {.headers = &headers};
    mfx_decision_init(&decision, b->arena);
    dkim_policy_plan(b->policy, &facts, b->arena, &decision, &plan);
    memset(results, 0, sizeof results);
    for (size_t k = 0; k < judgements[i].count; k++) {
        results[k].domain = mfx_str_of(judgements[i].results[k].domain);
        results[k].status = judgements[i].results[k].status;
        results[k].fault = judgements[i].results[k].fault;
    }
    const struct mfx_dkim_result *adjusted = dkim_policy_adjust(
        b->policy, &plan, results, judgements[i].count, b->arena, &decision);
    assert_non_null(adjusted);
    mfx_buf_init_arena(&seen, b->arena, 1000);
    for (size_t k = 0; k < judgements[i].count; k++)
        mfx_buf_printf(&seen, "%s%s", k == 0 ? "" : " ",
                       mfx_dkim_status_name(adjusted[k].status));
    unit_assert_str(judgements[i].label, mfx_buf_str(&seen),
                    mfx_str_of(judgements[i].statuses));
    dkim_policy_judge(b->policy, &plan, adjusted, judgements[i].count, b->arena,
                      &decision, &j);
    unit_assert_int(judgements[i].label, j.status, judgements[i].status);
    unit_assert_int(judgements[i].label, j.action, judgements[i].action);
    mfx_headers_fini(&headers);
}

static void
judging(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judgements / sizeof judgements[0]; i++) {
        struct bench b;
        bench_init(&b);
        unit_assert_int(judgements[i].label, bench_load(&b, judgements[i].conf),
                        MFX_OK);
        judge(&b, i);
        bench_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planning),
        cmocka_unit_test(loading),
        cmocka_unit_test(short_keys),
        cmocka_unit_test(judging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
