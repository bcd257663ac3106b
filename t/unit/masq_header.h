/* SPDX-License-Identifier: BSD-2-Clause
 *
 * masq_header - headers from texts and back, for the tests of mfx-masq
 */
#ifndef MFX_T_MASQ_HEADER_H
#define MFX_T_MASQ_HEADER_H

#include "../../milters/masq/fields.h"
#include "unit.h"

/* "From: a@x\nTo: b@y\n" */
static inline void
masq_header_read(struct masq_fields *fields, struct mfx_headers *headers,
                 struct mfx_arena *arena, const char *text)
{
    struct mfx_str body;
    *headers = (struct mfx_headers){0};
    assert_int_equal(mfx_message_split(mfx_str_of(text), arena, headers, &body),
                     MFX_OK);
    assert_int_equal(body.len, 0);
    masq_fields_init(fields, headers, arena);
}

/* As they stand now: those that were added behind the others. */
static inline struct mfx_str
masq_header_text(const struct masq_fields *fields)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, fields->arena, 1024 * 1024);
    for (const struct masq_field *f = fields->first; f != NULL; f = f->next)
        if (!f->is_removed)
            mfx_buf_printf(&out, "%.*s:%.*s\n", MFX_STR_ARG(f->name),
                           MFX_STR_ARG(f->value));
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

#endif
