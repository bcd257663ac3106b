/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses of "tops3cr3t" are those of PostSRSd 2's own tests. */
#include <stdlib.h>
#include <sys/stat.h>

#include <mfx/store/store_local.h>

#include "../../milters/masq/srs.h"
#include "masq_tables.h"

enum {
    DAY = 24 * 60 * 60,
    NEW_YEAR = 1577836860, /* 2020-01-01 00:01:00 UTC */
};

static const struct mfx_str secrets[] = {MFX_STR("tops3cr3t")};

/* The clock of the store, in days from the new year. */
struct clock {
    struct mfx_env env;
    uint64_t day;
};

static uint64_t
wall_s(const struct mfx_env *env)
{
    const struct clock *clock = env->arg;
    return NEW_YEAR + clock->day * DAY;
}

static uint64_t
mono_ms(const struct mfx_env *env)
{
    const struct clock *clock = env->arg;
    return 1000 + clock->day * DAY * 1000;
}

struct site {
    struct masq_tables t;
    struct clock clock;
    struct mfx_store *store;
    struct masq_srs srs;
};

static void
site_begin(struct site *s)
{
    static const struct mfx_store_local_settings memory = {.memory_bytes =
                                                               1024 * 1024};
    *s = (struct site){0};
    masq_tables_begin(&s->t);
    s->clock.env = mfx_env_system();
    s->clock.env.wall_s = wall_s;
    s->clock.env.mono_ms = mono_ms;
    s->clock.env.arg = &s->clock;
    s->store = mfx_store_local_open(&memory, &s->clock.env);
    assert_non_null(s->store);
    s->srs = (struct masq_srs){
        .engine = {.secrets = secrets,
                   .secret_count = 1,
                   .separator = '=',
                   .hash_length = 4,
                   .hash_minimum = 4,
                   .max_age = 21,
                   .is_plain_alphabet = true,
                   .domain = MFX_STR("example.com")},
        .also_domains = masq_tables_open(&s->t, "csl:old.example.com"),
        .maps = {.our_domains =
                     masq_tables_open(&s->t,   "csl:us.example,.us.example")},
        .forward = MASQ_SRS_FORWARDED,
        .short_forms = true,
        .reverses = true,
    };
}

static void
site_end(struct site *s)
{
    mfx_store_close(s->store, 1000);
    masq_tables_end(&s->t);
}

static enum mfx_rc
ask(struct site *s, bool is_reverse, const char *text,
    struct masq_srs_answer *answer, struct mfx_err *err)
{
    struct masq_address a = masq_tables_address(text);
    struct masq_srs_call call;
    uint64_t now = s->clock.env.wall_s(&s->clock.env);
    if (is_reverse)
        masq_srs_begin_reverse(&s->srs, s->store, &a, now, s->t.arena, &call);
    else
        masq_srs_begin_forward(&s->srs, s->store, &a, now, s->t.arena, &call);
    struct mfx_event *event = masq_srs_event(&call);
    if (event != NULL)
        assert_true(mfx_event_wait(event, mfx_mono_ms() + 20000));
    return masq_srs_end(&call, answer, err);
}

/* --- whether --- */

