/* SPDX-License-Identifier: BSD-2-Clause */
#include "dkim_bench.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 8463 A.2: the Ed25519 secret of the sample. */
#define SEED "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

void
bench_write(const struct bench *b, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

const char *
bench_text(const struct bench *b, const char *text)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, b->arena, 65536);
    for (; *text != '\0'; text++) {
        if (*text == '^')
            mfx_buf_add_text(&out, b->dir);
        else
            mfx_buf_add_byte(&out, *text);
    }
    return mfx_buf_text(&out);
}

enum mfx_rc
bench_load(struct bench *b, const char *conf)
{
    bench_write(b, "dkim.conf", bench_text(b, conf));
    char file[200];
    (void)snprintf(file, sizeof file, "%s/dkim.conf", b->dir);
    struct mfx_option_set set = {dkim_options, &b->settings};
    enum mfx_rc rc = mfx_config_load(file, NULL, &set, 1, b->arena, b->tables,
                                     &b->problems, &b->config);
    if (rc != MFX_OK)
        return rc;
    struct mfx_policy_build build = {
        .settings = &b->settings,
        .config = b->config,
        .arena = b->arena,
        .env = &b->env,
        .problems = &b->problems,
        .check_all = true,
        .dns_is_trusted = b->dns_is_trusted,
    };
    void *policy = NULL;
    rc = dkim_policy_new(&build, &policy);
    b->policy = policy;
    return rc;
}

void
bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    (void)snprintf(b->dir, sizeof b->dir, "/var/tmp/mfx-unit-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->arena = mfx_arena_new(0);
    b->tables = mfx_table_set_new(NULL);
    b->env = mfx_env_system();
    mfx_problems_init(&b->problems, b->arena);
    bench_write(b, "a.key", SEED);
    bench_write(b, "b.key", SEED);
    bench_write(b, "example.org.key", SEED);
}

void
bench_fini(struct bench *b)
{
    static const char *const names[] = {"dkim.conf",       "a.key", "b.key",
                                        "example.org.key", "st",    "kt"};
    dkim_policy_free(b->policy);
    mfx_table_set_free(b->tables);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%s", b->dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(b->dir);
    mfx_arena_free(b->arena);
}

bool
bench_has_problem(const struct bench *b, const char *words)
{
    for (const struct mfx_problem *p = b->problems.first; p != NULL;
         p = p->next)
        if (strstr(p->text, words) != NULL || strstr(p->file, words) != NULL)
            return true;
    return false;
}

const char *
bench_signers(struct bench *b, const struct dkim_plan *plan)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, b->arena, 4096);
    for (const struct dkim_signer *s = plan->signers; s != NULL; s = s->next)
        mfx_buf_printf(&out, "%s%.*s/%.*s%s%.*s", out.len == 0 ? "" : " ",
                       MFX_STR_ARG(s->domain), MFX_STR_ARG(s->selector),
                       s->identity.len == 0 ? "" : "/",
                       MFX_STR_ARG(s->identity));
    return mfx_buf_text(&out);
}
