/* SPDX-License-Identifier: BSD-2-Clause
 *
 * genkey - a key in a file that only its owner can read, and the record for
 * DNS
 */
#include <mfx/mail/address.h>

#include "../record_text.h"
#include "key_make.h"
#include "verb.h"

struct request {
    const char *domain, *selector, *out, *owner;
    struct mfx_str name;
};

static int
read_names(const struct verb_run *run, struct request *r)
{
    struct mfx_str domain;
    if (r->domain == NULL || r->selector == NULL)
        return verb_wrong(run, "--domain and --selector are needed");
    if (mfx_domain_to_ascii(mfx_str_of(r->domain), run->arena, &domain) !=
            MFX_OK ||
        !mfx_domain_is_valid(domain, false))
        return verb_wrong(run, "%s is no domain name", r->domain);
    if (!mfx_domain_is_valid(mfx_str_of(r->selector), false))
        return verb_wrong(run, "%s is no selector", r->selector);
    r->name = mfx_arena_printf(run->arena, "%s._domainkey.%.*s", r->selector,
                               MFX_STR_ARG(domain));
    if (!mfx_domain_is_valid(r->name, false))
        return verb_wrong(run, "%s: longer than a name can be", r->name.p);
    return EXIT_OK;
}

static void
print(const struct verb_run *run, const struct request *r,
      const struct key_made *made)
{
    struct mfx_buf zone;
    unsigned bits = mfx_dkim_private_key_bits(made->key);
    const char *algorithm = mfx_dkim_algorithm_name(made->algorithm);
    const struct dkim_record_text line = {.name = r->name,
                                          .text = made->record};
    mfx_buf_init_arena(&zone, run->arena, 65536);
    dkim_record_zone_line(&line, &zone);
    if (!run->as_json) {
        (void)printf("; %s, %u bits, in %s\n%s", algorithm, bits, r->out,
                     mfx_buf_text(&zone));
        return;
    }
    json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s}", "domain", r->domain,
                          "selector", r->selector, "algorithm", algorithm,
                          "bits", (int)bits, "file", r->out);
    (void)json_object_set_new(o, "name", verb_json(r->name));
    (void)json_object_set_new(o, "record", verb_json(made->record));
    (void)json_object_set_new(o, "strings", verb_json_strings(made->record));
    (void)json_object_set_new(o, "zone", verb_json(mfx_buf_str(&zone)));
    verb_print_json(o);
}

int
verb_genkey(struct verb_run *run, int argc, char **argv)
{
    const char *algorithm = NULL, *bits = NULL;
    struct request r = {0};
    struct key_made made = {0};
    struct key_mode mode;
    const struct verb_option options[] = {
        {"domain",    'd', &r.domain,   NULL},
        {"selector",  's', &r.selector, NULL},
        {"algorithm", 'a', &algorithm,  NULL},
        {"bits",      'b', &bits,       NULL},
        {"out",       'o', &r.out,      NULL},
        {"owner",     0,   &r.owner,    NULL},
        {NULL,        0,   NULL,        NULL},
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first < argc)
        return verb_wrong(run, "%s: not expected here", argv[first]);
    int status = key_make_read(run, algorithm, bits, &made);
    if (status == EXIT_OK)
        status = read_names(run, &r);
    if (status == EXIT_OK)
        status = key_mode_of_user(run, r.owner, &mode);
    if (status != EXIT_OK)
        return status;
    if (r.out == NULL)
        r.out = mfx_arena_printf(run->arena, "%s.pem", r.selector).p;
    status = r.out == NULL ? EXIT_SYSTEM : key_make(run, &made);
    if (status == EXIT_OK)
        status = key_make_write(run, r.out, &mode, &made);
    if (status == EXIT_OK)
        print(run, &r, &made);
    key_make_fini(&made);
    return status;
}
