/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where mail goes to and comes from: relays, ports, filters.
 */
#include "mc.h"

/* --- macros --- */

/* "mailer:host", "[host]", "host": relayhost, when its mailer is SMTP. */
static bool
nexthop(struct mfx_str value, struct mfx_str *host)
{
    static const char *const mailers[] = {"smtp", "esmtp", "smtp8", "dsmtp",
                                          "relay"};
    *host = value;
    size_t colon = mfx_str_find(value, ':');
    if (value.len == 0 || value.p[0] == '[' || colon == value.len)
        return value.len > 0 && !mfx_str_has(value, '$');
    *host = mfx_str_from(value, colon + 1);
    for (size_t i = 0; i < sizeof mailers / sizeof mailers[0]; i++)
        if (mfx_str_is_nocase(mfx_str_head(value, colon), mailers[i]))
            return host->len > 0 && !mfx_str_has(*host, '$');
    return false;
}

static void
take_smart_host(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str host;
    if (masq_import_arg(item, 0).len == 0) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "it is empty");
        return;
    }
    if (!nexthop(masq_import_arg(item, 0), &host)) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "relayhost, or default_transport for a mailer that "
                        "is not SMTP");
        return;
    }
    masq_import_main(s->import, "relayhost", host, "SMART_HOST");
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf relayhost");
}

static void
take_luser(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str host, value = masq_import_arg(item, 0);
    if (value.len == 0) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "it is empty");
        return;
    }
    if (mfx_str_starts(value, mfx_str_of("local:"))) {
        masq_import_main(s->import, "luser_relay", mfx_str_from(value, 6),
                         "LUSER_RELAY; local_recipient_maps must be empty");
    } else if (nexthop(value, &host)) {
        masq_import_main_printf(
            s->import, "fallback_transport",
            "LUSER_RELAY; local_recipient_maps must be empty", "smtp:%.*s",
            MFX_STR_ARG(host));
    } else {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND, "luser_relay");
        return;
    }
    masq_import_main(s->import, "local_recipient_maps", mfx_str(NULL, 0), NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                    "main.cf luser_relay or fallback_transport, "
                    "local_recipient_maps");
}

static void
take_hub(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str host, value = masq_import_arg(item, 0);
    if (value.len == 0) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED, "it is empty");
    } else if (!nexthop(value, &host)) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "local_transport");
    } else {
        masq_import_main_printf(s->import, "local_transport", "MAIL_HUB",
                                "smtp:%.*s", MFX_STR_ARG(host));
        masq_import_main(s->import, "local_recipient_maps", mfx_str(NULL, 0),
                         "the hub knows who is there");
        masq_import_say(s->import, item, MASQ_IMPORT_DONE,
                        "main.cf local_transport, local_recipient_maps");
    }
}

static void
take_hostname(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    if (value.len == 0 || mfx_str_has(value, '$')) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "myhostname: macros cannot be seen here");
        return;
    }
    masq_import_main(s->import, "myhostname", value, NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf myhostname");
}

void
masq_mc_take_macro(struct masq_mc *s, struct masq_import_item *item)
{
    static const struct {
        const char *name;
        void (*take)(struct masq_mc *s, struct masq_import_item *item);
        const char *needless, *hand;
    } rows[] = {
        {"S", take_smart_host, NULL,                                                  NULL                                     },
        {"L", take_luser,      NULL,                                                  NULL                                     },
        {"H", take_hub,        NULL,                                                  NULL                                     },
        {"j", take_hostname,   NULL,                                                  NULL                                     },
        {"n", NULL,            "bounces come from double_bounce_sender and the like",
         NULL                                                                                                                  },
        {"Z", NULL,            "a version",                                           NULL                                     },
        {"v", NULL,            "a version",                                           NULL                                     },
        {"m", NULL,            "mydomain is found by Postfix",                        NULL                                     },
        {"w", NULL,            "myhostname is found by Postfix",                      NULL                                     },
        {"R", NULL,            NULL,                                                  "users without a domain: local_transport"},
        {"Y", NULL,            NULL,                                                  "UUCP is gone"                           },
        {"B", NULL,            NULL,                                                  "BITNET is gone"                         },
        {"C", NULL,            NULL,                                                  "DECnet is gone"                         },
        {"F", NULL,            NULL,                                                  "transport_maps with a row for .FAX"     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!mfx_str_is(item->name, rows[i].name))
            continue;
        if (rows[i].take != NULL)
            rows[i].take(s, item);
        else if (masq_import_arg(item, 0).len == 0)
            masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                            "it is empty");
        else
            masq_import_say(
                s->import, item,
                rows[i].hand == NULL ? MASQ_IMPORT_NOT_NEEDED
                                     : MASQ_IMPORT_BY_HAND,
                "%s", rows[i].hand == NULL ? rows[i].needless : rows[i].hand);
        return;
    }
    if (item->fate == MASQ_IMPORT_OPEN && s->is_cf)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "a macro that rules of your own may use");
}

