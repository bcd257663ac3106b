/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What store.h promises, with a file and in memory alone: every test runs for
 * both. The weather is in test_store_weather.c, and test_store_killed.c. */
#include "store_bench.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct fixture {
    char dir[64], path[128];
    struct store_clock clock;
    struct mfx_env env;
    struct mfx_store_local_settings settings;
    struct mfx_store *store;
    struct mfx_arena *arena;
};

static void
open_store(struct fixture *f)
{
    f->store = mfx_store_local_open(&f->settings, &f->env);
    assert_non_null(f->store);
}

static void
reopen(struct fixture *f)
{
    mfx_store_close(f->store, 5000);
    open_store(f);
}

static int
set_up(void **state, bool has_file)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    store_make_dir(f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/quota.db", f->dir);
    store_clock_init(&f->clock, &f->env);
    f->settings.path = has_file ? f->path : NULL;
    f->settings.memory_bytes = 4 << 20;
    f->arena = mfx_arena_new(0);
    *state = f;
    open_store(f);
    return 0;
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

static struct store_said
ask(struct fixture *f, enum mfx_store_op op, const char *holder,
    const struct mfx_store_use *use, uint64_t lease_ms)
{
    return store_ask(f->store, op, holder, use, 1, lease_ms, f->arena);
}

/* One step: who asks what, and what the answer is. */
struct step {
    const char *label;
    enum mfx_store_op op;
    const char *holder;
    uint64_t amount, lease_ms;
    uint64_t go_ms; /* before it */
    enum mfx_store_outcome outcome;
    uint64_t used, reserved;
    bool is_repeated, is_soft_due, is_full_due;
};

static void
run_steps(struct fixture *f, const struct mfx_store_window *window,
          const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        struct mfx_store_use use = store_use("c", window, step->amount);
        store_clock_go(&f->clock, step->go_ms);
        struct store_said said =
            ask(f, step->op, step->holder, &use, step->lease_ms);
        if (said.rc != MFX_OK)
            fail_msg("%s: %s", step->label, said.err.msg);
        unit_assert_int(step->label, said.answer.outcome, step->outcome);
        unit_assert_int(step->label, said.level.used, step->used);
        unit_assert_int(step->label, said.level.reserved, step->reserved);
        unit_assert_int(step->label, said.answer.is_repeated,
                        step->is_repeated);
        unit_assert_int(step->label, said.level.is_soft_due, step->is_soft_due);
        unit_assert_int(step->label, said.level.is_full_due, step->is_full_due);
    }
}

#define STEPS(f, window, ...)                              \
    do {                                                   \
        static const struct step steps_[] = {__VA_ARGS__}; \
        run_steps((f), (window), steps_, COUNT(steps_));   \
    } while (0)

static void
reserve_commit_release(void **state)
{
    struct mfx_store_window window = store_sliding(60000, 5);
    STEPS(*state, &window,
          {.label = "empty", .op = MFX_STORE_CHECK, .amount = 5},
          {.label = "a_3",
           .op = MFX_STORE_RESERVE,
           .holder = "a",
           .amount = 3,
           .lease_ms = 9000},
          {.label = "a_again_counts_once",
           .op = MFX_STORE_RESERVE,
           .holder = "a",
           .amount = 3,
           .lease_ms = 9000},
          {.label = "b_3_is_too_much",
           .op = MFX_STORE_RESERVE,
           .holder = "b",
           .amount = 3,
           .lease_ms = 9000,
           .outcome = MFX_STORE_FULL,
           .reserved = 3,
           .is_full_due = true},
          {.label = "b_3_again",
           .op = MFX_STORE_RESERVE,
           .holder = "b",
           .amount = 3,
           .lease_ms = 9000,
           .outcome = MFX_STORE_FULL,
           .reserved = 3},
          {.label = "b_2",
           .op = MFX_STORE_RESERVE,
           .holder = "b",
           .amount = 2,
           .lease_ms = 9000,
           .reserved = 3},
          {.label = "a_wants_4",
           .op = MFX_STORE_RESERVE,
           .holder = "a",
           .amount = 4,
           .lease_ms = 9000,
           .outcome = MFX_STORE_FULL,
           .reserved = 2},
          {.label = "a_is_counted",
           .op = MFX_STORE_COMMIT,
           .holder = "a",
           .amount = 3,
           .used = 3,
           .reserved = 2},
          {.label = "once",
           .op = MFX_STORE_COMMIT,
           .holder = "a",
           .amount = 3,
           .used = 3,
           .reserved = 2,
           .is_repeated = true},
          {.label = "b_gives_back",
           .op = MFX_STORE_RELEASE,
           .holder = "b",
           .used = 3},
          {.label = "twice", .op = MFX_STORE_RELEASE, .holder = "b", .used = 3},
          {.label = "take_2",
           .op = MFX_STORE_TAKE,
           .holder = "c",
           .amount = 2,
           .used = 5},
          {.label = "take_1",
           .op = MFX_STORE_TAKE,
           .holder = "c",
           .amount = 1,
           .outcome = MFX_STORE_FULL,
           .used = 5},
          {.label = "commit_counts_anyway",
           .op = MFX_STORE_COMMIT,
           .holder = "d",
           .amount = 2,
           .used = 7},
          {.label = "reset", .op = MFX_STORE_RESET, .holder = "x"},
          {.label = "empty_again", .op = MFX_STORE_CHECK, .amount = 5}, );
}

