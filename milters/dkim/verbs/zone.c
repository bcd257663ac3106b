/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zone - the records of all signing keys, for a name server
 */
#include <unistd.h>

#include <mfx/auth/dkim_key.h>
#include <mfx/base/file.h>
#include <mfx/mail/address.h>

#include "../record_text.h"
#include "key_list.h"
#include "verb.h"

enum {
    KEY_FILE_MAX = 64 * 1024,
    KEY_MEMORY = 4 * KEY_FILE_MAX,
    TTL_MAX = 604800,
    UPDATE_TTL_S = 3600, /* nsupdate wants one */
    PROGRESS_MS = 2000,
};

enum format {
    FORMAT_ZONE,
    FORMAT_NSUPDATE,
    FORMAT_JSON,
};

struct request {
    const char *config, *format_word, *ttl;
    bool is_relative;
    enum format format;
    uint32_t ttl_s;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct mfx_arena *arena; /* emptied after each key */
    struct mfx_str origin;   /* of the lines that come, in A-labels */
    char origin_bytes[256];
    size_t written, failed;
    uint64_t began_ms, told_ms;
};

static int
read_request(const struct verb_run *run, struct request *r)
{
    static const char *const words[] = {"zone", "nsupdate", "json"};
    const char *word = r->format_word;
    uint64_t ttl = 0;
    r->format = run->as_json ? FORMAT_JSON : FORMAT_ZONE;
    for (int i = FORMAT_ZONE; word != NULL && i <= FORMAT_JSON; i++) {
        if (strcmp(word, words[i]) != 0)
            continue;
        r->format = (enum format)i;
        word = NULL;
    }
    if (word != NULL)
        return verb_wrong(run, "--format %s: zone, nsupdate or json", word);
    if (r->ttl != NULL &&
        (mfx_option_parse_seconds(mfx_str_of(r->ttl), &ttl) != MFX_OK ||
         ttl == 0 || ttl > TTL_MAX))
        return verb_wrong(run, "--ttl %s: 1s to 7d", r->ttl);
    r->ttl_s = (uint32_t)ttl;
    if (r->format == FORMAT_NSUPDATE && ttl == 0)
        r->ttl_s = UPDATE_TTL_S;
    return EXIT_OK;
}

/* --- one key --- */

/* A key is read here and forgotten at once: keeping 100,000 of them for one
 * line each would take half a gigabyte. */
static enum mfx_rc
get_key(const struct work *w, const struct key_item *item,
        struct mfx_dkim_private_key **key, struct mfx_err *err)
{
    struct mfx_str text;
    if (!dkim_keys_is_path(item->key)) {
        enum mfx_rc rc = dkim_key_file_get(item->file, key, err);
        if (rc == MFX_OK)
            *key = mfx_dkim_private_key_ref(*key);
        return rc;
    }
    struct mfx_str path = mfx_arena_copy(w->arena, item->key);
    if (path.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc =
        mfx_file_read(path.p, KEY_FILE_MAX, w->arena, &text, NULL, err);
    if (rc != MFX_OK)
        return rc;
    rc = mfx_dkim_private_key_parse(text, key, err);
    if (rc != MFX_OK)
        mfx_err_prefix(err, "%s", path.p);
    explicit_bzero((char *)(uintptr_t)text.p, text.len);
    return rc;
}

static void
put_json(const struct work *w, const struct key_item *item,
         const struct mfx_dkim_private_key *key,
         const struct dkim_record_text *line)
{
    json_t *o =
        json_pack("{s:b}", "withdrawn", item->wanted == KEY_WANTED_EMPTY);
    if (key != NULL) {
        (void)json_object_set_new(o, "algorithm",
                                  json_string(mfx_dkim_algorithm_name(
                                      mfx_dkim_private_key_algorithm(key))));
        (void)json_object_set_new(o, "bits",
                                  json_integer(mfx_dkim_private_key_bits(key)));
    }
    (void)json_object_set_new(o, "domain", verb_json(item->domain));
    (void)json_object_set_new(o, "selector", verb_json(item->selector));
    (void)json_object_set_new(o, "name", verb_json(line->name));
    (void)json_object_set_new(o, "record", verb_json(line->text));
    (void)json_object_set_new(o, "strings", verb_json_strings(line->text));
    if (item->state != NULL)
        (void)json_object_set_new(o, "state", json_string(item->state));
    if (line->ttl_s > 0)
        (void)json_object_set_new(o, "ttl", json_integer(line->ttl_s));
    (void)fputs(w->written == 0 ? "[\n" : ",\n", stdout);
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
}

/* A domain's records begin: its origin, or the update before it ends. */
static enum mfx_rc
begin_domain(struct work *w, struct mfx_str domain)
{
    struct mfx_str ascii;
    enum mfx_rc rc = mfx_domain_to_ascii(domain, w->arena, &ascii);
    if (rc != MFX_OK || ascii.len > sizeof w->origin_bytes)
        return MFX_PERMFAIL;
    if (mfx_str_eq(ascii, w->origin))
        return MFX_OK;
    if (w->request->format == FORMAT_NSUPDATE && w->written > 0)
        (void)fputs("send\n", stdout);
    if (w->request->format == FORMAT_ZONE && w->request->is_relative)
        (void)printf("$ORIGIN %.*s.\n", MFX_STR_ARG(ascii));
    memcpy(w->origin_bytes, ascii.p, ascii.len);
    w->origin = mfx_str(w->origin_bytes, ascii.len);
    return MFX_OK;
}

static void
put(struct work *w, const struct key_item *item,
    const struct mfx_dkim_private_key *key, const struct dkim_record_text *line)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, w->arena, KEY_FILE_MAX);
    switch (w->request->format) {
    case FORMAT_ZONE:
        dkim_record_zone_line(line, &out);
        break;
    case FORMAT_NSUPDATE:
        dkim_record_nsupdate(line, &out);
        break;
    case FORMAT_JSON:
        put_json(w, item, key, line);
        break;
    }
    (void)fwrite(out.p == NULL ? "" : out.p, 1, out.len, stdout);
    w->written++;
}

