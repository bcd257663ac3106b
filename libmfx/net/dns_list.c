/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_list.h>

enum {
    OCTETS = 4,
    OCTET_MAX = 255,
    NIBBLES = 32,
};

static enum mfx_rc
wrong(struct mfx_dns_list_mistake *mistake, size_t at, const char *what)
{
    if (mistake != NULL)
        *mistake = (struct mfx_dns_list_mistake){at, what};
    return MFX_PERMFAIL;
}

/* --- filters --- */

/* What is being read: a text and how far it has been read. */
struct reader {
    struct mfx_str text;
    size_t at;
    struct mfx_dns_list_mistake *mistake;
};

static bool
take(struct reader *r, char c)
{
    if (r->at >= r->text.len || r->text.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

static enum mfx_rc
read_number(struct reader *r, unsigned *value)
{
    size_t begin = r->at;
    unsigned n = 0;
    while (r->at < r->text.len &&
           mfx_ascii_is_digit((unsigned char)r->text.p[r->at])) {
        n = n * 10 + (unsigned)(r->text.p[r->at] - '0');
        if (n > OCTET_MAX)
            return wrong(r->mistake, begin, "a number above 255");
        r->at++;
    }
    *value = n;
    return r->at > begin ? MFX_OK
                         : wrong(r->mistake, begin, "a number is missing");
}

static void
allow(uint64_t bits[4], unsigned from, unsigned to)
{
    for (unsigned v = from; v <= to; v++)
        bits[v / 64] |= UINT64_C(1) << v % 64;
}

/* "2", "2..11" */
static enum mfx_rc
read_range(struct reader *r, uint64_t bits[4])
{
    unsigned from, to;
    enum mfx_rc rc = read_number(r, &from);
    if (rc != MFX_OK)
        return rc;
    to = from;
    size_t dots = r->at;
    if (take(r, '.')) {
        if (!take(r, '.'))
            return wrong(r->mistake, dots, "a range has two dots");
        rc = read_number(r, &to);
    }
    if (rc == MFX_OK && to < from)
        return wrong(r->mistake, dots, "a range that goes down");
    if (rc == MFX_OK)
        allow(bits, from, to);
    return rc;
}

/* Behind "[". */
static enum mfx_rc
read_pattern(struct reader *r, uint64_t bits[4])
{
    size_t begin = r->at;
    do {
        enum mfx_rc rc = read_range(r, bits);
        if (rc != MFX_OK)
            return rc;
    } while (take(r, ';'));
    if (take(r, ']'))
        return MFX_OK;
    if (r->at >= r->text.len)
        return wrong(r->mistake, begin - 1, "\"[\" without \"]\"");
    return wrong(r->mistake, r->at, "\";\" or \"]\" is missing");
}

static enum mfx_rc
read_octet(struct reader *r, uint64_t bits[4])
{
    unsigned value;
    if (take(r, '['))
        return read_pattern(r, bits);
    enum mfx_rc rc = read_number(r, &value);
    if (rc == MFX_OK)
        allow(bits, value, value);
    return rc;
}

enum mfx_rc
mfx_dns_list_filter_parse(struct mfx_str text,
                          struct mfx_dns_list_filter *filter,
                          struct mfx_dns_list_mistake *mistake)
{
    struct reader r = {text, 0, mistake};
    *filter = (struct mfx_dns_list_filter){0};
    for (unsigned i = 0; i < OCTETS; i++) {
        if (i > 0 && !take(&r, '.'))
            return wrong(mistake, r.at, "\".\" is missing");
        enum mfx_rc rc = read_octet(&r, filter->octets[i]);
        if (rc != MFX_OK)
            return rc;
    }
    if (r.at < text.len)
        return wrong(mistake, r.at, "something behind the fourth octet");
    return MFX_OK;
}

bool
mfx_dns_list_filter_has(const struct mfx_dns_list_filter *filter,
                        const struct mfx_ip *ip)
{
    if (ip->family != MFX_IP_V4)
        return false;
    for (unsigned i = 0; i < OCTETS; i++) {
        unsigned value = ip->bytes[i];
        if ((filter->octets[i][value / 64] >> value % 64 & 1) == 0)
            return false;
    }
    return true;
}

/* --- names --- */

static bool
is_name_byte(unsigned char c)
{
    return mfx_ascii_is_alnum(c) || c == '-' || c == '_';
}

static struct mfx_str
without_final_dot(struct mfx_str name)
{
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    return name;
}

/* Appends the labels of a text. */
static bool
add_labels(struct mfx_dns_list_name *name, struct mfx_str text)
{
    struct mfx_str label;
    if (text.len == 0 || text.len > MFX_DNS_LIST_NAME_MAX)
        return false;
    while (mfx_str_cut(&text, '.', &label)) {
        if (label.len == 0 || label.len > MFX_DNS_LIST_LABEL_MAX ||
            name->len + (name->len > 0) + label.len > MFX_DNS_LIST_NAME_MAX)
            return false;
        if (name->len > 0)
            name->text[name->len++] = '.';
        for (size_t i = 0; i < label.len; i++) {
            unsigned char c = (unsigned char)label.p[i];
            if (!is_name_byte(c))
                return false;
            name->text[name->len++] = (char)mfx_ascii_lower(c);
        }
    }
    return true;
}

bool
mfx_dns_list_name_make(struct mfx_str what, struct mfx_str zone,
                       struct mfx_dns_list_name *name)
{
    name->len = 0;
    bool is_made = add_labels(name, without_final_dot(what)) &&
                   add_labels(name, without_final_dot(zone));
    if (!is_made)
        name->len = 0;
    name->text[name->len] = '\0';
    return is_made;
}

static size_t
put_octets(const struct mfx_ip *ip, char *out)
{
    size_t len = 0;
    for (unsigned i = OCTETS; i > 0; i--) {
        unsigned value = ip->bytes[i - 1];
        if (len > 0)
            out[len++] = '.';
        if (value >= 100)
            out[len++] = (char)('0' + value / 100);
        if (value >= 10)
            out[len++] = (char)('0' + value / 10 % 10);
        out[len++] = (char)('0' + value % 10);
    }
    return len;
}

static size_t
put_nibbles(const struct mfx_ip *ip, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (unsigned i = NIBBLES; i > 0; i--) {
        unsigned byte = ip->bytes[(i - 1) / 2];
        if (len > 0)
            out[len++] = '.';
        out[len++] = digits[i % 2 == 0 ? byte & 0xF : byte >> 4];
    }
    return len;
}

bool
mfx_dns_list_address_name(const struct mfx_ip *ip, struct mfx_str zone,
                          struct mfx_dns_list_name *name)
{
    char text[2 * NIBBLES];
    size_t len = 0;
    switch (ip->family) {
    case MFX_IP_NONE:
        break;
    case MFX_IP_V4:
        len = put_octets(ip, text);
        break;
    case MFX_IP_V6:
        len = put_nibbles(ip, text);
        break;
    }
    return mfx_dns_list_name_make(mfx_str(text, len), zone, name);
}

static bool
is_domain(struct mfx_str domain)
{
    size_t dot = mfx_str_find_last(domain, '.');
    if (dot >= domain.len)
        return false;
    for (size_t i = dot + 1; i < domain.len; i++)
        if (!mfx_ascii_is_digit((unsigned char)domain.p[i]))
            return true;
    return false;
}

bool
mfx_dns_list_domain_name(struct mfx_str domain, struct mfx_str zone,
                         struct mfx_dns_list_name *name)
{
    domain = without_final_dot(domain);
    if (!is_domain(domain)) {
        name->len = 0;
        name->text[0] = '\0';
        return false;
    }
    return mfx_dns_list_name_make(domain, zone, name);
}

/* --- sites --- */

bool
mfx_dns_list_site_next(struct mfx_str *rest, struct mfx_str *entry)
{
    return mfx_str_word(rest, ", \t\r\n", entry);
}

static enum mfx_rc
read_weight(struct mfx_str text, int *weight)
{
    uint64_t value;
    bool is_negative = text.len > 0 && text.p[0] == '-';
    if (text.len > 0 && (text.p[0] == '-' || text.p[0] == '+'))
        text = mfx_str_from(text, 1);
    if (mfx_str_to_u64(text, MFX_DNS_LIST_WEIGHT_MAX, &value) != MFX_OK)
        return MFX_PERMFAIL;
    *weight = is_negative ? -(int)value : (int)value;
    return MFX_OK;
}

enum mfx_rc
mfx_dns_list_site_parse(struct mfx_str entry, struct mfx_dns_list_site *site,
                        struct mfx_dns_list_mistake *mistake)
{
    struct mfx_dns_list_name name = {0};
    size_t star = mfx_str_find(entry, '*');
    size_t equals = mfx_str_find(mfx_str_head(entry, star), '=');
    *site = (struct mfx_dns_list_site){
        .zone = without_final_dot(mfx_str_head(entry, equals)),
        .has_filter = equals < star,
        .weight = 1,
    };
    if (star < entry.len &&
        read_weight(mfx_str_from(entry, star + 1), &site->weight) != MFX_OK)
        return wrong(mistake, star + 1, "a weight is a whole number");
    if (!add_labels(&name, site->zone))
        return wrong(mistake, 0, "not the name of a zone");
    if (!site->has_filter)
        return MFX_OK;
    site->filter_text = mfx_str(entry.p + equals + 1, star - equals - 1);
    enum mfx_rc rc =
        mfx_dns_list_filter_parse(site->filter_text, &site->filter, mistake);
    if (rc != MFX_OK && mistake != NULL)
        mistake->at += equals + 1;
    return rc;
}

bool
mfx_dns_list_site_has(const struct mfx_dns_list_site *site,
                      const struct mfx_ip *address)
{
    return !site->has_filter || mfx_dns_list_filter_has(&site->filter, address);
}

const struct mfx_ip *
mfx_dns_list_site_hit(const struct mfx_dns_list_site *site,
                      const struct mfx_dns_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        if (mfx_dns_list_site_has(site, &answer->records[i].ip))
            return &answer->records[i].ip;
    return NULL;
}

/* --- answers --- */

const char *
mfx_dns_list_answer_name(enum mfx_dns_list_answer what)
{
    static const char *const names[] = {
        [MFX_DNS_LIST_NOT_LISTED] = "not listed",
        [MFX_DNS_LIST_LISTED] = "listed",
        [MFX_DNS_LIST_ERROR] = "error",
        [MFX_DNS_LIST_FAILURE] = "failure",
    };
    return names[what];
}

static bool
is_named(const struct mfx_dns_list_rules *rules, const struct mfx_ip *address)
{
    for (size_t i = 0; i < rules->site_count; i++)
        if (rules->sites[i].has_filter &&
            mfx_dns_list_filter_has(&rules->sites[i].filter, address))
            return true;
    return false;
}

static bool
is_error_code(const struct mfx_dns_list_rules *rules,
              const struct mfx_ip *address)
{
    for (size_t i = 0; i < rules->error_code_count; i++)
        if (mfx_dns_list_filter_has(&rules->error_codes[i], address))
            return true;
    return false;
}

/* 127.255.255.0/24. */
static const char *
refusal(unsigned last)
{
    switch (last) {
    case 252:
        return "the list says that its zone name is wrong";
    case 254:
        return "the list refuses questions from a public resolver";
    case 255:
        return "the list refuses: too many questions";
    }
    return "the list refuses";
}

/* NULL: it is none. */
static const char *
why_error(const struct mfx_dns_list_rules *rules, const struct mfx_ip *address)
{
    const unsigned char *b = address->bytes;
    if (address->family != MFX_IP_V4 || b[0] != 127)
        return "an address outside 127.0.0.0/8: no list answers so";
    if (b[1] == 255 && b[2] == 255)
        return refusal(b[3]);
    if (is_error_code(rules, address))
        return "an error code of the list";
    if (b[1] == 0 && b[2] == 0 && b[3] == 1 && !is_named(rules, address))
        return "127.0.0.1, which says nothing";
    return NULL;
}

void
mfx_dns_list_read_address(const struct mfx_dns_list_rules *rules,
                          const struct mfx_ip *address,
                          struct mfx_dns_list_reading *reading)
{
    const char *why = why_error(rules, address);
    *reading = (struct mfx_dns_list_reading){
        .what = why == NULL ? MFX_DNS_LIST_LISTED : MFX_DNS_LIST_ERROR,
        .address = *address,
        .why = why == NULL ? "" : why,
    };
}

static void
read_addresses(const struct mfx_dns_list_rules *rules,
               const struct mfx_dns_answer *answer,
               struct mfx_dns_list_reading *reading)
{
    struct mfx_dns_list_reading one;
    for (size_t i = 0; i < answer->count; i++) {
        mfx_dns_list_read_address(rules, &answer->records[i].ip, &one);
        if (i == 0 || one.what == MFX_DNS_LIST_ERROR)
            *reading = one;
        if (one.what == MFX_DNS_LIST_ERROR)
            return;
    }
}

void
mfx_dns_list_read(const struct mfx_dns_list_rules *rules,
                  const struct mfx_dns_answer *answer,
                  struct mfx_dns_list_reading *reading)
{
    *reading = (struct mfx_dns_list_reading){
        .what = MFX_DNS_LIST_FAILURE,
        .why = mfx_dns_status_name(answer->status),
    };
    switch (answer->status) {
    case MFX_DNS_ANSWER:
        read_addresses(rules, answer, reading);
        break;
    case MFX_DNS_NO_NAME:
    case MFX_DNS_NO_DATA:
        *reading = (struct mfx_dns_list_reading){
            .what = MFX_DNS_LIST_NOT_LISTED, .why = ""};
        break;
    case MFX_DNS_FAILED:
    case MFX_DNS_TIMEOUT:
    case MFX_DNS_MALFORMED:
        break;
    }
}
