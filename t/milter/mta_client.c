/* SPDX-License-Identifier: BSD-2-Clause */
#include "mta_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <libmilter/mfdef.h>

enum {
    PACKET_BUF_MAX = 256 * 1024 * 1024
};

/* --- stages as data --- */

/* What each command is: how to leave it out, whether a reply comes, from
 * which version on there is such a thing, whose macros go before it. */
struct stage_row {
    char command;
    uint32_t no_flag, no_reply_flag;
    uint32_t min_version;
    enum mta_stage macros;
};

static const struct stage_row stage_rows[] = {
    {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, 1, MTA_STAGE_CONNECT},
    {SMFIC_HELO,    SMFIP_NOHELO,    SMFIP_NR_HELO, 1, MTA_STAGE_HELO   },
    {SMFIC_MAIL,    SMFIP_NOMAIL,    SMFIP_NR_MAIL, 1, MTA_STAGE_MAIL   },
    {SMFIC_RCPT,    SMFIP_NORCPT,    SMFIP_NR_RCPT, 1, MTA_STAGE_RCPT   },
    {SMFIC_DATA,    SMFIP_NODATA,    SMFIP_NR_DATA, 4, MTA_STAGE_DATA   },
    {SMFIC_HEADER,  SMFIP_NOHDRS,    SMFIP_NR_HDR,  1, MTA_STAGE_EOH    },
    {SMFIC_EOH,     SMFIP_NOEOH,     SMFIP_NR_EOH,  2, MTA_STAGE_EOH    },
    {SMFIC_BODY,    SMFIP_NOBODY,    SMFIP_NR_BODY, 1, MTA_STAGE_EOM    },
    {SMFIC_BODYEOB, 0,               0,             1, MTA_STAGE_EOM    },
    {SMFIC_UNKNOWN, SMFIP_NOUNKNOWN, SMFIP_NR_UNKN, 3, MTA_STAGE_UNKNOWN},
};

static const struct stage_row *
stage_row(char command)
{
    for (size_t i = 0; i < sizeof stage_rows / sizeof stage_rows[0]; i++)
        if (stage_rows[i].command == command)
            return &stage_rows[i];
    MFX_BUG("no stage has this command");
}

/* Default macro lists; NULL: no packet. "" gives an empty packet. */
static const char *const default_macros[2][MTA_STAGE_COUNT] = {
    [MTA_POSTFIX] =
        {
                       "j {daemon_name} {daemon_addr} v _", "{tls_version} {cipher} {cipher_bits} {cert_subject} "
            "{cert_issuer}", "i {auth_type} {auth_authen} {auth_author} {mail_addr} "
            "{mail_host} {mail_mailer}", "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
                       "i",                                                                                                                     "i",
                       "i",  "",
                       },
    [MTA_SENDMAIL] =
        {
                       "j _ {daemon_name} {if_name} {if_addr}",                                   "{tls_version} {cipher} {cipher_bits} {cert_subject} "
            "{cert_issuer}",                                                                                       "i {auth_type} {auth_authen} {auth_ssf} {auth_author} "
            "{mail_mailer} {mail_host} {mail_addr}",                                                                 "{rcpt_mailer} {rcpt_host} {rcpt_addr}",
                       NULL, "{msg_id}",
                       NULL, NULL,
                       },
};

/* What Postfix's cleanup can answer, asked at EOH and EOM. */
static const char cleanup_macros[] =
    "j _ v i {daemon_name} {daemon_addr} {daemon_port} {client_addr} "
    "{client_name} {client_port} {client_ptr}";

const char *
mta_verdict_name(enum mta_verdict v)
{
    static const char *const names[] = {
        "continue", "none",    "accept",    "reject",   "tempfail",
        "discard",  "skip",    "replycode", "shutdown", "connfail",
        "closed",   "timeout", "bad",
    };
    return names[v];
}

bool
mta_goes_on(enum mta_verdict v)
{
    return v == MTA_CONTINUE || v == MTA_NONE || v == MTA_SKIP;
}

void
mta_options_set_version(struct mta_options *o, uint32_t version)
{
    o->version = version;
    o->actions = version >= 6 ? SMFI_CURR_ACTS : SMFI_V2_ACTS;
    o->steps = SMFI_V2_PROT;
    if (version >= 3)
        o->steps |= SMFIP_NOUNKNOWN;
    if (version >= 4)
        o->steps |= SMFIP_NODATA;
    if (version >= 6)
        o->steps = SMFI_CURR_PROT;
}

