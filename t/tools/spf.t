#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl spf: what check says of a client, what lint finds in records, and what
# both make of words, records and servers that are none.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run run_in check json_of write_file read_file);
use IPC::Open2;
use Test::More;

plan skip_all => 'mfxctl-spf is not built' if !-x build() . '/mfxctl-spf';
my $dir = dir();
my $src = $ENV{MFX_SRCDIR} || "$FindBin::Bin/../..";
my $mx11 = join '', map { "mx11.example MX 10 h$_.mx11.example\nh$_.mx11.example A 192.0.2.$_\n" } 1 .. 11;
my $deep = join '', map { "d$_.example TXT \"v=spf1 include:d" . ($_ + 1) . ".example -all\"\n" } 1 .. 60;
my $zone = write_file('zone', <<"END");
example.org TXT "v=spf1 mx include:_spf.example.net exists:%{ir}.list.example.org -all exp=why.example.org"
example.org TXT "site-verification=xyz"
example.org MX 10 mail.example.org
mail.example.org A 192.0.2.7
mail.example.org AAAA 2001:db8:7::1
mail.example.org TXT "v=spf1 a -all"
why.example.org TXT "%{i} may not send for %{d}"
_spf.example.net TXT "v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 include:_b.example.net ~all"
_b.example.net TXT "v=spf1 ip6:2001:db8::/32 -all"
loop.example TXT "v=spf1 include:loop2.example -all"
loop2.example TXT "v=spf1 include:loop.example -all"
bad.example TXT "v=spf1 ip4:192.0.2.0/33 foo:bar redirect:x.example -all"
two.example TXT "v=spf1 -all"
two.example TXT "v=spf1 +all"
servfail.example TXT !servfail
slow.example TXT !timeout
all.example TXT "v=spf1 +all"
nobody.example TXT "v=spf1 -all"
a.example A 192.0.2.7
b.example A 192.0.2.8
nullmx.example MX 0 .
noaddress.example MX 10 gone.example
netmx.example MX 10 a.example
weird.example TXT "v=spf1 \\195\\164\\000\\027[31m -all"
weirdalone.example TXT "spf1 \\027[31mred"
old.example TXT "v=spf1 -all"
old.example SPF "v=spf1 ~all"
senderid.example TXT "spf2.0/pra ~all"
semicolon.example TXT "v=spf1; a -all"
exp8.example TXT "\\303\\244"
$mx11$deep
END
my @zone = ('--zone', $zone);
my @check = qw(spf check --helo mail.example.org);

# --- check ---
check('check: pass', [@check, @zone, qw(--ip 192.0.2.7 --from alice@example.org)], 0,
    qr/\Amailfrom example\.org: pass by mx\n  lookups 1 of 10, void lookups 0 of 2, \d+ queries, \d+ ms\n\z/, qr/\A\z/);
check('check: fail, with an explanation', [@check, @zone, qw(-i 203.0.113.9 -f alice@example.org)], 1,
    qr/\Amailfrom example\.org: fail by -all\n  explanation: 203\.0\.113\.9 may not send for example\.org\n/);
check('check: by an include', [@check, @zone, qw(-i 2001:db8:1::1 -f alice@example.org)], 0, qr/\Amailfrom example\.org: pass by include:_spf\.example\.net\n/);
check('check: the trace', [@check, @zone, qw(-i 203.0.113.9 -f alice@example.org --trace)], 1,
    qr{\n   0/10 0/2 +\d{1,3} ms  record  TXT example\.org: v=spf1 mx .*
   1/10 0/2 +\d{1,3} ms  mx  MX example\.org: 10 mail\.example\.org
   1/10 0/2 +\d{1,3} ms  mx  A mail\.example\.org: 192\.0\.2\.7; does not match
   2/10 0/2 +\d{1,3} ms  include:_spf\.example\.net  TXT _spf.example.net: v=spf1 .*
   2/10 0/2             ip4:198\.51\.100\.0/25 does not match
   2/10 0/2             ip4:198\.51\.100\.128/25 does not match
   3/10 0/2 +\d{1,3} ms    include:_b\.example\.net  TXT _b\.example\.net: v=spf1 ip6.*
(?:.*\n){5}   4/10 1/2 +\d{1,3} ms  exists:%\{ir\}\.list\.example\.org  A 9\.113\.0\.203\.list\.example\.org: no such name \(void\); does not match
   4/10 1/2           -all matches
   4/10 1/2 +\d{1,3} ms  exp=why\.example\.org  TXT why\.example\.org: .*; explanation\n\z});
