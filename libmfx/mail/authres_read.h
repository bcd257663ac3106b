/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authres_read - Authentication-Results piece by piece (private)
 *
 *     struct authres_reader r = {.in = value, .is_whole = true};
 *     authres_read_head(&r, &id);
 *     while (authres_read_item(&r, &item)) ...
 *
 * Spans borrow from the input and are raw: values may hold quotes. What cannot
 * be read is stepped over up to the next ";" and clears is_whole.
 */
#ifndef MFX_MAIL_AUTHRES_READ_H
#define MFX_MAIL_AUTHRES_READ_H

#include <mfx/base/str.h>

struct authres_reader {
    struct mfx_str in;
    size_t at;
    bool is_in_result; /* behind "method=result" */
    bool has_none, has_result;
    bool is_whole;
};

enum authres_item_kind {
    AUTHRES_ITEM_NONE,     /* "none": name only */
    AUTHRES_ITEM_RESULT,   /* name=value */
    AUTHRES_ITEM_REASON,   /* reason=value */
    AUTHRES_ITEM_PROPERTY, /* type.name=value */
};

struct authres_item {
    enum authres_item_kind kind;
    struct mfx_str type, name, value;
};

/* The authserv-id (raw); empty when it is missing. */
void authres_read_head(struct authres_reader *r, struct mfx_str *id);
bool authres_read_item(struct authres_reader *r, struct authres_item *item);

#endif
