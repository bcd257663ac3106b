/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expected addresses were written by Mail::SRS 0.31 (Debian libmail-srs-perl)
 * with a fixed clock; those of "tops3cr3t" stand in PostSRSd 2's own tests. */
#include "unit.h"

#include <mfx/auth/srs.h>

enum {
    DAY = 24 * 60 * 60,
    NEW_YEAR = 1577836860, /* 2020-01-01 00:01:00 UTC */
};

static const struct mfx_str postsrsd[] = {MFX_STR("tops3cr3t")};
static const struct mfx_str perl[] = {MFX_STR("secret")};

static struct mfx_srs_settings
settings_of(const struct mfx_str *secrets, size_t count, const char *domain)
{
    return (struct mfx_srs_settings){
        .secrets = secrets,
        .secret_count = count,
        .separator = '=',
        .hash_length = 4,
        .hash_minimum = 4,
        .max_age = 21,
        .is_plain_alphabet = true,
        .domain = mfx_str_of(domain),
    };
}

static struct mfx_str
joined(struct mfx_arena *arena, const struct mfx_srs_address *a)
{
    return mfx_arena_printf(arena, "%.*s@%.*s", MFX_STR_ARG(a->local),
                            MFX_STR_ARG(a->domain));
}

/* Everything before the last "@", and what follows. */
static struct mfx_srs_address
parted(const char *text)
{
    struct mfx_str s = mfx_str_of(text);
    size_t at = mfx_str_find_last(s, '@');
    return (struct mfx_srs_address){mfx_str_head(s, at),
                                    mfx_str_from(s, at + 1)};
}

struct kind {
    const struct mfx_str *secret;
    char separator;
    unsigned length;
    bool is_plain;
};
static const struct kind of_postsrsd = {postsrsd, '=', 4, true},
                         of_perl = {perl, '=', 4, true},
                         with_plus = {perl, '+', 4, true},
                         with_hyphen = {perl, '-', 8, true},
                         digits_20 = {perl, '=', 20, true},
                         digits_20_url = {perl, '=', 20, false},
                         url = {perl, '=', 4, false};

static struct mfx_srs_settings
settings_of_kind(const struct kind *kind)
{
    struct mfx_srs_settings s = settings_of(kind->secret, 1, "example.com");
    s.separator = kind->separator;
    s.hash_length = kind->length;
    s.is_plain_alphabet = kind->is_plain;
    return s;
}

