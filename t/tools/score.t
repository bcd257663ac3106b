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
use MIME::Base64 qw(encode_base64);
use Test::More;

plan skip_all => 'mfxctl-score is not built' if !-x build() . '/mfxctl-score';
my $dir = dir();
write_file('common.conf', 'user = "' . getpwuid($>) . "\";\n");

# --- check-header ---
# The field by which a score travels, as libmfx/auth/score_seal.h has it.
sub seal {
    my (%of) = (secret => 'tops3cr3t', t => time, i => '4Bx9k2', s => '7.25', a => 'tag',
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
my $now = time;
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
done_testing();
