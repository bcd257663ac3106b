/* SPDX-License-Identifier: BSD-2-Clause */
#include "opendkim.h"

static const char *const groups[] = {"log", "dns", "origin", "sign", "verify"};

static struct mfx_str
group_of(const struct dkim_import_setting *setting)
{
    struct mfx_str name = mfx_str_of(setting->name);
    size_t dot = mfx_str_find(name, '.');
    return dot < name.len ? mfx_str_head(name, dot) : mfx_str(NULL, 0);
}

static void
write_one(const struct dkim_import_setting *s, const char *indent,
          struct mfx_buf *out)
{
    struct mfx_str name = mfx_str_of(s->name);
    size_t dot = mfx_str_find(name, '.');
    struct mfx_str last = dot < name.len ? mfx_str_from(name, dot + 1) : name;
    struct mfx_str rest = s->remark, line;
    while (rest.len > 0 && mfx_str_cut(&rest, '\n', &line))
        mfx_buf_printf(out, "%s# %.*s\n", indent, MFX_STR_ARG(line));
    mfx_buf_printf(out, "%s%.*s = %.*s;\n", indent, MFX_STR_ARG(last),
                   MFX_STR_ARG(s->value));
}

static bool
has_group(const struct dkim_import *import, const char *group)
{
    for (const struct dkim_import_setting *s = import->settings; s != NULL;
         s = s->next)
        if (mfx_str_is(group_of(s), group))
            return true;
    return false;
}

void
dkim_import_write(const struct dkim_import *import, struct mfx_buf *out)
{
    mfx_buf_add_text(out, "# mfx-dkim, with the settings of an OpenDKIM.\n"
                          "# Settings that are not here have the defaults of "
                          "mfx-dkim.conf(5).\n\n");
    for (const struct dkim_import_setting *s = import->settings; s != NULL;
         s = s->next)
        if (group_of(s).len == 0)
            write_one(s, "", out);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (!has_group(import, groups[i]))
            continue;
        mfx_buf_printf(out, "\n%s = {\n", groups[i]);
        for (const struct dkim_import_setting *s = import->settings; s != NULL;
             s = s->next)
            if (mfx_str_is(group_of(s), groups[i]))
                write_one(s, "  ", out);
        mfx_buf_add_text(out, "};\n");
    }
}
