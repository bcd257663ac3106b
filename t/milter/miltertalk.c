/* SPDX-License-Identifier: BSD-2-Clause
 *
 * miltertalk - plays an MTA towards a filter, from script files
 *
 *     miltertalk -s unix:/run/x.sock [-p PID] [-l LOG] [-t MS] SCRIPT...
 *
 * Prints TAP, one line for each "test" of the scripts; exits 1 when one
 * failed. A line that begins with # is a comment.
 */
#include "talk.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <mfx/base/env.h>

bool
talk_fail(struct talk *t, const char *format, ...)
{
    va_list args;
    if (t->has_failed)
        return false;
    t->has_failed = true;
    printf("# %s:%u: ", t->script_name, t->line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    return false;
}

/* --- sessions --- */

struct talk_session *
talk_session_get(struct talk *t, struct mfx_str name)
{
    for (size_t i = 0; i < t->session_count; i++)
        if (mfx_str_is(name, t->sessions[i].name))
            return &t->sessions[i];
    if (t->session_count == TALK_SESSIONS_MAX)
        return NULL;
    struct talk_session *s = &t->sessions[t->session_count++];
    memset(s, 0, sizeof *s);
    snprintf(s->name, sizeof s->name, "%.*s", MFX_STR_ARG(name));
    s->options = mta_options_default(MTA_POSTFIX);
    s->options.timeout_ms = t->timeout_ms;
    mta_message_init(&s->message);
    mfx_buf_init(&s->body, SIZE_MAX / 2);
    return s;
}

static void
close_sessions(struct talk *t)
{
    for (size_t i = 0; i < t->session_count; i++) {
        struct talk_session *s = &t->sessions[i];
        if (s->mta != NULL)
            mta_quit(s->mta);
        mta_free(s->mta);
        mta_message_fini(&s->message);
        mfx_buf_fini(&s->body);
    }
    t->session_count = 0;
}

struct mta *
talk_open(struct talk *t)
{
    struct talk_session *s = t->s;
    struct mfx_err err = {0};
    mta_free(s->mta);
    s->mta = mta_open(t->socket, &s->options, &err);
    if (s->mta == NULL) {
        talk_fail(t, "%s", err.msg);
        return NULL;
    }
    for (size_t i = 0; i < s->macro_count; i++)
        mta_macro(s->mta, s->macros[i].name,
                  s->macros[i].is_withheld ? NULL : s->macros[i].value);
    s->mta->no_macros = s->no_macros;
    if (mta_negotiate(s->mta) != MTA_CONTINUE) {
        talk_fail(t, "negotiation: %s: %.*s",
                  mta_verdict_name(s->mta->reply.verdict),
                  MFX_STR_ARG(s->mta->reply.text));
        return NULL;
    }
    return s->mta;
}

struct mta *
talk_need(struct talk *t)
{
    return t->s->mta != NULL ? t->s->mta : talk_open(t);
}

void
talk_note_reply(struct talk *t, uint64_t began_ms)
{
    t->s->took_ms = mfx_mono_ms() - began_ms;
    t->s->cursor = t->s->mta->reply.edits;
    t->s->is_unchecked = true;
    t->s->is_sent = false;
}

/* --- running --- */

static const struct talk_command *
find_command(struct mfx_str name)
{
    const struct talk_command *tables[] = {talk_send_commands,
                                           talk_check_commands};
    for (size_t i = 0; i < 2; i++)
        for (const struct talk_command *c = tables[i]; c->name; c++)
            if (mfx_str_is(name, c->name))
                return c;
    return NULL;
}

/* A reply nobody expected must let the message go on; at its end ACCEPT and
 * CONTINUE are alike. */
static bool
check_last(struct talk *t)
{
    struct talk_session *s = t->s;
    bool was_unchecked = s->is_unchecked;
    s->is_unchecked = false;
    if (!was_unchecked || s->mta == NULL || t->has_failed)
        return !t->has_failed;
    enum mta_verdict v = s->mta->reply.verdict;
    if (mta_goes_on(v) || (s->is_sent && v == MTA_ACCEPT))
        return true;
    return talk_fail(t, "the reply before was %s \"%.*s\"", mta_verdict_name(v),
                     MFX_STR_ARG(s->mta->reply.text));
}

bool
talk_run_line(struct talk *t, struct mfx_str line)
{
    struct mfx_str rest = line, name = talk_word(&rest);
    const struct talk_command *command = find_command(name);
    if (command == NULL)
        return talk_fail(t, "no such command: %.*s", MFX_STR_ARG(name));
    if (command->is_check) {
        if (mfx_str_is(name, "expect"))
            t->s->is_unchecked = false;
    } else if (!check_last(t)) {
        return false;
    }
    return command->run(t, rest);
}

static void
begin_test(struct talk *t, struct mfx_str label)
{
    t->tests++;
    t->has_failed = false;
    t->log_mark = 0;
    snprintf(t->label, sizeof t->label, "%.*s", MFX_STR_ARG(label));
    mfx_arena_reset(t->arena);
    t->s = talk_session_get(t, mfx_str_of("main"));
}

static void
end_test(struct talk *t)
{
    if (t->label[0] == '\0')
        return;
    for (size_t i = 0; i < t->session_count; i++) {
        t->s = &t->sessions[i];
        check_last(t);
    }
    close_sessions(t);
    printf("%sok %u - %s\n", t->has_failed ? "not " : "", t->tests, t->label);
    fflush(stdout);
    t->failures += t->has_failed;
    t->label[0] = '\0';
}

static void
run_script_line(struct talk *t, struct mfx_str line)
{
    struct mfx_str rest = line, name = talk_word(&rest);
    if (name.len == 0 || name.p[0] == '#')
        return;
    if (mfx_str_is(name, "test")) {
        end_test(t);
        begin_test(t, rest);
    } else if (t->label[0] == '\0') {
        begin_test(t, mfx_str_of(t->script_name));
        talk_run_line(t, line);
    } else if (!t->has_failed) {
        talk_run_line(t, line);
    }
}

static void
run_script(struct talk *t, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    t->script = fopen(path, "r");
    t->script_name = path;
    t->line = 0;
    if (t->script == NULL) {
        printf("not ok %u - %s cannot be read\n", ++t->tests, path);
        t->failures++;
        return;
    }
    while ((n = getline(&line, &size, t->script)) > 0) {
        t->line++;
        if (line[n - 1] == '\n')
            n--;
        run_script_line(t, mfx_str(line, (size_t)n));
    }
    end_test(t);
    free(line);
    fclose(t->script);
}

static void
print_help(void)
{
    const struct talk_command *tables[] = {talk_send_commands,
                                           talk_check_commands};
    printf("usage: miltertalk -s SOCKET [-p PID] [-l LOG] [-t MS] SCRIPT...\n"
           "Commands of a script (test LABEL begins a test):\n");
    for (size_t i = 0; i < 2; i++)
        for (const struct talk_command *c = tables[i]; c->name; c++)
            printf("  %-14s %s\n", c->name, c->help);
}

static bool
read_options(struct talk *t, int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "s:p:l:t:h")) != -1) {
        if (option == 's')
            t->socket = optarg;
        else if (option == 'p')
            t->pid = (pid_t)strtol(optarg, NULL, 10);
        else if (option == 'l')
            t->log_path = optarg;
        else if (option == 't')
            t->timeout_ms = (int)strtol(optarg, NULL, 10);
        else {
            print_help();
            return false;
        }
    }
    return t->socket != NULL && optind < argc;
}

int
main(int argc, char **argv)
{
    struct talk t = {.timeout_ms = 20000};
    signal(SIGPIPE, SIG_IGN);
    if (!read_options(&t, argc, argv)) {
        fprintf(stderr, "miltertalk -h for help\n");
        return 64;
    }
    t.arena = mfx_arena_new(0);
    for (int i = optind; i < argc; i++)
        run_script(&t, argv[i]);
    printf("1..%u\n", t.tests);
    mfx_arena_free(t.arena);
    return t.failures == 0 ? 0 : 1;
}
