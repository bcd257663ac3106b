/* SPDX-License-Identifier: BSD-2-Clause */
#include "mc_take.h"

void
masq_mc_to_main(struct masq_mc *s, struct masq_import_item *item,
                const char *targets, struct mfx_str value)
{
    struct mfx_str rest = mfx_str_of(targets), target;
    while (mfx_str_word(&rest, " ", &target)) {
        const char *name = mfx_arena_copy(s->import->arena, target).p;
        if (name == NULL)
            return;
        masq_import_main(s->import, name, value, NULL);
        masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf %s", name);
    }
}

static void
by_hand(struct masq_mc *s, struct masq_import_item *item, const char *why)
{
    masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND, "%s", why);
}

static void
not_needed(struct masq_mc *s, struct masq_import_item *item, const char *why)
{
    masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "%s", why);
}

/* Sendmail looks at the first letter; nothing at all is yes. */
static bool
is_yes(struct mfx_str value)
{
    return value.len == 0 || strchr("yYtT", value.p[0]) != NULL;
}

void
masq_mc_take_by_hand(struct masq_mc *s, const struct masq_mc_option *option,
                     struct masq_import_item *item)
{
    by_hand(s, item, option->why);
}

void
masq_mc_take_bool(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    if (is_yes(masq_import_arg(item, 0)))
        by_hand(s, item, option->why);
    else
        not_needed(s, item, "it is off");
}

void
masq_mc_take_yes(struct masq_mc *s, const struct masq_mc_option *option,
                 struct masq_import_item *item)
{
    masq_mc_to_main(
        s, item, option->target,
        mfx_str_of(is_yes(masq_import_arg(item, 0)) ? "yes" : "no"));
}

void
masq_mc_take_text(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    if (value.len == 0)
        not_needed(s, item, "it is empty");
    else if (mfx_str_has(value, '$') || !mfx_str_is_line(value))
        by_hand(s, item, "it has macros of Sendmail in it");
    else
        masq_mc_to_main(s, item, option->target, value);
}

/* False: said. */
static bool
take_u64(struct masq_mc *s, struct masq_import_item *item, uint64_t *n)
{
    if (mfx_str_to_u64(masq_import_arg(item, 0), UINT32_MAX, n) == MFX_OK)
        return true;
    by_hand(s, item, "its value is no number");
    return false;
}

static void
set_number(struct masq_mc *s, struct masq_import_item *item, const char *target,
           uint64_t n)
{
    masq_mc_to_main(
        s, item, target,
        mfx_arena_printf(s->import->arena, "%llu", (unsigned long long)n));
}

void
masq_mc_take_number(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    uint64_t n;
    if (!take_u64(s, item, &n))
        return;
    if (n == 0)
        not_needed(s, item, "0 is no limit: Postfix's default holds");
    else
        set_number(s, item, option->target, n);
}

/* No limit is 0 to both. */
void
masq_mc_take_size(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    uint64_t n;
    if (!take_u64(s, item, &n))
        return;
    set_number(s, item, option->target, n);
    if (n == 0 || n > 51200000)
        masq_import_main(s->import, "mailbox_size_limit", mfx_str_of("0"),
                         "must not be below message_size_limit");
}

/* Postfix wants 1.5 messages of message_size_limit free. */
void
masq_mc_take_blocks(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    uint64_t n;
    if (!take_u64(s, item, &n))
        return;
    if (n <= 100)
        not_needed(s, item, "Postfix looks for room by itself");
    else
        set_number(s, item, option->target, n * 1024);
}

/* --- times --- */

static void
take_time(struct masq_mc *s, const struct masq_mc_option *option,
          struct masq_import_item *item, char unit)
{
    struct mfx_str value = masq_import_arg(item, 0);
    uint64_t n;
    char last = value.len > 0 ? value.p[value.len - 1] : '\0';
    struct mfx_str number = value;
    if (value.len > 1 && strchr("smhdw", last) != NULL) {
        unit = last;
        number = mfx_str_head(value, value.len - 1);
    }
    if (mfx_str_to_u64(number, UINT32_MAX, &n) != MFX_OK)
        by_hand(s, item, "its time is not one number and a unit");
    else if (n == 0)
        not_needed(s, item, "0 is none: Postfix's default holds");
    else
        masq_mc_to_main(s, item, option->target,
                        mfx_arena_printf(s->import->arena, "%llu%c",
                                         (unsigned long long)n, unit));
}

