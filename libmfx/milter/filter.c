/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/filter.h>

#include <mfx/milter/flight.h>

enum {
    PROGRESS_MS = 3000, /* Sendmail's usual patience between packets: 10 s */
};

bool
mfx_message_is_answered_at_end(const struct mfx_message *message)
{
    const struct mfx_connection *c = message->connection;
    return c->mta == MFX_MTA_POSTFIX && c->client_port == 0 &&
           mfx_ip_is_loopback(&c->client_ip);
}

static struct mfx_str
no_macro(void *arg, struct mfx_str name, bool *found)
{
    (void)arg;
    (void)name;
    *found = false;
    return mfx_str("", 0);
}

bool
mfx_connection_is_ours(const struct mfx_connection *connection)
{
    const struct mfx_session *s = mfx_session_of(connection);
    const struct mfx_origin_facts facts = {
        .daemon_name = connection->daemon_name,
        .client_name = connection->client_name,
        .client_ip = connection->client_ip,
        .macro = no_macro,
    };
    const struct mfx_origin origin =
        mfx_origin_decide(&s->snapshot->origin, &facts);
    return mfx_origin_is_ours(&origin);
}

struct mfx_str
mfx_macro(const struct mfx_message *message, const char *name, bool *found)
{
    const struct mfx_link *l = &mfx_flight_of(message)->session->link;
    const char *text = l->ops->macro(l->ctx, name);
    *found = text != NULL;
    return mfx_str_of(text);
}

enum mfx_rc
mfx_message_body(struct mfx_message *message, struct mfx_str *body)
{
    struct mfx_flight *f = mfx_flight_of(message);
    if (f->snapshot->wants.body != MFX_BODY_STORED)
        return MFX_NOTFOUND;
    return mfx_spill_get(&f->body, body, NULL);
}

/* One slice; false when there is no use in another. */
static bool
wait_slice(struct mfx_flight *f, struct mfx_event *const *events, size_t count,
           uint64_t until_ms)
{
    const struct mfx_link *l = &f->session->link;
    uint64_t now = mfx_mono_ms();
    uint64_t slice = now + PROGRESS_MS;
    if (now >= until_ms)
        return false;
    if (!f->sends_progress || slice > until_ms)
        slice = until_ms;
    if (mfx_event_wait_any(events, count, slice))
        return false;
    return !f->sends_progress || l->ops->progress(l->ctx);
}

bool
mfx_wait_any(struct mfx_message *message, struct mfx_event *const *events,
             size_t count, uint64_t until_ms)
{
    struct mfx_flight *f = mfx_flight_of(message);
    if (until_ms > f->wait_until_ms)
        until_ms = f->wait_until_ms;
    while (wait_slice(f, events, count, until_ms)) {
    }
    bool is_set = mfx_event_wait_any(events, count, 0);
    if (!is_set)
        mfx_metrics_add(f->session->engine->metrics, MFX_COUNT_WAITS_EXPIRED,
                        1);
    return is_set;
}

bool
mfx_wait(struct mfx_message *message, struct mfx_event *event,
         uint64_t until_ms)
{
    return mfx_wait_any(message, &event, 1, until_ms);
}
