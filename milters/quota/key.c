/* SPDX-License-Identifier: BSD-2-Clause */
#include "key.h"

#include <stdio.h>

#include <openssl/evp.h>

enum {
    VALUE_MAX = 200,
    TEXT_MAX = 340, /* with a rule's name it is a name for the store */
    DIGEST_SIZE = 32,
};

static const char *const names[] = {
    [QUOTA_PART_LOGIN] = "login",
    [QUOTA_PART_CERTIFICATE] = "certificate",
    [QUOTA_PART_SENDER] = "sender",
    [QUOTA_PART_SENDER_DOMAIN] = "sender_domain",
    [QUOTA_PART_FROM_DOMAIN] = "from_domain",
    [QUOTA_PART_CLIENT] = "client",
    [QUOTA_PART_NETWORK] = "network",
    [QUOTA_PART_RECIPIENT] = "recipient",
    [QUOTA_PART_RECIPIENT_DOMAIN] = "recipient_domain",
    [QUOTA_PART_DAEMON] = "daemon",
    [QUOTA_PART_SITE] = "site",
};

enum {
    PARTS = sizeof names / sizeof names[0],
};

const char *
quota_part_name(enum quota_part part)
{
    return names[part];
}

static bool
find_part(struct mfx_str name, enum quota_part *part)
{
    for (size_t i = 0; i < PARTS; i++)
        if (mfx_str_is(name, names[i])) {
            *part = (enum quota_part)i;
            return true;
        }
    return false;
}

static enum mfx_rc
parse_choice(struct mfx_str text, struct quota_key_choice *choice,
             struct mfx_err *err)
{
    struct mfx_str rest = text, item;
    while (mfx_str_cut(&rest, '+', &item)) {
        item = mfx_str_trim(item);
        if (choice->count == QUOTA_KEY_PARTS_MAX) {
            mfx_err_set(err, "more than %d parts together",
                        QUOTA_KEY_PARTS_MAX);
            return MFX_PERMFAIL;
        }
        if (!find_part(item, &choice->parts[choice->count++])) {
            mfx_err_set(err, "there is no key \"%.*s\"",
                        MFX_STR_ARG(mfx_str_head(item, 60)));
            return MFX_PERMFAIL;
        }
    }
    return MFX_OK;
}

enum mfx_rc
quota_key_parse(struct mfx_str text, struct quota_key *key, struct mfx_err *err)
{
    struct mfx_str rest = text, item;
    enum mfx_rc rc = MFX_OK;
    memset(key, 0, sizeof *key);
    if (text.p == NULL)
        rest = mfx_str("", 0);
    while (rc == MFX_OK && mfx_str_cut(&rest, '|', &item)) {
        if (key->count == QUOTA_KEY_CHOICES_MAX) {
            mfx_err_set(err, "more than %d choices", QUOTA_KEY_CHOICES_MAX);
            return MFX_PERMFAIL;
        }
        rc = parse_choice(item, &key->choices[key->count++], err);
    }
    return rc;
}

bool
quota_key_has(const struct quota_key *key, enum quota_part part)
{
    for (size_t i = 0; i < key->count; i++)
        for (size_t j = 0; j < key->choices[i].count; j++)
            if (key->choices[i].parts[j] == part)
                return true;
    return false;
}

bool
quota_key_is_of_connection(const struct quota_key *key)
{
    for (size_t i = 0; i < PARTS; i++) {
        enum quota_part part = (enum quota_part)i;
        if (part != QUOTA_PART_CLIENT && part != QUOTA_PART_NETWORK &&
            part != QUOTA_PART_DAEMON && part != QUOTA_PART_SITE &&
            quota_key_has(key, part))
            return false;
    }
    return true;
}

struct making {
    const struct quota_facts *facts;
    unsigned prefix4, prefix6;
    struct mfx_arena *arena;
};

static struct mfx_str
network_text(const struct making *m, const struct mfx_ip *ip)
{
    unsigned bits = ip->family == MFX_IP_V4 ? m->prefix4 : m->prefix6;
    struct mfx_ip net = mfx_ip_network(ip, bits);
    char text[MFX_IP_TEXT];
    return mfx_arena_printf(m->arena, "%s/%u", mfx_ip_format(&net, text), bits);
}

static struct mfx_str
client_text(const struct making *m)
{
    char text[MFX_IP_TEXT];
    if (m->facts->client_ip.family == MFX_IP_NONE)
        return mfx_str("", 0);
    return mfx_arena_copy(
        m->arena, mfx_str_of(mfx_ip_format(&m->facts->client_ip, text)));
}

