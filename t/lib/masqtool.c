/* SPDX-License-Identifier: BSD-2-Clause
 *
 * masqtool - masquerading and canonical tables on files, for interoperability
 * tests
 *
 *     masqtool [canonical=SPEC]... [sender_canonical=SPEC]...
 *              [recipient_canonical=SPEC]... [local=SPEC] [origin=DOMAIN]
 *              [delimiters=BYTES] [propagate=no] [canonical_classes=LIST]
 *              [masquerade=SPEC] [exceptions=SPEC] [masquerade_classes=LIST]
 *
 * Options are named after Postfix's parameters, and in its order the kinds
 * follow each other. Standard input is a list of paths. For each address field
 * of a message (X-Envelope-From and X-Envelope-To hold its envelope) a line
 * with the addresses after rewriting: PATH, NAME, ADDRESS..., parted by tabs;
 * "?" is a field that cannot be parsed or rewritten. Without options nothing
 * is rewritten but bare users.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/file.h>
#include <mfx/mail/address_rewrite.h>
#include <mfx/mail/header.h>

#include "../../milters/masq/canonical.h"
#include "../../milters/masq/masquerade.h"

enum {
    MAX_MAPS = 8,
    MAX_FILE = 1024 * 1024,
    MAX_ADDRESSES = 10000,
    USAGE = 64,
};

enum kind {
    SENDER_CANONICAL,
    RECIPIENT_CANONICAL,
    CANONICAL,
    KINDS,
};

struct tool {
    struct mfx_arena *arena;
    struct mfx_table_set *set;
    struct mfx_problems problems;
    struct mfx_table *maps[KINDS][MAX_MAPS];
    struct masq_canonical canonical[KINDS];
    bool in_class[KINDS][MASQ_CLASS_COUNT];
    struct mfx_table *domains, *exceptions;
    struct masq_masquerade *masquerade;
    bool is_masqueraded[MASQ_CLASS_COUNT];
};

static void
die(const char *what, const char *why)
{
    (void)fprintf(stderr, "masqtool: %s: %s\n", what, why);
    exit(USAGE);
}

/* --- options --- */

static struct mfx_table *
open_table(struct tool *t, struct mfx_str spec)
{
    struct mfx_table *table = NULL;
    if (mfx_table_open(t->set, spec, MFX_TABLE_NOCASE, "masqtool", 1,
                       &t->problems, &table) != MFX_OK)
        die(spec.p, t->problems.first == NULL ? "cannot be opened"
                                              : t->problems.first->text);
    return table;
}

static void
set_classes(bool *in_class, struct mfx_str list)
{
    static const char *const names[] = {
        [MASQ_ENVELOPE_SENDER] = "envelope_sender",
        [MASQ_ENVELOPE_RECIPIENT] = "envelope_recipient",
        [MASQ_HEADER_SENDER] = "header_sender",
        [MASQ_HEADER_RECIPIENT] = "header_recipient",
    };
    struct mfx_str word;
    memset(in_class, 0, MASQ_CLASS_COUNT * sizeof *in_class);
    while (mfx_str_word(&list, ", ", &word))
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (mfx_str_is(word, names[i]))
                in_class[i] = true;
}

static void
add_map(struct tool *t, enum kind kind, struct mfx_str spec)
{
    struct masq_canonical *c = &t->canonical[kind];
    if (c->map_count == MAX_MAPS)
        die(spec.p, "too many maps");
    t->maps[kind][c->map_count++] = open_table(t, spec);
}

static void
set_canonical(struct tool *t, struct mfx_str name, struct mfx_str value)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct masq_canonical *c = &t->canonical[i];
        if (mfx_str_is(name, "local"))
            c->local_domains = open_table(t, value);
        else if (mfx_str_is(name, "origin"))
            c->origin_domain = value;
        else if (mfx_str_is(name, "delimiters"))
            c->delimiters = value;
        else if (mfx_str_is(name, "propagate"))
            c->propagates_extension = !mfx_str_is(value, "no");
        else
            die(name.p, "no such option");
    }
}

