/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_row.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

bool
dkim_has_percent(struct mfx_str s)
{
    return mfx_str_has(s, '%');
}

/* OpenDKIM substitutes in a path only if it begins with "/". */
static bool
is_path_template(struct mfx_str key)
{
    return dkim_has_percent(key) && key.len > 0 && key.p[0] == '/';
}

/* True for a row whose key depends on the From address. */
bool
dkim_key_row_needs_author(const struct dkim_key_row *row)
{
    return is_path_template(row->key) && mfx_str_is(row->domain, "%");
}

/* Every '%' becomes the domain. */
struct mfx_str
dkim_put_domain(struct mfx_str text, struct mfx_str domain,
                struct mfx_arena *arena)
{
    if (!dkim_has_percent(text))
        return text;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 4096);
    for (size_t i = 0; i < text.len; i++)
        mfx_buf_add(&out, text.p[i] == '%' ? domain : mfx_str(&text.p[i], 1));
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str(NULL, 0);
}

/* The algorithm that stands behind the last ':' (upstream, 2026), taken off. */
static struct mfx_str
take_algorithm(struct mfx_str rest, int *algorithm)
{
    size_t colon = mfx_str_find_last(rest, ':');
    struct mfx_str last = mfx_str_trim(mfx_str_from(rest, colon + 1));
    *algorithm = -1;
    for (int a = MFX_DKIM_RSA_SHA256; a <= MFX_DKIM_ED25519_SHA256; a++)
        if (mfx_str_is_nocase(
                last, mfx_dkim_algorithm_name((enum mfx_dkim_algorithm)a)))
            *algorithm = a;
    return *algorithm < 0 ? rest : mfx_str_head(rest, colon);
}

/* The key as it is looked for: a path in the row's domain, or in
 * sign.key_directory. */
static enum mfx_rc
place_key(const struct dkim_settings *s, struct dkim_key_row *row,
          struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str key = row->key;
    if (is_path_template(key) && !dkim_key_row_needs_author(row))
        key = dkim_put_domain(key, row->domain, arena);
    if (dkim_keys_is_path(key) && key.len > 0 && key.p[0] == '.') {
        if (s->sign.key_directory == NULL) {
            mfx_err_set(err,
                        "%.*s: a path that begins with \".\" needs "
                        "sign.key_directory",
                        MFX_STR_ARG(key));
            return MFX_PERMFAIL;
        }
        key = mfx_arena_printf(arena, "%s/%.*s", s->sign.key_directory,
                               MFX_STR_ARG(key));
    }
    row->key = key;
    if (key.p != NULL)
        return MFX_OK;
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

/* "domain:selector:key[:algorithm]" */
enum mfx_rc
dkim_key_row_parse(const struct dkim_settings *s, struct mfx_str value,
                   struct mfx_arena *arena, struct dkim_key_row *row,
                   struct mfx_err *err)
{
    struct mfx_str rest = value;
    if (!mfx_str_cut(&rest, ':', &row->domain) ||
        !mfx_str_cut(&rest, ':', &row->selector) || rest.len == 0) {
        mfx_err_set(err, "not domain:selector:key");
        return MFX_PERMFAIL;
    }
    rest = take_algorithm(rest, &row->algorithm);
    row->domain = mfx_str_trim(row->domain);
    row->selector = mfx_str_trim(row->selector);
    row->key = mfx_str_trim(rest);
    if (!mfx_str_is(row->domain, "%") &&
        !mfx_domain_is_valid(row->domain, true)) {
        mfx_err_set(err, "%.*s is no domain", MFX_STR_ARG(row->domain));
        return MFX_PERMFAIL;
    }
    if (!mfx_domain_is_valid(row->selector, true)) {
        mfx_err_set(err, "%.*s is no selector", MFX_STR_ARG(row->selector));
        return MFX_PERMFAIL;
    }
    return place_key(s, row, arena, err);
}

enum mfx_rc
dkim_key_check_algorithm(const struct mfx_dkim_private_key *key, int algorithm,
                         struct mfx_err *err)
{
    enum mfx_dkim_algorithm is = mfx_dkim_private_key_algorithm(key);
    if (algorithm < 0 || algorithm == (int)is)
        return MFX_OK;
    mfx_err_set(err, "the row says %s, the key is for %s",
                mfx_dkim_algorithm_name((enum mfx_dkim_algorithm)algorithm),
                mfx_dkim_algorithm_name(is));
    return MFX_PERMFAIL;
}

/* At load, for the rows that name an algorithm. A key that cannot be parsed
 * is reported when all are. */
enum mfx_rc
dkim_key_row_check(const struct dkim_key_row *row, struct mfx_err *err)
{
    struct mfx_dkim_private_key *key;
    if (row->algorithm < 0 || row->file == NULL ||
        dkim_key_file_get(row->file, &key, NULL) != MFX_OK)
        return MFX_OK;
    return dkim_key_check_algorithm(key, row->algorithm, err);
}

/* %d and %s in sign.key_path. */
static struct mfx_str
expand_path(struct mfx_str path, struct mfx_str domain, struct mfx_str selector,
            struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 4096);
    for (size_t i = 0; i < path.len; i++) {
        char next = i + 1 < path.len ? path.p[i + 1] : '\0';
        if (path.p[i] != '%' || (next != 'd' && next != 's')) {
            mfx_buf_add_byte(&out, path.p[i]);
            continue;
        }
        mfx_buf_add(&out, next == 'd' ? domain : selector);
        i++;
    }
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str(NULL, 0);
}

/* Rows for a domain: one for each selector, from the table's value or from
 * sign.selectors. */
enum mfx_rc
dkim_key_rows_of_domain(const struct dkim_settings *s, struct mfx_str domain,
                        struct mfx_str value, struct mfx_arena *arena,
                        struct dkim_key_row **first, struct mfx_err *err)
{
    struct mfx_str words = value, selector;
    struct dkim_key_row **end = first;
    *first = NULL;
    for (size_t i = 0;; i++) {
        if (value.len > 0) {
            if (!mfx_str_word(&words, ", \t", &selector))
                break;
        } else if (i < s->sign.selectors.count) {
            selector = s->sign.selectors.items[i];
        } else {
            break;
        }
        if (!mfx_domain_is_valid(selector, true)) {
            mfx_err_set(err, "%.*s is no selector", MFX_STR_ARG(selector));
            return MFX_PERMFAIL;
        }
        struct dkim_key_row *row = mfx_arena_alloc(arena, sizeof *row);
        if (row == NULL)
            return MFX_TEMPFAIL;
        row->domain = domain;
        row->selector = selector;
        row->algorithm = -1;
        row->key = expand_path(s->sign.key_path, domain, selector, arena);
        *end = row;
        end = &row->next;
    }
    if (*first == NULL) {
        mfx_err_set(err, "no selector");
        return MFX_PERMFAIL;
    }
    return MFX_OK;
}

/* True when %d, the From domain, stands in sign.key_path. */
bool
dkim_path_has_domain(struct mfx_str path)
{
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.p[i] == '%' && path.p[i + 1] == 'd')
            return true;
    return false;
}
