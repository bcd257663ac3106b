/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mapserver - the map server of mfx-masq alone, for interoperability tests
 *
 *     mapserver [socketmap=SOCKET]... [tcp_forward=SOCKET]
 *               [tcp_reverse=SOCKET] [mode=OCTAL] [our=TABLE]
 *               key=SECRET domain=DOMAIN [store=FILE]
 *
 * Prints "ready" when it has begun, and ends with its standard input. Without
 * store= it keeps short forms in memory.
 */
#include <mfx/store/store_local.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../milters/masq/map_server.h"

enum {
    SOCKETS = 8,
    USAGE = 64,
    TIMEOUT_MS = 2000,
};

struct tool {
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_str sockets[SOCKETS], secret;
    struct masq_map_server_settings settings;
    struct masq_srs srs;
    const char *store;
};

static void
die(const char *what, const char *why)
{
    (void)fprintf(stderr, "mapserver: %s: %s\n", what, why);
    exit(USAGE);
}

static struct mfx_table *
open_table(struct tool *t, struct mfx_str spec)
{
    struct mfx_problems problems;
    struct mfx_table *table = NULL;
    mfx_problems_init(&problems, t->arena);
    if (mfx_table_open(t->tables, spec, MFX_TABLE_NOCASE, "", 0, &problems,
                       &table) != MFX_OK)
        die("our", "no such table");
    return table;
}

static void
take_option(struct tool *t, struct mfx_str text)
{
    struct masq_map_server_settings *s = &t->settings;
    struct mfx_str name;
    (void)mfx_str_cut(&text, '=', &name);
    if (text.p == NULL || text.len == 0)
        die("an option", "no value");
    if (mfx_str_is(name, "socketmap") && s->socketmap.count < SOCKETS)
        t->sockets[s->socketmap.count++] = text;
    else if (mfx_str_is(name, "tcp_forward"))
        s->tcp_forward = text;
    else if (mfx_str_is(name, "tcp_reverse"))
        s->tcp_reverse = text;
    else if (mfx_str_is(name, "mode"))
        s->mode = (unsigned)strtoul(text.p, NULL, 8);
    else if (mfx_str_is(name, "our"))
        t->srs.maps.our_domains = open_table(t, text);
    else if (mfx_str_is(name, "key"))
        t->secret = text;
    else if (mfx_str_is(name, "domain"))
        t->srs.engine.domain = text;
    else if (mfx_str_is(name, "store"))
        t->store = text.p;
    else
        die("an option", "not known");
}

static void
prepare(struct tool *t, int argc, char **argv)
{
    struct mfx_err err = {""};
    t->arena = mfx_arena_new(0);
    t->tables = mfx_table_set_new(NULL);
    if (t->arena == NULL || t->tables == NULL)
        die("start", "out of memory");
    t->settings.mode = 0666;
    t->settings.socketmap.items = t->sockets;
    t->srs.short_forms = true;
    t->srs.engine = (struct mfx_srs_settings){
        .secrets = &t->secret,
        .secret_count = 1,
        .separator = '=',
        .hash_length = 4,
        .hash_minimum = 4,
        .max_age = 21,
        .is_plain_alphabet = true,
    };
    for (int i = 1; i < argc; i++)
        take_option(t, mfx_str_of(argv[i]));
    if (mfx_srs_settings_check(&t->srs.engine, &err) != MFX_OK)
        die("srs", err.msg);
}

int
main(int argc, char **argv)
{
    static struct tool t;
    const struct mfx_env env = mfx_env_system();
    char byte;
    prepare(&t, argc, argv);
    const struct mfx_store_local_settings local = {
        .path = t.store, .memory_bytes = 16 * 1024 * 1024};
    struct mfx_store *store = mfx_store_local_open(&local, &env);
    struct masq_map_server *server = masq_map_server_new(&t.settings, &env);
    if (store == NULL || server == NULL)
        die("start", "out of memory");
    masq_map_server_begin(server, &t.srs, store, TIMEOUT_MS);
    printf("ready\n");
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    masq_map_server_leave(server, &t.srs);
    masq_map_server_release(server);
    mfx_store_close(store, TIMEOUT_MS);
    mfx_table_set_free(t.tables);
    mfx_arena_free(t.arena);
    return 0;
}
