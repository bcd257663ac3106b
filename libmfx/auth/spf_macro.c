/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_macro.h>

#include <limits.h>

enum {
    DIGITS_MAX = 9999, /* as good as all parts of any name */
};

static const struct mfx_str delimiters = MFX_STR(".-+,/_=");

/* "%{" letter digits "r" delimiters "}", taken apart. */
struct macro {
    unsigned char letter; /* lower case */
    bool is_escaped;      /* the letter was upper case */
    bool is_reversed;
    unsigned keep; /* parts from the right; UINT_MAX: all */
    struct mfx_str delimiters;
};

/* --- reading --- */

static bool
is_in(struct mfx_str set, unsigned char c)
{
    return mfx_str_has(set, (char)c);
}

static bool
read_digits(struct mfx_str s, size_t *at, struct macro *m, const char **what)
{
    m->keep = UINT_MAX;
    if (*at >= s.len || !mfx_ascii_is_digit((unsigned char)s.p[*at]))
        return true;
    m->keep = 0;
    for (; *at < s.len && mfx_ascii_is_digit((unsigned char)s.p[*at]); ++*at)
        if (m->keep < DIGITS_MAX)
            m->keep = m->keep * 10 + (unsigned)(s.p[*at] - '0');
    *what = "the number of parts in a macro is zero";
    return m->keep > 0;
}

/* s.p[*at] is behind the '{'; *at is then behind the '}'. */
static bool
read_macro(struct mfx_str s, size_t *at, struct macro *m, const char **what)
{
    static const struct mfx_str letters = MFX_STR("slodiphcrtv");
    *what = "no such macro letter";
    if (*at >= s.len)
        return false;
    unsigned char c = (unsigned char)s.p[*at];
    m->letter = mfx_ascii_lower(c);
    m->is_escaped = m->letter != c;
    if (!is_in(letters, m->letter))
        return false;
    ++*at;
    if (!read_digits(s, at, m, what))
        return false;
    m->is_reversed = *at < s.len && (s.p[*at] == 'r' || s.p[*at] == 'R');
    *at += m->is_reversed ? 1 : 0;
    size_t from = *at;
    while (*at < s.len && is_in(delimiters, (unsigned char)s.p[*at]))
        ++*at;
    m->delimiters = mfx_str(s.p + from, *at - from);
    *what = "a macro is not closed by }";
    if (*at >= s.len || s.p[*at] != '}')
        return false;
    ++*at;
    return true;
}

/* --- checking --- */

static bool
is_toplabel(struct mfx_str label)
{
    bool has_other = false;
    if (label.len == 0 || label.p[0] == '-' || label.p[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '-')
            return false;
        has_other = has_other || !mfx_ascii_is_digit(c);
    }
    return has_other;
}

/* The literal end of a domain-spec, behind its last macro. */
static bool
ends_in_toplabel(struct mfx_str tail)
{
    if (tail.len > 0 && tail.p[tail.len - 1] == '.')
        tail.len--;
    size_t dot = mfx_str_find_last(tail, '.');
    return dot < tail.len && is_toplabel(mfx_str_from(tail, dot + 1));
}

static bool
check_percent(struct mfx_str s, size_t *at, enum mfx_spf_macro_place place,
              struct mfx_spf_macro_use *use, const char **what)
{
    struct macro m;
    char c = *at + 1 < s.len ? s.p[*at + 1] : '\0';
    use->any = true;
    *what = "% without {, %, _ or - behind it";
    if (c == '%' || c == '_' || c == '-') {
        *at += 2;
        return true;
    }
    size_t behind = *at + 2;
    if (c != '{' || !read_macro(s, &behind, &m, what))
        return false;
    *what = "the macros c, r and t are for explanations only";
    if (place != MFX_SPF_IN_TEXT &&
        (m.letter == 'c' || m.letter == 'r' || m.letter == 't'))
        return false;
    use->ptr = use->ptr || m.letter == 'p';
    use->local = use->local || m.letter == 's' || m.letter == 'l';
    *at = behind;
    return true;
}

