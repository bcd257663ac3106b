/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rotate - the next key of a domain: its file, its card, its record, and what
 * happens next
 */
#include "rotate.h"

#include <mfx/base/clock.h>
#include <mfx/mail/address.h>

#include "../record_text.h"
#include "../rotation/card.h"
#include "../rotation/watcher.h"

/* --- what is printed --- */

static void
zone_line(const struct rotate_next *n, struct mfx_buf *out)
{
    const struct dkim_record_text line = {.name = n->name, .text = n->record};
    dkim_record_zone_line(&line, out);
}

static const char *
requirement(const struct rotate_work *w)
{
    const struct dkim_settings *s = w->loaded->settings;
    return s->sign.require_published == DKIM_REQUIRE_NEVER
               ? "sign.require_published is never: it signs as soon as "
                 "mfx-dkim sees its file."
               : "mfx-dkim asks every authoritative server of the zone. When "
                 "all have the record, and its TTL and the zone's negative TTL "
                 "have passed since, it signs and the old key is retired.";
}

/* A step as comment lines that fit on a terminal. */
static void
print_step(const char *name, const char *text)
{
    enum {
        WIDTH = 78,
    };
    struct mfx_str rest = mfx_str_of(text), word;
    size_t column = (size_t)printf("; %s", name);
    while (mfx_str_word(&rest, " ", &word)) {
        if (column + 1 + word.len > WIDTH)
            column = (size_t)printf("\n;  ") - 1;
        column += (size_t)printf(" %.*s", MFX_STR_ARG(word));
    }
    (void)putchar('\n');
}

static void
print_key(const struct rotate_work *w, const struct rotate_next *n)
{
    struct mfx_buf zone;
    char time[MFX_CLOCK_TEXT];
    mfx_buf_init_arena(&zone, w->run->arena, 65536);
    zone_line(n, &zone);
    (void)printf("; %s, %u bits, in %s\n; %s %s",
                 mfx_dkim_algorithm_name(n->algorithm), n->bits,
                 verb_text(w->run, n->path),
                 n->is_made ? "made: replaces" : "made before: replaces",
                 verb_text(w->run, n->old->selector));
    if (n->not_before_s > 0)
        (void)printf(", not before %s", mfx_clock_text(n->not_before_s, time));
    if (n->why != NULL && n->why[0] != '\0')
        (void)printf("; %s", verb_text(w->run, mfx_str_of(n->why)));
    (void)printf("\n%s", mfx_buf_text(&zone));
}

/* "5 days", "36 hours", "90 seconds". */
static const char *
say_time(const struct verb_run *run, uint64_t s)
{
    static const struct {
        uint64_t s;
        const char *one;
    } units[] = {
        {86400, "day"   },
        {3600,  "hour"  },
        {1,     "second"},
    };
    size_t i = 0;
    while (s % units[i].s != 0)
        i++;
    uint64_t n = s / units[i].s;
    const char *text =
        mfx_arena_printf(run->arena, "%llu %s%s", (unsigned long long)n,
                         units[i].one, n == 1 ? "" : "s")
            .p;
    return text == NULL ? "" : text;
}

static void
print_text(const struct rotate_work *w)
{
    const struct dkim_settings *s = w->loaded->settings;
    const char *command =
        mfx_arena_printf(w->run->arena, "mfxctl dkim keys %s",
                         verb_text(w->run, w->request->domain))
            .p;
    for (size_t i = 0; i < w->next_count; i++)
        print_key(w, &w->next[i]);
    (void)puts(";");
    if (w->request->is_shared)
        print_step("Note:", "every domain that signs with the old key needs "
                            "the record below its own name; mfxctl dkim zone "
                            "lists them.");
    if (w->request->out != NULL)
        print_step("First:", "push the key and its .card to where the old key "
                             "lies, on every host.");
    print_step("Next:", "publish what stands above; the old record stays.");
    print_step("Then:", requirement(w));
    const char *last =
        mfx_arena_printf(w->run->arena,
                         "the old record stays for %s more, for mail under "
                         "way; then publish it with an empty p=.",
                         say_time(w->run, s->rotation.queue_life_s))
            .p;
    print_step("Last:", last == NULL ? "" : last);
    print_step("How far it is:", command == NULL ? "" : command);
}

static json_t *
json_key(const struct rotate_work *w, const struct rotate_next *n)
{
    struct mfx_buf zone;
    char time[MFX_CLOCK_TEXT];
    mfx_buf_init_arena(&zone, w->run->arena, 65536);
    zone_line(n, &zone);
    json_t *o = json_pack("{s:s, s:i, s:b}", "algorithm",
                          mfx_dkim_algorithm_name(n->algorithm), "bits",
                          (int)n->bits, "made", n->is_made);
    (void)json_object_set_new(o, "selector", verb_json(n->selector));
    (void)json_object_set_new(o, "replaces", verb_json(n->old->selector));
    (void)json_object_set_new(o, "file", verb_json(n->path));
    (void)json_object_set_new(o, "name", verb_json(n->name));
    (void)json_object_set_new(o, "record", verb_json(n->record));
    (void)json_object_set_new(o, "strings", verb_json_strings(n->record));
    (void)json_object_set_new(o, "zone", verb_json(mfx_buf_str(&zone)));
    if (n->not_before_s > 0)
        (void)json_object_set_new(
            o, "not_before",
            json_string(mfx_clock_text(n->not_before_s, time)));
    if (n->why != NULL)
        (void)json_object_set_new(o, "why", verb_json(mfx_str_of(n->why)));
    return o;
}

