/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_libspf2_lib - one run of libspf2, as a function
 *
 * The only door to that library. It is synchronous: what it wants to know it
 * asks of a source, which says what is at hand or ends the run by saying
 * "later"; the run is then done again from its beginning.
 *
 *     mfx_spf_libspf2_run(&source, &person, &verdict);
 *
 * A run writes nothing to stderr or syslog and does not end the process: where
 * libspf2 would abort, gave_up is true.
 *
 * Ownership: everything libspf2 allocates is freed before the call returns
 * (but not when it gave up). Errors: in the verdict. Threads: any; one run
 * has a server of its own. Limits: the source's. Texts must end with NUL and
 * hold printable ASCII only (8-bit bytes overran a buffer of libspf2 1.2.10).
 */
#ifndef MFX_AUTH_SPF_LIBSPF2_LIB_H
#define MFX_AUTH_SPF_LIBSPF2_LIB_H

#include <mfx/auth/spf_record.h>
#include <mfx/base/buf.h>

enum {
    /* Compiled octets that one record holds of mechanisms, and of modifiers:
     * SPF_MAX_MECH_LEN, SPF_MAX_MOD_LEN. */
    MFX_SPF_LIBSPF2_COMPILED_MAX = 511,
    MFX_SPF_LIBSPF2_LITERAL_MAX = 255, /* SPF_MAX_STR_LEN */
    MFX_SPF_LIBSPF2_PROBLEM = 120,
    /* For each octet that libspf2 must not see; a name with one is none. */
    MFX_SPF_LIBSPF2_STAND_IN = 0x7f,
};

/* What a source says to a question about records. */
enum mfx_spf_libspf2_found {
    MFX_SPF_LIBSPF2_RECORD,
    MFX_SPF_LIBSPF2_NO_RECORD,
    MFX_SPF_LIBSPF2_LATER,  /* or an outage: the run ends */
    MFX_SPF_LIBSPF2_BROKEN, /* a permerror */
};

struct mfx_spf_libspf2_source {
    void *arg;
    /* NULL: later, or an outage. */
    const struct mfx_dns_answer *(*lookup)(void *arg, const char *name,
                                           enum mfx_dns_type type);
    enum mfx_spf_libspf2_found (*record)(void *arg, const char *domain,
                                         const char **text);
    /* exp= of the record that decides would be read there; the last call of
     * a run counts. current: the domain %{d} stands for. */
    void (*explained_at)(void *arg, const char *name, const char *current);
};

/* Whom it is about. */
struct mfx_spf_libspf2_person {
    struct mfx_ip ip;
    const char *helo, *sender, *receiver; /* sender: "local@domain" */
};

struct mfx_spf_libspf2_verdict {
    enum mfx_spf_result result;
    bool is_default; /* no mechanism matched */
    bool has_exp;    /* exp= is there: see explained_at */
    unsigned terms;  /* as libspf2 counts them: of one record */
    bool gave_up;
    char
        problem[MFX_SPF_LIBSPF2_PROBLEM]; /* its words: an error, or the last */
};

void mfx_spf_libspf2_run(const struct mfx_spf_libspf2_source *source,
                         const struct mfx_spf_libspf2_person *person,
                         struct mfx_spf_libspf2_verdict *verdict);

/* Expands the text of an explanation. False where libspf2 cannot; what was
 * asked of the source then may have been "later". */
bool mfx_spf_libspf2_expand(const struct mfx_spf_libspf2_source *source,
                            const struct mfx_spf_libspf2_person *person,
                            const char *current, const char *text,
                            struct mfx_buf *out);

/* Whether it holds a record, or an explanation's text, whole; both have passed
 * our own parser. (spf_libspf2_fit.c) */
bool mfx_spf_libspf2_holds(struct mfx_str record);
bool mfx_spf_libspf2_holds_text(struct mfx_str text);

#endif
