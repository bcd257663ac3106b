/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_sign.h>

#include <mfx/auth/dkim_domain.h>
#include <mfx/auth/dkim_hash.h>
#include <mfx/auth/dkim_header_policy.h>
#include <mfx/base/base64.h>
#include <mfx/mail/address.h>

#include <inttypes.h>

enum {
    COLUMNS = 78,
    TAB = 8, /* columns that the tab of a continuation line takes */
    /* Names in h=; verifiers refuse more (and lines beyond reason). */
    FIELDS_MAX = 1000,
};

/* --- what is signed --- */

struct fields {
    size_t count; /* present fields, then oversigned names */
    size_t present;
    struct mfx_str *names;
    const struct mfx_header **headers; /* in the order of h= */
};

/* The k-th instance of a name in h= means the k-th from below (RFC 6376
 * 5.4.2): the mirror image of what stands in message order. */
static const struct mfx_header *
mirror(const struct mfx_headers *headers, const struct mfx_header *header)
{
    if (header->same_next == NULL && header->same_prev == NULL)
        return header;
    const struct mfx_header *h = mfx_headers_last(headers, header->name);
    for (size_t i = 1; i < header->instance; i++)
        h = h->same_prev;
    return h;
}

static bool
is_added_later(const struct mfx_dkim_sign_request *request, struct mfx_str name)
{
    const char *const *later = request->added_later;
    for (; later != NULL && *later != NULL; later++)
        if (mfx_str_is_nocase(name, *later))
            return true;
    return false;
}

static bool
is_oversigned(const struct mfx_dkim_sign_request *request,
              const struct mfx_headers *headers,
              const struct mfx_dkim_oversign *o)
{
    return mfx_headers_first(headers, o->name) != NULL ||
           (!o->only_present && !is_added_later(request, o->name));
}

/* Each header field that is signed. */
static const struct mfx_header *
next_signed(const struct mfx_dkim_sign_request *request,
            const struct mfx_header *h)
{
    while (h != NULL &&
           !mfx_dkim_header_policy_signs(request->headers, h->name))
        h = h->next;
    return h;
}

static size_t
count_fields(const struct mfx_dkim_sign_request *request,
             const struct mfx_headers *headers)
{
    size_t count = 0;
    const struct mfx_header *h = next_signed(request, headers->first);
    for (; h != NULL; h = next_signed(request, h->next))
        count++;
    const struct mfx_dkim_oversign *o =
        mfx_dkim_header_policy_oversigned(request->headers);
    for (; o != NULL; o = o->next)
        count++;
    return count;
}

static enum mfx_rc
choose_fields(const struct mfx_dkim_sign_request *request,
              const struct mfx_headers *headers, struct mfx_arena *arena,
              struct fields *fields, struct mfx_err *err)
{
    size_t most = count_fields(request, headers);
    if (most > FIELDS_MAX) {
        mfx_err_set(err, "more than %d header fields to sign", FIELDS_MAX);
        return MFX_PERMFAIL;
    }
    *fields = (struct fields){
        .names = mfx_arena_alloc_array(arena, most, sizeof *fields->names),
        .headers = mfx_arena_alloc_array(arena, most, sizeof *fields->headers)};
    if (fields->names == NULL || fields->headers == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    const struct mfx_header *h = next_signed(request, headers->first);
    for (; h != NULL; h = next_signed(request, h->next)) {
        fields->names[fields->count] = h->name;
        fields->headers[fields->count++] = mirror(headers, h);
    }
    fields->present = fields->count;
    const struct mfx_dkim_oversign *o =
        mfx_dkim_header_policy_oversigned(request->headers);
    for (; o != NULL; o = o->next)
        if (is_oversigned(request, headers, o))
            fields->names[fields->count++] = o->name;
    return MFX_OK;
}

/* --- how it is written --- */

struct writer {
    struct mfx_buf out;
    size_t column;
};

static void
add(struct writer *w, struct mfx_str text)
{
    mfx_buf_add(&w->out, text);
    w->column += text.len;
}

static void
fold(struct writer *w)
{
    mfx_buf_add_text(&w->out, "\n\t");
    w->column = TAB;
}

/* A tag with its semicolon, on this line or the next. */
static void
add_tag(struct writer *w, const char *name, struct mfx_str value)
{
    size_t len = strlen(name) + value.len + 2;
    if (w->column + 1 + len > COLUMNS)
        fold(w);
    else
        add(w, mfx_str_of(" "));
    add(w, mfx_str_of(name));
    add(w, mfx_str_of("="));
    add(w, value);
    add(w, mfx_str_of(";"));
}

static void
add_number(struct writer *w, const char *name, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, value);
    add_tag(w, name, mfx_str(text, (size_t)len));
}

