/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every server of a zone, asked directly: two real NSDs (a primary and a
 * secondary that lags, lost a zone, or never had it), an address where nobody
 * listens, and a server that lies. All share one port on addresses of their
 * own; who serves what is said by a static resolver. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <mfx/base/buf.h>
#include <mfx/net/authority.h>

#include "liar.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 20000,
    NSDS = 2,
};

static const char nsd_path[] = "/usr/sbin/nsd";
static char dir[] = "/tmp/mfx-authority-XXXXXX";
static pid_t nsd_pids[NSDS] = {-1, -1};
static struct liar liar;
static bool has_liar;
static unsigned port;
static struct mfx_env env;
static struct mfx_authority *authority;
static size_t asked;

/* What the resolver knows. ns2, ns3: NSD; ns4: nobody; ns5: the liar; ns6:
 * an address, and one of IPv6 that nothing listens on; ns7: no address. */
static const char world[] =
    "ns2.test A 127.0.0.2\nns3.test A 127.0.0.3\nns4.test A 127.0.0.4\n"
    "ns5.test A 127.0.0.5\nns6.test A 127.0.0.2\nns6.test AAAA ::1\n"
    "ns7.test TXT x\n"
    "full.test SOA ns2.test\nfull.test NS ns2.test\nfull.test NS ns3.test\n"
    "lag.test SOA ns2.test\nlag.test NS ns2.test\nlag.test NS ns3.test\n"
    "broken.test SOA ns2.test\nbroken.test NS ns2.test\n"
    "broken.test NS ns3.test\n"
    "refused.test SOA ns2.test\nrefused.test NS ns3.test\n"
    "refused.test NS ns2.test\n"
    "dead.test SOA ns2.test\ndead.test NS ns2.test\ndead.test NS ns4.test\n"
    "two.test SOA ns2.test\ntwo.test NS ns2.test\ntwo.test NS ns6.test\n"
    "nowhere.test SOA ns2.test\nnowhere.test NS ns2.test\n"
    "nowhere.test NS ns7.test\n"
    "alias.test SOA ns2.test\nalias.test NS ns2.test\nalias.test NS ns3.test\n"
    "k.alias.test CNAME t.full.test\n"
    "half.test SOA ns2.test\nhalf.test NS ns2.test\nhalf.test NS ns3.test\n"
    "loop.test SOA ns2.test\nloop.test NS ns2.test\n"
    "liar.test SOA ns5.test\nliar.test NS ns5.test\n"
    "noserver.test SOA ns2.test\n"
    "outage.test SOA !timeout\n"
    "gone.test SOA !servfail\n";

static const char lies[] =
    "good.liar.test TXT aa ttl=77 txt hello\n"
    "lame.liar.test TXT ttl=77 txt hello\n"
    "referral.liar.test TXT referral\n"
    "nx.liar.test TXT aa nxdomain 900 33\n"
    "nodata.liar.test TXT aa nodata 20 33\n"
    "fail.liar.test TXT servfail\n"
    "refused.liar.test TXT refused\n"
    "notauth.liar.test TXT rcode 9\n"
    "silent.liar.test TXT silent\n"
    "slow.liar.test TXT times=1 silent\n"
    "slow.liar.test TXT aa ttl=5 txt late\n"
    "short.liar.test TXT aa malformed short_rr\n"
    "count.liar.test TXT aa malformed count\n"
    "noedns.liar.test TXT edns formerr\n"
    "noedns.liar.test TXT aa ttl=8 txt plain\n"
    "cut.liar.test TXT udp truncate\n"
    "cut.liar.test TXT aa ttl=9 txt whole\n"
    "cutcut.liar.test TXT truncate\n"
    "id.liar.test TXT aa id txt spoofed\n"
    "question.liar.test TXT aa question=other.test txt spoofed\n"
    "big.liar.test TXT aa ttl=6 bytes 3000\n"
    "liar.test SOA aa nodata 60 30\n";

