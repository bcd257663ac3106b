/* SPDX-License-Identifier: BSD-2-Clause */
#include "opendkim.h"

#include <mfx/base/file.h>

enum {
    FILE_MAX = 1024 * 1024,
    INCLUDES_MAX = 5, /* levels, as OpenDKIM's */
    OPTION_LETTERS = 20,
};

void
dkim_import_init(struct dkim_import *import, struct mfx_arena *arena)
{
    *import = (struct dkim_import){.arena = arena};
}

static void
add(struct dkim_import *import, const char *file, unsigned line,
    struct mfx_str name, struct mfx_str value)
{
    struct dkim_import_given *g = mfx_arena_alloc(import->arena, sizeof *g);
    if (g == NULL)
        return;
    *g = (struct dkim_import_given){
        .file = file, .line = line, .name = name, .value = value};
    if (import->last_given == NULL)
        import->given = g;
    else
        import->last_given->next = g;
    import->last_given = g;
}

static enum mfx_rc read_level(struct dkim_import *import, const char *path,
                              unsigned level, struct mfx_err *err);

static enum mfx_rc
include(struct dkim_import *import, const char *file, unsigned line,
        struct mfx_str path, unsigned level, struct mfx_err *err)
{
    const char *text = mfx_arena_copy(import->arena, path).p;
    if (level >= INCLUDES_MAX) {
        mfx_err_set(err, "%s:%u: Include is more than %d levels deep", file,
                    line, INCLUDES_MAX);
        return MFX_PERMFAIL;
    }
    return text == NULL ? MFX_TEMPFAIL
                        : read_level(import, text, level + 1, err);
}

/* "#" cuts a line anywhere; the first blank ends the name. */
static enum mfx_rc
read_line(struct dkim_import *import, const char *file, unsigned line,
          struct mfx_str text, unsigned level, struct mfx_err *err)
{
    struct mfx_str name;
    text = mfx_str_trim(mfx_str_head(text, mfx_str_find(text, '#')));
    if (!mfx_str_word(&text, " \t", &name))
        return MFX_OK;
    text = mfx_str_trim(text);
    if (mfx_str_is_nocase(name, "Include"))
        return include(import, file, line, text, level, err);
    add(import, file, line, name, text);
    return MFX_OK;
}

static enum mfx_rc
read_level(struct dkim_import *import, const char *path, unsigned level,
           struct mfx_err *err)
{
    struct mfx_str text, line;
    unsigned number = 0;
    enum mfx_rc rc =
        mfx_file_read(path, FILE_MAX, import->arena, &text, NULL, err);
    if (rc == MFX_OK && mfx_str_has(text, '\0')) {
        mfx_err_set(err, "%s: holds NUL bytes: no configuration", path);
        rc = MFX_PERMFAIL;
    }
    const char *name = mfx_arena_copy(import->arena, mfx_str_of(path)).p;
    if (rc == MFX_OK && name == NULL)
        rc = MFX_TEMPFAIL;
    while (rc == MFX_OK && mfx_str_cut(&text, '\n', &line))
        rc = read_line(import, name, ++number, line, level, err);
    return rc;
}

enum mfx_rc
dkim_import_read_conf(struct dkim_import *import, const char *path,
                      struct mfx_err *err)
{
    return read_level(import, path, 1, err);
}

struct dkim_import_given *
dkim_import_find(struct dkim_import *import, const char *name)
{
    struct dkim_import_given *found = NULL;
    for (struct dkim_import_given *g = import->given; g != NULL; g = g->next) {
        if (!mfx_str_is_nocase(g->name, name))
            continue;
        g->is_used = true;
        found = g;
    }
    return found;
}

/* --- the command line --- */

