/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <libmilter/mfdef.h>

#include <mfx/base/env.h>

/* --- the reply --- */

static bool
expect_one(const struct talk *t, struct mfx_str word)
{
    enum mta_verdict v = t->s->mta->reply.verdict;
    if (mfx_str_is(word, "go-on"))
        return mta_goes_on(v);
    if (mfx_str_is(word, "answered"))
        return v < MTA_CLOSED;
    return mfx_str_is(word, mta_verdict_name(v));
}

static bool
run_expect(struct talk *t, struct mfx_str args)
{
    struct mfx_str words = talk_word(&args), word;
    if (t->s->mta == NULL)
        return talk_fail(t, "no connection");
    const struct mta_reply *r = &t->s->mta->reply;
    bool ok = false;
    for (struct mfx_str rest = words; mfx_str_cut(&rest, '|', &word);)
        ok = ok || expect_one(t, word);
    if (!ok)
        return talk_fail(t, "reply is %s \"%.*s\", want %.*s",
                         mta_verdict_name(r->verdict), MFX_STR_ARG(r->text),
                         MFX_STR_ARG(words));
    struct mfx_str pattern = talk_unescape(t, args);
    if (args.len != 0 && !talk_glob(pattern, r->text))
        return talk_fail(t, "reply text is \"%.*s\", want \"%.*s\"",
                         MFX_STR_ARG(r->text), MFX_STR_ARG(pattern));
    return true;
}

static bool
run_within(struct talk *t, struct mfx_str args)
{
    uint64_t ms = 0;
    if (!talk_number(t, args, &ms))
        return false;
    return t->s->took_ms <= ms ||
           talk_fail(t, "took %llu ms", (unsigned long long)t->s->took_ms);
}

static bool
run_at_least(struct talk *t, struct mfx_str args)
{
    uint64_t ms = 0;
    if (!talk_number(t, args, &ms))
        return false;
    return t->s->took_ms >= ms ||
           talk_fail(t, "took only %llu ms", (unsigned long long)t->s->took_ms);
}

static bool
run_progress(struct talk *t, struct mfx_str args)
{
    uint64_t least = 0;
    if (t->s->mta == NULL || !talk_number(t, args, &least))
        return talk_fail(t, "progress MIN");
    size_t got = t->s->mta->reply.progress_count;
    return got >= least || talk_fail(t, "%zu progress packets", got);
}

/* --- edits --- */

struct edit_kind {
    const char *name;
    char action;
    bool has_index, has_value;
};

static const struct edit_kind edit_kinds[] = {
    {"insert",        SMFIR_INSHEADER,   true,  true },
    {"add",           SMFIR_ADDHEADER,   false, true },
    {"change",        SMFIR_CHGHEADER,   true,  true },
    {"delete",        SMFIR_CHGHEADER,   true,  false},
    {"sender",        SMFIR_CHGFROM,     false, false},
    {"sender-args",   SMFIR_CHGFROM,     false, true },
    {"add-rcpt",      SMFIR_ADDRCPT,     false, false},
    {"add-rcpt-args", SMFIR_ADDRCPT_PAR, false, true },
    {"delete-rcpt",   SMFIR_DELRCPT,     false, false},
    {"quarantine",    SMFIR_QUARANTINE,  false, false},
    {"body",          SMFIR_REPLBODY,    false, true },
};

static const struct edit_kind *
edit_kind(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof edit_kinds / sizeof edit_kinds[0]; i++)
        if (mfx_str_is(name, edit_kinds[i].name))
            return &edit_kinds[i];
    return NULL;
}

static bool
is_of_kind(const struct mta_edit *e, const struct edit_kind *kind)
{
    if (e->action != kind->action)
        return false;
    return e->action != SMFIR_CHGHEADER ||
           (e->value.len != 0) == kind->has_value;
}

static const char *
show_edit(struct talk *t, const struct mta_edit *e)
{
    if (e == NULL)
        return "nothing";
    return talk_text(t, mfx_arena_printf(t->arena, "%c %u %.*s:%.*s", e->action,
                                         e->index, MFX_STR_ARG(e->name),
                                         MFX_STR_ARG(e->value)));
}

