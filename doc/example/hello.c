/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfx-hello - a whole milter: refuses what has no Subject, marks the rest
 */
#include <mfx/milter/filter.h>

struct hello_settings {
    struct mfx_str greeting;
    bool needs_subject;
};

static const struct mfx_option options[] = {
    MFX_OPTION_STRING("greeting", struct hello_settings, greeting, "hello", 0,
                      "What the added field X-Hello says."),
    MFX_OPTION_BOOL("needs_subject", struct hello_settings, needs_subject,
                    "true", 0, "Refuse mail without a Subject."),
    MFX_OPTION_END,
};

/* The policy is the settings as they are; lists and keys would be made here. */
static enum mfx_rc
policy_new(const struct mfx_policy_build *build, void **policy)
{
    *policy = (void *)build->settings;
    return MFX_OK;
}

static void
wants(const void *policy, struct mfx_wants *w)
{
    (void)policy;
    w->headers = true;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    const struct hello_settings *s = m->policy;
    struct mfx_str subject = mfx_str_of("Subject");
    if (s->needs_subject && mfx_headers_first(&m->headers, subject) == NULL) {
        mfx_decide_reject(m->decision, 550, "5.6.0",
                          mfx_str_of("this mail has no Subject"),
                          "no Subject field");
        return MFX_OK;
    }
    mfx_edit_insert_header(
        m->decision, MFX_EDIT_TOP, mfx_str_of("X-Hello"),
        mfx_arena_printf(m->arena, " %.*s", MFX_STR_ARG(s->greeting)));
    mfx_decision_event(m->decision, "greeted", s->greeting);
    return MFX_OK;
}

int
main(int argc, char **argv)
{
    const struct mfx_filter filter = {
        .name = "mfx-hello",
        .summary = "Refuses mail without a Subject, marks the rest.",
        .options = options,
        .settings_size = sizeof(struct hello_settings),
        .policy_new = policy_new,
        .wants = wants,
        .hooks = {.eom = on_eom},
    };
    return mfx_main(argc, argv, &filter);
}