/* --- "Name=MTA, Port=25" --- */

/* The value of the equate whose name starts so; its first letter counts. */
static struct mfx_str
equate(struct mfx_str list, char separator, char letter)
{
    struct mfx_str one;
    while (mfx_str_cut(&list, separator, &one)) {
        one = mfx_str_trim(one);
        size_t at = mfx_str_find(one, '=');
        if (one.len > 0 && at < one.len &&
            mfx_ascii_lower((unsigned char)one.p[0]) ==
                mfx_ascii_lower((unsigned char)letter))
            return mfx_str_trim(mfx_str_from(one, at + 1));
    }
    return mfx_str(NULL, 0);
}

/* M=: a auth, b bind, c canonify, E no ETRN, f no hosts, h our name, r relay
 * only, s SMTPS, S no STARTTLS, u unqualified, C, A off. */
static struct mfx_str
master_options(struct masq_mc *s, struct mfx_str modifiers)
{
    static const struct {
        char letter;
        const char *option;
    } rows[] = {
        {'a', "smtpd_sasl_auth_enable=yes"                                },
        {'a', "smtpd_client_restrictions=permit_sasl_authenticated,reject"},
        {'E', "smtpd_discard_ehlo_keywords=etrn"                          },
        {'s', "smtpd_tls_wrappermode=yes"                                 },
        {'S', "smtpd_tls_security_level=none"                             },
        {'A', "smtpd_sasl_auth_enable=no"                                 },
    };
    struct mfx_buf out;
    mfx_buf_init_arena(&out, s->import->arena, 1024);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mfx_str_has(modifiers, rows[i].letter))
            mfx_buf_printf(&out, "\n  -o %s", rows[i].option);
    return mfx_buf_str(&out);
}

static struct mfx_str
service(struct mfx_str port)
{
    static const char *const names[][2] = {
        {"25",  "smtp"      },
        {"587", "submission"},
        {"465", "smtps"     }
    };
    for (size_t i = 0; i < 3; i++)
        if (mfx_str_is(port, names[i][0]))
            return mfx_str_of(names[i][1]);
    return port.len == 0 ? mfx_str_of("smtp") : port;
}

void
masq_mc_take_daemon(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    struct mfx_str name = equate(value, ',', 'N'),
                   port = equate(value, ',', 'P'),
                   address = equate(value, ',', 'A'),
                   modifiers = equate(value, ',', 'M');
    struct mfx_str line = mfx_arena_printf(
        s->import->arena,
        "%.*s%s%.*s      inet  n       -       y       -       -       "
        "smtpd%.*s%s%.*s",
        MFX_STR_ARG(address), address.len > 0 ? ":" : "",
        MFX_STR_ARG(service(port)), MFX_STR_ARG(master_options(s, modifiers)),
        name.len > 0 ? "\n  -o milter_macro_daemon_name=" : "",
        MFX_STR_ARG(name));
    const char *key =
        mfx_arena_printf(s->import->arena, "daemon %u", item->line).p;
    if (key == NULL)
        return;
    masq_import_set(s->import, &s->import->hints, key, line, NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "master.cf %.*s inet",
                    MFX_STR_ARG(service(port)));
    if (equate(value, ',', 'I').len > 0)
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "filters of this port: -o smtpd_milters");
}

