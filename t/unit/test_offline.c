/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message that a command has decided: which hooks hear what, and what is
 * there to be looked at in the end.
 */
#include "unit.h"

#include <mfx/base/arena.h>
#include <mfx/milter/offline.h>

#include "conf_files.h"

enum {
    HEARD_MAX = 1 << 21,
};

/* The filter's policy: what its hooks have heard. */
struct heard {
    struct mfx_buf out;
    size_t pieces, longest, body;
};

static enum mfx_rc
policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct heard *h = mfx_arena_alloc(build->arena, sizeof *h);
    if (h == NULL)
        return MFX_TEMPFAIL;
    mfx_buf_init_arena(&h->out, build->arena, HEARD_MAX);
    *policy = h;
    return MFX_OK;
}

static struct heard *
heard_by(const void *policy)
{
    return (struct heard *)(uintptr_t)policy;
}

static enum mfx_rc
on_connect(struct mfx_connection *c)
{
    char ip[MFX_IP_TEXT];
    mfx_buf_printf(&heard_by(c->policy)->out, "connect %s [%.*s]|",
                   mfx_ip_format(&c->client_ip, ip),
                   MFX_STR_ARG(c->client_name));
    return MFX_OK;
}

static enum mfx_rc
on_helo(struct mfx_connection *c)
{
    mfx_buf_printf(&heard_by(c->policy)->out, "helo %.*s|",
                   MFX_STR_ARG(c->helo));
    return MFX_OK;
}

static enum mfx_rc
on_mail(struct mfx_message *m)
{
    bool found;
    struct mfx_str macro = mfx_macro(m, "{mine}", &found);
    mfx_buf_printf(&heard_by(m->policy)->out, "mail %.*s %s id=%.*s %s%.*s|",
                   MFX_STR_ARG(m->sender),
                   mfx_origin_is_ours(&m->origin) ? "ours" : "foreign",
                   MFX_STR_ARG(m->queue_id), found ? "mine=" : "",
                   MFX_STR_ARG(macro));
    if (mfx_str_is(m->sender, "refuse@me"))
        mfx_decide_reject(m->decision, 550, "5.7.1", mfx_str_of("no"),
                          "it wants to be");
    return mfx_str_is(m->sender, "fail@me") ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    mfx_buf_printf(&heard_by(m->policy)->out, "rcpt %.*s|",
                   MFX_STR_ARG(r->address));
    if (mfx_str_is(r->address, "nobody"))
        mfx_decide_reject(m->decision, 550, "5.1.1", mfx_str_of("who"), "who");
    return MFX_OK;
}

static enum mfx_rc
on_header(struct mfx_message *m, const struct mfx_header *h)
{
    mfx_buf_printf(&heard_by(m->policy)->out, "%.*s:%.*s|",
                   MFX_STR_ARG(h->name), MFX_STR_ARG(h->value));
    return MFX_OK;
}

static enum mfx_rc
on_body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    struct heard *h = heard_by(m->policy);
    (void)done;
    mfx_buf_add(&h->out, piece);
    h->pieces++;
    h->body += piece.len;
    h->longest = piece.len > h->longest ? piece.len : h->longest;
    return MFX_OK;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct mfx_event event;
    mfx_event_init(&event);
    mfx_event_set(&event);
    bool is_set = mfx_wait(m, &event, UINT64_MAX);
    mfx_event_fini(&event);
    mfx_buf_printf(&heard_by(m->policy)->out, "|eom %zu %s|",
                   m->recipient_count, is_set ? "waited" : "late");
    mfx_edit_insert_header(m->decision, MFX_EDIT_TOP, mfx_str_of("X-New"),
                           mfx_str_of(" 1"));
    return MFX_OK;
}

static void
on_end(struct mfx_message *m)
{
    mfx_buf_add_text(&heard_by(m->policy)->out, "end");
}

static const struct mfx_filter filter = {
    .name = "mfx-test",
    .policy_new = policy_new,
    .hooks = {.connect = on_connect,
              .helo = on_helo,
              .mail = on_mail,
              .rcpt = on_rcpt,
              .header = on_header,
              .body = on_body,
              .eom = on_eom,
              .end = on_end},
};

static void
get_wants(const void *policy, struct mfx_wants *wants)
{
    (void)policy;
    wants->headers = true;
    wants->recipients = true;
    wants->body = MFX_BODY_STREAM;
    wants->macros[MFX_STAGE_MAIL] = "{mine}";
}

static void
look(void *arg, const struct mfx_message *m)
{
    size_t edits = 0;
    unsigned *looks = arg;
    (*looks)++;
    for (const struct mfx_edit *e = m->decision->edits; e != NULL; e = e->next)
        edits++;
    mfx_buf_printf(&heard_by(m->policy)->out, "look %s %zu|",
                   mfx_verdict_name(m->decision->verdict), edits);
}

struct test {
    struct conf_files files;
    struct mfx_offline *loaded;
    struct mfx_offline_mail mail;
    struct mfx_filter filter;
    unsigned looks;
};

static void
begin(struct test *t)
{
    struct mfx_problems problems;
    *t = (struct test){.filter = filter};
    t->filter.wants = get_wants;
    conf_files_init(&t->files);
    mfx_problems_init(&problems, t->files.arena);
    const char *path = conf_files_write(
        &t->files, "test.conf", mfx_str_of("dns: { test_data = \"\"; };\n"));
    if (mfx_offline_load(&t->filter, path, &problems, &t->loaded) != MFX_OK)
        fail_msg("%s", problems.first == NULL ? "load" : problems.first->text);
    t->mail.look = look;
    t->mail.look_arg = &t->looks;
}

