/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spftool - SPF checks on a zone, for tests
 *
 *     spftool [engine=mfx|libspf2] [lookahead=yes|no] [explanation=OCTETS]
 *             [voids=N] [trace=yes|no] < LINES
 *
 * Lines are
 *
 *     zone                 then lines as mfx_resolver_static_new reads them, up
 *                          to a line with a dot alone; replaces the last zone
 *     check TAB ID TAB IP TAB HELO TAB SENDER
 *     helo TAB ID TAB IP TAB HELO
 *
 * For each check and helo there is a line with tabs between: ID, result,
 * explanation, mechanism, domain, lookups, void lookups, questions, problem;
 * with trace=yes lines "# ..." before it. Texts are percent-encoded in both
 * directions (letters, digits, "-._~:@/ " need not be).
 */
#include <mfx/auth/spf.h>
#include <mfx/base/buf.h>

#include <stdio.h>
#include <stdlib.h>

enum {
    LINE = 1024 * 1024,
    ZONE = 64 * 1024 * 1024,
    USAGE = 64,
    NO_ENGINE = 77, /* this build is without it */
};

struct tool {
    struct mfx_spf_config config;
    struct mfx_env env;
    struct mfx_arena *arena;
    struct mfx_buf zone;
};

__attribute__((noreturn)) static void
die(const char *what)
{
    (void)fprintf(stderr, "spftool: %s\n", what);
    exit(USAGE);
}

static uint64_t
number(struct mfx_str s)
{
    uint64_t value;
    if (mfx_str_to_u64(s, UINT32_MAX, &value) != MFX_OK)
        die("no number");
    return value;
}

static enum mfx_spf_engine
engine(struct mfx_str name)
{
    static const enum mfx_spf_engine engines[] = {MFX_SPF_ENGINE_MFX,
                                                  MFX_SPF_ENGINE_LIBSPF2};
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (!mfx_str_is(name, mfx_spf_engine_name(engines[i])))
            continue;
        if (!mfx_spf_engine_is_built(engines[i]))
            exit(NO_ENGINE);
        return engines[i];
    }
    die("no such engine");
}

static void
take_option(struct tool *t, struct mfx_str text)
{
    struct mfx_str name;
    (void)mfx_str_cut(&text, '=', &name);
    if (text.p == NULL)
        die("an option without a value");
    if (mfx_str_is(name, "engine"))
        t->config.engine = engine(text);
    else if (mfx_str_is(name, "lookahead"))
        t->config.lookahead = mfx_str_is(text, "yes");
    else if (mfx_str_is(name, "trace"))
        t->config.wants_trace = mfx_str_is(text, "yes");
    else if (mfx_str_is(name, "explanation"))
        t->config.max_explanation = (size_t)number(text);
    else if (mfx_str_is(name, "voids"))
        t->config.max_voids = (unsigned)number(text);
    else
        die("unknown option");
}

/* --- texts --- */

static int
hex(char c)
{
    unsigned char lower = mfx_ascii_lower((unsigned char)c);
    return mfx_ascii_is_digit(lower)      ? lower - '0'
           : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                          : -1;
}

static struct mfx_str
decode(struct tool *t, struct mfx_str text)
{
    char *out = mfx_arena_alloc_bytes(t->arena, text.len + 1);
    size_t len = 0;
    if (out == NULL)
        die("out of memory");
    for (size_t i = 0; i < text.len; i++) {
        bool is_escape = text.p[i] == '%' && i + 2 < text.len &&
                         hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0;
        out[len++] = is_escape
                         ? (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]))
                         : text.p[i];
        i += is_escape ? 2 : 0;
    }
    return mfx_str(out, len);
}

static void
print(struct mfx_str text, char end)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (mfx_ascii_is_alnum(c) ||
            (c != '\0' && strchr("-._~:@/ ", c) != NULL))
            (void)putchar(c);
        else
            (void)printf("%%%02X", c);
    }
    (void)putchar(end);
}

