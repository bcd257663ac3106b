/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dnsbl - what the configured DNS lists say of an address or a name
 *
 * Tests the lists, and then asks as the daemon does, by its own code; but it
 * waits for every answer, also when it is decided already.
 */
#include <inttypes.h>

#include <mfx/mail/address.h>

#include "../asking_impl.h"
#include "verbs.h"

enum {
    ADDRESSES = 16, /* of one answer */
};

/* One list asked about one thing, or not asked. */
struct row {
    const struct spf_list *list;
    struct spf_ask *ask; /* NULL: not asked */
    const char *why;     /* not asked */
    struct mfx_ip addresses[ADDRESSES];
    size_t address_count;
    bool is_answered;
    uint64_t ms;
    struct mfx_dns_question *txt_question;
    struct mfx_str txt;
};

struct work {
    const struct verb_run *run;
    const char *what, *key;
    bool reveals;
    struct spf_verb_site site;
    struct spf_asking *asking;
    struct row *rows;
    size_t row_count;
    const struct spf_score *score;
};

/* --- what is asked about --- */

static bool
is_wanted(const struct work *w, enum spf_list_key key)
{
    return w->key == NULL ||
           mfx_str_is(mfx_str_of(w->key), spf_list_key_name(key));
}

static void
add(struct work *w, enum spf_list_key key, struct mfx_str name,
    const struct mfx_ip *ip)
{
    if (is_wanted(w, key))
        spf_asking_add(w->asking, key, name, ip);
}

static void
add_domain(struct work *w, struct mfx_str domain, bool is_sender)
{
    if (!is_sender) {
        add(w, SPF_LIST_CLIENT_NAME, domain, NULL);
        add(w, SPF_LIST_HELO, domain, NULL);
    }
    add(w, SPF_LIST_SENDER_DOMAIN, domain, NULL);
    add(w, SPF_LIST_FROM_DOMAIN, domain, NULL);
}

