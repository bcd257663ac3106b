/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_make.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_BITS = 2048,
    LEAST_BITS = 1024, /* RFC 8301 3.2 */
    MOST_BITS = 8192,
};

int
key_make_read(const struct verb_run *run, const char *algorithm,
              const char *bits, struct key_made *made)
{
    uint64_t number = DEFAULT_BITS;
    struct mfx_str word = mfx_str_of(algorithm);
    if (mfx_str_is_nocase(word, "ed25519"))
        made->algorithm = MFX_DKIM_ED25519_SHA256;
    else if (algorithm == NULL || mfx_str_is_nocase(word, "rsa"))
        made->algorithm = MFX_DKIM_RSA_SHA256;
    else
        return verb_wrong(run, "--algorithm %s: rsa or ed25519", algorithm);
    if (bits != NULL && made->algorithm == MFX_DKIM_ED25519_SHA256)
        return verb_wrong(run, "--bits: Ed25519 keys have one size");
    if (bits != NULL &&
        (mfx_str_to_u64(mfx_str_of(bits), MOST_BITS, &number) != MFX_OK ||
         number < LEAST_BITS || number % 8 != 0))
        return verb_wrong(run, "--bits %s: %d to %d, a multiple of 8", bits,
                          LEAST_BITS, MOST_BITS);
    made->bits = (unsigned)number;
    return EXIT_OK;
}

int
key_make(const struct verb_run *run, struct key_made *made)
{
    struct mfx_err err = {0};
    enum mfx_rc rc = mfx_dkim_private_key_generate(made->algorithm, made->bits,
                                                   &made->key, &err);
    if (rc == MFX_OK)
        rc = mfx_dkim_private_key_record(made->key, run->arena, &made->record,
                                         &err);
    if (rc == MFX_OK)
        rc = mfx_dkim_private_key_format(made->key, run->arena, &made->pem,
                                         &err);
    return rc == MFX_OK
               ? EXIT_OK
               : verb_fail(run, EXIT_SYSTEM, "no key was made: %s", err.msg);
}

void
key_make_fini(struct key_made *made)
{
    if (made->pem.len > 0)
        explicit_bzero((char *)(uintptr_t)made->pem.p, made->pem.len);
    mfx_dkim_private_key_unref(made->key);
    made->key = NULL;
    made->pem = mfx_str(NULL, 0);
}

/* --- the file --- */

int
key_mode_of_user(const struct verb_run *run, const char *user,
                 struct key_mode *mode)
{
    *mode = (struct key_mode){0600, (uid_t)-1, (gid_t)-1};
    if (user == NULL)
        return EXIT_OK;
    const struct passwd *owner = getpwnam(user);
    if (owner == NULL)
        return verb_wrong(run, "--owner %s: no such user", user);
    mode->owner = owner->pw_uid;
    mode->group = owner->pw_gid;
    return EXIT_OK;
}

static bool
write_all(int fd, struct mfx_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = mfx_str_from(bytes, n < 0 ? 0 : (size_t)n);
    }
    return fsync(fd) == 0;
}

/* The directory's own entry must last, too. */
static bool
sync_directory(const char *path, struct mfx_arena *arena)
{
    size_t slash = mfx_str_find_last(mfx_str_of(path), '/');
    bool has_slash = path[slash] == '/';
    struct mfx_str folder =
        mfx_arena_copy(arena, has_slash ? mfx_str(path, slash == 0 ? 1 : slash)
                                        : mfx_str_of("."));
    int fd = folder.p == NULL
                 ? -1
                 : open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    /* some file systems cannot, and need not */
    bool ok = fsync(fd) == 0 || errno == EINVAL;
    (void)close(fd);
    return ok;
}

static bool
fill(int fd, const struct key_mode *mode, struct mfx_str pem)
{
    return fchmod(fd, mode->mode & 0640) == 0 && write_all(fd, pem) &&
           (mode->owner == (uid_t)-1 ||
            fchown(fd, mode->owner, mode->group) == 0);
}

int
key_make_write(const struct verb_run *run, const char *path,
               const struct key_mode *mode, const struct key_made *made)
{
    char *temporary =
        (char *)(uintptr_t)mfx_arena_printf(run->arena, "%s.XXXXXX", path).p;
    int fd = temporary == NULL ? -1 : mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return verb_fail(run, EXIT_CANNOT_WRITE, "%s: %s", path,
                         strerror(errno));
    bool ok = fill(fd, mode, made->pem);
    int error = errno;
    ok = close(fd) == 0 && ok;
    /* link, not rename: it does not replace */
    if (ok && link(temporary, path) != 0) {
        error = errno;
        ok = false;
    }
    (void)unlink(temporary);
    if (ok && sync_directory(path, run->arena))
        return EXIT_OK;
    if (!ok && error == EEXIST)
        return verb_fail(run, EXIT_CANNOT_WRITE,
                         "%s is there already and stays as it is", path);
    return verb_fail(run, EXIT_CANNOT_WRITE, "%s: %s", path, strerror(error));
}