static void
forward(void **state)
{
    static const struct {
        const char *label;
        const struct kind *kind;
        uint64_t now;
        const char *from, *want; /* before "@example.com" */
    } cases[] = {
        {"postsrsd",          &of_postsrsd,   NEW_YEAR,   "test@otherdomain.com",
         "SRS0=vmyz=2W=otherdomain.com=test"                                                                                                      },
        {"mixed_case",        &of_postsrsd,   NEW_YEAR,   "Test.User@OtherDomain.COM",
         "SRS0=wUGm=2W=OtherDomain.COM=Test.User"                                                                                                 },
        {"postsrsd_srs0",     &of_postsrsd,   NEW_YEAR,
         "SRS0=opaque+string@otherdomain.com",                                                      "SRS1=chaI=otherdomain.com==opaque+string"    },
        {"postsrsd_srs1",     &of_postsrsd,   NEW_YEAR,
         "SRS1=X=thirddomain.com==opaque+string@otherdomain.com",                                   "SRS1=JIBX=thirddomain.com==opaque+string"    },
        {"first_day",         &of_perl,       0,          "usera@hosta.com",
         "SRS0=mGil=AA=hosta.com=usera"                                                                                                           },
        {"its_last_second",   &of_perl,       DAY - 1,    "usera@hosta.com",
         "SRS0=mGil=AA=hosta.com=usera"                                                                                                           },
        {"second_day",        &of_perl,       DAY,        "usera@hosta.com",
         "SRS0=kY0H=AB=hosta.com=usera"                                                                                                           },
        {"last_stamp",        &of_perl,       1023 * DAY, "usera@hosta.com",
         "SRS0=hTPk=77=hosta.com=usera"                                                                                                           },
        {"first_stamp_again", &of_perl,       1024 * DAY, "usera@hosta.com",
         "SRS0=mGil=AA=hosta.com=usera"                                                                                                           },
        {"equal_signs",       &of_perl,       NEW_YEAR,   "a=b=c@hosta.com",
         "SRS0=5mji=2W=hosta.com=a=b=c"                                                                                                           },
        {"plus",              &with_plus,     NEW_YEAR,   "a+b@hosta.com",
         "SRS0+1C6s=2W=hosta.com=a+b"                                                                                                             },
        {"hyphen",            &with_hyphen,   NEW_YEAR,   "list-bounce@hosta.com",
         "SRS0-0PNynkQP=2W=hosta.com=list-bounce"                                                                                                 },
        {"digits_20",         &digits_20,     NEW_YEAR,   "usera@hosta.com",
         "SRS0=1YqggrbHUB1n6U/RTsUy=2W=hosta.com=usera"                                                                                           },
        {"digits_20_url",     &digits_20_url, NEW_YEAR,   "usera@hosta.com",
         "SRS0=1YqggrbHUB1n6U_RTsUy=2W=hosta.com=usera"                                                                                           },
        {"plus_digit",        &of_perl,       NEW_YEAR,   "u53@hosta.com",
         "SRS0=+myJ=2W=hosta.com=u53"                                                                                                             },
        {"plus_digit_url",    &url,           NEW_YEAR,   "u53@hosta.com",
         "SRS0=-myJ=2W=hosta.com=u53"                                                                                                             },
        {"utf8",              &of_perl,       NEW_YEAR,   "\xC3\xBCser@hosta.com",
         "SRS0=IQtl=2W=hosta.com=\xC3\xBCser"                                                                                                     },
        {"srs0",              &of_perl,       NEW_YEAR,   "SRS0=FTR/=JK=hosta.com=usera@hostb.com",
         "SRS1=MwMl=hostb.com==FTR/=JK=hosta.com=usera"                                                                                           },
        {"srs0_its_plus",     &of_perl,       NEW_YEAR,
         "srs0+FTR/=JK=hosta.com=usera@hostb.com",                                                  "SRS1=SO4a=hostb.com=+FTR/=JK=hosta.com=usera"},
        {"srs1",              &of_perl,       NEW_YEAR,
         "SRS1=MwMl=hostb.com==FTR/=JK=hosta.com=usera@hostc.com",                                  "SRS1=MwMl=hostb.com==FTR/=JK=hosta.com=usera"},
        {"srs1_its_hyphen",   &with_plus,     NEW_YEAR,
         "srs1+xx=hostb.com=-FTR/=JK=hosta.com=usera@hostc.com",                                    "SRS1+EjrD=hostb.com=-FTR/=JK=hosta.com=usera"},
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_srs_settings s = settings_of_kind(cases[i].kind);
        struct mfx_srs_address from = parted(cases[i].from), to = {0};
        unit_assert_int(cases[i].label,
                        mfx_srs_forward(&s, &from, cases[i].now, arena, &to),
                        MFX_SRS_FOUND);
        unit_assert_str(cases[i].label, to.local, mfx_str_of(cases[i].want));
        unit_assert_str(cases[i].label, to.domain, s.domain);
    }
    mfx_arena_free(arena);
}

/* What only looks like SRS goes out, and comes back, as any address does. */
static void
tagged_but_not_srs(void **state)
{
    static const char *const senders[] = {
        "SRS0=@hosta.com", "SRS0@hosta.com",     "SRS1=abc@hosta.com",
        "SRS1=@hosta.com", "SRS1=a=b@hosta.com", "SRS1=a=b=c@hosta.com",
        "SRS1=a==-c@h.com"};
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of_kind(&of_perl);
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        struct mfx_srs_address from = parted(senders[i]), to, back;
        unit_assert_int(senders[i],
                        mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                        MFX_SRS_FOUND);
        unit_assert_int(senders[i],
                        mfx_srs_reverse(&s, to.local, NEW_YEAR, arena, &back),
                        MFX_SRS_FOUND);
        unit_assert_str(senders[i], joined(arena, &back),
                        mfx_str_of(senders[i]));
    }
    mfx_arena_free(arena);
}

