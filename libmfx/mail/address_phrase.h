/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address_phrase - display names with a text of ours behind them
 *
 * "Doe, John" <a@x> becomes "Doe, John via list" <a@x>: the words that are
 * there stay byte for byte, quoted strings and encoded words (RFC 2047) too,
 * and the text is added in the form that reads as one name with them. A mailbox
 * without a name gets its local part as one.
 *
 *     rc = mfx_address_phrase_check(suffix, &err);              once
 *     rc = mfx_address_phrase_append(name, value, &list, which, suffix, arena,
 *                                    &out, &err);
 *
 * What is made is parsed again: it holds the same addresses, or it is refused.
 * Ownership: results in the arena. Errors: MFX_PERMFAIL with the reason,
 * MFX_TEMPFAIL for an exhausted arena. Threads: pure functions.
 * Limits: a suffix fits into one encoded word of 75 octets.
 */
#ifndef MFX_MAIL_ADDRESS_PHRASE_H
#define MFX_MAIL_ADDRESS_PHRASE_H

#include <mfx/mail/address.h>

MFX_API_BEGIN

/* UTF-8 without control bytes, not empty, not too long. Blanks around it do
 * not matter: one is put before it. */
enum mfx_rc mfx_address_phrase_check(struct mfx_str suffix,
                                     struct mfx_err *err) MFX_NODISCARD;

/* which: list->count of them, the mailboxes that get the suffix. */
enum mfx_rc mfx_address_phrase_append(struct mfx_str name, struct mfx_str value,
                                      const struct mfx_address_list *list,
                                      const bool *which, struct mfx_str suffix,
                                      struct mfx_arena *arena,
                                      struct mfx_str *out,
                                      struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
