/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first line is a list of sites, the second an address, the third a
 * domain. What is read writes a filter that reads back alike; a name that is
 * made can be asked.
 */
#include <mfx/net/dns_list.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds, const char *what)
{
    if (!holds)
        MFX_BUG(what);
}

static void
check_name(const struct mfx_dns_list_name *name, bool is_made)
{
    struct mfx_str rest = mfx_dns_list_name_str(name), label;
    check(is_made == (name->len > 0), "a name that is none");
    check(name->len <= MFX_DNS_LIST_NAME_MAX, "a long name");
    check(name->text[name->len] == '\0', "a name without its end");
    while (is_made && mfx_str_cut(&rest, '.', &label))
        check(label.len > 0 && label.len <= MFX_DNS_LIST_LABEL_MAX, "a label");
}

static void
check_site(const struct mfx_dns_list_site *site, const struct mfx_ip *ip,
           struct mfx_str domain)
{
    struct mfx_dns_list_name name;
    struct mfx_dns_list_filter again;
    const struct mfx_dns_list_rules rules = {site, 1, NULL, 0};
    struct mfx_dns_list_reading reading;
    check(site->weight <= MFX_DNS_LIST_WEIGHT_MAX &&
              site->weight >= -MFX_DNS_LIST_WEIGHT_MAX,
          "weight");
    if (site->has_filter)
        check(mfx_dns_list_filter_parse(site->filter_text, &again, NULL) ==
                      MFX_OK &&
                  memcmp(&again, &site->filter, sizeof again) == 0,
              "its text is another filter");
    for (unsigned last = 0; last < 256; last++) {
        const struct mfx_ip code = {
            MFX_IP_V4, {127, 255, 255, (unsigned char)last}
        };
        mfx_dns_list_read_address(&rules, &code, &reading);
        check(reading.what == MFX_DNS_LIST_ERROR, "a refusal counts");
    }
    mfx_dns_list_read_address(&rules, ip, &reading);
    check((reading.what == MFX_DNS_LIST_ERROR) == (reading.why[0] != '\0'),
          "words");
    check_name(&name, mfx_dns_list_address_name(ip, site->zone, &name));
    check_name(&name, mfx_dns_list_domain_name(domain, site->zone, &name));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str rest = mfx_str((const char *)data, size), sites, address,
                   domain = {0}, entry;
    struct mfx_ip ip = {.family = MFX_IP_NONE};
    if (!mfx_str_cut(&rest, '\n', &sites))
        return 0;
    if (mfx_str_cut(&rest, '\n', &address) &&
        mfx_ip_parse(address, &ip) != MFX_OK)
        ip = (struct mfx_ip){.family = MFX_IP_NONE};
    (void)mfx_str_cut(&rest, '\n', &domain);
    while (mfx_dns_list_site_next(&sites, &entry)) {
        struct mfx_dns_list_site site;
        struct mfx_dns_list_mistake mistake = {0, NULL};
        if (mfx_dns_list_site_parse(entry, &site, &mistake) == MFX_OK)
            check_site(&site, &ip, domain);
        else
            check(mistake.at <= entry.len && mistake.what != NULL, "place");
    }
    return 0;
}
