/* SPDX-License-Identifier: BSD-2-Clause */
#include "m4.h"

#include <stdarg.h>

#include <mfx/base/buf.h>
#include <mfx/base/file.h>
#include <mfx/base/map.h>

enum {
    FILE_MAX = 16 * 1024 * 1024,
    TOKEN_MAX = 16 * 1024 * 1024,
    EXPANSION = 100, /* what one costs, in steps */
};

/* What is being read: files, and on top of them what macros became. */
struct input {
    struct mfx_str text;
    bool is_file;
    const char *file; /* of a file */
    unsigned line;
    struct input *below;
};

struct macro {
    struct mfx_str text;
};

struct m4 {
    const struct masq_m4_sink *sink;
    struct mfx_arena *arena;
    struct mfx_err *err;
    struct input *top;
    struct mfx_map *macros;
    struct mfx_str open, close; /* quotes */
    struct mfx_buf line;        /* text so far */
    const char *file;           /* of the innermost file */
    unsigned line_number;
    unsigned depth, files;
    long divert;
    size_t steps;
    enum mfx_rc rc;
};

enum token_kind {
    TOKEN_END,
    TOKEN_BYTE,
    TOKEN_NAME,
    TOKEN_TEXT, /* was quoted */
};

struct token {
    enum token_kind kind;
    struct mfx_str text;
    char byte;
    unsigned line;
};

__attribute__((format(printf, 3, 4))) static void
fail(struct m4 *m, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(m->arena, format, args);
    va_end(args);
    if (m->rc != MFX_OK)
        return;
    m->rc = MFX_PERMFAIL;
    mfx_err_set(m->err, "%s:%u: %.*s", m->file, line, MFX_STR_ARG(text));
}

/* --- input --- */

static void
push(struct m4 *m, struct mfx_str text)
{
    struct input *i =
        text.len == 0 ? NULL : mfx_arena_alloc(m->arena, sizeof *i);
    if (i == NULL)
        return;
    *i = (struct input){.text = text, .below = m->top};
    m->top = i;
}

/* Takes inputs away that are used up. A file's end is the end of its line
 * numbers. */
static bool
has_more(struct m4 *m)
{
    while (m->top != NULL && m->top->text.len == 0) {
        bool is_file = m->top->is_file;
        m->top = m->top->below;
        if (!is_file)
            continue;
        m->files--;
        for (struct input *i = m->top; i != NULL; i = i->below)
            if (i->is_file) {
                m->file = i->file;
                m->line_number = i->line;
                break;
            }
    }
    if (m->steps > MASQ_M4_STEPS)
        fail(m, m->line_number, "macros without end");
    return m->top != NULL && m->rc == MFX_OK;
}

static char
take(struct m4 *m)
{
    char c = m->top->text.p[0];
    m->top->text = mfx_str_from(m->top->text, 1);
    m->steps++;
    if (m->top->is_file && c == '\n') {
        m->top->line++;
        m->line_number = m->top->line;
    }
    return c;
}

static bool
peek_is(struct m4 *m, char c)
{
    return has_more(m) && m->top->text.p[0] == c;
}

/* A quote of several characters stands in one input. */
static bool
takes(struct m4 *m, struct mfx_str what)
{
    if (what.len == 0 || !has_more(m) || !mfx_str_starts(m->top->text, what))
        return false;
    for (size_t i = 0; i < what.len; i++)
        (void)take(m);
    return true;
}

static bool
is_name_byte(char c, bool is_first)
{
    unsigned char u = (unsigned char)c;
    return c == '_' ||
           (is_first ? mfx_ascii_is_alpha(u) : mfx_ascii_is_alnum(u));
}

static struct mfx_str
kept(struct m4 *m, struct mfx_buf *buf)
{
    struct mfx_str s = mfx_arena_copy(m->arena, mfx_buf_str(buf));
    mfx_buf_fini(buf);
    return s;
}

