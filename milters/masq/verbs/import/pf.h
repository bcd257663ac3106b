/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pf - a Postfix's main.cf as items, and what becomes of them
 *
 *     rc = masq_pf_read(&pf, "/etc/postfix/main.cf", &err);
 *     if (masq_pf_has_postsrsd(&pf))
 *         rc = masq_pf_read_postsrsd(&pf, NULL, &err);
 *     masq_pf_convert(&pf);
 *
 * The canonical, masquerade and generic settings become rules, in the order in
 * which Postfix applies them; envelope senders of all mail, header addresses
 * of the mail of local_header_rewrite_clients. Envelope recipients, which
 * smtpd(8) must know, and all else stay in main.cf.
 * Ownership, errors: import.h. Threads: one.
 */
#ifndef MASQ_IMPORT_PF_H
#define MASQ_IMPORT_PF_H

#include "import.h"

enum masq_pf_kind {
    MASQ_PF_PARAMETER, /* args[0]: the value as it stands */
    MASQ_PF_SRS,       /* of PostSRSd 1: SRS_DOMAIN */
    MASQ_PF_SRS2,      /* of PostSRSd 2: srs-domain */
    MASQ_PF_JUNK,
};

struct masq_pf {
    struct masq_import *import;
    const char *file;
    bool has_headers; /* some rule is for headers of our own mail */
};

/* --- pf_read.c --- */

enum mfx_rc masq_pf_read(struct masq_pf *pf, const char *path,
                         struct mfx_err *err) MFX_NODISCARD;
/* The one that counts; NULL: it is not set. */
struct masq_import_item *masq_pf_find(const struct masq_pf *pf,
                                      const char *name);
/* Its value with $names put in, or the default; false: a name is not known
 * here, and that has been said. */
bool masq_pf_value(struct masq_pf *pf, const char *name, const char *preset,
                   struct mfx_str *value);
/* The next item of a list, braces kept together. */
bool masq_pf_word(struct mfx_str *rest, struct mfx_str *word);

/* --- pf_tables.c --- */

/* A lookup table as one of ours. False: it cannot be, and that has been said
 * of the item. */
bool masq_pf_table(struct masq_pf *pf, struct masq_import_item *item,
                   struct mfx_str table, struct mfx_str *spec);
/* A list of domains or users as libconfig text of one table. file: the name of
 * what has to be made of several. False: it is empty, or said. */
bool masq_pf_list(struct masq_pf *pf, struct masq_import_item *item,
                  struct mfx_str list, const char *file,
                  struct mfx_str *setting);

/* --- pf_convert.c --- */

void masq_pf_convert(struct masq_pf *pf);

/* --- pf_postsrsd.c --- */

/* tcp: or socketmap: tables of a PostSRSd. */
bool masq_pf_is_srs(struct mfx_str table);
bool masq_pf_has_postsrsd(const struct masq_pf *pf);
/* path NULL: where Debian has it, for /etc/postfix/main.cf. */
enum mfx_rc masq_pf_read_postsrsd(struct masq_pf *pf, const char *path,
                                  struct mfx_err *err) MFX_NODISCARD;
/* Settings srs.*, and of the map server for that table. */
void masq_pf_convert_srs(struct masq_pf *pf);
void masq_pf_take_srs_table(struct masq_pf *pf, struct masq_import_item *item,
                            struct mfx_str table);

#endif
