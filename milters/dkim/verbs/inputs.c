/* SPDX-License-Identifier: BSD-2-Clause */
#include "verb.h"

#include <mfx/auth/dkim_key.h>
#include <mfx/base/file.h>

#include "../message.h"
#include "../record_text.h"

enum {
    MAX_KEY = 64 * 1024,
};

int
verb_read_key(const struct verb_run *run, const char *path,
              struct mfx_dkim_private_key **key)
{
    struct mfx_err err = {0};
    struct mfx_str text;
    if (mfx_file_read(path, MAX_KEY, run->arena, &text, NULL, &err) != MFX_OK)
        return verb_fail(run, EXIT_NOINPUT, "%s", err.msg);
    enum mfx_rc rc = mfx_dkim_private_key_parse(text, key, &err);
    explicit_bzero((char *)(uintptr_t)text.p, text.len);
    if (rc != MFX_OK)
        return verb_fail(run, EXIT_CONFIG, "%s: %s", path, err.msg);
    return EXIT_OK;
}

/* --- what JSON shows --- */

json_t *
verb_json_strings(struct mfx_str record)
{
    json_t *strings = json_array();
    struct mfx_str string;
    while (dkim_record_string(&record, &string))
        (void)json_array_append_new(strings, verb_json(string));
    return strings;
}

/* --- the daemon's configuration --- */

int
verb_load(const struct verb_run *run, const char *file,
          struct mfx_offline **loaded)
{
    return verb_load_filter(run, &dkim_filter, file, loaded);
}
