/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to plans of engines: every mistake is found here, and named by
 * its setting; nobody is asked anything.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <mfx/net/stream.h>

#include "engines_impl.h"

enum {
    WEIGHT_MAX = 1000,
    FILE_MAX = 64 * 1024,
};

struct building {
    const struct mfx_policy_build *build;
    const struct score_engine_settings *settings; /* of the one being read */
    struct score_engine *engine;
    struct score_plan *plan;
    enum mfx_rc rc;
};

static const unsigned default_ports[] = {
    [SCORE_ENGINE_RSPAMD] = MFX_RSPAMD_PORT,
    [SCORE_ENGINE_SPAMD] = MFX_SPAMD_PORT,
    [SCORE_ENGINE_CLAMD] = MFX_CLAMD_PORT,
};

/* "engines[0].servers", and where it stands. */
static const char *
place(const struct building *b, const char *setting, char name[80],
      unsigned *line)
{
    (void)snprintf(name, 80, "engines[%u]", b->engine->index);
    const char *group = mfx_config_where(b->build->config, name, line);
    unsigned group_line = *line;
    (void)snprintf(name, 80, "engines[%u].%s", b->engine->index, setting);
    const char *file = mfx_config_where(b->build->config, name, line);
    if (file == NULL)
        *line = group_line;
    return file != NULL ? file : group != NULL ? group : "";
}

static void
say(struct building *b, enum mfx_problem_kind kind, const char *setting,
    const char *what, struct mfx_str word)
{
    char name[80];
    unsigned line = 0;
    const char *file = place(b, setting, name, &line);
    mfx_problem_add(b->build->problems, kind, file, line, "%s: %s%s%.*s", name,
                    what, word.len > 0 ? ": " : "", MFX_STR_ARG(word));
    if (kind == MFX_PROBLEM_ERROR)
        b->rc = MFX_PERMFAIL;
}

static void
complain(struct building *b, const char *setting, const char *what,
         struct mfx_str word)
{
    say(b, MFX_PROBLEM_ERROR, setting, what, word);
}

static const struct mfx_str nothing = MFX_STR("");

static bool
is_changed(const struct building *b, const char *setting)
{
    const struct mfx_option *o = score_engine_options;
    while (o->name != NULL && strcmp(o->name, setting) != 0)
        o++;
    return o->name != NULL && !mfx_option_is_default(o, b->settings);
}

/* --- name --- */

static struct mfx_str
name_of(const struct score_engine_settings *s)
{
    return s->name.len > 0 ? s->name
                           : mfx_str_of(score_engine_type_name(
                                 (enum score_engine_type)s->type));
}

static void
read_name(struct building *b, const struct score_settings *all)
{
    const struct score_engine_settings *groups = all->engines.items;
    b->engine->name = name_of(b->settings);
    if (!score_is_name(b->engine->name) ||
        b->engine->name.len > SCORE_ENGINE_NAME_MAX)
        complain(b, "name", "at most 40 letters, digits, \"-\" and \"_\"",
                 b->engine->name);
    for (unsigned i = 0; i < b->engine->index; i++)
        if (mfx_str_eq_nocase(name_of(&groups[i]), b->engine->name))
            complain(b, "name", "another engine has this name",
                     b->engine->name);
}

/* --- settings of another type --- */

enum {
    OF_RSPAMD = 1 << SCORE_ENGINE_RSPAMD,
    OF_SPAMD = 1 << SCORE_ENGINE_SPAMD,
    OF_CLAMD = 1 << SCORE_ENGINE_CLAMD,
};

