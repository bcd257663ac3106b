/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verbs - the verbs of mfxctl-masq
 *
 * Ownership: everything in run->arena. Errors: exit statuses
 * (tools/mfxctl/exit.h). Threads: one.
 */
#ifndef MFX_MASQ_VERBS_H
#define MFX_MASQ_VERBS_H

#include "../../../tools/mfxctl/verb.h"

int verb_srs(struct verb_run *run, int argc, char **argv);
int verb_test(struct verb_run *run, int argc, char **argv);
int verb_check(struct verb_run *run, int argc, char **argv);
int verb_diff(struct verb_run *run, int argc, char **argv);
int verb_import(struct verb_run *run, int argc, char **argv);

#endif
