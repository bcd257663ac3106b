/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Body canonicalization (RFC 6376 3.4.3, 3.4.4) as a stream.
 *
 * What may still fall away is counted, not kept: `newlines` CRLFs, then white
 * space (`has_wsp`; relaxed reduces any run to one space, or nothing at the
 * end of a line), then a CR whose LF has not come (`has_cr`). The next byte of
 * text brings out what was pending. Between these, whole stretches of text in
 * which nothing changes are found with vector compares and hashed in place;
 * only short stretches are gathered, to spare calls of the digest.
 */
#include <mfx/auth/dkim_canon.h>

#include <mfx/auth/crypto.h>

enum {
    CANONS = 2,
    GATHER = 4096,       /* room for short stretches */
    LONG_ENOUGH = 512,   /* is hashed where it stands */
    STEP = 16,           /* one vector */
    BLOCK = 32,          /* what is looked at in one turn */
    WANTS_MAX = 4 * 100, /* more than any sane verifier's limits */
};

struct want {
    struct want *next;
    int handle;
    enum mfx_dkim_canon canon;
    uint64_t limit, left;
    EVP_MD_CTX *ctx;
    unsigned char digest[MFX_DKIM_SHA256];
};

struct canon {
    bool is_wanted, is_relaxed, has_wsp, has_cr, has_text;
    uint64_t newlines;
    uint64_t length; /* canonical octets so far, but for what is gathered */
    struct want *wants;
    size_t gathered;
    char *gather;
};

struct mfx_dkim_body {
    struct mfx_arena *arena;
    bool fix_line_ends, last_was_cr;
    int want_count;
    struct canon canon[CANONS];
};

#define CRLF_8 "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
static const char crlfs[BLOCK + 1] = CRLF_8 CRLF_8;

/* --- output --- */

static void
hash(struct canon *c, const char *p, size_t len)
{
    c->length += len;
    for (struct want *w = c->wants; w != NULL; w = w->next) {
        size_t n = len < w->left ? len : (size_t)w->left;
        if (n > 0)
            (void)EVP_DigestUpdate(w->ctx, p, n);
        if (w->left != MFX_DKIM_NO_LIMIT)
            w->left -= n;
    }
}

static void
flush(struct canon *c)
{
    hash(c, c->gather, c->gathered);
    c->gathered = 0;
}

static void
put(struct canon *c, const char *p, size_t len)
{
    if (len > GATHER - c->gathered || len >= LONG_ENOUGH)
        flush(c);
    if (len >= LONG_ENOUGH) {
        hash(c, p, len);
        return;
    }
    memcpy(c->gather + c->gathered, p, len);
    c->gathered += len;
}

static void
put_newlines(struct canon *c, uint64_t count)
{
    for (; count > BLOCK / 2; count -= BLOCK / 2)
        put(c, crlfs, BLOCK);
    put(c, crlfs, (size_t)count * 2);
}

static size_t
copy(char *to, const char *from, size_t len)
{
    memcpy(to, from, len);
    return len;
}

/* Text follows: what was pending is part of the body. The usual case is one
 * line end and the indentation of the next line. */
static void
put_pending(struct canon *c)
{
    if (c->newlines > 1 || GATHER - c->gathered < 4)
        put_newlines(c, c->newlines);
    else if (c->newlines == 1)
        c->gathered += copy(c->gather + c->gathered, crlfs, 2);
    if (GATHER - c->gathered < 2)
        flush(c);
    if (c->has_wsp)
        c->gather[c->gathered++] = ' ';
    if (c->has_cr)
        c->gather[c->gathered++] = '\r';
    c->newlines = 0;
    c->has_wsp = c->has_cr = false;
    c->has_text = true;
}

/* --- finding stretches --- */

typedef unsigned char vector __attribute__((vector_size(STEP)));
typedef uint64_t halves __attribute__((vector_size(STEP)));

