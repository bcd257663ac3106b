/* SPDX-License-Identifier: BSD-2-Clause */
#include "limits.h"

#include <inttypes.h>

#include "settings.h"

enum {
    SPAN_MAX_S = 400 * 86400,
};

static const struct {
    const char *word;
    enum quota_calendar_unit unit;
} calendar_words[] = {
    {"minute", QUOTA_CALENDAR_MINUTE},
    {"hour",   QUOTA_CALENDAR_HOUR  },
    {"day",    QUOTA_CALENDAR_DAY   },
    {"week",   QUOTA_CALENDAR_WEEK  },
    {"month",  QUOTA_CALENDAR_MONTH },
};

enum {
    CALENDAR_WORDS = sizeof calendar_words / sizeof calendar_words[0],
};

static const struct {
    char letter;
    unsigned seconds;
} spans[] = {
    {'w', 7 * 86400},
    {'d', 86400    },
    {'h', 3600     },
    {'m', 60       },
    {'s', 1        },
};

enum {
    SPANS = sizeof spans / sizeof spans[0],
};

struct reading {
    int count;
    const struct quota_zone *zone;
    struct quota_limits *limits;
    struct mfx_err *err;
};

static enum mfx_rc
wrong(const struct reading *r, struct mfx_str text, const char *why)
{
    mfx_err_set(r->err, "\"%.*s\": %s", MFX_STR_ARG(mfx_str_head(text, 80)),
                why);
    return MFX_PERMFAIL;
}

/* "500", "10M". */
static bool
parse_number(struct mfx_str text, uint64_t *number)
{
    static const char letters[] = "KMGT";
    unsigned shift = 0;
    for (unsigned i = 0; text.len > 0 && letters[i] != '\0'; i++)
        if (mfx_ascii_lower((unsigned char)text.p[text.len - 1]) ==
            mfx_ascii_lower((unsigned char)letters[i]))
            shift = (i + 1) * 10;
    if (shift > 0)
        text.len--;
    /* what every store counts exactly (2^53), as a double does */
    if (mfx_str_to_u64(text, (UINT64_C(1) << 53) >> shift, number) != MFX_OK)
        return false;
    *number <<= shift;
    return true;
}

static bool
parse_span(struct mfx_str text, uint64_t *span_ms)
{
    uint64_t n;
    if (text.len < 2)
        return false;
    for (size_t i = 0; i < SPANS; i++) {
        if (text.p[text.len - 1] != spans[i].letter)
            continue;
        if (mfx_str_to_u64(mfx_str_head(text, text.len - 1),
                           SPAN_MAX_S / spans[i].seconds, &n) != MFX_OK ||
            n == 0)
            return false;
        *span_ms = n * spans[i].seconds * 1000;
        return true;
    }
    return false;
}

static enum mfx_rc
add_window(const struct reading *r, struct mfx_str text,
           const struct mfx_store_window *window)
{
    struct quota_limits *l = r->limits;
    for (size_t i = 0; i < l->window_count; i++)
        if (l->windows[i].shape == window->shape &&
            l->windows[i].span_ms == window->span_ms)
            return wrong(r, text, "the same span is limited twice");
    if (l->window_count == MFX_STORE_WINDOWS_MAX)
        return wrong(r, text, "too many limits together (8)");
    l->windows[l->window_count++] = *window;
    return MFX_OK;
}

static enum mfx_rc
take_message_limit(const struct reading *r, struct mfx_str text, uint64_t n)
{
    if (r->count != QUOTA_COUNT_RECIPIENTS && r->count != QUOTA_COUNT_BYTES)
        return wrong(r, text,
                     "a limit of one message is for recipients and bytes");
    if (r->limits->per_message != MFX_STORE_UNLIMITED)
        return wrong(r, text, "a message is limited twice");
    r->limits->per_message = n;
    return MFX_OK;
}

static enum mfx_rc
take_window(const struct reading *r, struct mfx_str text, struct mfx_str span,
            uint64_t n)
{
    struct mfx_store_window w = {.shape = MFX_STORE_SLIDING, .limit = n};
    for (size_t i = 0; i < CALENDAR_WORDS; i++) {
        if (!mfx_str_is(span, calendar_words[i].word))
            continue;
        w.shape = MFX_STORE_FIXED;
        w.span_ms = i + 1;
        w.period = quota_zone_period;
        w.period_arg = quota_zone_unit(r->zone, calendar_words[i].unit);
    }
    if (w.shape == MFX_STORE_SLIDING && !parse_span(span, &w.span_ms))
        return wrong(r, text,
                     "the span is to be like 1m, 12h, 30d, or minute, hour, "
                     "day, week, month, message");
    return add_window(r, text, &w);
}

static enum mfx_rc
take_open(const struct reading *r, struct mfx_str text, uint64_t n)
{
    const struct mfx_store_window w = {.shape = MFX_STORE_SLIDING, .limit = n};
    if (r->count != QUOTA_COUNT_OPEN_CONNECTIONS)
        return wrong(r, text, "a limit is a number and a span, like 500/1d");
    return add_window(r, text, &w);
}

/* What came before becomes a bucket: what was its limit a span is how fast it
 * fills, and so how long until it is full. */