my $void = json_of('check: void lookups', 1, qw(--json spf check --trace --ip 203.0.113.9 --from x@example.org), @zone);
is_deeply([@$void{qw(result identity engine domain mechanism mechanism_of lookups lookup_limit voids void_limit problem)}],
    ['fail', 'mailfrom', 'mfx', 'example.org', '-all', 'example.org', 4, 10, 1, 2, ''], 'check: what the JSON says');
is($void->{explanation}, '203.0.113.9 may not send for example.org', 'check: the explanation');
is((grep { $_->{void} } @{ $void->{trace} })[0]{question}, '9.113.0.203.list.example.org', 'check: which lookup was void');
check('check: HELO', [@check, @zone, qw(-i 192.0.2.7 --identity helo)], 0, qr/\Ahelo mail\.example\.org: pass by a\n/);
check('check: HELO without --from', [@check, @zone, qw(-i 192.0.2.7)], 0, qr/\Ahelo mail\.example\.org: pass by a\n/);
check('check: a bounce', [@check, @zone, qw(-i 192.0.2.7 --from), ''], 0, qr/\Amailfrom mail\.example\.org: pass by a\n/);
check('check: a bounce in brackets', [@check, @zone, qw(-i 192.0.2.7 --from <>)], 0, qr/\Amailfrom mail\.example\.org: pass by a\n/);
check('check: none', [@check, @zone, qw(-i 192.0.2.7 -f x@none.example)], 1, qr/: none\n  problem: none\.example: no SPF record\n/);
check('check: temperror', [@check, @zone, qw(-i 192.0.2.7 -f x@servfail.example)], 2, qr/: temperror\n  problem: .*server failure\n/);
check('check: permerror', [@check, @zone, qw(-i 192.0.2.7 -f x@two.example)], 1, qr/: permerror\n  problem: two\.example: more than one SPF record\n/);
check('check: a loop', [@check, @zone, qw(-i 192.0.2.7 -f x@loop.example)], 1, qr/: permerror\n/);
my $both = json_of('check: both identities', 1, qw(spf check --json --ip 192.0.2.9 --helo mail.example.org --from x@none.example --identity both), @zone);
is_deeply([map { "$_->{identity} $_->{result}" } $both, @{ $both->{checks} }], ['mailfrom none', 'mailfrom none', 'helo fail'], 'check: both identities: results');
check('check: control bytes are not printed', [@check, @zone, qw(-i 192.0.2.7 --trace -f x@weird.example)], 1, qr/\A[\n\x20-\x7e]*\z/);
check('check: nor are those of the command line', [@check, @zone, '-i', '192.0.2.7', '-f', "x\@\e[31m\xc3\xa4.example"], 1, qr/\A[\n\x20-\x7e]*\z/);
for (['no address', ['--ip', 'frob', '-f', 'x@y.example'], qr/--ip frob: no IP address\n/],
    ['no --ip', [qw(-f x@y.example)], qr/--ip is needed\n/],
    ['nobody', [qw(-i 192.0.2.1)], qr/--from or --helo is needed\n/],
    ['HELO without one', [qw(-i 192.0.2.1 -f x@y.example --identity helo)], qr/--helo is needed\n/],
    ['mailfrom without one', [qw(-i 192.0.2.1 --helo y.example --identity mailfrom)], qr/--from is needed/],
    ['a wrong identity', [qw(-i 192.0.2.1 -f x@y.example --identity frob)], qr/--identity frob: helo, mailfrom or both\n/],
    ['a wrong engine', [qw(-i 192.0.2.1 -f x@y.example --engine frob)], qr/--engine frob: mfx, libspf2 or both\n/],
    ['a wrong time', [qw(-i 192.0.2.1 -f x@y.example --timeout 0)], qr/--timeout 0: seconds from 1 to 600\n/],
    ['a word too many', [qw(-i 192.0.2.1 -f x@y.example frob)], qr/frob: not expected here\n/],
    ['two sources', [qw(-i 192.0.2.1 -f x@y.example --dns 127.0.0.1:1)], qr/--dns or --zone, not both\n/])
{
    my ($label, $words, $err) = @$_;
    check("check: $label", ['spf', 'check', @zone, @$words], 64, qr/\A\z/, $err);
}
check('check: no such zone', [qw(spf check -i 192.0.2.1 -f x@y.example --zone), "$dir/frob"], 66, qr/\A\z/, qr/frob/);
my @engines = run(@check, @zone, qw(-i 203.0.113.9 -f alice@example.org --engine both));
if ($engines[0] == 78) {
    like($engines[2], qr/mfx is built without libspf2\n\z/, 'check: no second engine');
} else {
    like($engines[1], qr/by engine mfx: fail by -all\n(?:.*\n)*.*by engine libspf2: /, 'check: two engines');
    my $json = json_of('check: two engines', $engines[0], @check, @zone, qw(--json -i 203.0.113.9 -f alice@example.org --engine both));
    is($engines[0], @{ $json->{differences} } ? 3 : 1, 'check: two engines: status');
    is_deeply([map { $_->{engine} } @{ $json->{checks} }], [qw(mfx libspf2)], 'check: two engines: both are there');
}

