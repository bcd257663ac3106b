/* SPDX-License-Identifier: BSD-2-Clause */
#include "../message.h"
#include "verbs.h"

int
spf_verb_site_load(const struct verb_run *run, struct spf_verb_site *site,
                   bool may_be_missing)
{
    int status = EXIT_OK;
    if (site->config != NULL || !may_be_missing)
        status =
            verb_load_filter(run, &spf_filter, site->config, &site->loaded);
    if (status != EXIT_OK)
        return status;
    if (site->loaded != NULL)
        site->policy = site->loaded->policy;
    return verb_env_init(run, site->dns, site->zone, site->loaded, &site->env);
}

void
spf_verb_site_fini(const struct verb_run *run, struct spf_verb_site *site)
{
    mfx_arena_reset(run->arena);
    verb_env_fini(&site->env);
    if (site->loaded != NULL)
        mfx_offline_free(site->loaded);
    site->loaded = NULL;
}
