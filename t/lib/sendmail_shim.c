/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail_shim - what a private Sendmail needs of its machine (LD_PRELOAD)
 *
 * A test machine has no /dev/log, and Sendmail logs by syslog(3) alone: here
 * each line is appended to the file $MFX_SHIM_LOG. And a Sendmail whose host
 * name has no dot sleeps a minute at every start, before it has read its
 * configuration: gethostname(2) answers $MFX_SHIM_HOST.
 *
 * Both are read at load time, since Sendmail empties its environment early.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define SHIM_EXPORT __attribute__((visibility("default")))

static char log_path[4096];
static char host_name[256];

__attribute__((constructor)) static void
read_environment(void)
{
    const char *value = getenv("MFX_SHIM_LOG");
    if (value != NULL) {
        snprintf(log_path, sizeof(log_path), "%s", value);
    }
    value = getenv("MFX_SHIM_HOST");
    if (value != NULL) {
        snprintf(host_name, sizeof(host_name), "%s", value);
    }
}

static size_t
limit(int made, size_t size)
{
    if (made < 0) {
        return 0;
    }
    return (size_t)made < size ? (size_t)made : size - 1;
}

__attribute__((format(printf, 1, 0))) static void
append_line(const char *format, va_list arguments)
{
    char line[8192];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &parts);
    size_t used = strftime(line, sizeof(line), "%H:%M:%S", &parts);
    used +=
        limit(snprintf(line + used, sizeof(line) - used, ".%03ld sendmail[%d] ",
                       now.tv_nsec / 1000000, (int)getpid()),
              sizeof(line) - used);
    size_t room = sizeof(line) - used - 1;
    used += limit(vsnprintf(line + used, room, format, arguments), room);
    line[used++] = '\n';
    /* by name each time: its children run as other users */
    int file = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file >= 0) {
        ssize_t written = write(file, line, used);
        (void)written;
        close(file);
    }
}

SHIM_EXPORT void
vsyslog(int priority, const char *format, va_list arguments)
{
    (void)priority;
    append_line(format, arguments);
}

SHIM_EXPORT void
syslog(int priority, const char *format, ...)
{
    va_list arguments;
    (void)priority;
    va_start(arguments, format);
    append_line(format, arguments);
    va_end(arguments);
}

/* What a program compiled with _FORTIFY_SOURCE calls instead. */
void __syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void __vsyslog_chk(int priority, int flag, const char *format,
                   va_list arguments) __attribute__((format(printf, 3, 0)));
int __gethostname_chk(char *name, size_t size, size_t real_size);

SHIM_EXPORT void
__syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;
    (void)priority;
    (void)flag;
    va_start(arguments, format);
    append_line(format, arguments);
    va_end(arguments);
}

SHIM_EXPORT void
__vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
    (void)priority;
    (void)flag;
    append_line(format, arguments);
}

SHIM_EXPORT int
gethostname(char *name, size_t size)
{
    snprintf(name, size, "%s", host_name[0] != '\0' ? host_name : "localhost");
    return 0;
}

SHIM_EXPORT int
__gethostname_chk(char *name, size_t size, size_t real_size)
{
    (void)real_size;
    return gethostname(name, size);
}
