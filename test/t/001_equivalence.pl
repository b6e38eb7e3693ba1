# The mart equals the legacy one, row by row and column by column, whatever the workers, the chunks, the layout of the
# keys and the session that seeds.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use Test::More;

# Both the oracle and etl_add_make work under these, the session that seeds under others.
my @home = (PGTZ => 'America/St_Johns', PGDATESTYLE => 'SQL, DMY');
my @elsewhere = (PGTZ => 'Asia/Kathmandu', PGDATESTYLE => 'German');

sub under
{
	my ($settings, $do) = @_;
	local @ENV{ map { $settings->[ 2 * $_ ] } 0 .. $#$settings / 2 } = map { $settings->[ 2 * $_ + 1 ] } 0 .. $#$settings / 2;
	return $do->();
}

sub seed_and_compare
{
	my ($etl, $name, %argument) = @_;
	my $run = under(\@elsewhere, sub { $etl->seed(%argument) });
	ok($etl->wait_for_run($run, 'published'), "$name: published");
	under(\@home, sub { $etl->same_mart($name) });
	is($etl->sql('SELECT count(*) - count(DISTINCT lid) FROM raw.ads_volkswagen'), 0, "$name: every lid once");
	my $bounds = $etl->sql("SELECT bool_and(from_ok AND to_ok AND tiled) FROM (
		SELECT count(*) FILTER (WHERE lid_from IS NULL) = 1 AS from_ok, count(*) FILTER (WHERE lid_to IS NULL) = 1 AS to_ok,
		       bool_and(lid_from IS NOT DISTINCT FROM before) AS tiled
		FROM (SELECT *, lag(lid_to) OVER (PARTITION BY portal ORDER BY lid_from NULLS FIRST) AS before FROM etl_tasks
		      WHERE run_id = $run AND kind = 'load') t GROUP BY portal) p");
	is($bounds, 't', "$name: the chunks of each portal cover all lids once");
	return $run;
}

sub chunks
{
	my ($etl, $run) = @_;
	return $etl->sql("SELECT min(n) FROM (SELECT count(*) AS n FROM etl_tasks WHERE run_id = $run AND kind = 'load'
	                  GROUP BY portal) p");
}

for my $layout (qw(interleaved ranges))
{
	my $rows = $ENV{ROWS} || ($layout eq 'interleaved' ? 40000 : 10000);
	my $etl = PgEtl->new($layout, rows => $rows, layout => $layout, register => 0, conf => "shared_buffers = 256MB\n");
	# Chunks are cut by statistics. These are of all rows: with those of a random sample a chunk of few rows may have three
	# times those asked for, as lids lie in dense and in thin blocks.
	$etl->sql("ALTER TABLE $_ ALTER lid SET STATISTICS 1000; ANALYZE $_ (lid)")
	  for 'mapping.lot_volkswagen', map { "raw.full_auto_$_" } @{ $etl->{portals} };
	under(\@home, sub { $etl->register; $etl->legacy });
	seed_and_compare($etl, "$layout, 2 workers, default chunks", workers => 2);
	for my $workers (1, 2, 4)
	{
		my $run = seed_and_compare($etl, "$layout, $workers workers, chunks of 500", workers => $workers, chunk_rows => 500);
		my $sizes = $etl->sql("SELECT max(rows) < 1000 FROM etl_tasks WHERE run_id = $run AND kind = 'load'");
		is($sizes, 't', "$layout, $workers workers: no chunk has twice the rows asked for");
		cmp_ok(chunks($etl, $run), '>', $rows / 1500, "$layout, $workers workers: many chunks");
	}
	seed_and_compare($etl, "$layout, 4 workers, default chunks", workers => 4) if $layout eq 'ranges';
	$etl->sql('ALTER DATABASE postgres SET etl.key_join = off');
	seed_and_compare($etl, "$layout, by the executor's join", workers => 2, chunk_rows => 5000);
	$etl->node->stop;
}

done_testing();
