/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An element counts once in a window, whenever it was first seen: behind a
 * reset, and when it is merged. With a file and in memory alone. */
#include "store_bench.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PART_MS = 10,
    SPAN_MS = PART_MS * MFX_STORE_STEPS,
};

struct fixture {
    char dir[64], path[128];
    struct store_clock clock;
    struct mfx_env env;
    struct mfx_store *store;
    struct mfx_arena *arena;
    unsigned holders;
};

static const struct mfx_str elements[] = {
    {"a", 1},
    {"b", 1},
    {"c", 1},
};

static int
set_up(void **state, bool has_file)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    store_make_dir(f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/quota.db", f->dir);
    store_clock_init(&f->clock, &f->env);
    struct mfx_store_local_settings settings = {
        .path = has_file ? f->path : NULL, .memory_bytes = 4 << 20};
    f->store = mfx_store_local_open(&settings, &f->env);
    f->arena = mfx_arena_new(0);
    *state = f;
    return f->store == NULL ? -1 : 0;
}

static int
set_up_file(void **state)
{
    return set_up(state, true);
}

static int
set_up_memory(void **state)
{
    return set_up(state, false);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    mfx_store_close(f->store, 5000);
    mfx_arena_free(f->arena);
    store_remove_dir(f->dir);
    free(f);
    return 0;
}

/* How many the first window counts afterwards; each call is another holder's.
 */
static uint64_t
used_after(struct fixture *f, enum mfx_store_op op,
           const struct mfx_store_use *use)
{
    char holder[16];
    (void)snprintf(holder, sizeof holder, "h%u", f->holders++);
    mfx_arena_reset(f->arena);
    struct store_said said =
        store_ask(f->store, op, holder, use, 1, 0, f->arena);
    assert_int_equal(said.rc, MFX_OK);
    return said.level.used;
}

static uint64_t
used_after_merge(struct fixture *f, const struct mfx_store_use *use,
                 uint64_t ago_ms)
{
    struct mfx_store_answer answer;
    char holder[16];
    (void)snprintf(holder, sizeof holder, "h%u", f->holders++);
    mfx_arena_reset(f->arena);
    struct mfx_store_call *call =
        mfx_store_begin_merge(f->store, mfx_str_of(holder), use, 1,
                              store_clock_wall_ms(&f->clock) - ago_ms);
    assert_true(
        mfx_event_wait(mfx_store_call_event(call), mfx_mono_ms() + 10000));
    assert_int_equal(mfx_store_call_end(call, f->arena, &answer, NULL), MFX_OK);
    return answer.readings[0].levels[0].used;
}

/* --- behind a reset --- */

/* What is counted in the millisecond of a reset is seen just behind it, perhaps
 * in the next part: in each millisecond of a part it counts once. */
static void
counted_once_behind_a_reset(void **state)
{
    struct fixture *f = *state;
    const struct mfx_store_window window = store_sliding(SPAN_MS, 9);
    const struct mfx_store_use use =
        store_elements(MFX_STORE_DISTINCT, "c", &window, elements, 2);
    for (unsigned resets = 1; resets < 4; resets++) {
        for (unsigned ms = 0; ms < PART_MS; ms++) {
            for (unsigned i = 0; i < resets; i++)
                assert_int_equal(used_after(f, MFX_STORE_RESET, &use), 0);
            assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 2);
            assert_int_equal(used_after(f, MFX_STORE_COMMIT, &use), 2);
            store_clock_go(&f->clock, 3 * PART_MS);
            assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 2);
            store_clock_go(&f->clock, SPAN_MS);
            assert_int_equal(used_after(f, MFX_STORE_CHECK, &use), 2);
            store_clock_go(&f->clock, PART_MS + 1);
            assert_int_equal(used_after(f, MFX_STORE_CHECK, &use), 0);
        }
    }
}

/* --- merged --- */

struct step {
    const char *label;
    bool is_merge; /* else TAKE */
    size_t first, count;
    uint64_t go_ms; /* before it */
    uint64_t ago_ms, used;
};

static void
run_steps(struct fixture *f, const char *counter,
          const struct mfx_store_window *window, const struct step *steps,
          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        struct mfx_store_use use =
            store_elements(MFX_STORE_DISTINCT, counter, window,
                           elements + step->first, step->count);
        store_clock_go(&f->clock, step->go_ms);
        uint64_t used = step->is_merge ? used_after_merge(f, &use, step->ago_ms)
                                       : used_after(f, MFX_STORE_TAKE, &use);
        unit_assert_int(step->label, used, step->used);
    }
}

