/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd: what it is told in fields, and what is made of its answers. */
#include "unit.h"

#include <mfx/scan/rspamd_pack.h>
#include <mfx/scan/rspamd_reply.h>
#include <mfx/scan/rspamd_request.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- requests --- */

struct told {
    const char *label;
    struct mfx_scan_envelope envelope;
    struct mfx_rspamd_settings settings;
    const char *ip, *user;
    enum mfx_scan_purpose purpose;
    const char *want;
};

static struct mfx_str
fields_of(const struct told *told, struct mfx_arena *arena)
{
    struct mfx_scan_envelope e = told->envelope;
    struct mfx_buf out;
    if (told->ip != NULL)
        assert_int_equal(mfx_ip_parse(mfx_str_of(told->ip), &e.client), MFX_OK);
    struct mfx_scan_request request = {.purpose = told->purpose,
                                       .envelope = &e,
                                       .user = mfx_str_of(told->user)};
    struct curl_slist *fixed = mfx_rspamd_request_fixed(&told->settings, arena);
    assert_non_null(fixed);
    const struct curl_slist *item =
        mfx_rspamd_request_fields(&request, arena, fixed);
    mfx_buf_init_arena(&out, arena, 10000);
    for (; item != NULL; item = item->next)
        mfx_buf_printf(&out, "%s|", item->data);
    return mfx_buf_str(&out);
}

#define FIXED "Flags: milter,body_block,groups|"
#define NONE  "Accept:|Content-Type:|Expect:|"

