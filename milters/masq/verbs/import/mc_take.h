/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mc_take - what options of Sendmail become (private to the import)
 *
 * The table of names (mc_options.c) says which of these takes an option
 * over.
 *
 * Ownership, errors: mc.h. Threads: one.
 */
#ifndef MASQ_IMPORT_MC_TAKE_H
#define MASQ_IMPORT_MC_TAKE_H

#include "mc.h"

struct masq_mc_option;
typedef void masq_mc_take(struct masq_mc *s,
                          const struct masq_mc_option *option,
                          struct masq_import_item *item);

struct masq_mc_option {
    const char *conf;   /* in the .mc; NULL: another macro sets it */
    const char *name;   /* in the .cf */
    masq_mc_take *take; /* NULL: not needed */
    const char *target; /* parameters of Postfix, parted by blanks */
    const char *why;
};

masq_mc_take masq_mc_take_by_hand;
masq_mc_take masq_mc_take_bool; /* by hand, if it is true */
masq_mc_take masq_mc_take_yes;
masq_mc_take masq_mc_take_text;
masq_mc_take masq_mc_take_number;
masq_mc_take masq_mc_take_size;
masq_mc_take masq_mc_take_blocks;
masq_mc_take masq_mc_take_time_s;
masq_mc_take masq_mc_take_time_m;
masq_mc_take masq_mc_take_time_h;
masq_mc_take masq_mc_take_time_d;
masq_mc_take masq_mc_take_return;
masq_mc_take masq_mc_take_alias;
masq_mc_take masq_mc_take_delivery;
masq_mc_take masq_mc_take_forward;
masq_mc_take masq_mc_take_privacy;
masq_mc_take masq_mc_take_copy;
masq_mc_take masq_mc_take_safe;
masq_mc_take masq_mc_take_user;
masq_mc_take masq_mc_take_children;
masq_mc_take masq_mc_take_rate;
masq_mc_take masq_mc_take_norcpt;
masq_mc_take masq_mc_take_banner;
masq_mc_take masq_mc_take_operators;
masq_mc_take masq_mc_take_sasl;
masq_mc_take masq_mc_take_auth;
masq_mc_take masq_mc_take_tlssrv;
masq_mc_take masq_mc_take_filters;
masq_mc_take masq_mc_take_tls;
masq_mc_take masq_mc_take_cert;
masq_mc_take masq_mc_take_dh;
masq_mc_take masq_mc_take_dane;
masq_mc_take masq_mc_take_ports;
masq_mc_take masq_mc_take_clients;
masq_mc_take masq_mc_take_cr;

/* main.cf TARGET = VALUE for each target, and says so. */
void masq_mc_to_main(struct masq_mc *s, struct masq_import_item *item,
                     const char *targets, struct mfx_str value);

#endif
