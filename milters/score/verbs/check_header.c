/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check-header - what the signed field of a message holds, and is it good?
 */
#include <inttypes.h>
#include <time.h>

#include <mfx/auth/score_seal.h>
#include <mfx/policy/secrets.h>

#include "verbs.h"

struct work {
    const struct verb_run *run;
    const char *config, *secrets_file, *header, *max_age;
    struct mfx_offline *loaded; /* NULL: by --secrets */
    struct mfx_str name;
    struct mfx_score_seal_rules rules;
    uint64_t max_age_s, now_s;
    enum mfx_score_seal_result result;
    struct mfx_score_seal seal;
};

/* --- by whose secrets --- */

static int
read_secrets(struct work *w, const char *path)
{
    struct mfx_problems problems;
    struct mfx_secrets secrets;
    mfx_problems_init(&problems, w->run->arena);
    enum mfx_rc rc = mfx_secrets_read(path, "", 0, "can sign such fields",
                                      w->run->arena, &problems, &secrets);
    if (rc != MFX_OK)
        return verb_fail(
            w->run, EXIT_CONFIG, "%s",
            problems.first == NULL
                ? mfx_rc_name(rc)
                : mfx_problem_format(problems.first, w->run->arena).p);
    w->rules.secrets = secrets.items;
    w->rules.secret_count = secrets.count;
    return EXIT_OK;
}

static int
load_rules(struct work *w)
{
    const struct score_settings *s;
    const char *path = w->secrets_file;
    if (path == NULL) {
        int status = score_verb_settings(w->run, w->config, &w->loaded, &s);
        if (status != EXIT_OK)
            return status;
        path = s->seal.secrets_file;
        w->name = s->seal.header;
        w->rules.max_age_s = s->seal.max_age_s;
    }
    if (w->header != NULL)
        w->name = mfx_str_of(w->header);
    if (path == NULL || w->name.len == 0)
        return verb_fail(w->run, EXIT_CONFIG,
                         "seal.header and seal.secrets_file are not set: "
                         "such fields are not written");
    if (w->max_age != NULL)
        w->rules.max_age_s = w->max_age_s;
    return read_secrets(w, path);
}

/* --- what it says --- */

static bool
is_filled(const struct work *w)
{
    switch (w->result) {
    case MFX_SCORE_SEAL_GOOD:
    case MFX_SCORE_SEAL_OLD:
    case MFX_SCORE_SEAL_FUTURE:
    case MFX_SCORE_SEAL_OTHER_MESSAGE:
        return true;
    case MFX_SCORE_SEAL_NONE:
    case MFX_SCORE_SEAL_SEVERAL:
    case MFX_SCORE_SEAL_MALFORMED:
    case MFX_SCORE_SEAL_UNKNOWN_KEY:
    case MFX_SCORE_SEAL_FORGED:
    case MFX_SCORE_SEAL_UNAVAILABLE:
        return false;
    }
    return false;
}

static int
exit_for(enum mfx_score_seal_result result)
{
    switch (result) {
    case MFX_SCORE_SEAL_GOOD:
        return EXIT_OK;
    case MFX_SCORE_SEAL_NONE:
        return EXIT_TEMP; /* 2: none there */
    case MFX_SCORE_SEAL_UNAVAILABLE:
        return EXIT_SYSTEM;
    case MFX_SCORE_SEAL_SEVERAL:
    case MFX_SCORE_SEAL_MALFORMED:
    case MFX_SCORE_SEAL_UNKNOWN_KEY:
    case MFX_SCORE_SEAL_FORGED:
    case MFX_SCORE_SEAL_OLD:
    case MFX_SCORE_SEAL_FUTURE:
    case MFX_SCORE_SEAL_OTHER_MESSAGE:
        return EXIT_NO;
    }
    return EXIT_SYSTEM;
}

static const char *
result_word(enum mfx_score_seal_result result)
{
    static const char *const words[] = {
        [MFX_SCORE_SEAL_GOOD] = "good",
        [MFX_SCORE_SEAL_NONE] = "none",
        [MFX_SCORE_SEAL_SEVERAL] = "several",
        [MFX_SCORE_SEAL_MALFORMED] = "malformed",
        [MFX_SCORE_SEAL_UNKNOWN_KEY] = "unknown_key",
        [MFX_SCORE_SEAL_FORGED] = "forged",
        [MFX_SCORE_SEAL_OLD] = "old",
        [MFX_SCORE_SEAL_FUTURE] = "future",
        [MFX_SCORE_SEAL_OTHER_MESSAGE] = "other_message",
        [MFX_SCORE_SEAL_UNAVAILABLE] = "unavailable",
    };
    return words[result];
}

