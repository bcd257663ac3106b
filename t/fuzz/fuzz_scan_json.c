/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON of engines: what our own reader takes, and what it makes of it, is what
 * jansson takes and makes. They differ in how deep they go, in whole numbers
 * beyond 64 bits, and in the last places of a number. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include <mfx/scan/scan_json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_so)
{
    if (!is_so)
        abort();
}

static void
compare_numbers(double ours, double theirs)
{
    must(isfinite(ours));
    must(fabs(ours - theirs) <= fabs(theirs) * 1e-12 + 1e-300);
}

static void compare(const struct mfx_scan_json *ours, const json_t *theirs);

static void
compare_arrays(const struct mfx_scan_json *ours, const json_t *theirs)
{
    const struct mfx_scan_json *item = ours->first;
    must(ours->count == json_array_size(theirs));
    for (size_t i = 0; i < ours->count; i++, item = item->next)
        compare(item, json_array_get(theirs, i));
    must(item == NULL);
}

static void
compare_objects(const struct mfx_scan_json *ours, const json_t *theirs)
{
    const struct mfx_scan_json *item = ours->first;
    must(ours->count == json_object_size(theirs));
    for (; item != NULL; item = item->next)
        compare(item, json_object_getn(theirs, item->name.p, item->name.len));
}

static void
compare(const struct mfx_scan_json *ours, const json_t *theirs)
{
    must(theirs != NULL);
    switch (ours->kind) {
    case MFX_SCAN_JSON_NULL:
        must(json_is_null(theirs));
        break;
    case MFX_SCAN_JSON_FALSE:
        must(json_is_false(theirs));
        break;
    case MFX_SCAN_JSON_TRUE:
        must(json_is_true(theirs));
        break;
    case MFX_SCAN_JSON_NUMBER:
        must(json_is_number(theirs));
        compare_numbers(ours->number, json_number_value(theirs));
        break;
    case MFX_SCAN_JSON_TEXT:
        must(json_is_string(theirs));
        must(mfx_str_eq(ours->text, mfx_str(json_string_value(theirs),
                                            json_string_length(theirs))));
        break;
    case MFX_SCAN_JSON_ARRAY:
        must(json_is_array(theirs));
        compare_arrays(ours, theirs);
        break;
    case MFX_SCAN_JSON_OBJECT:
        must(json_is_object(theirs));
        compare_objects(ours, theirs);
        break;
    }
}

/* Are there as many brackets as ours goes deep? */
static bool
may_be_deep(struct mfx_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.p[i] == '[' || text.p[i] == '{';
    return count > MFX_SCAN_JSON_DEPTH;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str text = mfx_str((const char *)data, size);
    struct mfx_err err = {{0}};
    json_error_t error;
    /* jansson takes a NUL for the end */
    if (size == 0 || !mfx_str_is_utf8(text) || mfx_str_has(text, '\0'))
        return 0;
    struct mfx_arena *arena = mfx_arena_new(64 << 20);
    if (arena == NULL)
        return 0;
    json_t *theirs = json_loadb(
        text.p, text.len,
        JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    const struct mfx_scan_json *ours = mfx_scan_json_read(arena, text, &err);
    if (ours != NULL && theirs != NULL)
        compare(ours, theirs);
    else if (ours == NULL)
        must(theirs == NULL || may_be_deep(text) || !mfx_arena_ok(arena));
    else
        must(json_error_code(&error) == json_error_numeric_overflow);
    must(ours != NULL || err.msg[0] != '\0');
    json_decref(theirs);
    mfx_arena_free(arena);
    return 0;
}
