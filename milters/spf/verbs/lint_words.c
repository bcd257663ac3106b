/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What can be said of a record without asking for anything.
 */
#include "lint.h"

enum {
    STRING_MAX = 255, /* RFC 7208 3.3 */
    WIDE4 = 8,        /* networks of so few bits are hardly one sender's */
    WIDE6 = 16,
};

/* --- what is wrong with a word --- */

/* What was probably meant. */
static const struct {
    const char *start, *advice;
} advices[] = {
    {"ip:",       "write ip4: or ip6:"                              },
    {"ipv4:",     "write ip4:"                                      },
    {"ipv6:",     "write ip6:"                                      },
    {"ip4/",      "write ip4:"                                      },
    {"redirect:", "a modifier has \"=\": redirect="                 },
    {"exp:",      "a modifier has \"=\": exp="                      },
    {"includes",  "write include:"                                  },
    {"inlcude",   "write include:"                                  },
    {"incldue",   "write include:"                                  },
    {"mx.",       "write mx:"                                       },
    {"txt:",      "TXT records are named by include:"               },
    {"v=",        "the version stands once, at the beginning"       },
    {"any",       "write all"                                       },
    {"host:",     "write a:"                                        },
    {"include:",  "a domain name with two labels at least is needed"},
};

static bool
is_separator(char c)
{
    return c == ',' || c == ';';
}

static const char *
advise(struct mfx_str word)
{
    struct mfx_ip ip;
    size_t slash = mfx_str_find(word, '/');
    if (word.len > 0 && is_separator(word.p[word.len - 1]))
        return "terms are parted by blanks alone";
    if (mfx_ip_parse(mfx_str_head(word, slash), &ip) == MFX_OK)
        return ip.family == MFX_IP_V4 ? "write ip4: before it"
                                      : "write ip6: before it";
    if (word.len > 0 && mfx_str_has(mfx_str_of("+-~?"), word.p[0]))
        word = mfx_str_from(word, 1);
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (mfx_str_starts_nocase(word, mfx_str_of(advices[i].start)))
            return advices[i].advice;
    return NULL;
}

/* Does a string of the TXT record end within these octets? Of a record from
 * DNS that is not known: most are cut at 255. */
static bool
has_join(const struct lint_page *page, size_t at, size_t len)
{
    for (size_t i = 0; i < page->join_count; i++)
        if (page->joins[i] > at && page->joins[i] < at + len)
            return true;
    size_t next = (at / STRING_MAX + 1) * STRING_MAX;
    return page->join_count == 0 && next < at + len;
}

static void
say_syntax(struct lint *l, const struct lint_page *page,
           const struct lint_term *t)
{
    struct mfx_str word = t->term.text;
    const char *advice = advise(word);
    size_t at = t->wrong_at < word.len ? t->wrong_at : 0;
    bool joins = has_join(page, t->at, word.len);
    lint_say_at(l, LINT_WRONG, "syntax", "4.6", page, t->at + at, word.len - at,
                "%s: the whole record is a permerror%s%s%s", t->wrong,
                advice == NULL ? "" : "; ", advice == NULL ? "" : advice,
                joins ? "; strings of a TXT record are joined without a blank "
                        "(3.3), and one seems to end here"
                      : "");
}

/* --- blanks that are missing --- */

/* Where in a domain another term seems to begin; len: none does. */
static size_t
find_glued(struct mfx_str s)
{
    static const char *const starts[] = {
        "include:", "ip4:", "ip6:", "exists:", "redirect=", "exp="};
    for (size_t at = 1; at < s.len; at++) {
        struct mfx_str rest = mfx_str_from(s, at);
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
            if (mfx_str_starts_nocase(rest, mfx_str_of(starts[i])))
                return at;
        if (mfx_str_has(mfx_str_of("+-~?"), s.p[at]) &&
            mfx_str_is_nocase(mfx_str_from(rest, 1), "all"))
            return at;
    }
    return s.len;
}

