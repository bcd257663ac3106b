/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the MTA is told for an engine's answer. The groups "as_rspamd" have what
 * the milter of rspamd 3.4 was seen to tell it for the same answer about the
 * same message (but for the blank before a value, which the MTA adds there).
 */
#include "unit.h"

#include <mfx/milter/apply.h>

#include "../../milters/score/engine_edits.h"

#define COUNT(a)   (sizeof(a) / sizeof(a)[0])
#define FIELDS_MAX 10

static struct mfx_arena *arena;

/* --- the MTA --- */

static struct mfx_buf told;

static bool
tell_at(const char *kind, long long at, const char *name, const char *value)
{
    mfx_buf_printf(&told, "%s %lld %s:%s|", kind, at, name,
                   value == NULL ? "" : value);
    return true;
}

static bool
on_change(void *ctx, const char *name, size_t index, const char *value)
{
    (void)ctx;
    return tell_at("m", (long long)index, name, value);
}

static bool
on_insert(void *ctx, int at, const char *name, const char *value)
{
    (void)ctx;
    return tell_at("i", at, name, value);
}

static bool
on_append(void *ctx, const char *name, const char *value)
{
    (void)ctx;
    mfx_buf_printf(&told, "h %s:%s|", name, value);
    return true;
}

static bool
on_body(void *ctx, struct mfx_str body)
{
    (void)ctx;
    mfx_buf_printf(&told, "b %.*s|", MFX_STR_ARG(body));
    return true;
}

static bool
tell_address(const char *kind, const char *address, const char *parameters)
{
    mfx_buf_printf(&told, "%s %s%s%s|", kind, address,
                   parameters == NULL ? "" : " ",
                   parameters == NULL ? "" : parameters);
    return true;
}

static bool
on_sender(void *ctx, const char *address, const char *parameters)
{
    (void)ctx;
    return tell_address("e", address, parameters);
}

static bool
on_add_recipient(void *ctx, const char *address, const char *parameters)
{
    (void)ctx;
    return tell_address("+", address, parameters);
}

static bool
on_delete_recipient(void *ctx, const char *address)
{
    (void)ctx;
    return tell_address("-", address, NULL);
}

static const struct mfx_link_ops ops = {
    .body = on_body,
    .change = on_change,
    .insert = on_insert,
    .append = on_append,
    .sender = on_sender,
    .add_recipient = on_add_recipient,
    .delete_recipient = on_delete_recipient,
};

/* --- the message --- */

static struct mfx_message message;
static struct mfx_decision decision;

static void
begin(void)
{
    static const char *const fields[][2] = {
        {"From",    " a@example.org"},
        {"Subject", " hi"           },
        {"A",       " 1"            },
        {"A",       " 2"            },
        {"a",       " 3"            },
        {"X-Spam",  " old"          },
    };
    static struct mfx_recipient recipients[2] = {
        {.address = MFX_STR("rcpt@example.net"),
         .raw = MFX_STR("<rcpt@example.net>") },
        {.address = MFX_STR("Other@Example.net"),
         .raw = MFX_STR("<Other@Example.net>")},
    };
    memset(&message, 0, sizeof message);
    mfx_decision_init(&decision, arena);
    message.arena = arena;
    message.decision = &decision;
    message.sender_parameters = mfx_str_of("RET=HDRS");
    recipients[0].next = &recipients[1];
    message.recipients = recipients;
    for (size_t i = 0; i < COUNT(fields); i++)
        (void)mfx_headers_add(&message.headers, arena, mfx_str_of(fields[i][0]),
                              mfx_str_of(fields[i][1]));
    mfx_buf_clear(&told);
}

static void
end(const char *label, const char *want)
{
    static const struct mfx_link link = {&ops, NULL};
    const struct mfx_apply_facts facts = {true, message.headers.count};
    struct mfx_err err = {{0}};
    unit_assert_int(label, mfx_apply(&decision, &link, &facts, &err), MFX_OK);
    unit_assert_str(label, mfx_buf_str(&told), mfx_str_of(want));
    unit_assert_int(label, decision.verdict, MFX_VERDICT_CONTINUE);
}

static const struct score_engine_edits_rules rules = {.engine =
                                                          MFX_STR("rspamd")};

/* The number of things that were left out. */
static size_t
traces(void)
{
    size_t count = 0;
    for (const struct mfx_decision_note *n = decision.trace; n != NULL;
         n = n->next)
        count += strcmp(n->key, "engine_edit") == 0;
    return count;
}

