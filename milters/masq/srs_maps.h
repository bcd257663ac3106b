/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srs_maps - where a recipient's mail goes in the end (forward_maps)
 *
 * A filter sees recipients before the MTA expands aliases. So the site's alias
 * tables are named to it, of whatever type, and it goes through them as the MTA
 * will: first those of virtual(5) with their order of keys (see canonical.h),
 * then, for users of local domains that no row of these has, or that map to
 * themselves, aliases(5) by the bare user. Values are those of members.h.
 * Tables of type alias are for the latter, and all others then for the former;
 * without one, any table may be either, and where that makes a difference (it
 * has a user and his @domain) both rows count.
 *
 *     masq_srs_maps_init(&maps, tables, count, arena);
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
    struct mfx_table *our_domains; /* mail for these stays (domains.h) */
    /* local_domains, origin_domain: where bare users are keys; delimiters */
    struct masq_canonical tables;
    struct mfx_table *const *aliases; /* those of aliases(5) alone */
    size_t alias_count;
};

/* Sorts tables by their type into `tables` and `aliases`, in the arena; all
 * else is left to the caller. */
enum mfx_rc masq_srs_maps_init(struct masq_srs_maps *maps,
                               struct mfx_table *const *tables, size_t count,
                               struct mfx_arena *arena) MFX_NODISCARD;
/* With what the settings say. */
enum mfx_rc masq_srs_maps_build(const struct masq_settings *settings,
                                struct mfx_arena *arena,
                                struct masq_srs_maps *maps) MFX_NODISCARD;

/* MFX_OK: it leaves the site, *where says where to. MFX_NOTFOUND: it stays. */
enum mfx_rc masq_srs_maps_leave(const struct masq_srs_maps *maps,
                                const struct masq_address *recipient,
                                struct mfx_arena *arena, struct mfx_str *where,
                                struct mfx_err *err) MFX_NODISCARD;

#endif