void
masq_mc_take_time_s(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    take_time(s, option, item, 's');
}

void
masq_mc_take_time_m(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    take_time(s, option, item, 'm');
}

void
masq_mc_take_time_h(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    take_time(s, option, item, 'h');
}

void
masq_mc_take_time_d(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    take_time(s, option, item, 'd');
}

/* "5d", or "5d/4h" with the time of the warning. */
void
masq_mc_take_return(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    struct masq_mc_option target = *option;
    target.target = "maximal_queue_lifetime bounce_queue_lifetime";
    take_time(s, &target, item, 'd');
}

/* --- delivery --- */

void
masq_mc_take_alias(struct masq_mc *s, const struct masq_mc_option *option,
                   struct masq_import_item *item)
{
    struct mfx_str rest = masq_import_arg(item, 0), one;
    while (mfx_str_word(&rest, ", \t", &one)) {
        if (mfx_str_starts(one, mfx_str_of("/")))
            one = mfx_arena_printf(s->import->arena, "hash:%.*s",
                                   MFX_STR_ARG(one));
        else if (!mfx_str_starts(one, mfx_str_of("hash:/")) &&
                 !mfx_str_starts(one, mfx_str_of("btree:/"))) {
            masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                            "%.*s is no table that Postfix has by this name",
                            MFX_STR_ARG(one));
            continue;
        }
        masq_mc_to_main(s, item, option->target, one);
        masq_import_main(s->import, "alias_database", one,
                         "newaliases makes it anew");
    }
}

void
masq_mc_take_delivery(struct masq_mc *s, const struct masq_mc_option *option,
                      struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    (void)option;
    if (value.len > 0 && strchr("qQdD", value.p[0]) != NULL)
        by_hand(s, item,
                "mail waits for a queue run: defer_transports, "
                "and postqueue -f");
    else
        not_needed(s, item, "Postfix delivers at once, from its queue");
}

/* Sendmail's macros are $z (home), $u (user), $w (this host), $h (extension).
 */
void
masq_mc_take_forward(struct masq_mc *s, const struct masq_mc_option *option,
                     struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0), one;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, s->import->arena, 8 * value.len + 1);
    while (mfx_str_cut(&value, ':', &one)) {
        mfx_buf_add_text(&out, out.len == 0 ? "" : ", ");
        for (size_t i = 0; i < one.len; i++) {
            char c = i + 1 < one.len ? one.p[i + 1] : '\0';
            if (one.p[i] != '$') {
                mfx_buf_add_byte(&out, one.p[i]);
                continue;
            }
            mfx_buf_add_text(&out, c == 'z'   ? "$home"
                                   : c == 'u' ? "$user"
                                   : c == 'h' ? "$extension"
                                   : c == 'w' ? "$myhostname"
                                              : "$unknown");
            i++;
        }
    }
    if (value.len == 0 && out.len == 0)
        not_needed(s, item, "it is empty");
    else
        masq_mc_to_main(s, item, option->target, mfx_buf_str(&out));
}

void
masq_mc_take_copy(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    (void)option;
    if (masq_import_arg(item, 0).len == 0) {
        not_needed(s, item, "it is empty");
        return;
    }
    masq_import_main(s->import, "notify_classes",
                     mfx_str_of("resource, software, bounce"), NULL);
    masq_mc_to_main(s, item, "bounce_notice_recipient",
                    masq_import_arg(item, 0));
}

void
masq_mc_take_safe(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    (void)option;
    not_needed(s, item, "Postfix never loses what it has taken");
}

void
masq_mc_take_user(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    value = mfx_str_head(value, mfx_str_find(value, ':'));
    if (value.len == 0 || mfx_ascii_is_digit((unsigned char)value.p[0]))
        by_hand(s, item, "default_privs wants the name of a user");
    else
        masq_mc_to_main(s, item, option->target, value);
}

/* --- clients --- */

