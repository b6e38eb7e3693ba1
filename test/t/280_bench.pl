# `make bench` in small: the table comes out, with figures of all that it compares, and a mart that differs is found.
use strict;
use warnings;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{PG_ABS_SRCDIR};
my $directory = PostgreSQL::Test::Utils::tempdir_short();

# Runs the bench with these variables: (exit code, output, messages).
sub bench
{
	my (%variable) = @_;
	local @ENV{ keys %variable } = values %variable;
	local $ENV{BENCH_DIR} = "$directory/cluster";
	my ($out, $err) = ('', '');
	IPC::Run::run([ "$root/bench/run" ], '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

my $json = "$directory/bench.json";
my ($code, $out, $err) = bench(
	ROWS => 300, RUNS => 1, WORKERS => '1 2', EVENTS => 5, BENCH_JSON => $json, PARTS => 'legacy tuned floors seed copy growth');
is($code, 0, 'the bench runs') or diag($err);
like($out, qr/^legacy pipeline +\d/m, 'the table has the legacy pipeline');
like($out, qr/^etl_seed, 2 workers, until published +\d/m, 'and the seed');
like($err, qr/tuned\.ads_volkswagen and raw\.ads_volkswagen: (\d+) and \1 rows, 0 and 0/, 'the marts were compared');

my $figures = decode_json(slurp_file($json));
my %median = map { $_->{name} => $_->{median} } @{ $figures->{measures} };
cmp_ok($median{$_} // 0, '>', 0, "JSON: $_")
  for 'legacy', 'tuned load', 'floor join', 'seed 2 load', 'seed 2 cpu', 'wal of COPY', 'growth 4x published', 'rows';
is( scalar(grep { $_->{bound} =~ /[13]/ && !defined $_->{value} } @{ $figures->{bounds} }),
	0, 'bounds 1 and 3 have values')
  or diag(explain($figures->{bounds}));

($code, $out, $err) = bench(
	ROWS => 100, RUNS => 1, WORKERS => 1, EVENTS => 2, BENCH_JSON => $json, PARTS => 'tuned',
	BENCH_SPOIL => "UPDATE raw.ads_volkswagen SET title = 'x' WHERE lid = (SELECT min(lid) FROM raw.ads_volkswagen)");
is($code, 1, 'it fails where two marts differ');
like($out, qr/^FAILED: tuned.*differ/m, 'and says so');
done_testing();