static void
print(const struct rotate_work *w)
{
    if (!w->run->as_json) {
        print_text(w);
        return;
    }
    json_t *keys = json_array();
    for (size_t i = 0; i < w->next_count; i++)
        (void)json_array_append_new(keys, json_key(w, &w->next[i]));
    json_t *o = json_pack("{s:o, s:s}", "keys", keys, "next", requirement(w));
    (void)json_object_set_new(o, "domain", verb_json(w->request->domain));
    verb_print_json(o);
}

/* --- the command line --- */

/* A date, a time, or how long from now. */
static int
read_not_before(const struct verb_run *run, struct rotate_request *r)
{
    const struct mfx_env clock = mfx_env_system();
    struct mfx_str text = mfx_str_of(r->not_before);
    uint64_t delay_s;
    if (text.len == 0 || dkim_card_time_parse(text, &r->not_before_s) == MFX_OK)
        return EXIT_OK;
    if (mfx_option_parse_seconds(text, &delay_s) != MFX_OK)
        return verb_wrong(run,
                          "--not-before %s: 2026-12-01, "
                          "2026-12-01T06:00:00Z, or 3d",
                          r->not_before);
    r->not_before_s = clock.wall_s(&clock) + delay_s;
    return EXIT_OK;
}

static int
read_request(const struct verb_run *run, const char *domain,
             struct rotate_request *r)
{
    struct key_made unused;
    if (mfx_domain_to_ascii(mfx_str_of(domain), run->arena, &r->domain) !=
            MFX_OK ||
        !mfx_domain_is_valid(r->domain, false))
        return verb_wrong(run, "%s is no domain name", domain);
    if (r->bits != NULL && r->algorithm == NULL)
        r->algorithm = "rsa";
    int status = key_make_read(run, r->algorithm, r->bits, &unused);
    return status == EXIT_OK ? read_not_before(run, r) : status;
}

int
rotate_all(struct rotate_work *w)
{
    size_t count = w->count;
    int status = rotate_check(w);
    for (size_t i = 0; i < count && status == EXIT_OK; i++) {
        const struct rotate_known *k = &w->keys[i];
        if (rotate_is_wanted(w, k) && k->bad != NULL)
            return verb_fail(w->run, EXIT_CONFIG, "%s", k->bad);
        if (rotate_is_wanted(w, k))
            status = k->is_waiting && !w->request->is_forced
                         ? rotate_show(w, k)
                         : rotate_make(w, k);
    }
    if (status == EXIT_OK && w->next_count == 0)
        return verb_fail(w->run, EXIT_NO,
                         "no such key signs for %s: make its first with mfxctl "
                         "dkim genkey",
                         verb_text(w->run, w->request->domain));
    return status;
}

static int
rotate(struct rotate_work *w)
{
    int status = rotate_find(w);
    if (status == EXIT_OK)
        status = rotate_all(w);
    /* one made before another failed is there, and must be known */
    if (w->next_count > 0)
        print(w);
    return status;
}

int
verb_rotate(struct verb_run *run, int argc, char **argv)
{
    struct rotate_request r = {0};
    struct mfx_offline *loaded = NULL;
    const struct verb_option options[] = {
        {"config",     'c', &r.config,     NULL        },
        {"selector",   's', &r.selector,   NULL        },
        {"algorithm",  'a', &r.algorithm,  NULL        },
        {"bits",       'b', &r.bits,       NULL        },
        {"replaces",   0,   &r.replaces,   NULL        },
        {"not-before", 0,   &r.not_before, NULL        },
        {"out",        'o', &r.out,        NULL        },
        {"owner",      0,   &r.owner,      NULL        },
        {"shared",     0,   NULL,          &r.is_shared},
        {"force",      0,   NULL,          &r.is_forced},
        {NULL,         0,   NULL,          NULL        },
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one DOMAIN");
    struct rotate_work *w = mfx_arena_alloc(run->arena, sizeof *w);
    if (w == NULL)
        return verb_fail(run, EXIT_SYSTEM, "out of memory");
    int status = read_request(run, argv[first], &r);
    if (status == EXIT_OK)
        status = verb_load(run, r.config, &loaded);
    if (status != EXIT_OK)
        return status;
    w->run = run;
    w->request = &r;
    w->loaded = loaded;
    status = rotate(w);
    mfx_offline_free(loaded);
    return status;
}
