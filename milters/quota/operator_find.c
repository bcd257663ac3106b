/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which rules may count what the operator calls "alice@example.org",
 * "192.0.2.7" or "login=alice,network=192.0.2.0/24".
 */
#include "operator_impl.h"

enum {
    PARTIAL_MAX = 20, /* keys of one rule */
    PARTIAL_CHUNK = 100,
    PARTIAL_MS = 500,
};

enum fit {
    FIT_NO,
    FIT_DOUBTFUL, /* such a value is possible, and not what is meant */
    FIT_GOOD,
};

static enum fit
better(bool is_good)
{
    return is_good ? FIT_GOOD : FIT_DOUBTFUL;
}

static bool
is_network(struct mfx_str word, struct mfx_net *net)
{
    bool has_host_bits;
    return mfx_net_parse(word, net, &has_host_bits) == MFX_OK;
}

/* What the value looks like, without a name before it. */
static enum fit
fit_of(enum quota_part part, struct mfx_str word)
{
    struct mfx_net net;
    bool is_address = is_network(word, &net), has_at = mfx_str_has(word, '@');
    switch (part) {
    case QUOTA_PART_LOGIN:
        return better(!is_address);
    case QUOTA_PART_CERTIFICATE:
        return better(mfx_str_has(word, '=') || word.p[0] == '/');
    case QUOTA_PART_SENDER:
        return is_address ? FIT_NO : better(has_at);
    case QUOTA_PART_RECIPIENT: /* who sends is meant, most often */
        return has_at ? FIT_DOUBTFUL : FIT_NO;
    case QUOTA_PART_RECIPIENT_DOMAIN:
        return has_at || is_address ? FIT_NO : FIT_DOUBTFUL;
    case QUOTA_PART_SENDER_DOMAIN:
    case QUOTA_PART_FROM_DOMAIN:
        return has_at || is_address ? FIT_NO : better(mfx_str_has(word, '.'));
    case QUOTA_PART_CLIENT:
        return is_address && !mfx_str_has(word, '/') ? FIT_GOOD : FIT_NO;
    case QUOTA_PART_NETWORK:
        return is_address ? FIT_GOOD : FIT_NO;
    case QUOTA_PART_DAEMON:
        return FIT_DOUBTFUL;
    case QUOTA_PART_SITE:
        return mfx_str_is(word, "all") ? FIT_GOOD : FIT_NO;
    }
    return FIT_NO;
}

/* "login=" */
static size_t
name_before(struct mfx_str words, enum quota_part *part)
{
    for (int i = 0; i <= QUOTA_PART_SITE; i++) {
        struct mfx_str name = mfx_str_of(quota_part_name((enum quota_part)i));
        if (words.len > name.len && mfx_str_starts_nocase(words, name) &&
            words.p[name.len] == '=') {
            *part = (enum quota_part)i;
            return name.len + 1;
        }
    }
    return 0;
}

/* "alice,network=192.0.2.0/24": more than one part. */
static bool
has_more_parts(struct mfx_str words)
{
    enum quota_part part;
    for (size_t i = 0; i < words.len; i++)
        if (words.p[i] == ',' && name_before(mfx_str_from(words, i + 1), &part))
            return true;
    return false;
}

static bool
is_of_recipient(const struct quota_key_choice *choice)
{
    for (size_t i = 0; i < choice->count; i++)
        if (choice->parts[i] == QUOTA_PART_RECIPIENT ||
            choice->parts[i] == QUOTA_PART_RECIPIENT_DOMAIN)
            return true;
    return false;
}

/* --- letter case --- */

static bool
ignores_case(const struct quota_policy *policy, enum quota_part part)
{
    if (part == QUOTA_PART_LOGIN)
        return policy->settings->fold_login;
    return part != QUOTA_PART_CERTIFICATE && part != QUOTA_PART_DAEMON;
}

/* As the messages' facts are: lower case where case does not matter. */
static struct mfx_str
fold(const struct quota_operator *op, const struct quota_key_choice *choice,
     struct mfx_str words)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, op->arena, 64 * 1024);
    for (size_t i = 0; i < choice->count; i++) {
        enum quota_part part;
        bool is_last = i + 1 == choice->count;
        struct mfx_str item =
            mfx_str_head(words, is_last ? words.len : mfx_str_find(words, ','));
        size_t name = name_before(item, &part);
        words = mfx_str_from(words, item.len + 1);
        mfx_buf_add_text(&out, i == 0 ? "" : ",");
        mfx_buf_add(&out,
                    mfx_arena_copy_lower(op->arena, mfx_str_head(item, name)));
        item = mfx_str_from(item, name);
        mfx_buf_add(&out, ignores_case(op->policy, choice->parts[i])
                              ? mfx_arena_copy_lower(op->arena, item)
                              : item);
    }
    return mfx_buf_str(&out);
}

/* --- one choice of one rule --- */

