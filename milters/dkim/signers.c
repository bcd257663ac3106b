/* SPDX-License-Identifier: BSD-2-Clause */
#include "signers.h"

#include <stdlib.h>

#include <mfx/base/map.h>
#include <mfx/mail/address.h>

#include "key_row.h"

struct dkim_signers {
    const struct dkim_settings *settings;
    struct dkim_keys *keys;
    struct dkim_lines *lines;    /* during the load */
    struct mfx_map *key_rows;    /* by key name; NULL: the table is live */
    struct mfx_map *domain_rows; /* by domain; NULL: the table is live */
};

/* What a load carries from row to row. */
struct load {
    struct dkim_signers *signers;
    struct mfx_arena *arena;
    struct mfx_problems *problems;
    const char *table; /* the spec, for messages */
    bool failed;
};

/* What one search carries from row to row. */
struct search {
    const struct dkim_signers *signers;
    struct mfx_str local, domain;
    struct mfx_arena *arena;
    struct mfx_decision *trace;
    struct dkim_signer *first, **end;
    struct mfx_err *err;
    size_t count;
    bool has_waiting; /* a row was found whose key may not sign yet */
    enum mfx_rc rc;
};

enum mfx_rc
dkim_signer_key(const struct dkim_signer *signer,
                const struct dkim_settings *settings,
                struct mfx_dkim_private_key **key, struct mfx_err *err)
{
    enum mfx_rc rc = dkim_key_file_get(signer->file, key, err);
    if (rc == MFX_OK)
        rc = dkim_key_check_algorithm(*key, signer->algorithm, err);
    if (rc != MFX_OK)
        return rc;
    if (mfx_dkim_private_key_algorithm(*key) == MFX_DKIM_RSA_SHA256 &&
        mfx_dkim_private_key_bits(*key) <
            (unsigned)settings->sign.min_rsa_bits) {
        mfx_err_set(err, "RSA key of %u bits: sign.min_rsa_bits is %u",
                    mfx_dkim_private_key_bits(*key),
                    (unsigned)settings->sign.min_rsa_bits);
        return MFX_PERMFAIL;
    }
    return MFX_OK;
}

/* A key of a known domain has its place among those that replace it and that
 * it replaces. One that is gone is no mistake when another has replaced it. */
