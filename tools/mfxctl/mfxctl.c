/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl - the operator's command
 *
 * What daemons know it asks them over their control sockets; "mfxctl NAME
 * ..." runs mfxctl-NAME, which is built from that daemon's own code.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/env.h>

#include "config.h"
#include "control.h"
#include "exit.h"

struct options {
    const char *socket, *daemon;
    bool as_json, wants_help, wants_version;
    unsigned wait_s;
};

/* Of several daemons, who is asked when none is named. */
enum whom {
    ASK_ALL,
    ASK_ONE,
    ASK_ANY, /* all; one that knows is enough */
};

struct command {
    const char *name;
    size_t least, most; /* arguments */
    enum whom whom;
    const char *summary, *help;
};

static const char status_help[] =
    "Usage: mfxctl [options] status\n"
    "\n"
    "Shows version, uptime, configuration, connections, messages and table\n"
    "sizes of every daemon whose control socket is found.\n";

static const char reload_help[] =
    "Usage: mfxctl [options] reload\n"
    "\n"
    "Loads configuration, tables and keys anew. When something is wrong, the\n"
    "daemon goes on with what it had, the mistakes are printed with file and\n"
    "line, and the exit status is 1.\n";

static const char metrics_help[] =
    "Usage: mfxctl [options] metrics\n"
    "\n"
    "Prints what metrics.listen would serve over HTTP.\n";

static const char log_help[] =
    "Usage: mfxctl [options] log error|warning|info|debug\n"
    "\n"
    "Changes the log level at once; a restart brings back log.level.\n";

static const char explain_help[] =
    "Usage: mfxctl [options] explain [QUEUEID | CLIENT | ADDRESS]\n"
    "\n"
    "Shows the decision about one of the latest recent_messages messages: the\n"
    "rules asked, what each answered, and the edits. Exit status 1 when no\n"
    "daemon remembers it. Mail that was refused may have no queue id: the\n"
    "client's address, the sender's or a recipient's shows the newest message.\n"
    "Without a word the messages that are remembered are listed.\n";

static const struct command commands[] = {
    {"status",  0, 0, ASK_ALL, "what each daemon does, and since when",
     status_help                                                                             },
    {"reload",  0, 0, ASK_ONE, "load the configuration again",                   reload_help },
    {"metrics", 0, 0, ASK_ALL, "counters as Prometheus text",                    metrics_help},
    {"log",     1, 1, ASK_ONE, "LEVEL: log more or less until the next restart",
     log_help                                                                                },
    {"explain", 0, 1, ASK_ANY, "[QUEUEID]: why a recent message was treated so",
     explain_help                                                                            },
};

static const char usage_text[] =
    "Usage: mfxctl [options] COMMAND [ARGUMENT...]\n"
    "\n"
    "Asks running daemons:\n"
    "%s"
    "\n"
    "Works without a daemon:\n"
    "  dkim ...         keys, signatures, and what mfx-dkim would decide\n"
    "                   (mfxctl dkim --help)\n"
    "  quota ...        who has used how much of which limit, and exceptions\n"
    "                   (mfxctl quota --help)\n"
    "  masq ...         what becomes of addresses, and checks of tables\n"
    "                   (mfxctl masq --help)\n"
    "  spf ...          what SPF and DNS lists say, and checks of records\n"
    "                   (mfxctl spf --help)\n"
    "  score ...        what engines say of mail, and teaching them\n"
    "                   (mfxctl score --help)\n"
    "\n"
    "Options:\n"
    "  -s, --socket PATH    the control socket to ask\n"
    "      --daemon NAME    ask %s/NAME.ctl (dkim, quota, masq, spf, score)\n"
    "  -j, --json           answer as one JSON value\n"
    "  -w, --wait SECONDS   longest wait for an answer (30)\n"
    "  -V, --version        print the version\n"
    "  -h, --help           print this; after a command, about the command\n"
    "\n"
    "Other words go to the daemon named by --socket or --daemon as they are;\n"
    "\"mfxctl --daemon dkim help\" lists what it knows.\n"
    "\n"
    "Exit status: 0 done, 1 the answer is no, 2 no answer this time, 64 wrong\n"
    "usage, 69 no daemon there, 71 system. See mfxctl(1).\n";

