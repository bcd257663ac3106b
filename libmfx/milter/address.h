/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address - where a daemon listens, as settings say it
 *
 *     unix:/PATH  local:/PATH  inet:PORT@HOST  inet:HOST:PORT
 *     inet6:PORT@HOST  inet6:[HOST]:PORT  /PATH
 *
 * Ownership: the arena. Errors: MFX_PERMFAIL with the reason in err.
 * Threads: pure.
 */
#ifndef MFX_MILTER_ADDRESS_H
#define MFX_MILTER_ADDRESS_H

#include <mfx/base/arena.h>

struct mfx_listen_address {
    bool is_unix;
    const char *path;      /* UNIX socket */
    const char *libmilter; /* in libmilter's own form */
};

enum mfx_rc mfx_listen_address_parse(struct mfx_str text,
                                     struct mfx_arena *arena,
                                     struct mfx_listen_address *address,
                                     struct mfx_err *err) MFX_NODISCARD;

#endif