bool
mfx_spf_macro_check(struct mfx_str spec, enum mfx_spf_macro_place place,
                    struct mfx_spf_macro_use *use, size_t *at,
                    const char **what)
{
    struct mfx_spf_macro_use own_use;
    size_t own_at, macro_end = 0;
    const char *own_what;
    use = use == NULL ? &own_use : use;
    at = at == NULL ? &own_at : at;
    what = what == NULL ? &own_what : what;
    *use = (struct mfx_spf_macro_use){false, false, false};
    for (*at = 0; *at < spec.len;) {
        unsigned char c = (unsigned char)spec.p[*at];
        *what = "an octet that is not allowed";
        if (c == '%') {
            if (!check_percent(spec, at, place, use, what))
                return false;
            macro_end = *at;
        } else if (c < 0x21 || c > 0x7E) {
            if (c != ' ' || place != MFX_SPF_IN_TEXT)
                return false;
            ++*at;
        } else {
            ++*at;
        }
    }
    *what = spec.len == 0 ? "the domain is empty"
                          : "no domain: it ends in no top-level label";
    if (place != MFX_SPF_IN_DOMAIN || (use->any && macro_end == spec.len))
        return true;
    return ends_in_toplabel(mfx_str_from(spec, macro_end));
}

/* --- expanding --- */

/* RFC 3986 2.3. */
static bool
is_unreserved(unsigned char c)
{
    return mfx_ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static void
add_escaped(struct mfx_buf *out, struct mfx_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len && mfx_buf_ok(out); i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
        if (is_unreserved(c))
            mfx_buf_add_byte(out, s.p[i]);
        else
            mfx_buf_add(out, mfx_str(escape, sizeof escape));
    }
}

static void
add_part(struct mfx_buf *out, const struct macro *m, struct mfx_str part)
{
    if (m->is_escaped)
        add_escaped(out, part);
    else
        mfx_buf_add(out, part);
}

/* Where the part that ends at `end` begins. */
static size_t
part_start(struct mfx_str value, struct mfx_str separators, size_t end)
{
    while (end > 0 && !is_in(separators, (unsigned char)value.p[end - 1]))
        end--;
    return end;
}

/* The last `keep` parts, in order. */
static void
add_last(struct mfx_buf *out, const struct macro *m, struct mfx_str separators,
         struct mfx_str value)
{
    size_t start = value.len;
    for (unsigned n = 0; n < m->keep; n++) {
        start = part_start(value, separators, start);
        if (start == 0)
            break;
        start -= n + 1 < m->keep ? 1 : 0;
    }
    for (size_t i = start; i <= value.len && mfx_buf_ok(out);) {
        size_t end = i;
        while (end < value.len &&
               !is_in(separators, (unsigned char)value.p[end]))
            end++;
        if (i > start)
            mfx_buf_add_byte(out, '.');
        add_part(out, m, mfx_str(value.p + i, end - i));
        i = end + 1;
    }
}

/* The first `keep` parts, the last of them first: what is right of all when
 * the parts have been reversed. */
static void
add_reversed(struct mfx_buf *out, const struct macro *m,
             struct mfx_str separators, struct mfx_str value)
{
    size_t end = 0;
    for (unsigned n = 0; n < m->keep && end < value.len; n++) {
        end += n > 0 ? 1 : 0;
        while (end < value.len &&
               !is_in(separators, (unsigned char)value.p[end]))
            end++;
    }
    for (;;) {
        size_t start = part_start(value, separators, end);
        add_part(out, m, mfx_str(value.p + start, end - start));
        if (start == 0 || !mfx_buf_ok(out))
            return;
        mfx_buf_add_byte(out, '.');
        end = start - 1;
    }
}

