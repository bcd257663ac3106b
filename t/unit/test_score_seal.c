/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields as Python's hmac makes them:
 *
 *     import hmac, base64
 *     from hashlib import sha256
 *     def seal(secret, t, i, s, a, e, mid):
 *         h = lambda text: hmac.new(secret, text, sha256).digest()
 *         b64 = lambda x: base64.b64encode(x).decode()
 *         k = b64(h(b'mfx score seal key')[:6])
 *         m = b64(sha256(mid).digest()[:18]) if mid else ''
 *         tags = [('v', '1'), ('k', k), ('t', t), ('i', i), ('s', s),
 *                 ('a', a), ('e', '"%s"' % e), ('m', m)]
 *         text = 'mfx score seal\n' + ''.join('%s=%s\n' % x for x in tags)
 *         return '; '.join('%s=%s' % x for x in
 *                          tags + [('b', b64(h(text.encode())))])
 *     print(seal(b'tops3cr3t', 1732204800, '4Bx9k2', '7.25', 'tag',
 *                'rspamd=7.25 clamd=0', b'<1@example.org>'))
 */
#include <mfx/auth/score_seal.h>

#include "unit.h"

enum {
    NOW = 1732204800,
    DAY = 24 * 60 * 60,
};

#define TOP    "tops3cr3t"
#define LONG   "kkkkkkkkkkkkkkkkkkkk"
#define LONG80 LONG LONG LONG LONG
#define ID     "<1@example.org>"
#define WORD50 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define WORD48 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct mfx_str field_name = MFX_STR("X-Mfx-Score");

struct engines {
    size_t count;
    struct mfx_score_seal_engine items[2];
};

static const struct {
    const char *label, *secret;
    uint64_t time_s;
    const char *queue_id, *action;
    int64_t score;
    struct engines engines;
    const char *message_id, *want; /* with single blanks */
} written[] = {
    {"usual",
     TOP,    NOW,
     "4Bx9k2",      "tag",
     7250,                      {2, {{MFX_STR("rspamd"), 7250}, {MFX_STR("clamd"), 0}}},
     " " ID,
     " v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; s=7.25; a=tag; e=\"rspamd=7.25 clamd=0\"; m=wHI/M18DZ4QPmBF9rtk106sw; "
     "b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw="                                                                               },
    {"folded_message_id",
     TOP,    NOW,
     "4Bx9k2",      "tag",
     7250,                      {2, {{MFX_STR("rspamd"), 7250}, {MFX_STR("clamd"), 0}}},
     "\n\t<1@\n example.org>\t", " v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; s=7.25; a=tag; e=\"rspamd=7.25 clamd=0\"; m=wHI/M18DZ4QPmBF9rtk106sw; "
     "b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw="                                               },
    {"longer_than_a_block",
     LONG80, NOW,
     "4Bx9k2",      "tag",
     7250,                      {2, {{MFX_STR("rspamd"), 7250}, {MFX_STR("clamd"), 0}}},
     ID,                         " v=1; k=+RQ8XRKq; t=1732204800; i=4Bx9k2; s=7.25; a=tag; e=\"rspamd=7.25 clamd=0\"; m=wHI/M18DZ4QPmBF9rtk106sw; "
     "b=yoCLnTnWWALi/5kbPRb7HanXXUe5s8BFWGiCTRTLAiM="                                                                       },
    {"empty",
     TOP,    0,
     "",            "",
     MFX_DECIMAL_NONE,          {0, {{{0}, 0}}},
     "",                         " v=1; k=Y0SU4Eih; t=0; i=; s=none; a=; e=\"\"; m=; b=W7thv7YJdOc52Wdn3UHjmsnd3TDUe7mwxA6PGa0iFEo="},
    {"negative",
     TOP,    NOW,
     "4Bx9k2",      "none",
     -500,
     {2, {{MFX_STR("a"), -1000}, {MFX_STR("b"), MFX_DECIMAL_NONE}}},
     "<2@example.org>",          " v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; s=-0.5; a=none; e=\"a=-1 b=none\"; m=FZ4/vTRhkckhfz5/VrKiqqBK; "
     "b=Wz77UHAEZVYrFDHPftPc6AnLYpCBZurCRR/NDpsKXl0="                                                        },
    {"hostile",
     TOP,    UINT64_MAX,
     "a;\n",        "a=b\"",
     INT64_MAX - 1,
     {2, {{MFX_STR(""), 1000}, {MFX_STR("x \r\n=;y"), INT64_MIN}}},
     "<3@example.org>",          " v=1; k=Y0SU4Eih; t=18446744073709551615; i=a__; s=999999999.999; a=a_b_; e=\"_=1 x_____y=-999999999.999\"; "
     "m=SvfLBRSnK1TgTc5C0pl4yT/H; b=1zqzRaLSDzNDNGh7aZctShKQ/qta+FIsFwInuDHQH04="                            },
    {"long_names",
     TOP,    1,
     WORD50 WORD50,
     WORD50,                 0,
     {1, {{MFX_STR(WORD50), 0}}},
     "<3@example.org>",          " v=1; k=Y0SU4Eih; t=1; i=" WORD50
     "nnnnnnnnnnnnnn; s=0; a=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn; e=\"" WORD48
     "=0\"; "
     "m=SvfLBRSnK1TgTc5C0pl4yT/H; b=Uxtf5icX1u2zOOi3MYBG765ThAkKFF+wOxR1I6YEsDM="                            },
};