static void
take_option(struct tool *t, struct mfx_str value)
{
    struct mfx_str name;
    (void)mfx_str_cut(&value, '=', &name);
    if (value.p == NULL)
        die(name.p, "no value");
    if (mfx_str_is(name, "canonical"))
        add_map(t, CANONICAL, value);
    else if (mfx_str_is(name, "sender_canonical"))
        add_map(t, SENDER_CANONICAL, value);
    else if (mfx_str_is(name, "recipient_canonical"))
        add_map(t, RECIPIENT_CANONICAL, value);
    else if (mfx_str_is(name, "canonical_classes"))
        set_classes(t->in_class[CANONICAL], value);
    else if (mfx_str_is(name, "masquerade"))
        t->domains = open_table(t, value);
    else if (mfx_str_is(name, "exceptions"))
        t->exceptions = open_table(t, value);
    else if (mfx_str_is(name, "masquerade_classes"))
        set_classes(t->is_masqueraded, value);
    else
        set_canonical(t, name, value);
}

/* Postfix's own values (postconf -d). */
static void
set_defaults(struct tool *t)
{
    for (size_t i = 0; i < KINDS; i++) {
        t->canonical[i].maps = t->maps[i];
        t->canonical[i].propagates_extension = true;
    }
    set_classes(t->in_class[SENDER_CANONICAL],
                mfx_str_of("envelope_sender header_sender"));
    set_classes(t->in_class[RECIPIENT_CANONICAL],
                mfx_str_of("envelope_recipient header_recipient"));
    set_classes(t->in_class[CANONICAL],
                mfx_str_of("envelope_sender envelope_recipient header_sender "
                           "header_recipient"));
    set_classes(t->is_masqueraded,
                mfx_str_of("envelope_sender header_sender header_recipient"));
}

/* --- fields --- */

/* cleanup(8)'s header_opts.c; MASQ_CLASS_COUNT: no address field. */
static enum masq_class
class_of(struct mfx_str name)
{
    static const struct {
        const char *name;
        enum masq_class class;
    } fields[] = {
        {"X-Envelope-From",             MASQ_ENVELOPE_SENDER   },
        {"X-Envelope-To",               MASQ_ENVELOPE_RECIPIENT},
        {"From",                        MASQ_HEADER_SENDER     },
        {"Sender",                      MASQ_HEADER_SENDER     },
        {"Reply-To",                    MASQ_HEADER_SENDER     },
        {"Resent-From",                 MASQ_HEADER_SENDER     },
        {"Resent-Sender",               MASQ_HEADER_SENDER     },
        {"Errors-To",                   MASQ_HEADER_SENDER     },
        {"Return-Receipt-To",           MASQ_HEADER_SENDER     },
        {"Disposition-Notification-To", MASQ_HEADER_SENDER     },
        {"Mail-Followup-To",            MASQ_HEADER_SENDER     },
        {"To",                          MASQ_HEADER_RECIPIENT  },
        {"Cc",                          MASQ_HEADER_RECIPIENT  },
        {"Resent-To",                   MASQ_HEADER_RECIPIENT  },
        {"Resent-Cc",                   MASQ_HEADER_RECIPIENT  },
        {"Resent-Reply-To",             MASQ_HEADER_RECIPIENT  },
        {"Apparently-To",               MASQ_HEADER_RECIPIENT  },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (mfx_str_is_nocase(name, fields[i].name))
            return fields[i].class;
    return MASQ_CLASS_COUNT;
}

static enum mfx_rc
rewrite_address(const struct tool *t, enum masq_class class,
                struct mfx_arena *arena, struct masq_address *a)
{
    struct mfx_str why;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < KINDS && rc != MFX_TEMPFAIL; i++)
        if (t->in_class[i][class]) {
            struct masq_address from = *a;
            rc = masq_canonical_rewrite(&t->canonical[i], &from, arena, a, &why,
                                        &err);
        }
    if (a->domain.len == 0)
        a->domain = t->canonical[CANONICAL].origin_domain;
    if (t->masquerade != NULL && t->is_masqueraded[class] &&
        rc != MFX_TEMPFAIL) {
        struct masq_address from = *a;
        rc =
            masq_masquerade_rewrite(t->masquerade, &from, arena, a, &why, &err);
    }
    if (rc == MFX_TEMPFAIL)
        (void)fprintf(stderr, "masqtool: %s\n", err.msg);
    return rc;
}

