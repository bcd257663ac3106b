/* SPDX-License-Identifier: BSD-2-Clause */
#include "operator.h"

#include <stdlib.h>

#include "operator_impl.h"

enum {
    WAIT_MS = 2000, /* the control socket serves one question at a time */
};

/* What is counted by this machine while the store is away. */
static enum mfx_rc
measure(const struct quota_operator *op, struct operator_matches *found,
        json_t *answer, struct mfx_err *err)
{
    struct quota_shared *shared = op->policy->shared;
    enum mfx_rc rc = operator_measure(op, op->store, found, err);
    if (rc != MFX_TEMPFAIL || !op->is_daemon || shared->fallback == NULL ||
        op->policy->settings->store_error != QUOTA_STORE_ERROR_LOCAL)
        return rc;
    (void)json_object_set_new(answer, "store_failed",
                              operator_json_text(mfx_str_of(err->msg)));
    return operator_measure(op, shared->fallback, found, err);
}

enum mfx_rc
operator_show(const struct quota_operator *op,
              const struct quota_operator_words *words, json_t *answer,
              struct mfx_err *err)
{
    struct operator_matches found;
    json_t *rows = NULL;
    enum mfx_rc rc = operator_find(op, words, OPERATOR_TO_LOOK, &found, err);
    if (rc == MFX_OK)
        rc = measure(op, &found, answer, err);
    if (rc != MFX_OK)
        return rc;
    operator_find_sift(&found);
    rc = operator_measure_rows(op, &found, &rows, err);
    (void)json_object_set_new(answer, "rules", rows);
    return rc;
}

/* --- which verb --- */

enum {
    OF_KEY = QUOTA_OPERATOR_KEY | QUOTA_OPERATOR_RULE,
    BY_WHOM = OF_KEY | QUOTA_OPERATOR_BY,
};

static const struct verb {
    const char *name;
    unsigned takes;
    operator_verb *run;
} verbs[] = {
    {"show",    OF_KEY,                                                            operator_show   },
    {"top",     QUOTA_OPERATOR_RULE | QUOTA_OPERATOR_COUNT | QUOTA_OPERATOR_AFTER,
     operator_top                                                                                  },
    {"reset",   BY_WHOM,                                                           operator_reset  },
    {"block",   BY_WHOM | QUOTA_OPERATOR_FOR | QUOTA_OPERATOR_REASON,
     operator_block                                                                                },
    {"unblock", BY_WHOM,                                                           operator_unblock},
    {"set",     BY_WHOM | QUOTA_OPERATOR_LIMITS | QUOTA_OPERATOR_FOR,              operator_set    },
    {"unset",   BY_WHOM,                                                           operator_unset  },
    {"rules",   QUOTA_OPERATOR_RULE,                                               operator_rules  },
    {"store",   0,                                                                 operator_store  },
};

static const struct verb *
find_verb(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (mfx_str_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

/* A balancer without the PROXY protocol makes one client of all. */
static void
warn_of_shared_address(const struct quota_operator *op, json_t *answer)
{
    struct mfx_ip ip;
    char text[MFX_IP_TEXT];
    json_t *warnings = json_array();
    if (op->is_daemon && op->policy->is_by_address &&
        quota_clients_shared_address(op->policy->shared->clients, &ip)) {
        struct mfx_str warning = mfx_arena_printf(
            op->arena,
            "all recent clients have the address %s (a balancer without the "
            "PROXY protocol?): rules by client or network count them as one",
            mfx_ip_format(&ip, text));
        (void)json_array_append_new(warnings, operator_json_text(warning));
    }
    (void)json_object_set_new(answer, "warnings", warnings);
}

enum mfx_rc
quota_operator_ask(const struct quota_operator *op, struct mfx_str name,
                   const struct mfx_str *words, size_t count, json_t **answer,
                   struct mfx_err *err)
{
    struct quota_operator_words read;
    const struct verb *verb = find_verb(name);
    if (verb == NULL) {
        mfx_err_set(err, "there is no such verb");
        return MFX_PERMFAIL;
    }
    enum mfx_rc rc = quota_operator_words_read(verb->takes, words, count,
                                               op->arena, &read, err);
    if (rc != MFX_OK)
        return rc;
    *answer = json_object();
    if ((verb->takes & QUOTA_OPERATOR_KEY) != 0)
        (void)json_object_set_new(*answer, "key", operator_json_text(read.key));
    rc = verb->run(op, &read, *answer, err);
    if (rc == MFX_OK)
        warn_of_shared_address(op, *answer);
    if (rc == MFX_OK && mfx_arena_ok(op->arena))
        return MFX_OK;
    json_decref(*answer);
    *answer = NULL;
    return rc == MFX_OK ? MFX_TEMPFAIL : rc;
}

static const struct {
    const char *why;
    enum mfx_rc rc;
} reasons[] = {
    {"later",    MFX_TEMPFAIL},
    {"notfound", MFX_NOTFOUND},
    {"wrong",    MFX_PERMFAIL},
};

const char *
quota_operator_why(enum mfx_rc rc)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].rc == rc)
            return reasons[i].why;
    return reasons[0].why;
}

