/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TZif files (RFC 9636 3): a header and a block with 32 bit times, and from
 * version 2 on a second header, a block with 64 bit times, and a footer.
 */
#include "calendar_impl.h"

enum {
    HEADER_SIZE = 44,
    TYPE_SIZE = 6,
    TYPES_MAX = 256,
};

struct header {
    char version;
    uint32_t isut_count, isstd_count, leap_count, time_count, type_count,
        char_count;
};

static uint32_t
read_u32(const char *p)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static int64_t
read_time(const char *p, size_t size)
{
    if (size == 4)
        return (int32_t)read_u32(p);
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

static bool
read_header(struct mfx_str bytes, struct header *h)
{
    if (bytes.len < HEADER_SIZE || !mfx_str_starts(bytes, mfx_str_of("TZif")))
        return false;
    h->version = bytes.p[4];
    h->isut_count = read_u32(bytes.p + 20);
    h->isstd_count = read_u32(bytes.p + 24);
    h->leap_count = read_u32(bytes.p + 28);
    h->time_count = read_u32(bytes.p + 32);
    h->type_count = read_u32(bytes.p + 36);
    h->char_count = read_u32(bytes.p + 40);
    return h->type_count >= 1 && h->type_count <= TYPES_MAX;
}

/* Bytes of the block behind the header. The counts have 32 bits each. */
static uint64_t
block_size(const struct header *h, size_t time_size)
{
    return (uint64_t)h->time_count * (time_size + 1) +
           (uint64_t)h->type_count * TYPE_SIZE + h->char_count +
           (uint64_t)h->leap_count * (time_size + 4) + h->isstd_count +
           h->isut_count;
}

static bool
read_offset(const char *types, const struct header *h, unsigned type,
            int32_t *offset)
{
    if (type >= h->type_count)
        return false;
    *offset = (int32_t)read_u32(types + (size_t)type * TYPE_SIZE);
    return *offset > -CALENDAR_OFFSET_MAX && *offset < CALENDAR_OFFSET_MAX;
}

/* The block's tables; its length has been checked. */
static enum mfx_rc
read_block(struct quota_calendar *c, const char *block, const struct header *h,
           size_t time_size)
{
    size_t count = h->time_count;
    const char *indexes = block + count * time_size;
    const char *types = indexes + count;
    c->times = mfx_arena_alloc_array(c->arena, count, sizeof *c->times);
    c->offsets = mfx_arena_alloc_array(c->arena, count, sizeof *c->offsets);
    if (c->times == NULL || c->offsets == NULL)
        return MFX_TEMPFAIL;
    if (!read_offset(types, h, 0, &c->first_offset))
        return MFX_PERMFAIL;
    for (size_t i = 0; i < count; i++) {
        c->times[i] = read_time(block + i * time_size, time_size);
        if ((i > 0 && c->times[i] <= c->times[i - 1]) ||
            !read_offset(types, h, (unsigned char)indexes[i], &c->offsets[i]))
            return MFX_PERMFAIL;
    }
    c->count = count;
    return MFX_OK;
}

/* A line of its own behind the second block; may be empty. */
static enum mfx_rc
read_footer(struct quota_calendar *c, struct mfx_str rest)
{
    struct mfx_str text = mfx_str_from(rest, 1);
    size_t end = mfx_str_find(text, '\n');
    if (rest.len < 2 || rest.p[0] != '\n' || end == text.len)
        return MFX_PERMFAIL;
    if (end == 0)
        return MFX_OK;
    c->has_rule = true;
    return calendar_rule_parse(mfx_str_head(text, end), &c->rule);
}

static enum mfx_rc
read_all(struct quota_calendar *c, struct mfx_str bytes, struct mfx_err *err)
{
    struct header h;
    size_t time_size = 4;
    mfx_err_set(err, "no time zone file, or a broken one");
    if (!read_header(bytes, &h) || block_size(&h, 4) > bytes.len - HEADER_SIZE)
        return MFX_PERMFAIL;
    bool is_old = h.version == '\0';
    if (!is_old) {
        time_size = 8;
        bytes = mfx_str_from(bytes, HEADER_SIZE + (size_t)block_size(&h, 4));
        if (!read_header(bytes, &h) ||
            block_size(&h, 8) > bytes.len - HEADER_SIZE)
            return MFX_PERMFAIL;
    }
    if (h.leap_count > 0) {
        mfx_err_set(err, "this time zone counts leap seconds; name it without "
                         "\"right/\"");
        return MFX_PERMFAIL;
    }
    enum mfx_rc rc = read_block(c, bytes.p + HEADER_SIZE, &h, time_size);
    if (rc != MFX_OK || is_old)
        return rc;
    return read_footer(
        c, mfx_str_from(bytes, HEADER_SIZE + (size_t)block_size(&h, 8)));
}

static void
release(struct quota_calendar *c)
{
    if (c != NULL)
        mfx_arena_free(c->arena);
}

static struct quota_calendar *
new_calendar(void)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct quota_calendar *c =
        arena != NULL ? mfx_arena_alloc(arena, sizeof *c) : NULL;
    if (c == NULL)
        mfx_arena_free(arena);
    else
        c->arena = arena;
    return c;
}

