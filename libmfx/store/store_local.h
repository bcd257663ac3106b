/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_local - a store of this machine: SQLite, or memory alone
 *
 * What is reserved lives in memory (a process that dies has sent nothing);
 * what is counted is in the file before its COMMIT is answered, so a kill -9
 * loses nothing, and a second later it is on the disk, so a power cut loses at
 * most that second. One process at a time has the file; a second one says so
 * and tries again until it is free.
 *
 *     store = mfx_store_local_open(&settings, env);
 *
 * Ownership: the store copies the settings. Errors: NULL when out of memory
 * only; a file that cannot be used is a store that is down: its calls fail at
 * once, it is tried again every second, and each change of that is logged. A
 * corrupt file, one of a newer version, and one that is not ours: see
 * on_corrupt. Threads: any.
 */
#ifndef MFX_STORE_STORE_LOCAL_H
#define MFX_STORE_STORE_LOCAL_H

#include <sys/types.h>

#include <mfx/store/store.h>

MFX_API_BEGIN

struct mfx_store_local_settings {
    const char *path;      /* NULL: memory alone */
    mode_t mode;           /* of the file; 0: 0600 */
    uint64_t memory_bytes; /* of counters kept in memory; memory alone: at
                              most that, the ones used longest ago go first. A
                              fourth of it, and 64 KiB, remember who has
                              committed: some 10,000 for each MiB of memory,
                              beyond that for less than ten minutes */
    uint64_t file_bytes;   /* 0: no limit. Past it: calls that would add fail */
    /* A file that SQLite calls corrupt is renamed to PATH.corrupt-TIME and a
     * new one begun; else the store stays down. Never done with a file that is
     * not ours, or of a newer version. */
    bool replace_corrupt;
};

struct mfx_store *
mfx_store_local_open(const struct mfx_store_local_settings *settings,
                     const struct mfx_env *env);

MFX_API_END

#endif
