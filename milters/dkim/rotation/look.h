/* SPDX-License-Identifier: BSD-2-Clause
 *
 * look - one look at a key's record on all authoritative servers
 *
 *     rc = dkim_look(authority, key, domain, selector, arena, &look, &err);
 *     dkim_key_state_look(&facts, &look.seen, now_s);
 *
 * A server is what its name says: of its addresses those that answer count,
 * and one at least must. Servers that lead elsewhere by a CNAME count when
 * those they lead to were asked as well.
 *
 * Ownership: in the arena. Errors: MFX_TEMPFAIL: nothing was found out, err
 * says why. Threads: as the authority. It blocks.
 */
#ifndef DKIM_ROTATION_LOOK_H
#define DKIM_ROTATION_LOOK_H

#include "watcher.h"

struct dkim_look {
    struct dkim_key_look seen;
    struct dkim_key_server *servers;
    size_t count;
};

enum mfx_rc dkim_look(struct mfx_authority *authority,
                      const struct mfx_dkim_private_key *key,
                      struct mfx_str domain, struct mfx_str selector,
                      struct mfx_arena *arena, struct dkim_look *look,
                      struct mfx_err *err) MFX_NODISCARD;

/* The reply to the question for a key's record, judged; pure. */
void dkim_look_judge(const struct mfx_authority_reply *reply,
                     const struct mfx_dkim_private_key *key,
                     struct mfx_arena *arena, struct dkim_look *look);

/* As text, a line for each server, and back. */
struct mfx_str dkim_look_format(const struct dkim_look *look,
                                struct mfx_arena *arena);
size_t dkim_look_parse(const char *text, struct mfx_arena *arena,
                       struct dkim_key_server **servers);

#endif
