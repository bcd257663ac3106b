/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/libmilter.h>

#include <libmilter/mfapi.h>

#include <mfx/base/log.h>

enum {
    BACKLOG = 512,
    BODY_STEP = 64 * 1024 * 1024,
    ENDED_MAX = 64,
};

/* What a session had negotiated when it ended. */
struct ended {
    const SMFICTX *ctx;
    struct mfx_offer offer;
};

static struct {
    struct mfx_engine *engine;
    bool is_unix;
    pthread_mutex_t mutex; /* of the two below */
    struct ended ended[ENDED_MAX];
    unsigned next_ended;
} glue = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* libmilter's parameters are char * and never written to. */
static char *
loose(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* --- the link: what we ask of the MTA --- */

static const char *
get_macro(void *ctx, const char *name)
{
    return smfi_getsymval(ctx, loose(name));
}

static bool
set_reply(void *ctx, const char *code, const char *enhanced, const char *text)
{
    return smfi_setreply(ctx, loose(code), loose(enhanced), loose(text)) ==
           MI_SUCCESS;
}

static bool
replace_body(void *ctx, struct mfx_str body)
{
    do {
        struct mfx_str step = mfx_str_head(body, BODY_STEP);
        unsigned char *p = (unsigned char *)loose(step.len > 0 ? step.p : "");
        if (smfi_replacebody(ctx, p, (int)step.len) != MI_SUCCESS)
            return false;
        body = mfx_str_from(body, step.len);
    } while (body.len > 0);
    return true;
}

static bool
change_header(void *ctx, const char *name, size_t index, const char *value)
{
    return index <= INT32_MAX && smfi_chgheader(ctx, loose(name), (int)index,
                                                loose(value)) == MI_SUCCESS;
}

static bool
insert_header(void *ctx, int at, const char *name, const char *value)
{
    return smfi_insheader(ctx, at, loose(name), loose(value)) == MI_SUCCESS;
}

static bool
append_header(void *ctx, const char *name, const char *value)
{
    return smfi_addheader(ctx, loose(name), loose(value)) == MI_SUCCESS;
}

static bool
change_sender(void *ctx, const char *address, const char *parameters)
{
    return smfi_chgfrom(ctx, loose(address), loose(parameters)) == MI_SUCCESS;
}

static bool
add_recipient(void *ctx, const char *address, const char *parameters)
{
    /* an MTA that has not offered parameters gets none */
    return (parameters != NULL &&
            smfi_addrcpt_par(ctx, loose(address), loose(parameters)) ==
                MI_SUCCESS) ||
           smfi_addrcpt(ctx, loose(address)) == MI_SUCCESS;
}

static bool
delete_recipient(void *ctx, const char *address)
{
    return smfi_delrcpt(ctx, loose(address)) == MI_SUCCESS;
}

static bool
quarantine(void *ctx, const char *reason)
{
    return smfi_quarantine(ctx, loose(reason)) == MI_SUCCESS;
}

static bool
progress(void *ctx)
{
    return smfi_progress(ctx) == MI_SUCCESS;
}

static const struct mfx_link_ops ops = {
    .macro = get_macro,
    .reply = set_reply,
    .body = replace_body,
    .change = change_header,
    .insert = insert_header,
    .append = append_header,
    .sender = change_sender,
    .add_recipient = add_recipient,
    .delete_recipient = delete_recipient,
    .quarantine = quarantine,
    .progress = progress,
};

/* --- callbacks: what the MTA tells us --- */

/* Where no reply was negotiated libmilter wants to hear so: it logs an error
 * for any other answer, and drops it. */
static sfsistat
status(const struct mfx_session *s, enum mfx_step step, enum mfx_answer answer)
{
    static const sfsistat map[] = {
        [MFX_ANSWER_CONTINUE] = SMFIS_CONTINUE,
        [MFX_ANSWER_ACCEPT] = SMFIS_ACCEPT,
        [MFX_ANSWER_REJECT] = SMFIS_REJECT,
        [MFX_ANSWER_TEMPFAIL] = SMFIS_TEMPFAIL,
        [MFX_ANSWER_DISCARD] = SMFIS_DISCARD,
        [MFX_ANSWER_SKIP] = SMFIS_SKIP,
    };
    return mfx_session_replies(s, step) ? map[answer] : SMFIS_NOREPLY;
}

static void
ask_macros(SMFICTX *ctx, const struct mfx_plan *plan)
{
    static const struct {
        int where;
        unsigned step; /* whose packets the list goes with; 0: always */
    } stages[MFX_STAGE_COUNT] = {
        [MFX_STAGE_CONNECT] = {SMFIM_CONNECT, 1U << MFX_STEP_CONNECT},
        [MFX_STAGE_HELO] = {SMFIM_HELO,    1U << MFX_STEP_HELO   },
        [MFX_STAGE_MAIL] = {SMFIM_ENVFROM, 1U << MFX_STEP_MAIL   },
        [MFX_STAGE_RCPT] = {SMFIM_ENVRCPT, 1U << MFX_STEP_RCPT   },
        [MFX_STAGE_DATA] = {SMFIM_DATA,    1U << MFX_STEP_DATA   },
        [MFX_STAGE_EOH] = {SMFIM_EOH,     0                     },
        [MFX_STAGE_EOM] = {SMFIM_EOM,     0                     },
    };
    for (int i = 0; i < MFX_STAGE_COUNT; i++) {
        bool is_sent =
            stages[i].step == 0 || (plan->sent & stages[i].step) != 0;
        /* libmilter knows no empty list; the MTA's default stands then */
        if (is_sent && plan->asked->macros[i].len > 0)
            (void)smfi_setsymlist(ctx, stages[i].where,
                                  loose(plan->asked->macros[i].p));
    }
}

/* After a QUIT_NC another connection comes with what was negotiated before,
 * but libmilter has told us of the end: the last that ended are kept. */
static void
remember(const SMFICTX *ctx, const struct mfx_plan *plan)
{
    (void)pthread_mutex_lock(&glue.mutex);
    struct ended *e = &glue.ended[glue.next_ended % ENDED_MAX];
    for (size_t i = 0; i < ENDED_MAX; i++)
        if (glue.ended[i].ctx == ctx)
            e = &glue.ended[i];
    if (e->ctx != ctx)
        glue.next_ended++;
    e->ctx = ctx;
    e->offer = (struct mfx_offer){plan->actions, plan->steps, glue.is_unix};
    (void)pthread_mutex_unlock(&glue.mutex);
}

static bool
recall(const SMFICTX *ctx, struct mfx_offer *offer)
{
    bool is_found = false;
    (void)pthread_mutex_lock(&glue.mutex);
    for (size_t i = 0; i < ENDED_MAX; i++) {
        if (glue.ended[i].ctx != ctx)
            continue;
        *offer = glue.ended[i].offer;
        glue.ended[i].ctx = NULL;
        is_found = true;
    }
    (void)pthread_mutex_unlock(&glue.mutex);
    return is_found;
}

static void
end_session(SMFICTX *ctx)
{
    struct mfx_session *s = smfi_getpriv(ctx);
    if (s == NULL)
        return;
    (void)smfi_setpriv(ctx, NULL);
    remember(ctx, mfx_session_plan(s));
    mfx_session_close(s);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
             unsigned long f2, unsigned long f3, unsigned long *want_actions,
             unsigned long *want_steps, unsigned long *want_f2,
             unsigned long *want_f3)
{
    const struct mfx_link link = {&ops, ctx};
    const struct mfx_offer offer = {actions, steps, glue.is_unix};
    const struct mfx_plan *plan = NULL;
    (void)f2;
    (void)f3;
    end_session(ctx);
    struct mfx_session *s = mfx_session_new(glue.engine, &link, &offer, &plan);
    if (s == NULL || smfi_setpriv(ctx, s) != MI_SUCCESS)
        return SMFIS_REJECT;
    *want_actions = plan->actions;
    *want_steps = plan->steps;
    *want_f2 = *want_f3 = 0;
    if (plan->has_macro_lists)
        ask_macros(ctx, plan);
    return SMFIS_CONTINUE;
}

/* No session: there was no memory, or the settings have changed between the
 * two connections of a QUIT_NC. Nothing passes unseen. */
static struct mfx_session *
session_of(SMFICTX *ctx)
{
    struct mfx_session *s = smfi_getpriv(ctx);
    if (s == NULL)
        mfx_log_say(MFX_LOG_WARNING, "no_session", "reason",
                    "connection without negotiation");
    return s;
}

/* A new session, if it would negotiate what the MTA goes by already. */
static void
begin_again(SMFICTX *ctx)
{
    const struct mfx_link link = {&ops, ctx};
    const struct mfx_plan *plan = NULL;
    struct mfx_offer offer;
    if (smfi_getpriv(ctx) != NULL || !recall(ctx, &offer))
        return;
    struct mfx_session *s = mfx_session_new(glue.engine, &link, &offer, &plan);
    if (s == NULL)
        return;
    if (plan->steps != offer.steps || smfi_setpriv(ctx, s) != MI_SUCCESS)
        mfx_session_close(s);
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    begin_again(ctx);
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_CONNECT,
                              mfx_session_connect(s, name, address));
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_HELO, mfx_session_helo(s, name));
}