static vector
load(const char *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Offset of the first byte that is not zero; STEP when all are. */
static size_t
first_set(vector v)
{
    halves h = (halves)v;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (h[0] != 0)
        return (size_t)__builtin_ctzll(h[0]) / 8;
    return h[1] == 0 ? STEP : 8 + (size_t)__builtin_ctzll(h[1]) / 8;
#else
    if (h[0] != 0)
        return (size_t)__builtin_clzll(h[0]) / 8;
    return h[1] == 0 ? STEP : 8 + (size_t)__builtin_clzll(h[1]) / 8;
#endif
}

/* True where relaxed changes something at p: a tab, or a space before white
 * space or CR. Reads p[1]. */
static bool
is_change(const char *p)
{
    return p[0] == '\t' ||
           (p[0] == ' ' && (p[1] == ' ' || p[1] == '\t' || p[1] == '\r'));
}

static vector
changes(const char *p)
{
    vector a = load(p), b = load(p + 1);
    return (vector)(a == '\t') |
           ((vector)(a == ' ') &
            ((vector)(b == ' ') | (vector)(b == '\t') | (vector)(b == '\r')));
}

/* Offset of the first change in a block; BLOCK when there is none. */
static size_t
block_change(const char *p)
{
    vector a = changes(p), b = changes(p + STEP);
    halves any = (halves)(a | b);
    if ((any[0] | any[1]) == 0)
        return BLOCK;
    size_t at = first_set(a);
    return at < STEP ? at : STEP + first_set(b);
}

/* First place from p on at which relaxed changes something; white space in
 * the last byte counts, since nobody knows what follows. */
static const char *
find_change(const char *p, const char *end)
{
    while (end - p > BLOCK) {
        size_t at = block_change(p);
        p += at;
        if (at < BLOCK)
            return p;
    }
    while (end - p > 1 && !is_change(p))
        p++;
    if (end - p == 1 && !mfx_ascii_is_wsp((unsigned char)*p))
        p++;
    return p;
}

/* End of the run of white space at p. */
static const char *
skip_wsp(const char *p, const char *end)
{
    if (p == end || !mfx_ascii_is_wsp((unsigned char)*p))
        return p;
    if (end - p > 1 && !mfx_ascii_is_wsp((unsigned char)p[1]))
        return p + 1; /* foreseen by the processor, unlike a vector's answer */
    while (end - p >= STEP) {
        vector v = load(p);
        size_t at = first_set(~((vector)(v == ' ') | (vector)(v == '\t')));
        p += at;
        if (at < STEP)
            return p;
    }
    while (p < end && mfx_ascii_is_wsp((unsigned char)*p))
        p++;
    return p;
}

/* Counts the CRLFs at p and returns their end. */
static const char *
skip_newlines(struct canon *c, const char *p, const char *end)
{
    const char *start = p;
    while (end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
        p += 2;
        while (end - p >= BLOCK && *p == '\r' && memcmp(p, crlfs, BLOCK) == 0)
            p += BLOCK;
    }
    c->newlines += (uint64_t)(p - start) / 2;
    if (p > start)
        c->has_wsp = false;
    return p;
}

/* Takes the CRLFs at the end of the stretch off, and a CR behind which the
 * piece ends; they are pending then. The rest has gone out before. */
static void
put_stretch(struct canon *c, const char *p, const char *stop, const char *end)
{
    bool has_cr = stop == end && stop[-1] == '\r';
    uint64_t newlines = 0;
    stop -= has_cr;
    for (; stop - p >= 2 && stop[-2] == '\r' && stop[-1] == '\n'; stop -= 2)
        newlines++;
    put(c, p, (size_t)(stop - p));
    c->newlines = newlines;
    c->has_cr = has_cr;
}

static void
canon_update(struct canon *c, const char *p, const char *end)
{
    while (p < end) {
        if (c->has_cr && *p == '\n') {
            c->has_cr = c->has_wsp = false;
            c->newlines++;
            p++;
            continue;
        }
        if (c->has_cr)
            put_pending(c);
        p = skip_newlines(c, p, end);
        const char *text = c->is_relaxed ? skip_wsp(p, end) : p;
        c->has_wsp = c->has_wsp || text != p;
        p = text;
        bool is_cr = p < end && *p == '\r';
        if (is_cr && end - p == 1) {
            c->has_cr = true;
            return;
        }
        if (p == end || (is_cr && p[1] == '\n'))
            continue;
        put_pending(c);
        text = c->is_relaxed ? find_change(p, end) : end;
        put_stretch(c, p, text, end);
        p = text;
    }
}

/* The end of the body is the end of a line, whether it says so or not. */
static void
canon_finish(struct canon *c)
{
    if (c->has_cr) {
        put_pending(c);
    }
    if (c->has_text || !c->is_relaxed)
        put(c, crlfs, 2);
    flush(c);
}

/* --- the body --- */

struct mfx_dkim_body *
mfx_dkim_body_new(struct mfx_arena *arena, bool fix_line_ends)
{
    struct mfx_dkim_body *body = mfx_arena_alloc(arena, sizeof *body);
    if (body == NULL)
        return NULL;
    body->arena = arena;
    body->fix_line_ends = fix_line_ends;
    body->canon[MFX_DKIM_RELAXED].is_relaxed = true;
    return body;
}

static struct want *
find_want(const struct mfx_dkim_body *body, int handle)
{
    for (size_t i = 0; i < CANONS; i++)
        for (struct want *w = body->canon[i].wants; w != NULL; w = w->next)
            if (w->handle == handle)
                return w;
    return NULL;
}

static void
give_context(void *arg)
{
    mfx_crypto_sha256_give(arg);
}

static struct want *
want_new(struct mfx_dkim_body *body)
{
    struct want *w = mfx_arena_alloc(body->arena, sizeof *w);
    EVP_MD_CTX *ctx = w == NULL ? NULL : mfx_crypto_sha256_take();
    if (ctx == NULL || !mfx_arena_defer(body->arena, give_context, ctx))
        return NULL;
    w->ctx = ctx;
    return w;
}

int
mfx_dkim_body_want(struct mfx_dkim_body *body, enum mfx_dkim_canon canon,
                   uint64_t limit)
{
    struct canon *c = &body->canon[canon];
    for (struct want *w = c->wants; w != NULL; w = w->next)
        if (w->limit == limit)
            return w->handle;
    if (c->gather == NULL)
        c->gather = mfx_arena_alloc_bytes(body->arena, GATHER);
    struct want *w = c->gather == NULL || body->want_count >= WANTS_MAX
                         ? NULL
                         : want_new(body);
    if (w == NULL)
        return -1;
    w->handle = body->want_count++;
    w->canon = canon;
    w->limit = w->left = limit;
    w->next = c->wants;
    c->wants = w;
    c->is_wanted = true;
    return w->handle;
}

static void
update(struct mfx_dkim_body *body, const char *p, size_t len)
{
    for (size_t i = 0; i < CANONS; i++)
        if (body->canon[i].is_wanted)
            canon_update(&body->canon[i], p, p + len);
}

/* Where the next line ends: at LF or CR. */
static size_t
line_end(struct mfx_str s)
{
    size_t lf = mfx_str_find(s, '\n');
    return mfx_str_find(mfx_str_head(s, lf), '\r');
}

/* Each line and a CRLF for whatever ends it; an LF behind a CR belongs to
 * it. */
static void
update_fixed(struct mfx_dkim_body *body, struct mfx_str s)
{
    while (s.len > 0) {
        if (body->last_was_cr && s.p[0] == '\n')
            s = mfx_str_from(s, 1);
        body->last_was_cr = false;
        size_t end = line_end(s);
        update(body, s.p, end);
        if (end == s.len)
            return;
        update(body, crlfs, 2);
        body->last_was_cr = s.p[end] == '\r';
        s = mfx_str_from(s, end + 1);
    }
}

void
mfx_dkim_body_update(struct mfx_dkim_body *body, struct mfx_str piece)
{
    if (piece.len == 0)
        return;
    if (body->fix_line_ends)
        update_fixed(body, piece);
    else
        update(body, piece.p, piece.len);
}

void
mfx_dkim_body_finish(struct mfx_dkim_body *body)
{
    for (size_t i = 0; i < CANONS; i++) {
        struct canon *c = &body->canon[i];
        if (!c->is_wanted)
            continue;
        canon_finish(c);
        for (struct want *w = c->wants; w != NULL; w = w->next)
            (void)mfx_crypto_sha256_result(w->ctx, w->digest);
    }
}

const unsigned char *
mfx_dkim_body_digest(const struct mfx_dkim_body *body, int handle)
{
    return find_want(body, handle)->digest;
}

uint64_t
mfx_dkim_body_length(const struct mfx_dkim_body *body, int handle)
{
    const struct canon *c = &body->canon[find_want(body, handle)->canon];
    return c->length;
}
