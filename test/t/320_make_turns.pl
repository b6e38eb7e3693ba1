# Several runs of one make take turns: who waits says for whom, and goes on as soon as it may, whatever becomes of the first.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Faults->new('make_turns', conf => "etl.max_workers = 6\n");
ok($etl->wait_for_run($etl->seed), 'a mart');

# Asks for a run of another kind by hand, which merely gathers statistics of the mart, and returns its number.
sub ask
{
	my ($kind) = @_;
	my $run = $etl->sql(<<"SQL");
WITH r AS (INSERT INTO etl.run (kind, make, owner, requested_by, workers, definition, settings, system_identifier, database)
           SELECT '$kind', make, owner, owner, 2, '', settings, system_identifier, database FROM etl.run
           WHERE kind = 'seed' ORDER BY run_id LIMIT 1 RETURNING run_id),
     t AS (INSERT INTO etl.task (run_id, task_no, phase, kind) SELECT run_id, 1, 6, 'analyze' FROM r)
SELECT run_id FROM r
SQL
	$etl->try_sql("SELECT etl_resume($run)"); # starts its workers, unless one that left has taken it up already
	return $run;
}

sub attempts
{
	my $run = shift;
	return $etl->sql("SELECT sum(attempts) FROM etl_tasks WHERE run_id = $run");
}

