/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_packet.h>

enum {
    HEADER_LEN = 12,
    RR_MIN_LEN = 11, /* root name, type, class, TTL, length */
    CLASS_IN = 1,
    TYPE_OPT = 41,
    RCODE_NXDOMAIN = 3,
    CNAMES_MAX = 8,
    RECORDS_MAX = 1000,
    NEGATIVE_TTL_MAX = 3 * 3600, /* RFC 2308 5 */
    BIT_QR = 0x8000,
    BITS_OPCODE = 0x7800,
    BIT_AA = 0x0400,
    BIT_TC = 0x0200,
    BIT_RD = 0x0100,
    BIT_AD = 0x0020,
    BITS_RCODE = 0x000F,
};

/* --- writing --- */

static unsigned char *
put_u16(unsigned char *p, unsigned value)
{
    *p++ = (unsigned char)(value >> 8 & 0xFF);
    *p++ = (unsigned char)(value & 0xFF);
    return p;
}

size_t
mfx_dns_packet_write(unsigned char out[MFX_DNS_QUERY_MAX],
                     const struct mfx_dns_asked *asked, unsigned flags)
{
    unsigned char *p = out;
    bool has_edns = (flags & MFX_DNS_WRITE_EDNS) != 0;
    p = put_u16(p, asked->id);
    p = put_u16(p, ((flags & MFX_DNS_WRITE_DIRECT) != 0 ? 0U : BIT_RD) |
                       ((flags & MFX_DNS_WRITE_AD) != 0 ? BIT_AD : 0U));
    p = put_u16(p, 1);
    p = put_u16(p, 0);
    p = put_u16(p, 0);
    p = put_u16(p, has_edns ? 1 : 0);
    memcpy(p, asked->name.wire, asked->name.len);
    p += asked->name.len;
    p = put_u16(p, (unsigned)asked->type);
    p = put_u16(p, CLASS_IN);
    if (has_edns) {
        *p++ = 0;
        p = put_u16(p, TYPE_OPT);
        p = put_u16(p, MFX_DNS_UDP_SIZE);
        p = put_u16(p, 0);
        p = put_u16(p, 0);
        p = put_u16(p, 0);
    }
    return (size_t)(p - out);
}

/* --- reading --- */

struct rr {
    size_t owner_at;
    unsigned type, class;
    uint32_t ttl_s;
    size_t data_at, data_len;
};

struct reader {
    struct mfx_str bytes;
    size_t at;
    struct mfx_arena *arena;
    const struct mfx_dns_asked *asked;
    unsigned flags, counts[4]; /* question, answer, authority, additional */
    struct rr *answers;
    unsigned rcode;
    bool has_soa, has_ns;
    size_t soa_owner_at;
    uint32_t negative_ttl_s;
};

static unsigned
u16_at(struct mfx_str bytes, size_t at)
{
    return (unsigned)(unsigned char)bytes.p[at] << 8 |
           (unsigned char)bytes.p[at + 1];
}

static uint32_t
u32_at(struct mfx_str bytes, size_t at)
{
    return (uint32_t)u16_at(bytes, at) << 16 | u16_at(bytes, at + 2);
}

static enum mfx_rc
read_header(struct reader *r)
{
    if (r->bytes.len < HEADER_LEN || u16_at(r->bytes, 0) != r->asked->id)
        return MFX_PERMFAIL;
    r->flags = u16_at(r->bytes, 2);
    if ((r->flags & BIT_QR) == 0 || (r->flags & BITS_OPCODE) != 0)
        return MFX_PERMFAIL;
    r->rcode = r->flags & BITS_RCODE;
    for (size_t i = 0; i < 4; i++)
        r->counts[i] = u16_at(r->bytes, 4 + 2 * i);
    r->at = HEADER_LEN;
    return MFX_OK;
}

/* The question must be ours, word for word. */
static enum mfx_rc
read_question(struct reader *r)
{
    struct mfx_dns_name name;
    if (r->counts[0] != 1 || !mfx_dns_name_unpack(r->bytes, &r->at, &name) ||
        !mfx_dns_name_eq(&name, &r->asked->name) || r->bytes.len - r->at < 4)
        return MFX_PERMFAIL;
    if (u16_at(r->bytes, r->at) != (unsigned)r->asked->type ||
        u16_at(r->bytes, r->at + 2) != CLASS_IN)
        return MFX_PERMFAIL;
    r->at += 4;
    return MFX_OK;
}

