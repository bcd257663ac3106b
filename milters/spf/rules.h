/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rules - what an SPF result does
 *
 * The first rule that matches identity, result, domain and client decides;
 * else mail_from.on_... or helo.on_... does. A rule in dry-run mode says what
 * it would do, and the next ones are asked.
 *
 * Ownership: built into the snapshot's arena, but for host lists
 * (spf_rules_fini). Errors: problems while building; MFX_TEMPFAIL when a table
 * cannot be asked. Threads: read-only once built.
 */
#ifndef SPF_RULES_H
#define SPF_RULES_H

#include <mfx/milter/filter.h>
#include <mfx/policy/host_list.h>

#include "settings.h"

enum {
    SPF_IDENTITY_COUNT = MFX_SPF_MAIL_FROM + 1,
};

struct spf_rule {
    const struct spf_rule_settings *settings;
    struct mfx_str name;
    bool identities[SPF_IDENTITY_COUNT];
    bool results[MFX_SPF_RESULT_COUNT];
    struct mfx_host_list *clients; /* NULL: all */
    unsigned code;                 /* 0: the default */
    struct mfx_str enhanced;
};

struct spf_rules {
    const struct spf_settings *settings;
    struct spf_rule *rules; /* without those that are off */
    size_t count;
};

/* A list of words as flags by mfx_spf_result; false with a problem at `where`
 * when one is no result. */
bool spf_rules_read_results(const struct mfx_option_list *words,
                            const char *where, const struct mfx_config *config,
                            struct mfx_problems *problems,
                            bool results[MFX_SPF_RESULT_COUNT]);

enum mfx_rc spf_rules_build(struct spf_rules *rules,
                            const struct spf_settings *settings,
                            const struct mfx_policy_build *build) MFX_NODISCARD;
void spf_rules_fini(struct spf_rules *rules);

struct spf_ruling {
    enum spf_action action;
    const struct spf_rule *rule; /* NULL: an on_... setting */
};

/* Traces and dry runs go into the decision. */
enum mfx_rc
spf_rules_ask(const struct spf_rules *rules,
              const struct mfx_spf_outcome *outcome, struct mfx_str client_name,
              const struct mfx_ip *client_ip, struct mfx_decision *decision,
              struct spf_ruling *ruling, struct mfx_err *err) MFX_NODISCARD;

#endif
