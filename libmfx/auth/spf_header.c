/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_header.h>

#include <mfx/mail/address.h>
#include <mfx/mail/field_write.h>

enum {
    VALUE_MAX = 16 * 1024,
    IPS_MAX = 10, /* of policy.ip */
    NAME_COLUMNS = sizeof("Received-SPF:") - 1,
};

static const char atext[] = "!#$%&'*+-/=?^_`{|}~";

struct writer {
    struct mfx_buf out;
    size_t column;
    bool eai;
    bool has_pair;
};

static void
add(struct writer *w, const struct mfx_field_piece *piece)
{
    w->column = mfx_field_add(&w->out, w->column, piece, false);
}

/* --- the comment --- */

/* As one word of the comment, without anything that could end it for a reader
 * that knows no quoted pairs. */
static struct mfx_str
plain(struct mfx_str s, bool eai, struct mfx_arena *arena)
{
    bool keeps_eight_bit = eai && mfx_str_is_utf8(s);
    s = mfx_str_head(s, MFX_FIELD_PIECE_TEXT / 2);
    char *out = mfx_arena_alloc_bytes(arena, s.len);
    if (out == NULL)
        return mfx_str("", 0);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_odd = c <= ' ' || c == 0x7F || strchr("()\\\";,", c) != NULL;
        out[i] = is_odd || (c >= 0x80 && !keeps_eight_bit) ? '?' : s.p[i];
    }
    return mfx_str(out, s.len);
}

static struct mfx_str
address_of(struct mfx_str local, struct mfx_str domain, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, local.len + 1 + domain.len);
    if (out == NULL)
        return mfx_str("", 0);
    memcpy(out, local.p, local.len);
    out[local.len] = '@';
    memcpy(out + local.len + 1, domain.p, domain.len);
    return mfx_str(out, local.len + 1 + domain.len);
}

/* What was checked: the sender's mailbox, or the HELO name. */
static struct mfx_str
subject(const struct mfx_spf_header *h, struct mfx_arena *arena)
{
    const struct mfx_spf_outcome *o = h->outcome;
    struct mfx_str domain = o->domain;
    if (domain.len == 0)
        domain = o->identity == MFX_SPF_HELO || h->sender.len == 0 ? h->helo
                                                                   : h->sender;
    else if (o->identity == MFX_SPF_MAIL_FROM && o->local.len > 0)
        domain = address_of(o->local, o->domain, arena);
    return plain(domain, h->eai, arena);
}

/* In the words of RFC 7208 9.1, as far as it has some. %s is who, %i the
 * client's address. */
static const char *const sentences[MFX_SPF_RESULT_COUNT] = {
    [MFX_SPF_NONE] = "domain of %s does not designate permitted sender hosts",
    [MFX_SPF_NEUTRAL] = "%i is neither permitted nor denied by domain of %s",
    [MFX_SPF_PASS] = "domain of %s designates %i as permitted sender",
    [MFX_SPF_FAIL] = "domain of %s does not designate %i as permitted sender",
    [MFX_SPF_SOFTFAIL] = ("transitioning domain of %s does not designate %i as "
                          "permitted sender"),
    [MFX_SPF_TEMPERROR] = "temporary error in processing domain of %s",
    [MFX_SPF_PERMERROR] = "permanent error in processing domain of %s",
};

/* Folded between its words, which plain() has made harmless. */
static void
add_comment(struct writer *w, const struct mfx_spf_header *h,
            struct mfx_arena *arena)
{
    struct mfx_str receiver = plain(h->receiver, h->eai, arena);
    struct mfx_str who = subject(h, arena);
    struct mfx_str says = mfx_str_of(sentences[h->outcome->result]), word;
    struct mfx_field_piece piece;
    char ip[MFX_IP_TEXT];
    piece.len = 0;
    mfx_field_piece_add_text(&piece, "(");
    if (receiver.len > 0) {
        mfx_field_piece_add(&piece, receiver);
        mfx_field_piece_add_text(&piece, ":");
    }
    bool is_joined = receiver.len == 0; /* the first word, to "(" */
    while (mfx_str_word(&says, " ", &word)) {
        if (mfx_str_is(word, "%s"))
            word = who;
        else if (mfx_str_is(word, "%i"))
            word = mfx_str_of(mfx_ip_format(&h->client_ip, ip));
        if (word.len == 0)
            continue;
        if (!is_joined) {
            add(w, &piece);
            piece.len = 0;
        }
        is_joined = false;
        mfx_field_piece_add(&piece, word);
    }
    mfx_field_piece_add_text(&piece, ")");
    add(w, &piece);
}

