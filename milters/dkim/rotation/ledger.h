/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ledger - what this host has seen of its keys, kept through restarts
 *
 * One SQLite file, STATE_DIR/keys.sqlite, in WAL mode with full syncs: after
 * kill -9 or a power cut it is whole and holds everything up to the last put.
 * A directory of keys that hosts share is never written.
 *
 *     rc = dkim_ledger_open(state_dir, DKIM_LEDGER_WRITE, &ledger, &err);
 *     rc = dkim_ledger_each(ledger, visit, arg, &err);
 *     rc = dkim_ledger_put(ledger, rows, count, &err);
 *
 * Ownership: open/close; a visited row's texts live during the visit.
 * Errors: MFX_NOTFOUND: no such directory or file; MFX_PERMFAIL: may not be
 * written, or no ledger; MFX_TEMPFAIL: anything else.
 * Threads: one at a time. Other processes may read meanwhile.
 */
#ifndef DKIM_ROTATION_LEDGER_H
#define DKIM_ROTATION_LEDGER_H

#include <mfx/base/str.h>

#include "key_state.h"

struct dkim_ledger;

enum dkim_ledger_mode {
    DKIM_LEDGER_READ,  /* must exist */
    DKIM_LEDGER_WRITE, /* is made; the directory too where its parent lets */
};

struct dkim_ledger_row {
    struct mfx_str domain, selector; /* together the key */
    /* Of the record text; another one means another key under that name, of
     * which nothing is known. */
    struct mfx_str fingerprint;
    struct mfx_str algorithm, path;
    struct dkim_key_facts facts; /* those that are observed, not the card's */
    enum dkim_key_state state;   /* as last decided */
    uint64_t since_s;            /* of the state */
    uint64_t seen_s;             /* when this host first saw the key */
    struct mfx_str servers;      /* the last look, a line for each server */
};

enum mfx_rc dkim_ledger_open(const char *state_dir, enum dkim_ledger_mode mode,
                             struct dkim_ledger **ledger,
                             struct mfx_err *err) MFX_NODISCARD;
void dkim_ledger_close(struct dkim_ledger *ledger);

/* visit returns false to stop. */
enum mfx_rc dkim_ledger_each(struct dkim_ledger *ledger,
                             bool (*visit)(const struct dkim_ledger_row *row,
                                           void *arg),
                             void *arg, struct mfx_err *err) MFX_NODISCARD;
/* All rows or none; they replace those of the same domain and selector. */
enum mfx_rc dkim_ledger_put(struct dkim_ledger *ledger,
                            const struct dkim_ledger_row *rows, size_t count,
                            struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc dkim_ledger_forget(struct dkim_ledger *ledger,
                               struct mfx_str domain, struct mfx_str selector,
                               struct mfx_err *err) MFX_NODISCARD;

#endif
