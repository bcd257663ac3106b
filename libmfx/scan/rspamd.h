/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd - rspamd over HTTP: what should be done with this message?
 *
 *     settings.servers = ...                        scan_engine.h
 *     rspamd = mfx_rspamd_settings_default();
 *     rspamd.password = mfx_str_of("q1");
 *     rc = mfx_rspamd_new(loop, &settings, &rspamd, &engine, &err);
 *
 * POST /checkv2 to a normal worker (or a proxy, or a controller) over TCP, a
 * UNIX socket, or TLS (the name in the certificate: settings.tls; over a UNIX
 * socket it must be set there). rspamd hears all that the envelope knows; the
 * message is sent while it arrives.
 *
 * Results: score, required_score, thresholds, is_spam (the action is one for
 * spam), is_skipped, action and action_word (one it does not know is
 * MFX_SCAN_ACTION_UNKNOWN), symbols, groups, edits and spam_edits, sender,
 * added_ and removed_recipients, dkim_signatures, subject, body, no_action,
 * reply_text and messages, decided_by, urls, emails, message_id,
 * engine_time_s, raw. "reject" of the milter block makes the action QUARANTINE
 * or DISCARD. spam_edits are what rspamd's own milter does for "add header":
 * "X-Spam: Yes" instead of all X-Spam, if the reply says nothing else. An answer
 * that is_skipped decides all the same (3.4 skips behind an early rejection). A
 * request's user goes as Deliver-To: whose mailbox it is.
 *
 * Purposes LEARN_SPAM and LEARN_HAM need servers that are controllers
 * (are_controllers); what rspamd will not learn (again) is ANSWERED, is_learned
 * false, its words in report. It cannot FORGET: learn the opposite.
 *
 * A reply in words (4xx, 5xx) is MFX_SCAN_REFUSED; what is no HTTP, no JSON, has
 * no action or no (finite) score, or edits of a wrong form, is
 * MFX_SCAN_BROKEN.
 *
 * Ownership: of an engine: see scan_engine.h; texts of settings are copied.
 * Errors: MFX_PERMFAIL: a setting is wrong; MFX_TEMPFAIL: no resources.
 * Threads: any. Limits: max_answer for the JSON; a rewritten body may be as
 * long as the message and MFX_RSPAMD_GROWTH more.
 */
#ifndef MFX_SCAN_RSPAMD_H
#define MFX_SCAN_RSPAMD_H

#include <mfx/scan/scan_engine.h>

MFX_API_BEGIN

enum {
    MFX_RSPAMD_PORT = 11333,
    MFX_RSPAMD_CONTROLLER_PORT = 11334,
    MFX_RSPAMD_GROWTH = 1 << 20,
};

struct mfx_rspamd_settings {
    bool are_controllers;       /* port 11334; they learn */
    bool compresses;            /* zstd, both ways */
    bool wants_all_symbols;     /* Pass: all; even when it is sure early */
    bool is_unlogged;           /* Log: no; rspamd keeps no log line of it */
    struct mfx_str password;    /* empty: none */
    struct mfx_str settings_id; /* of rspamd's own settings */
    struct mfx_str settings;    /* a JSON object, instead of its own */
    struct mfx_str user_agent;  /* "mfx/VERSION" */
};
struct mfx_rspamd_settings mfx_rspamd_settings_default(void);

enum mfx_rc mfx_rspamd_new(struct mfx_scan_loop *loop,
                           const struct mfx_scan_engine_settings *settings,
                           const struct mfx_rspamd_settings *rspamd,
                           struct mfx_scan_engine **engine,
                           struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
