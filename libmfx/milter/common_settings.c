/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/common_settings.h>

#include <syslog.h>

#include <mfx/base/log.h>

static const struct mfx_option_word modes[] = {
    {"enforce", MFX_MODE_ENFORCE},
    {"dry-run", MFX_MODE_DRY_RUN},
    {"shadow",  MFX_MODE_SHADOW },
    {NULL,      0               },
};

static const struct mfx_option_word targets[] = {
    {"syslog", MFX_LOG_SYSLOG},
    {"stderr", MFX_LOG_STDERR},
    {NULL,     0             },
};

static const struct mfx_option_word levels[] = {
    {"error",   MFX_LOG_ERROR  },
    {"warning", MFX_LOG_WARNING},
    {"info",    MFX_LOG_INFO   },
    {"debug",   MFX_LOG_DEBUG  },
    {NULL,      0              },
};

static const struct mfx_option_word facilities[] = {
    {"mail",     LOG_MAIL    },
    {"daemon",   LOG_DAEMON  },
    {"auth",     LOG_AUTH    },
    {"authpriv", LOG_AUTHPRIV},
    {"cron",     LOG_CRON    },
    {"ftp",      LOG_FTP     },
    {"lpr",      LOG_LPR     },
    {"news",     LOG_NEWS    },
    {"syslog",   LOG_SYSLOG  },
    {"uucp",     LOG_UUCP    },
    {"user",     LOG_USER    },
    {"local0",   LOG_LOCAL0  },
    {"local1",   LOG_LOCAL1  },
    {"local2",   LOG_LOCAL2  },
    {"local3",   LOG_LOCAL3  },
    {"local4",   LOG_LOCAL4  },
    {"local5",   LOG_LOCAL5  },
    {"local6",   LOG_LOCAL6  },
    {"local7",   LOG_LOCAL7  },
    {NULL,       0           },
};

static const struct mfx_option_word trouble_words[] = {
    {"tempfail", MFX_ON_TROUBLE_TEMPFAIL},
    {"reject",   MFX_ON_TROUBLE_REJECT  },
    {"accept",   MFX_ON_TROUBLE_ACCEPT  },
    {"hold",     MFX_ON_TROUBLE_HOLD    },
    {"discard",  MFX_ON_TROUBLE_DISCARD },
    {NULL,       0                      },
};

enum {
    R = MFX_OPTION_RESTART,
    DAY = 86400,
};

#define KIB 1024LL
#define GIB (1024LL * 1024 * 1024)
#define S   struct mfx_common_settings

