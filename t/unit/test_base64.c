/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/base64.h>

static const struct {
    const char *label, *bytes, *text;
} vectors[] = {
  /* RFC 4648 section 10 */
    {"rfc_empty",  "",                         ""        },
    {"rfc_f",      "f",                        "Zg=="    },
    {"rfc_fo",     "fo",                       "Zm8="    },
    {"rfc_foo",    "foo",                      "Zm9v"    },
    {"rfc_foob",   "foob",                     "Zm9vYg=="},
    {"rfc_fooba",  "fooba",                    "Zm9vYmE="},
    {"rfc_foobar", "foobar",                   "Zm9vYmFy"},
 /* the last two of the alphabet: Python's base64 */
    {"plus_slash", "\xFB\xEF\xBE\xFF\xFF\xFF", "++++////"},
};

static void
vectors_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[32];
        unsigned char bytes[32];
        size_t len = strlen(vectors[i].bytes), got = 99;
        size_t n = mfx_base64_encode((const unsigned char *)vectors[i].bytes,
                                     len, text);
        unit_assert_int(vectors[i].label, n, mfx_base64_encoded_len(len));
        unit_assert_str(vectors[i].label, mfx_str(text, n),
                        mfx_str_of(vectors[i].text));
        unit_assert_int(vectors[i].label,
                        mfx_base64_decode(mfx_str_of(vectors[i].text), bytes,
                                          sizeof bytes, &got),
                        MFX_OK);
        unit_assert_str(vectors[i].label, mfx_str((char *)bytes, got),
                        mfx_str(vectors[i].bytes, len));
    }
}

static void
decoding(void **state)
{
    static const struct {
        const char *label, *in;
        size_t size;
        enum mfx_rc rc;
        const char *want;
    } cases[] = {
        {"folded",              " Zm9v\r\n\tYmFy ", 6, MFX_OK,       "foobar"},
        {"blank_in_quantum",    "Z m\t9\nv",        6, MFX_OK,       "foo"   },
        {"padding_missing_one", "Zm8",              6, MFX_OK,       "fo"    },
        {"padding_missing_two", "Zg",               6, MFX_OK,       "f"     },
        {"blank_in_padding",    "Zg= =",            6, MFX_OK,       "f"     },
        {"only_blanks",         " \r\n\t",          6, MFX_OK,       ""      },
        {"exactly_fits",        "Zm9v",             3, MFX_OK,       "foo"   },
 /* malformed */
        {"one_too_large",       "Zm9vYg==",         3, MFX_PERMFAIL, NULL    },
        {"no_room_at_all",      "Zg==",             0, MFX_PERMFAIL, NULL    },
        {"lone_digit",          "Z",                6, MFX_PERMFAIL, NULL    },
        {"five_digits",         "Zm9vY",            6, MFX_PERMFAIL, NULL    },
        {"padding_too_short",   "Zg=",              6, MFX_PERMFAIL, NULL    },
        {"padding_too_long",    "Zm8==",            6, MFX_PERMFAIL, NULL    },
        {"padding_after_whole", "Zm9v=",            6, MFX_PERMFAIL, NULL    },
        {"whole_quantum_of_it", "Zm9v====",         6, MFX_PERMFAIL, NULL    },
        {"padding_alone",       "=",                6, MFX_PERMFAIL, NULL    },
        {"padding_alone_four",  "====",             6, MFX_PERMFAIL, NULL    },
        {"digit_after_padding", "Zg==Zg==",         6, MFX_PERMFAIL, NULL    },
        {"url_alphabet",        "__--",             6, MFX_PERMFAIL, NULL    },
        {"other_byte",          "Zm9v!",            6, MFX_PERMFAIL, NULL    },
        {"eight_bit",           "Zm9\xE9",          6, MFX_PERMFAIL, NULL    },
        {"vertical_tab",        "Zm9v\v",           6, MFX_PERMFAIL, NULL    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char out[8];
        size_t len = 77;
        enum mfx_rc rc = mfx_base64_decode(mfx_str_of(cases[i].in), out,
                                           cases[i].size, &len);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].label, mfx_str((char *)out, len),
                            mfx_str_of(cases[i].want));
        else
            unit_assert_int(cases[i].label, len, 77);
    }
    unsigned char out[8];
    size_t len = 77;
    assert_int_equal(
        mfx_base64_decode(mfx_str("Zm9v\0", 5), out, sizeof out, &len),
        MFX_PERMFAIL);
}

static void
every_byte_survives(void **state)
{
    unsigned char bytes[256], back[256];
    char text[400];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        size_t got = 0, n = mfx_base64_encode(bytes, len, text);
        assert_int_equal(n, mfx_base64_encoded_len(len));
        assert_int_equal(mfx_base64_decode(mfx_str(text, n), back, len, &got),
                         MFX_OK);
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_both_ways),
        cmocka_unit_test(decoding),
        cmocka_unit_test(every_byte_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