static void
add_names(struct writer *w, const struct fields *fields)
{
    struct mfx_str open = mfx_str_of(" h=");
    if (w->column + open.len + fields->names[0].len + 1 > COLUMNS) {
        fold(w);
        open = mfx_str_of("h=");
    }
    add(w, open);
    for (size_t i = 0; i < fields->count; i++) {
        if (i > 0 && w->column + fields->names[i].len + 1 > COLUMNS)
            fold(w);
        add(w, fields->names[i]);
        add(w, mfx_str_of(i + 1 == fields->count ? ";" : ":"));
    }
}

/* dkim-quoted-printable, RFC 6376 2.11. */
static struct mfx_str
quote(struct mfx_str text, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, SIZE_MAX / 2);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c > 0x20 && c < 0x7f && c != ';' && c != '=')
            mfx_buf_add_byte(&out, (char)c);
        else
            mfx_buf_printf(&out, "=%02X", c);
    }
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str(NULL, 0);
}

static struct mfx_str
canon_text(const struct mfx_dkim_sign_request *request, struct mfx_arena *arena)
{
    return mfx_arena_printf(arena, "%s/%s",
                            mfx_dkim_canon_name(request->header_canon),
                            mfx_dkim_canon_name(request->body_canon));
}

static void
add_base64(struct writer *w, const unsigned char *bytes, size_t len)
{
    char text[MFX_DKIM_SIGNATURE_MAX / 3 * 4 + 4];
    struct mfx_str rest = mfx_str(text, mfx_base64_encode(bytes, len, text));
    while (rest.len > 0) {
        if (w->column >= COLUMNS)
            fold(w);
        struct mfx_str line = mfx_str_head(rest, COLUMNS - w->column);
        add(w, line);
        rest = mfx_str_from(rest, line.len);
    }
}

/* i=: the local part may hold anything, the domain nothing odd. */
static void
add_identity(struct writer *w, struct mfx_str identity, struct mfx_arena *arena)
{
    size_t at = mfx_str_find_last(identity, '@');
    struct mfx_str local = quote(mfx_str_head(identity, at), arena);
    struct mfx_str text =
        mfx_arena_printf(arena, "%.*s%.*s", MFX_STR_ARG(local),
                         MFX_STR_ARG(mfx_str_from(identity, at)));
    add_tag(w, "i", text);
}

/* All up to "b=". */
static void
write_tags(struct writer *w, const struct mfx_dkim_sign_request *request,
           const struct fields *fields, const unsigned char *body_digest,
           struct mfx_arena *arena)
{
    enum mfx_dkim_algorithm algorithm =
        mfx_dkim_private_key_algorithm(request->key);
    char hash[64];
    size_t len = mfx_base64_encode(body_digest, MFX_DKIM_SHA256, hash);
    w->column = sizeof MFX_DKIM_SIGNATURE_FIELD;
    add_tag(w, "v", mfx_str_of("1"));
    add_tag(w, "a", mfx_str_of(mfx_dkim_algorithm_name(algorithm)));
    add_tag(w, "c", canon_text(request, arena));
    add_tag(w, "q", mfx_str_of("dns/txt"));
    add_tag(w, "d", request->domain);
    add_tag(w, "s", request->selector);
    if (request->identity.len > 0)
        add_identity(w, request->identity, arena);
    if (request->timestamp_s != 0)
        add_number(w, "t", request->timestamp_s);
    if (request->expires_s != 0)
        add_number(w, "x", request->expires_s);
    if (request->body_length != MFX_DKIM_NO_LIMIT)
        add_number(w, "l", request->body_length);
    add_names(w, fields);
    add_tag(w, "bh", mfx_str(hash, len));
    fold(w);
    add(w, mfx_str_of("b="));
}

