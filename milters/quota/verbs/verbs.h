/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verbs - the verbs of mfxctl-quota
 *
 * Ownership: everything in run->arena. Errors: exit statuses
 * (tools/mfxctl/exit.h). Threads: one.
 */
#ifndef MFX_QUOTA_VERBS_H
#define MFX_QUOTA_VERBS_H

#include "../../../tools/mfxctl/verb.h"

int verb_show(struct verb_run *run, int argc, char **argv);
int verb_rules(struct verb_run *run, int argc, char **argv);
int verb_store(struct verb_run *run, int argc, char **argv);
int verb_top(struct verb_run *run, int argc, char **argv);
int verb_watch(struct verb_run *run, int argc, char **argv);
int verb_reset(struct verb_run *run, int argc, char **argv);
int verb_block(struct verb_run *run, int argc, char **argv);
int verb_unblock(struct verb_run *run, int argc, char **argv);
int verb_set(struct verb_run *run, int argc, char **argv);
int verb_unset(struct verb_run *run, int argc, char **argv);

#endif