/* Folds undone: each line end and the blanks behind it are one blank. */
static struct mfx_str
one_line(struct mfx_str value, struct mfx_arena *arena)
{
    struct mfx_buf out;
    struct mfx_str word;
    mfx_buf_init_arena(&out, arena, 8192);
    while (mfx_str_word(&value, " \n\t", &word)) {
        mfx_buf_add_byte(&out, ' ');
        mfx_buf_add(&out, word);
    }
    return mfx_buf_str(&out);
}

static void
check_lines(const char *label, struct mfx_str value)
{
    struct mfx_str line;
    size_t before = field_name.len + 1;
    assert_true(mfx_header_value_is_safe(value));
    while (mfx_str_cut(&value, '\n', &line)) {
        size_t words = 0;
        struct mfx_str rest = line, word;
        while (mfx_str_word(&rest, " \t", &word))
            words++;
        if (before + line.len > 78 && words > 1)
            fail_msg("%s: a line of %zu", label, before + line.len);
        before = 0;
    }
}

static void
what_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        const struct mfx_score_seal seal = {
            .time_s = written[i].time_s,
            .queue_id = mfx_str_of(written[i].queue_id),
            .score = written[i].score,
            .action = mfx_str_of(written[i].action),
            .engines = written[i].engines.items,
            .engine_count = written[i].engines.count,
        };
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_str value = {0};
        unit_assert_int(written[i].label,
                        mfx_score_seal_write(mfx_str_of(written[i].secret),
                                             &seal,
                                             mfx_str_of(written[i].message_id),
                                             field_name.len, arena, &value),
                        MFX_OK);
        unit_assert_str(written[i].label, one_line(value, arena),
                        mfx_str_of(written[i].want));
        check_lines(written[i].label, value);
        mfx_arena_free(arena);
    }
}

/* More engines than fit are left out; what is written is read. */
static void
many_engines(void **state)
{
    static const struct mfx_str secret = MFX_STR(TOP);
    const struct mfx_score_seal_rules rules = {&secret, 1, 0};
    struct mfx_score_seal_engine engines[20];
    struct mfx_score_seal seal = {.engines = engines, .engine_count = 20};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_headers headers = {0};
    struct mfx_str value = {0};
    (void)state;
    for (size_t i = 0; i < 20; i++)
        engines[i] =
            (struct mfx_score_seal_engine){mfx_str_of(WORD48), -999999999999};
    assert_int_equal(mfx_score_seal_write(secret, &seal, mfx_str("", 0),
                                          field_name.len, arena, &value),
                     MFX_OK);
    check_lines("many", value);
    assert_non_null(mfx_headers_add(&headers, arena, field_name, value));
    assert_int_equal(
        mfx_score_seal_read(&rules, field_name, &headers, 0, arena, &seal),
        MFX_SCORE_SEAL_GOOD);
    assert_int_equal(seal.engine_count, MFX_SCORE_SEAL_ENGINES_MAX);
    unit_assert_str("many", seal.engines[15].name, mfx_str_of(WORD48));
    assert_int_equal(seal.engines[15].score, -999999999999);
    mfx_headers_fini(&headers);
    mfx_arena_free(arena);
}

/* --- reading --- */

