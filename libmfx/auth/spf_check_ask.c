/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_check.h>

enum {
    TEXT_ROOM = 16 * 1024, /* a text that expands to more is none */
};

/* --- questions --- */

/* The budget holds by construction (see spf_check.h); that nothing is asked
 * beyond it must not hang on that alone. */
struct spf_asked *
spf_ask(struct spf_check *check, struct mfx_str name, enum mfx_dns_type type)
{
    struct spf_asked *asked = mfx_arena_alloc(check->arena, sizeof *asked);
    if (asked == NULL || check->queries >= MFX_SPF_QUERIES_MAX)
        return NULL;
    asked->name = name;
    asked->type = type;
    if (check->config.wants_trace)
        asked->asked_ms = check->env->mono_ms(check->env);
    asked->question = mfx_dns_ask(check->env->resolver, name, type);
    *check->asked_end = asked;
    check->asked_end = &asked->next;
    check->queries++;
    return asked;
}

bool
spf_is_answered(const struct spf_asked *asked)
{
    return asked == NULL || asked->question == NULL ||
           mfx_event_is_set(mfx_dns_question_event(asked->question));
}

const struct mfx_dns_answer *
spf_answer(const struct spf_asked *asked)
{
    return mfx_dns_question_answer(asked == NULL ? NULL : asked->question);
}

bool
spf_is_void(const struct spf_asked *asked)
{
    enum mfx_dns_status status = spf_answer(asked)->status;
    return status == MFX_DNS_NO_NAME || status == MFX_DNS_NO_DATA;
}

/* --- addresses --- */

static bool
is_within(const struct mfx_ip *a, const struct mfx_ip *b, unsigned bits)
{
    unsigned octets = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, octets) != 0)
        return false;
    return rest == 0 ||
           (a->bytes[octets] ^ b->bytes[octets]) >> (8 - rest) == 0;
}

bool
spf_has_client(const struct spf_check *check, const struct spf_asked *asked,
               unsigned cidr4, unsigned cidr6)
{
    const struct mfx_dns_answer *answer = spf_answer(asked);
    unsigned bits = check->ip.family == MFX_IP_V4 ? cidr4 : cidr6;
    if (answer->status != MFX_DNS_ANSWER)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        const struct mfx_ip *ip = &answer->records[i].ip;
        if (ip->family == check->ip.family && is_within(ip, &check->ip, bits))
            return true;
    }
    return false;
}

enum mfx_dns_type
spf_address_type(const struct spf_check *check)
{
    return check->ip.family == MFX_IP_V6 ? MFX_DNS_AAAA : MFX_DNS_A;
}

/* --- names --- */

bool
spf_expand(struct spf_check *check, struct mfx_str spec, struct mfx_str domain,
           enum mfx_spf_macro_place place, struct mfx_str *out)
{
    const struct mfx_spf_subject *subject = &check->subject;
    struct mfx_spf_macro_values values = {
        .sender = subject->sender,
        .local = subject->local,
        .sender_domain = subject->domain,
        .domain = domain,
        .validated = spf_names_best(check, domain),
        .helo = subject->helo,
        .receiver = check->receiver,
        .ip = check->ip,
        .now_s = check->env->wall_s(check->env),
        .is_text = place == MFX_SPF_IN_TEXT,
    };
    struct mfx_buf buf;
    mfx_buf_init_arena(&buf, check->arena,
                       values.is_text ? TEXT_ROOM : MFX_SPF_NAME_ROOM);
    bool is_good = mfx_spf_macro_expand(spec, &values, &buf);
    *out = mfx_buf_str(&buf);
    return is_good;
}

struct mfx_str
spf_target(struct spf_check *check, struct mfx_str spec, struct mfx_str domain)
{
    struct mfx_str name = spec;
    if (mfx_str_has(spec, '%') &&
        !spf_expand(check, spec, domain, MFX_SPF_IN_DOMAIN, &name))
        return mfx_str(NULL, 0);
    return mfx_spf_macro_name(name);
}

/* --- looks --- */

static enum mfx_dns_type
type_of(const struct spf_check *check, const struct mfx_spf_term *term)
{
    switch (term->kind) {
    case MFX_SPF_MX:
        return MFX_DNS_MX;
    case MFX_SPF_EXISTS:
        return MFX_DNS_A;
    case MFX_SPF_INCLUDE:
    case MFX_SPF_REDIRECT:
    case MFX_SPF_UNKNOWN: /* the first record */
        return MFX_DNS_TXT;
    case MFX_SPF_A:
    case MFX_SPF_ALL:
    case MFX_SPF_PTR:
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
    case MFX_SPF_EXPLANATION:
        break;
    }
    return spf_address_type(check);
}

