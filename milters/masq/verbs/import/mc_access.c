/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The access database, row by row: Postfix has a table for each question.
 */
#include "mc.h"

enum question {
    CLIENT = 1,
    SENDER = 2,
    RECIPIENT = 4,
};

static const struct {
    enum question question;
    const char *file, *restrictions, *check, *remark;
} tables[] = {
    {CLIENT,    "access_client",    "smtpd_client_restrictions",
     "check_client_access texthash:$config_directory/access_client",       "Postfix's access(5) table for clients."   },
    {SENDER,    "access_sender",    "smtpd_sender_restrictions",
     "check_sender_access texthash:$config_directory/access_sender",       "Postfix's access(5) table for senders."   },
    {RECIPIENT, "access_recipient", "smtpd_recipient_restrictions",
     "check_recipient_access texthash:$config_directory/access_recipient", "Postfix's access(5) table for recipients."},
};

struct access {
    struct masq_mc_rows *rows;
    unsigned asked; /* enum question: tables that have rows */
    bool has_relays, has_networks, has_domains, has_unlimited;
};

static struct mfx_arena *
arena_of(const struct access *a)
{
    return a->rows->s->import->arena;
}

static void
put_row(struct access *a, const char *name, const char *remark,
        struct mfx_str key, struct mfx_str value)
{
    struct masq_import_file *f =
        masq_import_file(a->rows->s->import, name, remark);
    if (f != NULL)
        masq_import_row(f, key, value);
}

static void
add_line(struct access *a, const char *name, const char *remark,
         struct mfx_str line)
{
    put_row(a, name, remark, line, mfx_str(NULL, 0));
}

static void
put(struct access *a, unsigned questions, struct mfx_str key,
    struct mfx_str value)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if ((questions & (unsigned)tables[i].question) == 0)
            continue;
        put_row(a, tables[i].file, tables[i].remark, key, value);
    }
    a->asked |= questions;
}

static void
leave(struct access *a, struct mfx_str key, struct mfx_str value)
{
    masq_mc_leave_row(a->rows, key);
    put_row(a, "by-hand", "Rows without a counterpart.", key, value);
}

/* --- values --- */

static bool
is_reply(struct mfx_str text)
{
    uint64_t n;
    return text.len > 4 && text.p[3] == ' ' &&
           mfx_str_to_u64(mfx_str_head(text, 3), 599, &n) == MFX_OK && n >= 400;
}

/* "ERROR:5.7.1:550 text", "ERROR:550 text", "550 text" */
static bool
error_reply(struct access *a, struct mfx_str value, struct mfx_str *action)
{
    struct mfx_str error = mfx_str_of("ERROR:"), dsn = mfx_str(NULL, 0);
    if (mfx_str_starts_nocase(value, error))
        value = mfx_str_from(value, error.len);
    if (value.len > 2 && value.p[1] == '.' && mfx_str_has(value, ':')) {
        dsn = mfx_str_head(value, mfx_str_find(value, ':'));
        value = mfx_str_from(value, dsn.len + 1);
    }
    value = mfx_str_trim(value);
    if (value.len > 1 && value.p[0] == '"' && value.p[value.len - 1] == '"')
        value = mfx_str(value.p + 1, value.len - 2);
    if (!is_reply(value))
        return false;
    *action = dsn.len == 0
                  ? value
                  : mfx_arena_printf(arena_of(a), "%.*s %.*s%.*s", 3, value.p,
                                     MFX_STR_ARG(dsn),
                                     MFX_STR_ARG(mfx_str_from(value, 3)));
    return true;
}