enum mfx_rc
quota_calendar_parse(struct mfx_str bytes, struct quota_calendar **calendar,
                     struct mfx_err *err)
{
    *calendar = NULL;
    struct quota_calendar *c = new_calendar();
    enum mfx_rc rc = c != NULL ? read_all(c, bytes, err) : MFX_TEMPFAIL;
    if (rc == MFX_TEMPFAIL)
        mfx_err_set(err, "out of memory");
    if (rc != MFX_OK) {
        release(c);
        return rc;
    }
    *calendar = c;
    return MFX_OK;
}

void
quota_calendar_free(struct quota_calendar *calendar)
{
    release(calendar);
}

enum {
    FILE_MAX = 256 * 1024,
    NAME_MAX_BYTES = 200,
};

/* Letters, digits and "_+-./", no part of it "..", none empty. */
static bool
is_zone_name(struct mfx_str zone)
{
    struct mfx_str rest = zone, part;
    if (zone.len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < zone.len; i++)
        if (!mfx_ascii_is_alnum((unsigned char)zone.p[i]) &&
            strchr("_+-./", zone.p[i]) == NULL)
            return false;
    while (mfx_str_cut(&rest, '/', &part))
        if (part.len == 0 || part.p[0] == '.')
            return false;
    return true;
}

/* No table, no rule: the offset before the table, which is 0. */
static enum mfx_rc
make_utc(struct quota_calendar **calendar, struct mfx_err *err)
{
    *calendar = new_calendar();
    if (*calendar == NULL)
        mfx_err_set(err, "out of memory");
    return *calendar != NULL ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
load_file(const char *path, struct mfx_arena *arena,
          struct quota_calendar **calendar, struct mfx_err *err)
{
    struct mfx_str bytes;
    struct mfx_file_id id;
    enum mfx_rc rc = mfx_file_read(path, FILE_MAX, arena, &bytes, &id, err);
    if (rc != MFX_OK)
        return rc;
    rc = quota_calendar_parse(bytes, calendar, err);
    if (rc != MFX_OK) {
        mfx_err_prefix(err, "%s", path);
        return rc;
    }
    struct quota_calendar *c = *calendar;
    c->id = id;
    c->path = mfx_arena_copy(c->arena, mfx_str_of(path)).p;
    if (c->path != NULL)
        return MFX_OK;
    mfx_err_set(err, "out of memory");
    quota_calendar_free(c);
    *calendar = NULL;
    return MFX_TEMPFAIL;
}

static const char system_file[] = "/etc/localtime";

static enum mfx_rc
load_zone(const char *folder, struct mfx_str zone, struct mfx_arena *arena,
          struct quota_calendar **calendar, struct mfx_err *err)
{
    struct mfx_file_id id;
    if (mfx_str_is(zone, "UTC") ||
        (zone.len == 0 &&
         mfx_file_identify(system_file, &id, NULL) == MFX_NOTFOUND))
        return make_utc(calendar, err);
    if (zone.len == 0)
        return load_file(system_file, arena, calendar, err);
    if (!is_zone_name(zone)) {
        mfx_err_set(err, "this is no name of a time zone, such as "
                         "\"Europe/Zurich\"");
        return MFX_PERMFAIL;
    }
    const char *path =
        mfx_arena_printf(arena, "%s/%.*s", folder, MFX_STR_ARG(zone)).p;
    if (path != NULL)
        return load_file(path, arena, calendar, err);
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

enum mfx_rc
quota_calendar_load(const char *folder, struct mfx_str zone,
                    struct quota_calendar **calendar, struct mfx_err *err)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    *calendar = NULL;
    if (arena == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = load_zone(folder, zone, arena, calendar, err);
    mfx_arena_free(arena);
    return rc;
}

enum mfx_rc
quota_calendar_new(struct mfx_str zone, struct quota_calendar **calendar,
                   struct mfx_err *err)
{
    return quota_calendar_load("/usr/share/zoneinfo", zone, calendar, err);
}

bool
quota_calendar_is_outdated(const struct quota_calendar *calendar)
{
    struct mfx_file_id now;
    if (calendar->path == NULL)
        return false;
    return mfx_file_identify(calendar->path, &now, NULL) != MFX_OK ||
           !mfx_file_id_eq(&now, &calendar->id);
}
