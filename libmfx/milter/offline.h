/* SPDX-License-Identifier: BSD-2-Clause
 *
 * offline - a filter's configuration and policy, and its hooks on a message,
 * without a daemon
 *
 * For commands that ask what the daemon would do: they load what it would
 * load, the same way, and call the same policy code.
 *
 *     mfx_problems_init(&problems, arena);
 *     rc = mfx_offline_load(&filter, NULL, &problems, &loaded);
 *     my_policy_plan(loaded->policy, ...);
 *     rc = mfx_offline_decide(loaded, &mail);      or: all the hooks
 *     mfx_offline_free(loaded);
 *
 * Ownership: everything lives until mfx_offline_free. Errors: all mistakes
 * go to problems; MFX_PERMFAIL or MFX_TEMPFAIL, and *loaded stays untouched.
 * Threads: as the policy says.
 */
#ifndef MFX_MILTER_OFFLINE_H
#define MFX_MILTER_OFFLINE_H

#include <mfx/milter/filter.h>

MFX_API_BEGIN

struct mfx_offline {
    const void *settings; /* the filter's struct */
    const void *policy;   /* what policy_new made */
    const struct mfx_config *config;
    const struct mfx_origin_rules *origin;
    const struct mfx_env *env; /* with the configured resolver */
};

/* file: NULL for the place where the daemon looks. common.conf stands beside
 * it. */
enum mfx_rc mfx_offline_load(const struct mfx_filter *filter, const char *file,
                             struct mfx_problems *problems,
                             struct mfx_offline **loaded) MFX_NODISCARD;
void mfx_offline_free(struct mfx_offline *loaded);

/* A message, and what an MTA would say of it. */
struct mfx_offline_mail {
    const char *client_name; /* verified; NULL: there is none */
    struct mfx_ip client_ip;
    const char *helo;   /* NULL: not said */
    const char *sender; /* without brackets; "": the null sender */
    const char *const *recipients;
    size_t recipient_count;
    /* "i", "4FzX", "{auth_authen}", "joe", ...; ended by a NULL name */
    const char *const *macros;
    struct mfx_str bytes; /* LF or CRLF; a first line "From " is left out */
    /* When all is decided, before the end hook: decision and state are there.
     * Hooks wait as they do in a daemon; no edit is made. */
    void (*look)(void *arg, const struct mfx_message *message);
    void *look_arg;
};
/* As a session of the daemon would decide it. MFX_TEMPFAIL: out of memory;
 * nobody has looked then. */
enum mfx_rc
mfx_offline_decide(struct mfx_offline *loaded,
                   const struct mfx_offline_mail *mail) MFX_NODISCARD;

MFX_API_END

#endif
