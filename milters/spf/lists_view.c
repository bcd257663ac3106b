/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the lists are and what they are worth: for commands and for metrics.
 * Zones are called by their public names.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include <mfx/base/clock.h>
#include <mfx/policy/metrics_text.h>

#include "list_impl.h"

/* --- views --- */

static struct spf_list_counts
counts_of(struct spf_list_state *s)
{
    struct spf_list_counts c = {
        .asked = atomic_load(&s->asked),
        .cached = atomic_load(&s->cached),
        .hits = atomic_load(&s->hits),
        .shadow_hits = atomic_load(&s->shadow_hits),
        .decided = atomic_load(&s->decided),
        .alone = atomic_load(&s->alone),
        .errors = atomic_load(&s->errors),
        .failures = atomic_load(&s->failures),
        .timeouts = atomic_load(&s->timeouts),
        .latency_sum_ms = atomic_load(&s->latency_sum_ms),
        .latency_max_ms = atomic_load(&s->latency_max_ms),
    };
    for (size_t i = 0; i < SPF_LIST_LATENCY_COUNT; i++)
        c.latencies[i] = atomic_load(&s->latencies[i]);
    return c;
}

/* Under the mutex. */
static struct spf_list_view
view_of(const struct spf_list *list)
{
    struct spf_list_view view = {
        .name = list->name,
        .group = list->group,
        .type = list->type,
        .mode = list->mode,
        .test = list->test,
        .is_dnswl = list->is_dnswl,
        .site_count = list->rules.site_count,
        .sites = list->rules.sites,
        .use = spf_list_use_of(list),
        .health = list->state->health,
        .why = list->state->why,
        .tested_s = list->state->tested_s,
        .since_s = list->state->since_s,
        .counts = counts_of(list->state),
    };
    memcpy(view.keys, list->keys, sizeof view.keys);
    return view;
}

void
spf_lists_each(const struct spf_lists *lists,
               bool (*visit)(const struct spf_list_view *view, void *arg),
               void *arg)
{
    bool goes_on = true;
    for (size_t i = 0; lists != NULL && goes_on && i < lists->count; i++) {
        char why[SPF_LIST_WHY_MAX];
        (void)pthread_mutex_lock(&lists->shared->mutex);
        struct spf_list_view view = view_of(&lists->lists[i]);
        memcpy(why, view.why, sizeof why);
        (void)pthread_mutex_unlock(&lists->shared->mutex);
        view.why = why;
        goes_on = visit(&view, arg);
    }
}

static const char *
type_name(enum mfx_dns_list_type type)
{
    static const char *const names[] = {
        [MFX_DNS_LIST_TYPE_ADDRESS] = "address",
        [MFX_DNS_LIST_TYPE_DOMAIN] = "domain",
        [MFX_DNS_LIST_TYPE_HASH] = "hash",
    };
    return names[type];
}

static const char *
mode_name(enum spf_list_mode mode)
{
    static const char *const names[] = {
        [SPF_LIST_ENFORCE] = "enforce",
        [SPF_LIST_SHADOW] = "shadow",
        [SPF_LIST_OFF] = "off",
    };
    return names[mode];
}

/* --- metrics --- */

/* Zones with one public name and type are one series. */
struct series {
    const struct spf_list *list;
    bool is_in_use;
    struct spf_list_counts counts;
};

static void
add_counts(struct spf_list_counts *to, const struct spf_list_counts *c)
{
    to->asked += c->asked;
    to->cached += c->cached;
    to->hits += c->hits;
    to->shadow_hits += c->shadow_hits;
    to->decided += c->decided;
    to->alone += c->alone;
    to->errors += c->errors;
    to->failures += c->failures;
    to->timeouts += c->timeouts;
    to->latency_sum_ms += c->latency_sum_ms;
    for (size_t i = 0; i < SPF_LIST_LATENCY_COUNT; i++)
        to->latencies[i] += c->latencies[i];
}

static bool
is_counted(const struct spf_lists *lists, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (lists->lists[i].state == lists->lists[at].state)
            return true;
    return false;
}

static size_t
gather(const struct spf_lists *lists, struct series *series)
{
    size_t count = 0;
    for (size_t i = 0; i < lists->count; i++) {
        const struct spf_list *list = &lists->lists[i];
        size_t at = 0;
        while (at < count && (series[at].list->type != list->type ||
                              !mfx_str_eq(series[at].list->name, list->name)))
            at++;
        if (at == count)
            series[count++] = (struct series){.list = list, .is_in_use = true};
        series[at].is_in_use &= spf_list_use_of(list) == SPF_LIST_IN_USE;
        if (is_counted(lists, i))
            continue;
        const struct spf_list_counts c = counts_of(list->state);
        add_counts(&series[at].counts, &c);
    }
    return count;
}

static void
put_labels(struct mfx_buf *out, const char *name, const struct series *s)
{
    mfx_buf_printf(out, "%s{list=\"%.*s\",type=\"%s\"", name,
                   MFX_STR_ARG(s->list->name), type_name(s->list->type));
}

