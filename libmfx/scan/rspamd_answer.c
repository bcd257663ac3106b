/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_answer.h>

#include <stdio.h>
#include <stdlib.h>

#include <mfx/scan/rspamd.h>
#include <mfx/scan/rspamd_pack.h>
#include <mfx/scan/rspamd_reply.h>
#include <mfx/scan/rspamd_request.h>

enum {
    UNPACK_ROOM = 64 * 1024, /* beyond what is allowed */
};

/* --- what comes --- */

static bool
is_field(struct mfx_str line, const char *name, struct mfx_str *value)
{
    struct mfx_str field;
    *value = line;
    if (!mfx_str_cut(value, ':', &field) || value->p == NULL ||
        !mfx_str_is_nocase(field, name))
        return false;
    *value = mfx_str_trim(*value);
    return true;
}

static void
clear(struct mfx_rspamd_answer *answer)
{
    answer->version[0] = '\0';
    answer->has_offset = answer->is_packed = answer->is_too_long = false;
    answer->offset = 0;
    mfx_buf_clear(&answer->in);
}

void
mfx_rspamd_answer_field(struct mfx_rspamd_answer *answer, struct mfx_str line)
{
    static const struct mfx_str http = MFX_STR("HTTP/");
    struct mfx_str value;
    if (mfx_str_starts(line, http)) {
        clear(answer); /* 100 Continue, and then another */
        answer->has_begun = true;
    } else if (is_field(line, "Server", &value)) {
        if (mfx_rspamd_is_value(value) && mfx_str_is_ascii(value))
            (void)snprintf(answer->version, sizeof answer->version, "%.*s",
                           MFX_STR_ARG(value));
    } else if (is_field(line, "Message-Offset", &value)) {
        answer->has_offset = true;
        if (mfx_str_to_u64(value, SIZE_MAX, &answer->offset) != MFX_OK)
            answer->offset = UINT64_MAX;
    } else if (is_field(line, "Compression", &value) ||
               is_field(line, "Content-Encoding", &value)) {
        answer->is_packed =
            answer->is_packed || mfx_str_is_nocase(value, "zstd");
    }
}

/* How long an answer may be. */
static size_t
room_for(const struct mfx_rspamd_answer *answer)
{
    size_t max = answer->max;
    if (answer->has_offset && answer->scan != NULL)
        max +=
            mfx_scan_body_len(answer->scan->request.body) + MFX_RSPAMD_GROWTH;
    return max;
}

bool
mfx_rspamd_answer_bytes(struct mfx_rspamd_answer *answer, struct mfx_str bytes)
{
    size_t room = room_for(answer);
    answer->is_too_long = answer->in.len + bytes.len > room;
    if (answer->is_too_long)
        return false;
    answer->in.max = room;
    mfx_buf_add(&answer->in, bytes);
    return mfx_buf_ok(&answer->in);
}

/* --- what it says --- */

/* The reply as it is meant; words: why not. */
static bool
unpack(struct mfx_rspamd_answer *answer, struct mfx_err *err)
{
    struct mfx_buf plain;
    size_t room = room_for(answer);
    if (!answer->is_packed)
        return true;
    mfx_buf_init(&plain, room + UNPACK_ROOM);
    enum mfx_rc rc = mfx_rspamd_unpack(mfx_buf_str(&answer->in), &plain, err);
    if (rc == MFX_OK && plain.len > room) {
        mfx_err_set(err, "the answer is too long");
        rc = MFX_PERMFAIL;
    }
    mfx_buf_fini(&answer->in);
    answer->in = plain;
    return rc == MFX_OK;
}

/* The bytes live on with the scan. */
static struct mfx_str
keep_bytes(struct mfx_rspamd_answer *answer)
{
    struct mfx_str bytes = mfx_buf_str(&answer->in);
    char *p = answer->in.p;
    mfx_buf_init(&answer->in, answer->max);
    if (p != NULL && !mfx_arena_defer(answer->scan->arena, free, p))
        return mfx_str("", 0);
    return bytes.p == NULL ? mfx_str("", 0) : bytes;
}

static enum mfx_scan_end
use_check(struct mfx_rspamd_answer *answer, struct mfx_err *err)
{
    struct mfx_scan *scan = answer->scan;
    struct mfx_str json = keep_bytes(answer);
    if (answer->has_offset) {
        if (answer->offset > json.len) {
            mfx_err_set(err, "Message-Offset is behind the end");
            return MFX_SCAN_BROKEN;
        }
        scan->result.has_body = true;
        scan->result.body = mfx_str_from(json, (size_t)answer->offset);
        json = mfx_str_head(json, (size_t)answer->offset);
    }
    if (json.len > answer->max) {
        mfx_err_set(err, "the answer is too long");
        return MFX_SCAN_BROKEN;
    }
    return mfx_rspamd_reply_use(json, scan->arena, &scan->result, err);
}

/* Whoever answers lives: a server in front may not know of /ping. */
static enum mfx_scan_end
use_greeting(const struct mfx_rspamd_answer *answer, long status,
             struct mfx_err *err)
{
    if (status >= 500)
        mfx_err_set(err, "HTTP %ld", status);
    else
        mfx_err_set(err, "%s", answer->version);
    return status >= 500 ? MFX_SCAN_REFUSED : MFX_SCAN_ANSWERED;
}

static enum mfx_scan_end
use_error(struct mfx_rspamd_answer *answer, long status, struct mfx_err *err)
{
    char words[120] = "";
    mfx_rspamd_reply_error(mfx_buf_str(&answer->in), words, sizeof words);
    mfx_err_set(err, "HTTP %ld%s%s", status, words[0] != '\0' ? " " : "",
                words);
    return status == 413                   ? MFX_SCAN_TOO_LARGE
           : status >= 400 && status < 600 ? MFX_SCAN_REFUSED
                                           : MFX_SCAN_BROKEN;
}

enum mfx_scan_end
mfx_rspamd_answer_use(struct mfx_rspamd_answer *answer, long status,
                      struct mfx_err *err)
{
    if (answer->scan == NULL)
        return use_greeting(answer, status, err);
    if (!unpack(answer, err))
        return MFX_SCAN_BROKEN;
    bool learns = answer->scan->request.purpose != MFX_SCAN_CHECK;
    if (learns && ((status >= 200 && status <= 299) || status == 404))
        return mfx_rspamd_reply_learned(mfx_buf_str(&answer->in), status,
                                        answer->scan->arena,
                                        &answer->scan->result, err);
    return status == 200 ? use_check(answer, err)
                         : use_error(answer, status, err);
}

/* --- life --- */

void
mfx_rspamd_answer_init(struct mfx_rspamd_answer *answer, size_t max)
{
    memset(answer, 0, sizeof *answer);
    answer->max = max;
    mfx_buf_init(&answer->in, max);
}

void
mfx_rspamd_answer_begin(struct mfx_rspamd_answer *answer, struct mfx_scan *scan)
{
    answer->scan = scan;
    answer->has_begun = false;
    clear(answer);
}

void
mfx_rspamd_answer_fini(struct mfx_rspamd_answer *answer)
{
    mfx_buf_fini(&answer->in);
}
