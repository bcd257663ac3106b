/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <mfx/policy/reply_text.h>

struct variables {
    const struct mfx_message *m;
    const struct spf_client *client;
    const struct mfx_spf_outcome *outcome;
};

static bool
is_error(enum mfx_spf_result result)
{
    return result == MFX_SPF_TEMPERROR || result == MFX_SPF_PERMERROR;
}

static void
put_explanation(const struct variables *v, struct mfx_buf *out)
{
    if (v->outcome->explanation.len == 0)
        return;
    mfx_buf_add_text(out, ": ");
    mfx_buf_add(out, v->outcome->explanation);
}

static void
put_client(const struct variables *v, struct mfx_buf *out)
{
    char text[MFX_IP_TEXT];
    mfx_buf_add_text(out, mfx_ip_format(&v->client->ip, text));
}

static bool
put_variable(const void *arg, struct mfx_str name, struct mfx_buf *out)
{
    const struct variables *v = arg;
    const struct mfx_spf_outcome *o = v->outcome;
    const struct {
        const char *name;
        struct mfx_str value;
    } texts[] = {
        {"identity",    mfx_str_of(mfx_spf_identity_name(o->identity))},
        {"domain",      o->domain                                     },
        {"result",      mfx_str_of(mfx_spf_result_name(o->result))    },
        {"client_name", v->client->name                               },
        {"helo",        v->client->helo                               },
        {"sender",      v->m->sender                                  },
        {"receiver",    spf_receiver(spf_policy_of(v->m),               v->m->connection)},
        {"problem",             o->problem                                                  },
    };
    if (mfx_str_is(name, "explanation")) {
        put_explanation(v, out);
        return true;
    }
    if (mfx_str_is(name, "client")) {
        put_client(v, out);
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (mfx_str_is(name, texts[i].name)) {
            mfx_buf_add(out, texts[i].value);
            return true;
        }
    return false;
}

struct mfx_str
spf_reply_text(struct mfx_message *m, const struct spf_client *client,
               const struct mfx_spf_outcome *outcome, struct mfx_str template)
{
    const struct variables v = {m, client, outcome};
    if (template.len == 0)
        template = mfx_str_of(
            is_error(outcome->result)
                ? "SPF $result: $problem"
                : "SPF $result: $client may not send as $domain$explanation");
    return mfx_reply_text_expand(template, put_variable, &v, m->arena);
}

struct mfx_str
spf_reply_enhanced(enum mfx_spf_result result, bool is_final)
{
    if (is_error(result))
        return mfx_str_of(is_final ? "5.7.24" : "4.7.24");
    return mfx_str_of(is_final ? "5.7.23" : "4.7.23");
}
