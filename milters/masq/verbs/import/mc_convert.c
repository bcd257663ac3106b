/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masquerading as a rule of mfx-masq; every other item goes to who knows it.
 */
#include <unistd.h>

#include <mfx/mail/address.h>

#include "mc.h"

struct masq_import_item *
masq_mc_find(const struct masq_mc *s, enum masq_mc_kind kind, const char *name)
{
    struct masq_import_item *found = NULL;
    for (struct masq_import_item *i = s->import->items; i != NULL; i = i->next)
        if (i->kind == (int)kind && mfx_str_is(i->name, name))
            found = i;
    return found;
}

bool
masq_mc_has_feature(const struct masq_mc *s, const char *name)
{
    return masq_mc_find(s, MASQ_MC_FEATURE, name) != NULL;
}

/* --- classes --- */

struct mfx_str
masq_mc_class_path(struct mfx_str spec, bool *is_optional)
{
    struct mfx_str word;
    *is_optional = false;
    while (mfx_str_word(&spec, " \t", &word)) {
        if (mfx_str_is(word, "-o"))
            *is_optional = true;
        else
            return mfx_str_starts(word, mfx_str_of("/")) ? word
                                                         : mfx_str(NULL, 0);
    }
    return mfx_str(NULL, 0);
}

static void
add_file(const struct masq_mc *s, struct masq_import_item *item,
         struct masq_mc_class *class)
{
    bool is_optional;
    size_t most = sizeof class->files / sizeof class->files[0];
    const char *path =
        mfx_arena_copy(
            s->import->arena,
            masq_mc_class_path(masq_import_arg(item, 0), &is_optional))
            .p;
    if (path == NULL || path[0] == '\0')
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "a class from %.*s: write what is in it to a file",
                        MFX_STR_ARG(masq_import_arg(item, 0)));
    else if (is_optional && access(path, F_OK) != 0)
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "%s is not there, and need not be", path);
    else if (class->file_count == most)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "more than %zu files of one class", most);
    else
        class->files[class->file_count++] = path;
    if (path != NULL && path[0] != '\0' && !is_optional &&
        access(path, R_OK) != 0 && item->fate == MASQ_IMPORT_OPEN)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "%s cannot be read here", path);
}

void
masq_mc_class(const struct masq_mc *s, const char *name,
              struct masq_mc_class *class)
{
    struct mfx_buf words;
    mfx_buf_init_arena(&words, s->import->arena, MASQ_IMPORT_FILE_MAX);
    *class = (struct masq_mc_class){.file_count = 0};
    for (struct masq_import_item *i = s->import->items; i != NULL;
         i = i->next) {
        if (!mfx_str_is(i->name, name))
            continue;
        if (i->kind == MASQ_MC_CLASS) {
            mfx_buf_add(&words, masq_import_arg(i, 0));
            mfx_buf_add_byte(&words, ' ');
        } else if (i->kind == MASQ_MC_CLASS_FILE) {
            add_file(s, i, class);
        }
    }
    class->words = mfx_str_trim(mfx_buf_str(&words));
}

/* FEATURE(use_cw_file) is a class file like any other. */
static void
take_cw_file(struct masq_mc *s)
{
    struct masq_import_item *use =
        masq_mc_find(s, MASQ_MC_FEATURE, "use_cw_file");
    struct masq_import_item *cw =
        masq_mc_find(s, MASQ_MC_OPTION, "confCW_FILE");
    if (use == NULL || s->is_cf)
        return;
    use->kind = MASQ_MC_CLASS_FILE;
    use->name = mfx_str_of("w");
    use->arg_count = 0;
    masq_import_add_arg(use, cw != NULL
                                 ? masq_import_arg(cw, 0)
                                 : mfx_str_of("/etc/mail/local-host-names"));
}

/* --- tables of a class --- */

