#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl masq: what it says of addresses, messages and tables, and what it
# makes of words that are none.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file);
use Test::More;

plan skip_all => 'mfxctl-masq is not built' if !-x build() . '/mfxctl-masq';
my $dir = dir();
write_file('common.conf', 'user = "' . getpwuid($>) . "\";\n");
write_file('secret', "abcdefghijklmnopqrstuvwxyz\n");

sub config {
    my ($name, $text) = @_;
    return write_file("$name.conf", $text);
}

my $conf = config('masq', <<"END");
our_domains = "csl:example.org,.example.org";
origin_domain = "example.org";
rules = (
 { name = "people"; kind = "canonical";
   maps = ( "inline:alice\@host.example.org=Alice.Smith\@example.org,bob\@host.example.org=\@other.example.org" ); },
 { name = "hide"; kind = "masquerade"; domains = "csl:!keep.example.org,example.org"; exceptions = "csl:root";
   classes = [ "envelope_sender", "header_sender" ]; },
 { name = "partner"; kind = "canonical"; maps = ( "inline:\@example.org=\@partner.example" );
   classes = [ "header_sender" ]; if_recipient_domains = "csl:partner.example"; },
 { name = "elsewhere"; kind = "canonical"; whose = "foreign"; maps = ( "inline:\@in.example=\@example.org" ); }
);
srs: { domain = "srs.example.org"; secrets_file = "$dir/secret"; };
from_guard: { enable = true; addresses = ( "inline:alice=\@host.example.org" ); };
END
my @masq = ('masq');
my @conf = ('-c', $conf);

# --- test ---
check('test', [@masq, 'test', @conf, 'alice@host.example.org'], 0,
    qr/\Aalice\@host\.example\.org
  envelope_sender    Alice\.Smith\@example\.org
    by people, row alice\@host\.example\.org
  envelope_recipient Alice\.Smith\@example\.org
    by people, row alice\@host\.example\.org
  header_sender      Alice\.Smith\@example\.org
    by people, row alice\@host\.example\.org
  header_recipient   Alice\.Smith\@example\.org
    by people, row alice\@host\.example\.org
  message_id         stays\n\z/, qr/\A\z/);
check('test: two rules, one after the other', [@masq, 'test', @conf, qw(-C header_sender bob@host.example.org)], 0,
    qr/\n  header_sender      bob\@example\.org\n    by people, .*: bob\@other\.example\.org\n    by hide, row example\.org: bob\@example\.org\n\z/);
check('test: several classes', [@masq, 'test', @conf, qw(--class header_recipient -C envelope_sender bob@host.example.org)], 0,
    qr/\n  envelope_sender    bob\@example\.org\n.*\n.*\n  header_recipient   bob\@other\.example\.org\n/);

# What becomes of one address in one class.
sub to {
    my ($label, $class, $address, @more) = @_;
    my $answer = json_of($label, 0, '--json', @masq, 'test', @conf, '-C', $class, @more, $address);
    return $answer->{addresses}[0]{classes}[0]{to};
}