struct mta_options
mta_options_default(enum mta_kind kind)
{
    struct mta_options o = {.kind = kind, .timeout_ms = 10000};
    mta_options_set_version(&o, 6);
    return o;
}

/* --- macros --- */

static struct mta_macro *
macro_slot(struct mta *t, struct mfx_str name)
{
    for (size_t i = 0; i < t->macro_count; i++)
        if (mfx_str_is(name, t->macros[i].name))
            return &t->macros[i];
    if (t->macro_count == MTA_MACROS_MAX || name.len >= sizeof t->macros->name)
        return NULL;
    struct mta_macro *slot = &t->macros[t->macro_count++];
    snprintf(slot->name, sizeof slot->name, "%.*s", MFX_STR_ARG(name));
    return slot;
}

void
mta_macro(struct mta *t, const char *name, const char *value)
{
    struct mta_macro *slot = macro_slot(t, mfx_str_of(name));
    if (slot == NULL)
        return;
    slot->is_withheld = value == NULL;
    slot->is_fixed = slot->is_set = true;
    snprintf(slot->value, sizeof slot->value, "%s", value ? value : "");
}

/* As the stage itself finds it out; NULL: not known (any more). */
static void
learn(struct mta *t, const char *name, const char *value, size_t len)
{
    struct mta_macro *slot = macro_slot(t, mfx_str_of(name));
    if (slot == NULL || slot->is_fixed)
        return;
    slot->is_set = value != NULL;
    snprintf(slot->value, sizeof slot->value, "%.*s", (int)len,
             value ? value : "");
}

static void
learn_text(struct mta *t, const char *name, const char *value)
{
    learn(t, name, value, value ? strlen(value) : 0);
}

static bool
list_has(const char *list, struct mfx_str name)
{
    struct mfx_str rest = mfx_str_of(list), word;
    while (mfx_str_word(&rest, " ", &word))
        if (mfx_str_eq(word, name))
            return true;
    return false;
}

static bool
may_send(const struct mta *t, enum mta_stage stage, struct mfx_str name)
{
    if (t->options.kind == MTA_SENDMAIL)
        return true;
    return (stage != MTA_STAGE_EOH && stage != MTA_STAGE_EOM) ||
           list_has(cleanup_macros, name);
}

static void
add_macro(struct mta *t, struct mfx_buf *buf, struct mfx_str name)
{
    const struct mta_macro *slot = macro_slot(t, name);
    if (slot == NULL || !slot->is_set || slot->is_withheld)
        return;
    mfx_buf_add(buf, mfx_str(slot->name, strlen(slot->name) + 1));
    mfx_buf_add(buf, mfx_str(slot->value, strlen(slot->value) + 1));
}

static void
send_stage_macros(struct mta *t, char command, enum mta_stage stage)
{
    const char *list = t->symlists[stage];
    bool is_default =
        list == NULL || (*list == '\0' && t->options.kind == MTA_POSTFIX);
    if (is_default)
        list = default_macros[t->options.kind][stage];
    if (t->no_macros || list == NULL)
        return;
    char first = command;
    struct mfx_buf buf;
    mfx_buf_init(&buf, PACKET_BUF_MAX);
    mfx_buf_add(&buf, mfx_str(&first, 1));
    struct mfx_str rest = mfx_str_of(list), name;
    while (mfx_str_word(&rest, " ,", &name))
        if (may_send(t, stage, name))
            add_macro(t, &buf, name);
    mta_wire_packet(t->wire, SMFIC_MACRO, mfx_buf_str(&buf));
    mfx_buf_fini(&buf);
}

enum mta_io
mta_send_macros(struct mta *t, char command, struct mfx_str pairs)
{
    struct mfx_buf buf;
    mfx_buf_init(&buf, PACKET_BUF_MAX);
    mfx_buf_add_byte(&buf, command);
    mfx_buf_add(&buf, pairs);
    enum mta_io io = mta_wire_packet(t->wire, SMFIC_MACRO, mfx_buf_str(&buf));
    mfx_buf_fini(&buf);
    return io;
}

/* --- opening --- */

