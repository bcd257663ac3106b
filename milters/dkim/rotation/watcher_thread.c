/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The watcher's thread: takes the record that is due, looks, writes down.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <mfx/base/log.h>

#include "look.h"
#include "watcher_impl.h"

enum {
    NICE = 19,
    SLICE_MS = 100,
    IDLE_MS = 60000,
    WRITE_EVERY_MS = 1000,
    WRITE_AGAIN_MS = 60000,
    BATCH = 500,
    SCRATCH = 1024 * 1024,
    FINGERPRINT_BYTES = (DKIM_FINGERPRINT - 1) / 2,
};

static uint64_t
wall_s(void)
{
    const struct mfx_env env = mfx_env_system();
    return env.wall_s(&env);
}

static void
wait_until(struct dkim_watcher *w, uint64_t at_ms)
{
    struct timespec at = {(time_t)(at_ms / 1000),
                          (long)(at_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(&w->wake, &w->mutex, &at);
}

/* --- asking --- */

static bool
is_stopping(void *arg)
{
    return atomic_load(&((struct dkim_watcher *)arg)->stop);
}

/* So many questions a second and no more. */
static bool
pace(void *arg)
{
    struct dkim_watcher *w = arg;
    uint64_t now_ms = mfx_mono_ms(), next_ms = w->asked_ms + w->pace_ms;
    while (now_ms < next_ms && !atomic_load(&w->stop)) {
        uint64_t left = next_ms - now_ms;
        long ms = (long)(left < SLICE_MS ? left : SLICE_MS);
        const struct timespec pause = {0, ms * 1000000};
        (void)nanosleep(&pause, NULL);
        now_ms = mfx_mono_ms();
    }
    w->asked_ms = now_ms;
    atomic_fetch_add(&w->questions, 1);
    return !atomic_load(&w->stop);
}

void
dkim_watch_hold_release(struct dkim_watch_hold *hold)
{
    if (hold == NULL || atomic_fetch_sub(&hold->refs, 1) > 1)
        return;
    if (hold->env.release != NULL)
        hold->env.release(hold->env.arg);
    free(hold);
}

/* Under the mutex: for the settings in force. */
static bool
renew_authority(struct dkim_watcher *w, struct mfx_err *err)
{
    if (w->authority != NULL && w->authority_generation == w->generation)
        return true;
    mfx_authority_free(w->authority);
    w->authority = NULL;
    dkim_watch_hold_release(w->authority_hold);
    w->authority_hold = w->hold;
    atomic_fetch_add(&w->hold->refs, 1);
    const struct mfx_authority_config config = {
        .env = w->hold->env.env,
        .servers = w->settings.servers,
        .server_count = w->settings.server_count,
        .timeout_ms = w->settings.timeout_ms,
        .pace = pace,
        .is_stopping = is_stopping,
        .arg = w,
    };
    w->pace_ms = 1000 / w->settings.queries_per_second;
    w->authority_generation = w->generation;
    return mfx_authority_new(&config, &w->authority, err) == MFX_OK;
}

/* --- one look --- */

struct looking {
    struct mfx_arena *arena;
    struct dkim_look look;
    struct mfx_err trouble;
    enum mfx_rc rc;
    bool is_broken, is_parsed;
    char fingerprint[DKIM_FINGERPRINT];
    const char *algorithm;
    unsigned bits;
};

static bool
take_fingerprint(const struct mfx_dkim_private_key *key,
                 struct mfx_arena *arena, char out[DKIM_FINGERPRINT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct mfx_str record;
    if (mfx_dkim_private_key_record(key, arena, &record, NULL) != MFX_OK ||
        EVP_Digest(record.p, record.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return true;
}

static void
look(struct dkim_watcher *w, const struct dkim_line_key *key, struct looking *l)
{
    struct mfx_dkim_private_key *private;
    enum mfx_rc rc = dkim_key_file_get(key->file, &private, &l->trouble);
    l->is_broken = rc == MFX_PERMFAIL;
    if (rc != MFX_OK)
        return;
    l->is_parsed = take_fingerprint(private, l->arena, l->fingerprint);
    l->algorithm =
        mfx_dkim_algorithm_name(mfx_dkim_private_key_algorithm(private));
    l->bits = mfx_dkim_private_key_bits(private);
    l->rc = dkim_look(w->authority, private, key->domain, key->selector,
                      l->arena, &l->look, &l->trouble);
}

static void
take_identity(struct dkim_record *r, const struct looking *l)
{
    if (!l->is_parsed)
        return;
    if (r->fingerprint[0] != '\0' &&
        strcmp(r->fingerprint, l->fingerprint) != 0) {
        mfx_log_say(MFX_LOG_WARNING, "key_changed", "path",
                    r->key->path.len > 0 ? r->key->path.p : "inline");
        dkim_record_forget(r);
    }
    memcpy(r->fingerprint, l->fingerprint, sizeof r->fingerprint);
    (void)snprintf(r->algorithm, sizeof r->algorithm, "%s", l->algorithm);
    r->bits = l->bits;
}

/* Under the mutex. */
static void
take_look(struct dkim_watcher *w, struct dkim_record *r, struct looking *l)
{
    uint64_t now_s = wall_s();
    bool is_answer = l->rc == MFX_OK;
    r->is_broken = l->is_broken;
    take_identity(r, l);
    if (is_answer)
        dkim_key_state_look(&r->facts, &l->look.seen, now_s);
    if (l->look.count > 0)
        dkim_record_text(&r->servers, dkim_look_format(&l->look, l->arena));
    dkim_record_text(&r->trouble, mfx_str_of(is_answer ? "" : l->trouble.msg));
    dkim_record_text(&r->path, r->key->path);
    dkim_book_mark(w->book, r);
}

/* Under the mutex: the line is judged anew, and its other keys are looked at
 * soon when it is about to fall back. */
static void
conclude(struct dkim_watcher *w, struct dkim_record *r)
{
    struct dkim_line *line = r->key->line;
    uint64_t now_s = wall_s();
    bool was_alarm = r->verdict.is_alarm;
    dkim_watcher_judge(w, line, &w->settings.policy, now_s, DKIM_WATCH_TELL);
    dkim_watcher_plan(w, r, now_s, false);
    for (size_t i = 0; i < line->count; i++) {
        struct dkim_record *o = line->keys[i]->record;
        if (o != r && r->verdict.is_alarm && !was_alarm && o->place != 0) {
            dkim_queue_remove(o->is_urgent ? &w->urgent : &w->routine, o);
            o->due_ms = mfx_mono_ms();
            o->is_urgent = true;
            (void)!dkim_queue_put(&w->urgent, o);
        } else if (o != r && o->place == 0) {
            dkim_watcher_plan(w, o, now_s, false);
        }
    }
}

/* The mutex is held, but not while asking. */
static void
serve(struct dkim_watcher *w, struct dkim_record *r)
{
    struct looking l = {.rc = MFX_TEMPFAIL, .trouble = {""}};
    const struct dkim_line_key *key = r->key;
    struct dkim_lines *lines = dkim_lines_hold(w->lines);
    bool is_asking = w->settings.policy.require != DKIM_REQUIRE_NEVER;
    dkim_queue_remove(r->is_urgent ? &w->urgent : &w->routine, r);
    l.arena = mfx_arena_new(SCRATCH);
    if (l.arena != NULL && is_asking && renew_authority(w, &l.trouble)) {
        (void)pthread_mutex_unlock(&w->mutex);
        look(w, key, &l);
        (void)pthread_mutex_lock(&w->mutex);
        atomic_fetch_add(&w->looks, 1);
        if (l.rc != MFX_OK)
            atomic_fetch_add(&w->failed_looks, 1);
    }
    if (atomic_load(&w->stop)) {
        /* an answer cut short says nothing */
    } else if (r->key == key) {
        if (is_asking)
            take_look(w, r, &l);
        conclude(w, r);
    } else if (r->key != NULL && r->place == 0) {
        dkim_watcher_plan(w, r, wall_s(), true); /* reloaded meanwhile */
    }
    mfx_arena_free(l.arena);
    dkim_lines_release(lines);
}

/* --- writing --- */

static void
tell_write(struct dkim_watcher *w, bool is_written, const struct mfx_err *err)
{
    if (!is_written && !w->has_write_failed)
        mfx_log_say(MFX_LOG_ERROR, "ledger_failed", "why", err->msg);
    if (is_written && w->has_write_failed)
        mfx_log_say(MFX_LOG_INFO, "ledger_written", "state_dir", w->state_dir);
    w->has_write_failed = !is_written;
    w->write_again_ms = is_written ? 0 : mfx_mono_ms() + WRITE_AGAIN_MS;
}

/* The mutex is held, but not while the disk works. */
static void
write_down(struct dkim_watcher *w)
{
    struct dkim_book_batch batch;
    struct mfx_err err = {""};
    if (!dkim_book_take(w->book, BATCH, &batch))
        return;
    (void)pthread_mutex_unlock(&w->mutex);
    bool is_written = dkim_book_write(w->book, &batch, &err) == MFX_OK;
    tell_write(w, is_written, &err);
    w->written_ms = mfx_mono_ms();
    (void)pthread_mutex_lock(&w->mutex);
    dkim_book_done(w->book, &batch, is_written);
}

static bool
is_time_to_write(const struct dkim_watcher *w, uint64_t now_ms)
{
    return dkim_book_is_dirty(w->book) && now_ms >= w->write_again_ms &&
           now_ms >= w->written_ms + WRITE_EVERY_MS;
}

/* --- the thread --- */

static struct dkim_record *
find_due(const struct dkim_watcher *w, uint64_t now_ms)
{
    struct dkim_record *urgent = dkim_queue_first(&w->urgent);
    struct dkim_record *routine = dkim_queue_first(&w->routine);
    if (urgent != NULL && urgent->due_ms <= now_ms)
        return urgent;
    return routine != NULL && routine->due_ms <= now_ms ? routine : NULL;
}

static uint64_t
next_turn(const struct dkim_watcher *w, uint64_t now_ms)
{
    const struct dkim_record *firsts[] = {dkim_queue_first(&w->urgent),
                                          dkim_queue_first(&w->routine)};
    uint64_t at_ms = now_ms + IDLE_MS;
    for (size_t i = 0; i < 2; i++)
        if (firsts[i] != NULL && firsts[i]->due_ms < at_ms)
            at_ms = firsts[i]->due_ms;
    if (dkim_book_is_dirty(w->book) && at_ms > now_ms + WRITE_EVERY_MS)
        at_ms = now_ms + WRITE_EVERY_MS;
    return at_ms;
}

static void *
run(void *arg)
{
    struct dkim_watcher *w = arg;
    /* this thread alone (Linux); without the right to it, so be it */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    (void)pthread_mutex_lock(&w->mutex);
    while (!atomic_load(&w->stop)) {
        uint64_t now_ms = mfx_mono_ms();
        struct dkim_record *r = find_due(w, now_ms);
        if (is_time_to_write(w, now_ms))
            write_down(w);
        else if (r != NULL)
            serve(w, r);
        else
            wait_until(w, next_turn(w, now_ms));
    }
    while (dkim_book_is_dirty(w->book) && !w->has_write_failed)
        write_down(w);
    (void)pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Signals belong to the daemon's first thread. */
bool
dkim_watcher_start(struct dkim_watcher *w)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    w->is_running = pthread_create(&w->thread, NULL, run, w) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->is_running)
        (void)pthread_setname_np(w->thread, "mfx-keys");
    return w->is_running;
}

void
dkim_watcher_stop(struct dkim_watcher *w)
{
    if (w->is_running) {
        atomic_store(&w->stop, true);
        (void)pthread_mutex_lock(&w->mutex);
        (void)pthread_cond_signal(&w->wake);
        (void)pthread_mutex_unlock(&w->mutex);
        (void)pthread_join(w->thread, NULL);
    }
    mfx_authority_free(w->authority);
    dkim_watch_hold_release(w->authority_hold);
}
