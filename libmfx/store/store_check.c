/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may be asked of a store, and the copy of it that a call keeps.
 */
#include "store_impl.h"

#include <stdlib.h>

#include <openssl/evp.h>

enum {
    SPAN_MAX_DAYS = 3660,
};
static const uint64_t span_max_ms = (uint64_t)SPAN_MAX_DAYS * 86400 * 1000;

enum mfx_rc
mfx_store_check_name(struct mfx_str name, struct mfx_err *err)
{
    if (name.len > 0 && name.len <= MFX_STORE_NAME_MAX)
        return MFX_OK;
    mfx_err_set(err, "name of %zu octets: between 1 and %d are possible",
                name.len, MFX_STORE_NAME_MAX);
    return MFX_PERMFAIL;
}

static const char *
find_wrong_window(const struct mfx_store_use *use, size_t at)
{
    const struct mfx_store_window *window = &use->windows[at];
    if (window->shape == MFX_STORE_FIXED && window->period == NULL)
        return "a fixed window without a period";
    if (window->shape != MFX_STORE_FIXED &&
        (window->span_ms == 0 || window->span_ms > span_max_ms))
        return "a window of no length, or of more than 10 years";
    for (size_t i = 0; i < at; i++)
        if (use->windows[i].shape == window->shape &&
            use->windows[i].span_ms == window->span_ms)
            return "the same window twice";
    return NULL;
}

static const char *
find_wrong_use(enum mfx_store_op op, const struct mfx_store_use *use)
{
    bool is_counted = op == MFX_STORE_TAKE || op == MFX_STORE_COMMIT;
    if (use->amount > MFX_STORE_AMOUNT_MAX)
        return "the amount is too large";
    if (use->window_count > MFX_STORE_WINDOWS_MAX)
        return "too many windows";
    if (use->element_count > MFX_STORE_ELEMENTS_MAX)
        return "too many elements";
    if (use->believed_override.len > MFX_STORE_OVERRIDE_MAX)
        return "the override is too long";
    if (use->kind == MFX_STORE_OPEN) {
        if (is_counted)
            return "what is held open cannot be counted";
        if (op != MFX_STORE_RELEASE && op != MFX_STORE_RESET &&
            use->window_count != 1)
            return "what is held open has one limit";
        return NULL;
    }
    for (size_t i = 0; i < use->window_count; i++) {
        const char *wrong = find_wrong_window(use, i);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static bool
is_named_before(const struct mfx_store_use *uses, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (mfx_str_eq(uses[i].counter, uses[at].counter))
            return true;
    return false;
}

enum mfx_rc
mfx_store_check_uses(enum mfx_store_op op, struct mfx_str holder,
                     const struct mfx_store_use *uses, size_t count,
                     struct mfx_err *err)
{
    bool needs_holder = op == MFX_STORE_RESERVE || op == MFX_STORE_COMMIT ||
                        op == MFX_STORE_RELEASE;
    if (count > MFX_STORE_USES_MAX) {
        mfx_err_set(err, "%zu uses in one call, more than %d", count,
                    MFX_STORE_USES_MAX);
        return MFX_PERMFAIL;
    }
    if (holder.len > MFX_STORE_HOLDER_MAX ||
        (needs_holder && holder.len == 0)) {
        mfx_err_set(err, "a holder of %zu octets", holder.len);
        return MFX_PERMFAIL;
    }
    for (size_t i = 0; i < count; i++) {
        enum mfx_rc rc = mfx_store_check_name(uses[i].counter, err);
        if (rc != MFX_OK)
            return rc;
        const char *wrong = find_wrong_use(op, &uses[i]);
        if (wrong == NULL && is_named_before(uses, i))
            wrong = "the same counter twice in one call";
        if (wrong != NULL) {
            mfx_err_set(err, "use %zu: %s", i + 1, wrong);
            return MFX_PERMFAIL;
        }
    }
    return MFX_OK;
}

/* --- copies --- */

bool
mfx_store_element_hash(struct mfx_str element, uint64_t *hash)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(element.len > 0 ? element.p : "", element.len, digest, NULL,
                   EVP_sha256(), NULL) != 1)
        return false;
    *hash = 0;
    for (size_t i = 0; i < 8; i++)
        *hash = *hash << 8 | digest[i];
    return true;
}

static int
compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* In order and each once: an element named twice is one element. */
static enum mfx_rc
hash_elements(struct mfx_arena *arena, struct mfx_store_use *copy,
              const struct mfx_str *elements, uint64_t **hashes)
{
    size_t count = copy->element_count, kept = 0;
    uint64_t *all = mfx_arena_alloc_array(arena, count, sizeof *all);
    if (all == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++)
        if (!mfx_store_element_hash(elements[i], &all[i]))
            return MFX_TEMPFAIL;
    qsort(all, count, sizeof *all, compare_hashes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || all[i] != all[kept - 1])
            all[kept++] = all[i];
    copy->element_count = kept;
    *hashes = all;
    return MFX_OK;
}

enum mfx_rc
mfx_store_copy_use(struct mfx_arena *arena, const struct mfx_store_use *use,
                   struct mfx_store_use *copy, uint64_t **hashes)
{
    bool has_elements =
        (use->kind == MFX_STORE_DISTINCT || use->kind == MFX_STORE_FIRST) &&
        use->element_count > 0;
    size_t size = use->window_count * sizeof *use->windows;
    struct mfx_store_window *windows = mfx_arena_alloc(arena, size);
    if (windows == NULL)
        return MFX_TEMPFAIL;
    if (size > 0)
        memcpy(windows, use->windows, size);
    *copy = *use;
    copy->windows = windows;
    copy->counter = mfx_arena_copy(arena, use->counter);
    copy->believed_override = mfx_arena_copy(arena, use->believed_override);
    copy->elements = NULL;
    *hashes = NULL;
    if (has_elements)
        return hash_elements(arena, copy, use->elements, hashes);
    copy->element_count = 0;
    return mfx_arena_ok(arena) ? MFX_OK : MFX_TEMPFAIL;
}