static bool
read_rr(struct reader *r, struct rr *rr)
{
    struct mfx_dns_name owner;
    rr->owner_at = r->at;
    if (!mfx_dns_name_unpack(r->bytes, &r->at, &owner) ||
        r->bytes.len - r->at < 10)
        return false;
    rr->type = u16_at(r->bytes, r->at);
    rr->class = u16_at(r->bytes, r->at + 2);
    rr->ttl_s = u32_at(r->bytes, r->at + 4);
    if (rr->ttl_s > INT32_MAX && rr->type != TYPE_OPT)
        rr->ttl_s = 0; /* RFC 2181 8 */
    rr->data_len = u16_at(r->bytes, r->at + 8);
    rr->data_at = r->at + 10;
    if (rr->data_len > r->bytes.len - rr->data_at)
        return false;
    r->at = rr->data_at + rr->data_len;
    return true;
}

/* Reads a name that must end where the record's data end (or, for a SOA, let
 * the rest follow). */
static bool
data_name(const struct reader *r, const struct rr *rr, size_t skip,
          struct mfx_dns_name *name, size_t *end)
{
    struct mfx_str upto = mfx_str_head(r->bytes, rr->data_at + rr->data_len);
    size_t at = rr->data_at + skip;
    if (skip > rr->data_len || !mfx_dns_name_unpack(upto, &at, name))
        return false;
    *end = at;
    return true;
}

static bool
data_is_name(const struct reader *r, const struct rr *rr, size_t skip,
             struct mfx_dns_name *name)
{
    size_t end;
    return data_name(r, rr, skip, name, &end) &&
           end == rr->data_at + rr->data_len;
}

static enum mfx_rc
read_answers(struct reader *r)
{
    size_t count = r->counts[1];
    if (count > RECORDS_MAX || count > (r->bytes.len - r->at) / RR_MIN_LEN)
        return MFX_PERMFAIL;
    r->answers = mfx_arena_alloc_array(r->arena, count, sizeof *r->answers);
    if (r->answers == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++)
        if (!read_rr(r, &r->answers[i]))
            return MFX_PERMFAIL;
    return MFX_OK;
}

/* How long "it is not there" holds: the smaller of the SOA's own TTL and its
 * last field (RFC 2308 3, 5). */
static bool
read_soa(struct reader *r, const struct rr *rr)
{
    struct mfx_dns_name name;
    size_t at;
    if (!data_name(r, rr, 0, &name, &at) ||
        !data_name(r, rr, at - rr->data_at, &name, &at) ||
        rr->data_at + rr->data_len - at != 20)
        return false;
    uint32_t ttl_s = u32_at(r->bytes, at + 16);
    if (ttl_s > rr->ttl_s)
        ttl_s = rr->ttl_s;
    r->has_soa = true;
    r->soa_owner_at = rr->owner_at;
    r->negative_ttl_s = ttl_s > NEGATIVE_TTL_MAX ? NEGATIVE_TTL_MAX : ttl_s;
    return true;
}

static enum mfx_rc
read_authority(struct reader *r)
{
    for (unsigned i = 0; i < r->counts[2]; i++) {
        struct rr rr;
        if (!read_rr(r, &rr))
            return MFX_PERMFAIL;
        if (rr.class != CLASS_IN)
            continue;
        if (rr.type == MFX_DNS_SOA && !read_soa(r, &rr))
            return MFX_PERMFAIL;
        if (rr.type == MFX_DNS_NS)
            r->has_ns = true;
    }
    return MFX_OK;
}

/* The OPT record holds the upper bits of the rcode: BADVERS looks like
 * success without them (RFC 6891 6.1.3). */
static enum mfx_rc
read_additional(struct reader *r)
{
    for (unsigned i = 0; i < r->counts[3]; i++) {
        struct rr rr;
        if (!read_rr(r, &rr))
            return MFX_PERMFAIL;
        if (rr.type == TYPE_OPT)
            r->rcode |= (unsigned)(rr.ttl_s >> 24) << 4;
    }
    return MFX_OK;
}

