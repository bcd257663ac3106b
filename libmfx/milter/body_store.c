/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/body_store.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FIRST = 8 * 1024,
};

void
mfx_body_store_init(struct mfx_body_store *store)
{
    memset(store, 0, sizeof *store);
    store->fd = -1;
}

void
mfx_body_store_reset(struct mfx_body_store *store)
{
    if (store->map != NULL)
        (void)munmap(store->map, store->len);
    if (store->fd >= 0)
        (void)close(store->fd);
    free(store->memory);
    mfx_body_store_init(store);
}

static int
open_unnamed(void)
{
    const char *dir = getenv("TMPDIR");
    if (dir == NULL || dir[0] != '/')
        dir = "/var/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char name[4096];
    static const char tail[] = "/mfx-body-XXXXXX";
    size_t len = strlen(dir);
    if (len + sizeof tail > sizeof name)
        return -1;
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
move_to_file(struct mfx_body_store *store)
{
    store->fd = open_unnamed();
    if (store->fd < 0 ||
        !write_all(store->fd, mfx_str(store->memory, store->len)))
        return false;
    free(store->memory);
    store->memory = NULL;
    store->cap = 0;
    return true;
}

static bool
grow(struct mfx_body_store *store, size_t need)
{
    size_t cap = store->cap == 0 ? FIRST : store->cap;
    while (cap < need)
        cap *= 2;
    if (cap == store->cap)
        return true;
    char *p = realloc(store->memory, cap);
    if (p == NULL)
        return false;
    store->memory = p;
    store->cap = cap;
    return true;
}

void
mfx_body_store_add(struct mfx_body_store *store, struct mfx_str piece)
{
    if (store->failed || piece.len == 0)
        return;
    bool is_small = piece.len <= MFX_BODY_MEMORY &&
                    store->len <= MFX_BODY_MEMORY - piece.len;
    if (store->fd < 0 && is_small) {
        store->failed = !grow(store, store->len + piece.len);
        if (!store->failed)
            memcpy(store->memory + store->len, piece.p, piece.len);
    } else {
        store->failed = (store->fd < 0 && !move_to_file(store)) ||
                        !write_all(store->fd, piece);
    }
    if (!store->failed)
        store->len += piece.len;
}

enum mfx_rc
mfx_body_store_get(struct mfx_body_store *store, struct mfx_str *body)
{
    if (store->failed)
        return MFX_TEMPFAIL;
    if (store->fd < 0) {
        *body = mfx_str(store->len == 0 ? "" : store->memory, store->len);
        return MFX_OK;
    }
    if (store->map == NULL) {
        void *map =
            mmap(NULL, store->len, PROT_READ, MAP_PRIVATE, store->fd, 0);
        if (map == MAP_FAILED)
            return MFX_TEMPFAIL;
        store->map = map;
    }
    *body = mfx_str(store->map, store->len);
    return MFX_OK;
}
