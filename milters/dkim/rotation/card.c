/* SPDX-License-Identifier: BSD-2-Clause */
#include "card.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/clock.h>
#include <mfx/base/file.h>
#include <mfx/mail/address.h>

enum {
    CARD_MAX = 16 * 1024,
    FIELDS = 9,
};

struct mfx_str
dkim_card_path(struct mfx_str key_path, struct mfx_arena *arena)
{
    return mfx_arena_printf(arena, "%.*s" DKIM_CARD_ENDING,
                            MFX_STR_ARG(key_path));
}

/* --- times --- */

/* Digits and other bytes as in the pattern, where '0' stands for a digit. */
static bool
looks_like(struct mfx_str text, const char *pattern)
{
    if (text.len != strlen(pattern))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (pattern[i] == '0' ? !mfx_ascii_is_digit((unsigned char)text.p[i])
                              : text.p[i] != pattern[i])
            return false;
    return true;
}

static int
number_at(struct mfx_str text, size_t at, size_t len)
{
    int n = 0;
    for (size_t i = at; i < at + len && i < text.len; i++)
        n = n * 10 + (text.p[i] - '0');
    return n;
}

enum mfx_rc
dkim_card_time_parse(struct mfx_str text, uint64_t *time_s)
{
    bool has_time = looks_like(text, "0000-00-00T00:00:00Z");
    if (!has_time && !looks_like(text, "0000-00-00"))
        return MFX_PERMFAIL;
    struct tm tm = {
        .tm_year = number_at(text, 0, 4) - 1900,
        .tm_mon = number_at(text, 5, 2) - 1,
        .tm_mday = number_at(text, 8, 2),
        .tm_hour = has_time ? number_at(text, 11, 2) : 0,
        .tm_min = has_time ? number_at(text, 14, 2) : 0,
        .tm_sec = has_time ? number_at(text, 17, 2) : 0,
    };
    struct tm given = tm;
    time_t t = timegm(&tm);
    /* timegm takes the 31st of June for the 1st of July */
    if (t < 0 || tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
        tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min ||
        tm.tm_sec != given.tm_sec)
        return MFX_PERMFAIL;
    *time_s = (uint64_t)t;
    return MFX_OK;
}

/* --- reading --- */

struct reader {
    struct mfx_str text;
    size_t at;
    unsigned line;
    const char *name;
    struct mfx_arena *arena;
    struct mfx_err *err;
    unsigned seen; /* a bit for each field */
};

static enum mfx_rc
wrong(const struct reader *r, const char *what)
{
    mfx_err_set(r->err, "%s:%u: %s", r->name, r->line, what);
    return MFX_PERMFAIL;
}

static char
peek(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->text.len ? r->text.p[r->at + ahead] : '\0';
}

static void
skip_line(struct reader *r)
{
    while (r->at < r->text.len && r->text.p[r->at] != '\n')
        r->at++;
}

static bool
skip_block(struct reader *r)
{
    for (r->at += 2; r->at < r->text.len; r->at++) {
        if (r->text.p[r->at] == '\n')
            r->line++;
        if (peek(r, 0) == '*' && peek(r, 1) == '/') {
            r->at += 2;
            return true;
        }
    }
    return false;
}

/* White space and comments. */
static enum mfx_rc
skip(struct reader *r)
{
    for (;;) {
        char c = peek(r, 0);
        if (r->at >= r->text.len)
            return MFX_OK;
        if (c == '\n' || c == '\f' || mfx_ascii_is_fws((unsigned char)c)) {
            r->line += c == '\n';
            r->at++;
        } else if (c == '#' || (c == '/' && peek(r, 1) == '/')) {
            skip_line(r);
        } else if (c == '/' && peek(r, 1) == '*') {
            if (!skip_block(r))
                return wrong(r, "a comment without end");
        } else {
            return MFX_OK;
        }
    }
}

static struct mfx_str
read_name(struct reader *r)
{
    size_t begin = r->at;
    while (mfx_ascii_is_alnum((unsigned char)peek(r, 0)) || peek(r, 0) == '_')
        r->at++;
    return mfx_str(r->text.p + begin, r->at - begin);
}