/* An address or a network of this rule's size, if that is what is asked. */
static bool
has_right_addresses(const struct quota_key_choice *choice, struct mfx_str words,
                    const struct quota_made_key *made)
{
    struct mfx_net asked = {.prefix = 0}, net = {.prefix = 0};
    for (size_t i = 0; i < choice->count; i++) {
        enum quota_part part;
        bool is_last = i + 1 == choice->count;
        struct mfx_str item =
            mfx_str_head(words, is_last ? words.len : mfx_str_find(words, ','));
        words = mfx_str_from(words, item.len + 1);
        item = mfx_str_from(item, name_before(item, &part));
        if (choice->parts[i] != QUOTA_PART_CLIENT &&
            choice->parts[i] != QUOTA_PART_NETWORK)
            continue;
        if (!is_network(item, &asked) || !is_network(made->values[i], &net))
            return false;
        if (mfx_str_has(item, '/') && asked.prefix != net.prefix)
            return false;
    }
    return true;
}

/* Several parts, too long for a name: the log has nothing but a digest. */
static bool
is_digest_of_all(const struct quota_key_choice *choice, struct mfx_str words,
                 struct quota_made_key *made)
{
    const struct mfx_str name = MFX_STR("sha256:");
    if (choice->count < 2 || words.len != name.len + 64 ||
        !mfx_str_starts(words, name))
        return false;
    *made = (struct quota_made_key){words, {{NULL, 0}}, words, choice};
    for (size_t i = 0; i < choice->count; i++)
        made->values[i] = words;
    return true;
}

static enum fit
fit_choice(const struct quota_operator *op, const struct quota_rule *rule,
           const struct quota_key_choice *choice, struct mfx_str given,
           struct quota_made_key *made)
{
    enum quota_part part = QUOTA_PART_SITE;
    struct mfx_str words = fold(op, choice, given);
    size_t name = name_before(words, &part);
    enum fit fit = FIT_GOOD;
    if (words.len == 0)
        return FIT_NO;
    if (is_digest_of_all(choice, given, made))
        return FIT_DOUBTFUL;
    if (name == 0)
        fit = choice->count > 1 ? FIT_NO : fit_of(choice->parts[0], words);
    else if (part != choice->parts[0])
        fit = FIT_NO;
    else if (choice->count == 1 && has_more_parts(words))
        fit = FIT_NO;
    if (fit == FIT_NO ||
        !quota_key_of_words(
            choice, words, (unsigned)rule->settings->ipv4_prefix,
            (unsigned)rule->settings->ipv6_prefix, op->arena, made) ||
        !has_right_addresses(choice, words, made))
        return FIT_NO;
    return fit;
}

static bool
is_there(const struct operator_matches *found, const struct quota_rule *rule,
         struct mfx_str key)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].tally->rule == rule &&
            mfx_str_eq(found->items[i].tally->key.text, key))
            return true;
    return false;
}

static enum mfx_rc
add_match(const struct quota_operator *op, const struct quota_rule *rule,
          const struct quota_made_key *made, enum fit fit,
          struct operator_matches *found, struct mfx_err *err)
{
    struct operator_match match = {.is_doubtful = fit == FIT_DOUBTFUL};
    if (found->count == OPERATOR_MATCHES_MAX ||
        is_there(found, rule, made->text))
        return MFX_OK;
    enum mfx_rc rc = quota_tally_new(rule, made, op->arena, &match.tally, err);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    match.is_asked = match.tally->limits.window_count > 0;
    found->items[found->count++] = match;
    return MFX_OK;
}

/* --- keys of several parts, of which one is known --- */

/* "daily/login=alice," for counters of the choice "login + network"; empty:
 * the words are not its first part. */
static struct mfx_str
prefix_of(const struct quota_operator *op, const struct quota_rule *rule,
          const struct quota_key_choice *choice, struct mfx_str given)
{
    const struct quota_key_choice first = {.parts = {choice->parts[0]},
                                           .count = 1};
    struct quota_made_key made;
    if (choice->count < 2 ||
        fit_choice(op, rule, &first, given, &made) != FIT_GOOD)
        return mfx_str("", 0);
    return mfx_arena_printf(
        op->arena, "%.*s,",
        MFX_STR_ARG(quota_rule_counter(rule, &made, op->arena)));
}

static enum mfx_rc
add_rows(const struct quota_operator *op, const struct quota_rule *rule,
         const struct quota_key_choice *choice,
         const struct mfx_store_row *rows, size_t count, size_t *added,
         struct operator_matches *found, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; rc == MFX_OK && i < count && *added < PARTIAL_MAX; i++) {
        struct quota_made_key made;
        struct mfx_str key =
            mfx_str_from(rows[i].counter, rule->settings->name.len + 1);
        if (!quota_key_of_words(
                choice, key, (unsigned)rule->settings->ipv4_prefix,
                (unsigned)rule->settings->ipv6_prefix, op->arena, &made) ||
            !mfx_str_eq(made.text, key))
            continue;
        rc = add_match(op, rule, &made, FIT_DOUBTFUL, found, err);
        (*added)++;
    }
    return rc;
}

