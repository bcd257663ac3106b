/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address.h>

#include <mfx/mail/address_scan.h>

enum {
    FIRST_CAPACITY = 4,
};

struct parser {
    struct address_scan scan;
    struct mfx_arena *arena;
    struct mfx_address_list *list;
    size_t max, capacity;
    bool is_out_of_memory;
};

static bool
fail(struct parser *p, const char *text)
{
    return address_scan_fail(&p->scan, p->scan.at, text);
}

static bool
out_of_memory(struct parser *p)
{
    p->is_out_of_memory = true;
    return false;
}

/* The run's words without quotes; CFWS between them becomes one `between`, or
 * nothing when that is NUL. */
static bool
unquote(struct parser *p, const struct address_run *run, char between,
        struct mfx_str *text)
{
    if (!run->has_quotes && !(between ? run->has_odd_gap : run->has_gap)) {
        *text = mfx_str(p->scan.in.p + run->start, run->end - run->start);
        return true;
    }
    char *out = mfx_arena_alloc_bytes(p->arena, run->end - run->start + 1);
    if (out == NULL)
        return out_of_memory(p);
    *text = mfx_str(out, address_run_unquote(&p->scan, run, between, out));
    return true;
}

static struct mfx_mailbox *
new_mailbox(struct parser *p)
{
    struct mfx_address_list *list = p->list;
    if (list->count >= p->max) {
        fail(p, "too many addresses");
        return NULL;
    }
    if (list->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : FIRST_CAPACITY;
        struct mfx_mailbox *grown =
            mfx_arena_alloc_array(p->arena, capacity, sizeof *grown);
        if (grown == NULL) {
            out_of_memory(p);
            return NULL;
        }
        if (list->count > 0)
            memcpy(grown, list->mailboxes, list->count * sizeof *grown);
        list->mailboxes = grown;
        p->capacity = capacity;
    }
    return &list->mailboxes[list->count];
}

static bool
has_control(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return true;
    }
    return false;
}

/* Dots may stand anywhere in a local part before "@" (RFC 5321 has them
 * between words only); a bare user is stricter. */
static bool
take_local(struct parser *p, const struct address_run *run,
           struct mfx_mailbox *box)
{
    struct address_scan *s = &p->scan;
    bool is_spec = address_scan_peek(s) == '@';
    if (run->count == 0)
        return address_scan_fail(s, run->start, "address expected");
    if (is_spec ? run->has_pair || !run->has_word : !run->is_dotted)
        return address_scan_fail(s, run->start, "no valid local part");
    if (!unquote(p, run, '\0', &box->local))
        return false;
    if (run->has_quotes && has_control(box->local))
        return address_scan_fail(s, run->start, "control byte in local part");
    if (run->has_eight_bit && !mfx_str_is_utf8(box->local))
        return address_scan_fail(s, run->start, "local part is not UTF-8");
    return true;
}

static struct mfx_str
part(const struct address_scan *s, size_t start, size_t end)
{
    return mfx_str(s->in.p + start, end - start);
}

/* Takes what stands from the local part in `run` on: "@" and a domain, or
 * nothing for a bare user. */
static bool
take_spec(struct parser *p, const struct address_run *run,
          struct mfx_mailbox *box)
{
    struct address_scan *s = &p->scan;
    struct address_run domain = {
        .start = run->end, .end = run->end, .word_end = run->end};
    if (!take_local(p, run, box))
        return false;
    if (address_scan_take(s, '@')) {
        if (!address_scan_domain(s, &domain) ||
            !unquote(p, &domain, '\0', &box->domain))
            return false;
        if (domain.has_eight_bit && !mfx_str_is_utf8(box->domain))
            return address_scan_fail(s, domain.start, "domain is not UTF-8");
        if (domain.has_final_dot)
            box->domain.len--;
    }
    box->raw = part(s, run->start, domain.end);
    box->raw_local = part(s, run->start, run->end);
    box->raw_domain = part(s, domain.start, domain.word_end);
    return true;
}

/* Behind "<": "[route] addr-spec >". */
static bool
take_angle(struct parser *p, struct mfx_mailbox *box)
{
    struct address_scan *s = &p->scan;
    struct address_run run;
    box->is_bracketed = true;
    if (!address_scan_route(s) || !address_scan_run(s, &run) ||
        !take_spec(p, &run, box) || !address_scan_cfws(s))
        return false;
    return address_scan_take(s, '>') || fail(p, "\">\" expected");
}

/* With "<" ahead, what the run began is a display name, even where it looks
 * like an address: "a@x <b@y>" is b@y. */