static void
learn_start(struct mta *t)
{
    bool is_postfix = t->options.kind == MTA_POSTFIX;
    learn_text(t, "j", "mx.example.net");
    learn_text(t, "_", "client.example [192.0.2.1]");
    learn_text(t, "v", is_postfix ? "Postfix 3.7.11" : "8.17.1.9/8.17.1.9");
    learn_text(t, "{daemon_name}", is_postfix ? "mx.example.net" : "MTA");
    learn_text(t, "{daemon_addr}", "127.0.0.1");
    learn_text(t, "{daemon_port}", "25");
    learn_text(t, "{if_name}", is_postfix ? NULL : "mx.example.net");
}

struct mta *
mta_open(const char *socket, const struct mta_options *options,
         struct mfx_err *err)
{
    static _Atomic unsigned next_id;
    struct mta *t = calloc(1, sizeof *t);
    if (t == NULL || (t->arena = mfx_arena_new(0)) == NULL) {
        mfx_err_set(err, "out of memory");
        free(t);
        return NULL;
    }
    t->options = *options;
    t->id = ++next_id;
    t->wire = mta_wire_open(socket, options->timeout_ms, err);
    if (t->wire == NULL) {
        mta_free(t);
        return NULL;
    }
    learn_start(t);
    return t;
}

void
mta_free(struct mta *t)
{
    if (t == NULL)
        return;
    mta_wire_free(t->wire);
    mfx_arena_free(t->arena);
    for (size_t i = 0; i < MTA_STAGE_COUNT; i++)
        free(t->symlists[i]);
    free(t);
}

/* --- replies --- */

static void
reply_begin(struct mta *t)
{
    mfx_arena_reset(t->arena);
    t->reply = (struct mta_reply){.verdict = MTA_NONE};
}

static enum mta_verdict
reply_set(struct mta *t, enum mta_verdict v, struct mfx_str text)
{
    t->reply.verdict = v;
    t->reply.text = mfx_arena_copy(t->arena, text);
    return v;
}

static enum mta_verdict
reply_io(struct mta *t, enum mta_io io)
{
    enum mta_verdict v = io == MTA_IO_CLOSED    ? MTA_CLOSED
                         : io == MTA_IO_TIMEOUT ? MTA_TIMED_OUT
                                                : MTA_BAD;
    return reply_set(t, v, mfx_str_of(mta_io_name(io)));
}

/* Takes bytes up to a NUL; false when there is none. */
static bool
take_text(struct mfx_str *rest, struct mfx_str *text)
{
    size_t n = mfx_str_find(*rest, '\0');
    if (n == rest->len)
        return false;
    *text = mfx_str_head(*rest, n);
    *rest = mfx_str_from(*rest, n + 1);
    return true;
}

/* Fields of an edit after the action byte: n an index, s text, o optional
 * text, b all the rest. */
static const char *
edit_shape(char action)
{
    switch (action) {
    case SMFIR_ADDHEADER:
        return "ss";
    case SMFIR_INSHEADER:
    case SMFIR_CHGHEADER:
        return "nss";
    case SMFIR_CHGFROM:
    case SMFIR_ADDRCPT_PAR:
        return "so";
    case SMFIR_ADDRCPT:
    case SMFIR_DELRCPT:
    case SMFIR_QUARANTINE:
        return "s";
    case SMFIR_REPLBODY:
        return "b";
    default:
        return NULL;
    }
}

static bool
read_edit(const char *shape, struct mfx_str rest, struct mta_edit *e)
{
    struct mfx_str *text = &e->name;
    for (; *shape != '\0'; shape++) {
        if (*shape == 'n') {
            if (rest.len < 4)
                return false;
            e->index = mta_get_u32(rest.p);
            rest = mfx_str_from(rest, 4);
        } else if (*shape == 'b') {
            e->value = rest;
            rest.len = 0;
        } else {
            bool found = take_text(&rest, text);
            if (!found && !(*shape == 'o' && rest.len == 0))
                return false;
            text = &e->value;
        }
    }
    return rest.len == 0;
}

static bool
take_edit(struct mta *t, char action, struct mfx_str payload)
{
    const char *shape = edit_shape(action);
    struct mta_edit *e = mfx_arena_alloc(t->arena, sizeof *e);
    if (shape == NULL || e == NULL)
        return false;
    e->action = action;
    if (!read_edit(shape, mfx_arena_copy(t->arena, payload), e))
        return false;
    if (t->reply.last_edit == NULL)
        t->reply.edits = e;
    else
        t->reply.last_edit->next = e;
    t->reply.last_edit = e;
    t->reply.edit_count++;
    return true;
}