static void
requests(void **state)
{
    (void)state;
    static const struct mfx_scan_recipient two[] = {
        {MFX_STR("b@example.net"),       MFX_STR("NOTIFY=NEVER  ORCPT=rfc822;x")},
        {MFX_STR("\"c,d\"@example.net"), MFX_STR("")                            },
        {MFX_STR("e@example.net"),       MFX_STR("X")                           },
    };
    static const struct mfx_scan_recipient forged[] = {
        {MFX_STR("b@x>\r\nPassword: p"), MFX_STR("A=\x01")},
    };
    static const struct told cases[] = {
        {.label = "nothing is known: the null sender",
         .want = "From: <>|" FIXED NONE                   },
        { .label = "all there is",
         .ip = "192.0.2.1",
         .user = "bob@example.net",
         .envelope = {.client_name = MFX_STR("mx.example.org"),
                      .helo = MFX_STR("helo.example.org"),
                      .protocol = MFX_STR("ESMTPSA"),
                      .sender = MFX_STR("a@example.org"),
                      .sender_args = MFX_STR("SIZE=100 BODY=8BITMIME SMTPUTF8"),
                      .recipients = two,
                      .recipient_count = 3,
                      .login = MFX_STR("alice"),
                      .queue_id = MFX_STR("4ABC"),
                      .mta_name = MFX_STR("us.example"),
                      .mta_tag = MFX_STR("tag"),
                      .tls_cipher = MFX_STR("TLS_AES_256_GCM_SHA384"),
                      .tls_version = MFX_STR("TLSv1.3"),
                      .tls_issuer = MFX_STR("CN=ca, O=x")},
         .settings = {.compresses = true,
                      .wants_all_symbols = true,
                      .is_unlogged = true,
                      .password = MFX_STR("secret"),
                      .settings_id = MFX_STR("out"),
                      .settings = MFX_STR("{\"a\":1}")},
         .want =
             "IP: 192.0.2.1|Hostname: mx.example.org|"
             "Helo: helo.example.org|User: alice|"
             "TLS-Cipher: TLS_AES_256_GCM_SHA384|TLS-Version: TLSv1.3|"
             "TLS-Cert-Issuer: CN=ca, O=x|From: <a@example.org>|"
             "X-Rspamd-Mail-Esmtp-Args: SIZE=100|"
             "X-Rspamd-Mail-Esmtp-Args: BODY=8BITMIME|"
             "X-Rspamd-Mail-Esmtp-Args: SMTPUTF8=|"
             "Rcpt: <b@example.net>|Rcpt: <\"c,d\"@example.net>|"
             "Rcpt: <e@example.net>|"
             "X-Rspamd-Rcpt-Esmtp-Args: 0:NOTIFY=NEVER|"
             "X-Rspamd-Rcpt-Esmtp-Args: 0:ORCPT=rfc822;x|"
             "X-Rspamd-Rcpt-Esmtp-Args: 2:X=|"
             "Deliver-To: bob@example.net|Queue-ID: 4ABC|Log-Tag: 4ABC|"
             "MTA-Name: us.example|MTA-Tag: tag|" FIXED
             "Password: secret|Settings-ID: out|Settings: {\"a\":1}|"
             "Pass: all|Log: no|Compression: zstd|Accept-Encoding: zstd|" NONE},
        {      .label = "V6, a client without a name",
         .ip = "2001:db8::1",
         .envelope = {.client_name = MFX_STR("unknown"),
                      .helo = MFX_STR("[192.0.2.1]")},
         .want = "IP: 2001:db8::1|Helo: [192.0.2.1]|From: <>|" FIXED NONE},
        {        .label = "what is learned without an envelope",
         .purpose = MFX_SCAN_LEARN_HAM,
         .user = "bob",
         .want = "Deliver-To: bob|" FIXED NONE},
        {                                       .label = "what is learned with one",
         .purpose = MFX_SCAN_LEARN_SPAM,
         .envelope = {.sender = MFX_STR("a@x")},
         .want = "From: <a@x>|" FIXED NONE},
        {              .label = "forged fields",
         .user = "u\x7f",
         .envelope = {.helo = MFX_STR("h\r\nPassword: p"),
                      .sender = MFX_STR("a\nSettings: {}"),
                      .recipients = forged,
                      .recipient_count = 1,
                      .login = MFX_STR("caf\xc3\xa9")},
         .want = "Helo: h??Password: p|User: caf\xc3\xa9|"
                 "From: <a?Settings: {}>|Rcpt: <b@x>??Password: p>|"
                 "X-Rspamd-Rcpt-Esmtp-Args: 0:A=?|Deliver-To: u?|" FIXED NONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        unit_assert_str(cases[i].label, fields_of(&cases[i], arena),
                        mfx_str_of(cases[i].want));
        mfx_arena_free(arena);
    }
}

/* --- a result in words --- */

static void
say(struct mfx_buf *out, const char *name, struct mfx_str text)
{
    if (text.len > 0) {
        mfx_buf_printf(out, " %s=", name);
        mfx_buf_add(out, text);
    }
}

static void
say_texts(struct mfx_buf *out, const char *name, struct mfx_scan_texts texts)
{
    for (size_t i = 0; i < texts.count; i++)
        say(out, name, texts.items[i]);
}

static void
say_numbers(struct mfx_buf *out, const char *name,
            const struct mfx_scan_number *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mfx_buf_printf(out, " %s:%.*s=%g", name, MFX_STR_ARG(items[i].name),
                       items[i].value);
}

static void
say_symbols(struct mfx_buf *out, const struct mfx_scan_result *r)
{
    for (size_t i = 0; i < r->symbol_count; i++) {
        const struct mfx_scan_symbol *s = &r->symbols[i];
        mfx_buf_printf(out, " %.*s", MFX_STR_ARG(s->name));
        if (s->has_score)
            mfx_buf_printf(out, "(%g)", s->score);
        for (size_t k = 0; k < s->option_count; k++)
            mfx_buf_printf(out, "[%.*s]", MFX_STR_ARG(s->options[k]));
        say(out, "about", s->description);
    }
}

static void
say_edits(struct mfx_buf *out, const char *name, struct mfx_scan_edits edits)
{
    for (size_t i = 0; i < edits.count; i++) {
        const struct mfx_scan_edit *e = &edits.items[i];
        bool adds = e->kind == MFX_SCAN_EDIT_ADD;
        mfx_buf_printf(out, " %s%s%d:%.*s", name, adds ? "+" : "-", e->at,
                       MFX_STR_ARG(e->name));
        if (adds)
            mfx_buf_printf(out, "=%.*s", MFX_STR_ARG(e->value));
    }
}

/* What marks spam is there always; only another than the usual is said. */
static void
say_marks(struct mfx_buf *out, const struct mfx_scan_result *r)
{
    const struct mfx_scan_edit *e = r->spam_edits.items;
    if (r->spam_edits.count != 2 || !mfx_str_is(e[0].name, "X-Spam") ||
        !mfx_str_is(e[1].value, "Yes"))
        say_edits(out, "!", r->spam_edits);
}

static void
say_result(struct mfx_buf *out, const struct mfx_scan_result *r)
{
    mfx_buf_printf(out, "%s%s%s %g/%g", mfx_scan_action_name(r->action),
                   r->is_spam ? " spam" : "", r->is_skipped ? " skipped" : "",
                   r->score, r->required_score);
    if (!mfx_str_is(r->action_word, mfx_scan_action_name(r->action)))
        say(out, "word", r->action_word);
    say_numbers(out, "limit", r->thresholds, r->threshold_count);
    say_symbols(out, r);
    say_numbers(out, "group", r->groups, r->group_count);
    say_edits(out, "", r->edits);
    say_marks(out, r);
    say_texts(out, "dkim", r->dkim_signatures);
    if (r->has_subject)
        mfx_buf_printf(out, " subject=%.*s", MFX_STR_ARG(r->subject));
    if (r->has_sender)
        mfx_buf_printf(out, " from=<%.*s>", MFX_STR_ARG(r->sender));
    say_texts(out, "rcpt+", r->added_recipients);
    say_texts(out, "rcpt-", r->removed_recipients);
    if (r->no_action)
        mfx_buf_add_text(out, " no_action");
    say(out, "reply", r->reply_text);
    for (size_t i = 0; i < r->message_count; i++)
        mfx_buf_printf(out, " m:%.*s=%.*s", MFX_STR_ARG(r->messages[i].name),
                       MFX_STR_ARG(r->messages[i].value));
    say(out, "id", r->message_id);
    say(out, "by", r->decided_by);
    say_texts(out, "url", r->urls);
    say_texts(out, "email", r->emails);
    if (r->engine_time_s > 0)
        mfx_buf_printf(out, " took=%g", r->engine_time_s);
}

/* --- replies --- */

#define BASE          "\"action\":\"no action\",\"score\":1.5,\"required_score\":15.0"
#define MILTER(block) "{" BASE ",\"milter\":{" block "}}"

static void
replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *json, *want;
    } cases[] = {
        {"the least",                      "{\"action\":\"greylist\",\"score\":0}",           "greylist 0/0"                                  },
        {"from rspamd 3.4",
         "{\"is_skipped\":false,\"score\":7.25,\"required_score\":15.0,"
         "\"action\":\"add header\",\"thresholds\":{\"reject\":15.0,"
         "\"add header\":6.0,\"greylist\":4.0},\"symbols\":{\"A\":{\"name\":"
         "\"A\",\"score\":7.5,\"metric_score\":7.5,\"description\":\"why\","
         "\"options\":[\"x\",\"y z\"]},\"B\":{\"name\":\"B\",\"score\":-0.25,"
         "\"metric_score\":0.0}},\"messages\":{},\"urls\":[\"x.example\"],"
         "\"emails\":[\"a@x.example\"],\"message-id\":\"1@example.org\","
         "\"time_real\":0.25}",                                                               "add header spam 7.25/15 limit:reject=15 limit:add header=6 "
         "limit:greylist=4 A(7.5)[x][y z] about=why B(-0.25) "
         "id=1@example.org url=x.example email=a@x.example took=0.25"                                          },
        {"null for no limit",
         "{\"score\":-2,\"required_score\":null,\"action\":\"no action\","
         "\"thresholds\":{\"reject\":null}}",                                                 "no action -2/0"                                },
        {"a passing decision, skipped",
         "{\"is_skipped\":true,\"score\":0.0,\"required_score\":15.0,\"action\":"
         "\"reject\",\"passthrough_module\":\"gtube\",\"messages\":"
         "{\"smtp_message\":\"Gtube pattern\",\"x\":\"y\",\"n\":1}}",                         "reject spam skipped 0/15 reply=Gtube pattern "
         "m:smtp_message=Gtube pattern m:x=y by=gtube"                   },
        {"soft reject",                    "{\"action\":\"soft reject\",\"score\":1}",
         "soft reject 1/0"                                                                                                                    },
        {"rewrite subject",
         "{\"action\":\"rewrite subject\",\"score\":7,\"subject\":\"** hi\"}",                "rewrite subject spam 7/0 subject=** hi"        },
        {"an empty subject",
         "{\"action\":\"rewrite subject\",\"score\":7,\"subject\":\"\"}",                     "rewrite subject spam 7/0 subject="             },
        {"quarantine",                     "{\"action\":\"quarantine\",\"score\":7}",
         "quarantine spam 7/0"                                                                                                                },
        {"discard",                        "{\"action\":\"discard\",\"score\":7}",            "discard spam 7/0"                              },
        {"an action of one's own",         "{\"action\":\"Sandbox\",\"score\":7}",
         "unknown 7/0 word=Sandbox"                                                                                                           },
        {"actions are words, not alike",   "{\"action\":\"REJECT\",\"score\":7}",
         "unknown 7/0 word=REJECT"                                                                                                            },
        {"reject, which is discard",
         "{\"action\":\"reject\",\"score\":7,\"reject\":\"discard\"}",                        "discard spam 7/0 word=reject"                  },
        {"one's own, which is quarantine",
         "{\"action\":\"x\",\"score\":7,\"reject\":\"quarantine\"}",                          "quarantine spam 7/0 word=x"                    },
        {"another's reject is for reject",
         "{\"action\":\"no action\",\"score\":7,\"reject\":\"discard\"}",                     "no action 7/0"                                 },
        {"groups",
         "{" BASE ",\"groups\":{\"g\":{\"score\":1.5,\"description\":\"d\"},"
         "\"h\":{},\"i\":2}}",                                                                "no action 1.5/15 "
         "group:g=1.5 group:i=2"                                                                                },
        {"messages of old",                "{" BASE ",\"messages\":[\"a\",1,\"b\"]}",
         "no action 1.5/15 m:=a m:=b"                                                                                                         },
        {"urls with all they have",
         "{" BASE ",\"urls\":[{\"url\":\"http://x/\",\"host\":\"x\"},7,\"y\"],"
         "\"emails\":[{\"email\":\"a@b\"}]}",                                                 "no action 1.5/15 url=http://x/ url=y email=a@b"},
        {"what is told, in other types",
         "{" BASE ",\"symbols\":{\"A\":7,\"B\":{\"score\":\"x\",\"options\":7},"
         "\"C\":{\"score\":1e300,\"options\":[1,\"o\"]},\"\":{}},"
         "\"thresholds\":[],\"groups\":\"x\",\"messages\":7,\"urls\":{},"
         "\"emails\":null,\"message-id\":{},\"time_real\":-1,\"subject\":7,"
         "\"is_skipped\":\"yes\",\"passthrough_module\":[]}",                                 "no action 1.5/15 B C[o]"                       },
        {"signed once",                    "{" BASE ",\"dkim-signature\":\"v=1;\\n\\ta=b\"}",
         "no action 1.5/15 dkim=v=1;\n\ta=b"                                                                                                  },
        {"signed twice",                   "{" BASE ",\"dkim-signature\":[\"a\",\"b\"]}",
         "no action 1.5/15 dkim=a dkim=b"                                                                                                     },
        {"bytes that are no UTF-8",
         "{" BASE ",\"message-id\":\"a\xff\xc3\xa9\xc3\"}",
         "no action 1.5/15 "
         "id=a?\xc3\xa9?"                                                                                                                     },
        {"escapes",                        "{" BASE ",\"message-id\":\"\\u00e9\\r\\n\"}",
         "no action 1.5/15 id=\xc3\xa9\r\n"                                                                                                   },
        {"blanks around it",               " \r\n{" BASE "}\n",                               "no action 1.5/15"                              },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        struct mfx_err err = {{0}};
        struct mfx_buf out;
        memset(&r, 0, sizeof r);
        mfx_buf_init_arena(&out, arena, 10000);
        struct mfx_str json = mfx_str_of(cases[i].json);
        enum mfx_scan_end end = mfx_rspamd_reply_use(json, arena, &r, &err);
        if (end != MFX_SCAN_ANSWERED)
            fail_msg("%s: %s", cases[i].label, err.msg);
        say_result(&out, &r);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        unit_assert_str(cases[i].label, r.raw, json);
        assert_true(r.has_score);
        mfx_arena_free(arena);
    }
}

