/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verb - what the verbs of mfxctl-dkim share, besides tools/mfxctl/verb.h
 *
 * Ownership: everything in run->arena. Errors: exit statuses.
 * Threads: one.
 */
#ifndef MFX_DKIM_VERB_H
#define MFX_DKIM_VERB_H

#include "../../../tools/mfxctl/dns.h"

/* A record cut in strings of at most 255 octets. */
json_t *verb_json_strings(struct mfx_str record);

/* A private key's file. EXIT_OK, or what verb_fail returned. */
struct mfx_dkim_private_key;
int verb_read_key(const struct verb_run *run, const char *path,
                  struct mfx_dkim_private_key **key);

/* The daemon's configuration and policy. file NULL: its own place. */
int verb_load(const struct verb_run *run, const char *file,
              struct mfx_offline **loaded);

int verb_genkey(struct verb_run *run, int argc, char **argv);
int verb_testkey(struct verb_run *run, int argc, char **argv);
int verb_sign(struct verb_run *run, int argc, char **argv);
int verb_verify(struct verb_run *run, int argc, char **argv);
int verb_zone(struct verb_run *run, int argc, char **argv);
int verb_rotate(struct verb_run *run, int argc, char **argv);
int verb_keys(struct verb_run *run, int argc, char **argv);
int verb_import(struct verb_run *run, int argc, char **argv);
int verb_explain(struct verb_run *run, int argc, char **argv);

#endif
