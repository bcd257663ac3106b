/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/auth/dkim_canon.h>
#include <mfx/auth/dkim_key.h>

#include <openssl/evp.h>

#include <stdlib.h>

static void
headers(void **state)
{
    static const struct {
        const char *label;
        enum mfx_dkim_canon canon;
        const char *name, *value, *want;
    } cases[] = {
  /* RFC 6376 3.4.5 */
        {"rfc_relaxed_a",    MFX_DKIM_RELAXED, "A",       " X",          "a:X\r\n"        },
        {"rfc_relaxed_b",    MFX_DKIM_RELAXED, "B ",      " Y\t\n\tZ  ", "b:Y Z\r\n"      },
        {"rfc_simple_a",     MFX_DKIM_SIMPLE,  "A",       " X",          "A: X\r\n"       },
        {"rfc_simple_b",     MFX_DKIM_SIMPLE,  "B ",      " Y\t\n\tZ  ",
         "B : Y\t\r\n\tZ  \r\n"                                                           },
        {"empty_relaxed",    MFX_DKIM_RELAXED, "Subject", "",            "subject:\r\n"   },
        {"empty_simple",     MFX_DKIM_SIMPLE,  "Subject", "",            "Subject:\r\n"   },
        {"blank_relaxed",    MFX_DKIM_RELAXED, "Subject", " \t ",        "subject:\r\n"   },
        {"blank_simple",     MFX_DKIM_SIMPLE,  "Subject", " \t ",
         "Subject: \t \r\n"                                                               },
        {"empty_first_line", MFX_DKIM_RELAXED, "To",      "\n a@b",      "to:a@b\r\n"     },
        {"blank_fold",       MFX_DKIM_RELAXED, "To",      " a\n \n b",   "to:a b\r\n"     },
        {"crlf_inside",      MFX_DKIM_RELAXED, "To",      " a\r\n b",    "to:a b\r\n"     },
        {"crlf_simple",      MFX_DKIM_SIMPLE,  "To",      " a\r\n b",    "To: a\r\n b\r\n"},
        {"lone_cr",          MFX_DKIM_RELAXED, "To",      " a\rb",       "to:a\rb\r\n"    },
        {"eight_bit",        MFX_DKIM_RELAXED, "To",      " \xe9  \xa0",
         "to:\xe9 \xa0\r\n"                                                               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf out;
        mfx_buf_init(&out, 1000);
        mfx_dkim_canon_header(cases[i].canon, mfx_str_of(cases[i].name),
                              mfx_str_of(cases[i].value), &out);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

static void
assert_digest(const char *label, const unsigned char *got, struct mfx_str text)
{
    unsigned char want[MFX_DKIM_SHA256];
    assert_int_equal(
        1, EVP_Digest(text.p, text.len, want, NULL, EVP_sha256(), NULL));
    if (memcmp(got, want, sizeof want) != 0)
        fail_msg("%s: another digest", label);
}

static void
bodies(void **state)
{
    static const struct {
        const char *label;
        bool fix;
        enum mfx_dkim_canon canon;
        const char *body, *want;
    } cases[] = {
  /* RFC 6376 3.4.5 */
        {"rfc_relaxed",       false, MFX_DKIM_RELAXED, " C \r\nD \t E\r\n\r\n\r\n",
         " C\r\nD E\r\n"                                                                            },
        {"rfc_simple",        false, MFX_DKIM_SIMPLE,  " C \r\nD \t E\r\n\r\n\r\n",
         " C \r\nD \t E\r\n"                                                                        },
 /* 3.4.3, 3.4.4 */
        {"none_simple",       false, MFX_DKIM_SIMPLE,  "",                          "\r\n"          },
        {"none_relaxed",      false, MFX_DKIM_RELAXED, "",                          ""              },
        {"lines_simple",      false, MFX_DKIM_SIMPLE,  "\r\n\r\n\r\n",              "\r\n"          },
        {"lines_relaxed",     false, MFX_DKIM_RELAXED, "\r\n\r\n\r\n",              ""              },
        {"blanks_simple",     false, MFX_DKIM_SIMPLE,  " \r\n\t\r\n",               " \r\n\t\r\n"   },
        {"blanks_relaxed",    false, MFX_DKIM_RELAXED, " \r\n\t\r\n",               ""              },
        {"blank_end_relaxed", false, MFX_DKIM_RELAXED, "a\r\n \r\n\r\n  ",
         "a\r\n"                                                                                    },
        {"no_crlf_simple",    false, MFX_DKIM_SIMPLE,  "a",                         "a\r\n"         },
        {"no_crlf_relaxed",   false, MFX_DKIM_RELAXED, "a ",                        "a\r\n"         },
        {"leading_relaxed",   false, MFX_DKIM_RELAXED, "\r\n \t a\r\n",
         "\r\n a\r\n"                                                                               },
        {"cr_relaxed",        false, MFX_DKIM_RELAXED, "a \r b\r\r\n",              "a \r b\r\r\n"  },
        {"cr_end_relaxed",    false, MFX_DKIM_RELAXED, "a \r",                      "a \r\r\n"      },
        {"cr_end_simple",     false, MFX_DKIM_SIMPLE,  "a\r\n\r",                   "a\r\n\r\r\n"   },
        {"lf_simple",         false, MFX_DKIM_SIMPLE,  "a\n\n\r\n",                 "a\n\n\r\n"     },
        {"lf_relaxed",        false, MFX_DKIM_RELAXED, "a \n b",                    "a \n b\r\n"    },
        {"fix_lf",            true,  MFX_DKIM_RELAXED, "a \nb\n\n",                 "a\r\nb\r\n"    },
        {"fix_cr",            true,  MFX_DKIM_SIMPLE,  "a\r\rb\r",                  "a\r\n\r\nb\r\n"},
        {"fix_crlf",          true,  MFX_DKIM_SIMPLE,  "a\r\nb\r\n\n",              "a\r\nb\r\n"    },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_dkim_body *b = mfx_dkim_body_new(arena, cases[i].fix);
        int h = mfx_dkim_body_want(b, cases[i].canon, MFX_DKIM_NO_LIMIT);
        mfx_dkim_body_update(b, mfx_str_of(cases[i].body));
        mfx_dkim_body_finish(b);
        struct mfx_str want = mfx_str_of(cases[i].want);
        assert_digest(cases[i].label, mfx_dkim_body_digest(b, h), want);
        unit_assert_int(cases[i].label, mfx_dkim_body_length(b, h), want.len);
    }
    mfx_arena_free(arena);
}

/* --- any cut gives the same: against a plain, slow rendering of the RFC --- */

/* RFC 6376 3.4.3 and 3.4.4 in the order of their words, on whole lines. */
static size_t
slow_line(bool relaxed, const char *p, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (!relaxed || (p[i] != ' ' && p[i] != '\t'))
            out[n++] = p[i];
        else if (i == 0 || (p[i - 1] != ' ' && p[i - 1] != '\t'))
            out[n++] = ' ';
    }
    return relaxed && n > 0 && out[n - 1] == ' ' ? n - 1 : n;
}

static size_t
slow_body(bool relaxed, const char *p, size_t len, char *out)
{
    size_t n = 0, at = 0;
    while (at < len) {
        const char *end = memmem(p + at, len - at, "\r\n", 2);
        size_t line = end == NULL ? len - at : (size_t)(end - p) - at;
        n += slow_line(relaxed, p + at, line, out + n);
        out[n++] = '\r';
        out[n++] = '\n';
        at += line + 2;
    }
    while (n >= 4 && memcmp(out + n - 4, "\r\n\r\n", 4) == 0)
        n -= 2;
    if (n == 2 && out[0] == '\r' && relaxed)
        n = 0;
    if (n == 0 && !relaxed) {
        memcpy(out, "\r\n", 2);
        n = 2;
    }
    return n;
}

enum {
    BODY_MAX = 9000,
};

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Stretches of words, white space and line ends, with runs long enough to
 * meet the block paths. */
static size_t
random_body(uint64_t *seed, char *p)
{
    static const char *const parts[] = {
        " ",
        "\t",
        "\r\n",
        "\r",
        "\n",
        "x",
        "word",
        "  ",
        " \r\n",
        "\r\n\r\n",
        "a line of plain text with single spaces and some length to it"};
    size_t len = 0, want = next_random(seed) % 40;
    for (size_t i = 0; i < want; i++) {
        const char *part = parts[next_random(seed) % 11];
        size_t times = next_random(seed) % 8 == 0 ? next_random(seed) % 90 : 1;
        size_t n = strlen(part);
        for (; times > 0 && len + n < BODY_MAX; times--, len += n)
            memcpy(p + len, part, n);
    }
    return len;
}

static void
cuts(void **state)
{
    static char body[BODY_MAX], want[2 * BODY_MAX];
    struct mfx_arena *arena = mfx_arena_new(0);
    uint64_t seed = 0x9e3779b97f4a7c15;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = random_body(&seed, body), at = 0;
        size_t largest = 1 + next_random(&seed) % (round % 3 == 0 ? 3 : 300);
        struct mfx_dkim_body *b = mfx_dkim_body_new(arena, false);
        uint64_t limit = next_random(&seed) % (len + 2);
        int handle[] = {
            mfx_dkim_body_want(b, MFX_DKIM_SIMPLE, MFX_DKIM_NO_LIMIT),
            mfx_dkim_body_want(b, MFX_DKIM_RELAXED, MFX_DKIM_NO_LIMIT)};
        int limited[] = {mfx_dkim_body_want(b, MFX_DKIM_SIMPLE, limit),
                         mfx_dkim_body_want(b, MFX_DKIM_RELAXED, limit)};
        while (at < len) {
            size_t n = 1 + next_random(&seed) % largest;
            n = n < len - at ? n : len - at;
            mfx_dkim_body_update(b, mfx_str(body + at, n));
            at += n;
        }
        mfx_dkim_body_finish(b);
        for (int relaxed = 0; relaxed < 2; relaxed++) {
            struct mfx_str text =
                mfx_str(want, slow_body(relaxed == 1, body, len, want));
            assert_digest("whole", mfx_dkim_body_digest(b, handle[relaxed]),
                          text);
            assert_digest("limited", mfx_dkim_body_digest(b, limited[relaxed]),
                          mfx_str_head(text, limit));
            unit_assert_int("length", mfx_dkim_body_length(b, limited[relaxed]),
                            text.len);
        }
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
}

/* 50 MB of one kind need no more memory than an empty body. */
static void
memory(void **state)
{
    static const char *const parts[] = {"\r\n", " ", "\t", " \r\n", "x"};
    static char piece[65535];
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_dkim_body *b = mfx_dkim_body_new(arena, false);
        size_t n = strlen(parts[i]);
        for (size_t k = 0; k < sizeof piece; k++)
            piece[k] = parts[i][k % n];
        assert_true(
            mfx_dkim_body_want(b, MFX_DKIM_RELAXED, MFX_DKIM_NO_LIMIT) >= 0);
        assert_true(mfx_dkim_body_want(b, MFX_DKIM_SIMPLE, MFX_DKIM_NO_LIMIT) >=
                    0);
        for (int k = 0; k < 800; k++)
            mfx_dkim_body_update(b, mfx_str(piece, sizeof piece));
        mfx_dkim_body_finish(b);
        assert_true(mfx_arena_size(arena) < 32 * 1024);
        mfx_arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(bodies),
        cmocka_unit_test(cuts),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