static void
edits(void **state)
{
    (void)state;
    static const struct {
        const char *label, *json, *want;
    } cases[] = {
        {"nothing",                                    MILTER(""),                                     ""          },
        {"an empty table of Lua's",                    "{" BASE ",\"milter\":[]}",                     ""          },
        {"removed",
         MILTER(
             "\"remove_headers\":{\"X-A\":0,\"X-B\":2,\"X-C\":-1,\"X-D\":1.0}"),
         " -0:X-A -2:X-B --1:X-C -1:X-D"                                                                           },
        {"several of one name",                        MILTER("\"remove_headers\":{\"X-A\":[1,3]}"),
         " -1:X-A -3:X-A"                                                                                          },
        {"added",
         MILTER(
             "\"add_headers\":{\"X-A\":\"a\",\"X-B\":{\"value\":\"b\",\"order\":1},"
             "\"X-C\":{\"value\":\"c\",\"order\":0},\"X-D\":{\"value\":\"d\",\"order\":-2},"
             "\"X-E\":{\"value\":\"e\"},\"X-F\":{\"value\":\"f\",\"index\":3}}"),
         " +-1:X-A=a +1:X-B=b +0:X-C=c +-2:X-D=d +-1:X-E=e +3:X-F=f"                                               },
        {"several values, in their order",
         MILTER(
             "\"add_headers\":{\"X-A\":[{\"value\":\"a\",\"order\":1},\"b\",{\"value\":\"c\"}]}"),
         " +1:X-A=a +-1:X-A=b +-1:X-A=c"                                                                           },
        {"folded, and forged",
         MILTER(
             "\"add_headers\":{\"X-A\":\"a\\n\\tb\",\"X\\r\\nB\":\"c\\r\\nd\\u0000\"}"),
         " +-1:X-A=a\n\tb +-1:X\r\nB=c\r\nd\0"                                                                     },
        {"removed comes before added",
         MILTER(
             "\"add_headers\":{\"X-A\":\"a\"},\"remove_headers\":{\"X-A\":0}"),
         " -0:X-A +-1:X-A=a"                                                                                       },
        {"values that rspamd's own milter leaves out",
         MILTER(
             "\"add_headers\":{\"X-A\":7,\"X-B\":{\"value\":7},\"X-C\":null,"
             "\"X-D\":[1,{}]},\"remove_headers\":{\"X-A\":\"1\",\"X-B\":null}"),
         ""                                                                                                        },
        {"the envelope",
         MILTER(
             "\"change_from\":\"n@x\",\"add_rcpt\":[\"a@x\",\"b@x\"],\"del_rcpt\":[\"c@x\"]"),
         " from=<n@x> rcpt+=a@x rcpt+=b@x rcpt-=c@x"                                                               },
        {"the null sender",                            MILTER("\"change_from\":\"\""),                 " from=<>"  },
        {"one recipient, bare",                        MILTER("\"add_rcpt\":\"a@x\",\"del_rcpt\":{}"),
         " rcpt+=a@x"                                                                                              },
        {"no action",                                  MILTER("\"no_action\":true"),                   " no_action"},
        {"no action, or not",                          MILTER("\"no_action\":1"),                      ""          },
        {"another mark",                               MILTER("\"spam_header\":\"very\""),
         " !-0:X-Spam !+-1:X-Spam=very"                                                                            },
        {"other marks",
         MILTER("\"spam_header\":{\"X-A\":\"a\",\"X-B\":\"b\",\"X-C\":1}"),
         " !-0:X-A !+-1:X-A=a !-0:X-B !+-1:X-B=b"                                                                  },
        {"a mark of no type",                          MILTER("\"spam_header\":7"),                    ""          },
        {"discard needs a rejection",                  MILTER("\"reject\":\"discard\""),               ""          },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        struct mfx_buf out, want;
        memset(&r, 0, sizeof r);
        mfx_buf_init_arena(&out, arena, 10000);
        mfx_buf_init_arena(&want, arena, 10000);
        unit_assert_int(
            cases[i].label,
            mfx_rspamd_reply_use(mfx_str_of(cases[i].json), arena, &r, NULL),
            MFX_SCAN_ANSWERED);
        say_result(&out, &r);
        mfx_buf_printf(&want, "no action 1.5/15%s", cases[i].want);
        unit_assert_str(cases[i].label, mfx_buf_str(&out), mfx_buf_str(&want));
        mfx_arena_free(arena);
    }
}

