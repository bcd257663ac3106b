/* SPDX-License-Identifier: BSD-2-Clause
 *
 * situation - the session that a command supposes: who sends, from where, to
 * whom
 *
 *     struct situation s = {0};
 *     const struct verb_option options[] = {SITUATION_OPTIONS(s), ...};
 *     status = situation_load(run, &s);
 *     ... s.loaded, s.origin, s.client_ip
 *     situation_fini(&s);
 *
 * Mail is ours unless --foreign says that it is not. With a login, a client or
 * a daemon name the daemon's own origin rules say whose it is.
 *
 * Ownership: the caller's struct; it holds the loaded configuration. Errors:
 * exit statuses. Threads: one.
 */
#ifndef MFX_MASQ_SITUATION_H
#define MFX_MASQ_SITUATION_H

#include "../message.h"
#include "verbs.h"

struct situation {
    const char *config, *client, *client_name, *login, *daemon_name, *mta_name;
    const char *sender, *recipient; /* recipient: the last one */
    bool is_foreign;
    struct mfx_offline *loaded;
    struct mfx_origin origin;
    bool is_ours;
    struct mfx_ip client_ip;
};

#define SITUATION_OPTIONS(s)                                              \
    {"config", 'c', &(s).config, NULL}, {"client", 0, &(s).client, NULL}, \
        {"client-name", 0, &(s).client_name, NULL},                       \
        {"login", 0, &(s).login, NULL},                                   \
        {"daemon-name", 0, &(s).daemon_name, NULL},                       \
        {"mta-name", 0, &(s).mta_name, NULL},                             \
        {"sender", 0, &(s).sender, NULL},                                 \
        {"recipient", 0, &(s).recipient, NULL},                           \
    {                                                                     \
        "foreign", 0, NULL, &(s).is_foreign                               \
    }

int situation_load(const struct verb_run *run, struct situation *s);
void situation_fini(struct situation *s);
const struct masq_policy *situation_policy(const struct situation *s);

/* What rules go by, without sender and recipients. */
struct masq_facts situation_facts(const struct situation *s);

/* "a@b", "<a@b>", "Name <a@b>", "user", taken apart. MFX_PERMFAIL for what is
 * no address. */
enum mfx_rc situation_address(const struct verb_run *run, const char *text,
                              struct masq_address *address) MFX_NODISCARD;
/* As it is written, with quotes where needed. */
struct mfx_str situation_text(const struct verb_run *run,
                              const struct masq_address *address);

#endif
