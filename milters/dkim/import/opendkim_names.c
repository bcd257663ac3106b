/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every setting of OpenDKIM 2.10 and 2.11, and what becomes of it.
 */
#include "opendkim_take.h"

static const struct dkim_import_row rows[] = {
    {"AllowSHA1Only",                DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "SHA-256 is always there; SHA-1 is never signed and never passes (RFC 8301)"                                                                },
    {"AlwaysAddARHeader",            DKIM_IMPORT_KEPT,        dkim_import_take_bool,
     "verify.report_none",                                                                                                NULL                   },
    {"ATPSDomains",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "authorized third-party signatures (RFC 6541) are asked for by nobody"                                                                      },
    {"ATPSHashAlgorithm",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ATPSDomains"                                                                                                                     },
    {"AuthservID",                   DKIM_IMPORT_KEPT,        dkim_import_take_authserv_id,
     "authserv_id",                                                                                                       NULL                   },
    {"AuthservIDWithJobID",          DKIM_IMPORT_KEPT,        dkim_import_take_bool,
     "authserv_id_job_id",                                                                                                NULL                   },
    {"AutoRestart",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the service manager starts it again (Restart=on-failure)"                                                                                  },
    {"AutoRestartCount",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the service manager has StartLimitBurst="                                                                                                  },
    {"AutoRestartRate",              DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the service manager has StartLimitIntervalSec="                                                                                            },
    {"Background",                   DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "mfx-dkim stays in the foreground for the service manager; -D detaches it"                                                                  },
    {"BaseDirectory",                DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "relative paths are written out in full"                                                                                                    },
    {"BodyLengthDB",                 DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "l= lets anybody add to the body; the whole body is signed"                                                                                 },
    {"BogusKey",                     DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "a validating resolver gives no answer for a bogus record: the result is temperror, and verify.on_temperror says what then"                 },
    {"Canonicalization",             DKIM_IMPORT_KEPT,        dkim_import_take_canonicalization,
     "sign.canonicalization",                                                                                             NULL                   },
    {"CaptureUnknownErrors",         DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "on_internal_error = \"hold\" does it"                                                                                                      },
    {"ChangeRootDirectory",          DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "paths are written as they are outside; RootDirectory= of the service manager shuts the daemon in"                                          },
    {"ClockDrift",                   DKIM_IMPORT_KEPT,        dkim_import_take_seconds,
     "verify.clock_skew",                                                                                                 NULL                   },
    {"ConditionalSignatures",        DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "a draft that expired; nobody verifies such signatures"                                                                                     },
    {"DefaultSender",                DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "it never worked in OpenDKIM; sign.on_from says what becomes of mail without a sender"                                                      },
    {"DiagnosticDirectory",          DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with Diagnostics"                                                                                                                     },
    {"Diagnostics",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "z= repeats header fields to everybody; mfxctl dkim verify tells what broke a signature"                                                    },
    {"DisableCryptoInit",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "OpenSSL initialises itself"                                                                                                                },
    {"DNSConnect",                   DKIM_IMPORT_KEPT,        dkim_import_take_bool,             "dns.use_tcp",
     NULL                                                                                                                                        },
    {"DNSTimeout",                   DKIM_IMPORT_KEPT,        dkim_import_take_seconds,          "dns.timeout",
     NULL                                                                                                                                        },
    {"Domain",                       DKIM_IMPORT_KEPT,        dkim_import_take_domain,           "sign.domains",          NULL                   },
    {"DomainKeysCompat",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "DomainKeys (RFC 4870) is obsolete"                                                                                                         },
    {"DontSignMailTo",               DKIM_IMPORT_KEPT,        dkim_import_take_table,
     "sign.except_recipients",                                                                                            NULL                   },
    {"EnableCoredumps",              DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "LimitCORE= of the service manager"                                                                                                         },
    {"ExemptDomains",                DKIM_IMPORT_KEPT,        dkim_import_take_table,
     "exempt_domains",                                                                                                    NULL                   },
    {"ExternalIgnoreList",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "it only silences a log line of OpenDKIM and never made mail ours"                                                                          },
    {"FinalPolicyScript",            DKIM_IMPORT_LOST,        NULL,                              NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                                  },
    {"FixCRLF",                      DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "line ends are made CRLF before they are hashed, always"                                                                                    },
    {"FlowData",                     DKIM_IMPORT_DROPPED,     NULL,                              NULL,                    "goes with RateLimits" },
    {"FlowDataFactor",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,                    "goes with RateLimits" },
    {"FlowDataTTL",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,                    "goes with RateLimits" },
    {"IdentityHeader",               DKIM_IMPORT_LOST,        NULL,                              NULL,
     "i= comes from the signing table (keyname:identity)"                                                                                        },
    {"IdentityHeaderRemove",         DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with IdentityHeader"                                                                                                                  },
    {"IgnoreMalformedMail",          DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "a message that cannot be read gets no result field unless verify.invalid_headers says so"                                                  },
    {"Include",                      DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "what it names is read in its place"                                                                                                        },
    {"InternalHosts",                DKIM_IMPORT_KEPT,        dkim_import_take_table,
     "origin.internal_hosts",                                                                                             NULL                   },
    {"KeepAuthResults",              DKIM_IMPORT_KEPT,        dkim_import_take_keep_results,
     "verify.remove_results",                                                                                             NULL                   },
    {"KeepTemporaryFiles",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "nothing is written to temporary files; mfxctl dkim verify tells what broke a signature"                                                    },
    {"KeyFile",                      DKIM_IMPORT_KEPT,        dkim_import_take_key_file,         "sign.key_path",
     NULL                                                                                                                                        },
    {"KeyTable",                     DKIM_IMPORT_KEPT,        dkim_import_take_table,            "sign.key_table",
     NULL                                                                                                                                        },
    {"LDAPAuthMechanism",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPAuthName",                 DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPAuthRealm",                DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPAuthUser",                 DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPBindPassword",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPBindUser",                 DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPDisableCache",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPKeepaliveIdle",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPKeepaliveInterval",        DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPKeepaliveProbes",          DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPTimeout",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LDAPUseTLS",                   DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "only data sets in LDAP use it; those are written to files with --dump-with"                                                                },
    {"LogResults",                   DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "every message has one log line with its signatures and results"                                                                            },
    {"LogWhy",                       DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "the log line has the reason, and mfxctl explain QUEUEID the whole chain of decisions"                                                      },
    {"LuaOnlySigning",               DKIM_IMPORT_LOST,        NULL,                              NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                                  },
    {"MacroList",                    DKIM_IMPORT_KEPT,        dkim_import_take_macros,           "origin.macros",
     NULL                                                                                                                                        },
    {"MaximumHeaders",               DKIM_IMPORT_KEPT,        dkim_import_take_header_bytes,
     "header_bytes",                                                                                                      NULL                   },
    {"MaximumSignaturesToVerify",    DKIM_IMPORT_KEPT,
     dkim_import_take_max_signatures,                                                            "verify.max_signatures", NULL                   },
    {"MaximumSignedBytes",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "l= lets anybody add to the body; the whole body is signed"                                                                                 },
    {"MilterDebug",                  DKIM_IMPORT_DROPPED,     NULL,                              NULL,                    "log.level = \"debug\""},
    {"Minimum",                      DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "a signature whose l= leaves text unsigned is reported as policy (verify.accept_partial_body)"                                              },
    {"MinimumKeyBits",               DKIM_IMPORT_KEPT,        dkim_import_take_key_bits,
     "verify.min_rsa_bits",                                                                                               NULL                   },
    {"Mode",                         DKIM_IMPORT_KEPT,        dkim_import_take_mode,             "sign.enable",           NULL                   },
    {"MTA",                          DKIM_IMPORT_KEPT,        dkim_import_take_list,             "origin.daemon_names",
     NULL                                                                                                                                        },
    {"MTACommand",                   DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with reports, which are not sent"                                                                                                     },
    {"MultipleSignatures",           DKIM_IMPORT_KEPT,        dkim_import_take_multiple,
     "sign.multiple",                                                                                                     NULL                   },
    {"MustBeSigned",                 DKIM_IMPORT_KEPT,        dkim_import_take_words,
     "verify.required_headers",                                                                                           NULL                   },
    {"Nameservers",                  DKIM_IMPORT_KEPT,        dkim_import_take_list,             "dns.servers",
     NULL                                                                                                                                        },
    {"NoHeaderB",                    DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "header.b is short and tells signatures apart (RFC 6008)"                                                                                   },
    {"OmitHeaders",                  DKIM_IMPORT_KEPT,        dkim_import_take_words,
     "sign.omit_headers",                                                                                                 NULL                   },
    {"On-BadSignature",              DKIM_IMPORT_KEPT,        dkim_import_take_action,
     "verify.on_fail",                                                                                                    NULL                   },
    {"On-Default",                   DKIM_IMPORT_KEPT,        dkim_import_take_on_default,
     "verify.on_fail",                                                                                                    NULL                   },
    {"On-DNSError",                  DKIM_IMPORT_KEPT,        dkim_import_take_action,
     "verify.on_temperror",                                                                                               NULL                   },
    {"On-InternalError",             DKIM_IMPORT_KEPT,        dkim_import_take_action,
     "on_internal_error",                                                                                                 NULL                   },
    {"On-KeyNotFound",               DKIM_IMPORT_KEPT,        dkim_import_take_action,
     "verify.on_no_key",                                                                                                  NULL                   },
    {"On-NoSignature",               DKIM_IMPORT_KEPT,        dkim_import_take_on_none,
     "verify.on_none",                                                                                                    NULL                   },
    {"On-ReputationError",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the reputation code is experimental, and this setting never worked"                                                                        },
    {"On-Security",                  DKIM_IMPORT_KEPT,        dkim_import_take_action,           "on_limit",
     NULL                                                                                                                                        },
    {"On-SignatureError",            DKIM_IMPORT_KEPT,        dkim_import_take_action,
     "sign.on_error",                                                                                                     NULL                   },
    {"OverSignHeaders",              DKIM_IMPORT_KEPT,        dkim_import_take_words,
     "sign.oversign_headers",                                                                                             NULL                   },
    {"PeerList",                     DKIM_IMPORT_KEPT,        dkim_import_take_table,            "exempt_clients",
     NULL                                                                                                                                        },
    {"PidFile",                      DKIM_IMPORT_KEPT,        dkim_import_take_path,             "pid_file",              NULL                   },
    {"POPDBFile",                    DKIM_IMPORT_LOST,        NULL,                              NULL,
     "POP before SMTP makes no mail ours: use logins, or origin.internal_hosts"                                                                  },
    {"Quarantine",                   DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "OpenDKIM itself does nothing with it; an On- setting with quarantine becomes hold"                                                         },
    {"QueryCache",                   DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "answers are cached for as long as DNS allows"                                                                                              },
    {"RateLimits",                   DKIM_IMPORT_LOST,        NULL,                              NULL,
     "limits are the work of mfx-quota or the MTA"                                                                                               },
    {"RedirectFailuresTo",           DKIM_IMPORT_LOST,        NULL,                              NULL,
     "mail is not sent elsewhere: use hold in verify.on_fail"                                                                                    },
    {"RemoveARAll",                  DKIM_IMPORT_KEPT,        dkim_import_take_remove_all,
     "verify.remove_results",                                                                                             NULL                   },
    {"RemoveARFrom",                 DKIM_IMPORT_KEPT,        dkim_import_take_table,
     "verify.remove_results_from",                                                                                        NULL                   },
    {"RemoveOldSignatures",          DKIM_IMPORT_KEPT,        dkim_import_take_bool,
     "sign.remove_signatures",                                                                                            NULL                   },
    {"ReplaceHeaders",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReplaceRules"                                                                                                                    },
    {"ReplaceRules",                 DKIM_IMPORT_LOST,        NULL,                              NULL,
     "fields are not rewritten for signing: rewrite them before (mfx-masq, or the MTA) and sign what leaves"                                     },
    {"ReportAddress",                DKIM_IMPORT_NOT_CARRIED, NULL,                              NULL,
     "reports (RFC 6651) are not sent"                                                                                                           },
    {"ReportBccAddress",             DKIM_IMPORT_NOT_CARRIED, NULL,                              NULL,
     "reports (RFC 6651) are not sent"                                                                                                           },
    {"ReputationCache",              DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationCacheTTL",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationDuplicates",         DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationLimitModifiers",     DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationLimits",             DKIM_IMPORT_LOST,        NULL,                              NULL,
     "reputation is not judged here: use a scanner for it"                                                                                       },
    {"ReputationLowTime",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationMinimum",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationRatios",             DKIM_IMPORT_LOST,        NULL,                              NULL,
     "reputation is not judged here: use a scanner for it"                                                                                       },
    {"ReputationRRDHashDepth",       DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationRRDRoot",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationSpamCheck",          DKIM_IMPORT_LOST,        NULL,                              NULL,
     "reputation is not judged here: use a scanner for it"                                                                                       },
    {"ReputationTest",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationTimeFactor",         DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationTimeout",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"ReputationVerbose",            DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with ReputationLimits; reputation is not judged here: use a scanner for it"                                                           },
    {"RequestReports",               DKIM_IMPORT_NOT_CARRIED, NULL,                              NULL,
     "reports (RFC 6651) are not asked for"                                                                                                      },
    {"RequiredHeaders",              DKIM_IMPORT_KEPT,        dkim_import_take_required,
     "verify.invalid_headers",                                                                                            NULL                   },
    {"RequireSafeKeys",              DKIM_IMPORT_KEPT,        dkim_import_take_not,
     "sign.allow_readable_keys",                                                                                          NULL                   },
    {"ResignAll",                    DKIM_IMPORT_LOST,        NULL,                              NULL,
     "mail that is passed on is not signed again"                                                                                                },
    {"ResignMailTo",                 DKIM_IMPORT_LOST,        NULL,                              NULL,
     "mail that is passed on is not signed again"                                                                                                },
    {"ResolverConfiguration",        DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the resolver is one of its own: see dns.servers"                                                                                           },
    {"ResolverTracing",              DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "the resolver is one of its own: see dns.servers"                                                                                           },
    {"ScreenPolicyScript",           DKIM_IMPORT_LOST,        NULL,                              NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                                  },
    {"SelectCanonicalizationHeader", DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "senders would choose how they are signed"                                                                                                  },
    {"Selector",                     DKIM_IMPORT_KEPT,        dkim_import_take_selector,         "sign.selectors",
     NULL                                                                                                                                        },
    {"SenderHeaders",                DKIM_IMPORT_KEPT,        dkim_import_take_list,
     "sign.sender_headers",                                                                                               NULL                   },
    {"SenderMacro",                  DKIM_IMPORT_KEPT,        dkim_import_take_text,
     "sign.sender_macro",                                                                                                 NULL                   },
    {"SendReports",                  DKIM_IMPORT_NOT_CARRIED, NULL,                              NULL,
     "reports (RFC 6651) are not sent"                                                                                                           },
    {"SetupPolicyScript",            DKIM_IMPORT_LOST,        NULL,                              NULL,
     "there is no Lua here: say it with tables, or keep OpenDKIM for that mail"                                                                  },
    {"SignatureAlgorithm",           DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "the algorithm comes from each key; RSA and Ed25519 keys may sign the same message"                                                         },
    {"SignatureTTL",                 DKIM_IMPORT_KEPT,        dkim_import_take_seconds,          "sign.expire",
     NULL                                                                                                                                        },
    {"SignHeaders",                  DKIM_IMPORT_KEPT,        dkim_import_take_words,            "sign.headers",
     NULL                                                                                                                                        },
    {"SigningTable",                 DKIM_IMPORT_KEPT,        dkim_import_take_signing_table,
     "sign.signing_table",                                                                                                NULL                   },
    {"SMTPURI",                      DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with reports, which are not sent"                                                                                                     },
    {"Socket",                       DKIM_IMPORT_KEPT,        dkim_import_take_socket,           "socket",                NULL                   },
    {"SoftStart",                    DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "tables in databases are asked for each message; one that is away defers mail, and is asked again"                                          },
    {"SoftwareHeader",               DKIM_IMPORT_KEPT,        dkim_import_take_bool,
     "software_header",                                                                                                   NULL                   },
    {"Statistics",                   DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "metrics count signatures and results; every message has a log line"                                                                        },
    {"StatisticsName",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,                    "goes with Statistics" },
    {"StatisticsPolicyScript",       DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with Statistics"                                                                                                                      },
    {"StatisticsPrefix",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "goes with Statistics"                                                                                                                      },
    {"StrictHeaders",                DKIM_IMPORT_KEPT,        dkim_import_take_strict,
     "verify.invalid_headers",                                                                                            NULL                   },
    {"StrictTestMode",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "of OpenDKIM's test mode; see mfxctl dkim verify"                                                                                           },
    {"SubDomains",                   DKIM_IMPORT_KEPT,        dkim_import_take_bool,             "sign.subdomains",
     NULL                                                                                                                                        },
    {"Syslog",                       DKIM_IMPORT_KEPT,        dkim_import_take_syslog,           "log.target",            NULL                   },
    {"SyslogFacility",               DKIM_IMPORT_KEPT,        dkim_import_take_text,             "log.facility",
     NULL                                                                                                                                        },
    {"SyslogName",                   DKIM_IMPORT_KEPT,        dkim_import_take_text,             "log.name",              NULL                   },
    {"SyslogSuccess",                DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "log.level = \"info\" has a line a message"                                                                                                 },
    {"TemporaryDirectory",           DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "nothing is written to temporary files"                                                                                                     },
    {"TestDNSData",                  DKIM_IMPORT_LOST,        NULL,                              NULL,
     "write its rows as \"name TXT text\" into a file and name it in dns.test_data; without it DNS is asked"                                     },
    {"TestPublicKeys",               DKIM_IMPORT_LOST,        NULL,                              NULL,
     "write its rows as \"name TXT text\" into a file and name it in dns.test_data; without it DNS is asked"                                     },
    {"TrustAnchorFile",              DKIM_IMPORT_AUTOMATIC,   NULL,                              NULL,
     "DNSSEC is the work of a validating resolver on this machine: name it in dns.servers and set dns.trust_ad"                                  },
    {"TrustSignaturesFrom",          DKIM_IMPORT_KEPT,        dkim_import_take_table,
     "verify.trusted_signers",                                                                                            NULL                   },
    {"UMask",                        DKIM_IMPORT_KEPT,        dkim_import_take_umask,            "socket_mode",           NULL                   },
    {"UnprotectedKey",               DKIM_IMPORT_KEPT,        dkim_import_take_unprotected,
     "verify.unprotected_key",                                                                                            NULL                   },
    {"UserID",                       DKIM_IMPORT_KEPT,        dkim_import_take_user,             "user",                  NULL                   },
    {"VBR-Certifiers",               DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                          },
    {"VBR-PurgeFields",              DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                          },
    {"VBR-TrustedCertifiers",        DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                          },
    {"VBR-TrustedCertifiersOnly",    DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                          },
    {"VBR-Type",                     DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "VBR (RFC 5518) is used by nobody"                                                                                                          },
    {"WeakSyntaxChecks",             DKIM_IMPORT_DROPPED,     NULL,                              NULL,
     "results say neutral for what cannot be read, and mail passes"                                                                              },
    {"X-Header",                     DKIM_IMPORT_KEPT,        dkim_import_take_bool,             "software_header",
     NULL                                                                                                                                        },
};

const char *
dkim_import_known_name(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? rows[index].name : NULL;
}

static const struct dkim_import_row *
find_row(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mfx_str_is_nocase(name, rows[i].name))
            return &rows[i];
    return NULL;
}

static void
answer(struct dkim_import *import, const struct dkim_import_given *given)
{
    const struct dkim_import_row *row = find_row(given->name);
    if (row == NULL) {
        dkim_import_say(import, given, DKIM_IMPORT_UNKNOWN,
                        "no setting of OpenDKIM 2.10 to 2.11");
        return;
    }
    if (row->take == NULL) {
        dkim_import_say(import, given, row->fate, "%s", row->why);
        return;
    }
    bool had_losses = import->has_losses;
    import->has_losses = false;
    row->take(import, row, given);
    if (!import->has_losses)
        dkim_import_say(import, given, row->fate, "%s", row->target);
    import->has_losses = import->has_losses || had_losses;
}

/* --- what OpenDKIM does when nothing is said --- */

static const struct {
    const char *name, *value, *remark;
} defaults[] = {
    {"sign.canonicalization", "\"simple/simple\"",
     "OpenDKIM's default; relaxed/relaxed survives more on the way"               },
    {"sign.multiple",         "false",
     "OpenDKIM's default; true lets every matching row sign"                      },
    {"sign.on_from",          "\"first\"",
     "as OpenDKIM: by the first address; \"refuse\" is safer"                     },
    {"origin.internal_hosts", "\"csl:127.0.0.1,::1\"", "OpenDKIM's default"       },
    {"origin.daemon_names",   "[]",                    "OpenDKIM's default: none" },
    {"verify.ours",           "true",
     "as OpenDKIM: mail of ours that no row signs is verified"                    },
    {"verify.report_none",    "false",
     "OpenDKIM's default; true reports mail without a signature as well"          },
    {"verify.max_signatures", "3",                     "OpenDKIM's default"       },
    {"verify.remove_results", "\"own\"",
     "as OpenDKIM: those with results of dkim; \"all\" is safer when nobody "
     "before us\nin this MTA writes Authentication-Results"                       },
    {"verify.on_temperror",   "\"tempfail\"",          "OpenDKIM's On-DNSError"   },
    {"header_bytes",          "\"64K\"",               "OpenDKIM's MaximumHeaders"},
};

/* Names of ours that no row and no default has. */
static const char *const more_targets[] = {
    "verify.enable",       "group",
    "sign.min_rsa_bits",   "verify.on_policy",
    "verify.on_permerror", "sign.key_directory"};

const char *
dkim_import_target_name(size_t index)
{
    size_t n = sizeof rows / sizeof rows[0];
    if (index < n)
        return rows[index].target == NULL ? "mode" : rows[index].target;
    index -= n;
    n = sizeof defaults / sizeof defaults[0];
    if (index < n)
        return defaults[index].name;
    index -= n;
    return index < sizeof more_targets / sizeof more_targets[0]
               ? more_targets[index]
               : NULL;
}

static void
take_places(struct dkim_import *import)
{
    const struct dkim_import_given *root =
        dkim_import_find(import, "ChangeRootDirectory");
    const struct dkim_import_given *base =
        dkim_import_find(import, "BaseDirectory");
    if (root != NULL)
        import->root = root->value;
    if (base != NULL)
        import->base = base->value;
    if (import->root.len > 0 || import->base.len > 0) /* "./" in a KeyTable */
        dkim_import_set_text(import, "sign.key_directory",
                             mfx_arena_printf(import->arena, "%.*s%.*s",
                                              MFX_STR_ARG(import->root),
                                              MFX_STR_ARG(import->base)),
                             NULL);
}

/* The last of each name is in force; the others are said to be overridden. */
static bool
is_overridden(struct dkim_import *import, const struct dkim_import_given *given)
{
    const struct dkim_import_row *row = find_row(given->name);
    const struct dkim_import_given *last =
        row == NULL ? given : dkim_import_find(import, row->name);
    if (last == given)
        return false;
    dkim_import_say(import, given, DKIM_IMPORT_DROPPED,
                    "a later line (%s:%u) overrides it", last->file,
                    last->line);
    return true;
}

void
dkim_import_convert(struct dkim_import *import)
{
    take_places(import);
    for (struct dkim_import_given *g = import->given; g != NULL; g = g->next)
        if (!is_overridden(import, g))
            answer(import, g);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        dkim_import_set(import, defaults[i].name, mfx_str_of(defaults[i].value),
                        defaults[i].remark);
}
