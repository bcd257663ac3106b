/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_record.h>

#include <arpa/inet.h>

#include <mfx/auth/spf_macro.h>

enum {
    VERSION_LEN = 6, /* "v=spf1" */
    ADDRESS_MAX = 46,
    CIDR4_MAX = 32,
    CIDR6_MAX = 128,
};

static const struct {
    struct mfx_str name;
    enum mfx_spf_term_kind kind;
} words[] = {
    {MFX_STR("ip4"),      MFX_SPF_IP4        },
    {MFX_STR("include"),  MFX_SPF_INCLUDE    },
    {MFX_STR("a"),        MFX_SPF_A          },
    {MFX_STR("mx"),       MFX_SPF_MX         },
    {MFX_STR("all"),      MFX_SPF_ALL        },
    {MFX_STR("ip6"),      MFX_SPF_IP6        },
    {MFX_STR("ptr"),      MFX_SPF_PTR        },
    {MFX_STR("exists"),   MFX_SPF_EXISTS     },
    {MFX_STR("redirect"), MFX_SPF_REDIRECT   },
    {MFX_STR("exp"),      MFX_SPF_EXPLANATION},
};

const char *
mfx_spf_term_name(enum mfx_spf_term_kind kind)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].kind == kind)
            return words[i].name.p;
    return "unknown";
}

bool
mfx_spf_term_is_counted(const struct mfx_spf_term *term)
{
    switch (term->kind) {
    case MFX_SPF_INCLUDE:
    case MFX_SPF_A:
    case MFX_SPF_MX:
    case MFX_SPF_PTR:
    case MFX_SPF_EXISTS:
    case MFX_SPF_REDIRECT:
        return true;
    case MFX_SPF_ALL:
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
    case MFX_SPF_EXPLANATION:
    case MFX_SPF_UNKNOWN:
        return false;
    }
    return false;
}

bool
mfx_spf_record_is_one(struct mfx_str text)
{
    return mfx_str_is_nocase(mfx_str_head(text, VERSION_LEN), "v=spf1") &&
           (text.len == VERSION_LEN || text.p[VERSION_LEN] == ' ');
}

/* --- one term --- */

/* A term being read: `rest` is what is still to be read of it. NULL: all is
 * well, else what is wrong at rest.p. */
struct reading {
    struct mfx_spf_term *term;
    struct mfx_str rest;
};

/* Behind the first n octets, which are there: also at the end it says where. */
static struct mfx_str
behind(struct mfx_str s, size_t n)
{
    return mfx_str(s.p + n, s.len - n);
}

static const char *
read_domain(struct reading *r, enum mfx_spf_macro_place place)
{
    struct mfx_spf_macro_use use;
    const char *what;
    size_t at;
    if (!mfx_spf_macro_check(r->rest, place, &use, &at, &what)) {
        r->rest = behind(r->rest, at);
        return what;
    }
    r->term->domain_spec = r->rest;
    r->term->has_macros = use.any;
    r->term->uses_ptr = use.ptr;
    r->term->uses_local = use.local;
    return NULL;
}

static const char *
need_domain(struct reading *r)
{
    if (r->rest.len == 0 || r->rest.p[0] != ':')
        return "no \":\" and domain behind the name";
    r->rest = behind(r->rest, 1);
    return read_domain(r, MFX_SPF_IN_DOMAIN);
}

/* Where the digits at the end of the text begin. */
static size_t
digits_at_end(struct mfx_str s)
{
    size_t at = s.len;
    while (at > 0 && mfx_ascii_is_digit((unsigned char)s.p[at - 1]))
        at--;
    return at;
}

static const char *
read_length(struct mfx_str digits, unsigned max, unsigned *length)
{
    uint64_t value;
    if (digits.len > 1 && digits.p[0] == '0')
        return "a prefix length with a leading zero";
    if (digits.len == 0 || mfx_str_to_u64(digits, max, &value) != MFX_OK)
        return "no prefix length of this kind of address";
    *length = (unsigned)value;
    return NULL;
}

/* Takes "/24", "//64" or "/24//64" off the end of *s. */
static const char *
take_lengths(struct mfx_str *s, struct mfx_spf_term *term)
{
    const char *wrong = NULL;
    size_t at = digits_at_end(*s);
    if (at >= 2 && at < s->len && s->p[at - 1] == '/' && s->p[at - 2] == '/') {
        wrong = read_length(mfx_str_from(*s, at), CIDR6_MAX, &term->cidr6);
        *s = mfx_str_head(*s, at - 2);
        at = digits_at_end(*s);
    }
    if (wrong == NULL && at >= 1 && at < s->len && s->p[at - 1] == '/') {
        wrong = read_length(mfx_str_from(*s, at), CIDR4_MAX, &term->cidr4);
        *s = mfx_str_head(*s, at - 1);
    }
    return wrong;
}

