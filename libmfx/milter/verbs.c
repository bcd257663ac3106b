/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/verbs.h>

#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include <mfx/base/log.h>
#include <mfx/milter/resolver_share.h>

#include "config.h"

enum {
    WORDS_MAX = 64,
    EXPLAIN_LIST = 20,
};

struct call {
    struct mfx_daemon *daemon;
    const struct mfx_str *args;
    size_t arg_count;
    bool as_json;
    struct mfx_buf *out;
};

static void
fail(const struct call *c, const char *text)
{
    mfx_buf_printf(c->out, "error %s\n", text);
}

static void
put_json(struct mfx_buf *out, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);
    mfx_buf_add_text(out, text == NULL ? "null" : text);
    mfx_buf_add_byte(out, '\n');
    free(text);
    json_decref(j);
}

/* --- status --- */

struct status {
    const char *key;
    const char *text; /* NULL: a number */
    uint64_t number;
};

static void
put_status(const struct call *c, const struct status *rows, size_t count)
{
    json_t *j = c->as_json ? json_object() : NULL;
    mfx_buf_add_text(c->out, "ok\n");
    for (size_t i = 0; i < count; i++) {
        const struct status *s = &rows[i];
        if (j != NULL)
            (void)json_object_set_new(
                j, s->key,
                s->text != NULL ? json_string(s->text)
                                : json_integer((json_int_t)s->number));
        else if (s->text != NULL)
            mfx_buf_printf(c->out, "%s: %s\n", s->key, s->text);
        else
            mfx_buf_printf(c->out, "%s: %llu\n", s->key,
                           (unsigned long long)s->number);
    }
    if (j != NULL)
        put_json(c->out, j);
}

static uint64_t
answered(const struct mfx_metrics *m)
{
    uint64_t sum = 0;
    for (int v = MFX_VERDICT_CONTINUE; v <= MFX_VERDICT_REJECT; v++)
        sum += mfx_metrics_get(m, (enum mfx_counter)(MFX_COUNT_VERDICT + v));
    return sum;
}

static void
verb_status(const struct call *c)
{
    struct mfx_daemon *d = c->daemon;
    struct mfx_snapshot *s = mfx_snapshot_slot_get(&d->engine.snapshots);
    const struct mfx_metrics *m = d->engine.metrics;
    const struct mfx_env clock = mfx_env_system();
    const struct status rows[] = {
        {"daemon",            d->filter->name,                                       0                                       },
        {"version",           PACKAGE_VERSION,                                       0                                       },
        {"pid",               NULL,                                                  (uint64_t)getpid()                      },
        {"state",             atomic_load(&d->is_stopping) ? "stopping" : "running", 0                                       },
        {"uptime",            NULL,                                                  clock.wall_s(&clock) - d->started_wall_s},
        {"config",            d->file,                                               0                                       },
        {"mode",              mfx_mode_name(s->common.mode),                         0                                       },
        {"socket",            d->socket_text,                                        0                                       },
        {"snapshot",          NULL,                                                  s->number                               },
        {"loaded",            NULL,                                                  s->loaded_wall_s                        },
        {"last_reload",       atomic_load(&d->is_reload_failed) ? "failed" : "ok",   0                                       },
        {"log_level",         mfx_log_level_name(mfx_log_get_level()),               0                                       },
        {"connections",       NULL,                                                  atomic_load(&d->engine.connections)     },
        {"in_flight",         NULL,                                                  atomic_load(&d->engine.in_flight)       },
        {"connections_total", NULL,                                                  mfx_metrics_get(m,                        MFX_COUNT_CONNECTIONS)},
        {"messages_total",                   NULL,                                                         answered(m)                                                                          },
    };
    put_status(c, rows, sizeof rows / sizeof rows[0]);
    mfx_snapshot_release(s);
}

/* --- metrics --- */

static void
put_dns(struct mfx_resolver_share *share, struct mfx_buf *out)
{
    struct mfx_resolver_dns_stats s;
    if (share == NULL || !mfx_resolver_share_stats(share, &s))
        return;
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"mfx_dns_questions_total",  "counter", "Questions asked.",         s.questions         },
        {"mfx_dns_cache_hits_total", "counter", "Answered from the cache.",
         s.cache_hits                                                                           },
        {"mfx_dns_joined_total",     "counter",
         "Joined to a question already open.",                              s.joined            },
        {"mfx_dns_answers_total",    "counter", "Answers received.",        s.answers           },
        {"mfx_dns_timeouts_total",   "counter", "No answer in time.",       s.timeouts          },
        {"mfx_dns_failures_total",   "counter", "Server failures.",         s.failures          },
        {"mfx_dns_malformed_total",  "counter", "Unreadable answers.",
         s.malformed                                                                            },
        {"mfx_dns_over_limit_total", "counter",
         "Refused by dns.max_outstanding.",                                 s.refused_over_limit},
        {"mfx_dns_outstanding",      "gauge",   "Questions open now.",      s.outstanding       },
        {"mfx_dns_cache_entries",    "gauge",   "Answers kept.",            s.cache_entries     },
        {"mfx_dns_cache_bytes",      "gauge",   "Memory of answers kept.",
         s.cache_bytes                                                                          },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        mfx_metrics_put(out, rows[i].name, rows[i].type, rows[i].help,
                        rows[i].value);
}

