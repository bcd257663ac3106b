/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/spamd_reply.h>

enum {
    WHOLE_DIGITS = 9,
    PART_DIGITS = 9,
    FIELDS_MAX = 100,
    CODE_MAX = 255,
};

/* --- numbers --- */

static bool
add_digits(struct mfx_str *s, size_t max, double *value, double *unit)
{
    size_t count = 0;
    while (s->len > 0 && mfx_ascii_is_digit((unsigned char)s->p[0])) {
        *value = *value * 10 + (s->p[0] - '0');
        *unit *= 10;
        *s = mfx_str_from(*s, 1);
        count++;
    }
    return count > 0 && count <= max;
}

bool
mfx_spamd_number(struct mfx_str text, double *value)
{
    double whole = 0, part = 0, unit = 1, ignored = 1;
    bool is_negative = text.len > 0 && text.p[0] == '-';
    if (is_negative)
        text = mfx_str_from(text, 1);
    if (!add_digits(&text, WHOLE_DIGITS, &whole, &ignored))
        return false;
    if (text.len > 0) {
        if (text.p[0] != '.')
            return false;
        text = mfx_str_from(text, 1);
        if (!add_digits(&text, PART_DIGITS, &part, &unit) || text.len > 0)
            return false;
    }
    *value = (is_negative ? -1 : 1) * (whole + part / unit);
    return true;
}

/* --- the head --- */

static enum mfx_rc
wrong(struct mfx_err *err, const char *what)
{
    mfx_err_set(err, "%s", what);
    return MFX_PERMFAIL;
}

