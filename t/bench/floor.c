/* SPDX-License-Identifier: BSD-2-Clause
 *
 * floor - what libmilter alone costs
 *
 *     floor -s SOCKET [-n STEPS] [-m STAGE=NAMES]... [-e EDITS] [-H NAME]
 *           [-L BYTES] [-l BYTES] [-r KIND -R PORT [-x BYTES]]
 *
 * A filter that does nothing but what the measured filter makes libmilter do:
 * the same stages, flags and macros (STEPS, in decimal, and the macro lists as
 * `load --probe` prints them), EDITS inserted fields of the same length, and
 * one log line of the same length on stderr. The floor of a bench row is this
 * plus the row's raw cryptography. With -r it asks an engine, too: see
 * floor_request.h.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "floor_request.h"

enum {
    STAGES = 7,
    TEXT_MAX = 8000
};

/* Set before smfi_main, read by its threads. */
static struct {
    unsigned long steps;
    char *macros[STAGES];
    int edits;
    char *name;
    char value[TEXT_MAX], line[TEXT_MAX];
    size_t line_len;
} setup;

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
             unsigned long f3, unsigned long *actions, unsigned long *steps,
             unsigned long *pf2, unsigned long *pf3)
{
    (void)f2;
    (void)f3;
    *actions = f0 & (SMFIF_ADDHDRS | SMFIF_CHGHDRS);
    *steps = f1 & setup.steps;
    *pf2 = *pf3 = 0;
    for (int i = 0; i < STAGES; i++)
        if (setup.macros[i] != NULL)
            smfi_setsymlist(ctx, i, setup.macros[i]);
    return SMFIS_CONTINUE;
}

static sfsistat
answer(bool no_reply)
{
    return no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* The connection's; NULL where no engine is asked. */
static struct floor_message *
message(SMFICTX *ctx)
{
    struct floor_message *m = smfi_getpriv(ctx);
    if (m == NULL && floor_request_is_set()) {
        m = floor_message_new();
        smfi_setpriv(ctx, m);
    }
    return m;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)host;
    (void)address;
    return answer(setup.steps & SMFIP_NR_CONN);
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
    (void)ctx;
    (void)name;
    return answer(setup.steps & SMFIP_NR_HELO);
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
    struct floor_message *m = message(ctx);
    (void)args;
    if (m != NULL)
        floor_message_clear(m);
    return answer(setup.steps & SMFIP_NR_MAIL);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **args)
{
    (void)ctx;
    (void)args;
    return answer(setup.steps & SMFIP_NR_RCPT);
}

static sfsistat
on_data(SMFICTX *ctx)
{
    (void)ctx;
    return answer(setup.steps & SMFIP_NR_DATA);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
    struct floor_message *m = message(ctx);
    if (m != NULL)
        floor_message_add_field(m, name, value);
    return answer(setup.steps & SMFIP_NR_HDR);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
    struct floor_message *m = message(ctx);
    if (m != NULL)
        floor_message_add(m, "\r\n", 2);
    return answer(setup.steps & SMFIP_NR_EOH);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    struct floor_message *m = message(ctx);
    if (m != NULL)
        floor_message_add(m, bytes, len);
    return answer(setup.steps & SMFIP_NR_BODY);
}

static sfsistat
on_eom(SMFICTX *ctx)
{
    struct floor_message *m = message(ctx);
    if (m != NULL && !floor_request_send(m))
        return SMFIS_TEMPFAIL;
    for (int i = 0; i < setup.edits; i++)
        if (smfi_insheader(ctx, 0, setup.name, setup.value) != MI_SUCCESS)
            return SMFIS_TEMPFAIL;
    if (setup.line_len != 0 &&
        write(STDERR_FILENO, setup.line, setup.line_len) < 0)
        return SMFIS_TEMPFAIL;
    return SMFIS_CONTINUE;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
    floor_message_free(smfi_getpriv(ctx));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

static size_t
fill(char *text, const char *length)
{
    size_t n = strtoul(length, NULL, 10);
    if (n >= TEXT_MAX)
        n = TEXT_MAX - 1;
    memset(text, 'x', n);
    for (size_t i = 70; i + 1 < n; i += 72) {
        text[i] = '\n';
        text[i + 1] = '\t';
    }
    text[n] = '\0';
    return n;
}

static void
take_macros(const char *text)
{
    char *end;
    unsigned long stage = strtoul(text, &end, 10);
    if (*end == '=' && stage < STAGES)
        setup.macros[stage] = strdup(end + 1);
}

static char *
read_options(int argc, char **argv)
{
    char *socket = NULL;
    const char *kind = NULL, *port = "0", *pad = "0";
    int option;
    while ((option = getopt(argc, argv, "s:n:m:e:H:L:l:r:R:x:")) != -1) {
        if (option == 's')
            socket = optarg;
        else if (option == 'n')
            setup.steps = strtoul(optarg, NULL, 10);
        else if (option == 'm')
            take_macros(optarg);
        else if (option == 'e')
            setup.edits = (int)strtol(optarg, NULL, 10);
        else if (option == 'H')
            setup.name = optarg;
        else if (option == 'L')
            fill(setup.value, optarg);
        else if (option == 'l')
            setup.line_len = fill(setup.line, optarg);
        else if (option == 'r')
            kind = optarg;
        else if (option == 'R')
            port = optarg;
        else if (option == 'x')
            pad = optarg;
    }
    for (size_t i = 0; i < setup.line_len; i++)
        setup.line[i] = 'x';
    if (setup.line_len != 0)
        setup.line[setup.line_len - 1] = '\n';
    if (kind != NULL && !floor_request_setup(kind, port, pad))
        return NULL;
    return socket;
}

int
main(int argc, char **argv)
{
    struct smfiDesc filter = {
        .xxfi_name = (char *)"floor",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };
    setup.name = (char *)"X-Floor";
    char *socket = read_options(argc, argv);
    if (socket == NULL || smfi_register(filter) != MI_SUCCESS ||
        smfi_setconn(socket) != MI_SUCCESS ||
        smfi_opensocket(true) != MI_SUCCESS)
        return 64;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
