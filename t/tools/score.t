#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl score: what it says of signed fields, mail and engines, and what it
# makes of words, files and servers that are none.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file read_file);
use Digest::SHA qw(hmac_sha256 sha256);
use IPC::Open2;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'mfxctl-score is not built' if !-x build() . '/mfxctl-score';
my $dir = dir();
my $src = $ENV{MFX_SRCDIR} || "$FindBin::Bin/../..";
write_file('common.conf', 'user = "' . getpwuid($>) . "\";\n");

# --- check-header ---
# The field by which a score travels, as libmfx/auth/score_seal.h has it.
sub seal {
    my (%of) = (secret => 'tops3cr3t', t => int(time), i => '4Bx9k2', s => '7.25', a => 'tag',
        e => 'rspamd=7.25 clamd=0', id => '<1@example.org>', @_);
    my $b64 = sub { encode_base64($_[0], '') };
    my @tags = ([v => 1], [k => $b64->(substr hmac_sha256('mfx score seal key', $of{secret}), 0, 6)],
        (map { [$_ => $of{$_}] } qw(t i s a)), [e => "\"$of{e}\""], [m => $of{id} eq '' ? '' : $b64->(substr sha256($of{id}), 0, 18)]);
    my $mac = hmac_sha256("mfx score seal\n" . join('', map { "$_->[0]=$_->[1]\n" } @tags), $of{secret});
    return join '; ', map { "$_->[0]=$_->[1]" } @tags, [b => $b64->($mac)];
}

sub message {
    my (@seals) = @_;
    return join '', (map { "X-Score: $_\n" } @seals), "From: <a\@example.org>\nMessage-ID: <1\@example.org>\nSubject: hi\n\nhello\n";
}

my $secrets = write_file('secrets', "n3w\n\ntops3cr3t\n");
my @header = (qw(score check-header --secrets), $secrets, qw(--header x-score));
my $now = int(time);
my $old = $now - 90000;
for (['good', message(seal()), 0, qr/\Ax-score: good\n  score 7\.25, action tag\n  made \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, \d+ s ago, queue id 4Bx9k2\n  rspamd 7\.25\n  clamd 0\n\z/],
    ['folded, with CRLF', message(seal() =~ s/; /;\n\t/gr) =~ s/\n/\r\n/gr, 0, qr/: good\n/],
    ['in a mailbox', "From a\@b Sat Nov 21 10:00:00 2026\n" . message(seal()), 0, qr/: good\n/],
    ['without a score', message(seal(s => 'none', a => 'none', e => '', i => '')), 0, qr/: good\n  score none, action none\n.*queue id none\n\z/],
    ['none', message(), 2, qr/\Ax-score: no such field\n\z/],
    ['an empty message', '', 2, qr/: no such field\n\z/],
    ['in the body', message() . 'X-Score: ' . seal(), 2, qr/: no such field\n\z/],
    ['two', message(seal(), seal()), 1, qr/\Ax-score: more than one such field\n\z/],
    ['another secret', message(seal(secret => 'guess')), 1, qr/: made with a secret that is not known\n\z/],
    ['changed', message(seal() =~ s/s=7\.25/s=0.25/r), 1, qr/: forged or changed\n\z/],
    ['of another message', message(seal(id => '<2@example.org>')), 1, qr/: made for another message\n  score 7\.25/],
    ['of the future', message(seal(t => $now + 4000)), 1, qr/: made in the future\n.*\n  made .* s from now,/],
    ['nonsense', message("v=1\e[31m"), 1, qr/\Ax-score: malformed\n\z/],
    ['old', message(seal(t => $old)), 0, qr/: good\n/],
    ['too old', message(seal(t => $old)), 1, qr/: too old\n  score 7\.25/, qw(--max-age 1d)])
{
    my ($label, $text, $status, $want, @more) = @$_;
    my @got = run_in($text, @header, @more, '-');
    is($got[0], $status, "check-header: $label: status") or diag($got[2]);
    like($got[1], $want, "check-header: $label");
}
my $good = write_file('good.eml', message(seal(t => $now - 5)));
my $answer = json_of('check-header: JSON', 0, '--json', @header, $good);
ok($answer->{age_s} >= 5 && $answer->{age_s} < 600, 'check-header: JSON: age');
is_deeply([@$answer{qw(header result why score action queue_id)}, map { "$_->{engine}=$_->{score}" } @{ $answer->{engines} }],
    ['x-score', 'good', 'good', 7.25, 'tag', '4Bx9k2', 'rspamd=7.25', 'clamd=0'], 'check-header: JSON: what it says');
