/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_reply.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SCORE_MAX 1e9

/* --- words --- */

/* What an engine wrote, fit for a log of ours. */
static void
put_plain(char *to, size_t size, struct mfx_str text)
{
    size_t len = 0;
    for (; len < text.len && len + 1 < size; len++)
        to[len] = text.p[len] < ' ' || text.p[len] > '~' ? '?' : text.p[len];
    to[len] = '\0';
}

static void
put_error(char *to, size_t size, const struct mfx_scan_json *root)
{
    const struct mfx_scan_json *error = mfx_scan_json_get(root, "error");
    put_plain(to, size,
              mfx_scan_json_is_text(error) ? error->text : mfx_str("", 0));
}

/* --- JSON --- */

/* Names of files, encoded words and the like may have brought other bytes. */
static struct mfx_str
mend(struct mfx_arena *arena, struct mfx_str json)
{
    char *to = mfx_arena_alloc_bytes(arena, json.len);
    if (to == NULL)
        return mfx_str("", 0);
    for (size_t at = 0; at < json.len;) {
        size_t len = mfx_str_utf8_first(mfx_str_from(json, at));
        if (len == 0)
            to[at++] = '?';
        for (; len > 0; len--, at++)
            to[at] = json.p[at];
    }
    return mfx_str(to, json.len);
}

/* The object; NULL: it is none, and why. A key that comes twice could mean
 * either. */
static const struct mfx_scan_json *
parse(struct mfx_arena *arena, struct mfx_str json, struct mfx_err *err)
{
    struct mfx_err why = {{0}};
    if (!mfx_str_is_utf8(json))
        json = mend(arena, json);
    const struct mfx_scan_json *root = mfx_scan_json_read(arena, json, &why);
    if (root == NULL) {
        mfx_err_set(err, "no JSON: %s", why.msg);
    } else if (root->kind != MFX_SCAN_JSON_OBJECT) {
        mfx_err_set(err, "no JSON object");
        root = NULL;
    }
    return root;
}

struct mfx_str
mfx_rspamd_text(struct mfx_arena *arena, const struct mfx_scan_json *value)
{
    struct mfx_str s = mfx_str("", 0);
    if (mfx_scan_json_is_text(value) && value->text.len > 0)
        s = mfx_arena_copy(arena, value->text);
    return s.p == NULL ? mfx_str("", 0) : s;
}

/* {} is an empty table of Lua's. */
static bool
is_nothing(const struct mfx_scan_json *value)
{
    return value == NULL || value->kind == MFX_SCAN_JSON_NULL ||
           (mfx_scan_json_is_object(value) && value->count == 0);
}

/* One that stands for a list is a list of one. */
struct mfx_scan_texts
mfx_rspamd_texts(struct mfx_arena *arena, const struct mfx_scan_json *value)
{
    struct mfx_scan_texts texts = {0};
    struct mfx_str *items =
        mfx_arena_alloc_array(arena, mfx_scan_json_count(value), sizeof *items);
    if (items == NULL)
        return texts;
    for (const struct mfx_scan_json *v = mfx_scan_json_items(value); v != NULL;
         v = mfx_scan_json_after(value, v))
        if (mfx_scan_json_is_text(v))
            items[texts.count++] = mfx_rspamd_text(arena, v);
    texts.items = items;
    return texts;
}

bool
mfx_rspamd_is_texts(const struct mfx_scan_json *value)
{
    if (is_nothing(value))
        return true;
    for (const struct mfx_scan_json *v = mfx_scan_json_items(value); v != NULL;
         v = mfx_scan_json_after(value, v))
        if (!mfx_scan_json_is_text(v))
            return false;
    return true;
}

static bool
is_number(const struct mfx_scan_json *value, double *number)
{
    if (!mfx_scan_json_is(value, MFX_SCAN_JSON_NUMBER))
        return false;
    *number = value->number;
    return isfinite(*number) && fabs(*number) <= SCORE_MAX;
}

/* --- what decides --- */

static enum mfx_scan_action
action_of(struct mfx_str word)
{
    for (unsigned i = MFX_SCAN_ACTION_NONE; i < MFX_SCAN_ACTION_UNKNOWN; i++)
        if (mfx_str_is(word, mfx_scan_action_name((enum mfx_scan_action)i)))
            return (enum mfx_scan_action)i;
    return MFX_SCAN_ACTION_UNKNOWN;
}

