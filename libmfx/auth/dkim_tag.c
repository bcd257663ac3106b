/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_tag.h>

static bool
name_is_valid(struct mfx_str name)
{
    if (name.len == 0 || !mfx_ascii_is_alpha((unsigned char)name.p[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return true;
}

/* VALCHAR, folding white space, and UTF-8. */
static bool
text_is_valid(struct mfx_str text)
{
    bool is_ascii = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < 0x20 && !mfx_ascii_is_fws(c)) || c == 0x7f)
            return false;
        is_ascii = is_ascii && c < 0x80;
    }
    return is_ascii || mfx_str_is_utf8(text);
}

static bool
add(struct mfx_dkim_tags *tags, struct mfx_str spec)
{
    size_t equals = mfx_str_find(spec, '=');
    struct mfx_str name = mfx_str_trim(mfx_str_head(spec, equals));
    if (equals == spec.len || !name_is_valid(name) ||
        tags->count == MFX_DKIM_TAGS_MAX)
        return false;
    for (size_t i = 0; i < tags->count; i++)
        if (mfx_str_eq(tags->tag[i].name, name))
            return false;
    struct mfx_dkim_tag *tag = &tags->tag[tags->count++];
    tag->name = name;
    tag->raw = mfx_str_from(spec, equals + 1);
    tag->value = mfx_str_trim(tag->raw);
    return true;
}

bool
mfx_dkim_tags_parse(struct mfx_str text, struct mfx_dkim_tags *tags)
{
    struct mfx_str rest = text, spec;
    tags->count = 0;
    if (text.len == 0 || !text_is_valid(text))
        return false;
    while (mfx_str_cut(&rest, ';', &spec)) {
        bool is_last = rest.p == NULL;
        if (is_last && tags->count > 0 && mfx_str_trim(spec).len == 0)
            return true; /* the list ended in ";" */
        if (!add(tags, spec))
            return false;
    }
    return true;
}

const struct mfx_dkim_tag *
mfx_dkim_tags_find(const struct mfx_dkim_tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++)
        if (mfx_str_is(tags->tag[i].name, name))
            return &tags->tag[i];
    return NULL;
}

bool
mfx_dkim_tags_list_has(struct mfx_str list, const char *word)
{
    struct mfx_str item;
    while (mfx_str_cut(&list, ':', &item))
        if (mfx_str_is_nocase(mfx_str_trim(item), word))
            return true;
    return false;
}

struct mfx_str
mfx_dkim_tags_squeeze(struct mfx_str value, struct mfx_arena *arena)
{
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++)
        len += !mfx_ascii_is_fws((unsigned char)value.p[i]);
    if (len == value.len)
        return value;
    char *p = mfx_arena_alloc_bytes(arena, len + 1);
    if (p == NULL)
        return mfx_str(NULL, 0);
    len = 0;
    for (size_t i = 0; i < value.len; i++)
        if (!mfx_ascii_is_fws((unsigned char)value.p[i]))
            p[len++] = value.p[i];
    return mfx_str(p, len);
}
