/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <mfx/base/arena.h>
#include <mfx/base/env.h>
#include <mfx/base/file.h>
#include <mfx/base/log.h>
#include <mfx/base/map.h>

enum {
    KEY_FILE_MAX = 64 * 1024,
    LATE_MAX = 100000,
    LOOK_AT_ONCE = 1000, /* files per call of is_outdated */
    WATCHED_MAX = 1024,  /* directories */
    PARSER_NICE = 19,
};

struct dkim_key_file {
    atomic_size_t refs;
    _Atomic(struct mfx_dkim_private_key *) key;
    pthread_mutex_t mutex; /* one parser at a time */
    atomic_bool has_changed;
    bool has_failed; /* under mutex; err says why */
    bool is_inline;
    struct mfx_err err;
    struct mfx_file_id id;
    size_t len;
    char text[]; /* path, or the key itself */
};

struct dkim_keys {
    const struct dkim_keys *previous;
    bool allow_readable;
    struct mfx_arena *arena;
    struct mfx_map *by_text; /* the files of the load */
    struct mfx_map *directories;
    const char **directory_list;
    size_t directory_count;

    pthread_mutex_t late_mutex;
    struct mfx_map *late;

    struct dkim_key_file **files; /* those of by_text, in order of loading */
    size_t count, room;
    atomic_size_t looked_at;
    atomic_size_t parsed, failed;

    pthread_t parser;
    bool parser_runs;
    atomic_bool stop;
};

static struct dkim_key_file *
file_new(struct mfx_str text, bool is_inline)
{
    struct dkim_key_file *file = calloc(1, sizeof *file + text.len + 1);
    if (file == NULL)
        return NULL;
    atomic_init(&file->refs, 1);
    (void)pthread_mutex_init(&file->mutex, NULL);
    file->is_inline = is_inline;
    file->len = text.len;
    memcpy(file->text, text.p, text.len);
    return file;
}

static void
file_unref(struct dkim_key_file *file)
{
    if (atomic_fetch_sub(&file->refs, 1) > 1)
        return;
    mfx_dkim_private_key_unref(atomic_load(&file->key));
    (void)pthread_mutex_destroy(&file->mutex);
    if (file->is_inline)
        OPENSSL_cleanse(file->text, file->len);
    free(file);
}

struct dkim_key_file *
dkim_key_file_ref(struct dkim_key_file *file)
{
    if (file != NULL)
        atomic_fetch_add(&file->refs, 1);
    return file;
}

void
dkim_key_file_unref(struct dkim_key_file *file)
{
    if (file != NULL)
        file_unref(file);
}

struct dkim_keys *
dkim_keys_new(const struct dkim_keys *previous, bool allow_readable,
              size_t expected)
{
    struct dkim_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return NULL;
    (void)pthread_mutex_init(&keys->late_mutex, NULL);
    keys->previous = previous;
    keys->allow_readable = allow_readable;
    keys->arena = mfx_arena_new(0);
    keys->by_text = mfx_map_new(MFX_MAP_CASE, expected);
    keys->directories = mfx_map_new(MFX_MAP_CASE, 16);
    keys->late = mfx_map_new(MFX_MAP_CASE, 16);
    if (keys->arena == NULL || keys->by_text == NULL ||
        keys->directories == NULL || keys->late == NULL) {
        dkim_keys_free(keys);
        return NULL;
    }
    return keys;
}

static void
unref_all(struct mfx_map *map)
{
    size_t cursor = 0;
    struct mfx_str text;
    void *file;
    while (map != NULL && mfx_map_next(map, &cursor, &text, &file))
        file_unref(file);
    mfx_map_free(map);
}

void
dkim_keys_free(struct dkim_keys *keys)
{
    if (keys == NULL)
        return;
    atomic_store(&keys->stop, true);
    if (keys->parser_runs)
        (void)pthread_join(keys->parser, NULL);
    unref_all(keys->by_text);
    unref_all(keys->late);
    mfx_map_free(keys->directories);
    mfx_arena_free(keys->arena);
    free(keys->directory_list);
    free(keys->files);
    (void)pthread_mutex_destroy(&keys->late_mutex);
    free(keys);
}