/* The action of access(5); false: there is none. */
static bool
action_of(struct access *a, struct mfx_str value, struct mfx_str *action)
{
    static const char *const words[][2] = {
        {"REJECT",  "REJECT" },
        {"DISCARD", "DISCARD"},
        {"SKIP",    "DUNNO"  },
        {"OK",      "OK"     },
    };
    struct mfx_str hold = mfx_str_of("QUARANTINE:");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_is_nocase(value, words[i][0])) {
            *action = mfx_str_of(words[i][1]);
            return true;
        }
    if (mfx_str_starts_nocase(value, hold)) {
        *action = mfx_arena_printf(arena_of(a), "HOLD %.*s",
                                   MFX_STR_ARG(mfx_str_from(value, hold.len)));
        return true;
    }
    return error_reply(a, value, action);
}

/* --- keys --- */

/* A client's address or network as access(5) has it: no "IPv6:", no dot or
 * colon at the end. */
static struct mfx_str
client_key(struct mfx_str key)
{
    struct mfx_str six = mfx_str_of("IPv6:");
    if (mfx_str_starts_nocase(key, six))
        key = mfx_str_from(key, six.len);
    if (key.len > 2 && key.p[0] == '[' && key.p[key.len - 1] == ']')
        key = mfx_str(key.p + 1, key.len - 2);
    while (key.len > 1 && strchr(".:", key.p[key.len - 1]) != NULL)
        key.len--;
    return key;
}

/* RELAY for a client, or for a recipient's domain. */
static void
take_relay(struct access *a, unsigned questions, struct mfx_str key)
{
    struct mfx_str network;
    if (questions & CLIENT) {
        if (masq_mc_network(a->rows->s, key, &network)) {
            add_line(a, "networks", "Networks that relay.", network);
            a->has_networks = true;
            return;
        }
        put_row(a, "relay_clients", "Clients that relay, by their names.", key,
                mfx_str_of("OK"));
        a->has_relays = true;
    }
    if ((questions & RECIPIENT) && !mfx_str_has(key, '@')) {
        add_line(a, "relay_domains", "Domains that are relayed to.", key);
        a->has_domains = true;
    } else if (questions == RECIPIENT) {
        leave(a, key, mfx_str_of("RELAY"));
    }
}

static void
take_row(struct access *a, unsigned questions, struct mfx_str key,
         struct mfx_str value)
{
    struct mfx_str action, network;
    bool is_network = masq_mc_network(a->rows->s, key, &network);
    if (mfx_str_is_nocase(value, "RELAY")) {
        if (questions == SENDER)
            leave(a, key, value); /* forged senders would relay */
        else
            take_relay(a, questions, key);
        return;
    }
    if (is_network)
        questions &= CLIENT;
    if (mfx_str_has(key, '@'))
        questions &= ~(unsigned)CLIENT;
    if (questions == 0 || key.len == 0 || !action_of(a, value, &action))
        leave(a, key, value);
    else
        put(a, questions,
            questions == CLIENT || is_network ? client_key(key) : key, action);
}

/* --- tags --- */

static void
take_rate(struct access *a, struct mfx_str key, struct mfx_str value,
          const char *parameter)
{
    struct masq_import *import = a->rows->s->import;
    struct mfx_str network;
    struct masq_import_setting *limit;
    uint64_t n;
    if (mfx_str_to_u64(value, UINT32_MAX, &n) != MFX_OK) {
        leave(a, key, value);
    } else if (key.len == 0) {
        limit = masq_import_find(&import->main_cf, parameter);
        if (limit != NULL)
            limit->value = value;
        else
            masq_import_main(import, parameter, value, "for each client");
    } else if (n == 0) {
        masq_import_main(import, "smtpd_client_event_limit_exceptions",
                         mfx_str_of("$mynetworks"), NULL);
        masq_import_main(
            import, "smtpd_client_event_limit_exceptions",
            masq_mc_network(a->rows->s, key, &network) ? network : key, NULL);
    } else {
        leave(a, key, value); /* Postfix has one number for all clients */
    }
}

