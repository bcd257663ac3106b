/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lists - how the DNS lists are, and what they are worth
 *
 * The running daemon is asked; with --test the lists of its configuration are
 * tested here and now.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../../../tools/mfxctl/verb_ask.h"
#include "verbs.h"

enum {
    REPLY_MAX = 4 << 20,
    WORDS_MAX = 64,
    JUDGED = 1000, /* answers, before a list is called useless */
    SLOW_MS = 1000,
};

struct work {
    const struct verb_run *run;
    const char *socket;
    bool wants_test;
    struct spf_verb_site site;
    char **names;
    size_t name_count;
    json_t *lists;
};

/* --- asking --- */

static int
take(struct work *w, struct mfx_str text)
{
    w->lists = json_loadb(text.p, text.len, 0, NULL);
    return json_is_array(w->lists)
               ? EXIT_OK
               : verb_fail(w->run, EXIT_TEMP, "mfx-spf: no list of lists");
}

static int
ask_daemon(struct work *w)
{
    const struct verb_question question = {
        .daemon = "spf",
        .socket = w->socket,
        .verb = "lists",
        .words = (const char *const *)w->names,
        .word_count = w->name_count,
        .as_json = true,
    };
    struct mfx_str body;
    int status = verb_ask(w->run, &question, &body);
    return status == EXIT_OK ? take(w, body) : status;
}

static int
test_here(struct work *w)
{
    struct mfx_str names[WORDS_MAX];
    struct mfx_err err = {0};
    struct mfx_buf out;
    int status = spf_verb_site_load(w->run, &w->site, false);
    if (status != EXIT_OK)
        return status;
    if (w->name_count >= WORDS_MAX)
        return verb_wrong(w->run, "too many names");
    for (size_t i = 0; i < w->name_count; i++)
        names[i] = mfx_str_of(w->names[i]);
    spf_lists_test(w->site.policy->lists, &w->site.env.env);
    mfx_buf_init_arena(&out, w->run->arena, REPLY_MAX);
    enum mfx_rc rc = spf_lists_verb(w->site.policy->lists, names, w->name_count,
                                    true, &out, &err);
    if (rc != MFX_OK)
        return verb_fail(w->run, EXIT_NO, "%s", err.msg);
    return take(w, mfx_buf_str(&out));
}

/* --- showing --- */

static const char *
word(const json_t *list, const char *key)
{
    const char *text = json_string_value(json_object_get(list, key));
    return text == NULL ? "" : text;
}

static uint64_t
number(const json_t *list, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(list, key));
    return value < 0 ? 0 : (uint64_t)value;
}

static bool
is_in_use(const json_t *list)
{
    return strcmp(word(list, "use"), "in use") == 0;
}

/* What the figures say of its value; "" when there is nothing to say. */
static const char *
remark(const json_t *list)
{
    uint64_t answers = number(list, "asked") + number(list, "cached");
    bool is_shadow = strcmp(word(list, "mode"), "shadow") == 0;
    uint64_t hits = number(list, is_shadow ? "shadow_hits" : "hits");
    uint64_t failed = number(list, "failures") + number(list, "timeouts");
    if (number(list, "errors") > 0)
        return "it refuses: is the key right, the resolver one of yours, the "
               "volume allowed?";
    if (answers < JUDGED)
        return "";
    if (failed > answers / 10)
        return "one of ten questions or more is not answered";
    if (hits == 0)
        return "it has listed nobody: of no use here";
    if (is_shadow)
        return "";
    if (number(list, "alone") == 0 && number(list, "decided") == 0)
        return "others list the same: of no use here";
    return number(list, "mean_ms") > SLOW_MS ? "slow" : "";
}

static const char *
text_of(const struct work *w, const json_t *list, const char *key)
{
    return spf_verb_show(w->run, mfx_str_of(word(list, key)));
}

static void
show_list(const struct work *w, const json_t *list)
{
    bool is_shadow = strcmp(word(list, "mode"), "shadow") == 0;
    const char *why = text_of(w, list, "why"), *says = remark(list);
    (void)printf("%-30s %s%s", text_of(w, list, "list"),
                 text_of(w, list, "use"), is_shadow ? ", shadow" : "");
    if (why[0] != '\0')
        (void)printf(": %s", why);
    (void)printf("\n    ");
    if (!w->wants_test)
        (void)printf("asked %" PRIu64 ", hits %" PRIu64 ", decided %" PRIu64
                     ", alone %" PRIu64 ", errors %" PRIu64
                     ", no answer %" PRIu64 ", %" PRIu64 " ms; ",
                     number(list, "asked") + number(list, "cached"),
                     number(list, is_shadow ? "shadow_hits" : "hits"),
                     number(list, "decided"), number(list, "alone"),
                     number(list, "errors"),
                     number(list, "failures") + number(list, "timeouts"),
                     number(list, "mean_ms"));
    (void)printf("tested %s\n", word(list, "tested")[0] == '\0'
                                    ? "never"
                                    : text_of(w, list, "tested"));
    if (says[0] != '\0')
        (void)printf("    %s\n", says);
}

static int
show(struct work *w)
{
    int status = EXIT_OK;
    size_t i;
    json_t *list;
    json_array_foreach(w->lists, i, list)
    {
        if (!is_in_use(list))
            status = EXIT_NO;
        if (w->run->as_json)
            (void)json_object_set_new(list, "remark",
                                      json_string(remark(list)));
        else
            show_list(w, list);
    }
    if (w->run->as_json)
        verb_print_json(json_incref(w->lists));
    else if (json_array_size(w->lists) == 0)
        (void)printf("no DNS list is configured\n");
    return status;
}

static int
run_work(struct work *w)
{
    bool has_source =
        w->site.config != NULL || w->site.dns != NULL || w->site.zone != NULL;
    if (has_source && !w->wants_test)
        return verb_wrong(w->run, "--config, --dns and --zone go with --test");
    int status = w->wants_test ? test_here(w) : ask_daemon(w);
    return status == EXIT_OK ? show(w) : status;
}

int
verb_lists(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config", 'c', &w.site.config, NULL         },
        {"dns",    0,   &w.site.dns,    NULL         },
        {"zone",   0,   &w.site.zone,   NULL         },
        {"socket", 's', &w.socket,      NULL         },
        {"test",   0,   NULL,           &w.wants_test},
        {NULL,     0,   NULL,           NULL         },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    w.names = argv + first;
    w.name_count = (size_t)(argc - first);
    int status = run_work(&w);
    json_decref(w.lists);
    spf_verb_site_fini(run, &w.site);
    return status;
}
