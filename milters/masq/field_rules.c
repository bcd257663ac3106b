/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of the header's addresses.
 */
#include "message.h"

enum mfx_rc
masq_field_rules_judge(struct mfx_message *m, struct mfx_str name,
                       const char *why)
{
    struct mfx_str text = mfx_arena_printf(
        m->arena, "%.*s field cannot be understood", MFX_STR_ARG(name));
    mfx_trace(m->decision, "field", "%.*s stays: %s", MFX_STR_ARG(name), why);
    switch ((enum masq_parse_error)masq_policy_of(m)->settings->parse_error) {
    case MASQ_PARSE_KEEP:
        mfx_fact(m->decision, "strange", name);
        return MFX_OK;
    case MASQ_PARSE_REJECT:
        mfx_decide_reject(m->decision, 550, "5.6.0", text,
                          "a field cannot be understood");
        return MFX_PERMFAIL;
    case MASQ_PARSE_TEMPFAIL:
        mfx_decide_tempfail(m->decision, 451, "4.6.0", text,
                            "a field cannot be understood");
        return MFX_PERMFAIL;
    }
    return MFX_TEMPFAIL;
}

static enum mfx_rc
rewrite_one(struct mfx_message *m, struct masq_message *q, struct masq_field *f,
            enum masq_class class, struct mfx_err *err)
{
    struct mfx_str value;
    size_t changed = 0;
    enum mfx_rc rc =
        masq_rewriting_field(&q->rewriting, class, f->name, f->value,
                             (size_t)masq_policy_of(m)->settings->max_addresses,
                             &value, &changed, err);
    if (rc == MFX_OK)
        rc = masq_fields_set(&q->fields, f, value, err);
    if (rc == MFX_PERMFAIL)
        return masq_field_rules_judge(m, f->name, err->msg);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    q->changed_addresses += changed;
    q->changed_fields++;
    q->by_rules = true;
    return MFX_OK;
}

enum mfx_rc
masq_field_rules_rewrite(struct mfx_message *m, struct masq_message *q,
                         struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (struct masq_field *f = q->fields.first; rc == MFX_OK && f != NULL;
         f = f->next) {
        enum masq_class class;
        if (!f->is_removed && masq_field_class(f->name, &class) &&
            q->rewriting.classes[class])
            rc = rewrite_one(m, q, f, class, err);
    }
    return rc;
}
