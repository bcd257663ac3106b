/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the running daemon tells: `mfxctl score engines`, `mfxctl score symbols`.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include <mfx/base/clock.h>
#include <mfx/base/decimal.h>

#include "message.h"
#include "report.h"
#include "shadow.h"

enum {
    TOP = 20,
    TOP_MAX = 1000000,
};

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

static void
put_decimal(json_t *o, const char *name, int64_t thousandths)
{
    (void)json_object_set_new(o, name, json_real((double)thousandths / 1000.0));
}

static void
put_time(json_t *o, const char *name, uint64_t time_s)
{
    char text[MFX_CLOCK_TEXT];
    (void)json_object_set_new(o, name,
                              json_string(mfx_clock_text(time_s, text)));
}

static void
print_json(json_t *value, struct mfx_buf *out)
{
    char *text =
        value == NULL
            ? NULL
            : json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(12));
    mfx_buf_printf(out, "%s\n", text == NULL ? "[]" : text);
    free(text);
    json_decref(value);
}

/* Rounded to thousandths. */
static int64_t
mean(int64_t sum, uint64_t count)
{
    return count == 0 ? 0 : sum / (int64_t)count;
}

static bool
is_wanted(const struct score_engine *engine, const struct mfx_str *names,
          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_str_eq_nocase(names[i], engine->name))
            return true;
    return count == 0;
}

static enum mfx_rc
check_names(const struct score_engines *engines, const struct mfx_str *names,
            size_t count, struct mfx_err *err)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < engines->count &&
               !is_wanted(&engines->items[k], &names[i], 1))
            k++;
        if (k == engines->count) {
            mfx_err_set(err, "no engine of that name is configured");
            return MFX_NOTFOUND;
        }
    }
    return MFX_OK;
}

/* --- engines, for people --- */

static const char *
mode_of(const struct score_engine *e)
{
    return e->is_shadow ? "shadow" : "enforce";
}

static uint64_t
failures(const struct mfx_scan_server_report *s)
{
    return s->timeouts + s->unreached + s->broken + s->refused;
}

static void
print_server(const struct mfx_scan_server_report *s, struct mfx_buf *out)
{
    mfx_buf_printf(out,
                   "  %-28s %-9s %5u %9" PRIu64 " %9" PRIu64 " %7" PRIu64
                   " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "  %s\n",
                   s->server, mfx_scan_health_name(s->health), s->in_use,
                   s->asked, s->answered, failures(s), s->median_ms, s->p99_ms,
                   s->max_ms, s->version[0] == '\0' ? "-" : s->version);
    if (s->health == MFX_SCAN_OUT)
        mfx_buf_printf(out, "    out: greeted again in %" PRIu64 " s\n",
                       (s->retry_in_ms + 999) / 1000);
    if (s->health == MFX_SCAN_RETURNING)
        mfx_buf_printf(out, "    on its way back: %u at once\n", s->allowed);
    if (failures(s) > 0)
        mfx_buf_printf(
            out,
            "    timeouts %" PRIu64 ", unreached %" PRIu64 ", broken %" PRIu64
            ", refused %" PRIu64 ", outages %" PRIu64 "\n",
            s->timeouts, s->unreached, s->broken, s->refused, s->outages);
    if (s->trouble[0] != '\0')
        mfx_buf_printf(out, "    last trouble: %s\n", s->trouble);
}

static void
print_scores(const struct score_difference *d, struct mfx_buf *out)
{
    if (!d->has_scores)
        return;
    mfx_buf_add_text(out, " (");
    mfx_decimal_format(d->score, out);
    mfx_buf_add_text(out, ", others ");
    mfx_decimal_format(d->total, out);
    mfx_buf_add_text(out, ")");
}

