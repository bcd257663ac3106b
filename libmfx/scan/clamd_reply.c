/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/clamd_reply.h>

#include <mfx/scan/clamd.h>

/* --- the reply --- */

/* Takes "ID: " off. False for another number, or none. */
static bool
cut_id(struct mfx_str *line, uint64_t id)
{
    uint64_t number;
    size_t colon = mfx_str_find(*line, ':');
    if (mfx_str_to_u64(mfx_str_head(*line, colon), UINT32_MAX, &number) !=
            MFX_OK ||
        number != id || colon + 1 >= line->len || line->p[colon + 1] != ' ')
        return false;
    *line = mfx_str_from(*line, colon + 2);
    return true;
}

static bool
is_printable(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

/* Takes the ending off. */
static bool
cut_ending(struct mfx_str *line, struct mfx_str ending)
{
    if (line->len < ending.len ||
        memcmp(line->p + line->len - ending.len, ending.p, ending.len) != 0)
        return false;
    line->len -= ending.len;
    return true;
}

/* What stands behind "stream: " or "fd[10]: ". */
static bool
cut_subject(struct mfx_str *line)
{
    for (size_t i = 0; i + 1 < line->len; i++) {
        if (line->p[i] == ':' && line->p[i + 1] == ' ') {
            *line = mfx_str_from(*line, i + 2);
            return true;
        }
    }
    return false;
}

/* "NAME(44d88612fea8a8f36de82e1278abb02f:68)" */
static struct mfx_str
without_hash(struct mfx_str name)
{
    size_t open = mfx_str_find_last(name, '(');
    bool has_hash = open < name.len && open > 0 &&
                    name.p[name.len - 1] == ')' &&
                    mfx_str_has(mfx_str_from(name, open), ':');
    return has_hash ? mfx_str_head(name, open) : name;
}

static enum mfx_rc
read_found(struct mfx_str line, struct mfx_clamd_reply *reply)
{
    if (!cut_subject(&line))
        return MFX_PERMFAIL;
    reply->kind = MFX_CLAMD_FOUND;
    reply->name = without_hash(line);
    return reply->name.len > 0 && reply->name.len <= MFX_CLAMD_NAME_MAX
               ? MFX_OK
               : MFX_PERMFAIL;
}

static bool
has_text(struct mfx_str line, struct mfx_str text)
{
    for (size_t i = 0; i + text.len <= line.len; i++)
        if (memcmp(line.p + i, text.p, text.len) == 0)
            return true;
    return false;
}

static enum mfx_rc
read_error(struct mfx_str line, struct mfx_clamd_reply *reply)
{
    static const struct mfx_str limit = MFX_STR("size limit exceeded");
    reply->kind = has_text(line, limit) ? MFX_CLAMD_TOO_LARGE : MFX_CLAMD_ERROR;
    reply->words = mfx_str_trim(line);
    return MFX_OK;
}

enum mfx_rc
mfx_clamd_reply_read(struct mfx_str line, uint64_t id,
                     struct mfx_clamd_reply *reply)
{
    static const struct mfx_str found = MFX_STR(" FOUND"),
                                error = MFX_STR("ERROR"), ok = MFX_STR(": OK"),
                                timed_out = MFX_STR("COMMAND READ TIMED OUT"),
                                unknown = MFX_STR("UNKNOWN COMMAND");
    memset(reply, 0, sizeof *reply);
    line = mfx_str_trim(line);
    if (!is_printable(line))
        return MFX_PERMFAIL;
    /* errors of the connection have no number */
    bool has_id = id == 0 || cut_id(&line, id);
    if (cut_ending(&line, error) || mfx_str_starts(line, timed_out) ||
        mfx_str_starts(line, unknown))
        return read_error(line, reply);
    if (!has_id)
        return MFX_PERMFAIL;
    if (cut_ending(&line, found))
        return read_found(line, reply);
    if (!cut_ending(&line, ok) || line.len == 0)
        return MFX_PERMFAIL;
    reply->kind = MFX_CLAMD_CLEAN;
    return MFX_OK;
}

/* --- names --- */

static bool
starts(struct mfx_str name, const char *prefix)
{
    return mfx_str_starts_nocase(name, mfx_str_of(prefix));
}

static bool
has_part(struct mfx_str name, const char *part)
{
    struct mfx_str rest = name, word;
    while (mfx_str_word(&rest, ".-_", &word))
        if (mfx_str_is_nocase(word, part))
            return true;
    return false;
}

static enum mfx_scan_class
heuristic_class(struct mfx_str name)
{
    static const struct {
        const char *prefix;
        enum mfx_scan_class klass;
    } rows[] = {
        {"Limits.",             MFX_SCAN_CLASS_LIMIT    },
        {"Encrypted.",          MFX_SCAN_CLASS_ENCRYPTED},
        {"OLE2.ContainsMacros", MFX_SCAN_CLASS_MACRO    },
        {"Phishing.",           MFX_SCAN_CLASS_PHISHING },
        {"Structured.",         MFX_SCAN_CLASS_DATA_LOSS},
        {"Broken.",             MFX_SCAN_CLASS_BROKEN   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (starts(name, rows[i].prefix))
            return rows[i].klass;
    return MFX_SCAN_CLASS_HEURISTIC;
}

enum mfx_scan_class
mfx_clamd_class(struct mfx_str name)
{
    static const struct mfx_str heuristics = MFX_STR("Heuristics.");
    if (name.len == 0)
        return MFX_SCAN_CLASS_NONE;
    if (mfx_str_starts_nocase(name, heuristics))
        return heuristic_class(mfx_str_from(name, heuristics.len));
    if (starts(name, "PUA."))
        return MFX_SCAN_CLASS_PUA;
    if (has_part(name, "Phishing") || has_part(name, "Phish"))
        return MFX_SCAN_CLASS_PHISHING;
    if (has_part(name, "Spam"))
        return MFX_SCAN_CLASS_SPAM;
    return MFX_SCAN_CLASS_VIRUS;
}
