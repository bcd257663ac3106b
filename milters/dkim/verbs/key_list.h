/* SPDX-License-Identifier: BSD-2-Clause
 *
 * key_list - the signing keys of a configuration, in order of their names
 *
 *     status = key_list_collect(run, loaded, argv + first, count, &list);
 *     for (size_t i = 0; i < list.count; i++) ... list.items[i] ...
 *     key_list_fini(&list);
 *
 * Keys that wait and those that were replaced are among them. Domains that are
 * named are also looked up as a From address would be, so
 * that patterns and live tables give their keys, too.
 *
 * Ownership: the list its array; texts live as long as what was loaded and
 * run->arena. Errors: EXIT_OK, or what verb_fail returned. Threads: one.
 */
#ifndef DKIM_KEY_LIST_H
#define DKIM_KEY_LIST_H

#include "../policy.h"
#include "verb.h"

/* What DNS should hold of a key. */
enum key_wanted {
    KEY_WANTED,       /* its record */
    KEY_WANTED_EMPTY, /* p=: withdrawn, or to be */
    KEY_WANTED_NOT,   /* nothing: it was withdrawn, and is gone */
};

struct key_item {
    struct mfx_str domain, selector; /* as configured */
    struct mfx_str key;              /* path, or "inline" */
    struct dkim_key_file *file;      /* NULL: not there any more */
    enum key_wanted wanted;
    const char *state; /* as `keys` calls it; or NULL */
    bool is_ed25519;   /* known without a file, too */
};

struct key_list {
    struct key_item *items;
    size_t count, room;
    size_t conflicts; /* names with two different keys: the first is kept */
};

/* domains: those wanted, or none for all. */
int key_list_collect(const struct verb_run *run,
                     const struct mfx_offline *loaded, char *const *domains,
                     size_t count, struct key_list *list);
void key_list_fini(struct key_list *list);

#endif
