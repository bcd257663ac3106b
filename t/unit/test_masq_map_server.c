/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests and replies are those of socketmap_table(5) and tcp_table(5);
 * addresses of "tops3cr3t" are those of PostSRSd 2's own tests. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/store/store_local.h>

#include "../../milters/masq/map_server.h"
#include "../../milters/masq/map_server_protocol.h"
#include "masq_tables.h"

enum {
    NEW_YEAR = 1577836860, /* 2020-01-01 00:01:00 UTC */
    PATIENCE_MS = 20000,
};

/* --- bytes --- */

static void
requests(void **state)
{
    static const struct {
        const char *label;
        enum masq_map_form form;
        const char *in;
        enum masq_map_parsed parsed;
        enum masq_map_name name;
        const char *key;
        size_t len;
    } cases[] = {
#define S MASQ_MAP_SOCKETMAP
#define T MASQ_MAP_TCP
        {"forward",       S, "15:srs_forward a@b,",   MASQ_MAP_REQUEST,
                              MASQ_MAP_FORWARD,                                                                  "a@b",    19},
        {"reverse",       S, "15:srs_reverse a@b,",   MASQ_MAP_REQUEST,
                              MASQ_MAP_REVERSE,                                                                  "a@b",    19},
        {"postsrsd_2",    S, "11:forward a@b,",       MASQ_MAP_REQUEST, MASQ_MAP_FORWARD,
                              "a@b",                                                                                       15},
        {"other_map",     S, "11:aliases a@b,",       MASQ_MAP_REQUEST, MASQ_MAP_UNKNOWN,
                              "a@b",                                                                                       15},
        {"blank_in_key",  S, "13:reverse a b@c,7",    MASQ_MAP_REQUEST,
                              MASQ_MAP_REVERSE,                                                                  "a b@c",  17},
        {"empty_key",     S, "8:forward ,",           MASQ_MAP_REQUEST, MASQ_MAP_FORWARD,   "",
                              11                                                                                             },
        {"nothing",       S, "",                      MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"digits",        S, "11",                    MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"colon",         S, "11:",                   MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"no_comma_yet",  S, "11:forward a@b",        MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,
                              NULL,                                                                                        0 },
        {"most",          S, "4096:forward",          MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"get",           T, "get a@b\n",             MASQ_MAP_REQUEST, MASQ_MAP_OF_SOCKET, "a@b",    8 },
        {"get_crlf",      T, "get a@b\r\nget",        MASQ_MAP_REQUEST, MASQ_MAP_OF_SOCKET,
                              "a@b",                                                                                       9 },
        {"get_encoded",   T, "get a%20%25%4A@b\n",    MASQ_MAP_REQUEST,
                              MASQ_MAP_OF_SOCKET,                                                                "a %J@b", 17},
        {"get_blank",     T, "get a b\n",             MASQ_MAP_REQUEST, MASQ_MAP_OF_SOCKET,
                              "a b",                                                                                       8 },
        {"get_empty",     T, "get \n",                MASQ_MAP_REQUEST, MASQ_MAP_OF_SOCKET, "",       5 },
        {"get_half",      T, "get a@b",               MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"tcp_nothing",   T, "",                      MASQ_MAP_MORE,    MASQ_MAP_UNKNOWN,   NULL,     0 },
 /* malformed */
        {"empty_string",  S, "0:,",                   MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"no_blank",      S, "7:forward,",            MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,   NULL,
                              0                                                                                              },
        {"no_digits",     S, ":forward a@b,",         MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,
                              NULL,                                                                                        0 },
        {"negative",      S, "-1:x,",                 MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"no_colon",      S, "11 forward a@b,",       MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,
                              NULL,                                                                                        0 },
        {"no_comma",      S, "11:forward a@b;",       MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,
                              NULL,                                                                                        0 },
        {"too_long",      S, "4097:forward a",        MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,
                              NULL,                                                                                        0 },
        {"far_too_long",  S, "18446744073709551616:", MASQ_MAP_BROKEN,
                              MASQ_MAP_UNKNOWN,                                                                  NULL,     0 },
        {"six_digits",    S, "000011",                MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,   NULL,     0 },
        {"tcp_asks",      S, "get a@b\n",             MASQ_MAP_BROKEN,  MASQ_MAP_UNKNOWN,   NULL,
                              0                                                                                              },
        {"put",           T, "put a b\n",             MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET, NULL,     0 },
        {"get_alone",     T, "get\n",                 MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET, NULL,     0 },
        {"empty_line",    T, "\n",                    MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET, NULL,     0 },
        {"percent_alone", T, "get a%\n",              MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET,
                              NULL,                                                                                        0 },
        {"percent_one",   T, "get a%4\n",             MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET,
                              NULL,                                                                                        0 },
        {"percent_words", T, "get a%4g\n",            MASQ_MAP_BROKEN,  MASQ_MAP_OF_SOCKET,
                              NULL,                                                                                        0 },
#undef S
#undef T
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_map_request request;
        unit_assert_int(cases[i].label,
                        masq_map_request_parse(cases[i].form,
                                               mfx_str_of(cases[i].in), arena,
                                               &request),
                        cases[i].parsed);
        if (cases[i].parsed != MASQ_MAP_REQUEST)
            continue;
        unit_assert_int(cases[i].label, request.name, cases[i].name);
        unit_assert_str(cases[i].label, request.key, mfx_str_of(cases[i].key));
        unit_assert_int(cases[i].label, request.len, cases[i].len);
    }
    char line[MASQ_MAP_REQUEST_MAX + 1];
    memset(line, 'x', sizeof line);
    struct masq_map_request request;
    assert_int_equal(masq_map_request_parse(MASQ_MAP_TCP,
                                            mfx_str(line, sizeof line), arena,
                                            &request),
                     MASQ_MAP_BROKEN);
    mfx_arena_free(arena);
}

