/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is a message; the body is given whole and byte by byte, and the
 * results are the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/dkim_verify.h>
#include <mfx/net/resolver.h>

#include "dkim_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum mfx_rc rc;
    const struct mfx_dkim_result *results;
    size_t count, ignored;
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct outcome
verify(struct mfx_arena *arena, const struct mfx_env *env, struct mfx_str text,
       size_t piece)
{
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    struct mfx_headers headers = {0};
    struct outcome out = {.rc = MFX_TEMPFAIL};
    struct mfx_str body;
    limits.fix_line_ends = true;
    check(mfx_message_split(text, arena, &headers, &body) == MFX_OK);
    struct mfx_dkim_verifier *v = mfx_dkim_verifier_new(arena, env, &limits);
    for (struct mfx_header *h = headers.first; h != NULL; h = h->next)
        mfx_dkim_verifier_header(v, h);
    mfx_dkim_verifier_headers_end(v, &headers,
                                  mfx_str_of("football.example.com"));
    for (size_t at = 0; at < body.len; at += piece)
        mfx_dkim_verifier_body(v, mfx_str_head(mfx_str_from(body, at), piece));
    check(mfx_dkim_verifier_pending(v) == NULL);
    out.rc =
        mfx_dkim_verifier_finish(v, &out.results, &out.count, &out.ignored);
    mfx_headers_fini(&headers);
    return out;
}

static void
compare(struct outcome a, struct outcome b)
{
    check(a.rc == b.rc && a.count == b.count && a.ignored == b.ignored);
    check(a.rc == (a.count + a.ignored == 0 ? MFX_NOTFOUND : MFX_OK));
    for (size_t i = 0; i < a.count; i++) {
        check(a.results[i].status == b.results[i].status);
        check(a.results[i].reason == b.results[i].reason);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_env env = mfx_env_system();
    struct mfx_str text = mfx_str((const char *)data, size);
    if (mfx_resolver_static_new(mfx_str_of(dkim_zone), &env.resolver, NULL) ==
        MFX_OK) {
        compare(verify(arena, &env, text, size + 1),
                verify(arena, &env, text, 1));
        mfx_arena_reset(arena);
        mfx_resolver_free(env.resolver);
    }
    mfx_arena_free(arena);
    return 0;
}