static void
softer_than_rejection(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum mfx_scan_action want;
    } cases[] = {
        {"{\"action\":\"reject\",\"score\":1,\"milter\":{\"reject\":\"discard\"}}",
         MFX_SCAN_ACTION_DISCARD   },
        {"{\"action\":\"reject\",\"score\":1,\"milter\":{\"reject\":\"quarantine\"}}",
         MFX_SCAN_ACTION_QUARANTINE},
        {"{\"action\":\"reject\",\"score\":1,\"milter\":{\"reject\":\"other\"}}",
         MFX_SCAN_ACTION_REJECT    },
        {"{\"action\":\"reject\",\"score\":1,\"milter\":{\"reject\":7}}",
         MFX_SCAN_ACTION_REJECT    },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        memset(&r, 0, sizeof r);
        unit_assert_int(
            cases[i].json,
            mfx_rspamd_reply_use(mfx_str_of(cases[i].json), arena, &r, NULL),
            MFX_SCAN_ANSWERED);
        unit_assert_int(cases[i].json, r.action, cases[i].want);
        assert_true(r.is_spam);
        mfx_arena_free(arena);
    }
}

static void
no_replies(void **state)
{
    (void)state;
    static const struct {
        const char *label, *json, *why;
    } cases[] = {
        {"nothing",                    "",                                         "no JSON"       },
        {"words",                      "<html>",                                   "no JSON"       },
        {"cut off",                    "{\"action\":\"reject\",\"sco",             "no JSON"       },
        {"an array",                   "[]",                                       "no JSON object"},
        {"more behind it",             "{" BASE "}{",                              "no JSON"       },
        {"an action twice",            "{" BASE ",\"action\":\"reject\"}",         "no JSON"       },
        {"no action",                  "{\"score\":1}",                            "no action"     },
        {"an empty action",            "{\"score\":1,\"action\":\"\"}",            "no action"     },
        {"an action that is a number", "{\"score\":1,\"action\":1}",
         "no action"                                                                               },
        {"no score",                   "{\"action\":\"reject\"}",                  "no score"      },
        {"a score in words",           "{\"action\":\"reject\",\"score\":\"15\"}",
         "no score"                                                                                },
        {"a score that is null",       "{\"action\":\"reject\",\"score\":null}",
         "no score"                                                                                },
        {"a score that is none",       "{\"action\":\"reject\",\"score\":nan}",
         "no JSON"                                                                                 },
        {"infinite",                   "{\"action\":\"reject\",\"score\":inf}",    "no JSON"       },
        {"infinite, in digits",        "{\"action\":\"reject\",\"score\":1e999}",
         "no JSON"                                                                                 },
        {"huge",                       "{\"action\":\"reject\",\"score\":1e10}",   "no score"      },
        {"huge and negative",          "{\"action\":\"reject\",\"score\":-1e300}",
         "no score"                                                                                },
        {"a signature of no type",     "{" BASE ",\"dkim-signature\":[1]}",
         "dkim-signature: no text"                                                                 },
        {"a milter block in words",    "{" BASE ",\"milter\":\"x\"}",
         "milter: not of its form"                                                                 },
        {"a milter block of items",    "{" BASE ",\"milter\":[1]}",
         "milter: not of its form"                                                                 },
        {"fields in words",            MILTER("\"add_headers\":\"X-A: b\""),
         "milter: not of its form"                                                                 },
        {"removals in a list",         MILTER("\"remove_headers\":[\"X-A\"]"),
         "milter: not of its form"                                                                 },
        {"a sender of no type",        MILTER("\"change_from\":7"),
         "milter: not of its form"                                                                 },
        {"a recipient of no type",     MILTER("\"add_rcpt\":[\"a\",7]"),
         "milter: not of its form"                                                                 },
        {"a removed one likewise",     MILTER("\"del_rcpt\":{\"a\":1}"),
         "milter: not of its form"                                                                 },
        {"an error of no type",        "{\"error\":7}",                            "no action"     },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        struct mfx_err err = {{0}};
        memset(&r, 0, sizeof r);
        unit_assert_int(
            cases[i].label,
            mfx_rspamd_reply_use(mfx_str_of(cases[i].json), arena, &r, &err),
            MFX_SCAN_BROKEN);
        if (strncmp(err.msg, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %s", cases[i].label, err.msg);
        mfx_arena_free(arena);
    }
}

static void
refusal(void **state)
{
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_result r;
    struct mfx_err err = {{0}};
    memset(&r, 0, sizeof r);
    assert_int_equal(
        mfx_rspamd_reply_use(mfx_str_of("{\"error\":\"busy\\r\\nX\"}"), arena,
                             &r, &err),
        MFX_SCAN_REFUSED);
    assert_string_equal(err.msg, "busy??X");
    mfx_arena_free(arena);
}

/* Deeper than any answer: no stack, no memory is used up. */
static void
deep(void **state)
{
    (void)state;
    enum {
        DEPTH = 500000
    };
    static char json[DEPTH];
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_result r;
    memset(&r, 0, sizeof r);
    memset(json, '[', sizeof json);
    assert_int_equal(
        mfx_rspamd_reply_use(mfx_str(json, sizeof json), arena, &r, NULL),
        MFX_SCAN_BROKEN);
    for (size_t i = 0; i + 5 <= sizeof json; i += 5)
        memcpy(json + i, "{\"a\":", 5);
    assert_int_equal(
        mfx_rspamd_reply_use(mfx_str(json, sizeof json), arena, &r, NULL),
        MFX_SCAN_BROKEN);
    mfx_arena_free(arena);
}

static void
lessons(void **state)
{
    (void)state;
    static const struct {
        const char *label, *json;
        long status;
        enum mfx_scan_end end;
        bool is_learned;
        const char *report;
    } cases[] = {
        {"learned",            "{\"success\":true}",               200, MFX_SCAN_ANSWERED, true,  ""                                      },
        {"known already",      "{\"error\":\"known\"}",            208, MFX_SCAN_ANSWERED,
         false,                                                                                   "known"                                 },
        {"known already, 3.4",
         "{\"error\":\"<1@x> has been already learned as spam\"}", 404,
         MFX_SCAN_ANSWERED,                                                                false, "<1@x> has been already learned as spam"},
        {"too short, 3.4",
         "{\"error\":\"<1@x> contains less tokens than needed\"}", 404,
         MFX_SCAN_ANSWERED,                                                                false, "<1@x> contains less tokens than needed"},
        {"not found",          "<html>",                           404, MFX_SCAN_REFUSED,  false, ""                                      },
        {"nobody learns here", "{\"error\":\"not found\"}",        404,
         MFX_SCAN_REFUSED,                                                                 false, ""                                      },
        {"too short",          "",                                 204, MFX_SCAN_ANSWERED, false, ""                                      },
        {"an error",           "{\"error\":\"no classifier\"}",    200, MFX_SCAN_REFUSED,
         false,                                                                                   ""                                      },
        {"neither",            "{}",                               200, MFX_SCAN_BROKEN,   false, ""                                      },
        {"success of no type", "{\"success\":\"yes\"}",            200, MFX_SCAN_BROKEN,
         false,                                                                                   ""                                      },
        {"no JSON",            "yes",                              200, MFX_SCAN_BROKEN,   false, ""                                      },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_result r;
        struct mfx_err err = {{0}};
        memset(&r, 0, sizeof r);
        unit_assert_int(cases[i].label,
                        mfx_rspamd_reply_learned(mfx_str_of(cases[i].json),
                                                 cases[i].status, arena, &r,
                                                 &err),
                        cases[i].end);
        unit_assert_int(cases[i].label, r.is_learned, cases[i].is_learned);
        unit_assert_str(cases[i].label, r.report, mfx_str_of(cases[i].report));
        mfx_arena_free(arena);
    }
}

static void
errors_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"{\"error\":\"invalid command\",\"error_domain\":\"x\"}", "invalid c"},
        {"{\"error\":\"a\\r\\nb\\u00e9\"}",                        "a??b??"   },
        {"{\"error\":7}",                                          ""         },
        {"<html>",                                                 ""         },
        {"",                                                       ""         },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char words[10] = "before";
        mfx_rspamd_reply_error(mfx_str_of(cases[i].json), words, sizeof words);
        unit_assert_str(cases[i].json, mfx_str_of(words),
                        mfx_str_of(cases[i].want));
    }
}