static void
put_counter(struct mfx_buf *out, const char *name, const char *type,
            const char *help, const struct series *series, size_t count,
            size_t offset)
{
    mfx_metrics_text_head(out, name, type, help);
    for (size_t i = 0; i < count; i++) {
        const char *counts = (const char *)&series[i].counts;
        uint64_t value;
        memcpy(&value, counts + offset, sizeof value);
        put_labels(out, name, &series[i]);
        mfx_buf_printf(out, "} %" PRIu64 "\n", value);
    }
}

static void
put_in_use(struct mfx_buf *out, const struct series *series, size_t count)
{
    mfx_metrics_text_head(out, "mfx_spf_list_in_use", "gauge",
                          "1: the list has passed its tests and counts.");
    for (size_t i = 0; i < count; i++) {
        put_labels(out, "mfx_spf_list_in_use", &series[i]);
        mfx_buf_printf(out, "} %d\n", series[i].is_in_use);
    }
}

static void
put_seconds(struct mfx_buf *out, uint64_t ms)
{
    mfx_buf_printf(out, "%" PRIu64 ".%03" PRIu64 "\n", ms / 1000, ms % 1000);
}

static void
put_latencies(struct mfx_buf *out, const struct series *series, size_t count)
{
    static const char name[] = "mfx_spf_list_latency_seconds";
    static const char *const ends[SPF_LIST_LATENCY_COUNT] = {
        "0.01", "0.03", "0.1", "0.3", "1", "3", "+Inf"};
    mfx_metrics_text_head(out, name, "histogram",
                          "How long the list took to answer.");
    for (size_t i = 0; i < count; i++) {
        uint64_t sum = 0;
        for (size_t k = 0; k < SPF_LIST_LATENCY_COUNT; k++) {
            sum += series[i].counts.latencies[k];
            put_labels(out, "mfx_spf_list_latency_seconds_bucket", &series[i]);
            mfx_buf_printf(out, ",le=\"%s\"} %" PRIu64 "\n", ends[k], sum);
        }
        put_labels(out, "mfx_spf_list_latency_seconds_sum", &series[i]);
        mfx_buf_add_text(out, "} ");
        put_seconds(out, series[i].counts.latency_sum_ms);
        put_labels(out, "mfx_spf_list_latency_seconds_count", &series[i]);
        mfx_buf_printf(out, "} %" PRIu64 "\n", sum);
    }
}

void
spf_lists_metrics(const struct spf_lists *lists, struct mfx_buf *out)
{
#define ROW(name, help, field)                      \
    {                                               \
        "mfx_spf_list_" name "_total", help,        \
            offsetof(struct spf_list_counts, field) \
    }
    static const struct {
        const char *name, *help;
        size_t offset;
    } rows[] = {
        ROW("asked", "Questions to the list.", asked),
        ROW("cached", "Answers that were known already.", cached),
        ROW("hits", "Answers that a filter of the list counted.", hits),
        ROW("shadow_hits", "The same while the list was not scored.",
            shadow_hits),
        ROW("decided",
            "Messages that another thing was done with because of this list.",
            decided),
        ROW("alone", "Messages that no other list listed.", alone),
        ROW("errors", "Answers by which the list says that it refuses.",
            errors),
        ROW("failures", "Server failures and answers that cannot be read.",
            failures),
        ROW("timeouts", "Questions that were not answered in time.", timeouts),
    };
#undef ROW
    if (lists == NULL)
        return;
    struct series *series = calloc(lists->count + 1, sizeof *series);
    if (series == NULL)
        return;
    size_t count = gather(lists, series);
    put_in_use(out, series, count);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put_counter(out, rows[i].name, "counter", rows[i].help, series, count,
                    rows[i].offset);
    put_latencies(out, series, count);
    mfx_metrics_text_value(out, "mfx_spf_list_cache_entries", "gauge",
                           "Answers of lists that are kept.",
                           mfx_dns_list_cache_count(lists->cache));
    free(series);
}

/* --- the verb --- */

struct printing {
    const struct mfx_str *names;
    size_t name_count;
    bool as_json;
    json_t *list;
    struct mfx_buf *out;
    size_t shown;
};

static bool
is_wanted(const struct printing *p, struct mfx_str name)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (mfx_str_eq_nocase(p->names[i], name))
            return true;
    return p->name_count == 0;
}

/* Of those that answered. */
static uint64_t
answered(const struct spf_list_counts *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SPF_LIST_LATENCY_COUNT; i++)
        sum += c->latencies[i];
    return sum;
}

static uint64_t
mean_ms(const struct spf_list_counts *c)
{
    uint64_t count = answered(c);
    return count == 0 ? 0 : c->latency_sum_ms / count;
}