static const struct {
    const char *name;
    int types;
} own_settings[] = {
    {"tls",                      OF_RSPAMD | OF_SPAMD},
    {"tls_ca_file",              OF_RSPAMD | OF_SPAMD},
    {"tls_cert_file",            OF_RSPAMD | OF_SPAMD},
    {"tls_key_file",             OF_RSPAMD | OF_SPAMD},
    {"tls_name",                 OF_RSPAMD | OF_SPAMD},
    {"compress",                 OF_RSPAMD | OF_SPAMD},
    {"actions",                  OF_RSPAMD | OF_SPAMD},
    {"password",                 OF_RSPAMD           },
    {"password_file",            OF_RSPAMD           },
    {"settings_id",              OF_RSPAMD           },
    {"outgoing_settings_id",     OF_RSPAMD           },
    {"settings",                 OF_RSPAMD           },
    {"all_symbols",              OF_RSPAMD           },
    {"controller",               OF_RSPAMD           },
    {"controller_password",      OF_RSPAMD           },
    {"controller_password_file", OF_RSPAMD           },
    {"command",                  OF_SPAMD            },
    {"user",                     OF_SPAMD            },
    {"users",                    OF_SPAMD            },
    {"per_user",                 OF_SPAMD            },
    {"max_users",                OF_SPAMD            },
    {"trace",                    OF_SPAMD            },
    {"sessions",                 OF_CLAMD            },
    {"pass_files",               OF_CLAMD            },
    {"on_virus",                 OF_CLAMD            },
    {"on_pua",                   OF_CLAMD            },
    {"on_heuristic",             OF_CLAMD            },
    {"on_encrypted",             OF_CLAMD            },
    {"on_macro",                 OF_CLAMD            },
    {"on_limit",                 OF_CLAMD            },
    {"on_phishing",              OF_CLAMD            },
    {"on_spam",                  OF_CLAMD            },
    {"on_data_loss",             OF_CLAMD            },
    {"on_broken",                OF_CLAMD            },
    {"class_scores",             OF_CLAMD            },
};

static void
check_strangers(struct building *b)
{
    const struct mfx_str type =
        mfx_str_of(score_engine_type_name(b->engine->type));
    for (size_t i = 0; i < sizeof own_settings / sizeof own_settings[0]; i++)
        if ((own_settings[i].types & (1 << b->engine->type)) == 0 &&
            is_changed(b, own_settings[i].name))
            say(b, MFX_PROBLEM_WARNING, own_settings[i].name,
                "means nothing for an engine of this type", type);
}

/* --- servers --- */

/* "10.0.0.1:783*2": takes the weight off. */
static bool
cut_weight(struct mfx_str *text, unsigned *weight)
{
    size_t star = mfx_str_find_last(*text, '*');
    uint64_t n = 1;
    if (star < text->len) {
        if (mfx_str_to_u64(mfx_str_from(*text, star + 1), WEIGHT_MAX, &n) !=
                MFX_OK ||
            n == 0)
            return false;
        *text = mfx_str_head(*text, star);
    }
    *weight = (unsigned)n;
    return true;
}

static void
check_server(struct building *b, const char *setting, unsigned port,
             struct mfx_str text)
{
    struct mfx_stream_peer *peer = NULL;
    struct mfx_err err = {""};
    if (mfx_stream_peer_new(text, port, &peer, &err) != MFX_OK)
        complain(b, setting, err.msg, nothing);
    else if (b->settings->tls && b->settings->tls_name.len == 0 &&
             mfx_stream_peer_is_unix(peer))
        complain(b, "tls_name", "it is needed for TLS over a UNIX socket",
                 text);
    mfx_stream_peer_free(peer);
}

static void
read_servers(struct building *b, const char *setting,
             const struct mfx_option_list *texts, unsigned port,
             struct score_servers *servers)
{
    static const struct mfx_str local = MFX_STR("127.0.0.1");
    const struct mfx_str *items = texts->count > 0 ? texts->items : &local;
    size_t count = texts->count > 0 ? texts->count : 1;
    if (count > MFX_SCAN_SERVERS_MAX) {
        complain(b, setting, "more than 32 servers", nothing);
        return;
    }
    servers->items =
        mfx_arena_alloc_array(b->build->arena, count, sizeof *servers->items);
    for (size_t i = 0; servers->items != NULL && i < count; i++) {
        struct mfx_scan_server *server = &servers->items[servers->count++];
        struct mfx_str text = mfx_str_trim(items[i]);
        if (!cut_weight(&text, &server->weight))
            complain(b, setting, "no weight from 1 to 1000 behind \"*\"",
                     items[i]);
        else if (server->weight > 1 && b->settings->order != MFX_SCAN_WEIGHT)
            say(b, MFX_PROBLEM_WARNING, setting,
                "a weight counts with order = \"weight\" alone", items[i]);
        check_server(b, setting, port, text);
        for (size_t k = 0; k + 1 < servers->count; k++)
            if (mfx_str_eq_nocase(servers->items[k].address, text))
                complain(b, setting, "this server is there twice", text);
        server->address = mfx_arena_copy(b->build->arena, text);
    }
}

