/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_impl.h"

#include <stdarg.h>
#include <stdio.h>

/* --- a call's life --- */

static void
let_go(struct mfx_store_call *call)
{
    if (atomic_fetch_sub_explicit(&call->holders, 1, memory_order_acq_rel) != 1)
        return;
    struct mfx_arena *arena = call->arena;
    mfx_event_fini(&call->done);
    mfx_arena_free(arena);
}

void
mfx_store_call_done(struct mfx_store_call *call)
{
    mfx_event_set(&call->done);
    let_go(call);
}

void
mfx_store_call_fail(struct mfx_store_call *call, enum mfx_rc rc,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(call->err.msg, sizeof call->err.msg, format, args);
    va_end(args);
    call->rc = rc;
    mfx_store_call_done(call);
}

bool
mfx_store_call_is_abandoned(const struct mfx_store_call *call)
{
    return atomic_load_explicit(&call->holders, memory_order_relaxed) < 2;
}

static struct mfx_store_call *
new_call(enum mfx_store_task task)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_store_call *call =
        arena == NULL ? NULL : mfx_arena_alloc(arena, sizeof *call);
    if (call == NULL) {
        mfx_arena_free(arena);
        return NULL;
    }
    call->arena = arena;
    call->task = task;
    call->rc = MFX_TEMPFAIL;
    atomic_init(&call->holders, 2);
    mfx_event_init(&call->done);
    return call;
}

/* To the place, if what is asked could be copied and is right; else the call
 * has its answer. */
static struct mfx_store_call *
submit(struct mfx_store *store, struct mfx_store_call *call, enum mfx_rc rc)
{
    if (rc == MFX_OK && mfx_arena_ok(call->arena)) {
        store->ops->submit(store, call);
    } else if (rc == MFX_PERMFAIL) { /* err says why */
        call->rc = rc;
        mfx_store_call_done(call);
    } else {
        mfx_store_call_fail(call, MFX_TEMPFAIL, "out of memory");
    }
    return call;
}

struct mfx_event *
mfx_store_call_event(struct mfx_store_call *call)
{
    return &call->done;
}

static bool
wait_until(struct mfx_store_call *call, uint64_t until_ms)
{
    return call != NULL && (mfx_event_is_set(&call->done) ||
                            mfx_event_wait(&call->done, until_ms));
}

/* MFX_TEMPFAIL with its reason when there is no answer (yet). */
static enum mfx_rc
answer_rc(struct mfx_store_call *call, struct mfx_err *err)
{
    if (call == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    if (!mfx_event_is_set(&call->done)) {
        mfx_err_set(err, "the store gave no answer in time");
        return MFX_TEMPFAIL;
    }
    if (call->rc != MFX_OK)
        mfx_err_set(err, "%s", call->err.msg);
    return call->rc;
}

/* --- uses --- */

static enum mfx_rc
copy_uses(struct mfx_store_call *call, const struct mfx_store_use *uses,
          size_t count, struct mfx_str holder)
{
    call->holder = mfx_arena_copy(call->arena, holder);
    call->count = count;
    call->uses = mfx_arena_alloc_array(call->arena, count, sizeof *call->uses);
    call->element_hashes =
        mfx_arena_alloc_array(call->arena, count, sizeof *call->element_hashes);
    call->readings =
        mfx_arena_alloc_array(call->arena, count, sizeof *call->readings);
    if (!mfx_arena_ok(call->arena))
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++) {
        enum mfx_rc rc = mfx_store_copy_use(
            call->arena, &uses[i], &call->uses[i], &call->element_hashes[i]);
        if (rc != MFX_OK)
            return rc;
    }
    return MFX_OK;
}

static struct mfx_store_call *
make_uses_call(enum mfx_store_task task, enum mfx_store_op op,
               struct mfx_str holder, const struct mfx_store_use *uses,
               size_t count, enum mfx_rc *rc)
{
    struct mfx_store_call *call = new_call(task);
    if (call == NULL)
        return NULL;
    call->op = op;
    *rc = mfx_store_check_uses(op, holder, uses, count, &call->err);
    if (*rc == MFX_OK)
        *rc = copy_uses(call, uses, count, holder);
    return call;
}

