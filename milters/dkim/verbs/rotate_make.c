/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The next key: its name, its file, its card.
 */
#include "rotate.h"

#include <unistd.h>

#include <mfx/base/file.h>

#include "../record_text.h"
#include "../rotation/card.h"
#include "../selector.h"

static bool
is_taken(struct mfx_str selector, void *arg)
{
    const struct rotate_work *w = arg;
    for (size_t i = 0; i < w->count; i++)
        if (mfx_str_eq_nocase(w->keys[i].selector, selector))
            return true;
    for (size_t i = 0; i < w->next_count; i++)
        if (mfx_str_eq_nocase(w->next[i].selector, selector))
            return true;
    return false;
}

/* --- the file's name --- */

static bool
is_part_of_word(struct mfx_str s, size_t at)
{
    return at < s.len && mfx_ascii_is_alnum((unsigned char)s.p[at]);
}

/* Where the old selector stands as a word of its own in the file's name. */
static size_t
find_word(struct mfx_str name, struct mfx_str word)
{
    for (size_t at = 0; at + word.len <= name.len; at++)
        if (mfx_str_eq(mfx_str(name.p + at, word.len), word) &&
            (at == 0 || !is_part_of_word(name, at - 1)) &&
            !is_part_of_word(name, at + word.len))
            return at;
    return name.len;
}

/* The new selector in the place of the old one, or else before the ending. */
static struct mfx_str
name_for(struct mfx_str name, struct mfx_str old, struct mfx_str selector,
         struct mfx_arena *arena)
{
    size_t at = find_word(name, old), end = at + old.len;
    if (at < name.len)
        return mfx_arena_printf(
            arena, "%.*s%.*s%.*s", MFX_STR_ARG(mfx_str_head(name, at)),
            MFX_STR_ARG(selector), MFX_STR_ARG(mfx_str_from(name, end)));
    at = mfx_str_find_last(name, '.');
    return mfx_arena_printf(
        arena, "%.*s.%.*s%.*s", MFX_STR_ARG(mfx_str_head(name, at)),
        MFX_STR_ARG(selector), MFX_STR_ARG(mfx_str_from(name, at)));
}

/* Beside the old key. Where domains share a folder, another one's key may
 * have that name already. */
static struct mfx_str
path_for(const struct rotate_work *w, const struct rotate_known *old,
         struct mfx_str selector)
{
    struct mfx_arena *arena = w->run->arena;
    size_t slash = mfx_str_find_last(old->path, '/');
    struct mfx_str folder = mfx_str_head(old->path, slash);
    struct mfx_str name = name_for(mfx_str_from(old->path, slash + 1),
                                   old->selector, selector, arena);
    if (w->request->out != NULL)
        folder = mfx_str_of(w->request->out);
    struct mfx_str path = mfx_arena_printf(
        arena, "%.*s/%.*s", MFX_STR_ARG(folder), MFX_STR_ARG(name));
    if (path.p == NULL || access(path.p, F_OK) != 0)
        return path;
    return mfx_arena_printf(arena, "%.*s/%.*s.%.*s", MFX_STR_ARG(folder),
                            MFX_STR_ARG(w->request->domain), MFX_STR_ARG(name));
}

/* As the old key: who may read that one may read this one. */
static int
mode_for(const struct rotate_work *w, const struct rotate_known *old,
         struct key_mode *mode)
{
    struct mfx_file_id id;
    struct mfx_err err = {0};
    int status = key_mode_of_user(w->run, w->request->owner, mode);
    if (status != EXIT_OK || w->request->owner != NULL)
        return status;
    if (mfx_file_identify(old->path.p, &id, &err) != MFX_OK)
        return verb_fail(w->run, EXIT_NOINPUT, "%s", err.msg);
    mode->mode = 0600 | (id.mode & 0040);
    if (geteuid() == 0) {
        mode->owner = id.owner;
        mode->group = id.group;
    } else if ((mode->mode & 0040) != 0) {
        mode->group = id.group;
    }
    return EXIT_OK;
}

/* --- making --- */

