/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/file.h>

static int
wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

bool
load_source_init(struct load_source *source, const char *directory)
{
    struct dirent **names = NULL;
    source->arena = mfx_arena_new(0);
    if (source->arena == NULL || directory == NULL)
        return source->arena != NULL;
    int n = scandir(directory, &names, wanted, alphasort);
    bool ok = n > 0;
    source->files = mfx_arena_alloc_array(source->arena, (size_t)(ok ? n : 1),
                                          sizeof *source->files);
    for (int i = 0; i < n; i++) {
        struct mfx_err err = {0};
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
        if (mfx_file_read(path, (size_t)1 << 30, source->arena,
                          &source->files[source->file_count], NULL,
                          &err) == MFX_OK)
            source->file_count++;
        else
            fprintf(stderr, "load: %s\n", err.msg);
        free(names[i]);
    }
    free(names);
    return ok && source->file_count != 0;
}

void
load_source_fini(struct load_source *source)
{
    mfx_arena_free(source->arena);
}

/* --- messages made up --- */

static uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

static void
add_line(struct mfx_buf *out, size_t len, uint64_t *state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                  "qrstuvwxyz0123456789+ ";
    for (size_t i = 0; i < len;) {
        uint64_t bits = next_random(state);
        for (unsigned k = 0; k < 10 && i < len; k++, i++, bits >>= 6)
            mfx_buf_add_byte(out, letters[bits & 63]);
    }
    mfx_buf_add_text(out, "\r\n");
}

/* Lines of 76 up to `size` bytes; a body of that size that is there already
 * only gets a new first line. */
static void
make_body(struct mfx_buf *body, size_t size, uint64_t *state)
{
    if (body->len == size && size > 78) {
        struct mfx_buf line;
        mfx_buf_init(&line, 256);
        add_line(&line, 76, state);
        memcpy(body->p, line.p, line.len);
        mfx_buf_fini(&line);
        return;
    }
    mfx_buf_clear(body);
    while (body->len + 80 < size)
        add_line(body, 76, state);
    add_line(body, size - body->len > 2 ? size - body->len - 2 : 1, state);
}

static void add_field(struct mta_message *m, const char *name,
                      const char *format, ...) MFX_PRINTF(3, 4);

static void
add_field(struct mta_message *m, const char *name, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mta_message_add_field(m, mfx_str_of(name), mfx_str(text, (size_t)n));
}

static void
make_headers(struct mta_message *m, uint64_t number, const char *from)
{
    unsigned long long n = number;
    for (unsigned hop = 1; hop <= 3; hop++)
        add_field(m, "Received",
                  " from host%u.example.org (host%u.example.org [192.0.2.%u])\n"
                  "\tby relay%u.example.net (Postfix) with ESMTPS id %llX%u\n"
                  "\tfor <reader@example.net>; Mon, 20 Jul 2026 10:%02u:00 "
                  "+0200 (CEST)",
                  hop, hop, hop, hop, n, hop, hop);
    add_field(m, "From", " \"A. Writer\" <%s>", from);
    add_field(m, "To", " Reader <reader%llu@example.net>, other@example.com",
              n % 97);
    add_field(m, "Cc", " <third.party@example.org>");
    add_field(m, "Subject", " Numbers of the week, issue %llu", n);
    add_field(m, "Date", " Mon, 20 Jul 2026 10:00:%02llu +0200", n % 60);
    add_field(m, "Message-ID", " <%llu.%08llx@%s>", n,
              (n * 2654435761U) & 0xffffffff, strchr(from, '@') + 1);
    add_field(m, "Reply-To", " <%s>", from);
    add_field(m, "References", " <%llu.a@example.net>\n <%llu.b@example.net>",
              n, n);
    add_field(m, "MIME-Version", " 1.0");
    add_field(m, "Content-Type", " text/plain; charset=utf-8");
    add_field(m, "Content-Transfer-Encoding", " 7bit");
    add_field(m, "User-Agent", " Sample/1.0 (test; x86_64)");
}

static size_t
header_bytes(const struct mta_message *m)
{
    size_t total = 2;
    for (const struct mta_field *f = m->fields->next; f; f = f->next)
        total += f->name.len + f->value.len + 3;
    return total;
}

/* The pattern with its %u; false when it has none. */
static bool
fill_in(const char *pattern, uint64_t number, char *text, size_t size)
{
    const char *mark = strstr(pattern, "%u");
    if (mark != NULL)
        snprintf(text, size, "%.*s%llu%s", (int)(mark - pattern), pattern,
                 (unsigned long long)number, mark + 2);
    else
        snprintf(text, size, "%s", pattern);
    return mark != NULL;
}

/* A stride that visits all of `count` in no order. */
static uint64_t
one_of(uint64_t number, unsigned count)
{
    return number * 7919 % count;
}

static void
make_from(const struct load_source *source, uint64_t number, char *from,
          size_t size)
{
    char domain[256];
    uint64_t sender = one_of(number, source->senders);
    uint64_t of_domains = sender * source->domains / source->senders;
    if (fill_in(source->domain, of_domains, domain, sizeof domain))
        snprintf(from, size, "writer@%s", domain);
    else
        snprintf(from, size, "writer%llu@%s", (unsigned long long)number % 997,
                 domain);
}

bool
load_source_login(const struct load_source *source, uint64_t number,
                  char *login, size_t size)
{
    if (source->login != NULL)
        fill_in(source->login, one_of(number, source->logins), login, size);
    return source->login != NULL;
}

static void
from_of_message(const struct mta_message *m, char *from, size_t size)
{
    snprintf(from, size, "sender@example.org");
    for (const struct mta_field *f = m->fields->next; f; f = f->next) {
        if (!mfx_str_is_nocase(f->name, "from"))
            continue;
        size_t open = mfx_str_find(f->value, '<');
        struct mfx_str rest = mfx_str_from(f->value, open + 1);
        struct mfx_str address = mfx_str_head(rest, mfx_str_find(rest, '>'));
        if (address.len != 0)
            snprintf(from, size, "%.*s", MFX_STR_ARG(address));
    }
}

void
load_source_get(const struct load_source *source, uint64_t number,
                struct mta_message *m, struct mfx_buf *body, char *from,
                size_t from_size)
{
    mta_message_clear(m);
    if (source->file_count != 0) {
        mta_message_parse(m, source->files[number % source->file_count]);
        from_of_message(m, from, from_size);
        return;
    }
    uint64_t state = (number + 1) * 0x9e3779b97f4a7c15U;
    make_from(source, number, from, from_size);
    make_headers(m, number, from);
    size_t head = header_bytes(m);
    /* of one size, so that a big body is made once */
    size_t rest = source->size > head ? source->size - head : 1;
    rest = rest > 100000 ? source->size - 2048 : rest;
    make_body(body, rest, &state);
    m->body = mfx_buf_str(body);
    m->has_body = true;
}
