/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver against a real name server: NSD on a loopback port. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mfx/net/resolver.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 20000,
    LARGE = 40000,
};

static const char nsd_path[] = "/usr/sbin/nsd";
static char dir[] = "/tmp/mfx-nsd-XXXXXX";
static pid_t nsd_pid = -1;
static struct mfx_resolver *resolver;
static struct mfx_env env;

static FILE *
create(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void
write_zone(void)
{
    FILE *zone = create("zone");
    (void)fputs(
        "$ORIGIN example.test.\n$TTL 300\n"
        "@ 900 IN SOA ns.example.test. root.example.test. 1 2 3 4 45\n"
        "@ IN NS ns.example.test.\n"
        "ns IN A 127.0.0.1\n"
        "@ IN MX 10 mail.example.test.\n"
        "mail IN A 192.0.2.1\nmail IN A 192.0.2.2\nmail IN AAAA 2001:db8::1\n"
        "sel._domainkey IN TXT ( \"v=DKIM1; k=rsa; \" \"p=MIGf\" )\n"
        "eightbit IN TXT \"\\233\\255\\000\"\n"
        "key2 60 IN CNAME sel._domainkey\n"
        "key3 120 IN CNAME key2\n"
        "astray IN CNAME nowhere\n"
        "outside IN CNAME www.elsewhere.test.\n"
        "*.wild IN TXT \"any\"\n"
        "sub IN NS ns.sub\n"
        "large IN TXT (",
        zone);
    for (int i = 0; i < LARGE / 250; i++)
        (void)fprintf(zone, " \"%0250d\"", i);
    (void)fputs(" )\n", zone);
    (void)fclose(zone);
}

static void
write_config(unsigned port)
{
    FILE *config = create("nsd.conf");
    (void)fprintf(
        config,
        "server:\n ip-address: 127.0.0.1@%u\n port: %u\n username: \"\"\n"
        " chroot: \"\"\n zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n"
        " xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/zones\"\n"
        " logfile: \"%s/log\"\n server-count: 1\n rrl-ratelimit: 0\n"
        "remote-control:\n control-enable: no\n"
        "zone:\n name: example.test\n zonefile: zone\n",
        port, port, dir, dir, dir, dir);
    (void)fclose(config);
}

static unsigned
free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    (void)close(fd);
    return ntohs(in.sin_port);
}

static void
start_nsd(void)
{
    char config[128];
    (void)snprintf(config, sizeof config, "%s/nsd.conf", dir);
    nsd_pid = fork();
    assert_true(nsd_pid >= 0);
    if (nsd_pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 2);
        (void)execl(nsd_path, nsd_path, "-d", "-c", config, (char *)NULL);
        _exit(127);
    }
}

static const struct mfx_dns_answer *
ask(const char *name, enum mfx_dns_type type, struct mfx_dns_question **q)
{
    *q = mfx_dns_ask(resolver, mfx_str_of(name), type);
    assert_true(mfx_event_wait(mfx_dns_question_event(*q),
                               mfx_mono_ms() + PATIENCE_MS));
    return mfx_dns_question_answer(*q);
}

/* Until it answers; it may be some time reading its zone. */
static bool
is_up(void)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (mfx_mono_ms() < until_ms) {
        struct mfx_dns_question *q;
        bool is_answer =
            ask("ns.example.test", MFX_DNS_A, &q)->status == MFX_DNS_ANSWER;
        mfx_dns_question_release(q);
        if (is_answer)
            return true;
        if (waitpid(nsd_pid, NULL, WNOHANG) != 0) {
            nsd_pid = -1;
            return false;
        }
        (void)usleep(50000);
    }
    return false;
}

static int
set_up(void **state)
{
    char server[32];
    struct mfx_str servers[1];
    (void)state;
    unsigned port = free_port();
    if (mkdtemp(dir) == NULL)
        return -1;
    write_zone();
    write_config(port);
    start_nsd();
    (void)snprintf(server, sizeof server, "127.0.0.1:%u", port);
    servers[0] = mfx_str_of(server);
    env = mfx_env_system();
    struct mfx_resolver_dns_config config = {
        .servers = servers,
        .server_count = 1,
        .timeout_ms = 4000,
        .cache_entries = 1000,
        .cache_bytes = 1 << 20,
    };
    if (mfx_resolver_dns_new(&config, &env, &resolver, NULL) != MFX_OK)
        return -1;
    return is_up() ? 0 : -1;
}

static int
tear_down(void **state)
{
    static const char *const files[] = {"zone", "nsd.conf", "xfrd", "zones",
                                        "log"};
    (void)state;
    mfx_resolver_free(resolver);
    if (nsd_pid > 0) {
        (void)kill(nsd_pid, SIGTERM);
        (void)waitpid(nsd_pid, NULL, 0);
    }
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    return 0;
}

