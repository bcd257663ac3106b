/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key_row - which key a row of a key table, or of sign.domains, names
 *
 * OpenDKIM's row is "domain:selector:key", "domain:selector:key:algorithm"
 * since 2026. A domain "%" is the From domain; "%" in a path that begins with
 * "/" is the row's domain. A row of sign.domains has a key for each selector,
 * where sign.key_path says.
 *
 * Ownership: texts borrow from the table or live in the arena. Errors: err
 * says what is wrong with the row. Threads: pure.
 */
#ifndef DKIM_KEY_ROW_H
#define DKIM_KEY_ROW_H

#include "keys.h"
#include "settings.h"

struct dkim_line_key;

/* One row of a key table, or one domain and selector of sign.domains. */
struct dkim_key_row {
    struct mfx_str domain; /* "%": the From domain */
    struct mfx_str selector;
    struct mfx_str key;         /* path or the key itself */
    int algorithm;              /* enum mfx_dkim_algorithm; -1: not said */
    struct dkim_key_file *file; /* NULL: known only with the From domain */
    /* Its place among the keys that replace each other; NULL: in none. */
    struct dkim_line_key *line_key;
    struct dkim_key_row *next; /* the next selector of the same domain */
};

/* row->file is left to the caller. */
enum mfx_rc dkim_key_row_parse(const struct dkim_settings *s,
                               struct mfx_str value, struct mfx_arena *arena,
                               struct dkim_key_row *row,
                               struct mfx_err *err) MFX_NODISCARD;
/* True when the path of the key is known only with the From address. */
bool dkim_key_row_needs_author(const struct dkim_key_row *row);
/* For a row that names an algorithm: is its key for that? A key that cannot be
 * parsed is not this function's business. */
enum mfx_rc dkim_key_row_check(const struct dkim_key_row *row,
                               struct mfx_err *err) MFX_NODISCARD;
/* algorithm -1: any. */
enum mfx_rc dkim_key_check_algorithm(const struct mfx_dkim_private_key *key,
                                     int algorithm,
                                     struct mfx_err *err) MFX_NODISCARD;

/* The rows of a domain, one for each selector: those of the value, or of
 * sign.selectors. */
enum mfx_rc dkim_key_rows_of_domain(const struct dkim_settings *s,
                                    struct mfx_str domain, struct mfx_str value,
                                    struct mfx_arena *arena,
                                    struct dkim_key_row **first,
                                    struct mfx_err *err) MFX_NODISCARD;
/* True when %d, the domain, stands in sign.key_path. */
bool dkim_path_has_domain(struct mfx_str path);

bool dkim_has_percent(struct mfx_str text);
/* Every '%' becomes the domain; p NULL when out of memory. */
struct mfx_str dkim_put_domain(struct mfx_str text, struct mfx_str domain,
                               struct mfx_arena *arena);

#endif
