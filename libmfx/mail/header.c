/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/header.h>

#include <mfx/base/map.h>

enum {
    MANY = 48, /* fields; from here on names are found through a map */
};

/* What by_name holds for each name. */
struct name_row {
    struct mfx_header *first, *last;
};

static inline bool
same_name(struct mfx_str a, struct mfx_str b)
{
    return a.len == b.len && a.len > 0 &&
           mfx_ascii_lower((unsigned char)a.p[0]) ==
               mfx_ascii_lower((unsigned char)b.p[0]) &&
           mfx_str_eq_nocase(a, b);
}

struct mfx_header *
mfx_headers_first(const struct mfx_headers *headers, struct mfx_str name)
{
    if (headers->by_name != NULL) {
        const struct name_row *row = mfx_map_get(headers->by_name, name);
        return row == NULL ? NULL : row->first;
    }
    struct mfx_header *h = headers->first;
    while (h != NULL && !same_name(h->name, name))
        h = h->next;
    return h;
}

struct mfx_header *
mfx_headers_last(const struct mfx_headers *headers, struct mfx_str name)
{
    if (headers->by_name != NULL) {
        const struct name_row *row = mfx_map_get(headers->by_name, name);
        return row == NULL ? NULL : row->last;
    }
    struct mfx_header *h = mfx_headers_first(headers, name);
    while (h != NULL && h->same_next != NULL)
        h = h->same_next;
    return h;
}

size_t
mfx_headers_count(const struct mfx_headers *headers, struct mfx_str name)
{
    const struct mfx_header *last = mfx_headers_last(headers, name);
    return last == NULL ? 0 : last->instance;
}

static bool
map_name(struct mfx_headers *headers, struct mfx_arena *arena,
         struct mfx_header *h)
{
    struct name_row *row = mfx_map_get(headers->by_name, h->name);
    if (row != NULL) {
        row->last = h;
        return true;
    }
    row = mfx_arena_alloc(arena, sizeof *row);
    if (row == NULL)
        return false;
    row->first = row->last = h;
    return mfx_map_put(headers->by_name, h->name, row) == MFX_OK;
}

static bool
map_all_names(struct mfx_headers *headers, struct mfx_arena *arena)
{
    headers->by_name = mfx_map_new(MFX_MAP_NOCASE, MANY);
    if (headers->by_name == NULL)
        return false;
    for (struct mfx_header *h = headers->first; h != NULL; h = h->next)
        if (!map_name(headers, arena, h)) {
            mfx_headers_fini(headers);
            return false;
        }
    return true;
}

static void
append(struct mfx_headers *headers, struct mfx_header *h)
{
    h->same_prev = mfx_headers_last(headers, h->name);
    h->instance = 1;
    if (h->same_prev != NULL) {
        h->instance = h->same_prev->instance + 1;
        h->same_prev->same_next = h;
    }
    if (headers->last != NULL)
        headers->last->next = h;
    else
        headers->first = h;
    headers->last = h;
    headers->count++;
    headers->bytes += h->name.len + h->value.len + 2;
}

struct mfx_header *
mfx_headers_add(struct mfx_headers *headers, struct mfx_arena *arena,
                struct mfx_str name, struct mfx_str value)
{
    struct mfx_header *h = mfx_arena_alloc(arena, sizeof *h);
    if (h == NULL)
        return NULL;
    h->name = mfx_arena_copy(arena, name);
    h->value = mfx_arena_copy(arena, value);
    if (h->name.p == NULL || h->value.p == NULL)
        return NULL;
    if (headers->by_name == NULL && headers->count >= MANY &&
        !map_all_names(headers, arena))
        return NULL;
    append(headers, h);
    if (headers->by_name != NULL && !map_name(headers, arena, h))
        return NULL;
    return h;
}

const char *
mfx_headers_fault(const struct mfx_headers *headers)
{
    static const struct {
        struct mfx_str name;
        const char *none, *several; /* none NULL: may be absent */
    } rules[] = {
        {MFX_STR("From"),        "no From field", "several From fields"       },
        {MFX_STR("Date"),        "no Date field", "several Date fields"       },
        {MFX_STR("Sender"),      NULL,            "several Sender fields"     },
        {MFX_STR("Reply-To"),    NULL,            "several Reply-To fields"   },
        {MFX_STR("To"),          NULL,            "several To fields"         },
        {MFX_STR("Cc"),          NULL,            "several Cc fields"         },
        {MFX_STR("Bcc"),         NULL,            "several Bcc fields"        },
        {MFX_STR("Message-ID"),  NULL,            "several Message-ID fields" },
        {MFX_STR("In-Reply-To"), NULL,            "several In-Reply-To fields"},
        {MFX_STR("References"),  NULL,            "several References fields" },
        {MFX_STR("Subject"),     NULL,            "several Subject fields"    },
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct mfx_header *h = mfx_headers_first(headers, rules[i].name);
        if (h == NULL && rules[i].none != NULL)
            return rules[i].none;
        if (h != NULL && h->same_next != NULL)
            return rules[i].several;
    }
    return NULL;
}

