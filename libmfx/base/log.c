/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/log.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

/* The only mutable state of the library besides the daemon's own: where lines
 * go is a property of the process. */
static struct {
    pthread_mutex_t mutex;
    _Atomic enum mfx_log_level level;
    _Atomic enum mfx_log_target target;
    const char *ident;
    atomic_bool is_redirected;
    void (*take)(enum mfx_log_level, struct mfx_str, void *);
    void *take_arg;
} log_state = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .level = MFX_LOG_INFO,
    .target = MFX_LOG_STDERR,
    .ident = "mfx",
};

static const char *const level_names[] = {
    [MFX_LOG_ERROR] = "error",
    [MFX_LOG_WARNING] = "warning",
    [MFX_LOG_INFO] = "info",
    [MFX_LOG_DEBUG] = "debug",
};

void
mfx_log_open(enum mfx_log_target target, const char *ident, int facility)
{
    if (target == MFX_LOG_SYSLOG && access("/dev/log", W_OK) != 0)
        target = MFX_LOG_STDERR;
    log_state.ident = ident;
    if (target == MFX_LOG_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, facility);
    atomic_store(&log_state.target, target);
}

void
mfx_log_set_level(enum mfx_log_level level)
{
    atomic_store(&log_state.level, level);
}

enum mfx_log_level
mfx_log_get_level(void)
{
    return atomic_load(&log_state.level);
}

enum mfx_rc
mfx_log_level_parse(struct mfx_str name, enum mfx_log_level *level)
{
    for (int i = MFX_LOG_ERROR; i <= MFX_LOG_DEBUG; i++) {
        if (mfx_str_is(name, level_names[i])) {
            *level = (enum mfx_log_level)i;
            return MFX_OK;
        }
    }
    return MFX_NOTFOUND;
}

const char *
mfx_log_level_name(enum mfx_log_level level)
{
    return level_names[level];
}

bool
mfx_log_wants(enum mfx_log_level level)
{
    return level <=
           atomic_load_explicit(&log_state.level, memory_order_relaxed);
}

void
mfx_log_redirect(void (*take)(enum mfx_log_level, struct mfx_str, void *),
                 void *arg)
{
    (void)pthread_mutex_lock(&log_state.mutex);
    log_state.take = take;
    log_state.take_arg = arg;
    atomic_store(&log_state.is_redirected, take != NULL);
    (void)pthread_mutex_unlock(&log_state.mutex);
}

/* All of it, or "..." and the end of the line. */
static void
put_whole(struct mfx_log_line *line, const char *p, size_t len)
{
    if (line->is_full)
        return;
    if (len > sizeof line->text - sizeof "..." - line->len) {
        line->is_full = true;
        p = "...";
        len = 3;
    }
    memcpy(line->text + line->len, p, len);
    line->len += len;
}

static void
put(struct mfx_log_line *line, const char *p, size_t len)
{
    size_t room = sizeof line->text - sizeof "..." - line->len;
    if (len <= room) {
        put_whole(line, p, len);
    } else if (!line->is_full) {
        put_whole(line, p, room);
        put_whole(line, p, len);
    }
}

static void
put_text(struct mfx_log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool
is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
}

static void
put_escaped(struct mfx_log_line *line, struct mfx_str value)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == '"' || c == '\\') {
            put_whole(line, (char[]){'\\', (char)c}, 2);
        } else if (c < ' ' || c >= 0x7F) {
            put_whole(line, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
        } else {
            put_whole(line, (char[]){(char)c}, 1);
        }
    }
}

void
mfx_log_begin(struct mfx_log_line *line, struct mfx_str queue_id,
              const char *event)
{
    line->len = 0;
    line->is_full = false;
    if (queue_id.len == 0)
        put_text(line, "NOQUEUE");
    else
        put_escaped(line, mfx_str_head(queue_id, 64));
    put_text(line, ": ");
    put_text(line, event);
}

void
mfx_log_begin_daemon(struct mfx_log_line *line, const char *event)
{
    line->len = 0;
    line->is_full = false;
    put_text(line, event);
}

void
mfx_log_add(struct mfx_log_line *line, const char *key, struct mfx_str value)
{
    bool is_cut = value.len > MFX_LOG_VALUE_MAX;
    bool needs_quotes = value.len == 0;
    value = mfx_str_head(value, MFX_LOG_VALUE_MAX);
    for (size_t i = 0; i < value.len && !needs_quotes; i++)
        needs_quotes = !is_plain((unsigned char)value.p[i]);
    put_text(line, " ");
    put_text(line, key);
    put_text(line, needs_quotes ? "=\"" : "=");
    if (needs_quotes)
        put_escaped(line, value);
    else
        put(line, value.p, value.len);
    if (is_cut)
        put_text(line, "...");
    if (needs_quotes)
        put_text(line, "\"");
}

void
mfx_log_add_text(struct mfx_log_line *line, const char *key, const char *value)
{
    mfx_log_add(line, key, mfx_str_of(value));
}

void
mfx_log_add_u64(struct mfx_log_line *line, const char *key, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put_text(line, " ");
    put_text(line, key);
    put_text(line, "=");
    put(line, digits + at, sizeof digits - at);
}

void
mfx_log_add_format(struct mfx_log_line *line, const char *key,
                   const char *format, ...)
{
    char text[MFX_LOG_VALUE_MAX + 2];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= 0)
        mfx_log_add_text(line, key, text);
}

/* False when the redirection has ended meanwhile. */
static bool
redirect(const struct mfx_log_line *line, enum mfx_log_level level)
{
    (void)pthread_mutex_lock(&log_state.mutex);
    void (*take)(enum mfx_log_level, struct mfx_str, void *) = log_state.take;
    if (take != NULL)
        take(level, mfx_str(line->text, line->len), log_state.take_arg);
    (void)pthread_mutex_unlock(&log_state.mutex);
    return take != NULL;
}

void
mfx_log_end(struct mfx_log_line *line, enum mfx_log_level level)
{
    static const int priorities[] = {
        [MFX_LOG_ERROR] = LOG_ERR,
        [MFX_LOG_WARNING] = LOG_WARNING,
        [MFX_LOG_INFO] = LOG_INFO,
        [MFX_LOG_DEBUG] = LOG_DEBUG,
    };
    if (!mfx_log_wants(level))
        return;
    if (atomic_load(&log_state.is_redirected) && redirect(line, level))
        return;
    if (atomic_load(&log_state.target) == MFX_LOG_SYSLOG) {
        syslog(priorities[level], "%.*s", (int)line->len, line->text);
        return;
    }
    char out[MFX_LOG_LINE_MAX + 64];
    const char *mark = level <= MFX_LOG_WARNING ? level_names[level] : "";
    int len = snprintf(out, sizeof out, "%s: %s%s%.*s\n", log_state.ident, mark,
                       mark[0] == '\0' ? "" : ": ", (int)line->len, line->text);
    size_t size = len < 0 ? 0 : (size_t)len;
    if (size >= sizeof out) {
        size = sizeof out - 1;
        out[size - 1] = '\n';
    }
    /* one write, so that lines of several threads do not mix */
    if (size > 0 && write(STDERR_FILENO, out, size) < 0)
        return;
}

void
mfx_log_say(enum mfx_log_level level, const char *event, const char *key,
            const char *value)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, event);
    mfx_log_add_text(&line, key, value);
    mfx_log_end(&line, level);
}
