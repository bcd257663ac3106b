/* SPDX-License-Identifier: BSD-2-Clause
 *
 * link - what the MTA's end of one session can be asked to do
 *
 * The session code knows no libmilter: it answers events and speaks through
 * this table. libmilter.c fills it; tests record calls; another reader of the
 * protocol can take libmilter's place.
 *
 * Ownership: ctx belongs to who made the link. A macro's text lives until the
 * next event. Errors: false, the MTA did not take it. Threads: the session's.
 * Everything that changes the message is for the end of message only.
 */
#ifndef MFX_MILTER_LINK_H
#define MFX_MILTER_LINK_H

#include <mfx/base/str.h>

struct mfx_link_ops {
    /* NULL when the macro did not come */
    const char *(*macro)(void *ctx, const char *name);
    bool (*reply)(void *ctx, const char *code, const char *enhanced,
                  const char *text);
    bool (*body)(void *ctx, struct mfx_str body);
    /* index counts fields of that name from 1; value NULL deletes */
    bool (*change)(void *ctx, const char *name, size_t index,
                   const char *value);
    bool (*insert)(void *ctx, int at, const char *name, const char *value);
    bool (*append)(void *ctx, const char *name, const char *value);
    /* parameters: of ESMTP, separated by blanks; NULL: none */
    bool (*sender)(void *ctx, const char *address, const char *parameters);
    bool (*add_recipient)(void *ctx, const char *address,
                          const char *parameters);
    bool (*delete_recipient)(void *ctx, const char *address);
    bool (*quarantine)(void *ctx, const char *reason);
    bool (*progress)(void *ctx);
};

struct mfx_link {
    const struct mfx_link_ops *ops;
    void *ctx;
};

#endif
