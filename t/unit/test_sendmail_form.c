/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a real Sendmail 8.17.1 sent for the values of t/mta/sendmail_forms.txt
 * is what mfx says it will send. (sendmail_forms.t asks a real one again.)
 */
#include "unit.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

static const struct mfx_str host = MFX_STR("mx.sendmail.test");

static void
as_sendmail(void **state)
{
    /* the values are their own labels */
    static const struct {
        const char *name, *in, *want;
    } cases[] = {
        {"Cc",                          " a@x.test",                                                                                                                                                                                                                                       " a@x.test"                    },
        {"Cc",                          "a@x.test",                                                                                                                                                                                                                                        "a@x.test"                     },
        {"Cc",                          "   a@x.test",                                                                                                                                                                                                                                     "   a@x.test"                  },
        {"Cc",                          "\ta@x.test",                                                                                                                                                                                                                                      " a@x.test"                    },
        {"Cc",                          "\n\ta@x.test",                                                                                                                                                                                                                                    "  a@x.test"                   },
        {"Cc",                          " a@x.test ",                                                                                                                                                                                                                                      " a@x.test"                    },
        {"Cc",                          " a@x.test,b@x.test",                                                                                                                                                                                                                              " a@x.test, b@x.test"          },
        {"Cc",                          " a@x.test ,b@x.test , c@x.test",
         " a@x.test, b@x.test, c@x.test"                                                                                                                                                                                                                                                                                  },
        {"Cc",                          " a@x.test,,b@x.test,",                                                                                                                                                                                                                            " a@x.test, b@x.test"          },
        {"Cc",                          " , a@x.test",                                                                                                                                                                                                                                     " a@x.test"                    },
        {"Cc",                          " a@x.test,\n\tb@x.test",                                                                                                                                                                                                                          " a@x.test, b@x.test"          },
        {"Cc",                          " a@x.test\n\t,b@x.test",                                                                                                                                                                                                                          " a@x.test, b@x.test"          },
        {"Cc",                          " A <a@x.test>,\n B <b@x.test>,\n\tC <c@x.test>",
         " A <a@x.test>, B <b@x.test>, C <c@x.test>"                                                                                                                                                                                                                                                                      },
        {"Cc",
         " user0@example.org,user1@example.org,user2@example.org,user3@example.org,user4@example.org,user5@example.org,user6@example.org,user7@example.org",
         " user0@example.org, user1@example.org, user2@example.org, user3@example.org,\n        user4@example.org, user5@example.org, user6@example.org,\n        user7@example.org"                                                                                                                                      },
        {"Cc",
         " a.very.long.address.that.fills.the.line.by.itself.alone@a.very.long.domain.name.example.org,b@x.test",
         " a.very.long.address.that.fills.the.line.by.itself.alone@a.very.long.domain.name.example.org,\n        b@x.test"                                                                                                                                                                                                },
        {"Reply-To",
         " user0@example.org,user1@example.org,user2@example.org,user3@example.org,user4@example.org",
         " user0@example.org, user1@example.org, user2@example.org,\n        user3@example.org, user4@example.org"                                                                                                                                                                                                        },
        {"To",
         " user0@example.org, user1@example.org, user2@example.org, user3@example.org,\n user4@example.org",
         " user0@example.org, user1@example.org, user2@example.org, user3@example.org,\n        user4@example.org"                                                                                                                                                                                                        },
        {"Cc",                          "",                                                                                                                                                                                                                                                ""                             },
        {"Cc",                          " ",                                                                                                                                                                                                                                               " "                            },
        {"Cc",                          " ,",                                                                                                                                                                                                                                              " "                            },
        {"Cc",                          " A B <a@x.test>",                                                                                                                                                                                                                                 " A B <a@x.test>"              },
        {"Cc",                          " A<a@x.test>",                                                                                                                                                                                                                                    " A<a@x.test>"                 },
        {"Cc",                          " A  B  <a@x.test>",                                                                                                                                                                                                                               " A  B  <a@x.test>"            },
        {"Cc",                          " A\n\tB <a@x.test>",                                                                                                                                                                                                                              " A\n\tB <a@x.test>"           },
        {"Cc",                          " A B\n\t<a@x.test>",                                                                                                                                                                                                                              " A B\n\t<a@x.test>"           },
        {"Cc",                          " \"A B\" <a@x.test>",                                                                                                                                                                                                                             " \"A B\" <a@x.test>"          },
        {"Cc",                          " \"Doe, John\" <a@x.test>",                                                                                                                                                                                                                       " \"Doe, John\" <a@x.test>"    },
        {"Cc",                          " \"a \\\"b\\\" c\" <a@x.test>",
         " \"a \\\"b\\\" c\" <a@x.test>"                                                                                                                                                                                                                                                                                  },
        {"Cc",                          " Joe Q. Public <a@x.test>",                                                                                                                                                                                                                       " \"Joe Q. Public\" <a@x.test>"},
        {"Cc",                          " Joe.Public<a@x.test>",                                                                                                                                                                                                                           " \"Joe.Public\"<a@x.test>"    },
        {"Cc",                          " O'Neil <a@x.test>",                                                                                                                                                                                                                              " \"O'Neil\" <a@x.test>"       },
        {"Cc",                          " [List] Joe <a@x.test>",                                                                                                                                                                                                                          " \"[List] Joe\" <a@x.test>"   },
        {"Cc",                          " joe@x.test <a@x.test>",                                                                                                                                                                                                                          " \"joe@x.test\" <a@x.test>"   },
        {"Cc",                          " Foo @ Bar <x@y.test>",                                                                                                                                                                                                                           " \"Foo @ Bar\" <x@y.test>"    },
        {"Cc",                          " @foo <x@y.test>",                                                                                                                                                                                                                                " \"@foo\" <x@y.test>"         },
        {"Cc",                          " foo@ <x@y.test>",                                                                                                                                                                                                                                " \"foo@\" <x@y.test>"         },
        {"Cc",                          " foo@[1.2.3.4] <x@y.test>",                                                                                                                                                                                                                       " \"foo@[1.2.3.4]\" <x@y.test>"},
        {"Cc",                          " J. (Joe) Doe <a@x.test>",                                                                                                                                                                                                                        " \"J. (Joe) Doe\" <a@x.test>" },
        {"Cc",                          " \"A\" b. <a@x.test>",                                                                                                                                                                                                                            " \"\\\"A\\\" b.\" <a@x.test>" },
        {"Cc",                          " \"A\" b <a@x.test>",                                                                                                                                                                                                                             " \"A\" b <a@x.test>"          },
        {"Cc",                          " J\xC3\xB6rg <a@x.test>",                                                                                                                                                                                                                         " J\xC3\xB6rg <a@x.test>"      },
        {"Cc",                          " J\xF6rg <a@x.test>",                                                                                                                                                                                                                             " J\xF6rg <a@x.test>"          },
        {"Cc",
         " \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC <a@x.test>, Bob Example <b@x.test>",
         " \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC <a@x.test>, Bob Example <b@x.test>"                                                                                                                                                               },
        {"Cc",
         " \xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF <a@x.test>, Bob Example <b@x.test>",
         " \xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF <a@x.test>, Bob Example <b@x.test>"                                                                                                                                                                                               },
        {"Cc",                          " =?utf-8?Q?J=C3=B6rg_M=2E?= <a@x.test>",
         " =?utf-8?Q?J=C3=B6rg_M=2E?= <a@x.test>"                                                                                                                                                                                                                                                                         },
        {"Cc",                          " =?utf-8?Q?J=C3=B6rg_M.?= <a@x.test>",
         " \"=?utf-8?Q?J=C3=B6rg_M.?=\" <a@x.test>"                                                                                                                                                                                                                                                                       },
        {"Cc",                          " A - B & C = D! <a@x.test>",                                                                                                                                                                                                                      " A - B & C = D! <a@x.test>"   },
        {"Cc",                          " $g $j % <a@x.test>",                                                                                                                                                                                                                             " $g $j % <a@x.test>"          },
        {"From",                        " Joe Q. Public <a@x.test>",                                                                                                                                                                                                                       " \"Joe Q. Public\" <a@x.test>"},
        {"From",                        " \"x\" <a@x.test>,b@x.test",                                                                                                                                                                                                                      " \"x\" <a@x.test>, b@x.test"  },
        {"Sender",                      " Joe Q. Public <a@x.test>",
         " \"Joe Q. Public\" <a@x.test>"                                                                                                                                                                                                                                                                                  },
        {"Errors-To",                   " Joe Q. Public <a@x.test>",
         " \"Joe Q. Public\" <a@x.test>"                                                                                                                                                                                                                                                                                  },
        {"Disposition-Notification-To", " Joe Q. Public <a@x.test>",
         " \"Joe Q. Public\" <a@x.test>"                                                                                                                                                                                                                                                                                  },
        {"Apparently-To",               " Joe Q. Public <a@x.test>",
         " \"Joe Q. Public\" <a@x.test>"                                                                                                                                                                                                                                                                                  },
        {"Cc",                          " a@x.test (A B)",                                                                                                                                                                                                                                 " a@x.test (A B)"              },
        {"Cc",                          " a@x.test(A B)",                                                                                                                                                                                                                                  " a@x.test (A B)"              },
        {"Cc",                          " (A B) a@x.test",                                                                                                                                                                                                                                 " (A B) a@x.test"              },
        {"Cc",                          " (A B)a@x.test",                                                                                                                                                                                                                                  " (A B) a@x.test"              },
        {"Cc",                          " a(A. B)@x.test",                                                                                                                                                                                                                                 " a@x.test (A. B)"             },
        {"Cc",                          " a@x.test (A (B) \\) C)",                                                                                                                                                                                                                         " a@x.test (A (B) \\) C)"      },
        {"Cc",                          " a@x.test (A) (B)",                                                                                                                                                                                                                               " a@x.test (A) (B)"            },
        {"Cc",                          " (A) (B) a@x.test",                                                                                                                                                                                                                               " (A) a@x.test (B)"            },
        {"Cc",                          " <a@x.test> (A)",                                                                                                                                                                                                                                 " <a@x.test> (A)"              },
        {"Cc",                          " <a@x.test>(A)",                                                                                                                                                                                                                                  " <a@x.test>(A)"               },
        {"Cc",                          " (A) <a@x.test>",                                                                                                                                                                                                                                 " (A) <a@x.test>"              },
        {"Cc",                          " a@x.test (A\n\tB)",                                                                                                                                                                                                                              " a@x.test (A\n\tB)"           },
        {"Cc",                          " (A)",                                                                                                                                                                                                                                            " (A)"                         },
        {"Cc",                          " (A B), a@x.test",                                                                                                                                                                                                                                " (A B), a@x.test"             },
        {"Cc",                          " <a@x.test>",                                                                                                                                                                                                                                     " <a@x.test>"                  },
        {"Cc",                          " < a @ x.test >",                                                                                                                                                                                                                                 " <a@x.test>"                  },
        {"Cc",                          " a . b @ x . test",                                                                                                                                                                                                                               " a.b@x.test"                  },
        {"Cc",                          " <@r.test:a@x.test>",                                                                                                                                                                                                                             " <a@x.test>"                  },
        {"Cc",                          " <@r.test,@s.test:a@x.test>",                                                                                                                                                                                                                     " <a@x.test>"                  },
        {"Cc",                          " A <@r.test,@s.test:a@x.test>, b@x.test",
         " A <a@x.test>, b@x.test"                                                                                                                                                                                                                                                                                        },
        {"Cc",                          " root",                                                                                                                                                                                                                                           " root@mx.sendmail.test"       },
        {"Cc",                          " root (x)",                                                                                                                                                                                                                                       " root@mx.sendmail.test (x)"   },
        {"Cc",                          " <root>",                                                                                                                                                                                                                                         " <root@mx.sendmail.test>"     },
        {"Cc",                          " Root <root>",                                                                                                                                                                                                                                    " Root <root@mx.sendmail.test>"},
        {"Cc",                          " \"a b\"",                                                                                                                                                                                                                                        " \"a b\"@mx.sendmail.test"    },
        {"Cc",                          " root, a@x.test, daemon",
         " root@mx.sendmail.test, a@x.test, daemon@mx.sendmail.test"                                                                                                                                                                                                                                                      },
        {"Cc",                          " a@localhost",                                                                                                                                                                                                                                    " a@mx.sendmail.test"          },
        {"Cc",                          " a@localhost.sendmail.test",                                                                                                                                                                                                                      " a@mx.sendmail.test"          },
        {"Cc",                          " a@x.test.",                                                                                                                                                                                                                                      " a@x.test"                    },
        {"Cc",                          " a@[192.0.2.1]",                                                                                                                                                                                                                                  " a@[192.0.2.1]"               },
        {"Cc",                          " a@[IPv6:2001:db8::1]",                                                                                                                                                                                                                           " a@[IPv6:2001:db8::1]"        },
        {"Cc",                          " \"a b\"@x.test",                                                                                                                                                                                                                                 " \"a b\"@x.test"              },
        {"Cc",                          " \"a@b\"@x.test",                                                                                                                                                                                                                                 " \"a@b\"@x.test"              },
        {"Cc",                          " \"a\".\"b c\"@x.test",                                                                                                                                                                                                                           " \"a\".\"b c\"@x.test"        },
        {"Cc",                          " a..b@x.test",                                                                                                                                                                                                                                    " a..b@x.test"                 },
        {"Cc",                          " a.@x.test",                                                                                                                                                                                                                                      " a.@x.test"                   },
        {"Cc",                          " .a@x.test",                                                                                                                                                                                                                                      " .a@x.test"                   },
        {"Cc",                          " N <a...b..@x.test>",                                                                                                                                                                                                                             " N <a...b..@x.test>"          },
        {"Cc",                          " o'neil@x.test",                                                                                                                                                                                                                                  " o'neil@x.test"               },
        {"Cc",                          " a+b/c=d@x.test",                                                                                                                                                                                                                                 " a+b/c=d@x.test"              },
        {"Cc",                          " #!$%&'*+-/=?^_`{|}~@x.test",                                                                                                                                                                                                                     " #!$%&'*+-/=?^_`{|}~@x.test"  },
        {"Cc",                          " a%b@x.test",                                                                                                                                                                                                                                     " a%b@x.test"                  },
        {"Cc",                          " a!b@x.test",                                                                                                                                                                                                                                     " a!b@x.test"                  },
        {"Cc",                          " j\xC3\xB6@x.test",                                                                                                                                                                                                                               " j\xC3\xB6@x.test"            },
        {"Cc",                          " a@b\xC3\xBC.test",                                                                                                                                                                                                                               " a@b\xC3\xBC.test"            },
        {"Cc",                          " <>",                                                                                                                                                                                                                                             " <>"                          },
        {"Cc",                          " A <>",                                                                                                                                                                                                                                           " A <>"                        },
        {"Cc",                          " undisclosed-recipients:;",                                                                                                                                                                                                                       " undisclosed-recipients:;"    },
        {"Cc",                          " undisclosed-recipients: ;",                                                                                                                                                                                                                      " undisclosed-recipients: ;"   },
        {"Cc",                          " G: a@x.test,b@x.test;",                                                                                                                                                                                                                          " G: a@x.test, b@x.test;"      },
        {"Cc",                          " G:A <a@x.test>,B <b@x.test> ;, c@x.test",
         " G:A <a@x.test>, B <b@x.test> ;, c@x.test"                                                                                                                                                                                                                                                                      },
        {"Cc",                          " G.h: a@x.test;",                                                                                                                                                                                                                                 " \"G.h\": a@x.test;"          },
        {"Cc",                          " \"G, h\": a@x.test;",                                                                                                                                                                                                                            " \"G, h\": a@x.test;"         },
        {"Cc",                          " G: a@x.test ;",                                                                                                                                                                                                                                  " G: a@x.test;"                },
        {"Cc",                          " G:\n\ta@x.test;",                                                                                                                                                                                                                                " G:\n\ta@x.test;"             },
        {"Cc",                          " G: root;",                                                                                                                                                                                                                                       " G: root@mx.sendmail.test;"   },
        {"Cc",                          " G: A <a@[IPv6:2001:db8::1]>;",
         " G: A <a@[IPv6:2001:db8::1]>;"                                                                                                                                                                                                                                                                                  },
        {"Cc",
         " \"A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than 250\" <a@x.test>",
         " <a@x.test>"                                                                                                                                                                                                                                                                                                    },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str name = mfx_str_of(cases[i].name), form, again;
        unit_assert_int(cases[i].in,
                        mfx_address_sendmail_form(name, mfx_str_of(cases[i].in),
                                                  host, arena, &form),
                        MFX_OK);
        unit_assert_str(cases[i].in, form, mfx_str_of(cases[i].want));
        unit_assert_int(
            cases[i].in,
            mfx_address_sendmail_form(name, form, host, arena, &again), MFX_OK);
        unit_assert_str(cases[i].in, again, form);
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
}

static void
no_form(void **state)
{
    static const struct {
        const char *name, *in;
    } cases[] = {
        {"Cc", " (A)(B)"                                                                                                                                                                                                                                                                                                        },
        {"Cc", " a b@x.test"                                                                                                                                                                                                                                                                                                    },
        {"Cc", " a@x.test b@x.test"                                                                                                                                                                                                                                                                                             },
        {"Cc", " A \"B"                                                                                                                                                                                                                                                                                                         },
        {"Cc", " A (B <a@x.test>"                                                                                                                                                                                                                                                                                               },
        {"Cc", " A <a@x.test"                                                                                                                                                                                                                                                                                                   },
        {"Cc", " a@x.test>"                                                                                                                                                                                                                                                                                                     },
        {"Cc", " A <a@x.test> B"                                                                                                                                                                                                                                                                                                },
        {"Cc", " A <a@x.test> <b@x.test>"                                                                                                                                                                                                                                                                                       },
        {"Cc", " A <<a@x.test>>"                                                                                                                                                                                                                                                                                                },
        {"Cc", " [A <a@x.test>]"                                                                                                                                                                                                                                                                                                },
        {"Cc", " a@x.test)"                                                                                                                                                                                                                                                                                                     },
        {"Cc", " A\\B <a@x.test>"                                                                                                                                                                                                                                                                                               },
        {"Cc", " a@x.test; b@x.test"                                                                                                                                                                                                                                                                                            },
        {"Cc", " @x.test"                                                                                                                                                                                                                                                                                                       },
        {"Cc", " a@"                                                                                                                                                                                                                                                                                                            },
        {"Cc", " a@b@x.test"                                                                                                                                                                                                                                                                                                    },
        {"Cc", " g: h: a@x.test;"                                                                                                                                                                                                                                                                                               },
        {"Cc", " h::a"                                                                                                                                                                                                                                                                                                          },
        {"Cc", " : a@x.test;"                                                                                                                                                                                                                                                                                                   },
        {"Cc", " g: a@[IPv6:2001:db8::1];"                                                                                                                                                                                                                                                                                      },
        {"Cc", " g: a@x.test"                                                                                                                                                                                                                                                                                                   },
        {"Cc",
         " g: a@x.test, \"A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets A name that is longer than two hundred and fifty octets\" <b@x.test>;"},
        {"Cc", " a!b"                                                                                                                                                                                                                                                                                                           },
        {"Cc", " a%b"                                                                                                                                                                                                                                                                                                           },
        {"Cc", " a@b.UUCP"                                                                                                                                                                                                                                                                                                      },
        {"Cc", " a@[127.0.0.1]"                                                                                                                                                                                                                                                                                                 },
        {"Cc", " a@x..test"                                                                                                                                                                                                                                                                                                     },
        {"Cc", " j\xC3\x9F@x.test"                                                                                                                                                                                                                                                                                              },
        {"Cc", " \x01 <a@x.test>"                                                                                                                                                                                                                                                                                               },
        {"Cc", " a@x.test\nX-Other: y"                                                                                                                                                                                                                                                                                          },
        {"Cc", " a@x.test\n"                                                                                                                                                                                                                                                                                                    },
        {"Cc", " a@x.test,\n \n b@x.test"                                                                                                                                                                                                                                                                                       },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str name = mfx_str_of(cases[i].name), form;
        unit_assert_int(cases[i].in,
                        mfx_address_sendmail_form(name, mfx_str_of(cases[i].in),
                                                  host, arena, &form),
                        MFX_PERMFAIL);
        unit_assert_int(cases[i].in, form.len, 0);
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
}

static void
qualify(void **state)
{
    static const struct mfx_str none = {0};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str to = mfx_str_of("To"), form;
    (void)state;
    assert_int_equal(mfx_address_sendmail_form(to, mfx_str_of(" root,<a>"),
                                               none, arena, &form),
                     MFX_OK);
    unit_assert_str("not", form, mfx_str_of(" root, <a>"));
    assert_int_equal(mfx_address_sendmail_form(to, mfx_str_of(" a@localhost"),
                                               none, arena, &form),
                     MFX_PERMFAIL);
    struct mfx_arena *small = mfx_arena_new(1);
    assert_int_equal(
        mfx_address_sendmail_form(to, mfx_str_of(" root"), host, small, &form),
        MFX_TEMPFAIL);
    mfx_arena_free(small);
    mfx_arena_free(arena);
}

/* The values may fill a whole line, and lists may be long. */
static void
large(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str form, again;
    struct mfx_buf in;
    (void)state;
    mfx_buf_init(&in, 1000000);
    for (int i = 0; i < 5000; i++)
        mfx_buf_printf(&in, "%s\"User %d.\" <u%d@example.org>",
                       i == 0 ? " " : ",", i, i);
    assert_int_equal(mfx_address_sendmail_form(mfx_str_of("Cc"),
                                               mfx_buf_str(&in), host, arena,
                                               &form),
                     MFX_OK);
    assert_int_equal(
        mfx_address_sendmail_form(mfx_str_of("Cc"), form, host, arena, &again),
        MFX_OK);
    assert_true(mfx_str_eq(form, again));
    mfx_buf_fini(&in);
    mfx_arena_free(arena);
}

static void
rewrites(void **state)
{
    static const char *const yes[] = {
        "From",
        "to",
        "CC",
        "Bcc",
        "Sender",
        "Reply-To",
        "Errors-To",
        "Apparently-To",
        "Disposition-Notification-To",
        "Resent-From",
        "Resent-To",
        "Resent-Cc",
        "Resent-Bcc",
        "Resent-Sender",
        "Resent-Reply-To",
    };
    static const char *const no[] = {
        "X-To",
        "Subject",
        "Mail-Followup-To",
        "Return-Receipt-To",
        "Delivered-To",
        "Tos",
        "Fro",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        unit_assert_int(
            yes[i], mfx_address_sendmail_rewrites(mfx_str_of(yes[i])), true);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        unit_assert_int(no[i], mfx_address_sendmail_rewrites(mfx_str_of(no[i])),
                        false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_sendmail), cmocka_unit_test(no_form),
        cmocka_unit_test(qualify),     cmocka_unit_test(large),
        cmocka_unit_test(rewrites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
