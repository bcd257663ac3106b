/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd.h>

#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/scan/rspamd_answer.h>
#include <mfx/scan/rspamd_places.h>
#include <mfx/scan/rspamd_request.h>
#include <mfx/scan/rspamd_upload.h>
#include <mfx/scan/scan_http.h>
#include <mfx/scan/scan_json.h>

#include "config.h"

enum {
    PROBE_MS = 5000,       /* for an answer, when it is connected */
    SPARE_MAX = 32,        /* handles kept for the next requests */
    VALUE_MAX = 64 * 1024, /* of a setting */
};

struct talk;

struct rspamd {
    struct mfx_scan_engine engine; /* first */
    struct mfx_rspamd_settings settings;
    struct mfx_arena *arena; /* of settings and fields */
    struct curl_slist *fields;
    struct mfx_rspamd_places places;
    struct mfx_scan_http *http;
    struct talk *greetings; /* under way */
    struct talk *spare;
    size_t spare_count;
};

/* One request. */
struct talk {
    struct mfx_scan_transfer transfer; /* first */
    struct mfx_scan_watch watch;       /* of its time */
    struct rspamd *rspamd;
    struct talk *next;
    struct mfx_scan *scan; /* NULL: a greeting */
    unsigned server;
    CURLU *url;
    const char *command; /* what it was aimed at last; NULL: nothing yet */
    unsigned command_server;
    struct mfx_arena *arena;
    struct mfx_rspamd_upload upload;
    struct mfx_rspamd_answer answer;
    bool is_again; /* on a new connection */
    char error[CURL_ERROR_SIZE];
};

static struct rspamd *
rspamd_of(struct mfx_scan_engine *engine)
{
    return (struct rspamd *)(void *)engine;
}

static const char *
server_text(const struct talk *talk)
{
    return mfx_stream_peer_text(talk->rspamd->places.items[talk->server].peer);
}

/* --- talks --- */

static size_t
on_field(char *bytes, size_t size, size_t count, void *arg)
{
    struct talk *talk = arg;
    mfx_rspamd_answer_field(&talk->answer, mfx_str(bytes, size * count));
    if (talk->upload.is_paused) /* libcurl would wait for the message */
        talk->watch.due_ms = mfx_mono_ms();
    return size * count;
}

static size_t
on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct talk *talk = arg;
    struct mfx_str piece = mfx_str(bytes, size * count);
    return mfx_rspamd_answer_bytes(&talk->answer, piece) ? piece.len : 0;
}

static void on_done(struct mfx_scan_transfer *transfer, CURLcode code);
static void on_due(struct mfx_scan_watch *watch, short revents,
                   uint64_t now_ms);
static void on_stop(struct mfx_scan_watch *watch);

/* What is the same for all requests. */
static bool
prepare(const struct talk *talk)
{
    CURL *easy = talk->transfer.easy;
    const struct rspamd *r = talk->rspamd;
    const struct mfx_scan_engine_settings *s = &r->engine.settings;
    uint64_t idle_s = s->idle_ms < 1000 ? 1 : s->idle_ms / 1000;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            r->settings.user_agent.p) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)s->connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)idle_s) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
                            s->idle_ms == 0 ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, talk->error) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, talk) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, talk) == CURLE_OK &&
           mfx_rspamd_places_prepare(&r->places, easy);
}

static void
free_talk(struct talk *talk)
{
    if (talk->transfer.easy != NULL)
        curl_easy_cleanup(talk->transfer.easy);
    curl_url_cleanup(talk->url);
    mfx_rspamd_upload_fini(&talk->upload);
    mfx_rspamd_answer_fini(&talk->answer);
    mfx_arena_free(talk->arena);
    free(talk);
}