static int
write_card(struct rotate_work *w, const struct rotate_next *n)
{
    const struct mfx_env clock = mfx_env_system();
    struct mfx_err err = {0};
    size_t slash = mfx_str_find_last(n->old->path, '/');
    struct dkim_card card = {
        .domain = w->request->domain,
        .selector = n->selector,
        .algorithm = mfx_str_of(mfx_dkim_algorithm_name(n->algorithm)),
        .replaces = n->old->selector,
        .created_s = clock.wall_s(&clock),
        .not_before_s = n->not_before_s,
    };
    if (w->request->is_shared) {
        card.domain = mfx_str_of("*");
        card.replaces_key = mfx_str_from(n->old->path, slash + 1);
    }
    struct mfx_str path = dkim_card_path(n->path, w->run->arena);
    if (path.p != NULL && dkim_card_write(path.p, &card, &err) == MFX_OK)
        return EXIT_OK;
    /* without its card nobody knows the key */
    (void)unlink(n->path.p);
    return verb_fail(w->run, EXIT_CANNOT_WRITE, "%s", err.msg);
}

static int
make_key(struct rotate_work *w, struct rotate_next *n)
{
    struct key_made made = {.algorithm = n->algorithm, .bits = n->bits};
    struct key_mode mode;
    int status = mode_for(w, n->old, &mode);
    if (status == EXIT_OK)
        status = key_make(w->run, &made);
    if (status == EXIT_OK)
        status = key_make_write(w->run, n->path.p, &mode, &made);
    if (status == EXIT_OK)
        status = write_card(w, n);
    if (status == EXIT_OK) {
        n->record = made.record;
        n->bits = mfx_dkim_private_key_bits(made.key);
        n->is_made = true;
    }
    key_make_fini(&made);
    return status;
}

int
rotate_make(struct rotate_work *w, const struct rotate_known *old)
{
    const struct dkim_settings *s = w->loaded->settings;
    const struct mfx_env clock = mfx_env_system();
    const struct rotate_request *r = w->request;
    struct mfx_err err = {0};
    struct key_made wanted;
    struct mfx_str pattern = s->rotation.selector;
    if (r->selector != NULL)
        pattern = mfx_str_of(r->selector);
    if (!dkim_keys_is_path(old->path))
        return verb_fail(w->run, EXIT_CONFIG,
                         "the key of selector %.*s stands in the table: move "
                         "it to a file first",
                         MFX_STR_ARG(old->selector));
    int status = key_make_read(
        w->run, old->algorithm == MFX_DKIM_RSA_SHA256 ? "rsa" : "ed25519",
        r->bits, &wanted);
    if (status != EXIT_OK)
        return status;
    struct rotate_next n = {
        .old = old,
        .algorithm = old->algorithm,
        .bits = r->bits == NULL && old->bits > wanted.bits ? old->bits
                                                           : wanted.bits,
        .not_before_s = r->not_before_s,
    };
    enum mfx_rc rc = dkim_selector_make(pattern, clock.wall_s(&clock), is_taken,
                                        w, w->run->arena, &n.selector, &err);
    if (rc == MFX_OK)
        rc = dkim_record_name(r->domain, n.selector, w->run->arena, &n.name);
    if (rc != MFX_OK)
        return verb_fail(w->run, EXIT_USAGE, "%s",
                         err.msg[0] != '\0' ? err.msg : "the name is too long");
    n.path = path_for(w, old, n.selector);
    if (n.path.p == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    status = make_key(w, &n);
    if (status == EXIT_OK)
        w->next[w->next_count++] = n;
    return status;
}

/* One that waits is shown again. */
int
rotate_show(struct rotate_work *w, const struct rotate_known *waiting)
{
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_err err = {0};
    struct rotate_next n = {
        .old = waiting,
        .selector = waiting->selector,
        .path = waiting->path,
        .algorithm = waiting->algorithm,
        .bits = waiting->bits,
        .why = waiting->why,
    };
    int status = verb_read_key(w->run, n.path.p, &key);
    if (status != EXIT_OK)
        return status;
    enum mfx_rc rc =
        mfx_dkim_private_key_record(key, w->run->arena, &n.record, &err);
    if (rc == MFX_OK)
        rc = dkim_record_name(w->request->domain, n.selector, w->run->arena,
                              &n.name);
    mfx_dkim_private_key_unref(key);
    for (size_t i = 0; i < w->count; i++)
        if (mfx_str_eq_nocase(w->keys[i].selector, waiting->replaces))
            n.old = &w->keys[i];
    w->next[w->next_count++] = n;
    return rc == MFX_OK ? EXIT_OK
                        : verb_fail(w->run, EXIT_SYSTEM, "%s", err.msg);
}
