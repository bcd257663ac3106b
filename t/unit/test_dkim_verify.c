/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "vectors.h"

#include <mfx/auth/dkim_sign.h>
#include <mfx/auth/dkim_verify.h>
#include <mfx/net/resolver.h>

#define ED25519_NAME "brisbane._domainkey.football.example.com TXT "
#define ED25519_KEY  "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define OTHER_KEY    "yi50DjK5O9pqbFpNHklsv9lqaS0ArSYu02qp1S0DW1Y="
#define BODY_HASH    "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

/* A message, a zone and a clock. */
struct scene {
    struct mfx_arena *arena;
    struct mfx_headers headers;
    struct mfx_str body;
    struct mfx_env env;
    uint64_t now_s;
    struct mfx_dkim_verify_limits limits;
    const struct mfx_dkim_result *results;
    size_t count, ignored;
};

static uint64_t
fixed_clock(const struct mfx_env *env)
{
    return *(const uint64_t *)env->arg;
}

static void
scene_init(struct scene *s, const char *zone)
{
    struct mfx_err err = {0};
    *s = (struct scene){.arena = mfx_arena_new(0),
                        .env = mfx_env_system(),
                        .now_s = 1528637909,
                        .limits = mfx_dkim_verify_limits_default()};
    s->env.wall_s = fixed_clock;
    s->limits.fix_line_ends = true;
    if (mfx_resolver_static_new(mfx_str_of(zone), &s->env.resolver, &err) !=
        MFX_OK)
        fail_msg("zone: %s", err.msg);
}

static void
scene_fini(struct scene *s)
{
    mfx_headers_fini(&s->headers);
    mfx_arena_free(s->arena);
    mfx_resolver_free(s->env.resolver);
}

static void
scene_message(struct scene *s, struct mfx_str text)
{
    mfx_headers_fini(&s->headers);
    s->headers = (struct mfx_headers){0};
    assert_int_equal(MFX_OK,
                     mfx_message_split(text, s->arena, &s->headers, &s->body));
}

/* from: the From domain. */
static enum mfx_rc
scene_verify(struct scene *s, const char *from)
{
    s->env.arg = &s->now_s;
    struct mfx_dkim_verifier *v =
        mfx_dkim_verifier_new(s->arena, &s->env, &s->limits);
    assert_non_null(v);
    mfx_dkim_verifier_diagnose(v);
    for (struct mfx_header *h = s->headers.first; h != NULL; h = h->next)
        mfx_dkim_verifier_header(v, h);
    mfx_dkim_verifier_headers_end(v, &s->headers, mfx_str_of(from));
    mfx_dkim_verifier_body(v, s->body);
    assert_null(mfx_dkim_verifier_pending(v));
    return mfx_dkim_verifier_finish(v, &s->results, &s->count, &s->ignored);
}

/* --- the message of RFC 8463, with changes --- */

static struct mfx_str
replace(struct mfx_arena *arena, struct mfx_str text, const char *old,
        const char *with)
{
    if (old == NULL)
        return text;
    const char *at = memmem(text.p, text.len, old, strlen(old));
    assert_non_null(at);
    size_t before = (size_t)(at - text.p);
    struct mfx_str rest = mfx_str_from(text, before + strlen(old));
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 1000000);
    mfx_buf_add(&out, mfx_str_head(text, before));
    mfx_buf_add_text(&out, with);
    mfx_buf_add(&out, rest);
    return mfx_buf_str(&out);
}

