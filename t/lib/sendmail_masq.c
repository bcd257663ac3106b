/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail_masq CONF OWN_NAME - what the first rule of a masq.conf, of kind
 * sendmail, makes of addresses, for interoperability tests
 *
 * Reads lines "FLAGS ADDRESS", where flags are those of /tryflags in Sendmail's
 * address test mode: HS, HR, ES, ER (header or envelope, sender or recipient).
 * Writes a line with the address for each, or "?" when it is no address, or a
 * table has what is none.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mfx/mail/address_rewrite.h>

#include "../../milters/masq/sendmail.h"

enum {
    USAGE = 64,
};

struct tool {
    struct mfx_arena *arena; /* of the configuration */
    struct mfx_table_set *tables;
    struct mfx_problems problems;
    struct masq_settings settings;
    struct masq_sendmail *sendmail;
    struct mfx_str own_name;
};

static void
die(const char *why)
{
    (void)fprintf(stderr, "sendmail_masq: %s\n", why);
    exit(USAGE);
}

static void
load(struct tool *t, const char *path)
{
    struct mfx_option_set set = {masq_options, &t->settings};
    struct mfx_config *config;
    struct mfx_err err = {{0}};
    mfx_problems_init(&t->problems, t->arena);
    if (mfx_config_load(path, NULL, &set, 1, t->arena, t->tables, &t->problems,
                        &config) != MFX_OK)
        die(t->problems.first == NULL
                ? path
                : mfx_problem_format(t->problems.first, t->arena).p);
    const struct masq_rule_settings *rules = t->settings.rules.items;
    if (t->settings.rules.count == 0 || rules->kind != MASQ_KIND_SENDMAIL)
        die("no rule of kind sendmail");
    if (masq_sendmail_new(rules, t->arena, &t->sendmail, &err) != MFX_OK)
        die(err.msg);
}

static enum masq_class
class_of(const char *flags)
{
    static const enum masq_class classes[2][2] = {
        {MASQ_ENVELOPE_SENDER, MASQ_ENVELOPE_RECIPIENT},
        {MASQ_HEADER_SENDER,   MASQ_HEADER_RECIPIENT  },
    };
    return classes[flags[0] == 'H'][flags[1] == 'R'];
}

/* MFX_PERMFAIL: no address. */
static enum mfx_rc
rewrite(const struct tool *t, enum masq_class class, struct mfx_str text,
        struct mfx_arena *arena, struct mfx_str *spec)
{
    struct mfx_address_list list;
    struct mfx_str why;
    struct mfx_err err = {{0}};
    if (mfx_address_list_parse(text, arena, 1, &list) != MFX_OK)
        return MFX_PERMFAIL;
    struct masq_address to = {list.mailboxes[0].local,
                              list.mailboxes[0].domain};
    if (masq_sendmail_has_class(t->sendmail, class)) {
        struct masq_address from = to;
        if (masq_sendmail_rewrite(t->sendmail, t->own_name, &from, arena, &to,
                                  &why, &err) == MFX_TEMPFAIL) {
            (void)fprintf(stderr, "sendmail_masq: %s\n", err.msg);
            return MFX_TEMPFAIL;
        }
    }
    return mfx_address_spec_write(to.local, to.domain, arena, spec);
}

int
main(int argc, char **argv)
{
    static char line[4096];
    struct tool t = {
        .arena = mfx_arena_new(0),
        .tables = mfx_table_set_new(NULL),
        .own_name = mfx_str_of(argc > 2 ? argv[2] : NULL),
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    if (argc != 3)
        die("usage: sendmail_masq CONF OWN_NAME");
    load(&t, argv[1]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct mfx_str spec, text = mfx_str_trim(mfx_str_of(line));
        if (rewrite(&t, class_of(line), mfx_str_from(text, 3), arena, &spec) ==
            MFX_OK)
            printf("%.*s\n", MFX_STR_ARG(spec));
        else
            printf("?\n");
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
    mfx_table_set_free(t.tables);
    mfx_arena_free(t.arena);
    return 0;
}
