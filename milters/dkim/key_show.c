/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_show.h"

#include <stdlib.h>

#include <mfx/base/clock.h>

#include "policy.h"

enum {
    PAGE_BYTES = 4 * 1024 * 1024,
    DOMAINS_MAX = 64,
};

/* --- one key --- */

static json_t *
text_json(struct mfx_str text)
{
    json_t *j = json_stringn(text.len == 0 ? "" : text.p, text.len);
    return j != NULL ? j : json_string("(not UTF-8)");
}

static void
set_time(json_t *o, const char *name, uint64_t time_s)
{
    char text[MFX_CLOCK_TEXT];
    if (time_s > 0)
        (void)json_object_set_new(o, name,
                                  json_string(mfx_clock_text(time_s, text)));
}

static json_t *
servers_json(const struct dkim_key_view *view)
{
    json_t *servers = json_array();
    for (size_t i = 0; i < view->server_count; i++) {
        const struct dkim_key_server *s = &view->servers[i];
        json_t *o = json_pack("{s:b}", "has_key", s->has_key);
        (void)json_object_set_new(o, "name", text_json(s->name));
        (void)json_object_set_new(o, "address", text_json(s->address));
        (void)json_object_set_new(o, "answer", text_json(s->answer));
        (void)json_object_set_new(o, "ttl", json_integer(s->ttl_s));
        (void)json_array_append_new(servers, o);
    }
    return servers;
}

/* Key parsers run in the background; who asks for a key parses it at once.
 * That costs 30 us and gives what a view of an unparsed key lacks. */
static void
set_algorithm(json_t *o, const struct dkim_key_view *view)
{
    const char *algorithm = view->algorithm;
    unsigned bits = view->bits;
    struct mfx_dkim_private_key *key;
    if (bits == 0 && view->file != NULL &&
        dkim_key_file_get(view->file, &key, NULL) == MFX_OK) {
        algorithm =
            mfx_dkim_algorithm_name(mfx_dkim_private_key_algorithm(key));
        bits = mfx_dkim_private_key_bits(key);
    }
    (void)json_object_set_new(o, "algorithm", json_string(algorithm));
    (void)json_object_set_new(o, "bits", json_integer(bits));
}

/* Is it the operator's turn? */
static bool
wants_operator(const struct dkim_key_view *view)
{
    switch (view->verdict.next) {
    case DKIM_KEY_NEXT_PUBLISH:
    case DKIM_KEY_NEXT_CORRECT:
    case DKIM_KEY_NEXT_WITHDRAW:
    case DKIM_KEY_NEXT_REMOVE:
    case DKIM_KEY_NEXT_MEND_FILE:
        return true;
    case DKIM_KEY_NEXT_NOTHING:
    case DKIM_KEY_NEXT_WAIT:
    case DKIM_KEY_NEXT_KEEP:
        break;
    }
    return view->verdict.is_alarm;
}

json_t *
dkim_key_show_json(const struct dkim_key_view *view)
{
    const struct dkim_key_verdict *v = &view->verdict;
    json_t *o = json_pack(
        "{s:s, s:b, s:s, s:s, s:s, s:b, s:b}", "state",
        dkim_key_state_name(v->state), "signing", view->is_signing, "in_dns",
        dkim_in_dns_name(view->in_dns), "reason",
        dkim_key_reason_name(v->reason), "next", dkim_key_next_name(v->next),
        "alarm", v->is_alarm, "your_turn", wants_operator(view));
    if (o == NULL)
        return NULL;
    (void)json_object_set_new(o, "domain", text_json(view->domain));
    (void)json_object_set_new(o, "selector", text_json(view->selector));
    (void)json_object_set_new(o, "file", text_json(view->path));
    (void)json_object_set_new(o, "why", text_json(mfx_str_of(view->why)));
    (void)json_object_set_new(o, "todo", text_json(mfx_str_of(view->todo)));
    set_algorithm(o, view);
    if (view->replaces.len > 0)
        (void)json_object_set_new(o, "replaces", text_json(view->replaces));
    set_time(o, "since", view->since_s);
    set_time(o, "when", v->when_s);
    set_time(o, "looked", view->looked_s);
    set_time(o, "next_look", view->next_look_s);
    (void)json_object_set_new(o, "servers", servers_json(view));
    return o;
}