static const char *
run_folder(void)
{
    const char *folder = getenv("MFX_RUNDIR");
    return folder != NULL ? folder : "/run/mfx"; /* control.socket */
}

static void
print_usage(FILE *out)
{
    char list[1000] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        int n = snprintf(list + used, sizeof list - used, "  %-16s %s\n",
                         commands[i].name, commands[i].summary);
        used += n > 0 ? (size_t)n : 0;
    }
    (void)fprintf(out, usage_text, list, run_folder());
}

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

enum {
    OPTION_DAEMON = 1000
};

static const struct option long_options[] = {
    {"socket",  required_argument, NULL, 's'          },
    {"daemon",  required_argument, NULL, OPTION_DAEMON},
    {"json",    no_argument,       NULL, 'j'          },
    {"wait",    required_argument, NULL, 'w'          },
    {"version", no_argument,       NULL, 'V'          },
    {"help",    no_argument,       NULL, 'h'          },
    {NULL,      0,                 NULL, 0            },
};

static bool
take_option(struct options *o, int code)
{
    uint64_t wait_s = 0;
    switch (code) {
    case 's':
        o->socket = optarg;
        return true;
    case OPTION_DAEMON:
        o->daemon = optarg;
        return true;
    case 'j':
        o->as_json = true;
        return true;
    case 'w':
        if (mfx_str_to_u64(mfx_str_of(optarg), 86400, &wait_s) != MFX_OK) {
            (void)fprintf(
                stderr, "mfxctl: --wait %s: not a number of seconds\n", optarg);
            return false;
        }
        o->wait_s = (unsigned)wait_s;
        return true;
    case 'V':
        o->wants_version = true;
        return true;
    case 'h':
        o->wants_help = true;
        return true;
    default:
        return false;
    }
}

/* Reads options up to the first other word, or all of them when permute.
 * Returns false after it has said what is wrong. */
