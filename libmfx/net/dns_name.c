/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_name.h>

enum {
    LABEL_MAX = 63,
    POINTERS_MAX = 127,
    POINTER_MARK = 0xC0,
};

enum mfx_rc
mfx_dns_name_parse(struct mfx_str text, struct mfx_dns_name *name)
{
    struct mfx_str label;
    if (text.len > 0 && text.p[text.len - 1] == '.')
        text.len--;
    if (text.len == 0)
        return MFX_PERMFAIL;
    name->len = 0;
    while (mfx_str_cut(&text, '.', &label)) {
        if (label.len == 0 || label.len > LABEL_MAX ||
            name->len + label.len + 2 > sizeof name->wire)
            return MFX_PERMFAIL;
        name->wire[name->len++] = (unsigned char)label.len;
        for (size_t i = 0; i < label.len; i++)
            name->wire[name->len++] =
                mfx_ascii_lower((unsigned char)label.p[i]);
    }
    name->wire[name->len++] = 0;
    return MFX_OK;
}

static bool
is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7F && c != '.' && c != '\\';
}

struct mfx_str
mfx_dns_name_text(const struct mfx_dns_name *name, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, name->len * 4 + 1);
    size_t len = 0, at = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    while (at < name->len && name->wire[at] != 0) {
        size_t end = at + 1 + name->wire[at];
        if (at > 0)
            out[len++] = '.';
        for (at++; at < end; at++) {
            unsigned char c = name->wire[at];
            if (is_plain(c)) {
                out[len++] = (char)c;
                continue;
            }
            out[len++] = '\\';
            out[len++] = (char)('0' + c / 100);
            out[len++] = (char)('0' + c / 10 % 10);
            out[len++] = (char)('0' + c % 10);
        }
    }
    return mfx_str(out, len);
}

/* Appends the label at p[pos], of `size` bytes and its length byte. */
static bool
add_label(struct mfx_dns_name *name, struct mfx_str bytes, size_t pos,
          unsigned size)
{
    if (pos + 1 + size > bytes.len || name->len + 1 + size > sizeof name->wire)
        return false;
    name->wire[name->len++] = (unsigned char)size;
    for (unsigned i = 1; i <= size; i++)
        name->wire[name->len++] =
            mfx_ascii_lower((unsigned char)bytes.p[pos + i]);
    return true;
}

bool
mfx_dns_name_unpack(struct mfx_str bytes, size_t *at, struct mfx_dns_name *name)
{
    size_t pos = *at, limit = *at;
    unsigned pointers = 0;
    name->len = 0;
    while (pos < bytes.len) {
        unsigned c = (unsigned char)bytes.p[pos];
        if (c <= LABEL_MAX) {
            if (!add_label(name, bytes, pos, c))
                return false;
            pos += 1 + c;
            if (pointers == 0)
                *at = pos;
            if (c == 0)
                return true;
            continue;
        }
        if (c < POINTER_MARK || pos + 2 > bytes.len ||
            ++pointers > POINTERS_MAX)
            return false;
        size_t target =
            (size_t)(c & 0x3F) << 8 | (unsigned char)bytes.p[pos + 1];
        if (pointers == 1)
            *at = pos + 2;
        if (target >= limit)
            return false;
        pos = limit = target;
    }
    return false;
}

bool
mfx_dns_name_eq(const struct mfx_dns_name *a, const struct mfx_dns_name *b)
{
    return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}
