/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/encoded_word.h>

#include <mfx/base/base64.h>

enum {
    FRAME = sizeof "=?utf-8?Q?"
                   "?=" -
            1,
    TEXT_MAX = MFX_ENCODED_WORD_MAX - FRAME,
    UNIT_MAX = 4, /* bytes of a character */
};

/* One character, or the blank that stands for white space and controls. */
struct unit {
    char p[UNIT_MAX];
    size_t len;
};

struct writer {
    struct mfx_buf *out;
    size_t column;
    bool is_begun;
    bool is_q; /* how the run at hand is encoded */
};

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

static struct mfx_str
skip_blanks(struct mfx_str s)
{
    while (s.len > 0 && is_blank(s.p[0]))
        s = mfx_str_from(s, 1);
    return s;
}

/* The run of bytes that are not blank, which s begins with. */
static struct mfx_str
word_of(struct mfx_str s)
{
    size_t len = 0;
    while (len < s.len && !is_blank(s.p[len]))
        len++;
    return mfx_str_head(s, len);
}

static bool
looks_encoded(struct mfx_str word)
{
    for (size_t i = 0; i + 1 < word.len; i++)
        if (word.p[i] == '=' && word.p[i + 1] == '?')
            return true;
    return false;
}

static bool
is_plain(struct mfx_str word)
{
    return mfx_str_is_ascii(word) && word.len <= MFX_ENCODED_PLAIN_MAX &&
           !looks_encoded(word);
}

static struct unit
cut_unit(struct mfx_str *rest)
{
    struct unit unit = {.p = " ", .len = 1};
    if (is_blank(rest->p[0])) {
        *rest = skip_blanks(*rest);
        return unit;
    }
    size_t len = mfx_str_utf8_first(*rest);
    struct mfx_str bytes =
        len == 0 ? mfx_str("\xEF\xBF\xBD", 3) : mfx_str_head(*rest, len);
    memcpy(unit.p, bytes.p, bytes.len);
    unit.len = bytes.len;
    *rest = mfx_str_from(*rest, len == 0 ? 1 : len);
    return unit;
}

/* RFC 2047 5 (3): what is safe in a phrase, too. */
static bool
is_q_safe(char c)
{
    return mfx_ascii_is_alnum((unsigned char)c) ||
           mfx_str_has(mfx_str_of("!*+-/"), c);
}

static size_t
q_len(struct unit unit)
{
    return unit.p[0] == ' ' || is_q_safe(unit.p[0]) ? 1 : 3 * unit.len;
}

static void
choose_encoding(struct writer *w, struct mfx_str run)
{
    size_t bytes = 0, q = 0;
    while (run.len > 0) {
        struct unit unit = cut_unit(&run);
        bytes += unit.len;
        q += q_len(unit);
    }
    w->is_q = q <= mfx_base64_encoded_len(bytes);
}

static void
add_q(struct mfx_buf *out, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] == ' ')
            mfx_buf_add_byte(out, '_');
        else if (is_q_safe(p[i]))
            mfx_buf_add_byte(out, p[i]);
        else
            mfx_buf_printf(out, "=%02X", (unsigned)(unsigned char)p[i]);
    }
}

static void
add_b(struct mfx_buf *out, const char *p, size_t len)
{
    size_t need = mfx_base64_encoded_len(len);
    char *room = mfx_buf_room(out, need);
    if (room != NULL)
        out->len += mfx_base64_encode((const unsigned char *)p, len, room);
}

/* The characters of one encoded word. */
struct chunk {
    char p[TEXT_MAX];
    size_t len;
    size_t encoded_len;
};

static size_t
len_with(const struct writer *w, const struct chunk *chunk, struct unit unit)
{
    return w->is_q ? chunk->encoded_len + q_len(unit)
                   : mfx_base64_encoded_len(chunk->len + unit.len);
}

/* Takes as many characters off the run as fit. */
static struct chunk
cut_chunk(const struct writer *w, struct mfx_str *run, size_t room)
{
    struct chunk chunk = {.len = 0};
    while (run->len > 0) {
        struct mfx_str rest = *run;
        struct unit unit = cut_unit(&rest);
        size_t len = len_with(w, &chunk, unit);
        if (len > room)
            break;
        memcpy(chunk.p + chunk.len, unit.p, unit.len);
        chunk.len += unit.len;
        chunk.encoded_len = len;
        *run = rest;
    }
    return chunk;
}

static void
begin_word(struct writer *w, bool is_folded)
{
    mfx_buf_add_text(w->out, is_folded ? "\n " : " ");
    w->column = is_folded ? 1 : w->column + 1;
    w->is_begun = true;
}

/* Bytes of encoded text that this line still takes behind a blank. */
static size_t
room_of(const struct writer *w)
{
    size_t taken = w->column + 1 + FRAME;
    if (taken >= MFX_ENCODED_LINE_MAX)
        return 0;
    size_t left = MFX_ENCODED_LINE_MAX - taken;
    return left < TEXT_MAX ? left : TEXT_MAX;
}

static void
add_run(struct writer *w, struct mfx_str run)
{
    choose_encoding(w, run);
    while (run.len > 0) {
        struct chunk chunk = cut_chunk(w, &run, room_of(w));
        bool is_folded = chunk.len == 0;
        if (is_folded)
            chunk = cut_chunk(w, &run, TEXT_MAX);
        begin_word(w, is_folded);
        mfx_buf_add_text(w->out, w->is_q ? "=?utf-8?Q?" : "=?utf-8?B?");
        if (w->is_q)
            add_q(w->out, chunk.p, chunk.len);
        else
            add_b(w->out, chunk.p, chunk.len);
        mfx_buf_add_text(w->out, "?=");
        w->column += FRAME + chunk.encoded_len;
    }
}

static void
add_plain(struct writer *w, struct mfx_str word)
{
    begin_word(w,
               w->is_begun && w->column + 1 + word.len > MFX_ENCODED_LINE_MAX);
    mfx_buf_add(w->out, word);
    w->column += word.len;
}

/* Words that are to be encoded, and the blanks between them: white space
 * between encoded words would be lost. */
static struct mfx_str
run_of(struct mfx_str text)
{
    struct mfx_str rest = text;
    size_t len = 0;
    while (rest.len > 0) {
        struct mfx_str word = word_of(rest);
        if (is_plain(word))
            return mfx_str_head(text, len);
        rest = mfx_str_from(rest, word.len);
        len = text.len - rest.len;
        rest = skip_blanks(rest);
    }
    return text; /* with the blanks at the end */
}

size_t
mfx_encoded_word_format(struct mfx_buf *out, size_t column, struct mfx_str text)
{
    struct writer w = {.out = out, .column = column};
    for (text = skip_blanks(text); text.len > 0; text = skip_blanks(text)) {
        struct mfx_str part = word_of(text);
        if (is_plain(part)) {
            add_plain(&w, part);
        } else {
            part = run_of(text);
            add_run(&w, part);
        }
        text = mfx_str_from(text, part.len);
    }
    return w.column;
}
