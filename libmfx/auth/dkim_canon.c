/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_canon.h>

const char *
mfx_dkim_canon_name(enum mfx_dkim_canon canon)
{
    switch (canon) {
    case MFX_DKIM_SIMPLE:
        return "simple";
    case MFX_DKIM_RELAXED:
        return "relaxed";
    }
    return "";
}

/* RFC 6376 3.4.1: as it stands, with CRLF for the LF of our convention. */
static void
simple(struct mfx_str name, struct mfx_str value, struct mfx_buf *out)
{
    mfx_buf_add(out, name);
    mfx_buf_add_byte(out, ':');
    for (;;) {
        size_t end = mfx_str_find(value, '\n');
        struct mfx_str line = mfx_str_head(value, end);
        if (end < value.len && end > 0 && line.p[end - 1] == '\r')
            line.len--;
        mfx_buf_add(out, line);
        mfx_buf_add_text(out, "\r\n");
        if (end == value.len)
            return;
        value = mfx_str_from(value, end + 1);
    }
}

/* Space, tab, LF, and CR right before LF: what unfolding and the reduction of
 * white space take away. A CR that stands alone is text. */
static bool
is_gap(struct mfx_str s, size_t at)
{
    char c = s.p[at];
    return c == ' ' || c == '\t' || c == '\n' ||
           (c == '\r' && at + 1 < s.len && s.p[at + 1] == '\n');
}

/* RFC 6376 3.4.2. room holds what name and value hold, ":" and CRLF. */
static size_t
write_relaxed(struct mfx_str name, struct mfx_str value, char *room)
{
    char *to = room;
    size_t at = 0;
    while (name.len > 0 &&
           mfx_ascii_is_wsp((unsigned char)name.p[name.len - 1]))
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        *to++ = (char)mfx_ascii_lower((unsigned char)name.p[i]);
    *to++ = ':';
    const char *start = to;
    while (at < value.len) {
        if (!is_gap(value, at)) {
            *to++ = value.p[at++];
            continue;
        }
        while (at < value.len && is_gap(value, at))
            at++;
        if (to != start && at < value.len)
            *to++ = ' ';
    }
    *to++ = '\r';
    *to++ = '\n';
    return (size_t)(to - room);
}

void
mfx_dkim_canon_header(enum mfx_dkim_canon canon, struct mfx_str name,
                      struct mfx_str value, struct mfx_buf *out)
{
    if (canon == MFX_DKIM_SIMPLE) {
        simple(name, value, out);
        return;
    }
    char *room = mfx_buf_room(out, name.len + value.len + 3);
    if (room != NULL)
        out->len += write_relaxed(name, value, room);
}
