/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies of rspamd: the first byte chooses what was asked, and whether it is
 * compressed. What is an answer has an action and numbers that are numbers;
 * texts have the lengths that they say; an error is fit for a log. */
#include <math.h>
#include <stdlib.h>

#include <mfx/scan/rspamd_pack.h>
#include <mfx/scan/rspamd_reply.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_so)
{
    if (!is_so)
        abort();
}

static void
check_number(double value)
{
    must(isfinite(value) && fabs(value) <= 1e9);
}

/* Touches every byte. */
static size_t
check_text(struct mfx_str text)
{
    size_t sum = 0;
    must(text.p != NULL || text.len == 0);
    for (size_t i = 0; i < text.len; i++)
        sum += (unsigned char)text.p[i];
    return sum;
}

static void
check_texts(struct mfx_scan_texts texts)
{
    for (size_t i = 0; i < texts.count; i++)
        (void)check_text(texts.items[i]);
}

static void
check_edits(struct mfx_scan_edits edits)
{
    for (size_t i = 0; i < edits.count; i++) {
        (void)check_text(edits.items[i].name);
        (void)check_text(edits.items[i].value);
        must(edits.items[i].kind == MFX_SCAN_EDIT_ADD ||
             edits.items[i].value.len == 0);
    }
}

static void
check_told(const struct mfx_scan_result *r)
{
    for (size_t i = 0; i < r->threshold_count; i++)
        check_number(r->thresholds[i].value);
    for (size_t i = 0; i < r->group_count; i++)
        check_number(r->groups[i].value);
    for (size_t i = 0; i < r->symbol_count; i++) {
        const struct mfx_scan_symbol *s = &r->symbols[i];
        check_number(s->score);
        must(s->name.len > 0);
        (void)check_text(s->name);
        (void)check_text(s->description);
        for (size_t k = 0; k < s->option_count; k++)
            (void)check_text(s->options[k]);
    }
    for (size_t i = 0; i < r->message_count; i++) {
        (void)check_text(r->messages[i].name);
        (void)check_text(r->messages[i].value);
    }
    check_texts(r->urls);
    check_texts(r->emails);
    (void)check_text(r->message_id);
    (void)check_text(r->decided_by);
    check_number(r->engine_time_s);
}

static void
check_result(const struct mfx_scan_result *r)
{
    check_number(r->score);
    check_number(r->required_score);
    must(r->has_score && r->action_word.len > 0);
    must(r->action <= MFX_SCAN_ACTION_UNKNOWN);
    must(!r->is_spam || r->action != MFX_SCAN_ACTION_NONE);
    check_edits(r->edits);
    check_edits(r->spam_edits);
    check_texts(r->dkim_signatures);
    check_texts(r->added_recipients);
    check_texts(r->removed_recipients);
    (void)check_text(r->subject);
    (void)check_text(r->sender);
    (void)check_text(r->reply_text);
    check_told(r);
}

static void
use(struct mfx_str json, bool learns, bool is_fresh)
{
    struct mfx_arena *arena = mfx_arena_new(64 << 20);
    struct mfx_scan_result result;
    struct mfx_err err = {{0}};
    char words[20];
    if (arena == NULL)
        return;
    mfx_rspamd_reply_error(json, words, sizeof words);
    must(mfx_str_is_line(mfx_str_of(words)) &&
         mfx_str_is_ascii(mfx_str_of(words)));
    memset(&result, 0, sizeof result);
    if (learns) {
        enum mfx_scan_end end = mfx_rspamd_reply_learned(
            json, is_fresh ? 200 : 208, arena, &result, &err);
        must(end == MFX_SCAN_ANSWERED || !result.is_learned);
        (void)check_text(result.report);
    } else if (mfx_rspamd_reply_use(json, arena, &result, &err) ==
                   MFX_SCAN_ANSWERED &&
               mfx_arena_ok(arena)) {
        check_result(&result);
    }
    must(mfx_str_is_line(mfx_str_of(err.msg)) &&
         mfx_str_is_ascii(mfx_str_of(err.msg)));
    mfx_arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct mfx_str bytes = mfx_str((const char *)data + 1, size - 1);
    struct mfx_buf plain;
    mfx_buf_init(&plain, 1 << 20);
    if ((data[0] & 4) == 0)
        use(bytes, (data[0] & 1) != 0, (data[0] & 2) != 0);
    else if (mfx_rspamd_unpack(bytes, &plain, NULL) == MFX_OK)
        use(mfx_buf_str(&plain), (data[0] & 1) != 0, (data[0] & 2) != 0);
    mfx_buf_fini(&plain);
    return 0;
}
