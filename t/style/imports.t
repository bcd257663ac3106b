#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Imports point one way, and only the harness knows libmilter.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(sources read_file public_headers private_headers);
use Test::More;

# What a room may include besides itself.
my %below = (
    base   => [],
    conf   => [qw(base)],
    net    => [qw(base)],
    mail   => [qw(base)],
    auth   => [qw(base net mail)],
    scan   => [qw(base net mail)],
    store  => [qw(base net)],
    policy => [qw(base conf net mail auth scan store)],
    milter => [qw(base conf net mail auth scan store policy)],
);
my %private = map { s{^libmfx/}{}r => 1 } private_headers();
my %public = map { s{^libmfx/}{}r => 1 } public_headers();

for my $file (sources('c|h', qw(libmfx milters tools))) {
    my ($top, $own) = split m{/}, $file;
    my @wrong;
    my $line = 0;
    for (split /\n/, read_file($file)) {
        $line++;
        if (/^\s*#\s*include\s*[<"](libmilter\/[^>"]+)/) {
            push @wrong, "$line: $1" if $file !~ m{^libmfx/milter/};
        }
        next if !m{^\s*#\s*include\s*<mfx/((\w+)/[^>]+)>};
        my ($header, $room) = ($1, $2);
        if ($top eq 'libmfx') {
            push @wrong, "$line: $own includes $room"
                if $room ne $own && !grep { $_ eq $room } @{ $below{$own} || [] };
        }
        # a room's private headers are its own
        push @wrong, "$line: <mfx/$header> is private to $room"
            if $private{$header} && !($top eq 'libmfx' && $room eq $own);
    }
    # a daemon knows nothing of another daemon
    if ($top eq 'milters') {
        $line = 0;
        for (split /\n/, read_file($file)) {
            $line++;
            push @wrong, "$line: $own includes milters/$1"
                if m{^\s*#\s*include\s*"(?:\.\./)*milters/(\w+)/} && $1 ne $own;
        }
    }
    ok(!@wrong, $file) or diag(join "\n", map { "$file:$_" } @wrong);
}

# Header by header the public ones form no circle.
my %includes;
for my $header (sort keys %public) {
    $includes{$header} = [read_file("libmfx/$header") =~ m{^\s*#\s*include\s*<mfx/([^>]+)>}mg];
}
my (%state, @circle);
sub visit {
    my ($header, @path) = @_;
    return if ($state{$header} // '') eq 'done';
    if (($state{$header} // '') eq 'open') {
        push @circle, join ' -> ', @path, $header;
        return;
    }
    $state{$header} = 'open';
    visit($_, @path, $header) for @{ $includes{$header} || [] };
    $state{$header} = 'done';
}
visit($_) for sort keys %includes;
ok(!@circle, 'no circle of headers') or diag(@circle);
done_testing();
