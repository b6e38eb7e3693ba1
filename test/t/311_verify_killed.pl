# A verification that repairs is cancelled, killed and crashed in mid-task, and goes on: each difference is told once, and
# the mart is whole in the end.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('verify_killed', rows => 2000, portals => [qw(mobile autoscout)], register => 0);
# Tasks that read the source view wait where a session holds the lock.
$etl->sql(<<'SQL');
CREATE FUNCTION raw.gate(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$;
SELECT etl_set_template('gated', (SELECT query || ' AND raw.gate(ads.lid)' FROM etl.template WHERE name = 'ads'));
SQL
$etl->register(template => "'gated'");
ok($etl->wait_for_run($etl->seed(chunk_rows => 100)), 'seeded');
my $damaged = $etl->sql("WITH d AS (UPDATE raw.ads_volkswagen SET title = upper(title) || '!' WHERE lid % 3 = 0 AND title IS NOT NULL RETURNING lid) SELECT count(*) FROM d");
my $lock = $etl->node->background_psql('postgres');

my $verify = "SELECT DISTINCT run_id FROM etl_verify('volkswagen', 'source', repair => true)";
sub held_run
{
	$lock->query_safe('SELECT pg_advisory_lock(1)');
	my $run = $etl->sql($verify);
	$etl->wait_until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND objsubid = 1 AND NOT granted");
	return $run;
}

my $run = held_run();
is( $etl->sql("SELECT kind || ' ' || phase FROM etl_progress WHERE run_id = $run"), 'verify verify', 'it shows as what it is');
like($etl->sql("SELECT application_name FROM pg_stat_activity WHERE backend_type = 'pg_etl worker' LIMIT 1"),
	qr/^pg_etl volkswagen (mobile|autoscout) (\[\d+|\(), (\d+\)|\))$/, 'workers say what they look at');
$etl->sql("SELECT etl_cancel($run)");
ok($etl->wait_for_run($run, 'cancelled'), 'cancelled');
ok($etl->wait_for_no_workers, 'at once');
$lock->query_safe('SELECT pg_advisory_unlock(1)');

is(held_run(), $run, 'asked for again, the run goes on');
$etl->sql("SELECT etl_cancel($run)");
$lock->query_safe('SELECT pg_advisory_unlock(1)');
$lock->quit;
$etl->sql("SELECT etl_retry($run)");
# Some tasks end, then a worker is killed at each of a few moments.
for my $round (1 .. 3)
{
	$etl->wait_until("SELECT count(*) FILTER (WHERE state = 'done') >= 3 * $round OR bool_and(state = 'done') FROM etl_tasks WHERE run_id = $run");
	my @workers = $etl->workers($run);
	kill 'KILL', $workers[0] if @workers;
	$etl->wait_for_server;
	$etl->sql($verify) if $etl->state($run) ne 'done';
}
ok($etl->wait_for_run($run, 'done'), 'after kills the run ends');
is( $etl->sql("SELECT count(*), count(DISTINCT (lid, column_name)), bool_and(column_name = 'title') FROM etl_differences($run)"),
	"$damaged|$damaged|t", 'each difference is told once');
$etl->same_mart('mended');
my $again = $etl->sql("SELECT DISTINCT run_id FROM etl_verify('volkswagen')");
ok($etl->wait_for_run($again, 'done'), 'verified');
is($etl->sql("SELECT count(*) FROM etl_differences($again)"), 0, 'the digests follow');
done_testing();