void
masq_mc_take_privacy(struct masq_mc *s, const struct masq_mc_option *option,
                     struct masq_import_item *item)
{
    static const struct {
        const char *word, *name, *value, *why;
    } words[] = {
        {"public",            NULL,                          NULL,   NULL                             },
        {"needmailhelo",      "smtpd_helo_required",         "yes",  NULL                             },
        {"needexpnhelo",      NULL,                          NULL,   NULL                             },
        {"needvrfyhelo",      NULL,                          NULL,   NULL                             },
        {"noexpn",            NULL,                          NULL,   NULL                             },
        {"novrfy",            "disable_vrfy_command",        "yes",  NULL                             },
        {"noetrn",            "smtpd_discard_ehlo_keywords", "etrn", NULL                             },
        {"noverb",            NULL,                          NULL,   NULL                             },
        {"noreceipts",        "smtpd_discard_ehlo_keywords", "dsn",  NULL                             },
        {"restrictmailq",     "authorized_mailq_users",      "root", NULL                             },
        {"restrictqrun",      "authorized_flush_users",      "root", NULL                             },
        {"restrictexpand",    NULL,                          NULL,   NULL                             },
        {"authwarnings",      NULL,                          NULL,   NULL                             },
        {"noactualrecipient", "enable_original_recipient",   "no",   NULL                             },
        {"nobodyreturn",      NULL,                          NULL,   "bounces without the mail's text"},
    };
    struct mfx_str rest = masq_import_arg(item, 0), word;
    (void)option;
    while (mfx_str_word(&rest, ", \t", &word)) {
        size_t i = 0, count = sizeof words / sizeof words[0];
        if (mfx_str_is_nocase(word, "goaway")) {
            masq_mc_to_main(s, item, "disable_vrfy_command", mfx_str_of("yes"));
            masq_mc_to_main(s, item, "smtpd_helo_required", mfx_str_of("yes"));
            continue;
        }
        while (i < count && !mfx_str_is_nocase(word, words[i].word))
            i++;
        if (i == count || words[i].why != NULL)
            masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND, "%.*s: %s",
                            MFX_STR_ARG(word),
                            i == count ? "no such flag is known"
                                       : words[i].why);
        else if (words[i].name != NULL)
            masq_mc_to_main(s, item, words[i].name, mfx_str_of(words[i].value));
    }
    if (item->fate == MASQ_IMPORT_OPEN)
        not_needed(s, item, "Postfix has no EXPN, and nothing to warn of");
}

void
masq_mc_take_children(struct masq_mc *s, const struct masq_mc_option *option,
                      struct masq_import_item *item)
{
    uint64_t n;
    (void)option;
    if (!take_u64(s, item, &n))
        return;
    if (n == 0) {
        not_needed(s, item, "0 is no limit");
        return;
    }
    masq_import_set(
        s->import, &s->import->hints, "children",
        mfx_arena_printf(s->import->arena,
                         "smtp      inet  n       -       y       -       "
                         "%llu      smtpd\n(MaxDaemonChildren: the column "
                         "maxproc)",
                         (unsigned long long)n),
        NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "master.cf: maxproc of smtp inet");
}

void
masq_mc_take_rate(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    uint64_t n;
    (void)option;
    if (!take_u64(s, item, &n))
        return;
    if (n == 0)
        not_needed(s, item, "0 is no limit");
    else
        by_hand(s, item,
                "Postfix counts each client, not all together: "
                "smtpd_client_connection_rate_limit");
}

void
masq_mc_take_norcpt(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    (void)option;
    if (mfx_str_is_nocase(masq_import_arg(item, 0), "add-to-undisclosed"))
        masq_mc_to_main(s, item, "undisclosed_recipients_header",
                        mfx_str_of("To: undisclosed-recipients:;"));
    else
        not_needed(s, item, "undisclosed_recipients_header may add a To");
}

/* $j is the name of this host. */
void
masq_mc_take_banner(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    if (mfx_str_starts(value, mfx_str_of("$j")) &&
        !mfx_str_has(mfx_str_from(value, 2), '$') && mfx_str_is_line(value))
        masq_mc_to_main(s, item, option->target,
                        mfx_arena_printf(s->import->arena,
                                         "$myhostname ESMTP%.*s",
                                         MFX_STR_ARG(mfx_str_from(value, 2))));
    else
        not_needed(s, item, "smtpd_banner has a text of its own");
}

void
masq_mc_take_operators(struct masq_mc *s, const struct masq_mc_option *option,
                       struct masq_import_item *item)
{
    (void)option;
    if (mfx_str_has(masq_import_arg(item, 0), '+'))
        not_needed(s, item, "addresses are read by RFC 5322");
    else
        by_hand(s, item,
                "without \"+\" there are no extensions: "
                "recipient_delimiter must be empty");
}

void
masq_mc_take_sasl(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    masq_mc_to_main(s, item, option->target, mfx_str_of("yes"));
    by_hand(s, item,
            "which mechanisms there are is said to the SASL server "
            "(Dovecot, or Cyrus's sasl/smtpd.conf)");
}