#define HEAD "v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; "
#define SAID "s=7.25; a=tag; e=\"rspamd=7.25 clamd=0\"; "
#define TAIL \
    "m=wHI/M18DZ4QPmBF9rtk106sw; b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw="
#define FIELD "X-Mfx-Score: "
#define GOOD  FIELD HEAD SAID TAIL "\n"
#define MID   "Message-ID: " ID "\n"
#define NO_ID \
    FIELD     \
    "v=1; k=Y0SU4Eih; t=1732204800; i=4AL0xyz012345; s=1; a=none; e=\"a=1\"; m=; b=tgZG1UfuYLvUN4YPWUXMCpAsBOKJ9K/54jqhQ57KKyE=\n"

static const struct {
    const char *label, *header;
    int64_t later_s;
    enum mfx_score_seal_result want;
} read_cases[] = {
    {"good",                         MID GOOD,                                                   0,                          MFX_SCORE_SEAL_GOOD         },
    {"name_in_other_case",           MID "x-mfx-score: " HEAD SAID TAIL "\n",                    0,
     MFX_SCORE_SEAL_GOOD                                                                                                                                 },
    {"cut_by_an_empty_line",
     MID FIELD
     "\n\tv=1;\n\tk=Y0SU4Eih;\n\tt=1732204800;\n i=4Bx9k2;\n s=7.25;\n\n a=tag;\n e=\"rspamd=7.25\n\tclamd=0\";\n " TAIL
     "\n",                                                                                       0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"folded_by_an_mta",
     MID FIELD
     "\n\tv=1;\n\tk=Y0SU4Eih;\n\tt=1732204800;\n i=4Bx9k2;\n s=7.25;\n \ta=tag;\n e=\"rspamd=7.25\n\tclamd=0\";\n " TAIL
     "\n",                                                                                       0,                          MFX_SCORE_SEAL_GOOD         },
    {"mac_in_pieces",
     MID FIELD HEAD SAID
     "m=wHI/M18DZ4QPm\n BF9rtk106sw; b=m5wjcGxkdAga/pjOmvsS4F\n CnuvUxLlOu6fIj8AWrFDw=\n",
     0,                                                                                                                      MFX_SCORE_SEAL_GOOD         },
    {"no_blanks",
     MID FIELD
     "v=1;k=Y0SU4Eih;t=1732204800;i=4Bx9k2;s=7.25;a=tag;e=\"rspamd=7.25  clamd=0\";" TAIL
     "\n",                                                                                       0,                          MFX_SCORE_SEAL_GOOD         },
    {"other_order",                  MID FIELD TAIL "; " SAID HEAD "\n",                         0,                          MFX_SCORE_SEAL_GOOD         },
    {"final_semicolon",              MID FIELD HEAD SAID TAIL ";\n",                             0,                          MFX_SCORE_SEAL_GOOD         },
    {"older_secret",
     MID FIELD
     "v=1; k=+RQ8XRKq; t=1732204800; i=4Bx9k2; " SAID
     "m=wHI/M18DZ4QPmBF9rtk106sw; b=yoCLnTnWWALi/5kbPRb7HanXXUe5s8BFWGiCTRTLAiM=\n",
     0,                                                                                                                      MFX_SCORE_SEAL_GOOD         },
    {"message_id_folded_by_an_mta",  "Message-Id:\n\t" ID "\n" GOOD,                             0,
     MFX_SCORE_SEAL_GOOD                                                                                                                                 },
    {"first_message_id_counts",      MID "Message-ID: <2@x>\n" GOOD,                             0,
     MFX_SCORE_SEAL_GOOD                                                                                                                                 },
    {"no_message_id",                NO_ID,                                                      0,                          MFX_SCORE_SEAL_GOOD         },
    {"empty_message_id",             "Message-ID: \n" NO_ID,                                     0,                          MFX_SCORE_SEAL_GOOD         },
    {"message_id_given_by_sendmail",
     "Message-Id: <202411211600.4AL0xyz012345@mx.example>\n" NO_ID,                              0,
     MFX_SCORE_SEAL_GOOD                                                                                                                                 },

    {"none",                         MID "X-Mfx-Scores: " HEAD SAID TAIL "\n",                   0,                          MFX_SCORE_SEAL_NONE         },
    {"twice",                        MID GOOD GOOD,                                              0,                          MFX_SCORE_SEAL_SEVERAL      },
    {"two_one_broken",               MID GOOD "X-MFX-SCORE: v=1\n",                              0,
     MFX_SCORE_SEAL_SEVERAL                                                                                                                              },

    {"as_old_as_may_be",             MID GOOD,                                                   DAY,                        MFX_SCORE_SEAL_GOOD         },
    {"a_second_older",               MID GOOD,                                                   DAY + 1,                    MFX_SCORE_SEAL_OLD          },
    {"as_new_as_may_be",             MID GOOD,                                                   -MFX_SCORE_SEAL_SKEW_S,     MFX_SCORE_SEAL_GOOD         },
    {"a_second_newer",               MID GOOD,                                                   -MFX_SCORE_SEAL_SKEW_S - 1,
     MFX_SCORE_SEAL_FUTURE                                                                                                                               },

    {"other_message",                "Message-ID: <2@example.org>\n" GOOD,                       0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"other_message_first",          "Message-ID: <2@x>\n" MID GOOD,                             0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"message_id_gone",              GOOD,                                                       0,                          MFX_SCORE_SEAL_OTHER_MESSAGE},
    {"other_message_and_old",        "Message-ID: <2@x>\n" GOOD,                                 2 * DAY,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"message_id_where_none_was",    MID NO_ID,                                                  0,                          MFX_SCORE_SEAL_OTHER_MESSAGE},
    {"queue_id_not_behind_a_point",
     "Message-ID: <x4AL0xyz012345@mx.example>\n" NO_ID,                                          0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"queue_id_behind_the_at",       "Message-ID: <a@.4AL0xyz012345>\n" NO_ID,                   0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"queue_id_longer_than_all",     "Message-ID: 5@\n" NO_ID,                                   0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },
    {"queue_id_fills_all",           "Message-ID: 4AL0xyz012345@\n" NO_ID,                       0,
     MFX_SCORE_SEAL_OTHER_MESSAGE                                                                                                                        },

    {"other_secret",
     MID FIELD "v=1; k=Y0SU4Eii; t=1732204800; i=4Bx9k2; " SAID TAIL "\n",                       0,
     MFX_SCORE_SEAL_UNKNOWN_KEY                                                                                                                          },
    {"key_of_another_secret",
     MID FIELD "v=1; k=+RQ8XRKq; t=1732204800; i=4Bx9k2; " SAID TAIL "\n",                       0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"score_changed",
     MID FIELD HEAD "s=1.25; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                      0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"score_written_otherwise",
     MID FIELD HEAD "s=7.250; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                     0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"time_changed",
     MID FIELD "v=1; k=Y0SU4Eih; t=1732204801; i=4Bx9k2; " SAID TAIL "\n",                       0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"id_changed",
     MID FIELD "v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k3; " SAID TAIL "\n",                       0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"action_changed",
     MID FIELD HEAD "s=7.25; a=none; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                     0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"engine_changed",
     MID FIELD HEAD "s=7.25; a=tag; e=\"rspamd=7.25 clamd=1\"; " TAIL "\n",                      0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },
    {"message_changed",
     "Message-ID: <2@example.org>\n" FIELD HEAD SAID
     "m=FZ4/vTRhkckhfz5/VrKiqqBK; b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw=\n",
     0,                                                                                                                      MFX_SCORE_SEAL_FORGED       },
    {"mac_changed",
     MID FIELD HEAD SAID
     "m=wHI/M18DZ4QPmBF9rtk106sw; b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDx=\n",
     0,                                                                                                                      MFX_SCORE_SEAL_FORGED       },
    {"mac_in_other_case",
     MID FIELD HEAD SAID
     "m=wHI/M18DZ4QPmBF9rtk106sw; b=M5WJCGXKDAGA/PJOMVSS4FCNUVUXLLOU6FIJ8AWRFDW=\n",
     0,                                                                                                                      MFX_SCORE_SEAL_FORGED       },
    {"mac_without_message_digest",
     FIELD HEAD SAID "m=; b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw=\n",                     0,
     MFX_SCORE_SEAL_FORGED                                                                                                                               },

    {"empty_field",                  MID FIELD "\n",                                             0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"words",                        MID FIELD "yes\n",                                          0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"tag_twice",                    MID FIELD HEAD SAID TAIL "; s=7.25\n",                      0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"other_tag_twice",              MID FIELD HEAD SAID "s=1; " TAIL "\n",                      0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"tag_missing",                  MID FIELD HEAD "s=7.25; a=tag; " TAIL "\n",                 0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"mac_missing",                  MID FIELD HEAD SAID "m=wHI/M18DZ4QPmBF9rtk106sw\n",         0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"further_tag",                  MID FIELD HEAD SAID TAIL "; x=1\n",                         0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"further_tag_in_place_of_one",
     MID FIELD HEAD "s=7.25; x=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                      0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"tag_in_capitals",
     MID FIELD HEAD "S=7.25; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                      0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"other_version",
     MID FIELD "v=2; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; " SAID TAIL "\n",                       0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"short_key",
     MID FIELD "v=1; k=Y0SU4Ei; t=1732204800; i=4Bx9k2; " SAID TAIL "\n",                        0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"short_mac",                    MID FIELD HEAD SAID "m=wHI/M18DZ4QPmBF9rtk106sw; b=m5wj\n", 0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"empty_mac",                    MID FIELD HEAD SAID "m=wHI/M18DZ4QPmBF9rtk106sw; b=\n",     0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"short_digest",
     MID FIELD HEAD SAID
     "m=wHI; b=m5wjcGxkdAga/pjOmvsS4FCnuvUxLlOu6fIj8AWrFDw=\n",                                  0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"time_no_number",
     MID FIELD "v=1; k=Y0SU4Eih; t=soon; i=4Bx9k2; " SAID TAIL "\n",                             0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"time_negative",
     MID FIELD "v=1; k=Y0SU4Eih; t=-1; i=4Bx9k2; " SAID TAIL "\n",                               0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"time_too_large",
     MID FIELD "v=1; k=Y0SU4Eih; t=99999999999999999999; i=4Bx9k2; " SAID TAIL
               "\n",                                                                             0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"score_infinite",
     MID FIELD HEAD "s=inf; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                       0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"score_with_exponent",
     MID FIELD HEAD "s=7e3; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                       0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"score_empty",
     MID FIELD HEAD "s=; a=tag; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",                          0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"odd_queue_id",
     MID FIELD "v=1; k=Y0SU4Eih; t=1732204800; i=<x>; " SAID TAIL "\n",                          0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"odd_action",
     MID FIELD HEAD "s=7.25; a=\"tag\"; e=\"rspamd=7.25 clamd=0\"; " TAIL "\n",
     0,                                                                                                                      MFX_SCORE_SEAL_MALFORMED    },
    {"engines_without_quotes",
     MID FIELD HEAD "s=7.25; a=tag; e=rspamd=7.25; " TAIL "\n",                                  0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"engines_one_quote",            MID FIELD HEAD "s=7.25; a=tag; e=\"; " TAIL "\n",           0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"engine_without_score",
     MID FIELD HEAD "s=7.25; a=tag; e=\"rspamd\"; " TAIL "\n",                                   0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"engine_without_name",
     MID FIELD HEAD "s=7.25; a=tag; e=\"=7\"; " TAIL "\n",                                       0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"engine_with_odd_name",
     MID FIELD HEAD "s=7.25; a=tag; e=\"a\\\"b=7\"; " TAIL "\n",                                 0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"seventeen_engines",
     MID FIELD HEAD
     "s=7.25; a=tag; e=\"a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1\"; " TAIL
     "\n",                                                                                       0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"control_byte",                 MID FIELD HEAD SAID "\001" TAIL "\n",                       0,
     MFX_SCORE_SEAL_MALFORMED                                                                                                                            },
    {"no_utf8",                      MID FIELD HEAD SAID TAIL "\xFF\n",                          0,                          MFX_SCORE_SEAL_MALFORMED    },
    {"too_long",
     MID FIELD HEAD SAID TAIL LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
         LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
             LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
                 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
                     LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
                         LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80 LONG80
                             LONG80 LONG80 "\n",
     0,                                                                                                                      MFX_SCORE_SEAL_MALFORMED    },
};

