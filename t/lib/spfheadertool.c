/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads records of ten texts, each ended by NUL: result, identity, client
 * address, HELO name, sender, receiver, mechanism, problem, local part and
 * domain. Writes for each the Received-SPF and the Authentication-Results
 * value, each ended by NUL. With an argument: eai.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mfx/auth/spf_header.h>

enum {
    TEXTS = 10,
    INPUT_MAX = 16 * 1024 * 1024,
};

static void
put(struct mfx_str value)
{
    (void)fwrite(value.p, 1, value.len, stdout);
    (void)putchar('\0');
}

static bool
write_both(const struct mfx_str *t, bool eai, struct mfx_arena *arena)
{
    struct mfx_spf_outcome outcome = {
        .identity = mfx_str_is(t[1], "helo") ? MFX_SPF_HELO : MFX_SPF_MAIL_FROM,
        .mechanism = t[6],
        .problem = t[7],
        .local = t[8],
        .domain = t[9],
    };
    struct mfx_spf_header h = {
        .outcome = &outcome,
        .helo = t[3],
        .sender = t[4],
        .receiver = t[5],
        .eai = eai,
    };
    struct mfx_authres_writer w;
    struct mfx_str value;
    struct mfx_buf out;
    if (mfx_spf_result_parse(t[0], &outcome.result) != MFX_OK ||
        mfx_ip_parse(t[2], &h.client_ip) != MFX_OK ||
        mfx_spf_header_received(&h, arena, &value) != MFX_OK)
        return false;
    put(value);
    mfx_buf_init_arena(&out, arena, 64 * 1024);
    mfx_authres_begin(&w, &out, h.receiver, eai);
    mfx_spf_header_result(&w, &h);
    mfx_authres_end(&w);
    put(mfx_buf_str(&out));
    return mfx_buf_ok(&out);
}

int
main(int argc, char **argv)
{
    (void)argv;
    struct mfx_arena *arena = mfx_arena_new(0);
    char *input = malloc(INPUT_MAX);
    if (arena == NULL || input == NULL)
        return 1;
    struct mfx_str rest = {input, fread(input, 1, INPUT_MAX, stdin)};
    struct mfx_str texts[TEXTS];
    size_t n = 0;
    bool ok = true;
    while (ok && rest.len > 0 && mfx_str_cut(&rest, '\0', &texts[n]))
        if (++n == TEXTS) {
            ok = write_both(texts, argc > 1, arena);
            mfx_arena_reset(arena);
            n = 0;
        }
    mfx_arena_free(arena);
    free(input);
    return ok && n == 0 ? 0 : 1;
}
