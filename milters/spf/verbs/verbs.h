/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verbs - the verbs of mfxctl-spf, and how they show what came from DNS
 *
 * Ownership: everything in run->arena. Errors: exit statuses
 * (tools/mfxctl/exit.h, and those here). Threads: one.
 */
#ifndef MFX_SPF_VERBS_H
#define MFX_SPF_VERBS_H

#include <mfx/net/resolver.h>

#include "../../../tools/mfxctl/dns.h"
#include "../policy.h"

enum {
    EXIT_DIFFER = 3, /* check --engine both: the engines say different things */
};

int verb_check(struct verb_run *run, int argc, char **argv);
int verb_lint(struct verb_run *run, int argc, char **argv);
int verb_lists(struct verb_run *run, int argc, char **argv);
int verb_dnsbl(struct verb_run *run, int argc, char **argv);

/* The daemon's configuration, and whom to ask. */
struct spf_verb_site {
    const char *config, *dns, *zone;
    struct mfx_offline *loaded; /* NULL: none */
    const struct spf_policy *policy;
    struct verb_env env;
};
/* config NULL: that of the usual place, or none where it may be missing.
 * EXIT_OK, or what verb_fail returned. */
int spf_verb_site_load(const struct verb_run *run, struct spf_verb_site *site,
                       bool may_be_missing);
/* In any case. Empties the arena first, since questions and askings in it are
 * of this site. */
void spf_verb_site_fini(const struct verb_run *run, struct spf_verb_site *site);

/* For terminals: every byte that is not printable ASCII, and the backslash,
 * as \DDD (RFC 4343 2.1), as zone files have it. */
const char *spf_verb_show(const struct verb_run *run, struct mfx_str text);
/* As many columns as spf_verb_show takes for it. */
size_t spf_verb_columns(struct mfx_str text);
/* "A", "TXT" ...; "" for no type. */
const char *spf_verb_type(enum mfx_dns_type type);
/* "30": seconds from 1 to 600 in milliseconds. False: no such number. */
bool spf_verb_seconds(const char *text, uint64_t *ms);

#endif