static void
no_senders(void **state)
{
    static const struct {
        const char *label, *from;
    } malformed[] = {
        {"no_local",         "@hosta.com"        },
        {"no_domain",        "usera@"            },
        {"nothing",          ""                  },
        {"domain_of_names",  "usera@1"           },
        {"equal_in_domain",  "usera@host=a.com"  },
        {"at_in_local",      "user@b@hosta.com"  },
        {"line_feed_local",  "user\na@hosta.com" },
        {"delete_in_local",  "user\x7F@hosta.com"},
        {"return_in_domain", "usera@hosta.com\r" },
        {"blank_in_domain",  "usera@host a.com"  },
        {"quote_in_domain",  "usera@\"hosta.com" },
        {"empty_label",      "usera@hosta..com"  },
        {"no_utf8",          "us\xE9ra@hosta.com"},
        {"angle_in_domain",  "usera@hosta.com>"  },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of_kind(&of_perl);
    struct mfx_srs_address to = {0};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct mfx_srs_address from = parted(malformed[i].from);
        struct mfx_str name;
        unit_assert_int(malformed[i].label,
                        mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                        MFX_SRS_MALFORMED);
        unit_assert_int(
            malformed[i].label,
            mfx_srs_forward_short(&s, &from, NEW_YEAR, arena, &to, &name),
            MFX_SRS_MALFORMED);
    }
    struct mfx_srs_address nul = {mfx_str("a\0b", 3), mfx_str_of("hosta.com")};
    assert_int_equal(mfx_srs_forward(&s, &nul, NEW_YEAR, arena, &to),
                     MFX_SRS_MALFORMED);
    assert_null(to.local.p);
    mfx_arena_free(arena);
}

