/* SPDX-License-Identifier: BSD-2-Clause
 *
 * opendkim_take - what each kind of setting becomes (private to the import)
 *
 * The table of names (opendkim_names.c) says which of these takes a setting
 * over: each writes settings of ours, and says what is to be looked at.
 *
 * Ownership: as opendkim.h. Errors: said in the report. Threads: one.
 */
#ifndef DKIM_IMPORT_OPENDKIM_TAKE_H
#define DKIM_IMPORT_OPENDKIM_TAKE_H

#include "opendkim.h"

struct dkim_import_row;
typedef void dkim_import_take(struct dkim_import *import,
                              const struct dkim_import_row *row,
                              const struct dkim_import_given *given);

struct dkim_import_row {
    const char *name;
    enum dkim_import_fate fate;
    dkim_import_take *take; /* NULL: nothing is written */
    const char *target;     /* setting of ours */
    const char *why;        /* in words, where nothing is written */
};

dkim_import_take dkim_import_take_bool;
dkim_import_take dkim_import_take_not;
dkim_import_take dkim_import_take_text;
dkim_import_take dkim_import_take_path;
dkim_import_take dkim_import_take_words;
dkim_import_take dkim_import_take_list;
dkim_import_take dkim_import_take_table;
dkim_import_take dkim_import_take_seconds;
dkim_import_take dkim_import_take_canonicalization;
dkim_import_take dkim_import_take_domain;
dkim_import_take dkim_import_take_key_file;
dkim_import_take dkim_import_take_selector;
dkim_import_take dkim_import_take_signing_table;
dkim_import_take dkim_import_take_multiple;
dkim_import_take dkim_import_take_macros;
dkim_import_take dkim_import_take_mode;
dkim_import_take dkim_import_take_authserv_id;
dkim_import_take dkim_import_take_keep_results;
dkim_import_take dkim_import_take_remove_all;
dkim_import_take dkim_import_take_header_bytes;
dkim_import_take dkim_import_take_max_signatures;
dkim_import_take dkim_import_take_key_bits;
dkim_import_take dkim_import_take_required;
dkim_import_take dkim_import_take_strict;
dkim_import_take dkim_import_take_unprotected;
dkim_import_take dkim_import_take_action;
dkim_import_take dkim_import_take_on_default;
dkim_import_take dkim_import_take_on_none;
dkim_import_take dkim_import_take_socket;
dkim_import_take dkim_import_take_umask;
dkim_import_take dkim_import_take_user;
dkim_import_take dkim_import_take_syslog;

#endif
