/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <mfx/net/ip.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Wanted forms: RFC 5952 sections 4 and 5. */
static void
parse_and_format(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        const char *want;
    } cases[] = {
        {"v4",                  "192.0.2.1",                                   MFX_OK,       "192.0.2.1"     },
        {"v4_literal",          "[192.0.2.1]",                                 MFX_OK,       "192.0.2.1"     },
        {"v6",                  "2001:db8::1",                                 MFX_OK,       "2001:db8::1"   },
        {"v6_brackets",         "[2001:db8::1]",                               MFX_OK,       "2001:db8::1"   },
        {"v6_tag",              "IPv6:2001:db8::1",                            MFX_OK,       "2001:db8::1"   },
        {"v6_tag_case",         "ipv6:2001:db8::1",                            MFX_OK,       "2001:db8::1"   },
        {"v6_literal",          "[IPv6:2001:db8::1]",                          MFX_OK,       "2001:db8::1"   },
        {"mapped",              "::ffff:192.0.2.1",                            MFX_OK,       "192.0.2.1"     },
        {"mapped_hex",          "::FFFF:c000:201",                             MFX_OK,       "192.0.2.1"     },
        {"leading_zeros",       "2001:0db8::0001",                             MFX_OK,       "2001:db8::1"   },
        {"lower_case",          "2001:DB8::ABCD",                              MFX_OK,       "2001:db8::abcd"},
        {"one_group_not_short", "2001:db8:0:1:1:1:1:1",                        MFX_OK,
         "2001:db8:0:1:1:1:1:1"                                                                              },
        {"longest_run",         "2001:0:0:1:0:0:0:1",                          MFX_OK,       "2001:0:0:1::1" },
        {"first_of_equal_runs", "2001:db8:0:0:1:0:0:1",                        MFX_OK,
         "2001:db8::1:0:0:1"                                                                                 },
        {"run_at_end",          "2001:db8:0:0:0:0:0:0",                        MFX_OK,       "2001:db8::"    },
        {"any",                 "::",                                          MFX_OK,       "::"            },
        {"loopback",            "0:0:0:0:0:0:0:1",                             MFX_OK,       "::1"           },
        {"compatible_is_hex",   "::192.0.2.1",                                 MFX_OK,       "::c000:201"    },
        {"full",                "1111:2222:3333:4444:5555:6666:7777:8888",     MFX_OK,
         "1111:2222:3333:4444:5555:6666:7777:8888"                                                           },
        {"empty",               "",                                            MFX_PERMFAIL, NULL            },
        {"three_octets",        "192.0.2",                                     MFX_PERMFAIL, NULL            },
        {"octet_256",           "192.0.2.256",                                 MFX_PERMFAIL, NULL            },
        {"octal",               "192.0.02.1",                                  MFX_PERMFAIL, NULL            },
        {"blank",               " 192.0.2.1",                                  MFX_PERMFAIL, NULL            },
        {"two_runs",            "2001::db8::1",                                MFX_PERMFAIL, NULL            },
        {"zone_index",          "fe80::1%eth0",                                MFX_PERMFAIL, NULL            },
        {"half_bracket",        "[192.0.2.1",                                  MFX_PERMFAIL, NULL            },
        {"name",                "localhost",                                   MFX_PERMFAIL, NULL            },
        {"very_long",
         "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:e", MFX_PERMFAIL, NULL            },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_ip ip = {.family = MFX_IP_NONE};
        char text[MFX_IP_TEXT];
        enum mfx_rc rc = mfx_ip_parse(mfx_str_of(cases[i].in), &ip);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].label,
                            mfx_str_of(mfx_ip_format(&ip, text)),
                            mfx_str_of(cases[i].want));
    }
    struct mfx_ip ip;
    unit_assert_int("nul", mfx_ip_parse(mfx_str("192.0.2.1\0x", 11), &ip),
                    MFX_PERMFAIL);
}

static void
sockaddrs(void **state)
{
    char text[MFX_IP_TEXT];
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0xC0000201)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    (void)state;
    struct mfx_ip ip = mfx_ip_from_sockaddr((struct sockaddr *)&in);
    assert_string_equal(mfx_ip_format(&ip, text), "192.0.2.1");
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr),
                     1);
    ip = mfx_ip_from_sockaddr((struct sockaddr *)&in6);
    assert_string_equal(mfx_ip_format(&ip, text), "192.0.2.1");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
    ip = mfx_ip_from_sockaddr((struct sockaddr *)&in6);
    assert_string_equal(mfx_ip_format(&ip, text), "2001:db8::1");
    ip = mfx_ip_from_sockaddr((struct sockaddr *)&un);
    assert_string_equal(mfx_ip_format(&ip, text), "none");
    ip = mfx_ip_from_sockaddr(NULL);
    assert_int_equal(ip.family, MFX_IP_NONE);
}

