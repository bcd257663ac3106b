/* SPDX-License-Identifier: BSD-2-Clause */
#include "fields.h"

#include <mfx/base/decimal.h>
#include <mfx/mail/field_write.h>

#include "engines.h"

enum {
    LINE = 78,
    TAB = 8,
    VALUE_MAX = 32 * 1024,
};

/* One field in the making. */
struct field {
    struct mfx_message *m;
    struct mfx_str name;
    struct mfx_buf value;
    size_t column;
};

/* --- putting together --- */

static void
begin(struct field *f, struct mfx_message *m, struct mfx_str name)
{
    *f = (struct field){.m = m, .name = name, .column = name.len + 1};
    mfx_buf_init_arena(&f->value, m->arena, VALUE_MAX);
}

/* Of our own or made safe; a word of a line. */
static void
add_word(struct field *f, struct mfx_str word)
{
    struct mfx_field_piece piece;
    piece.len = 0;
    if (word.len == 0)
        return; /* a line of white space alone ends the header */
    mfx_field_piece_add(&piece, word);
    f->column = mfx_field_add(&f->value, f->column, &piece, false);
}

static void
add_text(struct field *f, const char *text)
{
    struct mfx_str rest = mfx_str_of(text), word;
    while (mfx_str_word(&rest, " ", &word))
        add_word(f, word);
}

/* Behind what is there without a blank; the line is folded before it. */
static void
join(struct field *f, struct mfx_str text)
{
    if (f->column + text.len > LINE) {
        mfx_buf_add_text(&f->value, "\n\t");
        f->column = TAB;
    }
    mfx_buf_add(&f->value, text);
    f->column += text.len;
}

static bool
is_written(const struct mfx_decision *d, struct mfx_str name)
{
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next)
        if (e->kind == MFX_EDIT_INSERT_HEADER &&
            mfx_str_eq_nocase(e->name, name))
            return true;
    return false;
}

static void
end(struct field *f)
{
    if (f->value.len > 0 && mfx_buf_ok(&f->value))
        mfx_edit_insert_header(f->m->decision, MFX_EDIT_TOP, f->name,
                               mfx_buf_str(&f->value));
}

/* --- what comes from elsewhere --- */

/* Printable ASCII but for blanks and `others`; '_' for the rest. UTF-8 as it
 * is, if wanted. */
static struct mfx_str
safe(struct mfx_str text, const char *others, bool eai, struct mfx_arena *arena)
{
    text = mfx_str_head(text, SCORE_FIELDS_WORD_MAX);
    bool keeps_eight_bit = eai && mfx_str_is_utf8(text);
    char *out = mfx_arena_alloc_bytes(arena, text.len);
    if (out == NULL)
        return mfx_str("", 0);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool is_odd = c <= ' ' || c == 0x7F || (c >= 0x80 && !keeps_eight_bit);
        out[i] = is_odd || strchr(others, c) != NULL ? '_' : text.p[i];
    }
    return mfx_str(out, text.len);
}

static struct mfx_str
symbol_name(const struct mfx_scan_symbol *symbol, struct mfx_arena *arena)
{
    return safe(mfx_str_head(symbol->name, SCORE_FIELDS_NAME_MAX),
                ",;()[]\"\\=<>", false, arena);
}

/* One digit behind the point at least: Sieve's spamtest is told to look for
 * it. */
static struct mfx_str
decimal(int64_t value, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 40);
    mfx_decimal_format(value, &out);
    if (!mfx_str_has(mfx_buf_str(&out), '.'))
        mfx_buf_add_text(&out, ".0");
    return mfx_buf_str(&out);
}

static void
add_decimal(struct field *f, const char *name, int64_t value)
{
    struct mfx_arena *arena = f->m->arena;
    add_word(f, mfx_arena_printf(arena, "%s%.*s", name,
                                 MFX_STR_ARG(decimal(value, arena))));
}

/* Runs that have an answer which counts. */
static bool
counts(const struct score_run *run, bool is_for_viruses)
{
    return !run->engine->is_shadow && run->unscanned == NULL &&
           run->result != NULL &&
           score_engine_is_for_viruses(run->engine) == is_for_viruses;
}

/* An engine that is asked for several users is named once. */
static bool
is_first_of_engine(const struct score_verdict *v, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (v->runs[k].engine == v->runs[i].engine)
            return false;
    return true;
}

/* "rspamd,spamd": those that looked at the mail, or (only_partial) at a part
 * of it. */
