/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load - puts a milter under load as Postfix does, and checks every answer
 *
 * Prints one JSON object; exits 1 when a message was not answered as asked.
 */
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <mfx/base/env.h>

static const struct option long_options[] = {
    {"socket",         required_argument, NULL, 's'},
    {"connections",    required_argument, NULL, 'c'},
    {"messages",       required_argument, NULL, 'n'},
    {"per-connection", required_argument, NULL, 'm'},
    {"warm",           required_argument, NULL, 'w'},
    {"rate",           required_argument, NULL, 'r'},
    {"size",           required_argument, NULL, 'z'},
    {"from",           required_argument, NULL, 'f'},
    {"domain",         required_argument, NULL, 'd'},
    {"domains",        required_argument, NULL, 'D'},
    {"senders",        required_argument, NULL, 'Z'},
    {"client",         required_argument, NULL, 'a'},
    {"login",          required_argument, NULL, 'l'},
    {"logins",         required_argument, NULL, 'U'},
    {"macro",          required_argument, NULL, 'M'},
    {"mta",            required_argument, NULL, 'k'},
    {"pid",            required_argument, NULL, 'p'},
    {"save",           required_argument, NULL, 'S'},
    {"save-every",     required_argument, NULL, 'E'},
    {"expect",         required_argument, NULL, 'e'},
    {"value",          required_argument, NULL, 'v'},
    {"times",          required_argument, NULL, 'x'},
    {"idle",           required_argument, NULL, 'i'},
    {"timeout",        required_argument, NULL, 't'},
    {"probe",          no_argument,       NULL, 'P'},
    {"help",           no_argument,       NULL, 'h'},
    {NULL,             0,                 NULL, 0  },
};

static const char help_text[] =
    "usage: load --socket SOCKET [options]\n"
    "  --connections N (16)  --messages N (1000)  --per-connection N (10)\n"
    "  --warm N (100)        messages before the measured ones\n"
    "  --rate N              messages a second, evenly; 0: as fast as it goes\n"
    "  --size BYTES (4096), K and M allowed; --from DIR: messages from files\n"
    "  --domain NAME         From domain; %u is a number below --domains N;\n"
    "                        of these --senders N write (all)\n"
    "  --login NAME          {auth_authen} of a message; %u is a number below\n"
    "                        --logins N (1)\n"
    "  --client ADDRESS (127.0.0.1)  --macro NAME=VALUE  --mta postfix|sendmail\n"
    "  --pid PID             whose CPU time and memory to report\n"
    "  --save DIR            results; --save-every N: only each N-th\n"
    "  --expect HEADER       inserted in each message, --times N (1);\n"
    "  --value TEXT          that its value holds\n"
    "  --idle N              connections that do nothing meanwhile\n"
    "  --timeout MS (60000)  for each reply\n"
    "  --probe               print what the filter negotiates, send no mail\n";

static uint64_t
number(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);
    return *end == 'K' ? n << 10 : *end == 'M' ? n << 20 : n;
}

struct arguments {
    struct load load;
    const char *directory;
    bool is_probe;
};

/* False for an option that load does not know. */
static bool
take_option(struct arguments *a, int option, const char *value)
{
    struct load *l = &a->load;
    switch (option) {
    case 's':
        l->socket = value;
        return true;
    case 'c':
        l->connections = (unsigned)number(value);
        return true;
    case 'n':
        l->messages = number(value);
        return true;
    case 'm':
        l->per_connection = (unsigned)number(value);
        return true;
    case 'w':
        l->warm = number(value);
        return true;
    case 'r':
        l->rate = number(value);
        return true;
    case 'z':
        l->source.size = number(value);
        return true;
    case 'f':
        a->directory = value;
        return true;
    case 'd':
        l->source.domain = value;
        return true;
    case 'D':
        l->source.domains = (unsigned)number(value);
        return true;
    case 'Z':
        l->source.senders = (unsigned)number(value);
        return true;
    case 'a':
        l->client = value;
        return true;
    case 'l':
        l->source.login = value;
        return true;
    case 'U':
        l->source.logins = (unsigned)number(value);
        return true;
    case 'M':
        if (l->macro_count < LOAD_MACROS_MAX)
            l->macros[l->macro_count++] = value;
        return true;
    case 'k':
        l->options.kind =
            strcmp(value, "sendmail") == 0 ? MTA_SENDMAIL : MTA_POSTFIX;
        return true;
    case 'p':
        l->pid = (pid_t)number(value);
        return true;
    case 'S':
        l->save_dir = value;
        return true;
    case 'E':
        l->save_every = (unsigned)number(value);
        return true;
    case 'e':
        l->header = value;
        return true;
    case 'v':
        l->value = value;
        return true;
    case 'x':
        l->header_times = (unsigned)number(value);
        return true;
    case 'i':
        l->idle = (unsigned)number(value);
        return true;
    case 't':
        l->options.timeout_ms = (int)number(value);
        return true;
    case 'P':
        a->is_probe = true;
        return true;
    default:
        return false;
    }
}