static struct mfx_str
quoted(struct m4 *m, unsigned line)
{
    struct mfx_buf out;
    unsigned depth = 1;
    mfx_buf_init(&out, TOKEN_MAX);
    while (depth > 0) {
        if (takes(m, m->close)) {
            if (--depth > 0)
                mfx_buf_add(&out, m->close);
        } else if (takes(m, m->open)) {
            depth++;
            mfx_buf_add(&out, m->open);
        } else if (has_more(m)) {
            mfx_buf_add_byte(&out, take(m));
        } else {
            fail(m, line, "a quote is not closed");
            break;
        }
    }
    return kept(m, &out);
}

static struct mfx_str
name(struct m4 *m)
{
    struct mfx_buf out;
    mfx_buf_init(&out, TOKEN_MAX);
    while (has_more(m) && is_name_byte(m->top->text.p[0], out.len == 0))
        mfx_buf_add_byte(&out, take(m));
    return kept(m, &out);
}

static struct token
next(struct m4 *m)
{
    struct token t = {.kind = TOKEN_END, .line = m->line_number};
    if (!has_more(m))
        return t;
    t.line = m->line_number;
    if (takes(m, m->open)) {
        t.kind = TOKEN_TEXT;
        t.text = quoted(m, t.line);
    } else if (is_name_byte(m->top->text.p[0], true)) {
        t.kind = TOKEN_NAME;
        t.text = name(m);
    } else {
        t.kind = TOKEN_BYTE;
        t.byte = take(m);
    }
    return t;
}

/* --- calls --- */

static bool expand(struct m4 *m, const struct token *t);

static void
skip_blanks(struct m4 *m)
{
    while (has_more(m) && mfx_ascii_is_fws((unsigned char)m->top->text.p[0]))
        (void)take(m);
}

/* One argument, expanded. Returns what ended it: ',' or ')' or 0. */
static char
argument(struct m4 *m, unsigned line, bool is_last, struct mfx_str *arg)
{
    struct mfx_buf out;
    unsigned depth = 0;
    char end = '\0';
    mfx_buf_init(&out, TOKEN_MAX);
    skip_blanks(m);
    while (end == '\0') {
        struct token t = next(m);
        if (t.kind == TOKEN_END) {
            fail(m, line, "a call is not closed");
            break;
        }
        if (t.kind == TOKEN_TEXT) {
            mfx_buf_add(&out, t.text);
        } else if (t.kind == TOKEN_NAME) {
            if (!expand(m, &t))
                mfx_buf_add(&out, t.text);
        } else if (depth == 0 &&
                   (t.byte == ')' || (t.byte == ',' && !is_last))) {
            end = t.byte;
        } else {
            depth += t.byte == '(';
            depth -= t.byte == ')';
            mfx_buf_add_byte(&out, t.byte);
        }
    }
    *arg = kept(m, &out);
    return end;
}

static void
arguments(struct m4 *m, struct masq_m4_call *call)
{
    char end = ',';
    if (!peek_is(m, '('))
        return;
    (void)take(m);
    call->has_args = true;
    if (++m->depth > MASQ_M4_DEPTH)
        fail(m, call->line, "calls are more than %d deep", MASQ_M4_DEPTH);
    while (end == ',' && m->rc == MFX_OK) {
        size_t n = call->count++;
        end = argument(m, call->line, n + 1 == MASQ_M4_ARGS, &call->args[n]);
    }
    m->depth--;
}

static struct mfx_str
arg(const struct masq_m4_call *call, size_t n)
{
    return n < call->count ? call->args[n] : mfx_str(NULL, 0);
}

/* "$1" and the like in a macro's text. */
static struct mfx_str
substitute(struct m4 *m, struct mfx_str text, const struct masq_m4_call *call)
{
    struct mfx_buf out;
    mfx_buf_init(&out, TOKEN_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = i + 1 < text.len ? text.p[i + 1] : '\0';
        bool is_all = c == '*' || c == '@';
        if (text.p[i] != '$' ||
            !(mfx_ascii_is_digit((unsigned char)c) || is_all || c == '#')) {
            mfx_buf_add_byte(&out, text.p[i]);
            continue;
        }
        i++;
        if (c == '#')
            mfx_buf_printf(&out, "%zu", call->count);
        else if (c == '0')
            mfx_buf_add(&out, call->name);
        else if (!is_all)
            mfx_buf_add(&out, arg(call, (size_t)(c - '1')));
        for (size_t n = 0; is_all && n < call->count; n++) {
            mfx_buf_add_text(&out, n == 0 ? "" : ",");
            mfx_buf_add(&out, c == '@' ? m->open : mfx_str(NULL, 0));
            mfx_buf_add(&out, call->args[n]);
            mfx_buf_add(&out, c == '@' ? m->close : mfx_str(NULL, 0));
        }
    }
    m->steps += out.len + EXPANSION;
    if (!mfx_buf_ok(&out))
        fail(m, call->line, "%.*s becomes too long", MFX_STR_ARG(call->name));
    return kept(m, &out);
}

