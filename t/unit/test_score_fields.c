/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>

#include "../../milters/score/engines.h"
#include "../../milters/score/fields.h"
#include "score_conf.h"
#include "unit.h"

#define NONE MFX_DECIMAL_NONE

static const struct score_engine rspamd = {.name = MFX_STR("rspamd"),
                                           .type = SCORE_ENGINE_RSPAMD};
static const struct score_engine spamd = {.name = MFX_STR("spamd"),
                                          .type = SCORE_ENGINE_SPAMD};
static const struct score_engine clamd = {.name = MFX_STR("clamd"),
                                          .type = SCORE_ENGINE_CLAMD};
static const struct score_engine clamd2 = {.name = MFX_STR("clamd2"),
                                           .type = SCORE_ENGINE_CLAMD};
static const struct score_engine shadow = {
    .name = MFX_STR("next"), .type = SCORE_ENGINE_RSPAMD, .is_shadow = true};

/* One message with a decision. */
struct site {
    struct mfx_arena *arena;
    struct mfx_connection connection;
    struct mfx_decision decision;
    struct mfx_message m;
    struct score_settings settings;
};

static void
add_recipient(struct site *s, struct mfx_str address)
{
    struct mfx_recipient *r = mfx_arena_alloc(s->arena, sizeof *r);
    r->address = mfx_arena_copy(s->arena, address);
    if (s->m.last_recipient == NULL)
        s->m.recipients = r;
    else
        s->m.last_recipient->next = r;
    s->m.last_recipient = r;
    s->m.recipient_count++;
}

static void
site_begin(struct site *s, const char *header)
{
    static const struct mfx_str remove[] = {
        MFX_STR("X-Spam"), MFX_STR("X-Spam-*"), MFX_STR("X-Virus-*")};
    struct mfx_str body;
    *s = (struct site){.arena = mfx_arena_new(0)};
    mfx_decision_init(&s->decision, s->arena);
    s->connection.mta_name = mfx_str_of("mx.us.example");
    s->m = (struct mfx_message){.arena = s->arena,
                                .connection = &s->connection,
                                .decision = &s->decision};
    assert_int_equal(
        mfx_message_split(mfx_str_of(header), s->arena, &s->m.headers, &body),
        MFX_OK);
    s->settings.headers = (struct score_header_settings){
        .when = SCORE_WHEN_ALWAYS,
        .outgoing_when = SCORE_WHEN_NEVER,
        .flag = MFX_STR("X-Spam-Flag"),
        .score = MFX_STR("X-Spam-Score"),
        .level = MFX_STR("X-Spam-Level"),
        .status = MFX_STR("X-Spam-Status"),
        .action = MFX_STR("X-Spam-Action"),
        .virus_scanned = MFX_STR("X-Virus-Scanned"),
        .virus_status = MFX_STR("X-Virus-Status"),
        .original_to = MFX_STR("X-Spam-Orig-To"),
        .level_character = MFX_STR("*"),
        .remove = {remove, 3},
    };
}

static void
site_end(struct site *s)
{
    mfx_headers_fini(&s->m.headers);
    mfx_arena_free(s->arena);
}

/* "NAME:VALUE\n" of what is inserted; "-NAME\n" of what goes. */
static struct mfx_str
edits(struct site *s)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, s->arena, 1 << 20);
    for (const struct mfx_edit *e = s->decision.edits; e != NULL; e = e->next) {
        bool is_deletion = e->kind == MFX_EDIT_DELETE_HEADER;
        struct mfx_str name = is_deletion ? e->header->name : e->name;
        if (is_deletion) {
            mfx_buf_printf(&out, "-%.*s\n", MFX_STR_ARG(name));
            continue;
        }
        assert_int_equal(e->kind, MFX_EDIT_INSERT_HEADER);
        assert_int_equal(e->place, MFX_EDIT_TOP);
        assert_true(mfx_header_name_is_valid(name));
        assert_true(mfx_header_value_is_safe(e->value));
        mfx_buf_printf(&out, "%.*s:%.*s\n", MFX_STR_ARG(name),
                       MFX_STR_ARG(e->value));
    }
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