static const struct mfx_option template[] = {
    MFX_OPTION_STRING("socket", S, socket,
                      "unix:/var/spool/postfix/mfx/NAME.sock", R,
                      "Where the MTA finds this filter. One of unix:/PATH, "
                      "local:/PATH, inet:PORT@HOST, inet:HOST:PORT, "
                      "inet6:PORT@HOST. A UNIX socket costs less: over TCP "
                      "every stage needs a reply."),
    MFX_OPTION_MODE("socket_mode", S, socket_mode, "0660", R,
                    "Permissions of a UNIX socket. Postfix connects as user "
                    "postfix, Sendmail as root."),
    MFX_OPTION_STRING("socket_group", S, socket_group, "", R,
                      "Group of a UNIX socket, such as postfix. Empty: that of "
                      "its directory if that is set-gid, else the group the "
                      "daemon runs as."),
    MFX_OPTION_STRING("user", S, user, "mfx", R,
                      "User to run as when started as root."),
    MFX_OPTION_STRING("group", S, group, "", R,
                      "Group to run as when started as root. Empty: the "
                      "user's own."),
    MFX_OPTION_PATH("pid_file", S, pid_file, "", R,
                    "File that gets the process id. Empty: none."),
    MFX_OPTION_ENUM("mode", S, mode, "enforce", modes, 0,
                    "What is done with decisions. With dry-run they are "
                    "logged and shown by mfxctl explain, and mail passes "
                    "unchanged. With shadow (mfx-dkim) they are compared with "
                    "what OpenDKIM, before us, did to the message, too; see "
                    "mfxctl dkim shadow."),
    MFX_OPTION_PATH("control.socket", S, control_socket, "/run/mfx/NAME.ctl", R,
                    "UNIX socket that mfxctl speaks to. Empty: none."),
    MFX_OPTION_MODE("control.mode", S, control_mode, "0600", R,
                    "Permissions of the control socket: who may connect may "
                    "reload and read recent decisions."),
    MFX_OPTION_STRING("control.group", S, control_group, "", R,
                      "Group of the control socket."),
    MFX_OPTION_ENUM("log.target", S, log_target, "syslog", targets, R,
                    "Where log lines go. Without /dev/log they go to "
                    "stderr."),
    MFX_OPTION_ENUM("log.level", S, log_level, "info", levels, 0,
                    "How much is logged. At info it is one line a message; "
                    "mfxctl log changes it until the next reload."),
    MFX_OPTION_ENUM("log.facility", S, log_facility, "mail", facilities, R,
                    "Syslog facility."),
    MFX_OPTION_STRING("log.name", S, log_name, "", R,
                      "Name that stands before every log line. Empty: that of "
                      "the daemon."),
    MFX_OPTION_STRING("metrics.listen", S, metrics_listen, "", R,
                      "ADDRESS:PORT where metrics are served over HTTP at "
                      "/metrics. Empty: only the control socket has them."),
    MFX_OPTION_SECONDS("command_wait", S, command_wait_s, "8s", 1, 300, 0,
                       "Longest wait for an outside answer before a reply to "
                       "MAIL, RCPT or DATA. Sendmail gives up after 10s "
                       "unless its R: timeout says otherwise."),
    MFX_OPTION_SECONDS("end_wait", S, end_wait_s, "60s", 1, 3600, 0,
                       "Longest wait at the end of a message. The MTA is kept "
                       "waiting by progress packets."),
    MFX_OPTION_SECONDS("drain_timeout", S, drain_timeout_s, "30s", 0, 3600, 0,
                       "How long a stopping daemon waits for messages in "
                       "flight."),
    MFX_OPTION_BYTES("message_memory", S, message_memory, "16M", 64 * KIB,
                     4 * GIB, 0,
                     "Memory that one message may take. Past it the message "
                     "is deferred with one log line."),
    MFX_OPTION_BYTES("header_bytes", S, header_bytes, "512K", 4 * KIB, GIB, 0,
                     "Largest header section of a message."),
    MFX_OPTION_INT("header_count", S, header_count, "10000", 10, 1000000, 0,
                   "Most header fields of a message."),
    MFX_OPTION_ENUM("on_limit", S, on_limit, "tempfail", trouble_words, 0,
                    "What becomes of a message above header_bytes or "
                    "header_count. With hold and accept it passes unsigned "
                    "and unverified."),
    MFX_OPTION_ENUM("on_internal_error", S, on_internal_error, "tempfail",
                    trouble_words, 0,
                    "What becomes of a message on which the daemon itself "
                    "fails: message_memory is used up, or a stage cannot do "
                    "its work. With hold and accept it passes unchanged, "
                    "unsigned and unverified. An edit that the MTA refuses is "
                    "always a tempfail."),
    MFX_OPTION_INT("recent_messages", S, recent_messages, "1000", 0, 1000000, R,
                   "How many decisions are kept for mfxctl explain."),
    MFX_OPTION_BOOL("watch_files", S, watch_files, "true", 0,
                    "Reload when configuration, table or key files change."),
    MFX_OPTION_BOOL("origin.login", S, origin_login, "true", 0,
                    "Mail of an authenticated client is ours."),
    MFX_OPTION_LIST("origin.daemon_names", S, origin_daemon_names,
                    "ORIGINATING", 0,
                    "Mail that came in through an MTA service of one of these "
                    "names ({daemon_name}) is ours."),
    MFX_OPTION_LIST("origin.macros", S, origin_macros, "", 0,
                    "Mail for which the MTA sends one of these macros is "
                    "ours. \"{name}\" or \"{name}=value|value\"."),
    MFX_OPTION_TABLE("origin.internal_hosts", S, origin_internal_hosts,
                     "csl:127.0.0.0/8,::1", 0,
                     "Mail of these clients is ours. Addresses, networks, "
                     "host names, domains (.example.org), each with ! for "
                     "not. A client without an address is never one of "
                     "them."),
    MFX_OPTION_LIST("dns.servers", S, dns.servers, "", 0,
                    "DNS servers, ADDRESS or ADDRESS:PORT. None: those of "
                    "/etc/resolv.conf."),
    MFX_OPTION_SECONDS("dns.timeout", S, dns.timeout_s, "5s", 1, 300, 0,
                       "Longest time for one DNS question, all tries "
                       "together."),
    MFX_OPTION_INT("dns.tries", S, dns.tries, "2", 1, 10, 0,
                   "How often each server is asked."),
    MFX_OPTION_INT("dns.max_outstanding", S, dns.max_outstanding, "2000", 1,
                   1000000, 0, "Most DNS questions open at once."),
    MFX_OPTION_INT("dns.cache_entries", S, dns.cache_entries, "100000", 0,
                   100000000, 0, "Most DNS answers kept. 0: none."),
    MFX_OPTION_BYTES("dns.cache_bytes", S, dns.cache_bytes, "64M", 0, 64 * GIB,
                     0, "Memory that kept DNS answers may take."),
    MFX_OPTION_BOOL("dns.trust_ad", S, dns.trust_ad, "false", 0,
                    "Believe a server that says an answer is authentic "
                    "(DNSSEC). Only for servers on this machine."),
    MFX_OPTION_BOOL("dns.use_tcp", S, dns.use_tcp, "false", 0,
                    "Ask over TCP from the start."),
    MFX_OPTION_PATH("dns.test_data", S, dns.test_data, "", 0,
                    "Zone file whose records take the place of DNS. For "
                    "tests."),
    MFX_OPTION_END,
};

const char *
mfx_mode_name(int mode)
{
    const struct mfx_option_word *w = modes;
    while (w->word != NULL && w->value != mode)
        w++;
    return w->word;
}

const char *
mfx_short_name(const char *daemon_name)
{
    return strncmp(daemon_name, "mfx-", 4) == 0 ? daemon_name + 4 : daemon_name;
}

static const char *
named(const char *preset, const char *name, struct mfx_arena *arena)
{
    const char *at = preset == NULL ? NULL : strstr(preset, "NAME");
    if (at == NULL || strchr(preset, '/') == NULL)
        return preset;
    return mfx_arena_printf(arena, "%.*s%s%s", (int)(at - preset), preset, name,
                            at + 4)
        .p;
}

const struct mfx_option *
mfx_common_options(const char *daemon_name, struct mfx_arena *arena)
{
    size_t count = sizeof template / sizeof template[0];
    struct mfx_option *options =
        mfx_arena_alloc_array(arena, count, sizeof *options);
    if (options == NULL)
        return NULL;
    memcpy(options, template, sizeof template);
    for (size_t i = 0; i < count; i++)
        options[i].preset =
            named(template[i].preset, mfx_short_name(daemon_name), arena);
    return mfx_arena_ok(arena) ? options : NULL;
}
