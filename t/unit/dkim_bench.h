/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_bench - a policy of mfx-dkim from a configuration in a folder of its
 * own, for tests that ask it about messages
 *
 * "^" in texts stands for the folder. Keys a.key, b.key and example.org.key
 * are there; the tables st and kt and the configuration are written by tests.
 */
#ifndef MFX_UNIT_DKIM_BENCH_H
#define MFX_UNIT_DKIM_BENCH_H

#include "unit.h"

#include <mfx/mail/header.h>

#include "../../milters/dkim/policy.h"

struct bench {
    char dir[64];
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_problems problems;
    struct mfx_config *config;
    struct dkim_settings settings;
    struct mfx_env env;
    struct dkim_policy *policy;
    bool dns_is_trusted;
};

void bench_init(struct bench *b);
void bench_fini(struct bench *b);
/* With mode 0600. */
void bench_write(const struct bench *b, const char *name, const char *text);
/* With "^" replaced. */
const char *bench_text(const struct bench *b, const char *text);
enum mfx_rc bench_load(struct bench *b, const char *conf);
/* True when a problem's text or file holds the words. */
bool bench_has_problem(const struct bench *b, const char *words);
/* "d/s[/i] ..." in order. */
const char *bench_signers(struct bench *b, const struct dkim_plan *plan);

#endif