/* What cannot be asked is not void (4.6.4, 4.8). A ptr does not ask for its
 * target. */
static bool
is_usable(const struct mfx_spf_term *term, struct mfx_str target)
{
    return target.len > 0 &&
           (term->kind == MFX_SPF_PTR || mfx_spf_is_name(target));
}

static struct spf_asked *
ask_for(struct spf_check *check, const struct spf_look *look,
        struct mfx_str name, enum mfx_dns_type type)
{
    struct spf_asked *asked = spf_ask(check, name, type);
    if (asked != NULL && look->owner != NULL) {
        asked->term = &look->term;
        asked->page = look->owner;
    }
    return asked;
}

struct spf_look *
spf_look_new(struct spf_check *check, const struct mfx_spf_term *term,
             struct spf_page *owner)
{
    struct spf_look *look = mfx_arena_alloc(check->arena, sizeof *look);
    struct mfx_str domain =
        owner == NULL ? check->subject.domain : owner->domain;
    if (look == NULL)
        return NULL;
    look->term = *term;
    look->owner = owner;
    look->target = domain;
    if (term->domain_spec.len > 0)
        look->target = spf_target(check, term->domain_spec, domain);
    look->is_unusable = !is_usable(term, look->target) ||
                        (term->uses_local && !check->subject.is_local_ascii);
    if (!look->is_unusable && term->kind != MFX_SPF_PTR)
        look->asked = ask_for(check, look, look->target, type_of(check, term));
    *check->looks_end = look;
    check->looks_end = &look->next;
    return look;
}

void
spf_look_hosts(struct spf_check *check, struct spf_look *look)
{
    const struct mfx_dns_answer *answer = spf_answer(look->asked);
    look->are_hosts_asked = true;
    for (size_t i = 0; i < answer->count && i < SPF_HOSTS; i++)
        if (mfx_spf_is_name(answer->records[i].text))
            look->hosts[look->host_count++] = ask_for(
                check, look, answer->records[i].text, spf_address_type(check));
}

/* --- records --- */

/* The one record among the answer's; NULL with the reason in the look. */
static const struct mfx_dns_record *
select_record(struct spf_look *look)
{
    const struct mfx_dns_answer *answer = spf_answer(look->asked);
    const struct mfx_dns_record *found = NULL;
    look->reading = SPF_UNKNOWN;
    look->problem = mfx_dns_status_name(answer->status);
    if (mfx_dns_rc(answer) == MFX_TEMPFAIL)
        return NULL;
    look->reading = SPF_ABSENT;
    look->problem = "no SPF record";
    for (size_t i = 0; i < answer->count; i++) {
        if (!mfx_spf_record_is_one(answer->records[i].text))
            continue;
        if (found != NULL) {
            look->reading = SPF_BROKEN;
            look->problem = "more than one SPF record";
            return NULL;
        }
        found = &answer->records[i];
    }
    return found;
}

void
spf_look_read(struct spf_check *check, struct spf_look *look)
{
    struct mfx_spf_mistake mistake;
    if (look->reading != SPF_UNREAD)
        return;
    if (look->is_unusable) {
        look->reading = SPF_ABSENT;
        look->problem = "no name to look up";
        return;
    }
    const struct mfx_dns_record *record = select_record(look);
    if (record == NULL)
        return;
    struct spf_page *page = mfx_arena_alloc(check->arena, sizeof *page);
    look->reading = SPF_UNKNOWN;
    look->problem = "out of memory";
    if (page == NULL)
        return;
    look->reading = SPF_BROKEN;
    if (mfx_spf_record_check(record->text, &page->summary, &mistake) !=
        MFX_OK) {
        look->problem = mistake.what;
        look->broken_term = mistake.term;
        return;
    }
    look->reading = SPF_READ;
    page->domain = look->target;
    page->text = record->text;
    page->base = look->base;
    page->hops = look->owner == NULL ? 0 : look->owner->hops + 1;
    page->parent = look->owner;
    look->page = page;
    *check->pages_end = page;
    check->pages_end = &page->next;
}
