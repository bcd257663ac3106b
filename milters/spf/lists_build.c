/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to lists. What is complained about is called by its place, not
 * by its zone: that may hold a key.
 */
#include <stdlib.h>

#include <mfx/policy/reply_text.h>

#include "list_impl.h"

/* What a group says, or what lists.sites stands for. */
struct building {
    const struct mfx_policy_build *build;
    const struct spf_list_settings *settings;
    struct spf_lists *lists;
    const struct spf_dns_list_settings *group; /* the one being read */
    const char *place;                         /* "dns_lists[0]"; "lists" */
    struct spf_list like; /* what all lists of the group are alike in */
    enum mfx_rc rc;
};

static void
complain(struct building *b, enum mfx_problem_kind kind, const char *setting,
         const char *what)
{
    char name[64];
    unsigned line = 0;
    (void)snprintf(name, sizeof name, "%s.%s", b->place, setting);
    const char *file = mfx_config_where(b->build->config, name, &line);
    if (file == NULL)
        file = mfx_config_where(b->build->config, b->place, &line);
    mfx_problem_add(b->build->problems, kind, file == NULL ? "" : file, line,
                    "%s: %s", name, what);
    if (kind == MFX_PROBLEM_ERROR)
        b->rc = MFX_PERMFAIL;
}

static void
complain_at(struct building *b, const char *setting, size_t number,
            const struct mfx_dns_list_mistake *mistake)
{
    char what[200];
    (void)snprintf(what, sizeof what, "entry %zu, character %zu: %s", number,
                   mistake->at + 1, mistake->what);
    complain(b, MFX_PROBLEM_ERROR, setting, what);
}

/* --- keys --- */

static bool
read_key(struct building *b, struct mfx_str word)
{
    for (int k = 0; k < SPF_LIST_KEY_COUNT; k++)
        if (mfx_str_is(word, spf_list_key_name((enum spf_list_key)k)))
            return b->like.keys[k] = true;
    return false;
}

/* What a list of this type can be asked for. */
static bool
fits(enum mfx_dns_list_type type, enum spf_list_key key)
{
    bool is_address = key == SPF_LIST_SENDER || key == SPF_LIST_FROM;
    switch (type) {
    case MFX_DNS_LIST_TYPE_ADDRESS:
        return key == SPF_LIST_CLIENT;
    case MFX_DNS_LIST_TYPE_DOMAIN:
        return key != SPF_LIST_CLIENT && !is_address;
    case MFX_DNS_LIST_TYPE_HASH:
        return key != SPF_LIST_CLIENT;
    }
    return false;
}

static void
read_keys(struct building *b)
{
    static const enum spf_list_key presets[] = {
        [MFX_DNS_LIST_TYPE_ADDRESS] = SPF_LIST_CLIENT,
        [MFX_DNS_LIST_TYPE_DOMAIN] = SPF_LIST_SENDER_DOMAIN,
        [MFX_DNS_LIST_TYPE_HASH] = SPF_LIST_SENDER,
    };
    const struct mfx_option_list *keys = &b->group->keys;
    for (size_t i = 0; i < keys->count; i++)
        if (!read_key(b, keys->items[i]))
            complain(b, MFX_PROBLEM_ERROR, "keys",
                     "client, client_name, helo, sender_domain, sender, "
                     "from_domain or from");
    if (keys->count == 0)
        b->like.keys[presets[b->like.type]] = true;
    for (int k = 0; k < SPF_LIST_KEY_COUNT; k++)
        if (b->like.keys[k] && !fits(b->like.type, (enum spf_list_key)k))
            complain(b, MFX_PROBLEM_ERROR, "keys",
                     "a list of addresses is asked for client, one of domains "
                     "for names, one of hashes for names or mail addresses");
}

/* --- error codes --- */

/* By 127.0.0.255 dnswl.org refuses (too many questions), by 127.0.1.255 DBL
 * says that it was asked for an address. */