static void
leases_end(void **state)
{
    struct mfx_store_window window = store_sliding(3600000, 5);
    STEPS(
        *state, &window,
        {.label = "a",
         .op = MFX_STORE_RESERVE,
         .holder = "a",
         .amount = 3,
         .lease_ms = 1000},
        {.label = "b",
         .op = MFX_STORE_RESERVE,
         .holder = "b",
         .amount = 2,
         .lease_ms = 5000,
         .reserved = 3},
        {.label = "last_moment",
         .op = MFX_STORE_CHECK,
         .go_ms = 999,
         .reserved = 5},
        {.label = "a_ended", .op = MFX_STORE_CHECK, .go_ms = 1, .reserved = 2},
        {.label = "b_renews",
         .op = MFX_STORE_RESERVE,
         .holder = "b",
         .amount = 2,
         .lease_ms = 5000,
         .go_ms = 3999},
        {.label = "b_holds",
         .op = MFX_STORE_CHECK,
         .go_ms = 4999,
         .reserved = 2},
        {.label = "b_ended", .op = MFX_STORE_CHECK, .go_ms = 1},
        {.label = "late_commit",
         .op = MFX_STORE_COMMIT,
         .holder = "b",
         .amount = 2,
         .used = 2}, );
}

static void
committed_for_ten_minutes(void **state)
{
    struct mfx_store_window window = store_sliding(3600000, 5);
    STEPS(*state, &window,
          {.label = "first",
           .op = MFX_STORE_COMMIT,
           .holder = "a",
           .amount = 1,
           .used = 1},
          {.label = "repeated",
           .op = MFX_STORE_COMMIT,
           .holder = "a",
           .amount = 1,
           .go_ms = 599999,
           .used = 1,
           .is_repeated = true},
          {.label = "forgotten",
           .op = MFX_STORE_COMMIT,
           .holder = "a",
           .amount = 1,
           .go_ms = 1,
           .used = 2}, );
}

static void
soft_limit_is_told_once(void **state)
{
    struct mfx_store_window window = store_sliding(60000, 9);
    window.soft = 3;
    STEPS(
        *state, &window,
        {.label = "below",
         .op = MFX_STORE_TAKE,
         .holder = "a",
         .amount = 2,
         .used = 2},
        {.label = "check_never", .op = MFX_STORE_CHECK, .amount = 7, .used = 2},
        {.label = "reached",
         .op = MFX_STORE_COMMIT,
         .holder = "b",
         .amount = 1,
         .used = 3,
         .is_soft_due = true},
        {.label = "once",
         .op = MFX_STORE_COMMIT,
         .holder = "c",
         .amount = 1,
         .used = 4},
        {.label = "next_window",
         .op = MFX_STORE_COMMIT,
         .holder = "d",
         .amount = 3,
         .go_ms = 62000,
         .used = 3,
         .is_soft_due = true}, );
}

static void
take_gives_back_what_it_held(void **state)
{
    struct mfx_store_window window = store_sliding(60000, 5);
    STEPS(*state, &window,
          {.label = "reserve",
           .op = MFX_STORE_RESERVE,
           .holder = "a",
           .amount = 4,
           .lease_ms = 9000},
          {.label = "take",
           .op = MFX_STORE_TAKE,
           .holder = "a",
           .amount = 3,
           .used = 3},
          {.label = "nothing_held", .op = MFX_STORE_CHECK, .used = 3}, );
}

static void
all_or_nothing(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window wide = store_sliding(60000, 9);
    struct mfx_store_window narrow = store_sliding(60000, 1);
    struct mfx_store_use uses[] = {store_use("a", &wide, 2),
                                   store_use("b", &narrow, 2)};
    struct store_said said =
        store_ask(f->store, MFX_STORE_RESERVE, "h", uses, 2, 9000, f->arena);
    assert_int_equal(said.rc, MFX_OK);
    assert_int_equal(said.answer.outcome, MFX_STORE_FULL);
    assert_true(said.answer.readings[0].levels[0].fits);
    assert_false(said.answer.readings[1].levels[0].fits);
    said = store_ask(f->store, MFX_STORE_TAKE, "h", uses, 2, 9000, f->arena);
    assert_int_equal(said.answer.outcome, MFX_STORE_FULL);
    said = ask(f, MFX_STORE_CHECK, "", &uses[0], 0);
    assert_int_equal(said.level.used + said.level.reserved, 0);
    uses[1].amount = 1;
    said = store_ask(f->store, MFX_STORE_TAKE, "h", uses, 2, 9000, f->arena);
    assert_int_equal(said.answer.outcome, MFX_STORE_DONE);
    assert_int_equal(said.answer.readings[0].levels[0].used, 2);
    assert_int_equal(said.answer.readings[1].levels[0].used, 1);
}