static int
add_what(struct work *w)
{
    struct mfx_ip ip;
    struct mfx_str text = mfx_str_of(w->what), domain = text, ascii;
    size_t at = mfx_str_find_last(text, '@');
    if (mfx_ip_parse(text, &ip) == MFX_OK) {
        add(w, SPF_LIST_CLIENT, mfx_str("", 0), &ip);
        return EXIT_OK;
    }
    if (at < text.len)
        domain = mfx_str_from(text, at + 1);
    enum mfx_rc rc = mfx_domain_to_ascii(domain, w->run->arena, &ascii);
    if (rc == MFX_TEMPFAIL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (rc != MFX_OK || ascii.len == 0 || at == 0)
        return verb_wrong(w->run, "%s: no address and no name",
                          verb_text(w->run, text));
    add_domain(w, ascii, at < text.len);
    if (at < text.len) {
        struct mfx_str address = mfx_arena_printf(
            w->run->arena, "%.*s@%.*s", (int)at, text.p, MFX_STR_ARG(ascii));
        add(w, SPF_LIST_SENDER, address, NULL);
        add(w, SPF_LIST_FROM, address, NULL);
    }
    return EXIT_OK;
}

static int
check_key(const struct work *w)
{
    for (int key = 0; key < SPF_LIST_KEY_COUNT; key++)
        if (is_wanted(w, (enum spf_list_key)key))
            return EXIT_OK;
    return verb_wrong(w->run,
                      "--key %s: client, client_name, helo, sender_domain, "
                      "sender, from_domain or from",
                      w->key);
}

/* --- rows --- */

static bool
has_no_ipv6(const struct work *w, const struct spf_list *list)
{
    struct mfx_ip ip;
    return !list->has_ipv6 && list->type == MFX_DNS_LIST_TYPE_ADDRESS &&
           mfx_ip_parse(mfx_str_of(w->what), &ip) == MFX_OK &&
           ip.family == MFX_IP_V6;
}

static const char for_others[] = "for other things";

static const char *
why_not(const struct work *w, const struct spf_list *list)
{
    if (spf_list_use_of(list) == SPF_LIST_OUT)
        return "";
    return has_no_ipv6(w, list) ? "no list of IPv6 addresses" : for_others;
}

static bool
make_rows(struct work *w)
{
    const struct spf_lists *lists = w->site.policy->lists;
    size_t count = 0;
    for (size_t i = 0; i < lists->count; i++) {
        struct spf_ask *ask = w->asking->asks[i];
        for (count++; ask != NULL && ask->next != NULL; ask = ask->next)
            count++;
    }
    w->rows = mfx_arena_alloc_array(w->run->arena, count, sizeof *w->rows);
    for (size_t i = 0; w->rows != NULL && i < lists->count; i++) {
        struct spf_ask *ask = w->asking->asks[i];
        const struct spf_list *list = &lists->lists[i];
        do {
            struct row *row = &w->rows[w->row_count++];
            row->list = list;
            row->ask = ask;
            row->why = ask == NULL ? why_not(w, list) : NULL;
            ask = ask == NULL ? NULL : ask->next;
        } while (ask != NULL);
    }
    return w->rows != NULL;
}

/* --- waiting --- */

static void
take_addresses(struct row *row)
{
    const struct mfx_dns_answer *answer =
        mfx_dns_question_answer(row->ask->question);
    for (size_t i = 0; i < answer->count && i < ADDRESSES; i++)
        row->addresses[row->address_count++] = answer->records[i].ip;
}

/* The questions that are out; those that are answered are taken. */
static size_t
gather(struct work *w, struct mfx_event **events)
{
    const struct mfx_env *env = &w->site.env.env;
    size_t count = 0;
    for (size_t i = 0; i < w->row_count; i++) {
        struct row *row = &w->rows[i];
        if (row->ask == NULL || row->is_answered || row->ask->question == NULL)
            continue;
        struct mfx_event *event = mfx_dns_question_event(row->ask->question);
        if (mfx_event_is_set(event)) {
            row->is_answered = true;
            row->ms = env->mono_ms(env) - row->ask->asked_ms;
            take_addresses(row);
        } else if (count < MFX_EVENT_ANY_MAX) {
            events[count++] = event;
        }
    }
    return count;
}

static void
wait_for_answers(struct work *w)
{
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    const struct spf_lists *lists = w->site.policy->lists;
    uint64_t until_ms = mfx_mono_ms() + lists->timeout_ms;
    size_t count;
    while ((count = gather(w, events)) > 0 &&
           mfx_event_wait_any(events, count, until_ms))
        ;
}

static void
release(void *arg)
{
    mfx_dns_question_release(arg);
}

/* The texts of all that list it, not only of the one that a reply would
 * give. */
static void
ask_texts(struct work *w)
{
    struct mfx_resolver *resolver = w->site.env.env.resolver;
    for (size_t i = 0; i < w->row_count; i++) {
        struct row *row = &w->rows[i];
        if (row->ask == NULL || row->ask->reading.what != MFX_DNS_LIST_LISTED)
            continue;
        row->txt_question = mfx_dns_ask(
            resolver, mfx_dns_list_name_str(&row->ask->name), MFX_DNS_TXT);
        if (row->txt_question != NULL &&
            !mfx_arena_defer(w->run->arena, release, row->txt_question))
            row->txt_question = NULL;
    }
}

static void
take_texts(struct work *w)
{
    uint64_t until_ms = mfx_mono_ms() + w->site.policy->lists->timeout_ms;
    for (size_t i = 0; i < w->row_count; i++) {
        struct row *row = &w->rows[i];
        if (row->txt_question == NULL)
            continue;
        (void)mfx_event_wait(mfx_dns_question_event(row->txt_question),
                             until_ms);
        const struct mfx_dns_answer *answer =
            mfx_dns_question_answer(row->txt_question);
        for (size_t k = 0; k < answer->count && row->txt.len == 0; k++)
            row->txt = spf_list_clean(row->list, answer->records[k].text,
                                      w->run->arena);
    }
}

static void
finish(struct work *w)
{
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    spf_asking_harvest(w->asking);
    ask_texts(w);
    while (
        (count = spf_asking_pending(w->asking, events, MFX_EVENT_ANY_MAX)) >
            0 &&
        (mfx_event_wait_any(events, count, spf_asking_deadline_ms(w->asking)) ||
         mfx_mono_ms() >= spf_asking_deadline_ms(w->asking)))
        ;
    take_texts(w);
    w->score = spf_asking_finish(w->asking);
}

static int
ask(struct work *w)
{
    const struct spf_lists *lists = w->site.policy->lists;
    const struct mfx_env *env = &w->site.env.env;
    if (lists == NULL)
        return verb_fail(w->run, EXIT_CONFIG, "no DNS list is configured");
    spf_lists_test(lists, env);
    w->asking = spf_asking_begin(lists, env, w->run->arena, NULL);
    if (w->asking == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    int status = add_what(w);
    if (status != EXIT_OK)
        return status;
    if (!make_rows(w))
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    wait_for_answers(w);
    finish(w);
    return EXIT_OK;
}

/* --- showing --- */

static int
weight_of(const struct row *row)
{
    int weight = 0;
    for (size_t i = 0;
         row->ask->hits != NULL && i < row->list->rules.site_count; i++)
        if (row->ask->hits[i].family != MFX_IP_NONE)
            weight += row->list->rules.sites[i].weight;
    return weight;
}

static bool
is_listed(const struct row *row)
{
    return row->ask != NULL && row->ask->is_done &&
           row->ask->reading.what == MFX_DNS_LIST_LISTED;
}

static const char *
answer_of(const struct row *row)
{
    if (row->ask == NULL)
        return "not asked";
    if (!row->ask->is_done)
        return "no answer";
    if (is_listed(row) && !row->ask->is_hit)
        return "listed, not counted";
    return mfx_dns_list_answer_name(row->ask->reading.what);
}

static const char *
reason_of(const struct row *row)
{
    if (row->ask == NULL)
        return row->why;
    return row->ask->is_done ? row->ask->reading.why : "not in time";
}

static struct mfx_str
name_of(const struct work *w, const struct row *row)
{
    return w->reveals ? row->list->zone : row->list->name;
}

/* Not scored, and why. */
static const char *
use_of(const struct row *row)
{
    if (row->list->mode == SPF_LIST_SHADOW)
        return "shadow";
    enum spf_list_use use = spf_list_use_of(row->list);
    return use == SPF_LIST_IN_USE ? "" : spf_list_use_name(use);
}

static struct mfx_str
addresses_text(const struct work *w, const struct row *row)
{
    char ip[MFX_IP_TEXT];
    struct mfx_buf out;
    mfx_buf_init_arena(&out, w->run->arena, ADDRESSES * MFX_IP_TEXT);
    for (size_t i = 0; i < row->address_count; i++)
        mfx_buf_printf(&out, "%s%s", i == 0 ? "" : ", ",
                       mfx_ip_format(&row->addresses[i], ip));
    return mfx_buf_str(&out);
}

static void
show_why(const struct row *row)
{
    const char *use = use_of(row), *why = reason_of(row);
    const char *health = row->list->state->why;
    if (why[0] != '\0')
        (void)printf(" (%s)", why);
    if (use[0] != '\0')
        (void)printf(" [%s%s%s]", use, health[0] == '\0' ? "" : ": ", health);
    if (row->is_answered)
        (void)printf(" %" PRIu64 " ms", row->ms);
}

static void
show_row(const struct work *w, const struct row *row)
{
    struct mfx_str addresses = addresses_text(w, row);
    (void)printf("  %-30s %s", spf_verb_show(w->run, name_of(w, row)),
                 answer_of(row));
    if (addresses.len > 0)
        (void)printf(" %.*s", MFX_STR_ARG(addresses));
    if (is_listed(row) && row->ask->is_hit)
        (void)printf(" weight %+d", weight_of(row));
    show_why(row);
    if (w->reveals && row->ask != NULL)
        (void)printf("\n    %s", spf_verb_show(w->run, mfx_dns_list_name_str(
                                                           &row->ask->name)));
    if (row->txt.len > 0)
        (void)printf("\n    %s", spf_verb_show(w->run, row->txt));
    (void)putchar('\n');
}

static bool
is_for_others(const struct row *row)
{
    return row->ask == NULL && row->why == for_others;
}

static void
show_rows(const struct work *w)
{
    size_t others = 0;
    for (size_t i = 0; i < w->row_count; i++)
        if (is_for_others(&w->rows[i]))
            others++;
        else
            show_row(w, &w->rows[i]);
    if (others > 0)
        (void)printf("  not asked, since for other things:");
    for (size_t i = 0; i < w->row_count && others > 0; i++)
        if (is_for_others(&w->rows[i]))
            (void)printf(" %s", spf_verb_show(w->run, name_of(w, &w->rows[i])));
    if (others > 0)
        (void)putchar('\n');
}

static struct mfx_str
reply_text(const struct work *w)
{
    const struct spf_lists *lists = w->site.policy->lists;
    enum spf_list_action action = w->score->action;
    struct mfx_str enhanced;
    unsigned code;
    if (action != SPF_LISTS_TEMPFAIL && action != SPF_LISTS_REJECT)
        return mfx_str("", 0);
    spf_lists_code(lists, action == SPF_LISTS_REJECT, &code, &enhanced);
    struct mfx_str text = spf_score_text(w->score, lists, w->run->arena);
    return mfx_arena_printf(w->run->arena, "%u %.*s %.*s", code,
                            MFX_STR_ARG(enhanced), MFX_STR_ARG(text));
}

static void
show(const struct work *w)
{
    const struct spf_score *score = w->score;
    struct mfx_str reply = reply_text(w);
    (void)printf("%s\n", spf_verb_show(w->run, mfx_str_of(w->what)));
    show_rows(w);
    (void)printf("score %" PRId64 ": %s%s%s\n", score->score,
                 spf_list_action_name(score->action),
                 score->reason[0] == '\0' ? "" : ", ", score->reason);
    if (reply.len > 0)
        (void)printf("reply: %s\n", spf_verb_show(w->run, reply));
}

static json_t *
json_row(const struct work *w, const struct row *row)
{
    json_t *addresses = json_array();
    char ip[MFX_IP_TEXT];
    for (size_t i = 0; i < row->address_count; i++)
        (void)json_array_append_new(
            addresses, json_string(mfx_ip_format(&row->addresses[i], ip)));
    json_t *o = json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:i, s:b, s:I}", "list",
        verb_json(row->list->name), "group", verb_json(row->list->group), "use",
        row->list->mode == SPF_LIST_SHADOW
            ? "shadow"
            : spf_list_use_name(spf_list_use_of(row->list)),
        "health", row->list->state->why, "answer", answer_of(row), "why",
        reason_of(row), "addresses", addresses, "weight",
        is_listed(row) ? weight_of(row) : 0, "scored",
        is_listed(row) && row->ask->is_hit && spf_list_counts(row->list), "ms",
        (json_int_t)row->ms);
    (void)json_object_set_new(o, "txt", verb_json(row->txt));
    if (row->ask != NULL)
        (void)json_object_set_new(
            o, "key", json_string(spf_list_key_name(row->ask->key)));
    if (!w->reveals)
        return o;
    (void)json_object_set_new(o, "zone", verb_json(row->list->zone));
    if (row->ask != NULL)
        (void)json_object_set_new(
            o, "question", verb_json(mfx_dns_list_name_str(&row->ask->name)));
    return o;
}