static const char *
known_code(struct mfx_str zone)
{
    static const struct {
        const char *zone, *code;
    } known[] = {
        {"dnswl.org",           "127.0.0.255"},
        {"dbl.spamhaus.org",    "127.0.1.255"},
        {"dbl.dq.spamhaus.net", "127.0.1.255"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct mfx_str name = mfx_str_of(known[i].zone);
        if (mfx_str_eq_nocase(zone, name) ||
            (mfx_str_ends_nocase(zone, name) &&
             zone.p[zone.len - name.len - 1] == '.'))
            return known[i].code;
    }
    return NULL;
}

static void
read_error_codes(struct building *b, struct spf_list *list)
{
    const struct mfx_option_list *codes = &b->group->error_codes;
    const char *known = known_code(list->zone);
    struct mfx_dns_list_filter *filters = mfx_arena_alloc_array(
        b->lists->arena, codes->count + 1, sizeof *filters);
    size_t count = 0;
    if (filters == NULL)
        return;
    for (size_t i = 0; i < codes->count; i++) {
        struct mfx_dns_list_mistake mistake;
        if (mfx_dns_list_filter_parse(codes->items[i], &filters[count],
                                      &mistake) == MFX_OK)
            count++;
        else
            complain_at(b, "error_codes", i + 1, &mistake);
    }
    if (known != NULL &&
        mfx_dns_list_filter_parse(mfx_str_of(known), &filters[count], NULL) ==
            MFX_OK)
        count++;
    list->rules.error_codes = filters;
    list->rules.error_code_count = count;
}

/* --- hashes --- */

static void
read_hash(struct building *b)
{
    struct spf_list *like = &b->like;
    if (like->type != MFX_DNS_LIST_TYPE_HASH)
        return;
    like->encoding = (enum spf_list_encoding)b->group->encoding;
    like->digest =
        spf_list_digest((enum spf_list_hash)b->group->hash, b->lists->arena);
    if (like->digest == NULL) {
        complain(b, MFX_PROBLEM_ERROR, "hash",
                 "not to be had from OpenSSL on this system");
        return;
    }
    if (spf_list_label_len(like->digest, like->encoding) >
        MFX_DNS_LIST_LABEL_MAX) {
        complain(b, MFX_PROBLEM_ERROR, "encoding",
                 "sha256 in hex has 64 octets, a label of a name 63 at most: "
                 "base32 is wanted");
    }
}

/* --- zones --- */

static bool
is_public_name(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '"' ||
            name.p[i] == '\\')
            return false;
    return name.len > 0;
}

/* The zone's own name, or what reply_map says. */
static void
read_name(struct building *b, struct spf_list *list)
{
    struct mfx_str value = list->zone;
    struct mfx_err err = {""};
    enum mfx_rc rc = MFX_NOTFOUND;
    if (b->settings->reply_map != NULL)
        rc = mfx_table_get(b->settings->reply_map, list->zone, b->lists->arena,
                           &value, &err);
    list->is_mapped = rc == MFX_OK;
    list->name = mfx_arena_copy(
        b->lists->arena, list->is_mapped ? mfx_str_trim(value) : list->zone);
    if (rc == MFX_TEMPFAIL)
        b->rc = mfx_rc_worst(b->rc, MFX_TEMPFAIL);
    if ((rc != MFX_OK && rc != MFX_NOTFOUND) || !is_public_name(list->name)) {
        const char *place = b->place;
        b->place = "lists";
        complain(b, MFX_PROBLEM_ERROR, "reply_map",
                 err.msg[0] != '\0' ? err.msg
                                    : "a public name is printable ASCII "
                                      "without blanks and quotes");
        b->place = place;
    }
}

static struct spf_list *
find_list(struct spf_list *lists, size_t count, struct mfx_str zone)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_str_eq_nocase(lists[i].zone, zone))
            return &lists[i];
    return NULL;
}

static void
check_site(struct building *b, const struct spf_list *list,
           const struct mfx_dns_list_site *site)
{
    for (size_t i = 0; i < list->rules.site_count; i++)
        if (mfx_str_eq(list->rules.sites[i].filter_text, site->filter_text))
            complain(b, MFX_PROBLEM_WARNING, "sites",
                     "a zone stands there twice with the same filter: both "
                     "weights count");
    if (site->weight < 0 && !list->keys[SPF_LIST_CLIENT])
        complain(b, MFX_PROBLEM_WARNING, "sites",
                 "a negative weight for something that every sender can "
                 "claim");
}

