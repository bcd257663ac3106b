/* SPDX-License-Identifier: BSD-2-Clause
 *
 * secrets - a file of secrets, as PostSRSd has it
 *
 * One secret a line, to the end of the line; empty lines are none. The first
 * signs, any verifies: a new one is put on top, the old ones stay for as long
 * as what was signed with them may come back.
 *
 *     rc = mfx_secrets_read(path, where, line, "can make addresses of ours",
 *                           arena, problems, &secrets);
 *
 * Ownership: all in the arena. Errors: MFX_PERMFAIL with a problem for a file
 * that cannot be read or holds no secret; a warning for one that others may
 * read. Threads: one; what was read is constant.
 * Limits: MFX_SECRETS_MAX secrets; a line of PostSRSd's holds 1022 octets.
 */
#ifndef MFX_POLICY_SECRETS_H
#define MFX_POLICY_SECRETS_H

#include <mfx/base/file.h>
#include <mfx/conf/problem.h>

MFX_API_BEGIN

enum {
    MFX_SECRETS_MAX = 100,
    MFX_SECRETS_LINE_MAX = 1022,
};

struct mfx_secrets {
    const struct mfx_str *items;
    size_t count;
    const char *path;
    struct mfx_file_id id;
};

/* where, line: of the setting that names the path. danger: what one who reads
 * a secret can do, for the warning. */
enum mfx_rc mfx_secrets_read(const char *path, const char *where, unsigned line,
                             const char *danger, struct mfx_arena *arena,
                             struct mfx_problems *problems,
                             struct mfx_secrets *secrets) MFX_NODISCARD;

/* True when another file stands at the path now. */
bool mfx_secrets_are_outdated(const struct mfx_secrets *secrets);

MFX_API_END

#endif
