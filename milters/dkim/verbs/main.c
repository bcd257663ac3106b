/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mfxctl-dkim - what can be done with DKIM without a running daemon, by the
 * daemon's own code; "mfxctl dkim ..." runs it
 */
#include "verb.h"

static const char genkey_help[] =
    "Usage: mfxctl dkim genkey --domain DOMAIN --selector SELECTOR\n"
    "           [--algorithm rsa|ed25519] [--bits 2048] [--out FILE]\n"
    "           [--owner USER] [--json]\n"
    "\n"
    "Writes a new private key to FILE (SELECTOR.pem), readable by its owner\n"
    "alone, and prints the record to publish as a line for a zone file. A file\n"
    "that is there is never overwritten.\n"
    "\n"
    "  -d, --domain DOMAIN       the signing domain (d=)\n"
    "  -s, --selector SELECTOR   the name of the key below the domain (s=)\n"
    "  -a, --algorithm WORD      rsa (the default) or ed25519\n"
    "  -b, --bits NUMBER         size of an RSA key: 1024 to 8192 (2048)\n"
    "  -o, --out FILE            where the key goes\n"
    "      --owner USER          gives the file to this user (as root)\n"
    "  -j, --json                prints one JSON object\n"
    "\n"
    "Exit status: 0 made, 64 wrong usage, 71 no key could be made, 73 the file\n"
    "cannot be written or is there already.\n";

static const char testkey_help[] =
    "Usage: mfxctl dkim testkey [--config FILE] [--domain DOMAIN]\n"
    "           [--selector SELECTOR] [--dns ADDRESS:PORT] [--json]\n"
    "       mfxctl dkim testkey --key FILE --domain DOMAIN\n"
    "           --selector SELECTOR [--dns ADDRESS:PORT] [--json]\n"
    "\n"
    "Asks for each key's record and says match, mismatch, missing, revoked,\n"
    "unusable, no-key (the private key cannot be used), or unknown (DNS did\n"
    "not answer). Without --key all keys of the configuration are tested.\n"
    "\n"
    "  -c, --config FILE         the daemon's configuration\n"
    "  -k, --key FILE            one private key\n"
    "  -d, --domain DOMAIN       only this domain\n"
    "  -s, --selector SELECTOR   only this selector\n"
    "      --dns ADDRESS:PORT    ask this server\n"
    "      --zone FILE           answer from a file: lines \"name TYPE data\"\n"
    "  -j, --json                prints one JSON object\n"
    "\n"
    "Exit status: 0 all match, 1 one does not, 2 DNS gave no answer for one,\n"
    "64 wrong usage, 66 no such file, 78 configuration or key unusable.\n";

static const char rotate_help[] =
    "Usage: mfxctl dkim rotate [--config FILE] [--algorithm rsa|ed25519]\n"
    "           [--bits NUMBER] [--selector SELECTOR] [--not-before TIME]\n"
    "           [--replaces SELECTOR] [--out DIR] [--owner USER] [--shared]\n"
    "           [--force] [--json] DOMAIN\n"
    "\n"
    "Makes the next key of a domain, one for each algorithm it signs with: the\n"
    "file beside the old key, readable as that one is, and a card that says\n"
    "which key it replaces. Prints the records to publish and what happens\n"
    "next. While a key waits to be published, no other is made: it is shown\n"
    "again.\n"
    "\n"
    "  -c, --config FILE         the daemon's configuration\n"
    "  -a, --algorithm WORD      only this key: rsa or ed25519\n"
    "  -b, --bits NUMBER         of an RSA key (as the old one, 2048 at least)\n"
    "  -s, --selector SELECTOR   its name, or a pattern: %Y%m, %Y%m%d (setting\n"
    "                            rotation.selector)\n"
    "      --not-before TIME     no host signs with it before: 2026-12-01,\n"
    "                            2026-12-01T06:00:00Z, or 3d from now\n"
    "      --replaces SELECTOR   which key, of several of one algorithm\n"
    "  -o, --out DIR             make it there, to be pushed to the hosts\n"
    "      --owner USER          gives the file to this user (as root)\n"
    "      --shared              for every domain that signs with the old key\n"
    "      --force               even if one waits already\n"
    "  -j, --json                prints one JSON object\n"
    "\n"
    "Exit status: 0 made or waiting, 1 no such key, 64 wrong usage, 73 a file\n"
    "cannot be written, 78 configuration or key unusable.\n";

