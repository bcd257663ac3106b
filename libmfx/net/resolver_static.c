/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <mfx/base/map.h>
#include <mfx/net/dns_question.h>

enum {
    DEFAULT_TTL = 3600,
    CNAME_MAX = 8,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
};

struct row {
    struct mfx_dns_record record;
    struct row *next;
};

/* What is known of one name and type. */
struct rrset {
    enum mfx_dns_type type;
    struct mfx_dns_answer answer; /* made when the whole zone is read */
    bool is_forced;               /* "!servfail" and the like */
    struct row *first, **last;
    struct rrset *next;
};

struct node {
    struct rrset *sets;
};

struct static_resolver {
    struct mfx_resolver resolver; /* first: the interface */
    struct mfx_arena *arena;
    struct mfx_map *nodes; /* lower-case name without final dot -> node */
};

/* --- reading --- */

static struct mfx_str
without_final_dot(struct mfx_str name)
{
    if (name.len > 1 && name.p[name.len - 1] == '.')
        name.len--;
    return name;
}

static struct rrset *
get_set(const struct node *node, enum mfx_dns_type type)
{
    struct rrset *set = node->sets;
    while (set != NULL && set->type != type)
        set = set->next;
    return set;
}

/* The set of this name and type, made when it is not there. */
static struct rrset *
need_set(struct static_resolver *r, struct mfx_str name, enum mfx_dns_type type)
{
    struct node *node = mfx_map_get(r->nodes, name);
    if (node == NULL) {
        node = mfx_arena_alloc(r->arena, sizeof *node);
        if (node == NULL || mfx_map_put(r->nodes, name, node) != MFX_OK)
            return NULL;
    }
    struct rrset *set = get_set(node, type);
    if (set != NULL)
        return set;
    set = mfx_arena_alloc(r->arena, sizeof *set);
    if (set == NULL)
        return NULL;
    set->type = type;
    set->last = &set->first;
    set->next = node->sets;
    node->sets = set;
    return set;
}

/* Value of "\DDD" behind a backslash, or -1. */
static int
decimal_escape(const char *p, size_t left)
{
    int value = 0;
    if (left < 3)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (!mfx_ascii_is_digit((unsigned char)p[i]))
            return -1;
        value = value * 10 + (p[i] - '0');
    }
    return value <= 255 ? value : -1;
}

/* A name with its \DDD read (a blank is \032), in the arena. */
static struct mfx_str
copy_name(struct static_resolver *r, struct mfx_str word)
{
    struct mfx_str name = without_final_dot(word);
    char *out = mfx_arena_alloc_bytes(r->arena, name.len + 1);
    size_t len = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < name.len; i++) {
        int value = name.p[i] != '\\'
                        ? -1
                        : decimal_escape(name.p + i + 1, name.len - i - 1);
        out[len++] = value >= 0 ? (char)value : name.p[i];
        i += value >= 0 ? 3 : 0;
    }
    return mfx_str(out, len);
}

/* One quoted string from *rest (which starts at the quote) onto out. */
static bool
read_quoted(struct mfx_str *rest, char *out, size_t *len)
{
    size_t i = 1;
    for (; i < rest->len && rest->p[i] != '"'; i++) {
        char c = rest->p[i];
        if (c == '\\' && i + 1 < rest->len) {
            int value = decimal_escape(rest->p + i + 1, rest->len - i - 1);
            c = value >= 0 ? (char)value : rest->p[i + 1];
            i += value >= 0 ? 3 : 1;
        }
        out[(*len)++] = c;
    }
    if (i >= rest->len)
        return false;
    *rest = mfx_str_from(*rest, i + 1);
    return true;
}

/* Quoted strings joined, parentheses around them as in a zone file; without a
 * quote at the start the text as it stands. */
static enum mfx_rc
read_txt(struct static_resolver *r, struct mfx_str data, struct mfx_str *text)
{
    if (data.len == 0 || (data.p[0] != '"' && data.p[0] != '(')) {
        *text = mfx_arena_copy(r->arena, data);
        return text->p == NULL ? MFX_TEMPFAIL : MFX_OK;
    }
    char *out = mfx_arena_alloc_bytes(r->arena, data.len);
    size_t len = 0;
    if (out == NULL)
        return MFX_TEMPFAIL;
    while (data = mfx_str_trim(data), data.len > 0) {
        if (data.p[0] == '(' || data.p[0] == ')')
            data = mfx_str_from(data, 1);
        else if (data.p[0] != '"' || !read_quoted(&data, out, &len))
            return MFX_PERMFAIL;
    }
    *text = mfx_str(out, len);
    return MFX_OK;
}

