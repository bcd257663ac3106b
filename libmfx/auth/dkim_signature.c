/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_signature.h>

#include <mfx/auth/dkim_domain.h>
#include <mfx/auth/dkim_tag.h>
#include <mfx/base/base64.h>
#include <mfx/mail/address.h>

struct parse {
    struct mfx_dkim_tags tags;
    struct mfx_dkim_signature *sig;
    struct mfx_arena *arena;
    size_t max_header_items;
};

/* Each part of the field has a reader; the first that answers false has said
 * what is wrong. */
typedef bool reader(struct parse *p);

static bool
wrong(struct mfx_dkim_signature *sig, enum mfx_dkim_status status,
      enum mfx_dkim_fault fault, const char *problem)
{
    sig->status = status;
    sig->fault = fault;
    sig->problem = problem;
    return false;
}

static bool
syntax(struct parse *p, const char *problem)
{
    return wrong(p->sig, MFX_DKIM_NEUTRAL, MFX_DKIM_FAULT_SYNTAX, problem);
}

static bool
forbidden(struct parse *p, const char *problem)
{
    return wrong(p->sig, MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_SYNTAX, problem);
}

static bool
no_memory(struct parse *p)
{
    return wrong(p->sig, MFX_DKIM_TEMPERROR, MFX_DKIM_FAULT_INTERNAL,
                 "out of memory");
}

static struct mfx_str
value_of(const struct mfx_dkim_tags *tags, const char *name)
{
    const struct mfx_dkim_tag *tag = mfx_dkim_tags_find(tags, name);
    return tag == NULL ? mfx_str(NULL, 0) : tag->value;
}

/* --- names in h= --- */

bool
mfx_dkim_claim_next_name(struct mfx_str *names, struct mfx_str *name)
{
    while (mfx_str_cut(names, ':', name)) {
        *name = mfx_str_trim(*name);
        if (name->len > 0)
            return true;
    }
    return false;
}

bool
mfx_dkim_signature_has_name(struct mfx_str names, struct mfx_str name)
{
    struct mfx_str item;
    while (mfx_dkim_claim_next_name(&names, &item))
        if (mfx_str_eq_nocase(item, name))
            return true;
    return false;
}

static bool
names_are_valid(struct mfx_str names)
{
    struct mfx_str name;
    while (mfx_dkim_claim_next_name(&names, &name))
        if (!mfx_header_name_is_valid(name))
            return false;
    return true;
}

static size_t
count_names(struct mfx_str names)
{
    struct mfx_str name;
    size_t count = 0;
    while (mfx_dkim_claim_next_name(&names, &name))
        count++;
    return count;
}

/* --- readers, in the order in which they run --- */

static bool
read_claims(struct parse *p)
{
    struct mfx_dkim_signature *sig = p->sig;
    struct mfx_str d = value_of(&p->tags, "d"), s = value_of(&p->tags, "s");
    struct mfx_str i = value_of(&p->tags, "i"), a = value_of(&p->tags, "a");
    if (mfx_domain_is_valid(d, true))
        sig->domain = d;
    if (mfx_domain_is_valid(s, true))
        sig->selector = s;
    sig->identity = mfx_dkim_tags_squeeze(i, p->arena);
    if (mfx_header_name_is_valid(a))
        sig->algorithm_text = a;
    sig->signature_text =
        mfx_dkim_tags_squeeze(value_of(&p->tags, "b"), p->arena);
    return mfx_arena_ok(p->arena) || no_memory(p);
}

