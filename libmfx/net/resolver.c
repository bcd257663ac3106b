/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/resolver.h>

#include <stdlib.h>

#include <mfx/net/dns_question.h>

enum {
    NAME_MAX_LEN = 253,
    LABEL_MAX_LEN = 63,
};

static const struct mfx_dns_answer unanswered = {.status = MFX_DNS_TIMEOUT};

struct mfx_dns_question *
mfx_dns_question_new(void)
{
    struct mfx_dns_question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    atomic_init(&question->holds, 2);
    mfx_event_init(&question->event);
    question->asked_ms = mfx_mono_ms();
    return question;
}

static void
let_go(struct mfx_dns_question *question)
{
    if (atomic_fetch_sub(&question->holds, 1) != 1)
        return;
    if (question->release_answer != NULL)
        question->release_answer(question->release_arg);
    mfx_event_fini(&question->event);
    free(question);
}

void
mfx_dns_question_release(struct mfx_dns_question *question)
{
    if (question != NULL)
        let_go(question);
}

void
mfx_dns_question_set(struct mfx_dns_question *question,
                     const struct mfx_dns_answer *answer,
                     void (*release_answer)(void *), void *arg)
{
    question->answer = *answer;
    question->release_answer = release_answer;
    question->release_arg = arg;
    question->answered_ms = mfx_mono_ms();
    mfx_event_set(&question->event);
    let_go(question);
}

struct mfx_event *
mfx_dns_question_event(struct mfx_dns_question *question)
{
    return &question->event;
}

const struct mfx_dns_answer *
mfx_dns_question_answer(struct mfx_dns_question *question)
{
    if (question == NULL || !mfx_event_is_set(&question->event))
        return &unanswered;
    return &question->answer;
}

uint64_t
mfx_dns_question_took_ms(struct mfx_dns_question *question)
{
    if (question == NULL || !mfx_event_is_set(&question->event))
        return 0;
    return question->answered_ms - question->asked_ms;
}

static bool
is_askable(struct mfx_str name)
{
    struct mfx_str rest = name, label;
    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return false;
    while (mfx_str_cut(&rest, '.', &label))
        if (label.len == 0 || label.len > LABEL_MAX_LEN)
            return false;
    return true;
}

struct mfx_dns_question *
mfx_dns_ask(struct mfx_resolver *resolver, struct mfx_str name,
            enum mfx_dns_type type)
{
    static const struct mfx_dns_answer no_name = {.status = MFX_DNS_NO_NAME,
                                                  .rcode = 3};
    static const struct mfx_dns_answer failed = {.status = MFX_DNS_FAILED};
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    bool can_ask = is_askable(name);
    if (can_ask && resolver != NULL)
        return resolver->ask(resolver, name, type);
    struct mfx_dns_question *question = mfx_dns_question_new();
    if (question != NULL)
        mfx_dns_question_set(question, can_ask ? &failed : &no_name, NULL,
                             NULL);
    return question;
}

enum mfx_rc
mfx_dns_rc(const struct mfx_dns_answer *answer)
{
    switch (answer->status) {
    case MFX_DNS_ANSWER:
        return MFX_OK;
    case MFX_DNS_NO_NAME:
    case MFX_DNS_NO_DATA:
        return MFX_NOTFOUND;
    case MFX_DNS_FAILED:
    case MFX_DNS_TIMEOUT:
    case MFX_DNS_MALFORMED:
        return MFX_TEMPFAIL;
    }
    return MFX_TEMPFAIL;
}

const char *
mfx_dns_status_name(enum mfx_dns_status status)
{
    switch (status) {
    case MFX_DNS_ANSWER:
        return "answer";
    case MFX_DNS_NO_NAME:
        return "no such name";
    case MFX_DNS_NO_DATA:
        return "no data";
    case MFX_DNS_FAILED:
        return "server failure";
    case MFX_DNS_TIMEOUT:
        return "timeout";
    case MFX_DNS_MALFORMED:
        return "malformed answer";
    }
    return "unknown";
}

bool
mfx_dns_type_parse(struct mfx_str name, enum mfx_dns_type *type)
{
    static const struct {
        const char *name;
        enum mfx_dns_type type;
    } types[] = {
        {"A",     MFX_DNS_A    },
        {"NS",    MFX_DNS_NS   },
        {"CNAME", MFX_DNS_CNAME},
        {"SOA",   MFX_DNS_SOA  },
        {"PTR",   MFX_DNS_PTR  },
        {"MX",    MFX_DNS_MX   },
        {"TXT",   MFX_DNS_TXT  },
        {"AAAA",  MFX_DNS_AAAA },
        {"SPF",   MFX_DNS_SPF  },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (mfx_str_is_nocase(name, types[i].name)) {
            *type = types[i].type;
            return true;
        }
    return false;
}

void
mfx_resolver_free(struct mfx_resolver *resolver)
{
    if (resolver != NULL)
        resolver->free(resolver);
}
