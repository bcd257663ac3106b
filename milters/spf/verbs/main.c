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
    "  -c, --config FILE        the daemon's configuration: its limits and engine,\n"
    "                           and what it would do\n"
    "      --client-name NAME   the client's verified name, for its rules\n"
    "      --receiver NAME      our name, for explanations (unknown)\n"
    "      --dns ADDRESS:PORT   ask this server\n"
    "      --zone FILE          answer from a file: lines \"name TYPE data\"\n"
    "  -t, --timeout SECONDS    then it is a temperror (8)\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 pass, 1 another result, 2 temperror, 3 the engines differ,\n"
    "64 wrong usage, 78 configuration unusable, or an engine that mfx is built\n"
    "without.\n";

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

static const char lists_help[] =
    "Usage: mfxctl spf lists [--socket PATH] [--json] [NAME...]\n"
    "       mfxctl spf lists --test [options] [NAME...]\n"
    "\n"
    "How the DNS lists are, and what they have been worth since the daemon\n"
    "began: which are out of use and why, how often each was asked, hit,\n"
    "decided, and was the only one that hit. With --test the configured lists\n"
    "are tested here and now (RFC 5782), without a daemon.\n"
    "\n"
    "      --test               tests them\n"
    "  -c, --config FILE        the daemon's configuration, for --test\n"
    "      --dns ADDRESS:PORT   ask this server, for --test\n"
    "      --zone FILE          answer from a file, for --test\n"
    "  -s, --socket PATH        the daemon's control socket\n"
    "  -j, --json               prints one JSON array\n"
    "\n"
    "Exit status: 0 all are in use, 1 one is not, or no such list, 2 the daemon\n"
    "did not answer, 64 wrong usage, 69 no daemon there, 78 configuration\n"
    "unusable.\n";

static const char dnsbl_help[] =
    "Usage: mfxctl spf dnsbl [options] ADDRESS|NAME|SENDER\n"
    "\n"
    "What the configured DNS lists say of a client's address, a name, or a mail\n"
    "address, and what would be done with its mail. The lists are tested first:\n"
    "one that does not pass is not scored.\n"
    "\n"
    "  -c, --config FILE        the daemon's configuration\n"
    "  -k, --key WORD           a name as client_name, helo, sender_domain,\n"
    "                           sender, from_domain or from (all that fit)\n"
    "      --reveal             shows lists by their own names, which may hold\n"
    "                           keys, and the questions\n"
    "      --dns ADDRESS:PORT   ask this server\n"
    "      --zone FILE          answer from a file: lines \"name TYPE data\"\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 nothing would be done, 1 tag, tempfail or reject, 2 a list\n"
    "did not answer, or refused to, 64 wrong usage, 78 configuration unusable,\n"
    "or no lists in it.\n";

static const struct verb verbs[] = {
    {"check", verb_check, "what SPF says of a client, lookup by lookup",
     check_help                                                                   },
    {"lint",  verb_lint,  "is a record right, and what does it cost",    lint_help},
    {"lists", verb_lists, "how DNS lists are, and what they are worth",
     lists_help                                                                   },
    {"dnsbl", verb_dnsbl, "what DNS lists say of an address or a name",
     dnsbl_help                                                                   },
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
