#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl quota: what it says of a running mfx-quota, of its store when it does
# not run, and what changes do to mail.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run check json_of write_file read_file);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $talk = build() . '/t/milter/miltertalk';
for (build() . '/mfx-quota', build() . '/mfxctl-quota', $talk) {
    plan skip_all => "$_ is not built" if !-x $_;
}
my $dir = dir();
my $user = getpwuid $>;
my $patience = $ENV{MFX_TEST_PATIENCE} || 60;
$ENV{MFX_RUNDIR} = $dir;
delete $ENV{SUDO_USER};

# --- a daemon, and mail through it ---
my $rules = <<'END';
exempt_logins = "csl:root@example.org";
rules = (
 { name = "daily"; key = "login | sender_domain | network"; count = "recipients";
   limits = "1000/1m 500/1d 100/message";
   limits_table = "inline:vip@example.org=900/1d,bad@example.org=blocked by the table"; },
 { name = "size"; key = "login"; count = "bytes"; limits = "1M/1d"; },
 { name = "to"; key = "recipient"; count = "messages"; limits = "50/1h"; },
 { name = "open"; key = "client"; count = "open_connections"; limits = "20"; },
 { name = "pair"; key = "login + network"; count = "distinct_recipients"; limits = "3/day"; mode = "dry-run"; }
);
END

sub config {
    my ($name, $store, $more) = @_;
    $more //= $rules;
    return write_file("$name.conf", <<"END");
socket = "unix:$dir/$name.sock";
user = "$user";
control: { socket = "$dir/$name.ctl"; };
log: { target = "stderr"; };
store: { $store };
$more
END
}

my %pids;
sub stop {
    my ($name) = @_;
    kill 'TERM', $pids{$name} or return;
    waitpid delete $pids{$name}, 0;
    return $? >> 8;
}

sub start {
    my ($name, $conf) = @_;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>>', "$dir/$name.log";
        exec build() . '/mfx-quota', '-c', $conf or exit 127;
    }
    $pids{$name} = $pid;
    my $until = time + $patience;
    while (time < $until) {
        return if (run('--socket', "$dir/$name.ctl", 'status'))[0] == 0
            && (run('--socket', "$dir/$name.ctl", qw(quota store)))[0] == 0;
        sleep 0.05;
    }
    BAIL_OUT("mfx-quota does not start: " . read_file("$dir/$name.log"));
}
END { stop($_) for keys %pids; }

# Lines of a miltertalk script in a session of that login; true when all went
# as it says.
sub mail {
    my ($name, $login, @lines) = @_;
    my $script = write_file('script', join("\n", 'test mail', $login eq '' ? () : "macro {auth_authen}=$login",
        'connect host.example.net 192.0.2.7', 'helo me', @lines, ''));
    my $out = `$talk -s unix:$dir/$name.sock $script 2>&1`;
    return 1 if $? == 0;
    diag($out);
    return 0;
}

sub message {
    my ($from, $count, $prefix) = @_;
    $prefix //= 'u';
    return ("mail <$from>", "repeat $count rcpt <$prefix%d\@example.net>", 'data', 'message',
        "From: $from", '', 'hello', '.', 'expect continue|accept', 'end');
}

# The row of one rule.
sub row_of {
    my ($answer, $rule) = @_;
    my ($row) = grep { $_->{rule} eq $rule } @{ $answer->{rules} };
    return $row // {};
}

sub used_of {
    my ($label, $key, $rule) = @_;
    my $answer = json_of($label, 0, qw(--json quota show), $key, '--rule', $rule);
    return join ' ', map { "$_->{window}=$_->{used}" } @{ row_of($answer, $rule)->{windows} };
}

my $sqlite = "type = \"sqlite\"; path = \"$dir/quota.db\";";
my $conf = config('quota', $sqlite);
my $log = "$dir/quota.log";
start('quota', $conf);

ok(mail('quota', 'Alice@Example.ORG', message('alice@example.org', 6)), 'six recipients');
ok(mail('quota', 'bob', message('bob@example.org', 2, 'w')), 'two more of another');