static void
loopback(void **state)
{
    static const struct {
        const char *in;
        bool want;
    } cases[] = {
        {"127.0.0.1",        true },
        {"127.255.0.9",      true },
        {"::1",              true },
        {"::ffff:127.0.0.1", true },
        {"128.0.0.1",        false},
        {"::2",              false},
        {"7f00::1",          false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_ip ip;
        assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].in), &ip), MFX_OK);
        unit_assert_int(cases[i].in, mfx_ip_is_loopback(&ip), cases[i].want);
    }
    struct mfx_ip none = {.family = MFX_IP_NONE};
    assert_false(mfx_ip_is_loopback(&none));
}

static void
networks(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        const char *want;
        unsigned prefix;
        bool has_host_bits;
    } cases[] = {
        {"v4",              "192.0.2.0/24",            MFX_OK,       "192.0.2.0",  24, false},
        {"v4_host",         "192.0.2.1",               MFX_OK,       "192.0.2.1",  32, false},
        {"v4_all",          "0.0.0.0/0",               MFX_OK,       "0.0.0.0",    0,  false},
        {"v4_host_bits",    "192.0.2.77/26",           MFX_OK,       "192.0.2.64", 26, true },
        {"v6",              "2001:db8::/32",           MFX_OK,       "2001:db8::", 32, false},
        {"v6_host_bits",    "2001:db8::1/33",          MFX_OK,       "2001:db8::", 33, true },
        {"bracket_address", "[2001:db8::]/32",         MFX_OK,       "2001:db8::", 32, false},
        {"bracket_all",     "[2001:db8::/32]",         MFX_OK,       "2001:db8::", 32, false},
        {"bracket_host",    "[192.0.2.1]",             MFX_OK,       "192.0.2.1",  32, false},
        {"mapped",          "::ffff:192.0.2.0/120",    MFX_OK,       "192.0.2.0",  24, false},
        {"mapped_host",     "::ffff:192.0.2.1",        MFX_OK,       "192.0.2.1",  32, false},
        {"prefix_33",       "192.0.2.0/33",            MFX_PERMFAIL, NULL,         0,  false},
        {"prefix_129",      "2001:db8::/129",          MFX_PERMFAIL, NULL,         0,  false},
        {"prefix_empty",    "192.0.2.0/",              MFX_PERMFAIL, NULL,         0,  false},
        {"prefix_sign",     "192.0.2.0/+24",           MFX_PERMFAIL, NULL,         0,  false},
        {"prefix_mask",     "192.0.2.0/255.255.255.0", MFX_PERMFAIL, NULL,         0,
         false                                                                              },
        {"two_slashes",     "192.0.2.0/24/8",          MFX_PERMFAIL, NULL,         0,  false},
        {"three_octets",    "192.0.2/24",              MFX_PERMFAIL, NULL,         0,  false},
        {"empty",           "",                        MFX_PERMFAIL, NULL,         0,  false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_net net;
        char text[MFX_IP_TEXT];
        bool has_host_bits = false;
        enum mfx_rc rc =
            mfx_net_parse(mfx_str_of(cases[i].in), &net, &has_host_bits);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (rc != MFX_OK)
            continue;
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_ip_format(&net.ip, text)),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, net.prefix, cases[i].prefix);
        unit_assert_int(cases[i].label, has_host_bits, cases[i].has_host_bits);
    }
}

static struct mfx_net
net_of(const char *text)
{
    struct mfx_net net = {.prefix = 0};
    bool has_host_bits;
    assert_int_equal(mfx_net_parse(mfx_str_of(text), &net, &has_host_bits),
                     MFX_OK);
    return net;
}

