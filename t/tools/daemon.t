#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl and a running mfx-dkim: the two understand each other.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run check json_of write_file read_file);
use Test::More;

plan skip_all => 'mfx-dkim is not built' if !-x build() . '/mfx-dkim';
my $dir = dir();
my $user = getpwuid $>;
$ENV{MFX_RUNDIR} = $dir;

mkdir "$dir/example.org";
run(qw(dkim genkey -d example.org -s mfx -a ed25519 -o), "$dir/example.org/mfx.pem");
my $good = <<"END";
socket = "unix:$dir/dkim.sock";
user = "$user";
control: { socket = "$dir/dkim.ctl"; };
log: { target = "stderr"; };
watch_files = false;
state_dir = "$dir/state";
sign: { domains = "csl:example.org"; key_path = "$dir/%d/%s.pem"; };
END
my $conf = write_file('dkim.conf', $good);

my $pid = fork // die $!;
if ($pid == 0) {
    open STDERR, '>', "$dir/log";
    exec build() . '/mfx-dkim', '-c', $conf or exit 127;
}
END { kill 'TERM', $pid if $pid; waitpid $pid, 0 if $pid; }
for (1 .. 100) {
    last if -S "$dir/dkim.ctl" && (run('status'))[0] == 0;
    select undef, undef, undef, 0.1;
}

check('status', ['status'], 0, qr/^daemon: mfx-dkim\n(?s:.*)^pid: \d+\n(?s:.*)^state: running$/ms, qr/\A\z/);
my $status = json_of('status as JSON', 0, qw(--json status));
is($status->{dkim}{state}, 'running', 'status as JSON: by daemon');
$status = json_of('status of one', 0, qw(--json --daemon dkim status));
is($status->{config}, $conf, 'status of one: its configuration');
check('metrics', ['metrics'], 0, qr/^# TYPE mfx_\w+ (counter|gauge)\n(?s:.*)^mfx_dkim_\w+/ms, qr/\A\z/);
check('log', [qw(log debug)], 0, qr/\A\z/, qr/\A\z/);
is(json_of('level', 0, qw(--json --daemon dkim status))->{log_level}, 'debug', 'log: the level is another one');
check('log with a wrong word', [qw(log loud)], 1, qr/\A\z/, qr/error, warning, info/);
check('explain of a stranger', [qw(explain 4Bx9k2)], 1, qr/\A\z/, qr/no recent message/);
check('help', [qw(--daemon dkim help)], 0, qr/^status\b.*^explain\b/ms, qr/\A\z/);
check('unknown verb', [qw(--daemon dkim frob)], 1, qr/\A\z/, qr/no such verb/);

# --- the keys, from the daemon ---
$ENV{MFX_LIBEXECDIR} = build();
my $keys = json_of('keys', 0, qw(--json dkim keys));
is($keys->{source}, 'daemon', 'keys: the daemon was asked');
is_deeply([map { @$_{qw(domain selector algorithm bits state)} } @{ $keys->{keys} }],
    [qw(example.org mfx ed25519-sha256 256 active)], 'keys: what it has');
check('keys in words', [qw(dkim keys example.org)], 0, qr/^example\.org mfx ed25519-sha256 256 active, signs, .*\n1 keys: 1 active; /, qr/\A\z/);
check('mfxctl --socket holds for keys', ['--socket', "$dir/none.ctl", qw(dkim keys)], 69, qr/\A\z/, qr/none\.ctl/);
check('keys of a state', [qw(dkim keys --state retired)], 0, qr/^0 keys; /, qr/\A\z/);
check('keys of another domain', [qw(dkim keys example.net)], 0, qr/^0 keys; /, qr/\A\z/);
check('many domains', [qw(dkim keys), (map { "d$_.example" } 1 .. 100), 'example.org'], 0, qr/^1 keys: /m, qr/\A\z/);
check('keys, raw', [qw(--daemon dkim keys)], 0, qr/\Aexample\.org mfx .*\n\z/, qr/\A\z/);
check('keys, raw, behind the last', [qw(--daemon dkim keys after=1 last=example.org/mfx)], 0, qr/\A\z/, qr/\A\z/);
check('keys, raw, another one there', [qw(--daemon dkim keys after=1 last=example.org/x)], 1, qr/\A\z/, qr/changed meanwhile/);
check('keys, raw, beyond the end', [qw(--daemon dkim keys after=2 last=example.org/mfx)], 1, qr/\A\z/, qr/changed meanwhile/);
check("keys, raw, $_", [qw(--daemon dkim keys), $_], 1, qr/\A\z/, qr/not understood/) for qw(state=old after=x frob=1 state=);

check('reload', ['reload'], 0, qr/\A/, qr/\A\z/);
write_file('dkim.conf', "$good\nsing: { };\n");
check('reload of a broken file', ['reload'], 1, qr{\Q$conf\E:\d+: .*sing}, qr/reload failed/);
my $refused = json_of('the same as JSON', 1, qw(--json reload));
like($refused->{error}, qr/reload failed/, 'the same as JSON: error');
is(json_of('after that', 0, qw(--json --daemon dkim status))->{state}, 'running', 'after that: it runs');
write_file('dkim.conf', $good);
check('reload of the mended file', ['reload'], 0, qr/\A/, qr/\A\z/);

kill 'TERM', $pid;
waitpid $pid, 0;
is($? >> 8, 0, 'stops with status 0');
$pid = 0;
check('nobody there', ['status'], 69, qr/\A\z/, qr/no control socket|refused|No such file/);
done_testing();
