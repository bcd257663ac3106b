#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl dkim rotate and keys without a daemon: files, cards, names, and what
# is shown of them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file read_file);
use POSIX qw(strftime);
use Test::More;

plan skip_all => 'mfxctl-dkim is not built' if !-x build() . '/mfxctl' || !-x build() . '/mfxctl-dkim';
my $dir = dir();
$ENV{MFX_RUNDIR} = "$dir/nowhere";
my $month = strftime('%Y%m', gmtime);

sub key {
    my ($domain, $selector, @options) = @_;
    mkdir "$dir/$domain";
    run(qw(dkim genkey -d), $domain, '-s', $selector, @options, '-o', "$dir/$domain/$selector.pem");
}

sub rotate {
    my ($label, $status, @args) = @_;
    return json_of($label, $status, qw(--json dkim rotate), @args);
}

sub by_algorithm { return map { $_->{algorithm} => $_ } @{ $_[0]{keys} } }

sub mode { return (stat $_[0])[2] & 07777 }

sub keys_of {
    my ($conf, @more) = @_;
    my $answer = json_of("keys @more", 0, qw(--json dkim keys --offline -c), $conf, @more);
    return map { $_->{selector} => $_ } @{ $answer->{keys} };
}

# --- domains and selectors ---
key('a.example', 'r1');
key('a.example', 'e1', qw(-a ed25519));
my $conf = write_file('dkim.conf', <<"END");
state_dir = "$dir/state";
sign: { domains = "csl:a.example"; selectors = ["r1", "e1"]; key_path = "$dir/%d/%s.pem"; };
END
my $first = rotate('rotate', 0, '-c', $conf, 'a.example');
my %made = by_algorithm($first);
is_deeply([sort keys %made], ['ed25519-sha256', 'rsa-sha256'], 'rotate: a key for each algorithm');
is_deeply([map { $_->{selector} } sort { $a->{selector} cmp $b->{selector} } values %made], [$month, "${month}b"],
    'rotate: selectors by the pattern');
is($made{'rsa-sha256'}{replaces}, 'r1', 'rotate: RSA replaces RSA');
is($made{'ed25519-sha256'}{replaces}, 'e1', 'rotate: Ed25519 replaces Ed25519');
for my $k (values %made) {
    is($k->{file}, "$dir/a.example/$k->{selector}.pem", "$k->{selector}: beside the old one");
    is(mode($k->{file}), 0600, "$k->{selector}: mode");
    is(mode("$k->{file}.card"), 0644, "$k->{selector}: mode of the card");
    my $card = read_file("$k->{file}.card");
    like($card, qr/^domain = "a\.example";$/m, "$k->{selector}: card names the domain");
    like($card, qr/^selector = "$k->{selector}";$/m, "$k->{selector}: card names the selector");
    like($card, qr/^replaces = "$k->{replaces}";$/m, "$k->{selector}: card names what it replaces");
    unlike($card, qr/not_before = "[^"]/, "$k->{selector}: no time");
    like($k->{zone}, qr/^\Q$k->{selector}\E\._domainkey\.a\.example\.\tIN\tTXT\t/, "$k->{selector}: the record");
    is(join('', @{ $k->{strings} }), $k->{record}, "$k->{selector}: in strings");
}
is_deeply([glob "$dir/a.example/*.pem.??????"], [], 'rotate: nothing else is left there');
my %again = by_algorithm(rotate('rotate again', 0, '-c', $conf, 'a.example'));
for my $a (keys %made) {
    is($again{$a}{selector}, $made{$a}{selector}, "again: $a: the same selector");
    is($again{$a}{record}, $made{$a}{record}, "again: $a: the same record");
    ok(!$again{$a}{made}, "again: $a: not made");
}
check('rotate in words', [qw(dkim rotate -c), $conf, 'a.example'], 0,
    qr/^; rsa-sha256, 2048 bits.*\n; made before: replaces r1.*^\Q$month\E\S*\._domainkey\.a\.example\.\tIN\tTXT.*Next: publish/ms, qr/\A\z/);