static void
take_try_tls(struct access *a, struct mfx_str key, struct mfx_str value)
{
    struct masq_import *import = a->rows->s->import;
    if (!mfx_str_is_nocase(value, "NO") || key.len == 0) {
        leave(a, key, value);
        return;
    }
    put_row(a, "tls_policy", "Destinations without TLS.", key,
            mfx_str_of("none"));
    masq_import_main(import, "smtp_tls_policy_maps",
                     mfx_str_of("texthash:$config_directory/tls_policy"),
                     "rows Try_TLS: of access; keys are next hops");
}

/* The tag before the first colon, but for addresses of IPv6. */
static void
take_tagged(struct access *a, struct mfx_str tag, struct mfx_str key,
            struct mfx_str whole, struct mfx_str value)
{
    if (mfx_str_is_nocase(tag, "Connect"))
        take_row(a, CLIENT, key, value);
    else if (mfx_str_is_nocase(tag, "From"))
        take_row(a, SENDER, key, value);
    else if (mfx_str_is_nocase(tag, "To"))
        take_row(a, RECIPIENT, key, value);
    else if (mfx_str_is_nocase(tag, "ClientRate"))
        take_rate(a, key, value, "smtpd_client_connection_rate_limit");
    else if (mfx_str_is_nocase(tag, "ClientConn"))
        take_rate(a, key, value, "smtpd_client_connection_count_limit");
    else if (mfx_str_is_nocase(tag, "Try_TLS"))
        take_try_tls(a, key, value);
    else
        leave(a, whole, value);
}

static void
finish(struct access *a)
{
    struct masq_import *import = a->rows->s->import;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if ((a->asked & (unsigned)tables[i].question) == 0)
            continue;
        masq_import_main(import, tables[i].restrictions,
                         mfx_str_of(tables[i].check), NULL);
        masq_import_say(import, a->rows->item, MASQ_IMPORT_DONE,
                        "main.cf %s, with the table %s", tables[i].restrictions,
                        tables[i].file);
    }
    if (a->has_networks)
        masq_import_main(import, "mynetworks",
                         mfx_str_of("127.0.0.0/8, [::1]/128, "
                                    "$config_directory/networks"),
                         "rows RELAY of access");
    if (a->has_domains)
        masq_import_main(import, "relay_domains",
                         mfx_str_of("$config_directory/relay_domains"), NULL);
    if (a->has_unlimited)
        masq_import_main(
            import, "smtpd_client_event_limit_exceptions",
            mfx_str_of("$mynetworks, $config_directory/unlimited_clients"),
            NULL);
    if (a->has_relays)
        masq_import_main(
            import, "smtpd_relay_restrictions",
            mfx_str_of("permit_mynetworks, permit_sasl_authenticated, "
                       "check_client_access "
                       "texthash:$config_directory/relay_clients, "
                       "defer_unauth_destination"),
            "rows RELAY of access for clients by name");
    if (a->rows->item->fate == MASQ_IMPORT_OPEN)
        masq_import_say(import, a->rows->item, MASQ_IMPORT_DONE,
                        "main.cf mynetworks, relay_domains and the like");
}

void
masq_mc_access(struct masq_mc_rows *rows)
{
    struct access a = {.rows = rows};
    struct mfx_str key, value;
    bool for_recipients =
        masq_mc_has_feature(rows->s, "blocklist_recipients") ||
        masq_mc_has_feature(rows->s, "blacklist_recipients");
    unsigned untagged = CLIENT | SENDER | (for_recipients ? RECIPIENT : 0);
    while (masq_mc_row(&rows->text, &key, &value)) {
        size_t colon = mfx_str_find(key, ':');
        struct mfx_str tag = mfx_str_head(key, colon);
        if (colon == key.len || mfx_str_is_nocase(tag, "IPv6"))
            take_row(&a,
                     mfx_str_is_nocase(value, "RELAY") ? CLIENT | RECIPIENT
                                                       : untagged,
                     key, value);
        else
            take_tagged(&a, tag, mfx_str_from(key, colon + 1), key, value);
    }
    finish(&a);
}