/* --- in words --- */

static const char *
text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

/* For a terminal: what came from DNS or a file may hold anything. */
static void
add_safe(struct mfx_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        mfx_buf_add_byte(out, *text >= ' ' && *text < 0x7F ? *text : '?');
}

static void
add_servers(const json_t *key, struct mfx_buf *out)
{
    size_t i;
    json_t *server;
    json_array_foreach(json_object_get(key, "servers"), i, server)
    {
        mfx_buf_add_text(out, "    ");
        add_safe(out, text_of(server, "name"));
        mfx_buf_add_text(out, " ");
        add_safe(out, text_of(server, "address"));
        mfx_buf_add_text(out, ": ");
        add_safe(out, text_of(server, "answer"));
        mfx_buf_add_text(out, "\n");
    }
}

/* One that signs, or signed, and of which nothing is wanted needs no more
 * than a line. */
static bool
is_settled(const json_t *key)
{
    return text_of(key, "todo")[0] == '\0' &&
           strcmp(text_of(key, "next"), "wait") != 0 &&
           !json_is_true(json_object_get(key, "alarm")) &&
           json_is_true(json_object_get(key, "signing"));
}

void
dkim_key_show_text(const json_t *key, struct mfx_buf *out)
{
    add_safe(out, text_of(key, "domain"));
    mfx_buf_add_text(out, " ");
    add_safe(out, text_of(key, "selector"));
    mfx_buf_printf(
        out, " %s %lld %s%s, in DNS: %s\n", text_of(key, "algorithm"),
        (long long)json_integer_value(json_object_get(key, "bits")),
        text_of(key, "state"),
        json_is_true(json_object_get(key, "signing")) ? ", signs" : "",
        text_of(key, "in_dns"));
    if (is_settled(key))
        return;
    if (text_of(key, "why")[0] != '\0') {
        mfx_buf_add_text(out, "  ");
        add_safe(out, text_of(key, "why"));
        mfx_buf_add_text(out, "\n");
    }
    add_servers(key, out);
    if (text_of(key, "todo")[0] != '\0') {
        mfx_buf_add_text(out, json_is_true(json_object_get(key, "your_turn"))
                                  ? "  to do: "
                                  : "  next: ");
        add_safe(out, text_of(key, "todo"));
        mfx_buf_add_text(out, "\n");
    }
}

/* --- what to show --- */

const char *
dkim_key_filter_state(struct mfx_str word)
{
    for (int i = DKIM_KEY_NEW; i <= DKIM_KEY_WITHDRAWN; i++)
        if (mfx_str_is_nocase(word,
                              dkim_key_state_name((enum dkim_key_state)i)))
            return dkim_key_state_name((enum dkim_key_state)i);
    return NULL;
}

bool
dkim_key_filter_takes(const struct dkim_key_filter *filter,
                      const struct dkim_key_view *view)
{
    if (filter->state != NULL &&
        strcmp(filter->state, dkim_key_state_name(view->verdict.state)) != 0)
        return false;
    if (filter->todo && !wants_operator(view))
        return false;
    for (size_t i = 0; i < filter->domain_count; i++)
        if (mfx_str_eq_nocase(filter->domains[i], view->domain))
            return true;
    return filter->domain_count == 0;
}

/* --- a page --- */

struct page {
    struct mfx_str domains[DOMAINS_MAX];
    struct dkim_key_filter filter;
    uint64_t after, seen;
    struct mfx_str last; /* the key at `after` */
    bool as_json, is_full, has_changed, has_failed;
    size_t shown;
    struct mfx_buf *out;
    struct mfx_buf at; /* "domain/selector" of the latest */
};