static struct mfx_str
engines_of(struct mfx_message *m, const struct score_verdict *v,
           bool is_for_viruses, bool only_partial)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, m->arena, VALUE_MAX);
    for (size_t i = 0; i < v->run_count; i++) {
        const struct score_run *run = &v->runs[i];
        if (!counts(run, is_for_viruses) || !is_first_of_engine(v, i) ||
            (only_partial && !run->result->is_partial))
            continue;
        if (out.len > 0)
            mfx_buf_add_byte(&out, ',');
        mfx_buf_add(&out, run->engine->name);
    }
    return mfx_buf_str(&out);
}

/* --- symbols --- */

struct symbols {
    const struct mfx_scan_symbol *items[SCORE_FIELDS_SYMBOLS_MAX];
    size_t count;
};

static bool
has_symbol(const struct symbols *all, struct mfx_str name)
{
    for (size_t i = 0; i < all->count; i++)
        if (mfx_str_eq(all->items[i]->name, name))
            return true;
    return false;
}

/* Of all engines, each name once. */
static struct symbols *
collect_symbols(struct mfx_message *m, const struct score_verdict *v)
{
    struct symbols *all = mfx_arena_alloc(m->arena, sizeof *all);
    for (size_t i = 0; all != NULL && i < v->run_count; i++) {
        if (!counts(&v->runs[i], false))
            continue;
        const struct mfx_scan_result *r = v->runs[i].result;
        for (size_t k = 0; k < r->symbol_count; k++)
            if (all->count < SCORE_FIELDS_SYMBOLS_MAX &&
                r->symbols[k].name.len > 0 &&
                !has_symbol(all, r->symbols[k].name))
                all->items[all->count++] = &r->symbols[k];
    }
    return all;
}

/* "tests=A,B,C", folded behind commas as SpamAssassin does it. */
static void
add_tests(struct field *f, const struct score_verdict *v)
{
    const struct symbols *all = collect_symbols(f->m, v);
    if (all == NULL || all->count == 0) {
        add_word(f, mfx_str_of("tests=none"));
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct mfx_str name = symbol_name(all->items[i], f->m->arena);
        struct mfx_str item =
            mfx_arena_printf(f->m->arena, "%s%.*s%s", i == 0 ? "tests=" : "",
                             MFX_STR_ARG(name), i + 1 < all->count ? "," : "");
        if (i == 0)
            add_word(f, item);
        else
            join(f, item);
    }
}

/* "NAME(1.5)", or "NAME" where the engine tells no score. */
static struct mfx_str
symbol_text(const struct mfx_scan_symbol *symbol, struct mfx_arena *arena)
{
    static const double max = 1e6;
    struct mfx_str name = symbol_name(symbol, arena);
    double score = symbol->score;
    if (!symbol->has_score || !(score > -max && score < max))
        return name;
    int64_t thousandths = (int64_t)(score * 1000 + (score < 0 ? -0.5 : 0.5));
    return mfx_arena_printf(arena, "%.*s(%.*s)", MFX_STR_ARG(name),
                            MFX_STR_ARG(decimal(thousandths, arena)));
}

static void
write_symbols(struct field *f, const struct score_verdict *v)
{
    const struct symbols *all = collect_symbols(f->m, v);
    if (all == NULL || all->count == 0)
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct mfx_str text = symbol_text(all->items[i], f->m->arena);
        add_word(f, mfx_arena_printf(f->m->arena, "%.*s%s", MFX_STR_ARG(text),
                                     i + 1 < all->count ? "," : ""));
    }
}

/* --- spam --- */

static bool
is_unscanned(const struct score_verdict *v)
{
    return !v->was_spam_scanned && v->unscanned_spam.len > 0;
}

static void
write_flag(struct field *f, const struct score_verdict *v)
{
    if (v->is_spam)
        add_text(f, "YES");
}

static void
write_score(struct field *f, const struct score_verdict *v)
{
    if (v->has_score)
        add_decimal(f, "", v->score);
}

static void
write_level(struct field *f, const struct score_verdict *v,
            struct mfx_str character)
{
    char level[SCORE_FIELDS_LEVEL_MAX];
    int64_t points = v->has_score && v->score > 0 ? v->score / 1000 : 0;
    if (points > SCORE_FIELDS_LEVEL_MAX)
        points = SCORE_FIELDS_LEVEL_MAX;
    if (points == 0 || character.len == 0)
        return;
    memset(level, character.p[0], (size_t)points);
    add_word(f, mfx_str(level, (size_t)points));
}