void
mfx_headers_fini(struct mfx_headers *headers)
{
    mfx_map_free(headers->by_name);
    headers->by_name = NULL;
}

bool
mfx_header_name_is_valid(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
            return false;
    return name.len > 0;
}

static bool
is_blank(struct mfx_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!mfx_ascii_is_wsp((unsigned char)line.p[i]))
            return false;
    return true;
}

bool
mfx_header_value_is_safe(struct mfx_str value)
{
    struct mfx_str line;
    if (mfx_str_has(value, '\r') || mfx_str_has(value, '\0'))
        return false;
    if (!mfx_str_cut(&value, '\n', &line))
        return true;
    while (mfx_str_cut(&value, '\n', &line))
        if (line.len == 0 || !mfx_ascii_is_wsp((unsigned char)line.p[0]) ||
            is_blank(line))
            return false;
    return true;
}

struct mfx_str
mfx_header_unfold(struct mfx_str value, struct mfx_arena *arena)
{
    if (!mfx_str_has(value, '\n') && !mfx_str_has(value, '\r'))
        return value;
    char *out = mfx_arena_alloc_bytes(arena, value.len);
    size_t len = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != '\n' && value.p[i] != '\r')
            out[len++] = value.p[i];
    return mfx_str(out, len);
}

/* --- a whole message --- */

/* Takes the next line with its line end off *rest. */
static struct mfx_str
take_line(struct mfx_str *rest)
{
    size_t at = mfx_str_find(*rest, '\n');
    struct mfx_str line = mfx_str_head(*rest, at + 1);
    *rest = mfx_str_from(*rest, line.len);
    return line;
}

static struct mfx_str
without_line_end(struct mfx_str line)
{
    if (line.len > 0 && line.p[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The field name of a line; empty when the line begins no field. Blanks before
 * the colon are no part of it, as both MTAs read it. */
static struct mfx_str
name_of(struct mfx_str line)
{
    size_t colon = mfx_str_find(line, ':');
    struct mfx_str name = mfx_str_head(line, colon);
    if (colon == line.len)
        return mfx_str(line.p, 0);
    while (name.len > 0 &&
           mfx_ascii_is_wsp((unsigned char)name.p[name.len - 1]))
        name.len--;
    return mfx_header_name_is_valid(name) ? name : mfx_str(line.p, 0);
}

/* The lines of a field joined by LF alone. */
static struct mfx_str
join_lines(struct mfx_str lines, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, lines.len);
    size_t len = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    while (lines.len > 0) {
        struct mfx_str line = without_line_end(take_line(&lines));
        if (len > 0)
            out[len++] = '\n';
        if (line.len > 0)
            memcpy(out + len, line.p, line.len);
        len += line.len;
    }
    return mfx_str(out, len);
}

static bool
add_field(struct mfx_headers *headers, struct mfx_arena *arena,
          struct mfx_str name, struct mfx_str field)
{
    struct mfx_str text = join_lines(field, arena);
    if (text.p == NULL)
        return false;
    struct mfx_str value = mfx_str_from(text, mfx_str_find(text, ':') + 1);
    return mfx_headers_add(headers, arena, name, value) != NULL;
}

enum mfx_rc
mfx_message_split(struct mfx_str message, struct mfx_arena *arena,
                  struct mfx_headers *headers, struct mfx_str *body)
{
    static const struct mfx_str mbox = MFX_STR("From ");
    struct mfx_str rest = message;
    struct mfx_str first = take_line(&rest);
    if (!mfx_str_starts(first, mbox) || name_of(first).len > 0)
        rest = message;
    while (rest.len > 0) {
        struct mfx_str after = rest;
        struct mfx_str line = take_line(&after);
        struct mfx_str name = name_of(line);
        if (without_line_end(line).len == 0) {
            rest = after;
            break;
        }
        if (name.len == 0)
            break;
        while (after.len > 0 && mfx_ascii_is_wsp((unsigned char)after.p[0]))
            (void)take_line(&after);
        struct mfx_str field = mfx_str_head(rest, rest.len - after.len);
        if (!add_field(headers, arena, name, field))
            return MFX_TEMPFAIL;
        rest = after;
    }
    *body = rest;
    return MFX_OK;
}