/* RFC 3339, UTC. */
static const char *
time_text(const struct work *w)
{
    char text[64];
    struct tm parts;
    time_t t = (time_t)w->seal.time_s;
    if (gmtime_r(&t, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return "";
    return mfx_arena_printf(w->run->arena, "%s", text).p;
}

/* Negative for a field of the future. */
static int64_t
age_s(const struct work *w)
{
    uint64_t now = w->now_s, made = w->seal.time_s;
    if (made > now)
        return made - now > INT64_MAX ? -INT64_MAX : -(int64_t)(made - now);
    return (int64_t)(now - made);
}

static json_t *
engines_json(const struct work *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->seal.engine_count; i++) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "engine",
                                  verb_json(w->seal.engines[i].name));
        (void)json_object_set_new(
            o, "score", score_verb_decimal_json(w->seal.engines[i].score));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static void
print_json(const struct work *w)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, "header", verb_json(w->name));
    (void)json_object_set_new(o, "result", json_string(result_word(w->result)));
    (void)json_object_set_new(
        o, "why", json_string(mfx_score_seal_result_text(w->result)));
    if (is_filled(w)) {
        (void)json_object_set_new(o, "time", json_string(time_text(w)));
        (void)json_object_set_new(o, "age_s", json_integer(age_s(w)));
        (void)json_object_set_new(o, "queue_id", verb_json(w->seal.queue_id));
        (void)json_object_set_new(o, "score",
                                  score_verb_decimal_json(w->seal.score));
        (void)json_object_set_new(o, "action", verb_json(w->seal.action));
        (void)json_object_set_new(o, "engines", engines_json(w));
    }
    verb_print_json(o);
}

static void
print_text(const struct work *w)
{
    const struct verb_run *run = w->run;
    const struct mfx_score_seal *s = &w->seal;
    (void)printf("%s: %s\n", verb_text(run, w->name),
                 mfx_score_seal_result_text(w->result));
    if (!is_filled(w))
        return;
    (void)printf("  score %s, action %s\n", score_verb_decimal(run, s->score),
                 verb_text(run, s->action));
    int64_t age = age_s(w);
    (void)printf("  made %s, %" PRId64 " s %s, queue id %s\n", time_text(w),
                 age < 0 ? -age : age, age < 0 ? "from now" : "ago",
                 s->queue_id.len == 0 ? "none" : verb_text(run, s->queue_id));
    for (size_t i = 0; i < s->engine_count; i++)
        (void)printf("  %s %s\n", verb_text(run, s->engines[i].name),
                     score_verb_decimal(run, s->engines[i].score));
}

/* --- the command --- */

static int
check_message(struct work *w, const char *path)
{
    const struct mfx_env env = mfx_env_system();
    struct mfx_headers headers = {0};
    struct mfx_str bytes, body;
    int status = verb_read(w->run, path, &bytes);
    if (status != EXIT_OK)
        return status;
    w->now_s = env.wall_s(&env);
    w->result = MFX_SCORE_SEAL_UNAVAILABLE;
    if (mfx_message_split(bytes, w->run->arena, &headers, &body) == MFX_OK)
        w->result = mfx_score_seal_read(&w->rules, w->name, &headers, w->now_s,
                                        w->run->arena, &w->seal);
    mfx_headers_fini(&headers);
    if (w->run->as_json)
        print_json(w);
    else
        print_text(w);
    return exit_for(w->result);
}

static int
check_options(struct work *w)
{
    if (w->secrets_file != NULL && w->config != NULL)
        return verb_wrong(w->run, "--config or --secrets, not both");
    if (w->secrets_file != NULL && w->header == NULL)
        return verb_wrong(w->run, "--secrets wants --header");
    if (w->header != NULL && !mfx_header_name_is_valid(mfx_str_of(w->header)))
        return verb_wrong(w->run, "--header %s: no name of a header field",
                          w->header);
    if (w->max_age != NULL && mfx_option_parse_seconds(mfx_str_of(w->max_age),
                                                       &w->max_age_s) != MFX_OK)
        return verb_wrong(w->run, "--max-age %s: such as 1d; 0 for any",
                          w->max_age);
    return EXIT_OK;
}

int
verb_check_header(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config",  'c', &w.config,       NULL},
        {"secrets", 's', &w.secrets_file, NULL},
        {"header",  'H', &w.header,       NULL},
        {"max-age", 'a', &w.max_age,      NULL},
        {NULL,      0,   NULL,            NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one FILE, or \"-\" for stdin");
    int status = check_options(&w);
    if (status == EXIT_OK)
        status = load_rules(&w);
    if (status == EXIT_OK)
        status = check_message(&w, argv[first]);
    if (w.loaded != NULL)
        mfx_offline_free(w.loaded);
    return status;
}
