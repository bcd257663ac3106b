/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs - when an envelope sender becomes an SRS address, and the way back
 *
 * Pure but for tables and the store; a filter and the map server both ask:
 *
 *     if (masq_srs_may_forward(srs, &sender, arena, &why, err) == MFX_OK)
 *         for each recipient, until one leaves:
 *             rc = masq_srs_leaves(srs, &recipient, arena, &where, err);
 *
 *     masq_srs_begin_forward(srs, store, &sender, now, arena, &call);
 *     if ((event = masq_srs_event(&call)) != NULL)
 *         mfx_wait(message, event, until_ms);
 *     rc = masq_srs_end(&call, &answer, &err);
 *
 * and with masq_srs_begin_reverse for a recipient, whatever its domain. Give it
 * recipients as they are after reversing: a reversed one goes to the sender.
 *
 * Short forms: what would have more than 64 octets before the "@" is kept in
 * the store under "srs/NAME" for as long as the address may come back, and
 * anew each time it is used.
 *
 * Ownership: struct masq_srs is the caller's, constant, with tables of the
 * snapshot; results in the arena. A call that was begun must be ended. Errors:
 * below; a table or store that cannot be asked is MFX_TEMPFAIL, never an
 * answer. Threads: any number at once.
 */
#ifndef MASQ_SRS_H
#define MASQ_SRS_H

#include <mfx/auth/srs.h>
#include <mfx/milter/filter.h>
#include <mfx/policy/secrets.h>
#include <mfx/store/store.h>

#include "kept.h"
#include "settings.h"
#include "srs_maps.h"

struct masq_srs {
    struct mfx_srs_settings engine;
    struct mfx_table *also_domains; /* of ours whose addresses come back, too */
    struct masq_srs_maps maps;      /* our_domains in it */
    int forward;                    /* enum masq_srs_forward */
    bool short_forms;               /* else longer than 64 octets */
    bool reverses;
    struct mfx_secrets secrets; /* of the engine */
};

/* From settings, in the arena of the build; NULL when there is no srs.domain.
 * Mistakes go to the build's problems. */
enum mfx_rc masq_srs_new(const struct masq_settings *settings,
                         const struct mfx_policy_build *build,
                         const struct masq_srs **srs) MFX_NODISCARD;

/* --- whether --- */

/* sender NULL: the null sender. MFX_NOTFOUND: it stays, *why says why. */
enum mfx_rc masq_srs_may_forward(const struct masq_srs *srs,
                                 const struct masq_address *sender,
                                 struct mfx_arena *arena, struct mfx_str *why,
                                 struct mfx_err *err) MFX_NODISCARD;
/* MFX_OK: mail for it leaves the site, *where says where to. */
enum mfx_rc masq_srs_leaves(const struct masq_srs *srs,
                            const struct masq_address *recipient,
                            struct mfx_arena *arena, struct mfx_str *where,
                            struct mfx_err *err) MFX_NODISCARD;
/* MFX_OK: one of our SRS domains. */
enum mfx_rc masq_srs_is_ours(const struct masq_srs *srs, struct mfx_str domain,
                             struct mfx_arena *arena,
                             struct mfx_err *err) MFX_NODISCARD;

/* --- how --- */

struct masq_srs_call {
    struct mfx_arena *arena;
    enum mfx_rc rc; /* what is known without the store */
    struct masq_address to;
    const char *text, *code; /* literals */
    struct mfx_err err;
    bool has_short; /* kept answers for a short form */
    struct masq_kept kept;
};

/* store may be NULL: then short forms are MFX_TEMPFAIL. now: seconds. */
void masq_srs_begin_forward(const struct masq_srs *srs, struct mfx_store *store,
                            const struct masq_address *sender, uint64_t now,
                            struct mfx_arena *arena,
                            struct masq_srs_call *call);
void masq_srs_begin_reverse(const struct masq_srs *srs, struct mfx_store *store,
                            const struct masq_address *recipient, uint64_t now,
                            struct mfx_arena *arena,
                            struct masq_srs_call *call);
/* To be waited for; NULL: the answer is there. */
struct mfx_event *masq_srs_event(const struct masq_srs_call *call);

/* MFX_OK: *to is the new address. MFX_NOTFOUND: it stays. MFX_PERMFAIL
 * (reverse): an SRS address that is not valid, answer->code and answer->text
 * are for a reply of 550. MFX_TEMPFAIL: the store did not answer (in time). */
struct masq_srs_answer {
    struct masq_address to;
    const char *code; /* "5.7.1" */
    const char *text; /* PERMFAIL, NOTFOUND: why; a literal */
};
enum mfx_rc masq_srs_end(struct masq_srs_call *call,
                         struct masq_srs_answer *answer,
                         struct mfx_err *err) MFX_NODISCARD;

#endif