static const struct {
    const char *label, *name;
    enum mfx_rc rc;
    /* "address status ttl" of each server, joined by "; " */
    const char *servers;
    bool has_negative_ttl;
    uint32_t negative_ttl_s;
    bool needs_liar;
} cases[] = {
    {"all have it",                                     "k.full.test",        MFX_OK,
     "127.0.0.2 answer 120; 127.0.0.3 answer 120",                                                                          true,  45,  false},
    {"a name that is not there",                        "none.full.test",     MFX_OK,
     "127.0.0.2 no such name 45; 127.0.0.3 no such name 45",                                                                true,  45,  false},
    {"a name without the type",                         "a.full.test",        MFX_OK,
     "127.0.0.2 no data 45; 127.0.0.3 no data 45",                                                                          true,  45,  false},
    {"a name between",                                  "ent.full.test",      MFX_OK,
     "127.0.0.2 no data 45; 127.0.0.3 no data 45",                                                                          true,  45,  false},
    {"a wildcard",                                      "x.w.full.test",      MFX_OK,
     "127.0.0.2 answer 30; 127.0.0.3 answer 30",                                                                            true,  45,  false},
    {"a final dot",                                     "k.full.test.",       MFX_OK,
     "127.0.0.2 answer 120; 127.0.0.3 answer 120",                                                                          true,  45,  false},
    {"an answer for TCP",                               "big.full.test",      MFX_OK,
     "127.0.0.2 answer 30; 127.0.0.3 answer 30",                                                                            true,  45,  false},
    {"the secondary lags",                              "k.lag.test",         MFX_OK,
     "127.0.0.2 answer 120; 127.0.0.3 no such name 600",                                                                    true,  600, false},
    {"the secondary has lost its zone",                 "k.broken.test",      MFX_OK,
     "127.0.0.2 answer 120; 127.0.0.3 server failure 0",                                                                    true,  45,  false},
    {"a server that was never told",                    "k.refused.test",     MFX_OK,
     "127.0.0.3 refused 0; 127.0.0.2 answer 120",                                                                           true,  45,  false},
    {"a server that is down",                           "k.dead.test",        MFX_OK,
     "127.0.0.2 answer 120; 127.0.0.4 unreachable 0",                                                                       true,  45,  false},
    {"one address under two names, and one of IPv6",    "k.two.test",         MFX_OK,
     "127.0.0.2 answer 120; ::1 unreachable 0",                                                                             true,  45,  false},
    {"a server without an address",                     "k.nowhere.test",     MFX_OK,
     "127.0.0.2 answer 120; none unreachable 0",                                                                            true,  45,  false},
    {"an alias within the zone",                        "in.alias.test",      MFX_OK,
     "127.0.0.2 answer 900; 127.0.0.3 answer 900",                                                                          true,  45,  false},
    {"an alias within that leads nowhere",              "in2.alias.test",     MFX_OK,
     "127.0.0.2 no such name 900; 127.0.0.3 no such name 900",                                                              true,  45,  false},
    {"an alias into another zone, on the same servers", "k.alias.test",       MFX_OK,
     "127.0.0.2 alias 120; 127.0.0.3 alias 120; 127.0.0.2 answer 120; "
     "127.0.0.3 answer 120",                                                                                                true,  45,  false},
    {"an alias that the secondary has not",             "k.half.test",        MFX_OK,
     "127.0.0.2 alias 120; 127.0.0.3 no such name 45; 127.0.0.2 answer 120; "
     "127.0.0.3 answer 120",                                                                                                true,  45,  false},
    {"aliases that point at each other",                "k.loop.test",        MFX_OK,
     "127.0.0.2 malformed answer 0",                                                                                        false, 0,   false},

    {"with authority",                                  "good.liar.test",     MFX_OK,       "127.0.0.5 answer 77",          true,
     30,                                                                                                                                true },
    {"without",                                         "lame.liar.test",     MFX_OK,       "127.0.0.5 lame 0",             false, 0,   true },
    {"a referral",                                      "referral.liar.test", MFX_OK,       "127.0.0.5 lame 0",             false, 0,
     true                                                                                                                                    },
    {"NXDOMAIN, the SOA's last field",                  "nx.liar.test",       MFX_OK,
     "127.0.0.5 no such name 33",                                                                                           true,  33,  true },
    {"no data, the SOA's own TTL",                      "nodata.liar.test",   MFX_OK,
     "127.0.0.5 no data 20",                                                                                                true,  20,  true },
    {"SERVFAIL",                                        "fail.liar.test",     MFX_OK,       "127.0.0.5 server failure 0",   false,
     0,                                                                                                                                 true },
    {"REFUSED",                                         "refused.liar.test",  MFX_OK,       "127.0.0.5 refused 0",          false, 0,
     true                                                                                                                                    },
    {"NOTAUTH",                                         "notauth.liar.test",  MFX_OK,       "127.0.0.5 lame 0",             false, 0,
     true                                                                                                                                    },
    {"silence",                                         "silent.liar.test",   MFX_OK,       "127.0.0.5 timeout 0",          false, 0,
     true                                                                                                                                    },
    {"silent once",                                     "slow.liar.test",     MFX_OK,       "127.0.0.5 answer 5",           true,  30,
     true                                                                                                                                    },
    {"short_rr",                                        "short.liar.test",    MFX_OK,       "127.0.0.5 malformed answer 0",
     false,                                                                                                                        0,   true },
    {"count",                                           "count.liar.test",    MFX_OK,       "127.0.0.5 malformed answer 0", false,
     0,                                                                                                                                 true },
    {"no EDNS",                                         "noedns.liar.test",   MFX_OK,       "127.0.0.5 answer 8",           true,  30,
     true                                                                                                                                    },
    {"truncated",                                       "cut.liar.test",      MFX_OK,       "127.0.0.5 answer 9",           true,  30,
     true                                                                                                                                    },
    {"truncated by TCP",                                "cutcut.liar.test",   MFX_OK,
     "127.0.0.5 malformed answer 0",                                                                                        false, 0,   true },
    {"another_id",                                      "id.liar.test",       MFX_OK,       "127.0.0.5 timeout 0",          false, 0,
     true                                                                                                                                    },
    {"another_question",                                "question.liar.test", MFX_OK,       "127.0.0.5 timeout 0",
     false,                                                                                                                        0,   true },
    {"as long as an RSA-8192 key and more",             "big.liar.test",      MFX_OK,
     "127.0.0.5 answer 6",                                                                                                  true,  30,  true },

    {"a zone without name servers",                     "k.noserver.test",    MFX_TEMPFAIL, "",                             false,
     0,                                                                                                                                 false},
    {"an outage of the resolver is no answer",          "outage.test",        MFX_TEMPFAIL, "",
     false,                                                                                                                        0,   false},
    {"nor is its failure",                              "gone.test",          MFX_TEMPFAIL, "",                             false, 0,   false},
    {"no zone at all",                                  "k.unknown.example",  MFX_TEMPFAIL, "",                             false, 0,   false},
    {"empty_label",                                     "a..test",            MFX_PERMFAIL, "",                             false, 0,   false},
};