for (['an exception', 'header_sender', 'root@host.example.org', 'root@host.example.org'],
    ['a domain that is kept', 'header_sender', 'x@a.keep.example.org', 'x@a.keep.example.org'],
    ['a display name', 'header_sender', 'Joe <joe@a.example.org>', 'joe@example.org'],
    ['quotes', 'header_sender', '"a b"@a.example.org', '"a b"@example.org'],
    ['UTF-8', 'header_sender', "j\xc3\xb6\@a.example.org", "j\x{f6}\@example.org"],
    ['a class without that rule', 'header_recipient', 'joe@a.example.org', 'joe@a.example.org'],
    ['a condition that holds', 'header_sender', 'joe@a.example.org', 'joe@partner.example', '--recipient', 'x@partner.example'],
    ['one of two recipients', 'header_sender', 'joe@a.example.org', 'joe@partner.example', qw(--recipient x@y.example --recipient), 'x@partner.example'],
    ['a condition that does not hold', 'header_sender', 'joe@a.example.org', 'joe@example.org', '--recipient', 'x@y.example'],
    ['foreign mail', 'header_sender', 'joe@a.example.org', 'joe@a.example.org', '--foreign'],
    ['a rule for foreign mail', 'header_sender', 'joe@in.example', 'joe@example.org', '--foreign'],
    ['a client far away', 'header_sender', 'joe@in.example', 'joe@example.org', '--client', '192.0.2.1'],
    ['a client here', 'header_sender', 'joe@a.example.org', 'joe@example.org', '--client', '127.0.0.1'],
    ['a login', 'header_sender', 'joe@a.example.org', 'joe@example.org', '--login', 'joe', '--client', '192.0.2.1'],
    ['an own sender, forwarded', 'envelope_sender', 'joe@a.example.org', 'joe@a.example.org', qw(--foreign --recipient x@y.example)],
    ['a foreign sender that stays', 'envelope_sender', 'joe@b.example', 'joe@b.example', qw(--foreign --recipient x@example.org)])
{
    my ($label, $class, $address, $want, @more) = @$_;
    is(to($label, $class, $address, @more), $want, "test: $label");
}
my $srs = to('SRS', 'envelope_sender', 'joe@b.example', qw(--foreign --recipient x@y.example));
like($srs, qr/\ASRS0=[A-Za-z0-9+\/]{4}=[A-Z2-7]{2}=b\.example=joe\@srs\.example\.org\z/, 'test: SRS');
is(to('SRS, back', 'envelope_recipient', $srs, '--foreign'), 'joe@b.example', 'test: SRS, back');
check('test: SRS with a wrong hash', [@masq, 'test', @conf, qw(-C envelope_recipient SRS0=AAAA=AA=b.example=joe@srs.example.org)], 1,
    qr/refused: 550 5\.7\.1 SRS address with a wrong hash/);
check('test: a short form', [@masq, 'test', @conf, qw(-C envelope_sender --foreign --recipient x@y.example), 'j' x 60 . '@b.example'], 0,
    qr/ SRS0=.*\@srs\.example\.org\n    by srs, a short form, which the daemon keeps in its store\n\z/);

for (['two signs', 'a@@b'], ['two addresses', 'a@b.example, c@d.example'], ['nothing', ''], ['an open quote', '"a@b.example']) {
    my ($label, $address) = @$_;
    check("test: $label", [@masq, 'test', @conf, 'joe@a.example.org', $address], 1, qr/: no address\n\z/);
    my $answer = json_of("test: $label as JSON", 1, '--json', @masq, 'test', @conf, $address);
    is($answer->{addresses}[0]{error}, 'no address', "test: $label as JSON: why");
}
unlike((run(@masq, 'test', @conf, "\e[31m\@\xc2\x9bb.example"))[1], qr/[\e\xc2]/, 'test: control bytes are not printed');
check('test: no address at all', [@masq, 'test', @conf], 64, qr/\A\z/, qr/an ADDRESS is needed\n/);
check('test: no such class', [@masq, 'test', @conf, qw(-C frob a@b.example)], 64, qr/\A\z/, qr/--class frob: envelope_sender, /);
check('test: a client without an address', [@masq, 'test', @conf, qw(--client frob a@b.example)], 64, qr/\A\z/, qr/no IP address\n/);
check('test: a recipient that is none', [@masq, 'test', @conf, qw(--recipient a@@b a@b.example)], 64, qr/\A\z/, qr/no address\n/);
check('test: no configuration', [@masq, 'test', '-c', "$dir/frob.conf", 'a@b.example'], 78, qr/\A\z/, qr/frob\.conf/);
check('test: a configuration that is wrong', [@masq, 'test', '-c', config('wrong', "rules = ( { kind = \"masquerade\"; } );\n"), 'a@b.example'], 78,
    qr/\A\z/, qr/wrong\.conf:1: .*domains: is needed/);

# --- diff ---
my $message = write_file('message', <<'END');
Return-Path: <bob@host.example.org>
Received: from a (b [192.0.2.1])
	by c; Sat, 21 Nov 2026 00:00:00 +0000
From: Alice
	<alice@host.example.org>
To: bob@host.example.org, root@host.example.org,
	Joe <joe@foreign.example>
Cc: "Some One" <someone@sub.keep.example.org>
Subject: hello