/* One more site; the sites of a list lie in an array with room for all. */
static bool
add_site(struct building *b, const struct mfx_dns_list_site *site, size_t first,
         size_t room)
{
    struct spf_lists *all = b->lists;
    struct spf_list *list =
        find_list(all->lists + first, all->count - first, site->zone);
    if (list == NULL) {
        list = &all->lists[all->count];
        *list = b->like;
        list->zone = mfx_arena_copy(all->arena, site->zone);
        list->rules.sites =
            mfx_arena_alloc_array(all->arena, room, sizeof *site);
        list->state = spf_lists_state(all->shared, list->type, list->zone);
        if (list->zone.p == NULL || list->rules.sites == NULL ||
            list->state == NULL)
            return false;
        all->count++;
        read_error_codes(b, list);
        read_name(b, list);
    }
    check_site(b, list, site);
    struct mfx_dns_list_site *to =
        (struct mfx_dns_list_site *)list->rules.sites +
        list->rules.site_count++;
    *to = *site;
    to->zone = list->zone;
    to->filter_text = mfx_arena_copy(all->arena, site->filter_text);
    return true;
}

static size_t
count_sites(const struct mfx_option_list *sites)
{
    size_t count = 0;
    for (size_t i = 0; i < sites->count; i++) {
        struct mfx_str rest = sites->items[i], entry;
        while (mfx_dns_list_site_next(&rest, &entry))
            count++;
    }
    return count;
}

static void
read_sites(struct building *b)
{
    const struct mfx_option_list *sites = &b->group->sites;
    size_t first = b->lists->count, room = count_sites(sites), number = 0;
    for (size_t i = 0; i < sites->count; i++) {
        struct mfx_str rest = sites->items[i], entry;
        while (mfx_dns_list_site_next(&rest, &entry)) {
            struct mfx_dns_list_site site;
            struct mfx_dns_list_mistake mistake;
            number++;
            if (mfx_dns_list_site_parse(entry, &site, &mistake) != MFX_OK)
                complain_at(b, "sites", number, &mistake);
            else if (!add_site(b, &site, first, room))
                b->rc = mfx_rc_worst(b->rc, MFX_TEMPFAIL);
        }
    }
}

/* --- groups --- */

static bool
wants_txt(struct mfx_str text)
{
    static const struct mfx_str name = MFX_STR("$txt");
    for (size_t i = 0; i < text.len; i++)
        if (mfx_str_starts(mfx_str_from(text, i), name))
            return true;
    return false;
}

static void
read_group(struct building *b)
{
    const struct spf_dns_list_settings *group = b->group;
    struct mfx_str text = group->text.len > 0 ? group->text : b->settings->text;
    if (group->mode == SPF_LIST_OFF)
        return;
    b->like = (struct spf_list){
        .group = mfx_arena_copy(b->lists->arena, group->name),
        .type = (enum mfx_dns_list_type)group->type,
        .mode = (enum spf_list_mode)group->mode,
        .test = (enum mfx_dns_list_test)group->health,
        .has_ipv6 = group->ipv6,
        .is_dnswl = group->dnswl,
        .wants_txt = group->dnswl || wants_txt(text),
        .text = mfx_arena_copy(b->lists->arena, group->text),
    };
    if (text.len > MFX_REPLY_TEXT_MAX)
        complain(b, MFX_PROBLEM_ERROR, "text", "too long");
    if (group->dnswl && group->type != MFX_DNS_LIST_TYPE_ADDRESS)
        complain(b, MFX_PROBLEM_ERROR, "dnswl",
                 "for lists of addresses only (RFC 8904)");
    read_keys(b);
    read_hash(b);
    read_sites(b);
}

static void
read_groups(struct building *b)
{
    static const struct mfx_option_list none = {NULL, 0};
    const struct mfx_option_groups *groups = &b->settings->groups;
    const struct spf_dns_list_settings *items = groups->items;
    const struct spf_dns_list_settings plain = {
        .sites = b->settings->sites,
        .keys = none,
        .type = MFX_DNS_LIST_TYPE_ADDRESS,
        .mode = SPF_LIST_ENFORCE,
        .health = MFX_DNS_LIST_TEST_RFC5782,
        .ipv6 = true,
    };
    char place[32];
    b->group = &plain;
    b->place = "lists";
    read_group(b);
    for (size_t i = 0; i < groups->count; i++) {
        (void)snprintf(place, sizeof place, "dns_lists[%zu]", i);
        b->group = &items[i];
        b->place = place;
        if (count_sites(&items[i].sites) == 0)
            complain(b, MFX_PROBLEM_WARNING, "sites", "no list is named");
        read_group(b);
    }
    b->place = "lists";
}

