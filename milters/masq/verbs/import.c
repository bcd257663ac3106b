/* SPDX-License-Identifier: BSD-2-Clause
 *
 * import - what another program rewrites, as a masq.conf
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../../tools/mfxctl/made.h"
#include "../message.h"
#include "import/mc.h"
#include "import/pf.h"
#include "verbs.h"

enum {
    TEXT_MAX = 128 * 1024 * 1024,
};

struct request {
    const char *file, *out, *cf_dir, *postsrsd;
    bool only_checks;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct masq_import import;
    struct mfx_str config, main_cf, report;
    struct mfx_problems problems;
    bool is_loadable, is_complete;
};

/* --- reading --- */

static enum mfx_rc
read_sendmail(struct work *w, struct mfx_err *err)
{
    struct masq_mc mc = {.import = &w->import, .cf_dir = w->request->cf_dir};
    const char *file = w->request->file;
    enum mfx_rc rc = mfx_str_ends_nocase(mfx_str_of(file), mfx_str_of(".cf"))
                         ? masq_mc_read_cf(&mc, file, err)
                         : masq_mc_read_source(&mc, file, err);
    if (rc == MFX_OK)
        masq_mc_convert(&mc);
    return rc;
}

static enum mfx_rc
read_postfix(struct work *w, struct mfx_err *err)
{
    struct masq_pf pf = {.import = &w->import};
    enum mfx_rc rc = masq_pf_read(&pf, w->request->file, err);
    if (rc == MFX_OK && masq_pf_has_postsrsd(&pf))
        rc = masq_pf_read_postsrsd(&pf, w->request->postsrsd, err);
    if (rc == MFX_OK)
        masq_pf_convert(&pf);
    return rc;
}

static const struct {
    const char *word, *title, *file;
    enum mfx_rc (*read)(struct work *w, struct mfx_err *err);
} sources[] = {
    {"sendmail", "Sendmail", NULL,                   read_sendmail},
    {"postfix",  "Postfix",  "/etc/postfix/main.cf", read_postfix },
};

/* --- what is said --- */

static void
add_report(struct work *w, struct mfx_buf *out)
{
    for (const struct masq_import_item *i = w->import.items; i != NULL;
         i = i->next)
        mfx_buf_printf(
            out, "%s:%u: %s: %s%s %s\n", i->file, i->line,
            verb_text(w->run, i->feature), masq_import_fate_name(i->fate),
            i->fate == MASQ_IMPORT_DONE ? "" : ":", verb_text(w->run, i->text));
    for (const struct mfx_problem *p = w->problems.first; p != NULL;
         p = p->next)
        mfx_buf_printf(out, "%s\n",
                       verb_text(w->run, mfx_problem_format(p, w->run->arena)));
    if (!w->is_loadable)
        mfx_buf_printf(out, "mfx-masq cannot load this configuration yet\n");
}

static void
print_json(const struct work *w)
{
    json_t *lines = json_array(), *problems = json_array();
    for (const struct masq_import_item *i = w->import.items; i != NULL;
         i = i->next)
        (void)json_array_append_new(
            lines,
            json_pack("{s:s, s:i, s:o, s:s, s:o}", "file", i->file, "line",
                      (int)i->line, "feature", verb_json(i->feature), "fate",
                      i->fate == MASQ_IMPORT_DONE
                          ? "done"
                          : masq_import_fate_name(i->fate),
                      "text", verb_json(i->text)));
    for (const struct mfx_problem *p = w->problems.first; p != NULL;
         p = p->next)
        (void)json_array_append_new(
            problems, verb_json(mfx_problem_format(p, w->run->arena)));
    verb_print_json(json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:b}", "lines", lines, "problems", problems,
        "config", verb_json(w->config), "main_cf", verb_json(w->main_cf),
        "loads", w->is_loadable, "complete", w->is_complete));
}

/* What belongs to main.cf is a comment behind masq.conf. */
static void
print_all(const struct work *w)
{
    struct mfx_str rest = w->main_cf, line;
    (void)printf("%.*s", MFX_STR_ARG(w->config));
    if (rest.len > 0)
        (void)putchar('\n');
    while (rest.len > 0 && mfx_str_cut(&rest, '\n', &line))
        (void)printf("#%s%.*s\n", line.len == 0 ? "" : " ", MFX_STR_ARG(line));
}

/* --- writing --- */

static int
write_tables(const struct work *w)
{
    int status = EXIT_OK;
    for (struct masq_import_file *f = w->import.files;
         f != NULL && status == EXIT_OK; f = f->next)
        status =
            mfx_buf_ok(&f->text)
                ? made_write(w->run, w->import.out, f->name,
                             mfx_buf_str(&f->text))
                : verb_fail(w->run, EXIT_SYSTEM, "%s is too large", f->name);
    return status;
}