static struct mfx_store_call *
begin_uses(struct mfx_store *store, enum mfx_store_op op, struct mfx_str holder,
           const struct mfx_store_use *uses, size_t count, uint64_t lease_ms,
           uint64_t until_ms)
{
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct mfx_store_call *call =
        make_uses_call(MFX_STORE_TASK_USES, op, holder, uses, count, &rc);
    if (call == NULL)
        return NULL;
    call->lease_ms = lease_ms;
    call->until_ms = until_ms;
    return submit(store, call, rc);
}

struct mfx_store_call *
mfx_store_begin(struct mfx_store *store, enum mfx_store_op op,
                struct mfx_str holder, const struct mfx_store_use *uses,
                size_t count, uint64_t lease_ms)
{
    return begin_uses(store, op, holder, uses, count, lease_ms, 0);
}

struct mfx_store_call *
mfx_store_begin_merge(struct mfx_store *store, struct mfx_str holder,
                      const struct mfx_store_use *uses, size_t count,
                      uint64_t at_ms)
{
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct mfx_store_call *call = make_uses_call(
        MFX_STORE_TASK_MERGE, MFX_STORE_COMMIT, holder, uses, count, &rc);
    if (call == NULL)
        return NULL;
    call->at_ms = at_ms;
    return submit(store, call, rc);
}

static enum mfx_rc
copy_answer(const struct mfx_store_call *call, struct mfx_arena *arena,
            struct mfx_store_answer *answer, struct mfx_err *err)
{
    *answer = (struct mfx_store_answer){
        .outcome = call->outcome,
        .is_repeated = call->is_repeated,
    };
    if (arena == NULL)
        return MFX_OK;
    answer->readings =
        mfx_arena_alloc_array(arena, call->count, sizeof *answer->readings);
    for (size_t i = 0; answer->readings != NULL && i < call->count; i++) {
        answer->readings[i] = call->readings[i];
        answer->readings[i].override =
            mfx_arena_copy(arena, call->readings[i].override);
    }
    if (!mfx_arena_ok(arena)) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    answer->count = call->count;
    return MFX_OK;
}

enum mfx_rc
mfx_store_call_end(struct mfx_store_call *call, struct mfx_arena *arena,
                   struct mfx_store_answer *answer, struct mfx_err *err)
{
    enum mfx_rc rc = answer_rc(call, err);
    if (rc == MFX_OK && answer != NULL)
        rc = copy_answer(call, arena, answer, err);
    if (call != NULL)
        let_go(call);
    return rc;
}

enum mfx_rc
mfx_store_ask(struct mfx_store *store, enum mfx_store_op op,
              struct mfx_str holder, const struct mfx_store_use *uses,
              size_t count, uint64_t lease_ms, uint64_t wait_ms,
              struct mfx_arena *arena, struct mfx_store_answer *answer,
              struct mfx_err *err)
{
    uint64_t until_ms = mfx_mono_ms() + wait_ms;
    struct mfx_store_call *call =
        begin_uses(store, op, holder, uses, count, lease_ms, until_ms);
    (void)wait_until(call, until_ms);
    return mfx_store_call_end(call, arena, answer, err);
}

/* --- overrides and lists --- */

enum mfx_rc
mfx_store_set_override(struct mfx_store *store, struct mfx_str counter,
                       struct mfx_str text, uint64_t lifetime_ms,
                       uint64_t wait_ms, struct mfx_err *err)
{
    struct mfx_store_call *call = new_call(MFX_STORE_TASK_OVERRIDE);
    if (call == NULL)
        return mfx_store_call_end(NULL, NULL, NULL, err);
    enum mfx_rc rc = mfx_store_check_name(counter, &call->err);
    if (rc == MFX_OK && text.len > MFX_STORE_OVERRIDE_MAX) {
        mfx_err_set(&call->err, "override of %zu octets, more than %d",
                    text.len, MFX_STORE_OVERRIDE_MAX);
        rc = MFX_PERMFAIL;
    }
    if (rc == MFX_OK) {
        call->name = mfx_arena_copy(call->arena, counter);
        call->bytes = mfx_arena_copy(call->arena, text);
    }
    call->lifetime_ms = lifetime_ms;
    call->until_ms = mfx_mono_ms() + wait_ms;
    (void)wait_until(submit(store, call, rc), call->until_ms);
    return mfx_store_call_end(call, NULL, NULL, err);
}

