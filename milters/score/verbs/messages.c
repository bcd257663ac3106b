/* SPDX-License-Identifier: BSD-2-Clause */
#include "messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mfx/mail/header.h>

void
messages_init(struct messages *in, char *const *paths, size_t count)
{
    *in = (struct messages){
        .paths = paths, .path_count = count, .memory_limit = 1 << 18, .fd = -1};
}

static void
close_file(struct messages *in)
{
    if (in->fd > STDIN_FILENO)
        (void)close(in->fd);
    in->fd = -1;
    free(in->file_copy);
    in->file_copy = NULL;
}

static void
pop_folder(struct messages *in)
{
    struct messages_folder *f = &in->folders[--in->depth];
    for (int i = 0; i < f->count; i++)
        free(f->names[i]);
    free(f->names);
    free(f->path);
}

void
messages_fini(struct messages *in)
{
    close_file(in);
    while (in->depth > 0)
        pop_folder(in);
    free(in->buffer);
    in->buffer = NULL;
}

/* --- lines --- */

/* A piece of the file: a line with its end, or as much of it as the buffer
 * holds. */
struct piece {
    struct mfx_str text;
    bool ends_line;
};

/* False: it cannot be read. */
static bool
fill(struct messages *in)
{
    if (in->from > 0) {
        memmove(in->buffer, in->buffer + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
    }
    ssize_t n;
    do
        n = read(in->fd, in->buffer + in->to, MESSAGES_BUFFER - in->to);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        in->to += (size_t)n;
    else if (n < 0)
        in->error = errno;
    in->is_at_end = n == 0;
    return n >= 0;
}

/* The next piece, which stays. MFX_NOTFOUND: there is no more. */
static enum mfx_rc
look(struct messages *in, struct piece *piece)
{
    for (;;) {
        struct mfx_str have = mfx_str(in->buffer + in->from, in->to - in->from);
        const char *end = have.len == 0 ? NULL : memchr(have.p, '\n', have.len);
        *piece = (struct piece){.text = have, .ends_line = end != NULL};
        if (end != NULL)
            piece->text.len = (size_t)(end - have.p) + 1;
        if (end != NULL || in->is_at_end)
            return have.len > 0 ? MFX_OK : MFX_NOTFOUND;
        if (have.len == MESSAGES_BUFFER) {
            /* its end may be there, but for the LF */
            piece->text.len -= have.p[have.len - 1] == '\r';
            return MFX_OK;
        }
        if (!fill(in))
            return MFX_TEMPFAIL;
    }
}

static void
take(struct messages *in, const struct piece *piece)
{
    in->from += piece->text.len;
}

static struct mfx_str
without_end(const struct piece *piece)
{
    struct mfx_str s = piece->text;
    if (piece->ends_line)
        s.len--;
    if (piece->ends_line && s.len > 0 && s.p[s.len - 1] == '\r')
        s.len--;
    return s;
}

/* "From joe@example.org Sat Nov 21 10:00:00 2026": in the middle of a
 * mailbox the time must be there. */
static bool
is_envelope(struct mfx_str line, bool is_first)
{
    if (!mfx_str_starts(line, mfx_str_of("From ")))
        return false;
    struct mfx_str name = mfx_str_head(line, mfx_str_find(line, ':'));
    if (is_first) /* unless it is the field of that name, "From : joe" */
        return !mfx_header_name_is_valid(mfx_str_trim(name));
    for (size_t i = 7; i + 2 < line.len; i++)
        if (line.p[i] == ':' &&
            mfx_ascii_is_digit((unsigned char)line.p[i - 2]) &&
            mfx_ascii_is_digit((unsigned char)line.p[i - 1]) &&
            mfx_ascii_is_digit((unsigned char)line.p[i + 1]) &&
            mfx_ascii_is_digit((unsigned char)line.p[i + 2]))
            return true;
    return false;
}

/* --- a message --- */

struct reading {
    struct messages *in;
    struct mfx_scan_body *body;
    bool is_header, is_dropped;      /* of the line before */
    bool starts_line, is_line_empty; /* the piece that comes, that before */
    bool has_held;                   /* an empty line, given when more comes */
    bool has_text;
};

static void
give(struct reading *r, const struct piece *piece)
{
    struct mfx_str s = without_end(piece);
    if (r->has_held)
        mfx_scan_body_add(r->body, mfx_str_of("\r\n"));
    r->has_held = false;
    if (s.len > 0)
        mfx_scan_body_add(r->body, s);
    /* the last line of a file may lack its end */
    if (piece->ends_line || r->in->is_at_end)
        mfx_scan_body_add(r->body, mfx_str_of("\r\n"));
    r->has_text = r->has_text || s.len > 0;
}

static void
take_header_line(struct reading *r, const struct piece *piece)
{
    const struct messages *in = r->in;
    struct mfx_str line = without_end(piece);
    bool is_folded = line.len > 0 && mfx_ascii_is_wsp((unsigned char)line.p[0]);
    struct mfx_str name = mfx_str_head(line, mfx_str_find(line, ':'));
    if (line.len == 0 ||
        (!is_folded && (name.len == line.len ||
                        !mfx_header_name_is_valid(mfx_str_trim(name))))) {
        r->is_header = r->is_dropped = false;
        give(r, piece);
        return;
    }
    if (!is_folded)
        r->is_dropped =
            in->drops != NULL && in->drops(in->drops_arg, mfx_str_trim(name));
    if (!r->is_dropped)
        give(r, piece);
}

/* The empty line before the next message of a mailbox is no part of this
 * one. */
static void
take_piece(struct reading *r, const struct piece *piece)
{
    bool is_empty = r->starts_line && without_end(piece).len == 0;
    if (r->is_header && r->starts_line) {
        take_header_line(r, piece);
    } else if (r->is_header) {
        if (!r->is_dropped)
            give(r, piece);
    } else if (is_empty && r->in->is_mailbox) {
        if (r->has_held)
            mfx_scan_body_add(r->body, mfx_str_of("\r\n"));
        r->has_held = true;
    } else {
        give(r, piece);
    }
    r->is_line_empty = is_empty;
    r->starts_line = piece->ends_line;
}

/* MFX_OK: a message, or nothing but empty lines. */
static enum mfx_rc
read_message(struct reading *r)
{
    struct messages *in = r->in;
    struct piece piece;
    enum mfx_rc rc;
    while ((rc = look(in, &piece)) == MFX_OK) {
        if (in->is_mailbox && r->starts_line && r->is_line_empty &&
            is_envelope(piece.text, false))
            break;
        take_piece(r, &piece);
        take(in, &piece);
    }
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static const char *
compression(struct mfx_str first)
{
    static const struct {
        struct mfx_str magic;
        const char *name;
    } known[] = {
        {MFX_STR("\x1f\x8b"),         "gzip" },
        {MFX_STR("BZh"),              "bzip2"},
        {MFX_STR("\xfd"
                 "7zXZ"),
         "xz"                                },
        {MFX_STR("\x28\xb5\x2f\xfd"), "zstd" },
        {MFX_STR("Dovecot-LZ4"),      "LZ4"  },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (mfx_str_starts(first, known[i].magic))
            return known[i].name;
    return NULL;
}

static void
spoil(struct message *m, const char *why)
{
    mfx_scan_body_free(m->body);
    m->body = NULL;
    mfx_err_set(&m->err, "%s", why);
}

static void
finish_message(struct reading *r, struct message *m, enum mfx_rc rc)
{
    struct mfx_err err = {""};
    mfx_scan_body_end(m->body);
    if (rc != MFX_OK) {
        spoil(m, strerror(r->in->error));
    } else if (!r->has_text) {
        spoil(m, "there is no message in it");
    } else if (mfx_scan_body_check(m->body, &err) != MFX_OK) {
        spoil(m, err.msg);
        m->is_unstored = true;
    }
}

static struct mfx_str
name_of(const struct messages *in, struct mfx_arena *arena)
{
    return in->is_mailbox ? mfx_arena_printf(arena, "%.*s:%u",
                                             MFX_STR_ARG(in->file), in->number)
                          : mfx_arena_copy(arena, in->file);
}

/* The next message of the open file; false: there is none, and it is closed. */
static bool
next_of_file(struct messages *in, struct mfx_arena *arena, struct message *m)
{
    struct reading r = {.in = in, .is_header = true, .starts_line = true};
    struct piece first;
    enum mfx_rc rc = look(in, &first);
    if (rc == MFX_NOTFOUND && in->number > 0) {
        close_file(in);
        return false;
    }
    if (rc == MFX_OK && is_envelope(first.text, in->number == 0)) {
        in->is_mailbox = true;
        take(in, &first);
    }
    in->number++;
    m->name = name_of(in, arena);
    const char *packed =
        rc == MFX_OK && in->number == 1 ? compression(first.text) : NULL;
    if (packed != NULL) {
        mfx_err_set(&m->err, "it is compressed (%s)", packed);
        close_file(in);
        return true;
    }
    m->body = mfx_scan_body_new(in->memory_limit, in->temp_folder);
    if (m->body == NULL) {
        spoil(m, "out of memory");
        close_file(in);
        return true;
    }
    r.body = m->body;
    if (rc == MFX_OK)
        rc = read_message(&r);
    finish_message(&r, m, rc == MFX_NOTFOUND ? MFX_OK : rc);
    if (rc == MFX_TEMPFAIL)
        close_file(in);
    return true;
}

/* --- files and folders --- */

static bool
begin_file(struct messages *in, int fd, const char *name, char *copy)
{
    in->fd = fd;
    in->file = mfx_str_of(name);
    in->file_copy = copy;
    in->number = 0;
    in->is_mailbox = in->is_at_end = false;
    in->from = in->to = 0;
    if (in->buffer == NULL)
        in->buffer = malloc(MESSAGES_BUFFER);
    if (in->buffer != NULL && name != NULL)
        return true;
    close_file(in);
    errno = ENOMEM;
    return false;
}

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_message_folder(const struct dirent *entry)
{
    return strcmp(entry->d_name, "cur") == 0 ||
           strcmp(entry->d_name, "new") == 0;
}

/* A maildir has both; then nothing else of it counts. */
static int
list_folder(const char *path, struct dirent ***names)
{
    int count = scandir(path, names, is_message_folder, by_name);
    if (count < 0 || count == 2)
        return count;
    for (int i = 0; i < count; i++)
        free((*names)[i]);
    free(*names);
    return scandir(path, names, is_visible, by_name);
}

/* False: it cannot be read. */
static bool
push_folder(struct messages *in, const char *path)
{
    struct messages_folder f = {.path = NULL};
    if (in->depth == MESSAGES_DEPTH) {
        errno = ELOOP;
        return false;
    }
    f.count = list_folder(path, &f.names);
    if (f.count < 0)
        return false;
    f.path = strdup(path);
    in->folders[in->depth++] = f;
    if (f.path != NULL)
        return true;
    pop_folder(in);
    errno = ENOMEM;
    return false;
}

/* False: it cannot be read; else a folder is pushed, a file open, or, in a
 * folder, it was something else. Symbolic links lead to files only there. */
static bool
open_path(struct messages *in, const char *path, bool is_given)
{
    struct stat st;
    if (!is_given && lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return push_folder(in, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
                            (is_given ? 0 : O_NONBLOCK));
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0) {
        (void)close(fd);
        return false;
    }
    if (S_ISDIR(st.st_mode) || (!is_given && !S_ISREG(st.st_mode))) {
        (void)close(fd);
        return !is_given || push_folder(in, path);
    }
    char *copy = strdup(path);
    return begin_file(in, fd, copy, copy);
}

static bool
fail_path(struct message *m, struct mfx_arena *arena, const char *path)
{
    int code = errno;
    m->name = mfx_arena_copy(arena, mfx_str_of(path));
    mfx_err_set(&m->err, "%s", strerror(code));
    return true;
}

/* Opens what comes next; true with a message: it cannot be read. */
static bool
open_next(struct messages *in, struct mfx_arena *arena, struct message *m,
          bool *is_end)
{
    if (in->depth == 0) {
        *is_end = in->next_path == in->path_count;
        if (*is_end)
            return false;
        const char *path = in->paths[in->next_path++];
        if (strcmp(path, "-") == 0)
            return !begin_file(in, STDIN_FILENO, "stdin", NULL) &&
                   fail_path(m, arena, "stdin");
        return !open_path(in, path, true) && fail_path(m, arena, path);
    }
    struct messages_folder *f = &in->folders[in->depth - 1];
    if (f->next == f->count) {
        pop_folder(in);
        return false;
    }
    struct mfx_str path =
        mfx_arena_printf(arena, "%s/%s", f->path, f->names[f->next++]->d_name);
    return path.p != NULL && !open_path(in, path.p, false) &&
           fail_path(m, arena, path.p);
}

bool
messages_next(struct messages *in, struct mfx_arena *arena,
              struct message *message)
{
    bool is_end = false;
    *message = (struct message){.body = NULL};
    while (!is_end) {
        if (in->fd >= 0) {
            if (next_of_file(in, arena, message))
                return true;
        } else if (open_next(in, arena, message, &is_end)) {
            return true;
        }
    }
    return false;
}
