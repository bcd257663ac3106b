/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-masq - what becomes of addresses, by the daemon's own code; "mfxctl
 * masq ..." runs it
 */
#include "verbs.h"

#define SITUATION_HELP                                                           \
    "  -c, --config FILE        the daemon's configuration\n"                    \
    "      --foreign            mail that is not ours\n"                         \
    "      --login USER         the login; with it, --client or --daemon-name\n" \
    "      --client IP          the origin settings say whose mail it is\n"      \
    "      --client-name NAME   the client's verified name\n"                    \
    "      --daemon-name NAME   the MTA's {daemon_name}, such as ORIGINATING\n"  \
    "      --mta-name NAME      the MTA's own name, {j}\n"

static const char test_help[] =
    "Usage: mfxctl masq test [--class CLASS]... [options] ADDRESS...\n"
    "\n"
    "What becomes of each address in each class, by which rule and row, in mail\n"
    "that is ours. The addresses need not be mail's: nothing is sent.\n"
    "\n"
    "  -C, --class CLASS        only this class: envelope_sender,\n"
    "                           envelope_recipient, header_sender,\n"
    "                           header_recipient, message_id\n"
    "      --sender ADDRESS     the envelope sender (the address itself)\n"
    "      --recipient ADDRESS  an envelope recipient, for conditions and for\n"
    "                           SRS; more than once if need be (none)\n" SITUATION_HELP
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 shown, 1 one is no address or is refused, 2 a table or the\n"
    "store is needed and cannot be asked, 64 wrong usage, 78 configuration\n"
    "unusable.\n";

static const char diff_help[] =
    "Usage: mfxctl masq diff [options] FILE\n"
    "\n"
    "What would become of a stored message, \"-\" for one on stdin: fields as\n"
    "they are and as they would be, sender, recipients, or the refusal.\n"
    "Nothing is kept: where a short SRS address is needed, the message is\n"
    "shown as deferred.\n"
    "\n"
    "      --sender ADDRESS     the envelope sender; \"\" for a bounce\n"
    "                           (Return-Path, or else From)\n"
    "      --recipient ADDRESS  an envelope recipient; more than once if need\n"
    "                           be (To and Cc)\n" SITUATION_HELP
    "  -v, --verbose            and which rules said so\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 it passes, 1 it is refused, 2 it is deferred, 64 wrong\n"
    "usage, 66 no such file, 78 configuration unusable.\n";

static const char check_help[] =
    "Usage: mfxctl masq check [--config FILE] [--dkim-config FILE] [--limit N]\n"
    "           [--json]\n"
    "\n"
    "Walks through the tables of all rules, and shows rows that lead round in a\n"
    "circle, rows that cannot be used, addresses that several rows become, and\n"
    "From domains for which mfx-dkim has no key.\n"
    "\n"
    "  -c, --config FILE        the daemon's configuration\n"
    "      --dkim-config FILE   that of mfx-dkim; without it, the usual one if it\n"
    "                           is there\n"
    "  -n, --limit N            how many are shown of each kind (20)\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 nothing found, 1 something found, 64 wrong usage, 78\n"
    "configuration unusable.\n";

static const char import_help[] =
    "Usage: mfxctl masq import sendmail [options] SENDMAIL.mc|SENDMAIL.cf\n"
    "       mfxctl masq import postfix [options] [MAIN.cf]\n"
    "\n"
    "Says of each line of that configuration what becomes of it, and writes the\n"
    "same as a masq.conf and, for what a filter cannot do, as settings of\n"
    "Postfix: to stdout, or into a folder, with the tables they need. Nothing\n"
    "that the other program uses is changed. The daemon's own check of the\n"
    "result is printed, too.\n"
    "\n"
    "  -o, --output DIR         writes DIR/masq.conf, DIR/main.cf.add, DIR/report\n"
    "                           and tables, none of which must be there\n"
    "      --check              only says; writes nothing\n"
    "      --cf-dir DIR         for an .mc: where domain/NAME.m4 are\n"
    "                           (/usr/share/sendmail/cf)\n"
    "      --postsrsd FILE      for a main.cf: PostSRSd's settings, a file like\n"
    "                           /etc/default/postsrsd or postsrsd.conf, which\n"
    "                           are read for /etc/postfix/main.cf anyway\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 all is done, 1 something is left to do by hand, 64 wrong\n"
    "usage, 66 no such file, 73 a file in DIR cannot be written, 78 the result\n"
    "does not load yet.\n";

static const char srs_help[] =
    "Usage: mfxctl masq srs [--config FILE] [--socket PATH] [--json]\n"
    "           forward|reverse ADDRESS\n"
    "\n"
    "What SRS makes of an envelope sender, or of a recipient that comes back, as\n"
    "in mail. A short form is in the store: the running daemon is asked, or its\n"
    "store while it does not run; a new one is kept there.\n"
    "\n"
    "  -c, --config FILE        the daemon's configuration\n"
    "  -s, --socket PATH        the daemon's control socket\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 the new address is shown, 1 it stays or is refused, 2 a\n"
    "table or the store does not answer, 64 wrong usage, 66 no daemon runs and\n"
    "there is no store, 69 no daemon there, 78 configuration unusable.\n";

static const struct verb verbs[] = {
    {"test",   verb_test,   "what becomes of an address, and by what",        test_help},
    {"diff",   verb_diff,   "what would become of a stored message",          diff_help},
    {"check",  verb_check,  "loops, collisions, wrong rows, missing keys",
     check_help                                                                        },
    {"srs",    verb_srs,    "an SRS address made, or one taken back",         srs_help },
    {"import", verb_import, "what a Sendmail or a Postfix rewrites, as ours",
     import_help                                                                       },
    {NULL,     NULL,        NULL,                                             NULL     },
};

int
main(int argc, char **argv)
{
    static const struct verb_program program = {
        .name = "masq",
        .note = "FILE may be \"-\" for stdin.",
        .verbs = verbs,
    };
    return verb_main(argc, argv, &program);
}