From: not a field
END
my $expected = <<'END';
sender bob@host.example.org -> bob@example.org
- Return-Path: <bob@host.example.org>
+ Return-Path: <bob@example.org>
- From: Alice
- 	<alice@host.example.org>
+ From: Alice
+ 	<Alice.Smith@example.org>
- To: bob@host.example.org, root@host.example.org,
- 	Joe <joe@foreign.example>
+ To: bob@other.example.org, root@host.example.org,
+ 	Joe <joe@foreign.example>
recipient bob@host.example.org -> bob@other.example.org
rewritten: rules
END
check('diff', [@masq, 'diff', @conf, $message], 0, qr/\A\Q$expected\E\z/, qr/\A\z/);
my ($status, $out) = run_in(Command::read_file($message) =~ s/\n/\r\n/gr, @masq, 'diff', @conf, '-');
is("$status $out", "0 $expected", 'diff: from stdin, with CRLF');
check('diff: why', [@masq, 'diff', @conf, '-v', $message], 0,
    qr/\nrewritten: rules\nbecause:\n  mail: ours\n.*  rewrite: envelope_sender bob\@other\.example\.org: bob\@example\.org by hide, row example\.org\n/s);
check('diff: foreign', [@masq, 'diff', @conf, qw(--foreign --sender bob@host.example.org), $message], 0, qr/\Apassed: nothing to rewrite\n\z/);
check('diff: a bounce', [@masq, 'diff', @conf, '--sender', '', '--recipient', 'bob@host.example.org', $message], 0,
    qr/\A(?!sender).*\nrecipient bob\@host\.example\.org -> bob\@other\.example\.org\n/s);
check('diff: merged', [@masq, 'diff', @conf, qw(--recipient bob@host.example.org --recipient bob@other.example.org), $message], 0,
    qr/\nrecipient bob\@host\.example\.org -> bob\@other\.example\.org, who gets it already\n/);
check('diff: SRS', [@masq, 'diff', @conf, qw(--foreign --sender joe@b.example --recipient x@y.example), $message], 0,
    qr/\Asender joe\@b\.example -> SRS0=\S+\@srs\.example\.org\nrewritten: srs\n\z/);
check('diff: SRS, back', [@masq, 'diff', @conf, qw(--foreign --sender), '<>', '--recipient', $srs, $message], 0,
    qr/\Arecipient SRS0=\S+ -> joe\@b\.example\nrewritten: srs\n\z/);
my $wrong = 'SRS0=AAAA=AA=b.example=joe@srs.example.org';
check('diff: one recipient is refused', [@masq, 'diff', @conf, qw(--recipient bob@host.example.org --recipient), $wrong, $message], 0,
    qr/\Arecipient SRS0=\S+ refused: 550 5\.7\.1 SRS address with a wrong hash\nsender .*\nrewritten: rules\n\z/s);
check('diff: all recipients are refused', [@masq, 'diff', @conf, '--recipient', $wrong, $message], 1,
    qr/\Arecipient SRS0=\S+ refused: 550 5\.7\.1 .*\nrefused: 550 5\.7\.1 /);
check('diff: a short form', [@masq, 'diff', @conf, qw(--foreign --recipient x@y.example --sender), 'j' x 60 . '@b.example', $message], 2,
    qr/\Adeferred: 451 4\.3\.0 .*\nSRS: no store for short addresses\n\z/s);
check('diff: From guard', [@masq, 'diff', @conf, qw(--login eve), $message], 1,
    qr/\Arefused: 550 5\.7\.1 eve may not use alice\@host\.example\.org in From\n/);

my $diff = json_of('diff as JSON', 0, '--json', @masq, 'diff', @conf, qw(--recipient bob@host.example.org --recipient), $wrong, $message);
is("$diff->{verdict} $diff->{event} $diff->{reason}", 'continue rewritten rules', 'diff as JSON: the verdict');
is_deeply($diff->{sender}, { from => 'bob@host.example.org', to => 'bob@example.org' }, 'diff as JSON: the sender');
is_deeply([map { [$_->{from}, $_->{to}, $_->{refused}{code}] } @{ $diff->{recipients} }],
    [['bob@host.example.org', 'bob@other.example.org', undef], [$wrong, undef, 550]], 'diff as JSON: recipients');
is_deeply([map { [$_->{name}, $_->{to}] } @{ $diff->{fields} }],
    [['Return-Path', ' <bob@example.org>'], ['From', " Alice\n\t<Alice.Smith\@example.org>"],
        ['To', " bob\@other.example.org, root\@host.example.org,\n\tJoe <joe\@foreign.example>"]],
    'diff as JSON: fields');
