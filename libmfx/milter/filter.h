/* SPDX-License-Identifier: BSD-2-Clause
 *
 * filter - what a daemon is: its settings, its policy, its hooks
 *
 *     static const struct mfx_filter filter = {
 *         .name = "mfx-dkim", .options = dkim_options, ...
 *         .hooks = {.header = on_header, .eom = on_eom},
 *     };
 *     int main(int argc, char **argv)
 *     { return mfx_main(argc, argv, &filter); }
 *
 * A hook left NULL is negotiated away: the MTA does not even send that stage.
 * A hook returns MFX_OK when it did its work; anything else tempfails the
 * message with one log line. It acts through message->decision only.
 *
 * mail, rcpt, data and eom hooks may wait, through mfx_wait() and nothing
 * else. The other hooks start what can be started and return.
 *
 * Ownership: message and connection belong to the harness; what a hook
 * allocates goes into message->arena (or connection->arena for connect and
 * helo). Errors: what a hook answers other than MFX_OK, or an exhausted arena,
 * tempfails the message. Threads: one message is in one hook at a time, but
 * each hook may run on another thread: nothing thread-local.
 */
#ifndef MFX_MILTER_FILTER_H
#define MFX_MILTER_FILTER_H

#include <mfx/base/buf.h>
#include <mfx/base/env.h>
#include <mfx/base/event.h>
#include <mfx/conf/option.h>
#include <mfx/mail/header.h>
#include <mfx/milter/decision.h>
#include <mfx/net/ip.h>
#include <mfx/policy/origin.h>

MFX_API_BEGIN

enum mfx_stage {
    MFX_STAGE_CONNECT,
    MFX_STAGE_HELO,
    MFX_STAGE_MAIL,
    MFX_STAGE_RCPT,
    MFX_STAGE_DATA,
    MFX_STAGE_EOH,
    MFX_STAGE_EOM,
    MFX_STAGE_COUNT,
};

enum mfx_mta {
    MFX_MTA_UNKNOWN, /* neither said so ({v}) */
    MFX_MTA_POSTFIX,
    MFX_MTA_SENDMAIL,
};

struct mfx_connection {
    struct mfx_arena *arena;
    struct mfx_decision *decision; /* connect and helo write here; given at
                                      MAIL */
    struct mfx_str client_name;    /* "" when the MTA says unknown */
    struct mfx_ip client_ip;
    uint16_t client_port; /* 0: none, as for mail that Postfix's sendmail(1)
                             command hands in (non_smtpd_milters) */
    struct mfx_str helo;
    struct mfx_str mta_name; /* {j} */
    struct mfx_str daemon_name;
    enum mfx_mta mta;
    const struct mfx_env *env;
    const void *policy; /* for connect and helo hooks: lives, as env does, as
                           long as the connection; a message's may be newer */
    void *state;        /* the filter's */
};

struct mfx_recipient {
    struct mfx_str address;    /* as received, without brackets */
    struct mfx_str raw;        /* as received */
    struct mfx_str parameters; /* NOTIFY= and ORCPT= (RFC 3461) as received,
                                  for a recipient that takes its place */
    struct mfx_recipient *next;
};

struct mfx_message {
    struct mfx_arena *arena;
    struct mfx_connection *connection;
    struct mfx_decision *decision;
    const struct mfx_env *env;
    const void *policy;      /* what policy_new made; lives as long as this */
    struct mfx_str queue_id; /* may stay empty until data or eoh */
    struct mfx_str login, auth_type; /* {auth_authen}, {auth_type} */
    struct mfx_str sender; /* without brackets; empty: the null sender */
    struct mfx_str sender_raw;
    /* RET= and ENVID= (RFC 3461), and behind Sendmail BODY= and BY=, which it
     * forgets when the sender changes: for the new one */
    struct mfx_str sender_parameters;
    bool is_smtputf8;
    bool has_declared_size; /* SIZE=, RFC 1870: what the client says */
    uint64_t declared_size;
    struct mfx_recipient *recipients, *last_recipient;
    size_t recipient_count;
    struct mfx_headers headers; /* filled when the filter wants headers */
    struct mfx_origin origin;   /* decided at MAIL */
    uint64_t header_bytes; /* of the fields seen so far, with their CRLFs */
    uint64_t body_bytes;   /* seen so far, when the body is asked for */
    uint64_t began_ms;     /* mono_ms at MAIL */
    void *state;           /* the filter's; zero at MAIL */
};

/* The MTA's macro of that name ("{daemon_name}", "i"), as it came at this
 * stage or before; empty and found false when it did not come. Only macros
 * listed in mfx_wants (and those the harness itself uses) come. */
struct mfx_str mfx_macro(const struct mfx_message *message, const char *name,
                         bool *found);

/* Waits until the event is set or mono_ms reaches until_ms, but no longer
 * than the stage allows (command_wait; at the end of the message progress is
 * sent to the MTA). True when the event is set. */
bool mfx_wait(struct mfx_message *message, struct mfx_event *event,
              uint64_t until_ms);
/* The same for any of several (mfx_event_wait_any). */
bool mfx_wait_any(struct mfx_message *message, struct mfx_event *const *events,
                  size_t count, uint64_t until_ms);

/* At connect and helo: mail of this client is ours whoever logs in, by its
 * address, name, or the MTA's daemon name. */
bool mfx_connection_is_ours(const struct mfx_connection *connection);

/* Mail of Postfix's sendmail(1) command (non_smtpd_milters) comes from cleanup,
 * which takes an answer at the end only: refused before, it sticks in the
 * queue. */