/* "rspamd: timeout, spamd: refused" as one word: rspamd:timeout,spamd:refused */
static void
add_unscanned(struct field *f, struct mfx_str list)
{
    struct mfx_buf out;
    struct mfx_str word;
    mfx_buf_init_arena(&out, f->m->arena, VALUE_MAX);
    mfx_buf_add_text(&out, "unscanned=");
    while (mfx_str_word(&list, " ", &word))
        mfx_buf_add(&out, word);
    add_word(f, mfx_buf_str(&out));
}

/* Mail that is spam all the same says so, and names who did not look. */
static void
write_status(struct field *f, const struct score_verdict *v)
{
    struct mfx_str partial = engines_of(f->m, v, false, true);
    if (!v->is_spam && is_unscanned(v)) {
        add_text(f, "Unscanned,");
        add_text(f, mfx_arena_copy(f->m->arena, v->unscanned_spam).p);
        return;
    }
    if (!v->has_score && !v->was_spam_scanned)
        return;
    add_text(f, v->is_spam ? "Yes," : "No,");
    add_decimal(f, "score=", v->has_score ? v->score : 0);
    if (v->required != MFX_DECIMAL_NONE)
        add_decimal(f, "required=", v->required);
    add_tests(f, v);
    if (v->unscanned_spam.len > 0)
        add_unscanned(f, v->unscanned_spam);
    if (partial.len > 0)
        add_word(f, mfx_arena_printf(f->m->arena, "partial=%.*s",
                                     MFX_STR_ARG(partial)));
}

/* --- viruses --- */

static struct mfx_str
host_of(const struct mfx_message *m)
{
    struct mfx_str host =
        safe(m->connection->mta_name, "()\\\"", m->is_smtputf8, m->arena);
    return host.len > 0 ? host : mfx_str_of("localhost");
}

static void
write_virus_scanned(struct field *f, const struct score_verdict *v)
{
    struct mfx_str engines = engines_of(f->m, v, true, false);
    if (engines.len == 0)
        return;
    add_text(f, "mfx-score at");
    add_word(f, host_of(f->m));
    add_word(f, mfx_arena_printf(f->m->arena, "(%.*s)", MFX_STR_ARG(engines)));
}

/* Too large, too deep or locked: nobody knows what is in it. */
static bool
was_looked_into(enum mfx_scan_class klass)
{
    return klass != MFX_SCAN_CLASS_LIMIT && klass != MFX_SCAN_CLASS_ENCRYPTED;
}

static void
add_comment(struct field *f, const char *before, struct mfx_str text)
{
    struct mfx_str all =
        mfx_arena_printf(f->m->arena, "(%s%.*s)", before, MFX_STR_ARG(text));
    if (all.p != NULL)
        add_text(f, all.p);
}

static void
write_virus_status(struct field *f, const struct score_verdict *v)
{
    struct mfx_str partial = engines_of(f->m, v, true, true);
    if (v->virus != NULL) {
        add_text(f, was_looked_into(v->virus->result->klass) ? "Infected"
                                                             : "Unscanned");
        add_comment(
            f, "",
            safe(mfx_str_head(v->virus->result->virus, SCORE_FIELDS_NAME_MAX),
                 "()\\\"", false, f->m->arena));
    } else if (v->was_virus_scanned) {
        add_text(f, "Clean");
        if (v->unscanned_virus.len > 0)
            add_comment(f, "unscanned by ", v->unscanned_virus);
        if (partial.len > 0)
            add_comment(f, "first part only: ", partial);
    } else if (v->unscanned_virus.len > 0) {
        add_text(f, "Unscanned");
        add_comment(f, "", v->unscanned_virus);
    }
}

/* --- recipients --- */

/* The harshest wish of those who get the mail, where it is more than what is
 * done. */
static void
write_action(struct field *f, const struct score_verdict *v)
{
    enum score_action harshest = v->done.action;
    for (size_t i = 0; i < v->recipient_count; i++)
        if (!v->recipients[i].is_removed &&
            v->recipients[i].wish.action > harshest)
            harshest = v->recipients[i].wish.action;
    if (harshest > v->done.action)
        add_text(f, score_action_name(harshest));
}

/* A field for each, as spamass-milter has it. */
static void
write_original_to(struct mfx_message *m, struct mfx_str name)
{
    size_t left = m->recipient_count;
    const struct mfx_recipient *r = m->recipients;
    for (; r != NULL && left + SCORE_FIELDS_ADDRESSES_MAX > m->recipient_count;
         r = r->next, left--) {
        struct field f;
        begin(&f, m, name);
        add_word(&f, safe(r->address, "", m->is_smtputf8, m->arena));
        end(&f);
    }
    if (r != NULL) {
        struct field f;
        begin(&f, m, name);
        add_comment(&f, "and ", mfx_arena_printf(m->arena, "%zu more", left));
        end(&f);
    }
}

