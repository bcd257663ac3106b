/* SPDX-License-Identifier: BSD-2-Clause
 *
 * keys - the private keys of one policy
 *
 * Loading 100,000 keys would take half a minute, so a load only takes each
 * file's identity and checks who may read it; a thread of low priority parses
 * afterwards, and whoever needs a key earlier parses it then. Reload shares
 * what has not changed.
 *
 *     file = dkim_keys_add(keys, path, &err);          at load
 *     dkim_keys_loaded(keys);                          after the load
 *     dkim_keys_start(keys);                           in a daemon
 *     rc = dkim_key_file_get(file, &key, &err);        for each message
 *
 * A file that is no longer the one that was loaded is never used: get answers
 * MFX_TEMPFAIL and dkim_keys_is_outdated says that a reload is due.
 *
 * Ownership: keys are new/free; files and parsed keys live as long as any
 * policy that shares them. Errors: err names the path.
 * Threads: add is for the load alone; late, get and is_outdated for any.
 * Limits: a key file holds at most 64 KiB; 100,000 late keys.
 */
#ifndef DKIM_KEYS_H
#define DKIM_KEYS_H

#include <mfx/auth/dkim_key.h>
#include <mfx/base/str.h>

struct dkim_keys;
struct dkim_key_file;

/* previous (may be NULL): keys to share from; only during the load. */
struct dkim_keys *dkim_keys_new(const struct dkim_keys *previous,
                                bool allow_readable, size_t expected);
void dkim_keys_free(struct dkim_keys *keys);

/* The key at an absolute path. The same path twice is the same file. */
enum mfx_rc dkim_keys_add(struct dkim_keys *keys, struct mfx_str path,
                          struct dkim_key_file **file,
                          struct mfx_err *err) MFX_NODISCARD;
/* A key that stands in the table itself: PEM or base64 DER. */
enum mfx_rc dkim_keys_add_inline(struct dkim_keys *keys, struct mfx_str text,
                                 struct dkim_key_file **file,
                                 struct mfx_err *err) MFX_NODISCARD;
/* For a path or text that only a message shows (a pattern, a live table). */
enum mfx_rc dkim_keys_late(struct dkim_keys *keys, struct mfx_str path_or_text,
                           struct dkim_key_file **file,
                           struct mfx_err *err) MFX_NODISCARD;
/* True for text that names a file rather than being a key itself: it begins
 * with "/", "./" or "../" (OpenDKIM's rule). */
bool dkim_keys_is_path(struct mfx_str path_or_text);

/* A hold on a file beyond the policy; both take NULL. */
struct dkim_key_file *dkim_key_file_ref(struct dkim_key_file *file);
void dkim_key_file_unref(struct dkim_key_file *file);

/* Parses all keys now; `bad` is called for each that fails. */
void dkim_keys_parse_all(struct dkim_keys *keys,
                         void (*bad)(void *arg, const char *message),
                         void *arg);
/* The load is over: previous is not looked at any more. */
void dkim_keys_loaded(struct dkim_keys *keys);
/* Starts parsing in the background: for a daemon. A command parses what it
 * needs. */
void dkim_keys_start(struct dkim_keys *keys);

/* The parsed key; it lives as long as the policy. */
enum mfx_rc dkim_key_file_get(struct dkim_key_file *file,
                              struct mfx_dkim_private_key **key,
                              struct mfx_err *err) MFX_NODISCARD;

/* True when a file that was loaded is not there any more as it was. Looks at
 * a part of the files at each call. */
bool dkim_keys_is_outdated(struct dkim_keys *keys);
/* Directories that hold keys; *count of them. */
const char *const *dkim_keys_directories(const struct dkim_keys *keys,
                                         size_t *count);

struct dkim_keys_counts {
    size_t files, parsed, failed;
};
struct dkim_keys_counts dkim_keys_counts(const struct dkim_keys *keys);

#endif
