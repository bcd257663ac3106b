/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_ask.h>

#include <stdio.h>

#include <mfx/base/env.h>
#include <mfx/store/redis_command.h>
#include <mfx/store/redis_pack.h>

enum {
    LIST_MAX = 1000, /* counters of one step */
    PERIOD_TRIES = 3,
    ELEMENT_LEN = 8,
    PACKED_MAX = 64 << 20,
    USES_HEAD = 3,   /* now, outcome, repeated */
    LEVEL_ITEMS = 4, /* used, reserved, free at, what holds */
    ROW_HEAD = 3,
    ROW_ITEMS = 4,
};

static const uint64_t amount_max = UINT64_C(1) << 53;

/* --- what is sent --- */

struct mfx_redis_ask *
mfx_redis_ask_new(const struct mfx_redis_asker *asker,
                  struct mfx_store_call *call)
{
    struct mfx_redis_ask *ask = mfx_arena_alloc(call->arena, sizeof *ask);
    if (ask == NULL)
        return NULL;
    ask->call = call;
    ask->asker = asker;
    call->place = ask;
    return ask;
}

static struct mfx_str
key_of(const struct mfx_redis_asker *asker, struct mfx_arena *arena,
       const char *room, struct mfx_str name)
{
    size_t room_len = strlen(room);
    struct mfx_str key = {NULL, asker->prefix.len + room_len + name.len};
    char *p = mfx_arena_alloc_bytes(arena, key.len);
    if (p == NULL)
        return mfx_str(NULL, 0);
    memcpy(p, asker->prefix.p, asker->prefix.len);
    memcpy(p + asker->prefix.len, room, room_len);
    if (name.len > 0)
        memcpy(p + asker->prefix.len + room_len, name.p, name.len);
    key.p = p;
    return key;
}

struct mfx_str
mfx_redis_counter_key(const struct mfx_redis_asker *asker,
                      struct mfx_arena *arena, struct mfx_str counter)
{
    return key_of(asker, arena, "c:", counter);
}

static void
begin_script(const struct mfx_redis_ask *ask, struct mfx_redis_command *c,
             enum mfx_redis_script_id id, size_t keys)
{
    const struct mfx_redis_scripts *scripts = &ask->asker->scripts;
    mfx_redis_command_begin(c, ask->call->arena);
    if (ask->has_text) {
        mfx_redis_command_text(c, "EVAL");
        mfx_redis_command_add(c, scripts->text[id]);
    } else {
        mfx_redis_command_text(c, "EVALSHA");
        mfx_redis_command_text(c, scripts->sha[id]);
    }
    mfx_redis_command_u64(c, keys);
}

static uint64_t
at_most(uint64_t amount)
{
    return amount < amount_max ? amount : amount_max;
}

static const char *
op_letter(enum mfx_store_op op)
{
    switch (op) {
    case MFX_STORE_CHECK:
        return "C";
    case MFX_STORE_RESERVE:
        return "R";
    case MFX_STORE_TAKE:
        return "T";
    case MFX_STORE_COMMIT:
        return "M";
    case MFX_STORE_RELEASE:
        return "F";
    case MFX_STORE_RESET:
        return "X";
    }
    return "C";
}

static const char *
kind_letter(enum mfx_store_kind kind)
{
    switch (kind) {
    case MFX_STORE_AMOUNT:
        return "a";
    case MFX_STORE_DISTINCT:
        return "d";
    case MFX_STORE_FIRST:
        return "f";
    case MFX_STORE_OPEN:
        return "o";
    }
    return "a";
}

static const char *
shape_letter(enum mfx_store_shape shape)
{
    switch (shape) {
    case MFX_STORE_SLIDING:
        return "s";
    case MFX_STORE_FIXED:
        return "f";
    case MFX_STORE_BUCKET:
        return "b";
    }
    return "s";
}

static struct mfx_str
pack_elements(struct mfx_arena *arena, const uint64_t *hashes, size_t count)
{
    char *p = mfx_arena_alloc_bytes(arena, count * ELEMENT_LEN);
    if (p == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < count * ELEMENT_LEN; i++)
        p[i] = (char)(hashes[i / ELEMENT_LEN] >> (56 - 8 * (i % ELEMENT_LEN)));
    return mfx_str(p, count * ELEMENT_LEN);
}

