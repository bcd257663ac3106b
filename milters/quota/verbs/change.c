/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reset, block, unblock, set and unset: how things stand afterwards is what
 * they print.
 */
#include "ask.h"
#include "verbs.h"

struct given {
    const char *rule, *lifetime, *reason;
    const char *limits;
};

/* All that follows KEY, as one text: limits are several words. */
static const char *
join(const struct verb_run *run, char **words, int count)
{
    struct mfx_buf text;
    mfx_buf_init_arena(&text, run->arena, 64 * 1024);
    for (int i = 0; i < count; i++)
        mfx_buf_printf(&text, "%s%s", i == 0 ? "" : " ", words[i]);
    return mfx_buf_text(&text);
}

static int
send_change(struct ask *ask, const struct given *given, const char *key)
{
    ask_add(ask, NULL, key);
    ask_add(ask, NULL, given->limits);
    ask_add(ask, "rule", given->rule);
    ask_add(ask, "for", given->lifetime);
    ask_add(ask, "reason", given->reason);
    ask_add_user(ask);
    return ask_and_print(ask, ask->run->verb);
}

static int
change(struct verb_run *run, int argc, char **argv,
       const struct verb_option *own_options, struct given *given,
       bool takes_limits)
{
    struct ask ask;
    struct verb_option options[8];
    size_t n = 0;
    int first, status = EXIT_USAGE;
    if (!ask_init(&ask, run))
        return EXIT_SYSTEM;
    options[n++] = (struct verb_option){"config", 'c', &ask.config, NULL};
    options[n++] = (struct verb_option){"socket", 's', &ask.socket, NULL};
    options[n++] = (struct verb_option){"rule", 'r', &given->rule, NULL};
    while (own_options->name != NULL)
        options[n++] = *own_options++;
    options[n] = *own_options;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    int words = parse == VERB_GO ? argc - first : 0;
    if (parse != VERB_GO) {
        status = parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    } else if (takes_limits ? words < 2 : words != 1) {
        status = verb_wrong(run, takes_limits ? "KEY and LIMITS are needed"
                                              : "one KEY is needed");
    } else {
        if (takes_limits)
            given->limits = join(run, argv + first + 1, words - 1);
        status = send_change(&ask, given, argv[first]);
    }
    ask_fini(&ask);
    return status;
}

int
verb_reset(struct verb_run *run, int argc, char **argv)
{
    struct given given = {0};
    const struct verb_option none = {NULL, 0, NULL, NULL};
    return change(run, argc, argv, &none, &given, false);
}

int
verb_unblock(struct verb_run *run, int argc, char **argv)
{
    return verb_reset(run, argc, argv);
}

int
verb_unset(struct verb_run *run, int argc, char **argv)
{
    return verb_reset(run, argc, argv);
}

int
verb_block(struct verb_run *run, int argc, char **argv)
{
    struct given given = {0};
    const struct verb_option options[] = {
        {"for",    'f', &given.lifetime, NULL},
        {"reason", 'R', &given.reason,   NULL},
        {NULL,     0,   NULL,            NULL},
    };
    return change(run, argc, argv, options, &given, false);
}

int
verb_set(struct verb_run *run, int argc, char **argv)
{
    struct given given = {0};
    const struct verb_option options[] = {
        {"for", 'f', &given.lifetime, NULL},
        {NULL,  0,   NULL,            NULL},
    };
    return change(run, argc, argv, options, &given, true);
}
