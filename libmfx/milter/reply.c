/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/reply.h>

#include <stdio.h>

struct standard {
    char class;
    const char *code, *enhanced, *text;
};

static const struct standard rejected = {'5', "550", "5.7.1",
                                         "Command rejected"};
static const struct standard deferred = {
    '4', "451", "4.7.1", "Service unavailable - try again later"};

/* One to three digits; *rest behind them. */
static bool
take_number(struct mfx_str *rest)
{
    size_t n = 0;
    while (n < rest->len && n < 4 &&
           mfx_ascii_is_digit((unsigned char)rest->p[n]))
        n++;
    *rest = mfx_str_from(*rest, n);
    return n >= 1 && n <= 3;
}

/* RFC 3463 2: class "." subject "." detail */
static bool
is_enhanced(struct mfx_str s, char class)
{
    if (s.len < 5 || s.len > 9 || s.p[0] != class || s.p[1] != '.')
        return false;
    s = mfx_str_from(s, 2);
    if (!take_number(&s) || s.len == 0 || s.p[0] != '.')
        return false;
    s = mfx_str_from(s, 1);
    return take_number(&s) && s.len == 0;
}

static void
copy_text(struct mfx_str text, char *out)
{
    size_t at = 0;
    text = mfx_str_trim(text);
    for (size_t i = 0; i < text.len && i < MFX_REPLY_TEXT; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (mfx_ascii_is_fws(c))
            c = ' ';
        else if (c < ' ' || c >= 0x7F)
            c = '?';
        out[at++] = (char)c;
        if (c == '%')
            out[at++] = '%';
    }
    out[at] = '\0';
}

void
mfx_reply_make(const struct mfx_decision *d, struct mfx_reply *reply)
{
    const struct standard *s =
        d->verdict == MFX_VERDICT_REJECT ? &rejected : &deferred;
    bool is_refusal =
        d->verdict == MFX_VERDICT_REJECT || d->verdict == MFX_VERDICT_TEMPFAIL;
    reply->is_set = is_refusal && (d->code != 0 || d->text.len > 0);
    if (!reply->is_set)
        return;
    bool is_class = d->code >= 400 && d->code <= 599 &&
                    d->code / 100 == (unsigned)(s->class - '0');
    if (is_class)
        (void)snprintf(reply->code, sizeof reply->code, "%u", d->code % 1000);
    else
        (void)snprintf(reply->code, sizeof reply->code, "%s", s->code);
    if (is_enhanced(d->enhanced, s->class))
        (void)snprintf(reply->enhanced, sizeof reply->enhanced, "%.*s",
                       MFX_STR_ARG(d->enhanced));
    else
        (void)snprintf(reply->enhanced, sizeof reply->enhanced, "%s",
                       s->enhanced);
    copy_text(mfx_str_trim(d->text).len > 0 ? d->text : mfx_str_of(s->text),
              reply->text);
}
