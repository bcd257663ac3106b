/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lane - a few lasting threads for RSA private operations
 *
 * OpenSSL keeps the blinding of an RSA key for each thread that used it, and
 * libmilter's threads live for some forty messages: nearly every signature of
 * a seldom used key would prepare blinding anew, which costs two thirds of a
 * signature. So a key signs in its own lane, or in another while that is busy;
 * there is one lane a processor.
 *
 *     mfx_lane_run(key, sign, &job);
 *
 * Ownership: the job is the caller's. Errors: none; where no thread can be
 * had the job runs at once in the caller's. Threads: any; returns when the
 * job has run. Lanes begin at first use (after a daemon has detached) and
 * stay until the process ends.
 */
#ifndef MFX_AUTH_LANE_H
#define MFX_AUTH_LANE_H

void mfx_lane_run(const void *key, void (*run)(void *arg), void *arg);

#endif