/* --- fields --- */

#define ADD(n, v, i)                                                        \
    {                                                                       \
        .kind = MFX_SCAN_EDIT_ADD, .name = MFX_STR(n), .value = MFX_STR(v), \
        .at = (i)                                                           \
    }
#define REMOVE(n, i)                                                \
    {                                                               \
        .kind = MFX_SCAN_EDIT_REMOVE, .name = MFX_STR(n), .at = (i) \
    }

static const struct {
    const char *label;
    struct mfx_scan_edit edits[FIELDS_MAX];
    const char *want;
    size_t left_out;
} field_cases[] = {
  /* as_rspamd */
    {"append",                        {ADD("X-A", "v", -1)},         "h X-A: v|",             0},
    {"first",                         {ADD("X-A", "v", 0)},          "i 0 X-A: v|",           0},
    {"below_received",                {ADD("X-A", "v", 1)},          "i 1 X-A: v|",           0},
    {"beyond_the_end",                {ADD("X-A", "v", 99999)},      "i 99999 X-A: v|",       0},
    {"last_but_one",                  {ADD("X-A", "v", -2)},         "i 6 X-A: v|",           0},
    {"from_the_end_all",              {ADD("X-A", "v", -6)},         "i 2 X-A: v|",           0},
    {"from_the_end_more",             {ADD("X-A", "v", -7)},         "i 0 X-A: v|",           0},
    {"from_the_end_behind_one",
     {ADD("X-A", "a", 5), ADD("X-B", "v", -2)},
     "i 5 X-A: a|i 7 X-B: v|",                                                                0},
    {"from_the_end_behind_a_removal",
     {REMOVE("A", 0), ADD("X-A", "v", -2)},
     "m 3 a:|m 2 A:|m 1 A:|i 3 X-A: v|",                                                      0},
    {"several",
     {ADD("X-A", "v", -1), ADD("X-C", "c", 0), ADD("X-D", "d", 1),
      ADD("X-E", "e", -1)},
     "h X-A: v|i 0 X-C: c|i 1 X-D: d|h X-E: e|",                                              0},
    {"same_place_twice",
     {ADD("X", "a", 1), ADD("Y", "b", 1)},
     "i 1 X: a|i 1 Y: b|",                                                                    0},
    {"remove_all",                    {REMOVE("A", 0)},              "m 3 a:|m 2 A:|m 1 A:|", 0},
    {"remove_all_other_case",         {REMOVE("SUBJECT", 0)},        "m 1 Subject:|",         0},
    {"remove_second",                 {REMOVE("A", 2)},              "m 2 A:|",               0},
    {"remove_last",                   {REMOVE("A", -1)},             "m 3 a:|",               0},
    {"remove_last_but_two",           {REMOVE("A", -3)},             "m 1 A:|",               0},
    {"remove_beyond_the_top",         {REMOVE("A", -9)},             "",                      0},
    {"remove_none",                   {REMOVE("X-None", 0)},         "",                      0},
    {"removals_first",
     {ADD("A", "x", -1), REMOVE("A", 2)},
     "m 2 A:|h A: x|",                                                                        0},
    {"empty_value",                   {ADD("X-D", "", -1)},          "h X-D: |",              0},
    {"folded",                        {ADD("X-B", "v\n w", -1)},     "h X-B: v\n w|",         0},
    {"beyond_ascii",                  {ADD("X-C", "\303\274", -1)},  "h X-C: \303\274|",      0},
 /* not as rspamd */
    {"remove_beyond_the_end",         {REMOVE("A", 9)},              "",                      0},
    {"remove_two_by_number",
     {REMOVE("A", 1), REMOVE("A", 2)},
     "m 2 A:|m 1 A:|",                                                                        0},
    {"remove_twice",
     {REMOVE("A", 0), REMOVE("a", 0), REMOVE("A", -1)},
     "m 3 a:|m 2 A:|m 1 A:|",                                                                 0},
    {"crlf_in_a_fold",                {ADD("X-B", "v\r\n\tw", -1)},  "h X-B: v\n\tw|",        0},
 /* malformed */
    {"line_injected",                 {ADD("X-A", "v\r\nX: y", -1)}, "",                      1},
    {"line_feed_injected",            {ADD("X-A", "v\nX: y", -1)},   "",                      1},
    {"bare_cr",                       {ADD("X-A", "v\rw", -1)},      "",                      1},
    {"cr_at_the_end",                 {ADD("X-A", "v\r", -1)},       "",                      1},
    {"line_end_at_the_end",           {ADD("X-A", "v\n", -1)},       "",                      1},
    {"white_line",                    {ADD("X-A", "v\n \n w", -1)},  "",                      1},
    {"nul",                           {ADD("X-A", "v\0w", -1)},      "",                      1},
    {"escape",                        {ADD("X-A", "v\033[2J", -1)},  "",                      1},
    {"blank_in_the_name",             {ADD("X B", "x", -1)},         "",                      1},
    {"colon_in_the_name",             {ADD("X-D:", "q", -1)},        "",                      1},
    {"utf_8_in_the_name",             {ADD("X\303\274", "q", -1)},   "",                      1},
    {"empty_name",                    {ADD("", "q", -1)},            "",                      1},
    {"line_end_in_the_name",          {ADD("X\r\nY", "q", -1)},      "",                      1},
    {"rest_is_done",
     {ADD("X A", "v", -1), ADD("X-A", "v", -1)},
     "h X-A: v|",                                                                             1},
    {"removed_name_is_bad",           {REMOVE("X\nY", 0)},           "",                      0},
};

