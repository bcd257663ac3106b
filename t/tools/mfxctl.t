#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl against control sockets that this test plays itself: what it sends,
# what it shows, and its exit status.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;

my $build = $ENV{MFX_BUILDDIR} || '.';
my $mfxctl = "$build/mfxctl";
plan skip_all => 'mfxctl is not built' if !-x $mfxctl;

my $dir = tempdir('mfxctl-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %children;
$ENV{MFX_RUNDIR} = $dir;
$ENV{MFX_LIBEXECDIR} = "$dir/libexec";

# A daemon that answers each line by what the table says; '' hangs up at once,
# undef never answers.
sub serve {
    my ($name, %answers) = @_;
    my $server = IO::Socket::UNIX->new(Local => "$dir/$name.ctl", Listen => 5) or die $!;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open my $seen, '>>', "$dir/$name.seen";
        $seen->autoflush(1);
        while (my $client = $server->accept) {
            my $line = <$client> // '';
            print $seen $line;
            chomp $line;
            if (!exists $answers{$line}) {
                print $client "error unknown verb \"$line\"\n";
            } elsif (defined $answers{$line}) {
                print $client $answers{$line};
            } else {
                sleep 30;
            }
        }
        exit 0;
    }
    $children{$name} = $pid;
}

sub stop {
    my ($name) = @_;
    kill 'KILL', $children{$name};
    waitpid delete $children{$name}, 0;
    unlink "$dir/$name.ctl", "$dir/$name.seen";
}

END {
    my $status = $?;
    stop($_) for keys %children;
    $? = $status;
}

sub slurp {
    open my $f, '<', $_[0] or return '';
    local $/;
    return <$f> // '';
}

sub run {
    my (@args) = @_;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec $mfxctl, @args;
    }
    waitpid $pid, 0;
    return ($? >> 8, slurp("$dir/out"), slurp("$dir/err"));
}

sub check {
    my ($label, $args, $status, $out, $err) = @_;
    my @got = run(@$args);
    is($got[0], $status, "$label: status");
    like($got[1], $out, "$label: stdout");
    like($got[2], $err, "$label: stderr");
}

my $nothing = qr/\A\z/;

# nobody there
check('no_sockets', ['status'], 69, $nothing, qr/no control socket in \Q$dir\E/);
check('named_but_absent', [qw(--daemon dkim status)], 69, $nothing, qr/dkim\.ctl: No such file/);
{
    my $left = IO::Socket::UNIX->new(Local => "$dir/left.ctl", Listen => 1);
    close $left;
    check('left_behind', ['status'], 69, $nothing, qr/left\.ctl: Connection refused/);
    unlink "$dir/left.ctl";
}

# one daemon
serve('dkim',
    'status' => "ok\nuptime 5s\n", 'json status' => qq(ok\n{"uptime":5}),
    'reload' => "error 2 mistakes\n/etc/mfx/dkim.conf:3: no such setting\n",
    'json reload' => qq(error 2 mistakes\n[{"line":3}]),
    'metrics' => "ok\nmfx_messages_total 7",
    'log debug' => "ok\n", 'explain 4Bx9k2' => "ok\nsigned\n",
    'keys example.org' => "ok\nkey\n", 'help' => "ok\nkeys\n",
    'explain gone' => "error no such message\n",
    'explain cut' => 'ok', 'explain empty' => '', 'explain odd' => "HTTP/1.1 400\n",
    'explain slow' => undef,
    'json explain text' => "ok\nplain words\n");
check('status', ['status'], 0, qr/\Auptime 5s\n\z/, $nothing);
check('metrics_gets_its_line_end', ['metrics'], 0, qr/\Amfx_messages_total 7\n\z/, $nothing);
check('log', [qw(log debug)], 0, $nothing, $nothing);
check('reload_refused', ['reload'], 1, qr{\A/etc/mfx/dkim.conf:3:}, qr/mfxctl: 2 mistakes/);
check('explain', [qw(explain 4Bx9k2)], 0, qr/\Asigned\n/, $nothing);
check('explain_unknown', [qw(explain gone)], 1, $nothing, qr/no such message/);
check('own_verb', [qw(--daemon dkim keys example.org)], 0, qr/\Akey\n/, $nothing);
check('own_verb_by_socket', ['-s', "$dir/dkim.ctl", 'help'], 0, qr/\Akeys\n/, $nothing);
check('unknown_verb', [qw(--daemon dkim nonsense)], 1, $nothing, qr/unknown verb "nonsense"/);