static bool
take_phrase(struct parser *p, struct address_run *run)
{
    struct address_scan ahead = p->scan;
    struct address_run phrase = *run;
    if (!address_scan_phrase(&ahead, &phrase) ||
        address_scan_peek(&ahead) != '<')
        return false;
    p->scan = ahead;
    *run = phrase;
    return true;
}

/* A mailbox, the first words of which are in `run`; nothing when nothing is
 * there. */
static bool
take_mailbox(struct parser *p, struct address_run *run, bool is_in_group)
{
    struct address_scan *s = &p->scan;
    char c = address_scan_peek(s);
    if (c == '@' || c == '[')
        (void)take_phrase(p, run);
    else if (run->count == 0 && c != '<')
        return true;
    struct mfx_mailbox *slot = new_mailbox(p);
    struct mfx_mailbox box = {.is_in_group = is_in_group};
    if (slot == NULL)
        return false;
    if (address_scan_take(s, '<')) {
        if (run->count > 0 && !unquote(p, run, ' ', &box.phrase))
            return false;
        if (run->count > 0)
            box.raw_phrase = part(s, run->start, run->end);
        if (!take_angle(p, &box))
            return false;
    } else if (!take_spec(p, run, &box)) {
        return false;
    }
    *slot = box;
    p->list->count++;
    return address_scan_cfws(s);
}

/* Behind "name:": members up to and with ";". */
static bool
take_group(struct parser *p)
{
    struct address_scan *s = &p->scan;
    struct address_run run;
    for (;;) {
        if (!address_scan_run(s, &run) || !take_mailbox(p, &run, true))
            return false;
        if (address_scan_take(s, ';'))
            return address_scan_cfws(s);
        if (!address_scan_take(s, ','))
            return fail(p, "\",\" or \";\" expected in group");
    }
}

static bool
take_list(struct parser *p)
{
    struct address_scan *s = &p->scan;
    struct address_run run;
    for (;;) {
        if (!address_scan_run(s, &run))
            return false;
        if (run.count > 0 && address_scan_take(s, ':')) {
            if (!take_group(p))
                return false;
        } else if (!take_mailbox(p, &run, false)) {
            return false;
        }
        if (s->at == s->in.len)
            return true;
        if (!address_scan_take(s, ','))
            return fail(p, "\",\" expected");
    }
}

enum mfx_rc
mfx_address_list_parse(struct mfx_str value, struct mfx_arena *arena,
                       size_t max, struct mfx_address_list *list)
{
    struct parser p = {
        .scan = {.in = value},
        .arena = arena,
        .list = list,
        .max = max,
    };
    *list = (struct mfx_address_list){0};
    if (!take_list(&p)) {
        list->error = p.scan.error;
        list->error_at = p.scan.error_at;
        return p.is_out_of_memory ? MFX_TEMPFAIL : MFX_PERMFAIL;
    }
    return list->count == 0 ? MFX_NOTFOUND : MFX_OK;
}

/* --- envelope paths --- */

/* Offset of the last "@" outside quotes; path.len when there is none or more
 * than one, *valid false for bytes that a path does not have. */
static size_t
find_at(struct mfx_str path, bool *valid)
{
    size_t found = path.len, count = 0;
    bool is_quoted = false;
    *valid = true;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.p[i];
        if (c < ' ' || c == 0x7F)
            *valid = false;
        else if (is_quoted && c == '\\')
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && strchr(" <>(),;\\", c) != NULL)
            *valid = false;
        else if (!is_quoted && c == '@' && count++ == 0)
            found = i;
    }
    if (is_quoted || count > 1)
        *valid = false;
    return found;
}

enum mfx_rc
mfx_address_path_parse(struct mfx_str path, struct mfx_str *local,
                       struct mfx_str *domain)
{
    *local = *domain = mfx_str(path.p, 0);
    if (path.len > 0 && path.p[0] == '<') {
        if (path.len < 2 || path.p[path.len - 1] != '>')
            return MFX_PERMFAIL;
        path = mfx_str(path.p + 1, path.len - 2);
    }
    if (path.len > 0 && path.p[0] == '@') {
        size_t colon = mfx_str_find(path, ':');
        if (colon == path.len)
            return MFX_PERMFAIL;
        path = mfx_str_from(path, colon + 1);
        if (path.len == 0)
            return MFX_PERMFAIL;
    }
    bool valid = false;
    size_t at = find_at(path, &valid);
    if (!valid || (at < path.len && (at == 0 || at + 1 == path.len)))
        return MFX_PERMFAIL;
    *local = mfx_str_head(path, at);
    if (at < path.len)
        *domain = mfx_str_from(path, at + 1);
    return MFX_OK;
}
