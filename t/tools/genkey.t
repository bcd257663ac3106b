#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl dkim genkey: the file, the record, and what it refuses. Keys and
# records are read back by openssl.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use MIME::Base64;
use Test::More;

my $build = $ENV{MFX_BUILDDIR} || '.';
my $mfxctl = "$build/mfxctl";
plan skip_all => 'mfxctl-dkim is not built' if !-x $mfxctl || !-x "$build/mfxctl-dkim";
$ENV{MFX_LIBEXECDIR} = $build;
my $dir = tempdir('genkey-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub run {
    my (@args) = @_;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec $mfxctl, 'dkim', 'genkey', @args;
    }
    waitpid $pid, 0;
    my @got = $? >> 8;
    for my $name (qw(out err)) {
        open my $f, '<', "$dir/$name" or die $!;
        local $/;
        push @got, scalar(<$f>) // '';
    }
    return @got;
}

# The public key as openssl reads it from the private one, in DER.
sub public_der {
    my ($file) = @_;
    return scalar `openssl pkey -in $file -pubout -outform DER 2>/dev/null`;
}

# What a zone file's reader makes of the line: name and joined strings.
sub read_zone {
    my ($zone) = @_;
    $zone =~ s/^;.*\n//mg;
    my ($name) = $zone =~ /\A(\S+)\.\tIN\tTXT\t/ or return;
    my @strings = $zone =~ /"([^"]*)"/g;
    return ($name, @strings);
}

my ($status, $out, $err) = run(qw(-d example.org -s r1 --out), "$dir/r1.pem");
is($status, 0, 'RSA by default');
is($err, '', 'nothing on stderr');
my ($name, @strings) = read_zone($out);
is($name, 'r1._domainkey.example.org', 'name of the record');
cmp_ok(scalar(@strings), '>', 1, 'split in strings');
ok(!(grep { length > 255 } @strings), 'no string above 255 octets');
like($out, qr/\( "v=DKIM1/, 'parentheses around several lines');
my ($p) = join('', @strings) =~ /\Av=DKIM1; k=rsa; p=([A-Za-z0-9+\/=]+)\z/;
ok(defined $p, 'the record holds v, k and p');
is(encode_base64($p ? decode_base64($p) : '', ''), encode_base64(public_der("$dir/r1.pem"), ''),
    'p= is the public half');
like(`openssl pkey -in $dir/r1.pem -noout -text`, qr/2048 bit/, '2048 bits');
is((stat "$dir/r1.pem")[2] & 07777, 0600, 'mode 0600');

($status, $out) = run(qw(-d example.org -s e1 -a ed25519 --json -o), "$dir/e1.pem");
is($status, 0, 'Ed25519');
my $json = decode_json($out);
is($json->{name}, 'e1._domainkey.example.org', 'json: name');
is($json->{algorithm}, 'ed25519-sha256', 'json: algorithm');
is($json->{file}, "$dir/e1.pem", 'json: file');
is(join('', @{ $json->{strings} }), $json->{record}, 'json: strings are the record');
my ($raw) = $json->{record} =~ /\Av=DKIM1; k=ed25519; p=(\S+)\z/;
is(length decode_base64($raw), 32, 'RFC 8463 4.2: p= holds the raw 32 bytes');
is(decode_base64($raw), substr(public_der("$dir/e1.pem"), -32), 'json: p= is the public half');

# a name server's own reader takes the line
SKIP: {
    skip 'no nsd-checkzone', 1 if system('command -v nsd-checkzone >/dev/null 2>&1') != 0;
    (undef, my $line) = run(qw(-d example.org -s big -b 4096 -o), "$dir/big.pem");
    open my $f, '>', "$dir/zone" or die $!;
    print $f "\$ORIGIN example.org.\n\$TTL 60\n@ IN SOA ns a 1 2 3 4 5\n@ IN NS ns\n$line";
    close $f;
    my $said = `nsd-checkzone example.org $dir/zone 2>&1`;
    is($?, 0, 'nsd-checkzone reads the line') or diag($said);
}

umask 0;
($status, $out) = run(qw(-d example.org -s w -b 1024 -o), "$dir/w.pem");
is((stat "$dir/w.pem")[2] & 07777, 0600, 'mode 0600 whatever the umask');
like(`openssl pkey -in $dir/w.pem -noout -text`, qr/1024 bit/, '1024 bits when asked for');

($status, $out) = run('-d', "b\xC3\xBCcher.example", qw(-s e2 -a ed25519 -o), "$dir/e2.pem");
($name) = read_zone($out);
is($name, 'e2._domainkey.xn--bcher-kva.example', 'RFC 8616: the name is in A-labels');

# what must not be
my $before = `cat $dir/r1.pem`;
($status, $out, $err) = run(qw(-d example.org -s r1 -o), "$dir/r1.pem");
is($status, 73, 'a file that is there: status');
like($err, qr/is there already/, 'a file that is there: said');
is($out, '', 'a file that is there: no record');
is(`cat $dir/r1.pem`, $before, 'a file that is there: untouched');
symlink "$dir/target", "$dir/link";
($status) = run(qw(-d example.org -s r1 -o), "$dir/link");
is($status, 73, 'a link is not followed');
ok(!-e "$dir/target", 'nothing behind the link');
($status, $out, $err) = run(qw(-d example.org -s r1 -o), "$dir/none/x.pem");
is($status, 73, 'no such folder');

my @wrong = (
    [no_domain        => [qw(-s x)],                              qr/needed/],
    [no_selector      => [qw(-d example.org)],                    qr/needed/],
    [short_key        => [qw(-d a.example -s x -b 512)],          qr/1024 to 8192/],
    [huge_key         => [qw(-d a.example -s x -b 16384)],        qr/1024 to 8192/],
    [odd_key          => [qw(-d a.example -s x -b 2049)],         qr/1024 to 8192/],
    [no_number        => [qw(-d a.example -s x -b 2k)],           qr/1024 to 8192/],
    [bits_of_ed25519  => [qw(-d a.example -s x -a ed25519 -b 2048)], qr/one size/],
    [algorithm        => [qw(-d a.example -s x -a dsa)],          qr/rsa or ed25519/],
    [domain           => [qw(-d a..example -s x)],                qr/no domain/],
    [domain_injection => ['-d', "a.example\nb", '-s', 'x'],       qr/no domain/],
    [selector         => [qw(-d a.example -s a..b)],              qr/no selector/],
    [selector_quote   => ['-d', 'a.example', '-s', 'a"b'],        qr/no selector/],
    [name_too_long    => ['-d', join('.', ('a' x 60) x 4), '-s', 'sel.sel'], qr/longer than a name/],
    [extra_word       => [qw(-d a.example -s x y)],               qr/not expected/],
    [unknown_option   => [qw(--frob)],                            qr/frob/],
);
chdir $dir;
for (@wrong) {
    my ($label, $args, $says) = @$_;
    my ($got, undef, $text) = run(@$args);
    is($got, 64, "$label: status");
    like($text, $says, "$label: said");
}
ok(!-e "$dir/x.pem", 'nothing was written');
is((run('--help'))[0], 0, 'help');
done_testing();
