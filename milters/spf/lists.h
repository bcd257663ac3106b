/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lists - the DNS lists of a configuration, and how they are
 *
 *     rc = spf_lists_new(&settings->lists, build, previous, &lists);
 *     spf_lists_begin(lists, resolver_share);    the policy is in force
 *     ... asking.h ...
 *     spf_lists_free(lists);                     the policy goes
 *
 * What is configured is read-only. What is learned of a zone (its health, its
 * counters) outlives reloads, and so do the answers that are kept, and the
 * thread that tests.
 *
 * A list is tested at the start and every health.interval. It counts from its
 * first passed test on (until then, for a moment after the start, its answers
 * are not scored, and mail does not wait for them: a list that broke while we
 * were down must not refuse mail). One that lists the world or answers errors
 * is out of use at once, one that is empty, silent or failing after
 * health.failures tests in a row. A list out of use is not asked for mail; it
 * is tested every health.retry and comes back by itself. Each change is one
 * line in the log: dns_list_down, dns_list_up; dns_list_error tells of error
 * codes in answers for mail, at most once a minute for a list.
 *
 * Zones are called by their public names (lists.reply_map) in all that is
 * written; the name that may hold a key is in struct spf_list alone.
 *
 * Ownership: counted; spf_lists_free gives the policy's hold back and, with
 * the last policy, ends the thread. Errors: problems; MFX_TEMPFAIL when
 * reply_map cannot be read. Threads: any.
 */
#ifndef SPF_LISTS_H
#define SPF_LISTS_H

#include <mfx/base/buf.h>
#include <mfx/milter/filter.h>

#include "list_settings.h"

/* What of a message is looked up. */
enum spf_list_key {
    SPF_LIST_CLIENT,
    SPF_LIST_CLIENT_NAME,
    SPF_LIST_HELO,
    SPF_LIST_SENDER_DOMAIN,
    SPF_LIST_SENDER,
    SPF_LIST_FROM_DOMAIN,
    SPF_LIST_FROM,
    SPF_LIST_KEY_COUNT,
};
/* "client", "client_name", ... */
const char *spf_list_key_name(enum spf_list_key key);

struct spf_lists;

/* *lists is NULL where no list is configured. previous: of the policy before,
 * or NULL. */
enum mfx_rc spf_lists_new(const struct spf_list_settings *settings,
                          const struct mfx_policy_build *build,
                          const struct spf_lists *previous,
                          const struct spf_lists **lists) MFX_NODISCARD;
/* NULL is allowed, here and below. */
void spf_lists_free(const struct spf_lists *lists);

/* These are in force now: tests begin, or go on with these. */
void spf_lists_begin(const struct spf_lists *lists,
                     struct mfx_resolver_share *resolver);

/* Where the thread gets its clock and resolver from. */
struct spf_lists_source {
    const struct mfx_env *env;
    void (*release)(void *arg); /* may be NULL */
    void *arg;
};
/* The same without a harness; takes over the source. */
void spf_lists_begin_with(const struct spf_lists *lists,
                          const struct spf_lists_source *source);
/* For commands, which have no thread: tests all lists once, and waits. */
void spf_lists_test(const struct spf_lists *lists, const struct mfx_env *env);

/* True when some list is asked for this. */
bool spf_lists_want(const struct spf_lists *lists, enum spf_list_key key);
/* From lists.code and lists.tempfail_code. */
void spf_lists_code(const struct spf_lists *lists, bool is_final,
                    unsigned *code, struct mfx_str *enhanced);

/* --- how they are --- */

enum spf_list_use {
    SPF_LIST_UNTESTED, /* asked, not scored, not waited for */
    SPF_LIST_IN_USE,
    SPF_LIST_OUT, /* not asked */
};
/* "untested", "in use", "out of use". */
const char *spf_list_use_name(enum spf_list_use use);

enum {
    SPF_LIST_WHY_MAX = 200,
    /* answers within 10, 30, 100, 300 ms, 1, 3 s, and later */
    SPF_LIST_LATENCY_COUNT = 7,
};

struct spf_list_counts {
    uint64_t asked;  /* questions */
    uint64_t cached; /* answered without one */
    uint64_t hits;   /* answers that a filter counted */
    uint64_t shadow_hits;
    uint64_t decided; /* messages that another thing was done with because of
                         this list */
    uint64_t alone;   /* messages that this list alone listed */
    uint64_t errors, failures, timeouts;
    uint64_t latency_sum_ms, latency_max_ms;
    uint64_t latencies[SPF_LIST_LATENCY_COUNT];
};

struct spf_list_view {
    struct mfx_str name;  /* public */
    struct mfx_str group; /* of dns_lists; or empty */
    enum mfx_dns_list_type type;
    enum spf_list_mode mode;
    enum mfx_dns_list_test test;
    bool is_dnswl;
    bool keys[SPF_LIST_KEY_COUNT];
    size_t site_count;
    const struct mfx_dns_list_site *sites; /* their zone is not for showing */
    enum spf_list_use use;
    enum mfx_dns_list_health health; /* by the last test */
    const char *why;                 /* not healthy: a sentence; or "" */
    uint64_t tested_s, since_s;      /* wall clock; since: of the use; 0: not
                                        yet */
    struct spf_list_counts counts;
};
/* In the order of the configuration; visit returns false to stop. What a view
 * points to lives as long as the call. */
void spf_lists_each(const struct spf_lists *lists,
                    bool (*visit)(const struct spf_list_view *view, void *arg),
                    void *arg);

void spf_lists_metrics(const struct spf_lists *lists, struct mfx_buf *out);
/* The control verb "lists": how each list is and what it is worth; with names
 * only those. */
enum mfx_rc spf_lists_verb(const struct spf_lists *lists,
                           const struct mfx_str *args, size_t arg_count,
                           bool as_json, struct mfx_buf *out,
                           struct mfx_err *err);

#endif