static void
several_windows(void **state)
{
    struct fixture *f = *state;
    static const uint64_t day_s = 86400;
    struct mfx_store_window windows[] = {
        store_sliding(60000, 3), store_sliding(3600000, 4),
        store_fixed(1, 5, &day_s), store_bucket(1000, 3)};
    struct mfx_store_use use = store_use("c", windows, 3);
    use.window_count = 4;
    struct store_said said = ask(f, MFX_STORE_TAKE, "a", &use, 0);
    assert_int_equal(said.answer.outcome, MFX_STORE_DONE);
    store_clock_go(&f->clock, 62000);
    use.amount = 2;
    said = ask(f, MFX_STORE_RESERVE, "b", &use, 1000);
    assert_int_equal(said.answer.outcome, MFX_STORE_FULL);
    static const struct {
        bool fits;
        uint64_t used;
    } want[] = {
        {true,  0},
        {false, 3},
        {true,  3},
        {true,  0}
    };
    for (size_t i = 0; i < 4; i++) {
        const struct mfx_store_level *level =
            &said.answer.readings[0].levels[i];
        assert_int_equal(level->fits, want[i].fits);
        assert_int_equal(level->used, want[i].used);
        assert_int_equal(level->is_full_due, !want[i].fits);
        assert_int_equal(level->free_at_ms > 0, !want[i].fits);
    }
    /* another limit, the same windows: what was counted stays */
    windows[1].limit = 5;
    said = ask(f, MFX_STORE_TAKE, "b", &use, 0);
    assert_int_equal(said.answer.outcome, MFX_STORE_DONE);
    assert_int_equal(said.answer.readings[0].levels[1].used, 5);
}

/* --- elements --- */

static const struct mfx_str elements[] = {
    MFX_STR("e0"), MFX_STR("e1"), MFX_STR("e2"), MFX_STR("e3"), MFX_STR("e4")};

static void
run_element_steps(struct fixture *f, enum mfx_store_kind kind)
{
    static const struct {
        const char *label, *holder;
        enum mfx_store_op op;
        size_t first, count;
        uint64_t go_ms;
        enum mfx_store_outcome outcome;
        uint64_t used[2], reserved; /* DISTINCT, FIRST */
    } steps[] = {
        {"two",                  "a", MFX_STORE_RESERVE, 0, 2, 0, MFX_STORE_DONE, {0, 0}, 0},
        {"one_of_them",
         "b",                         MFX_STORE_RESERVE,
         1,                                                 1,
         0,                                                       MFX_STORE_DONE,
         {0, 0},
         1                                                                                 },
        {"one_more",
         "b",                         MFX_STORE_RESERVE,
         2,                                                 1,
         0,                                                       MFX_STORE_DONE,
         {0, 0},
         1                                                                                 },
        {"a_fourth",
         "c",                         MFX_STORE_RESERVE,
         3,                                                 1,
         0,                                                       MFX_STORE_FULL,
         {0, 0},
         3                                                                                 },
        {"known_ones",
         "c",                         MFX_STORE_RESERVE,
         0,                                                 3,
         0,                                                       MFX_STORE_DONE,
         {0, 0},
         0                                                                                 },
        {"commit_a",             "a", MFX_STORE_COMMIT,  0, 2, 0, MFX_STORE_DONE, {2, 2}, 1},
        {"commit_c",             "c", MFX_STORE_COMMIT,  0, 3, 0, MFX_STORE_DONE, {3, 3}, 0},
        {"release_b",
         "b",                         MFX_STORE_RELEASE,
         0,                                                 0,
         0,                                                       MFX_STORE_DONE,
         {3, 3},
         0                                                                                 },
        {"seen_ones",
         "d",                         MFX_STORE_TAKE,
         0,                                                 3,
         30000,                                                   MFX_STORE_DONE,
         {3, 3},
         0                                                                                 },
        {"new_one",              "d", MFX_STORE_TAKE,    3, 1, 0, MFX_STORE_FULL, {3, 3}, 0},
        {"after_the_window",
         "e",                         MFX_STORE_CHECK,
         3,                                                 2,
         31001,                                                   MFX_STORE_FULL,
         {3, 0},
         0                                                                                 },
        {"nearly_all_forgotten",
         "f",                         MFX_STORE_TAKE,
         3,                                                 2,
         31000,                                                   MFX_STORE_DONE,
         {2, 2},
         0                                                                                 },
    };
    struct mfx_store_window window = store_sliding(60000, 3);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct mfx_store_use use = store_elements(
            kind, "c", &window, elements + steps[i].first, steps[i].count);
        use.memory_ms = 90000000;
        store_clock_go(&f->clock, steps[i].go_ms);
        /* FIRST forgot nothing: two new ones fit when the old uses left */
        enum mfx_store_outcome outcome = steps[i].outcome;
        if (kind == MFX_STORE_FIRST && steps[i].op == MFX_STORE_CHECK)
            outcome = MFX_STORE_DONE;
        struct store_said said =
            ask(f, steps[i].op, steps[i].holder, &use, 99000);
        unit_assert_int(steps[i].label, said.rc, MFX_OK);
        unit_assert_int(steps[i].label, said.answer.outcome, outcome);
        unit_assert_int(steps[i].label, said.level.used,
                        steps[i].used[kind == MFX_STORE_FIRST]);
        unit_assert_int(steps[i].label, said.level.reserved, steps[i].reserved);
    }
}

