/* SPDX-License-Identifier: BSD-2-Clause
 *
 * local_impl - the parts of the local store (not installed)
 *
 *     store_local.c   open, submit, health, close; the store's clock
 *     local_cache.c   counters in memory, the one used longest ago goes first
 *     local_pack.c    ... into fewer bytes
 *     local_element.c the elements of one counter
 *     local_hold.c    what holders have reserved; local_committed.c who has
 *                     committed
 *     local_decide.c  one call against counters that are in memory
 *     local_disk.c    the thread that has the file, and the one that syncs
 *     local_load.c    what it reads, local_write.c what it writes
 *     local_file.c    SQLite; local_lock.c one process has it; local_path.c
 *     local_list.c    lists; local_value.c values
 *
 * One mutex guards everything but the file. A call whose counters are in
 * memory is decided under it in submit. Else it waits (in `waiting`, in the
 * order of its beginning) for the disk thread, which loads what is missing.
 * What counts is in memory at once, and answered when the disk thread has
 * written it (`unwritten`): all that has gathered, in one transaction. When
 * that fails, every call in `unwritten` fails, and the counters it touched are
 * forgotten and loaded again: so memory never differs from the file.
 *
 * Ownership: the store owns all. Threads: mutex held, unless said otherwise.
 */
#ifndef MFX_STORE_LOCAL_IMPL_H
#define MFX_STORE_LOCAL_IMPL_H

#include <pthread.h>

#include <mfx/base/file.h>
#include <mfx/base/map.h>

#include "counter.h"
#include "local_file.h"
#include "store_impl.h"
#include "store_local.h"

enum {
    LOCAL_TICK_MS = 1000,
    LOCAL_OUTSTANDING_MAX = 20000,
    LOCAL_COMMITTED_MS = 600 * 1000,
    LOCAL_PLACE_BYTES = 96, /* in a map, and what malloc takes: about */
};

#define LOCAL_FULL_TEXT "the file is full (file_bytes)"

struct local_element {
    uint64_t hash, seen_ms; /* seen_ms 0: never */
    uint32_t holders;       /* who have it reserved */
    uint32_t pending;       /* how often it is to be written */
    uint32_t mark;          /* of the measuring that met it last */
    bool is_used;           /* the slot */
    bool is_known;          /* seen_ms is what the file says */
};

struct local_elements {
    struct local_element *slots;
    size_t room, count;
};

struct local_hold;

struct local_counter {
    struct mfx_str name; /* behind the struct */
    struct mfx_counter counter;
    struct local_elements elements;
    uint64_t name_hash; /* of its elements in the file; 0: not made yet */
    struct local_counter *newer, *older;
    struct local_counter *next_dirty;
    struct local_hold *holds;
    struct local_counter *held_prev, *held_next; /* all that have holds */
    uint64_t reserved;                           /* of amounts */
    unsigned waiters;                            /* calls not finished yet */
    size_t bytes;                                /* as charged */
    bool is_loading, is_loaded, is_damaged, is_dirty, is_writing;
    bool is_stored; /* has a row */
};

struct local_hold {
    struct local_counter *counter;
    struct local_hold *prev, *next; /* of the counter */
    struct local_hold *next_taken;  /* of a call that is not written yet */
    uint64_t until_ms;              /* env's mono; UINT64_MAX: no end */
    size_t at;                      /* in the heap */
    uint64_t amount;
    uint64_t *elements; /* ascending */
    size_t element_count, element_room;
    struct mfx_str key; /* behind the struct: the counter's address, holder */
};

struct local_mark;

struct local_committed {
    struct local_mark *marks;
    size_t room, count;
};

/* An element that is to be written. */
struct local_seen {
    struct local_counter *counter;
    uint64_t hash, seen_ms, expires_ms;
};

struct local_queue {
    struct mfx_store_call *first, **end;
};

/* A call's place. */
struct local_call {
    struct local_counter **counters; /* one for each use */
    size_t count;
    struct local_hold *taken; /* to be held again if it is not written */
    bool is_committer;        /* the first COMMIT of its holder */
};

