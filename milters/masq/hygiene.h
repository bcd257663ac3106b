/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hygiene - header fields that tell too much about the site
 *
 *     masq_hygiene_build(&hygiene, settings, build);                 load
 *     rc = masq_hygiene_apply(&hygiene, &fields, is_ours, &why, &err);
 *
 * headers: fields of a name ("X-Mailer", "X-Foo-*") are removed or replaced,
 * perhaps only those that have a match of a regular expression in their
 * unfolded text. Each rule sees what the ones before it left. Not to be touched
 * are fields without which the mail is no mail (From, Date) or reads as
 * something else (MIME-Version, Content-Type, Content-Transfer-Encoding);
 * Received only together with only_if: mail that goes round is known by them.
 *
 * hide_client: the topmost Received field that can be seen loses everything
 * from "from" to before "by": HELO name, address, its name, the login in a
 * comment. "by", "with", "id", "for" and the date stay. A field that is not
 * understood stays as it is.
 *
 * No filter is shown the Received field of its own MTA, and none can change or
 * delete it (measured: Postfix 3.7 and Sendmail 8.17 count only those that were
 * in the message). So hide_client is for what a webmail, a submission proxy or
 * an MTA before this one has written; the MTA's own field is its own settings'
 * affair:
 *     Postfix   header_checks = regexp:/etc/postfix/received, with
 *               /^(Received:) from .*[[:space:]](by [^[:space:]]+ .*)$/
 *                   REPLACE $1 $2
 *               (for submission alone by a cleanup service of its own)
 *     Sendmail  define(`confRECEIVED_HEADER', `by $j ($v/$Z)$?r with $r$. id
 *               $i; $b')
 *
 * Ownership: the caller's struct; what it points to is the snapshot's arena.
 * Errors: MFX_TEMPFAIL for memory that is missing. Threads: apply any number
 * at once.
 */
#ifndef MASQ_HYGIENE_H
#define MASQ_HYGIENE_H

#include <regex.h>

#include <mfx/milter/filter.h>

#include "fields.h"
#include "settings.h"

struct masq_header_rule {
    const struct masq_header_settings *settings;
    struct mfx_str name; /* less the '*' */
    bool is_prefix;
    struct mfx_str value;   /* as it will stand behind the colon */
    const regex_t *only_if; /* NULL: any text */
};

struct masq_hygiene {
    const struct masq_header_rule *rules;
    size_t count;
    bool hides_client;
};

/* MFX_PERMFAIL with problems. */
enum mfx_rc
masq_hygiene_build(struct masq_hygiene *hygiene,
                   const struct masq_settings *settings,
                   const struct mfx_policy_build *build) MFX_NODISCARD;

/* is_ours: the mail's origin; the client is hidden in mail of ours alone.
 * MFX_OK: something changed, *why says what. MFX_NOTFOUND: nothing. */
enum mfx_rc masq_hygiene_apply(const struct masq_hygiene *hygiene,
                               struct masq_fields *fields, bool is_ours,
                               struct mfx_str *why,
                               struct mfx_err *err) MFX_NODISCARD;

#endif
