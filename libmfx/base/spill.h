/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spill - bytes that are kept whole: in memory up to a limit, then in one file
 * without a name
 *
 *     mfx_spill_init(&spill, 256 * 1024, NULL);
 *     mfx_spill_add(&spill, piece);
 *     rc = mfx_spill_get(&spill, &bytes, &err);     all of them at once, or
 *     got = mfx_spill_read(&spill, at, to, max);    a part of them
 *     mfx_spill_reset(&spill);
 *
 * Ownership: init/reset; what get gives lives until more is added or reset.
 * Errors: an addition that failed (disk full, no permission) stays so until
 * reset, and get says which it was: MFX_TEMPFAIL.
 * Threads: one at a time.
 */
#ifndef MFX_BASE_SPILL_H
#define MFX_BASE_SPILL_H

#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_spill {
    char *memory;
    size_t len, cap, memory_limit;
    const char *folder;
    int fd; /* -1: in memory */
    char *map;
    size_t map_len;
    bool failed;
    int error; /* errno of what failed */
};

/* folder: where the file goes; NULL: $TMPDIR, or /var/tmp. It must live as
 * long as the spill. */
void mfx_spill_init(struct mfx_spill *spill, size_t memory_limit,
                    const char *folder);
/* Gives everything back; it can be used again. */
void mfx_spill_reset(struct mfx_spill *spill);
void mfx_spill_add(struct mfx_spill *spill, struct mfx_str piece);
enum mfx_rc mfx_spill_get(struct mfx_spill *spill, struct mfx_str *bytes,
                          struct mfx_err *err) MFX_NODISCARD;
/* At most max bytes from `at` on; 0 behind the end, or when it cannot be
 * read. */
size_t mfx_spill_read(struct mfx_spill *spill, size_t at, char *to, size_t max);

MFX_API_END

#endif