static void
say_glued(struct lint *l, const struct lint_page *page,
          const struct lint_term *t)
{
    struct mfx_str spec = t->term.domain_spec;
    size_t glued = find_glued(spec);
    if (glued == spec.len)
        return;
    size_t before = (size_t)(spec.p - t->term.text.p) + glued;
    lint_say_at(l, LINT_WRONG, "blank", "3.3", page, t->at + before,
                t->term.text.len - before,
                "no blank before this: it is taken as part of the domain "
                "(strings of a TXT record are joined without one)");
}

/* --- names --- */

static void
say_name(struct lint *l, const struct lint_page *page,
         const struct lint_term *t)
{
    struct mfx_str spec = t->term.domain_spec;
    if (!t->term.has_macros && spec.len > 0 && !lint_is_name(spec))
        lint_say_at(l, LINT_WRONG, "name", "4.3", LINT_TERM(page, t),
                    "no name that could be looked up: labels have 1 to 63 "
                    "octets, names 253");
}

static bool
has_macro(struct mfx_str spec, const char *letters)
{
    for (size_t i = 0; i + 2 < spec.len; i++)
        if (spec.p[i] == '%' && spec.p[i + 1] == '{' &&
            mfx_str_has(mfx_str_of(letters), spec.p[i + 2]))
            return true;
    return false;
}

static void
say_macros(struct lint *l, const struct lint_page *page,
           const struct lint_term *t)
{
    struct mfx_str spec = t->term.domain_spec;
    if (has_macro(spec, "pP"))
        lint_say_at(l, LINT_DOUBT, "macro-p", "7.2", LINT_TERM(page, t),
                    "the macro p (do not use): it costs PTR lookups and is "
                    "often \"unknown\"");
    if (has_macro(spec, "SLODIPHVCRT"))
        lint_say_at(l, LINT_HINT, "macro-upper", "7.3", LINT_TERM(page, t),
                    "uppercase macros are URL escaped, which no name in DNS "
                    "is");
}

/* --- networks --- */

static const struct {
    const char *net, *what;
} specials[] = {
    {"10.0.0.0/8",     "is private (RFC 1918)"   },
    {"172.16.0.0/12",  "is private (RFC 1918)"   },
    {"192.168.0.0/16", "is private (RFC 1918)"   },
    {"100.64.0.0/10",  "is shared (RFC 6598)"    },
    {"127.0.0.0/8",    "is the host itself"      },
    {"169.254.0.0/16", "is link-local (RFC 3927)"},
    {"224.0.0.0/4",    "is multicast"            },
    {"fc00::/7",       "is private (RFC 4193)"   },
    {"fe80::/10",      "is link-local (RFC 4291)"},
    {"::1/128",        "is the host itself"      },
    {"ff00::/8",       "is multicast"            },
};

static const char *
special_of(const struct mfx_net *net)
{
    bool has_host_bits;
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        struct nets one = {.count = 1};
        struct mfx_net special;
        if (mfx_net_parse(mfx_str_of(specials[i].net), &special,
                          &has_host_bits) != MFX_OK)
            continue;
        one.items = &special;
        if (nets_hold(&one, net))
            return specials[i].what;
    }
    return NULL;
}

/* "ip4:192.0.2.1/24" */
static void
say_host_bits(struct lint *l, const struct lint_page *page,
              const struct lint_term *t)
{
    struct mfx_ip ip;
    struct mfx_str text = t->term.text;
    text = mfx_str_from(text, mfx_str_find(text, ':') + 1);
    text = mfx_str_head(text, mfx_str_find(text, '/'));
    if (mfx_ip_parse(text, &ip) != MFX_OK ||
        ip.family != t->term.net.ip.family || mfx_ip_eq(&ip, &t->term.net.ip))
        return;
    struct mfx_buf net;
    mfx_buf_init_arena(&net, l->run->arena, MFX_IP_TEXT + 4);
    nets_write(&net, &t->term.net);
    lint_say_at(l, LINT_DOUBT, "host-bits", "5.6", LINT_TERM(page, t),
                "an address inside a network: all of %s is meant",
                mfx_buf_text(&net));
}

