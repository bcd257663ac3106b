#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# doc/rfc-map.txt names functions and tests that exist, each section once.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src sources read_file code);
use Test::More;

my (%defined, %public);
for my $file (sources('c', qw(libmfx milters tools))) {
    # a definition stands at the start of a line, its type above it
    for my $name (code(read_file($file)) =~ /^(\w+)\(/mg) {
        $defined{"$file:$name"} = 1;
        $public{$name} = 1;
    }
}
my %seen;
my $line = 0;
for (split /\n/, read_file('doc/rfc-map.txt')) {
    $line++;
    next if /^#/ || /^\s*$/;
    my ($section, $asks, $function, $test, $more) = split /\s*\|\s*/;
    my $name = $section // "line $line";
    ok(defined $test && !defined $more, "$name: four columns") or next;
    like($section, qr/^RFC \d{4} [0-9A-Z]+(\.\d+)*$/, "$name: a section");
    ok(!$seen{"$section$asks"}++, "$name: once");
    ok($function =~ /:/ ? $defined{$function} : $public{$function}, "$name: $function exists");
    my ($file, $part) = split /:/, $test;
    ok(-f src() . "/$file", "$name: $file exists") or next;
    ok(read_file($file) =~ /^\Q$part\E\(|"\Q$part\E"/m, "$name: $test exists") if defined $part;
}
cmp_ok(scalar(keys %seen), '>', 20, 'the map was read');
done_testing();
