/* SPDX-License-Identifier: BSD-2-Clause
 *
 * m4 - enough of m4 to read the source of a sendmail.cf
 *
 * Quotes, dnl, define, undefine, ifdef, ifelse, divert, include, changequote,
 * defn, shift, len, index, incr and macros of the file itself do what
 * m4(1) does. A name in capitals with "(" right behind it that is not defined
 * is a call for the sink; so are definitions. Commands are never run: what else
 * m4 knows (syscmd, esyscmd, eval, ...) is a call for the sink, too.
 *
 *     struct masq_m4_sink sink = {.call = call, .text = text, .arg = me};
 *     rc = masq_m4_read("/etc/mail/sendmail.mc", &sink, arena, &err);
 *
 * Text is handed over line by line, unless it is diverted to nowhere.
 * Ownership: what is handed over lives in the arena. Errors: MFX_NOTFOUND and
 * MFX_PERMFAIL for the file; MFX_PERMFAIL for a quote or a call that is not
 * closed and for macros without end, with file and line. Threads: one.
 * Limits: MASQ_M4_STEPS characters in all, MASQ_M4_DEPTH calls in each other.
 */
#ifndef MASQ_IMPORT_M4_H
#define MASQ_IMPORT_M4_H

#include <mfx/base/arena.h>

enum {
    MASQ_M4_STEPS = 50 * 1000 * 1000,
    MASQ_M4_DEPTH = 100,
    MASQ_M4_ARGS = 16, /* those beyond are one, with their commas */
    MASQ_M4_INCLUDES = 10,
};

struct masq_m4_call {
    const char *file;
    unsigned line;
    struct mfx_str name;
    struct mfx_str args[MASQ_M4_ARGS];
    size_t count;
    bool has_args;    /* "NAME(" */
    bool is_diverted; /* to nowhere: were it text, nobody would see it */
};

struct masq_m4_sink {
    /* A call; "define" for definitions, "include" for a file that could not be
     * read. */
    void (*call)(void *arg, const struct masq_m4_call *call);
    void (*text)(void *arg, const char *file, unsigned line,
                 struct mfx_str text);
    /* True for names that are calls without "(" as well, such as
     * LOCAL_CONFIG; they end a diversion to nowhere. */
    bool (*is_word)(struct mfx_str name);
    void *arg;
    const char *cf_dir; /* what include looks at beside the file's folder */
    const char *(*known)[2]; /* macros that are there at first: name and text;
                                ended by a NULL name */
};

enum mfx_rc masq_m4_read(const char *path, const struct masq_m4_sink *sink,
                         struct mfx_arena *arena,
                         struct mfx_err *err) MFX_NODISCARD;

#endif
