/* SPDX-License-Identifier: BSD-2-Clause */
#include "list_settings.h"

static const struct mfx_option_word type_words[] = {
    {"address", MFX_DNS_LIST_TYPE_ADDRESS},
    {"domain",  MFX_DNS_LIST_TYPE_DOMAIN },
    {"hash",    MFX_DNS_LIST_TYPE_HASH   },
    {NULL,      0                        },
};

static const struct mfx_option_word hash_words[] = {
    {"md5",    SPF_LIST_MD5   },
    {"sha1",   SPF_LIST_SHA1  },
    {"sha256", SPF_LIST_SHA256},
    {NULL,     0              },
};

static const struct mfx_option_word encoding_words[] = {
    {"hex",    SPF_LIST_HEX   },
    {"base32", SPF_LIST_BASE32},
    {NULL,     0              },
};

static const struct mfx_option_word mode_words[] = {
    {"enforce", SPF_LIST_ENFORCE},
    {"shadow",  SPF_LIST_SHADOW },
    {"off",     SPF_LIST_OFF    },
    {NULL,      0               },
};

static const struct mfx_option_word test_words[] = {
    {"rfc5782",  MFX_DNS_LIST_TEST_RFC5782 },
    {"negative", MFX_DNS_LIST_TEST_NEGATIVE},
    {"none",     MFX_DNS_LIST_TEST_NONE    },
    {NULL,       0                         },
};

#define L struct spf_dns_list_settings

const struct mfx_option spf_dns_list_options[] = {
    MFX_OPTION_STRING("name", L, name, "", 0,
                      "What the group is called where its settings are "
                      "complained about. Empty: its number."),
    MFX_OPTION_LIST("sites", L, sites, "", 0,
                    "zone=filter*weight, as in lists.sites. A site's weight "
                    "is added once, whatever else of the message its zone "
                    "lists."),
    MFX_OPTION_LIST("keys", L, keys, "", 0,
                    "What is looked up: client (its address), client_name, "
                    "helo, sender_domain, sender, from_domain, from. Empty: "
                    "client for addresses, sender_domain for domains, sender "
                    "for hashes."),
    MFX_OPTION_ENUM("type", L, type, "address", type_words, 0,
                    "What the list's names are: address, domain, or hash (of "
                    "an address or a domain, in lower case)."),
    MFX_OPTION_ENUM("hash", L, hash, "sha1", hash_words, 0,
                    "With type hash: md5, sha1, sha256."),
    MFX_OPTION_ENUM("encoding", L, encoding, "hex", encoding_words, 0,
                    "With type hash: hex or base32 (RFC 4648, without "
                    "padding). sha256 in hex does not fit into a name."),
    MFX_OPTION_ENUM("mode", L, mode, "enforce", mode_words, 0,
                    "enforce; shadow: asked, counted and logged, but not "
                    "scored and not waited for; off."),
    MFX_OPTION_LIST("error_codes", L, error_codes, "", 0,
                    "Answers (filters, as 127.0.0.255) by which the list says "
                    "that something is wrong, besides 127.255.255.0/24, "
                    "addresses outside 127.0.0.0/8 and 127.0.0.1, which always "
                    "say so. Those of dnswl.org and of Spamhaus DBL are "
                    "known."),
    MFX_OPTION_ENUM("health", L, health, "rfc5782", test_words, 0,
                    "How the list is tested. rfc5782: it must list 127.0.0.2, "
                    "or TEST, and must not list 127.0.0.1, or INVALID, nor a "
                    "loopback address, a name below INVALID or a hash taken at "
                    "random (which no cache can know). negative: only what it "
                    "must not list; so are hashes tested anyway. none: it is "
                    "never tested, and out of use for health.retry when "
                    "health.trouble answers in a row are failures or "
                    "listings, or one is an error."),
    MFX_OPTION_STRING("text", L, text, "", 0,
                      "Text of the reply when this list has the largest "
                      "weight. Empty: lists.text."),
    MFX_OPTION_BOOL("ipv6", L, ipv6, "true", 0, "Ask for IPv6 addresses, too."),
    MFX_OPTION_BOOL("dnswl", L, dnswl, "false", 0,
                    "What this list says is written into "
                    "Authentication-Results as dnswl (RFC 8904)."),
    MFX_OPTION_END,
};
