/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_reply.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SCORE_MAX 1e9

/* --- words --- */

/* What an engine wrote, fit for a log of ours. */
static void
put_plain(char *to, size_t size, const char *text)
{
    size_t len = 0;
    for (; *text != '\0' && len + 1 < size; text++)
        to[len++] = *text < ' ' || *text > '~' ? '?' : *text;
    to[len] = '\0';
}

static void
put_error(char *to, size_t size, const json_t *root)
{
    const char *text = json_string_value(json_object_get(root, "error"));
    put_plain(to, size, text == NULL ? "" : text);
}

/* --- JSON --- */

/* How many bytes at `at` are a character: 0: none are. */
static size_t
character(struct mfx_str s, size_t at)
{
    for (size_t len = 1; len <= 4 && at + len <= s.len; len++)
        if (mfx_str_is_utf8(mfx_str(s.p + at, len)))
            return len;
    return 0;
}

/* Names of files, encoded words and the like may have brought other bytes. */
static struct mfx_str
mend(struct mfx_arena *arena, struct mfx_str json)
{
    char *to = mfx_arena_alloc_bytes(arena, json.len);
    if (to == NULL)
        return mfx_str("", 0);
    for (size_t at = 0; at < json.len;) {
        size_t len = character(json, at);
        if (len == 0)
            to[at++] = '?';
        for (; len > 0; len--, at++)
            to[at] = json.p[at];
    }
    return mfx_str(to, json.len);
}

/* The object; NULL: it is none, and why. A key that comes twice could mean
 * either. */
static json_t *
parse(struct mfx_arena *arena, struct mfx_str json, struct mfx_err *err)
{
    json_error_t error;
    if (!mfx_str_is_utf8(json))
        json = mend(arena, json);
    json_t *root = json_loadb(json.len > 0 ? json.p : "", json.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        char words[sizeof error.text];
        put_plain(words, sizeof words, error.text);
        mfx_err_set(err, "no JSON: line %d: %s", error.line, words);
    } else if (!json_is_object(root)) {
        mfx_err_set(err, "no JSON object");
        json_decref(root);
        root = NULL;
    }
    return root;
}

struct mfx_str
mfx_rspamd_text(struct mfx_arena *arena, const json_t *value)
{
    struct mfx_str s = mfx_str("", 0);
    if (json_is_string(value) && json_string_length(value) > 0)
        s = mfx_arena_copy(arena, mfx_str(json_string_value(value),
                                          json_string_length(value)));
    return s.p == NULL ? mfx_str("", 0) : s;
}

/* One that stands for a list is a list of one; {} is an empty table of Lua's. */
static size_t
list_size(const json_t *list)
{
    if (json_is_array(list))
        return json_array_size(list);
    return list != NULL && !json_is_null(list) &&
           (!json_is_object(list) || json_object_size(list) > 0);
}

static const json_t *
list_item(const json_t *list, size_t at)
{
    return json_is_array(list) ? json_array_get(list, at) : list;
}

struct mfx_scan_texts
mfx_rspamd_texts(struct mfx_arena *arena, const json_t *value)
{
    struct mfx_scan_texts texts = {0};
    size_t room = list_size(value);
    struct mfx_str *items = mfx_arena_alloc_array(arena, room, sizeof *items);
    if (items == NULL)
        return texts;
    for (size_t i = 0; i < room; i++) {
        const json_t *item = list_item(value, i);
        if (json_is_string(item))
            items[texts.count++] = mfx_rspamd_text(arena, item);
    }
    texts.items = items;
    return texts;
}

bool
mfx_rspamd_is_texts(const json_t *value)
{
    for (size_t i = 0; i < list_size(value); i++)
        if (!json_is_string(list_item(value, i)))
            return false;
    return true;
}