/* [ ":" domain-spec ] [ dual-cidr-length ] */
static const char *
read_hosts(struct reading *r)
{
    const char *wrong = NULL;
    r->term->cidr4 = CIDR4_MAX;
    r->term->cidr6 = CIDR6_MAX;
    if (r->rest.len == 0)
        return NULL;
    wrong = take_lengths(&r->rest, r->term);
    if (wrong != NULL)
        return wrong;
    return r->rest.len == 0 ? NULL : need_domain(r);
}

static void
clear_host_bits(struct mfx_net *net, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++) {
        unsigned kept = net->prefix > i * 8 ? net->prefix - i * 8 : 0;
        if (kept < 8)
            net->ip.bytes[i] =
                (unsigned char)(net->ip.bytes[i] & (0xFFu << (8 - kept)));
    }
}

/* An IPv4-mapped network stays one of IPv6: it matches nobody (5). */
static const char *
read_network(struct reading *r, enum mfx_ip_family family, unsigned max)
{
    char copy[ADDRESS_MAX];
    struct mfx_net *net = &r->term->net;
    if (r->rest.len == 0 || r->rest.p[0] != ':')
        return "no \":\" and address behind the name";
    r->rest = behind(r->rest, 1);
    size_t slash = mfx_str_find(r->rest, '/');
    struct mfx_str address = mfx_str_head(r->rest, slash);
    net->prefix = max;
    if (slash < r->rest.len) {
        const char *wrong =
            read_length(mfx_str_from(r->rest, slash + 1), max, &net->prefix);
        if (wrong != NULL)
            return wrong;
    }
    if (address.len == 0 || address.len >= sizeof copy ||
        mfx_str_has(address, '\0'))
        return "no address of this kind";
    memcpy(copy, address.p, address.len);
    copy[address.len] = '\0';
    net->ip.family = family;
    if (inet_pton(family == MFX_IP_V4 ? AF_INET : AF_INET6, copy,
                  net->ip.bytes) != 1)
        return "no address of this kind";
    clear_host_bits(net, max / 8);
    return NULL;
}

static const char *
read_mechanism(struct reading *r)
{
    switch (r->term->kind) {
    case MFX_SPF_ALL:
        return r->rest.len == 0 ? NULL : "something behind \"all\"";
    case MFX_SPF_A:
    case MFX_SPF_MX:
        return read_hosts(r);
    case MFX_SPF_PTR:
        return r->rest.len == 0 ? NULL : need_domain(r);
    case MFX_SPF_INCLUDE:
    case MFX_SPF_EXISTS:
        return need_domain(r);
    case MFX_SPF_IP4:
        return read_network(r, MFX_IP_V4, CIDR4_MAX);
    case MFX_SPF_IP6:
        return read_network(r, MFX_IP_V6, CIDR6_MAX);
    case MFX_SPF_REDIRECT:
    case MFX_SPF_EXPLANATION:
    case MFX_SPF_UNKNOWN:
        break;
    }
    r->rest = r->term->text;
    return "no such mechanism";
}

