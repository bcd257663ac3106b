/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guard - a login may use only its own addresses in From
 *
 *     masq_guard_build(&guard, settings, build);                      load
 *     rc = masq_guard_check(&guard, &fields, login, sender, arena, &answer,
 *                           &err);                                     eoh, eom
 *
 * A row of from_guard.addresses: the login is the key, its value names what it
 * may use, parted by commas or blanks: "a@x.example", "*@x.example" (or
 * "@x.example"), "*@.x.example" for the domains below, "*" for any address. All
 * tables count. Letter case is alike in domains and in local parts; domains are
 * compared as A-labels. Addresses without a domain are of origin_domain.
 *
 * Every address in From must be allowed, members of groups too; so must the one
 * in Sender, which many programs show (from_guard.sender). Not allowed, whoever
 * sends it: no From, several, one without an address or that cannot be
 * understood (two programs might see different authors in it). Resent-* fields
 * are not looked at: they add to From, they do not replace it.
 *
 * When From is rewritten it gets the envelope sender, if the login may use that
 * one; its display name stays where there was one author. A Sender field that
 * is not allowed goes.
 *
 * Ownership: the caller's struct; settings and tables are the snapshot's; what
 * comes out is in the arena. Errors: MFX_TEMPFAIL when a table cannot be asked
 * or holds what is no address, and nothing else allows the address: the mail
 * is to wait, whatever lookup_error says. Threads: the check any number at
 * once.
 */
#ifndef MASQ_GUARD_H
#define MASQ_GUARD_H

#include <mfx/milter/filter.h>

#include "address.h"
#include "fields.h"
#include "settings.h"

struct masq_guard {
    const struct masq_guard_settings *settings;
    struct mfx_str origin_domain, delimiters;
    size_t max_addresses;
    unsigned code;
    struct mfx_str enhanced;
    bool keeps_reply_to, keeps_x_original_from;
};

/* MFX_PERMFAIL with problems. */
enum mfx_rc
masq_guard_build(struct masq_guard *guard, const struct masq_settings *settings,
                 const struct mfx_policy_build *build) MFX_NODISCARD;

/* MFX_OK: the login may use the address, *why tells by what. MFX_NOTFOUND: it
 * may not. */
enum mfx_rc masq_guard_may_use(const struct masq_guard *guard,
                               struct mfx_str login,
                               const struct masq_address *address,
                               struct mfx_arena *arena, struct mfx_str *why,
                               struct mfx_err *err) MFX_NODISCARD;

enum masq_guard_verdict {
    MASQ_GUARD_ALLOWED,
    MASQ_GUARD_NOTED, /* it is not, and from_guard.action is log */
    MASQ_GUARD_REWRITTEN,
    MASQ_GUARD_REFUSED,
};

struct masq_guard_answer {
    enum masq_guard_verdict verdict;
    struct mfx_str why;      /* for log and trace */
    unsigned code;           /* REFUSED: the reply */
    struct mfx_str enhanced; /* as settings have it */
    struct mfx_str text;     /* printable ASCII */
};

/* login empty: no login, allowed. sender NULL: the null sender. The fields are
 * changed with MASQ_GUARD_REWRITTEN alone. */
enum mfx_rc masq_guard_check(const struct masq_guard *guard,
                             struct masq_fields *fields, struct mfx_str login,
                             const struct masq_address *sender,
                             struct mfx_arena *arena,
                             struct masq_guard_answer *answer,
                             struct mfx_err *err) MFX_NODISCARD;

#endif
