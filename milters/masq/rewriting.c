/* SPDX-License-Identifier: BSD-2-Clause */
#include "rewriting.h"

#include <mfx/mail/address_rewrite.h>

bool
masq_field_class(struct mfx_str name, enum masq_class *class)
{
    static const struct {
        struct mfx_str name;
        enum masq_class class;
    } fields[] = {
        {MFX_STR("From"),                        MASQ_HEADER_SENDER   },
        {MFX_STR("To"),                          MASQ_HEADER_RECIPIENT},
        {MFX_STR("Cc"),                          MASQ_HEADER_RECIPIENT},
        {MFX_STR("Message-ID"),                  MASQ_MESSAGE_ID      },
        {MFX_STR("Sender"),                      MASQ_HEADER_SENDER   },
        {MFX_STR("Reply-To"),                    MASQ_HEADER_SENDER   },
        {MFX_STR("Bcc"),                         MASQ_HEADER_RECIPIENT},
        {MFX_STR("Errors-To"),                   MASQ_HEADER_SENDER   },
        {MFX_STR("Return-Path"),                 MASQ_HEADER_SENDER   },
        {MFX_STR("Mail-Followup-To"),            MASQ_HEADER_SENDER   },
        {MFX_STR("Disposition-Notification-To"), MASQ_HEADER_SENDER   },
        {MFX_STR("Return-Receipt-To"),           MASQ_HEADER_SENDER   },
        {MFX_STR("Resent-From"),                 MASQ_HEADER_SENDER   },
        {MFX_STR("Resent-Sender"),               MASQ_HEADER_SENDER   },
        {MFX_STR("Resent-To"),                   MASQ_HEADER_RECIPIENT},
        {MFX_STR("Resent-Cc"),                   MASQ_HEADER_RECIPIENT},
        {MFX_STR("Resent-Bcc"),                  MASQ_HEADER_RECIPIENT},
        {MFX_STR("Resent-Reply-To"),             MASQ_HEADER_RECIPIENT},
        {MFX_STR("Apparently-To"),               MASQ_HEADER_RECIPIENT},
        {MFX_STR("Resent-Message-ID"),           MASQ_MESSAGE_ID      },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (name.len == fields[i].name.len &&
            mfx_str_eq_nocase(name, fields[i].name)) {
            *class = fields[i].class;
            return true;
        }
    return false;
}

enum mfx_rc
masq_rewriting_init(struct masq_rewriting *r, const struct masq_rule *rules,
                    size_t count, const struct masq_facts *facts,
                    struct mfx_arena *arena, struct mfx_err *err)
{
    *r = (struct masq_rewriting){
        .arena = arena,
        .facts = facts,
        .rules = mfx_arena_alloc_array(arena, count, sizeof *r->rules),
    };
    if (r->rules == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < count; i++) {
        enum mfx_rc rc = masq_rule_concerns(&rules[i], facts, arena, err);
        if (rc == MFX_NOTFOUND)
            continue;
        if (rc != MFX_OK)
            return rc;
        r->rules[r->count++] = &rules[i];
        for (int c = 0; c < MASQ_CLASS_COUNT; c++)
            r->classes[c] |= rules[i].classes[c];
    }
    return MFX_OK;
}

static bool
is_same(const struct masq_address *a, const struct masq_address *b)
{
    return mfx_str_eq(a->local, b->local) && mfx_str_eq(a->domain, b->domain);
}

static struct masq_remembered *
find_remembered(struct masq_rewriting *r, const struct masq_rule *rule,
                const struct masq_address *from)
{
    for (size_t i = 0; i < MASQ_REMEMBERED; i++)
        if (r->remembered[i].rule == rule &&
            is_same(&r->remembered[i].from, from))
            return &r->remembered[i];
    return NULL;
}

/* A rule says the same of an address in every class. */
static enum mfx_rc
ask_once(struct masq_rewriting *r, const struct masq_rule *rule,
         const struct masq_address *from, struct masq_address *to,
         struct mfx_str *why, struct mfx_err *err)
{
    struct masq_remembered *known = find_remembered(r, rule, from);
    if (known == NULL) {
        *why = mfx_str("", 0);
        enum mfx_rc rc =
            masq_rule_rewrite(rule, r->facts, from, r->arena, to, why, err);
        if (rc != MFX_OK && rc != MFX_NOTFOUND)
            return rc;
        known = &r->remembered[r->next_remembered++ % MASQ_REMEMBERED];
        *known = (struct masq_remembered){rule, *from, *to, *why, rc};
    }
    *to = known->to;
    *why = known->why;
    return known->rc;
}

static enum mfx_rc
ask_rule(struct masq_rewriting *r, const struct masq_rule *rule,
         enum masq_class class, const struct masq_address *from,
         struct masq_address *to, struct mfx_err *err)
{
    struct mfx_str why = mfx_str("", 0);
    enum mfx_rc rc =
        class == MASQ_ENVELOPE_RECIPIENT
            ? masq_rule_concerns_recipient(rule, from->domain, r->arena, err)
            : MFX_OK;
    if (rc == MFX_OK)
        rc = ask_once(r, rule, from, to, &why, err);
    if (rc == MFX_OK && is_same(from, to))
        rc = MFX_NOTFOUND;
    if (rc == MFX_OK && r->note != NULL)
        r->note(r->note_arg, rule, class, from, to, why);
    return rc;
}

enum mfx_rc
masq_rewriting_address(struct masq_rewriting *r, enum masq_class class,
                       const struct masq_address *from, struct masq_address *to,
                       struct mfx_err *err)
{
    *to = *from;
    for (size_t i = 0; i < r->count; i++) {
        struct masq_address next;
        if (!r->rules[i]->classes[class])
            continue;
        enum mfx_rc rc = ask_rule(r, r->rules[i], class, to, &next, err);
        if (rc == MFX_OK) {
            *to = next;
        } else if (rc != MFX_NOTFOUND) {
            mfx_err_prefix(err, "rule %.*s", MFX_STR_ARG(r->rules[i]->name));
            return rc;
        }
    }
    return is_same(from, to) ? MFX_NOTFOUND : MFX_OK;
}

/* --- fields --- */

static enum mfx_rc
rewrite_message_id(struct masq_rewriting *r, struct mfx_str name,
                   struct mfx_str value, struct mfx_str *out,
                   struct mfx_err *err)
{
    struct masq_address from, to;
    if (mfx_message_id_parse(value, &from.local, &from.domain) != MFX_OK)
        return MFX_NOTFOUND; /* a Message-ID without a domain tells nothing */
    enum mfx_rc rc =
        masq_rewriting_address(r, MASQ_MESSAGE_ID, &from, &to, err);
    if (rc != MFX_OK)
        return rc;
    return mfx_message_id_rewrite(name, value, to.domain, r->arena, out, err);
}

static enum mfx_rc
make_wishes(struct masq_rewriting *r, enum masq_class class,
            const struct mfx_address_list *list,
            struct mfx_address_wish *wishes, size_t *changed,
            struct mfx_err *err)
{
    *changed = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct mfx_mailbox *box = &list->mailboxes[i];
        const struct masq_address from = {box->local, box->domain};
        struct masq_address to;
        enum mfx_rc rc = masq_rewriting_address(r, class, &from, &to, err);
        if (rc == MFX_NOTFOUND)
            continue;
        if (rc != MFX_OK)
            return rc;
        wishes[i] = (struct mfx_address_wish){true, to.local, to.domain};
        ++*changed;
    }
    return *changed > 0 ? MFX_OK : MFX_NOTFOUND;
}

enum mfx_rc
masq_rewriting_field(struct masq_rewriting *r, enum masq_class class,
                     struct mfx_str name, struct mfx_str value, size_t max,
                     struct mfx_str *out, size_t *changed, struct mfx_err *err)
{
    struct mfx_address_list list;
    *changed = 1;
    if (class == MASQ_MESSAGE_ID)
        return rewrite_message_id(r, name, value, out, err);
    enum mfx_rc rc = mfx_address_list_parse(value, r->arena, max, &list);
    if (rc == MFX_PERMFAIL)
        mfx_err_set(err, "%s at %zu", list.error, list.error_at);
    if (rc != MFX_OK)
        return rc;
    struct mfx_address_wish *wishes =
        mfx_arena_alloc_array(r->arena, list.count, sizeof *wishes);
    if (wishes == NULL)
        return MFX_TEMPFAIL;
    rc = make_wishes(r, class, &list, wishes, changed, err);
    if (rc != MFX_OK)
        return rc;
    return mfx_address_list_rewrite(name, value, &list, wishes, r->arena, out,
                                    err);
}