static size_t
count_edits(const struct mfx_scan_edit *edits)
{
    size_t count = 0;
    while (count < FIELDS_MAX &&
           (edits[count].name.p != NULL || edits[count].at != 0))
        count++;
    return count;
}

static void
fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(field_cases); i++) {
        struct mfx_scan_result r = {.end = MFX_SCAN_ANSWERED};
        r.edits.items = field_cases[i].edits;
        r.edits.count = count_edits(field_cases[i].edits);
        begin();
        score_engine_edits_apply(&message, &r, &rules);
        end(field_cases[i].label, field_cases[i].want);
        unit_assert_int(field_cases[i].label, traces(),
                        field_cases[i].left_out);
    }
}

/* --- what goes with the action --- */

static const struct mfx_scan_edit spam_edits[] = {
    REMOVE("X-Spam", 0),
    ADD("X-Spam", "Yes", -1),
};
static const struct mfx_scan_edit other_spam_edits[] = {
    REMOVE("X-Foo", 0),
    ADD("X-Foo", "bar", -1),
    REMOVE("A", 0),
    ADD("A", "neu", -1),
};
static const struct mfx_scan_edit one_edit[] = {ADD("X-Q", "1", -1)};

#define EDITS(list)         \
    {                       \
        (list), COUNT(list) \
    }

