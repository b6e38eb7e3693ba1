# Folds under faults and limits: bounded memory for any number of listings, a killed worker, a writer in the way.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('fold', sources => 0, conf => "log_min_messages = debug1\netl.fold_memory = '512kB'\n");
my $lids = 40000;
$etl->sql(<<"SQL");
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE log (lid bigint, price numeric, dt date);
INSERT INTO log SELECT hashint8(i) % $lids, hashint8(i + 1) % 1000 / (1 + abs(hashint8(i + 2) % 3)) * 1.10,
    date '2020-01-01' + abs(hashint8(i + 3) % 1000) FROM generate_series(1, 300000) i;
SQL
$etl->sql('VACUUM ANALYZE log');
$etl->sql("SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'log')");

sub differences
{
	return $etl->sql(<<'SQL');
WITH expected AS (
    SELECT lid, (array_agg(price ORDER BY dt, price, scale(price)))[1]::text, min(dt), max(dt),
           (array_agg(price ORDER BY dt DESC, price DESC, scale(price) DESC))[1]::text,
           (array_agg(price ORDER BY price, scale(price)))[1]::text,
           (array_agg(price ORDER BY price DESC, scale(price) DESC))[1]::text
    FROM log GROUP BY lid),
found AS (SELECT lid, first_price::text, first_dt, last_dt, last_price::text, price_min::text, price_max::text
          FROM price_state_p)
SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
SQL
}

sub fold { return $etl->sql("SELECT DISTINCT run_id FROM etl_fold_prices('p', workers => $_[0])") }

# What tasks said of themselves: [passes, kB] each.
sub reports
{
	my $log = PostgreSQL::Test::Utils::slurp_file($etl->node->logfile);
	return map { [ /(\d+) passes, (\d+) kB/ ] } grep { /pg_etl fold: / } split /\n/, $log;
}

# A log that is 20 times the memory. A plan made with more memory asks for more than a worker has: further scans.
cmp_ok($etl->sql("SELECT pg_relation_size('log')"), '>', 20 * 512 * 1024, 'the log is 20 times the memory');
my $run = fold(2);
ok($etl->wait_for_run($run, 'done'), 'a fold in little memory ends');
is(differences(), 0, 'and equals the log');
cmp_ok($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run"), '>', 5, 'ranges as the memory asks for');
$etl->sql('TRUNCATE price_state_p');
my $before = () = reports();
$run = $etl->sql("SET etl.fold_memory = '1GB'; SELECT DISTINCT run_id FROM etl_fold_prices('p', workers => 1)");
ok($etl->wait_for_run($run, 'done'), 'a fold of one range ends');
is(differences(), 0, 'and equals the log');
my @reports = reports();
cmp_ok($reports[$before][0], '>', 5, 'in several scans');
is(scalar(grep { $_->[1] > 512 } @reports), 0, 'no task took more memory than it may');

# Killed while it works: held at a row of the price state that somebody else has locked.
$etl->sql('UPDATE price_state_p SET price_max = 0');
my $writer = $etl->node->background_psql('postgres');
$writer->query_safe('BEGIN');
$writer->query_safe("SELECT FROM price_state_p WHERE lid = (SELECT max(lid) FROM price_state_p) FOR UPDATE");
$run = fold(1);
$etl->wait_until("SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type = 'pg_etl worker'");
my ($worker) = $etl->workers;
kill 'KILL', $worker;
$etl->wait_for_server;
is(fold(1), $run, 'a second request finds the run');
ok($etl->wait_for_run($run, 'done'), 'it ends after a kill');
is(differences(), 0, 'and equals the log');
eval { $writer->quit };

# Another writer of the same rows: the task comes again and wins.
$writer = $etl->node->background_psql('postgres');
$etl->sql('UPDATE price_state_p SET price_max = 0; DELETE FROM price_state_p WHERE lid = 5');
$writer->query_safe('BEGIN');
$writer->query_safe("UPDATE price_state_p SET price_max = 1 WHERE lid = 7; INSERT INTO price_state_p (lid) VALUES (5)");
$run = fold(1);
$etl->wait_until("SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type = 'pg_etl worker'");
$writer->query_safe('COMMIT');
ok($etl->wait_for_run($run, 'done'), 'a fold that met another writer ends');
is(differences(), 0, 'and equals the log');
is($etl->sql("SELECT count(*) > 0 FROM etl_events WHERE run_id = $run AND why LIKE '%another transaction%'"),
	't', 'after a second try');
$writer->quit;

# Index entries are made page by page: among entries of rows that stay, of rows that are dead, on pages that were
# emptied, and by several workers from nothing. What a crash leaves in memory only is in the log of the server.
$etl->sql('CREATE EXTENSION amcheck');
my %holes = (
	'dead rows' => 'DELETE FROM price_state_p WHERE lid % 3 = 0',
	'single rows' => 'DELETE FROM price_state_p WHERE abs(lid) % 997 > 0; VACUUM price_state_p',
	'emptied pages' => 'DELETE FROM price_state_p WHERE lid BETWEEN -10000 AND 20000; VACUUM price_state_p',
	'nothing' => 'TRUNCATE price_state_p');
for my $hole (sort keys %holes)
{
	$etl->sql($_) for split /; /, $holes{$hole};
	$etl->sql('CHECKPOINT');
	ok($etl->wait_for_run(fold(2), 'done'), "a fold beside $hole ends");
	$etl->node->stop('immediate');
	$etl->node->start;
	is($etl->sql("SELECT bt_index_parent_check('price_state_p_pkey', true, true)"), '', 'its index leads to all rows');
	is(differences(), 0, 'and equals the log, also after a crash');
}
done_testing();