static void
distinct_elements(void **state)
{
    run_element_steps(*state, MFX_STORE_DISTINCT);
}

static void
first_elements(void **state)
{
    run_element_steps(*state, MFX_STORE_FIRST);
}

/* What was seen is remembered beyond the counter itself, and in the file. */
/* Several uses with elements in one call, often enough that what has been seen
 * must find room for all of them. */
static void
elements_of_several_uses(void **state)
{
    struct fixture *f = *state;
    const struct mfx_store_window window = store_sliding(86400000, 1000);
    static const char *const names[] = {"a", "b", "c"};
    for (unsigned n = 0; n < 50; n++) {
        char text[16], holder[16];
        struct mfx_store_use uses[3];
        (void)snprintf(text, sizeof text, "e%u", n);
        (void)snprintf(holder, sizeof holder, "h%u", n);
        const struct mfx_str element = mfx_str_of(text);
        for (size_t i = 0; i < 3; i++)
            uses[i] =
                store_elements(i == 2 ? MFX_STORE_FIRST : MFX_STORE_DISTINCT,
                               names[i], &window, &element, 1);
        struct store_said said =
            store_ask(f->store, MFX_STORE_COMMIT, holder, uses, 3, 0, f->arena);
        assert_int_equal(said.rc, MFX_OK);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(said.answer.readings[i].levels[0].used, n + 1);
    }
}

static void
first_remembers_long(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(60000, 9);
    struct mfx_store_use use =
        store_elements(MFX_STORE_FIRST, "c", &window, elements, 3);
    use.memory_ms = 86400000;
    (void)ask(f, MFX_STORE_COMMIT, "a", &use, 0);
    store_clock_go(&f->clock, 86399000);
    if (f->settings.path != NULL)
        reopen(f);
    use.element_count = 5;
    struct store_said said = ask(f, MFX_STORE_TAKE, "b", &use, 0);
    assert_int_equal(said.level.used, 2);
    store_clock_go(&f->clock, 2000);
    said = ask(f, MFX_STORE_TAKE, "c", &use, 0);
    assert_int_equal(said.level.used, 2);
    /* a reset forgets whom it has seen */
    (void)ask(f, MFX_STORE_RESET, "", &use, 0);
    if (f->settings.path != NULL)
        reopen(f);
    said = ask(f, MFX_STORE_TAKE, "d", &use, 0);
    assert_int_equal(said.level.used, 5);
}

static void
open_counts_what_is_held(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = {.limit = 2};
    struct mfx_store_use use = store_use("c", &window, 1);
    use.kind = MFX_STORE_OPEN;
    static const struct {
        const char *label, *holder;
        enum mfx_store_op op;
        uint64_t go_ms;
        enum mfx_store_outcome outcome;
        uint64_t reserved;
    } steps[] = {
        {"one",     "a", MFX_STORE_RESERVE, 0,        MFX_STORE_DONE, 0},
        {"two",     "b", MFX_STORE_RESERVE, 0,        MFX_STORE_DONE, 1},
        {"three",   "c", MFX_STORE_RESERVE, 99999999, MFX_STORE_FULL, 2},
        {"release", "a", MFX_STORE_RELEASE, 0,        MFX_STORE_DONE, 1},
        {"again",   "c", MFX_STORE_RESERVE, 0,        MFX_STORE_DONE, 1},
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        store_clock_go(&f->clock, steps[i].go_ms);
        struct store_said said = ask(f, steps[i].op, steps[i].holder, &use, 0);
        unit_assert_int(steps[i].label, said.rc, MFX_OK);
        unit_assert_int(steps[i].label, said.answer.outcome, steps[i].outcome);
        unit_assert_int(steps[i].label, said.level.reserved, steps[i].reserved);
    }
    assert_int_equal(ask(f, MFX_STORE_COMMIT, "c", &use, 0).rc, MFX_PERMFAIL);
}

static void
another_kind_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(60000, 9);
    struct mfx_store_use amount = store_use("c", &window, 3);
    struct mfx_store_use distinct =
        store_elements(MFX_STORE_DISTINCT, "c", &window, elements, 2);
    (void)ask(f, MFX_STORE_TAKE, "a", &amount, 0);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &distinct, 0).level.used, 0);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &amount, 0).level.used, 3);
    assert_int_equal(ask(f, MFX_STORE_TAKE, "b", &distinct, 0).level.used, 2);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &amount, 0).level.used, 0);
}