static void
which_senders(void **state)
{
    static const struct {
        const char *label, *sender;
        int forward;
        const char *why; /* NULL: may be forwarded */
    } cases[] = {
        {"foreign",     "a@far.example",            MASQ_SRS_FORWARDED, NULL                     },
        {"all",         "a@far.example",            MASQ_SRS_ALL,       NULL                     },
        {"off",         "a@far.example",            MASQ_SRS_OFF,       "srs.forward is off"     },
        {"null",        NULL,                       MASQ_SRS_FORWARDED, "null sender"            },
        {"bare",        "root",                     MASQ_SRS_FORWARDED, "sender without a domain"},
        {"own",         "a@us.example",             MASQ_SRS_FORWARDED, "own sender"             },
        {"own_all",     "a@us.example",             MASQ_SRS_ALL,       "own sender"             },
        {"below",       "a@Host.Us.example",        MASQ_SRS_FORWARDED, "own sender"             },
        {"srs_domain",  "SRS0=a=b=c=d@example.com", MASQ_SRS_FORWARDED,
         "own sender"                                                                            },
        {"also_domain", "a@old.example.com",        MASQ_SRS_FORWARDED, "own sender"             },
        {"other_srs",   "SRS0=a=b=c=d@far.example", MASQ_SRS_FORWARDED, NULL                     },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_address a = {0};
        struct mfx_str why;
        if (cases[i].sender != NULL)
            a = masq_tables_address(cases[i].sender);
        s.srs.forward = cases[i].forward;
        enum mfx_rc rc = masq_srs_may_forward(
            &s.srs, cases[i].sender == NULL ? NULL : &a, s.t.arena, &why, NULL);
        unit_assert_int(cases[i].label, rc,
                        cases[i].why == NULL ? MFX_OK : MFX_NOTFOUND);
        unit_assert_str(cases[i].label, why, mfx_str_of(cases[i].why));
    }
    site_end(&s);
}

static void
which_recipients(void **state)
{
    struct site s;
    struct mfx_str where;
    struct masq_address ours = masq_tables_address("a@us.example");
    struct masq_address theirs = masq_tables_address("a@far.example");
    (void)state;
    site_begin(&s);
    assert_int_equal(masq_srs_leaves(&s.srs, &ours, s.t.arena, &where, NULL),
                     MFX_NOTFOUND);
    assert_int_equal(masq_srs_leaves(&s.srs, &theirs, s.t.arena, &where, NULL),
                     MFX_OK);
    unit_assert_str("where", where, mfx_str_of("a@far.example"));
    s.srs.forward = MASQ_SRS_ALL;
    assert_int_equal(masq_srs_leaves(&s.srs, &ours, s.t.arena, &where, NULL),
                     MFX_OK);
    site_end(&s);
}

/* --- forward, reverse --- */

static void
addresses(void **state)
{
    static const struct {
        const char *label;
        bool is_reverse;
        const char *in;
        enum mfx_rc rc;
        const char *want; /* address; PERMFAIL: code and text; else text */
    } cases[] = {
        {"forward",            false, "test@otherdomain.com",                          MFX_OK,
         "SRS0=vmyz=2W=otherdomain.com=test@example.com"                                                                                            },
        {"forward_srs0",       false, "SRS0=opaque+string@otherdomain.com",            MFX_OK,
         "SRS1=chaI=otherdomain.com==opaque+string@example.com"                                                                                     },
        {"forward_impossible", false, "test@other=domain.com",                         MFX_NOTFOUND,
         "sender that cannot be put into an SRS address"                                                                                            },
        {"reverse",            true,  "SRS0=XjO9=2V=otherdomain.com=test@example.com",
         MFX_OK,                                                                                     "test@otherdomain.com"                         },
        {"reverse_also",       true,
         "SRS0=XjO9=2V=otherdomain.com=test@Old.Example.com",                          MFX_OK,
         "test@otherdomain.com"                                                                                                                     },
        {"reverse_srs1",       true,
         "SRS1=JIBX=thirddomain.com==opaque+string@example.com",                       MFX_OK,
         "SRS0=opaque+string@thirddomain.com"                                                                                                       },
        {"other_domain",       true,  "SRS0=XjO9=2V=otherdomain.com=test@us.example",
         MFX_NOTFOUND,                                                                               "not one of our SRS domains"                   },
        {"not_srs",            true,  "postmaster@example.com",                        MFX_NOTFOUND,
         "not an SRS address"                                                                                                                       },
        {"forged",             true,  "SRS0=FAKE=2V=otherdomain.com=test@example.com",
         MFX_PERMFAIL,                                                                               "5.7.1 SRS address with a wrong hash"          },
        {"old",                true,  "SRS0=te87=T7=otherdomain.com=test@example.com",
         MFX_PERMFAIL,                                                                               "5.1.1 SRS address is too old"                 },
        {"malformed",          true,  "SRS0=XjO9=2V@example.com",                      MFX_PERMFAIL,
         "5.1.3 malformed SRS address"                                                                                                              },
        {"name_unknown",       true,
         "SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@example.com",                MFX_PERMFAIL, "5.1.1 short SRS address is not known any more"},
    };
    struct site s;
    (void)state;
    site_begin(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_srs_answer answer;
        struct mfx_err err = {""};
        unit_assert_int(
            cases[i].label,
            ask(&s, cases[i].is_reverse, cases[i].in, &answer, &err),
            cases[i].rc);
        struct mfx_str got =
            cases[i].rc == MFX_OK ? masq_tables_text(&s.t, &answer.to)
            : cases[i].rc == MFX_PERMFAIL
                ? mfx_arena_printf(s.t.arena, "%s %s", answer.code, answer.text)
                : mfx_str_of(answer.text);
        unit_assert_str(cases[i].label, got, mfx_str_of(cases[i].want));
    }
    site_end(&s);
}

