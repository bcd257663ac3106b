/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dmarc_alignment.h>

#include <stdlib.h>

#include <libpsl.h>

enum {
    DOMAIN_MAX = 253,
};

const char *
mfx_dmarc_policy_name(enum mfx_dmarc_policy policy)
{
    static const char *const names[] = {
        [MFX_DMARC_NONE] = "none",
        [MFX_DMARC_QUARANTINE] = "quarantine",
        [MFX_DMARC_REJECT] = "reject",
    };
    return names[policy];
}

/* --- records --- */

/* What the tags said; a tag given twice counts once, the first time. */
struct tags {
    struct mfx_str p, sp, adkim, rua;
};

static bool
split_tag(struct mfx_str spec, struct mfx_str *name, struct mfx_str *value)
{
    size_t equals = mfx_str_find(spec, '=');
    *name = mfx_str_trim(mfx_str_head(spec, equals));
    *value = mfx_str_trim(mfx_str_from(spec, equals + 1));
    return equals < spec.len;
}

static void
take_tag(struct tags *tags, struct mfx_str name, struct mfx_str value)
{
    const struct {
        const char *name;
        struct mfx_str *value;
    } known[] = {
        {"p",     &tags->p    },
        {"sp",    &tags->sp   },
        {"adkim", &tags->adkim},
        {"rua",   &tags->rua  },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (mfx_str_is_nocase(name, known[i].name) && known[i].value->p == NULL)
            *known[i].value = value;
}

static bool
read_policy(struct mfx_str word, enum mfx_dmarc_policy *policy)
{
    for (int i = MFX_DMARC_NONE; i <= MFX_DMARC_REJECT; i++) {
        enum mfx_dmarc_policy p = (enum mfx_dmarc_policy)i;
        if (!mfx_str_is_nocase(word, mfx_dmarc_policy_name(p)))
            continue;
        *policy = p;
        return true;
    }
    return false;
}

/* "mailto:" with something behind it: enough of a URI to report to. */
static bool
has_report_uri(struct mfx_str rua)
{
    struct mfx_str item, rest = rua;
    while (rua.len > 0 && mfx_str_cut(&rest, ',', &item)) {
        size_t colon = mfx_str_find(item, ':');
        if (colon > 0 && colon + 1 < item.len)
            return true;
    }
    return false;
}

enum mfx_rc
mfx_dmarc_record_parse(struct mfx_str text, struct mfx_dmarc_record *record)
{
    struct mfx_str rest = text, spec, name, value;
    struct tags tags = {
        .p = {NULL, 0}
    };
    *record = (struct mfx_dmarc_record){.policy = MFX_DMARC_NONE};
    if (text.len == 0 || !mfx_str_cut(&rest, ';', &spec) ||
        !split_tag(spec, &name, &value) || !mfx_str_is(name, "v") ||
        !mfx_str_is(value, "DMARC1"))
        return MFX_NOTFOUND;
    while (mfx_str_cut(&rest, ';', &spec))
        if (split_tag(spec, &name, &value))
            take_tag(&tags, name, value);
    record->is_strict = mfx_str_is_nocase(tags.adkim, "s");
    bool ok = read_policy(tags.p, &record->policy);
    record->subdomain_policy = record->policy;
    if (tags.sp.p != NULL)
        ok = read_policy(tags.sp, &record->subdomain_policy) && ok;
    if (ok)
        return MFX_OK;
    record->policy = record->subdomain_policy = MFX_DMARC_NONE;
    return has_report_uri(tags.rua) ? MFX_OK : MFX_PERMFAIL;
}

/* --- domains --- */

struct mfx_dmarc_suffixes {
    psl_ctx_t *psl;
};

struct mfx_dmarc_suffixes *
mfx_dmarc_suffixes_new(void)
{
    struct mfx_dmarc_suffixes *suffixes = calloc(1, sizeof *suffixes);
    if (suffixes == NULL)
        return NULL;
    suffixes->psl = psl_latest(NULL);
    if (suffixes->psl == NULL) {
        free(suffixes);
        return NULL;
    }
    return suffixes;
}

void
mfx_dmarc_suffixes_free(struct mfx_dmarc_suffixes *suffixes)
{
    if (suffixes == NULL)
        return;
    psl_free(suffixes->psl);
    free(suffixes);
}

struct mfx_str
mfx_dmarc_organizational_domain(const struct mfx_dmarc_suffixes *suffixes,
                                struct mfx_str domain)
{
    char lower[DOMAIN_MAX + 1];
    if (suffixes == NULL || domain.len == 0 || domain.len > DOMAIN_MAX)
        return domain;
    for (size_t i = 0; i < domain.len; i++)
        lower[i] = (char)mfx_ascii_lower((unsigned char)domain.p[i]);
    lower[domain.len] = '\0';
    const char *end = psl_registrable_domain(suffixes->psl, lower);
    return end == NULL ? domain : mfx_str_from(domain, (size_t)(end - lower));
}

bool
mfx_dmarc_is_aligned(const struct mfx_dmarc_suffixes *suffixes,
                     struct mfx_str from, struct mfx_str d, bool is_strict)
{
    if (from.len == 0 || mfx_str_eq_nocase(from, d))
        return from.len > 0;
    return !is_strict &&
           mfx_str_eq_nocase(mfx_dmarc_organizational_domain(suffixes, from),
                             mfx_dmarc_organizational_domain(suffixes, d));
}
