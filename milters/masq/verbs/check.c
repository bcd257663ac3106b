/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check - what is wrong with the tables that addresses are rewritten by
 *
 * Each row's key is given to its own rule; what comes out is gathered, and the
 * later rules say which domain From will have. A key "@domain" stands for any
 * user there.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <mfx/base/map.h>
#include <mfx/mail/address_rewrite.h>

#include "check_keys.h"
#include "findings.h"
#include "situation.h"

enum {
    LIMIT = 20, /* findings shown of each kind */
    LIMIT_MAX = 1000000,
    HOST_MAX = 256,
};

#define ANY_USER "any.user.there"

/* What a row's key becomes. */
struct entry {
    struct finding_row row;
    struct mfx_str from, to; /* as texts */
};

struct check {
    const struct verb_run *run;
    const struct masq_policy *policy;
    struct findings findings;
    struct mfx_offline *dkim;  /* NULL: not asked */
    struct mfx_map *domains;   /* of From; the first user there is asked for */
    struct mfx_arena *scratch; /* emptied for each row */
    struct masq_facts facts;
    char host[HOST_MAX];
    /* of the rule that is looked at */
    size_t rule;
    struct mfx_table *table;
    struct entry *entries;
    size_t count, room;
    bool is_out_of_memory;
};

static const struct masq_rule *
rule_of(const struct check *c)
{
    return &c->policy->rules[c->rule];
}

static struct finding_row
row_of(const struct check *c, const struct mfx_table_row *row)
{
    return (struct finding_row){rule_of(c)->name, mfx_table_spec(c->table),
                                row->key, row->line};
}

/* --- From domains --- */

/* What the rules behind this one make of From; those with conditions may or
 * may not. */
static struct masq_address
as_it_leaves(struct check *c, struct masq_address address)
{
    struct mfx_err err = {""};
    for (size_t i = c->rule + 1; i < c->policy->rule_count; i++) {
        const struct masq_rule *rule = &c->policy->rules[i];
        struct masq_address to;
        struct mfx_str why;
        if (rule->classes[MASQ_HEADER_SENDER] &&
            masq_rule_concerns(rule, &c->facts, c->scratch, &err) == MFX_OK &&
            masq_rule_rewrite(rule, &c->facts, &address, c->scratch, &to, &why,
                              &err) == MFX_OK)
            address = to;
    }
    return address;
}

static void
check_key(struct check *c, const struct finding_row *row,
          struct masq_address target)
{
    struct mfx_err err = {""};
    if (c->dkim == NULL || !rule_of(c)->classes[MASQ_HEADER_SENDER])
        return;
    target = as_it_leaves(c, target);
    if (target.domain.len == 0 ||
        mfx_map_get(c->domains, target.domain) != NULL)
        return;
    struct mfx_str domain = mfx_arena_copy(c->run->arena, target.domain);
    if (domain.p == NULL || mfx_map_put(c->domains, domain, c) != MFX_OK) {
        c->is_out_of_memory = true;
        return;
    }
    enum mfx_rc rc =
        check_keys_find(c->dkim, target.local, domain, c->scratch, &err);
    if (rc == MFX_NOTFOUND)
        findings_add(&c->findings, FINDING_NO_KEY, row, 1,
                     mfx_arena_printf(c->scratch, "%.*s: %s",
                                      MFX_STR_ARG(domain), err.msg));
    else if (rc != MFX_OK)
        findings_note(&c->findings, "key of %.*s: %s", MFX_STR_ARG(domain),
                      err.msg);
}

/* --- rows of addresses --- */

/* canonical(5)'s keys have quotes, Sendmail's have none. */
static bool
read_key(struct check *c, struct mfx_str key, struct masq_address *from)
{
    bool is_sendmail = rule_of(c)->sendmail != NULL;
    size_t at = mfx_str_find_last(key, '@');
    struct mfx_address_list list;
    from->local = mfx_str_head(key, at);
    from->domain = at < key.len ? mfx_str_from(key, at + 1) : mfx_str("", 0);
    if (at == 0) {
        from->local = mfx_str_of(ANY_USER);
        return from->domain.len > 0;
    }
    if (is_sendmail) {
        if (mfx_str_ends_nocase(from->local, mfx_str_of("+*")))
            from->local = mfx_arena_printf(
                c->scratch, "%.*s" ANY_USER,
                MFX_STR_ARG(mfx_str_head(from->local, from->local.len - 1)));
        return true;
    }
    if (mfx_address_list_parse(key, c->scratch, 1, &list) != MFX_OK)
        return false;
    from->local = list.mailboxes[0].local;
    from->domain = list.mailboxes[0].domain;
    if (from->domain.len == 0)
        from->domain = c->policy->settings->origin_domain;
    return true;
}