static void
say_class(struct masq_mc *s, const char *class, enum masq_import_fate fate,
          struct mfx_str text)
{
    for (struct masq_import_item *i = s->import->items; i != NULL; i = i->next)
        if ((i->kind == MASQ_MC_CLASS || i->kind == MASQ_MC_CLASS_FILE) &&
            mfx_str_is(i->name, class) && i->fate != MASQ_IMPORT_NOT_NEEDED)
            masq_import_say(s->import, i, fate, "%.*s", MFX_STR_ARG(text));
}

/* The words of a class as a table, "csl:a,b" or a file. */
static struct mfx_str
words_table(struct masq_mc *s, struct mfx_str words, const char *name)
{
    struct mfx_buf out;
    struct mfx_str spec, word, rest = words;
    if (masq_import_long_list(s->import, words, name, &spec))
        return spec;
    mfx_buf_init_arena(&out, s->import->arena, 2 * words.len + 16);
    while (masq_import_word(words, &rest, &word)) {
        mfx_buf_add_text(&out, out.len == 0 ? "csl:" : ",");
        mfx_buf_add(&out, word);
    }
    return mfx_buf_str(&out);
}

/* A class as tables of the rule: its words, and each file. */
static void
set_class(struct masq_mc *s, struct masq_import_rule *rule, const char *name,
          const char *setting)
{
    struct masq_mc_class class;
    struct mfx_buf out;
    masq_mc_class(s, name, &class);
    if (class.words.len == 0 && class.file_count == 0)
        return;
    mfx_buf_init_arena(&out, s->import->arena,
                       8 * class.words.len + 16 * MASQ_IMPORT_PATH);
    mfx_buf_add_byte(&out, '[');
    if (class.words.len > 0)
        masq_import_add_quoted(&out, words_table(s, class.words, setting));
    for (size_t i = 0; i < class.file_count; i++)
        masq_import_add_quoted(
            &out,
            mfx_arena_printf(s->import->arena, "file:%s", class.files[i]));
    mfx_buf_add_byte(&out, ']');
    masq_import_set(s->import, &rule->settings, setting, mfx_buf_str(&out),
                    NULL);
    say_class(s, name, MASQ_IMPORT_DONE,
              mfx_arena_printf(s->import->arena, "masq.conf rules[%zu].%s",
                               rule->number, setting));
}

static const struct mfx_str many =
    MFX_STR("too many words for a line of main.cf: put them into a file");

static bool
has_many(const struct masq_mc_class *class)
{
    return class->words.len > MASQ_IMPORT_PATH * 4;
}

/* A class as items of a list in main.cf, where /file is what is in it. */
static void
main_class(struct masq_mc *s, const char *name, const char *parameter,
           const char *first)
{
    struct masq_mc_class class;
    struct mfx_str word;
    masq_mc_class(s, name, &class);
    if (class.words.len == 0 && class.file_count == 0)
        return;
    if (has_many(&class)) {
        say_class(s, name, MASQ_IMPORT_BY_HAND, many);
        return;
    }
    if (first != NULL)
        masq_import_main(s->import, parameter, mfx_str_of(first), NULL);
    while (mfx_str_word(&class.words, " \t", &word))
        masq_import_main(s->import, parameter, word, NULL);
    for (size_t i = 0; i < class.file_count; i++)
        masq_import_main(s->import, parameter, mfx_str_of(class.files[i]),
                         NULL);
    say_class(s, name, MASQ_IMPORT_DONE,
              mfx_arena_printf(s->import->arena, "main.cf %s", parameter));
}

