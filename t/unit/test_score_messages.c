/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The messages of files and folders, one by one: what each of them is, down to
 * its bytes, wherever the reader's buffer ends.
 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <mfx/scan/scan_body_impl.h>

#include "../../milters/score/verbs/messages.h"
#include "conf_files.h"

enum {
    TEXT_MAX = 1 << 20,
};

struct test {
    struct conf_files files;
    struct mfx_arena *arena;
    struct messages in;
    char *paths[2];
};

static bool
drops(const void *arg, struct mfx_str name)
{
    (void)arg;
    return mfx_str_starts_nocase(name, mfx_str_of("X-Spam"));
}

static void
begin(struct test *t)
{
    conf_files_init(&t->files);
    t->arena = mfx_arena_new(0);
}

static void
end(struct test *t)
{
    messages_fini(&t->in);
    mfx_arena_free(t->arena);
    conf_files_fini(&t->files);
}

static void
open_path(struct test *t, const char *path, size_t memory_limit)
{
    t->paths[0] = (char *)(uintptr_t)path;
    messages_init(&t->in, t->paths, 1);
    t->in.drops = drops;
    t->in.memory_limit = memory_limit;
}

static void
add_body(struct mfx_scan_body *body, struct mfx_buf *out)
{
    char bytes[1000];
    size_t at = 0, n;
    while ((n = mfx_scan_body_read(body, at, bytes, sizeof bytes)) > 0) {
        mfx_buf_add(out, mfx_str(bytes, n));
        at += n;
    }
}