# --- show ---
my $show = json_of('show', 0, qw(--json quota show alice@example.org));
is_deeply([map { $_->{rule} } @{ $show->{rules} }], [qw(daily size pair)], 'show: the rules that count a login');
my $daily = row_of($show, 'daily');
is($daily->{key}, 'login=alice@example.org', 'show: the key, in lower case');
is_deeply([map { [@$_{qw(window used reserved limit percent)}] } @{ $daily->{windows} }],
    [['1m', 6, 0, 1000, 0], ['1d', 6, 0, 500, 1]], 'show: its windows');
is_deeply([@$daily{qw(limits limits_from mode)}], ['1000/1m 500/1d 100/message', 'limits', 'enforce'], 'show: limits, and whose');
is(row_of($show, 'pair')->{key}, 'login=alice@example.org,network=192.0.2.0/24', 'show: a key of two parts, found by one');
is(row_of($show, 'pair')->{mode}, 'dry-run', 'show: a rule that only counts');
my $full = row_of($show, 'pair')->{windows}[0];
ok($full->{full} && $full->{free_at} =~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ && $full->{free_in_s} <= 86400,
    'show: full, and when there is room again');
check('show in words', [qw(quota show alice@example.org --rule daily)], 0,
    qr/\Adaily: recipients of login=alice\@example\.org\n +1m +6 of 1000 used \(0 %\)\n +1d +6 of 500 used \(1 %\)\n +limits 1000\/1m 500\/1d 100\/message\n\z/,
    qr/\A\z/);
check('another way to write it', ['quota', 'show', 'LOGIN=Alice@example.org', '-r', 'daily'], 0, qr/ 6 of 500 /);
check('show by two parts', [qw(quota show), "login=alice\@example.org,network=192.0.2.99"], 0,
    qr/\Apair: distinct_recipients of login=alice\@example\.org,network=192\.0\.2\.0\/24\n +day +6 of 3 used \(200 %\); free again in /);
check('show of an address', [qw(quota show 192.0.2.7)], 0, qr/^open: .* client=192\.0\.2\.7$/m);
check('show of a network', [qw(quota show 192.0.2.0/24)], 0, qr/\Adaily: recipients of network=192\.0\.2\.0\/24\n/);
check('show of another size of network', [qw(quota show 192.0.0.0/16 --rule daily)], 0, qr/login=192\.0\.0\.0\/16/);
check('show of a recipient', [qw(quota show u1@example.net --rule to)], 0, qr/\Ato: messages of recipient=u1\@example\.net\n +1h +1 of 50/);
check('show of a table\'s limits', [qw(quota show vip@example.org -r daily)], 0, qr/ of 900 .*\n +limits 900\/1d, from limits_table\n/);
check('show of a table\'s block', [qw(quota show bad@example.org -r daily)], 0, qr/BLOCKED by limits_table \(by the table\)\n/);
check('show of an exempt login', [qw(quota show root@example.org -r daily)], 0, qr/exempt: this login is not counted\n/);
check('show of no key', [qw(quota show alice --rule open)], 1, qr/\A\z/, qr/no rule counts such a key; they count by: client\n/);
check('show of no rule', [qw(quota show alice --rule frob)], 1, qr/\A\z/, qr/there is no rule frob\n/);
is(json_of('no key as JSON', 1, qw(--json quota show alice --rule open))->{error},
    'no rule counts such a key; they count by: client', 'no key as JSON: why');