/* --- key=value --- */

static bool
is_dot_atom(struct mfx_str s, bool eai)
{
    struct mfx_str atom;
    bool eight_bit = eai && mfx_str_is_utf8(s);
    if (s.len == 0 || s.len > MFX_FIELD_PIECE_TEXT)
        return false;
    while (mfx_str_cut(&s, '.', &atom))
        if (atom.len == 0 || !mfx_field_is_made_of(atom, atext, eight_bit))
            return false;
    return true;
}

/* The semicolon before it, and the pair. Nothing for an empty value. */
static void
add_pair(struct writer *w, const char *key, struct mfx_str value)
{
    struct mfx_field_piece piece;
    if (value.len == 0)
        return;
    piece.len = 0;
    if (w->has_pair) {
        mfx_buf_add_byte(&w->out, ';');
        w->column++;
    }
    w->has_pair = true;
    mfx_field_piece_add_text(&piece, key);
    mfx_field_piece_add_text(&piece, "=");
    if (is_dot_atom(value, w->eai))
        mfx_field_piece_add(&piece, value);
    else
        mfx_field_piece_between(&piece, "\"", value, "\"", w->eai);
    add(w, &piece);
}

enum mfx_rc
mfx_spf_header_received(const struct mfx_spf_header *h, struct mfx_arena *arena,
                        struct mfx_str *value)
{
    const struct mfx_spf_outcome *o = h->outcome;
    struct writer w = {.column = NAME_COLUMNS, .eai = h->eai};
    struct mfx_field_piece result;
    char ip[MFX_IP_TEXT];
    result.len = 0;
    mfx_buf_init_arena(&w.out, arena, VALUE_MAX);
    mfx_field_piece_add_text(&result, mfx_spf_result_name(o->result));
    add(&w, &result);
    add_comment(&w, h, arena);
    add_pair(&w, "receiver", h->receiver);
    add_pair(&w, "identity", mfx_str_of(mfx_spf_identity_name(o->identity)));
    add_pair(&w, "client-ip", mfx_str_of(mfx_ip_format(&h->client_ip, ip)));
    if (o->identity == MFX_SPF_MAIL_FROM)
        add_pair(&w, "envelope-from",
                 h->sender.len > 0 ? h->sender : mfx_str_of("<>"));
    add_pair(&w, "helo", h->helo);
    add_pair(&w, "mechanism", o->mechanism);
    if (o->result != MFX_SPF_NONE)
        add_pair(&w, "problem", o->problem);
    *value = mfx_buf_str(&w.out);
    return mfx_buf_ok(&w.out) && mfx_arena_ok(arena) ? MFX_OK : MFX_TEMPFAIL;
}

/* --- Authentication-Results --- */

/* The sender as RFC 8601 2.2 lets it stand without quotes, or its domain. */
static struct mfx_str
sender_value(const struct mfx_spf_header *h)
{
    static const char token[] = "!#$%&'*+-._^`{|}~";
    size_t at = mfx_str_find_last(h->sender, '@');
    struct mfx_str local = mfx_str_head(h->sender, at);
    struct mfx_str domain = mfx_str_from(h->sender, at + 1);
    bool eight_bit = h->eai && mfx_str_is_utf8(h->sender);
    if (mfx_domain_is_valid(domain, h->eai) && local.len > 0)
        return mfx_field_is_made_of(local, token, eight_bit) ? h->sender
                                                             : domain;
    return h->outcome->domain.len > 0 ? h->outcome->domain : h->sender;
}

static void
put_subject(struct mfx_authres_writer *w, const struct mfx_spf_header *h)
{
    static const char postmaster[] = "postmaster@";
    char mailbox[sizeof postmaster + 255];
    struct mfx_str domain = h->outcome->domain;
    if (domain.len == 0)
        domain = h->helo;
    if (h->outcome->identity == MFX_SPF_HELO) {
        mfx_authres_property(w, "smtp", "helo", domain);
    } else if (h->sender.len > 0) {
        mfx_authres_property(w, "smtp", "mailfrom", sender_value(h));
    } else if (domain.len < 256) {
        memcpy(mailbox, postmaster, sizeof postmaster - 1);
        if (domain.len > 0)
            memcpy(mailbox + sizeof postmaster - 1, domain.p, domain.len);
        mfx_authres_property(
            w, "smtp", "mailfrom",
            mfx_str(mailbox, sizeof postmaster - 1 + domain.len));
    }
}

