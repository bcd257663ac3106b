/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands beside the record in DNS, and what only looks like one.
 */
#include "lint.h"

enum {
    SAFE_SIZE = 450, /* RFC 7208 3.4 */
    SHOWN = 60,
};

/* "spf1 ...", " v=spf1 ...", "\"v=spf1 ...", "v=spf1;...". */
static bool
looks_like_one(struct mfx_str text)
{
    static const struct mfx_str with = MFX_STR("v=spf1"),
                                bare = MFX_STR("spf1");
    while (text.len > 0 && !mfx_ascii_is_alnum((unsigned char)text.p[0]))
        text = mfx_str_from(text, 1);
    return mfx_str_starts_nocase(text, with) ||
           mfx_str_starts_nocase(text, bare);
}

static bool
is_sender_id(struct mfx_str text)
{
    static const struct mfx_str start = MFX_STR("spf2.0/");
    return mfx_str_starts_nocase(text, start);
}

static const char *
show_start(const struct lint *l, struct mfx_str text)
{
    return mfx_arena_printf(l->run->arena, "%s%s",
                            spf_verb_show(l->run, mfx_str_head(text, SHOWN)),
                            text.len > SHOWN ? "..." : "")
        .p;
}

static void
say_text(struct lint *l, struct mfx_str text)
{
    bool has_one = l->root->status != LINT_NO_RECORD;
    enum lint_level level = has_one ? LINT_DOUBT : LINT_WRONG;
    if (mfx_spf_record_is_one(text))
        return;
    if (is_sender_id(text))
        lint_say(l, LINT_HINT, "sender-id", "",
                 "\"%s\": Sender ID is historic (RFC 4406); nobody needs it",
                 show_start(l, text));
    else if (looks_like_one(text))
        lint_say(l, level, "version", "4.5",
                 "\"%s\" is no SPF record: it must begin with \"v=spf1\" and a "
                 "blank",
                 show_start(l, text));
}

static void
say_count(struct lint *l, const struct mfx_dns_answer *txt)
{
    size_t count = 0;
    for (size_t i = 0; txt != NULL && i < txt->count; i++)
        count += mfx_spf_record_is_one(txt->records[i].text);
    if (count > 1)
        lint_say(l, LINT_WRONG, "several", "4.5",
                 "%zu SPF records, where one is allowed: permerror", count);
    if (l->root->status == LINT_NO_RECORD)
        lint_say(l, LINT_WRONG, "none", "4.5",
                 txt == NULL ? "it does not begin with \"v=spf1\" and a blank"
                             : "no SPF record: the result is none; a domain "
                               "that sends no mail has \"v=spf1 -all\"");
}

/* Name and texts, as RFC 7208 3.4 counts. */
static void
say_size(struct lint *l, const struct mfx_dns_answer *txt)
{
    size_t size = l->root->domain.len;
    if (txt == NULL)
        size += l->root->text.len;
    for (size_t i = 0; txt != NULL && i < txt->count; i++)
        size += txt->records[i].text.len;
    l->octets = size;
    if (size > SAFE_SIZE && l->root->status != LINT_NO_RECORD)
        lint_say(l, LINT_DOUBT, "size", "3.4",
                 "the name and all its TXT records have %zu octets; up to %d "
                 "fit into a UDP answer everywhere",
                 size, SAFE_SIZE);
}

static void
say_old(struct lint *l, const struct mfx_dns_answer *old)
{
    if (old == NULL || old->status != MFX_DNS_ANSWER)
        return;
    bool is_same = l->root->text.len > 0 && old->count == 1 &&
                   mfx_str_eq(old->records[0].text, l->root->text);
    lint_say(l, LINT_HINT, "type-99", "3.1",
             "there is a record of type SPF (99), too%s: it is no longer "
             "looked up and can go",
             is_same ? "" : ", with another text");
}

void
lint_records(struct lint *l, const struct mfx_dns_answer *txt,
             const struct mfx_dns_answer *old)
{
    say_size(l, txt);
    for (size_t i = 0; txt != NULL && i < txt->count; i++)
        say_text(l, txt->records[i].text);
    if (txt == NULL)
        say_text(l, l->root->text);
    say_count(l, txt);
    say_old(l, old);
}
