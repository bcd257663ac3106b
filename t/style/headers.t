#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every public header compiles alone, as C and as C++, without a warning, and
# has its manual and its guard.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src sources read_file public_headers private_headers);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
mkdir "$dir/include";
symlink src() . '/libmfx', "$dir/include/mfx" or die $!;

sub works {
    my ($compiler) = @_;
    return system("command -v $compiler >/dev/null 2>&1") == 0;
}
my ($cc) = grep { works($_) } $ENV{CC} || (), qw(cc gcc clang);
my ($cxx) = grep { works($_) } $ENV{CXX} || (), qw(c++ g++ clang++);
plan skip_all => 'no compiler' if !$cc;

my $warnings = '-Wall -Wextra -Wundef -Werror';
sub compile {
    my ($compiler, $flags, $ending, $header) = @_;
    open my $f, '>', "$dir/one.$ending" or die $!;
    # twice: the guard holds
    print $f "#include <mfx/$header>\n#include <mfx/$header>\n";
    close $f;
    my $out = `$compiler $flags $warnings -I$dir/include -fsyntax-only $dir/one.$ending 2>&1`;
    diag($out) if $? != 0;
    return $? == 0;
}

for my $path (public_headers()) {
    my $header = $path =~ s{^libmfx/}{}r;
    my $text = read_file($path);
    ok(compile($cc, '-std=c11 -pedantic -Wshadow -Wconversion -Wstrict-prototypes', 'c', $header), "$header as C");
    SKIP: {
        skip 'no C++ compiler', 1 if !$cxx;
        ok(compile($cxx, '-std=c++17', 'cc', $header), "$header as C++");
    }
    my ($manual) = $text =~ m{\A/\* SPDX[^\n]*\n \*\n(.*?)\*/}s;
    my ($name) = $path =~ m{([^/]+)\.h$};
    ok(($manual // '') =~ qr/^ \* \Q$name\E - / ? 1 : 0, "$header: manual begins with its name");
    ok(($manual // '') =~ qr/\bOwnership:/ ? 1 : 0, "$header: manual says who owns");
    ok(($manual // '') =~ qr/\bErrors:/ ? 1 : 0, "$header: manual says what fails")
        if $text =~ /enum mfx_rc\s+mfx_/;
    my $guard = 'MFX_' . uc($header =~ s{[/.]}{_}gr);
    ok(index($text, "\n#ifndef $guard\n#define $guard\n") > 0, "$header: guard");
    my ($begin, $end) = map { index $text, "\n$_\n" } qw(MFX_API_BEGIN MFX_API_END);
    ok($begin > 0 && $end > $begin, "$header: MFX_API_BEGIN and END");
}
my %listed = map { $_ => 1 } public_headers(), private_headers();
my @forgotten = grep { !$listed{$_} } sources('h', 'libmfx');
ok(!@forgotten, 'every header is listed, as installed or among the sources') or diag("@forgotten");
done_testing();
