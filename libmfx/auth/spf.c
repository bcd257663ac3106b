/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_engine.h>

enum {
    LOOKUPS_MAX = 10, /* RFC 7208 4.6.4: MUST */
    DEFAULT_VOIDS = 2,
    DEFAULT_TIME_MS = 8000,
    DEFAULT_EXPLANATION = 300,
};

/* --- names --- */

static const char *const results[MFX_SPF_RESULT_COUNT] = {
    [MFX_SPF_NONE] = "none",           [MFX_SPF_NEUTRAL] = "neutral",
    [MFX_SPF_PASS] = "pass",           [MFX_SPF_FAIL] = "fail",
    [MFX_SPF_SOFTFAIL] = "softfail",   [MFX_SPF_TEMPERROR] = "temperror",
    [MFX_SPF_PERMERROR] = "permerror",
};

const char *
mfx_spf_result_name(enum mfx_spf_result result)
{
    return results[result];
}

enum mfx_rc
mfx_spf_result_parse(struct mfx_str word, enum mfx_spf_result *result)
{
    for (int i = 0; i < MFX_SPF_RESULT_COUNT; i++)
        if (mfx_str_is_nocase(word, results[i])) {
            *result = (enum mfx_spf_result)i;
            return MFX_OK;
        }
    return MFX_PERMFAIL;
}

const char *
mfx_spf_identity_name(enum mfx_spf_identity identity)
{
    switch (identity) {
    case MFX_SPF_HELO:
        return "helo";
    case MFX_SPF_MAIL_FROM:
        return "mailfrom";
    }
    return "unknown";
}

/* --- engines --- */

const char *
mfx_spf_engine_name(enum mfx_spf_engine engine)
{
    switch (engine) {
    case MFX_SPF_ENGINE_MFX:
        return "mfx";
    case MFX_SPF_ENGINE_LIBSPF2:
        return "libspf2";
    }
    return "unknown";
}

static const struct mfx_spf_engine_ops *
ops_of(enum mfx_spf_engine engine)
{
    switch (engine) {
    case MFX_SPF_ENGINE_MFX:
        return mfx_spf_engine_own();
    case MFX_SPF_ENGINE_LIBSPF2:
        return mfx_spf_engine_libspf2();
    }
    return NULL;
}

bool
mfx_spf_engine_is_built(enum mfx_spf_engine engine)
{
    return ops_of(engine) != NULL;
}

struct mfx_spf_config
mfx_spf_config_default(void)
{
    return (struct mfx_spf_config){
        .engine = MFX_SPF_ENGINE_MFX,
        .max_lookups = LOOKUPS_MAX,
        .max_voids = DEFAULT_VOIDS,
        .time_ms = DEFAULT_TIME_MS,
        .lookahead = true,
        .max_explanation = DEFAULT_EXPLANATION,
        .wants_trace = false,
    };
}

/* --- checks --- */

/* An engine that is not there is replaced by ours: whoever let it be set has
 * been told by mfx_spf_engine_is_built. */
struct mfx_spf_check *
mfx_spf_begin(struct mfx_arena *arena, const struct mfx_env *env,
              const struct mfx_spf_config *config,
              const struct mfx_spf_request *request)
{
    const struct mfx_spf_engine_ops *ops = ops_of(config->engine);
    struct mfx_spf_config own = *config;
    if (own.max_lookups > LOOKUPS_MAX)
        own.max_lookups = LOOKUPS_MAX;
    if (ops == NULL)
        ops = mfx_spf_engine_own();
    return ops->begin(arena, env, &own, request);
}

size_t
mfx_spf_events(struct mfx_spf_check *check, struct mfx_event **events,
               size_t max)
{
    return check->engine->events(check, events, max);
}

struct mfx_event *
mfx_spf_pending(struct mfx_spf_check *check)
{
    struct mfx_event *event;
    return check->engine->events(check, &event, 1) == 0 ? NULL : event;
}

uint64_t
mfx_spf_deadline_ms(const struct mfx_spf_check *check)
{
    return check->engine->deadline_ms(check);
}

const struct mfx_spf_outcome *
mfx_spf_finish(struct mfx_spf_check *check)
{
    return check->engine->finish(check);
}
