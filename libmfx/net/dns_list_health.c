/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_list_health.h>

enum {
    QUESTIONS_MAX = 5,
    FRESH_LEN = 20,
};

enum expectation {
    MUST_BE_LISTED,
    MUST_NOT_BE_LISTED,
    MAY_BE_LISTED,          /* an error is an error here, too */
    MUST_NOT_IF_IT_ANSWERS, /* silence says nothing */
};

struct asked {
    const char *what; /* without the zone */
    enum expectation expects;
    struct mfx_dns_question *question;
};

struct mfx_dns_list_check {
    struct mfx_arena *arena;
    const struct mfx_env *env;
    struct mfx_dns_list_check_config config;
    struct asked asked[QUESTIONS_MAX];
    size_t count;
    bool is_finished;
    struct mfx_dns_list_outcome outcome;
};

const char *
mfx_dns_list_health_name(enum mfx_dns_list_health health)
{
    static const char *const names[] = {
        [MFX_DNS_LIST_HEALTHY] = "healthy",
        [MFX_DNS_LIST_WORLD] = "lists the world",
        [MFX_DNS_LIST_ERRORS] = "answers errors",
        [MFX_DNS_LIST_EMPTY] = "lists nothing",
        [MFX_DNS_LIST_SILENT] = "does not answer",
        [MFX_DNS_LIST_FAILING] = "fails",
    };
    return names[health];
}

/* --- asking --- */

static void
release(void *arg)
{
    struct mfx_dns_list_check *check = arg;
    for (size_t i = 0; i < check->count; i++)
        mfx_dns_question_release(check->asked[i].question);
}

static void
ask(struct mfx_dns_list_check *check, const char *what,
    enum expectation expects, const struct mfx_dns_list_name *name)
{
    check->asked[check->count++] = (struct asked){
        .what = what,
        .expects = expects,
        .question = mfx_dns_ask(check->env->resolver,
                                mfx_dns_list_name_str(name), MFX_DNS_A),
    };
}

static void
ask_address(struct mfx_dns_list_check *check, const char *what,
            enum expectation expects, const struct mfx_ip *ip)
{
    struct mfx_dns_list_name name;
    if (mfx_dns_list_address_name(ip, check->config.zone, &name))
        ask(check, what, expects, &name);
}

static void
ask_addresses(struct mfx_dns_list_check *check, bool wants_both)
{
    static const struct mfx_ip two = {
        MFX_IP_V4, {127, 0, 0, 2}
    };
    static const struct mfx_ip one = {
        MFX_IP_V4, {127, 0, 0, 1}
    };
    static const struct mfx_ip two6 = {
        MFX_IP_V6, {[10] = 0xFF, [11] = 0xFF, 127, 0, 0, 2}
    };
    static const struct mfx_ip one6 = {
        MFX_IP_V6, {[10] = 0xFF, [11] = 0xFF, 127, 0, 0, 1}
    };
    ask_address(check, "127.0.0.1", MUST_NOT_BE_LISTED, &one);
    if (wants_both)
        ask_address(check, "127.0.0.2", MUST_BE_LISTED, &two);
    if (!check->config.has_ipv6)
        return;
    ask_address(check, "::ffff:7f00:1", MUST_NOT_IF_IT_ANSWERS, &one6);
    if (wants_both)
        ask_address(check, "::ffff:7f00:2", MAY_BE_LISTED, &two6);
}

/* One that was never asked: in 127.64.0.0 to 127.191.255.255. */
static void
ask_fresh_address(struct mfx_dns_list_check *check)
{
    struct mfx_ip ip = {MFX_IP_V4, {127}};
    char text[MFX_IP_TEXT];
    check->env->random(check->env, ip.bytes + 1, 3);
    ip.bytes[1] = (unsigned char)(64 + ip.bytes[1] % 128);
    (void)mfx_ip_format(&ip, text);
    struct mfx_str what = mfx_arena_copy(check->arena, mfx_str_of(text));
    if (what.p != NULL)
        ask_address(check, what.p, MUST_NOT_BE_LISTED, &ip);
}

static void
ask_label(struct mfx_dns_list_check *check, const char *what,
          struct mfx_str label, enum expectation expects)
{
    struct mfx_dns_list_name name;
    if (mfx_dns_list_name_make(label, check->config.zone, &name))
        ask(check, what, expects, &name);
}

/* Random hex digits, and ".invalid" behind them where it is a domain. */
static void
ask_fresh_label(struct mfx_dns_list_check *check, size_t len,
                const char *behind)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[MFX_DNS_LIST_LABEL_MAX];
    char label[MFX_DNS_LIST_LABEL_MAX];
    if (len > sizeof label)
        len = sizeof label;
    check->env->random(check->env, random, len);
    for (size_t i = 0; i < len; i++)
        label[i] = digits[random[i] % 16];
    struct mfx_str what =
        mfx_arena_printf(check->arena, "%.*s%s", (int)len, label, behind);
    if (what.p != NULL)
        ask_label(check, what.p, what, MUST_NOT_BE_LISTED);
}