static enum mfx_rc
out_of_memory(struct mfx_err *err)
{
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

/* Each directory is checked once and remembered for watching. */
static enum mfx_rc
take_directory(struct dkim_keys *keys, struct mfx_str path, struct mfx_err *err)
{
    size_t slash = mfx_str_find_last(path, '/');
    struct mfx_str directory = mfx_str_head(path, slash == 0 ? 1 : slash);
    if (mfx_map_get(keys->directories, directory) != NULL)
        return MFX_OK;
    directory = mfx_arena_copy(keys->arena, directory);
    if (directory.p == NULL)
        return out_of_memory(err);
    if (!keys->allow_readable) {
        enum mfx_rc rc = mfx_directory_check_private(directory.p, err);
        if (rc != MFX_OK)
            return rc;
    }
    if (mfx_map_put(keys->directories, directory,
                    (void *)(uintptr_t)directory.p) != MFX_OK)
        return out_of_memory(err);
    if (keys->directory_count == WATCHED_MAX)
        return MFX_OK;
    const char **list = realloc(keys->directory_list,
                                (keys->directory_count + 1) * sizeof *list);
    if (list == NULL)
        return out_of_memory(err);
    keys->directory_list = list;
    list[keys->directory_count++] = directory.p;
    return MFX_OK;
}

/* May this file be used as a private key at all? */
static enum mfx_rc
examine(const struct dkim_keys *keys, const char *path, struct mfx_file_id *id,
        struct mfx_err *err)
{
    enum mfx_rc rc = mfx_file_identify(path, id, err);
    if (rc != MFX_OK || keys->allow_readable)
        return rc;
    rc = mfx_file_id_check_private(path, id, err);
    if (rc != MFX_OK)
        mfx_err_prefix(err, "private key refused (chmod 0600, or "
                            "sign.allow_readable_keys)");
    return rc;
}

static enum mfx_rc
remember(struct dkim_keys *keys, struct dkim_key_file *file,
         struct mfx_err *err)
{
    if (keys->count == keys->room) {
        size_t room = keys->room == 0 ? 64 : keys->room * 2;
        struct dkim_key_file **files =
            realloc(keys->files, room * sizeof(struct dkim_key_file *));
        if (files == NULL)
            return out_of_memory(err);
        keys->files = files;
        keys->room = room;
    }
    if (mfx_map_put(keys->by_text, mfx_str(file->text, file->len), file) !=
        MFX_OK)
        return out_of_memory(err);
    keys->files[keys->count++] = file;
    return MFX_OK;
}

/* The same unchanged file of the policy before, or a new one. */
static struct dkim_key_file *
share_or_new(const struct dkim_keys *keys, struct mfx_str text,
             const struct mfx_file_id *id)
{
    struct dkim_key_file *old =
        keys->previous == NULL ? NULL
                               : mfx_map_get(keys->previous->by_text, text);
    if (old != NULL && (id == NULL || mfx_file_id_eq(&old->id, id))) {
        atomic_fetch_add(&old->refs, 1);
        return old;
    }
    struct dkim_key_file *file = file_new(text, id == NULL);
    if (file != NULL && id != NULL)
        file->id = *id;
    return file;
}

static enum mfx_rc
add(struct dkim_keys *keys, struct mfx_str text, const struct mfx_file_id *id,
    struct dkim_key_file **file, struct mfx_err *err)
{
    *file = share_or_new(keys, text, id);
    if (*file == NULL)
        return out_of_memory(err);
    enum mfx_rc rc = remember(keys, *file, err);
    if (rc != MFX_OK)
        file_unref(*file);
    return rc;
}

enum mfx_rc
dkim_keys_add(struct dkim_keys *keys, struct mfx_str path,
              struct dkim_key_file **file, struct mfx_err *err)
{
    *file = mfx_map_get(keys->by_text, path);
    if (*file != NULL)
        return MFX_OK;
    if (path.len == 0 || path.p[0] != '/') {
        mfx_err_set(err, "%.*s: a key's path must begin with /",
                    MFX_STR_ARG(path));
        return MFX_PERMFAIL;
    }
    char *name = strndup(path.p, path.len);
    if (name == NULL)
        return out_of_memory(err);
    struct mfx_file_id id;
    enum mfx_rc rc = examine(keys, name, &id, err);
    free(name);
    if (rc == MFX_OK)
        rc = take_directory(keys, path, err);
    if (rc == MFX_OK)
        rc = add(keys, path, &id, file, err);
    return rc;
}

enum mfx_rc
dkim_keys_add_inline(struct dkim_keys *keys, struct mfx_str text,
                     struct dkim_key_file **file, struct mfx_err *err)
{
    *file = mfx_map_get(keys->by_text, text);
    if (*file != NULL)
        return MFX_OK;
    return add(keys, text, NULL, file, err);
}

bool
dkim_keys_is_path(struct mfx_str text)
{
    static const struct mfx_str starts[] = {MFX_STR("/"), MFX_STR("./"),
                                            MFX_STR("../")};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (mfx_str_starts(text, starts[i]))
            return true;
    return false;
}

static enum mfx_rc
late_new(struct dkim_keys *keys, struct mfx_str text,
         struct dkim_key_file **file, struct mfx_err *err)
{
    if (mfx_map_count(keys->late) >= LATE_MAX) {
        mfx_err_set(err, "more than %d keys outside the tables", LATE_MAX);
        return MFX_TEMPFAIL;
    }
    struct dkim_key_file *new = file_new(text, !dkim_keys_is_path(text));
    if (new == NULL)
        return out_of_memory(err);
    enum mfx_rc rc = MFX_OK;
    if (!new->is_inline)
        rc = examine(keys, new->text, &new->id, err);
    if (rc == MFX_OK)
        rc = mfx_map_put(keys->late, mfx_str(new->text, new->len), new);
    if (rc != MFX_OK) {
        file_unref(new);
        return rc;
    }
    *file = new;
    return MFX_OK;
}

/* A late file that was replaced gives way to the new one: nothing but this
 * map refers to it by its path. */
static bool
is_current(const struct dkim_key_file *file)
{
    struct mfx_file_id id;
    return file->is_inline ||
           (mfx_file_identify(file->text, &id, NULL) == MFX_OK &&
            mfx_file_id_eq(&file->id, &id));
}

enum mfx_rc
dkim_keys_late(struct dkim_keys *keys, struct mfx_str text,
               struct dkim_key_file **file, struct mfx_err *err)
{
    *file = mfx_map_get(keys->by_text, text);
    if (*file != NULL)
        return MFX_OK;
    enum mfx_rc rc = MFX_OK;
    (void)pthread_mutex_lock(&keys->late_mutex);
    *file = mfx_map_get(keys->late, text);
    if (*file == NULL) {
        rc = late_new(keys, text, file, err);
    } else if (!is_current(*file)) {
        /* messages may hold the old one: it goes with the policy */
        atomic_store(&(*file)->has_changed, true);
        mfx_err_set(err, "%s has changed; reloading", (*file)->text);
        rc = MFX_TEMPFAIL;
    }
    (void)pthread_mutex_unlock(&keys->late_mutex);
    return rc;
}

/* Reads and parses; the identity of what was read must be that of the load. */
static enum mfx_rc
parse(struct dkim_key_file *file, struct mfx_dkim_private_key **key,
      struct mfx_err *err)
{
    if (file->is_inline)
        return mfx_dkim_private_key_parse(mfx_str(file->text, file->len), key,
                                          err);
    struct mfx_arena *arena = mfx_arena_new(KEY_FILE_MAX * 2);
    if (arena == NULL)
        return out_of_memory(err);
    struct mfx_str text = {NULL, 0};
    struct mfx_file_id id;
    enum mfx_rc rc =
        mfx_file_read(file->text, KEY_FILE_MAX, arena, &text, &id, err);
    if (rc == MFX_NOTFOUND ||
        (rc == MFX_OK && !mfx_file_id_eq(&id, &file->id))) {
        atomic_store(&file->has_changed, true);
        mfx_err_set(err, "%s has changed since it was loaded", file->text);
        rc = MFX_TEMPFAIL;
    } else if (rc == MFX_OK) {
        rc = mfx_dkim_private_key_parse(text, key, err);
        if (rc != MFX_OK)
            mfx_err_prefix(err, "%s", file->text);
    }
    if (text.len > 0)
        OPENSSL_cleanse((void *)(uintptr_t)text.p, text.len);
    mfx_arena_free(arena);
    return rc;
}

static enum mfx_rc
get_slowly(struct dkim_key_file *file, struct mfx_dkim_private_key **key,
           struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    (void)pthread_mutex_lock(&file->mutex);
    *key = atomic_load(&file->key);
    if (*key == NULL && file->has_failed) {
        /* the same bytes stay as broken as they were */
        if (err != NULL)
            *err = file->err;
        rc = MFX_PERMFAIL;
    } else if (*key == NULL) {
        struct mfx_err why = {""};
        rc = parse(file, key, &why);
        if (rc == MFX_OK) {
            atomic_store(&file->key, *key);
        } else if (rc == MFX_PERMFAIL) {
            file->has_failed = true;
            file->err = why;
        }
        if (rc != MFX_OK && err != NULL)
            *err = why;
    }
    (void)pthread_mutex_unlock(&file->mutex);
    return rc;
}

enum mfx_rc
dkim_key_file_get(struct dkim_key_file *file, struct mfx_dkim_private_key **key,
                  struct mfx_err *err)
{
    *key = atomic_load_explicit(&file->key, memory_order_acquire);
    return *key != NULL ? MFX_OK : get_slowly(file, key, err);
}

void
dkim_keys_parse_all(struct dkim_keys *keys,
                    void (*bad)(void *arg, const char *message), void *arg)
{
    for (size_t i = 0; i < keys->count && !atomic_load(&keys->stop); i++) {
        struct mfx_dkim_private_key *key;
        struct mfx_err err = {""};
        if (dkim_key_file_get(keys->files[i], &key, &err) == MFX_OK) {
            atomic_fetch_add(&keys->parsed, 1);
            continue;
        }
        atomic_fetch_add(&keys->failed, 1);
        bad(arg, err.msg);
    }
}

static void
log_bad_key(void *arg, const char *message)
{
    (void)arg;
    mfx_log_say(MFX_LOG_ERROR, "key_failed", "why", message);
}

static void *
parse_in_background(void *arg)
{
    struct dkim_keys *keys = arg;
    uint64_t began = mfx_mono_ms();
    /* this thread alone (Linux); without the right to it, so be it */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), PARSER_NICE);
    dkim_keys_parse_all(keys, log_bad_key, NULL);
    if (atomic_load(&keys->stop))
        return NULL;
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "keys_parsed");
    mfx_log_add_u64(&line, "keys", atomic_load(&keys->parsed));
    mfx_log_add_u64(&line, "failed", atomic_load(&keys->failed));
    mfx_log_add_u64(&line, "ms", mfx_mono_ms() - began);
    mfx_log_end(&line, MFX_LOG_INFO);
    return NULL;
}

