/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint - is this record right, what does it cost, and what would help
 */
#include <mfx/mail/address.h>

#include "lint.h"

enum {
    DEFAULT_MS = 30000,
};

struct work {
    const struct verb_run *run;
    const char *what, *domain, *dns, *zone, *timeout;
    bool is_strict, is_offline;
    struct verb_env env;
    struct lint lint;
    struct lint_page root;
};

static struct mfx_str
without_final_dot(struct mfx_str name)
{
    return name.len > 1 && name.p[name.len - 1] == '.'
               ? mfx_str_head(name, name.len - 1)
               : name;
}

static int
take_domain(struct work *w, const char *text)
{
    struct mfx_str ascii, name = without_final_dot(mfx_str_of(text));
    enum mfx_rc rc = mfx_domain_to_ascii(name, w->run->arena, &ascii);
    if (rc == MFX_TEMPFAIL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (rc != MFX_OK || ascii.len == 0)
        return verb_wrong(w->run, "%s: no domain",
                          verb_text(w->run, mfx_str_of(text)));
    w->root.domain = ascii;
    return EXIT_OK;
}

static int
take_input(struct work *w)
{
    struct mfx_str bytes;
    int status = verb_read(w->run, "-", &bytes);
    if (status != EXIT_OK)
        return status;
    w->lint.is_file = true;
    if (!lint_input(w->run->arena, bytes, &w->root))
        return verb_fail(w->run, EXIT_NOINPUT, "stdin: no record");
    if (w->root.text.len > LINT_RECORD)
        return verb_fail(w->run, EXIT_NO,
                         "stdin: %zu octets, where a TXT record holds %d",
                         w->root.text.len, LINT_RECORD);
    return w->domain == NULL ? EXIT_OK : take_domain(w, w->domain);
}

static int
take(struct work *w)
{
    uint64_t ms = DEFAULT_MS;
    bool is_file = mfx_str_is(mfx_str_of(w->what), "-");
    if (w->timeout != NULL && !spf_verb_seconds(w->timeout, &ms))
        return verb_wrong(w->run, "--timeout %s: seconds from 1 to 600",
                          w->timeout);
    if (!is_file && (w->is_offline || w->domain != NULL))
        return verb_wrong(w->run, "%s goes with \"-\"",
                          w->is_offline ? "--offline" : "--domain");
    int status = is_file ? take_input(w) : take_domain(w, w->what);
    if (status == EXIT_OK && !w->is_offline)
        status = verb_env_init(w->run, w->dns, w->zone, NULL, &w->env);
    w->lint.until_ms = mfx_mono_ms() + ms;
    return status;
}

static int
status_of(const struct work *w)
{
    const struct lint *l = &w->lint;
    if (l->counts[LINT_WRONG] > 0 ||
        (w->is_strict && l->counts[LINT_DOUBT] > 0))
        return EXIT_NO;
    return l->is_unanswered ? EXIT_TEMP : EXIT_OK;
}

static int
run_work(struct work *w)
{
    struct lint *l = &w->lint;
    int status = take(w);
    if (status != EXIT_OK)
        return status;
    l->run = w->run;
    l->env = w->is_offline ? NULL : &w->env.env;
    l->end = &l->first;
    if (!lint_walk(l, &w->root))
        return verb_fail(w->run, EXIT_TEMP, "%s: %s",
                         verb_text(w->run, w->root.domain),
                         mfx_dns_status_name(w->root.dns));
    lint_judge(l);
    if (!mfx_arena_ok(w->run->arena))
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (w->run->as_json)
        verb_print_json(lint_json(l));
    else
        lint_show(l);
    return status_of(w);
}

int
verb_lint(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"domain",  'd', &w.domain,  NULL         },
        {"dns",     0,   &w.dns,     NULL         },
        {"zone",    0,   &w.zone,    NULL         },
        {"timeout", 't', &w.timeout, NULL         },
        {"offline", 0,   NULL,       &w.is_offline},
        {"strict",  0,   NULL,       &w.is_strict },
        {NULL,      0,   NULL,       NULL         },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one DOMAIN, or \"-\" for a record on stdin");
    w.what = argv[first];
    int status = run_work(&w);
    /* questions first: they are of this resolver */
    mfx_arena_reset(run->arena);
    verb_env_fini(&w.env);
    return status;
}
