/* SPDX-License-Identifier: BSD-2-Clause */
#include "book.h"

#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/map.h>

enum {
    NAME_BYTES = 600,
};

struct dkim_book {
    struct mfx_map *by_name;
    struct dkim_record **records;
    size_t count, room;
    struct dkim_ledger *ledger;
    struct mfx_err trouble;
    struct dkim_record *dirty;
    bool is_writable;
};

/* A record's own bytes: name for the map, then domain, then selector. */
static struct dkim_record *
new_record(struct mfx_str domain, struct mfx_str selector, struct mfx_str *name)
{
    size_t len = domain.len + selector.len + 1;
    struct dkim_record *r = calloc(1, sizeof *r + len);
    if (r == NULL)
        return NULL;
    char *text = (char *)(r + 1);
    memcpy(text, domain.p, domain.len);
    text[domain.len] = '/';
    memcpy(text + domain.len + 1, selector.p, selector.len);
    r->domain = mfx_str(text, domain.len);
    r->selector = mfx_str(text + domain.len + 1, selector.len);
    *name = mfx_str(text, len);
    return r;
}

static void
free_record(struct dkim_record *r)
{
    free(r->servers);
    free(r->trouble);
    free(r->path);
    free(r);
}

static bool
remember(struct dkim_book *b, struct mfx_str name, struct dkim_record *r)
{
    if (b->count == b->room) {
        size_t room = b->room == 0 ? 64 : b->room * 2;
        struct dkim_record **more =
            realloc(b->records, room * sizeof(struct dkim_record *));
        if (more == NULL)
            return false;
        b->records = more;
        b->room = room;
    }
    if (mfx_map_put(b->by_name, name, r) != MFX_OK)
        return false;
    b->records[b->count++] = r;
    return true;
}

struct dkim_record *
dkim_book_need(struct dkim_book *book, struct mfx_str domain,
               struct mfx_str selector, uint64_t now_s)
{
    char bytes[NAME_BYTES];
    if (domain.len == 0 || selector.len == 0 ||
        domain.len + selector.len + 1 > sizeof bytes)
        return NULL;
    memcpy(bytes, domain.p, domain.len);
    bytes[domain.len] = '/';
    memcpy(bytes + domain.len + 1, selector.p, selector.len);
    struct mfx_str name = mfx_str(bytes, domain.len + 1 + selector.len);
    struct dkim_record *r = mfx_map_get(book->by_name, name);
    if (r != NULL)
        return r;
    r = new_record(domain, selector, &name);
    if (r == NULL)
        return NULL;
    r->seen_s = now_s;
    if (remember(book, name, r))
        return r;
    free_record(r);
    return NULL;
}

size_t
dkim_book_count(const struct dkim_book *book)
{
    return book->count;
}

struct dkim_record *
dkim_book_at(const struct dkim_book *book, size_t i)
{
    return book->records[i];
}

void
dkim_record_text(char **text, struct mfx_str value)
{
    if (*text != NULL && mfx_str_eq(mfx_str_of(*text), value))
        return;
    free(*text);
    *text = value.len == 0 ? NULL : strndup(value.p, value.len);
}

void
dkim_record_forget(struct dkim_record *r)
{
    r->facts = (struct dkim_key_facts){.in_dns = DKIM_IN_DNS_UNKNOWN};
    r->verdict = (struct dkim_key_verdict){.state = DKIM_KEY_NEW};
    r->is_judged = false;
    r->since_s = 0;
    r->bits = 0;
    r->algorithm[0] = '\0';
    r->fingerprint[0] = '\0';
    dkim_record_text(&r->servers, mfx_str(NULL, 0));
    dkim_record_text(&r->trouble, mfx_str(NULL, 0));
}

/* --- the ledger behind it --- */

static void
copy_text(char *out, size_t size, struct mfx_str text)
{
    (void)snprintf(out, size, "%.*s", MFX_STR_ARG(text));
}

static bool
take_row(const struct dkim_ledger_row *row, void *arg)
{
    struct dkim_book *book = arg;
    struct dkim_record *r =
        dkim_book_need(book, row->domain, row->selector, row->seen_s);
    if (r == NULL)
        return true;
    copy_text(r->fingerprint, sizeof r->fingerprint, row->fingerprint);
    copy_text(r->algorithm, sizeof r->algorithm, row->algorithm);
    r->facts = row->facts;
    r->verdict.state = row->state;
    r->since_s = row->since_s;
    r->seen_s = row->seen_s;
    dkim_record_text(&r->servers, row->servers);
    dkim_record_text(&r->path, row->path);
    return true;
}