$diff = json_of('diff as JSON, refused', 1, '--json', @masq, 'diff', @conf, qw(--login eve), $message);
is_deeply([$diff->{verdict}, $diff->{refused}{code}, $diff->{fields}], ['reject', 550, []], 'diff as JSON, refused');

for (['no message', ''], ['only a body', "\n\nhello\n"], ['bytes', join '', map { chr } 0 .. 255],
    ['fields that are no lists', "From: <<a\@b>\nTo: ((\nCc: \"\n\n"])
{
    my ($label, $text) = @$_;
    ($status, $out) = run_in($text, @masq, 'diff', @conf, '-');
    is("$status $out", "0 passed: nothing to rewrite\n", "diff: $label");
}
check('diff: no file', [@masq, 'diff', @conf, "$dir/frob"], 66, qr/\A\z/, qr/frob/);
check('diff: no word', [@masq, 'diff', @conf], 64, qr/\A\z/, qr/one FILE/);
check('diff: two files', [@masq, 'diff', @conf, $message, $message], 64, qr/\A\z/, qr/one FILE/);

# --- check ---
write_file('canonical', <<'END');
alice@a.example     same@b.example
bob@a.example       Same@b.example
bob2@a.example      bob@a.example
@d1.example         @d.example
@d2.example         @d.example
l1@a.example        l2@a.example
l2@a.example        l1@a.example
e1@a.example        e2@a.example
e2@a.example        e3@a.example
e3@a.example        e2@a.example
@x1.example         @x2.example
@x2.example         @x1.example
bad@a.example       <<x
nothing@a.example   @
<bad                x@b.example
user                user@b.example
same@b.example      same@b.example
END
write_file('canonical', Command::read_file("$dir/canonical") . 'long@a.example ' . 'x' x 70 . "\@b.example\n");
write_file('generics', <<'END');
u1@a.example        same@b.example
u2+*@a.example      same@b.example
u3+*@a.example      %1@c.example
@a.example          %1@d.example
bare                other
END
my $broken = config('broken', <<"END");
origin_domain = "example.org";
rules = (
 { name = "people"; kind = "canonical"; maps = ( "texthash:$dir/canonical" ); },
 { name = "generics"; kind = "sendmail"; genericstable = ( "texthash:$dir/generics" ); generics_domain = "csl:a.example";
   masquerade_as = "mail.example"; },
 { name = "patterns"; kind = "canonical"; maps = ( "refile:$dir/generics" ); },
 { name = "hide"; kind = "masquerade"; domains = "csl:!keep.example.org,example.org,no domain"; }
);
END
my $found = json_of('check', 1, '--json', @masq, 'check', '-c', $broken);

# "key key ...: text" of each finding of that kind.
sub findings {
    my ($kind) = @_;
    return [map { my $f = $_; join(' ', map { $_->{key} } @{ $f->{rows} }) } @{ $found->{$kind}{first} }];
}
is($found->{rows}, 26, 'check: rows');
is_deeply(findings('loops'), [qw(l1@a.example l2@a.example e1@a.example e2@a.example e3@a.example @x1.example @x2.example)], 'check: loops');
like($found->{loops}{first}[0]{text}, qr/\Arow l1\@a\.example, l2\@a\.example, .*: no end\z/, 'check: a loop');
is_deeply(findings('collisions'),
    ['@d1.example @d2.example', 'alice@a.example bob2@a.example bob@a.example', 'u1@a.example u2+*@a.example'], 'check: collisions');
