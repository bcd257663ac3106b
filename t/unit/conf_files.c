/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf_files.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

void
conf_files_init(struct conf_files *files)
{
    const char *tmp = getenv("TMPDIR");
    files->arena = mfx_arena_new(0);
    need(files->arena != NULL, "arena");
    struct mfx_str name = mfx_arena_printf(files->arena, "%s/mfx-conf-XXXXXX",
                                           tmp != NULL ? tmp : "/tmp");
    char *folder = mfx_arena_alloc_bytes(files->arena, name.len + 1);
    memcpy(folder, name.p, name.len + 1);
    files->folder = mkdtemp(folder);
    need(files->folder != NULL, "mkdtemp");
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void
conf_files_fini(struct conf_files *files)
{
    need(nftw(files->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0,
         files->folder);
    mfx_arena_free(files->arena);
}

const char *
conf_files_path(struct conf_files *files, const char *name)
{
    return mfx_arena_printf(files->arena, "%s/%s", files->folder, name).p;
}

const char *
conf_files_write(struct conf_files *files, const char *name,
                 struct mfx_str text)
{
    const char *path = conf_files_path(files, name);
    const char *fresh = mfx_arena_printf(files->arena, "%s.new", path).p;
    FILE *f = fopen(fresh, "w");
    need(f != NULL, fresh);
    need(text.len == 0 || fwrite(text.p, text.len, 1, f) == 1, fresh);
    need(fclose(f) == 0, fresh);
    need(rename(fresh, path) == 0, path);
    return path;
}

/* The text without every "folder/". */
static void
add_without_folder(const char *folder, struct mfx_str text, struct mfx_buf *out)
{
    struct mfx_str prefix = mfx_str_of(folder);
    while (text.len > 0) {
        if (mfx_str_starts(text, prefix)) {
            text = mfx_str_from(text, prefix.len + 1);
            continue;
        }
        mfx_buf_add_byte(out, text.p[0]);
        text = mfx_str_from(text, 1);
    }
}

struct mfx_str
conf_files_problems(struct conf_files *files,
                    const struct mfx_problems *problems)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, files->arena, SIZE_MAX / 2);
    for (const struct mfx_problem *p = problems->first; p != NULL;
         p = p->next) {
        add_without_folder(files->folder, mfx_problem_format(p, files->arena),
                           &out);
        mfx_buf_add_byte(&out, '\n');
    }
    return mfx_buf_str(&out);
}