/* edit KIND [INDEX] [NAME] [GLOB]: the next edit is exactly this */
static bool
run_edit(struct talk *t, struct mfx_str args)
{
    const struct mta_edit *e = t->s->cursor;
    const struct edit_kind *kind = edit_kind(talk_word(&args));
    uint64_t index = 0;
    if (kind == NULL)
        return talk_fail(t, "no such kind of edit");
    if (kind->has_index && !talk_number(t, talk_word(&args), &index))
        return false;
    struct mfx_str name = mfx_str_of("*");
    if (kind->action != SMFIR_REPLBODY && args.len != 0)
        name = kind->has_value ? talk_unescape(t, talk_word(&args))
                               : talk_unescape(t, args);
    struct mfx_str value =
        kind->has_value && args.len ? talk_unescape(t, args) : mfx_str_of("*");
    if (e == NULL || !is_of_kind(e, kind) || e->index != index ||
        !talk_glob(name, e->name) || !talk_glob(value, e->value))
        return talk_fail(t, "edit is %s", show_edit(t, e));
    t->s->cursor = e->next;
    return true;
}

/* edits [N]: how many are left to compare; default none */
static bool
run_edits(struct talk *t, struct mfx_str args)
{
    uint64_t want = 0, got = 0;
    if (args.len != 0 && !talk_number(t, args, &want))
        return false;
    for (const struct mta_edit *e = t->s->cursor; e != NULL; e = e->next)
        got++;
    return got == want ||
           talk_fail(t, "%llu edits left, first: %s", (unsigned long long)got,
                     show_edit(t, t->s->cursor));
}

/* edit-count KIND NAME N */
static bool
run_edit_count(struct talk *t, struct mfx_str args)
{
    const struct edit_kind *kind = edit_kind(talk_word(&args));
    struct mfx_str name = talk_word(&args);
    uint64_t want = 0, got = 0;
    if (kind == NULL || t->s->mta == NULL || !talk_number(t, args, &want))
        return talk_fail(t, "edit-count KIND NAME N");
    for (const struct mta_edit *e = t->s->mta->reply.edits; e; e = e->next)
        got += is_of_kind(e, kind) && talk_glob(name, e->name);
    return got == want ||
           talk_fail(t, "%llu such edits", (unsigned long long)got);
}

/* --- the message after the edits --- */

static size_t
count_fields(const struct talk *t, struct mfx_str name, struct mfx_str value)
{
    size_t count = 0;
    const struct mta_field *f = t->s->message.fields;
    for (; f != NULL; f = f->next)
        count += !f->is_deleted && mfx_str_eq_nocase(f->name, name) &&
                 talk_glob(value, f->value);
    return count;
}

static bool
run_has(struct talk *t, struct mfx_str args)
{
    struct mfx_str name = talk_word(&args);
    struct mfx_str value = args.len ? talk_unescape(t, args) : mfx_str_of("*");
    return count_fields(t, name, value) != 0 ||
           talk_fail(t, "the message has no %.*s: %.*s", MFX_STR_ARG(name),
                     MFX_STR_ARG(value));
}

/* count NAME N [GLOB] */
static bool
run_count(struct talk *t, struct mfx_str args)
{
    struct mfx_str name = talk_word(&args);
    uint64_t want = 0;
    if (!talk_number(t, talk_word(&args), &want))
        return false;
    struct mfx_str value = args.len ? talk_unescape(t, args) : mfx_str_of("*");
    size_t got = count_fields(t, name, value);
    return got == want ||
           talk_fail(t, "%zu times %.*s", got, MFX_STR_ARG(name));
}

/* order NAME...: the topmost fields have these names */
static bool
run_order(struct talk *t, struct mfx_str args)
{
    const struct mta_field *f = t->s->message.fields;
    while (args.len != 0) {
        struct mfx_str name = talk_word(&args);
        while (f != NULL && f->is_deleted)
            f = f->next;
        if (f == NULL || !mfx_str_eq_nocase(f->name, name))
            return talk_fail(t, "%.*s stands where %.*s should",
                             f ? (int)f->name.len : 7,
                             f ? f->name.p : "nothing", MFX_STR_ARG(name));
        f = f->next;
    }
    return true;
}

