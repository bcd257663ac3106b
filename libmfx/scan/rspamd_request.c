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

/* "NAME: VALUE", as one line whatever they hold. */
static void
append(struct list *list, const struct mfx_str *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    struct curl_slist *item = mfx_arena_alloc(list->arena, sizeof *item);
    char *to = mfx_arena_alloc_bytes(list->arena, len + 1);
    if (item == NULL || to == NULL)
        return;
    item->data = to;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].len; k++)
            *to++ = is_control(parts[i].p[k]) ? '?' : parts[i].p[k];
    *to = '\0';
    *list->end = item;
    list->end = &item->next;
}

/* One that has no value is not said at all. */
static void
add(struct list *list, const char *name, struct mfx_str value)
{
    const struct mfx_str parts[] = {mfx_str_of(name), mfx_str(": ", 2), value};
    if (value.len > 0)
        append(list, parts, 3);
}

static void
add_fixed(struct list *list, const char *line)
{
    struct mfx_str text = mfx_str_of(line);
    append(list, &text, 1);
}

/* --- the envelope --- */

static void
add_address(struct list *list, const char *name, struct mfx_str address)
{
    const struct mfx_str parts[] = {mfx_str_of(name), mfx_str(": <", 3),
                                    address, mfx_str(">", 1)};
    append(list, parts, 4);
}

/* "NOTIFY=NEVER SMTPUTF8" as "NOTIFY=NEVER", "SMTPUTF8=". prefix: "0:" ... */
static void
add_args(struct list *list, const char *name, struct mfx_str prefix,
         struct mfx_str args)
{
    struct mfx_str word;
    while (mfx_str_word(&args, " \t", &word)) {
        bool has_value = mfx_str_has(word, '=');
        const struct mfx_str parts[] = {mfx_str_of(name), mfx_str(": ", 2),
                                        prefix, word,
                                        mfx_str("=", has_value ? 0 : 1)};
        append(list, parts, 5);
    }
}

static void
add_recipients(struct list *list, const struct mfx_scan_envelope *e)
{
    for (size_t i = 0; i < e->recipient_count; i++)
        add_address(list, "Rcpt", e->recipients[i].address);
    for (size_t i = 0; i < e->recipient_count; i++)
        if (e->recipients[i].args.len > 0)
            add_args(list, "X-Rspamd-Rcpt-Esmtp-Args",
                     mfx_arena_printf(list->arena, "%zu:", i),
                     e->recipients[i].args);
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
    add_args(list, "X-Rspamd-Mail-Esmtp-Args", mfx_str("", 0), e->sender_args);
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
