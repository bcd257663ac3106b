/* SPDX-License-Identifier: BSD-2-Clause */
#include "munge.h"

#include <mfx/mail/address.h>
#include <mfx/mail/address_phrase.h>
#include <mfx/mail/address_rewrite.h>

#include <mfx/policy/domain_list.h>

enum {
    DNS_WAIT_MS = 30000, /* the resolver itself gives up earlier */
    WHY_MAX = 1024,
};

#define DAY_MS UINT64_C(86400000)

static const struct mfx_str from_name = MFX_STR("From");

struct masq_munge_domain {
    struct mfx_dmarc_discovery discovery;
    struct masq_munge_domain *next;
};

bool
masq_munge_is_active(const struct masq_munge *munge)
{
    return munge->settings->when != MASQ_MUNGE_NEVER;
}

bool
masq_munge_needs_recipients(const struct masq_munge *munge)
{
    return masq_munge_is_active(munge) &&
           munge->settings->mail == MASQ_MUNGE_FORWARDED;
}

/* RFC 2919, RFC 2369. */
static bool
is_list_mail(const struct masq_fields *fields)
{
    static const struct mfx_str list_id = MFX_STR("List-Id"),
                                list_post = MFX_STR("List-Post");
    return masq_fields_first(fields, list_id) != NULL ||
           masq_fields_first(fields, list_post) != NULL;
}

bool
masq_munge_concerns(const struct masq_munge *munge,
                    const struct masq_fields *fields, bool is_forwarded)
{
    if (!masq_munge_is_active(munge))
        return false;
    switch ((enum masq_munge_mail)munge->settings->mail) {
    case MASQ_MUNGE_FORWARDED:
        return is_forwarded;
    case MASQ_MUNGE_LISTS:
        return is_list_mail(fields);
    case MASQ_MUNGE_ALL:
        return true;
    }
    return false;
}

/* --- policies --- */

/* NULL: too many, or no memory. */
static struct masq_munge_domain *
ask_domain(struct masq_munge_job *job, struct mfx_str domain)
{
    for (struct masq_munge_domain *d = job->domains; d != NULL; d = d->next)
        if (mfx_str_eq_nocase(d->discovery.domain, domain))
            return d;
    if (job->domain_count >= MASQ_MUNGE_DOMAINS)
        return NULL;
    struct masq_munge_domain *d = mfx_arena_alloc(job->arena, sizeof *d);
    if (d == NULL)
        return NULL;
    mfx_dmarc_discovery_begin(&d->discovery, job->env->resolver,
                              job->munge->suffixes, domain, job->arena);
    d->next = job->domains;
    job->domains = d;
    job->domain_count++;
    return d;
}

/* MFX_OK: *domain is the author's, as A-labels, and not one of ours. */
static enum mfx_rc
foreign_domain(const struct masq_munge_job *job, const struct mfx_mailbox *box,
               struct mfx_str *domain, struct mfx_err *err)
{
    const struct masq_munge *munge = job->munge;
    enum mfx_rc rc = mfx_domain_to_ascii(box->domain, job->arena, domain);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc != MFX_OK || !mfx_domain_is_valid(*domain, false) ||
        mfx_str_eq_nocase(*domain, munge->domain))
        return MFX_NOTFOUND;
    rc = mfx_domain_list_has(munge->maps.our_domains, *domain, job->arena, err);
    return rc == MFX_OK ? MFX_NOTFOUND : rc == MFX_NOTFOUND ? MFX_OK : rc;
}

void
masq_munge_begin(struct masq_munge_job *job, const struct masq_munge *munge,
                 const struct mfx_env *env, const struct mfx_headers *headers,
                 struct mfx_arena *arena)
{
    struct mfx_address_list list;
    struct mfx_str domain;
    *job = (struct masq_munge_job){.munge = munge, .env = env, .arena = arena};
    if (munge->settings->when != MASQ_MUNGE_DMARC)
        return;
    for (const struct mfx_header *h = mfx_headers_first(headers, from_name);
         h != NULL; h = h->same_next) {
        if (mfx_address_list_parse(h->value, arena, munge->max_addresses,
                                   &list) != MFX_OK)
            continue;
        for (size_t i = 0; i < list.count; i++)
            if (foreign_domain(job, &list.mailboxes[i], &domain, NULL) ==
                MFX_OK)
                (void)ask_domain(job, domain);
    }
}

struct work {
    struct masq_munge_job *job;
    struct mfx_store *store;
    struct masq_fields *fields;
    const struct masq_munge_waiter *waiter;
    uint64_t dns_until_ms; /* for all of them */
    struct mfx_buf why;
    size_t count;
    bool is_strange;
    struct mfx_err *err;
};

static bool
wait_for(const struct work *w, struct mfx_event *event, uint64_t until_ms)
{
    return w->waiter->wait(w->waiter->arg, event, until_ms);
}