/* --- merge, override --- */

static void
merge_counts_at_its_time(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(60000, 9);
    struct mfx_store_use use = store_use("c", &window, 2);
    static const struct {
        const char *label, *holder;
        uint64_t ago_ms, used;
    } merges[] = {
        {"half_a_minute", "a", 30000, 2},
        {"too_long_ago",  "b", 90000, 2},
        {"now",           "c", 0,     4},
        {"repeated",      "c", 0,     4},
    };
    for (size_t i = 0; i < COUNT(merges); i++) {
        struct mfx_store_answer answer;
        struct mfx_store_call *call = mfx_store_begin_merge(
            f->store, mfx_str_of(merges[i].holder), &use, 1,
            store_clock_wall_ms(&f->clock) - merges[i].ago_ms);
        assert_true(
            mfx_event_wait(mfx_store_call_event(call), mfx_mono_ms() + 10000));
        assert_int_equal(mfx_store_call_end(call, f->arena, &answer, NULL),
                         MFX_OK);
        unit_assert_int(merges[i].label, answer.readings[0].levels[0].used,
                        merges[i].used);
    }
    store_clock_go(&f->clock, 32001);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &use, 0).level.used, 2);
}

static enum mfx_rc
set_override(struct fixture *f, const char *text, uint64_t lifetime_ms)
{
    return mfx_store_set_override(f->store, mfx_str_of("c"), mfx_str_of(text),
                                  lifetime_ms, 10000, NULL);
}

static void
override_stands_beside(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(60000, 9);
    struct mfx_store_use use = store_use("c", &window, 1);
    assert_int_equal(set_override(f, "5/1m", 10000), MFX_OK);
    static const enum mfx_store_op ops[] = {MFX_STORE_CHECK, MFX_STORE_RESERVE,
                                            MFX_STORE_TAKE};
    for (size_t i = 0; i < COUNT(ops); i++) {
        struct store_said said = ask(f, ops[i], "a", &use, 9000);
        assert_int_equal(said.answer.outcome, MFX_STORE_OVERRIDDEN);
        unit_assert_str("what", said.answer.readings[0].override,
                        mfx_str_of("5/1m"));
        assert_true(said.answer.readings[0].override_until_ms >
                    store_clock_wall_ms(&f->clock) + 8000);
    }
    if (f->settings.path != NULL)
        reopen(f);
    struct store_said said = ask(f, MFX_STORE_CHECK, "", &use, 0);
    assert_int_equal(said.level.used + said.level.reserved, 0);
    use.believed_override = mfx_str_of("5/1m");
    assert_int_equal(ask(f, MFX_STORE_TAKE, "a", &use, 0).answer.outcome,
                     MFX_STORE_DONE);
    /* what was used is counted, whatever stands there */
    use.believed_override = mfx_str_of("another");
    assert_int_equal(ask(f, MFX_STORE_COMMIT, "b", &use, 0).level.used, 2);
    use.believed_override = mfx_str_of("");
    (void)ask(f, MFX_STORE_RESET, "", &use, 0);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &use, 0).answer.outcome,
                     MFX_STORE_OVERRIDDEN);
    store_clock_go(&f->clock, 12001);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &use, 0).answer.outcome,
                     MFX_STORE_DONE);
    assert_int_equal(set_override(f, "blocked spam", 0), MFX_OK);
    said = ask(f, MFX_STORE_CHECK, "", &use, 0);
    assert_int_equal(said.answer.readings[0].override_until_ms, 0);
    assert_int_equal(set_override(f, "", 0), MFX_OK);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &use, 0).answer.outcome,
                     MFX_STORE_DONE);
}

/* --- what is asked wrong --- */

