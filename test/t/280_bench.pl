# `make bench` in small: the table comes out, with figures of all that it compares, and a mart that differs is found.
use strict;
use warnings;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{PG_ABS_SRCDIR};
my $directory = PostgreSQL::Test::Utils::tempdir_short();

my $json = "$directory/bench.json";

# Runs the bench with these variables: (exit code, output, messages).
sub bench
{
	my (%variable) = @_;
	%variable = (ROWS => 300, RUNS => 1, EVENTS => 5, %variable);
	local @ENV{ keys %variable } = values %variable;
	local @ENV{qw(BENCH_DIR BENCH_JSON KEEP SETTINGS)} =
	  ("$directory/cluster", $json, 1, 'fsync=off full_page_writes=off shared_buffers=128MB');
	my ($out, $err) = ('', '');
	IPC::Run::run([ "$root/bench/run" ], '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

my ($code, $out, $err) = bench(WORKERS => 2, PARTS => 'legacy tuned floors seed copy');
is($code, 0, 'the bench runs') or diag($err);
like($out, qr/^legacy pipeline +\d/m, 'the table has the legacy pipeline');
like($out, qr/^etl_seed, 2 workers, until published +\d/m, 'and the seed');
like($err, qr/tuned\.ads_volkswagen and raw\.ads_volkswagen: (\d+) and \1 rows, 0 and 0/, 'the marts were compared');

my $figures = decode_json(slurp_file($json));
my %median = map { $_->{name} => $_->{median} } @{ $figures->{measures} };
cmp_ok($median{$_} // 0, '>', 0, "JSON: $_")
  for 'legacy', 'tuned load', 'floor join', 'seed 2 load', 'seed 2 cpu', 'wal of COPY', 'rows';
my %bound = map { $_->{what} => $_->{value} } @{ $figures->{bounds} };
ok(defined $bound{$_}, "there is a value for the bound of $_")
  for 'legacy pipeline to seed', 'tuned SQL to seed', 'seed to floor', "write-ahead log of the load to COPY's";
like(qx{"$root/bench/model" --json "$json"}, qr/NVMe.*what binds most of it/s, 'the model takes the figures of the bench');

($code, $out, $err) = bench(
	WORKERS => 1, PARTS => 'tuned growth',
	BENCH_SPOIL => "UPDATE raw.ads_volkswagen SET title = 'x' WHERE lid = (SELECT min(lid) FROM raw.ads_volkswagen)");
is($code, 1, 'it fails where two marts differ');
like($out, qr/^FAILED: tuned.*differ/m, 'and says so');
like($out, qr/^seed of four times the rows +\d/m, 'the table has the growth');
# One set of figures: what bench/model fell back on and what etl_plan estimates by.
my $costs = slurp_file("$root/src/plan/costs.cpp");
like($costs, qr/^\Q$_\E$/m, "src/plan/costs.cpp: $_") for split /\n/, qx{"$root/bench/model" --json /dev/null/none --constants};
system_or_bail("$root/scripts/cluster", 'drop', "$directory/cluster");
done_testing();
