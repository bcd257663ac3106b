/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_impl - what stands between store.h and its two places (not installed)
 *
 * store.c checks what is asked, copies it into a call and hands the call to
 * the place (ops->submit). The place fills in rc, outcome, readings, and says
 * mfx_store_call_done; the call lives until both sides have let go of it.
 *
 * Ownership: a call is counted: one for the asker, one for the place; done
 * gives the place's share back. Errors: rc and err in the call.
 * Threads: submit is called from any thread and does not wait.
 */
#ifndef MFX_STORE_STORE_IMPL_H
#define MFX_STORE_STORE_IMPL_H

#include <stdatomic.h>

#include <mfx/store/store.h>

enum mfx_store_task {
    MFX_STORE_TASK_USES,  /* op says which */
    MFX_STORE_TASK_MERGE, /* COMMIT at at_ms */
    MFX_STORE_TASK_OVERRIDE,
    MFX_STORE_TASK_LIST,
    MFX_STORE_TASK_VALUE,
};

struct mfx_store_call {
    struct mfx_arena *arena; /* holds all below, and the answer */
    atomic_uint holders;
    struct mfx_event done;
    struct mfx_store_call *next; /* for the place's queues */
    void *place;                 /* the place's, in the arena */

    /* asked */
    enum mfx_store_task task;
    enum mfx_store_op op;
    enum mfx_store_value_op value_op;
    struct mfx_str holder;
    struct mfx_store_use *uses;
    /* Of each use, ascending and each once, element_count of them; NULL
     * without elements (uses[i].elements is NULL always). */
    uint64_t **element_hashes;
    size_t count;
    uint64_t lease_ms, at_ms, lifetime_ms;
    struct mfx_str name, bytes; /* override, value; LIST: prefix, cursor */
    size_t max;                 /* LIST */
    uint64_t until_ms;          /* mono: after that nobody waits; 0: unknown */

    /* answered */
    enum mfx_rc rc;
    struct mfx_err err;
    enum mfx_store_outcome outcome;
    struct mfx_store_reading *readings; /* count of them, zeroed at first */
    bool is_repeated;
    struct mfx_store_value value;
    struct mfx_store_row *rows; /* LIST */
    size_t row_count;
    struct mfx_str cursor;
};

struct mfx_store_ops {
    void (*submit)(struct mfx_store *store, struct mfx_store_call *call);
    void (*health)(struct mfx_store *store, struct mfx_store_health *health);
    void (*close)(struct mfx_store *store, uint64_t wait_ms);
};

/* The first member of a place's own struct. */
struct mfx_store {
    const struct mfx_store_ops *ops;
};

/* The answer is in the call. */
void mfx_store_call_done(struct mfx_store_call *call);
/* rc and text at once. */
void mfx_store_call_fail(struct mfx_store_call *call, enum mfx_rc rc,
                         const char *format, ...) MFX_PRINTF(3, 4);

/* True when the asker has given up: what would only hold something for it need
 * not be done any more. */
bool mfx_store_call_is_abandoned(const struct mfx_store_call *call);

/* What stands for an element in every store: the first 8 octets of SHA-256, as
 * a number. False when out of memory. */
bool mfx_store_element_hash(struct mfx_str element,
                            uint64_t *hash) MFX_NODISCARD;

/* --- store_check.c, for store.c --- */

/* PERMFAIL: what is asked is wrong. */
enum mfx_rc mfx_store_check_name(struct mfx_str name, struct mfx_err *err);
enum mfx_rc mfx_store_check_uses(enum mfx_store_op op, struct mfx_str holder,
                                 const struct mfx_store_use *uses, size_t count,
                                 struct mfx_err *err);
enum mfx_rc mfx_store_copy_use(struct mfx_arena *arena,
                               const struct mfx_store_use *use,
                               struct mfx_store_use *copy, uint64_t **hashes);

#endif
