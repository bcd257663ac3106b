/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to what SRS goes by: every mistake is found before it is in
 * force.
 */
#include "srs.h"

#include <mfx/mail/address.h>

#include "complain.h"

static enum mfx_rc
read_secrets(const struct masq_srs_settings *s,
             const struct mfx_policy_build *build, struct masq_srs *srs)
{
    unsigned line = 0;
    if (s->secrets_file == NULL) {
        masq_complain(build, MFX_PROBLEM_ERROR, "srs.secrets_file",
                      "is needed with srs.domain");
        return MFX_PERMFAIL;
    }
    const char *file =
        mfx_config_where(build->config, "srs.secrets_file", &line);
    return mfx_secrets_read(s->secrets_file, file == NULL ? "" : file, line,
                            "can make addresses of ours", build->arena,
                            build->problems, &srs->secrets);
}

static enum mfx_rc
fill_engine(const struct masq_srs_settings *s,
            const struct mfx_policy_build *build, struct masq_srs *srs)
{
    struct mfx_err err = {""};
    enum mfx_rc rc = read_secrets(s, build, srs);
    if (rc != MFX_OK)
        return rc;
    if (!mfx_domain_is_valid(s->domain, true)) {
        masq_complain(build, MFX_PROBLEM_ERROR, "srs.domain",
                      "no valid domain");
        return MFX_PERMFAIL;
    }
    if (s->separator.len != 1 ||
        !mfx_str_has(mfx_str("=+-", 3), s->separator.p[0])) {
        masq_complain(build, MFX_PROBLEM_ERROR, "srs.separator",
                      "is to be one of = + -");
        return MFX_PERMFAIL;
    }
    if (s->hash_minimum > s->hash_length) {
        masq_complain(build, MFX_PROBLEM_ERROR, "srs.hash_minimum",
                      "is longer than the hashes that are made");
        return MFX_PERMFAIL;
    }
    srs->engine = (struct mfx_srs_settings){
        .secrets = srs->secrets.items,
        .secret_count = srs->secrets.count,
        .separator = s->separator.p[0],
        .hash_length = (unsigned)s->hash_length,
        .hash_minimum = (unsigned)s->hash_minimum,
        .max_age = (unsigned)s->max_age,
        .is_plain_alphabet = s->alphabet == MASQ_SRS_PLAIN,
        .domain = s->domain,
    };
    rc = mfx_srs_settings_check(&srs->engine, &err);
    if (rc != MFX_OK)
        masq_complain(build, MFX_PROBLEM_ERROR, "srs.domain", err.msg);
    return rc;
}

static void
warn(const struct masq_settings *settings, const struct masq_srs_maps *maps,
     const struct mfx_policy_build *build)
{
    if (settings->srs.forward != MASQ_SRS_OFF && settings->our_domains == NULL)
        masq_complain(build, MFX_PROBLEM_WARNING, "our_domains",
                      "there are none, so SRS takes every sender for a foreign "
                      "one");
    if (settings->local_domains == NULL && settings->origin_domain.len == 0 &&
        maps->alias_count > 0)
        masq_complain(
            build, MFX_PROBLEM_WARNING, "srs.forward_maps",
            "aliases are those of users of local_domains, and there are "
            "none");
}

enum mfx_rc
masq_srs_maps_build(const struct masq_settings *settings,
                    struct mfx_arena *arena, struct masq_srs_maps *maps)
{
    const struct mfx_option_tables *tables = &settings->srs.forward_maps;
    *maps = (struct masq_srs_maps){
        .tables = {.local_domains = settings->local_domains,
                   .origin_domain = settings->origin_domain,
                   .delimiters = settings->recipient_delimiter},
        .our_domains = settings->our_domains,
    };
    return masq_srs_maps_init(maps, tables->items, tables->count, arena);
}

enum mfx_rc
masq_srs_new(const struct masq_settings *settings,
             const struct mfx_policy_build *build, const struct masq_srs **srs)
{
    const struct masq_srs_settings *s = &settings->srs;
    struct masq_srs *made = mfx_arena_alloc(build->arena, sizeof *made);
    *srs = NULL;
    if (s->domain.len == 0)
        return MFX_OK;
    if (made == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = fill_engine(s, build, made);
    if (rc != MFX_OK)
        return rc;
    made->also_domains = s->also_domains;
    made->forward = s->forward;
    made->reverses = s->reverse;
    made->short_forms = s->short_forms;
    rc = masq_srs_maps_build(settings, build->arena, &made->maps);
    if (rc != MFX_OK)
        return rc;
    warn(settings, &made->maps, build);
    *srs = made;
    return MFX_OK;
}