/* --- all of them --- */

struct mfx_str
score_field_name(const struct score_header_settings *s, enum score_field kind)
{
    switch (kind) {
    case SCORE_FIELD_FLAG:
        return s->flag;
    case SCORE_FIELD_SCORE:
        return s->score;
    case SCORE_FIELD_LEVEL:
        return s->level;
    case SCORE_FIELD_STATUS:
        return s->status;
    case SCORE_FIELD_SYMBOLS:
        return s->symbols;
    case SCORE_FIELD_ACTION:
        return s->action;
    case SCORE_FIELD_VIRUS_SCANNED:
        return s->virus_scanned;
    case SCORE_FIELD_VIRUS_STATUS:
        return s->virus_status;
    case SCORE_FIELD_ORIGINAL_TO:
        return s->original_to;
    case SCORE_FIELD_COUNT:
        break;
    }
    return mfx_str("", 0);
}

/* Nothing added: nothing is to be said. */
static void
write_value(struct field *f, enum score_field kind,
            const struct score_verdict *v,
            const struct score_header_settings *s)
{
    switch (kind) {
    case SCORE_FIELD_FLAG:
        write_flag(f, v);
        break;
    case SCORE_FIELD_SCORE:
        write_score(f, v);
        break;
    case SCORE_FIELD_LEVEL:
        write_level(f, v, s->level_character);
        break;
    case SCORE_FIELD_STATUS:
        write_status(f, v);
        break;
    case SCORE_FIELD_SYMBOLS:
        write_symbols(f, v);
        break;
    case SCORE_FIELD_ACTION:
        write_action(f, v);
        break;
    case SCORE_FIELD_VIRUS_SCANNED:
        write_virus_scanned(f, v);
        break;
    case SCORE_FIELD_VIRUS_STATUS:
        write_virus_status(f, v);
        break;
    case SCORE_FIELD_ORIGINAL_TO:
    case SCORE_FIELD_COUNT:
        break;
    }
}

/* Some engine of that kind did not see all of the mail. */
static bool
is_incomplete(const struct score_verdict *v, bool is_for_viruses)
{
    for (size_t i = 0; i < v->run_count; i++)
        if (counts(&v->runs[i], is_for_viruses) &&
            v->runs[i].result->is_partial)
            return true;
    return (is_for_viruses ? v->unscanned_virus : v->unscanned_spam).len > 0;
}

/* Where nothing is to be written, mail that was not looked at is marked all the
 * same. */
static bool
is_wanted(enum score_field kind, int when, const struct score_verdict *v)
{
    bool is_for_viruses =
        kind == SCORE_FIELD_VIRUS_SCANNED || kind == SCORE_FIELD_VIRUS_STATUS;
    bool is_status =
        kind == SCORE_FIELD_STATUS || kind == SCORE_FIELD_VIRUS_STATUS;
    if (is_status && is_incomplete(v, is_for_viruses))
        return true;
    if (when == SCORE_WHEN_SPAM)
        return is_for_viruses ? v->virus != NULL
                              : v->is_spam || kind == SCORE_FIELD_ACTION;
    return when == SCORE_WHEN_ALWAYS;
}

void
score_fields_write(struct mfx_message *m, const struct score_settings *settings,
                   const struct score_verdict *v, bool is_outgoing)
{
    const struct score_header_settings *s = &settings->headers;
    int when = is_outgoing ? s->outgoing_when : s->when;
    for (enum score_field kind = SCORE_FIELD_FLAG; kind < SCORE_FIELD_COUNT;
         kind++) {
        struct mfx_str name = score_field_name(s, kind);
        struct field f;
        if (name.len == 0 || !is_wanted(kind, when, v))
            continue;
        if (is_written(m->decision, name)) {
            mfx_trace(m->decision, "headers", "%.*s: an engine has written it",
                      MFX_STR_ARG(name));
            continue;
        }
        begin(&f, m, name);
        write_value(&f, kind, v, s);
        end(&f);
        if (is_outgoing && f.value.len > 0)
            (void)score_fields_delete(m, name);
    }
    if (v->done.action == SCORE_ACTION_REDIRECT &&
        !settings->redirect.keep_recipients && s->original_to.len > 0)
        write_original_to(m, s->original_to);
}
