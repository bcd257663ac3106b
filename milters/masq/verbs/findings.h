/* SPDX-License-Identifier: BSD-2-Clause
 *
 * findings - what `mfxctl masq check` has found, and how it is told
 *
 * All are counted, and of each kind the first ones kept.
 *
 * Ownership: in the arena of the run; texts are copied. Errors: what does not
 * fit into memory is counted only. Threads: one.
 */
#ifndef MFX_MASQ_FINDINGS_H
#define MFX_MASQ_FINDINGS_H

#include "verbs.h"

enum finding_kind {
    FINDING_LOOP,
    FINDING_VALUE,
    FINDING_COLLISION,
    FINDING_NO_KEY,
    FINDING_KIND_COUNT,
};

/* A row of a rule's table. */
struct finding_row {
    struct mfx_str rule, table, key;
    unsigned line; /* 0: none */
};

enum {
    FINDING_ROWS = 5, /* shown of a collision */
};

struct finding {
    struct finding_row rows[FINDING_ROWS];
    size_t row_count;    /* of all, not only of those kept */
    struct mfx_str text; /* what is wrong, or what they become */
    struct finding *next;
};

struct findings {
    const struct verb_run *run;
    size_t limit;           /* of each kind */
    size_t rows, addresses; /* looked at */
    size_t counts[FINDING_KIND_COUNT];
    struct finding *first[FINDING_KIND_COUNT], *last[FINDING_KIND_COUNT];
    bool has_keys; /* mfx-dkim's tables were asked */
    json_t *notes; /* what was not looked at */
};

/* rows: as many as are kept of row_count. */
void findings_add(struct findings *f, enum finding_kind kind,
                  const struct finding_row *rows, size_t row_count,
                  struct mfx_str text);
void findings_note(struct findings *f, const char *format, ...)
    MFX_PRINTF(2, 3);
/* Prints all, and returns the exit status. */
int findings_print(struct findings *f);

#endif
