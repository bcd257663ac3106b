/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <mfx/base/clock.h>

/* The first server that has not the key; those that said something come
 * before those that were silent. */
static const struct dkim_key_server *
find_culprit(const struct dkim_key_view *view, size_t *more)
{
    const struct dkim_key_server *first = NULL;
    *more = 0;
    for (int silent = 0; silent < 2; silent++)
        for (size_t i = 0; i < view->server_count; i++) {
            const struct dkim_key_server *s = &view->servers[i];
            if (s->has_key || s->is_alias || s->counts_not ||
                s->is_silent != (silent != 0))
                continue;
            if (first == NULL)
                first = s;
            else
                ++*more;
        }
    return first;
}

static struct mfx_str
servers_say(const struct dkim_key_view *view, struct mfx_arena *arena)
{
    size_t more;
    const struct dkim_key_server *s = find_culprit(view, &more);
    if (s == NULL)
        return mfx_arena_printf(arena, "no name server has the record");
    bool is_named = !mfx_str_eq(s->name, s->address);
    struct mfx_str text = mfx_arena_printf(
        arena, "%.*s%s%.*s%s: %.*s", MFX_STR_ARG(s->name), is_named ? " (" : "",
        is_named ? (int)s->address.len : 0,
        s->address.len == 0 ? "" : s->address.p, is_named ? ")" : "",
        MFX_STR_ARG(s->answer));
    if (more == 0 || text.p == NULL)
        return text;
    return mfx_arena_printf(arena, "%.*s, and %zu more", MFX_STR_ARG(text),
                            more);
}

static struct mfx_str
until(const char *format, const struct dkim_key_view *view,
      struct mfx_arena *arena)
{
    char time[MFX_CLOCK_TEXT];
    return mfx_arena_printf(arena, "%s%s", format,
                            mfx_clock_text(view->verdict.when_s, time));
}

struct mfx_str
dkim_words_why(const struct dkim_key_view *view, const char *trouble,
               struct mfx_arena *arena)
{
    struct mfx_str say;
    switch (view->verdict.reason) {
    case DKIM_KEY_IS_ESTABLISHED:
        return mfx_str_of("signs");
    case DKIM_KEY_IS_PUBLISHED:
        return mfx_str_of("signs: all name servers have it");
    case DKIM_KEY_NOT_REQUIRED:
        return mfx_str_of("signs: sign.require_published is never");
    case DKIM_KEY_ONLY_ONE:
        return mfx_str_of("signs for want of another, not seen in DNS yet");
    case DKIM_KEY_FALLBACK:
        return mfx_str_of("signs again: the newer key lost its record");
    case DKIM_KEY_OLDER_SIGNS_ON:
        return mfx_str_of("signs until the newer key is ready");
    case DKIM_KEY_NOT_BEFORE:
        return until("waits for its not_before, ", view, arena);
    case DKIM_KEY_NOT_LOOKED:
        return mfx_arena_printf(arena, "waits: %s",
                                trouble == NULL ? "not looked for in DNS yet"
                                                : trouble);
    case DKIM_KEY_WAITS_TTL:
        return until("waits: resolvers may not know the record until ", view,
                     arena);
    case DKIM_KEY_NOT_EVERYWHERE:
    case DKIM_KEY_NOT_THERE:
    case DKIM_KEY_RECORD_DIFFERS:
        say = servers_say(view, arena);
        return mfx_arena_printf(arena, "waits: %.*s", MFX_STR_ARG(say));
    case DKIM_KEY_WAS_REPLACED:
        return mfx_str_of("replaced by a newer key");
    case DKIM_KEY_CARD_RETIRED:
        return mfx_str_of("retired by its card");
    case DKIM_KEY_LOST_RECORD:
        say = servers_say(view, arena);
        return mfx_arena_printf(
            arena, "%s, but its record is lost: %.*s",
            view->is_signing ? "signs for want of a better one" : "was active",
            MFX_STR_ARG(say));
    case DKIM_KEY_UNUSABLE:
        return mfx_str_of("its file is missing, or no key");
    }
    return mfx_str(NULL, 0);
}

struct mfx_str
dkim_words_todo(const struct dkim_key_view *view, struct mfx_arena *arena)
{
    struct mfx_str name = mfx_arena_printf(arena, "%.*s._domainkey.%.*s",
                                           MFX_STR_ARG(view->selector),
                                           MFX_STR_ARG(view->domain));
    switch (view->verdict.next) {
    case DKIM_KEY_NEXT_NOTHING:
        return mfx_str_of("");
    case DKIM_KEY_NEXT_PUBLISH:
        return mfx_arena_printf(arena, "publish %.*s", MFX_STR_ARG(name));
    case DKIM_KEY_NEXT_CORRECT:
        return mfx_arena_printf(arena,
                                "correct %.*s: it does not hold this "
                                "key",
                                MFX_STR_ARG(name));
    case DKIM_KEY_NEXT_WAIT:
        return mfx_str_of("wait");
    case DKIM_KEY_NEXT_KEEP:
        return until("keep the record until ", view, arena);
    case DKIM_KEY_NEXT_WITHDRAW:
        return mfx_arena_printf(arena, "withdraw %.*s: publish p= there",
                                MFX_STR_ARG(name));
    case DKIM_KEY_NEXT_REMOVE:
        return mfx_str_of("remove the record and the key file");
    case DKIM_KEY_NEXT_MEND_FILE:
        return mfx_arena_printf(arena, "mend %.*s", MFX_STR_ARG(view->path));
    }
    return mfx_str(NULL, 0);
}
