/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_reply.h>

#include <hiredis/read.h>
#include <stdlib.h>

#include <mfx/base/buf.h>

enum {
    HEADER_MAX = MFX_REDIS_LINE_MAX + 2,
    PLAIN_MAX = 2 * MFX_REDIS_REPLY_MAX, /* what one feed may become */
    REPLY_MEMORY = 64 << 20,
};

/* Where the translation is. */
enum place {
    IN_LINE,    /* a header, or a whole small item */
    IN_BULK,    /* as many bytes as were announced */
    IN_TAG,     /* of these the first four: "txt:" */
    IN_MESSAGE, /* of an error in bulk */
    IN_CRLF,    /* behind them */
};

struct mfx_redis_reader {
    redisReader *reader;
    struct mfx_arena *arena; /* of the reply that is being built */
    bool is_given;           /* the caller has the one that is there */
    struct mfx_buf plain;    /* the same in protocol 2 */
    enum place place;
    char line[HEADER_MAX];
    size_t line_len;
    size_t left;      /* of the bulk */
    size_t after_tag; /* octets of the text */
    uint64_t waiting; /* items until the reply is whole */
    uint64_t dropped; /* items until what is left out is whole */
    size_t size;      /* of the reply so far */
    bool is_broken;
};

/* --- objects in the arena --- */

static struct mfx_redis_reply *
add(const redisReadTask *task, enum mfx_redis_type type)
{
    struct mfx_redis_reader *r = task->privdata;
    struct mfx_redis_reply *reply;
    if (task->parent != NULL) {
        struct mfx_redis_reply *parent = task->parent->obj;
        reply = &parent->items[task->idx];
    } else {
        reply = mfx_arena_alloc(r->arena, sizeof *reply);
    }
    if (reply != NULL)
        *reply = (struct mfx_redis_reply){.type = type};
    return reply;
}

static void *
make_string(const redisReadTask *task, char *bytes, size_t len)
{
    struct mfx_redis_reader *r = task->privdata;
    enum mfx_redis_type type = task->type == REDIS_REPLY_ERROR ? MFX_REDIS_ERROR
                               : task->type == REDIS_REPLY_STATUS
                                   ? MFX_REDIS_STATUS
                                   : MFX_REDIS_STRING;
    struct mfx_redis_reply *reply = add(task, type);
    if (reply == NULL)
        return NULL;
    reply->text = mfx_arena_copy(r->arena, mfx_str(bytes, len));
    return reply->text.p == NULL ? NULL : reply;
}

static void *
make_array(const redisReadTask *task, int count)
{
    struct mfx_redis_reader *r = task->privdata;
    struct mfx_redis_reply *reply = add(task, MFX_REDIS_ARRAY);
    if (reply == NULL)
        return NULL;
    reply->count = count < 0 ? 0 : (size_t)count;
    reply->items =
        mfx_arena_alloc_array(r->arena, reply->count, sizeof *reply->items);
    return reply->items == NULL ? NULL : reply;
}

static void *
make_integer(const redisReadTask *task, long long number)
{
    struct mfx_redis_reply *reply = add(task, MFX_REDIS_INTEGER);
    if (reply != NULL)
        reply->number = number;
    return reply;
}

static void *
make_nil(const redisReadTask *task)
{
    return add(task, MFX_REDIS_NIL);
}

static void
leave(void *object)
{
    (void)object; /* the arena's */
}

/* hiredis does not write to it, but does not say so either. */
static redisReplyObjectFunctions *
functions(void)
{
    static const redisReplyObjectFunctions table = {
        .createString = make_string,
        .createArray = make_array,
        .createInteger = make_integer,
        .createNil = make_nil,
        .freeObject = leave,
    };
    union {
        const redisReplyObjectFunctions *in;
        redisReplyObjectFunctions *out;
    } shed = {.in = &table};
    return shed.out;
}

