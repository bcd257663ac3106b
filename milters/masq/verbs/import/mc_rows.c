/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailertable, virtusertable and domaintable, row by row.
 */
#include "mc.h"

static void
put(struct masq_mc_rows *rows, const char *file, const char *remark,
    struct mfx_str key, struct mfx_str value)
{
    struct masq_import_file *f =
        masq_import_file(rows->s->import, file, remark);
    if (f != NULL)
        masq_import_row(f, key, value);
}

static struct mfx_str
join(struct masq_mc_rows *rows, const char *a, struct mfx_str b)
{
    return mfx_arena_printf(rows->s->import->arena, "%s%.*s", a,
                            MFX_STR_ARG(b));
}

/* --- errors: "error:5.7.0:550 text", "error:nouser text" --- */

static bool
is_code(struct mfx_str word)
{
    uint64_t n;
    return word.len == 3 && mfx_str_to_u64(word, 599, &n) == MFX_OK && n >= 400;
}

static const char *
dsn_of(struct mfx_str word)
{
    static const char *const words[][2] = {
        {"nouser",      "5.1.1"},
        {"nohost",      "5.1.2"},
        {"unavailable", "5.3.0"},
        {"tempfail",    "4.3.0"},
        {"protocol",    "5.5.0"},
        {"config",      "5.3.5"},
        {"usage",       "5.5.4"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_is_nocase(word, words[i][0]))
            return words[i][1];
    return NULL;
}

static bool
is_dsn(struct mfx_str word)
{
    return word.len >= 5 && (word.p[0] == '5' || word.p[0] == '4') &&
           word.p[1] == '.';
}

/* The status and the text behind "error:". */
static bool
split_error(struct masq_mc_rows *rows, struct mfx_str value,
            struct mfx_str *dsn, struct mfx_str *text)
{
    struct mfx_str prefix = mfx_str_of("error:"), word;
    if (!mfx_str_starts_nocase(value, prefix))
        return false;
    *text = mfx_str_from(value, prefix.len);
    *dsn = mfx_str_of("5.7.1");
    size_t end = 0;
    while (end < text->len && text->p[end] != ':' && text->p[end] != ' ')
        end++;
    word = mfx_str_head(*text, end);
    if (dsn_of(word) != NULL || is_dsn(word)) {
        *dsn = is_dsn(word) ? word : mfx_str_of(dsn_of(word));
        *text = mfx_str_from(*text, end + 1);
    }
    *text = mfx_str_trim(*text);
    if (is_code(mfx_str_head(*text, 3)))
        *text = mfx_str_trim(mfx_str_from(*text, 3));
    if (text->len == 0)
        *text = mfx_str_of("refused");
    (void)rows;
    return true;
}

/* --- mailertable --- */

static bool
is_smtp(struct mfx_str mailer)
{
    static const char *const names[] = {"smtp", "esmtp", "smtp8", "dsmtp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mfx_str_is_nocase(mailer, names[i]))
            return true;
    return false;
}

/* "host1:host2" are tried one after the other. */
static struct mfx_str
hosts(struct masq_mc_rows *rows, struct mfx_str host)
{
    struct mfx_buf out;
    bool in_brackets = false;
    mfx_buf_init_arena(&out, rows->s->import->arena, 2 * host.len + 16);
    for (size_t i = 0; i < host.len; i++) {
        in_brackets = host.p[i] == '[' || (in_brackets && host.p[i] != ']');
        if (host.p[i] == ':' && !in_brackets)
            mfx_buf_add_text(&out, ", ");
        else
            mfx_buf_add_byte(&out, host.p[i]);
    }
    return mfx_buf_str(&out);
}

static bool
transport(struct masq_mc_rows *rows, struct mfx_str value, struct mfx_str *to)
{
    struct mfx_str dsn, text;
    size_t colon = mfx_str_find(value, ':');
    struct mfx_str mailer = mfx_str_head(value, colon);
    struct mfx_str host = mfx_str_from(value, colon + 1);
    if (colon == value.len || mfx_str_has(host, '%') || !mfx_str_is_line(value))
        return false;
    if (split_error(rows, value, &dsn, &text))
        *to = mfx_arena_printf(rows->s->import->arena, "error:%.*s %.*s",
                               MFX_STR_ARG(dsn), MFX_STR_ARG(text));
    else if (is_smtp(mailer))
        *to = join(rows, "smtp:", hosts(rows, host));
    else if (mfx_str_is_nocase(mailer, "relay"))
        *to = join(rows, "relay:", hosts(rows, host));
    else if (mfx_str_is_nocase(mailer, "local") && host.len == 0)
        *to = mfx_str_of("local:");
    else if (mfx_str_is_nocase(mailer, "discard"))
        *to = mfx_str_of("discard:");
    else
        return false;
    return true;
}

void
masq_mc_mailertable(struct masq_mc_rows *rows)
{
    struct mfx_str key, value, to;
    struct masq_import *import = rows->s->import;
    while (masq_mc_row(&rows->text, &key, &value)) {
        if (!transport(rows, value, &to)) {
            masq_mc_leave_row(rows, key);
            put(rows, "by-hand", "Rows without a counterpart.", key, value);
            continue;
        }
        put(rows, "transport",
            "Postfix's transport(5) table, made of a mailertable.",
            mfx_str_is(key, ".") ? mfx_str_of("*") : key, to);
    }
    masq_import_main(import, "transport_maps",
                     mfx_str_of("texthash:$config_directory/transport"),
                     "mailertable");
    masq_import_say(import, rows->item, MASQ_IMPORT_DONE,
                    "main.cf transport_maps, with the table transport");
}

/* --- virtusertable --- */

/* One target: a user, an address, "%1@other". */
static bool
virtual_target(struct mfx_str key, struct mfx_str value, struct mfx_str *to)
{
    *to = value;
    if (key.len > 0 && key.p[0] == '@' &&
        mfx_str_starts(value, mfx_str_of("%1@")))
        *to = mfx_str_from(value, 2);
    for (size_t i = 0; i < key.len; i++)
        if (key.p[i] == '*')
            return false;
    return to->len > 0 && !mfx_str_has(*to, '%') && mfx_str_is_line(*to);
}

void
masq_mc_virtusertable(struct masq_mc_rows *rows)
{
    struct mfx_str key, value, to, dsn;
    struct masq_import *import = rows->s->import;
    bool has_errors = false;
    while (masq_mc_row(&rows->text, &key, &value)) {
        if (split_error(rows, value, &dsn, &to)) {
            struct mfx_str who = key.p[0] == '@' ? mfx_str_from(key, 1) : key;
            put(rows, "access_recipient",
                "Postfix's access(5) table for recipients.", who,
                mfx_arena_printf(import->arena, "%c50 %.*s %.*s", dsn.p[0],
                                 MFX_STR_ARG(dsn), MFX_STR_ARG(to)));
            has_errors = true;
        } else if (virtual_target(key, value, &to)) {
            put(rows, "virtual",
                "Postfix's virtual(5) table, made of a virtusertable.", key,
                to);
        } else {
            masq_mc_leave_row(rows, key);
            put(rows, "by-hand", "Rows without a counterpart.", key, value);
        }
    }
    masq_import_main(import, "virtual_alias_maps",
                     mfx_str_of("texthash:$config_directory/virtual"),
                     "virtusertable");
    masq_import_say(import, rows->item, MASQ_IMPORT_DONE,
                    "main.cf virtual_alias_maps, with the table virtual");
    if (!has_errors)
        return;
    masq_import_main(import, "smtpd_recipient_restrictions",
                     mfx_str_of("check_recipient_access "
                                "texthash:$config_directory/access_recipient"),
                     NULL);
    masq_import_say(import, rows->item, MASQ_IMPORT_DONE,
                    "rows with error: main.cf check_recipient_access");
}

/* --- domaintable --- */

void
masq_mc_domaintable(struct masq_mc_rows *rows)
{
    struct mfx_str key, value;
    struct masq_import *import = rows->s->import;
    while (masq_mc_row(&rows->text, &key, &value)) {
        if (value.len == 0 || mfx_str_has(value, ' ') ||
            mfx_str_has(value, '@')) {
            masq_mc_leave_row(rows, key);
            put(rows, "by-hand", "Rows without a counterpart.", key, value);
            continue;
        }
        put(rows, "domaintable", "Domains and what they become.",
            join(rows, "@", key), join(rows, "@", value));
    }
    struct masq_import_rule *rule = masq_import_rule_new(
        import, "canonical", "domaintable",
        "Sendmail's domaintable: all addresses, whoever the mail is from.");
    if (rule == NULL)
        return;
    masq_import_set_text(import, &rule->settings, "whose", mfx_str_of("all"),
                         NULL);
    masq_import_set_text(
        import, &rule->settings, "maps",
        mfx_arena_printf(import->arena, "texthash:%s/domaintable", import->out),
        NULL);
    masq_import_say_rule(import, rows->item, rule, "maps");
}
