/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A key as `mfxctl dkim keys` shows it: JSON, words, filters.
 */
#include "unit.h"

#include "../../milters/dkim/key_show.h"

static const struct dkim_key_server servers[] = {
    {.name = MFX_STR("ns1.example.org"),
     .address = MFX_STR("192.0.2.1"),
     .answer = MFX_STR("match"),
     .has_key = true,
     .ttl_s = 300},
    {.name = MFX_STR("ns2.example.org"),
     .address = MFX_STR("192.0.2.2"),
     .answer = MFX_STR("no such name\x1b[31m")},
};

static const struct dkim_key_view waiting = {
    .domain = MFX_STR("example.org"),
    .selector = MFX_STR("202612"),
    .path = MFX_STR("/etc/mfx/keys/example.org/202612.pem"),
    .algorithm = "rsa-sha256",
    .bits = 2048,
    .has_card = true,
    .replaces = MFX_STR("202606"),
    .verdict = {.state = DKIM_KEY_NEW,
                .reason = DKIM_KEY_NOT_EVERYWHERE,
                .next = DKIM_KEY_NEXT_WAIT},
    .in_dns = DKIM_IN_DNS_SOME,
    .why = "waits: ns2.example.org (192.0.2.2): no such name",
    .todo = "ns2.example.org lags",
    .looked_s = 1795219200,
    .server_count = 2,
    .servers = servers,
};

static const struct dkim_key_view settled = {
    .domain = MFX_STR("example.org"),
    .selector = MFX_STR("202606"),
    .path = MFX_STR("inline"),
    .algorithm = "ed25519-sha256",
    .bits = 256,
    .is_signing = true,
    .verdict = {.state = DKIM_KEY_ACTIVE,
                .reason = DKIM_KEY_IS_ESTABLISHED,
                .next = DKIM_KEY_NEXT_NOTHING},
    .in_dns = DKIM_IN_DNS_ALL,
    .why = "established",
    .todo = "",
};

static void
json(void **state)
{
    static const struct {
        const char *name, *want;
    } texts[] = {
        {"domain",    "example.org"                         },
        {"selector",  "202612"                              },
        {"state",     "new"                                 },
        {"algorithm", "rsa-sha256"                          },
        {"in_dns",    "some"                                },
        {"reason",    "not-everywhere"                      },
        {"next",      "wait"                                },
        {"todo",      "ns2.example.org lags"                },
        {"replaces",  "202606"                              },
        {"file",      "/etc/mfx/keys/example.org/202612.pem"},
        {"looked",    "2026-11-21T00:00:00Z"                },
    };
    (void)state;
    json_t *o = dkim_key_show_json(&waiting);
    assert_non_null(o);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        unit_assert_str(
            texts[i].name,
            mfx_str_of(json_string_value(json_object_get(o, texts[i].name))),
            mfx_str_of(texts[i].want));
    unit_assert_int("bits", json_integer_value(json_object_get(o, "bits")),
                    2048);
    assert_true(json_is_false(json_object_get(o, "signing")));
    assert_null(json_object_get(o, "since"));
    assert_null(json_object_get(o, "when"));
    json_t *server = json_array_get(json_object_get(o, "servers"), 1);
    assert_true(json_is_false(json_object_get(server, "has_key")));
    unit_assert_str(
        "address",
        mfx_str_of(json_string_value(json_object_get(server, "address"))),
        mfx_str_of("192.0.2.2"));
    json_decref(o);
}

static void
check_words(const char *label, const struct dkim_key_view *view,
            const char *want)
{
    struct mfx_buf out;
    json_t *o = dkim_key_show_json(view);
    mfx_buf_init(&out, 65536);
    dkim_key_show_text(o, &out);
    unit_assert_str(label, mfx_buf_str(&out), mfx_str_of(want));
    mfx_buf_fini(&out);
    json_decref(o);
}

static void
words(void **state)
{
    struct dkim_key_view hostile = settled;
    (void)state;
    check_words("waiting", &waiting,
                "example.org 202612 rsa-sha256 2048 new, in DNS: some\n"
                "  waits: ns2.example.org (192.0.2.2): no such name\n"
                "    ns1.example.org 192.0.2.1: match\n"
                "    ns2.example.org 192.0.2.2: no such name?[31m\n"
                "  next: ns2.example.org lags\n");
    check_words("settled", &settled,
                "example.org 202606 ed25519-sha256 256 active, signs, in DNS: "
                "all\n");
    hostile.selector = mfx_str("\xff\xfe", 2);
    hostile.why = "\x1b";
    hostile.verdict.is_alarm = true;
    check_words("hostile", &hostile,
                "example.org (not UTF-8) ed25519-sha256 256 active, signs, in "
                "DNS: all\n  ?\n");
}

static void
filters(void **state)
{
    const struct mfx_str domains[] = {MFX_STR("EXAMPLE.org"), MFX_STR("b")},
                         others[] = {MFX_STR("b")};
    static const struct {
        const char *label, *state;
        size_t domains, others;
        bool todo, takes_waiting, takes_settled;
    } cases[] = {
        {"all",    NULL,     0, 0, false, true,  true },
        {"new",    "new",    0, 0, false, true,  false},
        {"active", "active", 0, 0, false, false, true },
        {"todo",   NULL,     0, 0, true,  false, false},
        {"domain", NULL,     2, 0, false, true,  true },
        {"other",  NULL,     0, 1, false, false, false},
        {"both",   "active", 2, 0, true,  false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct dkim_key_filter f = {
            .domains = cases[i].others > 0 ? others : domains,
            .domain_count = cases[i].domains + cases[i].others,
            .state = cases[i].state,
            .todo = cases[i].todo};
        unit_assert_int(cases[i].label, dkim_key_filter_takes(&f, &waiting),
                        cases[i].takes_waiting);
        unit_assert_int(cases[i].label, dkim_key_filter_takes(&f, &settled),
                        cases[i].takes_settled);
    }
    struct dkim_key_view lost = settled;
    lost.verdict.next = DKIM_KEY_NEXT_PUBLISH;
    const struct dkim_key_filter todo = {.todo = true};
    assert_true(dkim_key_filter_takes(&todo, &lost));
    assert_null(dkim_key_filter_state(mfx_str_of("old")));
    assert_null(dkim_key_filter_state(mfx_str_of("")));
    assert_string_equal(dkim_key_filter_state(mfx_str_of("Retired")),
                        "retired");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json),
        cmocka_unit_test(words),
        cmocka_unit_test(filters),
    };
    return cmocka_run_group_tests_name("key_show", tests, NULL, NULL);
}
