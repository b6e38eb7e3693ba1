# etl_wait and snapshots: no transaction of ours is older than its chunk, and whoever waits for a run holds nothing.
use strict;
use warnings;
use PgEtl::Faults;
use List::Util ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
use Time::HiRes qw(sleep time);

my $etl = PgEtl::Faults->new('wait');

# Runs CALL etl_wait in a session of its own, which prints when it returned.
sub wait_in_background
{
	my ($run, $arguments) = @_;
	my $session = $etl->session;
	my $pid = $session->query('SELECT pg_backend_pid()');
	$session->{stdin} .= "CALL etl_wait($run" . ($arguments // '') . ");\n\\echo :SQLSTATE\nSELECT 'back at ' || clock_timestamp();\n";
	$session->{run}->pump_nb;
	$etl->wait_until("SELECT query LIKE 'CALL%' FROM pg_stat_activity WHERE pid = $pid");
	return ($session, $pid);
}

# Waits for that and returns (SQLSTATE, time of return, what was said).
sub answer
{
	my ($session) = @_;
	my $out = $session->query_until(qr/back at [^\n]+\n/, '');
	my ($sqlstate, $at) = $out =~ /^(\w{5})\nback at (.*)\n/m;
	my $said = $session->{stderr};
	eval { $session->quit };
	return ($sqlstate, $at, $said);
}

# A long run, looked at all the time by one connection of its own.
my $run = $etl->seed(workers => 2, chunk_rows => 10);
my ($session, $waiter) = wait_in_background($run);
my $report = $etl->sql(<<"SQL");
CREATE TEMP TABLE seen (workers bigint, waiter_xmin bigint, waiter_asleep bigint, old bigint);
DO \$\$
DECLARE
    row_ record;
BEGIN
    LOOP
        -- A session's xmin is read a moment before what it waits for: who held one while it looked, and then fell asleep,
        -- has none at the next look. Who waits with one has it at each.
        FOR look IN 1 .. 5 LOOP
            PERFORM pg_stat_clear_snapshot();
            SELECT count(*) FILTER (WHERE backend_type = 'pg_etl worker') AS workers,
                   count(*) FILTER (WHERE pid = $waiter AND wait_event = 'Extension' AND backend_xmin IS NOT NULL) AS xmin,
                   count(*) FILTER (WHERE pid = $waiter AND wait_event = 'Extension') AS asleep,
                   count(*) FILTER (WHERE backend_type = 'pg_etl worker' AND backend_xmin IS NOT NULL
                                    AND xact_start < clock_timestamp() - interval '1 second') AS old
            INTO row_ FROM pg_stat_activity;
            EXIT WHEN row_.xmin = 0;
            PERFORM pg_sleep(0.001);
        END LOOP;
        INSERT INTO seen SELECT row_.workers, row_.xmin, row_.asleep, row_.old;
        COMMIT;
        EXIT WHEN (SELECT state = 'published' FROM etl.run WHERE run_id = $run);
        PERFORM pg_sleep(0.005);
    END LOOP;
END \$\$;
SELECT count(*) > 50, max(workers), max(waiter_xmin), sum(waiter_asleep) > 10, max(old) FROM seen;
SQL
is($report, 't|2|0|t|0', 'no worker has a snapshot older than its chunk, and who waits has none');
my ($sqlstate, $at, $said) = answer($session);
is($sqlstate, '00000', 'etl_wait returns');
cmp_ok($etl->sql("SELECT EXTRACT(epoch FROM timestamptz '$at' - ended_at) * 1000 FROM etl_runs WHERE run_id = $run"), '<', 50,
	'etl_wait returns within 50 ms of the end');
like($said, qr/NOTICE:  run $run: \[#{20}\] 100.0% \d+ of \d+ tasks/, 'the last line says it all');
$etl->is_whole($run, 'in small chunks');

# A worker held in a chunk has that chunk's snapshot, others none; while publish waits, none of ours has one.
$run = $etl->hold('snapshot');
is($etl->sql("SELECT count(*), count(backend_xmin), count(xact_start) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'"),
	'1|0|0', 'publish waits without a transaction');

# However long it waits, it takes no more memory: what it has at rest, which is the least of some looks.
sub memory_of_worker
{
	my $from = -s $etl->node->logfile;
	my ($worker) = $etl->workers;
	for (1 .. 8)
	{
		$etl->sql("SELECT pg_log_backend_memory_contexts($worker)");
		sleep 0.2;
	}
	my $log = PostgreSQL::Test::Utils::slurp_file($etl->node->logfile, $from);
	return List::Util::min($log =~ /Grand total: .* (\d+) used/g) // die 'no memory contexts in the log';
}

sub waits_in_place
{
	my $what = shift;
	sleep 2; # the first rounds fill caches
	my $before = memory_of_worker();
	sleep 4;
	cmp_ok(memory_of_worker() - $before, '<', 15000, "publish that waits for $what keeps its memory");
	return;
}
waits_in_place('a snapshot');
$etl->release;
$etl->wait_for_run($run);
$run = $etl->hold('publish');
waits_in_place('a lock');

$etl->release;
$etl->wait_for_run($run);

# What workers wait for is set where they read it: with their owner.
$etl->sql("ALTER ROLE CURRENT_USER SET etl.publish_wait = '100ms'");
$etl->bar('snapshot');
$run = $etl->seed(workers => 1);
ok($etl->wait_for_run($run), 'etl.publish_wait set for the owner reaches workers');
$etl->release;
$etl->sql('ALTER ROLE CURRENT_USER RESET etl.publish_wait');

$run = $etl->hold('load');
is($etl->sql("SELECT count(*), bool_and(a.xact_start >= t.started_at) FROM pg_stat_activity a JOIN etl_tasks t USING (pid)
              WHERE t.run_id = $run AND t.state = 'running' AND a.backend_xmin IS NOT NULL"), '2|t',
	'a worker in a chunk has a transaction that began with it');
$etl->release;
$etl->wait_for_run($run);
$run = $etl->hold('snapshot');

# Timeout, cancel of the waiting session, pause, cancel of the run
my ($code, undef, $error) = $etl->try_sql("\\set VERBOSITY verbose\nCALL etl_wait($run, '0.2 s')");
like($error, qr/ERROR:  57014: gave up waiting for run $run.*DETAIL:  The timeout/s, 'timeout');
($code, undef, $error) = $etl->try_sql("SET statement_timeout = '200ms'; CALL etl_wait($run)");
like($error, qr/canceling statement due to statement timeout/, 'statement_timeout');
($session, $waiter) = wait_in_background($run);
my $busy = sub { return eval { my @field = split / /, slurp_file("/proc/$waiter/stat") =~ s/^.*\) //sr; $field[11] + $field[12] } };
SKIP: {
	my $before = $busy->();
	skip 'no /proc', 1 if !defined $before;
	sleep 3;
	cmp_ok($busy->() - $before, '<', 15, 'who waits for 3 seconds takes less than 150 ms of the processor');
}
$etl->sql("SELECT pg_cancel_backend($waiter)");
($sqlstate) = answer($session);
is($sqlstate, '57014', 'a cancelled etl_wait raises 57014');
is($etl->state($run), 'running', 'and the run goes on');
($session, $waiter) = wait_in_background($run);
$etl->sql("SELECT etl_pause($run)");
ok($etl->wait_for_no_workers(2), 'a publish that waits can be paused');
is($etl->sql("SELECT state = 'active' AND query LIKE 'CALL%' FROM pg_stat_activity WHERE pid = $waiter"), 't',
	'etl_wait goes on while the run is paused');
is(join(' ', $etl->workers), '', 'and starts nobody');
$etl->sql("SELECT etl_cancel($run)");
($sqlstate, $at, $said) = answer($session);
is($sqlstate, '57014', 'etl_wait raises 57014 when the run is cancelled');
like($said, qr/run $run was cancelled/, 'and says so');
$etl->release;

# A run that nobody works at is taken up by who waits for it.
is($etl->seed, $run, 'the cancelled run goes on');
$etl->wait_for_run($run);
$run = $etl->hold('load');
my %flying = $etl->in_flight($run);
$etl->break('immediate stop', $run);
$etl->release;
my $from = time;
$etl->sql("CALL etl_wait($run)");
cmp_ok(time - $from, '<', 10, 'etl_wait takes an interrupted run up again');
$etl->is_whole($run, 'by etl_wait', %flying);

# Where it can't be called
($code, undef, $error) = $etl->try_sql("\\set VERBOSITY verbose\nBEGIN; CALL etl_wait($run)");
like($error, qr/ERROR:  25001: etl_wait cannot run inside a transaction block/, 'not in a transaction block');
($code, undef, $error) = $etl->try_sql("\\set VERBOSITY verbose\nCREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS
	'BEGIN CALL etl_wait($run); END'; SELECT f()");
like($error, qr/ERROR:  25001/, 'not in a function');
($code, undef, $error) = $etl->try_sql("\\set VERBOSITY verbose\nCALL etl_wait(4711)");
like($error, qr/ERROR:  42704: run 4711 does not exist/, 'not for a run that is none');
$etl->log_is_clean('wait');
done_testing();