static void
wrong_uses(void **state)
{
    struct fixture *f = *state;
    static char long_name[MFX_STORE_NAME_MAX + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    struct mfx_store_window good = store_sliding(60000, 9);
    struct mfx_store_window no_span = store_sliding(0, 9);
    struct mfx_store_window no_period = {.shape = MFX_STORE_FIXED};
    struct mfx_store_window twice[] = {good, good};
    struct mfx_store_window nine[9];
    for (size_t i = 0; i < 9; i++)
        nine[i] = store_sliding(1000 + i, 9);
    struct mfx_store_use two = store_use("c", twice, 1);
    two.window_count = 2;
    struct mfx_store_use many = store_use("c", nine, 1);
    many.window_count = 9;
    struct mfx_store_use open = store_use("c", &good, 1);
    open.kind = MFX_STORE_OPEN;
    struct mfx_store_use fine = store_use("c", &good, 1);
    struct mfx_store_use no_name = store_use("", &good, 1);
    struct mfx_store_use named_long = store_use(long_name, &good, 1);
    struct mfx_store_use spanless = store_use("c", &no_span, 1);
    struct mfx_store_use aperiodic = store_use("c", &no_period, 1);
    struct mfx_store_use huge = store_use("c", &good, MFX_STORE_AMOUNT_MAX + 1);
    const struct {
        const char *label;
        enum mfx_store_op op;
        const char *holder;
        const struct mfx_store_use *use;
    } cases[] = {
        {"no_name",      MFX_STORE_CHECK,   "",        &no_name   },
        {"long_name",    MFX_STORE_CHECK,   "",        &named_long},
        {"no_holder",    MFX_STORE_RESERVE, "",        &fine      },
        {"long_holder",  MFX_STORE_CHECK,   long_name, &fine      },
        {"no_span",      MFX_STORE_CHECK,   "",        &spanless  },
        {"no_period",    MFX_STORE_CHECK,   "",        &aperiodic },
        {"window_twice", MFX_STORE_CHECK,   "",        &two       },
        {"nine_windows", MFX_STORE_CHECK,   "",        &many      },
        {"take_open",    MFX_STORE_TAKE,    "a",       &open      },
        {"huge_amount",  MFX_STORE_CHECK,   "",        &huge      },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_said said =
            ask(f, cases[i].op, cases[i].holder, cases[i].use, 1000);
        unit_assert_int(cases[i].label, said.rc, MFX_PERMFAIL);
        unit_assert_int(cases[i].label, said.err.msg[0] != '\0', true);
    }
    struct mfx_store_use same[] = {store_use("c", &good, 1),
                                   store_use("c", &good, 1)};
    assert_int_equal(
        store_ask(f->store, MFX_STORE_CHECK, "", same, 2, 0, f->arena).rc,
        MFX_PERMFAIL);
    assert_int_equal(mfx_store_call_end(NULL, NULL, NULL, NULL), MFX_TEMPFAIL);
}

/* An asker that gives up gets its answer at once, and the store goes on. */
static void
calls_may_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(60000, 1000);
    for (int i = 0; i < 200; i++) {
        char holder[16], name[16];
        (void)snprintf(holder, sizeof holder, "h%d", i);
        (void)snprintf(name, sizeof name, "n%d", i % 7);
        struct mfx_store_use use = store_use(name, &window, 1);
        struct mfx_store_call *call = mfx_store_begin(
            f->store, i % 2 == 0 ? MFX_STORE_RESERVE : MFX_STORE_COMMIT,
            mfx_str_of(holder), &use, 1, 9000);
        (void)mfx_store_call_end(call, NULL, NULL, NULL);
        call = mfx_store_begin(f->store, MFX_STORE_RELEASE, mfx_str_of(holder),
                               &use, 1, 0);
        (void)mfx_store_call_end(call, NULL, NULL, NULL);
    }
    uint64_t used = 0;
    for (int i = 0; i < 7; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d", i);
        struct mfx_store_use use = store_use(name, &window, 1);
        struct store_said said = ask(f, MFX_STORE_CHECK, "", &use, 0);
        assert_int_equal(said.rc, MFX_OK);
        assert_int_equal(said.level.reserved, 0);
        used += said.level.used;
    }
    assert_int_equal(used, 100);
}

/* --- lists --- */

static size_t
list_all(struct fixture *f, const char *prefix, size_t max,
         struct mfx_store_row *all, size_t room)
{
    struct mfx_str cursor = mfx_str(NULL, 0);
    size_t count = 0, calls = 0;
    do {
        struct mfx_store_row *rows;
        size_t some;
        struct mfx_err err = {""};
        if (mfx_store_list(f->store, mfx_str_of(prefix), max, &cursor, 10000,
                           f->arena, &rows, &some, &err) != MFX_OK)
            fail_msg("%s", err.msg);
        for (size_t i = 0; i < some; i++) {
            assert_true(count < room);
            all[count++] = rows[i];
        }
        assert_true(++calls < 1000);
    } while (cursor.len > 0);
    return count;
}

static void
lists_walk_in_order(void **state)
{
    struct fixture *f = *state;
    static struct mfx_store_row rows[300];
    struct mfx_store_window window = store_sliding(60000, 1000);
    for (int i = 0; i < 150; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "r%d/u%03d", i % 3, i);
        struct mfx_store_use use = store_use(name, &window, (uint64_t)i + 1);
        struct store_said said = ask(f, MFX_STORE_TAKE, "x", &use, 0);
        if (said.rc != MFX_OK)
            fail_msg("%s", said.err.msg);
    }
    /* held only, and held beside */
    struct mfx_store_use held = store_use("r1/u000", &window, 7);
    (void)ask(f, MFX_STORE_RESERVE, "h", &held, 99000);
    held = store_use("r1/u004", &window, 8);
    (void)ask(f, MFX_STORE_RESERVE, "h", &held, 99000);
    assert_int_equal(list_all(f, "", 7, rows, COUNT(rows)), 151);
    for (size_t i = 1; i < 151; i++)
        assert_true(mfx_str_compare(rows[i - 1].counter, rows[i].counter) < 0);
    assert_int_equal(list_all(f, "r1/", 10, rows, COUNT(rows)), 51);
    unit_assert_str("first", rows[0].counter, mfx_str_of("r1/u000"));
    assert_int_equal(rows[0].reserved, 7);
    assert_int_equal(rows[0].window_count, 0);
    unit_assert_str("third", rows[2].counter, mfx_str_of("r1/u004"));
    assert_int_equal(rows[2].reserved, 8);
    assert_int_equal(rows[2].windows[0].used, 5);
    assert_int_equal(rows[2].windows[0].span_ms, 60000);
    assert_in_range(rows[2].windows[0].last_ms,
                    store_clock_wall_ms(&f->clock) - 2000,
                    store_clock_wall_ms(&f->clock) + 2000);
    assert_int_equal(list_all(f, "nobody", 10, rows, COUNT(rows)), 0);
    store_clock_go(&f->clock, 100000);
    assert_int_equal(list_all(f, "", 100, rows, COUNT(rows)), 0);
}

