/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_verify_private.h>

#include <mfx/auth/dkim_domain.h>
#include <mfx/auth/dkim_hash.h>
#include <mfx/mail/address.h>

enum {
    HEAD_MIN = 8,  /* characters of b= in header.b, RFC 6008 4 */
    HEAD_MAX = 64, /* and the most, however much two share */
};

/* One DKIM-Signature field. */
struct slot {
    struct slot *next;
    const struct mfx_header *header;
    struct mfx_dkim_check *check; /* NULL until it is looked into */
    bool is_aligned, is_chosen;
};

struct mfx_dkim_verifier {
    struct mfx_arena *arena;
    const struct mfx_env *env;
    struct mfx_dkim_verify_limits limits;
    uint64_t now_s;
    bool diagnoses, failed, is_finished;
    struct slot *first, **end;
    size_t count;   /* fields seen */
    size_t started; /* look-ups */
    size_t chosen;
    struct mfx_dkim_body *body;
};

struct mfx_dkim_verify_limits
mfx_dkim_verify_limits_default(void)
{
    return (struct mfx_dkim_verify_limits){
        .max_signatures = 10,
        .min_rsa_bits = MFX_DKIM_RSA_MIN_BITS,
        .clock_skew_s = 300,
        .max_header_items = 1000,
    };
}

struct mfx_dkim_verifier *
mfx_dkim_verifier_new(struct mfx_arena *arena, const struct mfx_env *env,
                      const struct mfx_dkim_verify_limits *limits)
{
    struct mfx_dkim_verifier *v = mfx_arena_alloc(arena, sizeof *v);
    if (v == NULL)
        return NULL;
    v->arena = arena;
    v->env = env;
    v->limits = *limits;
    v->now_s = env->wall_s(env);
    v->end = &v->first;
    return v;
}

void
mfx_dkim_verifier_diagnose(struct mfx_dkim_verifier *verifier)
{
    verifier->diagnoses = true;
}

/* --- keys --- */

static void
release_question(void *arg)
{
    mfx_dns_question_release(arg);
}

static void
take_known(struct mfx_dkim_verifier *v, struct mfx_dkim_check *check)
{
    const struct mfx_dkim_known_keys *known = v->limits.known_keys;
    enum mfx_rc rc = known->record(known->arg, check->sig.domain,
                                   check->sig.selector, &check->known_record);
    if (rc == MFX_OK)
        return;
    v->failed = v->failed || rc != MFX_NOTFOUND;
    check->sig.problem = "not one of the known keys";
    check->sig.status = MFX_DKIM_NEUTRAL;
    check->sig.fault = MFX_DKIM_FAULT_KEY_MISSING;
}

/* RFC 6376 3.6.2.1, with A-labels (RFC 8616 4). */
static void
ask(struct mfx_dkim_verifier *v, struct mfx_dkim_check *check)
{
    struct mfx_str d, s;
    enum mfx_rc rc = mfx_domain_to_ascii(check->sig.domain, v->arena, &d);
    if (rc == MFX_OK)
        rc = mfx_domain_to_ascii(check->sig.selector, v->arena, &s);
    if (rc == MFX_PERMFAIL) {
        check->sig.problem = "d= or s= is no domain name";
        check->sig.status = MFX_DKIM_NEUTRAL;
        check->sig.fault = MFX_DKIM_FAULT_SYNTAX;
        return;
    }
    struct mfx_str name = {NULL, 0};
    if (rc == MFX_OK)
        name = mfx_arena_printf(v->arena, "%.*s._domainkey.%.*s",
                                MFX_STR_ARG(s), MFX_STR_ARG(d));
    if (name.p == NULL) {
        v->failed = true;
        return;
    }
    if (v->env->resolver == NULL)
        return;
    check->question = mfx_dns_ask(v->env->resolver, name, MFX_DNS_TXT);
    if (check->question == NULL ||
        !mfx_arena_defer(v->arena, release_question, check->question)) {
        check->question = NULL;
        v->failed = true;
    }
}

/* t= and x= against the clock (RFC 6376 3.5): whether such a signature counts
 * is the receiver's choice, so the result is `policy`. */
static void
check_times(const struct mfx_dkim_verifier *v, struct mfx_dkim_signature *sig)
{
    uint64_t skew = v->limits.clock_skew_s;
    if (sig->has_expiry && sig->expires_s < v->now_s &&
        v->now_s - sig->expires_s > skew)
        sig->problem = "signature expired";
    else if (sig->has_timestamp && sig->timestamp_s > v->now_s &&
             sig->timestamp_s - v->now_s > skew)
        sig->problem = "signature is from the future";
    else
        return;
    sig->status = MFX_DKIM_POLICY;
    sig->fault = MFX_DKIM_FAULT_EXPIRED;
}

