# SPDX-License-Identifier: BSD-2-Clause
# What the tests of commands share: a folder of their own, running mfxctl,
# and looking at what it says.
package Command;
use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
our @EXPORT_OK = qw(build dir run run_in check json_of write_file read_file);

my $build = $ENV{MFX_BUILDDIR} || '.';
my $dir = tempdir('mfxctl-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$ENV{MFX_LIBEXECDIR} = $build;

sub build { return $build }
sub dir { return $dir }

sub read_file {
    my ($path) = @_;
    open my $f, '<:raw', $path or return '';
    local $/;
    return <$f> // '';
}

sub write_file {
    my ($name, $text, $mode) = @_;
    open my $f, '>:raw', "$dir/$name" or die "$name: $!";
    print $f $text;
    close $f or die $!;
    chmod $mode // 0600, "$dir/$name";
    return "$dir/$name";
}

# mfxctl with these words, and text on its stdin: status, stdout, stderr.
sub run_in {
    my ($input, @args) = @_;
    write_file('stdin', $input);
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDIN, '<', "$dir/stdin";
        open STDOUT, '>', "$dir/stdout";
        open STDERR, '>', "$dir/stderr";
        exec "$build/mfxctl", @args or exit 127;
    }
    waitpid $pid, 0;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, read_file("$dir/stdout"), read_file("$dir/stderr"));
}

sub run { return run_in('', @_) }

# One command, what it must return and say.
sub check {
    my ($label, $args, $status, $out, $err) = @_;
    my @got = run(@$args);
    is($got[0], $status, "$label: status") or diag($got[2]);
    like($got[1], $out, "$label: stdout");
    like($got[2], $err, "$label: stderr") if defined $err;
}

sub json_of {
    my ($label, $status, @args) = @_;
    my @got = run(@args);
    is($got[0], $status, "$label: status") or diag($got[1], $got[2]);
    my $json = eval { decode_json($got[1]) };
    ok(defined $json, "$label: JSON") or diag($got[1], $got[2]);
    return $json // {};
}

1;