static void
print_shadow(const struct score_tally_view *t, struct mfx_buf *out)
{
    uint64_t all = t->agreed + t->harsher + t->milder;
    uint64_t permille = all == 0 ? 0 : t->agreed * 1000 / all;
    mfx_buf_printf(out,
                   "  in the shadow: agreed %" PRIu64 " of %" PRIu64
                   " (%" PRIu64 ".%" PRIu64 " %%), harsher %" PRIu64
                   ", milder %" PRIu64 ", no answer %" PRIu64
                   ", nothing to compare with %" PRIu64 "\n",
                   t->agreed, all, permille / 10, permille % 10, t->harsher,
                   t->milder, t->unanswered, t->alone);
    if (t->scored > 0) {
        mfx_buf_add_text(out, "  mean score ");
        mfx_decimal_format(mean(t->score_sum, t->scored), out);
        mfx_buf_add_text(out, ", of the others ");
        mfx_decimal_format(mean(t->total_sum, t->scored), out);
        mfx_buf_add_text(out, "\n");
    }
    for (size_t i = 0; i < t->last_count; i++) {
        const struct score_difference *d = &t->last[i];
        char when[MFX_CLOCK_TEXT];
        mfx_buf_printf(out, "    %s %s: %s, would have been %s",
                       mfx_clock_text(d->time_s, when),
                       d->queue_id[0] == '\0' ? "NOQUEUE" : d->queue_id,
                       score_action_name(d->did), score_action_name(d->would));
        print_scores(d, out);
        mfx_buf_add_text(out, "\n");
    }
}

static void
print_counts(const struct score_tally_view *t, struct mfx_buf *out)
{
    const char *before = "  scans:";
    for (int e = 0; e < MFX_SCAN_END_COUNT; e++)
        if (t->ends[e] > 0) {
            mfx_buf_printf(out, "%s %s %" PRIu64, before,
                           mfx_scan_end_name((enum mfx_scan_end)e), t->ends[e]);
            before = ",";
        }
    mfx_buf_add_text(out, before[0] == ',' ? "\n" : "");
    before = "  found:";
    for (int k = 1; k < MFX_SCAN_CLASS_COUNT; k++)
        if (t->finds[k] > 0) {
            mfx_buf_printf(out, "%s %s %" PRIu64, before,
                           mfx_scan_class_name((enum mfx_scan_class)k),
                           t->finds[k]);
            before = ",";
        }
    mfx_buf_add_text(out, before[0] == ',' ? "\n" : "");
}

static void
print_engine(const struct score_report *r, struct mfx_buf *out)
{
    mfx_buf_printf(out, "%.*s (%s, %s): %u running, %u waiting",
                   MFX_STR_ARG(r->engine->name),
                   score_engine_type_name(r->engine->type), mode_of(r->engine),
                   r->load.running, r->load.queued);
    if (r->load.turned_away > 0)
        mfx_buf_printf(out, ", %" PRIu64 " turned away", r->load.turned_away);
    mfx_buf_printf(out, "\n  %-28s %-9s %5s %9s %9s %7s %7s %7s %7s  %s\n",
                   "SERVER", "HEALTH", "USE", "ASKED", "ANSWERED", "FAILED",
                   "MEDIAN", "P99", "MAX ms", "VERSION");
    for (size_t i = 0; i < r->server_count; i++)
        print_server(&r->servers[i], out);
    if (r->server_count == 0)
        mfx_buf_add_text(out, "  it could not be made: see the log\n");
    print_counts(&r->tally, out);
    if (r->engine->is_shadow)
        print_shadow(&r->tally, out);
}

/* --- engines, for programs --- */

static json_t *
server_json(const struct mfx_scan_server_report *s)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "server", s->server, "health",
                          mfx_scan_health_name(s->health), "version",
                          s->version, "trouble", s->trouble);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"in_use",      s->in_use     },
        {"allowed",     s->allowed    },
        {"retry_in_ms", s->retry_in_ms},
        {"asked",       s->asked      },
        {"answered",    s->answered   },
        {"timeouts",    s->timeouts   },
        {"unreached",   s->unreached  },
        {"broken",      s->broken     },
        {"refused",     s->refused    },
        {"outages",     s->outages    },
        {"median_ms",   s->median_ms  },
        {"p99_ms",      s->p99_ms     },
        {"max_ms",      s->max_ms     },
        {"total_ms",    s->total_ms   },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_number(o, numbers[i].name, numbers[i].value);
    return o;
}

