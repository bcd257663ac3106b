/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_weather.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ASK_MS = 500,   /* store_timeout */
    LATE_MS = 1000, /* how much later a busy machine may say so */
};

struct log_lines weather_lines = {.mutex = PTHREAD_MUTEX_INITIALIZER};

int
weather_set_up(void **state)
{
    struct weather *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    store_make_dir(f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/quota.db", f->dir);
    store_clock_init(&f->clock, &f->env);
    f->settings.path = f->path;
    f->settings.memory_bytes = 4 << 20;
    f->arena = mfx_arena_new(0);
    log_lines_clear(&weather_lines);
    *state = f;
    return 0;
}

void
weather_open(struct weather *f)
{
    f->store = mfx_store_local_open(&f->settings, &f->env);
    assert_non_null(f->store);
}

void
weather_close(struct weather *f)
{
    if (f->store != NULL)
        mfx_store_close(f->store, 5000);
    f->store = NULL;
}

int
weather_tear_down(void **state)
{
    struct weather *f = *state;
    (void)setfsuid(geteuid());
    weather_close(f);
    mfx_arena_free(f->arena);
    (void)umount2(f->dir, MNT_DETACH);
    store_remove_dir(f->dir);
    free(f);
    return 0;
}

void
weather_sleep_ms(long ms)
{
    (void)nanosleep(
        &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
        NULL);
}

enum mfx_rc
weather_ask(struct mfx_store *store, enum mfx_store_op op, const char *counter,
            uint64_t *used, struct mfx_err *err)
{
    struct mfx_store_window window = store_sliding(WEATHER_HOUR_MS, 1000000);
    struct mfx_store_use use =
        store_use(counter, &window, op == MFX_STORE_TAKE ? 1 : 0);
    struct mfx_store_answer answer;
    struct mfx_arena *arena = mfx_arena_new(0);
    uint64_t begin_ms = mfx_mono_ms();
    enum mfx_rc rc = mfx_store_ask(store, op, mfx_str_of("t"), &use, 1, 0,
                                   ASK_MS, arena, &answer, err);
    assert_in_range(mfx_mono_ms() - begin_ms, 0, ASK_MS + LATE_MS);
    if (rc == MFX_OK && used != NULL)
        *used = answer.readings[0].levels[0].used;
    mfx_arena_free(arena);
    return rc;
}

enum mfx_rc
weather_take(struct weather *f, const char *counter, struct mfx_err *err)
{
    return weather_ask(f->store, MFX_STORE_TAKE, counter, NULL, err);
}

void
weather_take_times(struct weather *f, const char *counter, unsigned times)
{
    struct mfx_err err = {""};
    while (times-- > 0)
        if (weather_take(f, counter, &err) != MFX_OK)
            fail_msg("%s", err.msg);
}

uint64_t
weather_used(struct weather *f, const char *counter)
{
    struct mfx_err err = {""};
    uint64_t used = 0;
    if (weather_ask(f->store, MFX_STORE_CHECK, counter, &used, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return used;
}

void
weather_want_part(const char *label, const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", label, text, part);
}

void
weather_want_down(const char *label, struct mfx_store *store, const char *part)
{
    struct mfx_store_health health;
    struct mfx_err err = {""};
    if (!store_wait_up(store, false))
        fail_msg("%s: still up", label);
    unit_assert_int(label, weather_ask(store, MFX_STORE_TAKE, "x", NULL, &err),
                    MFX_TEMPFAIL);
    weather_want_part(label, err.msg, part);
    mfx_store_health(store, &health);
    weather_want_part(label, health.error, part);
    unit_assert_int(
        label, log_lines_count(&weather_lines, "store_down", part) > 0, true);
}

void
weather_want_up(const char *label, struct weather *f)
{
    struct mfx_store_health health;
    if (store_wait_up(f->store, true))
        return;
    mfx_store_health(f->store, &health);
    fail_msg("%s: still down: %s", label, health.error);
}

void
weather_write_at(const char *path, off_t at, off_t len)
{
    static char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (off_t done = 0; done < len; done += (off_t)sizeof garbage)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, at + done),
                         sizeof garbage);
    (void)close(fd);
}

off_t
weather_size_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? about.st_size : 0;
}

void
weather_make_text(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 500; i++)
        (void)fputs("somebody's letters, kept in a wrong place\n", file);
    (void)fclose(file);
}
