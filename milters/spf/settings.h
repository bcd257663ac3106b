/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings - what spf.conf holds
 *
 * One table, spf_options, fills one struct. What a setting means stands in its
 * row's help, and so in the man page.
 */
#ifndef SPF_SETTINGS_H
#define SPF_SETTINGS_H

#include <mfx/auth/spf.h>
#include <mfx/conf/option.h>
#include <mfx/policy/auth_results.h>

#include "list_settings.h"

/* From mild to harsh. */
enum spf_action {
    SPF_ACTION_ACCEPT,
    SPF_ACTION_TAG,
    SPF_ACTION_HOLD,
    SPF_ACTION_DISCARD,
    SPF_ACTION_TEMPFAIL,
    SPF_ACTION_REJECT,
};
const char *spf_action_name(enum spf_action action);

enum spf_rule_mode {
    SPF_RULE_ENFORCE,
    SPF_RULE_DRY_RUN,
    SPF_RULE_OFF,
};

/* What a prospective check of our own mail does when it would fail. */
enum spf_outgoing {
    SPF_OUTGOING_OFF,
    SPF_OUTGOING_LOG,
    SPF_OUTGOING_HEADER,
    SPF_OUTGOING_TEMPFAIL,
    SPF_OUTGOING_REJECT,
};

struct spf_rule_settings {
    struct mfx_str name;
    int mode; /* enum spf_rule_mode */
    struct mfx_option_list identities, results;
    bool no_mail;
    struct mfx_table *domains, *clients;
    int action; /* enum spf_action */
    struct mfx_str code, text;
};

/* What each result does that no rule is for: by enum mfx_spf_result; pass is
 * always accepted. */
struct spf_identity_settings {
    int actions[MFX_SPF_RESULT_COUNT];
};

struct spf_settings {
    int engine; /* enum mfx_spf_engine */
    struct mfx_option_list results;
    struct {
        bool enable, check_helo;
        uint64_t time_limit_s;
        int64_t void_limit;
        bool lookahead;
        uint64_t explanation;
        struct mfx_str receiver;
        struct mfx_str reject_code, tempfail_code, text;
    } spf;
    struct spf_identity_settings mail_from, helo;
    struct mfx_option_groups rules;
    struct mfx_auth_results_settings auth_results;
    struct spf_list_settings lists;
    struct mfx_table *unprotected_recipients;
    struct mfx_str tag_header;
    struct {
        struct mfx_table *clients;
    } skip;
    struct {
        struct mfx_table *hosts, *helo_names;
        struct mfx_option_list domains;
    } forwarders;
    struct {
        struct mfx_table *hosts;
        int64_t hops;
        bool enforce;
    } relays;
    struct {
        int check; /* enum spf_outgoing */
        struct mfx_option_list addresses, results;
        struct mfx_table *domains;
        struct mfx_str header, text;
    } outgoing;
};

extern const struct mfx_option spf_options[];

#endif
