/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_check - mfx's own evaluator from inside (not installed)
 *
 * A page is a record that is being read: that of the domain, of an include, of
 * a redirect. The frames are the pages that are begun, each included by the
 * one below. A look is what one term of a page has asked. A check goes on
 * (spf_check.c) until something it needs has not been answered; then it asks
 * ahead what later terms will want (spf_check_ahead.c), and waits.
 *
 * How many questions: a term's evaluation asks 1 (include, a, exists,
 * redirect) or at most 11 (mx), and no more than 10 terms are evaluated; the
 * client's names (ptr, %{p}) are asked for once, 11; the first record and the
 * explanation, 2. What was asked ahead and is used by its term is no
 * additional question. What is wasted is bounded by 10, and by 10 more for
 * each evaluated term after the first that asks 1 (struct spf_check.cheap):
 *   - with c such terms evaluated, c >= 1: 13 + 11 * (10 - c) + c + 10 * c;
 *   - with none: only mx terms of one record, e of them, have been evaluated,
 *     and what was wasted belongs to terms of that record behind them, none
 *     beyond the 10th: one question for each (e + w <= 10), or up to 10 below
 *     them (e <= 9): 13 + 11 * 9 + 10.
 * Neither is more than MFX_SPF_QUERIES_MAX = 123.
 *
 * Ownership: all in the arena; the questions are released by it. Threads: one
 * at a time. Errors: out of memory makes a temperror.
 */
#ifndef MFX_AUTH_SPF_CHECK_H
#define MFX_AUTH_SPF_CHECK_H

#include <mfx/auth/spf_engine.h>
#include <mfx/auth/spf_macro.h>
#include <mfx/auth/spf_record.h>

enum {
    SPF_TERMS = 10, /* that ask, in a check (4.6.4) */
    SPF_HOSTS = 10, /* of an mx, of a ptr (4.6.4) */
    SPF_FRAMES = SPF_TERMS + 1,
    SPF_WASTE = 10,
};

struct spf_asked {
    struct mfx_str name;
    enum mfx_dns_type type;
    struct mfx_dns_question *question; /* NULL: out of memory */
    uint64_t asked_ms, answered_ms;    /* with wants_trace */
    bool is_traced;
    /* Whose question it is; NULL: the check's own */
    const struct mfx_spf_term *term;
    const struct spf_page *page;
    struct spf_asked *next; /* of the check */
};

/* What came of reading a TXT answer. */
enum spf_reading {
    SPF_UNREAD,
    SPF_READ,    /* there is a page */
    SPF_ABSENT,  /* no record */
    SPF_BROKEN,  /* several, or one that breaks the grammar */
    SPF_UNKNOWN, /* the DNS had no answer */
};

struct spf_look {
    struct mfx_spf_term term;
    struct mfx_str target;
    bool is_unusable; /* the target has no name that may be asked */
    bool is_ahead;    /* asked before its turn, and not yet used */
    struct spf_asked *asked;
    /* mx */
    bool are_hosts_asked, are_hosts_judged;
    size_t host_count; /* without those that have no name, as of a null MX */
    size_t ahead_hosts;
    struct spf_asked *hosts[SPF_HOSTS];
    /* include, redirect, the first record */
    enum spf_reading reading;
    const char *problem;        /* where there is no page */
    struct mfx_str broken_term; /* of BROKEN, where it is one term */
    struct spf_page *page;
    unsigned base; /* terms that have been counted before the page, at least */
    struct spf_page *owner; /* whose term it is; NULL: the first record */
    struct spf_look *next;  /* of the check */
};

/* Where a page is read: the octet, and the number of counted terms before. */
struct spf_place {
    size_t at;
    unsigned ordinal;
};

struct spf_page {
    struct mfx_str domain, text;
    struct mfx_spf_summary summary;
    struct spf_place now, ahead;
    bool is_scanned; /* nothing more to ask ahead */
    bool is_done;    /* it has its result, or nobody will ask for it */
    unsigned base;   /* as in the look */
    unsigned hops;   /* includes and redirects that led here */
    struct spf_look *looks[SPF_TERMS]; /* by ordinal; NULL: not asked */
    struct spf_page *parent;           /* who includes it */
    struct spf_page *next;             /* of the check */
};

struct spf_frame {
    struct spf_page *page;
    struct mfx_spf_term via; /* the include that led here */
};

/* The client's names (5.5). */
struct spf_names {
    struct spf_asked *asked;
    bool is_read;
    size_t count;
    struct mfx_str name[SPF_HOSTS];
    struct spf_asked *host[SPF_HOSTS];
};