struct mfx_redis_reader *
mfx_redis_reader_new(void)
{
    struct mfx_redis_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    mfx_buf_init(&r->plain, PLAIN_MAX);
    r->arena = mfx_arena_new(REPLY_MEMORY);
    r->reader = redisReaderCreateWithFunctions(functions());
    if (r->reader != NULL && r->arena != NULL) {
        r->reader->privdata = r;
        return r;
    }
    mfx_redis_reader_free(r);
    return NULL;
}

void
mfx_redis_reader_free(struct mfx_redis_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->reader != NULL)
        redisReaderFree(reader->reader);
    mfx_arena_free(reader->arena);
    mfx_buf_fini(&reader->plain);
    free(reader);
}

/* --- from protocol 3 to 2 --- */

static enum mfx_rc
wrong(struct mfx_redis_reader *r, struct mfx_err *err, const char *why)
{
    r->is_broken = true;
    mfx_err_set(err, "not what a Redis answers: %s", why);
    return MFX_PERMFAIL;
}

static void
emit(struct mfx_redis_reader *r, const char *bytes, size_t len)
{
    if (r->dropped == 0)
        mfx_buf_add(&r->plain, mfx_str(bytes, len));
}

static void
emit_header(struct mfx_redis_reader *r, char type, uint64_t number)
{
    if (r->dropped == 0)
        mfx_buf_printf(&r->plain, "%c%llu\r\n", type,
                       (unsigned long long)number);
}

/* One item is whole. A push stands between replies, attributes before what
 * they are about: what is dropped counts for itself. */
static void
count_item(struct mfx_redis_reader *r)
{
    if (r->dropped > 0)
        r->dropped--;
    else if (r->waiting > 0)
        r->waiting--;
    if (r->waiting == 0 && r->dropped == 0)
        r->size = 0;
}

static void
begin_items(struct mfx_redis_reader *r, uint64_t count)
{
    emit_header(r, '*', count);
    if (r->dropped > 0)
        r->dropped += count;
    else
        r->waiting += count;
    count_item(r);
}

static void
emit_nil(struct mfx_redis_reader *r)
{
    emit(r, "$-1\r\n", 5);
    count_item(r);
}

static enum mfx_rc
take_count(struct mfx_redis_reader *r, char type, struct mfx_str digits,
           bool is_first, struct mfx_err *err)
{
    uint64_t count;
    if (mfx_str_is(digits, "-1") && type == '*') {
        emit_nil(r);
        return MFX_OK;
    }
    if (mfx_str_to_u64(digits, MFX_REDIS_ITEMS_MAX, &count) != MFX_OK)
        return wrong(r, err, "the number of items is none, or too large");
    if (type == '>' && !is_first)
        return wrong(r, err, "something is pushed within a reply");
    if (type == '>')
        r->waiting = 0; /* no reply has begun */
    if (type == '>' || type == '|')
        r->dropped += type == '|' ? count * 2 : count;
    else
        begin_items(r, type == '%' ? count * 2 : count);
    return MFX_OK;
}

static enum mfx_rc
take_length(struct mfx_redis_reader *r, char type, struct mfx_str digits,
            struct mfx_err *err)
{
    uint64_t len;
    if (mfx_str_is(digits, "-1") && type == '$') {
        emit_nil(r);
        return MFX_OK;
    }
    if (mfx_str_to_u64(digits, MFX_REDIS_STRING_MAX, &len) != MFX_OK ||
        (type == '=' && len < 4))
        return wrong(r, err, "a string's length is none, or too large");
    r->left = len;
    r->place = IN_BULK;
    if (type == '$') {
        emit_header(r, '$', len);
    } else if (type == '=') {
        emit_header(r, '$', len - 4);
        r->left = 4;
        r->after_tag = len - 4;
        r->place = IN_TAG;
    } else {
        emit(r, "-", 1);
        r->place = IN_MESSAGE;
    }
    return MFX_OK;
}