/* "A=1.5 B": symbols, and their scores where they have one. */
static void
set_symbols(struct site *s, struct mfx_scan_result *r, const char *text)
{
    struct mfx_scan_symbol *symbols =
        mfx_arena_alloc_array(s->arena, 1000, sizeof *symbols);
    struct mfx_str rest = mfx_str_of(text), word;
    while (mfx_str_word(&rest, " ", &word)) {
        struct mfx_scan_symbol *symbol = &symbols[r->symbol_count++];
        size_t equals = mfx_str_find(word, '=');
        symbol->name = mfx_str_head(word, equals);
        symbol->has_score = equals < word.len;
        symbol->score =
            symbol->has_score ? strtod(word.p + equals + 1, NULL) : NAN;
    }
    r->symbols = symbols;
}

/* --- what is written --- */

struct run {
    const struct score_engine *engine;
    const char *unscanned; /* NULL: it answered */
    const char *symbols;
    bool is_partial;
};

struct found {
    struct run runs[3];
    enum score_action done;
    int64_t score, required; /* NONE: no score */
    bool is_spam;
    const char *virus;
    enum mfx_scan_class klass;
    const char *unscanned_spam, *unscanned_virus;
};

static void
make_runs(struct site *s, const struct found *f, struct score_run *runs,
          struct score_verdict *v)
{
    for (size_t i = 0; i < 3 && f->runs[i].engine != NULL; i++) {
        const struct run *from = &f->runs[i];
        struct mfx_scan_result *r = mfx_arena_alloc(s->arena, sizeof *r);
        bool is_for_viruses = from->engine->type == SCORE_ENGINE_CLAMD;
        r->is_partial = from->is_partial;
        set_symbols(s, r, from->symbols == NULL ? "" : from->symbols);
        runs[i] = (struct score_run){
            .engine = from->engine, .result = r, .unscanned = from->unscanned};
        v->run_count++;
        if (from->unscanned != NULL || from->engine->is_shadow)
            continue;
        v->was_spam_scanned |= !is_for_viruses;
        v->was_virus_scanned |= is_for_viruses;
        if (is_for_viruses && f->virus != NULL) {
            r->virus = mfx_str_of(f->virus);
            r->klass = f->klass;
            v->virus = &runs[i];
        }
    }
}

static void
make_verdict(struct site *s, const struct found *f, struct score_verdict *v)
{
    struct score_run *runs = mfx_arena_alloc_array(s->arena, 3, sizeof *runs);
    struct score_for *recipient = mfx_arena_alloc(s->arena, sizeof *recipient);
    recipient->wish.action = f->done;
    *v = (struct score_verdict){
        .runs = runs,
        .done = {.action = f->done},
        .recipients = recipient,
        .recipient_count = 1,
        .has_score = f->score != NONE,
        .score = f->score == NONE ? 0 : f->score,
        .required = f->required,
        .is_spam = f->is_spam,
        .unscanned_spam = mfx_str_of(f->unscanned_spam),
        .unscanned_virus = mfx_str_of(f->unscanned_virus),
    };
    make_runs(s, f, runs, v);
}

#define LONG_NAME "A_SYMBOL_WITH_A_NAME_OF_THIRTY"