static enum mfx_rc
rewrite_field(const struct tool *t, const struct mfx_header *h,
              struct mfx_arena *arena, struct mfx_str *out)
{
    struct mfx_address_list list;
    struct mfx_err err = {{0}};
    enum mfx_rc rc =
        mfx_address_list_parse(h->value, arena, MAX_ADDRESSES, &list);
    *out = h->value;
    if (rc != MFX_OK)
        return rc;
    struct mfx_address_wish *wishes =
        mfx_arena_alloc_array(arena, list.count, sizeof *wishes);
    for (size_t i = 0; i < list.count; i++) {
        struct masq_address a = {list.mailboxes[i].local,
                                 list.mailboxes[i].domain};
        if (rewrite_address(t, class_of(h->name), arena, &a) == MFX_TEMPFAIL)
            return MFX_TEMPFAIL;
        wishes[i] = (struct mfx_address_wish){true, a.local, a.domain};
    }
    rc = mfx_address_list_rewrite(h->name, h->value, &list, wishes, arena, out,
                                  &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        (void)fprintf(stderr, "masqtool: %.*s: %s\n", MFX_STR_ARG(h->name),
                      err.msg);
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static void
print_addresses(struct mfx_str value, struct mfx_arena *arena)
{
    struct mfx_address_list list;
    if (mfx_address_list_parse(value, arena, MAX_ADDRESSES, &list) ==
        MFX_PERMFAIL)
        printf("\t?");
    for (size_t i = 0; i < list.count; i++) {
        struct masq_address a = {list.mailboxes[i].local,
                                 list.mailboxes[i].domain};
        struct mfx_str key;
        if (masq_address_key(&a, arena, &key) == MFX_OK)
            printf("\t%.*s", MFX_STR_ARG(key));
    }
}

static void
do_file(const struct tool *t, const char *path, struct mfx_arena *arena)
{
    struct mfx_headers headers = {0};
    struct mfx_str bytes, body, value;
    struct mfx_err err = {{0}};
    if (mfx_file_read(path, MAX_FILE, arena, &bytes, NULL, &err) != MFX_OK ||
        mfx_message_split(bytes, arena, &headers, &body) != MFX_OK)
        die(path, err.msg);
    for (struct mfx_header *h = headers.first; h != NULL; h = h->next) {
        if (class_of(h->name) == MASQ_CLASS_COUNT)
            continue;
        printf("%s\t%.*s", path, MFX_STR_ARG(h->name));
        enum mfx_rc rc = rewrite_field(t, h, arena, &value);
        if (rc == MFX_OK)
            print_addresses(value, arena);
        else if (rc != MFX_NOTFOUND)
            printf("\t?");
        printf("\n");
    }
    mfx_headers_fini(&headers);
}

int
main(int argc, char **argv)
{
    static char line[4096];
    struct tool t = {.arena = mfx_arena_new(0)};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_err err = {{0}};
    mfx_problems_init(&t.problems, t.arena);
    t.set = mfx_table_set_new(NULL);
    set_defaults(&t);
    for (int i = 1; i < argc; i++)
        take_option(&t, mfx_str_of(argv[i]));
    if (t.domains != NULL &&
        masq_masquerade_new(t.domains, t.exceptions, t.arena, &t.masquerade,
                            &err) != MFX_OK)
        die("masquerade", err.msg);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        do_file(&t, line, arena);
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
    mfx_arena_free(t.arena);
    mfx_table_set_free(t.set);
    return 0;
}