static bool
is_number(const json_t *value, double *number)
{
    if (!json_is_number(value))
        return false;
    *number = json_number_value(value);
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
take_decision(const json_t *root, struct mfx_arena *arena,
              struct mfx_scan_result *r, struct mfx_err *err)
{
    const json_t *action = json_object_get(root, "action");
    if (action == NULL && json_is_string(json_object_get(root, "error")))
        return MFX_SCAN_REFUSED;
    if (!json_is_string(action) || json_string_length(action) == 0) {
        mfx_err_set(err, "no action");
        return MFX_SCAN_BROKEN;
    }
    r->action_word = mfx_rspamd_text(arena, action);
    r->action = action_of(r->action_word);
    r->has_score = is_number(json_object_get(root, "score"), &r->score);
    if (!r->has_score) {
        mfx_err_set(err, "no score");
        return MFX_SCAN_BROKEN;
    }
    /* null: no score is enough for a rejection */
    if (!is_number(json_object_get(root, "required_score"), &r->required_score))
        r->required_score = 0;
    r->is_skipped = json_is_true(json_object_get(root, "is_skipped"));
    soften(r, mfx_rspamd_text(arena, json_object_get(root, "reject")));
    return MFX_SCAN_ANSWERED;
}

/* --- what is told --- */

static void
take_options(const json_t *options, struct mfx_arena *arena,
             struct mfx_scan_symbol *symbol)
{
    struct mfx_scan_texts texts = mfx_rspamd_texts(arena, options);
    symbol->options = texts.items;
    symbol->option_count = texts.count;
}

static struct mfx_str
copy_key(struct mfx_arena *arena, const char *key)
{
    struct mfx_str s = mfx_arena_copy(arena, mfx_str_of(key));
    return s.p == NULL ? mfx_str("", 0) : s;
}

static void
take_symbols(json_t *symbols, struct mfx_arena *arena,
             struct mfx_scan_result *r)
{
    const char *key;
    json_t *value;
    struct mfx_scan_symbol *items =
        mfx_arena_alloc_array(arena, json_object_size(symbols), sizeof *items);
    if (items == NULL)
        return;
    json_object_foreach(symbols, key, value)
    {
        if (!json_is_object(value) || key[0] == '\0')
            continue;
        struct mfx_scan_symbol *s = &items[r->symbol_count++];
        s->name = copy_key(arena, key);
        s->description =
            mfx_rspamd_text(arena, json_object_get(value, "description"));
        s->has_score = is_number(json_object_get(value, "score"), &s->score);
        if (!s->has_score)
            s->score = 0;
        take_options(json_object_get(value, "options"), arena, s);
    }
    r->symbols = items;
}

/* {"name": 1.5} or {"name": {"score": 1.5}} */
static size_t
take_numbers(json_t *object, struct mfx_arena *arena,
             const struct mfx_scan_number **numbers)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    struct mfx_scan_number *items =
        mfx_arena_alloc_array(arena, json_object_size(object), sizeof *items);
    if (items == NULL)
        return 0;
    json_object_foreach(object, key, value)
    {
        if (json_is_object(value))
            value = json_object_get(value, "score");
        if (!is_number(value, &items[count].value))
            continue;
        items[count++].name = copy_key(arena, key);
    }
    *numbers = items;
    return count;
}

/* An object, or (in old versions) an array. */
static void
take_messages(json_t *messages, struct mfx_arena *arena,
              struct mfx_scan_result *r)
{
    const char *key;
    json_t *value;
    struct mfx_scan_texts texts = {0};
    if (json_is_array(messages))
        texts = mfx_rspamd_texts(arena, messages);
    struct mfx_scan_text *items = mfx_arena_alloc_array(
        arena, json_object_size(messages) + texts.count, sizeof *items);
    if (items == NULL)
        return;
    for (size_t i = 0; i < texts.count; i++) {
        items[r->message_count].name = mfx_str("", 0);
        items[r->message_count++].value = texts.items[i];
    }
    json_object_foreach(messages, key, value)
    {
        if (!json_is_string(value))
            continue;
        items[r->message_count].name = copy_key(arena, key);
        items[r->message_count].value = mfx_rspamd_text(arena, value);
        if (strcmp(key, "smtp_message") == 0)
            r->reply_text = items[r->message_count].value;
        r->message_count++;
    }
    r->messages = items;
}

