/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-spf - what SPF and DNS lists say, by the daemon's own code; "mfxctl
 * spf ..." runs it
 */
#include "verbs.h"

static const char check_help[] =
    "Usage: mfxctl spf check --ip ADDRESS [--helo NAME] [--from SENDER]\n"
    "           [options]\n"
    "\n"
    "What SPF says of a client, its HELO and its envelope sender.\n"
    "\n"
    "  -i, --ip ADDRESS         the client's\n"
    "  -H, --helo NAME          what it said at HELO\n"
    "  -f, --from SENDER        the envelope sender; \"\" for a bounce\n"
    "      --identity WORD      helo, mailfrom or both (mailfrom; helo without\n"
    "                           --from)\n"
    "  -e, --engine WORD        mfx, libspf2 or both (mfx): shows where they\n"
    "                           differ\n"
    "      --trace              shows every lookup, its answer, time and cost\n"
    "      --receiver NAME      our name, for explanations (unknown)\n"
    "      --dns ADDRESS:PORT   ask this server\n"
    "      --zone FILE          answer from a file: lines \"name TYPE data\"\n"
    "  -t, --timeout SECONDS    then it is a temperror (8)\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 pass, 1 another result, 2 temperror, 3 the engines differ,\n"
    "64 wrong usage, 78 an engine that mfx is built without.\n";

static const char lint_help[] =
    "Usage: mfxctl spf lint [options] DOMAIN\n"
    "       mfxctl spf lint [--domain DOMAIN] [--offline] [options] -\n"
    "\n"
    "Is this record right, what does it cost, which of its terms are of no use,\n"
    "and what would help. \"-\" reads a record from stdin, as it is or as the\n"
    "quoted strings of a zone file.\n"
    "\n"
    "  -d, --domain DOMAIN      whose record it is to be, for a and mx\n"
    "      --offline            asks for nothing\n"
    "      --strict             what is doubtful is wrong\n"
    "      --dns ADDRESS:PORT   ask this server\n"
    "      --zone FILE          answer from a file: lines \"name TYPE data\"\n"
    "  -t, --timeout SECONDS    for all lookups (30)\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 right, 1 wrong, or no record, 2 DNS did not answer for all\n"
    "of it, 64 wrong usage, 66 no record on stdin.\n";

static const struct verb verbs[] = {
    {"check", verb_check, "what SPF says of a client, lookup by lookup",
     check_help                                                                   },
    {"lint",  verb_lint,  "is a record right, and what does it cost",    lint_help},
    {NULL,    NULL,       NULL,                                          NULL     },
};

int
main(int argc, char **argv)
{
    static const struct verb_program program = {
        .name = "spf",
        .note = "",
        .verbs = verbs,
    };
    return verb_main(argc, argv, &program);
}
