/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask.h"

#include <pwd.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include <mfx/base/log.h>

#include "../../../tools/mfxctl/control.h"
#include "../../../tools/mfxctl/own_store.h"
#include "../message.h"
#include "../operator_words.h"

enum {
    ANSWER_MS = 30000,
    STORE_MS = 5000,
    CLOSE_MS = 2000,
    USER_MAX = 4096,
    WORD_MAX = 3 * CONTROL_LINE_MAX,
};

bool
ask_init(struct ask *ask, const struct verb_run *run)
{
    *ask = (struct ask){.run = run, .arena = mfx_arena_new(0)};
    return ask->arena != NULL;
}

void
ask_fini(struct ask *ask)
{
    if (ask->store != NULL)
        mfx_store_close(ask->store, CLOSE_MS);
    mfx_offline_free(ask->loaded);
    mfx_arena_free(ask->arena);
    *ask = (struct ask){0};
}

void
ask_add(struct ask *ask, const char *name, const char *text)
{
    struct mfx_buf word;
    if (text == NULL || ask->count == ASK_WORDS_MAX)
        return;
    mfx_buf_init_arena(&word, ask->run->arena, WORD_MAX);
    if (name != NULL)
        mfx_buf_printf(&word, "%s=", name);
    quota_operator_words_encode(mfx_str_of(text), &word);
    ask->words[ask->count++] =
        mfx_buf_ok(&word) ? mfx_buf_str(&word) : mfx_str("", 0);
}

void
ask_add_user(struct ask *ask)
{
    struct passwd entry, *user = NULL;
    char text[USER_MAX];
    struct mfx_arena *arena = ask->run->arena;
    const char *sudo = getenv("SUDO_USER");
    struct mfx_str name;
    if (getuid() == 0 && sudo != NULL)
        name = mfx_arena_printf(arena, "%s (sudo)", sudo);
    else if (getpwuid_r(getuid(), &entry, text, sizeof text, &user) == 0 &&
             user != NULL)
        name = mfx_arena_copy(arena, mfx_str_of(user->pw_name));
    else
        name = mfx_arena_printf(arena, "uid %u", (unsigned)getuid());
    ask_add(ask, "by", name.p);
}

/* --- the daemon --- */

static int
status_of(enum mfx_rc rc)
{
    switch (rc) {
    case MFX_OK:
        return EXIT_OK;
    case MFX_NOTFOUND:
        return EXIT_NO;
    case MFX_TEMPFAIL:
        return EXIT_TEMP;
    case MFX_PERMFAIL:
        return EXIT_USAGE;
    }
    return EXIT_TEMP;
}

static int
understand(struct ask *ask, const struct control_reply *reply, json_t **answer)
{
    *answer = json_loadb(reply->body.p, reply->body.len, 0, NULL);
    if (reply->is_error) {
        const char *why = json_string_value(json_object_get(*answer, "why"));
        int status = status_of(quota_operator_rc(why));
        json_decref(*answer);
        *answer = NULL;
        mfx_err_set(&ask->err, "%.*s", MFX_STR_ARG(reply->error));
        return status;
    }
    if (json_is_object(*answer))
        return EXIT_OK;
    json_decref(*answer);
    *answer = NULL;
    mfx_err_set(&ask->err, "the answer is not mfx-quota's");
    return EXIT_TEMP;
}

static int
ask_socket(struct ask *ask, const char *path, const char *verb,
           const struct mfx_str *words, size_t count, bool *is_silent,
           json_t **answer)
{
    const char *texts[2 * ASK_WORDS_MAX + 1];
    struct control_reply reply;
    struct mfx_buf line;
    texts[0] = verb;
    for (size_t i = 0; i < count; i++)
        texts[i + 1] = mfx_arena_copy(ask->arena, words[i]).p;
    mfx_buf_init_arena(&line, ask->arena, CONTROL_LINE_MAX);
    if (!mfx_arena_ok(ask->arena) ||
        control_request(&line, true, texts, count + 1) != MFX_OK) {
        mfx_err_set(&ask->err, "a word is empty, or they are too long; a long "
                               "key is called as the log calls it: "
                               "login=sha256:...");
        return EXIT_USAGE;
    }
    enum mfx_rc rc =
        control_ask(path, mfx_buf_str(&line), mfx_mono_ms() + ANSWER_MS,
                    ask->arena, &reply, &ask->err);
    *is_silent = rc == MFX_NOTFOUND;
    if (rc == MFX_OK)
        return understand(ask, &reply, answer);
    return rc == MFX_TEMPFAIL ? EXIT_TEMP : EXIT_UNREACHABLE;
}

