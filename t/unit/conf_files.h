/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conf_files - a folder of files that lives as long as one test
 */
#ifndef MFX_T_CONF_FILES_H
#define MFX_T_CONF_FILES_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/conf/problem.h>

struct conf_files {
    struct mfx_arena *arena; /* of paths and texts */
    const char *folder;
};

void conf_files_init(struct conf_files *files);
/* Removes the folder. */
void conf_files_fini(struct conf_files *files);
const char *conf_files_path(struct conf_files *files, const char *name);
/* Replaces the file by rename; returns its path. */
const char *conf_files_write(struct conf_files *files, const char *name,
                             struct mfx_str text);
/* Every problem as a line, the folder's name left out of it. */
struct mfx_str conf_files_problems(struct conf_files *files,
                                   const struct mfx_problems *problems);

#endif
