/* SPDX-License-Identifier: BSD-2-Clause
 *
 * origin - is this mail ours? One answer for all daemons
 *
 * Ours: an authenticated client (setting), a client in internal_hosts, an
 * MTA daemon_name in a list (ORIGINATING), or a named macro. A client without
 * an address is never internal (OpenDKIM takes it for 127.0.0.1).
 *
 *     struct mfx_origin o = mfx_origin_decide(&rules, &facts);
 *
 * Ownership: rules belong to the snapshot; `detail` borrows from rules or
 * facts. Errors: none. Threads: pure.
 */
#ifndef MFX_POLICY_ORIGIN_H
#define MFX_POLICY_ORIGIN_H

#include <mfx/conf/option.h>
#include <mfx/net/ip.h>
#include <mfx/policy/host_list.h>

MFX_API_BEGIN

enum mfx_origin_rule {
    MFX_ORIGIN_FOREIGN, /* no rule said ours */
    MFX_ORIGIN_LOGIN,
    MFX_ORIGIN_DAEMON_NAME,
    MFX_ORIGIN_MACRO,
    MFX_ORIGIN_HOST,
};
/* "foreign", "login", "daemon_name", "macro", "internal_hosts". */
const char *mfx_origin_rule_name(enum mfx_origin_rule rule);

struct mfx_origin_rules {
    bool login; /* an authenticated client is ours */
    struct mfx_option_list daemon_names;
    struct mfx_option_list macros; /* "{name}" or "{name}=value|value" */
    const struct mfx_host_list *hosts;
};

struct mfx_origin_facts {
    struct mfx_str login;     /* {auth_authen}; empty: none */
    struct mfx_str auth_type; /* {auth_type} */
    struct mfx_str daemon_name;
    struct mfx_str client_name;
    struct mfx_ip client_ip;
    /* value of an MTA macro; found false when the MTA did not send it */
    struct mfx_str (*macro)(void *arg, struct mfx_str name, bool *found);
    void *macro_arg;
};

struct mfx_origin {
    enum mfx_origin_rule rule;
    struct mfx_str detail; /* the login, the entry, the name */
};

static inline bool
mfx_origin_is_ours(const struct mfx_origin *origin)
{
    return origin->rule != MFX_ORIGIN_FOREIGN;
}

struct mfx_origin mfx_origin_decide(const struct mfx_origin_rules *rules,
                                    const struct mfx_origin_facts *facts);

MFX_API_END

#endif