static enum mfx_rc
add_file(const struct dkim_signers *signers, struct dkim_key_row *row,
         struct mfx_err *err)
{
    bool is_domain = mfx_domain_is_valid(row->domain, true);
    enum mfx_rc rc = dkim_keys_add(signers->keys, row->key, &row->file, err);
    if (rc == MFX_NOTFOUND && is_domain &&
        dkim_lines_is_replaced(signers->lines, row->domain, row->selector,
                               row->key))
        rc = MFX_OK;
    if (rc != MFX_OK || !is_domain)
        return rc;
    row->line_key = dkim_lines_add(signers->lines, row->domain, row->selector,
                                   row->key, row->file);
    return row->line_key == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
add_key(const struct dkim_signers *signers, struct dkim_key_row *row,
        struct mfx_err *err)
{
    if (dkim_key_row_needs_author(row))
        return MFX_OK;
    if (dkim_keys_is_path(row->key))
        return add_file(signers, row, err);
    return dkim_keys_add_inline(signers->keys, row->key, &row->file, err);
}

static void
complain(struct load *load, unsigned line, const char *what,
         struct mfx_str name)
{
    load->failed = true;
    mfx_problem_add(load->problems, MFX_PROBLEM_ERROR, load->table, line,
                    "%.*s: %s", MFX_STR_ARG(name), what);
}

static bool
load_key_row(const struct mfx_table_row *table_row, void *arg)
{
    struct load *load = arg;
    struct dkim_key_row *row = mfx_arena_alloc(load->arena, sizeof *row);
    struct mfx_err err = {"out of memory"};
    enum mfx_rc rc = row == NULL ? MFX_TEMPFAIL
                                 : dkim_key_row_parse(load->signers->settings,
                                                      table_row->value,
                                                      load->arena, row, &err);
    if (rc == MFX_OK)
        rc = add_key(load->signers, row, &err);
    if (rc == MFX_OK)
        rc = dkim_key_row_check(row, &err);
    /* the first of two rows with one name holds */
    if (rc == MFX_OK &&
        mfx_map_get(load->signers->key_rows, table_row->key) == NULL)
        rc = mfx_map_put(load->signers->key_rows, table_row->key, row);
    if (rc != MFX_OK)
        complain(load, table_row->line, err.msg, table_row->key);
    return row != NULL;
}

static void
split_signing_value(struct mfx_str value, struct mfx_str *name,
                    struct mfx_str *signer)
{
    size_t colon = mfx_str_find(value, ':');
    *name = mfx_str_trim(mfx_str_head(value, colon));
    *signer = mfx_str_trim(mfx_str_from(value, colon + 1));
}

/* An i= that no message can make fit is left out of every signature. */
static void
warn_identity(struct load *load, const struct mfx_table_row *row,
              const struct dkim_key_row *key, struct mfx_str signer)
{
    size_t at = mfx_str_find_last(signer, '@');
    struct mfx_str domain =
        at < signer.len ? mfx_str_from(signer, at + 1) : signer;
    if (signer.len == 0 || dkim_has_percent(domain) ||
        dkim_has_percent(key->domain) ||
        mfx_domain_is_within(domain, key->domain))
        return;
    mfx_problem_add(load->problems, MFX_PROBLEM_WARNING, load->table, row->line,
                    "%.*s: i=%.*s is not within d=%.*s: signatures of this "
                    "row have no i=",
                    MFX_STR_ARG(row->key), MFX_STR_ARG(signer),
                    MFX_STR_ARG(key->domain));
}

static bool
check_signing_row(const struct mfx_table_row *row, void *arg)
{
    struct load *load = arg;
    struct mfx_str name, signer;
    split_signing_value(row->value, &name, &signer);
    const struct dkim_key_row *key =
        load->signers->key_rows == NULL
            ? NULL
            : mfx_map_get(load->signers->key_rows, name);
    if (name.len == 0)
        complain(load, row->line, "no key name", row->key);
    else if (!mfx_str_is(name, "%") && load->signers->key_rows != NULL &&
             key == NULL)
        complain(load, row->line, "this key is not in sign.key_table", name);
    else if (key != NULL)
        warn_identity(load, row, key, signer);
    return true;
}

/* A row of a refile: table that is no domain is a pattern. */
static bool
is_any_domain(const struct dkim_signers *signers, struct mfx_str domain)
{
    return mfx_str_is(domain, "*") ||
           (mfx_table_has_patterns(signers->settings->sign.domains) &&
            !mfx_domain_is_valid(domain, true));
}

static bool
load_domain_row(const struct mfx_table_row *table_row, void *arg)
{
    struct load *load = arg;
    struct dkim_signers *signers = load->signers;
    struct mfx_str domain = mfx_arena_copy_lower(load->arena, table_row->key);
    bool is_any = is_any_domain(signers, domain);
    /* what no message needs to show is looked at now */
    bool is_known =
        !is_any || !dkim_path_has_domain(signers->settings->sign.key_path);
    struct dkim_key_row *rows = NULL;
    struct mfx_err err = {"out of memory"};
    enum mfx_rc rc = MFX_OK;
    if (!is_any && !mfx_domain_is_valid(domain, true)) {
        mfx_err_set(&err, "is no domain");
        rc = MFX_PERMFAIL;
    }
    if (rc == MFX_OK)
        rc =
            dkim_key_rows_of_domain(signers->settings, domain, table_row->value,
                                    load->arena, &rows, &err);
    for (struct dkim_key_row *r = rows; rc == MFX_OK && is_known && r != NULL;
         r = r->next)
        rc = add_file(signers, r, &err);
    if (rc == MFX_OK && signers->domain_rows != NULL &&
        mfx_map_get(signers->domain_rows, domain) == NULL)
        rc = mfx_map_put(signers->domain_rows, domain, rows);
    if (rc != MFX_OK)
        complain(load, table_row->line, err.msg, table_row->key);
    return true;
}

/* Walks a table that is held in memory. */
static void
load_table(struct load *load, struct mfx_table *table,
           bool (*visit)(const struct mfx_table_row *, void *))
{
    struct mfx_err err = {""};
    struct mfx_str spec = mfx_arena_copy(load->arena, mfx_table_spec(table));
    load->table = spec.p == NULL ? "" : spec.p;
    enum mfx_rc rc = mfx_table_walk(table, load->arena, visit, load, &err);
    if (rc == MFX_OK || rc == MFX_NOTFOUND)
        return;
    complain(load, 0, err.msg, spec);
}

static void
load_all(struct load *load)
{
    struct dkim_signers *signers = load->signers;
    const struct dkim_settings *s = signers->settings;
    if (s->sign.key_table != NULL && !dkim_table_is_live(s->sign.key_table)) {
        size_t rows = mfx_table_counts(s->sign.key_table).rows;
        signers->key_rows = mfx_map_new(MFX_MAP_CASE, rows);
        if (signers->key_rows == NULL)
            load->failed = true;
        else
            load_table(load, s->sign.key_table, load_key_row);
    }
    if (s->sign.signing_table != NULL &&
        !dkim_table_is_live(s->sign.signing_table))
        load_table(load, s->sign.signing_table, check_signing_row);
    if (s->sign.domains != NULL && !dkim_table_is_live(s->sign.domains)) {
        size_t rows = mfx_table_counts(s->sign.domains).rows;
        bool has_patterns = mfx_table_has_patterns(s->sign.domains);
        if (!has_patterns)
            signers->domain_rows = mfx_map_new(MFX_MAP_NOCASE, rows);
        if (signers->domain_rows == NULL && !has_patterns)
            load->failed = true;
        else
            load_table(load, s->sign.domains, load_domain_row);
    }
}

enum mfx_rc
dkim_signers_new(const struct dkim_settings *settings, struct dkim_keys *keys,
                 struct dkim_lines *lines, struct mfx_arena *arena,
                 struct mfx_problems *problems, struct dkim_signers **signers)
{
    *signers = calloc(1, sizeof **signers);
    if (*signers == NULL)
        return MFX_TEMPFAIL;
    (*signers)->settings = settings;
    (*signers)->keys = keys;
    (*signers)->lines = lines;
    struct load load = {
        .signers = *signers, .arena = arena, .problems = problems, .table = ""};
    if (settings->sign.signing_table != NULL &&
        settings->sign.key_table == NULL) {
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, "", 0,
                        "sign.signing_table needs sign.key_table");
        load.failed = true;
    }
    load_all(&load);
    if (!load.failed)
        return MFX_OK;
    dkim_signers_free(*signers);
    *signers = NULL;
    return MFX_PERMFAIL;
}

