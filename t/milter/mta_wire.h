/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mta_wire - milter packets over a socket, from the MTA's end
 *
 * A packet is a 32-bit length in network order, a command byte, and the rest.
 * Output is gathered in a buffer of 4096 bytes as Postfix does (VSTREAM), and
 * goes out when that is full or when a packet is read.
 *
 *     struct mta_wire *w = mta_wire_open("unix:/run/x.sock", 10000, &err);
 *     mta_wire_packet(w, 'H', mfx_str_of("name"), ...);
 *     enum mta_io io = mta_wire_read(w, &command, &payload);
 *
 * Ownership: mta_wire_free closes the socket. A payload read is valid until
 * the next read.
 * Errors: once broken (closed, timed out) every call says so again.
 * Threads: one at a time.
 */
#ifndef MFX_T_MTA_WIRE_H
#define MFX_T_MTA_WIRE_H

#include <mfx/base/buf.h>
#include <mfx/base/rc.h>
#include <mfx/base/str.h>

enum mta_io {
    MTA_IO_OK,
    MTA_IO_CLOSED,  /* the filter ended the connection */
    MTA_IO_TIMEOUT, /* no (whole) packet in time */
    MTA_IO_BAD,     /* a length that no filter may send */
};
const char *mta_io_name(enum mta_io io);

struct mta_wire;

/* "unix:/PATH", "local:/PATH", "inet:PORT@HOST", "inet:HOST:PORT" (addresses,
 * no names). timeout_ms holds for each packet read and each write. NULL with
 * the reason in err when there is no connection. */
struct mta_wire *mta_wire_open(const char *socket, int timeout_ms,
                               struct mfx_err *err);
void mta_wire_free(struct mta_wire *w);

int mta_wire_fd(const struct mta_wire *w);
void mta_wire_set_timeout(struct mta_wire *w, int timeout_ms);

/* Bytes as they are, for what no MTA would send. */
enum mta_io mta_wire_put(struct mta_wire *w, struct mfx_str bytes);
enum mta_io mta_wire_flush(struct mta_wire *w);
/* Length, command and payload. */
enum mta_io mta_wire_packet(struct mta_wire *w, char command,
                            struct mfx_str payload);

/* Flushes, then waits for one packet. Answers of more than 64 MiB are bad. */
enum mta_io mta_wire_read(struct mta_wire *w, char *command,
                          struct mfx_str *payload);
/* True when bytes or the end of the connection wait to be read. */
bool mta_wire_has_input(struct mta_wire *w, int wait_ms);

/* Network order. */
uint32_t mta_get_u32(const char *p);
void mta_add_u32(struct mfx_buf *buf, uint32_t value);

#endif