void
mfx_spf_header_result(struct mfx_authres_writer *w,
                      const struct mfx_spf_header *h)
{
    mfx_authres_result(w, "spf", mfx_spf_result_name(h->outcome->result),
                       h->outcome->problem, mfx_str(NULL, 0));
    put_subject(w, h);
}

static const char *
dnswl_result_name(enum mfx_dnswl_result result)
{
    switch (result) {
    case MFX_DNSWL_PASS:
        return "pass";
    case MFX_DNSWL_NONE:
        return "none";
    case MFX_DNSWL_TEMPERROR:
        return "temperror";
    case MFX_DNSWL_PERMERROR:
        return "permerror";
    }
    return "temperror";
}

static const char *
dnswl_sec_name(enum mfx_dnswl_sec sec)
{
    switch (sec) {
    case MFX_DNSWL_SEC_YES:
        return "yes";
    case MFX_DNSWL_SEC_NO:
        return "no";
    case MFX_DNSWL_SEC_NA:
        return "na";
    }
    return "na";
}

/* Several addresses are parted by commas (RFC 8904 2). */
static void
put_addresses(struct mfx_authres_writer *w, const struct mfx_dnswl *d)
{
    char list[IPS_MAX * (MFX_IP_TEXT + 1)], ip[MFX_IP_TEXT];
    size_t len = 0;
    for (size_t i = 0; i < d->ip_count && i < IPS_MAX; i++) {
        struct mfx_str text = mfx_str_of(mfx_ip_format(&d->ips[i], ip));
        if (i > 0)
            list[len++] = ',';
        memcpy(list + len, text.p, text.len);
        len += text.len;
    }
    mfx_authres_property(w, "policy", "ip", mfx_str(list, len));
}

void
mfx_spf_header_dnswl(struct mfx_authres_writer *w, const struct mfx_dnswl *d)
{
    mfx_authres_result(w, "dnswl", dnswl_result_name(d->result),
                       mfx_str(NULL, 0), mfx_str(NULL, 0));
    mfx_authres_property(w, "dns", "zone", d->zone);
    mfx_authres_property(w, "dns", "sec", mfx_str_of(dnswl_sec_name(d->sec)));
    if (d->result != MFX_DNSWL_PASS)
        return;
    put_addresses(w, d);
    mfx_authres_property(w, "policy", "txt", d->txt);
}

/* --- whose a field is --- */

/* Behind "receiver": white space or comments and "=", and then, as the name,
 * what stands before the next ";". */
static bool
take_receiver(struct mfx_str rest, struct mfx_str *name)
{
    rest = mfx_str_head(rest, mfx_str_find(rest, ';'));
    size_t equals = mfx_str_find(rest, '=');
    struct mfx_str between = mfx_str_trim(mfx_str_head(rest, equals));
    *name = mfx_str_from(rest, equals + 1);
    return equals < rest.len && (between.len == 0 || between.p[0] == '(');
}

/* "(name: ..." as the first comment. */
static bool
take_writer(struct mfx_str value, struct mfx_str *name)
{
    size_t open = mfx_str_find(value, '(');
    struct mfx_str comment = mfx_str_from(value, open + 1);
    size_t colon = mfx_str_find(comment, ':');
    *name = mfx_str_trim(mfx_str_head(comment, colon));
    return colon < comment.len && name->len > 0 &&
           mfx_str_find(*name, ' ') == name->len &&
           mfx_str_find(*name, ')') == name->len;
}

bool
mfx_spf_header_claims(struct mfx_str value,
                      bool (*is_ours)(struct mfx_str name, void *arg),
                      void *arg)
{
    static const struct mfx_str key = MFX_STR("receiver");
    struct mfx_str name;
    bool any = take_writer(value, &name);
    if (any && is_ours(name, arg))
        return true;
    for (size_t i = 0; i + key.len <= value.len; i++) {
        if (!mfx_str_starts_nocase(mfx_str_from(value, i), key) ||
            !take_receiver(mfx_str_from(value, i + key.len), &name))
            continue;
        if (is_ours(name, arg))
            return true;
        any = true;
    }
    return !any;
}
