/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/authority.h>

#include <ares.h>
#include <stdlib.h>

#include <mfx/net/authority_probe.h>
#include <mfx/net/dns_packet.h>

enum {
    SERVERS_MAX = 64, /* in all zones of one reply */
    NAMES_MAX = 9,    /* the name, and where aliases lead */
    HOSTS_MAX = 32,   /* NS names of one zone */
    GIVEN_MAX = 16,
    LABELS_MAX = 128,
    WAIT_MS = 30000, /* the resolver itself gives up earlier */
    SLICE_MS = 100,
    DNS_PORT = 53,
    DEFAULT_TIMEOUT_MS = 2000,
    DEFAULT_TRIES = 2,
};

struct mfx_authority {
    struct mfx_authority_config config;
    struct mfx_dns_server given[GIVEN_MAX];
    size_t given_count;
};

const char *
mfx_authority_status_name(enum mfx_authority_status status)
{
    static const char *const names[] = {
        [MFX_AUTHORITY_ANSWER] = "answer",
        [MFX_AUTHORITY_ALIAS] = "alias",
        [MFX_AUTHORITY_NO_NAME] = "no such name",
        [MFX_AUTHORITY_NO_DATA] = "no data",
        [MFX_AUTHORITY_FAILED] = "server failure",
        [MFX_AUTHORITY_REFUSED] = "refused",
        [MFX_AUTHORITY_LAME] = "lame",
        [MFX_AUTHORITY_TIMEOUT] = "timeout",
        [MFX_AUTHORITY_UNREACHABLE] = "unreachable",
        [MFX_AUTHORITY_MALFORMED] = "malformed answer",
    };
    return names[status];
}

bool
mfx_authority_is_answer(enum mfx_authority_status status)
{
    switch (status) {
    case MFX_AUTHORITY_ANSWER:
    case MFX_AUTHORITY_ALIAS:
    case MFX_AUTHORITY_NO_NAME:
    case MFX_AUTHORITY_NO_DATA:
        return true;
    case MFX_AUTHORITY_FAILED:
    case MFX_AUTHORITY_REFUSED:
    case MFX_AUTHORITY_LAME:
    case MFX_AUTHORITY_TIMEOUT:
    case MFX_AUTHORITY_UNREACHABLE:
    case MFX_AUTHORITY_MALFORMED:
        return false;
    }
    return false;
}

enum mfx_rc
mfx_authority_new(const struct mfx_authority_config *config,
                  struct mfx_authority **authority, struct mfx_err *err)
{
    struct mfx_authority *a = calloc(1, sizeof *a);
    enum mfx_rc rc = MFX_TEMPFAIL;
    mfx_err_set(err, "out of memory");
    if (a == NULL)
        return rc;
    a->config = *config;
    a->config.servers = NULL;
    if (a->config.port == 0)
        a->config.port = DNS_PORT;
    if (a->config.timeout_ms == 0)
        a->config.timeout_ms = DEFAULT_TIMEOUT_MS;
    if (a->config.tries == 0)
        a->config.tries = DEFAULT_TRIES;
    rc = MFX_OK;
    for (size_t i = 0; rc == MFX_OK && i < config->server_count; i++) {
        if (i == GIVEN_MAX)
            mfx_err_set(err, "more than %d name servers", GIVEN_MAX);
        else
            mfx_err_set(err, "name server \"%.*s\": not an address",
                        MFX_STR_ARG(config->servers[i]));
        rc = i == GIVEN_MAX
                 ? MFX_PERMFAIL
                 : mfx_dns_server_parse(config->servers[i], &a->given[i]);
        a->given_count++;
    }
    if (rc == MFX_OK && ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        mfx_err_set(err, "c-ares does not start");
        rc = MFX_TEMPFAIL;
    }
    if (rc == MFX_OK)
        *authority = a;
    else
        free(a);
    return rc;
}