static void
arguments_init(struct arguments *a)
{
    memset(a, 0, sizeof *a);
    a->load.options = mta_options_default(MTA_POSTFIX);
    a->load.options.timeout_ms = 60000;
    a->load.client = "127.0.0.1";
    a->load.connections = 16;
    a->load.per_connection = 10;
    a->load.messages = 1000;
    a->load.warm = 100;
    a->load.save_every = 1;
    a->load.header_times = 1;
    a->load.source.size = 4096;
    a->load.source.domain = "bench.example";
    a->load.source.domains = 1;
    a->load.source.logins = 1;
}

static void
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* --- the negotiation --- */

static int
probe(const struct load *load)
{
    struct mfx_err err = {0};
    struct mta *t = mta_open(load->socket, &load->options, &err);
    if (t == NULL || mta_negotiate(t) != MTA_CONTINUE) {
        fprintf(stderr, "load: %s\n", t ? "negotiation failed" : err.msg);
        mta_free(t);
        return 1;
    }
    printf("{\"version\": %u, \"actions\": %u, \"steps\": %u, \"macros\": {",
           t->version, t->actions, t->steps);
    const char *comma = "";
    for (unsigned i = 0; i < MTA_STAGE_COUNT; i++) {
        if (t->symlists[i] == NULL)
            continue;
        printf("%s\"%u\": \"%s\"", comma, i, t->symlists[i]);
        comma = ", ";
    }
    printf("}}\n");
    mta_quit(t);
    mta_free(t);
    return 0;
}

/* --- summing up --- */

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
sum_up(struct load_worker *sum, const struct load_worker *workers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct load_worker *w = &workers[i];
        memcpy(sum->latency_ms + sum->done, w->latency_ms,
               w->done * sizeof(double));
        sum->done += w->done;
        sum->checked += w->checked;
        sum->broken += w->broken;
        sum->header_bytes += w->header_bytes;
        sum->edits += w->edits;
        sum->edit_bytes += w->edit_bytes;
        for (unsigned v = 0; v < LOAD_VERDICTS; v++)
            sum->verdicts[v] += w->verdicts[v];
        if (sum->first_problem[0] == '\0')
            memcpy(sum->first_problem, w->first_problem,
                   sizeof sum->first_problem);
    }
    qsort(sum->latency_ms, sum->done, sizeof(double), compare);
}

static double
percentile(const struct load_worker *sum, unsigned percent)
{
    if (sum->done == 0)
        return 0;
    uint64_t at = sum->done * percent / 100;
    return sum->latency_ms[at < sum->done ? at : sum->done - 1];
}

static void
print_problem(const char *text)
{
    printf("\"problem\": \"");
    for (; *text != '\0'; text++)
        if (*text >= ' ' && *text < 127 && *text != '"' && *text != '\\')
            putchar(*text);
    printf("\", ");
}

