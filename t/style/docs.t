#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# What the guides name exists: functions, files and folders.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src sources read_file code);
use Test::More;

my @guides = sources('md', 'doc');
push @guides, grep { -f src() . "/$_" } qw(README.md CONTRIBUTING.md);
plan skip_all => 'no guides' if !@guides;

my %known;
for my $file (sources('c|h', qw(libmfx milters tools t))) {
    $known{$_} = 1 for code(read_file($file)) =~ /\b([a-z]\w+)\b(?=\s*[({;])/g;
    $known{$_} = 1 for code(read_file($file)) =~ /\b(mfx_\w+|MFX_\w+)\b/g;
    # metrics
    $known{$_} = 1 for read_file($file) =~ /"(mfx_\w+)/g;
}
for my $guide (@guides) {
    my $text = read_file($guide);
    my %names = map { $_ => 1 } $text =~ /\b(mfx_\w+|MFX_(?:OPTION|STORE)_\w+)\b/g;
    # functions of a daemon are written `name()`
    $names{$_} = 1 for $text =~ /`((?:dkim|masq|quota|spf|mfx)_\w+)\(\)`/g;
    my @unknown = grep { !$known{$_} && !/_$/ } sort keys %names;
    ok(!@unknown, "$guide: functions and types exist") or diag("$guide: @unknown");
    my @paths = $text =~ m{`((?:libmfx|milters|tools|t|doc|conf)/[\w./-]+)`}g;
    my @gone = grep { !-e src() . "/$_" } @paths;
    ok(!@gone, "$guide: files exist") or diag("$guide: @gone");
}
done_testing();
