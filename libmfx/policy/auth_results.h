/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_results - the name a site bears in Authentication-Results, and which
 * fields that bear it are forged (RFC 8601 5)
 *
 *     struct x_settings { struct mfx_auth_results_settings results; ... };
 *     const struct mfx_option x_options[] = {
 *         MFX_AUTHSERV_OPTIONS(struct x_settings, results),
 *         MFX_AUTH_RESULTS_OPTIONS(struct x_settings, results, "", "spf"),
 *         ...
 *     };
 *
 *     mfx_auth_results_new(&settings->results, "", methods, config, problems,
 *                          &results);                     (with the policy)
 *     h = mfx_auth_results_first(results, &m->headers, mta_name);
 *     if (h != NULL && !mfx_auth_results_trusts(results, name, ip, &entry))
 *         for (; h != NULL; h = mfx_auth_results_next(results, h, mta_name))
 *             mfx_edit_delete_header(m->decision, h);
 *
 * Several filters in one chain. What a filter inserts is shown to those behind
 * it, on top of what the client sent; the MTA's own Received field, which
 * would part the two, is shown to none. A fresh result of ours and a forged
 * one cannot be told apart then. So the first daemon that writes results
 * removes "all" that is ours, and those behind it "own": fields that claim a
 * method of theirs. mfx_authres_* never writes what could be taken for
 * another method's result, or a sender could have the results of the first
 * daemon removed by the second.
 *
 * Ownership: new/free; the settings outlive it. Errors: problems, with the
 * place of the setting. Threads: read-only once made.
 */
#ifndef MFX_POLICY_AUTH_RESULTS_H
#define MFX_POLICY_AUTH_RESULTS_H

#include <mfx/conf/option.h>
#include <mfx/mail/header.h>
#include <mfx/net/ip.h>

MFX_API_BEGIN

enum mfx_auth_results_remove {
    MFX_AUTH_RESULTS_REMOVE_ALL,
    MFX_AUTH_RESULTS_REMOVE_OWN,
    MFX_AUTH_RESULTS_REMOVE_NONE,
};

struct mfx_auth_results_settings {
    struct mfx_str authserv_id;
    bool authserv_id_job_id;
    int remove; /* enum mfx_auth_results_remove */
    struct mfx_table *remove_from, *trusted_from;
};

/* The words of remove_results. */
static const struct mfx_option_word mfx_auth_results_remove_words[] = {
    {"all",  MFX_AUTH_RESULTS_REMOVE_ALL },
    {"own",  MFX_AUTH_RESULTS_REMOVE_OWN },
    {"none", MFX_AUTH_RESULTS_REMOVE_NONE},
    {NULL,   0                           },
};

/* Our name: the setting, else mta_name (macro {j}), else "localhost". */
struct mfx_str
mfx_auth_results_id(const struct mfx_auth_results_settings *settings,
                    struct mfx_str mta_name);
/* The name as it is written: with "/queue_id" behind it, when that is wanted
 * and known. */
struct mfx_str
mfx_auth_results_written_id(const struct mfx_auth_results_settings *settings,
                            struct mfx_str mta_name, struct mfx_str queue_id,
                            struct mfx_arena *arena);

struct mfx_auth_results;

/* prefix: how the names of the settings below begin ("verify."; ""), for
 * problems. methods: what "own" means ("dkim"), ended by NULL; static. */
enum mfx_rc
mfx_auth_results_new(const struct mfx_auth_results_settings *settings,
                     const char *prefix, const char *const *methods,
                     const struct mfx_config *config,
                     struct mfx_problems *problems,
                     struct mfx_auth_results **results) MFX_NODISCARD;
void mfx_auth_results_free(struct mfx_auth_results *results);

/* True when the client's fields are kept (trusted_results_from). *entry: which
 * entry says so. */
bool mfx_auth_results_trusts(const struct mfx_auth_results *results,
                             struct mfx_str client_name,
                             const struct mfx_ip *client_ip,
                             struct mfx_str *entry);
/* True when a reader could take id for ours: our name or one of
 * remove_results_from, as mfx_authres_claims_id and _claims_below see it. value:
 * an Authentication-Results field, or an id by itself. */
bool mfx_auth_results_claims_us(const struct mfx_auth_results *results,
                                struct mfx_str value, struct mfx_str mta_name);
/* The Authentication-Results fields to remove, from the top; NULL: no more. */
const struct mfx_header *
mfx_auth_results_first(const struct mfx_auth_results *results,
                       const struct mfx_headers *headers,
                       struct mfx_str mta_name);
const struct mfx_header *
mfx_auth_results_next(const struct mfx_auth_results *results,
                      const struct mfx_header *after, struct mfx_str mta_name);
/* The Received-SPF fields to remove, which mfx_auth_results_next goes on with:
 * with "all" and "own" those whose receiver could be us (mfx_spf_header_claims).
 * For the daemon that writes such fields. */
const struct mfx_header *
mfx_auth_results_first_spf(const struct mfx_auth_results *results,
                           const struct mfx_headers *headers,
                           struct mfx_str mta_name);

/* S: the settings struct, f: its struct mfx_auth_results_settings. */
#define MFX_AUTHSERV_OPTIONS(S, f)                                           \
    MFX_OPTION_STRING(                                                       \
        "authserv_id", S, f.authserv_id, "", 0,                              \
        "Name of this site in Authentication-Results. Empty: the MTA's own " \
        "host name (macro {j}). All MXs of a site should use one name."),    \
        MFX_OPTION_BOOL(                                                     \
            "authserv_id_job_id", S, f.authserv_id_job_id, "false", 0,       \
            "Write the queue id behind our name in Authentication-Results: " \
            "\"name/QUEUEID\". When forged fields are removed, what stands " \
            "behind the \"/\" never matters.")

/* prefix: "" or that of a group; methods: "dkim", "spf or dnswl". */
#define MFX_AUTH_RESULTS_OPTIONS(S, f, prefix, methods)                       \
    MFX_OPTION_ENUM(                                                          \
        prefix "remove_results", S, f.remove, "all",                          \
        mfx_auth_results_remove_words, 0,                                     \
        "Which Authentication-Results fields that bear our authserv-id are "  \
        "removed from incoming mail: all; only those that claim " methods     \
        " (own); none. A filter that writes results sees what those before "  \
        "it wrote and cannot tell it from what the client sent: set all in "  \
        "the first of them that the MTA asks, and own in those behind it."),  \
        MFX_OPTION_TABLE(                                                     \
            prefix "remove_results_from", S, f.remove_from, "", 0,            \
            "Further authserv-ids whose fields are removed; .example.org or " \
            "*.example.org is every name below."),                            \
        MFX_OPTION_TABLE(                                                     \
            prefix "trusted_results_from", S, f.trusted_from, "", 0,          \
            "Clients whose Authentication-Results are kept, as a host list: " \
            "sister MXs.")

MFX_API_END

#endif