static void
replies(void **state)
{
    static const struct {
        enum mfx_rc rc;
        const char *text, *socketmap, *tcp;
    } cases[] = {
        {MFX_OK,       "a@b",                  "6:OK a@b,",               "200 a@b\n"   },
        {MFX_OK,       "\"a %\"@\xC3\xBC",     "11:OK \"a %\"@\xC3\xBC,",
         "200 \"a%20%25\"@%C3%BC\n"                                                     },
        {MFX_NOTFOUND, "no SRS",               "15:NOTFOUND no SRS,",     "500 no SRS\n"},
        {MFX_TEMPFAIL, "line\nbreak \xC3\xBC", "18:TEMP line?break ??,",
         "400 line?break ??\n"                                                          },
        {MFX_PERMFAIL, "",                     "5:PERM ,",                "400 \n"      },
    };
    struct mfx_buf out;
    (void)state;
    mfx_buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        masq_map_reply_write(MASQ_MAP_SOCKETMAP, cases[i].rc,
                             mfx_str_of(cases[i].text), &out);
        unit_assert_str(cases[i].text, mfx_buf_str(&out),
                        mfx_str_of(cases[i].socketmap));
        mfx_buf_clear(&out);
        masq_map_reply_write(MASQ_MAP_TCP, cases[i].rc,
                             mfx_str_of(cases[i].text), &out);
        unit_assert_str(cases[i].text, mfx_buf_str(&out),
                        mfx_str_of(cases[i].tcp));
        mfx_buf_clear(&out);
    }
    mfx_buf_fini(&out);
}

/* --- a server --- */

static const struct mfx_str secrets[] = {MFX_STR("tops3cr3t")};
static const struct mfx_str other_secrets[] = {MFX_STR("other")};

static uint64_t
new_year(const struct mfx_env *env)
{
    (void)env;
    return NEW_YEAR;
}

struct site {
    struct masq_tables t;
    struct mfx_env env;
    struct mfx_store *store;
    struct masq_srs srs;
    struct mfx_str sockets[2];
    struct masq_map_server_settings settings;
    struct masq_map_server *server;
};

static struct mfx_str
socket_text(struct site *s, const char *name)
{
    return mfx_arena_printf(s->t.arena, "unix:%s",
                            conf_files_path(&s->t.files, name));
}