void
dkim_signers_free(struct dkim_signers *signers)
{
    if (signers == NULL)
        return;
    mfx_map_free(signers->key_rows);
    mfx_map_free(signers->domain_rows);
    free(signers);
}

/* i= of a signing row. One that is not within d= is dropped, as OpenDKIM
 * does. */
static struct mfx_str
make_identity(struct search *search, struct mfx_str signer,
              struct mfx_str domain)
{
    struct mfx_str none = {NULL, 0};
    if (signer.len == 0)
        return none;
    struct mfx_str identity =
        dkim_put_domain(signer, search->domain, search->arena);
    size_t at = mfx_str_find_last(identity, '@');
    if (at == identity.len) {
        identity =
            mfx_arena_printf(search->arena, "@%.*s", MFX_STR_ARG(identity));
        at = 0;
    }
    if (mfx_domain_is_within(mfx_str_from(identity, at + 1), domain))
        return identity;
    mfx_trace(search->trace, "identity", "%.*s is not within %.*s: left out",
              MFX_STR_ARG(identity), MFX_STR_ARG(domain));
    return none;
}

static bool
is_there(const struct search *search, const struct dkim_signer *signer)
{
    for (const struct dkim_signer *s = search->first; s != NULL; s = s->next)
        if (mfx_str_eq_nocase(s->domain, signer->domain) &&
            mfx_str_eq_nocase(s->selector, signer->selector))
            return true;
    return false;
}

/* The key of the row, or of its line the one that signs now. MFX_NOTFOUND:
 * none of them may. */
static enum mfx_rc
pick_key(struct search *search, const struct dkim_key_row *row,
         struct dkim_signer *signer)
{
    struct mfx_str key = row->key;
    signer->selector = row->selector;
    signer->file = row->file;
    if (row->line_key != NULL) {
        struct dkim_line_pick pick = dkim_line_pick(row->line_key);
        if (pick.why.len > 0) {
            mfx_trace(search->trace, "rotation", "%.*s", MFX_STR_ARG(pick.why));
            mfx_fact(search->trace, "rotation", pick.why);
        }
        if (pick.key == NULL)
            return MFX_NOTFOUND;
        if (pick.key != row->line_key)
            signer->algorithm = -1; /* the row speaks of its own key */
        signer->selector = pick.key->selector;
        signer->file = pick.key->file;
        key = pick.key->path;
    } else if (signer->file == NULL) {
        if (dkim_key_row_needs_author(row))
            key = dkim_put_domain(key, search->domain, search->arena);
        enum mfx_rc rc = dkim_keys_late(search->signers->keys, key,
                                        &signer->file, search->err);
        if (rc != MFX_OK)
            return MFX_TEMPFAIL; /* a key that should be there is not */
    }
    signer->key = dkim_keys_is_path(key) ? key : mfx_str_of("inline");
    return MFX_OK;
}

