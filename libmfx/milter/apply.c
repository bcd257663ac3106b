/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/apply.h>

#include <limits.h>
#include <stdlib.h>

struct job {
    const struct mfx_decision *d;
    const struct mfx_link *link;
    bool has_leading_space;
    size_t field_count; /* of the message at this moment */
    int above;          /* fields that stand above the MTA's own Received */
    struct mfx_err *err;
};

static bool
is_taken(const struct job *job, bool ok, const char *what)
{
    if (!ok)
        mfx_err_set(job->err, "the MTA did not take: %s", what);
    return ok;
}

/* Without SMFIP_HDR_LEADSPC the MTA puts one space behind the colon. */
static const char *
written(const struct job *job, struct mfx_str value)
{
    if (value.len == 0)
        return "";
    if (!job->has_leading_space && value.p[0] == ' ')
        return value.p + 1;
    return value.p;
}

static bool
is_index_edit(const struct mfx_edit *e)
{
    return e->kind == MFX_EDIT_CHANGE_HEADER ||
           e->kind == MFX_EDIT_DELETE_HEADER;
}

/* Upwards; edits of the same field side by side. */
static int
upwards(const void *a, const void *b)
{
    const struct mfx_header *x = (*(const struct mfx_edit *const *)a)->header;
    const struct mfx_header *y = (*(const struct mfx_edit *const *)b)->header;
    if (x->instance != y->instance)
        return x->instance > y->instance ? -1 : 1;
    return (x > y) - (x < y);
}

/* Of several edits of one field a deletion wins, then the last change (which
 * is the one that stands further down the decision's list). */
static const struct mfx_edit *
strongest(const struct job *job, const struct mfx_header *header)
{
    const struct mfx_edit *found = NULL;
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next) {
        if (!is_index_edit(e) || e->header != header)
            continue;
        if (e->kind == MFX_EDIT_DELETE_HEADER)
            return e;
        found = e;
    }
    return found;
}

static bool
apply_one(struct job *job, const struct mfx_edit *e)
{
    bool is_deletion = e->kind == MFX_EDIT_DELETE_HEADER;
    job->field_count -= is_deletion && job->field_count > 0;
    const char *value = is_deletion ? NULL : written(job, e->value);
    return is_taken(job,
                    job->link->ops->change(job->link->ctx, e->name.p,
                                           e->header->instance, value),
                    is_deletion ? "header deletion" : "header change");
}

static bool
apply_upwards(struct job *job, const struct mfx_edit **edits, size_t count)
{
    if (count > 1)
        qsort(edits, count, sizeof edits[0], upwards);
    for (size_t i = 0; i < count; i++) {
        bool has_rival =
            i + 1 < count && edits[i + 1]->header == edits[i]->header;
        if (i > 0 && edits[i - 1]->header == edits[i]->header)
            continue;
        if (!apply_one(job,
                       has_rival ? strongest(job, edits[i]->header) : edits[i]))
            return false;
    }
    return true;
}

static bool
apply_changes(struct job *job)
{
    size_t count = 0;
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
        count += is_index_edit(e);
    if (count == 0)
        return true;
    const struct mfx_edit **edits =
        mfx_arena_alloc_array(job->d->arena, count, sizeof(*edits));
    if (edits == NULL)
        return is_taken(job, false, "header edits (message_memory)");
    count = 0;
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
        if (is_index_edit(e))
            edits[count++] = e;
    return apply_upwards(job, edits, count);
}

static bool
insert_at(const struct job *job, const struct mfx_edit *e, int at)
{
    return is_taken(job,
                    job->link->ops->insert(job->link->ctx, at, e->name.p,
                                           written(job, e->value)),
                    "header insertion");
}

/* -n: above the last n - 1 fields; the MTA's own Received is number 0. */
static int
index_from_end(const struct job *job, int at)
{
    size_t count = job->field_count;
    if (count > INT_MAX - 1 || at < -(int)count)
        return 0;
    return (int)count + (at + 2);
}

static bool
append(const struct job *job, const struct mfx_edit *e)
{
    return is_taken(job,
                    job->link->ops->append(job->link->ctx, e->name.p,
                                           written(job, e->value)),
                    "header addition");
}