/* --- the servers --- */

static FILE *
create(const char *name, int server)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s%d", dir, name, server);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static const struct {
    const char *name;
    int server; /* 2, 3; 0: both */
    const char *text;
} zones[] = {
    {"full.test",    0,
     "k 120 IN TXT \"v=DKIM1; p=\" \"x\"\na IN A 192.0.2.1\n"
     "b.ent IN TXT y\n*.w IN TXT any\nt 120 IN TXT target\nbig IN TXT ("},
    {"lag.test",     2, "k 120 IN TXT new\n"                            },
    {"lag.test",     3, "@ 900 IN SOA ns root 1 2 3 4 600\n"            },
    {"broken.test",  2, "k 120 IN TXT new\n"                            },
    {"broken.test",  3, NULL                                            }, /* configured, without a file */
    {"refused.test", 2, "k 120 IN TXT new\n"                            },
    {"dead.test",    2, "k 120 IN TXT new\n"                            },
    {"two.test",     2, "k 120 IN TXT new\n"                            },
    {"nowhere.test", 2, "k 120 IN TXT new\n"                            },
    {"alias.test",   0,
     "in 900 IN CNAME t\nt 30 IN TXT x\nin2 900 IN CNAME none\n"
     "k 77 IN CNAME t.full.test.\n"                                     },
    {"half.test",    2, "k 77 IN CNAME t.full.test.\n"                  },
    {"half.test",    3, ""                                              },
    {"loop.test",    2, "k 10 IN CNAME l.half.test.\n"                  },
};

static void
write_zone(size_t i, int server)
{
    FILE *f = create(zones[i].name, server);
    (void)fprintf(f, "$ORIGIN %s.\n$TTL 30\n", zones[i].name);
    if (strstr(zones[i].text, "SOA") == NULL)
        (void)fputs("@ 900 IN SOA ns root 1 2 3 4 45\n", f);
    (void)fprintf(f, "@ IN NS ns2.test.\n%s", zones[i].text);
    if (strchr(zones[i].text, '(') != NULL) {
        for (int n = 0; n < 12; n++)
            (void)fprintf(f, " \"%0250d\"", n);
        (void)fputs(" )\n", f);
    }
    if (strcmp(zones[i].name, "half.test") == 0 && server == 2)
        (void)fputs("l 10 IN CNAME k.loop.test.\n", f);
    (void)fclose(f);
}