/* What is held open has no window: its shape does not matter. */
static void
pack_window(struct mfx_buf *out, enum mfx_store_kind kind,
            const struct mfx_store_window *window, uint64_t when_s)
{
    bool is_open = kind == MFX_STORE_OPEN;
    bool is_fixed = !is_open && window->shape == MFX_STORE_FIXED;
    uint64_t span_ms = is_open ? 1 : window->span_ms;
    uint64_t begin_s = 0, end_s = 0;
    char name[32];
    int len = snprintf(name, sizeof name, "%s%llu",
                       is_open ? "s" : shape_letter(window->shape),
                       (unsigned long long)span_ms);
    mfx_redis_pack_str(out, mfx_str(name, (size_t)len));
    mfx_redis_pack_u64(out, at_most(span_ms));
    if (window->limit == MFX_STORE_UNLIMITED)
        mfx_redis_pack_minus_one(out);
    else
        mfx_redis_pack_u64(out, at_most(window->limit));
    mfx_redis_pack_u64(out, at_most(window->soft));
    if (is_fixed)
        window->period(window->period_arg, when_s, &begin_s, &end_s);
    mfx_redis_pack_u64(out, begin_s * 1000);
    mfx_redis_pack_u64(out, end_s * 1000);
}

static bool
has_elements(const struct mfx_store_use *use)
{
    return use->kind == MFX_STORE_DISTINCT || use->kind == MFX_STORE_FIRST;
}

static void
pack_use(const struct mfx_redis_ask *ask, struct mfx_buf *out, size_t i,
         uint64_t when_s)
{
    const struct mfx_store_call *call = ask->call;
    const struct mfx_store_use *use = &call->uses[i];
    struct mfx_str elements = {NULL, 0};
    if (call->element_hashes[i] != NULL)
        elements = pack_elements(call->arena, call->element_hashes[i],
                                 use->element_count);
    mfx_redis_pack_str(out, mfx_str_of(kind_letter(use->kind)));
    mfx_redis_pack_u64(out, has_elements(use) ? 0 : at_most(use->amount));
    mfx_redis_pack_str(out, use->believed_override);
    mfx_redis_pack_u64(out, at_most(use->memory_ms));
    mfx_redis_pack_str(out, elements);
    for (size_t w = 0; w < use->window_count; w++)
        pack_window(out, use->kind, &use->windows[w], when_s);
}

/* What redis_plain.lua may answer. */
static bool
may_be_plain(const struct mfx_store_call *call)
{
    if (call->task != MFX_STORE_TASK_USES || call->op == MFX_STORE_RESET)
        return false;
    for (size_t i = 0; i < call->count; i++) {
        const struct mfx_store_use *use = &call->uses[i];
        if (use->kind != MFX_STORE_AMOUNT)
            return false;
        for (size_t w = 0; w < use->window_count; w++)
            if (use->windows[w].shape != MFX_STORE_SLIDING)
                return false;
    }
    return true;
}

static void
pack_call(const struct mfx_redis_ask *ask, struct mfx_buf *out, uint64_t age_ms)
{
    const struct mfx_store_call *call = ask->call;
    uint64_t lease_ms =
        mfx_redis_ask_is_renewed(ask) ? MFX_REDIS_LEASE_MS : call->lease_ms;
    mfx_redis_pack_str(out, mfx_str_of(op_letter(call->op)));
    mfx_redis_pack_str(out, call->holder);
    mfx_redis_pack_u64(out, at_most(lease_ms));
    mfx_redis_pack_u64(out, age_ms);
    mfx_redis_pack_str(out, ask->asker->prefix);
    mfx_redis_pack_u64(out, may_be_plain(call) ? 1 : 0);
}

