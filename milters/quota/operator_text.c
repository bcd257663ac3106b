/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers for people: made of the object that --json prints, wherever it came
 * from.
 */
#include "operator_impl.h"

#include "reply.h"

static const char *
text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

static uint64_t
number_of(const json_t *o, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(o, name));
    return n > 0 ? (uint64_t)n : 0;
}

static bool
is_true(const json_t *o, const char *name)
{
    return json_is_true(json_object_get(o, name));
}

/* "12345", and bytes as "1.2 MB" of 1024s. */
static void
put_amount(const char *count, uint64_t n, struct mfx_buf *out)
{
    static const char letters[] = "KMGTP";
    size_t power = 0;
    double part = (double)n / 1024;
    if (strcmp(count, quota_count_name(QUOTA_COUNT_BYTES)) != 0 || n < 1024) {
        mfx_buf_printf(out, "%llu", (unsigned long long)n);
        return;
    }
    for (; part >= 1024 && power + 2 < sizeof letters; power++)
        part /= 1024;
    mfx_buf_printf(out, part < 10 ? "%.2f%c" : "%.0f%c", part, letters[power]);
}

/* --- show, and what changes answer --- */

static void
put_window(const char *count, const json_t *w, struct mfx_buf *out)
{
    uint64_t reserved = number_of(w, "reserved");
    bool is_open =
        strcmp(count, quota_count_name(QUOTA_COUNT_OPEN_CONNECTIONS)) == 0;
    mfx_buf_printf(out, "    %-10s ", text_of(w, "window"));
    put_amount(count, is_open ? reserved : number_of(w, "used"), out);
    if (json_is_null(json_object_get(w, "limit"))) {
        mfx_buf_add_text(out, " used, no limit");
    } else {
        mfx_buf_add_text(out, " of ");
        put_amount(count, number_of(w, "limit"), out);
        mfx_buf_add_text(out, " used");
        if (json_object_get(w, "percent") != NULL)
            mfx_buf_printf(out, " (%llu %%)",
                           (unsigned long long)number_of(w, "percent"));
    }
    if (reserved > 0 && !is_open) {
        mfx_buf_add_text(out, ", ");
        put_amount(count, reserved, out);
        mfx_buf_add_text(out, " reserved");
    }
    if (json_object_get(w, "free_at") != NULL) {
        mfx_buf_add_text(out, "; free again in ");
        quota_reply_format_duration(number_of(w, "free_in_s"), out);
        mfx_buf_printf(out, ", at %s", text_of(w, "free_at"));
    } else if (is_true(w, "full")) {
        mfx_buf_add_text(out, "; full");
    }
    mfx_buf_add_byte(out, '\n');
}

static void
put_until(const json_t *override, struct mfx_buf *out)
{
    const char *until = text_of(override, "until");
    mfx_buf_printf(out, until[0] == '\0' ? ", without an end\n" : " until %s\n",
                   until);
}

/* Where the limits come from, and whether somebody has changed them. */
static void
put_limits(const json_t *row, struct mfx_buf *out)
{
    const json_t *override = json_object_get(row, "override");
    const char *from = text_of(row, "limits_from");
    bool is_override =
        strcmp(from, quota_limits_source_name(QUOTA_LIMITS_OVERRIDE)) == 0;
    if (is_true(row, "blocked")) {
        mfx_buf_printf(out, "    BLOCKED by %s",
                       is_override ? "mfxctl quota" : from);
        if (text_of(row, "reason")[0] != '\0')
            mfx_buf_printf(out, " (%s)", text_of(row, "reason"));
    } else if (strcmp(from, quota_limits_source_name(QUOTA_LIMITS_NONE)) == 0) {
        mfx_buf_add_text(out, "    no limits: the rule does not count it");
    } else {
        mfx_buf_printf(out, "    limits %s", text_of(row, "limits"));
        if (is_override)
            mfx_buf_add_text(out, ", set by mfxctl quota");
        else if (strcmp(from, quota_limits_source_name(QUOTA_LIMITS_RULE)) != 0)
            mfx_buf_printf(out, ", from %s", from);
    }
    if (is_override)
        put_until(override, out);
    else
        mfx_buf_add_byte(out, '\n');
    if (is_true(override, "ignored"))
        mfx_buf_printf(out,
                       "    \"%s\", set by mfxctl quota, makes no sense for "
                       "this rule and is ignored\n",
                       text_of(override, "text"));
}

