/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exit - what the exit status of mfxctl and its tools says
 *
 * Above 63 it is sysexits.h: the question could not be asked. Scripts may
 * rely on these; mfxctl(1) lists them.
 */
#ifndef MFX_TOOLS_EXIT_H
#define MFX_TOOLS_EXIT_H

enum {
    EXIT_OK = 0,
    EXIT_NO = 1,           /* the answer is no; a check failed */
    EXIT_TEMP = 2,         /* could not find out; later may differ */
    EXIT_USAGE = 64,       /* wrong command line */
    EXIT_NOINPUT = 66,     /* a file cannot be read */
    EXIT_UNREACHABLE = 69, /* no daemon answers there */
    EXIT_SYSTEM = 71,      /* memory, OpenSSL */
    EXIT_CANNOT_WRITE = 73,
    EXIT_CONFIG = 78, /* a configuration or a key that cannot be used */
};

#endif
