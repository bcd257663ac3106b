/* SPDX-License-Identifier: BSD-2-Clause
 *
 * host_list - "is this client one of those?"
 *
 * Addresses, networks, host names and domains (".example.org", and
 * "*.example.org" for the same), each with "!" in front for "not". Loaded
 * from a table, so OpenDKIM's InternalHosts, PeerList and TrustedHosts files
 * are read as they are (matching rules: OpenDKIM's, first hit in the order
 * exact name, parents, then address from the longest prefix to the shortest;
 * "!" wins over the same entry without; name OR address).
 *
 * What OpenDKIM gets wrong is mended and said in a warning that names the
 * line: host bits that are set, "*.example.org", IPv4-mapped addresses. So is
 * an entry that no client can ever match. A broken network, and a pattern
 * that OpenDKIM's refile: would have matched, are errors.
 *
 * Ownership: new/free; the list keeps copies of what it needs. Errors:
 * problems, and MFX_PERMFAIL when one of them is an error. Threads: read-only
 * once made.
 */
#ifndef MFX_POLICY_HOST_LIST_H
#define MFX_POLICY_HOST_LIST_H

#include <mfx/conf/problem.h>
#include <mfx/conf/table.h>
#include <mfx/net/ip.h>

MFX_API_BEGIN

struct mfx_host_list;

/* table NULL: an empty list. where: the setting's name, for problems. */
enum mfx_rc mfx_host_list_new(struct mfx_table *table, const char *where,
                              struct mfx_problems *problems,
                              struct mfx_host_list **list) MFX_NODISCARD;
void mfx_host_list_free(struct mfx_host_list *list);
/* OpenDKIM's default holds loopback, and a list of one's own replaces it:
 * warns when a list that is not empty lacks 127.0.0.1 or ::1. */
void mfx_host_list_check_loopback(const struct mfx_host_list *list,
                                  const char *where,
                                  struct mfx_problems *problems);
/* name: the MTA's verified client name; empty, "unknown" or "[1.2.3.4]" match
 * no name entry. A client without an address matches no address entry.
 * *entry (may be NULL): the entry that decided, as written, for traces; with
 * "!" in front when it said no; empty when none did. list NULL: false. */
bool mfx_host_list_has(const struct mfx_host_list *list, struct mfx_str name,
                       const struct mfx_ip *ip, struct mfx_str *entry);
size_t mfx_host_list_count(const struct mfx_host_list *list);

MFX_API_END

#endif
