/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include <stdlib.h>
#include <unistd.h>

#include <libmilter/mfdef.h>

#include <mfx/base/env.h>
#include <mfx/base/file.h>

/* --- sessions --- */

static bool
run_session(struct talk *t, struct mfx_str args)
{
    t->s = talk_session_get(t, talk_word(&args));
    return t->s != NULL || talk_fail(t, "too many sessions");
}

static bool
run_mta(struct talk *t, struct mfx_str args)
{
    bool is_sendmail = mfx_str_is(args, "sendmail");
    if (!is_sendmail && !mfx_str_is(args, "postfix"))
        return talk_fail(t, "postfix or sendmail");
    t->s->options.kind = is_sendmail ? MTA_SENDMAIL : MTA_POSTFIX;
    return true;
}

static bool
run_offer(struct talk *t, struct mfx_str args)
{
    struct mfx_str words[3];
    uint64_t version = 0;
    size_t n = talk_words(t, args, words, 3);
    if (n == 0 || !talk_number(t, words[0], &version))
        return false;
    mta_options_set_version(&t->s->options, (uint32_t)version);
    if (n > 1)
        t->s->options.actions =
            (uint32_t)strtoul(talk_text(t, words[1]), NULL, 16);
    if (n > 2)
        t->s->options.steps =
            (uint32_t)strtoul(talk_text(t, words[2]), NULL, 16);
    return true;
}

static bool
run_open(struct talk *t, struct mfx_str args)
{
    (void)args;
    return talk_open(t) != NULL;
}

static bool
run_negotiate(struct talk *t, struct mfx_str args)
{
    uint64_t began = mfx_mono_ms();
    (void)args;
    if (t->s->mta == NULL)
        return talk_fail(t, "not connected");
    mta_negotiate(t->s->mta);
    talk_note_reply(t, began);
    return true;
}

static bool
run_dial(struct talk *t, struct mfx_str args)
{
    struct mfx_err err = {0};
    (void)args;
    mta_free(t->s->mta);
    t->s->mta = mta_open(t->socket, &t->s->options, &err);
    return t->s->mta != NULL || talk_fail(t, "%s", err.msg);
}

static bool
run_close(struct talk *t, struct mfx_str args)
{
    (void)args;
    if (t->s->mta != NULL)
        mta_wire_flush(t->s->mta->wire);
    mta_free(t->s->mta);
    t->s->mta = NULL;
    return true;
}

static bool
run_timeout(struct talk *t, struct mfx_str args)
{
    uint64_t ms = 0;
    if (!talk_number(t, args, &ms))
        return false;
    t->s->options.timeout_ms = (int)ms;
    if (t->s->mta != NULL)
        mta_wire_set_timeout(t->s->mta->wire, (int)ms);
    return true;
}

/* --- macros --- */

static bool
set_macro(struct talk *t, const char *name, const char *value)
{
    struct talk_session *s = t->s;
    if (s->mta != NULL)
        mta_macro(s->mta, name, value);
    if (s->macro_count == MTA_MACROS_MAX)
        return talk_fail(t, "too many macros");
    struct mta_macro *m = &s->macros[s->macro_count++];
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->value, sizeof m->value, "%s", value ? value : "");
    m->is_withheld = value == NULL;
    return true;
}

static bool
run_macro(struct talk *t, struct mfx_str args)
{
    size_t cut = mfx_str_find(args, '=');
    if (cut == args.len)
        return talk_fail(t, "macro NAME=VALUE");
    struct mfx_str value = talk_unescape(t, mfx_str_from(args, cut + 1));
    return set_macro(t, talk_text(t, mfx_str_head(args, cut)),
                     talk_text(t, value));
}

static bool
run_withhold(struct talk *t, struct mfx_str args)
{
    struct mfx_str words[TALK_WORDS_MAX];
    size_t n = talk_words(t, args, words, TALK_WORDS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!set_macro(t, talk_text(t, words[i]), NULL))
            return false;
    return true;
}

static bool
run_no_macros(struct talk *t, struct mfx_str args)
{
    (void)args;
    t->s->no_macros = true;
    if (t->s->mta != NULL)
        t->s->mta->no_macros = true;
    return true;
}

