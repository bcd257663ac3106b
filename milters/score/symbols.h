/* SPDX-License-Identifier: BSD-2-Clause
 *
 * symbols - what each symbol of an engine was worth
 *
 *     score_symbols_count(symbols, result->symbols, result->symbol_count,
 *                         is_spam, now_s);
 *     rc = score_symbols_list(symbols, arena, &rows, &count);
 *
 * Ownership: new/free; rows, with their names, are the arena's.
 * Errors: without memory nothing is counted; MFX_TEMPFAIL from list.
 * Threads: any. Limits: max symbols: past it those with the fewest hits (of
 * these, those seen longest ago) give way, a quarter of all at once. Names are
 * cut at SCORE_SYMBOL_NAME_MAX bytes; '?' stands for what is not printable
 * ASCII in them.
 */
#ifndef SCORE_SYMBOLS_H
#define SCORE_SYMBOLS_H

#include <mfx/scan/scan.h>

enum {
    SCORE_SYMBOL_NAME_MAX = 100,
    SCORE_SYMBOLS_OF_MESSAGE = 1000,
};

struct score_symbol {
    struct mfx_str name;
    uint64_t hits, spam_hits; /* messages; is_spam */
    uint64_t scored;          /* hits that had a score ... */
    int64_t score_sum;        /* ... and their sum, in thousandths */
    uint64_t last_s;
};

struct score_symbols;

/* NULL when out of memory. */
struct score_symbols *score_symbols_new(size_t max);
void score_symbols_free(struct score_symbols *symbols);
/* From now on; what is too much goes with the next new name. */
void score_symbols_set_max(struct score_symbols *symbols, size_t max);

/* Of one message: its first SCORE_SYMBOLS_OF_MESSAGE. */
void score_symbols_count(struct score_symbols *symbols,
                         const struct mfx_scan_symbol *items, size_t count,
                         bool is_spam, uint64_t now_s);
/* Most hits first. */
enum mfx_rc score_symbols_list(struct score_symbols *symbols,
                               struct mfx_arena *arena,
                               const struct score_symbol **rows,
                               size_t *count) MFX_NODISCARD;

#endif
