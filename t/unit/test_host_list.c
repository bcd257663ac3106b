/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <mfx/policy/host_list.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct loaded {
    struct mfx_arena *arena;
    struct mfx_problems problems;
    struct mfx_table_set *set;
    struct mfx_host_list *list;
    enum mfx_rc rc;
};

static struct loaded
load(const char *spec)
{
    struct loaded l = {.rc = MFX_TEMPFAIL};
    struct mfx_table *table = NULL;
    l.arena = mfx_arena_new(0);
    mfx_problems_init(&l.problems, l.arena);
    l.set = mfx_table_set_new(NULL);
    assert_int_equal(mfx_table_open(l.set, mfx_str_of(spec), MFX_TABLE_NOCASE,
                                    "hosts", 0, &l.problems, &table),
                     MFX_OK);
    l.rc = mfx_host_list_new(table, "hosts", &l.problems, &l.list);
    return l;
}

static void
unload(struct loaded *l)
{
    mfx_host_list_free(l->list);
    mfx_table_set_free(l->set);
    mfx_arena_free(l->arena);
}

static const char list_text[] =
    "csl:127.0.0.1,::1,192.0.2.0/24,!192.0.2.7,192.0.2.64/26,!192.0.2.64/26,"
    "[2001:db8:1::]/48,mail.example.org,!bad.example.org,.example.org,"
    "!.dyn.example.org,ok.dyn.example.org,!both.example.net,both.example.net,"
    "UPPER.example.com,dotted.example.com.,198.51.100.0/24,!198.51.100.0/25";

/* Expected: OpenDKIM's rules (exact name, parents, then addresses from the
 * longest prefix; "!" first; name OR address). */
static void
matching(void **state)
{
    static const struct {
        const char *label, *name, *ip;
        bool want;
        const char *entry;
    } cases[] = {
        {"address",                "",                   "127.0.0.1",        true,  "127.0.0.1"        },
        {"address_v6",             "",                   "::1",              true,  "::1"              },
        {"mapped_client",          "",                   "::ffff:127.0.0.1", true,  "127.0.0.1"        },
        {"network",                "",                   "192.0.2.1",        true,  "192.0.2.0/24"     },
        {"not_address_in_network", "",                   "192.0.2.7",        false, "!192.0.2.7"       },
        {"same_network_not_wins",  "",                   "192.0.2.65",       false, "!192.0.2.64/26"   },
        {"longer_not_wins",        "",                   "198.51.100.5",     false, "!198.51.100.0/25" },
        {"outside_longer_not",     "",                   "198.51.100.200",   true,  "198.51.100.0/24"  },
        {"bracketed_network",      "",                   "2001:db8:1:2::3",  true,  "[2001:db8:1::]/48"},
        {"other_address",          "",                   "203.0.113.1",      false, ""                 },
        {"name",                   "mail.example.org",   "203.0.113.1",      true,  "mail.example.org" },
        {"name_case",              "upper.EXAMPLE.com",  "203.0.113.1",      true,
         "UPPER.example.com"                                                                           },
        {"name_final_dot",         "mail.example.org.",  "203.0.113.1",      true,
         "mail.example.org"                                                                            },
        {"entry_final_dot",        "dotted.example.com", "203.0.113.1",      true,
         "dotted.example.com."                                                                         },
        {"parent",                 "a.b.example.org",    "203.0.113.1",      true,  ".example.org"     },
        {"domain_not_itself",      "example.org",        "203.0.113.1",      false, ""                 },
        {"domain_whole_labels",    "xexample.org",       "203.0.113.1",      false, ""                 },
        {"not_name",               "bad.example.org",    "203.0.113.1",      false,
         "!bad.example.org"                                                                            },
        {"nearer_parent_first",    "h.dyn.example.org",  "203.0.113.1",      false,
         "!.dyn.example.org"                                                                           },
        {"exact_before_parents",   "ok.dyn.example.org", "203.0.113.1",      true,
         "ok.dyn.example.org"                                                                          },
        {"both_not_wins",          "both.example.net",   "203.0.113.1",      false,
         "!both.example.net"                                                                           },
        {"name_or_address",        "bad.example.org",    "192.0.2.1",        true,
         "192.0.2.0/24"                                                                                },
        {"not_both",               "bad.example.org",    "192.0.2.7",        false, "!192.0.2.7"       },
        {"name_wins_over_not_ip",  "mail.example.org",   "192.0.2.7",        true,
         "mail.example.org"                                                                            },
        {"unknown",                "unknown",            "203.0.113.1",      false, ""                 },
        {"bracketed_name",         "[127.0.0.1]",        "203.0.113.1",      false, ""                 },
        {"no_address",             "",                   NULL,               false, ""                 },
        {"no_address_but_name",    "mail.example.org",   NULL,               true,
         "mail.example.org"                                                                            },
        {"dots_only",              "...",                NULL,               false, ""                 },
    };
    (void)state;
    struct loaded l = load(list_text);
    assert_int_equal(l.rc, MFX_OK);
    assert_int_equal(l.problems.errors + l.problems.warnings, 0);
    assert_int_equal(mfx_host_list_count(l.list), 18);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_ip ip = {.family = MFX_IP_NONE};
        struct mfx_str entry = {0};
        if (cases[i].ip != NULL)
            assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &ip),
                             MFX_OK);
        bool got =
            mfx_host_list_has(l.list, mfx_str_of(cases[i].name), &ip, &entry);
        unit_assert_int(cases[i].label, got, cases[i].want);
        unit_assert_str(cases[i].label, entry, mfx_str_of(cases[i].entry));
    }
    unload(&l);
}