static bool
read_options(int argc, char **argv, bool permute, struct options *o)
{
    const char *letters = permute ? "s:jw:Vh" : "+s:jw:Vh";
    int code;
    while ((code = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
        if (!take_option(o, code))
            return false;
    return true;
}

/* Runs mfxctl-NAME in place of this process. Returns when there is none. */
static void
run_tool(const struct options *o, const char *name, char **args,
         struct mfx_arena *arena)
{
    const char *folder = getenv("MFX_LIBEXECDIR");
    size_t count = 0, n = 0;
    while (args[count] != NULL)
        count++;
    struct mfx_str path = mfx_arena_printf(
        arena, "%s/mfxctl-%s", folder != NULL ? folder : MFX_LIBEXECDIR, name);
    char **argv = mfx_arena_alloc_array(arena, count + 4, sizeof *argv);
    if (argv == NULL || strchr(name, '/') != NULL || access(path.p, X_OK) != 0)
        return;
    argv[n++] = (char *)(uintptr_t)path.p;
    if (o->as_json)
        argv[n++] = "--json";
    if (o->wants_help)
        argv[n++] = "--help";
    memcpy(argv + n, args, count * sizeof *argv);
    if (o->socket != NULL)
        (void)setenv("MFX_SOCKET", o->socket, 1); /* for verbs that ask */
    (void)execv(path.p, argv);
    perror(path.p);
}

/* --- asking --- */

static int
exit_for(enum mfx_rc rc, const struct control_reply *reply)
{
    switch (rc) {
    case MFX_OK:
        return reply->is_error ? EXIT_NO : EXIT_OK;
    case MFX_NOTFOUND:
    case MFX_PERMFAIL:
        return EXIT_UNREACHABLE;
    case MFX_TEMPFAIL:
        return EXIT_TEMP;
    }
    return EXIT_TEMP;
}

static void
put_body(struct mfx_str body)
{
    if (body.len == 0)
        return;
    (void)fwrite(body.p, 1, body.len, stdout);
    if (body.p[body.len - 1] != '\n')
        (void)putchar('\n');
}

static json_t *
json_text(struct mfx_str text)
{
    json_t *j = json_stringn(text.p, text.len);
    return j != NULL ? j : json_string("(not UTF-8)");
}

/* The answer of one daemon as JSON: its own value, or an object that holds
 * the error and whatever came with it. */
static json_t *
json_of(const struct control_reply *reply, struct mfx_str problem)
{
    json_t *body =
        reply->body.len == 0
            ? NULL
            : json_loadb(reply->body.p, reply->body.len, JSON_DECODE_ANY, NULL);
    if (problem.len == 0 && body != NULL)
        return body;
    json_t *o = json_object();
    if (problem.len > 0)
        (void)json_object_set_new(o, "error", json_text(problem));
    if (body != NULL)
        (void)json_object_set_new(o, "answer", body);
    else if (reply->body.len > 0)
        (void)json_object_set_new(o, "text", json_text(reply->body));
    return o;
}

struct run {
    const struct options *options;
    const struct command *command; /* NULL: a daemon's own verb */
    struct mfx_arena *arena;
    struct mfx_str line;
    json_t *all; /* answers by daemon; NULL: only one is asked */
    bool with_headings;
};

static void
show(const struct run *run, const char *name, const struct control_reply *reply,
     struct mfx_str problem)
{
    if (run->all != NULL) {
        (void)json_object_set_new(run->all, name, json_of(reply, problem));
        return;
    }
    if (run->options->as_json) {
        json_t *j = json_of(reply, problem);
        (void)json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        (void)putchar('\n');
        json_decref(j);
        return;
    }
    if (run->with_headings)
        (void)printf(
            "%s %s\n",
            strcmp(run->command->name, "metrics") == 0 ? "#" : "==", name);
    put_body(reply->body);
    (void)fflush(stdout);
    if (problem.len > 0)
        (void)fprintf(stderr, "mfxctl: %s%s%.*s\n",
                      run->with_headings ? name : "",
                      run->with_headings ? ": " : "", MFX_STR_ARG(problem));
}

static int
ask(const struct run *run, const struct control_socket *socket)
{
    struct mfx_err err = {0};
    struct control_reply reply;
    uint64_t until_ms = mfx_mono_ms() + (uint64_t)run->options->wait_s * 1000;
    enum mfx_rc rc = control_ask(socket->path, run->line, until_ms, run->arena,
                                 &reply, &err);
    show(run, socket->daemon, &reply,
         rc != MFX_OK ? mfx_str_of(err.msg) : reply.error);
    return exit_for(rc, &reply);
}

static int
ask_each(struct run *run, const struct control_socket *sockets, size_t count)
{
    bool is_any = run->command != NULL && run->command->whom == ASK_ANY;
    int worst = EXIT_OK, best = EXIT_UNREACHABLE;
    for (size_t i = 0; i < count; i++) {
        int status = ask(run, &sockets[i]);
        worst = status > worst ? status : worst;
        best = status < best ? status : best;
    }
    if (run->all != NULL) {
        (void)json_dumpf(run->all, stdout, JSON_INDENT(2));
        (void)putchar('\n');
        json_decref(run->all);
    }
    return is_any ? best : worst;
}

static int
say_which(const struct control_socket *sockets, size_t count)
{
    (void)fprintf(stderr, "mfxctl: which daemon? --daemon ");
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "%s%s", i == 0 ? "" : ", ", sockets[i].daemon);
    (void)fprintf(stderr, "\n");
    return EXIT_USAGE;
}

static int
ask_daemons(struct run *run)
{
    const struct options *o = run->options;
    struct control_socket one = {.path = o->socket, .daemon = o->daemon};
    const struct control_socket *sockets = &one;
    size_t count = 1;
    if (o->socket == NULL && o->daemon != NULL) {
        one.path =
            mfx_arena_printf(run->arena, "%s/%s.ctl", run_folder(), o->daemon)
                .p;
        if (one.path == NULL)
            return EXIT_SYSTEM;
    }
    if (one.path == NULL &&
        control_find(run_folder(), run->arena, &sockets, &count) != MFX_OK) {
        (void)fprintf(stderr,
                      "mfxctl: no control socket in %s (use --socket)\n",
                      run_folder());
        return EXIT_UNREACHABLE;
    }
    if (one.path == NULL && run->command->whom == ASK_ONE && count > 1)
        return say_which(sockets, count);
    run->with_headings = count > 1;
    if (one.path == NULL && run->command->whom != ASK_ONE && o->as_json)
        run->all = json_object();
    if (one.daemon == NULL)
        one.daemon = "";
    return ask_each(run, sockets, count);
}

static int
run_words(const struct options *o, const struct command *command,
          char *const *words, size_t count, struct mfx_arena *arena)
{
    struct mfx_buf line;
    struct run run = {.options = o, .command = command, .arena = arena};
    mfx_buf_init_arena(&line, arena, CONTROL_LINE_MAX);
    if (control_request(&line, o->as_json, (const char *const *)words, count) !=
        MFX_OK) {
        (void)fprintf(stderr, "mfxctl: an argument is empty, too long, or "
                              "holds a blank\n");
        return EXIT_USAGE;
    }
    run.line = mfx_buf_str(&line);
    return ask_daemons(&run);
}

static int
run_command(struct options *o, const struct command *command, int argc,
            char **argv, struct mfx_arena *arena)
{
    optind = 0;
    if (!read_options(argc, argv, true, o))
        return EXIT_USAGE;
    if (o->wants_help) {
        (void)fputs(command->help, stdout);
        return EXIT_OK;
    }
    /* argv[0] is the command's own name */
    size_t given = (size_t)(argc - optind);
    if (given < command->least || given > command->most) {
        (void)fputs(command->help, stderr);
        return EXIT_USAGE;
    }
    char *words[2] = {argv[0], given > 0 ? argv[optind] : NULL};
    return run_words(o, command, words, 1 + given, arena);
}

static int
run(struct options *o, int argc, char **argv, struct mfx_arena *arena)
{
    if (o->wants_version) {
        (void)printf("mfxctl %s\n", PACKAGE_VERSION);
        return EXIT_OK;
    }
    if (argc == 0) {
        print_usage(o->wants_help ? stdout : stderr);
        return o->wants_help ? EXIT_OK : EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 && o->socket == NULL &&
        o->daemon == NULL) {
        const struct command *about = argc > 1 ? find_command(argv[1]) : NULL;
        if (about != NULL)
            (void)fputs(about->help, stdout);
        else
            print_usage(stdout);
        return EXIT_OK;
    }
    const struct command *command = find_command(argv[0]);
    if (command != NULL)
        return run_command(o, command, argc, argv, arena);
    /* whose configuration it is, the word behind it says */
    if (strcmp(argv[0], "import") == 0)
        run_tool(o, "dkim", argv, arena);
    run_tool(o, argv[0], argv + 1, arena);
    if (o->socket != NULL || o->daemon != NULL)
        return run_words(o, NULL, argv, (size_t)argc, arena);
    (void)fprintf(stderr, "mfxctl: %s: no such command (mfxctl --help)\n",
                  argv[0]);
    return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    struct options o = {.wait_s = 30};
    struct mfx_arena *arena = mfx_arena_new(0);
    int status = EXIT_USAGE;
    if (arena == NULL)
        return EXIT_SYSTEM;
    if (read_options(argc, argv, false, &o))
        status = run(&o, argc - optind, argv + optind, arena);
    mfx_arena_free(arena);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        status = status == EXIT_OK ? EXIT_CANNOT_WRITE : status;
    return status;
}
