/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quota_notifier TIMEOUT MAX_RUNNING QUEUE URL HEADERS [COMMAND...]: does what
 * stdin says, a line each, for quota-notify.t. HEADERS are joined by '|'.
 *
 *     tell EVENT RULE KEY USED LIMIT SENDER   (%XX in words; prints nothing)
 *     many N         N notices of different keys; prints the longest in us
 *     counts         prints them
 *     child          a process of its own ends with 7; prints what wait says
 *     ignore         ignores SIGCHLD from now on
 *     end            free; prints how many ms that took
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/env.h>

#include "../../milters/quota/notify.h"

enum {
    WORDS_MAX = 50,
};

/* "%0A" to the byte, in place. */
static struct mfx_str
decode(char *word)
{
    char *to = word;
    for (const char *p = word; *p != '\0'; p++) {
        unsigned byte;
        if (*p == '%' && sscanf(p + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    return mfx_str(word, (size_t)(to - word));
}

static uint64_t
now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
tell(struct quota_notify *notify, char **words)
{
    char event[100];
    struct mfx_str name = decode(words[0]);
    (void)snprintf(event, sizeof event, "%.*s", MFX_STR_ARG(name));
    const struct quota_notice notice = {
        .event = event,
        .rule = decode(words[1]),
        .key = decode(words[2]),
        .count = "recipients",
        .used = strtoull(words[3], NULL, 10),
        .limit = strtoull(words[4], NULL, 10),
        .window = mfx_str_of("1d"),
        .free_at_s = 1800000000,
        .queue_id = mfx_str_of("4Bx9k2"),
        .sender = decode(words[5]),
        .is_dry = false,
    };
    quota_notify_tell(notify, &notice);
}

static void
tell_many(struct quota_notify *notify, unsigned long count)
{
    uint64_t longest_us = 0;
    for (unsigned long i = 0; i < count; i++) {
        char key[40];
        (void)snprintf(key, sizeof key, "key%lu", i);
        const struct quota_notice notice = {.event = "soft_limit",
                                            .rule = mfx_str_of("many"),
                                            .key = mfx_str_of(key),
                                            .count = "messages"};
        uint64_t begin_us = now_us();
        quota_notify_tell(notify, &notice);
        uint64_t took_us = now_us() - begin_us;
        longest_us = took_us > longest_us ? took_us : longest_us;
    }
    (void)printf("%llu\n", (unsigned long long)longest_us);
}

static void
say_counts(struct quota_notify *notify)
{
    struct quota_notify_counts c = quota_notify_counts(notify);
    (void)printf("told=%llu failed=%llu dropped=%llu coalesced=%llu "
                 "waiting=%llu running=%llu\n",
                 (unsigned long long)c.told, (unsigned long long)c.failed,
                 (unsigned long long)c.dropped, (unsigned long long)c.coalesced,
                 (unsigned long long)c.waiting, (unsigned long long)c.running);
}

static void
own_child(void)
{
    int how = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    (void)sleep(1);
    pid_t got = waitpid(pid, &how, 0);
    (void)printf("%s %d\n", got == pid ? "mine" : "lost", WEXITSTATUS(how));
}

static struct mfx_option_list
list_of(struct mfx_str *items, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        items[i] = mfx_str_of(words[i]);
    return (struct mfx_option_list){.items = items, .count = count};
}

/* In place: a NUL goes behind each word. */
static size_t
cut_words(char *text, const char *separators, char *words[WORDS_MAX])
{
    struct mfx_str rest = mfx_str_of(text), word;
    size_t count = 0, lens[WORDS_MAX];
    while (count < WORDS_MAX && mfx_str_word(&rest, separators, &word)) {
        words[count] = text + (word.p - text);
        lens[count++] = word.len;
    }
    for (size_t i = 0; i < count; i++)
        words[i][lens[i]] = '\0';
    return count;
}

/* False at the end. */
static bool
obey(struct quota_notify *notify, char *line)
{
    char *words[WORDS_MAX];
    size_t count = cut_words(line, " \n", words);
    if (count == 7 && strcmp(words[0], "tell") == 0)
        tell(notify, words + 1);
    else if (count == 2 && strcmp(words[0], "many") == 0)
        tell_many(notify, strtoul(words[1], NULL, 10));
    else if (count == 1 && strcmp(words[0], "counts") == 0)
        say_counts(notify);
    else if (count == 1 && strcmp(words[0], "child") == 0)
        own_child();
    else if (count == 1 && strcmp(words[0], "ignore") == 0)
        (void)signal(SIGCHLD, SIG_IGN);
    else
        return false;
    (void)fflush(stdout);
    return true;
}

static struct quota_notify *
start(int argc, char **argv)
{
    struct mfx_str command[WORDS_MAX], headers[WORDS_MAX];
    char *words[WORDS_MAX];
    size_t header_count = cut_words(argv[5], "|", words);
    const struct quota_notify_settings settings = {
        .timeout_s = strtoull(argv[1], NULL, 10),
        .max_running = (int64_t)strtoull(argv[2], NULL, 10),
        .queue = (int64_t)strtoull(argv[3], NULL, 10),
        .url = mfx_str_of(argv[4]),
        .http_headers = list_of(headers, words, header_count),
        .command = list_of(command, argv + 6, (size_t)argc - 6)};
    return quota_notify_new(&settings);
}

int
main(int argc, char **argv)
{
    static char line[100000];
    if (argc < 6 || argc > WORDS_MAX)
        return 2;
    struct quota_notify *notify = start(argc, argv);
    if (notify == NULL)
        return 1;
    while (fgets(line, sizeof line, stdin) != NULL && obey(notify, line))
        ;
    uint64_t begin_ms = mfx_mono_ms();
    quota_notify_free(notify);
    (void)printf("%llu\n", (unsigned long long)(mfx_mono_ms() - begin_ms));
    return 0;
}
