/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address - mailboxes and address lists (RFC 5322 3.4, RFC 6532)
 *
 * Parses what From, Sender, To and the like hold: comments, quoted strings,
 * groups, obsolete routes, encoded words in phrases, UTF-8. Each mailbox says
 * where its bytes stand in the input, so that a rewriting can replace exactly
 * those. Beyond the grammar goes what is common and means one thing only to
 * Sendmail, OpenDKIM, rspamd and Mail::Address: "@" and "[text]" without quotes
 * in a display name before <>, dots anywhere in a local part, a final dot of a
 * domain. "a@x <b@y>" is b@y (to some versions of Python's email a@x). What may
 * be taken for more than one thing ("<a@x> b@y", "a: b <c@d>", "a; b <c@d>") is
 * an error. A comma without quotes always parts: "Doe, John <a@x>" are two.
 *
 *     struct mfx_address_list list;
 *     rc = mfx_address_list_parse(value, arena, 100, &list);
 *
 * Ownership: list and strings in the arena; what is `raw` borrows from the input.
 * Errors: MFX_PERMFAIL for text that is no address list (list.error says
 * where and why; mailboxes before that point are there), MFX_TEMPFAIL for an
 * exhausted arena, MFX_NOTFOUND for an empty list or groups without members.
 * Threads: pure functions. Limits: max mailboxes, comment nesting 50.
 */
#ifndef MFX_MAIL_ADDRESS_H
#define MFX_MAIL_ADDRESS_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_mailbox {
    struct mfx_str local;  /* unquoted: "b c".d has no quotes here */
    struct mfx_str domain; /* as spelled, less a final dot; "[192.0.2.1]" for
                              a literal; empty for a bare user */
    struct mfx_str phrase; /* display name, unquoted; may be empty */
    struct mfx_str raw_phrase; /* its words in the input, with quotes, and with
                                  comments between them */
    struct mfx_str raw;        /* addr-spec in the input, without <> */
    struct mfx_str raw_local;  /* in raw, quotes included */
    struct mfx_str raw_domain; /* in raw, less a final dot; empty, behind the
                                  local part, for a bare user */
    bool is_bracketed;         /* stood in <> */
    bool is_in_group;
};

struct mfx_address_list {
    size_t count;
    struct mfx_mailbox *mailboxes;
    size_t error_at;   /* offset of what is wrong */
    const char *error; /* literal; NULL when all is well */
};

enum mfx_rc mfx_address_list_parse(struct mfx_str value,
                                   struct mfx_arena *arena, size_t max,
                                   struct mfx_address_list *list) MFX_NODISCARD;

/* An envelope path as a milter gives it ("<a@b>", "a@b", "<@r:a@b>", "<>"):
 * without brackets and route. *local and *domain borrow; both empty for the
 * null sender. MFX_PERMFAIL when it is neither. */
enum mfx_rc mfx_address_path_parse(struct mfx_str path, struct mfx_str *local,
                                   struct mfx_str *domain) MFX_NODISCARD;

/* True for a syntactically valid host name: labels of letters, digits,
 * hyphens and underscores (and UTF-8 when eai), no empty label, 253 octets. */
bool mfx_domain_is_valid(struct mfx_str domain, bool eai);
/* True when `domain` is `parent` or below it. ASCII case is alike. */
bool mfx_domain_is_within(struct mfx_str domain, struct mfx_str parent);
/* U-labels to A-labels (RFC 5891), lower case, without a final dot.
 * MFX_PERMFAIL when it cannot be. */
enum mfx_rc mfx_domain_to_ascii(struct mfx_str domain, struct mfx_arena *arena,
                                struct mfx_str *ascii) MFX_NODISCARD;

/* --- what Sendmail makes of an address field --- */

/* True for fields that Sendmail rewrites after the filters have run: From,
 * Sender, Reply-To, To, Cc, Bcc (which it drops), Errors-To, Apparently-To,
 * Disposition-Notification-To and Resent-* of these (conf.c of 8.17: H_FROM,
 * H_RCPT). */
bool mfx_address_sendmail_rewrites(struct mfx_str name);
/* The form that Sendmail 8.17 itself would write for the value: separators
 * ", ", its folding, its quoting of phrases; a fixed point (giving the result
 * in again changes nothing). qualify: the host name ($j) that bare users and
 * "localhost" get; may be empty: not qualified, for an MTA that does not
 * either. MFX_PERMFAIL when the value cannot be brought into a form that
 * Sendmail leaves alone. What depends on its configuration is not known here:
 * masquerading, and host names that are CNAMEs without FEATURE(nocanonify). */
enum mfx_rc mfx_address_sendmail_form(struct mfx_str name, struct mfx_str value,
                                      struct mfx_str qualify,
                                      struct mfx_arena *arena,
                                      struct mfx_str *form) MFX_NODISCARD;

MFX_API_END

#endif
