/* SPDX-License-Identifier: BSD-2-Clause */
#include "opendkim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DUMP_MAX = 64 * 1024 * 1024,
};

static const char *const fates[] = {
    "kept", "automatic", "dropped", "not carried", "not carried", "unknown",
};

const char *
dkim_import_fate_name(enum dkim_import_fate fate)
{
    return fates[fate];
}

__attribute__((format(printf, 5, 0))) static void
add_line(struct dkim_import *import, const struct dkim_import_given *given,
         enum dkim_import_fate fate, bool is_warning, const char *format,
         va_list args)
{
    struct dkim_import_line *l = mfx_arena_alloc(import->arena, sizeof *l);
    if (l == NULL)
        return;
    *l = (struct dkim_import_line){
        .given = given, .fate = fate, .is_warning = is_warning};
    l->text = mfx_arena_vprintf(import->arena, format, args);
    if (import->last_line == NULL)
        import->lines = l;
    else
        import->last_line->next = l;
    import->last_line = l;
}

void
dkim_import_say(struct dkim_import *import,
                const struct dkim_import_given *given,
                enum dkim_import_fate fate, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(import, given, fate, false, format, args);
    va_end(args);
    if (fate == DKIM_IMPORT_LOST || fate == DKIM_IMPORT_UNKNOWN)
        import->has_losses = true;
}

void
dkim_import_warn(struct dkim_import *import,
                 const struct dkim_import_given *given, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(import, given, DKIM_IMPORT_KEPT, true, format, args);
    va_end(args);
}

/* --- settings of ours --- */

void
dkim_import_set(struct dkim_import *import, const char *name,
                struct mfx_str value, const char *remark)
{
    struct dkim_import_setting *s = import->settings;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    if (s != NULL)
        return;
    s = mfx_arena_alloc(import->arena, sizeof *s);
    if (s == NULL)
        return;
    *s = (struct dkim_import_setting){.name = name,
                                      .value = value,
                                      .remark =
                                          mfx_str_of(remark ? remark : "")};
    if (import->last_setting == NULL)
        import->settings = s;
    else
        import->last_setting->next = s;
    import->last_setting = s;
}

static void
add_quoted(struct mfx_buf *out, struct mfx_str text)
{
    mfx_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            mfx_buf_add_byte(out, '\\');
        mfx_buf_add_byte(out, text.p[i]);
    }
    mfx_buf_add_byte(out, '"');
}

void
dkim_import_set_text(struct dkim_import *import, const char *name,
                     struct mfx_str text, const char *remark)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, import->arena, 2 * text.len + 3);
    add_quoted(&out, text);
    dkim_import_set(import, name, mfx_buf_str(&out), remark);
}

void
dkim_import_set_bool(struct dkim_import *import, const char *name, bool value,
                     const char *remark)
{
    dkim_import_set(import, name, mfx_str_of(value ? "true" : "false"), remark);
}

struct mfx_str
dkim_import_list(struct dkim_import *import, struct mfx_str text)
{
    struct mfx_buf out;
    struct mfx_str item;
    const char *between = "";
    mfx_buf_init_arena(&out, import->arena, 4 * text.len + 16);
    mfx_buf_add_byte(&out, '[');
    if (mfx_str_starts(text, mfx_str_of("csl:")))
        text = mfx_str_from(text, 4);
    while (mfx_str_word(&text, ", \t", &item)) {
        mfx_buf_add_text(&out, between);
        add_quoted(&out, item);
        between = ", ";
    }
    mfx_buf_add_byte(&out, ']');
    return mfx_buf_str(&out);
}

bool
dkim_import_is_yes(const struct dkim_import_given *given)
{
    return given != NULL && given->value.len > 0 &&
           strchr("yYtT1", given->value.p[0]) != NULL;
}

/* --- paths and data sets --- */

struct mfx_str
dkim_import_path(struct dkim_import *import, struct mfx_str path)
{
    struct mfx_str root = import->root;
    if (mfx_str_starts(path, mfx_str_of("/")))
        return root.len == 0
                   ? path
                   : mfx_arena_printf(import->arena, "%.*s%.*s",
                                      MFX_STR_ARG(root), MFX_STR_ARG(path));
    if (root.len == 0 && import->base.len == 0)
        return path;
    return mfx_arena_printf(import->arena, "%.*s%.*s/%.*s", MFX_STR_ARG(root),
                            MFX_STR_ARG(import->base), MFX_STR_ARG(path));
}

