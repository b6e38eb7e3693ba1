# Chunks that nobody asked the size of are cut while the run learns its pace: towards etl.chunk_target, smaller at the end,
# and whatever is killed meanwhile, the chunks of a portal cover all lids once and the mart is the legacy one.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Faults->new('pieces', rows => 3000, conf => "etl.chunk_target = 100ms\n");
# A row of the mart takes a millisecond at least, so no more than 100 of them are a chunk.
$etl->sql("CREATE FUNCTION public.slow(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
           'BEGIN PERFORM pg_catalog.pg_sleep(0.001); RETURN true; END'");
$etl->set_template('slow', 'public.load_gate(ads.lid) AND public.slow(m.lid)');
$etl->sql("SELECT etl_drop_make('volkswagen')");
$etl->sql('DROP TABLE raw.ads_volkswagen');
$etl->make_gated('slow');

my $covered = 'SELECT bool_and(open_below AND open_above AND tiled) FROM (
	SELECT count(*) FILTER (WHERE lid_from IS NULL) = 1 AS open_below, count(*) FILTER (WHERE lid_to IS NULL) = 1 AS open_above,
	       bool_and(lid_from IS NOT DISTINCT FROM before AND (lid_from < lid_to) IS NOT FALSE) AS tiled
	FROM (SELECT *, lag(lid_to) OVER (PARTITION BY portal ORDER BY lid_from NULLS FIRST) AS before
	      FROM etl_tasks WHERE run_id = %d AND kind = \'load\') t GROUP BY portal) p';

sub is_covered
{
	my ($run, $name) = @_;
	is($etl->sql(sprintf $covered, $run), 't', "$name: the chunks of each portal cover all lids once");
	is( $etl->sql("SELECT count(*) FROM (SELECT sum(t.estimated_rows) - max(p.estimated_rows) AS left FROM etl.task t
	               JOIN etl.run_portal p USING (run_id, portal) WHERE run_id = $run AND kind = 'load' GROUP BY portal) s
	               WHERE s.left <> 0"), 0, "$name: and all rows that the plan expected");
	return;
}

my $planned = $etl->sql("SELECT count(*) FROM etl_plan('volkswagen', workers => 2) WHERE kind = 'load'");
my $run = $etl->seed(workers => 2);
$etl->is_whole($run, 'cut');
is_covered($run, 'cut');
my ($chunks, $largest, $last, $cuts) = split /\|/,
  $etl->sql("SELECT count(*), max(estimated_rows), (array_agg(estimated_rows ORDER BY started_at DESC))[1],
	count(cuts) FROM etl.task WHERE run_id = $run AND kind = 'load'");
cmp_ok($chunks, '>', 3 * $planned, "more chunks than the $planned planned ones");
# Pieces have some 78 rows, of which half are in the mart. Before the pace is known a chunk has 200 rows.
cmp_ok($largest, '<=', 240, 'none is expected to take much longer than the target');
cmp_ok($last, '<=', 80, 'the last one is a single piece');
is($cuts, 0, 'nothing that has begun can be cut');
is($etl->sql("SELECT count(*) = max(task_no) FROM etl_tasks WHERE run_id = $run"), 't', 'numbers are given once');

# A size that was asked for is kept to the letter.
$run = $etl->seed(workers => 2, chunk_rows => 400);
$etl->is_whole($run, 'asked for');
is( $etl->sql("SELECT count(*) FROM ((SELECT portal, lid_from, lid_to FROM etl_tasks WHERE run_id = $run AND kind = 'load')
	EXCEPT (SELECT portal, lid_from, lid_to FROM etl_plan('volkswagen', chunk_rows => 400) WHERE kind = 'load')) d"),
	0, 'asked for: no chunk that etl_plan did not show');

# Kills while chunks are cut. The upper lids are barred until the last of them.
$etl->bar('load');
$run = $etl->seed(workers => 3);
for my $fault ('kill -9 of a worker', 'kill -9 of the postmaster', 'kill -9 of a worker', 'immediate stop', 'etl_cancel')
{
	ok($etl->wait_for_task($run, 'load'), "$fault: while loading");
	sleep rand 0.1;
	$etl->break($fault, $run);
	is_covered($run, $fault);
	$etl->release;
	$etl->bar('load') if $fault ne 'etl_cancel';
	is($etl->seed, $run, "$fault: a second request finds the run");
}
$etl->wait_for_run($run, 'published');
$etl->is_whole($run, 'killed', map { $_ => 1 } split /\n/,
	$etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND attempts > 1 AND (crashes > 0 OR EXISTS (SELECT
	           FROM etl_events e WHERE e.run_id = $run AND e.task_no = etl_tasks.task_no AND e.to_state = 'waiting'))"));
is_covered($run, 'killed');
$etl->log_is_clean('pieces');
done_testing();