static bool
take_word(struct page *p, struct mfx_str word)
{
    size_t equals = mfx_str_find(word, '=');
    struct mfx_str name = mfx_str_head(word, equals);
    struct mfx_str value = mfx_str_from(word, equals + 1);
    if (mfx_str_is(name, "after"))
        return mfx_str_to_u64(value, UINT32_MAX, &p->after) == MFX_OK;
    if (mfx_str_is(name, "state")) {
        p->filter.state = dkim_key_filter_state(value);
        return p->filter.state != NULL;
    }
    if (mfx_str_is(name, "last"))
        p->last = value;
    else if (mfx_str_is(word, "todo"))
        p->filter.todo = true;
    else if (equals == word.len && p->filter.domain_count < DOMAINS_MAX)
        p->domains[p->filter.domain_count++] = word;
    else
        return false;
    return true;
}

static void
show(struct page *p, const struct dkim_key_view *view)
{
    json_t *key = dkim_key_show_json(view);
    char *text = NULL;
    if (key == NULL) {
        p->has_failed = true;
    } else if (!p->as_json) {
        dkim_key_show_text(key, p->out);
    } else {
        text = json_dumps(key, JSON_COMPACT);
        mfx_buf_add_text(p->out, p->shown == 0 ? "" : ",\n");
        mfx_buf_add_text(p->out, text == NULL ? "null" : text);
    }
    p->shown++;
    free(text);
    json_decref(key);
}

static bool
visit(const struct dkim_key_view *view, void *arg)
{
    struct page *p = arg;
    p->seen++;
    mfx_buf_clear(&p->at);
    mfx_buf_printf(&p->at, "%.*s/%.*s", MFX_STR_ARG(view->domain),
                   MFX_STR_ARG(view->selector));
    if (p->seen == p->after)
        p->has_changed = !mfx_str_eq(mfx_buf_str(&p->at), p->last);
    if (p->seen > p->after && dkim_key_filter_takes(&p->filter, view))
        show(p, view);
    p->is_full = p->out->len > PAGE_BYTES;
    return !p->is_full && !p->has_changed && !p->has_failed;
}

static void
end_page(struct page *p)
{
    if (p->as_json) {
        mfx_buf_add_text(p->out, "]");
        if (p->is_full)
            mfx_buf_printf(p->out, ",\"next\":%llu,\"last\":\"%s\"",
                           (unsigned long long)p->seen, mfx_buf_text(&p->at));
        mfx_buf_add_text(p->out, "}\n");
    } else if (p->is_full) {
        mfx_buf_printf(p->out, "... go on with: keys after=%llu last=%s\n",
                       (unsigned long long)p->seen, mfx_buf_text(&p->at));
    }
}

enum mfx_rc
dkim_key_show_verb(const void *arg, const struct mfx_str *args,
                   size_t arg_count, bool as_json, struct mfx_buf *out,
                   struct mfx_err *err)
{
    const struct dkim_policy *policy = arg;
    struct page p = {.as_json = as_json, .out = out};
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < arg_count; i++) {
        if (take_word(&p, args[i]))
            continue;
        mfx_err_set(err, "keys: %.*s: not understood", MFX_STR_ARG(args[i]));
        return MFX_PERMFAIL;
    }
    p.filter.domains = p.domains;
    mfx_buf_init(&p.at, 1024);
    mfx_buf_add_text(out, as_json ? "{\"keys\":[" : "");
    dkim_watcher_each(policy->shared->watcher, visit, &p);
    if (p.has_changed || p.after > p.seen) {
        mfx_buf_clear(out);
        mfx_err_set(err, "keys: they have changed meanwhile; ask again");
        rc = MFX_TEMPFAIL;
    } else if (p.has_failed) {
        mfx_err_set(err, "keys: out of memory");
        rc = MFX_TEMPFAIL;
    } else {
        end_page(&p);
    }
    mfx_buf_fini(&p.at);
    return rc;
}