static void
print_text(const struct spf_list_view *v, struct mfx_buf *out)
{
    const struct spf_list_counts *c = &v->counts;
    char since[32], tested[32];
    (void)mfx_clock_text(v->since_s, since);
    (void)mfx_clock_text(v->tested_s, tested);
    mfx_buf_printf(out, "%.*s (%s%s%s): %s", MFX_STR_ARG(v->name),
                   type_name(v->type),
                   v->mode == SPF_LIST_SHADOW ? ", shadow" : "",
                   v->is_dnswl ? ", dnswl" : "", spf_list_use_name(v->use));
    if (since[0] != '\0')
        mfx_buf_printf(out, " since %s", since);
    if (v->why[0] != '\0')
        mfx_buf_printf(out, "; %s", v->why);
    if (tested[0] != '\0')
        mfx_buf_printf(out, "; tested %s", tested);
    mfx_buf_printf(
        out,
        "\n    asked %" PRIu64 " (cached %" PRIu64 "), hits %" PRIu64
        ", decided %" PRIu64 ", alone %" PRIu64 ", shadow %" PRIu64
        ", errors %" PRIu64 ", failures %" PRIu64 ", timeouts %" PRIu64
        ", %" PRIu64 " ms (at most %" PRIu64 ")\n",
        c->asked, c->cached, c->hits, c->decided, c->alone, c->shadow_hits,
        c->errors, c->failures, c->timeouts, mean_ms(c), c->latency_max_ms);
}

static json_t *
json_text(struct mfx_str s)
{
    return json_stringn(s.len > 0 ? s.p : "", s.len);
}

static void
put_number(json_t *o, const char *name, uint64_t value)
{
    (void)json_object_set_new(o, name, json_integer((json_int_t)value));
}

static json_t *
json_sites(const struct spf_list_view *v)
{
    json_t *sites = json_array();
    for (size_t i = 0; i < v->site_count; i++)
        (void)json_array_append_new(
            sites, json_pack("{s:o, s:i}", "filter",
                             json_text(v->sites[i].filter_text), "weight",
                             v->sites[i].weight));
    return sites;
}

static json_t *
json_keys(const struct spf_list_view *v)
{
    json_t *keys = json_array();
    for (int k = 0; k < SPF_LIST_KEY_COUNT; k++)
        if (v->keys[k])
            (void)json_array_append_new(
                keys, json_string(spf_list_key_name((enum spf_list_key)k)));
    return keys;
}

static void
print_json(const struct spf_list_view *v, json_t *list)
{
    const struct spf_list_counts *c = &v->counts;
    char since[32], tested[32];
    (void)mfx_clock_text(v->since_s, since);
    (void)mfx_clock_text(v->tested_s, tested);
    json_t *o = json_pack(
        "{s:o, s:o, s:s, s:s, s:b, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "list",
        json_text(v->name), "group", json_text(v->group), "type",
        type_name(v->type), "mode", mode_name(v->mode), "dnswl", v->is_dnswl,
        "keys", json_keys(v), "sites", json_sites(v), "use",
        spf_list_use_name(v->use), "health",
        v->tested_s == 0 ? "" : mfx_dns_list_health_name(v->health), "why",
        v->why, "since", since, "tested", tested);
    put_number(o, "asked", c->asked);
    put_number(o, "cached", c->cached);
    put_number(o, "hits", c->hits);
    put_number(o, "shadow_hits", c->shadow_hits);
    put_number(o, "decided", c->decided);
    put_number(o, "alone", c->alone);
    put_number(o, "errors", c->errors);
    put_number(o, "failures", c->failures);
    put_number(o, "timeouts", c->timeouts);
    put_number(o, "mean_ms", mean_ms(c));
    put_number(o, "max_ms", c->latency_max_ms);
    (void)json_array_append_new(list, o);
}

static bool
print(const struct spf_list_view *view, void *arg)
{
    struct printing *p = arg;
    if (!is_wanted(p, view->name))
        return true;
    p->shown++;
    if (p->as_json)
        print_json(view, p->list);
    else
        print_text(view, p->out);
    return true;
}

enum mfx_rc
spf_lists_verb(const struct spf_lists *lists, const struct mfx_str *args,
               size_t arg_count, bool as_json, struct mfx_buf *out,
               struct mfx_err *err)
{
    struct printing p = {args, arg_count, as_json, NULL, out, 0};
    p.list = as_json ? json_array() : NULL;
    spf_lists_each(lists, print, &p);
    if (p.shown == 0 && arg_count > 0) {
        mfx_err_set(err, "no list of that name is configured");
        json_decref(p.list);
        return MFX_NOTFOUND;
    }
    if (!as_json) {
        if (p.shown == 0)
            mfx_buf_add_text(out, "no DNS list is configured\n");
        return MFX_OK;
    }
    char *text = json_dumps(p.list, JSON_COMPACT);
    mfx_buf_printf(out, "%s\n", text == NULL ? "[]" : text);
    free(text);
    json_decref(p.list);
    return MFX_OK;
}