is_deeply([map { $_->{text} } @{ $found->{collisions}{first} }], ['*@d.example', 'same@b.example', 'same@b.example'], 'check: what they become');
is_deeply([map { "$_->{rule} $_->{line}" } @{ $found->{collisions}{first}[1]{rows} }], ['people 1', 'people 3', 'people 2'], 'check: where');
is_deeply(findings('values'), [qw(bad@a.example nothing@a.example <bad long@a.example), 'no domain'], 'check: wrong rows');
is($found->{no_key}, undef, 'check: mfx-dkim is not asked');
is_deeply([map { s/.*: //r } grep { /patterns/ } @{ $found->{notes} }], ['patterns are not looked at'], 'check: what was left out');
check('check in words', [@masq, 'check', '-c', $broken, '-n', 1], 1,
    qr{\A26 rows looked at
7 rows that lead round in a circle:
  row l1\@a\.example, .*: no end
    l1\@a\.example  rule people, texthash:\Q$dir\E/canonical:6
  and 6 more
5 rows that cannot be used:
  .*
    bad\@a\.example  .*
  and 4 more
3 addresses that several rows become:
  \*\@d\.example
    \@d1\.example  .*
    \@d2\.example  .*
  and 2 more
note: }, qr/\A\z/);
check('check: all is well', [@masq, 'check', @conf], 0, qr/\A6 rows looked at\n0 rows .*\n0 rows .*\n0 addresses .*\n/);

SKIP: {
    skip 'mfxctl-dkim is not built', 8 if !-x build() . '/mfxctl-dkim';
    is((run(qw(dkim genkey -d example.org -s k -a ed25519 -o), "$dir/k.pem"))[0], 0, 'a key');
    my $dkim = config('dkim', "sign: { domains = \"csl:example.org,b.example\"; selectors = ( \"k\" ); key_path = \"$dir/%s.pem\"; };\n");
    $found = json_of('check of keys', 1, '--json', @masq, 'check', '-c', $broken, '--dkim-config', $dkim);
    is_deeply([map { $_->{text} =~ s/:.*//r } @{ $found->{no_key}{first} }], [qw(d.example c.example mail.example)], 'check of keys: domains');
    $found = json_of('check of keys: all are there', 0, '--json', @masq, 'check', '-c',
        config('keys', "rules = ( { kind = \"canonical\"; maps = ( \"inline:a\@x.example=a\@b.example\" ); },\n"
            . " { kind = \"masquerade\"; domains = \"csl:example.org\"; } );\n"), '--dkim-config', $dkim);
    is_deeply($found->{no_key}, { count => 0, first => [] }, 'check of keys: all are there');
}
check('check of keys: no such file', [@masq, 'check', @conf, '--dkim-config', "$dir/frob.conf"], 78, qr/\A\z/, qr/frob\.conf/);
check('check: no number', [@masq, 'check', @conf, qw(--limit frob)], 64, qr/\A\z/, qr/--limit frob/);
check('check: a word too many', [@masq, 'check', @conf, 'frob'], 64, qr/\A\z/, qr/frob: no argument/);

write_file('large', join '', map { my $h = $_ % 1000; "user$_\@h$h.example  First$_\@example.org\n" } 1 .. 100_000);
my $large = config('large', "rules = ( { kind = \"canonical\"; maps = ( \"texthash:$dir/large\" ); } );\n");
check('check of 100,000 rows', [@masq, 'check', '-c', $large], 0, qr/\A100000 rows looked at\n/, qr/\A\z/);

# --- srs ---
my $user = getpwuid $>;
my $short = config('short', <<"END");
socket = "unix:$dir/masq.sock";
user = "$user";
control: { socket = "$dir/masq.ctl"; };
log: { target = "stderr"; };
our_domains = "csl:example.org";
srs: { domain = "srs.example.org"; secrets_file = "$dir/secret"; forward = "all"; short_forms = true; };
store: { type = "sqlite"; path = "$dir/masq.db"; };
END
$ENV{MFX_RUNDIR} = $dir;
my $long = 'j' x 60 . '@b.example';

# What srs says, without its line end.
sub srs {
    my ($label, $status, @words) = @_;
    my @got = run(@masq, 'srs', @words);
    is($got[0], $status, "$label: status") or diag(@got);
    return $got[1] =~ s/\n\z//r;
}
my $made = srs('srs forward', 0, @conf, 'forward', 'joe@b.example');
like($made, qr/\ASRS0=\S{4}=\S\S=b\.example=joe\@srs\.example\.org\z/, 'srs forward');
is(srs('srs reverse', 0, @conf, 'reverse', $made), 'joe@b.example', 'srs reverse');
is(srs('srs reverse, in lower case', 0, @conf, 'reverse', lc $made), 'joe@b.example', 'srs reverse, in lower case');
my $twice = srs('srs forward of another\'s', 0, @conf, 'forward', 'SRS0=abcd=AA=b.example=joe@c.example');
like($twice, qr/\ASRS1=\S{4}=c\.example==abcd=AA=b\.example=joe\@srs\.example\.org\z/, 'srs forward of another\'s');
is(srs('srs reverse of another\'s', 0, @conf, 'reverse', $twice), 'SRS0=abcd=AA=b.example=joe@c.example', 'srs reverse of another\'s');
is(srs('srs forward of our own', 1, @conf, 'forward', 'joe@example.org'), 'stays: own sender', 'srs forward of our own');
is(srs('srs reverse elsewhere', 1, @conf, 'reverse', 'joe@b.example'), 'stays: not an SRS domain of ours', 'srs reverse elsewhere');
is(srs('srs reverse, wrong hash', 1, @conf, 'reverse', $wrong), 'refused: 550 5.7.1 SRS address with a wrong hash', 'srs reverse, wrong hash');

check('srs: no store yet', [@masq, 'srs', '-c', $short, 'forward', $long], 66, qr/\A\z/, qr/no daemon runs, and .*masq\.db/);
check('srs: a daemon that is not there', [@masq, 'srs', '-c', $short, '-s', "$dir/frob.ctl", 'forward', $long], 69, qr/\A\z/, qr/frob\.ctl/);
check('srs: nothing is kept in memory', [@masq, 'srs', '-c', config('memory', Command::read_file($short) =~ s/"sqlite"/"memory"/r), 'forward', $long],
    69, qr/\A\z/, qr/no daemon runs, and with store\.type memory/);

SKIP: {
    skip 'mfx-masq is not built', 16 if !-x build() . '/mfx-masq';
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>>', "$dir/masq.log";
        exec build() . '/mfx-masq', '-c', $short or exit 127;
    }
    my $until = time + ($ENV{MFX_TEST_PATIENCE} || 60);
    select undef, undef, undef, 0.05 while time < $until && (run('--socket', "$dir/masq.ctl", 'status'))[0] != 0;
    my $kept = srs('srs: the daemon keeps it', 0, '-c', $short, 'forward', "x$long");
    like($kept, qr/\ASRS0=\S{1,59}\@srs\.example\.org\z/, 'srs: a short form');
    is(srs('srs: and finds it', 0, '-c', $short, 'reverse', $kept), "x$long", 'srs: and finds it');
    check('srs: of the daemon itself', ['--socket', "$dir/masq.ctl", 'srs', 'forward', 'joe@b.example'], 0, qr/\ASRS0=.*=joe\@srs\.example\.org\n\z/);
    check('srs: the daemon and no address', ['--socket', "$dir/masq.ctl", 'srs', 'forward'], 1, qr/\A\z/, qr/srs forward\|reverse ADDRESS/);
    kill 'TERM', $pid;
    waitpid $pid, 0;
    is(srs('srs: from the store', 0, '-c', $short, 'reverse', $kept), "x$long", 'srs: from the store');
    $kept = srs('srs: kept in the store', 0, '-c', $short, 'forward', $long);
    is_deeply(json_of('srs as JSON', 0, '--json', @masq, 'srs', '-c', $short, 'reverse', $kept),
        { address => $kept, result => 'changed', to => $long, text => '' }, 'srs as JSON');
}
check('srs: no SRS', [@masq, 'srs', '-c', $large, qw(forward a@b.example)], 78, qr/\A\z/, qr/srs\.domain is not set/);
check('srs: no such direction', [@masq, 'srs', @conf, qw(frob a@b.example)], 64, qr/\A\z/, qr/frob: forward or reverse/);
check('srs: no address', [@masq, 'srs', @conf, qw(forward a@@b)], 64, qr/\A\z/, qr/a\@\@b: no address/);
check('srs: a word missing', [@masq, 'srs', @conf, 'forward'], 64, qr/\A\z/, qr/one ADDRESS/);

check('help', [@masq, '--help'], 0, qr/\n  test .*\n  diff /, qr/\A\z/);
for my $verb (qw(test diff check srs)) {
    check("help of $verb", [@masq, $verb, '--help'], 0, qr/\AUsage: mfxctl masq $verb /, qr/\A\z/);
    check("$verb: an unknown option", [@masq, $verb, '--frob'], 64, qr/\A\z/, qr/frob/);
}

done_testing;
