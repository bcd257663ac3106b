/* SPDX-License-Identifier: BSD-2-Clause */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    TABLE_MAX = 64 * 1024 * 1024,
    WORDS_COMPARED = 200,
    KEY_MAX = 1024,
};

#define BLANKS ", \t\r\n"

static const char *const fates[] = {
    "not understood", "not needed", "->", "by hand", "not understood",
};

const char *
masq_import_fate_name(enum masq_import_fate fate)
{
    return fates[fate];
}

static void
free_map(void *map)
{
    mfx_map_free(map);
}

void
masq_import_init(struct masq_import *import, struct mfx_arena *arena,
                 const char *out, const char *title)
{
    *import = (struct masq_import){.arena = arena, .out = out, .title = title};
    import->latest = mfx_map_new(MFX_MAP_CASE, 1000);
    if (import->latest != NULL &&
        !mfx_arena_defer(arena, free_map, import->latest))
        import->latest = NULL;
}

/* --- items --- */

struct masq_import_item *
masq_import_add(struct masq_import *import, const char *file, unsigned line,
                struct mfx_str feature, int kind, struct mfx_str name)
{
    if (import->item_count >= MASQ_IMPORT_ITEMS)
        return NULL;
    struct masq_import_item *i = mfx_arena_alloc(import->arena, sizeof *i);
    if (i == NULL)
        return NULL;
    *i = (struct masq_import_item){.file = file,
                                   .line = line,
                                   .feature = feature,
                                   .kind = kind,
                                   .name = name};
    if (import->last_item == NULL)
        import->items = i;
    else
        import->last_item->next = i;
    import->last_item = i;
    import->item_count++;
    return i;
}

void
masq_import_add_arg(struct masq_import_item *item, struct mfx_str arg)
{
    if (item != NULL && item->arg_count < MASQ_IMPORT_ARGS)
        item->args[item->arg_count++] = arg;
}

static struct mfx_str
key_of(char *storage, int kind, struct mfx_str name)
{
    int n = snprintf(storage, KEY_MAX, "%d %.*s", kind,
                     (int)(name.len < KEY_MAX / 2 ? name.len : KEY_MAX / 2),
                     name.len == 0 ? "" : name.p);
    return mfx_str(storage, (size_t)n);
}

struct masq_import_item *
masq_import_latest(const struct masq_import *import, int kind,
                   struct mfx_str name)
{
    char key[KEY_MAX];
    return import->latest == NULL
               ? NULL
               : mfx_map_get(import->latest, key_of(key, kind, name));
}

void
masq_import_replace(struct masq_import *import, struct masq_import_item *item)
{
    char storage[KEY_MAX];
    if (item == NULL || import->latest == NULL)
        return;
    struct masq_import_item *old =
        masq_import_latest(import, item->kind, item->name);
    struct mfx_str key =
        mfx_arena_copy(import->arena, key_of(storage, item->kind, item->name));
    if (old != NULL && old->fate == MASQ_IMPORT_OPEN)
        masq_import_say(import, old, MASQ_IMPORT_NOT_NEEDED,
                        "line %u says otherwise", item->line);
    if (key.p == NULL || mfx_map_put(import->latest, key, item) != MFX_OK)
        import->latest = NULL;
}

struct mfx_str
masq_import_arg(const struct masq_import_item *item, size_t n)
{
    return n < item->arg_count ? mfx_str_trim(item->args[n]) : mfx_str(NULL, 0);
}

void
masq_import_say(struct masq_import *import, struct masq_import_item *item,
                enum masq_import_fate fate, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(import->arena, format, args);
    va_end(args);
    if (item->text.len == 0)
        item->text = text;
    else
        item->text =
            mfx_arena_printf(import->arena, "%.*s; %.*s",
                             MFX_STR_ARG(item->text), MFX_STR_ARG(text));
    if (fate > item->fate)
        item->fate = fate;
}

void
masq_import_say_rule(struct masq_import *import, struct masq_import_item *item,
                     const struct masq_import_rule *rule, const char *name)
{
    masq_import_say(import, item, MASQ_IMPORT_DONE, "masq.conf rules[%zu].%s",
                    rule->number, name);
}

bool
masq_import_finish(struct masq_import *import)
{
    bool is_done = true;
    for (struct masq_import_item *i = import->items; i != NULL; i = i->next) {
        if (i->fate == MASQ_IMPORT_OPEN)
            masq_import_say(import, i, MASQ_IMPORT_UNKNOWN, "%.*s",
                            MFX_STR_ARG(mfx_str_head(i->name, 200)));
        is_done = is_done && i->fate < MASQ_IMPORT_BY_HAND;
    }
    return is_done;
}

/* --- settings --- */

struct masq_import_setting *
masq_import_find(const struct masq_import_settings *settings, const char *name)
{
    struct masq_import_setting *s = settings->first;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

void
masq_import_set(struct masq_import *import,
                struct masq_import_settings *settings, const char *name,
                struct mfx_str value, const char *remark)
{
    if (masq_import_find(settings, name) != NULL)
        return;
    struct masq_import_setting *s = mfx_arena_alloc(import->arena, sizeof *s);
    if (s == NULL)
        return;
    *s = (struct masq_import_setting){
        .name = name, .value = value, .remark = mfx_str_of(remark)};
    if (settings->last == NULL)
        settings->first = s;
    else
        settings->last->next = s;
    settings->last = s;
}

static char
printable(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F ? ' ' : c;
}

void
masq_import_add_quoted(struct mfx_buf *list, struct mfx_str text)
{
    mfx_buf_add_text(list, list->len > 1 ? ", \"" : "\"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            mfx_buf_add_byte(list, '\\');
        mfx_buf_add_byte(list, printable(text.p[i]));
    }
    mfx_buf_add_byte(list, '"');
}

struct mfx_str
masq_import_quoted(struct masq_import *import, struct mfx_str text)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, import->arena, 2 * text.len + 3);
    masq_import_add_quoted(&out, text);
    return mfx_buf_str(&out);
}