is(json_of('check-header: JSON: forged', 1, '--json', @header, write_file('bad.eml', message(seal() =~ s/a=tag/a=none/r)))->{result},
    'forged', 'check-header: JSON: forged');

sub conf {
    my ($name, $text) = @_;
    return write_file("$name.conf", $text);
}

my $sealed = conf('sealed', "seal: { header = \"X-Score\"; secrets_file = \"$secrets\"; max_age = \"1h\"; };\n");
check('check-header: by the configuration', [qw(score check-header -c), $sealed, $good], 0, qr/\AX-Score: good\n/, qr/\A\z/);
my $stale = write_file('stale.eml', message(seal(t => $old)));
check('check-header: by its max_age', [qw(score check-header -c), $sealed, $stale], 1, qr/: too old\n/);
check('check-header: by another max_age', [qw(score check-header --max-age 0 -c), $sealed, $stale], 0, qr/: good\n/);
check('check-header: by another name', [qw(score check-header -H X-Other -c), $sealed, $good], 2, qr/\AX-Other: no such field\n/);
for (['no file', 66, ["$dir/frob.eml"], qr/frob\.eml/],
    ['a folder', 66, [$dir], qr/\Q$dir\E/],
    ['no words', 64, [], qr/one FILE/],
    ['two files', 64, [$good, $good], qr/one FILE/],
    ['a wrong age', 64, ['--max-age', 'frob', $good], qr/--max-age frob: /],
    ['a wrong name', 64, ['--header', 'a b', $good], qr/--header a b: no name/],
    ['both sources', 64, ['--config', $sealed, $good], qr/not both\n/])
{
    my ($label, $status, $words, $err) = @$_;
    check("check-header: $label", [@header, @$words], $status, qr/\A\z/, $err);
}
for (['secrets without a name', 64, ['--secrets', $secrets, $good], qr/--secrets wants --header\n/],
    ['no secrets', 78, ['--secrets', "$dir/frob", '--header', 'X-Score', $good], qr/frob/],
    ['an empty file of secrets', 78, ['--secrets', write_file('nothing', "\n\n"), '--header', 'X-Score', $good], qr/holds no secret/],
    ['no configuration', 78, ['-c', "$dir/frob.conf", $good], qr/frob\.conf/],
    ['a wrong configuration', 78, ['-c', conf('wrong', "seal: { heder = \"X\"; };\n"), $good], qr/wrong\.conf:1: .*heder/],
    ['a configuration without seals', 78, ['-c', conf('bare', ''), $good], qr/seal\.header and seal\.secrets_file are not set/])
{
    my ($label, $status, $words, $err) = @$_;
    check("check-header: $label", [qw(score check-header), @$words], $status, qr/\A\z/, $err);
}

# --- engines that answer as the mail says ---
mkdir "$dir/asked";
my $liar = open2(my $said, my $order, '/usr/bin/python3', "$src/t/lib/scanliar", '--log', "$dir/liar.log", '--save', "$dir/asked");
my ($port) = <$said> =~ /^port (\d+)/;
END {
    my $status = $?;
    close $order if $order;
    waitpid $liar, 0 if $liar;
    $? = $status;
}

# What each engine was asked since the last look, as one text: head and message.
sub asked {
    my @texts = map { my $text = read_file($_); unlink $_; $text } sort glob "$dir/asked/*-*";
    return wantarray ? @texts : join "\n\n", @texts;
}