/* save FILE: as it is after the edits */
static bool
run_save(struct talk *t, struct mfx_str args)
{
    struct mfx_buf out;
    FILE *f = fopen(talk_text(t, args), "w");
    if (f == NULL)
        return talk_fail(t, "%.*s: %s", MFX_STR_ARG(args), strerror(errno));
    mfx_buf_init(&out, SIZE_MAX / 2);
    mta_message_format(&t->s->message, false, &out);
    bool ok = fwrite(out.p, 1, out.len, f) == out.len;
    ok = fclose(f) == 0 && ok && mfx_buf_ok(&out);
    mfx_buf_fini(&out);
    return ok || talk_fail(t, "not saved");
}

/* --- the negotiation --- */

static const struct {
    const char *name;
    uint32_t bit;
} step_names[] = {
    {"NOCONNECT", SMFIP_NOCONNECT  },
    {"NOHELO",    SMFIP_NOHELO     },
    {"NOMAIL",    SMFIP_NOMAIL     },
    {"NORCPT",    SMFIP_NORCPT     },
    {"NOBODY",    SMFIP_NOBODY     },
    {"NOHDRS",    SMFIP_NOHDRS     },
    {"NOEOH",     SMFIP_NOEOH      },
    {"NR_HDR",    SMFIP_NR_HDR     },
    {"NOUNKNOWN", SMFIP_NOUNKNOWN  },
    {"NODATA",    SMFIP_NODATA     },
    {"SKIP",      SMFIP_SKIP       },
    {"RCPT_REJ",  SMFIP_RCPT_REJ   },
    {"NR_CONN",   SMFIP_NR_CONN    },
    {"NR_HELO",   SMFIP_NR_HELO    },
    {"NR_MAIL",   SMFIP_NR_MAIL    },
    {"NR_RCPT",   SMFIP_NR_RCPT    },
    {"NR_DATA",   SMFIP_NR_DATA    },
    {"NR_UNKN",   SMFIP_NR_UNKN    },
    {"NR_EOH",    SMFIP_NR_EOH     },
    {"NR_BODY",   SMFIP_NR_BODY    },
    {"LEADSPC",   SMFIP_HDR_LEADSPC},
};

static bool
check_step(struct talk *t, struct mfx_str word)
{
    struct mfx_str name = mfx_str_from(word, 1);
    for (size_t i = 0; i < sizeof step_names / sizeof step_names[0]; i++) {
        if (!mfx_str_is(name, step_names[i].name))
            continue;
        bool is_set = (t->s->mta->steps & step_names[i].bit) != 0;
        return is_set == (word.p[0] == '+') ||
               talk_fail(t, "steps are 0x%x", t->s->mta->steps);
    }
    return talk_fail(t, "no such step: %.*s", MFX_STR_ARG(name));
}

/* negotiated [VERSION] [+STEP] [-STEP]... */
static bool
run_negotiated(struct talk *t, struct mfx_str args)
{
    struct mta *m = talk_need(t);
    if (m == NULL)
        return false;
    while (args.len != 0) {
        struct mfx_str word = talk_word(&args);
        uint64_t version = 0;
        if (word.p[0] == '+' || word.p[0] == '-') {
            if (!check_step(t, word))
                return false;
        } else if (!talk_number(t, word, &version)) {
            return false;
        } else if (version != m->version) {
            return talk_fail(t, "version is %u", m->version);
        }
    }
    return true;
}

/* --- the daemon --- */

static bool
run_alive(struct talk *t, struct mfx_str args)
{
    (void)args;
    if (t->pid == 0)
        return talk_fail(t, "which daemon? (-p PID)");
    return kill(t->pid, 0) == 0 || talk_fail(t, "the daemon is gone");
}

static bool
run_signal(struct talk *t, struct mfx_str args)
{
    int number = mfx_str_is(args, "HUP")    ? SIGHUP
                 : mfx_str_is(args, "TERM") ? SIGTERM
                 : mfx_str_is(args, "INT")  ? SIGINT
                                            : 0;
    if (t->pid == 0 || number == 0 || kill(t->pid, number) != 0)
        return talk_fail(t, "no such signal or daemon");
    return true;
}

