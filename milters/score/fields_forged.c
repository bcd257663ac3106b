/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields that say what only we may say; and which names we may write.
 */
#include "fields.h"

#include "complain.h"

/* Back to the last star, for one more byte, when it does not go on. */
bool
score_fields_matches(struct mfx_str pattern, struct mfx_str name)
{
    size_t p = 0, n = 0, star = pattern.len, from = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.len &&
                   mfx_ascii_lower((unsigned char)pattern.p[p]) ==
                       mfx_ascii_lower((unsigned char)name.p[n])) {
            p++;
            n++;
        } else if (star < pattern.len) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

static bool
is_ours(const struct score_settings *s, struct mfx_str name)
{
    for (enum score_field kind = SCORE_FIELD_FLAG; kind < SCORE_FIELD_COUNT;
         kind++)
        if (mfx_str_eq_nocase(score_field_name(&s->headers, kind), name))
            return true;
    return false;
}

static bool
is_listed(const struct mfx_option_list *patterns, struct mfx_str name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (score_fields_matches(patterns->items[i], name))
            return true;
    return false;
}

unsigned
score_fields_remove(struct mfx_message *m,
                    const struct score_settings *settings, bool is_outgoing)
{
    unsigned count = 0;
    if (is_outgoing)
        return settings->seal.header.len > 0
                   ? score_fields_delete(m, settings->seal.header)
                   : 0;
    for (const struct mfx_header *h = m->headers.first; h != NULL;
         h = h->next) {
        if (!mfx_str_eq_nocase(settings->seal.header, h->name) &&
            !is_ours(settings, h->name) &&
            !is_listed(&settings->headers.remove, h->name))
            continue;
        mfx_edit_delete_header(m->decision, h);
        count++;
    }
    return count;
}

unsigned
score_fields_delete(struct mfx_message *m, struct mfx_str name)
{
    unsigned count = 0;
    for (const struct mfx_header *h = mfx_headers_first(&m->headers, name);
         h != NULL; h = h->same_next, count++)
        mfx_edit_delete_header(m->decision, h);
    return count;
}

bool
score_fields_is_reserved(const void *settings, struct mfx_str name)
{
    const struct score_settings *s = settings;
    return s->seal.header.len > 0 && mfx_str_eq_nocase(s->seal.header, name);
}

/* --- checking settings --- */

/* What a message cannot do without, or somebody else's business. */
static bool
is_needed(struct mfx_str pattern)
{
    static const struct mfx_str needed[] = {
        MFX_STR("From"),         MFX_STR("To"),
        MFX_STR("Cc"),           MFX_STR("Date"),
        MFX_STR("Subject"),      MFX_STR("Sender"),
        MFX_STR("Reply-To"),     MFX_STR("Message-ID"),
        MFX_STR("In-Reply-To"),  MFX_STR("References"),
        MFX_STR("MIME-Version"), MFX_STR("Content-Type"),
        MFX_STR("Received"),     MFX_STR("Content-Transfer-Encoding"),
        MFX_STR("Return-Path"),  MFX_STR("DKIM-Signature"),
        MFX_STR("List-Id"),      MFX_STR("Authentication-Results"),
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (score_fields_matches(pattern, needed[i]))
            return true;
    return false;
}

static void
check_name(const struct mfx_policy_build *build, const char *setting,
           struct mfx_str name)
{
    if (name.len == 0)
        return;
    if (!mfx_header_name_is_valid(name) || name.len > SCORE_FIELDS_NAME_MAX)
        score_complain(build, setting, "no name of a header field", name);
    else if (is_needed(name))
        score_complain(build, setting, "a field that mail needs itself", name);
}

/* Names that are given twice, the seal's too. */
static void
check_names(const struct score_settings *s,
            const struct mfx_policy_build *build)
{
    static const char *const settings[] = {
        [SCORE_FIELD_FLAG] = "headers.flag",
        [SCORE_FIELD_SCORE] = "headers.score",
        [SCORE_FIELD_LEVEL] = "headers.level",
        [SCORE_FIELD_STATUS] = "headers.status",
        [SCORE_FIELD_SYMBOLS] = "headers.symbols",
        [SCORE_FIELD_ACTION] = "headers.action",
        [SCORE_FIELD_VIRUS_SCANNED] = "headers.virus_scanned",
        [SCORE_FIELD_VIRUS_STATUS] = "headers.virus_status",
        [SCORE_FIELD_ORIGINAL_TO] = "headers.original_to",
        [SCORE_FIELD_COUNT] = "seal.header",
    };
    struct mfx_str names[SCORE_FIELD_COUNT + 1];
    for (size_t i = 0; i <= SCORE_FIELD_COUNT; i++) {
        names[i] = i == SCORE_FIELD_COUNT
                       ? s->seal.header
                       : score_field_name(&s->headers, (enum score_field)i);
        check_name(build, settings[i], names[i]);
        for (size_t k = 0; k < i; k++)
            if (names[i].len > 0 && mfx_str_eq_nocase(names[i], names[k]))
                score_complain(build, settings[i], settings[k], names[i]);
    }
}

static bool
is_pattern(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == ':')
            return false;
    return text.len > 0;
}

void
score_fields_check(const struct score_settings *s,
                   const struct mfx_policy_build *build)
{
    static const char remove[] = "headers.remove",
                      level[] = "headers.level_character";
    struct mfx_str character = s->headers.level_character;
    check_names(s, build);
    if (character.len != 1 || character.p[0] <= ' ' || character.p[0] > '~')
        score_complain(build, level, "no single printable character",
                       character);
    for (size_t i = 0; i < s->headers.remove.count; i++) {
        struct mfx_str pattern = s->headers.remove.items[i];
        if (!is_pattern(pattern))
            score_complain(build, remove, "no name of a header field", pattern);
        else if (is_needed(pattern))
            score_complain(build, remove, "fields that mail needs itself",
                           pattern);
    }
}
