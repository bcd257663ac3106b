/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-dkim - what can be done with DKIM without a running daemon, by the
 * daemon's own code; "mfxctl dkim ..." runs it
 */
#include "config.h"
#include "verb.h"

struct verb {
    const char *name;
    int (*run)(struct verb_run *run, int argc, char **argv);
    const char *summary, *help;
};

static const struct verb verbs[] = {
    {"genkey", verb_genkey, "make a key and the record for DNS",
     "Usage: mfxctl dkim genkey --domain DOMAIN --selector SELECTOR\n"
     "           [--algorithm rsa|ed25519] [--bits 2048] [--out FILE]\n"
     "           [--owner USER] [--json]\n"
     "\n"
     "Writes a new private key to FILE (SELECTOR.pem), readable by its owner\n"
     "alone, and prints the record to publish as a line for a zone file. A file\n"
     "that is there is never overwritten.\n"
     "\n"
     "  -d, --domain DOMAIN       the signing domain (d=)\n"
     "  -s, --selector SELECTOR   the name of the key below the domain (s=)\n"
     "  -a, --algorithm WORD      rsa (the default) or ed25519\n"
     "  -b, --bits NUMBER         size of an RSA key: 1024 to 8192 (2048)\n"
     "  -o, --out FILE            where the key goes\n"
     "      --owner USER          gives the file to this user (as root)\n"
     "  -j, --json                prints one JSON object\n"
     "\n"
     "Exit status: 0 made, 64 wrong usage, 71 no key could be made, 73 the file\n"
     "cannot be written or is there already.\n"},
};

static void
print_usage(FILE *out)
{
    (void)fputs("Usage: mfxctl dkim [--json] VERB [ARGUMENT...]\n\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        (void)fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    (void)fputs("\nmfxctl dkim VERB --help tells more about each. FILE may be "
                "\"-\" for stdin.\n"
                "Other words are verbs of the running daemon: see mfxctl "
                "--daemon dkim help.\n",
                out);
}

static const struct verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* Options before the verb: those that mfxctl hands on. Returns the index of
 * the verb, or argc. */
static int
leading_options(int argc, char **argv, struct verb_run *run, bool *wants_help)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        struct mfx_str word = mfx_str_of(argv[i]);
        if (mfx_str_is(word, "--json") || mfx_str_is(word, "-j"))
            run->as_json = true;
        else if (mfx_str_is(word, "--help") || mfx_str_is(word, "-h"))
            *wants_help = true;
        else
            return -i;
    }
    return i;
}

static int
run_verb(struct verb_run *run, int argc, char **argv, bool wants_help)
{
    const struct verb *verb = find_verb(argv[0]);
    if (verb == NULL && mfx_str_is(mfx_str_of(argv[0]), "help")) {
        verb = argc > 1 ? find_verb(argv[1]) : NULL;
        wants_help = true;
    }
    if (verb == NULL && wants_help) {
        print_usage(stdout);
        return EXIT_OK;
    }
    if (verb == NULL) {
        (void)fprintf(stderr,
                      "mfxctl dkim: %s: no such verb (mfxctl dkim "
                      "--help)\n",
                      argv[0]);
        return EXIT_USAGE;
    }
    if (wants_help) {
        (void)fputs(verb->help, stdout);
        return EXIT_OK;
    }
    run->verb = verb->name;
    run->help = verb->help;
    return verb->run(run, argc, argv);
}

int
main(int argc, char **argv)
{
    struct verb_run run = {.arena = mfx_arena_new(0)};
    bool wants_help = false;
    if (run.arena == NULL)
        return EXIT_SYSTEM;
    int at = leading_options(argc, argv, &run, &wants_help);
    int status = EXIT_USAGE;
    if (at < 0)
        (void)fprintf(stderr, "mfxctl dkim: unknown option %s\n", argv[-at]);
    else if (at < argc)
        status = run_verb(&run, argc - at, argv + at, wants_help);
    else
        print_usage(wants_help ? stdout : stderr);
    if (at == argc && wants_help)
        status = EXIT_OK;
    mfx_arena_free(run.arena);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        status = status == EXIT_OK ? EXIT_CANNOT_WRITE : status;
    return status;
}