/* Instead of a rejection; an action of the administrator's own may be one of
 * these in disguise. */
static void
soften(struct mfx_scan_result *r, struct mfx_str reject)
{
    if (r->action != MFX_SCAN_ACTION_REJECT &&
        r->action != MFX_SCAN_ACTION_UNKNOWN)
        return;
    if (mfx_str_is(reject, "discard"))
        r->action = MFX_SCAN_ACTION_DISCARD;
    else if (mfx_str_is(reject, "quarantine"))
        r->action = MFX_SCAN_ACTION_QUARANTINE;
}

static bool
is_for_spam(enum mfx_scan_action action)
{
    switch (action) {
    case MFX_SCAN_ACTION_ADD_HEADER:
    case MFX_SCAN_ACTION_REWRITE_SUBJECT:
    case MFX_SCAN_ACTION_REJECT:
    case MFX_SCAN_ACTION_QUARANTINE:
    case MFX_SCAN_ACTION_DISCARD:
        return true;
    case MFX_SCAN_ACTION_NONE:
    case MFX_SCAN_ACTION_GREYLIST:
    case MFX_SCAN_ACTION_SOFT_REJECT:
    case MFX_SCAN_ACTION_UNKNOWN:
        break;
    }
    return false;
}

static enum mfx_scan_end
take_decision(const struct mfx_scan_json *root, struct mfx_arena *arena,
              struct mfx_scan_result *r, struct mfx_err *err)
{
    const struct mfx_scan_json *action = mfx_scan_json_get(root, "action");
    if (action == NULL &&
        mfx_scan_json_is_text(mfx_scan_json_get(root, "error")))
        return MFX_SCAN_REFUSED;
    if (!mfx_scan_json_is_text(action) || action->text.len == 0) {
        mfx_err_set(err, "no action");
        return MFX_SCAN_BROKEN;
    }
    r->action_word = mfx_rspamd_text(arena, action);
    r->action = action_of(r->action_word);
    r->has_score = is_number(mfx_scan_json_get(root, "score"), &r->score);
    if (!r->has_score) {
        mfx_err_set(err, "no score");
        return MFX_SCAN_BROKEN;
    }
    /* null: no score is enough for a rejection */
    if (!is_number(mfx_scan_json_get(root, "required_score"),
                   &r->required_score))
        r->required_score = 0;
    r->is_skipped = mfx_scan_json_is(mfx_scan_json_get(root, "is_skipped"),
                                     MFX_SCAN_JSON_TRUE);
    soften(r, mfx_rspamd_text(arena, mfx_scan_json_get(root, "reject")));
    return MFX_SCAN_ANSWERED;
}

/* --- what is told --- */

static void
take_options(const struct mfx_scan_json *options, struct mfx_arena *arena,
             struct mfx_scan_symbol *symbol)
{
    struct mfx_scan_texts texts = mfx_rspamd_texts(arena, options);
    symbol->options = texts.items;
    symbol->option_count = texts.count;
}

static size_t
count_members(const struct mfx_scan_json *object)
{
    return mfx_scan_json_is_object(object) ? object->count : 0;
}

static struct mfx_str
copy_key(struct mfx_arena *arena, struct mfx_str key)
{
    struct mfx_str s = mfx_arena_copy(arena, key);
    return s.p == NULL ? mfx_str("", 0) : s;
}

static void
take_symbols(const struct mfx_scan_json *symbols, struct mfx_arena *arena,
             struct mfx_scan_result *r)
{
    struct mfx_scan_symbol *items =
        mfx_arena_alloc_array(arena, count_members(symbols), sizeof *items);
    if (items == NULL)
        return;
    for (const struct mfx_scan_json *value = mfx_scan_json_members(symbols);
         value != NULL; value = value->next) {
        if (!mfx_scan_json_is_object(value) || value->name.len == 0)
            continue;
        struct mfx_scan_symbol *s = &items[r->symbol_count++];
        s->name = copy_key(arena, value->name);
        s->description =
            mfx_rspamd_text(arena, mfx_scan_json_get(value, "description"));
        s->has_score = is_number(mfx_scan_json_get(value, "score"), &s->score);
        if (!s->has_score)
            s->score = 0;
        take_options(mfx_scan_json_get(value, "options"), arena, s);
    }
    r->symbols = items;
}

