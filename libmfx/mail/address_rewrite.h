/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address_rewrite - other addresses in a header field, the rest as it was
 *
 * Of an address field only the bytes of the local parts and domains that
 * change are replaced. Display names, encoded words, comments (those within an
 * address too), groups, routes, white space, folding and final dots of domains
 * stay byte for byte; so does a local part, with its quotes, when only its
 * domain changes. Two things are mended beside, in a value that changes:
 *   - a line longer than 998 octets is folded behind a comma, or else before
 *     white space outside quotes and comments;
 *   - a line of nothing but white space is joined to the one before it.
 *
 *     struct mfx_address_list list;
 *     rc = mfx_address_list_parse(value, arena, max, &list);
 *     wishes = mfx_arena_alloc_array(arena, list.count, sizeof *wishes);
 *     wishes[2] = (struct mfx_address_wish){true, local, domain};
 *     rc = mfx_address_list_rewrite(name, value, &list, wishes, arena, &out,
 *                                   &err);
 *
 * What is made is parsed again: it holds the wished addresses, in their order,
 * or it is refused.
 * Ownership: results in the arena, or borrowed from the input where nothing
 * changed. Errors: MFX_NOTFOUND when no byte changes (the result is the input),
 * MFX_PERMFAIL with the reason when it cannot be, MFX_TEMPFAIL for an exhausted
 * arena. Threads: pure functions.
 * Limits: RFC 5321 4.5.3.1 for addresses that are new, 64 octets before "@"
 * and 254 in all as written; an address that was longer may stay as long.
 * RFC 5322 2.1.1 for lines. Time and memory grow with the input's length.
 */
#ifndef MFX_MAIL_ADDRESS_REWRITE_H
#define MFX_MAIL_ADDRESS_REWRITE_H

#include <mfx/mail/address.h>

MFX_API_BEGIN

enum {
    MFX_ADDRESS_LOCAL_MAX = 64,
    MFX_ADDRESS_MAX = 254,
    MFX_ADDRESS_LINE_MAX = 998,
};

/* What becomes of one mailbox. local is unquoted, as in struct mfx_mailbox; an
 * empty domain makes it a bare user. All zero: it stays. */
struct mfx_address_wish {
    bool is_set;
    struct mfx_str local, domain;
};

/* name: of the field, for the length of its first line. value: what was parsed
 * into the list. wishes: list->count of them. */
enum mfx_rc mfx_address_list_rewrite(struct mfx_str name, struct mfx_str value,
                                     const struct mfx_address_list *list,
                                     const struct mfx_address_wish *wishes,
                                     struct mfx_arena *arena,
                                     struct mfx_str *out,
                                     struct mfx_err *err) MFX_NODISCARD;

/* A new value of an address field in lines that can be written: no line of
 * only white space, and those of more than 998 octets folded. old: what stood
 * there; may be empty. MFX_PERMFAIL for bytes that no field has, and for a line
 * of more than 998 octets that cannot be folded and was not as long before. */
enum mfx_rc mfx_address_lines(struct mfx_str name, struct mfx_str old,
                              struct mfx_str value, struct mfx_arena *arena,
                              struct mfx_str *out,
                              struct mfx_err *err) MFX_NODISCARD;

/* Whether old may become the wished address: MFX_OK or MFX_PERMFAIL. What does
 * not change is not judged: a strange domain may get another local part.
 * old_local, old_domain: unquoted; empty for an address out of nothing. */
enum mfx_rc mfx_address_wish_check(const struct mfx_address_wish *wish,
                                   struct mfx_str old_local,
                                   struct mfx_str old_domain,
                                   struct mfx_err *err) MFX_NODISCARD;

/* "local@domain", or "local" without a domain, with quotes where RFC 5322
 * 3.4.1 asks for them (UTF-8 needs none, RFC 6532 3.2): for envelopes and
 * fields. MFX_PERMFAIL for what has no such form: control bytes, no UTF-8, an
 * invalid domain. Length is not judged. */
enum mfx_rc mfx_address_spec_write(struct mfx_str local, struct mfx_str domain,
                                   struct mfx_arena *arena,
                                   struct mfx_str *spec) MFX_NODISCARD;

/* A Message-ID value, "<left@right>" with comments and white space around it:
 * both sides borrow. left may be anything without "<", ">" and control bytes;
 * right, behind the last "@", is a domain or a literal. MFX_PERMFAIL for
 * others. */
enum mfx_rc mfx_message_id_parse(struct mfx_str value, struct mfx_str *left,
                                 struct mfx_str *right) MFX_NODISCARD;
/* With `domain` in place of right, all else as it was. */
enum mfx_rc mfx_message_id_rewrite(struct mfx_str name, struct mfx_str value,
                                   struct mfx_str domain,
                                   struct mfx_arena *arena, struct mfx_str *out,
                                   struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