static const struct {
    const char *label;
    struct mfx_scan_result result;
    const char *want;
} action_cases[] = {
  /* as_rspamd; a field that is there no more is added at the end */
    {"add_header",
     {.action = MFX_SCAN_ACTION_ADD_HEADER, .spam_edits = EDITS(spam_edits)},
     "m 1 X-Spam:|h X-Spam: Yes|"                                                              },
    {"spam_header",
     {.action = MFX_SCAN_ACTION_ADD_HEADER,
      .edits = EDITS(one_edit),
      .spam_edits = EDITS(other_spam_edits)},
     "m 3 a:|m 2 A:|m 1 A:|h X-Q: 1|h X-Foo: bar|h A: neu|"                                    },
    {"no_action_for_no_spam",
     {.action = MFX_SCAN_ACTION_NONE, .spam_edits = EDITS(spam_edits)},
     ""                                                                                        },
    {"no_mark_when_rejected",
     {.action = MFX_SCAN_ACTION_REJECT, .spam_edits = EDITS(spam_edits)},
     ""                                                                                        },
    {"subject",
     {.action = MFX_SCAN_ACTION_REWRITE_SUBJECT,
      .has_subject = true,
      .subject = MFX_STR("*** SPAM *** hi")},
     "m 1 Subject: *** SPAM *** hi|"                                                           },
    {"subject_of_spamd",
     {.is_spam = true, .has_subject = true, .subject = MFX_STR("SPAM hi")},
     "m 1 Subject: SPAM hi|"                                                                   },
    {"subject_untouched_by_spamd",
     {.is_spam = true, .has_subject = true, .subject = MFX_STR("hi")},
     ""                                                                                        },
    {"subject_for_ham",
     {.has_subject = true, .subject = MFX_STR("SPAM hi")},
     ""                                                                                        },
    {"subject_none",               {.action = MFX_SCAN_ACTION_REWRITE_SUBJECT},    ""          },
    {"subject_for_add_header",
     {.action = MFX_SCAN_ACTION_ADD_HEADER,
      .spam_edits = EDITS(spam_edits),
      .has_subject = true,
      .subject = MFX_STR("x")},
     "m 1 X-Spam:|h X-Spam: Yes|"                                                              },
    {"no_action",
     {.action = MFX_SCAN_ACTION_REJECT,
      .action_word = MFX_STR("reject"),
      .no_action = true,
      .edits = EDITS(one_edit)},
     "h X-Q: 1|h X-Rspamd-Action: reject|"                                                     },
    {"no_action_no_mark",
     {.action = MFX_SCAN_ACTION_ADD_HEADER,
      .action_word = MFX_STR("add header"),
      .no_action = true,
      .spam_edits = EDITS(spam_edits)},
     "h X-Rspamd-Action: add header|"                                                          },
    {"one_signature",
     {.dkim_signatures = {(const struct mfx_str[]){MFX_STR("v=1; a")}, 1}},
     "i 1 DKIM-Signature: v=1; a|"                                                             },
    {"signatures",
     {.dkim_signatures = {(const struct mfx_str[]){
                              MFX_STR("one"), MFX_STR("two"), MFX_STR("three")},
                          3}},
     "i 1 DKIM-Signature: one|i 2 DKIM-Signature: two|"
     "i 3 DKIM-Signature: three|"                                                              },
    {"body",                       {.has_body = true, .body = MFX_STR("new\r\n")}, "b new\r\n|"},
    {"empty_body",                 {.has_body = true},                             "b |"       },
 /* not as rspamd */
    {"subject_beyond_ascii",
     {.action = MFX_SCAN_ACTION_REWRITE_SUBJECT,
      .has_subject = true,
      .subject = MFX_STR("*** \303\274")},
     "m 1 Subject: *** =?utf-8?B?w7w=?=|"                                                      },
    {"subject_with_a_line_end",
     {.action = MFX_SCAN_ACTION_REWRITE_SUBJECT,
      .has_subject = true,
      .subject = MFX_STR("a\r\nB: c")},
     "m 1 Subject: a B: c|"                                                                    },
    {"signature_with_a_line_end",
     {.dkim_signatures = {(const struct mfx_str[]){MFX_STR("one\nX: y"),
                                                   MFX_STR("two")},
                          2}},
     "i 2 DKIM-Signature: two|"                                                                },
    {"part_body",
     {.is_partial = true, .has_body = true, .body = MFX_STR("new")},
     ""                                                                                        },
    {"part_signature",
     {.is_partial = true,
      .dkim_signatures = {(const struct mfx_str[]){MFX_STR("one")}, 1}},
     ""                                                                                        },
    {"part_fields",
     {.is_partial = true, .edits = EDITS(one_edit)},
     "h X-Q: 1|"                                                                               },
    {"action_word_injected",
     {.action_word = MFX_STR("reject\r\nX: y"), .no_action = true},
     ""                                                                                        },
};

static void
actions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(action_cases); i++) {
        struct mfx_scan_result r = action_cases[i].result;
        r.end = MFX_SCAN_ANSWERED;
        begin();
        score_engine_edits_apply(&message, &r, &rules);
        end(action_cases[i].label, action_cases[i].want);
    }
}

/* --- the envelope --- */

