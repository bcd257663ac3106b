/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is the value of a DKIM-Signature field. Whatever it claims, the
 * result's words are fit for a header, and it never passes for a message that
 * nobody signed.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/dkim_verify.h>
#include <mfx/mail/address.h>
#include <mfx/net/resolver.h>

#include "dkim_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_result(const struct mfx_dkim_result *r)
{
    check(r->status != MFX_DKIM_PASS && r->status != MFX_DKIM_NONE);
    check(r->reason != NULL && r->fault != MFX_DKIM_FAULT_NONE);
    check(r->domain.len == 0 || mfx_domain_is_valid(r->domain, true));
    check(r->selector.len == 0 || mfx_domain_is_valid(r->selector, true));
    check(mfx_str_is_line(r->identity) && mfx_str_is_line(r->algorithm));
    check(mfx_str_is_ascii(r->signature_head) && r->signature_head.len <= 64);
}

static void
verify(struct mfx_arena *arena, const struct mfx_env *env, struct mfx_str value)
{
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    struct mfx_headers headers = {0};
    const struct mfx_dkim_result *results;
    size_t count, ignored;
    mfx_headers_add(&headers, arena, mfx_str_of("DKIM-Signature"), value);
    mfx_headers_add(&headers, arena, mfx_str_of("From"), mfx_str_of(" a@a"));
    mfx_headers_add(&headers, arena, mfx_str_of("To"), mfx_str_of(" b@a"));
    struct mfx_dkim_verifier *v = mfx_dkim_verifier_new(arena, env, &limits);
    mfx_dkim_verifier_diagnose(v);
    mfx_dkim_verifier_header(v, headers.first);
    mfx_dkim_verifier_headers_end(v, &headers, mfx_str_of("a"));
    mfx_dkim_verifier_body(v, mfx_str_of("Hi.\r\n"));
    check(mfx_dkim_verifier_finish(v, &results, &count, &ignored) == MFX_OK);
    check(count == 1 && ignored == 0);
    check_result(results);
    mfx_headers_fini(&headers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_env env = mfx_env_system();
    if (mfx_resolver_static_new(mfx_str_of(dkim_zone), &env.resolver, NULL) ==
        MFX_OK) {
        verify(arena, &env, mfx_str((const char *)data, size));
        mfx_arena_reset(arena);
        mfx_resolver_free(env.resolver);
    }
    mfx_arena_free(arena);
    return 0;
}
