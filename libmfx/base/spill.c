/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/spill.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FIRST = 8 * 1024,
};

void
mfx_spill_init(struct mfx_spill *spill, size_t memory_limit, const char *folder)
{
    memset(spill, 0, sizeof *spill);
    spill->memory_limit = memory_limit;
    spill->folder = folder;
    spill->fd = -1;
}

void
mfx_spill_reset(struct mfx_spill *spill)
{
    if (spill->map != NULL)
        (void)munmap(spill->map, spill->map_len);
    if (spill->fd >= 0)
        (void)close(spill->fd);
    free(spill->memory);
    mfx_spill_init(spill, spill->memory_limit, spill->folder);
}

static int
open_unnamed(const char *folder)
{
    const char *dir = folder != NULL ? folder : getenv("TMPDIR");
    if (dir == NULL || dir[0] != '/')
        dir = "/var/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char name[4096];
    static const char tail[] = "/mfx-XXXXXX";
    size_t len = strlen(dir);
    if (len + sizeof tail > sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, dir, len);
    memcpy(name + len, tail, sizeof tail);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(name);
    return fd;
}

static bool
write_all(int fd, struct mfx_str s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = mfx_str_from(s, (size_t)n);
    }
    return true;
}

static bool
move_to_file(struct mfx_spill *spill)
{
    spill->fd = open_unnamed(spill->folder);
    if (spill->fd < 0 ||
        !write_all(spill->fd, mfx_str(spill->memory, spill->len)))
        return false;
    free(spill->memory);
    spill->memory = NULL;
    spill->cap = 0;
    return true;
}

static bool
grow(struct mfx_spill *spill, size_t need)
{
    size_t cap = spill->cap == 0 ? FIRST : spill->cap;
    while (cap < need)
        cap *= 2;
    if (cap == spill->cap)
        return true;
    char *p = realloc(spill->memory, cap);
    if (p == NULL)
        return false;
    spill->memory = p;
    spill->cap = cap;
    return true;
}

static bool
add_to_memory(struct mfx_spill *spill, struct mfx_str piece)
{
    if (!grow(spill, spill->len + piece.len))
        return false;
    memcpy(spill->memory + spill->len, piece.p, piece.len);
    return true;
}

void
mfx_spill_add(struct mfx_spill *spill, struct mfx_str piece)
{
    if (spill->failed || piece.len == 0)
        return;
    size_t limit = spill->memory_limit;
    bool is_small = piece.len <= limit && spill->len <= limit - piece.len;
    bool is_done = spill->fd < 0 && is_small
                       ? add_to_memory(spill, piece)
                       : (spill->fd >= 0 || move_to_file(spill)) &&
                             write_all(spill->fd, piece);
    if (is_done) {
        spill->len += piece.len;
    } else {
        spill->error = errno;
        spill->failed = true;
    }
}

static enum mfx_rc
fail(struct mfx_spill *spill, struct mfx_err *err)
{
    char text[128];
    mfx_err_set(err, "temporary file: %s",
                strerror_r(spill->error, text, sizeof text));
    spill->failed = true;
    return MFX_TEMPFAIL;
}

enum mfx_rc
mfx_spill_get(struct mfx_spill *spill, struct mfx_str *bytes,
              struct mfx_err *err)
{
    if (spill->failed)
        return fail(spill, err);
    if (spill->fd < 0) {
        *bytes = mfx_str(spill->len == 0 ? "" : spill->memory, spill->len);
        return MFX_OK;
    }
    if (spill->map != NULL && spill->map_len != spill->len) {
        (void)munmap(spill->map, spill->map_len);
        spill->map = NULL;
    }
    if (spill->map == NULL) {
        void *map =
            mmap(NULL, spill->len, PROT_READ, MAP_PRIVATE, spill->fd, 0);
        if (map == MAP_FAILED) {
            spill->error = errno;
            return fail(spill, err);
        }
        spill->map = map;
        spill->map_len = spill->len;
    }
    *bytes = mfx_str(spill->map, spill->len);
    return MFX_OK;
}

size_t
mfx_spill_read(struct mfx_spill *spill, size_t at, char *to, size_t max)
{
    if (at >= spill->len)
        return 0;
    if (max > spill->len - at)
        max = spill->len - at;
    if (spill->fd < 0) {
        memcpy(to, spill->memory + at, max);
        return max;
    }
    ssize_t n;
    do
        n = pread(spill->fd, to, max, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}