static void
site_begin(struct site *s)
{
    static const struct mfx_store_local_settings memory = {.memory_bytes =
                                                               1024 * 1024};
    *s = (struct site){0};
    masq_tables_begin(&s->t);
    s->env = mfx_env_system();
    s->env.wall_s = new_year;
    s->store = mfx_store_local_open(&memory, &s->env);
    s->srs = (struct masq_srs){
        .engine = {.secrets = secrets,
                   .secret_count = 1,
                   .separator = '=',
                   .hash_length = 4,
                   .hash_minimum = 4,
                   .max_age = 21,
                   .is_plain_alphabet = true,
                   .domain = MFX_STR("example.com")},
        .maps = {.our_domains = masq_tables_open(&s->t,   "csl:us.example")},
        .forward = MASQ_SRS_OFF, /* the filter's */
        .short_forms = true,
    };
    s->sockets[0] = socket_text(s, "map");
    s->sockets[1] = socket_text(s, "second");
    s->settings = (struct masq_map_server_settings){
        .socketmap = {s->sockets, 2},
        .tcp_forward = socket_text(s, "forward"),
        .tcp_reverse = socket_text(s, "reverse"),
        .mode = 0660,
    };
    s->server = masq_map_server_new(&s->settings, &s->env);
    assert_non_null(s->server);
}

static void
site_end(struct site *s)
{
    masq_map_server_leave(s->server, &s->srs);
    masq_map_server_release(s->server);
    mfx_store_close(s->store, 1000);
    masq_tables_end(&s->t);
}

/* Its sockets come when its thread does. */
static int
dial(struct site *s, const char *name)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *path = conf_files_path(&s->t.files, name);
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    memcpy(un.sun_path, path, strlen(path) + 1);
    while (mfx_mono_ms() < until_ms) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
            return fd;
        (void)close(fd);
        (void)poll(NULL, 0, 10);
    }
    fail_msg("%s: nobody there", name);
    return -1;
}