/* All messages, a "|" behind each; "!" and the reason for what is none. */
static struct mfx_str
read_all(struct test *t)
{
    struct mfx_buf out;
    struct message m;
    mfx_buf_init_arena(&out, t->arena, TEXT_MAX);
    while (messages_next(&t->in, t->arena, &m)) {
        if (m.body != NULL)
            add_body(m.body, &out);
        else
            mfx_buf_printf(&out, "!%s", m.err.msg);
        mfx_buf_add_byte(&out, '|');
        mfx_scan_body_free(m.body);
    }
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

#define FROM "From a@b Sat Nov 21 10:00:00 2026\n"

static const struct row {
    const char *label, *text, *want;
} rows[] = {
    {"one",                         "A: b\n\nx\n",                                 "A: b\r\n\r\nx\r\n|"             },
    {"CRLF",                        "A: b\r\n\r\nx\r\n",                           "A: b\r\n\r\nx\r\n|"             },
    {"no line end",                 "A: b\n\nx",                                   "A: b\r\n\r\nx\r\n|"             },
    {"a header alone",              "A: b\n",                                      "A: b\r\n|"                      },
    {"empty lines stay",            "A: b\n\n\nx\n\n\n",                           "A: b\r\n\r\n\r\nx\r\n\r\n\r\n|" },
    {"a CR stays",                  "A: b\n\nx\ry\r\r\n",                          "A: b\r\n\r\nx\ry\r\r\n|"        },
    {"fields that go",
     "A: b\nx-spam-flag: YES\n more\n\teven\nX-Spam : 1\nC:\n\n",                  "A: b\r\nC:\r\n\r\n|"            },
    {"not in the body",             "A: b\n\nX-Spam: 1\n",                         "A: b\r\n\r\nX-Spam: 1\r\n|"     },
    {"not behind what is no field", "A: b\nhello\nX-Spam: 1\n",
     "A: b\r\nhello\r\nX-Spam: 1\r\n|"                                                                              },
    {"the last field",              "A: b\nX-Spam: 1",                             "A: b\r\n|"                      },
    {"a field From",                "From : joe\nA: b\n\nx\n",
     "From : joe\r\nA: b\r\n\r\nx\r\n|"                                                                             },
    {"nothing",                     "",                                            "!there is no message in it|"    },
    {"empty lines",                 "\n\r\n\n",                                    "!there is no message in it|"    },
    {"gzip",                        "\x1f\x8b\x08\n",                              "!it is compressed (gzip)|"      },
    {"a mailbox of one",            FROM "A: b\n\nx\n",                            "A: b\r\n\r\nx\r\n|"             },
    {"a mailbox of two",            FROM "A: b\n\nx\n\n" FROM "C: d\n\ny\n\n",
     "A: b\r\n\r\nx\r\n|C: d\r\n\r\ny\r\n|"                                                                         },
    {"without empty lines",         FROM "A: b\n\nx\n" FROM "C: d\n\ny\n",
     "A: b\r\n\r\nx\r\nFrom a@b Sat Nov 21 10:00:00 2026\r\nC: d\r\n\r\ny\r\n|"                                     },
    {"no body",                     FROM "A: b\n\n" FROM "C: d\n\n",               "A: b\r\n\r\n|C: d\r\n\r\n|"     },
    {"more empty lines",            FROM "A: b\n\nx\n\n\n\n" FROM "C: d\n\n\ny\n",
     "A: b\r\n\r\nx\r\n\r\n\r\n|C: d\r\n\r\n\r\ny\r\n|"                                                             },
    {"no time in it",               FROM "A: b\n\nx\n\nFrom me to you\n",
     "A: b\r\n\r\nx\r\n\r\nFrom me to you\r\n|"                                                                     },
    {"no mailbox",                  "A: b\n\nx\n\n" FROM "C: d\n",
     "A: b\r\n\r\nx\r\n\r\nFrom a@b Sat Nov 21 10:00:00 2026\r\nC: d\r\n|"                                          },
    {"the same with CRLF",
     "From a@b Sat Nov 21 10:00:00 2026\r\nA: b\r\n\r\nx\r\n\r\nFrom c 1:1 "
     "10:00\r\nC: d\r\n\r\n",                                                      "A: b\r\n\r\nx\r\n|C: d\r\n\r\n|"},
    {"one of them is empty",        FROM "A: b\n\n" FROM "\n\n" FROM "C: d\n\n",
     "A: b\r\n\r\n|!there is no message in it|C: d\r\n\r\n|"                                                        },
};

static void
files_and_mailboxes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i / 2];
        struct test t;
        begin(&t);
        open_path(&t, conf_files_write(&t.files, "mail", mfx_str_of(row->text)),
                  i % 2 == 0 ? 1 << 16 : 4);
        unit_assert_str(row->label, read_all(&t), mfx_str_of(row->want));
        end(&t);
    }
}

/* A line so long that the buffer ends at each place of what follows. */
static void
the_buffer_ends_anywhere(void **state)
{
    static const char head[] = FROM "A: ";
    static const char tail[] =
        "\r\nX-Spam: 1\r\n 2\r\nB: c\r\n\r\nx\r\n\r\n" FROM "C: d\n\ny\rz\r\n";
    (void)state;
    for (size_t left = 0; left < sizeof tail + 2; left++) {
        size_t fill = MESSAGES_BUFFER - sizeof head + 1 - left;
        struct mfx_buf text, want;
        struct test t;
        begin(&t);
        mfx_buf_init_arena(&text, t.arena, TEXT_MAX);
        mfx_buf_init_arena(&want, t.arena, TEXT_MAX);
        mfx_buf_add_text(&text, head);
        mfx_buf_add_text(&want, "A: ");
        for (size_t i = 0; i < fill; i++) {
            mfx_buf_add_byte(&text, 'a');
            mfx_buf_add_byte(&want, 'a');
        }
        mfx_buf_add_text(&text, tail);
        mfx_buf_add_text(&want, "\r\nB: c\r\n\r\nx\r\n|C: d\r\n\r\ny\rz\r\n|");
        open_path(&t, conf_files_write(&t.files, "mail", mfx_buf_str(&text)),
                  1 << 10);
        struct mfx_str got = read_all(&t);
        if (!mfx_str_eq(got, mfx_buf_str(&want)))
            fail_msg("%zu octets before the end of the buffer", left);
        end(&t);
    }
}

