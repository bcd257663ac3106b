/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_impl.h>

#include <stdlib.h>

enum {
    ARENA_SPARE = 256 * 1024, /* the envelope, and what an answer becomes */
    ANSWER_SHARE = 8,         /* of the arena, for each byte of an answer */
};

/* --- names --- */

const char *
mfx_scan_end_name(enum mfx_scan_end end)
{
    static const char *const names[] = {
        "answered",  "timeout",   "unreached", "refused",   "broken",
        "too_large", "not_asked", "unstored",  "cancelled",
    };
    return end < MFX_SCAN_END_COUNT ? names[end] : "unknown";
}

const char *
mfx_scan_action_name(enum mfx_scan_action action)
{
    static const char *const names[] = {
        "no action",   "greylist", "add header", "rewrite subject",
        "soft reject", "reject",   "quarantine", "discard",
    };
    return action < MFX_SCAN_ACTION_UNKNOWN ? names[action] : "unknown";
}

const char *
mfx_scan_class_name(enum mfx_scan_class klass)
{
    static const char *const names[] = {
        "none",  "virus",    "pua",  "heuristic", "encrypted", "macro",
        "limit", "phishing", "spam", "data_loss", "broken",
    };
    return klass < MFX_SCAN_CLASS_COUNT ? names[klass] : "unknown";
}

/* --- the request is copied: the loop reads it when it likes --- */

static void
copy(struct mfx_arena *arena, struct mfx_str *text)
{
    *text = text->len == 0 ? mfx_str("", 0) : mfx_arena_copy(arena, *text);
}

static void
copy_recipients(struct mfx_arena *arena, struct mfx_scan_envelope *e)
{
    struct mfx_scan_recipient *to =
        mfx_arena_alloc_array(arena, e->recipient_count, sizeof *to);
    if (to == NULL)
        return;
    for (size_t i = 0; i < e->recipient_count; i++) {
        to[i] = e->recipients[i];
        copy(arena, &to[i].address);
        copy(arena, &to[i].args);
    }
    e->recipients = to;
}