/* From a file: what is mended, what is said, and on which line. */
static void
mended(void **state)
{
    static const char text[] = "# trusted\n"
                               "10.0.0.1/8\n"
                               "*.example.org\n"
                               "::ffff:192.0.2.1\n"
                               "mail*.example.net\n"
                               "10.0\n"
                               "\n"
                               "user@example.com\n";
    static const char *const want[] = {
        ":2: warning: hosts: \"10.0.0.1/8\" has bits behind its prefix, read as 10.0.0.0/8",
        ":3: warning: hosts: \"*.example.org\" is read as \".domain\": every host below the domain",
        ":4: warning: hosts: \"::ffff:192.0.2.1\" is an IPv4-mapped address, read as 192.0.2.1/32",
        ":5: warning: hosts: \"mail*.example.net\" is no address, network, host name or .domain: no client matches it",
        ":6: warning: hosts: \"10.0\" is no address, network, host name or .domain: no client matches it",
        ":8: warning: hosts: \"user@example.com\" is no address, network, host name or .domain: no client matches it",
    };
    static const struct {
        const char *name, *ip;
    } matches[] = {
        {"",              "10.9.9.9"   },
        {"a.example.org", "203.0.113.1"},
        {"",              "192.0.2.1"  }
    };
    char path[] = "/tmp/mfx-hosts-XXXXXX", spec[64];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    (void)close(fd);
    (void)snprintf(spec, sizeof spec, "file:%s", path);
    struct loaded l = load(spec);
    assert_int_equal(l.rc, MFX_OK);
    assert_int_equal(l.problems.warnings, COUNT(want));
    size_t i = 0;
    for (const struct mfx_problem *p = l.problems.first; p != NULL;
         p = p->next, i++) {
        struct mfx_str line = mfx_problem_format(p, l.arena);
        assert_string_equal(p->file, path);
        unit_assert_str("problem", mfx_str_from(line, strlen(path)),
                        mfx_str_of(want[i]));
    }
    for (i = 0; i < COUNT(matches); i++) {
        struct mfx_ip ip;
        assert_int_equal(mfx_ip_parse(mfx_str_of(matches[i].ip), &ip), MFX_OK);
        assert_true(
            mfx_host_list_has(l.list, mfx_str_of(matches[i].name), &ip, NULL));
    }
    unload(&l);

    (void)snprintf(spec, sizeof spec, "refile:%s", path);
    l = load(spec);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    assert_int_equal(l.problems.errors, 1);
    (void)unlink(path);
    unload(&l);
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *spec;
        enum mfx_rc rc;
    } cases[] = {
        {"prefix_33",     "csl:192.0.2.0/33",       MFX_PERMFAIL},
        {"name_prefix",   "csl:example.org/24",     MFX_PERMFAIL},
        {"not_alone",     "csl:!",                  MFX_OK      },
        {"star_alone",    "csl:*",                  MFX_OK      },
        {"dot_alone",     "csl:.",                  MFX_OK      },
        {"control_bytes", "csl:a\x01b.example.org", MFX_OK      },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded l = load(cases[i].spec);
        unit_assert_int(cases[i].label, l.rc, cases[i].rc);
        unit_assert_int(cases[i].label, l.problems.errors + l.problems.warnings,
                        1);
        if (l.rc == MFX_OK)
            unit_assert_int(cases[i].label, mfx_host_list_count(l.list), 0);
        unload(&l);
    }
}

static void
loopback(void **state)
{
    static const struct {
        const char *spec;
        size_t warnings;
    } cases[] = {
        {"csl:127.0.0.0/8,::1", 0},
        {"csl:127.0.0.1",       1},
        {"csl:192.0.2.0/24",    2},
        {"csl:0.0.0.0/0,::/0",  0},
        {"csl:127.0.0.1,!::1",  1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded l = load(cases[i].spec);
        assert_int_equal(l.rc, MFX_OK);
        mfx_host_list_check_loopback(l.list, "hosts", &l.problems);
        unit_assert_int(cases[i].spec, l.problems.warnings, cases[i].warnings);
        unload(&l);
    }
}

static void
empty(void **state)
{
    struct mfx_host_list *list = NULL;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_problems problems;
    struct mfx_ip ip;
    (void)state;
    mfx_problems_init(&problems, arena);
    assert_int_equal(mfx_host_list_new(NULL, "hosts", &problems, &list),
                     MFX_OK);
    assert_int_equal(mfx_ip_parse(mfx_str_of("127.0.0.1"), &ip), MFX_OK);
    assert_false(mfx_host_list_has(list, mfx_str_of("localhost"), &ip, NULL));
    assert_false(mfx_host_list_has(NULL, mfx_str_of("localhost"), &ip, NULL));
    mfx_host_list_check_loopback(list, "hosts", &problems);
    assert_int_equal(problems.warnings, 0);
    mfx_host_list_free(list);
    mfx_host_list_free(NULL);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),  cmocka_unit_test(mended),
        cmocka_unit_test(malformed), cmocka_unit_test(loopback),
        cmocka_unit_test(empty),
    };
    return cmocka_run_group_tests_name("host_list", tests, NULL, NULL);
}
