/* SPDX-License-Identifier: BSD-2-Clause */
#include "srs_ask.h"

#include <jansson.h>

#include <mfx/mail/address_rewrite.h>

enum {
    ANSWER_MAX = 1 << 20,
};

bool
masq_srs_ask_direction(struct mfx_str word, bool *is_forward)
{
    *is_forward = mfx_str_is(word, "forward");
    return *is_forward || mfx_str_is(word, "reverse");
}

enum mfx_rc
masq_srs_ask_parse(struct mfx_str text, struct mfx_arena *arena,
                   struct masq_address *address)
{
    struct mfx_address_list list;
    enum mfx_rc rc = mfx_address_list_parse(text, arena, 1, &list);
    if (rc != MFX_OK)
        return rc == MFX_TEMPFAIL ? rc : MFX_PERMFAIL;
    *address = (struct masq_address){list.mailboxes[0].local,
                                     list.mailboxes[0].domain};
    return MFX_OK;
}

static void
answer(const struct masq_srs_ask *ask, enum mfx_rc rc, const char *text,
       struct masq_srs_result *result)
{
    result->rc = rc;
    result->text = mfx_arena_copy(ask->arena, mfx_str_of(text));
}

static void
carry_out(const struct masq_srs_ask *ask, const struct masq_address *address,
          struct masq_srs_result *result)
{
    const struct masq_srs *srs = ask->policy->srs;
    struct masq_srs_call call;
    struct masq_srs_answer found = {.text = ""};
    struct mfx_err err = {""};
    uint64_t now = ask->env->wall_s(ask->env);
    if (ask->is_forward)
        masq_srs_begin_forward(srs, ask->store, address, now, ask->arena,
                               &call);
    else
        masq_srs_begin_reverse(srs, ask->store, address, now, ask->arena,
                               &call);
    struct mfx_event *event = masq_srs_event(&call);
    if (event != NULL)
        (void)mfx_event_wait(
            event, mfx_mono_ms() + ask->policy->settings->store.timeout_ms);
    enum mfx_rc rc = masq_srs_end(&call, &found, &err);
    if (rc == MFX_OK)
        rc = mfx_address_spec_write(found.to.local, found.to.domain, ask->arena,
                                    &result->to);
    result->code = rc == MFX_PERMFAIL ? found.code : NULL;
    answer(ask, rc, rc == MFX_TEMPFAIL ? err.msg : found.text, result);
}

void
masq_srs_ask(const struct masq_srs_ask *ask, const struct masq_address *address,
             struct masq_srs_result *result)
{
    struct mfx_str why = mfx_str("", 0);
    struct mfx_err err = {""};
    *result = (struct masq_srs_result){.rc = MFX_TEMPFAIL};
    enum mfx_rc rc = ask->is_forward
                         ? masq_srs_may_forward(ask->policy->srs, address,
                                                ask->arena, &why, &err)
                         : masq_srs_is_ours(ask->policy->srs, address->domain,
                                            ask->arena, &err);
    if (rc == MFX_OK)
        carry_out(ask, address, result);
    else if (rc == MFX_NOTFOUND && !ask->is_forward)
        answer(ask, rc, "not an SRS domain of ours", result);
    else if (rc == MFX_NOTFOUND)
        answer(ask, rc, mfx_arena_copy(ask->arena, why).p, result);
    else
        answer(ask, MFX_TEMPFAIL, err.msg, result);
}

/* --- the daemon's --- */

static void
put_json(const struct masq_srs_result *result, struct mfx_buf *out)
{
    char *text = NULL;
    json_t *o =
        json_pack("{s:s, s:s%, s:s, s:s%}", "rc", mfx_rc_name(result->rc), "to",
                  result->to.len > 0 ? result->to.p : "", result->to.len,
                  "code", result->code == NULL ? "" : result->code, "text",
                  result->text.len > 0 ? result->text.p : "", result->text.len);
    if (o != NULL)
        text = json_dumps(o, JSON_COMPACT);
    mfx_buf_add_text(out, text == NULL ? "{}" : text);
    free(text);
    json_decref(o);
}

static enum mfx_rc
put_text(const struct masq_srs_result *result, struct mfx_buf *out,
         struct mfx_err *err)
{
    if (result->rc == MFX_OK)
        mfx_buf_printf(out, "%.*s\n", MFX_STR_ARG(result->to));
    else
        mfx_err_set(err, "%.*s", MFX_STR_ARG(result->text));
    return result->rc;
}

static enum mfx_rc
answer_operator(const struct masq_policy *policy, const struct mfx_str *words,
                size_t count, struct mfx_arena *arena,
                struct masq_srs_result *result, struct mfx_err *err)
{
    struct mfx_env env = mfx_env_system();
    struct masq_srs_ask ask = {policy, masq_policy_store(policy), &env, arena,
                               false};
    struct masq_address address;
    if (count != 2 || !masq_srs_ask_direction(words[0], &ask.is_forward) ||
        masq_srs_ask_parse(words[1], arena, &address) != MFX_OK) {
        mfx_err_set(err, "srs forward|reverse ADDRESS");
        return MFX_PERMFAIL;
    }
    if (policy->srs == NULL) {
        mfx_err_set(err, "srs.domain is not set");
        return MFX_NOTFOUND;
    }
    masq_srs_ask(&ask, &address, result);
    return MFX_OK;
}

static enum mfx_rc
run_srs(const void *policy, const struct mfx_str *words, size_t count,
        bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    struct mfx_arena *arena = mfx_arena_new(ANSWER_MAX);
    struct masq_srs_result result;
    if (arena == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = answer_operator(policy, words, count, arena, &result, err);
    if (rc == MFX_OK && as_json)
        put_json(&result, out);
    else if (rc == MFX_OK)
        rc = put_text(&result, out, err);
    mfx_arena_free(arena);
    return rc;
}

const struct mfx_control_verb masq_control_verbs[] = {
    {"srs", "forward|reverse ADDRESS: what SRS makes of it", run_srs},
    {NULL,  NULL,                                            NULL   },
};
