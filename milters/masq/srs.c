/* SPDX-License-Identifier: BSD-2-Clause */
#include "srs.h"

#include <mfx/mail/address_rewrite.h>

#include <mfx/policy/domain_list.h>

enum {
    CHAIN = 5, /* SRS addresses of ours within one another */
    /* A stamp counts whole days and may be a day off either way; so may the
     * clock of who looks at it. */
    EXTRA_DAYS = 3,
};

#define DAY_MS UINT64_C(86400000)

/* --- whether --- */

enum mfx_rc
masq_srs_is_ours(const struct masq_srs *srs, struct mfx_str domain,
                 struct mfx_arena *arena, struct mfx_err *err)
{
    if (mfx_str_eq_nocase(domain, srs->engine.domain))
        return MFX_OK;
    return mfx_domain_list_has(srs->also_domains, domain, arena, err);
}

enum mfx_rc
masq_srs_may_forward(const struct masq_srs *srs,
                     const struct masq_address *sender, struct mfx_arena *arena,
                     struct mfx_str *why, struct mfx_err *err)
{
    const char *reason = NULL;
    enum mfx_rc rc = MFX_NOTFOUND;
    if (srs->forward == MASQ_SRS_OFF)
        reason = "srs.forward is off";
    else if (sender == NULL)
        reason = "null sender";
    else if (sender->domain.len == 0)
        reason = "sender without a domain";
    else
        rc = masq_srs_is_ours(srs, sender->domain, arena, err);
    if (reason == NULL && rc == MFX_NOTFOUND)
        rc = mfx_domain_list_has(srs->maps.our_domains, sender->domain, arena,
                                 err);
    if (reason == NULL && rc == MFX_OK)
        reason = "own sender";
    *why = mfx_str_of(reason);
    if (reason != NULL)
        return MFX_NOTFOUND;
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
masq_srs_leaves(const struct masq_srs *srs,
                const struct masq_address *recipient, struct mfx_arena *arena,
                struct mfx_str *where, struct mfx_err *err)
{
    if (srs->forward != MASQ_SRS_ALL)
        return masq_srs_maps_leave(&srs->maps, recipient, arena, where, err);
    *where = mfx_str_of("srs.forward is all");
    return MFX_OK;
}

/* --- short forms --- */

static struct mfx_str
store_name(struct mfx_arena *arena, struct mfx_str name)
{
    return mfx_arena_printf(arena, "srs/%.*s", MFX_STR_ARG(name));
}

/* --- forward --- */

static void
stays(struct masq_srs_call *call, const char *why)
{
    call->rc = MFX_NOTFOUND;
    call->text = why;
}

static void
take_long(const struct masq_srs *srs, struct mfx_store *store,
          const struct mfx_srs_address *from, uint64_t now,
          struct masq_srs_call *call)
{
    struct mfx_srs_address to;
    struct mfx_str name;
    if (!srs->short_forms) {
        if (call->to.local.len + 1 + call->to.domain.len > MFX_ADDRESS_MAX)
            stays(call, "SRS address would be too long");
        return;
    }
    enum mfx_srs_result result =
        mfx_srs_forward_short(&srs->engine, from, now, call->arena, &to, &name);
    if (result == MFX_SRS_UNAVAILABLE) {
        call->rc = MFX_TEMPFAIL;
        return;
    }
    if (result != MFX_SRS_FOUND) {
        stays(call, mfx_srs_result_text(result));
        return;
    }
    call->to = (struct masq_address){to.local, to.domain};
    call->has_short = true;
    masq_kept_begin_put(&call->kept, store, store_name(call->arena, name),
                        &(struct masq_address){from->local, from->domain},
                        (srs->engine.max_age + EXTRA_DAYS) * DAY_MS,
                        call->arena);
}

void
masq_srs_begin_forward(const struct masq_srs *srs, struct mfx_store *store,
                       const struct masq_address *sender, uint64_t now,
                       struct mfx_arena *arena, struct masq_srs_call *call)
{
    struct mfx_srs_address from = {sender->local, sender->domain}, to;
    *call = (struct masq_srs_call){.arena = arena, .rc = MFX_TEMPFAIL};
    enum mfx_srs_result result =
        mfx_srs_forward(&srs->engine, &from, now, arena, &to);
    switch (result) {
    case MFX_SRS_FOUND:
    case MFX_SRS_TOO_LONG:
        call->rc = MFX_OK;
        call->to = (struct masq_address){to.local, to.domain};
        if (result == MFX_SRS_TOO_LONG)
            take_long(srs, store, &from, now, call);
        return;
    case MFX_SRS_MALFORMED:
        stays(call, "sender that cannot be put into an SRS address");
        return;
    case MFX_SRS_SHORT:
    case MFX_SRS_NOT_SRS:
    case MFX_SRS_BAD_HASH:
    case MFX_SRS_TOO_OLD:
    case MFX_SRS_UNAVAILABLE:
        mfx_err_set(&call->err, "%s", mfx_srs_result_text(result));
        return;
    }
}

/* --- reverse --- */

static void
refuse(struct masq_srs_call *call, const char *code, const char *text)
{
    call->rc = MFX_PERMFAIL;
    call->code = code;
    call->text = text;
}

/* One step back; true when the address found is to be reversed in turn. */
static bool
reverse_once(const struct masq_srs *srs, struct mfx_store *store, uint64_t now,
             struct masq_srs_call *call)
{
    struct mfx_srs_address to;
    enum mfx_srs_result result =
        mfx_srs_reverse(&srs->engine, call->to.local, now, call->arena, &to);
    const char *text = mfx_srs_result_text(result);
    switch (result) {
    case MFX_SRS_FOUND:
        call->rc = MFX_OK;
        call->to = (struct masq_address){to.local, to.domain};
        return true;
    case MFX_SRS_SHORT:
        call->has_short = true;
        masq_kept_begin_get(&call->kept, store,
                            store_name(call->arena, to.local));
        return false;
    case MFX_SRS_NOT_SRS:
        if (call->rc != MFX_OK) /* else it is what came out of an SRS1 */
            stays(call, text);
        return false;
    case MFX_SRS_BAD_HASH:
        refuse(call, "5.7.1", text);
        return false;
    case MFX_SRS_TOO_OLD:
        refuse(call, "5.1.1", text);
        return false;
    case MFX_SRS_MALFORMED:
        refuse(call, "5.1.3", text);
        return false;
    case MFX_SRS_TOO_LONG:
    case MFX_SRS_UNAVAILABLE:
        call->rc = MFX_TEMPFAIL;
        mfx_err_set(&call->err, "%s", text);
        return false;
    }
    return false;
}

void
masq_srs_begin_reverse(const struct masq_srs *srs, struct mfx_store *store,
                       const struct masq_address *recipient, uint64_t now,
                       struct mfx_arena *arena, struct masq_srs_call *call)
{
    *call = (struct masq_srs_call){.arena = arena, .rc = MFX_TEMPFAIL};
    if (!srs->reverses) {
        stays(call, "srs.reverse is off");
        return;
    }
    call->to = *recipient;
    for (unsigned i = 0; i < CHAIN; i++) {
        enum mfx_rc ours =
            masq_srs_is_ours(srs, call->to.domain, arena, &call->err);
        if (ours == MFX_OK) {
            if (!reverse_once(srs, store, now, call))
                return;
            continue;
        }
        if (ours != MFX_NOTFOUND)
            call->rc = MFX_TEMPFAIL;
        else if (i == 0)
            stays(call, "not one of our SRS domains");
        return;
    }
    refuse(call, "5.1.3", "too many SRS addresses in one another");
}

/* --- the answer --- */

struct mfx_event *
masq_srs_event(const struct masq_srs_call *call)
{
    return call->has_short ? masq_kept_event(&call->kept) : NULL;
}

static void
take_store_answer(struct masq_srs_call *call)
{
    struct masq_address found = call->to;
    struct mfx_err err = {""};
    call->has_short = false;
    call->rc = masq_kept_end(&call->kept, call->arena, &found, &err);
    call->to = found;
    if (call->rc == MFX_NOTFOUND)
        refuse(call, "5.1.1", "short SRS address is not known any more");
    else if (call->rc != MFX_OK)
        mfx_err_set(&call->err, "SRS: %s", err.msg);
}

enum mfx_rc
masq_srs_end(struct masq_srs_call *call, struct masq_srs_answer *answer,
             struct mfx_err *err)
{
    if (call->has_short)
        take_store_answer(call);
    if (!mfx_arena_ok(call->arena) && call->rc != MFX_TEMPFAIL) {
        call->rc = MFX_TEMPFAIL;
        mfx_err_set(&call->err, "no memory for an SRS address");
    }
    if (call->rc == MFX_TEMPFAIL)
        mfx_err_set(err, "%s", call->err.msg);
    *answer = (struct masq_srs_answer){call->to, call->code, call->text};
    return call->rc;
}