void
dkim_keys_loaded(struct dkim_keys *keys)
{
    keys->previous = NULL;
}

void
dkim_keys_start(struct dkim_keys *keys)
{
    /* without the thread, keys are parsed at first use */
    keys->parser_runs =
        pthread_create(&keys->parser, NULL, parse_in_background, keys) == 0;
}

static bool
has_changed_late(struct dkim_keys *keys)
{
    bool has_changed = false;
    size_t cursor = 0;
    struct mfx_str text;
    void *file;
    (void)pthread_mutex_lock(&keys->late_mutex);
    while (!has_changed && mfx_map_next(keys->late, &cursor, &text, &file))
        has_changed = atomic_load(&((struct dkim_key_file *)file)->has_changed);
    (void)pthread_mutex_unlock(&keys->late_mutex);
    return has_changed;
}

bool
dkim_keys_is_outdated(struct dkim_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (atomic_load(&keys->files[i]->has_changed))
            return true;
    size_t look = keys->count < LOOK_AT_ONCE ? keys->count : LOOK_AT_ONCE;
    size_t start = atomic_fetch_add(&keys->looked_at, look);
    for (size_t i = 0; i < look; i++)
        if (!is_current(keys->files[(start + i) % keys->count]))
            return true;
    return has_changed_late(keys);
}

const char *const *
dkim_keys_directories(const struct dkim_keys *keys, size_t *count)
{
    *count = keys->directory_count;
    return keys->directory_list;
}

struct dkim_keys_counts
dkim_keys_counts(const struct dkim_keys *keys)
{
    return (struct dkim_keys_counts){
        .files = keys->count,
        .parsed = atomic_load(&keys->parsed),
        .failed = atomic_load(&keys->failed),
    };
}
