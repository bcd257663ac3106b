/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/ring.h>

#include <stdlib.h>

#include <jansson.h>

/* One line, whatever the text holds. */
static void
add_shown(struct mfx_buf *out, struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '\n')
            mfx_buf_add_text(out, "\\n");
        else if (c == '\t')
            mfx_buf_add_text(out, "\\t");
        else if (c < ' ' || c >= 0x7F)
            mfx_buf_printf(out, "\\x%02x", c);
        else
            mfx_buf_add_byte(out, (char)c);
    }
}

void
mfx_ring_format(struct mfx_str entry, struct mfx_buf *out)
{
    static const char *const titles[] = {
        [MFX_ITEM_HEAD] = NULL,
        [MFX_ITEM_FACT] = "facts",
        [MFX_ITEM_RULE] = "rules",
        [MFX_ITEM_EDIT] = "edits",
    };
    struct mfx_ring_item item;
    enum mfx_item_section section = MFX_ITEM_HEAD;
    while (mfx_ring_next(&entry, &item)) {
        if (item.section != section)
            mfx_buf_printf(out, "%s:\n", titles[item.section]);
        section = item.section;
        mfx_buf_add_text(out, section == MFX_ITEM_HEAD ? "" : "  ");
        mfx_buf_add(out, item.key);
        mfx_buf_add_text(out, ": ");
        add_shown(out, item.text);
        mfx_buf_add_byte(out, '\n');
    }
}

/* JSON strings are UTF-8; other bytes are shown as in the text form. */
static json_t *
json_text(struct mfx_str text)
{
    if (mfx_str_is_utf8(text))
        return json_stringn(text.len > 0 ? text.p : "", text.len);
    struct mfx_buf shown;
    mfx_buf_init(&shown, 4 * text.len + 1);
    add_shown(&shown, text);
    json_t *j = json_stringn(mfx_buf_text(&shown), shown.len);
    mfx_buf_fini(&shown);
    return j;
}

static bool
is_number(struct mfx_str key)
{
    return mfx_str_is(key, "time") || mfx_str_is(key, "ms") ||
           mfx_str_is(key, "recipients");
}

static json_t *
json_value(const struct mfx_ring_item *item)
{
    uint64_t n = 0;
    if (item->section == MFX_ITEM_HEAD && is_number(item->key) &&
        mfx_str_to_u64(item->text, INT64_MAX, &n) == MFX_OK)
        return json_integer((json_int_t)n);
    return json_text(item->text);
}

/* Keys may come twice ("to", facts of several signatures): a list then. */
static void
put(json_t *object, struct mfx_str key, json_t *value)
{
    char name[256];
    memcpy(name, key.p, key.len);
    name[key.len] = '\0';
    json_t *there = json_object_get(object, name);
    if (there == NULL) {
        (void)json_object_set_new(object, name, value);
    } else if (json_is_array(there)) {
        (void)json_array_append_new(there, value);
    } else {
        json_t *list = json_array();
        (void)json_array_append(list, there);
        (void)json_array_append_new(list, value);
        (void)json_object_set_new(object, name, list);
    }
}

static void
append(json_t *list, const char *what, const struct mfx_ring_item *item)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, what, json_text(item->key));
    (void)json_object_set_new(o, "text", json_text(item->text));
    (void)json_array_append_new(list, o);
}

void
mfx_ring_format_json(struct mfx_str entry, struct mfx_buf *out)
{
    json_t *all = json_object(), *facts = json_object();
    json_t *rules = json_array(), *edits = json_array();
    struct mfx_ring_item item;
    while (mfx_ring_next(&entry, &item)) {
        if (item.section == MFX_ITEM_RULE)
            append(rules, "rule", &item);
        else if (item.section == MFX_ITEM_EDIT)
            append(edits, "edit", &item);
        else
            put(item.section == MFX_ITEM_FACT ? facts : all, item.key,
                json_value(&item));
    }
    (void)json_object_set_new(all, "facts", facts);
    (void)json_object_set_new(all, "rules", rules);
    (void)json_object_set_new(all, "edits", edits);
    char *text = json_dumps(all, JSON_COMPACT);
    mfx_buf_add_text(out, text == NULL ? "{}" : text);
    free(text);
    json_decref(all);
}
