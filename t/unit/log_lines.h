/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_lines - what was logged, for tests that want to read it
 *
 *     static struct log_lines lines = {.mutex = PTHREAD_MUTEX_INITIALIZER};
 *     mfx_log_redirect(log_lines_take, &lines);
 */
#ifndef MFX_T_LOG_LINES_H
#define MFX_T_LOG_LINES_H

#include <pthread.h>
#include <string.h>

#include <mfx/base/log.h>

/* Lines of the log since the last look: how many hold both texts. */
struct log_lines {
    pthread_mutex_t mutex;
    size_t len;
    char text[64 * 1024];
};

static inline void
log_lines_take(enum mfx_log_level level, struct mfx_str line, void *arg)
{
    struct log_lines *log = arg;
    (void)level;
    (void)pthread_mutex_lock(&log->mutex);
    if (log->len + line.len + 2 < sizeof log->text) {
        memcpy(log->text + log->len, line.p, line.len);
        log->len += line.len;
        log->text[log->len++] = '\n';
        log->text[log->len] = '\0';
    }
    (void)pthread_mutex_unlock(&log->mutex);
}

static inline size_t
log_lines_count(struct log_lines *log, const char *event, const char *part)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&log->mutex);
    struct mfx_str rest = mfx_str(log->text, log->len), line;
    while (mfx_str_cut(&rest, '\n', &line))
        count += mfx_str_starts(line, mfx_str_of(event)) &&
                 memmem(line.p, line.len, part, strlen(part)) != NULL;
    (void)pthread_mutex_unlock(&log->mutex);
    return count;
}

static inline void
log_lines_clear(struct log_lines *log)
{
    (void)pthread_mutex_lock(&log->mutex);
    log->len = 0;
    log->text[0] = '\0';
    (void)pthread_mutex_unlock(&log->mutex);
}

#endif
