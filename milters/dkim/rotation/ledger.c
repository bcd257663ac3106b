/* SPDX-License-Identifier: BSD-2-Clause */
#include "ledger.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <sqlite3.h>

enum {
    VERSION = 1,
    BUSY_MS = 5000,
};

struct dkim_ledger {
    sqlite3 *db;
    sqlite3_stmt *put, *forget;
    char path[PATH_MAX];
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS keys ("
    " domain TEXT NOT NULL, selector TEXT NOT NULL, fingerprint TEXT,"
    " algorithm TEXT, path TEXT, state TEXT, since INTEGER, seen INTEGER,"
    " in_dns TEXT, lacking INTEGER, looked INTEGER, published INTEGER,"
    " wait INTEGER, active INTEGER, retired INTEGER, lost INTEGER,"
    " servers TEXT, PRIMARY KEY (domain, selector)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

static const char put_sql[] =
    "INSERT OR REPLACE INTO keys (domain, selector, fingerprint, algorithm,"
    " path, state, since, seen, in_dns, lacking, looked, published, wait,"
    " active, retired, lost, servers)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

static const char each_sql[] =
    "SELECT domain, selector, fingerprint, algorithm, path, state, since,"
    " seen, in_dns, lacking, looked, published, wait, active, retired, lost,"
    " servers FROM keys";

static const char forget_sql[] =
    "DELETE FROM keys WHERE domain = ? AND selector = ?";

static enum mfx_rc
rc_of(int status)
{
    switch (status & 0xFF) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return MFX_OK;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return MFX_PERMFAIL;
    default:
        return MFX_TEMPFAIL;
    }
}

static enum mfx_rc
fail(const struct dkim_ledger *l, int status, struct mfx_err *err)
{
    mfx_err_set(err, "%s: %s", l->path,
                l->db == NULL ? sqlite3_errstr(status) : sqlite3_errmsg(l->db));
    enum mfx_rc rc = rc_of(status);
    return rc == MFX_OK ? MFX_TEMPFAIL : rc;
}

static enum mfx_rc
run(const struct dkim_ledger *l, const char *sql, struct mfx_err *err)
{
    int status = sqlite3_exec(l->db, sql, NULL, NULL, NULL);
    return status == SQLITE_OK ? MFX_OK : fail(l, status, err);
}

/* --- opening --- */

static enum mfx_rc
find_place(struct dkim_ledger *l, const char *state_dir,
           enum dkim_ledger_mode mode, struct mfx_err *err)
{
    struct stat st;
    int len = snprintf(l->path, sizeof l->path, "%s/keys.sqlite", state_dir);
    if (len < 0 || (size_t)len >= sizeof l->path) {
        mfx_err_set(err, "%s: too long a path", state_dir);
        return MFX_PERMFAIL;
    }
    if (mode == DKIM_LEDGER_READ && stat(l->path, &st) != 0) {
        mfx_err_set(err, "%s: %s", l->path, strerror(errno));
        return errno == ENOENT || errno == ENOTDIR ? MFX_NOTFOUND
                                                   : MFX_PERMFAIL;
    }
    if (mode == DKIM_LEDGER_WRITE && mkdir(state_dir, 0750) != 0 &&
        errno != EEXIST) {
        mfx_err_set(err, "%s: %s", state_dir, strerror(errno));
        return errno == ENOENT ? MFX_NOTFOUND : MFX_PERMFAIL;
    }
    return MFX_OK;
}

static bool
read_version(void *version, int count, char **values)
{
    uint64_t number = 0;
    if (count < 1 || values[0] == NULL ||
        mfx_str_to_u64(mfx_str_of(values[0]), INT_MAX, &number) != MFX_OK)
        return false;
    *(uint64_t *)version = number;
    return true;
}

static int
on_version(void *version, int count, char **values, char **names)
{
    (void)names;
    return read_version(version, count, values) ? 0 : 1;
}

/* What a later mfx wrote is not touched. */
static enum mfx_rc
check_version(const struct dkim_ledger *l, struct mfx_err *err)
{
    uint64_t version = 0;
    int status =
        sqlite3_exec(l->db, "PRAGMA user_version", on_version, &version, NULL);
    if (status != SQLITE_OK)
        return fail(l, status, err);
    if (version <= VERSION)
        return MFX_OK;
    mfx_err_set(err, "%s: of a later version of mfx", l->path);
    return MFX_PERMFAIL;
}

static enum mfx_rc
prepare(struct dkim_ledger *l, struct mfx_err *err)
{
    static const char settings[] = "PRAGMA journal_mode = WAL;"
                                   "PRAGMA synchronous = FULL;";
    enum mfx_rc rc = run(l, settings, err);
    if (rc == MFX_OK)
        rc = run(l, schema, err);
    if (rc != MFX_OK)
        return rc;
    int status = sqlite3_prepare_v2(l->db, put_sql, -1, &l->put, NULL);
    if (status == SQLITE_OK)
        status = sqlite3_prepare_v2(l->db, forget_sql, -1, &l->forget, NULL);
    return status == SQLITE_OK ? MFX_OK : fail(l, status, err);
}

static enum mfx_rc
open_file(struct dkim_ledger *l, enum dkim_ledger_mode mode,
          struct mfx_err *err)
{
    int flags = mode == DKIM_LEDGER_READ
                    ? SQLITE_OPEN_READONLY
                    : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int status =
        sqlite3_open_v2(l->path, &l->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (status != SQLITE_OK)
        return fail(l, status, err);
    (void)sqlite3_busy_timeout(l->db, BUSY_MS);
    enum mfx_rc rc = check_version(l, err);
    if (rc == MFX_OK && mode == DKIM_LEDGER_WRITE)
        rc = prepare(l, err);
    return rc;
}

enum mfx_rc
dkim_ledger_open(const char *state_dir, enum dkim_ledger_mode mode,
                 struct dkim_ledger **ledger, struct mfx_err *err)
{
    struct dkim_ledger *l = calloc(1, sizeof *l);
    if (l == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = find_place(l, state_dir, mode, err);
    if (rc == MFX_OK)
        rc = open_file(l, mode, err);
    if (rc == MFX_OK)
        *ledger = l;
    else
        dkim_ledger_close(l);
    return rc;
}

void
dkim_ledger_close(struct dkim_ledger *ledger)
{
    if (ledger == NULL)
        return;
    (void)sqlite3_finalize(ledger->put);
    (void)sqlite3_finalize(ledger->forget);
    (void)sqlite3_close(ledger->db);
    free(ledger);
}

/* --- reading --- */

static struct mfx_str
text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return mfx_str(text, (size_t)sqlite3_column_bytes(s, column));
}

static uint64_t
number_at(sqlite3_stmt *s, int column)
{
    sqlite3_int64 n = sqlite3_column_int64(s, column);
    return n < 0 ? 0 : (uint64_t)n;
}

static enum dkim_key_state
state_of(struct mfx_str word)
{
    for (int i = DKIM_KEY_NEW; i <= DKIM_KEY_WITHDRAWN; i++)
        if (mfx_str_is(word, dkim_key_state_name((enum dkim_key_state)i)))
            return (enum dkim_key_state)i;
    return DKIM_KEY_NEW;
}

static enum dkim_in_dns
in_dns_of(struct mfx_str word)
{
    for (int i = DKIM_IN_DNS_UNKNOWN; i <= DKIM_IN_DNS_OTHER; i++)
        if (mfx_str_is(word, dkim_in_dns_name((enum dkim_in_dns)i)))
            return (enum dkim_in_dns)i;
    return DKIM_IN_DNS_UNKNOWN;
}

static struct dkim_ledger_row
read_row(sqlite3_stmt *s)
{
    return (struct dkim_ledger_row){
        .domain = text_at(s, 0),
        .selector = text_at(s, 1),
        .fingerprint = text_at(s, 2),
        .algorithm = text_at(s, 3),
        .path = text_at(s, 4),
        .state = state_of(text_at(s, 5)),
        .since_s = number_at(s, 6),
        .seen_s = number_at(s, 7),
        .facts =
            {
                    .in_dns = in_dns_of(text_at(s, 8)),
                    .is_lacking = number_at(s, 9) != 0,
                    .looked_s = number_at(s, 10),
                    .published_since_s = number_at(s, 11),
                    .wait_s = (uint32_t)number_at(s, 12),
                    .active_since_s = number_at(s, 13),
                    .retired_since_s = number_at(s, 14),
                    .lost_since_s = number_at(s, 15),
                    },
        .servers = text_at(s, 16),
    };
}

enum mfx_rc
dkim_ledger_each(struct dkim_ledger *ledger,
                 bool (*visit)(const struct dkim_ledger_row *, void *),
                 void *arg, struct mfx_err *err)
{
    sqlite3_stmt *s = NULL;
    int status = sqlite3_prepare_v2(ledger->db, each_sql, -1, &s, NULL);
    if (status != SQLITE_OK)
        return fail(ledger, status, err);
    while ((status = sqlite3_step(s)) == SQLITE_ROW) {
        struct dkim_ledger_row row = read_row(s);
        if (!visit(&row, arg)) {
            status = SQLITE_DONE;
            break;
        }
    }
    enum mfx_rc rc = status == SQLITE_DONE ? MFX_OK : fail(ledger, status, err);
    (void)sqlite3_finalize(s);
    return rc;
}

/* --- writing --- */

static bool
bind_text(sqlite3_stmt *s, int column, struct mfx_str text)
{
    return sqlite3_bind_text(s, column, text.len == 0 ? "" : text.p,
                             (int)text.len, SQLITE_TRANSIENT) == SQLITE_OK;
}

static bool
bind_number(sqlite3_stmt *s, int column, uint64_t n)
{
    return sqlite3_bind_int64(s, column, (sqlite3_int64)n) == SQLITE_OK;
}

static bool
bind_row(sqlite3_stmt *s, const struct dkim_ledger_row *row)
{
    const struct dkim_key_facts *f = &row->facts;
    const char *state = dkim_key_state_name(row->state);
    return bind_text(s, 1, row->domain) && bind_text(s, 2, row->selector) &&
           bind_text(s, 3, row->fingerprint) &&
           bind_text(s, 4, row->algorithm) && bind_text(s, 5, row->path) &&
           bind_text(s, 6, mfx_str_of(state)) &&
           bind_number(s, 7, row->since_s) && bind_number(s, 8, row->seen_s) &&
           bind_text(s, 9, mfx_str_of(dkim_in_dns_name(f->in_dns))) &&
           bind_number(s, 10, f->is_lacking) &&
           bind_number(s, 11, f->looked_s) &&
           bind_number(s, 12, f->published_since_s) &&
           bind_number(s, 13, f->wait_s) &&
           bind_number(s, 14, f->active_since_s) &&
           bind_number(s, 15, f->retired_since_s) &&
           bind_number(s, 16, f->lost_since_s) &&
           bind_text(s, 17, row->servers);
}

static enum mfx_rc
step(const struct dkim_ledger *l, sqlite3_stmt *s, bool is_bound,
     struct mfx_err *err)
{
    int status = is_bound ? sqlite3_step(s) : SQLITE_NOMEM;
    enum mfx_rc rc = status == SQLITE_DONE ? MFX_OK : fail(l, status, err);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc;
}

enum mfx_rc
dkim_ledger_put(struct dkim_ledger *ledger, const struct dkim_ledger_row *rows,
                size_t count, struct mfx_err *err)
{
    if (count == 0)
        return MFX_OK;
    if (ledger->put == NULL) {
        mfx_err_set(err, "%s: opened for reading", ledger->path);
        return MFX_PERMFAIL;
    }
    enum mfx_rc rc = run(ledger, "BEGIN IMMEDIATE", err);
    if (rc != MFX_OK)
        return rc;
    for (size_t i = 0; i < count && rc == MFX_OK; i++)
        rc = step(ledger, ledger->put, bind_row(ledger->put, &rows[i]), err);
    if (rc == MFX_OK)
        rc = run(ledger, "COMMIT", err);
    if (rc != MFX_OK)
        (void)run(ledger, "ROLLBACK", NULL);
    return rc;
}

enum mfx_rc
dkim_ledger_forget(struct dkim_ledger *ledger, struct mfx_str domain,
                   struct mfx_str selector, struct mfx_err *err)
{
    sqlite3_stmt *s = ledger->forget;
    if (s == NULL) {
        mfx_err_set(err, "%s: opened for reading", ledger->path);
        return MFX_PERMFAIL;
    }
    return step(ledger, s, bind_text(s, 1, domain) && bind_text(s, 2, selector),
                err);
}
