/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where edits land, as Postfix 3.7 and Sendmail 8.17 were seen to place them.
 */
#include "../unit/unit.h"

#include <libmilter/mfdef.h>

#include "mta_message.h"

static const char message[] = "A: 1\r\nB: 2\nA: 3\r\n\r\nbody\nlast";

struct step {
    char action;
    uint32_t index;
    const char *name, *value;
};

static const struct {
    const char *label;
    enum mta_kind kind;
    struct step steps[3];
    const char *want; /* names and values; R is the MTA's own Received */
} cases[] = {
    {"insert_0_is_above_received",
     MTA_POSTFIX,                                        {{'i', 0, "X", " x"}},
     "X x|R|A 1|B 2|A 3|"                                                                                            },
    {"insert_1_is_below_received",
     MTA_POSTFIX,                                        {{'i', 1, "X", " x"}},
     "R|X x|A 1|B 2|A 3|"                                                                                            },
    {"insert_2_is_below_first",
     MTA_POSTFIX,                                        {{'i', 2, "X", " x"}},
     "R|A 1|X x|B 2|A 3|"                                                                                            },
    {"insert_beyond_the_end",
     MTA_POSTFIX,                                        {{'i', 99, "X", " x"}},
     "R|A 1|B 2|A 3|X x|"                                                                                            },
    {"sendmail_insert_2_is_below_received",
     MTA_SENDMAIL,                                       {{'i', 2, "X", " x"}},
     "R|X x|A 1|B 2|A 3|"                                                                                            },
    {"sendmail_insert_8_is_below_received",
     MTA_SENDMAIL,                                       {{'i', 8, "X", " x"}},
     "R|X x|A 1|B 2|A 3|"                                                                                            },
    {"sendmail_insert_9_is_below_first",
     MTA_SENDMAIL,                                       {{'i', 9, "X", " x"}},
     "R|A 1|X x|B 2|A 3|"                                                                                            },
    {"sendmail_insert_minus_1_is_on_top",
     MTA_SENDMAIL,                                       {{'i', UINT32_MAX, "X", " x"}},
     "X x|R|A 1|B 2|A 3|"                                                                                            },
    {"same_index_twice_later_above",
     MTA_POSTFIX,                                        {{'i', 0, "X", " 1"}, {'i', 0, "X", " 2"}},
     "X 2|X 1|R|A 1|B 2|A 3|"                                                                                        },
    {"add_new_name_at_the_end",
     MTA_POSTFIX,                                        {{'h', 0, "X", " x"}},
     "R|A 1|B 2|A 3|X x|"                                                                                            },
    {"add_known_name_at_the_end",
     MTA_POSTFIX,                                        {{'h', 0, "A", " x"}},
     "R|A 1|B 2|A 3|A x|"                                                                                            },
    {"sendmail_add_known_name_above",
     MTA_SENDMAIL,                                       {{'h', 0, "A", " x"}},
     "R|A x|A 1|B 2|A 3|"                                                                                            },
    {"change_second",                       MTA_POSTFIX, {{'m', 2, "a", " x"}},                      "R|A 1|B 2|a x|"},
    {"change_index_0_is_first",
     MTA_POSTFIX,                                        {{'m', 0, "A", " x"}},
     "R|A x|B 2|A 3|"                                                                                                },
    {"sendmail_change_keeps_spelling",
     MTA_SENDMAIL,                                       {{'m', 2, "a", " x"}},
     "R|A 1|B 2|A x|"                                                                                                },
    {"change_beyond_appends",
     MTA_POSTFIX,                                        {{'m', 9, "A", " x"}},
     "R|A 1|B 2|A 3|A x|"                                                                                            },
    {"delete_first",                        MTA_POSTFIX, {{'m', 1, "A", ""}},                        "R|B 2|A 3|"    },
    {"delete_missing",                      MTA_POSTFIX, {{'m', 1, "Z", ""}},                        "R|A 1|B 2|A 3|"},
    {"delete_1_then_1_counts_again",
     MTA_POSTFIX,                                        {{'m', 1, "A", ""}, {'m', 1, "A", ""}},
     "R|B 2|"                                                                                                        },
    {"sendmail_deleted_still_counts",
     MTA_SENDMAIL,                                       {{'m', 1, "A", ""}, {'m', 2, "A", ""}},
     "R|B 2|"                                                                                                        },
    {"delete_from_last",
     MTA_SENDMAIL,                                       {{'m', 2, "A", ""}, {'m', 1, "A", ""}},
     "R|B 2|"                                                                                                        },
    {"own_received_is_not_seen",
     MTA_POSTFIX,                                        {{'m', 1, "Received", ""}},
     "R|A 1|B 2|A 3|"                                                                                                },
};

static void
show(const struct mta_message *m, struct mfx_buf *out)
{
    for (const struct mta_field *f = m->fields; f != NULL; f = f->next) {
        if (f->is_deleted)
            continue;
        if (mfx_str_is(f->name, "Received"))
            mfx_buf_add_text(out, "R|");
        else
            mfx_buf_printf(out, "%.*s%.*s|", MFX_STR_ARG(f->name),
                           MFX_STR_ARG(f->value));
    }
}

static void
edits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mta_message m;
        struct mfx_buf out;
        mta_message_init(&m);
        mfx_buf_init(&out, 4096);
        mta_message_parse(&m, mfx_str_of(message));
        for (size_t k = 0; k < 3 && cases[i].steps[k].action != 0; k++) {
            const struct step *s = &cases[i].steps[k];
            struct mta_edit e = {.action = s->action,
                                 .index = s->index,
                                 .name = mfx_str_of(s->name),
                                 .value = mfx_str_of(s->value)};
            mta_message_edit(&m, cases[i].kind, &e, true);
        }
        show(&m, &out);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
        mta_message_fini(&m);
    }
}

static void
format(void **state)
{
    struct mta_message m;
    struct mta_edit e = {.action = SMFIR_INSHEADER,
                         .name = mfx_str_of("X"),
                         .value = mfx_str_of("a\n\tb")};
    struct mfx_buf out;
    (void)state;
    mta_message_init(&m);
    mfx_buf_init(&out, 4096);
    mta_message_parse(&m, mfx_str_of(message));
    /* without LEADSPC the MTA writes the space */
    mta_message_edit(&m, MTA_POSTFIX, &e, false);
    mta_message_format(&m, false, &out);
    unit_assert_str("written", mfx_buf_str(&out),
                    mfx_str_of("X: a\r\n\tb\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n"
                               "body\r\nlast"));
    mfx_buf_fini(&out);
    mta_message_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits),
        cmocka_unit_test(format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