static struct talk *
new_talk(struct rspamd *rspamd)
{
    struct talk *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->rspamd = rspamd;
    t->transfer.done = on_done;
    t->watch = (struct mfx_scan_watch){
        .fd = -1, .due_ms = UINT64_MAX, .ready = on_due, .stop = on_stop};
    t->upload.compresses = rspamd->settings.compresses;
    mfx_rspamd_answer_init(&t->answer, rspamd->engine.settings.max_answer);
    t->arena = mfx_arena_new(0);
    t->transfer.easy = curl_easy_init();
    t->url = curl_url();
    if (t->arena != NULL && t->transfer.easy != NULL && t->url != NULL &&
        prepare(t))
        return t;
    free_talk(t);
    return NULL;
}

static void
take_out(struct talk **list, struct talk *talk)
{
    while (*list != NULL && *list != talk)
        list = &(*list)->next;
    if (*list != NULL)
        *list = talk->next;
}

/* It is over, whatever it did. */
static void
put_talk(struct talk *talk)
{
    struct rspamd *r = talk->rspamd;
    mfx_scan_http_drop(r->http, &talk->transfer);
    mfx_scan_loop_unwatch(r->engine.loop, &talk->watch);
    take_out(&r->greetings, talk);
    if (r->spare_count == SPARE_MAX) {
        free_talk(talk);
        return;
    }
    /* nothing of the request stays: what it points to goes */
    (void)curl_easy_setopt(talk->transfer.easy, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(talk->transfer.easy, CURLOPT_POSTFIELDS, NULL);
    if (talk->is_again)
        (void)curl_easy_setopt(talk->transfer.easy, CURLOPT_FRESH_CONNECT, 0L);
    talk->is_again = false;
    mfx_arena_reset(talk->arena);
    mfx_rspamd_answer_fini(&talk->answer);
    mfx_rspamd_answer_init(&talk->answer, r->engine.settings.max_answer);
    talk->scan = NULL;
    talk->next = r->spare;
    r->spare = talk;
    r->spare_count++;
}

static struct talk *
get_talk(struct rspamd *rspamd, struct mfx_scan *scan, unsigned server)
{
    struct talk *t = rspamd->spare;
    if (t != NULL) {
        rspamd->spare = t->next;
        rspamd->spare_count--;
    } else {
        t = new_talk(rspamd);
    }
    if (t == NULL)
        return NULL;
    t->next = NULL;
    t->scan = scan;
    t->server = server;
    t->error[0] = '\0';
    mfx_rspamd_answer_begin(&t->answer, scan);
    return t;
}

static void
end_talk(struct talk *talk, enum mfx_scan_end end, const char *words)
{
    struct rspamd *r = talk->rspamd;
    struct mfx_scan *scan = talk->scan;
    unsigned server = talk->server;
    if (scan != NULL)
        scan->attempt = NULL;
    put_talk(talk);
    if (scan != NULL)
        mfx_scan_attempt_end(scan, end, words);
    else
        mfx_scan_probe_end(&r->engine, server, end == MFX_SCAN_ANSWERED, words);
}

/* --- the end of a request --- */

/* What has begun to answer is there. */
static enum mfx_scan_end
end_of(const struct talk *talk, CURLcode code)
{
    switch ((int)code) {
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return MFX_SCAN_NOT_ASKED;
    case CURLE_UNSUPPORTED_PROTOCOL: /* no HTTP */
    case CURLE_WEIRD_SERVER_REPLY:
        return MFX_SCAN_BROKEN;
    default: /* connections, names, TLS */
        return talk->answer.has_begun ? MFX_SCAN_BROKEN : MFX_SCAN_UNREACHED;
    }
}

static enum mfx_scan_end
use_failure(const struct talk *talk, CURLcode code, struct mfx_err *err)
{
    if (talk->upload.trouble == MFX_SCAN_PIECE_LOST) {
        mfx_err_set(err, "it cannot be read again");
        return MFX_SCAN_UNSTORED;
    }
    if (talk->upload.trouble == MFX_SCAN_PIECE_TOO_LARGE) {
        mfx_err_set(err, "larger than max_size");
        return MFX_SCAN_TOO_LARGE;
    }
    mfx_err_set(err, "%s",
                talk->answer.is_too_long ? "the answer is too long"
                : talk->error[0] != '\0' ? talk->error
                                         : curl_easy_strerror(code));
    return end_of(talk, code);
}

static bool begin_request(struct talk *talk);
static bool begin_greeting(struct talk *talk);

/* A used connection may have been closed just then: that says nothing. libcurl
 * sees to it only before anything is sent. */
static bool
begins_anew(struct talk *talk)
{
    long fresh = 1;
    if (talk->is_again || talk->answer.has_begun ||
        talk->upload.trouble != MFX_SCAN_PIECE ||
        curl_easy_getinfo(talk->transfer.easy, CURLINFO_NUM_CONNECTS, &fresh) !=
            CURLE_OK ||
        fresh > 0 ||
        curl_easy_setopt(talk->transfer.easy, CURLOPT_FRESH_CONNECT, 1L) !=
            CURLE_OK)
        return false;
    talk->is_again = true;
    mfx_rspamd_answer_begin(&talk->answer, talk->scan);
    talk->error[0] = '\0';
    return talk->scan != NULL ? begin_request(talk) : begin_greeting(talk);
}

static void
on_done(struct mfx_scan_transfer *transfer, CURLcode code)
{
    struct talk *talk = (struct talk *)transfer;
    struct mfx_err why = {{0}}, words = {{0}};
    long status = 0;
    if (code != CURLE_OK && begins_anew(talk))
        return;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    enum mfx_scan_end end =
        code == CURLE_OK ? mfx_rspamd_answer_use(&talk->answer, status, &why)
                         : use_failure(talk, code, &why);
    if (end == MFX_SCAN_ANSWERED || end == MFX_SCAN_UNSTORED)
        words = why;
    else
        mfx_err_set(&words, "%s: %s", server_text(talk), why.msg);
    end_talk(talk, end, words.msg);
}

/* It has answered before it had all: what is left is not waited for. */
static bool
goes_on(struct talk *talk, uint64_t now_ms)
{
    if (talk->scan == NULL || !talk->answer.has_begun ||
        !talk->upload.is_paused || now_ms >= talk->scan->attempt_until_ms)
        return false;
    talk->watch.due_ms = talk->scan->attempt_until_ms;
    talk->upload.is_paused = false;
    mfx_scan_http_resume(talk->rspamd->http, &talk->transfer);
    return true;
}

static void
on_due(struct mfx_scan_watch *watch, short revents, uint64_t now_ms)
{
    struct talk *talk =
        (struct talk *)(void *)((char *)watch - offsetof(struct talk, watch));
    struct mfx_err words;
    (void)revents;
    if (goes_on(talk, now_ms))
        return;
    if (!talk->transfer.is_running) { /* it could not begin */
        enum mfx_scan_end end = use_failure(talk, CURLE_OUT_OF_MEMORY, &words);
        end_talk(talk, end, words.msg);
        return;
    }
    mfx_err_set(&words, "%s: no answer in time", server_text(talk));
    end_talk(talk, MFX_SCAN_TIMEOUT, words.msg);
}

/* The loop ends: scans have ended by themselves, or will. */
static void
on_stop(struct mfx_scan_watch *watch)
{
    struct talk *talk =
        (struct talk *)(void *)((char *)watch - offsetof(struct talk, watch));
    if (talk->scan == NULL)
        put_talk(talk);
}

/* --- what the engine is asked to do --- */

static const char *
command_of(const struct mfx_scan *scan)
{
    switch (scan->request.purpose) {
    case MFX_SCAN_CHECK:
        break;
    case MFX_SCAN_LEARN_SPAM:
        return "learnspam";
    case MFX_SCAN_LEARN_HAM:
    case MFX_SCAN_FORGET: /* never asked */
        return "learnham";
    }
    return "checkv2";
}

/* As the last time, mostly. */
static bool
aim(struct talk *talk, const char *command)
{
    if (talk->command == command && talk->command_server == talk->server)
        return true;
    talk->command =
        mfx_rspamd_places_aim(&talk->rspamd->places, talk->server, command,
                              talk->transfer.easy, talk->url)
            ? command
            : NULL;
    talk->command_server = talk->server;
    return talk->command != NULL;
}

static bool
begin_request(struct talk *talk)
{
    struct rspamd *r = talk->rspamd;
    struct mfx_scan *scan = talk->scan;
    CURL *easy = talk->transfer.easy;
    struct curl_slist *fields =
        mfx_rspamd_request_fields(&scan->request, talk->arena, r->fields);
    return fields != NULL &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields) == CURLE_OK &&
           aim(talk, command_of(scan)) &&
           mfx_rspamd_upload_begin(&talk->upload, scan, talk->arena, easy) &&
           mfx_scan_http_begin(r->http, &talk->transfer);
}

