/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spamd - SpamAssassin's daemon: how much is it like spam?
 *
 *     settings.servers = ...                        scan_engine.h
 *     spamd = mfx_spamd_settings_default();
 *     spamd.command = MFX_SPAMD_SYMBOLS;
 *     rc = mfx_spamd_new(loop, &settings, &spamd, &engine, &err);
 *
 * SPAMC 1.5 over TCP, a UNIX socket, or TLS. The message is sent when it is
 * whole: a child of spamd is busy from the first byte on. In front of it stand
 * the Return-Path and the Received that the MTA has not yet written: without
 * them SpamAssassin takes the sender's own Received for ours.
 *
 * Results: score, required_score, is_spam; by command also symbols (SYMBOLS:
 * names; REPORT: with scores; HEADERS: as the template of X-Spam-Status has
 * them), report, edits (HEADERS: the X-Spam- fields that spamd added) and subject
 * (HEADERS). HEADERS needs "report_safe 0". Purposes LEARN_ and FORGET need a
 * spamd with --allow-tell. Error replies (EX_TEMPFAIL ...) are MFX_SCAN_REFUSED.
 *
 * Ownership: of an engine: see scan_engine.h; texts of settings are copied.
 * Errors: MFX_PERMFAIL: a setting is wrong; MFX_TEMPFAIL: no resources.
 * Threads: any. Limits: a user name of MFX_SPAMD_USER_MAX bytes; one that is
 * longer, or has control characters, is not sent.
 */
#ifndef MFX_SCAN_SPAMD_H
#define MFX_SCAN_SPAMD_H

#include <mfx/scan/scan_engine.h>

MFX_API_BEGIN

enum {
    MFX_SPAMD_PORT = 783,
    MFX_SPAMD_USER_MAX = 255,
};

enum mfx_spamd_command {
    MFX_SPAMD_CHECK,
    MFX_SPAMD_SYMBOLS,
    MFX_SPAMD_REPORT,
    MFX_SPAMD_HEADERS,
};

struct mfx_spamd_settings {
    enum mfx_spamd_command command; /* SYMBOLS */
    bool compresses;                /* zlib; for servers that are far away */
    bool without_trace;             /* no Return-Path, no Received in front */
    struct mfx_str user;            /* where a request names none; or empty */
};
struct mfx_spamd_settings mfx_spamd_settings_default(void);

enum mfx_rc mfx_spamd_new(struct mfx_scan_loop *loop,
                          const struct mfx_scan_engine_settings *settings,
                          const struct mfx_spamd_settings *spamd,
                          struct mfx_scan_engine **engine,
                          struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
