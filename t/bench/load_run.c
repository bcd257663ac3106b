/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <libmilter/mfdef.h>

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
problem(struct load_worker *w, const char *what, struct mfx_str detail)
{
    w->broken++;
    if (w->first_problem[0] == '\0')
        snprintf(w->first_problem, sizeof w->first_problem, "%s %.*s", what,
                 MFX_STR_ARG(mfx_str_head(detail, 100)));
}

/* --- connections --- */

static void
set_macros(const struct load *load, struct mta *t)
{
    for (size_t i = 0; i < load->macro_count; i++) {
        const char *equals = strchr(load->macros[i], '=');
        char name[64];
        if (equals == NULL)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(equals - load->macros[i]),
                 load->macros[i]);
        mta_macro(t, name, equals + 1);
    }
}

struct mta *
load_open(const struct load *load, struct mfx_err *err)
{
    struct mta *t = mta_open(load->socket, &load->options, err);
    if (t == NULL)
        return NULL;
    set_macros(load, t);
    if (mta_negotiate(t) == MTA_CONTINUE &&
        mta_goes_on(mta_connect(t, "client.example.org", SMFIA_INET, 40000,
                                load->client)) &&
        mta_goes_on(mta_helo(t, "client.example.org")))
        return t;
    mfx_err_set(err, "%s %.*s", mta_verdict_name(t->reply.verdict),
                MFX_STR_ARG(t->reply.text));
    mta_free(t);
    return NULL;
}

void
load_idle_close(struct mta **idle, unsigned count)
{
    for (unsigned i = 0; idle != NULL && i < count; i++)
        mta_free(idle[i]);
    free(idle);
}

struct mta **
load_idle_open(const struct load *load, const char **failed)
{
    static struct mfx_err err;
    struct mta **idle = calloc(load->idle + 1, sizeof(struct mta *));
    *failed = NULL;
    for (unsigned i = 0; idle != NULL && i < load->idle; i++) {
        idle[i] = load_open(load, &err);
        if (idle[i] == NULL) {
            *failed = err.msg;
            break;
        }
        mta_wire_flush(idle[i]->wire);
    }
    return idle;
}

/* --- messages --- */

static void
count_edits(struct load_worker *w, const struct mta *t)
{
    for (const struct mta_edit *e = t->reply.edits; e != NULL; e = e->next) {
        w->edits++;
        w->edit_bytes += e->value.len;
    }
}

/* How many inserted fields of the wanted name and value there are. */
static void
check_edits(struct load_worker *w, const struct mta *t)
{
    const struct load *load = w->load;
    unsigned found = 0;
    count_edits(w, t);
    for (const struct mta_edit *e = t->reply.edits; e != NULL; e = e->next) {
        if (load->header == NULL || e->value.len == 0 ||
            !mfx_str_is_nocase(e->name, load->header))
            continue;
        w->header_bytes += e->value.len;
        if (load->value == NULL || memmem(e->value.p, e->value.len, load->value,
                                          strlen(load->value)) != NULL)
            found++;
        else
            problem(w, "value:", e->value);
    }
    if (load->header == NULL || found == load->header_times)
        w->checked++;
    else
        problem(w, "inserted fields missing:", mfx_str_of(load->header));
}

static void
save(const struct load *load, uint64_t number, const struct mta *t,
     struct mta_message *m)
{
    char path[4096];
    struct mfx_buf out;
    mta_apply_edits(t, m);
    mfx_buf_init(&out, SIZE_MAX / 2);
    mta_message_format(m, false, &out);
    snprintf(path, sizeof path, "%s/%08llu.eml", load->save_dir,
             (unsigned long long)number);
    FILE *f = fopen(path, "w");
    if (f != NULL) {
        fwrite(out.p, 1, out.len, f);
        fclose(f);
    }
    mfx_buf_fini(&out);
}

static enum mta_verdict
send_envelope(struct mta *t, const char *from)
{
    char address[400];
    snprintf(address, sizeof address, "<%s>", from);
    struct mfx_str sender = mfx_str_of(address);
    struct mfx_str rcpt = mfx_str_of("<reader@example.net>");
    enum mta_verdict v = mta_mail(t, &sender, 1);
    if (mta_goes_on(v))
        v = mta_rcpt(t, &rcpt, 1);
    return mta_goes_on(v) ? mta_data(t) : v;
}

/* One message; false when the connection is of no more use. */
static bool
one_message(struct load_worker *w, struct mta *t, uint64_t number,
            struct mta_message *m, struct mfx_buf *body)
{
    char from[300], login[300];
    load_source_get(&w->load->source, number, m, body, from, sizeof from);
    if (load_source_login(&w->load->source, number, login, sizeof login))
        mta_macro(t, "{auth_authen}", login);
    double began = now_ms();
    enum mta_verdict v = send_envelope(t, from);
    if (mta_goes_on(v))
        v = mta_send_content(t, m, NULL);
    w->latency_ms[w->done++] = now_ms() - began;
    w->verdicts[v]++;
    if (v >= MTA_CLOSED) {
        problem(w, mta_verdict_name(v), t->reply.text);
        return false;
    }
    check_edits(w, t);
    if (w->load->save_dir != NULL && number % w->load->save_every == 0)
        save(w->load, number, t, m);
    mta_end_message(t);
    return true;
}

/* By --rate each message has its time. */
static void
wait_for_turn(const struct load *load, uint64_t number)
{
    if (load->rate == 0)
        return;
    double due = load->began_ms +
                 (double)(number - load->first) * 1e3 / (double)load->rate;
    struct timespec t = {.tv_sec = (time_t)(due / 1e3)};
    t.tv_nsec = (long)((due - (double)t.tv_sec * 1e3) * 1e6);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static bool
take_number(struct load *load, uint64_t *number)
{
    *number = atomic_fetch_add(&load->next, 1);
    if (*number >= load->end)
        return false;
    wait_for_turn(load, *number);
    return true;
}

static void *
work(void *arg)
{
    struct load_worker *w = arg;
    struct mta_message m;
    struct mfx_buf body;
    struct mta *t = NULL;
    uint64_t number;
    unsigned sent = 0;
    mta_message_init(&m);
    mfx_buf_init(&body, SIZE_MAX / 2);
    while (take_number(w->load, &number)) {
        struct mfx_err err = {0};
        if (t == NULL && (t = load_open(w->load, &err)) == NULL) {
            problem(w, "no connection:", mfx_str_of(err.msg));
            w->verdicts[MTA_CLOSED]++;
            continue;
        }
        bool is_fine = one_message(w, t, number, &m, &body);
        if (is_fine && ++sent % w->load->per_connection != 0)
            continue;
        if (is_fine)
            mta_quit(t);
        mta_free(t);
        t = NULL;
    }
    if (t != NULL)
        mta_quit(t);
    mta_free(t);
    mfx_buf_fini(&body);
    mta_message_fini(&m);
    return NULL;
}

void
load_run(struct load *load, struct load_worker *workers)
{
    load->began_ms = now_ms();
    for (unsigned i = 0; i < load->connections; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            MFX_BUG("no thread");
    for (unsigned i = 0; i < load->connections; i++)
        pthread_join(workers[i].thread, NULL);
}
