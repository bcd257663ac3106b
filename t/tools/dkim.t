#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl dkim testkey, sign, verify and explain: answers, reasons, JSON and
# exit statuses. The vectors are those of RFC 6376 and RFC 8463.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file read_file);
use Test::More;

plan skip_all => 'mfxctl-dkim is not built' if !-x build() . '/mfxctl' || !-x build() . '/mfxctl-dkim';
my $dir = dir();
my $src = $ENV{MFX_SRCDIR} || "$FindBin::Bin/../..";
my $vectors = "$src/t/vectors";

# --- keys and a zone of our own ---
my %record;
for (['rsa', 'rsa', 2048], ['ed', 'ed25519'], ['other', 'rsa', 1024]) {
    my ($selector, $algorithm, $bits) = @$_;
    mkdir "$dir/example.org";
    my $json = json_of("genkey $selector", 0, qw(--json dkim genkey -d example.org -s), $selector, '-a', $algorithm,
        $bits ? ('-b', $bits) : (), '-o', "$dir/example.org/$selector.pem");
    $record{$selector} = $json->{record};
}
my $zone = write_file('zone', <<"END");
rsa._domainkey.example.org TXT "$record{rsa}"
ed._domainkey.example.org TXT "$record{ed}"
swapped._domainkey.example.org TXT "$record{other}"
revoked._domainkey.example.org TXT "v=DKIM1; k=rsa; p="
broken._domainkey.example.org TXT "v=DKIM1; k=rsa; p=!!"
down._domainkey.example.org TXT !servfail
slow._domainkey.example.org TXT !timeout
END
my @key = map { my $s = $_; ($s => ['--key', "$dir/example.org/$s.pem", '-d', 'example.org', '-s', $s]) } qw(rsa ed other);
my %key = @key;

# --- verify: the RFCs' own messages ---
for (['rfc6376', 1], ['rfc8463', 2]) {
    my ($name, $count) = @$_;
    my $v = json_of("$name", 0, qw(--json dkim verify --all --zone), "$vectors/$name/zone", "$vectors/$name/message.eml");
    is($v->{status}, 'pass', "$name: passes");
    is(scalar @{ $v->{signatures} }, $count, "$name: signatures");
}
my $v = json_of('rfc8463 details', 0, qw(--json dkim verify --zone), "$vectors/rfc8463/zone", "$vectors/rfc8463/message.eml");
my ($ed) = grep { $_->{algorithm} eq 'ed25519-sha256' } @{ $v->{signatures} };
is_deeply([@$ed{qw(domain selector status fault header_canonicalization body_canonicalization)}],
    [qw(football.example.com brisbane pass none relaxed relaxed)], 'rfc8463: Ed25519');
like($v->{authentication_results}, qr/^ localhost;.*dkim=pass.*header\.d=football\.example\.com/s, 'rfc8463: the field');

# --- sign, then verify ---
my $message = "From: A <a\@example.org>\nTo: b\@example.net\nSubject: hello\n  there\n\nfirst line \nsecond\n\n";
my $file = write_file('message', $message);
for my $canon (qw(simple/simple simple/relaxed relaxed/simple relaxed/relaxed relaxed)) {
    for my $selector (qw(rsa ed)) {
        my ($status, $signed) = run(qw(dkim sign --canonicalization), $canon, @{ $key{$selector} }, $file);
        is($status, 0, "sign $selector $canon");
        like($signed, qr/\ADKIM-Signature: .*\n\Q$message\E\z/s, "sign $selector $canon: above the message");
        my $path = write_file('signed', $signed);
        my $got = json_of("verify $selector $canon", 0, qw(dkim verify --json --zone), $zone, $path);
        my $want = $canon =~ m{/} ? $canon : "$canon/simple";
        is("$got->{signatures}[0]{header_canonicalization}/$got->{signatures}[0]{body_canonicalization}", $want,
            "verify $selector $canon: as asked");
        # the same with CRLF, from stdin
        (my $crlf = $signed) =~ s/\n/\r\n/g;
        ($status) = run_in($crlf, qw(dkim verify --zone), $zone, '-');
        is($status, 0, "verify $selector $canon: CRLF, stdin");
    }
}
my ($status, $both) = run(qw(dkim sign), @{ $key{rsa} }, $file);
($status, $both) = run_in($both, qw(dkim sign), @{ $key{ed} }, '-');
my $twice = write_file('twice', $both);
check('two signatures', [qw(dkim verify --all --zone), $zone, $twice], 0,
    qr/signature 1: pass.*a=ed25519-sha256.*signature 2: pass.*a=rsa-sha256/s, qr/\A\z/);

