/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <jansson.h>

#include <mfx/milter/ring.h>

static struct mfx_arena *arena;

static void
add(struct mfx_ring *ring, const char *queue_id, const char *fact)
{
    struct mfx_connection c = {.client_name = mfx_str_of("client.example")};
    struct mfx_decision d;
    struct mfx_message m = {.arena = arena, .connection = &c, .decision = &d};
    mfx_decision_init(&d, arena);
    mfx_fact(&d, "key", mfx_str_of(fact));
    mfx_fact(&d, "key", mfx_str_of("second"));
    mfx_trace(&d, "rule", "row %d", 3);
    mfx_trace(&d, MFX_REPORT_REFUSED, "bob@example.org: no");
    mfx_edit_insert_header(&d, MFX_EDIT_TOP, mfx_str_of("X-Y"),
                           mfx_str_of(" v\n\tw"));
    mfx_decision_event(&d, "signed", mfx_str_of("because \x80"));
    m.queue_id = mfx_str_of(queue_id);
    m.sender = mfx_str_of("a@example.org");
    const struct mfx_report r = {.message = &m,
                                 .verdict = MFX_VERDICT_CONTINUE,
                                 .stage = "eom",
                                 .ended_wall_s = 1700000000,
                                 .ms = 7};
    mfx_ring_add(ring, &r);
}

static void
finding(void **state)
{
    struct mfx_ring *ring = mfx_ring_new(3);
    struct mfx_str entry;
    (void)state;
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("1"), arena, &entry),
                     MFX_NOTFOUND);
    assert_int_equal(mfx_ring_at(ring, 0, arena, &entry), MFX_NOTFOUND);
    add(ring, "1", "x");
    add(ring, "2", "x");
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("1"), arena, &entry),
                     MFX_OK);
    add(ring, "3", "x");
    add(ring, "4", "x");
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("1"), arena, &entry),
                     MFX_NOTFOUND);
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("2"), arena, &entry),
                     MFX_OK);
    assert_int_equal(mfx_ring_at(ring, 2, arena, &entry), MFX_OK);
    assert_int_equal(mfx_ring_at(ring, 3, arena, &entry), MFX_NOTFOUND);
    mfx_ring_free(ring);
}

/* Not every message has a queue id. */
static void
finding_by_others(void **state)
{
    static const struct {
        const char *label, *what;
        enum mfx_rc rc;
    } cases[] = {
        {"queue_id",         "1",                  MFX_OK      },
        {"client",           "client.example",     MFX_OK      },
        {"sender",           "A@example.org",      MFX_OK      },
        {"refused",          "bob@example.org",    MFX_OK      },
        {"refused_partly",   "bob@example",        MFX_NOTFOUND},
        {"another",          "carol@example.org",  MFX_NOTFOUND},
        {"a_fact",           "x",                  MFX_NOTFOUND},
        {"a_reason",         "because \\x80",      MFX_NOTFOUND},
        {"nothing",          "",                   MFX_NOTFOUND},
        {"more_than_it_has", "bob@example.org: n", MFX_NOTFOUND},
    };
    struct mfx_ring *ring = mfx_ring_new(3);
    struct mfx_str entry;
    (void)state;
    add(ring, "1", "x");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(
            cases[i].label,
            mfx_ring_find(ring, mfx_str_of(cases[i].what), arena, &entry),
            cases[i].rc);
    mfx_ring_free(ring);
}

static void
newest_first(void **state)
{
    struct mfx_ring *ring = mfx_ring_new(10);
    struct mfx_str entry;
    struct mfx_buf out;
    (void)state;
    add(ring, "same", "old");
    add(ring, "same", "new");
    mfx_buf_init(&out, 65536);
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("same"), arena, &entry),
                     MFX_OK);
    mfx_ring_format(entry, &out);
    assert_non_null(strstr(mfx_buf_text(&out), "  key: new\n"));
    assert_non_null(strstr(mfx_buf_text(&out), "reason: because \\x80\n"));
    assert_non_null(strstr(mfx_buf_text(&out), "rules:\n  rule: row 3\n"));
    assert_non_null(
        strstr(mfx_buf_text(&out), "edits:\n  insert_header: X-Y: v\\n\\tw\n"));
    mfx_buf_fini(&out);
    mfx_ring_free(ring);
}

static const char *
text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void
json(void **state)
{
    struct mfx_ring *ring = mfx_ring_new(1);
    struct mfx_str entry;
    struct mfx_buf out;
    (void)state;
    add(ring, "id", "one");
    mfx_buf_init(&out, 65536);
    assert_int_equal(mfx_ring_at(ring, 0, arena, &entry), MFX_OK);
    mfx_ring_format_json(entry, &out);
    json_t *j = json_loadb(out.p, out.len, 0, NULL);
    assert_non_null(j);
    assert_string_equal(text_at(j, "queue_id"), "id");
    assert_string_equal(text_at(j, "reason"), "because \\x80");
    unit_assert_int("ms", json_integer_value(json_object_get(j, "ms")), 7);
    const json_t *keys = json_object_get(json_object_get(j, "facts"), "key");
    unit_assert_int("a fact given twice is a list", json_array_size(keys), 2);
    const json_t *rules = json_object_get(j, "rules");
    assert_string_equal(text_at(json_array_get(rules, 0), "text"), "row 3");
    json_decref(j);
    mfx_buf_fini(&out);
    mfx_ring_free(ring);
}

static void
bounds(void **state)
{
    struct mfx_ring *none = mfx_ring_new(0), *ring = mfx_ring_new(2);
    struct mfx_str entry;
    char *large = malloc(100000);
    (void)state;
    assert_non_null(large);
    memset(large, 'x', 99999);
    large[99999] = '\0';
    add(none, "id", "x");
    assert_int_equal(mfx_ring_at(none, 0, arena, &entry), MFX_NOTFOUND);
    add(ring, "id", large);
    assert_int_equal(mfx_ring_find(ring, mfx_str_of("id"), arena, &entry),
                     MFX_OK);
    assert_true(entry.len <= MFX_RING_ENTRY_MAX);
    free(large);
    mfx_ring_free(ring);
    mfx_ring_free(none);
}

static void
malformed(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str entry;
    } cases[] = {
        {"empty",      MFX_STR("")          },
        {"short_head", MFX_STR("\0\3\5")    },
        {"short_key",  MFX_STR("\0\3\0\0k") },
        {"short_text", MFX_STR("\0\1\5\0kx")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str rest = cases[i].entry;
        struct mfx_ring_item item;
        unit_assert_int(cases[i].label, mfx_ring_next(&rest, &item), false);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),      cmocka_unit_test(finding_by_others),
        cmocka_unit_test(newest_first), cmocka_unit_test(json),
        cmocka_unit_test(bounds),       cmocka_unit_test(malformed),
    };
    arena = mfx_arena_new(0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_arena_free(arena);
    return failed;
}
