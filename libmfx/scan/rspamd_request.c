/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_request.h>

struct list {
    struct mfx_arena *arena;
    struct curl_slist *first, **end;
};

static bool
is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

bool
mfx_rspamd_is_value(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.p[i]))
            return false;
    return true;
}

/* --- the list --- */

static void
append(struct list *list, struct mfx_str line)
{
    struct curl_slist *item = mfx_arena_alloc(list->arena, sizeof *item);
    if (item == NULL || line.p == NULL)
        return;
    char *text = (char *)(uintptr_t)line.p; /* a copy of our own */
    for (size_t i = 0; i < line.len; i++)
        if (is_control(text[i]))
            text[i] = '?';
    item->data = text;
    *list->end = item;
    list->end = &item->next;
}

/* One that has no value is not said at all. */
static void
add(struct list *list, const char *name, struct mfx_str value)
{
    if (value.len > 0)
        append(list, mfx_arena_printf(list->arena, "%s: %.*s", name,
                                      MFX_STR_ARG(value)));
}

static void
add_fixed(struct list *list, const char *line)
{
    append(list, mfx_arena_copy(list->arena, mfx_str_of(line)));
}

/* --- the envelope --- */

static void
add_address(struct list *list, const char *name, struct mfx_str address)
{
    append(list, mfx_arena_printf(list->arena, "%s: <%.*s>", name,
                                  MFX_STR_ARG(address)));
}

/* "NOTIFY=NEVER SMTPUTF8" as "NOTIFY=NEVER", "SMTPUTF8=". prefix: "0:" ... */
static void
add_args(struct list *list, const char *name, const char *prefix,
         struct mfx_str args)
{
    struct mfx_str word;
    while (mfx_str_word(&args, " \t", &word))
        append(list, mfx_arena_printf(list->arena, "%s: %s%.*s%s", name, prefix,
                                      MFX_STR_ARG(word),
                                      mfx_str_has(word, '=') ? "" : "="));
}

static void
add_recipients(struct list *list, const struct mfx_scan_envelope *e)
{
    for (size_t i = 0; i < e->recipient_count; i++)
        add_address(list, "Rcpt", e->recipients[i].address);
    for (size_t i = 0; i < e->recipient_count; i++) {
        if (e->recipients[i].args.len == 0)
            continue;
        struct mfx_str prefix = mfx_arena_printf(list->arena, "%zu:", i);
        if (prefix.p != NULL)
            add_args(list, "X-Rspamd-Rcpt-Esmtp-Args", prefix.p,
                     e->recipients[i].args);
    }
}

static void
add_client(struct list *list, const struct mfx_scan_envelope *e)
{
    char text[MFX_IP_TEXT];
    if (e->client.family != MFX_IP_NONE)
        add(list, "IP", mfx_str_of(mfx_ip_format(&e->client, text)));
    if (!mfx_str_is_nocase(e->client_name, "unknown"))
        add(list, "Hostname", e->client_name);
    add(list, "Helo", e->helo);
    add(list, "User", e->login);
    add(list, "TLS-Cipher", e->tls_cipher);
    add(list, "TLS-Version", e->tls_version);
    add(list, "TLS-Cert-Issuer", e->tls_issuer);
}

static void
add_envelope(struct list *list, const struct mfx_scan_request *request)
{
    const struct mfx_scan_envelope *e = request->envelope;
    add_client(list, e);
    /* what is learned may come without an envelope */
    if (request->purpose == MFX_SCAN_CHECK || e->sender.len > 0)
        add_address(list, "From", e->sender);
    add_args(list, "X-Rspamd-Mail-Esmtp-Args", "", e->sender_args);
    add_recipients(list, e);
    add(list, "Deliver-To", request->user);
    add(list, "Settings-ID", request->settings_id);
    add(list, "Queue-ID", e->queue_id);
    add(list, "Log-Tag", e->queue_id);
    add(list, "MTA-Name", e->mta_name);
    add(list, "MTA-Tag", e->mta_tag);
}

/* --- all of it --- */

struct curl_slist *
mfx_rspamd_request_fixed(const struct mfx_rspamd_settings *settings,
                         struct mfx_arena *arena)
{
    struct list list = {.arena = arena, .end = &list.first};
    /* folded as milters do it, a rewritten body behind the JSON */
    add_fixed(&list, "Flags: milter,body_block,groups");
    add(&list, "Password", settings->password);
    add(&list, "Settings-ID", settings->settings_id);
    add(&list, "Settings", settings->settings);
    if (settings->wants_all_symbols)
        add_fixed(&list, "Pass: all");
    if (settings->is_unlogged)
        add_fixed(&list, "Log: no");
    if (settings->compresses) {
        add_fixed(&list, "Compression: zstd");
        add_fixed(&list, "Accept-Encoding: zstd");
    }
    /* what libcurl would say by itself */
    add_fixed(&list, "Accept:");
    add_fixed(&list, "Content-Type:");
    add_fixed(&list, "Expect:");
    return mfx_arena_ok(arena) ? list.first : NULL;
}

struct curl_slist *
mfx_rspamd_request_fields(const struct mfx_scan_request *request,
                          struct mfx_arena *arena, struct curl_slist *fixed)
{
    struct list list = {.arena = arena, .end = &list.first};
    if (request->envelope != NULL)
        add_envelope(&list, request);
    *list.end = fixed;
    return mfx_arena_ok(arena) ? list.first : NULL;
}
