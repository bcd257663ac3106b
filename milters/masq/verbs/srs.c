/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs - an SRS address made, or one taken back
 *
 * Most are told by the secrets alone. A short form is in the daemon's store:
 * the running daemon is asked, or its store while it does not run.
 */
#include "../srs_ask.h"

#include "../../../tools/mfxctl/control.h"
#include "../../../tools/mfxctl/own_store.h"
#include "situation.h"

enum {
    ANSWER_MS = 30000,
    CLOSE_MS = 2000,
};

struct work {
    const struct verb_run *run;
    const char *socket, *direction, *text; /* as given */
    struct situation s;
    struct masq_srs_ask ask;
    struct masq_address address;
    struct masq_srs_result result;
    struct mfx_err err;
};

/* --- the daemon --- */

static enum mfx_rc
rc_of(const char *name)
{
    static const enum mfx_rc all[] = {MFX_OK, MFX_NOTFOUND, MFX_PERMFAIL};
    for (size_t i = 0; name != NULL && i < sizeof all / sizeof all[0]; i++)
        if (strcmp(name, mfx_rc_name(all[i])) == 0)
            return all[i];
    return MFX_TEMPFAIL;
}

static struct mfx_str
text_in(const struct work *w, const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return mfx_arena_copy(w->run->arena, mfx_str_of(text));
}

static int
understand(struct work *w, const struct control_reply *reply)
{
    if (reply->is_error) {
        mfx_err_set(&w->err, "mfx-masq: %.*s", MFX_STR_ARG(reply->error));
        return EXIT_TEMP;
    }
    json_t *o = json_loadb(reply->body.p, reply->body.len, 0, NULL);
    w->result = (struct masq_srs_result){
        .rc = rc_of(json_string_value(json_object_get(o, "rc"))),
        .to = text_in(w, o, "to"),
        .code = text_in(w, o, "code").p,
        .text = text_in(w, o, "text"),
    };
    json_decref(o);
    return EXIT_OK;
}

static int
ask_daemon(struct work *w, const char *path, bool *is_silent)
{
    struct mfx_str address =
        mfx_arena_copy(w->run->arena, situation_text(w->run, &w->address));
    const char *words[] = {"srs", w->direction, address.p};
    struct control_reply reply;
    struct mfx_buf line;
    mfx_buf_init_arena(&line, w->run->arena, CONTROL_LINE_MAX);
    if (address.p == NULL || control_request(&line, true, words, 3) != MFX_OK) {
        mfx_err_set(&w->err, "an address with blanks is not asked for in the "
                             "store of a running daemon");
        return EXIT_USAGE;
    }
    enum mfx_rc rc =
        control_ask(path, mfx_buf_str(&line), mfx_mono_ms() + ANSWER_MS,
                    w->run->arena, &reply, &w->err);
    *is_silent = rc == MFX_NOTFOUND;
    if (rc == MFX_OK)
        return understand(w, &reply);
    return rc == MFX_TEMPFAIL ? EXIT_TEMP : EXIT_UNREACHABLE;
}

/* --- the store --- */

static int
ask_store(struct work *w)
{
    const struct masq_policy *policy = w->ask.policy;
    int status = own_store_prepare(&policy->settings->store, &w->err);
    if (status != EXIT_OK)
        return status;
    w->ask.store = mfx_store_share_open(policy->shared, &w->err);
    if (w->ask.store == NULL)
        return EXIT_CONFIG;
    status = own_store_wait(w->ask.store, &w->err);
    if (status == EXIT_OK)
        masq_srs_ask(&w->ask, &w->address, &w->result);
    mfx_store_close(w->ask.store, CLOSE_MS);
    return status;
}

static int
ask(struct work *w)
{
    bool must_be_there = false, is_silent = false;
    if (!masq_srs_ask_direction(mfx_str_of(w->direction), &w->ask.is_forward))
        return verb_wrong(w->run, "%s: forward or reverse", w->direction);
    if (situation_address(w->run, w->text, &w->address) != MFX_OK)
        return verb_wrong(w->run, "%s: no address", w->text);
    w->ask.policy = situation_policy(&w->s);
    w->ask.env = w->s.loaded->env;
    w->ask.arena = w->run->arena;
    if (w->ask.policy->srs == NULL)
        return verb_fail(w->run, EXIT_CONFIG, "srs.domain is not set");
    masq_srs_ask(&w->ask, &w->address, &w->result);
    if (w->result.rc != MFX_TEMPFAIL || w->ask.policy->shared == NULL)
        return EXIT_OK;
    const char *path =
        control_path(w->socket, "masq", w->run->arena, &must_be_there);
    if (path == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    int status = ask_daemon(w, path, &is_silent);
    if (is_silent && !must_be_there)
        status = ask_store(w);
    return status == EXIT_OK ? status
                             : verb_fail(w->run, status, "%s", w->err.msg);
}

static int
show(const struct work *w)
{
    const struct masq_srs_result *r = &w->result;
    static const char *const words[] = {
        [MFX_OK] = "changed",
        [MFX_NOTFOUND] = "stays",
        [MFX_TEMPFAIL] = "deferred",
        [MFX_PERMFAIL] = "refused",
    };
    if (w->run->as_json) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "address", verb_json(mfx_str_of(w->text)));
        (void)json_object_set_new(o, "result", json_string(words[r->rc]));
        (void)json_object_set_new(
            o, "to", r->rc == MFX_OK ? verb_json(r->to) : json_null());
        (void)json_object_set_new(o, "text", verb_json(r->text));
        verb_print_json(o);
    } else if (r->rc == MFX_OK) {
        (void)printf("%s\n", verb_utf8(w->run, r->to));
    } else {
        (void)printf(
            "%s: %s%s%s%s\n", words[r->rc], r->rc == MFX_PERMFAIL ? "550 " : "",
            r->rc == MFX_PERMFAIL && r->code != NULL ? r->code : "",
            r->rc == MFX_PERMFAIL ? " " : "", verb_utf8(w->run, r->text));
    }
    return r->rc == MFX_OK         ? EXIT_OK
           : r->rc == MFX_TEMPFAIL ? EXIT_TEMP
                                   : EXIT_NO;
}

int
verb_srs(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config", 'c', &w.s.config, NULL},
        {"socket", 's', &w.socket,   NULL},
        {NULL,     0,   NULL,        NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 2)
        return verb_wrong(run, "forward or reverse, and one ADDRESS");
    w.direction = argv[first];
    w.text = argv[first + 1];
    int status = situation_load(run, &w.s);
    if (status == EXIT_OK)
        status = ask(&w);
    if (status == EXIT_OK)
        status = show(&w);
    situation_fini(&w.s);
    return status;
}