static void
reverse(void **state)
{
    static const struct {
        const char *label, *in, *want;
        enum mfx_srs_result result;
    } cases[] = {
  /* PostSRSd 2, tests/blackbox/socketmap.py */
        {"srs0",              "SRS0=XjO9=2V=otherdomain.com=test",               "test@otherdomain.com",
         MFX_SRS_FOUND                                                                                                    },
        {"lower_case",        "srs0=xjo9=2v=otherdomain.com=test",
         "test@otherdomain.com",                                                                         MFX_SRS_FOUND    },
        {"upper_case",        "SRS0=XJO9=2V=OTHERDOMAIN.COM=TEST",
         "TEST@OTHERDOMAIN.COM",                                                                         MFX_SRS_FOUND    },
        {"srs1",              "SRS1=JIBX=thirddomain.com==opaque+string",
         "SRS0=opaque+string@thirddomain.com",                                                           MFX_SRS_FOUND    },
        {"name",              "SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ",
         "DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@1",                                                           MFX_SRS_SHORT    },
        {"name_lower_case",   "SRS0=bxzH=2W=1=dcjgde6n24lcrt41a4t0g1uif0dtkkqj",
         "DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@1",                                                           MFX_SRS_SHORT    },
        {"months_ago",        "SRS0=te87=T7=otherdomain.com=test",               "",
         MFX_SRS_TOO_OLD                                                                                                  },
        {"months_ahead",      "SRS0=VcIb=7N=otherdomain.com=test",               "",
         MFX_SRS_TOO_OLD                                                                                                  },
        {"other_hash",        "SRS0=FAKE=2V=otherdomain.com=test",               "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"no_hash",           "SRS0=",                                           "",                     MFX_SRS_MALFORMED},
        {"no_stamp",          "SRS0=XjO9",                                       "",                     MFX_SRS_MALFORMED},
        {"no_domain",         "SRS0=XjO9=2V",                                    "",                     MFX_SRS_MALFORMED},
        {"no_local",          "SRS0=XjO9=2V=otherdomain.com",                    "",                     MFX_SRS_MALFORMED},
        {"not_srs",           "test",                                            "",                     MFX_SRS_NOT_SRS  },
 /* any separator behind the tag: it is not hashed */
        {"plus",              "SRS0+XjO9=2V=otherdomain.com=test",               "test@otherdomain.com",
         MFX_SRS_FOUND                                                                                                    },
        {"hyphen",            "Srs0-XjO9=2V=otherdomain.com=test",               "test@otherdomain.com",
         MFX_SRS_FOUND                                                                                                    },
        {"srs1_hyphen",       "SRS1-JIBX=thirddomain.com==opaque+string",
         "SRS0=opaque+string@thirddomain.com",                                                           MFX_SRS_FOUND    },
        {"no_separator",      "SRS0XjO9=2V=otherdomain.com=test",                "",
         MFX_SRS_NOT_SRS                                                                                                  },
        {"other_separator",   "SRS0.XjO9=2V=otherdomain.com=test",               "",
         MFX_SRS_NOT_SRS                                                                                                  },
        {"other_number",      "SRS2=XjO9=2V=otherdomain.com=test",               "",
         MFX_SRS_NOT_SRS                                                                                                  },
        {"tag_alone",         "SRS0",                                            "",                     MFX_SRS_NOT_SRS  },
        {"empty",             "",                                                "",                     MFX_SRS_NOT_SRS  },
 /* forged or damaged */
        {"hash_empty",        "SRS0==2V=otherdomain.com=test",                   "",                     MFX_SRS_MALFORMED},
        {"hash_short",        "SRS0=XjO=2V=otherdomain.com=test",                "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"hash_with_more",    "SRS0=XjO9A=2V=otherdomain.com=test",              "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"hash_very_long",
         "SRS0=XjO9XjO9XjO9XjO9XjO9XjO9XjO9=2V=otherdomain.com=test",            "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"other_local",       "SRS0=XjO9=2V=otherdomain.com=tesu",               "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"other_domain",      "SRS0=XjO9=2V=otherdomain.con=test",               "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"other_stamp",       "SRS0=XjO9=2W=otherdomain.com=test",               "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"srs0_as_srs1",      "SRS1=XjO9=2Votherdomain.com=test",                "",
         MFX_SRS_MALFORMED                                                                                                },
        {"stamp_short",       "SRS0=XjO9=2=otherdomain.com=test",                "",
         MFX_SRS_MALFORMED                                                                                                },
        {"stamp_long",        "SRS0=XjO9=22V=otherdomain.com=test",              "",
         MFX_SRS_MALFORMED                                                                                                },
        {"stamp_not_base32",  "SRS0=XjO9=1V=otherdomain.com=test",               "",
         MFX_SRS_MALFORMED                                                                                                },
        {"stamp_digit_8",     "SRS0=XjO9=28=otherdomain.com=test",               "",
         MFX_SRS_MALFORMED                                                                                                },
        {"domain_empty",      "SRS0=XjO9=2V==test",                              "",                     MFX_SRS_MALFORMED},
        {"local_empty",       "SRS0=XjO9=2V=otherdomain.com=",                   "",                     MFX_SRS_MALFORMED},
        {"at_sign",           "SRS0=XjO9=2V=otherdomain.com=a@b",                "",                     MFX_SRS_MALFORMED},
        {"line_feed",         "SRS0=XjO9=2V=otherdomain.com=a\nb",               "",
         MFX_SRS_MALFORMED                                                                                                },
        {"name_short",        "SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQ",  "",
         MFX_SRS_MALFORMED                                                                                                },
        {"name_letter",       "SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQW", "",
         MFX_SRS_MALFORMED                                                                                                },
        {"name_other",        "SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQK", "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"srs1_other_hash",   "SRS1=FAKE=thirddomain.com==opaque+string",        "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"srs1_other_inside", "SRS1=JIBX=thirddomain.com==opaque+strinG.",       "",
         MFX_SRS_BAD_HASH                                                                                                 },
        {"srs1_no_inside",    "SRS1=JIBX=thirddomain.com",                       "",                     MFX_SRS_MALFORMED},
        {"srs1_inside_empty", "SRS1=JIBX=thirddomain.com==",                     "",
         MFX_SRS_MALFORMED                                                                                                },
        {"srs1_no_separator", "SRS1=JIBX=thirddomain.com=opaque",                "",
         MFX_SRS_MALFORMED                                                                                                },
        {"srs1_no_domain",    "SRS1=JIBX===opaque+string",                       "",                     MFX_SRS_MALFORMED},
        {"srs1_without_hash", "SRS1=thirddomain.com==opaque+string",             "",
         MFX_SRS_MALFORMED                                                                                                },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(postsrsd, 1, "example.com");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_srs_address to = {0};
        unit_assert_int(
            cases[i].label,
            mfx_srs_reverse(&s, mfx_str_of(cases[i].in), NEW_YEAR, arena, &to),
            cases[i].result);
        if (cases[i].result == MFX_SRS_FOUND ||
            cases[i].result == MFX_SRS_SHORT)
            unit_assert_str(cases[i].label, joined(arena, &to),
                            mfx_str_of(cases[i].want));
        else
            assert_null(to.local.p);
    }
    struct mfx_srs_address to = {0};
    assert_int_equal(
        mfx_srs_reverse(&s, mfx_str("SRS0=XjO9=2V=otherdomain.com=a\0b", 32),
                        NEW_YEAR, arena, &to),
        MFX_SRS_MALFORMED);
    mfx_arena_free(arena);
}

/* What one of them writes, in either alphabet and any case, all accept that
 * have its secret. */
static void
several_secrets(void **state)
{
    static const struct mfx_str many[] = {MFX_STR("newest"), MFX_STR("secret"),
                                          MFX_STR("tops3cr3t")};
    static const struct {
        const char *label;
        size_t first, count;
        const char *in;
        enum mfx_srs_result result;
    } cases[] = {
        {"second",       0, 3, "SRS0=+myJ=2W=hosta.com=u53",                   MFX_SRS_FOUND   },
        {"third",        0, 3, "SRS0=vmyz=2W=otherdomain.com=test",            MFX_SRS_FOUND   },
        {"url_alphabet", 0, 3, "SRS0=-myJ=2W=hosta.com=u53",                   MFX_SRS_FOUND   },
        {"folded",       0, 3, "SRS0=-MYj=2W=hosta.com=u53",                   MFX_SRS_FOUND   },
        {"url_slash",    0, 3, "SRS0=1YqggrbHUB1n6U_RTsUy=2W=hosta.com=usera",
         MFX_SRS_FOUND                                                                         },
        {"withdrawn",    0, 1, "SRS0=+myJ=2W=hosta.com=u53",                   MFX_SRS_BAD_HASH},
        {"others_only",  2, 1, "SRS0=+myJ=2W=hosta.com=u53",                   MFX_SRS_BAD_HASH},
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_srs_settings s =
            settings_of(many + cases[i].first, cases[i].count, "example.com");
        struct mfx_srs_address to;
        unit_assert_int(
            cases[i].label,
            mfx_srs_reverse(&s, mfx_str_of(cases[i].in), NEW_YEAR, arena, &to),
            cases[i].result);
    }
    mfx_arena_free(arena);
}

/* A shorter hash than ours is taken down to the minimum, a longer one whole. */
static void
hash_lengths(void **state)
{
    static const char whole[] = "SRS0=1YqggrbHUB1n6U/RTsUy";
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(perl, 1, "example.com");
    s.hash_length = 8;
    s.hash_minimum = 6;
    for (int digits = 1; digits <= 20; digits++) {
        struct mfx_srs_address to;
        struct mfx_str in = mfx_arena_printf(arena, "%.*s=2W=hosta.com=usera",
                                             5 + digits, whole);
        unit_assert_int(in.p, mfx_srs_reverse(&s, in, NEW_YEAR, arena, &to),
                        digits < 6 ? MFX_SRS_BAD_HASH : MFX_SRS_FOUND);
    }
    mfx_arena_free(arena);
}

static void
ages(void **state)
{
    static const struct {
        const char *label;
        uint64_t made;
        int64_t age;
        enum mfx_srs_result result;
    } cases[] = {
        {"today",             NEW_YEAR,   0,    MFX_SRS_FOUND  },
        {"a_day_ahead",       NEW_YEAR,   -1,   MFX_SRS_FOUND  },
        {"two_days_ahead",    NEW_YEAR,   -2,   MFX_SRS_TOO_OLD},
        {"allowed",           NEW_YEAR,   21,   MFX_SRS_FOUND  },
        {"and_a_days_skew",   NEW_YEAR,   22,   MFX_SRS_FOUND  },
        {"too_old",           NEW_YEAR,   23,   MFX_SRS_TOO_OLD},
        {"half_a_turn",       NEW_YEAR,   512,  MFX_SRS_TOO_OLD},
        {"nearly_a_turn",     NEW_YEAR,   1022, MFX_SRS_TOO_OLD},
        {"over_the_turn",     1020 * DAY, 21,   MFX_SRS_FOUND  },
        {"too_old_over_it",   1020 * DAY, 23,   MFX_SRS_TOO_OLD},
        {"ahead_over_it",     1024 * DAY, -1,   MFX_SRS_FOUND  },
        {"two_ahead_over_it", 1024 * DAY, -2,   MFX_SRS_TOO_OLD},
        {"first_day",         0,          21,   MFX_SRS_FOUND  },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(perl, 1, "example.com");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_srs_address from = parted("usera@hosta.com"), to = {0}, back;
        assert_int_equal(mfx_srs_forward(&s, &from, cases[i].made, arena, &to),
                         MFX_SRS_FOUND);
        uint64_t now = (uint64_t)((int64_t)cases[i].made + cases[i].age * DAY);
        unit_assert_int(cases[i].label,
                        mfx_srs_reverse(&s, to.local, now, arena, &back),
                        cases[i].result);
    }
    mfx_arena_free(arena);
}

/* 64 octets as written, and 254 in all (RFC 5321 4.5.3.1): beside
 * "SRS0=hash=TT=" and "=" there is room for 50. */
static void
lengths(void **state)
{
    static const struct {
        const char *label, *local;
        size_t domain; /* the longest that fits */
    } cases[] = {
        {"plain",        "abcdefghijklmnopqrst", 30},
        {"leading_dot",  ".a",                   48},
        {"blank",        "a b",                  45},
        {"two_dots",     "a..b",                 44},
        {"final_dot",    "a.",                   46},
        {"two_escapes",  "a\"\\b",               42},
        {"utf8",         "\xC3\xBC",             48},
        {"other_atoms",  "!#$%&'*+-/=?^_`{|}~",  31},
        {"other_quoted", "a(b",                  45},
    };
    char domain[241];
    (void)state;
    memset(domain, 'o', sizeof domain);
    for (size_t i = 59; i < sizeof domain; i += 60)
        domain[i] = '.';
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(perl, 1, "example.com");
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        const char *label = cases[i / 2].label;
        struct mfx_srs_address to = {0}, back,
                               from = {mfx_str_of(cases[i / 2].local),
                                       mfx_str(domain,
                                               cases[i / 2].domain + i % 2)};
        unit_assert_int(label, mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                        i % 2 == 0 ? MFX_SRS_FOUND : MFX_SRS_TOO_LONG);
        /* usable all the same, for who wants it */
        unit_assert_int(label,
                        mfx_srs_reverse(&s, to.local, NEW_YEAR, arena, &back),
                        MFX_SRS_FOUND);
        unit_assert_str(label, back.local, from.local);
        unit_assert_str(label, back.domain, from.domain);
    }
    struct mfx_srs_address from = parted("u@h.example"), to;
    s.domain = mfx_str(domain, 254 - strlen("SRS0=hash=TT=h.example=u@"));
    assert_int_equal(mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                     MFX_SRS_FOUND);
    s.domain.len++;
    assert_int_equal(mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                     MFX_SRS_TOO_LONG);
    char local[MFX_SRS_INPUT_MAX];
    memset(local, 'l', sizeof local);
    from.local = mfx_str(local, sizeof local - from.domain.len);
    assert_int_equal(mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                     MFX_SRS_MALFORMED);
    mfx_arena_free(arena);
}