static void
say_wide(struct lint *l, const struct lint_page *page,
         const struct lint_term *t, unsigned bits4, unsigned bits6)
{
    bool is_wide = bits4 < WIDE4 || bits6 < WIDE6;
    unsigned bits = bits4 < WIDE4 ? bits4 : bits6;
    if (bits == 0 && is_wide)
        lint_say_at(l, LINT_DOUBT, "wide", "5.6", LINT_TERM(page, t),
                    "every IPv%c address there is", bits4 == 0 ? '4' : '6');
    else if (is_wide)
        lint_say_at(l, LINT_DOUBT, "wide", "5.6", LINT_TERM(page, t),
                    "a network of /%u is hardly all yours", bits);
}

static void
say_net(struct lint *l, const struct lint_page *page, const struct lint_term *t)
{
    bool is_v4 = t->term.kind == MFX_SPF_IP4;
    unsigned prefix = t->term.net.prefix;
    const char *special = special_of(&t->term.net);
    say_host_bits(l, page, t);
    say_wide(l, page, t, is_v4 ? prefix : 32, is_v4 ? 128 : prefix);
    if (special != NULL)
        lint_say_at(l, LINT_HINT, "special", "5.6", LINT_TERM(page, t),
                    "this %s: no client comes from there over the Internet",
                    special);
}

/* --- modifiers --- */

/* "ip4=192.0.2.1" is right by the grammar, and nothing. */
static void
say_unknown(struct lint *l, const struct lint_page *page,
            const struct lint_term *t)
{
    static const char *const mechanisms[] = {"all", "include", "a",   "mx",
                                             "ptr", "ip4",     "ip6", "exists"};
    struct mfx_str name = t->term.text;
    name = mfx_str_head(name, mfx_str_find(name, '='));
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (mfx_str_is_nocase(name, mechanisms[i])) {
            lint_say_at(l, LINT_WRONG, "modifier", "6", LINT_TERM(page, t),
                        "with \"=\" this is an unknown modifier, which is "
                        "ignored; write %s:",
                        mechanisms[i]);
            return;
        }
    lint_say_at(l, LINT_HINT, "modifier", "6", LINT_TERM(page, t),
                "an unknown modifier: it is ignored");
}

static bool
has_fail(const struct lint_page *page)
{
    for (size_t i = 0; i < page->term_count; i++)
        if (page->terms[i].term.qualifier == MFX_SPF_FAIL &&
            !page->terms[i].is_dead)
            return true;
    return false;
}

static void
say_explanation(struct lint *l, const struct lint_page *page,
                const struct lint_term *t)
{
    if (page->redirect != NULL && !has_fail(page))
        lint_say_at(l, LINT_HINT, "dead", "6.2", LINT_TERM(page, t),
                    "where redirect decides, the exp of its target is the one "
                    "that counts");
    else if (!has_fail(page))
        lint_say_at(l, LINT_HINT, "dead", "6.2", LINT_TERM(page, t),
                    "an explanation is for fail alone, and no term has \"-\"");
}

static void
say_redirect(struct lint *l, const struct lint_page *page,
             const struct lint_term *t)
{
    if (page->all != NULL)
        lint_say_at(l, LINT_DOUBT, "dead", "6.1", LINT_TERM(page, t),
                    "redirect is ignored, since the record has \"all\"");
    else if (t + 1 < page->terms + page->term_count)
        lint_say_at(l, LINT_HINT, "order", "6.1", LINT_TERM(page, t),
                    "for clarity, redirect should be the very last term");
}

/* --- terms --- */

static void
say_all(struct lint *l, const struct lint_page *page, const struct lint_term *t)
{
    if (t->term.qualifier == MFX_SPF_PASS)
        lint_say_at(l, LINT_DOUBT, "pass-all", "5.1", LINT_TERM(page, t),
                    "everybody may send: every address passes");
    if (t->term.qualifier == MFX_SPF_NEUTRAL)
        lint_say_at(l, LINT_DOUBT, "neutral-all", "8.2", LINT_TERM(page, t),
                    "neutral must be treated like none: the record protects "
                    "nothing; write ~all or -all");
}