static bool
read_required(struct parse *p)
{
    static const char *const required[] = {"v", "a", "b", "bh", "d", "h", "s"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (mfx_dkim_tags_find(&p->tags, required[i]) == NULL)
            return syntax(p, "signature missing required tag");
    if (!mfx_str_is(value_of(&p->tags, "v"), "1"))
        return syntax(p, "incompatible version");
    return true;
}

static bool
read_algorithm(struct parse *p)
{
    struct mfx_str a = value_of(&p->tags, "a");
    if (mfx_str_is_nocase(a, "rsa-sha256"))
        p->sig->algorithm = MFX_DKIM_RSA_SHA256;
    else if (mfx_str_is_nocase(a, "ed25519-sha256"))
        p->sig->algorithm = MFX_DKIM_ED25519_SHA256;
    else if (mfx_str_is_nocase(a, "rsa-sha1"))
        /* RFC 8301 3.1: permanently failed evaluation */
        return wrong(p->sig, MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_ALGORITHM,
                     "rsa-sha1 is not acceptable");
    else
        return wrong(p->sig, MFX_DKIM_NEUTRAL, MFX_DKIM_FAULT_ALGORITHM,
                     "unknown signature algorithm");
    return true;
}

static bool
canon_of(struct mfx_str word, enum mfx_dkim_canon *canon)
{
    if (mfx_str_is_nocase(word, "simple"))
        *canon = MFX_DKIM_SIMPLE;
    else if (mfx_str_is_nocase(word, "relaxed"))
        *canon = MFX_DKIM_RELAXED;
    else
        return false;
    return true;
}

/* simple/simple when c= is missing; the body is simple when only the header's
 * is named. */
static bool
read_canon(struct parse *p)
{
    struct mfx_str c = value_of(&p->tags, "c");
    size_t slash = mfx_str_find(c, '/');
    struct mfx_str header = mfx_str_trim(mfx_str_head(c, slash));
    struct mfx_str body = mfx_str_trim(mfx_str_from(c, slash + 1));
    if (mfx_dkim_tags_find(&p->tags, "c") == NULL)
        header = mfx_str_of("simple");
    if (slash == c.len)
        body = mfx_str_of("simple");
    if (!canon_of(header, &p->sig->header_canon) ||
        !canon_of(body, &p->sig->body_canon))
        return syntax(p, "unknown canonicalization");
    return true;
}

static bool
read_query(struct parse *p)
{
    const struct mfx_dkim_tag *q = mfx_dkim_tags_find(&p->tags, "q");
    if (q == NULL || mfx_dkim_tags_list_has(q->value, "dns/txt") ||
        mfx_dkim_tags_list_has(q->value, "dns"))
        return true;
    return syntax(p, "unknown query method");
}

static bool
read_identity(struct parse *p)
{
    struct mfx_dkim_signature *sig = p->sig;
    size_t at = mfx_str_find_last(sig->identity, '@');
    if (sig->domain.len == 0)
        return syntax(p, "d= is no domain name");
    if (sig->selector.len == 0)
        return syntax(p, "s= is no selector");
    if (mfx_dkim_tags_find(&p->tags, "i") == NULL)
        return true;
    if (at == sig->identity.len)
        return syntax(p, "i= has no domain");
    struct mfx_str domain = mfx_str_from(sig->identity, at + 1);
    if (!mfx_dkim_domain_is_within(domain, sig->domain, p->arena))
        return forbidden(p, "i= is not within d=");
    sig->is_parent = !mfx_dkim_domain_is_within(sig->domain, domain, p->arena);
    return true;
}

static bool
read_names(struct parse *p)
{
    p->sig->names = value_of(&p->tags, "h");
    if (count_names(p->sig->names) > p->max_header_items)
        return forbidden(p, "h= has too many names");
    if (!names_are_valid(p->sig->names))
        return syntax(p, "h= has a syntax error");
    if (!mfx_dkim_signature_has_name(p->sig->names, mfx_str_of("From")))
        return forbidden(p, "From field not signed");
    return true;
}

/* True when the tag is missing or a number. */
static bool
number_of(const struct parse *p, const char *name, bool *is_there,
          uint64_t *value)
{
    const struct mfx_dkim_tag *tag = mfx_dkim_tags_find(&p->tags, name);
    *is_there = tag != NULL;
    return tag == NULL ||
           mfx_str_to_u64(tag->value, UINT64_MAX - 1, value) == MFX_OK;
}

static bool
read_numbers(struct parse *p)
{
    struct mfx_dkim_signature *sig = p->sig;
    bool has_limit;
    sig->limit = MFX_DKIM_NO_LIMIT;
    if (!number_of(p, "l", &has_limit, &sig->limit))
        return syntax(p, "l= is no number");
    if (!number_of(p, "t", &sig->has_timestamp, &sig->timestamp_s) ||
        !number_of(p, "x", &sig->has_expiry, &sig->expires_s))
        return syntax(p, "t= or x= is no number");
    if (sig->has_timestamp && sig->has_expiry &&
        sig->expires_s <= sig->timestamp_s)
        return syntax(p, "x= is not after t=");
    return true;
}

static bool
read_hashes(struct parse *p)
{
    struct mfx_dkim_signature *sig = p->sig;
    unsigned char *octets = (unsigned char *)mfx_arena_alloc_bytes(
        p->arena, MFX_DKIM_SIGNATURE_MAX);
    size_t len = 0;
    if (octets == NULL)
        return no_memory(p);
    if (mfx_base64_decode(value_of(&p->tags, "bh"), sig->body_hash,
                          sizeof sig->body_hash, &len) != MFX_OK ||
        len != sizeof sig->body_hash)
        return syntax(p, "bh= is no SHA-256 hash");
    sig->signature = octets;
    if (mfx_base64_decode(sig->signature_text, octets, MFX_DKIM_SIGNATURE_MAX,
                          &sig->signature_len) != MFX_OK ||
        sig->signature_len == 0)
        return syntax(p, "b= is no signature");
    return true;
}

/* What stands before and behind the value of b=, white space and all (RFC
 * 6376 3.7). */
static void
split_at_b(struct parse *p, struct mfx_str value)
{
    const struct mfx_dkim_tag *b = mfx_dkim_tags_find(&p->tags, "b");
    if (b == NULL)
        return;
    size_t start = b->raw.p == NULL ? value.len : (size_t)(b->raw.p - value.p);
    p->sig->before_b = mfx_str_head(value, start);
    p->sig->behind_b = mfx_str_from(value, start + b->raw.len);
}

static bool
is_base64(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '+' && c != '/' && c != '=')
            return false;
    }
    return true;
}

