#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every configuration in doc/quota.md, and the example in conf/, is one that
# mfx-quota takes; and those that stand for another program's limits limit what
# that program would have.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../style";
use Style qw(src build read_file);
use Test::More;

my $daemon = build() . '/mfx-quota';
plan skip_all => 'mfx-quota is not built' if !-x $daemon;
my $dir = tempdir(CLEANUP => 1);

# A user that this machine has.
open my $common, '>', "$dir/common.conf" or die "$dir: $!\n";
print $common 'user = "' . getpwuid($<) . "\";\n";
close $common;

sub said_of {
    my ($text) = @_;
    open my $out, '>', "$dir/quota.conf" or die "$dir: $!\n";
    print $out $text;
    close $out;
    my $said = `$daemon -t -c $dir/quota.conf 2>&1`;
    return ($? >> 8, $said);
}

# Indented blocks under a heading; what stands after "rules =" or "name = {".
my ($heading, @block, @blocks) = ('');
for (split(/\n/, read_file('doc/quota.md')), '') {
    if (/^#+ (.*)/) { $heading = $1 }
    if (/^    (.*)/ || (@block && /^$/)) { push @block, $1 // ''; next }
    push @blocks, [$heading, join("\n", @block) . "\n"] if @block;
    @block = ();
}
my @configurations = grep { $_->[1] =~ /^(?:rules|store|exempt_\w+) = /m } @blocks;
cmp_ok(scalar @configurations, '>=', 9, 'doc/quota.md has configurations');
for my $c (@configurations) {
    my ($status, $said) = said_of($c->[1]);
    is($status, 0, "$c->[0]: mfx-quota -t takes it") or diag("$said\n$c->[1]");
    is(scalar(() = $said =~ /error|warning:/g), 0, "$c->[0]: without a word of warning") or diag($said);
}

my ($status, $said) = said_of(read_file('conf/quota.conf'));
is($status, 0, 'conf/quota.conf: mfx-quota -t takes it') or diag($said);

# All settings at their defaults, as --example prints them, are none.
($status, $said) = said_of(`$daemon --example`);
is($status, 0, 'mfx-quota --example: taken') or diag($said);

# What is dumped can be loaded, and dumps the same.
said_of(read_file('conf/quota.conf'));
my $dump = `$daemon -T -c $dir/quota.conf`;
($status, $said) = said_of($dump);
is($status, 0, 'what -T prints is taken') or diag($said);
is(scalar `$daemon -T -c $dir/quota.conf`, $dump, 'and printed alike');
done_testing();
