#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl dkim zone: records as name servers and nsupdate read them, and the
# warning about a d= that DMARC does not want.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file read_file);
use IO::Select;
use IO::Socket::INET;
use MIME::Base64;
use Test::More;

plan skip_all => 'mfxctl-dkim is not built' if !-x build() . '/mfxctl' || !-x build() . '/mfxctl-dkim';
my $dir = dir();

sub key {
    my ($domain, $selector, @options) = @_;
    mkdir "$dir/$domain";
    return json_of("key $selector of $domain", 0, qw(--json dkim genkey -d), $domain, '-s', $selector, @options,
        '-o', "$dir/$domain/$selector.pem")->{record};
}

my %record = (
    'r1._domainkey.a.example'          => key('a.example', 'r1'),
    'e1._domainkey.a.example'          => key('a.example', 'e1', qw(-a ed25519)),
    'r1._domainkey.b.example'          => key('b.example', 'r1', qw(-b 4096)),
    'e1._domainkey.b.example'          => key('b.example', 'e1', qw(-a ed25519)),
);
my $conf = write_file('dkim.conf', <<"END");
sign: { domains = "csl:a.example,b.example"; selectors = ["r1", "e1"]; key_path = "$dir/%d/%s.pem"; };
END

# --- as a zone file ---
sub in_zone {
    my ($zone, $domain) = @_;
    return "\$TTL 60\n\$ORIGIN $domain.\n@ IN SOA ns a 1 2 3 4 5\n@ IN NS ns\nns IN A 192.0.2.1\n$zone";
}
for (['absolute'], ['relative', '--relative'], ['with TTL', qw(--ttl 2h)]) {
    my ($label, @options) = @$_;
    my ($status, $zone, $err) = run(qw(dkim zone -c), $conf, @options);
    is($status, 0, "$label: status");
    is($err, '', "$label: nothing on stderr");
    is(scalar(() = $zone =~ /\bTXT\b/g), 4, "$label: all records");
    ok(!(grep { length > 255 } $zone =~ /"([^"]*)"/g), "$label: strings of 255 octets");
    like($zone, qr/^e1\._domainkey\tIN/m, "$label: relative names") if $label eq 'relative';
    is(scalar(() = $zone =~ /\t7200\tIN\tTXT/g), 4, "$label: the TTL") if $label eq 'with TTL';
    my ($one) = (run(qw(dkim zone -c), $conf, @options, 'b.example'))[1];
    like($one, qr/b\.example|\$ORIGIN b/, "$label: the domain named");
    unlike($one, qr/a\.example/, "$label: no other");
    my $file = write_file('zone', in_zone($one, 'b.example'));
    for my $tool (qw(nsd-checkzone named-checkzone)) {
        SKIP: {
            my ($path) = grep { -x } map { "$_/$tool" } qw(/usr/sbin /usr/bin /sbin);
            skip "no $tool", 2 if !$path;
            my $said = `$path b.example $file 2>&1`;
            is($?, 0, "$label: $tool reads it") or diag($said);
            next if $tool ne 'named-checkzone';
            # what BIND made of it, strings joined
            my $dump = `$path -q -D -o - b.example $file 2>/dev/null`;
            my %got;
            for ($dump =~ /^(\S+_domainkey\S+\s.*\bTXT\b.*)$/mg) {
                my ($name) = /^(\S+?)\.?\s/;
                $got{$name} = join '', /"([^"]*)"/g;
            }
            is_deeply(\%got, { map { $_ => $record{$_} } grep { /b\.example/ } keys %record }, "$label: BIND has the records");
        }
    }
}

# --- as JSON ---
for ([qw(--json dkim zone)], [qw(dkim zone --format json)]) {
    my $json = json_of("@$_", 0, @$_, '-c', $conf);
    is_deeply({ map { $_->{name} => $_->{record} } @$json }, \%record, "@$_: all records");
    is_deeply([map { "$_->{domain} $_->{selector}" } @$json], ['a.example e1', 'a.example r1', 'b.example e1', 'b.example r1'],
        "@$_: in order");
    is(join('', @{ $json->[3]{strings} }), $json->[3]{record}, "@$_: strings are the record");
    is($json->[3]{bits}, 4096, "@$_: bits");
    is($json->[0]{algorithm}, 'ed25519-sha256', "@$_: algorithm");
}

