/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is read as Authentication-Results; and, cut at bytes 0xFE, it is
 * the values of a field that is written: what was written is read back whole,
 * with the same id and exactly the results written.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/address.h>
#include <mfx/mail/authres.h>
#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LONGEST = 400, /* values are not cut */
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* What the writer's contract makes of a value. */
static struct mfx_str
written(struct mfx_str value, bool eai, struct mfx_arena *arena)
{
    bool keep = eai && mfx_str_is_utf8(value);
    char *out = mfx_arena_alloc_bytes(arena, value.len + 1);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool bad = c < ' ' || c == 0x7F || c == ';' || (c >= 0x80 && !keep);
        out[i] = bad ? '?' : (char)c;
    }
    return mfx_str(out, value.len);
}

static struct mfx_str
next_value(struct mfx_str *rest)
{
    struct mfx_str value = {0};
    if (!mfx_str_cut(rest, (char)0xFE, &value))
        return value;
    return mfx_str_head(value, LONGEST);
}

static void
check_writer(struct mfx_str in, bool eai, struct mfx_arena *arena)
{
    struct mfx_str id = next_value(&in), reason = next_value(&in);
    struct mfx_str comment = next_value(&in);
    struct mfx_str first = next_value(&in), second = next_value(&in);
    struct mfx_authres_writer w;
    struct mfx_authres got;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 100000);
    mfx_authres_begin(&w, &out, id, eai);
    mfx_authres_result(&w, "dkim", "pass", reason, comment);
    mfx_authres_property(&w, "header", "d", first);
    mfx_authres_property(&w, "header", "b", second);
    mfx_authres_result(&w, "dkim", "fail", comment, reason);
    mfx_authres_end(&w);
    struct mfx_str value = mfx_buf_str(&out);
    check(mfx_buf_ok(&out) && mfx_header_value_is_safe(value));
    check(mfx_authres_parse(value, arena, 10, &got) == MFX_OK);
    check(got.result_count == 2 && mfx_str_is(got.results[1].result, "fail"));
    check(got.is_whole);
    check(mfx_str_eq(got.authserv_id, written(id, eai, arena)));
    check(mfx_str_eq(got.results[0].reason, written(reason, eai, arena)));
    size_t count = (first.len > 0 ? 1u : 0u) + (second.len > 0 ? 1u : 0u);
    check(got.results[0].property_count == count);
    if (first.len > 0)
        check(mfx_str_eq(got.results[0].properties[0].value,
                         written(first, eai, arena)));
    if (second.len > 0)
        check(mfx_str_eq(got.results[0].properties[count - 1].value,
                         written(second, eai, arena)));
    check(mfx_authres_claims_method(value, mfx_str_of("dkim")));
    check(!mfx_authres_claims_method(value, mfx_str_of("spf")));
}

/* The reader that the claims rest on and the one that forgives nothing agree:
 * a field that we read as ours is claimed. */
static void
check_reader(struct mfx_str in, struct mfx_arena *arena)
{
    static const struct mfx_str ours = MFX_STR("mx.example.org");
    struct mfx_authres got;
    bool claims = mfx_authres_claims_id(in, ours);
    static const struct mfx_str parent = MFX_STR("example.org");
    static const struct mfx_str below = MFX_STR("x.example.org");
    bool claims_below = mfx_authres_claims_below(in, parent);
    bool claims_method = mfx_authres_claims_method(in, mfx_str_of("dkim"));
    enum mfx_rc rc = mfx_authres_parse(in, arena, 5, &got);
    check(rc == MFX_OK || rc == MFX_PERMFAIL);
    if (rc == MFX_OK && mfx_str_eq_nocase(got.authserv_id, ours))
        check(claims && claims_below);
    if (rc == MFX_OK && mfx_domain_is_valid(got.authserv_id, false) &&
        mfx_str_ends_nocase(got.authserv_id, below))
        check(claims_below);
    for (size_t i = 0; i < got.result_count; i++)
        if (mfx_str_is_nocase(got.results[i].method, "dkim"))
            check(claims_method);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    check_reader(in, arena);
    check_writer(in, false, arena);
    check_writer(in, true, arena);
    mfx_arena_free(arena);
    return 0;
}
