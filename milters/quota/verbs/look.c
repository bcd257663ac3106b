/* SPDX-License-Identifier: BSD-2-Clause
 *
 * show, rules and store: questions that change nothing
 */
#include "ask.h"
#include "verbs.h"

int
verb_show(struct verb_run *run, int argc, char **argv)
{
    struct ask ask;
    const char *rule = NULL;
    int first, status = EXIT_USAGE;
    if (!ask_init(&ask, run))
        return EXIT_SYSTEM;
    const struct verb_option options[] = {
        {"config", 'c', &ask.config, NULL},
        {"socket", 's', &ask.socket, NULL},
        {"rule",   'r', &rule,       NULL},
        {NULL,     0,   NULL,        NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse == VERB_GO && first + 1 != argc) {
        status = verb_wrong(run, "one KEY is needed");
    } else if (parse == VERB_GO) {
        ask_add(&ask, NULL, argv[first]);
        ask_add(&ask, "rule", rule);
        status = ask_and_print(&ask, "show");
    }
    ask_fini(&ask);
    return parse == VERB_DONE ? EXIT_OK : status;
}

int
verb_rules(struct verb_run *run, int argc, char **argv)
{
    struct ask ask;
    const char *rule = NULL;
    int first, status = EXIT_USAGE;
    if (!ask_init(&ask, run))
        return EXIT_SYSTEM;
    const struct verb_option options[] = {
        {"config", 'c', &ask.config, NULL},
        {"socket", 's', &ask.socket, NULL},
        {"rule",   'r', &rule,       NULL},
        {NULL,     0,   NULL,        NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse == VERB_GO && first != argc) {
        status =
            verb_wrong(run, "%s: one rule is named by --rule", argv[first]);
    } else if (parse == VERB_GO) {
        ask_add(&ask, "rule", rule);
        status = ask_and_print(&ask, "rules");
    }
    ask_fini(&ask);
    return parse == VERB_DONE ? EXIT_OK : status;
}

static int
show_store(struct ask *ask)
{
    json_t *answer = NULL;
    int status = ask_question(ask, "store", &answer);
    if (status != EXIT_OK)
        return ask_fail(ask, status);
    bool is_up =
        json_is_true(json_object_get(json_object_get(answer, "store"), "up"));
    ask_print(ask, "store", answer);
    return is_up ? EXIT_OK : EXIT_NO;
}

int
verb_store(struct verb_run *run, int argc, char **argv)
{
    struct ask ask;
    int first, status = EXIT_USAGE;
    if (!ask_init(&ask, run))
        return EXIT_SYSTEM;
    const struct verb_option options[] = {
        {"config", 'c', &ask.config, NULL},
        {"socket", 's', &ask.socket, NULL},
        {NULL,     0,   NULL,        NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse == VERB_GO)
        status = first != argc
                     ? verb_wrong(run, "%s: no word is needed", argv[first])
                     : show_store(&ask);
    ask_fini(&ask);
    return parse == VERB_DONE ? EXIT_OK : status;
}