/* The verdict of a final reply; MTA_NONE for a packet that is none. */
static enum mta_verdict
final_verdict(char command)
{
    switch (command) {
    case SMFIR_CONTINUE:
        return MTA_CONTINUE;
    case SMFIR_ACCEPT:
        return MTA_ACCEPT;
    case SMFIR_REJECT:
        return MTA_REJECT;
    case SMFIR_TEMPFAIL:
        return MTA_TEMPFAIL;
    case SMFIR_DISCARD:
        return MTA_DISCARD;
    case SMFIR_SKIP:
        return MTA_SKIP;
    case SMFIR_REPLYCODE:
        return MTA_REPLYCODE;
    case SMFIR_SHUTDOWN:
        return MTA_SHUTDOWN;
    case SMFIR_CONN_FAIL:
        return MTA_CONN_FAIL;
    default:
        return MTA_NONE;
    }
}

static enum mta_verdict
reply_final(struct mta *t, enum mta_verdict v, struct mfx_str payload)
{
    if (v == MTA_REPLYCODE) {
        if (payload.len != 0 && payload.p[payload.len - 1] == '\0')
            payload.len--;
        return reply_set(t, v, payload);
    }
    if (payload.len != 0)
        return reply_set(t, MTA_BAD, mfx_str_of("data behind a verdict"));
    return reply_set(t, v, mfx_str_of(""));
}

enum mta_verdict
mta_wait_reply(struct mta *t)
{
    for (;;) {
        char command = 0;
        struct mfx_str payload = mfx_str_of("");
        enum mta_io io = mta_wire_read(t->wire, &command, &payload);
        if (io != MTA_IO_OK)
            return reply_io(t, io);
        enum mta_verdict v = final_verdict(command);
        if (v != MTA_NONE)
            return reply_final(t, v, payload);
        if (command == SMFIR_PROGRESS)
            t->reply.progress_count++;
        else if (!take_edit(t, command, payload))
            return reply_set(t, MTA_BAD,
                             mfx_arena_printf(t->arena, "reply '%c'", command));
    }
}

enum mta_verdict
mta_raw(struct mta *t, char command, struct mfx_str payload, bool wants_reply)
{
    reply_begin(t);
    enum mta_io io = mta_wire_packet(t->wire, command, payload);
    if (!wants_reply)
        return io == MTA_IO_OK ? MTA_NONE : reply_io(t, io);
    return mta_wait_reply(t);
}

/* --- negotiation --- */

static bool
take_symlists(struct mta *t, struct mfx_str rest)
{
    while (rest.len != 0) {
        struct mfx_str names;
        if (rest.len < 4)
            return false;
        uint32_t stage = mta_get_u32(rest.p);
        rest = mfx_str_from(rest, 4);
        if (stage >= MTA_STAGE_UNKNOWN || !take_text(&rest, &names))
            return false;
        free(t->symlists[stage]);
        t->symlists[stage] = strndup(names.len ? names.p : "", names.len);
    }
    return true;
}

/* Why the MTA would not take this answer; NULL when it would. */
static const char *
refusal(const struct mta *t)
{
    const struct mta_options *o = &t->options;
    if (t->version < 2 || t->version > o->version)
        return "version not offered";
    if ((t->actions & ~o->actions) != 0)
        return "actions not offered";
    if ((t->steps & ~o->steps) != 0)
        return "steps not offered";
    return NULL;
}

enum mta_verdict
mta_negotiate(struct mta *t)
{
    struct mfx_buf offer;
    mfx_buf_init(&offer, 64);
    mta_add_u32(&offer, t->options.version);
    mta_add_u32(&offer, t->options.actions);
    mta_add_u32(&offer, t->options.steps);
    reply_begin(t);
    mta_wire_packet(t->wire, SMFIC_OPTNEG, mfx_buf_str(&offer));
    mfx_buf_fini(&offer);
    char command = 0;
    struct mfx_str payload = mfx_str_of("");
    enum mta_io io = mta_wire_read(t->wire, &command, &payload);
    if (io != MTA_IO_OK)
        return reply_io(t, io);
    if (command != SMFIC_OPTNEG || payload.len < MILTER_OPTLEN)
        return reply_set(t, MTA_BAD, mfx_str_of("no answer to the offer"));
    t->version = mta_get_u32(payload.p);
    t->actions = mta_get_u32(payload.p + 4);
    t->steps = mta_get_u32(payload.p + 8);
    if (!take_symlists(t, mfx_str_from(payload, MILTER_OPTLEN)))
        return reply_set(t, MTA_BAD, mfx_str_of("broken macro list"));
    const char *why = refusal(t);
    if (why != NULL)
        return reply_set(t, MTA_BAD, mfx_str_of(why));
    return reply_set(t, MTA_CONTINUE, mfx_str_of(""));
}