/* One string; \" and \\ are the escapes, others are an error. */
static enum mfx_rc
read_string(struct reader *r, struct mfx_str *value)
{
    char *out = mfx_arena_alloc_bytes(r->arena, r->text.len - r->at + 1);
    size_t len = 0;
    if (out == NULL)
        return MFX_TEMPFAIL;
    if (peek(r, 0) != '"')
        return wrong(r, "a string in quotes is wanted");
    for (r->at++; peek(r, 0) != '"'; r->at++) {
        unsigned char c = (unsigned char)peek(r, 0);
        if (r->at >= r->text.len || c < ' ')
            return wrong(r, "a string without end");
        if (c == '\\') {
            r->at++;
            c = (unsigned char)peek(r, 0);
            if (c != '"' && c != '\\')
                return wrong(r, "only \\\" and \\\\ may follow a backslash");
        }
        out[len++] = (char)c;
    }
    r->at++;
    out[len] = '\0';
    *value = mfx_str(out, len);
    return MFX_OK;
}

static enum mfx_rc
take_time(const struct reader *r, struct mfx_str value, uint64_t *time_s)
{
    if (value.len == 0) {
        *time_s = 0;
        return MFX_OK;
    }
    if (dkim_card_time_parse(value, time_s) == MFX_OK)
        return MFX_OK;
    return wrong(r, "no time: 2026-11-21T03:30:00Z or 2026-11-21");
}

static enum mfx_rc
take(struct reader *r, struct dkim_card *card, struct mfx_str name,
     struct mfx_str value)
{
    const struct {
        const char *name;
        struct mfx_str *text;
        uint64_t *time_s;
    } fields[FIELDS] = {
        {"domain",       &card->domain,       NULL               },
        {"selector",     &card->selector,     NULL               },
        {"algorithm",    &card->algorithm,    NULL               },
        {"replaces",     &card->replaces,     NULL               },
        {"replaces_key", &card->replaces_key, NULL               },
        {"comment",      &card->comment,      NULL               },
        {"created",      NULL,                &card->created_s   },
        {"not_before",   NULL,                &card->not_before_s},
        {"retired",      NULL,                &card->retired_s   },
    };
    for (size_t i = 0; i < FIELDS; i++) {
        if (!mfx_str_is(name, fields[i].name))
            continue;
        if ((r->seen & 1U << i) != 0)
            return wrong(r, "this name was given before");
        r->seen |= 1U << i;
        if (fields[i].time_s != NULL)
            return take_time(r, value, fields[i].time_s);
        *fields[i].text = value;
        return MFX_OK;
    }
    return wrong(r, "a name that no card knows");
}

static enum mfx_rc
read_setting(struct reader *r, struct dkim_card *card)
{
    struct mfx_str value, name = read_name(r);
    if (name.len == 0)
        return wrong(r, "a name is wanted");
    enum mfx_rc rc = skip(r);
    if (rc == MFX_OK && peek(r, 0) != '=' && peek(r, 0) != ':')
        rc = wrong(r, "= is wanted behind a name");
    if (rc != MFX_OK)
        return rc;
    r->at++;
    rc = skip(r);
    if (rc == MFX_OK)
        rc = read_string(r, &value);
    if (rc == MFX_OK)
        rc = take(r, card, name, value);
    if (rc == MFX_OK)
        rc = skip(r);
    if (rc == MFX_OK && (peek(r, 0) == ';' || peek(r, 0) == ','))
        r->at++;
    return rc;
}

/* --- what makes sense --- */

static bool
is_algorithm(struct mfx_str word)
{
    return word.len == 0 || mfx_str_is(word, "rsa-sha256") ||
           mfx_str_is(word, "ed25519-sha256");
}

static const char *
find_nonsense(const struct dkim_card *card)
{
    bool is_shared = mfx_str_is(card->domain, "*");
    if (!is_shared && !mfx_domain_is_valid(card->domain, true))
        return "domain is missing or no domain";
    if (!mfx_domain_is_valid(card->selector, true))
        return "selector is missing or no selector";
    if (!is_algorithm(card->algorithm))
        return "algorithm is neither rsa-sha256 nor ed25519-sha256";
    if (card->replaces.len > 0 && !mfx_domain_is_valid(card->replaces, true))
        return "replaces is no selector";
    if (mfx_str_eq_nocase(card->replaces, card->selector))
        return "a key cannot replace itself";
    if (mfx_str_has(card->replaces_key, '/'))
        return "replaces_key is a file in the same directory, without path";
    if (is_shared && (card->replaces.len == 0 || card->replaces_key.len == 0))
        return "domain \"*\" wants replaces and replaces_key";
    return NULL;
}

