/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is a header section with a seal; and, cut at bytes 0xFE, it is what
 * is sealed: that is safe to write, is read again, and is the same when
 * written once more. What is read and believed could have been written by us.
 */
#include <mfx/auth/score_seal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    NOW = 1732204800,
};

static const struct mfx_str secret = MFX_STR("tops3cr3t");
static const struct mfx_str name = MFX_STR("X-Mfx-Score");

static void
check(bool holds, const char *what)
{
    if (!holds)
        MFX_BUG(what);
}

static enum mfx_score_seal_result
read_one(const struct mfx_headers *headers, struct mfx_arena *arena,
         struct mfx_score_seal *seal)
{
    const struct mfx_score_seal_rules rules = {&secret, 1, 1000};
    return mfx_score_seal_read(&rules, name, headers, NOW, arena, seal);
}

/* Sealed, read, and sealed again. */
static void
check_written(const struct mfx_score_seal *seal, struct mfx_str message_id,
              struct mfx_arena *arena)
{
    static const struct mfx_str id_name = MFX_STR("Message-ID");
    struct mfx_headers headers = {0};
    struct mfx_score_seal got = {0};
    struct mfx_str value, again, line, rest;
    check(mfx_score_seal_write(secret, seal, message_id, name.len, arena,
                               &value) == MFX_OK,
          "cannot write");
    check(mfx_header_value_is_safe(value), "not safe");
    for (rest = value; mfx_str_cut(&rest, '\n', &line);)
        check(line.len < 200, "a long line");
    (void)mfx_headers_add(&headers, arena, id_name, message_id);
    (void)mfx_headers_add(&headers, arena, name, value);
    enum mfx_score_seal_result result = read_one(&headers, arena, &got);
    bool is_timely = seal->time_s <= NOW + MFX_SCORE_SEAL_SKEW_S &&
                     seal->time_s + 1000 >= NOW;
    check(result == (seal->time_s > NOW + MFX_SCORE_SEAL_SKEW_S
                         ? MFX_SCORE_SEAL_FUTURE
                     : is_timely ? MFX_SCORE_SEAL_GOOD
                                 : MFX_SCORE_SEAL_OLD),
          "does not come back");
    check(mfx_score_seal_write(secret, &got, message_id, name.len, arena,
                               &again) == MFX_OK &&
              mfx_str_eq(value, again),
          "comes back as another");
    mfx_headers_fini(&headers);
}

static struct mfx_str
next_value(struct mfx_str *rest)
{
    struct mfx_str value = {0};
    (void)mfx_str_cut(rest, (char)0xFE, &value);
    return value;
}

static uint64_t
number(struct mfx_str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len && i < 8; i++)
        n = n << 8 | (unsigned char)s.p[i];
    return n;
}

static void
check_sealed(struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_score_seal_engine engines[20];
    struct mfx_score_seal seal = {.engines = engines};
    struct mfx_str message_id = next_value(&in);
    seal.time_s = NOW + number(next_value(&in)) - 1000;
    seal.queue_id = next_value(&in);
    seal.score = (int64_t)number(next_value(&in));
    seal.action = next_value(&in);
    while (in.p != NULL && seal.engine_count < 20) {
        struct mfx_score_seal_engine *e = &engines[seal.engine_count++];
        e->name = next_value(&in);
        e->score = (int64_t)number(next_value(&in));
    }
    check_written(&seal, message_id, arena);
}

static void
check_read(struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_headers headers = {0};
    struct mfx_score_seal seal = {0};
    struct mfx_str body;
    if (mfx_message_split(in, arena, &headers, &body) != MFX_OK)
        return;
    enum mfx_score_seal_result result = read_one(&headers, arena, &seal);
    check(mfx_score_seal_result_text(result) != NULL, "no words");
    check((result == MFX_SCORE_SEAL_NONE) ==
              (mfx_headers_count(&headers, name) == 0),
          "none");
    if (result == MFX_SCORE_SEAL_GOOD)
        check_written(&seal, mfx_str("", 0), arena);
    mfx_headers_fini(&headers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str in = mfx_str((const char *)data, size);
    struct mfx_arena *arena = mfx_arena_new(0);
    if (arena == NULL)
        return 0;
    check_read(in, arena);
    check_sealed(in, arena);
    mfx_arena_free(arena);
    return 0;
}