/* Those that are in use, as far as they are found in a moment. A store that
 * does not answer is asked again, and says so, when use is measured. */
static enum mfx_rc
find_partial(const struct quota_operator *op, const struct quota_rule *rule,
             const struct quota_key_choice *choice, struct mfx_str given,
             struct operator_matches *found, struct mfx_err *err)
{
    struct mfx_str prefix = prefix_of(op, rule, choice, given);
    struct mfx_str cursor = MFX_STR("");
    uint64_t until_ms = mfx_mono_ms() + PARTIAL_MS;
    size_t added = 0;
    enum mfx_rc rc = MFX_OK;
    if (prefix.len == 0 || op->store == NULL)
        return MFX_OK;
    do {
        struct mfx_store_row *rows;
        size_t count;
        if (mfx_store_list(op->store, prefix, PARTIAL_CHUNK, &cursor,
                           op->wait_ms, op->arena, &rows, &count,
                           NULL) != MFX_OK)
            return MFX_OK;
        rc = add_rows(op, rule, choice, rows, count, &added, found, err);
    } while (rc == MFX_OK && cursor.len > 0 && added < PARTIAL_MAX &&
             mfx_mono_ms() < until_ms);
    return rc;
}

static enum mfx_rc
find_in_rule(const struct quota_operator *op, const struct quota_rule *rule,
             const struct quota_operator_words *words,
             enum operator_purpose purpose, bool with_recipients,
             struct operator_matches *found, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; rc == MFX_OK && i < rule->key.count; i++) {
        const struct quota_key_choice *choice = &rule->key.choices[i];
        struct quota_made_key made;
        if (!with_recipients && is_of_recipient(choice))
            continue;
        enum fit fit = fit_choice(op, rule, choice, words->key, &made);
        if (fit != FIT_NO)
            rc = add_match(op, rule, &made, fit, found, err);
        else if (purpose == OPERATOR_TO_LOOK)
            rc = find_partial(op, rule, choice, words->key, found, err);
    }
    return rc;
}

/* What keys there are, to choose from. */
static enum mfx_rc
say_none(const struct quota_operator *op,
         const struct quota_operator_words *words, struct mfx_err *err)
{
    struct mfx_buf keys;
    mfx_buf_init_arena(&keys, op->arena, 4096);
    for (size_t i = 0; i < op->policy->rule_count; i++) {
        const struct quota_rule_settings *s = op->policy->rules[i].settings;
        if (words->rule.len == 0 || mfx_str_eq(s->name, words->rule))
            mfx_buf_printf(&keys, "%s%.*s", keys.len == 0 ? "" : "; ",
                           MFX_STR_ARG(s->key));
    }
    if (keys.len > 0 || words->rule.len == 0)
        mfx_err_set(err, "no rule counts such a key; they count by: %s",
                    mfx_buf_text(&keys));
    else
        mfx_err_set(err, "there is no rule %.*s",
                    MFX_STR_ARG(mfx_str_head(words->rule, 60)));
    return MFX_NOTFOUND;
}

enum mfx_rc
operator_find(const struct quota_operator *op,
              const struct quota_operator_words *words,
              enum operator_purpose purpose, struct operator_matches *found,
              struct mfx_err *err)
{
    enum quota_part part;
    bool with_recipients = purpose == OPERATOR_TO_LOOK || words->rule.len > 0 ||
                           name_before(words->key, &part) > 0;
    enum mfx_rc rc = MFX_OK;
    found->count = 0;
    found->items = mfx_arena_alloc_array(op->arena, OPERATOR_MATCHES_MAX,
                                         sizeof *found->items);
    if (found->items == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; rc == MFX_OK && i < op->policy->rule_count; i++) {
        const struct quota_rule *rule = &op->policy->rules[i];
        if (words->rule.len == 0 ||
            mfx_str_eq(rule->settings->name, words->rule))
            rc = find_in_rule(op, rule, words, purpose, with_recipients, found,
                              err);
    }
    if (!mfx_arena_ok(op->arena))
        return MFX_TEMPFAIL;
    return rc == MFX_OK && found->count == 0 ? say_none(op, words, err) : rc;
}

/* --- what is meant --- */

static bool
is_rule_used(const struct operator_matches *found,
             const struct quota_rule *rule)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].tally->rule == rule && found->items[i].is_used)
            return true;
    return false;
}

void
operator_find_sift(struct operator_matches *found)
{
    size_t clear = 0, n = 0;
    for (size_t i = 0; i < found->count; i++)
        clear += found->items[i].is_used || !found->items[i].is_doubtful;
    for (size_t i = 0; i < found->count; i++) {
        const struct operator_match *m = &found->items[i];
        bool is_meant = m->is_used || (!is_rule_used(found, m->tally->rule) &&
                                       (!m->is_doubtful || clear == 0));
        if (is_meant)
            found->items[n++] = *m;
    }
    found->count = n;
}
