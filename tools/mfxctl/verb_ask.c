/* SPDX-License-Identifier: BSD-2-Clause */
#include "verb_ask.h"

#include "control.h"

enum {
    ANSWER_MS = 30000,
};

int
verb_ask(const struct verb_run *run, const struct verb_question *q,
         struct mfx_str *body)
{
    const char **words =
        mfx_arena_alloc_array(run->arena, q->word_count + 1, sizeof *words);
    struct control_reply reply;
    struct mfx_err err = {0};
    struct mfx_buf line;
    bool must_be_there;
    if (words == NULL)
        return verb_fail(run, EXIT_SYSTEM, "out of memory");
    words[0] = q->verb;
    for (size_t i = 0; i < q->word_count; i++)
        words[1 + i] = q->words[i];
    mfx_buf_init_arena(&line, run->arena, CONTROL_LINE_MAX);
    if (control_request(&line, q->as_json, words, 1 + q->word_count) != MFX_OK)
        return verb_wrong(run, "a word is empty, has blanks, or is too long");
    const char *path =
        control_path(q->socket, q->daemon, run->arena, &must_be_there);
    enum mfx_rc rc =
        control_ask(path, mfx_buf_str(&line), mfx_mono_ms() + ANSWER_MS,
                    run->arena, &reply, &err);
    if (rc != MFX_OK)
        return verb_fail(run, rc == MFX_TEMPFAIL ? EXIT_TEMP : EXIT_UNREACHABLE,
                         "%s", err.msg);
    if (reply.is_error)
        return verb_fail(run, EXIT_NO, "mfx-%s: %s", q->daemon,
                         verb_text(run, reply.error));
    *body = reply.body;
    return EXIT_OK;
}