static void
put_row(const json_t *row, struct mfx_buf *out)
{
    size_t i;
    json_t *w;
    mfx_buf_printf(out, "%s: %s of %s\n", text_of(row, "rule"),
                   text_of(row, "count"), text_of(row, "key"));
    json_array_foreach(json_object_get(row, "windows"), i, w)
    {
        put_window(text_of(row, "count"), w, out);
    }
    put_limits(row, out);
    if (json_object_get(row, "before") != NULL)
        mfx_buf_printf(out, "    before: %s\n", text_of(row, "before"));
    if (json_object_get(row, "exempt") != NULL)
        mfx_buf_printf(out, "    exempt: this %s is not counted\n",
                       text_of(row, "exempt"));
    if (strcmp(text_of(row, "mode"), "dry-run") == 0)
        mfx_buf_add_text(out, "    dry-run: counts, and refuses nothing\n");
}

static void
put_rows(const json_t *answer, struct mfx_buf *out)
{
    size_t i;
    json_t *row;
    if (json_object_get(answer, "store_failed") != NULL)
        mfx_buf_printf(out,
                       "The store does not answer (%s): this is what this "
                       "machine counts by itself.\n",
                       text_of(answer, "store_failed"));
    json_array_foreach(json_object_get(answer, "rules"), i, row)
    {
        put_row(row, out);
    }
}

/* --- top --- */

static void
put_top_row(const json_t *row, struct mfx_buf *out)
{
    const char *count = text_of(row, "count");
    struct mfx_buf text;
    uint64_t all = number_of(row, "used") + number_of(row, "reserved");
    double share = json_real_value(json_object_get(row, "share")) * 100;
    mfx_buf_init(&text, 64);
    put_amount(count, all, &text);
    mfx_buf_add_byte(&text, '/');
    put_amount(count, number_of(row, "limit"), &text);
    mfx_buf_printf(out, "%5.0f%%  %-17s %-8s %-16s %s%s\n",
                   share > 99999 ? 99999 : share, mfx_buf_text(&text),
                   text_of(row, "window"), text_of(row, "rule"),
                   text_of(row, "key"),
                   is_true(row, "blocked")                    ? "  BLOCKED"
                   : json_object_get(row, "override") != NULL ? "  (set)"
                                                              : "");
    mfx_buf_fini(&text);
}

static void
put_top(const json_t *answer, struct mfx_buf *out)
{
    const json_t *keys = json_object_get(answer, "keys");
    size_t i;
    json_t *row;
    if (json_array_size(keys) == 0) {
        mfx_buf_add_text(out, "nothing is counted\n");
    } else {
        mfx_buf_printf(out, "%6s  %-17s %-8s %-16s %s\n", "SHARE", "USED/LIMIT",
                       "WINDOW", "RULE", "KEY");
        json_array_foreach(keys, i, row)
        {
            put_top_row(row, out);
        }
    }
    if (json_object_get(answer, "after") != NULL)
        mfx_buf_printf(out, "%llu counters seen; go on with: top after=%s\n",
                       (unsigned long long)number_of(answer, "scanned"),
                       text_of(answer, "after"));
}

/* --- rules --- */

static void
put_pair(const json_t *o, const char *name, struct mfx_buf *out)
{
    if (text_of(o, name)[0] != '\0')
        mfx_buf_printf(out, "    %s %s\n", name, text_of(o, name));
}

static void
put_rule(const json_t *rule, struct mfx_buf *out)
{
    const json_t *counts = json_object_get(rule, "counts");
    mfx_buf_printf(
        out, "%s: %s by %s, %s mail, then %s%s\n", text_of(rule, "rule"),
        text_of(rule, "count"), text_of(rule, "key"), text_of(rule, "whose"),
        text_of(rule, "action"),
        strcmp(text_of(rule, "mode"), "dry-run") == 0 ? " (dry-run)" : "");
    put_pair(rule, "limits", out);
    put_pair(rule, "limits_table", out);
    put_pair(rule, "plans", out);
    if (counts != NULL)
        mfx_buf_printf(out,
                       "    since the start: %llu fitted, %llu refused, %llu "
                       "would have been refused, %llu warnings\n",
                       (unsigned long long)number_of(counts, "fits"),
                       (unsigned long long)number_of(counts, "refused"),
                       (unsigned long long)number_of(counts, "would_refuse"),
                       (unsigned long long)number_of(counts, "warned"));
}