# answers that are none
check('cut_answer', [qw(explain cut)], 69, $nothing, qr/the answer is not mfx's/);
check('no_answer', [qw(explain empty)], 69, $nothing, qr/the answer is not mfx's/);
check('another_protocol', [qw(explain odd)], 69, $nothing, qr/the answer is not mfx's/);
check('slow', [qw(--wait 1 explain slow)], 2, $nothing, qr/no whole answer in time/);
stop('dkim');
serve('dkim',
    'status' => "ok\nuptime 5s\n", 'json status' => qq(ok\n{"uptime":5}),
    'json reload' => qq(error 2 mistakes\n[{"line":3}]),
    'explain 4Bx9k2' => "ok\nsigned\n", 'reload' => "ok\n",
    'json explain text' => "ok\nplain words\n");

# JSON
my ($status, $out) = run(qw(--json status));
is_deeply(decode_json($out), { dkim => { uptime => 5 } }, 'json: by daemon');
($status, $out) = run(qw(--daemon dkim status --json));
is_deeply(decode_json($out), { uptime => 5 }, 'json: of one, option behind the command');
($status, $out) = run(qw(--json reload));
is($status, 1, 'json: status of an error');
is_deeply(decode_json($out), { error => '2 mistakes', answer => [{ line => 3 }] }, 'json: error with an answer');
($status, $out) = run(qw(--json --daemon dkim explain text));
is_deeply(decode_json($out), { text => "plain words\n" }, 'json: text that is no JSON');

# several daemons
serve('quota', 'status' => "ok\nuptime 9s\n", 'metrics' => "ok\n", 'json status' => "error busy\n",
    'reload' => "ok\n");
check('all_are_shown', ['status'], 0, qr/\A== dkim\nuptime 5s\n== quota\nuptime 9s\n\z/, $nothing);
check('explain_asks_all', [qw(explain 4Bx9k2)], 0, qr/signed/, qr/quota: unknown verb/);
check('reload_wants_a_name', ['reload'], 64, $nothing, qr/which daemon\? --daemon dkim, quota/);
check('reload_named', [qw(--daemon quota reload)], 0, $nothing, $nothing);
($status, $out) = run(qw(--json status));
is_deeply(decode_json($out), { dkim => { uptime => 5 }, quota => { error => 'busy' } }, 'json: several');
is($status, 1, 'json: several, one fails');

# what is sent
is(slurp("$dir/quota.seen"), "status\nexplain 4Bx9k2\nreload\njson status\n", 'the lines sent');

# usage
check('no_command', [], 64, $nothing, qr/\AUsage: mfxctl/);
check('help', ['--help'], 0, qr/\AUsage: mfxctl.*explain.*Exit status/s, $nothing);
check('help_of_command', [qw(reload --help)], 0, qr/\AUsage: mfxctl \[options\] reload/, $nothing);
check('help_word', [qw(help explain)], 0, qr/explain \[QUEUEID \| CLIENT \| ADDRESS\]/, $nothing);
check('unknown_option', ['--frob', 'status'], 64, $nothing, qr/frob/);
check('unknown_command', ['frob'], 64, $nothing, qr/frob: no such command/);
check('missing_argument', ['log'], 64, $nothing, qr/Usage/);
check('too_many', [qw(status x)], 64, $nothing, qr/Usage/);
check('blank_in_argument', ['explain', 'a b'], 64, $nothing, qr/holds a blank/);
check('line_end_in_argument', ['explain', "a\nreload"], 64, $nothing, qr/holds a blank/);
check('empty_argument', ['explain', ''], 64, $nothing, qr/is empty/);
check('too_long', ['explain', 'x' x 5000], 64, $nothing, qr/too long/);
check('bad_wait', [qw(--wait 1m status)], 64, $nothing, qr/--wait 1m/);
check('version', ['-V'], 0, qr/\Amfxctl \d/, $nothing);

# mfxctl-NAME
mkdir "$dir/libexec";
open my $tool, '>', "$dir/libexec/mfxctl-frob" or die $!;
print $tool "#!/bin/sh\necho \"\$*\"\nexit 5\n";
close $tool;
chmod 0755, "$dir/libexec/mfxctl-frob";
check('tool', [qw(frob a --b)], 5, qr/\Aa --b\n\z/, $nothing);
check('tool_gets_json', [qw(--json frob a)], 5, qr/\A--json a\n\z/, $nothing);
check('tool_outside_its_folder', ['../libexec/mfxctl-frob'], 64, $nothing, qr/no such command/);

done_testing();
