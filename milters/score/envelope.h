/* SPDX-License-Identifier: BSD-2-Clause
 *
 * envelope - what the MTA knows of a message, as engines are told it
 *
 * Ownership: in the message's arena, or borrowed from the message. Errors:
 * false when out of memory. Threads: the message's.
 */
#ifndef SCORE_ENVELOPE_H
#define SCORE_ENVELOPE_H

#include <mfx/milter/filter.h>
#include <mfx/scan/scan.h>

/* Macros that fill needs, for mfx_wants. */
#define SCORE_ENVELOPE_MACROS \
    "{tls_version} {cipher} {cert_subject} {cert_issuer} {verify}"

bool score_envelope_fill(struct mfx_message *m,
                         struct mfx_scan_envelope *envelope);

#endif