static const struct step merged_into_nothing[] = {
    {"first",         true,  0, 1, 0, 30000, 1},
    {"again",         true,  0, 1, 0, 20000, 1},
    {"another",       true,  1, 1, 0, 25000, 2},
    {"before_it_all", true,  0, 2, 0, 40000, 2},
    {"before, new",   true,  2, 1, 0, 50000, 3},
    {"seen_now",      false, 0, 3, 0, 0,     3},
};

static const struct step merged_behind[] = {
    {"now",      false, 0, 1, 0,    0,     1},
    {"earlier",  true,  1, 1, 0,    30000, 2},
    {"known",    true,  0, 1, 0,    20000, 2},
    {"again",    true,  1, 1, 0,    29000, 2},
    {"later",    true,  1, 1, 5000, 28000, 2},
    {"seen_now", false, 0, 2, 0,    0,     2},
};

/* Whether the counter began before or after what is merged. */
static void
merged_once(void **state)
{
    struct fixture *f = *state;
    static const uint64_t day_s = 86400;
    const struct {
        const char *name;
        struct mfx_store_window window;
    } shapes[] = {
        {"sliding", store_sliding(600000, 9)          },
        {"fixed",   store_fixed(1,        9,            &day_s)},
        {"bucket",         store_bucket(86400000 * 9,                      9)},
    };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s, nothing", shapes[i].name);
        run_steps(f, name, &shapes[i].window, merged_into_nothing,
                  COUNT(merged_into_nothing));
        (void)snprintf(name, sizeof name, "%s, behind", shapes[i].name);
        run_steps(f, name, &shapes[i].window, merged_behind,
                  COUNT(merged_behind));
    }
}

/* It leaves the window at its own time, unless it was seen later. */
static void
merged_leave_at_their_time(void **state)
{
    struct fixture *f = *state;
    const struct mfx_store_window window = store_sliding(60000, 9);
    static const struct step steps[] = {
        {"now",          false, 0, 1, 0,     0,     1},
        {"earlier",      true,  1, 1, 0,     30000, 2},
        {"too_long_ago", true,  2, 1, 0,     90000, 2},
        {"again",        false, 0, 1, 20000, 0,     2},
        {"it_left",      false, 0, 1, 12001, 0,     1},
        {"it_is_new",    false, 1, 1, 0,     0,     2},
    };
    run_steps(f, "c", &window, steps, COUNT(steps));
}

/* What was used before a reset and comes after it is not forgotten. */
static void
merged_from_before_a_reset(void **state)
{
    struct fixture *f = *state;
    const struct mfx_store_window window = store_sliding(600000, 9);
    const struct mfx_store_use use =
        store_elements(MFX_STORE_DISTINCT, "c", &window, elements, 2);
    static const struct step steps[] = {
        {"merged",    true,  0, 1, 20000, 90000, 1},
        {"again",     true,  0, 1, 0,     80000, 1},
        {"seen_now",  false, 0, 1, 0,     0,     1},
        {"another",   false, 1, 1, 0,     0,     2},
        {"both_once", false, 0, 2, 20000, 0,     2},
    };
    assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 2);
    assert_int_equal(used_after(f, MFX_STORE_RESET, &use), 0);
    run_steps(f, "c", &window, steps, COUNT(steps));
}

/* A window that came later does not count what the other one had seen when
 * something earlier is merged. */
static void
merged_into_a_new_window(void **state)
{
    struct fixture *f = *state;
    const struct mfx_store_window windows[] = {store_sliding(600000, 9),
                                               store_sliding(60000, 9)};
    struct mfx_store_use use =
        store_elements(MFX_STORE_DISTINCT, "c", &windows[1], elements, 1);
    assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 1);
    store_clock_go(&f->clock, 20000);
    use.windows = windows;
    use.window_count = 2;
    use.elements = &elements[1];
    assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 1);
    use.elements = &elements[2];
    assert_int_equal(used_after_merge(f, &use, 25000), 2);
    use.elements = &elements[0];
    assert_int_equal(used_after(f, MFX_STORE_TAKE, &use), 3);
}

#define BOTH(test)                                            \
    {"memory: " #test, test, set_up_memory, tear_down, NULL}, \
    {                                                         \
        "file: " #test, test, set_up_file, tear_down, NULL    \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(counted_once_behind_a_reset), BOTH(merged_once),
        BOTH(merged_leave_at_their_time),  BOTH(merged_from_before_a_reset),
        BOTH(merged_into_a_new_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