/* False when out of memory. */
static bool
copy_request(struct mfx_scan *scan, const struct mfx_scan_request *request)
{
    struct mfx_scan_envelope *e = &scan->envelope;
    scan->request = *request;
    if (request->envelope != NULL)
        *e = *request->envelope;
    scan->request.envelope = e;
    struct mfx_str *const texts[] = {
        &e->client_name,     &e->helo,
        &e->protocol,        &e->sender,
        &e->sender_args,     &e->login,
        &e->queue_id,        &e->mta_name,
        &e->mta_tag,         &e->daemon_name,
        &e->tls_cipher,      &e->tls_version,
        &e->tls_issuer,      &e->tls_subject,
        &scan->request.user, &scan->request.settings_id,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        copy(scan->arena, texts[i]);
    copy_recipients(scan->arena, e);
    return mfx_arena_ok(scan->arena);
}

/* What the envelope takes, and room for an answer. */
static size_t
arena_budget(const struct mfx_scan_engine *engine,
             const struct mfx_scan_request *request)
{
    size_t need = ARENA_SPARE + ANSWER_SHARE * engine->settings.max_answer;
    const struct mfx_scan_envelope *e = request->envelope;
    for (size_t i = 0; e != NULL && i < e->recipient_count; i++)
        need += sizeof e->recipients[i] + e->recipients[i].address.len +
                e->recipients[i].args.len + 64;
    return need;
}

/* --- a scan's life --- */

void
mfx_scan_release(struct mfx_scan *scan)
{
    if (atomic_fetch_sub(&scan->holders, 1) != 1)
        return;
    struct mfx_scan_engine *engine = scan->engine;
    mfx_scan_body_unwatch(scan->request.body, &scan->watcher);
    mfx_scan_body_free(scan->request.body);
    mfx_event_fini(&scan->done);
    mfx_arena_free(scan->arena);
    free(scan);
    mfx_scan_engine_free(engine);
}

/* Ends it in this thread. */
static void
give_up(struct mfx_scan *scan)
{
    int bodys = MFX_SCAN_BODYS;
    if (!atomic_compare_exchange_strong(&scan->hands, &bodys, MFX_SCAN_NOBODYS))
        return; /* the loop has ended it */
    mfx_scan_result_clear(&scan->result);
    scan->result.end = MFX_SCAN_CANCELLED;
    scan->result.words = mfx_str_of("the daemon stops");
    mfx_event_set(&scan->done);
    mfx_scan_release(scan); /* the loop's share */
}

void
mfx_scan_post(struct mfx_scan *scan)
{
    atomic_fetch_add(&scan->holders, 1);
    enum mfx_scan_posted posted =
        mfx_scan_loop_post(scan->engine->loop, &scan->job);
    if (posted == MFX_SCAN_NO_LOOP)
        give_up(scan);
    if (posted != MFX_SCAN_POSTED)
        mfx_scan_release(scan);
}

static void
leave(void *arg)
{
    struct mfx_scan *scan = arg;
    (void)mfx_scan_cancel(scan);
    mfx_scan_release(scan);
}

static struct mfx_scan *
new_scan(struct mfx_scan_engine *engine, const struct mfx_scan_request *request)
{
    struct mfx_scan *scan = calloc(1, sizeof *scan);
    if (scan == NULL)
        return NULL;
    scan->arena = mfx_arena_new(arena_budget(engine, request));
    if (scan->arena == NULL || !copy_request(scan, request)) {
        mfx_arena_free(scan->arena);
        free(scan);
        return NULL;
    }
    atomic_init(&scan->holders, 2);
    atomic_init(&scan->quits, MFX_SCAN_STAYS);
    atomic_init(&scan->hands, MFX_SCAN_BODYS);
    mfx_event_init(&scan->done);
    scan->engine = mfx_scan_engine_hold(engine);
    (void)mfx_scan_body_hold(request->body);
    scan->job.run = mfx_scan_run;
    return scan;
}

struct mfx_scan *
mfx_scan_begin(struct mfx_arena *arena, struct mfx_scan_engine *engine,
               const struct mfx_scan_request *request)
{
    struct mfx_scan *scan = new_scan(engine, request);
    if (scan == NULL)
        return NULL;
    mfx_scan_await(scan);
    /* on failure it leaves at once */
    return mfx_arena_defer(arena, leave, scan) ? scan : NULL;
}

struct mfx_event *
mfx_scan_pending(struct mfx_scan *scan)
{
    if (scan->given != NULL || mfx_event_is_set(&scan->done))
        return NULL;
    return &scan->done;
}

uint64_t
mfx_scan_deadline_ms(struct mfx_scan *scan)
{
    struct mfx_scan_body_state state = mfx_scan_body_look(scan->request.body);
    return state.is_whole ? state.whole_ms + scan->request.time_ms : UINT64_MAX;
}

static const struct mfx_scan_result *
quit(struct mfx_scan *scan, enum mfx_scan_quit how, enum mfx_scan_end end,
     const char *words)
{
    if (scan->given != NULL)
        return scan->given;
    if (mfx_event_is_set(&scan->done)) {
        scan->given = &scan->result;
        return scan->given;
    }
    atomic_store(&scan->quits, (int)how);
    mfx_scan_post(scan);
    mfx_scan_result_clear(&scan->own);
    scan->own.end = end;
    scan->own.words = mfx_str_of(words);
    scan->own.took_ms = scan->request.time_ms;
    scan->given = &scan->own;
    return scan->given;
}

const struct mfx_scan_result *
mfx_scan_finish(struct mfx_scan *scan)
{
    return quit(scan, MFX_SCAN_QUIT_LATE, MFX_SCAN_TIMEOUT,
                "no answer in time");
}

const struct mfx_scan_result *
mfx_scan_cancel(struct mfx_scan *scan)
{
    return quit(scan, MFX_SCAN_QUIT_CANCELLED, MFX_SCAN_CANCELLED,
                "nobody waits for it");
}

/* --- results --- */

void
mfx_scan_result_clear(struct mfx_scan_result *result)
{
    memset(result, 0, sizeof *result);
    result->end = MFX_SCAN_BROKEN;
    struct mfx_str *const texts[] = {
        &result->words,  &result->server,     &result->action_word,
        &result->report, &result->virus,      &result->subject,
        &result->sender, &result->body,       &result->reply_text,
        &result->raw,    &result->message_id, &result->decided_by,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = mfx_str("", 0);
}

struct mfx_scan_texts
mfx_scan_texts_one(struct mfx_arena *arena, struct mfx_str text)
{
    struct mfx_scan_texts texts = {0};
    struct mfx_str *item = mfx_arena_alloc(arena, sizeof *item);
    if (item != NULL) {
        *item = text;
        texts.items = item;
        texts.count = 1;
    }
    return texts;
}