static void
put(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* Waits for as many bytes as are wanted, then for no more. */
static void
expect(int fd, const char *label, const char *want)
{
    char got[20000] = "";
    size_t len = 0, wanted = strlen(want);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (len < wanted && poll(&p, 1, PATIENCE_MS) == 1) {
        ssize_t n = recv(fd, got + len, sizeof got - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    unit_assert_str(label, mfx_str(got, len), mfx_str_of(want));
}

static void
expect_end(int fd, const char *label)
{
    char byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    unit_assert_int(label, poll(&p, 1, PATIENCE_MS), 1);
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n > 0 || (n < 0 && errno != ECONNRESET))
        fail_msg("%s: the connection goes on", label);
    (void)close(fd);
}

static void
ask(struct site *s, int fd, const char *label, const char *body,
    const char *want)
{
    put(fd, mfx_arena_printf(s->t.arena, "%zu:%s,", strlen(body), body).p);
    expect(fd, label,
           mfx_arena_printf(s->t.arena, "%zu:%s,", strlen(want), want).p);
}

static void
lookups(void **state)
{
    static const struct {
        const char *label, *ask, *want;
    } cases[] = {
        {"forward",          "srs_forward test@otherdomain.com",
         "OK SRS0=vmyz=2W=otherdomain.com=test@example.com"                                                                             },
        {"forward_srs0",     "srs_forward SRS0=opaque+string@otherdomain.com",
         "OK SRS1=chaI=otherdomain.com==opaque+string@example.com"                                                                      },
        {"forward_quoted",   "srs_forward \"te st\"@otherdomain.com",
         "OK \"SRS0=MMKD=2W=otherdomain.com=te st\"@example.com"                                                                        },
        {"forward_own",      "srs_forward a@us.example",                                  "NOTFOUND own sender"                         },
        {"forward_srs_own",
         "srs_forward SRS0=vmyz=2W=otherdomain.com=test@example.com",                     "NOTFOUND own sender"                         },
        {"forward_bare",     "srs_forward test",
         "NOTFOUND not an address with a domain"                                                                                        },
        {"forward_domain",   "srs_forward @otherdomain.com",
         "NOTFOUND not an address with a domain"                                                                                        },
        {"forward_empty",    "srs_forward ",
         "NOTFOUND not an address with a domain"                                                                                        },
        {"forward_phrase",   "srs_forward Test <test@otherdomain.com>",
         "NOTFOUND not an address with a domain"                                                                                        },
        {"forward_two",      "srs_forward a@otherdomain.com,b@otherdomain.com",
         "NOTFOUND not an address with a domain"                                                                                        },
        {"reverse",          "srs_reverse SRS0=vmyz=2W=otherdomain.com=test@example.com",
         "OK test@otherdomain.com"                                                                                                      },
        {"reverse_quoted",
         "srs_reverse \"SRS0=MMKD=2W=otherdomain.com=te st\"@example.com",                "OK \"te st\"@otherdomain.com"                },
        {"reverse_srs1",
         "srs_reverse SRS1=JIBX=thirddomain.com==opaque+string@example.com",              "OK SRS0=opaque+string@thirddomain.com"       },
        {"reverse_not_srs",  "srs_reverse postmaster@example.com",
         "NOTFOUND not an SRS address"                                                                                                  },
        {"reverse_not_ours", "srs_reverse a@us.example",
         "NOTFOUND not one of our SRS domains"                                                                                          },
        {"reverse_forged",
         "srs_reverse SRS0=FAKE=2V=otherdomain.com=test@example.com",                     "NOTFOUND 5.7.1 SRS address with a wrong hash"},
        {"reverse_old",
         "srs_reverse SRS0=te87=T7=otherdomain.com=test@example.com",                     "NOTFOUND 5.1.1 SRS address is too old"       },
        {"other_map",        "virtual test@otherdomain.com",                              "PERM no such map"                            },
    };
    struct site s;
    struct stat st;
    (void)state;
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    int fd = dial(&s, "map");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ask(&s, fd, cases[i].label, cases[i].ask, cases[i].want);
    assert_int_equal(stat(conf_files_path(&s.t.files, "map"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    (void)close(fd);
    fd = dial(&s, "second");
    ask(&s, fd, "second socket", "forward a@us.example", "NOTFOUND own sender");
    (void)close(fd);
    fd = dial(&s, "forward");
    put(fd, "get test@otherdomain.com\nget %74est\n");
    expect(fd, "tcp forward",
           "200 SRS0=vmyz=2W=otherdomain.com=test@example.com\n"
           "500 not an address with a domain\n");
    (void)close(fd);
    fd = dial(&s, "reverse");
    put(fd, "get SRS0=vmyz=2W=otherdomain.com=test@example.com\n");
    expect(fd, "tcp reverse", "200 test@otherdomain.com\n");
    (void)close(fd);
    struct masq_map_counts counts = masq_map_server_counts(s.server);
    assert_int_equal(counts.connections, 4);
    assert_int_equal(counts.answers[0][MFX_OK], 4);
    assert_int_equal(counts.answers[1][MFX_OK], 4);
    assert_int_equal(counts.answers[1][MFX_NOTFOUND], 4);
    assert_int_equal(counts.broken, 0);
    site_end(&s);
}

static const char long_sender[] =
    "a-rather-long-local-part+of-a-mailing-list=user=host.example@"
    "bounces.lists.far.example";

static void
short_forms(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 10000);
    int fd = dial(&s, "forward");
    put(fd, mfx_arena_printf(s.t.arena, "get %s\n", long_sender).p);
    char got[200] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    ssize_t n = recv(fd, got, sizeof got - 1, 0);
    assert_true(n > 5 && strncmp(got, "200 SRS0=", 9) == 0);
    (void)close(fd);
    fd = dial(&s, "reverse");
    put(fd, mfx_arena_printf(s.t.arena, "get %s", got + 4).p);
    expect(fd, "back", mfx_arena_printf(s.t.arena, "200 %s\n", long_sender).p);
    /* one that the store never saw */
    put(fd,
        "get SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@example.com\n");
    expect(fd, "unknown",
           "500 5.1.1 short SRS address is not known any more\n");
    (void)close(fd);
    site_end(&s);
}

/* An outage is never "not found", and has an end. */
static void
outages(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    const struct mfx_store_local_settings nowhere = {
        .path = "/no/such/folder/store", .memory_bytes = 1024 * 1024};
    struct mfx_store *down = mfx_store_local_open(&nowhere, &s.env);
    masq_map_server_begin(s.server, &s.srs, down, 300);
    int fd = dial(&s, "reverse");
    const char *ask_name =
        "get SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@example.com\n";
    put(fd, ask_name);
    expect(fd, "store is down",
           "400 SRS: /no/such/folder/store.lock: No such file or "
           "directory\n");
    (void)close(fd);
    masq_map_server_leave(s.server, &s.srs);
    mfx_store_close(down, 0);
    fd = dial(&s, "map");
    ask(&s, fd, "no policy", "forward test@otherdomain.com",
        "TEMP no SRS settings are in force");
    masq_map_server_begin(s.server, &s.srs, NULL, 300);
    ask(&s, fd, "no store",
        "reverse SRS0=bxzH=2W=1=DCJGDE6N24LCRT41A4T0G1UIF0DTKKQJ@example.com",
        "TEMP SRS: no store for short addresses");
    ask(&s, fd, "no store needed", "forward test@otherdomain.com",
        "OK SRS0=vmyz=2W=otherdomain.com=test@example.com");
    (void)close(fd);
    site_end(&s);
}

/* The next policy is asked on connections that stand. */
static void
reloads(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    struct masq_srs next = s.srs;
    next.engine.secrets = other_secrets;
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    int fd = dial(&s, "map");
    ask(&s, fd, "first", "forward test@otherdomain.com",
        "OK SRS0=vmyz=2W=otherdomain.com=test@example.com");
    assert_true(masq_map_server_has(s.server, &s.settings));
    struct masq_map_server *held = masq_map_server_hold(s.server);
    masq_map_server_begin(held, &next, s.store, 5000);
    masq_map_server_leave(s.server, &s.srs);
    masq_map_server_release(s.server);
    ask(&s, fd, "second",
        "reverse SRS0=vmyz=2W=otherdomain.com=test@example.com",
        "NOTFOUND 5.7.1 SRS address with a wrong hash");
    /* to leave twice, or what never came, does nothing */
    masq_map_server_leave(held, &s.srs);
    masq_map_server_leave(held, &next);
    s.settings.mode = 0600;
    assert_false(masq_map_server_has(held, &s.settings));
    s.settings.mode = 0660;
    s.settings.socketmap.count = 1;
    assert_false(masq_map_server_has(held, &s.settings));
    (void)close(fd);
    site_end(&s);
    /* its sockets went with it */
}

/* The successor waits for the sockets of a server that is not gone yet. */
static void
sockets_change_hands(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    int fd = dial(&s, "map");
    struct masq_map_server *next = masq_map_server_new(&s.settings, &s.env);
    masq_map_server_begin(next, &s.srs, s.store, 5000);
    ask(&s, fd, "the first still serves", "forward a@us.example",
        "NOTFOUND own sender");
    (void)close(fd);
    masq_map_server_leave(s.server, &s.srs);
    masq_map_server_release(s.server);
    s.server = next;
    fd = dial(&s, "map");
    ask(&s, fd, "then the second", "forward a@us.example",
        "NOTFOUND own sender");
    (void)close(fd);
    const char *path = conf_files_path(&s.t.files, "map");
    assert_int_equal(access(path, F_OK), 0);
    masq_map_server_leave(next, &s.srs);
    masq_map_server_release(next);
    assert_int_not_equal(access(path, F_OK), 0);
    s.server = masq_map_server_new(&s.settings, &s.env);
    site_end(&s);
}

static void
broken_requests(void **state)
{
    static const struct {
        const char *label, *socket, *in, *want;
    } cases[] = {
        {"line",      "map",     "get a@b\n",                  "27:PERM request not understood,"},
        {"long",      "map",     "99999:",                     "27:PERM request not understood,"},
        {"empty",     "map",     "0:,",                        "27:PERM request not understood,"},
        {"after_one", "map",     "20:forward a@us.example,x:",
         "19:NOTFOUND own sender,27:PERM request not understood,"                               },
        {"http",      "forward", "GET / HTTP/1.0\r\n\r\n",
         "400 request not understood\n"                                                         },
        {"put",       "reverse", "put a b\n",                  "400 request not understood\n"   },
        {"percent",   "reverse", "get %zz\n",                  "400 request not understood\n"   },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = dial(&s, cases[i].socket);
        put(fd, cases[i].in);
        expect(fd, cases[i].label, cases[i].want);
        expect_end(fd, cases[i].label);
    }
    /* no end of a line */
    char much[5000];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    int fd = dial(&s, "forward");
    put(fd, much);
    expect(fd, "endless", "400 request not understood\n");
    expect_end(fd, "endless");
    assert_int_equal(masq_map_server_counts(s.server).broken, 8);
    site_end(&s);
}

/* Byte by byte, many at once, and a peer that says all and then listens. */
static void
awkward_clients(void **state)
{
    enum {
        MANY = 400,
    };
    static const char request[] = "20:forward a@us.example,";
    static const char reply[] = "19:NOTFOUND own sender,";
    struct site s;
    (void)state;
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    int fd = dial(&s, "map");
    for (size_t i = 0; i + 1 < sizeof request; i++) {
        const char byte[2] = {request[i], '\0'};
        put(fd, byte);
        if (i % 5 == 0)
            (void)poll(NULL, 0, 1);
    }
    expect(fd, "byte by byte", reply);
    struct mfx_buf all, want;
    mfx_buf_init(&all, 100000);
    mfx_buf_init(&want, 100000);
    for (int i = 0; i < MANY; i++) {
        mfx_buf_add_text(&all, request);
        mfx_buf_add_text(&want, reply);
    }
    put(fd, mfx_buf_text(&all));
    (void)shutdown(fd, SHUT_WR);
    expect(fd, "many at once", mfx_buf_text(&want));
    expect_end(fd, "many at once");
    mfx_buf_fini(&all);
    mfx_buf_fini(&want);
    /* gone before the answer */
    for (int i = 0; i < 20; i++) {
        fd = dial(&s, "map");
        put(fd, request);
        (void)close(fd);
    }
    fd = dial(&s, "map");
    put(fd, request);
    expect(fd, "the next", reply);
    (void)close(fd);
    site_end(&s);
}

/* Both ends of all connections are here. */
static bool
has_descriptors(rlim_t wanted)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

/* With all places taken the one that was idle longest goes. */
static void
many_connections(void **state)
{
    static const char request[] = "20:forward a@us.example,";
    static const char reply[] = "19:NOTFOUND own sender,";
    int fds[MASQ_MAP_CLIENTS];
    struct site s;
    (void)state;
    if (!has_descriptors(2 * MASQ_MAP_CLIENTS + 100))
        skip();
    site_begin(&s);
    masq_map_server_begin(s.server, &s.srs, s.store, 5000);
    for (size_t i = 0; i < MASQ_MAP_CLIENTS; i++) {
        fds[i] = dial(&s, "map");
        put(fds[i], request);
        expect(fds[i], "each", reply);
    }
    (void)poll(NULL, 0, 5);
    put(fds[0], request);
    expect(fds[0], "the first again", reply);
    int fd = dial(&s, "map");
    put(fd, request);
    expect(fd, "one more", reply);
    (void)close(fd);
    put(fds[0], request);
    expect(fds[0], "the first is still there", reply);
    size_t ended = 0;
    for (size_t i = 1; i < MASQ_MAP_CLIENTS; i++) {
        struct pollfd p = {.fd = fds[i], .events = POLLIN};
        ended += poll(&p, 1, 0) == 1;
    }
    assert_int_equal(ended, 1);
    for (size_t i = 0; i < MASQ_MAP_CLIENTS; i++)
        (void)close(fds[i]);
    site_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(replies),
        cmocka_unit_test(lookups),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(outages),
        cmocka_unit_test(reloads),
        cmocka_unit_test(sockets_change_hands),
        cmocka_unit_test(broken_requests),
        cmocka_unit_test(awkward_clients),
        cmocka_unit_test(many_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
