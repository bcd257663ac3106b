#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every configuration in doc/masq.md, and the example in conf/, is one that
# mfx-masq takes, with the files that it names.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../style";
use Style qw(src build read_file);
use Test::More;

my $daemon = build() . '/mfx-masq';
plan skip_all => 'mfx-masq is not built' if !-x $daemon;
my $dir = tempdir(CLEANUP => 1);

sub put {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
}

# A user that this machine has.
put("$dir/common.conf", 'user = "' . getpwuid($<) . "\";\n");

# What the files of the guide hold; the guide's own text for those it shows.
my ($addresses) = read_file('doc/masq.md') =~ m{^    # /etc/mfx/from\.addresses\n((?:    .*\n)+)}m;
my %content = (
    'aliases' => "postmaster: root\naway: joe\@elsewhere.example\n",
    'srs.secret' => "sesame\n",
    'munge.secret' => "sesame\n",
    'from.addresses' => $addresses =~ s/^ +//gmr,
    'masq-domains' => "example.org\nweb.example.com\n",
    'local-host-names' => "mail.example.org\n",
    'generics-domains' => "old.example.org\n",
    map { $_ => "asmith\@example.org alice.smith\@example.org\n" }
        qw(canonical sender_canonical recipient_canonical generic genericstable virtual),
);

# The text with each file it names in a place of ours.
sub localized {
    my ($text) = @_;
    $text =~ s{(?<=[:"])/etc/(?:mfx/|postfix/|mail/)?([\w.-]+)(?=")}{
        my $name = $1;
        put("$dir/$name", $content{$name} // die "masq-doc.t: what is in $name?\n");
        chmod $name =~ /secret/ ? 0600 : 0644, "$dir/$name";
        "$dir/$name"}ge;
    return $text;
}

sub said_of {
    put("$dir/masq.conf", localized($_[0]));
    my $said = `$daemon -t -c $dir/masq.conf 2>&1`;
    return ($? >> 8, $said);
}

sub takes {
    my ($text, $label) = @_;
    my ($status, $said) = said_of($text);
    is($status, 0, "$label: mfx-masq -t takes it") or diag("$said\n$text");
    is(scalar(() = $said =~ /error|warning:/g), 0, "$label: without a word of warning") or diag($said);
}

# Indented blocks under a heading; those that have a setting of ours.
my ($heading, @block, @blocks) = ('');
for (split(/\n/, read_file('doc/masq.md')), '') {
    if (/^#+ (.*)/) { $heading = $1 }
    if (/^    (.*)/ || (@block && /^$/)) { push @block, $1 // ''; next }
    push @blocks, [$heading, join("\n", @block) . "\n"] if @block;
    @block = ();
}
my @configurations = grep { $_->[1] =~ /^(?:rules|srs|headers|munge|from_guard|our_domains) = /m } @blocks;
cmp_ok(scalar @configurations, '>=', 10, 'doc/masq.md has configurations');
takes($_->[1], $_->[0]) for @configurations;

# The example as it is, and with all that is only shown in it.
my $example = read_file('conf/masq.conf');
takes($example, 'conf/masq.conf');
my $whole = $example;
my $group = qr/^#(\w+ = [({]\n(?:#.*\n)*?#[)}];\n)/m;
my $shown = $whole =~ s/$group/$1 =~ s,^#,,gmr/ge;
$shown += $whole =~ s/^#(hide_client)/$1/m;
cmp_ok($shown, '>=', 5, 'conf/masq.conf shows more');
takes($whole, 'all of conf/masq.conf');

# All settings at their defaults, as --example prints them, are none.
takes(scalar `$daemon --example`, 'mfx-masq --example');

# What is dumped can be loaded, and dumps the same.
said_of($whole);
my $dump = `$daemon -T -c $dir/masq.conf`;
takes($dump, 'what -T prints');
is(scalar `$daemon -T -c $dir/masq.conf`, $dump, 'and printed alike');

# Its settings are those that the guide compares with other programs'.
my %known = map { $_ => 1 } `$daemon --man` =~ /^\.It Ic ([\w.\[\]]+)/gm;
my @tables = read_file('doc/masq.md') =~ /^\|.*\| `((?:srs|map_server)\.\w+)`/gm;
cmp_ok(scalar @tables, '>=', 5, 'doc/masq.md compares settings');
my @unknown = grep { !$known{$_} } @tables;
is("@unknown", '', 'and all of them exist');
done_testing();
