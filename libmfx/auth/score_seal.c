/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/score_seal.h>

#include <inttypes.h>

#include <mfx/auth/crypto.h>
#include <mfx/auth/dkim_tag.h>
#include <mfx/base/base64.h>
#include <mfx/base/decimal.h>
#include <mfx/mail/field_write.h>

#include <openssl/crypto.h>

enum {
    SHA256_LEN = MFX_DKIM_SHA256,
    SHA256_BLOCK = 64,
    MAC_DIGITS = 44,
    KEY_BYTES = 6,
    KEY_DIGITS = 8,
    MESSAGE_BYTES = 18, /* of the digest: as good as all, and no padding */
    MESSAGE_DIGITS = 24,
    NUMBER_MAX = 24,
    TEXT_MAX = 4096, /* of all that is signed */
};

/* The largest that is written with nine digits before the point. */
static const int64_t score_max = INT64_C(999999999999);

/* In the order in which they are signed. */
enum tag {
    TAG_VERSION,
    TAG_KEY,
    TAG_TIME,
    TAG_ID,
    TAG_SCORE,
    TAG_ACTION,
    TAG_ENGINES,
    TAG_MESSAGE,
    TAG_SIGNED, /* how many these are */
    TAG_MAC = TAG_SIGNED,
    TAG_COUNT,
};
static const char *const tag_names[TAG_COUNT] = {
    "v", "k", "t", "i", "s", "a", "e", "m", "b",
};

/* Values without folding, as they are signed. */
struct tags {
    struct mfx_str value[TAG_COUNT];
};

const char *
mfx_score_seal_result_text(enum mfx_score_seal_result result)
{
    switch (result) {
    case MFX_SCORE_SEAL_GOOD:
        return "good";
    case MFX_SCORE_SEAL_NONE:
        return "no such field";
    case MFX_SCORE_SEAL_SEVERAL:
        return "more than one such field";
    case MFX_SCORE_SEAL_MALFORMED:
        return "malformed";
    case MFX_SCORE_SEAL_UNKNOWN_KEY:
        return "made with a secret that is not known";
    case MFX_SCORE_SEAL_FORGED:
        return "forged or changed";
    case MFX_SCORE_SEAL_OLD:
        return "too old";
    case MFX_SCORE_SEAL_FUTURE:
        return "made in the future";
    case MFX_SCORE_SEAL_OTHER_MESSAGE:
        return "made for another message";
    case MFX_SCORE_SEAL_UNAVAILABLE:
        return "cannot be verified now";
    }
    MFX_BUG("a result of a seal out of range");
}

/* --- HMAC-SHA-256 (RFC 2104) with the digests of crypto.h --- */

static bool
digest(EVP_MD_CTX *ctx, const unsigned char *block, const void *data,
       size_t len, unsigned char out[SHA256_LEN])
{
    if (block != NULL && EVP_DigestUpdate(ctx, block, SHA256_BLOCK) != 1)
        return false;
    return (len == 0 || EVP_DigestUpdate(ctx, data, len) == 1) &&
           mfx_crypto_sha256_result(ctx, out);
}

static void
xor_block(const unsigned char key[SHA256_BLOCK], unsigned char with,
          unsigned char out[SHA256_BLOCK])
{
    for (size_t i = 0; i < SHA256_BLOCK; i++)
        out[i] = key[i] ^ with;
}

static bool
hmac_with(EVP_MD_CTX *ctx, struct mfx_str secret, struct mfx_str text,
          unsigned char mac[SHA256_LEN])
{
    unsigned char key[SHA256_BLOCK] = {0}, block[SHA256_BLOCK];
    if (secret.len <= sizeof key)
        memcpy(key, secret.p, secret.len);
    else if (!digest(ctx, NULL, secret.p, secret.len, key))
        return false;
    xor_block(key, 0x36, block);
    bool ok = digest(ctx, block, text.p, text.len, mac);
    xor_block(key, 0x5c, block);
    ok = ok && digest(ctx, block, mac, SHA256_LEN, mac);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(block, sizeof block);
    return ok;
}