# The order in which runs came to work and ended, from the events.
sub order
{
	my $runs = join ', ', @_;
	return $etl->sql("SELECT string_agg(run_id || ' ' || to_state, ', ' ORDER BY event_id) FROM etl_events
	                  WHERE task_no IS NULL AND run_id IN ($runs) AND to_state <> 'queued' AND from_state <> to_state");
}

sub waits
{
	my ($run, $for, $name) = @_;
	sleep 0.3;
	is($etl->sql("SELECT state || '|' || waiting_for FROM etl_progress WHERE run_id = $run"), "queued|run $for of the same make",
		"$name: waits, and says for whom");
	is($etl->sql("SELECT waiting_for FROM etl_runs WHERE run_id = $run"), "run $for of the same make", "$name: etl_runs, too");
	is(attempts($run), 0, "$name: nothing of it is attempted");
	return;
}

my $seed = $etl->hold('load');
my $sync = ask('sync');
waits($sync, $seed, 'sync behind a seed');
my $verify = ask('verify');
waits($verify, $seed, 'verify behind both');
is(scalar(grep { 1 } $etl->workers), scalar(grep { 1 } $etl->workers($seed)), 'no worker stays that has nothing to do');
my ($code, undef, $notice) = $etl->try_sql("SELECT etl_resume($sync)");
$etl->release;
ok($etl->wait_for_run($_), "run $_ ends") for $seed, $sync, $verify;
is(order($seed, $sync, $verify), "$seed running, $seed published, $sync running, $sync done, $verify running, $verify done",
	'one after the other');

# A request tells whom it waits for.
my $mart = $etl->session;
my $lock = "BEGIN; LOCK TABLE raw.ads_volkswagen IN SHARE UPDATE EXCLUSIVE MODE";
$mart->query_safe($lock);
$sync = ask('sync');
$etl->wait_for_task($sync, 'analyze');
($code, my $asked, $notice) = $etl->try_sql("SELECT DISTINCT run_id FROM etl_seed('volkswagen')");
like($notice, qr/^.*NOTICE:  run $asked waits for run $sync of the same make, which is running/m, 'the request says so');
waits($asked, $sync, 'seed behind a sync');
my ($state) = $etl->try_sql("SELECT etl_drop_make('volkswagen')");
is($etl->sql("DO \$\$ BEGIN PERFORM etl_drop_make('volkswagen'); EXCEPTION WHEN object_in_use THEN RAISE NOTICE 'refused'; END \$\$;
              SELECT count(*) FROM etl.make"), 1, 'the make is not dropped meanwhile');
($code, undef, my $error) = $etl->try_sql("SELECT etl_revert($seed)");
like($error, qr/cannot revert run $seed.*Run $asked of the same make is newer, and queued/s, 'nor is its last seed reverted');
$mart->query_safe('COMMIT');
ok($etl->wait_for_run($_), "run $_ ends") for $sync, $asked;
is(order($sync, $asked), "$sync running, $sync done, $asked running, $asked published", 'one after the other, the other way round');
$etl->same_mart('after a seed behind a sync');

# A sync older than the last seed, taken up again: what it works at is not swapped under it.
$mart->query_safe($lock);
$sync = ask('sync');
$etl->wait_for_task($sync, 'analyze');
$etl->sql("SELECT etl_cancel($sync)");
$mart->query_safe('COMMIT');
$etl->wait_for_no_workers;
ok($etl->wait_for_run($seed = $etl->seed), 'a seed after that');
$mart->query_safe($lock);
$etl->sql("UPDATE etl.run SET state = 'queued', ended_at = NULL WHERE run_id = $sync; SELECT etl_resume($sync)");
$etl->wait_for_task($sync, 'analyze');
($code, undef, $error) = $etl->try_sql("SELECT etl_revert($seed)");
like($error, qr/cannot revert run $seed.*Run $sync of the same make is running/s, 'revert under an older run is refused');

# Cancel of the first: its worker has not left yet, and a run without any.
$asked = $etl->seed(workers => 2, chunk_rows => 60);
waits($asked, $sync, 'before the cancel');
$etl->sql("SELECT etl_cancel($sync)");
ok($etl->wait_until("SELECT count(*) > 0 FROM etl_tasks WHERE run_id = $asked AND kind = 'load' AND state = 'done'"),
	'the second goes on when the first is cancelled');
$mart->query_safe('COMMIT');
ok($etl->wait_for_run($asked), 'to its end');
$seed = $etl->hold('load');
$etl->sql("SELECT etl_pause($seed)");
$sync = ask('sync');
waits($sync, $seed, 'behind a run that is paused');
$etl->release;
ok($etl->wait_for_no_workers(2), 'which has no worker any more');
$etl->sql("SELECT etl_cancel($seed)");
ok($etl->wait_for_run($sync), 'goes on when that one is cancelled');

# Paused and resumed it keeps its turn.
is($etl->hold('load'), $seed, 'the seed is asked for again');
$sync = ask('sync');
waits($sync, $seed, 'behind the seed');
$etl->sql("SELECT etl_pause($seed)");
$etl->release;
ok($etl->wait_for_no_workers(5), 'the seed is paused');
$etl->sql("SELECT etl_resume($seed)");
ok($etl->wait_for_run($_), "run $_ ends") for $seed, $sync;
like(order($seed, $sync), qr/paused, $seed running, $seed published, $sync running, $sync done$/, 'the first comes first');

# A seed that is loaded is in nobody's way; its publish waits its turn.
$seed = $etl->seed(publish => "'manual'");
ok($etl->wait_for_run($seed, 'loaded'), 'a seed is loaded');
$mart->query_safe($lock);
$sync = ask('sync');
ok($etl->wait_for_task($sync, 'analyze'), 'a sync begins beside a loaded seed');
($code, undef, $notice) = $etl->try_sql("SELECT etl_publish($seed)");
like($notice, qr/run $seed waits for run $sync of the same make, which is running/, 'its publish says that it waits');
is($etl->sql("SELECT waiting_for FROM etl_runs WHERE run_id = $seed"), "run $sync of the same make", 'and etl_runs does');
$mart->query_safe('COMMIT');
ok($etl->wait_for_run($_), "run $_ ends") for $sync, $seed;
is($etl->state($seed), 'published', 'and is published after the sync');

# A crash in between: the first goes on, whoever is waited for.
$seed = $etl->hold('load');
$sync = ask('sync');
waits($sync, $seed, 'before a crash');
my %flying = $etl->in_flight($seed);
$etl->crash($etl->a_worker);
$etl->release;
is($etl->sql("SELECT state || '|' || waiting_for FROM etl_progress WHERE run_id = $sync"), "queued|run $seed of the same make",
	'it still waits after a crash');
$etl->sql("CALL etl_wait($sync, '60 s')");
is(order($seed, $sync), "$seed running, $seed published, $sync running, $sync done", 'one after the other, despite the crash');
$etl->is_whole($seed, 'a crash', %flying);

# Many rounds of both at once: never two at work.
my $open = $etl->sql("SELECT max(event_id) FROM etl.event");
my @runs;
for (1 .. 15)
{
	my $run = $etl->seed(workers => 3, chunk_rows => 200);
	push @runs, $run, ask('sync'), ask('verify');
	$etl->wait_for_run($_) or fail("run $_ ends") for @runs[ -3 .. -1 ];
}
my $work = "SELECT e.run_id, e.event_id, e.task_no, e.to_state FROM etl.event e WHERE e.event_id > $open";
is($etl->sql(<<"SQL"), 0, 'no task began while a run of another number was at work');
SELECT count(*) FROM ($work AND to_state = 'running' AND task_no IS NOT NULL) b
JOIN ($work AND to_state = 'running' AND task_no IS NULL) f ON f.run_id <> b.run_id AND f.event_id < b.event_id
WHERE NOT EXISTS ($work AND e.task_no IS NULL AND e.run_id = f.run_id AND e.to_state IN ('published', 'done')
                  AND e.event_id < b.event_id)
SQL
$mart->quit;
$etl->left_nothing($runs[0], 'at the end');
$etl->log_is_clean('make_turns');
done_testing();