static bool
is_number(struct mfx_str digits)
{
    uint64_t value;
    if (digits.len > 0 && digits.p[0] == '-')
        digits = mfx_str_from(digits, 1);
    return mfx_str_to_u64(digits, INT64_MAX, &value) == MFX_OK;
}

/* An item of one line. */
static enum mfx_rc
take_small(struct mfx_redis_reader *r, char type, struct mfx_str text,
           struct mfx_err *err)
{
    if (type == '_') {
        emit_nil(r);
        return MFX_OK;
    }
    if (type == '#') {
        if (!mfx_str_is(text, "t") && !mfx_str_is(text, "f"))
            return wrong(r, err, "a boolean that is neither true nor false");
        emit(r, text.p[0] == 't' ? ":1" : ":0", 2);
    } else {
        bool is_word = type == ',' || type == '(';
        if (type == ':' && !is_number(text))
            return wrong(r, err, "a number that is none");
        emit(r, is_word ? "+" : &type, 1);
        emit(r, text.p, text.len);
    }
    emit(r, "\r\n", 2);
    count_item(r);
    return MFX_OK;
}

static enum mfx_rc
take_line(struct mfx_redis_reader *r, struct mfx_err *err)
{
    char type = r->line[0];
    struct mfx_str rest = mfx_str(r->line + 1, r->line_len - 1);
    bool is_first = r->waiting == 0 && r->dropped == 0;
    r->line_len = 0;
    if (is_first)
        r->waiting = 1;
    if (memchr("*~%|>", type, 5) != NULL)
        return take_count(r, type, rest, is_first, err);
    if (memchr("$=!", type, 3) != NULL)
        return take_length(r, type, rest, err);
    if (memchr("+-:_#,(", type, 7) != NULL)
        return take_small(r, type, rest, err);
    return wrong(r, err, "an unknown kind of item");
}

/* Takes bytes up to the end of a line. */
static enum mfx_rc
read_line(struct mfx_redis_reader *r, struct mfx_str *bytes,
          struct mfx_err *err)
{
    size_t len = mfx_str_find(*bytes, '\n');
    bool is_whole = len < bytes->len;
    if (r->line_len == 0 && bytes->p[0] != '\n' &&
        memchr("*~%|>$=!+-:_#,(", bytes->p[0], 15) == NULL)
        return wrong(r, err, "an unknown kind of item");
    if (len > sizeof r->line - r->line_len)
        return wrong(r, err, "a line is too long");
    memcpy(r->line + r->line_len, bytes->p, len);
    r->line_len += len;
    *bytes = mfx_str_from(*bytes, is_whole ? len + 1 : len);
    if (!is_whole)
        return MFX_OK;
    if (r->line_len < 2 || r->line[r->line_len - 1] != '\r')
        return wrong(r, err, "a line without its end");
    r->line_len--;
    return take_line(r, err);
}

static void
read_bulk(struct mfx_redis_reader *r, struct mfx_str *bytes)
{
    struct mfx_str some = mfx_str_head(*bytes, r->left);
    *bytes = mfx_str_from(*bytes, some.len);
    r->left -= some.len;
    if (r->place == IN_BULK)
        emit(r, some.p, some.len);
    /* hiredis ends an error at its first CR LF */
    for (size_t i = 0; r->place == IN_MESSAGE && i < some.len; i++)
        emit(r, some.p[i] == '\r' || some.p[i] == '\n' ? " " : some.p + i, 1);
    if (r->left > 0)
        return;
    bool is_tag = r->place == IN_TAG;
    r->left = is_tag ? r->after_tag : 2;
    r->place = is_tag ? IN_BULK : IN_CRLF;
}

static enum mfx_rc
read_crlf(struct mfx_redis_reader *r, struct mfx_str *bytes,
          struct mfx_err *err)
{
    if (bytes->p[0] != (r->left == 2 ? '\r' : '\n'))
        return wrong(r, err, "a string is longer than it said");
    *bytes = mfx_str_from(*bytes, 1);
    r->left--;
    if (r->left > 0)
        return MFX_OK;
    emit(r, "\r\n", 2);
    r->place = IN_LINE;
    count_item(r);
    return MFX_OK;
}

