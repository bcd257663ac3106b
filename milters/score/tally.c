/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct score_tally {
    atomic_uint holds;
    struct score_symbols *symbols;
    pthread_mutex_t mutex; /* of view */
    struct score_tally_view view;
};

struct score_tally *
score_tally_new(size_t max_symbols)
{
    struct score_tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    tally->symbols = score_symbols_new(max_symbols);
    if (tally->symbols == NULL) {
        free(tally);
        return NULL;
    }
    atomic_init(&tally->holds, 1);
    (void)pthread_mutex_init(&tally->mutex, NULL);
    return tally;
}

struct score_tally *
score_tally_hold(struct score_tally *tally)
{
    atomic_fetch_add(&tally->holds, 1);
    return tally;
}

void
score_tally_release(struct score_tally *tally)
{
    if (tally == NULL || atomic_fetch_sub(&tally->holds, 1) > 1)
        return;
    score_symbols_free(tally->symbols);
    (void)pthread_mutex_destroy(&tally->mutex);
    free(tally);
}

struct score_symbols *
score_tally_symbols(struct score_tally *tally)
{
    return tally->symbols;
}

void
score_tally_note(struct score_tally *tally, const struct score_run *run,
                 bool is_spam, uint64_t now_s)
{
    const struct mfx_scan_result *result = run->result;
    enum mfx_scan_end end = result == NULL ? MFX_SCAN_NOT_ASKED : result->end;
    (void)pthread_mutex_lock(&tally->mutex);
    tally->view.ends[end]++;
    if (end == MFX_SCAN_ANSWERED && result->klass != MFX_SCAN_CLASS_NONE)
        tally->view.finds[result->klass]++;
    (void)pthread_mutex_unlock(&tally->mutex);
    if (end == MFX_SCAN_ANSWERED && result->symbol_count > 0)
        score_symbols_count(tally->symbols, result->symbols,
                            result->symbol_count, is_spam, now_s);
}

/* --- in the shadow --- */

void
score_tally_unanswered(struct score_tally *tally)
{
    (void)pthread_mutex_lock(&tally->mutex);
    tally->view.unanswered++;
    (void)pthread_mutex_unlock(&tally->mutex);
}

void
score_tally_alone(struct score_tally *tally)
{
    (void)pthread_mutex_lock(&tally->mutex);
    tally->view.alone++;
    (void)pthread_mutex_unlock(&tally->mutex);
}

/* Under the mutex. The newest first. */
static void
keep(struct score_tally_view *view, const struct score_difference *difference)
{
    size_t count = view->last_count;
    if (count == SCORE_TALLY_LAST)
        count--;
    memmove(view->last + 1, view->last, count * sizeof view->last[0]);
    view->last[0] = *difference;
    for (char *c = view->last[0].queue_id; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            *c = '?';
    view->last_count = count + 1;
}

void
score_tally_compare(struct score_tally *tally,
                    const struct score_difference *difference)
{
    struct score_tally_view *view = &tally->view;
    const struct score_difference *d = difference;
    (void)pthread_mutex_lock(&tally->mutex);
    view->agreed += d->would == d->did;
    view->harsher += d->would > d->did;
    view->milder += d->would < d->did;
    view->seen[d->did][d->would]++;
    if (d->has_scores) {
        view->scored++;
        view->score_sum += d->score;
        view->total_sum += d->total;
    }
    if (d->would != d->did)
        keep(view, d);
    (void)pthread_mutex_unlock(&tally->mutex);
}

void
score_tally_look(struct score_tally *tally, struct score_tally_view *view)
{
    (void)pthread_mutex_lock(&tally->mutex);
    *view = tally->view;
    (void)pthread_mutex_unlock(&tally->mutex);
}
