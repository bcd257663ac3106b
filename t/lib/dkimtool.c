/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkimtool - the DKIM engine on files, for interoperability tests
 *
 *     dkimtool sign key=FILE d=DOMAIN s=SELECTOR [c=relaxed/simple] [i=]
 *              [t=] [x=] [l=] [h=LIST] [omit=LIST] [oversign=LIST] MESSAGE
 *     dkimtool verify zone=FILE [now=] [bits=] [from=DOMAIN] [partial=1]
 *              [piece=OCTETS] MESSAGE
 *     dkimtool record key=FILE
 *
 * sign writes the signed message, with CRLF. verify prints a line for each
 * signature: status, algorithm, domain, selector, reason; it succeeds when all
 * pass. The message is a file, with CRLF or LF throughout.
 */
#include <mfx/auth/dkim_sign.h>
#include <mfx/auth/dkim_verify.h>
#include <mfx/net/resolver.h>

#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_MAX = 128 * 1024 * 1024,
    USAGE = 64,
};

struct tool {
    int argc;
    char **argv;
    struct mfx_arena *arena;
    struct mfx_headers headers;
    struct mfx_str message, body;
};

static void
die(const char *what, const char *why)
{
    (void)fprintf(stderr, "dkimtool: %s: %s\n", what, why);
    exit(USAGE);
}

static struct mfx_str
option(const struct tool *t, const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (int i = 2; i < t->argc; i++)
        if (strncmp(t->argv[i], name, len) == 0 && t->argv[i][len] == '=')
            return mfx_str_of(t->argv[i] + len + 1);
    return mfx_str_of(otherwise);
}

static uint64_t
number(const struct tool *t, const char *name, uint64_t otherwise)
{
    struct mfx_str text = option(t, name, NULL);
    uint64_t value = otherwise;
    if (text.p != NULL && mfx_str_to_u64(text, UINT64_MAX, &value) != MFX_OK)
        die(name, "no number");
    return value;
}

static struct mfx_str
read_file(struct tool *t, const char *name)
{
    struct mfx_buf text;
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        die(name, "cannot be read");
    mfx_buf_init_arena(&text, t->arena, FILE_MAX);
    for (;;) {
        char *room = mfx_buf_room(&text, 65536);
        size_t n = room == NULL ? 0 : fread(room, 1, 65536, file);
        text.len += n;
        if (n == 0)
            break;
    }
    (void)fclose(file);
    return mfx_buf_str(&text);
}

static void
read_message(struct tool *t)
{
    t->message = read_file(t, t->argv[t->argc - 1]);
    if (mfx_message_split(t->message, t->arena, &t->headers, &t->body) !=
        MFX_OK)
        die("message", "cannot be split");
}

static struct mfx_dkim_private_key *
read_key(struct tool *t)
{
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_err err = {0};
    struct mfx_str name = option(t, "key", "");
    if (mfx_dkim_private_key_parse(read_file(t, name.p), &key, &err) != MFX_OK)
        die(name.p, err.msg);
    return key;
}

static enum mfx_dkim_canon
canon(struct mfx_str word)
{
    return mfx_str_is(word, "relaxed") ? MFX_DKIM_RELAXED : MFX_DKIM_SIMPLE;
}

static void
write_field(struct mfx_str name, struct mfx_str value)
{
    struct mfx_buf out;
    mfx_buf_init(&out, FILE_MAX);
    mfx_dkim_canon_header(MFX_DKIM_SIMPLE, name, value, &out);
    (void)fwrite(out.p, 1, out.len, stdout);
    mfx_buf_fini(&out);
}

static const unsigned char *
hash_body(struct tool *t, enum mfx_dkim_canon body_canon, uint64_t limit)
{
    struct mfx_dkim_body *body = mfx_dkim_body_new(t->arena, true);
    int handle = mfx_dkim_body_want(body, body_canon, limit);
    mfx_dkim_body_update(body, t->body);
    mfx_dkim_body_finish(body);
    return mfx_dkim_body_digest(body, handle);
}