static enum mfx_rc
get_record(const struct work *w, const struct key_item *item,
           struct mfx_dkim_private_key **key, struct mfx_str *text,
           struct mfx_err *err)
{
    if (item->wanted == KEY_WANTED_EMPTY) {
        *text = dkim_record_withdrawn(item->is_ed25519);
        return MFX_OK;
    }
    if (item->file == NULL) {
        mfx_err_set(err, "the key file is gone; its record should stay");
        return MFX_NOTFOUND;
    }
    enum mfx_rc rc = get_key(w, item, key, err);
    return rc == MFX_OK ? mfx_dkim_private_key_record(*key, w->arena, text, err)
                        : rc;
}

static enum mfx_rc
write_record(struct work *w, const struct key_item *item, struct mfx_err *err)
{
    struct mfx_dkim_private_key *key = NULL;
    struct dkim_record_text line = {.ttl_s = w->request->ttl_s};
    enum mfx_rc rc = get_record(w, item, &key, &line.text, err);
    if (rc == MFX_OK) {
        rc = dkim_record_name(item->domain, item->selector, w->arena,
                              &line.name);
        if (rc == MFX_OK)
            rc = begin_domain(w, item->domain);
        if (rc != MFX_OK)
            mfx_err_set(err, "no name that DNS can hold");
    }
    if (rc == MFX_OK && w->request->is_relative)
        line.origin = w->origin;
    if (rc == MFX_OK)
        put(w, item, key, &line);
    mfx_dkim_private_key_unref(key);
    return rc;
}

/* --- all of them --- */

static void
tell_progress(struct work *w, size_t done, size_t count)
{
    uint64_t now = mfx_mono_ms();
    if (done % 256 != 0 || now < w->told_ms + PROGRESS_MS)
        return;
    w->told_ms = now;
    (void)fprintf(stderr, "%zu of %zu keys, %llu s\n", done, count,
                  (unsigned long long)(now - w->began_ms) / 1000);
}

static void
complain(struct work *w, const struct key_item *item, const struct mfx_err *err)
{
    w->failed++;
    (void)fprintf(stderr, "mfxctl dkim zone: %s %s: %s\n",
                  verb_text(w->run, item->domain),
                  verb_text(w->run, item->selector), err->msg);
}

static int
write_all(struct work *w, const struct key_list *list)
{
    w->began_ms = w->told_ms = mfx_mono_ms();
    for (size_t i = 0; i < list->count; i++) {
        struct mfx_err err = {"out of memory"};
        if (list->items[i].wanted != KEY_WANTED_NOT &&
            write_record(w, &list->items[i], &err) != MFX_OK)
            complain(w, &list->items[i], &err);
        mfx_arena_reset(w->arena);
        tell_progress(w, i + 1, list->count);
    }
    if (w->request->format == FORMAT_NSUPDATE && w->written > 0)
        (void)fputs("send\n", stdout);
    if (w->request->format == FORMAT_JSON)
        (void)fputs(w->written == 0 ? "[]\n" : "\n]\n", stdout);
    if (list->conflicts > 0)
        (void)fprintf(stderr,
                      "mfxctl dkim zone: %zu names have two different keys: "
                      "one record cannot hold both\n",
                      list->conflicts);
    return w->failed + list->conflicts > 0 ? EXIT_CONFIG : EXIT_OK;
}

static int
write_zone(struct work *w, const struct mfx_offline *loaded,
           char *const *domains, size_t count)
{
    struct key_list list;
    int status = key_list_collect(w->run, loaded, domains, count, &list);
    if (status != EXIT_OK)
        return status;
    w->arena = mfx_arena_new(KEY_MEMORY);
    if (w->arena == NULL)
        status = verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    else if (list.count == 0)
        status = verb_fail(w->run, EXIT_NO,
                           count > 0 ? "no key signs for these domains"
                                     : "the configuration names no key "
                                       "(patterns and live tables are not "
                                       "walked: name the domains)");
    else
        status = write_all(w, &list);
    mfx_arena_free(w->arena);
    key_list_fini(&list);
    return status;
}

int
verb_zone(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r};
    struct mfx_offline *loaded = NULL;
    const struct verb_option options[] = {
        {"config",   'c', &r.config,      NULL          },
        {"format",   'f', &r.format_word, NULL          },
        {"ttl",      't', &r.ttl,         NULL          },
        {"relative", 'r', NULL,           &r.is_relative},
        {NULL,       0,   NULL,           NULL          },
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    int status = read_request(run, &r);
    if (status == EXIT_OK)
        status = verb_load(run, r.config, &loaded);
    if (status != EXIT_OK)
        return status;
    status = write_zone(&w, loaded, argv + first, (size_t)(argc - first));
    mfx_offline_free(loaded);
    return status;
}
