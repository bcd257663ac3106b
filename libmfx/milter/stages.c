/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/session.h>

#include <stdio.h>

#include <mfx/base/log.h>
#include <mfx/milter/apply.h>
#include <mfx/milter/finish.h>
#include <mfx/milter/flight.h>

enum {
    PARAMETERS_MAX = 1000,
};

static const struct mfx_hooks *
hooks_of(const struct mfx_session *s)
{
    return &s->engine->filter->hooks;
}

static void
begin_stage(struct mfx_flight *f, const char *stage, uint64_t patience_s)
{
    f->stage = stage;
    f->wait_until_ms = patience_s == 0 ? 0 : mfx_mono_ms() + patience_s * 1000;
}

/* Sendmail has the queue id at MAIL, Postfix between RCPT and EOH. */
static void
take_queue_id(struct mfx_flight *f)
{
    const struct mfx_link *l = &f->session->link;
    if (f->message.queue_id.len > 0)
        return;
    const char *id = l->ops->macro(l->ctx, "i");
    if (id != NULL)
        f->message.queue_id = mfx_arena_copy(f->arena, mfx_str_of(id));
}

static struct mfx_str
copy_macro(const struct mfx_flight *f, const char *name)
{
    const struct mfx_link *l = &f->session->link;
    const char *text = l->ops->macro(l->ctx, name);
    return text == NULL ? mfx_str("", 0)
                        : mfx_arena_copy(f->arena, mfx_str_of(text));
}

/* A message that cannot be worked on, as the setting says: nothing that was
 * planned for it is done. code, enhanced, text: of a tempfail. */
static void
give_up(struct mfx_flight *f, int on_trouble, unsigned code,
        const char *enhanced, const char *text, const char *reason)
{
    struct mfx_decision *d = &f->decision;
    f->is_in_trouble = true;
    switch ((enum mfx_on_trouble)on_trouble) {
    case MFX_ON_TROUBLE_TEMPFAIL:
        mfx_decide_tempfail(d, code, enhanced, mfx_str_of(text), reason);
        return;
    case MFX_ON_TROUBLE_REJECT:
        mfx_decide_reject(d, 550, "5.3.0", mfx_str_of(text), reason);
        return;
    case MFX_ON_TROUBLE_ACCEPT:
        d->edits = d->last_edit = NULL;
        mfx_decide_accept(d, reason);
        return;
    case MFX_ON_TROUBLE_HOLD:
        d->edits = d->last_edit = NULL;
        mfx_decide_hold(d, reason);
        return;
    case MFX_ON_TROUBLE_DISCARD:
        mfx_decide_discard(d, reason);
        return;
    }
}

/* Looks at what a hook gave back. */
static void
check_hook(struct mfx_flight *f, enum mfx_rc rc)
{
    if (rc == MFX_OK)
        return;
    mfx_metrics_add(f->session->engine->metrics, MFX_COUNT_HOOK_FAILED, 1);
    struct mfx_str why = mfx_arena_printf(f->arena, "%s stage failed: %s",
                                          f->stage, mfx_rc_name(rc));
    give_up(f, f->snapshot->common.on_internal_error, 451, "4.3.0",
            "internal error", why.p == NULL ? "stage failed" : why.p);
}

static void
check_memory(struct mfx_flight *f)
{
    if (f->is_in_trouble ||
        (mfx_arena_ok(f->arena) && mfx_arena_ok(f->session->arena)))
        return;
    if (f->decision.verdict < MFX_VERDICT_TEMPFAIL)
        mfx_metrics_add(f->session->engine->metrics, MFX_COUNT_MEMORY_EXHAUSTED,
                        1);
    give_up(f, f->snapshot->common.on_internal_error, 452, "4.3.1",
            "message needs too much memory",
            "memory exhausted (message_memory)");
}

/* Looks for a verdict after a stage's hook; true when no more hooks run. */
static bool
is_decided(struct mfx_flight *f)
{
    check_memory(f);
    f->is_decided = f->is_in_trouble ||
                    f->decision.verdict == MFX_VERDICT_ACCEPT ||
                    f->decision.verdict >= MFX_VERDICT_DISCARD;
    return f->is_decided;
}