/* --- TLS --- */

static void
note_file(struct building *b, const char *path)
{
    struct score_plan *plan = b->plan;
    if (path == NULL || plan->file_count == SCORE_PLAN_FILES_MAX)
        return;
    plan->files[plan->file_count].path = path;
    if (mfx_file_identify(path, &plan->files[plan->file_count].id, NULL) ==
        MFX_OK)
        plan->file_count++;
}

static void
read_tls(struct building *b)
{
    const struct score_engine_settings *s = b->settings;
    const struct mfx_stream_tls_settings tls = {
        s->tls_ca_file, s->tls_cert_file, s->tls_key_file, s->tls_name};
    struct mfx_err err = {""};
    if (!s->tls) {
        if (tls.ca_file != NULL || tls.cert_file != NULL ||
            tls.key_file != NULL || tls.name.len > 0)
            complain(b, "tls", "it is not on, but there are settings for it",
                     nothing);
        return;
    }
    if (b->engine->type == SCORE_ENGINE_CLAMD) {
        complain(b, "tls", "clamd speaks no TLS", nothing);
        return;
    }
    if (mfx_stream_tls_new(&tls, &b->plan->tls, &err) != MFX_OK)
        complain(b, "tls", err.msg, nothing);
    note_file(b, tls.ca_file);
    note_file(b, tls.cert_file);
    note_file(b, tls.key_file);
}

/* --- passwords --- */

static void
read_password(struct building *b, const char *setting, struct mfx_str given,
              const char *path, struct mfx_str *password)
{
    char file_setting[40], name[80];
    unsigned line = 0;
    struct mfx_secrets secrets = {.count = 0};
    (void)snprintf(file_setting, sizeof file_setting, "%s_file", setting);
    *password = given;
    if (given.len > 0 && path != NULL)
        complain(b, file_setting, "there is a password already", nothing);
    if (path != NULL && given.len == 0) {
        const char *file = place(b, file_setting, name, &line);
        enum mfx_rc rc =
            mfx_secrets_read(path, file, line, "can ask rspamd in our name",
                             b->build->arena, b->build->problems, &secrets);
        b->rc = mfx_rc_worst(b->rc, rc);
        if (rc == MFX_OK)
            *password = secrets.items[0];
        note_file(b, path);
    }
    if (!mfx_str_is_line(*password))
        complain(b, path != NULL ? file_setting : setting,
                 "a password is one line of text", nothing);
}

/* --- what its answer does --- */

static void
read_takes(struct building *b)
{
    static const struct mfx_str names[] = {MFX_STR("score"), MFX_STR("action"),
                                           MFX_STR("edits")};
    bool *const takes[] = {&b->engine->takes_score, &b->engine->takes_action,
                           &b->engine->takes_edits};
    const struct mfx_option_list *words = &b->settings->takes;
    for (size_t i = 0; i < words->count; i++) {
        size_t k = 0;
        while (k < 3 && !mfx_str_eq(words->items[i], names[k]))
            k++;
        if (k < 3)
            *takes[k] = true;
        else
            complain(b, "takes", "score, action or edits is wanted",
                     words->items[i]);
    }
}

/* "reject=hold" */
static void
read_actions(struct building *b)
{
    const struct mfx_option_list *words = &b->settings->actions;
    struct score_proposals *proposals = &b->engine->proposals;
    for (size_t i = 0; i < words->count; i++) {
        const char *why = score_proposals_add(proposals, words->items[i]);
        if (why != NULL)
            complain(b, "actions", why, words->items[i]);
        else if (b->engine->type == SCORE_ENGINE_SPAMD &&
                 !mfx_str_is_nocase(
                     mfx_str_of(proposals->items[proposals->count - 1].word),
                     "spam"))
            say(b, MFX_PROBLEM_WARNING, "actions",
                "spamd proposes nothing but \"spam\"", words->items[i]);
    }
    if (words->count > 0 && !b->engine->takes_action)
        say(b, MFX_PROBLEM_WARNING, "actions",
            "it counts with \"action\" in takes alone", nothing);
}

