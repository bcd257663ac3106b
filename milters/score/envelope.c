/* SPDX-License-Identifier: BSD-2-Clause */
#include "envelope.h"

static struct mfx_str
macro(const struct mfx_message *m, const char *name)
{
    bool found = false;
    struct mfx_str value = mfx_macro(m, name, &found);
    return found ? value : mfx_str("", 0);
}

/* The name of the connection's certificate counts only when it was verified:
 * Sendmail tells others too. */
static void
fill_tls(const struct mfx_message *m, struct mfx_scan_envelope *e)
{
    e->tls_version = macro(m, "{tls_version}");
    e->tls_cipher = macro(m, "{cipher}");
    if (m->connection->mta == MFX_MTA_SENDMAIL &&
        !mfx_str_is(macro(m, "{verify}"), "OK"))
        return;
    e->tls_issuer = macro(m, "{cert_issuer}");
    e->tls_subject = macro(m, "{cert_subject}");
}

/* RFC 3848; neither MTA tells both of HELO and EHLO, and few say HELO. */
static struct mfx_str
protocol_of(const struct mfx_message *m, const struct mfx_scan_envelope *e)
{
    bool has_tls = e->tls_version.len > 0, has_login = m->login.len > 0;
    return mfx_str_of(has_tls ? (has_login ? "ESMTPSA" : "ESMTPS")
                              : (has_login ? "ESMTPA" : "ESMTP"));
}

static bool
fill_recipients(struct mfx_message *m, struct mfx_scan_envelope *e)
{
    struct mfx_scan_recipient *to =
        mfx_arena_alloc_array(m->arena, m->recipient_count + 1, sizeof *to);
    if (to == NULL)
        return false;
    for (const struct mfx_recipient *r = m->recipients; r != NULL; r = r->next)
        to[e->recipient_count++] =
            (struct mfx_scan_recipient){r->address, r->parameters};
    e->recipients = to;
    return true;
}

bool
score_envelope_fill(struct mfx_message *m, struct mfx_scan_envelope *e)
{
    const struct mfx_connection *c = m->connection;
    *e = (struct mfx_scan_envelope){
        .client = c->client_ip,
        .client_name = c->client_name,
        .helo = c->helo,
        .sender = m->sender,
        .sender_args = m->sender_parameters,
        .login = m->login,
        .queue_id = m->queue_id,
        .mta_name = c->mta_name,
        .mta_tag = mfx_str("", 0),
        .daemon_name = c->daemon_name,
        .tls_cipher = mfx_str("", 0),
        .tls_version = mfx_str("", 0),
        .tls_issuer = mfx_str("", 0),
        .tls_subject = mfx_str("", 0),
        .arrived_s = m->env->wall_s(m->env),
    };
    fill_tls(m, e);
    e->protocol = protocol_of(m, e);
    return fill_recipients(m, e);
}
