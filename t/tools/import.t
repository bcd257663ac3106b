#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl import opendkim: every setting has an answer, what is written loads,
# the known traps are named, and junk is refused.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run check json_of write_file read_file);
use Test::More;

plan skip_all => 'mfxctl-dkim is not built' if !-x build() . '/mfxctl-dkim';
my $dir = dir();
system "openssl genrsa -out $dir/key.pem 2048 2>/dev/null";
chmod 0600, "$dir/key.pem";
write_file('KeyTable', "k1 example.org:s1:$dir/key.pem\nk2 %:s2:$dir/key.pem\n");
write_file('SigningTable', "*\@example.org k1\n");
write_file('TrustedHosts', "127.0.0.1\n::1\n192.0.2.0/24\n");
my $tables = "KeyTable file:$dir/KeyTable\nSigningTable refile:$dir/SigningTable\n";

sub import_of {
    my ($text, @more) = @_;
    my $conf = write_file('opendkim.conf', $text);
    return run('import', 'opendkim', @more, $conf);
}

# Whether the daemon takes what was written.
sub loads {
    my ($config, $label) = @_;
    $config = "user = \"root\";\n$config" if $config !~ /^user = /m;
    my $path = write_file('made.conf', $config);
    my $said = `@{[build()]}/mfx-dkim -t -c $path 2>&1`;
    is($? >> 8, 0, "$label: mfx-dkim takes it") or diag($said);
}

