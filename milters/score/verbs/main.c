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

static const struct verb verbs[] = {
    {"check-header", verb_check_header, "is the signed field of a message good",
     check_header_help                                                               },
    {NULL,           NULL,              NULL,                                    NULL},
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
