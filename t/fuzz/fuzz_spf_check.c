/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first three lines are address, HELO and sender; each question is answered
 * by one of the other lines, by the hash of its name and type: "!" a failure, "?" no data, "-" no name, else the line as
 * text, its words as names or addresses. Whether and in which order answers
 * come early changes nothing, and no check asks more than the most.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/spf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef SPF_ENGINE /* fuzz_spf_libspf2 has the other */
#    define SPF_ENGINE MFX_SPF_ENGINE_MFX
#endif

enum {
    LINES = 64,
    WORDS = 32,
    QUESTIONS = 200,
};

struct world {
    struct mfx_resolver resolver; /* first */
    struct mfx_str ip, helo, sender, lines[LINES];
    size_t line_count, asked;
    bool answers_late;
    struct {
        struct mfx_dns_question *question;
        struct mfx_str name;
        enum mfx_dns_type type;
    } open[QUESTIONS];
    size_t open_count;
    struct mfx_arena *arena;
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct mfx_str
line_for(const struct world *w, struct mfx_str name, enum mfx_dns_type type)
{
    unsigned hash = 5381 + (unsigned)type;
    for (size_t i = 0; i < name.len; i++)
        hash = hash * 33 + mfx_ascii_lower((unsigned char)name.p[i]);
    if (w->line_count == 0)
        return mfx_str("-", 1);
    return w->lines[hash % w->line_count];
}

static void
add_record(struct mfx_dns_answer *answer, struct mfx_dns_record *record,
           struct mfx_str word, enum mfx_dns_type type)
{
    enum mfx_ip_family family = type == MFX_DNS_A      ? MFX_IP_V4
                                : type == MFX_DNS_AAAA ? MFX_IP_V6
                                                       : MFX_IP_NONE;
    record->type = type;
    record->text = word;
    if (family != MFX_IP_NONE && mfx_ip_parse(word, &record->ip) != MFX_OK)
        return;
    record->ip.family = family;
    answer->count++;
}

/* Records live as long as the world's arena. */
static struct mfx_dns_answer
answer_of(const struct world *w, struct mfx_str name, enum mfx_dns_type type)
{
    struct mfx_str rest = line_for(w, name, type), word;
    struct mfx_dns_record *records =
        mfx_arena_alloc_array(w->arena, WORDS, sizeof *records);
    struct mfx_dns_answer answer = {.status = MFX_DNS_ANSWER,
                                    .records = records};
    char first = rest.len > 0 ? rest.p[0] : '-';
    if (type == MFX_DNS_TXT)
        add_record(&answer, records, rest, type);
    while (type != MFX_DNS_TXT && answer.count < WORDS &&
           mfx_str_word(&rest, " ", &word))
        add_record(&answer, &records[answer.count], word, type);
    if (answer.count == 0 || first == '?')
        answer.status = MFX_DNS_NO_DATA;
    if (first == '!')
        answer.status = MFX_DNS_FAILED;
    if (first == '-')
        answer.status = MFX_DNS_NO_NAME;
    if (answer.status != MFX_DNS_ANSWER)
        answer.count = 0;
    return answer;
}

static struct mfx_dns_question *
world_ask(struct mfx_resolver *resolver, struct mfx_str name,
          enum mfx_dns_type type)
{
    struct world *w = (struct world *)resolver;
    struct mfx_dns_question *question = mfx_dns_question_new();
    check(question != NULL && w->open_count < QUESTIONS);
    check(name.len > 0 && name.len <= 253);
    w->asked++;
    if (w->answers_late) {
        w->open[w->open_count].question = question;
        w->open[w->open_count].name = mfx_arena_copy(w->arena, name);
        w->open[w->open_count++].type = type;
    } else {
        struct mfx_dns_answer answer = answer_of(w, name, type);
        mfx_dns_question_set(question, &answer, NULL, NULL);
    }
    return question;
}

static void
answer_newest(struct world *w)
{
    check(w->open_count > 0);
    w->open_count--;
    struct mfx_dns_answer answer =
        answer_of(w, w->open[w->open_count].name, w->open[w->open_count].type);
    mfx_dns_question_set(w->open[w->open_count].question, &answer, NULL, NULL);
}

static void
check_outcome(const struct world *w, const struct mfx_spf_outcome *got)
{
    check(w->asked <= got->queries && got->queries <= MFX_SPF_QUERIES_MAX);
    check(SPF_ENGINE != MFX_SPF_ENGINE_MFX ||
          (got->lookups <= 10 && got->voids <= 3));
    check(got->explanation.len <= 300);
    check(got->result == MFX_SPF_FAIL || got->explanation.len == 0);
    for (size_t i = 0; i < got->explanation.len; i++)
        check(got->explanation.p[i] >= ' ' && got->explanation.p[i] <= '~');
    for (size_t i = 0; i < got->problem.len; i++)
        check(got->problem.p[i] >= ' ' && got->problem.p[i] <= '~');
}

static const struct mfx_spf_outcome *
run(struct world *w, bool answers_late, bool lookahead, bool wants_trace)
{
    struct mfx_env env = mfx_env_system();
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = {
        .helo = w->helo, .identity = MFX_SPF_MAIL_FROM, .sender = w->sender};
    struct mfx_event *event;
    if (mfx_ip_parse(w->ip, &request.ip) != MFX_OK)
        request.ip.family = MFX_IP_V4;
    env.resolver = &w->resolver;
    config.engine = SPF_ENGINE;
    config.lookahead = lookahead;
    config.wants_trace = wants_trace;
    config.time_ms = 1000 * 1000;
    w->answers_late = answers_late;
    w->asked = 0;
    struct mfx_spf_check *one =
        mfx_spf_begin(w->arena, &env, &config, &request);
    check(one != NULL);
    while ((event = mfx_spf_pending(one)) != NULL)
        answer_newest(w);
    const struct mfx_spf_outcome *got = mfx_spf_finish(one);
    while (w->open_count > 0)
        answer_newest(w);
    check_outcome(w, got);
    return got;
}

static void
compare(const struct mfx_spf_outcome *a, const struct mfx_spf_outcome *b)
{
    check(a->result == b->result && a->lookups == b->lookups &&
          a->voids == b->voids);
    check(mfx_str_eq(a->mechanism, b->mechanism));
    check(mfx_str_eq(a->explanation, b->explanation));
    check(mfx_str_eq(a->problem, b->problem));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.resolver = {.ask = world_ask},
                      .arena = mfx_arena_new(0)};
    struct mfx_str rest = mfx_str((const char *)data, size), line;
    (void)mfx_str_cut(&rest, '\n', &w.ip);
    (void)mfx_str_cut(&rest, '\n', &w.helo);
    (void)mfx_str_cut(&rest, '\n', &w.sender);
    while (w.line_count < LINES && mfx_str_cut(&rest, '\n', &line))
        w.lines[w.line_count++] = line;
    const struct mfx_spf_outcome *plain = run(&w, false, false, false);
    compare(plain, run(&w, false, true, true));
    compare(plain, run(&w, true, true, false));
    mfx_arena_free(w.arena);
    return 0;
}