static enum mfx_score_seal_result
read_header(const char *text, uint64_t now_s, uint64_t max_age_s,
            struct mfx_arena *arena, struct mfx_score_seal *seal)
{
    static const struct mfx_str secrets[] = {MFX_STR("newest"), MFX_STR(""),
                                             MFX_STR(TOP), MFX_STR(LONG80)};
    const struct mfx_score_seal_rules rules = {secrets, 4, max_age_s};
    struct mfx_headers headers = {0};
    struct mfx_str body;
    assert_int_equal(
        mfx_message_split(mfx_str_of(text), arena, &headers, &body), MFX_OK);
    enum mfx_score_seal_result result =
        mfx_score_seal_read(&rules, field_name, &headers, now_s, arena, seal);
    mfx_headers_fini(&headers);
    return result;
}

static void
what_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof read_cases / sizeof read_cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_score_seal seal = {.time_s = 1};
        enum mfx_score_seal_result got = read_header(
            read_cases[i].header, (uint64_t)(NOW + read_cases[i].later_s), DAY,
            arena, &seal);
        if (got != read_cases[i].want)
            fail_msg("%s: %s, want %s", read_cases[i].label,
                     mfx_score_seal_result_text(got),
                     mfx_score_seal_result_text(read_cases[i].want));
        bool is_ours =
            got == MFX_SCORE_SEAL_GOOD || got == MFX_SCORE_SEAL_OLD ||
            got == MFX_SCORE_SEAL_FUTURE || got == MFX_SCORE_SEAL_OTHER_MESSAGE;
        unit_assert_int(read_cases[i].label, seal.time_s, is_ours ? NOW : 1);
        mfx_arena_free(arena);
    }
}

