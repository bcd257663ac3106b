/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each allocation fails once, ours and OpenSSL's: an outage may come of it,
 * never another answer. (Linked with --wrap=malloc and the like.)
 */
#include "unit.h"
#include "vectors.h"

#include <mfx/auth/dkim_sign.h>
#include <mfx/auth/dkim_verify.h>
#include <mfx/net/resolver.h>

#include <openssl/crypto.h>

static struct {
    size_t count, fail_at; /* 0: none fails */
} sweep;

static bool
fails(void)
{
    return ++sweep.count == sweep.fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : __real_malloc(size);
}

static void *
openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : __real_realloc(old, size);
}

static void
openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* --- what is swept; the inputs are read before --- */

struct inputs {
    struct mfx_str rsa_key, ed25519_key, message;
    struct mfx_headers headers;
    struct mfx_str body;
    struct mfx_env env;
    uint64_t now_s;
};

static uint64_t
fixed_clock(const struct mfx_env *env)
{
    return *(const uint64_t *)env->arg;
}

static enum mfx_rc
sign_once(const struct inputs *in, struct mfx_str key_text)
{
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_dkim_header_policy *policy = NULL;
    struct mfx_str none = {"", 0}, value = {NULL, 0};
    struct mfx_arena *arena = mfx_arena_new(0);
    enum mfx_rc rc = MFX_TEMPFAIL;
    int h = -1;
    struct mfx_err err = {0};
    struct mfx_dkim_body *b =
        arena == NULL ? NULL : mfx_dkim_body_new(arena, true);
    if (b != NULL)
        h = mfx_dkim_body_want(b, MFX_DKIM_RELAXED, MFX_DKIM_NO_LIMIT);
    if (h >= 0) {
        mfx_dkim_body_update(b, in->body);
        mfx_dkim_body_finish(b);
        rc = mfx_dkim_private_key_parse(key_text, &key, &err);
    }
    if (rc == MFX_OK)
        rc = mfx_dkim_header_policy_parse(none, none, none, &policy, &err);
    if (rc == MFX_OK) {
        struct mfx_dkim_sign_request request = {
            .key = key,
            .domain = mfx_str_of("example.org"),
            .selector = mfx_str_of("s"),
            .identity = mfx_str_of("a=b@example.org"),
            .header_canon = MFX_DKIM_RELAXED,
            .body_canon = MFX_DKIM_RELAXED,
            .headers = policy,
            .body_length = MFX_DKIM_NO_LIMIT,
        };
        rc = mfx_dkim_sign(&request, &in->headers, mfx_dkim_body_digest(b, h),
                           arena, &value, &err);
    }
    if (rc == MFX_PERMFAIL)
        fail_msg("%s", err.msg);
    assert_true((rc == MFX_OK) == (value.len > 0));
    mfx_dkim_private_key_unref(key);
    mfx_dkim_header_policy_free(policy);
    mfx_arena_free(arena);
    return rc;
}

static enum mfx_rc
sign_rsa(struct inputs *in)
{
    return sign_once(in, in->rsa_key);
}

static enum mfx_rc
sign_ed25519(struct inputs *in)
{
    return sign_once(in, in->ed25519_key);
}

static enum mfx_rc
results_rc(enum mfx_rc rc, const struct mfx_dkim_result *results, size_t count)
{
    if (rc != MFX_OK)
        return rc;
    assert_int_equal(2, count);
    for (size_t i = 0; i < count; i++) {
        if (results[i].status == MFX_DKIM_TEMPERROR)
            rc = MFX_TEMPFAIL;
        else if (results[i].status != MFX_DKIM_PASS)
            return MFX_PERMFAIL;
    }
    return rc;
}

static enum mfx_rc
verify_both(struct inputs *in)
{
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    const struct mfx_dkim_result *results = NULL;
    size_t count = 0, ignored;
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct mfx_arena *arena = mfx_arena_new(0);
    limits.records = mfx_dkim_record_cache_new(10);
    limits.fix_line_ends = true;
    in->env.arg = &in->now_s;
    struct mfx_dkim_verifier *v =
        arena == NULL ? NULL : mfx_dkim_verifier_new(arena, &in->env, &limits);
    if (v != NULL) {
        for (struct mfx_header *h = in->headers.first; h != NULL; h = h->next)
            mfx_dkim_verifier_header(v, h);
        mfx_dkim_verifier_headers_end(v, &in->headers, mfx_str_of("x.org"));
        mfx_dkim_verifier_body(v, in->body);
        rc = mfx_dkim_verifier_finish(v, &results, &count, &ignored);
        rc = results_rc(rc, results, count);
    }
    if (arena != NULL)
        mfx_arena_free(arena);
    mfx_dkim_record_cache_free(limits.records);
    return rc;
}

static void
inputs_init(struct inputs *in, struct mfx_arena *arena)
{
    *in = (struct inputs){
        .rsa_key = vector_read(arena, "rfc8463/rsa.pem"),
        .ed25519_key = vector_read(arena, "rfc8463/ed25519.seed"),
        .message = vector_read(arena, "rfc8463/message.eml"),
        .env = mfx_env_system(),
        .now_s = 1528637909,
    };
    in->env.wall_s = fixed_clock;
    assert_int_equal(
        MFX_OK, mfx_message_split(in->message, arena, &in->headers, &in->body));
    assert_int_equal(MFX_OK,
                     mfx_resolver_static_new(vector_read(arena, "rfc8463/zone"),
                                             &in->env.resolver, NULL));
}

static void
run(const char *label, enum mfx_rc (*once)(struct inputs *in),
    struct inputs *in)
{
    enum mfx_rc rc = MFX_TEMPFAIL;
    size_t n = 1, outages = 0;
    sweep.fail_at = 0;
    unit_assert_int(label, once(in), MFX_OK); /* warm: what is kept is there */
    for (;; n++) {
        sweep.count = 0;
        sweep.fail_at = n;
        rc = once(in);
        bool ended = sweep.count < n;
        sweep.fail_at = 0;
        if (ended)
            break;
        if (rc != MFX_OK && rc != MFX_TEMPFAIL)
            fail_msg("%s: allocation %zu gives \"%s\"", label, n,
                     mfx_rc_name(rc));
        outages += rc == MFX_TEMPFAIL;
    }
    unit_assert_int(label, rc, MFX_OK);
    assert_true(n > 20 && outages > 5);
}

static void
allocations(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct inputs in;
    (void)state;
    inputs_init(&in, arena);
    run("sign_rsa", sign_rsa, &in);
    run("sign_ed25519", sign_ed25519, &in);
    run("verify", verify_both, &in);
    mfx_headers_fini(&in.headers);
    mfx_resolver_free(in.env.resolver);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),
    };
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
                                 openssl_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