/* --- what m4 itself knows --- */

typedef void builtin(struct m4 *m, const struct masq_m4_call *call);

static void
define(struct m4 *m, struct mfx_str name_of_it, struct mfx_str text)
{
    struct macro *macro = mfx_arena_alloc(m->arena, sizeof *macro);
    if (macro == NULL || name_of_it.len == 0)
        return;
    macro->text = text;
    if (mfx_map_put(m->macros, name_of_it, macro) != MFX_OK)
        m->rc = MFX_TEMPFAIL;
}

static void
do_define(struct m4 *m, const struct masq_m4_call *call)
{
    define(m, arg(call, 0), arg(call, 1));
    struct masq_m4_call said = *call;
    said.name = mfx_str_of("define");
    m->sink->call(m->sink->arg, &said);
}

static void
do_undefine(struct m4 *m, const struct masq_m4_call *call)
{
    (void)mfx_map_remove(m->macros, arg(call, 0));
    struct masq_m4_call said = *call;
    said.name = mfx_str_of("undefine");
    m->sink->call(m->sink->arg, &said);
}

static void
do_defn(struct m4 *m, const struct masq_m4_call *call)
{
    struct macro *macro = mfx_map_get(m->macros, arg(call, 0));
    if (macro != NULL)
        push(m,
             mfx_arena_printf(m->arena, "%.*s%.*s%.*s", MFX_STR_ARG(m->open),
                              MFX_STR_ARG(macro->text), MFX_STR_ARG(m->close)));
}

static void
do_ifdef(struct m4 *m, const struct masq_m4_call *call)
{
    bool is_there = mfx_map_get(m->macros, arg(call, 0)) != NULL;
    push(m, arg(call, is_there ? 1 : 2));
}

static void
do_ifelse(struct m4 *m, const struct masq_m4_call *call)
{
    size_t n = 0;
    for (; n + 2 < call->count; n += 3)
        if (mfx_str_eq(arg(call, n), arg(call, n + 1))) {
            push(m, arg(call, n + 2));
            return;
        }
    if (n + 1 == call->count)
        push(m, arg(call, n));
}

static void
do_divert(struct m4 *m, const struct masq_m4_call *call)
{
    struct mfx_str number = mfx_str_trim(arg(call, 0));
    m->divert = mfx_str_starts(number, mfx_str_of("-")) ? -1 : 0;
}

static void
do_divnum(struct m4 *m, const struct masq_m4_call *call)
{
    (void)call;
    push(m, mfx_str_of(m->divert < 0 ? "-1" : "0"));
}

static void
do_dnl(struct m4 *m, const struct masq_m4_call *call)
{
    (void)call;
    while (has_more(m))
        if (take(m) == '\n')
            return;
}

static void
do_changequote(struct m4 *m, const struct masq_m4_call *call)
{
    m->open = call->count > 0 ? arg(call, 0) : mfx_str_of("`");
    m->close = call->count > 1 ? arg(call, 1) : mfx_str_of("'");
    if (call->count > 0 && m->close.len == 0)
        m->close = mfx_str_of("'");
}

static void
do_shift(struct m4 *m, const struct masq_m4_call *call)
{
    struct masq_m4_call rest = *call;
    if (call->count == 0)
        return;
    rest.count--;
    for (size_t i = 0; i < rest.count; i++)
        rest.args[i] = call->args[i + 1];
    push(m, substitute(m, mfx_str_of("$@"), &rest));
}