/* SRS addresses of ours within one another end at the sender at once. */
static void
chains(void **state)
{
    struct site s;
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    const char *address = "test@far.example";
    (void)state;
    site_begin(&s);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&s, false, address, &answer, &err), MFX_OK);
        address = masq_tables_text(&s.t, &answer.to).p;
    }
    unit_assert_str("it is one", mfx_str(address, 4), mfx_str_of("SRS1"));
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_OK);
    unit_assert_str("sender", masq_tables_text(&s.t, &answer.to),
                    mfx_str_of("test@far.example"));
    /* forged within: as any forged one */
    assert_int_equal(
        ask(&s, false, "SRS0=FAKE=2W=far.example=a@example.com", &answer, &err),
        MFX_OK);
    address = masq_tables_text(&s.t, &answer.to).p;
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_PERMFAIL);
    assert_string_equal(answer.code, "5.7.1");
    /* a mailbox in an SRS domain */
    assert_int_equal(ask(&s, false, "info@example.com", &answer, &err), MFX_OK);
    address = masq_tables_text(&s.t, &answer.to).p;
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_OK);
    unit_assert_str("mailbox", masq_tables_text(&s.t, &answer.to),
                    mfx_str_of("info@example.com"));
    s.srs.reverses = false;
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_NOTFOUND);
    site_end(&s);
}

static const char long_sender[] =
    "a-rather-long-local-part+of-a-mailing-list=user=host.example@"
    "bounces.lists.far.example";

static void
short_forms(void **state)
{
    struct site s;
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    assert_int_equal(ask(&s, false, long_sender, &answer, &err), MFX_OK);
    assert_true(answer.to.local.len <= 64);
    const char *first = masq_tables_text(&s.t, &answer.to).p;
    assert_int_equal(ask(&s, true, first, &answer, &err), MFX_OK);
    unit_assert_str("back", masq_tables_text(&s.t, &answer.to),
                    mfx_str_of(long_sender));
    /* used again it lives longer; each address as long as its own stamp */
    s.clock.day = 20;
    assert_int_equal(ask(&s, false, long_sender, &answer, &err), MFX_OK);
    const char *second = masq_tables_text(&s.t, &answer.to).p;
    s.clock.day = 22;
    assert_int_equal(ask(&s, true, first, &answer, &err), MFX_OK);
    s.clock.day = 23;
    assert_int_equal(ask(&s, true, first, &answer, &err), MFX_PERMFAIL);
    assert_string_equal(answer.text, "SRS address is too old");
    s.clock.day = 42;
    assert_int_equal(ask(&s, true, second, &answer, &err), MFX_OK);
    unit_assert_str("back again", masq_tables_text(&s.t, &answer.to),
                    mfx_str_of(long_sender));
    s.clock.day = 44;
    assert_int_equal(ask(&s, true, second, &answer, &err), MFX_PERMFAIL);
    site_end(&s);
}

