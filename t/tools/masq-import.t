#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# mfxctl masq import: each line of a Sendmail's and a Postfix's configuration
# has an answer, what is written loads in mfx-masq and is known to Postfix, its
# tables give the same answers, and junk is refused.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Command qw(build dir run check json_of write_file read_file);
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'mfxctl-masq is not built' if !-x build() . '/mfxctl-masq';
my $dir = dir();
my $made = 0;

sub folder {
    my $path = "$dir/out" . ++$made;
    mkdir $path or die $!;
    return $path;
}

# Whether the daemon takes what was written.
sub loads {
    my ($config, $label) = @_;
    my $path = write_file('made.conf', "user = \"root\";\n$config");
    my $said = `@{[build()]}/mfx-masq -t -c $path 2>&1`;
    is($? >> 8, 0, "$label: mfx-masq takes it") or diag($said);
}

sub has_lines {
    my ($text, $label, @want) = @_;
    ok(index("\n$text", "\n$_\n") >= 0, "$label: $_") or diag($text) for @want;
}

sub says {
    my ($report, $label, @want) = @_;
    ok(index($report, $_) >= 0, "$label: $_") or diag($report) for @want;
}

# Each name is one of Postfix's, and each line is understood.
sub postfix_knows {
    my ($path, $label) = @_;
    SKIP: {
        skip 'no postconf', 1 if system('command -v postconf >/dev/null 2>&1') != 0;
        my $home = folder();
        system "cp $path $home/main.cf; : >$home/master.cf";
        my @said = grep { !/master\.cf|mail_version|compatibility_level|symlink|No such file/ }
            `postconf -c $home -n 2>&1 >/dev/null`;
        is("@said", '', "$label: postconf has nothing to say");
    }
}

sub postmap_says {
    my ($table, $key, $want, $label) = @_;
    SKIP: {
        skip 'no postmap', 1 if system('command -v postmap >/dev/null 2>&1') != 0;
        chomp(my $got = `postmap -q '$key' texthash:$table 2>&1`);
        is($got, $want, "$label: $key");
    }
}

