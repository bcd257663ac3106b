/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A counter as bytes: numbers of seven bits an octet, the lowest first, the
 * last without the top bit. There is one way to write a counter, and the reader
 * takes no other; nothing it finds is believed before it is checked.
 *
 *     version kind begun memory override-length
 *     [override override-until] window-count { window }
 *     window: shape span last expires-last since soft full, and
 *     SLIDING: count { index-index before, amount }
 *     FIXED: count { begin end-begin amount since }
 *     BUCKET: level fraction at limit
 */
#include "counter.h"

#include <stdlib.h>

enum {
    VERSION = 1,
    NUMBER_MAX = 10, /* octets */
};

static void
put(struct mfx_buf *out, uint64_t number)
{
    char bytes[NUMBER_MAX];
    size_t len = 0;
    while (number >= 0x80) {
        bytes[len++] = (char)(number | 0x80);
        number >>= 7;
    }
    bytes[len++] = (char)number;
    mfx_buf_add(out, mfx_str(bytes, len));
}

static void
put_window(struct mfx_buf *out, const struct mfx_counter_window *window)
{
    put(out, (uint64_t)window->shape);
    put(out, window->span_ms);
    put(out, window->last_ms);
    put(out, window->expires_ms - window->last_ms);
    put(out, window->since_ms);
    put(out, window->soft_mark);
    put(out, window->full_mark);
    uint64_t before = 0;
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        put(out, window->count);
        for (size_t i = 0; i < window->count; i++) {
            put(out, window->parts[i].index - before);
            put(out, window->parts[i].amount);
            before = window->parts[i].index;
        }
        return;
    case MFX_STORE_FIXED:
        put(out, window->count);
        for (size_t i = 0; i < window->count; i++) {
            const struct mfx_counter_period *period = &window->periods[i];
            put(out, period->begin_s);
            put(out, period->end_s - period->begin_s);
            put(out, period->amount);
            put(out, period->since_ms);
        }
        return;
    case MFX_STORE_BUCKET:
        put(out, window->level);
        put(out, window->fraction);
        put(out, window->at_ms);
        put(out, window->limit);
        return;
    }
}

void
mfx_counter_encode(const struct mfx_counter *counter, struct mfx_buf *out)
{
    put(out, VERSION);
    put(out, (uint64_t)counter->kind);
    put(out, counter->begun_ms);
    put(out, counter->memory_ms);
    put(out, counter->override_len);
    if (counter->override_len > 0) {
        mfx_buf_add(out, mfx_str(counter->override, counter->override_len));
        put(out, counter->override_until_ms);
    }
    put(out, counter->window_count);
    for (size_t i = 0; i < counter->window_count; i++)
        put_window(out, &counter->windows[i]);
}

/* --- reading --- */

struct reader {
    const unsigned char *p;
    size_t left;
    bool is_damaged, is_out_of_memory;
};

static uint64_t
get(struct reader *in, uint64_t max)
{
    uint64_t number = 0;
    for (unsigned shift = 0; in->left > 0 && shift < 64; shift += 7) {
        unsigned char c = *in->p++;
        in->left--;
        /* bits beyond the 64th, or an end that says nothing */
        if ((shift == 63 && c > 1) || (c == 0 && shift > 0))
            break;
        number |= (uint64_t)(c & 0x7F) << shift;
        if ((c & 0x80) != 0)
            continue;
        if (number > max)
            break;
        return number;
    }
    in->is_damaged = true;
    return 0;
}

static uint64_t
get_time(struct reader *in)
{
    return get(in, MFX_COUNTER_TIME_MAX);
}

/* A number that is not below `least`, written as the difference. */
static uint64_t
get_after(struct reader *in, uint64_t least, uint64_t max)
{
    if (least <= max)
        return least + get(in, max - least);
    in->is_damaged = true;
    return 0;
}

static void *
get_room(struct reader *in, size_t count, size_t size)
{
    if (in->is_damaged || count == 0)
        return NULL;
    void *room = calloc(count, size);
    if (room == NULL)
        in->is_out_of_memory = true;
    return room;
}

