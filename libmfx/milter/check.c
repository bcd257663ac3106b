/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/daemon.h>

#include <stdio.h>
#include <sysexits.h>

struct mfx_snapshot_load
mfx_daemon_load(const struct mfx_daemon *d, struct mfx_problems *problems)
{
    const struct mfx_snapshot_load load = {
        .filter = d->filter,
        .common_options = d->common_options,
        .file = d->file,
        .common_file = d->common_file,
        .problems = problems,
    };
    return load;
}

void
mfx_daemon_print_problems(const struct mfx_problems *problems,
                          struct mfx_arena *arena)
{
    for (const struct mfx_problem *p = problems->first; p != NULL;
         p = p->next) {
        struct mfx_str text = mfx_problem_format(p, arena);
        (void)fprintf(stderr, "%.*s\n", MFX_STR_ARG(text));
    }
}

static void
check_socket(const struct mfx_daemon *d, const struct mfx_snapshot *s,
             struct mfx_problems *problems)
{
    struct mfx_listen_address address;
    struct mfx_err err = {{0}};
    unsigned line = 0;
    const char *where = mfx_config_where(s->config, "socket", &line);
    struct mfx_str text = s->common.socket;
    if (d->line.socket != NULL) {
        text = mfx_str_of(d->line.socket);
        where = NULL;
    }
    if (mfx_listen_address_parse(text, problems->arena, &address, &err) !=
        MFX_OK)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, where == NULL ? "" : where,
                        where == NULL ? 0 : line, "socket: %s", err.msg);
}

/* Root reads who to become; everything else is checked as that user. */
static enum mfx_rc
become_user(struct mfx_daemon *d, struct mfx_problems *problems)
{
    struct mfx_snapshot_load load = mfx_daemon_load(d, problems);
    struct mfx_snapshot *s = NULL;
    struct mfx_err err = {{0}};
    load.settings_only = true;
    enum mfx_rc rc = mfx_snapshot_new(&load, &s);
    if (rc != MFX_OK)
        return rc;
    check_socket(d, s, problems);
    rc = mfx_identity_find(s->common.user, s->common.group, &d->identity, &err);
    if (rc == MFX_OK)
        rc = mfx_identity_assume(&d->identity, &err);
    if (rc != MFX_OK)
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, d->file, 0, "%s", err.msg);
    mfx_snapshot_release(s);
    return rc;
}

int
mfx_daemon_check(struct mfx_daemon *d)
{
    struct mfx_problems first, problems;
    struct mfx_snapshot *s = NULL;
    mfx_problems_init(&first, d->arena);
    mfx_problems_init(&problems, d->arena);
    enum mfx_rc rc = become_user(d, &first);
    if (rc != MFX_OK || first.errors > 0) {
        mfx_daemon_print_problems(&first, d->arena);
        return EX_CONFIG;
    }
    struct mfx_snapshot_load load = mfx_daemon_load(d, &problems);
    load.check_all = true;
    load.check_dns = d->line.check_dns;
    rc = mfx_snapshot_new(&load, &s);
    mfx_daemon_print_problems(&problems, d->arena);
    mfx_snapshot_release(s);
    if (rc != MFX_OK || problems.errors > 0)
        return EX_CONFIG;
    (void)printf("%s: ok\n", d->file);
    return EX_OK;
}

int
mfx_daemon_dump(struct mfx_daemon *d)
{
    struct mfx_problems problems;
    struct mfx_snapshot *s = NULL;
    struct mfx_option_set sets[2];
    struct mfx_buf out;
    mfx_problems_init(&problems, d->arena);
    struct mfx_snapshot_load load = mfx_daemon_load(d, &problems);
    load.settings_only = true;
    enum mfx_rc rc = mfx_snapshot_new(&load, &s);
    mfx_daemon_print_problems(&problems, d->arena);
    if (rc != MFX_OK)
        return EX_CONFIG;
    mfx_buf_init(&out, 64 * 1024 * 1024);
    mfx_snapshot_option_sets(s, d->common_options, sets);
    mfx_config_dump(s->config, sets, d->filter->options == NULL ? 1 : 2,
                    d->line.changed_only, &out);
    bool ok = mfx_buf_ok(&out) && fputs(mfx_buf_text(&out), stdout) >= 0 &&
              fflush(stdout) == 0;
    mfx_buf_fini(&out);
    mfx_snapshot_release(s);
    return ok ? EX_OK : EX_IOERR;
}