static sfsistat
on_mail(SMFICTX *ctx, char **words)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_MAIL,
                              mfx_session_mail(s, (const char *const *)words));
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **words)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_RCPT,
                              mfx_session_rcpt(s, (const char *const *)words));
}

static sfsistat
on_data(SMFICTX *ctx)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_DATA, mfx_session_data(s));
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
    struct mfx_session *s = smfi_getpriv(ctx);
    return s == NULL
               ? SMFIS_TEMPFAIL
               : status(s, MFX_STEP_HEADER, mfx_session_header(s, name, value));
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_EOH, mfx_session_eoh(s));
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *p, size_t len)
{
    struct mfx_session *s = smfi_getpriv(ctx);
    return s == NULL
               ? SMFIS_TEMPFAIL
               : status(s, MFX_STEP_BODY,
                        mfx_session_body(s, mfx_str((const char *)p, len)));
}

static sfsistat
on_eom(SMFICTX *ctx)
{
    struct mfx_session *s = session_of(ctx);
    return s == NULL ? SMFIS_TEMPFAIL
                     : status(s, MFX_STEP_COUNT, mfx_session_eom(s));
}

static sfsistat
on_abort(SMFICTX *ctx)
{
    struct mfx_session *s = smfi_getpriv(ctx);
    if (s != NULL)
        mfx_session_abort(s);
    return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
    end_session(ctx);
    return SMFIS_CONTINUE;
}

/* --- life --- */

enum mfx_rc
mfx_libmilter_open(struct mfx_engine *engine, const char *address, bool is_unix,
                   struct mfx_err *err)
{
    const struct smfiDesc filter = {
        .xxfi_name = loose(engine->filter->name),
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFI_CURR_ACTS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_data = on_data,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };
    glue.engine = engine;
    glue.is_unix = is_unix;
    if (smfi_setconn(loose(address)) != MI_SUCCESS ||
        smfi_register(filter) != MI_SUCCESS) {
        mfx_err_set(err, "socket %s: not understood", address);
        return MFX_PERMFAIL;
    }
    (void)smfi_setbacklog(BACKLOG);
    if (smfi_opensocket(false) != MI_SUCCESS) {
        mfx_err_set(err, "socket %s: cannot listen: %m", address);
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

bool
mfx_libmilter_run(void)
{
    return smfi_main() == MI_SUCCESS;
}