static const struct {
    const char *label;
    const char *sender; /* NULL: stays */
    const char *add;    /* parted by "|" */
    const char *remove;
    const char *want;
    size_t left_out;
} envelope_cases[] = {
    {"sender",                  "x@y.example",          NULL,              NULL,                     "e <x@y.example> RET=HDRS|", 0},
    {"null_sender",             "",                     NULL,              NULL,                     "e <> RET=HDRS|",            0},
    {"null_sender_in_brackets", "<>",                   NULL,              NULL,                     "e <> RET=HDRS|",            0},
    {"sender_in_brackets",      "<x@y>",                NULL,              NULL,                     "e <x@y> RET=HDRS|",         0},
    {"quoted_sender",           "\"a b<\"@y",           NULL,              NULL,                     "e <\"a b<\"@y> RET=HDRS|",  0},
    {"added",                   NULL,                   "r@x.example|s@y", NULL,                     "+ <r@x.example>|+ <s@y>|",  0},
    {"local_name",              NULL,                   "root",            NULL,                     "+ <root>|",                 0},
    {"deleted",                 NULL,                   NULL,              "rcpt@example.net",       "- <rcpt@example.net>|",     0},
    {"deleted_in_brackets",     NULL,                   NULL,              "<rcpt@example.net>",
     "- <rcpt@example.net>|",                                                                                                     0},
    {"deleted_in_other_case",   NULL,                   NULL,              "other@example.NET",
     "- <Other@Example.net>|",                                                                                                    0},
    {"deleted_is_none",         NULL,                   NULL,              "nobody@example.net",     "",                          1},
    {"added_and_deleted",       NULL,                   "x@y|z@y",         "<x@y>|rcpt@example.net",
     "- <rcpt@example.net>|+ <z@y>|",                                                                                             1},
    {"exchanged",               NULL,                   "new@example.net", "rcpt@example.net",
     "- <rcpt@example.net>|+ <new@example.net>|",                                                                                 0},
 /* malformed */
    {"sender_line_end",         "x@y\r\nRCPT TO:<z@y>", NULL,              NULL,                     "",                          1},
    {"sender_blank",            "x@y SIZE=1",           NULL,              NULL,                     "",                          1},
    {"sender_closed",           "x@y> RET=FULL",        NULL,              NULL,                     "",                          1},
    {"sender_utf_8",            "\303\274@y",           NULL,              NULL,                     "",                          1},
    {"sender_open_quote",       "\"a@y",                NULL,              NULL,                     "",                          1},
    {"escaped_control",         "\"a\\\n\"@y",          NULL,              NULL,                     "",                          1},
    {"escaped_quote",           "\"a\\\"> b\"@y",       NULL,              NULL,
     "e <\"a\\\"> b\"@y> RET=HDRS|",                                                                                              0},
    {"added_blank",             NULL,                   "a b",             NULL,                     "",                          1},
    {"added_empty",             NULL,                   "|x@y",            NULL,                     "+ <x@y>|",                  1},
    {"added_two",               NULL,                   "a@b,c@d",         NULL,                     "",                          1},
    {"added_brackets",          NULL,                   "<a@b><c@d>",      NULL,                     "",                          1},
    {"added_escape",            NULL,                   "a\033@b",         NULL,                     "",                          1},
    {"deleted_line_end",        NULL,                   NULL,              "rcpt@example.net\n",     "",                          1},
};

static struct mfx_scan_texts
texts_of(const char *list)
{
    struct mfx_str rest = mfx_str_of(list), item;
    struct mfx_str *items = mfx_arena_alloc_array(arena, 10, sizeof *items);
    struct mfx_scan_texts texts = {items, 0};
    while (mfx_str_cut(&rest, '|', &item))
        items[texts.count++] = item;
    return texts;
}

static void
envelope(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(envelope_cases); i++) {
        const struct mfx_scan_result r = {
            .end = MFX_SCAN_ANSWERED,
            .has_sender = envelope_cases[i].sender != NULL,
            .sender = mfx_str_of(envelope_cases[i].sender),
            .added_recipients = texts_of(envelope_cases[i].add),
            .removed_recipients = texts_of(envelope_cases[i].remove),
        };
        begin();
        score_engine_edits_apply(&message, &r, &rules);
        end(envelope_cases[i].label, envelope_cases[i].want);
        unit_assert_int(envelope_cases[i].label, traces(),
                        envelope_cases[i].left_out);
    }
}

static void
smtputf8(void **state)
{
    struct mfx_scan_result r = {
        .end = MFX_SCAN_ANSWERED,
        .has_sender = true,
        .sender = MFX_STR("\303\274@y"),
        .added_recipients = texts_of("\374@y"),
    };
    (void)state;
    begin();
    message.is_smtputf8 = true;
    score_engine_edits_apply(&message, &r, &rules);
    end("utf-8, and not", "e <\303\274@y> RET=HDRS|");
    unit_assert_int("left out", traces(), 1);
}

/* --- limits and rules --- */

static bool
is_status(const void *arg, struct mfx_str name)
{
    return mfx_str_is_nocase(name, arg);
}

static void
reserved(void **state)
{
    static const struct mfx_scan_edit edits_[] = {
        REMOVE("A", 1),
        ADD("X-spam-status", "Yes", -1),
        ADD("X-Spam-Report", "Yes", -1),
    };
    const struct score_engine_edits_rules mine = {
        .engine = MFX_STR("spamd"),
        .is_reserved = is_status,
        .arg = "X-Spam-Status",
    };
    struct mfx_scan_result r = {.end = MFX_SCAN_ANSWERED,
                                .edits = EDITS(edits_)};
    (void)state;
    begin();
    score_engine_edits_apply(&message, &r, &mine);
    end("reserved", "m 1 A:|h X-Spam-Report: Yes|");
    unit_assert_int("reserved", traces(), 1);
    unit_assert_str("trace", decision.trace->text,
                    mfx_str_of("spamd: field X-spam-status left out: "
                               "we write it"));
}