static bool
is_of(const struct reader *r, const struct rr *rr,
      const struct mfx_dns_name *name, enum mfx_dns_type type)
{
    struct mfx_dns_name owner;
    size_t at = rr->owner_at;
    return rr->type == (unsigned)type && rr->class == CLASS_IN &&
           mfx_dns_name_unpack(r->bytes, &at, &owner) &&
           mfx_dns_name_eq(&owner, name);
}

static void
note_ttl(struct mfx_dns_packet *packet, uint32_t ttl_s)
{
    if (ttl_s < packet->answer.ttl_s)
        packet->answer.ttl_s = ttl_s;
    if (ttl_s > packet->longest_ttl_s)
        packet->longest_ttl_s = ttl_s;
}

/* Follows CNAMEs from packet->end to where records of the type are, or to the end.
 * *count: how many there are. */
static enum mfx_rc
follow(const struct reader *r, struct mfx_dns_packet *packet, size_t *count)
{
    struct mfx_dns_name *name = &packet->end;
    for (int hops = 0; hops <= CNAMES_MAX; hops++) {
        const struct rr *alias = NULL;
        *count = 0;
        for (size_t i = 0; i < r->counts[1]; i++) {
            const struct rr *rr = &r->answers[i];
            if (is_of(r, rr, name, r->asked->type))
                ++*count;
            else if (alias == NULL && is_of(r, rr, name, MFX_DNS_CNAME))
                alias = rr;
        }
        if (*count > 0 || alias == NULL)
            return MFX_OK;
        if (!data_is_name(r, alias, 0, name))
            return MFX_PERMFAIL;
        packet->is_alias = true;
        note_ttl(packet, alias->ttl_s);
    }
    return MFX_PERMFAIL;
}

/* The strings of a TXT record, joined; they must fill its data exactly. */
static enum mfx_rc
read_txt(const struct reader *r, const struct rr *rr, struct mfx_str *text)
{
    struct mfx_str data = mfx_str(r->bytes.p + rr->data_at, rr->data_len);
    char *out = mfx_arena_alloc_bytes(r->arena, data.len + 1);
    size_t len = 0, at = 0;
    if (out == NULL)
        return MFX_TEMPFAIL;
    if (data.len == 0)
        return MFX_PERMFAIL;
    while (at < data.len) {
        size_t size = (unsigned char)data.p[at++];
        if (size > data.len - at)
            return MFX_PERMFAIL;
        memcpy(out + len, data.p + at, size);
        len += size;
        at += size;
    }
    *text = mfx_str(out, len);
    return MFX_OK;
}

static enum mfx_rc
read_address(const struct reader *r, const struct rr *rr,
             enum mfx_ip_family family, struct mfx_ip *ip)
{
    size_t len = family == MFX_IP_V4 ? 4 : 16;
    if (rr->data_len != len)
        return MFX_PERMFAIL;
    ip->family = family;
    memcpy(ip->bytes, r->bytes.p + rr->data_at, len);
    return MFX_OK;
}

