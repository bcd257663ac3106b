/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is a value and, behind its first line end, a macro string: what
 * passes the check is expanded, what does not is not, and a name has at most
 * 253 octets where it can be cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/spf_macro.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ROOM = 1024 * 1024,
    LARGEST = 4096,
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
has_label(struct mfx_str name)
{
    return mfx_str_find(name, '.') < name.len;
}

static void
check_place(struct mfx_str spec, enum mfx_spf_macro_place place,
            struct mfx_str value, enum mfx_ip_family family)
{
    struct mfx_spf_macro_values values = {
        .sender = value,
        .local = value,
        .sender_domain = value,
        .domain = value,
        .validated = value,
        .helo = value,
        .receiver = value,
        .ip = {.family = family, .bytes = {192, 0, 2, 1}},
        .now_s = UINT64_MAX,
    };
    struct mfx_spf_macro_use use;
    const char *what = NULL;
    size_t at = 0;
    struct mfx_buf out;
    if (!mfx_spf_macro_check(spec, place, &use, &at, &what)) {
        check(what != NULL && at <= spec.len);
        return;
    }
    check(use.any == mfx_str_has(spec, '%'));
    mfx_buf_init(&out, ROOM);
    bool is_whole = mfx_spf_macro_expand(spec, &values, &out);
    check(is_whole || spec.len * (value.len + 64) * 3 > ROOM);
    struct mfx_str name = mfx_spf_macro_name(mfx_buf_str(&out));
    check(name.len <= MFX_SPF_NAME_MAX || !has_label(name));
    mfx_buf_fini(&out);
    mfx_buf_init(&out, MFX_SPF_NAME_ROOM);
    is_whole = mfx_spf_macro_expand(spec, &values, &out);
    check(out.len <= MFX_SPF_NAME_ROOM && is_whole == mfx_buf_ok(&out));
    mfx_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str spec = mfx_str((const char *)data, size), value;
    if (size == 0 || size > LARGEST)
        return 0;
    (void)mfx_str_cut(&spec, '\n', &value);
    for (int place = MFX_SPF_IN_MODIFIER; place <= MFX_SPF_IN_TEXT; place++) {
        check_place(spec, (enum mfx_spf_macro_place)place, value, MFX_IP_V4);
        check_place(spec, (enum mfx_spf_macro_place)place, value, MFX_IP_V6);
    }
    return 0;
}