/* The next line, ended by LF, without CR LF. False: it is not whole. */
static bool
cut_line(struct mfx_str *rest, struct mfx_str *line)
{
    size_t end = mfx_str_find(*rest, '\n');
    if (end == rest->len)
        return false;
    *line = mfx_str_head(*rest, end);
    *rest = mfx_str_from(*rest, end + 1);
    if (line->len > 0 && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* "SPAMD/1.1 0 EX_OK" */
static enum mfx_rc
read_first(struct mfx_str line, struct mfx_spamd_reply *reply,
           struct mfx_err *err)
{
    static const struct mfx_str tag = MFX_STR("SPAMD/");
    struct mfx_str version, code;
    uint64_t number;
    if (!mfx_str_is_line(line) || !mfx_str_starts(line, tag))
        return wrong(err, "this is no spamd");
    bool has_words = mfx_str_cut(&line, ' ', &version) && line.p != NULL &&
                     mfx_str_cut(&line, ' ', &code);
    if (!has_words || version.len == tag.len ||
        mfx_str_to_u64(code, CODE_MAX, &number) != MFX_OK)
        return wrong(err, "the first line is broken");
    reply->code = (unsigned)number;
    reply->text = line.p == NULL ? mfx_str("", 0) : line;
    return MFX_OK;
}

static bool
read_verdict_word(struct mfx_str word, bool *is_spam)
{
    *is_spam =
        mfx_str_is_nocase(word, "True") || mfx_str_is_nocase(word, "Yes");
    return *is_spam || mfx_str_is_nocase(word, "False") ||
           mfx_str_is_nocase(word, "No");
}

/* "True ; 15.0 / 5.0" */
static enum mfx_rc
read_verdict(struct mfx_str value, struct mfx_spamd_reply *reply,
             struct mfx_err *err)
{
    struct mfx_str word, score;
    if (reply->has_verdict)
        return wrong(err, "two verdicts");
    bool is_good = mfx_str_cut(&value, ';', &word) && value.p != NULL &&
                   mfx_str_cut(&value, '/', &score) && value.p != NULL &&
                   read_verdict_word(mfx_str_trim(word), &reply->is_spam) &&
                   mfx_spamd_number(mfx_str_trim(score), &reply->score) &&
                   mfx_spamd_number(mfx_str_trim(value), &reply->required);
    reply->has_verdict = is_good;
    return is_good ? MFX_OK : wrong(err, "the verdict is broken");
}

static enum mfx_rc
read_length(struct mfx_str value, struct mfx_spamd_reply *reply,
            struct mfx_err *err)
{
    if (reply->has_length)
        return wrong(err, "two lengths");
    if (mfx_str_to_u64(value, UINT32_MAX, &reply->length) != MFX_OK)
        return wrong(err, "the length is broken");
    reply->has_length = true;
    return MFX_OK;
}

static enum mfx_rc
read_field(struct mfx_str line, struct mfx_spamd_reply *reply,
           struct mfx_err *err)
{
    struct mfx_str name;
    if (!mfx_str_is_line(line) || !mfx_str_cut(&line, ':', &name) ||
        line.p == NULL)
        return wrong(err, "a line of the head is broken");
    struct mfx_str value = mfx_str_trim(line);
    if (mfx_str_is_nocase(name, "Spam"))
        return read_verdict(value, reply, err);
    if (mfx_str_is_nocase(name, "Content-length"))
        return read_length(value, reply, err);
    if (mfx_str_is_nocase(name, "DidSet"))
        reply->did_set = true;
    if (mfx_str_is_nocase(name, "DidRemove"))
        reply->did_remove = true;
    return MFX_OK;
}

/* --- the whole --- */

/* rest: behind the empty line. */
static enum mfx_rc
read_body(struct mfx_str rest, enum mfx_spamd_kind kind,
          struct mfx_spamd_reply *reply, struct mfx_err *err)
{
    bool wants_verdict =
        kind == MFX_SPAMD_KIND_CHECK || kind == MFX_SPAMD_KIND_BODY;
    if (wants_verdict && !reply->has_verdict)
        return wrong(err, "there is no verdict");
    if (kind == MFX_SPAMD_KIND_BODY && !reply->has_length)
        return wrong(err, "there is no length");
    if (!reply->has_length) /* TELL's reply has an empty line too many */
        return mfx_str_trim(rest).len == 0
                   ? MFX_OK
                   : wrong(err, "there is more than there should be");
    if (rest.len > reply->length)
        return wrong(err, "it is longer than it says");
    reply->body = rest;
    return rest.len == reply->length ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
read_reply(struct mfx_str bytes, enum mfx_spamd_kind kind,
           struct mfx_spamd_reply *reply, struct mfx_err *err)
{
    struct mfx_str rest = bytes, line;
    if (!cut_line(&rest, &line))
        return bytes.len > MFX_SPAMD_HEAD_MAX
                   ? wrong(err, "the first line is too long")
                   : MFX_TEMPFAIL;
    enum mfx_rc rc = read_first(line, reply, err);
    if (rc != MFX_OK || reply->code != 0 || kind == MFX_SPAMD_KIND_PING)
        return rc;
    for (int fields = 0; rc == MFX_OK; fields++) {
        bool is_long = (size_t)(rest.p - bytes.p) > MFX_SPAMD_HEAD_MAX;
        if (is_long || fields > FIELDS_MAX)
            return wrong(err, "the head is too long");
        if (!cut_line(&rest, &line))
            return rest.len > MFX_SPAMD_HEAD_MAX
                       ? wrong(err, "the head is too long")
                       : MFX_TEMPFAIL;
        if (line.len == 0)
            return read_body(rest, kind, reply, err);
        rc = read_field(line, reply, err);
    }
    return rc;
}

enum mfx_rc
mfx_spamd_reply_read(struct mfx_str bytes, bool is_closed,
                     enum mfx_spamd_kind kind, struct mfx_spamd_reply *reply,
                     struct mfx_err *err)
{
    static const struct mfx_str tag = MFX_STR("SPAMD/");
    memset(reply, 0, sizeof *reply);
    reply->text = reply->body = mfx_str("", 0);
    /* what is no spamd is told apart at once, not at the time's end */
    if (!mfx_str_starts(bytes, mfx_str_head(tag, bytes.len)))
        return wrong(err, "this is no spamd");
    enum mfx_rc rc = read_reply(bytes, kind, reply, err);
    if (rc == MFX_TEMPFAIL && is_closed)
        return wrong(err, "it is shorter than it says");
    return rc;
}
