/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_json.h>

#include <math.h>

#include <mfx/base/map.h>

enum {
    FEW = 16,        /* names are compared one with another */
    DIGITS_MAX = 19, /* of a number; more of them make no difference */
    EXPONENT_MAX = 9999,
    SURROGATE = 0xD800,
    SURROGATE_LOW = 0xDC00,
    SURROGATE_END = 0xE000,
};

struct reader {
    struct mfx_arena *arena;
    struct mfx_str text;
    size_t at;
    unsigned depth;
    struct mfx_err *err;
};

static bool
fail(struct reader *r, const char *why)
{
    mfx_err_set(r->err, "%s at byte %zu", why, r->at);
    return false;
}

static int
peek(const struct reader *r)
{
    return r->at < r->text.len ? (unsigned char)r->text.p[r->at] : -1;
}

static bool
is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct reader *r)
{
    while (is_blank(peek(r)))
        r->at++;
}

static bool
take(struct reader *r, int c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

/* --- texts --- */

static bool
read_hex(struct reader *r, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(r);
        if (c >= '0' && c <= '9')
            c -= '0';
        else if (c >= 'a' && c <= 'f')
            c -= 'a' - 10;
        else if (c >= 'A' && c <= 'F')
            c -= 'A' - 10;
        else
            return fail(r, "no four hexadecimal digits");
        *code = *code << 4 | (unsigned)c;
        r->at++;
    }
    return true;
}