void
mfx_dkim_signature_parse(const struct mfx_header *header,
                         size_t max_header_items, struct mfx_arena *arena,
                         struct mfx_dkim_signature *sig)
{
    static reader *const readers[] = {
        read_claims,   read_required, read_algorithm, read_canon, read_query,
        read_identity, read_names,    read_numbers,   read_hashes};
    struct parse p = {
        .sig = sig, .arena = arena, .max_header_items = max_header_items};
    *sig = (struct mfx_dkim_signature){.limit = MFX_DKIM_NO_LIMIT};
    if (!mfx_dkim_tags_parse(header->value, &p.tags)) {
        (void)syntax(&p, "signature has a syntax error");
        return;
    }
    split_at_b(&p, header->value);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (!readers[i](&p))
            break;
    if (!is_base64(sig->signature_text))
        sig->signature_text = mfx_str(NULL, 0);
}

struct mfx_str
mfx_dkim_signature_domain(const struct mfx_header *header)
{
    struct mfx_dkim_tags tags;
    if (!mfx_dkim_tags_parse(header->value, &tags))
        return mfx_str(NULL, 0);
    return value_of(&tags, "d");
}

struct mfx_dkim_claim
mfx_dkim_claim_read(struct mfx_str field_value)
{
    struct mfx_dkim_claim claim = {.timestamp_s = 0};
    struct mfx_dkim_tags tags;
    if (!mfx_dkim_tags_parse(field_value, &tags))
        return claim;
    claim.domain = value_of(&tags, "d");
    claim.selector = value_of(&tags, "s");
    claim.names = value_of(&tags, "h");
    if (mfx_str_to_u64(value_of(&tags, "t"), UINT64_MAX - 1,
                       &claim.timestamp_s) != MFX_OK)
        claim.timestamp_s = 0;
    return claim;
}