static void
note(struct work *w, const struct masq_address *author, const char *why)
{
    mfx_buf_printf(&w->why, "%s%.*s@%.*s: %s", w->why.len > 0 ? ", " : "",
                   MFX_STR_ARG(author->local), MFX_STR_ARG(author->domain),
                   why);
}

static enum mfx_rc
unknown_policy(struct work *w, const struct masq_address *author)
{
    switch ((enum masq_munge_dns_error)w->job->munge->settings->dns_error) {
    case MASQ_MUNGE_DNS_TEMPFAIL:
        mfx_err_set(w->err, "DMARC policy of %.*s is not known",
                    MFX_STR_ARG(author->domain));
        return MFX_TEMPFAIL;
    case MASQ_MUNGE_DNS_MUNGE:
        note(w, author, "DMARC policy not known");
        return MFX_OK;
    }
    return MFX_TEMPFAIL;
}

/* MFX_OK: to be munged. */
static enum mfx_rc
judge(struct work *w, const struct masq_address *author)
{
    struct mfx_dmarc_found found;
    struct mfx_event *event;
    if (w->job->munge->settings->when == MASQ_MUNGE_ALWAYS) {
        note(w, author, "munge.when is always");
        return MFX_OK;
    }
    struct masq_munge_domain *d = ask_domain(w->job, author->domain);
    while (d != NULL &&
           (event = mfx_dmarc_discovery_event(&d->discovery)) != NULL &&
           wait_for(w, event, w->dns_until_ms))
        ;
    enum mfx_rc rc = d == NULL ? MFX_TEMPFAIL
                               : mfx_dmarc_discovery_end(&d->discovery, &found);
    if (rc == MFX_TEMPFAIL)
        return unknown_policy(w, author);
    if (rc != MFX_OK || found.policy == MFX_DMARC_NONE)
        return MFX_NOTFOUND;
    note(w, author,
         found.policy == MFX_DMARC_REJECT ? "DMARC reject"
                                          : "DMARC quarantine");
    return MFX_OK;
}

/* --- new addresses --- */

static struct mfx_str
store_name(struct mfx_arena *arena, struct mfx_str name)
{
    return mfx_arena_printf(arena, "munge/%.*s", MFX_STR_ARG(name));
}

static enum mfx_rc
keep(struct work *w, struct mfx_str name, const struct masq_address *author)
{
    const struct masq_munge *munge = w->job->munge;
    struct masq_kept kept;
    masq_kept_begin_put(&kept, w->store, store_name(w->job->arena, name),
                        author, (uint64_t)munge->settings->keep_days * DAY_MS,
                        w->job->arena);
    struct mfx_event *event = masq_kept_event(&kept);
    if (event != NULL)
        (void)wait_for(
            w, event, w->job->env->mono_ms(w->job->env) + munge->store_wait_ms);
    return masq_kept_end(&kept, w->job->arena, NULL, w->err);
}

/* MFX_PERMFAIL: no address of ours can name him. */
static enum mfx_rc
look_at_mailbox(struct work *w, const struct mfx_mailbox *box,
                struct mfx_address_wish *wish)
{
    const struct masq_munge *munge = w->job->munge;
    struct masq_address author = {.local = box->local}, to;
    struct mfx_str name;
    enum mfx_rc rc = foreign_domain(w->job, box, &author.domain, w->err);
    if (rc == MFX_OK)
        rc = judge(w, &author);
    if (rc == MFX_OK)
        rc = masq_munge_address_make(&munge->secrets, munge->domain, &author,
                                     w->job->arena, &to, &name);
    if (rc == MFX_OK && name.len > 0)
        rc = keep(w, name, &author);
    if (rc == MFX_OK)
        *wish = (struct mfx_address_wish){true, to.local, to.domain};
    return rc;
}

/* *value: with the suffix in the names of those who are munged; as it was when
 * the names are such that nothing can be added. */
static enum mfx_rc
add_suffix(struct work *w, struct mfx_address_list *list,
           const struct mfx_address_wish *wishes, struct mfx_str *value)
{
    struct mfx_str suffix = w->job->munge->settings->phrase_suffix;
    struct mfx_arena *arena = w->job->arena;
    struct mfx_str made;
    if (suffix.len == 0)
        return MFX_OK;
    bool *which = mfx_arena_alloc_array(arena, list->count, sizeof *which);
    if (which == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < list->count; i++)
        which[i] = wishes[i].is_set;
    enum mfx_rc rc = mfx_address_phrase_append(from_name, *value, list, which,
                                               suffix, arena, &made, w->err);
    if (rc != MFX_OK)
        return rc == MFX_PERMFAIL ? MFX_OK : rc;
    *value = made;
    return mfx_address_list_parse(made, arena, list->count, list);
}

static enum mfx_rc
keep_reply_to(struct work *w, const struct masq_field *field)
{
    static const struct mfx_str reply_to = MFX_STR("Reply-To");
    if (!w->job->munge->settings->reply_to ||
        masq_fields_first(w->fields, reply_to) != NULL)
        return MFX_OK;
    return masq_fields_add(w->fields, reply_to.p, field->value, w->err);
}

