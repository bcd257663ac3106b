/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to what munging goes by.
 */
#include "munge.h"

#include <mfx/mail/address.h>
#include <mfx/mail/address_phrase.h>

#include "complain.h"

static void
complain(const struct mfx_policy_build *build, const char *setting,
         const char *text)
{
    masq_complain(build, MFX_PROBLEM_ERROR, setting, text);
}

static enum mfx_rc
read_secrets(const struct masq_munge_settings *s,
             const struct mfx_policy_build *build, struct masq_munge *munge)
{
    unsigned line = 0;
    if (s->secrets_file == NULL) {
        complain(build, "munge.secrets_file", "is needed with munge.domain");
        return MFX_PERMFAIL;
    }
    const char *file =
        mfx_config_where(build->config, "munge.secrets_file", &line);
    return mfx_secrets_read(s->secrets_file, file == NULL ? "" : file, line,
                            "can make addresses of ours", build->arena,
                            build->problems, &munge->secrets);
}

static enum mfx_rc
read_domain(const struct masq_munge_settings *s,
            const struct mfx_policy_build *build, struct masq_munge *munge)
{
    enum mfx_rc rc =
        mfx_domain_to_ascii(s->domain, build->arena, &munge->domain);
    if (rc == MFX_OK && mfx_domain_is_valid(munge->domain, false))
        return MFX_OK;
    if (rc == MFX_TEMPFAIL)
        return rc;
    complain(build, "munge.domain", "no valid domain");
    return MFX_PERMFAIL;
}

static enum mfx_rc
check_suffix(const struct masq_munge_settings *s,
             const struct mfx_policy_build *build)
{
    struct mfx_err err = {""};
    if (s->phrase_suffix.len == 0 ||
        mfx_address_phrase_check(s->phrase_suffix, &err) == MFX_OK)
        return MFX_OK;
    complain(build, "munge.phrase_suffix", err.msg);
    return MFX_PERMFAIL;
}

static void
free_suffixes(void *suffixes)
{
    mfx_dmarc_suffixes_free(suffixes);
}

/* Without that list a policy of the organizational domain would be missed. */
static enum mfx_rc
load_suffixes(const struct masq_munge_settings *s,
              const struct mfx_policy_build *build, struct masq_munge *munge)
{
    if (s->when != MASQ_MUNGE_DMARC)
        return MFX_OK;
    munge->suffixes = mfx_dmarc_suffixes_new();
    if (munge->suffixes == NULL) {
        complain(build, "munge.when", "no list of public suffixes to be had");
        return MFX_PERMFAIL;
    }
    return mfx_arena_defer(build->arena, free_suffixes, munge->suffixes)
               ? MFX_OK
               : MFX_TEMPFAIL;
}

static void
warn(const struct masq_settings *settings, const struct mfx_policy_build *build)
{
    if (settings->munge.when != MASQ_MUNGE_NEVER &&
        settings->our_domains == NULL)
        masq_complain(build, MFX_PROBLEM_WARNING, "our_domains",
                      "there are none, so authors of this site are munged, "
                      "too");
}

enum mfx_rc
masq_munge_new(const struct masq_settings *settings,
               const struct mfx_policy_build *build,
               const struct masq_munge **munge)
{
    const struct masq_munge_settings *s = &settings->munge;
    struct masq_munge *made = mfx_arena_alloc(build->arena, sizeof *made);
    *munge = NULL;
    if (s->domain.len == 0) {
        if (s->when == MASQ_MUNGE_NEVER)
            return MFX_OK;
        complain(build, "munge.when", "needs munge.domain");
        return MFX_PERMFAIL;
    }
    if (made == NULL)
        return MFX_TEMPFAIL;
    made->settings = s;
    made->max_addresses = (size_t)settings->max_addresses;
    made->store_wait_ms = settings->store.timeout_ms;
    enum mfx_rc rc = masq_srs_maps_build(settings, build->arena, &made->maps);
    rc = mfx_rc_worst(rc, read_domain(s, build, made));
    rc = mfx_rc_worst(rc, read_secrets(s, build, made));
    rc = mfx_rc_worst(rc, check_suffix(s, build));
    rc = mfx_rc_worst(rc, load_suffixes(s, build, made));
    warn(settings, build);
    if (rc == MFX_OK)
        *munge = made;
    return rc;
}