static void
start(struct mfx_dkim_verifier *v, struct slot *slot)
{
    struct mfx_dkim_check *check = mfx_arena_alloc(v->arena, sizeof *check);
    if (check == NULL) {
        v->failed = true;
        return;
    }
    slot->check = check;
    check->header = slot->header;
    check->body = check->other_body = -1;
    v->started++;
    mfx_dkim_signature_parse(slot->header, v->limits.max_header_items, v->arena,
                             &check->sig);
    if (check->sig.problem == NULL)
        check_times(v, &check->sig);
    if (check->sig.problem == NULL && v->limits.known_keys != NULL)
        take_known(v, check);
    else if (check->sig.problem == NULL)
        ask(v, check);
}

void
mfx_dkim_verifier_header(struct mfx_dkim_verifier *verifier,
                         const struct mfx_header *header)
{
    struct mfx_dkim_verifier *v = verifier;
    if (!mfx_str_is_nocase(header->name, "DKIM-Signature"))
        return;
    struct slot *slot = mfx_arena_alloc(v->arena, sizeof *slot);
    if (slot == NULL) {
        v->failed = true;
        return;
    }
    slot->header = header;
    *v->end = slot;
    v->end = &slot->next;
    v->count++;
    if (v->started < v->limits.max_signatures)
        start(v, slot);
}

/* --- which signatures --- */

static bool
is_aligned(const struct mfx_dkim_verifier *v, const struct slot *slot,
           struct mfx_str from_domain)
{
    struct mfx_str d = slot->check != NULL
                           ? slot->check->sig.domain
                           : mfx_dkim_signature_domain(slot->header);
    return mfx_dkim_domain_is_within(d, from_domain, v->arena) ||
           mfx_dkim_domain_is_within(from_domain, d, v->arena);
}

static void
choose(struct mfx_dkim_verifier *v, struct mfx_str from_domain)
{
    for (struct slot *s = v->first; s != NULL; s = s->next)
        s->is_aligned = is_aligned(v, s, from_domain);
    for (int aligned = 1; aligned >= 0; aligned--)
        for (struct slot *s = v->first; s != NULL; s = s->next) {
            if (v->chosen == v->limits.max_signatures)
                return;
            if (s->is_aligned != (aligned == 1))
                continue;
            s->is_chosen = true;
            v->chosen++;
        }
}

/* --- header hash --- */

/* How far the instances of one name have been used up, from below. */
struct cursor {
    struct mfx_str name;
    const struct mfx_header *next;
};

static struct cursor *
find_cursor(struct cursor *cursors, size_t count, struct mfx_str name)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_str_eq_nocase(cursors[i].name, name))
            return &cursors[i];
    return NULL;
}

/* RFC 6376 3.7, 5.4.2: each name in h= takes the next instance from below; one
 * that is not there is nothing. The signature itself is never an instance. */
static void
hash_names(struct mfx_dkim_hash *hash, const struct mfx_dkim_check *check,
           const struct mfx_headers *headers, struct cursor *cursors)
{
    struct mfx_str names = check->sig.names, name;
    size_t count = 0;
    while (mfx_dkim_claim_next_name(&names, &name)) {
        struct cursor *c = find_cursor(cursors, count, name);
        if (c == NULL) {
            c = &cursors[count++];
            *c = (struct cursor){name, mfx_headers_last(headers, name)};
        }
        if (c->next == check->header)
            c->next = c->next->same_prev;
        if (c->next == NULL)
            continue;
        mfx_dkim_hash_field(hash, c->next);
        c->next = c->next->same_prev;
    }
}

static size_t
count_names(struct mfx_str names)
{
    struct mfx_str name;
    size_t count = 0;
    while (mfx_dkim_claim_next_name(&names, &name))
        count++;
    return count;
}

static void
hash_header(struct mfx_dkim_verifier *v, struct mfx_dkim_check *check,
            const struct mfx_headers *headers)
{
    struct mfx_dkim_hash hash;
    struct cursor *cursors = mfx_arena_alloc_array(
        v->arena, count_names(check->sig.names), sizeof *cursors);
    if (cursors == NULL) {
        v->failed = true;
        return;
    }
    mfx_dkim_hash_init(&hash, check->sig.header_canon);
    hash_names(&hash, check, headers, cursors);
    mfx_dkim_hash_signature(&hash, check->header->name, check->sig.before_b,
                            check->sig.behind_b);
    check->has_header_digest =
        mfx_dkim_hash_finish(&hash, check->header_digest);
    v->failed = v->failed || !check->has_header_digest;
}

/* --- between header and body --- */

static enum mfx_dkim_canon
other_canon(enum mfx_dkim_canon canon)
{
    return canon == MFX_DKIM_SIMPLE ? MFX_DKIM_RELAXED : MFX_DKIM_SIMPLE;
}

static void
want_body(struct mfx_dkim_verifier *v, struct mfx_dkim_check *check)
{
    const struct mfx_dkim_signature *sig = &check->sig;
    if (v->body == NULL)
        v->body = mfx_dkim_body_new(v->arena, v->limits.fix_line_ends);
    if (v->body != NULL)
        check->body = mfx_dkim_body_want(v->body, sig->body_canon, sig->limit);
    if (v->body != NULL && v->diagnoses)
        check->other_body = mfx_dkim_body_want(
            v->body, other_canon(sig->body_canon), sig->limit);
    v->failed = v->failed || check->body < 0;
}