/* --- all of it --- */

static void
read_code(struct building *b, bool is_final, const char *setting,
          struct mfx_str text)
{
    struct mfx_str enhanced;
    unsigned *code = &b->lists->codes[is_final];
    if (!mfx_reply_code_parse(text, code, &enhanced) ||
        *code / 100 != (is_final ? 5 : 4))
        complain(b, MFX_PROBLEM_ERROR, setting,
                 is_final ? "a code as \"550 5.7.1\" is wanted"
                          : "a code as \"451 4.7.1\" is wanted");
    else
        b->lists->enhanced[is_final] =
            mfx_arena_copy(b->lists->arena, enhanced);
}

static void
read_rest(struct building *b)
{
    const struct spf_list_settings *s = b->settings;
    struct spf_lists *l = b->lists;
    l->tag_at = s->tag_at;
    l->tempfail_at = s->tempfail_at;
    l->reject_at = s->reject_at;
    l->allow_at = s->allow_at;
    l->timeout_ms = s->timeout_ms;
    l->text = mfx_arena_copy(l->arena, s->text);
    l->interval_ms = s->health.interval_s * 1000;
    l->retry_ms = s->health.retry_s * 1000;
    l->failures = s->health.failures;
    l->trouble = s->health.trouble;
    l->ad_is_trusted = b->build->dns_is_trusted;
    read_code(b, true, "code", s->code);
    read_code(b, false, "tempfail_code", s->tempfail_code);
    if (s->cache_min_s > s->cache_max_s)
        complain(b, MFX_PROBLEM_ERROR, "cache_min",
                 "more than lists.cache_max");
    for (size_t i = 0; i < l->count; i++)
        for (int k = 0; k < SPF_LIST_KEY_COUNT; k++)
            l->wants[k] |= l->lists[i].keys[k];
}

static bool
make_cache(struct building *b, const struct spf_lists *previous)
{
    const struct mfx_dns_list_cache_limits limits = {
        .entries = (size_t)b->settings->cache_size,
        .min_s = (uint32_t)b->settings->cache_min_s,
        .max_s = (uint32_t)b->settings->cache_max_s,
    };
    if (previous != NULL && mfx_dns_list_cache_has(previous->cache, &limits))
        b->lists->cache = mfx_dns_list_cache_hold(previous->cache);
    else
        b->lists->cache = mfx_dns_list_cache_new(&limits);
    return b->lists->cache != NULL;
}

static size_t
count_all(const struct spf_list_settings *settings)
{
    const struct spf_dns_list_settings *groups = settings->groups.items;
    size_t count = count_sites(&settings->sites);
    for (size_t i = 0; i < settings->groups.count; i++)
        if (groups[i].mode != SPF_LIST_OFF)
            count += count_sites(&groups[i].sites);
    return count;
}

static struct spf_lists *
make(const struct spf_lists *previous, size_t room)
{
    struct spf_lists *lists = calloc(1, sizeof *lists);
    if (lists == NULL)
        return NULL;
    atomic_init(&lists->holds, 1);
    lists->arena = mfx_arena_new(0);
    if (lists->arena != NULL)
        lists->lists =
            mfx_arena_alloc_array(lists->arena, room, sizeof *lists->lists);
    lists->shared = spf_lists_share(previous);
    if (lists->lists != NULL && lists->shared != NULL)
        return lists;
    spf_lists_free(lists);
    return NULL;
}

enum mfx_rc
spf_lists_new(const struct spf_list_settings *settings,
              const struct mfx_policy_build *build,
              const struct spf_lists *previous, const struct spf_lists **lists)
{
    struct building b = {.build = build, .settings = settings, .rc = MFX_OK};
    *lists = NULL;
    b.lists = make(previous, count_all(settings) + 1);
    if (b.lists == NULL)
        return MFX_TEMPFAIL;
    read_groups(&b);
    read_rest(&b);
    if (!make_cache(&b, previous) || !mfx_arena_ok(b.lists->arena))
        b.rc = mfx_rc_worst(b.rc, MFX_TEMPFAIL);
    if (b.rc == MFX_OK && b.lists->count > 0)
        *lists = b.lists;
    else
        spf_lists_free(b.lists);
    return b.rc;
}