static void
write_config(int server)
{
    FILE *f = create("nsd.conf", server);
    (void)fprintf(
        f,
        "server:\n ip-address: 127.0.0.%d@%u\n username: \"\"\n"
        " chroot: \"\"\n zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n"
        " xfrdfile: \"%s/xfrd%d\"\n zonelistfile: \"%s/list%d\"\n"
        " logfile: \"%s/log%d\"\n server-count: 1\n rrl-ratelimit: 0\n"
        "remote-control:\n control-enable: no\n",
        server, port, dir, dir, server, dir, server, dir, server);
    for (size_t i = 0; i < COUNT(zones); i++) {
        if (zones[i].server != 0 && zones[i].server != server)
            continue;
        if (zones[i].text != NULL)
            write_zone(i, server);
        (void)fprintf(f, "zone:\n name: %s\n zonefile: %s%d\n", zones[i].name,
                      zones[i].name, server);
    }
    (void)fclose(f);
}

static bool
is_free(const char *address, unsigned wanted, int type, unsigned *got)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)wanted)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    (void)inet_pton(AF_INET, address, &in.sin_addr);
    bool is = bind(fd, (struct sockaddr *)&in, sizeof in) == 0 &&
              getsockname(fd, (struct sockaddr *)&in, &len) == 0;
    (void)close(fd);
    *got = ntohs(in.sin_port);
    return is;
}

static bool
find_port(void)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3",
                                            "127.0.0.4", "127.0.0.5"};
    for (int tries = 0; tries < 50; tries++) {
        unsigned same;
        bool is = is_free(addresses[0], 0, SOCK_DGRAM, &port);
        for (size_t i = 0; is && i < COUNT(addresses); i++)
            is = is_free(addresses[i], port, SOCK_DGRAM, &same) &&
                 is_free(addresses[i], port, SOCK_STREAM, &same);
        if (is)
            return true;
    }
    return false;
}

static pid_t
start_nsd(int server)
{
    char config[128];
    (void)snprintf(config, sizeof config, "%s/nsd.conf%d", dir, server);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 2);
        (void)execl(nsd_path, nsd_path, "-d", "-c", config, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool
pace(void *arg)
{
    ++*(size_t *)arg;
    return true;
}

static bool
ask_full(struct mfx_arena *arena)
{
    struct mfx_authority_reply reply;
    struct mfx_err err;
    bool is_up = mfx_authority_ask(authority, mfx_str_of("k.full.test"),
                                   MFX_DNS_TXT, arena, &reply, &err) == MFX_OK;
    for (size_t i = 0; i < reply.count; i++)
        is_up = is_up && reply.servers[i].status == MFX_AUTHORITY_ANSWER;
    return is_up;
}

/* Until both answer; they may be some time reading their zones. */
static bool
are_up(void)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (mfx_mono_ms() < until_ms) {
        struct mfx_arena *arena = mfx_arena_new(0);
        bool is_up = ask_full(arena);
        mfx_arena_free(arena);
        if (is_up)
            return true;
        (void)usleep(50000);
    }
    return false;
}

static int
set_up(void **state)
{
    struct mfx_err err = {""};
    (void)state;
    if (access(nsd_path, X_OK) != 0 || mkdtemp(dir) == NULL || !find_port())
        return -1;
    env = mfx_env_system();
    if (mfx_resolver_static_new(mfx_str_of(world), &env.resolver, &err) !=
        MFX_OK) {
        print_message("# %s\n", err.msg);
        return -1;
    }
    const struct mfx_authority_config config = {.env = &env,
                                                .port = port,
                                                .timeout_ms = 400,
                                                .tries = 2,
                                                .pace = pace,
                                                .arg = &asked};
    if (mfx_authority_new(&config, &authority, &err) != MFX_OK)
        return -1;
    for (int i = 0; i < NSDS; i++) {
        write_config(2 + i);
        nsd_pids[i] = start_nsd(2 + i);
    }
    has_liar = liar_start_at(&liar, lies, "127.0.0.5", port);
    return are_up() ? 0 : -1;
}