static const char keys_help[] =
    "Usage: mfxctl dkim keys [--state STATE] [--todo] [--socket PATH] [--json]\n"
    "           [DOMAIN...]\n"
    "       mfxctl dkim keys --offline|--dns [--config FILE] [options]\n"
    "           [DOMAIN...]\n"
    "\n"
    "Shows every key that the running daemon knows: domain, selector,\n"
    "algorithm, bits, state (new, published, active, retired, withdrawn), what\n"
    "each authoritative server holds, and what is to be done. Where no daemon\n"
    "runs, configuration, cards and ledger are read.\n"
    "\n"
    "      --state STATE         only keys in this state\n"
    "      --todo                only keys that want something of you\n"
    "  -s, --socket PATH         the daemon's control socket\n"
    "      --offline             from files, even if a daemon runs\n"
    "      --dns                 from files, and ask the name servers now; also\n"
    "                            warns of a d= that DMARC does not accept\n"
    "  -c, --config FILE         the daemon's configuration, for these two\n"
    "  -j, --json                prints one JSON object\n"
    "\n"
    "Exit status: 0 all is well, 1 a key signs whose record is not right, 2 no\n"
    "whole answer, 64 wrong usage, 69 no daemon there, 78 configuration\n"
    "unusable.\n";

static const char zone_help[] =
    "Usage: mfxctl dkim zone [--config FILE] [--format zone|nsupdate|json]\n"
    "           [--relative] [--ttl TIME] [DOMAIN...]\n"
    "\n"
    "Writes the records of all signing keys of the configuration, or those of\n"
    "the domains named, to stdout: as lines for a zone file, as a script for\n"
    "nsupdate (each record takes the place of all TXT at its name), or as JSON.\n"
    "\n"
    "  -c, --config FILE         the daemon's configuration\n"
    "  -f, --format WORD         zone (the default), nsupdate or json\n"
    "  -r, --relative            names below an $ORIGIN line for each domain\n"
    "  -t, --ttl TIME            such as 1h; nsupdate: 1h unless said\n"
    "  -j, --json                as --format json\n"
    "\n"
    "Exit status: 0 written, 1 no such key, 64 wrong usage, 78 configuration\n"
    "or a key unusable.\n";

static const char sign_help[] =
    "Usage: mfxctl dkim sign [--config FILE] [--json] FILE\n"
    "       mfxctl dkim sign --key KEYFILE --domain DOMAIN\n"
    "           --selector SELECTOR [options] FILE\n"
    "\n"
    "Prints the message with its signature above it. Without --key the\n"
    "configuration says by From which keys sign, as for mail of ours. FILE may\n"
    "be \"-\" for stdin; a bare LF counts as CRLF.\n"
    "\n"
    "  -c, --config FILE             the daemon's configuration\n"
    "  -k, --key FILE                a private key\n"
    "  -d, --domain DOMAIN           d=\n"
    "  -s, --selector SELECTOR       s=\n"
    "  -i, --identity ADDRESS        i=\n"
    "  -C, --canonicalization H/B    relaxed/relaxed\n"
    "      --headers LIST            which fields, as sign.headers\n"
    "      --omit-headers LIST       as sign.omit_headers\n"
    "      --oversign-headers LIST   as sign.oversign_headers\n"
    "      --time SECONDS            t=, instead of now\n"
    "      --expire DURATION         x=, such as 7d\n"
    "      --body-length             l= (better not)\n"
    "      --field-only              prints the DKIM-Signature alone\n"
    "  -j, --json                    prints the signatures as JSON\n"
    "\n"
    "Exit status: 0 signed, 1 not signed, 2 not now, 64 wrong usage, 66 no such\n"
    "file, 78 configuration or key unusable.\n";

static const char verify_help[] =
    "Usage: mfxctl dkim verify [--config FILE] [--dns ADDRESS:PORT] [--all]\n"
    "           [--json] FILE\n"
    "\n"
    "Says for each signature whether it passes, and if not, what is at fault:\n"
    "the signature field, algorithm, key lookup, key, expiry, body hash, header\n"
    "hash, or policy; on a body mismatch also whether the other\n"
    "canonicalization would have matched. Then the Authentication-Results field;\n"
    "with --config also what the daemon would do with the message.\n"
    "FILE may be \"-\" for stdin; a bare LF counts as CRLF.\n"
    "\n"
    "  -c, --config FILE        limits, servers and policy of the daemon\n"
    "      --dns ADDRESS:PORT   ask this server\n"
    "      --zone FILE          answer from a file: lines \"name TYPE data\"\n"
    "      --authserv-id NAME   who writes the field (localhost)\n"
    "  -a, --all                every signature must pass\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 a signature passes (with --all: all of them), 1 none does,\n"
    "2 DNS gave no answer, 64 wrong usage, 66 no such file.\n";