bool mfx_message_is_answered_at_end(const struct mfx_message *message);

enum mfx_body_want {
    MFX_BODY_NONE,
    MFX_BODY_STREAM, /* the body hook, piece by piece */
    MFX_BODY_STORED, /* and mfx_message_body at eom */
};

struct mfx_wants {
    bool headers;    /* keep fields in message->headers */
    bool recipients; /* keep message->recipients even without a rcpt hook */
    bool rejected_recipients;
    /* The body hook never sets *done: no reply to its pieces is needed. */
    bool whole_body;
    enum mfx_body_want body; /* NONE: not sent, though there be a body hook */
    /* further macros a stage needs, names separated by blanks; NULL: none */
    const char *macros[MFX_STAGE_COUNT];
};

struct mfx_hooks {
    enum mfx_rc (*connect)(struct mfx_connection *connection);
    enum mfx_rc (*helo)(struct mfx_connection *connection);
    enum mfx_rc (*mail)(struct mfx_message *message);
    enum mfx_rc (*rcpt)(struct mfx_message *message,
                        struct mfx_recipient *recipient);
    enum mfx_rc (*rcpt_rejected)(struct mfx_message *message,
                                 struct mfx_recipient *recipient);
    enum mfx_rc (*data)(struct mfx_message *message);
    enum mfx_rc (*header)(struct mfx_message *message,
                          const struct mfx_header *header);
    enum mfx_rc (*eoh)(struct mfx_message *message);
    /* *done: true when no more of the body is wanted (SKIP) */
    enum mfx_rc (*body)(struct mfx_message *message, struct mfx_str piece,
                        bool *done);
    enum mfx_rc (*eom)(struct mfx_message *message);
    void (*abort)(struct mfx_message *message); /* also after eom; harmless */
    /* Once for each message, however it ended, after the MTA got its answer
     * as far as it gets one. Must not wait. */
    void (*end)(struct mfx_message *message);
    void (*close)(struct mfx_connection *connection);
};

/* Stored body (MFX_BODY_STORED) at eom: in memory, or mapped from one
 * unlinked file. */
enum mfx_rc mfx_message_body(struct mfx_message *message,
                             struct mfx_str *body) MFX_NODISCARD;

/* What policy_new gets. */
struct mfx_policy_build {
    const void *settings;            /* the filter's struct, loaded */
    const struct mfx_config *config; /* mfx_config_where */
    struct mfx_arena *arena;         /* the snapshot's */
    const struct mfx_env *env;       /* resolver included */
    const void *previous;            /* policy before, to share from; or NULL */
    struct mfx_problems *problems;   /* mistakes go here */
    bool check_all;                  /* -t: parse every key, read every file */
    bool check_dns;                  /* --dns: compare with what is published */
    bool dns_is_trusted;             /* dns.trust_ad: is_authentic means it */
    bool is_shadow;                  /* mode = "shadow"; only with has_shadow */
    bool is_dry_run;                 /* mode = "dry-run" */
    uint64_t end_wait_s; /* hooks may wait so long at the end; or 0 */
};

/* The resolver that a policy was built with. A thread that outlives the policy
 * holds it. */
struct mfx_resolver_share;
struct mfx_resolver_share *
mfx_resolver_share_hold(struct mfx_resolver_share *share);
void mfx_resolver_share_release(struct mfx_resolver_share *share);
const struct mfx_env *mfx_resolver_share_env(struct mfx_resolver_share *share);

struct mfx_control_verb {
    const char *name; /* "keys": mfxctl dkim keys, over the control socket */
    const char *help;
    /* args: words after the name. JSON when as_json. Writes text for people
     * or one JSON value to out. */
    enum mfx_rc (*run)(const void *policy, const struct mfx_str *args,
                       size_t arg_count, bool as_json, struct mfx_buf *out,
                       struct mfx_err *err);
};

struct mfx_filter {
    const char *name;    /* "mfx-dkim"; file name /etc/mfx/dkim.conf from it */
    const char *summary; /* one line for --help and the man page */
    const struct mfx_option *options;
    size_t settings_size;
    enum mfx_rc (*policy_new)(const struct mfx_policy_build *build,
                              void **policy);
    void (*policy_free)(void *policy);
    /* The policy is in force from now on. Never called for checks and
     * commands: here a daemon begins what outlives its policies. May be
     * NULL. */
    void (*policy_begin)(void *policy, struct mfx_resolver_share *resolver);
    /* True when something outside the configuration that this policy was
     * built from (a key file) has changed: reload. Asked every few seconds and
     * after changes in watched directories, so it should be quick. May be
     * NULL. */
    bool (*policy_is_outdated)(const void *policy);
    /* Directories whose changes matter besides those of tables and
     * configuration. May be NULL. */
    const char *const *(*policy_directories)(const void *policy, size_t *count);
    void (*wants)(const void *policy, struct mfx_wants *wants);
    struct mfx_hooks hooks;
    /* Appends Prometheus text; may be NULL. */
    void (*metrics)(const void *policy, struct mfx_buf *out);
    bool has_shadow;                      /* knows mode = "shadow" */
    const struct mfx_control_verb *verbs; /* ended by a NULL name; or NULL */
};

/* Everything between the command line and exit: options -c -s -t -T -D -V -h,
 * privileges, PID file, signals, control socket, metrics, snapshots. Returns
 * the exit status: 0; 64 usage; 78 configuration (sysexits.h); 71, 74 system. */
int mfx_main(int argc, char **argv, const struct mfx_filter *filter);

MFX_API_END

#endif