# --- lint ---
# What lint says of a record: codes of its findings, worst first, each with
# the octets it marks.
sub lint {
    my ($input, @more) = @_;
    my ($status, $out) = run_in($input, qw(--json spf lint), @more);
    my $json = eval { JSON::PP::decode_json($out) } // {};
    return ($status, $json);
}

sub codes {
    my ($json) = @_;
    my %order = (wrong => 0, doubtful => 1, hint => 2);
    return join '; ', map { "$_->{level} $_->{code}" . (defined $_->{place} ? " [$_->{place}]" : '') }
        sort { $order{ $a->{level} } <=> $order{ $b->{level} } } @{ $json->{findings} };
}

# From a file: label, record, status, what is found. Sections are RFC 7208's.
my @offline = (
    ['a right one', 'v=spf1 ip4:192.0.2.0/24 -all', 0, ''],
    ['a right one in upper case', 'V=SPF1 IP4:192.0.2.0/24 -ALL', 0, ''],
    ['a right one with macros', 'v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all', 0, ''],
    ['no term', 'v=spf1', 0, 'doubtful no-end []'],
    ['no end', 'v=spf1 ip4:192.0.2.1', 0, 'doubtful no-end []'],
    ['everybody', 'v=spf1 +all', 0, 'doubtful pass-all [+all]'],
    ['everybody without a sign', 'v=spf1 all', 0, 'doubtful pass-all [all]'],
    ['neutral', 'v=spf1 ?all', 0, 'doubtful neutral-all [?all]'],
    ['behind all', 'v=spf1 -all ip4:192.0.2.1 mx:x.example', 0, 'doubtful dead [ip4:192.0.2.1 mx:x.example]'],
    ['redirect beside all', 'v=spf1 redirect=x.example -all', 0, 'doubtful dead [redirect=x.example]'],
    ['redirect not last', 'v=spf1 redirect=x.example ip4:192.0.2.1', 0, 'hint order [redirect=x.example]'],
    ['two redirects', 'v=spf1 redirect=x.example redirect=y.example', 1, 'wrong twice [redirect=y.example]; hint order [redirect=x.example]'],
    ['two exp', 'v=spf1 exp=x.example exp=y.example -all', 1, 'wrong twice [exp=y.example]'],
    ['exp without a fail', 'v=spf1 exp=x.example ~all', 0, 'hint dead [exp=x.example]'],
    ['exp beside redirect', 'v=spf1 exp=x.example redirect=y.example', 0, 'hint dead [exp=x.example]'],
    ['ptr', 'v=spf1 ptr -all', 0, 'doubtful ptr [ptr]'],
    ['macro p', 'v=spf1 exists:%{p}.x.example -all', 0, 'doubtful macro-p [exists:%{p}.x.example]'],
    ['an uppercase macro', 'v=spf1 exists:%{L}.x.example -all', 0, 'hint macro-upper [exists:%{L}.x.example]'],
    ['host bits', 'v=spf1 ip4:192.0.2.1/24 -all', 0, 'doubtful host-bits [ip4:192.0.2.1/24]'],
    ['host bits of IPv6', 'v=spf1 ip6:2001:db8::1/64 -all', 0, 'doubtful host-bits [ip6:2001:db8::1/64]'],
    ['a wide network', 'v=spf1 ip4:192.0.0.0/7 -all', 0, 'doubtful wide [ip4:192.0.0.0/7]'],
    ['all of IPv4', 'v=spf1 ip4:0.0.0.0/0 -all', 0, 'doubtful wide [ip4:0.0.0.0/0]'],
    ['all of IPv6', 'v=spf1 ip6:::/0 -all', 0, 'doubtful wide [ip6:::/0]'],
    ['a/0', 'v=spf1 a:x.example/0 -all', 0, 'doubtful wide [a:x.example/0]'],
    ['a private network', 'v=spf1 ip4:10.1.0.0/16 -all', 0, 'hint special [ip4:10.1.0.0/16]'],
    ['twice the same', 'v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all', 0, 'doubtful dead [ip4:192.0.2.1]'],
    ['within an earlier one', 'v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.128/25 -all', 0, 'doubtful dead [ip4:192.0.2.128/25]'],
    ['within two earlier ones', 'v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:192.0.2.64/26 ip4:192.0.2.0/24 -all', 0,
        'doubtful dead [ip4:192.0.2.64/26]; doubtful dead [ip4:192.0.2.0/24]'],
    ['within a later one', 'v=spf1 ip4:192.0.2.128/25 ip4:192.0.2.0/24 -all', 0, ''],
    ['an unknown modifier', 'v=spf1 ip4:192.0.2.1 op=frob -all', 0, 'hint modifier [op=frob]'],
    ['ip4=', 'v=spf1 ip4=192.0.2.1 -all', 1, 'wrong modifier [ip4=192.0.2.1]'],
    ['include=', 'v=spf1 include=x.example -all', 1, 'wrong modifier [include=x.example]'],
    ['an unknown mechanism', 'v=spf1 foo:bar -all', 1, 'wrong syntax [foo:bar]'],
    ['an address alone', 'v=spf1 192.0.2.1 -all', 1, 'wrong syntax [192.0.2.1]'],
    ['a prefix too long', 'v=spf1 ip4:192.0.2.0/33 -all', 1, 'wrong syntax [192.0.2.0/33]'],
    ['three mistakes', 'v=spf1 ip4:1.2.3 include: frob:x -all', 1, 'wrong syntax [1.2.3]; wrong syntax [include:]; wrong syntax [frob:x]'],
    ['a comma', 'v=spf1 ip4:192.0.2.1, -all', 1, 'wrong syntax [192.0.2.1,]'],
    ['a macro of explanations', 'v=spf1 exists:%{t}.x.example -all', 1, qr/\Awrong syntax \[/],
    ['a macro without an end', 'v=spf1 exists:%{i.x.example -all', 1, qr/\Awrong syntax \[/],
    ['8-bit', "v=spf1 include:\xc3\xa4.example -all", 1, qr/\Awrong syntax \[/],
    ['a label of 64', 'v=spf1 include:' . 'x' x 64 . '.example -all', 1, qr/\Awrong name \[/],
    ['an empty label', 'v=spf1 include:x..example -all', 1, qr/\Awrong name \[/],
    ['no blank before all', 'v=spf1 include:x.example-all', 1, 'wrong blank [-all]; doubtful no-end []'],
    ['no blank before include', 'v=spf1 include:x.exampleinclude:y.example -all', 1, 'wrong blank [include:y.example]'],
    ['no version', 'spf1 -all', 1, 'wrong version; wrong none'],
    ['another version', 'v=spf10 -all', 1, 'wrong version; wrong none'],
    ['a version with a semicolon', 'v=spf1; a -all', 1, 'wrong version; wrong none'],
    ['something else', 'hello', 1, 'wrong none'],
    ['Sender ID', 'spf2.0/mfrom -all', 1, 'wrong none; hint sender-id'],
    ['eleven lookups', 'v=spf1 ' . join(' ', map { "a:h$_.example" } 1 .. 11) . ' -all', 1, 'wrong lookups'],
    ['ten lookups', 'v=spf1 ' . join(' ', map { "a:h$_.example" } 1 .. 10) . ' -all', 0, 'hint lookups'],
    ['three names with macros', 'v=spf1 exists:%{i}.a.example exists:%{i}.b.example exists:%{i}.c.example -all', 0, 'doubtful voids'],
    ['two names with macros and ptr', 'v=spf1 exists:%{i}.a.example exists:%{i}.b.example ptr -all', 0, 'doubtful ptr [ptr]; doubtful voids'],
    ['eleven behind all', 'v=spf1 -all ' . join(' ', map { "a:h$_.example" } 1 .. 11), 0, qr/\Adoubtful dead \[a:h1\.example .*a:h11\.example\]\z/],
    ['longer than a string', 'v=spf1 ' . join(' ', map { "ip4:192.0.$_.0" } 1 .. 20) . ' -all', 0, 'hint strings'],
    ['longer than a UDP answer', 'v=spf1 ' . join(' ', map { "ip4:192.0.$_.0" } 1 .. 40) . ' -all', 0, 'doubtful size; hint strings'],
);
for (@offline) {
    my ($label, $record, $status, $want) = @$_;
    my ($got, $json) = lint("$record\n", '--offline', '-');
    is($got, $status, "lint: $label: status");
    ref $want ? like(codes($json), $want, "lint: $label") : is(codes($json), $want, "lint: $label");
}
is((lint("v=spf1 ?all\n", qw(--offline --strict -)))[0], 1, 'lint: --strict');

# Strings of a zone file.
for (['one string', 'example.org. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all" ; comment', 'v=spf1 ip4:192.0.2.1 -all', ''],
    ['two strings', 'x IN TXT ( "v=spf1 ip4:192.0.2.1" ; the first' . "\n" . '  " -all" )', 'v=spf1 ip4:192.0.2.1 -all', ''],
    ['cut within a term', 'x TXT "v=spf1 ip4:192.0" ".2.1 -all"', 'v=spf1 ip4:192.0.2.1 -all', ''],
    ['escapes', 'x TXT "v=spf1 ip4:192\\.0.2.1\\032-all"', 'v=spf1 ip4:192.0.2.1 -all', ''],
    ['the SPF record of several', qq(x TXT "hello"\nx TXT "v=spf1 -all"\n), 'v=spf1 -all', ''],
    ['a blank missing', 'x TXT "v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all"', 'v=spf1 ip4:192.0.2.1ip4:192.0.2.2 -all', 'wrong syntax [192.0.2.1ip4:192.0.2.2]'])
{
    my ($label, $input, $record, $want) = @$_;
    my (undef, $json) = lint($input, qw(--offline -));
    is($json->{record}, $record, "lint: $label: record");
    is(codes($json), $want, "lint: $label");
}
like((run_in('x TXT "v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all"', qw(spf lint --offline -)))[1],
    qr/\n    v=spf1 ip4:192\.0\.2\.1ip4:192\.0\.2\.2 -all\n {15}\^{22}\n/, 'lint: the place is marked');
like((run_in('x TXT "v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all"', qw(spf lint --offline -)))[1],
    qr/joined without a blank \(3\.3\), and one seems to end here \(RFC 7208 4\.6\)\n/, 'lint: why');

# With DNS.
sub tree {
    my ($terms, $depth) = @_;
    return join ', ', map { "$_->{lookups} $_->{term}" . (@{ $_->{terms} || [] } && tree($_->{terms}) ? ' (' . tree($_->{terms}) . ')' : '') }
        grep { $_->{lookups} } @$terms;
}
my ($status, $json) = lint('', @zone, 'example.org');
my $txt = join '', grep { /^example\.org TXT/ } map { "$_\n" } split /\n/, read_file($zone);
is($status, 0, 'lint: a domain: status');
is(codes($json), '', 'lint: a domain');
is("$json->{lookups} $json->{voids}{ipv4} $json->{octets}", '4 0 ' . (length('example.org') + length(join '', $txt =~ /"(.*)"/g)), 'lint: a domain: figures');
is(tree($json->{terms}), '1 mx, 2 include:_spf.example.net (1 include:_b.example.net), 1 exists:%{ir}.list.example.org', 'lint: a domain: what each term costs');
my @online = (
    ['a mistake in it', 'v=spf1 include:bad.example -all', 1, qr/\Awrong syntax \[192.*wrong broken \[include:bad\.example\]\z/],
    ['two records', 'v=spf1 include:two.example -all', 1, 'wrong several [include:two.example]'],
    ['no such name', 'v=spf1 include:gone.example -all', 1, 'wrong no-record [include:gone.example]'],
    ['no record', 'v=spf1 redirect=a.example', 1, 'wrong no-record [redirect=a.example]'],
    ['a loop', 'v=spf1 include:loop.example -all', 1, 'wrong loop [include:loop.example]'],
    ['everybody', 'v=spf1 include:all.example -all', 0, 'doubtful pass-all [+all]; doubtful pass-all [include:all.example]'],
    ['nobody', 'v=spf1 include:nobody.example -all', 0, 'doubtful dead [include:nobody.example]'],
    ['a redirect that ends it', 'v=spf1 redirect=nobody.example', 0, ''],
    ['servers that fail', 'v=spf1 include:servfail.example -all', 2, 'doubtful unanswered [include:servfail.example]'],
    ['servers that are silent', 'v=spf1 include:slow.example -all', 2, 'doubtful unanswered [include:slow.example]'],
    ['a that is not there', 'v=spf1 a:gone.example -all', 0, 'doubtful void [a:gone.example]'],
    ['mx that is not there', 'v=spf1 mx:a.example -all', 0, 'doubtful void [mx:a.example]'],
    ['mx without addresses', 'v=spf1 mx:noaddress.example -all', 0, 'doubtful no-address [mx:noaddress.example]'],
    ['null MX', 'v=spf1 mx:nullmx.example -all', 0, 'doubtful null-mx [mx:nullmx.example]'],
    ['exists that does not', 'v=spf1 exists:gone.example -all', 0, 'doubtful void [exists:gone.example]'],
    ['three void lookups', 'v=spf1 a:x.gone.example a:y.gone.example a:z.gone.example -all', 1, qr/\Awrong voids; doubtful void/],
    ['three void lookups by IPv6', 'v=spf1 a:a.example a:b.example mx:netmx.example/30 -all', 0, qr/\Adoubtful voids(?!.*void \[)/],
    ['11 MX hosts', 'v=spf1 mx:mx11.example -all', 1, 'wrong mx-hosts [mx:mx11.example]'],
    ['a and mx the same', 'v=spf1 a:a.example mx:netmx.example -all', 0, 'doubtful dead [mx:netmx.example]'],
    ['a within a later network', 'v=spf1 a:a.example ip4:192.0.2.0/24 -all', 0, 'hint needless [a:a.example]'],
    ['... of another qualifier', 'v=spf1 a:a.example ~ip4:192.0.2.0/24 -all', 0, ''],
    ['an include within a network', 'v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/16 include:_spf.example.net -all', 0,
        'doubtful host-bits [ip6:2001:db8::/16]; doubtful dead [include:_spf.example.net]'],
    ['too deep', 'v=spf1 include:d1.example -all', 1, qr/\Awrong lookups; doubtful not-followed \[include:d\d+\.example\]\z/],
    ['an explanation that is none', 'v=spf1 exp=gone.example -all', 0, 'hint explanation [exp=gone.example]'],
    ['an explanation in 8-bit', 'v=spf1 exp=exp8.example -all', 0, 'hint explanation [exp=exp8.example]'],
);
for (@online) {
    my ($label, $record, $want_status, $want) = @$_;
    ($status, $json) = lint($record, @zone, '-d', 'lint.example', '-');
    is($status, $want_status, "lint: leads to $label: status");
    ref $want ? like(codes($json), $want, "lint: leads to $label") : is(codes($json), $want, "lint: leads to $label");
}
for (['two records', 'two.example', 1, 'wrong several'], ['no record', 'a.example', 1, 'wrong none'], ['no such name', 'gone.example', 1, 'wrong none'],
    ['type 99', 'old.example', 0, 'hint type-99'], ['Sender ID', 'senderid.example', 1, 'wrong none; hint sender-id'],
    ['a semicolon', 'semicolon.example', 1, 'wrong version; wrong none'], ['a final dot', 'nobody.example.', 0, ''])
{
    my ($label, $domain, $want_status, $want) = @$_;
    ($status, $json) = lint('', @zone, $domain);
    is($status, $want_status, "lint: a domain with $label: status");
    is(codes($json), $want, "lint: a domain with $label");
}
# What would help: of 11 lookups the include that costs most, as networks.
my $many = 'v=spf1 include:_spf.example.net a:a.example ' . join(' ', map { "exists:%{i}.l$_.example" } 1 .. 8) . ' -all';
check('lint: what would help', [qw(spf lint), @zone, 'none.example'], 1, qr/no SPF record: the result is none; .*"v=spf1 -all"/);
like((run_in($many, qw(spf lint), @zone, '-'))[1],
    qr/\nhint: this costs 2 of the 10 lookups; its addresses, ip4:198\.51\.100\.0\/24 ip6:2001:db8::\/32, cost none, .*\n    v=spf1 .*\n {11}\^{24}\n/,
    'lint: which include to write out');
check('lint: a right one in words', [qw(spf lint), @zone, 'example.org'], 0,
    qr/\Aexample\.org\n    v=spf1 mx .*\nlookups: 4 of 10; void lookups: 0 of 2, and up to 1 more\n    1  mx +192\.0\.2\.7, 2001:db8:7::1\n    2  include:_spf\.example\.net +198\.51\.100\.0\/24, 2001:db8::\/32\n    1    include:_b.*\n    1  exists:\S+ +not looked up\nnothing to complain of\n\z/,
    qr/\A\z/);

# --- lint: bad input ---
for (['bytes', 'weird.example'], ['bytes in what is no record', 'weirdalone.example']) {
    my ($label, $domain) = @$_;
    check("lint: $label are shown escaped", [qw(spf lint), @zone, $domain], 1, qr/\A[\n\x20-\x7e]*\\027\[31m[\n\x20-\x7e]*\z/);
    ($status, $json) = lint('', @zone, $domain);
    ok($json->{findings}, "lint: $label: JSON");
}
for (['nothing', '', 66], ['blanks', " \n\n", 66], ['64 KB and more', 'v=spf1 ' . 'a' x 65536, 1]) {
    my ($label, $input, $want) = @$_;
    my @got = run_in($input, qw(spf lint --offline -));
    is($got[0], $want, "lint: $label: status");
    like($got[2], qr/stdin: /, "lint: $label: said");
}
for (['one word', 'v=spf1 ' . 'a' x 65000], ['16,000 terms', 'v=spf1 ' . 'mx ' x 16000 . '-all'], ['32,000 terms', 'v=spf1 ' . 'a ' x 32000 . '-all'],
    ['5,500 networks', 'v=spf1 ' . join ' ', map { "ip6:${_}::" } 1 .. 5500], ['8-bit', 'v=spf1 ' . "\xff" x 60000],
    ['blanks', 'v=spf1' . ' ' x 60000], ['quotes', '"' x 60001], ['an open string', '"v=spf1 -all'], ['a backslash at the end', '"v=spf1 \\'],
    ['NUL', "v=spf1 \0 a\0b -all"], ['parentheses', '(' x 1000 . '"v=spf1"'])
{
    my ($label, $input) = @$_;
    my @got = run_in($input, qw(spf lint --offline -));
    ok($got[0] == 1 || $got[0] == 0 || $got[0] == 66, "lint: $label: status") or diag("@got[0,2]");
    ok(length($got[1]) < 100_000, "lint: $label: length") or diag(length $got[1]);
    unlike($got[1], qr/[^\n\x20-\x7e]/, "lint: $label: printable");
}
for (['no domain', ['spf', 'lint'], qr/one DOMAIN/], ['two', [qw(spf lint a.example b.example)], qr/one DOMAIN/],
    ['no name', [qw(spf lint a..b)], qr/a\.\.b: no domain/], ['--offline with a domain', [qw(spf lint --offline a.example)], qr/--offline goes with "-"/],
    ['a wrong time', [qw(spf lint --timeout x a.example)], qr/--timeout x: seconds/], ['no verb', [qw(spf frob)], qr/frob: no such verb/])
{
    my ($label, $words, $err) = @$_;
    check("lint: $label", $words, 64, qr/\A\z/, $err);
}

# --- a DNS server: one that answers, one that does not ---
my $long = 'v=spf1 ' . join(' ', map { 'ip4:10.' . ($_ >> 8) . '.' . ($_ & 255) . '.1' } 1 .. 3800) . ' -all';
my $script = write_file('script', join "\n",
    'good.example TXT txt "v=spf1 ip4:192.0.2.0/24 -all"',
    'long.example TXT udp truncate',
    'long.example TXT tcp txt ' . join(' ', map { "\"$_\"" } unpack '(a255)*', $long),
    'late.example TXT late=8000 txt "v=spf1 -all"',
    'lies.example TXT id txt "v=spf1 +all"',
    'silent.example TXT silent', 'refused.example TXT refused', '');
my $pid = open2(my $out, my $in, "$src/t/lib/dnsliar", $script);
my ($port) = <$out> =~ /^port (\d+)/;
my @dns = ('--dns', "127.0.0.1:$port");
check('DNS: check', [qw(spf check -i 192.0.2.1 -f x@good.example), @dns], 0, qr/: pass by ip4:192\.0\.2\.0\/24\n/);
check('DNS: lint', [qw(spf lint), @dns, 'good.example'], 0, qr/nothing to complain of/);
check('DNS: check of 64 KB', [qw(spf check -i 10.14.216.1 -f x@long.example), @dns], 0, qr/: pass by ip4:10\.14\.216\.1\n/);
($status, $json) = lint('', @dns, 'long.example');
is($status, 0, 'DNS: lint of 64 KB: status');
like(codes($json), qr/\Adoubtful size; hint special \[ip4:10\.0\.1\.1\]/, 'DNS: lint of 64 KB');
is(scalar @{ $json->{findings} }, 101, 'DNS: lint of 64 KB: bounded');
for (['silent', 'silent'], ['late', 'late'], ['wrong ids', 'lies'], ['refused', 'refused']) {
    my ($label, $name) = @$_;
    my $start = time;
    check("DNS: check, $label", [qw(spf check -i 192.0.2.1 -t 1 -f), "x\@$name.example", @dns], 2, qr/: temperror\n/);
    check("DNS: lint, $label", [qw(spf lint -t 1), @dns, "$name.example"], 2, qr/\A\z/, qr/\.example: (?:timeout|server failure)\n/);
    cmp_ok(time - $start, '<', 10, "DNS: $label: in time");
}
close $in;
waitpid $pid, 0;
check('DNS: nobody there', [qw(spf check -i 192.0.2.1 -t 1 -f x@good.example), @dns], 2, qr/: temperror\n/);
check('DNS: no server', [qw(spf lint --dns frob good.example)], 64, qr/\A\z/, qr/frob/);
done_testing();
