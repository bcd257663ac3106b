/* SPDX-License-Identifier: BSD-2-Clause
 *
 * import - the configuration of an OpenDKIM, as one of mfx-dkim
 */
#include <unistd.h>

#include <mfx/base/file.h>

#include "../../../tools/mfxctl/made.h"
#include "../import/opendkim.h"
#include "../message.h"
#include "verb.h"

enum {
    CONFIG_MAX = 1024 * 1024,
};

static const char debian_conf[] = "/etc/opendkim.conf";
static const char debian_defaults[] = "/etc/default/opendkim";

struct request {
    const char *file, *out, *dump_with, *defaults, *unit;
    bool only_checks;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct dkim_import import;
    struct mfx_str config;
    struct mfx_problems problems;
    bool is_loadable;
};

static int
read_all(struct work *w)
{
    const struct request *r = w->request;
    struct mfx_err err = {""};
    const char *defaults = r->defaults;
    if (defaults == NULL && strcmp(r->file, debian_conf) == 0 &&
        access(debian_defaults, R_OK) == 0)
        defaults = debian_defaults;
    enum mfx_rc rc = dkim_import_read_conf(&w->import, r->file, &err);
    if (rc == MFX_OK && defaults != NULL)
        rc = dkim_import_read_options(&w->import, defaults, &err);
    if (rc == MFX_OK && r->unit != NULL)
        rc = dkim_import_read_options(&w->import, r->unit, &err);
    return rc == MFX_OK ? EXIT_OK
                        : verb_fail(w->run, EXIT_NOINPUT, "%s", err.msg);
}

/* --- the check: what the daemon would say --- */

static void
check(struct work *w)
{
    struct mfx_offline *loaded = NULL;
    w->is_loadable = made_check(w->run, &dkim_filter, w->config, "dkim.conf",
                                &w->problems, &loaded);
    if (w->is_loadable)
        mfx_host_list_check_loopback(loaded->origin->hosts,
                                     "origin.internal_hosts", &w->problems);
    mfx_offline_free(loaded);
}

/* --- what is said --- */

static const char *
word_of(const struct dkim_import_line *line)
{
    return line->is_warning ? "look" : dkim_import_fate_name(line->fate);
}

static void
print_report(const struct work *w, FILE *out)
{
    for (const struct dkim_import_line *l = w->import.lines; l != NULL;
         l = l->next)
        (void)fprintf(out, "%s:%u: %s: %s: %s\n", l->given->file,
                      l->given->line, verb_text(w->run, l->given->name),
                      word_of(l), verb_text(w->run, l->text));
    for (const struct mfx_problem *p = w->problems.first; p != NULL;
         p = p->next)
        (void)fprintf(out, "%s\n",
                      verb_text(w->run, mfx_problem_format(p, w->run->arena)));
    if (!w->is_loadable)
        (void)fprintf(out, "mfx-dkim cannot load this configuration yet\n");
}

static void
print_json(const struct work *w)
{
    json_t *lines = json_array(), *problems = json_array();
    for (const struct dkim_import_line *l = w->import.lines; l != NULL;
         l = l->next)
        (void)json_array_append_new(
            lines, json_pack("{s:s, s:i, s:o, s:s, s:o}", "file",
                             l->given->file, "line", (int)l->given->line,
                             "setting", verb_json(l->given->name), "fate",
                             word_of(l), "text", verb_json(l->text)));
    for (const struct mfx_problem *p = w->problems.first; p != NULL;
         p = p->next)
        (void)json_array_append_new(
            problems, verb_json(mfx_problem_format(p, w->run->arena)));
    verb_print_json(json_pack("{s:o, s:o, s:o, s:b, s:b}", "settings", lines,
                              "problems", problems, "config",
                              verb_json(w->config), "loads", w->is_loadable,
                              "complete", !w->import.has_losses));
}

static int
put(struct work *w)
{
    const struct request *r = w->request;
    int status = EXIT_OK;
    if (r->out != NULL && !r->only_checks)
        status = made_write(w->run, r->out, "dkim.conf", w->config);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json) {
        print_json(w);
    } else {
        print_report(w, r->only_checks ? stdout : stderr);
        if (r->out == NULL && !r->only_checks)
            (void)fwrite(w->config.p, 1, w->config.len, stdout);
    }
    if (!w->is_loadable)
        return EXIT_CONFIG;
    return w->import.has_losses ? EXIT_NO : EXIT_OK;
}

int
verb_import(struct verb_run *run, int argc, char **argv)
{
    struct request r = {.file = NULL};
    const struct verb_option options[] = {
        {"out",       'o', &r.out,       NULL          },
        {"check",     0,   NULL,         &r.only_checks},
        {"dump-with", 0,   &r.dump_with, NULL          },
        {"defaults",  0,   &r.defaults,  NULL          },
        {"unit",      0,   &r.unit,      NULL          },
        {NULL,        0,   NULL,         NULL          },
    };
    int first;
    switch (verb_options(run, options, argc, argv, &first)) {
    case VERB_GO:
        break;
    case VERB_DONE:
        return EXIT_OK;
    case VERB_WRONG:
        return EXIT_USAGE;
    }
    if (argc - first < 1 || argc - first > 2 ||
        strcmp(argv[first], "opendkim") != 0)
        return verb_wrong(run, "wants opendkim and its configuration file");
    r.file = argc - first == 2 ? argv[first + 1] : debian_conf;
    struct work w = {.run = run, .request = &r};
    dkim_import_init(&w.import, run->arena);
    w.import.out = r.only_checks ? NULL : r.out;
    w.import.dump_with = r.dump_with;
    int status = read_all(&w);
    if (status != EXIT_OK)
        return status;
    dkim_import_convert(&w.import);
    struct mfx_buf config;
    mfx_buf_init_arena(&config, run->arena, CONFIG_MAX);
    dkim_import_write(&w.import, &config);
    if (!mfx_buf_ok(&config) || !mfx_arena_ok(run->arena))
        return verb_fail(run, EXIT_SYSTEM, "the configuration is too large");
    w.config = mfx_buf_str(&config);
    check(&w);
    return put(&w);
}
