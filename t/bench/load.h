/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load - what the parts of the load generator share
 *
 * load plays Postfix on several connections at once, several messages on
 * each, checks every result and prints one JSON object. load.c reads the
 * options and sums up, load_run.c has the connections, load_source.c the
 * messages, load_proc.c what the filter costs.
 *
 * Ownership: struct load belongs to main; a worker only reads it, but for its
 * own struct load_worker. Threads: one a connection.
 */
#ifndef MFX_T_LOAD_H
#define MFX_T_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "../milter/mta_client.h"

enum {
    LOAD_MACROS_MAX = 16,
    LOAD_VERDICTS = MTA_BAD + 1,
};

/* Where messages come from: files of a directory, or made up. */
struct load_source {
    struct mfx_arena *arena;
    struct mfx_str *files;
    size_t file_count;
    size_t size;        /* made up: bytes of the whole message */
    const char *domain; /* may hold one %u for the number below */
    unsigned domains;   /* how many; 1 for a pattern without %u */
    unsigned senders;   /* of these so many write, evenly spread */
    const char *login;  /* NULL: none; may hold one %u, as domain */
    unsigned logins;
};

struct load {
    const char *socket, *client, *save_dir;
    struct mta_options options;
    struct load_source source;
    unsigned connections, per_connection, save_every, idle;
    uint64_t messages, warm, rate;
    pid_t pid;
    const char *macros[LOAD_MACROS_MAX]; /* NAME=VALUE */
    size_t macro_count;
    const char *header; /* inserted field that each message must get */
    const char *value;  /* glob it must match */
    unsigned header_times;
    _Atomic uint64_t next; /* number of the next message */
    uint64_t first, end;
    double began_ms;
};

struct load_worker {
    struct load *load;
    pthread_t thread;
    uint64_t verdicts[LOAD_VERDICTS];
    uint64_t done, checked, header_bytes, broken;
    uint64_t edits, edit_bytes; /* of any kind; of their values */
    double *latency_ms;         /* room for all messages of the run */
    char first_problem[160];
};

/* Reads the directory's files; false with the reason on stderr. */
bool load_source_init(struct load_source *source, const char *directory);
void load_source_fini(struct load_source *source);
/* Message `number`; the same number gives the same message. body is the
 * worker's, kept between calls. from: the From address, for MAIL. */
void load_source_get(const struct load_source *source, uint64_t number,
                     struct mta_message *m, struct mfx_buf *body, char *from,
                     size_t from_size);
/* Whose message it is; false: nobody has logged in. */
bool load_source_login(const struct load_source *source, uint64_t number,
                       char *login, size_t size);

/* Runs messages [next, end) on all connections. */
void load_run(struct load *load, struct load_worker *workers);
/* Opens connections that say no more than HELO; the caller frees them. NULL in
 * *failed when all opened. */
struct mta **load_idle_open(const struct load *load, const char **failed);
void load_idle_close(struct mta **idle, unsigned count);
/* A connection as every worker opens it; NULL with the reason in err. */
struct mta *load_open(const struct load *load, struct mfx_err *err);

/* CPU time of a process in nanoseconds, all its threads, also ended ones; 0
 * when it cannot be read. */
uint64_t load_cpu_ns(pid_t pid);
/* "VmRSS", "VmHWM" of /proc/PID/status in KiB; 0 when it cannot be read. */
uint64_t load_status_kb(pid_t pid, const char *key);

#endif
