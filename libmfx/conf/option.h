/* SPDX-License-Identifier: BSD-2-Clause
 *
 * option - settings, each declared once
 *
 * One row of a table names a setting, its type, its place in a settings
 * struct, its default (as written in a file), its range and its help. From
 * that table come parsing, checks, unknown-name hints, the dump (-T) and the
 * man page.
 *
 *     struct dkim_settings { bool sign; uint64_t ttl_s; ... };
 *     const struct mfx_option dkim_options[] = {
 *         MFX_OPTION_BOOL("sign.enable", struct dkim_settings, sign, "true",
 *                         0, "Sign mail that is ours."),
 *         MFX_OPTION_END,
 *     };
 *
 * Names may be dotted: "sign.enable" is enable in the group sign: { }.
 *
 * A setting may be a list of groups, each of which fills one struct of an
 * array by a table of its own:
 *
 *     rules = ( { name = "daily"; limits = "500/1d"; }, { ... } );
 *
 *     struct rule { struct mfx_str name, limits; };
 *     struct quota_settings { struct mfx_option_groups rules; };
 *     MFX_OPTION_GROUPS("rules", struct quota_settings, rules, rule_options,
 *                       sizeof(struct rule), 0, 1000, 0, "The rules."),
 *
 * What a group does not say is its default; the list comes whole from one
 * file; no file, no groups. Places are called "rules[0].limits" and
 * "rules[0]" (mfx_config_where), the settings in the manual rules[].limits.
 *
 * Ownership: strings, lists and tables live in the arena / table set of the
 * load. Errors: all mistakes go to problems; MFX_PERMFAIL when there was one.
 * Threads: tables are const; one load is one thread.
 * Limits: libconfig's holes are closed as design says: a name given twice, an
 * include that is no regular file or deeper than 10, integers beyond 32 bits
 * and octal-looking integers are errors with file and line. A group of a list
 * holds plain settings: no dotted names and no list of groups. RESTART stands
 * on the list's own row, SECRET on rows of its groups.
 */
#ifndef MFX_CONF_OPTION_H
#define MFX_CONF_OPTION_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/decimal.h>
#include <mfx/base/str.h>
#include <mfx/conf/problem.h>
#include <mfx/conf/table.h>

MFX_API_BEGIN

enum mfx_option_type {
    MFX_OPTION_TYPE_BOOL,    /* bool: true, false */
    MFX_OPTION_TYPE_INT,     /* int64_t: 10 */
    MFX_OPTION_TYPE_SECONDS, /* uint64_t: "30s", "5m", "1h", "1d", "1w", "0" */
    MFX_OPTION_TYPE_MILLISECONDS, /* uint64_t: "500ms", "2s", "1m", "0" */
    MFX_OPTION_TYPE_DECIMAL, /* int64_t, thousandths: 7.5, -2, "7.125"; "none"
                                where MFX_OPTION_NONE allows it */
    MFX_OPTION_TYPE_BYTES,   /* uint64_t: "4096", "64K", "10M", "1G" (1024s) */
    MFX_OPTION_TYPE_STRING,  /* struct mfx_str (NUL-terminated too) */
    MFX_OPTION_TYPE_PATH,    /* const char *; absolute; NULL for "" */
    MFX_OPTION_TYPE_MODE,    /* unsigned: "0660" */
    MFX_OPTION_TYPE_ENUM,    /* int: one of the words */
    MFX_OPTION_TYPE_LIST,    /* struct mfx_option_list: ["a", "b"] or "a" */
    MFX_OPTION_TYPE_TABLE,   /* struct mfx_table *: "refile:/path"; NULL "" */
    MFX_OPTION_TYPE_TABLES, /* struct mfx_option_tables: several of these, asked
                               one after the other: ["file:/a", "lmdb:/b"];
                               "file:/a" is one */
    MFX_OPTION_TYPE_GROUPS, /* struct mfx_option_groups: ( { a = 1; }, { } ) */
};

struct mfx_option_list {
    const struct mfx_str *items;
    size_t count;
};

struct mfx_option_tables {
    struct mfx_table **items;
    size_t count;
};

/* items: an array of count structs, as the row's group_options fill them. */
struct mfx_option_groups {
    void *items;
    size_t count;
};

struct mfx_option_word {
    const char *word;
    int value;
};

