/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An error of the PTR question is as good as no name, one of a name's
 * addresses drops that name (RFC 7208 5.5).
 */
#include <mfx/auth/spf_check.h>
#include <mfx/mail/address.h>

void
spf_names_ask(struct spf_check *check)
{
    static const struct mfx_str reverse = MFX_STR("%{ir}.%{v}.arpa");
    struct spf_names *names = &check->names;
    struct mfx_str name;
    if (names->asked != NULL || names->is_read)
        return;
    if (spf_expand(check, reverse, check->subject.domain, MFX_SPF_IN_DOMAIN,
                   &name))
        names->asked = spf_ask(check, name, MFX_DNS_PTR);
    names->is_read = names->asked == NULL;
}

/* Of more than ten the rest is not looked at (4.6.4). */
static void
read_names(struct spf_check *check)
{
    struct spf_names *names = &check->names;
    const struct mfx_dns_answer *answer = spf_answer(names->asked);
    names->is_read = true;
    if (answer->status != MFX_DNS_ANSWER)
        return;
    for (; names->count < answer->count && names->count < SPF_HOSTS;
         names->count++)
        names->name[names->count] = answer->records[names->count].text;
}

static bool
is_valid(const struct spf_check *check, size_t i)
{
    return check->names.host[i] != NULL &&
           spf_is_answered(check->names.host[i]) &&
           spf_has_client(check, check->names.host[i], 32, 128);
}

/* Whose names these are asked for: a term of a record, or the explanation. */
static const struct mfx_spf_term *
term_of(const struct spf_check *check)
{
    if (check->state == SPF_AT_EXPLAIN || check->state == SPF_AT_TEXT)
        return &check->frames[0].page->summary.explanation;
    return &check->term;
}

static void
trace_names(struct spf_check *check, const struct mfx_spf_term *term)
{
    struct spf_names *names = &check->names;
    spf_trace_once(check, term, names->asked, "names of the client");
    for (size_t i = 0; i < names->count; i++)
        spf_trace_once(check, term, names->host[i],
                       is_valid(check, i) ? "is the client"
                                          : "is not the client");
}

static bool
is_wanted(const struct spf_names *names, size_t i, struct mfx_str within)
{
    return within.len == 0 || mfx_domain_is_within(names->name[i], within);
}

enum spf_step
spf_names_read(struct spf_check *check, struct mfx_str within)
{
    struct spf_names *names = &check->names;
    enum spf_step step = SPF_GOES_ON;
    spf_names_ask(check);
    if (!spf_is_answered(names->asked)) {
        check->waiting = names->asked;
        return SPF_WAITS;
    }
    if (!names->is_read)
        read_names(check);
    for (size_t i = 0; i < names->count; i++)
        if (is_wanted(names, i, within) && names->host[i] == NULL)
            names->host[i] =
                spf_ask(check, names->name[i], spf_address_type(check));
    for (size_t i = 0; i < names->count; i++)
        if (names->host[i] != NULL && !spf_is_answered(names->host[i])) {
            check->waiting = names->host[i];
            step = SPF_WAITS;
        }
    if (step == SPF_GOES_ON && check->config.wants_trace)
        trace_names(check, term_of(check));
    return step;
}

bool
spf_names_match(const struct spf_check *check, struct mfx_str within)
{
    for (size_t i = 0; i < check->names.count; i++)
        if (is_wanted(&check->names, i, within) && is_valid(check, i))
            return true;
    return false;
}

bool
spf_names_are_known(const struct spf_check *check)
{
    if (!check->names.is_read)
        return false;
    for (size_t i = 0; i < check->names.count; i++)
        if (check->names.host[i] == NULL ||
            !spf_is_answered(check->names.host[i]))
            return false;
    return true;
}

/* The domain itself, else a name below it, else any (7.3). */
struct mfx_str
spf_names_best(const struct spf_check *check, struct mfx_str domain)
{
    struct mfx_str below = mfx_str(NULL, 0), any = below;
    for (size_t i = 0; i < check->names.count; i++) {
        struct mfx_str name = check->names.name[i];
        if (!is_valid(check, i))
            continue;
        if (mfx_str_eq_nocase(name, domain))
            return name;
        if (below.len == 0 && mfx_domain_is_within(name, domain))
            below = name;
        if (any.len == 0)
            any = name;
    }
    return below.len > 0 ? below : any;
}
