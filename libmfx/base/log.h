/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log - one line per event
 *
 *     struct mfx_log_line line;
 *     mfx_log_begin(&line, queue_id, "signed");
 *     mfx_log_add(&line, "domain", domain);
 *     mfx_log_add_u64(&line, "ms", ms);
 *     mfx_log_end(&line, MFX_LOG_INFO);
 *
 * gives "4Bx9k2: signed domain=example.org ms=3". Values that hold a space, a
 * quote, '=' or nothing are quoted, control and non-ASCII bytes are written
 * as \xNN, long values are cut (with "..."). Never a key, never a body.
 *
 * Ownership: the line is the caller's storage. Errors: logging never fails
 * visibly. Threads: any; a line belongs to one thread.
 * Limits: a line holds MFX_LOG_LINE_MAX bytes, a value MFX_LOG_VALUE_MAX.
 */
#ifndef MFX_BASE_LOG_H
#define MFX_BASE_LOG_H

#include <mfx/base/str.h>

MFX_API_BEGIN

enum mfx_log_level {
    MFX_LOG_ERROR,   /* the operator must act */
    MFX_LOG_WARNING, /* degraded */
    MFX_LOG_INFO,    /* one line a message, and life cycle */
    MFX_LOG_DEBUG,
};

enum mfx_log_target {
    MFX_LOG_STDERR, /* the start, until mfx_log_open */
    MFX_LOG_SYSLOG,
};

enum {
    MFX_LOG_LINE_MAX = 2000,
    MFX_LOG_VALUE_MAX = 400,
};

/* ident (a literal) stands before every line; facility as in syslog(3)
 * (LOG_MAIL). Where /dev/log is missing, syslog falls back to stderr. */
void mfx_log_open(enum mfx_log_target target, const char *ident, int facility);
void mfx_log_set_level(enum mfx_log_level level);
enum mfx_log_level mfx_log_get_level(void);
/* MFX_NOTFOUND for a name that is no level. */
enum mfx_rc mfx_log_level_parse(struct mfx_str name,
                                enum mfx_log_level *level) MFX_NODISCARD;
const char *mfx_log_level_name(enum mfx_log_level level);

/* True when a line of this level would be written. */
bool mfx_log_wants(enum mfx_log_level level);

/* A test takes lines here instead of stderr or syslog; NULL ends that. */
void mfx_log_redirect(void (*take)(enum mfx_log_level level,
                                   struct mfx_str line, void *arg),
                      void *arg);

struct mfx_log_line {
    size_t len;
    bool is_full; /* ends with "...", takes no more */
    char text[MFX_LOG_LINE_MAX];
};

/* queue_id: may be empty, then "NOQUEUE" is written. */
void mfx_log_begin(struct mfx_log_line *line, struct mfx_str queue_id,
                   const char *event);
/* For what concerns no message: no queue id. */
void mfx_log_begin_daemon(struct mfx_log_line *line, const char *event);
void mfx_log_add(struct mfx_log_line *line, const char *key,
                 struct mfx_str value);
void mfx_log_add_text(struct mfx_log_line *line, const char *key,
                      const char *value);
void mfx_log_add_u64(struct mfx_log_line *line, const char *key,
                     uint64_t value);
void mfx_log_add_format(struct mfx_log_line *line, const char *key,
                        const char *format, ...) MFX_PRINTF(3, 4);
void mfx_log_end(struct mfx_log_line *line, enum mfx_log_level level);

/* One daemon line with one text: mfx_log_say(MFX_LOG_WARNING, "reload_failed",
 * "why", err.msg). */
void mfx_log_say(enum mfx_log_level level, const char *event, const char *key,
                 const char *value);

MFX_API_END

#endif
