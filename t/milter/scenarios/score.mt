# SPDX-License-Identifier: BSD-2-Clause
# All engines enforce; their answers are in the mail (t/lib/scanliar).
test all three say that it is fine
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Subject: a message

body
.
expect continue
count X-Spam-Flag 0
has X-Spam-Score *
has X-Spam-Status *No*
has X-Virus-Scanned *
log 4T*: passed verdict=continue *

test rspamd proposes reject
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *
log 4T*: rejected *

test the queue id is in the reply
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *4T*

test rspamd proposes reject, with a text of its own
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15, "messages": {"smtp_message": "Go away: see https://example.net/why"}}
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 Go away: see https://example.net/why*

test rspamd proposes soft reject
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "soft reject", "score": 3, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 451 4.7.1 *

test rspamd proposes soft reject, with a text of its own
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "soft reject", "score": 3, "required_score": 15, "messages": {"smtp_message": "Come back in 5 minutes"}}
From: a@example.org
Subject: a message

body
.
expect replycode 451 4.7.1 Come back in 5 minutes*

test rspamd proposes add header
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "add header", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has X-Spam-Status *Yes*
has Subject *a message

test rspamd proposes rewrite subject
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "rewrite subject", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has Subject *SPAM*a message*

test rspamd proposes rewrite subject, and says how
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "rewrite subject", "score": 2, "required_score": 15, "subject": "*** a message"}
From: a@example.org
Subject: a message

body
.
expect continue
has Subject *\x2a\x2a\x2a a message

test rspamd proposes quarantine
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "quarantine", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
edit-count quarantine * 1

test rspamd proposes discard
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "discard", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect discard

test rspamd proposes greylist: that is its own affair
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "greylist", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
count X-Spam-Flag 0

test rspamd removes and adds fields
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 1, "required_score": 15, "milter": {"remove_headers": {"X-Old": 0, "X-Twice": -1}, "add_headers": {"X-New": "one", "X-Old": "new"}}}
X-Old: 1
X-Old: 2
X-Twice: first
X-Twice: last
From: a@example.org
Subject: a message

body
.
expect continue
has X-New *one
count X-Old 1 *new
count X-Twice 1 *first

test rspamd inserts fields at places
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 1, "required_score": 15, "milter": {"add_headers": {"X-Top": {"value": "t", "order": 0}, "X-Second": {"value": "s", "order": 1}, "X-Last": {"value": "l", "order": -1}}}}
From: a@example.org
Subject: a message

body
.
expect continue
edit-count insert X-Top 1
edit-count insert X-Second 1
has X-Last *l

test rspamd changes the envelope
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 1, "required_score": 15, "milter": {"change_from": "other@example.org", "add_rcpt": ["more@example.net"], "del_rcpt": ["b@example.net"]}}
From: a@example.org
Subject: a message

body
.
expect continue
edit-count sender *other@example.org* 1
edit-count add-rcpt *more@example.net* 1
edit-count delete-rcpt *b@example.net* 1

test rspamd signs
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action":"no action","score":1,"dkim-signature":"v=1; a=rsa-sha256; d=example.org;\\r\\n\\tb=abc"}
From: a@example.org
Subject: a message

body
.
expect continue
has DKIM-Signature *v=1;*b=abc

test fields for spam only come with add header
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 1, "required_score": 15, "milter": {"spam_header": {"X-Junk": "very"}}}
From: a@example.org
Subject: a message

body
.
expect continue
count X-Junk 0

test and then they do
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "add header", "score": 7, "required_score": 15, "milter": {"spam_header": {"X-Junk": "very"}}}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has X-Junk *very

test rspamd wants edits and no action
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 2, "required_score": 15, "milter": {"no_action": true, "add_headers": {"X-New": "one"}}}
From: a@example.org
Subject: a message

body
.
expect continue
has X-New *one

test spamd says spam
start
envelope <a@example.org> <b@example.net>
message
Liar-Spamd: True ; 5.5 / 5.0 | FIVE,SIX
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has X-Spam-Status *FIVE*

test spamd says 20 points
start
envelope <a@example.org> <b@example.net>
message
Liar-Spamd: True ; 20.0 / 5.0 | TWENTY
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *

test the scores of both are added
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 3.25, "required_score": 15}
Liar-Spamd: False ; 4.75 / 5.0 | FOUR
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has X-Spam-Score *8*
has Subject *SPAM*a message*

test a negative one, too
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 6, "required_score": 15}
Liar-Spamd: False ; -2.5 / 5.0 | GOOD
From: a@example.org
Subject: a message

