#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Every configuration in doc/spf.md, and the example in conf/, is one that
# mfx-spf takes, with the files that it names; and the settings, events and
# metrics that the guide speaks of exist.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../style";
use Style qw(src build sources read_file);
use Test::More;

my $daemon = build() . '/mfx-spf';
plan skip_all => 'mfx-spf is not built' if !-x $daemon;
my $dir = tempdir(CLEANUP => 1);
my $guide = read_file('doc/spf.md');

sub put {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
}

# A user that this machine has.
put("$dir/common.conf", 'user = "' . getpwuid($<) . "\";\n");

# What the files of the guide hold; the guide's own text for those it shows.
my ($names) = $guide =~ m{^    # /etc/mfx/dnsbl\.reply\n((?:    .*\n)+)}m;
my %content = (
    'unprotected' => "postmaster\nabuse\n\@example.net\n",
    'strict-domains' => "paypal.example\n.paypal.example\n",
    'dnsbl.reply' => $names =~ s/^ +//gmr,
    'dnsbl_reply' => "zen.spamhaus.org  zen.spamhaus.org\n",
);

# The text with each file it names in a place of ours.
sub localized {
    my ($text) = @_;
    $text =~ s{(?<=[:"])/etc/(?:mfx/|postfix/)?([\w.-]+)(?=")}{
        my $name = $1;
        put("$dir/$name", $content{$name} // die "spf-doc.t: what is in $name?\n");
        "$dir/$name"}ge;
    return $text;
}

sub said_of {
    put("$dir/spf.conf", localized($_[0]));
    my $said = `$daemon -t -c $dir/spf.conf 2>&1`;
    return ($? >> 8, $said);
}

sub takes {
    my ($text, $label) = @_;
    my ($status, $said) = said_of($text);
    is($status, 0, "$label: mfx-spf -t takes it") or diag("$said\n$text");
    is(scalar(() = $said =~ /error|warning:/g), 0, "$label: without a word of warning") or diag($said);
}

# --- configurations ---
# Indented blocks under a heading; those that have a setting of ours.
my ($heading, @block, @blocks) = ('');
for (split(/\n/, $guide), '') {
    if (/^#+ (.*)/) { $heading = $1 }
    if (/^    (.*)/ || (@block && /^$/)) { push @block, $1 // ''; next }
    push @blocks, [$heading, join("\n", @block) . "\n"] if @block;
    @block = ();
}
my $setting = qr/^(?:\w+) = .*[;({]$/m;
my @configurations = grep { $_->[1] =~ $setting } @blocks;
# A file that is shown below a configuration is none of its lines.
$_->[1] =~ s{^# /etc/.*}{}ms for @configurations;
cmp_ok(scalar @configurations, '>=', 15, 'doc/spf.md has configurations');
for (@configurations) {
    my ($name, $text) = @$_;
    SKIP: {
        skip 'built without libspf2', 2
            if $text =~ /libspf2/ && (said_of($text))[1] =~ /built without it/;
        takes($text, $name);
    }
}

# The example as it is, and with all that is only shown in it.
my $example = read_file('conf/spf.conf');
takes($example, 'conf/spf.conf');
my $whole = $example;
my $group = qr/^#(\w+ = [({]\n(?:#.*\n)*?#[)}];\n)/m;
my $shown = $whole =~ s/$group/$1 =~ s,^#,,gmr/ge;
$shown += $whole =~ s/^ *#(\w+ = .*;)$/$1/mg;
cmp_ok($shown, '>=', 8, 'conf/spf.conf shows more');
takes($whole, 'all of conf/spf.conf');

# All settings at their defaults, as --example prints them, are none.
takes(scalar `$daemon --example`, 'mfx-spf --example');

# What is dumped can be loaded, and dumps the same.
said_of($whole);
my $dump = `$daemon -T -c $dir/spf.conf`;
takes($dump, 'what -T prints');
is(scalar `$daemon -T -c $dir/spf.conf`, $dump, 'and printed alike');

# --- names ---
my %known = map { $_ => 1 } `$daemon --man` =~ /^\.It Ic ([\w.]+)/gm;
my @named = $guide =~ /`((?:lists|health|spf|helo|mail_from|skip|forwarders|relays|outgoing|origin|dns)\.\w+)\b/g;
cmp_ok(scalar @named, '>=', 40, 'doc/spf.md names settings');
my @unknown = grep { !$known{$_} && !/\.conf$|\.on_$/ } @named;
is("@unknown", '', 'and all of them exist');

my ($series) = $guide =~ /^(\| `mfx_spf_list_\.\.\._total`.*?)^\| `mfx_spf_list_latency/ms;
my %counted = map { $_ => 1 } read_file('milters/spf/lists_view.c') =~ /\bROW\("(\w+)"/g;
my @counters = grep { !/^mfx/ } ($series // '') =~ /`(\w+)`/g;
is_deeply([sort @counters], [sort keys %counted], 'doc/spf.md names what is counted of a list');
done_testing();
