/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of hosts as it stands in a setting; each of its words also as an
 * address, as a network, and as a client's name. */
#include <stdlib.h>

#include <mfx/policy/host_list.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_address(struct mfx_str word)
{
    struct mfx_ip ip, again;
    char text[MFX_IP_TEXT];
    if (mfx_ip_parse(word, &ip) != MFX_OK)
        return;
    if (mfx_ip_parse(mfx_str_of(mfx_ip_format(&ip, text)), &again) != MFX_OK ||
        !mfx_ip_eq(&ip, &again))
        MFX_BUG("an address changed by being written");
}

static void
check_net(struct mfx_str word)
{
    struct mfx_net net;
    bool has_host_bits;
    if (mfx_net_parse(word, &net, &has_host_bits) == MFX_OK &&
        !mfx_net_has(&net, &net.ip))
        MFX_BUG("a network without its own address");
}

static void
check_list(struct mfx_str spec, struct mfx_str words, struct mfx_arena *arena)
{
    struct mfx_problems problems;
    struct mfx_table *table = NULL;
    struct mfx_host_list *list = NULL;
    struct mfx_str word;
    mfx_problems_init(&problems, arena);
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    if (set == NULL)
        return;
    if (mfx_table_open(set, spec, MFX_TABLE_NOCASE, "fuzz", 0, &problems,
                       &table) == MFX_OK &&
        mfx_host_list_new(table, "fuzz", &problems, &list) == MFX_OK) {
        mfx_host_list_check_loopback(list, "fuzz", &problems);
        while (mfx_str_cut(&words, ',', &word)) {
            struct mfx_ip ip = {.family = MFX_IP_NONE};
            struct mfx_str entry;
            if (mfx_ip_parse(word, &ip) != MFX_OK)
                ip.family = MFX_IP_NONE;
            if (mfx_host_list_has(list, word, &ip, &entry) &&
                (entry.len == 0 || entry.p[0] == '!'))
                MFX_BUG("a hit without an entry that says yes");
        }
    } else if (problems.errors == 0) {
        MFX_BUG("refused without a reason");
    }
    mfx_host_list_free(list);
    mfx_table_set_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str words = mfx_str((const char *)data, size), rest = words;
    struct mfx_str word;
    struct mfx_arena *arena = mfx_arena_new(0);
    if (size == 0 || arena == NULL) {
        mfx_arena_free(arena);
        return 0;
    }
    while (mfx_str_cut(&rest, ',', &word)) {
        check_address(word);
        check_net(word);
    }
    struct mfx_str spec =
        mfx_arena_printf(arena, "csl:%.*s", MFX_STR_ARG(words));
    check_list(spec, words, arena);
    mfx_arena_free(arena);
    return 0;
}
