/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rc - the one result type of mfx
 *
 * Whatever asks something (DNS, table, file, store, parser) answers with an
 * enum mfx_rc, so that "nothing there" and "could not find out" can never be
 * mistaken for each other. A local starts as MFX_TEMPFAIL: a forgotten path
 * defers mail, it does not lose or pass it.
 *
 *     struct mfx_err err = {0};
 *     enum mfx_rc rc = mfx_table_get(table, key, arena, &value, &err);
 *
 * Errors: text for people goes into struct mfx_err, passed last; it may be
 * NULL. The text never decides anything.
 * Ownership: the caller's storage. Threads: values, no sharing.
 */
#ifndef MFX_BASE_RC_H
#define MFX_BASE_RC_H

#if defined(__cplusplus)
#    define MFX_API_BEGIN                                  \
        _Pragma("GCC visibility push(default)") extern "C" \
        {
#    define MFX_API_END \
        }               \
        _Pragma("GCC visibility pop")
#else
#    define MFX_API_BEGIN _Pragma("GCC visibility push(default)")
#    define MFX_API_END   _Pragma("GCC visibility pop")
#endif

#define MFX_NODISCARD    __attribute__((warn_unused_result))
#define MFX_PRINTF(f, a) __attribute__((format(printf, f, a)))

MFX_API_BEGIN

enum mfx_rc {
    MFX_OK = 0,   /* have an answer */
    MFX_NOTFOUND, /* asked, and with authority there is nothing */
    MFX_TEMPFAIL, /* could not find out; later may differ */
    MFX_PERMFAIL, /* answer or input is broken; retrying will not help */
};

/* Text for people, cut at the end of msg; always NUL-terminated. */
struct mfx_err {
    char msg[300];
};

/* Writes the text; does nothing when err is NULL. */
void mfx_err_set(struct mfx_err *err, const char *format, ...) MFX_PRINTF(2, 3);

/* Writes "context: " before the text that is there. */
void mfx_err_prefix(struct mfx_err *err, const char *format, ...)
    MFX_PRINTF(2, 3);

/* Combines the results of several questions that are all needed.
 * Precedence: PERMFAIL, TEMPFAIL, NOTFOUND, OK. */
enum mfx_rc mfx_rc_worst(enum mfx_rc a, enum mfx_rc b);

/* "ok", "not found", "temporary failure", "permanent failure". */
const char *mfx_rc_name(enum mfx_rc rc);

/* A programming error: logs where and ends the process. Never reachable from
 * input. */
#define MFX_BUG(what) mfx_bug(__FILE__, __LINE__, (what))
void mfx_bug(const char *file, int line, const char *what)
    __attribute__((noreturn));

MFX_API_END

#endif