static int
tear_down(void **state)
{
    char command[64];
    (void)state;
    for (int i = 0; i < NSDS; i++)
        if (nsd_pids[i] > 0) {
            (void)kill(nsd_pids[i], SIGTERM);
            (void)waitpid(nsd_pids[i], NULL, 0);
        }
    if (has_liar)
        liar_stop(&liar);
    mfx_authority_free(authority);
    mfx_resolver_free(env.resolver);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* --- the tests --- */

static const char *
text_of(const struct mfx_authority_reply *reply, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 4096);
    for (size_t i = 0; i < reply->count; i++) {
        char ip[MFX_IP_TEXT];
        const struct mfx_authority_server *s = &reply->servers[i];
        mfx_buf_printf(&out, "%s%s %s %u", i == 0 ? "" : "; ",
                       mfx_ip_format(&s->ip, ip),
                       mfx_authority_status_name(s->status), s->ttl_s);
    }
    return mfx_buf_text(&out);
}

static void
test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_authority_reply reply;
        struct mfx_err err = {""};
        if (cases[i].needs_liar && !has_liar)
            continue;
        enum mfx_rc rc = mfx_authority_ask(authority, mfx_str_of(cases[i].name),
                                           MFX_DNS_TXT, arena, &reply, &err);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (rc != MFX_OK) {
            unit_assert_int(cases[i].label, err.msg[0] != '\0', true);
        } else {
            unit_assert_str(cases[i].label, mfx_str_of(text_of(&reply, arena)),
                            mfx_str_of(cases[i].servers));
            unit_assert_int(cases[i].label, reply.has_negative_ttl,
                            cases[i].has_negative_ttl);
            unit_assert_int(cases[i].label, reply.negative_ttl_s,
                            cases[i].negative_ttl_s);
        }
        mfx_arena_free(arena);
    }
}

static void
test_records(void **state)
{
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_authority_reply reply;
    assert_int_equal(mfx_authority_ask(authority, mfx_str_of("K.full.TEST"),
                                       MFX_DNS_TXT, arena, &reply, NULL),
                     MFX_OK);
    unit_assert_str("zone", reply.zone, mfx_str_of("full.TEST"));
    unit_assert_str("name", reply.servers[0].name, mfx_str_of("ns2.test"));
    unit_assert_int("one record", reply.servers[0].count, 1);
    unit_assert_str("strings joined", reply.servers[0].records[0].text,
                    mfx_str_of("v=DKIM1; p=x"));
    mfx_arena_free(arena);
}

/* What comes from the resolver at once costs no turn: two servers, and the
 * SOA of one. */
static void
test_pace(void **state)
{
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_authority_reply reply;
    asked = 0;
    assert_int_equal(mfx_authority_ask(authority, mfx_str_of("k.full.test"),
                                       MFX_DNS_TXT, arena, &reply, NULL),
                     MFX_OK);
    unit_assert_int("questions", asked, 3);
    mfx_arena_free(arena);
}

/* Servers that are named in place of the zone's own. */
static void
test_given(void **state)
{
    (void)state;
    char both[2][32];
    struct mfx_str servers[2];
    struct mfx_authority *given = NULL;
    struct mfx_authority_reply reply;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(both[i], sizeof both[i], "127.0.0.%d:%u", 3 - i, port);
        servers[i] = mfx_str_of(both[i]);
    }
    struct mfx_authority_config config = {
        .env = &env, .servers = servers, .server_count = 2};
    assert_int_equal(mfx_authority_new(&config, &given, NULL), MFX_OK);
    assert_int_equal(mfx_authority_ask(given, mfx_str_of("k.lag.test"),
                                       MFX_DNS_TXT, arena, &reply, NULL),
                     MFX_OK);
    unit_assert_str("both", mfx_str_of(text_of(&reply, arena)),
                    mfx_str_of("127.0.0.3 no such name 600; "
                               "127.0.0.2 answer 120"));
    assert_int_equal(mfx_authority_ask(given, mfx_str_of("k.full.test"),
                                       MFX_DNS_TXT, arena, &reply, NULL),
                     MFX_OK);
    unit_assert_int("SOA without a zone", reply.negative_ttl_s, 45);
    servers[1] = mfx_str_of("ns.test");
    unit_assert_int("no address", mfx_authority_new(&config, &given, NULL),
                    MFX_PERMFAIL);
    mfx_authority_free(given);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_given),
    };
    if (access(nsd_path, X_OK) != 0) {
        (void)printf("1..0 # SKIP %s is not installed\n", nsd_path);
        return 0;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
