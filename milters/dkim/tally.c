/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tally of shadow.h: what came of the comparisons, by From domain, and
 * `mfxctl dkim shadow`, which shows it.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include <jansson.h>

#include <mfx/base/clock.h>
#include <mfx/base/map.h>

#include "policy.h"
#include "shadow.h"

enum {
    DOMAINS_MAX = 100000,
    DETAIL_MAX = 120,
};

struct row {
    uint64_t seen[DKIM_SHADOW_COUNT];
    uint64_t same_since; /* messages alike since the last that was not */
    uint64_t last_s, last_difference_s;
    enum dkim_shadow last_difference;
    char detail[DETAIL_MAX];
    size_t name_len;
    char name[]; /* the domain */
};

struct dkim_tally {
    pthread_mutex_t mutex;
    struct mfx_map *rows;
    struct row *others;
    uint64_t totals[DKIM_SHADOW_COUNT];
};

static struct row *
row_new(struct mfx_str name)
{
    struct row *row = calloc(1, sizeof *row + name.len + 1);
    if (row == NULL)
        return NULL;
    memcpy(row->name, name.p, name.len);
    row->name_len = name.len;
    return row;
}

struct dkim_tally *
dkim_tally_new(void)
{
    struct dkim_tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    (void)pthread_mutex_init(&tally->mutex, NULL);
    tally->rows = mfx_map_new(MFX_MAP_NOCASE, 16);
    tally->others = row_new(mfx_str_of("(others)"));
    if (tally->rows != NULL && tally->others != NULL)
        return tally;
    dkim_tally_free(tally);
    return NULL;
}

void
dkim_tally_free(struct dkim_tally *tally)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *row;
    if (tally == NULL)
        return;
    while (tally->rows != NULL &&
           mfx_map_next(tally->rows, &cursor, &name, &row))
        free(row);
    mfx_map_free(tally->rows);
    free(tally->others);
    (void)pthread_mutex_destroy(&tally->mutex);
    free(tally);
}

static struct row *
row_for(struct dkim_tally *tally, struct mfx_str domain)
{
    struct row *row = mfx_map_get(tally->rows, domain);
    if (row != NULL)
        return row;
    if (domain.len == 0 || mfx_map_count(tally->rows) >= DOMAINS_MAX)
        return tally->others;
    row = row_new(domain);
    if (row == NULL)
        return tally->others;
    struct mfx_str name = mfx_str(row->name, row->name_len);
    if (mfx_map_put(tally->rows, name, row) == MFX_OK)
        return row;
    free(row);
    return tally->others;
}

void
dkim_tally_note(struct dkim_tally *tally, struct mfx_str domain,
                enum dkim_shadow shadow, struct mfx_str detail, uint64_t now_s)
{
    (void)pthread_mutex_lock(&tally->mutex);
    struct row *row = row_for(tally, domain);
    tally->totals[shadow]++;
    row->seen[shadow]++;
    row->last_s = now_s;
    row->same_since++;
    if (shadow != DKIM_SHADOW_SAME) {
        size_t len = detail.len < DETAIL_MAX ? detail.len : DETAIL_MAX - 1;
        row->same_since = 0;
        row->last_difference = shadow;
        row->last_difference_s = now_s;
        for (size_t i = 0; i < len; i++) /* it may come from a message */
            row->detail[i] =
                detail.p[i] < ' ' || detail.p[i] > '~' ? '?' : detail.p[i];
        row->detail[len] = '\0';
    }
    (void)pthread_mutex_unlock(&tally->mutex);
}

void
dkim_tally_totals(struct dkim_tally *tally, uint64_t totals[DKIM_SHADOW_COUNT])
{
    (void)pthread_mutex_lock(&tally->mutex);
    memcpy(totals, tally->totals, sizeof tally->totals);
    (void)pthread_mutex_unlock(&tally->mutex);
}

/* --- mfxctl dkim shadow --- */

static uint64_t
differences(const struct row *row)
{
    uint64_t sum = 0;
    for (int i = DKIM_SHADOW_SAME + 1; i < DKIM_SHADOW_COUNT; i++)
        sum += row->seen[i];
    return sum;
}