void
mfx_verbs_metrics(struct mfx_daemon *d, struct mfx_buf *out)
{
    struct mfx_snapshot *s = mfx_snapshot_slot_get(&d->engine.snapshots);
    mfx_buf_printf(out,
                   "# HELP mfx_build_info What runs.\n"
                   "# TYPE mfx_build_info gauge\n"
                   "mfx_build_info{daemon=\"%s\",version=\"%s\"} 1\n",
                   d->filter->name, PACKAGE_VERSION);
    mfx_metrics_put(out, "mfx_start_time_seconds", "gauge",
                    "When the daemon started.", d->started_wall_s);
    mfx_metrics_put(out, "mfx_snapshot_time_seconds", "gauge",
                    "When the configuration in force was loaded.",
                    s->loaded_wall_s);
    mfx_metrics_put(out, "mfx_reload_failed", "gauge",
                    "1 when the last reload failed.",
                    atomic_load(&d->is_reload_failed));
    mfx_metrics_put(out, "mfx_connections", "gauge", "Connections open now.",
                    atomic_load(&d->engine.connections));
    mfx_metrics_put(out, "mfx_messages_in_flight", "gauge",
                    "Messages between MAIL and their answer.",
                    atomic_load(&d->engine.in_flight));
    mfx_metrics_format(d->engine.metrics, out);
    put_dns(s->resolver, out);
    if (d->filter->metrics != NULL)
        d->filter->metrics(s->policy, out);
    mfx_snapshot_release(s);
}

static void
verb_metrics(const struct call *c)
{
    mfx_buf_add_text(c->out, "ok\n");
    mfx_verbs_metrics(c->daemon, c->out);
}

/* --- reload, log --- */

static void
verb_reload(const struct call *c)
{
    struct mfx_buf text;
    mfx_buf_init(&text, 1024 * 1024);
    bool ok = mfx_daemon_reload(c->daemon, "control socket", &text);
    mfx_buf_add_text(c->out, ok ? "ok\n"
                                : "error reload failed, the old "
                                  "configuration stays\n");
    if (c->as_json)
        put_json(c->out, json_pack("{s:b,s:s%}", "ok", ok, "text",
                                   mfx_buf_text(&text), text.len));
    else
        mfx_buf_add(c->out, mfx_buf_str(&text));
    mfx_buf_fini(&text);
}

static void
verb_log(const struct call *c)
{
    enum mfx_log_level level;
    if (c->arg_count != 1 ||
        mfx_log_level_parse(c->args[0], &level) != MFX_OK) {
        fail(c, "log: needs one of error, warning, info, debug");
        return;
    }
    mfx_log_set_level(level);
    mfx_log_say(MFX_LOG_INFO, "log_level", "level", mfx_log_level_name(level));
    mfx_buf_add_text(c->out, "ok\n");
    if (c->as_json)
        put_json(c->out,
                 json_pack("{s:s}", "level", mfx_log_level_name(level)));
}

/* --- explain --- */

static void
explain_one(const struct call *c, struct mfx_arena *arena)
{
    struct mfx_str entry;
    if (mfx_ring_find(c->daemon->engine.ring, c->args[0], arena, &entry) !=
        MFX_OK) {
        fail(c, "explain: no recent message has that queue id, client, "
                "sender or recipient");
        return;
    }
    mfx_buf_add_text(c->out, "ok\n");
    if (c->as_json) {
        mfx_ring_format_json(entry, c->out);
        mfx_buf_add_byte(c->out, '\n');
    } else {
        mfx_ring_format(entry, c->out);
    }
}

static void
list_line(struct mfx_str entry, struct mfx_buf *out)
{
    static const char *const keys[] = {"queue_id", "event", "from", "reason"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct mfx_str rest = entry;
        struct mfx_ring_item item, found = {
                                       .text = {"-", 1}
        };
        while (mfx_ring_next(&rest, &item))
            if (item.section == MFX_ITEM_HEAD && mfx_str_is(item.key, keys[i]))
                found = item;
        mfx_buf_add_text(out, i == 0 ? "" : "  ");
        mfx_buf_add(out, found.text);
    }
    mfx_buf_add_byte(out, '\n');
}

