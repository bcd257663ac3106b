/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/env.h>

#include <sys/random.h>
#include <time.h>

static uint64_t
system_wall_s(const struct mfx_env *env)
{
    (void)env;
    return (uint64_t)time(NULL);
}

uint64_t
mfx_mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t
system_mono_ms(const struct mfx_env *env)
{
    (void)env;
    return mfx_mono_ms();
}

static void
system_random(const struct mfx_env *env, void *out, size_t len)
{
    (void)env;
    unsigned char *p = out;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n <= 0)
            continue;
        p += n;
        len -= (size_t)n;
    }
}

struct mfx_env
mfx_env_system(void)
{
    return (struct mfx_env){
        .wall_s = system_wall_s,
        .mono_ms = system_mono_ms,
        .random = system_random,
    };
}