static void
membership(void **state)
{
    static const char *const nets[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3",
                                       "2001:db8::/32", "10.1.0.0/16"};
    static const struct {
        const char *ip;
        int want; /* index of nets; -1: none */
    } cases[] =
        {
            {"10.9.9.9",         0 },
            {"10.1.9.9",         1 },
            {"10.1.2.3",         2 },
            {"::ffff:10.1.2.3",  2 },
            {"2001:db8:ffff::1", 3 },
            {"2001:db9::1",      -1},
            {"11.0.0.1",         -1},
            {"a01:203::",        -1}, /* the bytes of 10.1.2.3, as IPv6 */
    };
    (void)state;
    struct mfx_ip_set *set = mfx_ip_set_new();
    assert_non_null(set);
    for (int i = 0; i < (int)COUNT(nets); i++) {
        struct mfx_net net = net_of(nets[i]);
        assert_int_equal(mfx_ip_set_add(set, &net, i), MFX_OK);
    }
    assert_int_equal(mfx_ip_set_count(set), 4);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_ip ip;
        struct mfx_net net = {.prefix = 0};
        int value = -1;
        assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &ip), MFX_OK);
        bool has = mfx_ip_set_get(set, &ip, &net, &value);
        unit_assert_int(cases[i].ip, has, cases[i].want >= 0);
        unit_assert_int(cases[i].ip, value, cases[i].want);
        if (has)
            assert_true(mfx_net_has(&net, &ip));
    }
    struct mfx_ip none = {.family = MFX_IP_NONE};
    assert_false(mfx_ip_set_get(set, &none, NULL, NULL));
    struct mfx_net all = net_of("0.0.0.0/0");
    assert_int_equal(mfx_ip_set_add(set, &all, 9), MFX_OK);
    assert_false(mfx_ip_set_get(set, &none, NULL, NULL));
    assert_false(mfx_net_has(&all, &none));
    mfx_ip_set_free(set);
    mfx_ip_set_free(NULL);
}

/* 100,000 networks: each is found again, and its neighbour is not. */
static void
many_networks(void **state)
{
    enum {
        MANY = 100000,
    };
    (void)state;
    struct mfx_ip_set *set = mfx_ip_set_new();
    assert_non_null(set);
    for (int i = 0; i < MANY; i++) {
        struct mfx_net net = {.ip.family = MFX_IP_V4, .prefix = 28};
        uint32_t address = htonl((uint32_t)i << 5);
        memcpy(net.ip.bytes, &address, 4);
        assert_int_equal(mfx_ip_set_add(set, &net, i), MFX_OK);
    }
    assert_int_equal(mfx_ip_set_count(set), MANY);
    for (int i = 0; i < MANY; i++) {
        struct mfx_ip ip = {.family = MFX_IP_V4};
        int value = -1;
        uint32_t address = htonl(((uint32_t)i << 5) + 7);
        memcpy(ip.bytes, &address, 4);
        if (!mfx_ip_set_get(set, &ip, NULL, &value) || value != i)
            fail_msg("network %d is not found", i);
        address = htonl(((uint32_t)i << 5) + 16);
        memcpy(ip.bytes, &address, 4);
        if (mfx_ip_set_get(set, &ip, NULL, &value))
            fail_msg("network %d is too large", i);
    }
    mfx_ip_set_free(set);
}

static void
network_of(void **state)
{
    static const struct {
        const char *label, *ip;
        unsigned prefix;
        const char *want;
    } cases[] = {
        {"v4_24",  "192.0.2.77",     24,  "192.0.2.0"     },
        {"v4_20",  "192.0.63.77",    20,  "192.0.48.0"    },
        {"v4_all", "192.0.2.77",     32,  "192.0.2.77"    },
        {"v4_0",   "192.0.2.77",     0,   "0.0.0.0"       },
        {"v4_128", "192.0.2.77",     128, "192.0.2.77"    },
        {"v6_64",  "2001:db8::9:1",  64,  "2001:db8::"    },
        {"v6_61",  "2001:db8:0:f::", 61,  "2001:db8:0:8::"},
        {"v6_all", "2001:db8::9:1",  128, "2001:db8::9:1" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_ip ip;
        char text[MFX_IP_TEXT];
        assert_int_equal(mfx_ip_parse(mfx_str_of(cases[i].ip), &ip), MFX_OK);
        ip = mfx_ip_network(&ip, cases[i].prefix);
        unit_assert_str(cases[i].label, mfx_str_of(mfx_ip_format(&ip, text)),
                        mfx_str_of(cases[i].want));
    }
    const struct mfx_ip none = {0};
    assert_int_equal(mfx_ip_network(&none, 24).family, MFX_IP_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_of),    cmocka_unit_test(parse_and_format),
        cmocka_unit_test(sockaddrs),     cmocka_unit_test(loopback),
        cmocka_unit_test(networks),      cmocka_unit_test(membership),
        cmocka_unit_test(many_networks),
    };
    return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