static bool
hmac(struct mfx_str secret, struct mfx_str text, unsigned char mac[SHA256_LEN])
{
    EVP_MD_CTX *ctx = mfx_crypto_sha256_take();
    bool ok = ctx != NULL && hmac_with(ctx, secret, text, mac);
    if (!ok)
        (void)mfx_crypto_failure();
    mfx_crypto_sha256_give(ctx);
    return ok;
}

/* A name for the secret that tells nothing of it. */
static bool
key_name(struct mfx_str secret, char name[KEY_DIGITS])
{
    static const struct mfx_str text = MFX_STR("mfx score seal key");
    unsigned char mac[SHA256_LEN];
    if (!hmac(secret, text, mac))
        return false;
    (void)mfx_base64_encode(mac, KEY_BYTES, name);
    return true;
}

/* What is signed: a line that says what it is, then NAME=VALUE of each tag.
 * No value holds a line end. */
static bool
sign(struct mfx_str secret, const struct tags *tags, struct mfx_arena *arena,
     char digits[MAC_DIGITS])
{
    unsigned char mac[SHA256_LEN];
    struct mfx_buf text;
    mfx_buf_init_arena(&text, arena, TEXT_MAX);
    mfx_buf_add_text(&text, "mfx score seal\n");
    for (size_t i = 0; i < TAG_SIGNED; i++) {
        mfx_buf_add_text(&text, tag_names[i]);
        mfx_buf_add_byte(&text, '=');
        mfx_buf_add(&text, tags->value[i]);
        mfx_buf_add_byte(&text, '\n');
    }
    if (!mfx_buf_ok(&text) || !hmac(secret, mfx_buf_str(&text), mac))
        return false;
    (void)mfx_base64_encode(mac, sizeof mac, digits);
    return true;
}

/* Without white space, which no Message-ID needs and MTAs move. */
static bool
message_digest(struct mfx_str message_id, struct mfx_arena *arena,
               struct mfx_str *digits)
{
    unsigned char hash[SHA256_LEN];
    char *out = mfx_arena_alloc_bytes(arena, MESSAGE_DIGITS);
    struct mfx_str id = mfx_dkim_tags_squeeze(message_id, arena);
    *digits = mfx_str("", 0);
    if (message_id.len > 0 && id.p == NULL)
        return false;
    if (id.len == 0)
        return true;
    EVP_MD_CTX *ctx = mfx_crypto_sha256_take();
    bool ok =
        out != NULL && ctx != NULL && digest(ctx, NULL, id.p, id.len, hash);
    mfx_crypto_sha256_give(ctx);
    if (ok)
        *digits = mfx_str(out, mfx_base64_encode(hash, MESSAGE_BYTES, out));
    return ok;
}

/* --- writing --- */

static bool
is_word_byte(char c)
{
    return mfx_ascii_is_alnum((unsigned char)c) || c == '-' || c == '_' ||
           c == '.';
}

static void
add_word(struct mfx_buf *out, struct mfx_str word, size_t max)
{
    word = mfx_str_head(word, max);
    for (size_t i = 0; i < word.len; i++)
        mfx_buf_add_byte(out, is_word_byte(word.p[i]) ? word.p[i] : '_');
}

static void
add_score(struct mfx_buf *out, int64_t score)
{
    if (score == MFX_DECIMAL_NONE) {
        mfx_buf_add_text(out, "none");
        return;
    }
    score = score > score_max ? score_max : score;
    mfx_decimal_format(score < -score_max ? -score_max : score, out);
}

static void
add_engines(struct mfx_buf *out, const struct mfx_score_seal *seal)
{
    mfx_buf_add_byte(out, '"');
    for (size_t i = 0; i < seal->engine_count && i < MFX_SCORE_SEAL_ENGINES_MAX;
         i++) {
        if (i > 0)
            mfx_buf_add_byte(out, ' ');
        if (seal->engines[i].name.len == 0)
            mfx_buf_add_byte(out, '_');
        add_word(out, seal->engines[i].name, MFX_SCORE_SEAL_NAME_MAX);
        mfx_buf_add_byte(out, '=');
        add_score(out, seal->engines[i].score);
    }
    mfx_buf_add_byte(out, '"');
}