static struct mfx_str
value_of(const struct making *m, enum quota_part part)
{
    const struct quota_facts *f = m->facts;
    switch (part) {
    case QUOTA_PART_LOGIN:
        return f->login;
    case QUOTA_PART_CERTIFICATE:
        return f->certificate;
    case QUOTA_PART_SENDER:
        return f->sender;
    case QUOTA_PART_SENDER_DOMAIN:
        return f->sender_domain;
    case QUOTA_PART_FROM_DOMAIN:
        return f->from_domain;
    case QUOTA_PART_CLIENT:
        return client_text(m);
    case QUOTA_PART_NETWORK:
        return f->client_ip.family == MFX_IP_NONE
                   ? mfx_str("", 0)
                   : network_text(m, &f->client_ip);
    case QUOTA_PART_RECIPIENT:
        return f->recipient;
    case QUOTA_PART_RECIPIENT_DOMAIN:
        return f->recipient_domain;
    case QUOTA_PART_DAEMON:
        return f->daemon_name;
    case QUOTA_PART_SITE:
        return mfx_str_of("all");
    }
    return mfx_str("", 0);
}

/* Short enough for a counter's name. */
static struct mfx_str
shorten(struct mfx_arena *arena, struct mfx_str value, size_t max)
{
    unsigned char digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    size_t len = 0;
    if (value.len <= max)
        return value;
    if (EVP_Q_digest(NULL, "SHA256", NULL, value.p, value.len, digest, &len) !=
        1)
        return mfx_str_head(value, max);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return mfx_arena_printf(arena, "sha256:%s", hex);
}

static bool
finish(const struct quota_key_choice *choice, struct mfx_arena *arena,
       struct quota_made_key *made)
{
    struct mfx_buf text, joined;
    mfx_buf_init_arena(&text, arena, 4096);
    mfx_buf_init_arena(&joined, arena, 64 * 1024);
    for (size_t i = 0; i < choice->count; i++) {
        if (i > 0) {
            mfx_buf_add_byte(&text, ',');
            mfx_buf_add_byte(&joined, '+');
        }
        mfx_buf_printf(&text, "%s=", names[choice->parts[i]]);
        mfx_buf_add(&text, shorten(arena, made->values[i], VALUE_MAX));
        mfx_buf_add(&joined, made->values[i]);
    }
    made->text = shorten(arena, mfx_buf_str(&text), TEXT_MAX);
    made->joined = mfx_buf_str(&joined);
    made->choice = choice;
    return mfx_buf_ok(&text) && mfx_buf_ok(&joined);
}

bool
quota_key_make(const struct quota_key *key, const struct quota_facts *facts,
               unsigned ipv4_prefix, unsigned ipv6_prefix,
               struct mfx_arena *arena, struct quota_made_key *made)
{
    const struct making m = {facts, ipv4_prefix, ipv6_prefix, arena};
    for (size_t i = 0; i < key->count; i++) {
        const struct quota_key_choice *c = &key->choices[i];
        size_t n = 0;
        memset(made, 0, sizeof *made);
        while (n < c->count &&
               (made->values[n] = value_of(&m, c->parts[n])).len > 0)
            n++;
        if (n == c->count)
            return finish(c, arena, made);
    }
    return false;
}

/* An address given by an operator, as quota_key_make writes it. */
static struct mfx_str
canonical(const struct making *m, enum quota_part part, struct mfx_str word)
{
    struct mfx_ip ip;
    struct mfx_str address = mfx_str_head(word, mfx_str_find(word, '/'));
    char text[MFX_IP_TEXT];
    if ((part != QUOTA_PART_CLIENT && part != QUOTA_PART_NETWORK) ||
        mfx_ip_parse(address, &ip) != MFX_OK)
        return word;
    if (part == QUOTA_PART_NETWORK)
        return network_text(m, &ip);
    return mfx_arena_copy(m->arena, mfx_str_of(mfx_ip_format(&ip, text)));
}

bool
quota_key_of_words(const struct quota_key_choice *choice, struct mfx_str words,
                   unsigned ipv4_prefix, unsigned ipv6_prefix,
                   struct mfx_arena *arena, struct quota_made_key *made)
{
    const struct making m = {NULL, ipv4_prefix, ipv6_prefix, arena};
    memset(made, 0, sizeof *made);
    for (size_t i = 0; i < choice->count; i++) {
        struct mfx_str name = mfx_str_of(names[choice->parts[i]]);
        bool is_named = words.len > name.len && mfx_str_starts(words, name) &&
                        words.p[name.len] == '=';
        bool is_last = i + 1 == choice->count;
        if (!is_named && choice->count > 1)
            return false;
        if (is_named)
            words = mfx_str_from(words, name.len + 1);
        size_t end = is_last ? words.len : mfx_str_find(words, ',');
        made->values[i] =
            canonical(&m, choice->parts[i], mfx_str_head(words, end));
        if (made->values[i].len == 0)
            return false;
        words = mfx_str_from(words, end + 1);
    }
    return choice->count > 0 && finish(choice, arena, made);
}