/* The call, then one for each use. False: too much, or out of memory. */
static bool
add_packed(const struct mfx_redis_ask *ask, const struct mfx_redis_now *now,
           struct mfx_redis_command *c)
{
    const struct mfx_store_call *call = ask->call;
    bool is_merge = call->task == MFX_STORE_TASK_MERGE, is_ok = true;
    uint64_t age_ms =
        is_merge && now->wall_ms > call->at_ms ? now->wall_ms - call->at_ms : 0;
    uint64_t when_ms = now->server_ms > age_ms ? now->server_ms - age_ms : 0;
    for (size_t i = 0; i <= call->count && is_ok; i++) {
        struct mfx_buf out; /* its bytes are the arena's */
        mfx_buf_init_arena(&out, call->arena, PACKED_MAX);
        if (i == 0)
            pack_call(ask, &out, age_ms);
        else
            pack_use(ask, &out, i - 1, when_ms / 1000);
        is_ok = mfx_buf_ok(&out);
        mfx_redis_command_add(c, mfx_buf_str(&out));
    }
    return is_ok;
}

static struct mfx_str
format_uses(const struct mfx_redis_ask *ask, const struct mfx_redis_now *now)
{
    const struct mfx_store_call *call = ask->call;
    struct mfx_redis_command c;
    enum mfx_redis_script_id script = MFX_REDIS_SCRIPT_USES;
    for (size_t i = 0; i < call->count; i++)
        if (has_elements(&call->uses[i]))
            script = MFX_REDIS_SCRIPT_ELEMENTS;
    begin_script(ask, &c, script, call->count);
    for (size_t i = 0; i < call->count; i++)
        mfx_redis_command_add(&c, mfx_redis_counter_key(ask->asker, call->arena,
                                                        call->uses[i].counter));
    if (!add_packed(ask, now, &c))
        return mfx_str(NULL, 0);
    return mfx_redis_command_end(&c);
}

static struct mfx_str
format_override(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    struct mfx_redis_command c;
    begin_script(ask, &c, MFX_REDIS_SCRIPT_OTHER, 1);
    mfx_redis_command_add(
        &c, mfx_redis_counter_key(ask->asker, call->arena, call->name));
    mfx_redis_command_text(&c, "O");
    mfx_redis_command_add(&c, call->bytes);
    mfx_redis_command_u64(&c, at_most(call->lifetime_ms));
    return mfx_redis_command_end(&c);
}

static struct mfx_str
format_value(const struct mfx_redis_ask *ask)
{
    static const char *const letters[] = {
        [MFX_STORE_VALUE_GET] = "G",
        [MFX_STORE_VALUE_PUT] = "P",
        [MFX_STORE_VALUE_ADD] = "A",
        [MFX_STORE_VALUE_DELETE] = "D",
    };
    const struct mfx_store_call *call = ask->call;
    struct mfx_redis_command c;
    begin_script(ask, &c, MFX_REDIS_SCRIPT_OTHER, 1);
    mfx_redis_command_add(&c,
                          key_of(ask->asker, call->arena, "v:", call->name));
    mfx_redis_command_text(&c, letters[call->value_op]);
    mfx_redis_command_add(&c, call->bytes);
    mfx_redis_command_u64(&c, at_most(call->lifetime_ms));
    return mfx_redis_command_end(&c);
}

/* SCAN's patterns have signs of their own. */
static struct mfx_str
escape_pattern(struct mfx_arena *arena, struct mfx_str name)
{
    char *p = mfx_arena_alloc_bytes(arena, name.len * 2 + 1);
    size_t len = 0;
    if (p == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '\0' || strchr("*?[]\\^-", name.p[i]) != NULL)
            p[len++] = '\\';
        p[len++] = name.p[i];
    }
    p[len++] = '*';
    return mfx_str(p, len);
}

/* A cursor is Redis's, and how many of what it gives were taken already. */
static struct mfx_str
scan_cursor(struct mfx_str cursor, uint64_t *skip)
{
    static const struct mfx_str start = MFX_STR("0");
    size_t colon = mfx_str_find(cursor, ':');
    if (mfx_str_to_u64(mfx_str_from(cursor, colon + 1), LIST_MAX * 100, skip) !=
        MFX_OK)
        *skip = 0;
    return cursor.len == 0 ? start : mfx_str_head(cursor, colon);
}