static void
add_value(struct mfx_buf *out, enum tag tag, const struct mfx_score_seal *seal)
{
    switch (tag) {
    case TAG_VERSION:
        mfx_buf_add_byte(out, '1');
        break;
    case TAG_TIME:
        mfx_buf_printf(out, "%" PRIu64, seal->time_s);
        break;
    case TAG_ID:
        add_word(out, seal->queue_id, MFX_SCORE_SEAL_ID_MAX);
        break;
    case TAG_SCORE:
        add_score(out, seal->score);
        break;
    case TAG_ACTION:
        add_word(out, seal->action, MFX_SCORE_SEAL_ACTION_MAX);
        break;
    case TAG_ENGINES:
        add_engines(out, seal);
        break;
    case TAG_KEY:
    case TAG_MESSAGE:
    case TAG_MAC:
    case TAG_COUNT:
        break;
    }
}

static bool
make_tags(struct mfx_str secret, const struct mfx_score_seal *seal,
          struct mfx_str message_id, struct mfx_arena *arena, struct tags *tags)
{
    char *key = mfx_arena_alloc_bytes(arena, KEY_DIGITS);
    char *mac = mfx_arena_alloc_bytes(arena, MAC_DIGITS);
    for (enum tag tag = TAG_VERSION; tag < TAG_SIGNED; tag++) {
        struct mfx_buf value;
        mfx_buf_init_arena(&value, arena, TEXT_MAX);
        add_value(&value, tag, seal);
        if (!mfx_buf_ok(&value))
            return false;
        tags->value[tag] = mfx_buf_str(&value);
    }
    if (key == NULL || mac == NULL || !key_name(secret, key) ||
        !message_digest(message_id, arena, &tags->value[TAG_MESSAGE]))
        return false;
    tags->value[TAG_KEY] = mfx_str(key, KEY_DIGITS);
    tags->value[TAG_MAC] = mfx_str(mac, MAC_DIGITS);
    return sign(secret, tags, arena, mac);
}

/* Each word of the value is folded by itself. */
static void
add_tag(struct mfx_buf *out, size_t *column, const char *name,
        struct mfx_str value, bool is_last)
{
    struct mfx_field_piece piece;
    struct mfx_str word;
    bool is_first = true;
    do {
        if (!mfx_str_cut(&value, ' ', &word))
            word = mfx_str("", 0);
        piece.len = 0;
        if (is_first) {
            mfx_field_piece_add_text(&piece, name);
            mfx_field_piece_add_text(&piece, "=");
        }
        is_first = false;
        mfx_field_piece_add(&piece, word);
        if (value.p == NULL && !is_last)
            mfx_field_piece_add_text(&piece, ";");
        *column = mfx_field_add(out, *column, &piece, false);
    } while (value.p != NULL);
}

enum mfx_rc
mfx_score_seal_write(struct mfx_str secret, const struct mfx_score_seal *seal,
                     struct mfx_str message_id, size_t name_len,
                     struct mfx_arena *arena, struct mfx_str *value)
{
    struct tags tags = {0};
    struct mfx_buf out;
    size_t column = name_len + 1;
    if (secret.len == 0)
        return MFX_PERMFAIL;
    if (!make_tags(secret, seal, message_id, arena, &tags))
        return MFX_TEMPFAIL;
    mfx_buf_init_arena(&out, arena, 2 * TEXT_MAX);
    for (size_t i = 0; i < TAG_COUNT; i++)
        add_tag(&out, &column, tag_names[i], tags.value[i], i == TAG_MAC);
    *value = mfx_buf_str(&out);
    return mfx_buf_ok(&out) ? MFX_OK : MFX_TEMPFAIL;
}

/* --- reading --- */

static bool
is_word(struct mfx_str s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_word_byte(s.p[i]))
            return false;
    return s.len <= max;
}

static bool
read_score(struct mfx_str text, int64_t *score)
{
    *score = MFX_DECIMAL_NONE;
    return mfx_str_is(text, "none") || mfx_decimal_parse(text, score) == MFX_OK;
}