/* --- lines --- */

static void
read_zone(struct tool *t, char *line)
{
    struct mfx_err err = {0};
    mfx_buf_clear(&t->zone);
    while (fgets(line, LINE, stdin) != NULL && strcmp(line, ".\n") != 0)
        mfx_buf_add_text(&t->zone, line);
    mfx_arena_reset(t->arena);
    mfx_resolver_free(t->env.resolver);
    t->env.resolver = NULL;
    if (!mfx_buf_ok(&t->zone) ||
        mfx_resolver_static_new(mfx_buf_str(&t->zone), &t->env.resolver,
                                &err) != MFX_OK)
        die(err.msg);
}

static void
print_steps(const struct mfx_spf_outcome *outcome)
{
    for (size_t i = 0; i < outcome->step_count; i++) {
        const struct mfx_spf_step *s = &outcome->steps[i];
        (void)printf("# %u ", s->depth);
        print(s->domain, '\t');
        print(s->term, '\t');
        if (s->type != 0)
            (void)printf("type %d %s\t", (int)s->type,
                         mfx_dns_status_name(s->status));
        print(s->question, '\t');
        print(s->answer, '\t');
        (void)printf("%u/%u%s\t", s->lookups_after, s->voids_after,
                     s->is_void ? " void" : "");
        print(s->note, '\n');
    }
}

static const struct mfx_spf_outcome *
run(struct tool *t, const struct mfx_spf_request *request)
{
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    struct mfx_spf_check *check =
        mfx_spf_begin(t->arena, &t->env, &t->config, request);
    if (check == NULL)
        die("out of memory");
    while ((count = mfx_spf_events(check, events, MFX_EVENT_ANY_MAX)) > 0 &&
           mfx_event_wait_any(events, count, mfx_spf_deadline_ms(check)))
        ;
    return mfx_spf_finish(check);
}

static void
answer(struct tool *t, struct mfx_str line)
{
    struct mfx_str verb, id, ip, helo, sender = {0};
    struct mfx_spf_request request = {.identity = MFX_SPF_MAIL_FROM};
    if (!mfx_str_cut(&line, '\t', &verb) || !mfx_str_cut(&line, '\t', &id) ||
        !mfx_str_cut(&line, '\t', &ip) || !mfx_str_cut(&line, '\t', &helo))
        die("a line with too few words");
    (void)mfx_str_cut(&line, '\t', &sender);
    if (mfx_ip_parse(ip, &request.ip) != MFX_OK)
        die("no IP address");
    if (mfx_str_is(verb, "helo"))
        request.identity = MFX_SPF_HELO;
    else if (!mfx_str_is(verb, "check"))
        die("no such verb");
    request.helo = decode(t, helo);
    request.sender = decode(t, sender);
    const struct mfx_spf_outcome *got = run(t, &request);
    print_steps(got);
    print(id, '\t');
    (void)printf("%s\t", mfx_spf_result_name(got->result));
    print(got->explanation, '\t');
    print(got->mechanism, '\t');
    print(got->domain, '\t');
    (void)printf("%u\t%u\t%u\t", got->lookups, got->voids, got->queries);
    print(got->problem, '\n');
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    static char line[LINE];
    struct tool t = {.config = mfx_spf_config_default(),
                     .env = mfx_env_system(),
                     .arena = mfx_arena_new(0)};
    if (t.arena == NULL)
        die("out of memory");
    mfx_buf_init(&t.zone, ZONE);
    for (int i = 1; i < argc; i++)
        take_option(&t, mfx_str_of(argv[i]));
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "zone") == 0)
            read_zone(&t, line);
        else
            answer(&t, mfx_str_of(line));
        mfx_arena_reset(t.arena);
    }
    mfx_arena_free(t.arena);
    mfx_resolver_free(t.env.resolver);
    mfx_buf_fini(&t.zone);
    return 0;
}