static void
push_number(struct m4 *m, long long n)
{
    push(m, mfx_arena_printf(m->arena, "%lld", n));
}

static void
do_len(struct m4 *m, const struct masq_m4_call *call)
{
    push_number(m, (long long)arg(call, 0).len);
}

static void
do_index(struct m4 *m, const struct masq_m4_call *call)
{
    struct mfx_str in = arg(call, 0);
    for (size_t i = 0; i <= in.len; i++)
        if (mfx_str_starts(mfx_str_from(in, i), arg(call, 1))) {
            push_number(m, (long long)i);
            return;
        }
    push_number(m, -1);
}

static void
do_incr(struct m4 *m, const struct masq_m4_call *call)
{
    uint64_t n = 0;
    if (mfx_str_to_u64(arg(call, 0), UINT32_MAX, &n) == MFX_OK)
        push_number(m, (long long)n + 1);
}

static void
do_nothing(struct m4 *m, const struct masq_m4_call *call)
{
    (void)m;
    (void)call;
}

static enum mfx_rc
open_file(struct m4 *m, struct mfx_str path, struct mfx_err *err)
{
    struct mfx_str bytes;
    struct input *i = mfx_arena_alloc(m->arena, sizeof *i);
    struct mfx_str copy = mfx_arena_copy(m->arena, path);
    if (i == NULL || copy.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc =
        mfx_file_read(copy.p, FILE_MAX, m->arena, &bytes, NULL, err);
    if (rc == MFX_OK && mfx_str_has(bytes, '\0')) {
        mfx_err_set(err, "%s: holds NUL bytes: no configuration", copy.p);
        rc = MFX_PERMFAIL;
    }
    if (rc != MFX_OK)
        return rc;
    *i = (struct input){.text = bytes,
                        .is_file = true,
                        .file = copy.p,
                        .line = 1,
                        .below = m->top};
    m->top = i;
    m->file = copy.p;
    m->line_number = 1;
    m->files++;
    return MFX_OK;
}

/* As it stands, beside the file that says it, in the folder of m4 sources. */
static bool
include(struct m4 *m, struct mfx_str path)
{
    struct mfx_err err;
    struct mfx_str here = mfx_str_of(m->file);
    struct mfx_str folder = mfx_str_head(here, mfx_str_find_last(here, '/'));
    if (m->files >= MASQ_M4_INCLUDES)
        return false;
    if (open_file(m, path, &err) == MFX_OK)
        return true;
    if (mfx_str_starts(path, mfx_str_of("/")))
        return false;
    if (folder.len < here.len &&
        open_file(m,
                  mfx_arena_printf(m->arena, "%.*s/%.*s", MFX_STR_ARG(folder),
                                   MFX_STR_ARG(path)),
                  &err) == MFX_OK)
        return true;
    return m->sink->cf_dir != NULL &&
           open_file(m,
                     mfx_arena_printf(m->arena, "%s/%.*s", m->sink->cf_dir,
                                      MFX_STR_ARG(path)),
                     &err) == MFX_OK;
}

/* cf.m4 is what makes a sendmail.cf of the rest: nothing in it is the site's. */
static void
do_include(struct m4 *m, const struct masq_m4_call *call)
{
    struct mfx_str path = mfx_str_trim(arg(call, 0));
    if (mfx_str_ends_nocase(path, mfx_str_of("m4/cf.m4")) || include(m, path))
        return;
    m->sink->call(m->sink->arg, call);
}

static const struct {
    const char *name;
    builtin *run;
    bool needs_args; /* a word without "(" is text */
} builtins[] = {
    {"changecom",   do_nothing,     false},
    {"changequote", do_changequote, false},
    {"define",      do_define,      true },
    {"defn",        do_defn,        true },
    {"divert",      do_divert,      false},
    {"divnum",      do_divnum,      false},
    {"dnl",         do_dnl,         false},
    {"errprint",    do_nothing,     true },
    {"ifdef",       do_ifdef,       true },
    {"ifelse",      do_ifelse,      true },
    {"include",     do_include,     true },
    {"incr",        do_incr,        true },
    {"index",       do_index,       true },
    {"len",         do_len,         true },
    {"popdef",      do_undefine,    true },
    {"pushdef",     do_define,      true },
    {"shift",       do_shift,       true },
    {"sinclude",    do_include,     true },
    {"undefine",    do_undefine,    true },
    {"undivert",    do_nothing,     false},
};

/* m4 knows these, too, and we do not. */
static const char *const strangers[] = {
    "eval",   "esyscmd",  "syscmd", "substr", "translit",
    "format", "maketemp", "m4exit", "m4wrap", "decr"};

static bool
run_builtin(struct m4 *m, struct masq_m4_call *call)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
        if (!mfx_str_is(call->name, builtins[i].name))
            continue;
        if (builtins[i].needs_args && !peek_is(m, '('))
            return false;
        if (builtins[i].run != do_dnl)
            arguments(m, call);
        if (m->rc == MFX_OK)
            builtins[i].run(m, call);
        return true;
    }
    return false;
}

