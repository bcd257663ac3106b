/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets written by hand from RFC 1035 4, 6891 6.1 and 2308 3. */
#include "unit.h"

#include <mfx/net/dns_packet.h>
#include <mfx/net/dns_server.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BYTES(text)  (text), sizeof(text) - 1

/* id 0x1234, an answer that recursed; then the four counts */
#define HEAD     "\x12\x34\x81\x80"
#define NXDOMAIN "\x12\x34\x81\x83"
#define ONE      "\0\1\0\1\0\0\0\0"
#define NONE     "\0\1\0\0\0\0\0\0"
#define ASKED    "\1a\4test\0\0\x10\0\1" /* a.test TXT IN; 12 bytes at 12 */
#define SELF     "\xC0\x0C"              /* points at the question's name */
#define TEST     "\xC0\x0E"              /* "test" */
#define TXT_IN   "\0\x10\0\1"
#define CNAME_IN "\0\5\0\1"
#define SOA_IN   "\0\6\0\1"
#define NS_IN    "\0\2\0\1"
#define TTL_300  "\0\0\1\x2C"
#define TTL_60   "\0\0\0\x3C"
#define HELLO    SELF TXT_IN TTL_300 "\0\6\5hello"
/* SOA of test: mname ".", rname ".", serial to expire 0, minimum 30 */
#define SOA_REST "\0\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1E"
#define OPT      "\0\0\x29\4\xD0\0\0\0\0\0\0"

static struct mfx_dns_asked
asked_of(const char *name, enum mfx_dns_type type)
{
    struct mfx_dns_asked asked = {.type = type, .id = 0x1234};
    assert_int_equal(mfx_dns_name_parse(mfx_str_of(name), &asked.name), MFX_OK);
    return asked;
}

static void
writing(void **state)
{
    static const struct {
        const char *label;
        unsigned flags;
        const char *want;
        size_t len;
    } cases[] = {
        {"plain", 0,                  BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\0" ASKED)  },
        {"edns",  MFX_DNS_WRITE_EDNS,
         BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASKED OPT)                           },
        {"ad",    MFX_DNS_WRITE_AD,   BYTES("\x12\x34\1\x20\0\1\0\0\0\0\0\0" ASKED)},
    };
    (void)state;
    struct mfx_dns_asked asked = asked_of("A.Test.", MFX_DNS_TXT);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char out[MFX_DNS_QUERY_MAX];
        size_t len = mfx_dns_packet_write(out, &asked, cases[i].flags);
        unit_assert_int(cases[i].label, len, cases[i].len);
        assert_memory_equal(out, cases[i].want, len);
    }
}

