/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint - an SPF record and all that it leads to, looked at for mistakes
 *
 * What `mfxctl spf lint` works on. In the order of use:
 *
 *     lint_input.c   a record from a file: as it is, or quoted as in a zone
 *     lint_walk.c    asks DNS, and makes a page of each record reached
 *     lint_words.c   what is wrong within one record
 *     lint_judge.c   what is wrong with the tree: lookups, void and dead terms
 *     lint_show.c    text; lint_json.c: JSON
 *
 * Ownership: everything in run->arena; questions are given back at its reset.
 * Errors: findings. Threads: one.
 * Limits: below; what lies beyond is counted where that is possible, and said.
 */
#ifndef MFX_SPF_LINT_H
#define MFX_SPF_LINT_H

#include <mfx/auth/spf_record.h>

#include "nets.h"
#include "verbs.h"

enum {
    LINT_LOOKUPS = 10, /* RFC 7208 4.6.4 */
    LINT_VOIDS = 2,
    LINT_HOSTS = 10,
    LINT_PAGES = 100, /* records read */
    LINT_DEPTH = 20,
    LINT_TERMS = 20000, /* of all records */
    LINT_QUESTIONS = 1000,
    LINT_FINDINGS = 100, /* kept, of each level */
    LINT_RECORD = 65535, /* octets of a TXT record */
    LINT_JOINS = 260,    /* strings of a TXT record */
};

enum lint_level {
    LINT_WRONG, /* receivers say permerror, or something else than is meant */
    LINT_DOUBT, /* it works, but hardly as it was meant */
    LINT_HINT,  /* what would help */
    LINT_LEVELS,
};
const char *lint_level_name(enum lint_level level);

struct lint_finding {
    enum lint_level level;
    const char *code; /* one word, for scripts */
    const char *rfc;  /* section of RFC 7208, or "" */
    const struct lint_page *page;
    bool has_place;
    size_t at, len;      /* octets in the page's text */
    struct mfx_str text; /* ready to be shown */
    struct lint_finding *next;
};

struct lint_asked {
    struct mfx_str name;
    enum mfx_dns_type type;
    struct mfx_dns_question *question; /* NULL: not asked */
};

struct lint_term {
    struct mfx_spf_term term;
    size_t at;
    bool is_broken;    /* term.text alone holds */
    const char *wrong; /* why, and at which octet of the term */
    size_t wrong_at;
    bool is_dead;          /* behind all, redirect beside all, a modifier of no
                              use */
    struct mfx_str target; /* empty: nothing to look up, or macros */
    struct lint_asked *txt, *a, *aaaa, *mx;
    struct lint_asked *hosts4[LINT_HOSTS], *hosts6[LINT_HOSTS];
    size_t host_count;
    struct lint_page *page; /* where an include or a redirect leads */
    /* at worst, with what is below it; is_least: or more */
    unsigned lookups, voids4, voids6;
    unsigned maybes; /* void for some clients: ptr, names with macros */
    bool is_least;
    struct nets nets; /* for which it matches */
};

enum lint_status {
    LINT_READ,
    LINT_NO_RECORD,
    LINT_SEVERAL,
    LINT_UNANSWERED,
    LINT_NOT_FOLLOWED, /* macros, limits, no DNS wanted */
    LINT_LOOP,
};

struct lint_page {
    struct mfx_str domain, text;
    struct lint_page *parent; /* NULL: the one that was asked for */
    bool is_redirect;         /* as if its terms stood in the parent */
    unsigned depth;
    enum lint_status status;
    enum mfx_dns_status dns; /* of its TXT question */
    bool has_mistake;        /* 4.6: permerror */
    bool is_cut;             /* it has more terms */
    size_t term_count;
    struct lint_term *terms;
    const struct lint_term *all; /* the first, or NULL */
    struct lint_term *redirect;  /* in force, or NULL */
    unsigned lookups, voids4, voids6, maybes;
    bool is_least;
    struct nets nets; /* that pass */
    /* where strings of the TXT record are joined; from a file alone */
    size_t join_count, joins[LINT_JOINS];
};

struct lint {
    const struct verb_run *run;
    const struct mfx_env *env; /* NULL: nothing is asked */
    uint64_t until_ms;
    struct lint_page *root;
    size_t page_count, question_count, term_count;
    struct lint_finding *first, **end;
    size_t counts[LINT_LEVELS], octets;
    bool is_file;       /* the root's text is given */
    bool is_unanswered; /* DNS failed somewhere */
};

/* A record in a file: the bytes as they are, without blanks around; or the
 * quoted strings of a line of a zone file, joined. */
bool lint_input(struct mfx_arena *arena, struct mfx_str bytes,
                struct lint_page *page);

/* --- walk --- */

/* The record that the page's text is, or that its domain has, and all that it
 * leads to. False: DNS does not say what the domain has. */
bool lint_walk(struct lint *lint, struct lint_page *root);
/* Waits. NULL where it was not asked. */
const struct mfx_dns_answer *lint_answer(const struct lint *lint,
                                         const struct lint_asked *asked);
/* Labels of 1 to 63 octets, 253 in all: what is none is not asked, and no void
 * lookup. */
bool lint_is_name(struct mfx_str name);
/* Takes the page's text apart: terms, all, redirect. */
void lint_split(struct lint *lint, struct lint_page *page);

/* --- findings --- */

void lint_words(struct lint *lint, struct lint_page *page);
/* What TXT records there are besides, and their size; of the root. */
/* txt: NULL for a text that is no SPF record; old: those of type SPF. */
void lint_records(struct lint *lint, const struct mfx_dns_answer *txt,
                  const struct mfx_dns_answer *old);
void lint_judge(struct lint *lint);

__attribute__((format(printf, 5, 6))) void
lint_say(struct lint *lint, enum lint_level level, const char *code,
         const char *rfc, const char *format, ...);
/* With its place: len octets of the page's text. */
__attribute__((format(printf, 8, 9))) void
lint_say_at(struct lint *lint, enum lint_level level, const char *code,
            const char *rfc, const struct lint_page *page, size_t at,
            size_t len, const char *format, ...);
#define LINT_TERM(page, t) (page), (t)->at, (t)->term.text.len

/* --- telling --- */

void lint_show(const struct lint *lint);
json_t *lint_json(const struct lint *lint);

#endif