static json_t *
difference_json(const struct score_difference *d)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "queue_id", d->queue_id, "did",
                          score_action_name(d->did), "would",
                          score_action_name(d->would));
    put_time(o, "time", d->time_s);
    if (d->has_scores) {
        put_decimal(o, "score", d->score);
        put_decimal(o, "others_score", d->total);
    }
    return o;
}

static json_t *
seen_json(const struct score_tally_view *t)
{
    json_t *list = json_array();
    for (int did = 0; did < SCORE_ACTION_COUNT; did++)
        for (int would = 0; would < SCORE_ACTION_COUNT; would++)
            if (t->seen[did][would] > 0)
                (void)json_array_append_new(
                    list, json_pack("{s:s, s:s, s:I}", "did",
                                    score_action_name((enum score_action)did),
                                    "would",
                                    score_action_name((enum score_action)would),
                                    "count", (json_int_t)t->seen[did][would]));
    return list;
}

static json_t *
shadow_json(const struct score_tally_view *t)
{
    json_t *o = json_object(), *last = json_array();
    put_number(o, "agreed", t->agreed);
    put_number(o, "harsher", t->harsher);
    put_number(o, "milder", t->milder);
    put_number(o, "unanswered", t->unanswered);
    put_number(o, "alone", t->alone);
    if (t->scored > 0) {
        put_decimal(o, "mean_score", mean(t->score_sum, t->scored));
        put_decimal(o, "others_mean_score", mean(t->total_sum, t->scored));
    }
    (void)json_object_set_new(o, "seen", seen_json(t));
    for (size_t i = 0; i < t->last_count; i++)
        (void)json_array_append_new(last, difference_json(&t->last[i]));
    (void)json_object_set_new(o, "last", last);
    return o;
}

static json_t *
engine_json(const struct score_report *r)
{
    json_t *o = json_pack(
        "{s:o, s:s, s:s}", "engine", json_text(r->engine->name), "type",
        score_engine_type_name(r->engine->type), "mode", mode_of(r->engine));
    json_t *servers = json_array(), *ends = json_object(),
           *finds = json_object();
    put_number(o, "running", r->load.running);
    put_number(o, "waiting", r->load.queued);
    put_number(o, "turned_away", r->load.turned_away);
    for (size_t i = 0; i < r->server_count; i++)
        (void)json_array_append_new(servers, server_json(&r->servers[i]));
    for (int e = 0; e < MFX_SCAN_END_COUNT; e++)
        put_number(ends, mfx_scan_end_name((enum mfx_scan_end)e),
                   r->tally.ends[e]);
    for (int k = 1; k < MFX_SCAN_CLASS_COUNT; k++)
        if (r->tally.finds[k] > 0)
            put_number(finds, mfx_scan_class_name((enum mfx_scan_class)k),
                       r->tally.finds[k]);
    (void)json_object_set_new(o, "servers", servers);
    (void)json_object_set_new(o, "scans", ends);
    (void)json_object_set_new(o, "finds", finds);
    if (r->engine->is_shadow)
        (void)json_object_set_new(o, "shadow", shadow_json(&r->tally));
    return o;
}

