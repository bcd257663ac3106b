/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_list - DNS block and allow lists: filters, names, what an answer says
 *
 *     while (mfx_dns_list_site_next(&rest, &entry))
 *         rc = mfx_dns_list_site_parse(entry, &site, &mistake);
 *     if (mfx_dns_list_address_name(&client, site.zone, &name))
 *         question = mfx_dns_ask(resolver, mfx_dns_list_name_str(&name),
 *                                MFX_DNS_A);
 *     mfx_dns_list_read(&rules, answer, &reading);
 *     if (reading.what == MFX_DNS_LIST_LISTED &&
 *         mfx_dns_list_site_hit(&site, answer) != NULL) ...
 *
 * A site is written as in postscreen_dnsbl_sites of Postfix:
 * zone[=d.d.d.d][*weight], where d is a number or a pattern in brackets, as
 * [2..11;13]; without a weight it is 1. Several sites may name one zone; each
 * adds its weight once, whatever the number of addresses that match.
 *
 * An error is not a listing. Of an answer nothing counts when one of its
 * addresses is in 127.255.255.0/24 (by which lists refuse: a wrong zone name,
 * a public resolver, too many questions), outside 127.0.0.0/8 (a domain that
 * was parked), one of the list's own error codes, or 127.0.0.1 (RFC 5782 2.1)
 * that no filter of the list names. Without a filter a site counts every other
 * address.
 *
 * Ownership: values; the texts of a site borrow from what was parsed. Errors:
 * MFX_PERMFAIL and the place. Threads: pure. Limits: names of 253 octets with
 * labels of 63 (RFC 1035 2.3.4); weights up to MFX_DNS_LIST_WEIGHT_MAX.
 */
#ifndef MFX_NET_DNS_LIST_H
#define MFX_NET_DNS_LIST_H

#include <mfx/net/ip.h>
#include <mfx/net/resolver.h>

MFX_API_BEGIN

enum {
    MFX_DNS_LIST_WEIGHT_MAX = 1000000,
    MFX_DNS_LIST_NAME_MAX = 253,
    MFX_DNS_LIST_LABEL_MAX = 63,
};

/* Four octets, each with the values that it may have, as bits. */
struct mfx_dns_list_filter {
    uint64_t octets[4][4];
};

struct mfx_dns_list_site {
    struct mfx_str zone; /* without a final dot */
    bool has_filter;
    struct mfx_str filter_text; /* as written; empty without a filter */
    struct mfx_dns_list_filter filter;
    int weight; /* negative: an allow list */
};

struct mfx_dns_list_mistake {
    size_t at;        /* octet in what was parsed */
    const char *what; /* a literal */
};

/* The next of the sites, which blanks and commas part. False at the end. */
bool mfx_dns_list_site_next(struct mfx_str *rest, struct mfx_str *entry);
/* mistake may be NULL. */
enum mfx_rc
mfx_dns_list_site_parse(struct mfx_str entry, struct mfx_dns_list_site *site,
                        struct mfx_dns_list_mistake *mistake) MFX_NODISCARD;
/* "127.0.0.[2..11;13]" alone. */
enum mfx_rc
mfx_dns_list_filter_parse(struct mfx_str text,
                          struct mfx_dns_list_filter *filter,
                          struct mfx_dns_list_mistake *mistake) MFX_NODISCARD;
/* False for what is no IPv4 address. */
bool mfx_dns_list_filter_has(const struct mfx_dns_list_filter *filter,
                             const struct mfx_ip *ip);

/* --- names --- */

struct mfx_dns_list_name {
    size_t len;
    char text[MFX_DNS_LIST_NAME_MAX + 1];
};

static inline struct mfx_str
mfx_dns_list_name_str(const struct mfx_dns_list_name *name)
{
    return mfx_str(name->text, name->len);
}

/* "what.zone" in lower case. False when that is no name that could be asked:
 * a label that is empty or too long, too long as a whole, or bytes other than
 * letters, digits, "-" and "_". What cannot be asked is not listed. */
bool mfx_dns_list_name_make(struct mfx_str what, struct mfx_str zone,
                            struct mfx_dns_list_name *name);
/* "192.0.2.99" is 99.2.0.192.zone (RFC 5782 2.1), an IPv6 address 32 nibbles,
 * the last one first (2.4). An IPv4-mapped one is asked as IPv6 only when its
 * family says so: the parsers of ip.h do not make such. False for no address,
 * too. */
bool mfx_dns_list_address_name(const struct mfx_ip *ip, struct mfx_str zone,
                               struct mfx_dns_list_name *name);
/* False also for what is no domain of the Internet: one label alone (so that
 * who says HELO test does not meet a list's test entry), or a last label of
 * digits (an address, which would be another list's name). domain: A-labels,
 * with or without a final dot. */
bool mfx_dns_list_domain_name(struct mfx_str domain, struct mfx_str zone,
                              struct mfx_dns_list_name *name);

/* --- answers --- */

/* One list: the sites of one zone, and what is an error besides. */
struct mfx_dns_list_rules {
    const struct mfx_dns_list_site *sites;
    size_t site_count;
    const struct mfx_dns_list_filter *error_codes;
    size_t error_code_count;
};

enum mfx_dns_list_answer {
    MFX_DNS_LIST_NOT_LISTED,
    MFX_DNS_LIST_LISTED,  /* which sites hit is another question */
    MFX_DNS_LIST_ERROR,   /* the list refuses, or is not one any more */
    MFX_DNS_LIST_FAILURE, /* DNS gave no answer */
};
/* "not listed", "listed", "error", "failure". */
const char *mfx_dns_list_answer_name(enum mfx_dns_list_answer what);

struct mfx_dns_list_reading {
    enum mfx_dns_list_answer what;
    /* LISTED: the first; ERROR: the one that is an error */
    struct mfx_ip address;
    const char *why; /* ERROR, FAILURE: in words, a literal; else "" */
};

void mfx_dns_list_read(const struct mfx_dns_list_rules *rules,
                       const struct mfx_dns_answer *answer,
                       struct mfx_dns_list_reading *reading);
/* What one address says, by the same rules: LISTED or ERROR. */
void mfx_dns_list_read_address(const struct mfx_dns_list_rules *rules,
                               const struct mfx_ip *address,
                               struct mfx_dns_list_reading *reading);
/* For a reading LISTED: does this site count that address? */
bool mfx_dns_list_site_has(const struct mfx_dns_list_site *site,
                           const struct mfx_ip *address);
/* The first address of the answer that the site counts; NULL: none. */
const struct mfx_ip *mfx_dns_list_site_hit(const struct mfx_dns_list_site *site,
                                           const struct mfx_dns_answer *answer);

MFX_API_END

#endif