void
masq_mc_take_auth(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    masq_import_main(s->import, option->target, mfx_str_of("noanonymous"),
                     NULL);
    if (mfx_str_has(value, 'p'))
        masq_mc_to_main(s, item, "smtpd_tls_auth_only", mfx_str_of("yes"));
    if (mfx_str_has(value, 'y') || item->fate == MASQ_IMPORT_OPEN)
        masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf %s",
                        option->target);
}

/* --- TLS --- */

void
masq_mc_take_tlssrv(struct masq_mc *s, const struct masq_mc_option *option,
                    struct masq_import_item *item)
{
    (void)option;
    if (mfx_str_has(masq_import_arg(item, 0), 'V'))
        not_needed(s, item, "Postfix asks for no client certificate");
    else
        masq_mc_to_main(s, item, "smtpd_tls_ask_ccert", mfx_str_of("yes"));
}

/* Where TLS has a file, Sendmail offers it. */
static void
offer_tls(struct masq_mc *s)
{
    masq_import_set(s->import, &s->import->main_cf, "smtpd_tls_security_level",
                    mfx_str_of("may"), NULL);
    masq_import_set(s->import, &s->import->main_cf, "smtp_tls_security_level",
                    mfx_str_of("may"), NULL);
}

void
masq_mc_take_tls(struct masq_mc *s, const struct masq_mc_option *option,
                 struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    if (!mfx_str_starts(value, mfx_str_of("/"))) {
        by_hand(s, item, "a file's full path is wanted");
        return;
    }
    masq_mc_to_main(s, item, option->target, value);
    offer_tls(s);
}

/* Sendmail 8.15 takes several, parted by commas. */
void
masq_mc_take_cert(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    if (mfx_str_has(masq_import_arg(item, 0), ','))
        by_hand(s, item, "smtpd_tls_chain_files takes several keys");
    else
        masq_mc_take_tls(s, option, item);
}

void
masq_mc_take_dh(struct masq_mc *s, const struct masq_mc_option *option,
                struct masq_import_item *item)
{
    if (mfx_str_starts(masq_import_arg(item, 0), mfx_str_of("/")))
        masq_mc_take_tls(s, option, item);
    else
        not_needed(s, item, "Postfix has parameters of its own");
}

void
masq_mc_take_dane(struct masq_mc *s, const struct masq_mc_option *option,
                  struct masq_import_item *item)
{
    if (!is_yes(masq_import_arg(item, 0))) {
        not_needed(s, item, "it is off");
        return;
    }
    struct masq_import_setting *level =
        masq_import_find(&s->import->main_cf, option->target);
    if (level != NULL)
        level->value = mfx_str_of("dane");
    masq_mc_to_main(s, item, option->target, mfx_str_of("dane"));
    masq_mc_to_main(s, item, "smtp_dns_support_level", mfx_str_of("dnssec"));
}

/* --- others that stand elsewhere --- */

void
masq_mc_take_filters(struct masq_mc *s, const struct masq_mc_option *option,
                     struct masq_import_item *item)
{
    struct mfx_str list = masq_import_arg(item, 0), name;
    (void)option;
    while (mfx_str_word(&list, ",; \t", &name))
        for (struct masq_import_item *i = s->import->items; i != NULL;
             i = i->next)
            if (i->kind == MASQ_MC_FILTER && mfx_str_eq(i->name, name) &&
                i->fate == MASQ_IMPORT_OPEN)
                masq_mc_take_filter(s, i);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "main.cf smtpd_milters, in this order");
}

void
masq_mc_take_ports(struct masq_mc *s, const struct masq_mc_option *option,
                   struct masq_import_item *item)
{
    (void)option;
    masq_mc_take_daemon(s, item);
}

void
masq_mc_take_clients(struct masq_mc *s, const struct masq_mc_option *option,
                     struct masq_import_item *item)
{
    (void)option;
    masq_mc_take_client(s, item);
}

void
masq_mc_take_cr(struct masq_mc *s, const struct masq_mc_option *option,
                struct masq_import_item *item)
{
    bool is_optional;
    struct mfx_str path =
        masq_mc_class_path(masq_import_arg(item, 0), &is_optional);
    if (path.len == 0)
        by_hand(s, item, "it is no file");
    else
        masq_mc_to_main(s, item, option->target, path);
}
