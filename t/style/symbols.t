#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# libmfx.so exports the functions that the public headers declare: all of
# them, and nothing else.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(build read_file code public_headers);
use Test::More;

my ($library) = grep { -e } build() . '/.libs/libmfx.so';
plan skip_all => 'libmfx.so is not built' if !$library;

my %exported;
for (`nm -D --defined-only $library`) {
    my (undef, $kind, $name) = split;
    # sanitizers, profilers and some linkers bring their own
    next if !defined $name || $name =~ /^(__(asan|ubsan|tsan|sanitizer|odr|gcov|llvm)|_init|_fini)|^(__bss_start|_edata|_end)$/;
    $exported{$name} = $kind;
}

my %declared;
for my $header (public_headers()) {
    my $code = code(read_file($header));
    $code =~ s/^\s*#(?:[^\n]*\\\n)*[^\n]*$//mg; # macros
    my %inline = map { $_ => 1 } $code =~ /static inline [^;{(]*?\b(mfx_\w+)\s*\(/g;
    # bodies of inline functions
    1 while $code =~ s/\{[^{}]*\}/;/g;
    while ($code =~ /\b(mfx_\w+)\s*\(/g) {
        $declared{$1} = $header if !$inline{$1};
    }
}

my @missing = grep { !$exported{$_} } sort keys %declared;
my @extra = grep { !$declared{$_} } sort keys %exported;
ok(!@missing, 'every declared function is exported')
    or diag(join "\n", map { "$declared{$_}: $_" } @missing);
ok(!@extra, 'nothing else is exported') or diag("@extra");
my @data = grep { $exported{$_} !~ /^[TWi]$/ } sort keys %exported;
ok(!@data, 'only functions are exported') or diag("@data");
cmp_ok(scalar(keys %declared), '>', 50, 'the headers were read');
done_testing();