static void
subject_is_kept(void **state)
{
    const struct score_engine_edits_rules mine = {.engine = MFX_STR("rspamd"),
                                                  .keeps_subject = true};
    struct mfx_scan_result r = {.end = MFX_SCAN_ANSWERED,
                                .action = MFX_SCAN_ACTION_REWRITE_SUBJECT,
                                .has_subject = true,
                                .subject = MFX_STR("x")};
    (void)state;
    begin();
    score_engine_edits_apply(&message, &r, &mine);
    end("kept", "");
}

static void
no_answer(void **state)
{
    struct mfx_scan_result r = {
        .edits = EDITS(one_edit), .has_body = true, .has_sender = true};
    (void)state;
    for (int n = MFX_SCAN_ANSWERED + 1; n < MFX_SCAN_END_COUNT; n++) {
        r.end = (enum mfx_scan_end)n;
        begin();
        score_engine_edits_apply(&message, &r, &rules);
        end(mfx_scan_end_name(r.end), "");
    }
}

static size_t
count_of(enum mfx_edit_kind kind)
{
    size_t count = 0;
    for (const struct mfx_edit *e = decision.edits; e != NULL; e = e->next)
        count += e->kind == kind;
    return count;
}

static void
limits(void **state)
{
    static const struct {
        const char *label;
        size_t fields, name_len, value_len, want, left_out;
    } cases[] = {
        {"all",            200, 1,   1,       200, 0},
        {"too_many",       250, 1,   1,       200, 1},
        {"long_name",      1,   100, 1,       1,   0},
        {"too_long_name",  1,   101, 1,       0,   1},
        {"long_value",     1,   1,   16383,   1,   0},
        {"too_long_value", 1,   1,   16384,   0,   1},
        {"huge_value",     1,   1,   1 << 20, 0,   1},
        {"too_much",       10,  1,   10000,   6,   4},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_edit *list =
            mfx_arena_alloc_array(arena, cases[i].fields, sizeof *list);
        char *text = mfx_arena_alloc_bytes(arena, cases[i].value_len + 200);
        memset(text, 'x', cases[i].value_len + 200);
        for (size_t n = 0; n < cases[i].fields; n++)
            list[n] = (struct mfx_scan_edit){
                .kind = MFX_SCAN_EDIT_ADD,
                .name = mfx_str(text, cases[i].name_len),
                .value = mfx_str(text, cases[i].value_len),
                .at = -1};
        struct mfx_scan_result r = {
            .end = MFX_SCAN_ANSWERED, .edits = {list, cases[i].fields}
        };
        begin();
        score_engine_edits_apply(&message, &r, &rules);
        unit_assert_int(cases[i].label, count_of(MFX_EDIT_INSERT_HEADER),
                        cases[i].want);
        unit_assert_int(cases[i].label, traces(), cases[i].left_out);
    }
}

static void
many_recipients(void **state)
{
    struct mfx_str *list = mfx_arena_alloc_array(arena, 300, sizeof *list);
    struct mfx_scan_result r = {
        .end = MFX_SCAN_ANSWERED,
        .added_recipients = {list, 300},
        .removed_recipients = {list, 1  }
    };
    (void)state;
    for (size_t i = 0; i < 300; i++)
        list[i] = mfx_arena_printf(arena, "r%zu@example.net", i);
    begin();
    score_engine_edits_apply(&message, &r, &rules);
    unit_assert_int("added", count_of(MFX_EDIT_ADD_RECIPIENT), 199);
    unit_assert_int("left out", traces(), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),          cmocka_unit_test(actions),
        cmocka_unit_test(envelope),        cmocka_unit_test(smtputf8),
        cmocka_unit_test(reserved),        cmocka_unit_test(subject_is_kept),
        cmocka_unit_test(no_answer),       cmocka_unit_test(limits),
        cmocka_unit_test(many_recipients),
    };
    arena = mfx_arena_new(0);
    mfx_buf_init(&told, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_buf_fini(&told);
    mfx_arena_free(arena);
    return failed;
}
