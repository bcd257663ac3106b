/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/rc.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mfx_err_set(struct mfx_err *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->msg, sizeof err->msg, format, args);
    va_end(args);
}

static void
append(struct mfx_err *err, const char *text)
{
    size_t used = strlen(err->msg);
    size_t len = strlen(text);
    if (len > sizeof err->msg - 1 - used)
        len = sizeof err->msg - 1 - used;
    memcpy(err->msg + used, text, len);
    err->msg[used + len] = '\0';
}

void
mfx_err_prefix(struct mfx_err *err, const char *format, ...)
{
    if (err == NULL)
        return;
    struct mfx_err old = *err;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->msg, sizeof err->msg, format, args);
    va_end(args);
    append(err, ": ");
    append(err, old.msg);
}

enum mfx_rc
mfx_rc_worst(enum mfx_rc a, enum mfx_rc b)
{
    return a > b ? a : b;
}

const char *
mfx_rc_name(enum mfx_rc rc)
{
    switch (rc) {
    case MFX_OK:
        return "ok";
    case MFX_NOTFOUND:
        return "not found";
    case MFX_TEMPFAIL:
        return "temporary failure";
    case MFX_PERMFAIL:
        return "permanent failure";
    }
    return "unknown";
}

void
mfx_bug(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "mfx: bug at %s:%d: %s\n", file, line, what);
    abort();
}
