/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A DMARC record is read; what is none leaves the defaults. The same bytes as
 * a domain: its organizational domain is its end, and aligned with it.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/dmarc_alignment.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_record(struct mfx_str text)
{
    struct mfx_dmarc_record r;
    enum mfx_rc rc = mfx_dmarc_record_parse(text, &r);
    check(rc == MFX_OK || rc == MFX_NOTFOUND || rc == MFX_PERMFAIL);
    check(rc != MFX_NOTFOUND || (!r.is_strict && r.policy == MFX_DMARC_NONE));
    check(rc != MFX_PERMFAIL || r.policy == MFX_DMARC_NONE);
    check(mfx_dmarc_policy_name(r.policy) != NULL);
    check(mfx_dmarc_policy_name(r.subdomain_policy) != NULL);
}

static void
check_domain(const struct mfx_dmarc_suffixes *suffixes, struct mfx_str domain)
{
    struct mfx_str org = mfx_dmarc_organizational_domain(suffixes, domain);
    check(org.len <= domain.len && mfx_str_ends_nocase(domain, org));
    check(mfx_dmarc_is_aligned(suffixes, domain, domain, true) ==
          (domain.len > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str text = mfx_str((const char *)data, size);
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    check_record(text);
    check_domain(suffixes, text);
    mfx_dmarc_suffixes_free(suffixes);
    return 0;
}
