/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_clock - a Redis whose clock a test moves (LD_PRELOAD)
 *
 * The time is what the file $MFX_REDIS_CLOCK holds: milliseconds since 1970,
 * eight octets in this machine's order. Without such a file it is the real one.
 * Timers of the server go by another clock, which goes on.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const atomic_uint_fast64_t *clock_ms;

__attribute__((constructor)) static void
open_clock(void)
{
    const char *path = getenv("MFX_REDIS_CLOCK");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *clock_ms, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        clock_ms = mapped;
    (void)close(fd);
}

static uint64_t
now_us(void)
{
    struct timespec real;
    if (clock_ms != NULL)
        return atomic_load(clock_ms) * 1000;
    (void)clock_gettime(CLOCK_REALTIME, &real);
    return (uint64_t)real.tv_sec * 1000000 + (uint64_t)real.tv_nsec / 1000;
}

__attribute__((visibility("default"))) int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    uint64_t us = now_us();
    (void)zone;
    now->tv_sec = (time_t)(us / 1000000);
    now->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

__attribute__((visibility("default"))) time_t
time(time_t *now)
{
    time_t s = (time_t)(now_us() / 1000000);
    if (now != NULL)
        *now = s;
    return s;
}