static int
class_of(struct mfx_str name)
{
    for (int k = MFX_SCAN_CLASS_NONE + 1; k < MFX_SCAN_CLASS_COUNT; k++)
        if (mfx_str_is(name, mfx_scan_class_name((enum mfx_scan_class)k)))
            return k;
    return MFX_SCAN_CLASS_NONE;
}

/* "pua=3" */
static void
read_class_scores(struct building *b)
{
    const struct mfx_option_list *words = &b->settings->class_scores;
    for (size_t i = 0; i < words->count; i++) {
        struct mfx_str score = words->items[i], name;
        int64_t value = 0;
        (void)mfx_str_cut(&score, '=', &name);
        int klass = class_of(mfx_str_trim(name));
        if (klass == MFX_SCAN_CLASS_NONE)
            complain(b, "class_scores",
                     "virus, pua, heuristic, encrypted, macro, limit, "
                     "phishing, spam, data_loss or broken is wanted before "
                     "\"=\"",
                     words->items[i]);
        else if (mfx_decimal_parse(mfx_str_trim(score), &value) != MFX_OK ||
                 value == MFX_DECIMAL_NONE)
            complain(b, "class_scores", "a number is wanted behind \"=\"",
                     words->items[i]);
        else if (b->engine->has_class_score[klass])
            complain(b, "class_scores", "this class is there twice",
                     words->items[i]);
        b->engine->class_scores[klass] = value;
        b->engine->has_class_score[klass] = klass != MFX_SCAN_CLASS_NONE;
    }
}

/* --- what only one type knows --- */

static bool
is_plain(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return false;
    return true;
}

static void
read_rspamd(struct building *b)
{
    const struct score_engine_settings *s = b->settings;
    read_password(b, "password", s->password, s->password_file,
                  &b->plan->password);
    read_password(b, "controller_password", s->controller_password,
                  s->controller_password_file, &b->plan->controller_password);
    read_servers(b, "controller", &s->controller, MFX_RSPAMD_CONTROLLER_PORT,
                 &b->plan->controllers);
    if (!is_plain(s->settings_id))
        complain(b, "settings_id", "it holds control characters", nothing);
    if (!is_plain(s->outgoing_settings_id))
        complain(b, "outgoing_settings_id", "it holds control characters",
                 nothing);
    if (s->settings.len == 0)
        return;
    json_error_t why;
    json_t *json = json_loadb(s->settings.p, s->settings.len,
                              JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(json))
        complain(b, "settings", "no JSON object",
                 json == NULL ? mfx_str_of(why.text) : nothing);
    json_decref(json);
}

static void
check_spamd(struct building *b)
{
    const struct score_engine_settings *s = b->settings;
    if (!is_plain(s->user) || s->user.len > MFX_SPAMD_USER_MAX)
        complain(b, "user", "no user name that spamd takes", s->user);
}

/* --- all of one --- */

static void
check_common(struct building *b)
{
    const struct score_engine_settings *s = b->settings;
    if (s->retry_max_ms < s->retry_ms)
        complain(b, "retry_max", "it is shorter than retry", nothing);
    if (s->on_too_large == SCORE_TOO_LARGE_PART && s->max_size == 0)
        say(b, MFX_PROBLEM_WARNING, "on_too_large",
            "\"part\" is a part of max_size bytes, which is not set", nothing);
    if (s->per_user == SCORE_USER_EACH && s->users == NULL)
        say(b, MFX_PROBLEM_WARNING, "per_user",
            "without users all recipients are alike", nothing);
    if (s->on_failure != SCORE_FAILURE_SCORE && is_changed(b, "failure_score"))
        say(b, MFX_PROBLEM_WARNING, "failure_score",
            "it counts with on_failure = \"score\" alone", nothing);
}

static void
read_engine(struct building *b, const struct score_settings *all)
{
    struct score_engine *e = b->engine;
    e->type = (enum score_engine_type)b->settings->type;
    e->settings = b->settings;
    e->is_shadow = b->settings->mode == SCORE_ENGINE_SHADOW;
    read_name(b, all);
    check_strangers(b);
    check_common(b);
    read_servers(b, "servers", &b->settings->servers, default_ports[e->type],
                 &b->plan->servers);
    read_tls(b);
    read_takes(b);
    read_actions(b);
    switch (e->type) {
    case SCORE_ENGINE_RSPAMD:
        read_rspamd(b);
        break;
    case SCORE_ENGINE_SPAMD:
        check_spamd(b);
        break;
    case SCORE_ENGINE_CLAMD:
        read_class_scores(b);
        break;
    }
}