/* define COMMAND NAME=VALUE...: a macro packet now */
static bool
run_define(struct talk *t, struct mfx_str args)
{
    struct mfx_str words[TALK_WORDS_MAX];
    struct mta *m = talk_need(t);
    size_t n = talk_words(t, args, words, TALK_WORDS_MAX);
    struct mfx_buf pairs;
    if (m == NULL || n == 0 || words[0].len != 1)
        return m == NULL ? false : talk_fail(t, "define COMMAND NAME=VALUE");
    mfx_buf_init_arena(&pairs, t->arena, 65536);
    for (size_t i = 1; i < n; i++) {
        size_t cut = mfx_str_find(words[i], '=');
        mfx_buf_add(&pairs, mfx_str_head(words[i], cut));
        mfx_buf_add_byte(&pairs, '\0');
        mfx_buf_add(&pairs, mfx_str_from(words[i], cut + 1));
        mfx_buf_add_byte(&pairs, '\0');
    }
    mta_send_macros(m, words[0].p[0], mfx_buf_str(&pairs));
    return true;
}

/* --- stages --- */

static bool
run_connect(struct talk *t, struct mfx_str args)
{
    struct mfx_str w[4];
    size_t n = talk_words(t, args, w, 4);
    const char *host = n > 0 ? talk_text(t, w[0]) : "client.example";
    const char *address = n > 1 ? talk_text(t, w[1]) : "192.0.2.1";
    uint64_t port = 40000;
    char family = strchr(address, ':') ? SMFIA_INET6 : SMFIA_INET;
    if (n > 2 && !talk_number(t, w[2], &port))
        return false;
    if (mfx_str_is(mfx_str_of(address), "unknown"))
        family = SMFIA_UNKNOWN;
    if (n > 3 && w[3].len == 1)
        family = w[3].p[0];
    struct mta *m = talk_need(t);
    if (m == NULL)
        return false;
    uint64_t began = mfx_mono_ms();
    mta_connect(m, host, family, (unsigned)port, address);
    talk_note_reply(t, began);
    return true;
}

static bool
run_helo(struct talk *t, struct mfx_str args)
{
    struct mta *m = talk_need(t);
    uint64_t began = mfx_mono_ms();
    struct mfx_str name = talk_unescape(t, args);
    if (m == NULL || name.p == NULL)
        return false;
    mta_helo(m, name.len ? talk_text(t, name) : "client.example");
    talk_note_reply(t, began);
    return true;
}

static bool
run_envelope_stage(struct talk *t, struct mfx_str args, bool is_mail)
{
    struct mfx_str w[TALK_WORDS_MAX];
    struct mta *m = talk_need(t);
    size_t n = talk_words(t, args, w, TALK_WORDS_MAX);
    uint64_t began = mfx_mono_ms();
    if (m == NULL)
        return false;
    if (n == 0)
        return talk_fail(t, "no address");
    if (is_mail) {
        mta_message_clear(&t->s->message);
        mfx_buf_clear(&t->s->body);
        mta_mail(m, w, n);
        t->s->message.sender = mfx_arena_copy(t->s->message.arena, w[0]);
    } else {
        struct mta_edit add = {.action = SMFIR_ADDRCPT, .name = w[0]};
        mta_rcpt(m, w, n);
        mta_message_edit(&t->s->message, MTA_POSTFIX, &add, true);
    }
    talk_note_reply(t, began);
    return true;
}

static bool
run_mail(struct talk *t, struct mfx_str args)
{
    return run_envelope_stage(t, args, true);
}

static bool
run_rcpt(struct talk *t, struct mfx_str args)
{
    return run_envelope_stage(t, args, false);
}

static bool
plain_stage(struct talk *t, enum mta_verdict (*stage)(struct mta *))
{
    struct mta *m = talk_need(t);
    uint64_t began = mfx_mono_ms();
    if (m == NULL)
        return false;
    stage(m);
    talk_note_reply(t, began);
    return true;
}

static bool
run_data(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_stage(t, mta_data);
}

static bool
run_eoh(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_stage(t, mta_eoh);
}

static void
message_was_sent(struct talk *t)
{
    t->s->is_sent = true;
    mta_apply_edits(t->s->mta, &t->s->message);
}

static bool
run_eom(struct talk *t, struct mfx_str args)
{
    (void)args;
    if (!plain_stage(t, mta_eom))
        return false;
    if (t->s->body.len != 0)
        mta_message_set_body(&t->s->message, mfx_buf_str(&t->s->body));
    message_was_sent(t);
    return true;
}