static enum mfx_rc
write_field(struct work *w, struct masq_field *field,
            struct mfx_address_list *list,
            const struct mfx_address_wish *wishes)
{
    struct mfx_str value = field->value, made;
    enum mfx_rc rc = add_suffix(w, list, wishes, &value);
    if (rc == MFX_OK)
        rc = mfx_address_list_rewrite(from_name, value, list, wishes,
                                      w->job->arena, &made, w->err);
    if (rc == MFX_OK)
        rc = keep_reply_to(w, field);
    return rc == MFX_OK ? masq_fields_set(w->fields, field, made, w->err) : rc;
}

static enum mfx_rc
munge_field(struct work *w, struct masq_field *field)
{
    struct mfx_address_list list;
    size_t count = 0;
    enum mfx_rc rc = mfx_address_list_parse(
        field->value, w->job->arena, w->job->munge->max_addresses, &list);
    if (rc != MFX_OK)
        return rc;
    struct mfx_address_wish *wishes =
        mfx_arena_alloc_array(w->job->arena, list.count, sizeof *wishes);
    if (wishes == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < list.count; i++) {
        rc = look_at_mailbox(w, &list.mailboxes[i], &wishes[i]);
        if (rc == MFX_TEMPFAIL)
            return rc;
        count += rc == MFX_OK;
        w->is_strange = w->is_strange || rc == MFX_PERMFAIL;
    }
    if (count == 0)
        return MFX_NOTFOUND;
    rc = write_field(w, field, &list, wishes);
    w->count += rc == MFX_OK ? count : 0;
    return rc;
}

enum mfx_rc
masq_munge_finish(struct masq_munge_job *job, struct mfx_store *store,
                  struct masq_fields *fields,
                  const struct masq_munge_waiter *waiter,
                  struct masq_munge_answer *answer, struct mfx_err *err)
{
    struct work w = {.job = job,
                     .store = store,
                     .fields = fields,
                     .waiter = waiter,
                     .dns_until_ms = job->env->mono_ms(job->env) + DNS_WAIT_MS,
                     .err = err};
    enum mfx_rc rc = fields->is_incomplete ? MFX_TEMPFAIL : MFX_OK;
    mfx_buf_init_arena(&w.why, job->arena, WHY_MAX);
    for (struct masq_field *f = masq_fields_first(fields, from_name);
         f != NULL && rc != MFX_TEMPFAIL; f = masq_fields_next(f)) {
        rc = munge_field(&w, f);
        w.is_strange = w.is_strange || rc == MFX_PERMFAIL;
    }
    if (rc == MFX_TEMPFAIL || !mfx_arena_ok(job->arena))
        return MFX_TEMPFAIL;
    *answer =
        (struct masq_munge_answer){w.count, mfx_buf_str(&w.why), w.is_strange};
    return w.count > 0 ? MFX_OK : MFX_NOTFOUND;
}

/* --- recipients --- */

void
masq_munge_begin_reverse(const struct masq_munge *munge,
                         struct mfx_store *store,
                         const struct masq_address *recipient,
                         struct mfx_arena *arena, struct masq_munge_call *call)
{
    struct mfx_str domain, name = {"", 0};
    *call = (struct masq_munge_call){.arena = arena, .rc = MFX_NOTFOUND};
    enum mfx_rc rc = mfx_domain_to_ascii(recipient->domain, arena, &domain);
    if (rc == MFX_OK && mfx_str_eq_nocase(domain, munge->domain))
        call->rc = masq_munge_address_read(&munge->secrets, recipient->local,
                                           arena, &call->to, &name);
    else if (rc == MFX_TEMPFAIL)
        call->rc = rc;
    if (call->rc != MFX_OK || name.len == 0)
        return;
    call->is_short = true;
    masq_kept_begin_get(&call->kept, store, store_name(arena, name));
}

struct mfx_event *
masq_munge_event(const struct masq_munge_call *call)
{
    return call->is_short ? masq_kept_event(&call->kept) : NULL;
}

enum mfx_rc
masq_munge_end(struct masq_munge_call *call, struct masq_munge_reply *reply,
               struct mfx_err *err)
{
    static const char forged[] = "forged address";
    static const char unknown[] = "address is not known any more";
    bool is_short = call->is_short;
    call->is_short = false;
    *reply = (struct masq_munge_reply){.code = "5.7.1", .text = forged};
    if (is_short)
        call->rc = masq_kept_end(&call->kept, call->arena, &call->to, err);
    if (is_short && call->rc == MFX_NOTFOUND) {
        *reply = (struct masq_munge_reply){.code = "5.1.1", .text = unknown};
        call->rc = MFX_PERMFAIL;
    }
    if (!mfx_arena_ok(call->arena))
        call->rc = MFX_TEMPFAIL;
    reply->to = call->to;
    return call->rc;
}