enum spf_state {
    SPF_AT_TERMS,   /* go to the next term of the page on top */
    SPF_AT_TARGET,  /* `term` is counted and has to be asked for */
    SPF_AT_RECORD,  /* `look` asks for a record */
    SPF_AT_LOOK,    /* `look` is of an a, mx, exists */
    SPF_AT_PTR,     /* `look` is of a ptr */
    SPF_AT_EXPLAIN, /* there is a fail: the explanation's name */
    SPF_AT_TEXT,    /* ... and its text */
    SPF_DECIDED,
};

/* What a step of the evaluation came to. */
enum spf_step {
    SPF_GOES_ON,
    SPF_WAITS, /* for check->waiting */
};

struct spf_check {
    struct mfx_spf_check base;
    struct mfx_arena *arena;
    const struct mfx_env *env;
    struct mfx_spf_config config;
    struct mfx_spf_subject subject;
    struct mfx_ip ip;
    struct mfx_str receiver;
    uint64_t deadline_ms;

    enum spf_state state;
    struct mfx_spf_term term;
    struct spf_look *look;
    struct spf_asked *waiting;
    unsigned depth;
    struct spf_frame frames[SPF_FRAMES];
    struct spf_names names;
    struct spf_asked *explanation;

    struct spf_asked *asked, **asked_end;
    struct spf_look *looks, **looks_end;
    struct spf_page *pages, **pages_end;
    unsigned lookups, voids, queries;
    unsigned wasted; /* asked ahead and not (yet) used */
    unsigned cheap;  /* evaluated terms that cost 1 */

    struct mfx_spf_outcome outcome;
    struct mfx_spf_step *steps; /* with wants_trace */
    size_t step_room;
};

/* --- spf_check_ask.c --- */

struct spf_asked *spf_ask(struct spf_check *check, struct mfx_str name,
                          enum mfx_dns_type type);
bool spf_is_answered(const struct spf_asked *asked);
const struct mfx_dns_answer *spf_answer(const struct spf_asked *asked);
/* NO_NAME or NO_DATA. */
bool spf_is_void(const struct spf_asked *asked);
/* True when one of its addresses is the client's within cidr4 or cidr6. */
bool spf_has_client(const struct spf_check *check,
                    const struct spf_asked *asked, unsigned cidr4,
                    unsigned cidr6);
/* A or AAAA. */
enum mfx_dns_type spf_address_type(const struct spf_check *check);
/* The name that the domain-spec stands for, in the arena; p is NULL when there
 * is none that may be asked. */
struct mfx_str spf_target(struct spf_check *check, struct mfx_str spec,
                          struct mfx_str domain);
bool spf_expand(struct spf_check *check, struct mfx_str spec,
                struct mfx_str domain, enum mfx_spf_macro_place place,
                struct mfx_str *out) MFX_NODISCARD;
/* The look of a counted term, asked; NULL owner: the first record. NULL: out
 * of memory. */
struct spf_look *spf_look_new(struct spf_check *check,
                              const struct mfx_spf_term *term,
                              struct spf_page *owner);
/* The hosts of an mx whose answer is there. */
void spf_look_hosts(struct spf_check *check, struct spf_look *look);
/* Reads the TXT answer, once. */
void spf_look_read(struct spf_check *check, struct spf_look *look);

/* --- spf_check_names.c --- */

/* Asks for the client's names, once. */
void spf_names_ask(struct spf_check *check);
/* Goes on until it is known which names are the client's; only those at or
 * below `within` are looked at, all when it is empty. */
enum spf_step spf_names_read(struct spf_check *check, struct mfx_str within);
/* A validated name at or below `within`. */
bool spf_names_match(const struct spf_check *check, struct mfx_str within);
/* What %{p} stands for; empty: none is valid, or it is not known (yet). */
struct mfx_str spf_names_best(const struct spf_check *check,
                              struct mfx_str domain);
bool spf_names_are_known(const struct spf_check *check);

/* --- spf_check_ahead.c --- */

void spf_ahead(struct spf_check *check);

/* --- spf_check_explain.c --- */

/* Both for a fail by frames[0].page. */
enum spf_step spf_explain_name(struct spf_check *check);
enum spf_step spf_explain_text(struct spf_check *check);

/* --- spf_check_trace.c; they do nothing without wants_trace --- */

/* A question that counts now; term NULL: none of a record, or the asked one's.
 * asked NULL: the term's end, without a question. note: a literal. */
void spf_trace(struct spf_check *check, const struct mfx_spf_term *term,
               struct spf_asked *asked, const char *note);
/* As spf_trace, unless the question has its step already. */
void spf_trace_once(struct spf_check *check, const struct mfx_spf_term *term,
                    struct spf_asked *asked, const char *note);
/* At the end: what was asked and counted for nothing. */
void spf_trace_rest(struct spf_check *check);
/* The last lookup noted was void, which has been counted. */
void spf_trace_void(struct spf_check *check);
/* Notes when answers have come. */
void spf_trace_times(struct spf_check *check);

#endif