/* --- compression --- */

static void
pack_and_back(size_t size, size_t step)
{
    struct mfx_rspamd_packer *packer = mfx_rspamd_packer_new();
    struct mfx_buf plain, packed, back;
    char piece[100];
    bool is_done = false;
    mfx_buf_init(&plain, 1 << 24);
    mfx_buf_init(&packed, 1 << 24);
    mfx_buf_init(&back, 1 << 24);
    for (uint32_t noise = 1; plain.len < size;) {
        noise = noise * 1664525 + 1013904223;
        mfx_buf_add_byte(&plain, (char)(noise >> 24));
    }
    for (size_t at = 0; !is_done; at += step) {
        struct mfx_str rest =
            mfx_str_head(mfx_str_from(mfx_buf_str(&plain), at), step);
        bool is_last = at + step >= size;
        do {
            size_t n = mfx_rspamd_pack(packer, &rest, is_last, piece,
                                       sizeof piece, &is_done);
            mfx_buf_add(&packed, mfx_str(piece, n));
        } while (rest.len > 0 || (is_last && !is_done));
    }
    assert_int_equal(mfx_rspamd_unpack(mfx_buf_str(&packed), &back, NULL),
                     MFX_OK);
    unit_assert_str("compressed and back", mfx_buf_str(&back),
                    mfx_buf_str(&plain));
    mfx_buf_fini(&plain);
    mfx_buf_fini(&packed);
    mfx_buf_fini(&back);
    mfx_rspamd_packer_free(packer);
}

