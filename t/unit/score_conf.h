/* SPDX-License-Identifier: BSD-2-Clause
 *
 * score_conf - engines from the text of a score.conf
 *
 *     score_conf_load(&c, &files, "engines = ( { type = \"clamd\"; } );");
 *     ... c.rc, c.engines, score_conf_problems(&c) ...
 *     score_conf_end(&c);
 */
#ifndef MFX_T_SCORE_CONF_H
#define MFX_T_SCORE_CONF_H

#include "../../milters/score/engines.h"
#include "conf_files.h"
#include "unit.h"

struct score_conf {
    struct conf_files *files;
    struct mfx_arena *arena;
    struct mfx_problems problems;
    struct mfx_table_set *tables;
    struct score_settings settings;
    struct score_engines *engines;
    struct mfx_config *config;
    enum mfx_rc rc;
};

static inline void
score_conf_load(struct score_conf *c, struct conf_files *files,
                const char *text)
{
    const struct mfx_option_set set = {score_options, &c->settings};
    *c = (struct score_conf){.files = files, .arena = mfx_arena_new(0)};
    mfx_problems_init(&c->problems, c->arena);
    c->tables = mfx_table_set_new(NULL);
    const char *path = conf_files_write(files, "score.conf", mfx_str_of(text));
    c->rc = mfx_config_load(path, NULL, &set, 1, c->arena, c->tables,
                            &c->problems, &c->config);
    const struct mfx_policy_build build = {
        .config = c->config, .arena = c->arena, .problems = &c->problems};
    if (c->rc == MFX_OK)
        c->rc = score_engines_new(&c->settings, &build, &c->engines);
}

static inline struct mfx_str
score_conf_problems(struct score_conf *c)
{
    return conf_files_problems(c->files, &c->problems);
}

static inline void
score_conf_end(struct score_conf *c)
{
    score_engines_free(c->engines);
    mfx_table_set_free(c->tables);
    mfx_arena_free(c->arena);
}

#endif
