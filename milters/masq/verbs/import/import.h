/* SPDX-License-Identifier: BSD-2-Clause
 *
 * import - another program's rewriting, said again as mfx-masq's
 *
 *     masq_import_init(&import, arena, out);
 *     rc = masq_mc_read(&import, "/etc/mail/sendmail.mc", ...);
 *     masq_mc_convert(&import);
 *     masq_import_write_config(&import, &buf);     masq.conf
 *     masq_import_write_main(&import, &buf);       what belongs into main.cf
 *
 * What was read is a list of items, one for each thing that is said there, with
 * its place. To convert is to give each item its fate; an item that nobody
 * gives one is reported as not understood, so that nothing goes silently.
 *
 * Ownership: all in the arena. Errors: those of reading, with err; everything
 * else is said in the items. Threads: one.
 * Limits: files of MASQ_IMPORT_FILE_MAX octets, MASQ_IMPORT_ITEMS items.
 */
#ifndef MASQ_IMPORT_H
#define MASQ_IMPORT_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/map.h>

enum {
    MASQ_IMPORT_FILE_MAX = 16 * 1024 * 1024,
    MASQ_IMPORT_ITEMS = 200000,
    MASQ_IMPORT_ARGS = 16,
    MASQ_IMPORT_PATH = 4096,
    MASQ_IMPORT_LONG = 16384, /* a list of so many octets has a file */
};

/* The later, the more there is to do. */
enum masq_import_fate {
    MASQ_IMPORT_OPEN, /* nobody has looked at it yet */
    MASQ_IMPORT_NOT_NEEDED,
    MASQ_IMPORT_DONE, /* text: where it went */
    MASQ_IMPORT_BY_HAND,
    MASQ_IMPORT_UNKNOWN,
};
/* "->", "not needed", "by hand", "not understood" */
const char *masq_import_fate_name(enum masq_import_fate fate);

struct masq_import_item {
    const char *file;
    unsigned line;
    struct mfx_str feature; /* as the report names it */
    int kind;               /* the reader's */
    struct mfx_str name;
    struct mfx_str args[MASQ_IMPORT_ARGS]; /* those beyond are cut off */
    size_t arg_count;
    enum masq_import_fate fate;
    struct mfx_str text;
    struct masq_import_item *next;
};

/* One setting of ours, or of main.cf. value: as it stands there. */
struct masq_import_setting {
    const char *name;
    struct mfx_str value, remark;
    struct masq_import_setting *next;
};

struct masq_import_settings {
    struct masq_import_setting *first, *last;
};

struct masq_import_rule {
    struct masq_import_settings settings;
    const char *remark;
    size_t number;
    struct masq_import_rule *next;
};

/* A table that is written beside masq.conf. */
struct masq_import_file {
    const char *name;
    struct mfx_buf text;
    size_t rows;
    struct masq_import_file *next;
};

struct masq_import {
    struct mfx_arena *arena;
    const char *out;   /* folder of files that are made; NULL: none */
    const char *title; /* of what program: "Sendmail" */
    struct masq_import_item *items, *last_item;
    size_t item_count;
    struct masq_import_settings settings, main_cf;
    struct masq_import_rule *rules, *last_rule;
    struct masq_import_file *files;
    struct masq_import_settings hints; /* for master.cf, remarks only */
    struct mfx_map *latest;            /* of masq_import_replace */
};

/* out: an absolute path, or NULL. */
void masq_import_init(struct masq_import *import, struct mfx_arena *arena,
                      const char *out, const char *title);

/* --- items --- */

/* NULL when there are too many, or no memory: the arena is failed then. */
struct masq_import_item *masq_import_add(struct masq_import *import,
                                         const char *file, unsigned line,
                                         struct mfx_str feature, int kind,
                                         struct mfx_str name);
void masq_import_add_arg(struct masq_import_item *item, struct mfx_str arg);
/* Of items with its kind and name it is the one that counts from here on. */
void masq_import_replace(struct masq_import *import,
                         struct masq_import_item *item);
/* The one that counts; NULL: none. */
struct masq_import_item *masq_import_latest(const struct masq_import *import,
                                            int kind, struct mfx_str name);
/* The n-th argument, trimmed; empty when it is not there. */
struct mfx_str masq_import_arg(const struct masq_import_item *item, size_t n);

/* Said twice, the worse fate stays and both texts. */
void masq_import_say(struct masq_import *import, struct masq_import_item *item,
                     enum masq_import_fate fate, const char *format, ...)
    MFX_PRINTF(4, 5);
/* "-> masq.conf rules[0].NAME" */
void masq_import_say_rule(struct masq_import *import,
                          struct masq_import_item *item,
                          const struct masq_import_rule *rule,
                          const char *name);
/* What is open becomes "not understood". True when all is done. */
bool masq_import_finish(struct masq_import *import);

/* --- what is written --- */

/* Settings: an assignment under a name that is there replaces nothing. */
void masq_import_set(struct masq_import *import,
                     struct masq_import_settings *settings, const char *name,
                     struct mfx_str value, const char *remark);
void masq_import_set_text(struct masq_import *import,
                          struct masq_import_settings *settings,
                          const char *name, struct mfx_str text,
                          const char *remark);
void masq_import_set_bool(struct masq_import *import,
                          struct masq_import_settings *settings,
                          const char *name, bool value, const char *remark);
/* main.cf: "NAME = VALUE"; what is there already stays, and the new item is
 * put behind it, unless it is one of its items. */
void masq_import_main(struct masq_import *import, const char *name,
                      struct mfx_str item, const char *remark);
void masq_import_main_printf(struct masq_import *import, const char *name,
                             const char *remark, const char *format, ...)
    MFX_PRINTF(4, 5);
struct masq_import_setting *
masq_import_find(const struct masq_import_settings *settings, const char *name);
struct masq_import_rule *masq_import_rule_new(struct masq_import *import,
                                              const char *kind,
                                              const char *name,
                                              const char *remark);
/* A file of the output folder, made when it is asked for first. NULL without
 * a folder. */
struct masq_import_file *masq_import_file(struct masq_import *import,
                                          const char *name, const char *remark);
/* "key<TAB>value" */
void masq_import_row(struct masq_import_file *file, struct mfx_str key,
                     struct mfx_str value);

/* "text", for libconfig; control characters become blanks. */
struct mfx_str masq_import_quoted(struct masq_import *import,
                                  struct mfx_str text);
/* One more of "a", "b". */
void masq_import_add_quoted(struct mfx_buf *list, struct mfx_str text);
/* The next of *rest, which is a part of words, that none before it is. */
bool masq_import_word(struct mfx_str words, struct mfx_str *rest,
                      struct mfx_str *word);
/* Too many words for masq.conf as DIR/NAME, one a line; *spec "file:...". False:
 * they are few, or there is no folder. */
bool masq_import_long_list(struct masq_import *import, struct mfx_str words,
                           const char *name, struct mfx_str *spec);
/* ["a", "b"] of words parted by commas or white space. */
struct mfx_str masq_import_list(struct masq_import *import,
                                struct mfx_str words);

/* --- write.c --- */

void masq_import_write_config(const struct masq_import *import,
                              struct mfx_buf *out);
void masq_import_write_main(const struct masq_import *import,
                            struct mfx_buf *out);

#endif
