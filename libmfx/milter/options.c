/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/daemon.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"

enum {
    OPTION_DNS = 256,
    OPTION_CHANGED,
    OPTION_MAN,
    OPTION_EXAMPLE,
};

static const struct option long_options[] = {
    {"config",  required_argument, NULL, 'c'           },
    {"socket",  required_argument, NULL, 's'           },
    {"check",   no_argument,       NULL, 't'           },
    {"dns",     no_argument,       NULL, OPTION_DNS    },
    {"dump",    no_argument,       NULL, 'T'           },
    {"changed", no_argument,       NULL, OPTION_CHANGED},
    {"detach",  no_argument,       NULL, 'D'           },
    {"version", no_argument,       NULL, 'V'           },
    {"help",    no_argument,       NULL, 'h'           },
    {"man",     no_argument,       NULL, OPTION_MAN    },
    {"example", no_argument,       NULL, OPTION_EXAMPLE},
    {NULL,      0,                 NULL, 0             },
};

static void
usage(FILE *out, const struct mfx_filter *filter)
{
    (void)fprintf(
        out,
        "usage: %s [-c FILE] [-s SOCKET] [-D]\n"
        "       %s -t [--dns] [-c FILE]\n"
        "       %s -T [--changed] [-c FILE]\n"
        "\n"
        "%s\n"
        "\n"
        "  -c, --config FILE    configuration (%s/%s.conf)\n"
        "  -s, --socket SOCKET  where the MTA connects; overrides the "
        "configuration\n"
        "  -t, --check          check configuration, files and keys as the\n"
        "                       configured user, then exit\n"
        "      --dns            with -t: also what DNS publishes\n"
        "  -T, --dump           print all settings in force, then exit\n"
        "      --changed        with -T: only those not at their default\n"
        "  -D, --detach         run in the background\n"
        "  -V, --version        print the version\n"
        "  -h, --help           print this\n"
        "      --example        print a commented configuration file\n"
        "      --man            print the settings as a man page section\n",
        filter->name, filter->name, filter->name, filter->summary,
        MFX_SYSCONFDIR, mfx_short_name(filter->name));
}

static int
print_table(const struct mfx_daemon *d,
            void (*print)(const struct mfx_option *, struct mfx_buf *))
{
    struct mfx_buf out;
    mfx_buf_init(&out, 16 * 1024 * 1024);
    if (d->filter->options != NULL)
        print(d->filter->options, &out);
    print(d->common_options, &out);
    (void)fputs(mfx_buf_text(&out), stdout);
    bool ok = mfx_buf_ok(&out) && fflush(stdout) == 0;
    mfx_buf_fini(&out);
    return ok ? EX_OK : EX_IOERR;
}

/* common.conf stands beside the daemon's own file. */
static bool
find_files(struct mfx_daemon *d)
{
    const char *given = d->line.file;
    if (given == NULL) {
        d->file = mfx_arena_printf(d->arena, "%s/%s.conf", MFX_SYSCONFDIR,
                                   mfx_short_name(d->filter->name))
                      .p;
    } else if (given[0] == '/') {
        d->file = given;
    } else {
        char cwd[4096];
        if (getcwd(cwd, sizeof cwd) == NULL)
            return false;
        d->file = mfx_arena_printf(d->arena, "%s/%s", cwd, given).p;
    }
    if (d->file == NULL)
        return false;
    int dir = (int)(strrchr(d->file, '/') - d->file);
    d->common_file =
        mfx_arena_printf(d->arena, "%.*s/common.conf", dir, d->file).p;
    return d->common_file != NULL;
}

/* -1: go on; else the exit status. */
static int
take_option(struct mfx_daemon *d, int option)
{
    switch (option) {
    case 'c':
        d->line.file = optarg;
        return -1;
    case 's':
        d->line.socket = optarg;
        return -1;
    case 't':
        d->line.check = true;
        return -1;
    case OPTION_DNS:
        d->line.check_dns = true;
        return -1;
    case 'T':
        d->line.dump = true;
        return -1;
    case OPTION_CHANGED:
        d->line.changed_only = true;
        return -1;
    case 'D':
        d->line.detach = true;
        return -1;
    case 'V':
        (void)printf("%s %s\n", d->filter->name, PACKAGE_VERSION);
        return EX_OK;
    case 'h':
        usage(stdout, d->filter);
        return EX_OK;
    case OPTION_MAN:
        return print_table(d, mfx_option_man);
    case OPTION_EXAMPLE:
        return print_table(d, mfx_option_example);
    default:
        usage(stderr, d->filter);
        return EX_USAGE;
    }
}

static int
start(struct mfx_daemon *d, int argc, char **argv)
{
    int option, status;
    while ((option =
                getopt_long(argc, argv, "c:s:tTDVh", long_options, NULL)) != -1)
        if ((status = take_option(d, option)) >= 0)
            return status;
    if (optind < argc) {
        usage(stderr, d->filter);
        return EX_USAGE;
    }
    if (!find_files(d))
        return EX_OSERR;
    if (d->line.check)
        return mfx_daemon_check(d);
    if (d->line.dump)
        return mfx_daemon_dump(d);
    return mfx_daemon_run(d);
}

int
mfx_main(int argc, char **argv, const struct mfx_filter *filter)
{
    struct mfx_daemon *d = calloc(1, sizeof *d);
    if (d == NULL)
        return EX_OSERR;
    d->filter = filter;
    d->arena = mfx_arena_new(0);
    if (d->arena != NULL)
        d->common_options = mfx_common_options(filter->name, d->arena);
    int status = d->common_options == NULL ? EX_OSERR : start(d, argc, argv);
    mfx_arena_free(d->arena);
    free(d);
    return status;
}