static const struct {
    const char *label;
    struct found found;
    const char *want;
} cases[] = {
    {"ham",
     {.runs = {{&rspamd, NULL, "A=1 B=-1.5", false}},
      .score = -500,
      .required = 5000},
     "X-Spam-Score: -0.5\n"
     "X-Spam-Status: No, score=-0.5 required=5.0 tests=A,B\n"                    },
    {"spam",
     {.runs = {{&rspamd, NULL, "A B", false}},
      .done = SCORE_ACTION_TAG,
      .score = 7250,
      .required = 5000,
      .is_spam = true},
     "X-Spam-Flag: YES\n"
     "X-Spam-Score: 7.25\n"
     "X-Spam-Level: *******\n"
     "X-Spam-Status: Yes, score=7.25 required=5.0 tests=A,B\n"                   },
    {"whole_points",
     {.runs = {{&spamd, NULL, "A", false}},
      .done = SCORE_ACTION_TAG,
      .score = 6000,
      .required = 6000,
      .is_spam = true},
     "X-Spam-Flag: YES\n"
     "X-Spam-Score: 6.0\n"
     "X-Spam-Level: ******\n"
     "X-Spam-Status: Yes, score=6.0 required=6.0 tests=A\n"                      },
    {"just_below",
     {.runs = {{&spamd, NULL, "", false}}, .score = 4999, .required = 5000},
     "X-Spam-Score: 4.999\n"
     "X-Spam-Level: ****\n"
     "X-Spam-Status: No, score=4.999 required=5.0 tests=none\n"                  },
    {"gtube",
     {.runs = {{&spamd, NULL, "GTUBE", false}},
      .done = SCORE_ACTION_TAG,
      .score = 1000000,
      .required = 5000,
      .is_spam = true},
     "X-Spam-Flag: YES\n"
     "X-Spam-Score: 1000.0\n"
     "X-Spam-Level: **************************************************\n"
     "X-Spam-Status: Yes, score=1000.0 required=5.0 tests=GTUBE\n"               },
    {"no_threshold",
     {.runs = {{&rspamd, NULL, "A", false}}, .score = 0, .required = NONE},
     "X-Spam-Score: 0.0\n"
     "X-Spam-Status: No, score=0.0 tests=A\n"                                    },
    {"an_answer_without_a_score",
     {.runs = {{&spamd, NULL, "A", false}}, .score = NONE, .required = 5000},
     "X-Spam-Status: No, score=0.0 required=5.0 tests=A\n"                       },
    {"folded_behind_commas",
     {.runs = {{&spamd, NULL, LONG_NAME " " LONG_NAME "2 " LONG_NAME "3 B C",
                false}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0\n"
     "\ttests=" LONG_NAME "," LONG_NAME "2,\n"
     "\t" LONG_NAME "3,B,C\n"                                                    },
    {"two_engines",
     {.runs = {{&rspamd, NULL, "A B", false}, {&spamd, NULL, "B C", false}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=A,B,C\n"                   },
    {"a_shadow_says_nothing",
     {.runs = {{&shadow, NULL, "A B", true}, {&spamd, NULL, "C", false}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=C\n"                       },
    {"sealed",
     {.score = 1000, .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=none\n"                    },
    {"nobody_was_asked",          {.score = NONE, .required = NONE},           ""},

    {"unscanned",
     {.runs = {{&rspamd, "timeout", NULL, false}},
      .score = NONE,
      .required = 5000,
      .unscanned_spam = "rspamd: timeout"},
     "X-Spam-Status: Unscanned, rspamd: timeout\n"                               },
    {"unscanned_with_a_score",
     {.runs = {{&rspamd, "timeout", NULL, false}},
      .score = 3000,
      .required = 5000,
      .unscanned_spam = "rspamd: timeout"},
     "X-Spam-Score: 3.0\n"
     "X-Spam-Level: ***\n"
     "X-Spam-Status: Unscanned, rspamd: timeout\n"                               },
    {"unscanned_and_spam",
     {.runs = {{&rspamd, "timeout", NULL, false}},
      .done = SCORE_ACTION_TAG,
      .score = 8000,
      .required = 5000,
      .is_spam = true,
      .unscanned_spam = "rspamd: timeout"},
     "X-Spam-Flag: YES\n"
     "X-Spam-Score: 8.0\n"
     "X-Spam-Level: ********\n"
     "X-Spam-Status: Yes, score=8.0 required=5.0 tests=none\n"
     "\tunscanned=rspamd:timeout\n"                                              },
    {"one_of_two_unscanned",
     {.runs = {{&rspamd, "timeout", NULL, false}, {&spamd, NULL, "A", false}},
      .score = 1000,
      .required = 5000,
      .unscanned_spam = "rspamd: timeout, x: refused"},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=A\n"
     "\tunscanned=rspamd:timeout,x:refused\n"                                    },
    {"a_part_only",
     {.runs = {{&rspamd, NULL, "A", true}, {&clamd, NULL, NULL, true}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=A partial=rspamd\n"
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
     "X-Virus-Status: Clean (first part only: clamd)\n"                          },

    {"clean",
     {.runs = {{&clamd, NULL, NULL, false}}, .score = NONE, .required = NONE},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
     "X-Virus-Status: Clean\n"                                                   },
    {"clean_says_two",
     {.runs = {{&clamd, NULL, NULL, false}, {&clamd2, NULL, NULL, false}},
      .score = NONE,
      .required = NONE},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd,clamd2)\n"
     "X-Virus-Status: Clean\n"                                                   },
    {"clean_says_one_of_two",
     {.runs = {{&clamd, "timeout", NULL, false}, {&clamd2, NULL, NULL, false}},
      .score = NONE,
      .required = NONE,
      .unscanned_virus = "clamd: timeout"},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd2)\n"
     "X-Virus-Status: Clean (unscanned by clamd: timeout)\n"                     },
    {"infected",
     {.runs = {{&clamd, NULL, NULL, false}},
      .done = SCORE_ACTION_HOLD,
      .score = NONE,
      .required = NONE,
      .virus = "Eicar-Test-Signature",
      .klass = MFX_SCAN_CLASS_VIRUS},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
     "X-Virus-Status: Infected (Eicar-Test-Signature)\n"                         },
    {"not_looked_into",
     {.runs = {{&clamd, NULL, NULL, false}},
      .score = NONE,
      .required = NONE,
      .virus = "Heuristics.Encrypted.Zip",
      .klass = MFX_SCAN_CLASS_ENCRYPTED},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
     "X-Virus-Status: Unscanned (Heuristics.Encrypted.Zip)\n"                    },
    {"virus_unscanned",
     {.runs = {{&clamd, "unreached", NULL, false}},
      .score = NONE,
      .required = NONE,
      .unscanned_virus = "clamd: unreached"},
     "X-Virus-Status: Unscanned (clamd: unreached)\n"                            },

    {"hostile_symbols",
     {.runs = {{&rspamd, NULL, "A\r\nX: B,C;D (E)", false}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0 tests=A__X:,B_C_D,_E_\n"         },
    {"nameless_symbols",
     {.runs = {{&rspamd, NULL,
                "=1 " LONG_NAME " " LONG_NAME
                "_AND_MORE_THAN_THAT_TO_FILL_THE_LINE =2",
                false}},
      .score = 1000,
      .required = 5000},
     "X-Spam-Score: 1.0\n"
     "X-Spam-Level: *\n"
     "X-Spam-Status: No, score=1.0 required=5.0\n"
     "\ttests=" LONG_NAME ",\n"
     "\t" LONG_NAME "_AND_MORE_THAN_THAT_TO_FILL_THE_LINE\n"                     },
    {"hostile_virus",
     {.runs = {{&clamd, NULL, NULL, false}},
      .score = NONE,
      .required = NONE,
      .virus = "A)\r\nX-Spam-Flag: NO\r\n\001\377(",
      .klass = MFX_SCAN_CLASS_VIRUS},
     "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
     "X-Virus-Status: Infected (A___X-Spam-Flag:_NO_____)\n"                     },
};

static void
what_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site s;
        struct score_verdict v;
        site_begin(&s, "");
        make_verdict(&s, &cases[i].found, &v);
        score_fields_write(&s.m, &s.settings, &v, false);
        unit_assert_str(cases[i].label, edits(&s), mfx_str_of(cases[i].want));
        site_end(&s);
    }
}

static const struct found spam = {
    .runs = {{&rspamd, NULL, "A", false}, {&clamd, NULL, NULL, false}},
    .done = SCORE_ACTION_TAG,
    .score = 7250,
    .required = 5000,
    .is_spam = true
};
static const struct found ham = {
    .runs = {{&rspamd, NULL, "A", false}, {&clamd, NULL, NULL, false}},
    .score = 1250,
    .required = 5000
};
static const struct found unscanned = {
    .runs = {{&rspamd, "timeout", NULL, false},
             {&clamd, "refused", NULL, false}},
    .score = NONE,
    .required = 5000,
    .unscanned_spam = "rspamd: timeout",
    .unscanned_virus = "clamd: refused"
};
static const struct found partial = {
    .runs = {{&rspamd, NULL, "A", true}, {&clamd, NULL, NULL, true}},
    .score = 1250,
    .required = 5000
};
static const struct found infected = {
    .runs = {{&rspamd, NULL, "A", false}, {&clamd, NULL, NULL, false}},
    .score = 1250,
    .required = 5000,
    .virus = "V",
    .klass = MFX_SCAN_CLASS_VIRUS
};

#define SPAM   "X-Spam-Flag X-Spam-Score X-Spam-Level X-Spam-Status "
#define HAM    "X-Spam-Score X-Spam-Level X-Spam-Status "
#define VIRUS  "X-Virus-Scanned X-Virus-Status "
#define MARKED "X-Spam-Status X-Virus-Status "

static void
when_it_is_written(void **state)
{
    static const struct {
        const char *label;
        int when;
        const struct found *found;
        const char *want;
    } rows[] = {
        {"always_spam",      SCORE_WHEN_ALWAYS, &spam,      SPAM VIRUS},
        {"always_ham",       SCORE_WHEN_ALWAYS, &ham,       HAM VIRUS },
        {"always_unscanned", SCORE_WHEN_ALWAYS, &unscanned, MARKED    },
        {"spam_spam",        SCORE_WHEN_SPAM,   &spam,      SPAM      },
        {"spam_ham",         SCORE_WHEN_SPAM,   &ham,       ""        },
        {"spam_infected",    SCORE_WHEN_SPAM,   &infected,  VIRUS     },
        {"spam_unscanned",   SCORE_WHEN_SPAM,   &unscanned, MARKED    },
        {"spam_partial",     SCORE_WHEN_SPAM,   &partial,   MARKED    },
        {"never_spam",       SCORE_WHEN_NEVER,  &spam,      ""        },
        {"never_infected",   SCORE_WHEN_NEVER,  &infected,  ""        },
        {"never_unscanned",  SCORE_WHEN_NEVER,  &unscanned, MARKED    },
        {"never_partial",    SCORE_WHEN_NEVER,  &partial,   MARKED    },
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof rows[0]); i++) {
        bool is_outgoing = i % 2 == 1;
        struct site s;
        struct score_verdict v;
        struct mfx_buf names;
        site_begin(&s, "");
        s.settings.headers.when =
            is_outgoing ? SCORE_WHEN_ALWAYS : rows[i / 2].when;
        s.settings.headers.outgoing_when =
            is_outgoing ? rows[i / 2].when : SCORE_WHEN_ALWAYS;
        make_verdict(&s, rows[i / 2].found, &v);
        score_fields_write(&s.m, &s.settings, &v, is_outgoing);
        mfx_buf_init_arena(&names, s.arena, 1000);
        for (const struct mfx_edit *e = s.decision.edits; e; e = e->next)
            mfx_buf_printf(&names, "%.*s ", MFX_STR_ARG(e->name));
        unit_assert_str(rows[i / 2].label, mfx_buf_str(&names),
                        mfx_str_of(rows[i / 2].want));
        site_end(&s);
    }
}

static void
by_other_names(void **state)
{
    struct site s;
    struct score_verdict v;
    (void)state;
    site_begin(&s, "");
    s.settings.headers = (struct score_header_settings){
        .when = SCORE_WHEN_ALWAYS,
        .level = MFX_STR("X-Our-Level"),
        .level_character = MFX_STR("s"),
        .symbols = MFX_STR("X-Our-Symbols"),
    };
    struct found f = spam;
    f.runs[0].symbols =
        "A=1 B=-0.25 C D=0.0999999 E=nan F=-inf G=1e300 H=-1e-9 A=2 "
        "A_RATHER_LONG_NAME_FOR_A_SYMBOL=12.5 =3";
    make_verdict(&s, &f, &v);
    score_fields_write(&s.m, &s.settings, &v, false);
    unit_assert_str("names", edits(&s),
                    mfx_str_of("X-Our-Level: sssssss\n"
                               "X-Our-Symbols: A(1.0), B(-0.25), C, D(0.1), E, "
                               "F, G, H(0.0),\n"
                               "\tA_RATHER_LONG_NAME_FOR_A_SYMBOL(12.5)\n"));
    site_end(&s);
}

static void
many_symbols(void **state)
{
    struct site s;
    struct score_verdict v;
    struct mfx_buf text;
    (void)state;
    site_begin(&s, "");
    s.settings.headers.symbols = mfx_str_of("X-Spam-Symbols");
    mfx_buf_init_arena(&text, s.arena, 1 << 20);
    for (int i = 0; i < 900; i++)
        mfx_buf_printf(&text, "SYMBOL_%d=%d ", i, i);
    for (int i = 0; i < 3000; i++)
        mfx_buf_add_byte(&text, 'X');
    struct found f = spam;
    f.runs[0].symbols = mfx_buf_text(&text);
    make_verdict(&s, &f, &v);
    score_fields_write(&s.m, &s.settings, &v, false);
    struct mfx_str got = edits(&s), line;
    size_t lines = 0;
    for (; mfx_str_cut(&got, '\n', &line); lines++)
        assert_true(line.len <= 78);
    assert_true(lines > 50 && lines < 200);
    f.runs[0].symbols = mfx_buf_text(&text) + text.len - 3000;
    s.decision.edits = s.decision.last_edit = NULL;
    make_verdict(&s, &f, &v);
    score_fields_write(&s.m, &s.settings, &v, false);
    got = edits(&s);
    while (mfx_str_cut(&got, '\n', &line))
        assert_true(line.len < 200);
    site_end(&s);
}

/* Engines' own fields stand; what mail of ours has under the name goes. */
static void
others_fields(void **state)
{
    struct site s;
    struct score_verdict v;
    (void)state;
    site_begin(&s, "X-Spam-Score: 9\nX-Spam-Other: 1\nx-spam-score: 8\n");
    s.settings.headers.outgoing_when = SCORE_WHEN_ALWAYS;
    make_verdict(&s, &spam, &v);
    mfx_edit_insert_header(&s.decision, MFX_EDIT_TOP,
                           mfx_str_of("X-SPAM-Status"),
                           mfx_str_of(" Yes, by spamd"));
    score_fields_write(&s.m, &s.settings, &v, true);
    unit_assert_str(
        "edits", edits(&s),
        mfx_str_of("X-SPAM-Status: Yes, by spamd\n"
                   "X-Spam-Flag: YES\n"
                   "X-Spam-Score: 7.25\n"
                   "-X-Spam-Score\n-x-spam-score\n"
                   "X-Spam-Level: *******\n"
                   "X-Virus-Scanned: mfx-score at mx.us.example (clamd)\n"
                   "X-Virus-Status: Clean\n"));
    site_end(&s);
}

/* --- recipients --- */

static void
when_recipients_differ(void **state)
{
    static const struct {
        const char *label;
        enum score_action done, wishes[3];
        bool is_removed[3];
        const char *want;
    } rows[] = {
        {"all_alike",
         SCORE_ACTION_TAG,  {SCORE_ACTION_TAG, SCORE_ACTION_TAG, SCORE_ACTION_TAG},
         {false, false, false},
         ""                       },
        {"one_wants_reject",
         SCORE_ACTION_NONE, {SCORE_ACTION_NONE, SCORE_ACTION_REJECT, SCORE_ACTION_TAG},
         {false, false, false},
         "X-Spam-Action: reject\n"},
        {"who_is_removed",
         SCORE_ACTION_NONE, {SCORE_ACTION_NONE, SCORE_ACTION_REJECT, SCORE_ACTION_TAG},
         {false, true, false},
         "X-Spam-Action: tag\n"   },
        {"removed_and_alike",
         SCORE_ACTION_TAG,  {SCORE_ACTION_TAG, SCORE_ACTION_HOLD, SCORE_ACTION_TAG},
         {false, true, false},
         ""                       },
        {"all_milder_than_done",
         SCORE_ACTION_HOLD, {SCORE_ACTION_NONE, SCORE_ACTION_NONE, SCORE_ACTION_TAG},
         {false, false, false},
         ""                       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct site s;
        struct score_verdict v;
        struct score_for recipients[3] = {{0}};
        const struct found nothing = {
            .done = rows[i].done, .score = NONE, .required = NONE};
        site_begin(&s, "");
        make_verdict(&s, &nothing, &v);
        v.recipients = recipients;
        v.recipient_count = 3;
        for (size_t k = 0; k < 3; k++) {
            recipients[k].wish.action = rows[i].wishes[k];
            recipients[k].is_removed = rows[i].is_removed[k];
        }
        score_fields_write(&s.m, &s.settings, &v, false);
        unit_assert_str(rows[i].label, edits(&s), mfx_str_of(rows[i].want));
        site_end(&s);
    }
}

static void
redirected(void **state)
{
    static const struct {
        const char *label, *to;
        bool is_kept, eai;
        const char *want;
    } rows[] = {
        {"one",         "u@us.example",              false, false, "X-Spam-Orig-To: u@us.example\n"},
        {"two",         "u@us.example v@us.example", false, false,
         "X-Spam-Orig-To: u@us.example\nX-Spam-Orig-To: v@us.example\n"                            },
        {"kept",        "u@us.example v@us.example", true,  false, ""                              },
        {"utf8",        "\xC3\xBC@us.example",       false, true,
         "X-Spam-Orig-To: \xC3\xBC@us.example\n"                                                   },
        {"no_smtputf8", "\xC3\xBC@us.example",       false, false,
         "X-Spam-Orig-To: __@us.example\n"                                                         },
        {"hostile",     "u\r\nX:\001@us.example",    false, false,
         "X-Spam-Orig-To: u__X:_@us.example\n"                                                     },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct found nothing = {
            .done = SCORE_ACTION_REDIRECT, .score = NONE, .required = NONE};
        struct site s;
        struct score_verdict v;
        struct mfx_str rest = mfx_str_of(rows[i].to), word;
        site_begin(&s, "");
        s.m.is_smtputf8 = rows[i].eai;
        s.settings.redirect.keep_recipients = rows[i].is_kept;
        while (mfx_str_word(&rest, " ", &word))
            add_recipient(&s, word);
        make_verdict(&s, &nothing, &v);
        score_fields_write(&s.m, &s.settings, &v, false);
        unit_assert_str(rows[i].label, edits(&s), mfx_str_of(rows[i].want));
        site_end(&s);
    }
}

static void
many_redirected(void **state)
{
    const struct found nothing = {
        .done = SCORE_ACTION_REDIRECT, .score = NONE, .required = NONE};
    struct site s;
    struct score_verdict v;
    size_t count = 0;
    (void)state;
    site_begin(&s, "");
    for (int i = 0; i < 1234; i++)
        add_recipient(&s, mfx_str_of("u@us.example"));
    make_verdict(&s, &nothing, &v);
    score_fields_write(&s.m, &s.settings, &v, false);
    for (const struct mfx_edit *e = s.decision.edits; e; e = e->next)
        count++;
    assert_int_equal(count, SCORE_FIELDS_ADDRESSES_MAX + 1);
    unit_assert_str("last", s.decision.last_edit->value,
                    mfx_str_of(" (and 1134 more)"));
    site_end(&s);
}

/* --- forged ones --- */

static void
forged(void **state)
{
    static const char header[] = "Received: by x\nX-Spam-Flag: NO\n"
                                 "From: a@x\nx-spam-anything: 1\n"
                                 "X-Spam-Flag: NO\n\tfolded\nX-Spam: No\n"
                                 "X-Spammer: 1\nX-Virus-Status: Clean\n"
                                 "X-Mfx-Score: v=1\nX-Our: 1\n";
    static const struct {
        const char *label, *name, *seal;
        bool is_outgoing;
        const char *want;
        unsigned count;
    } rows[] = {
        {"patterns",      "",      "",            false,
         "-X-Spam-Flag\n-x-spam-anything\n-X-Spam-Flag\n-X-Spam\n-X-Virus-Status\n",
         5                                                                                          },
        {"names_of_ours", "X-OUR", "",            false,
         "-X-Spam-Flag\n-x-spam-anything\n-X-Spam-Flag\n-X-Spam\n-X-Virus-Status\n-X-Our\n",
         6                                                                                          },
        {"the_seal",      "",      "X-MFX-Score", false,
         "-X-Spam-Flag\n-x-spam-anything\n-X-Spam-Flag\n-X-Spam\n-X-Virus-Status\n-X-Mfx-Score\n",
         6                                                                                          },
        {"ours",          "X-Our", "",            true,  "",                                       0},
        {"ours_the_seal", "X-Our", "X-Mfx-Score", true,  "-X-Mfx-Score\n",                         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct site s;
        site_begin(&s, header);
        s.settings.headers.symbols = mfx_str_of(rows[i].name);
        s.settings.seal.header = mfx_str_of(rows[i].seal);
        unit_assert_int(
            rows[i].label,
            score_fields_remove(&s.m, &s.settings, rows[i].is_outgoing),
            rows[i].count);
        unit_assert_str(rows[i].label, edits(&s), mfx_str_of(rows[i].want));
        unit_assert_int(
            rows[i].label,
            score_fields_is_reserved(&s.settings, mfx_str_of("X-MFX-score")),
            rows[i].seal[0] != '\0');
        assert_false(score_fields_is_reserved(&s.settings, mfx_str("", 0)));
        site_end(&s);
    }
}

static void
patterns(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool want;
    } rows[] = {
        {"X-Spam",     "x-spam",         true },
        {"X-Spam",     "X-Spam-Flag",    false},
        {"X-Spam-*",   "X-SPAM-Flag",    true },
        {"X-Spam-*",   "X-Spam-",        true },
        {"X-Spam-*",   "X-Spam",         false},
        {"*-Status",   "X-Virus-Status", true },
        {"*-Status",   "X-Status-Virus", false},
        {"X-*-Status", "X-a-b-Status",   true },
        {"X-*-Status", "X-Status",       false},
        {"*",          "",               true },
        {"*a*b*",      "xxaxxbxx",       true },
        {"*a*b*",      "xxbxxaxx",       false},
        {"a**b",       "ab",             true },
        {"",           "",               true },
        {"",           "a",              false},
        {"a",          "",               false},
    };
    static char name[20000];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        unit_assert_int(rows[i].pattern,
                        score_fields_matches(mfx_str_of(rows[i].pattern),
                                             mfx_str_of(rows[i].name)),
                        rows[i].want);
    /* many stars and a long name take no time that anyone would notice */
    memset(name, 'a', sizeof name);
    assert_false(score_fields_matches(mfx_str_of("*a*a*a*a*a*a*a*b"),
                                      mfx_str(name, sizeof name)));
}

/* --- settings --- */

static void
mistakes(void **state)
{
    static const struct {
        const char *label;
        const char *flag, *score, *seal, *level, *pattern;
        const char *want; /* part of a problem; NULL: none */
    } rows[] = {
        {"good",              "X-Spam-Flag", "X-Spam-Score", "X-Mfx-Score", "*",  "X-Spam-*",
         NULL                                                                                      },
        {"none_at_all",       "",            "",             "",            "*",  "X-Spam-*",  NULL},
        {"colon",             "X-Spam:",     "",             "",            "*",  "X-Spam-*",
         "headers.flag: no name of a header field"                                                 },
        {"blank",             "X Spam",      "",             "",            "*",  "X-Spam-*",
         "headers.flag: no name of a header field"                                                 },
        {"needed",            "subject",     "",             "",            "*",  "X-Spam-*",
         "headers.flag: a field that mail needs"                                                   },
        {"twice",             "X-A",         "x-a",          "",            "*",  "X-Spam-*",
         "headers.score: headers.flag: x-a"                                                        },
        {"seal_twice",        "X-A",         "",             "x-a",         "*",  "X-Spam-*",
         "seal.header: headers.flag: x-a"                                                          },
        {"seal_no_name",      "",            "",             "X-\xC3\xBC",  "*",  "X-Spam-*",
         "seal.header: no name"                                                                    },
        {"no_level",          "",            "",             "",            "",   "X-Spam-*",
         "headers.level_character: no single"                                                      },
        {"two_level",         "",            "",             "",            "**", "X-Spam-*",
         "headers.level_character: no single"                                                      },
        {"blank_level",       "",            "",             "",            " ",  "X-Spam-*",
         "headers.level_character: no single"                                                      },
        {"all_of_them",       "",            "",             "",            "*",  "*",
         "headers.remove: fields that mail needs"                                                  },
        {"too_many",          "",            "",             "",            "*",  "*e*",
         "headers.remove: fields that mail needs"                                                  },
        {"malformed_pattern", "",            "",             "",            "*",  "X-Spam: *",
         "headers.remove: no name of a header field"                                               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf_files files;
        struct score_conf c;
        char text[300];
        (void)snprintf(text, sizeof text,
                       "headers = { flag = \"%s\"; score = \"%s\"; "
                       "level_character = \"%s\"; remove = [\"%s\"]; }; "
                       "seal = { header = \"%s\"; };",
                       rows[i].flag, rows[i].score, rows[i].level,
                       rows[i].pattern, rows[i].seal);
        conf_files_init(&files);
        score_conf_load(&c, &files, text);
        unit_assert_int(rows[i].label, c.rc, MFX_OK);
        const struct mfx_policy_build build = {
            .config = c.config, .arena = c.arena, .problems = &c.problems};
        score_fields_check(&c.settings, &build);
        struct mfx_str got = score_conf_problems(&c);
        if (rows[i].want == NULL)
            unit_assert_str(rows[i].label, got, mfx_str_of(""));
        else if (strstr(got.p == NULL ? "" : got.p, rows[i].want) == NULL)
            fail_msg("%s: %.*s", rows[i].label, MFX_STR_ARG(got));
        score_conf_end(&c);
        conf_files_fini(&files);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(when_it_is_written),
        cmocka_unit_test(by_other_names),
        cmocka_unit_test(many_symbols),
        cmocka_unit_test(others_fields),
        cmocka_unit_test(when_recipients_differ),
        cmocka_unit_test(redirected),
        cmocka_unit_test(many_redirected),
        cmocka_unit_test(forged),
        cmocka_unit_test(patterns),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