static void
end(struct test *t)
{
    mfx_offline_free(t->loaded);
    conf_files_fini(&t->files);
}

static struct heard *
decide(struct test *t)
{
    assert_int_equal(mfx_offline_decide(t->loaded, &t->mail), MFX_OK);
    assert_int_equal(t->looks, 1);
    return heard_by(t->loaded->policy);
}

static const char *const two[] = {"bob@example.net", "nobody"};
static const char *const macros[] = {"i",           "4FzX",          "{mine}",
                                     "x",           "{auth_authen}", "joe",
                                     "{auth_type}", "PLAIN",         NULL};

static const struct row {
    const char *label, *ip, *client_name, *helo, *sender;
    size_t recipients;
    const char *const *macros;
    const char *bytes, *want;
} rows[] = {
    {"nothing known",             NULL,          NULL,         NULL,           "",          0, NULL,   "A: b\n\nx\n",
     "connect none []|mail  foreign id= |A: b|x\r\n|eom 0 waited|look continue "
     "1|end"                                                               },
    {"all known",                 "192.0.2.1",   "mx.example", "helo.example", "a@b",       1, macros,
     "A: b\n\tc\nB:\n\nx\r\n\ny",                                                                                     "connect 192.0.2.1 [mx.example]|helo helo.example|mail a@b ours id=4FzX "
     "mine=x|rcpt bob@example.net|A: b\n\tc|B:|x\r\n\r\ny|eom 1 waited|look "
     "continue 1|end"                     },
    {"IPv6, a recipient refused", "2001:db8::1", NULL,         NULL,           "a@b",       2, NULL,
     "A: b\r\n\r\n",                                                                                                  "connect 2001:db8::1 []|mail a@b foreign id= |rcpt bob@example.net|rcpt "
     "nobody|A: b||eom 1 waited|look continue 1|end"   },
    {"from a mailbox",            NULL,          NULL,         NULL,           "a@b",       0, NULL,
     "From a@b Sat Nov 21 10:00:00 2026\nA: b\n\nx\n",                                                                "connect none []|mail a@b foreign id= |A: b|x\r\n|eom 0 waited|look "
     "continue 1|end"},
    {"refused at once",           NULL,          NULL,         NULL,           "refuse@me", 1, NULL,   "A: b\n\nx\n",
     "connect none []|mail refuse@me foreign id= |look reject 0|end"       },
    {"a hook fails",              NULL,          NULL,         NULL,           "fail@me",   1, NULL,   "A: b\n\nx\n",
     "connect none []|mail fail@me foreign id= |look tempfail 0|end"       },
    {"no header",                 NULL,          NULL,         NULL,           "",          0, NULL,   "\nx\n",
     "connect none []|mail  foreign id= |x\r\n|eom 0 waited|look continue "
     "1|end"                                                               },
    {"nothing at all",            NULL,          NULL,         NULL,           "",          0, NULL,   "",
     "connect none []|mail  foreign id= ||eom 0 waited|look continue 1|end"},
};

static void
hooks_hear_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct test t;
        begin(&t);
        if (row->ip != NULL)
            assert_int_equal(
                mfx_ip_parse(mfx_str_of(row->ip), &t.mail.client_ip), MFX_OK);
        t.mail.client_name = row->client_name;
        t.mail.helo = row->helo;
        t.mail.sender = row->sender;
        t.mail.recipients = two;
        t.mail.recipient_count = row->recipients;
        t.mail.macros = row->macros;
        t.mail.bytes = mfx_str_of(row->bytes);
        unit_assert_str(row->label, mfx_buf_str(&decide(&t)->out),
                        mfx_str_of(row->want));
        end(&t);
    }
}

/* Pieces end anywhere, between CR and LF too. */
static void
a_large_body(void **state)
{
    enum {
        LINES = 20000
    };
    struct mfx_buf bytes;
    struct test t;
    (void)state;
    begin(&t);
    mfx_buf_init(&bytes, HEARD_MAX);
    mfx_buf_add_text(&bytes, "A: b\n\n");
    for (size_t i = 0; i < LINES; i++)
        mfx_buf_add_text(&bytes, i % 2 == 0 ? "abcdefgh\n" : "ABCDEFGH\r\n");
    t.mail.sender = "a@b";
    t.mail.bytes = mfx_buf_str(&bytes);
    const struct heard *h = decide(&t);
    assert_int_equal(h->body, LINES * 10);
    assert_true(h->pieces > 1);
    assert_true(h->longest <= 65536);
    size_t ends = 0;
    for (size_t i = 1; i < h->out.len; i++)
        ends += h->out.p[i - 1] == '\r' && h->out.p[i] == '\n';
    assert_int_equal(ends, LINES);
    mfx_buf_fini(&bytes);
    end(&t);
}

static void
one_after_the_other(void **state)
{
    struct test t;
    (void)state;
    begin(&t);
    t.mail.sender = "a@b";
    t.mail.bytes = mfx_str_of("A: b\n\n");
    (void)decide(&t);
    t.looks = 0;
    t.mail.look = NULL;
    assert_int_equal(mfx_offline_decide(t.loaded, &t.mail), MFX_OK);
    assert_int_equal(t.looks, 0);
    end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_hear_it),
        cmocka_unit_test(a_large_body),
        cmocka_unit_test(one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