static bool
is_modifier_name(struct mfx_str name)
{
    if (name.len == 0 || !mfx_ascii_is_alpha((unsigned char)name.p[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static enum mfx_spf_term_kind
kind_of(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_eq_nocase(name, words[i].name))
            return words[i].kind;
    return MFX_SPF_UNKNOWN;
}

/* r->rest is behind the "=". */
static const char *
read_modifier(struct reading *r, struct mfx_str name)
{
    enum mfx_spf_term_kind kind = kind_of(name);
    bool is_known = kind == MFX_SPF_REDIRECT || kind == MFX_SPF_EXPLANATION;
    r->term->kind = is_known ? kind : MFX_SPF_UNKNOWN;
    r->term->qualifier = MFX_SPF_NEUTRAL;
    if (!is_modifier_name(name)) {
        r->rest = name;
        return "no name of a modifier before \"=\"";
    }
    return read_domain(r, is_known ? MFX_SPF_IN_DOMAIN : MFX_SPF_IN_MODIFIER);
}

static bool
read_qualifier(char c, enum mfx_spf_result *qualifier)
{
    *qualifier = c == '-'   ? MFX_SPF_FAIL
                 : c == '~' ? MFX_SPF_SOFTFAIL
                 : c == '?' ? MFX_SPF_NEUTRAL
                            : MFX_SPF_PASS;
    return c == '+' || c == '-' || c == '~' || c == '?';
}

/* The name's end: what stands first of ":", "/" and "=". */
static size_t
name_end(struct mfx_str s)
{
    size_t at = 0;
    while (at < s.len && s.p[at] != ':' && s.p[at] != '/' && s.p[at] != '=')
        at++;
    return at;
}

/* NULL, or what is wrong and at which octet of the term. */
static const char *
read_term(struct mfx_str text, struct mfx_spf_term *term, size_t *at)
{
    size_t end = name_end(text), skip = 0;
    struct reading r = {term, behind(text, end)};
    const char *wrong;
    *term = (struct mfx_spf_term){.text = text};
    if (end < text.len && text.p[end] == '=') {
        r.rest = behind(text, end + 1);
        wrong = read_modifier(&r, mfx_str_head(text, end));
    } else {
        skip = read_qualifier(text.p[0], &term->qualifier) ? 1 : 0;
        term->kind = kind_of(mfx_str(text.p + skip, end - skip));
        wrong = read_mechanism(&r);
    }
    *at = (size_t)(r.rest.p - text.p);
    return wrong;
}

/* --- a record --- */

/* The text of the next term; *at is then behind it. */
static bool
next_text(struct mfx_str text, size_t *at, struct mfx_str *term)
{
    size_t from = *at < VERSION_LEN ? VERSION_LEN : *at;
    while (from < text.len && text.p[from] == ' ')
        from++;
    struct mfx_str rest = mfx_str_from(text, from);
    *term = mfx_str_head(rest, mfx_str_find(rest, ' '));
    *at = from + term->len;
    return term->len > 0;
}

bool
mfx_spf_record_next(struct mfx_str text, size_t *at, struct mfx_spf_term *term)
{
    struct mfx_str one;
    size_t wrong_at;
    return next_text(text, at, &one) && read_term(one, term, &wrong_at) == NULL;
}

static const char *
note_term(struct mfx_spf_summary *summary, const struct mfx_spf_term *term)
{
    summary->term_count++;
    if (term->kind == MFX_SPF_ALL)
        summary->has_all = true;
    if (term->kind == MFX_SPF_REDIRECT) {
        if (summary->has_redirect)
            return "a second redirect";
        summary->has_redirect = true;
        summary->redirect = *term;
    }
    if (term->kind == MFX_SPF_EXPLANATION) {
        if (summary->has_explanation)
            return "a second exp";
        summary->has_explanation = true;
        summary->explanation = *term;
    }
    return NULL;
}

static enum mfx_rc
refuse(struct mfx_spf_mistake *mistake, size_t at, struct mfx_str term,
       const char *what)
{
    if (mistake != NULL)
        *mistake = (struct mfx_spf_mistake){at, term, what};
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_spf_record_check(struct mfx_str text, struct mfx_spf_summary *summary,
                     struct mfx_spf_mistake *mistake)
{
    struct mfx_str one;
    struct mfx_spf_term term;
    size_t at = 0, wrong_at;
    *summary = (struct mfx_spf_summary){.term_count = 0};
    if (!mfx_spf_record_is_one(text))
        return refuse(mistake, 0, mfx_str_head(text, VERSION_LEN),
                      "it does not begin with v=spf1");
    while (next_text(text, &at, &one)) {
        size_t start = at - one.len;
        const char *wrong = read_term(one, &term, &wrong_at);
        if (wrong != NULL)
            return refuse(mistake, start + wrong_at, one, wrong);
        wrong = note_term(summary, &term);
        if (wrong != NULL)
            return refuse(mistake, start, one, wrong);
    }
    return MFX_OK;
}

enum mfx_rc
mfx_spf_record_parse(struct mfx_str text, struct mfx_arena *arena,
                     struct mfx_spf_record *record,
                     struct mfx_spf_mistake *mistake)
{
    struct mfx_spf_summary summary;
    size_t at = 0, count = 0;
    *record = (struct mfx_spf_record){.text = text};
    enum mfx_rc rc = mfx_spf_record_check(text, &summary, mistake);
    if (rc != MFX_OK)
        return rc;
    struct mfx_spf_term *terms =
        mfx_arena_alloc_array(arena, summary.term_count, sizeof *terms);
    if (terms == NULL)
        return MFX_TEMPFAIL;
    while (count < summary.term_count &&
           mfx_spf_record_next(text, &at, &terms[count])) {
        if (terms[count].kind == MFX_SPF_REDIRECT)
            record->redirect = &terms[count];
        if (terms[count].kind == MFX_SPF_EXPLANATION)
            record->explanation = &terms[count];
        count++;
    }
    record->term_count = count;
    record->terms = terms;
    return MFX_OK;
}
