/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail - Sendmail's masquerading and genericstable
 *
 * What rulesets MasqHdr (93) and MasqEnv (94) of Sendmail 8.17 make of an
 * address for the mailers smtp, esmtp, smtp8, dsmtp and relay:
 *
 * 1. genericstable, for a bare user and for a domain of class G (with
 *    generics_entire_domain those below, too). The first row that has one of
 *    these keys, each asked of all tables before the next; letter case is
 *    alike, there are no quotes in keys:
 *
 *        user+ext@domain     (a bare user: @ own name)
 *        user+*@domain       %1 is ext
 *        user@domain
 *        @domain             %1 is user+ext; not for a bare user
 *        user+ext
 *        user+*              %1 is ext
 *        user
 *
 *    %0 in a value is the key, %% is %. An address as value is the end of it,
 *    a user goes on as a bare one. An empty value is none; that and "@other" in
 *    one of the first three leave the other two of them out. "@other" further
 *    down is an error ("%1@other" keeps the local part). Nothing is looked up
 *    twice. Tables of patterns (refile) are asked for the whole address only.
 * 2. Class N (masquerade_exception) and what is below it stays.
 * 3. Local parts of class E (exposed_user) stay; bare ones get the own name.
 * 4. A bare user and a domain of class M (masquerade_domain; with
 *    masquerade_entire_domain those below, too) or w (own name, own_names; not
 *    with limited_masquerade) get masquerade_as. Empty, it changes nothing, but
 *    a bare user gets the own name.
 *
 * "localhost", "localhost." and the own name's domain, and a domain literal of
 * own_names are the own name; other literals stay. Where those below count, a
 * list may also have ".example.org". Bare users with "!" or "%" in them are
 * left to the MTA.
 *
 *     rc = masq_sendmail_new(settings, arena, &s, &err);
 *     if (masq_sendmail_has_class(s, class))
 *         rc = masq_sendmail_rewrite(s, own_name, &from, arena, &to, &why,
 *                                    &err);
 *
 * To Sendmail Resent-Reply-To is a sender's field; Return-Receipt-To,
 * Mail-Followup-To and Return-Path are none (conf.c, HdrInfo).
 * FEATURE(local_no_masquerade) is about the mailer local: mail that stays here
 * is not masqueraded. That is a rule's unless_recipient_domains.
 * Ownership: in the arena given (of the configuration); the settings are
 * borrowed. Errors: of new, MFX_PERMFAIL for settings that cannot be, *sendmail
 * stays as it is; of rewrite, see address.h. Threads: any number at once.
 * Limits: a list is asked twice for each label of a domain, however long it is;
 * where quotes stand in a local part without need, they mean nothing (to
 * Sendmail they do); "%" is not looked into (what is left of "u%host@host"
 * stays).
 */
#ifndef MASQ_SENDMAIL_H
#define MASQ_SENDMAIL_H

#include "address.h"
#include "settings.h"

struct masq_sendmail;

enum mfx_rc masq_sendmail_new(const struct masq_rule_settings *settings,
                              struct mfx_arena *arena,
                              struct masq_sendmail **sendmail,
                              struct mfx_err *err) MFX_NODISCARD;

/* Which classes Sendmail applies it to: header senders; envelope senders with
 * masquerade_envelope; header recipients with allmasquerade. */
bool masq_sendmail_has_class(const struct masq_sendmail *sendmail,
                             enum masq_class class);

/* own_name: $j; empty when it is not known. */
enum mfx_rc masq_sendmail_rewrite(const struct masq_sendmail *sendmail,
                                  struct mfx_str own_name,
                                  const struct masq_address *from,
                                  struct mfx_arena *arena,
                                  struct masq_address *to, struct mfx_str *why,
                                  struct mfx_err *err) MFX_NODISCARD;

#endif