static const char explain_help[] =
    "Usage: mfxctl dkim explain --from ADDRESS [options] [--json]\n"
    "       mfxctl dkim explain [options] [--json] FILE\n"
    "\n"
    "Loads the daemon's configuration and asks its policy: sign (with which\n"
    "keys), verify, pass, refuse or defer, and which rules said so.\n"
    "\n"
    "  -c, --config FILE        the daemon's configuration\n"
    "  -f, --from VALUE         the From field\n"
    "      --client IP          the client's address\n"
    "      --client-name NAME   its verified name\n"
    "      --auth USER          the login\n"
    "      --daemon-name NAME   the MTA's {daemon_name}, such as ORIGINATING\n"
    "      --macro NAME=VALUE   a macro that origin.macros names\n"
    "      --sender ADDRESS     the envelope sender; \"\" for a bounce\n"
    "      --recipient ADDRESS  an envelope recipient\n"
    "      --dns ADDRESS:PORT   ask this server for DMARC records\n"
    "      --zone FILE          take them from lines \"name TYPE data\"\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 sign, verify or pass, 1 refuse, 2 defer, 64 wrong usage,\n"
    "66 no such file, 78 configuration unusable.\n";

static const char import_help[] =
    "Usage: mfxctl import opendkim [options] [FILE]\n"
    "\n"
    "Says what becomes of each setting of an OpenDKIM configuration\n"
    "(/etc/opendkim.conf), and writes the same as a dkim.conf: to stdout, or\n"
    "into a folder. Tables and keys are used where they lie. Nothing that\n"
    "OpenDKIM uses is changed. The daemon's own check of the result is printed,\n"
    "too.\n"
    "\n"
    "  -o, --out DIR            writes DIR/dkim.conf, which must not be there\n"
    "      --check              only says; writes nothing\n"
    "      --dump-with COMMAND  for data sets that mfx does not read (Berkeley\n"
    "                           DB, LDAP, Lua ...): the shell command prints a\n"
    "                           row \"key value\" each of $DATASET, which\n"
    "                           $SETTING names; they go to DIR/SETTING.table\n"
    "      --defaults FILE      options in a file like /etc/default/opendkim,\n"
    "                           which is read for /etc/opendkim.conf anyway\n"
    "      --unit FILE          options in ExecStart= of a systemd unit\n"
    "  -j, --json               prints one JSON object\n"
    "\n"
    "Exit status: 0 all is carried, 1 something that decides about mail is not,\n"
    "64 wrong usage, 66 no such file, 73 DIR/dkim.conf cannot be written,\n"
    "78 the result does not load yet.\n";

static const struct verb verbs[] = {
    {"genkey",  verb_genkey,  "make a key and the record for DNS",               genkey_help },
    {"testkey", verb_testkey, "compare keys with what DNS publishes",
     testkey_help                                                                            },
    {"rotate",  verb_rotate,  "make the next key of a domain",                   rotate_help },
    {"keys",    verb_keys,    "keys, their states, and what to do next",         keys_help   },
    {"zone",    verb_zone,    "the records of all keys for a name server",       zone_help   },
    {"sign",    verb_sign,    "sign a message",                                  sign_help   },
    {"verify",  verb_verify,  "check the signatures of a message, with reasons",
     verify_help                                                                             },
    {"import",  verb_import,  "an OpenDKIM configuration as one of mfx-dkim",
     import_help                                                                             },
    {"explain", verb_explain,
     "what the daemon would do with a message, and why",                         explain_help},
    {NULL,      NULL,         NULL,                                              NULL        },
};

int
main(int argc, char **argv)
{
    static const struct verb_program program = {
        .name = "dkim",
        .note = "FILE may be \"-\" for stdin.",
        .verbs = verbs,
    };
    return verb_main(argc, argv, &program);
}