static void
ask_all(struct mfx_dns_list_check *check)
{
    bool wants_both = check->config.test == MFX_DNS_LIST_TEST_RFC5782;
    if (check->config.test == MFX_DNS_LIST_TEST_NONE)
        return;
    switch (check->config.type) {
    case MFX_DNS_LIST_TYPE_ADDRESS:
        ask_addresses(check, wants_both);
        ask_fresh_address(check);
        break;
    case MFX_DNS_LIST_TYPE_DOMAIN:
        ask_label(check, "INVALID", mfx_str_of("invalid"), MUST_NOT_BE_LISTED);
        if (wants_both)
            ask_label(check, "TEST", mfx_str_of("test"), MUST_BE_LISTED);
        ask_fresh_label(check, FRESH_LEN, ".invalid");
        break;
    case MFX_DNS_LIST_TYPE_HASH:
        ask_fresh_label(check, check->config.label_len, "");
        break;
    }
}

struct mfx_dns_list_check *
mfx_dns_list_check_begin(struct mfx_arena *arena, const struct mfx_env *env,
                         const struct mfx_dns_list_check_config *config)
{
    struct mfx_dns_list_check *check = mfx_arena_alloc(arena, sizeof *check);
    if (check == NULL || !mfx_arena_defer(arena, release, check))
        return NULL;
    check->arena = arena;
    check->env = env;
    check->config = *config;
    ask_all(check);
    return check;
}

struct mfx_event *
mfx_dns_list_check_pending(struct mfx_dns_list_check *check)
{
    for (size_t i = 0; i < check->count; i++) {
        struct mfx_dns_question *question = check->asked[i].question;
        struct mfx_event *event =
            question == NULL ? NULL : mfx_dns_question_event(question);
        if (event != NULL && !mfx_event_is_set(event))
            return event;
    }
    return NULL;
}

/* --- judging --- */

static enum mfx_dns_list_health
judge(const struct mfx_dns_list_check *check, const struct asked *asked,
      struct mfx_dns_list_reading *reading)
{
    const struct mfx_dns_answer *answer =
        mfx_dns_question_answer(asked->question);
    bool must_answer = asked->expects == MUST_BE_LISTED ||
                       asked->expects == MUST_NOT_BE_LISTED;
    bool must_not = asked->expects == MUST_NOT_BE_LISTED ||
                    asked->expects == MUST_NOT_IF_IT_ANSWERS;
    mfx_dns_list_read(&check->config.rules, answer, reading);
    switch (reading->what) {
    case MFX_DNS_LIST_LISTED:
        return must_not ? MFX_DNS_LIST_WORLD : MFX_DNS_LIST_HEALTHY;
    case MFX_DNS_LIST_NOT_LISTED:
        return asked->expects == MUST_BE_LISTED ? MFX_DNS_LIST_EMPTY
                                                : MFX_DNS_LIST_HEALTHY;
    case MFX_DNS_LIST_ERROR:
        return MFX_DNS_LIST_ERRORS;
    case MFX_DNS_LIST_FAILURE:
        break;
    }
    if (!must_answer)
        return MFX_DNS_LIST_HEALTHY;
    return answer->status == MFX_DNS_TIMEOUT ? MFX_DNS_LIST_SILENT
                                             : MFX_DNS_LIST_FAILING;
}

static struct mfx_str
sentence(const struct mfx_dns_list_check *check, const struct asked *asked,
         enum mfx_dns_list_health health,
         const struct mfx_dns_list_reading *reading)
{
    char address[MFX_IP_TEXT];
    (void)mfx_ip_format(&reading->address, address);
    switch (health) {
    case MFX_DNS_LIST_HEALTHY:
        break;
    case MFX_DNS_LIST_WORLD:
        return mfx_arena_printf(check->arena,
                                "%s is listed (%s), and must not be",
                                asked->what, address);
    case MFX_DNS_LIST_EMPTY:
        return mfx_arena_printf(check->arena, "%s is not listed, and must be",
                                asked->what);
    case MFX_DNS_LIST_ERRORS:
        return mfx_arena_printf(check->arena, "%s: %s: %s", asked->what,
                                address, reading->why);
    case MFX_DNS_LIST_SILENT:
    case MFX_DNS_LIST_FAILING:
        return mfx_arena_printf(check->arena, "%s: %s", asked->what,
                                reading->why);
    }
    return mfx_str("", 0);
}

/* How much an answer says of the list; the worst one holds. */
static int
rank(enum mfx_dns_list_health health)
{
    static const int ranks[] = {
        [MFX_DNS_LIST_HEALTHY] = 0, [MFX_DNS_LIST_EMPTY] = 1,
        [MFX_DNS_LIST_SILENT] = 2,  [MFX_DNS_LIST_FAILING] = 3,
        [MFX_DNS_LIST_WORLD] = 4,   [MFX_DNS_LIST_ERRORS] = 5,
    };
    return ranks[health];
}

const struct mfx_dns_list_outcome *
mfx_dns_list_check_finish(struct mfx_dns_list_check *check)
{
    struct mfx_dns_list_outcome *outcome = &check->outcome;
    if (check->is_finished)
        return outcome;
    check->is_finished = true;
    *outcome = (struct mfx_dns_list_outcome){.why = mfx_str("", 0)};
    for (size_t i = 0; i < check->count; i++) {
        struct mfx_dns_list_reading reading;
        enum mfx_dns_list_health health =
            judge(check, &check->asked[i], &reading);
        if (rank(health) <= rank(outcome->health))
            continue;
        outcome->health = health;
        outcome->why = sentence(check, &check->asked[i], health, &reading);
    }
    return outcome;
}