static void
answers(void **state)
{
    static const struct {
        const char *name;
        enum mfx_dns_type type;
        enum mfx_dns_status status;
        size_t count;
        const char *text;
        size_t len;
        uint32_t ttl_s;
    } cases[] = {
        {"sel._domainkey.example.test", MFX_DNS_TXT,   MFX_DNS_ANSWER,  1,
         "v=DKIM1; k=rsa; p=MIGf",                                                              22, 300},
        {"SEL._DomainKey.Example.Test", MFX_DNS_TXT,   MFX_DNS_ANSWER,  1,
         "v=DKIM1; k=rsa; p=MIGf",                                                              22, 300},
        {"eightbit.example.test",       MFX_DNS_TXT,   MFX_DNS_ANSWER,  1, "\xE9\xFF",          3,
         300                                                                                           },
        {"key2.example.test",           MFX_DNS_TXT,   MFX_DNS_ANSWER,  1,
         "v=DKIM1; k=rsa; p=MIGf",                                                              22, 60 },
        {"key3.example.test",           MFX_DNS_TXT,   MFX_DNS_ANSWER,  1,
         "v=DKIM1; k=rsa; p=MIGf",                                                              22, 60 },
        {"key3.example.test",           MFX_DNS_CNAME, MFX_DNS_ANSWER,  1,
         "key2.example.test",                                                                   17, 120},
        {"x.y.wild.example.test",       MFX_DNS_TXT,   MFX_DNS_ANSWER,  1, "any",               3,
         300                                                                                           },
        {"example.test",                MFX_DNS_MX,    MFX_DNS_ANSWER,  1, "mail.example.test", 17,
         300                                                                                           },
        {"example.test",                MFX_DNS_NS,    MFX_DNS_ANSWER,  1, "ns.example.test",   15,
         300                                                                                           },
        {"mail.example.test",           MFX_DNS_A,     MFX_DNS_ANSWER,  2, "",                  0,  300},
        {"mail.example.test",           MFX_DNS_AAAA,  MFX_DNS_ANSWER,  1, "",                  0,  300},
        {"nowhere.example.test",        MFX_DNS_TXT,   MFX_DNS_NO_NAME, 0, NULL,                0,  45 },
        {"astray.example.test",         MFX_DNS_TXT,   MFX_DNS_NO_NAME, 0, NULL,                0,  45 },
        {"mail.example.test",           MFX_DNS_TXT,   MFX_DNS_NO_DATA, 0, NULL,                0,  45 },
        {"_domainkey.example.test",     MFX_DNS_TXT,   MFX_DNS_NO_DATA, 0, NULL,                0,
         45                                                                                            },
        {"a.sub.example.test",          MFX_DNS_TXT,   MFX_DNS_FAILED,  0, NULL,                0,
         0                                                                                             }, /* a referral */
        {"elsewhere.test",              MFX_DNS_TXT,   MFX_DNS_FAILED,  0, NULL,                0,
         0                                                                                             }, /* REFUSED */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_dns_question *q;
        const struct mfx_dns_answer *a = ask(cases[i].name, cases[i].type, &q);
        unit_assert_int(cases[i].name, a->status, cases[i].status);
        unit_assert_int(cases[i].name, a->count, cases[i].count);
        unit_assert_int(cases[i].name, a->ttl_s, cases[i].ttl_s);
        if (cases[i].text != NULL)
            unit_assert_str(cases[i].name, a->records[0].text,
                            mfx_str(cases[i].text, cases[i].len));
        mfx_dns_question_release(q);
    }
}

static void
large_txt(void **state)
{
    struct mfx_dns_question *q;
    (void)state;
    const struct mfx_dns_answer *a = ask("large.example.test", MFX_DNS_TXT, &q);
    assert_int_equal(a->status, MFX_DNS_ANSWER);
    struct mfx_str text = a->records[0].text;
    assert_int_equal(text.len, LARGE);
    for (int i = 0; i < LARGE / 250; i++) {
        char want[251];
        (void)snprintf(want, sizeof want, "%0250d", i);
        assert_memory_equal(text.p + 250 * i, want, 250);
    }
    mfx_dns_question_release(q);
}

/* 2,000 questions at once: none is lost. */
static void
many_at_once(void **state)
{
    enum {
        MANY = 2000,
    };
    static struct mfx_dns_question *questions[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "n%d.wild.example.test", i);
        questions[i] = mfx_dns_ask(resolver, mfx_str_of(name), MFX_DNS_TXT);
    }
    for (int i = 0; i < MANY; i++) {
        assert_true(mfx_event_wait(mfx_dns_question_event(questions[i]),
                                   mfx_mono_ms() + PATIENCE_MS));
        assert_int_equal(mfx_dns_question_answer(questions[i])->status,
                         MFX_DNS_ANSWER);
        mfx_dns_question_release(questions[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(large_txt),
        cmocka_unit_test(many_at_once),
    };
    if (access(nsd_path, X_OK) != 0) {
        puts("1..0 # SKIP NSD is not installed");
        return 0;
    }
    return cmocka_run_group_tests_name("resolver_nsd", tests, set_up,
                                       tear_down);
}