static enum mfx_answer
answer_of(enum mfx_verdict verdict)
{
    static const enum mfx_answer answers[] = {
        [MFX_VERDICT_CONTINUE] = MFX_ANSWER_CONTINUE,
        [MFX_VERDICT_ACCEPT] = MFX_ANSWER_ACCEPT,
        [MFX_VERDICT_HOLD] = MFX_ANSWER_CONTINUE,
        [MFX_VERDICT_DISCARD] = MFX_ANSWER_DISCARD,
        [MFX_VERDICT_TEMPFAIL] = MFX_ANSWER_TEMPFAIL,
        [MFX_VERDICT_REJECT] = MFX_ANSWER_REJECT,
    };
    return answers[verdict];
}

static void
send_reply(const struct mfx_flight *f, struct mfx_reply *reply)
{
    const struct mfx_link *l = &f->session->link;
    mfx_reply_make(&f->decision, reply);
    if (reply->is_set)
        (void)l->ops->reply(l->ctx, reply->code, reply->enhanced, reply->text);
}

/* The last word on a message. */
static enum mfx_answer
conclude(struct mfx_flight *f)
{
    struct mfx_reply reply = {.is_set = false};
    enum mfx_answer answer = answer_of(f->decision.verdict);
    if (f->decision.is_dry)
        answer = MFX_ANSWER_ACCEPT;
    else
        send_reply(f, &reply);
    mfx_flight_finish(f, MFX_ENDING_ANSWERED, &reply);
    return answer;
}

/* The answer of a stage before the end. A verdict that cannot be given here
 * waits for the next stage that replies; edits wait for the end. */
static enum mfx_answer
settle(struct mfx_flight *f, enum mfx_step step)
{
    if (!is_decided(f) || !mfx_session_replies(f->session, step))
        return MFX_ANSWER_CONTINUE;
    if (f->decision.verdict == MFX_VERDICT_ACCEPT && f->decision.edits != NULL)
        return MFX_ANSWER_CONTINUE;
    /* the MTA takes a quarantine only at the end */
    if (f->decision.verdict == MFX_VERDICT_HOLD)
        return MFX_ANSWER_CONTINUE;
    return conclude(f);
}

static uint64_t
now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
take_time(struct mfx_session *s, enum mfx_timer timer, uint64_t began_us)
{
    mfx_metrics_time(s->engine->metrics, timer, now_us() - began_us);
}

/* --- MAIL --- */

static struct mfx_str
without_brackets(struct mfx_str raw)
{
    if (raw.len >= 2 && raw.p[0] == '<' && raw.p[raw.len - 1] == '>')
        return mfx_str(raw.p + 1, raw.len - 2);
    return raw;
}

static bool
has_word(const char *const *words, const char *wanted)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (mfx_str_is_nocase(mfx_str_of(words[i]), wanted))
            return true;
    return false;
}

/* RFC 1870 6: digits only, at most 20. */
static void
take_declared_size(struct mfx_message *m, const char *const *words)
{
    const struct mfx_str key = MFX_STR("SIZE=");
    for (size_t i = 0; words[i] != NULL; i++) {
        struct mfx_str word = mfx_str_of(words[i]);
        if (mfx_str_starts_nocase(word, key) &&
            mfx_str_to_u64(mfx_str_from(word, key.len), INT64_MAX,
                           &m->declared_size) == MFX_OK)
            m->has_declared_size = true;
    }
}

/* Those of the parameters that are in `names`, for edits. What has characters
 * that no parameter has (RFC 5321 4.1.2) is left out. */
static struct mfx_str
keep_parameters(struct mfx_flight *f, const char *const *words,
                const char *const *names)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, f->arena, PARAMETERS_MAX);
    for (size_t i = 0; words[i] != NULL; i++) {
        struct mfx_str word = mfx_str_of(words[i]);
        bool is_plain = true;
        for (size_t j = 0; j < word.len; j++)
            is_plain = is_plain && word.p[j] > ' ' && word.p[j] < 0x7F;
        for (size_t j = 0; is_plain && names[j] != NULL; j++)
            if (mfx_str_starts_nocase(word, mfx_str_of(names[j])))
                mfx_buf_printf(&out, "%s%.*s", out.len > 0 ? " " : "",
                               MFX_STR_ARG(word));
    }
    return mfx_buf_ok(&out) ? mfx_str(mfx_buf_text(&out), out.len)
                            : mfx_str("", 0);
}

