#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every setting that is declared is read by some line of code: a row that
# nothing reads is a promise that nobody keeps.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(sources read_file code);
use Test::More;

# A header may hold rows that several tables share, in a macro; there a name
# may begin with the macro's own (name ".on_fail").
my @tables = grep { read_file($_) =~ /^\s*MFX_OPTION_\w+\(\s*"/m }
    grep { /settings\.[ch]$/ } sources('c|h', qw(libmfx milters));
plan skip_all => 'no settings' if !@tables;

for my $table (@tables) {
    my $text = read_file($table) =~ s{/\*.*?\*/}{}gsr =~ s/\\\n/\n/gr;
    my ($folder) = $table =~ m{^(.*)/};
    my $other = join "\n", map { code(read_file($_)) }
        grep { $_ ne $table && !m{settings\.h$} } sources('c|h', $folder);
    # a macro that is given a name declares no row by itself
    my ($rows, $declared) =
        (0, scalar(() = $text =~ /MFX_OPTION_(?!END|TYPE)[A-Z]+\((?!(?:"\w+" )?name,)/g));
    while ($text =~ /MFX_OPTION_(\w+)\(\s*(?:[a-z]+ ")?"?\.?([^"]+)",\s*[A-Z],\s*([\w.\[\]]+),(.*?)\),?(?=\s*(?:[A-Z]\w+\(|MFX_OPTION_END|MFX_API_END|#endif|const |\}|\z))/gs) {
        my ($type, $name, $field, $rest) = ($1, $2, $3, $4);
        $rows++;
        $field =~ s/\[\w+\]$//;
        my ($last) = $field =~ /(\w+)$/;
        # by its whole path, or through a pointer to its group
        my $path = join '\s*(?:\.|->)\s*', split /\./, $field;
        like($other, qr/(?:\.|->)\s*(?:$path|\Q$last\E)\b/, "$name is read") or diag($table);
        like($name, qr/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/, "$name: lower case");
        my $help = join '', $rest =~ /"((?:[^"\\]|\\.)*)"/g;
        like($help, qr/\.$/, "$name: help ends with a full stop") if $rest !~ /DEPRECATED/;
    }
    cmp_ok($rows, '>', 5, "$table was read");
    is($rows, $declared, "$table: every row was read");
}
done_testing();
