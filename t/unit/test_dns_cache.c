/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/net/dns_cache.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mfx_dns_key
key_of(const char *name, enum mfx_dns_type type)
{
    struct mfx_dns_name parsed;
    assert_int_equal(mfx_dns_name_parse(mfx_str_of(name), &parsed), MFX_OK);
    return mfx_dns_key_of(&parsed, type);
}

static struct mfx_dns_reply *
reply_of(enum mfx_dns_status status, uint32_t ttl_s, const char *text)
{
    struct mfx_dns_record record = {.type = MFX_DNS_TXT,
                                    .text = mfx_str_of(text)};
    struct mfx_dns_answer answer = {.status = status, .ttl_s = ttl_s};
    if (text != NULL) {
        answer.records = &record;
        answer.count = 1;
    }
    struct mfx_dns_reply *reply = mfx_dns_reply_new(&answer);
    assert_non_null(reply);
    return reply;
}

static void
put(struct mfx_dns_cache *cache, const char *name, enum mfx_dns_status status,
    uint32_t ttl_s, const char *text, uint64_t now_ms)
{
    struct mfx_dns_key key = key_of(name, MFX_DNS_TXT);
    struct mfx_dns_reply *reply = reply_of(status, ttl_s, text);
    mfx_dns_cache_put(cache, &key, reply, now_ms);
    mfx_dns_reply_release(reply);
}

/* Seconds left, or -1 when it is not there. */
static int
get(struct mfx_dns_cache *cache, const char *name, uint64_t now_ms)
{
    struct mfx_dns_key key = key_of(name, MFX_DNS_TXT);
    uint32_t ttl_s = 0;
    struct mfx_dns_reply *reply =
        mfx_dns_cache_get(cache, &key, now_ms, &ttl_s);
    mfx_dns_reply_release(reply);
    return reply == NULL ? -1 : (int)ttl_s;
}

/* RFC 2308: negative answers with a TTL are kept; section 7 lets failures be
 * kept, we do not. */
static void
what_is_kept(void **state)
{
    static const struct {
        const char *label;
        enum mfx_dns_status status;
        uint32_t ttl_s;
        int want;
    } cases[] = {
        {"answer",      MFX_DNS_ANSWER,    60,       60   },
        {"no_name",     MFX_DNS_NO_NAME,   60,       60   },
        {"no_data",     MFX_DNS_NO_DATA,   60,       60   },
        {"failed",      MFX_DNS_FAILED,    60,       -1   },
        {"timeout",     MFX_DNS_TIMEOUT,   60,       -1   },
        {"malformed",   MFX_DNS_MALFORMED, 60,       -1   },
        {"ttl_zero",    MFX_DNS_ANSWER,    0,        -1   },
        {"no_soa",      MFX_DNS_NO_NAME,   0,        -1   },
        {"ttl_too_big", MFX_DNS_ANSWER,    90000000, 86400},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_cache *cache = mfx_dns_cache_new(10, 10000, 86400);
        put(cache, "a.test", cases[i].status, cases[i].ttl_s, NULL, 1000);
        unit_assert_int(cases[i].label, get(cache, "a.test", 1000),
                        cases[i].want);
        mfx_dns_cache_free(cache);
    }
}

static void
time_passes(void **state)
{
    (void)state;
    struct mfx_dns_cache *cache = mfx_dns_cache_new(10, 10000, 86400);
    put(cache, "A.test", MFX_DNS_ANSWER, 10, "x", 5000);
    assert_int_equal(get(cache, "a.TEST", 5000), 10);
    assert_int_equal(get(cache, "a.test", 9001), 6);
    assert_int_equal(get(cache, "a.test", 14999), 1);
    assert_int_equal(get(cache, "a.test", 15000), -1);
    assert_int_equal(mfx_dns_cache_entries(cache), 0);
    assert_int_equal(mfx_dns_cache_bytes(cache), 0);
    mfx_dns_cache_free(cache);
}

