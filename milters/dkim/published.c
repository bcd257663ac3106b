/* SPDX-License-Identifier: BSD-2-Clause */
#include "published.h"

#include <mfx/mail/address.h>
#include <mfx/net/resolver.h>

enum {
    MIN_RSA_BITS = 1024,
    WAIT_MS = 30000, /* the resolver itself gives up earlier */
};

const char *
dkim_published_status_name(enum dkim_published_status status)
{
    static const char *const names[] = {
        [DKIM_PUBLISHED_UNKNOWN] = "unknown",
        [DKIM_PUBLISHED_MATCH] = "match",
        [DKIM_PUBLISHED_MISSING] = "missing",
        [DKIM_PUBLISHED_MISMATCH] = "mismatch",
        [DKIM_PUBLISHED_UNUSABLE] = "unusable",
    };
    return names[status];
}

static void
say(struct dkim_published *p, struct mfx_arena *arena,
    enum dkim_published_status status, const char *what)
{
    struct mfx_str text =
        mfx_arena_printf(arena, "%.*s: %s", MFX_STR_ARG(p->name), what);
    p->status = status;
    p->text = text.p == NULL ? what : text.p;
}

/* A verifier takes any record that works; so does this: one that holds our
 * key is enough. */
static void
compare(const struct mfx_dns_answer *answer,
        const struct mfx_dkim_private_key *key, struct mfx_arena *arena,
        struct dkim_published *p)
{
    for (size_t i = 0; i < answer->count; i++) {
        struct mfx_dkim_record record;
        mfx_dkim_record_parse(answer->records[i].text, MIN_RSA_BITS, &record);
        bool is_ours = record.problem == MFX_DKIM_RECORD_GOOD &&
                       mfx_dkim_public_key_matches(record.key, key);
        if (is_ours) {
            p->is_testing = record.is_testing;
            say(p, arena, DKIM_PUBLISHED_MATCH, "the record holds this key");
        } else if (record.problem == MFX_DKIM_RECORD_GOOD) {
            say(p, arena, DKIM_PUBLISHED_MISMATCH,
                "the record holds another key");
        } else if (p->status != DKIM_PUBLISHED_MISMATCH) {
            p->problem = record.problem;
            say(p, arena, DKIM_PUBLISHED_UNUSABLE,
                mfx_dkim_record_problem_text(record.problem));
        }
        mfx_dkim_record_fini(&record);
        if (is_ours)
            return;
    }
}

static struct mfx_str
record_name(struct mfx_str domain, struct mfx_str selector,
            struct mfx_arena *arena)
{
    struct mfx_str name =
        mfx_arena_printf(arena, "%.*s._domainkey.%.*s", MFX_STR_ARG(selector),
                         MFX_STR_ARG(domain));
    struct mfx_str ascii;
    return mfx_domain_to_ascii(name, arena, &ascii) == MFX_OK ? ascii : name;
}

void
dkim_published_check(const struct mfx_env *env,
                     const struct mfx_dkim_private_key *key,
                     struct mfx_str domain, struct mfx_str selector,
                     struct mfx_arena *arena, struct dkim_published *published)
{
    *published = (struct dkim_published){
        .status = DKIM_PUBLISHED_UNKNOWN,
        .name = record_name(domain, selector, arena),
    };
    if (env->resolver == NULL) {
        say(published, arena, DKIM_PUBLISHED_UNKNOWN, "no resolver");
        return;
    }
    struct mfx_dns_question *q =
        mfx_dns_ask(env->resolver, published->name, MFX_DNS_TXT);
    if (q != NULL)
        (void)mfx_event_wait(mfx_dns_question_event(q),
                             mfx_mono_ms() + WAIT_MS);
    const struct mfx_dns_answer *answer = mfx_dns_question_answer(q);
    published->ttl_s = answer->ttl_s;
    published->is_authentic = answer->is_authentic;
    switch (mfx_dns_rc(answer)) {
    case MFX_OK:
        compare(answer, key, arena, published);
        break;
    case MFX_NOTFOUND:
        say(published, arena, DKIM_PUBLISHED_MISSING,
            mfx_dns_status_name(answer->status));
        break;
    case MFX_TEMPFAIL:
    case MFX_PERMFAIL:
        say(published, arena, DKIM_PUBLISHED_UNKNOWN,
            mfx_dns_status_name(answer->status));
        break;
    }
    if (q != NULL)
        mfx_dns_question_release(q);
}
