/* SPDX-License-Identifier: BSD-2-Clause */
#include "record_text.h"

#include <inttypes.h>

#include <mfx/mail/address.h>

enum mfx_rc
dkim_record_name(struct mfx_str domain, struct mfx_str selector,
                 struct mfx_arena *arena, struct mfx_str *name)
{
    struct mfx_str whole =
        mfx_arena_printf(arena, "%.*s._domainkey.%.*s", MFX_STR_ARG(selector),
                         MFX_STR_ARG(domain));
    if (whole.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_domain_to_ascii(whole, arena, name);
    if (rc == MFX_OK && !mfx_domain_is_valid(*name, false))
        rc = MFX_PERMFAIL;
    return rc;
}

bool
dkim_record_string(struct mfx_str *rest, struct mfx_str *string)
{
    *string = mfx_str_head(*rest, DKIM_RECORD_STRING_MAX);
    *rest = mfx_str_from(*rest, DKIM_RECORD_STRING_MAX);
    return string->len > 0;
}

/* RFC 1035 5.1: a quote and a backslash need a backslash before them. */
static void
add_string(struct mfx_str string, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '"');
    for (size_t i = 0; i < string.len; i++) {
        if (string.p[i] == '"' || string.p[i] == '\\')
            mfx_buf_add_byte(out, '\\');
        mfx_buf_add_byte(out, string.p[i]);
    }
    mfx_buf_add_byte(out, '"');
}

static void
add_strings(struct mfx_str text, const char *between, struct mfx_buf *out)
{
    struct mfx_str rest = text, string;
    for (bool first = true; dkim_record_string(&rest, &string); first = false) {
        mfx_buf_add_text(out, first ? "" : between);
        add_string(string, out);
    }
}

static void
add_name(const struct dkim_record_text *record, struct mfx_buf *out)
{
    struct mfx_str name = record->name, origin = record->origin;
    if (origin.len == 0 || name.len <= origin.len ||
        !mfx_domain_is_within(name, origin))
        mfx_buf_printf(out, "%.*s.", MFX_STR_ARG(name));
    else
        mfx_buf_add(out, mfx_str_head(name, name.len - origin.len - 1));
}

void
dkim_record_zone_line(const struct dkim_record_text *record,
                      struct mfx_buf *out)
{
    bool is_long = record->text.len > DKIM_RECORD_STRING_MAX;
    add_name(record, out);
    mfx_buf_add_byte(out, '\t');
    if (record->ttl_s > 0)
        mfx_buf_printf(out, "%" PRIu32 "\t", record->ttl_s);
    mfx_buf_printf(out, "IN\tTXT\t%s", is_long ? "( " : "");
    add_strings(record->text, "\n\t", out);
    mfx_buf_add_text(out, is_long ? " )\n" : "\n");
}

void
dkim_record_nsupdate(const struct dkim_record_text *record, struct mfx_buf *out)
{
    mfx_buf_printf(out, "update delete %.*s. TXT\n", MFX_STR_ARG(record->name));
    mfx_buf_printf(out, "update add %.*s. %" PRIu32 " IN TXT ",
                   MFX_STR_ARG(record->name), record->ttl_s);
    add_strings(record->text, " ", out);
    mfx_buf_add_byte(out, '\n');
}

struct mfx_str
dkim_record_withdrawn(bool is_ed25519)
{
    return mfx_str_of(is_ed25519 ? "v=DKIM1; k=ed25519; p="
                                 : "v=DKIM1; k=rsa; p=");
}
