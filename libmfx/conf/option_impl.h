/* SPDX-License-Identifier: BSD-2-Clause
 *
 * option_impl - what the files of the settings share (not installed)
 *
 * source.c turns a file and its includes into one text and knows where every
 * name stands; config.c lets libconfig read that text and finds each option's
 * value; option_value.c checks a value, stores it and writes it again;
 * option_print.c writes dump, manual and example; nearest.c has the hints.
 */
#ifndef MFX_CONF_OPTION_IMPL_H
#define MFX_CONF_OPTION_IMPL_H

#include <mfx/base/map.h>
#include <mfx/conf/option.h>

/* Where a name was given. */
struct mfx_place {
    const char *file;
    unsigned line;
    bool is_bad; /* its value was found wrong while reading */
};

/* One configuration file, includes and all. */
struct mfx_source {
    struct mfx_arena *arena;
    struct mfx_problems *problems;
    struct mfx_buf text;     /* for libconfig; NUL-terminated when read */
    struct mfx_buf map;      /* struct mfx_place for each line of text */
    struct mfx_map *places;  /* full name -> struct mfx_place */
    struct mfx_buf files;    /* const char * of each file, also missing ones */
    bool is_broken;          /* not fit for libconfig */
    bool is_stopped;         /* no use to read on */
    struct mfx_outline *now; /* while reading */
};

/* Reads path; MFX_NOTFOUND when it is not there (and not_there_is_fine), else
 * mistakes are in problems and MFX_PERMFAIL or MFX_TEMPFAIL comes back. */
enum mfx_rc mfx_source_read(struct mfx_source *source, const char *path,
                            bool not_there_is_fine, struct mfx_arena *arena,
                            struct mfx_problems *problems) MFX_NODISCARD;
/* The place of a line of the text (counted from 1). */
struct mfx_place mfx_source_line(const struct mfx_source *source,
                                 unsigned line);
struct mfx_place *mfx_source_find(const struct mfx_source *source,
                                  struct mfx_str name);

/* outline.c: follows the grammar while a file is read. Each token comes with
 * its place: a name or boolean, a string, a number (its kind: n whole, f with
 * a fraction, NUL when it is no number), any other character. */
struct mfx_outline *mfx_outline_new(struct mfx_source *source);
void mfx_outline_at(struct mfx_outline *outline, const char *file,
                    unsigned line);
void mfx_outline_name(struct mfx_outline *outline, struct mfx_str name);
void mfx_outline_string(struct mfx_outline *outline);
void mfx_outline_number(struct mfx_outline *outline, struct mfx_str text,
                        char kind);
void mfx_outline_mark(struct mfx_outline *outline, char mark);
/* The value of the last name is wrong, and that has been said. */
void mfx_outline_spoil(struct mfx_outline *outline);
void mfx_outline_end(struct mfx_outline *outline);

/* A value as it stands in a file or as a default. */
enum mfx_value_kind {
    MFX_VALUE_BOOL,
    MFX_VALUE_INT,
    MFX_VALUE_FRACTION,
    MFX_VALUE_TEXT,
    MFX_VALUE_LIST,
    MFX_VALUE_OTHER, /* words says what it is */
};

struct mfx_value {
    enum mfx_value_kind kind;
    bool is_true;
    int64_t number;
    double fraction;
    struct mfx_str text; /* NUL-terminated, in the load's arena */
    struct mfx_option_list list;
    const char *words;
};

struct mfx_value_context {
    const struct mfx_option *option;
    struct mfx_str prefix; /* "rules[0]." within a list of groups */
    const char *file;
    unsigned line;
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_problems *problems;
};

/* Checks the value and stores it in *field; of groups only that there are
 * none (an empty list). */
enum mfx_rc mfx_value_store(const struct mfx_value_context *context,
                            const struct mfx_value *value,
                            void *field) MFX_NODISCARD;
/* The default as a value; false when it does not fit the type. */
bool mfx_value_preset(const struct mfx_option *option, struct mfx_arena *arena,
                      struct mfx_value *value);
/* What stands at *field, as one writes it in a file. */
void mfx_value_format(const struct mfx_option *option, const void *field,
                      struct mfx_buf *out);
/* The default in the same form. */
void mfx_value_format_preset(const struct mfx_option *option,
                             struct mfx_buf *out);
/* A number of the option's type: "30s", "10M", "5". */
void mfx_value_format_number(const struct mfx_option *option, uint64_t number,
                             struct mfx_buf *out);
bool mfx_value_has_range(const struct mfx_option *option);

/* Typing mistakes between two names (insertion, deletion, exchange,
 * transposition). */
size_t mfx_nearest_distance(struct mfx_str a, struct mfx_str b);
/* True when that is few enough for a hint. */
bool mfx_nearest_is_near(struct mfx_str wrong, size_t distance);

#endif