/* --- the request --- */

static const char *
request_problem(const struct mfx_dkim_sign_request *request,
                const struct mfx_headers *headers, struct mfx_arena *arena)
{
    struct mfx_str identity = request->identity;
    size_t at = mfx_str_find_last(identity, '@');
    if (mfx_headers_first(headers, mfx_str_of("From")) == NULL)
        return "no From field to sign";
    if (!mfx_domain_is_valid(request->domain, true))
        return "d= is no domain name";
    if (!mfx_domain_is_valid(request->selector, true))
        return "s= is no selector";
    if (identity.len > 0 && at == identity.len)
        return "i= has no @";
    if (identity.len > 0 &&
        !mfx_dkim_domain_is_within(mfx_str_from(identity, at + 1),
                                   request->domain, arena))
        return "i= is not within d=";
    if (request->expires_s != 0 && request->expires_s <= request->timestamp_s)
        return "x= is not after t=";
    return NULL;
}

static bool
hash_headers(const struct mfx_dkim_sign_request *request,
             const struct fields *fields, struct mfx_str value,
             unsigned char *digest)
{
    struct mfx_dkim_hash hash;
    mfx_dkim_hash_init(&hash, request->header_canon);
    for (size_t i = 0; i < fields->present; i++)
        mfx_dkim_hash_field(&hash, fields->headers[i]);
    mfx_dkim_hash_signature(&hash, mfx_str_of(MFX_DKIM_SIGNATURE_FIELD), value,
                            mfx_str(NULL, 0));
    return mfx_dkim_hash_finish(&hash, digest);
}

static enum mfx_rc
sign_fields(const struct mfx_dkim_sign_request *request,
            const struct fields *fields, const unsigned char *body_digest,
            struct mfx_arena *arena, struct mfx_str *value, struct mfx_err *err)
{
    unsigned char digest[MFX_DKIM_SHA256], signature[MFX_DKIM_SIGNATURE_MAX];
    struct writer w = {.column = 0};
    size_t len = 0;
    enum mfx_rc rc = MFX_TEMPFAIL;
    mfx_buf_init_arena(&w.out, arena, SIZE_MAX / 2);
    (void)mfx_buf_room(&w.out, 2048);
    write_tags(&w, request, fields, body_digest, arena);
    if (mfx_buf_ok(&w.out) && mfx_arena_ok(arena) &&
        hash_headers(request, fields, mfx_buf_str(&w.out), digest))
        rc = mfx_dkim_private_key_sign(request->key, digest, signature, &len,
                                       err);
    else
        mfx_err_set(err, "out of memory");
    if (rc != MFX_OK)
        return rc;
    add_base64(&w, signature, len);
    if (!mfx_buf_ok(&w.out)) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    *value = mfx_buf_str(&w.out);
    return MFX_OK;
}

enum mfx_rc
mfx_dkim_sign(const struct mfx_dkim_sign_request *request,
              const struct mfx_headers *headers,
              const unsigned char body_digest[MFX_DKIM_SHA256],
              struct mfx_arena *arena, struct mfx_str *value,
              struct mfx_err *err)
{
    struct fields fields;
    const char *problem = request_problem(request, headers, arena);
    if (problem != NULL) {
        mfx_err_set(err, "%s", problem);
        return mfx_arena_ok(arena) ? MFX_PERMFAIL : MFX_TEMPFAIL;
    }
    enum mfx_rc rc = choose_fields(request, headers, arena, &fields, err);
    if (rc != MFX_OK)
        return rc;
    return sign_fields(request, &fields, body_digest, arena, value, err);
}