my %keys = keys_of($conf);
is(scalar keys %keys, 4, 'keys: all four');
is($keys{$made{'rsa-sha256'}{selector}}{state}, 'new', 'keys: new');
is($keys{$made{'rsa-sha256'}{selector}}{bits}, 2048, 'keys: bits');
is($keys{r1}{state}, 'active', 'keys: the old one is active');
ok($keys{r1}{signing}, 'keys: and signs');
%keys = keys_of($conf, qw(--state new));
is_deeply([sort keys %keys], [$month, "${month}b"], 'keys: by state');
%keys = keys_of($conf, 'b.example');
is_deeply(\%keys, {}, 'keys: of a domain that is not there');
check('keys in words', [qw(dkim keys -c), $conf], 0, qr/^a\.example r1 rsa-sha256 2048 active, signs, in DNS: unknown\n.*4 keys: 2 new, 2 active; 0 to do, 0 alarms/ms);
my %forced = by_algorithm(rotate('force', 0, '--force', '-a', 'rsa', '-b', '3072', '-c', $conf, 'a.example'));
is_deeply([keys %forced], ['rsa-sha256'], 'force: one algorithm');
is($forced{'rsa-sha256'}{selector}, "${month}c", 'force: a third key');
is($forced{'rsa-sha256'}{bits}, 3072, 'force: bits');
is($forced{'rsa-sha256'}{replaces}, $made{'rsa-sha256'}{selector}, 'force: replaces the one that waits');
# zone has them all
my $zone = json_of('zone', 0, qw(--json dkim zone -c), $conf);
is_deeply([sort map { $_->{selector} } @$zone], [sort $month, "${month}b", "${month}c", 'e1', 'r1'], 'zone: keys that wait, too');

# --- names, times, places ---
key('b.example', 'r1', qw(-b 1024));
my $b = write_file('b.conf', <<"END");
state_dir = "$dir/state";
sign: { domains = "csl:b.example"; selectors = ["r1"]; key_path = "$dir/%d/%s.pem"; };
rotation: { selector = "x%Y"; };
END
mkdir "$dir/out";
my $out = rotate('elsewhere', 0, '--out', "$dir/out", qw(--selector next --not-before 2030-01-02 -c), $b, 'B.Example');
is($out->{keys}[0]{file}, "$dir/out/next.pem", 'elsewhere: its place');
is($out->{keys}[0]{bits}, 2048, 'elsewhere: no less than 2048 bits');
like(read_file("$dir/out/next.pem.card"), qr/^not_before = "2030-01-02T00:00:00Z";$/m, 'elsewhere: its time');
is($out->{keys}[0]{not_before}, '2030-01-02T00:00:00Z', 'elsewhere: its time is shown');
is(scalar(glob "$dir/b.example/next*"), undef, 'elsewhere: nothing beside the old key');
$out = rotate('pattern of the configuration', 0, '-c', $b, 'b.example');
is($out->{keys}[0]{selector}, 'x' . strftime('%Y', gmtime), 'pattern of the configuration');
unlink glob "$dir/b.example/x*";
$out = rotate('an hour from now', 0, qw(--not-before 1h --selector k%d -c), $b, 'b.example');
is($out->{keys}[0]{selector}, strftime('k%d', gmtime), 'a pattern of one\'s own');
my ($card) = read_file("$out->{keys}[0]{file}.card") =~ /not_before = "([^"]+)"/;
cmp_ok($card, 'gt', strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 3500)), 'an hour from now');
cmp_ok($card, 'lt', strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 3700)), 'not much more');
unlink glob "$dir/b.example/k*";

# --- a key table: the file beside the old key, whatever its name ---
mkdir "$dir/keys";
my @files = (
    ['c.example', 'mail',   'mail.private',     "$month.private"],
    ['d.example', 'mail',   'd.example.pem',    "d.example.$month.pem"],
    ['e.example', 'a',      'data.pem',         "data.$month.pem"],
    ['f.example', 'mail',   'mail',             "$month"],
    ['g.example', 's1',     'g-s1.key.pem',     "g-$month.key.pem"],
    ['h.example', 'mail',   'mail.private',     "h.example.$month.private"],
);
for (@files) {
    my ($domain, $selector, $file) = @$_;
    run(qw(dkim genkey -a ed25519 -d), $domain, '-s', $selector, '-o', "$dir/keys/$file") if !-e "$dir/keys/$file";
}
chmod 0640, "$dir/keys/mail.private";
write_file('KeyTable', join '', map { "$_->[0] $_->[0]:$_->[1]:$dir/keys/$_->[2]\n" } @files);
write_file('SigningTable', join '', map { "*\@$_->[0] $_->[0]\n" } @files);
my $tables = write_file('tables.conf', <<"END");
state_dir = "$dir/state";
sign: { key_table = "file:$dir/KeyTable"; signing_table = "refile:$dir/SigningTable"; };
END
for (@files) {
    my ($domain, $selector, $file, $want) = @$_;
    my $k = rotate($domain, 0, '-c', $tables, $domain)->{keys}[0];
    is($k->{file}, "$dir/keys/$want", "$domain: file");
    is($k->{replaces}, $selector, "$domain: replaces");
}
is(mode("$dir/keys/$month.private"), 0640, 'readable by the group as the old one');
%keys = keys_of($tables);
is(scalar(grep { $_->{state} eq 'new' } values %keys), 1, 'keys: one selector') or diag(explain \%keys);
my $all = json_of('keys of tables', 0, qw(--json dkim keys --offline -c), $tables);
is($all->{states}{new}, 6, 'keys: six new keys');
is($all->{total}, 12, 'keys: twelve in all');
is_deeply([map { $_->{selector} } @{ json_of('keys of one', 0, qw(--json dkim keys --offline -c), $tables, 'c.example')->{keys} }],
    ['mail', $month], 'keys: of a domain, oldest first');