static enum mfx_rc
read_name(struct static_resolver *r, struct mfx_str data, struct mfx_str *name)
{
    struct mfx_str word, more;
    if (!mfx_str_word(&data, " \t", &word) || mfx_str_word(&data, " \t", &more))
        return MFX_PERMFAIL;
    *name = copy_name(r, word);
    return name->p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
read_address(struct mfx_str data, enum mfx_ip_family family, struct mfx_ip *ip)
{
    if (mfx_ip_parse(data, ip) != MFX_OK || ip->family != family)
        return MFX_PERMFAIL;
    return MFX_OK;
}

static enum mfx_rc
read_mx(struct static_resolver *r, struct mfx_str data,
        struct mfx_dns_record *record)
{
    struct mfx_str word;
    uint64_t preference;
    if (!mfx_str_word(&data, " \t", &word) ||
        mfx_str_to_u64(word, 65535, &preference) != MFX_OK)
        return MFX_PERMFAIL;
    record->preference = (unsigned)preference;
    return read_name(r, data, &record->text);
}

static enum mfx_rc
read_data(struct static_resolver *r, struct mfx_str data,
          struct mfx_dns_record *record)
{
    struct mfx_str word = {0};
    switch (record->type) {
    case MFX_DNS_A:
        return read_address(data, MFX_IP_V4, &record->ip);
    case MFX_DNS_AAAA:
        return read_address(data, MFX_IP_V6, &record->ip);
    case MFX_DNS_TXT:
    case MFX_DNS_SPF:
        return read_txt(r, data, &record->text);
    case MFX_DNS_MX:
        return read_mx(r, data, record);
    case MFX_DNS_SOA: /* the first name; the rest is of no use here */
        (void)mfx_str_word(&data, " \t", &word);
        return read_name(r, word, &record->text);
    case MFX_DNS_NS:
    case MFX_DNS_CNAME:
    case MFX_DNS_PTR:
        return read_name(r, data, &record->text);
    }
    return MFX_PERMFAIL;
}

static bool
read_forced(struct mfx_str data, struct mfx_dns_answer *answer)
{
    static const struct {
        const char *word;
        struct mfx_dns_answer answer;
    } words[] = {
        {"!servfail",  {.status = MFX_DNS_FAILED, .rcode = RCODE_SERVFAIL} },
        {"!timeout",   {.status = MFX_DNS_TIMEOUT}                         },
        {"!nodata",    {.status = MFX_DNS_NO_DATA}                         },
        {"!malformed", {.status = MFX_DNS_MALFORMED}                       },
        {"!nxdomain",  {.status = MFX_DNS_NO_NAME, .rcode = RCODE_NXDOMAIN}},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mfx_str_is_nocase(data, words[i].word)) {
            *answer = words[i].answer;
            return true;
        }
    return false;
}

/* Reads "[ttl] [IN] TYPE" off *rest; a line without a type is TXT. */
static void
read_type(struct mfx_str *rest, enum mfx_dns_type *type, uint32_t *ttl_s)
{
    struct mfx_str after = *rest, word;
    uint64_t ttl = DEFAULT_TTL;
    bool has_word = mfx_str_word(&after, " \t", &word);
    if (has_word && mfx_str_to_u64(word, INT32_MAX, &ttl) == MFX_OK)
        has_word = mfx_str_word(&after, " \t", &word);
    if (has_word && mfx_str_is_nocase(word, "IN"))
        has_word = mfx_str_word(&after, " \t", &word);
    *type = MFX_DNS_TXT;
    *ttl_s = DEFAULT_TTL;
    if (!has_word || !mfx_dns_type_parse(word, type))
        return;
    *ttl_s = (uint32_t)ttl;
    *rest = mfx_str_trim(after);
}

static enum mfx_rc
read_line(struct static_resolver *r, struct mfx_str line)
{
    struct mfx_str name, rest = line;
    enum mfx_dns_type type;
    uint32_t ttl_s;
    if (!mfx_str_word(&rest, " \t", &name))
        return MFX_PERMFAIL;
    rest = mfx_str_trim(rest);
    read_type(&rest, &type, &ttl_s);
    if (rest.len == 0 && type != MFX_DNS_TXT)
        return MFX_PERMFAIL;
    name = copy_name(r, name);
    struct rrset *set = name.p == NULL ? NULL : need_set(r, name, type);
    if (set == NULL)
        return MFX_TEMPFAIL;
    if (rest.len > 0 && rest.p[0] == '!') {
        set->is_forced = true;
        return read_forced(rest, &set->answer) ? MFX_OK : MFX_PERMFAIL;
    }
    struct row *row = mfx_arena_alloc(r->arena, sizeof *row);
    if (row == NULL)
        return MFX_TEMPFAIL;
    row->record.type = type;
    row->record.ttl_s = ttl_s;
    *set->last = row;
    set->last = &row->next;
    set->answer.count++;
    return read_data(r, rest, &row->record);
}

static enum mfx_rc
read_zone(struct static_resolver *r, struct mfx_str zone, struct mfx_err *err)
{
    struct mfx_str line;
    unsigned number = 0;
    while (mfx_str_cut(&zone, '\n', &line)) {
        enum mfx_rc rc = MFX_OK;
        number++;
        line = mfx_str_trim(line);
        if (line.len > 0 && line.p[0] != '#')
            rc = read_line(r, line);
        if (rc == MFX_TEMPFAIL)
            mfx_err_set(err, "out of memory");
        else if (rc != MFX_OK)
            mfx_err_set(err, "line %u: not \"name TYPE data\"", number);
        if (rc != MFX_OK)
            return rc;
    }
    return MFX_OK;
}

/* Turns the rows of a set into the answer that will be given. */
static enum mfx_rc
finish_set(struct static_resolver *r, struct rrset *set)
{
    size_t at = 0;
    if (set->is_forced) {
        set->answer.count = 0;
        return MFX_OK;
    }
    struct mfx_dns_record *records =
        mfx_arena_alloc_array(r->arena, set->answer.count, sizeof *records);
    if (records == NULL)
        return MFX_TEMPFAIL;
    set->answer.ttl_s = UINT32_MAX;
    for (const struct row *row = set->first; row != NULL; row = row->next) {
        records[at++] = row->record;
        if (row->record.ttl_s < set->answer.ttl_s)
            set->answer.ttl_s = row->record.ttl_s;
    }
    set->answer.status = MFX_DNS_ANSWER;
    set->answer.records = records;
    return MFX_OK;
}

static enum mfx_rc
finish(struct static_resolver *r)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *value;
    while (mfx_map_next(r->nodes, &cursor, &name, &value))
        for (struct rrset *set = ((struct node *)value)->sets; set != NULL;
             set = set->next)
            if (finish_set(r, set) != MFX_OK)
                return MFX_TEMPFAIL;
    return MFX_OK;
}