static void
ask(struct mfx_scan *scan, uint64_t now_ms)
{
    struct talk *talk = get_talk(rspamd_of(scan->engine), scan, scan->server);
    scan->attempt = talk;
    if (talk == NULL ||
        !mfx_scan_loop_watch(scan->engine->loop, &talk->watch)) {
        scan->timer.due_ms = now_ms; /* it cannot even be tried */
        return;
    }
    /* ending it here is not allowed */
    talk->watch.due_ms = begin_request(talk) ? scan->attempt_until_ms : now_ms;
}

static void
grown(struct mfx_scan *scan, uint64_t now_ms)
{
    struct talk *talk = scan->attempt;
    (void)now_ms;
    if (talk == NULL)
        return;
    talk->watch.due_ms = scan->attempt_until_ms;
    if (!talk->upload.is_paused)
        return;
    talk->upload.is_paused = false;
    mfx_scan_http_resume(talk->rspamd->http, &talk->transfer);
}

static void
drop(struct mfx_scan *scan)
{
    struct talk *talk = scan->attempt;
    scan->attempt = NULL;
    if (talk != NULL)
        put_talk(talk);
}

static bool
begin_greeting(struct talk *talk)
{
    struct rspamd *r = talk->rspamd;
    CURL *easy = talk->transfer.easy;
    return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
           aim(talk, "ping") &&
           mfx_scan_loop_watch(r->engine.loop, &talk->watch) &&
           mfx_scan_http_begin(r->http, &talk->transfer);
}