static void
short_forms(void **state)
{
    static const struct mfx_str rotated[] = {MFX_STR("new"), MFX_STR("secret")};
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(perl, 1, "example.com");
    struct mfx_srs_address a = parted("usera@hosta.com"), to, back;
    struct mfx_srs_address b = parted("userahosta.com@hosta.com");
    struct mfx_str name, again, other, later;
    s.hash_length = MFX_SRS_HASH_MAX;
    assert_int_equal(mfx_srs_forward_short(&s, &a, NEW_YEAR, arena, &to, &name),
                     MFX_SRS_FOUND);
    assert_int_equal(name.len, MFX_SRS_NAME);
    assert_true(to.local.len <= 64);
    assert_int_equal(mfx_srs_reverse(&s, to.local, NEW_YEAR, arena, &back),
                     MFX_SRS_SHORT);
    unit_assert_str("name comes back", back.local, name);
    assert_int_equal(
        mfx_srs_forward_short(&s, &a, NEW_YEAR + DAY, arena, &to, &again),
        MFX_SRS_FOUND);
    unit_assert_str("the same each day", again, name);
    assert_int_equal(
        mfx_srs_forward_short(&s, &b, NEW_YEAR, arena, &to, &other),
        MFX_SRS_FOUND);
    assert_false(mfx_str_eq(other, name));
    /* who does not know the secret cannot tell the name of an address */
    s.secrets = rotated;
    s.secret_count = 2;
    assert_int_equal(
        mfx_srs_forward_short(&s, &a, NEW_YEAR, arena, &to, &later),
        MFX_SRS_FOUND);
    assert_false(mfx_str_eq(later, name));
    s.hash_length = 4;
    assert_int_equal(mfx_srs_reverse(&s,
                                     mfx_str_of("SRS0=bxzH=2W=1="
                                                "DCJGDE6N24LCRT41A4T0G1UIF0DTKK"
                                                "QJ"),
                                     NEW_YEAR, arena, &back),
                     MFX_SRS_BAD_HASH);
    mfx_arena_free(arena);
}