/* header Name: value (the value is exact, so "Name: x" has a space) */
static bool
run_header(struct talk *t, struct mfx_str args)
{
    struct mta *m = talk_need(t);
    struct mfx_str text = talk_unescape(t, args);
    size_t colon = mfx_str_find(text, ':');
    uint64_t began = mfx_mono_ms();
    if (m == NULL || text.p == NULL)
        return false;
    struct mfx_str name = mfx_str_head(text, colon);
    struct mfx_str value = mfx_str_from(text, colon + 1);
    mta_message_add_field(&t->s->message, name, value);
    mta_header(m, name, value);
    talk_note_reply(t, began);
    return true;
}

static bool
run_body(struct talk *t, struct mfx_str args)
{
    struct mta *m = talk_need(t);
    struct mfx_str text = talk_unescape(t, args);
    uint64_t began = mfx_mono_ms();
    if (m == NULL || text.p == NULL)
        return false;
    mfx_buf_add(&t->s->body, text);
    mta_body(m, text);
    talk_note_reply(t, began);
    return true;
}

static bool
run_unknown(struct talk *t, struct mfx_str args)
{
    struct mta *m = talk_need(t);
    uint64_t began = mfx_mono_ms();
    if (m == NULL)
        return false;
    mta_unknown(m, talk_text(t, talk_unescape(t, args)));
    talk_note_reply(t, began);
    return true;
}

static bool
plain_packet(struct talk *t, void (*send)(struct mta *))
{
    struct mta *m = talk_need(t);
    if (m != NULL)
        send(m);
    return m != NULL;
}

static bool
run_abort(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_packet(t, mta_abort);
}

static bool
run_quit(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_packet(t, mta_quit) && run_close(t, args);
}

static bool
run_quit_nc(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_packet(t, mta_quit_nc);
}

/* --- whole messages --- */

static bool
run_start(struct talk *t, struct mfx_str args)
{
    return talk_run_line(t, mfx_str_of("connect")) && run_helo(t, args);
}

/* envelope FROM TO...: mail, each rcpt, data */
static bool
run_envelope(struct talk *t, struct mfx_str args)
{
    if (!run_mail(t, talk_word(&args)))
        return false;
    while (args.len != 0) {
        struct mfx_str to = talk_word(&args);
        to = mfx_arena_printf(t->arena, "rcpt %.*s", MFX_STR_ARG(to));
        if (!talk_run_line(t, to))
            return false;
    }
    return talk_run_line(t, mfx_str_of("data"));
}

static bool
send_message(struct talk *t, struct mfx_str bytes)
{
    struct mta *m = talk_need(t);
    uint64_t began = mfx_mono_ms();
    if (m == NULL)
        return false;
    mta_message_parse(&t->s->message, bytes);
    mta_send_content(m, &t->s->message, &t->s->ended);
    talk_note_reply(t, began);
    message_was_sent(t);
    return true;
}

/* message: the lines up to one that is only a dot */
static bool
run_message(struct talk *t, struct mfx_str args)
{
    struct mfx_buf bytes;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    (void)args;
    mfx_buf_init_arena(&bytes, t->arena, SIZE_MAX / 2);
    while ((n = getline(&line, &size, t->script)) > 0) {
        t->line++;
        struct mfx_str text = mfx_str(line, (size_t)n);
        if (mfx_str_is(text, ".\n"))
            break;
        mfx_buf_add(&bytes, talk_unescape(t, text));
    }
    free(line);
    return send_message(t, mfx_buf_str(&bytes));
}

static bool
run_message_file(struct talk *t, struct mfx_str args)
{
    struct mfx_err err = {0};
    struct mfx_str bytes;
    const char *path = talk_text(t, args);
    if (mfx_file_read(path, (size_t)1 << 30, t->arena, &bytes, NULL, &err) !=
        MFX_OK)
        return talk_fail(t, "%s", err.msg);
    return send_message(t, bytes);
}

static bool
run_end(struct talk *t, struct mfx_str args)
{
    (void)args;
    return plain_packet(t, mta_end_message);
}

/* --- what no MTA would send --- */

/* packet COMMAND [TEXT]: well formed; waits for the reply */
static bool
packet(struct talk *t, struct mfx_str args, bool wants_reply)
{
    struct mta *m = talk_need(t);
    struct mfx_str command = talk_unescape(t, talk_word(&args));
    struct mfx_str text = talk_unescape(t, args);
    uint64_t began = mfx_mono_ms();
    if (m == NULL || text.p == NULL)
        return false;
    if (command.len != 1)
        return talk_fail(t, "a command is one byte");
    mta_raw(m, command.p[0], text, wants_reply);
    talk_note_reply(t, began);
    return true;
}

