# Where workers are short, a sync goes before the chunks of other makes' seeds: as many workers leave as it needs, and return.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Faults->new('precedence', conf => "etl.max_workers = 1\n");
$etl->wait_for_run($_, 'done') for $etl->fold;
$etl->sql(<<'SQL');
CREATE ROLE alice LOGIN;
GRANT USAGE, CREATE ON SCHEMA raw, mapping TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA raw, mapping TO alice;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO alice;
SELECT etl_add_make('audi', 'mapping.lot_volkswagen', country => 'DE');
SET ROLE alice;
SELECT etl_add_make('bmw', 'mapping.lot_volkswagen', country => 'DE');
SQL
$etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_seed('$_')")) for qw(audi bmw);

# Asks for a sync by hand, of so many tasks that merely gather statistics of the mart.
sub ask
{
	my ($make, $tasks) = @_;
	my $run = $etl->sql(<<"SQL");
WITH r AS (INSERT INTO etl.run (kind, make, owner, requested_by, workers, definition, settings, system_identifier, database)
           SELECT 'sync', make, owner, owner, 4, '', settings, system_identifier, database FROM etl.run
           WHERE make = '$make' ORDER BY run_id LIMIT 1 RETURNING run_id),
     t AS (INSERT INTO etl.task (run_id, task_no, phase, kind) SELECT run_id, n, 6, 'analyze' FROM r, generate_series(1, $tasks) n)
SELECT run_id FROM r
SQL
	$etl->try_sql("SELECT etl_resume($run)");
	return $run;
}

sub left
{
	my $run = shift;
	return $etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'load' AND state = 'waiting'");
}

for my $make (qw(audi bmw))
{
	my $seed = $etl->hold('load', chunk_rows => 10);
	$etl->sql("UPDATE raw.full_auto_mobile SET title = 'for $make', modified = now() WHERE lid % 50 = 1");
	my $sync = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('$make')");
	is($etl->sql("SELECT waiting_for FROM etl_progress WHERE run_id = $sync"), 'free worker slot: etl.max_workers = 1, all of them busy',
		"$make: the sync finds no place");
	my $left = left($seed);
	$etl->release;
	ok($etl->wait_for_run($sync), "$make: the sync ends");
	ok($etl->wait_for_run($seed), "$make: the seed ends too, without anybody asking again");
	is($etl->sql("SELECT bool_and(t.started_at > r.ended_at) FROM etl_runs r, (SELECT * FROM etl_tasks WHERE run_id = $seed
	              AND kind = 'load' ORDER BY started_at DESC LIMIT $left - 1) t WHERE r.run_id = $sync"), 't',
		"$make: after at most one more chunk of the seed came the sync, then the rest");
	ok($etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen')")), "$make: a sync of the seeded make");
	$etl->sql('DROP TABLE legacy.ads_volkswagen');
	$etl->same_mart("$make: after that");
	is($etl->sql("SELECT count(*) FROM (SELECT lid, title FROM raw.ads_$make EXCEPT ALL SELECT lid, title FROM raw.ads_volkswagen) d"),
		0, "$make: both marts");
	$etl->left_nothing($seed, $make);
}

# Only as many workers leave as the sync has tasks for, and none while there is a free slot.
$etl->node->append_conf('postgresql.conf', 'etl.max_workers = 3');
$etl->node->reload;
my $mart = $etl->session;
$mart->query_safe('BEGIN; LOCK TABLE raw.ads_audi IN SHARE UPDATE EXCLUSIVE MODE');
my $seed = $etl->hold('load', chunk_rows => 10, workers => 3);
my $sync = ask('audi', 1);
$etl->release;
ok($etl->wait_for_task($sync, 'analyze'), 'the sync has a worker');
$etl->bar('load');
sleep 0.3;
is(join(' ', map { scalar($etl->workers($_)) } $seed, $sync), '2 1', 'one of three has left the seed') if left($seed) > 0;
$etl->release;
$mart->query_safe('COMMIT');
ok($etl->wait_for_run($_), "run $_ ends") for $sync, $seed;

$seed = $etl->hold('load', chunk_rows => 10, workers => 2);
$sync = ask('audi', 1);
ok($etl->wait_for_run($sync), 'a sync that finds a free slot');
is(scalar($etl->workers($seed)), 2, 'takes nobody from the seed');
$etl->release;
ok($etl->wait_for_run($seed), 'which ends');

# No process of the server's is left: who leaves the seed goes on with the sync, if the owner is the same.
$mart->quit;
$etl->node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$etl->node->restart;
for my $make (qw(audi bmw))
{
	$seed = $etl->hold('load', chunk_rows => 10);
	$sync = ask($make, 1);
	$etl->release;
	ok($etl->wait_for_run($seed), "$make, one process: the seed ends");
	$etl->sql("CALL etl_wait($sync, '30 s')");
	my $first = $etl->sql("SELECT s.ended_at < r.ended_at FROM etl_runs s, etl_runs r WHERE s.run_id = $sync AND r.run_id = $seed");
	is($first, $make eq 'audi' ? 't' : 'f', "$make, one process: who comes first");
}
$etl->left_nothing($seed, 'at the end');
$etl->log_is_clean('precedence');
done_testing();
