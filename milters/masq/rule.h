/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rule - one of masq.conf's rules: whose mail, which addresses, how
 *
 *     rc = masq_rule_concerns(rule, &facts, arena, &err);     once a message
 *     if (rc == MFX_OK && rule->classes[class])
 *         rc = masq_rule_rewrite(rule, &facts, &from, arena, &to, &why, &err);
 *
 * Ownership: in the snapshot's arena; masq_rule_fini frees the rest. Errors:
 * problems while building; then see address.h. Threads: read-only once built.
 */
#ifndef MASQ_RULE_H
#define MASQ_RULE_H

#include <mfx/milter/filter.h>

#include "canonical.h"
#include "masquerade.h"
#include "sendmail.h"
#include "settings.h"

struct masq_rule {
    const struct masq_rule_settings *settings;
    struct mfx_str name;
    bool classes[MASQ_CLASS_COUNT];
    struct mfx_host_list *clients; /* NULL: any */
    struct masq_canonical canonical;
    struct masq_masquerade *masquerade;
    struct masq_sendmail *sendmail;
};

/* What rules go by. */
struct masq_facts {
    bool is_ours;
    struct mfx_str login, client_name, daemon_name, mta_name;
    struct mfx_ip client_ip;
    struct mfx_str sender_domain; /* empty: the null sender, a bare user */
    const struct mfx_str *recipient_domains;
    size_t recipient_count;
};

/* The names of classes, in their order. */
const char *masq_class_name(enum masq_class class);
bool masq_class_find(struct mfx_str name, enum masq_class *class);

bool masq_whose_has(int whose, bool is_ours);

/* index: its place in the list. */
enum mfx_rc masq_rule_build(struct masq_rule *rule,
                            const struct masq_rule_settings *settings,
                            size_t index, const struct masq_settings *all,
                            const struct mfx_policy_build *build) MFX_NODISCARD;
void masq_rule_fini(struct masq_rule *rule);

/* MFX_OK: the rule is for this message. Envelope recipients are asked for one
 * by one besides (masq_rule_concerns_recipient). */
enum mfx_rc masq_rule_concerns(const struct masq_rule *rule,
                               const struct masq_facts *facts,
                               struct mfx_arena *arena,
                               struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc masq_rule_concerns_recipient(const struct masq_rule *rule,
                                         struct mfx_str domain,
                                         struct mfx_arena *arena,
                                         struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc masq_rule_rewrite(const struct masq_rule *rule,
                              const struct masq_facts *facts,
                              const struct masq_address *from,
                              struct mfx_arena *arena, struct masq_address *to,
                              struct mfx_str *why,
                              struct mfx_err *err) MFX_NODISCARD;

#endif
