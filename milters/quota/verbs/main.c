/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-quota - who has used how much, and what an operator does about it;
 * "mfxctl quota ..." runs it
 */
#include "verbs.h"

#define KEY_HELP                                                                \
    "KEY is what people say: alice@example.org, 192.0.2.7, 2001:db8::/64; or\n" \
    "as the log says it: login=alice, login=alice,network=192.0.2.0/24.\n"

#define COMMON_HELP                                                            \
    "  -s, --socket PATH      the daemon's control socket\n"                   \
    "  -c, --config FILE      the daemon's configuration, while it does not\n" \
    "                         run\n"                                           \
    "  -j, --json             prints one JSON object\n"

static const char show_help[] =
    "Usage: mfxctl quota show KEY [--rule RULE] [--json]\n"
    "\n"
    "For each rule that may count KEY: what is used and reserved of its limits,\n"
    "where these come from, when there is room again, whether somebody has\n"
    "blocked it or set limits of its own.\n"
    "\n" KEY_HELP "\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 shown, 1 no rule counts such a key, 2 the store or the\n"
    "daemon does not answer, 64 wrong usage, 69 no daemon there, 78\n"
    "configuration unusable.\n";

static const char top_help[] =
    "Usage: mfxctl quota top [--rule RULE] [--count N] [--wait SECONDS]\n"
    "           [--json]\n"
    "\n"
    "Who has used the largest share of a limit.\n"
    "\n"
    "  -r, --rule RULE        only this rule\n"
    "  -n, --count N          how many (20)\n"
    "  -w, --wait SECONDS     longest walk through the store (30)\n" COMMON_HELP
    "\n"
    "Exit status: 0 shown, 1 there is no such rule, 2 the store or the daemon\n"
    "does not answer, 64 wrong usage, 69 no daemon there, 78 configuration\n"
    "unusable.\n";

static const char watch_help[] =
    "Usage: mfxctl quota watch [--every 2s] [--rule RULE] [--count N]\n"
    "           [--times N]\n"
    "\n"
    "Rules, store and the largest users, again and again. In a terminal: q\n"
    "quits, the space bar asks at once. Elsewhere one table after the other is\n"
    "printed.\n"
    "\n"
    "  -e, --every TIME       from one time to the next (2s)\n"
    "  -r, --rule RULE        only this rule\n"
    "  -n, --count N          how many users (50)\n"
    "      --times N          ends after so many\n"
    "  -s, --socket PATH      the daemon's control socket\n"
    "  -c, --config FILE      the daemon's configuration, while it does not\n"
    "                         run\n";

static const char reset_help[] =
    "Usage: mfxctl quota reset KEY [--rule RULE] [--json]\n"
    "\n"
    "Forgets what is counted under KEY. What messages on their way have\n"
    "reserved stays, and so do blocks and limits of its own.\n"
    "\n" KEY_HELP "\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 done, 1 nothing is counted, 2 the store or the daemon does\n"
    "not answer, 64 wrong usage, 69 no daemon there, 78 configuration unusable.\n";

static const char block_help[] =
    "Usage: mfxctl quota block KEY [--for 2d] [--reason TEXT] [--rule RULE]\n"
    "           [--json]\n"
    "\n"
    "Lets nothing of KEY pass. Rules that count by recipient are left out\n"
    "unless --rule names them or KEY says recipient=...\n"
    "\n" KEY_HELP "\n"
    "  -f, --for TIME         ends by itself: 90m, 12h, 2d (never)\n"
    "  -R, --reason TEXT      clients are told\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 done, 1 no rule counts such a key, 2 the store or the\n"
    "daemon does not answer, 64 wrong usage, 69 no daemon there, 78\n"
    "configuration unusable.\n";

static const char unblock_help[] =
    "Usage: mfxctl quota unblock KEY [--rule RULE] [--json]\n"
    "\n"
    "Ends what block began. What the configuration blocks stays blocked.\n"
    "\n" KEY_HELP "\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 done, 1 it is not blocked, 2 the store or the daemon does\n"
    "not answer, 64 wrong usage, 69 no daemon there, 78 configuration unusable.\n";

static const char set_help[] =
    "Usage: mfxctl quota set KEY LIMITS [--for 2d] [--rule RULE] [--json]\n"
    "\n"
    "Gives KEY limits of its own, in the words of the setting limits (30/1m\n"
    "1000/1d, unlimited), in place of all that the rule has for it. What is\n"
    "counted already stays counted.\n"
    "\n" KEY_HELP "\n"
    "  -f, --for TIME         ends by itself: 90m, 12h, 2d (never)\n"
    "  -r, --rule RULE        only this rule; needed where rules that count\n"
    "                         different things know KEY\n" COMMON_HELP "\n"
    "Exit status: 0 done, 1 no rule counts such a key, 2 the store or the\n"
    "daemon does not answer, 64 wrong usage, 69 no daemon there, 78\n"
    "configuration unusable.\n";

static const char unset_help[] =
    "Usage: mfxctl quota unset KEY [--rule RULE] [--json]\n"
    "\n"
    "Ends what set began: the configuration's limits hold again.\n"
    "\n" KEY_HELP "\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 done, 1 it has no limits of its own, 2 the store or the\n"
    "daemon does not answer, 64 wrong usage, 69 no daemon there, 78\n"
    "configuration unusable.\n";

static const char rules_help[] =
    "Usage: mfxctl quota rules [--rule RULE] [--json]\n"
    "\n"
    "Each rule, its limits, and what has come of it since the daemon began.\n"
    "\n"
    "  -r, --rule RULE        only this rule\n" COMMON_HELP "\n"
    "Exit status: 0 shown, 1 there is no such rule, 2 the daemon does not\n"
    "answer, 64 wrong usage, 69 no daemon there, 78 configuration unusable.\n";

static const char store_help[] =
    "Usage: mfxctl quota store [--json]\n"
    "\n"
    "How the store is, what waits to be added to it, what was told to\n"
    "notify.command and notify.url.\n"
    "\n" COMMON_HELP "\n"
    "Exit status: 0 it is up, 1 it is down, 2 the daemon does not answer, 64\n"
    "wrong usage, 69 no daemon there, 78 configuration unusable.\n";

static const struct verb verbs[] = {
    {"show",    verb_show,    "what a user has used of which limits",    show_help   },
    {"top",     verb_top,     "who is nearest to a limit",               top_help    },
    {"watch",   verb_watch,   "that again and again, in a terminal",     watch_help  },
    {"reset",   verb_reset,   "forget what is counted",                  reset_help  },
    {"block",   verb_block,   "let nothing pass, for a while or ever",   block_help  },
    {"unblock", verb_unblock, "end that",                                unblock_help},
    {"set",     verb_set,     "limits of somebody's own, for a while",   set_help    },
    {"unset",   verb_unset,   "end that",                                unset_help  },
    {"rules",   verb_rules,   "each rule, and what came of it",          rules_help  },
    {"store",   verb_store,   "how the store is, and what waits for it",
     store_help                                                                      },
    {NULL,      NULL,         NULL,                                      NULL        },
};

int
main(int argc, char **argv)
{
    static const struct verb_program program = {
        .name = "quota",
        .note = "They ask the running\ndaemon, and its store while it does "
                "not run.",
        .verbs = verbs,
    };
    return verb_main(argc, argv, &program);
}
