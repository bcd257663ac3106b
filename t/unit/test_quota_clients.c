/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/quota/clients.h"

static struct mfx_ip
ip_of(const char *text)
{
    struct mfx_ip ip;
    assert_int_equal(mfx_ip_parse(mfx_str_of(text), &ip), MFX_OK);
    return ip;
}

static void
add(struct quota_clients *clients, const char *text, unsigned times)
{
    struct mfx_ip ip = ip_of(text);
    for (unsigned i = 0; i < times; i++)
        quota_clients_add(clients, &ip, 1000);
}

static void
one_address(void **state)
{
    static const struct {
        const char *label;
        struct {
            const char *ip;
            unsigned times;
        } steps[4];
        const char *want; /* NULL: they do not share one */
    } cases[] = {
        {"nobody yet",                          {{NULL, 0}},                            NULL         },
        {"one short",                           {{"192.0.2.1", 199}},                   NULL         },
        {"enough",                              {{"192.0.2.1", 200}},                   "192.0.2.1"  },
        {"version 6",                           {{"2001:db8::1", 300}},                 "2001:db8::1"},
        {"loopback is a proxy of ours",
         {{"127.0.0.1", 500}, {"::1", 500}},
         NULL                                                                                        },
        {"loopback in between does not matter",
         {{"192.0.2.1", 150}, {"127.0.0.1", 9}, {"192.0.2.1", 50}},
         "192.0.2.1"                                                                                 },
        {"another one in between does",
         {{"192.0.2.1", 199}, {"192.0.2.2", 1}, {"192.0.2.1", 199}},
         NULL                                                                                        },
        {"no more",                             {{"192.0.2.1", 300}, {"192.0.2.2", 1}}, NULL         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_clients *clients = quota_clients_new();
        struct mfx_ip got;
        assert_non_null(clients);
        for (size_t j = 0; j < 4 && cases[i].steps[j].ip != NULL; j++)
            add(clients, cases[i].steps[j].ip, cases[i].steps[j].times);
        bool is_shared = quota_clients_shared_address(clients, &got);
        unit_assert_int(cases[i].label, is_shared, cases[i].want != NULL);
        if (is_shared) {
            struct mfx_ip want = ip_of(cases[i].want);
            unit_assert_int(cases[i].label, mfx_ip_eq(&got, &want), true);
        }
        quota_clients_free(clients);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
