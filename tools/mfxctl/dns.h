/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns - whom a command asks in DNS
 *
 *     struct verb_env env;
 *     int status = verb_env_init(run, dns, zone, loaded, &env);
 *     if (status == EXIT_OK)
 *         ... &env.env ...
 *     verb_env_fini(&env);
 *
 * Ownership: the resolver is this struct's, or that of the configuration.
 * Errors: exit statuses. Threads: one.
 */
#ifndef MFX_TOOLS_DNS_H
#define MFX_TOOLS_DNS_H

#include "verb.h"

struct verb_env {
    struct mfx_env env;
    bool is_own;
};

/* System clock and a resolver: that of dns ("ADDRESS:PORT"), of the zone file
 * (lines "name TYPE data"), that of a loaded configuration (may be NULL), or
 * the system's. verb_env_fini in any case. */
int verb_env_init(const struct verb_run *run, const char *dns, const char *zone,
                  const struct mfx_offline *loaded, struct verb_env *env);
void verb_env_fini(struct verb_env *env);

#endif
