/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_weather - a local store that is asked with the patience of a milter,
 * for tests of bad weather
 */
#ifndef MFX_T_UNIT_STORE_WEATHER_H
#define MFX_T_UNIT_STORE_WEATHER_H

#include <sys/types.h>

#include "log_lines.h"
#include "store_bench.h"

enum {
    WEATHER_WAIT_MS = 15000,
    WEATHER_HOUR_MS = 3600000, /* the window of what is asked */
};

struct weather {
    char dir[64], path[128];
    struct store_clock clock;
    struct mfx_env env;
    struct mfx_store_local_settings settings; /* for weather_open */
    struct mfx_store *store;
    struct mfx_arena *arena;
};

/* main redirects the log to it; empty at the begin of each test. */
extern struct log_lines weather_lines;

int weather_set_up(void **state);
int weather_tear_down(void **state);
void weather_open(struct weather *f);
void weather_close(struct weather *f);
void weather_sleep_ms(long ms);

/* Fails when the answer is later than a milter waits. TAKE counts one. */
enum mfx_rc weather_ask(struct mfx_store *store, enum mfx_store_op op,
                        const char *counter, uint64_t *used,
                        struct mfx_err *err);
enum mfx_rc weather_take(struct weather *f, const char *counter,
                         struct mfx_err *err);
void weather_take_times(struct weather *f, const char *counter, unsigned times);
uint64_t weather_used(struct weather *f, const char *counter);

void weather_want_part(const char *label, const char *text, const char *part);
/* Down, and each that asks hears why; so do health and the log. */
void weather_want_down(const char *label, struct mfx_store *store,
                       const char *part);
void weather_want_up(const char *label, struct weather *f);

/* Garbage, in whole blocks; and a file of text. */
void weather_write_at(const char *path, off_t at, off_t len);
void weather_make_text(const char *path);
off_t weather_size_of(const char *path);

#endif
