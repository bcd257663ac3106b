#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Manual pages are clean mdoc, say what the programs say, and leave out no
# option, no setting and no event of the log.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Style qw(src build sources read_file code);
use Test::More;

my $src = src();
my $build = build();
my %page = map { m{([^/]+)$}; $1 => $_ } sources('1|3|5|8', 'doc');

SKIP: {
    skip 'no mandoc', 1 if system('command -v mandoc >/dev/null 2>&1') != 0;
    for my $name (sort keys %page) {
        # whether other pages are installed is not ours to say
        my @lines = grep { !/outdated mandoc\.db|referenced manual not found/ }
            `mandoc -Tlint -Wall $src/$page{$name} 2>&1`;
        ok(!@lines, "$name: mandoc") or diag(@lines);
    }
}

# roff makes \- and \& of some characters, and splits options into macros.
sub text_of {
    my ($name) = @_;
    my $text = read_file($page{$name});
    $text =~ s/\\[&e]//g;
    return $text;
}

sub names_option {
    my ($name, $option) = @_;
    return text_of($name) =~ /\bFl (?:\w+ (?:, )?|\w+ Pq Fl )?(?:Fl )?-?-?\Q$option\E\b/
        || text_of($name) =~ /, -\Q$option\E\b|Fl -\Q$option\E\b/;
}

# --- settings ---
SKIP: {
    skip 'the daemons are not built', 1 if !-x "$build/mfx-dkim";
    system("$src/doc/update-man", '--check', $build);
    is($?, 0, 'mfx-*.conf.5: settings are those of the daemon\'s --man');
}

# --- options ---
my @daemons = map { m{/(\w+)/main\.c$} } sources('c', 'milters');
my %program = ('mfxctl.1' => ["$build/mfxctl --help"], map { ("mfx-$_.8" => ["$build/mfx-$_ --help"]) } grep { $_ ne 'verbs' } @daemons);
$program{'mfxctl-dkim.1'} = [map { "$build/mfxctl-dkim $_ --help" } qw(genkey testkey sign verify explain)];
$program{'mfxctl-quota.1'} = [map { "$build/mfxctl-quota $_ --help" }
    qw(show top watch reset block unblock set unset rules store)];
$program{'mfxctl-masq.1'} = [map { "$build/mfxctl-masq $_ --help" } qw(test diff check srs import)];
$program{'mfxctl-score.1'} = [map { "$build/mfxctl-score $_ --help" } qw(scan engines symbols learn check-header)];
$program{'mfxctl-spf.1'} = [map { "$build/mfxctl-spf $_ --help" } qw(check lint dnsbl lists)];
for my $name (sort keys %program) {
    for my $command (@{ $program{$name} }) {
        my ($binary) = split ' ', $command;
        SKIP: {
            skip "$binary is not built", 1 if !-x $binary;
            my $help = `$command 2>/dev/null`;
            my %options = map { $_ => 1 } $help =~ /(?<![\w-])--([a-z][a-z-]+)/g;
            delete $options{help} if $name =~ /(?:dkim|masq|quota|score|spf)\.1/;
            my @missing = grep { !names_option($name, $_) } sort keys %options;
            my $short = $command =~ s{^\Q$build\E/}{}r;
            ok(%options && !@missing, "$name: every option of $short") or diag("@missing");
        }
    }
}

# --- events ---
sub listed {
    my ($page, $which) = @_;
    my ($list) = text_of($page) =~ /BEGIN $which events\n(.*?)^\.\\" END/ms;
    return { map { $_ => 1 } map { /(\w+)/g } ($list // '') =~ /^\.It (?:Cm |Li )?(\w+(?: , \w+)*)/mg };
}

# Which words a file writes into the log: of messages, of the daemon.
sub events {
    my ($message, $daemon, @files) = @_;
    for my $file (@files) {
        next if $file eq 'libmfx/base/log.c' || $file =~ m{/verbs/};
        my $text = read_file($file);
        $message->{$_} = $file for $text =~ /mfx_decision_event\(\s*[^,]+,\s*"(\w+)"/g;
        $message->{$_} = $file for $text =~ /mfx_log_begin\(\s*[^;]*?,\s*"(\w+)"\s*\)/g;
        $daemon->{$_} = $file for $text =~ /mfx_log_begin_daemon\(\s*[^,;]+,\s*"(\w+)"/g;
        $daemon->{$_} = $file for $text =~ /mfx_log_begin_daemon\(\s*[^,;]+,[^;"]*\?\s*"(\w+)"\s*:\s*"(\w+)"/g;
        $daemon->{$_} = $file for $text =~ /mfx_log_say\(\s*[^,;]+,\s*"(\w+)"/g;
        # words that come as an argument: a comment beside them says which
        $message->{$_} = $file for $text =~ m{/\* log events: ([\w, ]+) \*/}g ? split /, /, $1 : ();
        # where a filter gives no event, or something else matters more
        if ($text =~ /^mfx_report_event\(.*?^\}/ms) {
            $message->{$_} = $file for $& =~ /"(\w+)"/g;
        }
    }
}

# What a daemon can say: the harness and the libraries it uses, and itself.
my %uses = (dkim => [qw(auth)], masq => [qw(store)], quota => [qw(store)], score => [qw(scan store)]);
for my $name (grep { $_ ne 'verbs' } @daemons) {
    my (%message, %daemon);
    my $has_store = grep { $_ eq 'store' } @{ $uses{$name} || [] };
    events(\%message, \%daemon,
        grep { $has_store || !m{^libmfx/policy/store_} }
            sources('c', (map { "libmfx/$_" } qw(milter base conf net policy), @{ $uses{$name} || [] }), "milters/$name"));
    for (['message', \%message], ['daemon', \%daemon]) {
        my ($which, $used) = @$_;
        my $listed = listed("mfx-$name.8", $which);
        my @missing = grep { !$listed->{$_} } sort keys %$used;
        my @gone = grep { !$used->{$_} } sort keys %$listed;
        ok(!@missing, "mfx-$name.8: every event of a $which") or diag(map { "$_ ($used->{$_})\n" } @missing);
        ok(!@gone, "mfx-$name.8: no $which event that is gone") or diag("@gone");
    }
}
done_testing();