static uint64_t
list_max(const struct mfx_store_call *call)
{
    return call->max == 0 ? 1 : call->max < LIST_MAX ? call->max : LIST_MAX;
}

static struct mfx_str
format_list(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    struct mfx_redis_command c;
    uint64_t skip;
    if (ask->keys != NULL) {
        begin_script(ask, &c, MFX_REDIS_SCRIPT_OTHER, ask->key_count);
        for (size_t i = 0; i < ask->key_count; i++)
            mfx_redis_command_add(&c, ask->keys[i]);
        mfx_redis_command_text(&c, "L");
        mfx_redis_command_add(&c, ask->asker->prefix);
        return mfx_redis_command_end(&c);
    }
    mfx_redis_command_begin(&c, call->arena);
    mfx_redis_command_text(&c, "SCAN");
    mfx_redis_command_add(&c, scan_cursor(call->bytes, &skip));
    mfx_redis_command_text(&c, "MATCH");
    mfx_redis_command_add(
        &c,
        escape_pattern(call->arena, mfx_redis_counter_key(
                                        ask->asker, call->arena, call->name)));
    mfx_redis_command_text(&c, "COUNT");
    mfx_redis_command_u64(&c, list_max(call));
    return mfx_redis_command_end(&c);
}

bool
mfx_redis_ask_format(struct mfx_redis_ask *ask, const struct mfx_redis_now *now)
{
    switch (ask->call->task) {
    case MFX_STORE_TASK_USES:
    case MFX_STORE_TASK_MERGE:
        ask->item.bytes = format_uses(ask, now);
        break;
    case MFX_STORE_TASK_OVERRIDE:
        ask->item.bytes = format_override(ask);
        break;
    case MFX_STORE_TASK_LIST:
        ask->item.bytes = format_list(ask);
        break;
    case MFX_STORE_TASK_VALUE:
        ask->item.bytes = format_value(ask);
        break;
    }
    return ask->item.bytes.p != NULL;
}

/* --- what comes back --- */

static uint64_t
u64_at(const struct mfx_redis_reply *reply, size_t at)
{
    return mfx_redis_reply_u64(mfx_redis_reply_item(reply, at));
}

static struct mfx_str
text_at(const struct mfx_store_call *call, const struct mfx_redis_reply *reply,
        size_t at)
{
    return mfx_arena_copy(call->arena, mfx_redis_reply_item(reply, at)->text);
}

/* By this machine's clock; 0 stays 0. Its seconds are rounded up, so that it
 * is never too early. */
static uint64_t
wall_of(uint64_t server_ms, const struct mfx_redis_now *now)
{
    if (server_ms <= now->server_ms)
        return 0;
    return now->wall_ms + 999 + (server_ms - now->server_ms);
}

static uint64_t
past_wall_of(uint64_t server_ms, const struct mfx_redis_now *now)
{
    uint64_t ago_ms =
        now->server_ms > server_ms ? now->server_ms - server_ms : 0;
    return server_ms == 0 || ago_ms >= now->wall_ms ? 0 : now->wall_ms - ago_ms;
}

static void
take_level(const struct mfx_store_use *use, size_t w,
           const struct mfx_redis_reply *reply, size_t at,
           const struct mfx_redis_now *now, struct mfx_store_level *level)
{
    uint64_t free_ms = u64_at(reply, at + 2), holds = u64_at(reply, at + 3);
    bool is_fixed =
        use->kind != MFX_STORE_OPEN && use->windows[w].shape == MFX_STORE_FIXED;
    *level = (struct mfx_store_level){
        .used = u64_at(reply, at),
        .reserved = u64_at(reply, at + 1),
        .limit = use->windows[w].limit,
        /* a period's end is the calendar's, here and there */
        .free_at_ms = is_fixed ? free_ms : wall_of(free_ms, now),
        .fits = (holds & 1) != 0,
        .is_soft_due = (holds & 2) != 0,
        .is_full_due = (holds & 4) != 0,
    };
}