/* Names, and networks as Sendmail writes them: 192.0.2 is a prefix. */
static void
take_relays(struct masq_mc *s)
{
    struct masq_mc_class class;
    struct mfx_str word;
    for (struct masq_import_item *i = s->import->items; i != NULL; i = i->next)
        if (i->kind == MASQ_MC_CLASS && mfx_str_is(i->name, "R") &&
            mfx_str_is(masq_import_arg(i, 0), "$={VirtHost}"))
            masq_import_say(s->import, i, MASQ_IMPORT_NOT_NEEDED,
                            "Postfix takes mail for virtual_alias_domains");
    masq_mc_class(s, "R", &class);
    if (has_many(&class)) {
        say_class(s, "R", MASQ_IMPORT_BY_HAND, many);
        return;
    }
    while (mfx_str_word(&class.words, " \t", &word)) {
        struct mfx_str network;
        if (mfx_str_has(word, '$'))
            continue;
        if (masq_mc_network(s, word, &network)) {
            masq_import_set(s->import, &s->import->main_cf, "mynetworks",
                            mfx_str_of("127.0.0.0/8, [::1]/128"), "class R");
            masq_import_main(s->import, "mynetworks", network, NULL);
        } else {
            masq_import_main(s->import, "relay_domains", word, NULL);
        }
    }
    for (size_t i = 0; i < class.file_count; i++)
        masq_import_main(s->import, "relay_domains", mfx_str_of(class.files[i]),
                         NULL);
    say_class(s, "R", MASQ_IMPORT_DONE,
              mfx_str_of("main.cf relay_domains, mynetworks for networks; a "
                         "client that is let relay by its name alone goes "
                         "into mynetworks by its address"));
}

/* Classes that say nothing to Postfix, and others. */
static void
take_class(struct masq_mc *s, struct masq_import_item *item)
{
    static const struct {
        const char *name;
        enum masq_import_fate fate;
        const char *why;
    } rows[] = {
        {"P",              MASQ_IMPORT_NOT_NEEDED, "names that Sendmail's rules need"},
        {"O",              MASQ_IMPORT_NOT_NEEDED, "operators of addresses"          },
        {".",              MASQ_IMPORT_NOT_NEEDED, "operators of addresses"          },
        {"[",              MASQ_IMPORT_NOT_NEEDED, "operators of addresses"          },
        {"t",              MASQ_IMPORT_NOT_NEEDED, "Postfix trusts no users"         },
        {"m",              MASQ_IMPORT_NOT_NEEDED, "mydomain is found by Postfix"    },
        {"Accept",         MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"ResOk",          MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"Tls",            MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"TlsVerified",    MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"Src",            MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"LoopNames",      MASQ_IMPORT_NOT_NEEDED, "words of Sendmail's rules"       },
        {"Canonify",       MASQ_IMPORT_NOT_NEEDED, "Postfix asks no DNS to rewrite"  },
        {"TrustAuthMech",  MASQ_IMPORT_NOT_NEEDED,
         "permit_sasl_authenticated in smtpd_relay_restrictions"                     },
        {"L",              MASQ_IMPORT_BY_HAND,
         "users that stay with MAIL_HUB: rows \"user user@$myhostname\" in "
         "virtual_alias_maps"                                                        },
        {"LDAPRoute",      MASQ_IMPORT_BY_HAND,    "ldap_table(5)"                   },
        {"LDAPRouteEquiv", MASQ_IMPORT_BY_HAND,    "ldap_table(5)"                   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mfx_str_is(item->name, rows[i].name))
            masq_import_say(s->import, item, rows[i].fate, "%s", rows[i].why);
}

/* --- the rule --- */

/* FEATURE(local_no_masquerade): one table, where class w may be several. */
static void
set_local(struct masq_mc *s, struct masq_import_rule *rule,
          struct masq_import_item *item)
{
    struct masq_mc_class class;
    struct mfx_str value;
    masq_mc_class(s, "w", &class);
    if (class.file_count > 1 || (class.file_count == 1 && class.words.len > 0 &&
                                 !mfx_str_is(class.words, "localhost"))) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "rules[%zu].unless_recipient_domains is one table: "
                        "put all of class w into one file and name it",
                        rule->number);
        return;
    }
    if (class.file_count == 1)
        value = masq_import_quoted(
            s->import,
            mfx_arena_printf(s->import->arena, "file:%s", class.files[0]));
    else
        value = masq_import_list(s->import, class.words);
    if (class.file_count + class.words.len == 0) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "rules[%zu].unless_recipient_domains = the domains "
                        "that are local: class w is empty here",
                        rule->number);
        return;
    }
    masq_import_set(s->import, &rule->settings, "unless_recipient_domains",
                    value,
                    "local_no_masquerade: not when all recipients are local");
    masq_import_say_rule(s->import, item, rule, "unless_recipient_domains");
}

