/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_header_policy.h>

#include <mfx/base/map.h>

#include <stdlib.h>

static const char separators[] = ", \t\r\n:";

/* RFC 6376 5.4.1, and what has come up since: fields that readers see or that
 * programs act on. Resent-* stand here together, so that a block is signed as
 * one. */
static const char default_signed[] =
    "From,Sender,Reply-To,Subject,Date,Message-ID,To,Cc,MIME-Version,"
    "Content-Type,Content-Transfer-Encoding,Content-ID,Content-Description,"
    "In-Reply-To,References,Resent-Date,Resent-From,Resent-Sender,Resent-To,"
    "Resent-Cc,Resent-Message-ID,List-Id,List-Help,List-Unsubscribe,"
    "List-Unsubscribe-Post,List-Subscribe,List-Post,List-Owner,List-Archive,"
    "Feedback-ID,Autocrypt,OpenPGP";
static const char default_omitted[] = "Comments,Keywords";
/* "?": only when the message has one. Those may be added on the way by
 * honest hands (an MSA adds Date and Message-ID, a gateway MIME fields). */
static const char default_oversigned[] =
    "From,Reply-To,Subject,To,Cc,Sender?,Date?,Message-ID?,MIME-Version?,"
    "Content-Type?,Content-Transfer-Encoding?,In-Reply-To?,References?,"
    "Autocrypt?,OpenPGP?";

/* Changed or taken away on the way, or not for the reader's eyes. */
static const char *const never[] = {
    "Return-Path", "Received",       "Bcc",
    "Resent-Bcc",  "DKIM-Signature", "Authentication-Results",
};

struct item {
    struct mfx_str name;
    bool only_present;
    struct item *next;
};

struct list {
    struct item *first, **end;
};

struct mfx_dkim_header_policy {
    struct mfx_arena *arena;
    struct mfx_map *exact; /* signed names without wildcards */
    struct item *wild;     /* signed names with */
    struct item *omitted;
    struct mfx_dkim_oversign *oversigned;
};

static bool
is_never(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (mfx_str_is_nocase(name, never[i]))
            return true;
    return false;
}

static bool
is_wild(struct mfx_str pattern)
{
    return mfx_str_has(pattern, '*');
}

