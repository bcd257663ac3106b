/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_script - the scripts that a Redis runs for us (not installed)
 *
 * They are made of the .lua files here, built in: uses of amounts; the same with
 * elements; and everything else.
 *
 * Ownership: texts live for ever. Errors: MFX_TEMPFAIL: no digest (out of
 * memory). Threads: values.
 */
#ifndef MFX_STORE_REDIS_SCRIPT_H
#define MFX_STORE_REDIS_SCRIPT_H

#include <mfx/base/str.h>

enum mfx_redis_script_id {
    MFX_REDIS_SCRIPT_USES,
    MFX_REDIS_SCRIPT_ELEMENTS, /* uses, some of them of elements */
    MFX_REDIS_SCRIPT_OTHER,
    MFX_REDIS_SCRIPT_COUNT,
};

enum {
    MFX_REDIS_SHA_TEXT = 41,
};

struct mfx_redis_scripts {
    struct mfx_str text[MFX_REDIS_SCRIPT_COUNT];
    char sha[MFX_REDIS_SCRIPT_COUNT][MFX_REDIS_SHA_TEXT];
};

enum mfx_rc
mfx_redis_scripts_init(struct mfx_redis_scripts *scripts) MFX_NODISCARD;

#endif
