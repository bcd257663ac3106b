/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_header - what SPF and DNS allow lists found, written into the header:
 * Received-SPF (RFC 7208 9.1), spf= (RFC 7208 9.2, RFC 8601 2.7.2) and dnswl=
 * (RFC 8904) of Authentication-Results
 *
 *     struct mfx_spf_header header = {.outcome = outcome, .client_ip = ip,
 *                                     .helo = helo, .sender = sender,
 *                                     .receiver = our_name};
 *     mfx_spf_header_received(&header, arena, &value);   (Received-SPF)
 *
 *     mfx_authres_begin(&w, &out, our_id, eai);
 *     mfx_spf_header_result(&w, &header);                (for each identity)
 *     mfx_spf_header_dnswl(&w, &dnswl);
 *     mfx_authres_end(&w);
 *
 * Both are inserted above all that is there (RFC 7208 9.1: above all other
 * Received-SPF fields). Sender, HELO name, record and TXT come from strangers:
 * control bytes, ";" and what is not ASCII (without eai) are written as '?', a
 * value is cut at 900 bytes. Lines have at most 78 columns where no single
 * value is longer.
 *
 * Ownership: values live in the arena. Errors: below. Threads: pure.
 */
#ifndef MFX_AUTH_SPF_HEADER_H
#define MFX_AUTH_SPF_HEADER_H

#include <mfx/auth/spf.h>
#include <mfx/mail/authres.h>

MFX_API_BEGIN

struct mfx_spf_header {
    const struct mfx_spf_outcome *outcome;
    struct mfx_ip client_ip;
    struct mfx_str helo;
    struct mfx_str sender;   /* MAIL FROM without brackets; empty: null */
    struct mfx_str receiver; /* our name; in the comment and receiver= */
    bool eai;                /* SMTPUTF8: keep UTF-8 */
};

/* The value of a Received-SPF field: result, a comment in plain words,
 * receiver, identity, client-ip, envelope-from (not for HELO), helo, mechanism,
 * and problem for errors. MFX_TEMPFAIL when the arena is exhausted. */
enum mfx_rc mfx_spf_header_received(const struct mfx_spf_header *header,
                                    struct mfx_arena *arena,
                                    struct mfx_str *value) MFX_NODISCARD;

/* "; spf=result", for none and errors with the problem as reason, and
 * smtp.mailfrom or smtp.helo. A sender whose local part would need quotes is
 * written as its domain; the null sender as postmaster@HELO, which is what was
 * checked (RFC 7208 2.4). */
void mfx_spf_header_result(struct mfx_authres_writer *w,
                           const struct mfx_spf_header *header);

/* RFC 8904 2. */
enum mfx_dnswl_result {
    MFX_DNSWL_PASS, /* listed */
    MFX_DNSWL_NONE,
    MFX_DNSWL_TEMPERROR,
    MFX_DNSWL_PERMERROR, /* the list says that it was asked wrongly */
};
enum mfx_dnswl_sec {
    MFX_DNSWL_SEC_YES,
    MFX_DNSWL_SEC_NO,
    MFX_DNSWL_SEC_NA, /* nobody knows: the resolver's word does not count */
};
struct mfx_dnswl {
    enum mfx_dnswl_result result;
    enum mfx_dnswl_sec sec;
    struct mfx_str zone; /* public name, without a key */
    const struct mfx_ip *ips;
    size_t ip_count;
    struct mfx_str txt; /* or empty */
};
/* "; dnswl=result dns.zone= policy.ip= policy.txt= dns.sec="; policy only for
 * what is listed. */
void mfx_spf_header_dnswl(struct mfx_authres_writer *w,
                          const struct mfx_dnswl *dnswl);

/* True when a Received-SPF field from outside claims to be written by us: when
 * is_ours says so of the value of a receiver=, wherever one stands, or of the
 * name that begins the comment ("(name: domain of ..."). A field without
 * either is anybody's: true. name: as it stands there, with quotes and
 * comments; see mfx_auth_results_claims_us. */
bool mfx_spf_header_claims(struct mfx_str value,
                           bool (*is_ours)(struct mfx_str name, void *arg),
                           void *arg);

MFX_API_END

#endif
