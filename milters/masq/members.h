/* SPDX-License-Identifier: BSD-2-Clause
 *
 * members - what the value of an alias names, one by one
 *
 * Values of aliases(5), virtual(5) and Sendmail's virtusertable, and lines of
 * an ":include:" file: addresses with commas or white space between them,
 * "|command", /file/name, ":include:/file", any of them in quotes, "\name",
 * "@domain" and "%1@domain" (the local part stays), "error:code text". A
 * backslash means nothing here: it ends the search of an alias for its own
 * name, to Postfix, and any search, to Sendmail.
 *
 *     while ((rc = masq_members_next(&value, arena, &member)) == MFX_OK) ...
 *
 * Ownership: members borrow from the value, or live in the arena. Errors:
 * MFX_NOTFOUND at the end, MFX_TEMPFAIL for an exhausted arena. Threads: pure.
 */
#ifndef MASQ_MEMBERS_H
#define MASQ_MEMBERS_H

#include "address.h"

enum masq_member_kind {
    MASQ_MEMBER_ADDRESS,
    MASQ_MEMBER_SAME_LOCAL, /* its domain, with the alias's local part */
    MASQ_MEMBER_HERE,       /* goes no further: a command, a file */
    MASQ_MEMBER_INCLUDE,    /* text: the file's path */
    MASQ_MEMBER_UNKNOWN,    /* text: what cannot be understood */
};

struct masq_member {
    enum masq_member_kind kind;
    struct masq_address address;
    struct mfx_str text; /* as it stands, without quotes */
};

enum mfx_rc masq_members_next(struct mfx_str *rest, struct mfx_arena *arena,
                              struct masq_member *member) MFX_NODISCARD;

#endif
