/* SPDX-License-Identifier: BSD-2-Clause */
#include "shadow.h"

#include "message.h"

static const struct {
    const char *word, *text;
} words[DKIM_SHADOW_COUNT] = {
    [DKIM_SHADOW_SAME] = {"same",           "signed alike"                                            },
    [DKIM_SHADOW_UNSIGNED_THERE] =
        {"unsigned_there",
                          "not signed before mfx-dkim: the other signer has no "
         "row for it, or stands behind mfx-dkim"                                                      },
    [DKIM_SHADOW_OTHER_SELECTOR] = {"other_selector",
                          "signed there with another selector"                                        },
    [DKIM_SHADOW_INVALID] =
        {"invalid",        "signed there under our name, and not valid under our key"},
    [DKIM_SHADOW_FEWER_FIELDS] = {"fewer_fields",
                          "our signature covers fewer header fields"                                  },
    [DKIM_SHADOW_UNSIGNED_HERE] = {"unsigned_here",
                          "signed there, and mfx-dkim has no key"                                     },
    [DKIM_SHADOW_FOREIGN_HERE] = {"foreign_here",
                          "signed there, and not ours to mfx-dkim"                                    },
    [DKIM_SHADOW_FAILED_HERE] = {"failed_here",
                          "mfx-dkim could not sign it then"                                           },
};

const char *
dkim_shadow_word(enum dkim_shadow shadow)
{
    return words[shadow].word;
}

const char *
dkim_shadow_text(enum dkim_shadow shadow)
{
    return words[shadow].text;
}

static size_t
count_of(struct mfx_str names, struct mfx_str name)
{
    struct mfx_str item;
    size_t count = 0;
    while (mfx_dkim_claim_next_name(&names, &item))
        count += mfx_str_eq_nocase(item, name);
    return count;
}

struct mfx_str
dkim_shadow_missing_name(struct mfx_str ours, struct mfx_str theirs)
{
    struct mfx_str rest = theirs, name;
    while (mfx_dkim_claim_next_name(&rest, &name))
        if (count_of(ours, name) < count_of(theirs, name))
            return name;
    return mfx_str(NULL, 0);
}

static struct mfx_str
row_text(struct mfx_message *m, const struct dkim_signer *signer)
{
    return mfx_arena_printf(m->arena, "d=%.*s s=%.*s",
                            MFX_STR_ARG(signer->domain),
                            MFX_STR_ARG(signer->selector));
}

static enum dkim_shadow
compare_row(struct mfx_message *m, const struct dkim_handover *handover,
            const struct dkim_signer *signer, struct mfx_str value,
            struct mfx_str *detail)
{
    struct mfx_dkim_claim theirs = {.timestamp_s = 0};
    *detail = row_text(m, signer);
    switch (dkim_handover_look(handover, &m->headers, signer, &theirs)) {
    case DKIM_THERE_NOTHING:
        return DKIM_SHADOW_UNSIGNED_THERE;
    case DKIM_THERE_OTHER_SELECTOR:
        *detail = mfx_arena_printf(m->arena, "%.*s, there s=%.*s",
                                   MFX_STR_ARG(*detail),
                                   MFX_STR_ARG(theirs.selector));
        return DKIM_SHADOW_OTHER_SELECTOR;
    case DKIM_THERE_INVALID:
        return DKIM_SHADOW_INVALID;
    case DKIM_THERE_VALID:
        break;
    }
    struct mfx_str name = dkim_shadow_missing_name(
        mfx_dkim_claim_read(value).names, theirs.names);
    if (name.len == 0)
        return DKIM_SHADOW_SAME;
    *detail = mfx_arena_printf(m->arena, "%.*s: %.*s", MFX_STR_ARG(*detail),
                               MFX_STR_ARG(name));
    return DKIM_SHADOW_FEWER_FIELDS;
}

enum dkim_shadow
dkim_shadow_compare(struct mfx_message *m, const struct dkim_handover *handover,
                    const struct dkim_signer *signers,
                    const struct mfx_str *values, struct mfx_str *detail)
{
    size_t i = 0;
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next) {
        enum dkim_shadow shadow =
            compare_row(m, handover, s, values[i++], detail);
        if (shadow != DKIM_SHADOW_SAME)
            return shadow;
    }
    *detail = mfx_str(NULL, 0);
    return DKIM_SHADOW_SAME;
}

void
dkim_shadow_note(struct mfx_message *m, struct mfx_str domain,
                 enum dkim_shadow shadow, struct mfx_str detail)
{
    bool is_same = shadow == DKIM_SHADOW_SAME;
    mfx_fact(m->decision, "shadow", mfx_str_of(is_same ? "same" : "differs"));
    if (!is_same)
        mfx_fact(m->decision, "why",
                 mfx_arena_printf(m->arena, "%s (%.*s)",
                                  dkim_shadow_text(shadow),
                                  MFX_STR_ARG(detail)));
    dkim_tally_note(dkim_policy_of(m)->shared->tally, domain, shadow, detail,
                    m->env->wall_s(m->env));
}
