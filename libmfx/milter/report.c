/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/report.h>

#include <stdio.h>

#include <mfx/base/log.h>

enum {
    RECIPIENTS_SHOWN = 5,
};

const char *
mfx_report_event(const struct mfx_report *r)
{
    static const char *const words[] = {
        [MFX_VERDICT_CONTINUE] = "passed",
        [MFX_VERDICT_ACCEPT] = "accepted",
        [MFX_VERDICT_HOLD] = "held",
        [MFX_VERDICT_DISCARD] = "discarded",
        [MFX_VERDICT_TEMPFAIL] = "deferred",
        [MFX_VERDICT_REJECT] = "rejected",
    };
    const struct mfx_decision *d = r->message->decision;
    if (r->ending == MFX_ENDING_ABORTED)
        return r->refusal.len > 0 ? "recipient_refused" : "aborted";
    if (r->ending == MFX_ENDING_LOST)
        return "connection_lost";
    /* a refusal is never logged under a word for success */
    if (r->verdict == MFX_VERDICT_TEMPFAIL || r->verdict == MFX_VERDICT_REJECT)
        return words[r->verdict];
    return d->event == NULL ? words[r->verdict] : d->event;
}

/* "login", or "foreign" with the client; "" before MAIL was decided. */
static const char *
origin_word(const struct mfx_message *m)
{
    return mfx_origin_rule_name(m->origin.rule);
}

static struct mfx_str
client_text(const struct mfx_connection *c, char out[MFX_IP_TEXT])
{
    if (c->client_ip.family != MFX_IP_NONE)
        return mfx_str_of(mfx_ip_format(&c->client_ip, out));
    return c->client_name.len > 0 ? c->client_name : mfx_str_of("none");
}

static void
log_sender(struct mfx_log_line *line, struct mfx_str sender)
{
    char text[MFX_LOG_VALUE_MAX];
    sender = mfx_str_head(sender, sizeof text - 2);
    text[0] = '<';
    if (sender.len > 0)
        memcpy(text + 1, sender.p, sender.len);
    text[1 + sender.len] = '>';
    mfx_log_add(line, "from", mfx_str(text, sender.len + 2));
}

static void
log_facts(struct mfx_log_line *line, const struct mfx_decision *d)
{
    for (const struct mfx_decision_note *n = d->facts; n != NULL; n = n->next)
        mfx_log_add(line, n->key, n->text);
}

void
mfx_report_log_refusal(const struct mfx_message *m,
                       const struct mfx_recipient *r)
{
    const struct mfx_decision *d = m->decision;
    struct mfx_log_line line;
    char ip[MFX_IP_TEXT];
    if (!mfx_log_wants(MFX_LOG_INFO))
        return;
    mfx_log_begin(&line, m->queue_id, "recipient_refused");
    mfx_log_add_text(&line, "verdict", mfx_verdict_name(d->verdict));
    if (d->is_dry)
        mfx_log_add_text(&line, "mode", "dry-run");
    mfx_log_add(&line, "reason", d->reason);
    log_sender(&line, m->sender);
    mfx_log_add(&line, "to", r->address);
    mfx_log_add_text(&line, "origin", origin_word(m));
    mfx_log_add(&line, "client", client_text(m->connection, ip));
    log_facts(&line, d);
    mfx_log_end(&line, MFX_LOG_INFO);
}

void
mfx_report_log(const struct mfx_report *r)
{
    const struct mfx_message *m = r->message;
    const struct mfx_decision *d = m->decision;
    struct mfx_log_line line;
    char ip[MFX_IP_TEXT];
    if (!mfx_log_wants(MFX_LOG_INFO))
        return;
    mfx_log_begin(&line, m->queue_id, mfx_report_event(r));
    mfx_log_add_text(&line, "verdict", mfx_verdict_name(r->verdict));
    if (d->is_dry)
        mfx_log_add_text(&line, "mode", "dry-run");
    if (r->ending != MFX_ENDING_ANSWERED)
        mfx_log_add_text(&line, "stage", r->stage);
    mfx_log_add(&line, "reason", d->reason);
    log_sender(&line, m->sender);
    mfx_log_add_text(&line, "origin", origin_word(m));
    mfx_log_add(&line, "client", client_text(m->connection, ip));
    log_facts(&line, d);
    mfx_log_add_u64(&line, "ms", r->ms);
    mfx_log_end(&line, MFX_LOG_INFO);
}

struct walk {
    void (*visit)(void *, enum mfx_item_section, const char *, struct mfx_str);
    void *arg;
};

