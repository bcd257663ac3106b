/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns.h"

#include <mfx/base/file.h>
#include <mfx/net/resolver.h>

enum {
    MAX_FILE = 1 << 30,
    DNS_TIMEOUT_MS = 5000,
    DNS_TRIES = 2,
};

static enum mfx_rc
ask_servers(const char *dns, struct mfx_env *env, struct mfx_err *err)
{
    struct mfx_str server = mfx_str_of(dns);
    struct mfx_resolver_dns_config config = {
        .servers = &server,
        .server_count = dns == NULL ? 0 : 1,
        .timeout_ms = DNS_TIMEOUT_MS,
        .tries = DNS_TRIES,
        .max_outstanding = 2000,
        .cache_entries = 100000,
        .cache_bytes = 64 << 20,
        .cache_max_ttl_s = 86400,
    };
    return mfx_resolver_dns_new(&config, env, &env->resolver, err);
}

static enum mfx_rc
read_zone(const struct verb_run *run, const char *zone, struct mfx_env *env,
          struct mfx_err *err)
{
    struct mfx_str text;
    enum mfx_rc rc =
        mfx_file_read(zone, MAX_FILE, run->arena, &text, NULL, err);
    return rc == MFX_OK ? mfx_resolver_static_new(text, &env->resolver, err)
                        : rc;
}

int
verb_env_init(const struct verb_run *run, const char *dns, const char *zone,
              const struct mfx_offline *loaded, struct verb_env *env)
{
    struct mfx_err err = {0};
    *env = (struct verb_env){.env = mfx_env_system()};
    if (dns != NULL && zone != NULL)
        return verb_wrong(run, "--dns or --zone, not both");
    if (dns == NULL && zone == NULL && loaded != NULL) {
        env->env = *loaded->env;
        return EXIT_OK;
    }
    enum mfx_rc rc = zone != NULL ? read_zone(run, zone, &env->env, &err)
                                  : ask_servers(dns, &env->env, &err);
    env->is_own = rc == MFX_OK;
    if (rc != MFX_OK)
        return verb_fail(run, zone != NULL ? EXIT_NOINPUT : EXIT_USAGE, "%s",
                         err.msg);
    return EXIT_OK;
}

void
verb_env_fini(struct verb_env *env)
{
    if (env->is_own)
        mfx_resolver_free(env->env.resolver);
    *env = (struct verb_env){0};
}