static bool
apply_indexed_insertions(struct job *job)
{
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next) {
        if (e->kind != MFX_EDIT_INSERT_HEADER || e->place != MFX_EDIT_AT)
            continue;
        int at = e->at < -1 ? index_from_end(job, e->at) : e->at;
        if (!(at == -1 ? append(job, e) : insert_at(job, e, at)))
            return false;
        job->above += at != -1 && at <= job->above;
        job->field_count++;
    }
    return true;
}

/* The MTA puts a later insertion above an earlier one at the same place, so
 * the list is told from its end: fields stand in the order given. */
static bool
apply_insertions(const struct job *job, enum mfx_edit_place place)
{
    size_t count = 0, i = 0;
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
        count += e->kind == MFX_EDIT_INSERT_HEADER && e->place == place;
    if (count == 0)
        return true;
    const struct mfx_edit **edits =
        mfx_arena_alloc_array(job->d->arena, count, sizeof(*edits));
    if (edits == NULL)
        return is_taken(job, false, "header insertions (message_memory)");
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
        if (e->kind == MFX_EDIT_INSERT_HEADER && e->place == place)
            edits[i++] = e;
    int at = place == MFX_EDIT_TOP ? 0 : job->above + 1;
    while (i-- > 0)
        if (!insert_at(job, edits[i], at))
            return false;
    return true;
}

static bool
apply_body(const struct job *job)
{
    const struct mfx_edit *last = NULL;
    for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
        if (e->kind == MFX_EDIT_BODY)
            last = e;
    return last == NULL ||
           is_taken(job, job->link->ops->body(job->link->ctx, last->value),
                    "body");
}

/* Addresses go out in angle brackets; what came with them keeps them. */
static const char *
bracketed(const struct job *job, struct mfx_str address)
{
    if (address.len > 0 && address.p[0] == '<')
        return address.p;
    return mfx_arena_printf(job->d->arena, "<%.*s>", MFX_STR_ARG(address)).p;
}

static bool
apply_envelope_edit(const struct job *job, const struct mfx_edit *e)
{
    const struct mfx_link *l = job->link;
    const char *address = e->kind == MFX_EDIT_DELETE_RECIPIENT
                              ? e->value.p
                              : bracketed(job, e->value);
    const char *parameters = e->parameters.len > 0 ? e->parameters.p : NULL;
    if (address == NULL)
        return is_taken(job, false, "address (message_memory)");
    if (e->kind == MFX_EDIT_SENDER)
        return is_taken(job, l->ops->sender(l->ctx, address, parameters),
                        "sender");
    if (e->kind == MFX_EDIT_ADD_RECIPIENT)
        return is_taken(job, l->ops->add_recipient(l->ctx, address, parameters),
                        "added recipient");
    return is_taken(job, l->ops->delete_recipient(l->ctx, address),
                    "deleted recipient");
}

static bool
apply_envelope(const struct job *job)
{
    static const enum mfx_edit_kind order[] = {
        MFX_EDIT_SENDER, MFX_EDIT_DELETE_RECIPIENT, MFX_EDIT_ADD_RECIPIENT};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        for (const struct mfx_edit *e = job->d->edits; e != NULL; e = e->next)
            if (e->kind == order[i] && !apply_envelope_edit(job, e))
                return false;
    return true;
}

static bool
apply_quarantine(const struct job *job)
{
    if (job->d->verdict != MFX_VERDICT_HOLD)
        return true;
    const struct mfx_link *l = job->link;
    struct mfx_str reason = mfx_arena_copy(job->d->arena, job->d->reason);
    if (reason.len == 0 || !mfx_str_is_line(reason))
        reason = mfx_str_of("held by filter");
    return is_taken(job, l->ops->quarantine(l->ctx, reason.p), "quarantine");
}

enum mfx_rc
mfx_apply(const struct mfx_decision *d, const struct mfx_link *link,
          const struct mfx_apply_facts *facts, struct mfx_err *err)
{
    struct job job = {.d = d,
                      .link = link,
                      .has_leading_space = facts->has_leading_space,
                      .field_count = facts->header_count,
                      .err = err};
    bool ok = apply_body(&job) && apply_changes(&job) &&
              apply_indexed_insertions(&job) &&
              apply_insertions(&job, MFX_EDIT_BELOW_TRACE) &&
              apply_insertions(&job, MFX_EDIT_TOP) && apply_envelope(&job) &&
              apply_quarantine(&job);
    return ok ? MFX_OK : MFX_TEMPFAIL;
}