sub engine {
    my ($type, $more) = @_;
    my $controller = $type eq 'rspamd' ? "controller = \"127.0.0.1:$port\";" : '';
    return "{ type = \"$type\"; servers = \"127.0.0.1:$port\"; $controller " . ($more // '') . ' }';
}

sub engines { return 'engines = ( ' . join(', ', @_) . " );\nscan_timeout = \"30s\";\n" }

sub mail {
    my ($name, $fields, $body) = @_;
    return write_file("$name.eml", "From: Alice <alice\@example.org>\nTo: bob\@example.net, \"C D\" <carol\@example.net>\n"
            . "Subject: hello\nMessage-ID: <1\@example.org>\nX-Spam-Flag: NO\nX-Spam-Checker: forged\n\tfolded\n" . ($fields // '') . "\n" . ($body // "hello\n"));
}

my $three = conf('three', engines(engine('rspamd'), engine('spamd'), engine('clamd')));
my @scan = (qw(score scan -c), $three);
my $plain = mail('plain');

# --- scan ---
check('scan: nothing', [@scan, $plain], 0,
    qr/\Arspamd: answered by 127\.0\.0\.1:$port after \d+ ms
    score 0 of 15, it says "no action"; counts 0
spamd: answered by 127\.0\.0\.1:$port after \d+ ms
    score 0 of 5; counts 0
clamd: answered by 127\.0\.0\.1:$port after \d+ ms
    found nothing
total 0, spam from 15 on
would pass
- X-Spam-Flag: NO
- X-Spam-Checker: forged
- \tfolded
(?:\+ X-.*\n)*\+ X-Virus-Status: Clean\n\z/, qr/\A\z/);
asked();
my $spam = mail('spam', 'Liar-Rspamd: {"action": "reject", "score": 16.5, "required_score": 15, "symbols": {"BAD\u001b[31m": '
        . '{"name": "BAD\u001b[31m", "score": -1.25, "options": ["a", "b"]}, "GTUBE": {"name": "GTUBE", "score": 16.5, "description": "generic test"}}}' . "\n");
check('scan: refused', [@scan, qw(--queue-id 4FzX), $spam], 1,
    qr/\n    score 16\.5 of 15, it says "reject"; counts 16\.5
        16\.5 GTUBE +generic test
       -1\.25 BAD\?\[31m +\[a, b\]\n(?:.*\n)+total 16\.5, spam from 15 on
would be refused: 554 5\.7\.1 Spam message rejected \(queue id 4FzX\) \(rspamd says reject\)\n\z/);
check('scan: the trace', [@scan, '-v', $spam], 1, qr/\n  engines: clamd at 127\.0\.0\.1:$port: answered in \d+ ms, 1 tries\n\z/);
check('scan: tagged', [@scan, mail('tagged', "Liar-Spamd: True ; 7.5 / 5.0 | A,B\n")], 1,
    qr/\nspamd: .*\n    score 7\.5 of 5, it says spam; counts 7\.5\n +A\n +B\n(?:.*\n)+would be tagged: spamd says spam\n(?:.*\n)*\+ X-Spam-Flag: YES\n/);
check('scan: a virus', [@scan, mail('virus', "Liar-Clamd: Own.Eicar.UNOFFICIAL FOUND\nLiar-Rspamd: !late 500\n")], 1,
    qr/\Arspamd: answered .*\n(?:.*\n)*    found Own\.Eicar\.UNOFFICIAL \(virus, unofficial\)\n(?:.*\n)*would be refused: 554 5\.7\.1 .*Own\.Eicar.* \(clamd found Own\.Eicar\.UNOFFICIAL \(virus\)\)\n\z/);
check('scan: one does not answer', [@scan, mail('none', "Liar-Spamd: !none\n")], 2,
    qr/\nspamd: unreached (?:.*\n)+would be deferred: 451 4\.7\.1 .*\(spamd did not look at it \(unreached\)\)\nnot looked at by spamd: unreached\n\z/);
asked();
check('scan: one of them', [@scan, qw(-e spamd), $spam], 0, qr/\Aspamd: answered(?!.*rspamd)/s);
is(scalar(my @one = asked()), 1, 'scan: one of them: the others hear nothing');
check('scan: what is told', [@scan, qw(-i 192.0.2.7 --client-name mx.example -H helo.example -f <x@example.com> -t y@example.net -t), '<z@example.net>', qw(-q 4FzX -u joe), $plain], 0, qr/would pass/);
my $told = asked();
like($told, qr/^\Q$_\E\r$/m, "scan: what is told: $_") for 'IP: 192.0.2.7', 'Helo: helo.example', 'From: <x@example.com>', 'Rcpt: <y@example.net>', 'Rcpt: <z@example.net>',
    'Queue-ID: 4FzX', 'Hostname: mx.example', 'User: joe';
like($told, qr/^X-Spam-Checker: forged\r\n\tfolded\r\n\r\nhello\r\n/m, 'scan: the message itself');
run(@scan, $plain);
$told = asked();
like($told, qr/^\Q$_\E\r$/m, "scan: what is guessed: $_") for 'From: <alice@example.org>', 'Rcpt: <bob@example.net>', 'Rcpt: <carol@example.net>';
run(@scan, '-f', '', $plain);
like(scalar asked(), qr/^From: <>\r$/m, 'scan: a bounce');
is(json_of('scan: of ours', 0, '--json', @scan, qw(--login joe), $plain)->{outgoing}, JSON::PP::true, 'scan: of ours: outgoing');
asked();

my $json = json_of('scan: JSON', 1, '--json', @scan, $spam);
is_deeply([@$json{qw(verdict action cause harshest score required unscanned skipped)}, $json->{reply}{code}, $json->{reply}{enhanced}],
    ['reject', 'reject', 'engine', 'reject', 16.5, 15, '', undef, 554, '5.7.1'], 'scan: JSON: what is done');
my %engine = map { $_->{engine} => $_ } @{ $json->{engines} };
is_deeply([@{ $engine{rspamd} }{qw(type end score counts required action server tries)}], ['rspamd', 'answered', 16.5, 16.5, 15, 'reject', "127.0.0.1:$port", 1],
    'scan: JSON: an engine');
is_deeply({ map { $_->{name} => $_ } @{ $engine{rspamd}{symbols} } }->{GTUBE}, { name => 'GTUBE', score => 16.5, description => 'generic test', options => [] },
    'scan: JSON: a symbol');
is_deeply([map { "$_->{address} $_->{profile} $_->{action}" } @{ $json->{recipients} }], ['bob@example.net default reject', 'carol@example.net default reject'],
    'scan: JSON: recipients');
$json = json_of('scan: JSON: passed', 0, '--json', @scan, $plain);
is((grep { $_->{name} eq 'X-Spam-Checker' } @{ $json->{fields} })[0]{to}, undef, 'scan: JSON: a field that goes');
is((grep { $_->{name} eq 'X-Virus-Status' } @{ $json->{fields} })[0]{to}, ' Clean', 'scan: JSON: a field that comes');

my $profiles = conf('profiles', engines(engine('rspamd', 'scale = "2"; takes = "score";'), engine('spamd', 'mode = "shadow"; name = "second";'))
        . "thresholds: { tag = \"5\"; reject = \"8\"; greylist = \"3\"; };\nprofiles = ( { name = \"soft\"; tag = \"4\"; hold = \"9\"; } );\n"
        . "recipient_profiles = \"inline:carol\@example.net=soft\";\nrecipients: { differ = \"remove\"; };\nstore: { path = \"$dir/never.db\"; };\n"
        . "outgoing: { thresholds: { hold = \"5\"; }; command = \"$dir/command\"; };\n");
@scan = (qw(score scan -c), $profiles);
my $five = mail('five', qq(Liar-Rspamd: {"action": "no action", "score": 4.25, "required_score": 15, "symbols": {}}\nLiar-Spamd: True ; 7.5 / 5.0 | A\n));
check('scan: recipients differ, a shadow', [@scan, $five], 1,
    qr/\A.*\n    score 4\.25 of 15, it says "no action"; counts 8\.5\nsecond \(in the shadow\): answered by .*
    score 7\.5 of 5, it says spam; counts 7\.5 if it counted\n +A\ntotal 8\.5, spam from 4 on
for bob\@example\.net \(default\): reject, does not get it
for carol\@example\.net \(soft\): tag\nwould be tagged: the total is 8\.5\n(?:.*\n)*recipient - <bob\@example\.net>\n/);
check('scan: greylisting', [@scan, mail('grey', qq(Liar-Rspamd: {"action": "no action", "score": 1.75, "required_score": 15, "symbols": {}}\n)), '-t', 'bob@example.net'], 0,
    qr/\ntotal 3\.5, spam from 5 on\nwould pass\nbut deferred for greylisting, when it is first seen\n/);
ok(!-e "$dir/never.db", 'scan: greylisting: no store is made');
write_file('command', "#!/bin/sh\necho run >>$dir/command.log\n", 0755);
check('scan: outgoing', [@scan, qw(-l joe), $five], 1, qr/\nwould be held: the total is 8\.5\n/, qr/\A\z/);
ok(!-e "$dir/command.log", 'scan: outgoing: the program is not run');
check('scan: dry', [qw(score scan -c), conf('dry', "mode = \"dry-run\";\n" . engines(engine('rspamd'))), $spam], 1,
    qr/\nwould be refused: (?:.*\n)*but mode is "dry-run" or "shadow": nothing is done\n\z/);
check('scan: skipped', [qw(score scan -c), conf('skip', "skip: { senders = \"csl:example.org\"; };\n" . engines(engine('rspamd'))), $spam], 0,
    qr/\Anot looked at: skip\.senders\n/);
my $big = mail('big', '', join('', ('x' x 75 . "\n") x 100_000));
asked();
check('scan: a large message', [qw(score scan -c), $three, $big], 0, qr/\nwould pass\n/);
my $size = length(read_file($big) =~ s/\n/\r\n/gr);
like(read_file("$dir/liar.log"), qr/ asked http $size\n/, 'scan: a large message: all of it');
check('scan: no room for it', [qw(score scan -c), conf('room', "memory_limit = \"64K\"; temp_folder = \"$dir/frob\";\n" . engines(engine('rspamd'))), $big], 2,
    qr/\Arspamd: unstored .*: temporary file: No such file/);
for (['no file', 66, [@scan, "$dir/frob.eml"], qr/frob\.eml/],
    ['an empty one', 66, [@scan, write_file('empty.eml', '')], qr/there is no message in it\n/],
    ['no engine', 78, [qw(score scan -c), conf('noengine', ''), $plain], qr/no engine is configured\n/],
    ['an engine that is off', 78, [qw(score scan -c), conf('off', engines(engine('rspamd', 'mode = "off";'))), $plain], qr/no engine is configured\n/],
    ['a wrong configuration', 78, [qw(score scan -c), conf('wrongengine', engines(engine('rspamd', 'scale = "x";'))), $plain], qr/wrongengine\.conf:1: .*scale/],
    ['no configuration', 78, [qw(score scan -c), "$dir/frob.conf", $plain], qr/frob\.conf/],
    ['no such engine', 64, [@scan, qw(-e frob), $plain], qr/--engine frob: no such engine/],
    ['no address', 64, [@scan, qw(-i frob), $plain], qr/--ip frob: no IP address\n/],
    ['no words', 64, [@scan], qr/one FILE/],
    ['two files', 64, [@scan, $plain, $plain], qr/one FILE/],
    ['an unknown option', 64, [@scan, '--frob', $plain], qr/frob/])
{
    my ($label, $status, $words, $err) = @$_;
    check("scan: $label", $words, $status, qr/\A\z/, $err);
}
is(json_of('scan: errors as JSON', 66, '--json', @scan, "$dir/empty.eml")->{error}, "$dir/empty.eml: there is no message in it", 'scan: errors as JSON');

# --- learn ---
my $teach = conf('teach', engines(engine('rspamd', 'controller_password = "q2";'), engine('spamd', 'user = "own";'), engine('clamd')));
my @learn = (qw(score learn -c), $teach);
asked();

sub summary { my ($what, @n) = @_; return sprintf "rspamd: %d $what, %d known already, %d failed\nspamd: %d $what, %d known already, %d failed\n", @n }

check('learn: a file', [@learn, 'spam', $plain], 0, qr/\A\Q@{[ summary('learned as spam', 1, 0, 0, 1, 0, 0) ]}\E\z/, qr/\A\z/);
my ($to_rspamd, $to_spamd) = sort { ($b =~ /HTTP/) <=> ($a =~ /HTTP/) } asked();
like($to_rspamd, qr{\APOST /learnspam HTTP/1\.1\r\n}, 'learn: what rspamd is asked');
like($to_rspamd, qr/^Password: q2\r$/m, 'learn: the password');
like($to_spamd, qr{\ATELL SPAMC/1\.5\r\nUser: own\r\nMessage-class: spam\r\nSet: local\r\n}, 'learn: what spamd is asked');
for ($to_rspamd, $to_spamd) {
    like($_, qr/\r\n\r\nFrom: Alice <alice\@example\.org>\r\nTo: .*\r\nSubject: hello\r\nMessage-ID: <1\@example\.org>\r\n\r\nhello\r\n\z/, 'learn: without our fields');
}
my ($status, $out) = run_in(read_file($plain) =~ s/\n/\r\n/gr, @learn, qw(ham --user joe -));
is("$status $out", '0 ' . summary('learned as ham', 1, 0, 0, 1, 0, 0), 'learn: from stdin');
my $ham = asked();
like($ham, qr/POST \/learnham /, 'learn: ham, rspamd');
like($ham, qr/^User: joe\r\nMessage-class: ham\r$/m, 'learn: ham, of a user');
check('learn: forget', [@learn, 'forget', $plain], 0, qr/\Aspamd: 1 forgotten, 0 not known, 0 failed\n\z/);
like(scalar asked(), qr/^Remove: local\r$/m, 'learn: forget: what spamd is asked');
check('learn: one engine', [@learn, qw(-e SPAMD spam), $plain], 0, qr/\Aspamd: 1 learned as spam, 0 known already, 0 failed\n\z/);
asked();
my $known = mail('known', "Liar-Rspamd: !status 208 {\"error\": \"<1> has been already learned as spam, ignore it\"}\nLiar-Spamd: known\n");
check('learn: known', [@learn, 'spam', $known, $plain], 0, qr/\A\Q@{[ summary('learned as spam', 1, 1, 0, 1, 1, 0) ]}\E\z/);
asked();

# A maildir, a folder, a mailbox.
mkdir "$dir/$_" for qw(md md/cur md/new md/tmp md/.Sub md/.Sub/cur md/more box box/in box/in/deep);
write_file("md/$_", "Subject: $_\n\n$_\n") for 'cur/1:2,S', 'new/2', 'new/3', 'tmp/no1', '.Sub/cur/no2', 'more/no3', 'dovecot.index', 'cur/.no4';
write_file("box/$_", "Subject: $_\n\n$_\n") for qw(a in/b in/deep/c .no5);
check('learn: a maildir and a folder', [@learn, qw(-e rspamd -n 1 spam), "$dir/md", "$dir/box"], 0, qr/\Arspamd: 6 learned as spam, 0 known/);
is(join(' ', sort map { /^Subject: (.*?)\r$/m } asked()), 'a cur/1:2,S in/b in/deep/c new/2 new/3', 'learn: which of them');
my $mailbox = write_file('mailbox', "From a\@b Sat Nov 21 10:00:00 2026\nSubject: one\nX-Spam-Status: No\n\ttests=A\n\nFrom here on\n\nFrom me to you\n>From x\n\n\n"
        . "From c  Sat Nov 21 10:00:01 2026\nSubject: two\n\nFrom a\@b Sat Nov 21 10:00:00 2026\nno empty line before it\n\n\nFrom d\@e Sat Nov 21 10:00:00 2026\nSubject: three\n\n");
check('learn: a mailbox', [@learn, qw(-e spamd -n 1 spam), $mailbox], 0, qr/\Aspamd: 4 learned as spam, 0 known/);
is_deeply([map { /\r\n\r\n(.*)\z/s } asked()],
    ["Subject: one\r\n\r\nFrom here on\r\n\r\nFrom me to you\r\n>From x\r\n\r\n", "Subject: two\r\n\r\n", "no empty line before it\r\n\r\n", "Subject: three\r\n\r\n"],
    'learn: a mailbox: the messages');
check('learn: a line end that is missing', [@learn, qw(-e spamd spam), write_file('cut.eml', "Subject: x\n\nlast")], 0, qr/1 learned/);
like(scalar asked(), qr/\r\n\r\nlast\r\n\z/, 'learn: a line end that is missing');
mkdir "$dir/many";
write_file("many/$_", "Subject: $_\n\n$_\n") for 1 .. 150;
check('learn: many', [@learn, qw(-n 8 spam), "$dir/many"], 0, qr/\A\Q@{[ summary('learned as spam', 150, 0, 0, 150, 0, 0) ]}\E\z/);
is(scalar(my @many = asked()), 300, 'learn: many: all are asked');
mkdir "$dir/nobody";
check('learn: an empty folder', [@learn, 'spam', "$dir/nobody"], 0, qr/\A\Q@{[ summary('learned as spam', 0, 0, 0, 0, 0, 0) ]}\E\z/, qr/\A\z/);
check('learn: a large one', [@learn, 'spam', $big], 0, qr/1 learned/);
$size -= length "X-Spam-Flag: NO\r\nX-Spam-Checker: forged\r\n\tfolded\r\n";
like(read_file("$dir/liar.log"), qr/ asked spamc $size\n/, 'learn: a large one: all of it');
my $long = write_file('long.eml', 'Subject: ' . 'y' x 200_000 . "\nX-Spam-Long: " . 'z' x 200_000 . "\n" . "\n" . 'w' x 200_000);
check('learn: long lines', [@learn, qw(-e rspamd spam), $long], 0, qr/1 learned/);
$size = length('Subject: ') + 200_000 + 2 + 2 + 200_000 + 2;
like(read_file("$dir/liar.log"), qr/ asked http $size\n/, 'learn: long lines: all but the field that goes');
asked();

# What goes wrong.
my $away = mail('away', "Liar-Spamd: !none\n");
my $refused = mail('refused', "Liar-Rspamd: !status 403 Unauthorized\n");
check('learn: an engine is away', [@learn, 'spam', $away], 75, qr/\Arspamd: 1 .*\nspamd: 0 learned as spam, 0 known already, 1 failed\n\z/,
    qr/\Amfxctl score learn: \Q$away\E: spamd: unreached: .*\n\z/);
check('learn: refused', [@learn, 'spam', $refused], 1, qr/\Arspamd: 0 .*, 1 failed\nspamd: 1 /, qr/\Q$refused\E: rspamd: refused: \S+: HTTP 403/);
check('learn: no such file', [@learn, 'spam', "$dir/frob", $plain], 66, qr/\n1 could not be read\n\z/, qr{\Amfxctl score learn: \Q$dir\E/frob: No such file or directory\n\z});
check('learn: an empty one', [@learn, 'spam', "$dir/empty.eml"], 66, qr/\n1 could not be read\n\z/, qr{empty\.eml: there is no message in it\n});
check('learn: a compressed one', [@learn, 'spam', write_file('packed', "\x1f\x8b\x08\0\0\0\0\0")], 66, qr/could not be read/, qr{packed: it is compressed \(gzip\)\n});
SKIP: {
    skip 'root reads everything', 3 if $> == 0;
    mkdir "$dir/closed", 0;
    check('learn: a closed folder', [@learn, 'spam', "$dir/closed"], 66, qr/could not be read/, qr{closed: Permission denied});
}
my $deep = "$dir/deep";
for (1 .. 20) { mkdir $deep; $deep .= '/d' }
check('learn: folders without an end', [@learn, 'spam', "$dir/deep"], 66, qr/could not be read/, qr{/d/d: });
asked();
check('learn: the first failure ends it', [@learn, qw(-n 1 spam), $away, $plain, $plain], 75, qr/\Arspamd: 1 learned/);
check('learn: unless it is to go on', [@learn, qw(-k spam), $away, "$dir/frob", $refused, $plain], 75,
    qr/\Arspamd: 2 learned as spam, 0 known already, 1 failed\nspamd: 2 learned as spam, 0 known already, 1 failed\n1 could not be read\n\z/);
$json = json_of('learn: JSON', 75, '--json', @learn, qw(-k spam), $away, "$dir/frob", $known);
is_deeply([@$json{qw(messages unread)}, map { "$_->{engine} $_->{learned} $_->{known} $_->{failed}" } @{ $json->{engines} }],
    [3, 1, 'rspamd 1 1 0', 'spamd 0 1 1'], 'learn: JSON: numbers');
is_deeply([map { join ' ', @$_{ grep { $_ ne 'why' } sort keys %$_ } } @{ $json->{problems} }], ["unreached spamd $away", "$dir/frob"], 'learn: JSON: problems');
print {$order} "refuse\n";
for (1 .. 200) { last if read_file("$dir/liar.log") =~ /^0 refuse$/m; sleep 0.05 }
check('learn: nobody there', [@learn, 'spam', $plain], 75, qr/rspamd: 0 learned as spam, 0 known already, 1 failed\n/, qr/rspamd: (?:unreached|not_asked)/);
check('scan: nobody there', [qw(score scan -c), $three, $plain], 2, qr/would be deferred: 451 4\.7\.1/);
check('engines: nobody there', [qw(score engines --test -t 20 -c), $three], 1, qr/\Arspamd \(rspamd\)\n  127\.0\.0\.1:$port +\S.*(?:refused|Failed to connect)/);
print {$order} "answer\n";
for (1 .. 200) { last if read_file("$dir/liar.log") =~ /^0 answer$/m; sleep 0.05 }
for (['no words', 64, [], qr/spam, ham or forget/],
    ['no file', 64, ['spam'], qr/a FILE, a FOLDER or/],
    ['a wrong word', 64, ['frob', $plain], qr/spam, ham or forget/],
    ['a wrong number', 64, [qw(-n 0 spam), $plain], qr/--parallel 0: a number from 1 to 100\n/],
    ['clamd', 64, [qw(-e clamd spam), $plain], qr/clamd does not learn\n/],
    ['rspamd is to forget', 64, [qw(-e rspamd forget), $plain], qr/rspamd cannot forget/],
    ['no such engine', 64, [qw(-e frob spam), $plain], qr/--engine frob: no such engine/])
{
    my ($label, $status, $words, $err) = @$_;
    check("learn: $label", [@learn, @$words], $status, qr/\A\z/, $err);
}
for (['no engine', conf('none', ''), 'spam', qr/no engine is configured that learns\n/],
    ['clamd alone', conf('clamd', engines(engine('clamd'))), 'spam', qr/no engine is configured that learns\n/],
    ['nobody who forgets', conf('rspamd', engines(engine('rspamd'))), 'forget', qr/no engine is configured that can forget\n/],
    ['no password', conf('password', engines(engine('rspamd', "controller_password_file = \"$dir/frob\";"))), 'spam', qr/frob/],
    ['no configuration', "$dir/frob.conf", 'spam', qr/frob\.conf/])
{
    my ($label, $conf, $word, $err) = @$_;
    check("learn: $label", [qw(score learn -c), $conf, $word, $plain], 78, qr/\A\z/, $err);
}

# --- engines ---
check('engines: greeted', [qw(score engines --test -c), $three], 0,
    qr/\Arspamd \(rspamd\)\n  127\.0\.0\.1:$port +rspamd\/3\.4\nspamd \(spamd\)\n  127\.0\.0\.1:$port +\S.*\nclamd \(clamd\)\n  127\.0\.0\.1:$port +ClamAV .*\n\z/);
$json = json_of('engines: greeted, JSON', 0, '--json', qw(score engines --test -c), $three, 'clamd');
is_deeply([map { "$_->{engine} $_->{type} $_->{servers}[0]{server} $_->{servers}[0]{trouble}" } @$json], ["clamd clamd 127.0.0.1:$port "], 'engines: greeted, JSON: one');
for (['no such engine', 64, ['--test', '-c', $three, 'frob'], qr/frob: no such engine/],
    ['no engine', 78, ['--test', '-c', "$dir/none.conf"], qr/no engine is configured\n/],
    ['a wrong time', 64, ['--test', '-t', 'frob'], qr/--timeout frob: seconds/],
    ['options of a test', 64, ['-c', $three], qr/go with --test\n/],
    ['options of a daemon', 64, ['--test', '-s', "$dir/frob.ctl"], qr/--socket does not go with --test\n/],
    ['no daemon', 69, ['-s', "$dir/frob.ctl"], qr/frob\.ctl/],
    ['a name with a blank', 64, ['-s', "$dir/frob.ctl", 'a b'], qr/has blanks/])
{
    my ($label, $status, $words, $err) = @$_;
    check("engines: $label", [qw(score engines), @$words], $status, qr/\A\z/, $err);
}
for (['no daemon', 69, ['-s', "$dir/frob.ctl"], qr/frob\.ctl/], ['a wrong number', 64, [qw(--top frob)], qr/--top frob: a number/],
    ['a word too many', 64, ['frob'], qr/frob: not expected here/])
{
    my ($label, $status, $words, $err) = @$_;
    check("symbols: $label", [qw(score symbols), @$words], $status, qr/\A\z/, $err);
}

SKIP: {
    skip 'mfx-score is not built', 12 if !-x build() . '/mfx-score';
    my $conf = conf('daemon', engines(engine('rspamd'), engine('clamd')) . "socket = \"unix:$dir/score.sock\"; pid_file = \"\"; log: { target = \"stderr\"; };\n"
            . "control: { socket = \"$dir/score.ctl\"; };\n");
    my $daemon = fork // die $!;
    if ($daemon == 0) {
        open STDERR, '>', "$dir/daemon.log";
        exec build() . '/mfx-score', '-c', $conf or exit 127;
    }
    for (1 .. 600) { last if -S "$dir/score.ctl" && waitpid($daemon, 1) == 0; sleep 0.05 }
    my @ask = (qw(score engines -s), "$dir/score.ctl");
    for (1 .. 100) { last if (run(@ask))[1] =~ /rspamd\/3\.4/; sleep 0.1 }
    check('engines: of a daemon', \@ask, 0, qr/\Arspamd \(rspamd, enforce\): 0 running, 0 waiting\n +SERVER .*\n  127\.0\.0\.1:$port +up .*rspamd\/3\.4\n/, qr/\A\z/)
        or diag(read_file("$dir/daemon.log"));
    is((json_of('engines: of a daemon, JSON', 0, '--json', @ask, 'clamd'))->[0]{servers}[0]{health}, 'up', 'engines: of a daemon, JSON: one');
    check('engines: of a daemon, no such one', [@ask, 'frob'], 1, qr/\A\z/, qr/no engine of that name/);
    my @symbols = (qw(score symbols -s), "$dir/score.ctl");
    check('symbols: none yet', [@symbols, qw(--top 5 --engine rspamd)], 0, qr/\Ano symbol has been seen\n\z/, qr/\A\z/);
    is_deeply(json_of('symbols: JSON', 0, '--json', @symbols), [], 'symbols: JSON: none yet');
    check('symbols: no such engine', [@symbols, qw(-e frob)], 1, qr/\A\z/, qr/no engine of that name/);
    kill 'TERM', $daemon;
    waitpid $daemon, 0;
}
done_testing();