/* --- stages --- */

/* Sends macros and packet as the MTA does; Postfix sends the macros even for a
 * stage that the filter does not want. */
static enum mta_verdict
event(struct mta *t, char command, struct mfx_str payload)
{
    const struct stage_row *row = stage_row(command);
    reply_begin(t);
    if (t->version < row->min_version || t->options.version < row->min_version)
        return MTA_NONE;
    if (t->skipped == command)
        return MTA_NONE;
    t->skipped = 0;
    bool is_unwanted = (t->steps & row->no_flag) != 0;
    if (is_unwanted && t->options.kind == MTA_SENDMAIL)
        return MTA_NONE;
    send_stage_macros(t, command, row->macros);
    if (is_unwanted)
        return MTA_NONE;
    enum mta_io io = mta_wire_packet(t->wire, command, payload);
    if (io == MTA_IO_TIMEOUT)
        return reply_io(t, io);
    if ((t->steps & row->no_reply_flag) != 0)
        return io == MTA_IO_OK ? MTA_NONE : reply_io(t, io);
    enum mta_verdict v = mta_wait_reply(t);
    if (v == MTA_SKIP)
        t->skipped = command;
    return v;
}

static enum mta_verdict
event_text(struct mta *t, char command, const char *text)
{
    return event(t, command, mfx_str(text, strlen(text) + 1));
}

enum mta_verdict
mta_connect(struct mta *t, const char *host, char family, unsigned port,
            const char *address)
{
    struct mfx_buf buf;
    uint16_t net_port = htons((uint16_t)port);
    mfx_buf_init(&buf, 65536);
    mfx_buf_add(&buf, mfx_str(host, strlen(host) + 1));
    mfx_buf_add_byte(&buf, family);
    if (family != SMFIA_UNKNOWN) {
        mfx_buf_add(&buf, mfx_str((const char *)&net_port, 2));
        mfx_buf_add(&buf, mfx_str(address, strlen(address) + 1));
        learn_text(t, "{client_addr}", address);
    }
    learn_text(t, "{client_name}", host);
    enum mta_verdict v = event(t, SMFIC_CONNECT, mfx_buf_str(&buf));
    mfx_buf_fini(&buf);
    return v;
}

enum mta_verdict
mta_helo(struct mta *t, const char *name)
{
    return event_text(t, SMFIC_HELO, name);
}

