/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail by a secondary MX of ours: the client to be checked is that of the
 * secondary, as its Received field names it.
 */
#include <mfx/policy/received_client.h>

#include "message.h"

static bool
is_relay(const struct mfx_ip *ip, void *arg)
{
    const struct spf_policy *policy = arg;
    return mfx_host_list_has(policy->relays, mfx_str("", 0), ip, NULL);
}

bool
spf_relayed_find_client(struct mfx_message *m, struct spf_message *q)
{
    const struct spf_policy *policy = spf_policy_of(m);
    struct mfx_received_hop hop;
    struct mfx_err err = {""};
    char text[MFX_IP_TEXT];
    if (mfx_received_client_hop(
            &m->headers, (size_t)policy->settings->relays.hops, is_relay,
            (void *)(uintptr_t)policy, &hop, &err) != MFX_OK) {
        mfx_trace(m->decision, "relays", "%s", err.msg);
        return false;
    }
    q->client =
        (struct spf_client){hop.client.ip, hop.client.name, hop.client.helo};
    mfx_trace(m->decision, "relays", "Received field %zu: %s", hop.number,
              mfx_ip_format(&hop.client.ip, text));
    mfx_fact(m->decision, "relayed_from", mfx_str_of(text));
    return true;
}