static bool
take_readings(struct mfx_redis_ask *ask, const struct mfx_redis_reply *reply,
              const struct mfx_redis_now *now)
{
    struct mfx_store_call *call = ask->call;
    size_t at = USES_HEAD;
    for (size_t i = 0; i < call->count; i++) {
        struct mfx_store_reading *reading = &call->readings[i];
        reading->override = text_at(call, reply, at);
        reading->override_until_ms = wall_of(u64_at(reply, at + 1), now);
        at += 2;
        for (size_t w = 0; w < call->uses[i].window_count; w++) {
            take_level(&call->uses[i], w, reply, at, now, &reading->levels[w]);
            at += LEVEL_ITEMS;
        }
    }
    return at == reply->count;
}

static enum mfx_redis_step
take_uses(struct mfx_redis_ask *ask, const struct mfx_redis_reply *reply,
          const struct mfx_redis_now *now)
{
    static const enum mfx_store_outcome outcomes[] = {
        MFX_STORE_DONE,
        MFX_STORE_FULL,
        MFX_STORE_OVERRIDDEN,
    };
    uint64_t outcome = u64_at(reply, 1);
    if (outcome == 3) /* another period: now we know the time */
        return ask->tries++ < PERIOD_TRIES ? MFX_REDIS_STEP_AGAIN
                                           : MFX_REDIS_STEP_ODD;
    if (outcome > 3 || !take_readings(ask, reply, now))
        return MFX_REDIS_STEP_ODD;
    ask->call->outcome = outcomes[outcome];
    ask->call->is_repeated = u64_at(reply, 2) == 1;
    return MFX_REDIS_STEP_DONE;
}

static enum mfx_redis_step
take_value(struct mfx_redis_ask *ask, const struct mfx_redis_reply *reply,
           const struct mfx_redis_now *now)
{
    struct mfx_store_call *call = ask->call;
    if (u64_at(reply, 1) == 0) {
        call->rc = MFX_NOTFOUND;
        mfx_err_set(&call->err, "there is no such value");
        return MFX_REDIS_STEP_DONE;
    }
    call->value.bytes = text_at(call, reply, 2);
    call->value.until_ms = wall_of(u64_at(reply, 3), now);
    call->value.is_new = u64_at(reply, 4) == 1;
    return MFX_REDIS_STEP_DONE;
}

static enum mfx_store_shape
shape_of(struct mfx_str letter)
{
    return mfx_str_is(letter, "f")   ? MFX_STORE_FIXED
           : mfx_str_is(letter, "b") ? MFX_STORE_BUCKET
                                     : MFX_STORE_SLIDING;
}

static void
take_row(struct mfx_redis_ask *ask, struct mfx_str key,
         const struct mfx_redis_reply *reply, const struct mfx_redis_now *now,
         struct mfx_store_row *row)
{
    struct mfx_store_call *call = ask->call;
    row->counter = mfx_str_from(key, ask->asker->prefix.len + strlen("c:"));
    row->reserved = u64_at(reply, 0);
    row->override = text_at(call, reply, 1);
    row->override_until_ms = wall_of(u64_at(reply, 2), now);
    for (size_t at = ROW_HEAD; at + ROW_ITEMS <= reply->count &&
                               row->window_count < MFX_STORE_WINDOWS_MAX;
         at += ROW_ITEMS) {
        size_t w = row->window_count++;
        row->windows[w].shape = shape_of(mfx_redis_reply_item(reply, at)->text);
        row->windows[w].span_ms = u64_at(reply, at + 1);
        row->windows[w].used = u64_at(reply, at + 2);
        row->windows[w].last_ms = past_wall_of(u64_at(reply, at + 3), now);
    }
}

static enum mfx_redis_step
take_rows(struct mfx_redis_ask *ask, const struct mfx_redis_reply *reply,
          const struct mfx_redis_now *now)
{
    struct mfx_store_call *call = ask->call;
    if (reply->count != ask->key_count + 1)
        return MFX_REDIS_STEP_ODD;
    call->rows =
        mfx_arena_alloc_array(call->arena, ask->key_count, sizeof *call->rows);
    for (size_t i = 0; call->rows != NULL && i < ask->key_count; i++) {
        const struct mfx_redis_reply *row = mfx_redis_reply_item(reply, i + 1);
        /* expired between the two steps */
        if (row->count == ROW_HEAD && u64_at(row, 0) == 0 &&
            mfx_redis_reply_item(row, 1)->text.len == 0)
            continue;
        take_row(ask, ask->keys[i], row, now, &call->rows[call->row_count++]);
    }
    return MFX_REDIS_STEP_DONE;
}

