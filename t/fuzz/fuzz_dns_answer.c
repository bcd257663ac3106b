/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A DNS answer to the question "a.test", whose type is the first byte. */
#include <stdlib.h>

#include <mfx/net/dns_packet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(const struct mfx_dns_record *record, size_t size)
{
    struct mfx_dns_name name;
    if (record->ttl_s > INT32_MAX)
        MFX_BUG("TTL above 2^31 - 1");
    switch (record->type) {
    case MFX_DNS_A:
    case MFX_DNS_AAAA:
        if (record->ip.family == MFX_IP_NONE)
            MFX_BUG("address record without an address");
        break;
    case MFX_DNS_TXT:
    case MFX_DNS_SPF:
        if (record->text.len > size)
            MFX_BUG("text longer than its packet");
        break;
    case MFX_DNS_NS:
    case MFX_DNS_CNAME:
    case MFX_DNS_SOA:
    case MFX_DNS_PTR:
    case MFX_DNS_MX: /* its text is a name again, unless it had odd bytes */
        if (record->text.len > 0 && !mfx_str_has(record->text, '\\') &&
            mfx_dns_name_parse(record->text, &name) != MFX_OK)
            MFX_BUG("name that cannot be asked");
        break;
    }
}

static void
check_answer(const struct mfx_dns_packet *packet, size_t size)
{
    const struct mfx_dns_answer *answer = &packet->answer;
    if (packet->is_truncated)
        return;
    if ((answer->status == MFX_DNS_ANSWER) != (answer->count > 0))
        MFX_BUG("an answer without records, or records without an answer");
    for (size_t i = 0; i < answer->count; i++)
        check_record(&answer->records[i], size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum mfx_dns_type types[] = {
        MFX_DNS_A,   MFX_DNS_NS, MFX_DNS_CNAME, MFX_DNS_SOA,
        MFX_DNS_PTR, MFX_DNS_MX, MFX_DNS_TXT,   MFX_DNS_AAAA};
    struct mfx_dns_asked asked = {.type = MFX_DNS_TXT, .id = 0x1234};
    struct mfx_dns_packet packet;
    if (size == 0 ||
        mfx_dns_name_parse(mfx_str_of("a.test"), &asked.name) != MFX_OK)
        return 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (data[0] == (uint8_t)types[i])
            asked.type = types[i];
    /* of its own, so that a byte read behind the end is seen */
    size_t len = size - 1;
    char *bytes = malloc(len + 1);
    struct mfx_arena *arena = mfx_arena_new(2 << 20);
    if (bytes != NULL && arena != NULL) {
        memcpy(bytes, data + 1, len);
        bytes = realloc(bytes, len > 0 ? len : 1);
        if (mfx_dns_packet_read(mfx_str(bytes, len), &asked, arena, &packet) ==
            MFX_OK)
            check_answer(&packet, len);
    }
    mfx_arena_free(arena);
    free(bytes);
    return 0;
}