/* {"name": 1.5} or {"name": {"score": 1.5}} */
static size_t
take_numbers(const struct mfx_scan_json *object, struct mfx_arena *arena,
             const struct mfx_scan_number **numbers)
{
    size_t count = 0;
    struct mfx_scan_number *items =
        mfx_arena_alloc_array(arena, count_members(object), sizeof *items);
    if (items == NULL)
        return 0;
    for (const struct mfx_scan_json *value = mfx_scan_json_members(object);
         value != NULL; value = value->next) {
        const struct mfx_scan_json *score = value;
        if (mfx_scan_json_is_object(value))
            score = mfx_scan_json_get(value, "score");
        if (!is_number(score, &items[count].value))
            continue;
        items[count++].name = copy_key(arena, value->name);
    }
    *numbers = items;
    return count;
}

/* An object, or (in old versions) an array. */
static void
take_messages(const struct mfx_scan_json *messages, struct mfx_arena *arena,
              struct mfx_scan_result *r)
{
    struct mfx_scan_texts texts = {0};
    if (mfx_scan_json_is_array(messages))
        texts = mfx_rspamd_texts(arena, messages);
    struct mfx_scan_text *items = mfx_arena_alloc_array(
        arena, count_members(messages) + texts.count, sizeof *items);
    if (items == NULL)
        return;
    for (size_t i = 0; i < texts.count; i++) {
        items[r->message_count].name = mfx_str("", 0);
        items[r->message_count++].value = texts.items[i];
    }
    for (const struct mfx_scan_json *value = mfx_scan_json_members(messages);
         value != NULL; value = value->next) {
        if (!mfx_scan_json_is_text(value))
            continue;
        items[r->message_count].name = copy_key(arena, value->name);
        items[r->message_count].value = mfx_rspamd_text(arena, value);
        if (mfx_str_is(value->name, "smtp_message"))
            r->reply_text = items[r->message_count].value;
        r->message_count++;
    }
    r->messages = items;
}

/* Strings, or objects with their text at `key`. */
static struct mfx_scan_texts
take_links(const struct mfx_scan_json *list, const char *key,
           struct mfx_arena *arena)
{
    struct mfx_scan_texts texts = {0};
    if (!mfx_scan_json_is_array(list))
        return texts;
    struct mfx_str *items =
        mfx_arena_alloc_array(arena, list->count, sizeof *items);
    if (items == NULL)
        return texts;
    for (const struct mfx_scan_json *v = list->first; v != NULL; v = v->next) {
        const struct mfx_scan_json *item =
            mfx_scan_json_is_object(v) ? mfx_scan_json_get(v, key) : v;
        if (mfx_scan_json_is_text(item))
            items[texts.count++] = mfx_rspamd_text(arena, item);
    }
    texts.items = items;
    return texts;
}

static void
take_tales(const struct mfx_scan_json *root, struct mfx_arena *arena,
           struct mfx_scan_result *r)
{
    double seconds;
    const struct mfx_scan_json *subject = mfx_scan_json_get(root, "subject");
    r->threshold_count = take_numbers(mfx_scan_json_get(root, "thresholds"),
                                      arena, &r->thresholds);
    take_symbols(mfx_scan_json_get(root, "symbols"), arena, r);
    r->group_count =
        take_numbers(mfx_scan_json_get(root, "groups"), arena, &r->groups);
    take_messages(mfx_scan_json_get(root, "messages"), arena, r);
    r->has_subject = mfx_scan_json_is_text(subject);
    r->subject = mfx_rspamd_text(arena, subject);
    r->message_id =
        mfx_rspamd_text(arena, mfx_scan_json_get(root, "message-id"));
    r->decided_by =
        mfx_rspamd_text(arena, mfx_scan_json_get(root, "passthrough_module"));
    r->urls = take_links(mfx_scan_json_get(root, "urls"), "url", arena);
    r->emails = take_links(mfx_scan_json_get(root, "emails"), "email", arena);
    if (is_number(mfx_scan_json_get(root, "time_real"), &seconds) &&
        seconds > 0)
        r->engine_time_s = seconds;
}