# --- every setting ---
my $man = '/usr/share/man/man5/opendkim.conf.5.gz';
my @names = -e $man ? map { /^\.I ([A-Z][A-Za-z-]+) \(/ ? $1 : () } `zcat $man` : ();
SKIP: {
    skip 'the manual of opendkim is not here', 2 if !@names;
    cmp_ok(scalar(@names), '>', 120, 'the manual of opendkim names settings');
    my @unanswered;
    for my $name (@names) {
        my ($status, $out) = import_of("$name 1\n", '--check');
        push @unanswered, $name
            if $name ne 'Include' && ($out =~ /: \Q$name\E: unknown/ || $out !~ /: \Q$name\E: (?:kept|automatic|dropped|not carried|look)/);
    }
    is("@unanswered", '', 'each of them has an answer');
}

# --- an ordinary one ---
my $stock = <<"END";
# like Debian's
Syslog\t\t\tyes
SyslogSuccess\t\tyes
Canonicalization\trelaxed/simple
Mode sv
SubDomains no
OversignHeaders From
UserID root:daemon
UMask 007
Socket local:/run/opendkim/opendkim.sock  # here
PidFile /run/opendkim/opendkim.pid
TrustAnchorFile /usr/share/dns/root.key
InternalHosts refile:$dir/TrustedHosts
ExternalIgnoreList refile:$dir/TrustedHosts
${tables}RequireSafeKeys no
AlwaysAddARHeader yes
On-BadSignature reject
MaximumHeaders 0
DNSTimeout 10
SignatureTTL 86400
MinimumKeyBits 2048
END
my ($status, $out, $err) = import_of($stock);
is($status, 0, 'an ordinary one is carried whole') or diag($err);
loads($out, 'an ordinary one');
for my $want (
    'socket = "unix:/run/opendkim/opendkim.sock";', 'socket_mode = "0660";', 'user = "root";',
    'group = "daemon";', 'header_bytes = "1073741824";', 'canonicalization = "relaxed/simple";',
    'oversign_headers = "From";', "key_table = \"file:$dir/KeyTable\";",
    "signing_table = \"refile:$dir/SigningTable\";", "internal_hosts = \"refile:$dir/TrustedHosts\";",
    'allow_readable_keys = true;', 'report_none = true;', 'on_fail = "reject";', 'on_policy = "reject";',
    'timeout = "10s";', 'expire = "86400s";', 'min_rsa_bits = 2048;',
    # what OpenDKIM does by itself
    'multiple = false;', 'daemon_names = [];', 'max_signatures = 3;', 'remove_results = "own";',
    'on_temperror = "tempfail";', 'ours = true;',
) {
    ok(index($out, "$want\n") >= 0, "written: $want") or diag($out);
}
for my $line (
    'opendkim.conf:3: SyslogSuccess: automatic: ', 'opendkim.conf:12: TrustAnchorFile: automatic: ',
    'opendkim.conf:14: ExternalIgnoreList: dropped: ', 'opendkim.conf:13: InternalHosts: kept: origin.internal_hosts',
) {
    like($err, qr/\Q$line\E/, "said: $line");
}
my $json = json_of('as JSON', 0, '--json', 'import', 'opendkim', "$dir/opendkim.conf");
is($json->{complete}, JSON::PP::true(), 'as JSON: complete');
is($json->{loads}, JSON::PP::true(), 'as JSON: loads');
mkdir "$dir/out";
check('into a folder', ['import', 'opendkim', '--out', "$dir/out", "$dir/opendkim.conf"], 0, qr/\A\z/, qr/kept/);
is(read_file("$dir/out/dkim.conf"), $out, 'into a folder: the same');
check('it is never replaced', ['import', 'opendkim', '--out', "$dir/out", "$dir/opendkim.conf"], 73, qr/\A\z/, qr/exists/);

# Every name it can write is one of ours: a configuration that sets them all.
my $all = <<"END";
AlwaysAddARHeader no\nAuthservID HOSTNAME\nAuthservIDWithJobID yes\nCanonicalization simple
ClockDrift 60\nDNSConnect yes\nDontSignMailTo csl:a\@b.example\nExemptDomains csl:b.example
InternalHosts csl:127.0.0.1,::1\nKeepAuthResults yes\nMacroList csl:site=a|b\nMaximumSignaturesToVerify 0
Mode v\nMTA csl:MSA,SUB\nMultipleSignatures yes\nMustBeSigned csl:Subject\nNameservers 127.0.0.1
OmitHeaders csl:Comments\nOn-Default tempfail\nOn-NoSignature discard\nOn-SignatureError quarantine
OverSignHeaders csl:From,Subject\nPeerList csl:192.0.2.1\nPidFile /run/x.pid\nRemoveARAll yes
RemoveARFrom csl:.example.org\nRemoveOldSignatures yes\nRequiredHeaders yes\nStrictHeaders yes
SenderHeaders Sender,From\nSenderMacro sender\nSignHeaders From,To\nSoftwareHeader yes\nSubDomains yes
SyslogFacility mail\nSyslogName dkim\nSyslog yes\nTrustSignaturesFrom csl:a.example\nUnprotectedKey none
UserID root\nBaseDirectory $dir\nDomain csl:example.org\nKeyFile key.pem\nSelector sel\nSocket inet:8891\@localhost
END
($status, $out, $err) = import_of($all);
is($status, 0, 'all that can be kept is carried') or diag($err);
loads($out, 'all that can be kept');
like($out, qr/key_path = "\Q$dir\E\/key\.pem"/, 'a relative path is written in full');
like($out, qr/on_temperror = "tempfail"/, 'On-Default where nothing else is said');

# --- traps ---
sub trap {
    my ($label, $text, $want_status, $want) = @_;
    my @got = import_of($text, '--check');
    is($got[0], $want_status, "$label: status") or diag("@got");
    like($got[1], $want, $label);
}
write_file('careless', "*example.com k1\n");
write_file('hosts', "127.0.0.1\n10.0.0.1/8\n*.example.org\n");
write_file('noloop', "192.0.2.1\n");
trap('*example.com', "KeyTable file:$dir/KeyTable\nSigningTable refile:$dir/careless\n", 0,
    qr{careless:1: \*example\.com also takes addresses like user\@notexample\.com});
trap('host bits', "${tables}InternalHosts file:$dir/hosts\n", 0, qr{hosts:2: .*10\.0\.0\.0/8});
trap('a wildcard that negates', "${tables}InternalHosts refile:$dir/hosts\n", 0, qr{hosts:3: .*\*\.example\.org});
trap('no loopback', "${tables}InternalHosts file:$dir/noloop\n", 0, qr{127\.0\.0\.1});
trap('a wrong action', "${tables}On-DNSError defer\n", 0, qr{:3: On-DNSError: look: "defer" is no action});
trap('MacroList over MTA', "${tables}MTA csl:MSA\nMacroList csl:x=y\n", 0, qr{MacroList: look: OpenDKIM lets});
trap('the third match', "${tables}MultipleSignatures yes\n", 0, qr{MultipleSignatures: look: of three});
trap('On-NoSignature that is not applied', "${tables}AlwaysAddARHeader yes\nOn-NoSignature reject\n", 0,
    qr{OpenDKIM does not apply it});
trap('the last line counts', "${tables}Mode s\nMode v\n", 0, qr{:3: Mode: dropped: a later line .*:4\)});
trap('a script', "${tables}SetupPolicyScript /x.lua\n", 1, qr{SetupPolicyScript: not carried: });
trap('an unknown setting', "${tables}Frobnicate yes\n", 1, qr{:3: Frobnicate: unknown: });
trap('a key that is not there', "KeyTable csl:k=example.org:s:$dir/none.pem\nSigningTable csl:example.org=k\n", 78,
    qr{none\.pem});
