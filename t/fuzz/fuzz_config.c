/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration file is loaded; when it is fit, its dump loads again and
 * dumps to the same bytes. What is not fit is never libconfig's to say.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mfx/conf/option.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    bool enable;
    int64_t count;
    uint64_t wait_s, size;
    struct mfx_str id;
    struct mfx_option_list names;
    struct mfx_table *hosts;
    int action;
    unsigned mode;
    const char *file;
    struct mfx_option_groups rules;
};

struct rule {
    struct mfx_str name;
    struct mfx_option_list limits;
    int64_t share;
    struct mfx_table *exempt;
    int action;
};

static const struct mfx_option_word actions[] = {
    {"accept", 1},
    {"reject", 2},
    {NULL,     0},
};

static const struct mfx_option rule_options[] = {
    MFX_OPTION_STRING("name", struct rule, name, "", 0, "A."),
    MFX_OPTION_LIST("limits", struct rule, limits, "1/1d", 0, "A."),
    MFX_OPTION_INT("share", struct rule, share, "100", 1, 100, 0, "A."),
    MFX_OPTION_TABLE("exempt", struct rule, exempt, "", 0, "A."),
    MFX_OPTION_ENUM("then", struct rule, action, "reject", actions, 0, "A."),
    MFX_OPTION_END,
};

static const struct mfx_option options[] = {
    MFX_OPTION_STRING("id", struct sample, id, "", 0, "A."),
    MFX_OPTION_BOOL("sign.enable", struct sample, enable, "true", 0, "A."),
    MFX_OPTION_INT("sign.count", struct sample, count, "10", 1, 100, 0, "A."),
    MFX_OPTION_SECONDS("sign.wait", struct sample, wait_s, "5m", 1, 3600, 0,
                       "A."),
    MFX_OPTION_BYTES("sign.size", struct sample, size, "16M", 0, 0, 0, "A."),
    MFX_OPTION_LIST("sign.names", struct sample, names, "a, b", 0, "A."),
    MFX_OPTION_TABLE("sign.hosts", struct sample, hosts, "csl:a", 0, "A."),
    MFX_OPTION_ENUM("on.failure", struct sample, action, "reject", actions, 0,
                    "A."),
    MFX_OPTION_MODE("on.socket.mode", struct sample, mode, "0660", 0, "A."),
    MFX_OPTION_PATH("file", struct sample, file, "", 0, "A."),
    MFX_OPTION_GROUPS("rules", struct sample, rules, rule_options,
                      sizeof(struct rule), 0, 1000, 0, "A."),
    MFX_OPTION_END,
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Loads the bytes; the dump when they are fit, else an empty string. */
static struct mfx_str
load(struct mfx_str bytes, struct mfx_arena *arena)
{
    struct sample sample = {.count = 0};
    const struct mfx_option_set set = {options, &sample};
    struct mfx_problems problems;
    struct mfx_config *config;
    struct mfx_buf out;
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct mfx_table_set *tables = mfx_table_set_new(NULL);
    check(fd >= 0 && tables != NULL);
    check(bytes.len == 0 ||
          write(fd, bytes.p, bytes.len) == (ssize_t)bytes.len);
    struct mfx_str path = mfx_arena_printf(arena, "/proc/self/fd/%d", fd);
    mfx_problems_init(&problems, arena);
    mfx_buf_init_arena(&out, arena, SIZE_MAX / 2);
    enum mfx_rc rc = mfx_config_load(path.p, path.p, &set, 1, arena, tables,
                                     &problems, &config);
    check((rc == MFX_OK) == (problems.errors == 0));
    if (rc == MFX_OK)
        mfx_config_dump(config, &set, 1, false, &out);
    /* libconfig gets only what it takes; it keeps memory otherwise */
    for (const struct mfx_problem *p = problems.first; p != NULL; p = p->next)
        check(!mfx_str_is(mfx_str_of(p->text), "syntax error"));
    mfx_table_set_free(tables);
    (void)close(fd);
    return mfx_buf_str(&out);
}

/* Broken database files are not what is tried here. */
static bool
names_a_database(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (mfx_str_starts(mfx_str_from(s, i), mfx_str_of("lmdb")) ||
            mfx_str_starts(mfx_str_from(s, i), mfx_str_of("sqlite")))
            return true;
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str in = mfx_str((const char *)data, size);
    struct mfx_arena *arena = mfx_arena_new(0);
    if (!names_a_database(in)) {
        struct mfx_str dump = load(in, arena);
        if (dump.len > 0)
            check(mfx_str_eq(load(dump, arena), dump));
    }
    mfx_arena_free(arena);
    return 0;
}