static enum mfx_rc
take_burst(const struct reading *r, struct mfx_str text, struct mfx_str number)
{
    struct quota_limits *l = r->limits;
    struct mfx_store_window *w =
        l->window_count == 0 ? NULL : &l->windows[l->window_count - 1];
    uint64_t burst;
    if (w == NULL || w->shape != MFX_STORE_SLIDING || w->span_ms == 0)
        return wrong(r, text, "burst= follows a limit like 100/1h");
    if (!parse_number(number, &burst) || burst == 0 || w->limit == 0)
        return wrong(r, text, "burst= and its rate are to be above 0");
    double span = (double)w->span_ms * (double)burst / (double)w->limit;
    if (span < 1 || span > SPAN_MAX_S * 1000.0)
        return wrong(r, text, "fills within 1 ms, or not within 400 days");
    w->shape = MFX_STORE_BUCKET;
    w->span_ms = (uint64_t)(span + 0.5);
    w->limit = burst;
    return MFX_OK;
}

static enum mfx_rc
take_word(const struct reading *r, struct mfx_str word)
{
    const struct mfx_str burst = MFX_STR("burst=");
    size_t slash = mfx_str_find(word, '/');
    uint64_t n;
    if (mfx_str_starts(word, burst))
        return take_burst(r, word, mfx_str_from(word, burst.len));
    if (!parse_number(mfx_str_head(word, slash), &n))
        return wrong(r, word, "a limit is a number and a span, like 500/1d");
    if (slash == word.len)
        return take_open(r, word, n);
    struct mfx_str span = mfx_str_from(word, slash + 1);
    if (r->count == QUOTA_COUNT_OPEN_CONNECTIONS)
        return wrong(r, word, "open connections are limited by a number alone");
    if (mfx_str_is(span, "message"))
        return take_message_limit(r, word, n);
    return take_window(r, word, span, n);
}

enum mfx_rc
quota_limits_parse(struct mfx_str text, int count,
                   const struct quota_zone *zone, struct quota_limits *limits,
                   struct mfx_err *err)
{
    const struct reading r = {count, zone, limits, err};
    struct mfx_str rest = mfx_str_trim(text), word;
    enum mfx_rc rc = MFX_OK;
    memset(limits, 0, sizeof *limits);
    limits->per_message = MFX_STORE_UNLIMITED;
    if (mfx_str_is_nocase(rest, "unlimited"))
        return MFX_OK;
    if (mfx_str_starts_nocase(rest, mfx_str_of("blocked")) &&
        (rest.len == 7 || mfx_ascii_is_wsp((unsigned char)rest.p[7]))) {
        limits->is_blocked = true;
        limits->reason = mfx_str_trim(mfx_str_from(rest, 7));
        return MFX_OK;
    }
    if (rest.len == 0)
        return wrong(&r, rest, "no limit is given");
    while (rc == MFX_OK && mfx_str_word(&rest, " \t,", &word))
        rc = take_word(&r, word);
    return rc;
}

static void
format_number(uint64_t n, struct mfx_buf *out)
{
    static const char letters[] = "KMGT";
    unsigned power = 0;
    while (n > 0 && n % 1024 == 0 && power < 4) {
        n /= 1024;
        power++;
    }
    mfx_buf_printf(out, "%" PRIu64, n);
    if (power > 0)
        mfx_buf_add_byte(out, letters[power - 1]);
}

static void
format_ms(uint64_t ms, struct mfx_buf *out)
{
    for (size_t i = 0; i < SPANS; i++)
        if (ms % (spans[i].seconds * UINT64_C(1000)) == 0) {
            mfx_buf_printf(out, "%" PRIu64 "%c",
                           ms / (spans[i].seconds * UINT64_C(1000)),
                           spans[i].letter);
            return;
        }
    mfx_buf_printf(out, "%" PRIu64 "ms", ms);
}

void
quota_limits_format_span(const struct mfx_store_window *w, struct mfx_buf *out)
{
    switch (w->shape) {
    case MFX_STORE_FIXED:
        mfx_buf_add_text(out, w->span_ms >= 1 && w->span_ms <= CALENDAR_WORDS
                                  ? calendar_words[w->span_ms - 1].word
                                  : "?");
        return;
    case MFX_STORE_BUCKET:
        mfx_buf_add_text(out, "burst ");
        format_ms(w->span_ms, out);
        return;
    case MFX_STORE_SLIDING:
        if (w->span_ms == 0)
            mfx_buf_add_text(out, "now");
        else
            format_ms(w->span_ms, out);
        return;
    }
}

void
quota_limits_format(const struct mfx_store_window *w, struct mfx_buf *out)
{
    if (w->limit == MFX_STORE_UNLIMITED) {
        mfx_buf_add_text(out, "unlimited");
        return;
    }
    format_number(w->limit, out);
    if (w->shape == MFX_STORE_SLIDING && w->span_ms == 0)
        return;
    mfx_buf_add_byte(out, '/');
    if (w->shape == MFX_STORE_BUCKET) {
        format_ms(w->span_ms, out);
        mfx_buf_add_text(out, " burst=");
        format_number(w->limit, out);
        return;
    }
    quota_limits_format_span(w, out);
}
