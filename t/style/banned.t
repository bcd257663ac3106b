#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# No function that writes without a length, keeps hidden state, asks the
# locale, or ends the process because of input.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(sources read_file code);
use Test::More;

my %why = (
    (map { $_ => 'use struct mfx_buf' }
        qw(strcpy strcat strncpy strncat sprintf vsprintf stpcpy gets)),
    (map { $_ => 'use mfx_str_cut or mfx_str_word' } qw(strtok strtok_r strsep)),
    (map { $_ => 'use mfx_str_to_u64' }
        qw(atoi atol atoll atof strtol strtoul strtoll strtoull strtod sscanf)),
    (map { $_ => 'asks the locale; use mfx_ascii_* or mfx_str_*_nocase' }
        qw(isalpha isdigit isalnum isspace isupper islower ispunct isprint
           isxdigit isgraph iscntrl isblank tolower toupper strcasecmp
           strncasecmp strcasestr setlocale)),
    (map { $_ => 'not safe with threads' }
        qw(localtime gmtime ctime asctime inet_ntoa inet_addr gethostbyname
           rand srand random getpwnam getgrnam getpwuid getgrgid strerror_l)),
    (map { $_ => 'unsafe names' } qw(tmpnam tempnam mktemp)),
    alloca => 'the arena has a budget, the stack has none',
);
# Users are looked up before threads start; tests read their own text.
my %allowed = (
    'libmfx/milter' => { map { $_ => 1 } qw(getpwnam getgrnam getpwuid getgrgid) },
    'milters/dkim/verbs' => { getpwnam => 1 },
    't'             => { map { $_ => 1 } qw(strtol strtoul strtoull strtod sscanf) },
);
# Only these may end the process.
my %may_exit = map { $_ => 1 } qw(libmfx/base/rc.c);

my $names = join '|', map { quotemeta } sort keys %why;
for my $file (sources('c|h')) {
    my $code = code(read_file($file));
    my @found;
    my $line = 0;
    for (split /\n/, $code) {
        $line++;
        push @found, "$line: <ctype.h>: use mfx_ascii_*" if /^\s*#\s*include\s*<ctype\.h>/;
        push @found, "$line: #if 0" if /^\s*#\s*if\s+0\b/;
        while (/(?<![\w.>])($names)\s*\(/g) {
            my $name = $1;
            next if grep { $file =~ m{^\Q$_\E/} && $allowed{$_}{$name} } keys %allowed;
            push @found, "$line: $name(): $why{$name}";
        }
        if ($file =~ m{^libmfx/} && !$may_exit{$file}
            && /(?<![\w.>])(_?exit|abort|_Exit|quick_exit)\s*\(/) {
            push @found, "$line: $1(): nothing in libmfx ends the process"
                unless $file =~ m{^libmfx/milter/(main|daemon|process)\w*\.c$};
        }
    }
    $line = 0;
    for (split /\n/, read_file($file)) {
        $line++;
        push @found, "$line: unfinished: $1" if /\b(TODO|FIXME|XXX|HACK)\b/;
    }
    ok(!@found, $file) or diag(join "\n", map { "$file:$_" } @found);
}
done_testing();
