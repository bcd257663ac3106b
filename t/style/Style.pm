# SPDX-License-Identifier: BSD-2-Clause
# What the style tests share: which files there are, and C without its
# comments and literals.
package Style;
use strict;
use warnings;
use Exporter 'import';
use File::Find;
use File::Spec;
our @EXPORT_OK = qw(src build sources read_file code public_headers private_headers);

my $here = File::Spec->rel2abs(__FILE__);
my $src = $ENV{MFX_SRCDIR} || ($here =~ s{/t/style/[^/]*$}{}r);

sub src { return $src }

# Where the build is; '' when the test was started by hand in the sources.
sub build { return $ENV{MFX_BUILDDIR} || (-e "$src/Makefile" ? $src : '') }

# Files of the project with one of the endings, as paths from its root.
sub sources {
    my ($endings, @below) = @_;
    my @found;
    @below = qw(libmfx milters tools t conf doc) if !@below;
    my $build = build();
    find({
        no_chdir   => 1,
        preprocess => sub {
            # folders that are no part of the sources
            grep { !/^(\.git|\.libs|\.deps|corpus|work|fuzz-build)$/
                   && !($build ne $src && "$File::Find::dir/$_" eq $build) } @_;
        },
        wanted => sub {
            return if !-f || !/\.($endings)$/;
            push @found, File::Spec->abs2rel($_, $src);
        },
    }, grep { -d } map { "$src/$_" } @below);
    return sort @found;
}

sub read_file {
    my ($path) = @_;
    open my $f, '<', "$src/$path" or die "$path: $!";
    local $/;
    return scalar <$f>;
}

# The text with comments and the insides of literals blanked; lines stay.
sub code {
    my ($text) = @_;
    my $blank = sub { my ($s) = @_; $s =~ s/[^\n]/ /g; return $s };
    $text =~ s{(/\*.*?\*/)|(//[^\n]*)|("(?:[^"\\\n]|\\.)*")|('(?:[^'\\\n]|\\.)+')}
              { defined $1 ? $blank->($1) : defined $2 ? $blank->($2)
                : defined $3 ? '"' . $blank->(substr $3, 1, -1) . '"'
                : "'" . $blank->(substr $4, 1, -1) . "'" }gse;
    return $text;
}

# Headers that are installed: those of the mfxROOM_HEADERS lists.
sub public_headers { return listed(qr/^mfx\w+_HEADERS/) }

# Headers of one room only: listed among its sources.
sub private_headers { return listed(qr/^\w+_SOURCES/) }

sub listed {
    my ($list) = @_;
    my @headers;
    for my $am (glob "$src/libmfx/*/module.am") {
        my $text = read_file(File::Spec->abs2rel($am, $src)) =~ s/\\\n/ /gr;
        for (split /\n/, $text) {
            push @headers, grep { /\.h$/ } split ' ', $' if /$list\s*\+?=/;
        }
    }
    return sort @headers;
}

1;
