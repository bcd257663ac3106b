/* SPDX-License-Identifier: BSD-2-Clause
 *
 * genkey - a key in a file that only its owner can read, and the record for
 * DNS
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mfx/auth/dkim_key.h>
#include <mfx/mail/address.h>

#include "verb.h"

enum {
    DEFAULT_BITS = 2048,
    LEAST_BITS = 1024, /* RFC 8301 3.2 */
    MOST_BITS = 8192,
    STRING_MAX = 255, /* one string of a TXT record, RFC 1035 3.3 */
};

struct request {
    const char *domain, *selector, *out, *owner;
    enum mfx_dkim_algorithm algorithm;
    unsigned bits;
};

struct made {
    struct mfx_str pem, record, name;
    struct mfx_dkim_private_key *key;
};

static int
read_algorithm(const struct verb_run *run, const char *algorithm,
               const char *bits, struct request *r)
{
    uint64_t number = DEFAULT_BITS;
    struct mfx_str word = mfx_str_of(algorithm);
    if (mfx_str_is_nocase(word, "ed25519"))
        r->algorithm = MFX_DKIM_ED25519_SHA256;
    else if (algorithm == NULL || mfx_str_is_nocase(word, "rsa"))
        r->algorithm = MFX_DKIM_RSA_SHA256;
    else
        return verb_wrong(run, "--algorithm %s: rsa or ed25519", algorithm);
    if (bits != NULL && r->algorithm == MFX_DKIM_ED25519_SHA256)
        return verb_wrong(run, "--bits: Ed25519 keys have one size");
    if (bits != NULL &&
        (mfx_str_to_u64(mfx_str_of(bits), MOST_BITS, &number) != MFX_OK ||
         number < LEAST_BITS || number % 8 != 0))
        return verb_wrong(run, "--bits %s: %d to %d, a multiple of 8", bits,
                          LEAST_BITS, MOST_BITS);
    r->bits = (unsigned)number;
    return EXIT_OK;
}

static int
read_names(const struct verb_run *run, struct request *r, struct mfx_str *name)
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
    *name = mfx_arena_printf(run->arena, "%s._domainkey.%.*s", r->selector,
                             MFX_STR_ARG(domain));
    if (!mfx_domain_is_valid(*name, false))
        return verb_wrong(run, "%s: longer than a name can be", name->p);
    return EXIT_OK;
}

static enum mfx_rc
make(const struct verb_run *run, const struct request *r, struct made *made,
     struct mfx_err *err)
{
    enum mfx_rc rc =
        mfx_dkim_private_key_generate(r->algorithm, r->bits, &made->key, err);
    if (rc == MFX_OK)
        rc = mfx_dkim_private_key_record(made->key, run->arena, &made->record,
                                         err);
    if (rc == MFX_OK)
        rc =
            mfx_dkim_private_key_format(made->key, run->arena, &made->pem, err);
    return rc;
}

/* --- the file --- */

static bool
write_all(int fd, struct mfx_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = mfx_str_from(bytes, n < 0 ? 0 : (size_t)n);
    }
    return fsync(fd) == 0;
}

static bool
give_to(int fd, const struct passwd *owner)
{
    return owner == NULL || fchown(fd, owner->pw_uid, owner->pw_gid) == 0;
}

static int
write_key(const struct verb_run *run, const struct request *r,
          struct mfx_str pem)
{
    const struct passwd *owner = NULL;
    if (r->owner != NULL) {
        owner = getpwnam(r->owner);
        if (owner == NULL)
            return verb_wrong(run, "--owner %s: no such user", r->owner);
    }
    int fd = open(r->out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    if (fd < 0 && errno == EEXIST)
        return verb_fail(run, EXIT_CANNOT_WRITE,
                         "%s is there already and stays as it is", r->out);
    if (fd < 0)
        return verb_fail(run, EXIT_CANNOT_WRITE, "%s: %s", r->out,
                         strerror(errno));
    bool ok = fchmod(fd, 0600) == 0 && write_all(fd, pem) && give_to(fd, owner);
    int error = errno;
    ok = close(fd) == 0 && ok;
    if (ok)
        return EXIT_OK;
    (void)unlink(r->out);
    return verb_fail(run, EXIT_CANNOT_WRITE, "%s: %s", r->out, strerror(error));
}

/* --- what is printed --- */

/* The record in strings of at most 255 octets, as a zone file wants them. */
static void
zone_line(const struct made *made, struct mfx_buf *out)
{
    struct mfx_str left = made->record;
    bool is_long = left.len > STRING_MAX;
    mfx_buf_printf(out, "%.*s.\tIN\tTXT\t%s", MFX_STR_ARG(made->name),
                   is_long ? "( " : "");
    for (bool first = true; left.len > 0; first = false) {
        struct mfx_str part = mfx_str_head(left, STRING_MAX);
        left = mfx_str_from(left, STRING_MAX);
        mfx_buf_printf(out, "%s\"%.*s\"", first ? "" : "\n\t",
                       MFX_STR_ARG(part));
    }
    mfx_buf_printf(out, "%s\n", is_long ? " )" : "");
}

static json_t *
strings_of(struct mfx_str record)
{
    json_t *strings = json_array();
    for (; record.len > 0; record = mfx_str_from(record, STRING_MAX))
        (void)json_array_append_new(
            strings, verb_json(mfx_str_head(record, STRING_MAX)));
    return strings;
}

static void
print(const struct verb_run *run, const struct request *r,
      const struct made *made)
{
    struct mfx_buf zone;
    unsigned bits = mfx_dkim_private_key_bits(made->key);
    const char *algorithm = mfx_dkim_algorithm_name(r->algorithm);
    mfx_buf_init_arena(&zone, run->arena, 65536);
    zone_line(made, &zone);
    if (!run->as_json) {
        (void)printf("; %s, %u bits, in %s\n%s", algorithm, bits, r->out,
                     mfx_buf_text(&zone));
        return;
    }
    json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s}", "domain", r->domain,
                          "selector", r->selector, "algorithm", algorithm,
                          "bits", (int)bits, "file", r->out);
    (void)json_object_set_new(o, "name", verb_json(made->name));
    (void)json_object_set_new(o, "record", verb_json(made->record));
    (void)json_object_set_new(o, "strings", strings_of(made->record));
    (void)json_object_set_new(o, "zone", verb_json(mfx_buf_str(&zone)));
    verb_print_json(o);
}

int
verb_genkey(struct verb_run *run, int argc, char **argv)
{
    const char *algorithm = NULL, *bits = NULL;
    struct request r = {0};
    struct made made = {0};
    struct mfx_err err = {0};
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
    int status = read_algorithm(run, algorithm, bits, &r);
    if (status == EXIT_OK)
        status = read_names(run, &r, &made.name);
    if (status != EXIT_OK)
        return status;
    if (r.out == NULL)
        r.out = mfx_arena_printf(run->arena, "%s.pem", r.selector).p;
    if (r.out == NULL || make(run, &r, &made, &err) != MFX_OK)
        status = verb_fail(run, EXIT_SYSTEM, "no key was made: %s", err.msg);
    else
        status = write_key(run, &r, made.pem);
    if (made.pem.len > 0)
        explicit_bzero((char *)(uintptr_t)made.pem.p, made.pem.len);
    if (status == EXIT_OK)
        print(run, &r, &made);
    mfx_dkim_private_key_unref(made.key);
    return status;
}