/* Every day that the stamp allows, the store still has it. */
static void
store_keeps_as_long(void **state)
{
    struct site s;
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    s.srs.engine.max_age = 2;
    assert_int_equal(ask(&s, false, long_sender, &answer, &err), MFX_OK);
    const char *address = masq_tables_text(&s.t, &answer.to).p;
    for (s.clock.day = 0; s.clock.day <= 3; s.clock.day++)
        assert_int_equal(ask(&s, true, address, &answer, &err), MFX_OK);
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_PERMFAIL);
    assert_string_equal(answer.text, "SRS address is too old");
    site_end(&s);
}

static void
without_short_forms(void **state)
{
    struct site s;
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    s.srs.short_forms = false;
    assert_int_equal(ask(&s, false, long_sender, &answer, &err), MFX_OK);
    assert_true(answer.to.local.len > 64);
    const char *address = masq_tables_text(&s.t, &answer.to).p;
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_OK);
    unit_assert_str("back", masq_tables_text(&s.t, &answer.to),
                    mfx_str_of(long_sender));
    char sender[300];
    memset(sender, 'a', sizeof sender);
    memcpy(sender + 250 - 12, "@far.example", 13);
    assert_int_equal(ask(&s, false, sender, &answer, &err), MFX_NOTFOUND);
    assert_string_equal(answer.text, "SRS address would be too long");
    s.srs.short_forms = true;
    assert_int_equal(ask(&s, false, sender, &answer, &err), MFX_OK);
    site_end(&s);
}

/* No store, and a store that is down: nobody is refused, or rewritten to what
 * would not come back. */
static void
outage(void **state)
{
    struct site s;
    struct masq_srs_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    assert_int_equal(ask(&s, false, long_sender, &answer, &err), MFX_OK);
    const char *address = masq_tables_text(&s.t, &answer.to).p;
    struct mfx_store *good = s.store;
    const struct mfx_store_local_settings nowhere = {
        .path = "/no/such/folder/store", .memory_bytes = 1024 * 1024};
    struct mfx_store *down = mfx_store_local_open(&nowhere, &s.clock.env);
    struct mfx_store *stores[] = {NULL, down};
    for (size_t i = 0; i < 2; i++) {
        s.store = stores[i];
        err.msg[0] = '\0';
        assert_int_equal(ask(&s, true, address, &answer, &err), MFX_TEMPFAIL);
        assert_true(err.msg[0] != '\0');
        assert_int_equal(ask(&s, false, long_sender, &answer, &err),
                         MFX_TEMPFAIL);
        /* what needs no store does without */
        assert_int_equal(ask(&s, false, "a@far.example", &answer, &err),
                         MFX_OK);
    }
    mfx_store_close(down, 0);
    s.store = good;
    struct mfx_arena *arena = s.t.arena;
    s.t.arena = mfx_arena_new(1);
    assert_int_equal(ask(&s, false, "a@far.example", &answer, &err),
                     MFX_TEMPFAIL);
    assert_int_equal(ask(&s, true, address, &answer, &err), MFX_TEMPFAIL);
    mfx_arena_free(s.t.arena);
    s.t.arena = arena;
    site_end(&s);
}

/* --- from settings --- */

#define SRS     "our_domains = \"csl:us.example\"; srs = { domain = \"s.example\"; "
#define SECRETS SRS "secrets_file = \"^/secrets\"; "