static void
types_apart(void **state)
{
    uint32_t ttl_s;
    (void)state;
    struct mfx_dns_cache *cache = mfx_dns_cache_new(10, 10000, 86400);
    put(cache, "a.test", MFX_DNS_ANSWER, 10, "x", 0);
    struct mfx_dns_key key = key_of("a.test", MFX_DNS_A);
    assert_null(mfx_dns_cache_get(cache, &key, 0, &ttl_s));
    mfx_dns_cache_free(cache);
}

/* A newer answer takes the place; a failure does not. */
static void
replaced(void **state)
{
    struct mfx_dns_key key = key_of("a.test", MFX_DNS_TXT);
    uint32_t ttl_s;
    (void)state;
    struct mfx_dns_cache *cache = mfx_dns_cache_new(10, 10000, 86400);
    put(cache, "a.test", MFX_DNS_ANSWER, 10, "old", 0);
    struct mfx_dns_reply *old = mfx_dns_cache_get(cache, &key, 0, &ttl_s);
    put(cache, "a.test", MFX_DNS_ANSWER, 20, "newer", 0);
    put(cache, "a.test", MFX_DNS_FAILED, 0, NULL, 0);
    assert_int_equal(mfx_dns_cache_entries(cache), 1);
    assert_int_equal(get(cache, "a.test", 0), 20);
    unit_assert_str("still held", old->answer.records[0].text,
                    mfx_str_of("old"));
    mfx_dns_reply_release(old);
    mfx_dns_cache_free(cache);
}

static void
bounded_entries(void **state)
{
    (void)state;
    struct mfx_dns_cache *cache = mfx_dns_cache_new(2, 100000, 86400);
    put(cache, "a.test", MFX_DNS_ANSWER, 60, "x", 0);
    put(cache, "b.test", MFX_DNS_ANSWER, 60, "x", 0);
    assert_int_equal(get(cache, "a.test", 0), 60); /* used last */
    put(cache, "c.test", MFX_DNS_ANSWER, 60, "x", 0);
    assert_int_equal(mfx_dns_cache_entries(cache), 2);
    assert_int_equal(get(cache, "a.test", 0), 60);
    assert_int_equal(get(cache, "b.test", 0), -1);
    assert_int_equal(get(cache, "c.test", 0), 60);
    mfx_dns_cache_free(cache);
}

static void
bounded_bytes(void **state)
{
    static char text[3001];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    struct mfx_dns_cache *cache = mfx_dns_cache_new(1000, 10000, 86400);
    for (int i = 0; i < 20; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%d.test", i);
        put(cache, name, MFX_DNS_ANSWER, 60, text, 0);
        assert_in_range(mfx_dns_cache_bytes(cache), 3000, 10000);
    }
    assert_int_equal(mfx_dns_cache_entries(cache), 3);
    mfx_dns_cache_free(cache);
    cache = mfx_dns_cache_new(1000, 2000, 86400);
    put(cache, "a.test", MFX_DNS_ANSWER, 60, "x", 0);
    put(cache, "large.test", MFX_DNS_ANSWER, 60, text, 0);
    assert_int_equal(get(cache, "a.test", 0), 60);
    assert_int_equal(get(cache, "large.test", 0), -1);
    mfx_dns_cache_free(cache);
}

static void
nothing_kept(void **state)
{
    (void)state;
    struct mfx_dns_cache *cache = mfx_dns_cache_new(0, 10000, 86400);
    put(cache, "a.test", MFX_DNS_ANSWER, 60, "x", 0);
    assert_int_equal(get(cache, "a.test", 0), -1);
    mfx_dns_cache_free(cache);
    mfx_dns_cache_free(NULL);
    mfx_dns_reply_release(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept),    cmocka_unit_test(time_passes),
        cmocka_unit_test(types_apart),     cmocka_unit_test(replaced),
        cmocka_unit_test(bounded_entries), cmocka_unit_test(bounded_bytes),
        cmocka_unit_test(nothing_kept),
    };
    return cmocka_run_group_tests_name("dns_cache", tests, NULL, NULL);
}