static struct mfx_str
sender_parameters(struct mfx_flight *f, const char *const *words)
{
    static const char *const all[] = {"RET=", "ENVID=", NULL};
    static const char *const of_sendmail[] = {
        "RET=", "ENVID=", "BODY=", "BY=", NULL};
    return keep_parameters(
        f, words,
        f->message.connection->mta == MFX_MTA_SENDMAIL ? of_sendmail : all);
}

static struct mfx_str
origin_macro(void *arg, struct mfx_str name, bool *found)
{
    char text[128];
    *found = false;
    if (name.len >= sizeof text)
        return mfx_str("", 0);
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    return mfx_macro(arg, text, found);
}

static void
decide_origin(struct mfx_flight *f)
{
    struct mfx_message *m = &f->message;
    const struct mfx_origin_facts facts = {
        .login = m->login,
        .auth_type = m->auth_type,
        .daemon_name = m->connection->daemon_name,
        .client_name = m->connection->client_name,
        .client_ip = m->connection->client_ip,
        .macro = origin_macro,
        .macro_arg = m,
    };
    m->origin = mfx_origin_decide(&f->snapshot->origin, &facts);
    /* what it borrows may go with the next macros */
    if (m->origin.rule == MFX_ORIGIN_MACRO)
        m->origin.detail = mfx_arena_copy(f->arena, m->origin.detail);
}

/* What connect and helo found is said now, for each message anew. */
static void
inherit(struct mfx_flight *f, const struct mfx_decision *from)
{
    struct mfx_decision *d = &f->decision;
    const struct mfx_decision_note *n;
    for (n = from->facts; n != NULL; n = n->next)
        mfx_fact(d, n->key, n->text);
    for (n = from->trace; n != NULL; n = n->next)
        mfx_trace(d, n->key, "%.*s", MFX_STR_ARG(n->text));
    d->verdict = from->verdict;
    d->code = from->code;
    d->enhanced = from->enhanced;
    d->text = from->text;
    d->event = from->event;
    d->reason = from->reason;
}

static void
fill_envelope(struct mfx_flight *f, const char *const *words)
{
    struct mfx_message *m = &f->message;
    m->began_ms = mfx_mono_ms();
    m->sender_raw =
        mfx_arena_copy(f->arena, mfx_str_of(words[0] == NULL ? "" : words[0]));
    m->sender = without_brackets(m->sender_raw);
    m->is_smtputf8 = words[0] != NULL && has_word(words + 1, "SMTPUTF8");
    if (words[0] != NULL) {
        take_declared_size(m, words + 1);
        m->sender_parameters = sender_parameters(f, words + 1);
    }
    m->login = copy_macro(f, "{auth_authen}");
    m->auth_type = copy_macro(f, "{auth_type}");
    take_queue_id(f);
    decide_origin(f);
}

enum mfx_answer
mfx_session_mail(struct mfx_session *s, const char *const *words)
{
    uint64_t began_us = now_us();
    mfx_session_abort(s); /* a message that was never ended */
    struct mfx_flight *f = s->flight = mfx_flight_take(s);
    if (f == NULL)
        return MFX_ANSWER_TEMPFAIL;
    begin_stage(f, "mail", f->snapshot->common.command_wait_s);
    fill_envelope(f, words);
    inherit(f, &s->decision);
    if (!is_decided(f) && hooks_of(s)->mail != NULL)
        check_hook(f, hooks_of(s)->mail(&f->message));
    enum mfx_answer answer = settle(f, MFX_STEP_MAIL);
    take_time(s, MFX_TIMER_MAIL, began_us);
    return answer;
}

/* --- RCPT --- */

static bool
is_rejected_by_mta(const struct mfx_session *s)
{
    if (!s->plan.has_rejected_recipients)
        return false;
    const char *mailer = s->link.ops->macro(s->link.ctx, "{rcpt_mailer}");
    return mailer != NULL && strcmp(mailer, "error") == 0;
}

static void
append_recipient(struct mfx_message *m, struct mfx_recipient *r)
{
    if (m->last_recipient == NULL)
        m->recipients = r;
    else
        m->last_recipient->next = r;
    m->last_recipient = r;
    m->recipient_count++;
}