static struct mfx_str
without_brackets(struct mfx_str s)
{
    if (s.len >= 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        return mfx_str(s.p + 1, s.len - 2);
    return s;
}

static enum mta_verdict
event_args(struct mta *t, char command, const struct mfx_str *args,
           size_t count)
{
    struct mfx_buf buf;
    mfx_buf_init(&buf, PACKET_BUF_MAX);
    for (size_t i = 0; i < count; i++) {
        mfx_buf_add(&buf, args[i]);
        mfx_buf_add_byte(&buf, '\0');
    }
    enum mta_verdict v = event(t, command, mfx_buf_str(&buf));
    mfx_buf_fini(&buf);
    return v;
}

static void
learn_queue_id(struct mta *t)
{
    char id[24];
    snprintf(id, sizeof id, "4T%03X%05X", t->id & 0xfff, t->message_count);
    learn_text(t, "i", id);
}

enum mta_verdict
mta_mail(struct mta *t, const struct mfx_str *args, size_t count)
{
    struct mfx_str address = without_brackets(args[0]);
    t->rcpt_count = 0;
    t->message_count++;
    learn_text(t, "i", NULL);
    learn(t, "{mail_addr}", address.len ? address.p : "", address.len);
    learn_text(t, "{mail_host}", "[127.0.0.1]:10024");
    learn_text(t, "{mail_mailer}", "smtp");
    if (t->options.kind == MTA_SENDMAIL)
        learn_queue_id(t);
    return event_args(t, SMFIC_MAIL, args, count);
}

enum mta_verdict
mta_rcpt(struct mta *t, const struct mfx_str *args, size_t count)
{
    struct mfx_str address = without_brackets(args[0]);
    learn(t, "{rcpt_addr}", address.len ? address.p : "", address.len);
    learn_text(t, "{rcpt_host}", "[127.0.0.1]:10024");
    learn_text(t, "{rcpt_mailer}", "smtp");
    enum mta_verdict v = event_args(t, SMFIC_RCPT, args, count);
    /* Postfix makes the queue file once a recipient has been taken. */
    if (mta_goes_on(v) && t->rcpt_count++ == 0 &&
        t->options.kind == MTA_POSTFIX)
        learn_queue_id(t);
    return v;
}

enum mta_verdict
mta_data(struct mta *t)
{
    return event(t, SMFIC_DATA, mfx_str_of(""));
}

enum mta_verdict
mta_header(struct mta *t, struct mfx_str name, struct mfx_str value)
{
    struct mfx_buf buf;
    if ((t->steps & SMFIP_HDR_LEADSPC) == 0 && value.len != 0 &&
        value.p[0] == ' ')
        value = mfx_str_from(value, 1);
    mfx_buf_init(&buf, PACKET_BUF_MAX);
    mfx_buf_add(&buf, name);
    mfx_buf_add_byte(&buf, '\0');
    mfx_buf_add(&buf, value);
    mfx_buf_add_byte(&buf, '\0');
    enum mta_verdict v = event(t, SMFIC_HEADER, mfx_buf_str(&buf));
    mfx_buf_fini(&buf);
    return v;
}

enum mta_verdict
mta_eoh(struct mta *t)
{
    return event(t, SMFIC_EOH, mfx_str_of(""));
}

enum mta_verdict
mta_body(struct mta *t, struct mfx_str chunk)
{
    return event(t, SMFIC_BODY, chunk);
}

enum mta_verdict
mta_eom(struct mta *t)
{
    return event(t, SMFIC_BODYEOB, mfx_str_of(""));
}

enum mta_verdict
mta_unknown(struct mta *t, const char *line)
{
    return event_text(t, SMFIC_UNKNOWN, line);
}

void
mta_abort(struct mta *t)
{
    t->skipped = 0;
    mta_raw(t, SMFIC_ABORT, mfx_str_of(""), false);
}

void
mta_quit(struct mta *t)
{
    mta_raw(t, SMFIC_QUIT, mfx_str_of(""), false);
    mta_wire_flush(t->wire);
}

void
mta_quit_nc(struct mta *t)
{
    mta_raw(t, SMFIC_QUIT_NC, mfx_str_of(""), false);
    mta_wire_flush(t->wire);
}

/* --- whole messages --- */

static enum mta_verdict
send_body(struct mta *t, struct mfx_str body)
{
    enum mta_verdict v = MTA_CONTINUE;
    while (body.len != 0 && mta_goes_on(v)) {
        v = mta_body(t, mfx_str_head(body, MILTER_CHUNK_SIZE));
        body = mfx_str_from(body, MILTER_CHUNK_SIZE);
    }
    return v;
}

enum mta_verdict
mta_send_content(struct mta *t, const struct mta_message *m, char *ended)
{
    char dummy;
    enum mta_verdict v = MTA_CONTINUE;
    if (ended == NULL)
        ended = &dummy;
    *ended = SMFIC_HEADER;
    /* The first is the MTA's own. */
    for (const struct mta_field *f = m->fields->next; f && mta_goes_on(v);
         f = f->next)
        v = mta_header(t, f->name, f->value);
    if (!mta_goes_on(v))
        return v;
    *ended = SMFIC_EOH;
    v = mta_eoh(t);
    if (!mta_goes_on(v))
        return v;
    *ended = SMFIC_BODY;
    if (m->has_body)
        v = send_body(t, m->body);
    if (!mta_goes_on(v))
        return v;
    *ended = SMFIC_BODYEOB;
    return mta_eom(t);
}

void
mta_apply_edits(const struct mta *t, struct mta_message *m)
{
    bool is_lead_space = (t->steps & SMFIP_HDR_LEADSPC) != 0;
    for (const struct mta_edit *e = t->reply.edits; e != NULL; e = e->next)
        mta_message_edit(m, t->options.kind, e, is_lead_space);
}

void
mta_end_message(struct mta *t)
{
    learn_text(t, "i", NULL);
    if (t->options.kind == MTA_POSTFIX)
        mta_abort(t);
}