static void
print_result(const struct load *load, const struct load_worker *sum,
             double seconds, uint64_t cpu_ns)
{
    double n = sum->done ? (double)sum->done : 1;
    printf("{\"messages\": %llu, \"checked\": %llu, \"problems\": %llu, ",
           (unsigned long long)sum->done, (unsigned long long)sum->checked,
           (unsigned long long)sum->broken);
    if (sum->first_problem[0] != '\0')
        print_problem(sum->first_problem);
    for (unsigned v = 0; v < LOAD_VERDICTS; v++)
        if (sum->verdicts[v] != 0)
            printf("\"%s\": %llu, ", mta_verdict_name((enum mta_verdict)v),
                   (unsigned long long)sum->verdicts[v]);
    printf("\"seconds\": %.3f, \"per_second\": %.1f, ", seconds,
           (double)sum->done / (seconds > 0 ? seconds : 1));
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, ",
           percentile(sum, 50), percentile(sum, 99), percentile(sum, 100));
    printf("\"header_bytes\": %.1f, \"edits\": %.2f, \"edit_bytes\": %.1f, ",
           (double)sum->header_bytes / n, (double)sum->edits / n,
           (double)sum->edit_bytes / n);
    printf("\"cpu_us\": %.2f, ", (double)cpu_ns / 1e3 / n);
    printf("\"rss_kb\": %llu, \"peak_kb\": %llu}\n",
           (unsigned long long)load_status_kb(load->pid, "VmRSS"),
           (unsigned long long)load_status_kb(load->pid, "VmHWM"));
}

static struct load_worker *
workers_new(struct load *load, unsigned count, uint64_t messages)
{
    struct load_worker *workers = calloc(count, sizeof *workers);
    for (unsigned i = 0; workers != NULL && i < count; i++) {
        workers[i].load = load;
        workers[i].latency_ms = calloc(messages + 1, sizeof(double));
        if (workers[i].latency_ms == NULL)
            MFX_BUG("out of memory");
    }
    return workers;
}

static void
workers_free(struct load_worker *workers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free(workers[i].latency_ms);
    free(workers);
}

static bool
measure(struct load *load, uint64_t first, uint64_t count, bool is_printed)
{
    struct load_worker *workers = workers_new(load, load->connections, count);
    struct load_worker *sum = workers_new(load, 1, count);
    if (workers == NULL || sum == NULL)
        MFX_BUG("out of memory");
    load->next = load->first = first;
    load->end = first + count;
    uint64_t cpu = load_cpu_ns(load->pid), began = mfx_mono_ms();
    load_run(load, workers);
    uint64_t took_ms = mfx_mono_ms() - began;
    cpu = load_cpu_ns(load->pid) - cpu;
    sum_up(sum, workers, load->connections);
    if (is_printed)
        print_result(load, sum, (double)took_ms / 1e3, cpu);
    bool ok = sum->done == count && sum->checked == count && !sum->broken;
    workers_free(workers, load->connections);
    workers_free(sum, 1);
    return ok;
}

static int
run(struct load *load)
{
    const char *failed = NULL;
    struct mta **idle = load_idle_open(load, &failed);
    bool ok = idle != NULL && failed == NULL;
    if (!ok)
        fprintf(stderr, "load: idle connections: %s\n", failed);
    if (ok && load->warm != 0)
        measure(load, 0, load->warm, false);
    if (ok)
        ok = measure(load, load->warm, load->messages, true);
    load_idle_close(idle, load->idle);
    return ok ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct arguments a;
    int option;
    arguments_init(&a);
    while ((option = getopt_long(argc, argv, "s:c:n:m:z:p:h", long_options,
                                 NULL)) != -1) {
        if (!take_option(&a, option, optarg)) {
            fputs(help_text, stderr);
            return option == 'h' ? 0 : 64;
        }
    }
    if (a.load.socket == NULL || a.load.connections == 0 ||
        a.load.per_connection == 0 || a.load.source.domains == 0 ||
        a.load.source.logins == 0) {
        fputs(help_text, stderr);
        return 64;
    }
    if (a.load.source.senders == 0)
        a.load.source.senders = a.load.source.domains;
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    if (a.is_probe)
        return probe(&a.load);
    if (!load_source_init(&a.load.source, a.directory)) {
        fprintf(stderr, "load: no messages in %s\n", a.directory);
        return 64;
    }
    int status = run(&a.load);
    load_source_fini(&a.load.source);
    return status;
}