static void
get_parts(struct reader *in, struct mfx_counter_window *window)
{
    uint64_t most = mfx_counter_part(window->span_ms, MFX_COUNTER_TIME_MAX);
    uint64_t before = 0;
    size_t count = (size_t)get(in, MFX_COUNTER_PARTS_MAX + 1);
    window->parts = get_room(in, count, sizeof *window->parts);
    if (window->parts == NULL)
        return;
    window->room = count;
    for (; window->count < count && !in->is_damaged; window->count++) {
        struct mfx_counter_part *part = &window->parts[window->count];
        part->index = get_after(in, before, most);
        part->amount = get(in, UINT64_MAX);
        if (part->amount == 0 || (window->count > 0 && part->index == before))
            in->is_damaged = true;
        before = part->index;
    }
}

static void
get_periods(struct reader *in, struct mfx_counter_window *window)
{
    size_t count = (size_t)get(in, MFX_COUNTER_PERIODS_MAX);
    window->periods = get_room(in, count, sizeof *window->periods);
    if (window->periods == NULL)
        return;
    window->room = count;
    for (; window->count < count && !in->is_damaged; window->count++) {
        struct mfx_counter_period *period = &window->periods[window->count];
        period->begin_s = get_time(in);
        period->end_s = get_after(in, period->begin_s, MFX_COUNTER_TIME_MAX);
        period->amount = get(in, UINT64_MAX);
        period->since_ms = get_time(in);
        for (size_t i = 0; i < window->count; i++)
            if (window->periods[i].begin_s == period->begin_s)
                in->is_damaged = true;
    }
}

static void
get_window(struct reader *in, struct mfx_counter *counter)
{
    struct mfx_counter_window window = {
        .shape = (enum mfx_store_shape)get(in, MFX_STORE_BUCKET),
        .span_ms = get(in, UINT64_MAX),
    };
    window.last_ms = get_time(in);
    window.expires_ms = get_after(in, window.last_ms, MFX_COUNTER_TIME_MAX);
    window.since_ms = get_time(in);
    window.soft_mark = get_time(in);
    window.full_mark = get_time(in);
    bool has_length =
        window.shape == MFX_STORE_FIXED ||
        (window.span_ms > 0 && window.span_ms <= MFX_COUNTER_TIME_MAX);
    if (in->is_damaged || !has_length ||
        mfx_counter_window_find(counter, window.shape, window.span_ms) !=
            NULL) {
        in->is_damaged = true;
        return;
    }
    switch (window.shape) {
    case MFX_STORE_SLIDING:
        get_parts(in, &window);
        break;
    case MFX_STORE_FIXED:
        get_periods(in, &window);
        break;
    case MFX_STORE_BUCKET:
        window.level = get(in, UINT64_MAX);
        window.fraction = get(in, window.span_ms - 1);
        window.at_ms = get_time(in);
        window.limit = get(in, UINT64_MAX);
        break;
    }
    counter->windows[counter->window_count++] = window;
}

static void
get_override(struct reader *in, struct mfx_counter *counter)
{
    size_t len = (size_t)get(in, MFX_STORE_OVERRIDE_MAX);
    if (len == 0)
        return;
    if (len > in->left) {
        in->is_damaged = true;
        return;
    }
    counter->override = get_room(in, len, 1);
    if (counter->override == NULL)
        return;
    memcpy(counter->override, in->p, len);
    counter->override_len = len;
    in->p += len;
    in->left -= len;
    counter->override_until_ms = get_time(in);
}

enum mfx_rc
mfx_counter_decode(struct mfx_str bytes, struct mfx_counter *counter)
{
    struct reader in = {(const unsigned char *)bytes.p, bytes.len, false,
                        false};
    if (get(&in, VERSION) != VERSION)
        in.is_damaged = true;
    counter->kind = (enum mfx_store_kind)get(&in, MFX_STORE_OPEN);
    counter->begun_ms = get_time(&in);
    counter->memory_ms = get_time(&in);
    get_override(&in, counter);
    size_t count = (size_t)get(&in, MFX_COUNTER_WINDOWS_MAX);
    counter->windows = get_room(&in, count, sizeof *counter->windows);
    for (size_t i = 0; counter->windows != NULL && i < count && !in.is_damaged;
         i++)
        get_window(&in, counter);
    if (!in.is_damaged && !in.is_out_of_memory && in.left == 0)
        return MFX_OK;
    mfx_counter_fini(counter);
    mfx_counter_init(counter, MFX_STORE_AMOUNT);
    return in.is_out_of_memory ? MFX_TEMPFAIL : MFX_PERMFAIL;
}