/* One blank for all white space between two words. */
static struct mfx_str
join_words(struct mfx_str text, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, text.len + 1);
    struct mfx_str word;
    size_t len = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    while (mfx_str_word(&text, " \t\r\n", &word)) {
        if (len > 0)
            out[len++] = ' ';
        memcpy(out + len, word.p, word.len);
        len += word.len;
    }
    return mfx_str(out, len);
}

static enum mfx_score_seal_result
read_tags(struct mfx_str field, struct mfx_arena *arena, struct tags *tags)
{
    struct mfx_dkim_tags *all = mfx_arena_alloc(arena, sizeof *all);
    if (all == NULL)
        return MFX_SCORE_SEAL_UNAVAILABLE;
    if (!mfx_dkim_tags_parse(field, all) || all->count != TAG_COUNT)
        return MFX_SCORE_SEAL_MALFORMED;
    for (size_t i = 0; i < TAG_COUNT; i++) {
        const struct mfx_dkim_tag *tag = mfx_dkim_tags_find(all, tag_names[i]);
        if (tag == NULL)
            return MFX_SCORE_SEAL_MALFORMED;
        tags->value[i] = i == TAG_ENGINES
                             ? join_words(tag->value, arena)
                             : mfx_dkim_tags_squeeze(tag->value, arena);
        if (!mfx_arena_ok(arena))
            return MFX_SCORE_SEAL_UNAVAILABLE;
    }
    return MFX_SCORE_SEAL_GOOD;
}

static bool
read_engine(struct mfx_str word, struct mfx_score_seal_engine *engine)
{
    size_t equals = mfx_str_find(word, '=');
    engine->name = mfx_str_head(word, equals);
    return equals < word.len && engine->name.len > 0 &&
           is_word(engine->name, MFX_SCORE_SEAL_NAME_MAX) &&
           read_score(mfx_str_from(word, equals + 1), &engine->score);
}

static enum mfx_score_seal_result
read_engines(struct mfx_str text, struct mfx_arena *arena,
             struct mfx_score_seal *seal)
{
    struct mfx_str word;
    struct mfx_score_seal_engine *engines = mfx_arena_alloc_array(
        arena, MFX_SCORE_SEAL_ENGINES_MAX, sizeof *engines);
    seal->engines = engines;
    seal->engine_count = 0;
    if (engines == NULL)
        return MFX_SCORE_SEAL_UNAVAILABLE;
    if (text.len < 2 || text.p[0] != '"' || text.p[text.len - 1] != '"')
        return MFX_SCORE_SEAL_MALFORMED;
    text = mfx_str(text.p + 1, text.len - 2);
    while (mfx_str_word(&text, " ", &word))
        if (seal->engine_count == MFX_SCORE_SEAL_ENGINES_MAX ||
            !read_engine(word, &engines[seal->engine_count++]))
            return MFX_SCORE_SEAL_MALFORMED;
    return MFX_SCORE_SEAL_GOOD;
}

static enum mfx_score_seal_result
read_values(const struct tags *tags, struct mfx_arena *arena,
            struct mfx_score_seal *seal)
{
    const struct mfx_str *value = tags->value;
    size_t digest_len = value[TAG_MESSAGE].len;
    seal->queue_id = value[TAG_ID];
    seal->action = value[TAG_ACTION];
    if (!mfx_str_is(value[TAG_VERSION], "1") ||
        !is_word(seal->queue_id, MFX_SCORE_SEAL_ID_MAX) ||
        !is_word(seal->action, MFX_SCORE_SEAL_ACTION_MAX) ||
        value[TAG_KEY].len != KEY_DIGITS || value[TAG_MAC].len != MAC_DIGITS ||
        (digest_len != 0 && digest_len != MESSAGE_DIGITS) ||
        value[TAG_TIME].len > NUMBER_MAX ||
        mfx_str_to_u64(value[TAG_TIME], UINT64_MAX, &seal->time_s) != MFX_OK ||
        !read_score(value[TAG_SCORE], &seal->score))
        return MFX_SCORE_SEAL_MALFORMED;
    return read_engines(value[TAG_ENGINES], arena, seal);
}

/* --- verifying --- */

