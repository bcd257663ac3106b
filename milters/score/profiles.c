/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiles.h"

#include "complain.h"
#include "lookup.h"

static const struct score_profile off_profile = {
    .name = MFX_STR("off"),
    .thresholds = {MFX_DECIMAL_NONE, MFX_DECIMAL_NONE, MFX_DECIMAL_NONE,
                   MFX_DECIMAL_NONE, MFX_DECIMAL_NONE, MFX_DECIMAL_NONE,
                   MFX_DECIMAL_NONE},
};

/* --- building --- */

static const struct score_profile *
find(const struct score_profiles *profiles, size_t count, struct mfx_str name)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_str_is_nocase(name, profiles->groups[i].name.p))
            return &profiles->groups[i];
    return NULL;
}

static void
read_group(struct score_profiles *profiles, size_t i,
           const struct score_profile_settings *s,
           const struct mfx_policy_build *build, struct score_profile *profile)
{
    const char *at = mfx_arena_printf(build->arena, "profiles[%zu].name", i).p;
    *profile = (struct score_profile){s->name, s->thresholds, s->follow_engines,
                                      s->redirect_to};
    if (at == NULL)
        return;
    if (!score_is_name(s->name))
        score_complain(build, at, "letters, digits, - and _ make a name",
                       s->name);
    else if (mfx_str_is_nocase(s->name, "off") ||
             find(profiles, i, s->name) != NULL)
        score_complain(build, at, "there is one of that name", s->name);
}

enum mfx_rc
score_profiles_new(const struct score_settings *settings,
                   const struct mfx_policy_build *build,
                   struct score_profiles *profiles)
{
    const struct score_profile_settings *items = settings->profiles.items;
    size_t count = settings->profiles.count;
    struct score_profile *groups =
        mfx_arena_alloc_array(build->arena, count + 1, sizeof *groups);
    *profiles = (struct score_profiles){
        .incoming = {MFX_STR("default"),  settings->thresholds,
                     settings->follow_engines,          mfx_str("", 0)},
        .outgoing = {MFX_STR("outgoing"), settings->outgoing.thresholds,
                     settings->outgoing.follow_engines, mfx_str("", 0)},
        .groups = groups,
        .group_count = count,
        .recipients = settings->recipient_profiles,
        .logins = settings->login_profiles,
    };
    if (groups == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++)
        read_group(profiles, i, &items[i], build, &groups[i]);
    return MFX_OK;
}

/* --- rows --- */

static int64_t *
threshold(struct score_thresholds *t, struct mfx_str name)
{
    const struct {
        const char *name;
        int64_t *value;
    } all[] = {
        {"greylist", &t->greylist},
        {"tag",      &t->tag     },
        {"subject",  &t->subject },
        {"hold",     &t->hold    },
        {"redirect", &t->redirect},
        {"discard",  &t->discard },
        {"reject",   &t->reject  },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (mfx_str_is_nocase(name, all[i].name))
            return all[i].value;
    return NULL;
}

/* "tag=4" */
static bool
read_change(struct mfx_str word, struct score_thresholds *thresholds)
{
    struct mfx_str name;
    if (!mfx_str_cut(&word, '=', &name))
        return false;
    int64_t *value = threshold(thresholds, name);
    if (value == NULL)
        return false;
    if (mfx_str_is_nocase(word, "none")) {
        *value = MFX_DECIMAL_NONE;
        return true;
    }
    return mfx_decimal_parse(word, value) == MFX_OK;
}

static const struct score_profile *
find_named(const struct score_profiles *profiles, struct mfx_str name)
{
    return mfx_str_is_nocase(name, "off")
               ? &off_profile
               : find(profiles, profiles->group_count, name);
}

static enum mfx_rc
refuse_row(struct mfx_str text, struct mfx_err *err)
{
    mfx_err_set(err, "no profile and no change of one: \"%.*s\"",
                MFX_STR_ARG(text));
    return MFX_TEMPFAIL;
}

/* word and what follows it in rest: "tag=4", "reject=10" */
static enum mfx_rc
change(const struct score_profile *base, struct mfx_str word,
       struct mfx_str rest, struct mfx_arena *arena,
       const struct score_profile **profile)
{
    struct score_profile *changed = mfx_arena_alloc(arena, sizeof *changed);
    if (changed == NULL)
        return MFX_TEMPFAIL;
    *changed = *base;
    *profile = changed;
    do
        if (!read_change(word, &changed->thresholds))
            return MFX_PERMFAIL;
    while (mfx_str_word(&rest, " \t,", &word));
    return MFX_OK;
}

/* "strict", "off", "tag=4 reject=10", "strict reject=12" */
static enum mfx_rc
read_row(const struct score_profiles *profiles, struct mfx_str text,
         const struct score_profile *base, struct mfx_arena *arena,
         const struct score_profile **profile, struct mfx_err *err)
{
    struct mfx_str rest = text, word;
    bool has_word = mfx_str_word(&rest, " \t,", &word);
    if (has_word && !mfx_str_has(word, '=')) {
        base = find_named(profiles, word);
        if (base == NULL)
            return refuse_row(text, err);
        has_word = mfx_str_word(&rest, " \t,", &word);
    }
    *profile = base;
    enum mfx_rc rc =
        has_word ? change(base, word, rest, arena, profile) : MFX_OK;
    return rc == MFX_PERMFAIL ? refuse_row(text, err) : rc;
}

enum mfx_rc
score_profiles_of_recipient(const struct score_profiles *profiles,
                            struct mfx_str address, struct mfx_arena *arena,
                            const struct score_profile **profile,
                            struct mfx_err *err)
{
    struct mfx_str value;
    *profile = &profiles->incoming;
    enum mfx_rc rc =
        score_lookup_address(profiles->recipients, address, arena, &value, err);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    return read_row(profiles, value, &profiles->incoming, arena, profile, err);
}

enum mfx_rc
score_profiles_of_login(const struct score_profiles *profiles,
                        struct mfx_str login, struct mfx_arena *arena,
                        const struct score_profile **profile,
                        struct mfx_err *err)
{
    struct mfx_str value;
    *profile = &profiles->outgoing;
    if (profiles->logins == NULL || login.len == 0)
        return MFX_OK;
    enum mfx_rc rc = mfx_table_get(profiles->logins, login, arena, &value, err);
    if (rc == MFX_NOTFOUND)
        return MFX_OK;
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    return read_row(profiles, value, &profiles->outgoing, arena, profile, err);
}

enum score_action
score_profile_action(const struct score_profile *profile, int64_t total)
{
    const struct score_thresholds *t = &profile->thresholds;
    const struct {
        int64_t from;
        enum score_action action;
    } steps[] = {
        {t->reject,   SCORE_ACTION_REJECT  },
        {t->discard,  SCORE_ACTION_DISCARD },
        {t->redirect, SCORE_ACTION_REDIRECT},
        {t->hold,     SCORE_ACTION_HOLD    },
        {t->subject,  SCORE_ACTION_SUBJECT },
        {t->tag,      SCORE_ACTION_TAG     },
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].from != MFX_DECIMAL_NONE && total >= steps[i].from)
            return steps[i].action;
    return SCORE_ACTION_NONE;
}
