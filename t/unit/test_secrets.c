/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/secrets.h>

#include <sys/stat.h>

#include "conf_files.h"
#include "unit.h"

struct files {
    struct conf_files files;
    struct mfx_problems problems;
};

static void
files_begin(struct files *t)
{
    conf_files_init(&t->files);
    mfx_problems_init(&t->problems, t->files.arena);
}

static void
files_end(struct files *t)
{
    conf_files_fini(&t->files);
}

static enum mfx_rc
read_secrets(struct files *t, const char *path, struct mfx_secrets *got)
{
    return mfx_secrets_read(path, "masq.conf", 3, "can do harm", t->files.arena,
                            &t->problems, got);
}

static void
secrets_files(void **state)
{
    static const struct {
        const char *label, *text;
        mode_t mode;
        enum mfx_rc rc;
        const char *want, *problems;
    } cases[] = {
        {"one",             "tops3cr3t\n",                 0600, MFX_OK,       "tops3cr3t", ""                  },
        {"no_final_lf",     "tops3cr3t",                   0600, MFX_OK,       "tops3cr3t", ""                  },
        {"several",         "new\n\nold\r\n\r\n# third\n", 0600, MFX_OK,
         "new|old|# third",                                                                 ""                  },
        {"blanks_count",    " a b \n",                     0600, MFX_OK,       " a b ",     ""                  },
        {"readable_by_all", "x\n",                         0644, MFX_OK,       "x",
         "who reads a secret can do harm"                                                                       },
        {"empty",           "",                            0600, MFX_PERMFAIL, "",          "it holds no secret"},
        {"only_line_ends",  "\n\r\n",                      0600, MFX_PERMFAIL, "",
         "it holds no secret"                                                                                   },
    };
    struct files t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_secrets got;
        files_begin(&t);
        const char *path =
            conf_files_write(&t.files, "secrets", mfx_str_of(cases[i].text));
        assert_int_equal(chmod(path, cases[i].mode), 0);
        unit_assert_int(cases[i].label, read_secrets(&t, path, &got),
                        cases[i].rc);
        struct mfx_buf all;
        mfx_buf_init(&all, 1000);
        for (size_t k = 0; cases[i].rc == MFX_OK && k < got.count; k++)
            mfx_buf_printf(&all, "%s%.*s", k == 0 ? "" : "|",
                           MFX_STR_ARG(got.items[k]));
        unit_assert_str(cases[i].label, mfx_buf_str(&all),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&all);
        const char *said = conf_files_problems(&t.files, &t.problems).p;
        if (strstr(said == NULL ? "" : said, cases[i].problems) == NULL)
            fail_msg("%s: %s", cases[i].label, said);
        files_end(&t);
    }
}

static void
secrets_that_change(void **state)
{
    struct files t;
    struct mfx_secrets got;
    (void)state;
    files_begin(&t);
    const char *path = conf_files_path(&t.files, "secrets");
    assert_int_equal(read_secrets(&t, path, &got), MFX_PERMFAIL);
    (void)conf_files_write(&t.files, "secrets", mfx_str_of("one\n"));
    assert_int_equal(read_secrets(&t, path, &got), MFX_OK);
    assert_false(mfx_secrets_are_outdated(&got));
    (void)conf_files_write(&t.files, "secrets", mfx_str_of("two\n"));
    assert_true(mfx_secrets_are_outdated(&got));
    struct mfx_buf text;
    mfx_buf_init(&text, 1000000);
    for (int i = 0; i <= MFX_SECRETS_LINE_MAX; i++)
        mfx_buf_add_byte(&text, 'x');
    (void)conf_files_write(&t.files, "secrets", mfx_buf_str(&text));
    assert_int_equal(read_secrets(&t, path, &got), MFX_PERMFAIL);
    mfx_buf_clear(&text);
    for (int i = 0; i <= MFX_SECRETS_MAX; i++)
        mfx_buf_printf(&text, "s%d\n", i);
    (void)conf_files_write(&t.files, "secrets", mfx_buf_str(&text));
    assert_int_equal(read_secrets(&t, path, &got), MFX_PERMFAIL);
    mfx_buf_fini(&text);
    files_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_files),
        cmocka_unit_test(secrets_that_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
