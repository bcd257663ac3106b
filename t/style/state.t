#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# No object file of the library or of a daemon holds writable data, and none
# holds data that belongs to a thread: a message moves from thread to thread.
# The log, the daemon's own life (signals, its eventfd) and libmilter's callbacks
# that come without a context are the exceptions.
# So are auth/crypto (the digest that OpenSSL fetched once, idle contexts) and
# auth/lane (threads that stay), auth/spf_libspf2_lib (the way out of a library
# whose handler of fatal errors is not told whose error it is).
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(build);
use File::Find;
use Test::More;

my $build = build();
my @objects;
for my $below (grep { -d } "$build/libmfx", "$build/milters") {
    find({ no_chdir => 1, wanted => sub { push @objects, $_ if m{/\.libs/[^/]+\.o$} } }, $below);
}
plan skip_all => 'nothing is built' if !@objects;
my %sources = map { $_ => 1 } Style::sources('c');

for my $object (sort @objects) {
    my $name = $object =~ s{^\Q$build\E/}{}r =~ s{/\.libs/[^/]*?([^/-]+)\.o$}{/$1}r;
    next if !$sources{"$name.c"}; # of a file that is gone
    my $may = $name =~ m{^libmfx/(base/log|auth/(crypto|lane|spf_libspf2_lib)|milter/(daemon|signals?|libmilter))$};
    my @found;
    for (`nm -f sysv $object`) {
        my ($symbol, undef, $class, $type, undef, undef, $section) = map { s/^\s+|\s+$//gr } split /\|/;
        next if !defined $section || $section !~ /^\.(data|bss|tdata|tbss)/;
        next if $section =~ /^\.data\.rel\.ro/;
        next if $symbol =~ /^(__(asan|ubsan|tsan|gcov|llvm|odr|sancov|prof)|\.L|___asan|_ZN)/;
        # sanitizers put constants with relocations there, too
        push @found, "$symbol ($section)";
    }
    ok($may || !@found, $name) or diag(join "\n", map { "$name: $_" } @found);
}
done_testing();