static void
set_switches(struct masq_mc *s, struct masq_import_rule *rule)
{
    for (struct masq_import_item *i = s->import->items; i != NULL;
         i = i->next) {
        const char *name =
            i->kind == MASQ_MC_FEATURE ? masq_mc_feature_switch(i->name) : NULL;
        if (name == NULL)
            continue;
        if (strcmp(name, "unless_recipient_domains") == 0) {
            set_local(s, rule, i);
            continue;
        }
        masq_import_set_bool(s->import, &rule->settings, name, true, NULL);
        masq_import_say_rule(s->import, i, rule, name);
    }
}

static void
set_generics(struct masq_mc *s, struct masq_import_rule *rule,
             struct masq_import_item *item)
{
    struct mfx_str spec;
    if (item == NULL || !masq_mc_map_table(s, item, &spec))
        return;
    masq_import_set_text(s->import, &rule->settings, "genericstable", spec,
                         NULL);
    masq_import_say_rule(s->import, item, rule, "genericstable");
}

static void
set_masquerade(struct masq_mc *s, struct masq_import_rule *rule,
               struct masq_import_item *item)
{
    struct mfx_str name =
        item == NULL ? mfx_str(NULL, 0) : masq_import_arg(item, 0);
    if (name.len == 0)
        return;
    if (!mfx_domain_is_valid(name, true)) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "rules[%zu].masquerade_as = a domain: \"%.*s\" is "
                        "none as it stands here",
                        rule->number, MFX_STR_ARG(mfx_str_head(name, 200)));
        return;
    }
    masq_import_set_text(s->import, &rule->settings, "masquerade_as", name,
                         NULL);
    masq_import_say_rule(s->import, item, rule, "masquerade_as");
}

static struct masq_import_item *
generics_of(struct masq_mc *s)
{
    struct masq_import_item *item = masq_mc_find(s, MASQ_MC_MAP, "generics");
    if (item == NULL && !s->is_cf)
        item = masq_mc_find(s, MASQ_MC_FEATURE, "genericstable");
    return item;
}

/* Features and classes of masquerading when there is none. */
static void
say_no_rule(struct masq_mc *s)
{
    static const char *const classes[] = {"M", "N", "E", "G"};
    for (struct masq_import_item *i = s->import->items; i != NULL; i = i->next)
        if (i->kind == MASQ_MC_FEATURE &&
            masq_mc_feature_switch(i->name) != NULL)
            masq_import_say(s->import, i, MASQ_IMPORT_NOT_NEEDED,
                            "nothing is masqueraded");
    for (size_t n = 0; n < sizeof classes / sizeof classes[0]; n++)
        say_class(s, classes[n], MASQ_IMPORT_NOT_NEEDED,
                  mfx_str_of("nothing is masqueraded"));
}

static void
make_rule(struct masq_mc *s)
{
    struct masq_import_item *as = masq_mc_find(s, MASQ_MC_MACRO, "M");
    struct masq_import_item *generics = generics_of(s);
    if (as != NULL && masq_import_arg(as, 0).len == 0) {
        masq_import_say(s->import, as, MASQ_IMPORT_NOT_NEEDED, "it is empty");
        as = NULL;
    }
    if (as == NULL && generics == NULL) {
        say_no_rule(s);
        return;
    }
    struct masq_import_rule *rule = masq_import_rule_new(
        s->import, "sendmail", "sendmail",
        "Sendmail rewrites all mail on its way out, whoever it is from.");
    if (rule == NULL)
        return;
    masq_import_set_text(s->import, &rule->settings, "whose", mfx_str_of("all"),
                         NULL);
    set_masquerade(s, rule, as);
    set_class(s, rule, "M", "masquerade_domain");
    set_class(s, rule, "w", "own_names");
    set_class(s, rule, "E", "exposed_user");
    set_class(s, rule, "N", "masquerade_exception");
    set_switches(s, rule);
    set_generics(s, rule, generics);
    set_class(s, rule, "G", "generics_domain");
}