# --- an outgoing tier, as an .mc ---
write_file('masq-domains', "# generated\nshop.example\nblog.example\n");
write_file('local-host-names', "out1.example.net\n");
write_file('genericstable', "joe\tjoe.doe\@example.org\nann\@g.example\tann\@example.org\n");
write_file('mailertable', <<'END');
# next hops
old.example		smtp:[10.0.0.1]:[10.0.0.2]
.old.example		esmtp:mx.old.example
gone.example		error:5.1.2:550 it is gone
lists.example		relay:lists.example.net
.			smtp:[10.9.9.9]
fax.example		fax:spool
END
write_file('virtusertable', <<'END');
joe@v.example		joe
@w.example		%1@v.example
bad@v.example		error:nouser 550 No such user here
busy@v.example		error:4.2.2:450 mailbox full
ann+*@v.example		ann+%2
END
write_file('access', <<'END');
# who may
Connect:10.1			RELAY
Connect:192.0.2.7		REJECT
Connect:IPv6:2001:db8		ERROR:5.7.1:550 not from there
Connect:relay.example.net	RELAY
From:spam@x.example		REJECT
From:partner.example		OK
To:old@v.example		ERROR:"550 moved"
To:backup.example		RELAY
bad.example			DISCARD
203.0.113			550 go away
later.example			ERROR:4.7.0:450 later
hold.example			QUARANTINE:look at this
From:forged.example		RELAY
GreetPause:10			0
ClientRate:			20
ClientRate:10.0.0.1		0
Try_TLS:plain.example		NO
END
my $mc = <<"END";
divert(-1)dnl
# Outgoing mail. This text goes nowhere, not even OTHER(this).
divert(0)dnl
include(`/usr/share/sendmail-cf/m4/cf.m4')dnl
VERSIONID(`out tier, v3')dnl
OSTYPE(`linux')dnl
dnl FEATURE(`not_this_one')dnl
define(`SITE_NAME', `example.org')dnl
define(`confDOMAIN_NAME', `out1.example.net')dnl
define(`confMAX_MESSAGE_SIZE', `10485760')dnl
define(`confMAX_MESSAGE_SIZE', `52428800')dnl
define(`confMAX_RCPTS_PER_MESSAGE', `200')dnl
define(`confTO_QUEUEWARN', `4h')dnl
define(`confTO_CONNECT', `1m')dnl
define(`confTO_IDENT', `0')dnl
define(`confPRIVACY_FLAGS', `authwarnings,novrfy,noexpn,restrictqrun')dnl
define(`confSERVER_CERT', `/etc/mail/certs/out1.pem')dnl
define(`confCON_EXPENSIVE', `False')dnl
define(`SMART_HOST', `esmtp:[relay.example.net]')dnl
ifdef(`NOT_DEFINED', `MASQUERADE_AS(`wrong.example')', `MASQUERADE_AS(SITE_NAME)')dnl
MASQUERADE_DOMAIN(`a.example b.example')dnl
MASQUERADE_DOMAIN_FILE(`$dir/masq-domains')dnl
MASQUERADE_EXCEPTION(`keep.a.example')dnl
EXPOSED_USER(`root daemon')dnl
FEATURE(`masquerade_entire_domain')dnl
FEATURE(`masquerade_envelope')dnl
FEATURE(`genericstable', `hash -o $dir/genericstable')dnl
GENERICS_DOMAIN(`g.example')dnl
define(`confCW_FILE', `-o $dir/local-host-names')dnl
FEATURE(`use_cw_file')dnl
FEATURE(`virtusertable', `hash -o $dir/virtusertable')dnl
VIRTUSER_DOMAIN(`v.example w.example')dnl
FEATURE(`mailertable', `hash -o $dir/mailertable.db')dnl
FEATURE(`access_db', `hash -T<TMPF> -o $dir/access')dnl
FEATURE(`blocklist_recipients')dnl
FEATURE(`greet_pause', `5000')dnl
FEATURE(`always_add_domain')dnl
FEATURE(`nocanonify')dnl
FEATURE(`dnsbl', `zen.example.net', `"550 listed"')dnl
RELAY_DOMAIN(`relayed.example 198.51.100')dnl
INPUT_MAIL_FILTER(`dkim', `S=local:/run/opendkim/dkim.sock, F=T, T=C:5m;R:2m')dnl
MAIL_FILTER(`spare', `S=inet:9999\@localhost')dnl
DAEMON_OPTIONS(`Name=MSA, Port=587, M=Ea')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cwalso.example
END
my $file = write_file('out.mc', $mc);
my $out = folder();
my ($status, $stdout, $report) = run('masq', 'import', 'sendmail', '--output', $out, $file);
is($status, 1, 'a tier: rows of tables are left to do') or diag($report);
is($stdout, '', 'a tier: nothing on stdout with a folder');
is(read_file("$out/report"), $report, 'a tier: the report is in the folder, too');
my $config = read_file("$out/masq.conf");
loads($config, 'a tier');
has_lines(
    $config, 'a tier', '    masquerade_as = "example.org";',
    "    masquerade_domain = [\"csl:a.example,b.example\", \"file:$dir/masq-domains\"];",
    "    own_names = [\"csl:also.example\", \"file:$dir/local-host-names\"];",
    '    exposed_user = ["csl:root,daemon"];', '    masquerade_exception = ["csl:keep.a.example"];',
    '    masquerade_entire_domain = true;', '    masquerade_envelope = true;',
    "    genericstable = \"texthash:$dir/genericstable\";", '    generics_domain = ["csl:g.example"];', '    whose = "all";'
);
unlike($config, qr/limited_masquerade|allmasquerade|wrong\.example/, 'a tier: nothing else');
my $main = read_file("$out/main.cf.add");
has_lines(
    $main, 'a tier', 'myhostname = out1.example.net', 'message_size_limit = 52428800', 'smtpd_recipient_limit = 200',
    'delay_warning_time = 4h', 'smtp_connect_timeout = 1m', 'disable_vrfy_command = yes', 'authorized_flush_users = root',
    'smtpd_tls_cert_file = /etc/mail/certs/out1.pem', 'relayhost = [relay.example.net]', 'postscreen_greet_wait = 5s',
    'transport_maps = texthash:$config_directory/transport', 'virtual_alias_maps = texthash:$config_directory/virtual',
    'virtual_alias_domains = v.example, w.example', "mydestination = \$myhostname, localhost, also.example, $dir/local-host-names",
    'smtpd_client_connection_rate_limit = 20', 'mynetworks = 127.0.0.0/8, [::1]/128, 198.51.100.0/24, 127.0.0.0/8, [::1]/128, $config_directory/networks',
    'smtpd_milters = unix:mfx/masq.sock, { unix:/run/opendkim/dkim.sock, default_action = tempfail, connect_timeout = 5m, command_timeout = 2m }',
);
like($main, qr/^smtpd_client_restrictions = check_client_access \S+, reject_rbl_client zen\.example\.net$/m, 'a tier: access before the list');
like($main, qr/^# submission +inet .*smtpd\n#   -o smtpd_sasl_auth_enable=yes\n/m, 'a tier: the port of submission');
postfix_knows("$out/main.cf.add", 'a tier');
says(
    $report, 'a tier', 'out.mc:10: confMAX_MESSAGE_SIZE: not needed: line 11 says otherwise',
    'out.mc:11: confMAX_MESSAGE_SIZE: -> main.cf message_size_limit', 'out.mc:20: MASQUERADE_AS: -> masq.conf rules[0].masquerade_as',
    'out.mc:27: FEATURE(genericstable): -> masq.conf rules[0].genericstable',
    'out.mc:36: FEATURE(greet_pause): -> main.cf postscreen_greet_wait', 'out.mc:15: confTO_IDENT: not needed: ',
    'out.mc:42: MAIL_FILTER(spare): not needed: it is not in use', 'out.mc:47: Cw: -> masq.conf rules[0].own_names',
    "out.mc:33: FEATURE(mailertable): by hand: main.cf transport_maps", '1 rows of', 'the first is fax.example',
);
unlike($report, qr/not_this_one|not understood/, 'a tier: comments are none, and all is understood');
my $lines = grep { /out\.mc:\d+: / } split /\n/, $report;
my $said = grep { !/^dnl|^divert|^#|^include|^END/ && /\S/ } split /\n/, $mc;
cmp_ok($lines, '>=', $said, 'a tier: a line for each of its lines');

# The tables, asked as Postfix asks.
postmap_says("$out/transport", 'old.example', 'smtp:[10.0.0.1], [10.0.0.2]', 'mailertable');
postmap_says("$out/transport", '.old.example', 'smtp:mx.old.example', 'mailertable');
postmap_says("$out/transport", 'gone.example', 'error:5.1.2 it is gone', 'mailertable');
postmap_says("$out/transport", 'lists.example', 'relay:lists.example.net', 'mailertable');
postmap_says("$out/transport", '*', 'smtp:[10.9.9.9]', 'mailertable');
postmap_says("$out/transport", 'fax.example', '', 'mailertable');
postmap_says("$out/virtual", 'joe@v.example', 'joe', 'virtusertable');
postmap_says("$out/virtual", 'x@w.example', '', 'virtusertable');
postmap_says("$out/virtual", '@w.example', '@v.example', 'virtusertable');
postmap_says("$out/access_recipient", 'bad@v.example', '550 5.1.1 No such user here', 'virtusertable');
postmap_says("$out/access_recipient", 'busy@v.example', '450 4.2.2 mailbox full', 'virtusertable');
postmap_says("$out/access_client", '192.0.2.7', 'REJECT', 'access');
postmap_says("$out/access_client", '2001:db8', '550 5.7.1 not from there', 'access');
postmap_says("$out/access_client", '203.0.113', '550 go away', 'access');
postmap_says("$out/access_sender", '203.0.113', '', 'access: a network is no sender');
postmap_says("$out/access_sender", 'spam@x.example', 'REJECT', 'access');
postmap_says("$out/access_sender", 'partner.example', 'OK', 'access');
postmap_says("$out/access_sender", 'bad.example', 'DISCARD', 'access');
postmap_says("$out/access_recipient", 'bad.example', 'DISCARD', 'access: blocklist_recipients');
postmap_says("$out/access_recipient", 'old@v.example', '550 moved', 'access');
postmap_says("$out/access_sender", 'later.example', '450 4.7.0 later', 'access');
postmap_says("$out/access_sender", 'hold.example', 'HOLD look at this', 'access');
postmap_says("$out/access_sender", 'forged.example', '', 'access: forged senders do not relay');
postmap_says("$out/relay_clients", 'relay.example.net', 'OK', 'access');
postmap_says("$out/tls_policy", 'plain.example', 'none', 'access');
like(read_file("$out/networks"), qr{^10\.1\.0\.0/16$}m, 'access: a network that relays');
like(read_file("$out/relay_domains"), qr{^backup\.example$}m, 'access: a domain that is relayed to');
like(read_file("$out/by-hand"), qr/^fax\.example\tfax:spool$/m, 'what is left: a row of mailertable');
like(read_file("$out/by-hand"), qr/^forged\.example\tRELAY$|^From:forged\.example\tRELAY$/m, 'what is left: a row of access');

# --- and as the .cf that m4 makes of it ---
my ($m4_files) = grep { -e "$_/m4/cf.m4" } map { "$_/usr/share/sendmail/cf" }
    (($ENV{MFX_CACHE_DIR} || '/var/cache/mfx-test') . '/sendmail', '');
SKIP: {
    skip 'no m4, or no files of Sendmail', 6 if !$m4_files || system('command -v m4 >/dev/null 2>&1') != 0;
    (my $source = $mc) =~ s/^include.*\n//m;
    write_file('for.mc', $source);
    system "cd $m4_files && m4 -D_CF_DIR_=$m4_files/ m4/cf.m4 $dir/for.mc >$dir/out.cf";
    my $from_cf = folder();
    my ($cf_status, undef, $cf_report) = run('masq', 'import', 'sendmail', '-o', $from_cf, "$dir/out.cf");
    is($cf_status, 1, 'the .cf: the same rows are left') or diag($cf_report);
    my $cf_config = read_file("$from_cf/masq.conf");
    (my $plain = $cf_config) =~ s/csl:localhost,/csl:/;
    is($plain, $config, 'the .cf: the same masq.conf, but for the name localhost');
    unlike($cf_report, qr/not understood/, 'the .cf: all is understood');
    for my $name (qw(transport virtual access_client access_sender access_recipient)) {
        is(read_file("$from_cf/$name"), read_file("$out/$name"), "the .cf: the same table $name");
    }
    my $want = join '', sort grep { /^(?:relayhost|message_size|postscreen|smtpd_client_r|smtpd_milters|virtual)/ } map { "$_\n" } split /\n/, $main;
    my $got = join '', sort grep { /^(?:relayhost|message_size|postscreen|smtpd_client_r|smtpd_milters|virtual)/ } map { "$_\n" } split /\n/, read_file("$from_cf/main.cf.add");
    is($got, $want, 'the .cf: the same settings of Postfix');

    # All that Sendmail's own files name has an answer.
    my $proto = read_file("$m4_files/m4/proto.m4");
    my %conf = map { $_ => 1 } $proto =~ /^_OPTION\([\w.-]+, `(conf\w+)'/mg;
    cmp_ok(scalar(keys %conf), '>', 120, 'Sendmail names its options');
    my $defines = join '', map { "define(`$_', `1')dnl\n" } sort keys %conf;
    my (undef, $answers) = run('masq', 'import', 'sendmail', '--check', write_file('all.mc', $defines));
    is(join(' ', $answers =~ /^\S+ (\S+): not understood/mg), '', 'each option has an answer');
    my @features = map { m{([^/]+)\.m4$} } glob("$m4_files/feature/*.m4");
    cmp_ok(scalar(@features), '>', 60, 'Sendmail names its features');
    my $all = join '', map { "FEATURE(`$_')dnl\n" } @features;
    (undef, $answers) = run('masq', 'import', 'sendmail', '--check', write_file('all.mc', $all));
    is(join(' ', $answers =~ /^\S+ (\S+): not understood/mg), '', 'each feature has an answer');
    (undef, $answers) = run('masq', 'import', 'sendmail', '--check', '--cf-dir', $m4_files,
        write_file('domain.mc', "DOMAIN(`generic')dnl\nMASQUERADE_AS(`x.example')dnl\n"));
    like($answers, qr{domain/generic\.m4:\d+: FEATURE\(redirect\): by hand}, 'DOMAIN: its file is read');
}

# --- to stdout ---
($status, $stdout, $report) = run('masq', 'import', 'sendmail', write_file('small.mc', "MASQUERADE_AS(`x.example')dnl\n"));
is($status, 0, 'a small one: all is done') or diag($report);
loads($stdout, 'a small one, with the settings of Postfix as comments');
like($stdout, qr/^# smtpd_milters = unix:mfx\/masq\.sock$/m, 'a small one: they are there');
my $json = json_of('as JSON', 0, '--json', 'masq', 'import', 'sendmail', "$dir/small.mc");
is($json->{complete}, JSON::PP::true(), 'as JSON: complete');
is($json->{loads}, JSON::PP::true(), 'as JSON: loads');
is($json->{lines}[0]{fate}, 'done', 'as JSON: a line');
check('nothing is replaced', ['masq', 'import', 'sendmail', '-o', $out, $file], 73, qr/\A\z/, qr/exists/);
check('no such folder', ['masq', 'import', 'sendmail', '-o', "$dir/none", $file], 73, qr/\A\z/, qr/none/);

# --- Postfix ---
write_file('canonical', "joe\@old.example joe\@new.example\nann ann.smith\n\@gone.example \@new.example\n");
write_file('generic', "root\@mail.example.org noc\@example.org\n");
write_file('patterns', "# all of them\n/^(.*)\@old\\.example\\.com\$/\t\${1}\@new.example.com\n/^x\@y\\.example\$/ z\@y.example\n");
write_file('groups', "/^(a|b)\@old\\.example\$/ c\@new.example\n");
write_file('domains', "own.example\n");
my $main_cf = <<"END";
# a relay of ours
compatibility_level = 3.6
myhostname = mail.example.org
mydomain = example.org
myorigin = \$mydomain
mydestination = \$myhostname, localhost.\$mydomain,
    localhost
  # a comment between
    other.example
mynetworks = 127.0.0.0/8 [::1]/128, 192.0.2.0/24
local_header_rewrite_clients = permit_mynetworks, permit_sasl_authenticated
recipient_delimiter = +
canonical_maps = hash:$dir/canonical, regexp:$dir/patterns
masquerade_domains = !keep.example.org \$mydomain
masquerade_exceptions = root, mailer-daemon
masquerade_classes = envelope_sender, header_sender
smtp_generic_maps = texthash:$dir/generic
propagate_unmatched_extensions = virtual
smtpd_milters = inet:localhost:8891
non_smtpd_milters = \$smtpd_milters
smtpd_banner = \$myhostname ESMTP
END
$out = folder();
($status, $stdout, $report) = run('masq', 'import', 'postfix', '-o', $out, write_file('main.cf', $main_cf));
is($status, 0, 'a Postfix: all is done') or diag($report);
$config = read_file("$out/masq.conf");
loads($config, 'a Postfix');
has_lines(
    $config, 'a Postfix', 'origin_domain = "example.org";', 'recipient_delimiter = "+";',
    'local_domains = ["mail.example.org", "localhost.example.org", "localhost", "other.example"];',
    '  internal_hosts = ["127.0.0.0/8", "::1", "::1/128", "192.0.2.0/24"];', '  login = true;',
    '    domains = ["!keep.example.org", "example.org"];', '    exceptions = ["root", "mailer-daemon"];',
    "    maps = [\"texthash:$dir/canonical\", \"refile:$out/patterns.patterns\"];",
    "    maps = [\"texthash:$dir/generic\"];", '    propagate_extension = false;',
    '    unless_recipient_domains = ["mail.example.org", "localhost.example.org", "localhost", "other.example"];',
);
my @rules = $config =~ /name = "([^"]+)";\n\s+kind = "(\w+)";\n\s+whose = "(\w+)";\n\s+classes = \[([^\]]+)\]/g;
is("@rules", 'canonical canonical all "envelope_sender" canonical header canonical ours "header_sender", "header_recipient"'
    . ' masquerade masquerade all "envelope_sender" masquerade header masquerade ours "header_sender"'
    . ' generic canonical all "envelope_sender", "header_sender", "header_recipient"', "a Postfix: its order, and whose mail");
is(read_file("$out/patterns.patterns"), "# Made of a table of patterns.\n*\@old.example.com\t\@new.example.com\nx\@y.example\tz\@y.example\n",
    'a Postfix: patterns');
has_lines(read_file("$out/main.cf.add"), 'a Postfix', 'canonical_classes = envelope_recipient', 'masquerade_domains =',
    'smtp_generic_maps =', 'smtpd_milters = unix:mfx/masq.sock, inet:localhost:8891', 'non_smtpd_milters = $smtpd_milters');
postfix_knows("$out/main.cf.add", 'a Postfix');
says($report, 'a Postfix', 'main.cf:6: mydestination: -> masq.conf local_domains', 'main.cf:21: smtpd_banner: not needed: stays in main.cf');

sub postfix_case {
    my ($label, $text, $want_status, $want, @more) = @_;
    my @got = run('masq', 'import', 'postfix', @more, write_file('case.cf', $text));
    is($got[0], $want_status, "$label: status") or diag("@got");
    like($got[1] . $got[2], $want, $label);
}
postfix_case('patterns with groups', "canonical_maps = pcre:$dir/groups\n", 1, qr/it stays in main\.cf/, '-o', folder());
postfix_case('a table of LDAP', "canonical_maps = ldap:/etc/postfix/x.cf\n", 1, qr/:1: canonical_maps: by hand: /, '--check');
postfix_case('no source', "canonical_maps = hash:$dir/nothing\n", 78, qr/cannot be read here/, '--check');
postfix_case('a name in itself', "canonical_maps = \$canonical_maps\n", 1, qr/has no value here/, '--check');
postfix_case('an unknown name', "masquerade_domains = \$nothing\n", 1, qr/\$nothing has no value here/, '--check');
postfix_case('all headers', "remote_header_rewrite_domain = x.example\nmyhostname = a.example\ncanonical_maps = hash:$dir/canonical\n",
    0, qr/whose = "all";\n    classes = \["envelope_sender", "header_sender", "header_recipient"\]/);
postfix_case('twice', "myhostname = a.example\nmasquerade_domains = a\nmasquerade_domains = b\n", 0, qr/:2: masquerade_domains: not needed: line 3/, '--check');
postfix_case('a line that is none', "myhostname = a.example\nwhat is this\n", 1, qr/:2: what is this: not understood/, '--check');
postfix_case('an empty one', '', 0, qr/\A/, '--check');

# --- PostSRSd ---
write_file('srs.secret', "abcdefghijklmnop\n");
write_file('postsrsd', <<"END");
SRS_DOMAIN=srs.example.org
SRS_EXCLUDE_DOMAINS=.example.com,example.org
SRS_SEPARATOR==
SRS_SECRET=$dir/srs.secret
SRS_HASHLENGTH=4
SRS_HASHMIN=4
SRS_FORWARD_PORT=10001
RUN_AS=postsrsd
SRS_EXTRA_OPTIONS=
END
write_file('postsrsd.conf', <<"END");
# PostSRSd 2
domains = { "example.org",
    "example.com" }
domains-file = "$dir/domains"
srs-domain = "srs.example.org"
secrets-file = "$dir/srs.secret"
socketmap = unix:/var/spool/postfix/srs
hash-length = 6
original-envelope = embedded
always-rewrite = off
END
my $with_1 = "myhostname = a.example\nsender_canonical_maps = tcp:localhost:10001\nsender_canonical_classes = envelope_sender\n"
    . "recipient_canonical_maps = tcp:localhost:10002\nalias_maps = hash:/etc/aliases\n";
(my $with_2 = $with_1) =~ s/tcp:localhost:10001/socketmap:unix:srs:forward/;
$with_2 =~ s/tcp:localhost:10002/socketmap:unix:srs:reverse/;
($status, $stdout, $report) = run('masq', 'import', 'postfix', '--postsrsd', "$dir/postsrsd", write_file('srs.cf', $with_1));
is($status, 0, 'PostSRSd 1: all is done') or diag($report);
loads($stdout, 'PostSRSd 1');
has_lines($stdout, 'PostSRSd 1', '  domain = "srs.example.org";', "  secrets_file = \"$dir/srs.secret\";", '  alphabet = "+/";',
    '  forward = "all";', '  hash_length = 4;', 'our_domains = ["srs.example.org", ".example.com", "example.org"];',
    '  tcp_reverse = "127.0.0.1:10002";', '# sender_canonical_maps =');
unlike($stdout, qr/^# recipient_canonical_maps/m, 'PostSRSd 1: recipients are asked for as before');
$out = folder();
($status, $stdout, $report) = run('masq', 'import', 'postfix', '-o', $out, '--postsrsd', "$dir/postsrsd.conf", write_file('srs.cf', $with_2));
is($status, 0, 'PostSRSd 2: all is done') or diag($report);
$config = read_file("$out/masq.conf");
loads($config, 'PostSRSd 2');
has_lines($config, 'PostSRSd 2', '  hash_length = 6;', '  socketmap = "unix:/var/spool/postfix/mfx/srs";', "our_domains = \"file:$out/our-domains\";");
unlike($config, qr/alphabet/, 'PostSRSd 2: our own alphabet');
is(read_file("$out/our-domains"), "# Made of several places of main.cf: a copy.\nsrs.example.org\nexample.org\nexample.com\nown.example\n",
    'PostSRSd 2: domains of both places');
has_lines(read_file("$out/main.cf.add"), 'PostSRSd 2', 'recipient_canonical_maps = socketmap:unix:mfx/srs:srs_reverse', 'sender_canonical_maps =');
postfix_case('PostSRSd without its settings', $with_1, 1, qr/by hand: .*give --postsrsd/, '--check');

# --- junk ---
sub refused {
    my ($label, $text, $want) = @_;
    check($label, ['masq', 'import', 'sendmail', write_file('junk.mc', $text)], 66, qr/\A\z/, $want);
}
refused('a quote that is not closed', "MASQUERADE_AS(`x.example)dnl\n", qr/junk\.mc:1: a quote is not closed/);
refused('a call that is not closed', "\nFEATURE(`x'\n", qr/junk\.mc:2: a call is not closed/);
refused('a macro without end', "define(`a', ``a' `a'')dnl\ndefine(`b', `b b')b\n", qr/macros without end/);
refused('calls in each other', 'FEATURE(' x 5000, qr/deep/);
refused('NUL bytes', "MASQUERADE_AS(`x')\0\n", qr/NUL/);
check('no file', ['masq', 'import', 'sendmail', "$dir/none.mc"], 66, qr/\A\z/, qr/none\.mc/);
check('a folder', ['masq', 'import', 'postfix', $dir], 66, qr/\A\z/, qr/\S/);
check('no words', ['masq', 'import'], 64, qr/\A\z/, qr/wants/);
check('another program', ['masq', 'import', 'exim', $file], 64, qr/\A\z/, qr/wants/);
check('no file named', ['masq', 'import', 'sendmail'], 64, qr/\A\z/, qr/wants/);
my @junk = run('masq', 'import', 'sendmail', '--check', write_file('junk.mc',
    "FEATURE(`no_such_thing')dnl\nNO_SUCH_MACRO(`x')dnl\ndefine(`confNO_SUCH', `x')dnl\nThis is prose.\nesyscmd(`touch $dir/run')dnl\n"
    . "include(`$dir/nothing.m4')dnl\nLOCAL_RULESETS\nSown\nR\$*\t\$: \$1\n"));
is($junk[0], 1, 'what is not known: status') or diag("@junk");
says($junk[1], 'what is not known', ':1: FEATURE(no_such_thing): not understood', ':2: NO_SUCH_MACRO: not understood',
    ':3: confNO_SUCH: not understood', ':4: This: not understood', ':5: esyscmd: by hand: commands are not run',
    ':6: include: by hand: ', ':9: ruleset own: by hand: rules of your own');
ok(!-e "$dir/run", 'no command is run');
write_file('loop.mc', "include(`$dir/loop.mc')dnl\nMASQUERADE_AS(`x.example')dnl\n");
like((run('masq', 'import', 'sendmail', '--check', "$dir/loop.mc"))[1], qr/include: by hand/, 'a file in itself ends');

for my $as ('$m', 'two words', 'a..b') {
    my @got = run('masq', 'import', 'sendmail', write_file('junk.mc', "MASQUERADE_AS(`$as')dnl\n"));
    is($got[0], 1, "MASQUERADE_AS($as): status") or diag("@got");
    like($got[2], qr/rules\[0\]\.masquerade_as = a domain/, "MASQUERADE_AS($as)");
}
write_file('bad.conf', "user = \"root\";\nrules = ( { kind = \"sendmail\"; masquerade_as = \"a..b\"; } );\n");
like(scalar(`@{[build()]}/mfx-masq -t -c $dir/bad.conf 2>&1`), qr/bad\.conf:2: .*"a\.\.b" is no domain/, 'mfx-masq says so, too');

my @odd = run('masq', 'import', 'sendmail', write_file('junk.mc',
    "MASQUERADE_AS(`x.example')dnl\nEXPOSED_USER(`a\"b c\\d')dnl\ndefine(`SMART_HOST', `a.example\nsoft_bounce = yes')dnl\n"));
loads($odd[1], 'quotes, backslashes and line ends');
has_lines($odd[1], 'quotes, backslashes and line ends', '    exposed_user = ["csl:a\\"b,c\\\\d"];', '# relayhost = a.example soft_bounce = yes');

# --- large ones ---
write_file('virtusertable', join '', map { "u$_\@v.example\tuser$_\n" } 1 .. 100000);
my $large = "MASQUERADE_AS(`x.example')dnl\nFEATURE(`virtusertable', `hash $dir/virtusertable')dnl\n"
    . join '', map { "define(`confMAX_HOP', `$_')dnl\nMASQUERADE_DOMAIN(`d$_.example')dnl\n" } 1 .. 20000;
my $begun = time;
$out = folder();
($status, $stdout, $report) = run('masq', 'import', 'sendmail', '-o', $out, write_file('large.mc', $large));
is($status, 0, 'a large .mc: all is done') or diag(substr $report, -2000);
like(read_file("$out/masq.conf"), qr/masquerade_domain = \["file:\Q$out\E\/masquerade_domain"\];/, 'a large .mc: its domains have a file');
is(scalar(() = read_file("$out/masquerade_domain") =~ /\n/g), 20001, 'a large .mc: all of them');
is(scalar(() = read_file("$out/virtual") =~ /\n/g), 100001, 'a large .mc: all rows');
my $huge = "myhostname = a.example\nmasquerade_domains = " . join(",\n  ", map { "d$_.example" } 1 .. 50000) . "\n"
    . join '', map { "x_$_ = y\n" } 1 .. 50000;
$out = folder();
($status, $stdout, $report) = run('masq', 'import', 'postfix', '-o', $out, write_file('huge.cf', $huge));
is($status, 0, 'a large main.cf: all is done') or diag(substr $report, -2000);
is(scalar(() = read_file("$out/masquerade-domains") =~ /\n/g), 50001, 'a large main.cf: all its domains');
cmp_ok(time - $begun, '<', 120, 'large ones end');
check('too many settings', ['masq', 'import', 'postfix', write_file('huge.cf', join '', map { "x_$_ = y\n" } 1 .. 200001)], 66, qr/\A\z/, qr/more than 200000/);

done_testing();