static const struct {
    const char *label, *conf;
    enum mfx_rc rc;
    const char *problem; /* part of it; NULL: there is none */
} configurations[] = {
    {"none",              "",                                                   MFX_OK,       NULL                                             },
    {"plain",             SECRETS "};",                                         MFX_OK,       NULL                                             },
    {"no_secrets_file",   SRS "};",                                             MFX_PERMFAIL,
     "srs.secrets_file: is needed with srs.domain"                                                                                             },
    {"secrets_missing",   SRS "secrets_file = \"^/none\"; };",                  MFX_PERMFAIL,
     "masq.conf:1: "                                                                                                                           },
    {"bad_domain",
     "srs = { domain = \"a..b\"; secrets_file = \"^/secrets\"; };",             MFX_PERMFAIL, "srs.domain: no valid domain"                    },
    {"separator",         SECRETS "separator = \".\"; };",                      MFX_PERMFAIL,
     "srs.separator: is to be one of"                                                                                                          },
    {"two_separators",    SECRETS "separator = \"+-\"; };",                     MFX_PERMFAIL,
     "srs.separator: is to be one of"                                                                                                          },
    {"minimum_too_long",  SECRETS "hash_minimum = 8; };",                       MFX_PERMFAIL,
     "masq.conf:1: srs.hash_minimum: is longer"                                                                                                },
    {"minimum_fits",      SECRETS "hash_minimum = 8; hash_length = 8; };",      MFX_OK,
     NULL                                                                                                                                      },
    {"no_our_domains",
     "srs = { domain = \"s.example\"; secrets_file = \"^/secrets\"; };",        MFX_OK,
     "warning: our_domains: there are none"                                                                                                    },
    {"aliases_of_nobody", SECRETS "forward_maps = [ \"alias:^/aliases\" ]; };",
     MFX_OK,                                                                                  "warning: srs.forward_maps: aliases are those of"},
    {"aliases",
     "local_domains = \"csl:us.example\"; " SECRETS
     "forward_maps = [ \"alias:^/aliases\" ]; };",                              MFX_OK,       NULL                                             },
};

/* "^" is the folder. */
static struct mfx_str
in_folder(struct masq_tables *t, const char *text)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, t->arena, 100000);
    for (; *text != '\0'; text++)
        if (*text == '^')
            mfx_buf_add_text(&out, t->files.folder);
        else
            mfx_buf_add_byte(&out, *text);
    return mfx_buf_str(&out);
}

static enum mfx_rc
load(struct masq_tables *t, const char *text, const struct masq_srs **srs)
{
    struct masq_settings *settings =
        mfx_arena_alloc(t->arena, sizeof *settings);
    struct mfx_config *config = NULL;
    const char *file =
        conf_files_write(&t->files, "masq.conf", in_folder(t, text));
    const struct mfx_option_set set = {masq_options, settings};
    assert_int_equal(mfx_config_load(file, NULL, &set, 1, t->arena, t->set,
                                     &t->problems, &config),
                     MFX_OK);
    const struct mfx_policy_build build = {
        .settings = settings,
        .config = config,
        .arena = t->arena,
        .problems = &t->problems,
    };
    return masq_srs_new(settings, &build, srs);
}

static void
from_settings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof configurations / sizeof configurations[0];
         i++) {
        const char *label = configurations[i].label;
        const char *problem = configurations[i].problem;
        const struct masq_srs *srs = NULL;
        struct masq_tables t;
        masq_tables_begin(&t);
        const char *secret_file =
            conf_files_write(&t.files, "secrets", mfx_str_of("new\nold\n"));
        assert_int_equal(chmod(secret_file, 0600), 0);
        (void)conf_files_write(&t.files, "aliases", mfx_str_of("a: b@c\n"));
        unit_assert_int(label, load(&t, configurations[i].conf, &srs),
                        configurations[i].rc);
        struct mfx_str said = conf_files_problems(&t.files, &t.problems);
        const char *text = said.len == 0 ? "" : said.p;
        if (problem == NULL ? said.len > 0 : strstr(text, problem) == NULL)
            fail_msg("%s: %s", label, text);
        if (i == 0 || configurations[i].rc != MFX_OK)
            assert_null(srs);
        else
            assert_int_equal(srs->engine.secret_count, 2);
        masq_tables_end(&t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_senders),
        cmocka_unit_test(which_recipients),
        cmocka_unit_test(addresses),
        cmocka_unit_test(chains),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(store_keeps_as_long),
        cmocka_unit_test(without_short_forms),
        cmocka_unit_test(outage),
        cmocka_unit_test(from_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
