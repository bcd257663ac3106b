/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an engine, the MTA and the client say, cut at bytes 0xFE, is written
 * into header fields: they are safe to insert, no line of them is broken on the
 * way, and no field says what another one should.
 */
#include "../../milters/score/engines.h"
#include "../../milters/score/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct score_engine rspamd = {.name = MFX_STR("rspamd"),
                                           .type = SCORE_ENGINE_RSPAMD};
static const struct score_engine clamd = {.name = MFX_STR("clamd"),
                                          .type = SCORE_ENGINE_CLAMD};

static const struct score_settings settings = {
    .headers = {.when = SCORE_WHEN_ALWAYS,
                .flag = MFX_STR("X-Spam-Flag"),
                .score = MFX_STR("X-Spam-Score"),
                .level = MFX_STR("X-Spam-Level"),
                .status = MFX_STR("X-Spam-Status"),
                .symbols = MFX_STR("X-Spam-Symbols"),
                .action = MFX_STR("X-Spam-Action"),
                .virus_scanned = MFX_STR("X-Virus-Scanned"),
                .virus_status = MFX_STR("X-Virus-Status"),
                .original_to = MFX_STR("X-Spam-Orig-To"),
                .level_character = MFX_STR("*")},
};

static void
check(bool holds, const char *what)
{
    if (!holds)
        MFX_BUG(what);
}

static struct mfx_str
next_value(struct mfx_str *rest)
{
    struct mfx_str value = {0};
    (void)mfx_str_cut(rest, (char)0xFE, &value);
    return value;
}

static void
check_field(const struct mfx_edit *e, bool eai)
{
    struct mfx_str rest = e->value, line;
    check(e->kind == MFX_EDIT_INSERT_HEADER, "no insertion");
    check(mfx_header_name_is_valid(e->name), "a name");
    check(mfx_header_value_is_safe(e->value), "a value");
    check(eai || mfx_str_is_ascii(e->value), "more than ASCII");
    while (mfx_str_cut(&rest, '\n', &line))
        check(line.len < 900, "a long line");
    if (mfx_str_is(e->name, "X-Virus-Status"))
        check(mfx_str_starts(e->value, mfx_str_of(" Infected")),
              "a virus status");
    if (mfx_str_is(e->name, "X-Spam-Status"))
        check(mfx_str_starts(e->value, mfx_str_of(" Yes, score=")),
              "a spam status");
}

static void
fill_symbols(struct mfx_scan_result *r, struct mfx_scan_symbol *symbols,
             size_t max, struct mfx_str in)
{
    r->symbols = symbols;
    while (in.p != NULL && r->symbol_count < max) {
        struct mfx_scan_symbol *symbol = &symbols[r->symbol_count++];
        struct mfx_str score;
        symbol->name = next_value(&in);
        score = next_value(&in);
        symbol->has_score = score.len > 0;
        if (score.len > 0)
            memcpy(&symbol->score, score.p,
                   score.len < sizeof symbol->score ? score.len
                                                    : sizeof symbol->score);
    }
}

static void
run(struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_decision decision;
    struct mfx_connection connection = {.mta_name = next_value(&in)};
    struct mfx_recipient recipient = {.address = next_value(&in)};
    struct mfx_message m = {.arena = arena,
                            .connection = &connection,
                            .decision = &decision,
                            .recipients = &recipient,
                            .recipient_count = 1};
    struct mfx_scan_symbol symbols[40] = {0};
    struct mfx_scan_result spam = {0}, virus = {.virus = next_value(&in)};
    const struct score_run runs[] = {
        {.engine = &rspamd, .result = &spam },
        {.engine = &clamd,  .result = &virus}
    };
    struct score_for to = {.recipient = &recipient};
    const struct score_verdict verdict = {
        .runs = runs,
        .run_count = 2,
        .recipients = &to,
        .recipient_count = 1,
        .done = {.action = SCORE_ACTION_REDIRECT},
        .has_score = true,
        .score = 7250,
        .required = 5000,
        .is_spam = true,
        .was_spam_scanned = true,
        .was_virus_scanned = true,
        .virus = &runs[1],
    };
    mfx_decision_init(&decision, arena);
    m.is_smtputf8 = connection.mta_name.len % 2 == 1;
    fill_symbols(&spam, symbols, sizeof symbols / sizeof symbols[0], in);
    score_fields_write(&m, &settings, &verdict, false);
    size_t count = 0;
    for (const struct mfx_edit *e = decision.edits; e != NULL; e = e->next) {
        check_field(e, m.is_smtputf8);
        count++;
    }
    size_t want = 6 + (recipient.address.len > 0);
    for (size_t i = 0; i < spam.symbol_count; i++)
        if (symbols[i].name.len > 0) {
            want++; /* X-Spam-Symbols */
            break;
        }
    check(count == want, "a field is missing");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    if (arena == NULL)
        return 0;
    run(mfx_str((const char *)data, size), arena);
    mfx_arena_free(arena);
    return 0;
}