/* --- what is to be done --- */

static enum mfx_scan_end
take_edits(const struct mfx_scan_json *root, struct mfx_arena *arena,
           struct mfx_scan_result *r, struct mfx_err *err)
{
    const struct mfx_scan_json *signature =
        mfx_scan_json_get(root, "dkim-signature");
    struct mfx_str reject = mfx_str("", 0);
    if (!mfx_rspamd_is_texts(signature)) {
        mfx_err_set(err, "dkim-signature: no text");
        return MFX_SCAN_BROKEN;
    }
    r->dkim_signatures = mfx_rspamd_texts(arena, signature);
    if (!mfx_rspamd_milter_use(mfx_scan_json_get(root, "milter"), arena, r,
                               &reject)) {
        mfx_err_set(err, "milter: not of its form");
        return MFX_SCAN_BROKEN;
    }
    if (r->action == MFX_SCAN_ACTION_REJECT)
        soften(r, reject);
    r->is_spam = is_for_spam(r->action);
    return MFX_SCAN_ANSWERED;
}

/* --- all of it --- */

enum mfx_scan_end
mfx_rspamd_reply_use(struct mfx_str json, struct mfx_arena *arena,
                     struct mfx_scan_result *result, struct mfx_err *err)
{
    const struct mfx_scan_json *root = parse(arena, json, err);
    if (root == NULL)
        return MFX_SCAN_BROKEN;
    enum mfx_scan_end end = take_decision(root, arena, result, err);
    if (end == MFX_SCAN_ANSWERED)
        end = take_edits(root, arena, result, err);
    if (end == MFX_SCAN_ANSWERED) {
        take_tales(root, arena, result);
        result->raw = json;
    } else if (end == MFX_SCAN_REFUSED) {
        char words[sizeof err->msg];
        put_error(words, sizeof words, root);
        mfx_err_set(err, "%s", words);
    }
    return end;
}

static bool
has_words(struct mfx_str text, struct mfx_str words)
{
    return text.len > 0 && memmem(text.p, text.len, words.p, words.len) != NULL;
}

/* Newer versions say it by the status (208, 204), 3.4 in words (404). */
static bool
is_no_news(const struct mfx_scan_json *root, long status)
{
    static const struct mfx_str known = MFX_STR("already learned as "),
                                few = MFX_STR("less tokens than ");
    const struct mfx_scan_json *error = mfx_scan_json_get(root, "error");
    if (status != 404)
        return status == 208 || status == 204;
    return mfx_scan_json_is_text(error) &&
           (has_words(error->text, known) || has_words(error->text, few));
}

/* What it had learned before, or cannot learn from, changes nothing, and is no
 * fault. */
enum mfx_scan_end
mfx_rspamd_reply_learned(struct mfx_str json, long status,
                         struct mfx_arena *arena,
                         struct mfx_scan_result *result, struct mfx_err *err)
{
    struct mfx_err why = {{0}};
    const struct mfx_scan_json *root = parse(arena, json, &why);
    const struct mfx_scan_json *error = mfx_scan_json_get(root, "error");
    bool is_error = mfx_scan_json_is_text(error);
    char words[sizeof err->msg - 20];
    put_error(words, sizeof words, root);
    result->is_learned =
        status == 200 && mfx_scan_json_is(mfx_scan_json_get(root, "success"),
                                          MFX_SCAN_JSON_TRUE);
    enum mfx_scan_end end = result->is_learned || is_no_news(root, status)
                                ? MFX_SCAN_ANSWERED
                            : is_error || status != 200 ? MFX_SCAN_REFUSED
                                                        : MFX_SCAN_BROKEN;
    if (end == MFX_SCAN_ANSWERED)
        result->report = mfx_rspamd_text(arena, error);
    else if (end == MFX_SCAN_REFUSED)
        mfx_err_set(err, "HTTP %ld %s", status, words);
    else
        mfx_err_set(err, "%s",
                    why.msg[0] != '\0' ? why.msg : "no success, no error");
    return end;
}

void
mfx_rspamd_reply_error(struct mfx_str json, char *to, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_err err;
    put_error(to, size,
              arena == NULL ? NULL : mfx_scan_json_read(arena, json, &err));
    mfx_arena_free(arena);
}
