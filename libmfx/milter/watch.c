/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/watch.h>

#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    EVENTS = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
             IN_DELETE | IN_ATTRIB | IN_ONLYDIR,
    DIRECTORIES_MAX = 1000, /* beyond, the periodic check serves */
};

struct directory {
    struct directory *next;
    int id;
    bool is_wanted;
    char path[];
};

struct mfx_watch {
    int fd;
    size_t count;
    struct directory *directories;
};

struct mfx_watch *
mfx_watch_new(void)
{
    struct mfx_watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        free(w);
        return NULL;
    }
    return w;
}

void
mfx_watch_free(struct mfx_watch *w)
{
    if (w == NULL)
        return;
    while (w->directories != NULL) {
        struct directory *d = w->directories;
        w->directories = d->next;
        free(d);
    }
    (void)close(w->fd);
    free(w);
}

static struct directory *
find(const struct mfx_watch *w, struct mfx_str path)
{
    for (struct directory *d = w->directories; d != NULL; d = d->next)
        if (mfx_str_is(path, d->path))
            return d;
    return NULL;
}

static void
want_directory(struct mfx_watch *w, struct mfx_str path)
{
    struct directory *d = find(w, path);
    if (d == NULL && w->count < DIRECTORIES_MAX) {
        d = calloc(1, sizeof *d + path.len + 1);
        if (d == NULL)
            return;
        memcpy(d->path, path.p, path.len);
        d->next = w->directories;
        w->directories = d;
        w->count++;
    }
    if (d == NULL)
        return;
    /* again for one that was there: the path may lead elsewhere now */
    d->id = inotify_add_watch(w->fd, d->path, EVENTS);
    d->is_wanted = true;
}

static void
want_file(struct mfx_watch *w, const char *path)
{
    struct mfx_str s = mfx_str_of(path);
    size_t slash = mfx_str_find_last(s, '/');
    if (slash < s.len)
        want_directory(w, mfx_str_head(s, slash == 0 ? 1 : slash));
}

static void
drop_unwanted(struct mfx_watch *w)
{
    struct directory **at = &w->directories;
    while (*at != NULL) {
        struct directory *d = *at;
        if (d->is_wanted) {
            at = &d->next;
            continue;
        }
        *at = d->next;
        if (d->id >= 0)
            (void)inotify_rm_watch(w->fd, d->id);
        free(d);
        w->count--;
    }
}

void
mfx_watch_set(struct mfx_watch *w, const struct mfx_snapshot *s)
{
    size_t count = 0;
    for (struct directory *d = w->directories; d != NULL; d = d->next)
        d->is_wanted = false;
    const char *const *paths = mfx_config_files(s->config, &count);
    for (size_t i = 0; i < count; i++)
        want_file(w, paths[i]);
    if (s->common_file != NULL)
        want_file(w, s->common_file);
    paths = mfx_table_set_files(s->tables, &count);
    for (size_t i = 0; i < count; i++)
        want_file(w, paths[i]);
    if (s->filter->policy_directories != NULL) {
        paths = s->filter->policy_directories(s->policy, &count);
        for (size_t i = 0; i < count; i++)
            want_directory(w, mfx_str_of(paths[i]));
    }
    drop_unwanted(w);
}

int
mfx_watch_fd(const struct mfx_watch *w)
{
    return w->fd;
}

bool
mfx_watch_take(struct mfx_watch *w)
{
    char bytes[4096];
    bool any = false;
    while (read(w->fd, bytes, sizeof bytes) > 0)
        any = true;
    return any;
}