void
masq_import_set_text(struct masq_import *import,
                     struct masq_import_settings *settings, const char *name,
                     struct mfx_str text, const char *remark)
{
    masq_import_set(import, settings, name, masq_import_quoted(import, text),
                    remark);
}

void
masq_import_set_bool(struct masq_import *import,
                     struct masq_import_settings *settings, const char *name,
                     bool value, const char *remark)
{
    masq_import_set(import, settings, name,
                    mfx_str_of(value ? "true" : "false"), remark);
}

/* Words are few but in a generated list, which may have a word twice. */
static bool
stands_before(struct mfx_str words, struct mfx_str word)
{
    struct mfx_str one;
    for (size_t n = 0; n < WORDS_COMPARED && mfx_str_word(&words, BLANKS, &one);
         n++)
        if (one.p == word.p)
            return false;
        else if (mfx_str_eq_nocase(one, word))
            return true;
    return false;
}

bool
masq_import_word(struct mfx_str words, struct mfx_str *rest,
                 struct mfx_str *word)
{
    while (mfx_str_word(rest, BLANKS, word))
        if (!stands_before(words, *word))
            return true;
    return false;
}

bool
masq_import_long_list(struct masq_import *import, struct mfx_str words,
                      const char *name, struct mfx_str *spec)
{
    struct mfx_str word, rest = words;
    struct masq_import_file *file =
        words.len < MASQ_IMPORT_LONG
            ? NULL
            : masq_import_file(import, name, "A list that is long.");
    if (file == NULL)
        return false;
    bool is_new = file->rows == 0;
    while (is_new && masq_import_word(words, &rest, &word))
        masq_import_row(file, word, mfx_str(NULL, 0));
    *spec = mfx_arena_printf(import->arena, "file:%s/%s", import->out, name);
    return true;
}

struct mfx_str
masq_import_list(struct masq_import *import, struct mfx_str words)
{
    struct mfx_buf out;
    struct mfx_str word, rest = words;
    mfx_buf_init_arena(&out, import->arena, 6 * words.len + 16);
    mfx_buf_add_byte(&out, '[');
    while (masq_import_word(words, &rest, &word))
        masq_import_add_quoted(&out, word);
    mfx_buf_add_byte(&out, ']');
    return mfx_buf_str(&out);
}

/* --- main.cf --- */

static bool
has_item(struct mfx_str list, struct mfx_str item)
{
    struct mfx_str one;
    if (mfx_str_eq(list, item))
        return true;
    while (mfx_str_cut(&list, ',', &one))
        if (mfx_str_eq(mfx_str_trim(one), item))
            return true;
    return false;
}

/* A value is one line, whatever it came from. */
static struct mfx_str
one_line(struct masq_import *import, struct mfx_str text)
{
    char *p = mfx_arena_alloc_bytes(import->arena, text.len);
    for (size_t i = 0; p != NULL && i < text.len; i++)
        p[i] = printable(text.p[i]);
    return mfx_str(p, p == NULL ? 0 : text.len);
}

void
masq_import_main(struct masq_import *import, const char *name,
                 struct mfx_str item, const char *remark)
{
    item = one_line(import, item);
    struct masq_import_setting *s = masq_import_find(&import->main_cf, name);
    if (s == NULL)
        masq_import_set(import, &import->main_cf, name, item, remark);
    else if (!has_item(s->value, item))
        s->value = mfx_arena_printf(import->arena, "%.*s, %.*s",
                                    MFX_STR_ARG(s->value), MFX_STR_ARG(item));
}

void
masq_import_main_printf(struct masq_import *import, const char *name,
                        const char *remark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    masq_import_main(import, name,
                     mfx_arena_vprintf(import->arena, format, args), remark);
    va_end(args);
}

/* --- rules and files --- */

struct masq_import_rule *
masq_import_rule_new(struct masq_import *import, const char *kind,
                     const char *name, const char *remark)
{
    struct masq_import_rule *r = mfx_arena_alloc(import->arena, sizeof *r);
    if (r == NULL)
        return NULL;
    *r = (struct masq_import_rule){.remark = remark};
    if (import->last_rule == NULL) {
        import->rules = r;
    } else {
        r->number = import->last_rule->number + 1;
        import->last_rule->next = r;
    }
    import->last_rule = r;
    masq_import_set_text(import, &r->settings, "name", mfx_str_of(name), NULL);
    masq_import_set_text(import, &r->settings, "kind", mfx_str_of(kind), NULL);
    return r;
}

struct masq_import_file *
masq_import_file(struct masq_import *import, const char *name,
                 const char *remark)
{
    struct masq_import_file **at = &import->files;
    if (import->out == NULL)
        return NULL;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at != NULL)
        return *at;
    struct masq_import_file *f = mfx_arena_alloc(import->arena, sizeof *f);
    if (f == NULL)
        return NULL;
    *f = (struct masq_import_file){.name = name};
    mfx_buf_init_arena(&f->text, import->arena, TABLE_MAX);
    mfx_buf_printf(&f->text, "# %s\n", remark);
    *at = f;
    return f;
}

void
masq_import_row(struct masq_import_file *file, struct mfx_str key,
                struct mfx_str value)
{
    mfx_buf_add(&file->text, key);
    if (value.len > 0) {
        mfx_buf_add_byte(&file->text, '\t');
        mfx_buf_add(&file->text, value);
    }
    mfx_buf_add_byte(&file->text, '\n');
    file->rows++;
}
