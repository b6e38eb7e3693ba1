# Indexes are built from rows that are read once for several of them, past the executor: they have every row, whatever lies
# in the table, and what is wrong with a row is said of the index that it is wrong for.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('index_builds', rows => 20000, portals => [qw(mobile autoscout)], conf => "autovacuum = off\n");
my $mart = 'raw.ads_volkswagen';
$etl->sql(<<"SQL");
CREATE INDEX ON $mart (title);
CREATE INDEX ON $mart (model, price);
CREATE INDEX ON $mart (mileage DESC, color) INCLUDE (zip);
CREATE INDEX ON $mart (first_registration NULLS FIRST);
CREATE INDEX ON $mart (seats, lat);
CREATE INDEX ON $mart (sold);
CREATE INDEX ON $mart (equipment);
CREATE INDEX ON $mart (color COLLATE "POSIX");
CREATE INDEX ON $mart (variant text_pattern_ops);
CREATE INDEX ON $mart USING hash (vin);
CREATE INDEX ON $mart USING brin (lid);
CREATE INDEX ON $mart (lower(city));
CREATE INDEX ON $mart (acc_id) WHERE sold;
SQL

# A run that waits for a session before it builds the indexes of a portal.
sub held_run
{
	my $run = $etl->sql("BEGIN; SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 1) \\gset
		SELECT FROM etl_pause(:run_id); COMMIT; SELECT :run_id");
	my $staging = $etl->sql("SELECT staging::regclass FROM etl.run_portal WHERE run_id = $run AND portal = 'mobile'");
	my $session = $etl->node->background_psql('postgres');
	$session->query_safe("BEGIN; LOCK TABLE $staging IN ROW EXCLUSIVE MODE");
	$etl->sql("SELECT etl_resume($run)");
	$etl->wait_until("SELECT count(*) > 0 FROM pg_locks WHERE relation = '$staging'::regclass AND mode = 'ShareLock' AND NOT granted")
	  or die 'the run does not come to the indexes';
	return ($run, $staging, $session);
}

my $run = $etl->seed(workers => 1);
ok($etl->wait_for_run($run), 'seeded');
is($etl->sql("SELECT bool_and(began < ended) FROM (SELECT max(started_at) AS began, min(ended_at) AS ended FROM etl_tasks
	WHERE run_id = $run AND kind = 'index' GROUP BY portal) p"), 't', 'one worker builds all indexes of a portal at once');
is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'index' AND attempts <> 1"), 0, 'at the first attempt');
is($etl->sql("SELECT count(*) FROM (SELECT portal FROM etl_tasks WHERE run_id = $run GROUP BY portal
	HAVING sum(rows) FILTER (WHERE kind = 'load') IS DISTINCT FROM max(rows) FILTER (WHERE kind = 'index')) p"),
	0, 'which count the rows');
is($etl->sql("SELECT r.rows = (SELECT count(*) FROM $mart) FROM etl_runs r WHERE run_id = $run LIMIT 1"), 't', 'of the run, once');
$etl->is_sound('built');

$etl->sql("ALTER DATABASE postgres SET etl.index_memory = '1MB'");
ok($etl->wait_for_run($etl->seed(workers => 1)), 'seeded with little memory');
$etl->is_sound('built some rows at a time');
$etl->sql('ALTER DATABASE postgres RESET etl.index_memory');
$etl->same_mart('so far');

($run, my $staging, my $session) = held_run();
$session->query_safe(<<"SQL");
UPDATE $staging SET contacts = contacts WHERE ctid < '(40,0)';
UPDATE $staging SET title = title WHERE ctid < '(20,0)';
CREATE TEMP TABLE moved AS SELECT * FROM $staging WHERE lid % 50 = 0;
DELETE FROM $staging WHERE lid % 50 = 0;
INSERT INTO $staging SELECT * FROM moved;
SAVEPOINT undone;
UPDATE $staging SET contacts = 0;
ROLLBACK TO undone;
COMMIT;
SQL
$session->quit;
ok($etl->wait_for_run($run), 'a table whose rows were moved by somebody else');
$etl->node->command_ok([ 'pg_amcheck', '--heapallindexed', '-d', 'postgres', '-t', "$mart*", '-i', "$mart*" ],
	'with dead rows and chains of updates');
$etl->same_mart('moved');

($run, $staging, $session) = held_run();
$session->query_safe("DELETE FROM $staging WHERE ctid = '(3,1)'; COMMIT");
$session->quit;
ok($etl->wait_for_run($run, 'failed'), 'a table of which a row was deleted');
like($etl->sql("SELECT kind || sqlstate || error FROM etl_tasks WHERE run_id = $run AND state = 'failed'"),
	qr/^checkXX001staging table \S+ holds \d+ rows, but its chunks wrote \d+/, 'fails at the check');
$etl->sql("SELECT etl_cancel($run); SELECT etl_drop_make('volkswagen')");
$etl->register_make;

($run, $staging, $session) = held_run();
$session->query_safe("INSERT INTO $staging SELECT * FROM $staging ORDER BY lid LIMIT 1; COMMIT");
$session->quit;
ok($etl->wait_for_run($run, 'failed'), 'a table of which a row is there twice');
like($etl->sql("SELECT string_agg(kind || sqlstate || error, E'\\n') FROM etl_tasks WHERE run_id = $run AND state = 'failed'"),
	qr/^index23505could not create unique index "ads_volkswagen_mobile_lid_make_r$run" \(Key \(lid, make, portal\)=\(-?\d+, volkswagen, mobile\) is duplicated\.\)$/,
	'fails at the one index that minds');
is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND portal = 'mobile' AND kind = 'index' AND state = 'done'"),
	$etl->sql("SELECT count(*) - 1 FROM pg_index WHERE indrelid = '$mart'::regclass"), 'the others are built, one by one');
$etl->sql("DELETE FROM $staging WHERE ctid = (SELECT max(ctid) FROM $staging)");
$etl->sql("SELECT etl_retry($run)");
ok($etl->wait_for_run($run), 'and goes on without it');
$etl->is_sound('in the end');
$etl->same_mart('in the end');
done_testing();