/* --- what is not m4's --- */

static bool
is_capital(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'a' && s.p[i] <= 'z')
            return false;
    return s.len > 1;
}

static bool
is_stranger(struct mfx_str s)
{
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        if (mfx_str_is(s, strangers[i]))
            return true;
    return false;
}

static bool
hand_over(struct m4 *m, struct masq_m4_call *call)
{
    bool is_word = m->sink->is_word(call->name);
    bool is_call =
        peek_is(m, '(') && (is_capital(call->name) || is_stranger(call->name));
    if (!is_word && !is_call)
        return false;
    arguments(m, call);
    if (is_word)
        m->divert = 0;
    if (m->rc == MFX_OK)
        m->sink->call(m->sink->arg, call);
    return true;
}

/* False: the name is text. */
static bool
expand(struct m4 *m, const struct token *t)
{
    struct masq_m4_call call = {.file = m->file,
                                .line = t->line,
                                .name = t->text,
                                .is_diverted = m->divert < 0};
    struct macro *macro = mfx_map_get(m->macros, t->text);
    if (macro != NULL) {
        arguments(m, &call);
        if (m->rc == MFX_OK)
            push(m, substitute(m, macro->text, &call));
        return true;
    }
    return run_builtin(m, &call) || hand_over(m, &call);
}

/* --- text --- */

static void
flush_line(struct m4 *m, unsigned line)
{
    struct mfx_str text = mfx_arena_copy(m->arena, mfx_buf_str(&m->line));
    mfx_buf_clear(&m->line);
    if (mfx_str_trim(text).len > 0)
        m->sink->text(m->sink->arg, m->file, line, text);
}

static void
put(struct m4 *m, struct mfx_str text, unsigned line)
{
    if (m->divert < 0)
        return;
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\n')
            flush_line(m, line);
        else
            mfx_buf_add_byte(&m->line, text.p[i]);
}

static void
run(struct m4 *m)
{
    struct token t;
    while ((t = next(m)).kind != TOKEN_END) {
        if (t.kind == TOKEN_NAME && expand(m, &t))
            continue;
        if (t.kind == TOKEN_BYTE)
            put(m, mfx_str(&t.byte, 1), t.line);
        else
            put(m, t.text, t.line);
    }
    flush_line(m, m->line_number);
}

enum mfx_rc
masq_m4_read(const char *path, const struct masq_m4_sink *sink,
             struct mfx_arena *arena, struct mfx_err *err)
{
    struct m4 m = {.sink = sink,
                   .arena = arena,
                   .err = err,
                   .open = mfx_str_of("`"),
                   .close = mfx_str_of("'"),
                   .file = path};
    m.macros = mfx_map_new(MFX_MAP_CASE, 100);
    if (m.macros == NULL)
        return MFX_TEMPFAIL;
    mfx_buf_init(&m.line, TOKEN_MAX);
    for (size_t i = 0; sink->known != NULL && sink->known[i][0] != NULL; i++)
        define(&m, mfx_str_of(sink->known[i][0]),
               mfx_str_of(sink->known[i][1]));
    m.rc = open_file(&m, mfx_str_of(path), err);
    if (m.rc == MFX_OK)
        run(&m);
    mfx_buf_fini(&m.line);
    mfx_map_free(m.macros);
    return m.rc;
}