body
.
expect continue
count X-Spam-Flag 0
has X-Spam-Score *3.5*

test a threshold is reached by a thousandth
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 4.999, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
count X-Spam-Flag 0

test and not missed by none
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 5, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*

test clamd finds a virus
start
envelope <a@example.org> <b@example.net>
message
Liar-Clamd: Eicar-Test FOUND
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *Eicar-Test*4T*

test clamd finds something unwanted
start
envelope <a@example.org> <b@example.net>
message
Liar-Clamd: PUA.Win.Tool FOUND
From: a@example.org
Subject: a message

body
.
expect continue
has X-Virus-Status *PUA.Win.Tool*

test clamd finds an encrypted archive
start
envelope <a@example.org> <b@example.net>
message
Liar-Clamd: Heuristics.Encrypted.Zip FOUND
From: a@example.org
Subject: a message

body
.
expect continue
has X-Virus-Status *Encrypted.Zip*

test clamd finds macros: they count three points
start
envelope <a@example.org> <b@example.net>
message
Liar-Clamd: Heuristics.OLE2.ContainsMacros FOUND
Liar-Rspamd: {"action": "no action", "score": 2, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
has X-Spam-Score *5*

test a virus, whatever the others say
start
envelope <a@example.org> <b@example.net>
message
Liar-Clamd: Eicar-Test FOUND
Liar-Rspamd: {"action": "no action", "score": -20, "required_score": 15}
Liar-Spamd: !silent
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *Eicar-Test*
within 3500

test forged fields are removed
start
envelope <a@example.org> <b@example.net>
message
X-Spam: Yes
X-Spam-Flag: YES
X-Spam-Other: 1
X-Virus-Status: Clean by me
From: a@example.org
Subject: a message

body
.
expect continue
count X-Spam-Flag 0
count X-Spam-Other 0
count X-Virus-Status 1
count X-Spam 0

test the subject is tagged once
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "rewrite subject", "score": 9, "required_score": 15}
From: a@example.org
Subject: [SPAM] a message

body
.
expect continue
has Subject *[SPAM] a message
count Subject 0 *SPAM*SPAM*

test no subject, and one is wanted
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "rewrite subject", "score": 9, "required_score": 15}
From: a@example.org

body
.
expect continue
count Subject 1 *SPAM*

test a subject in other letters
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "rewrite subject", "score": 9, "required_score": 15}
From: a@example.org
Subject: =?utf-8?Q?gr=C3=BCn?=

body
.
expect continue
count Subject 1 *SPAM*

test a recipient without spam actions
start
envelope <a@example.org> <off@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue

test but viruses
start
envelope <a@example.org> <off@example.net>
message
Liar-Clamd: Eicar-Test FOUND
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *

test a recipient of another profile
start
envelope <a@example.org> <strict@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 3, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *

test a recipient with a threshold of its own
start
envelope <a@example.org> <four@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 4, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*

test they differ: what all want is done, the rest is said
start
envelope <a@example.org> <strict@example.net> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 4, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Action *reject*

test a skipped sender
start
envelope <friend@example.com> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue|accept
count X-Spam-Flag 0

test a skipped client
connect trusted.example 192.0.2.99
helo trusted.example
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue|accept
count X-Spam-Flag 0

test mail of ours has thresholds of its own
macro {auth_authen}=joe
macro {auth_type}=PLAIN
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 9, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
edit-count quarantine * 0

test a login that sends spam is held
macro {auth_authen}=joe
macro {auth_type}=PLAIN
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 10, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
edit-count quarantine * 1
log *outgoing_spam login=joe *action=hold*

test a login of another profile
macro {auth_authen}=shared
macro {auth_type}=PLAIN
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 3, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 554 5.7.1 *

test a mail without a body
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 5, "required_score": 15}
From: a@example.org
Subject: a message


.
expect continue
has X-Spam-Flag *YES*

test a null sender
start
envelope <> <b@example.net>
message
Liar-Rspamd: {"action": "no action", "score": 5, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*

test two mails in one session
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "reject", "score": 20, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect replycode 554*
envelope <a@example.org> <b@example.net>
message
From: a@example.org

body
.
expect continue
count X-Spam-Flag 0

test the same behind Sendmail
mta sendmail
start
envelope <a@example.org> <b@example.net>
message
Liar-Rspamd: {"action": "add header", "score": 7, "required_score": 15}
From: a@example.org
Subject: a message

body
.
expect continue
has X-Spam-Flag *YES*
