#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl spf dnsbl and lists: what the configured DNS lists say, how they are,
# and that names which hold keys are shown to nobody who does not ask for them.
# mfxctl spf check with a configuration: what the daemon would do.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run check json_of write_file read_file);
use IPC::Open2;
use Test::More;
use Time::HiRes qw(sleep);

my $talk = build() . '/t/milter/miltertalk';
for (build() . '/mfx-spf', build() . '/mfxctl-spf', $talk) {
    plan skip_all => "$_ is not built" if !-x $_;
}
my $dir = dir();
my $src = $ENV{MFX_SRCDIR} || "$FindBin::Bin/../..";
my $user = getpwuid($>);
my $patience = 60;

# DNS as the lists' owners serve it, and as they do not.
my %listed = ('zen.example' => '127.0.0.2', 'bl.example' => '127.0.0.2', 'wl.example' => '127.0.0.2', 'k3y.dq.example' => '127.0.0.2', 'sh.example' => '127.0.0.2',
    'world.example' => '127.0.0.2', 'six.example' => '127.0.0.2');
my $script = write_file('script', join "\n",
    (map { "2.0.0.127.$_ A a $listed{$_}" } sort keys %listed),
    '1.0.0.127.world.example A a 127.0.0.2',
    '2.0.0.127.silent.example A silent', '1.0.0.127.silent.example A silent',
    '2.0.0.127.fails.example A servfail', '1.0.0.127.fails.example A servfail',
    'test.dbl.example A a 127.0.1.2', 'bad.example.dbl.example A a 127.0.1.2',
    '7.2.0.192.zen.example A late=150 a 127.0.0.4 127.0.0.11', '7.2.0.192.zen.example TXT txt "see https://zen.example/?ip=192.0.2.7"',
    '7.2.0.192.bl.example A a 127.0.0.9',
    '9.2.0.192.k3y.dq.example A a 127.0.0.2', '9.2.0.192.k3y.dq.example TXT txt "listed at k3y.dq.example"',
    '7.2.0.192.k3y.dq.example A a 127.255.255.254',
    '11.2.0.192.wl.example A a 127.0.0.2', '11.2.0.192.zen.example A a 127.0.0.2',
    '7.2.0.192.sh.example A a 127.0.0.2',
    '12.2.0.192.bl.example A silent',
    'example.org TXT txt "v=spf1 ip4:192.0.2.7 -all"', '');