static void
explain_list(const struct call *c, struct mfx_arena *arena)
{
    struct mfx_str entry;
    mfx_buf_add_text(c->out, c->as_json ? "ok\n[" : "ok\n");
    for (size_t n = 0;
         n < EXPLAIN_LIST &&
         mfx_ring_at(c->daemon->engine.ring, n, arena, &entry) == MFX_OK;
         n++) {
        if (c->as_json) {
            mfx_buf_add_text(c->out, n == 0 ? "" : ",");
            mfx_ring_format_json(entry, c->out);
        } else {
            list_line(entry, c->out);
        }
    }
    mfx_buf_add_text(c->out, c->as_json ? "]\n" : "");
}

static void
verb_explain(const struct call *c)
{
    struct mfx_arena *arena = mfx_arena_new(4 * 1024 * 1024);
    if (arena == NULL)
        fail(c, "out of memory");
    else if (c->arg_count == 0)
        explain_list(c, arena);
    else
        explain_one(c, arena);
    mfx_arena_free(arena);
}

/* --- the table --- */

static void verb_help(const struct call *c);

static const struct {
    const char *name, *help;
    void (*run)(const struct call *c);
} verbs[] = {
    {"status",  "what runs, since when, how much",                verb_status },
    {"reload",  "load configuration, tables and keys anew",       verb_reload },
    {"metrics", "all counters, as Prometheus text",               verb_metrics},
    {"log",     "LEVEL: error, warning, info or debug",           verb_log    },
    {"explain", "[QUEUEID]: why a recent message was treated so", verb_explain},
    {"help",    "this list",                                      verb_help   },
};

static void
help_row(const struct call *c, json_t *j, const char *name, const char *help)
{
    if (j != NULL)
        (void)json_object_set_new(j, name, json_string(help));
    else
        mfx_buf_printf(c->out, "%-12s %s\n", name, help);
}

static void
verb_help(const struct call *c)
{
    json_t *j = c->as_json ? json_object() : NULL;
    const struct mfx_control_verb *v = c->daemon->filter->verbs;
    mfx_buf_add_text(c->out, "ok\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        help_row(c, j, verbs[i].name, verbs[i].help);
    for (; v != NULL && v->name != NULL; v++)
        help_row(c, j, v->name, v->help);
    if (j != NULL)
        put_json(c->out, j);
}

static void
run_filter_verb(const struct call *c, const struct mfx_control_verb *v)
{
    struct mfx_buf body;
    struct mfx_err err = {{0}};
    struct mfx_snapshot *s =
        mfx_snapshot_slot_get(&c->daemon->engine.snapshots);
    mfx_buf_init(&body, MFX_CONTROL_ANSWER_MAX / 2);
    enum mfx_rc rc =
        v->run(s->policy, c->args, c->arg_count, c->as_json, &body, &err);
    if (rc == MFX_OK && mfx_buf_ok(&body))
        mfx_buf_add_text(c->out, "ok\n");
    else
        fail(c, err.msg[0] != '\0' ? err.msg : mfx_rc_name(rc));
    mfx_buf_add(c->out, mfx_buf_str(&body));
    mfx_buf_fini(&body);
    mfx_snapshot_release(s);
}

static void
run_verb(const struct call *c, struct mfx_str name)
{
    const struct mfx_control_verb *v = c->daemon->filter->verbs;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (mfx_str_is(name, verbs[i].name)) {
            verbs[i].run(c);
            return;
        }
    for (; v != NULL && v->name != NULL; v++)
        if (mfx_str_is(name, v->name)) {
            run_filter_verb(c, v);
            return;
        }
    fail(c, "no such verb; try help");
}

void
mfx_verbs_handle(void *arg, struct mfx_str line, struct mfx_buf *out)
{
    struct mfx_str words[WORDS_MAX], rest = line;
    size_t count = 0;
    struct call c = {.daemon = arg, .out = out};
    while (count < WORDS_MAX && mfx_str_cut(&rest, ' ', &words[count]))
        count++;
    size_t first = count > 0 && mfx_str_is(words[0], "json") ? 1 : 0;
    c.as_json = first == 1;
    if (count <= first || !mfx_str_is_line(line)) {
        fail(&c, "no verb; try help");
        return;
    }
    c.args = words + first + 1;
    c.arg_count = count - first - 1;
    run_verb(&c, words[first]);
}
