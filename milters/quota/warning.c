/* SPDX-License-Identifier: BSD-2-Clause */
#include "warning.h"

#include <mfx/base/log.h>

/* log events: soft_limit, limit_reached */
static void
log_warning(const struct mfx_message *m, const struct quota_tally *t,
            const char *event, const struct mfx_store_level *level,
            uint64_t limit, const char *window)
{
    struct mfx_log_line line;
    mfx_log_begin(&line, m->queue_id, event);
    mfx_log_add(&line, "rule", t->rule->settings->name);
    mfx_log_add(&line, "key", t->key.text);
    mfx_log_add_text(&line, "count",
                     quota_count_name(t->rule->settings->count));
    mfx_log_add_u64(&line, "used", level->used);
    mfx_log_add_u64(&line, "limit", limit);
    mfx_log_add_text(&line, "window", window);
    if (t->rule->is_dry)
        mfx_log_add_text(&line, "mode", "dry-run");
    mfx_log_add(&line, "from", m->sender);
    mfx_log_end(&line, MFX_LOG_WARNING);
}

static void
tell(const struct mfx_message *m, const struct quota_tally *t,
     const char *event, const struct mfx_store_level *level,
     const struct mfx_store_window *w)
{
    const struct quota_policy *policy = m->policy;
    char text[64];
    struct mfx_buf window;
    mfx_buf_init(&window, sizeof text);
    quota_limits_format_span(w, &window);
    log_warning(m, t, event, level, w->limit, mfx_buf_text(&window));
    const struct quota_notice notice = {
        .event = event,
        .rule = t->rule->settings->name,
        .key = t->key.text,
        .count = quota_count_name(t->rule->settings->count),
        .used = level->used,
        .limit = w->limit,
        .window = mfx_buf_str(&window),
        .free_at_s = level->free_at_ms / 1000,
        .queue_id = m->queue_id,
        .sender = m->sender,
    };
    if (t->rule->settings->notify && policy->shared->notify != NULL)
        quota_notify_tell(policy->shared->notify, &notice);
    mfx_buf_fini(&window);
}

static bool
wants(const struct mfx_message *m, enum quota_notify_on what)
{
    int on = ((const struct quota_policy *)m->policy)->settings->notify.on;
    return on == QUOTA_NOTIFY_BOTH || on == (int)what;
}

void
quota_warning_soft(struct mfx_message *m, const struct quota_tally *t)
{
    for (size_t i = 0; t->reading != NULL && i < t->limits.window_count; i++)
        if (t->reading->levels[i].is_soft_due && wants(m, QUOTA_NOTIFY_SOFT)) {
            atomic_fetch_add(&t->rule->counts->warned, 1);
            tell(m, t, "soft_limit", &t->reading->levels[i],
                 &t->limits.windows[i]);
        }
}

void
quota_warning_full(struct mfx_message *m, const struct quota_refusal *r)
{
    if (r->kind == QUOTA_FULL && r->level.is_full_due &&
        wants(m, QUOTA_NOTIFY_FULL))
        tell(m, r->tally, "limit_reached", &r->level, r->window);
}