static void
say_term(struct lint *l, const struct lint_page *page,
         const struct lint_term *t)
{
    say_glued(l, page, t);
    say_name(l, page, t);
    say_macros(l, page, t);
    switch (t->term.kind) {
    case MFX_SPF_ALL:
        if (t == page->all)
            say_all(l, page, t);
        break;
    case MFX_SPF_PTR:
        lint_say_at(l, LINT_DOUBT, "ptr", "5.5", LINT_TERM(page, t),
                    "ptr should not be published: it is slow, and not as "
                    "reliable as other mechanisms");
        break;
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
        say_net(l, page, t);
        break;
    case MFX_SPF_A:
    case MFX_SPF_MX:
        say_wide(l, page, t, t->term.cidr4, t->term.cidr6);
        break;
    case MFX_SPF_REDIRECT:
        say_redirect(l, page, t);
        break;
    case MFX_SPF_EXPLANATION:
        say_explanation(l, page, t);
        break;
    case MFX_SPF_UNKNOWN:
        say_unknown(l, page, t);
        break;
    case MFX_SPF_INCLUDE:
    case MFX_SPF_EXISTS:
        break;
    }
}

static bool
is_mechanism(const struct lint_term *t)
{
    return t->term.kind != MFX_SPF_REDIRECT &&
           t->term.kind != MFX_SPF_EXPLANATION &&
           t->term.kind != MFX_SPF_UNKNOWN;
}

/* All behind "all" in one: from the first to the last of them. */
static void
say_behind_all(struct lint *l, const struct lint_page *page)
{
    const struct lint_term *first = NULL, *last = NULL;
    for (size_t i = 0; i < page->term_count; i++) {
        const struct lint_term *t = &page->terms[i];
        if (!t->is_dead || !is_mechanism(t))
            continue;
        first = first == NULL ? t : first;
        last = t;
    }
    if (first != NULL)
        lint_say_at(l, LINT_DOUBT, "dead", "5.1", page, first->at,
                    last->at + last->term.text.len - first->at,
                    "mechanisms behind \"all\" will never be tested");
}

static void
say_twice(struct lint *l, const struct lint_page *page,
          enum mfx_spf_term_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < page->term_count; i++) {
        const struct lint_term *t = &page->terms[i];
        if (!t->is_broken && t->term.kind == kind && count++ == 1)
            lint_say_at(l, LINT_WRONG, "twice", "6", LINT_TERM(page, t),
                        "a second %s: the whole record is a permerror",
                        mfx_spf_term_name(kind));
    }
}

/* --- the record --- */

static void
say_end(struct lint *l, const struct lint_page *page)
{
    if (page->all != NULL || page->redirect != NULL || page->has_mistake ||
        page->is_cut)
        return;
    size_t end = page->text.len;
    lint_say_at(l, LINT_DOUBT, "no-end", "4.7", page, end, 0,
                "neither \"all\" nor redirect: who matches nothing is neutral, "
                "as with ?all; write ~all or -all");
}

static void
say_size(struct lint *l, const struct lint_page *page, bool is_from_file)
{
    if (page->is_cut)
        lint_say(l, LINT_DOUBT, "size", "3.4",
                 "more than %d terms: the rest is not looked at", LINT_TERMS);
    if (is_from_file && page->text.len > STRING_MAX && page->join_count == 0)
        lint_say(l, LINT_HINT, "strings", "3.3",
                 "%zu octets: a string of a TXT record holds 255; cut it so "
                 "that the blanks stay, \"... a \" \"mx ...\"",
                 page->text.len);
}

/* Of a record that someone else keeps up, what makes it fail is enough. */
static bool
is_ours(const struct lint_page *page)
{
    return page->parent == NULL || page->is_redirect;
}

void
lint_words(struct lint *l, struct lint_page *page)
{
    for (size_t i = 0; i < page->term_count; i++) {
        const struct lint_term *t = &page->terms[i];
        if (t->is_broken)
            say_syntax(l, page, t);
        else if (is_ours(page))
            say_term(l, page, t);
        else if (t == page->all && t->term.qualifier == MFX_SPF_PASS)
            say_all(l, page, t);
    }
    say_twice(l, page, MFX_SPF_REDIRECT);
    say_twice(l, page, MFX_SPF_EXPLANATION);
    if (!is_ours(page))
        return;
    say_behind_all(l, page);
    say_end(l, page);
    say_size(l, page, l->is_file && page->parent == NULL);
}
