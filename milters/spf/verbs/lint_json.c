/* SPDX-License-Identifier: BSD-2-Clause */
#include "lint.h"

enum {
    NETS_MAX = 1000,
};

static json_t *
json_nets(const struct nets *nets)
{
    json_t *list = json_array();
    for (size_t i = 0; i < nets->count && i < NETS_MAX; i++) {
        struct mfx_buf text;
        mfx_buf_init(&text, 2 * MFX_IP_TEXT);
        nets_write(&text, &nets->items[i]);
        (void)json_array_append_new(list, verb_json(mfx_buf_str(&text)));
        mfx_buf_fini(&text);
    }
    return list;
}

static json_t *json_terms(const struct lint_page *page);

static json_t *
json_term(const struct lint_term *t)
{
    json_t *o =
        json_pack("{s:s, s:i, s:b, s:i, s:b, s:b}", "kind",
                  mfx_spf_term_name(t->term.kind), "lookups", (int)t->lookups,
                  "at_least", t->is_least, "at", (int)t->at, "dead", t->is_dead,
                  "mistake", t->is_broken);
    (void)json_object_set_new(o, "term", verb_json(t->term.text));
    if (t->target.len > 0)
        (void)json_object_set_new(o, "name", verb_json(t->target));
    if (nets_are_known(&t->nets) && !t->nets.is_all)
        (void)json_object_set_new(o, "networks", json_nets(&t->nets));
    if (t->page != NULL && t->page->status == LINT_READ)
        (void)json_object_set_new(o, "terms", json_terms(t->page));
    return o;
}

static json_t *
json_terms(const struct lint_page *page)
{
    json_t *list = json_array();
    for (size_t i = 0; i < page->term_count; i++)
        (void)json_array_append_new(list, json_term(&page->terms[i]));
    return list;
}

static json_t *
json_finding(const struct lint_finding *f)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "level", lint_level_name(f->level),
                          "code", f->code, "rfc7208", f->rfc);
    (void)json_object_set_new(o, "text", verb_json(f->text));
    (void)json_object_set_new(o, "domain", verb_json(f->page->domain));
    if (!f->has_place)
        return o;
    struct mfx_str place =
        mfx_str_head(mfx_str_from(f->page->text, f->at), f->len);
    (void)json_object_set_new(o, "at", json_integer((json_int_t)f->at));
    (void)json_object_set_new(o, "place", verb_json(place));
    return o;
}

json_t *
lint_json(const struct lint *l)
{
    const struct lint_page *root = l->root;
    json_t *findings = json_array();
    for (const struct lint_finding *f = l->first; f != NULL; f = f->next)
        (void)json_array_append_new(findings, json_finding(f));
    json_t *o = json_pack(
        "{s:i, s:b, s:i, s:{s:i, s:i, s:i}, s:i, s:i, s:i, s:i}", "lookups",
        (int)root->lookups, "at_least", root->is_least, "lookup_limit",
        LINT_LOOKUPS, "voids", "ipv4", (int)root->voids4, "ipv6",
        (int)root->voids6, "maybe", (int)root->maybes, "void_limit", LINT_VOIDS,
        "wrong", (int)l->counts[LINT_WRONG], "doubtful",
        (int)l->counts[LINT_DOUBT], "hints", (int)l->counts[LINT_HINT]);
    (void)json_object_set_new(o, "domain", verb_json(root->domain));
    (void)json_object_set_new(o, "record", verb_json(root->text));
    (void)json_object_set_new(o, "octets", json_integer((json_int_t)l->octets));
    (void)json_object_set_new(o, "findings", findings);
    (void)json_object_set_new(o, "terms", json_terms(root));
    if (nets_are_known(&root->nets) && !root->nets.is_all)
        (void)json_object_set_new(o, "networks", json_nets(&root->nets));
    return o;
}