/* --- all of it --- */

/* What Sendmail asks of senders by itself. */
static void
add_defaults(struct masq_mc *s)
{
    if (!masq_mc_has_feature(s, "accept_unqualified_senders"))
        masq_import_main(s->import, "smtpd_sender_restrictions",
                         mfx_str_of("reject_non_fqdn_sender"),
                         "what Sendmail asks of senders by itself");
    if (!masq_mc_has_feature(s, "accept_unresolvable_domains"))
        masq_import_main(s->import, "smtpd_sender_restrictions",
                         mfx_str_of("reject_unknown_sender_domain"),
                         "what Sendmail asks of senders by itself");
}

static void
take_item(struct masq_mc *s, struct masq_import_item *item)
{
    switch ((enum masq_mc_kind)item->kind) {
    case MASQ_MC_CLASS:
    case MASQ_MC_CLASS_FILE:
        take_class(s, item);
        return;
    case MASQ_MC_MACRO:
        masq_mc_take_macro(s, item);
        return;
    case MASQ_MC_FEATURE:
        masq_mc_take_feature(s, item);
        return;
    case MASQ_MC_OPTION:
        masq_mc_take_option(s, item);
        return;
    case MASQ_MC_MAP:
        masq_mc_take_map(s, item);
        return;
    case MASQ_MC_FILTER:
        masq_mc_take_filter(s, item);
        return;
    case MASQ_MC_CALL:
        masq_mc_take_call(s, item);
        return;
    case MASQ_MC_LINE:
        masq_mc_take_line(s, item);
        return;
    }
}

/* Before lists of others: who has OK there is not asked for in them. */
static void
take_access(struct masq_mc *s)
{
    struct masq_import_item *feature =
        masq_mc_find(s, MASQ_MC_FEATURE, "access_db");
    struct masq_import_item *map = masq_mc_find(s, MASQ_MC_MAP, "access");
    if (feature != NULL && !s->is_cf)
        masq_mc_take_feature(s, feature);
    if (map != NULL)
        masq_mc_take_map(s, map);
}

void
masq_mc_convert(struct masq_mc *s)
{
    masq_import_main(s->import, "smtpd_milters",
                     mfx_str_of("unix:mfx/masq.sock"),
                     "mfx-masq stands before the filter that signs; where "
                     "smtpd is in a chroot,\npaths begin at the queue's "
                     "folder");
    struct masq_import_item *filters =
        masq_mc_find(s, MASQ_MC_OPTION, "InputMailFilters");
    if (filters != NULL)
        masq_mc_take_option(s, filters);
    take_cw_file(s);
    make_rule(s);
    if (!masq_mc_has_feature(s, "nullclient"))
        main_class(s, "w", "mydestination", "$myhostname, localhost");
    main_class(s, "VirtHost", "virtual_alias_domains", NULL);
    take_relays(s);
    take_access(s);
    for (struct masq_import_item *i = s->import->items; i != NULL; i = i->next)
        if (i->fate == MASQ_IMPORT_OPEN)
            take_item(s, i);
    add_defaults(s);
    struct masq_import_setting *milters =
        masq_import_find(&s->import->main_cf, "smtpd_milters");
    if (milters != NULL)
        masq_import_main(s->import, "non_smtpd_milters",
                         mfx_str_of("$smtpd_milters"), NULL);
}
