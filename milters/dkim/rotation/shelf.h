/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shelf - the cards that lie in the directories of keys
 *
 * Each directory is listed once for a load; a reload takes the list of the
 * load before where neither the directory nor a card in it has changed.
 *
 *     shelf = dkim_shelves_get(shelves, key_path, problems);
 *     for (c = dkim_shelf_after(shelf, domain, selector); c != NULL;
 *          c = c->next_after) ...
 *
 * Ownership: shelves are new/free; cards live as long as the shelves.
 * Errors: a directory that cannot be listed has no cards; a card that cannot
 * be read is a warning, and not there. Threads: get and is_outdated: the
 * loading thread. Limits: 1,000,000 cards in a directory.
 */
#ifndef DKIM_ROTATION_SHELF_H
#define DKIM_ROTATION_SHELF_H

#include <mfx/base/file.h>
#include <mfx/conf/problem.h>

#include "card.h"

struct dkim_shelf_card {
    struct dkim_card card;
    struct mfx_str path;     /* of the card */
    struct mfx_str key_path; /* of the key beside it */
    struct mfx_file_id id;
    bool is_good;                       /* it could be read */
    struct dkim_shelf_card *next_after; /* replaces the same key */
};

struct dkim_shelf;
struct dkim_shelves;

/* previous (may be NULL) is looked at until done. */
struct dkim_shelves *dkim_shelves_new(struct dkim_shelves *previous);
void dkim_shelves_done(struct dkim_shelves *shelves);
void dkim_shelves_free(struct dkim_shelves *shelves);

/* Of the directory in which this file lies. NULL: out of memory. */
const struct dkim_shelf *dkim_shelves_get(struct dkim_shelves *shelves,
                                          struct mfx_str key_path,
                                          struct mfx_problems *problems);

/* Cards whose key replaces this selector of this domain ("*" for those that
 * stand for every domain), the oldest first. */
const struct dkim_shelf_card *dkim_shelf_after(const struct dkim_shelf *shelf,
                                               struct mfx_str domain,
                                               struct mfx_str selector);
/* The card of the key that has this name. */
const struct dkim_shelf_card *dkim_shelf_named(const struct dkim_shelf *shelf,
                                               struct mfx_str domain,
                                               struct mfx_str selector);
/* The card beside this key file. */
const struct dkim_shelf_card *dkim_shelf_of(const struct dkim_shelf *shelf,
                                            struct mfx_str key_path);

/* True when a card came, went or changed. Looks at a part at each call. */
bool dkim_shelves_is_outdated(struct dkim_shelves *shelves);

#endif
