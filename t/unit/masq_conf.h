/* SPDX-License-Identifier: BSD-2-Clause
 *
 * masq_conf - a masq.conf from a text, for tests of what is built from it
 */
#ifndef MFX_T_MASQ_CONF_H
#define MFX_T_MASQ_CONF_H

#include <mfx/milter/filter.h>

#include "../../milters/masq/settings.h"
#include "masq_tables.h"

struct masq_conf {
    struct masq_tables t;
    struct masq_settings settings;
    struct mfx_config *config;
    struct mfx_env env;
    struct mfx_policy_build build;
};

static inline void
masq_conf_begin(struct masq_conf *c, const char *text)
{
    const struct mfx_option_set set = {masq_options, &c->settings};
    *c = (struct masq_conf){0};
    masq_tables_begin(&c->t);
    const char *path =
        conf_files_write(&c->t.files, "masq.conf", mfx_str_of(text));
    if (mfx_config_load(path, NULL, &set, 1, c->t.arena, c->t.set,
                        &c->t.problems, &c->config) != MFX_OK)
        fail_msg("%s: %s", text,
                 c->t.problems.first == NULL ? "" : c->t.problems.first->text);
    c->env = mfx_env_system();
    c->build = (struct mfx_policy_build){.settings = &c->settings,
                                         .config = c->config,
                                         .arena = c->t.arena,
                                         .env = &c->env,
                                         .problems = &c->t.problems};
}

static inline void
masq_conf_end(struct masq_conf *c)
{
    masq_tables_end(&c->t);
}

#endif