/* --- the fingerprint: what another engine would be made of --- */

static void
put_number(struct mfx_buf *out, uint64_t n)
{
    mfx_buf_printf(out, "%" PRIu64 " ", n);
}

static void
put_text(struct mfx_buf *out, struct mfx_str text)
{
    put_number(out, text.len);
    mfx_buf_add(out, text);
}

static void
put_servers(struct mfx_buf *out, const struct score_servers *servers)
{
    put_number(out, servers->count);
    for (size_t i = 0; i < servers->count; i++) {
        put_number(out, servers->items[i].weight);
        put_text(out, servers->items[i].address);
    }
}

static void
put_file(struct mfx_buf *out, const char *path, const struct mfx_file_id *id)
{
    put_text(out, mfx_str_of(path));
    put_number(out, (uint64_t)id->device);
    put_number(out, (uint64_t)id->inode);
    put_number(out, (uint64_t)id->size);
    put_number(out, (uint64_t)id->modified.tv_sec);
    put_number(out, (uint64_t)id->modified.tv_nsec);
    put_number(out, (uint64_t)id->changed.tv_sec);
    put_number(out, (uint64_t)id->changed.tv_nsec);
}

static void
put_settings(struct mfx_buf *out, const struct score_engine_settings *s)
{
    const uint64_t numbers[] = {
        (uint64_t)s->type,
        (uint64_t)s->order,
        s->tls,
        s->connect_timeout_ms,
        s->attempt_timeout_ms,
        s->idle_timeout_ms,
        (uint64_t)s->max_requests,
        (uint64_t)s->max_connections,
        (uint64_t)s->max_queue,
        s->max_size,
        s->max_answer,
        (uint64_t)s->on_too_large,
        (uint64_t)s->max_failures,
        s->retry_ms,
        s->retry_max_ms,
        s->check_interval_ms,
        s->compress,
        s->all_symbols,
        (uint64_t)s->command,
        s->trace,
        s->sessions,
        s->pass_files,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_number(out, numbers[i]);
    put_text(out, s->tls_name);
    put_text(out, s->settings);
    put_text(out, s->user);
}

static void
take_fingerprint(struct building *b)
{
    const struct score_plan *plan = b->plan;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, b->build->arena, FILE_MAX);
    put_settings(&out, b->settings);
    put_servers(&out, &plan->servers);
    put_text(&out, plan->password);
    for (size_t i = 0; i < plan->file_count; i++)
        put_file(&out, plan->files[i].path, &plan->files[i].id);
    b->plan->fingerprint = mfx_buf_str(&out);
    if (!mfx_buf_ok(&out))
        b->rc = mfx_rc_worst(b->rc, MFX_TEMPFAIL);
}

/* --- all of them --- */

enum mfx_rc
score_engines_build(const struct score_settings *settings,
                    const struct mfx_policy_build *build,
                    struct score_engines_all *all)
{
    const struct score_engine_settings *groups = settings->engines.items;
    size_t count = settings->engines.count;
    struct building b = {.build = build, .rc = MFX_OK};
    all->list.items =
        mfx_arena_alloc_array(build->arena, count, sizeof *all->list.items);
    all->plans = mfx_arena_alloc_array(build->arena, count, sizeof *all->plans);
    if (all->list.items == NULL || all->plans == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++) {
        b.settings = &groups[i];
        b.engine = &all->list.items[all->list.count];
        b.plan = &all->plans[all->list.count];
        b.engine->index = (unsigned)i;
        b.plan->engine = b.engine;
        read_engine(&b, settings);
        take_fingerprint(&b);
        if (groups[i].mode != SCORE_ENGINE_OFF) {
            all->list.count++;
            continue;
        }
        mfx_stream_tls_free(b.plan->tls);
        *b.plan = (struct score_plan){.engine = NULL};
        *b.engine = (struct score_engine){.settings = NULL};
    }
    return mfx_rc_worst(b.rc,
                        mfx_arena_ok(build->arena) ? MFX_OK : MFX_TEMPFAIL);
}
