/* SPDX-License-Identifier: BSD-2-Clause
 *
 * env - clock, random and resolver, replaceable
 *
 * Code that needs the time, randomness or DNS takes a const struct mfx_env *;
 * a test passes one with a fixed clock and a resolver of its own.
 *
 * Ownership: the caller's; must outlive all who hold it.
 * Errors: the functions of mfx_env_system() do not fail. Threads: all
 * functions are called from any thread.
 */
#ifndef MFX_BASE_ENV_H
#define MFX_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include <mfx/base/rc.h>

MFX_API_BEGIN

struct mfx_resolver; /* <mfx/net/resolver.h> */

struct mfx_env {
    /* Seconds since 1970, UTC. */
    uint64_t (*wall_s)(const struct mfx_env *env);
    /* Milliseconds of a clock that never goes back. */
    uint64_t (*mono_ms)(const struct mfx_env *env);
    void (*random)(const struct mfx_env *env, void *out, size_t len);
    struct mfx_resolver *resolver; /* NULL: nothing may be asked */
    void *arg;                     /* for the functions of a test */
};

/* System clocks and getrandom(2); no resolver. */
struct mfx_env mfx_env_system(void);

/* CLOCK_MONOTONIC in milliseconds, the clock of mfx_event_wait. */
uint64_t mfx_mono_ms(void);

MFX_API_END

#endif
