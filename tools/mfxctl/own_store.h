/* SPDX-License-Identifier: BSD-2-Clause
 *
 * own_store - a daemon's store, opened by a command while no daemon runs
 *
 *     status = own_store_prepare(settings, &err);
 *     if (status == EXIT_OK && (store = ...open...) != NULL)
 *         status = own_store_wait(store, &err);
 *
 * Ownership: the store is the caller's. Errors: exit statuses, the text in err.
 * Threads: one.
 */
#ifndef MFX_TOOLS_OWN_STORE_H
#define MFX_TOOLS_OWN_STORE_H

#include <mfx/policy/store_settings.h>

#include "exit.h"

/* As root: becomes the owner of the store's file. From now on the log is not
 * written: what happens while a store is opened, the command says. */
int own_store_prepare(const struct mfx_store_settings *settings,
                      struct mfx_err *err);
/* Until it is up. */
int own_store_wait(struct mfx_store *store, struct mfx_err *err);

#endif