void
mfx_authority_free(struct mfx_authority *authority)
{
    if (authority == NULL)
        return;
    ares_library_cleanup();
    free(authority);
}

/* One call of mfx_authority_ask. */
struct work {
    struct mfx_authority *authority;
    struct mfx_arena *arena;
    struct mfx_err *err;
    enum mfx_dns_type type;
    struct mfx_authority_server *servers;
    size_t count;
    struct mfx_str names[NAMES_MAX];
    size_t name_count;
    bool has_negative_ttl;
    uint32_t negative_ttl_s;
};

/* --- through the resolver: the zone, its servers, their addresses --- */

static bool
pace(const struct work *w)
{
    const struct mfx_authority_config *c = &w->authority->config;
    return c->pace == NULL || c->pace(c->arg);
}

static bool
is_stopping(const struct work *w)
{
    const struct mfx_authority_config *c = &w->authority->config;
    return c->is_stopping != NULL && c->is_stopping(c->arg);
}

/* Asks and waits. What the resolver had in its cache costs no turn. NULL:
 * stopped, or out of memory. */
static struct mfx_dns_question *
resolve(const struct work *w, struct mfx_str name, enum mfx_dns_type type)
{
    struct mfx_resolver *resolver = w->authority->config.env->resolver;
    uint64_t until_ms = mfx_mono_ms() + WAIT_MS;
    if (resolver == NULL)
        return NULL;
    struct mfx_dns_question *q = mfx_dns_ask(resolver, name, type);
    if (q == NULL)
        return NULL;
    struct mfx_event *event = mfx_dns_question_event(q);
    bool goes_on = mfx_event_is_set(event) || pace(w);
    while (goes_on && !mfx_event_wait(event, mfx_mono_ms() + SLICE_MS))
        goes_on = mfx_mono_ms() < until_ms && !is_stopping(w);
    return q; /* not answered yet: a timeout */
}

static struct mfx_str
parent_of(struct mfx_str name)
{
    size_t dot = mfx_str_find(name, '.');
    return mfx_str_from(name, dot + 1);
}

/* Is `zone` the name itself or above it? */
static bool
holds(struct mfx_str zone, struct mfx_str name)
{
    if (zone.len >= name.len)
        return mfx_str_eq_nocase(zone, name);
    return zone.len == 0 || (mfx_str_ends_nocase(name, zone) &&
                             name.p[name.len - zone.len - 1] == '.');
}

static bool
is_alias(const struct work *w, struct mfx_str name)
{
    struct mfx_dns_question *q = resolve(w, name, MFX_DNS_CNAME);
    bool is = mfx_dns_question_answer(q)->status == MFX_DNS_ANSWER;
    if (q != NULL)
        mfx_dns_question_release(q);
    return is;
}

/* One step: MFX_OK with the zone, MFX_NOTFOUND: look one label higher. */
static enum mfx_rc
find_zone_at(const struct work *w, struct mfx_str name, struct mfx_str *zone)
{
    struct mfx_dns_question *q = resolve(w, name, MFX_DNS_SOA);
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    enum mfx_rc rc = mfx_dns_rc(a);
    if (rc == MFX_OK && is_alias(w, name)) {
        rc = MFX_NOTFOUND; /* the SOA is that of another place */
    } else if (rc == MFX_OK) {
        *zone = name;
    } else if (rc == MFX_NOTFOUND && a->zone.len > 0 && holds(a->zone, name)) {
        *zone = mfx_arena_copy(w->arena, a->zone);
        rc = zone->p == NULL ? MFX_TEMPFAIL : MFX_OK;
    }
    if (rc == MFX_TEMPFAIL || rc == MFX_PERMFAIL)
        mfx_err_set(w->err, "zone of %.*s: %s", MFX_STR_ARG(name),
                    mfx_dns_status_name(a->status));
    if (q != NULL)
        mfx_dns_question_release(q);
    return rc;
}

