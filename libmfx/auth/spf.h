/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf - may this client send for that domain? (RFC 7208)
 *
 *     struct mfx_spf_request request = {.ip = client, .helo = helo,
 *                                       .identity = MFX_SPF_MAIL_FROM,
 *                                       .sender = sender};
 *     check = mfx_spf_begin(arena, env, &config, &request);
 *     while ((count = mfx_spf_events(check, events, MFX_EVENT_ANY_MAX)) > 0 &&
 *            mfx_wait_any(message, events, count, mfx_spf_deadline_ms(check)))
 *         ;
 *     outcome = mfx_spf_finish(check);
 *
 * A check never waits. It starts its questions at once (and, with lookahead,
 * those it will probably need next), and goes on in each mfx_spf_events as far
 * as the answers allow; the caller waits for one of the events it gives, as
 * long as it likes. What is not answered when mfx_spf_finish is called is a
 * temperror. In which order answers come never changes the outcome.
 *
 * Two engines stand behind it: mfx's own, and libspf2 for those who want to
 * compare; deviations of the latter are in doc/spf-libspf2.md.
 *
 * Ownership: all in the arena (questions are given back at its reset); the
 * request's texts are copied. Errors: in the outcome; NULL from begin when the
 * arena is exhausted. Threads: one at a time, any.
 * Limits: struct mfx_spf_config. One check never sends more questions than
 * MFX_SPF_QUERIES_MAX, which is the worst that RFC 7208 4.6.4 allows.
 */
#ifndef MFX_AUTH_SPF_H
#define MFX_AUTH_SPF_H

#include <mfx/base/arena.h>
#include <mfx/base/env.h>
#include <mfx/base/event.h>
#include <mfx/net/ip.h>
#include <mfx/net/resolver.h>

MFX_API_BEGIN

/* RFC 7208 2.6. */
enum mfx_spf_result {
    MFX_SPF_NONE,
    MFX_SPF_NEUTRAL,
    MFX_SPF_PASS,
    MFX_SPF_FAIL,
    MFX_SPF_SOFTFAIL,
    MFX_SPF_TEMPERROR,
    MFX_SPF_PERMERROR,
    MFX_SPF_RESULT_COUNT,
};
/* "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror". */
const char *mfx_spf_result_name(enum mfx_spf_result result);
/* MFX_PERMFAIL for another word. */
enum mfx_rc mfx_spf_result_parse(struct mfx_str word,
                                 enum mfx_spf_result *result) MFX_NODISCARD;

/* RFC 7208 2.3, 2.4. */
enum mfx_spf_identity {
    MFX_SPF_HELO,
    MFX_SPF_MAIL_FROM,
};
/* "helo", "mailfrom" (RFC 7208 9.1). */
const char *mfx_spf_identity_name(enum mfx_spf_identity identity);

enum mfx_spf_engine {
    MFX_SPF_ENGINE_MFX,
    MFX_SPF_ENGINE_LIBSPF2,
};
/* "mfx", "libspf2". */
const char *mfx_spf_engine_name(enum mfx_spf_engine engine);
/* False for an engine that this build is without. */
bool mfx_spf_engine_is_built(enum mfx_spf_engine engine);

enum {
    /* The record; 10 terms of at most 1 MX and 10 A each; PTR and 10 A for
     * %{p}; the explanation. */
    MFX_SPF_QUERIES_MAX = 1 + 10 * 11 + 11 + 1,
};

struct mfx_spf_config {
    enum mfx_spf_engine engine;
    unsigned max_lookups; /* 10 terms over the whole check (4.6.4); not more */
    unsigned max_voids;   /* 2 void lookups (4.6.4) */
    uint64_t time_ms;     /* 8000: then it is a temperror */
    /* Ask what later terms need before it is known that they count, so that
     * a check takes as long as its longest chain and not as their sum. */
    bool lookahead;
    size_t max_explanation; /* 300 octets; 0: explanations are not asked for */
    bool wants_trace;
};
struct mfx_spf_config mfx_spf_config_default(void);

struct mfx_spf_request {
    struct mfx_ip ip; /* MFX_IP_NONE: the result is none */
    struct mfx_str helo;
    enum mfx_spf_identity identity;
    /* MAIL FROM without brackets; empty: postmaster@HELO (2.4). Not looked at
     * for the HELO identity. */
    struct mfx_str sender;
    struct mfx_str receiver; /* %{r}; empty: "unknown" */
};

/* One question of the check, in the order in which it mattered. */
struct mfx_spf_step {
    unsigned depth;          /* of includes and redirects; 0: first record */
    struct mfx_str domain;   /* whose record says it */
    struct mfx_str term;     /* "include:_spf.example.org"; "" for the record */
    enum mfx_dns_type type;  /* 0: no question */
    struct mfx_str question; /* the name asked */
    enum mfx_dns_status status;
    struct mfx_str answer;  /* records, joined by blanks; at most 300 octets */
    uint64_t took_ms;       /* from asking to having it */
    unsigned lookups_after; /* terms used so far */
    unsigned voids_after;
    bool is_void;        /* no such name, no data; counted once for each term */
    struct mfx_str note; /* "matches", "does not match", "explanation",
                            "is the client" (a name of it), "not needed" (asked
                            ahead for nothing), "not answered" ... */
};

struct mfx_spf_outcome {
    enum mfx_spf_result result;
    enum mfx_spf_identity identity;
    struct mfx_str domain;       /* <domain> as checked, in A-labels */
    struct mfx_str local;        /* local part of <sender>: "postmaster" ... */
    struct mfx_str mechanism;    /* the term that decided, as written; "default"
                                    where none matched; "" for none and errors */
    struct mfx_str mechanism_of; /* the domain whose record holds it */
    struct mfx_str explanation;  /* printable ASCII; only for fail; or empty */
    struct mfx_str problem;      /* none, temperror, permerror: what it was */
    bool is_no_mail; /* fail by a record that is "-all" alone (mfx's engine) */
    unsigned lookups, voids, queries;
    size_t step_count; /* with wants_trace */
    const struct mfx_spf_step *steps;
};

struct mfx_spf_check;

struct mfx_spf_check *
mfx_spf_begin(struct mfx_arena *arena, const struct mfx_env *env,
              const struct mfx_spf_config *config,
              const struct mfx_spf_request *request) MFX_NODISCARD;
/* What to wait for, at most max (1 or more) of it, the first that which nothing
 * goes on without; whichever is set lets the check ask or judge more. 0: it is
 * decided. */
size_t mfx_spf_events(struct mfx_spf_check *check, struct mfx_event **events,
                      size_t max);
/* The first of them alone; NULL: it is decided. Simpler, and slower where
 * includes are nested, since nothing is asked ahead while it is awaited. */
struct mfx_event *mfx_spf_pending(struct mfx_spf_check *check);
/* When the check gives up, in mono_ms. */
uint64_t mfx_spf_deadline_ms(const struct mfx_spf_check *check);
/* Ends it; the same answer each time. */
const struct mfx_spf_outcome *mfx_spf_finish(struct mfx_spf_check *check);

MFX_API_END

#endif