# --- as a script: nsupdate parses it, and a server of ours takes the updates ---
SKIP: {
    skip 'no nsupdate', 4 if system('command -v nsupdate >/dev/null 2>&1') != 0;
    skip 'no Net::DNS', 4 if !eval { require Net::DNS; 1 };
    my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die $!;
    my $tcp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $server->sockport, Proto => 'tcp', Listen => 5);
    skip 'no port', 4 if !$tcp;
    my ($status, $script) = run(qw(dkim zone -f nsupdate -c), $conf);
    is($status, 0, 'nsupdate: status');
    is(scalar(() = $script =~ /^send$/mg), 2, 'nsupdate: one update a zone');
    my $port = $server->sockport;
    my $file = write_file('script', "server 127.0.0.1 $port\n$script");
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDOUT, '>', "$dir/said";
        open STDERR, '>&', \*STDOUT;
        exec 'nsupdate', $file or exit 127;
    }
    my (%got, $replies);
    my $select = IO::Select->new($server, $tcp);
    while (waitpid($pid, 1) == 0) {
        for my $s ($select->can_read(0.1)) {
            my $client = $s == $tcp ? $tcp->accept : undef;
            my ($wire, $peer) = ('');
            if ($client) {
                read $client, my $len, 2;
                read $client, $wire, unpack 'n', $len;
            } else {
                $peer = recv $server, $wire, 65535, 0;
            }
            my $packet = Net::DNS::Packet->new(\$wire) or next;
            my ($question) = $packet->question;
            my $reply = $packet->reply;
            $reply->header->rcode('NOERROR');
            if ($packet->header->opcode eq 'UPDATE') {
                $reply->header->opcode('UPDATE');
                for my $rr ($packet->update) {
                    if ($rr->class eq 'ANY') { delete $got{ $rr->name } }
                    else { $got{ $rr->name } = join '', $rr->txtdata }
                }
            } else {
                # nsupdate finds the zone out
                my ($zone) = $question->qname =~ /([ab]\.example)$/i;
                my $section = lc $question->qname eq lc($zone // '') ? 'answer' : 'authority';
                $reply->push($section => Net::DNS::RR->new("$zone 60 IN SOA ns.$zone a.$zone 1 2 3 4 5")) if $zone;
                $reply->header->aa(1);
            }
            $replies++;
            my $out = $reply->data;
            $client ? print {$client} pack('n', length $out) . $out : send $server, $out, 0, $peer;
            close $client if $client;
        }
    }
    is($? >> 8, 0, 'nsupdate: no complaint') or diag(read_file("$dir/said"), $script);
    is_deeply(\%got, \%record, 'nsupdate: the server has the records') or diag(read_file("$dir/said"));
}

# --- a KeyTable, and what is wrong ---
my $tables = write_file('tables.conf', <<"END");
sign: { key_table = "file:$dir/KeyTable"; signing_table = "refile:$dir/SigningTable"; };
dns: { test_data = "$dir/dns"; };
END
write_file('KeyTable', <<"END");
one a.example:r1:$dir/a.example/r1.pem
two a.example:e1:$dir/a.example/e1.pem
again a.example:r1:$dir/a.example/r1.pem
any %:any:$dir/b.example/r1.pem
END
write_file('SigningTable', <<"END");
*\@a.example one
*\@*.a.example one
*\@news.example two
*\@both.example two
*\@both.example any
*\@any.example any
END
write_file('dns', join '', map { "$_ TXT \"$record{$_}\"\n" } sort keys %record);
my $json = json_of('key table', 0, qw(--json dkim zone -c), $tables);
is_deeply([map { "$_->{domain} $_->{selector}" } @$json], ['a.example e1', 'a.example r1'], 'key table: each name once');
$json = json_of('a pattern', 0, qw(--json dkim zone -c), $tables, 'any.example');
is_deeply([map { $_->{name} } @$json], ['any._domainkey.any.example'], 'a pattern: by the name of the domain');
check('no such domain', [qw(dkim zone -c), $tables, 'c.example'], 1, qr/\A\z/, qr/no key/);
check('wrong domain', [qw(dkim zone -c), $tables, 'c..example'], 64, qr/\A\z/, qr/no domain/);
check('wrong format', [qw(dkim zone -f bind -c), $tables], 64, qr/\A\z/, qr/zone, nsupdate or json/);
check('wrong TTL', [qw(dkim zone -t soon -c), $tables], 64, qr/\A\z/, qr/--ttl/);
write_file('a.example/e1.pem', "no key\n");
check('a broken key', [qw(dkim zone -c), $tables], 78, qr/\Ar1\._domainkey\.a\.example\./, qr/e1.*no private key/);
key('a.example', 'e2', qw(-a ed25519));
rename "$dir/a.example/e2.pem", "$dir/a.example/e1.pem";

# --- DMARC ---
write_file('dns', read_file("$dir/dns") . <<'END');
_dmarc.a.example TXT "v=DMARC1; p=reject; adkim=s"
_dmarc.news.example TXT "v=DMARC1; p=quarantine"
_dmarc.both.example TXT "v=DMARC1; p=quarantine"
END
my @bad = (
    qr/\*\.a\.example: DMARC is not satisfied by d=a\.example: _dmarc\.a\.example says sp=reject and wants the From domain itself/,
    qr/news\.example: DMARC is not satisfied by d=a\.example: _dmarc\.news\.example says p=quarantine/,
);
my (undef, $said) = run(qw(dkim testkey -c), $tables);
like($said, qr/^warning: $_/m, "testkey: $_") for @bad;
is(scalar(() = $said =~ /^warning/mg), 2, 'testkey: nothing else') or diag($said);
my ($status, $got) = run(qw(--json dkim testkey -c), $tables);
is(scalar @{ JSON::PP::decode_json($got)->{warnings} }, 2, 'testkey as JSON');
check('explain', [qw(dkim explain --from x@news.example --auth x -c), $tables], 0, qr/^warning: $bad[1]/m);
($status, $said) = run(qw(dkim explain --from x@both.example --auth x -c), $tables);
unlike($said, qr/warning/, 'explain: one signature that is aligned is enough');
like(json_of('explain as JSON', 0, qw(--json dkim explain --from x@news.example --auth x -c), $tables)->{warning}, $bad[1],
    'explain as JSON');
my $offline = json_of('keys --dns', 0, qw(--json dkim keys --dns -c), $tables);
is(scalar @{ $offline->{warnings} }, 2, 'keys --dns: the same warnings');
like($offline->{warnings}[0] . $offline->{warnings}[1], $_, "keys --dns: $_") for @bad;
my $user = getpwuid $>;
write_file('tables.conf', read_file("$dir/tables.conf") . "user = \"$user\";\n");
my $checked = `@{[build()]}/mfx-dkim -t --dns -c $tables 2>&1`;
like($checked, qr/warning: $_/, "-t --dns: $_") for @bad;
done_testing();