static void
reading(void **state)
{
    static const struct {
        const char *label, *bytes;
        size_t len;
        enum mfx_dns_status status;
        uint32_t ttl_s;
        const char *text;
    } cases[] = {
        {"txt",                     BYTES(HEAD ONE ASKED HELLO),                           MFX_DNS_ANSWER,  300, "hello"},
        {"two_strings",
         BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\7\2he\3llo"),
         MFX_DNS_ANSWER,                                                                                    60,  "hello"},
        {"empty_string",            BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\1\0"),
         MFX_DNS_ANSWER,                                                                                    60,  ""     },
        {"question_case",           BYTES(HEAD ONE "\1A\4tEsT\0\0\x10\0\1" HELLO),
         MFX_DNS_ANSWER,                                                                                    300, "hello"},
        {"other_records_beside",
         BYTES(HEAD "\0\1\0\3\0\0\0\1" ASKED SELF NS_IN TTL_60 "\0\1\0" HELLO
                    "\1b" TEST TXT_IN TTL_60 "\0\2\1x" OPT),
         MFX_DNS_ANSWER,                                                                                    300, "hello"},
        {"other_class_beside",
         BYTES(HEAD "\0\1\0\2\0\0\0\0" ASKED SELF "\0\x10\0\3" TTL_60
                    "\0\2\1x" HELLO),
         MFX_DNS_ANSWER,                                                                                    300, "hello"},
        {"cname",
         BYTES(HEAD "\0\1\0\2\0\0\0\0" ASKED SELF CNAME_IN TTL_60 "\0\4\1b" TEST
                    "\1b" TEST TXT_IN TTL_300 "\0\6\5hello"),
         MFX_DNS_ANSWER,                                                                                    60,  "hello"},
        {"cname_behind_its_target",
         BYTES(HEAD "\0\1\0\2\0\0\0\0" ASKED "\1b" TEST TXT_IN TTL_300
                    "\0\6\5hello" SELF CNAME_IN TTL_60 "\0\4\1b" TEST),
         MFX_DNS_ANSWER,                                                                                    60,  "hello"},
        {"cname_to_nothing",
         BYTES(HEAD "\0\1\0\1\0\1\0\0" ASKED SELF CNAME_IN TTL_60
                    "\0\4\1b" TEST TEST SOA_IN TTL_300 SOA_REST),
         MFX_DNS_NO_DATA,                                                                                   30,  NULL   },
        {"ttl_top_bit",             BYTES(HEAD ONE ASKED SELF TXT_IN "\x80\0\1\0\0\2\1x"),
         MFX_DNS_ANSWER,                                                                                    0,   "x"    },
        {"nxdomain_soa_minimum",
         BYTES(NXDOMAIN "\0\1\0\0\0\1\0\0" ASKED TEST SOA_IN TTL_60 SOA_REST),
         MFX_DNS_NO_NAME,                                                                                   30,  NULL   },
        {"nodata_soa_ttl",
         BYTES(HEAD "\0\1\0\0\0\1\0\0" ASKED TEST SOA_IN "\0\0\0\x0A" SOA_REST),
         MFX_DNS_NO_DATA,                                                                                   10,  NULL   },
        {"nxdomain_without_soa",    BYTES(NXDOMAIN NONE ASKED),                            MFX_DNS_NO_NAME, 0,
         NULL                                                                                                           },
        {"nodata_without_soa",      BYTES(HEAD NONE ASKED),                                MFX_DNS_NO_DATA, 0,
         NULL                                                                                                           },
        {"referral",
         BYTES(HEAD "\0\1\0\0\0\1\0\0" ASKED TEST NS_IN TTL_60 "\0\1\0"),
         MFX_DNS_FAILED,                                                                                    0,   NULL   },
        {"servfail",                BYTES("\x12\x34\x81\x82" NONE ASKED),                  MFX_DNS_FAILED,  0,
         NULL                                                                                                           },
        {"badvers_in_opt",
         BYTES(HEAD "\0\1\0\0\0\0\0\1" ASKED "\0\0\x29\4\xD0\1\0\0\0\0\0"),
         MFX_DNS_FAILED,                                                                                    0,   NULL   },
        {"bytes_behind",            BYTES(HEAD ONE ASKED HELLO "junk"),                    MFX_DNS_ANSWER,
         300,                                                                                                    "hello"},
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_dns_asked asked = asked_of("a.test", MFX_DNS_TXT);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_packet packet;
        unit_assert_int(
            cases[i].label,
            mfx_dns_packet_read(mfx_str(cases[i].bytes, cases[i].len), &asked,
                                arena, &packet),
            MFX_OK);
        unit_assert_int(cases[i].label, packet.is_truncated, false);
        unit_assert_int(cases[i].label, packet.answer.status, cases[i].status);
        unit_assert_int(cases[i].label, packet.answer.ttl_s, cases[i].ttl_s);
        unit_assert_int(cases[i].label, packet.answer.count,
                        cases[i].text != NULL);
        if (cases[i].text != NULL)
            unit_assert_str(cases[i].label, packet.answer.records[0].text,
                            mfx_str_of(cases[i].text));
    }
    mfx_arena_free(arena);
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *bytes;
        size_t len;
    } cases[] = {
        {"empty",                    BYTES("")                                                        },
        {"short_header",             BYTES("\x12\x34\x81\x80\0\1\0\0\0\0\0")                          },
        {"wrong_id",                 BYTES("\x12\x35\x81\x80" ONE ASKED HELLO)                        },
        {"not_a_response",           BYTES("\x12\x34\1\0" ONE ASKED HELLO)                            },
        {"other_opcode",             BYTES("\x12\x34\xA1\x80" ONE ASKED HELLO)                        },
        {"no_question",              BYTES(HEAD "\0\0\0\0\0\0\0\0")                                   },
        {"two_questions",            BYTES(HEAD "\0\2\0\0\0\0\0\0" ASKED ASKED)                       },
        {"wrong_name",               BYTES(HEAD NONE "\1b\4test\0\0\x10\0\1")                         },
        {"wrong_type",               BYTES(HEAD NONE "\1a\4test\0\0\1\0\1")                           },
        {"wrong_class",              BYTES(HEAD NONE "\1a\4test\0\0\x10\0\3")                         },
        {"cut_in_question",          BYTES(HEAD NONE "\1a\4test\0\0\x10\0")                           },
        {"missing_record",           BYTES(HEAD ONE ASKED)                                            },
        {"cut_in_owner",             BYTES(HEAD ONE ASKED "\xC0")                                     },
        {"cut_in_fixed_part",        BYTES(HEAD ONE ASKED SELF TXT_IN "\0\0")                         },
        {"data_beyond_end",
         BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\7\5hello")                                       },
        {"counts_too_high",          BYTES(HEAD "\0\1\xFF\xFF\0\0\0\0" ASKED HELLO)                   },
        {"pointer_at_itself",
         BYTES(HEAD ONE ASKED "\xC0\x18" TXT_IN TTL_60 "\0\2\1x")                                     },
        {"pointer_ahead",
         BYTES(HEAD ONE ASKED "\xC0\x20" TXT_IN TTL_60 "\0\2\1x")                                     },
        {"pointer_beyond_end",
         BYTES(HEAD ONE ASKED "\xFF\xFF" TXT_IN TTL_60 "\0\2\1x")                                     },
        {"label_type_01",            BYTES(HEAD ONE ASKED "\x41"
                                               "a\0" TXT_IN TTL_60 "\0\2\1x")},
        {"label_type_10",            BYTES(HEAD ONE ASKED "\x81"
                                               "a\0" TXT_IN TTL_60 "\0\2\1x")},
        {"txt_no_string",            BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\0")                  },
        {"txt_string_too_long",
         BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\3\3ab")                                          },
        {"txt_last_string_too_long",
         BYTES(HEAD ONE ASKED SELF TXT_IN TTL_60 "\0\4\1a\2b")                                        },
        {"cname_cut",                BYTES(HEAD ONE ASKED SELF CNAME_IN TTL_60 "\0\2\1b")             },
        {"cname_with_rest",
         BYTES(HEAD ONE ASKED SELF CNAME_IN TTL_60 "\0\5\1b" TEST "x")                                },
        {"cname_to_itself",
         BYTES(HEAD ONE ASKED SELF CNAME_IN TTL_60 "\0\2" SELF)                                       },
        {"cname_loop_of_two",
         BYTES(HEAD "\0\1\0\2\0\0\0\0" ASKED SELF CNAME_IN TTL_60 "\0\4\1b" TEST
                    "\1b" TEST CNAME_IN TTL_60 "\0\2" SELF)                                           },
        {"soa_cut",                  BYTES(HEAD "\0\1\0\0\0\1\0\0" ASKED TEST SOA_IN TTL_60
                               "\0\4\0\0\0\0")                                     },
        {"soa_too_long",
         BYTES(HEAD "\0\1\0\0\0\1\0\0" ASKED TEST SOA_IN TTL_60
                    "\0\x17\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1E\0")                         },
        {"additional_cut",
         BYTES(HEAD "\0\1\0\0\0\0\0\1" ASKED "\0\0\x29\4\xD0")                                        },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_dns_asked asked = asked_of("a.test", MFX_DNS_TXT);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_packet packet;
        unit_assert_int(
            cases[i].label,
            mfx_dns_packet_read(mfx_str(cases[i].bytes, cases[i].len), &asked,
                                arena, &packet),
            MFX_PERMFAIL);
    }
    mfx_arena_free(arena);
}

/* Every prefix of a good packet is bad, or (bytes_behind) says the same. */
static void
every_prefix(void **state)
{
    static const char good[] =
        HEAD "\0\1\0\2\0\1\0\1" ASKED SELF CNAME_IN TTL_60 "\0\4\1b" TEST
             "\1b" TEST TXT_IN TTL_300
             "\0\6\5hello" TEST SOA_IN TTL_300 SOA_REST OPT;
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_dns_asked asked = asked_of("a.test", MFX_DNS_TXT);
    struct mfx_dns_packet packet;
    for (size_t len = 0; len < sizeof good - 1; len++) {
        char *copy = test_malloc(len + 1);
        memcpy(copy, good, len);
        assert_int_equal(
            mfx_dns_packet_read(mfx_str(copy, len), &asked, arena, &packet),
            MFX_PERMFAIL);
        test_free(copy);
    }
    assert_int_equal(mfx_dns_packet_read(mfx_str(good, sizeof good - 1), &asked,
                                         arena, &packet),
                     MFX_OK);
    assert_int_equal(packet.answer.count, 1);
    mfx_arena_free(arena);
}

static void
truncated(void **state)
{
    static const char bytes[] = "\x12\x34\x83\x80" ONE ASKED SELF "\0";
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_dns_asked asked = asked_of("a.test", MFX_DNS_TXT);
    struct mfx_dns_packet packet;
    assert_int_equal(mfx_dns_packet_read(mfx_str(bytes, sizeof bytes - 1),
                                         &asked, arena, &packet),
                     MFX_OK);
    assert_true(packet.is_truncated);
    mfx_arena_free(arena);
}

static void
other_types(void **state)
{
    static const struct {
        const char *label;
        enum mfx_dns_type type;
        const char *bytes; /* from the type in the question on */
        size_t len;
        enum mfx_rc rc;
        const char *want;
        unsigned preference;
    } cases[] = {
        {"a",                           MFX_DNS_A,
         BYTES("\0\1\0\1" SELF "\0\1\0\1" TTL_60 "\0\4\xC0\0\2\1"),                                       MFX_OK,
         "192.0.2.1",                                                                                                                            0  },
        {"a_short",                     MFX_DNS_A,
         BYTES("\0\1\0\1" SELF "\0\1\0\1" TTL_60 "\0\3\xC0\0\2"),                                         MFX_PERMFAIL,
         NULL,                                                                                                                                   0  },
        {"a_long",                      MFX_DNS_A,
         BYTES("\0\1\0\1" SELF "\0\1\0\1" TTL_60 "\0\5\xC0\0\2\1\1"),
         MFX_PERMFAIL,                                                                                                  NULL,                    0  },
        {"aaaa",                        MFX_DNS_AAAA,
         BYTES("\0\x1C\0\1" SELF "\0\x1C\0\1" TTL_60
               "\0\x10\x20\1\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\1"),
         MFX_OK,                                                                                                        "2001:db8::1",           0  },
        {"aaaa_short",                  MFX_DNS_AAAA,
         BYTES("\0\x1C\0\1" SELF "\0\x1C\0\1" TTL_60 "\0\4\xC0\0\2\1"),
         MFX_PERMFAIL,                                                                                                  NULL,                    0  },
        {"mx",                          MFX_DNS_MX,
         BYTES("\0\x0F\0\1" SELF "\0\x0F\0\1" TTL_60 "\0\6\1\2\1M" TEST),
         MFX_OK,                                                                                                        "m.test",                258},
        {"mx_without_name",             MFX_DNS_MX,
         BYTES("\0\x0F\0\1" SELF "\0\x0F\0\1" TTL_60 "\0\2\1\2"),                                         MFX_PERMFAIL,
         NULL,                                                                                                                                   0  },
        {"mx_short",                    MFX_DNS_MX,
         BYTES("\0\x0F\0\1" SELF "\0\x0F\0\1" TTL_60 "\0\1\1"),                                           MFX_PERMFAIL,
         NULL,                                                                                                                                   0  },
        {"null_mx",                     MFX_DNS_MX,
         BYTES("\0\x0F\0\1" SELF "\0\x0F\0\1" TTL_60 "\0\3\0\0\0"),                                       MFX_OK,       "",
         0                                                                                                                                          },
        {"spf_as_txt",                  MFX_DNS_SPF,
         BYTES("\0\x63\0\1" SELF "\0\x63\0\1" TTL_60 "\0\4\1a\1b"),                                       MFX_OK,
         "ab",                                                                                                                                   0  },
        {"spf_short_string",            MFX_DNS_SPF,
         BYTES("\0\x63\0\1" SELF "\0\x63\0\1" TTL_60 "\0\2\2a"),                                          MFX_PERMFAIL,
         NULL,                                                                                                                                   0  },
        {"ptr",                         MFX_DNS_PTR,
         BYTES("\0\x0C\0\1" SELF "\0\x0C\0\1" TTL_60 "\0\2" TEST),                                        MFX_OK,
         "test",                                                                                                                                 0  },
        {"ptr_odd_bytes",               MFX_DNS_PTR,
         BYTES("\0\x0C\0\1" SELF "\0\x0C\0\1" TTL_60 "\0\7\4"
               "a. \xFF" TEST),
         MFX_OK,                                                                                                        "a\\046\\032\\255.test", 0  },
        {"cname_asked_is_not_followed", MFX_DNS_CNAME,
         BYTES("\0\5\0\1" SELF "\0\5\0\1" TTL_60 "\0\2" TEST),                                            MFX_OK,       "test",
         0                                                                                                                                          },
        {"soa",                         MFX_DNS_SOA,   BYTES("\0\6\0\1" SELF "\0\6\0\1" TTL_60 SOA_REST),
         MFX_OK,                                                                                                        "",                      0  },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const char start[] = HEAD ONE "\1a\4test";
        char bytes[200], text[MFX_IP_TEXT];
        memcpy(bytes, start, sizeof start); /* with the NUL: the root */
        memcpy(bytes + sizeof start, cases[i].bytes, cases[i].len);
        struct mfx_dns_asked asked = asked_of("a.test", cases[i].type);
        struct mfx_dns_packet packet;
        unit_assert_int(
            cases[i].label,
            mfx_dns_packet_read(mfx_str(bytes, sizeof start + cases[i].len),
                                &asked, arena, &packet),
            cases[i].rc);
        if (cases[i].rc != MFX_OK)
            continue;
        const struct mfx_dns_record *record = &packet.answer.records[0];
        struct mfx_str got = record->text;
        if (record->ip.family != MFX_IP_NONE)
            got = mfx_str_of(mfx_ip_format(&record->ip, text));
        unit_assert_str(cases[i].label, got, mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, record->preference,
                        cases[i].preference);
    }
    mfx_arena_free(arena);
}

static void
names(void **state)
{
#define N "0123456789012345678901234567890123456789012345678901234567890"
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        size_t len;
    } cases[] = {
        {"simple",      "Example.ORG",                 MFX_OK,       13 },
        {"final_dot",   "example.org.",                MFX_OK,       13 },
        {"label_63",    N "12.org",                    MFX_OK,       69 },
        {"label_64",    N "123.org",                   MFX_PERMFAIL, 0  },
        {"octets_253",  N "." N "." N "." N ".abcde",  MFX_OK,       255},
        {"octets_254",  N "." N "." N "." N ".abcdef", MFX_PERMFAIL, 0  },
        {"empty",       "",                            MFX_PERMFAIL, 0  },
        {"root",        ".",                           MFX_PERMFAIL, 0  },
        {"leading_dot", ".org",                        MFX_PERMFAIL, 0  },
        {"two_dots",    "a..org",                      MFX_PERMFAIL, 0  },
        {"two_final",   "a.org..",                     MFX_PERMFAIL, 0  },
        {"any_byte",    "a\\b \xFF.org",               MFX_OK,       11 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_name name;
        unit_assert_int(cases[i].label,
                        mfx_dns_name_parse(mfx_str_of(cases[i].in), &name),
                        cases[i].rc);
        if (cases[i].rc == MFX_OK)
            unit_assert_int(cases[i].label, name.len, cases[i].len);
    }
}

/* A name made of pointers to pointers ends, and so does one that grows past
 * 255 octets. */
static void
long_names(void **state)
{
    char bytes[600];
    struct mfx_dns_name name;
    (void)state;
    memset(bytes, 0, sizeof bytes);
    for (size_t i = 1; i < 200; i++) {
        size_t target = i == 1 ? 0 : 2 * (i - 1);
        bytes[2 * i] = (char)(0xC0 | target >> 8);
        bytes[2 * i + 1] = (char)(target & 0xFF);
    }
    size_t at = 2 * 127;
    assert_true(mfx_dns_name_unpack(mfx_str(bytes, sizeof bytes), &at, &name));
    assert_int_equal(at, 2 * 127 + 2);
    assert_int_equal(name.len, 1);
    at = 2 * 128;
    assert_false(mfx_dns_name_unpack(mfx_str(bytes, sizeof bytes), &at, &name));
    memset(bytes, 1, sizeof bytes); /* labels of one byte, without end */
    at = 0;
    assert_false(mfx_dns_name_unpack(mfx_str(bytes, sizeof bytes), &at, &name));
    bytes[254] = 0;
    at = 0;
    assert_true(mfx_dns_name_unpack(mfx_str(bytes, sizeof bytes), &at, &name));
    assert_int_equal(name.len, 255);
}

static void
servers(void **state)
{
    static const struct {
        const char *in, *want;
        unsigned port;
    } cases[] = {
        {"192.0.2.1",          "192.0.2.1",   53  },
        {"192.0.2.1:5353",     "192.0.2.1",   5353},
        {"2001:db8::1",        "2001:db8::1", 53  },
        {"[2001:db8::1]",      "2001:db8::1", 53  },
        {"[2001:db8::1]:5353", "2001:db8::1", 5353},
        {"192.0.2.1:",         NULL,          0   },
        {"192.0.2.1:0",        NULL,          0   },
        {"192.0.2.1:65536",    NULL,          0   },
        {"[2001:db8::1]x53",   NULL,          0   },
        {"localhost",          NULL,          0   },
        {"",                   NULL,          0   },
        {":53",                NULL,          0   },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_server server;
        char text[MFX_IP_TEXT];
        enum mfx_rc rc = mfx_dns_server_parse(mfx_str_of(cases[i].in), &server);
        unit_assert_int(cases[i].in, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        if (rc != MFX_OK)
            continue;
        unit_assert_str(cases[i].in,
                        mfx_str_of(mfx_ip_format(&server.ip, text)),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].in, server.port, cases[i].port);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing),   cmocka_unit_test(reading),
        cmocka_unit_test(malformed), cmocka_unit_test(every_prefix),
        cmocka_unit_test(truncated), cmocka_unit_test(other_types),
        cmocka_unit_test(names),     cmocka_unit_test(long_names),
        cmocka_unit_test(servers),
    };
    return cmocka_run_group_tests_name("dns_packet", tests, NULL, NULL);
}