/* HMAC-SHA1 of "@usera@hosta.com" with "secret", by Python's hmac and
 * base64.b32hexencode. */
static void
name_of_a_short_form(void **state)
{
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_srs_settings s = settings_of(perl, 1, "example.com");
    struct mfx_srs_address a = parted("usera@hosta.com"), to;
    struct mfx_str name;
    assert_int_equal(mfx_srs_forward_short(&s, &a, NEW_YEAR, arena, &to, &name),
                     MFX_SRS_FOUND);
    unit_assert_str("name", name,
                    mfx_str_of("QHIHOFUPOJ3ITEJ4TAUN5PA8BSBQT3BV"));
    mfx_arena_free(arena);
}

/* --- reverse of forward --- */

static uint32_t
next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct mfx_str
random_text(struct mfx_arena *arena, uint32_t *seed, const char *alphabet,
            size_t most)
{
    size_t len = 1 + next(seed) % most, count = strlen(alphabet);
    char *p = mfx_arena_alloc_bytes(arena, len);
    for (size_t i = 0; i < len; i++)
        p[i] = alphabet[next(seed) % count];
    return mfx_str(p, len);
}

static void
there_and_back(void **state)
{
    static const char locals[] = "abcXYZ019.=+-_ \"\\%!#(>/";
    static const char domains[] = "abcXYZ019_";
    static const char separators[] = "=+-";
    uint32_t seed = 20260101;
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (int i = 0; i < 5000; i++) {
        struct mfx_srs_settings s = settings_of(perl, 1, "example.com"), t;
        s.separator = separators[next(&seed) % 3];
        s.is_plain_alphabet = next(&seed) % 2 == 0;
        s.hash_length = 4 + next(&seed) % 10;
        t = s;
        t.domain = mfx_str_of("example.net");
        t.secrets = postsrsd;
        struct mfx_srs_address from, one, two, back;
        uint64_t now = next(&seed) * UINT64_C(500);
        from.local = random_text(arena, &seed, locals, 40);
        from.domain = random_text(arena, &seed, domains, 40);
        if (mfx_str_is(from.domain, "1"))
            continue;
        enum mfx_srs_result result =
            mfx_srs_forward(&s, &from, now, arena, &one);
        assert_true(result == MFX_SRS_FOUND || result == MFX_SRS_TOO_LONG);
        /* over a second forwarder, which folds the case */
        result = mfx_srs_forward(&t, &one, now + 5 * DAY, arena, &two);
        assert_true(result == MFX_SRS_FOUND || result == MFX_SRS_TOO_LONG);
        struct mfx_str folded = mfx_arena_copy_lower(arena, two.local);
        assert_int_equal(
            mfx_srs_reverse(&t, folded, now + 100 * DAY, arena, &back),
            MFX_SRS_FOUND);
        assert_true(mfx_str_eq_nocase(back.local, one.local));
        assert_true(mfx_str_eq_nocase(back.domain, one.domain));
        assert_int_equal(
            mfx_srs_reverse(&t, two.local, now + 100 * DAY, arena, &back),
            MFX_SRS_FOUND);
        unit_assert_str("second", back.local, one.local);
        assert_int_equal(
            mfx_srs_reverse(&s, back.local, now + 20 * DAY, arena, &back),
            MFX_SRS_FOUND);
        unit_assert_str("local", back.local, from.local);
        unit_assert_str("domain", back.domain, from.domain);
        if (i % 500 == 499)
            mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
}

static void
settings_that_cannot_be(void **state)
{
    static const struct mfx_str empty[] = {MFX_STR("good"), MFX_STR("")};
    static const struct {
        const char *label;
        const struct mfx_str *secrets;
        size_t count;
        char separator;
        unsigned length, minimum, age;
        const char *domain, *want;
    } cases[] = {
        {"good",         perl,  1, '=', 4,  4, 21,  "example.com", NULL         },
        {"no_secret",    NULL,  0, '=', 4,  4, 21,  "example.com", "no secret"  },
        {"empty_secret", empty, 2, '=', 4,  4, 21,  "example.com",
         "secret is empty"                                                      },
        {"separator",    perl,  1, '.', 4,  4, 21,  "example.com", "separator"  },
        {"length_0",     perl,  1, '=', 0,  0, 21,  "example.com", "hash"       },
        {"length_21",    perl,  1, '=', 21, 4, 21,  "example.com", "hash length"},
        {"minimum_0",    perl,  1, '=', 4,  0, 21,  "example.com", "hash"       },
        {"minimum_5",    perl,  1, '=', 4,  5, 21,  "example.com", "longer"     },
        {"age_0",        perl,  1, '=', 4,  4, 0,   "example.com", "age"        },
        {"age_366",      perl,  1, '=', 4,  4, 366, "example.com", "age"        },
        {"no_domain",    perl,  1, '=', 4,  4, 21,  "",            "SRS domain" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_srs_settings s =
            settings_of(cases[i].secrets, cases[i].count, cases[i].domain);
        struct mfx_err err = {0};
        s.separator = cases[i].separator;
        s.hash_length = cases[i].length;
        s.hash_minimum = cases[i].minimum;
        s.max_age = cases[i].age;
        unit_assert_int(cases[i].label, mfx_srs_settings_check(&s, &err),
                        cases[i].want == NULL ? MFX_OK : MFX_PERMFAIL);
        if (cases[i].want != NULL && strstr(err.msg, cases[i].want) == NULL)
            fail_msg("%s: %s", cases[i].label, err.msg);
    }
}

/* Without memory there is no answer, and never a wrong one. */
static void
no_memory(void **state)
{
    (void)state;
    struct mfx_srs_settings s = settings_of(postsrsd, 1, "example.com");
    struct mfx_srs_address from = parted("test@otherdomain.com"), to = {0};
    struct mfx_str name = {0};
    struct mfx_arena *arena = mfx_arena_new(1);
    assert_int_equal(mfx_srs_forward(&s, &from, NEW_YEAR, arena, &to),
                     MFX_SRS_UNAVAILABLE);
    assert_int_equal(
        mfx_srs_forward_short(&s, &from, NEW_YEAR, arena, &to, &name),
        MFX_SRS_UNAVAILABLE);
    assert_int_equal(
        mfx_srs_reverse(&s, mfx_str_of("SRS0=FAKE=2V=otherdomain.com=test"),
                        NEW_YEAR, arena, &to),
        MFX_SRS_UNAVAILABLE);
    assert_null(to.local.p);
    assert_null(name.p);
    mfx_arena_free(arena);
}

static void
texts(void **state)
{
    (void)state;
    for (int i = MFX_SRS_FOUND; i <= MFX_SRS_UNAVAILABLE; i++)
        for (int k = MFX_SRS_FOUND; k < i; k++)
            assert_string_not_equal(
                mfx_srs_result_text((enum mfx_srs_result)i),
                mfx_srs_result_text((enum mfx_srs_result)k));
    assert_true(mfx_srs_is_tagged(mfx_str_of("srs1-")));
    assert_false(mfx_srs_is_tagged(mfx_str_of("srs1")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward),
        cmocka_unit_test(tagged_but_not_srs),
        cmocka_unit_test(no_senders),
        cmocka_unit_test(reverse),
        cmocka_unit_test(several_secrets),
        cmocka_unit_test(hash_lengths),
        cmocka_unit_test(ages),
        cmocka_unit_test(lengths),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(name_of_a_short_form),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(settings_that_cannot_be),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