static enum mfx_rc
find_zone(const struct work *w, struct mfx_str name, struct mfx_str *zone)
{
    for (int i = 0; i < LABELS_MAX && name.len > 0; i++) {
        enum mfx_rc rc = find_zone_at(w, name, zone);
        if (rc != MFX_NOTFOUND)
            return rc == MFX_OK ? rc : MFX_TEMPFAIL;
        name = parent_of(name);
    }
    mfx_err_set(w->err, "no zone found for it");
    return MFX_TEMPFAIL;
}

static bool
is_listed(const struct work *w, size_t first, const struct mfx_ip *ip,
          unsigned port)
{
    for (size_t i = first; i < w->count; i++)
        if (w->servers[i].port == port && mfx_ip_eq(&w->servers[i].ip, ip))
            return true;
    return false;
}

static void
add_server(struct work *w, size_t first, struct mfx_str zone,
           struct mfx_str name, const struct mfx_dns_server *server)
{
    if (w->count == SERVERS_MAX)
        return;
    if (server->ip.family != MFX_IP_NONE &&
        is_listed(w, first, &server->ip, server->port))
        return;
    w->servers[w->count++] = (struct mfx_authority_server){
        .zone = zone,
        .name = name,
        .ip = server->ip,
        .port = server->port,
        .status = MFX_AUTHORITY_UNREACHABLE,
    };
}

static size_t
add_addresses(struct work *w, size_t first, struct mfx_str zone,
              struct mfx_str host, enum mfx_dns_type type)
{
    struct mfx_dns_question *q = resolve(w, host, type);
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    for (size_t i = 0; i < a->count; i++) {
        struct mfx_dns_server server = {a->records[i].ip,
                                        w->authority->config.port};
        add_server(w, first, zone, host, &server);
    }
    size_t count = a->count;
    if (q != NULL)
        mfx_dns_question_release(q);
    return count;
}

static enum mfx_rc
find_servers(struct work *w, struct mfx_str zone)
{
    size_t first = w->count, hosts = 0;
    struct mfx_dns_question *q = resolve(w, zone, MFX_DNS_NS);
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    for (size_t i = 0; i < a->count && hosts < HOSTS_MAX; i++, hosts++) {
        struct mfx_dns_server none = {.port = w->authority->config.port};
        struct mfx_str host = mfx_arena_copy(w->arena, a->records[i].text);
        if (host.p == NULL || is_stopping(w))
            break;
        size_t found = add_addresses(w, first, zone, host, MFX_DNS_A);
        found += add_addresses(w, first, zone, host, MFX_DNS_AAAA);
        if (found == 0)
            add_server(w, first, zone, host, &none);
    }
    if (hosts == 0)
        mfx_err_set(w->err, "name servers of %.*s: %s", MFX_STR_ARG(zone),
                    mfx_dns_status_name(a->status));
    if (q != NULL)
        mfx_dns_question_release(q);
    return hosts > 0 ? MFX_OK : MFX_TEMPFAIL;
}

static enum mfx_rc
use_given(struct work *w)
{
    const struct mfx_authority *a = w->authority;
    size_t first = w->count;
    for (size_t i = 0; i < a->given_count; i++) {
        char ip[MFX_IP_TEXT];
        struct mfx_str name = mfx_arena_copy(
            w->arena, mfx_str_of(mfx_ip_format(&a->given[i].ip, ip)));
        add_server(w, first, mfx_str(NULL, 0), name, &a->given[i]);
    }
    return MFX_OK;
}

/* --- directly --- */

