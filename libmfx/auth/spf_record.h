/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_record - an SPF record taken apart (RFC 7208 4.5, 4.6, 5, 6, 12)
 *
 * Strict: what the grammar of section 12 does not allow is an error at its
 * place, and the record as a whole is then a permerror (4.6). Macro strings
 * are checked here too, so that expanding them later cannot fail for syntax.
 *
 *     rc = mfx_spf_record_parse(text, arena, &record, &mistake);
 *
 * or, without memory for the terms (a check does it so: a record may have
 * thousands):
 *
 *     if (mfx_spf_record_check(text, &summary, &mistake) == MFX_OK)
 *         while (mfx_spf_record_next(text, &at, &term)) ...
 *
 * Ownership: terms in the arena; texts borrow from the record. Errors:
 * MFX_PERMFAIL with position and words, MFX_TEMPFAIL when out of memory.
 * Threads: pure. Limits: none but the record's length.
 */
#ifndef MFX_AUTH_SPF_RECORD_H
#define MFX_AUTH_SPF_RECORD_H

#include <mfx/auth/spf.h>

MFX_API_BEGIN

enum mfx_spf_term_kind {
    MFX_SPF_ALL,
    MFX_SPF_INCLUDE,
    MFX_SPF_A,
    MFX_SPF_MX,
    MFX_SPF_PTR,
    MFX_SPF_IP4,
    MFX_SPF_IP6,
    MFX_SPF_EXISTS,
    MFX_SPF_REDIRECT,    /* modifiers */
    MFX_SPF_EXPLANATION, /* exp= */
    MFX_SPF_UNKNOWN,     /* an unknown modifier: ignored (6) */
};

struct mfx_spf_term {
    enum mfx_spf_term_kind kind;
    enum mfx_spf_result qualifier; /* PASS, FAIL, SOFTFAIL, NEUTRAL */
    struct mfx_str text;           /* as written, with its qualifier */
    struct mfx_str domain_spec;    /* unexpanded; empty: the current <domain> */
    bool has_macros;               /* domain_spec must be expanded */
    bool uses_ptr;                 /* ... with %{p} */
    bool uses_local;               /* ... with %{s} or %{l} */
    struct mfx_net net;            /* IP4, IP6 */
    unsigned cidr4, cidr6;         /* A, MX: 32, 128 where not written */
};

struct mfx_spf_record {
    struct mfx_str text;
    size_t term_count; /* mechanisms and modifiers, in the order written */
    const struct mfx_spf_term *terms;
    const struct mfx_spf_term *redirect, *explanation; /* or NULL */
};

struct mfx_spf_mistake {
    size_t at;           /* octet in the record */
    struct mfx_str term; /* the term it is in */
    const char *what;    /* a literal */
};

/* 4.5: "v=spf1", then a blank or the end; without case. */
bool mfx_spf_record_is_one(struct mfx_str text);
/* mistake may be NULL. */
enum mfx_rc mfx_spf_record_parse(struct mfx_str text, struct mfx_arena *arena,
                                 struct mfx_spf_record *record,
                                 struct mfx_spf_mistake *mistake) MFX_NODISCARD;

struct mfx_spf_summary {
    size_t term_count;
    bool has_all; /* 6.1: no redirect then */
    bool has_redirect, has_explanation;
    struct mfx_spf_term redirect, explanation; /* where there are */
};
/* The whole record, without keeping its terms. mistake may be NULL. */
enum mfx_rc mfx_spf_record_check(struct mfx_str text,
                                 struct mfx_spf_summary *summary,
                                 struct mfx_spf_mistake *mistake) MFX_NODISCARD;
/* The term behind *at (0 at first) of a record that has been checked; false
 * at its end. */
bool mfx_spf_record_next(struct mfx_str text, size_t *at,
                         struct mfx_spf_term *term);

/* True for include, a, mx, ptr, exists, redirect: those that 4.6.4 counts. */
bool mfx_spf_term_is_counted(const struct mfx_spf_term *term);
/* "include", "a", ... */
const char *mfx_spf_term_name(enum mfx_spf_term_kind kind);

MFX_API_END

#endif