# --- one key file for many domains, and for any ---
mkdir "$dir/shared";
run(qw(dkim genkey -a ed25519 -d x.example -s s -o), "$dir/shared/default.private");
write_file('SharedKeys', join '', map { "$_->[0] $_->[1]:default:$dir/shared/default.private\n" } ['a', 'a.example'], ['b', 'b.example'], ['any', '%']);
write_file('SharedSigning', "*\@a.example a\n*\@b.example b\n*\@any.example any\n");
my $shared = write_file('shared.conf', <<"END");
state_dir = "$dir/state-shared";
sign: { key_table = "file:$dir/SharedKeys"; signing_table = "refile:$dir/SharedSigning"; };
END
my $s = rotate('shared', 0, '--shared', '-c', $shared, 'a.example')->{keys}[0];
$card = read_file("$s->{file}.card");
like($card, qr/^domain = "\*";$/m, 'shared: the card is for all');
like($card, qr/^replaces_key = "default\.private";$/m, 'shared: it names the file');
$zone = json_of('zone of shared keys', 0, qw(--json dkim zone -c), $shared);
is_deeply([map { "$_->{domain} $_->{selector}" } @$zone],
    ["a.example $month", 'a.example default', "b.example $month", 'b.example default'], 'shared: records for all domains');
check('a pattern', [qw(dkim rotate -c), $shared, 'any.example'], 78, qr/\A\z/, qr/pattern/);

# --- what must not be ---
my $before = join ' ', sort glob "$dir/a.example/* $dir/b.example/*";
my @wrong = (
    [taken          => 64, [qw(--force -a rsa --selector r1 -c), $conf, 'a.example'],  qr/r1 is taken/],
    [two_fixed      => 64, [qw(--force --selector n -c), $conf, 'a.example'],          qr/two/],
    [no_domain      => 64, ['-c', $conf],                                             qr/one DOMAIN/],
    [bad_domain     => 64, ['-c', $conf, 'a..example'],                               qr/no domain/],
    [bad_pattern    => 64, [qw(--force -a rsa --selector %Q -c), $conf, 'a.example'],  qr/%Y/],
    [bad_selector   => 64, [qw(--force -a rsa --selector ../x -c), $conf, 'a.example'], qr/no selector/],
    [bad_time       => 64, [qw(--not-before soon -c), $conf, 'a.example'],             qr/--not-before/],
    [bad_algorithm  => 64, [qw(-a dsa -c), $conf, 'a.example'],                        qr/rsa or ed25519/],
    [short_key      => 64, [qw(-b 512 -c), $conf, 'a.example'],                        qr/1024 to 8192/],
    [unknown_domain => 1,  ['-c', $conf, 'z.example'],                                qr/genkey/],
    [no_such_key    => 1,  [qw(-a ed25519 -c), $b, 'b.example'],                       qr/genkey/],
    [no_folder      => 73, ['--out', "$dir/none", '-c', $b, 'b.example'],             qr/none/],
);
for (@wrong) {
    my ($label, $status, $args, $says) = @$_;
    check($label, [qw(dkim rotate), @$args], $status, qr/\A\z/, $says);
}
is(join(' ', sort glob "$dir/a.example/* $dir/b.example/*"), $before, 'nothing was written');
check('keys: wrong state', [qw(dkim keys --state old -c), $conf], 64, qr/\A\z/, qr/--state/);
check('keys: nobody at the socket', [qw(dkim keys --socket), "$dir/none.ctl"], 69, qr/\A\z/, qr/none\.ctl/);
done_testing();
