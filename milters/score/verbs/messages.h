/* SPDX-License-Identifier: BSD-2-Clause
 *
 * messages - the messages of files, folders, mailboxes and stdin, one by one
 *
 *     messages_init(&in, paths, count);
 *     in.drops = is_ours; in.memory_limit = ...;
 *     while (messages_next(&in, arena, &message))
 *         if (message.body != NULL) ...
 *         mfx_scan_body_free(message.body);
 *     messages_fini(&in);
 *
 * A file whose first line is that of a mailbox ("From ") holds one message
 * after the other. Of a maildir what is in cur and new counts, of another
 * folder all files and folders in it; names that begin with a dot do not.
 * Lines become ended by CRLF; of the header the fields that `drops` names are
 * left out, of the body nothing.
 *
 * Ownership: names in the arena given, bodies the caller's, all else between
 * init and fini. Errors: a message without a body, and why.
 * Threads: one. Limits: MESSAGES_DEPTH folders in each other; of a message
 * memory_limit bytes are in memory, the rest in a file without a name.
 */
#ifndef MFX_SCORE_VERBS_MESSAGES_H
#define MFX_SCORE_VERBS_MESSAGES_H

#include <dirent.h>

#include <mfx/base/arena.h>
#include <mfx/scan/scan_body.h>

enum {
    MESSAGES_DEPTH = 16,
    MESSAGES_BUFFER = 65536,
};

struct message {
    struct mfx_str name;        /* "stdin", "a/b", "mailbox:3" */
    struct mfx_scan_body *body; /* ended; NULL: err says why */
    bool is_unstored;           /* why: it was read, and could not be kept */
    struct mfx_err err;
};

struct messages_folder {
    char *path;
    struct dirent **names;
    int count, next;
};

struct messages {
    /* the caller's to set */
    bool (*drops)(const void *arg, struct mfx_str name);
    const void *drops_arg;
    size_t memory_limit;
    const char *temp_folder;

    char *const *paths;
    size_t path_count, next_path;
    struct messages_folder folders[MESSAGES_DEPTH];
    size_t depth;

    /* of the file that is open */
    int fd; /* -1: none */
    struct mfx_str file;
    char *file_copy;
    unsigned number; /* of the message in it */
    bool is_mailbox, is_at_end;
    int error; /* of reading it */
    char *buffer;
    size_t from, to;
};

void messages_init(struct messages *in, char *const *paths, size_t count);
void messages_fini(struct messages *in);
/* False: that was all. */
bool messages_next(struct messages *in, struct mfx_arena *arena,
                   struct message *message);

#endif
