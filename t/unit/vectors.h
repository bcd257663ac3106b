/* SPDX-License-Identifier: BSD-2-Clause
 *
 * vectors - files below t/vectors, for unit tests
 */
#ifndef MFX_T_VECTORS_H
#define MFX_T_VECTORS_H

#include "unit.h"

#include <stdlib.h>

#include <mfx/base/arena.h>

static inline struct mfx_str
vector_read(struct mfx_arena *arena, const char *name)
{
    const char *source = getenv("MFX_SRCDIR");
    struct mfx_str path = mfx_arena_printf(arena, "%s/t/vectors/%s",
                                           source == NULL ? "." : source, name);
    FILE *file = fopen(path.p, "rb");
    if (file == NULL)
        fail_msg("%s: cannot be read", path.p);
    char *text = mfx_arena_alloc_bytes(arena, 1024 * 1024);
    size_t len = fread(text, 1, 1024 * 1024, file);
    (void)fclose(file);
    return mfx_str(text, len);
}

#endif