/* --- the store --- */

static const struct quota_policy *
policy_of(const struct ask *ask)
{
    return ask->loaded->policy;
}

/* Changes are logged as the daemon would; what happens while a store is opened
 * is said by us. */
static void
open_log(const struct ask *ask)
{
    for (size_t i = 0; i < ask->count; i++)
        if (mfx_str_starts(ask->words[i], mfx_str_of("by="))) {
            mfx_log_redirect(NULL, NULL);
            mfx_log_open(MFX_LOG_SYSLOG, "mfx-quota", LOG_MAIL);
            mfx_log_set_level(MFX_LOG_INFO);
        }
}

static int
open_store(struct ask *ask)
{
    int status =
        verb_load_filter(ask->run, &quota_filter, ask->config, &ask->loaded);
    if (status != EXIT_OK) {
        ask->err.msg[0] = '\0'; /* it is said */
        return status;
    }
    const struct mfx_store_settings *s = &policy_of(ask)->settings->store;
    status = own_store_prepare(s, &ask->err);
    if (status != EXIT_OK)
        return status;
    ask->store = quota_shared_open_store(policy_of(ask)->shared, &ask->err);
    status = ask->store == NULL ? EXIT_CONFIG
                                : own_store_wait(ask->store, &ask->err);
    open_log(ask);
    return status;
}

static int
ask_store(struct ask *ask, const char *verb, const struct mfx_str *words,
          size_t count, json_t **answer)
{
    struct quota_operator op = {
        .policy = policy_of(ask),
        .store = ask->store,
        .arena = ask->arena,
        .wait_ms = STORE_MS,
    };
    return status_of(quota_operator_ask(&op, mfx_str_of(verb), words, count,
                                        answer, &ask->err));
}

/* --- either --- */

int
ask_question_more(struct ask *ask, const char *verb, const struct mfx_str *more,
                  size_t more_count, json_t **answer)
{
    struct mfx_str words[2 * ASK_WORDS_MAX];
    size_t count = ask->count;
    bool must_be_there = false, is_silent = false;
    *answer = NULL;
    mfx_arena_reset(ask->arena);
    memcpy(words, ask->words, sizeof ask->words);
    for (size_t i = 0; i < more_count && count < 2 * ASK_WORDS_MAX; i++)
        words[count++] = more[i];
    if (ask->store != NULL)
        return ask_store(ask, verb, words, count, answer);
    const char *path =
        control_path(ask->socket, "quota", ask->arena, &must_be_there);
    if (path == NULL)
        return EXIT_SYSTEM;
    int status = ask_socket(ask, path, verb, words, count, &is_silent, answer);
    if (!is_silent || must_be_there)
        return status;
    status = open_store(ask);
    return status == EXIT_OK ? ask_store(ask, verb, words, count, answer)
                             : status;
}

int
ask_question(struct ask *ask, const char *verb, json_t **answer)
{
    return ask_question_more(ask, verb, NULL, 0, answer);
}

int
ask_fail(const struct ask *ask, int status)
{
    if (ask->err.msg[0] == '\0') /* it is said */
        return status;
    return verb_fail(ask->run, status, "%s", ask->err.msg);
}

void
ask_print(const struct ask *ask, const char *verb, json_t *answer)
{
    struct mfx_buf text;
    if (ask->run->as_json) {
        verb_print_json(answer);
        return;
    }
    mfx_buf_init(&text, CONTROL_REPLY_MAX);
    quota_operator_text(mfx_str_of(verb), answer, &text);
    (void)fwrite(mfx_buf_text(&text), 1, text.len, stdout);
    mfx_buf_fini(&text);
    json_decref(answer);
}

int
ask_and_print(struct ask *ask, const char *verb)
{
    json_t *answer = NULL;
    int status = ask_question(ask, verb, &answer);
    if (status != EXIT_OK)
        return ask_fail(ask, status);
    ask_print(ask, verb, answer);
    return EXIT_OK;
}