enum {
    MFX_OPTION_RESTART = 1,    /* a change needs a restart: warned at reload */
    MFX_OPTION_SECRET = 2,     /* masked in the dump */
    MFX_OPTION_CASE = 4,       /* TABLE(S): keys keep their letter case */
    MFX_OPTION_NONE = 16,      /* DECIMAL: may be "none" */
    MFX_OPTION_DEPRECATED = 8, /* help is "-> new.name"; warns */
};

struct mfx_option {
    const char *name;
    enum mfx_option_type type;
    size_t offset;
    const char *preset; /* the default, as one would write it; lists: "a, b" */
    int64_t min,
        max; /* INT, SECONDS, BYTES; DECIMAL: thousandths; GROUPS: how many, or none */
    const struct mfx_option_word *words; /* ENUM; ended by a NULL word */
    unsigned flags;
    const char *help; /* whole sentences; the first is a summary */
    const struct mfx_option *group_options; /* GROUPS */
    size_t group_size;                      /* of one of its structs */
};

/* offsetof, and a compile error when the field has not the type. */
#define MFX_OPTION_FIELD(s, f, T) _Generic(&((s *)0)->f, T * : offsetof(s, f))
#define MFX_OPTION_BOOL(n, s, f, preset, flags, help)                        \
    {                                                                        \
        n, MFX_OPTION_TYPE_BOOL, MFX_OPTION_FIELD(s, f, bool), preset, 0, 0, \
            NULL, flags, help, NULL, 0                                       \
    }
#define MFX_OPTION_INT(n, s, f, preset, min, max, flags, help)                \
    {                                                                         \
        n, MFX_OPTION_TYPE_INT, MFX_OPTION_FIELD(s, f, int64_t), preset, min, \
            max, NULL, flags, help, NULL, 0                                   \
    }
#define MFX_OPTION_SECONDS(n, s, f, preset, min, max, flags, help)            \
    {                                                                         \
        n, MFX_OPTION_TYPE_SECONDS, MFX_OPTION_FIELD(s, f, uint64_t), preset, \
            min, max, NULL, flags, help, NULL, 0                              \
    }
#define MFX_OPTION_MILLISECONDS(n, s, f, preset, min, max, flags, help)    \
    {                                                                      \
        n, MFX_OPTION_TYPE_MILLISECONDS, MFX_OPTION_FIELD(s, f, uint64_t), \
            preset, min, max, NULL, flags, help, NULL, 0                   \
    }
#define MFX_OPTION_DECIMAL(n, s, f, preset, min, max, flags, help)           \
    {                                                                        \
        n, MFX_OPTION_TYPE_DECIMAL, MFX_OPTION_FIELD(s, f, int64_t), preset, \
            min, max, NULL, flags, help, NULL, 0                             \
    }
#define MFX_OPTION_BYTES(n, s, f, preset, min, max, flags, help)            \
    {                                                                       \
        n, MFX_OPTION_TYPE_BYTES, MFX_OPTION_FIELD(s, f, uint64_t), preset, \
            min, max, NULL, flags, help, NULL, 0                            \
    }
#define MFX_OPTION_STRING(n, s, f, preset, flags, help)                    \
    {                                                                      \
        n, MFX_OPTION_TYPE_STRING, MFX_OPTION_FIELD(s, f, struct mfx_str), \
            preset, 0, 0, NULL, flags, help, NULL, 0                       \
    }
#define MFX_OPTION_PATH(n, s, f, preset, flags, help)                          \
    {                                                                          \
        n, MFX_OPTION_TYPE_PATH, MFX_OPTION_FIELD(s, f, const char *), preset, \
            0, 0, NULL, flags, help, NULL, 0                                   \
    }
#define MFX_OPTION_MODE(n, s, f, preset, flags, help)                         \
    {                                                                         \
        n, MFX_OPTION_TYPE_MODE, MFX_OPTION_FIELD(s, f, unsigned), preset, 0, \
            0, NULL, flags, help, NULL, 0                                     \
    }
#define MFX_OPTION_ENUM(n, s, f, preset, words, flags, help)                \
    {                                                                       \
        n, MFX_OPTION_TYPE_ENUM, MFX_OPTION_FIELD(s, f, int), preset, 0, 0, \
            words, flags, help, NULL, 0                                     \
    }
#define MFX_OPTION_LIST(n, s, f, preset, flags, help)                     \
    {                                                                     \
        n, MFX_OPTION_TYPE_LIST,                                          \
            MFX_OPTION_FIELD(s, f, struct mfx_option_list), preset, 0, 0, \
            NULL, flags, help, NULL, 0                                    \
    }