/* One step; at least one byte is there, unless a bulk is empty. */
static enum mfx_rc
step(struct mfx_redis_reader *r, struct mfx_str *bytes, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    size_t before = bytes->len;
    switch (r->place) {
    case IN_LINE:
        rc = read_line(r, bytes, err);
        break;
    case IN_BULK:
    case IN_TAG:
    case IN_MESSAGE:
        read_bulk(r, bytes);
        break;
    case IN_CRLF:
        rc = read_crlf(r, bytes, err);
        break;
    }
    if (r->waiting > 0 || r->dropped > 0 || r->place != IN_LINE)
        r->size += before - bytes->len;
    if (rc == MFX_OK &&
        (r->size > MFX_REDIS_REPLY_MAX || r->waiting > MFX_REDIS_REPLY_MAX))
        rc = wrong(r, err, "a reply is too large");
    return rc;
}

enum mfx_rc
mfx_redis_reader_feed(struct mfx_redis_reader *reader, struct mfx_str bytes,
                      struct mfx_err *err)
{
    enum mfx_rc rc = reader->is_broken ? MFX_PERMFAIL : MFX_OK;
    mfx_buf_clear(&reader->plain);
    while (rc == MFX_OK && bytes.len > 0)
        rc = step(reader, &bytes, err);
    if (rc != MFX_OK)
        return rc;
    if (mfx_buf_ok(&reader->plain) &&
        (reader->plain.len == 0 ||
         redisReaderFeed(reader->reader, reader->plain.p, reader->plain.len) ==
             REDIS_OK))
        return MFX_OK;
    reader->is_broken = true;
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

enum mfx_rc
mfx_redis_reader_next(struct mfx_redis_reader *reader,
                      const struct mfx_redis_reply **reply, struct mfx_err *err)
{
    void *object = NULL;
    if (reader->is_broken) {
        mfx_err_set(err, "not what a Redis answers");
        return MFX_PERMFAIL;
    }
    if (reader->is_given)
        mfx_arena_reset(reader->arena);
    reader->is_given = false;
    if (redisReaderGetReply(reader->reader, &object) != REDIS_OK) {
        reader->is_broken = true;
        bool is_memory = reader->reader->err == REDIS_ERR_OOM;
        mfx_err_set(
            err, is_memory ? "out of memory" : "not what a Redis answers: %s",
            reader->reader->errstr);
        return is_memory ? MFX_TEMPFAIL : MFX_PERMFAIL;
    }
    *reply = object;
    reader->is_given = object != NULL;
    return object == NULL ? MFX_NOTFOUND : MFX_OK;
}

/* --- looking at a reply --- */

const struct mfx_redis_reply *
mfx_redis_reply_item(const struct mfx_redis_reply *reply, size_t at)
{
    static const struct mfx_redis_reply nil = {.type = MFX_REDIS_NIL};
    return reply->type == MFX_REDIS_ARRAY && at < reply->count
               ? &reply->items[at]
               : &nil;
}

uint64_t
mfx_redis_reply_u64(const struct mfx_redis_reply *reply)
{
    uint64_t number = 0;
    if (reply->type == MFX_REDIS_INTEGER)
        return reply->number < 0 ? 0 : (uint64_t)reply->number;
    if ((reply->type == MFX_REDIS_STRING || reply->type == MFX_REDIS_STATUS) &&
        mfx_str_to_u64(reply->text, UINT64_MAX, &number) != MFX_OK)
        number = 0;
    return number;
}

bool
mfx_redis_reply_is_error(const struct mfx_redis_reply *reply, const char *word)
{
    struct mfx_str text = reply->text;
    size_t len = strlen(word);
    return reply->type == MFX_REDIS_ERROR &&
           mfx_str_eq(mfx_str_head(text, len), mfx_str(word, len)) &&
           (text.len == len || text.p[len] == ' ');
}
