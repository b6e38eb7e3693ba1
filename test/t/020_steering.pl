# What users do to runs: requests that never commit, cancel, pause and resume; and that nobody's open transaction makes
# readers of the mart wait.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep time);

my $etl = PgEtl::Faults->new('steering', conf => "max_prepared_transactions = 5\n");
my $runs = 'SELECT count(*) FROM etl.run';

# Requests
$etl->sql("BEGIN; SELECT FROM etl_seed('volkswagen'); ROLLBACK");
$etl->sql("BEGIN; SAVEPOINT s; SELECT FROM etl_seed('volkswagen'); ROLLBACK TO s; COMMIT");
$etl->sql("BEGIN; SAVEPOINT s; SELECT FROM etl_seed('volkswagen'); RELEASE s; ROLLBACK");
$etl->sql("DO \$\$ BEGIN PERFORM etl_seed('volkswagen'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END \$\$");
my ($code, undef, $error) = $etl->try_sql("BEGIN; SELECT FROM etl_seed('volkswagen'); PREPARE TRANSACTION 'p'");
like($error, qr/cannot PREPARE a transaction that has started or steered a run/, 'PREPARE TRANSACTION is refused');
sleep 0.3;
is($etl->sql($runs), 0, 'no request that is rolled back leaves a run');
is(join(' ', $etl->workers), '', 'nor a worker');
is($etl->sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'ads%\\_r%'"), 0, 'nor a staging table');

my $run = $etl->sql("BEGIN; SAVEPOINT s; SELECT DISTINCT run_id FROM etl_seed('volkswagen'); RELEASE s; COMMIT");
$etl->is_whole($run, 'a request in a savepoint that is released');

# Cancel
$run = $etl->hold('load');
my %flying = $etl->in_flight($run);
$etl->sql("BEGIN; SELECT etl_cancel($run); ROLLBACK");
$etl->sql("BEGIN; SAVEPOINT s; SELECT etl_cancel($run); ROLLBACK TO s; COMMIT");
sleep 0.2;
is($etl->state($run), 'running', 'a cancel that is rolled back cancels nothing');
is(scalar($etl->workers($run)), 2, 'workers go on');

# A worker that comes between an open cancel and its commit is reached too.
my $session = $etl->session;
my $load = "SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'load'";
my @workers = $etl->workers($run);
$etl->sql("SELECT pg_terminate_backend($_)") for @workers;
$etl->wait_for_exit(@workers);
$session->query_safe("BEGIN; SELECT etl_cancel($run)");
is($etl->seed, $run, 'a request starts workers while a cancel is open');
$etl->wait_until_held($run, 'load');
my $at = time;
$session->query_safe('COMMIT');
ok($etl->wait_for_no_workers(1), 'all workers leave within a second after a cancel');
cmp_ok(time - $at, '<', 1.1, 'measured from its commit');
is($etl->sql("$load AND state = 'running'"), 0, 'no task is left at work');
is($etl->state($run), 'cancelled', 'the run is cancelled');
like($etl->sql("SELECT why FROM etl_events WHERE run_id = $run AND to_state = 'cancelled'"), qr/^cancelled by postgres/,
	'the event says by whom');
$etl->release;
%flying = map { $_ => 1 } split /\n/, $etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND state <> 'done'");
is($etl->seed, $run, 'a request takes the cancelled run up again');
$etl->is_whole($run, 'after a cancel', %flying);

# Pause: what is at work is finished, nothing new begins.
$run = $etl->hold('load');
$etl->sql("SELECT etl_pause($run)");
$etl->release;
ok($etl->wait_for_no_workers(5), 'workers leave a paused run');
is($etl->sql("SELECT state, waiting_for FROM etl_progress WHERE run_id = $run"), 'paused|etl_resume (paused by postgres)',
	'it says how to go on');
cmp_ok($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND state = 'waiting'"), '>', 0, 'tasks wait');
is($etl->seed, $run, 'a request finds the paused run');
sleep 0.3;
is($etl->state($run), 'paused', 'and leaves it paused');
$etl->sql("SELECT etl_resume($run)");
$etl->is_whole($run, 'after pause and resume');

# Publish and somebody's open transaction that steers the run
$run = $etl->hold('publish', publish => "'auto'");
$etl->wait_until("SELECT waiting_for LIKE 'lock on % held by pid %' FROM etl_progress WHERE run_id = $run");
$session->query_safe("BEGIN; SELECT etl_pause($run)");
$etl->release;
my $slowest = 0;
my $until = time + 2.5; # publish tries again every second
while (time < $until)
{
	my $from = time;
	$etl->try_sql("SET statement_timeout = '1s'; SELECT count(*) FROM raw.ads_volkswagen");
	$slowest = time - $from if time - $from > $slowest;
	sleep 0.02;
}
cmp_ok($slowest, '<', 1, 'readers do not wait while a transaction that steers the run is open');
$session->query_safe('ROLLBACK');
$etl->is_whole($run, 'publish after that');
$session->quit;

# Cancel in publish leaves the old mart; cancel after it tells the truth.
$run = $etl->hold('snapshot');
like($etl->sql("SELECT waiting_for FROM etl_progress WHERE run_id = $run"), qr/^older snapshot of pid \d+$/,
	'publish says whose snapshot it waits for');
$etl->sql("SELECT etl_cancel($run)");
ok($etl->wait_for_no_workers(1), 'a publish that waits for a snapshot is cancelled at once');
$etl->release;
is($etl->sql("SELECT count(*) FROM raw.ads_volkswagen"), $etl->sql('SELECT count(*) FROM legacy.ads_volkswagen'),
	'the old mart is there');
is($etl->seed, $run, 'it is taken up again');
$etl->is_whole($run, 'a cancelled publish', map { $_ => 1 } $etl->sql("SELECT task_no FROM etl_tasks
                                                        WHERE run_id = $run AND kind = 'publish'"));
$etl->log_is_clean('steering');
done_testing();
