/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs_maps - where a recipient's mail goes in the end (forward_maps)
 *
 * A filter sees recipients before the MTA expands aliases. So the site's alias
 * tables are named to it, of whatever type, and it goes through them as the MTA
 * will: the order of keys is virtual(5)'s, which has that of aliases(5) in it
 * (see canonical.h), values are those of members.h. An address that maps to
 * itself is looked up once more by its bare user, as local(8) does.
 *
 *     rc = masq_srs_maps_leave(&maps, &recipient, arena, &where, &err);
 *
 * What cannot be known counts as leaving: an ":include:" file that cannot be
 * read, a value that cannot be understood, more than the limits below. What a
 * command does counts as staying. Members of "list" stay, too, when there is an
 * "owner-list": the MTA puts that in the sender's place.
 * Ownership: the caller's struct, tables borrowed; texts in the arena. Errors:
 * MFX_TEMPFAIL when a table cannot be asked. Threads: any number at once.
 * Limits: MASQ_SRS_MAPS_DEPTH tables one after another, MASQ_SRS_MAPS_MEMBERS
 * addresses, MASQ_SRS_MAPS_FILES include files of MASQ_SRS_MAPS_FILE octets.
 */
#ifndef MASQ_SRS_MAPS_H
#define MASQ_SRS_MAPS_H

#include "canonical.h"
#include "settings.h"

enum {
    MASQ_SRS_MAPS_DEPTH = 50,
    MASQ_SRS_MAPS_MEMBERS = 1000,
    MASQ_SRS_MAPS_FILES = 20,
    MASQ_SRS_MAPS_FILE = 1024 * 1024,
};

struct masq_srs_maps {
    struct masq_canonical tables;  /* maps; local_domains, origin_domain: where
                                     bare users are keys; delimiters */
    struct mfx_table *our_domains; /* mail for these stays (domains.h) */
};

/* With the tables of the settings. */
struct masq_srs_maps masq_srs_maps_of(const struct masq_settings *settings);

/* MFX_OK: it leaves the site, *where says where to. MFX_NOTFOUND: it stays. */
enum mfx_rc masq_srs_maps_leave(const struct masq_srs_maps *maps,
                                const struct masq_address *recipient,
                                struct mfx_arena *arena, struct mfx_str *where,
                                struct mfx_err *err) MFX_NODISCARD;

#endif
