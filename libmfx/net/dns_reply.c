/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_reply.h>

#include <stdlib.h>

struct mfx_dns_reply *
mfx_dns_reply_new(const struct mfx_dns_answer *answer)
{
    size_t size =
        sizeof(struct mfx_dns_reply) + answer->count * sizeof *answer->records;
    char *text;
    for (size_t i = 0; i < answer->count; i++)
        size += answer->records[i].text.len;
    size += answer->zone.len;
    struct mfx_dns_reply *reply = malloc(size);
    if (reply == NULL)
        return NULL;
    atomic_init(&reply->holds, 1);
    reply->size = size;
    reply->answer = *answer;
    reply->answer.records = reply->records;
    text = (char *)(reply->records + answer->count);
    for (size_t i = 0; i < answer->count; i++) {
        struct mfx_dns_record *record = &reply->records[i];
        *record = answer->records[i];
        if (record->text.len > 0)
            memcpy(text, record->text.p, record->text.len);
        record->text.p = text;
        text += record->text.len;
    }
    if (answer->zone.len > 0)
        memcpy(text, answer->zone.p, answer->zone.len);
    reply->answer.zone.p = text;
    return reply;
}

struct mfx_dns_reply *
mfx_dns_reply_hold(struct mfx_dns_reply *reply)
{
    (void)atomic_fetch_add(&reply->holds, 1);
    return reply;
}

void
mfx_dns_reply_release(void *arg)
{
    struct mfx_dns_reply *reply = arg;
    if (reply != NULL && atomic_fetch_sub(&reply->holds, 1) == 1)
        free(reply);
}