/* The last one, which its hook refused. */
static void
drop_last_recipient(struct mfx_message *m)
{
    struct mfx_recipient *before = NULL;
    for (struct mfx_recipient *r = m->recipients; r != m->last_recipient;
         r = r->next)
        before = r;
    if (before == NULL)
        m->recipients = NULL;
    else
        before->next = NULL;
    m->last_recipient = before;
    m->recipient_count--;
}

/* A refusal of the rcpt hook concerns this recipient; the message goes on
 * with the verdict it had. */
static enum mfx_answer
refuse_recipient(struct mfx_flight *f, const struct mfx_recipient *r,
                 const struct mfx_decision *before)
{
    struct mfx_decision *d = &f->decision;
    struct mfx_reply reply;
    enum mfx_answer answer = answer_of(d->verdict);
    mfx_report_log_refusal(&f->message, r);
    mfx_trace(d, MFX_REPORT_REFUSED, "%.*s: %.*s%s%.*s",
              MFX_STR_ARG(r->address), MFX_STR_ARG(d->reason),
              d->text.len > 0 ? ": " : "", MFX_STR_ARG(d->text));
    f->refusal = d->reason;
    f->refusal_verdict = d->verdict;
    mfx_metrics_add(f->session->engine->metrics, MFX_COUNT_RECIPIENTS_REFUSED,
                    1);
    if (d->is_dry)
        answer = MFX_ANSWER_CONTINUE;
    else
        send_reply(f, &reply);
    d->verdict = before->verdict;
    d->code = before->code;
    d->enhanced = before->enhanced;
    d->text = before->text;
    d->reason = before->reason;
    if (!d->is_dry)
        drop_last_recipient(&f->message);
    return answer;
}

/* The MTA takes a refusal here for the recipient's alone, so a message that
 * is already lost is refused at each recipient and again at the end. */
static enum mfx_answer
settle_rcpt(struct mfx_flight *f)
{
    struct mfx_reply reply;
    bool is_refused =
        is_decided(f) && f->decision.verdict >= MFX_VERDICT_TEMPFAIL;
    if (!mfx_session_replies(f->session, MFX_STEP_RCPT) || !is_refused ||
        f->decision.is_dry)
        return settle(f, MFX_STEP_RCPT);
    send_reply(f, &reply);
    return answer_of(f->decision.verdict);
}

static struct mfx_recipient *
make_recipient(struct mfx_flight *f, const char *const *words)
{
    static const char *const kept[] = {"NOTIFY=", "ORCPT=", NULL};
    struct mfx_recipient *r = mfx_arena_alloc(f->arena, sizeof *r);
    if (r == NULL)
        return NULL;
    r->raw =
        mfx_arena_copy(f->arena, mfx_str_of(words[0] == NULL ? "" : words[0]));
    r->address = without_brackets(r->raw);
    if (words[0] != NULL)
        r->parameters = keep_parameters(f, words + 1, kept);
    return r;
}

static enum mfx_answer
take_recipient(struct mfx_flight *f, struct mfx_recipient *r)
{
    const struct mfx_hooks *hooks = hooks_of(f->session);
    struct mfx_decision before = f->decision;
    append_recipient(&f->message, r);
    if (hooks->rcpt == NULL)
        return settle_rcpt(f);
    enum mfx_rc rc = hooks->rcpt(&f->message, r);
    check_hook(f, rc);
    if (rc == MFX_OK && f->decision.verdict > before.verdict &&
        f->decision.verdict >= MFX_VERDICT_TEMPFAIL)
        return refuse_recipient(f, r, &before);
    return settle_rcpt(f);
}

enum mfx_answer
mfx_session_rcpt(struct mfx_session *s, const char *const *words)
{
    uint64_t began_us = now_us();
    struct mfx_flight *f = s->flight;
    enum mfx_answer answer = MFX_ANSWER_CONTINUE;
    if (f == NULL)
        return answer;
    begin_stage(f, "rcpt", f->snapshot->common.command_wait_s);
    take_queue_id(f);
    struct mfx_recipient *r = make_recipient(f, words);
    if (r == NULL || f->is_decided) {
        answer = settle_rcpt(f);
    } else if (is_rejected_by_mta(s)) {
        if (hooks_of(s)->rcpt_rejected != NULL)
            check_hook(f, hooks_of(s)->rcpt_rejected(&f->message, r));
    } else {
        answer = take_recipient(f, r);
    }
    take_time(s, MFX_TIMER_RCPT, began_us);
    return answer;
}