struct local_store {
    struct mfx_store base;
    const struct mfx_env *env;
    char *path;
    struct mfx_store_local_settings settings; /* its path is path */
    pthread_mutex_t mutex;
    pthread_cond_t work, sync;
    pthread_t disk_thread, sync_thread;
    bool is_stopping, has_threads;
    uint64_t stop_until_ms;

    /* the clock */
    uint64_t base_store_ms, base_mono_ms;
    int64_t offset_ms; /* store time is wall time and that, at least */
    bool has_time;     /* of the file */
    bool is_time_due;  /* into the file */
    unsigned idle_ticks;

    /* local_cache.c */
    struct mfx_map *counters;
    struct local_counter *newest, *oldest, *held, *dirty;
    size_t counter_bytes;
    uint32_t mark;

    /* local_pack.c */
    struct mfx_map *packed;
    struct local_packed *packed_newest, *packed_oldest;
    size_t packed_bytes;
    struct mfx_buf code;

    /* local_hold.c */
    struct mfx_map *holds;
    struct local_hold **heap;
    size_t heap_count, heap_room;
    struct local_committed committed; /* local_committed.c */

    struct local_queue waiting, unwritten, tasks, finished;
    struct local_seen *seen;
    size_t seen_count, seen_room;

    struct mfx_map *values;                       /* memory alone */
    struct local_value *value_first, *value_last; /* by age */
    size_t value_bytes;

    /* the file; used by the disk thread without the mutex */
    struct mfx_local_file *file;
    bool is_up, is_full, is_corrupt;
    struct mfx_file_id corrupt_id; /* not opened again */
    bool has_news;                 /* something to be synced */
    bool has_moved;                /* something written since the time was */
    bool is_sync_due, is_syncing;
    uint64_t since_ms;
    char error[300];
    uint64_t calls, failures, outstanding, file_bytes;
};

static inline bool
local_has_file(const struct local_store *store)
{
    return store->path != NULL;
}

/* --- store_local.c --- */

void local_queue_init(struct local_queue *queue);
void local_queue_add(struct local_queue *queue, struct mfx_store_call *call);
struct mfx_store_call *local_queue_take(struct local_queue *queue);

void local_clock(const struct local_store *store,
                 struct mfx_counter_clock *clock);
/* The offset as it is now; a step of the wall clock goes into the file with
 * the next write. */
void local_follow_wall(struct local_store *store);
/* Into `finished`: told when the mutex is free. */
void local_finish(struct local_store *store, struct mfx_store_call *call,
                  enum mfx_rc rc);
void local_fail(struct local_store *store, struct mfx_store_call *call,
                const char *why);
void local_fail_queue(struct local_store *store, struct local_queue *queue,
                      const char *why);
/* Unlocks the mutex, then tells all that is finished. */
void local_unlock(struct local_store *store);

/* --- local_cache.c --- */

struct local_counter *local_counter_need(struct local_store *store,
                                         struct mfx_str name);
struct local_counter *local_counter_find(struct local_store *store,
                                         struct mfx_str name);
/* It was used: the newest, and charged with what it takes. */
void local_counter_touch(struct local_store *store,
                         struct local_counter *counter);
void local_counter_dirty(struct local_store *store,
                         struct local_counter *counter);
/* Forgets what is counted; it is to be loaded again. */
void local_counter_unload(struct local_counter *counter);
/* Within memory_bytes again. */
void local_cache_trim(struct local_store *store);
size_t local_cache_bytes(const struct local_store *store);
/* Unloads all, and forgets what nobody holds or waits for. */
void local_cache_unload(struct local_store *store);
void local_cache_free(struct local_store *store);

/* --- local_pack.c --- */

/* A copy of it, as it is in the file; the counter is to be freed. */
void local_pack(struct local_store *store, const struct local_counter *counter);
/* Loads it from that copy, if there is one. */
void local_unpack(struct local_store *store, struct local_counter *counter);
/* The one packed first; there must be one. */
void local_packed_drop(struct local_store *store);
void local_packed_free(struct local_store *store);

/* --- local_element.c --- */

struct local_element *local_element_find(const struct local_counter *counter,
                                         uint64_t hash);
