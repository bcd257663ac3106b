/* SPDX-License-Identifier: BSD-2-Clause
 *
 * top: who is nearest to a limit
 */
#include "top.h"

#include "../operator_words.h"
#include "verbs.h"

enum {
    COUNT_MAX = 1000,
    WORD_MAX = 16384,
};

bool
top_init(struct top *top, struct ask *ask, const char *rule, size_t max)
{
    *top = (struct top){.ask = ask, .max = max};
    mfx_buf_init(&top->count, WORD_MAX);
    mfx_buf_init(&top->rule, WORD_MAX);
    mfx_buf_init(&top->after, WORD_MAX);
    mfx_buf_printf(&top->count, "count=%zu", max);
    if (rule != NULL) {
        mfx_buf_add_text(&top->rule, "rule=");
        quota_operator_words_encode(mfx_str_of(rule), &top->rule);
    }
    top->best = quota_operator_best_new(max);
    return top->best != NULL && mfx_buf_ok(&top->count) &&
           mfx_buf_ok(&top->rule);
}

void
top_fini(struct top *top)
{
    quota_operator_best_free(top->best);
    mfx_buf_fini(&top->count);
    mfx_buf_fini(&top->rule);
    mfx_buf_fini(&top->after);
    json_decref(top->warnings);
}

static void
add_keys(struct top *top, const json_t *keys)
{
    size_t i;
    json_t *row;
    json_array_foreach(keys, i, row)
    {
        double share = json_real_value(json_object_get(row, "share"));
        json_int_t used = json_integer_value(json_object_get(row, "used")) +
                          json_integer_value(json_object_get(row, "reserved"));
        if (quota_operator_best_wants(top->best, share, (uint64_t)used))
            quota_operator_best_add(top->best, share, (uint64_t)used,
                                    json_incref(row));
    }
}

int
top_page(struct top *top)
{
    struct mfx_str more[3];
    size_t n = 0;
    json_t *answer = NULL;
    more[n++] = mfx_buf_str(&top->count);
    if (top->rule.len > 0)
        more[n++] = mfx_buf_str(&top->rule);
    if (top->after.len > 0)
        more[n++] = mfx_buf_str(&top->after);
    int status = ask_question_more(top->ask, "top", more, n, &answer);
    if (status != EXIT_OK)
        return status;
    const char *after = json_string_value(json_object_get(answer, "after"));
    add_keys(top, json_object_get(answer, "keys"));
    top->scanned +=
        (uint64_t)json_integer_value(json_object_get(answer, "scanned"));
    json_decref(top->warnings);
    top->warnings = json_incref(json_object_get(answer, "warnings"));
    top->is_complete = after == NULL;
    mfx_buf_clear(&top->after);
    if (after != NULL)
        mfx_buf_printf(&top->after, "after=%s", after);
    json_decref(answer);
    return EXIT_OK;
}

json_t *
top_take(struct top *top)
{
    top->is_complete = false;
    mfx_buf_clear(&top->after);
    top->scanned = 0;
    return quota_operator_best_take(top->best);
}

/* --- the verb --- */

static void
print(const struct verb_run *run, struct top *top)
{
    json_t *answer = json_object();
    bool is_complete = top->is_complete;
    (void)json_object_set_new(answer, "scanned",
                              json_integer((json_int_t)top->scanned));
    (void)json_object_set_new(answer, "complete", json_boolean(is_complete));
    (void)json_object_set(answer, "warnings", top->warnings);
    uint64_t scanned = top->scanned;
    (void)json_object_set_new(answer, "keys", top_take(top));
    if (run->as_json) {
        verb_print_json(answer);
        return;
    }
    struct mfx_buf text;
    mfx_buf_init(&text, 4 * 1024 * 1024);
    quota_operator_text(mfx_str_of("top"), answer, &text);
    (void)fwrite(mfx_buf_text(&text), 1, text.len, stdout);
    if (!is_complete)
        (void)printf("(of the first %llu counters; --wait for more)\n",
                     (unsigned long long)scanned);
    mfx_buf_fini(&text);
    json_decref(answer);
}

static int
walk(struct ask *ask, const char *rule, size_t count, uint64_t wait_s)
{
    struct top top;
    uint64_t until_ms = mfx_mono_ms() + wait_s * 1000;
    int status = EXIT_OK;
    if (!top_init(&top, ask, rule, count))
        status = EXIT_SYSTEM;
    while (status == EXIT_OK && !top.is_complete) {
        status = top_page(&top);
        if (mfx_mono_ms() >= until_ms)
            break;
    }
    if (status == EXIT_OK)
        print(ask->run, &top);
    else
        status = ask_fail(ask, status);
    top_fini(&top);
    return status;
}

static int
read_and_walk(struct ask *ask, const char *rule, const char *count_text,
              const char *wait_text)
{
    uint64_t count = 20, wait_s = 30;
    if (count_text != NULL &&
        (mfx_str_to_u64(mfx_str_of(count_text), COUNT_MAX, &count) != MFX_OK ||
         count == 0))
        return verb_wrong(ask->run, "--count %s: between 1 and %d", count_text,
                          COUNT_MAX);
    if (wait_text != NULL &&
        mfx_str_to_u64(mfx_str_of(wait_text), 86400, &wait_s) != MFX_OK)
        return verb_wrong(ask->run, "--wait %s: not a number of seconds",
                          wait_text);
    return walk(ask, rule, (size_t)count, wait_s);
}

int
verb_top(struct verb_run *run, int argc, char **argv)
{
    struct ask ask;
    const char *rule = NULL, *count = NULL, *wait = NULL;
    int first, status = EXIT_USAGE;
    if (!ask_init(&ask, run))
        return EXIT_SYSTEM;
    const struct verb_option options[] = {
        {"config", 'c', &ask.config, NULL},
        {"socket", 's', &ask.socket, NULL},
        {"rule",   'r', &rule,       NULL},
        {"count",  'n', &count,      NULL},
        {"wait",   'w', &wait,       NULL},
        {NULL,     0,   NULL,        NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse == VERB_GO)
        status = first != argc
                     ? verb_wrong(run, "%s: one rule is named by --rule",
                                  argv[first])
                     : read_and_walk(&ask, rule, count, wait);
    ask_fini(&ask);
    return parse == VERB_DONE ? EXIT_OK : status;
}