write_file('outside', "*\@example.org k1:a\@example.net\n");
trap('i= outside d=', "KeyTable file:$dir/KeyTable\nSigningTable refile:$dir/outside\n", 0, qr{outside:1: .*example\.net});
write_file('four', "k1 example.org:s1:$dir/key.pem:ed25519-sha256\n");
trap('a key of another algorithm', "KeyTable file:$dir/four\nSigningTable refile:$dir/SigningTable\n", 78, qr{four:1: });

# --- data sets that are not read ---
trap('a database', "KeyTable db:$dir/keys.db\nSigningTable refile:$dir/SigningTable\n", 78, qr{KeyTable: not carried: .*--dump-with});
mkdir "$dir/dump";
my $conf = write_file('opendkim.conf', "KeyTable ldap://x/y\nSigningTable refile:$dir/SigningTable\nLDAPBindUser cn=x\n");
check('dumped', ['import', 'opendkim', '--out', "$dir/dump", '--dump-with', "test \"\$DATASET\" = ldap://x/y && cat $dir/KeyTable", $conf],
    0, qr/\A\z/, qr/KeyTable: kept.*LDAPBindUser: dropped/s);
is(read_file("$dir/dump/KeyTable.table"), read_file("$dir/KeyTable"), 'dumped: the rows');
like(read_file("$dir/dump/dkim.conf"), qr{key_table = "file:\Q$dir\E/dump/KeyTable\.table"}, 'dumped: and used');

# --- the command line ---
my $defaults = write_file('default', "# x\nRUNDIR=/run/opendkim\nSOCKET=inet:12345\@localhost\nDAEMON_OPTS=\"-lW -b s -c relaxed/relaxed -o Comments -umail\"\n");
$conf = write_file('opendkim.conf', "${tables}Mode v\nCanonicalization simple\n");
check('defaults', ['import', 'opendkim', '--defaults', $defaults, $conf], 0,
    qr/socket = "inet:12345\@localhost".*user = "mail".*enable = true.*canonicalization = "relaxed\/relaxed".*verify.*enable = false/s,
    qr/Mode: dropped: a later line/);
my $unit = write_file('unit', "[Service]\nExecStart=/usr/sbin/opendkim -p local:/x.sock -D -s sel\n");
check('a unit', ['import', 'opendkim', '--unit', $unit, $conf], 0, qr{socket = "unix:/x\.sock".*subdomains = true}s, qr/unit:2: SubDomains: kept/);

# --- junk ---
write_file('loop', "Include $dir/loop\n");
write_file('nul', "Mode s\0v\n");
write_file('long', 'Domain ' . 'x' x 2_000_000 . "\n");
write_file('secret', "Mode s\n", 0000);
for my $case (['an include loop', "$dir/loop", qr/loop:1: Include is more than 5/], ['NUL bytes', "$dir/nul", qr/NUL/],
    ['a huge file', "$dir/long", qr/long/], ['a folder', $dir, qr/\Q$dir\E/], ['nothing', "$dir/absent", qr/absent/]) {
    check($case->[0], ['import', 'opendkim', $case->[1]], 66, qr/\A\z/, $case->[2]);
}
check('a wrong word', [qw(import exim)], 64, qr/\A\z/, qr/opendkim/);
($status, $out, $err) = import_of("\n#only\n   \nMode\n\t\tSocket \"\\\n");
isnt($status, 139, 'odd lines do not hurt');
loads(($out // '') =~ s/socket = .*\n//r, 'odd lines');
done_testing();
