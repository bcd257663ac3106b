/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "vectors.h"

#include <mfx/auth/dkim_sign.h>

static const unsigned char body_digest[MFX_DKIM_SHA256] = {1, 2, 3};

struct message {
    struct mfx_arena *arena;
    struct mfx_headers headers;
    struct mfx_dkim_private_key *key;
};

/* fields: names separated by blanks; each gets its number as value. */
static void
message_init(struct message *m, const char *fields, const char *key)
{
    struct mfx_str rest = mfx_str_of(fields), name;
    struct mfx_err err = {0};
    *m = (struct message){.arena = mfx_arena_new(0)};
    while (mfx_str_word(&rest, " ", &name))
        assert_non_null(mfx_headers_add(
            &m->headers, m->arena, name,
            mfx_arena_printf(m->arena, " %zu", m->headers.count)));
    if (mfx_dkim_private_key_parse(vector_read(m->arena, key), &m->key, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
}

static void
message_fini(struct message *m)
{
    mfx_dkim_private_key_unref(m->key);
    mfx_headers_fini(&m->headers);
    mfx_arena_free(m->arena);
}

static struct mfx_dkim_sign_request
request_for(const struct message *m,
            const struct mfx_dkim_header_policy *policy)
{
    return (struct mfx_dkim_sign_request){
        .key = m->key,
        .domain = mfx_str_of("example.org"),
        .selector = mfx_str_of("sel"),
        .header_canon = MFX_DKIM_RELAXED,
        .body_canon = MFX_DKIM_RELAXED,
        .headers = policy,
        .body_length = MFX_DKIM_NO_LIMIT,
    };
}

/* The value of a tag, without folding. */
static struct mfx_str
tag_of(struct mfx_arena *arena, struct mfx_str value, const char *name)
{
    struct mfx_str tag;
    size_t len = strlen(name);
    while (mfx_str_cut(&value, ';', &tag)) {
        struct mfx_buf out;
        mfx_buf_init_arena(&out, arena, 100000);
        for (size_t i = 0; i < tag.len; i++)
            if (!mfx_ascii_is_fws((unsigned char)tag.p[i]))
                mfx_buf_add_byte(&out, tag.p[i]);
        struct mfx_str s = mfx_buf_str(&out);
        if (s.len > len && memcmp(s.p, name, len) == 0 && s.p[len] == '=')
            return mfx_str_from(s, len + 1);
    }
    return mfx_str_of("(none)");
}

static void
header_lists(void **state)
{
    static const char *const sendmail[] = {"Date", "From", "Message-ID", NULL};
    static const struct {
        const char *label, *lists[3], *fields, *want;
        const char *const *later;
    } cases[] = {
        {"default",
         {"", "", ""},
         "Received From To Date X-A",                                    "From:To:Date:From:Reply-To:Subject:To:Cc:Date",
         NULL                                                                                                                            },
        {"every_instance",
         {"From,X-A", "", "none"},
         "X-A From X-A x-a",                                             "X-A:From:X-A:x-a",
         NULL                                                                                                                            },
        {"plain_list",
         {"Subject", "", "From"},
         "From Subject To",                                              "From:Subject:From",
         NULL                                                                                                                            },
        {"delta_adds",
         {"*,+X-A", "", "none"},
         "X-A From To",                                                  "X-A:From:To",
         NULL                                                                                                                            },
        {"delta_takes",
         {"*,-To,-list-*", "", "none"},
         "From To List-Id Cc",                                           "From:Cc",
         NULL                                                                                                                            },
        {"from_stays",        {"*,-From", "From", "none"}, "From To",    "From:To",                                                  NULL},
        {"wildcard",
         {"X-*", "x-secret*", "none"},
         "From X-A X-Secret-1 Y",                                        "From:X-A",
         NULL                                                                                                                            },
        {"wildcard_never",
         {"Re*", "", "none"},
         "Received Return-Path Resent-Bcc Reply-To References From",     "Reply-To:References:From",
         NULL                                                                                                                            },
        {"omit",              {"", "To", "From,To"},       "From To",    "From:From",                                                NULL},
        {"omit_delta",
         {"Comments,To", "*,-Comments", "none"},
         "From Comments",                                                "From:Comments",
         NULL                                                                                                                            },
        {"oversign_signs",
         {"From", "", "X-A"},
         "From X-A",                                                     "From:X-A:X-A",
         NULL                                                                                                                            },
        {"oversign_present",
         {"From", "", "X-A?,X-B?"},
         "From X-B",                                                     "From:X-B:X-B",
         NULL                                                                                                                            },
        {"added_later",
         {"", "", "Date,From,Message-ID,Cc"},
         "From To",                                                      "From:To:From:Cc",
         sendmail                                                                                                                        },
        {"later_but_present",
         {"", "", "Date"},
         "From Date",                                                    "From:Date:Date",
         sendmail                                                                                                                        },
        {"resent_block",
         {"", "", "none"},
         "Resent-To Resent-From Resent-Date Resent-Message-ID From",     "Resent-To:Resent-From:Resent-Date:Resent-Message-ID:From",
         NULL                                                                                                                            },
        {"semicolon_name",    {"X-*", "", "none"},         "X-A;b From", "From",                                                     NULL},
        {"blanks_and_colons",
         {"from to:cc", "", "none"},
         "From To Cc",                                                   "From:To:Cc",
         NULL                                                                                                                            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message m;
        struct mfx_dkim_header_policy *policy = NULL;
        struct mfx_err err = {0};
        struct mfx_str value;
        message_init(&m, cases[i].fields, "rfc8463/ed25519.seed");
        enum mfx_rc rc = mfx_dkim_header_policy_parse(
            mfx_str_of(cases[i].lists[0]), mfx_str_of(cases[i].lists[1]),
            mfx_str_of(cases[i].lists[2]), &policy, &err);
        if (rc != MFX_OK)
            fail_msg("%s: %s", cases[i].label, err.msg);
        struct mfx_dkim_sign_request request = request_for(&m, policy);
        request.added_later = cases[i].later;
        rc = mfx_dkim_sign(&request, &m.headers, body_digest, m.arena, &value,
                           &err);
        unit_assert_int(cases[i].label, rc, MFX_OK);
        unit_assert_str(cases[i].label, tag_of(m.arena, value, "h"),
                        mfx_str_of(cases[i].want));
        mfx_dkim_header_policy_free(policy);
        message_fini(&m);
    }
}

static void
bad_header_lists(void **state)
{
    static const struct {
        const char *label, *lists[3], *error;
    } cases[] = {
        {"received",        {"From,Received", "", ""}, "Received is never signed"},
        {"bcc_delta",       {"*,+bcc", "", ""},        "bcc is never signed"     },
        {"oversigned_path",
         {"", "", "Return-Path"},
         "Return-Path is never signed"                                           },
        {"no_name",         {"From,X A:;", "", ""},    "is no header field name" },
        {"eight_bit",       {"", "caf\xc3\xa9", ""},   "is no header field name" },
        {"minus_alone",     {"From,-To", "", ""},      "needs an item \"*\""     },
        {"oversigned_wild", {"", "", "From,X-*"},      "only whole names"        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_dkim_header_policy *policy = NULL;
        struct mfx_err err = {0};
        enum mfx_rc rc = mfx_dkim_header_policy_parse(
            mfx_str_of(cases[i].lists[0]), mfx_str_of(cases[i].lists[1]),
            mfx_str_of(cases[i].lists[2]), &policy, &err);
        unit_assert_int(cases[i].label, rc, MFX_PERMFAIL);
        if (strstr(err.msg, cases[i].error) == NULL)
            fail_msg("%s: \"%s\"", cases[i].label, err.msg);
    }
}

static struct mfx_dkim_header_policy *
default_policy(void)
{
    struct mfx_dkim_header_policy *policy = NULL;
    struct mfx_str none = mfx_str_of("");
    assert_int_equal(
        MFX_OK, mfx_dkim_header_policy_parse(none, none, none, &policy, NULL));
    return policy;
}

static void
tags(void **state)
{
    struct message m;
    struct mfx_dkim_header_policy *policy = default_policy();
    struct mfx_str value;
    (void)state;
    message_init(&m, "From To", "rfc8463/rsa.pem");
    struct mfx_dkim_sign_request request = request_for(&m, policy);
    request.identity = mfx_str_of("a b;c=d\xc3\xa9@mail.example.org");
    request.header_canon = MFX_DKIM_SIMPLE;
    request.timestamp_s = 1000;
    request.expires_s = 2000;
    request.body_length = 3000;
    assert_int_equal(MFX_OK, mfx_dkim_sign(&request, &m.headers, body_digest,
                                           m.arena, &value, NULL));
    static const struct {
        const char *tag, *want;
    } cases[] = {
        {"v",  "1"                                           },
        {"a",  "rsa-sha256"                                  },
        {"c",  "simple/relaxed"                              },
        {"q",  "dns/txt"                                     },
        {"d",  "example.org"                                 },
        {"s",  "sel"                                         },
        {"i",  "a=20b=3Bc=3Dd=C3=A9@mail.example.org"        },
        {"t",  "1000"                                        },
        {"x",  "2000"                                        },
        {"l",  "3000"                                        },
        {"bh", "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_str(cases[i].tag, tag_of(m.arena, value, cases[i].tag),
                        mfx_str_of(cases[i].want));
    unit_assert_int("b", tag_of(m.arena, value, "b").len, 172);
    mfx_dkim_header_policy_free(policy);
    message_fini(&m);
}

/* No line above 78 columns, the first with its name, a tab counted as eight;
 * only a single word that is longer stands alone. */
static void
folding(void **state)
{
    static const char *const fields[] = {
        "From",
        "From To Cc Subject Date Message-ID MIME-Version Content-Type "
        "References In-Reply-To List-Id List-Help List-Unsubscribe List-Post "
        "Content-Transfer-Encoding Resent-Message-ID Resent-From Autocrypt "
        "To To To To To To To To To To To To To To To To To To To To Cc Cc Cc",
    };
    static const char *const domains[] = {
        "a.b", "a-rather-long-label.of-a-rather-long-name.example.org"};
    struct mfx_dkim_header_policy *policy = default_policy();
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct message m;
        struct mfx_str value, line;
        message_init(&m, fields[i % 2], "rfc8463/rsa.pem");
        struct mfx_dkim_sign_request request = request_for(&m, policy);
        request.domain = mfx_str_of(domains[i / 2]);
        request.identity = mfx_arena_printf(m.arena, "@%s", domains[i / 2]);
        request.timestamp_s = 1700000000;
        request.expires_s = 1700864000;
        assert_int_equal(MFX_OK,
                         mfx_dkim_sign(&request, &m.headers, body_digest,
                                       m.arena, &value, NULL));
        assert_true(mfx_header_value_is_safe(value));
        size_t columns = strlen("DKIM-Signature:");
        while (mfx_str_cut(&value, '\n', &line)) {
            columns += line.len + (line.p[0] == '\t' ? 7 : 0);
            if (columns > 78)
                fail_msg("%zu columns: \"%.*s\"", columns, MFX_STR_ARG(line));
            columns = 0;
        }
        message_fini(&m);
    }
    mfx_dkim_header_policy_free(policy);
}

static void
refusals(void **state)
{
    static const struct {
        const char *label, *fields, *domain, *selector, *identity, *error;
        uint64_t timestamp, expires;
    } cases[] = {
        {"no_from",         "To Subject", "a.org",     "s",   "",        "no From",        0, 0},
        {"identity_beside", "From",       "a.org",     "s",   "@b.org",  "not within",     0, 0},
        {"identity_suffix", "From",       "a.org",     "s",   "@ba.org", "not within",     0,
         0                                                                                     },
        {"identity_bare",   "From",       "a.org",     "s",   "a",       "no @",           0, 0},
        {"domain_space",    "From",       "a org",     "s",   "",        "no domain name", 0, 0},
        {"domain_tag",      "From",       "a.org;x=1", "s",   "",        "no domain name", 0, 0},
        {"domain_line",     "From",       "a.org\nB:", "s",   "",        "no domain name", 0, 0},
        {"domain_empty",    "From",       "",          "s",   "",        "no domain name", 0, 0},
        {"selector_tag",    "From",       "a.org",     "s;",  "",        "no selector",    0, 0},
        {"selector_dots",   "From",       "a.org",     "s..", "",        "no selector",    0, 0},
        {"expiry_before",   "From",       "a.org",     "s",   "",        "not after",      9, 9},
    };
    struct mfx_dkim_header_policy *policy = default_policy();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message m;
        struct mfx_err err = {0};
        struct mfx_str value;
        message_init(&m, cases[i].fields, "rfc8463/ed25519.seed");
        struct mfx_dkim_sign_request request = request_for(&m, policy);
        request.domain = mfx_str_of(cases[i].domain);
        request.selector = mfx_str_of(cases[i].selector);
        request.identity = mfx_str_of(cases[i].identity);
        request.timestamp_s = cases[i].timestamp;
        request.expires_s = cases[i].expires;
        enum mfx_rc rc = mfx_dkim_sign(&request, &m.headers, body_digest,
                                       m.arena, &value, &err);
        unit_assert_int(cases[i].label, rc, MFX_PERMFAIL);
        if (strstr(err.msg, cases[i].error) == NULL)
            fail_msg("%s: \"%s\"", cases[i].label, err.msg);
        message_fini(&m);
    }
    mfx_dkim_header_policy_free(policy);
}

/* A header section that no verifier would accept in h=. */
static void
too_many_fields(void **state)
{
    struct mfx_dkim_header_policy *policy = default_policy();
    struct message m;
    struct mfx_str value;
    (void)state;
    message_init(&m, "From", "rfc8463/ed25519.seed");
    for (int i = 0; i < 2000; i++)
        assert_non_null(mfx_headers_add(&m.headers, m.arena, mfx_str_of("To"),
                                        mfx_str_of(" x")));
    struct mfx_dkim_sign_request request = request_for(&m, policy);
    assert_int_equal(MFX_PERMFAIL,
                     mfx_dkim_sign(&request, &m.headers, body_digest, m.arena,
                                   &value, NULL));
    mfx_dkim_header_policy_free(policy);
    message_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_lists), cmocka_unit_test(bad_header_lists),
        cmocka_unit_test(tags),         cmocka_unit_test(folding),
        cmocka_unit_test(refusals),     cmocka_unit_test(too_many_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
