#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every file that somebody wrote names its licence in its first lines, and
# LICENSE holds that licence.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src sources read_file);
use Test::More;

my @files = sources('c|h|am|t|pl|pm|sh|py|1|3|5|7|8');
push @files, grep { -f src() . "/$_" } qw(configure.ac Makefile.am quickstart.sh test.sh .ci/run);
for my $file (@files) {
    my @lines = split /\n/, read_file($file);
    my $head = join "\n", @lines[0 .. ($#lines < 2 ? $#lines : 2)];
    like($head, qr/SPDX-License-Identifier: BSD-2-Clause/, $file);
    if ($file =~ /\.[ch]$/) {
        like($lines[0], qr{^/\* SPDX}, "$file: first line");
    }
    # prove stops at the first that is not
    ok(-x src() . "/$file", "$file: can be run") if $file =~ /\.t$/;
}
like(read_file('LICENSE'), qr/Redistribution and use in source and binary forms/, 'LICENSE');
done_testing();