# --- keys of all kinds ---
for (['a blank', 'a\sb', 'a b'], ['UTF-8', 'j\xc3\xbcrg', "j\xc3\xbcrg"], ['a percent sign', '100%', '100%'],
    ['a comma', 'a,b', 'a,b'], ['an equals sign', 'a=b', 'a=b'], ['a control byte', 'a\x01b', "a\x01b"],
    ['no UTF-8', 'a\xffb', "a\xffb"], ['what a shell would read', q{a'$(x)";&|}, q{a'$(x)";&|}])
{
    my ($label, $login, $key) = @$_;
    ok(mail('quota', $login, message('x@example.org', 3)), "login with $label");
    is(used_of("login with $label", $key, 'daily'), '1m=3 1d=3', "login with $label: shown");
}
ok(mail('quota', '\(10000*x)', message('x@example.org', 2)), 'login of 10 KB');
my ($digest) = read_file($log) =~ /login=(sha256:[0-9a-f]{64})/;
is(used_of('login of 10 KB', "login=$digest", 'daily'), '1m=2 1d=2', 'login of 10 KB: by what the log calls it');
check('login of 10 KB, whole', ['quota', 'show', 'x' x 10000], 64, qr/\A\z/, qr/sha256/);

check('a digest that nobody has', ['quota', 'show', 'sha256:' . 'a' x 64, '-r', 'pair'], 0, qr/\Apair: .* of sha256:a{64}\n +day +0 of 3 used/);

# --- top ---
my $top = json_of('top', 0, qw(--json quota top --count 3));
is(scalar @{ $top->{keys} }, 3, 'top: as many as asked for');
is($top->{keys}[0]{rule}, 'pair', 'top: the nearest to its limit first');
ok($top->{complete}, 'top: the whole store was seen');
my @shares = map { $_->{share} } @{ json_of('top, all', 0, qw(--json quota top -n 1000))->{keys} };
is_deeply(\@shares, [sort { $b <=> $a } @shares], 'top: in order');
$top = json_of('top of a rule', 0, qw(--json quota top --rule to));
is_deeply([keys %{ { map { $_->{rule} => 1 } @{ $top->{keys} } } }], ['to'], 'top of a rule: no other');
check('top in words', [qw(quota top -r daily -n 1)], 0,
    qr/\A SHARE  USED\/LIMIT +WINDOW +RULE +KEY\n +1%  6\/500 +1d +daily +login=alice\@example\.org\n\z/, qr/\A\z/);
check('top of no rule', [qw(quota top --rule frob)], 1, qr/\A\z/, qr/there is no rule frob/);
check('top of too many', [qw(quota top --count 1001)], 64, qr/\A\z/, qr/between 1 and 1000/);
check('top, raw', [qw(--daemon quota top rule=daily count=1)], 0, qr/\n +1%  6\/500 /, qr/\A\z/);
my $raw = decode_json((run(qw(--json --daemon quota top rule=daily after=daily/login=bob)))[1]);
ok(!(grep { $_->{key} le 'login=bob' } @{ $raw->{keys} }), 'top, raw: behind a cursor');

# --- block ---
check('block', [qw(quota block alice@example.org --for 2d --reason), 'sent spam', qw(-r daily)], 0,
    qr/\n +BLOCKED by mfxctl quota \(sent spam\) until 20\d\d-/, qr/\A\z/);
ok(mail('quota', 'alice@example.org', 'mail <alice@example.org>', 'rcpt <b@example.net>', 'expect tempfail|reject|replycode *sent?spam*'),
    'blocked: refused, with the reason');
like(read_file($log), qr/quota_blocked rule=daily key="?login=alice\@example\.org"? by=\S+ reason="sent spam" seconds=172800\n/,
    'block: the log says who and why');
check('block: shown', [qw(quota show alice@example.org --rule daily)], 0, qr/BLOCKED by mfxctl quota \(sent spam\) until/);
check('set: not while blocked', [qw(quota set alice@example.org 9/1d --rule daily)], 64, qr/\A\z/, qr/it is blocked; unblock it first/);
check('unset: a block is none of its', [qw(quota unset alice@example.org)], 1, qr/\A\z/, qr/nobody has set limits/);
check('unblock', [qw(quota unblock alice@example.org)], 0, qr/\n +limits 1000\/1m .*\n +before: blocked sent spam\n\z/, qr/\A\z/);
ok(mail('quota', 'alice@example.org', message('alice@example.org', 1)), 'unblocked: passes');
check('unblock again', [qw(quota unblock alice@example.org)], 1, qr/\A\z/, qr/nobody has blocked/);
my $block = json_of('block everywhere', 0, qw(--json quota block alice@example.org));
is_deeply([map { "$_->{rule} $_->{blocked} " . ($_->{override}{until} // 'for ever') } @{ $block->{rules} }],
    ['daily 1 for ever', 'size 1 for ever'], 'block everywhere: by login, and not by recipient');
json_of('unblock everywhere', 0, qw(--json quota unblock alice@example.org));
$block = json_of('block of a recipient', 0, qw(--json quota block recipient=r@example.net --for 1h));
is_deeply([map { $_->{rule} } @{ $block->{rules} }], ['to'], 'block of a recipient: when it is called so');
check('block for a second', [qw(quota block eve --for 1s --rule daily)], 0, qr/BLOCKED/);
my $until = time + $patience;
sleep 0.1 while time < $until && (run(qw(quota show eve -r daily)))[1] =~ /BLOCKED/;
ok(mail('quota', 'eve', message('eve@example.org', 1)), 'a block ends by itself');
for (['no time', qw(--for soon)], ['no time at all', qw(--for 0s)], ['a line end', '--reason', "x\r\n250 ok"], ['no UTF-8', '--reason', "\xff"]) {
    my ($label, @options) = @$_;
    check("block with $label", ['quota', 'block', 'alice', @options], 64, qr/\A\z/, qr/\Amfxctl quota block: /);
}

# --- set ---
check('set', [qw(quota set alice@example.org 8/1d 100/1h --rule daily --for 90m)], 0,
    qr/ +1d +7 of 8 used \(87 %\)\n(?s:.*) limits 8\/1d 100\/1h, set by mfxctl quota until 20/, qr/\A\z/);
ok(mail('quota', 'alice@example.org', 'mail <alice@example.org>', 'rcpt <b@example.net>', 'rcpt <c@example.net>', 'expect tempfail|reject|replycode'),
    'set: one more fits, and not two');
check('unset', [qw(quota unset alice@example.org)], 0, qr/ 7 of 500 used/, qr/\A\z/);
ok(mail('quota', 'alice@example.org', 'mail <alice@example.org>', 'repeat 5 rcpt <b%d@example.net>'), 'unset: as before');
check('set what makes no sense', [qw(quota set alice@example.org 8/frob --rule daily)], 64, qr/\A\z/, qr/rule daily: "8\/frob": /);
check('set of rules that count different things', [qw(quota set alice@example.org 8/1d)], 64, qr/\A\z/,
    qr/rule daily counts recipients, rule size counts bytes: say which rule/);
check('set unlimited everywhere', [qw(quota set alice@example.org unlimited)], 0, qr/^daily:(?s:.*)^size:/m, qr/\A\z/);
json_of('unset everywhere', 0, qw(--json quota unset alice@example.org));
check('set nothing', [qw(quota set alice@example.org)], 64, qr/\A\z/, qr/KEY and LIMITS/);
check('set a block', [qw(quota set alice@example.org blocked)], 64, qr/\A\z/, qr/block is a verb of its own/);

# --- reset ---
check('reset', [qw(quota reset bob --rule daily)], 0, qr/ 0 of 500 used/, qr/\A\z/);
is(used_of('reset', 'bob', 'size') =~ /^1d=[1-9]/, 1, 'reset: of that rule only');
check('reset of nobody', [qw(quota reset nobody)], 1, qr/\A\z/, qr/nothing is counted/);
like(read_file($log), qr/quota_$_ rule=daily /, "the log has quota_$_") for qw(unblocked limits_set limits_unset reset);

# --- rules and store ---
my $list = json_of('rules', 0, qw(--json quota rules));
is_deeply([map { $_->{rule} } @{ $list->{rules} }], [qw(daily size to open pair)], 'rules: all');
cmp_ok($list->{rules}[0]{counts}{fits}, '>', 8, 'rules: what came of one');
cmp_ok($list->{rules}[0]{counts}{refused}, '>=', 2, 'rules: what was refused');
check('rules in words', [qw(quota rules -r pair)], 0, qr/\Apair: distinct_recipients by login \+ network, all mail, then tempfail \(dry-run\)\n +limits 3\/day\n/, qr/\A\z/);
my $store = json_of('store', 0, qw(--json quota store));
is_deeply([@{ $store->{store} }{qw(type up where)}], ['sqlite', JSON::PP::true, "$dir/quota.db"], 'store: which, and up');
is($store->{merge}{waiting}, 0, 'store: nothing waits for it');
check('store in words', [qw(quota store)], 0, qr/\Asqlite \Q$dir\E\/quota\.db: up since 20/, qr/\A\z/);
is_deeply($store->{warnings}, [], 'store: no warning');
ok(mail('quota', '', map { ('quit', 'connect host.example.net 198.51.100.9', 'helo me', 'mail <a@example.org>') } 1 .. 210), '210 clients of one address');
$store = json_of('store with a warning', 0, qw(--json quota store));
like($store->{warnings}[0], qr/^all recent clients have the address 198\.51\.100\.9 /, 'a balancer without PROXY is told');
check('show with a warning', [qw(quota show bob)], 0, qr/\Awarning: all recent clients /);

# --- watch ---
check('watch without a terminal', [qw(quota watch --times 2 --every 1s)], 0,
    qr/\A(?:mfx-quota  20\d\d-\d\d-\d\d (?s:.*?)^RULE (?s:.*?)^ SHARE (?s:.*?)login=alice\@example\.org\n(?s:.*?)){2}\z/m, qr/\A\z/);
check('watch of one rule', [qw(quota watch --times 1 --rule to)], 0, qr/^to (?s:.*)recipient=u1\@example\.net/m);
check('watch of no rule', [qw(quota watch --times 1 --rule frob)], 1, qr/\A\z/, qr/there is no rule frob/);
check('watch and JSON', [qw(--json quota watch)], 64, qr/\A\z/, qr/top and rules have --json/);
{
    my $python = "$FindBin::Bin/in_terminal";
    my $out = `$python 'SHARE' 30 6 'mfx-quota' q @{[build()]}/mfxctl quota watch --every 1m 2>&1`;
    is($? >> 8, 0, 'watch in a terminal: q quits') or diag($out);
    my ($drawn) = $out =~ /\A.*\e\[H(.*?)\e\[J/s;
    my @lines = map { s/\e\[K//r } split /\r+\n/, $drawn // '';
    is(scalar @lines, 6, 'watch in a terminal: as many lines as the new size has');
    ok(!(grep { length > 30 } @lines), 'watch in a terminal: as long as they may be') or diag(@lines);
    like($out, qr/\e\[\?25h\e\[\?1049l(?s:.*)ECHO before 0 after 1$/m, 'watch in a terminal: the terminal is as before');
}

my @keys = map { $_->{key} } @{ json_of('top of odd keys', 0, qw(--json quota top -r daily -n 1000))->{keys} };
for my $key ('login=a\\x01b', 'login=a\\xffb', "login=j\x{fc}rg") {
    is(scalar(grep { $_ eq $key } @keys), 1, 'top of odd keys: one is shown so that nobody mistakes it');
}

# --- help, usage ---
check('help', [qw(quota --help)], 0, qr/^  show  (?s:.*)^  store /m, qr/\A\z/);
check("help of $_", ['quota', $_, '--help'], 0, qr/\AUsage: mfxctl quota $_ /, qr/\A\z/)
    for qw(show top watch reset block unblock set unset rules store);
check('mfxctl knows quota', ['--help'], 0, qr/^  quota \.\.\. /m);
check('no verb', [qw(quota frob)], 64, qr/\A\z/, qr/no such verb/);
check('no key', [qw(quota show)], 64, qr/\A\z/, qr/one KEY is needed/);
check('two keys', [qw(quota reset a b)], 64, qr/\A\z/, qr/one KEY is needed/);
check("raw $_->[0]", [qw(--daemon quota), @$_], 1, qr/\A\z/, $_->[0] eq 'show' ? qr/hexadecimal/ : qr/not understood|missing/)
    for ['show', 'a%2'], ['reset'], ['rules', 'frob=1'], ['store', 'x'], ['set', 'a'];
check('a socket where nobody is', ['--socket', "$dir/none.ctl", qw(quota show bob)], 69, qr/\A\z/, qr/none\.ctl/);
check('the file while the daemon has it', ['quota', 'store', '--config', config('second', $sqlite), '--socket', "$dir/none.ctl"], 69, qr/\A\z/, qr/none\.ctl/);
{
    local $ENV{MFX_RUNDIR} = "$dir/nowhere";
    my $began = time;
    check('another process has the file', ['quota', 'show', 'bob', '--config', $conf], 2, qr/\A\z/, qr/no daemon listens, and the store .* is down/);
    cmp_ok(time - $began, '<', 30, 'another process has the file: said soon');
}

# --- without the daemon ---
my $before = json_of('before it stops', 0, qw(--json quota show alice@example.org));
is(stop('quota'), 0, 'the daemon stops');
my @offline = ('--config', $conf);
my $after = json_of('its store alone', 0, qw(--json quota show alice@example.org), @offline);
is_deeply([map { [$_->{key}, $_->{windows}[-1]{used}] } @{ $after->{rules} }],
    [map { [$_->{key}, $_->{windows}[-1]{used}] } @{ $before->{rules} }], 'its store alone: the same numbers');
check('top of its store', [qw(quota top -r daily -n 1), @offline], 0, qr/login=alice\@example\.org/, qr/\A\z/);
check('rules of its configuration', [qw(quota rules -r to), @offline], 0, qr/\Ato: messages by recipient, all mail, then tempfail\n +limits 50\/1h\n\z/, qr/\A\z/);
check('its store', [qw(quota store), @offline], 0, qr/\Asqlite .*: up since/, qr/\A\z/);
check('watch of its store', [qw(quota watch --times 1), @offline], 0, qr/\(no daemon runs\)/, qr/\A\z/);
check('block in its store', [qw(quota block alice@example.org --reason later -r daily), @offline], 0, qr/BLOCKED by mfxctl quota \(later\)/,
    -e '/dev/log' ? qr/\A\z/ : qr/\Amfx-quota: quota_blocked rule=daily key="?login=alice\@example\.org"? by=\S+ reason=later\n\z/);
start('quota', $conf);
ok(mail('quota', 'alice@example.org', 'mail <alice@example.org>', 'rcpt <b@example.net>', 'expect tempfail|reject|replycode *later*'),
    'block in its store: holds when it runs again');
stop('quota');
check('unblock in its store', [qw(quota unblock alice@example.org), @offline], 0, qr/before: blocked later/);
check('a store that is not there', ['quota', 'show', 'bob', '--config', config('none', "type = \"sqlite\"; path = \"$dir/none.db\";")], 66,
    qr/\A\z/, qr/no daemon runs, and .*none\.db: No such file/);
ok(!-e "$dir/none.db", 'a store that is not there: nothing is made');
check('a configuration that is wrong', ['quota', 'show', 'bob', '--config', config('wrong', $sqlite, 'frob = 1;')], 78, qr/\A\z/, qr/wrong\.conf:\d+: .*frob/);
write_file('broken.db', 'this is no database' x 1000);
check('a broken store', ['quota', 'show', 'bob', '--config', config('broken', "type = \"sqlite\"; path = \"$dir/broken.db\"; replace_corrupt = false;")], 2,
    qr/\A\z/, qr/the store .* is down: /);

# --- in memory ---
my $memory = config('memory', 'type = "memory";');
start('memory', $memory);
{
    local $ENV{MFX_SOCKET} = "$dir/memory.ctl";
    ok(mail('memory', 'carol', message('carol@example.org', 4)), 'in memory: four recipients');
    is(used_of('in memory', 'carol', 'daily'), '1m=4 1d=4', 'in memory: shown');
    check('in memory: top', [qw(quota top -r daily)], 0, qr/ 4\/500 .*login=carol\n/, qr/\A\z/);
    check('in memory: block', [qw(quota block carol -r daily)], 0, qr/BLOCKED by mfxctl quota, without an end/, qr/\A\z/);
    check('in memory: reset', [qw(quota reset carol -r daily)], 0, qr/ 0 used, no limit\n(?s:.*)BLOCKED/, qr/\A\z/);
    check('in memory: store', [qw(quota store)], 0, qr/\Amemory /, qr/\A\z/);
}
stop('memory');
check('in memory, without the daemon', ['quota', 'show', 'carol', '--config', $memory], 69, qr/\A\z/, qr/nothing is kept without it/);

# --- Redis ---
SKIP: {
    my ($server) = grep { -x } map { "$_/redis-server" } split /:/, $ENV{PATH};
    skip 'no redis-server', 24 if !defined $server;
    my $redis = fork // die $!;
    if ($redis == 0) {
        open STDOUT, '>', '/dev/null';
        exec $server, '--port', 0, '--unixsocket', "$dir/server.sock", '--save', '', '--dir', $dir or exit 127;
    }
    $pids{'redis-server'} = $redis;
    $until = time + $patience;
    sleep 0.05 while !-S "$dir/server.sock" && time < $until;
    my $shared = config('redis', 'type = "redis";', "redis: { servers = [ \"unix:$dir/server.sock\" ]; };\n$rules");
    start('redis', $shared);
    {
        local $ENV{MFX_SOCKET} = "$dir/redis.ctl";
        ok(mail('redis', 'dave', message('dave@example.org', 5)), 'Redis: five recipients');
        is(used_of('Redis', 'dave', 'daily'), '1m=5 1d=5', 'Redis: shown');
        check('Redis: top', [qw(quota top -r daily)], 0, qr/ 5\/500 .*login=dave\n/, qr/\A\z/);
    }
    check('Redis, beside the daemon', [qw(quota block dave -r daily), '--config', $shared], 0, qr/ 5 used, no limit\n(?s:.*)BLOCKED/);
    ok(mail('redis', 'dave', 'mail <dave@example.org>', 'rcpt <b@example.net>', 'expect tempfail|reject|replycode'), 'Redis: the daemon knows at once');
    stop('redis-server');
    {
        local $ENV{MFX_SOCKET} = "$dir/redis.ctl";
        ok(mail('redis', 'erin', message('erin@example.org', 3)), 'Redis away: this machine counts by itself');
        check('Redis away: show', [qw(quota show erin -r daily)], 0,
            qr/\AThe store does not answer \(.*\): this is what this machine counts by itself\.\ndaily: .*\n.* 3 of 1000 used /, qr/\A\z/);
        check('Redis away: top', [qw(quota top)], 2, qr/\A\z/, qr/\Amfxctl quota top: ./);
        check('Redis away: block', [qw(quota block erin -r daily)], 2, qr/\A\z/, qr/\Amfxctl quota block: ./);
        my $away = json_of('Redis away: store', 1, qw(--json quota store));
        is_deeply([$away->{store}{up}, $away->{store_error}, $away->{merge}{waiting}, $away->{away}{local}],
            [JSON::PP::false, 'local', 1, 1], 'Redis away: one message waits for it');
        check('Redis away: rules', [qw(quota rules -r to)], 0, qr/\Ato: /, qr/\A\z/);
    }
    stop('redis');
    my $began = time;
    check('Redis away', [qw(quota show dave), '--config', $shared], 2, qr/\A\z/, qr/the store \(redis .*\) is down/);
    cmp_ok(time - $began, '<', 30, 'Redis away: said soon');
}
done_testing();