static enum mfx_rc
add_signer(struct search *search, const struct dkim_key_row *row,
           struct mfx_str identity_template)
{
    struct dkim_signer *signer = mfx_arena_alloc(search->arena, sizeof *signer);
    if (signer == NULL) {
        mfx_err_set(search->err, "out of memory");
        return MFX_TEMPFAIL;
    }
    signer->domain =
        mfx_str_is(row->domain, "%") ? search->domain : row->domain;
    signer->algorithm = row->algorithm;
    signer->identity = make_identity(search, identity_template, signer->domain);
    enum mfx_rc rc = pick_key(search, row, signer);
    if (rc == MFX_NOTFOUND)
        search->has_waiting = true;
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    if (is_there(search, signer))
        return MFX_OK;
    mfx_trace(search->trace, "key", "d=%.*s s=%.*s key=%.*s",
              MFX_STR_ARG(signer->domain), MFX_STR_ARG(signer->selector),
              MFX_STR_ARG(signer->key));
    if (search->count++ == DKIM_SIGNERS_MAX) {
        mfx_err_set(search->err, "more than %d keys for one address",
                    DKIM_SIGNERS_MAX);
        return MFX_TEMPFAIL;
    }
    *search->end = signer;
    search->end = &signer->next;
    return MFX_OK;
}

/* The key row of a name, from memory or from the live table. */
static enum mfx_rc
get_key_row(struct search *search, struct mfx_str name,
            struct dkim_key_row *copy)
{
    const struct dkim_signers *signers = search->signers;
    if (signers->key_rows != NULL) {
        const struct dkim_key_row *row = mfx_map_get(signers->key_rows, name);
        if (row == NULL)
            return MFX_NOTFOUND;
        *copy = *row;
        return MFX_OK;
    }
    struct mfx_str value;
    enum mfx_rc rc = mfx_table_get(signers->settings->sign.key_table, name,
                                   search->arena, &value, search->err);
    if (rc == MFX_OK)
        rc = dkim_key_row_parse(signers->settings, value, search->arena, copy,
                                search->err);
    return rc;
}

static bool
use_signing_row(const struct mfx_table_row *table_row, void *arg)
{
    struct search *search = arg;
    struct mfx_str name, signer;
    struct dkim_key_row row = {.file = NULL};
    split_signing_value(table_row->value, &name, &signer);
    if (mfx_str_is(name, "%"))
        name = search->domain;
    mfx_trace(search->trace, "signing_table", "row %u %.*s: key name %.*s",
              table_row->line, MFX_STR_ARG(table_row->key), MFX_STR_ARG(name));
    enum mfx_rc rc = get_key_row(search, name, &row);
    if (rc == MFX_NOTFOUND)
        mfx_err_set(search->err, "key %.*s is not in sign.key_table",
                    MFX_STR_ARG(name));
    if (rc == MFX_OK)
        rc = add_signer(search, &row, signer);
    if (rc != MFX_OK) {
        search->rc = MFX_TEMPFAIL;
        return false;
    }
    return search->signers->settings->sign.multiple;
}

static enum mfx_rc
find_in_signing_table(struct search *search)
{
    enum mfx_rc rc = mfx_table_each_address(
        search->signers->settings->sign.signing_table, search->local,
        search->domain, search->arena, use_signing_row, search, search->err);
    if (rc == MFX_NOTFOUND)
        mfx_trace(search->trace, "signing_table", "no row for %.*s@%.*s",
                  MFX_STR_ARG(search->local), MFX_STR_ARG(search->domain));
    return mfx_rc_worst(rc, search->rc);
}

/* True for the table types that only OpenDKIM's data sets use. */
static bool
is_set_of_opendkim(const struct mfx_table *table)
{
    struct mfx_str type = mfx_str_of(mfx_table_type(table));
    return mfx_str_is(type, "dsn") || mfx_str_is(type, "mdb");
}

static enum mfx_rc
get_domain_rows(struct search *search, struct mfx_str domain,
                struct dkim_key_row **rows)
{
    const struct dkim_signers *signers = search->signers;
    *rows = NULL;
    if (signers->domain_rows != NULL && !mfx_str_is(domain, "*")) {
        *rows = mfx_map_get(signers->domain_rows, domain);
        return *rows == NULL ? MFX_NOTFOUND : MFX_OK;
    }
    struct mfx_str value;
    enum mfx_rc rc = mfx_table_get(signers->settings->sign.domains, domain,
                                   search->arena, &value, search->err);
    /* OpenDKIM's Domain is a set: what stands behind a key says nothing */
    if (is_set_of_opendkim(signers->settings->sign.domains))
        value = mfx_str(NULL, 0);
    /* a row for every domain signs with the From domain in d= */
    if (mfx_str_is(domain, "*"))
        domain = search->domain;
    if (rc == MFX_OK)
        rc = dkim_key_rows_of_domain(signers->settings, domain, value,
                                     search->arena, rows, search->err);
    return rc;
}

