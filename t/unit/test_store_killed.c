/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A local store whose process is killed while it counts: what was answered is
 * there.
 *
 * Called with --count FILE NOTES: counts until it is killed, and notes what was
 * answered. */
#include "store_weather.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"

enum {
    KEYS = 64,
    COUNTERS = 8,
};

/* Of each key: how often it was begun to be counted, and how often answered. */
struct notes {
    atomic_uint_fast64_t begun[KEYS], answered[KEYS];
};

struct counting {
    struct mfx_store *store;
    struct notes *notes;
    unsigned number;
};

static void *
count_on(void *arg)
{
    const struct counting *counting = arg;
    struct mfx_store_window window = store_sliding(WEATHER_HOUR_MS, 1000000000);
    char name[16], holder[16];
    (void)snprintf(holder, sizeof holder, "t%u", counting->number);
    for (unsigned i = counting->number;; i += COUNTERS + 1) {
        (void)snprintf(name, sizeof name, "k%u", i % KEYS);
        struct mfx_store_use use = store_use(name, &window, 1);
        (void)atomic_fetch_add(&counting->notes->begun[i % KEYS], 1);
        if (mfx_store_ask(counting->store, MFX_STORE_TAKE, mfx_str_of(holder),
                          &use, 1, 0, WEATHER_WAIT_MS, NULL, NULL,
                          NULL) != MFX_OK)
            _exit(1);
        (void)atomic_fetch_add(&counting->notes->answered[i % KEYS], 1);
    }
}

static struct notes *
map_notes(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct notes)) != 0)
        return NULL;
    void *at = mmap(NULL, sizeof(struct notes), PROT_READ | PROT_WRITE,
                    MAP_SHARED, fd, 0);
    (void)close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static int
count(const char *path, const char *notes_path)
{
    struct store_clock clock;
    struct mfx_env env;
    struct mfx_store_local_settings settings = {.path = path,
                                                .memory_bytes = 4 << 20};
    struct counting counting[COUNTERS];
    char byte;
    pthread_t thread;
    store_clock_init(&clock, &env);
    struct notes *notes = map_notes(notes_path);
    struct mfx_store *store = mfx_store_local_open(&settings, &env);
    if (notes == NULL || store == NULL || !store_wait_up(store, true))
        return 1;
    (void)puts("counting");
    (void)fflush(stdout);
    for (unsigned i = 0; i < COUNTERS; i++) {
        counting[i] =
            (struct counting){.store = store, .notes = notes, .number = i};
        if (pthread_create(&thread, NULL, count_on, &counting[i]) != 0)
            return 1;
    }
    while (read(0, &byte, 1) > 0)
        continue;
    _exit(0);
}

static void
run_killed(struct weather *f, char *notes_path, unsigned times)
{
    char *argv[] = {"/proc/self/exe", "--count", f->path, notes_path, NULL};
    for (unsigned i = 0; i < times; i++) {
        struct child child;
        assert_true(child_start(&child, argv));
        assert_string_equal(child.line, "counting");
        weather_sleep_ms(50 + 130 * (i % 5));
        (void)kill(child.pid, SIGKILL);
        child_stop(&child);
    }
}

/* Whenever it is killed: what was answered is there, and no more than was
 * asked. */
static void
killed_while_counting(void **state)
{
    struct weather *f = *state;
    char notes_path[160], name[16];
    uint64_t answered = 0;
    (void)snprintf(notes_path, sizeof notes_path, "%s/notes", f->dir);
    struct notes *notes = map_notes(notes_path);
    assert_non_null(notes);
    for (unsigned round = 0; round < 4; round++) {
        run_killed(f, notes_path, 3);
        weather_open(f);
        weather_want_up("killed", f);
        for (unsigned i = 0; i < KEYS; i++) {
            (void)snprintf(name, sizeof name, "k%u", i);
            uint64_t used = weather_used(f, name);
            assert_in_range(used, atomic_load(&notes->answered[i]),
                            atomic_load(&notes->begun[i]));
            answered += atomic_load(&notes->answered[i]);
        }
        weather_close(f);
    }
    assert_true(answered > 0);
    (void)munmap(notes, sizeof *notes);
}

/* The file is well; of its log, what stands before the garbage counts. */
static void
a_spoilt_log(void **state)
{
    struct weather *f = *state;
    char notes_path[160], log_path[160], name[16];
    (void)snprintf(notes_path, sizeof notes_path, "%s/notes", f->dir);
    (void)snprintf(log_path, sizeof log_path, "%s-wal", f->path);
    struct notes *notes = map_notes(notes_path);
    assert_non_null(notes);
    run_killed(f, notes_path, 1);
    assert_true(weather_size_of(log_path) > 0);
    weather_write_at(log_path, weather_size_of(log_path) / 2, 4096);
    weather_open(f);
    weather_want_up("log", f);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(name, sizeof name, "k%u", i);
        assert_in_range(weather_used(f, name), 0,
                        atomic_load(&notes->begun[i]));
    }
    weather_take_times(f, "after it", 2);
    weather_close(f);
    /* and a log that is none */
    weather_make_text(log_path);
    weather_open(f);
    weather_want_up("text", f);
    assert_int_equal(weather_used(f, "after it"), 2);
    (void)munmap(notes, sizeof *notes);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, weather_set_up, weather_tear_down)
        TEST(killed_while_counting),
        TEST(a_spoilt_log),
    };
    if (argc == 4 && strcmp(argv[1], "--count") == 0)
        return count(argv[2], argv[3]);
    mfx_log_redirect(log_lines_take, &weather_lines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
