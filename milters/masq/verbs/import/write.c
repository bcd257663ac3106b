/* SPDX-License-Identifier: BSD-2-Clause */
#include "import.h"

static const char *const groups[] = {"log", "origin", "srs", "map_server"};

static struct mfx_str
group_of(const struct masq_import_setting *setting)
{
    struct mfx_str name = mfx_str_of(setting->name);
    size_t dot = mfx_str_find(name, '.');
    return dot < name.len ? mfx_str_head(name, dot) : mfx_str(NULL, 0);
}

static void
write_remark(struct mfx_str remark, const char *indent, struct mfx_buf *out)
{
    struct mfx_str line;
    while (remark.len > 0 && mfx_str_cut(&remark, '\n', &line))
        mfx_buf_printf(out, "%s# %.*s\n", indent, MFX_STR_ARG(line));
}

static void
write_one(const struct masq_import_setting *s, const char *indent,
          struct mfx_buf *out)
{
    struct mfx_str name = mfx_str_of(s->name);
    size_t dot = mfx_str_find(name, '.');
    if (dot < name.len)
        name = mfx_str_from(name, dot + 1);
    write_remark(s->remark, indent, out);
    mfx_buf_printf(out, "%s%.*s = %.*s;\n", indent, MFX_STR_ARG(name),
                   MFX_STR_ARG(s->value));
}

static bool
has_group(const struct masq_import *import, const char *group)
{
    for (const struct masq_import_setting *s = import->settings.first;
         s != NULL; s = s->next)
        if (mfx_str_is(group_of(s), group))
            return true;
    return false;
}

static void
write_group(const struct masq_import *import, const char *group,
            struct mfx_buf *out)
{
    if (!has_group(import, group))
        return;
    mfx_buf_printf(out, "\n%s = {\n", group);
    for (const struct masq_import_setting *s = import->settings.first;
         s != NULL; s = s->next)
        if (mfx_str_is(group_of(s), group))
            write_one(s, "  ", out);
    mfx_buf_add_text(out, "};\n");
}

static void
write_rules(const struct masq_import *import, struct mfx_buf *out)
{
    if (import->rules == NULL)
        return;
    mfx_buf_add_text(out, "\nrules = (\n");
    for (const struct masq_import_rule *r = import->rules; r != NULL;
         r = r->next) {
        mfx_buf_add_text(out, "  {\n");
        write_remark(mfx_str_of(r->remark), "    ", out);
        for (const struct masq_import_setting *s = r->settings.first; s != NULL;
             s = s->next)
            write_one(s, "    ", out);
        mfx_buf_printf(out, "  }%s\n", r->next == NULL ? "" : ",");
    }
    mfx_buf_add_text(out, ");\n");
}

void
masq_import_write_config(const struct masq_import *import, struct mfx_buf *out)
{
    mfx_buf_printf(out,
                   "# mfx-masq, with the rewriting of a %s.\n"
                   "# Settings that are not here have the defaults of "
                   "mfx-masq.conf(5).\n\n",
                   import->title);
    for (const struct masq_import_setting *s = import->settings.first;
         s != NULL; s = s->next)
        if (group_of(s).len == 0)
            write_one(s, "", out);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        write_group(import, groups[i], out);
    write_rules(import, out);
}

void
masq_import_write_main(const struct masq_import *import, struct mfx_buf *out)
{
    if (import->main_cf.first != NULL || import->hints.first != NULL)
        mfx_buf_printf(out, "# For Postfix's main.cf: what a filter cannot "
                            "do. Look at each before you use it.\n");
    for (const struct masq_import_setting *s = import->main_cf.first; s != NULL;
         s = s->next) {
        write_remark(s->remark, "", out);
        mfx_buf_printf(out, "%s =%s%.*s\n", s->name,
                       s->value.len == 0 ? "" : " ", MFX_STR_ARG(s->value));
    }
    if (import->hints.first != NULL)
        mfx_buf_add_text(out, "\n# For Postfix's master.cf:\n");
    for (const struct masq_import_setting *s = import->hints.first; s != NULL;
         s = s->next)
        write_remark(s->value, "", out);
}