static int
sign(struct tool *t)
{
    struct mfx_err err = {0};
    struct mfx_dkim_header_policy *policy = NULL;
    struct mfx_str pair = option(t, "c", "relaxed/relaxed"), value;
    size_t slash = mfx_str_find(pair, '/');
    struct mfx_dkim_sign_request request = {
        .key = read_key(t),
        .domain = option(t, "d", ""),
        .selector = option(t, "s", ""),
        .identity = option(t, "i", ""),
        .header_canon = canon(mfx_str_head(pair, slash)),
        .body_canon = canon(mfx_str_from(pair, slash + 1)),
        .timestamp_s = number(t, "t", 0),
        .expires_s = number(t, "x", 0),
        .body_length = number(t, "l", MFX_DKIM_NO_LIMIT),
    };
    read_message(t);
    if (mfx_dkim_header_policy_parse(option(t, "h", ""), option(t, "omit", ""),
                                     option(t, "oversign", ""), &policy,
                                     &err) != MFX_OK)
        die("header lists", err.msg);
    request.headers = policy;
    const unsigned char *digest =
        hash_body(t, request.body_canon, request.body_length);
    if (mfx_dkim_sign(&request, &t->headers, digest, t->arena, &value, &err) !=
        MFX_OK)
        die("sign", err.msg);
    write_field(mfx_str_of(MFX_DKIM_SIGNATURE_FIELD), value);
    (void)fwrite(t->message.p, 1, t->message.len, stdout);
    mfx_dkim_private_key_unref(request.key);
    mfx_dkim_header_policy_free(policy);
    return 0;
}

static uint64_t
fixed_clock(const struct mfx_env *env)
{
    return *(const uint64_t *)env->arg;
}

static int
print_results(struct mfx_dkim_verifier *v)
{
    const struct mfx_dkim_result *results;
    size_t count, ignored;
    enum mfx_rc rc = mfx_dkim_verifier_finish(v, &results, &count, &ignored);
    bool all_pass = rc == MFX_OK;
    if (rc != MFX_OK)
        (void)printf("%s\n", mfx_rc_name(rc));
    for (size_t i = 0; i < count; i++) {
        const struct mfx_dkim_result *r = &results[i];
        all_pass = all_pass && r->status == MFX_DKIM_PASS;
        (void)printf(
            "%s %.*s %.*s %.*s %s%s\n", mfx_dkim_status_name(r->status),
            MFX_STR_ARG(r->algorithm), MFX_STR_ARG(r->domain),
            MFX_STR_ARG(r->selector), r->reason,
            r->other_canon_matches ? " (the other canonicalization would)"
                                   : "");
    }
    return all_pass ? 0 : 1;
}

static void
feed_body(struct tool *t, struct mfx_dkim_verifier *v)
{
    size_t piece = number(t, "piece", 65535);
    for (size_t at = 0; at < t->body.len; at += piece)
        mfx_dkim_verifier_body(v,
                               mfx_str_head(mfx_str_from(t->body, at), piece));
}

static int
verify(struct tool *t)
{
    struct mfx_err err = {0};
    struct mfx_env env = mfx_env_system();
    uint64_t now = number(t, "now", env.wall_s(&env));
    env.wall_s = fixed_clock;
    env.arg = &now;
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    limits.fix_line_ends = true;
    limits.min_rsa_bits = (unsigned)number(t, "bits", 1024);
    limits.accept_partial_body = number(t, "partial", 0) != 0;
    struct mfx_str zone = read_file(t, option(t, "zone", "").p);
    if (mfx_resolver_static_new(zone, &env.resolver, &err) != MFX_OK)
        die("zone", err.msg);
    read_message(t);
    struct mfx_dkim_verifier *v =
        mfx_dkim_verifier_new(t->arena, &env, &limits);
    mfx_dkim_verifier_diagnose(v);
    for (struct mfx_header *h = t->headers.first; h != NULL; h = h->next)
        mfx_dkim_verifier_header(v, h);
    mfx_dkim_verifier_headers_end(v, &t->headers, option(t, "from", ""));
    feed_body(t, v);
    struct mfx_event *event;
    while ((event = mfx_dkim_verifier_pending(v)) != NULL)
        if (!mfx_event_wait(event, mfx_mono_ms() + 10000))
            break;
    int status = print_results(v);
    mfx_arena_reset(t->arena);
    mfx_resolver_free(env.resolver);
    return status;
}

static int
record(struct tool *t)
{
    struct mfx_err err = {0};
    struct mfx_str text;
    struct mfx_dkim_private_key *key = read_key(t);
    if (mfx_dkim_private_key_record(key, t->arena, &text, &err) != MFX_OK)
        die("record", err.msg);
    (void)printf("%.*s\n", MFX_STR_ARG(text));
    mfx_dkim_private_key_unref(key);
    return 0;
}

int
main(int argc, char **argv)
{
    struct tool t = {.argc = argc, .argv = argv, .arena = mfx_arena_new(0)};
    const char *verb = argc < 3 ? "" : argv[1];
    int status = USAGE;
    if (strcmp(verb, "sign") == 0)
        status = sign(&t);
    else if (strcmp(verb, "verify") == 0)
        status = verify(&t);
    else if (strcmp(verb, "record") == 0)
        status = record(&t);
    else
        (void)fprintf(stderr, "usage: dkimtool sign|verify|record ...\n");
    mfx_headers_fini(&t.headers);
    mfx_arena_free(t.arena);
    return status;
}