static void
add_value(struct mfx_buf *out, const struct macro *m, struct mfx_str value)
{
    static const struct mfx_str dot = MFX_STR(".");
    struct mfx_str separators = m->delimiters.len > 0 ? m->delimiters : dot;
    if (value.len == 0)
        return;
    if (m->is_reversed)
        add_reversed(out, m, separators, value);
    else if (m->keep == UINT_MAX && m->delimiters.len == 0)
        add_part(out, m, value);
    else
        add_last(out, m, separators, value);
}

/* i: "192.0.2.1", or the 32 nibbles of an IPv6 address with dots. */
static struct mfx_str
dotted(const struct mfx_ip *ip, bool is_text, char room[64])
{
    const char *hex = is_text ? "0123456789ABCDEF" : "0123456789abcdef";
    if (ip->family != MFX_IP_V6)
        return mfx_str_of(mfx_ip_format(ip, room));
    for (size_t i = 0; i < 16; i++) {
        room[4 * i] = hex[ip->bytes[i] >> 4];
        room[4 * i + 1] = '.';
        room[4 * i + 2] = hex[ip->bytes[i] & 15];
        room[4 * i + 3] = '.';
    }
    return mfx_str(room, 63);
}

static struct mfx_str
decimal(uint64_t value, char room[64])
{
    size_t at = 64;
    do {
        room[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return mfx_str(room + at, 64 - at);
}

static struct mfx_str
or_unknown(struct mfx_str s)
{
    return s.len > 0 ? s : mfx_str_of("unknown");
}

static struct mfx_str
value_of(unsigned char letter, const struct mfx_spf_macro_values *v,
         char room[64])
{
    switch (letter) {
    case 's':
        return v->sender;
    case 'l':
        return v->local;
    case 'o':
        return v->sender_domain;
    case 'd':
        return v->domain;
    case 'i':
        return dotted(&v->ip, v->is_text, room);
    case 'p':
        return or_unknown(v->validated);
    case 'v':
        return mfx_str_of(v->ip.family == MFX_IP_V6 ? "ip6" : "in-addr");
    case 'h':
        return v->helo;
    case 'c':
        return mfx_str_of(mfx_ip_format(&v->ip, room));
    case 'r':
        return or_unknown(v->receiver);
    default: /* t: read_macro lets no other through */
        return decimal(v->now_s, room);
    }
}

static bool
expand_percent(struct mfx_str s, size_t *at,
               const struct mfx_spf_macro_values *values, struct mfx_buf *out)
{
    struct macro m;
    const char *what;
    char room[64];
    char c = *at + 1 < s.len ? s.p[*at + 1] : '\0';
    *at += 2;
    if (c == '%' || c == '_') {
        mfx_buf_add_byte(out, c == '%' ? '%' : ' ');
        return true;
    }
    if (c == '-') {
        mfx_buf_add_text(out, "%20");
        return true;
    }
    if (c != '{' || !read_macro(s, at, &m, &what))
        return false;
    add_value(out, &m, value_of(m.letter, values, room));
    return true;
}

bool
mfx_spf_macro_expand(struct mfx_str spec,
                     const struct mfx_spf_macro_values *values,
                     struct mfx_buf *out)
{
    for (size_t at = 0; at < spec.len && mfx_buf_ok(out);) {
        size_t literal = mfx_str_find(mfx_str_from(spec, at), '%');
        mfx_buf_add(out, mfx_str(spec.p + at, literal));
        at += literal;
        if (at < spec.len && !expand_percent(spec, &at, values, out))
            return false;
    }
    return mfx_buf_ok(out);
}

struct mfx_str
mfx_spf_macro_name(struct mfx_str expanded)
{
    if (expanded.len > 0 && expanded.p[expanded.len - 1] == '.')
        expanded.len--;
    while (expanded.len > MFX_SPF_NAME_MAX) {
        size_t dot = mfx_str_find(expanded, '.');
        if (dot == expanded.len)
            break;
        expanded = mfx_str_from(expanded, dot + 1);
    }
    return expanded;
}
