/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_list_conf - DNS lists from a configuration text, and a resolver whose
 * answers come from a zone text, some of them only when the test says so
 */
#ifndef MFX_T_SPF_LIST_CONF_H
#define MFX_T_SPF_LIST_CONF_H

#include <pthread.h>

#include "../../milters/spf/asking.h"
#include "conf_files.h"
#include "unit.h"

#define SPF_LIST_TEST_HELD_MAX 64

struct spf_test_settings {
    struct spf_list_settings lists;
};

static const struct mfx_option spf_test_options[] = {
    SPF_LIST_OPTIONS(struct spf_test_settings, lists),
    MFX_OPTION_END,
};

/* --- a configuration --- */

struct spf_list_conf {
    struct conf_files files;
    struct mfx_arena *arena;
    struct mfx_problems problems;
    struct mfx_table_set *tables;
    struct spf_test_settings settings;
    struct mfx_env env;
    const struct spf_lists *lists;
    enum mfx_rc rc;
};

static inline void
spf_list_conf_begin(struct spf_list_conf *c, const char *text,
                    const struct spf_lists *previous)
{
    const struct mfx_option_set set = {spf_test_options, &c->settings};
    struct mfx_config *config = NULL;
    *c = (struct spf_list_conf){.env = mfx_env_system()};
    conf_files_init(&c->files);
    c->arena = mfx_arena_new(0);
    mfx_problems_init(&c->problems, c->arena);
    c->tables = mfx_table_set_new(NULL);
    const char *path =
        conf_files_write(&c->files, "spf.conf", mfx_str_of(text));
    if (mfx_config_load(path, NULL, &set, 1, c->arena, c->tables, &c->problems,
                        &config) != MFX_OK)
        fail_msg("%s: %s", text,
                 c->problems.first == NULL ? "" : c->problems.first->text);
    const struct mfx_policy_build build = {.config = config,
                                           .arena = c->arena,
                                           .env = &c->env,
                                           .problems = &c->problems,
                                           .dns_is_trusted = true};
    c->rc = spf_lists_new(&c->settings.lists, &build, previous, &c->lists);
}

static inline void
spf_list_conf_end(struct spf_list_conf *c)
{
    spf_lists_free(c->lists);
    mfx_table_set_free(c->tables);
    mfx_arena_free(c->arena);
    conf_files_fini(&c->files);
}

/* --- a resolver --- */

struct held {
    struct mfx_dns_question *question;
    enum mfx_dns_type type;
    size_t len;
    char name[256];
};

struct mock {
    struct mfx_resolver resolver;
    pthread_mutex_t mutex;
    struct mfx_resolver *zones[8]; /* the last one answers */
    size_t zone_count;
    const char *hold; /* names that end so are answered by mock_let_go */
    struct held held[SPF_LIST_TEST_HELD_MAX];
    size_t held_count;
    size_t asked, asked_txt;
    struct mfx_env env;
};

static inline struct mfx_dns_question *
mock_ask(struct mfx_resolver *resolver, struct mfx_str name,
         enum mfx_dns_type type)
{
    struct mock *m = (struct mock *)resolver;
    struct mfx_dns_question *question = NULL;
    (void)pthread_mutex_lock(&m->mutex);
    m->asked++;
    m->asked_txt += type == MFX_DNS_TXT;
    struct mfx_resolver *zone = m->zones[m->zone_count - 1];
    if (m->hold != NULL && m->held_count < SPF_LIST_TEST_HELD_MAX &&
        mfx_str_ends_nocase(name, mfx_str_of(m->hold))) {
        struct held *held = &m->held[m->held_count++];
        question = held->question = mfx_dns_question_new();
        held->type = type;
        held->len = name.len;
        memcpy(held->name, name.p, name.len);
    }
    (void)pthread_mutex_unlock(&m->mutex);
    return question != NULL ? question : mfx_dns_ask(zone, name, type);
}

/* From now on the zone says this. */
static inline void
mock_say(struct mock *m, const char *zone)
{
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {""};
    if (mfx_resolver_static_new(mfx_str_of(zone), &resolver, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    (void)pthread_mutex_lock(&m->mutex);
    m->zones[m->zone_count++] = resolver;
    (void)pthread_mutex_unlock(&m->mutex);
}

static inline void
mock_begin(struct mock *m, const char *zone)
{
    *m = (struct mock){.resolver = {.ask = mock_ask}, .env = mfx_env_system()};
    (void)pthread_mutex_init(&m->mutex, NULL);
    m->env.resolver = &m->resolver;
    mock_say(m, zone);
}

/* Answers what was held of names that begin so. */
static inline void
mock_let_go(struct mock *m, const char *prefix)
{
    for (size_t i = 0; i < m->held_count; i++) {
        struct held *held = &m->held[i];
        struct mfx_str name = mfx_str(held->name, held->len);
        if (held->question == NULL || !mfx_str_starts(name, mfx_str_of(prefix)))
            continue;
        struct mfx_dns_question *q =
            mfx_dns_ask(m->zones[m->zone_count - 1], name, held->type);
        mfx_dns_question_set(held->question, mfx_dns_question_answer(q), NULL,
                             NULL);
        mfx_dns_question_release(q);
        held->question = NULL;
    }
}

static inline void
mock_end(struct mock *m)
{
    mock_let_go(m, "");
    for (size_t i = 0; i < m->zone_count; i++)
        mfx_resolver_free(m->zones[i]);
    (void)pthread_mutex_destroy(&m->mutex);
}

#endif