/* More may come at once than was asked for: the rest waits behind a cursor
 * that gives the same again. */
static enum mfx_redis_step
take_scan(struct mfx_redis_ask *ask, const struct mfx_redis_reply *reply)
{
    struct mfx_store_call *call = ask->call;
    const struct mfx_redis_reply *found = mfx_redis_reply_item(reply, 1);
    struct mfx_str next = text_at(call, reply, 0);
    uint64_t skip, max = list_max(call);
    struct mfx_str here = scan_cursor(call->bytes, &skip);
    if (reply->count != 2 || found->type != MFX_REDIS_ARRAY || next.len == 0)
        return MFX_REDIS_STEP_ODD;
    size_t from = skip < found->count ? (size_t)skip : found->count;
    size_t count = found->count - from;
    if (count > max) {
        count = (size_t)max;
        call->cursor = mfx_arena_printf(call->arena, "%.*s:%zu",
                                        MFX_STR_ARG(here), from + count);
    } else if (!mfx_str_is(next, "0")) {
        call->cursor = next;
    }
    if (count == 0)
        return MFX_REDIS_STEP_DONE;
    ask->keys = mfx_arena_alloc_array(call->arena, count, sizeof *ask->keys);
    if (ask->keys == NULL)
        return MFX_REDIS_STEP_ODD;
    for (size_t i = 0; i < count; i++)
        ask->keys[i] = text_at(call, found, from + i);
    ask->key_count = count;
    return MFX_REDIS_STEP_AGAIN;
}

enum mfx_redis_step
mfx_redis_ask_take(struct mfx_redis_ask *ask,
                   const struct mfx_redis_reply *reply,
                   struct mfx_redis_now *now)
{
    struct mfx_store_call *call = ask->call;
    enum mfx_redis_step step = MFX_REDIS_STEP_DONE;
    if (reply->type != MFX_REDIS_ARRAY || reply->count == 0)
        return MFX_REDIS_STEP_ODD;
    if (call->task == MFX_STORE_TASK_LIST && ask->keys == NULL) {
        call->rc = MFX_OK;
        return take_scan(ask, reply);
    }
    now->server_ms = u64_at(reply, 0);
    call->rc = MFX_OK;
    switch (call->task) {
    case MFX_STORE_TASK_USES:
    case MFX_STORE_TASK_MERGE:
        step = take_uses(ask, reply, now);
        break;
    case MFX_STORE_TASK_OVERRIDE:
        break;
    case MFX_STORE_TASK_LIST:
        step = take_rows(ask, reply, now);
        break;
    case MFX_STORE_TASK_VALUE:
        step = take_value(ask, reply, now);
        break;
    }
    if (step == MFX_REDIS_STEP_DONE && !mfx_arena_ok(call->arena)) {
        call->rc = MFX_TEMPFAIL;
        mfx_err_set(&call->err, "out of memory");
    }
    return step;
}

/* --- what it is --- */

bool
mfx_redis_ask_is_repeatable(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    switch (call->task) {
    case MFX_STORE_TASK_USES:
        return call->op != MFX_STORE_TAKE;
    case MFX_STORE_TASK_MERGE:
    case MFX_STORE_TASK_OVERRIDE:
    case MFX_STORE_TASK_LIST:
        return true;
    case MFX_STORE_TASK_VALUE:
        return call->value_op == MFX_STORE_VALUE_GET ||
               call->value_op == MFX_STORE_VALUE_PUT;
    }
    return false;
}

bool
mfx_redis_ask_is_commit(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    return call->task == MFX_STORE_TASK_MERGE ||
           (call->task == MFX_STORE_TASK_USES && call->op == MFX_STORE_COMMIT);
}

bool
mfx_redis_ask_is_renewed(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    return call->task == MFX_STORE_TASK_USES && call->op == MFX_STORE_RESERVE &&
           call->lease_ms == 0;
}