/* Of the answers to one question, by place in w->servers from first on. */
static enum mfx_rc
ask_servers(struct work *w, size_t first, size_t count, struct mfx_str name,
            enum mfx_dns_type type, struct mfx_authority_probe *probes)
{
    const struct mfx_authority_config *c = &w->authority->config;
    struct mfx_authority_probing probing = {
        .asked = {.type = type},
        .env = c->env,
        .arena = w->arena,
        .timeout_ms = c->timeout_ms,
        .tries = c->tries,
        .pace = c->pace,
        .arg = c->arg,
        .is_stopping = c->is_stopping,
        .probes = probes,
        .count = count,
    };
    if (mfx_dns_name_parse(name, &probing.asked.name) != MFX_OK) {
        mfx_err_set(w->err, "%.*s cannot be asked for", MFX_STR_ARG(name));
        return MFX_PERMFAIL;
    }
    for (size_t i = 0; i < count; i++)
        probes[i] = (struct mfx_authority_probe){
            .server = {w->servers[first + i].ip, w->servers[first + i].port}
        };
    mfx_authority_probe_all(&probing);
    return MFX_OK;
}

static void
note_negative(struct work *w, const struct mfx_dns_packet *packet)
{
    if (!packet->has_soa || !packet->is_authoritative)
        return;
    w->has_negative_ttl = true;
    if (w->negative_ttl_s < packet->negative_ttl_s)
        w->negative_ttl_s = packet->negative_ttl_s;
}

/* An alias is followed to the servers of its target unless the target is in
 * this zone and what was said of it is therefore said with authority. */
static bool
leads_elsewhere(const struct mfx_authority_server *server,
                const struct mfx_dns_packet *packet, struct mfx_str end)
{
    if (!packet->is_alias)
        return false;
    bool says_all = packet->answer.count > 0 || packet->has_soa;
    bool is_within = server->zone.len == 0 || holds(server->zone, end);
    return !says_all || !is_within;
}

static enum mfx_authority_status
status_of_rcode(const struct mfx_dns_packet *packet)
{
    enum {
        REFUSED = 5,
        NOTAUTH = 9,
    };
    if (packet->answer.rcode == REFUSED)
        return MFX_AUTHORITY_REFUSED;
    return packet->answer.rcode == NOTAUTH || packet->answer.rcode == 0
               ? MFX_AUTHORITY_LAME /* 0: a referral */
               : MFX_AUTHORITY_FAILED;
}

static void
read_packet(struct work *w, const struct mfx_dns_packet *packet,
            struct mfx_authority_server *server)
{
    const struct mfx_dns_answer *a = &packet->answer;
    server->rcode = a->rcode;
    if (a->status == MFX_DNS_FAILED && !packet->is_alias) {
        server->status = status_of_rcode(packet);
        return;
    }
    if (!packet->is_authoritative) {
        server->status = MFX_AUTHORITY_LAME;
        return;
    }
    struct mfx_str end = mfx_dns_name_text(&packet->end, w->arena);
    server->ttl_s = packet->longest_ttl_s;
    if (leads_elsewhere(server, packet, end)) {
        server->status = MFX_AUTHORITY_ALIAS;
        server->alias = end;
        return;
    }
    note_negative(w, packet);
    if (a->count > 0) {
        server->status = MFX_AUTHORITY_ANSWER;
        server->records = a->records;
        server->count = a->count;
        return;
    }
    if (server->ttl_s < packet->negative_ttl_s)
        server->ttl_s = packet->negative_ttl_s;
    server->status = a->status == MFX_DNS_NO_NAME ? MFX_AUTHORITY_NO_NAME
                                                  : MFX_AUTHORITY_NO_DATA;
}

static void
read_probe(struct work *w, const struct mfx_authority_probe *probe,
           struct mfx_authority_server *server)
{
    switch (probe->end) {
    case MFX_AUTHORITY_PROBE_PACKET:
        read_packet(w, &probe->packet, server);
        break;
    case MFX_AUTHORITY_PROBE_SILENT:
        server->status = MFX_AUTHORITY_TIMEOUT;
        break;
    case MFX_AUTHORITY_PROBE_UNREACHABLE:
        server->status = MFX_AUTHORITY_UNREACHABLE;
        break;
    case MFX_AUTHORITY_PROBE_MALFORMED:
        server->status = MFX_AUTHORITY_MALFORMED;
        break;
    }
}

