/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Received-SPF and Authentication-Results: ours are written, and what pretends
 * to be ours is removed.
 */
#include <mfx/auth/spf_header.h>

#include "message.h"

enum {
    VALUE_MAX = 16384,
};

/* --- forged fields --- */

static size_t
remove_all(struct mfx_message *m, const struct mfx_header *h,
           struct mfx_str our_name)
{
    const struct mfx_auth_results *results = spf_policy_of(m)->results;
    size_t removed = 0;
    for (; h != NULL; h = mfx_auth_results_next(results, h, our_name)) {
        mfx_edit_delete_header(m->decision, h);
        removed++;
    }
    return removed;
}

static size_t
remove_results(struct mfx_message *m)
{
    struct mfx_str name = m->connection->mta_name;
    return remove_all(
        m, mfx_auth_results_first(spf_policy_of(m)->results, &m->headers, name),
        name);
}

static size_t
remove_received_spf(struct mfx_message *m)
{
    struct mfx_str name = spf_receiver(spf_policy_of(m), m->connection);
    return remove_all(m,
                      mfx_auth_results_first_spf(spf_policy_of(m)->results,
                                                 &m->headers, name),
                      name);
}

static size_t
remove_tags(struct mfx_message *m)
{
    const struct mfx_header *h =
        mfx_headers_first(&m->headers, spf_policy_of(m)->settings->tag_header);
    size_t removed = 0;
    for (; h != NULL; h = h->same_next) {
        mfx_edit_delete_header(m->decision, h);
        removed++;
    }
    return removed;
}

void
spf_recording_remove_forged(struct mfx_message *m)
{
    const struct spf_policy *policy = spf_policy_of(m);
    struct mfx_str entry;
    if (policy->settings->auth_results.remove == MFX_AUTH_RESULTS_REMOVE_NONE)
        return;
    if (mfx_auth_results_trusts(policy->results, m->connection->client_name,
                                &m->connection->client_ip, &entry)) {
        mfx_trace(m->decision, "trusted_results_from", "%.*s",
                  MFX_STR_ARG(entry));
        return;
    }
    size_t removed = remove_results(m) + remove_received_spf(m);
    removed += remove_tags(m);
    if (removed == 0)
        return;
    mfx_fact_u64(m->decision, "removed_fields", removed);
    atomic_fetch_add(&policy->shared->removed_fields, removed);
}

/* --- ours --- */

static struct mfx_spf_header
header_of(const struct mfx_message *m, const struct spf_message *q,
          const struct mfx_spf_outcome *outcome)
{
    return (struct mfx_spf_header){
        .outcome = outcome,
        .client_ip = q->client.ip,
        .helo = q->client.helo,
        .sender = m->sender,
        .receiver = spf_receiver(spf_policy_of(m), m->connection),
        .eai = m->is_smtputf8,
    };
}

/* HELO names mostly have no record: that is not worth a field. */
static bool
is_worth_telling(const struct mfx_spf_outcome *outcome)
{
    return outcome != NULL && (outcome->identity == MFX_SPF_MAIL_FROM ||
                               outcome->result != MFX_SPF_NONE);
}

static enum mfx_rc
write_received_spf(struct mfx_message *m, const struct spf_message *q,
                   const struct mfx_spf_outcome *outcome)
{
    struct mfx_str value;
    if (!is_worth_telling(outcome))
        return MFX_OK;
    const struct mfx_spf_header header = header_of(m, q, outcome);
    enum mfx_rc rc = mfx_spf_header_received(&header, m->arena, &value);
    if (rc == MFX_OK)
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP,
                               mfx_str_of("Received-SPF"), value);
    return rc;
}

static void
write_result(struct mfx_message *m, const struct spf_message *q,
             const struct mfx_spf_outcome *outcome,
             struct mfx_authres_writer *w)
{
    if (!is_worth_telling(outcome))
        return;
    const struct mfx_spf_header header = header_of(m, q, outcome);
    mfx_spf_header_result(w, &header);
}

static void
write_dnswl(const struct spf_dnswl *from, struct mfx_authres_writer *w)
{
    static const enum mfx_dnswl_result results[] = {
        [SPF_DNSWL_NONE] = MFX_DNSWL_NONE,
        [SPF_DNSWL_PASS] = MFX_DNSWL_PASS,
        [SPF_DNSWL_TEMPERROR] = MFX_DNSWL_TEMPERROR,
        [SPF_DNSWL_PERMERROR] = MFX_DNSWL_PERMERROR,
    };
    const struct mfx_dnswl dnswl = {
        .result = results[from->result],
        .sec = strcmp(from->sec, "yes") == 0  ? MFX_DNSWL_SEC_YES
               : strcmp(from->sec, "no") == 0 ? MFX_DNSWL_SEC_NO
                                              : MFX_DNSWL_SEC_NA,
        .zone = from->zone,
        .ips = &from->address,
        .ip_count = from->address.family != MFX_IP_NONE,
        .txt = from->txt,
    };
    mfx_spf_header_dnswl(w, &dnswl);
}

static enum mfx_rc
write_results(struct mfx_message *m, const struct spf_message *q)
{
    struct mfx_authres_writer w;
    struct mfx_buf value;
    mfx_buf_init_arena(&value, m->arena, VALUE_MAX);
    mfx_authres_begin(&w, &value,
                      mfx_auth_results_written_id(
                          &spf_policy_of(m)->settings->auth_results,
                          m->connection->mta_name, m->queue_id, m->arena),
                      m->is_smtputf8);
    write_result(m, q, q->mail_from, &w);
    write_result(m, q, q->helo, &w);
    for (size_t i = 0; q->score != NULL && i < q->score->dnswl_count; i++)
        write_dnswl(&q->score->dnswl[i], &w);
    if (w.results == 0)
        return MFX_OK;
    mfx_authres_end(&w);
    if (!mfx_buf_ok(&value))
        return MFX_TEMPFAIL;
    mfx_edit_insert_header(m->decision, MFX_EDIT_TOP,
                           mfx_str_of("Authentication-Results"),
                           mfx_buf_str(&value));
    return MFX_OK;
}

enum mfx_rc
spf_recording_write(struct mfx_message *m, const struct spf_message *q)
{
    const struct spf_policy *policy = spf_policy_of(m);
    enum mfx_rc rc = MFX_OK;
    if (policy->writes_received_spf)
        rc = write_received_spf(m, q, q->mail_from);
    if (policy->writes_received_spf && rc == MFX_OK)
        rc = write_received_spf(m, q, q->helo);
    if (policy->writes_results && rc == MFX_OK)
        rc = write_results(m, q);
    return rc;
}
