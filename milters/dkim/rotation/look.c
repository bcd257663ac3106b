/* SPDX-License-Identifier: BSD-2-Clause */
#include "look.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

enum {
    MIN_RSA_BITS = 1024,
    WAIT_WITHOUT_SOA_S = 3 * 3600, /* the most a resolver should remember */
    WAIT_MOST_S = 7 * 86400,       /* nor do resolvers, whatever a TTL says */
    SERVERS_MAX = 64,
    TEXT_MAX = 64 * 1024,
};

/* What one address said of one key. */
enum said {
    SAID_NOTHING,
    SAID_ALIAS,
    SAID_HAS,
    SAID_HAS_NOT,
    SAID_REVOKED,
    SAID_OTHER,
};

/* A verifier takes any record that works, so one that holds our key is
 * enough. */
static enum said
read_records(const struct mfx_authority_server *server,
             const struct mfx_dkim_private_key *key, const char **words)
{
    enum said said = SAID_OTHER;
    *words = "no key record";
    for (size_t i = 0; i < server->count; i++) {
        struct mfx_dkim_record record;
        mfx_dkim_record_parse(server->records[i].text, MIN_RSA_BITS, &record);
        bool is_good = record.problem == MFX_DKIM_RECORD_GOOD;
        bool is_ours = is_good && mfx_dkim_public_key_matches(record.key, key);
        if (is_good)
            *words = is_ours ? "match" : "another key";
        else
            *words = mfx_dkim_record_problem_text(record.problem);
        if (is_ours)
            said = SAID_HAS;
        else if (record.problem == MFX_DKIM_RECORD_REVOKED)
            said = SAID_REVOKED;
        mfx_dkim_record_fini(&record);
        if (is_ours)
            break;
    }
    return said;
}

static enum said
read_server(const struct mfx_authority_server *server,
            const struct mfx_dkim_private_key *key, struct mfx_arena *arena,
            struct mfx_str *words)
{
    const char *text = mfx_authority_status_name(server->status);
    enum said said = SAID_NOTHING;
    switch (server->status) {
    case MFX_AUTHORITY_ANSWER:
        said = read_records(server, key, &text);
        break;
    case MFX_AUTHORITY_ALIAS:
        *words = mfx_arena_printf(arena, "alias to %.*s",
                                  MFX_STR_ARG(server->alias));
        return SAID_ALIAS;
    case MFX_AUTHORITY_NO_NAME:
    case MFX_AUTHORITY_NO_DATA:
        said = SAID_HAS_NOT;
        break;
    case MFX_AUTHORITY_FAILED:
    case MFX_AUTHORITY_REFUSED:
    case MFX_AUTHORITY_LAME:
    case MFX_AUTHORITY_TIMEOUT:
    case MFX_AUTHORITY_UNREACHABLE:
    case MFX_AUTHORITY_MALFORMED:
        break;
    }
    *words = mfx_str_of(text);
    return said;
}

/* Does another address of the same server answer? */
static bool
is_spoken_for(const struct mfx_authority_reply *reply, size_t i)
{
    const struct mfx_authority_server *s = &reply->servers[i];
    for (size_t j = 0; j < reply->count; j++) {
        const struct mfx_authority_server *o = &reply->servers[j];
        if (j != i && mfx_authority_is_answer(o->status) &&
            mfx_str_eq_nocase(o->zone, s->zone) &&
            mfx_str_eq_nocase(o->name, s->name))
            return true;
    }
    return false;
}

static void
judge(const size_t counts[SAID_OTHER + 1], struct dkim_key_look *seen)
{
    size_t have = counts[SAID_HAS], other = counts[SAID_OTHER];
    size_t lack = counts[SAID_HAS_NOT], revoked = counts[SAID_REVOKED];
    size_t silent = counts[SAID_NOTHING];
    seen->is_lacking = lack + other + revoked > 0;
    if (have + lack + other + revoked == 0)
        seen->in_dns = DKIM_IN_DNS_UNKNOWN;
    else if (have > 0 || silent > 0)
        seen->in_dns = have > 0 && silent == 0 && !seen->is_lacking
                           ? DKIM_IN_DNS_ALL
                           : DKIM_IN_DNS_SOME;
    else if (other > 0)
        seen->in_dns = DKIM_IN_DNS_OTHER;
    else if (revoked > 0)
        seen->in_dns = DKIM_IN_DNS_REVOKED;
    else
        seen->in_dns = DKIM_IN_DNS_NONE;
}

static uint32_t
longest_wait(const struct mfx_authority_reply *reply)
{
    uint32_t wait_s = reply->has_negative_ttl ? reply->negative_ttl_s
                                              : (uint32_t)WAIT_WITHOUT_SOA_S;
    for (size_t i = 0; i < reply->count; i++)
        if (mfx_authority_is_answer(reply->servers[i].status) &&
            reply->servers[i].ttl_s > wait_s)
            wait_s = reply->servers[i].ttl_s;
    /* one more: the times of looks are whole seconds, with the rest cut off */
    return (wait_s < WAIT_MOST_S ? wait_s : (uint32_t)WAIT_MOST_S) + 1;
}