static size_t
put_utf8(unsigned code, char *to)
{
    unsigned char *p = (unsigned char *)to;
    if (code < 0x80) {
        p[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        p[0] = (unsigned char)(0xC0 | code >> 6);
        p[1] = (unsigned char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        p[0] = (unsigned char)(0xE0 | code >> 12);
        p[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        p[2] = (unsigned char)(0x80 | (code & 0x3F));
        return 3;
    }
    p[0] = (unsigned char)(0xF0 | code >> 18);
    p[1] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
    p[2] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
    p[3] = (unsigned char)(0x80 | (code & 0x3F));
    return 4;
}

/* After "\u": a pair of surrogates is one character. */
static bool
read_code(struct reader *r, unsigned *code)
{
    unsigned low;
    if (!read_hex(r, code))
        return false;
    if (*code < SURROGATE || *code >= SURROGATE_END)
        return true;
    if (*code >= SURROGATE_LOW || !take(r, '\\') || !take(r, 'u') ||
        !read_hex(r, &low) || low < SURROGATE_LOW || low >= SURROGATE_END)
        return fail(r, "half a character");
    *code = 0x10000 + ((*code - SURROGATE) << 10) + (low - SURROGATE_LOW);
    return true;
}

/* After the backslash. */
static bool
read_escape(struct reader *r, char *to, size_t *len)
{
    static const char marks[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    int c = peek(r);
    unsigned code;
    if (c == 'u') {
        r->at++;
        if (!read_code(r, &code))
            return false;
        *len += put_utf8(code, to + *len);
        return true;
    }
    const char *mark = c > 0 ? strchr(marks, c) : NULL;
    if (mark == NULL)
        return fail(r, "an unknown escape");
    r->at++;
    to[(*len)++] = meant[mark - marks];
    return true;
}

/* Up to a quote or a backslash. */
static bool
skip_plain(struct reader *r)
{
    int c = peek(r);
    while (c >= ' ' && c != '"' && c != '\\') {
        r->at++;
        c = peek(r);
    }
    return c == '"' || c == '\\' ||
           fail(r, c < 0 ? "a text without end" : "a control character");
}

/* Where the text ends, at the latest. */
static size_t
find_end(const struct reader *r)
{
    size_t at = r->at;
    while (at < r->text.len && r->text.p[at] != '"')
        at += r->text.p[at] == '\\' ? 2 : 1;
    return at < r->text.len ? at : r->text.len;
}

/* From the first backslash on; never longer than it is written. */
static bool
read_escaped(struct reader *r, size_t begin, struct mfx_str *text)
{
    size_t len = 0;
    char *to = mfx_arena_alloc_bytes(r->arena, find_end(r) - begin);
    if (to == NULL)
        return fail(r, "out of memory");
    for (;;) {
        memcpy(to + len, r->text.p + begin, r->at - begin);
        len += r->at - begin;
        if (take(r, '"'))
            break;
        r->at++;
        if (!read_escape(r, to, &len))
            return false;
        begin = r->at;
        if (!skip_plain(r))
            return false;
    }
    *text = mfx_str(to, len);
    return true;
}

static bool
read_text(struct reader *r, struct mfx_str *text)
{
    if (!take(r, '"'))
        return fail(r, "no quote");
    size_t begin = r->at;
    if (!skip_plain(r))
        return false;
    if (peek(r) == '\\')
        return read_escaped(r, begin, text);
    *text = mfx_str(r->text.p + begin, r->at - begin);
    r->at++;
    return true;
}

/* --- numbers --- */

struct number {
    uint64_t digits;
    unsigned count;
    long exponent;
};

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* False: there is none. step: what each of them adds to the exponent. */
static bool
read_digits(struct reader *r, struct number *n, int step)
{
    if (!is_digit(peek(r)))
        return fail(r, "no digit");
    for (; is_digit(peek(r)); r->at++) {
        if (n->count < DIGITS_MAX) {
            n->digits = n->digits * 10 + (unsigned)(peek(r) - '0');
            n->count += n->digits != 0;
            n->exponent += step;
        } else if (step == 0) {
            n->exponent++;
        }
    }
    return true;
}

static bool
read_exponent(struct reader *r, struct number *n)
{
    long exponent = 0;
    r->at++;
    bool is_negative = take(r, '-');
    if (!is_negative)
        (void)take(r, '+');
    if (!is_digit(peek(r)))
        return fail(r, "no digit");
    for (; is_digit(peek(r)); r->at++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (peek(r) - '0');
    n->exponent += is_negative ? -exponent : exponent;
    return true;
}

/* Exact where digits and power of ten both fit; else within a few units of the
 * last place. */
static double
value_of(const struct number *n)
{
    long double value = (long double)n->digits, power = 10;
    unsigned long left =
        (unsigned long)(n->exponent < 0 ? -n->exponent : n->exponent);
    if (n->digits == 0)
        return 0;
    for (; left > 0; left >>= 1, power *= power)
        if ((left & 1) != 0)
            value = n->exponent < 0 ? value / power : value * power;
    return (double)value;
}

static bool
read_number(struct reader *r, double *value)
{
    struct number n = {0};
    bool is_negative = take(r, '-');
    if (peek(r) == '0') {
        r->at++;
        if (is_digit(peek(r)))
            return fail(r, "a number with a leading 0");
    } else if (!read_digits(r, &n, 0)) {
        return false;
    }
    if (take(r, '.') && !read_digits(r, &n, -1))
        return false;
    if ((peek(r) == 'e' || peek(r) == 'E') && !read_exponent(r, &n))
        return false;
    *value = is_negative ? -value_of(&n) : value_of(&n);
    return isfinite(*value) || fail(r, "too large a number");
}

/* --- values --- */

static bool read_value(struct reader *r, struct mfx_scan_json *v);

static bool
read_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if (r->text.len - r->at < len || memcmp(r->text.p + r->at, word, len) != 0)
        return fail(r, "no value");
    r->at += len;
    return true;
}

static bool
is_new_among_few(const struct mfx_scan_json *object)
{
    for (const struct mfx_scan_json *a = object->first; a != NULL; a = a->next)
        for (const struct mfx_scan_json *b = a->next; b != NULL; b = b->next)
            if (mfx_str_eq(a->name, b->name))
                return false;
    return true;
}

static bool
is_new_among_many(const struct mfx_scan_json *object)
{
    struct mfx_map *names = mfx_map_new(MFX_MAP_CASE, object->count);
    bool is_new = names != NULL;
    for (const struct mfx_scan_json *a = object->first; is_new && a != NULL;
         a = a->next)
        is_new = mfx_map_get(names, a->name) == NULL &&
                 mfx_map_put(names, a->name, names) == MFX_OK;
    mfx_map_free(names);
    return is_new;
}

static bool
read_name(struct reader *r, struct mfx_str *name)
{
    if (!read_text(r, name))
        return false;
    if (mfx_str_has(*name, '\0'))
        return fail(r, "a name with a NUL");
    skip_blanks(r);
    return take(r, ':') || fail(r, "no colon");
}

/* What stands between the brackets. */
static bool
read_values(struct reader *r, struct mfx_scan_json *all, char end)
{
    const struct mfx_scan_json **last = &all->first;
    r->at++;
    skip_blanks(r);
    if (take(r, end))
        return true;
    do {
        struct mfx_scan_json *v = mfx_arena_alloc(r->arena, sizeof *v);
        if (v == NULL)
            return fail(r, "out of memory");
        skip_blanks(r);
        if (all->kind == MFX_SCAN_JSON_OBJECT && !read_name(r, &v->name))
            return false;
        skip_blanks(r);
        if (!read_value(r, v))
            return false;
        *last = v;
        last = &v->next;
        all->count++;
        skip_blanks(r);
    } while (take(r, ','));
    return take(r, end) || fail(r, "no end of an array or object");
}

static bool
read_nested(struct reader *r, struct mfx_scan_json *v)
{
    bool is_object = v->kind == MFX_SCAN_JSON_OBJECT;
    if (r->depth == MFX_SCAN_JSON_DEPTH)
        return fail(r, "too deep");
    r->depth++;
    if (!read_values(r, v, is_object ? '}' : ']'))
        return false;
    r->depth--;
    if (is_object &&
        !(v->count <= FEW ? is_new_among_few(v) : is_new_among_many(v)))
        return fail(r, "a name that comes twice");
    return true;
}

static bool
read_value(struct reader *r, struct mfx_scan_json *v)
{
    int c = peek(r);
    v->kind = c == '{'   ? MFX_SCAN_JSON_OBJECT
              : c == '[' ? MFX_SCAN_JSON_ARRAY
              : c == '"' ? MFX_SCAN_JSON_TEXT
              : c == 't' ? MFX_SCAN_JSON_TRUE
              : c == 'f' ? MFX_SCAN_JSON_FALSE
              : c == 'n' ? MFX_SCAN_JSON_NULL
                         : MFX_SCAN_JSON_NUMBER;
    switch (v->kind) {
    case MFX_SCAN_JSON_OBJECT:
    case MFX_SCAN_JSON_ARRAY:
        return read_nested(r, v);
    case MFX_SCAN_JSON_TEXT:
        return read_text(r, &v->text);
    case MFX_SCAN_JSON_TRUE:
        return read_word(r, "true");
    case MFX_SCAN_JSON_FALSE:
        return read_word(r, "false");
    case MFX_SCAN_JSON_NULL:
        return read_word(r, "null");
    case MFX_SCAN_JSON_NUMBER:
        return read_number(r, &v->number);
    }
    return false;
}

const struct mfx_scan_json *
mfx_scan_json_read(struct mfx_arena *arena, struct mfx_str text,
                   struct mfx_err *err)
{
    struct reader r = {.arena = arena, .text = text, .err = err};
    struct mfx_scan_json *root = mfx_arena_alloc(arena, sizeof *root);
    if (root == NULL) {
        mfx_err_set(err, "out of memory");
        return NULL;
    }
    skip_blanks(&r);
    if (!read_value(&r, root))
        return NULL;
    skip_blanks(&r);
    if (r.at < text.len) {
        (void)fail(&r, "more than one value");
        return NULL;
    }
    return root;
}

const struct mfx_scan_json *
mfx_scan_json_get(const struct mfx_scan_json *object, const char *name)
{
    const struct mfx_scan_json *at = mfx_scan_json_members(object);
    struct mfx_str wanted = mfx_str_of(name);
    while (at != NULL && !mfx_str_eq(at->name, wanted))
        at = at->next;
    return at;
}