static enum mfx_rc
run_engines(const void *policy, const struct mfx_str *args, size_t arg_count,
            bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    const struct score_policy *p = policy;
    const struct score_engines *engines = p->engines;
    enum mfx_rc rc = check_names(engines, args, arg_count, err);
    struct mfx_arena *arena = rc == MFX_OK ? mfx_arena_new(0) : NULL;
    if (rc != MFX_OK)
        return rc;
    score_shadows_look(score_shared_shadows(p->shared));
    const struct score_report *reports =
        arena == NULL ? NULL : score_report_new(engines, arena);
    json_t *list = as_json ? json_array() : NULL;
    if (reports == NULL) {
        mfx_err_set(err, "out of memory");
        rc = MFX_TEMPFAIL;
    }
    for (size_t i = 0; rc == MFX_OK && i < engines->count; i++)
        if (is_wanted(&engines->items[i], args, arg_count) && as_json)
            (void)json_array_append_new(list, engine_json(&reports[i]));
        else if (is_wanted(&engines->items[i], args, arg_count))
            print_engine(&reports[i], out);
    if (rc == MFX_OK && as_json)
        print_json(list, out);
    else
        json_decref(list);
    if (rc == MFX_OK && !as_json && engines->count == 0)
        mfx_buf_add_text(out, "no engine is configured\n");
    mfx_arena_free(arena);
    return rc;
}

/* --- symbols --- */

struct listing {
    uint64_t top;
    struct mfx_str engine; /* empty: all */
};

struct line {
    const struct score_engine *engine;
    struct score_symbol symbol;
};

/* "--top 10", "--top=10" */
static bool
read_option(const struct mfx_str *args, size_t count, size_t *at,
            const char *name, struct mfx_str *value)
{
    struct mfx_str rest = args[*at], word;
    bool is_joined = mfx_str_has(rest, '=');
    (void)mfx_str_cut(&rest, '=', &word);
    if (!mfx_str_is(word, name) || (!is_joined && *at + 1 >= count))
        return false;
    *value = is_joined ? rest : args[++*at];
    return true;
}

static enum mfx_rc
read_listing(const struct mfx_str *args, size_t count, struct listing *listing,
             struct mfx_err *err)
{
    struct mfx_str value;
    *listing = (struct listing){.top = TOP};
    for (size_t i = 0; i < count; i++) {
        if (read_option(args, count, &i, "--engine", &value) && value.len > 0) {
            listing->engine = value;
            continue;
        }
        if (!read_option(args, count, &i, "--top", &value) ||
            mfx_str_to_u64(value, TOP_MAX, &listing->top) != MFX_OK) {
            mfx_err_set(err, "usage: symbols [--top N] [--engine NAME]; N 0: "
                             "all");
            return MFX_PERMFAIL;
        }
    }
    return MFX_OK;
}

static int
by_hits(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->symbol.hits != y->symbol.hits)
        return x->symbol.hits > y->symbol.hits ? -1 : 1;
    int order = mfx_str_compare(x->symbol.name, y->symbol.name);
    return order != 0 ? order
                      : mfx_str_compare(x->engine->name, y->engine->name);
}

/* All lines of the engines that are wanted, sorted. NULL when out of memory. */
static struct line *
collect(const struct score_engines *engines, const struct listing *listing,
        struct mfx_arena *arena, size_t *count)
{
    const struct score_symbol **rows =
        mfx_arena_alloc_array(arena, engines->count, sizeof *rows);
    size_t *counts =
        mfx_arena_alloc_array(arena, engines->count, sizeof *counts);
    size_t all = 0;
    *count = 0;
    for (size_t i = 0; rows != NULL && counts != NULL && i < engines->count;
         i++) {
        const struct score_engine *e = &engines->items[i];
        if (e->tally == NULL ||
            !is_wanted(e, &listing->engine, listing->engine.len > 0))
            continue;
        if (score_symbols_list(score_tally_symbols(e->tally), arena, &rows[i],
                               &counts[i]) != MFX_OK)
            return NULL;
        all += counts[i];
    }
    struct line *lines = mfx_arena_alloc_array(arena, all, sizeof *lines);
    for (size_t i = 0; lines != NULL && i < engines->count; i++)
        for (size_t k = 0; k < counts[i]; k++)
            lines[(*count)++] = (struct line){&engines->items[i], rows[i][k]};
    if (lines != NULL)
        qsort(lines, *count, sizeof *lines, by_hits);
    return lines;
}

