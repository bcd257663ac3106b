/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/auth_results.h>

#include <stdio.h>
#include <stdlib.h>

#include <mfx/auth/spf_header.h>
#include <mfx/mail/authres.h>
#include <mfx/policy/host_list.h>

enum {
    NAME_MAX_BYTES = 80, /* of a setting */
};

struct mfx_auth_results {
    const struct mfx_auth_results_settings *settings;
    const char *const *methods;
    struct mfx_host_list *trusted_from;
    struct mfx_arena *arena;
    size_t id_count; /* of remove_from */
    struct mfx_str *ids;
};

struct mfx_str
mfx_auth_results_id(const struct mfx_auth_results_settings *s,
                    struct mfx_str mta_name)
{
    if (s->authserv_id.len > 0)
        return s->authserv_id;
    return mta_name.len > 0 ? mta_name : mfx_str_of("localhost");
}

struct mfx_str
mfx_auth_results_written_id(const struct mfx_auth_results_settings *s,
                            struct mfx_str mta_name, struct mfx_str queue_id,
                            struct mfx_arena *arena)
{
    struct mfx_str id = mfx_auth_results_id(s, mta_name);
    if (!s->authserv_id_job_id || queue_id.len == 0)
        return id;
    struct mfx_str with = mfx_arena_printf(arena, "%.*s/%.*s", MFX_STR_ARG(id),
                                           MFX_STR_ARG(queue_id));
    return with.p == NULL ? id : with;
}

/* --- made with the policy --- */

static bool
take_id(const struct mfx_table_row *row, void *arg)
{
    struct mfx_auth_results *r = arg;
    r->ids[r->id_count++] = mfx_arena_copy(r->arena, row->key);
    return true;
}

static enum mfx_rc
take_ids(struct mfx_auth_results *r, const char *where,
         const struct mfx_config *config, struct mfx_problems *problems)
{
    struct mfx_table *table = r->settings->remove_from;
    struct mfx_err err = {""};
    if (table == NULL)
        return MFX_OK;
    r->ids = mfx_arena_alloc_array(r->arena, mfx_table_counts(table).rows + 1,
                                   sizeof *r->ids);
    if (r->ids == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_table_walk(table, r->arena, take_id, r, &err);
    if (rc == MFX_PERMFAIL) {
        unsigned line = 0;
        const char *file =
            config == NULL ? NULL : mfx_config_where(config, where, &line);
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, file == NULL ? "" : file,
                        line, "%s: %s", where, err.msg);
    }
    if (!mfx_arena_ok(r->arena))
        return MFX_TEMPFAIL;
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
mfx_auth_results_new(const struct mfx_auth_results_settings *settings,
                     const char *prefix, const char *const *methods,
                     const struct mfx_config *config,
                     struct mfx_problems *problems,
                     struct mfx_auth_results **results)
{
    char remove_from[NAME_MAX_BYTES], trusted_from[NAME_MAX_BYTES];
    (void)snprintf(remove_from, sizeof remove_from, "%sremove_results_from",
                   prefix);
    (void)snprintf(trusted_from, sizeof trusted_from, "%strusted_results_from",
                   prefix);
    struct mfx_auth_results *r = calloc(1, sizeof *r);
    *results = NULL;
    if (r == NULL)
        return MFX_TEMPFAIL;
    r->settings = settings;
    r->methods = methods;
    r->arena = mfx_arena_new(0);
    enum mfx_rc rc = r->arena == NULL
                         ? MFX_TEMPFAIL
                         : take_ids(r, remove_from, config, problems);
    rc =
        mfx_rc_worst(rc, mfx_host_list_new(settings->trusted_from, trusted_from,
                                           problems, &r->trusted_from));
    if (rc == MFX_OK)
        *results = r;
    else
        mfx_auth_results_free(r);
    return rc;
}

void
mfx_auth_results_free(struct mfx_auth_results *r)
{
    if (r == NULL)
        return;
    mfx_host_list_free(r->trusted_from);
    mfx_arena_free(r->arena);
    free(r);
}

/* --- asked for a message --- */

bool
mfx_auth_results_trusts(const struct mfx_auth_results *r,
                        struct mfx_str client_name,
                        const struct mfx_ip *client_ip, struct mfx_str *entry)
{
    return mfx_host_list_has(r->trusted_from, client_name, client_ip, entry);
}

static bool
claims_to_be_from(struct mfx_str value, struct mfx_str id)
{
    if (mfx_str_starts(id, mfx_str_of("*.")))
        return mfx_authres_claims_below(value, mfx_str_from(id, 2));
    if (mfx_str_starts(id, mfx_str_of(".")))
        return mfx_authres_claims_below(value, mfx_str_from(id, 1));
    return mfx_authres_claims_id(value, id);
}

bool
mfx_auth_results_claims_us(const struct mfx_auth_results *r,
                           struct mfx_str value, struct mfx_str mta_name)
{
    if (mfx_authres_claims_id(value,
                              mfx_auth_results_id(r->settings, mta_name)))
        return true;
    for (size_t i = 0; i < r->id_count; i++)
        if (claims_to_be_from(value, r->ids[i]))
            return true;
    return false;
}

static bool
claims_a_method(const struct mfx_auth_results *r, struct mfx_str value)
{
    for (const char *const *method = r->methods; *method != NULL; method++)
        if (mfx_authres_claims_method(value, mfx_str_of(*method)))
            return true;
    return false;
}

struct asking {
    const struct mfx_auth_results *results;
    struct mfx_str mta_name;
};

static bool
is_us(struct mfx_str name, void *arg)
{
    const struct asking *a = arg;
    return mfx_auth_results_claims_us(a->results, name, a->mta_name);
}

static bool
is_forged(const struct mfx_auth_results *r, const struct mfx_header *h,
          struct mfx_str mta_name)
{
    struct asking asking = {r, mta_name};
    if (mfx_str_is_nocase(h->name, "Received-SPF"))
        return mfx_spf_header_claims(h->value, is_us, &asking);
    return mfx_auth_results_claims_us(r, h->value, mta_name) &&
           (r->settings->remove == MFX_AUTH_RESULTS_REMOVE_ALL ||
            claims_a_method(r, h->value));
}

/* h itself, or the next below. */
static const struct mfx_header *
find_forged(const struct mfx_auth_results *r, const struct mfx_header *h,
            struct mfx_str mta_name)
{
    if (r->settings->remove == MFX_AUTH_RESULTS_REMOVE_NONE)
        return NULL;
    while (h != NULL && !is_forged(r, h, mta_name))
        h = h->same_next;
    return h;
}

const struct mfx_header *
mfx_auth_results_first(const struct mfx_auth_results *r,
                       const struct mfx_headers *headers,
                       struct mfx_str mta_name)
{
    return find_forged(
        r, mfx_headers_first(headers, mfx_str_of("Authentication-Results")),
        mta_name);
}

const struct mfx_header *
mfx_auth_results_first_spf(const struct mfx_auth_results *r,
                           const struct mfx_headers *headers,
                           struct mfx_str mta_name)
{
    return find_forged(
        r, mfx_headers_first(headers, mfx_str_of("Received-SPF")), mta_name);
}

const struct mfx_header *
mfx_auth_results_next(const struct mfx_auth_results *r,
                      const struct mfx_header *after, struct mfx_str mta_name)
{
    return find_forged(r, after->same_next, mta_name);
}