/* Letter case is alike. */
static struct mfx_str
text_of(struct check *c, const struct masq_address *a)
{
    struct mfx_str local =
        mfx_str_is(a->local, ANY_USER) ? mfx_str_of("*") : a->local;
    struct mfx_str text =
        mfx_arena_printf(c->scratch, "%.*s%s%.*s", MFX_STR_ARG(local),
                         a->domain.len > 0 ? "@" : "", MFX_STR_ARG(a->domain));
    return mfx_arena_copy_lower(c->run->arena, text);
}

static void
keep(struct check *c, const struct finding_row *row,
     const struct masq_address *from, const struct masq_address *to)
{
    if (c->count == c->room) {
        size_t room = c->room == 0 ? 1024 : 2 * c->room;
        struct entry *entries = realloc(c->entries, room * sizeof *entries);
        if (entries == NULL) {
            c->is_out_of_memory = true;
            return;
        }
        c->entries = entries;
        c->room = room;
    }
    struct entry *e = &c->entries[c->count++];
    *e = (struct entry){*row, text_of(c, from), text_of(c, to)};
    e->row.key = mfx_arena_copy(c->run->arena, row->key);
    if (e->from.p == NULL || e->to.p == NULL || e->row.key.p == NULL)
        c->is_out_of_memory = true;
}

static void
judge(struct check *c, const struct mfx_table_row *table_row,
      const struct masq_address *from)
{
    const struct masq_rule *rule = rule_of(c);
    const struct finding_row row = row_of(c, table_row);
    struct masq_address to;
    struct mfx_str why = mfx_str("", 0);
    struct mfx_err err = {""};
    enum mfx_rc rc =
        masq_rule_rewrite(rule, &c->facts, from, c->scratch, &to, &why, &err);
    bool is_endless = rule->sendmail == NULL && !masq_canonical_has_end(why);
    if (rc == MFX_TEMPFAIL || rc == MFX_PERMFAIL) {
        findings_add(
            &c->findings, FINDING_VALUE, &row, 1,
            mfx_str_of(err.msg[0] == '\0' ? mfx_rc_name(rc) : err.msg));
    } else if (is_endless) {
        findings_add(&c->findings, FINDING_LOOP, &row, 1, why);
    } else if (rc == MFX_OK) {
        const struct mfx_address_wish wish = {true, to.local, to.domain};
        rc =
            mfx_address_wish_check(&wish, mfx_str("", 0), mfx_str("", 0), &err);
        if (rc != MFX_OK)
            findings_add(&c->findings, FINDING_VALUE, &row, 1,
                         mfx_arena_printf(c->scratch, "%.*s@%.*s: %s",
                                          MFX_STR_ARG(to.local),
                                          MFX_STR_ARG(to.domain), err.msg));
        else
            check_key(c, &row, to);
        if (rc == MFX_OK)
            keep(c, &row, from, &to);
    }
}

static bool
visit_row(const struct mfx_table_row *row, void *arg)
{
    struct check *c = arg;
    struct masq_address from;
    c->findings.rows++;
    mfx_arena_reset(c->scratch);
    if (read_key(c, row->key, &from)) {
        judge(c, row, &from);
    } else {
        const struct finding_row at = row_of(c, row);
        findings_add(&c->findings, FINDING_VALUE, &at, 1,
                     mfx_arena_printf(c->scratch, "key %.*s: no address",
                                      MFX_STR_ARG(row->key)));
    }
    return !c->is_out_of_memory;
}

/* --- what several become --- */

static int
compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = mfx_str_compare(x->to, y->to);
    return order != 0 ? order : mfx_str_compare(x->from, y->from);
}

/* entries[first] and those behind it that become the same. */
static size_t
take_group(struct check *c, size_t first)
{
    struct finding_row rows[FINDING_ROWS];
    const struct entry *e = c->entries;
    size_t i = first, inputs = 0;
    for (; i < c->count && mfx_str_compare(e[first].to, e[i].to) == 0; i++) {
        if (i > first && mfx_str_compare(e[i - 1].from, e[i].from) == 0)
            continue;
        if (inputs < FINDING_ROWS)
            rows[inputs] = e[i].row;
        inputs++;
    }
    if (inputs > 1)
        findings_add(&c->findings, FINDING_COLLISION, rows, inputs,
                     e[first].to);
    return i;
}

static void
find_collisions(struct check *c)
{
    if (c->count > 0)
        qsort(c->entries, c->count, sizeof *c->entries, compare);
    for (size_t i = 0; i < c->count;)
        i = take_group(c, i);
    c->count = 0;
}

/* --- rules --- */