#define MFX_OPTION_TABLE(n, s, f, preset, flags, help)                        \
    {                                                                         \
        n, MFX_OPTION_TYPE_TABLE, MFX_OPTION_FIELD(s, f, struct mfx_table *), \
            preset, 0, 0, NULL, flags, help, NULL, 0                          \
    }
#define MFX_OPTION_TABLES(n, s, f, flags, help)                               \
    {                                                                         \
        n, MFX_OPTION_TYPE_TABLES,                                            \
            MFX_OPTION_FIELD(s, f, struct mfx_option_tables), "", 0, 0, NULL, \
            flags, help, NULL, 0                                              \
    }
#define MFX_OPTION_GROUPS(n, s, f, group_options, group_size, min, max, flags, \
                          help)                                                \
    {                                                                          \
        n, MFX_OPTION_TYPE_GROUPS,                                             \
            MFX_OPTION_FIELD(s, f, struct mfx_option_groups), "", min, max,    \
            NULL, flags, help, group_options, group_size                       \
    }
#define MFX_OPTION_END                                                    \
    {                                                                     \
        NULL, MFX_OPTION_TYPE_BOOL, 0, NULL, 0, 0, NULL, 0, NULL, NULL, 0 \
    }

/* One table and the struct it fills (zeroed by the caller). A load takes
 * several: the settings all daemons share, and the daemon's own. */
struct mfx_option_set {
    const struct mfx_option *options;
    void *settings;
};

/* A loaded configuration file pair; keeps what dump needs. */
struct mfx_config;

/* file: the daemon's own; a name in it that no option set knows is an error.
 * common (may be NULL, need not exist): a second file, in which an option is
 * looked up when the own file does not give it, one option at a time: a group
 * may be partly in each. Names in it that no option set knows may belong to
 * another daemon and are no error; one that looks like a misspelled option in
 * the same group is a warning. Values there are checked when they are used.
 * file NULL: defaults alone, nothing is read.
 *
 * A relative @include is relative to the folder of the file that says it.
 * A string where a list is wanted is cut at its commas; a list of strings
 * where a table is wanted is a csl: table.
 *
 * MFX_TEMPFAIL: nothing is wrong with what is written, but something could
 * not be read. *config is set also when the load fails (NULL only when out of
 * memory), so that its files can be watched. */
enum mfx_rc mfx_config_load(const char *file, const char *common,
                            const struct mfx_option_set *sets, size_t set_count,
                            struct mfx_arena *arena,
                            struct mfx_table_set *tables,
                            struct mfx_problems *problems,
                            struct mfx_config **config) MFX_NODISCARD;
/* Files that were read or wanted, includes too; for watching. */
const char *const *mfx_config_files(const struct mfx_config *config,
                                    size_t *count);
/* Where an option was set: file and line, or NULL when no file gives it.
 * For problems that a daemon's policy finds in a value. In a list of groups
 * "rules[1]" is where the second one opens. */
const char *mfx_config_where(const struct mfx_config *config, const char *name,
                             unsigned *line);

/* All settings in force as a loadable file; those at their default are
 * marked by a comment; changed_only leaves them out. Loading the dump and
 * dumping again gives the same bytes. */
void mfx_config_dump(const struct mfx_config *config,
                     const struct mfx_option_set *sets, size_t set_count,
                     bool changed_only, struct mfx_buf *out);

/* The settings section of the man page (mdoc .It entries) from the table. */
void mfx_option_man(const struct mfx_option *options, struct mfx_buf *out);
/* A commented example file with every setting at its default, each of them
 * commented out, groups as groups. Tables that are printed one after the
 * other must not share a group. */
void mfx_option_example(const struct mfx_option *options, struct mfx_buf *out);

/* True when the option has the same value in both settings structs; for the
 * warning that a change needs a restart. */
bool mfx_option_is_same(const struct mfx_option *option, const void *settings,
                        const void *other);
/* True when it has its default, be it said in a file or not: a dump says it
 * all, and must not be warned of. */
bool mfx_option_is_default(const struct mfx_option *option,
                           const void *settings);

/* Values alone, as the file reader takes them; for -s and tests. */
enum mfx_rc mfx_option_parse_seconds(struct mfx_str text,
                                     uint64_t *out) MFX_NODISCARD;
enum mfx_rc mfx_option_parse_milliseconds(struct mfx_str text,
                                          uint64_t *out) MFX_NODISCARD;
enum mfx_rc mfx_option_parse_bytes(struct mfx_str text,
                                   uint64_t *out) MFX_NODISCARD;

MFX_API_END

#endif
