/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/spamd_trace.h>

#include <time.h>

enum {
    WORD_MAX = 255,
    PATH_MAX_LEN = 320,
};

/* One word: nothing that parts words, opens comments or ends the field. */
static void
add_word(struct mfx_buf *out, struct mfx_str text, const char *instead)
{
    if (text.len == 0)
        text = mfx_str_of(instead);
    text = mfx_str_head(text, WORD_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool is_plain = c > ' ' && c < 0x7f && c != '(' && c != ')' &&
                        c != '<' && c != '>' && c != '"' && c != '\\' &&
                        c != ';';
        mfx_buf_add_byte(out, is_plain ? c : '?');
    }
}

/* As a word, but brackets are the address's alone. */
static void
add_host(struct mfx_buf *out, struct mfx_str host, const char *instead)
{
    bool is_literal =
        host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';
    struct mfx_str text = is_literal ? mfx_str(host.p + 1, host.len - 2) : host;
    if (is_literal)
        mfx_buf_add_byte(out, '[');
    if (mfx_str_has(text, '[') || mfx_str_has(text, ']'))
        mfx_buf_add_byte(out, '?');
    else
        add_word(out, text, instead);
    if (is_literal)
        mfx_buf_add_byte(out, ']');
}

static void
add_sender(struct mfx_buf *out, struct mfx_str sender)
{
    mfx_buf_add_text(out, "Return-Path: <");
    sender = mfx_str_head(sender, PATH_MAX_LEN);
    for (size_t i = 0; i < sender.len; i++) {
        char c = sender.p[i];
        bool is_plain =
            (unsigned char)c >= ' ' && c != 0x7f && c != '<' && c != '>';
        mfx_buf_add_byte(out, is_plain ? c : '?');
    }
    mfx_buf_add_text(out, ">\r\n");
}

static void
add_client(struct mfx_buf *out, const struct mfx_scan_envelope *e)
{
    char ip[MFX_IP_TEXT];
    if (e->client.family == MFX_IP_NONE)
        return;
    mfx_buf_add_text(out, "from ");
    add_host(out, e->helo, "unknown");
    mfx_buf_add_text(out, " (");
    add_host(out, e->client_name, "unknown");
    mfx_buf_printf(out, " [%s%s]) ",
                   e->client.family == MFX_IP_V6 ? "IPv6:" : "",
                   mfx_ip_format(&e->client, ip));
}

static const char *
protocol_of(const struct mfx_scan_envelope *e)
{
    bool has_login = e->login.len > 0, has_tls = e->tls_version.len > 0;
    return has_login && has_tls ? "ESMTPSA"
           : has_login          ? "ESMTPA"
           : has_tls            ? "ESMTPS"
                                : "ESMTP";
}

static void
add_date(struct mfx_buf *out, uint64_t wall_s)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)wall_s;
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL)
        memset(&tm, 0, sizeof tm);
    mfx_buf_printf(out, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour,
                   tm.tm_min, tm.tm_sec);
}

void
mfx_spamd_trace_write(struct mfx_buf *out,
                      const struct mfx_scan_envelope *envelope)
{
    const struct mfx_scan_envelope *e = envelope;
    add_sender(out, e->sender);
    mfx_buf_add_text(out, "Received: ");
    add_client(out, e);
    mfx_buf_add_text(out, "by ");
    add_host(out, e->mta_name, "localhost");
    mfx_buf_printf(out, " (Postfix) with %s id ", protocol_of(e));
    add_word(out, e->queue_id, "unknown");
    if (e->tls_version.len > 0) {
        mfx_buf_add_text(out, "\r\n\t(using ");
        add_word(out, e->tls_version, "");
        mfx_buf_add_text(out, " with cipher ");
        add_word(out, e->tls_cipher, "unknown");
        mfx_buf_add_text(out, ")");
    }
    mfx_buf_add_text(out, ";\r\n\t");
    add_date(out, e->arrived_s);
    mfx_buf_add_text(out, "\r\n");
}