/* NULL when out of memory. Others of this counter may move. */
struct local_element *local_element_need(const struct local_store *store,
                                         struct local_counter *counter,
                                         uint64_t hash);
/* Without those that nobody holds; the rest is not known any more. */
void local_elements_unload(struct local_elements *elements);

/* --- local_hold.c --- */

struct local_hold *local_hold_find(struct local_store *store,
                                   const struct local_counter *counter,
                                   struct mfx_str holder);
/* With room for that many more elements; NULL when out of memory. */
struct local_hold *local_hold_need(struct local_store *store,
                                   struct local_counter *counter,
                                   struct mfx_str holder, size_t elements);
void local_hold_set(struct local_store *store, struct local_hold *hold,
                    uint64_t amount, const uint64_t *elements, size_t count,
                    uint64_t until_ms);
void local_hold_remove(struct local_store *store, struct local_hold *hold);
/* Out of everything, but not freed. */
void local_hold_take(struct local_store *store, struct local_hold *hold);
void local_hold_give_back(struct local_store *store, struct local_hold *hold);
void local_hold_free(struct local_hold *hold);
/* Without those whose lease has ended. */
void local_holds_expire(struct local_store *store);
void local_holds_free(struct local_store *store);

/* --- local_committed.c --- */

bool local_committed_has(const struct local_store *store,
                         struct mfx_str holder);
bool local_committed_add(struct local_store *store, struct mfx_str holder);
void local_committed_remove(struct local_store *store, struct mfx_str holder);
size_t local_committed_bytes(const struct local_store *store);
void local_committed_free(struct local_store *store);

/* --- local_decide.c --- */

/* True when all that the call needs is in memory. */
bool local_is_ready(const struct local_store *store,
                    const struct mfx_store_call *call);
/* Finishes it, or puts it into `unwritten`. */
void local_decide(struct local_store *store, struct mfx_store_call *call);

/* --- local_load.c, local_write.c: the disk thread --- */

enum {
    LOCAL_ELEMENT_NAME = 16,
};

struct local_load {
    struct local_load *next;
    struct local_counter *counter;
    uint64_t hash; /* of the element, when is_element */
    bool is_element;
    enum mfx_rc rc;
    struct mfx_local_row row;
};

struct local_write {
    struct local_write *next;
    struct local_counter *counter;
    struct mfx_local_row row;
};

struct local_batch {
    struct mfx_arena *arena;
    struct mfx_buf code;
    struct local_load *loads;
    size_t load_count;
    struct local_write *writes;
    struct local_seen *seen;
    size_t seen_count;
    struct local_queue calls, tasks;
    size_t call_count; /* of the last one written */
    struct mfx_counter_clock now;
    bool is_time_due;
};

void local_element_name(char name[LOCAL_ELEMENT_NAME],
                        const struct local_counter *counter, uint64_t hash);
/* Both give the mutex away while they read or write. When they fail, the file
 * is no longer to be used. */
enum mfx_rc local_load(struct local_store *store, struct local_batch *batch,
                       struct mfx_err *err);
enum mfx_rc local_write(struct local_store *store, struct local_batch *batch,
                        struct mfx_err *err);
/* All that has not been written is undone and fails; so does what waits. */
void local_fail_all(struct local_store *store, const char *why);

/* --- local_disk.c --- */

/* The first try to open the file. */
void local_disk_open(struct local_store *store);
void *local_disk_run(void *store);
void *local_sync_run(void *store);

/* --- local_list.c, local_value.c --- */

void local_list_memory(struct local_store *store, struct mfx_store_call *call);
/* Without the mutex, which it takes for what is held. */
enum mfx_rc local_list_file(struct local_store *store,
                            struct mfx_store_call *call,
                            const struct mfx_counter_clock *now,
                            struct mfx_err *err);

void local_value_memory(struct local_store *store, struct mfx_store_call *call);
/* Without the mutex. What the call is told is in the call; what comes back is
 * whether the file can be used. */
enum mfx_rc local_value_file(struct mfx_local_file *file,
                             struct mfx_store_call *call,
                             const struct mfx_counter_clock *now, bool is_full,
                             struct mfx_err *err);
void local_values_free(struct local_store *store);

#endif
