/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <libmilter/mfapi.h>

#include <mfx/milter/negotiate.h>

static enum mfx_rc
early(struct mfx_connection *c)
{
    (void)c;
    return MFX_OK;
}

static enum mfx_rc
stage(struct mfx_message *m)
{
    (void)m;
    return MFX_OK;
}

static enum mfx_rc
header(struct mfx_message *m, const struct mfx_header *h)
{
    (void)m;
    (void)h;
    return MFX_OK;
}

static enum mfx_rc
rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    (void)m;
    (void)r;
    return MFX_OK;
}

static enum mfx_rc
body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    (void)m;
    (void)piece;
    (void)done;
    return MFX_OK;
}

enum {
    ALL_STEPS = 0x1fffff, /* what Postfix 3.7 and Sendmail 8.17 offer */
    ALL_ACTIONS = 0x1ff,
};

#define NO_ALL                                                                 \
    (SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH | \
     SMFIP_NOBODY)
#define ALWAYS (SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC)

static struct mfx_arena *arena;

static void
make(const struct mfx_hooks *hooks, const struct mfx_wants *wants,
     struct mfx_demand *demand)
{
    const struct mfx_filter filter = {.name = "mfx-test", .hooks = *hooks};
    const struct mfx_option_list none = {NULL, 0};
    assert_true(mfx_demand_make(&filter, wants, &none, arena, demand));
}