void
dkim_look_judge(const struct mfx_authority_reply *reply,
                const struct mfx_dkim_private_key *key, struct mfx_arena *arena,
                struct dkim_look *look)
{
    size_t counts[SAID_OTHER + 1] = {0};
    *look = (struct dkim_look){.seen = {.in_dns = DKIM_IN_DNS_UNKNOWN}};
    look->servers =
        mfx_arena_alloc_array(arena, reply->count, sizeof *look->servers);
    if (look->servers == NULL)
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct mfx_authority_server *s = &reply->servers[i];
        struct dkim_key_server *out = &look->servers[look->count++];
        char ip[MFX_IP_TEXT];
        enum said said = read_server(s, key, arena, &out->answer);
        out->name = s->name;
        out->address =
            mfx_arena_copy(arena, mfx_str_of(mfx_ip_format(&s->ip, ip)));
        out->ttl_s = s->ttl_s;
        out->has_key = said == SAID_HAS;
        out->is_silent = said == SAID_NOTHING;
        out->is_alias = said == SAID_ALIAS;
        out->counts_not = said == SAID_NOTHING && is_spoken_for(reply, i);
        if (!out->counts_not)
            counts[said]++;
    }
    judge(counts, &look->seen);
    look->seen.wait_s = longest_wait(reply);
}

static struct mfx_str
record_name(struct mfx_str domain, struct mfx_str selector,
            struct mfx_arena *arena)
{
    struct mfx_str name =
        mfx_arena_printf(arena, "%.*s._domainkey.%.*s", MFX_STR_ARG(selector),
                         MFX_STR_ARG(domain));
    struct mfx_str ascii;
    return mfx_domain_to_ascii(name, arena, &ascii) == MFX_OK ? ascii : name;
}

enum mfx_rc
dkim_look(struct mfx_authority *authority,
          const struct mfx_dkim_private_key *key, struct mfx_str domain,
          struct mfx_str selector, struct mfx_arena *arena,
          struct dkim_look *look, struct mfx_err *err)
{
    struct mfx_authority_reply reply;
    struct mfx_str name = record_name(domain, selector, arena);
    *look = (struct dkim_look){.seen = {.in_dns = DKIM_IN_DNS_UNKNOWN}};
    enum mfx_rc rc =
        mfx_authority_ask(authority, name, MFX_DNS_TXT, arena, &reply, err);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    dkim_look_judge(&reply, key, arena, look);
    if (!mfx_arena_ok(arena)) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    if (look->seen.in_dns != DKIM_IN_DNS_UNKNOWN)
        return MFX_OK;
    mfx_err_set(err, "no name server of %.*s answers", MFX_STR_ARG(domain));
    return MFX_TEMPFAIL;
}

enum mfx_rc
dkim_watcher_look(struct mfx_authority *authority,
                  const struct mfx_dkim_private_key *key, struct mfx_str domain,
                  struct mfx_str selector, struct mfx_arena *arena,
                  struct dkim_key_view *view, uint32_t *wait_s,
                  struct mfx_err *err)
{
    struct dkim_look look;
    enum mfx_rc rc =
        dkim_look(authority, key, domain, selector, arena, &look, err);
    view->in_dns = look.seen.in_dns;
    view->servers = look.servers;
    view->server_count = look.count;
    *wait_s = look.seen.wait_s;
    return rc;
}

/* --- as text --- */

static void
put_field(struct mfx_buf *out, struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        mfx_buf_add_byte(out, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
}

struct mfx_str
dkim_look_format(const struct dkim_look *look, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, TEXT_MAX);
    for (size_t i = 0; i < look->count; i++) {
        const struct dkim_key_server *s = &look->servers[i];
        mfx_buf_printf(&out, "%c\t%lu\t",
                       s->has_key      ? '+'
                       : s->counts_not ? '~'
                       : s->is_silent  ? '?'
                       : s->is_alias   ? '>'
                                       : '-',
                       (unsigned long)s->ttl_s);
        put_field(&out, s->name);
        mfx_buf_add_byte(&out, '\t');
        put_field(&out, s->address);
        mfx_buf_add_byte(&out, '\t');
        put_field(&out, s->answer);
        mfx_buf_add_byte(&out, '\n');
    }
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str(NULL, 0);
}

static bool
parse_line(struct mfx_str line, struct dkim_key_server *server)
{
    struct mfx_str mark, ttl;
    uint64_t ttl_s = 0;
    if (!mfx_str_cut(&line, '\t', &mark) || mark.len != 1 ||
        !mfx_str_cut(&line, '\t', &ttl) ||
        mfx_str_to_u64(ttl, UINT32_MAX, &ttl_s) != MFX_OK ||
        !mfx_str_cut(&line, '\t', &server->name) ||
        !mfx_str_cut(&line, '\t', &server->address) || line.p == NULL)
        return false;
    server->answer = line;
    server->ttl_s = (uint32_t)ttl_s;
    server->has_key = mark.p[0] == '+';
    server->counts_not = mark.p[0] == '~';
    server->is_silent = mark.p[0] == '?' || mark.p[0] == '~';
    server->is_alias = mark.p[0] == '>';
    return true;
}

size_t
dkim_look_parse(const char *text, struct mfx_arena *arena,
                struct dkim_key_server **servers)
{
    struct mfx_str rest = mfx_str_of(text), line;
    size_t count = 0;
    *servers = mfx_arena_alloc_array(arena, SERVERS_MAX, sizeof **servers);
    while (*servers != NULL && count < SERVERS_MAX &&
           mfx_str_word(&rest, "\n", &line))
        if (parse_line(line, &(*servers)[count]))
            count++;
    return count;
}
