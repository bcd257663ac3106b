/* SPDX-License-Identifier: BSD-2-Clause
 *
 * opendkim - an OpenDKIM configuration, read and said again as mfx-dkim's
 *
 *     dkim_import_init(&import, arena);
 *     rc = dkim_import_read_conf(&import, "/etc/opendkim.conf");
 *     dkim_import_read_words(&import, ...);      the command line
 *     dkim_import_convert(&import);
 *     dkim_import_write(&import, &buf);          dkim.conf
 *
 * For each setting that is set there is one line in the report, saying what
 * became of it; a setting that decides which mail is signed, refused or trusted
 * and has no counterpart sets has_losses. What OpenDKIM does by default and
 * mfx-dkim does not is written too, so that behaviour stays.
 *
 * Ownership: all in the arena. Errors: MFX_NOTFOUND, MFX_PERMFAIL for a file
 * that is not there or not readable as one, with err. Threads: one.
 * Limits: 1 MiB a file, five levels of Include as OpenDKIM has.
 */
#ifndef DKIM_IMPORT_OPENDKIM_H
#define DKIM_IMPORT_OPENDKIM_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>

enum dkim_import_fate {
    DKIM_IMPORT_KEPT,
    DKIM_IMPORT_AUTOMATIC,
    DKIM_IMPORT_DROPPED,
    DKIM_IMPORT_NOT_CARRIED, /* and nothing is lost by it but comfort */
    DKIM_IMPORT_LOST,        /* not carried, and mail is treated otherwise */
    DKIM_IMPORT_UNKNOWN,     /* not a setting of OpenDKIM */
};
/* "kept", "automatic", "dropped", "not carried", ... */
const char *dkim_import_fate_name(enum dkim_import_fate fate);

/* A setting as it stands there; the last of a name is in force. */
struct dkim_import_given {
    const char *file;
    unsigned line;
    struct mfx_str name, value;
    bool is_used;
    struct dkim_import_given *next;
};

/* One line of the report. */
struct dkim_import_line {
    const struct dkim_import_given *given; /* NULL: of the whole */
    enum dkim_import_fate fate;
    bool is_warning; /* beside the fate: something to look at */
    struct mfx_str text;
    struct dkim_import_line *next;
};

/* One setting of ours. */
struct dkim_import_setting {
    const char *name;     /* "sign.multiple" */
    struct mfx_str value; /* as libconfig text */
    struct mfx_str remark;
    struct dkim_import_setting *next;
};

struct dkim_import {
    struct mfx_arena *arena;
    const char *out;       /* folder for files that are made; NULL: none */
    const char *dump_with; /* command that prints a data set; NULL: none */
    struct dkim_import_given *given, *last_given;
    struct dkim_import_line *lines, *last_line;
    struct dkim_import_setting *settings, *last_setting;
    struct mfx_str root, base; /* ChangeRootDirectory, BaseDirectory */
    bool has_losses;
};

void dkim_import_init(struct dkim_import *import, struct mfx_arena *arena);

/* --- opendkim_read.c --- */

enum mfx_rc dkim_import_read_conf(struct dkim_import *import, const char *path,
                                  struct mfx_err *err) MFX_NODISCARD;
/* A shell file with DAEMON_OPTS= and SOCKET= (Debian's default/opendkim), or a
 * systemd unit with ExecStart=. Options override the configuration. */
enum mfx_rc dkim_import_read_options(struct dkim_import *import,
                                     const char *path,
                                     struct mfx_err *err) MFX_NODISCARD;
/* The one in force, marked as used; NULL: not set. */
struct dkim_import_given *dkim_import_find(struct dkim_import *import,
                                           const char *name);

/* --- opendkim_names.c --- */

void dkim_import_convert(struct dkim_import *import);
/* Every setting OpenDKIM knows, one after the other from 0; NULL at the end. */
const char *dkim_import_known_name(size_t index);
/* Every setting of ours that may be written; NULL at the end. */
const char *dkim_import_target_name(size_t index);

/* --- opendkim_take.c: what taking a value needs --- */

void dkim_import_say(struct dkim_import *import,
                     const struct dkim_import_given *given,
                     enum dkim_import_fate fate, const char *format, ...)
    MFX_PRINTF(4, 5);
void dkim_import_warn(struct dkim_import *import,
                      const struct dkim_import_given *given, const char *format,
                      ...) MFX_PRINTF(3, 4);
/* value: libconfig text; remark may be NULL. The first assignment stays. */
void dkim_import_set(struct dkim_import *import, const char *name,
                     struct mfx_str value, const char *remark);
void dkim_import_set_text(struct dkim_import *import, const char *name,
                          struct mfx_str text, const char *remark);
void dkim_import_set_bool(struct dkim_import *import, const char *name,
                          bool value, const char *remark);
/* OpenDKIM looks at the first letter. */
bool dkim_import_is_yes(const struct dkim_import_given *given);
/* The path as it is for who stands outside of OpenDKIM's directories. */
struct mfx_str dkim_import_path(struct dkim_import *import,
                                struct mfx_str path);
/* A data set as a lookup table of ours; false: it cannot be one, and that has
 * been said. */
bool dkim_import_dataset(struct dkim_import *import,
                         const struct dkim_import_given *given,
                         struct mfx_str *spec);
/* ["a", "b"] of a csl. */
struct mfx_str dkim_import_list(struct dkim_import *import,
                                struct mfx_str text);

/* --- opendkim_write.c --- */

/* dkim.conf, with a comment for each setting. */
void dkim_import_write(const struct dkim_import *import, struct mfx_buf *out);

#endif