/* Runs the command for rows "key value"; the data set is in the environment.
 * False: said already. */
static bool
dump(struct dkim_import *import, const struct dkim_import_given *given,
     struct mfx_str *spec)
{
    const char *set = mfx_arena_copy(import->arena, given->value).p;
    struct mfx_str path = mfx_arena_printf(
        import->arena, "%s/%.*s.table", import->out, MFX_STR_ARG(given->name));
    const char *name = mfx_arena_copy(import->arena, given->name).p;
    if (set == NULL || path.p == NULL || name == NULL)
        return false;
    (void)setenv("DATASET", set, 1);
    (void)setenv("SETTING", name, 1);
    FILE *file = fopen(path.p, "we");
    FILE *command = file == NULL ? NULL : popen(import->dump_with, "re");
    char bytes[4096];
    size_t n, total = 0;
    while (command != NULL && total < DUMP_MAX &&
           (n = fread(bytes, 1, sizeof bytes, command)) > 0)
        total += fwrite(bytes, 1, n, file);
    bool is_good = command != NULL && pclose(command) == 0 && total > 0;
    is_good = file != NULL && fclose(file) == 0 && is_good;
    if (!is_good) {
        dkim_import_say(import, given, DKIM_IMPORT_LOST,
                        "the command of --dump-with printed no rows for %s",
                        set);
        return false;
    }
    *spec = mfx_arena_printf(import->arena, "file:%.*s", MFX_STR_ARG(path));
    dkim_import_warn(import, given,
                     "%s was written to %s: a copy, to be made again when "
                     "the data set changes",
                     set, path.p);
    return true;
}

static bool
cannot_use(struct dkim_import *import, const struct dkim_import_given *given,
           struct mfx_str *spec)
{
    if (import->dump_with != NULL && import->out != NULL)
        return dump(import, given, spec);
    dkim_import_say(import, given, DKIM_IMPORT_LOST,
                    "mfx reads no data set of this kind: give --out DIR and "
                    "--dump-with COMMAND, which prints a row \"key value\" "
                    "each of the data set named in $DATASET");
    return false;
}

bool
dkim_import_dataset(struct dkim_import *import,
                    const struct dkim_import_given *given, struct mfx_str *spec)
{
    static const char *const paths[] = {"file:", "refile:", "lmdb:", "mdb:"};
    struct mfx_str value = given->value;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct mfx_str prefix = mfx_str_of(paths[i]);
        if (!mfx_str_starts_nocase(value, prefix))
            continue;
        struct mfx_str path =
            dkim_import_path(import, mfx_str_from(value, prefix.len));
        *spec = mfx_arena_printf(import->arena, "%s%.*s", paths[i],
                                 MFX_STR_ARG(path));
        return true;
    }
    *spec = value;
    if (mfx_str_starts_nocase(value, mfx_str_of("csl:")) ||
        mfx_str_starts_nocase(value, mfx_str_of("dsn:sqlite")))
        return true;
    size_t colon = mfx_str_find(value, ':');
    static const char *const others[] = {
        "db",  "dsn",      "ldap",   "ldaps",  "ldapi",
        "lua", "memcache", "socket", "repute", "erlang"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (colon < value.len &&
            mfx_str_is_nocase(mfx_str_head(value, colon), others[i]))
            return cannot_use(import, given, spec);
    if (mfx_str_ends_nocase(value, mfx_str_of(".db")))
        return cannot_use(import, given, spec);
    if (mfx_str_starts(value, mfx_str_of("/")) ||
        mfx_str_starts(value, mfx_str_of("./")))
        *spec = mfx_arena_printf(import->arena, "file:%.*s",
                                 MFX_STR_ARG(dkim_import_path(import, value)));
    else
        *spec = mfx_arena_printf(import->arena, "csl:%.*s", MFX_STR_ARG(value));
    return true;
}