enum mfx_rc
dkim_card_parse(struct mfx_str text, const char *name, struct mfx_arena *arena,
                struct dkim_card *card, struct mfx_err *err)
{
    struct reader r = {
        .text = text, .line = 1, .name = name, .arena = arena, .err = err};
    *card = (struct dkim_card){.created_s = 0};
    enum mfx_rc rc = MFX_OK;
    if (text.len > CARD_MAX)
        rc = wrong(&r, "longer than a card can be");
    if (rc == MFX_OK)
        rc = skip(&r);
    while (rc == MFX_OK && r.at < text.len) {
        rc = read_setting(&r, card);
        if (rc == MFX_OK)
            rc = skip(&r);
    }
    if (rc == MFX_OK)
        card->domain = mfx_arena_copy_lower(arena, card->domain);
    if (rc == MFX_OK && card->domain.p == NULL)
        rc = MFX_TEMPFAIL;
    const char *nonsense = rc == MFX_OK ? find_nonsense(card) : NULL;
    if (nonsense != NULL) {
        mfx_err_set(err, "%s: %s", name, nonsense);
        rc = MFX_PERMFAIL;
    }
    return rc;
}

enum mfx_rc
dkim_card_read(const char *path, struct mfx_arena *arena,
               struct dkim_card *card, struct mfx_err *err)
{
    struct mfx_str text;
    enum mfx_rc rc = mfx_file_read(path, CARD_MAX, arena, &text, NULL, err);
    return rc == MFX_OK ? dkim_card_parse(text, path, arena, card, err) : rc;
}

/* --- writing --- */

static void
put_text(struct mfx_buf *out, const char *name, struct mfx_str value)
{
    if (value.len == 0)
        return;
    mfx_buf_printf(out, "%s = \"", name);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == '"' || c == '\\')
            mfx_buf_add_byte(out, '\\');
        mfx_buf_add_byte(out, c < ' ' ? ' ' : (char)c);
    }
    mfx_buf_add_text(out, "\";\n");
}

static void
put_time(struct mfx_buf *out, const char *name, uint64_t time_s)
{
    char text[MFX_CLOCK_TEXT];
    if (time_s != 0)
        put_text(out, name, mfx_str_of(mfx_clock_text(time_s, text)));
}

void
dkim_card_format(const struct dkim_card *card, struct mfx_buf *out)
{
    put_text(out, "domain", card->domain);
    put_text(out, "selector", card->selector);
    put_text(out, "algorithm", card->algorithm);
    put_time(out, "created", card->created_s);
    put_time(out, "not_before", card->not_before_s);
    put_text(out, "replaces", card->replaces);
    put_text(out, "replaces_key", card->replaces_key);
    put_time(out, "retired", card->retired_s);
    put_text(out, "comment", card->comment);
}

static enum mfx_rc
say_errno(const char *path, struct mfx_err *err)
{
    int error = errno;
    mfx_err_set(err, "%s: %s", path, strerror(error));
    return error == EACCES || error == EPERM || error == EROFS ||
                   error == ENOENT
               ? MFX_PERMFAIL
               : MFX_TEMPFAIL;
}

static bool
write_all(int fd, struct mfx_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = mfx_str_from(bytes, n < 0 ? 0 : (size_t)n);
    }
    return true;
}

/* The rename itself must be on disk, too. */
static void
sync_directory(const char *path)
{
    char directory[PATH_MAX];
    size_t slash = mfx_str_find_last(mfx_str_of(path), '/');
    if (slash >= sizeof directory - 1)
        return;
    memcpy(directory, path, slash);
    directory[slash] = '\0';
    bool has_slash = path[slash] == '/';
    int fd = open(!has_slash          ? "."
                  : directory[0] == 0 ? "/"
                                      : directory,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static enum mfx_rc
replace(const char *path, char *temporary, struct mfx_str text,
        struct mfx_err *err)
{
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return say_errno(temporary, err);
    bool is_written =
        write_all(fd, text) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int error = errno;
    is_written = close(fd) == 0 && is_written;
    if (is_written && rename(temporary, path) == 0) {
        sync_directory(path);
        return MFX_OK;
    }
    if (!is_written)
        errno = error;
    enum mfx_rc rc = say_errno(path, err);
    (void)unlink(temporary);
    return rc;
}

enum mfx_rc
dkim_card_write(const char *path, const struct dkim_card *card,
                struct mfx_err *err)
{
    char temporary[PATH_MAX];
    struct mfx_buf out;
    const char *nonsense = find_nonsense(card);
    if (nonsense != NULL) {
        mfx_err_set(err, "%s: %s", path, nonsense);
        return MFX_PERMFAIL;
    }
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        mfx_err_set(err, "%s: too long a path", path);
        return MFX_PERMFAIL;
    }
    mfx_buf_init(&out, CARD_MAX);
    dkim_card_format(card, &out);
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (mfx_buf_ok(&out))
        rc = replace(path, temporary, mfx_buf_str(&out), err);
    else
        mfx_err_set(err, "%s: too long a card", path);
    mfx_buf_fini(&out);
    return rc;
}