static bool
run_sleep(struct talk *t, struct mfx_str args)
{
    uint64_t ms = 0;
    if (!talk_number(t, args, &ms))
        return false;
    usleep((useconds_t)ms * 1000);
    return true;
}

/* run COMMAND: by the shell; must exit 0 */
static bool
run_run(struct talk *t, struct mfx_str args)
{
    fflush(NULL);
    int status = system(talk_text(t, args));
    return status == 0 ||
           talk_fail(t, "status %d: %.*s", status, MFX_STR_ARG(args));
}

/* Lines of the log since the mark that match. */
static bool
count_log(struct talk *t, struct mfx_str pattern, size_t *count)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    struct mfx_str glob =
        mfx_arena_printf(t->arena, "*%.*s*", MFX_STR_ARG(pattern));
    FILE *f = t->log_path ? fopen(t->log_path, "r") : NULL;
    if (f == NULL || fseek(f, t->log_mark, SEEK_SET) != 0) {
        if (f != NULL)
            fclose(f);
        return talk_fail(t, "no log");
    }
    *count = 0;
    while ((n = getline(&line, &size, f)) > 0)
        *count += talk_glob(glob, mfx_str_trim(mfx_str(line, (size_t)n)));
    free(line);
    fclose(f);
    return true;
}

/* log GLOB: such a line comes within ten seconds */
static bool
run_log(struct talk *t, struct mfx_str args)
{
    uint64_t until = mfx_mono_ms() + 10000;
    for (;;) {
        size_t count = 0;
        if (!count_log(t, args, &count))
            return false;
        if (count != 0)
            return true;
        if (mfx_mono_ms() > until)
            return talk_fail(t, "not logged: %.*s", MFX_STR_ARG(args));
        usleep(20000);
    }
}

/* log-count N GLOB */
static bool
run_log_count(struct talk *t, struct mfx_str args)
{
    uint64_t want = 0;
    size_t got = 0;
    if (!talk_number(t, talk_word(&args), &want) || !count_log(t, args, &got))
        return false;
    return got == want || talk_fail(t, "logged %zu times", got);
}

static bool
run_mark(struct talk *t, struct mfx_str args)
{
    (void)args;
    FILE *f = t->log_path ? fopen(t->log_path, "r") : NULL;
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        return talk_fail(t, "no log");
    t->log_mark = ftell(f);
    fclose(f);
    return true;
}

const struct talk_command talk_check_commands[] = {
    {"expect",     run_expect,     "VERDICT[|VERDICT...] [GLOB]; also go-on, answered",
     true                                                                                    },
    {"within",     run_within,     "MS: the reply came in that time",                   true },
    {"at-least",   run_at_least,   "MS: the reply took that long",                      true },
    {"progress",   run_progress,   "MIN: so many progress packets",                     true },
    {"edit",       run_edit,       "KIND [INDEX] [NAME] [GLOB]: the next edit",         true },
    {"edits",      run_edits,      "[N]: edits not yet compared",                       true },
    {"edit-count", run_edit_count, "KIND NAME N",                                       true },
    {"has",        run_has,        "NAME [GLOB]: the message after the edits",          true },
    {"count",      run_count,      "NAME N [GLOB]",                                     true },
    {"order",      run_order,      "NAME...: the topmost fields",                       true },
    {"save",       run_save,       "FILE: the message after the edits",                 true },
    {"negotiated", run_negotiated, "[VERSION] [+STEP] [-STEP]...",                      true },
    {"alive",      run_alive,      "the daemon runs",                                   true },
    {"log",        run_log,        "GLOB: a line of the log; waits for it",             true },
    {"log-count",  run_log_count,  "N GLOB",                                            true },
    {"mark",       run_mark,       "look at the log from here on",                      false},
    {"signal",     run_signal,     "HUP|TERM|INT to the daemon",                        false},
    {"sleep",      run_sleep,      "MS",                                                false},
    {"run",        run_run,        "COMMAND: by the shell; must succeed",               true },
    {NULL,         NULL,           NULL,                                                false},
};