static void
probe(struct mfx_scan_engine *engine, unsigned server, uint64_t now_ms)
{
    struct rspamd *r = rspamd_of(engine);
    struct talk *talk = get_talk(r, NULL, server);
    if (talk != NULL) {
        talk->watch.due_ms = now_ms + PROBE_MS + engine->settings.connect_ms;
        talk->next = r->greetings;
        r->greetings = talk;
        talk->upload.trouble = MFX_SCAN_PIECE;
        if (begin_greeting(talk))
            return;
        put_talk(talk);
    }
    mfx_scan_probe_end(engine, server, false, "out of memory");
}

static void
close_greetings(struct mfx_scan_engine *engine)
{
    struct rspamd *r = rspamd_of(engine);
    while (r->greetings != NULL)
        put_talk(r->greetings);
}

/* --- life --- */

struct mfx_rspamd_settings
mfx_rspamd_settings_default(void)
{
    return (struct mfx_rspamd_settings){.user_agent =
                                            MFX_STR("mfx/" PACKAGE_VERSION)};
}

static enum mfx_rc
check_json(struct mfx_str text, struct mfx_err *err)
{
    if (text.len == 0)
        return MFX_OK;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_err why;
    bool is_object =
        arena != NULL &&
        mfx_scan_json_is_object(mfx_scan_json_read(arena, text, &why));
    mfx_arena_free(arena);
    if (is_object)
        return MFX_OK;
    mfx_err_set(err, "settings for rspamd: not a JSON object");
    return MFX_PERMFAIL;
}

