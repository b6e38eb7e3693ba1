# Random faults at random moments. First ten kills in one run; then runs of all shapes, written in both ways, each broken a few times, for half a
# minute, or for SOAK_MINUTES (test/soak). SOAK_SEED repeats a storm.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{SOAK_SEED} // int(rand(1 << 31));
srand($seed);
diag("storm of seed $seed");
my $end = time + 60 * ($ENV{SOAK_MINUTES} // 0.5);

my $etl = PgEtl::Faults->new('storm', preload => 1, dirt => 2);
slow_down(8);
$etl->set_template('slow', 'public.load_gate(ads.lid) AND public.slow(m.lid)');
$etl->sql("SELECT etl_drop_make('volkswagen')");
$etl->sql('DROP TABLE raw.ads_volkswagen');
$etl->make_gated('slow');

# Each row of the mart takes so many milliseconds.
sub slow_down
{
	my ($milliseconds) = @_;
	return $etl->sql("CREATE OR REPLACE FUNCTION public.slow(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
	                  'BEGIN PERFORM pg_catalog.pg_sleep(0.001 * $milliseconds); RETURN true; END'");
}

sub one_of { return $_[ rand @_ ] }

# Ten kills, each at a random moment after the run went on.
my $run = $etl->seed(workers => 2, chunk_rows => 15);
my $kills = 0;
while ($kills < 10 and $etl->state($run) ne 'published')
{
	$etl->wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'
	                  OR EXISTS (SELECT FROM etl_runs WHERE run_id = $run AND state IN ('published', 'failed'))");
	sleep rand 0.3;
	$etl->break(one_of('kill -9 of a worker', 'kill -9 of a worker', 'kill -9 of an unrelated backend',
			'kill -9 of the postmaster'), $run);
	$kills++;
	$etl->seed if rand() < 0.5 and $etl->state($run) !~ /published|failed/;
}
is($kills, 10, 'ten kills in one run');
# What the last kill struck counts as struck only when a worker took it back.
$etl->wait_for_run($run, 'published');
$etl->is_whole($run, 'ten kills', map { $_ => 1 } split /\n/,
	$etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND crashes > 0"));
# The first time, a worker has several index tasks in flight.
cmp_ok($etl->sql("SELECT sum(CASE kind WHEN 'index' THEN greatest(attempts - 2, 0) ELSE attempts - 1 END) FROM etl_tasks
	WHERE run_id = $run"), '<=', 20, 'no more redone than was in flight');

# The storm
slow_down(1);
my ($runs, %count) = (0);
while ($runs == 0 or time < $end)
{
	my $shape = join ', ', my @shape = (workers => one_of(1, 2, 3), chunk_rows => one_of(10, 60, 200, 5000));
	my $phase = one_of('any', 'any', 'load', 'index', 'publish', 'snapshot');
	my $mode = one_of('rows', 'pages');
	my $name = 'run ' . ++$runs . " ($shape, $mode)";
	$etl->sql("ALTER DATABASE postgres SET etl.write_mode = '$mode'");
	$run = $phase eq 'any' ? $etl->seed(@shape) : $etl->hold($phase, @shape);
	my $faults = 1 + int rand 3;
	for (1 .. $faults)
	{
		sleep rand 0.5 if $phase eq 'any';
		last if $etl->state($run) =~ /published|failed/;
		my $fault = one_of($etl->faults);
		$fault = 'pause' if rand() < 0.1;
		$count{$fault}++;
		$name .= ", $fault in $phase";
		if ($fault eq 'pause') { $etl->sql("SELECT etl_pause($run)"); sleep rand 0.3; $etl->sql("SELECT etl_resume($run)") }
		else { $etl->break($fault, $run) }
		$etl->release;
		$phase = 'any';
		is($etl->seed, $run, "$name: a request finds the run") if $etl->state($run) eq 'cancelled';
	}
	$etl->seed if rand() < 0.3 and $etl->state($run) !~ /published|failed/;
	$etl->wait_for_run($run, 'published', 'failed');
	# A task that was struck five times is set aside, rightly.
	if ($etl->sql("SELECT COALESCE(sqlstate, '') FROM etl_runs WHERE run_id = $run") eq '57P02')
	{
		$etl->sql("SELECT etl_retry($run)");
		$name .= ', retried';
	}
	$etl->is_whole($run, $name, map { $_ => 1 } split /\n/,
		$etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND attempts > 1 AND (crashes > 0 OR EXISTS (
		           SELECT FROM etl_events e WHERE e.run_id = $run AND e.task_no = etl_tasks.task_no AND e.to_state = 'waiting'))"));
}
cmp_ok($runs, '>', 0, 'runs were struck');
note(join(', ', map { "$_: $count{$_}" } sort keys %count));
$etl->log_is_clean('storm');
done_testing();
