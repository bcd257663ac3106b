/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mc - a Sendmail's configuration as items, and what becomes of them
 *
 * The m4 source (.mc) and the sendmail.cf made from it become the same items,
 * but for a few things that a .cf no longer says (arguments of some features,
 * rulesets of the site's own).
 *
 * Ownership, errors: import.h. Threads: one.
 */
#ifndef MASQ_IMPORT_MC_H
#define MASQ_IMPORT_MC_H

#include "import.h"

enum masq_mc_kind {
    MASQ_MC_CLASS,      /* name "M"; args[0]: words */
    MASQ_MC_CLASS_FILE, /* args[0]: "-o /path %[^\#]" */
    MASQ_MC_MACRO,      /* name "M", args[0]: value */
    MASQ_MC_FEATURE,    /* args: those behind the name */
    MASQ_MC_OPTION,     /* name "MaxMessageSize", args[0] */
    MASQ_MC_MAP,        /* name "generics", args[0]: "hash -o /path" */
    MASQ_MC_FILTER,     /* name, args[0]: equates */
    MASQ_MC_CALL,       /* any other macro of an .mc */
    MASQ_MC_LINE,       /* any other line of a .cf; name: the line */
};

struct masq_mc {
    struct masq_import *import;
    bool is_cf;
    const char *cf_dir;     /* folder of domain/NAME.m4 */
    struct mfx_str ruleset; /* of a .cf, that is being read */
    struct masq_import_item *last_feature, *rulesets, *own_rules;
};

/* --- mc_source.c, mc_cf.c --- */

enum mfx_rc masq_mc_read_source(struct masq_mc *s, const char *path,
                                struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc masq_mc_read_cf(struct masq_mc *s, const char *path,
                            struct mfx_err *err) MFX_NODISCARD;
/* One line of a sendmail.cf, which an .mc may hold, too. */
void masq_mc_line(struct masq_mc *s, const char *file, unsigned line,
                  struct mfx_str text);

/* --- mc_convert.c --- */

void masq_mc_convert(struct masq_mc *s);

/* What is in a class: words and files. */
struct masq_mc_class {
    struct mfx_str words; /* parted by blanks */
    const char *files[8];
    size_t file_count;
};
void masq_mc_class(const struct masq_mc *s, const char *name,
                   struct masq_mc_class *class);
/* Of "-o /path %[^\#]" the path; *is_optional. Empty: it is none. */
struct mfx_str masq_mc_class_path(struct mfx_str spec, bool *is_optional);
/* The item of that kind and name that is in force, NULL: none. */
struct masq_import_item *masq_mc_find(const struct masq_mc *s,
                                      enum masq_mc_kind kind, const char *name);
bool masq_mc_has_feature(const struct masq_mc *s, const char *name);

/* --- mc_options.c: options of the daemon --- */

/* "MaxMessageSize" for confMAX_MESSAGE_SIZE; NULL: no such. */
const char *masq_mc_option_name(struct mfx_str conf);
void masq_mc_take_option(struct masq_mc *s, struct masq_import_item *item);
/* The n-th name of an option and of its macro, NULL at the end. */
const char *masq_mc_option_at(size_t n, const char **conf);

/* --- mc_features.c --- */

bool masq_mc_knows_feature(struct mfx_str name);
/* Of a FEATURE that is a switch of our rule its setting, else NULL. */
const char *masq_mc_feature_switch(struct mfx_str name);
void masq_mc_take_feature(struct masq_mc *s, struct masq_import_item *item);
/* Any other macro of Sendmail's m4 files. */
bool masq_mc_knows_call(struct mfx_str name);
void masq_mc_take_call(struct masq_mc *s, struct masq_import_item *item);
void masq_mc_take_line(struct masq_mc *s, struct masq_import_item *item);

/* --- mc_mail.c: ports, filters, relays --- */

void masq_mc_take_filter(struct masq_mc *s, struct masq_import_item *item);
/* DaemonPortOptions, ClientPortOptions */
void masq_mc_take_daemon(struct masq_mc *s, struct masq_import_item *item);
void masq_mc_take_client(struct masq_mc *s, struct masq_import_item *item);
void masq_mc_take_macro(struct masq_mc *s, struct masq_import_item *item);

/* --- mc_tables.c: maps, and the tables of Postfix they become --- */

void masq_mc_take_map(struct masq_mc *s, struct masq_import_item *item);
/* The source of a map as a lookup table of ours. False: it cannot be one, and
 * that has been said. */
bool masq_mc_map_table(struct masq_mc *s, struct masq_import_item *item,
                       struct mfx_str *spec);
/* A file of rows, or of a class; false: it cannot be read. */
bool masq_mc_read_rows(struct masq_mc *s, const char *path,
                       struct mfx_str *text);
/* Next row; false at the end. */
bool masq_mc_row(struct mfx_str *text, struct mfx_str *key,
                 struct mfx_str *value);
/* "192.0.2", "IPv6:2001:db8", "192.0.2.1": as mynetworks has it. False: it is
 * a name. */
bool masq_mc_network(struct masq_mc *s, struct mfx_str word,
                     struct mfx_str *network);

/* --- mc_rows.c, mc_access.c: row by row --- */

struct masq_mc_rows {
    struct masq_mc *s;
    struct masq_import_item *item; /* of the map */
    struct mfx_str text;
    size_t left; /* rows to be done by hand */
    struct mfx_str first_left;
};

void masq_mc_mailertable(struct masq_mc_rows *rows);
void masq_mc_virtusertable(struct masq_mc_rows *rows);
void masq_mc_domaintable(struct masq_mc_rows *rows);
void masq_mc_access(struct masq_mc_rows *rows);
/* A row that has no counterpart. */
void masq_mc_leave_row(struct masq_mc_rows *rows, struct mfx_str key);

#endif
