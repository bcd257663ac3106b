/* SPDX-License-Identifier: BSD-2-Clause */
#include "selector.h"

#include <time.h>

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

enum {
    SELECTOR_MAX = 200, /* a name with a domain behind it is 253 octets */
};

static bool
add_time(char letter, const struct tm *t, struct mfx_buf *out)
{
    switch (letter) {
    case 'Y':
        mfx_buf_printf(out, "%04d", t->tm_year + 1900);
        return true;
    case 'y':
        mfx_buf_printf(out, "%02d", t->tm_year % 100);
        return true;
    case 'm':
        mfx_buf_printf(out, "%02d", t->tm_mon + 1);
        return true;
    case 'd':
        mfx_buf_printf(out, "%02d", t->tm_mday);
        return true;
    case 'H':
        mfx_buf_printf(out, "%02d", t->tm_hour);
        return true;
    default:
        return false;
    }
}

static enum mfx_rc
expand(struct mfx_str pattern, uint64_t wall_s, struct mfx_buf *out,
       struct mfx_err *err)
{
    struct tm t;
    time_t now = (time_t)wall_s;
    if (gmtime_r(&now, &t) == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.p[i] != '%') {
            mfx_buf_add_byte(out, pattern.p[i]);
            continue;
        }
        char letter = i + 1 < pattern.len ? pattern.p[++i] : '\0';
        if (add_time(letter, &t, out))
            continue;
        mfx_err_set(err, "%.*s: only %%Y, %%y, %%m, %%d and %%H mean something",
                    MFX_STR_ARG(pattern));
        return MFX_PERMFAIL;
    }
    if (mfx_buf_ok(out) && mfx_domain_is_valid(mfx_buf_str(out), false))
        return MFX_OK;
    mfx_err_set(err, "%.*s makes no selector", MFX_STR_ARG(pattern));
    return MFX_PERMFAIL;
}

enum mfx_rc
dkim_selector_make(struct mfx_str pattern, uint64_t wall_s,
                   bool (*is_taken)(struct mfx_str selector, void *arg),
                   void *arg, struct mfx_arena *arena, struct mfx_str *selector,
                   struct mfx_err *err)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, SELECTOR_MAX);
    enum mfx_rc rc = expand(pattern, wall_s, &out, err);
    if (rc != MFX_OK)
        return rc;
    struct mfx_str name = mfx_arena_copy(arena, mfx_buf_str(&out)), base = name;
    bool may_append = mfx_str_has(pattern, '%');
    for (char letter = 'b'; name.p != NULL && is_taken(name, arg); letter++) {
        if (!may_append || letter > 'z') {
            mfx_err_set(err, "selector %.*s is taken", MFX_STR_ARG(name));
            return MFX_NOTFOUND;
        }
        name = mfx_arena_printf(arena, "%.*s%c", MFX_STR_ARG(base), letter);
    }
    *selector = name;
    return name.p == NULL ? MFX_TEMPFAIL : MFX_OK;
}