/* The first signature is the one of Ed25519. */
static void
messages(void **state)
{
    static const struct {
        const char *label, *old, *with;
        enum mfx_dkim_status status;
        enum mfx_dkim_fault fault;
        const char *reason;
    } cases[] = {
        {"as_it_is",       NULL,                                 NULL,                                MFX_DKIM_PASS,      MFX_DKIM_FAULT_NONE,
         "signature verified"                                                                                                                                                       },
        {"body_changed",   "hungry",                             "angry",                             MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_BODY_HASH,                                                                                                                  "body hash did not verify"      },
        {"body_blanks",    "game.  Are",                         "game. Are  ",                       MFX_DKIM_PASS,
         MFX_DKIM_FAULT_NONE,                                                                                                                       "signature verified"            },
        {"subject",        "dinner",                             "supper",                            MFX_DKIM_FAIL,      MFX_DKIM_FAULT_SIGNATURE,
         "signature did not verify"                                                                                                                                                 },
        {"subject_folded", "Is dinner",                          "Is\n  \tdinner",                    MFX_DKIM_PASS,
         MFX_DKIM_FAULT_NONE,                                                                                                                       "signature verified"            },
        {"second_from",    "From: Joe",                          "From: x@example.net\nFrom: Joe",
         MFX_DKIM_FAIL,                                                                                                   MFX_DKIM_FAULT_SIGNATURE, "signature did not verify"      },
        {"field_unsigned", "From: Joe",                          "X-A: b\nFrom: Joe",                 MFX_DKIM_PASS,
         MFX_DKIM_FAULT_NONE,                                                                                                                       "signature verified"            },
        {"own_timestamp",  "t=1528637909",                       "t=1528637908",                      MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_SIGNATURE,                                                                                                                  "signature did not verify"      },
        {"future",         "t=1528637909",                       "t=1528638210",                      MFX_DKIM_POLICY,
         MFX_DKIM_FAULT_EXPIRED,                                                                                                                    "signature is from the future"  },
        {"within_skew",    "t=1528637909",                       "t=1528638209",                      MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_SIGNATURE,                                                                                                                  "signature did not verify"      },
        {"expired",        "t=1528637909",                       "x=1528637608",                      MFX_DKIM_POLICY,
         MFX_DKIM_FAULT_EXPIRED,                                                                                                                    "signature expired"             },
        {"just_expired",   "t=1528637909",                       "x=1528637609",                      MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_SIGNATURE,                                                                                                                  "signature did not verify"      },
        {"expiry_order",   "t=1528637909",                       "t=5; x=5",                          MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "x= is not after t="            },
        {"identity_other", "i=@football.example.com",            "i=@example.com",
         MFX_DKIM_PERMERROR,                                                                                              MFX_DKIM_FAULT_SYNTAX,    "i= is not within d="           },
        {"identity_bare",  "i=@football.example.com",            "i=football.example.com",
         MFX_DKIM_NEUTRAL,                                                                                                MFX_DKIM_FAULT_SYNTAX,    "i= has no domain"              },
        {"from_unsigned",
         "h=from : to :\n subject : date : message-id : from :", "h=to :",
         MFX_DKIM_PERMERROR,                                                                                              MFX_DKIM_FAULT_SYNTAX,    "From field not signed"         },
        {"rsa_sha1",       "a=ed25519-sha256",                   "a=rsa-sha1",                        MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_ALGORITHM,                                                                                                                  "rsa-sha1 is not acceptable"    },
        {"unknown_a",      "a=ed25519-sha256",                   "a=ed448-sha512",                    MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_ALGORITHM,                                                                                                                  "unknown signature algorithm"   },
        {"other_a",        "a=ed25519-sha256",                   "a=rsa-sha256",                      MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_KEY,                                                                                                                        "inappropriate key algorithm"   },
        {"unknown_c",      "c=relaxed/relaxed",                  "c=relaxed/nofws",                   MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "unknown canonicalization"      },
        {"body_simple",    "c=relaxed/relaxed",                  "c=relaxed",                         MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_BODY_HASH,                                                                                                                  "body hash did not verify"      },
        {"unknown_q",      "q=dns/txt",                          "q=http",                            MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "unknown query method"          },
        {"version_2",      "v=1",                                "v=2",                               MFX_DKIM_NEUTRAL,   MFX_DKIM_FAULT_SYNTAX,
         "incompatible version"                                                                                                                                                     },
        {"no_version",     "v=1; ",                              "",                                  MFX_DKIM_NEUTRAL,   MFX_DKIM_FAULT_SYNTAX,
         "signature missing required tag"                                                                                                                                           },
        {"no_selector",    "s=brisbane; ",                       "",                                  MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "signature missing required tag"},
        {"other_selector", "s=brisbane",                         "s=sydney",                          MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_KEY_MISSING,                                                                                                                "no key for signature"          },
        {"repeated_tag",   "q=dns/txt",                          "q=dns/txt; d=football.example.com",
         MFX_DKIM_NEUTRAL,                                                                                                MFX_DKIM_FAULT_SYNTAX,
         "signature has a syntax error"                                                                                                                                             },
        {"control_byte",   "q=dns/txt",                          "q=dns/txt; z=\x01",                 MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "signature has a syntax error"  },
        {"latin1_byte",    "q=dns/txt",                          "q=dns/txt; z=\xe9",                 MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "signature has a syntax error"  },
        {"domain_blank",   "d=football.example.com",             "d=football. example.com",
         MFX_DKIM_NEUTRAL,                                                                                                MFX_DKIM_FAULT_SYNTAX,    "d= is no domain name"          },
        {"hash_short",     "bh=" BODY_HASH,                      "bh=2jUSOH9N",                       MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "bh= is no SHA-256 hash"        },
        {"hash_folded",    "bh=2jUSOH9NhtVGCQ",                  "bh=2jUSOH9NhtVGCQ\n\t",
         MFX_DKIM_FAIL,                                                                                                   MFX_DKIM_FAULT_SIGNATURE, "signature did not verify"      },
        {"signature_odd",  "b=/gCrinpcQOoIfu",                   "b=/gCrinpc*",                       MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "b= is no signature"            },
        {"signature_fold", "b=/gCrinpcQOoIfu",                   "b=/gCrinpc\n \n  QOoI fu",
         MFX_DKIM_PASS,                                                                                                   MFX_DKIM_FAULT_NONE,      "signature verified"            },
        {"limit_no_num",   "q=dns/txt",                          "l=12x",                             MFX_DKIM_NEUTRAL,
         MFX_DKIM_FAULT_SYNTAX,                                                                                                                     "l= is no number"               },
        {"limit_beyond",   "q=dns/txt",                          "l=1000",                            MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_BODY_HASH,                                                                                                                  "l= is larger than the body"    },
        {"limit_zero",     "q=dns/txt",                          "l=0",                               MFX_DKIM_FAIL,
         MFX_DKIM_FAULT_BODY_HASH,                                                                                                                  "body hash did not verify"      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *label = cases[i].label;
        struct scene s;
        scene_init(&s, ED25519_NAME "k=ed25519; p=" ED25519_KEY "\n");
        struct mfx_str text = vector_read(s.arena, "rfc8463/message.eml");
        scene_message(&s, replace(s.arena, text, cases[i].old, cases[i].with));
        unit_assert_int(label, scene_verify(&s, "football.example.com"),
                        MFX_OK);
        unit_assert_int(label, s.count, 2);
        unit_assert_str(label, mfx_str_of(s.results[0].reason),
                        mfx_str_of(cases[i].reason));
        unit_assert_int(label, s.results[0].status, cases[i].status);
        unit_assert_int(label, s.results[0].fault, cases[i].fault);
        scene_fini(&s);
    }
}

/* The whole of it, and what it says about the signature. */
static void
facts(void **state)
{
    struct scene s;
    (void)state;
    scene_init(&s, ED25519_NAME "v=DKIM1; k=ed25519; t=y; p=" ED25519_KEY
                                "\ntest._domainkey.football.example.com "
                                "TXT !timeout\n");
    scene_message(&s, vector_read(s.arena, "rfc8463/message.eml"));
    assert_int_equal(MFX_OK, scene_verify(&s, "example.com"));
    assert_int_equal(2, s.count);
    const struct mfx_dkim_result *r = s.results;
    unit_assert_str("d", r->domain, mfx_str_of("football.example.com"));
    unit_assert_str("s", r->selector, mfx_str_of("brisbane"));
    unit_assert_str("i", r->identity, mfx_str_of("@football.example.com"));
    unit_assert_str("a", r->algorithm, mfx_str_of("ed25519-sha256"));
    unit_assert_str("b", r->signature_head, mfx_str_of("/gCrinpc"));
    unit_assert_int("bits", r->key_bits, 256);
    unit_assert_int("testing", r->is_testing, true);
    unit_assert_int("aligned", r->is_aligned, true);
    unit_assert_int("second", r[1].status, MFX_DKIM_TEMPERROR);
    unit_assert_str("second", mfx_str_of(r[1].reason),
                    mfx_str_of("key lookup: timeout"));
    scene_fini(&s);
}

static void
zones(void **state)
{
    static const struct {
        const char *label, *zone;
        enum mfx_dkim_status status;
        enum mfx_dkim_fault fault;
        const char *reason;
    } cases[] = {
        {"servfail",       ED25519_NAME "!servfail\n",                            MFX_DKIM_TEMPERROR,
         MFX_DKIM_FAULT_KEY_LOOKUP,                                                                                               "key lookup: server failure"  },
        {"timeout",        ED25519_NAME "!timeout\n",                             MFX_DKIM_TEMPERROR,
         MFX_DKIM_FAULT_KEY_LOOKUP,                                                                                               "key lookup: timeout"         },
        {"malformed",      ED25519_NAME "!malformed\n",                           MFX_DKIM_TEMPERROR,
         MFX_DKIM_FAULT_KEY_LOOKUP,                                                                                               "key lookup: malformed answer"},
        {"no_data",        ED25519_NAME "!nodata\n",                              MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_KEY_MISSING,                                                                                              "no key for signature"        },
        {"no_name",        "x TXT y\n",                                           MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY_MISSING,
         "no key for signature"                                                                                                                                 },
        {"revoked",        ED25519_NAME "v=DKIM1; k=ed25519; p=\n",               MFX_DKIM_PERMERROR,
         MFX_DKIM_FAULT_KEY,                                                                                                      "key revoked"                 },
        {"other_key",      ED25519_NAME "k=ed25519; p=" OTHER_KEY "\n",
         MFX_DKIM_FAIL,                                                                               MFX_DKIM_FAULT_SIGNATURE,   "signature did not verify"    },
        {"wrong_type",     ED25519_NAME "k=rsa; p=" ED25519_KEY "\n",
         MFX_DKIM_PERMERROR,                                                                          MFX_DKIM_FAULT_KEY,         "public key cannot be read"   },
        {"wrong_hash",     ED25519_NAME "k=ed25519; h=sha1; p=" ED25519_KEY "\n",
         MFX_DKIM_PERMERROR,                                                                          MFX_DKIM_FAULT_KEY,
         "inappropriate hash algorithm"                                                                                                                         },
        {"wrong_service",  ED25519_NAME "k=ed25519; s=x; p=" ED25519_KEY "\n",
         MFX_DKIM_PERMERROR,                                                                          MFX_DKIM_FAULT_KEY,         "inappropriate service type"  },
        {"strict",         ED25519_NAME "k=ed25519; t=s; p=" ED25519_KEY "\n",
         MFX_DKIM_PASS,                                                                               MFX_DKIM_FAULT_NONE,        "signature verified"          },
        {"second_record",
         ED25519_NAME "v=spf1 -all\n" ED25519_NAME "k=ed25519; p=" OTHER_KEY
                      "\n" ED25519_NAME "k=ed25519; p=" ED25519_KEY "\n",
         MFX_DKIM_PASS,                                                                               MFX_DKIM_FAULT_NONE,        "signature verified"          },
        {"telling_record",
         ED25519_NAME "v=spf1 -all\n" ED25519_NAME "k=ed25519; p=\n",
         MFX_DKIM_PERMERROR,                                                                          MFX_DKIM_FAULT_KEY,         "key revoked"                 },
        {"failing_record",
         ED25519_NAME "k=ed25519; p=\n" ED25519_NAME "k=ed25519; p=" OTHER_KEY
                      "\n",                                                       MFX_DKIM_FAIL,      MFX_DKIM_FAULT_SIGNATURE,   "signature did not verify"    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_init(&s, cases[i].zone);
        scene_message(&s, vector_read(s.arena, "rfc8463/message.eml"));
        unit_assert_int(cases[i].label, scene_verify(&s, ""), MFX_OK);
        unit_assert_str(cases[i].label, mfx_str_of(s.results[0].reason),
                        mfx_str_of(cases[i].reason));
        unit_assert_int(cases[i].label, s.results[0].status, cases[i].status);
        unit_assert_int(cases[i].label, s.results[0].fault, cases[i].fault);
        scene_fini(&s);
    }
}

/* --- messages that we sign ourselves --- */

static const char *const own_zone =
    "s._domainkey.a.example TXT k=ed25519; p=" ED25519_KEY "\n"
    "t._domainkey.a.example TXT k=ed25519; t=s; p=" ED25519_KEY "\n"
    "s._domainkey.xn--bcher-kva.example TXT k=ed25519; p=" ED25519_KEY "\n"
    "xn--bcher-kva._domainkey.a.example TXT k=ed25519; p=" ED25519_KEY "\n";

struct own {
    const char *domain, *selector, *identity, *signed_list;
    uint64_t limit;
};

/* Signs s->headers and s->body and puts the signature on top. */
static void
scene_sign(struct scene *s, const struct own *own)
{
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_dkim_header_policy *policy = NULL;
    struct mfx_str none = {"", 0}, value;
    struct mfx_err err = {0};
    struct mfx_dkim_body *b = mfx_dkim_body_new(s->arena, true);
    int h = mfx_dkim_body_want(b, MFX_DKIM_SIMPLE, own->limit);
    mfx_dkim_body_update(b, s->body);
    mfx_dkim_body_finish(b);
    assert_int_equal(
        MFX_OK, mfx_dkim_private_key_parse(
                    vector_read(s->arena, "rfc8463/ed25519.seed"), &key, NULL));
    assert_int_equal(MFX_OK,
                     mfx_dkim_header_policy_parse(mfx_str_of(own->signed_list),
                                                  none, none, &policy, NULL));
    struct mfx_dkim_sign_request request = {
        .key = key,
        .domain = mfx_str_of(own->domain),
        .selector = mfx_str_of(own->selector),
        .identity = mfx_str_of(own->identity),
        .header_canon = MFX_DKIM_SIMPLE,
        .body_canon = MFX_DKIM_SIMPLE,
        .headers = policy,
        .body_length = own->limit,
    };
    if (mfx_dkim_sign(&request, &s->headers, mfx_dkim_body_digest(b, h),
                      s->arena, &value, &err) != MFX_OK)
        fail_msg("sign: %s", err.msg);
    struct mfx_headers old = s->headers;
    s->headers = (struct mfx_headers){0};
    assert_non_null(mfx_headers_add(&s->headers, s->arena,
                                    mfx_str_of("DKIM-Signature"), value));
    for (struct mfx_header *f = old.first; f != NULL; f = f->next)
        assert_non_null(
            mfx_headers_add(&s->headers, s->arena, f->name, f->value));
    mfx_headers_fini(&old);
    mfx_dkim_header_policy_free(policy);
    mfx_dkim_private_key_unref(key);
}

static const char own_message[] = "From: a@a.example\nTo: b\n To: \nX-A: 1\n"
                                  "X-A:2\nSubject:\n\nbody \n\n";

static void
own_signatures(void **state)
{
    static const struct {
        const char *label;
        struct own own;
        const char *more, *required;
        bool partial;
        enum mfx_dkim_status status;
        uint64_t body_unsigned;
    } cases[] = {
        {"plain",
         {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"repeated_fields",
         {"a.example", "s", "", "X-A", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"strict_at_d",
         {"a.example", "t", "x@a.example", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"strict_below_d",
         {"a.example", "t", "x@b.a.example", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PERMERROR,
         0},
        {"below_d",
         {"a.example", "s", "x@b.a.example", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"u_label_domain",
         {"b\xc3\xbc"
          "cher.example",
          "s", "", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"u_label_selector",
         {"a.example",
          "b\xc3\xbc"
          "cher",
          "", "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"u_and_a_labels",
         {"xn--bcher-kva.example", "s",
          "@b\xc3\xbc"
          "cher.example",
          "", MFX_DKIM_NO_LIMIT},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"limit_is_body",
         {"a.example", "s", "", "", 7},
         "",     "",
         false, MFX_DKIM_PASS,
         0},
        {"limit_within",
         {"a.example", "s", "", "", 5},
         "",     "",
         false, MFX_DKIM_POLICY,
         2},
        {"limit_accepted",
         {"a.example", "s", "", "", 5},
         "",     "",
         true,  MFX_DKIM_PASS,
         2},
        {"appended",
         {"a.example", "s", "", "", 7},
         "more", "",
         false, MFX_DKIM_POLICY,
         8},
        {"appended_no_limit",
         {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT},
         "more", "",
         true,  MFX_DKIM_FAIL,
         0},
        {"required_there",
         {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT},
         "",     "to,Subject",
         false, MFX_DKIM_PASS,
         0},
        {"required_absent",
         {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT},
         "",     "X-None",
         false, MFX_DKIM_PASS,
         0},
        {"required_missing",
         {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT},
         "",     "X-A",
         false, MFX_DKIM_POLICY,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_init(&s, own_zone);
        s.limits.accept_partial_body = cases[i].partial;
        s.limits.required_headers = mfx_str_of(cases[i].required);
        scene_message(&s, mfx_str_of(own_message));
        scene_sign(&s, &cases[i].own);
        s.body = mfx_arena_printf(s.arena, "%.*s%s", MFX_STR_ARG(s.body),
                                  cases[i].more);
        unit_assert_int(cases[i].label, scene_verify(&s, "a.example"), MFX_OK);
        unit_assert_int(cases[i].label, s.count, 1);
        if (s.results[0].status != cases[i].status)
            fail_msg("%s: %s", cases[i].label, s.results[0].reason);
        unit_assert_int(cases[i].label, s.results[0].body_unsigned,
                        cases[i].body_unsigned);
        scene_fini(&s);
    }
}

/* A pass whose key record was not authentic; the zone of tests never is. */
static void
unprotected_keys(void **state)
{
    static const enum mfx_dkim_status cases[] = {
        MFX_DKIM_NONE, MFX_DKIM_NEUTRAL, MFX_DKIM_POLICY};
    const struct own own = {"a.example", "s", "", "", MFX_DKIM_NO_LIMIT};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_init(&s, own_zone);
        s.limits.unprotected_key = cases[i];
        scene_message(&s, mfx_str_of(own_message));
        scene_sign(&s, &own);
        assert_int_equal(scene_verify(&s, "a.example"), MFX_OK);
        assert_int_equal(s.results[0].status,
                         cases[i] == MFX_DKIM_NONE ? MFX_DKIM_PASS : cases[i]);
        assert_int_equal(s.results[0].fault, cases[i] == MFX_DKIM_NONE
                                                 ? MFX_DKIM_FAULT_NONE
                                                 : MFX_DKIM_FAULT_UNPROTECTED);
        scene_fini(&s);
    }
}

/* What another canonicalization would have said: the blank before the line
 * end is gone. */
static void
diagnosis(void **state)
{
    static const struct {
        const char *label, *canon, *body;
        bool matches;
    } cases[] = {
        {"relaxed_would", "simple/simple",  "a \r\n", true },
        {"none_would",    "simple/simple",  "b\r\n",  false},
        {"simple_would",  "simple/relaxed", "a\r\n",  false},
    };
    /* SHA-256 of "a\r\n" */
    static const char hash[] = "jkYhN5eG70Kk/sFVzVJcKR3X2zwf3jR4Ui9PYcA/0b0=";
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_init(&s, own_zone);
        scene_message(
            &s, mfx_arena_printf(s.arena,
                                 "DKIM-Signature: v=1; a=ed25519-sha256; c=%s;"
                                 " d=a.example; s=s; h=from; bh=%s; b=AAAA\n"
                                 "From: a\n\n%s",
                                 cases[i].canon, hash, cases[i].body));
        unit_assert_int(cases[i].label, scene_verify(&s, ""), MFX_OK);
        unit_assert_int(cases[i].label, s.results[0].status, MFX_DKIM_FAIL);
        unit_assert_int(cases[i].label, s.results[0].other_canon_matches,
                        cases[i].matches);
        scene_fini(&s);
    }
}

/* --- how many, and which --- */

static struct mfx_str
many(struct scene *s, size_t count, const char *aligned_at)
{
    struct mfx_buf out;
    size_t at = aligned_at == NULL ? SIZE_MAX : strlen(aligned_at);
    mfx_buf_init_arena(&out, s->arena, 10000000);
    for (size_t i = 0; i < count; i++)
        mfx_buf_printf(&out,
                       "DKIM-Signature: v=1; a=ed25519-sha256; d=%s; s=s%zu; "
                       "h=from; bh=" BODY_HASH "; b=AAAAAAAAAA%zu\n",
                       i == at ? "a.example" : "b.example", i, 1000 + i);
    mfx_buf_add_text(&out, "From: a@a.example\n\n");
    return mfx_buf_str(&out);
}

static void
limits(void **state)
{
    struct scene s;
    (void)state;
    scene_init(&s, own_zone);
    scene_message(&s, mfx_str_of("From: a@a.example\n\nx\n"));
    unit_assert_int("no_signature", scene_verify(&s, ""), MFX_NOTFOUND);
    unit_assert_int("no_signature", s.count, 0);
    scene_message(&s, many(&s, 1000, "30 octets, so the thirty-first"));
    unit_assert_int("thousand", scene_verify(&s, "sub.a.example"), MFX_OK);
    unit_assert_int("thousand", s.count, 10);
    unit_assert_int("thousand", s.ignored, 990);
    unit_assert_str("top", s.results[0].selector, mfx_str_of("s0"));
    unit_assert_str("ninth", s.results[8].selector, mfx_str_of("s8"));
    unit_assert_str("aligned", s.results[9].selector, mfx_str_of("s30"));
    unit_assert_int("aligned", s.results[9].is_aligned, true);
    unit_assert_int("beside", s.results[0].is_aligned, false);
    unit_assert_str("apart", s.results[1].signature_head,
                    mfx_str_of("AAAAAAAAAA1001"));
    scene_fini(&s);
}

/* h= with more names than the limit, and with as many as it allows. */
static void
enormous_names(void **state)
{
    static const struct {
        const char *label;
        size_t names;
        enum mfx_dkim_status status;
    } cases[] = {
        {"at_limit",    999,    MFX_DKIM_FAIL     },
        {"above_limit", 1000,   MFX_DKIM_PERMERROR},
        {"enormous",    100000, MFX_DKIM_PERMERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        struct mfx_buf out;
        scene_init(&s, own_zone);
        mfx_buf_init_arena(&out, s.arena, 10000000);
        mfx_buf_add_text(&out,
                         "DKIM-Signature: v=1; a=ed25519-sha256; "
                         "d=a.example; s=s; bh=" BODY_HASH "; b=AAAA; h=from");
        for (size_t k = 0; k < cases[i].names; k++)
            mfx_buf_printf(&out, ":\n x%zu", k);
        mfx_buf_add_text(&out, "\nFrom: a\n\n");
        scene_message(&s, mfx_buf_str(&out));
        unit_assert_int(cases[i].label, scene_verify(&s, ""), MFX_OK);
        unit_assert_int(cases[i].label, s.results[0].status, cases[i].status);
        scene_fini(&s);
    }
}

/* With whatever little memory: an outage, or the same answer as with much. */
static void
little_memory(void **state)
{
    struct mfx_str text;
    struct scene s;
    bool passed = false;
    (void)state;
    scene_init(&s, ED25519_NAME "k=ed25519; p=" ED25519_KEY "\n");
    scene_message(&s, vector_read(s.arena, "rfc8463/message.eml"));
    text = s.body;
    struct mfx_arena *arena = s.arena;
    for (size_t budget = 16; budget < 64 * 1024; budget += 40) {
        s.arena = mfx_arena_new(budget);
        struct mfx_dkim_verifier *v =
            mfx_dkim_verifier_new(s.arena, &s.env, &s.limits);
        s.env.arg = &s.now_s;
        if (v != NULL) {
            for (struct mfx_header *h = s.headers.first; h != NULL; h = h->next)
                mfx_dkim_verifier_header(v, h);
            mfx_dkim_verifier_headers_end(v, &s.headers, mfx_str_of(""));
            mfx_dkim_verifier_body(v, text);
            enum mfx_rc rc =
                mfx_dkim_verifier_finish(v, &s.results, &s.count, &s.ignored);
            passed = rc == MFX_OK;
            if (passed)
                unit_assert_int("result", s.results[0].status, MFX_DKIM_PASS);
            else
                unit_assert_int("rc", rc, MFX_TEMPFAIL);
        }
        mfx_arena_free(s.arena);
    }
    assert_true(passed);
    s.arena = arena;
    scene_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(facts),
        cmocka_unit_test(zones),
        cmocka_unit_test(own_signatures),
        cmocka_unit_test(unprotected_keys),
        cmocka_unit_test(diagnosis),
        cmocka_unit_test(limits),
        cmocka_unit_test(enormous_names),
        cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