void
masq_mc_take_client(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    struct mfx_str address = equate(value, ',', 'A');
    bool is_6 = mfx_str_is_nocase(equate(value, ',', 'F'), "inet6");
    if (address.len == 0 || mfx_str_is(address, "0.0.0.0")) {
        masq_import_say(s->import, item,
                        address.len == 0 ? MASQ_IMPORT_BY_HAND
                                         : MASQ_IMPORT_NOT_NEEDED,
                        "smtp_bind_address is what Postfix has");
        return;
    }
    masq_import_main(s->import,
                     is_6 ? "smtp_bind_address6" : "smtp_bind_address", address,
                     NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf %s",
                    is_6 ? "smtp_bind_address6" : "smtp_bind_address");
}

/* --- filters --- */

/* "local:/path", "unix:/path", "inet:port@host", "/path" */
static struct mfx_str
socket_of(struct masq_mc *s, struct mfx_str where)
{
    size_t colon = mfx_str_find(where, ':');
    struct mfx_str type = mfx_str_head(where, colon);
    struct mfx_str rest = mfx_str_from(where, colon + 1);
    size_t at = mfx_str_find(rest, '@');
    if (mfx_str_starts(where, mfx_str_of("/")))
        return mfx_arena_printf(s->import->arena, "unix:%.*s",
                                MFX_STR_ARG(where));
    if (mfx_str_is_nocase(type, "local") || mfx_str_is_nocase(type, "unix"))
        return mfx_arena_printf(s->import->arena, "unix:%.*s",
                                MFX_STR_ARG(rest));
    if (mfx_str_starts_nocase(type, mfx_str_of("inet")) && at < rest.len)
        return mfx_arena_printf(s->import->arena, "inet:%.*s:%.*s",
                                MFX_STR_ARG(mfx_str_from(rest, at + 1)),
                                MFX_STR_ARG(mfx_str_head(rest, at)));
    return mfx_str(NULL, 0);
}

/* T=C:5m;S:10s;R:10s;E:5m */
static void
add_time(struct mfx_buf *out, struct mfx_str times, char letter,
         const char *name)
{
    struct mfx_str one;
    while (mfx_str_cut(&times, ';', &one)) {
        one = mfx_str_trim(one);
        if (one.len > 2 && one.p[0] == letter && one.p[1] == ':')
            mfx_buf_printf(out, ", %s = %.*s", name,
                           MFX_STR_ARG(mfx_str_from(one, 2)));
    }
}

static bool
is_in_use(struct masq_mc *s, struct masq_import_item *item)
{
    struct masq_import_item *order =
        masq_mc_find(s, MASQ_MC_OPTION, "InputMailFilters");
    struct mfx_str list =
        order == NULL ? mfx_str(NULL, 0) : masq_import_arg(order, 0);
    struct mfx_str one;
    if (order == NULL)
        return mfx_str_is(masq_import_arg(item, 1), "in use");
    while (mfx_str_word(&list, ",; \t", &one))
        if (mfx_str_eq(one, item->name))
            return true;
    return false;
}

void
masq_mc_take_filter(struct masq_mc *s, struct masq_import_item *item)
{
    struct mfx_str value = masq_import_arg(item, 0);
    struct mfx_str where = socket_of(s, equate(value, ',', 'S'));
    struct mfx_str flag = equate(value, ',', 'F');
    struct mfx_str times = equate(value, ',', 'T');
    struct mfx_buf out;
    if (!is_in_use(s, item)) {
        masq_import_say(s->import, item, MASQ_IMPORT_NOT_NEEDED,
                        "it is not in use");
        return;
    }
    if (where.len == 0) {
        masq_import_say(s->import, item, MASQ_IMPORT_BY_HAND,
                        "smtpd_milters; its socket cannot be understood");
        return;
    }
    mfx_buf_init_arena(&out, s->import->arena, 4096);
    mfx_buf_printf(&out, "{ %.*s, default_action = %s", MFX_STR_ARG(where),
                   mfx_str_is(flag, "T")   ? "tempfail"
                   : mfx_str_is(flag, "R") ? "reject"
                                           : "accept");
    add_time(&out, times, 'C', "connect_timeout");
    add_time(&out, times, 'R', "command_timeout");
    add_time(&out, times, 'E', "content_timeout");
    mfx_buf_add_text(&out, " }");
    masq_import_main(s->import, "smtpd_milters", mfx_buf_str(&out), NULL);
    masq_import_say(s->import, item, MASQ_IMPORT_DONE, "main.cf smtpd_milters");
}