my $pid = open2(my $out, my $in, "$src/t/lib/dnsliar", $script);
my ($port) = <$out> =~ /^port (\d+)/;
my $lists = <<'END';
lists = {
  sites = [ "zen.example*3", "bl.example=127.0.0.[2..4]*2", "wl.example*-5", "k3y.dq.example=127.0.0.2*4" ];
  reject_at = 3; tag_at = 2; allow_at = -2; timeout = "500ms";
  reply_map = "inline:k3y.dq.example=dq.example";
};
health = { failures = 1; };
END
my $groups = <<'END';
dns_lists = (
  { name = "names"; sites = [ "dbl.example*4" ]; type = "domain"; keys = [ "helo", "sender_domain" ]; },
  { name = "look"; sites = [ "sh.example" ]; mode = "shadow"; }
END

sub config {
    my ($name, $text) = @_;
    return write_file("$name.conf", <<"END");
socket = "unix:$dir/$name.sock";
user = "$user";
control: { socket = "$dir/$name.ctl"; };
log: { target = "stderr"; };
dns: { servers = [ "127.0.0.1:$port" ]; };
$text
END
}

my $conf = config('spf', "$lists$groups );\nrules = ( { name = \"ours\"; domains = \"csl:example.org\"; results = [ \"fail\" ]; action = \"tempfail\"; } );\n");
my @dnsbl = (qw(spf dnsbl -c), $conf);

# --- dnsbl ---
check('dnsbl: listed', [@dnsbl, '192.0.2.7'], 1,
    qr/\A192\.0\.2\.7
  zen\.example +listed 127\.0\.0\.4, 127\.0\.0\.11 weight \+3 \d+ ms
    see https:\/\/zen\.example\/\?ip=192\.0\.2\.7
  bl\.example +listed, not counted 127\.0\.0\.9 \d+ ms
  wl\.example +not listed \d+ ms
  dq\.example +error 127\.255\.255\.254 \(the list refuses questions from a public resolver\) \d+ ms
  sh\.example +listed 127\.0\.0\.2 weight \+1 \[shadow\] \d+ ms
  not asked, since for other things: dbl\.example
score 3: reject, .+
reply: 550 5\.7\.1 192\.0\.2\.7 is listed by zen\.example: see https:.*\n\z/, qr/\A\z/);
my $json = json_of('dnsbl: as JSON', 1, '--json', @dnsbl, '192.0.2.7');
my %row = map { $_->{list} => $_ } @{ $json->{lists} };
is("$json->{score} $json->{action}", '3 reject', 'dnsbl: score and action');
is_deeply($row{'zen.example'}{addresses}, ['127.0.0.4', '127.0.0.11'], 'dnsbl: codes');
cmp_ok($row{'zen.example'}{ms}, '>=', 100, 'dnsbl: time of the late one');
cmp_ok($row{'bl.example'}{ms}, '<', $row{'zen.example'}{ms}, 'dnsbl: time of another');
is($row{'dq.example'}{answer}, 'error', 'dnsbl: an error is no listing');
ok(!$row{'sh.example'}{scored}, 'dnsbl: shadow is not scored');
is_deeply([@{ $row{'dbl.example'} }{qw(answer group)}], ['not asked', 'names'], 'dnsbl: a list of names');

check('dnsbl: a key is not shown', [@dnsbl, '192.0.2.9'], 1, qr/\A(?!.*k3y).*  dq\.example +listed 127\.0\.0\.2 weight \+4.*\n    listed at dq\.example\n.*reply: 550 .* listed by dq\.example: listed at dq\.example\n\z/s);
unlike((run('--json', @dnsbl, '192.0.2.9'))[1], qr/k3y/, 'dnsbl: nor in JSON');
check('dnsbl: but with --reveal', [@dnsbl, '--reveal', '192.0.2.9'], 1, qr/\n  k3y\.dq\.example +listed .*\n    9\.2\.0\.192\.k3y\.dq\.example\n/);
is((grep { $_->{list} eq 'dq.example' } @{ json_of('dnsbl: --reveal', 1, '--json', @dnsbl, '--reveal', '192.0.2.9')->{lists} })[0]{zone}, 'k3y.dq.example',
    'dnsbl: --reveal as JSON');
check('dnsbl: an allow list', [@dnsbl, '192.0.2.11'], 0, qr/\nscore -2: allow/);
check('dnsbl: nowhere', [@dnsbl, '192.0.2.10'], 0, qr/\nscore 0: none\n\z/);
check('dnsbl: IPv6', [@dnsbl, '2001:db8::1'], 0, qr/\nscore 0: none\n\z/);
check('dnsbl: a name', [@dnsbl, 'BAD.example.'], 1, qr/\n  dbl\.example +listed 127\.0\.1\.2 weight \+4 .*\nscore 4: reject/s);
check('dnsbl: a sender', [@dnsbl, 'joe@bad.example'], 1, qr/\n  dbl\.example +listed /);
check('dnsbl: a name as something else', [@dnsbl, qw(--key from_domain bad.example)], 0, qr/\nscore 0: none\n\z/);
check('dnsbl: a list that is silent', [@dnsbl, '192.0.2.12'], 2, qr/\n  bl\.example +no answer \(not in time\)\n/);
my $broken = config('broken', "lists = { timeout = \"500ms\"; sites = [ \"world.example*9\", \"silent.example\", \"fails.example\", \"empty.example\", \"zen.example\" ]; };\nhealth = { failures = 1; };\n");
check('dnsbl: lists that are broken', [qw(spf dnsbl -c), $broken, '192.0.2.7'], 1,
    qr/\n  world\.example +not asked \[out of use: lists the world: .*\]\n  silent\.example +not asked \[out of use: does not answer.*\]\n  fails\.example +not asked \[out of use: fails.*\]\n  empty\.example +not asked \[out of use: lists nothing.*\]\n  zen\.example +listed .*\nscore 1: reject/s);
for (['two labels missing', 'a..b'], ['nothing', ''], ['no local part', '@bad.example'], ['a blank', 'a b']) {
    my ($label, $what) = @$_;
    my ($status, $stdout, $stderr) = run(@dnsbl, $what);
    ok($status == 64 && $stdout eq '', "dnsbl: $label: wrong usage") or diag("$status $stdout");
}
unlike((run(@dnsbl, "\e[31m\xc3\xa4.example"))[$_], qr/[\e\xc3]/, "dnsbl: control bytes are not printed: $_") for 1, 2;
check('dnsbl: a wrong key', [@dnsbl, qw(--key frob bad.example)], 64, qr/\A\z/, qr/--key frob: client, client_name, /);
check('dnsbl: two things', [@dnsbl, qw(192.0.2.1 192.0.2.2)], 64, qr/\A\z/, qr/one IP address, name or mail address/);
check('dnsbl: no configuration', [qw(spf dnsbl -c), "$dir/frob.conf", '192.0.2.1'], 78, qr/\A\z/, qr/frob\.conf/);
check('dnsbl: no lists', [qw(spf dnsbl -c), config('none', ''), '192.0.2.1'], 78, qr/\A\z/, qr/no DNS list is configured/);

# --- lists ---
check('lists: --test', [qw(spf lists --test -c), $conf], 0, qr/\Azen\.example +in use\n    tested 20\d\d-.*\n(?:.*\n)*sh\.example +in use, shadow\n    tested /);
unlike((run(qw(spf lists --test -c), $conf))[1], qr/k3y/, 'lists: a key is not shown');
check('lists: --test finds broken ones', [qw(spf lists --test -c), $broken], 1, qr/\Aworld\.example +out of use: lists the world.*\n(?:.*\n)*zen\.example +in use\n/);
check('lists: one', [qw(spf lists --test -c), $broken, 'zen.example'], 0, qr/\Azen\.example +in use\n    tested .*\n\z/);
check('lists: none of that name', [qw(spf lists --test -c), $broken, 'frob.example'], 1, qr/\A\z/, qr/no list of that name/);
check('lists: none at all', [qw(spf lists --test -c), "$dir/none.conf"], 0, qr/\Ano DNS list is configured\n\z/);
check('lists: nobody there', [qw(spf lists --socket), "$dir/nobody.ctl"], 69, qr/\A\z/, qr/nobody\.ctl/);
check('lists: what goes with --test', [qw(spf lists -c), $conf], 64, qr/\A\z/, qr/go with --test/);

# A daemon that has had one message from a listed client.
my $daemon = fork // die $!;
if ($daemon == 0) {
    open STDERR, '>>', "$dir/spf.log";
    exec build() . '/mfx-spf', '-c', $conf or exit 127;
}
END { kill 'TERM', $daemon and waitpid $daemon, 0 if $daemon; }

sub until_true {
    my ($what) = @_;
    my $until = time + $patience;
    while (time < $until) {
        return 1 if $what->();
        sleep 0.05;
    }
    diag(read_file("$dir/spf.log"));
    return 0;
}
my @asked = ('--json', qw(spf lists --socket), "$dir/spf.ctl");
ok(until_true(sub { (run(@asked))[0] == 0 }), 'lists: all are in use after the start');
my $mail = write_file('mail', join "\n", 'test mail', 'connect host.example.net 192.0.2.7', 'helo me.example', 'mail <x@example.net>', 'rcpt <joe@example.net>', 'expect replycode 550*zen.example*', '');
my $said = `$talk -s unix:$dir/spf.sock $mail 2>&1`;
is($?, 0, 'lists: a client that is listed') or diag($said);
my %list = map { $_->{list} => $_ } @{ json_of('lists: of the daemon', 0, @asked) };
is_deeply([@{ $list{'zen.example'} }{qw(asked hits use remark)}], [1, 1, 'in use', ''], 'lists: what the daemon has counted');
is($list{'dq.example'}{errors}, 1, 'lists: an error is counted');
like($list{'dq.example'}{remark}, qr/\Ait refuses: /, 'lists: and remarked upon');
check('lists: in words', [qw(spf lists --socket), "$dir/spf.ctl"], 0,
    qr/\Azen\.example +in use\n    asked 1, hits 1, decided 1, alone 1, errors 0, no answer 0, \d+ ms; tested 20.*\n(?:.*\n)*dq\.example +in use\n    asked 1, .*\n    it refuses: .*\n/);
check('lists: one of the daemon', [qw(spf lists --socket), "$dir/spf.ctl", 'bl.example'], 0, qr/\Abl\.example .*\n    asked 1, hits 0,.*\n\z/);
check('lists: none of that name in the daemon', [qw(spf lists --socket), "$dir/spf.ctl", 'frob.example'], 1, qr/\A\z/, qr/no list of that name/);

# --- check with a configuration ---
check('check: what a rule does', [qw(spf check -i 192.0.2.8 -f x@example.org -c), $conf], 1, qr/: fail by -all\n.*\n  action: tempfail by rule ours\n\z/);
check('check: what a setting does', [qw(spf check -i 192.0.2.8 -f x@none.example -c), $conf], 1, qr/: none\n.*\n.*\n  action: accept by mail_from\.on_none\n\z/);
is(json_of('check: as JSON', 0, qw(--json spf check -i 192.0.2.7 -f x@example.org -c), $conf)->{action}, 'accept', 'check: a pass is accepted');
check('check: no configuration', [qw(spf check -i 192.0.2.7 -f x@example.org -c), "$dir/frob.conf"], 78, qr/\A\z/, qr/frob\.conf/);

# --- a DNS server that is gone ---
close $in;
waitpid $pid, 0;
check('dnsbl: no DNS', [@dnsbl, '192.0.2.7'], 0, qr/\n  zen\.example +not asked \[out of use: .*\nscore 0: none\n\z/s);
check('lists: no DNS', [qw(spf lists --test -c), $conf], 1, qr/\Azen\.example +out of use: /);
done_testing();