static void
show_text(const struct row *row, struct mfx_buf *out)
{
    char when[MFX_CLOCK_TEXT];
    uint64_t same = row->seen[DKIM_SHADOW_SAME], other = differences(row);
    if (other == 0) {
        mfx_buf_printf(out,
                       "%s: safe to move: %" PRIu64 " of %" PRIu64
                       " messages signed alike\n",
                       row->name, same, same);
        return;
    }
    (void)mfx_clock_text(row->last_difference_s, when);
    mfx_buf_printf(out,
                   "%s: not yet: %" PRIu64 " alike, %" PRIu64 " not; last at "
                   "%s: %s (%s); %" PRIu64 " alike since\n",
                   row->name, same, other, when,
                   dkim_shadow_text(row->last_difference), row->detail,
                   row->same_since);
}

static void
show_json(const struct row *row, json_t *list)
{
    char last[32], when[32];
    (void)mfx_clock_text(row->last_s, last);
    (void)mfx_clock_text(row->last_difference_s, when);
    bool is_safe = differences(row) == 0;
    json_t *item =
        json_pack("{s:s, s:b, s:I, s:I, s:I, s:s}", "domain", row->name, "safe",
                  is_safe, "same", (json_int_t)row->seen[DKIM_SHADOW_SAME],
                  "differs", (json_int_t)differences(row), "same_since",
                  (json_int_t)row->same_since, "last", last);
    for (int i = DKIM_SHADOW_SAME + 1; i < DKIM_SHADOW_COUNT; i++)
        if (row->seen[i] > 0)
            (void)json_object_set_new(item,
                                      dkim_shadow_word((enum dkim_shadow)i),
                                      json_integer((json_int_t)row->seen[i]));
    if (!is_safe) {
        (void)json_object_set_new(
            item, "why", json_string(dkim_shadow_text(row->last_difference)));
        (void)json_object_set_new(item, "detail", json_string(row->detail));
        (void)json_object_set_new(item, "last_difference", json_string(when));
    }
    (void)json_array_append_new(list, item);
}

/* What to show, in order: the domains wanted, or all with the unsafe first. */
struct show {
    const struct row **rows;
    size_t count;
};

static int
by_safety(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    bool x_safe = differences(x) == 0, y_safe = differences(y) == 0;
    return x_safe != y_safe ? (x_safe ? 1 : -1) : strcmp(x->name, y->name);
}

static enum mfx_rc
gather_wanted(const struct dkim_tally *tally, const struct mfx_str *args,
              size_t arg_count, struct show *show, struct mfx_err *err)
{
    for (size_t i = 0; i < arg_count; i++) {
        struct row *row = mfx_map_get(tally->rows, args[i]);
        if (row == NULL) {
            mfx_err_set(err, "no message of %.*s was compared since the start",
                        MFX_STR_ARG(args[i]));
            return MFX_NOTFOUND;
        }
        show->rows[show->count++] = row;
    }
    return MFX_OK;
}

static void
gather_all(const struct dkim_tally *tally, struct show *show)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *row;
    while (mfx_map_next(tally->rows, &cursor, &name, &row))
        show->rows[show->count++] = row;
    if (tally->others->last_s > 0)
        show->rows[show->count++] = tally->others;
    qsort(show->rows, show->count, sizeof(struct row *), by_safety);
}

static void
print_rows(const struct show *show, bool as_json, struct mfx_buf *out)
{
    json_t *list = as_json ? json_array() : NULL;
    for (size_t i = 0; i < show->count; i++) {
        if (as_json)
            show_json(show->rows[i], list);
        else
            show_text(show->rows[i], out);
    }
    if (!as_json) {
        if (show->count == 0)
            mfx_buf_printf(out, "no message was compared since the start\n");
        return;
    }
    char *text = json_dumps(list, JSON_COMPACT);
    mfx_buf_printf(out, "%s\n", text == NULL ? "[]" : text);
    free(text);
    json_decref(list);
}

enum mfx_rc
dkim_shadow_verb(const void *policy, const struct mfx_str *args,
                 size_t arg_count, bool as_json, struct mfx_buf *out,
                 struct mfx_err *err)
{
    struct dkim_tally *tally =
        ((const struct dkim_policy *)policy)->shared->tally;
    struct show show = {NULL, 0};
    enum mfx_rc rc = MFX_OK;
    (void)pthread_mutex_lock(&tally->mutex);
    show.rows = calloc(mfx_map_count(tally->rows) + arg_count + 1,
                       sizeof(struct row *));
    if (show.rows == NULL)
        rc = MFX_TEMPFAIL;
    else if (arg_count > 0)
        rc = gather_wanted(tally, args, arg_count, &show, err);
    else
        gather_all(tally, &show);
    if (rc == MFX_OK)
        print_rows(&show, as_json, out);
    (void)pthread_mutex_unlock(&tally->mutex);
    free(show.rows);
    return rc;
}