static int
write_texts(const struct work *w)
{
    const struct {
        const char *name;
        struct mfx_str text;
    } texts[] = {
        {"masq.conf",   w->config },
        {"main.cf.add", w->main_cf},
        {"report",      w->report },
    };
    int status = EXIT_OK;
    for (size_t i = 0; i < 3 && status == EXIT_OK; i++)
        status =
            made_write(w->run, w->import.out, texts[i].name, texts[i].text);
    return status;
}

static int
make_texts(struct work *w)
{
    struct mfx_buf config, main_cf, report;
    struct mfx_offline *loaded = NULL;
    int status = write_tables(w);
    if (status != EXIT_OK)
        return status;
    mfx_buf_init_arena(&config, w->run->arena, TEXT_MAX);
    mfx_buf_init_arena(&main_cf, w->run->arena, TEXT_MAX);
    mfx_buf_init_arena(&report, w->run->arena, TEXT_MAX);
    masq_import_write_config(&w->import, &config);
    masq_import_write_main(&w->import, &main_cf);
    w->config = mfx_buf_str(&config);
    w->main_cf = mfx_buf_str(&main_cf);
    w->is_loadable = made_check(w->run, &masq_filter, w->config, "masq.conf",
                                &w->problems, &loaded);
    mfx_offline_free(loaded);
    add_report(w, &report);
    w->report = mfx_buf_str(&report);
    if (!mfx_buf_ok(&config) || !mfx_buf_ok(&main_cf) || !mfx_buf_ok(&report) ||
        !mfx_arena_ok(w->run->arena))
        return verb_fail(w->run, EXIT_SYSTEM, "the configuration is too large");
    return w->import.out == NULL ? EXIT_OK : write_texts(w);
}

static int
put(struct work *w)
{
    const struct request *r = w->request;
    if (w->run->as_json) {
        print_json(w);
    } else {
        (void)fprintf(r->only_checks ? stdout : stderr, "%.*s",
                      MFX_STR_ARG(w->report));
        if (r->out == NULL && !r->only_checks)
            print_all(w);
    }
    if (!w->is_loadable)
        return EXIT_CONFIG;
    return w->is_complete ? EXIT_OK : EXIT_NO;
}

/* --- the verb --- */

/* The folder's full name, which tables are named by. */
static int
begin(struct work *w, const char *title)
{
    const char *out = NULL;
    const struct request *r = w->request;
    if (r->out != NULL && !r->only_checks) {
        char path[PATH_MAX];
        if (realpath(r->out, path) == NULL)
            return verb_fail(w->run, EXIT_CANNOT_WRITE, "%s: %m", r->out);
        out = mfx_arena_copy(w->run->arena, mfx_str_of(path)).p;
    }
    masq_import_init(&w->import, w->run->arena, out, title);
    return EXIT_OK;
}

static int
import(struct work *w, size_t source)
{
    struct mfx_err err = {""};
    int status = begin(w, sources[source].title);
    if (status != EXIT_OK)
        return status;
    enum mfx_rc rc = sources[source].read(w, &err);
    if (rc != MFX_OK)
        return verb_fail(w->run, EXIT_NOINPUT, "%s",
                         err.msg[0] == '\0' ? "out of memory" : err.msg);
    if (w->import.item_count >= MASQ_IMPORT_ITEMS)
        return verb_fail(w->run, EXIT_NOINPUT, "%s: more than %d settings",
                         w->request->file, MASQ_IMPORT_ITEMS);
    w->is_complete = masq_import_finish(&w->import);
    status = make_texts(w);
    return status == EXIT_OK ? put(w) : status;
}

int
verb_import(struct verb_run *run, int argc, char **argv)
{
    struct request r = {.cf_dir = "/usr/share/sendmail/cf"};
    const struct verb_option options[] = {
        {"output",   'o', &r.out,      NULL          },
        {"check",    0,   NULL,        &r.only_checks},
        {"cf-dir",   0,   &r.cf_dir,   NULL          },
        {"postsrsd", 0,   &r.postsrsd, NULL          },
        {NULL,       0,   NULL,        NULL          },
    };
    struct work w = {.run = run, .request = &r};
    size_t source = 0, count = sizeof sources / sizeof sources[0];
    int first;
    switch (verb_options(run, options, argc, argv, &first)) {
    case VERB_GO:
        break;
    case VERB_DONE:
        return EXIT_OK;
    case VERB_WRONG:
        return EXIT_USAGE;
    }
    if (argc - first < 1 || argc - first > 2)
        return verb_wrong(run, "wants sendmail or postfix, and a file");
    while (source < count && strcmp(argv[first], sources[source].word) != 0)
        source++;
    r.file = argc - first == 2 ? argv[first + 1]
             : source < count  ? sources[source].file
                               : NULL;
    if (source == count || r.file == NULL)
        return verb_wrong(run, "wants sendmail or postfix, and a file");
    return import(&w, source);
}