/* --- DATA, header fields, body --- */

enum mfx_answer
mfx_session_data(struct mfx_session *s)
{
    uint64_t began_us = now_us();
    struct mfx_flight *f = s->flight;
    if (f == NULL)
        return MFX_ANSWER_CONTINUE;
    begin_stage(f, "data", f->snapshot->common.command_wait_s);
    f->has_content = true;
    take_queue_id(f);
    if (!f->is_decided && hooks_of(s)->data != NULL)
        check_hook(f, hooks_of(s)->data(&f->message));
    enum mfx_answer answer = settle(f, MFX_STEP_DATA);
    take_time(s, MFX_TIMER_DATA, began_us);
    return answer;
}

static void
exceed_limit(struct mfx_flight *f, const char *setting)
{
    int on_limit = f->snapshot->common.on_limit;
    struct mfx_str why = mfx_arena_printf(f->arena, "above %s", setting);
    const char *reason = why.p == NULL ? "header too large" : why.p;
    mfx_metrics_add(f->session->engine->metrics, MFX_COUNT_LIMIT_EXCEEDED, 1);
    if (on_limit == MFX_ON_TROUBLE_REJECT) /* RFC 5321 4.2.3, RFC 3463 3.4 */
        mfx_decide_reject(&f->decision, 552, "5.3.4",
                          mfx_str_of("header section too large"), reason);
    else
        give_up(f, on_limit, 451, "4.3.4", "header section too large", reason);
}

static bool
is_within_limits(struct mfx_flight *f, struct mfx_str name,
                 struct mfx_str value)
{
    const struct mfx_common_settings *c = &f->snapshot->common;
    f->header_count++;
    f->header_bytes += name.len + value.len + 3;
    const char *setting = NULL;
    if (f->header_count > (size_t)c->header_count)
        setting = "header_count";
    else if (f->header_bytes > c->header_bytes)
        setting = "header_bytes";
    if (setting != NULL)
        exceed_limit(f, setting);
    return setting == NULL;
}

/* The value as it stands in the message (mail/header.h): an MTA without
 * SMFIP_HDR_LEADSPC took one space off; some send CRLF between lines. */
static struct mfx_str
exact_value(const struct mfx_flight *f, struct mfx_str value)
{
    bool is_cut = !f->session->plan.has_leading_space &&
                  !(value.len > 0 && value.p[0] == '\t');
    bool has_cr = value.len > 0 && memchr(value.p, '\r', value.len) != NULL;
    if (!is_cut && !has_cr)
        return value;
    char *out = mfx_arena_alloc_bytes(f->arena, value.len + 1);
    size_t at = 0;
    if (out == NULL)
        return mfx_str("", 0);
    if (is_cut)
        out[at++] = ' ';
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != '\r' || i + 1 == value.len || value.p[i + 1] != '\n')
            out[at++] = value.p[i];
    return mfx_str(out, at);
}

/* As it goes over the wire: "name:value" CRLF, with CRLF for each LF. */
static uint64_t
wire_size(struct mfx_str name, struct mfx_str value)
{
    uint64_t size = name.len + 1 + value.len + 2;
    for (size_t at = mfx_str_find(value, '\n'); at < value.len;
         at = mfx_str_find(value, '\n')) {
        size++;
        value = mfx_str_from(value, at + 1);
    }
    return size;
}

static void
take_header(struct mfx_flight *f, struct mfx_str name, struct mfx_str value)
{
    const struct mfx_hooks *hooks = hooks_of(f->session);
    struct mfx_message *m = &f->message;
    value = exact_value(f, value);
    m->header_bytes += wire_size(name, value);
    /* such a name cannot be edited nor looked for, and as indexes count
     * fields of one name, leaving it out moves no other field */
    if (!mfx_header_name_is_valid(name))
        return;
    const struct mfx_header *h =
        mfx_headers_add(&m->headers, f->arena, name, value);
    if (h != NULL && hooks->header != NULL)
        check_hook(f, hooks->header(m, h));
}

