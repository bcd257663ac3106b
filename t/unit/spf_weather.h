/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_weather - a zone behind a resolver that counts, and that gives its
 * answers when and in the order that the test says; a clock of the test's
 */
#ifndef MFX_T_SPF_WEATHER_H
#define MFX_T_SPF_WEATHER_H

#include <mfx/auth/spf.h>

enum {
    WEATHER_QUESTIONS = 1000,
};

enum weather_order {
    WEATHER_AT_ONCE,
    WEATHER_FIRST,  /* the oldest question is answered first */
    WEATHER_LAST,   /* the newest */
    WEATHER_RANDOM, /* any, from the seed */
    WEATHER_ROUNDS, /* all that are out: a round trip */
};

struct weather {
    struct mfx_resolver resolver; /* first */
    struct mfx_resolver *zone;
    struct mfx_env env;
    uint64_t now_ms;
    enum weather_order order;
    uint64_t seed;
    size_t asked, rounds; /* of answers */
    size_t open_count;
    struct {
        struct mfx_dns_question *outer, *inner;
    } open[WEATHER_QUESTIONS];
};

void weather_init(struct weather *w, struct mfx_str zone);
void weather_fini(struct weather *w);
/* Of a generator of its own, so that a run can be had again. */
uint64_t weather_random(struct weather *w, uint64_t below);
/* Gives one answer (or a round of them); false when none is out. */
bool weather_answer(struct weather *w);
/* A check from begin to finish; each time it waits, one answer is given. */
const struct mfx_spf_outcome *
weather_run(struct weather *w, struct mfx_arena *arena,
            const struct mfx_spf_config *config,
            const struct mfx_spf_request *request);

#endif
