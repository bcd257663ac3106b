/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What rspamd wants changed: the "milter" block of its reply, read as its own
 * milter reads it. */
#include <mfx/scan/rspamd_reply.h>

#include <limits.h>

/* Room for one more is made beforehand, by counting. */
struct list {
    struct mfx_scan_edit *items;
    size_t count, room;
};

static void
add(struct list *list, const struct mfx_scan_edit *edit)
{
    if (list->count < list->room)
        list->items[list->count++] = *edit;
}

/* A place: a whole number, in whatever form Lua wrote it. */
static bool
is_place(const struct mfx_scan_json *value, int *at)
{
    if (!mfx_scan_json_is(value, MFX_SCAN_JSON_NUMBER))
        return false;
    double n = value->number;
    if (!(n >= -INT_MAX && n <= INT_MAX))
        return false;
    *at = (int)n;
    return true;
}

static size_t
count_values(const struct mfx_scan_json *object)
{
    size_t count = 0;
    for (const struct mfx_scan_json *value = mfx_scan_json_members(object);
         value != NULL; value = value->next)
        count += mfx_scan_json_count(value);
    return count;
}

static struct mfx_str
name_of(struct mfx_arena *arena, struct mfx_str key)
{
    struct mfx_str name = mfx_arena_copy(arena, key);
    return name.p == NULL ? mfx_str("", 0) : name;
}

/* {"Name": 0, "Other": [1, -1]} */
static void
take_removals(const struct mfx_scan_json *object, struct mfx_arena *arena,
              struct list *list)
{
    for (const struct mfx_scan_json *value = mfx_scan_json_members(object);
         value != NULL; value = value->next) {
        struct mfx_scan_edit edit = {.kind = MFX_SCAN_EDIT_REMOVE,
                                     .name = name_of(arena, value->name),
                                     .value = mfx_str("", 0)};
        for (const struct mfx_scan_json *v = mfx_scan_json_items(value);
             v != NULL; v = mfx_scan_json_after(value, v))
            if (is_place(v, &edit.at))
                add(list, &edit);
    }
}

/* "value", or {"value": "value", "order": 1} */
static void
take_addition(const struct mfx_scan_json *value, struct mfx_arena *arena,
              struct mfx_scan_edit *edit, struct list *list)
{
    edit->at = -1;
    if (mfx_scan_json_is_object(value)) {
        if (!is_place(mfx_scan_json_get(value, "order"), &edit->at))
            (void)is_place(mfx_scan_json_get(value, "index"), &edit->at);
        value = mfx_scan_json_get(value, "value");
    }
    if (!mfx_scan_json_is_text(value))
        return;
    edit->value = mfx_rspamd_text(arena, value);
    add(list, edit);
}

static void
take_additions(const struct mfx_scan_json *object, struct mfx_arena *arena,
               struct list *list)
{
    for (const struct mfx_scan_json *value = mfx_scan_json_members(object);
         value != NULL; value = value->next) {
        struct mfx_scan_edit edit = {.kind = MFX_SCAN_EDIT_ADD,
                                     .name = name_of(arena, value->name)};
        for (const struct mfx_scan_json *v = mfx_scan_json_items(value);
             v != NULL; v = mfx_scan_json_after(value, v))
            take_addition(v, arena, &edit, list);
    }
}

/* An object, or what an empty Lua table becomes, or nothing. */
static bool
is_map(const struct mfx_scan_json *value)
{
    return value == NULL || mfx_scan_json_is(value, MFX_SCAN_JSON_NULL) ||
           mfx_scan_json_is_object(value) ||
           (mfx_scan_json_is_array(value) && value->count == 0);
}

static bool
make_room(struct list *list, struct mfx_arena *arena, size_t room)
{
    list->items = mfx_arena_alloc_array(arena, room, sizeof *list->items);
    list->room = room;
    return list->items != NULL;
}

static bool
take_fields(const struct mfx_scan_json *milter, struct mfx_arena *arena,
            struct mfx_scan_result *r)
{
    const struct mfx_scan_json *remove =
        mfx_scan_json_get(milter, "remove_headers");
    const struct mfx_scan_json *additions =
        mfx_scan_json_get(milter, "add_headers");
    struct list list = {0};
    if (!is_map(remove) || !is_map(additions))
        return false;
    if (make_room(&list, arena,
                  count_values(remove) + count_values(additions))) {
        take_removals(remove, arena, &list);
        take_additions(additions, arena, &list);
    }
    r->edits.items = list.items;
    r->edits.count = list.count;
    return true;
}

/* The fields of that name are replaced by one. */
static void
add_mark(struct list *list, struct mfx_str name, struct mfx_str value)
{
    struct mfx_scan_edit edit = {
        .kind = MFX_SCAN_EDIT_REMOVE, .name = name, .value = mfx_str("", 0)};
    add(list, &edit);
    edit.kind = MFX_SCAN_EDIT_ADD;
    edit.value = value;
    edit.at = -1;
    add(list, &edit);
}

/* What marks spam: "X-Spam: Yes", another value, or other fields. */
static void
take_marks(const struct mfx_scan_json *mark, struct mfx_arena *arena,
           struct mfx_scan_result *r)
{
    static const struct mfx_str name = MFX_STR("X-Spam"), yes = MFX_STR("Yes");
    struct list list = {0};
    size_t names = mfx_scan_json_is_object(mark) ? mark->count : 0;
    if (!make_room(&list, arena, 2 * names + 2))
        return;
    if (mfx_scan_json_is_text(mark))
        add_mark(&list, name, mfx_rspamd_text(arena, mark));
    else if (!mfx_scan_json_is_object(mark))
        add_mark(&list, name, yes);
    for (const struct mfx_scan_json *value = mfx_scan_json_members(mark);
         value != NULL; value = value->next) {
        if (mfx_scan_json_is_text(value))
            add_mark(&list, name_of(arena, value->name),
                     mfx_rspamd_text(arena, value));
    }
    r->spam_edits.items = list.items;
    r->spam_edits.count = list.count;
}

static bool
take_envelope(const struct mfx_scan_json *milter, struct mfx_arena *arena,
              struct mfx_scan_result *r)
{
    const struct mfx_scan_json *sender =
        mfx_scan_json_get(milter, "change_from");
    const struct mfx_scan_json *more = mfx_scan_json_get(milter, "add_rcpt");
    const struct mfx_scan_json *fewer = mfx_scan_json_get(milter, "del_rcpt");
    bool is_well =
        (sender == NULL || mfx_scan_json_is(sender, MFX_SCAN_JSON_NULL) ||
         mfx_scan_json_is_text(sender)) &&
        mfx_rspamd_is_texts(more) && mfx_rspamd_is_texts(fewer);
    r->has_sender = mfx_scan_json_is_text(sender);
    r->sender = mfx_rspamd_text(arena, sender);
    r->added_recipients = mfx_rspamd_texts(arena, more);
    r->removed_recipients = mfx_rspamd_texts(arena, fewer);
    return is_well;
}

bool
mfx_rspamd_milter_use(const struct mfx_scan_json *milter,
                      struct mfx_arena *arena, struct mfx_scan_result *result,
                      struct mfx_str *reject)
{
    if (!is_map(milter))
        return false;
    take_marks(mfx_scan_json_get(milter, "spam_header"), arena, result);
    *reject = mfx_rspamd_text(arena, mfx_scan_json_get(milter, "reject"));
    result->no_action = mfx_scan_json_is(mfx_scan_json_get(milter, "no_action"),
                                         MFX_SCAN_JSON_TRUE);
    return take_fields(milter, arena, result) &&
           take_envelope(milter, arena, result);
}
