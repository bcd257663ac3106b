/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clamd - ClamAV's daemon: is there a virus in it?
 *
 *     settings.servers = ...                        scan_engine.h
 *     rc = mfx_clamd_new(loop, &settings, &clamd, &engine, &err);
 *
 * A message is streamed (zINSTREAM) while it arrives; one that lies in a file
 * already, over a UNIX socket, is handed over as a descriptor (zFILDES) instead:
 * clamd then reads the file itself (where it may not, AppArmor forbids it for
 * instance, it is streamed, and that server gets no more files). Before it stands a line "From mfx", so that
 * clamd takes it for mail.
 *
 * Results: virus, klass and is_unofficial. A message larger than clamd's
 * StreamMaxLength is MFX_SCAN_TOO_LARGE, other errors that it tells
 * MFX_SCAN_REFUSED. Greeted by zVERSION, so the report has the age of its
 * signatures.
 *
 * Ownership: of an engine: see scan_engine.h; texts of settings are copied.
 * Errors: MFX_PERMFAIL: a setting is wrong; MFX_TEMPFAIL: no resources.
 * Threads: any. The protocol itself has no TLS.
 */
#ifndef MFX_SCAN_CLAMD_H
#define MFX_SCAN_CLAMD_H

#include <mfx/scan/scan_engine.h>

MFX_API_BEGIN

enum {
    MFX_CLAMD_PORT = 3310,
};

struct mfx_clamd_settings {
    bool uses_sessions; /* zIDSESSION: one connection after another is saved */
    bool passes_files;
};
struct mfx_clamd_settings mfx_clamd_settings_default(void);

enum mfx_rc mfx_clamd_new(struct mfx_scan_loop *loop,
                          const struct mfx_scan_engine_settings *settings,
                          const struct mfx_clamd_settings *clamd,
                          struct mfx_scan_engine **engine,
                          struct mfx_err *err) MFX_NODISCARD;

/* By the name alone: "Heuristics.Encrypted.Zip" is encrypted. */
enum mfx_scan_class mfx_clamd_class(struct mfx_str name);

MFX_API_END

#endif