static void
steps(void **state)
{
    static const struct {
        const char *label;
        struct mfx_hooks hooks;
        struct mfx_wants wants;
        unsigned long offer;
        bool is_unix;
        unsigned long want;
    } cases[] = {
        {"only the end, unix",
         {.eom = stage},
         {0},
         ALL_STEPS,                                             true,
         NO_ALL | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL                      },
        {"only the end, tcp",
         {.eom = stage},
         {0},
         ALL_STEPS,                                             false,
         NO_ALL | ALWAYS                                                      },
        {"nothing offered",             {.eom = stage}, {0}, 0, true,  0      },
        {"version 2 offer",
         {.eom = stage},
         {0},
         SMFI_V2_PROT,                                          true,
         SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NOHDRS | SMFIP_NOEOH |
             SMFIP_NOBODY                                                     },
        {"connect answers at MAIL",
         {.connect = early},
         {0},
         ALL_STEPS,                                             true,
         NO_ALL | ALWAYS | SMFIP_NR_CONN                                      },
        {"header and eoh never reply",
         {.header = header, .eoh = stage},
         {0},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOBODY | ALWAYS |
             SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH      },
        {"rcpt and data reply",
         {.rcpt = rcpt, .data = stage},
         {0},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | ALWAYS |
             SMFIP_NR_CONN | SMFIP_NR_MAIL                                    },
        {"recipients without hook",
         {.eom = stage},
         {.recipients = true},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH |
             SMFIP_NOBODY | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL |
             SMFIP_NR_RCPT                                                    },
        {"rejected recipients",
         {.rcpt = rcpt},
         {.rejected_recipients = true},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH |
             SMFIP_NOBODY | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL |
             SMFIP_RCPT_REJ                                                   },
        {"a body that may be skipped",
         {.body = body},
         {.body = MFX_BODY_STREAM},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOHDRS |
             SMFIP_NOEOH | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_SKIP},
        {"a body that is wanted whole",
         {.body = body},
         {.body = MFX_BODY_STREAM, .whole_body = true},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOHDRS |
             SMFIP_NOEOH | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL |
             SMFIP_NR_BODY                                                    },
        {"a stored body",
         {.eom = stage},
         {.body = MFX_BODY_STORED},
         ALL_STEPS,                                             true,
         SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOHDRS |
             SMFIP_NOEOH | ALWAYS | SMFIP_NR_CONN | SMFIP_NR_MAIL |
             SMFIP_NR_BODY                                                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_demand demand;
        struct mfx_plan plan;
        const struct mfx_offer offer = {ALL_ACTIONS, cases[i].offer,
                                        cases[i].is_unix};
        make(&cases[i].hooks, &cases[i].wants, &demand);
        mfx_plan_make(&demand, &offer, &plan);
        unit_assert_int(cases[i].label, plan.steps, cases[i].want);
    }
}

static void
actions(void **state)
{
    static const struct {
        const char *label;
        unsigned long offer, want;
        bool has_macro_lists;
    } cases[] = {
        {"all that there are", 0x1ff,            0x1ff, true },
        {"version 2",          0x3f,             0x3f,  false},
        {"none",               0,                0,     false},
        {"bits nobody knows",  0xff000000UL | 1, 1,     false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mfx_hooks hooks = {.eom = stage};
        const struct mfx_wants wants = {0};
        struct mfx_demand demand;
        struct mfx_plan plan;
        const struct mfx_offer offer = {cases[i].offer, ALL_STEPS, true};
        make(&hooks, &wants, &demand);
        mfx_plan_make(&demand, &offer, &plan);
        unit_assert_int(cases[i].label, plan.actions, cases[i].want);
        unit_assert_int(cases[i].label, plan.has_macro_lists,
                        cases[i].has_macro_lists);
    }
}

static void
macros(void **state)
{
    const struct mfx_filter filter = {.name = "mfx-test",
                                      .hooks = {.eom = stage}};
    const struct mfx_str origin[] = {MFX_STR("{tls_version}"),
                                     MFX_STR("{ours}=yes|1"), MFX_STR("i")};
    const struct mfx_option_list list = {origin, 3};
    const struct mfx_wants wants = {
        .rejected_recipients = true,
        .macros = {[MFX_STAGE_MAIL] = "{mail_addr} {auth_type}",
                   [MFX_STAGE_EOM] = "{msg_id}"}
    };
    struct mfx_demand d;
    (void)state;
    assert_true(mfx_demand_make(&filter, &wants, &list, arena, &d));
    unit_assert_str("connect", d.macros[MFX_STAGE_CONNECT],
                    mfx_str_of("j v {daemon_name}"));
    unit_assert_str("helo", d.macros[MFX_STAGE_HELO], mfx_str_of(""));
    unit_assert_str("mail, each once", d.macros[MFX_STAGE_MAIL],
                    mfx_str_of("i {auth_authen} {auth_type} {tls_version} "
                               "{ours} {mail_addr}"));
    unit_assert_str("rcpt", d.macros[MFX_STAGE_RCPT],
                    mfx_str_of("i {rcpt_mailer} {rcpt_host} {rcpt_addr}"));
    unit_assert_str("eoh", d.macros[MFX_STAGE_EOH], mfx_str_of("i"));
    unit_assert_str("eom", d.macros[MFX_STAGE_EOM], mfx_str_of("i {msg_id}"));
}

static void
too_many_macros(void **state)
{
    const struct mfx_filter filter = {.name = "mfx-test"};
    const struct mfx_option_list none = {NULL, 0};
    struct mfx_buf names;
    struct mfx_demand d;
    size_t count = 0;
    (void)state;
    mfx_buf_init_arena(&names, arena, 4096);
    for (int i = 0; i < 60; i++)
        mfx_buf_printf(&names, "{m%d} ", i);
    const struct mfx_wants wants = {
        .macros = {[MFX_STAGE_MAIL] = mfx_buf_text(&names)}};
    assert_false(mfx_demand_make(&filter, &wants, &none, arena, &d));
    struct mfx_str rest = d.macros[MFX_STAGE_MAIL], word;
    while (mfx_str_word(&rest, " ", &word))
        count++;
    unit_assert_int("Sendmail takes 50", count, 50);
}

/* A message may use a newer snapshot only if its session gives what that
 * needs. */
static void
serves(void **state)
{
    static const struct {
        const char *label;
        struct mfx_hooks hooks;
        struct mfx_wants old, new;
        unsigned long offer;
        bool want;
    } cases[] = {
        {"the same",
         {.eom = stage},
         {.headers = true},
         {.headers = true},
         ALL_STEPS,                                                                                true },
        {"less",                                {.eom = stage}, {.headers = true}, {0}, ALL_STEPS, true },
        {"headers were negotiated away",
         {.eom = stage},
         {0},
         {.headers = true},
         ALL_STEPS,                                                                                false},
        {"but the MTA sends them all the same",
         {.eom = stage},
         {0},
         {.headers = true},
         0,                                                                                        true },
        {"the body was negotiated away",
         {.eom = stage},
         {0},
         {.body = MFX_BODY_STORED},
         ALL_STEPS,                                                                                false},
        {"a reply to the body is needed now",
         {.body = body},
         {.body = MFX_BODY_STREAM, .whole_body = true},
         {.body = MFX_BODY_STREAM},
         ALL_STEPS,                                                                                false},
        {"rejected recipients are wanted now",
         {.rcpt = rcpt},
         {0},
         {.rejected_recipients = true},
         ALL_STEPS,                                                                                false},
        {"never offered, asked both times",
         {.rcpt = rcpt},
         {.rejected_recipients = true},
         {.rejected_recipients = true},
         0,                                                                                        true },
        {"one macro more",
         {.eom = stage},
         {.macros = {[MFX_STAGE_MAIL] = "a"}},
         {.macros = {[MFX_STAGE_MAIL] = "a b"}},
         ALL_STEPS,                                                                                false},
        {"one macro less",
         {.eom = stage},
         {.macros = {[MFX_STAGE_MAIL] = "a b"}},
         {.macros = {[MFX_STAGE_MAIL] = "b"}},
         ALL_STEPS,                                                                                true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_demand old, new;
        struct mfx_plan plan;
        const struct mfx_offer offer = {ALL_ACTIONS, cases[i].offer, true};
        make(&cases[i].hooks, &cases[i].old, &old);
        make(&cases[i].hooks, &cases[i].new, &new);
        mfx_plan_make(&old, &offer, &plan);
        unit_assert_int(cases[i].label, mfx_plan_serves(&plan, &new),
                        cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),  cmocka_unit_test(actions),
        cmocka_unit_test(macros), cmocka_unit_test(too_many_macros),
        cmocka_unit_test(serves),
    };
    arena = mfx_arena_new(0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_arena_free(arena);
    return failed;
}
