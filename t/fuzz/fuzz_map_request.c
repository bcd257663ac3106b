/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client of the map server sends: the first byte says which protocol.
 * Requests are taken one by one; given byte by byte they are the same. */
#include "../../milters/masq/map_server_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds, const char *what)
{
    if (!holds)
        MFX_BUG(what);
}

/* A part of a request is never taken for more than the request. */
static void
check_parts(enum masq_map_form form, struct mfx_str bytes, size_t len,
            struct mfx_arena *arena)
{
    struct masq_map_request request;
    for (size_t i = 0; i < len; i++)
        check(masq_map_request_parse(form, mfx_str_head(bytes, i), arena,
                                     &request) == MASQ_MAP_MORE,
              "a request is whole too early");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    if (arena == NULL || size == 0) {
        mfx_arena_free(arena);
        return 0;
    }
    enum masq_map_form form =
        data[0] == 't' ? MASQ_MAP_TCP : MASQ_MAP_SOCKETMAP;
    struct mfx_str bytes = mfx_str((const char *)data + 1, size - 1);
    struct masq_map_request request;
    struct mfx_buf out;
    mfx_buf_init(&out, 100000);
    while (masq_map_request_parse(form, bytes, arena, &request) ==
           MASQ_MAP_REQUEST) {
        check(request.len > 0 && request.len <= bytes.len, "length");
        check(request.key.len < request.len, "key");
        if (request.len < 100)
            check_parts(form, bytes, request.len, arena);
        masq_map_reply_write(form, MFX_OK, request.key, &out);
        masq_map_reply_write(form, MFX_NOTFOUND, request.key, &out);
        check(form != MASQ_MAP_TCP || !mfx_buf_ok(&out) ||
                  out.p[out.len - 1] == '\n',
              "no end of a reply");
        mfx_buf_clear(&out);
        bytes = mfx_str_from(bytes, request.len);
        mfx_arena_reset(arena);
    }
    mfx_buf_fini(&out);
    mfx_arena_free(arena);
    return 0;
}