static void
show_json(const struct work *w)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < w->row_count; i++)
        (void)json_array_append_new(rows, json_row(w, &w->rows[i]));
    json_t *o = json_pack(
        "{s:o, s:I, s:s, s:s, s:o, s:o}", "what",
        verb_json(mfx_str_of(w->what)), "score", (json_int_t)w->score->score,
        "action", spf_list_action_name(w->score->action), "reason",
        w->score->reason, "reply", verb_json(reply_text(w)), "lists", rows);
    verb_print_json(o);
}

static int
status_of(const struct work *w)
{
    if (w->score->action >= SPF_LISTS_TAG)
        return EXIT_NO;
    return w->score->trouble_count > 0 || w->score->unanswered > 0 ? EXIT_TEMP
                                                                   : EXIT_OK;
}

static int
run_work(struct work *w)
{
    int status = check_key(w);
    if (status == EXIT_OK)
        status = spf_verb_site_load(w->run, &w->site, false);
    if (status == EXIT_OK)
        status = ask(w);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json)
        show_json(w);
    else
        show(w);
    return status_of(w);
}

int
verb_dnsbl(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config", 'c', &w.site.config, NULL      },
        {"dns",    0,   &w.site.dns,    NULL      },
        {"zone",   0,   &w.site.zone,   NULL      },
        {"key",    'k', &w.key,         NULL      },
        {"reveal", 0,   NULL,           &w.reveals},
        {NULL,     0,   NULL,           NULL      },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one IP address, name or mail address");
    w.what = argv[first];
    int status = run_work(&w);
    spf_verb_site_fini(run, &w.site);
    return status;
}