# line ends and mbox lines stay as they are
($status, my $out) = run_in("From x\@y Mon\r\n" . ($message =~ s/\n/\r\n/gr), qw(dkim sign --time 1700000000), @{ $key{ed} }, '-');
like($out, qr/\AFrom x\@y Mon\r\nDKIM-Signature: /, 'the mbox line stays first');
unlike($out, qr/[^\r]\n/, 'CRLF in, CRLF out');
($status, $out) = run(qw(dkim sign --field-only --time 1700000000 --expire 1d), @{ $key{ed} }, $file);
like($out, qr/\ADKIM-Signature: [^\n]*(\n\t[^\n]*)*\n\z/, 'field only');
like($out, qr/t=1700000000;\s+x=1700086400/, 't= and x=');

# --- verify: what goes wrong, and the reason ---
sub signed {
    my (@options) = @_;
    my (undef, $text) = run(qw(dkim sign), @options, $file);
    return $text;
}
my $relaxed = signed(@{ $key{rsa} });
# as relaxed would leave it, so that white space is all that can differ
my (undef, $simple) = run_in($message =~ s/line \n/line\n/r, qw(dkim sign -C simple/simple), @{ $key{rsa} }, '-');
my @failures = (
    # label, message, status, result, fault, what else is said
    ['body_changed',      $relaxed =~ s/second/2nd/r,        1, 'fail', 'body hash',   qr/relaxed.*does not match either|simple does not match either/],
    ['body_appended',     "${relaxed}more\n",                1, 'fail', 'body hash',   qr/does not match either/],
    ['white_space_added', $simple =~ s/first line/first  line/r, 1, 'fail', 'body hash', qr/relaxed would have matched/],
    ['header_changed',    $relaxed =~ s/hello/bye/r,         1, 'fail', 'header hash', qr/signature 1: fail/],
    ['from_added',        "From: x\@evil.example\n$relaxed", 1, 'fail', 'header hash', qr/signature 1: fail/],
    ['header_refolded',   $simple =~ s/hello\n  there/hello there/r, 1, 'fail', 'header hash', qr/fail/],
    ['key_missing',       $relaxed =~ s/s=rsa;/s=gone;/r,    1, 'permerror', 'key missing', qr/permerror/],
    ['key_revoked',       $relaxed =~ s/s=rsa;/s=revoked;/r, 1, 'permerror', 'key',    qr/revoked/],
    ['key_broken',        $relaxed =~ s/s=rsa;/s=broken;/r,  1, 'permerror', 'key',    qr/permerror/],
    ['key_of_another',    $relaxed =~ s/s=rsa;/s=swapped;/r, 1, 'fail', 'header hash', qr/fail/],
    ['dns_down',          $relaxed =~ s/s=rsa;/s=down;/r,    2, 'temperror', 'key lookup', qr/temperror/],
    ['dns_slow',          $relaxed =~ s/s=rsa;/s=slow;/r,    2, 'temperror', 'key lookup', qr/temperror/],
    ['sha1',              $relaxed =~ s/a=rsa-sha256/a=rsa-sha1/r, 1, undef, 'algorithm', qr/rsa-sha1/],
    ['no_domain_tag',     $relaxed =~ s/d=example\.org;//r,  1, 'neutral', 'signature field', qr/neutral/],
    ['expired',           signed(qw(--time 1500000000 --expire 1d), @{ $key{rsa} }), 1, undef, 'expired', qr/expired/],
    ['partial_body',      signed(qw(--body-length), @{ $key{rsa} }) . "more\n", 1, 'policy', 'policy', qr/behind l= are not signed/],
);
for (@failures) {
    my ($label, $text, $status, $result, $fault, $says) = @$_;
    my $path = write_file('bad', $text);
    my $got = json_of($label, $status, qw(--json dkim verify --zone), $zone, $path);
    my $signature = $got->{signatures}[0];
    is($signature->{status}, $result, "$label: result") if defined $result;
    is($signature->{fault}, $fault, "$label: fault");
    ok($signature->{reason}, "$label: a reason is given");
    check("$label as text", [qw(dkim verify --zone), $zone, $path], $status, $says, qr/\A\z/);
}
my $got = json_of('other canonicalization', 1, qw(--json dkim verify --zone), $zone,
    write_file('bad', $simple =~ s/first line/first  line/r));
ok($got->{signatures}[0]{other_canonicalization_matches}, 'json: the other canonicalization would have matched');

check('no_signature', [qw(dkim verify --zone), $zone, $file], 1, qr/no signature\n.*dkim=none/s, qr/\A\z/);
check('empty_message', [qw(dkim verify --zone), $zone, write_file('empty', '')], 1, qr/no signature/, qr/\A\z/);
# one good signature is enough, unless all are asked for
my $mixed = write_file('mixed', $both =~ s/s=ed;/s=gone;/r);
check('one_is_enough', [qw(dkim verify --zone), $zone, $mixed], 0, qr/permerror.*pass/s);
check('all_asked_for', [qw(dkim verify --all --zone), $zone, $mixed], 1, qr/permerror.*pass/s);
# what stands in a signature cannot write to the terminal
my $escape = write_file('escape', $relaxed =~ s/s=rsa;/s=a\e[2Jb;/r);
check('control_bytes', [qw(dkim verify --zone), $zone, $escape], 1, qr/\A[^\e]*\z/);
check('authserv_id', [qw(dkim verify --authserv-id mx.example.net --zone), $zone, $twice], 0, qr/^Authentication-Results: mx\.example\.net;/m);

# --- testkey ---
my @tests = (
    ['match',    'rsa',     'rsa', 0, 'match'],
    ['match_ed', 'ed',      'ed',  0, 'match'],
    ['mismatch', 'swapped', 'rsa', 1, 'mismatch'],
    ['other_algorithm', 'ed', 'rsa', 1, 'mismatch'],
    ['missing',  'gone',    'rsa', 1, 'missing'],
    ['revoked',  'revoked', 'rsa', 1, 'revoked'],
    ['unusable', 'broken',  'rsa', 1, 'unusable'],
    ['servfail', 'down',    'rsa', 2, 'unknown'],
    ['timeout',  'slow',    'rsa', 2, 'unknown'],
);
for (@tests) {
    my ($label, $selector, $with, $status, $word) = @$_;
    my @args = (qw(dkim testkey -d example.org -s), $selector, '--key', "$dir/example.org/$with.pem", '--zone', $zone);
    check("testkey $label", \@args, $status, qr/\Aexample\.org \Q$selector\E: $word\b/, qr/\A\z/);
    my $json = json_of("testkey $label json", $status, '--json', @args);
    is($json->{keys}[0]{status}, $word, "testkey $label: json");
    is($json->{keys}[0]{name}, "$selector._domainkey.example.org", "testkey $label: name");
}

# --- over DNS: a server of our own that knows three names ---
use IO::Socket::INET;
my $server = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 0) or die $!;
my $dns = '127.0.0.1:' . $server->sockport;
my $pid = fork // die $!;
if ($pid == 0) {
    while (defined $server->recv(my $query, 4096)) {
        my ($at, @labels) = 12;
        while ((my $len = ord substr $query, $at, 1) > 0) {
            push @labels, substr $query, $at + 1, $len;
            $at += 1 + $len;
        }
        my $question = substr $query, 12, $at + 5 - 12;
        my ($selector) = @labels;
        my $text = $record{$selector};
        my $data = defined $text ? join '', map { pack 'C/a', $_ } $text =~ /(.{1,255})/g : '';
        my $answer = $data eq '' ? '' : "\xC0\x0C" . pack('nnNn/a', 16, 1, 300, $data);
        my $rcode = $selector eq 'down' ? 2 : $data eq '' ? 3 : 0;
        $server->send(substr($query, 0, 2) . pack('nnnnn', 0x8180 | $rcode, 1, $data ne '', 0, 0) . $question . $answer);
    }
    exit 0;
}
END { kill 'KILL', $pid if $pid; }
my @over = ('--dns', $dns);
check('testkey over DNS', [qw(dkim testkey -s rsa -d example.org --key), "$dir/example.org/rsa.pem", @over], 0, qr/rsa: match\n\z/, qr/\A\z/);
check('missing over DNS', [qw(dkim testkey -s gone -d example.org --key), "$dir/example.org/rsa.pem", @over], 1, qr/gone: missing/, qr/\A\z/);
check('failure over DNS', [qw(dkim testkey -s down -d example.org --key), "$dir/example.org/rsa.pem", @over], 2, qr/down: unknown/, qr/\A\z/);
check('verify over DNS', [qw(dkim verify --all), @over, $twice], 0, qr/signature 1: pass.*signature 2: pass/s, qr/\A\z/);
check('verify over dead DNS', [qw(dkim verify --dns 127.0.0.1:9), $twice], 2, qr/temperror.*key lookup/s, qr/\A\z/);

# --- with a configuration ---
my $hosts = 'origin: { internal_hosts = "csl:192.0.2.7"; };';
my $conf = write_file('dkim.conf', <<"END");
$hosts
dns: { test_data = "$zone"; };
sign: {
    domains = "csl:example.org,swapped.example=other";
    selectors = ["rsa", "ed"];
    key_path = "$dir/%d/%s.pem";
};
END
mkdir "$dir/swapped.example";
write_file('swapped.example/other.pem', read_file("$dir/example.org/other.pem"));
my $json = json_of('testkey of a configuration', 1, qw(--json dkim testkey -c), $conf, '--zone', $zone);
is_deeply([sort map { "$_->{domain} $_->{selector} $_->{status}" } @{ $json->{keys} }],
    ['example.org ed match', 'example.org rsa match', 'swapped.example other missing'], 'testkey: every key');
is_deeply([@$json{qw(total failed unknown)}], [3, 1, 0], 'testkey: counts');
check('testkey asks as configured', [qw(dkim testkey -d example.org -s rsa -c), $conf], 0, qr/rsa: match\n/, qr/\A\z/);
check('testkey of one domain', [qw(dkim testkey -d example.org -c), $conf, '--zone', $zone], 0,
    qr/example\.org rsa: match\n/, qr/\A\z/);
check('testkey of no key', [qw(dkim testkey -d nowhere.example -c), $conf, '--zone', $zone], 78, qr/\A\z/, qr/names no such key/);

($status, $out) = run(qw(dkim sign -c), $conf, $file);
is($status, 0, 'sign by configuration');
$json = json_of('sign by configuration, verified', 0, qw(--json dkim verify --all --zone), $zone, write_file('signed', $out));
is_deeply([sort map { $_->{selector} } @{ $json->{signatures} }], [qw(ed rsa)], 'sign by configuration: both keys');
check('sign of a stranger', [qw(dkim sign -c), $conf, write_file('stranger', "From: a\@b.example\n\nx\n")], 1,
    qr/\A\z/, qr/not signed: no key for b\.example/);
check('sign without From', [qw(dkim sign -c), $conf, write_file('nofrom', "To: a\@b.example\n\nx\n")], 1,
    qr/\A\z/, qr/not signed: no From/);

my $strict = write_file('strict.conf', <<"END");
authserv_id = "mx.example.net";
dns: { test_data = "$zone"; };
verify: { on_none = "reject"; min_rsa_bits = 4096; author_policy = "inline:example.org=reject"; };
END
check('verify with limits of a configuration', [qw(dkim verify -c), $strict, write_file('signed', $relaxed)], 1,
    qr/^by the configuration: reject \(.*\): 550 5\.7\.2[0-9] .*^Authentication-Results: mx\.example\.net;/ms, qr/\A\z/);
check('verify with its policy', [qw(dkim verify -c), $strict, $twice], 0, qr/^by the configuration: accept/m, qr/\A\z/);
$json = json_of('verify with its policy, as JSON', 1, qw(--json dkim verify -c), $strict, $file);
is_deeply([@{ $json->{judgement} }{qw(action status code)}], ['reject', 'none', 550], 'judgement as JSON');

my @explain = (
    ['ours_by_address', ['--from', 'a@example.org', '--client', '192.0.2.7'], 0, 'sign', 'internal_hosts'],
    ['ours_by_login',   ['--from', 'a@example.org', '--client', '203.0.113.5', '--auth', 'a'], 0, 'sign', 'login'],
    ['ours_by_daemon',  ['--from', 'a@example.org', '--daemon-name', 'ORIGINATING'], 0, 'sign', 'daemon_name'],
    ['foreign',         ['--from', 'a@example.org', '--client', '203.0.113.5'], 0, 'verify', 'foreign'],
    ['no_address',      ['--from', 'a@example.org'], 0, 'verify', 'foreign'],
    ['no_key',          ['--from', 'a@b.example', '--client', '192.0.2.7'], 0, 'pass', 'internal_hosts'],
    ['display_name',    ['--from', '"A, B" <a@example.org>', '--client', '192.0.2.7'], 0, 'sign', 'internal_hosts'],
    ['two_authors',     ['--from', 'a@example.org, b@b.example', '--client', '192.0.2.7'], 1, 'refuse', 'internal_hosts'],
    ['bounce',          ['--from', 'a@example.org, b@b.example', '--sender', '', '--client', '192.0.2.7'], 0, 'pass', 'internal_hosts'],
    ['a_message',       ['--client', '192.0.2.7', $file], 0, 'sign', 'internal_hosts'],
);
for (@explain) {
    my ($label, $args, $status, $job, $origin) = @$_;
    my $json = json_of("explain $label", $status, qw(--json dkim explain -c), $conf, @$args);
    is($json->{job}, $job, "explain $label: job");
    is($json->{origin}, $origin, "explain $label: origin");
    my @selectors = sort map { $_->{selector} } @{ $json->{signers} };
    is_deeply(\@selectors, $job eq 'sign' ? [qw(ed rsa)] : [], "explain $label: signers");
    ok(@{ $json->{trace} } > 0, "explain $label: trace");
}
check('explain as text', [qw(dkim explain -c), $conf, qw(--from a@example.org --client 192.0.2.7)], 0,
    qr{\Asign: ours\n  d=example\.org s=rsa key \Q$dir\E/example\.org/rsa\.pem\n.*because:\n  origin: internal_hosts}s, qr/\A\z/);

# Who mail is signed for, when From is not asked alone.
my $sender = write_file('sender.conf', <<"END");
sign: {
    domains = "csl:example.org";
    selectors = ["rsa", "ed"];
    key_path = "$dir/%d/%s.pem";
    sender_headers = ["Sender", "From"];
    sender_macro = "auth_author";
};
END
my $by_sender = write_file('by_sender', "From: a\@b.example\nSender: s\@example.org\n\nx\n");
for (['field', [$by_sender], 'Sender: s@example.org'],
    ['macro', ['--from', 'a@b.example', '--macro', 'auth_author=<m@example.org>'], 'auth_author: m@example.org']) {
    my ($label, $args, $text) = @$_;
    my $json = json_of("explain sender by $label", 0, qw(--json dkim explain -c), $sender, '--auth', 'a', @$args);
    is_deeply([@$json{qw(job from_domain sender_domain)}], ['sign', 'b.example', 'example.org'], "sender by $label: domains");
    is((grep { $_->{rule} eq 'sender' } @{ $json->{trace} })[0]{text}, $text, "sender by $label: trace");
}
check('sign by the Sender field', [qw(dkim sign -c), $sender, $by_sender], 0, qr/d=example\.org;/, qr/\A\z/);

# --- wrong usage and wrong files ---
write_file('bad.conf', "sign: { domans = \"x\"; };\n");
write_file('nokey.conf', "sign: { domains = \"csl:none.example\"; key_path = \"$dir/%d/%s.pem\"; };\n");
write_file('junk.pem', "no key\n");
my @wrong = (
    ['explain_nothing',   [qw(dkim explain)],                                      64, qr/--from/],
    ['explain_both',      [qw(dkim explain --from a@b x)],                         64, qr/--from/],
    ['explain_client',    [qw(dkim explain --from a@b --client x -c), $conf],      64, qr/no IP address/],
    ['unknown_setting',   [qw(dkim explain --from a@b -c), "$dir/bad.conf"],       78, qr/bad\.conf:1:.*domans/],
    ['missing_key',       [qw(dkim explain --from a@b -c), "$dir/nokey.conf"],     78, qr/none\.example/],
    ['missing_config',    [qw(dkim explain --from a@b -c), "$dir/none.conf"],      78, qr/none\.conf/],
    ['sign_no_file',      [qw(dkim sign)],                                         64, qr/one FILE/],
    ['sign_missing_file', [qw(dkim sign), @{ $key{rsa} }, "$dir/none"],            66, qr/none: No such file/],
    ['sign_missing_key',  [qw(dkim sign --key), "$dir/none", qw(-d x.example -s y), $file], 66, qr/none: No such file/],
    ['sign_junk_key',     [qw(dkim sign --key), "$dir/junk.pem", qw(-d x.example -s y), $file], 78, qr/junk\.pem/],
    ['sign_no_selector',  [qw(dkim sign --key), "$dir/junk.pem", qw(-d x.example), $file], 64, qr/--selector/],
    ['sign_canon',        [qw(dkim sign -C nofws), @{ $key{rsa} }, $file],         64, qr/relaxed\/simple/],
    ['sign_canon_body',   [qw(dkim sign -C simple/nofws), @{ $key{rsa} }, $file],  64, qr/relaxed\/simple/],
    ['sign_time',         [qw(dkim sign --time now), @{ $key{rsa} }, $file],       64, qr/seconds since 1970/],
    ['sign_expire',       [qw(dkim sign --expire soon), @{ $key{rsa} }, $file],    64, qr/such as 7d/],
    ['sign_identity',     [qw(dkim sign -i @other.example), @{ $key{rsa} }, $file], 1, qr/d=example\.org/],
    ['verify_no_file',    [qw(dkim verify)],                                       64, qr/one FILE/],
    ['verify_missing',    [qw(dkim verify), "$dir/none"],                          66, qr/none: No such file/],
    ['verify_two_dns',    [qw(dkim verify --dns 127.0.0.1:1 --zone), $zone, $file], 64, qr/not both/],
    ['verify_bad_dns',    [qw(dkim verify --dns here), $file],                     64, qr/here/],
    ['verify_bad_zone',   [qw(dkim verify --zone), "$dir/none", $file],            66, qr/none/],
    ['testkey_both',      [qw(dkim testkey --key a --config b)],                   64, qr/not both/],
    ['testkey_no_domain', [qw(dkim testkey --key a)],                              64, qr/--domain/],
    ['unknown_verb',      [qw(dkim frob)],                                         64, qr/no such verb/],
    ['no_verb',           [qw(dkim)],                                              64, qr/Usage/],
);
for (@wrong) {
    my ($label, $args, $status, $says) = @$_;
    check($label, $args, $status, qr/\A\z/, $says);
}
$json = json_of('errors as JSON', 66, qw(--json dkim verify), "$dir/none");
like($json->{error}, qr/No such file/, 'errors as JSON: the text');
check("help of $_", ['dkim', $_, '--help'], 0, qr/\AUsage: mfxctl dkim \Q$_\E/, qr/\A\z/)
    for qw(genkey testkey sign verify explain);
check('help', [qw(dkim --help)], 0, qr/\AUsage: mfxctl dkim .*genkey.*testkey.*sign.*verify.*explain/s, qr/\A\z/);
done_testing();
