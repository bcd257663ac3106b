/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_macro - macro strings of SPF records (RFC 7208 7)
 *
 *     if (mfx_spf_macro_check(spec, MFX_SPF_IN_DOMAIN, &use, NULL, NULL)) ...
 *     mfx_buf_init_arena(&out, arena, MFX_SPF_NAME_ROOM);
 *     if (mfx_spf_macro_expand(spec, &values, &out))
 *         name = mfx_spf_macro_name(mfx_buf_str(&out));
 *
 * Ownership: values borrow; output in the caller's buffer. Errors: false; a
 * string that check has passed fails in expand only when the buffer is full.
 * Threads: pure.
 * Limits: the buffer's; a macro cannot expand to more than a sender's or HELO's
 * length (three times that with URL escapes) each.
 */
#ifndef MFX_AUTH_SPF_MACRO_H
#define MFX_AUTH_SPF_MACRO_H

#include <mfx/base/buf.h>
#include <mfx/net/ip.h>

enum {
    MFX_SPF_NAME_MAX = 253,
    /* What a domain-spec may expand to before it is cut to MFX_SPF_NAME_MAX:
     * more is a name that cannot be asked. */
    MFX_SPF_NAME_ROOM = 4096,
};

/* Where it stands: c, r and t are for explanation texts only, and so is the
 * blank between words. */
enum mfx_spf_macro_place {
    MFX_SPF_IN_MODIFIER, /* any macro string, also an empty one */
    MFX_SPF_IN_DOMAIN, /* a domain-spec, which ends in ".toplabel" or a macro */
    MFX_SPF_IN_TEXT,   /* what exp= leads to */
};

/* What it needs to be expanded. */
struct mfx_spf_macro_use {
    bool any;   /* there is a '%' */
    bool ptr;   /* p: the client's validated name */
    bool local; /* s, l: the local part */
};

/* False: a syntax error; *at and *what (a literal) say where and which. use,
 * at and what may be NULL. */
bool mfx_spf_macro_check(struct mfx_str spec, enum mfx_spf_macro_place place,
                         struct mfx_spf_macro_use *use, size_t *at,
                         const char **what) MFX_NODISCARD;

struct mfx_spf_macro_values {
    struct mfx_str sender;        /* s */
    struct mfx_str local;         /* l */
    struct mfx_str sender_domain; /* o */
    struct mfx_str domain;        /* d */
    struct mfx_str validated;     /* p; empty: "unknown" */
    struct mfx_str helo;          /* h */
    struct mfx_str receiver;      /* r; empty: "unknown" */
    struct mfx_ip ip;             /* i, c, v */
    uint64_t now_s;               /* t */
    /* For people: the nibbles of an IPv6 address are capitals, as the test
     * suite of RFC 7208 has them; in names they are small, as in 7.4. */
    bool is_text;
};

/* Adds it to the buffer. False when the buffer is full or the string is none
 * that mfx_spf_macro_check passes. */
bool mfx_spf_macro_expand(struct mfx_str spec,
                          const struct mfx_spf_macro_values *values,
                          struct mfx_buf *out) MFX_NODISCARD;

/* As a name to ask for: without a final dot, and without as many labels from
 * the left as it is longer than MFX_SPF_NAME_MAX (7.3). */
struct mfx_str mfx_spf_macro_name(struct mfx_str expanded);

#endif