enum mfx_answer
mfx_session_header(struct mfx_session *s, const char *name, const char *value)
{
    struct mfx_flight *f = s->flight;
    if (f == NULL)
        return MFX_ANSWER_CONTINUE;
    if (f->header_count == 0)
        begin_stage(f, "header", 0);
    f->has_content = true;
    take_queue_id(f);
    struct mfx_str n = mfx_str_of(name), v = mfx_str_of(value);
    if (!f->is_decided && is_within_limits(f, n, v))
        take_header(f, n, v);
    return settle(f, MFX_STEP_HEADER);
}

enum mfx_answer
mfx_session_eoh(struct mfx_session *s)
{
    struct mfx_flight *f = s->flight;
    if (f == NULL)
        return MFX_ANSWER_CONTINUE;
    begin_stage(f, "eoh", 0);
    f->has_content = true;
    take_queue_id(f);
    if (!f->is_decided && hooks_of(s)->eoh != NULL)
        check_hook(f, hooks_of(s)->eoh(&f->message));
    return settle(f, MFX_STEP_EOH);
}

static void
take_body(struct mfx_flight *f, struct mfx_str piece)
{
    const struct mfx_hooks *hooks = hooks_of(f->session);
    enum mfx_body_want want = f->snapshot->wants.body;
    if (want == MFX_BODY_STORED)
        mfx_spill_add(&f->body, piece);
    if (hooks->body != NULL && want != MFX_BODY_NONE)
        check_hook(f, hooks->body(&f->message, piece, &f->is_body_done));
    if (want == MFX_BODY_STORED)
        f->is_body_done = false;
    else if (hooks->body == NULL || want == MFX_BODY_NONE)
        f->is_body_done = true;
}

enum mfx_answer
mfx_session_body(struct mfx_session *s, struct mfx_str piece)
{
    struct mfx_flight *f = s->flight;
    if (f == NULL)
        return MFX_ANSWER_CONTINUE;
    begin_stage(f, "body", 0);
    f->has_content = true;
    take_queue_id(f);
    f->message.body_bytes += piece.len;
    if (!f->is_decided && !f->is_body_done)
        take_body(f, piece);
    bool is_done = f->is_body_done;
    enum mfx_answer answer = settle(f, MFX_STEP_BODY);
    if (answer == MFX_ANSWER_CONTINUE && is_done && s->plan.can_skip &&
        mfx_session_replies(s, MFX_STEP_BODY))
        return MFX_ANSWER_SKIP;
    return answer;
}

/* --- end of message --- */

static void
apply_edits(struct mfx_flight *f)
{
    struct mfx_session *s = f->session;
    struct mfx_decision *d = &f->decision;
    struct mfx_err err = {{0}};
    const struct mfx_apply_facts facts = {
        .has_leading_space = s->plan.has_leading_space,
        .header_count = f->header_count,
    };
    size_t count = 0;
    if (mfx_apply(d, &s->link, &facts, &err) != MFX_OK) {
        struct mfx_str why = mfx_arena_copy(f->arena, mfx_str_of(err.msg));
        mfx_metrics_add(s->engine->metrics, MFX_COUNT_APPLY_FAILED, 1);
        mfx_decide_tempfail(d, 451, "4.3.0", mfx_str_of("internal error"),
                            why.len == 0 ? "an edit failed" : why.p);
        return;
    }
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next)
        count++;
    if (count > 0)
        mfx_metrics_add(s->engine->metrics, MFX_COUNT_EDITS, count);
}

enum mfx_answer
mfx_session_eom(struct mfx_session *s)
{
    uint64_t began_us = now_us();
    struct mfx_flight *f = s->flight;
    if (f == NULL) /* never pass what was not looked at */
        return MFX_ANSWER_TEMPFAIL;
    begin_stage(f, "eom", f->snapshot->common.end_wait_s);
    f->sends_progress = true;
    f->has_content = true;
    take_queue_id(f);
    if (!f->is_decided && hooks_of(s)->eom != NULL)
        check_hook(f, hooks_of(s)->eom(&f->message));
    (void)is_decided(f);
    if (!f->decision.is_dry && f->decision.verdict < MFX_VERDICT_DISCARD)
        apply_edits(f);
    enum mfx_answer answer = conclude(f);
    take_time(s, MFX_TIMER_EOM, began_us);
    return answer;
}
