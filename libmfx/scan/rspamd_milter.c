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
is_place(const json_t *value, int *at)
{
    if (!json_is_number(value))
        return false;
    double n = json_number_value(value);
    if (!(n >= -INT_MAX && n <= INT_MAX))
        return false;
    *at = (int)n;
    return true;
}

static size_t
values_of(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) : 1;
}

static const json_t *
value_at(const json_t *value, size_t at)
{
    return json_is_array(value) ? json_array_get(value, at) : value;
}

static size_t
count_values(json_t *object)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach(object, key, value) count += values_of(value);
    return count;
}

static struct mfx_str
name_of(struct mfx_arena *arena, const char *key)
{
    struct mfx_str name = mfx_arena_copy(arena, mfx_str_of(key));
    return name.p == NULL ? mfx_str("", 0) : name;
}

/* {"Name": 0, "Other": [1, -1]} */
static void
take_removals(json_t *object, struct mfx_arena *arena, struct list *list)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        struct mfx_scan_edit edit = {.kind = MFX_SCAN_EDIT_REMOVE,
                                     .name = name_of(arena, key),
                                     .value = mfx_str("", 0)};
        for (size_t i = 0; i < values_of(value); i++)
            if (is_place(value_at(value, i), &edit.at))
                add(list, &edit);
    }
}

/* "value", or {"value": "value", "order": 1} */
static void
take_addition(const json_t *value, struct mfx_arena *arena,
              struct mfx_scan_edit *edit, struct list *list)
{
    edit->at = -1;
    if (json_is_object(value)) {
        if (!is_place(json_object_get(value, "order"), &edit->at))
            (void)is_place(json_object_get(value, "index"), &edit->at);
        value = json_object_get(value, "value");
    }
    if (!json_is_string(value))
        return;
    edit->value = mfx_rspamd_text(arena, value);
    add(list, edit);
}

static void
take_additions(json_t *object, struct mfx_arena *arena, struct list *list)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        struct mfx_scan_edit edit = {.kind = MFX_SCAN_EDIT_ADD,
                                     .name = name_of(arena, key)};
        for (size_t i = 0; i < values_of(value); i++)
            take_addition(value_at(value, i), arena, &edit, list);
    }
}

/* An object, or what an empty Lua table becomes, or nothing. */
static bool
is_map(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_object(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static bool
make_room(struct list *list, struct mfx_arena *arena, size_t room)
{
    list->items = mfx_arena_alloc_array(arena, room, sizeof *list->items);
    list->room = room;
    return list->items != NULL;
}

static bool
take_fields(const json_t *milter, struct mfx_arena *arena,
            struct mfx_scan_result *r)
{
    json_t *remove = json_object_get(milter, "remove_headers");
    json_t *additions = json_object_get(milter, "add_headers");
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
take_marks(json_t *mark, struct mfx_arena *arena, struct mfx_scan_result *r)
{
    static const struct mfx_str name = MFX_STR("X-Spam"), yes = MFX_STR("Yes");
    const char *key;
    json_t *value;
    struct list list = {0};
    if (!make_room(&list, arena, 2 * json_object_size(mark) + 2))
        return;
    if (json_is_string(mark))
        add_mark(&list, name, mfx_rspamd_text(arena, mark));
    else if (!json_is_object(mark))
        add_mark(&list, name, yes);
    json_object_foreach(mark, key, value)
    {
        if (json_is_string(value))
            add_mark(&list, name_of(arena, key), mfx_rspamd_text(arena, value));
    }
    r->spam_edits.items = list.items;
    r->spam_edits.count = list.count;
}

static bool
take_envelope(const json_t *milter, struct mfx_arena *arena,
              struct mfx_scan_result *r)
{
    const json_t *sender = json_object_get(milter, "change_from");
    const json_t *more = json_object_get(milter, "add_rcpt");
    const json_t *fewer = json_object_get(milter, "del_rcpt");
    bool is_well =
        (sender == NULL || json_is_null(sender) || json_is_string(sender)) &&
        mfx_rspamd_is_texts(more) && mfx_rspamd_is_texts(fewer);
    r->has_sender = json_is_string(sender);
    r->sender = mfx_rspamd_text(arena, sender);
    r->added_recipients = mfx_rspamd_texts(arena, more);
    r->removed_recipients = mfx_rspamd_texts(arena, fewer);
    return is_well;
}

bool
mfx_rspamd_milter_use(const json_t *milter, struct mfx_arena *arena,
                      struct mfx_scan_result *result, struct mfx_str *reject)
{
    if (!is_map(milter))
        return false;
    take_marks(json_object_get(milter, "spam_header"), arena, result);
    *reject = mfx_rspamd_text(arena, json_object_get(milter, "reject"));
    result->no_action = json_is_true(json_object_get(milter, "no_action"));
    return take_fields(milter, arena, result) &&
           take_envelope(milter, arena, result);
}
