# Tasks that fail: one whose data raise an error, one that takes its server process down every time. The others are done,
# the run says what went wrong and where, and can be finished once the cause is mended.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;

my $etl = PgEtl::Faults->new('poison');

# A listing of the smaller portal's middle chunks that is in the mart.
my $lid = $etl->sql("SELECT percentile_disc(0.6) WITHIN GROUP (ORDER BY lid) FROM legacy.ads_volkswagen WHERE portal = 'mobile'");

# Makes the template anew with a function that does this for that listing.
sub poison
{
	my ($body) = @_;
	$etl->sql("SELECT etl_drop_make('volkswagen')");
	$etl->sql("DROP TABLE raw.ads_volkswagen CASCADE");
	$etl->sql("CREATE OR REPLACE FUNCTION public.poison(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS \$\$
	           BEGIN IF lid = $lid THEN $body END IF; RETURN true; END \$\$");
	$etl->set_template('poisoned', 'public.poison(ads.lid)');
	$etl->sql("SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'poisoned')");
	return;
}

sub heal
{
	$etl->sql("CREATE OR REPLACE FUNCTION public.poison(lid bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true'");
	return;
}

# The task of that listing, and what all but it and what stands behind it came to.
sub check_failed
{
	my ($run, $sqlstate, $message, $attempts, $name) = @_;
	my $task = $etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND kind = 'load' AND portal = 'mobile'
	                      AND lid_from <= $lid AND lid_to > $lid");
	my $range = $etl->sql("SELECT format('[%s, %s)', lid_from, lid_to) FROM etl_tasks WHERE run_id = $run AND task_no = $task");
	is($etl->sql("SELECT state, sqlstate FROM etl_runs WHERE run_id = $run"), "failed|$sqlstate", "$name: SQLSTATE");
	like($etl->sql("SELECT error FROM etl_runs WHERE run_id = $run"), qr/^load of portal mobile \Q$range\E: $message/,
		"$name: message and range");
	is($etl->sql("SELECT state, attempts FROM etl_tasks WHERE run_id = $run AND task_no = $task"), "failed|$attempts",
		"$name: the task");
	is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind IN ('fold', 'load') AND task_no <> $task
	              AND (state <> 'done' OR error IS NOT NULL)"), 0, "$name: all other chunks are done");
	is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'load' AND task_no <> $task AND crashes > 2"),
		0, "$name: none of them was suspected for long");
	is($etl->sql('SELECT count(*) FROM raw.ads_volkswagen'), 0, "$name: nothing is published");
	my ($code, undef, $error) = $etl->try_sql("\\set VERBOSITY verbose\nCALL etl_wait($run)");
	like($error, qr/ERROR:  $sqlstate: load of portal mobile \Q$range\E: $message/, "$name: etl_wait raises it");
	return;
}

# An error of the data
poison('RETURN 1 / (lid - lid) = 0;');
my $run = $etl->seed(workers => 2, chunk_rows => 60);
$etl->wait_for_run($run, 'failed');
check_failed($run, '22012', 'division by zero', 1, 'division by zero');
ok($etl->wait_for_no_workers(1), 'workers leave');
my $attempts = $etl->sql("SELECT sum(attempts) FROM etl_tasks WHERE run_id = $run");
$etl->sql("SELECT etl_retry($run)");
$etl->wait_for_run($run, 'failed');
is($etl->sql("SELECT sum(attempts) FROM etl_tasks WHERE run_id = $run"), $attempts + 1, 'a retry repeats that task only');
heal();
$etl->sql("SELECT etl_retry($run)");
$etl->is_whole($run, 'after the data were mended', map { $_ => 1 } split /\n/,
	$etl->sql("SELECT task_no FROM etl_events WHERE run_id = $run AND to_state = 'failed' AND task_no IS NOT NULL"));

# A crash of the process: by a function that a superuser owns, as users can't.
$etl->sql("CREATE FUNCTION public.die() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS \$\$
           BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -ABRT ' || pg_backend_pid());
                 PERFORM pg_sleep(10); END \$\$");
# The next chunk is a slow one, so that it is in flight too whenever the two run side by side.
my $neighbour = $etl->sql("SELECT min(lid) FROM legacy.ads_volkswagen WHERE portal = 'mobile' AND lid >= (SELECT lid_to
                           FROM etl_plan('volkswagen', chunk_rows => 60) WHERE kind = 'load' AND portal = 'mobile'
                           AND lid_from <= $lid AND lid_to > $lid)");
poison("PERFORM pg_catalog.pg_sleep(0.2), public.die(); ELSIF lid = $neighbour THEN PERFORM pg_catalog.pg_sleep(1);");
$run = $etl->seed(workers => 2, chunk_rows => 60);
my $crashes = 0;
while ($etl->wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'")
	and $etl->state($run) ne 'failed' and $crashes < 20)
{
	$crashes++;
	is($etl->seed, $run, "crash $crashes: a request takes the run up again");
}
is($crashes, 5, 'the server crashed five times');
check_failed($run, '57P02', 'set aside: the worker process vanished 5 times', 5, 'crash');
cmp_ok($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'load' AND crashes > 0"), '<=', 3,
	'only its neighbours of the first two crashes were ever suspected');
is($etl->seed, $run, 'asked for again, the task gets another chance');
$etl->wait_until("SELECT count(*) > 0 FROM etl_tasks WHERE run_id = $run AND attempts > 5");
$etl->wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'");
heal();
is($etl->seed, $run, 'after the cause was mended');
# Who was in flight at a crash is told by what the next worker took back.
$etl->wait_for_run($run, 'published');
$etl->is_whole($run, 'after crashes', map { $_ => 1 } split /\n/,
	$etl->sql("SELECT DISTINCT task_no FROM etl_events WHERE run_id = $run AND why LIKE 'worker process % vanished'"));
$etl->log_is_clean('poison', except => qr/signal 6/);
done_testing();