enum mfx_rc
quota_operator_rc(const char *why)
{
    for (size_t i = 0; why != NULL && i < sizeof reasons / sizeof reasons[0];
         i++)
        if (strcmp(reasons[i].why, why) == 0)
            return reasons[i].rc;
    return MFX_TEMPFAIL;
}

/* --- over the control socket --- */

static void
put_answer(struct mfx_str name, json_t *answer, bool as_json,
           struct mfx_buf *out)
{
    char *text = as_json ? json_dumps(answer, JSON_COMPACT) : NULL;
    if (!as_json)
        quota_operator_text(name, answer, out);
    else if (text == NULL)
        out->failed = true;
    else
        mfx_buf_add_text(out, text);
    free(text);
}

static enum mfx_rc
answer(const char *name, const void *arg, const struct mfx_str *args,
       size_t count, bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    const struct quota_policy *policy = arg;
    struct quota_operator op = {
        .policy = policy,
        .store = policy->shared->store,
        .arena = mfx_arena_new(0),
        .wait_ms = WAIT_MS,
        .is_daemon = true,
    };
    json_t *json = NULL;
    if (op.arena == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc =
        quota_operator_ask(&op, mfx_str_of(name), args, count, &json, err);
    if (rc == MFX_OK)
        put_answer(mfx_str_of(name), json, as_json, out);
    else if (as_json)
        mfx_buf_printf(out, "{\"why\":\"%s\"}", quota_operator_why(rc));
    json_decref(json);
    mfx_arena_free(op.arena);
    return rc;
}

#define VERB(name)                                                    \
    static enum mfx_rc verb_##name(                                   \
        const void *policy, const struct mfx_str *args, size_t count, \
        bool as_json, struct mfx_buf *out, struct mfx_err *err)       \
    {                                                                 \
        return answer(#name, policy, args, count, as_json, out, err); \
    }

VERB(show)
VERB(top)
VERB(reset)
VERB(block)
VERB(unblock)
VERB(set)
VERB(unset)
VERB(rules)
VERB(store)

const struct mfx_control_verb quota_operator_verbs[] = {
    {"show",    "KEY [rule=R]: what it has used of its limits",          verb_show   },
    {"top",     "[rule=R] [count=N]: who is nearest to a limit",         verb_top    },
    {"reset",   "KEY [rule=R]: forget what is counted",                  verb_reset  },
    {"block",   "KEY [rule=R] [for=2d] [reason=TEXT]: let nothing pass",
     verb_block                                                                      },
    {"unblock", "KEY [rule=R]: end that",                                verb_unblock},
    {"set",     "KEY LIMITS [rule=R] [for=2d]: limits of its own",       verb_set    },
    {"unset",   "KEY [rule=R]: end that",                                verb_unset  },
    {"rules",   "[rule=R]: each rule, and what came of it",              verb_rules  },
    {"store",   "how the store is, and what waits for it",               verb_store  },
    {NULL,      NULL,                                                    NULL        },
};
