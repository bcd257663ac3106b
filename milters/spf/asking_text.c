/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include <mfx/policy/reply_text.h>

#include "asking_impl.h"

enum {
    NAMES_MAX = 1000,
};

/* What is public in place of the zone, wherever a text holds it. */
static void
put_public(const struct spf_list *list, struct mfx_str text,
           struct mfx_buf *out)
{
    while (text.len > 0) {
        bool is_zone =
            list->is_mapped && mfx_str_starts_nocase(text, list->zone);
        if (is_zone)
            mfx_buf_add(out, list->name);
        else
            mfx_buf_add_byte(out, text.p[0]);
        text = mfx_str_from(text, is_zone ? list->zone.len : 1);
    }
}

struct mfx_str
spf_list_clean(const struct spf_list *list, struct mfx_str text,
               struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 8192);
    put_public(list, mfx_str_head(mfx_str_trim(text), 4096), &out);
    for (size_t i = 0; i < out.len; i++)
        if (out.p[i] < ' ' || out.p[i] > '~')
            out.p[i] = '?';
    return mfx_buf_ok(&out) ? mfx_str_head(mfx_buf_str(&out), SPF_LIST_TXT_MAX)
                            : mfx_str("", 0);
}

static bool
put_variable(const void *arg, struct mfx_str name, struct mfx_buf *out)
{
    const struct spf_score *score = arg;
    const struct spf_list_hit *hit = &score->hits[0];
    char address[MFX_IP_TEXT];
    if (mfx_str_is(name, "what"))
        mfx_buf_add(out, hit->what);
    else if (mfx_str_is(name, "list"))
        mfx_buf_add(out, hit->list);
    else if (mfx_str_is(name, "address"))
        mfx_buf_add_text(out, mfx_ip_format(&hit->address, address));
    else if (mfx_str_is(name, "score"))
        mfx_buf_printf(out, "%" PRId64, score->score);
    else if (mfx_str_is(name, "txt") && hit->txt.len > 0)
        mfx_buf_printf(out, ": %.*s", MFX_STR_ARG(hit->txt));
    else
        return mfx_str_is(name, "txt");
    return true;
}

struct mfx_str
spf_score_text(const struct spf_score *score, const struct spf_lists *lists,
               struct mfx_arena *arena)
{
    if (score->hit_count == 0 || score->hits[0].is_shadow)
        return mfx_str("", 0);
    struct mfx_str text = score->hits[0].text;
    return mfx_reply_text_expand(text.len > 0 ? text : lists->text,
                                 put_variable, score, arena);
}

struct mfx_str
spf_score_names(const struct spf_score *score, bool is_shadow,
                struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, NAMES_MAX);
    for (size_t i = 0; i < score->hit_count; i++) {
        const struct spf_list_hit *hit = &score->hits[i];
        if (hit->is_shadow == is_shadow)
            mfx_buf_printf(&out, "%s%.*s=%d", out.len > 0 ? "," : "",
                           MFX_STR_ARG(hit->list), hit->weight);
    }
    return mfx_buf_str(&out);
}