/* "*" stands for any bytes, also none. */
static bool
matches(struct mfx_str pattern, struct mfx_str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len &&
                   mfx_ascii_lower((unsigned char)pattern.p[p]) ==
                       mfx_ascii_lower((unsigned char)name.p[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

static bool
matches_any(const struct item *items, struct mfx_str name)
{
    for (; items != NULL; items = items->next)
        if (matches(items->name, name))
            return true;
    return false;
}

/* --- lists --- */

static enum mfx_rc
no_memory(struct mfx_err *err)
{
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

static enum mfx_rc
add_item(struct list *list, struct mfx_arena *arena, struct mfx_str word,
         struct mfx_err *err)
{
    struct mfx_str name = word;
    bool only_present = name.len > 0 && name.p[name.len - 1] == '?';
    name.len -= only_present;
    if (!mfx_header_name_is_valid(name) || mfx_str_has(name, ';')) {
        mfx_err_set(err, "\"%.*s\" is no header field name",
                    MFX_STR_ARG(mfx_str_head(word, 100)));
        return MFX_PERMFAIL;
    }
    for (struct item *i = list->first; i != NULL; i = i->next)
        if (mfx_str_eq_nocase(i->name, name)) {
            i->only_present = only_present;
            return MFX_OK;
        }
    struct item *item = mfx_arena_alloc(arena, sizeof *item);
    if (item == NULL)
        return no_memory(err);
    item->name = mfx_arena_copy(arena, name);
    item->only_present = only_present;
    *list->end = item;
    list->end = &item->next;
    return mfx_arena_ok(arena) ? MFX_OK : no_memory(err);
}

static void
remove_items(struct list *list, struct mfx_str pattern)
{
    struct item **at = &list->first;
    while (*at != NULL) {
        if (matches(pattern, (*at)->name))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    list->end = at;
}

static bool
is_delta(struct mfx_str text)
{
    struct mfx_str word;
    while (mfx_str_word(&text, separators, &word))
        if (mfx_str_is(word, "*"))
            return true;
    return false;
}

static enum mfx_rc
parse_words(struct mfx_str text, bool delta, struct mfx_arena *arena,
            struct list *list, struct mfx_err *err)
{
    struct mfx_str word;
    while (mfx_str_word(&text, separators, &word)) {
        enum mfx_rc rc = MFX_OK;
        bool is_minus = word.p[0] == '-';
        if (is_minus && !delta) {
            mfx_err_set(err,
                        "\"%.*s\" takes away from the default: the list then "
                        "needs an item \"*\"",
                        MFX_STR_ARG(mfx_str_head(word, 100)));
            return MFX_PERMFAIL;
        }
        if (is_minus)
            remove_items(list, mfx_str_from(word, 1));
        else if (!delta || !mfx_str_is(word, "*"))
            rc = add_item(list, arena,
                          mfx_str_from(word, word.p[0] == '+' ? 1 : 0), err);
        if (rc != MFX_OK)
            return rc;
    }
    return MFX_OK;
}

/* OpenDKIM's syntax: a plain list replaces the default, one with an item "*"
 * changes it. "none" is the empty list. */
static enum mfx_rc
parse_list(struct mfx_str text, const char *otherwise, struct mfx_arena *arena,
           struct list *list, struct mfx_err *err)
{
    bool is_empty = mfx_str_trim(text).len == 0, delta = is_delta(text);
    enum mfx_rc rc = MFX_OK;
    *list = (struct list){.end = &list->first};
    if (mfx_str_is_nocase(mfx_str_trim(text), "none"))
        return MFX_OK;
    if (is_empty || delta)
        rc = parse_words(mfx_str_of(otherwise), false, arena, list, err);
    if (rc != MFX_OK || is_empty)
        return rc;
    return parse_words(text, delta, arena, list, err);
}

static enum mfx_rc
refuse_never(const struct list *list, struct mfx_err *err)
{
    for (const struct item *i = list->first; i != NULL; i = i->next)
        if (is_never(i->name)) {
            mfx_err_set(err, "%.*s is never signed: it does not stay as it is",
                        MFX_STR_ARG(i->name));
            return MFX_PERMFAIL;
        }
    return MFX_OK;
}

/* --- the policy --- */

static enum mfx_rc
set_signed(struct mfx_dkim_header_policy *policy, struct item *items,
           struct mfx_err *err)
{
    while (items != NULL) {
        struct item *item = items;
        items = items->next;
        if (is_wild(item->name)) {
            item->next = policy->wild;
            policy->wild = item;
        } else if (mfx_map_put(policy->exact, item->name, item) != MFX_OK) {
            return no_memory(err);
        }
    }
    return MFX_OK;
}

static bool
is_from(struct mfx_str name)
{
    return mfx_str_is_nocase(name, "From");
}

/* What is oversigned is signed where it is present; what is omitted is
 * neither. */
static enum mfx_rc
set_oversigned(struct mfx_dkim_header_policy *policy, const struct item *items,
               struct mfx_err *err)
{
    struct mfx_dkim_oversign **end = &policy->oversigned;
    for (; items != NULL; items = items->next) {
        if (is_wild(items->name)) {
            mfx_err_set(err, "\"%.*s\": only whole names can be oversigned",
                        MFX_STR_ARG(items->name));
            return MFX_PERMFAIL;
        }
        if (matches_any(policy->omitted, items->name) && !is_from(items->name))
            continue;
        struct mfx_dkim_oversign *o = mfx_arena_alloc(policy->arena, sizeof *o);
        if (o == NULL || mfx_map_put(policy->exact, items->name, o) != MFX_OK)
            return no_memory(err);
        o->name = items->name;
        o->only_present = items->only_present;
        *end = o;
        end = &o->next;
    }
    return MFX_OK;
}

static enum mfx_rc
build(struct mfx_dkim_header_policy *policy, const struct mfx_str *texts,
      struct mfx_err *err)
{
    static const char *const defaults[] = {default_signed, default_omitted,
                                           default_oversigned};
    static const char *const names[] = {"signed fields", "omitted fields",
                                        "oversigned fields"};
    struct list lists[3];
    for (size_t i = 0; i < 3; i++) {
        enum mfx_rc rc =
            parse_list(texts[i], defaults[i], policy->arena, &lists[i], err);
        if (rc == MFX_OK && i != 1)
            rc = refuse_never(&lists[i], err);
        if (rc != MFX_OK) {
            mfx_err_prefix(err, "%s", names[i]);
            return rc;
        }
    }
    policy->omitted = lists[1].first;
    enum mfx_rc rc =
        add_item(&lists[0], policy->arena, mfx_str_of("From"), err);
    if (rc == MFX_OK)
        rc = set_signed(policy, lists[0].first, err);
    if (rc == MFX_OK)
        rc = set_oversigned(policy, lists[2].first, err);
    return rc;
}

enum mfx_rc
mfx_dkim_header_policy_parse(struct mfx_str signed_list,
                             struct mfx_str omitted_list,
                             struct mfx_str oversigned_list,
                             struct mfx_dkim_header_policy **policy,
                             struct mfx_err *err)
{
    const struct mfx_str texts[] = {signed_list, omitted_list, oversigned_list};
    struct mfx_dkim_header_policy *p = calloc(1, sizeof *p);
    if (p == NULL)
        return no_memory(err);
    p->arena = mfx_arena_new(0);
    p->exact = mfx_map_new(MFX_MAP_NOCASE, 64);
    enum mfx_rc rc = p->arena == NULL || p->exact == NULL
                         ? no_memory(err)
                         : build(p, texts, err);
    if (rc == MFX_OK)
        *policy = p;
    else
        mfx_dkim_header_policy_free(p);
    return rc;
}

void
mfx_dkim_header_policy_free(struct mfx_dkim_header_policy *policy)
{
    if (policy == NULL)
        return;
    mfx_map_free(policy->exact);
    mfx_arena_free(policy->arena);
    free(policy);
}

bool
mfx_dkim_header_policy_signs(const struct mfx_dkim_header_policy *policy,
                             struct mfx_str name)
{
    if (mfx_map_get(policy->exact, name) == NULL &&
        (policy->wild == NULL || !matches_any(policy->wild, name)))
        return false;
    if (is_from(name))
        return true;
    return !is_never(name) && !matches_any(policy->omitted, name) &&
           mfx_header_name_is_valid(name) && !mfx_str_has(name, ';');
}

const struct mfx_dkim_oversign *
mfx_dkim_header_policy_oversigned(const struct mfx_dkim_header_policy *policy)
{
    return policy->oversigned;
}