/* A line longer than the buffer, with a CR at its end and none behind. */
static void
long_lines(void **state)
{
    (void)state;
    for (size_t more = 0; more < 4; more++) {
        struct mfx_buf text, want;
        struct test t;
        begin(&t);
        mfx_buf_init_arena(&text, t.arena, TEXT_MAX);
        mfx_buf_init_arena(&want, t.arena, TEXT_MAX);
        mfx_buf_add_text(&text, "X-Spam: ");
        for (size_t i = 0; i < 3 * MESSAGES_BUFFER; i++)
            mfx_buf_add_byte(&text, 'a');
        mfx_buf_add_text(&text, "\nB: c\n\n");
        mfx_buf_add_text(&want, "B: c\r\n\r\n");
        for (size_t i = 0; i < 2 * MESSAGES_BUFFER - more; i++) {
            mfx_buf_add_byte(&text, i % 2 == 0 ? '\r' : 'b');
            mfx_buf_add_byte(&want, i % 2 == 0 ? '\r' : 'b');
        }
        mfx_buf_add_text(&text, "b\r\nx\n");
        mfx_buf_add_text(&want, "b\r\nx\r\n|");
        open_path(&t, conf_files_write(&t.files, "mail", mfx_buf_str(&text)),
                  1 << 10);
        unit_assert_str("long line", read_all(&t), mfx_buf_str(&want));
        end(&t);
    }
}

static void
make_folder(struct test *t, const char *name)
{
    assert_int_equal(mkdir(conf_files_path(&t->files, name), 0700), 0);
}

static void
folders(void **state)
{
    static const char *const names[] = {"box",       "box/cur",  "box/new",
                                        "box/tmp",   "box/.Sub", "tree",
                                        "tree/deep", "tree/.no"};
    static const char *const files[] = {
        "box/cur/2:2,S", "box/new/1",   "box/tmp/3", "box/index",
        "tree/b",        "tree/deep/c", "tree/.d",   "tree/.no/e"};
    struct test t;
    (void)state;
    begin(&t);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        make_folder(&t, names[i]);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)conf_files_write(
            &t.files, files[i],
            mfx_arena_printf(t.arena, "N: %s\n\n", files[i]));
    assert_int_equal(symlink("b", conf_files_path(&t.files, "tree/link")), 0);
    assert_int_equal(symlink("..", conf_files_path(&t.files, "tree/up")), 0);
    assert_int_equal(mkfifo(conf_files_path(&t.files, "tree/pipe"), 0600), 0);
    open_path(&t, conf_files_path(&t.files, "box"), 100);
    unit_assert_str(
        "a maildir", read_all(&t),
        mfx_str_of("N: box/cur/2:2,S\r\n\r\n|N: box/new/1\r\n\r\n|"));
    messages_fini(&t.in);
    open_path(&t, conf_files_path(&t.files, "tree"), 100);
    unit_assert_str("a tree", read_all(&t),
                    mfx_str_of("N: tree/b\r\n\r\n|N: tree/deep/c\r\n\r\n|N: "
                               "tree/b\r\n\r\n|"));
    end(&t);
}

static void
what_cannot_be_read(void **state)
{
    struct test t;
    (void)state;
    begin(&t);
    open_path(&t, conf_files_path(&t.files, "none"), 100);
    unit_assert_str("no file", read_all(&t),
                    mfx_str_of("!No such file or directory|"));
    messages_fini(&t.in);
    open_path(
        &t, conf_files_write(&t.files, "mail", mfx_str_of("A: b\n\nxyz\n")), 4);
    t.in.temp_folder = conf_files_path(&t.files, "none");
    unit_assert_str("no room", read_all(&t),
                    mfx_str_of("!temporary file: No such file or directory|"));
    end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_mailboxes),
        cmocka_unit_test(the_buffer_ends_anywhere),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(folders),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
