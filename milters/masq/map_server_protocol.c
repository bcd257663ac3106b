/* SPDX-License-Identifier: BSD-2-Clause */
#include "map_server_protocol.h"

enum {
    DIGITS_MAX = 5,
    REASON_MAX = 200,
};

/* --- socketmap --- */

static enum masq_map_name
name_of(struct mfx_str word)
{
    if (mfx_str_is(word, "srs_forward") || mfx_str_is(word, "forward"))
        return MASQ_MAP_FORWARD;
    if (mfx_str_is(word, "srs_reverse") || mfx_str_is(word, "reverse"))
        return MASQ_MAP_REVERSE;
    return MASQ_MAP_UNKNOWN;
}

/* "12:hello world!," */
static enum masq_map_parsed
parse_netstring(struct mfx_str bytes, struct mfx_str *inside, size_t *len)
{
    uint64_t want = 0;
    size_t digits = 0;
    while (digits < bytes.len &&
           mfx_ascii_is_digit((unsigned char)bytes.p[digits]))
        digits++;
    if (digits > DIGITS_MAX ||
        (digits > 0 && mfx_str_to_u64(mfx_str_head(bytes, digits),
                                      MASQ_MAP_REQUEST_MAX, &want) != MFX_OK))
        return MASQ_MAP_BROKEN;
    if (digits == bytes.len)
        return MASQ_MAP_MORE;
    if (digits == 0 || bytes.p[digits] != ':')
        return MASQ_MAP_BROKEN;
    *inside = mfx_str_head(mfx_str_from(bytes, digits + 1), (size_t)want);
    *len = digits + 1 + (size_t)want + 1;
    if (bytes.len < *len)
        return MASQ_MAP_MORE;
    return bytes.p[*len - 1] == ',' ? MASQ_MAP_REQUEST : MASQ_MAP_BROKEN;
}

static enum masq_map_parsed
parse_socketmap(struct mfx_str bytes, struct masq_map_request *request)
{
    struct mfx_str inside;
    enum masq_map_parsed parsed =
        parse_netstring(bytes, &inside, &request->len);
    if (parsed != MASQ_MAP_REQUEST)
        return parsed;
    size_t blank = mfx_str_find(inside, ' ');
    if (blank == inside.len)
        return MASQ_MAP_BROKEN;
    request->name = name_of(mfx_str_head(inside, blank));
    request->key = mfx_str_from(inside, blank + 1);
    return MASQ_MAP_REQUEST;
}

/* --- tcp_table --- */

static int
hex_value(char c)
{
    unsigned char low = mfx_ascii_lower((unsigned char)c);
    return mfx_ascii_is_digit(low)    ? low - '0'
           : low >= 'a' && low <= 'f' ? low - 'a' + 10
                                      : -1;
}

/* MFX_PERMFAIL for a '%' without two digits. */
static enum mfx_rc
decode(struct mfx_str text, struct mfx_arena *arena, struct mfx_str *out)
{
    char *p = mfx_arena_alloc_bytes(arena, text.len + 1);
    size_t len = 0;
    if (p == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '%') {
            p[len++] = text.p[i];
            continue;
        }
        int high = i + 2 < text.len ? hex_value(text.p[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_value(text.p[i + 2]);
        if (low < 0)
            return MFX_PERMFAIL;
        p[len++] = (char)(unsigned char)(high * 16 + low);
        i += 2;
    }
    *out = mfx_str(p, len);
    return MFX_OK;
}

static enum masq_map_parsed
parse_tcp(struct mfx_str bytes, struct mfx_arena *arena,
          struct masq_map_request *request)
{
    static const struct mfx_str get = MFX_STR("get ");
    size_t end = mfx_str_find(bytes, '\n');
    if (end == bytes.len)
        return end > MASQ_MAP_REQUEST_MAX ? MASQ_MAP_BROKEN : MASQ_MAP_MORE;
    struct mfx_str line = mfx_str_head(bytes, end);
    request->name = MASQ_MAP_OF_SOCKET;
    request->len = end + 1;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    if (line.len > MASQ_MAP_REQUEST_MAX || !mfx_str_starts(line, get))
        return MASQ_MAP_BROKEN;
    enum mfx_rc rc = decode(mfx_str_from(line, get.len), arena, &request->key);
    return rc == MFX_OK         ? MASQ_MAP_REQUEST
           : rc == MFX_PERMFAIL ? MASQ_MAP_BROKEN
                                : MASQ_MAP_NO_MEMORY;
}

enum masq_map_parsed
masq_map_request_parse(enum masq_map_form form, struct mfx_str bytes,
                       struct mfx_arena *arena,
                       struct masq_map_request *request)
{
    *request = (struct masq_map_request){.name = MASQ_MAP_UNKNOWN};
    return form == MASQ_MAP_SOCKETMAP ? parse_socketmap(bytes, request)
                                      : parse_tcp(bytes, arena, request);
}

/* --- replies --- */

static void
add_encoded(struct mfx_buf *out, struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c >= 0x7F || c == '%')
            mfx_buf_printf(out, "%%%02X", c);
        else
            mfx_buf_add_byte(out, (char)c);
    }
}

/* One line of plain text. */
static void
add_reason(struct mfx_buf *out, struct mfx_str text)
{
    text = mfx_str_head(text, REASON_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        mfx_buf_add_byte(out, c >= ' ' && c < 0x7F ? (char)c : '?');
    }
}

static void
write_tcp(enum mfx_rc rc, struct mfx_str text, struct mfx_buf *out)
{
    switch (rc) {
    case MFX_OK:
        mfx_buf_add_text(out, "200 ");
        add_encoded(out, text);
        break;
    case MFX_NOTFOUND:
        mfx_buf_add_text(out, "500 ");
        add_reason(out, text);
        break;
    case MFX_TEMPFAIL:
    case MFX_PERMFAIL:
        mfx_buf_add_text(out, "400 ");
        add_reason(out, text);
        break;
    }
    mfx_buf_add_byte(out, '\n');
}

static void
write_socketmap(enum mfx_rc rc, struct mfx_str text, struct mfx_buf *out)
{
    static const char *const words[] = {
        [MFX_OK] = "OK ",
        [MFX_NOTFOUND] = "NOTFOUND ",
        [MFX_TEMPFAIL] = "TEMP ",
        [MFX_PERMFAIL] = "PERM ",
    };
    if (rc != MFX_OK)
        text = mfx_str_head(text, REASON_MAX);
    mfx_buf_printf(out, "%zu:%s", strlen(words[rc]) + text.len, words[rc]);
    if (rc == MFX_OK)
        mfx_buf_add(out, text);
    else
        add_reason(out, text);
    mfx_buf_add_byte(out, ',');
}

void
masq_map_reply_write(enum masq_map_form form, enum mfx_rc rc,
                     struct mfx_str text, struct mfx_buf *out)
{
    if (form == MASQ_MAP_SOCKETMAP)
        write_socketmap(rc, text, out);
    else
        write_tcp(rc, text, out);
}