static void
open_ledger(struct dkim_book *book, const char *state_dir,
            enum dkim_ledger_mode mode)
{
    dkim_ledger_close(book->ledger);
    book->ledger = NULL;
    book->is_writable = false;
    mfx_err_set(&book->trouble, "state_dir is empty");
    if (state_dir != NULL && dkim_ledger_open(state_dir, mode, &book->ledger,
                                              &book->trouble) == MFX_OK) {
        book->trouble.msg[0] = '\0';
        book->is_writable = mode == DKIM_LEDGER_WRITE;
    }
}

struct dkim_book *
dkim_book_new(const char *state_dir)
{
    struct dkim_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return NULL;
    book->by_name = mfx_map_new(MFX_MAP_NOCASE, 16);
    if (book->by_name == NULL) {
        free(book);
        return NULL;
    }
    open_ledger(book, state_dir, DKIM_LEDGER_READ);
    if (book->ledger != NULL && dkim_ledger_each(book->ledger, take_row, book,
                                                 &book->trouble) == MFX_OK)
        book->trouble.msg[0] = '\0';
    return book;
}

void
dkim_book_begin(struct dkim_book *book, const char *state_dir)
{
    open_ledger(book, state_dir, DKIM_LEDGER_WRITE);
}

void
dkim_book_free(struct dkim_book *book)
{
    if (book == NULL)
        return;
    dkim_ledger_close(book->ledger);
    for (size_t i = 0; i < book->count; i++)
        free_record(book->records[i]);
    mfx_map_free(book->by_name);
    free(book->records);
    free(book);
}

const char *
dkim_book_trouble(const struct dkim_book *book)
{
    return book->trouble.msg;
}

void
dkim_book_mark(struct dkim_book *book, struct dkim_record *record)
{
    if (record->is_dirty || !book->is_writable)
        return;
    record->is_dirty = true;
    record->next_dirty = book->dirty;
    book->dirty = record;
}

bool
dkim_book_is_dirty(const struct dkim_book *book)
{
    return book->dirty != NULL;
}

static struct mfx_str
copy(struct mfx_arena *arena, const char *text)
{
    return mfx_arena_copy(arena, mfx_str_of(text));
}

static void
fill_row(const struct dkim_record *r, struct mfx_arena *arena,
         struct dkim_ledger_row *row)
{
    *row = (struct dkim_ledger_row){
        .domain = r->domain,
        .selector = r->selector,
        .fingerprint = copy(arena, r->fingerprint),
        .algorithm = copy(arena, r->algorithm),
        .path = copy(arena, r->path),
        .facts = r->facts,
        .state = r->verdict.state,
        .since_s = r->since_s,
        .seen_s = r->seen_s,
        .servers = copy(arena, r->servers),
    };
}

bool
dkim_book_take(struct dkim_book *book, size_t max,
               struct dkim_book_batch *batch)
{
    *batch = (struct dkim_book_batch){.arena = mfx_arena_new(0)};
    if (batch->arena == NULL)
        return false;
    batch->rows = mfx_arena_alloc_array(batch->arena, max, sizeof *batch->rows);
    batch->records =
        mfx_arena_alloc_array(batch->arena, max, sizeof(struct dkim_record *));
    if (batch->rows == NULL || batch->records == NULL) {
        mfx_arena_free(batch->arena);
        return false;
    }
    while (book->dirty != NULL && batch->count < max) {
        struct dkim_record *r = book->dirty;
        book->dirty = r->next_dirty;
        r->is_dirty = false;
        fill_row(r, batch->arena, &batch->rows[batch->count]);
        batch->records[batch->count++] = r;
    }
    return true;
}

enum mfx_rc
dkim_book_write(struct dkim_book *book, const struct dkim_book_batch *batch,
                struct mfx_err *err)
{
    if (!mfx_arena_ok(batch->arena)) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    return dkim_ledger_put(book->ledger, batch->rows, batch->count, err);
}

void
dkim_book_done(struct dkim_book *book, struct dkim_book_batch *batch,
               bool is_written)
{
    for (size_t i = 0; !is_written && i < batch->count; i++)
        dkim_book_mark(book, batch->records[i]);
    mfx_arena_free(batch->arena);
}