static bool
run_packet(struct talk *t, struct mfx_str args)
{
    return packet(t, args, true);
}

static bool
run_packet_silent(struct talk *t, struct mfx_str args)
{
    return packet(t, args, false);
}

static bool
run_raw(struct talk *t, struct mfx_str args)
{
    struct mfx_str text = talk_unescape(t, args);
    if (text.p == NULL)
        return false;
    if (t->s->mta == NULL && !run_dial(t, mfx_str_of("")))
        return false;
    mta_wire_put(t->s->mta->wire, text);
    mta_wire_flush(t->s->mta->wire);
    return true;
}

static bool
run_wait(struct talk *t, struct mfx_str args)
{
    uint64_t began = mfx_mono_ms();
    (void)args;
    if (t->s->mta == NULL)
        return talk_fail(t, "not connected");
    mta_wait_reply(t->s->mta);
    talk_note_reply(t, began);
    return true;
}

/* repeat N COMMAND...: %d becomes the number */
static bool
run_repeat(struct talk *t, struct mfx_str args)
{
    uint64_t count = 0;
    if (!talk_number(t, talk_word(&args), &count))
        return false;
    size_t at = 0;
    while (at + 1 < args.len && !(args.p[at] == '%' && args.p[at + 1] == 'd'))
        at++;
    bool has_number = at + 1 < args.len;
    for (uint64_t i = 1; i <= count; i++) {
        struct mfx_str line = args;
        if (has_number)
            line = mfx_arena_printf(t->arena, "%.*s%llu%.*s", (int)at, args.p,
                                    (unsigned long long)i,
                                    MFX_STR_ARG(mfx_str_from(args, at + 2)));
        if (!talk_run_line(t, line))
            return false;
    }
    return true;
}

const struct talk_command talk_send_commands[] = {
    {"session",       run_session,       "NAME: go on in another connection",     false},
    {"mta",           run_mta,           "postfix|sendmail",                      false},
    {"offer",         run_offer,         "VERSION [ACTIONS STEPS] (hexadecimal)", false},
    {"timeout",       run_timeout,       "MS: longest wait for a reply",          false},
    {"dial",          run_dial,          "connect to the socket only",            false},
    {"negotiate",     run_negotiate,     "the first packet",                      false},
    {"open",          run_open,          "dial and negotiate",                    false},
    {"close",         run_close,         "end the connection without a word",     false},
    {"macro",         run_macro,         "NAME=VALUE from now on",                false},
    {"withhold",      run_withhold,      "NAME...: macros that never come",       false},
    {"no-macros",     run_no_macros,     "send no macro packets at all",          false},
    {"define",        run_define,        "COMMAND NAME=VALUE...: macros now",     false},
    {"connect",       run_connect,       "[HOST [ADDRESS [PORT [FAMILY]]]]",      false},
    {"helo",          run_helo,          "[NAME]",                                false},
    {"mail",          run_mail,          "<ADDRESS> [PARAMETER...]",              false},
    {"rcpt",          run_rcpt,          "<ADDRESS> [PARAMETER...]",              false},
    {"data",          run_data,          "",                                      false},
    {"header",        run_header,        "NAME: VALUE",                           false},
    {"eoh",           run_eoh,           "",                                      false},
    {"body",          run_body,          "TEXT: one packet",                      false},
    {"eom",           run_eom,           "",                                      false},
    {"unknown",       run_unknown,       "LINE: an unknown SMTP command",         false},
    {"abort",         run_abort,         "",                                      false},
    {"quit",          run_quit,          "",                                      false},
    {"quit-nc",       run_quit_nc,       "quit, another session follows",         false},
    {"start",         run_start,         "[HELO]: connect and helo",              false},
    {"envelope",      run_envelope,      "<FROM> <TO>...: mail, rcpt, data",      false},
    {"message",       run_message,       "header to eom from the lines below",    false},
    {"message-file",  run_message_file,  "FILE: header to eom",                   false},
    {"end",           run_end,           "what the MTA sends after a message",    false},
    {"packet",        run_packet,        "COMMAND [TEXT]; awaits a reply",        false},
    {"packet-silent", run_packet_silent, "COMMAND [TEXT]; awaits none",           false},
    {"raw",           run_raw,           "BYTES as they are",                     false},
    {"wait",          run_wait,          "wait for a reply",                      false},
    {"repeat",        run_repeat,        "N COMMAND (%d: the number)",            false},
    {NULL,            NULL,              NULL,                                    false},
};
