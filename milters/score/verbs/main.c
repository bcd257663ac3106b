/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-score - what engines say of mail, and teaching them; "mfxctl score
 * ..." runs it
 */
#include "verbs.h"

static const char check_header_help[] =
    "Usage: mfxctl score check-header [options] FILE\n"
    "\n"
    "Is the signed field good by which mfx-score takes a score to a second\n"
    "stage, and what does it hold? \"-\" reads the message from stdin.\n"
    "\n"
    "  -c, --config FILE     the daemon's configuration: seal.header,\n"
    "                        seal.secrets_file, seal.max_age\n"
    "  -s, --secrets FILE    without a configuration: these secrets ...\n"
    "  -H, --header NAME     ... and this field\n"
    "  -a, --max-age TIME    an older one is not good, such as 1d; 0: any is\n"
    "                        (that of the configuration; with --secrets 0)\n"
    "  -j, --json            prints one JSON object\n"
    "\n"
    "Exit status: 0 good, 1 not good, 2 none there, 64 wrong usage, 66 the\n"
    "message cannot be read, 78 configuration or secrets unusable.\n";

static const char scan_help[] =
    "Usage: mfxctl score scan [options] FILE\n"
    "\n"
    "What each engine says of a message (\"-\": on stdin), what would be done with\n"
    "it, why, and what would be changed: asked and decided as mfx-score does it.\n"
    "The store of greylisting is not asked, and nothing is counted.\n"
    "\n"
    "  -c, --config FILE     the daemon's configuration\n"
    "  -e, --engine NAME     asks this one alone; may be given again\n"
    "  -i, --ip ADDRESS      the client's address\n"
    "      --client-name NAME  its verified name\n"
    "  -H, --helo NAME       what it said at HELO\n"
    "  -f, --from SENDER     the envelope sender; \"\" for a bounce (Return-Path,\n"
    "                        else From)\n"
    "  -t, --to RECIPIENT    may be given again (those of To and Cc)\n"
    "  -l, --login NAME      it is mail of this login of ours\n"
    "  -q, --queue-id ID     its queue id (NOQUEUE)\n"
    "  -u, --user USER       whose preferences count\n"
    "  -v, --verbose         shows the trace\n"
    "  -j, --json            prints one JSON object\n"
    "\n"
    "Exit status: 0 nothing would be done, 1 something would, 2 an engine did not\n"
    "answer, 64 wrong usage, 66 the message cannot be read, 78 configuration\n"
    "unusable, or no engine in it.\n";

static const char engines_help[] =
    "Usage: mfxctl score engines [--socket PATH] [--json] [NAME...]\n"
    "       mfxctl score engines --test [options] [NAME...]\n"
    "\n"
    "How the engines and their servers are: who is up, out or on its way back,\n"
    "what was asked and answered, how long it took; for an engine in the shadow\n"
    "how often it agreed with those that count. With --test the configured\n"
    "servers are greeted here and now, without a daemon.\n"
    "\n"
    "      --test            greets them\n"
    "  -c, --config FILE     the daemon's configuration, for --test\n"
    "  -t, --timeout SECONDS longest wait, for --test (10)\n"
    "  -s, --socket PATH     the daemon's control socket\n"
    "  -j, --json            prints one JSON array\n"
    "\n"
    "Exit status: 0 all are up, 1 one is not, or no such engine, 2 the daemon did\n"
    "not answer, 64 wrong usage, 69 no daemon there, 78 configuration unusable, or\n"
    "no engine in it.\n";

static const char symbols_help[] =
    "Usage: mfxctl score symbols [options]\n"
    "\n"
    "What each symbol of rspamd and SpamAssassin has been worth since the daemon\n"
    "began: in how many messages it stood, how many of them were spam, and its\n"
    "mean score.\n"
    "\n"
    "  -n, --top N           the N with the most hits (20); 0 for all\n"
    "  -e, --engine NAME     those of this engine alone\n"
    "  -s, --socket PATH     the daemon's control socket\n"
    "  -j, --json            prints one JSON array\n"
    "\n"
    "Exit status: 0 done, 1 no such engine, 2 the daemon did not answer, 64 wrong\n"
    "usage, 69 no daemon there.\n";

static const char learn_help[] =
    "Usage: mfxctl score learn spam|ham|forget [options] FILE|FOLDER...\n"
    "\n"
    "Teaches rspamd (through its controller) and SpamAssassin (a spamd with\n"
    "--allow-tell) what is spam and what is not, or has SpamAssassin forget what\n"
    "it was taught. \"-\" is a message on stdin, as a pipe of Sieve gives it. A\n"
    "file may be a message or a mailbox. Of a maildir what is in cur and new is\n"
    "taken, of another folder all files and folders in it but those whose names\n"
    "begin with a dot. Fields that mfx-score and engines have written into the\n"
    "message are not learned.\n"
    "\n"
    "  -c, --config FILE     the daemon's configuration\n"
    "  -e, --engine NAME     this one alone; may be given again\n"
    "  -u, --user USER       whose words they are\n"
    "  -k, --keep-going      goes on behind a message that failed\n"
    "  -n, --parallel N      messages at once (4)\n"
    "  -j, --json            prints one JSON object\n"
    "\n"
    "Exit status: 0 all are learned, or were known already; 75 an engine is away:\n"
    "try again later; 1 an engine refused one; 66 a message cannot be read; 64\n"
    "wrong usage; 78 configuration unusable, or no engine in it that learns.\n";

static const struct verb verbs[] = {
    {"scan",         verb_scan,         "what engines say of a message, and what would be done",
     scan_help                                                                                       },
    {"engines",      verb_engines,      "how engines and their servers are",
     engines_help                                                                                    },
    {"symbols",      verb_symbols,      "what the symbols of engines are worth",
     symbols_help                                                                                    },
    {"learn",        verb_learn,        "teach engines what is spam and what is not",
     learn_help                                                                                      },
    {"check-header", verb_check_header, "is the signed field of a message good",
     check_header_help                                                                               },
    {NULL,           NULL,              NULL,                                                    NULL},
};

int
main(int argc, char **argv)
{
    static const struct verb_program program = {
        .name = "score",
        .note = "",
        .verbs = verbs,
    };
    return verb_main(argc, argv, &program);
}
