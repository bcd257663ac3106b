/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is read as Received-SPF; and, cut at bytes 0xFE, it is what
 * strangers say in fields that are written: they are safe, ours, and hold one
 * result.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/spf_header.h>
#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mfx_str ours = MFX_STR("mx.example.org");

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
is_ours(struct mfx_str name, void *arg)
{
    size_t *calls = arg;
    (*calls)++;
    return mfx_authres_claims_id(name, ours);
}

static struct mfx_str
next_value(struct mfx_str *rest)
{
    struct mfx_str value = {0};
    (void)mfx_str_cut(rest, (char)0xFE, &value);
    return value;
}

static void
check_field(struct mfx_str value)
{
    struct mfx_str line;
    check(mfx_header_value_is_safe(value));
    while (mfx_str_cut(&value, '\n', &line))
        check(line.len < 998);
}

static void
check_writer(struct mfx_str in, bool eai, struct mfx_arena *arena)
{
    uint8_t kind = in.len > 0 ? (uint8_t)in.p[0] : 0;
    in = mfx_str_from(in, 1);
    const struct mfx_spf_outcome outcome = {
        .result = (enum mfx_spf_result)(kind % MFX_SPF_RESULT_COUNT),
        .identity = kind >= 128 ? MFX_SPF_HELO : MFX_SPF_MAIL_FROM,
        .domain = next_value(&in),
        .local = next_value(&in),
        .mechanism = next_value(&in),
        .problem = next_value(&in),
    };
    const struct mfx_spf_header h = {
        .outcome = &outcome,
        .helo = next_value(&in),
        .sender = next_value(&in),
        .receiver = ours,
        .eai = eai,
    };
    const struct mfx_dnswl dnswl = {.zone = outcome.domain, .txt = h.helo};
    struct mfx_authres_writer w;
    struct mfx_authres got;
    struct mfx_str value;
    struct mfx_buf out;
    size_t calls = 0;
    check(mfx_spf_header_received(&h, arena, &value) == MFX_OK);
    check_field(value);
    check(mfx_spf_header_claims(value, is_ours, &calls) && calls > 0);
    mfx_buf_init_arena(&out, arena, 100000);
    mfx_authres_begin(&w, &out, ours, eai);
    mfx_spf_header_result(&w, &h);
    mfx_spf_header_dnswl(&w, &dnswl);
    mfx_authres_end(&w);
    check(mfx_buf_ok(&out));
    check_field(mfx_buf_str(&out));
    check(mfx_authres_parse(mfx_buf_str(&out), arena, 10, &got) == MFX_OK);
    check(got.is_whole && got.result_count == 2);
    check(
        mfx_str_is(got.results[0].result, mfx_spf_result_name(outcome.result)));
    check(!mfx_authres_claims_method(mfx_buf_str(&out), mfx_str_of("dkim")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    size_t calls = 0;
    bool claims = mfx_spf_header_claims(in, is_ours, &calls);
    check(claims || calls > 0);
    check_writer(in, false, arena);
    check_writer(in, true, arena);
    mfx_arena_free(arena);
    return 0;
}