/* --- values --- */

static enum mfx_rc
value(struct fixture *f, enum mfx_store_value_op op, const char *name,
      const char *bytes, uint64_t lifetime_ms, struct mfx_store_value *out)
{
    struct mfx_store_call *call = mfx_store_begin_value(
        f->store, op, mfx_str_of(name), mfx_str_of(bytes), lifetime_ms);
    assert_true(
        mfx_event_wait(mfx_store_call_event(call), mfx_mono_ms() + 10000));
    return mfx_store_call_end_value(call, f->arena, out, NULL);
}

static void
values_live_and_die(void **state)
{
    static const struct {
        const char *label;
        enum mfx_store_value_op op;
        const char *name, *bytes;
        uint64_t lifetime_ms, go_ms;
        enum mfx_rc rc;
        const char *want;
        bool is_new, has_end;
    } steps[] = {
        {"none",        MFX_STORE_VALUE_GET,    "a", "",  0,    0,    MFX_NOTFOUND, "",  false,
         false                                                                                       },
        {"put",         MFX_STORE_VALUE_PUT,    "a", "1", 0,    0,    MFX_OK,       "1", true,  false},
        {"get",         MFX_STORE_VALUE_GET,    "a", "",  0,    0,    MFX_OK,       "1", false, false},
        {"add_is_late", MFX_STORE_VALUE_ADD,    "a", "2", 0,    0,    MFX_OK,       "1", false,
         false                                                                                       },
        {"replace",     MFX_STORE_VALUE_PUT,    "a", "3", 5000, 0,    MFX_OK,       "3", true,
         true                                                                                        },
        {"still",       MFX_STORE_VALUE_GET,    "a", "",  0,    4999, MFX_OK,       "3", false,
         true                                                                                        },
        {"dead",        MFX_STORE_VALUE_GET,    "a", "",  0,    1,    MFX_NOTFOUND, "",  false,
         false                                                                                       },
        {"add",         MFX_STORE_VALUE_ADD,    "a", "4", 0,    0,    MFX_OK,       "4", true,  false},
        {"delete",      MFX_STORE_VALUE_DELETE, "a", "",  0,    0,    MFX_OK,       "4", false,
         false                                                                                       },
        {"delete_none", MFX_STORE_VALUE_DELETE, "a", "",  0,    0,    MFX_NOTFOUND, "",
         false,                                                                                 false},
        {"empty_bytes", MFX_STORE_VALUE_PUT,    "b", "",  0,    0,    MFX_OK,       "",  true,
         false                                                                                       },
        {"empty_get",   MFX_STORE_VALUE_GET,    "b", "",  0,    0,    MFX_OK,       "",  false,
         false                                                                                       },
        {"no_name",     MFX_STORE_VALUE_GET,    "",  "",  0,    0,    MFX_PERMFAIL, "",  false,
         false                                                                                       },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct mfx_store_value got = {.until_ms = 0};
        store_clock_go(&f->clock, steps[i].go_ms);
        unit_assert_int(steps[i].label,
                        value(f, steps[i].op, steps[i].name, steps[i].bytes,
                              steps[i].lifetime_ms, &got),
                        steps[i].rc);
        unit_assert_str(steps[i].label, got.bytes, mfx_str_of(steps[i].want));
        unit_assert_int(steps[i].label, got.is_new, steps[i].is_new);
        unit_assert_int(steps[i].label, got.until_ms > 0, steps[i].has_end);
    }
}

/* A counter and a value of one name are two; what is large is refused. */
static void
values_have_names_of_their_own(void **state)
{
    struct fixture *f = *state;
    static char large[MFX_STORE_VALUE_MAX + 2];
    memset(large, 'x', sizeof large - 1);
    struct mfx_store_window window = store_sliding(60000, 9);
    struct mfx_store_use use = store_use("c", &window, 4);
    struct mfx_store_value got;
    (void)ask(f, MFX_STORE_TAKE, "a", &use, 0);
    assert_int_equal(value(f, MFX_STORE_VALUE_GET, "c", "", 0, &got),
                     MFX_NOTFOUND);
    assert_int_equal(value(f, MFX_STORE_VALUE_PUT, "c", large, 0, &got),
                     MFX_PERMFAIL);
    large[MFX_STORE_VALUE_MAX] = '\0';
    assert_int_equal(value(f, MFX_STORE_VALUE_PUT, "c", large, 0, &got),
                     MFX_OK);
    assert_int_equal(value(f, MFX_STORE_VALUE_GET, "c", "", 0, &got), MFX_OK);
    assert_int_equal(got.bytes.len, MFX_STORE_VALUE_MAX);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &use, 0).level.used, 4);
}

