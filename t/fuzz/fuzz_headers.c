/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is split; put together again and split once more it gives the
 * same fields and body.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_field(const struct mfx_headers *headers, const struct mfx_header *h,
            struct mfx_arena *arena)
{
    check(mfx_header_name_is_valid(h->name));
    check(h->instance == (h->same_prev ? h->same_prev->instance + 1 : 1));
    check(h->same_next == NULL || h->same_next->same_prev == h);
    check(mfx_headers_first(headers, h->name)->instance == 1);
    check(mfx_headers_count(headers, h->name) >= h->instance);
    struct mfx_str flat = mfx_header_unfold(h->value, arena);
    check(!mfx_str_has(flat, '\n') && !mfx_str_has(flat, '\r'));
    (void)mfx_header_value_is_safe(h->value);
}

static void
split(struct mfx_str message, struct mfx_arena *arena,
      struct mfx_headers *headers, struct mfx_str *body)
{
    check(mfx_message_split(message, arena, headers, body) == MFX_OK);
}

static void
check_again(const struct mfx_headers *headers, struct mfx_str body,
            struct mfx_arena *arena)
{
    struct mfx_buf out;
    struct mfx_headers again = {0};
    struct mfx_str again_body;
    mfx_buf_init_arena(&out, arena, SIZE_MAX / 2);
    for (const struct mfx_header *h = headers->first; h != NULL; h = h->next) {
        struct mfx_str rest = h->value, line = {0};
        mfx_buf_add(&out, h->name);
        mfx_buf_add_byte(&out, ':');
        while (mfx_str_cut(&rest, '\n', &line)) {
            mfx_buf_add(&out, line);
            mfx_buf_add_text(&out, "\r\n");
        }
    }
    mfx_buf_add_text(&out, "\r\n");
    mfx_buf_add(&out, body);
    split(mfx_buf_str(&out), arena, &again, &again_body);
    check(again.count == headers->count && again.bytes == headers->bytes);
    check(mfx_str_eq(body, again_body));
    const struct mfx_header *b = again.first;
    for (const struct mfx_header *a = headers->first; a != NULL; a = a->next) {
        check(mfx_str_eq(a->name, b->name) && mfx_str_eq(a->value, b->value));
        b = b->next;
    }
    mfx_headers_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_headers headers = {0};
    struct mfx_str body;
    split(mfx_str((const char *)data, size), arena, &headers, &body);
    for (const struct mfx_header *h = headers.first; h != NULL; h = h->next)
        check_field(&headers, h, arena);
    check_again(&headers, body, arena);
    mfx_headers_fini(&headers);
    mfx_arena_free(arena);
    return 0;
}