static void
compression(void **state)
{
    (void)state;
    pack_and_back(0, 10);
    pack_and_back(1, 10);
    pack_and_back(1000, 7);
    pack_and_back(300000, 50000);
}

static void
no_compression(void **state)
{
    (void)state;
    struct mfx_rspamd_packer *packer = mfx_rspamd_packer_new();
    char packed[1000];
    bool is_done;
    static char zeros[5000000];
    struct mfx_str all = mfx_str(zeros, sizeof zeros);
    size_t len = 0;
    do {
        len += mfx_rspamd_pack(packer, &all, true, packed + len,
                               sizeof packed - len, &is_done);
    } while (!is_done && len < sizeof packed);
    assert_true(is_done);
    mfx_rspamd_packer_free(packer);
    struct mfx_buf out;
    mfx_buf_init(&out, 1 << 20);
    /* more than there is room for */
    assert_int_equal(mfx_rspamd_unpack(mfx_str(packed, len), &out, NULL),
                     MFX_PERMFAIL);
    assert_true(out.cap <= 2 << 20);
    mfx_buf_fini(&out);
    mfx_buf_init(&out, 6000000);
    /* cut off anywhere, or more behind it */
    for (size_t part = 0; part < len; part++) {
        mfx_buf_clear(&out);
        assert_int_equal(mfx_rspamd_unpack(mfx_str(packed, part), &out, NULL),
                         MFX_PERMFAIL);
    }
    packed[len] = 'x';
    mfx_buf_clear(&out);
    assert_int_equal(mfx_rspamd_unpack(mfx_str(packed, len + 1), &out, NULL),
                     MFX_PERMFAIL);
    mfx_buf_clear(&out);
    assert_int_equal(mfx_rspamd_unpack(mfx_str_of("{\"score\":1}"), &out, NULL),
                     MFX_PERMFAIL);
    mfx_buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(replies),
        cmocka_unit_test(edits),
        cmocka_unit_test(softer_than_rejection),
        cmocka_unit_test(no_replies),
        cmocka_unit_test(refusal),
        cmocka_unit_test(deep),
        cmocka_unit_test(lessons),
        cmocka_unit_test(errors_in_words),
        cmocka_unit_test(compression),
        cmocka_unit_test(no_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
