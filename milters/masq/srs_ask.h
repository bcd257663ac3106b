/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs_ask - one address to SRS and back, for operators
 *
 * The daemon's control verb "srs" and `mfxctl masq srs` give the same answer
 * as for mail: who is not to be rewritten stays.
 *
 * Ownership: the answer in the arena. Errors: in the answer's rc, as
 * masq_srs_end has them. Threads: any.
 */
#ifndef MASQ_SRS_ASK_H
#define MASQ_SRS_ASK_H

#include "policy.h"

struct masq_srs_ask {
    const struct masq_policy *policy; /* with SRS */
    struct mfx_store *store;          /* NULL: short forms are MFX_TEMPFAIL */
    const struct mfx_env *env;
    struct mfx_arena *arena;
    bool is_forward;
};

struct masq_srs_result {
    enum mfx_rc rc;
    struct mfx_str to;   /* OK: the address as it is written */
    const char *code;    /* PERMFAIL: "5.7.1" */
    struct mfx_str text; /* else: why */
};

void masq_srs_ask(const struct masq_srs_ask *ask,
                  const struct masq_address *address,
                  struct masq_srs_result *result);

/* "forward" or "reverse". */
bool masq_srs_ask_direction(struct mfx_str word, bool *is_forward);
/* MFX_PERMFAIL: no address. */
enum mfx_rc masq_srs_ask_parse(struct mfx_str text, struct mfx_arena *arena,
                               struct masq_address *address) MFX_NODISCARD;

/* The daemon's: "srs forward|reverse ADDRESS". As JSON {"rc", "to", "code",
 * "text"}. */
extern const struct mfx_control_verb masq_control_verbs[];

#endif