/* What an option of opendkim(8) sets. value NULL: its argument. */
static const struct {
    char letter;
    bool takes;
    const char *name, *value;
} options[OPTION_LETTERS + 4] = {
    {'A', false, "AutoRestart",        "yes"},
    {'b', true,  "Mode",               NULL },
    {'c', true,  "Canonicalization",   NULL },
    {'d', true,  "Domain",             NULL },
    {'D', false, "SubDomains",         "yes"},
    {'e', true,  NULL,                 NULL },
    {'f', false, "Background",         "no" },
    {'F', true,  NULL,                 NULL },
    {'k', true,  "KeyFile",            NULL },
    {'l', false, "Syslog",             "yes"},
    {'L', true,  "Minimum",            NULL },
    {'n', false, NULL,                 NULL },
    {'o', true,  "OmitHeaders",        NULL },
    {'p', true,  "Socket",             NULL },
    {'P', true,  "PidFile",            NULL },
    {'Q', false, NULL,                 NULL },
    {'r', false, "RequiredHeaders",    "yes"},
    {'s', true,  "Selector",           NULL },
    {'S', true,  "SignatureAlgorithm", NULL },
    {'T', true,  "DNSTimeout",         NULL },
    {'u', true,  "UserID",             NULL },
    {'W', false, "LogWhy",             "yes"},
    {'x', true,  NULL,                 NULL }, /* the configuration, which was named to us */
};

static size_t
option_of(char letter)
{
    size_t i = 0;
    while (options[i].letter != 0 && options[i].letter != letter)
        i++;
    return i;
}

/* One word of letters, "-lWp"; its last may take the next word. */
static void
take_letters(struct dkim_import *import, const char *file, unsigned line,
             struct mfx_str word, struct mfx_str *rest)
{
    for (size_t at = 1; at < word.len; at++) {
        size_t i = option_of(word.p[at]);
        struct mfx_str value =
            mfx_str_of(options[i].value == NULL ? "" : options[i].value);
        if (options[i].takes) {
            value = mfx_str_from(word, at + 1);
            if (value.len == 0)
                (void)mfx_str_word(rest, " \t", &value);
            at = word.len;
        }
        if (options[i].name != NULL && value.len > 0)
            add(import, file, line, mfx_str_of(options[i].name), value);
    }
}

static void
take_words(struct dkim_import *import, const char *file, unsigned line,
           struct mfx_str text)
{
    struct mfx_str word;
    while (mfx_str_word(&text, " \t", &word))
        if (word.len > 1 && word.p[0] == '-')
            take_letters(import, file, line, word, &text);
}

static struct mfx_str
unquote(struct mfx_str text)
{
    text = mfx_str_trim(text);
    if (text.len >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
        text.p[text.len - 1] == text.p[0])
        return mfx_str_head(mfx_str_from(text, 1), text.len - 2);
    return text;
}

static bool
takes_prefix(struct mfx_str *text, const char *prefix)
{
    if (!mfx_str_starts(*text, mfx_str_of(prefix)))
        return false;
    *text = unquote(mfx_str_from(*text, strlen(prefix)));
    return true;
}

enum mfx_rc
dkim_import_read_options(struct dkim_import *import, const char *path,
                         struct mfx_err *err)
{
    struct mfx_str text, line;
    unsigned number = 0;
    enum mfx_rc rc =
        mfx_file_read(path, FILE_MAX, import->arena, &text, NULL, err);
    const char *name = mfx_arena_copy(import->arena, mfx_str_of(path)).p;
    if (rc != MFX_OK || name == NULL)
        return rc == MFX_OK ? MFX_TEMPFAIL : rc;
    while (mfx_str_cut(&text, '\n', &line)) {
        number++;
        line = mfx_str_trim(line);
        if (takes_prefix(&line, "SOCKET=") && !mfx_str_has(line, '$'))
            add(import, name, number, mfx_str_of("Socket"), line);
        else if (takes_prefix(&line, "DAEMON_OPTS=") ||
                 takes_prefix(&line, "ExecStart="))
            take_words(import, name, number, line);
    }
    return MFX_OK;
}