/* The domain itself, then (by setting) its parents, then "*". */
static enum mfx_rc
find_in_domains(struct search *search)
{
    struct mfx_str domain = search->domain;
    struct dkim_key_row *rows = NULL;
    enum mfx_rc rc = get_domain_rows(search, domain, &rows);
    while (rc == MFX_NOTFOUND && search->signers->settings->sign.subdomains &&
           mfx_str_has(domain, '.')) {
        domain = mfx_str_from(domain, mfx_str_find(domain, '.') + 1);
        rc = get_domain_rows(search, domain, &rows);
    }
    if (rc == MFX_NOTFOUND) {
        domain = mfx_str_of("*");
        rc = get_domain_rows(search, domain, &rows);
    }
    if (rc == MFX_NOTFOUND)
        mfx_trace(search->trace, "domains", "no row for %.*s",
                  MFX_STR_ARG(search->domain));
    if (rc != MFX_OK)
        return rc;
    mfx_trace(search->trace, "domains", "row %.*s", MFX_STR_ARG(domain));
    for (; rows != NULL && rc == MFX_OK; rows = rows->next)
        rc = add_signer(search, rows, mfx_str(NULL, 0));
    return rc;
}

enum mfx_rc
dkim_signers_find(const struct dkim_signers *signers, struct mfx_str local,
                  struct mfx_str domain, struct mfx_arena *arena,
                  struct mfx_decision *trace, struct dkim_signer **found,
                  struct mfx_err *err)
{
    struct search search = {
        .signers = signers,
        .local = local,
        .domain = domain,
        .arena = arena,
        .trace = trace,
        .end = &search.first,
        .err = err,
        .rc = MFX_OK,
    };
    enum mfx_rc rc = MFX_NOTFOUND;
    if (signers->settings->sign.signing_table != NULL)
        rc = find_in_signing_table(&search);
    if (rc == MFX_NOTFOUND && signers->settings->sign.domains != NULL)
        rc = find_in_domains(&search);
    *found = search.first;
    if (rc == MFX_OK && search.first == NULL && search.has_waiting) {
        mfx_err_set(err, "no key of %.*s may sign yet", MFX_STR_ARG(domain));
        return MFX_NOTFOUND;
    }
    if (rc == MFX_NOTFOUND)
        mfx_err_set(err, "no key for %.*s", MFX_STR_ARG(domain));
    return rc == MFX_PERMFAIL ? MFX_TEMPFAIL : rc;
}

static bool
visit_row(const struct dkim_key_row *row,
          bool (*visit)(const struct dkim_signer *, void *), void *arg)
{
    if ((row->file == NULL && row->line_key == NULL) ||
        mfx_str_is(row->domain, "%"))
        return true;
    struct dkim_signer signer = {
        .domain = row->domain,
        .selector = row->selector,
        .key = dkim_keys_is_path(row->key) ? row->key : mfx_str_of("inline"),
        .file = row->file,
        .algorithm = row->algorithm,
    };
    if (row->line_key != NULL) {
        struct dkim_line_pick pick = dkim_line_pick(row->line_key);
        if (pick.key == NULL)
            return true;
        if (pick.key != row->line_key)
            signer.algorithm = -1;
        signer.selector = pick.key->selector;
        signer.key = pick.key->path;
        signer.file = pick.key->file;
    }
    return visit(&signer, arg);
}

void
dkim_signers_each(const struct dkim_signers *signers,
                  bool (*visit)(const struct dkim_signer *, void *), void *arg)
{
    const struct mfx_map *maps[] = {signers->key_rows, signers->domain_rows};
    for (size_t i = 0; i < 2; i++) {
        size_t cursor = 0;
        struct mfx_str name;
        void *row;
        while (maps[i] != NULL && mfx_map_next(maps[i], &cursor, &name, &row))
            for (const struct dkim_key_row *r = row; r != NULL; r = r->next)
                if (!visit_row(r, visit, arg))
                    return;
    }
}

size_t
dkim_signers_count(const struct dkim_signers *signers)
{
    size_t count = 0;
    if (signers->key_rows != NULL)
        count += mfx_map_count(signers->key_rows);
    if (signers->domain_rows != NULL)
        count += mfx_map_count(signers->domain_rows);
    return count;
}