/* --- bounds, health --- */

static void
memory_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct mfx_store_window window = store_sliding(3600000, 1000);
    struct mfx_store_health health;
    f->settings.memory_bytes = 256 * 1024;
    reopen(f);
    struct mfx_store_use kept = store_use("kept", &window, 3);
    (void)ask(f, MFX_STORE_RESERVE, "h", &kept, 99000);
    for (int i = 0; i < 3000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "many%d", i);
        struct mfx_store_use use = store_use(name, &window, 1);
        struct mfx_store_call *call = mfx_store_begin(
            f->store, MFX_STORE_TAKE, mfx_str_of("t"), &use, 1, 0);
        (void)mfx_event_wait(mfx_store_call_event(call), mfx_mono_ms() + 10000);
        assert_int_equal(mfx_store_call_end(call, NULL, NULL, NULL), MFX_OK);
        mfx_arena_reset(f->arena);
    }
    mfx_store_health(f->store, &health);
    assert_true(health.memory_bytes < 300 * 1024);
    assert_true(health.counters < 2000);
    assert_true(health.is_up);
    assert_int_equal(health.failures, 0);
    assert_int_equal(health.outstanding, 0);
    assert_string_equal(health.kind,
                        f->settings.path == NULL ? "memory" : "sqlite");
    /* what is held does not go, and what is in the file comes back */
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &kept, 0).level.reserved, 3);
    struct mfx_store_use first = store_use("many0", &window, 1);
    assert_int_equal(ask(f, MFX_STORE_CHECK, "", &first, 0).level.used,
                     f->settings.path == NULL ? 0 : 1);
}

/* Where memory is short, counters are packed: what they have counted and the
 * elements they have seen are the same afterwards, and many fit. */
static void
many_fit_into_memory(void **state)
{
    struct fixture *f = *state;
    enum {
        MANY = 2000
    };
    const struct mfx_store_window windows[] = {
        store_sliding(60000, 1000),
        store_sliding(3600000, 1000),
        store_sliding(86400000, 1000),
    };
    struct mfx_store_health health;
    f->settings.memory_bytes = MANY * 300;
    reopen(f);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < MANY; i++) {
            char name[40], other[16];
            (void)snprintf(name, sizeof name, "users/user%d@example.org", i);
            (void)snprintf(other, sizeof other, "other%d", round / 2);
            struct mfx_str element = mfx_str_of(other);
            struct mfx_store_use use = store_use(name, windows, 1);
            use.window_count = COUNT(windows);
            if (i % 10 == 0) {
                use.kind = MFX_STORE_DISTINCT;
                use.elements = &element;
                use.element_count = 1;
            }
            struct store_said said = ask(f, MFX_STORE_TAKE, "t", &use, 0);
            unit_assert_int(name, said.rc, MFX_OK);
            for (size_t w = 0; w < COUNT(windows); w++)
                unit_assert_int(name, said.answer.readings[0].levels[w].used,
                                i % 10 == 0 ? (uint64_t)round / 2 + 1
                                            : (uint64_t)round);
            mfx_arena_reset(f->arena);
        }
        store_clock_go(&f->clock, 1000);
    }
    mfx_store_health(f->store, &health);
    assert_true(health.memory_bytes <= MANY * 300);
    assert_true(health.counters > MANY * 9 / 10);
}

#define BOTH(test)                                             \
    {"file: " #test, test, set_up_file, tear_down, NULL},      \
    {                                                          \
        "memory: " #test, test, set_up_memory, tear_down, NULL \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(reserve_commit_release),
        BOTH(leases_end),
        BOTH(committed_for_ten_minutes),
        BOTH(soft_limit_is_told_once),
        BOTH(take_gives_back_what_it_held),
        BOTH(all_or_nothing),
        BOTH(several_windows),
        BOTH(distinct_elements),
        BOTH(first_elements),
        BOTH(elements_of_several_uses),
        BOTH(first_remembers_long),
        BOTH(open_counts_what_is_held),
        BOTH(another_kind_begins_anew),
        BOTH(merge_counts_at_its_time),
        BOTH(override_stands_beside),
        BOTH(wrong_uses),
        BOTH(calls_may_be_given_up),
        BOTH(lists_walk_in_order),
        BOTH(values_live_and_die),
        BOTH(values_have_names_of_their_own),
        BOTH(memory_is_bounded),
        {"file: many_fit_into_memory", many_fit_into_memory, set_up_file,
                             tear_down, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
