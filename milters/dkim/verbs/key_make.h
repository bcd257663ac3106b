/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key_make - a new key, in a file that only its owner can read
 *
 * The file is written under another name and linked to its own when it is
 * whole, so that nobody ever sees half a key; a file that is there is never
 * overwritten and no symbolic link is followed.
 *
 *     status = key_make_read(run, "rsa", "2048", &made);
 *     status = key_make(run, &made);
 *     status = key_make_write(run, path, &mode, &made);
 *     key_make_fini(&made);
 *
 * Ownership: texts in run->arena; fini wipes the private one and releases the
 * key. Errors: EXIT_OK, or what verb_fail returned. Threads: one.
 */
#ifndef DKIM_KEY_MAKE_H
#define DKIM_KEY_MAKE_H

#include <sys/types.h>

#include <mfx/auth/dkim_key.h>

#include "verb.h"

struct key_made {
    enum mfx_dkim_algorithm algorithm;
    unsigned bits; /* wanted */
    struct mfx_str pem, record;
    struct mfx_dkim_private_key *key;
};

/* The options of a command line; NULL: RSA, 2048 bits. */
int key_make_read(const struct verb_run *run, const char *algorithm,
                  const char *bits, struct key_made *made);
int key_make(const struct verb_run *run, struct key_made *made);
void key_make_fini(struct key_made *made);

struct key_mode {
    mode_t mode;
    uid_t owner; /* (uid_t)-1: ours */
    gid_t group;
};

/* 0600, ours; or the user's of that name (may be NULL). */
int key_mode_of_user(const struct verb_run *run, const char *user,
                     struct key_mode *mode);
int key_make_write(const struct verb_run *run, const char *path,
                   const struct key_mode *mode, const struct key_made *made);

#endif
