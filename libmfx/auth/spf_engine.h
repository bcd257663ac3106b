/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_engine - what stands between spf.h and its engines (not installed)
 *
 * spf.c finds the engine's functions by struct mfx_spf_config and calls them;
 * that is all it does. To plug an engine in:
 *
 *   - its check begins with a struct mfx_spf_check, whose `engine` its begin
 *     sets: struct my_check { struct mfx_spf_check base; ... };
 *   - its functions do what spf.h says of mfx_spf_begin and the others;
 *   - whom the check is about (null sender, U-labels, what is no domain at all
 *     and therefore "none") comes from mfx_spf_subject_make, the same for all;
 *   - a function like the two at the end of this header gives the table to
 *     spf.c. An engine that may be missing has two files that define it, one
 *     of which is compiled: spf_libspf2.c, or spf_no_libspf2.c, which gives
 *     NULL.
 *
 * Ownership: a check and all it points to are in the arena. Threads: one at a
 * time.
 */
#ifndef MFX_AUTH_SPF_ENGINE_H
#define MFX_AUTH_SPF_ENGINE_H

#include <mfx/auth/spf.h>

struct mfx_spf_engine_ops {
    /* config's numbers are within their bounds; NULL: out of memory */
    struct mfx_spf_check *(*begin)(struct mfx_arena *arena,
                                   const struct mfx_env *env,
                                   const struct mfx_spf_config *config,
                                   const struct mfx_spf_request *request);
    size_t (*events)(struct mfx_spf_check *check, struct mfx_event **events,
                     size_t max);
    uint64_t (*deadline_ms)(const struct mfx_spf_check *check);
    const struct mfx_spf_outcome *(*finish)(struct mfx_spf_check *check);
};

struct mfx_spf_check {
    const struct mfx_spf_engine_ops *engine;
};

/* --- whom a check is about (RFC 7208 2.4, 4.1, 4.3) --- */

struct mfx_spf_subject {
    struct mfx_str sender; /* local@domain */
    struct mfx_str local;  /* "postmaster" where there was none */
    struct mfx_str domain; /* A-labels, no final dot */
    struct mfx_str helo;   /* as given, U-labels as A-labels */
    bool is_local_ascii;   /* false: no macro with it matches (RFC 8616 4) */
    const char *problem;   /* a literal: why it is none */
};

/* MFX_OK, or MFX_NOTFOUND: the result is none, problem says why; the texts are
 * as good as they can be. MFX_TEMPFAIL: out of memory. All in the arena. */
enum mfx_rc mfx_spf_subject_make(const struct mfx_spf_request *request,
                                 struct mfx_arena *arena,
                                 struct mfx_spf_subject *subject) MFX_NODISCARD;

/* Labels of 1 to 63 octets, 253 in all, no final dot: it can be asked. */
bool mfx_spf_is_name(struct mfx_str name);

/* --- engines; NULL: this build is without it --- */

const struct mfx_spf_engine_ops *mfx_spf_engine_own(void);
const struct mfx_spf_engine_ops *mfx_spf_engine_libspf2(void);

#endif
