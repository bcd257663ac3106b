/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

static enum mfx_rc
run_lists(const void *policy, const struct mfx_str *args, size_t arg_count,
          bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    const struct spf_policy *p = policy;
    return spf_lists_verb(p->lists, args, arg_count, as_json, out, err);
}

const struct mfx_control_verb spf_control_verbs[] = {
    {"lists", "[NAME...]: how the DNS lists are, and what they are worth",
     run_lists                                                                 },
    {NULL,    NULL,                                                        NULL},
};