static void
walk(struct check *c, struct mfx_table *table,
     bool (*visit)(const struct mfx_table_row *, void *))
{
    struct mfx_err err = {""};
    c->table = table;
    if (mfx_table_has_patterns(table)) {
        findings_note(
            &c->findings, "rule %.*s: %.*s: patterns are not looked at",
            MFX_STR_ARG(rule_of(c)->name), MFX_STR_ARG(mfx_table_spec(table)));
        return;
    }
    enum mfx_rc rc = mfx_table_walk(table, c->run->arena, visit, c, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        findings_note(&c->findings, "rule %.*s: %.*s: not looked at: %s",
                      MFX_STR_ARG(rule_of(c)->name),
                      MFX_STR_ARG(mfx_table_spec(table)),
                      err.msg[0] != '\0' ? err.msg : mfx_rc_name(rc));
}

static bool
visit_domain(const struct mfx_table_row *row, void *arg)
{
    struct check *c = arg;
    const struct finding_row at = row_of(c, row);
    struct mfx_str domain = row->key;
    c->findings.rows++;
    mfx_arena_reset(c->scratch);
    while (domain.len > 0 && domain.p[0] == '!')
        domain = mfx_str_from(domain, 1);
    if (domain.len > 0 && !mfx_domain_is_valid(domain, true))
        findings_add(&c->findings, FINDING_VALUE, &at, 1,
                     mfx_arena_printf(c->scratch, "%.*s is no domain",
                                      MFX_STR_ARG(domain)));
    else if (domain.len == row->key.len)
        check_key(c, &at, (struct masq_address){mfx_str_of(ANY_USER), domain});
    return !c->is_out_of_memory;
}

static void
check_rule(struct check *c)
{
    const struct masq_rule_settings *s = rule_of(c)->settings;
    const struct mfx_option_tables *maps =
        s->kind == MASQ_KIND_SENDMAIL ? &s->genericstable : &s->maps;
    if (s->kind == MASQ_KIND_MASQUERADE) {
        walk(c, s->domains, visit_domain);
        return;
    }
    for (size_t i = 0; i < maps->count; i++)
        walk(c, maps->items[i], visit_row);
    find_collisions(c);
    if (s->kind == MASQ_KIND_SENDMAIL && s->masquerade_as.len > 0) {
        const struct finding_row row = {
            rule_of(c)->name, mfx_str_of("masquerade_as"), s->masquerade_as, 0};
        mfx_arena_reset(c->scratch);
        check_key(
            c, &row,
            (struct masq_address){mfx_str_of(ANY_USER), s->masquerade_as});
    }
}

static int
check_all(struct check *c)
{
    if (gethostname(c->host, sizeof c->host - 1) != 0)
        c->host[0] = '\0';
    c->facts =
        (struct masq_facts){.is_ours = true, .mta_name = mfx_str_of(c->host)};
    c->scratch = mfx_arena_new(0);
    c->domains = mfx_map_new(MFX_MAP_NOCASE, 1024);
    c->is_out_of_memory = c->scratch == NULL || c->domains == NULL;
    for (c->rule = 0; c->rule < c->policy->rule_count && !c->is_out_of_memory;
         c->rule++)
        check_rule(c);
    free(c->entries);
    mfx_map_free(c->domains);
    mfx_arena_free(c->scratch);
    if (c->is_out_of_memory || !mfx_arena_ok(c->run->arena)) {
        json_decref(c->findings.notes);
        return verb_fail(c->run, EXIT_SYSTEM, "out of memory");
    }
    return findings_print(&c->findings);
}

static int
check_with(struct check *c, const char *config, const char *dkim_config)
{
    struct situation s = {.config = config};
    int status = situation_load(c->run, &s);
    if (status == EXIT_OK)
        status = check_keys_load(c->run, dkim_config, &c->dkim);
    if (status == EXIT_OK) {
        c->policy = situation_policy(&s);
        c->findings.has_keys = c->dkim != NULL;
        if (c->dkim == NULL)
            findings_note(&c->findings,
                          "keys are not looked at: no " MFX_SYSCONFDIR
                          "/dkim.conf (--dkim-config)");
        status = check_all(c);
    }
    if (c->dkim != NULL)
        mfx_offline_free(c->dkim);
    situation_fini(&s);
    return status;
}

int
verb_check(struct verb_run *run, int argc, char **argv)
{
    struct check c = {
        .run = run, .findings = {.run = run, .limit = LIMIT}
    };
    const char *config = NULL, *dkim_config = NULL, *limit = NULL;
    uint64_t number = 0;
    int first;
    const struct verb_option options[] = {
        {"config",      'c', &config,      NULL},
        {"dkim-config", 0,   &dkim_config, NULL},
        {"limit",       'n', &limit,       NULL},
        {NULL,          0,   NULL,         NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first < argc)
        return verb_wrong(run, "%s: no argument is expected", argv[first]);
    if (limit != NULL &&
        mfx_str_to_u64(mfx_str_of(limit), LIMIT_MAX, &number) != MFX_OK)
        return verb_wrong(run, "--limit %s: a number up to 1000000", limit);
    if (limit != NULL)
        c.findings.limit = (size_t)number;
    return check_with(&c, config, dkim_config);
}
