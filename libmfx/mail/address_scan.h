/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address_scan - the tokens of address fields (private)
 *
 * A cursor over a field value. What can fail answers false and has set error
 * and error_at (the first failure stays).
 *
 * A run is a sequence of words (atoms, quoted strings) and dots with CFWS
 * between them: what a display name, a group name or a local part is made of.
 */
#ifndef MFX_MAIL_ADDRESS_SCAN_H
#define MFX_MAIL_ADDRESS_SCAN_H

#include <mfx/base/str.h>

struct address_scan {
    struct mfx_str in;
    size_t at;
    size_t error_at;
    const char *error;
};

struct address_run {
    size_t start, end;  /* in the input, without CFWS around */
    size_t word_end;    /* of its last word; end, or before final dots */
    size_t count;       /* of words and dots */
    bool is_dotted;     /* word *("." word) */
    bool has_final_dot; /* that, and a dot behind */
    bool has_word;      /* not dots alone */
    bool has_pair;      /* two words without a dot between */
    bool has_quotes;    /* some word is a quoted string */
    bool has_gap;       /* CFWS between words */
    bool has_odd_gap;   /* CFWS other than one blank between words */
    bool has_eight_bit; /* some byte is not ASCII */
};

bool address_scan_fail(struct address_scan *s, size_t at, const char *text);

/* The byte at the cursor, NUL at the end (a NUL in the input is no token
 * either). */
static inline char
address_scan_peek(const struct address_scan *s)
{
    return s->at < s->in.len ? s->in.p[s->at] : '\0';
}

/* Steps over the byte when it is `c`. */
static inline bool
address_scan_take(struct address_scan *s, char c)
{
    if (s->at >= s->in.len || s->in.p[s->at] != c)
        return false;
    s->at++;
    return true;
}

/* Steps over comments and folding white space. */
bool address_scan_cfws(struct address_scan *s);
/* At the opening quote: steps behind the closing one. *has_eight_bit becomes
 * true when some byte is not ASCII. */
bool address_scan_quoted(struct address_scan *s, bool *has_eight_bit);
/* Takes words and dots; an empty run when there are none. */
bool address_scan_run(struct address_scan *s, struct address_run *run);
/* Goes on where a run ended, with what else is common in display names without
 * quotes: "@", and "[text]" whose text has nothing that divides addresses. */
bool address_scan_phrase(struct address_scan *s, struct address_run *run);
/* Takes a domain, which may have a final dot, or domain literal. */
bool address_scan_domain(struct address_scan *s, struct address_run *run);
/* Takes an obsolete route "@a,@b:" when there is one. */
bool address_scan_route(struct address_scan *s);

/* Writes the run's words without quotes to out, which has room for end - start
 * bytes; CFWS gives one `between`, or nothing when that is NUL. */
size_t address_run_unquote(const struct address_scan *s,
                           const struct address_run *run, char between,
                           char *out);

#endif