static bool
misses_required(const struct mfx_dkim_verifier *v,
                const struct mfx_dkim_check *check,
                const struct mfx_headers *headers)
{
    struct mfx_str rest = v->limits.required_headers, name;
    while (mfx_str_word(&rest, ", \t", &name))
        if (mfx_headers_first(headers, name) != NULL &&
            !mfx_dkim_signature_has_name(check->sig.names, name))
            return true;
    return false;
}

static void
prepare(struct mfx_dkim_verifier *v, struct slot *slot,
        const struct mfx_headers *headers)
{
    if (slot->check == NULL)
        start(v, slot);
    struct mfx_dkim_check *check = slot->check;
    if (check == NULL)
        return;
    check->is_aligned = slot->is_aligned;
    if (check->sig.problem != NULL)
        return;
    check->misses_required = misses_required(v, check, headers);
    hash_header(v, check, headers);
    want_body(v, check);
}

void
mfx_dkim_verifier_headers_end(struct mfx_dkim_verifier *verifier,
                              const struct mfx_headers *headers,
                              struct mfx_str from_domain)
{
    choose(verifier, from_domain);
    for (struct slot *s = verifier->first; s != NULL; s = s->next)
        if (s->is_chosen)
            prepare(verifier, s, headers);
}

/* A hash that is past its l= learns nothing from more body; that something
 * was left over is known then. */
static bool
check_wants_body(const struct mfx_dkim_verifier *v,
                 const struct mfx_dkim_check *check)
{
    if (check == NULL || check->body < 0)
        return false;
    return v->diagnoses || check->sig.limit == MFX_DKIM_NO_LIMIT ||
           mfx_dkim_body_length(v->body, check->body) <= check->sig.limit;
}

bool
mfx_dkim_verifier_wants_body(const struct mfx_dkim_verifier *verifier)
{
    for (const struct slot *s = verifier->first; s != NULL; s = s->next)
        if (s->is_chosen && check_wants_body(verifier, s->check))
            return true;
    return false;
}

void
mfx_dkim_verifier_body(struct mfx_dkim_verifier *verifier, struct mfx_str piece)
{
    if (verifier->body != NULL)
        mfx_dkim_body_update(verifier->body, piece);
}

struct mfx_event *
mfx_dkim_verifier_pending(struct mfx_dkim_verifier *verifier)
{
    for (struct slot *s = verifier->first; s != NULL; s = s->next) {
        if (!s->is_chosen || s->check == NULL || s->check->question == NULL ||
            s->check->sig.problem != NULL)
            continue;
        struct mfx_event *event = mfx_dns_question_event(s->check->question);
        if (!mfx_event_is_set(event))
            return event;
    }
    return NULL;
}

/* --- results --- */

static size_t
common(struct mfx_str a, struct mfx_str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.p[n] == b.p[n])
        n++;
    return n;
}

/* RFC 6008 4: so much of b= as tells the signatures apart. */
static void
tell_apart(const struct slot *first, struct mfx_dkim_result *results,
           size_t count)
{
    size_t i = 0;
    for (const struct slot *s = first; s != NULL && i < count; s = s->next) {
        if (!s->is_chosen)
            continue;
        struct mfx_str b = s->check->sig.signature_text;
        size_t need = HEAD_MIN;
        for (const struct slot *o = first; o != NULL; o = o->next) {
            if (o == s || !o->is_chosen ||
                mfx_str_eq(b, o->check->sig.signature_text))
                continue;
            size_t n = common(b, o->check->sig.signature_text) + 1;
            need = n > need ? n : need;
        }
        results[i++].signature_head =
            mfx_str_head(b, need < HEAD_MAX ? need : HEAD_MAX);
    }
}

enum mfx_rc
mfx_dkim_verifier_finish(struct mfx_dkim_verifier *verifier,
                         const struct mfx_dkim_result **results, size_t *count,
                         size_t *ignored)
{
    struct mfx_dkim_verifier *v = verifier;
    struct mfx_dkim_result *made =
        mfx_arena_alloc_array(v->arena, v->chosen, sizeof *made);
    *results = made;
    *count = 0;
    *ignored = v->count - v->chosen;
    if (made == NULL || v->failed || !mfx_arena_ok(v->arena))
        return MFX_TEMPFAIL;
    if (v->body != NULL && !v->is_finished)
        mfx_dkim_body_finish(v->body);
    v->is_finished = true;
    for (const struct slot *s = v->first; s != NULL; s = s->next)
        if (s->is_chosen)
            mfx_dkim_judge(s->check, v->body, &v->limits, &made[(*count)++]);
    tell_apart(v->first, made, *count);
    return v->count == 0 ? MFX_NOTFOUND : MFX_OK;
}
