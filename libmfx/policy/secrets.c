/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/secrets.h>

enum {
    FILE_MAX = 256 * 1024,
};

static bool
is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* Without its line end; blanks belong to the secret. */
static bool
next_line(struct mfx_str *rest, struct mfx_str *line)
{
    if (!mfx_str_cut(rest, '\n', line))
        return false;
    while (line->len > 0 && is_line_end(line->p[line->len - 1]))
        line->len--;
    return true;
}

static const char *
read_lines(struct mfx_str bytes, struct mfx_str *items, size_t *count)
{
    struct mfx_str line;
    while (next_line(&bytes, &line)) {
        if (line.len == 0)
            continue;
        if (line.len > MFX_SECRETS_LINE_MAX)
            return "a line is too long";
        if (*count == MFX_SECRETS_MAX)
            return "too many secrets";
        items[(*count)++] = line;
    }
    return *count == 0 ? "it holds no secret" : NULL;
}

enum mfx_rc
mfx_secrets_read(const char *path, const char *where, unsigned line,
                 const char *danger, struct mfx_arena *arena,
                 struct mfx_problems *problems, struct mfx_secrets *secrets)
{
    struct mfx_str bytes, *items;
    struct mfx_err err = {""};
    *secrets = (struct mfx_secrets){0};
    enum mfx_rc rc =
        mfx_file_read(path, FILE_MAX, arena, &bytes, &secrets->id, &err);
    if (rc != MFX_OK) {
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, where, line, "%s",
                        err.msg);
        return rc == MFX_TEMPFAIL ? rc : MFX_PERMFAIL;
    }
    items = mfx_arena_alloc_array(arena, MFX_SECRETS_MAX, sizeof *items);
    secrets->path = mfx_arena_copy(arena, mfx_str_of(path)).p;
    if (items == NULL || secrets->path == NULL)
        return MFX_TEMPFAIL;
    const char *wrong = read_lines(bytes, items, &secrets->count);
    secrets->items = items;
    if (wrong != NULL) {
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, path, 0, "%s", wrong);
        return MFX_PERMFAIL;
    }
    if (mfx_file_check_private(path, &err) != MFX_OK)
        mfx_problem_add(problems, MFX_PROBLEM_WARNING, where, line,
                        "%s; who reads a secret %s", err.msg, danger);
    return MFX_OK;
}

bool
mfx_secrets_are_outdated(const struct mfx_secrets *secrets)
{
    struct mfx_file_id now;
    if (secrets->path == NULL)
        return false;
    return mfx_file_identify(secrets->path, &now, NULL) != MFX_OK ||
           !mfx_file_id_eq(&now, &secrets->id);
}