/* Strings, or objects with their text at `key`. */
static struct mfx_scan_texts
take_links(const json_t *list, const char *key, struct mfx_arena *arena)
{
    struct mfx_scan_texts texts = {0};
    struct mfx_str *items =
        mfx_arena_alloc_array(arena, json_array_size(list), sizeof *items);
    if (items == NULL)
        return texts;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_object(item))
            item = json_object_get(item, key);
        if (json_is_string(item))
            items[texts.count++] = mfx_rspamd_text(arena, item);
    }
    texts.items = items;
    return texts;
}

static void
take_tales(const json_t *root, struct mfx_arena *arena,
           struct mfx_scan_result *r)
{
    double seconds;
    const json_t *subject = json_object_get(root, "subject");
    r->threshold_count = take_numbers(json_object_get(root, "thresholds"),
                                      arena, &r->thresholds);
    take_symbols(json_object_get(root, "symbols"), arena, r);
    r->group_count =
        take_numbers(json_object_get(root, "groups"), arena, &r->groups);
    take_messages(json_object_get(root, "messages"), arena, r);
    r->has_subject = json_is_string(subject);
    r->subject = mfx_rspamd_text(arena, subject);
    r->message_id = mfx_rspamd_text(arena, json_object_get(root, "message-id"));
    r->decided_by =
        mfx_rspamd_text(arena, json_object_get(root, "passthrough_module"));
    r->urls = take_links(json_object_get(root, "urls"), "url", arena);
    r->emails = take_links(json_object_get(root, "emails"), "email", arena);
    if (is_number(json_object_get(root, "time_real"), &seconds) && seconds > 0)
        r->engine_time_s = seconds;
}

/* --- what is to be done --- */

static enum mfx_scan_end
take_edits(const json_t *root, struct mfx_arena *arena,
           struct mfx_scan_result *r, struct mfx_err *err)
{
    const json_t *signature = json_object_get(root, "dkim-signature");
    struct mfx_str reject = mfx_str("", 0);
    if (!mfx_rspamd_is_texts(signature)) {
        mfx_err_set(err, "dkim-signature: no text");
        return MFX_SCAN_BROKEN;
    }
    r->dkim_signatures = mfx_rspamd_texts(arena, signature);
    if (!mfx_rspamd_milter_use(json_object_get(root, "milter"), arena, r,
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
    json_t *root = parse(arena, json, err);
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
    json_decref(root);
    return end;
}

/* Newer versions say it by the status (208, 204), 3.4 in words (404). */
static bool
is_no_news(const json_t *root, long status)
{
    const char *text = json_string_value(json_object_get(root, "error"));
    if (status != 404)
        return status == 208 || status == 204;
    return text != NULL && (strstr(text, "already learned as ") != NULL ||
                            strstr(text, "less tokens than ") != NULL);
}

/* What it had learned before, or cannot learn from, changes nothing, and is no
 * fault. */
enum mfx_scan_end
mfx_rspamd_reply_learned(struct mfx_str json, long status,
                         struct mfx_arena *arena,
                         struct mfx_scan_result *result, struct mfx_err *err)
{
    struct mfx_err why = {{0}};
    json_t *root = parse(arena, json, &why);
    const json_t *error = json_object_get(root, "error");
    bool is_error = json_is_string(error);
    char words[sizeof err->msg - 20];
    put_error(words, sizeof words, root);
    result->is_learned =
        status == 200 && json_is_true(json_object_get(root, "success"));
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
    json_decref(root);
    return end;
}

void
mfx_rspamd_reply_error(struct mfx_str json, char *to, size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(json.len > 0 ? json.p : "", json.len, 0, &error);
    put_error(to, size, root);
    json_decref(root);
}