static void
values_come_back(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_score_seal seal;
    (void)state;
    assert_int_equal(read_header(MID GOOD, NOW + 1000 * DAY, 0, arena, &seal),
                     MFX_SCORE_SEAL_GOOD);
    assert_int_equal(seal.time_s, NOW);
    unit_assert_str("id", seal.queue_id, mfx_str_of("4Bx9k2"));
    unit_assert_str("action", seal.action, mfx_str_of("tag"));
    assert_int_equal(seal.score, 7250);
    assert_int_equal(seal.engine_count, 2);
    unit_assert_str("engine", seal.engines[0].name, mfx_str_of("rspamd"));
    assert_int_equal(seal.engines[0].score, 7250);
    unit_assert_str("engine", seal.engines[1].name, mfx_str_of("clamd"));
    assert_int_equal(seal.engines[1].score, 0);
    assert_int_equal(
        read_header("Message-ID: <2@example.org>\n" FIELD
                    "v=1; k=Y0SU4Eih; t=1732204800; i=4Bx9k2; s=-0.5; a=none; "
                    "e=\"a=-1 b=none\"; m=FZ4/vTRhkckhfz5/VrKiqqBK; "
                    "b=Wz77UHAEZVYrFDHPftPc6AnLYpCBZurCRR/NDpsKXl0=\n",
                    NOW, 0, arena, &seal),
        MFX_SCORE_SEAL_GOOD);
    assert_int_equal(seal.score, -500);
    assert_int_equal(seal.engines[0].score, -1000);
    assert_true(seal.engines[1].score == MFX_DECIMAL_NONE);
    mfx_arena_free(arena);
}