static void
head(const struct walk *w, const char *key, struct mfx_str text)
{
    if (text.len > 0)
        w->visit(w->arg, MFX_ITEM_HEAD, key, text);
}

static void
head_u64(const struct walk *w, const char *key, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    head(w, key, mfx_str_of(text));
}

static void
walk_reply(const struct walk *w, const struct mfx_reply *reply)
{
    char text[sizeof *reply + 4];
    if (reply == NULL || !reply->is_set)
        return;
    (void)snprintf(text, sizeof text, "%s %s %s", reply->code, reply->enhanced,
                   reply->text);
    head(w, "reply", mfx_str_of(text));
}

static void
walk_recipients(const struct walk *w, const struct mfx_message *m)
{
    size_t shown = 0;
    const struct mfx_recipient *r = m->recipients;
    for (; r != NULL && shown < RECIPIENTS_SHOWN; r = r->next, shown++)
        head(w, "to", r->address);
    if (m->recipient_count > shown)
        head_u64(w, "recipients", m->recipient_count);
}

static const char *
edit_word(enum mfx_edit_kind kind)
{
    static const char *const words[] = {
        [MFX_EDIT_INSERT_HEADER] = "insert_header",
        [MFX_EDIT_CHANGE_HEADER] = "change_header",
        [MFX_EDIT_DELETE_HEADER] = "delete_header",
        [MFX_EDIT_SENDER] = "sender",
        [MFX_EDIT_ADD_RECIPIENT] = "add_recipient",
        [MFX_EDIT_DELETE_RECIPIENT] = "delete_recipient",
        [MFX_EDIT_BODY] = "body",
    };
    return words[kind];
}

static void
walk_edit(const struct walk *w, const struct mfx_edit *e)
{
    char text[512];
    struct mfx_str value =
        e->kind == MFX_EDIT_BODY ? mfx_str_of("...") : e->value;
    int n;
    if (e->name.len == 0)
        n = snprintf(text, sizeof text, "%.*s", MFX_STR_ARG(value));
    else if (e->kind == MFX_EDIT_INSERT_HEADER && e->place == MFX_EDIT_AT)
        n = snprintf(text, sizeof text, "at %d %.*s:%.*s", e->at,
                     MFX_STR_ARG(e->name), MFX_STR_ARG(value));
    else if (e->header != NULL)
        n = snprintf(text, sizeof text, "%.*s[%zu]:%.*s", MFX_STR_ARG(e->name),
                     e->header->instance, MFX_STR_ARG(value));
    else
        n = snprintf(text, sizeof text, "%.*s:%.*s", MFX_STR_ARG(e->name),
                     MFX_STR_ARG(value));
    if (n >= 0)
        w->visit(w->arg, MFX_ITEM_EDIT, edit_word(e->kind), mfx_str_of(text));
}

void
mfx_report_items(const struct mfx_report *r,
                 void (*visit)(void *arg, enum mfx_item_section section,
                               const char *key, struct mfx_str text),
                 void *arg)
{
    const struct walk w = {visit, arg};
    const struct mfx_message *m = r->message;
    const struct mfx_decision *d = m->decision;
    char ip[MFX_IP_TEXT];
    head(&w, "queue_id", m->queue_id);
    head_u64(&w, "time", r->ended_wall_s);
    head(&w, "event", mfx_str_of(mfx_report_event(r)));
    head(&w, "verdict", mfx_str_of(mfx_verdict_name(r->verdict)));
    head(&w, "mode", mfx_str_of(d->is_dry ? "dry-run" : "enforce"));
    head(&w, "reason", r->refusal.len > 0 ? r->refusal : d->reason);
    head(&w, "stage", mfx_str_of(r->stage));
    walk_reply(&w, r->reply);
    head(&w, "client", client_text(m->connection, ip));
    head(&w, "client_name", m->connection->client_name);
    head(&w, "helo", m->connection->helo);
    head(&w, "login", m->login);
    head(&w, "origin", mfx_str_of(origin_word(m)));
    head(&w, "origin_detail", m->origin.detail);
    head(&w, "from", m->sender.len > 0 ? m->sender : mfx_str_of("<>"));
    walk_recipients(&w, m);
    head_u64(&w, "ms", r->ms);
    for (const struct mfx_decision_note *n = d->facts; n != NULL; n = n->next)
        visit(arg, MFX_ITEM_FACT, n->key, n->text);
    for (const struct mfx_decision_note *n = d->trace; n != NULL; n = n->next)
        visit(arg, MFX_ITEM_RULE, n->key, n->text);
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next)
        walk_edit(&w, e);
}
