/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_engine.h>
#include <mfx/mail/address.h>

enum {
    DOMAIN_MAX = 253,
    LABEL_MAX = 63,
};

bool
mfx_spf_is_name(struct mfx_str name)
{
    struct mfx_str rest = name, label;
    if (name.len == 0 || name.len > DOMAIN_MAX)
        return false;
    while (mfx_str_cut(&rest, '.', &label))
        if (label.len == 0 || label.len > LABEL_MAX)
            return false;
    return true;
}

/* A name of printable octets and two labels at least (4.3). */
static bool
is_domain(struct mfx_str domain)
{
    struct mfx_ip ip;
    if (!mfx_spf_is_name(domain) || domain.p[0] == '[' ||
        mfx_ip_parse(domain, &ip) == MFX_OK)
        return false;
    for (size_t i = 0; i < domain.len; i++)
        if (domain.p[i] <= ' ' || domain.p[i] > '~')
            return false;
    return mfx_str_has(domain, '.');
}

/* U-labels as A-labels, without the final dot; what has no such form stays as
 * it is. */
static enum mfx_rc
to_ascii(struct mfx_str domain, struct mfx_arena *arena, struct mfx_str *out)
{
    struct mfx_str ascii;
    enum mfx_rc rc = MFX_PERMFAIL;
    if (!mfx_str_is_ascii(domain))
        rc = mfx_domain_to_ascii(domain, arena, &ascii);
    if (rc == MFX_OK)
        domain = ascii;
    else if (rc == MFX_PERMFAIL)
        domain = mfx_arena_copy(arena, domain);
    if (domain.p == NULL)
        return MFX_TEMPFAIL;
    if (domain.len > 0 && domain.p[domain.len - 1] == '.')
        domain.len--;
    *out = domain;
    return rc == MFX_TEMPFAIL ? MFX_TEMPFAIL : MFX_OK;
}

/* An address without "@" is a domain (4.3: no local part). */
static void
split(const struct mfx_spf_request *request, struct mfx_str *local,
      struct mfx_str *domain)
{
    struct mfx_str sender = request->sender;
    size_t at = mfx_str_find_last(sender, '@');
    *local = mfx_str(NULL, 0);
    *domain = sender;
    if (request->identity == MFX_SPF_HELO || sender.len == 0) {
        *domain = request->helo;
    } else if (at < sender.len) {
        *local = mfx_str_head(sender, at);
        *domain = mfx_str_from(sender, at + 1);
    }
    if (local->len == 0)
        *local = mfx_str_of("postmaster");
}

static struct mfx_str
join(struct mfx_arena *arena, struct mfx_str local, struct mfx_str domain)
{
    size_t len = local.len + 1 + domain.len;
    char *p = mfx_arena_alloc_bytes(arena, len);
    if (p == NULL)
        return mfx_str(NULL, 0);
    memcpy(p, local.p, local.len);
    p[local.len] = '@';
    if (domain.len > 0)
        memcpy(p + local.len + 1, domain.p, domain.len);
    return mfx_str(p, len);
}

enum mfx_rc
mfx_spf_subject_make(const struct mfx_spf_request *request,
                     struct mfx_arena *arena, struct mfx_spf_subject *subject)
{
    struct mfx_str local, domain;
    split(request, &local, &domain);
    *subject = (struct mfx_spf_subject){
        .is_local_ascii = mfx_str_is_ascii(local), .problem = NULL};
    if (to_ascii(domain, arena, &subject->domain) != MFX_OK ||
        to_ascii(request->helo, arena, &subject->helo) != MFX_OK)
        return MFX_TEMPFAIL;
    subject->sender = join(arena, local, subject->domain);
    if (subject->sender.p == NULL)
        return MFX_TEMPFAIL;
    subject->local = mfx_str_head(subject->sender, local.len);
    if (request->ip.family == MFX_IP_NONE)
        subject->problem = "the client has no IP address";
    else if (!is_domain(subject->domain))
        subject->problem = "no domain name to look up";
    return subject->problem == NULL ? MFX_OK : MFX_NOTFOUND;
}