static void
without_memory(void **state)
{
    static const struct mfx_str secret = MFX_STR(TOP);
    const struct mfx_score_seal seal = {.queue_id = MFX_STR("4Bx9k2")};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_arena *none = mfx_arena_new(1);
    struct mfx_headers headers = {0};
    const struct mfx_score_seal_rules rules = {&secret, 1, 0};
    struct mfx_score_seal got;
    struct mfx_str value = MFX_STR("untouched"), body;
    (void)state;
    assert_int_equal(
        mfx_score_seal_write(secret, &seal, mfx_str_of(ID), 11, none, &value),
        MFX_TEMPFAIL);
    assert_int_equal(mfx_score_seal_write(mfx_str("", 0), &seal, mfx_str_of(ID),
                                          11, arena, &value),
                     MFX_PERMFAIL);
    unit_assert_str("value", value, mfx_str_of("untouched"));
    assert_int_equal(
        mfx_message_split(mfx_str_of(MID GOOD), arena, &headers, &body),
        MFX_OK);
    assert_int_equal(
        mfx_score_seal_read(&rules, field_name, &headers, NOW, none, &got),
        MFX_SCORE_SEAL_UNAVAILABLE);
    mfx_headers_fini(&headers);
    mfx_arena_free(none);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written), cmocka_unit_test(many_engines),
        cmocka_unit_test(what_is_read),    cmocka_unit_test(values_come_back),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