static void
copy_rows(const struct mfx_store_call *call, struct mfx_arena *arena,
          struct mfx_str *cursor, struct mfx_store_row **rows, size_t *count)
{
    *count = call->row_count;
    *rows = mfx_arena_alloc_array(arena, call->row_count, sizeof **rows);
    for (size_t i = 0; *rows != NULL && i < call->row_count; i++) {
        (*rows)[i] = call->rows[i];
        (*rows)[i].counter = mfx_arena_copy(arena, call->rows[i].counter);
        (*rows)[i].override = mfx_arena_copy(arena, call->rows[i].override);
    }
    *cursor = mfx_arena_copy(arena, call->cursor);
}

enum mfx_rc
mfx_store_list(struct mfx_store *store, struct mfx_str prefix, size_t max,
               struct mfx_str *cursor, uint64_t wait_ms,
               struct mfx_arena *arena, struct mfx_store_row **rows,
               size_t *count, struct mfx_err *err)
{
    struct mfx_store_call *call = new_call(MFX_STORE_TASK_LIST);
    *rows = NULL;
    *count = 0;
    if (call == NULL)
        return mfx_store_call_end(NULL, NULL, NULL, err);
    call->name = mfx_arena_copy(call->arena, prefix);
    call->bytes = mfx_arena_copy(call->arena, *cursor);
    call->max = max;
    call->until_ms = mfx_mono_ms() + wait_ms;
    (void)wait_until(submit(store, call, MFX_OK), call->until_ms);
    enum mfx_rc rc = answer_rc(call, err);
    if (rc == MFX_OK) {
        copy_rows(call, arena, cursor, rows, count);
        if (!mfx_arena_ok(arena)) {
            mfx_err_set(err, "out of memory");
            rc = MFX_TEMPFAIL;
        }
    }
    let_go(call);
    return rc;
}

/* --- values --- */

struct mfx_store_call *
mfx_store_begin_value(struct mfx_store *store, enum mfx_store_value_op op,
                      struct mfx_str name, struct mfx_str bytes,
                      uint64_t lifetime_ms)
{
    struct mfx_store_call *call = new_call(MFX_STORE_TASK_VALUE);
    if (call == NULL)
        return NULL;
    enum mfx_rc rc = mfx_store_check_name(name, &call->err);
    if (rc == MFX_OK && bytes.len > MFX_STORE_VALUE_MAX) {
        mfx_err_set(&call->err, "value of %zu octets, more than %d", bytes.len,
                    MFX_STORE_VALUE_MAX);
        rc = MFX_PERMFAIL;
    }
    if (rc == MFX_OK) {
        call->name = mfx_arena_copy(call->arena, name);
        call->bytes = mfx_arena_copy(call->arena, bytes);
    }
    call->value_op = op;
    call->lifetime_ms = lifetime_ms;
    return submit(store, call, rc);
}

enum mfx_rc
mfx_store_call_end_value(struct mfx_store_call *call, struct mfx_arena *arena,
                         struct mfx_store_value *value, struct mfx_err *err)
{
    enum mfx_rc rc = answer_rc(call, err);
    if (rc == MFX_OK && value != NULL) {
        *value = call->value;
        value->bytes = mfx_str(NULL, 0);
        if (arena != NULL)
            value->bytes = mfx_arena_copy(arena, call->value.bytes);
        if (arena != NULL && !mfx_arena_ok(arena)) {
            mfx_err_set(err, "out of memory");
            rc = MFX_TEMPFAIL;
        }
    }
    if (call != NULL)
        let_go(call);
    return rc;
}

/* --- life --- */

void
mfx_store_health(struct mfx_store *store, struct mfx_store_health *health)
{
    *health = (struct mfx_store_health){.kind = ""};
    store->ops->health(store, health);
}

void
mfx_store_close(struct mfx_store *store, uint64_t wait_ms)
{
    if (store != NULL)
        store->ops->close(store, wait_ms);
}
