/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_keys.h"

#include <unistd.h>

#include "../../dkim/message.h"

int
check_keys_load(const struct verb_run *run, const char *file,
                struct mfx_offline **loaded)
{
    *loaded = NULL;
    if (file == NULL && access(MFX_SYSCONFDIR "/dkim.conf", F_OK) != 0)
        return EXIT_OK;
    return verb_load_filter(run, &dkim_filter, file, loaded);
}

enum mfx_rc
check_keys_find(const struct mfx_offline *loaded, struct mfx_str local,
                struct mfx_str domain, struct mfx_arena *arena,
                struct mfx_err *err)
{
    const struct dkim_policy *policy = loaded->policy;
    struct mfx_decision trace;
    struct dkim_signer *signers = NULL;
    struct mfx_str ascii;
    mfx_decision_init(&trace, arena);
    enum mfx_rc rc = mfx_domain_to_ascii(domain, arena, &ascii);
    if (rc == MFX_PERMFAIL) {
        mfx_err_set(err, "%.*s is no domain", MFX_STR_ARG(domain));
        return MFX_NOTFOUND;
    }
    if (rc == MFX_OK)
        rc = dkim_signers_find(policy->signers, local, ascii, arena, &trace,
                               &signers, err);
    return rc == MFX_OK || rc == MFX_NOTFOUND ? rc : MFX_TEMPFAIL;
}