/* In a time that tells nothing of the right MAC. */
static enum mfx_score_seal_result
check_mac(const struct mfx_score_seal_rules *rules, const struct tags *tags,
          struct mfx_arena *arena)
{
    bool is_known = false, is_right = false;
    for (size_t i = 0; i < rules->secret_count; i++) {
        char key[KEY_DIGITS], mac[MAC_DIGITS];
        if (rules->secrets[i].len == 0)
            continue;
        if (!key_name(rules->secrets[i], key))
            return MFX_SCORE_SEAL_UNAVAILABLE;
        if (CRYPTO_memcmp(key, tags->value[TAG_KEY].p, sizeof key) != 0)
            continue;
        is_known = true;
        if (!sign(rules->secrets[i], tags, arena, mac))
            return MFX_SCORE_SEAL_UNAVAILABLE;
        is_right |= CRYPTO_memcmp(mac, tags->value[TAG_MAC].p, sizeof mac) == 0;
    }
    return is_right   ? MFX_SCORE_SEAL_GOOD
           : is_known ? MFX_SCORE_SEAL_FORGED
                      : MFX_SCORE_SEAL_UNKNOWN_KEY;
}

/* "<202411211600.4AL0xyz012345@host>": what Sendmail gives a message that had
 * none when its filters saw it. */
static bool
holds_queue_id(struct mfx_str message_id, struct mfx_str queue_id)
{
    size_t at = mfx_str_find(message_id, '@');
    return queue_id.len > 0 && at < message_id.len && at > queue_id.len &&
           message_id.p[at - queue_id.len - 1] == '.' &&
           mfx_str_eq(mfx_str(message_id.p + at - queue_id.len, queue_id.len),
                      queue_id);
}

static enum mfx_score_seal_result
check_message(struct mfx_str digits, struct mfx_str queue_id,
              const struct mfx_headers *headers, struct mfx_arena *arena)
{
    static const struct mfx_str name = MFX_STR("Message-ID");
    const struct mfx_header *h = mfx_headers_first(headers, name);
    struct mfx_str id = h == NULL ? mfx_str("", 0) : h->value, here;
    if (!message_digest(id, arena, &here))
        return MFX_SCORE_SEAL_UNAVAILABLE;
    if (mfx_str_eq(digits, here) ||
        (digits.len == 0 && holds_queue_id(id, queue_id)))
        return MFX_SCORE_SEAL_GOOD;
    return MFX_SCORE_SEAL_OTHER_MESSAGE;
}

static enum mfx_score_seal_result
check_time(uint64_t time_s, uint64_t now_s, uint64_t max_age_s)
{
    if (time_s > now_s && time_s - now_s > MFX_SCORE_SEAL_SKEW_S)
        return MFX_SCORE_SEAL_FUTURE;
    if (max_age_s > 0 && now_s > time_s && now_s - time_s > max_age_s)
        return MFX_SCORE_SEAL_OLD;
    return MFX_SCORE_SEAL_GOOD;
}

enum mfx_score_seal_result
mfx_score_seal_read(const struct mfx_score_seal_rules *rules,
                    struct mfx_str name, const struct mfx_headers *headers,
                    uint64_t now_s, struct mfx_arena *arena,
                    struct mfx_score_seal *seal)
{
    const struct mfx_header *field = mfx_headers_first(headers, name);
    struct mfx_score_seal read = {0};
    struct tags tags = {0};
    if (field == NULL)
        return MFX_SCORE_SEAL_NONE;
    if (field->same_next != NULL)
        return MFX_SCORE_SEAL_SEVERAL;
    if (field->value.len > TEXT_MAX)
        return MFX_SCORE_SEAL_MALFORMED;
    enum mfx_score_seal_result result = read_tags(field->value, arena, &tags);
    if (result == MFX_SCORE_SEAL_GOOD)
        result = read_values(&tags, arena, &read);
    if (result == MFX_SCORE_SEAL_GOOD)
        result = check_mac(rules, &tags, arena);
    if (result != MFX_SCORE_SEAL_GOOD)
        return result;
    *seal = read;
    result =
        check_message(tags.value[TAG_MESSAGE], read.queue_id, headers, arena);
    return result == MFX_SCORE_SEAL_GOOD
               ? check_time(read.time_s, now_s, rules->max_age_s)
               : result;
}
