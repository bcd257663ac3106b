#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every source file is as clang-format leaves it. Versions differ in what they
# write: 14 is the one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src sources);
use Test::More;

my ($tool) = grep { (`$_ --version 2>/dev/null` // '') =~ /version 14\./ }
    qw(clang-format-14 clang-format);
plan skip_all => 'no clang-format 14' if !$tool;
for my $file (sources('c|h')) {
    my $path = src() . "/$file";
    my $out = `$tool --dry-run -Werror --style=file '$path' 2>&1`;
    ok($? == 0, $file) or diag($out);
}
done_testing();
