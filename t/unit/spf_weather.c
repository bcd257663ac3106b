/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "spf_weather.h"

static struct mfx_dns_question *
weather_ask(struct mfx_resolver *resolver, struct mfx_str name,
            enum mfx_dns_type type)
{
    struct weather *w = (struct weather *)resolver;
    struct mfx_dns_question *inner = mfx_dns_ask(w->zone, name, type);
    assert_non_null(inner);
    assert_in_range(name.len, 1, 253);
    w->asked++;
    if (w->order == WEATHER_AT_ONCE)
        return inner;
    assert_in_range(w->open_count, 0, WEATHER_QUESTIONS - 1);
    struct mfx_dns_question *outer = mfx_dns_question_new();
    assert_non_null(outer);
    w->open[w->open_count].inner = inner;
    w->open[w->open_count++].outer = outer;
    return outer;
}

static uint64_t
weather_clock(const struct mfx_env *env)
{
    return ((const struct weather *)env->arg)->now_ms;
}

static uint64_t
wall_clock(const struct mfx_env *env)
{
    (void)env;
    return 1700000000;
}

void
weather_init(struct weather *w, struct mfx_str zone)
{
    struct mfx_err err = {0};
    *w = (struct weather){.now_ms = 1000, .order = WEATHER_AT_ONCE, .seed = 1};
    if (mfx_resolver_static_new(zone, &w->zone, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    w->resolver.ask = weather_ask;
    w->env = mfx_env_system();
    w->env.mono_ms = weather_clock;
    w->env.wall_s = wall_clock;
    w->env.resolver = &w->resolver;
    w->env.arg = w;
}

static void
release(void *question)
{
    mfx_dns_question_release(question);
}

static void
give(struct weather *w, size_t i)
{
    struct mfx_dns_question *inner = w->open[i].inner;
    struct mfx_dns_question *outer = w->open[i].outer;
    w->open_count--;
    for (; i < w->open_count; i++)
        w->open[i] = w->open[i + 1];
    mfx_dns_question_set(outer, mfx_dns_question_answer(inner), release, inner);
}

uint64_t
weather_random(struct weather *w, uint64_t below)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (w->seed >> 33) % below;
}

bool
weather_answer(struct weather *w)
{
    size_t i = 0;
    if (w->open_count == 0)
        return false;
    if (w->order == WEATHER_LAST)
        i = w->open_count - 1;
    if (w->order == WEATHER_RANDOM)
        i = (size_t)weather_random(w, w->open_count);
    w->rounds++;
    for (size_t n = w->order == WEATHER_ROUNDS ? w->open_count : 1; n > 0; n--)
        give(w, i);
    return true;
}

void
weather_fini(struct weather *w)
{
    while (w->open_count > 0)
        give(w, 0);
    mfx_resolver_free(w->zone);
}

const struct mfx_spf_outcome *
weather_run(struct weather *w, struct mfx_arena *arena,
            const struct mfx_spf_config *config,
            const struct mfx_spf_request *request)
{
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    struct mfx_spf_check *check =
        mfx_spf_begin(arena, &w->env, config, request);
    assert_non_null(check);
    while ((count = mfx_spf_events(check, events, MFX_EVENT_ANY_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            assert_false(mfx_event_is_set(events[i]));
        assert_true(weather_answer(w));
    }
    const struct mfx_spf_outcome *outcome = mfx_spf_finish(check);
    assert_ptr_equal(mfx_spf_finish(check), outcome);
    assert_null(mfx_spf_pending(check));
    return outcome;
}