/* --- answering --- */

static struct mfx_dns_answer
look_up(const struct static_resolver *r, struct mfx_str name,
        enum mfx_dns_type type)
{
    uint32_t ttl_s = UINT32_MAX;
    for (int hops = 0; hops <= CNAME_MAX; hops++) {
        const struct node *node = mfx_map_get(r->nodes, name);
        if (node == NULL)
            return (struct mfx_dns_answer){.status = MFX_DNS_NO_NAME,
                                           .rcode = RCODE_NXDOMAIN};
        const struct rrset *set = get_set(node, type);
        const struct rrset *alias = get_set(node, MFX_DNS_CNAME);
        if (set == NULL && alias == NULL)
            return (struct mfx_dns_answer){.status = MFX_DNS_NO_DATA};
        struct mfx_dns_answer answer =
            set != NULL ? set->answer : alias->answer;
        if (answer.ttl_s > ttl_s)
            answer.ttl_s = ttl_s;
        if (set != NULL || answer.status != MFX_DNS_ANSWER)
            return answer;
        ttl_s = answer.ttl_s;
        name = answer.records[0].text;
    }
    return (struct mfx_dns_answer){.status = MFX_DNS_MALFORMED};
}

static struct mfx_dns_question *
static_ask(struct mfx_resolver *resolver, struct mfx_str name,
           enum mfx_dns_type type)
{
    struct mfx_dns_question *question = mfx_dns_question_new();
    if (question == NULL)
        return NULL;
    struct mfx_dns_answer answer =
        look_up((struct static_resolver *)resolver, name, type);
    mfx_dns_question_set(question, &answer, NULL, NULL);
    return question;
}

static void
static_free(struct mfx_resolver *resolver)
{
    struct static_resolver *r = (struct static_resolver *)resolver;
    mfx_map_free(r->nodes);
    mfx_arena_free(r->arena);
    free(r);
}

enum mfx_rc
mfx_resolver_static_new(struct mfx_str zone, struct mfx_resolver **resolver,
                        struct mfx_err *err)
{
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct static_resolver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    r->resolver = (struct mfx_resolver){.ask = static_ask, .free = static_free};
    r->arena = mfx_arena_new(0);
    r->nodes = mfx_map_new(MFX_MAP_NOCASE, 0);
    if (r->arena == NULL || r->nodes == NULL)
        mfx_err_set(err, "out of memory");
    else
        rc = read_zone(r, zone, err);
    if (rc == MFX_OK)
        rc = finish(r);
    if (rc != MFX_OK) {
        static_free(&r->resolver);
        return rc;
    }
    *resolver = &r->resolver;
    return MFX_OK;
}