/* The zone's SOA, from the first server that answered. Behind split DNS the
 * zone is not known: what is not there shows the SOA as well. */
static void
ask_negative_ttl(struct work *w, size_t first, struct mfx_str name)
{
    for (size_t i = first; i < w->count; i++) {
        const struct mfx_authority_server *s = &w->servers[i];
        struct mfx_authority_probe probe;
        if (!mfx_authority_is_answer(s->status) || is_stopping(w))
            continue;
        struct mfx_str where = s->zone.len > 0 ? s->zone : parent_of(name);
        if (ask_servers(w, i, 1, where, MFX_DNS_SOA, &probe) == MFX_OK &&
            probe.end == MFX_AUTHORITY_PROBE_PACKET && probe.packet.has_soa) {
            note_negative(w, &probe.packet);
            return;
        }
    }
}

static bool
has_soa_already(const struct work *w, size_t first)
{
    for (size_t i = first; i < w->count; i++)
        if (w->servers[i].status == MFX_AUTHORITY_NO_NAME ||
            w->servers[i].status == MFX_AUTHORITY_NO_DATA)
            return w->has_negative_ttl;
    return false;
}

static void
add_name(struct work *w, struct mfx_str name)
{
    for (size_t i = 0; i < w->name_count; i++)
        if (mfx_str_eq_nocase(w->names[i], name))
            return;
    if (w->name_count < NAMES_MAX && name.len > 0)
        w->names[w->name_count++] = name;
}

/* All servers of the zone that holds the name. */
static enum mfx_rc
ask_zone(struct work *w, struct mfx_str name, bool is_first,
         struct mfx_str *zone)
{
    size_t first = w->count;
    bool is_given = is_first && w->authority->given_count > 0;
    enum mfx_rc rc = is_given ? use_given(w) : find_zone(w, name, zone);
    if (rc == MFX_OK && !is_given)
        rc = find_servers(w, *zone);
    struct mfx_authority_probe *probes = mfx_arena_alloc_array(
        w->arena, w->count - first, sizeof(struct mfx_authority_probe));
    if (rc == MFX_OK && probes == NULL)
        rc = MFX_TEMPFAIL;
    if (rc == MFX_OK)
        rc = ask_servers(w, first, w->count - first, name, w->type, probes);
    if (rc != MFX_OK)
        return rc;
    for (size_t i = first; i < w->count; i++) {
        read_probe(w, &probes[i - first], &w->servers[i]);
        if (w->servers[i].status == MFX_AUTHORITY_ALIAS)
            add_name(w, w->servers[i].alias);
    }
    if (!has_soa_already(w, first))
        ask_negative_ttl(w, first, name);
    return MFX_OK;
}

enum mfx_rc
mfx_authority_ask(struct mfx_authority *authority, struct mfx_str name,
                  enum mfx_dns_type type, struct mfx_arena *arena,
                  struct mfx_authority_reply *reply, struct mfx_err *err)
{
    struct work w = {
        .authority = authority, .arena = arena, .err = err, .type = type};
    struct mfx_dns_name wire;
    *reply = (struct mfx_authority_reply){.count = 0};
    if (mfx_dns_name_parse(name, &wire) != MFX_OK) {
        mfx_err_set(err, "%.*s cannot be asked for", MFX_STR_ARG(name));
        return MFX_PERMFAIL;
    }
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    w.servers = mfx_arena_alloc_array(arena, SERVERS_MAX, sizeof *w.servers);
    if (w.servers == NULL)
        return MFX_TEMPFAIL;
    add_name(&w, name);
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < w.name_count && rc == MFX_OK; i++) {
        struct mfx_str zone = {NULL, 0};
        rc = ask_zone(&w, w.names[i], i == 0, &zone);
        if (i == 0)
            reply->zone = zone;
    }
    reply->count = w.count;
    reply->servers = w.servers;
    reply->has_negative_ttl = w.has_negative_ttl;
    reply->negative_ttl_s = w.negative_ttl_s;
    return rc;
}