/* A copy with a NUL. */
static enum mfx_rc
take_value(struct rspamd *r, struct mfx_str *text, const char *what,
           struct mfx_err *err)
{
    if (!mfx_rspamd_is_value(*text) || text->len > VALUE_MAX) {
        mfx_err_set(err, "%s for rspamd: not one line", what);
        return MFX_PERMFAIL;
    }
    *text = mfx_arena_copy(r->arena, *text);
    return MFX_OK;
}

static enum mfx_rc
take_settings(struct rspamd *r, struct mfx_err *err)
{
    struct mfx_rspamd_settings *s = &r->settings;
    enum mfx_rc rc = take_value(r, &s->password, "password", err);
    if (rc == MFX_OK)
        rc = take_value(r, &s->settings_id, "settings_id", err);
    if (rc == MFX_OK)
        rc = take_value(r, &s->user_agent, "user_agent", err);
    if (rc == MFX_OK)
        rc = take_value(r, &s->settings, "settings", err);
    if (rc == MFX_OK)
        rc = check_json(s->settings, err);
    if (rc != MFX_OK)
        return rc;
    r->fields = mfx_rspamd_request_fixed(s, r->arena);
    if (r->fields != NULL)
        return MFX_OK;
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

static void
fini(struct rspamd *r)
{
    while (r->spare != NULL) {
        struct talk *talk = r->spare;
        r->spare = talk->next;
        free_talk(talk);
    }
    mfx_scan_http_free(r->http);
    mfx_rspamd_places_fini(&r->places);
    mfx_arena_free(r->arena);
}

static void
free_rspamd(struct mfx_scan_engine *engine)
{
    struct rspamd *r = rspamd_of(engine);
    fini(r);
    mfx_scan_engine_fini(engine);
    free(r);
}

static enum mfx_rc
init(struct rspamd *r, struct mfx_scan_loop *loop,
     const struct mfx_scan_engine_settings *settings, struct mfx_err *err)
{
    static const struct mfx_scan_engine_ops ops = {
        .name = "rspamd",
        .ask = ask,
        .grown = grown,
        .drop = drop,
        .probe = probe,
        .close = close_greetings,
        .free = free_rspamd,
    };
    unsigned port = r->settings.are_controllers ? MFX_RSPAMD_CONTROLLER_PORT
                                                : MFX_RSPAMD_PORT;
    r->engine.can_learn = r->settings.are_controllers;
    r->engine.streams_from = MFX_RSPAMD_SHORT + 1;
    enum mfx_rc rc = take_settings(r, err);
    if (rc == MFX_OK)
        rc = mfx_rspamd_places_init(&r->places, settings, port, err);
    if (rc == MFX_OK) /* last: it may be asked at once */
        rc = mfx_scan_engine_init(&r->engine, &ops, loop, settings, err);
    return rc;
}

enum mfx_rc
mfx_rspamd_new(struct mfx_scan_loop *loop,
               const struct mfx_scan_engine_settings *settings,
               const struct mfx_rspamd_settings *rspamd,
               struct mfx_scan_engine **engine, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct rspamd *r = calloc(1, sizeof *r);
    if (r != NULL) {
        r->settings = *rspamd;
        r->arena = mfx_arena_new(0);
        r->http = mfx_scan_http_new(loop);
    }
    if (r == NULL || r->arena == NULL || r->http == NULL)
        mfx_err_set(err, "out of memory");
    else
        rc = init(r, loop, settings, err);
    if (rc == MFX_OK)
        *engine = &r->engine;
    else if (r != NULL)
        fini(r);
    if (rc != MFX_OK)
        free(r);
    return rc;
}