static void
put_rules(const json_t *answer, struct mfx_buf *out)
{
    size_t i;
    json_t *rule;
    json_array_foreach(json_object_get(answer, "rules"), i, rule)
    {
        put_rule(rule, out);
    }
    if (json_array_size(json_object_get(answer, "rules")) == 0)
        mfx_buf_add_text(out, "there are no rules\n");
}

/* --- store --- */

static void
put_health(const json_t *s, struct mfx_buf *out)
{
    mfx_buf_printf(out, "%s %s: %s", text_of(s, "type"), text_of(s, "where"),
                   is_true(s, "up") ? "up" : "DOWN");
    if (text_of(s, "since")[0] != '\0')
        mfx_buf_printf(out, " since %s", text_of(s, "since"));
    mfx_buf_add_byte(out, '\n');
    if (text_of(s, "error")[0] != '\0')
        mfx_buf_printf(out, "    last error: %s\n", text_of(s, "error"));
    mfx_buf_printf(out,
                   "    %llu calls, %llu failures, %llu outstanding, %llu "
                   "reconnects, %llu failovers\n",
                   (unsigned long long)number_of(s, "calls"),
                   (unsigned long long)number_of(s, "failures"),
                   (unsigned long long)number_of(s, "outstanding"),
                   (unsigned long long)number_of(s, "reconnects"),
                   (unsigned long long)number_of(s, "failovers"));
    if (number_of(s, "counters") == 0 && number_of(s, "file_bytes") == 0)
        return;
    mfx_buf_printf(out, "    %llu counters in memory, ",
                   (unsigned long long)number_of(s, "counters"));
    put_amount("bytes", number_of(s, "memory_bytes"), out);
    mfx_buf_add_text(out, "; file ");
    put_amount("bytes", number_of(s, "file_bytes"), out);
    mfx_buf_add_byte(out, '\n');
}

static void
put_store(const json_t *answer, struct mfx_buf *out)
{
    const json_t *away = json_object_get(answer, "away");
    const json_t *merge = json_object_get(answer, "merge");
    const json_t *notify = json_object_get(answer, "notify");
    put_health(json_object_get(answer, "store"), out);
    if (away != NULL)
        mfx_buf_printf(out,
                       "while it was away (store_error %s): %llu messages "
                       "counted by this machine, %llu not limited; %llu "
                       "answers too late\n",
                       text_of(answer, "store_error"),
                       (unsigned long long)number_of(away, "local"),
                       (unsigned long long)number_of(away, "unlimited"),
                       (unsigned long long)number_of(away, "timeouts"));
    if (merge != NULL)
        mfx_buf_printf(out,
                       "messages added later: %llu; %llu wait, %llu were "
                       "dropped\n",
                       (unsigned long long)number_of(merge, "merged"),
                       (unsigned long long)number_of(merge, "waiting"),
                       (unsigned long long)number_of(merge, "dropped"));
    if (notify != NULL)
        mfx_buf_printf(out,
                       "notifications: %llu told, %llu failed, %llu dropped, "
                       "%llu told as one with another, %llu wait\n",
                       (unsigned long long)number_of(notify, "told"),
                       (unsigned long long)number_of(notify, "failed"),
                       (unsigned long long)number_of(notify, "dropped"),
                       (unsigned long long)number_of(notify, "coalesced"),
                       (unsigned long long)number_of(notify, "waiting"));
}

void
quota_operator_text(struct mfx_str verb, const json_t *answer,
                    struct mfx_buf *out)
{
    size_t i;
    json_t *warning;
    json_array_foreach(json_object_get(answer, "warnings"), i, warning)
    {
        mfx_buf_printf(out, "warning: %s\n", json_string_value(warning));
    }
    if (mfx_str_is(verb, "top"))
        put_top(answer, out);
    else if (mfx_str_is(verb, "rules"))
        put_rules(answer, out);
    else if (mfx_str_is(verb, "store"))
        put_store(answer, out);
    else
        put_rows(answer, out);
}