static void
print_symbol(const struct line *line, struct mfx_buf *out)
{
    const struct score_symbol *s = &line->symbol;
    uint64_t permille = s->spam_hits * 1000 / s->hits;
    struct mfx_buf score;
    char when[MFX_CLOCK_TEXT];
    mfx_buf_init(&score, 64);
    if (s->scored > 0)
        mfx_decimal_format(mean(s->score_sum, s->scored), &score);
    mfx_buf_printf(out,
                   "%-12.*s %-34.*s %9" PRIu64 " %9" PRIu64 " %9" PRIu64
                   " %5" PRIu64 ".%" PRIu64 " %9s  %s\n",
                   MFX_STR_ARG(line->engine->name), MFX_STR_ARG(s->name),
                   s->hits, s->spam_hits, s->hits - s->spam_hits, permille / 10,
                   permille % 10, mfx_buf_text(&score),
                   mfx_clock_text(s->last_s, when));
    mfx_buf_fini(&score);
}

static json_t *
symbol_json(const struct line *line)
{
    const struct score_symbol *s = &line->symbol;
    json_t *o = json_pack("{s:o, s:o}", "engine", json_text(line->engine->name),
                          "symbol", json_text(s->name));
    put_number(o, "hits", s->hits);
    put_number(o, "spam", s->spam_hits);
    put_number(o, "ham", s->hits - s->spam_hits);
    if (s->scored > 0)
        put_decimal(o, "mean_score", mean(s->score_sum, s->scored));
    put_time(o, "last", s->last_s);
    return o;
}

static void
print_lines(const struct line *lines, size_t count, bool as_json,
            struct mfx_buf *out)
{
    json_t *list = as_json ? json_array() : NULL;
    if (!as_json && count > 0)
        mfx_buf_printf(out, "%-12s %-34s %9s %9s %9s %7s %9s  %s\n", "ENGINE",
                       "SYMBOL", "HITS", "SPAM", "HAM", "SPAM %", "SCORE",
                       "LAST SEEN");
    for (size_t i = 0; i < count; i++)
        if (as_json)
            (void)json_array_append_new(list, symbol_json(&lines[i]));
        else
            print_symbol(&lines[i], out);
    if (as_json)
        print_json(list, out);
    else if (count == 0)
        mfx_buf_add_text(out, "no symbol has been seen\n");
}

static enum mfx_rc
run_symbols(const void *policy, const struct mfx_str *args, size_t arg_count,
            bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    const struct score_policy *p = policy;
    const struct score_engines *engines = p->engines;
    struct listing listing;
    enum mfx_rc rc = read_listing(args, arg_count, &listing, err);
    if (rc == MFX_OK && listing.engine.len > 0)
        rc = check_names(engines, &listing.engine, 1, err);
    struct mfx_arena *arena = rc == MFX_OK ? mfx_arena_new(0) : NULL;
    if (rc != MFX_OK)
        return rc;
    size_t count = 0;
    score_shadows_look(score_shared_shadows(p->shared));
    const struct line *lines =
        arena == NULL ? NULL : collect(engines, &listing, arena, &count);
    if (lines == NULL) {
        mfx_err_set(err, "out of memory");
        rc = MFX_TEMPFAIL;
    } else {
        if (listing.top > 0 && listing.top < count)
            count = (size_t)listing.top;
        print_lines(lines, count, as_json, out);
    }
    mfx_arena_free(arena);
    return rc;
}

const struct mfx_control_verb score_control_verbs[] = {
    {"engines", "[NAME...]: how engines and their servers are",      run_engines},
    {"symbols", "[--top N] [--engine NAME]: what symbols are worth",
     run_symbols                                                                },
    {NULL,      NULL,                                                NULL       },
};