static enum mfx_rc
read_name(const struct reader *r, const struct rr *rr, size_t skip,
          struct mfx_str *text)
{
    struct mfx_dns_name name;
    size_t end;
    bool is_whole = rr->type != MFX_DNS_SOA;
    if (is_whole ? !data_is_name(r, rr, skip, &name)
                 : !data_name(r, rr, skip, &name, &end))
        return MFX_PERMFAIL;
    *text = mfx_dns_name_text(&name, r->arena);
    return text->p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
read_record(const struct reader *r, const struct rr *rr,
            struct mfx_dns_record *record)
{
    record->type = r->asked->type;
    record->ttl_s = rr->ttl_s;
    switch (r->asked->type) {
    case MFX_DNS_A:
        return read_address(r, rr, MFX_IP_V4, &record->ip);
    case MFX_DNS_AAAA:
        return read_address(r, rr, MFX_IP_V6, &record->ip);
    case MFX_DNS_TXT:
    case MFX_DNS_SPF:
        return read_txt(r, rr, &record->text);
    case MFX_DNS_MX:
        if (rr->data_len < 3)
            return MFX_PERMFAIL;
        record->preference = u16_at(r->bytes, rr->data_at);
        return read_name(r, rr, 2, &record->text);
    case MFX_DNS_NS:
    case MFX_DNS_CNAME:
    case MFX_DNS_SOA:
    case MFX_DNS_PTR:
        return read_name(r, rr, 0, &record->text);
    }
    return MFX_PERMFAIL;
}

static enum mfx_rc
make_records(struct reader *r, size_t count, struct mfx_dns_packet *packet)
{
    struct mfx_dns_answer *answer = &packet->answer;
    struct mfx_dns_record *records =
        mfx_arena_alloc_array(r->arena, count, sizeof *records);
    if (records == NULL)
        return MFX_TEMPFAIL;
    answer->records = records;
    for (size_t i = 0; i < r->counts[1]; i++) {
        const struct rr *rr = &r->answers[i];
        if (!is_of(r, rr, &packet->end, r->asked->type))
            continue;
        enum mfx_rc rc = read_record(r, rr, &records[answer->count++]);
        if (rc == MFX_OK && r->asked->type == MFX_DNS_SOA && !read_soa(r, rr))
            rc = MFX_PERMFAIL;
        if (rc != MFX_OK)
            return rc;
        note_ttl(packet, rr->ttl_s);
    }
    answer->status = MFX_DNS_ANSWER;
    return MFX_OK;
}

/* The name in whose zone nothing was found. */
static enum mfx_rc
note_zone(const struct reader *r, struct mfx_dns_answer *answer)
{
    struct mfx_dns_name owner;
    size_t at = r->soa_owner_at;
    if (!r->has_soa)
        return MFX_OK;
    if (!mfx_dns_name_unpack(r->bytes, &at, &owner))
        return MFX_PERMFAIL;
    answer->zone = mfx_dns_name_text(&owner, r->arena);
    return answer->zone.p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
make_negative(const struct reader *r, struct mfx_dns_answer *answer)
{
    if (answer->ttl_s > r->negative_ttl_s)
        answer->ttl_s = r->negative_ttl_s;
    if (r->rcode == RCODE_NXDOMAIN)
        answer->status = MFX_DNS_NO_NAME;
    else if (r->has_soa || !r->has_ns)
        answer->status = MFX_DNS_NO_DATA;
    /* else a referral: this server does not ask others for us */
    return note_zone(r, answer);
}

static enum mfx_rc
make_answer(struct reader *r, struct mfx_dns_packet *packet)
{
    struct mfx_dns_answer *answer = &packet->answer;
    size_t count = 0;
    packet->is_authoritative = (r->flags & BIT_AA) != 0;
    packet->end = r->asked->name;
    answer->rcode = r->rcode;
    answer->status = MFX_DNS_FAILED;
    if (r->rcode != 0 && r->rcode != RCODE_NXDOMAIN)
        return MFX_OK;
    answer->is_authentic = (r->flags & BIT_AD) != 0;
    answer->ttl_s = UINT32_MAX;
    enum mfx_rc rc = follow(r, packet, &count);
    if (rc == MFX_OK && r->rcode == 0 && count > 0)
        rc = make_records(r, count, packet);
    else if (rc == MFX_OK)
        rc = make_negative(r, answer);
    packet->has_soa = r->has_soa;
    packet->negative_ttl_s = r->negative_ttl_s;
    return rc;
}

enum mfx_rc
mfx_dns_packet_read(struct mfx_str bytes, const struct mfx_dns_asked *asked,
                    struct mfx_arena *arena, struct mfx_dns_packet *packet)
{
    struct reader r = {.bytes = bytes, .arena = arena, .asked = asked};
    enum mfx_rc rc = read_header(&r);
    *packet = (struct mfx_dns_packet){.is_truncated = false};
    if (rc == MFX_OK)
        rc = read_question(&r);
    if (rc != MFX_OK)
        return rc;
    packet->is_truncated = (r.flags & BIT_TC) != 0;
    if (packet->is_truncated)
        return MFX_OK;
    rc = read_answers(&r);
    if (rc == MFX_OK)
        rc = read_authority(&r);
    if (rc == MFX_OK)
        rc = read_additional(&r);
    if (rc == MFX_OK)
        rc = make_answer(&r, packet);
    return rc;
}
