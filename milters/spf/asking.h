/* SPDX-License-Identifier: BSD-2-Clause
 *
 * asking - all DNS lists at once about one client and one message
 *
 *     c = spf_asking_begin(lists, env, connection_arena, NULL);
 *     spf_asking_add(c, SPF_LIST_CLIENT, empty, &ip);            at connect
 *     m = spf_asking_begin(lists, env, message_arena, c);        at MAIL
 *     spf_asking_add(m, SPF_LIST_SENDER_DOMAIN, domain, NULL);
 *     while ((count = spf_asking_pending(m, events, MAX)) > 0 &&
 *            (mfx_wait_any(message, events, count, until_ms) ||
 *             now >= until_ms))     until_ms = spf_asking_deadline_ms(m)
 *         ;
 *     score = spf_asking_finish(m);
 *     spf_asking_add(m, SPF_LIST_FROM_DOMAIN, ...);  later, and so on again
 *
 * The asking of a connection holds what is the same for all its messages;
 * that of a message counts the connection's answers and its own. An asking
 * has one value for each key: adding another one (HELO after STARTTLS) takes
 * the place of the first.
 *
 * A site's weight is added once, whatever number of answers it matches. Only
 * answers of lists in use and not in shadow are scored; an error is not a
 * listing. Pending gives the events of those answers that could still change
 * what is done, and none once there is no such answer; lists that are merely
 * looked on (shadow, untested) are never waited for. A list is waited for
 * until lists.timeout after it was asked. An allow list that should have
 * answered and did not makes a rejection that it could have taken back a
 * temporary failure.
 *
 * TXT is asked for when a list hits whose text wants it, and waited for only
 * where that text is to be given.
 *
 * Ownership: all in the arena, the questions too (given back at its reset).
 * A message's asking ends before the connection's. Errors: NULL when the arena
 * is exhausted; what could not be asked is a failure of that list. Threads:
 * one at a time. Limits: TXT of SPF_LIST_TXT_MAX octets of printable ASCII.
 */
#ifndef SPF_ASKING_H
#define SPF_ASKING_H

#include <mfx/base/event.h>
#include <mfx/base/log.h>

#include "lists.h"

enum {
    SPF_LIST_TXT_MAX = 200,
};

/* From good to bad. */
enum spf_list_action {
    SPF_LISTS_ALLOW = 0, /* allow_at: known for good mail */
    SPF_LISTS_NONE,
    SPF_LISTS_TAG,
    SPF_LISTS_TEMPFAIL,
    SPF_LISTS_REJECT,
};
/* "allow", "none", "tag", "tempfail", "reject". */
const char *spf_list_action_name(enum spf_list_action action);

struct spf_list_hit {
    struct mfx_str list; /* public name */
    enum spf_list_key key;
    struct mfx_str what;   /* "192.0.2.1", "mail.example.org" */
    struct mfx_ip address; /* the answer that the site counts */
    struct mfx_str filter; /* of the site; or empty */
    int weight;            /* of all sites of the list that hit */
    bool is_shadow;        /* not scored: shadow, or not tested yet */
    struct mfx_str txt;    /* printable ASCII; or empty */
    struct mfx_str text;   /* the list's own reply text; or empty */
};

/* A list that did not say whether. */
struct spf_list_trouble {
    struct mfx_str list; /* public name */
    enum spf_list_key key;
    bool is_error; /* an error code; else no answer */
    const char *why;
};

/* RFC 8904. */
enum spf_dnswl_result {
    SPF_DNSWL_NONE,
    SPF_DNSWL_PASS,
    SPF_DNSWL_TEMPERROR,
    SPF_DNSWL_PERMERROR,
};
/* "none", "pass", "temperror", "permerror". */
const char *spf_dnswl_result_name(enum spf_dnswl_result result);

struct spf_dnswl {
    enum spf_dnswl_result result;
    struct mfx_str zone;   /* dns.zone: the public name */
    struct mfx_ip address; /* policy.ip; MFX_IP_NONE without pass */
    struct mfx_str txt;    /* policy.txt; or empty */
    const char *sec;       /* dns.sec: "yes", "no", "na" */
};

struct spf_score {
    int64_t score;
    enum spf_list_action action;
    const char *reason; /* of the action: a literal, or "" for none */
    size_t hit_count;
    const struct spf_list_hit *hits; /* scored ones first, then by weight */
    size_t trouble_count;
    const struct spf_list_trouble *troubles;
    size_t unanswered; /* not there yet, and not waited for */
    size_t dnswl_count;
    const struct spf_dnswl *dnswl;
};

struct spf_asking;

/* connection: of the connection, for a message; or NULL. Of other lists (a
 * reload came between) what it was asked is asked anew. */
struct spf_asking *spf_asking_begin(const struct spf_lists *lists,
                                    const struct mfx_env *env,
                                    struct mfx_arena *arena,
                                    struct spf_asking *connection);
/* Starts questions at once, never waits. ip: for SPF_LIST_CLIENT; the name for
 * all others: a domain (U-labels are turned into A-labels), a mail address
 * without brackets. What cannot be asked (empty, an address literal) is not
 * listed. */
void spf_asking_add(struct spf_asking *asking, enum spf_list_key key,
                    struct mfx_str name, const struct mfx_ip *ip);
/* What to wait for, at most max events (the rest when these have come): any
 * of them may end the wait. 0: it is decided. */
size_t spf_asking_pending(struct spf_asking *asking, struct mfx_event **events,
                          size_t max);
/* When the first of them is not waited for any longer, in mono_ms; pending
 * then says whether there are others. */
uint64_t spf_asking_deadline_ms(const struct spf_asking *asking);
/* By what is there now. Valid until the next finish. */
const struct spf_score *spf_asking_finish(struct spf_asking *asking);

/* The reply's text for the first hit; "" without one. */
struct mfx_str spf_score_text(const struct spf_score *score,
                              const struct spf_lists *lists,
                              struct mfx_arena *arena);
/* "zen.example=3,bl.example=1", the scored hits; or the others. */
struct mfx_str spf_score_names(const struct spf_score *score, bool is_shadow,
                               struct mfx_arena *arena);

#endif
