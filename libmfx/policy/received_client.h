/* SPDX-License-Identifier: BSD-2-Clause
 *
 * received_client - who handed a message to a relay, out of the Received field
 * that the relay wrote
 *
 *     if (mfx_received_client_parse(header->value, &client) == MFX_OK)
 *         use(&client.ip, client.helo, client.name);
 *
 *     rc = mfx_received_client_hop(&m->headers, max, is_relay, arg, &hop, &err);
 *
 * Understood is what Postfix, Sendmail, Exim, qmail, Courier, OpenSMTPD,
 * Exchange and Google write between "from" and "by":
 *
 *     from HELO (NAME [ADDRESS])                 NAME may be "unknown", absent,
 *     from HELO (NAME [ADDRESS] (may be forged)) or LOGIN@NAME
 *     from HELO (ADDRESS)
 *     from NAME ([ADDRESS]:PORT helo=HELO ident=LOGIN)
 *     from [ADDRESS] (port=PORT helo=HELO)
 *     from NAME (HELO HELO) (LOGIN@ADDRESS)
 *
 * and other comments (TLS, login) behind. The HELO name is the client's to
 * choose: an address in it is never taken, and a field in which it could have
 * brought a comment or a "by" of its own is not understood.
 *
 * Only fields that our own relays wrote can be believed, so mfx_received_client_hop
 * goes from one to the next only while the client is a relay of ours.
 *
 * Ownership: texts borrow from the value. Errors: MFX_NOTFOUND for what is not
 * unmistakable. Threads: pure. Limits: none of its own.
 */
#ifndef MFX_POLICY_RECEIVED_CLIENT_H
#define MFX_POLICY_RECEIVED_CLIENT_H

#include <mfx/mail/header.h>
#include <mfx/net/ip.h>

MFX_API_BEGIN

struct mfx_received_client {
    struct mfx_ip ip;
    struct mfx_str helo; /* as written; empty: not said */
    struct mfx_str name; /* reverse name, without final dot; empty: unknown,
                            may be forged, or not said that it is one */
};

enum mfx_rc
mfx_received_client_parse(struct mfx_str value,
                          struct mfx_received_client *client) MFX_NODISCARD;

struct mfx_received_hop {
    struct mfx_received_client client;
    const struct mfx_header *header; /* the field that says so */
    size_t number;                   /* 1: the topmost */
};

/* The first client, from the top, that is no relay of ours; the MTA's own
 * Received is not among the headers (no filter is shown it). The caller has
 * found that the client of the connection is a relay. At most max fields are
 * read. MFX_NOTFOUND when there is none, or a field on the way is not
 * understood; err says which it was. */
enum mfx_rc
mfx_received_client_hop(const struct mfx_headers *headers, size_t max,
                        bool (*is_relay)(const struct mfx_ip *ip, void *arg),
                        void *arg, struct mfx_received_hop *hop,
                        struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
