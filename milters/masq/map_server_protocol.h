/* SPDX-License-Identifier: BSD-2-Clause
 *
 * map_server_protocol - socketmap and tcp_table, requests and replies as bytes
 *
 * socketmap (socketmap_table(5), and Sendmail's): netstrings. "NAME KEY" is
 * answered by "OK VALUE", "NOTFOUND ", "TEMP REASON", "PERM REASON"; names are
 * srs_forward and srs_reverse, or forward and reverse as PostSRSd 2 has them.
 * tcp_table(5): lines. "get KEY" is answered by "200 VALUE", "500 REASON",
 * "400 REASON", bytes that could mislead as %XX; which map it is, the socket
 * says.
 *
 *     switch (masq_map_request_parse(form, bytes, arena, &request)) ...
 *     masq_map_reply_write(form, rc, text, &out);
 *
 * Ownership: keys borrow, or live in the arena. Threads: pure functions.
 * Limits: MASQ_MAP_REQUEST_MAX octets a request.
 */
#ifndef MASQ_MAP_SERVER_PROTOCOL_H
#define MASQ_MAP_SERVER_PROTOCOL_H

#include <mfx/base/buf.h>

enum {
    MASQ_MAP_REQUEST_MAX = 4096,
};

enum masq_map_form {
    MASQ_MAP_SOCKETMAP,
    MASQ_MAP_TCP,
};

enum masq_map_name {
    MASQ_MAP_FORWARD,
    MASQ_MAP_REVERSE,
    MASQ_MAP_UNKNOWN,   /* socketmap: no map of ours */
    MASQ_MAP_OF_SOCKET, /* tcp_table */
};

struct masq_map_request {
    enum masq_map_name name;
    struct mfx_str key;
    size_t len; /* octets of the request in the input */
};

enum masq_map_parsed {
    MASQ_MAP_REQUEST,
    MASQ_MAP_MORE,   /* it is not whole yet */
    MASQ_MAP_BROKEN, /* what follows cannot be understood either */
    MASQ_MAP_NO_MEMORY,
};

enum masq_map_parsed masq_map_request_parse(enum masq_map_form form,
                                            struct mfx_str bytes,
                                            struct mfx_arena *arena,
                                            struct masq_map_request *request);

/* MFX_OK: text is the value. MFX_NOTFOUND, MFX_TEMPFAIL, MFX_PERMFAIL (the
 * request is wrong, not the key): text is the reason, for people. */
void masq_map_reply_write(enum masq_map_form form, enum mfx_rc rc,
                          struct mfx_str text, struct mfx_buf *out);

#endif
